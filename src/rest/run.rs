//! Answers a request of an API: key, headers, rate, route, permission, parameters, plan, reply. In this order, so that
//! nobody without a key learns what there is.

use std::sync::Arc;
use std::time::Instant;

use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, ETAG, HeaderMap, HeaderName};

use super::call::{Answer, Asked, Call, Given, Halt, Plan, Says};
use super::fields::Fields;
use super::idempotency::{self, Idempotent};
use super::operation::{Intake, Operation};
use super::read::{self, Reading, Unknown};
use super::refusal::{Refusal, Voice};
use super::shape::{Component, Member};
use super::{failing, openapi};
use crate::app::{App, Caller, Closed, Stage};
use crate::domain::api_key::KeyKind;
use crate::domain::ids::RequestId;
use crate::engine::{Ctx, Done, Stop};
use crate::http::auth::{Presented, presented};
use crate::http::given::Value;
use crate::http::mounts;
use crate::http::routes::{Found, Routes};
use crate::http::{Body, Dialect, Document, Files, Reply, Request, conditions};
use crate::settings::Language;
use crate::store::{Failure, Outlook, Tx};

/// The header that names a request, beside the one of every reply of the server.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// An API: its tables and its words.
pub struct Api {
    /// Its name in logs, and of its document.
    pub name: &'static str,
    /// Its title in the document.
    pub title: &'static str,
    /// What it is for, in the document.
    pub doc: &'static str,
    /// Its operations.
    pub operations: &'static [Operation],
    /// The headings of its operations, with what they are about.
    pub tags: &'static [(&'static str, &'static str)],
    /// Where it is: URLs, with when they hold.
    pub servers: &'static [(&'static str, &'static str)],
    /// The headers that every request of it has beside the key.
    pub headers: &'static [Member],
    /// What its refusals look like.
    pub refusal: &'static Component,
    /// Its words.
    pub voice: &'static dyn Voice,
    /// What happens to unknown keys of bodies.
    pub unknown: Unknown,
    /// What happens to unknown parameters of query strings.
    pub unknown_query: Unknown,
    /// Whether it takes what strict reading refuses.
    pub lenient: bool,
}

impl Api {
    /// The dialect of the API over the program.
    pub fn dialect(
        self: &Arc<Api>,
        app: Arc<App>,
        language: Language,
        files: Option<Files>,
        confess: fn(crate::http::Trouble, &str) -> Reply,
    ) -> Dialect {
        let (api, described, routes) = (self.clone(), self.clone(), Arc::new(Routes::of(self.operations)));
        Dialect {
            name: self.name,
            api: mounts::Api::Of(language),
            answer: Arc::new(move |request| Box::pin(answer(api.clone(), app.clone(), routes.clone(), request))),
            confess,
            files,
            document: Some(Arc::new(Document::new(Box::new(move || openapi::document(&described).to_bytes().into())))),
        }
    }

    /// The reply that refuses a request. A rule that the API has no words for is told as a failure of ours, and logged.
    pub fn refuse(&self, refusal: &Refusal, request: &str) -> Reply {
        if let Refusal::Problem(problem) = refusal
            && self.voice.status(refusal) >= 500
        {
            tracing::error!(request, "{} has no words for the refusal {}", self.name, problem.name());
        }
        self.voice.reply(refusal, request)
    }

    /// What stopped an operation, as a refusal. A failure of ours is logged here, where it is answered.
    pub(super) fn refusal(&self, halt: Halt, request: &str) -> Refusal {
        match halt {
            Halt::Refusal(refusal) => refusal,
            Halt::Problem(problem) => problem.into(),
            Halt::Failure(failure) => {
                tracing::error!(request, "{failure}");
                match failure.outlook {
                    Outlook::Broken => Refusal::Broken,
                    Outlook::Passing | Outlook::Contended => Refusal::Busy,
                }
            }
        }
    }

