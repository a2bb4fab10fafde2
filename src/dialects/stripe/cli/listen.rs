//! `stripe listen`: every event of the account from the session's beginning on, in order, signed; what the CLI says of the
//! answers that it got is kept as deliveries.

use std::future::ready;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use sha2::{Digest as _, Sha256};
use tokio::sync::oneshot;
use tokio::time::interval;

use super::super::events::Teller;
use super::super::versions::NEWEST;
use super::answers::{Response, Said};
use super::line::{Line, Over, PING_EVERY};
use super::sessions::secret;
use super::ticket::{Seal, Ticket, is_same};
use super::window::Window;
use super::{Never, Sessions, broken};
use crate::app::App;
use crate::domain::account::{Account, Space};
use crate::domain::delivery::{self, Attempt, Delivery, DeliveryPage};
use crate::domain::event::{Cause, Event};
use crate::domain::ids::{DeliveryId, EventId, WebhookEndpointId, crockford};
use crate::domain::page::{EventPage, Span};
use crate::domain::time::Time;
use crate::engine::{Stop, deliveries};
use crate::feed::RenderEvent as _;
use crate::http::json::{Json, Object};
use crate::secrets_key::SecretsKey;
use crate::signature;
use crate::store::{Failure, Kept, Read};

/// How long the CLI may take to say that it has something. It says so before it sends it on.
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(30);
/// How far back a session begins that was connected to another server, or before this one was started, and of which no
/// answer tells how far it had come.
const REMEMBERED_MILLIS: i64 = 10 * 60 * 1000;
/// The versions in which each event is told: the account's and the newest. The CLI takes one of them: `--latest` decides.
const MESSAGES_PER_EVENT: usize = 2;
/// What receivers see as the sender's program, as they do of webhooks.
const USER_AGENT: &str = concat!("Cusp/", env!("CARGO_PKG_VERSION"));

/// Tells a session what happens, until it is over, or displaced.
pub async fn attend(
    sessions: &Arc<Sessions>,
    line: &mut Line,
    ticket: &Ticket,
    account: &Arc<Account>,
    displaced: &mut oneshot::Receiver<()>,
) -> Result<Never, Over> {
    let app = &sessions.app;
    // Before the first look, so that nothing is missed between the two.
    let mut news = app.feed().subscribe(account.space);
    let mut again = app.asked_again().listen(account.space);
    let place = match sessions.place(&ticket.name) {
        Some(place) => place,
        None => beginning(app, ticket, account).await.map_err(|failure| broken(&failure))?,
    };
    let key = app.secrets_key().ok_or(Over::Barred)?;
    let secret = secret(key, account.space);
    let window = Window::behind(place);
    let mut listener =
        Listener { app, ticket, account, key, secret: &secret, window, next: place, last: None, sent: 0 };
    let mut every = interval(PING_EVERY);
    let mut is_behind = true;
    loop {
        sessions.has_come(&ticket.name, listener.window.place());
        let has_room = listener.has_room();
        tokio::select! {
            // What the session has is heard before it is told more, so that little is told twice when the line breaks.
            biased;
            _ = &mut *displaced => return Err(listener.last_heard(sessions, line).await),
            _ = every.tick() => {
                if listener.window.waiting(Instant::now()) > ACKNOWLEDGED_WITHIN {
                    return Err(Over::Behind);
                }
                sessions.check(ticket).await?;
                line.ping().await?;
            }
            said = line.hear() => listener.heard(&said?).await?,
            event = again.next(), if has_room => listener.tell_again(line, event).await?,
            () = news.news() => is_behind = true,
            () = ready(()), if is_behind && has_room => is_behind = listener.tell_news(line).await?,
        }
    }
}

/// Where a session begins of which this server does not know how far it has come: behind the last event that an answer is
/// kept of; else at its beginning, or some minutes ago.
async fn beginning(app: &App, ticket: &Ticket, account: &Account) -> Kept<i64> {
    let (space, since) = (account.space, ticket.since);
    let answered =
        DeliveryPage { endpoint: Some(WebhookEndpointId(ticket.name.clone())), limit: 1, ..DeliveryPage::default() };
    let long_ago = app.now().plus_millis(-REMEMBERED_MILLIS);
    app.scan(move |read| {
        let place = match read.deliveries(space, &answered)?.items.first() {
            Some(delivery) => delivery.sequence,
            None => before(read, space, long_ago)?,
        };
        Ok(place.max(since))
    })
    .await
}

/// The place of the last event before that moment.
fn before(read: &mut dyn Read, space: Space, moment: Time) -> Kept<i64> {
    let created = Span { from: None, until: Some(moment) };
    let page = EventPage { created, limit: 1, ..EventPage::default() };
    Ok(read.events(space, &page)?.items.first().map_or(0, |event| event.sequence))
}

/// A session that listens.
struct Listener<'a> {
    app: &'a Arc<App>,
    ticket: &'a Ticket,
    account: &'a Arc<Account>,
    key: &'a SecretsKey,
    secret: &'a str,
    window: Window,
    /// The place of the last event that was sent in its turn.
    next: i64,
    /// That event, as far as it is known. As long as it has its place, the history is the one that was told.
    last: Option<EventId>,
    /// How many messages were sent.
    sent: u64,
}

