//! Requests that go wrong on purpose, where a test suite wants them to. Whatever goes wrong goes wrong as it does in earnest:
//! in the same words, and kept under an idempotency key or not.

use std::sync::Arc;

use super::failure::Refusal;
use super::idempotency::Idempotent;
use super::{Answer, Call, Plan, Todo, run};
use crate::app::App;
use crate::domain::decline::Decline;
use crate::domain::ids::RequestId;
use crate::engine::Ctx;
use crate::failures::{Asked, Failures, Fault, Strike};
use crate::http::Reply;
use crate::http::form::{Hash, Node};
use crate::processor::{Finding, Verified};
use crate::store::Tx;

/// Runs a request as the rules of its sandbox have it.
pub async fn run_or_fail(
    failures: &Failures,
    (app, call): (&Arc<App>, &Arc<Call>),
    (method, path, sent): (&str, &str, &str),
    id: RequestId,
    plan: Plan,
    idempotent: Option<&Idempotent>,
) -> Reply {
    let struck = {
        let param = |name: &str| text(&call.given, name).map(str::to_owned);
        failures.strike(call.account.space, &Asked { method, path, sent, asks_issuer: plan.asks(), param: &param })
    };
    let Some(Strike { fault, decline, delay }) = struck else { return run(app, call, id, plan, idempotent).await };
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    match fault {
        Fault::None => run(app, call, id, plan, idempotent).await,
        Fault::RateLimit => Refusal::rate_limit(1).reply(),
        Fault::LockTimeout => Refusal::lock_timeout().reply(),
        // "Stripe's idempotency works by saving the resulting status code and body of the first request … regardless of
        // whether it succeeds or fails. Subsequent requests with the same key return the same result, including 500
        // errors": docs.stripe.com/api/idempotent_requests
        Fault::ApiError if call.reading => Refusal::api_error().reply(),
        Fault::ApiError => run(app, call, id, plan.failing(), idempotent).await,
        Fault::Decline => {
            let decline = decline.unwrap_or(Decline::Generic);
            run(app, call, id, plan.declined(decline), idempotent).await
        }
        // Until the client has had enough, or the time for any request is over.
        Fault::TimeoutBeforeCommit => std::future::pending().await,
        Fault::TimeoutAfterCommit => {
            run(app, call, id, plan, idempotent).await;
            std::future::pending().await
        }
        Fault::DisconnectBeforeCommit => Reply::none(),
        Fault::DisconnectAfterCommit => {
            run(app, call, id, plan, idempotent).await;
            Reply::none()
        }
    }
}

impl Plan {
    /// Whether an issuer is asked about something.
    fn asks(&self) -> bool {
        match &self.work {
            Todo::Write(ask, _) => ask.is_some(),
            Todo::Look(_) | Todo::Find(_) | Todo::Scan(_) => false,
        }
    }

    /// The plan of a request that fails before it has done anything, once it has begun.
    fn failing(self) -> Plan {
        Plan::write(self.names, |_, _, _| Ok(Answer::refused(Refusal::api_error())))
    }

    /// The same plan where the issuer says no.
    fn declined(self, decline: Decline) -> Plan {
        let Plan { names, work } = self;
        let work = match work {
            Todo::Write(ask, mut write) => {
                let write = move |call: &Call, tx: &mut dyn Tx, ctx: &Ctx<'_>, finding: Option<&Finding>| {
                    let finding = finding.map(|finding| refused(finding, decline));
                    write(call, tx, ctx, finding.as_ref())
                };
                Todo::Write(ask, Box::new(write))
            }
            other @ (Todo::Look(_) | Todo::Find(_) | Todo::Scan(_)) => other,
        };
        Plan { names, work }
    }
}

/// What would have been found if the issuer had said no.
fn refused(finding: &Finding, decline: Decline) -> Finding {
    match finding {
        Finding::Accepted(_) | Finding::Declined(_) => Finding::Declined(decline),
        Finding::Verified(Verified { instrument, .. }) | Finding::Refused { instrument, .. } => {
            Finding::Refused { instrument: instrument.clone(), decline }
        }
        Finding::Judged(_) | Finding::NoSuchName => finding.clone(),
    }
}

/// What a parameter of that name was given, as `metadata[order]`.
fn text<'a>(given: &'a Hash, name: &str) -> Option<&'a str> {
    let (first, rest) = name.split_once('[').unwrap_or((name, ""));
    let mut node = given.get(first)?;
    for part in rest.split('[').filter(|part| !part.is_empty()) {
        let part = part.strip_suffix(']')?;
        node = match node {
            Node::Hash(hash) => hash.get(part)?,
            Node::List(items) => items.get(part.parse::<usize>().ok()?)?,
            Node::Text(_) | Node::Secret(_) => return None,
        };
    }
    match node {
        Node::Text(text) => Some(text),
        // What is nobody's business is not compared either.
        Node::Secret(_) | Node::List(_) | Node::Hash(_) => None,
    }
}