    fn reading(&self, call: &Call) -> Reading {
        let money_decimals = call.account.default_currency.decimals();
        Reading { unknown: self.unknown, unknown_query: self.unknown_query, money_decimals, lenient: self.lenient }
    }
}

/// What was sent, before it is read by a table.
pub(super) struct Sent {
    /// The query string.
    pub query: String,
    /// The JSON of the body, if there is any.
    pub json: Option<Value>,
    /// The body.
    pub body: Body,
}

async fn answer(api: Arc<Api>, app: Arc<App>, routes: Arc<Routes<Operation>>, request: Request) -> Reply {
    let began = Instant::now();
    let id = request.id.clone();
    let reply = match admit(&api, &app, &request).await {
        Err(refusal) => api.refuse(&refusal, &id),
        Ok(caller) => {
            let (account, space) = (caller.account.id.0.clone(), caller.account.space);
            let reply = match routes.find(&request.method, &request.path) {
                Found::Nothing => api.refuse(&Refusal::UnknownUrl, &id),
                Found::OtherMethod(allowed) => api.refuse(&Refusal::OtherMethod { allowed }, &id),
                Found::Operation(operation, parts) => {
                    let reply = match permit(&caller, operation) {
                        Err(refusal) => api.refuse(&refusal, &id),
                        Ok(()) => understood(&api, app, caller, request, operation, parts, began).await,
                    };
                    Reply { route: operation.path, ..reply }
                }
            };
            Reply { account, space: Some(space), ..reply }
        }
    };
    reply.with(X_REQUEST_ID, &id)
}

/// Key, headers of every request, rate: in this order.
async fn admit(api: &Api, app: &App, request: &Request) -> Result<Caller, Refusal> {
    let key = match presented(&request.headers) {
        Presented::Key(key) => key,
        Presented::Nothing | Presented::Unreadable => return Err(Refusal::NoKey),
    };
    let caller = app.admit(&key, None).await.map_err(|closed| match closed {
        // A key that belongs to no account opens nothing.
        Closed::Unknown | Closed::NotLinked => Refusal::UnknownKey,
        Closed::Revoked => Refusal::RevokedKey,
        Closed::Failure(failure) => api.refusal(failure.into(), &request.id),
    })?;
    api.voice.enter(&request.headers, &caller.account, app.openness())?;
    app.rate(caller.account.space).map_err(|wait| Refusal::RateLimit { seconds: wait.as_secs() + 1 })?;
    Ok(caller)
}

fn permit(caller: &Caller, operation: &Operation) -> Result<(), Refusal> {
    let (resource, access) = (operation.resource, operation.access);
    match &caller.key.kind {
        KeyKind::Publishable => Err(Refusal::PublishableKey),
        KeyKind::Secret => Ok(()),
        KeyKind::Restricted(_) if caller.key.allows(resource, access) => Ok(()),
        KeyKind::Restricted(_) => Err(Refusal::NoPermission { resource, access }),
    }
}

async fn understood(
    api: &Arc<Api>,
    app: Arc<App>,
    caller: Caller,
    request: Request,
    operation: &'static Operation,
    parts: Vec<String>,
    began: Instant,
) -> Reply {
    let Request { id, method, path, mount, query, headers, body, .. } = request;
    let sent = match sent(operation, api.unknown, &headers, query.to_string(), body) {
        Ok(sent) => sent,
        Err(refusal) => return api.refuse(&refusal, &id),
    };
    let reading = operation.reads();
    let idempotent = match Idempotent::of(&headers, &method, &path, &sent, reading) {
        Ok(idempotent) => idempotent,
        Err(refusal) => return api.refuse(&refusal, &id),
    };
    let Caller { account, key } = caller;
    let call = Arc::new(Call {
        account,
        key,
        request: RequestId(id),
        headers,
        path: format!("{mount}{path}"),
        now: app.now(),
        idempotency_key: idempotent.as_ref().map(|idempotent| idempotent.key.clone()),
        lenient: api.lenient,
        reading,
        app: app.clone(),
    });
    let id = &call.request.0;
    // The rules of a test suite look at what was sent, which is used up by then.
    let seen = app.failures().map(|_| (sent.query.clone(), sent.json.clone()));
    let plan = asked(api, &call, operation, parts, sent).and_then(|asked| (operation.plan)(&call, asked));
    let reply = match plan {
        Err(refusal) => api.refuse(&refusal, id),
        Ok(plan) => {
            if !reading {
                app.meter().stage(Stage::Parse, began.elapsed());
            }
            match (app.failures(), seen) {
                (Some(failures), Some(seen)) => {
                    let line = (method.as_str(), path.as_str());
                    failing::run_or_fail(failures, api, &call, line, &seen, plan, idempotent.as_ref()).await
                }
                (_, _) => run(api, &call, plan, idempotent.as_ref()).await,
            }
        }
    };
    match &idempotent {
        Some(idempotent) => idempotent.echo(reply),
        None => reply,
    }
}

