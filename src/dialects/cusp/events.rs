//! `GET /cusp/v1/events`: what happens in an account, as it happens, as server-sent events
//! (html.spec.whatwg.org/multipage/server-sent-events.html). A stream goes on from any event that is still kept, without a
//! gap and without repeating one. It holds one page at a time, and looks for the next when its client has taken it.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderName};
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::failure::{Halt, Refusal, shortened};
use super::input::Given;
use super::{Call, Cusp};
use crate::domain::account::{Account, Space};
use crate::domain::api_key::{Access, ApiKey, Resource};
use crate::domain::event::{Event, EventKind};
use crate::domain::ids::EventId;
use crate::domain::page::EventPage;
use crate::feed::Subscription;
use crate::http::Reply;
use crate::http::content::Content;
use crate::store::{Failure, Kept, Read};

/// The most streams of one account in one mode.
pub const MAX_STREAMS_OF_ACCOUNT: usize = 1_000;
/// The most streams of a server.
pub const MAX_STREAMS: usize = 10_000;
/// The most events that a stream holds in memory.
const PAGE: usize = 25;
/// From so many bytes on, a piece of a stream is sent; what is behind it waits until it is taken.
const PIECE_BYTES: usize = 16 << 10;
/// How many streams look at the store at a time; the others wait for their turn, so that requests need not.
const LOOKS_AT_ONCE: usize = 4;
/// How long a stream says nothing, in seconds: when it is not told, and how it may be told.
const HEARTBEAT_SECONDS: i64 = 15;
const HEARTBEAT_BOUNDS: std::ops::RangeInclusive<i64> = 1..=60;
/// How often it is asked whether the key still opens the account; more often where heartbeats are.
const ADMIT_EVERY: Duration = Duration::from_secs(15);
/// How soon a client comes back that lost its connection.
const RETRY_MILLIS: u32 = 1_000;
/// The id of the place before the first event.
const START: &str = "start";

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Tells nginx and those who learnt from it to pass on what they get.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// How many streams are open, and their turns at the store.
pub struct Streams {
    open: Mutex<Open>,
    looks: Semaphore,
}

#[derive(Default)]
struct Open {
    all: usize,
    of_account: HashMap<Space, usize>,
}

impl Default for Streams {
    fn default() -> Streams {
        Streams { open: Mutex::default(), looks: Semaphore::new(LOOKS_AT_ONCE) }
    }
}

impl Streams {
    /// Room for one more stream of an account, if there is.
    fn room(self: &Arc<Streams>, space: Space) -> Result<Room, Refusal> {
        let mut open = self.open.lock();
        let all = open.all;
        let of_account = open.of_account.entry(space).or_default();
        let full = if *of_account >= MAX_STREAMS_OF_ACCOUNT {
            Some(format!("The account has {MAX_STREAMS_OF_ACCOUNT} event streams open, which is the most it can have."))
        } else if all >= MAX_STREAMS {
            Some(format!("The server has {MAX_STREAMS} event streams open, which is the most it can have."))
        } else {
            None
        };
        if let Some(message) = full {
            if *of_account == 0 {
                open.of_account.remove(&space);
            }
            return Err(Refusal::new(429, "too_many_streams", message));
        }
        *of_account += 1;
        open.all += 1;
        Ok(Room { streams: self.clone(), space })
    }
}

/// The room that a stream takes until it is over.
struct Room {
    streams: Arc<Streams>,
    space: Space,
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut open = self.streams.open.lock();
        open.all -= 1;
        let left = open.of_account.get_mut(&self.space).map(|count| {
            *count -= 1;
            *count
        });
        if left == Some(0) {
            open.of_account.remove(&self.space);
        }
    }
}

/// Which events a stream tells.
#[derive(Debug, Default, PartialEq, Eq)]
struct Filter {
    /// Of one of these types; those with a star begin so. None stands for all.
    types: Vec<String>,
    /// Of this record, or of something that belongs to this customer.
    object: Option<String>,
}

