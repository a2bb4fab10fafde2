//! The rehearsal of a job, which comes before its transaction and only tells what the job will ask for.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::setback::lacking;
use super::wants::{Ask, Wants, can_be_kept};
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
use crate::store::{Kept, KeptReply, NewEvent, Read, Tx};

/// The run that only shows what a job will ask for. What mostly is not there is taken to be missing, so that the job goes
/// on and shows more.
#[derive(Default)]
pub(super) struct Rehearsal {
    /// What it asked for; the heads are those of the accounts that it wants to write to.
    pub wants: Wants,
    /// The account that it asked about first.
    pub home: Option<Space>,
    wrote: bool,
}

impl Rehearsal {
    fn visit(&mut self, space: Space) {
        self.home.get_or_insert(space);
    }

    fn write(&mut self, space: Space) -> Kept<()> {
        self.visit(space);
        self.wrote = true;
        self.wants.heads.insert(space);
        Ok(())
    }

    fn walk<T>(&mut self, space: Option<Space>, ask: Ask) -> Kept<T> {
        if let Some(space) = space {
            self.visit(space);
        }
        self.wants.ask(ask);
        Err(lacking())
    }

    fn want<K: Ord, T>(&mut self, space: Space, key: K, set: impl FnOnce(&mut Wants) -> &mut BTreeSet<K>) -> Kept<T> {
        self.visit(space);
        set(&mut self.wants).insert(key);
        Err(lacking())
    }
}

impl Read for Rehearsal {
    fn account(&mut self, space: Space) -> Kept<Option<Account>> {
        self.want(space, space, |wants| &mut wants.accounts)
    }

    fn accounts(&mut self) -> Kept<Vec<Account>> {
        self.walk(None, Ask::Accounts)
    }

    fn customer(&mut self, space: Space, id: &CustomerId) -> Kept<Option<Customer>> {
        if !can_be_kept(id.as_str()) {
            return Ok(None);
        }
        self.want(space, (space, id.clone()), |wants| &mut wants.customers)
    }

    fn customers(&mut self, space: Space, page: &CustomerPage) -> Kept<Page<Customer>> {
        self.walk(Some(space), Ask::Customers(space, page.clone()))
    }

    fn search(&mut self, space: Space, query: &Query, after: Option<&Place>, limit: usize) -> Kept<Page<Customer>> {
        self.walk(Some(space), Ask::Search(space, query.clone(), after.cloned(), limit))
    }

    fn count(&mut self, space: Space, query: &Query, most: usize) -> Kept<usize> {
        self.walk(Some(space), Ask::Count(space, query.clone(), most))
    }

    fn marked(&mut self, space: Space, mark: &Mark) -> Kept<Option<CustomerId>> {
        let _: Kept<()> = self.want(space, (space, mark.clone()), |wants| &mut wants.marks);
        Ok(None)
    }

    fn balance_transaction(
        &mut self,
        space: Space,
        _: &CustomerId,
        id: &BalanceTransactionId,
    ) -> Kept<Option<BalanceTransaction>> {
        if !can_be_kept(id.as_str()) {
            return Ok(None);
        }
        self.want(space, (space, id.clone()), |wants| &mut wants.balance_transactions)
    }

    fn balance_transactions(&mut self, space: Space, page: &BalancePage) -> Kept<Page<BalanceTransaction>> {
        self.walk(Some(space), Ask::BalanceTransactions(space, page.clone()))
    }

    fn event(&mut self, space: Space, id: &EventId) -> Kept<Option<Event>> {
        if !can_be_kept(id.as_str()) {
            return Ok(None);
        }
        self.want(space, (space, id.clone()), |wants| &mut wants.events)
    }

    fn events(&mut self, space: Space, page: &EventPage) -> Kept<Page<Event>> {
        self.walk(Some(space), Ask::Events(space, page.clone()))
    }

    fn event_places(&mut self, space: Space, after: i64, kinds: &[EventKind], most: usize) -> Kept<Vec<i64>> {
        self.walk(Some(space), Ask::EventPlaces(space, after, kinds.to_vec(), most))
    }

    fn newest(&mut self, spaces: &[Space]) -> Kept<Vec<i64>> {
        self.walk(None, Ask::Newest(spaces.to_vec()))
    }

    fn endpoints(&mut self, space: Space) -> Kept<Arc<[WebhookEndpoint]>> {
        // They are remembered, and asked for when they are not.
        self.visit(space);
        Ok(Arc::default())
    }

    fn delivery(&mut self, space: Space, id: &DeliveryId) -> Kept<Option<Delivery>> {
        if !can_be_kept(id.as_str()) {
            return Ok(None);
        }
        self.want(space, (space, id.clone()), |wants| &mut wants.deliveries)
    }

    fn deliveries(&mut self, space: Space, page: &DeliveryPage) -> Kept<Page<Delivery>> {
        self.walk(Some(space), Ask::Deliveries(space, page.clone()))
    }

