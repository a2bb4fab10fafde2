//! Deliveries to webhook endpoints: what servers do with the queues, and what people ask for by hand.

use super::{Ctx, Done, events, webhook_endpoints};
use crate::domain::account::{Account, Space};
use crate::domain::delivery::{Delivery, DeliveryPage, DeliveryState, Lease, News, Queue};
use crate::domain::event::Event;
use crate::domain::ids::{DeliveryId, EventId, WebhookEndpointId};
use crate::domain::page::Page;
use crate::domain::problem::Problem;
use crate::domain::time::Time;
use crate::store::{Kept, Read, Tx};

/// How long a delivery is kept after it was made: as long as its event can be retrieved.
pub const KEPT_FOR_MILLIS: i64 = 30 * 24 * 60 * 60 * 1000;

/// A delivery.
pub fn read(read: &mut dyn Read, account: &Account, id: &DeliveryId) -> Done<Delivery> {
    let found = read.delivery(account.space, id)?;
    Ok(found.ok_or_else(|| Problem::NoSuchDelivery(id.clone()))?)
}

/// A page of deliveries.
pub fn list(read: &mut dyn Read, account: &Account, page: &DeliveryPage) -> Done<Page<Delivery>> {
    Ok(read.deliveries(account.space, page)?)
}

/// Has a delivery sent now, whatever became of it. One that is still pending keeps its place among the retries.
pub fn retry(tx: &mut dyn Tx, ctx: &Ctx<'_>, id: &DeliveryId) -> Done<Delivery> {
    let before = read(tx, ctx.account, id)?;
    let endpoint = webhook_endpoints::read(tx, ctx.account, &before.endpoint)?;
    if !endpoint.enabled {
        return Err(Problem::WebhookEndpointDisabled(endpoint.id).into());
    }
    let by_hand = before.by_hand || !before.is_open();
    let after = Delivery { by_hand, state: DeliveryState::Pending, due: Some(ctx.now), ..before };
    tx.put_delivery(ctx.account.space, &after)?;
    ctx.bell.ring();
    Ok(after)
}

/// Has an event sent to an endpoint, whether the endpoint asked for such events or not.
pub fn resend(
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    event: &EventId,
    since: Time,
    endpoint: &WebhookEndpointId,
) -> Done<(Event, Delivery)> {
    let event = events::read(tx, ctx.account, event, since)?;
    let endpoint = webhook_endpoints::read(tx, ctx.account, endpoint)?;
    if !endpoint.enabled {
        return Err(Problem::WebhookEndpointDisabled(endpoint.id).into());
    }
    let made = Delivery::new(DeliveryId::mint(ctx.ids, ctx.now), endpoint.id, News::from(&event), ctx.now);
    let delivery = Delivery { by_hand: true, ..made };
    tx.put_delivery(ctx.account.space, &delivery)?;
    ctx.bell.ring();
    Ok((event, delivery))
}

/// Keeps what became of an event that a listening session was told: whoever listens sends by itself.
pub fn told_to_session(tx: &mut dyn Tx, ctx: &Ctx<'_>, delivery: &Delivery) -> Kept<()> {
    tx.put_delivery(ctx.account.space, delivery)
}

/// Takes or renews the lease of a queue; `None` when another server has it.
pub fn lease(
    tx: &mut dyn Tx,
    space: Space,
    endpoint: &WebhookEndpointId,
    now: Time,
    lease: Lease,
) -> Kept<Option<Queue>> {
    let queue = tx.queue(space, endpoint)?.unwrap_or_else(|| Queue::new(endpoint.clone()));
    if !queue.is_free_for(&lease.owner, now) {
        return Ok(None);
    }
    let queue = Queue { lease: Some(lease), ..queue };
    tx.put_queue(space, &queue)?;
    Ok(Some(queue))
}

/// Gives a queue back that this server works on, and notes when something in it is due next.
pub fn release(tx: &mut dyn Tx, space: Space, endpoint: &WebhookEndpointId, owner: &str) -> Kept<()> {
    let Some(queue) = tx.queue(space, endpoint)? else { return Ok(()) };
    if queue.lease.as_ref().is_none_or(|lease| lease.owner != owner) {
        return Ok(());
    }
    let next = tx.due_deliveries(space, endpoint, Time(i64::MAX), 1)?;
    let due = next.first().and_then(|delivery| delivery.due);
    tx.put_queue(space, &Queue { due, lease: None, ..queue })
}

/// The deliveries made before `now` less [`KEPT_FOR_MILLIS`] that are not to be sent, at most `most`.
pub fn past(read: &mut dyn Read, now: Time, most: usize) -> Kept<Vec<(Space, DeliveryId)>> {
    read.old_deliveries(now.plus_millis(-KEPT_FOR_MILLIS), most)
}
