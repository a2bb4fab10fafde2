//! Stripe's API. One request is three steps: parse (route, key, version, parameters), run (a verb on the store), render
//! (today's object, walked down to the caller's version). What it says is in `failure` and the object files.

pub mod account;
pub mod balance_transactions;
pub mod cash_balance;
pub mod cli;
#[cfg(test)]
mod compatibility;
pub mod coupons;
pub mod customer_object;
pub mod customers;
pub mod discounts;
pub mod event_types;
pub mod events;
pub mod expand;
pub mod failing;
pub mod failure;
pub mod funding_instructions;
pub mod idempotency;
pub mod import;
pub mod instruments;
pub mod lists;
pub mod offers;
pub mod openapi;
pub mod params;
pub mod payment_methods;
pub mod promotion_codes;
pub mod routes;
pub mod sealed;
pub mod search;
pub mod secrets;
pub mod setup_intents;
pub mod setup_objects;
pub mod setup_params;
pub mod source_objects;
pub mod sources;
pub mod tax_id_types;
pub mod tax_ids;
pub mod tokens;
pub mod versions;
pub mod webhook_endpoints;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use hyper::header::{CONTENT_TYPE, ETAG, HeaderMap, HeaderName};
use hyper::{Method, StatusCode};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use crate::app::{App, Caller, Closed, NoFinding, Stage};
use crate::domain::account::{Account, Mode};
use crate::domain::api_key::{Access, ApiKey, KeyKind, Resource};
use crate::domain::event::Cause;
use crate::domain::ids::RequestId;
use crate::domain::problem::Problem;
use crate::domain::time::Time;
use crate::domain::webhook::Salt;
use crate::engine::{Ctx, Done, Stop};
use crate::http::auth::{Presented, presented};
use crate::http::form::{self, Hash};
use crate::http::json::Json;
use crate::http::mounts::Api;
use crate::http::routes::{Found, Routes};
use crate::http::traffic::Traffic;
use crate::http::{Dialect, Document, Reply, Request, conditions};
use crate::processor::{AttemptKey, Finding, Question};
use crate::settings::Language;
use crate::store::{Failure, Kept, Read, Tx};
use cli::Sessions;
use discounts::Shown;
use expand::Expansions;
use failure::{Names, Refusal};
use idempotency::Idempotent;
use routes::{OPERATIONS, Operation};
use versions::Version;

const STRIPE_VERSION: HeaderName = HeaderName::from_static("stripe-version");
const STRIPE_ACCOUNT: HeaderName = HeaderName::from_static("stripe-account");
const STRIPE_CONTEXT: HeaderName = HeaderName::from_static("stripe-context");

/// The dialect over the program. Sessions of the official CLI hear of the traffic.
pub fn dialect(app: Arc<App>, traffic: Arc<Traffic>) -> Dialect {
    let routes = Arc::new(Routes::of(OPERATIONS));
    let sessions = Sessions::new(app.clone(), traffic);
    Dialect {
        name: "stripe",
        api: Api::Of(Language::Stripe),
        answer: Arc::new(move |request| {
            if request.path == cli::SUBSCRIBE {
                let sessions = sessions.clone();
                return Box::pin(async move { sessions.subscribe(&request).await });
            }
            Box::pin(answer(app.clone(), routes.clone(), request))
        }),
        confess: |trouble, _| Refusal::trouble(trouble).reply(),
        files: None,
        document: Some(Arc::new(Document::new(Box::new(|| openapi::document().to_bytes().into())))),
    }
}

/// A request that was understood as far as it is the same for every operation.
pub struct Call {
    /// Whose records.
    pub account: Arc<Account>,
    /// In which version.
    pub version: Version,
    /// The parameters of the body and the query string.
    pub given: Hash,
    /// The headers.
    pub headers: HeaderMap,
    /// When it came.
    pub now: Time,
    /// Where the connection comes from.
    pub peer: Option<IpAddr>,
    reading: bool,
    parts: Vec<String>,
    key: Arc<ApiKey>,
    app: Arc<App>,
}

impl Call {
    /// The variable part of the path at that place, decoded.
    pub fn part(&self, place: usize) -> Result<String, Refusal> {
        self.parts.get(place).cloned().ok_or_else(Refusal::broken)
    }

