//! What can be looked at in one transaction: single records here, pages in `list`.

use std::sync::Arc;

use rusqlite::types::ValueRef;
use rusqlite::{Params, Row};

use super::files::trouble;
use super::tx::SqliteTx;
use super::{deliveries, list, objects, reply};
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
use crate::store::record::{
    Unreadable, read_account, read_api_key, read_balance_transaction, read_customer, read_event,
};
use crate::store::{Failure, Kept, KeptReply, Read, endpoints_among};

impl SqliteTx<'_> {
    /// The first row of a statement, read by `read`. `doing` says what we were doing.
    pub(super) fn find<T>(
        &self,
        doing: &str,
        sql: &str,
        parameters: impl Params,
        read: impl FnOnce(&Row<'_>) -> Kept<T>,
    ) -> Kept<Option<T>> {
        let mut statement = self.connection.prepare_cached(sql).map_err(trouble(doing))?;
        let mut rows = statement.query(parameters).map_err(trouble(doing))?;
        rows.next().map_err(trouble(doing))?.map(read).transpose()
    }

    /// Every row of a statement, read by `read`.
    pub(super) fn find_all<T>(
        &self,
        doing: &str,
        sql: &str,
        parameters: impl Params,
        mut read: impl FnMut(&Row<'_>) -> Kept<T>,
    ) -> Kept<Vec<T>> {
        let mut statement = self.connection.prepare_cached(sql).map_err(trouble(doing))?;
        let mut rows = statement.query(parameters).map_err(trouble(doing))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(trouble(doing))? {
            found.push(read(row)?);
        }
        Ok(found)
    }
}

/// The record in the text at `column`.
pub(super) fn body<T>(
    row: &Row<'_>,
    column: usize,
    doing: &str,
    read: impl FnOnce(&str) -> Result<T, Unreadable>,
) -> Kept<T> {
    let value = row.get_ref(column).map_err(trouble(doing))?;
    let text = match value {
        ValueRef::Text(bytes) => std::str::from_utf8(bytes).map_err(|_| Unreadable::NoShape),
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Blob(_) => Err(Unreadable::NoShape),
    };
    text.and_then(read).map_err(|cause| Failure::broken(doing, cause))
}

/// The number at `column`.
pub(super) fn number(row: &Row<'_>, column: usize, doing: &str) -> Kept<i64> {
    row.get(column).map_err(trouble(doing))
}

impl Read for SqliteTx<'_> {
    fn account(&mut self, space: Space) -> Kept<Option<Account>> {
        let doing = "reading an account";
        self.find(doing, "SELECT body FROM accounts WHERE account = ?1", [space.0], |row| {
            body(row, 0, doing, |text| read_account(space, text))
        })
    }

    fn accounts(&mut self) -> Kept<Vec<Account>> {
        let doing = "reading every account";
        let mut accounts = self.find_all(doing, "SELECT account, body FROM accounts", [], |row| {
            let space = Space(number(row, 0, doing)?);
            body(row, 1, doing, |text| read_account(space, text))
        })?;
        accounts.sort_by(|one, two| (&one.id, one.mode).cmp(&(&two.id, two.mode)));
        Ok(accounts)
    }

    fn customer(&mut self, space: Space, id: &CustomerId) -> Kept<Option<Customer>> {
        let doing = "reading a customer";
        let sql = "SELECT body, rowid FROM customers WHERE account = ?1 AND id = ?2";
        let found = self.find(doing, sql, (space.0, id.as_str()), |row| {
            Ok((body(row, 0, doing, read_customer)?, number(row, 1, doing)?))
        })?;
        Ok(found.map(|(customer, place)| {
            self.note(space, id, place);
            customer
        }))
    }

    fn customers(&mut self, space: Space, page: &CustomerPage) -> Kept<Page<Customer>> {
        list::customers(self, space, page)
    }

    fn search(&mut self, space: Space, query: &Query, after: Option<&Place>, limit: usize) -> Kept<Page<Customer>> {
        list::search(self, space, query, after, limit)
    }

    fn count(&mut self, space: Space, query: &Query, most: usize) -> Kept<usize> {
        list::count(self, space, query, most)
    }

    fn marked(&mut self, space: Space, mark: &Mark) -> Kept<Option<CustomerId>> {
        let doing = "looking up a mark";
        let sql = "SELECT id FROM customer_terms WHERE account = ?1 AND term = ?2";
        let candidates = self
            .find_all(doing, sql, (space.0, mark.digest()), |row| row.get(0).map(CustomerId).map_err(trouble(doing)))?;
        for id in candidates {
            if self.customer(space, &id)?.is_some_and(|customer| customer.has(mark)) {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    fn balance_transaction(
        &mut self,
        space: Space,
        customer: &CustomerId,
        id: &BalanceTransactionId,
    ) -> Kept<Option<BalanceTransaction>> {
        let doing = "reading a balance transaction";
        let sql = "SELECT body FROM balance_transactions WHERE account = ?1 AND id = ?2 AND customer = ?3";
        let parameters = (space.0, id.as_str(), customer.as_str());
        self.find(doing, sql, parameters, |row| body(row, 0, doing, read_balance_transaction))
    }

    fn balance_transactions(&mut self, space: Space, page: &BalancePage) -> Kept<Page<BalanceTransaction>> {
        list::balance_transactions(self, space, page)
    }

    fn event(&mut self, space: Space, id: &EventId) -> Kept<Option<Event>> {
        let doing = "reading an event";
        let sql = "SELECT seq, body FROM events WHERE account = ?1 AND id = ?2";
        self.find(doing, sql, (space.0, id.as_str()), |row| {
            let sequence = number(row, 0, doing)?;
            body(row, 1, doing, |text| read_event(sequence, text))
        })
    }

    fn events(&mut self, space: Space, page: &EventPage) -> Kept<Page<Event>> {
        list::events(self, space, page)
    }

    fn event_places(&mut self, space: Space, after: i64, kinds: &[EventKind], most: usize) -> Kept<Vec<i64>> {
        list::event_places(self, space, after, kinds, most)
    }

    fn newest(&mut self, spaces: &[Space]) -> Kept<Vec<i64>> {
        let doing = "looking for the newest events";
        let sql = "SELECT seq FROM events WHERE account = ?1 ORDER BY seq DESC LIMIT 1";
        let newest = |space: &Space| Ok(self.find(doing, sql, [space.0], |row| number(row, 0, doing))?.unwrap_or(0));
        spaces.iter().map(newest).collect()
    }

    fn endpoints(&mut self, space: Space) -> Kept<Arc<[WebhookEndpoint]>> {
        if let Some(known) = self.known_endpoints(space) {
            return Ok(known);
        }
        let list = List::all(ObjectKind::WebhookEndpoint);
        let endpoints = endpoints_among(&objects::short_list(self, space, list)?)?;
        self.know_endpoints(space, &endpoints);
        Ok(endpoints)
    }

    fn delivery(&mut self, space: Space, id: &DeliveryId) -> Kept<Option<Delivery>> {
        deliveries::read(self, space, id)
    }

    fn deliveries(&mut self, space: Space, page: &DeliveryPage) -> Kept<Page<Delivery>> {
        deliveries::page(self, space, page)
    }

    fn open_deliveries(&mut self, space: Space, event: i64) -> Kept<usize> {
        deliveries::open(self, space, event)
    }

    fn due_deliveries(
        &mut self,
        space: Space,
        endpoint: &WebhookEndpointId,
        now: Time,
        most: usize,
    ) -> Kept<Vec<Delivery>> {
        deliveries::due(self, space, endpoint, now, most)
    }

    fn queue(&mut self, space: Space, endpoint: &WebhookEndpointId) -> Kept<Option<Queue>> {
        deliveries::queue(self, space, endpoint)
    }

    fn queues_due(&mut self, server: &str, now: Time, most: usize) -> Kept<Vec<(Space, Queue)>> {
        deliveries::queues_due(self, server, now, most)
    }

    fn old_deliveries(&mut self, before: Time, most: usize) -> Kept<Vec<(Space, DeliveryId)>> {
        deliveries::old(self, before, most)
    }

    fn reply(&mut self, space: Space, key: &str) -> Kept<Option<KeptReply>> {
        reply::read(self, space, key)
    }

    fn old_replies(&mut self, before: Time, most: usize) -> Kept<Vec<(Space, String)>> {
        reply::old(self, before, most)
    }

    fn object(&mut self, space: Space, kind: ObjectKind, id: &str) -> Kept<Option<Object>> {
        objects::read(self, space, kind, id)
    }

    fn short_list(&mut self, space: Space, list: List) -> Kept<Vec<Object>> {
        objects::short_list(self, space, list)
    }

    fn objects(&mut self, space: Space, page: &ObjectPage) -> Kept<Page<Object>> {
        objects::objects(self, space, page)
    }

    fn api_key(&mut self, space: Space, digest: &KeyDigest) -> Kept<Option<ApiKey>> {
        let doing = "reading an API key";
        let sql = "SELECT body FROM api_keys WHERE account = ?1 AND digest = ?2";
        self.find(doing, sql, (space.0, digest), |row| body(row, 0, doing, |text| read_api_key(*digest, text)))
    }

    fn api_keys(&mut self) -> Kept<Vec<ApiKey>> {
        let doing = "reading every API key";
        let mut keys = self.find_all(doing, "SELECT digest, body FROM api_keys", [], |row| {
            let digest = row.get(0).map_err(trouble(doing))?;
            body(row, 1, doing, |text| read_api_key(digest, text))
        })?;
        keys.sort_by(|one, two| (one.created, &one.digest).cmp(&(two.created, &two.digest)));
        Ok(keys)
    }
}
