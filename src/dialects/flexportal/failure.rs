//! What the API says when it refuses: `{"error": {"code", "message", "details"}}`, where `details` names each member that is
//! wrong. The codes are those of FlexPortal's pages on errors; where these name none, the words are our own.

pub mod catalogue;
mod rentals;

use hyper::StatusCode;
use hyper::header::{ALLOW, HeaderMap, RETRY_AFTER, WWW_AUTHENTICATE};

use super::tenant;
use crate::domain::account::Account;
use crate::domain::problem::Problem;
use crate::domain::secret::without_card_numbers;
use crate::engine::Stop;
use crate::http::json::{Json, Object};
use crate::http::{Reply, Trouble};
use crate::rest::read::{Flaw, Wrong};
use crate::rest::shape::member;
use crate::rest::{Component, Halt, Own, Refusal, Shape, Voice, X_REQUEST_ID};
use crate::settings::Openness;

/// The shape of a refusal.
pub static REFUSAL: Component = Component {
    name: "Error",
    doc: "Why a request is refused.",
    shape: Shape::Object(&[member(
        "error",
        Shape::Object(&[
            member("code", Shape::text(1, 100))
                .needed()
                .doc("What is wrong, for programs.")
                .example("VALIDATION_ERROR"),
            member("message", Shape::text(1, 5_000)).needed().doc("What is wrong, for people."),
            member("details", Shape::List(&DETAIL, 0, 100)).doc("The members that are wrong."),
        ]),
    )
    .needed()]),
};

static DETAIL: Shape = Shape::Object(&[
    member("path", Shape::text(0, 1_000)).needed().doc("Which member.").example("customer.email"),
    member("message", Shape::text(1, 5_000)).needed().doc("What is wrong with it."),
    member("code", Shape::text(1, 100)).needed().doc("The same for programs.").example("invalid_string"),
]);

/// The API's words.
pub struct Words;

impl Voice for Words {
    fn reply(&self, refusal: &Refusal, _: &str) -> Reply {
        reply(refusal)
    }

    fn status(&self, refusal: &Refusal) -> u16 {
        Said::of(refusal).status
    }

    fn enter(&self, headers: &HeaderMap, account: &Account, _: Openness) -> Result<(), Refusal> {
        match tenant(headers, account) {
            Some(_) => Ok(()),
            // QUIRK: a missing header is 403 too, not 400; FlexPortal's page on errors.
            None => Err(Refusal::own(
                403,
                "NO_TENANT_ACCESS",
                "The key does not open the business unit that the Tenant-ID header names.",
            )),
        }
    }
}

/// The shell's trouble.
pub fn confess(trouble: Trouble, request: &str) -> Reply {
    reply(&Refusal::Trouble(trouble)).with(X_REQUEST_ID, request)
}

/// A problem of something that a body refers to, named by the member that does: what a path does not find is `NOT_FOUND`,
/// what a body refers to has a code of its own.
pub fn named_by(path: &str) -> impl Fn(Stop) -> Halt {
    let path = path.to_owned();
    move |stop| match stop {
        Stop::Failure(failure) => Halt::Failure(failure),
        Stop::Problem(problem) => match referred(&problem) {
            None => Halt::Problem(problem),
            Some(code) => {
                let message = Said::problem(&problem).message;
                let flaws = vec![Flaw::rule(&path, "not_found", message.clone())];
                Halt::Refusal(Refusal::Own(Box::new(Own { status: 404, code, message, flaws })))
            }
        },
    }
}

/// A refusal of what a member says, with a code of its own.
pub fn not_that(path: &str, code: &'static str, message: String) -> Refusal {
    let flaws = vec![Flaw::rule(path, "custom", message.clone())];
    Refusal::Own(Box::new(Own { status: 400, code, message, flaws }))
}

/// A problem of a member, told with the path at which the body has it.
pub fn at(path: &str, problem: Problem) -> Halt {
    let Said { status, code, message, details } = Said::problem(&problem);
    if status >= 500 {
        return Halt::Problem(problem);
    }
    let kind = details.first().map_or(if status == 404 { "not_found" } else { "custom" }, |(_, _, kind)| kind);
    let flaws = vec![Flaw::rule(path, kind, message.clone())];
    Halt::Refusal(Refusal::Own(Box::new(Own { status, code, message, flaws })))
}

