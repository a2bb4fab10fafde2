//! Pages and searches: walks along an index.

use std::collections::BTreeSet;
use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

use super::records::{Holdings, Map, Name, Set, name};
use crate::domain::balance::BalanceTransaction;
use crate::domain::customer::Customer;
use crate::domain::event::{Event, EventKind};
use crate::domain::ids::CustomerId;
use crate::domain::object::{List, Object};
use crate::domain::page::{BalancePage, Cursor, CustomerPage, EventPage, ObjectPage, Page, Place};
use crate::domain::query::Query;
use crate::domain::term::{Mark, Term};
use crate::domain::time::Time;
use crate::store::MAX_SHORT_LIST;
use crate::store::walk::{Collector, Stretch, Way, span_of};

/// Where a record is in a list: when it was made, then its id.
type Spot = (Time, Name);

/// The edges of a walk, neither of which belongs to it.
struct Edges {
    above: Spot,
    below: Spot,
}

impl Edges {
    fn of(Stretch { above, below }: &Stretch) -> Edges {
        let spot = |place: &Place| (place.created, name(&place.id));
        Edges { above: spot(above), below: spot(below) }
    }

    /// The bounds of a range of spots with something before each; none when nothing can be between.
    fn with<K: Ord>(&self, make: impl Fn(Spot) -> K) -> Option<(Bound<K>, Bound<K>)> {
        let (above, below) = (make(self.above.clone()), make(self.below.clone()));
        (above < below).then_some((Bound::Excluded(above), Bound::Excluded(below)))
    }
}

/// Keys of a set between bounds, in the order of the walk.
fn along<'s, K: Ord + 's>(set: &'s Set<K>, bounds: Option<(Bound<K>, Bound<K>)>, way: Way) -> Keys<'s, K> {
    let Some(bounds) = bounds else { return Box::new(std::iter::empty()) };
    match way {
        Way::NewestFirst => Box::new(set.range::<K, _>(bounds).rev()),
        Way::OldestFirst => Box::new(set.range::<K, _>(bounds)),
    }
}

type Keys<'s, K> = Box<dyn Iterator<Item = &'s K> + 's>;

/// Entries of a map between bounds, in the order of the walk.
fn entries<'s, K: Ord + 's, V: 's>(
    map: &'s Map<K, V>,
    bounds: Option<(Bound<K>, Bound<K>)>,
    way: Way,
) -> Box<dyn Iterator<Item = (&'s K, &'s V)> + 's> {
    let Some(bounds) = bounds else { return Box::new(std::iter::empty()) };
    match way {
        Way::NewestFirst => Box::new(map.range::<K, _>(bounds).rev()),
        Way::OldestFirst => Box::new(map.range::<K, _>(bounds)),
    }
}

impl Holdings {
    /// A page of live customers.
    pub fn page_of_customers(&self, page: &CustomerPage) -> Page<Customer> {
        let (stretch, way) = Stretch::of(&page.created, &page.cursor);
        let mut found = Collector::new(page.limit);
        let mut take = |customer: &Customer| found.take(customer.clone());
        match &page.email {
            None => self.walk_live(&stretch, way, take),
            Some(email) => self.walk_terms(&[Term::Email(email).digest()], &stretch, way, |customer| {
                // The index folds case and holds digests; a list wants exactly this address.
                if customer.email.as_ref() == Some(email) { take(customer) } else { ControlFlow::Continue(()) }
            }),
        }
        found.page(way)
    }

    /// Live customers that answer the query.
    pub fn search(&self, query: &Query, after: Option<&Place>, limit: usize) -> Page<Customer> {
        let mut found = Collector::new(limit);
        self.answers(query, after, |customer| found.take(customer.clone()));
        found.page(Way::NewestFirst)
    }

