//! `/cusp/v1/failures`: requests go wrong as a test suite chooses, in the words and with the consequences of earnest.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::connection::{Connection, json};
use crate::http::Reply;
use crate::program_server::ProgramServer;

/// A sandbox of a running server.
struct Sandbox<'a> {
    server: &'a ProgramServer,
    key: &'a str,
}

impl Sandbox<'_> {
    fn connection(&self) -> Connection {
        self.server.connection(self.key)
    }

    fn cusp(&self, method: &str, path: &str, body: &str) -> Reply {
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: cusp\r\nauthorization: Bearer {}\r\n", self.key);
        if !body.is_empty() {
            head.push_str("content-type: application/json\r\n");
        }
        head.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
        self.connection().exchange(head.as_bytes()).expect("the server answers")
    }

    fn rule(&self, rule: &Value) -> Value {
        let reply = self.cusp("POST", "/cusp/v1/failures", &rule.to_string());
        assert_eq!(reply.status, 200, "{rule}: {}", reply.text());
        json(&reply)
    }

    fn customers(&self) -> usize {
        self.connection().ok("GET", "/v1/customers", "")["data"].as_array().expect("a list").len()
    }
}

fn post(connection: &mut Connection, headers: &[(&str, &str)]) -> Reply {
    connection.send("POST", "/v1/customers", headers, "name=Ada").expect("the server answers")
}

fn server() -> ProgramServer {
    ProgramServer::start("dev", &["--ephemeral"], &["--request-timeout", "2s"])
}

#[test]
fn requests_are_refused_in_the_words_of_the_api() {
    let server = server();
    let sandbox = Sandbox { server: &server, key: "sk_test_words" };
    let mut connection = sandbox.connection();
    for (rule, status, kind, code, header) in [
        (json!({"fail": "rate_limit"}), 429, "invalid_request_error", "rate_limit", ("retry-after", "1")),
        (
            json!({"fail": "lock_timeout"}),
            429,
            "invalid_request_error",
            "lock_timeout",
            ("stripe-should-retry", "true"),
        ),
        (json!({"fail": "api_error"}), 500, "api_error", "", ("content-type", "application/json")),
    ] {
        let made = sandbox.rule(&rule);
        assert_eq!((&made["times"], &made["hits"]), (&json!(1), &json!(0)));
        let reply = post(&mut connection, &[]);
        let error = json(&reply)["error"].clone();
        assert_eq!((reply.status, error["type"].as_str()), (status, Some(kind)), "{rule}");
        assert_eq!(error["code"].as_str().unwrap_or_default(), code);
        assert_eq!(reply.header(header.0), Some(header.1), "{rule}");
        assert_eq!(post(&mut connection, &[]).status, 200, "only the next one");
        let path = format!("/cusp/v1/failures/{}", made["id"].as_str().expect("an id"));
        assert_eq!(json(&sandbox.cusp("GET", &path, ""))["hits"], 1);
    }
    assert_eq!(sandbox.customers(), 3);
}

#[test]
fn other_apis_refuse_in_their_words() {
    let server = server();
    let sandbox = Sandbox { server: &server, key: "sk_test_languages" };
    let mut connection = sandbox.connection();
    let tenant: &[(&str, &str)] = &[("tenant-id", "languages")];
    for (path, headers) in [
        ("/api/v1/customers", &[][..]),
        ("/jani/api/v1/customers", &[]),
        ("/v1/customers", tenant),
        ("/flexportal/v1/customers", tenant),
        ("/stripe/v1/customers", &[]),
    ] {
        let get = |connection: &mut Connection| connection.send("GET", path, headers, "").expect("it answers");
        // A path is that of the API, or the one that was sent.
        sandbox.rule(&json!({"fail": "lock_timeout", "path": path}));
        let reply = get(&mut connection);
        if path.starts_with("/stripe") {
            assert_eq!(reply.status, 429, "{path}");
        } else {
            assert_eq!((reply.status, reply.header("retry-after")), (503, Some("1")), "{path}");
        }
        assert_eq!(get(&mut connection).status, 200, "{path}");
        sandbox.rule(&json!({"fail": "rate_limit", "path": path}));
        let reply = get(&mut connection);
        assert_eq!((reply.status, reply.header("retry-after")), (429, Some("1")), "{path}");
    }
}

