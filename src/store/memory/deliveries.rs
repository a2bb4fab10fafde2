//! Deliveries to webhook endpoints, and the queues that they wait in.

use std::ops::Bound;
use std::sync::Arc;

use super::records::{Map, Name, Set, World, name};
use crate::domain::account::Space;
use crate::domain::delivery::{Delivery, DeliveryPage, DeliveryState, Queue};
use crate::domain::ids::DeliveryId;
use crate::domain::page::Page;
use crate::domain::time::Time;

/// Deliveries and queues of one account.
#[derive(Clone, Default)]
pub(super) struct Deliveries {
    all: Map<Name, Arc<Delivery>>,
    /// By the places of their events.
    of_events: Set<(i64, Name)>,
    /// By their endpoints, then by the places of their events.
    of_endpoints: Set<(Name, i64, Name)>,
    /// What is to be sent, by endpoint and moment.
    due: Set<(Name, Time, i64, Name)>,
    /// What is not to be sent, by age.
    spent: Set<(Time, Name)>,
    queues: Map<Name, Arc<Queue>>,
}

impl Deliveries {
    pub fn is_empty(&self) -> bool {
        self.all.is_empty() && self.queues.is_empty()
    }

    /// What a copy has of them: nothing is waiting in it. Two would send it otherwise, or one twice.
    pub fn copied(&self) -> Deliveries {
        let mut copied = self.clone();
        let waiting = self.all.values().filter(|delivery| delivery.state == DeliveryState::Pending);
        for delivery in waiting {
            copied.remove(delivery);
        }
        for (endpoint, queue) in self.queues.iter() {
            copied.queues.insert_mut(Arc::clone(endpoint), Arc::new(Queue::new(queue.endpoint.clone())));
        }
        copied
    }

    pub fn get(&self, id: &str) -> Option<&Arc<Delivery>> {
        self.all.get(id)
    }

    /// Makes or replaces a delivery. One that is due pulls its endpoint's queue along.
    pub fn put(&mut self, delivery: &Delivery) {
        if let Some(before) = self.all.get(delivery.id.as_str()).cloned() {
            self.remove(&before);
        }
        let (id, endpoint) = (name(delivery.id.as_str()), name(delivery.endpoint.as_str()));
        self.of_events.insert_mut((delivery.sequence, Arc::clone(&id)));
        self.of_endpoints.insert_mut((Arc::clone(&endpoint), delivery.sequence, Arc::clone(&id)));
        match delivery.due {
            None => self.spent.insert_mut((delivery.created, Arc::clone(&id))),
            Some(due) => {
                self.due.insert_mut((Arc::clone(&endpoint), due, delivery.sequence, Arc::clone(&id)));
                self.call(&endpoint, due);
            }
        }
        self.all.insert_mut(id, Arc::new(delivery.clone()));
    }

    fn call(&mut self, endpoint: &str, due: Time) {
        if let Some(queue) = self.queues.get_mut(endpoint)
            && queue.due.is_none_or(|known| known > due)
        {
            Arc::make_mut(queue).due = Some(due);
        }
    }

    fn remove(&mut self, delivery: &Delivery) {
        let (id, endpoint) = (name(delivery.id.as_str()), name(delivery.endpoint.as_str()));
        self.of_events.remove_mut(&(delivery.sequence, Arc::clone(&id)));
        self.of_endpoints.remove_mut(&(Arc::clone(&endpoint), delivery.sequence, Arc::clone(&id)));
        match delivery.due {
            None => self.spent.remove_mut(&(delivery.created, Arc::clone(&id))),
            Some(due) => self.due.remove_mut(&(endpoint, due, delivery.sequence, Arc::clone(&id))),
        };
        self.all.remove_mut(&id);
    }

    /// Forgets a delivery that is not to be sent.
    pub fn forget(&mut self, id: &DeliveryId) {
        if let Some(spent) = self.all.get(id.as_str()).filter(|delivery| delivery.due.is_none()).cloned() {
            self.remove(&spent);
        }
    }

