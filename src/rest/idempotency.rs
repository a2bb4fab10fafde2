//! `Idempotency-Key`: a retry gets the first answer, byte for byte, and the change happens once. The reply is kept in the
//! transaction of the change.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use hyper::header::{HeaderMap, HeaderName};
use hyper::{Method, StatusCode};
use sha2::{Digest, Sha256};

use super::call::{Answer, Call, Halt, Says, Writing};
use super::read;
use super::refusal::Refusal;
use super::run::{Api, Sent, rendered, settle};
use crate::domain::time::Time;
use crate::engine::replies::{self, Seen};
use crate::engine::{Ctx, Done, Stop};
use crate::http::Reply;
use crate::http::given::Value;
use crate::store::{Failure, KeptReply, Read, Tx};

/// The most characters of a key.
pub const MAX_KEY: usize = 255;

/// The header of the key.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
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
    /// The key of a request that changes something, if it has one; what only reads is idempotent by itself.
    pub fn of(
        headers: &HeaderMap,
        method: &Method,
        path: &str,
        sent: &Sent,
        reading: bool,
    ) -> Result<Option<Idempotent>, Refusal> {
        let Some(value) = headers.get(&IDEMPOTENCY_KEY).filter(|_| !reading) else { return Ok(None) };
        if headers.get_all(&IDEMPOTENCY_KEY).iter().any(|other| other != value) {
            return Err(Refusal::BadIdempotencyKey);
        }
        let key = value.to_str().map_err(|_| Refusal::BadIdempotencyKey)?.trim();
        if key.is_empty() || key.len() > MAX_KEY || key.contains('\t') {
            return Err(Refusal::BadIdempotencyKey);
        }
        Ok(Some(Idempotent { key: key.to_owned(), endpoint: format!("{method} {path}"), parameters: digest(sent) }))
    }

    /// The reply with the key in its headers.
    pub fn echo(&self, reply: Reply) -> Reply {
        reply.with(IDEMPOTENCY_KEY, &self.key)
    }

    fn kept(&self, call: &Call, now: Time, reply: &Reply) -> KeptReply {
        let headers = reply.headers.iter();
        KeptReply {
            key: self.key.clone(),
            endpoint: self.endpoint.clone(),
            parameters: self.parameters,
            request: call.request.clone(),
            created: now,
            status: reply.status.as_u16(),
            headers: headers
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
                .collect(),
            body: reply.content.whole().to_vec(),
        }
    }
}

/// What was sent, however it was written down: two requests that mean the same are the same.
fn digest(sent: &Sent) -> [u8; 32] {
    let mut sha = Sha256::new_with_prefix("cusp rest parameters\0");
    for (name, value) in read::pairs(&sent.query) {
        text(&mut sha, b'&', &name);
        text(&mut sha, b'=', &value);
    }
    match &sent.json {
        Some(json) => canonical(&mut sha, json),
        None => sha.update(&*sent.body),
    }
    sha.finalize().into()
}

fn canonical(sha: &mut Sha256, value: &Value) {
    match value {
        Value::Null => sha.update(b"n"),
        Value::Flag(flag) => sha.update([b'f', u8::from(*flag)]),
        Value::Whole(number) => text(sha, b'w', &number.to_string()),
        Value::Number(number) => text(sha, b'd', number),
        Value::Text(given) => text(sha, b't', given),
        Value::List(items) => {
            sha.update(b"[");
            items.iter().for_each(|item| canonical(sha, item));
            sha.update(b"]");
        }
        Value::Object(entries) => {
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by(|one, two| one.0.cmp(&two.0));
            sha.update(b"{");
            for (key, value) in entries {
                text(sha, b'k', key);
                canonical(sha, value);
            }
            sha.update(b"}");
        }
    }
}

fn text(sha: &mut Sha256, kind: u8, text: &str) {
    sha.update([kind]);
    sha.update((text.len() as u64).to_be_bytes());
    sha.update(text);
}

/// What a transaction with a key comes to.
enum Outcome {
    /// Done now, and kept.
    Done(Reply),
    /// Done before.
    Replayed(Box<KeptReply>),
    /// Nothing is kept, so the key may be used again.
    Refused(Refusal),
}