#[test]
fn a_decline_is_the_issuers() {
    let server = server();
    let sandbox = Sandbox { server: &server, key: "sk_test_decline" };
    let mut connection = sandbox.connection();
    let customer = connection.ok("POST", "/v1/customers", "name=Ada")["id"].as_str().expect("an id").to_owned();
    let path = format!("/v1/customers/{customer}/sources");
    for (code, expected) in [
        ("insufficient_funds", ["card_declined", "insufficient_funds", "Your card has insufficient funds."]),
        ("expired_card", ["expired_card", "expired_card", "Your card has expired."]),
        ("lost_card", ["card_declined", "lost_card", "Your card was declined."]),
    ] {
        sandbox.rule(&json!({"fail": "decline", "decline_code": code}));
        // No issuer is asked about a name.
        connection.ok("POST", &format!("/v1/customers/{customer}"), "name=Bob");
        let reply = connection.send("POST", &path, &[("idempotency-key", code)], "source=tok_visa").unwrap();
        let error = json(&reply)["error"].clone();
        assert_eq!((reply.status, &error["type"]), (402, &json!("card_error")), "{}", reply.text());
        for (field, word) in ["code", "decline_code", "message"].iter().zip(expected) {
            assert_eq!(error[field], word);
        }
        let again = connection.send("POST", &path, &[("idempotency-key", code)], "source=tok_visa").unwrap();
        assert_eq!((again.status, again.header("idempotent-replayed")), (402, Some("true")), "a decline is kept");
    }
    sandbox.rule(&json!({"fail": "decline", "decline_code": "lost_card"}));
    let form = format!("customer={customer}&payment_method=pm_card_visa&confirm=true&payment_method_types[]=card");
    let reply = connection.send("POST", "/v1/setup_intents", &[], &form).unwrap();
    assert_eq!((reply.status, &json(&reply)["error"]["decline_code"]), (402, &json!("lost_card")));
    connection.ok("POST", &path, "source=tok_visa");
}

#[test]
fn a_failure_is_kept_for_its_key_and_a_refusal_to_begin_is_not() {
    let server = server();
    let sandbox = Sandbox { server: &server, key: "sk_test_keys" };
    let mut connection = sandbox.connection();
    for fail in ["rate_limit", "lock_timeout"] {
        sandbox.rule(&json!({ "fail": fail }));
        let headers = [("idempotency-key", fail)];
        assert_eq!(post(&mut connection, &headers).status, 429);
        let retried = post(&mut connection, &headers);
        assert_eq!((retried.status, retried.header("idempotent-replayed")), (200, None), "{fail}");
    }
    sandbox.rule(&json!({ "fail": "api_error" }));
    let headers = [("idempotency-key", "api_error")];
    let first = post(&mut connection, &headers);
    let retried = post(&mut connection, &headers);
    assert_eq!((first.status, retried.status), (500, 500));
    assert_eq!((retried.header("idempotent-replayed"), &retried.body), (Some("true"), &first.body));
    assert_eq!(sandbox.customers(), 2);
}

#[test]
fn what_was_done_before_the_line_went_dead_is_found_again() {
    let server = server();
    let sandbox = Sandbox { server: &server, key: "sk_test_lines" };
    for (fail, done) in [("disconnect_before_commit", 0), ("disconnect_after_commit", 1)] {
        let before = sandbox.customers();
        sandbox.rule(&json!({ "fail": fail, "method": "POST" }));
        let mut connection = sandbox.connection();
        let headers = [("idempotency-key", fail)];
        let error = connection.send("POST", "/v1/customers", &headers, "name=Ada").expect_err("no answer comes");
        assert!(matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset), "{error}");
        assert_eq!(sandbox.customers() - before, done, "{fail}");
        let retried = post(&mut connection, &headers);
        assert_eq!(retried.status, 200);
        assert_eq!(retried.header("idempotent-replayed"), (done == 1).then_some("true"));
        assert_eq!(sandbox.customers() - before, 1, "{fail}");
    }
    for (fail, done) in [("timeout_before_commit", 0), ("timeout_after_commit", 1)] {
        let before = sandbox.customers();
        sandbox.rule(&json!({ "fail": fail, "path": "/v1/customers", "method": "post" }));
        let mut connection = sandbox.connection();
        let began = Instant::now();
        let reply = post(&mut connection, &[("idempotency-key", fail)]);
        assert_eq!(reply.status, 503, "our own patience ends");
        assert!(began.elapsed() > Duration::from_secs(1));
        assert_eq!(sandbox.customers() - before, done, "{fail}");
        assert_eq!(post(&mut connection, &[("idempotency-key", fail)]).status, 200);
        assert_eq!(sandbox.customers() - before, 1, "{fail}");
    }
}

