//! The operations: method, path, who may, and what answers.

use hyper::Method;

use super::{Answering, Call, events, failures, fixtures, sandbox, unit, webhook_deliveries, webhook_endpoints};
use crate::domain::api_key::{Access, Resource};
use crate::http::routes::Route;

/// An operation of the API.
pub struct Operation {
    /// Its method.
    pub method: Method,
    /// Its path, variable parts in braces.
    pub path: &'static str,
    /// What a restricted key must have access to, and how far; `None` when no permission is enough.
    pub needs: Option<(Resource, Access)>,
    /// Only a server for developers has it.
    pub only_in_dev: bool,
    /// What is sent is a file and no parameters.
    pub takes_file: bool,
    /// Answers it.
    pub answer: fn(Call) -> Answering,
}

/// An operation of every server.
pub const fn operation(
    method: Method,
    path: &'static str,
    needs: Option<(Resource, Access)>,
    answer: fn(Call) -> Answering,
) -> Operation {
    Operation { method, path, needs, only_in_dev: false, takes_file: false, answer }
}

/// An operation of servers for developers, for secret keys.
pub const fn in_dev(method: Method, path: &'static str, answer: fn(Call) -> Answering) -> Operation {
    Operation { method, path, needs: None, only_in_dev: true, takes_file: false, answer }
}

/// An operation of servers for developers that is sent a file.
const fn of_file(path: &'static str, answer: fn(Call) -> Answering) -> Operation {
    Operation { method: Method::POST, path, needs: None, only_in_dev: true, takes_file: true, answer }
}

const READ_EVENTS: Option<(Resource, Access)> = Some((Resource::Event, Access::Read));
const READ_WEBHOOKS: Option<(Resource, Access)> = Some((Resource::WebhookEndpoint, Access::Read));
const WRITE_WEBHOOKS: Option<(Resource, Access)> = Some((Resource::WebhookEndpoint, Access::Write));

/// Every operation there is.
pub static OPERATIONS: &[Operation] = &[
    operation(Method::GET, "/cusp/v1/events", READ_EVENTS, |call| Box::pin(events::stream(call))),
    operation(Method::POST, "/cusp/v1/events/{id}/resend", WRITE_WEBHOOKS, |call| {
        Box::pin(webhook_deliveries::resend(call))
    }),
    in_dev(Method::POST, "/cusp/v1/failures", |call| Box::pin(failures::create(call))),
    in_dev(Method::GET, "/cusp/v1/failures", |call| Box::pin(failures::list(call))),
    in_dev(Method::DELETE, "/cusp/v1/failures", |call| Box::pin(failures::clear(call))),
    in_dev(Method::GET, "/cusp/v1/failures/{id}", |call| Box::pin(failures::retrieve(call))),
    in_dev(Method::DELETE, "/cusp/v1/failures/{id}", |call| Box::pin(failures::delete(call))),
    of_file(fixtures::PATH, fixtures::load),
    operation(Method::GET, "/cusp/v1/webhook_deliveries", READ_WEBHOOKS, |call| {
        Box::pin(webhook_deliveries::list(call))
    }),
    operation(Method::GET, "/cusp/v1/webhook_deliveries/{id}", READ_WEBHOOKS, |call| {
        Box::pin(webhook_deliveries::retrieve(call))
    }),
    operation(Method::POST, "/cusp/v1/webhook_deliveries/{id}/retry", WRITE_WEBHOOKS, |call| {
        Box::pin(webhook_deliveries::retry(call))
    }),
    operation(Method::POST, "/cusp/v1/webhook_endpoints/{id}/roll_secret", WRITE_WEBHOOKS, |call| {
        Box::pin(webhook_endpoints::roll_secret(call))
    }),
    in_dev(Method::DELETE, "/cusp/v1/sandbox", |call| Box::pin(sandbox::wipe(call))),
    in_dev(Method::POST, "/cusp/v1/sandbox/snapshots", |call| Box::pin(sandbox::snapshot(call))),
    in_dev(Method::GET, "/cusp/v1/sandbox/snapshots", |call| Box::pin(sandbox::snapshots(call))),
    in_dev(Method::DELETE, "/cusp/v1/sandbox/snapshots/{id}", |call| Box::pin(sandbox::forget(call))),
    in_dev(Method::POST, "/cusp/v1/sandbox/snapshots/{id}/restore", |call| Box::pin(sandbox::restore(call))),
    in_dev(Method::POST, "/cusp/v1/sandbox/snapshots/{id}/fork", |call| Box::pin(sandbox::fork(call))),
    in_dev(Method::GET, "/cusp/v1/sandbox/unit", |call| Box::pin(unit::retrieve(call))),
    in_dev(Method::POST, "/cusp/v1/sandbox/unit", |call| Box::pin(unit::update(call))),
];

impl Route for Operation {
    fn method(&self) -> &Method {
        &self.method
    }

    fn path(&self) -> &'static str {
        self.path
    }
}
