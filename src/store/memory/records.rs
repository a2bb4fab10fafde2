//! What the accounts hold: ordered maps that share what they have in common with the states before. Changing one leaves
//! every other state as it was.

use std::sync::Arc;

use rpds::{RedBlackTreeMapSync, RedBlackTreeSetSync};

use super::deliveries::Deliveries;
use crate::domain::account::{Account, Space};
use crate::domain::api_key::{ApiKey, KeyDigest};
use crate::domain::balance::BalanceTransaction;
use crate::domain::customer::Customer;
use crate::domain::event::Event;
use crate::domain::object::{List, Object, ObjectKind};
use crate::domain::time::Time;
use crate::domain::webhook::WebhookEndpoint;
use crate::store::{Failure, Kept, KeptReply, NewEvent, endpoints_among};

/// A map that shares.
pub(super) type Map<K, V> = RedBlackTreeMapSync<K, V>;
/// A set that shares.
pub(super) type Set<T> = RedBlackTreeSetSync<T>;
/// An id or a key, shared by the indexes that name it.
pub(super) type Name = Arc<str>;

/// From so many records on, an account counts as large.
const LARGE: usize = 1_000;

/// One state of the whole store.
#[derive(Clone, Default)]
pub(super) struct World {
    spaces: Map<Space, Arc<Records>>,
    /// Accounts in which something is to be sent to a webhook endpoint, by the moment of the first.
    calls: Set<(Time, Space)>,
}

impl World {
    /// What an account holds; `None` when it never held anything.
    pub fn records(&self, space: Space) -> Option<&Arc<Records>> {
        self.spaces.get(&space)
    }

    /// All accounts.
    pub fn every(&self) -> impl Iterator<Item = (Space, &Arc<Records>)> {
        self.spaces.iter().map(|(space, records)| (*space, records))
    }

    /// How many accounts hold something.
    pub fn accounts(&self) -> usize {
        self.spaces.size()
    }

    /// Puts another state of an account in the place of the one it had.
    pub fn put(&mut self, space: Space, records: Arc<Records>) {
        let called = |records: &Arc<Records>| records.holdings.deliveries.first_call();
        let (before, after) = (self.records(space).and_then(called), called(&records));
        if before != after {
            if let Some(due) = before {
                self.calls.remove_mut(&(due, space));
            }
            if let Some(due) = after {
                self.calls.insert_mut((due, space));
            }
        }
        if records.is_empty() {
            self.spaces.remove_mut(&space);
        } else {
            self.spaces.insert_mut(space, records);
        }
    }

    /// Accounts in which something is to be sent at that moment.
    pub fn called(&self, now: Time) -> impl Iterator<Item = Space> {
        self.calls.iter().take_while(move |(due, _)| *due <= now).map(|(_, space)| *space)
    }

    /// Whether both are the very same state.
    pub fn is(&self, other: &World) -> bool {
        self.spaces.ptr_eq(&other.spaces)
    }
}

/// What one account holds.
#[derive(Clone, Default)]
pub(super) struct Records {
    /// Who it is. Neither wiped nor copied.
    pub account: Option<Arc<Account>>,
    /// Its API keys. Neither wiped nor copied.
    pub api_keys: Map<KeyDigest, Arc<ApiKey>>,
    /// The rest.
    pub holdings: Holdings,
}

/// What an account holds beside who it is and who may enter: what a copy takes along.
#[derive(Clone, Default)]
pub(super) struct Holdings {
    /// Deleted ones too.
    pub customers: Map<Name, Arc<Customer>>,
    /// Customers that are not deleted, in the order of lists.
    pub live: Set<(Time, Name)>,
    /// Customers by the digests of their terms.
    pub terms: Set<(i64, Time, Name)>,
    pub balance_transactions: Map<Name, Arc<BalanceTransaction>>,
    /// Balance transactions by their customers, in the order of lists.
    pub ledgers: Set<(Name, Time, Name)>,
    /// By their places; there are no gaps.
    pub events: Map<i64, Arc<Event>>,
    pub event_places: Map<Name, i64>,
    pub replies: Map<Name, Arc<KeptReply>>,
    pub reply_ages: Set<(Time, Name)>,
    pub objects: Map<(ObjectKind, Name), Arc<Object>>,
    /// What is on the lists of objects.
    pub lists: Map<(List, Time, Name), ObjectKind>,
    /// The webhook endpoints among the objects, newest first: each change asks for them.
    pub endpoints: Arc<[WebhookEndpoint]>,
    pub deliveries: Deliveries,
}

impl Records {
    fn is_empty(&self) -> bool {
        let Records { account, api_keys, holdings } = self;
        let Holdings {
            customers,
            live: _,
            terms: _,
            balance_transactions,
            ledgers: _,
            events,
            event_places: _,
            replies,
            reply_ages: _,
            objects,
            lists: _,
            endpoints: _,
            deliveries,
        } = holdings;
        let nothing = [customers.size(), balance_transactions.size(), events.size(), replies.size(), objects.size()];
        account.is_none() && api_keys.is_empty() && nothing == [0; 5] && deliveries.is_empty()
    }
}

impl Holdings {
    /// What a copy has. It shares everything that both go on to hold.
    pub fn copied(&self) -> Holdings {
        Holdings { deliveries: self.deliveries.copied(), ..self.clone() }
    }

    /// Whether it takes a while to let go of it.
    pub fn is_large(&self) -> bool {
        self.customers.size() + self.events.size() + self.objects.size() >= LARGE
    }

