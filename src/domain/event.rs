//! What happened to a record. Events are the history: one row per change, in commit order, with before and after.

use super::customer::Customer;
use super::ids::{EventId, RequestId};
use super::time::Time;

/// A change of a record, with what it needs to be told in any dialect.
#[derive(Clone, Debug, PartialEq)]
pub enum Happening {
    /// A customer came into being.
    CustomerCreated {
        /// As it was made.
        after: Box<Customer>,
    },
    /// A customer changed.
    CustomerUpdated {
        /// As it was.
        before: Box<Customer>,
        /// As it is.
        after: Box<Customer>,
    },
    /// A customer was deleted.
    CustomerDeleted {
        /// Its last full state.
        before: Box<Customer>,
    },
}

/// The kinds of happening, as lists filter by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// See [`Happening::CustomerCreated`].
    CustomerCreated,
    /// See [`Happening::CustomerUpdated`].
    CustomerUpdated,
    /// See [`Happening::CustomerDeleted`].
    CustomerDeleted,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [EventKind; 3] =
        [EventKind::CustomerCreated, EventKind::CustomerUpdated, EventKind::CustomerDeleted];

    /// The kind's dotted name, which is also how it is kept.
    pub fn as_str(self) -> &'static str {
        match self {
            EventKind::CustomerCreated => "customer.created",
            EventKind::CustomerUpdated => "customer.updated",
            EventKind::CustomerDeleted => "customer.deleted",
        }
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<EventKind> {
        EventKind::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl Happening {
    /// Its kind.
    pub fn kind(&self) -> EventKind {
        match self {
            Happening::CustomerCreated { .. } => EventKind::CustomerCreated,
            Happening::CustomerUpdated { .. } => EventKind::CustomerUpdated,
            Happening::CustomerDeleted { .. } => EventKind::CustomerDeleted,
        }
    }

    /// The id of the record that changed.
    pub fn object(&self) -> &str {
        match self {
            Happening::CustomerCreated { after } | Happening::CustomerUpdated { after, .. } => after.id.as_str(),
            Happening::CustomerDeleted { before } => before.id.as_str(),
        }
    }
}

/// Which request made it happen; empty when a process of ours did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cause {
    /// The request's id.
    pub request: Option<RequestId>,
    /// The idempotency key that came with it.
    pub idempotency_key: Option<String>,
}

/// A happening on the record.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its place in the account's history: 1, 2, 3, …
    pub sequence: i64,
    /// Its id.
    pub id: EventId,
    /// When it was committed.
    pub created: Time,
    /// What asked for it.
    pub cause: Cause,
    /// What happened.
    pub what: Happening,
}
