//! Webhooks from end to end: a change is made, and receivers are told of it, signed, in order, and again until they take it.

use std::collections::HashMap;
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;

use crate::client::{Client, json};
use crate::fleet::wait_until;
use crate::harness::{Keeping, Server, in_every_store};
use crate::hook::{Act, Hit, Hook};

const KEY: &str = "sk_test_hooks";

in_every_store! {
    a_change_is_told_signed_and_once,
    an_endpoint_hears_what_it_asked_for_in_its_version,
    what_failed_is_sent_again,
    one_customers_events_come_in_order,
    nothing_is_sent_to_an_endpoint_that_was_disabled,
    what_was_to_be_sent_is_sent_after_a_restart,
    endpoints_that_do_not_answer_are_in_nobodys_way,
}

/// A server with a caller.
pub fn served(keeping: &Keeping) -> (Server, Client) {
    let server = Server::start(keeping);
    let client = Client::new(server.address(), KEY);
    (server, client)
}

/// Makes an endpoint; gives its id and its secret.
pub fn endpoint(client: &Client, url: &str, more: &str) -> (String, String) {
    let made = json(&client.post("/v1/webhook_endpoints", &format!("url={url}&{more}")));
    let text = |name: &str| made[name].as_str().expect("a new endpoint has it").to_owned();
    (text("id"), text("secret"))
}

/// The deliveries to an endpoint, newest event first.
pub fn deliveries(client: &Client, endpoint: &str) -> Vec<Value> {
    let list = json(&client.get(&format!("/cusp/v1/webhook_deliveries?limit=100&endpoint={endpoint}")));
    list["data"].as_array().expect("a list has data").clone()
}

fn states(client: &Client, endpoint: &str) -> Vec<String> {
    let state = |delivery: &Value| delivery["state"].as_str().unwrap_or_default().to_owned();
    deliveries(client, endpoint).iter().map(state).collect()
}

/// What the header of a webhook should say that is signed with that secret.
pub fn signature(hit: &Hit, secret: &str) -> String {
    let header = &hit.headers["stripe-signature"];
    let seconds = header.strip_prefix("t=").and_then(|rest| rest.split(',').next()).expect("it says when");
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length will do");
    mac.update(format!("{seconds}.{}", hit.body).as_bytes());
    let digest: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={seconds},v1={digest}")
}

fn a_change_is_told_signed_and_once(keeping: &Keeping) {
    let (_server, client) = served(keeping);
    let hook = Hook::start();
    let (id, secret) = endpoint(&client, &hook.url("/in?a=b"), "enabled_events[]=*");
    let customer = client.customer("name=Jenny");
    wait_until("it is recorded", || states(&client, &id) == ["succeeded"]);
    let hits = hook.hits();
    assert_eq!(hits.len(), 1);
    let event = hits[0].event();
    assert_eq!((event["type"].as_str(), event["pending_webhooks"].as_i64()), (Some("customer.created"), Some(1)));
    assert_eq!((hits[0].text("/data/object/id"), hits[0].path.as_str()), (customer, "/in?a=b"));
    assert_eq!(hits[0].headers["stripe-signature"], signature(&hits[0], &secret));
    let told = json(&client.get(&format!("/v1/events/{}", hits[0].text("/id"))));
    assert_eq!(told["pending_webhooks"], 0);
    assert_eq!(told["data"], event["data"]);
}

fn an_endpoint_hears_what_it_asked_for_in_its_version(keeping: &Keeping) {
    let (_server, client) = served(keeping);
    let hook = Hook::start();
    let (old, _) = endpoint(&client, &hook.url("/old"), "enabled_events[]=customer.deleted&api_version=2019-12-03");
    let (new, _) = endpoint(
        &client,
        &hook.url("/new"),
        "enabled_events[]=customer.created&enabled_events[]=customer.deleted&enabled_events[]=invoice.paid",
    );
    let customer = client.customer("name=Jenny");
    client.post(&format!("/v1/customers/{customer}"), "name=Joan");
    client.exchange("DELETE", &format!("/v1/customers/{customer}"), "", &[]);
    wait_until("all is recorded", || {
        states(&client, &old) == ["succeeded"] && states(&client, &new) == ["succeeded", "succeeded"]
    });
    let told: Vec<(String, String)> = hook.hits().iter().map(|hit| (hit.path.clone(), hit.text("/type"))).collect();
    for (path, kinds) in [("/old", vec!["customer.deleted"]), ("/new", vec!["customer.created", "customer.deleted"])] {
        let heard: Vec<&str> = told.iter().filter(|(to, _)| to == path).map(|(_, kind)| kind.as_str()).collect();
        assert_eq!(heard, kinds);
    }
    for hit in hook.hits() {
        // Old versions show the sources of a customer with it.
        let is_old = hit.event()["data"]["object"].get("sources").is_some();
        assert_eq!((is_old, hit.text("/api_version") == "2019-12-03"), (hit.path == "/old", hit.path == "/old"));
    }
}

