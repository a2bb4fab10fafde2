//! A stream underway: it tells what was read, reads on when its client has taken that, and waits when there is no more.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::time::Instant;

use super::super::Cusp;
use super::streams::{News, Page, Room};
use super::{Filter, RETRY_MILLIS};
use crate::domain::account::Account;
use crate::domain::api_key::{Access, ApiKey, Resource};
use crate::domain::event::Event;
use crate::domain::ids::EventId;
use crate::feed::Subscription;
use crate::store::{Failure, Kept, Read};

/// The most events that a stream holds in memory.
const PAGE: usize = 25;
/// From so many bytes on, a piece of a stream is sent; what is behind it waits until it is taken.
const PIECE_BYTES: usize = 16 << 10;
/// How often it is asked whether the key still opens the account; more often where heartbeats are.
const ADMIT_EVERY: Duration = Duration::from_secs(15);

/// A stream underway.
pub struct Telling {
    cusp: Arc<Cusp>,
    account: Arc<Account>,
    key: Arc<ApiKey>,
    request: String,
    filter: Filter,
    /// The version that was asked for; `None` for the account's.
    version: Option<String>,
    heartbeat: Duration,
    subscription: Subscription,
    _room: Room,
    /// The place of the last event that was read.
    after: i64,
    /// That event; `None` at the beginning. As long as it has its place, what is behind it follows what was told.
    last: Option<EventId>,
    /// What was read last, and how much of it was told.
    page: Option<(Arc<Page>, usize)>,
    /// When the look was over that found nothing more.
    caught_up: Option<Instant>,
    /// There is nothing to be read before somebody writes.
    waits: bool,
    /// When something was told, if only a heartbeat.
    spoke: Instant,
    /// When the key was known to be good.
    admitted: Instant,
    opening: Option<String>,
}

/// What a stream is made of.
pub struct Beginning {
    /// What there is to work with.
    pub cusp: Arc<Cusp>,
    /// Whose events.
    pub account: Arc<Account>,
    /// By which key.
    pub key: Arc<ApiKey>,
    /// The id of the request that asked.
    pub request: String,
    /// Which events.
    pub filter: Filter,
    /// In which version; `None` for the account's.
    pub version: Option<String>,
    /// How long it says nothing.
    pub heartbeat: Duration,
    /// Wakes it when there is news; older than the look for where it begins.
    pub subscription: Subscription,
    /// The room that it takes.
    pub room: Room,
    /// The place behind which it begins.
    pub after: i64,
    /// The id of that place.
    pub last: String,
}

impl Telling {
    /// A stream that begins.
    pub fn new(beginning: Beginning) -> Telling {
        let Beginning { cusp, account, key, request, filter, version, heartbeat, subscription, room, after, last } =
            beginning;
        let now = Instant::now();
        Telling {
            cusp,
            account,
            key,
            request,
            filter,
            version,
            heartbeat,
            subscription,
            _room: room,
            after,
            last: (after > 0).then(|| EventId(last.clone())),
            page: None,
            caught_up: None,
            waits: false,
            spoke: now,
            admitted: now,
            // The place where it begins is told without an event, so that a client that loses its connection before the
            // first event does not lose that event.
            opening: Some(format!("retry: {RETRY_MILLIS}\nid: {last}\n\n")),
        }
    }

    /// The next piece; `None` when the stream is over.
    pub async fn piece(&mut self) -> Option<Vec<u8>> {
        let mut piece = self.opening.take().unwrap_or_default().into_bytes();
        loop {
            self.tell_page(&mut piece);
            // News that the filter drops do not put it off.
            if piece.is_empty() && self.spoke.elapsed() >= self.heartbeat {
                piece = self.still_here().into_bytes();
            }
            if !piece.is_empty() {
                self.spoke = Instant::now();
                return Some(piece);
            }
            if std::mem::take(&mut self.waits) {
                // Too late for news, it is time for a heartbeat.
                let _ = tokio::time::timeout_at(self.spoke + self.heartbeat, self.subscription.news()).await;
                continue;
            }
            match self.goes_on().await {
                Ok(true) => {}
                Ok(false) => return None,
                Err(failure) => {
                    // The client comes back and goes on where it was.
                    tracing::error!(request = self.request, "an event stream ends: {failure}");
                    return None;
                }
            }
        }
    }

