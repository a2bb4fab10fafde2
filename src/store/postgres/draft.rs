//! A job's transaction: it reads what is known, what jobs before it in the group want written and what it has written
//! itself; it writes into its own changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Shared;
use super::changes::{Changes, CustomerChange, EventRow, ObjectChange};
use super::listeners;
use super::setback::lacking;
use super::wants::{Head, Scene, can_be_kept};
use super::whole::Whole;
use crate::domain::account::{Account, Space};
use crate::domain::api_key::{ApiKey, KeyDigest};
use crate::domain::balance::BalanceTransaction;
use crate::domain::customer::Customer;
use crate::domain::delivery::{Delivery, DeliveryPage, Queue};
use crate::domain::event::{Event, EventKind};
use crate::domain::ids::{BalanceTransactionId, CustomerId, DeliveryId, EventId, WebhookEndpointId};
use crate::domain::object::{List, Object, ObjectKind};
use crate::domain::page::{BalancePage, CustomerPage, EventPage, ObjectPage, Page, Place};
use crate::domain::query::Query;
use crate::domain::term::Mark;
use crate::domain::time::Time;
use crate::domain::webhook::WebhookEndpoint;
use crate::store::record::{EventBody, read_event, write_event};
use crate::store::{Failure, Kept, KeptReply, MAX_SHORT_LIST, NewEvent, Read, Tx, endpoints_among};

/// A job's transaction.
pub(super) struct Draft<'g> {
    scene: &'g mut Scene,
    /// What the jobs before this one want written.
    group: &'g Changes,
    own: Changes,
    failed: bool,
    /// Accounts that the job may change as a whole.
    pub(super) claimed: BTreeSet<Space>,
    /// What this server is called, and what it remembers.
    shared: &'g Shared,
}

impl<'g> Draft<'g> {
    pub fn new(scene: &'g mut Scene, group: &'g Changes, shared: &'g Shared) -> Draft<'g> {
        Draft { scene, group, own: Changes::default(), failed: false, claimed: BTreeSet::new(), shared }
    }

    /// What the job wants written, unless a write failed.
    pub fn end(self) -> Option<Changes> {
        (!self.failed).then_some(self.own)
    }

    /// Whether something is to be written already, by this job or by one before it.
    pub(super) fn has_company(&self) -> bool {
        !self.own.is_empty() || !self.group.is_empty()
    }

    /// The head of an account, which is locked from now on.
    pub(super) fn head(&mut self, space: Space) -> Kept<Head> {
        if let Some(head) = self.own.heads.get(&space).or_else(|| self.group.heads.get(&space)) {
            return Ok(head.clone());
        }
        match self.scene.known.heads.get(&space) {
            Some(head) => Ok(head.clone().found_by(&self.shared.server)),
            None => {
                self.scene.wants.heads.insert(space);
                Err(lacking())
            }
        }
    }

    /// Writes into an account: whoever does holds its head.
    pub(super) fn write(&mut self, space: Space, work: impl FnOnce(&mut Changes)) -> Kept<()> {
        let head = self.head(space)?;
        self.own.heads.entry(space).or_insert(head);
        work(&mut self.own);
        Ok(())
    }

    pub(super) fn fail<T>(&mut self, doing: &str, cause: String) -> Kept<T> {
        self.failed = true;
        Err(Failure::broken(doing, cause))
    }

    /// Whether the database's own rows tell the whole truth; if not, a walk has to wait until the group's changes are in
    /// the database. A job decides before it writes, so its own changes cannot be in the way.
    fn walk(&mut self) -> Kept<()> {
        if self.own.is_empty() {
            return Ok(());
        }
        self.fail("walking along an index", "the job has written already".into())
    }

    fn change(&mut self, space: Space, object: &Object, was_on: &[List], is_on: &[List], removed: bool) -> Kept<()> {
        let key = (space, (object.kind, object.id.clone()));
        let (was_on, was_created, is_on) = (was_on.to_vec(), object.created, is_on.to_vec());
        let change = ObjectChange { object: object.clone(), removed, was_on, was_created, is_on };
        self.write(space, |own| {
            if key.1.0 == ObjectKind::WebhookEndpoint {
                own.heads.get_mut(&space).expect("whoever writes holds the head").listeners = listeners::throw();
            }
            match own.objects.get_mut(&key) {
                Some(known) => known.absorb(change),
                None => drop(own.objects.insert(key, change)),
            }
        })
    }

    fn changed_customer(&self, key: &(Space, CustomerId)) -> Option<&Customer> {
        let change = self.own.customers.get(key).or_else(|| self.group.customers.get(key));
        change.map(|change| &change.after)
    }
}

macro_rules! changed {
    ($draft:ident, $rows:ident, $key:expr) => {
        $draft.own.$rows.get($key).or_else(|| $draft.group.$rows.get($key)).cloned()
    };
}

impl Read for Draft<'_> {
    fn account(&mut self, space: Space) -> Kept<Option<Account>> {
        match changed!(self, accounts, &space) {
            Some(account) => Ok(Some(account)),
            None => self.scene.account(space),
        }
    }

