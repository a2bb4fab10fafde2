//! The delivery log: what was sent and what came back, sending by hand, and how long it is kept. And who may have
//! webhook endpoints.

use std::sync::mpsc;

use cusp::domain::account::{Mode, Space};
use cusp::domain::delivery::{Attempt, Delivery, Outcome, Queue};
use cusp::domain::ids::{DeliveryId, WebhookEndpointId};
use cusp::domain::time::Time;
use cusp::identity;
use cusp::store::Kept;
use serde_json::{Value, json as value};

use crate::client::{Client, error, json};
use crate::harness::{Keeping, NOON_MILLIS, Server, in_both_stores};

in_both_stores! {
    what_was_sent_and_what_came_back_is_shown,
    a_delivery_that_failed_is_sent_once_more,
    deliveries_are_kept_for_30_days,
    an_endpoint_that_is_enabled_again_has_not_failed_yet,
}

/// Nobody is there, so that an attempt fails at once.
const NOWHERE: &str = "http://127.0.0.1:9/hook";

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;

fn space() -> Space {
    identity::space(None, &identity::sandbox("log"), Mode::Test)
}

/// A server with an endpoint, and the ids of the endpoint and of the delivery that tells it of a customer.
fn with_a_delivery(keeping: &Keeping, more: &str) -> (Server, Client, String, String) {
    let server = Server::start(keeping);
    let client = Client::new(server.address(), "sk_test_log");
    let endpoint =
        json(&client.post("/v1/webhook_endpoints", &format!("url={NOWHERE}&enabled_events[]=customer.created{more}")));
    client.customer("name=Jenny");
    // Nothing is underway once it was tried: the clock stands still, so that it is not tried again.
    let listed = loop {
        let listed = json(&client.get("/cusp/v1/webhook_deliveries"));
        if listed["data"][0]["attempts"] == 1 {
            break listed;
        }
    };
    assert_eq!((&listed["data"][0]["state"], &listed["data"][0]["by_hand"]), (&value!("pending"), &value!(false)));
    let text = |value: &Value| value.as_str().expect("it is a text").to_owned();
    let (endpoint, delivery) = (text(&endpoint["id"]), text(&listed["data"][0]["id"]));
    (server, client, endpoint, delivery)
}

/// Has an attempt end like that, the last one.
fn ended(server: &Server, id: &str, outcome: Outcome) {
    let id = DeliveryId(id.to_owned());
    server.beside(move |tx| -> Kept<()> {
        let Some(delivery) = tx.delivery(space(), &id)? else { return Ok(()) };
        let attempt =
            Attempt { at: Time(NOON_MILLIS + 5), took_millis: 12, url: NOWHERE.to_owned(), outcome: outcome.clone() };
        let before = Delivery { attempts: 2, ..delivery };
        tx.put_delivery(space(), &before.tried(attempt, None))
    });
}

fn answered(status: u16) -> Outcome {
    Outcome::Answered {
        status,
        headers: vec![("content-type".into(), "text/plain".into())],
        body: "who are you?".into(),
        truncated: true,
    }
}

