//! How deliveries and endpoints end: given up, disabled, sent by hand; and what is done to deliveries on purpose.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use cusp::settings::{Openness, Webhooks};
use serde_json::Value;

use crate::client::{Client, error, json};
use crate::fleet::{everything, text, wait_until};
use crate::harness::{Keeping, Server, in_every_store};
use crate::hook::{Act, Hook};
use crate::webhooks::{deliveries, endpoint};

in_every_store! {
    an_endpoint_that_only_fails_is_disabled_and_begins_anew,
    a_delivery_is_given_up_by_its_age,
    a_delivery_is_sent_again_by_hand,
    an_event_is_sent_by_hand_to_whoever_did_not_ask_for_it,
    chaos_sends_twice_and_out_of_order_and_loses_nothing,
}

const KEY: &str = "sk_test_endings";
const MINUTE: i64 = 60_000;

/// A server that retries after minutes, as one that is served, with other settings.
fn served(keeping: &Keeping, adjust: impl FnOnce(&mut Webhooks)) -> (Server, Client) {
    let server = Server::start_as(keeping, Openness::Dev, None, |settings| {
        let webhooks = &mut settings.webhooks;
        webhooks.first_retry = Duration::from_secs(60);
        webhooks.longest_retry = Duration::from_secs(20 * 60);
        webhooks.give_up_after = Duration::from_secs(24 * 3600);
        adjust(webhooks);
    });
    let client = Client::new(server.address(), KEY);
    (server, client)
}

/// A receiver that answers with that status, for as long as it is that.
fn answering(status: &Arc<AtomicU16>) -> Hook {
    let status = status.clone();
    Hook::deciding(move |_, _| Act::Answer(status.load(Ordering::SeqCst)))
}

#[track_caller]
fn wait_for(client: &Client, endpoint: &str, state: &str, attempts: u64, count: usize) {
    wait_until(&format!("{count} deliveries are {state} after {attempts} attempts"), || {
        let listed = deliveries(client, endpoint);
        listed.len() == count && listed.iter().all(|one| one["state"] == state && one["attempts"] == attempts)
    });
}

fn status(client: &Client, endpoint: &str) -> String {
    text(&json(&client.get(&format!("/v1/webhook_endpoints/{endpoint}"))), "status")
}

