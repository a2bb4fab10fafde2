//! Webhook endpoints: create, read, update, roll, delete, list.

use std::sync::Arc;

use super::{Ctx, Done, objects, tell};
use crate::domain::account::{Account, Space};
use crate::domain::delivery::Queue;
use crate::domain::event::{Happening, ObjectChange};
use crate::domain::facts::Facts;
use crate::domain::ids::WebhookEndpointId;
use crate::domain::problem::Problem;
use crate::domain::time::Time;
use crate::domain::webhook::{MAX_ENDPOINTS, NewWebhookEndpoint, Salt, WebhookEndpoint, WebhookEndpointChange};
use crate::store::{Kept, Read, Tx};

/// Makes an endpoint and the queue of what will be sent to it. Nothing is told of it.
pub fn create(tx: &mut dyn Tx, ctx: &Ctx<'_>, wish: NewWebhookEndpoint) -> Done<WebhookEndpoint> {
    if tx.endpoints(ctx.account.space)?.len() >= MAX_ENDPOINTS {
        return Err(Problem::TooManyWebhookEndpoints.into());
    }
    let made = WebhookEndpoint::new(wish, WebhookEndpointId::mint(ctx.ids, ctx.now), salt(ctx), ctx.now)?;

    objects::put(tx, ctx, None, &made.clone().into())?;
    tx.put_queue(ctx.account.space, &Queue::new(made.id.clone()))?;
    Ok(made)
}

/// What a new secret is made from.
fn salt(ctx: &Ctx<'_>) -> Salt {
    let mut bytes = [0; 32];
    ctx.ids.random(&mut bytes);
    Salt(bytes)
}

/// An endpoint.
pub fn read(read: &mut dyn Read, account: &Account, id: &WebhookEndpointId) -> Done<WebhookEndpoint> {
    let found = objects::webhook_endpoint(read, account.space, id)?;
    Ok(found.ok_or_else(|| Problem::NoSuchWebhookEndpoint(id.clone()))?)
}

/// Changes an endpoint. Nothing is told of it. One that is enabled again has not failed yet.
pub fn update(
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    id: &WebhookEndpointId,
    change: WebhookEndpointChange,
) -> Done<WebhookEndpoint> {
    let before = read(tx, ctx.account, id)?;
    let queue = tx.queue(ctx.account.space, id)?;
    let after = before.with(change)?;
    if after == before {
        return Ok(after);
    }

    let enabled_again = after.enabled && !before.enabled;
    objects::put(tx, ctx, Some(&before.into()), &after.clone().into())?;
    if let Some(queue) = queue.filter(|queue| enabled_again && queue.failing_since.is_some()) {
        tx.put_queue(ctx.account.space, &Queue { failing_since: None, ..queue })?;
    }
    Ok(after)
}

/// Gives the endpoint a new secret; those that it had go on signing beside it, the latest until `overlap_until`, or end now.
pub fn roll(
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    id: &WebhookEndpointId,
    overlap_until: Option<Time>,
) -> Done<WebhookEndpoint> {
    let before = read(tx, ctx.account, id)?;
    let after = before.rolled(salt(ctx), overlap_until, ctx.now)?;
    objects::put(tx, ctx, Some(&before.into()), &after.clone().into())?;
    Ok(after)
}

/// Removes an endpoint. What was to be sent to it is canceled when its turn comes.
pub fn delete(tx: &mut dyn Tx, ctx: &Ctx<'_>, id: &WebhookEndpointId) -> Done<()> {
    let endpoint = read(tx, ctx.account, id)?;
    Ok(objects::remove(tx, ctx, &endpoint.into())?)
}

/// Disables an endpoint that does not answer, and tells of it; `false` when it is gone or disabled already.
pub fn give_up(tx: &mut dyn Tx, ctx: &Ctx<'_>, id: &WebhookEndpointId) -> Kept<bool> {
    let found = objects::webhook_endpoint(tx, ctx.account.space, id)?.filter(|endpoint| endpoint.enabled);
    let Some(before) = found else { return Ok(false) };
    let after = WebhookEndpoint { enabled: false, ..before.clone() };
    let (before, after) = (Facts::from(before), Facts::from(after));
    objects::put(tx, ctx, Some(&before), &after)?;
    tell(tx, ctx, Happening::Object { change: ObjectChange::Updated { before, after }, beside: Vec::new() })?;
    Ok(true)
}

/// Every endpoint of an account, newest first.
pub fn every(read: &mut dyn Read, space: Space) -> Kept<Arc<[WebhookEndpoint]>> {
    read.endpoints(space)
}