    fn accounts(&mut self) -> Kept<Vec<Account>> {
        self.walk()?;
        self.scene.accounts()
    }

    fn customer(&mut self, space: Space, id: &CustomerId) -> Kept<Option<Customer>> {
        match self.changed_customer(&(space, id.clone())) {
            Some(customer) => Ok(Some(customer.clone())),
            None => self.scene.customer(space, id),
        }
    }

    fn customers(&mut self, space: Space, page: &CustomerPage) -> Kept<Page<Customer>> {
        self.walk()?;
        self.scene.customers(space, page)
    }

    fn search(&mut self, space: Space, query: &Query, after: Option<&Place>, limit: usize) -> Kept<Page<Customer>> {
        self.walk()?;
        self.scene.search(space, query, after, limit)
    }

    fn count(&mut self, space: Space, query: &Query, most: usize) -> Kept<usize> {
        self.walk()?;
        self.scene.count(space, query, most)
    }

    fn marked(&mut self, space: Space, mark: &Mark) -> Kept<Option<CustomerId>> {
        for changes in [&self.own, self.group] {
            let mut customers = changes.customers.iter();
            // What the group left may have been changed by this job.
            let has = |key: &(Space, CustomerId)| self.changed_customer(key).is_some_and(|customer| customer.has(mark));
            if let Some((key, _)) = customers.find(|(key, _)| key.0 == space && has(key)) {
                return Ok(Some(key.1.clone()));
            }
        }
        let holder = self.scene.marked(space, mark)?;
        // Whoever is found in the database and has been changed since no longer has it.
        Ok(holder.filter(|id| self.changed_customer(&(space, id.clone())).is_none()))
    }

    fn balance_transaction(
        &mut self,
        space: Space,
        customer: &CustomerId,
        id: &BalanceTransactionId,
    ) -> Kept<Option<BalanceTransaction>> {
        match changed!(self, balance_transactions, &(space, id.clone())) {
            Some(transaction) => Ok(Some(transaction).filter(|transaction| transaction.customer == *customer)),
            None => self.scene.balance_transaction(space, customer, id),
        }
    }

    fn balance_transactions(&mut self, space: Space, page: &BalancePage) -> Kept<Page<BalanceTransaction>> {
        self.walk()?;
        self.scene.balance_transactions(space, page)
    }

    fn event(&mut self, space: Space, id: &EventId) -> Kept<Option<Event>> {
        for changes in [&self.own, self.group] {
            let rows = changes.events.get(&space).into_iter().flatten();
            if let Some(row) = rows.into_iter().find(|row| row.id == id.as_str()) {
                let event = read_event(row.sequence, &row.body);
                return event.map(Some).map_err(|cause| Failure::broken("reading an event", cause));
            }
        }
        self.scene.event(space, id)
    }

    fn events(&mut self, space: Space, page: &EventPage) -> Kept<Page<Event>> {
        self.walk()?;
        self.scene.events(space, page)
    }

    fn event_places(&mut self, space: Space, after: i64, kinds: &[EventKind], most: usize) -> Kept<Vec<i64>> {
        self.walk()?;
        self.scene.event_places(space, after, kinds, most)
    }

    fn newest(&mut self, spaces: &[Space]) -> Kept<Vec<i64>> {
        self.walk()?;
        self.scene.newest(spaces)
    }

    fn endpoints(&mut self, space: Space) -> Kept<Arc<[WebhookEndpoint]>> {
        let version = self.head(space)?.listeners;
        if let Some(remembered) = self.shared.listeners.find(space, version) {
            return Ok(remembered);
        }
        let endpoints = endpoints_among(&self.short_list(space, List::all(ObjectKind::WebhookEndpoint))?)?;
        self.shared.listeners.keep(space, version, &endpoints);
        Ok(endpoints)
    }

    fn delivery(&mut self, space: Space, id: &DeliveryId) -> Kept<Option<Delivery>> {
        match changed!(self, deliveries, &(space, id.clone())) {
            Some(delivery) => Ok(Some(delivery)),
            None => self.scene.delivery(space, id),
        }
    }

