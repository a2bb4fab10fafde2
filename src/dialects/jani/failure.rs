//! Refusals in Jani's words. Its documents give statuses and one sentence each; the envelope is what its application answers,
//! with more in it.

use hyper::StatusCode;
use hyper::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};

use crate::domain::problem::Problem;
use crate::domain::secret::without_card_numbers;
use crate::http::json::{Json, Object};
use crate::http::{Reply, Trouble};
use crate::rest::refusal::Own;
use crate::rest::shape::member;
use crate::rest::{Component, Flaw, Refusal, Shape, Voice, Wrong};

/// What every refusal looks like.
pub static REFUSAL: Component = Component {
    name: "Error",
    doc: "Why a request is refused.",
    shape: Shape::Object(&[
        member("error", Shape::text(1, 64)).needed().doc("What is wrong, for programs.").example("not_found"),
        member("message", Shape::text(1, 10_000))
            .needed()
            .doc("What is wrong, for people.")
            .example("There is no customer of that id."),
        member("details", Shape::List(&DETAIL, 0, usize::MAX)).needed().doc("Each field that is wrong.").example("[]"),
        member("request_id", Shape::text(1, 64)).needed().example("req_01h3vjs3b16yc3f9q8q9pfrb80"),
    ]),
};

const DETAIL: Shape = Shape::Object(&[
    member("field", Shape::text(0, 1_000)).needed().doc("Its name, inner ones behind dots.").example("address.country"),
    member("message", Shape::text(1, 1_000)).needed().example("has to be given"),
]);

/// The words.
pub struct Words;

struct Told {
    code: &'static str,
    message: String,
}

fn told(code: &'static str, message: impl Into<String>) -> Told {
    Told { code, message: message.into() }
}

impl Voice for Words {
    fn status(&self, refusal: &Refusal) -> u16 {
        match refusal {
            // The documents know no 422.
            Refusal::IdempotencyKeyReused => 409,
            Refusal::Problem(problem) => status(problem),
            other => other.status(),
        }
    }

    fn reply(&self, refusal: &Refusal, request: &str) -> Reply {
        let status = StatusCode::from_u16(self.status(refusal)).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let Told { code, message } = words(refusal);
        // A key that nobody knows is repeated, and may be anything.
        let message = without_card_numbers(&message);
        let details: Vec<Json> = flaws(refusal).iter().map(detail).collect();
        let body = Object::new()
            .and("error", code)
            .and("message", message)
            .and("details", details)
            .and("request_id", request.to_owned());
        let reply = Reply::new(status, Json::from(body).to_bytes());
        match refusal {
            Refusal::NoKey | Refusal::UnknownKey | Refusal::RevokedKey => {
                reply.with(WWW_AUTHENTICATE, "Bearer realm=\"Jani\"")
            }
            Refusal::RateLimit { seconds } => reply.with(RETRY_AFTER, &seconds.to_string()),
            Refusal::Busy => reply.with(RETRY_AFTER, "1"),
            Refusal::OtherMethod { allowed } => reply.with(ALLOW, allowed),
            _ => reply,
        }
    }
}

fn words(refusal: &Refusal) -> Told {
    match refusal {
        Refusal::NoKey => told("unauthorized", "An API key is needed: `Authorization: Bearer KEY`."),
        Refusal::UnknownKey => told("unauthorized", "There is no such API key."),
        Refusal::RevokedKey => told("unauthorized", "The API key was revoked."),
        Refusal::PublishableKey => told("forbidden", "A publishable key opens nothing here: use a secret key."),
        Refusal::NoPermission { resource, access } => {
            let permission = format!("{}={}", resource.as_str(), access.as_str());
            told("forbidden", format!("The restricted key needs the permission {permission} for this."))
        }
        Refusal::RateLimit { seconds } => {
            told("too_many_requests", format!("There were too many requests: try again in {seconds} s."))
        }
        Refusal::UnknownUrl => told("not_found", "There is nothing at this path."),
        Refusal::OtherMethod { allowed } => {
            told("method_not_allowed", format!("This path takes other methods: {allowed}."))
        }
        Refusal::MediaType { taken } => {
            told("unsupported_media_type", format!("The body has to be of the type {}.", taken.join(" or ")))
        }
        Refusal::BodyNotTaken => told("invalid_request", "This request takes no body."),
        Refusal::NotJson(mistake) => told("invalid_json", mistake.to_string()),
        Refusal::Flaws(flaws) => told("validation_error", summary(flaws)),
        Refusal::BadIdempotencyKey => {
            told("invalid_request", "`Idempotency-Key` has to be one text of 1 to 255 characters.")
        }
        Refusal::IdempotencyKeyInUse => {
            told("idempotency_key_in_use", "Another request with this idempotency key is being worked on.")
        }
        Refusal::IdempotencyKeyReused => {
            told("idempotency_key_reused", "This idempotency key was used with another request.")
        }
        Refusal::VersionMismatch => {
            told("precondition_failed", "The record is not at the version that `If-Match` insists on.")
        }
        Refusal::Problem(problem) => of_problem(problem),
        Refusal::Own(own) => {
            let Own { status: _, code, message, flaws: _ } = &**own;
            told(code, message.clone())
        }
        Refusal::Trouble(trouble) => of_trouble(*trouble),
        Refusal::Busy => told("unavailable", "This cannot be done at the moment. A retry may succeed."),
        Refusal::Broken => broken(),
    }
}

