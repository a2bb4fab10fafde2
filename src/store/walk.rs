//! Walks over places, newest first or oldest first, until a page is full: what is the same in every store. Cursors are
//! places, not counts, so nothing is skipped or repeated when records come and go between two pages.

use std::ops::ControlFlow;

use crate::domain::page::{Cursor, Page, Place, Span};
use crate::domain::query::{Comparison, Join, Query, Test};
use crate::domain::time::Time;

/// Which way a walk goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the newest to older ones.
    NewestFirst,
    /// From the oldest to newer ones.
    OldestFirst,
}

/// The places strictly between two others. Ids are never empty, so the place with an empty id comes before every
/// record of its moment.
#[derive(Clone)]
pub struct Stretch {
    /// Only places after this one.
    pub above: Place,
    /// Only places before this one.
    pub below: Place,
}

impl Stretch {
    /// What a page looks at, and the way it goes.
    pub fn of(span: &Span, cursor: &Cursor<Place>) -> (Stretch, Way) {
        let edge = |moment: Time| Place { created: moment, id: String::new() };
        let mut stretch = Stretch {
            above: edge(span.from.unwrap_or(Time(i64::MIN))),
            below: span.until.map_or(Place { created: Time(i64::MAX), id: "\u{10ffff}".into() }, edge),
        };
        match cursor {
            Cursor::Newest => (stretch, Way::NewestFirst),
            Cursor::OlderThan(place) => {
                stretch.below = stretch.below.min(place.clone());
                (stretch, Way::NewestFirst)
            }
            Cursor::NewerThan(place) => {
                stretch.above = stretch.above.max(place.clone());
                (stretch, Way::OldestFirst)
            }
        }
    }
}

/// Collects one page and looks one item further, to tell whether the list goes on.
pub struct Collector<T> {
    items: Vec<T>,
    limit: usize,
}

impl<T> Collector<T> {
    /// An empty page of at most `limit` items.
    pub fn new(limit: usize) -> Collector<T> {
        Collector { items: Vec::new(), limit }
    }

    /// Takes the next item of the walk; `Break` when it has seen enough.
    pub fn take(&mut self, item: T) -> ControlFlow<()> {
        self.items.push(item);
        if self.items.len() > self.limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// The page, newest first.
    pub fn page(mut self, way: Way) -> Page<T> {
        let has_more = self.items.len() > self.limit;
        self.items.truncate(self.limit);
        if way == Way::OldestFirst {
            self.items.reverse();
        }
        Page { items: self.items, has_more }
    }
}

/// The moments outside of which no customer can answer the query.
pub fn span_of(query: &Query) -> Span {
    let mut span = Span::default();
    if query.join == Join::Any {
        return span;
    }
    for clause in query.clauses.iter().filter(|clause| !clause.negated) {
        let Test::Created(comparison, second) = clause.test else { continue };
        let (start, end) = (Time::from_seconds(second), second.checked_add(1).and_then(Time::from_seconds));
        let (from, until) = match comparison {
            Comparison::Equal => (start, end),
            Comparison::Less => (None, start),
            Comparison::AtMost => (None, end),
            Comparison::Greater => (end, None),
            Comparison::AtLeast => (start, None),
        };
        span.from = span.from.max(from);
        span.until = [span.until, until].into_iter().flatten().min();
    }
    span
}
