//! Deliveries to webhook endpoints: what servers do with the queues, and what people ask for by hand.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::{Ctx, Done, events, webhook_endpoints};
use crate::domain::account::{Account, Space};
use crate::domain::delivery::{AT_ONCE, Attempt, Delivery, DeliveryPage, DeliveryState, Lease, News, Queue};
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

/// How many deliveries of an event are still to succeed.
pub fn open(read: &mut dyn Read, account: &Account, event: &Event) -> Kept<usize> {
    read.open_deliveries(account.space, event.sequence)
}

/// Has a delivery sent now, whatever became of it. One that is still pending keeps its place among the retries.
pub fn retry(tx: &mut dyn Tx, ctx: &Ctx<'_>, id: &DeliveryId) -> Done<Delivery> {
    let before = read(tx, ctx.account, id)?;
    let endpoint = webhook_endpoints::read(tx, ctx.account, &before.endpoint)?;
    if !endpoint.enabled {
        return Err(Problem::WebhookEndpointDisabled(endpoint.id).into());
    }
    let by_hand = before.by_hand || !before.is_open();
    let after = Delivery { by_hand, state: DeliveryState::Pending, due: Some(AT_ONCE), ..before };
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
) -> Done<Delivery> {
    let event = events::read(tx, ctx.account, event, since)?;
    let endpoint = webhook_endpoints::read(tx, ctx.account, endpoint)?;
    if !endpoint.enabled {
        return Err(Problem::WebhookEndpointDisabled(endpoint.id).into());
    }
    let made = Delivery::new(DeliveryId::mint(ctx.ids, ctx.now), endpoint.id, News::from(&event), ctx.now);
    let delivery = Delivery { by_hand: true, ..made };
    tx.put_delivery(ctx.account.space, &delivery)?;
    ctx.bell.ring();
    Ok(delivery)
}

/// Keeps what became of an event that a listening session was told: whoever listens sends by itself.
pub fn told_to_session(tx: &mut dyn Tx, ctx: &Ctx<'_>, delivery: &Delivery) -> Kept<()> {
    tx.put_delivery(ctx.account.space, delivery)
}

/// Takes the lease of a queue; `None` when another server has it, or there is no such queue any more.
pub fn lease(tx: &mut dyn Tx, ctx: &Ctx<'_>, endpoint: &WebhookEndpointId, lease: Lease) -> Kept<Option<Queue>> {
    let space = ctx.account.space;
    let found = tx.queue(space, endpoint)?.filter(|queue| queue.is_free_for(&lease.owner, ctx.now));
    let Some(queue) = found else { return Ok(None) };
    let queue = Queue { lease: Some(lease), ..queue };
    tx.put_queue(space, &queue)?;
    Ok(Some(queue))
}

/// When deliveries that failed are tried again, and when an endpoint is given up.
pub trait Rhythm {
    /// When a delivery made at `made` is tried again that has failed for the `failures`th time; `None` for never. `dice` is
    /// a random number.
    fn again(&self, made: Time, failures: u32, now: Time, dice: u64) -> Option<Time>;
    /// Whether an endpoint is disabled that has done nothing but fail since then.
    fn disables(&self, since: Time, now: Time) -> bool;
}

/// What a server has done with the queue of an endpoint.
#[derive(Clone, Debug)]
pub struct Report {
    /// Whose queue.
    pub endpoint: WebhookEndpointId,
    /// The server that has the lease.
    pub owner: String,
    /// For how long the lease is renewed.
    pub lease_millis: i64,
    /// What came of deliveries, in the order in which it did.
    pub ended: Vec<Ended>,
}

/// A delivery of which something came.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The delivery.
    pub delivery: DeliveryId,
    /// When it was made: a sandbox that was emptied may have another one of that id.
    pub made: Time,
    /// What came of it.
    pub end: End,
}

/// What came of a delivery.
#[derive(Clone, Debug)]
pub enum End {
    /// It was tried.
    Tried(Attempt),
    /// Its endpoint takes nothing any more, or there is nothing to tell.
    Canceled,
}

/// Records what came of deliveries, and renews the lease; `false` when another server has the queue by now. What was tried
/// is recorded all the same.
pub fn record(tx: &mut dyn Tx, ctx: &Ctx<'_>, report: &Report, rhythm: &dyn Rhythm) -> Done<bool> {
    let Report { endpoint, owner, lease_millis, ended } = report;
    let (space, now) = (ctx.account.space, ctx.now);
    // All that is to be looked up is asked for before an answer is needed.
    let queue = tx.queue(space, endpoint);
    let found: Vec<Kept<Option<Delivery>>> = ended.iter().map(|ended| tx.delivery(space, &ended.delivery)).collect();
    let (queue, found) = (queue?, found.into_iter().collect::<Kept<Vec<_>>>()?);
    let mut failing_since = queue.as_ref().and_then(|queue| queue.failing_since);
    for (delivery, Ended { delivery: _, made, end }) in found.into_iter().zip(ended) {
        let Some(delivery) = delivery.filter(|delivery| delivery.created == *made) else { continue };
        let after = match end {
            End::Canceled => delivery.canceled(),
            End::Tried(attempt) => {
                failing_since = match attempt.succeeded() {
                    true => None,
                    false => Some(failing_since.unwrap_or(attempt.at)),
                };
                let again = rhythm.again(delivery.created, delivery.attempts.saturating_add(1), now, dice(&delivery));
                delivery.tried(attempt.clone(), again)
            }
        };
        tx.put_delivery(space, &after)?;
    }
    let Some(queue) = queue else { return Ok(false) };
    let ours = queue.lease.as_ref().is_some_and(|lease| lease.owner == *owner);
    let lease = match ours {
        true => Some(Lease { owner: owner.clone(), until: now.plus_millis(*lease_millis) }),
        false => queue.lease,
    };
    // Read anew: what was just written may have called it.
    let due = tx.queue(space, endpoint)?.and_then(|queue| queue.due);
    let give_up = failing_since.is_some_and(|since| rhythm.disables(since, now));
    // An endpoint that is enabled again begins anew.
    let failing_since = failing_since.filter(|_| !give_up);
    tx.put_queue(space, &Queue { due, lease, failing_since, endpoint: queue.endpoint })?;
    if give_up {
        webhook_endpoints::give_up(tx, ctx, endpoint)?;
    }
    Ok(ours)
}

/// A number for the next wait of a delivery, each time another one: drawn from nothing that others draw from, since when
/// deliveries are recorded is chance.
fn dice(delivery: &Delivery) -> u64 {
    let mut hasher = DefaultHasher::new();
    (delivery.id.as_str(), delivery.attempts).hash(&mut hasher);
    hasher.finish()
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

/// The deliveries made before `now` less [`KEPT_FOR_MILLIS`] that are not to be sent, oldest first, at most `most`, by
/// account.
pub fn past(read: &mut dyn Read, now: Time, most: usize) -> Kept<BTreeMap<Space, Vec<DeliveryId>>> {
    let mut past: BTreeMap<Space, Vec<DeliveryId>> = BTreeMap::new();
    for (space, id) in read.old_deliveries(now.plus_millis(-KEPT_FOR_MILLIS), most)? {
        past.entry(space).or_default().push(id);
    }
    Ok(past)
}

/// Forgets these deliveries, but for those that are to be sent again by now.
pub fn forget(tx: &mut dyn Tx, space: Space, ids: &[DeliveryId]) -> Kept<()> {
    tx.forget_deliveries(space, ids)
}