/// What was sent, if it is of a media type that the operation takes.
fn sent(
    operation: &Operation,
    unknown: Unknown,
    headers: &HeaderMap,
    query: String,
    body: Body,
) -> Result<Sent, Refusal> {
    if body.is_empty() {
        return Ok(Sent { query, json: None, body });
    }
    let media = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match operation.takes {
        Intake::Nothing if unknown == Unknown::Ignored => Ok(Sent { query, json: None, body: Body::default() }),
        Intake::Nothing => Err(Refusal::BodyNotTaken),
        Intake::Body(_) | Intake::Changes(_) | Intake::OptionalBody(_) if essence == "application/json" => {
            let json = Value::of_json(&body).map_err(Refusal::NotJson)?;
            Ok(Sent { query, json: Some(json), body })
        }
        Intake::Body(_) | Intake::Changes(_) | Intake::OptionalBody(_) => {
            Err(Refusal::MediaType { taken: vec!["application/json"] })
        }
        Intake::File(taken) if taken.iter().any(|media| media.name == essence) => Ok(Sent { query, json: None, body }),
        Intake::File(taken) => Err(Refusal::MediaType { taken: taken.iter().map(|media| media.name).collect() }),
    }
}

/// What was sent, read by the operation's tables. Flaws of the query and of the body are told together.
fn asked(api: &Api, call: &Call, operation: &Operation, parts: Vec<String>, sent: Sent) -> Result<Asked, Refusal> {
    let how = api.reading(call);
    let Sent { query, json, body } = sent;
    let given = match operation.takes {
        Intake::Nothing => Ok(Given::Nothing),
        Intake::Body(shape) | Intake::OptionalBody(shape) => match (json, operation.takes) {
            (Some(json), _) => read::body(shape, json, &how).map(|value| Given::Body(members(value))),
            (None, Intake::OptionalBody(_)) => {
                read::body(shape, Value::Object(Vec::new()), &how).map(|value| Given::Body(members(value)))
            }
            (None, _) => Err(vec![read::Flaw::new("", read::Wrong::Missing)]),
        },
        Intake::Changes(shape) => match json {
            Some(json) => read::changes(shape, json, &how).map(Given::Changes),
            None => Err(vec![read::Flaw::new("", read::Wrong::Missing)]),
        },
        Intake::File(_) if body.is_empty() => Err(vec![read::Flaw::new("", read::Wrong::Missing)]),
        Intake::File(_) => {
            let content_type = call.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
            Ok(Given::File { content_type: content_type.unwrap_or_default().to_owned(), bytes: body })
        }
    };
    match (read::query(operation.query, &query, &how), given) {
        (Ok(query), Ok(given)) => Ok(Asked { parts, query, given }),
        (Err(mut flaws), Err(more)) => {
            flaws.extend(more);
            Err(Refusal::Flaws(flaws))
        }
        (Err(flaws), Ok(_)) | (Ok(_), Err(flaws)) => Err(Refusal::Flaws(flaws)),
    }
}

