//! What can be looked at: one state, the newest state of each moment, or a job's own.

use std::sync::Arc;

use parking_lot::RwLock;

use super::deliveries;
use super::records::{Holdings, Records, World};
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
use crate::store::{Kept, KeptReply, Read};

/// Where states come from.
pub(super) trait Source {
    /// What an account holds.
    fn records(&mut self, space: Space) -> Kept<Option<Arc<Records>>>;
    /// What all of them hold.
    fn world(&mut self) -> Kept<World>;
}

/// One state.
pub(super) struct View(pub World);

impl Source for View {
    fn records(&mut self, space: Space) -> Kept<Option<Arc<Records>>> {
        Ok(self.0.records(space).cloned())
    }

    fn world(&mut self) -> Kept<World> {
        Ok(self.0.clone())
    }
}

/// The newest state, at each call.
pub(super) struct Newest<'s>(pub &'s RwLock<World>);

impl Source for Newest<'_> {
    fn records(&mut self, space: Space) -> Kept<Option<Arc<Records>>> {
        Ok(self.0.read().records(space).cloned())
    }

    fn world(&mut self) -> Kept<World> {
        Ok(self.0.read().clone())
    }
}

/// What an account holds of something; nothing of it when it never held anything.
fn held<S: Source, T: Default>(source: &mut S, space: Space, look: impl FnOnce(&Holdings) -> T) -> Kept<T> {
    Ok(source.records(space)?.map_or_else(T::default, |records| look(&records.holdings)))
}

fn page<S: Source, T>(source: &mut S, space: Space, look: impl FnOnce(&Holdings) -> Page<T>) -> Kept<Page<T>> {
    let nothing = Page { items: Vec::new(), has_more: false };
    Ok(source.records(space)?.map_or(nothing, |records| look(&records.holdings)))
}

/// The record itself, out of what is shared.
fn out<T: Clone>(shared: Option<&Arc<T>>) -> Option<T> {
    shared.map(|shared| T::clone(shared))
}

impl<S: Source> Read for S {
    fn account(&mut self, space: Space) -> Kept<Option<Account>> {
        Ok(self.records(space)?.and_then(|records| out(records.account.as_ref())))
    }

    fn accounts(&mut self) -> Kept<Vec<Account>> {
        let world = self.world()?;
        let mut accounts: Vec<Account> =
            world.every().filter_map(|(_, records)| out(records.account.as_ref())).collect();
        accounts.sort_by(|one, two| (&one.id, one.mode).cmp(&(&two.id, two.mode)));
        Ok(accounts)
    }

    fn customer(&mut self, space: Space, id: &CustomerId) -> Kept<Option<Customer>> {
        held(self, space, |held| out(held.customers.get(id.as_str())))
    }

    fn customers(&mut self, space: Space, wanted: &CustomerPage) -> Kept<Page<Customer>> {
        page(self, space, |held| held.page_of_customers(wanted))
    }

    fn search(&mut self, space: Space, query: &Query, after: Option<&Place>, limit: usize) -> Kept<Page<Customer>> {
        page(self, space, |held| held.search(query, after, limit))
    }

    fn count(&mut self, space: Space, query: &Query, most: usize) -> Kept<usize> {
        held(self, space, |held| held.count(query, most))
    }

    fn marked(&mut self, space: Space, mark: &Mark) -> Kept<Option<CustomerId>> {
        held(self, space, |held| held.marked(mark))
    }

    fn balance_transaction(
        &mut self,
        space: Space,
        customer: &CustomerId,
        id: &BalanceTransactionId,
    ) -> Kept<Option<BalanceTransaction>> {
        let found = held(self, space, |held| out(held.balance_transactions.get(id.as_str())))?;
        Ok(found.filter(|transaction| transaction.customer == *customer))
    }

    fn balance_transactions(&mut self, space: Space, wanted: &BalancePage) -> Kept<Page<BalanceTransaction>> {
        page(self, space, |held| held.page_of_ledger(wanted))
    }

    fn event(&mut self, space: Space, id: &EventId) -> Kept<Option<Event>> {
        held(self, space, |held| {
            let place = held.event_places.get(id.as_str())?;
            out(held.events.get(place))
        })
    }

