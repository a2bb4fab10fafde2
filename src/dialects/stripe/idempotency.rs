//! `Idempotency-Key`: a retry gets the first answer, byte for byte, and the change happens once. The reply is kept in the
//! transaction of the change.

use std::sync::Arc;

use hyper::header::{HeaderName, HeaderValue};
use hyper::{Method, StatusCode};

use super::failure::Refusal;
use super::{Answer, Asking, Body, Call, Halt, Refuser, Writing, attempt, find_out, rendered, secrets};
use crate::app::App;
use crate::domain::event::Cause;
use crate::domain::ids::RequestId;
use crate::engine::replies::{self, Seen};
use crate::engine::{Ctx, Done, Stop};
use crate::http::form::{self, Hash};
use crate::http::{Reply, Request};
use crate::store::{Failure, KeptReply, Read, Tx};

/// The most characters of a key: docs.stripe.com/api/idempotent_requests.
pub const MAX_KEY: usize = 255;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
const ORIGINAL_REQUEST: HeaderName = HeaderName::from_static("original-request");

/// What makes two requests the same.
pub struct Idempotent {
    /// The key.
    pub key: String,
    endpoint: String,
    parameters: [u8; 32],
}

impl Idempotent {
    /// The key of a POST, if it has one; other methods are idempotent by themselves and their keys are not looked at.
    pub fn of(request: &Request, given: &Hash) -> Result<Option<Idempotent>, Refusal> {
        let Some(value) = request.headers.get(IDEMPOTENCY_KEY).filter(|_| request.method == Method::POST) else {
            return Ok(None);
        };
        if request.headers.get_all(IDEMPOTENCY_KEY).iter().any(|other| other != value) {
            return Err(Refusal::bad_idempotency_key(MAX_KEY));
        }
        let key = value.to_str().map_err(|_| Refusal::bad_idempotency_key(MAX_KEY))?.trim();
        if key.is_empty() {
            return Err(Refusal::empty_idempotency_key());
        }
        if key.len() > MAX_KEY {
            return Err(Refusal::bad_idempotency_key(MAX_KEY));
        }
        let endpoint = format!("{} {}", request.method, request.path);
        Ok(Some(Idempotent {
            key: key.to_owned(),
            endpoint,
            parameters: form::canonical_digest(given, secrets::counts),
        }))
    }

    /// The reply with the key in its headers, as every reply to a request with a key has it.
    pub fn echo(&self, reply: Reply) -> Reply {
        reply.with(IDEMPOTENCY_KEY, &self.key)
    }
}

/// What a transaction with a key comes to.
enum Outcome {
    /// Done now, and kept.
    Done(Reply),
    /// Done before.
    Replayed(Box<KeptReply>),
    /// The key stands for something else; nothing is kept.
    Refused(Refusal),
}

