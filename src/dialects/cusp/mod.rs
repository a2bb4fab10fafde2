//! Cusp's own API, for what Stripe's has no words for: JSON in, JSON out, under `/cusp/v1`, with the same keys. It is
//! strict: what it does not know it refuses by name. An operation is a row in `routes` and a function in its resource's file.

pub mod events;
pub mod failure;
pub mod failures;
pub mod fixtures;
pub mod input;
pub mod routes;
pub mod sandbox;
pub mod unit;
pub mod webhook_deliveries;
pub mod webhook_endpoints;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName};
use hyper::{Method, StatusCode};

use crate::app::{App, Caller, Closed};
use crate::domain::account::Account;
use crate::domain::api_key::{ApiKey, KeyKind};
use crate::domain::event::Cause;
use crate::domain::ids::RequestId;
use crate::feed::RenderEvent;
use crate::http::auth::{Presented, presented};
use crate::http::json::Object;
use crate::http::mounts::Api;
use crate::http::routes::{Found, Routes};
use crate::http::{Body, Dialect, Reply, Request};
use crate::settings::Openness;
use crate::store::Failure;
use events::streams::Streams;
use failure::{Halt, Refusal};
use fixtures::ReadFile;
use input::Given;
use routes::{OPERATIONS, Operation};

const STRIPE_ACCOUNT: HeaderName = HeaderName::from_static("stripe-account");
const STRIPE_CONTEXT: HeaderName = HeaderName::from_static("stripe-context");

/// What the operations work with.
pub struct Cusp {
    /// The program.
    pub app: Arc<App>,
    /// Who tells events in Stripe's words.
    pub render: Arc<dyn RenderEvent>,
    /// Who reads files of records.
    pub read_file: ReadFile,
    /// The streams that are open.
    pub streams: Arc<Streams>,
    /// The headers that every webhook is sent with, beside its signature.
    pub webhook_headers: &'static [(&'static str, &'static str)],
}

/// The dialect.
pub fn dialect(cusp: Cusp) -> Dialect {
    let files = (cusp.app.openness() == Openness::Dev).then_some(fixtures::FILES);
    let (cusp, routes) = (Arc::new(cusp), Arc::new(Routes::of(OPERATIONS)));
    Dialect {
        name: "cusp",
        api: Api::Cusp,
        answer: Arc::new(move |request| Box::pin(answer(cusp.clone(), routes.clone(), request))),
        confess: |trouble, request| Refusal::trouble(trouble).reply(Some(request)),
        files,
        document: None,
    }
}

/// A request that was understood as far as it is the same for every operation.
pub struct Call {
    /// What there is to work with.
    pub cusp: Arc<Cusp>,
    /// Whose records.
    pub account: Arc<Account>,
    /// By which key.
    pub key: Arc<ApiKey>,
    /// The request's id.
    pub id: RequestId,
    /// The headers.
    pub headers: HeaderMap,
    /// What was sent, where that is a file.
    pub file: Body,
    given: Given,
    parts: Vec<String>,
}

/// What an operation answers, on its way.
pub type Answering = BoxFuture<'static, Result<Reply, Halt>>;

impl Call {
    /// The variable part of the path at that place, decoded.
    pub fn part(&self, place: usize) -> Result<String, Refusal> {
        self.parts.get(place).cloned().ok_or_else(Refusal::broken)
    }

    /// Reads what was given: of GET and DELETE the query, else the body. What `read` does not ask for is refused.
    pub fn read<T>(&mut self, read: impl FnOnce(&mut Given) -> Result<T, Refusal>) -> Result<T, Refusal> {
        std::mem::take(&mut self.given).read(read)
    }

    /// What changes are caused by.
    pub fn cause(&self) -> Cause {
        Cause { request: Some(self.id.clone()), idempotency_key: None }
    }
}

/// A reply of status 200 with that object.
pub fn shown(object: Object) -> Reply {
    Reply::new(StatusCode::OK, crate::http::json::Json::from(object).to_bytes())
}

async fn answer(cusp: Arc<Cusp>, routes: Arc<Routes<Operation>>, request: Request) -> Reply {
    let id = request.id.clone();
    let (operation, parts) = match routes.find(&request.method, &request.path) {
        Found::Operation(operation, parts) => (operation, parts),
        Found::OtherMethod(allowed) => {
            return Refusal::method_not_allowed(&request.method, &allowed).reply(Some(&id));
        }
        Found::Nothing => return Refusal::unknown_url(&request.method, &request.path).reply(Some(&id)),
    };
    let reply = match admit(&cusp.app, &request, operation).await {
        Err(halt) => halt.refusal(&id).reply(Some(&id)),
        Ok(caller) => {
            let (account, space) = (caller.account.id.0.clone(), caller.account.space);
            let outcome = match understood(cusp, caller, request, operation, parts) {
                Ok(call) => (operation.answer)(call).await,
                Err(refusal) => Err(refusal.into()),
            };
            let reply = outcome.unwrap_or_else(|halt| halt.refusal(&id).reply(Some(&id)));
            Reply { account, space: Some(space), ..reply }
        }
    };
    Reply { route: operation.path, ..reply }
}