    /// A page of deliveries, newest event first.
    pub fn page(&self, page: &DeliveryPage) -> Page<Delivery> {
        let DeliveryPage { endpoint, event, state, after, limit } = page;
        let (place, id) = after.as_ref().map_or((i64::MAX, "\u{10ffff}"), |(event, id)| (*event, id.as_str()));
        let below = (place, name(id));
        let mut ids: Box<dyn Iterator<Item = &Name> + '_> = match (endpoint, event) {
            (_, Some(event)) => {
                let bounds = (Bound::Included((*event, name(""))), Bound::Included((*event, name("\u{10ffff}"))));
                let of_event = self.of_events.range::<(i64, Name), _>(bounds).rev();
                Box::new(of_event.filter(move |spot| **spot < below).map(|(_, id)| id))
            }
            (Some(endpoint), None) => {
                let endpoint = name(endpoint.as_str());
                let first = Bound::Included((Arc::clone(&endpoint), i64::MIN, name("")));
                let bounds = (first, Bound::Excluded((endpoint, below.0, below.1)));
                Box::new(self.of_endpoints.range::<(Name, i64, Name), _>(bounds).rev().map(|(_, _, id)| id))
            }
            (None, None) => {
                let bounds = (Bound::Unbounded, Bound::Excluded(below));
                Box::new(self.of_events.range::<(i64, Name), _>(bounds).rev().map(|(_, id)| id))
            }
        };
        let wanted = |delivery: &&Arc<Delivery>| {
            endpoint.as_ref().is_none_or(|endpoint| delivery.endpoint == *endpoint)
                && state.is_none_or(|state| delivery.state == state)
        };
        let mut found = ids.by_ref().filter_map(|id| self.all.get(id)).filter(wanted);
        let items = found.by_ref().take(*limit).map(|delivery| Delivery::clone(delivery)).collect();
        Page { items, has_more: found.next().is_some() }
    }

    fn of_event(&self, event: i64) -> impl Iterator<Item = &Arc<Delivery>> {
        let bounds = (event, name(""))..=(event, name("\u{10ffff}"));
        self.of_events.range::<(i64, Name), _>(bounds).filter_map(|(_, id)| self.all.get(id))
    }

    /// How many deliveries of an event are still to succeed.
    pub fn open(&self, event: i64) -> usize {
        self.of_event(event).filter(|delivery| delivery.is_open()).count()
    }

    /// Whether every delivery of an event has succeeded.
    pub fn all_succeeded(&self, event: i64) -> bool {
        self.of_event(event).all(|delivery| delivery.state == DeliveryState::Succeeded)
    }

    /// What is to be sent to an endpoint, in the order in which it became due.
    pub fn due(&self, endpoint: &str, now: Time, most: usize) -> Vec<Delivery> {
        let endpoint = name(endpoint);
        let first = (Arc::clone(&endpoint), Time(i64::MIN), i64::MIN, name(""));
        let last = (endpoint, now, i64::MAX, name("\u{10ffff}"));
        let due = self.due.range::<(Name, Time, i64, Name), _>(first..=last).take(most);
        due.filter_map(|(.., id)| self.all.get(id)).map(|delivery| Delivery::clone(delivery)).collect()
    }

    pub fn queue(&self, endpoint: &str) -> Option<&Arc<Queue>> {
        self.queues.get(endpoint)
    }

    /// Makes or replaces a queue.
    pub fn put_queue(&mut self, queue: &Queue) {
        self.queues.insert_mut(name(queue.endpoint.as_str()), Arc::new(queue.clone()));
    }

    /// When something in a queue is due first.
    pub fn first_call(&self) -> Option<Time> {
        self.queues.values().filter_map(|queue| queue.due).min()
    }

    /// What is not to be sent and was made before that moment.
    pub fn spent(&self, before: Time) -> impl Iterator<Item = &(Time, Name)> {
        self.spent.iter().take_while(move |(created, _)| *created < before)
    }
}

/// Queues of all accounts in which something is due and which no other server works on.
pub(super) fn queues_due(world: &World, server: &str, now: Time, most: usize) -> Vec<(Space, Queue)> {
    let mut due: Vec<(Space, Queue)> = Vec::new();
    for space in world.called(now) {
        let queues = world.records(space).into_iter().flat_map(|records| records.holdings.deliveries.queues.values());
        let called = queues.filter(|queue| queue.due.is_some_and(|due| due <= now) && queue.is_free_for(server, now));
        due.extend(called.map(|queue| (space, Queue::clone(queue))));
    }
    due.sort_by_key(|(_, queue)| queue.due);
    due.truncate(most);
    due
}

/// Deliveries of all accounts that were made before that moment and are not to be sent.
pub(super) fn old(world: &World, before: Time, most: usize) -> Vec<(Space, DeliveryId)> {
    let mut old: Vec<(Time, Space, &Name)> = Vec::new();
    for (space, records) in world.every() {
        let spent = records.holdings.deliveries.spent(before).take(most);
        old.extend(spent.map(|(created, id)| (*created, space, id)));
    }
    old.sort_by_key(|(created, ..)| *created);
    old.truncate(most);
    old.into_iter().map(|(_, space, id)| (space, DeliveryId(id.to_string()))).collect()
}
