//! Webhook endpoints, as far as Stripe's API has no words for them: the roll of a signing secret.

use super::failure::{Halt, Refusal};
use super::webhook_deliveries::refused;
use super::{Call, shown};
use crate::domain::ids::WebhookEndpointId;
use crate::domain::webhook::MAX_OVERLAP_SECONDS;
use crate::engine::webhook_endpoints;
use crate::http::Reply;
use crate::http::json::{Json, Object};
use crate::rfc3339;

/// `POST /cusp/v1/webhook_endpoints/{id}/roll_secret`: gives an endpoint a new secret and shows it, once. The one that it had
/// goes on signing beside it for `overlap_seconds`, a day if nothing is said; with 0 every earlier secret ends at once.
pub async fn roll_secret(mut call: Call) -> Result<Reply, Halt> {
    let overlap = call.read(|given| given.whole("overlap_seconds", 0..=MAX_OVERLAP_SECONDS))?;
    let id = WebhookEndpointId(call.part(0)?);
    if call.cusp.app.secrets_key().is_none() {
        return Err(no_secrets_key().into());
    }
    let overlap_millis = overlap.unwrap_or(MAX_OVERLAP_SECONDS) * 1000;
    let rolled = call.cusp.app.transact(call.account.clone(), call.cause(), move |tx, ctx| {
        let until = (overlap_millis > 0).then(|| ctx.now.plus_millis(overlap_millis));
        Ok((webhook_endpoints::roll(tx, ctx, &id, until)?, until))
    });
    let (endpoint, until) = rolled.await.map_err(|stop| Halt::of(stop, refused))?;
    let Some(key) = call.cusp.app.secrets_key() else { return Err(no_secrets_key().into()) };
    let events = endpoint.enabled_events.iter().map(Json::from).collect();
    Ok(shown(
        Object::new()
            .and("id", endpoint.id.0)
            .and("object", "webhook_endpoint")
            .and("url", endpoint.url)
            .and("enabled_events", Json::List(events))
            .and("status", if endpoint.enabled { "enabled" } else { "disabled" })
            .and("secret", key.webhook_secret(&endpoint.salt).to_string())
            .and("former_secret_expires_at", until.map(rfc3339::text)),
    ))
}

fn no_secrets_key() -> Refusal {
    Refusal::new(
        400,
        "no_secrets_key",
        "The server has no key to make signing secrets from. Whoever runs it gives it one with --secrets-key-file.",
    )
}