    /// A heartbeat, which tells the place that was reached: whoever comes back has nothing behind him read again. To be
    /// made when all that was read is told.
    fn still_here(&self) -> String {
        match &self.last {
            Some(last) => format!(": heartbeat\nid: {last}\n\n"),
            None => ": heartbeat\n\n".to_owned(),
        }
    }

    /// Tells what was read, as far as it goes into one piece.
    fn tell_page(&mut self, piece: &mut Vec<u8>) {
        let Some((page, told)) = &mut self.page else { return };
        while piece.len() < PIECE_BYTES {
            let Some(news) = page.news.get(*told) else {
                self.page = None;
                return;
            };
            *told += 1;
            let News { event, pending, told } = news;
            if !self.filter.lets_pass(event) {
                continue;
            }
            let tell = |version| tell(event, &self.cusp.render.render(event, &self.account, version, *pending));
            match &self.version {
                Some(version) => piece.extend(tell(Some(version.as_str()))),
                None => piece.extend_from_slice(told.get_or_init(|| tell(None))),
            }
        }
    }

    /// Reads on. `false` when the stream is over: the key does not open the account any more, or the history is another one,
    /// because it was emptied or put back.
    async fn goes_on(&mut self) -> Kept<bool> {
        if !self.is_admitted().await? {
            return Ok(false);
        }
        let page = self.next_page().await?;
        if page.behind != self.last {
            return Ok(false);
        }
        self.waits = !page.full;
        self.caught_up = Some(page.looked.1).filter(|_| self.waits);
        if let Some(News { event, .. }) = page.news.last() {
            (self.after, self.last) = (event.sequence, Some(event.id.clone()));
            self.page = Some((page, 0));
        }
        Ok(true)
    }

    /// The page behind the last event, as somebody has read it since this stream has waited, or as it is read now.
    async fn next_page(&self) -> Kept<Arc<Page>> {
        let (streams, space, after) = (&self.cusp.streams, self.account.space, self.after);
        let shared = || self.caught_up.and_then(|since| streams.looked_at(space, after, since));
        if let Some(page) = shared() {
            return Ok(page);
        }
        let _turn = streams.turn().await;
        if let Some(page) = shared() {
            return Ok(page);
        }
        let began = Instant::now();
        let look = move |read: &mut dyn Read| {
            // From the event at that place on, because the history may be another one by now.
            let from = (after - 1).max(0);
            let mut events = read.news(space, from, PAGE + usize::from(after > 0))?;
            let behind = match events.first() {
                Some(first) if first.sequence == after => Some(events.remove(0).id),
                Some(_) | None => None,
            };
            let counted = events.into_iter().map(|event| {
                let pending = read.open_deliveries(space, event.sequence)?;
                Ok::<_, Failure>(News { event, pending, told: OnceLock::new() })
            });
            Ok::<_, Failure>((behind, counted.collect::<Kept<Vec<News>>>()?))
        };
        let (behind, news) = self.cusp.app.scan(look).await?;
        let full = news.len() == PAGE;
        let page = Arc::new(Page { after, behind, looked: (began, Instant::now()), news, full });
        if self.caught_up.is_some() {
            streams.share(space, &page);
        }
        Ok(page)
    }

    /// Whether the key still opens the account for this.
    async fn is_admitted(&mut self) -> Kept<bool> {
        if self.admitted.elapsed() < ADMIT_EVERY.min(self.heartbeat) {
            return Ok(true);
        }
        self.admitted = Instant::now();
        let key = self.cusp.app.is_open(&self.key).await?;
        Ok(key.is_some_and(|key| key.allows(Resource::Event, Access::Read)))
    }
}

/// An event as server-sent events are written: on one line, which the JSON can be because its texts have no line feeds.
fn tell(event: &Event, rendered: &[u8]) -> Vec<u8> {
    let mut told = format!("id: {}\nevent: {}\ndata: ", event.id, event.what.kind().as_str()).into_bytes();
    for line in rendered.split(|byte| *byte == b'\n') {
        told.extend_from_slice(line.trim_ascii_start());
    }
    told.extend_from_slice(b"\n\n");
    told
}