impl Filter {
    fn lets_pass(&self, event: &Event) -> bool {
        let kind = event.what.kind().as_str();
        let named = |name: &String| is_of(name, kind);
        let about = |id: &String| {
            event.what.object() == id || event.what.customer().is_some_and(|customer| customer.as_str() == id)
        };
        (self.types.is_empty() || self.types.iter().any(named)) && self.object.as_ref().is_none_or(about)
    }
}

/// Whether a kind of event is of a type; a star at the end stands for anything.
fn is_of(name: &str, kind: &str) -> bool {
    match name.strip_suffix('*') {
        Some(head) => kind.starts_with(head),
        None => kind == name,
    }
}

/// Where a stream begins.
#[derive(Debug, PartialEq, Eq)]
enum Beginning {
    /// With what happens from now on.
    Now,
    /// With the first event that is kept.
    Start,
    /// Behind this event; where the client says so, for what to do about it when it is not there.
    After(EventId, &'static str),
}

/// What a client wishes of a stream.
#[derive(Debug)]
struct Wish {
    from: Beginning,
    filter: Filter,
    version: Option<String>,
    heartbeat: Duration,
}

/// The words of `from`.
const BEGINNINGS: [&str; 2] = ["now", START];

fn wish(call: &mut Call) -> Result<Wish, Refusal> {
    let header = match call.headers.get(LAST_EVENT_ID).map(|value| value.to_str()) {
        None => None,
        Some(Ok(id)) => Some(id.to_owned()).filter(|id| !id.is_empty()),
        Some(Err(_)) => return Err(no_such_event("?", "Last-Event-ID")),
    };
    let render = call.cusp.render.clone();
    call.read(|given| {
        let from = from(given, header)?;
        let version = given.text("api_version")?;
        if let Some(name) = version.as_ref().filter(|name| !render.knows(name)) {
            let why = format!("there is no version `{}`.", shortened(name));
            return Err(given.refuse("api_version", "unknown_version", why));
        }
        let types = given.texts("types")?.unwrap_or_default();
        let happens = |name: &&String| EventKind::ALL.iter().any(|kind| is_of(name, kind.as_str()));
        if let Some(bad) = types.iter().find(|name| !happens(name)) {
            let why = format!("no event of the type `{}` happens here.", shortened(bad));
            return Err(given.refuse("types", "unknown_type", why));
        }
        let object = given.text("object")?;
        if object.as_ref().is_some_and(String::is_empty) {
            return Err(given.refuse("object", "empty", "an id has to be given."));
        }
        let heartbeat = given.whole("heartbeat", HEARTBEAT_BOUNDS)?.unwrap_or(HEARTBEAT_SECONDS);
        let heartbeat = Duration::from_secs(heartbeat.unsigned_abs());
        Ok(Wish { from, filter: Filter { types, object }, version, heartbeat })
    })
}

/// A client that comes back asks for the same URL as at first, so its header counts for more.
fn from(given: &mut Given, header: Option<String>) -> Result<Beginning, Refusal> {
    let begins = given.one_of("from", &BEGINNINGS, |word| word)?;
    let last = given.text("last_event_id")?;
    if begins.is_some() && last.is_some() {
        return Err(given.refuse("last_event_id", "exclusive", "it cannot be given together with `from`."));
    }
    let after = header.map(|id| (id, "Last-Event-ID")).or(last.map(|id| (id, "last_event_id")));
    Ok(match (after, begins) {
        (Some((id, _)), _) if id == START => Beginning::Start,
        (Some((id, param)), _) => Beginning::After(EventId(id), param),
        (None, Some(START)) => Beginning::Start,
        (None, _) => Beginning::Now,
    })
}

fn no_such_event(id: &str, param: &'static str) -> Refusal {
    let id = shortened(id);
    let message = format!(
        "There is no event `{id}` that a stream could go on from. `from=start` tells all that is kept, `from=now` what \
         happens from now on."
    );
    Refusal::new(404, "no_such_event", message).about(param)
}

/// `GET /cusp/v1/events`
pub async fn stream(mut call: Call) -> Result<Reply, Halt> {
    let Wish { from, filter, version, heartbeat } = wish(&mut call)?;
    let Call { cusp, account, key, id: request, .. } = call;
    let room = cusp.streams.room(account.space)?;
    // First: what is written from now on wakes it.
    let subscription = cusp.app.feed().subscribe(account.space);
    let space = account.space;
    let (after, last) = match from {
        Beginning::Start => (0, START.to_owned()),
        Beginning::After(id, param) => {
            let found = cusp.app.look(move |read| {
                let event = read.event(space, &id)?.ok_or_else(|| no_such_event(id.as_str(), param))?;
                Ok::<_, Halt>((event.sequence, event.id.0))
            });
            found.await?
        }
        Beginning::Now => {
            let page = EventPage { limit: 1, ..EventPage::default() };
            let newest = cusp.app.scan(move |read| Ok::<_, Halt>(read.events(space, &page)?.items.pop())).await?;
            newest.map_or((0, START.to_owned()), |event| (event.sequence, event.id.0))
        }
    };
    let now = Instant::now();
    let telling = Telling {
        cusp,
        account,
        key,
        request: request.0,
        filter,
        version,
        heartbeat,
        subscription,
        after,
        page: VecDeque::new(),
        spoke: now,
        admitted: now,
        // The place where it begins is told without an event, so that a client that loses its connection before the first
        // event does not lose that event.
        opening: Some(format!("retry: {RETRY_MILLIS}\nid: {last}\n\n")),
        _room: room,
    };
    let pieces = stream::unfold(telling, |mut telling| async move {
        let piece = telling.piece().await?;
        Some((Bytes::from(piece), telling))
    });
    let reply = Reply::going_on(StatusCode::OK, Content::Stream(Box::pin(pieces)));
    Ok(reply.with(CONTENT_TYPE, "text/event-stream").with(X_ACCEL_BUFFERING, "no"))
}

/// A stream underway.
struct Telling {
    cusp: Arc<Cusp>,
    account: Arc<Account>,
    key: Arc<ApiKey>,
    request: String,
    filter: Filter,
    version: Option<String>,
    heartbeat: Duration,
    subscription: Subscription,
    /// The place of the last event that was looked at.
    after: i64,
    /// What was looked at and not told yet.
    page: VecDeque<(Event, usize)>,
    /// When something was told, if only a heartbeat.
    spoke: Instant,
    /// When the key was known to be good.
    admitted: Instant,
    opening: Option<String>,
    _room: Room,
}

/// What a look at the store finds.
enum News {
    /// The next events, each with how many webhooks are still to be delivered.
    Events(VecDeque<(Event, usize)>),
    /// Nothing yet.
    Nothing,
    /// The history is another one: it was emptied or put back.
    OtherHistory,
}

impl Telling {
    /// The next piece; `None` when the stream is over.
    async fn piece(&mut self) -> Option<Vec<u8>> {
        let mut piece = self.opening.take().unwrap_or_default().into_bytes();
        loop {
            self.tell_page(&mut piece);
            if !piece.is_empty() {
                self.spoke = Instant::now();
                return Some(piece);
            }
            if !self.is_admitted().await {
                return None;
            }
            match self.look().await {
                Ok(News::Events(page)) => self.page = page,
                Ok(News::Nothing) => {
                    let heartbeat = self.spoke + self.heartbeat;
                    if tokio::time::timeout_at(heartbeat, self.subscription.news()).await.is_err() {
                        piece.extend_from_slice(b": heartbeat\n\n");
                    }
                }
                Ok(News::OtherHistory) => return None,
                Err(failure) => {
                    // The client comes back and goes on where it was.
                    tracing::error!(request = self.request, "an event stream ends: {failure}");
                    return None;
                }
            }
        }
    }

