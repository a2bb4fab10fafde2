//! A look at one or two rows by key. A customer that was looked at lately takes no connection; other rows take no
//! transaction beyond their own statement.

use std::sync::Arc;

use rusqlite::Connection;

use super::hot::Hot;
use super::read::body;
use super::readers::Readers;
use super::tx::SqliteTx;
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
use crate::store::record::read_customer;
use crate::store::{Kept, KeptReply, Look, Read};

/// What is looked at, one call at a time.
pub(super) struct Glance<'s> {
    readers: &'s Readers,
    hot: &'s Hot,
    /// Taken when it is needed.
    connection: Option<Connection>,
}

/// Runs `look`, each call of which sees the newest state. A connection that is left in a panic is let go.
pub(super) fn glance(readers: &Readers, hot: &Hot, look: &mut dyn Look) -> Kept<()> {
    let mut glance = Glance { readers, hot, connection: None };
    let outcome = look.look(&mut glance);
    if let Some(connection) = glance.connection {
        readers.give_back(connection);
    }
    outcome
}

impl Glance<'_> {
    /// A connection on which each statement is a transaction of its own.
    fn tx(&mut self) -> Kept<SqliteTx<'_>> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.readers.take()?,
        };
        Ok(SqliteTx::new(self.connection.insert(connection)))
    }

    /// What takes more than one statement, on one state.
    fn read<T>(&self, look: impl Fn(&mut dyn Read) -> Kept<T>) -> Kept<T> {
        let mut seen = None;
        self.readers.read(&mut |read| {
            seen = Some(look(read)?);
            Ok(())
        })?;
        Ok(seen.expect("a read that does not fail has looked"))
    }
}

impl Read for Glance<'_> {
    fn customer(&mut self, space: Space, id: &CustomerId) -> Kept<Option<Customer>> {
        let hot = self.hot;
        let miss = match hot.find(space, id) {
            Ok(customer) => return Ok(Some(Customer::clone(&customer))),
            Err(miss) => miss,
        };
        let doing = "reading a customer";
        let sql = "SELECT body FROM customers WHERE account = ?1 AND id = ?2";
        let found = self.tx()?.find(doing, sql, (space.0, id.as_str()), |row| {
            body(row, 0, doing, |text| Ok((read_customer(text)?, text.len())))
        })?;
        Ok(found.map(|(customer, text_length)| {
            hot.keep(miss, space, &customer, text_length);
            customer
        }))
    }

    fn account(&mut self, space: Space) -> Kept<Option<Account>> {
        self.tx()?.account(space)
    }

    fn balance_transaction(
        &mut self,
        space: Space,
        customer: &CustomerId,
        id: &BalanceTransactionId,
    ) -> Kept<Option<BalanceTransaction>> {
        self.tx()?.balance_transaction(space, customer, id)
    }

    fn event(&mut self, space: Space, id: &EventId) -> Kept<Option<Event>> {
        self.tx()?.event(space, id)
    }

    fn newest(&mut self, spaces: &[Space]) -> Kept<Vec<i64>> {
        self.tx()?.newest(spaces)
    }

    fn endpoints(&mut self, space: Space) -> Kept<Arc<[WebhookEndpoint]>> {
        self.tx()?.endpoints(space)
    }

    fn delivery(&mut self, space: Space, id: &DeliveryId) -> Kept<Option<Delivery>> {
        self.tx()?.delivery(space, id)
    }

    fn open_deliveries(&mut self, space: Space, event: i64) -> Kept<usize> {
        self.tx()?.open_deliveries(space, event)
    }

    fn queue(&mut self, space: Space, endpoint: &WebhookEndpointId) -> Kept<Option<Queue>> {
        self.tx()?.queue(space, endpoint)
    }

    fn deliveries(&mut self, space: Space, page: &DeliveryPage) -> Kept<Page<Delivery>> {
        self.tx()?.deliveries(space, page)
    }

    fn due_deliveries(
        &mut self,
        space: Space,
        endpoint: &WebhookEndpointId,
        now: Time,
        most: usize,
    ) -> Kept<Vec<Delivery>> {
        self.tx()?.due_deliveries(space, endpoint, now, most)
    }

    fn queues_due(&mut self, server: &str, now: Time, most: usize) -> Kept<Vec<(Space, Queue)>> {
        self.tx()?.queues_due(server, now, most)
    }

    fn old_deliveries(&mut self, before: Time, most: usize) -> Kept<Vec<(Space, DeliveryId)>> {
        self.tx()?.old_deliveries(before, most)
    }

    fn reply(&mut self, space: Space, key: &str) -> Kept<Option<KeptReply>> {
        self.tx()?.reply(space, key)
    }

    fn old_replies(&mut self, before: Time, most: usize) -> Kept<Vec<(Space, String)>> {
        self.tx()?.old_replies(before, most)
    }

    fn object(&mut self, space: Space, kind: ObjectKind, id: &str) -> Kept<Option<Object>> {
        self.tx()?.object(space, kind, id)
    }

    fn short_list(&mut self, space: Space, list: List) -> Kept<Vec<Object>> {
        self.tx()?.short_list(space, list)
    }

    fn objects(&mut self, space: Space, page: &ObjectPage) -> Kept<Page<Object>> {
        self.tx()?.objects(space, page)
    }

    fn api_key(&mut self, space: Space, digest: &KeyDigest) -> Kept<Option<ApiKey>> {
        self.tx()?.api_key(space, digest)
    }

    fn accounts(&mut self) -> Kept<Vec<Account>> {
        self.read(|read| read.accounts())
    }

    fn customers(&mut self, space: Space, page: &CustomerPage) -> Kept<Page<Customer>> {
        self.read(|read| read.customers(space, page))
    }

    fn search(&mut self, space: Space, query: &Query, after: Option<&Place>, limit: usize) -> Kept<Page<Customer>> {
        self.read(|read| read.search(space, query, after, limit))
    }

    fn count(&mut self, space: Space, query: &Query, most: usize) -> Kept<usize> {
        self.read(|read| read.count(space, query, most))
    }

    fn marked(&mut self, space: Space, mark: &Mark) -> Kept<Option<CustomerId>> {
        self.read(|read| read.marked(space, mark))
    }

    fn balance_transactions(&mut self, space: Space, page: &BalancePage) -> Kept<Page<BalanceTransaction>> {
        self.read(|read| read.balance_transactions(space, page))
    }

    fn events(&mut self, space: Space, page: &EventPage) -> Kept<Page<Event>> {
        self.read(|read| read.events(space, page))
    }

    fn event_places(&mut self, space: Space, after: i64, kinds: &[EventKind], most: usize) -> Kept<Vec<i64>> {
        self.read(|read| read.event_places(space, after, kinds, most))
    }

    fn api_keys(&mut self) -> Kept<Vec<ApiKey>> {
        self.read(|read| read.api_keys())
    }
}