/// The code of something that is not there where a body refers to it.
fn referred(problem: &Problem) -> Option<&'static str> {
    match problem {
        Problem::NoSuchCustomer { .. } => Some("CUSTOMER_NOT_FOUND"),
        Problem::Rental(problem) => rentals::referred(problem),
        Problem::Catalogue(problem) => catalogue::referred(problem),
        _ => None,
    }
}

/// What is said.
struct Said {
    status: u16,
    code: &'static str,
    message: String,
    /// Path, message, code.
    details: Vec<(String, String, &'static str)>,
}

fn reply(refusal: &Refusal) -> Reply {
    let Said { status, code, message, details } = Said::of(refusal);
    let mut error = Object::new().and("code", code).and("message", message);
    if !details.is_empty() {
        let detail = |(path, message, code): (String, String, &'static str)| {
            Object::new().and("path", path).and("message", message).and("code", code).into()
        };
        error.add("details", Json::List(details.into_iter().map(detail).collect()));
    }
    let body: Json = Object::new().and("error", error).into();
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let reply = Reply::new(status, body.to_bytes());
    match refusal {
        Refusal::NoKey | Refusal::UnknownKey | Refusal::RevokedKey => {
            reply.with(WWW_AUTHENTICATE, "Bearer realm=\"FlexPortal\"")
        }
        Refusal::RateLimit { seconds } => reply.with(RETRY_AFTER, &seconds.to_string()),
        Refusal::Busy => reply.with(RETRY_AFTER, "1"),
        Refusal::OtherMethod { allowed } => reply.with(ALLOW, allowed),
        _ => reply,
    }
}

impl Said {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Said {
        Said { status, code, message: message.into(), details: Vec::new() }
    }

    /// The same about a member.
    fn about(mut self, path: impl Into<String>, code: &'static str) -> Said {
        self.details.push((path.into(), self.message.clone(), code));
        self
    }

    fn of(refusal: &Refusal) -> Said {
        match refusal {
            Refusal::NoKey => Said::new(401, "AUTH_REQUIRED", "Give an API key: `Authorization: Bearer KEY`."),
            Refusal::UnknownKey | Refusal::RevokedKey => Said::new(401, "INVALID_TOKEN", "The API key opens nothing."),
            Refusal::PublishableKey => {
                Said::new(403, "INSUFFICIENT_PERMISSIONS", "A publishable key may not do this: use a secret one.")
            }
            Refusal::NoPermission { resource, access } => {
                let (resource, access) = (resource.as_str(), access.as_str());
                let message = format!("The API key may not do this: it needs the permission {resource}={access}.");
                Said::new(403, "INSUFFICIENT_PERMISSIONS", message)
            }
            Refusal::RateLimit { seconds } => {
                Said::new(429, "RATE_LIMITED", format!("Too many requests: try again in {seconds} seconds."))
            }
            Refusal::UnknownUrl => Said::new(404, "NOT_FOUND", "There is nothing at this path."),
            Refusal::OtherMethod { allowed } => {
                Said::new(405, "METHOD_NOT_ALLOWED", format!("This path takes other methods: {allowed}."))
            }
            Refusal::MediaType { taken } => {
                let message = format!("The body has to be of media type {}.", taken.join(" or "));
                Said::new(415, "UNSUPPORTED_MEDIA_TYPE", message)
            }
            Refusal::BodyNotTaken => Said::new(400, "VALIDATION_ERROR", "No body is taken here."),
            Refusal::NotJson(why) => Said::new(400, "VALIDATION_ERROR", why.to_string()),
            Refusal::Flaws(flaws) => Said::flawed(flaws),
            Refusal::BadIdempotencyKey => Said::new(
                400,
                "VALIDATION_ERROR",
                "The Idempotency-Key header has to be one text of 1 to 255 characters.",
            ),
            Refusal::IdempotencyKeyInUse => Said::new(
                409,
                "IDEMPOTENCY_KEY_IN_USE",
                "Another request with this idempotency key is being worked on.",
            ),
            Refusal::IdempotencyKeyReused => {
                Said::new(422, "IDEMPOTENCY_KEY_REUSED", "The idempotency key was used for another request.")
            }
            Refusal::VersionMismatch => {
                Said::new(412, "PRECONDITION_FAILED", "The record has changed: read it again before you change it.")
            }
            Refusal::Problem(problem) => Said::problem(problem),
            Refusal::Own(own) => {
                let Own { status, code, message, flaws } = &**own;
                Said { details: flaws.iter().map(detail).collect(), ..Said::new(*status, code, message.clone()) }
            }
            Refusal::Trouble(trouble) => Said::trouble(*trouble),
            Refusal::Busy => Said::new(503, "SERVICE_UNAVAILABLE", "The server is busy: try again soon."),
            Refusal::Broken => {
                Said::new(500, "INTERNAL_ERROR", "Something went wrong on the server; its log says what.")
            }
        }
    }

