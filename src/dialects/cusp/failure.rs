//! Refusals of Cusp's own API: every text that its clients read, in one envelope.

use hyper::header::{ALLOW, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{Method, StatusCode};

use crate::domain::api_key::{Access, Resource};
use crate::domain::problem::Problem;
use crate::domain::secret::without_card_numbers;
use crate::engine::Stop;
use crate::http::json::{Json, Object};
use crate::http::{Reply, Trouble};
use crate::store::{Failure, Outlook};

/// The most characters of what the caller sent that a refusal repeats.
const MAX_SHOWN: usize = 200;

/// A refusal as the wire shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: StatusCode,
    /// What is wrong, for programs.
    pub code: &'static str,
    /// What is wrong, for people.
    pub message: String,
    /// The parameter that is wrong, inner ones behind a dot.
    pub param: Option<String>,
    headers: Vec<(HeaderName, String)>,
}

/// Why an operation does not answer.
#[derive(Debug)]
pub enum Halt {
    /// The caller's mistake.
    Refusal(Refusal),
    /// The store's trouble.
    Failure(Failure),
}

impl From<Refusal> for Halt {
    fn from(refusal: Refusal) -> Halt {
        Halt::Refusal(refusal)
    }
}

impl Halt {
    /// What stopped a verb, with the operation's words for its problems.
    pub fn of(stop: Stop, words: impl FnOnce(Problem) -> Refusal) -> Halt {
        match stop {
            Stop::Problem(problem) => Halt::Refusal(words(problem)),
            Stop::Failure(failure) => Halt::Failure(failure),
        }
    }

    /// The refusal; a failure of ours is logged here, where it is answered.
    pub fn refusal(self, request: &str) -> Refusal {
        match self {
            Halt::Refusal(refusal) => refusal,
            Halt::Failure(failure) => {
                tracing::error!(request, "{failure}");
                match failure.outlook {
                    Outlook::Broken => Refusal::broken(),
                    Outlook::Passing | Outlook::Contended => {
                        Refusal::new(503, "unavailable", "The server cannot do this right now. Please try again later.")
                    }
                }
            }
        }
    }
}

impl Refusal {
    /// A refusal with that status.
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Refusal {
        let status = StatusCode::from_u16(status).expect("refusals have statuses that there are");
        Refusal { status, code, message: message.into(), param: None, headers: Vec::new() }
    }

    /// A refusal of a parameter.
    pub fn of_param(param: impl Into<String>, code: &'static str, message: impl Into<String>) -> Refusal {
        Refusal::new(400, code, message).about(param)
    }

    /// The refusal with the parameter that it is about.
    pub fn about(mut self, param: impl Into<String>) -> Refusal {
        self.param = Some(param.into());
        self
    }

    /// The refusal with one more header.
    pub fn header(mut self, name: HeaderName, value: impl Into<String>) -> Refusal {
        self.headers.push((name, value.into()));
        self
    }

    /// No key, or none that can be read.
    pub fn no_key() -> Refusal {
        Refusal::new(
            401,
            "no_key",
            "An API key is needed: send a secret key as `Authorization: Bearer KEY`, or as the user name of Basic \
             authentication.",
        )
        .header(WWW_AUTHENTICATE, "Basic realm=\"Cusp\"")
    }

    /// A key that opens nothing.
    pub fn unknown_key() -> Refusal {
        Refusal::new(401, "unknown_key", "There is no such API key.").header(WWW_AUTHENTICATE, "Basic realm=\"Cusp\"")
    }

    /// A key that no longer opens anything.
    pub fn expired_key() -> Refusal {
        Refusal::new(401, "expired_key", "The API key was revoked.")
    }

    /// A publishable key.
    pub fn publishable_key() -> Refusal {
        Refusal::new(403, "publishable_key", "A publishable key opens nothing here: use a secret key.")
    }

    /// A restricted key where there is no permission for what is asked.
    pub fn restricted_key() -> Refusal {
        Refusal::new(403, "restricted_key", "A restricted key may not do this: use a secret key.")
    }