    fn open_deliveries(&mut self, space: Space, event: i64) -> Kept<usize> {
        self.want(space, (space, event), |wants| &mut wants.open)
    }

    fn due_deliveries(
        &mut self,
        space: Space,
        endpoint: &WebhookEndpointId,
        now: Time,
        most: usize,
    ) -> Kept<Vec<Delivery>> {
        self.walk(Some(space), Ask::Due(space, endpoint.clone(), now, most))
    }

    fn queue(&mut self, space: Space, endpoint: &WebhookEndpointId) -> Kept<Option<Queue>> {
        if !can_be_kept(endpoint.as_str()) {
            return Ok(None);
        }
        self.want(space, (space, endpoint.clone()), |wants| &mut wants.queues)
    }

    fn queues_due(&mut self, server: &str, now: Time, most: usize) -> Kept<Vec<(Space, Queue)>> {
        self.walk(None, Ask::QueuesDue(server.to_owned(), now, most))
    }

    fn old_deliveries(&mut self, before: Time, most: usize) -> Kept<Vec<(Space, DeliveryId)>> {
        self.walk(None, Ask::OldDeliveries(before, most))
    }

    fn reply(&mut self, space: Space, key: &str) -> Kept<Option<KeptReply>> {
        if can_be_kept(key) {
            let _: Kept<()> = self.want(space, (space, key.to_owned()), |wants| &mut wants.replies);
        }
        Ok(None)
    }

    fn old_replies(&mut self, before: Time, most: usize) -> Kept<Vec<(Space, String)>> {
        self.walk(None, Ask::OldReplies(before, most))
    }

    fn object(&mut self, space: Space, kind: ObjectKind, id: &str) -> Kept<Option<Object>> {
        if !can_be_kept(id) {
            return Ok(None);
        }
        self.want(space, (space, (kind, id.to_owned())), |wants| &mut wants.objects)
    }

    fn short_list(&mut self, space: Space, list: List) -> Kept<Vec<Object>> {
        self.want(space, (space, list), |wants| &mut wants.lists)
    }

    fn objects(&mut self, space: Space, page: &ObjectPage) -> Kept<Page<Object>> {
        self.walk(Some(space), Ask::Objects(space, page.clone()))
    }

    fn api_key(&mut self, space: Space, digest: &KeyDigest) -> Kept<Option<ApiKey>> {
        self.want(space, (space, *digest), |wants| &mut wants.api_keys)
    }

    fn api_keys(&mut self) -> Kept<Vec<ApiKey>> {
        self.walk(None, Ask::ApiKeys)
    }
}

impl Tx for Rehearsal {
    fn rehearsal(&self) -> bool {
        true
    }

    fn moment(&mut self, space: Space, now: Time) -> Kept<Time> {
        self.visit(space);
        self.wants.heads.insert(space);
        Ok(now)
    }

    fn wrote(&self) -> bool {
        self.wrote
    }

    fn put_account(&mut self, account: &Account) -> Kept<()> {
        self.write(account.space)
    }

    fn put_customer(&mut self, space: Space, before: Option<&Customer>, after: &Customer) -> Kept<()> {
        if before.is_some() {
            self.wants.customers.insert((space, after.id.clone()));
        }
        self.write(space)
    }

    fn put_balance_transaction(&mut self, space: Space, _: &BalanceTransaction) -> Kept<()> {
        self.write(space)
    }

    fn append(&mut self, space: Space, _: NewEvent<'_>) -> Kept<i64> {
        self.write(space)?;
        Ok(0)
    }

    fn put_reply(&mut self, space: Space, _: &KeptReply) -> Kept<()> {
        self.write(space)
    }

    fn forget_replies(&mut self, space: Space, _: &[String], _: Time) -> Kept<()> {
        self.write(space)
    }

    fn put_object(&mut self, space: Space, _: &Object, _: &[List], _: &[List]) -> Kept<()> {
        self.write(space)
    }

    fn remove_object(&mut self, space: Space, _: &Object, _: &[List]) -> Kept<()> {
        self.write(space)
    }

    fn put_delivery(&mut self, space: Space, _: &Delivery) -> Kept<()> {
        self.write(space)
    }

    fn put_queue(&mut self, space: Space, _: &Queue) -> Kept<()> {
        self.write(space)
    }

    fn forget_deliveries(&mut self, space: Space, _: &[DeliveryId]) -> Kept<()> {
        self.write(space)
    }

    fn claim(&mut self, spaces: &[Space]) -> Kept<()> {
        spaces.iter().for_each(|space| self.visit(*space));
        self.wants.heads.extend(spaces);
        self.wants.alone = true;
        Ok(())
    }

    fn wipe(&mut self, space: Space) -> Kept<()> {
        self.write(space)
    }

    fn copy(&mut self, _: Space, to: Space) -> Kept<()> {
        self.write(to)
    }

    fn put_api_key(&mut self, space: Space, _: &ApiKey) -> Kept<()> {
        self.write(space)
    }
}