    /// Makes a customer.
    pub fn make_customer(&mut self, made: &Customer) -> Kept<()> {
        let id = name(made.id.as_str());
        if self.customers.contains_key(&*id) {
            return Err(Failure::broken("making a customer", format!("there is a customer {id}")));
        }
        self.file(&id, made);
        self.customers.insert_mut(id, Arc::new(made.clone()));
        Ok(())
    }

    /// Replaces a customer and keeps what finds it in step.
    pub fn replace_customer(&mut self, after: &Customer) -> Kept<()> {
        let Some((id, before)) = self.customers.get_key_value(after.id.as_str()) else {
            return Err(Failure::broken("replacing a customer", format!("there is no customer {}", after.id)));
        };
        let (id, before) = (Arc::clone(id), Arc::clone(before));
        if !before.is_found_like(after) {
            self.live.remove_mut(&(before.created, Arc::clone(&id)));
            for term in before.term_digests() {
                self.terms.remove_mut(&(term, before.created, Arc::clone(&id)));
            }
            self.file(&id, after);
        }
        self.customers.insert_mut(id, Arc::new(after.clone()));
        Ok(())
    }

    /// Puts a customer where it is found.
    fn file(&mut self, id: &Name, customer: &Customer) {
        if customer.deleted.is_none() {
            self.live.insert_mut((customer.created, Arc::clone(id)));
        }
        for term in customer.term_digests() {
            self.terms.insert_mut((term, customer.created, Arc::clone(id)));
        }
    }

    /// Makes or replaces a balance transaction.
    pub fn put_balance_transaction(&mut self, transaction: &BalanceTransaction) {
        let id = name(transaction.id.as_str());
        if !self.balance_transactions.contains_key(&*id) {
            self.ledgers.insert_mut((name(transaction.customer.as_str()), transaction.created, Arc::clone(&id)));
        }
        self.balance_transactions.insert_mut(id, Arc::new(transaction.clone()));
    }

    /// Adds an event and gives its place.
    pub fn append(&mut self, event: NewEvent<'_>) -> Kept<i64> {
        let NewEvent { id, created, cause, what } = event;
        if self.event_places.contains_key(id.as_str()) {
            return Err(Failure::broken("appending an event", format!("there is an event {id}")));
        }
        let sequence = self.newest_event() + 1;
        self.event_places.insert_mut(name(id.as_str()), sequence);
        self.events.insert_mut(sequence, Arc::new(Event { sequence, id, created, cause: cause.clone(), what }));
        Ok(sequence)
    }

    /// The place of the newest event; 0 without any.
    pub fn newest_event(&self) -> i64 {
        self.events.last().map_or(0, |(sequence, _)| *sequence)
    }

    /// Keeps a reply.
    pub fn put_reply(&mut self, reply: &KeptReply) {
        let key = self.forget_reply(&reply.key).unwrap_or_else(|| name(&reply.key));
        self.reply_ages.insert_mut((reply.created, Arc::clone(&key)));
        self.replies.insert_mut(key, Arc::new(reply.clone()));
    }

    /// Forgets a reply made before `before`.
    pub fn forget_old_reply(&mut self, key: &str, before: Time) {
        if self.replies.get(key).is_some_and(|reply| reply.created < before) {
            self.forget_reply(key);
        }
    }

    fn forget_reply(&mut self, key: &str) -> Option<Name> {
        let (known, reply) = self.replies.get_key_value(key)?;
        let (known, created) = (Arc::clone(known), reply.created);
        self.reply_ages.remove_mut(&(created, Arc::clone(&known)));
        self.replies.remove_mut(key);
        Some(known)
    }

    /// Makes or replaces an object, which was on some lists and is on others now.
    pub fn put_object(&mut self, object: &Object, was_on: &[List], is_on: &[List]) -> Kept<()> {
        let id = name(&object.id);
        self.leave(&id, object.created, was_on.iter().filter(|list| !is_on.contains(list)));
        for list in is_on.iter().filter(|list| !was_on.contains(list)) {
            let place = (*list, object.created, Arc::clone(&id));
            if self.lists.contains_key(&place) {
                return Err(Failure::broken("putting an object on a list", format!("{id} is on it already")));
            }
            self.lists.insert_mut(place, object.kind);
        }
        self.objects.insert_mut((object.kind, id), Arc::new(object.clone()));
        self.remember_endpoints(object.kind)
    }

    /// Removes an object, and from the lists that it was on.
    pub fn remove_object(&mut self, object: &Object, was_on: &[List]) -> Kept<()> {
        let id = name(&object.id);
        self.leave(&id, object.created, was_on.iter());
        self.objects.remove_mut(&(object.kind, id));
        self.remember_endpoints(object.kind)
    }

    /// After a change of an object of that kind.
    fn remember_endpoints(&mut self, changed: ObjectKind) -> Kept<()> {
        if changed == ObjectKind::WebhookEndpoint {
            self.endpoints = endpoints_among(&self.short_list(List::all(ObjectKind::WebhookEndpoint)))?;
        }
        Ok(())
    }

    fn leave<'l>(&mut self, id: &Name, created: Time, lists: impl Iterator<Item = &'l List>) {
        for list in lists {
            self.lists.remove_mut(&(*list, created, Arc::clone(id)));
        }
    }
}

/// The text, to be shared.
pub(super) fn name(text: &str) -> Name {
    Arc::from(text)
}