#[test]
fn rules_say_which_requests_and_when() {
    let server = server();
    let sandbox = Sandbox { server: &server, key: "sk_test_rules" };
    let other = Sandbox { server: &server, key: "sk_test_others" };
    let mut connection = sandbox.connection();
    let get =
        |connection: &mut Connection| connection.send("GET", "/v1/customers", &[], "").expect("it answers").status;
    let statuses =
        |connection: &mut Connection, count: usize| -> Vec<u16> { (0..count).map(|_| get(connection)).collect() };

    sandbox.rule(&json!({"fail": "rate_limit", "every": 3, "times": 2, "method": "GET"}));
    assert_eq!(statuses(&mut connection, 7), [200, 200, 429, 200, 200, 429, 200]);
    assert_eq!(get(&mut other.connection()), 200);
    sandbox.rule(&json!({"fail": "rate_limit", "times": 2}));
    assert_eq!(statuses(&mut connection, 3), [429, 429, 200]);

    sandbox.rule(&json!({"fail": "rate_limit", "percent": 50, "seed": 7}));
    let some = statuses(&mut connection, 20);
    let cleared = json(&sandbox.cusp("DELETE", "/cusp/v1/failures", ""));
    assert_eq!(cleared["deleted"], 3);
    sandbox.rule(&json!({"fail": "rate_limit", "percent": 50, "seed": 7}));
    assert_eq!(statuses(&mut connection, 20), some);
    assert!(some.contains(&200) && some.contains(&429));
    sandbox.cusp("DELETE", "/cusp/v1/failures/fail_1", "");
    assert_eq!(json(&sandbox.cusp("GET", "/cusp/v1/failures", ""))["data"], json!([]));

    let customer = connection.ok("POST", "/v1/customers", "name=Ada")["id"].as_str().expect("an id").to_owned();
    sandbox.rule(&json!({"fail": "api_error", "id_in_path": customer}));
    assert_eq!(get(&mut connection), 200);
    let path = format!("/v1/customers/{customer}");
    assert_eq!(connection.send("GET", &path, &[], "").unwrap().status, 500);
    sandbox.rule(&json!({"fail": "api_error", "params": {"metadata[order]": "7"}}));
    connection.ok("POST", &path, "metadata[order]=8");
    assert_eq!(connection.send("POST", &path, &[], "metadata[order]=7").unwrap().status, 500);
    // What would be refused anyway is not what a rule waits for.
    sandbox.rule(&json!({"fail": "api_error"}));
    assert_eq!(connection.send("POST", &path, &[], "email=none").unwrap().status, 400);
    assert_eq!(connection.send("POST", &path, &[], "email=a@example.com").unwrap().status, 500);

    sandbox.rule(&json!({"fail": "none", "delay_ms": 300}));
    let began = Instant::now();
    assert_eq!(get(&mut connection), 200);
    assert!(began.elapsed() >= Duration::from_millis(300));

    sandbox.rule(&json!({"fail": "api_error"}));
    sandbox.cusp("DELETE", "/cusp/v1/sandbox", "");
    assert_eq!(get(&mut connection), 200, "an emptied sandbox has no rules");
}

#[test]
fn rules_that_make_no_sense_are_refused_by_name() {
    let server = server();
    let sandbox = Sandbox { server: &server, key: "sk_test_wrong" };
    for (rule, param, code) in [
        (json!({}), "fail", "missing_parameter"),
        (json!({"fail": "explode"}), "fail", "unknown_word"),
        (json!({"fail": "api_error", "often": 1}), "often", "unknown_parameter"),
        (json!({"fail": "decline", "decline_code": "because"}), "decline_code", "unknown_word"),
        (json!({"fail": "api_error", "decline_code": "lost_card"}), "decline_code", "not_taken"),
        (json!({"fail": "none"}), "delay_ms", "missing_parameter"),
        (json!({"fail": "api_error", "delay_ms": 60_001}), "delay_ms", "out_of_range"),
        (json!({"fail": "api_error", "every": 2, "percent": 5}), "every", "not_taken"),
        (json!({"fail": "api_error", "seed": 2}), "seed", "not_taken"),
        (json!({"fail": "api_error", "times": 0}), "times", "out_of_range"),
        (json!({"fail": "api_error", "params": {"a": 1}}), "params.a", "wrong_type"),
    ] {
        let reply = sandbox.cusp("POST", "/cusp/v1/failures", &rule.to_string());
        let error = json(&reply)["error"].clone();
        assert_eq!((reply.status, &error["param"], &error["code"]), (400, &json!(param), &json!(code)), "{rule}");
    }
    assert_eq!(sandbox.cusp("GET", "/cusp/v1/failures/fail_9", "").status, 404);
    assert_eq!(sandbox.cusp("DELETE", "/cusp/v1/failures/fail_9", "").status, 404);
}