fn what_failed_is_sent_again(keeping: &Keeping) {
    let (server, client) = served(keeping);
    let hook = Hook::deciding(|before, _| match before {
        0 => Act::Answer(500),
        1 => Act::Answer(302),
        2 => Act::Answer(404),
        _ => Act::Answer(201),
    });
    let (id, secret) = endpoint(&client, &hook.url("/"), "enabled_events[]=*");
    client.customer("name=Jenny");
    for attempt in 1..=3 {
        wait_until("an attempt is recorded", || deliveries(&client, &id)[0]["attempts"] == attempt);
        let pending = deliveries(&client, &id).remove(0);
        assert_eq!(pending["state"], "pending", "{pending}");
        let event = json(&client.get(&format!("/v1/events/{}", pending["event"].as_str().unwrap_or_default())));
        assert_eq!(event["pending_webhooks"], 1);
        server.advance(2_000);
    }
    wait_until("it is taken", || states(&client, &id) == ["succeeded"]);
    let hits = hook.hits();
    assert!(hits.iter().all(|hit| hit.headers["stripe-signature"] == signature(hit, &secret)));
    let ids: Vec<String> = hits.iter().map(|hit| hit.text("/id")).collect();
    assert!(ids.len() >= 4 && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

fn one_customers_events_come_in_order(keeping: &Keeping) {
    let (_server, client) = served(keeping);
    let hook = Hook::start();
    let (_, _) = endpoint(&client, &hook.url("/"), "enabled_events[]=customer.updated");
    let customers: Vec<String> = (0..5).map(|_| client.customer("metadata[n]=-1")).collect();
    for round in 0..40 {
        for customer in &customers {
            client.post(&format!("/v1/customers/{customer}"), &format!("metadata[n]={round}"));
        }
    }
    wait_until("all of it came", || hook.hits().len() >= 200);
    let mut seen: HashMap<String, Vec<String>> = HashMap::new();
    for hit in hook.hits() {
        seen.entry(hit.text("/data/object/id")).or_default().push(hit.text("/data/object/metadata/n"));
    }
    let expected: Vec<String> = (0..40).map(|round| round.to_string()).collect();
    assert_eq!(seen.len(), customers.len());
    assert!(seen.values().all(|rounds| *rounds == expected), "{seen:?}");
}

fn nothing_is_sent_to_an_endpoint_that_was_disabled(keeping: &Keeping) {
    let (server, client) = served(keeping);
    let hook = Hook::deciding(|_, _| Act::Answer(500));
    let (disabled, _) = endpoint(&client, &hook.url("/"), "enabled_events[]=*");
    let (deleted, _) = endpoint(&client, &hook.url("/"), "enabled_events[]=*");
    client.customer("name=Jenny");
    let tried = |id: &str| deliveries(&client, id)[0]["attempts"] == 1;
    wait_until("both attempts are recorded", || tried(&disabled) && tried(&deleted));
    client.post(&format!("/v1/webhook_endpoints/{disabled}"), "disabled=true");
    client.exchange("DELETE", &format!("/v1/webhook_endpoints/{deleted}"), "", &[]);
    server.advance(5_000);
    wait_until("both are canceled", || {
        states(&client, &disabled) == ["canceled"] && states(&client, &deleted) == ["canceled"]
    });
    client.customer("name=Joan");
    assert_eq!((hook.hits().len(), deliveries(&client, &disabled).len()), (2, 1));
}

fn what_was_to_be_sent_is_sent_after_a_restart(keeping: &Keeping) {
    let (mut server, client) = served(keeping);
    let hook = Hook::deciding(|before, _| Act::Answer(if before == 0 { 503 } else { 200 }));
    let (id, _) = endpoint(&client, &hook.url("/"), "enabled_events[]=customer.created");
    let customer = client.customer("name=Jenny");
    wait_until("it was tried", || deliveries(&client, &id)[0]["attempts"] == 1);
    server.restart();
    server.advance(5_000);
    let client = Client::new(server.address(), KEY);
    wait_until("it is taken", || states(&client, &id) == ["succeeded"]);
    assert!(hook.hits().iter().all(|hit| hit.text("/data/object/id") == customer));
}

fn endpoints_that_do_not_answer_are_in_nobodys_way(keeping: &Keeping) {
    let (_server, client) = served(keeping);
    let silent =
        Hook::deciding(|_, hit| if hit.path == "/9" { Act::Close } else { Act::Wait(Duration::from_secs(20)) });
    let hook = Hook::start();
    for place in 0..10 {
        endpoint(&client, &silent.url(&format!("/{place}")), "enabled_events[]=*");
    }
    endpoint(&client, &hook.url("/"), "enabled_events[]=*");
    for _ in 0..50 {
        client.customer("name=Jenny");
    }
    wait_until("the one that answers has all of it", || hook.hits().len() == 50);
    let unanswered = silent.hits().iter().filter(|hit| hit.path != "/9").count();
    assert!(unanswered <= 9, "one that has not answered yet gets nothing more");
}
