//! `cusp dev --seed`: what is drawn by chance comes again in the next run, in each sandbox for itself.

use serde_json::Value;

use crate::connection::{Connection, json};
use crate::program_server::ProgramServer;

/// What a suite does in one sandbox: things of many kinds, whose ids, secrets, prefixes and fingerprints are drawn.
const SUITE: &[(&str, &str, &str)] = &[
    ("POST", "/v1/customers", "name=Ada&email=ada@example.com&balance=-500"),
    ("POST", "/v1/coupons", "percent_off=25&duration=once"),
    ("POST", "/v1/customers/{1}", "coupon={2}"),
    ("POST", "/v1/promotion_codes", "promotion[type]=coupon&promotion[coupon]={2}"),
    ("POST", "/v1/tokens", "card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2040&card[cvc]=123"),
    ("POST", "/v1/customers/{1}/sources", "source={5}"),
    (
        "POST",
        "/v1/payment_methods",
        "type=card&card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2040&card[cvc]=123",
    ),
    ("POST", "/v1/payment_methods/{7}/attach", "customer={1}"),
    ("POST", "/v1/setup_intents", "customer={1}&payment_method={7}&payment_method_types[]=card"),
    ("POST", "/v1/customers/{1}/tax_ids", "type=eu_vat&value=DE123456789"),
    ("POST", "/v1/customers/{1}/balance_transactions", "amount=100&currency=usd"),
    ("POST", "/v1/sources", "type=ach_credit_transfer&currency=usd&owner[email]=a@example.com"),
    ("POST", "/v1/customers/{1}/sources", "source=tok_mastercard"),
    ("GET", "/v1/customers/{1}?expand[]=sources&expand[]=tax_ids", ""),
    ("GET", "/v1/events?limit=100", ""),
    ("DELETE", "/v1/customers/{1}", ""),
];

/// One run of the suite, request by request.
struct Run {
    connection: Connection,
    ids: Vec<String>,
    seen: Vec<String>,
}

impl Run {
    fn new(server: &ProgramServer, key: &str) -> Run {
        Run { connection: server.connection(key), ids: Vec::new(), seen: Vec::new() }
    }

    fn step(&mut self, place: usize) {
        let (method, path, form) = SUITE[place];
        let fill = |text: &str| {
            let numbered = self.ids.iter().enumerate();
            numbered.fold(text.to_owned(), |text, (at, id)| text.replace(&format!("{{{}}}", at + 1), id))
        };
        let (path, form) = (fill(path), fill(form));
        let reply = self.connection.send(method, &path, &[], &form).expect("the server answers");
        let mut body = json(&reply);
        assert!(reply.status == 200, "{method} {path}: {}", reply.text());
        self.ids.push(body["id"].as_str().unwrap_or_default().to_owned());
        still(&mut body);
        let request = reply.header("request-id").expect("every reply has one");
        self.seen.push(format!("{} {request} {body}", reply.status));
    }

    fn whole(mut self) -> Vec<String> {
        (0..SUITE.len()).for_each(|place| self.step(place));
        self.seen
    }
}

