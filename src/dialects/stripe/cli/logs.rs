//! `stripe logs tail`: every request of the account that this server answers, told as it passes.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::oneshot;
use tokio::time::interval;

use super::line::{Line, Over, PING_EVERY};
use super::redact::redacted;
use super::ticket::Ticket;
use super::{Never, Sessions};
use crate::domain::account::{Account, Mode};
use crate::http::json::{Json, Object};
use crate::http::traffic::Passed;

/// What of an error is told: `pkg/logtailing/tailer.go`.
const OF_ERRORS: [&str; 6] = ["charge", "code", "decline_code", "message", "param", "type"];

/// Tells a session what passes, until it is over. A session that is behind does not hear of everything.
pub async fn attend(
    sessions: &Arc<Sessions>,
    line: &mut Line,
    ticket: &Ticket,
    account: &Account,
    displaced: &mut oneshot::Receiver<()>,
) -> Result<Never, Over> {
    let mut traffic = sessions.traffic.listen(account.space);
    let mut every = interval(PING_EVERY);
    loop {
        tokio::select! {
            passed = traffic.next() => {
                if ticket.filters.let_through(&passed) {
                    line.say(message(&passed, account)).await?;
                }
            }
            // It has nothing to say but that it is there.
            said = line.hear() => drop(said?),
            _ = &mut *displaced => return Err(Over::Displaced),
            _ = every.tick() => {
                sessions.check(ticket).await?;
                line.ping().await?;
            }
        }
    }
}

fn message(passed: &Passed, account: &Account) -> Object {
    let payload = Object::new()
        .and("created_at", passed.at.seconds())
        .and("error", error(passed))
        .and("livemode", account.mode == Mode::Live)
        .and("method", passed.method.as_str().to_owned())
        .and("request_id", &passed.request)
        .and("status", i64::from(passed.status))
        .and("url", redacted(&passed.path));
    let payload = String::from_utf8(Json::from(payload).to_bytes()).expect("JSON is UTF-8");
    Object::new()
        .and("event_payload", payload)
        .and("request_log_id", format!("resp_{}", passed.request.trim_start_matches("req_")))
        .and("type", "request_log_event")
}

/// What is told of a refusal: never what it is about, which may be a whole object. One API's errors are objects, another's
/// are a name with a message beside it.
fn error(passed: &Passed) -> Object {
    let body: Value = passed.refusal.as_ref().and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
    let mut shown = Object::new();
    let mut add = |name: &'static str, text: Option<&Value>| {
        if let Some(text) = text.and_then(Value::as_str) {
            shown.add(name, redacted(text));
        }
    };
    match body.get("error") {
        Some(code @ Value::String(_)) => {
            add("code", Some(code));
            add("message", body.get("message"));
        }
        Some(error) => OF_ERRORS.into_iter().for_each(|name| add(name, error.get(name))),
        None => {}
    }
    shown
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use hyper::Method;

    use super::*;
    use crate::domain::ids::AccountId;
    use crate::domain::time::Time;
    use crate::identity;

    #[test]
    fn a_refusal_is_told_without_its_secrets() {
        let body = r#"{"error": {"code": "card_declined", "message": "No: 4242424242424242", "param": null,
            "payment_method": {"id": "pm_1"}, "doc_url": "x", "type": "card_error"}}"#;
        let passed = Passed {
            request: "req_1".into(),
            at: Time(1_772_366_400_123),
            method: Method::POST,
            path: "/v1/setup_intents/seti_1_secret_abc".into(),
            peer: None,
            status: 402,
            refusal: Some(Bytes::from_static(body.as_bytes())),
        };
        let account = identity::fresh_account(AccountId("acct_1".into()), None, Mode::Live, Time(1), "today");
        let told: Value = serde_json::from_slice(&Json::from(message(&passed, &account)).to_bytes()).unwrap();
        assert_eq!((&told["type"], &told["request_log_id"]), (&"request_log_event".into(), &"resp_1".into()));
        let payload: Value = serde_json::from_str(told["event_payload"].as_str().unwrap()).unwrap();
        let digits = payload["error"]["message"].as_str().unwrap().to_owned();
        assert!(digits.starts_with("No: ") && !digits.contains("42424242"), "{digits}");
        let expected = serde_json::json!({
            "created_at": 1_772_366_400, "livemode": true, "method": "POST", "request_id": "req_1", "status": 402,
            "url": "/v1/setup_intents/seti_1_secret_…",
            "error": {"code": "card_declined", "message": digits, "type": "card_error"},
        });
        assert_eq!(payload, expected);
    }

    #[test]
    fn an_error_that_is_a_name_is_told_with_its_message() {
        let body = r#"{"error": "not_found", "message": "There is no customer of that id.", "details": [], "request_id": "x"}"#;
        let passed = Passed {
            request: "req_1".into(),
            at: Time(1),
            method: Method::GET,
            path: "/api/v1/customers/cus_1".into(),
            peer: None,
            status: 404,
            refusal: Some(Bytes::from_static(body.as_bytes())),
        };
        let wanted = Object::new().and("code", "not_found").and("message", "There is no customer of that id.");
        assert_eq!(error(&passed), wanted);
    }

    #[test]
    fn a_body_that_is_no_error_tells_of_none() {
        let passed = Passed {
            request: "req_1".into(),
            at: Time(1),
            method: Method::GET,
            path: "/".into(),
            peer: None,
            status: 500,
            refusal: Some(Bytes::from_static(b"oops")),
        };
        assert!(error(&passed).is_empty());
    }
}