    /// Tells what was looked at, as far as it goes into one piece.
    fn tell_page(&mut self, piece: &mut Vec<u8>) {
        while piece.len() < PIECE_BYTES
            && let Some((event, pending)) = self.page.pop_front()
        {
            let rendered = self.cusp.render.render(&event, &self.account, self.version.as_deref(), pending);
            tell(piece, &event, &rendered);
        }
    }

    async fn look(&mut self) -> Kept<News> {
        let _turn = self.cusp.streams.looks.acquire().await.expect("nobody closes the semaphore");
        let (space, after) = (self.account.space, self.after);
        let look = move |read: &mut dyn Read| {
            let events = read.news(space, after, PAGE)?;
            if events.is_empty() {
                let newest = read.newest(&[space])?;
                return Ok(match newest.first() {
                    Some(newest) if *newest < after => News::OtherHistory,
                    Some(_) | None => News::Nothing,
                });
            }
            let counted = events.into_iter().map(|event| {
                let pending = read.open_deliveries(space, event.sequence)?;
                Ok::<_, Failure>((event, pending))
            });
            Ok(News::Events(counted.collect::<Kept<_>>()?))
        };
        let mut news = self.cusp.app.scan(look).await?;
        if let News::Events(page) = &mut news {
            self.after = page.back().map_or(after, |(event, _)| event.sequence);
            page.retain(|(event, _)| self.filter.lets_pass(event));
        }
        Ok(news)
    }

