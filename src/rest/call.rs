//! A request that was understood, what an operation makes of it, and what it answers.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use hyper::StatusCode;
use hyper::header::{HeaderMap, HeaderName, LOCATION};

use super::fields::Fields;
use super::read::Changes;
use super::refusal::Refusal;
use crate::app::App;
use crate::domain::account::Account;
use crate::domain::api_key::ApiKey;
use crate::domain::event::Cause;
use crate::domain::ids::RequestId;
use crate::domain::problem::Problem;
use crate::domain::time::Time;
use crate::engine::{Ctx, Precondition, Stop};
use crate::http::json::Json;
use crate::http::{Body, conditions};
use crate::store::{Failure, Read, Tx};

/// A request, as far as it is the same for every operation.
pub struct Call {
    /// Whose records.
    pub account: Arc<Account>,
    /// By which key.
    pub key: Arc<ApiKey>,
    /// The request's id.
    pub request: RequestId,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its path, as it was sent: with the mount, still percent-encoded.
    pub path: String,
    /// When it came.
    pub now: Time,
    /// The idempotency key that came with it.
    pub idempotency_key: Option<String>,
    /// Whether the server takes what strict reading refuses.
    pub lenient: bool,
    /// Whether it only reads.
    pub reading: bool,
    /// The program.
    pub app: Arc<App>,
}

impl Call {
    /// What the caller insists on before a record is changed.
    pub fn insists(&self) -> Precondition {
        conditions::insists(&self.headers)
    }

    /// What changes are caused by.
    pub fn cause(&self) -> Cause {
        Cause { request: Some(self.request.clone()), idempotency_key: self.idempotency_key.clone() }
    }
}

/// What was asked of an operation, read by its tables.
#[derive(Default)]
pub struct Asked {
    /// The variable parts of the path, decoded.
    pub parts: Vec<String>,
    /// The query string.
    pub query: Fields,
    /// What was sent.
    pub given: Given,
}

/// What was sent.
#[derive(Default)]
pub enum Given {
    /// Nothing.
    #[default]
    Nothing,
    /// An object of JSON.
    Body(Fields),
    /// An object of JSON that changes a record.
    Changes(Changes),
    /// A file.
    File {
        /// The whole value of `Content-Type`, of a media type that the operation takes.
        content_type: String,
        /// Its bytes.
        bytes: Body,
    },
}

impl Asked {
    /// The variable part of the path at that place.
    pub fn part(&mut self, place: usize) -> String {
        std::mem::take(&mut self.parts[place])
    }

    /// The body; empty when none was sent.
    pub fn body(&mut self) -> Fields {
        match std::mem::take(&mut self.given) {
            Given::Body(fields) => fields,
            Given::Nothing | Given::Changes(_) | Given::File { .. } => Fields::default(),
        }
    }

    /// What the body wants changed, where that is what the operation takes.
    pub fn changes(&mut self) -> Changes {
        match std::mem::take(&mut self.given) {
            Given::Changes(changes) => changes,
            Given::Nothing | Given::Body(_) | Given::File { .. } => Changes::default(),
        }
    }
}

/// Why an operation does not answer as it was wished.
#[derive(Debug)]
pub enum Halt {
    /// For this reason, of which a retry may hear another.
    Refusal(Refusal),
    /// By a rule.
    Problem(Problem),
    /// The store's trouble.
    Failure(Failure),
}

impl From<Refusal> for Halt {
    fn from(refusal: Refusal) -> Halt {
        Halt::Refusal(refusal)
    }
}

impl From<Problem> for Halt {
    fn from(problem: Problem) -> Halt {
        Halt::Problem(problem)
    }
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Halt {
        Halt::Failure(failure)
    }
}

impl From<Stop> for Halt {
    fn from(stop: Stop) -> Halt {
        match stop {
            Stop::Problem(problem) => Halt::Problem(problem),
            Stop::Failure(failure) => Halt::Failure(failure),
        }
    }
}

/// What an operation answers.
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// What follows the headers.
    pub body: Says,
    /// The version of the one record that it shows.
    pub tag: Option<u64>,
    /// Further headers.
    pub headers: Vec<(HeaderName, String)>,
}

