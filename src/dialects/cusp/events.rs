//! `GET /cusp/v1/events`: what happens in an account, as it happens, as server-sent events
//! (html.spec.whatwg.org/multipage/server-sent-events.html). A stream goes on from any event that is still kept, without a
//! gap and without repeating one. It holds one page at a time, and looks for the next when its client has taken it.

pub mod streams;
mod telling;

use std::ops::RangeInclusive;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderName};

use self::streams::Room;
use self::telling::{Beginning, Telling};
use super::Call;
use super::failure::{Halt, Refusal, shortened};
use super::input::Given;
use crate::domain::event::{Event, EventKind};
use crate::domain::ids::EventId;
use crate::domain::page::EventPage;
use crate::http::Reply;
use crate::http::content::Content;

/// How long a stream says nothing, in seconds: when it is not told, and how it may be told.
const HEARTBEAT_SECONDS: i64 = 15;
const HEARTBEAT_BOUNDS: RangeInclusive<i64> = 1..=60;
/// How soon a client comes back that lost its connection.
const RETRY_MILLIS: u32 = 1_000;
/// The id of the place before the first event.
const START: &str = "start";

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Tells nginx and those who learnt from it to pass on what they get.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Which events a stream tells.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Filter {
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
enum Place {
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
    from: Place,
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
fn from(given: &mut Given, header: Option<String>) -> Result<Place, Refusal> {
    let begins = given.one_of("from", &BEGINNINGS, |word| word)?;
    let last = given.text("last_event_id")?;
    if begins.is_some() && last.is_some() {
        return Err(given.refuse("last_event_id", "exclusive", "it cannot be given together with `from`."));
    }
    let after = header.map(|id| (id, "Last-Event-ID")).or(last.map(|id| (id, "last_event_id")));
    Ok(match (after, begins) {
        (Some((id, _)), _) if id == START => Place::Start,
        (Some((id, param)), _) => Place::After(EventId(id), param),
        (None, Some(START)) => Place::Start,
        (None, _) => Place::Now,
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
    let room = Room::take(&cusp, account.space)?;
    // First: what is written from now on wakes it.
    let subscription = cusp.app.feed().subscribe(account.space);
    let space = account.space;
    let (after, last) = match from {
        Place::Start => (0, START.to_owned()),
        Place::After(id, param) => {
            let found = cusp.app.look(move |read| {
                let event = read.event(space, &id)?.ok_or_else(|| no_such_event(id.as_str(), param))?;
                Ok::<_, Halt>((event.sequence, event.id.0))
            });
            found.await?
        }
        Place::Now => {
            let page = EventPage { limit: 1, ..EventPage::default() };
            let newest = cusp.app.scan(move |read| Ok::<_, Halt>(read.events(space, &page)?.items.pop())).await?;
            newest.map_or((0, START.to_owned()), |event| (event.sequence, event.id.0))
        }
    };
    let request = request.0;
    let beginning =
        Beginning { cusp, account, key, request, filter, version, heartbeat, subscription, room, after, last };
    let pieces = stream::unfold(Telling::new(beginning), |mut telling| async move {
        let piece = telling.piece().await?;
        Some((Bytes::from(piece), telling))
    });
    let reply = Reply::going_on(StatusCode::OK, Content::Stream(Box::pin(pieces)));
    Ok(reply.with(CONTENT_TYPE, "text/event-stream").with(X_ACCEL_BUFFERING, "no"))
}

#[cfg(test)]
mod tests {
    use super::*;

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
