//! The delivery log: what was or is to be sent to webhook endpoints, with what was sent and what came back; and sending by
//! hand.

use super::failure::{Halt, Refusal, shortened};
use super::{Call, Cusp, shown};
use crate::domain::account::Account;
use crate::domain::api_key::{Access, Resource};
use crate::domain::delivery::{Attempt, Delivery, DeliveryPage, DeliveryState, Outcome};
use crate::domain::event::Event;
use crate::domain::ids::{DeliveryId, EventId, WebhookEndpointId};
use crate::domain::page::{MAX_LIMIT, Page};
use crate::domain::problem::Problem;
use crate::domain::time::Time;
use crate::domain::webhook::{MAX_FORMER, WebhookEndpoint};
use crate::engine::{deliveries, webhook_endpoints};
use crate::http::Reply;
use crate::http::json::{Json, Object};
use crate::rfc3339;

/// How many deliveries a page has when the caller does not say.
const DEFAULT_LIMIT: i64 = 10;

/// `GET /cusp/v1/webhook_deliveries`
pub async fn list(mut call: Call) -> Result<Reply, Halt> {
    let (endpoint, event, state, limit, after) = call.read(|given| {
        let state = given.one_of("state", DeliveryState::ALL, DeliveryState::as_str)?;
        let limit = given.whole("limit", 1..=MAX_LIMIT as i64)?.unwrap_or(DEFAULT_LIMIT);
        Ok((given.text("endpoint")?, given.text("event")?, state, limit, given.text("starting_after")?))
    })?;
    let endpoint = endpoint.map(WebhookEndpointId);
    let (event, after) = (event.map(EventId), after.map(DeliveryId));
    let account = call.account.clone();
    let listed = call.cusp.app.scan(move |read| {
        let event = match &event {
            Some(id) => {
                let found = read.event(account.space, id)?;
                Some(found.ok_or_else(|| no_such_event(id).about("event"))?.sequence)
            }
            None => None,
        };
        let after = match &after {
            Some(id) => {
                let found = read.delivery(account.space, id)?;
                let found = found.ok_or_else(|| no_such_delivery(id).about("starting_after"))?;
                Some((found.sequence, found.id))
            }
            None => None,
        };
        // The bounds keep the number within 1 and 100.
        let page = DeliveryPage { endpoint: endpoint.clone(), event, state, after, limit: limit as usize };
        deliveries::list(read, &account, &page).map_err(|stop| Halt::of(stop, refused))
    });
    let Page { items, has_more } = listed.await?;
    let now = call.cusp.app.now();
    let items = items.iter().map(|delivery| object(delivery, now).into()).collect();
    Ok(shown(Object::new().and("object", "list").and("data", Json::List(items)).and("has_more", has_more)))
}

/// `GET /cusp/v1/webhook_deliveries/{id}`, with what was sent and what came back. What was sent is told as the event is told
/// now; only the count of webhooks that are still to be delivered may have been another one.
pub async fn retrieve(mut call: Call) -> Result<Reply, Halt> {
    call.read(|_| Ok(()))?;
    // The body is the event.
    if !call.key.allows(Resource::Event, Access::Read) {
        return Err(Refusal::no_permission(Resource::Event, Access::Read).into());
    }
    let id = DeliveryId(call.part(0)?);
    let account = call.account.clone();
    let found = call.cusp.app.look(move |read| {
        let delivery = deliveries::read(read, &account, &id).map_err(|stop| Halt::of(stop, refused))?;
        let endpoints = webhook_endpoints::every(read, account.space)?;
        let event = read.event(account.space, &delivery.event)?;
        let pending = read.open_deliveries(account.space, delivery.sequence)?;
        let endpoint = endpoints.iter().find(|endpoint| endpoint.id == delivery.endpoint).cloned();
        Ok::<_, Halt>((delivery, endpoint, event, pending))
    });
    let (delivery, endpoint, event, pending) = found.await?;
    let mut whole = object(&delivery, call.cusp.app.now());
    let (request, response) = match &delivery.latest {
        Some(attempt) => {
            let body = event.map(|event| body(&call.cusp, &call.account, &event, endpoint.as_ref(), pending));
            (Some(request(&call.cusp, attempt, body)), response(attempt))
        }
        None => (None, None),
    };
    whole.add("request", request);
    whole.add("response", response);
    Ok(shown(whole))
}

/// `POST /cusp/v1/webhook_deliveries/{id}/retry`
pub async fn retry(mut call: Call) -> Result<Reply, Halt> {
    call.read(|_| Ok(()))?;
    let id = DeliveryId(call.part(0)?);
    let (account, cause) = (call.account.clone(), call.cause());
    let delivery = call.cusp.app.transact(account, cause, move |tx, ctx| deliveries::retry(tx, ctx, &id)).await;
    let delivery = delivery.map_err(|stop| Halt::of(stop, refused))?;
    Ok(shown(object(&delivery, call.cusp.app.now())))
}