    /// Whether the key still opens the account for this.
    async fn is_admitted(&mut self) -> bool {
        if self.admitted.elapsed() < ADMIT_EVERY.min(self.heartbeat) {
            return true;
        }
        self.admitted = Instant::now();
        match self.cusp.app.is_open(&self.key).await {
            Ok(key) => key.is_some_and(|key| key.allows(Resource::Event, Access::Read)),
            Err(failure) => {
                tracing::error!(request = self.request, "an event stream ends: {failure}");
                false
            }
        }
    }
}

/// An event as server-sent events are written: on one line, which the JSON can be because its texts have no line feeds.
fn tell(piece: &mut Vec<u8>, event: &Event, rendered: &[u8]) {
    piece.extend_from_slice(format!("id: {}\nevent: {}\ndata: ", event.id, event.what.kind().as_str()).as_bytes());
    for line in rendered.split(|byte| *byte == b'\n') {
        piece.extend_from_slice(line.trim_ascii_start());
    }
    piece.extend_from_slice(b"\n\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_so_many_streams_and_no_more() {
        let streams = Arc::new(Streams::default());
        let mut rooms: Vec<Room> =
            (0..MAX_STREAMS_OF_ACCOUNT).map(|_| streams.room(Space(1)).expect("there is room")).collect();
        let refusal = streams.room(Space(1)).err().expect("the account has no more");
        assert_eq!((refusal.status.as_u16(), refusal.code), (429, "too_many_streams"));
        for account in 2..=(MAX_STREAMS / MAX_STREAMS_OF_ACCOUNT) as i64 {
            rooms.extend((0..MAX_STREAMS_OF_ACCOUNT).map(|_| streams.room(Space(account)).expect("there is room")));
        }
        assert!(streams.room(Space(0)).is_err(), "the server has no more");
        rooms.pop();
        drop(streams.room(Space(0)).expect("there is room again"));
        drop(rooms);
        let open = streams.open.lock();
        assert!(open.all == 0 && open.of_account.is_empty());
    }

    #[test]
    fn types_are_whole_or_begin_so() {
        for (name, kind, is) in [
            ("customer.created", "customer.created", true),
            ("customer.created", "customer.updated", false),
            ("customer", "customer.created", false),
            ("customer.*", "customer.source.created", true),
            ("customer.*", "coupon.created", false),
            ("*", "coupon.created", true),
            ("*.created", "coupon.created", false),
        ] {
            assert_eq!(is_of(name, kind), is, "{name} {kind}");
        }
    }
}
