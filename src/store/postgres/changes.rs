//! What jobs want written, before any of it is sent: of one job while it runs, of a whole group until it is committed.

use std::collections::BTreeMap;

use super::wants::Head;
use super::whole::Whole;
use crate::domain::account::{Account, Space};
use crate::domain::api_key::{ApiKey, KeyDigest};
use crate::domain::balance::BalanceTransaction;
use crate::domain::customer::Customer;
use crate::domain::delivery::{Delivery, Queue};
use crate::domain::ids::{BalanceTransactionId, CustomerId, DeliveryId, WebhookEndpointId};
use crate::domain::object::{List, Object, ObjectKind};
use crate::domain::time::Time;
use crate::store::KeptReply;

/// Rows to be written, each in its latest form.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Heads of the accounts that are written to, as they will be.
    pub heads: BTreeMap<Space, Head>,
    pub accounts: BTreeMap<Space, Account>,
    pub customers: BTreeMap<(Space, CustomerId), CustomerChange>,
    pub balance_transactions: BTreeMap<(Space, BalanceTransactionId), BalanceTransaction>,
    pub events: BTreeMap<Space, Vec<EventRow>>,
    pub replies: BTreeMap<(Space, String), KeptReply>,
    pub objects: BTreeMap<(Space, (ObjectKind, String)), ObjectChange>,
    pub forgotten: Vec<(Space, Vec<String>, Time)>,
    pub api_keys: BTreeMap<(Space, KeyDigest), ApiKey>,
    pub deliveries: BTreeMap<(Space, DeliveryId), Delivery>,
    pub forgotten_deliveries: Vec<(Space, Vec<DeliveryId>)>,
    pub queues: BTreeMap<(Space, WebhookEndpointId), Queue>,
    /// Queues in which something is due, at the latest at that moment, whatever they said before.
    pub called: BTreeMap<(Space, WebhookEndpointId), Time>,
    /// Accounts that are replaced as a whole, one after the other, before anything else is written to them.
    pub wholes: Vec<(Space, Whole)>,
}

/// A customer to be made or replaced.
#[derive(Clone, Debug)]
pub(super) struct CustomerChange {
    /// As the database has it; `None` when it does not.
    pub before: Option<Customer>,
    /// As it will be.
    pub after: Customer,
}

/// An object to be made, replaced or removed.
#[derive(Clone, Debug)]
pub(super) struct ObjectChange {
    /// As it will be; one that is removed as it was.
    pub object: Object,
    pub removed: bool,
    /// The lists that it is on in the database.
    pub was_on: Vec<List>,
    /// The moment that it is on them at: another one when an object is made anew where one of its id was removed.
    pub was_created: Time,
    /// The lists that it will be on.
    pub is_on: Vec<List>,
}

impl ObjectChange {
    /// Its places in the database.
    pub fn was_at(&self) -> Vec<(List, Time)> {
        self.was_on.iter().map(|list| (*list, self.was_created)).collect()
    }

    /// The places that it will have.
    pub fn is_at(&self) -> Vec<(List, Time)> {
        self.is_on.iter().map(|list| (*list, self.object.created)).collect()
    }

    /// Takes over a later change.
    pub fn absorb(&mut self, later: ObjectChange) {
        let ObjectChange { object, removed, was_on: _, was_created: _, is_on } = later;
        (self.object, self.removed, self.is_on) = (object, removed, is_on);
    }
}

/// An event with its place.
#[derive(Debug)]
pub(super) struct EventRow {
    pub sequence: i64,
    pub id: String,
    pub kind: &'static str,
    pub created: Time,
    pub object: String,
    pub body: String,
}

impl Changes {
    /// Whether there is nothing to be written.
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// Takes over what a later job wants written.
    pub fn absorb(&mut self, later: Changes) {
        let Changes {
            heads,
            accounts,
            customers,
            balance_transactions,
            events,
            replies,
            objects,
            forgotten,
            api_keys,
            deliveries,
            forgotten_deliveries,
            queues,
            called,
            wholes,
        } = later;
        self.wholes.extend(wholes);
        self.heads.extend(heads);
        self.accounts.extend(accounts);
        for (key, change) in customers {
            self.customers.entry(key).and_modify(|known| known.after = change.after.clone()).or_insert(change);
        }
        self.balance_transactions.extend(balance_transactions);
        for (space, rows) in events {
            self.events.entry(space).or_default().extend(rows);
        }
        self.replies.extend(replies);
        for (key, change) in objects {
            match self.objects.get_mut(&key) {
                Some(known) => known.absorb(change),
                None => drop(self.objects.insert(key, change)),
            }
        }
        self.forgotten.extend(forgotten);
        self.api_keys.extend(api_keys);
        self.deliveries.extend(deliveries);
        self.forgotten_deliveries.extend(forgotten_deliveries);
        for (key, queue) in queues {
            // Whoever wrote it has seen the calls before.
            self.called.remove(&key);
            self.queues.insert(key, queue);
        }
        for (key, due) in called {
            let first = self.called.entry(key).or_insert(due);
            *first = due.min(*first);
        }
    }
}
