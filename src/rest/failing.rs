//! Requests that go wrong on purpose, where a test suite wants them to. Whatever goes wrong goes wrong as it does in earnest:
//! in the same words, and kept under an idempotency key or not.

use std::sync::Arc;

use super::call::{Call, Plan};
use super::idempotency::{Idempotent, refusing};
use super::read;
use super::refusal::Refusal;
use super::run::{Api, run};
use crate::failures::{Asked, Failures, Fault, Strike};
use crate::http::Reply;
use crate::http::given::Value;

/// Runs a request as the rules of its sandbox have it.
pub async fn run_or_fail(
    failures: &Failures,
    api: &Arc<Api>,
    call: &Arc<Call>,
    (method, path): (&str, &str),
    (query, json): &(String, Option<Value>),
    plan: Plan,
    idempotent: Option<&Idempotent>,
) -> Reply {
    let struck = {
        let param = |name: &str| text(query, json.as_ref(), name);
        failures
            .strike(call.account.space, &Asked { method, path, sent: &call.path, asks_issuer: false, param: &param })
    };
    let Some(Strike { fault, decline: _, delay }) = struck else { return run(api, call, plan, idempotent).await };
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let id = &call.request.0;
    match fault {
        // Nothing here asks an issuer, so no rule of one has hit.
        Fault::None | Fault::Decline => run(api, call, plan, idempotent).await,
        Fault::RateLimit => api.refuse(&Refusal::RateLimit { seconds: 1 }, id),
        Fault::LockTimeout => api.refuse(&Refusal::Busy, id),
        Fault::ApiError if call.reading => api.refuse(&Refusal::Broken, id),
        Fault::ApiError => run(api, call, refusing(Refusal::Broken), idempotent).await,
        // Until the client has had enough, or the time for any request is over.
        Fault::TimeoutBeforeCommit => std::future::pending().await,
        Fault::TimeoutAfterCommit => {
            run(api, call, plan, idempotent).await;
            std::future::pending().await
        }
        Fault::DisconnectBeforeCommit => Reply::none(),
        Fault::DisconnectAfterCommit => {
            run(api, call, plan, idempotent).await;
            Reply::none()
        }
    }
}

/// What a parameter of that name was given: of the query, or of the body, where inner names are behind dots or in brackets,
/// as `address.city` or `metadata[order]`.
fn text(query: &str, json: Option<&Value>, name: &str) -> Option<String> {
    if let Some((_, value)) = read::pairs(query).into_iter().find(|(known, _)| known == name) {
        return Some(value);
    }
    let mut value = json?;
    for part in name.split(['.', '[', ']']).filter(|part| !part.is_empty()) {
        value = match value {
            Value::Object(entries) => &entries.iter().find(|(key, _)| key == part)?.1,
            Value::List(items) => items.get(part.parse::<usize>().ok()?)?,
            Value::Null | Value::Flag(_) | Value::Whole(_) | Value::Number(_) | Value::Text(_) => return None,
        };
    }
    match value {
        Value::Text(text) | Value::Number(text) => Some(text.clone()),
        Value::Whole(number) => Some(number.to_string()),
        Value::Flag(flag) => Some(flag.to_string()),
        Value::Null | Value::List(_) | Value::Object(_) => None,
    }
}
