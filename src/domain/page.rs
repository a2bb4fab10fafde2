//! Pages of a list: newest first, with a cursor that neither skips nor repeats.

use super::event::EventKind;
use super::ids::CustomerId;
use super::object::List;
use super::time::Time;

/// The most that one page may hold.
pub const MAX_LIMIT: usize = 100;

/// A half-open range of moments: at or after `from`, before `until`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// At or after.
    pub from: Option<Time>,
    /// Strictly before.
    pub until: Option<Time>,
}

impl Span {
    /// Whether the moment lies in the range.
    pub fn holds(&self, moment: Time) -> bool {
        self.from.is_none_or(|from| moment >= from) && self.until.is_none_or(|until| moment < until)
    }
}

/// Where a page begins, relative to an item that the caller has seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Cursor<K> {
    /// At the newest item.
    #[default]
    Newest,
    /// Behind the item: only older ones.
    OlderThan(K),
    /// Before the item: only newer ones, the nearest of them.
    NewerThan(K),
}

/// The place of a record in lists: when it was made, then its id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// When it was made.
    pub created: Time,
    /// Its id.
    pub id: String,
}

/// Which customers to list. Deleted ones are never listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomerPage {
    /// Made within.
    pub created: Span,
    /// With exactly this e-mail address, case and all.
    pub email: Option<String>,
    /// Where to begin.
    pub cursor: Cursor<Place>,
    /// How many at most.
    pub limit: usize,
}

/// Which balance transactions of a customer to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalancePage {
    /// Whose.
    pub customer: CustomerId,
    /// Made within.
    pub created: Span,
    /// Where to begin.
    pub cursor: Cursor<Place>,
    /// How many at most.
    pub limit: usize,
}

/// Which objects of a list to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectPage {
    /// The list.
    pub list: List,
    /// Made within.
    pub created: Span,
    /// Where to begin.
    pub cursor: Cursor<Place>,
    /// How many at most.
    pub limit: usize,
}

/// Which events to list. Places of events are their sequence numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventPage {
    /// Happened within.
    pub created: Span,
    /// Of these kinds; `None` for all.
    pub kinds: Option<Vec<EventKind>>,
    /// Of which every delivery has succeeded, or not; `None` for all.
    pub delivered: Option<bool>,
    /// Where to begin.
    pub cursor: Cursor<i64>,
    /// How many at most.
    pub limit: usize,
}

/// One page: its items newest first, and whether there are more in the direction of paging.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// Newest first.
    pub items: Vec<T>,
    /// Whether the list goes on.
    pub has_more: bool,
}
