//! Where webhooks go, from end to end: `cusp serve` sends none to its own machine unless it is told to, nothing follows a
//! redirect, and of an answer only so much is kept.

use serde_json::Value;

use crate::client::{Client, error, json};
use crate::fleet::{text, wait_until};
use crate::harness::{Keeping, Server, in_every_store};
use crate::hook::{Act, Hook};
use crate::program_server::ProgramServer;
use crate::sdk::made_at;
use crate::webhooks::{deliveries, endpoint};

in_every_store! {
    a_redirect_is_not_followed,
    an_answer_without_end_is_cut_off,
}

/// The most of an answer's body that the log shows, in bytes.
const SHOWN_BYTES: usize = 4_096;

/// A delivery to the endpoint as the log shows it.
fn logged(client: &Client, endpoint: &str) -> Value {
    let id = text(&deliveries(client, endpoint)[0], "id");
    json(&client.get(&format!("/cusp/v1/webhook_deliveries/{id}")))
}

fn a_redirect_is_not_followed(keeping: &Keeping) {
    let server = Server::start(keeping);
    let client = Client::new(server.address(), "sk_test_targets");
    let elsewhere = Hook::start();
    let location = elsewhere.url("/elsewhere");
    let answer = format!("HTTP/1.1 307 Go\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
    let hook = Hook::deciding(move |before, _| match before {
        0 => Act::Say(answer.clone().into_bytes()),
        _ => Act::Answer(200),
    });
    let (id, _) = endpoint(&client, &hook.url("/"), "enabled_events[]=*");
    client.customer("name=Jenny");
    wait_until("it was tried", || deliveries(&client, &id)[0]["attempts"] == 1);
    let shown = logged(&client, &id);
    assert_eq!((&shown["state"], &shown["response"]["status"]), (&"pending".into(), &307.into()), "{shown}");
    assert_eq!(shown["response"]["headers"][0]["value"], location.as_str(), "{shown}");
    server.advance(5_000);
    wait_until("it is taken", || deliveries(&client, &id)[0]["state"] == "succeeded");
    assert_eq!((hook.hits().len(), elsewhere.hits().len()), (2, 0));
}

fn an_answer_without_end_is_cut_off(keeping: &Keeping) {
    let server = Server::start(keeping);
    let client = Client::new(server.address(), "sk_test_targets");
    let hook = Hook::deciding(|_, hit| {
        let filler = "x".repeat(8 << 20);
        Act::Say(match hit.path.as_str() {
            "/body" => format!("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n{filler}").into_bytes(),
            _ => format!("HTTP/1.1 200 OK\r\nX-Filler: {filler}").into_bytes(),
        })
    });
    let (body, _) = endpoint(&client, &hook.url("/body"), "enabled_events[]=*");
    let (head, _) = endpoint(&client, &hook.url("/head"), "enabled_events[]=*");
    client.customer("name=Jenny");
    let tried = |id: &str| deliveries(&client, id)[0]["attempts"] == 1;
    wait_until("both were tried", || tried(&body) && tried(&head));
    let shown = logged(&client, &body);
    assert_eq!((&shown["state"], &shown["response"]["truncated"]), (&"succeeded".into(), &true.into()));
    let kept = shown["response"]["body"].as_str().expect("a body is text").len();
    assert!(kept > 0 && kept <= SHOWN_BYTES, "{kept} bytes");
    // A head without end is no answer.
    let shown = logged(&client, &head);
    assert_eq!((&shown["state"], &shown["response"]), (&"pending".into(), &Value::Null), "{shown}");
    assert!(shown["latest_attempt"]["failure"].is_string() && shown.to_string().len() < 8_192);
}

#[test]
fn a_served_account_has_nothing_sent_to_this_machine_unless_it_is_allowed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = ["--data", folder.path().to_str().expect("temporary folders have plain names")];
    let account = made_at(&place, &["accounts", "create"]);
    let key = made_at(&place, &["keys", "create", "--account", &account]);
    let hook = Hook::start();
    let port = hook.url("").rsplit_once(':').expect("it has a port").1.to_owned();
    let (direct, named) = (format!("http://127.0.0.1:{port}/direct"), format!("http://localhost:{port}/named"));
    let serve = |more: &[&str]| {
        let always = ["--admin-listen", "127.0.0.1:0", "--webhook-first-retry", "1s"];
        ProgramServer::start("serve", &place, &[&always, more].concat())
    };

    let server = serve(&[]);
    let client = Client::new(server.address(), &key);
    let refused = client.post("/v1/webhook_endpoints", &format!("url={direct}&enabled_events[]=*"));
    assert_eq!(error(&refused, 400)["code"], "url_invalid");
    // What a name stands for shows when it is sent to.
    let (id, _) = endpoint(&client, &named, "enabled_events[]=*");
    client.customer("name=Jenny");
    wait_until("it was tried", || deliveries(&client, &id)[0]["attempts"].as_u64() >= Some(1));
    let shown = logged(&client, &id);
    let failure = text(&shown["latest_attempt"], "failure");
    assert!(failure.contains("webhooks do not go to localhost"), "{failure}");
    assert_eq!((&shown["state"], &shown["response"]), (&"pending".into(), &Value::Null));
    assert_eq!(hook.hits().len(), 0);
    server.kill();

    // Every address of a name must be allowed.
    let server = serve(&["--webhook-allow", "127.0.0.0/8,::1/128"]);
    let client = Client::new(server.address(), &key);
    wait_until("it is taken", || deliveries(&client, &id)[0]["state"] == "succeeded");
    let (id, _) = endpoint(&client, &direct, "enabled_events[]=*");
    client.customer("name=Joan");
    wait_until("it is taken too", || {
        deliveries(&client, &id).first().is_some_and(|delivery| delivery["state"] == "succeeded")
    });
    assert!(hook.hits().iter().any(|hit| hit.path == "/named") && hook.hits().iter().any(|hit| hit.path == "/direct"));
}