fn of_trouble(trouble: Trouble) -> Told {
    match trouble {
        Trouble::BodyTooLarge(most) => {
            told("payload_too_large", format!("The body is too large: at most {most} bytes are taken."))
        }
        Trouble::BodyTooSlow => told("request_timeout", "The body did not arrive in time."),
        Trouble::BodyBroken => told("invalid_request", "The body broke off."),
        Trouble::TooLong => {
            told("unavailable", "The server could not answer in time. Whether anything was changed is not known.")
        }
        Trouble::Broken => broken(),
    }
}

fn broken() -> Told {
    told("internal_error", "The server met an unexpected error. Its cause is in the server's log.")
}

/// The status of a problem; 500 of one that no verb of this API has, which is logged where it is refused.
fn status(problem: &Problem) -> u16 {
    match problem {
        Problem::NoSuchCustomer { .. } | Problem::NoSuchCustomerAddress(_) | Problem::NoSuchBusiness(_) => 404,
        Problem::EmailTaken => 409,
        Problem::TooManyOfCustomer { .. } => 400,
        // The rest are other APIs' wishes.
        _ => 500,
    }
}

fn of_problem(problem: &Problem) -> Told {
    match problem {
        Problem::NoSuchCustomer { .. } => told("not_found", "There is no customer of that id."),
        Problem::NoSuchCustomerAddress(_) => told("not_found", "The customer has no address of that id."),
        Problem::NoSuchBusiness(_) => told("not_found", "The customer has no business of that id."),
        Problem::EmailTaken => told("conflict", "Another customer has this email."),
        Problem::TooManyOfCustomer { what, most } => {
            told("limit_reached", format!("The customer has {most} {what}, which is the most it can have."))
        }
        _ => broken(),
    }
}

fn flaws(refusal: &Refusal) -> Vec<Flaw> {
    match refusal {
        Refusal::Flaws(flaws) => flaws.clone(),
        Refusal::Own(own) => own.flaws.clone(),
        Refusal::Problem(problem) if **problem == Problem::EmailTaken => {
            vec![Flaw::rule("email", "taken", "is another customer's")]
        }
        _ => Vec::new(),
    }
}

fn detail(Flaw { path, wrong }: &Flaw) -> Json {
    Object::new().and("field", without_card_numbers(path)).and("message", wrong.to_string()).into()
}

/// The first flaw in a sentence, and how many more there are.
fn summary(flaws: &[Flaw]) -> String {
    let Some(Flaw { path, wrong }) = flaws.first() else { return "The request is not valid.".to_owned() };
    let first = match (path.as_str(), wrong) {
        ("", wrong) => format!("The body {wrong}"),
        (path, wrong) => format!("`{path}` {wrong}"),
    };
    match flaws.len() - 1 {
        0 => format!("{first}."),
        1 => format!("{first}, and one more field is wrong."),
        more => format!("{first}, and {more} more fields are wrong."),
    }
}

/// A read-only key that says something else than the record.
pub fn read_only(name: &str) -> Flaw {
    Flaw::new(name, Wrong::Rule("read_only", "is read-only, and the record has another value".to_owned()))
}
