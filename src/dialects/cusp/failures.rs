//! `/cusp/v1/failures`: rules by which requests of the key's sandbox go wrong, for test suites.

use std::time::Duration;

use super::failure::{Halt, Refusal, shortened};
use super::{Call, shown};
use crate::domain::decline::Decline;
use crate::failures::{Failures, Fault, MAX_RULES, Rule, Target, Turn, Wish};
use crate::http::Reply;
use crate::http::json::{Json, Object};

/// The longest delay, in milliseconds.
const MAX_DELAY_MILLIS: i64 = 60_000;
/// The most parameters that a rule may name.
const MAX_PARAMS: usize = 10;

/// Declines by the code that a card's refusal has: docs.stripe.com/declines/codes, docs.stripe.com/error-codes.
const DECLINES: &[(&str, Decline)] = &[
    ("generic_decline", Decline::Generic),
    ("insufficient_funds", Decline::InsufficientFunds),
    ("lost_card", Decline::LostCard),
    ("stolen_card", Decline::StolenCard),
    ("card_velocity_exceeded", Decline::TooOften),
    ("expired_card", Decline::Expired),
    ("incorrect_cvc", Decline::IncorrectCode),
    ("processing_error", Decline::ProcessingError),
    ("incorrect_number", Decline::IncorrectNumber),
    ("invalid_number", Decline::InvalidNumber),
    ("invalid_expiry_month", Decline::InvalidMonth),
    ("invalid_expiry_year", Decline::InvalidYear),
    ("invalid_cvc", Decline::InvalidCode),
];

/// `POST /cusp/v1/failures`
pub async fn create(mut call: Call) -> Result<Reply, Halt> {
    let wish = call.read(|given| {
        let fault = given.one_of("fail", Fault::ALL, Fault::as_str)?;
        let fault = given.needed("fail", fault)?;
        let decline = given.one_of("decline_code", DECLINES, |(code, _)| code)?.map(|(_, decline)| decline);
        if decline.is_some() && fault != Fault::Decline {
            return Err(given.refuse("decline_code", "not_taken", "only `decline` has one."));
        }
        let delay = given.whole("delay_ms", 0..=MAX_DELAY_MILLIS)?.unwrap_or(0);
        if fault == Fault::None && delay == 0 {
            return Err(given.refuse("delay_ms", "missing_parameter", "with `none`, it is all that a rule does."));
        }
        let mut target = Target {
            method: given.text("method")?,
            path: given.text("path")?,
            object: given.text("id_in_path")?,
            params: Vec::new(),
        };
        if let Some(params) = given.object("params")? {
            target.params = params.all_texts()?;
            if target.params.len() > MAX_PARAMS {
                return Err(given.refuse("params", "too_many", format!("there may be {MAX_PARAMS}.")));
            }
        }
        let every = given.whole("every", 1..=1_000_000)?;
        let percent = given.whole("percent", 1..=99)?;
        let seed = given.whole("seed", 0..=i64::MAX)?;
        let times = given.whole("times", 1..=1_000_000)?;
        let turn = match (every, percent, seed) {
            (Some(_), Some(_), _) => {
                return Err(given.refuse("every", "not_taken", "`every` and `percent` exclude each other."));
            }
            (_, None, Some(_)) => return Err(given.refuse("seed", "not_taken", "only `percent` has one.")),
            (Some(every), None, None) => Turn::Every(every.unsigned_abs()),
            (None, Some(percent), seed) => {
                Turn::Percent { percent: percent.unsigned_abs(), seed: seed.unwrap_or(0).unsigned_abs() }
            }
            (None, None, None) => Turn::Each,
        };
        // A rule that does not say how often is about the next request.
        let times = times.map(i64::unsigned_abs).or((turn == Turn::Each).then_some(1));
        Ok(Wish { target, turn, times, fault, decline, delay: Duration::from_millis(delay.unsigned_abs()) })
    })?;
    let made = failures(&call)?.add(call.account.space, wish, call.cusp.app.now());
    let made = made.ok_or_else(|| {
        let message = format!("The sandbox has {MAX_RULES} rules that wait for their requests: delete one.");
        Refusal::new(400, "too_many_failures", message)
    })?;
    Ok(shown(object(&made)))
}

/// `GET /cusp/v1/failures`
pub async fn list(mut call: Call) -> Result<Reply, Halt> {
    call.read(|_| Ok(()))?;
    let rules = failures(&call)?.list(call.account.space);
    let data: Vec<Json> = rules.iter().map(|rule| object(rule).into()).collect();
    Ok(shown(Object::new().and("object", "list").and("data", data)))
}

/// `GET /cusp/v1/failures/{id}`
pub async fn retrieve(mut call: Call) -> Result<Reply, Halt> {
    let id = call.part(0)?;
    call.read(|_| Ok(()))?;
    let found = failures(&call)?.find(call.account.space, &id);
    Ok(shown(object(&found.ok_or_else(|| no_such(&id))?)))
}

/// `DELETE /cusp/v1/failures/{id}`
pub async fn delete(mut call: Call) -> Result<Reply, Halt> {
    let id = call.part(0)?;
    call.read(|_| Ok(()))?;
    let gone = failures(&call)?.remove(call.account.space, &id).ok_or_else(|| no_such(&id))?;
    Ok(shown(object(&gone).and("deleted", true)))
}

/// `DELETE /cusp/v1/failures`
pub async fn clear(mut call: Call) -> Result<Reply, Halt> {
    call.read(|_| Ok(()))?;
    let gone = failures(&call)?.clear(call.account.space);
    let gone = i64::try_from(gone).unwrap_or(i64::MAX);
    Ok(shown(Object::new().and("object", "failures").and("deleted", gone)))
}

fn failures(call: &Call) -> Result<&Failures, Refusal> {
    call.cusp.app.failures().ok_or_else(Refusal::broken)
}

fn no_such(id: &str) -> Refusal {
    Refusal::new(404, "no_such_failure", format!("The sandbox has no failure `{}`.", shortened(id)))
}

fn object(rule: &Rule) -> Object {
    let Rule { id, created, wish: Wish { target, turn, times, fault, decline, delay }, seen, hits } = rule;
    let Target { method, path, object, params } = target;
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let mut named = Object::default();
    for (name, value) in params {
        named.add(name.clone(), value);
    }
    let code = decline.and_then(|decline| DECLINES.iter().find(|(_, known)| *known == decline)).map(|(code, _)| *code);
    let (every, percent, seed) = match turn {
        Turn::Each => (None, None, None),
        Turn::Every(every) => (Some(count(*every)), None, None),
        Turn::Percent { percent, seed } => (None, Some(count(*percent)), Some(count(*seed))),
    };
    Object::new()
        .and("id", id.clone())
        .and("object", "failure")
        .and("created", created.seconds())
        .and("decline_code", code)
        .and("delay_ms", i64::try_from(delay.as_millis()).unwrap_or(i64::MAX))
        .and("every", every)
        .and("fail", fault.as_str())
        .and("hits", count(*hits))
        .and("id_in_path", object.as_ref())
        .and("method", method.as_ref())
        .and("params", named)
        .and("path", path.as_ref())
        .and("percent", percent)
        .and("seed", seed)
        .and("seen", count(*seen))
        .and("times", times.map(count))
}