/// What a look for news has found.
struct News {
    /// The place behind which the session goes on, when the history is another one: it was emptied or put back.
    anew: Option<i64>,
    /// The event at the place that was asked for.
    behind: Option<EventId>,
    told: Vec<Told>,
}

/// An event as the session is told it.
struct Told {
    event: Event,
    /// How many webhooks of it were not delivered yet.
    pending: usize,
}

impl Listener<'_> {
    fn has_room(&self) -> bool {
        self.window.room() >= MESSAGES_PER_EVENT
    }

    /// Tells what has happened, as far as there is room; gives whether there may be more.
    async fn tell_news(&mut self, line: &mut Line) -> Result<bool, Over> {
        let (space, after, last, began) = (self.account.space, self.next, self.last.clone(), self.ticket.began);
        let most = self.window.room() / MESSAGES_PER_EVENT;
        let look = move |read: &mut dyn Read| -> Kept<News> {
            let newest = read.newest(&[space])?.first().copied().unwrap_or(0);
            // From the event at that place on, because the history may be another one by now.
            let mut events = read.news(space, (after - 1).max(0), most + usize::from(after > 0))?;
            let behind = match events.first() {
                Some(first) if first.sequence == after => Some(events.remove(0).id),
                Some(_) | None => None,
            };
            let is_other =
                newest < after || last.as_ref().is_some_and(|last| behind.as_ref().is_some_and(|id| id != last));
            let after = match is_other {
                true => Some(before(read, space, began)?),
                false => None,
            };
            if let Some(after) = after {
                events = read.news(space, after, most)?;
            }
            events.truncate(most);
            let told = events
                .into_iter()
                .map(|event| Ok(Told { pending: read.open_deliveries(space, event.sequence)?, event }));
            Ok(News { anew: after, behind, told: told.collect::<Kept<Vec<Told>>>()? })
        };
        let News { anew, behind, told } = self.app.scan(look).await.map_err(|failure| broken(&failure))?;
        match anew {
            // What is under way is of the history that was: nobody has to say that he has it.
            Some(place) => (self.window, self.next, self.last) = (Window::behind(place), place, None),
            None => self.last = self.last.take().or(behind),
        }
        for told in &told {
            if told.event.what.kind().is_stripes() {
                self.tell(line, told, Some(told.event.sequence)).await?;
            }
            (self.next, self.last) = (told.event.sequence, Some(told.event.id.clone()));
        }
        Ok(told.len() == most)
    }

    /// Tells an event once more.
    async fn tell_again(&mut self, line: &mut Line, id: EventId) -> Result<(), Over> {
        let space = self.account.space;
        let look = move |read: &mut dyn Read| -> Kept<Option<Told>> {
            let Some(event) = read.event(space, &id)? else { return Ok(None) };
            Ok(Some(Told { pending: read.open_deliveries(space, event.sequence)?, event }))
        };
        match self.app.scan(look).await.map_err(|failure| broken(&failure))? {
            Some(told) => self.tell(line, &told, None).await,
            None => Ok(()),
        }
    }

    async fn tell(&mut self, line: &mut Line, told: &Told, place: Option<i64>) -> Result<(), Over> {
        for version in [None, Some(NEWEST)] {
            let now = self.app.now();
            self.sent += 1;
            let conversation = Conversation { place: told.event.sequence, at: now, number: self.sent };
            let conversation = conversation.to_text(&|said| self.seal(said));
            let body = Teller.render(&told.event, self.account, version, told.pending);
            let message = message(&told.event, &conversation, version, body, self.secret, now);
            self.window.sent(conversation, place, Instant::now());
            line.say(message).await?;
        }
        Ok(())
    }

    /// Hears what has come already on a line that is displaced.
    async fn last_heard(&mut self, sessions: &Sessions, line: &mut Line) -> Over {
        while let Some(Ok(said)) = line.hear().now_or_never() {
            if let Err(over) = self.heard(&said).await {
                return over;
            }
            sessions.has_come(&self.ticket.name, self.window.place());
        }
        Over::Displaced
    }

    async fn heard(&mut self, text: &str) -> Result<(), Over> {
        match Said::of(text).ok_or(Over::Unreadable)? {
            Said::Acknowledged(conversation) => self.window.came(&conversation),
            Said::Answered(response) => self.keep(response).await.map_err(|failure| broken(&failure))?,
            Said::Other => {}
        }
        Ok(())
    }

    /// The seal of a conversation of this session.
    fn seal(&self, said: &[u8]) -> [u8; 32] {
        self.key.seal("cli conversation", &[self.ticket.name.as_bytes(), b"\0", said].concat())
    }

    /// Keeps an answer as a delivery of the session. One that is told once more is kept once; one that is about nothing that
    /// was sent to this session is not.
    async fn keep(&self, response: Response) -> Kept<()> {
        let Some(Conversation { place, at, number: _ }) =
            Conversation::of(&response.conversation, &|said| self.seal(said))
        else {
            return Ok(());
        };
        let (space, id) = (self.account.space, EventId(response.event.clone()));
        let event = self.app.look(move |read| -> Kept<Option<Event>> { read.event(space, &id) }).await?;
        let Some(event) = event.filter(|event| event.sequence == place) else { return Ok(()) };
        let url = match (response.url.is_empty(), &self.ticket.forward_to) {
            (true, Some(forward_to)) => forward_to.clone(),
            (true, None) | (false, _) => response.url,
        };
        // The CLI repeats what it was sent, and somebody else might say anything: no time outside of the session is kept.
        let now = self.app.now();
        let at = at.max(self.ticket.began).min(now);
        let took_millis = now.0 - at.0;
        let attempt = Attempt { at, took_millis, url, outcome: response.outcome };
        let id = delivery_id(&self.ticket.name, &response.conversation, &attempt.url);
        let made = Delivery::new(id, WebhookEndpointId(self.ticket.name.clone()), delivery::News::from(&event), at);
        let delivery = made.tried(attempt, None);
        let cause = Cause { request: None, idempotency_key: None };
        let kept = self.app.transact(self.account.clone(), cause, move |tx, ctx| {
            deliveries::told_to_session(tx, ctx, &delivery).map_err(Stop::from)
        });
        match kept.await {
            Ok(()) => Ok(()),
            Err(Stop::Failure(failure)) => Err(failure),
            Err(Stop::Problem(problem)) => Err(Failure::broken("keeping an answer", format!("{problem:?}"))),
        }
    }
}

