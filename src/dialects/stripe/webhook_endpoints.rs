//! Webhook endpoints: docs.stripe.com/api/webhook_endpoints.

use super::customer_object::free_data;
use crate::domain::account::{Account, Mode};
use crate::domain::webhook::WebhookEndpoint;
use crate::http::json::{Json, Object};

/// A webhook endpoint. Its secret is shown only to who makes it.
pub fn object(endpoint: &WebhookEndpoint, account: &Account) -> Object {
    let WebhookEndpoint {
        id,
        created,
        url,
        enabled_events,
        api_version,
        description,
        metadata,
        enabled,
        salt: _,
        former: _,
    } = endpoint;
    Object::new()
        .and("id", id.as_str().to_owned())
        .and("object", "webhook_endpoint")
        .and("api_version", api_version.as_ref())
        .and("application", Json::Null)
        .and("created", created.seconds())
        .and("description", description.as_ref())
        .and("enabled_events", Json::List(enabled_events.iter().map(Json::from).collect()))
        .and("livemode", account.mode == Mode::Live)
        .and("metadata", free_data(metadata))
        .and("status", if *enabled { "enabled" } else { "disabled" })
        .and("url", url)
}