/// Runs a change under its key.
pub async fn run(
    app: &Arc<App>,
    call: &Arc<Call>,
    cause: Cause,
    ask: Option<Asking>,
    mut write: Writing,
    refuser: Refuser,
    idempotent: &Idempotent,
) -> Reply {
    let Some(_working) = app.begin(call.account.space, &idempotent.key) else {
        return Refusal::idempotency_key_in_use(&idempotent.key).reply();
    };
    let request = RequestId(refuser.request.clone());
    let Idempotent { key, endpoint, parameters } = idempotent;
    let (key, endpoint, parameters) = (key.clone(), endpoint.clone(), *parameters);
    let asks = ask.is_some();
    let finding = match ask {
        None => None,
        Some(ask) => {
            // A reply that is kept is given without asking again.
            let (space, now) = (call.account.space, app.now());
            let (sought, there) = (key.clone(), endpoint.clone());
            let look = move |read: &mut dyn Read| replies::look_up(read, space, now, &sought, &there, &parameters);
            let found = match app.look(look).await {
                Ok(Seen::Never) => {
                    let digest: String = parameters.iter().map(|byte| format!("{byte:02x}")).collect();
                    find_out(app, call, ask, attempt(&call.account, &[&key, &endpoint, &digest])).await.map(Some)
                }
                Ok(Seen::Before(_) | Seen::WithOtherParameters | Seen::AtOtherEndpoint(_)) => Ok(None),
                Err(failure) => Err(Halt::from(failure)),
            };
            match found {
                Ok(found) => found,
                // Nothing was done, so nothing is kept: the same key may be used again.
                Err(Halt::Refusal(refusal)) => return refusal.reply(),
                Err(Halt::Stop(stop)) => return refuser.refuse(stop).reply(),
            }
        }
    };
    let (writing, refusing) = (call.clone(), refuser.clone());
    let transact = move |tx: &mut dyn Tx, ctx: &Ctx<'_>| -> Done<Outcome> {
        match replies::look_up(tx, ctx.account.space, ctx.now, &key, &endpoint, &parameters)? {
            // The kept reply was forgotten in between.
            Seen::Never if asks && finding.is_none() => return Ok(Outcome::Refused(Refusal::lock_timeout())),
            Seen::Never => {}
            Seen::Before(reply) => return Ok(Outcome::Replayed(reply)),
            Seen::WithOtherParameters => return Ok(Outcome::Refused(Refusal::other_parameters(&key))),
            Seen::AtOtherEndpoint(first) => {
                return Ok(Outcome::Refused(Refusal::other_endpoint(&key, path(&first), path(&endpoint))));
            }
        }
        let reply = match write(&writing, tx, ctx, finding.as_ref().and_then(Option::as_ref)) {
            // Nobody sees it.
            Ok(_) if tx.rehearsal() => Reply::new(StatusCode::OK, ""),
            Ok(Answer { body: Body::BadParameters(refusal), .. }) => return Ok(Outcome::Refused(refusal)),
            Ok(answer) => rendered(&writing, answer),
            // A caller with an old tag reads again and comes back with a new one, and one with bad parameters mends
            // them, maybe under the same key.
            Err(Stop::Problem(problem)) if problem.is_of_parameters() => {
                return Ok(Outcome::Refused(refusing.refuse(problem.into())));
            }
            // A refusal of an operation that began is an outcome like any other: it is kept, and its retry is refused.
            Err(Stop::Problem(problem)) => {
                if tx.wrote() {
                    return Err(Failure::broken("refusing a change", "it had written something before").into());
                }
                refusing.refuse(Stop::Problem(problem)).reply()
            }
            Err(Stop::Failure(failure)) => return Err(failure.into()),
        };
        let reply = reply.with(super::STRIPE_VERSION, &writing.version.name);
        let kept = KeptReply {
            key: key.clone(),
            endpoint: endpoint.clone(),
            parameters,
            request: request.clone(),
            created: ctx.now,
            status: reply.status.as_u16(),
            headers: reply.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
            body: reply.content.whole().to_vec(),
        };
        replies::keep(tx, ctx, &kept)?;
        Ok(Outcome::Done(reply))
    };
    match app.transact(call.account.clone(), cause, transact).await {
        Ok(Outcome::Done(reply)) => reply.with(ORIGINAL_REQUEST, &refuser.request),
        Ok(Outcome::Replayed(kept)) => {
            app.meter().replayed();
            replayed(*kept)
        }
        Ok(Outcome::Refused(refusal)) => refusal.reply(),
        Err(stop) => refuser.refuse(stop).reply(),
    }
}

fn replayed(kept: KeptReply) -> Reply {
    let status = StatusCode::from_u16(kept.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut reply = Reply::new(status, kept.body);
    for (name, value) in &kept.headers {
        if let Ok(name) = name.parse::<HeaderName>() {
            reply = reply.with(name, value);
        }
    }
    reply.with(IDEMPOTENT_REPLAYED, "true").with(ORIGINAL_REQUEST, kept.request.as_str())
}

fn path(endpoint: &str) -> &str {
    endpoint.split_once(' ').map_or(endpoint, |(_, path)| path)
}

fn text(value: &HeaderValue) -> String {
    value.to_str().unwrap_or_default().to_owned()
}