    fn events(&mut self, space: Space, wanted: &EventPage) -> Kept<Page<Event>> {
        page(self, space, |held| held.page_of_events(wanted))
    }

    fn event_places(&mut self, space: Space, after: i64, kinds: &[EventKind], most: usize) -> Kept<Vec<i64>> {
        held(self, space, |held| held.event_places(after, kinds, most))
    }

    fn newest(&mut self, spaces: &[Space]) -> Kept<Vec<i64>> {
        spaces.iter().map(|space| held(self, *space, Holdings::newest_event)).collect()
    }

    fn endpoints(&mut self, space: Space) -> Kept<Arc<[WebhookEndpoint]>> {
        held(self, space, |held| Arc::clone(&held.endpoints))
    }

    fn delivery(&mut self, space: Space, id: &DeliveryId) -> Kept<Option<Delivery>> {
        held(self, space, |held| out(held.deliveries.get(id.as_str())))
    }

    fn deliveries(&mut self, space: Space, wanted: &DeliveryPage) -> Kept<Page<Delivery>> {
        page(self, space, |held| held.deliveries.page(wanted))
    }

    fn open_deliveries(&mut self, space: Space, event: i64) -> Kept<usize> {
        held(self, space, |held| held.deliveries.open(event))
    }

    fn due_deliveries(
        &mut self,
        space: Space,
        endpoint: &WebhookEndpointId,
        now: Time,
        most: usize,
    ) -> Kept<Vec<Delivery>> {
        held(self, space, |held| held.deliveries.due(endpoint.as_str(), now, most))
    }

    fn queue(&mut self, space: Space, endpoint: &WebhookEndpointId) -> Kept<Option<Queue>> {
        held(self, space, |held| out(held.deliveries.queue(endpoint.as_str())))
    }

    fn queues_due(&mut self, server: &str, now: Time, most: usize) -> Kept<Vec<(Space, Queue)>> {
        Ok(deliveries::queues_due(&self.world()?, server, now, most))
    }

    fn old_deliveries(&mut self, before: Time, most: usize) -> Kept<Vec<(Space, DeliveryId)>> {
        Ok(deliveries::old(&self.world()?, before, most))
    }

    fn reply(&mut self, space: Space, key: &str) -> Kept<Option<KeptReply>> {
        held(self, space, |held| out(held.replies.get(key)))
    }

    fn old_replies(&mut self, before: Time, most: usize) -> Kept<Vec<(Space, String)>> {
        let world = self.world()?;
        let mut found = Vec::new();
        for (space, records) in world.every() {
            let old = records.holdings.reply_ages.iter().take_while(|(created, _)| *created < before).take(most);
            found.extend(old.map(|(created, key)| (*created, space, key.to_string())));
        }
        found.sort_by_key(|(created, ..)| *created);
        found.truncate(most);
        Ok(found.into_iter().map(|(_, space, key)| (space, key)).collect())
    }

    fn object(&mut self, space: Space, kind: ObjectKind, id: &str) -> Kept<Option<Object>> {
        held(self, space, |held| out(held.objects.get(&(kind, Arc::from(id)))))
    }

    fn short_list(&mut self, space: Space, list: List) -> Kept<Vec<Object>> {
        held(self, space, |held| held.short_list(list))
    }

    fn objects(&mut self, space: Space, wanted: &ObjectPage) -> Kept<Page<Object>> {
        page(self, space, |held| held.page_of_objects(wanted))
    }

    fn api_key(&mut self, space: Space, digest: &KeyDigest) -> Kept<Option<ApiKey>> {
        Ok(self.records(space)?.and_then(|records| out(records.api_keys.get(digest))))
    }

    fn api_keys(&mut self) -> Kept<Vec<ApiKey>> {
        let world = self.world()?;
        let every = world.every().flat_map(|(_, records)| records.api_keys.values().map(|key| ApiKey::clone(key)));
        let mut keys: Vec<ApiKey> = every.collect();
        keys.sort_by(|one, two| (one.created, &one.digest).cmp(&(two.created, &two.digest)));
        Ok(keys)
    }
}
