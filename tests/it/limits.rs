//! What holds for every request, whatever the API: its rate, its size, its id and its key. Each API says so in its own words.

use std::num::NonZeroU32;

use cusp::settings::{Language, Openness, Settings};
use serde_json::Value;

use crate::client::{Client, body};
use crate::harness::{Keeping, Server};
use crate::http::{self, Reply};

const KEY: &str = "sk_test_limits";
const TENANT: (&str, &str) = ("Tenant-ID", "limits");

fn started(adjust: impl FnOnce(&mut Settings)) -> Server {
    Server::start_as(&Keeping::Memory, Openness::Dev, None, adjust)
}

fn mount(language: Language) -> &'static str {
    match language {
        Language::Stripe => "/stripe/v1",
        Language::FlexPortal => "/flexportal/v1",
        Language::Jani => "/jani/api/v1",
    }
}

/// What an API calls an error; the place and the words are those of its documents.
fn named(language: Language, reply: &Reply) -> Value {
    let said = body(reply);
    match language {
        Language::Stripe | Language::FlexPortal => said["error"]["code"].clone(),
        Language::Jani => said["error"].clone(),
    }
}

fn ask(server: &Server, key: &str, language: Language, method: &str, path: &str, body: &str) -> Reply {
    let (client, path) = (Client::new(server.address(), key), format!("{}{path}", mount(language)));
    match language {
        Language::Stripe => client.exchange(method, &path, body, &[TENANT]),
        Language::FlexPortal | Language::Jani => client.exchange_json(method, &path, body, &[TENANT]),
    }
}

#[test]
fn a_caller_that_is_too_fast_is_told_so_in_every_api() {
    for (language, name) in [
        (Language::Stripe, "rate_limit"),
        (Language::FlexPortal, "RATE_LIMITED"),
        (Language::Jani, "too_many_requests"),
    ] {
        let server = started(|settings| settings.rate_limit = NonZeroU32::new(1));
        let mut replies = (0..40).map(|_| ask(&server, KEY, language, "GET", "/customers", ""));
        let refused = replies.find(|reply| reply.status == 429).expect("so many requests are too many");
        assert_eq!(named(language, &refused), name);
        if language != Language::Stripe {
            let seconds = refused.header("Retry-After").and_then(|seconds| seconds.parse::<u32>().ok());
            assert!(seconds.is_some_and(|seconds| seconds >= 1), "{language:?}");
        }
        // What one key is told says nothing about another one.
        let other = ask(&server, "sk_test_other", language, "GET", "/customers", "");
        assert_ne!(other.status, 429);
    }
}

#[test]
fn a_body_that_is_too_large_is_refused_in_every_api() {
    let server = started(|settings| settings.max_body_bytes = 2_000);
    let long = "x".repeat(3_000);
    for (language, body) in [
        (Language::Stripe, format!("name={long}")),
        (Language::FlexPortal, format!("{{\"customer\": \"{long}\"}}")),
        (Language::Jani, format!("{{\"name\": \"{long}\"}}")),
    ] {
        let path = if language == Language::FlexPortal { "/orders" } else { "/customers" };
        let reply = ask(&server, KEY, language, "POST", path, &body);
        assert_eq!(reply.status, 413, "{language:?}: {}", reply.text());
        assert!(reply.text().contains("2000"), "{language:?}: {}", reply.text());
        let id = reply.header("Request-Id").expect("every reply has an id");
        if language != Language::Stripe {
            assert_eq!(reply.header("X-Request-Id"), Some(id));
        }
        assert!(!reply.text().contains("xxx"));
    }
}

#[test]
fn a_file_may_be_larger_for_whoever_has_a_key() {
    let server = started(|settings| settings.max_body_bytes = 2_000);
    let rows: String = (0..100).map(|row| format!("SKU-{row},Notebook {row},16 inch,Laptops,Acme\n")).collect();
    let file = format!("productSku,name,specification,category,brand\n{rows}");
    let send = |key: &str, method: &str| {
        let headers = [("Authorization", format!("Bearer {key}")), ("Content-Type", "text/csv".to_owned())];
        let mut headers: Vec<(String, String)> = headers.map(|(name, value)| (name.to_owned(), value)).into();
        headers.push((TENANT.0.to_owned(), TENANT.1.to_owned()));
        http::send(server.address(), method, "/flexportal/v1/products/csv", &headers, file.as_bytes()).expect("a reply")
    };
    assert_ne!(send(KEY, "POST").status, 413);
    for (key, method) in [("none", "POST"), ("", "POST"), (KEY, "PUT")] {
        assert_eq!(send(key, method).status, 413, "{key} {method}");
    }
}

#[test]
fn every_reply_has_an_id_of_its_own() {
    let server = started(|_| {});
    for language in Language::ALL.iter().copied() {
        for (key, path) in
            [(KEY, "/customers"), (KEY, "/nowhere"), ("none", "/customers"), (KEY, "/customers/cus_none")]
        {
            let replies = [(); 2].map(|()| ask(&server, key, language, "GET", path, ""));
            let ids = replies.each_ref().map(|reply| reply.header("Request-Id").expect("every reply has an id"));
            assert!(ids[0] != ids[1] && ids.iter().all(|id| id.starts_with("req_")), "{ids:?}");
            if language != Language::Stripe {
                let own = replies.each_ref().map(|reply| reply.header("X-Request-Id").expect("this API has it too"));
                assert_eq!(own, ids, "{language:?} {path}");
            }
        }
    }
}