/// The same for the same answer, however often it is told.
fn delivery_id(session: &str, conversation: &str, url: &str) -> DeliveryId {
    let mut digest = Sha256::new_with_prefix("cusp cli delivery\0");
    for part in [session, conversation, url] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    let digest = digest.finalize();
    let number = u128::from_be_bytes(std::array::from_fn(|place| digest[place]));
    DeliveryId(format!("whd_{}", crockford(number)))
}

/// What a message and what is said of it have in common. Its name tells all of it, so that an answer is understood that
/// comes on another line, or to another server; and it is sealed, so that only what was sent can be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Conversation {
    /// The place of the event.
    place: i64,
    /// When it was sent.
    at: Time,
    /// Its number on its line.
    number: u64,
}

impl Conversation {
    fn to_text(self, seal: Seal<'_>) -> String {
        let Conversation { place, at, number } = self;
        let said = format!("wc_{place}_{}_{number}", at.0);
        let sealed = seal(said.as_bytes());
        format!("{said}_{}", crockford(u128::from_be_bytes(std::array::from_fn(|place| sealed[place]))))
    }

    fn of(text: &str, seal: Seal<'_>) -> Option<Conversation> {
        let mut parts = text.strip_prefix("wc_")?.split('_');
        let (place, at, number) =
            (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let conversation = Conversation { place, at: Time(at), number };
        is_same(conversation.to_text(seal).as_bytes(), text.as_bytes()).then_some(conversation)
    }
}

fn message(
    event: &Event,
    conversation: &str,
    version: Option<&'static str>,
    body: Vec<u8>,
    secret: &str,
    now: Time,
) -> Object {
    let headers = Object::new()
        .and("Accept", "*/*; q=0.5, application/xml")
        .and("Cache-Control", "no-cache")
        .and("Content-Type", "application/json; charset=utf-8")
        .and("Stripe-Signature", signature::header(&[secret], now, &body))
        .and("User-Agent", USER_AGENT);
    let endpoint = Object::new().and("api_version", version.map_or(Json::Null, Json::from)).and("status", "enabled");
    Object::new()
        .and("endpoint", endpoint)
        .and("event_payload", String::from_utf8(body).expect("JSON is UTF-8"))
        .and("http_headers", headers)
        .and("type", "webhook_event")
        .and("webhook_conversation_id", conversation.to_owned())
        .and("webhook_id", event.id.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_is_known_by_its_name() {
        let seal = |said: &[u8]| Sha256::digest(said).into();
        let conversation = Conversation { place: 12, at: Time(1_772_366_400_123), number: 3 };
        let text = conversation.to_text(&seal);
        assert_eq!(Conversation::of(&text, &seal), Some(conversation));
        assert_eq!(Conversation::of(&text, &|_| [1; 32]), None);
        let sealed = text.rsplit_once('_').expect("it has a seal").1;
        let other = format!("wc_12_1772366400123_4_{sealed}");
        for text in ["", "wc_", "wc_1_2", "wc_1_2_3", "wc_1_2_3_4", "wc_1_2_x", "we_1_2_3", &format!("{text}_"), &other]
        {
            assert_eq!(Conversation::of(text, &seal), None, "{text}");
        }
    }

    #[test]
    fn the_same_answer_is_the_same_delivery() {
        let id = |session, conversation, url| delivery_id(session, conversation, url).0;
        let one = id("cliws_1", "wc_1", "http://a");
        assert_eq!(one, id("cliws_1", "wc_1", "http://a"));
        for other in [id("cliws_2", "wc_1", "http://a"), id("cliws_1", "wc_2", "http://a"), id("cliws_1", "wc_1", "b")]
        {
            assert_ne!(one, other);
        }
    }
}