    fn deliveries(&mut self, space: Space, page: &DeliveryPage) -> Kept<Page<Delivery>> {
        self.walk()?;
        self.scene.deliveries(space, page)
    }

    fn open_deliveries(&mut self, space: Space, event: i64) -> Kept<usize> {
        let mut open = self.scene.open_deliveries(space, event)?;
        let mut changed = BTreeMap::new();
        for changes in [self.group, &self.own] {
            let of_event =
                changes.deliveries.iter().filter(|((of, _), changed)| *of == space && changed.sequence == event);
            changed.extend(of_event.map(|((_, id), delivery)| (id.clone(), delivery.is_open())));
        }
        for (id, is_open) in changed {
            let was_open = self.scene.delivery(space, &id)?.is_some_and(|delivery| delivery.is_open());
            open = open + usize::from(is_open) - usize::from(was_open);
        }
        Ok(open)
    }

    fn due_deliveries(
        &mut self,
        space: Space,
        endpoint: &WebhookEndpointId,
        now: Time,
        most: usize,
    ) -> Kept<Vec<Delivery>> {
        self.walk()?;
        self.scene.due_deliveries(space, endpoint, now, most)
    }

    fn queue(&mut self, space: Space, endpoint: &WebhookEndpointId) -> Kept<Option<Queue>> {
        let key = (space, endpoint.clone());
        let queue = match changed!(self, queues, &key) {
            Some(queue) => Some(queue),
            None => self.scene.queue(space, endpoint)?,
        };
        let calls = [&self.group.called, &self.own.called].into_iter().filter_map(|called| called.get(&key));
        Ok(queue.map(|queue| {
            let due = calls.copied().chain(queue.due).min();
            Queue { due, ..queue }
        }))
    }

    fn queues_due(&mut self, server: &str, now: Time, most: usize) -> Kept<Vec<(Space, Queue)>> {
        self.walk()?;
        self.scene.queues_due(server, now, most)
    }

    fn old_deliveries(&mut self, before: Time, most: usize) -> Kept<Vec<(Space, DeliveryId)>> {
        self.walk()?;
        self.scene.old_deliveries(before, most)
    }

    fn reply(&mut self, space: Space, key: &str) -> Kept<Option<KeptReply>> {
        match changed!(self, replies, &(space, key.to_owned())) {
            Some(reply) => Ok(Some(reply)),
            None => self.scene.reply(space, key),
        }
    }

    fn old_replies(&mut self, before: Time, most: usize) -> Kept<Vec<(Space, String)>> {
        self.walk()?;
        self.scene.old_replies(before, most)
    }

    fn object(&mut self, space: Space, kind: ObjectKind, id: &str) -> Kept<Option<Object>> {
        match changed!(self, objects, &(space, (kind, id.to_owned()))) {
            Some(change) => Ok(Some(change.object).filter(|_| !change.removed)),
            None => self.scene.object(space, kind, id),
        }
    }

    fn short_list(&mut self, space: Space, list: List) -> Kept<Vec<Object>> {
        let mut objects = self.scene.short_list(space, list)?;
        if objects.len() >= MAX_SHORT_LIST {
            // What lies behind is not known: one that left would make the list look as if this were all of it.
            return Ok(objects);
        }
        for changes in [self.group, &self.own] {
            for ((_, (kind, id)), change) in changes.objects.iter().filter(|((of, _), _)| *of == space) {
                objects.retain(|object| (object.kind, &object.id) != (*kind, id));
                if !change.removed && change.is_on.contains(&list) {
                    objects.push(change.object.clone());
                }
            }
        }
        objects.sort_by(|one, two| (two.created, &two.id).cmp(&(one.created, &one.id)));
        objects.truncate(MAX_SHORT_LIST);
        Ok(objects)
    }

    fn objects(&mut self, space: Space, page: &ObjectPage) -> Kept<Page<Object>> {
        self.walk()?;
        self.scene.objects(space, page)
    }

    fn api_key(&mut self, space: Space, digest: &KeyDigest) -> Kept<Option<ApiKey>> {
        match changed!(self, api_keys, &(space, *digest)) {
            Some(key) => Ok(Some(key)),
            None => self.scene.api_key(space, digest),
        }
    }

    fn api_keys(&mut self) -> Kept<Vec<ApiKey>> {
        self.walk()?;
        self.scene.api_keys()
    }
}