fn an_endpoint_that_only_fails_is_disabled_and_begins_anew(keeping: &Keeping) {
    let (server, client) = served(keeping, |webhooks| webhooks.disable_after = Some(Duration::from_secs(60 * 60)));
    let answer = Arc::new(AtomicU16::new(500));
    let (hook, watcher) = (answering(&answer), Hook::start());
    let (failing, _) = endpoint(&client, &hook.url("/"), "enabled_events[]=customer.created");
    let (watching, _) = endpoint(&client, &watcher.url("/"), "enabled_events[]=webhook_endpoint.disabled");
    for name in ["Jenny", "Joan", "Jack"] {
        client.customer(&format!("name={name}"));
    }
    wait_for(&client, &failing, "pending", 1, 3);
    server.advance(30 * MINUTE);
    wait_for(&client, &failing, "pending", 2, 3);
    assert_eq!((status(&client, &failing).as_str(), watcher.hits().len()), ("enabled", 0));

    server.advance(30 * MINUTE);
    wait_until("it is disabled", || status(&client, &failing) == "disabled");
    wait_until("what was on its way is recorded", || {
        let listed = deliveries(&client, &failing);
        listed.iter().all(|delivery| delivery["attempts"] == 3 || delivery["state"] == "canceled")
    });
    // It is canceled instead of being tried again.
    server.advance(20 * MINUTE);
    wait_until("nothing is to be sent to it", || {
        deliveries(&client, &failing).iter().all(|delivery| delivery["state"] == "canceled")
    });
    wait_for(&client, &watching, "succeeded", 1, 1);
    let told = watcher.hits();
    let seen = ["/type", "/data/object/id", "/data/object/status"].map(|pointer| told[0].text(pointer));
    assert_eq!(seen.each_ref().map(String::as_str), ["webhook_endpoint.disabled", &failing, "disabled"]);
    assert!(!told[0].body.contains("whsec_"));
    let stopped = hook.hits().len();
    let delivery = text(&deliveries(&client, &failing)[0], "id");
    let refused = error(&client.post(&format!("/cusp/v1/webhook_deliveries/{delivery}/retry"), ""), 409);
    assert_eq!(refused["code"], "webhook_endpoint_disabled");
    client.customer("name=Nobody");
    server.advance(60 * MINUTE);
    assert_eq!((hook.hits().len(), deliveries(&client, &failing).len()), (stopped, 3));

    // Once it is enabled it may fail for as long as before.
    assert_eq!(json(&client.post(&format!("/v1/webhook_endpoints/{failing}"), "disabled=false"))["status"], "enabled");
    client.customer("name=Jill");
    let newest = |key: &str| deliveries(&client, &failing)[0][key].clone();
    wait_until("it is tried", || newest("attempts") == 1);
    server.advance(59 * MINUTE);
    wait_until("it is tried again", || newest("attempts") == 2);
    assert_eq!((status(&client, &failing).as_str(), newest("state")), ("enabled", "pending".into()));
    // And one that answered once has not done nothing but fail.
    answer.store(200, Ordering::SeqCst);
    server.advance(30 * MINUTE);
    wait_until("it is taken", || newest("state") == "succeeded");
    answer.store(503, Ordering::SeqCst);
    client.customer("name=Jane");
    wait_until("the next one is tried", || newest("attempts") == 1);
    assert_eq!((status(&client, &failing).as_str(), newest("state")), ("enabled", "pending".into()));
    assert_eq!(watcher.hits().len(), 1);
}

fn a_delivery_is_given_up_by_its_age(keeping: &Keeping) {
    let (server, client) = served(keeping, |webhooks| webhooks.give_up_after = Duration::from_secs(10 * 60));
    let hook = answering(&Arc::new(AtomicU16::new(404)));
    let (id, _) = endpoint(&client, &hook.url("/"), "enabled_events[]=*");
    client.customer("name=Jenny");
    wait_for(&client, &id, "pending", 1, 1);
    server.advance(2 * MINUTE);
    wait_for(&client, &id, "pending", 2, 1);
    server.advance(6 * MINUTE);
    wait_for(&client, &id, "failed", 3, 1);
    let given_up = deliveries(&client, &id).remove(0);
    assert_eq!((&given_up["next_attempt_at"], &given_up["latest_attempt"]["status"]), (&Value::Null, &404.into()));
    let event = json(&client.get(&format!("/v1/events/{}", text(&given_up, "event"))));
    assert_eq!(event["pending_webhooks"], 0);
    server.advance(60 * MINUTE);
    assert_eq!((status(&client, &id).as_str(), hook.hits().len()), ("enabled", 3));
}

fn a_delivery_is_sent_again_by_hand(keeping: &Keeping) {
    let (_server, client) = served(keeping, |webhooks| webhooks.give_up_after = Duration::ZERO);
    let answer = Arc::new(AtomicU16::new(500));
    let hook = answering(&answer);
    let (id, secret) = endpoint(&client, &hook.url("/"), "enabled_events[]=*");
    let customer = client.customer("name=Jenny");
    wait_for(&client, &id, "failed", 1, 1);
    let delivery = text(&deliveries(&client, &id)[0], "id");
    let path = format!("/cusp/v1/webhook_deliveries/{delivery}");
    for (attempts, answered, state) in [(2, 500, "failed"), (3, 200, "succeeded"), (4, 200, "succeeded")] {
        answer.store(answered, Ordering::SeqCst);
        let asked = json(&client.post(&format!("{path}/retry"), ""));
        assert_eq!((&asked["id"], &asked["state"]), (&delivery.as_str().into(), &"pending".into()));
        wait_for(&client, &id, state, attempts, 1);
        assert_eq!(json(&client.get(&path))["response"]["status"], answered);
    }
    let hits = hook.hits();
    assert_eq!(hits.len(), 4);
    for hit in &hits {
        assert_eq!((hit.text("/id"), hit.text("/data/object/id")), (hits[0].text("/id"), customer.clone()));
        assert_eq!(hit.headers["stripe-signature"], crate::webhooks::signature(hit, &secret));
    }
    let event = json(&client.get(&format!("/v1/events/{}", hits[0].text("/id"))));
    assert_eq!(event["pending_webhooks"], 0);
}

