//! Events: what happened to customers, their addresses and their businesses, oldest first. The documents show a list and no
//! path; the path and the parameters are ours.

use std::sync::Arc;

use super::addresses::{self, ADDRESS};
use super::businesses::{self, BUSINESS};
use super::customer_object::{self, CUSTOMER, moment};
use super::customers::nothing_after;
use super::formats::{ID, SHOWN, TIMESTAMP};
use crate::domain::account::Account;
use crate::domain::event::{Event, EventKind, Happening, Subject};
use crate::domain::facts::Facts;
use crate::domain::ids::EventId;
use crate::domain::page::{Cursor, EventPage, Page, Span};
use crate::engine::events;
use crate::feed::RenderEvent;
use crate::http::json::{Json, Object};
use crate::rest::shape::{Member, member};
use crate::rest::{Answer, Asked, Call, Component, Plan, Refusal, Shape};

/// How many events are told when nobody says.
const DEFAULT_PER_PAGE: i64 = 50;
/// The most events that are counted, and so the farthest that pages go without `after`.
pub const MAX_COUNTED: i64 = 10_000;

/// The kinds that are told.
const TYPES: [&str; 7] = [
    "customer.created",
    "customer.updated",
    "customer.deleted",
    "address.created",
    "address.updated",
    "business.created",
    "business.updated",
];

/// An event as it is shown.
pub static EVENT: Component = Component {
    name: "Event",
    doc: "Something that happened.",
    shape: Shape::Object(&[
        member("event_id", SHOWN).needed().example("evt_01h3vjs3b16yc3f9q8q9pfrb81"),
        member("event_type", Shape::Word(&TYPES)).needed().example("customer.updated"),
        member("occurred_at", TIMESTAMP).needed().example("2024-09-02T12:00:00.000Z"),
        member("data", Shape::AnyOf(&[&CUSTOMER, &ADDRESS, &BUSINESS]))
            .needed()
            .doc("What it happened to, as it was then."),
    ]),
};

/// A page of events.
pub static PAGE: Component = Component {
    name: "EventList",
    doc: "What happened, oldest first.",
    shape: Shape::Object(&[
        member("events", Shape::List(&Shape::Component(&EVENT), 0, usize::MAX)).needed(),
        member("pagination", Shape::Object(PAGINATION)).needed(),
    ]),
};

const PAGINATION: &[Member] = &[
    member("total", Shape::Whole(0, MAX_COUNTED))
        .needed()
        .doc("How many events there are behind `after`; no more are counted than 10000.")
        .example("1"),
    member("per_page", Shape::Whole(1, 200)).needed().example("50"),
    member("page", Shape::Whole(1, MAX_COUNTED)).needed().example("1"),
    member("pages", Shape::Whole(0, MAX_COUNTED)).needed().example("1"),
];

/// The parameters of a list.
pub const LIST: &[Member] = &[
    member("event_type", Shape::List(&Shape::Word(&TYPES), 1, TYPES.len())).doc("Only events of these types."),
    member("after", ID).doc("Begin behind the event of that id."),
    member("per_page", Shape::Whole(1, 200)).doc("How many events at most.").example("50"),
    member("page", Shape::Whole(1, MAX_COUNTED)).doc("Which page, from 1.").example("1"),
];

/// `GET /api/v1/events`
pub fn list(_: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let query = &mut asked.query;
    let names = query.get::<Vec<String>>("event_type");
    let named = |name: &str| names.as_ref().is_none_or(|names| names.iter().any(|wanted| wanted == name));
    let kinds = TYPES.into_iter().filter(|name| named(name)).filter_map(EventKind::named).collect::<Vec<_>>();
    let after = query.get::<String>("after").map(EventId);
    let per_page = query.get("per_page").unwrap_or(DEFAULT_PER_PAGE);
    let page = query.get("page").unwrap_or(1i64);
    let first = (page - 1).saturating_mul(per_page);
    Ok(Plan::scan(move |call, read| {
        let sequence = match &after {
            None => 0,
            Some(id) => match read.event(call.account.space, id)?.filter(is_told) {
                Some(event) => event.sequence,
                None => return Err(nothing_after("is the id of no event").into()),
            },
        };
        let places = read.event_places(call.account.space, sequence, &kinds, MAX_COUNTED as usize)?;
        let before = usize::try_from(first).unwrap_or(usize::MAX);
        let from = before.checked_sub(1).map_or(Some(sequence), |last| places.get(last).copied());
        let told = match from {
            Some(from) if before < places.len() => {
                let limit = (places.len() - before).min(per_page as usize);
                let cursor = Cursor::NewerThan(from);
                let (created, kinds) = (Span::default(), Some(kinds.clone()));
                let wanted = EventPage { created, kinds, delivered: None, cursor, limit };
                // Pages are told newest first.
                let Page { items, .. } = events::list(read, &call.account, &wanted)?;
                items.iter().rev().map(|event| object(event, call.lenient).into()).collect()
            }
            Some(_) | None => Vec::new(),
        };
        let total = places.len() as i64;
        let pagination = Object::new()
            .and("total", total)
            .and("per_page", per_page)
            .and("page", page)
            .and("pages", (total + per_page - 1) / per_page);
        Ok(Answer::ok(Object::new().and("events", told).and("pagination", pagination)))
    }))
}

/// Events for others to pass on, in Jani's words: those that no other API has words for.
pub struct Teller;

impl RenderEvent for Teller {
    fn tells(&self, kind: EventKind) -> bool {
        matches!(kind, EventKind::Change(Subject::CustomerAddress | Subject::Business, _))
    }

    fn knows(&self, _: &str) -> bool {
        false
    }

    fn render(&self, event: &Event, _: &Account, _: Option<&str>, _: usize) -> Vec<u8> {
        Json::from(object(event, false)).to_bytes()
    }
}

fn is_told(event: &Event) -> bool {
    TYPES.contains(&event.what.kind().as_str())
}

fn object(event: &Event, lenient: bool) -> Object {
    Object::new()
        .and("event_id", event.id.as_str().to_owned())
        .and("event_type", event.what.kind().as_str())
        .and("occurred_at", moment(event.created))
        .and("data", data(&event.what, lenient))
}

/// What it happened to: as it was made or changed, or of what is gone the last state. Nothing of what is not told.
fn data(what: &Happening, lenient: bool) -> Json {
    match what {
        Happening::CustomerCreated { after: customer, .. }
        | Happening::CustomerUpdated { after: customer, .. }
        | Happening::CustomerDeleted { before: customer, .. } => customer_object::customer(customer, lenient).into(),
        Happening::Object { change, .. } => match change.state() {
            Facts::CustomerAddress(address) => addresses::object(address).into(),
            Facts::Business(business) => businesses::object(business).into(),
            _ => Json::Null,
        },
        Happening::Holding { .. }
        | Happening::Setup { .. }
        | Happening::SourceSettled { .. }
        | Happening::CashArrived { .. } => Json::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::{EventKind, TYPES};

    #[test]
    fn every_type_is_a_kind_that_happens() {
        assert!(TYPES.into_iter().all(|name| EventKind::named(name).is_some_and(|kind| kind.as_str() == name)));
    }
}