    /// Refuses what the key may not see, beside what the operation itself asks for.
    pub fn require(&self, resource: Resource, access: Access) -> Result<(), Refusal> {
        match presented(&self.headers) {
            Presented::Key(key) => permit(&self.key, &key, &self.account, resource, access),
            Presented::Nothing | Presented::Unreadable => Err(Refusal::no_key()),
        }
    }

    /// The program.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Whether the caller is a browser, which shows the secret of what it asks for.
    pub fn by_browser(&self) -> bool {
        self.key.kind == KeyKind::Publishable
    }

    /// Notes how long a write is rendered.
    fn rendering<T>(&self, render: impl FnOnce() -> T) -> T {
        if self.reading {
            return render();
        }
        let began = Instant::now();
        let rendered = render();
        self.app.meter().stage(Stage::Render, began.elapsed());
        rendered
    }
}

/// What an operation answers.
pub struct Answer {
    body: Body,
    /// The version of the one record that it shows.
    tag: Option<u64>,
}

enum Body {
    /// Made already, because it took looking at the store.
    Made(Json),
    /// The same with what stands for the secret of that salt in it.
    Sealed(Json, Salt),
    /// A customer, to be rendered when the writer is done with it: others wait for the writer.
    Customer(Box<Shown>, Expansions),
    /// A refusal of something that has changed records all the same, as a guess that is counted.
    Refusal(Refusal),
    /// A refusal of parameters that do not go with what is there. Nothing was changed.
    BadParameters(Refusal),
}

impl Answer {
    /// An answer without an entity tag.
    pub fn of(json: Json) -> Answer {
        Answer { body: Body::Made(json), tag: None }
    }

    /// An answer that holds what stands for the secret of that salt.
    pub fn sealed(json: Json, salt: Salt) -> Answer {
        Answer { body: Body::Sealed(json, salt), tag: None }
    }

    /// One customer, with its tag.
    pub fn customer(shown: Shown, expansions: &Expansions) -> Answer {
        let tag = Some(shown.customer.version);
        Answer { body: Body::Customer(Box::new(shown), expansions.clone()), tag }
    }

    /// A refusal that undoes nothing.
    pub fn refused(refusal: Refusal) -> Answer {
        Answer { body: Body::Refusal(refusal), tag: None }
    }

    /// A refusal of parameters, which leaves an idempotency key unused as it does before a transaction.
    pub fn bad_parameters(refusal: Refusal) -> Answer {
        Answer { body: Body::BadParameters(refusal), tag: None }
    }

    fn to_reply(&self, call: &Call) -> Reply {
        match &self.body {
            Body::Made(json) => Reply::new(StatusCode::OK, json.to_bytes()),
            Body::Sealed(json, salt) => sealed::noted(Reply::new(StatusCode::OK, json.to_bytes()), salt),
            Body::Customer(shown, expansions) => {
                let json = expand::customer(shown, &call.account, &call.version, expansions);
                Reply::new(StatusCode::OK, json.to_bytes())
            }
            Body::Refusal(refusal) | Body::BadParameters(refusal) => refusal.clone().reply(),
        }
    }
}

/// Why an operation does not answer.
#[derive(Debug)]
pub enum Halt {
    /// In the dialect's own words already.
    Refusal(Refusal),
    /// In the engine's.
    Stop(Stop),
}

impl From<Refusal> for Halt {
    fn from(refusal: Refusal) -> Halt {
        Halt::Refusal(refusal)
    }
}

impl From<Stop> for Halt {
    fn from(stop: Stop) -> Halt {
        Halt::Stop(stop)
    }
}

impl From<Problem> for Halt {
    fn from(problem: Problem) -> Halt {
        Halt::Stop(problem.into())
    }
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Halt {
        Halt::Stop(failure.into())
    }
}