fn what_was_sent_and_what_came_back_is_shown(keeping: &Keeping) {
    let (server, client, endpoint, id) = with_a_delivery(keeping, "&api_version=2019-02-19");
    let path = format!("/cusp/v1/webhook_deliveries/{id}");
    ended(&server, &id, answered(401));
    let shown = json(&client.get(&path));
    assert_eq!(
        (&shown["state"], &shown["attempts"], &shown["next_attempt_at"]),
        (&value!("failed"), &value!(3), &value!(null))
    );
    assert_eq!(
        shown["latest_attempt"],
        value!({"at": "2026-03-01T12:00:00.005Z", "took_milliseconds": 12, "url": NOWHERE, "status": 401, "failure": null})
    );
    let request = &shown["request"];
    assert_eq!((&request["method"], &request["url"]), (&value!("POST"), &value!(NOWHERE)));
    let headers = request["headers"].as_array().unwrap();
    assert!(
        headers.contains(&value!({"name": "content-type", "value": "application/json; charset=utf-8"})),
        "{headers:?}"
    );
    assert!(headers.contains(&value!({"name": "stripe-signature", "value": "(not shown)"})), "{headers:?}");
    // The event in the version of the endpoint, in which customers have their sources.
    let event: Value = serde_json::from_str(request["body"].as_str().unwrap()).unwrap();
    assert_eq!((&event["type"], &event["api_version"]), (&value!("customer.created"), &value!("2019-02-19")));
    assert_eq!(event["data"]["object"]["sources"]["object"], "list");
    assert_eq!(
        shown["response"],
        value!({
            "status": 401,
            "headers": [{"name": "content-type", "value": "text/plain"}],
            "body": "who are you?",
            "truncated": true,
        })
    );
    let listed = json(&client.get("/cusp/v1/webhook_deliveries?state=failed"));
    assert_eq!((&listed["data"][0]["id"], &listed["data"][0]["latest_attempt"]["status"]), (&value!(id), &value!(401)));
    assert!(listed["data"][0].get("request").is_none(), "a list tells the short form");
    let events = json(&client.get("/v1/events?delivery_success=false"));
    assert_eq!(
        (&events["data"][0]["type"], &events["data"][0]["pending_webhooks"]),
        (&value!("customer.created"), &value!(0))
    );

    ended(&server, &id, Outcome::Unanswered("nobody is there".into()));
    let shown = json(&client.get(&path));
    assert_eq!((&shown["response"], &shown["latest_attempt"]["failure"]), (&value!(null), &value!("nobody is there")));

    ended(&server, &id, answered(204));
    assert_eq!(json(&client.get(&path))["state"], "succeeded");
    assert_eq!(json(&client.get("/v1/events?delivery_success=true"))["data"].as_array().unwrap().len(), 1);

    // The log outlives the endpoint. The event is told in the account's version then.
    assert_eq!(client.exchange("DELETE", &format!("/v1/webhook_endpoints/{endpoint}"), "", &[]).status, 200);
    let shown = json(&client.get(&path));
    let event: Value = serde_json::from_str(shown["request"]["body"].as_str().unwrap()).unwrap();
    assert_eq!(event["api_version"], "2026-10-28.endive");
}

fn a_delivery_that_failed_is_sent_once_more(keeping: &Keeping) {
    let (server, client, _, id) = with_a_delivery(keeping, "");
    ended(&server, &id, answered(500));
    let again = json(&client.post(&format!("/cusp/v1/webhook_deliveries/{id}/retry"), ""));
    assert_eq!((&again["state"], &again["by_hand"]), (&value!("pending"), &value!(true)));
    assert_eq!(again["next_attempt_at"], "2026-03-01T12:00:00.000Z");
}

fn deliveries_are_kept_for_30_days(keeping: &Keeping) {
    let (server, client, _, id) = with_a_delivery(keeping, "");
    let path = format!("/cusp/v1/webhook_deliveries/{id}");
    ended(&server, &id, answered(200));
    server.advance(30 * DAY_MILLIS);
    assert_eq!(json(&client.get(&path))["state"], "succeeded");
    server.advance(1);
    assert_eq!(error(&client.get(&path), 404)["code"], "no_such_webhook_delivery");
}

fn an_endpoint_that_is_enabled_again_has_not_failed_yet(keeping: &Keeping) {
    let server = Server::start(keeping);
    let client = Client::new(server.address(), "sk_test_log");
    let made = json(&client.post("/v1/webhook_endpoints", &format!("url={NOWHERE}&enabled_events[]=sku.created")));
    let id = made["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/webhook_endpoints/{id}");
    let id = WebhookEndpointId(id);
    let failing = |since: Option<Time>| {
        let (told, hears) = mpsc::channel();
        let id = id.clone();
        server.beside(move |tx| {
            let Some(queue) = tx.queue(space(), &id)? else { return Ok(()) };
            let _ = told.send(queue.failing_since);
            since.map_or(Ok(()), |_| tx.put_queue(space(), &Queue { failing_since: since, ..queue }))
        });
        hears.try_iter().last().expect("there is a queue")
    };
    assert_eq!(failing(Some(Time(5))), None);
    json(&client.post(&path, "disabled=true"));
    assert_eq!(failing(None), Some(Time(5)));
    json(&client.post(&path, "disabled=false"));
    assert_eq!(failing(None), None);
}