    /// How many live customers answer the query; counting stops at `most`.
    pub fn count(&self, query: &Query, most: usize) -> usize {
        let mut counted = 0;
        if most > 0 {
            self.answers(query, None, |_| {
                counted += 1;
                if counted == most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
        }
        counted
    }

    /// The customer that has the mark.
    pub fn marked(&self, mark: &Mark) -> Option<CustomerId> {
        let term = mark.digest();
        let (first, last) = ((term, Time(i64::MIN), name("")), (term, Time(i64::MAX), name("\u{10ffff}")));
        let mut candidates = self.terms.range::<(i64, Time, Name), _>(first..=last);
        let marked = candidates.find_map(|(_, _, id)| self.customers.get(id).filter(|customer| customer.has(mark)));
        marked.map(|customer| customer.id.clone())
    }

    /// Every live customer that answers the query, newest first, behind `after`.
    fn answers(&self, query: &Query, after: Option<&Place>, mut visit: impl FnMut(&Customer) -> ControlFlow<()>) {
        let cursor = after.cloned().map_or(Cursor::Newest, Cursor::OlderThan);
        let (stretch, way) = Stretch::of(&span_of(query), &cursor);
        let visit = |customer: &Customer| {
            if query.matches(customer) { visit(customer) } else { ControlFlow::Continue(()) }
        };
        match query.narrowing_terms() {
            Some(terms) => self.walk_terms(&terms, &stretch, way, visit),
            None => self.walk_live(&stretch, way, visit),
        }
    }

    fn walk_live(&self, stretch: &Stretch, way: Way, mut visit: impl FnMut(&Customer) -> ControlFlow<()>) {
        let bounds = Edges::of(stretch).with(|spot| spot);
        for (_, id) in along(&self.live, bounds, way) {
            if self.customers.get(id).is_some_and(|customer| visit(customer).is_break()) {
                return;
            }
        }
    }

    /// Walks the live customers that have at least one of the terms, each once.
    fn walk_terms(
        &self,
        terms: &[i64],
        stretch: &Stretch,
        way: Way,
        mut visit: impl FnMut(&Customer) -> ControlFlow<()>,
    ) {
        let edges = Edges::of(stretch);
        let walk = |term: &i64| {
            let bounds = edges.with(|(created, id)| (*term, created, id));
            along(&self.terms, bounds, way).map(|(_, created, id)| (*created, Arc::clone(id)))
        };
        let mut walks: Vec<_> = terms.iter().map(walk).collect();
        // Where each walk stands; the same customer may be met by several.
        let mut heads: BTreeSet<(Spot, usize)> = BTreeSet::new();
        for (place, walk) in walks.iter_mut().enumerate() {
            heads.extend(walk.next().map(|spot| (spot, place)));
        }
        let mut last = None;
        while let Some((spot, place)) = match way {
            Way::NewestFirst => heads.pop_last(),
            Way::OldestFirst => heads.pop_first(),
        } {
            heads.extend(walks[place].next().map(|next| (next, place)));
            if last.as_ref() == Some(&spot) {
                continue;
            }
            let live = self.customers.get(&spot.1).filter(|customer| customer.deleted.is_none());
            if live.is_some_and(|customer| visit(customer).is_break()) {
                return;
            }
            last = Some(spot);
        }
    }

    /// A page of a customer's balance transactions.
    pub fn page_of_ledger(&self, page: &BalancePage) -> Page<BalanceTransaction> {
        let (stretch, way) = Stretch::of(&page.created, &page.cursor);
        let customer = name(page.customer.as_str());
        let bounds = Edges::of(&stretch).with(|(created, id)| (Arc::clone(&customer), created, id));
        let mut found = Collector::new(page.limit);
        for (_, _, id) in along(&self.ledgers, bounds, way) {
            let transaction = self.balance_transactions.get(id);
            if transaction.is_some_and(|transaction| found.take(transaction.as_ref().clone()).is_break()) {
                break;
            }
        }
        found.page(way)
    }

    /// A page of events.
    pub fn page_of_events(&self, page: &EventPage) -> Page<Event> {
        let (above, below, way) = match page.cursor {
            Cursor::Newest => (i64::MIN, i64::MAX, Way::NewestFirst),
            Cursor::OlderThan(sequence) => (i64::MIN, sequence, Way::NewestFirst),
            Cursor::NewerThan(sequence) => (sequence, i64::MAX, Way::OldestFirst),
        };
        let bounds = (above < below).then_some((Bound::Excluded(above), Bound::Excluded(below)));
        let mut found = Collector::new(page.limit);
        for (_, event) in entries(&self.events, bounds, way) {
            let wanted = page.created.holds(event.created)
                && page.kinds.as_ref().is_none_or(|kinds| kinds.contains(&event.what.kind()))
                && page.delivered.is_none_or(|wanted| self.deliveries.all_succeeded(event.sequence) == wanted);
            if wanted && found.take(event.as_ref().clone()).is_break() {
                break;
            }
        }
        found.page(way)
    }

    /// The places of the events of those kinds behind a place, oldest first, at most so many.
    pub fn event_places(&self, after: i64, kinds: &[EventKind], most: usize) -> Vec<i64> {
        let behind = self.events.range((Bound::Excluded(after), Bound::Unbounded));
        let wanted = behind.filter(|(_, event)| kinds.contains(&event.what.kind()));
        wanted.map(|(place, _)| *place).take(most).collect()
    }

    /// The objects on a list that is known to be short.
    pub fn short_list(&self, list: List) -> Vec<Object> {
        let page = ObjectPage { list, created: Default::default(), cursor: Default::default(), limit: MAX_SHORT_LIST };
        self.page_of_objects(&page).items
    }

    /// A page of a list of objects.
    pub fn page_of_objects(&self, page: &ObjectPage) -> Page<Object> {
        let (stretch, way) = Stretch::of(&page.created, &page.cursor);
        let bounds = Edges::of(&stretch).with(|(created, id)| (page.list, created, id));
        let mut found = Collector::new(page.limit);
        for ((_, _, id), kind) in entries(&self.lists, bounds, way) {
            let object = self.objects.get(&(*kind, Arc::clone(id)));
            if object.is_some_and(|object| found.take(object.as_ref().clone()).is_break()) {
                break;
            }
        }
        found.page(way)
    }
}