impl Tx for Draft<'_> {
    fn moment(&mut self, space: Space, now: Time) -> Kept<Time> {
        Ok(now.max(self.head(space)?.moment))
    }

    fn wrote(&self) -> bool {
        self.failed || !self.own.is_empty()
    }

    fn put_account(&mut self, account: &Account) -> Kept<()> {
        self.write(account.space, |own| drop(own.accounts.insert(account.space, account.clone())))
    }

    fn put_customer(&mut self, space: Space, before: Option<&Customer>, after: &Customer) -> Kept<()> {
        let key = (space, after.id.clone());
        let known = match self.changed_customer(&key) {
            Some(_) => Some(true),
            None => self.scene.known.customers.get(&key).map(Option::is_some),
        };
        match (before, known) {
            (None, Some(true)) => return self.fail("making a customer", format!("there is a customer {}", after.id)),
            (Some(_), Some(false)) => {
                return self.fail("replacing a customer", format!("there is no customer {}", after.id));
            }
            (Some(_), None) => {
                self.scene.wants.customers.insert(key);
                return Err(lacking());
            }
            // That it is not there yet shows when it is inserted.
            (None, Some(false) | None) | (Some(_), Some(true)) => {}
        }
        let in_database = match self.own.customers.get(&key) {
            Some(change) => change.before.clone(),
            // What the group has of it goes before this when the two are put together.
            None => self.scene.known.customers.get(&key).cloned().flatten(),
        };
        let change = CustomerChange { before: in_database, after: after.clone() };
        self.write(space, |own| drop(own.customers.insert(key, change)))
    }

    fn put_balance_transaction(&mut self, space: Space, transaction: &BalanceTransaction) -> Kept<()> {
        let key = (space, transaction.id.clone());
        self.write(space, |own| drop(own.balance_transactions.insert(key, transaction.clone())))
    }

    fn append(&mut self, space: Space, event: NewEvent<'_>) -> Kept<i64> {
        let NewEvent { id, created, cause, what } = event;
        let sequence = self.head(space)?.sequence + 1;
        let row = EventRow {
            sequence,
            kind: what.kind().as_str(),
            created,
            object: what.object().to_owned(),
            body: write_event(EventBody { id: &id, created, cause, what: &what }),
            id: id.0,
        };
        self.write(space, |own| {
            let head = own.heads.get_mut(&space).expect("whoever writes holds the head");
            head.sequence = sequence;
            head.moment = head.moment.max(created);
            own.events.entry(space).or_default().push(row);
        })?;
        Ok(sequence)
    }

    fn put_reply(&mut self, space: Space, reply: &KeptReply) -> Kept<()> {
        self.write(space, |own| drop(own.replies.insert((space, reply.key.clone()), reply.clone())))
    }

    fn forget_replies(&mut self, space: Space, keys: &[String], before: Time) -> Kept<()> {
        let keys = keys.iter().filter(|key| can_be_kept(key)).cloned().collect();
        self.write(space, |own| own.forgotten.push((space, keys, before)))
    }

    fn put_object(&mut self, space: Space, object: &Object, was_on: &[List], is_on: &[List]) -> Kept<()> {
        self.change(space, object, was_on, is_on, false)
    }

    fn remove_object(&mut self, space: Space, object: &Object, was_on: &[List]) -> Kept<()> {
        self.change(space, object, was_on, &[], true)
    }

    fn put_delivery(&mut self, space: Space, delivery: &Delivery) -> Kept<()> {
        self.write(space, |own| {
            if let Some(due) = delivery.due {
                let first = own.called.entry((space, delivery.endpoint.clone())).or_insert(due);
                *first = due.min(*first);
            }
            own.deliveries.insert((space, delivery.id.clone()), delivery.clone());
        })
    }

    fn put_queue(&mut self, space: Space, queue: &Queue) -> Kept<()> {
        let key = (space, queue.endpoint.clone());
        self.write(space, |own| {
            own.called.remove(&key);
            own.queues.insert(key, queue.clone());
        })
    }

    fn forget_deliveries(&mut self, space: Space, ids: &[DeliveryId]) -> Kept<()> {
        self.write(space, |own| own.forgotten_deliveries.push((space, ids.to_vec())))
    }

    fn claim(&mut self, spaces: &[Space]) -> Kept<()> {
        self.claim_whole(spaces)
    }

    fn wipe(&mut self, space: Space) -> Kept<()> {
        self.change_whole(space, Whole::Wiped)
    }

    fn copy(&mut self, from: Space, to: Space) -> Kept<()> {
        self.change_whole(to, Whole::CopyOf(from))
    }

    fn put_api_key(&mut self, space: Space, key: &ApiKey) -> Kept<()> {
        self.write(space, |own| drop(own.api_keys.insert((space, key.digest), key.clone())))
    }
}
