//! Deliveries to webhook endpoints, and the queues that they wait in.

use rusqlite::Row;

use super::files::trouble;
use super::read::{body, number};
use super::tx::SqliteTx;
use crate::domain::account::Space;
use crate::domain::delivery::{Delivery, DeliveryPage, DeliveryState, Lease, Queue};
use crate::domain::ids::{DeliveryId, WebhookEndpointId};
use crate::domain::page::Page;
use crate::domain::time::Time;
use crate::store::record::{read_delivery, write_delivery};
use crate::store::{Kept, NEVER, later, moment};

fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

fn delivery(row: &Row<'_>) -> Kept<Delivery> {
    body(row, 0, "reading a delivery", read_delivery)
}

pub(super) fn read(tx: &SqliteTx<'_>, space: Space, id: &DeliveryId) -> Kept<Option<Delivery>> {
    let sql = "SELECT body FROM webhook_deliveries WHERE account = ?1 AND id = ?2";
    tx.find("reading a delivery", sql, (space.0, id.as_str()), delivery)
}

macro_rules! page {
    ($of:literal) => {
        concat!(
            "SELECT body FROM webhook_deliveries WHERE account = ?1 AND ",
            $of,
            " AND (?3 IS NULL OR state = ?3) AND (event, id) < (?4, ?5) ORDER BY event DESC, id DESC LIMIT ?6"
        )
    };
}

const OF_EVENT: &str = page!("event = ?2 AND (?7 IS NULL OR endpoint = ?7)");
const OF_ENDPOINT: &str = page!("endpoint = ?2");
const OF_ALL: &str = page!("?2 = 0");
const OPEN: &str = "SELECT count(*) FROM webhook_deliveries WHERE account = ?1 AND event = ?2 AND state = 'pending'";
const NOT_SUCCEEDED: &str =
    "SELECT 1 FROM webhook_deliveries WHERE account = ?1 AND event = ?2 AND state <> 'succeeded' LIMIT 1";
const DUE: &str = "SELECT body FROM webhook_deliveries WHERE account = ?1 AND endpoint = ?2 AND due <= ?3 \
                   AND due < 9223372036854775807 ORDER BY due, event, id LIMIT ?4";
const OLD: &str = "SELECT account, id FROM webhook_deliveries WHERE created < ?1 AND due = 9223372036854775807 \
                   ORDER BY created LIMIT ?2";
const QUEUES_DUE: &str = "SELECT account, endpoint, due, owner, leased, failing FROM webhook_queues WHERE due <= ?1 \
                          AND due < 9223372036854775807 AND (owner = ?2 OR leased <= ?1) ORDER BY due LIMIT ?3";

/// Every statement that walks along an index.
#[cfg(test)]
pub(super) const EVERY_WALK: [&str; 8] = [OF_EVENT, OF_ENDPOINT, OF_ALL, OPEN, NOT_SUCCEEDED, DUE, OLD, QUEUES_DUE];

pub(super) fn page(tx: &SqliteTx<'_>, space: Space, page: &DeliveryPage) -> Kept<Page<Delivery>> {
    let doing = "listing deliveries";
    let DeliveryPage { endpoint, event, state, after, limit: most } = page;
    let state = state.map(DeliveryState::as_str);
    let (place, id) = after.as_ref().map_or((i64::MAX, "\u{10ffff}"), |(event, id)| (*event, id.as_str()));
    let most_rows = limit(*most).saturating_add(1);
    let mut items = match (endpoint, event) {
        (_, Some(event)) => {
            let endpoint = endpoint.as_ref().map(WebhookEndpointId::as_str);
            tx.find_all(doing, OF_EVENT, (space.0, event, state, place, id, most_rows, endpoint), delivery)?
        }
        (Some(endpoint), None) => {
            tx.find_all(doing, OF_ENDPOINT, (space.0, endpoint.as_str(), state, place, id, most_rows), delivery)?
        }
        (None, None) => tx.find_all(doing, OF_ALL, (space.0, 0, state, place, id, most_rows), delivery)?,
    };
    let has_more = items.len() > *most;
    items.truncate(*most);
    Ok(Page { items, has_more })
}

pub(super) fn open(tx: &SqliteTx<'_>, space: Space, event: i64) -> Kept<usize> {
    let doing = "counting deliveries";
    let count = tx.find(doing, OPEN, (space.0, event), |row| number(row, 0, doing))?;
    Ok(usize::try_from(count.unwrap_or_default()).unwrap_or_default())
}

