//! Which API answers: by path and tenant where everybody comes in, by host name or address where an operator gave an API
//! one of its own; and what is switched off is not there.

use cusp::settings::{Language, Openness, Settings};
use serde_json::Value;

use crate::client::{Client, error, json};
use crate::harness::{Keeping, Server};
use crate::http::Reply;

fn started(adjust: impl FnOnce(&mut Settings)) -> Server {
    Server::start_as(&Keeping::Memory, Openness::Dev, None, adjust)
}

fn client(server: &Server) -> Client {
    Client::new(server.address(), "sk_test_door")
}

/// Whose words a reply is in.
fn speaker(reply: &Reply) -> &'static str {
    let body: Value = serde_json::from_slice(&reply.body).expect("replies are JSON");
    let error = &body["error"];
    match (body["object"].as_str(), error["type"].as_str(), error["code"].as_str()) {
        (Some("list"), _, _) => "stripe",
        (_, Some("invalid_request_error"), _) if error["request_id"].is_null() => "stripe",
        (_, _, Some("unknown_url")) if error["request_id"].is_string() => "cusp",
        _ => panic!("nobody known says {body}"),
    }
}

fn asked(client: &Client, path: &str, headers: &[(&str, &str)]) -> (u16, &'static str) {
    let reply = client.exchange("GET", path, "", headers);
    (reply.status, speaker(&reply))
}

#[test]
fn stripes_is_at_its_path_and_at_its_mount() {
    let server = started(|_| {});
    let client = client(&server);
    for path in ["/v1/customers", "/stripe/v1/customers"] {
        assert_eq!(asked(&client, path, &[]), (200, "stripe"), "{path}");
    }
    assert_eq!(asked(&client, "/stripe/v1/customers", &[("Tenant-ID", "door")]), (200, "stripe"));
    assert_eq!(asked(&client, "/nowhere", &[]), (404, "stripe"));
    assert_eq!(asked(&client, "/cusp/nowhere", &[]), (404, "cusp"));
}

#[test]
fn what_is_switched_off_is_nobodys() {
    let server = started(|settings| settings.doors.without = vec![Language::Stripe]);
    let client = client(&server);
    for path in ["/v1/customers", "/stripe/v1/customers", "/openapi/stripe.json", "/v1/stripecli/subscribe", "/nowhere"]
    {
        assert_eq!(asked(&client, path, &[]), (404, "cusp"), "{path}");
    }
    let refused = error(&client.get("/v1/customers"), 404);
    assert!(refused["message"].as_str().is_some_and(|words| words.contains("/v1/customers")), "{refused}");
}

#[test]
fn an_api_has_everything_at_its_own_host() {
    let server = started(|settings| {
        settings.doors.hosts = vec![("stripe.example.com".to_owned(), Language::Stripe)];
        settings.doors.without = vec![Language::FlexPortal, Language::Jani];
    });
    let client = client(&server);
    let tenant = ("Tenant-ID", "door");
    assert_eq!(asked(&client, "/v1/customers", &[tenant]), (404, "cusp"));
    for host in ["stripe.example.com", "STRIPE.example.com:443"] {
        assert_eq!(asked(&client, "/v1/customers", &[tenant, ("Host", host)]), (200, "stripe"), "{host}");
    }
    assert_eq!(asked(&client, "/v1/customers", &[tenant, ("Host", "example.com")]), (404, "cusp"));
}

#[test]
fn an_api_has_everything_at_its_own_address() {
    let server = started(|settings| {
        settings.doors.listeners = vec![(Language::Stripe, settings.listen)];
        settings.doors.without = vec![Language::FlexPortal, Language::Jani];
    });
    let (everybodys, own) = (client(&server), Client::new(server.own_address(Language::Stripe), "sk_test_door"));
    let id = everybodys.customer("name=Ada");
    let tenant = [("Tenant-ID", "door")];
    assert_eq!(asked(&everybodys, "/v1/customers", &tenant), (404, "cusp"));
    let reply = own.exchange("GET", &format!("/v1/customers/{id}"), "", &tenant);
    assert_eq!((reply.status, json(&reply)["name"].as_str()), (200, Some("Ada")));
    assert_eq!(asked(&own, "/cusp/nowhere", &[]), (404, "cusp"));
    assert_eq!(asked(&own, "/jani/api/v1/customers", &[]), (404, "cusp"));
}