type Looking = Box<dyn FnMut(&Call, &mut dyn Read) -> Result<Answer, Halt> + Send>;
type Asking = Box<dyn FnMut(&Call, &mut dyn Read) -> Kept<Option<Question>> + Send>;
type Writing = Box<dyn FnMut(&Call, &mut dyn Tx, &Ctx<'_>, Option<&Finding>) -> Done<Answer> + Send>;

/// A request whose parameters are good: what is left to do with the store.
pub struct Plan {
    names: Names,
    work: Todo,
}

/// What is left to do.
enum Todo {
    /// A few rows by key.
    Look(Looking),
    /// A few rows by key, that may move from one to another.
    Find(Arc<Mutex<Looking>>),
    /// Many rows.
    Scan(Looking),
    /// A change, maybe after a question to the processor.
    Write(Option<Asking>, Writing),
}

impl Plan {
    /// To look at a few rows by key, maybe more than once.
    pub fn look(names: Names, look: impl FnMut(&Call, &mut dyn Read) -> Result<Answer, Halt> + Send + 'static) -> Plan {
        Plan { names, work: Todo::Look(Box::new(look)) }
    }

    /// To look at a few rows by key, and at one state of them before they are said to be nowhere: what moves from one row to
    /// another while they are looked at may be seen in neither.
    pub fn find(names: Names, look: impl FnMut(&Call, &mut dyn Read) -> Result<Answer, Halt> + Send + 'static) -> Plan {
        Plan { names, work: Todo::Find(Arc::new(Mutex::new(Box::new(look)))) }
    }

    /// To look at many rows, maybe more than once.
    pub fn scan(names: Names, look: impl FnMut(&Call, &mut dyn Read) -> Result<Answer, Halt> + Send + 'static) -> Plan {
        Plan { names, work: Todo::Scan(Box::new(look)) }
    }

    /// To change something. It may run more than once.
    pub fn write(
        names: Names,
        mut write: impl FnMut(&Call, &mut dyn Tx, &Ctx<'_>) -> Done<Answer> + Send + 'static,
    ) -> Plan {
        Plan { names, work: Todo::Write(None, Box::new(move |call, tx, ctx, _| write(call, tx, ctx))) }
    }

    /// To ask the processor something, outside of every transaction, and then to change something with what was found.
    /// `ask` looks up what the question is about; it refuses nothing, but asks nothing when something is wrong, which
    /// `write` finds out and refuses. `write` looks again at all that it relies on, because it may have changed.
    pub fn asking(
        names: Names,
        ask: impl FnMut(&Call, &mut dyn Read) -> Kept<Option<Question>> + Send + 'static,
        write: impl FnMut(&Call, &mut dyn Tx, &Ctx<'_>, Option<&Finding>) -> Done<Answer> + Send + 'static,
    ) -> Plan {
        Plan { names, work: Todo::Write(Some(Box::new(ask)), Box::new(write)) }
    }
}

async fn answer(app: Arc<App>, routes: Arc<Routes<Operation>>, request: Request) -> Reply {
    let began = Instant::now();
    let (operation, parts) = match routes.find(&request.method, &request.path) {
        Found::Operation(operation, parts) => (operation, parts),
        Found::OtherMethod(allowed) => {
            return Refusal::method_not_allowed(&request.method, &request.path, &allowed).reply();
        }
        Found::Nothing => return Refusal::unknown_url(&request.method, &request.path).reply(),
    };
    let request_version = request.headers.get(STRIPE_VERSION).and_then(|value| Some(value.to_str().ok()?.to_owned()));
    let reply = match admit(&app, &request, operation).await {
        Err(refusal) => refusal.reply(),
        Ok(caller) => {
            let (name, space) = (caller.account.id.0.clone(), caller.account.space);
            let reply = admitted(app, caller, request, operation, parts, began).await;
            Reply { account: name, space: Some(space), ..reply }
        }
    };
    let named = request_version.filter(|name| Version::named(name).is_some());
    let reply = Reply { route: operation.path, ..reply };
    match named {
        Some(name) if !says_version(&reply) => reply.with(STRIPE_VERSION, &name),
        Some(_) | None => reply,
    }
}

/// Key, account, permission, rate: in this order.
async fn admit(app: &Arc<App>, request: &Request, operation: &Operation) -> Result<Caller, Refusal> {
    let key = match presented(&request.headers) {
        Presented::Key(key) => key,
        Presented::Nothing | Presented::Unreadable => return Err(Refusal::no_key()),
    };
    let text = |name: &HeaderName| request.headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let connected = match (text(&STRIPE_ACCOUNT), text(&STRIPE_CONTEXT)) {
        (Some(one), Some(other)) if one != other => return Err(Refusal::no_access(&key, other)),
        (one, other) => one.or(other),
    };
    if let Some(id) = connected
        && !is_account_id(id)
    {
        return Err(Refusal::no_access(&key, id));
    }
    let caller = app.admit(&key, connected).await.map_err(|closed| match closed {
        Closed::Unknown => Refusal::bad_key(&key),
        Closed::Revoked => Refusal::revoked_key(&key),
        Closed::NotLinked => Refusal::no_access(&key, connected.unwrap_or_default()),
        Closed::Failure(failure) => Refusal::stop(failure.into(), &request.id, &Names::BY_PATH, true),
    })?;
    if caller.key.kind != KeyKind::Publishable || !operation.for_browsers {
        permit(&caller.key, &key, &caller.account, operation.resource, operation.access)?;
    }
    app.rate(caller.account.space).map_err(|wait| Refusal::rate_limit(wait.as_secs() + 1))?;
    Ok(caller)
}

fn permit(key: &ApiKey, text: &str, account: &Account, resource: Resource, access: Access) -> Result<(), Refusal> {
    if key.allows(resource, access) {
        return Ok(());
    }
    if key.kind == KeyKind::Publishable {
        return Err(Refusal::publishable_key());
    }
    let permission = format!("rak_{}_{}", resource.as_str(), access.as_str());
    Err(Refusal::no_permission(text, account.id.as_str(), &permission))
}

fn says_version(reply: &Reply) -> bool {
    reply.headers.iter().any(|(header, _)| *header == STRIPE_VERSION)
}

fn is_account_id(text: &str) -> bool {
    let rest = text.strip_prefix("acct_").unwrap_or_default();
    !rest.is_empty() && rest.len() <= 64 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

async fn admitted(
    app: Arc<App>,
    caller: Caller,
    request: Request,
    operation: &Operation,
    parts: Vec<String>,
    began: Instant,
) -> Reply {
    let header = request.headers.get(STRIPE_VERSION).map(|value| value.to_str().unwrap_or_default());
    let version = match Version::settle(header, &caller.account) {
        Ok(version) => version,
        Err(refusal) => return refusal.reply(),
    };
    let name = version.name.clone();
    let reply = understood(app, caller, version, request, operation, parts, began).await;
    // A reply that was kept says which version it is in.
    if says_version(&reply) { reply } else { reply.with(STRIPE_VERSION, &name) }
}

async fn understood(
    app: Arc<App>,
    caller: Caller,
    version: Version,
    request: Request,
    operation: &Operation,
    parts: Vec<String>,
    began: Instant,
) -> Reply {
    let given = match given(&request) {
        Ok(given) => given,
        Err(refusal) => return refusal.reply(),
    };
    if !parts.is_empty() && given.get("id").is_some() {
        return Refusal::repeated_in_url("id").reply();
    }
    let idempotent = match Idempotent::of(&request, &given) {
        Ok(idempotent) => idempotent,
        Err(refusal) => return refusal.reply(),
    };
    let Request { id, headers, method, path, mount, peer, .. } = request;
    let reading = method == Method::GET || method == Method::HEAD;
    let Caller { account, key } = caller;
    let (now, app_of_call) = (app.now(), app.clone());
    let call = Arc::new(Call { account, version, given, headers, now, peer, reading, parts, key, app: app_of_call });
    let plan = (operation.plan)(&call).and_then(|plan| expand::require_sight(&call).map(|()| plan));
    let reply = match plan {
        Err(refusal) => refusal.reply(),
        Ok(plan) => {
            if !reading {
                app.meter().stage(Stage::Parse, began.elapsed());
            }
            let (id, idempotent) = (RequestId(id), idempotent.as_ref());
            let reply = match app.failures() {
                None => run(&app, &call, id, plan, idempotent).await,
                Some(failures) => {
                    let sent = format!("{mount}{path}");
                    let line = (method.as_str(), path.as_str(), sent.as_str());
                    failing::run_or_fail(failures, (&app, &call), line, id, plan, idempotent).await
                }
            };
            sealed::opened(reply, app.secrets_key())
        }
    };
    match &idempotent {
        Some(idempotent) => idempotent.echo(reply),
        None => reply,
    }
}

fn given(request: &Request) -> Result<Hash, Refusal> {
    if let Some(value) = request.headers.get(CONTENT_TYPE).filter(|_| !request.body.is_empty()) {
        let value = value.to_str().unwrap_or_default();
        let essence = value.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Refusal::content_type(value));
        }
    }
    form::decode_all(&[request.query.as_bytes(), &request.body], secrets::telling)
        .map_err(|error| Refusal::form(&error))
}

/// Puts what stopped a verb into words.
#[derive(Clone)]
pub struct Refuser {
    /// The request's id.
    pub request: String,
    names: Names,
    test_mode: bool,
}

impl Refuser {
    /// The refusal.
    pub fn refuse(&self, stop: Stop) -> Refusal {
        Refusal::stop(stop, &self.request, &self.names, self.test_mode)
    }
}

async fn run(app: &Arc<App>, call: &Arc<Call>, id: RequestId, plan: Plan, idempotent: Option<&Idempotent>) -> Reply {
    let Plan { names, work } = plan;
    let refuser = Refuser { request: id.0.clone(), names, test_mode: call.account.mode == Mode::Test };
    let outcome = match work {
        Todo::Look(mut look) => {
            let looking = call.clone();
            app.look(move |read| look(&looking, read)).await
        }
        Todo::Find(look) => {
            let (looking, glance) = (call.clone(), look.clone());
            match app.look(move |read| (glance.lock())(&looking, read)).await {
                Err(Halt::Stop(Stop::Problem(_))) => {
                    let scanning = call.clone();
                    app.scan(move |read| (look.lock())(&scanning, read)).await
                }
                outcome => outcome,
            }
        }
        Todo::Scan(mut look) => {
            let scanning = call.clone();
            app.scan(move |read| look(&scanning, read)).await
        }
        Todo::Write(ask, mut write) => {
            let idempotency_key = idempotent.map(|idempotent| idempotent.key.clone());
            let cause = Cause { request: Some(id), idempotency_key };
            if let Some(idempotent) = idempotent {
                return idempotency::run(app, call, cause, ask, write, refuser, idempotent).await;
            }
            let finding = match ask {
                Some(ask) => match find_out(app, call, ask, attempt(&call.account, &[&refuser.request])).await {
                    Ok(finding) => finding,
                    Err(Halt::Refusal(refusal)) => return refusal.reply(),
                    Err(Halt::Stop(stop)) => return refuser.refuse(stop).reply(),
                },
                None => None,
            };
            let writing = call.clone();
            let account = call.account.clone();
            app.transact(account, cause, move |tx, ctx| write(&writing, tx, ctx, finding.as_ref()))
                .await
                .map_err(Halt::from)
        }
    };
    match outcome {
        Ok(answer) => rendered(call, answer),
        Err(Halt::Refusal(refusal)) => refusal.reply(),
        Err(Halt::Stop(stop)) => refuser.refuse(stop).reply(),
    }
}

/// What came of the question that a change begins with, if it has one.
async fn find_out(
    app: &Arc<App>,
    call: &Arc<Call>,
    mut ask: Asking,
    attempt: AttemptKey,
) -> Result<Option<Finding>, Halt> {
    let asking = call.clone();
    let Some(question) = app.look(move |read| ask(&asking, read)).await.map_err(Halt::from)? else { return Ok(None) };
    match app.find_out(&call.account, &attempt, &question).await {
        Ok(finding) => Ok(Some(finding)),
        Err(NoFinding::Away) => Err(Refusal::processor_away().into()),
        Err(NoFinding::Failure(failure)) => Err(failure.into()),
    }
}

/// The name of an attempt of the account: a retry of the same request has the same, no other request has.
fn attempt(account: &Account, parts: &[&str]) -> AttemptKey {
    let mut sha = Sha256::new_with_prefix("cusp attempt\0");
    sha.update(account.space.0.to_be_bytes());
    for part in parts {
        sha.update((part.len() as u64).to_be_bytes());
        sha.update(part);
    }
    AttemptKey(sha.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The reply of an answer: 304 when a reader has it already.
fn rendered(call: &Call, answer: Answer) -> Reply {
    match answer.tag {
        Some(version) if call.reading && !conditions::is_wanted(&call.headers, version) => {
            Refusal::problem(Problem::VersionMismatch { current: version }, &Names::BY_PATH, true).reply()
        }
        Some(version) if call.reading && conditions::has_already(&call.headers, version) => {
            Reply::new(StatusCode::NOT_MODIFIED, "").with(ETAG, &conditions::tag(version))
        }
        tag => {
            let reply = call.rendering(|| answer.to_reply(call));
            tag.into_iter().fold(reply, |reply, version| reply.with(ETAG, &conditions::tag(version)))
        }
    }
}