fn members(value: Value) -> Fields {
    match value {
        Value::Object(members) => Fields::new(members),
        Value::Null | Value::Flag(_) | Value::Whole(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => {
            Fields::default()
        }
    }
}

/// What a transaction comes to: a refusal has written nothing, and its transaction may be kept as well as undone.
pub(super) type Outcome = Result<Answer, Refusal>;

/// Runs a plan.
pub(super) async fn run(api: &Arc<Api>, call: &Arc<Call>, plan: Plan, idempotent: Option<&Idempotent>) -> Reply {
    let app = &call.app;
    let id = &call.request.0;
    let outcome = match plan {
        Plan::Look(mut look) => {
            let looking = call.clone();
            app.look(move |read| look(&looking, read)).await
        }
        Plan::Scan(mut look) => {
            let scanning = call.clone();
            app.scan(move |read| look(&scanning, read)).await
        }
        Plan::Write(write) => match idempotent {
            Some(idempotent) => return idempotency::write(api, call, write, idempotent).await,
            None => {
                let (writing, mut write) = (call.clone(), write);
                let job = move |tx: &mut dyn Tx, ctx: &Ctx<'_>| settle(tx, |tx| write(&writing, tx, ctx));
                match app.transact(call.account.clone(), call.cause(), job).await {
                    Ok(Ok(answer)) => Ok(answer),
                    Ok(Err(refusal)) => Err(refusal.into()),
                    Err(stop) => Err(stop.into()),
                }
            }
        },
        Plan::Work(work) => match idempotent {
            Some(idempotent) => return idempotency::work(api, call, work(call.clone()), idempotent).await,
            None => work(call.clone()).await,
        },
    };
    match outcome {
        Ok(answer) => rendered(api, call, &answer),
        Err(halt) => api.refuse(&api.refusal(halt, id), id),
    }
}

/// Runs a change; a refusal in the dialect's words has to come before anything is written, as a problem has.
pub(super) fn settle(tx: &mut dyn Tx, write: impl FnOnce(&mut dyn Tx) -> Result<Answer, Halt>) -> Done<Outcome> {
    match write(tx) {
        Ok(answer) => Ok(Ok(answer)),
        Err(Halt::Refusal(_)) if tx.wrote() => {
            Err(Failure::broken("refusing a change", "it had written something before").into())
        }
        Err(Halt::Refusal(refusal)) => Ok(Err(refusal)),
        Err(Halt::Problem(problem)) => Err(Stop::Problem(problem)),
        Err(Halt::Failure(failure)) => Err(Stop::Failure(failure)),
    }
}

/// The reply of an answer: 304 when a reader has it already, 412 when it is not what a reader insists on.
pub(super) fn rendered(api: &Api, call: &Call, answer: &Answer) -> Reply {
    let Answer { status, body, tag, headers } = answer;
    match tag {
        Some(version) if call.reading && !conditions::is_wanted(&call.headers, *version) => {
            return api.refuse(&Refusal::VersionMismatch, &call.request.0);
        }
        Some(version) if call.reading && conditions::has_already(&call.headers, *version) => {
            return Reply::new(StatusCode::NOT_MODIFIED, "").with(ETAG, &conditions::tag(*version));
        }
        Some(_) | None => {}
    }
    let began = Instant::now();
    let reply = match body {
        Says::Nothing => Reply::new(*status, ""),
        Says::Json(json) => Reply::new(*status, json.to_bytes()),
        Says::Later(make) => Reply::new(*status, make().to_bytes()),
        Says::Refused(refusal) => return api.refuse(refusal, &call.request.0),
    };
    if !call.reading {
        call.app.meter().stage(Stage::Render, began.elapsed());
    }
    let reply = tag.iter().fold(reply, |reply, version| reply.with(ETAG, &conditions::tag(*version)));
    headers.iter().fold(reply, |reply, (name, value)| reply.with(name.clone(), value))
}