/// Whether every delivery of an event has succeeded.
pub(super) fn all_succeeded(tx: &SqliteTx<'_>, space: Space, event: i64) -> Kept<bool> {
    Ok(tx.find("looking for deliveries", NOT_SUCCEEDED, (space.0, event), |_| Ok(()))?.is_none())
}

pub(super) fn due(
    tx: &SqliteTx<'_>,
    space: Space,
    endpoint: &WebhookEndpointId,
    now: Time,
    most: usize,
) -> Kept<Vec<Delivery>> {
    tx.find_all("looking for what is due", DUE, (space.0, endpoint.as_str(), now.0, limit(most)), delivery)
}

pub(super) fn put(tx: &SqliteTx<'_>, space: Space, delivery: &Delivery) -> Kept<()> {
    let doing = "writing a delivery";
    // The other columns never change.
    let sql = "INSERT INTO webhook_deliveries (account, id, endpoint, event, state, due, created, body) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (account, id) \
               DO UPDATE SET state = excluded.state, due = excluded.due, body = excluded.body";
    let (id, endpoint, state) = (delivery.id.as_str(), delivery.endpoint.as_str(), delivery.state.as_str());
    let (due, body) = (moment(delivery.due), write_delivery(delivery));
    tx.execute(doing, sql, (space.0, id, endpoint, delivery.sequence, state, due, delivery.created.0, body))?;
    if due < NEVER {
        let sql = "UPDATE webhook_queues SET due = ?3 WHERE account = ?1 AND endpoint = ?2 AND due > ?3";
        tx.execute("calling a queue", sql, (space.0, endpoint, due))?;
    }
    Ok(())
}

pub(super) fn forget(tx: &SqliteTx<'_>, space: Space, ids: &[DeliveryId]) -> Kept<()> {
    let sql = "DELETE FROM webhook_deliveries WHERE account = ?1 AND id = ?2 AND due = 9223372036854775807";
    ids.iter().try_for_each(|id| tx.execute("forgetting old deliveries", sql, (space.0, id.as_str())).map(drop))
}

pub(super) fn old(tx: &SqliteTx<'_>, before: Time, most: usize) -> Kept<Vec<(Space, DeliveryId)>> {
    let doing = "looking for old deliveries";
    tx.find_all(doing, OLD, (before.0, limit(most)), |row| {
        row.get(0).and_then(|account| Ok((Space(account), DeliveryId(row.get(1)?)))).map_err(trouble(doing))
    })
}

/// The queue of a row with its columns from `at` on.
fn queue_of(row: &Row<'_>, at: usize) -> Kept<Queue> {
    let doing = "reading a queue";
    let owner: String = row.get(at + 2).map_err(trouble(doing))?;
    let until = Time(number(row, at + 3, doing)?);
    Ok(Queue {
        endpoint: WebhookEndpointId(row.get(at).map_err(trouble(doing))?),
        due: later(number(row, at + 1, doing)?),
        lease: (!owner.is_empty()).then_some(Lease { owner, until }),
        failing_since: later(number(row, at + 4, doing)?),
    })
}

pub(super) fn queue(tx: &SqliteTx<'_>, space: Space, endpoint: &WebhookEndpointId) -> Kept<Option<Queue>> {
    let sql = "SELECT endpoint, due, owner, leased, failing FROM webhook_queues WHERE account = ?1 AND endpoint = ?2";
    tx.find("reading a queue", sql, (space.0, endpoint.as_str()), |row| queue_of(row, 0))
}

pub(super) fn queues_due(tx: &SqliteTx<'_>, server: &str, now: Time, most: usize) -> Kept<Vec<(Space, Queue)>> {
    let doing = "looking for queues";
    tx.find_all(doing, QUEUES_DUE, (now.0, server, limit(most)), |row| {
        Ok((Space(number(row, 0, doing)?), queue_of(row, 1)?))
    })
}

pub(super) fn put_queue(tx: &SqliteTx<'_>, space: Space, queue: &Queue) -> Kept<()> {
    let Queue { endpoint, due, lease, failing_since } = queue;
    let sql = "INSERT INTO webhook_queues (account, endpoint, due, owner, leased, failing) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (account, endpoint) DO UPDATE SET due = excluded.due, \
               owner = excluded.owner, leased = excluded.leased, failing = excluded.failing";
    let (owner, leased) = lease.as_ref().map_or(("", 0), |lease| (lease.owner.as_str(), lease.until.0));
    let parameters = (space.0, endpoint.as_str(), moment(*due), owner, leased, moment(*failing_since));
    tx.execute("writing a queue", sql, parameters).map(drop)
}