fn an_event_is_sent_by_hand_to_whoever_did_not_ask_for_it(keeping: &Keeping) {
    let (_server, client) = served(keeping, |_| {});
    let customer = client.customer("name=Jenny");
    let created = text(&everything(&client, "/v1/events")[0], "id");
    let (hook, other) = (Hook::start(), Hook::start());
    let (id, secret) = endpoint(&client, &hook.url("/"), "enabled_events[]=customer.deleted");
    let (silent, _) = endpoint(&client, &other.url("/"), "enabled_events[]=*");
    let body = format!(r#"{{"webhook_endpoint": "{id}"}}"#);
    for round in 1..=2 {
        let sent = json(&client.post_json(&format!("/cusp/v1/events/{created}/resend"), &body));
        assert_eq!((&sent["event"], &sent["by_hand"]), (&created.as_str().into(), &true.into()));
        wait_for(&client, &id, "succeeded", 1, round);
    }
    let hits = hook.hits();
    assert_eq!((hits.len(), other.hits().len(), deliveries(&client, &silent).len()), (2, 0, 0));
    for hit in &hits {
        let told = ["/id", "/type", "/data/object/id"].map(|pointer| hit.text(pointer));
        assert_eq!(told.each_ref().map(String::as_str), [created.as_str(), "customer.created", &customer]);
        assert_eq!(hit.headers["stripe-signature"], crate::webhooks::signature(hit, &secret));
    }
}

fn chaos_sends_twice_and_out_of_order_and_loses_nothing(keeping: &Keeping) {
    const CUSTOMERS: usize = 4;
    const UPDATES: usize = 15;
    let (_server, client) = served(keeping, |webhooks| webhooks.chaos = Some(7));
    let hook = Hook::start();
    endpoint(&client, &hook.url("/"), "enabled_events[]=customer.updated");
    let customers: Vec<String> = (0..CUSTOMERS).map(|_| client.customer("metadata[n]=-1")).collect();
    for update in 0..UPDATES {
        for customer in &customers {
            json(&client.post(&format!("/v1/customers/{customer}"), &format!("metadata[n]={update}")));
        }
    }
    wait_until("nothing is to be sent any more", || {
        everything(&client, "/cusp/v1/webhook_deliveries").iter().all(|one| one["state"] == "succeeded")
    });
    let (mut first, mut again) = (HashSet::new(), 0);
    let mut order: HashMap<String, Vec<usize>> = HashMap::new();
    for hit in hook.hits() {
        if !first.insert(hit.text("/id")) {
            again += 1;
            continue;
        }
        let update = hit.text("/data/object/metadata/n").parse().expect("the test wrote a number");
        order.entry(hit.text("/data/object/id")).or_default().push(update);
    }
    assert_eq!((first.len(), order.len()), (CUSTOMERS * UPDATES, CUSTOMERS));
    assert!(again > 0 && again < CUSTOMERS * UPDATES, "{again} were sent twice");
    assert!(order.values().any(|updates| !updates.is_sorted()), "all came in order: {order:?}");
    for updates in order.values_mut() {
        updates.sort_unstable();
        assert_eq!(*updates, (0..UPDATES).collect::<Vec<_>>());
    }
}