/// Takes the moments out of a reply: they are the clock's.
fn still(value: &mut Value) {
    match value {
        Value::Number(number) if number.as_i64().is_some_and(|number| number > 1_500_000_000) => *value = Value::Null,
        Value::Array(items) => items.iter_mut().for_each(still),
        Value::Object(parts) => parts.values_mut().for_each(still),
        Value::Number(_) | Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

fn server(seed: &str) -> ProgramServer {
    ProgramServer::start("dev", &["--ephemeral"], &["--seed", seed])
}

#[test]
fn two_runs_with_one_seed_see_the_same() {
    let first = server("7");
    let alone = Run::new(&first, "sk_test_one").whole();
    assert!(
        alone.iter().any(|reply| reply.contains("fingerprint")) && alone.iter().any(|reply| reply.contains("_secret_"))
    );

    // Another process, another moment, and something else going on at every step.
    let second = server("7");
    let mut again = Run::new(&second, "sk_test_one");
    let mut beside = Run::new(&second, "sk_test_two");
    for place in 0..SUITE.len() {
        beside.step(place);
        again.step(place);
        again.connection.ok("GET", "/v1/customers", "");
        alone_is_not(&alone, &beside.seen);
    }
    let without_requests = |seen: &[String]| -> Vec<String> {
        seen.iter().map(|line| line.split_once(" {").expect("a line has a body").1.to_owned()).collect()
    };
    // Looking at things counts as a request and as nothing else: the requests of events differ, and nothing more.
    let requestless = |seen: &[String]| -> Vec<String> {
        let lines = without_requests(seen);
        lines.iter().map(|line| line.split("req_").map(|part| part.get(26..).unwrap_or(part)).collect()).collect()
    };
    assert_eq!(requestless(&again.seen), requestless(&alone));
    assert_eq!(Run::new(&server("7"), "sk_test_one").whole(), alone);
    alone_is_not(&alone, &Run::new(&server("8"), "sk_test_one").whole());
}

/// No id of the one run is one of the other run.
fn alone_is_not(one: &[String], other: &[String]) {
    let ids = |seen: &[String]| -> std::collections::BTreeSet<String> {
        let words = seen.iter().flat_map(|line| line.split(|letter: char| !letter.is_alphanumeric() && letter != '_'));
        let drawn = words.filter(|word| word.split_once('_').is_some_and(|(_, rest)| rest.len() == 26));
        drawn.map(str::to_owned).collect()
    };
    let common: Vec<String> = ids(one).intersection(&ids(other)).cloned().collect();
    assert_eq!(common, [""; 0]);
}

#[test]
fn ids_grow_with_each_that_is_made() {
    let server = server("7");
    let mut connection = server.connection("sk_test_one");
    let ids: Vec<String> = (0..50)
        .map(|_| connection.ok("POST", "/v1/customers", "name=a")["id"].as_str().expect("an id is text").to_owned())
        .collect();
    assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
    let listed = connection.ok("GET", "/v1/customers?limit=50", "");
    let newest: Vec<&str> =
        listed["data"].as_array().expect("a list").iter().filter_map(|c| c["id"].as_str()).collect();
    assert!(newest.iter().rev().eq(ids.iter()));
}

fn cusp(server: &ProgramServer, method: &str, path: &str) -> Value {
    let mut connection = server.connection("sk_test_one");
    let head = format!("{method} {path} HTTP/1.1\r\nhost: cusp\r\nauthorization: Bearer sk_test_one\r\n");
    let reply = connection.exchange(format!("{head}content-length: 0\r\n\r\n").as_bytes());
    let reply = reply.expect("the server answers");
    assert_eq!(reply.status, 200, "{method} {path}: {}", reply.text());
    json(&reply)
}

#[test]
fn a_sandbox_that_is_emptied_or_put_back_goes_on_from_there() {
    let server = server("7");
    let run = || Run::new(&server, "sk_test_one");
    let first = run().whole();
    cusp(&server, "DELETE", "/cusp/v1/sandbox");
    assert_eq!(run().whole(), first);

    let taken = cusp(&server, "POST", "/cusp/v1/sandbox/snapshots");
    let restore = format!("/cusp/v1/sandbox/snapshots/{}/restore", taken["id"].as_str().expect("an id"));
    let second = run().whole();
    alone_is_not(&first, &second[..SUITE.len() - 2]);
    cusp(&server, "POST", &restore);
    let mut third = run().whole();
    // The events of both runs are listed, newest first, and those that go beyond a page are not.
    assert_eq!(third.remove(0), second[0]);
    assert_eq!(third, second[1..]);

    // Snapshots stay when all else goes, and none takes the name of another one.
    cusp(&server, "DELETE", "/cusp/v1/sandbox");
    let snapshots: std::collections::BTreeSet<String> = (0..5)
        .map(|_| {
            let taken = cusp(&server, "POST", "/cusp/v1/sandbox/snapshots");
            cusp(&server, "DELETE", "/cusp/v1/sandbox");
            taken["id"].as_str().expect("an id").to_owned()
        })
        .collect();
    assert_eq!(snapshots.len(), 5);
    cusp(&server, "POST", &restore);
    assert_eq!(run().whole(), second);
}