    /// A restricted key without the permission.
    pub fn no_permission(resource: Resource, access: Access) -> Refusal {
        let permission = format!("rak_{}_{}", resource.as_str(), access.as_str());
        Refusal::new(403, "no_permission", format!("The restricted key needs the permission `{permission}` for this."))
    }

    /// A key that may not act for the account that is named in a header.
    pub fn not_linked() -> Refusal {
        Refusal::new(
            403,
            "account_invalid",
            "The key may not act for the account that `Stripe-Account` names, or there is no such account.",
        )
    }

    /// A header that is not understood here.
    pub fn no_context() -> Refusal {
        Refusal::new(
            400,
            "header_not_taken",
            "`Stripe-Context` is not taken here: name the account in `Stripe-Account`.",
        )
    }

    /// A request that comes too soon.
    pub fn rate_limit(seconds: u64) -> Refusal {
        Refusal::new(429, "rate_limit", format!("Too many requests: try again in {seconds} s."))
            .header(RETRY_AFTER, seconds.to_string())
    }

    /// A URL where nothing is.
    pub fn unknown_url(method: &Method, path: &str) -> Refusal {
        Refusal::new(404, "unknown_url", format!("There is nothing at {method} {}.", shortened(path)))
    }

    /// A URL that takes other methods.
    pub fn method_not_allowed(method: &Method, allowed: &str) -> Refusal {
        Refusal::new(405, "method_not_allowed", format!("This URL does not take {method}, but {allowed}."))
            .header(ALLOW, allowed)
    }

    /// An operation that a server that keeps records does not have.
    pub fn only_in_dev(method: &Method, path: &str) -> Refusal {
        Refusal::new(404, "only_in_dev", format!("{method} {path} is there in `cusp dev` only."))
    }

    /// A body where none is taken.
    pub fn body_not_taken() -> Refusal {
        Refusal::new(400, "body_not_taken", "This request takes no body: parameters belong into the query string.")
    }

    /// A query string where none is taken.
    pub fn query_not_taken() -> Refusal {
        Refusal::new(
            400,
            "query_not_taken",
            "This request takes no query string: parameters belong into the JSON body.",
        )
    }

    /// A body of another type than JSON.
    pub fn content_type() -> Refusal {
        Refusal::new(415, "content_type", "The body has to be JSON, with `Content-Type: application/json`.")
    }

    /// A promise of ours was broken.
    pub fn broken() -> Refusal {
        Refusal::new(500, "internal", "An unexpected error occurred on the server. Its cause is in the server's log.")
    }

    /// The shell's trouble.
    pub fn trouble(trouble: Trouble) -> Refusal {
        match trouble {
            Trouble::BodyTooLarge(most) => {
                Refusal::new(413, "body_too_large", format!("The body is too large: at most {most} bytes are taken."))
            }
            Trouble::BodyTooSlow => Refusal::new(408, "body_too_slow", "The body did not arrive in time."),
            Trouble::BodyBroken => Refusal::new(400, "body_broken", "The body broke off."),
            Trouble::TooLong => Refusal::new(
                503,
                "timeout",
                "The server could not answer in time. Whether anything was changed is not known.",
            ),
            Trouble::Broken => Refusal::broken(),
        }
    }

    fn kind(&self) -> &'static str {
        match self.status.as_u16() {
            401 => "authentication_error",
            403 => "permission_error",
            404 => "not_found_error",
            429 => "rate_limit_error",
            500.. => "api_error",
            _ => "invalid_request_error",
        }
    }

    /// The reply to the request of that id, as far as it is known.
    pub fn reply(self, request: Option<&str>) -> Reply {
        // Whoever sends a card's number in a place where none belongs does not get it back.
        let mut error = Object::new()
            .and("type", self.kind())
            .and("code", self.code)
            .and("message", without_card_numbers(&self.message))
            .and("param", self.param.as_deref().map(without_card_numbers));
        if let Some(request) = request {
            error.add("request_id", request.to_owned());
        }
        let body = Json::from(Object::new().and("error", error)).to_bytes();
        self.headers.into_iter().fold(Reply::new(self.status, body), |reply, (name, value)| reply.with(name, &value))
    }
}

/// As much of what a caller sent as a refusal repeats.
pub fn shortened(text: &str) -> String {
    text.chars().take(MAX_SHOWN).collect()
}
