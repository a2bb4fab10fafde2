//! Why a request is not answered as it wishes, before a dialect has put it into words.

use hyper::header::HeaderMap;

use super::read::Flaw;
use crate::domain::account::Account;
use crate::domain::api_key::{Access, Resource};
use crate::domain::problem::Problem;
use crate::http::given::NotJson;
use crate::http::{Reply, Trouble};
use crate::settings::Openness;

/// A refusal.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// No key, or none that can be read.
    NoKey,
    /// A key that opens nothing.
    UnknownKey,
    /// A key that was taken back.
    RevokedKey,
    /// A publishable key.
    PublishableKey,
    /// A restricted key without the permission.
    NoPermission {
        /// To do something with this.
        resource: Resource,
        /// As far as this.
        access: Access,
    },
    /// One request too many.
    RateLimit {
        /// How long to wait, in seconds.
        seconds: u64,
    },
    /// A path where nothing is.
    UnknownUrl,
    /// A path that takes other methods.
    OtherMethod {
        /// These, with commas between them.
        allowed: String,
    },
    /// A body of another media type.
    MediaType {
        /// What is taken.
        taken: Vec<&'static str>,
    },
    /// A body where none is taken.
    BodyNotTaken,
    /// A body that is no JSON.
    NotJson(NotJson),
    /// What was sent is not what is asked for.
    Flaws(Vec<Flaw>),
    /// An idempotency key that is none: empty, too long, no plain text, or two of them.
    BadIdempotencyKey,
    /// Another request with the idempotency key is worked on.
    IdempotencyKeyInUse,
    /// The idempotency key was used with another path, other parameters or another body.
    IdempotencyKeyReused,
    /// What is there is not at the version that the caller insists on.
    VersionMismatch,
    /// By a rule.
    Problem(Box<Problem>),
    /// In the dialect's own words.
    Own(Box<Own>),
    /// The shell's trouble.
    Trouble(Trouble),
    /// It cannot be done at the moment: somebody else holds on to it, or the database is away.
    Busy,
    /// A promise of ours was broken. The cause is in the log.
    Broken,
}

/// A refusal that an operation words itself.
#[derive(Clone, Debug)]
pub struct Own {
    /// HTTP status.
    pub status: u16,
    /// What is wrong, for programs.
    pub code: &'static str,
    /// What is wrong, for people.
    pub message: String,
    /// The parameters that are wrong.
    pub flaws: Vec<Flaw>,
}

impl Refusal {
    /// One in the dialect's own words.
    pub fn own(status: u16, code: &'static str, message: impl Into<String>) -> Refusal {
        Refusal::Own(Box::new(Own { status, code, message: message.into(), flaws: Vec::new() }))
    }

    /// One flaw.
    pub fn flaw(flaw: Flaw) -> Refusal {
        Refusal::Flaws(vec![flaw])
    }

    /// The status that it has where a dialect has no other; of a problem that of the most of them.
    pub fn status(&self) -> u16 {
        match self {
            Refusal::NoKey | Refusal::UnknownKey | Refusal::RevokedKey => 401,
            Refusal::PublishableKey | Refusal::NoPermission { .. } => 403,
            Refusal::RateLimit { .. } => 429,
            Refusal::UnknownUrl => 404,
            Refusal::OtherMethod { .. } => 405,
            Refusal::MediaType { .. } => 415,
            Refusal::BodyNotTaken | Refusal::NotJson(_) | Refusal::Flaws(_) | Refusal::BadIdempotencyKey => 400,
            Refusal::IdempotencyKeyInUse => 409,
            // draft-ietf-httpapi-idempotency-key-header, section 2.7.
            Refusal::IdempotencyKeyReused => 422,
            Refusal::VersionMismatch => 412,
            Refusal::Problem(_) => 400,
            Refusal::Own(own) => own.status,
            Refusal::Trouble(trouble) => match trouble {
                Trouble::BodyTooLarge(_) => 413,
                Trouble::BodyTooSlow => 408,
                Trouble::BodyBroken => 400,
                Trouble::TooLong => 503,
                Trouble::Broken => 500,
            },
            Refusal::Busy => 503,
            Refusal::Broken => 500,
        }
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Refusal {
        match problem {
            Problem::VersionMismatch { .. } => Refusal::VersionMismatch,
            problem => Refusal::Problem(Box::new(problem)),
        }
    }
}

/// A dialect's words.
pub trait Voice: Send + Sync {
    /// The reply that refuses the request of that id.
    fn reply(&self, refusal: &Refusal, request: &str) -> Reply;

    /// The status of a refusal.
    fn status(&self, refusal: &Refusal) -> u16 {
        refusal.status()
    }

    /// Whether somebody with a good key of the account may come in with these headers.
    fn enter(&self, _headers: &HeaderMap, _account: &Account, _openness: Openness) -> Result<(), Refusal> {
        Ok(())
    }
}
