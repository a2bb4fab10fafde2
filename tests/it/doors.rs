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
        (_, None, Some(code)) if code.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_') => {
            "flexportal"
        }
        _ if body.get("nextCursor").is_some() => "flexportal",
        _ if body.is_array() || error.is_string() && body["request_id"].is_string() => "jani",
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
fn flexportals_is_where_a_tenant_is_named_and_at_its_mount() {
    let server = started(|_| {});
    let client = client(&server);
    let tenant = [("Tenant-ID", "door")];
    for path in ["/v1/customers", "/flexportal/v1/customers", "/v1/orders"] {
        assert_eq!(asked(&client, path, &tenant), (200, "flexportal"), "{path}");
    }
    assert_eq!(asked(&client, "/flexportal/v1/customers", &[]), (403, "flexportal"));
    assert_eq!(asked(&client, "/v1/orders", &[]), (404, "stripe"));
    assert_eq!(asked(&client, "/v1/nowhere", &tenant), (404, "flexportal"));
    assert_eq!(asked(&client, "/flexportal/nowhere", &tenant), (404, "flexportal"));
}

#[test]
fn janis_is_below_its_paths_and_at_its_mount() {
    let server = started(|_| {});
    let client = client(&server);
    // Its pages on businesses leave out the beginning, which at its mount is no other API's.
    for path in ["/api/v1/customers", "/jani/api/v1/customers", "/jani/v1/customers"] {
        for headers in [&[][..], &[("Tenant-ID", "door")]] {
            assert_eq!(asked(&client, path, headers), (200, "jani"), "{path}");
        }
    }
    assert_eq!(asked(&client, "/api/v1/nowhere", &[]), (404, "jani"));
    assert_eq!(asked(&client, "/jani/nowhere", &[]), (404, "jani"));
}

#[test]
fn documents_are_everywhere_and_need_no_key() {
    let server = started(|settings| settings.doors.without = vec![Language::Jani]);
    let nobody = Client::new(server.address(), "none");
    for (api, title) in [("stripe", "Stripe's API, spoken by Cusp"), ("flexportal", "FlexPortal's API, spoken by Cusp")]
    {
        let document = nobody.exchange("GET", &format!("/openapi/{api}.json"), "", &[("Host", "example.com")]);
        assert_eq!((document.status, &json(&document)["info"]["title"]), (200, &Value::from(title)));
        assert_eq!(json(&document)["openapi"], "3.1.0");
        assert!(document.header("Request-Id").is_some());
        assert_eq!(nobody.exchange("HEAD", &format!("/openapi/{api}.json"), "", &[]).status, 200);
        assert!(nobody.exchange("POST", &format!("/openapi/{api}.json"), "", &[]).status >= 400);
    }
    assert_eq!(nobody.get("/openapi/jani.json").status, 404);
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
fn each_api_can_be_switched_off() {
    for language in Language::ALL.iter().copied() {
        let server = started(|settings| settings.doors.without = vec![language]);
        let client = client(&server);
        for other in Language::ALL.iter().copied() {
            let (name, path) = (other.as_str(), path_of(other));
            let wanted = if other == language { (404, "cusp") } else { (200, name) };
            let tenant: &[(&str, &str)] = if other == Language::FlexPortal { &[("Tenant-ID", "door")] } else { &[] };
            assert_eq!(asked(&client, path, tenant), wanted, "{name} without {language:?}");
            assert_eq!(asked(&client, &format!("/{name}{path}"), tenant), wanted, "{name} without {language:?}");
        }
    }
}

/// Where an API's list of customers is by its documents.
fn path_of(language: Language) -> &'static str {
    match language {
        Language::Stripe | Language::FlexPortal => "/v1/customers",
        Language::Jani => "/api/v1/customers",
    }
}

#[test]
fn every_api_may_have_a_host_and_an_address_of_its_own() {
    let server = started(|settings| {
        let host = |language: &Language| (format!("{}.example.com", language.as_str()), *language);
        settings.doors.hosts = Language::ALL.iter().map(host).collect();
        settings.doors.listeners = Language::ALL.iter().map(|language| (*language, settings.listen)).collect();
    });
    let id = client(&server).customer("name=Ada Lovelace&email=ada@example.com");
    for language in Language::ALL.iter().copied() {
        let (name, path) = (language.as_str(), path_of(language));
        let host = format!("{name}.example.com");
        let tenant = ("Tenant-ID", "door");
        assert_eq!(asked(&client(&server), path, &[tenant, ("Host", &host)]), (200, name));
        let own = Client::new(server.own_address(language), "sk_test_door");
        assert_eq!(asked(&own, path, &[tenant]), (200, name));
        let reply = own.exchange("GET", &format!("{path}/{id}"), "", &[tenant]);
        assert_eq!((reply.status, reply.text().contains("ada@example.com")), (200, true), "{name}");
        // What is another API's is not there, and its mount still is.
        assert_eq!(asked(&own, "/nowhere", &[tenant]), (404, name));
        assert_eq!(asked(&own, "/jani/api/v1/customers", &[tenant]), (200, "jani"));
    }
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