/// Runs a change under its key.
pub async fn write(api: &Arc<Api>, call: &Arc<Call>, mut write: Writing, idempotent: &Idempotent) -> Reply {
    let id = &call.request.0;
    let Some(_working) = call.app.begin(call.account.space, &idempotent.key) else {
        return api.refuse(&Refusal::IdempotencyKeyInUse, id);
    };
    let (voice, writing) = (api.clone(), call.clone());
    let Idempotent { key, endpoint, parameters } = idempotent;
    let same = Idempotent { key: key.clone(), endpoint: endpoint.clone(), parameters: *parameters };
    let transact = move |tx: &mut dyn Tx, ctx: &Ctx<'_>| -> Done<Outcome> {
        match replies::look_up(tx, ctx.account.space, ctx.now, &same.key, &same.endpoint, &same.parameters)? {
            Seen::Never => {}
            Seen::Before(reply) => return Ok(Outcome::Replayed(reply)),
            Seen::WithOtherParameters | Seen::AtOtherEndpoint(_) => {
                return Ok(Outcome::Refused(Refusal::IdempotencyKeyReused));
            }
        }
        let reply = match settle(tx, |tx| write(&writing, tx, ctx)) {
            // Nobody sees it.
            Ok(Ok(_)) if tx.rehearsal() => Reply::new(StatusCode::OK, ""),
            Ok(Ok(answer)) => rendered(&voice, &writing, &answer),
            Ok(Err(refusal)) => return Ok(Outcome::Refused(refusal)),
            // A caller with an old tag reads again and comes back with a new one, and one with bad parameters mends
            // them, maybe under the same key.
            Err(Stop::Problem(problem)) if problem.is_of_parameters() => return Ok(Outcome::Refused(problem.into())),
            // A refusal of an operation that began is an outcome like any other: it is kept, and its retry is refused.
            Err(Stop::Problem(_)) if tx.wrote() => {
                return Err(Failure::broken("refusing a change", "it had written something before").into());
            }
            Err(Stop::Problem(problem)) => voice.refuse(&problem.into(), &writing.request.0),
            Err(Stop::Failure(failure)) => return Err(failure.into()),
        };
        replies::keep(tx, ctx, &same.kept(&writing, ctx.now, &reply))?;
        Ok(Outcome::Done(reply))
    };
    match call.app.transact(call.account.clone(), call.cause(), transact).await {
        Ok(outcome) => told(api, call, outcome),
        Err(stop) => api.refuse(&api.refusal(stop.into(), id), id),
    }
}

/// Runs what has transactions of its own under its key. Its reply is kept afterwards: a crash in between lets a retry do
/// again what is done, so such work has to come to the same each time.
pub async fn work(
    api: &Arc<Api>,
    call: &Arc<Call>,
    working: BoxFuture<'static, Result<Answer, Halt>>,
    idempotent: &Idempotent,
) -> Reply {
    let id = &call.request.0;
    let Some(_working) = call.app.begin(call.account.space, &idempotent.key) else {
        return api.refuse(&Refusal::IdempotencyKeyInUse, id);
    };
    let (space, now) = (call.account.space, call.now);
    let Idempotent { key, endpoint, parameters } = idempotent;
    let (key, endpoint, parameters) = (key.clone(), endpoint.clone(), *parameters);
    let look = move |read: &mut dyn Read| replies::look_up(read, space, now, &key, &endpoint, &parameters);
    match call.app.look(look).await {
        Ok(Seen::Never) => {}
        Ok(Seen::Before(kept)) => return told(api, call, Outcome::Replayed(kept)),
        Ok(Seen::WithOtherParameters | Seen::AtOtherEndpoint(_)) => {
            return api.refuse(&Refusal::IdempotencyKeyReused, id);
        }
        Err(failure) => return api.refuse(&api.refusal(failure.into(), id), id),
    }
    let answer = match working.await {
        Ok(answer) => answer,
        Err(halt) => return api.refuse(&api.refusal(halt, id), id),
    };
    let reply = rendered(api, call, &answer);
    let kept = idempotent.kept(call, now, &reply);
    let keep = move |tx: &mut dyn Tx, ctx: &Ctx<'_>| Ok(replies::keep(tx, ctx, &kept)?);
    match call.app.transact(call.account.clone(), call.cause(), keep).await {
        Ok(()) => told(api, call, Outcome::Done(reply)),
        Err(stop) => api.refuse(&api.refusal(stop.into(), id), id),
    }
}

fn told(api: &Api, call: &Call, outcome: Outcome) -> Reply {
    match outcome {
        Outcome::Done(reply) => reply.with(ORIGINAL_REQUEST, &call.request.0),
        Outcome::Refused(refusal) => api.refuse(&refusal, &call.request.0),
        Outcome::Replayed(kept) => {
            call.app.meter().replayed();
            let status = StatusCode::from_u16(kept.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut reply = Reply::new(status, kept.body);
            for (name, value) in &kept.headers {
                if let Ok(name) = name.parse::<HeaderName>() {
                    reply = reply.with(name, value);
                }
            }
            reply.with(IDEMPOTENT_REPLAYED, "true").with(ORIGINAL_REQUEST, kept.request.as_str())
        }
    }
}

/// A change that is refused once it has begun, and whose refusal is kept: for failures on purpose.
pub fn refusing(refusal: Refusal) -> super::call::Plan {
    super::call::Plan::write(move |_, _, _| Ok(Answer { body: Says::Refused(refusal.clone()), ..Answer::nothing() }))
}