/// The body of an answer.
pub enum Says {
    /// Nothing.
    Nothing,
    /// This.
    Json(Json),
    /// This, which is made when the writer is done with the change: others wait for the writer.
    Later(Box<dyn Fn() -> Json + Send + Sync>),
    /// A refusal that is an outcome like any other, and is kept as one.
    Refused(Refusal),
}

impl Answer {
    /// 200 with that.
    pub fn ok(json: impl Into<Json>) -> Answer {
        Answer { status: StatusCode::OK, body: Says::Json(json.into()), tag: None, headers: Vec::new() }
    }

    /// 200 with what is made when the writer is done.
    pub fn later<T: Into<Json>>(make: impl Fn() -> T + Send + Sync + 'static) -> Answer {
        let body = Says::Later(Box::new(move || make().into()));
        Answer { status: StatusCode::OK, body, tag: None, headers: Vec::new() }
    }

    /// 204.
    pub fn nothing() -> Answer {
        Answer { status: StatusCode::NO_CONTENT, body: Says::Nothing, tag: None, headers: Vec::new() }
    }

    /// The same with status 201.
    pub fn created(self) -> Answer {
        Answer { status: StatusCode::CREATED, ..self }
    }

    /// The same for something new that is found below the request's own path by its id.
    pub fn located(self, call: &Call, id: &str) -> Answer {
        let path = call.path.trim_end_matches('/');
        let id = percent_encoding::utf8_percent_encode(id, IN_PATH);
        self.header(LOCATION, format!("{path}/{id}"))
    }

    /// The same of one record at that version.
    pub fn tagged(self, version: u64) -> Answer {
        Answer { tag: Some(version), ..self }
    }

    /// The same with one more header.
    pub fn header(mut self, name: HeaderName, value: impl Into<String>) -> Answer {
        self.headers.push((name, value.into()));
        self
    }

    /// A refusal that is kept under an idempotency key.
    pub fn refused(refusal: Refusal) -> Answer {
        Answer { status: StatusCode::OK, body: Says::Refused(refusal), tag: None, headers: Vec::new() }
    }
}

/// What is written as it is in a part of a path.
const IN_PATH: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

type Looking = Box<dyn FnMut(&Call, &mut dyn Read) -> Result<Answer, Halt> + Send>;
pub(super) type Writing = Box<dyn FnMut(&Call, &mut dyn Tx, &Ctx<'_>) -> Result<Answer, Halt> + Send>;
type Working = Box<dyn FnOnce(Arc<Call>) -> BoxFuture<'static, Result<Answer, Halt>> + Send>;

/// What is left to do with the store. What looks or writes may run more than once; what writes refuses before it writes.
pub enum Plan {
    /// To look at a few rows by key.
    Look(Looking),
    /// To look at many rows of one state.
    Scan(Looking),
    /// To change something in one transaction.
    Write(Writing),
    /// To change things in transactions of its own, one after the other: for what is too large for one.
    Work(Working),
}

impl Plan {
    /// To look at a few rows by key.
    pub fn look(look: impl FnMut(&Call, &mut dyn Read) -> Result<Answer, Halt> + Send + 'static) -> Plan {
        Plan::Look(Box::new(look))
    }

    /// To look at many rows of one state.
    pub fn scan(look: impl FnMut(&Call, &mut dyn Read) -> Result<Answer, Halt> + Send + 'static) -> Plan {
        Plan::Scan(Box::new(look))
    }

    /// To change something in one transaction.
    pub fn write(write: impl FnMut(&Call, &mut dyn Tx, &Ctx<'_>) -> Result<Answer, Halt> + Send + 'static) -> Plan {
        Plan::Write(Box::new(write))
    }

    /// To change things in transactions of its own.
    pub fn work<F>(work: impl FnOnce(Arc<Call>) -> F + Send + 'static) -> Plan
    where
        F: Future<Output = Result<Answer, Halt>> + Send + 'static,
    {
        Plan::Work(Box::new(move |call| Box::pin(work(call))))
    }
}