/// Key, account, permission, rate, and whether the operation is there at all: in this order.
async fn admit(app: &App, request: &Request, operation: &Operation) -> Result<Caller, Halt> {
    let key = match presented(&request.headers) {
        Presented::Key(key) => key,
        Presented::Nothing | Presented::Unreadable => return Err(Refusal::no_key().into()),
    };
    if request.headers.contains_key(STRIPE_CONTEXT) {
        return Err(Refusal::no_context().into());
    }
    let connected = request.headers.get(STRIPE_ACCOUNT).map(|value| value.to_str().unwrap_or_default());
    if connected.is_some_and(|id| !id.starts_with("acct_")) {
        return Err(Refusal::not_linked().into());
    }
    let caller = app.admit(&key, connected).await.map_err(|closed| match closed {
        Closed::Unknown => Halt::from(Refusal::unknown_key()),
        Closed::Revoked => Refusal::expired_key().into(),
        Closed::NotLinked => Refusal::not_linked().into(),
        Closed::Failure(failure) => failure.into(),
    })?;
    match (&caller.key.kind, operation.needs) {
        (KeyKind::Secret, _) => {}
        (KeyKind::Publishable, _) => return Err(Refusal::publishable_key().into()),
        (KeyKind::Restricted(_), None) => return Err(Refusal::restricted_key().into()),
        (KeyKind::Restricted(_), Some((resource, access))) => {
            if !caller.key.allows(resource, access) {
                return Err(Refusal::no_permission(resource, access).into());
            }
        }
    }
    app.rate(caller.account.space).map_err(|wait| Refusal::rate_limit(wait.as_secs() + 1))?;
    if operation.only_in_dev && app.openness() != Openness::Dev {
        return Err(Refusal::only_in_dev(&operation.method, operation.path).into());
    }
    Ok(caller)
}

fn understood(
    cusp: Arc<Cusp>,
    caller: Caller,
    mut request: Request,
    operation: &Operation,
    parts: Vec<String>,
) -> Result<Call, Refusal> {
    let (given, file) = match operation.takes_file {
        true if !request.query.is_empty() => return Err(Refusal::query_not_taken()),
        true => (Given::default(), std::mem::take(&mut request.body)),
        false => (given(&request)?, Body::default()),
    };
    let Request { id, headers, .. } = request;
    let Caller { account, key } = caller;
    Ok(Call { cusp, account, key, id: RequestId(id), headers, file, given, parts })
}

/// Parameters come in one place only: in the query where nothing is sent, else in the body.
fn given(request: &Request) -> Result<Given, Refusal> {
    let sends = request.method == Method::POST || request.method == Method::PUT || request.method == Method::PATCH;
    if !sends {
        return if request.body.is_empty() { Given::of_query(&request.query) } else { Err(Refusal::body_not_taken()) };
    }
    if !request.query.is_empty() {
        return Err(Refusal::query_not_taken());
    }
    if request.body.is_empty() {
        return Ok(Given::default());
    }
    let content_type = request.headers.get(CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(Refusal::content_type());
    }
    Given::of_body(&request.body)
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Halt {
        Halt::Failure(failure)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use hyper::Method;
    use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

    use super::{Request, given};

    /// The code of the refusal of a request's parameters.
    fn refusal(method: Method, query: &str, content_type: Option<&'static str>, body: &'static str) -> &'static str {
        let mut headers = HeaderMap::new();
        headers.extend(content_type.map(|value| (CONTENT_TYPE, HeaderValue::from_static(value))));
        let request = Request {
            id: String::new(),
            peer: None,
            method,
            path: String::new(),
            mount: String::new(),
            query: query.to_owned().into(),
            headers,
            body: Bytes::from_static(body.as_bytes()).into(),
            upgradable: false,
        };
        given(&request).map_or_else(|refusal| refusal.code, |_| "")
    }

    #[test]
    fn parameters_come_in_one_place_only() {
        let json = Some("application/json");
        assert_eq!(refusal(Method::GET, "a=1", None, ""), "");
        assert_eq!(refusal(Method::DELETE, "", json, "{}"), "body_not_taken");
        assert_eq!(refusal(Method::POST, "", json, "{\"a\": 1}"), "");
        assert_eq!(refusal(Method::POST, "", Some("Application/JSON; charset=utf-8"), "{}"), "");
        assert_eq!(refusal(Method::POST, "", None, ""), "");
        assert_eq!(refusal(Method::POST, "a=1", json, "{}"), "query_not_taken");
        assert_eq!(refusal(Method::POST, "", None, "{}"), "content_type");
        assert_eq!(refusal(Method::POST, "", Some("application/x-www-form-urlencoded"), "a=1"), "content_type");
        assert_eq!(refusal(Method::POST, "", json, "{"), "not_json");
    }
}
