//! The secret of an endpoint is rolled while it is told of events: both secrets sign until the former one ends.

use crate::client::{Client, json};
use crate::fleet::{text, wait_until};
use crate::harness::{Keeping, Server, in_every_store};
use crate::hook::{Hit, Hook};
use crate::webhooks::{deliveries, endpoint, signature};

in_every_store! {
    both_secrets_sign_until_the_former_one_ends,
}

const KEY: &str = "sk_test_rolled";

/// Makes a customer; gives the webhook that tells of it.
fn next(client: &Client, hook: &Hook, id: &str) -> Hit {
    let before = hook.hits().len();
    client.customer("name=Jenny");
    wait_until("it is taken", || deliveries(client, id).iter().all(|delivery| delivery["state"] == "succeeded"));
    let hits = hook.hits();
    assert_eq!(hits.len(), before + 1);
    hits[before].clone()
}

/// Whether it is signed with exactly these, in that order.
#[track_caller]
fn signed(hit: &Hit, secrets: &[&str]) {
    let mut parts = secrets.iter().map(|secret| signature(hit, secret));
    let first = parts.next().expect("there is a secret");
    let rest: String = parts.map(|part| format!(",{}", part.split_once(',').expect("it has two parts").1)).collect();
    assert_eq!(hit.headers["stripe-signature"], first + &rest);
}

fn both_secrets_sign_until_the_former_one_ends(keeping: &Keeping) {
    let mut server = Server::start(keeping);
    let client = Client::new(server.address(), KEY);
    let hook = Hook::start();
    let (id, old) = endpoint(&client, &hook.url("/"), "enabled_events[]=customer.created");
    signed(&next(&client, &hook, &id), &[&old]);

    let roll = |client: &Client, body: &str| {
        text(&json(&client.post_json(&format!("/cusp/v1/webhook_endpoints/{id}/roll_secret"), body)), "secret")
    };
    let new = roll(&client, r#"{"overlap_seconds": 3600}"#);
    assert_ne!(old, new);
    signed(&next(&client, &hook, &id), &[&new, &old]);
    server.advance(3_599_999);
    signed(&next(&client, &hook, &id), &[&new, &old]);

    // Secrets are derived and not kept: a server that was started anew signs with the same ones.
    server.restart();
    let client = Client::new(server.address(), KEY);
    signed(&next(&client, &hook, &id), &[&new, &old]);
    server.advance(1);
    signed(&next(&client, &hook, &id), &[&new]);

    let newest = roll(&client, r#"{"overlap_seconds": 0}"#);
    signed(&next(&client, &hook, &id), &[&newest]);
}