    fn flawed(flaws: &[Flaw]) -> Said {
        let message = match flaws {
            [flaw] if flaw.path.is_empty() => format!("The request {}.", flaw.wrong),
            [flaw] => format!("`{}` {}.", without_card_numbers(&flaw.path), flaw.wrong),
            _ => format!("{} members of the request are not as they have to be.", flaws.len()),
        };
        Said { details: flaws.iter().map(detail).collect(), ..Said::new(400, "VALIDATION_ERROR", message) }
    }

    fn trouble(trouble: Trouble) -> Said {
        match trouble {
            Trouble::BodyTooLarge(limit) => {
                Said::new(413, "PAYLOAD_TOO_LARGE", format!("The body is larger than {limit} bytes."))
            }
            Trouble::BodyTooSlow => Said::new(408, "REQUEST_TIMEOUT", "The body did not come in time."),
            Trouble::BodyBroken => Said::new(400, "VALIDATION_ERROR", "The body broke off."),
            Trouble::TooLong => Said::new(503, "SERVICE_UNAVAILABLE", "It took too long: try again soon."),
            Trouble::Broken => Said::of(&Refusal::Broken),
        }
    }

    /// What a rule says.
    fn problem(problem: &Problem) -> Said {
        match problem {
            Problem::NoSuchCustomer { id, .. } => Said::new(404, "NOT_FOUND", format!("There is no customer {id}.")),
            Problem::EmailTaken => Said::new(409, "CUSTOMER_EMAIL_EXISTS", "Another customer has this e-mail address.")
                .about("email", "custom"),
            Problem::VersionMismatch { .. } => Said::of(&Refusal::VersionMismatch),
            Problem::Rental(problem) => rentals::said(problem),
            Problem::Catalogue(problem) => catalogue::said(problem),
            // The verbs that are run here have no others; where one has, it is logged where it is refused.
            _ => Said::of(&Refusal::Broken),
        }
    }
}

/// A flaw without what could be a card number in its path: keys of callers are repeated there. Serial numbers, which may look
/// like one, are in sentences only.
fn detail(flaw: &Flaw) -> (String, String, &'static str) {
    (without_card_numbers(&flaw.path), flaw.wrong.to_string(), code(&flaw.wrong))
}

/// The code of a flaw: those of the library whose marks the published documents bear.
fn code(wrong: &Wrong) -> &'static str {
    match wrong {
        Wrong::Unknown => "unrecognized_keys",
        Wrong::Twice | Wrong::NotText | Wrong::Nul | Wrong::TooDeep(_) => "custom",
        Wrong::Missing | Wrong::Null | Wrong::Type { .. } => "invalid_type",
        Wrong::Format(_) => "invalid_string",
        Wrong::Word(_) => "invalid_enum_value",
        Wrong::TooShort(_) | Wrong::TooSmall(_) | Wrong::TooFew(_) => "too_small",
        Wrong::TooLong(_) | Wrong::TooLarge(_) | Wrong::TooMany(_) | Wrong::TooManyBytes(_) => "too_big",
        Wrong::TooPrecise(_) => "not_multiple_of",
        Wrong::Rule(code, _) => code,
    }
}