/// `POST /cusp/v1/events/{id}/resend`
pub async fn resend(mut call: Call) -> Result<Reply, Halt> {
    let endpoint = call.read(|given| {
        let endpoint = given.text("webhook_endpoint")?;
        given.needed("webhook_endpoint", endpoint)
    })?;
    // Whose endpoint it is gets to read the event.
    if !call.key.allows(Resource::Event, Access::Read) {
        return Err(Refusal::no_permission(Resource::Event, Access::Read).into());
    }
    let (id, endpoint) = (EventId(call.part(0)?), WebhookEndpointId(endpoint));
    let named = endpoint.clone();
    let sent = call.cusp.app.transact(call.account.clone(), call.cause(), move |tx, ctx| {
        let since = ctx.now.plus_millis(-deliveries::KEPT_FOR_MILLIS);
        deliveries::resend(tx, ctx, &id, since, &endpoint)
    });
    let refused = |problem| match problem {
        Problem::NoSuchWebhookEndpoint(_) => no_such_endpoint(&named).about("webhook_endpoint"),
        Problem::WebhookEndpointDisabled(_) => disabled(&named).about("webhook_endpoint"),
        problem => refused(problem),
    };
    let delivery = sent.await.map_err(|stop| Halt::of(stop, refused))?;
    Ok(shown(object(&delivery, call.cusp.app.now())))
}

/// The words for what keeps a webhook, or a secret of webhooks, from being as it was asked for.
pub(super) fn refused(problem: Problem) -> Refusal {
    match problem {
        Problem::NoSuchDelivery(id) => no_such_delivery(&id),
        Problem::NoSuchWebhookEndpoint(id) => no_such_endpoint(&id),
        Problem::NoSuchEvent(id) => no_such_event(&id),
        Problem::WebhookEndpointDisabled(id) => disabled(&id),
        Problem::TooManySecrets(id) => {
            let id = shortened(id.as_str());
            let message = format!(
                "The webhook endpoint `{id}` signs with {MAX_FORMER} former secrets already: wait until one ends, or end \
                 all of them with `overlap_seconds` 0."
            );
            Refusal::new(409, "too_many_secrets", message)
        }
        // The verbs that are run here have no others.
        _ => Refusal::broken(),
    }
}

fn no_such_delivery(id: &DeliveryId) -> Refusal {
    let id = shortened(id.as_str());
    Refusal::new(404, "no_such_webhook_delivery", format!("There is no webhook delivery `{id}`."))
}

fn no_such_endpoint(id: &WebhookEndpointId) -> Refusal {
    let id = shortened(id.as_str());
    Refusal::new(404, "no_such_webhook_endpoint", format!("There is no webhook endpoint `{id}`."))
}

fn no_such_event(id: &EventId) -> Refusal {
    let id = shortened(id.as_str());
    Refusal::new(404, "no_such_event", format!("There is no event `{id}`, or it is older than 30 days."))
}

fn disabled(id: &WebhookEndpointId) -> Refusal {
    let id = shortened(id.as_str());
    let message = format!("The webhook endpoint `{id}` is disabled: enable it to send events to it.");
    Refusal::new(409, "webhook_endpoint_disabled", message)
}

/// A delivery without what was sent and what came back. What is overdue is to be sent now.
fn object(delivery: &Delivery, now: Time) -> Object {
    let Delivery {
        id,
        endpoint,
        event,
        sequence: _,
        event_type,
        about: _,
        created,
        by_hand,
        state,
        due,
        attempts,
        latest,
    } = delivery;
    let latest = latest.as_ref().map(|attempt| {
        let Attempt { at, took_millis, url, outcome } = attempt;
        let (status, failure) = match outcome {
            Outcome::Answered { status, .. } => (Some(i64::from(*status)), None),
            Outcome::Unanswered(reason) => (None, Some(reason)),
        };
        Object::new()
            .and("at", rfc3339::text(*at))
            .and("took_milliseconds", *took_millis)
            .and("url", url)
            .and("status", status)
            .and("failure", failure)
    });
    Object::new()
        .and("id", id.as_str().to_owned())
        .and("object", "webhook_delivery")
        .and("endpoint", endpoint.as_str().to_owned())
        .and("event", event.as_str().to_owned())
        .and("type", event_type)
        .and("created", rfc3339::text(*created))
        .and("state", state.as_str())
        .and("by_hand", *by_hand)
        .and("attempts", i64::from(*attempts))
        .and("next_attempt_at", due.map(|due| rfc3339::text(due.max(now))))
        .and("latest_attempt", latest)
}

/// What was sent. Of the signature, whose secret the caller may not know, only that there was one.
fn request(cusp: &Cusp, attempt: &Attempt, body: Option<String>) -> Object {
    let headers = cusp.webhook_headers.iter().map(|(name, value)| pair(name, value));
    let signature = pair("stripe-signature", "(not shown)");
    Object::new()
        .and("method", "POST")
        .and("url", &attempt.url)
        .and("headers", Json::List(headers.chain([signature]).collect()))
        .and("body", body)
}

/// The event in the version of its endpoint; in the account's, when the endpoint is gone.
fn body(cusp: &Cusp, account: &Account, event: &Event, endpoint: Option<&WebhookEndpoint>, pending: usize) -> String {
    let version = endpoint.and_then(|endpoint| endpoint.api_version.as_deref());
    String::from_utf8_lossy(&cusp.render.render(event, account, version, pending)).into_owned()
}

fn response(attempt: &Attempt) -> Option<Object> {
    match &attempt.outcome {
        Outcome::Answered { status, headers, body, truncated } => Some(
            Object::new()
                .and("status", i64::from(*status))
                .and("headers", Json::List(headers.iter().map(|(name, value)| pair(name, value)).collect()))
                .and("body", body)
                .and("truncated", *truncated),
        ),
        Outcome::Unanswered(_) => None,
    }
}

fn pair(name: &str, value: &str) -> Json {
    Object::new().and("name", name.to_owned()).and("value", value.to_owned()).into()
}
