//! Jani's API as no transcript can ask it: on a lenient server, and by several callers at once.

use std::sync::Barrier;
use std::thread;

use cusp::domain::account::Mode;
use cusp::domain::object::ObjectKind;
use cusp::identity;
use cusp::settings::Openness;
use serde_json::{Value, json};

use crate::harness::{Keeping, Server, in_every_store};
use crate::http::send;

in_every_store! {
    a_lenient_server_takes_the_samples_of_the_documents,
    a_lenient_server_shows_a_country_as_it_was_written,
    addresses_and_businesses_go_with_their_customer,
    one_of_many_has_an_email,
}

fn ask(server: &Server, method: &str, target: &str, body: Option<&Value>) -> (u16, Value) {
    let mut headers = vec![("Authorization".to_owned(), "Bearer sk_test_jani".to_owned())];
    headers.extend(body.map(|_| ("Content-Type".to_owned(), "application/json".to_owned())));
    let body = body.map(Value::to_string).unwrap_or_default();
    let reply = send(server.address(), method, target, &headers, body.as_bytes()).expect("the server answers");
    (reply.status, serde_json::from_slice(&reply.body).expect("it answers in JSON"))
}

fn a_lenient_server_takes_the_samples_of_the_documents(keeping: &Keeping) {
    let server = Server::start_as(keeping, Openness::Dev, None, |settings| settings.jani_lenient = true);
    let sample = json!({
        "name": "Brighton Mboya",
        "email": "brighton@example.com",
        "phone": "+2557881234567",
        "address": { "city": "Dar es Salaam", "country": "Tanzania" },
        "payment_method": "momo_01h3vjs3b16yc3f9q8q9pfrb78",
        "status": "active",
        "custom_data": { "loyalty_program": "Gold" },
    });
    let (status, made) = ask(&server, "POST", "/api/v1/customers", Some(&sample));
    assert_eq!((status, &made["address"]), (201, &sample["address"]), "{made}");
    let id = made["id"].as_str().expect("it has an id");

    // The others know the country by its code.
    let (_, by_stripe) = ask(&server, "GET", &format!("/v1/customers/{id}"), None);
    assert_eq!(by_stripe["address"]["country"], "TZ");
    let change = json!({ "address": { "city": "Mwanza", "country": "ke" } });
    let (_, changed) = ask(&server, "PATCH", &format!("/api/v1/customers/{id}"), Some(&change));
    assert_eq!(changed["address"], json!({ "city": "Mwanza", "country": "KE" }));

    let wish = json!({ "region": "Dar es Salaam", "city": "Ilala", "country": "Tanzania" });
    let (status, address) = ask(&server, "POST", &format!("/api/v1/customers/{id}/addresses"), Some(&wish));
    assert_eq!((status, &address["country"]), (201, &json!("Tanzania")));
    let nowhere = json!({ "address": { "city": "Mwanza", "country": "Atlantis" } });
    let (status, refused) = ask(&server, "PATCH", &format!("/api/v1/customers/{id}"), Some(&nowhere));
    assert_eq!((status, &refused["details"][0]["field"]), (400, &json!("address.country")));

    let (_, document) = ask(&server, "GET", "/openapi/jani.json", None);
    let country = &document["components"]["schemas"]["AddressCreate"]["properties"]["country"];
    assert_eq!(country.get("enum"), None, "{country}");
}

fn a_lenient_server_shows_a_country_as_it_was_written(keeping: &Keeping) {
    let server = Server::start_as(keeping, Openness::Dev, None, |settings| settings.jani_lenient = true);
    let sample =
        json!({ "name": "A", "email": "a@example.com", "address": { "city": "Mwanza", "country": "Tanzania" } });
    let (_, made) = ask(&server, "POST", "/api/v1/customers", Some(&sample));
    let path = format!("/api/v1/customers/{}", made["id"].as_str().expect("it has an id"));
    let shown = |server: &Server| ask(server, "GET", &path, None).1;

    // What FlexPortal shows is the same, and so it is when it is sent back.
    let headers =
        [("Authorization", "Bearer sk_test_jani"), ("Tenant-ID", "jani"), ("Content-Type", "application/json")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let by_flexportal = path.replace("/api/", "/flexportal/");
    let put = json!({ "billingAddress": { "contactName": "A", "streetAddress": "", "city": "Mwanza", "country": "Tanzania" } });
    let body = put.to_string();
    let reply = send(server.address(), "PUT", &by_flexportal, &headers, body.as_bytes()).expect("the server answers");
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(shown(&server)["address"]["country"], "Tanzania");

    // A code is shown as a code, and whatever is shown can be sent back.
    for written in ["TZ", "Tanzania", "TZ", "tanzania"] {
        let change = json!({ "address": { "city": "Mwanza", "country": written } });
        let (status, changed) = ask(&server, "PATCH", &path, Some(&change));
        assert_eq!((status, &changed["address"]["country"]), (200, &json!(written)), "{changed}");
        let (status, again) = ask(&server, "PATCH", &path, Some(&changed));
        assert_eq!((status, &again), (200, &changed));
    }
}

/// The most addresses of a customer.
const MOST: usize = 100;

fn addresses_and_businesses_go_with_their_customer(keeping: &Keeping) {
    let server = Server::start(keeping);
    let customer = |name: &str| {
        let wish = json!({ "name": name, "email": format!("{name}@example.com") });
        ask(&server, "POST", "/api/v1/customers", Some(&wish)).1["id"].as_str().expect("it has an id").to_owned()
    };
    let (gone, stays) = (customer("gone"), customer("stays"));
    let address = json!({ "region": "r", "city": "c", "country": "TZ" });
    let make = |of: &str, what: &str, wish: &Value| {
        ask(&server, "POST", &format!("/api/v1/customers/{of}/{what}"), Some(wish))
    };
    let id = |made: (u16, Value)| {
        assert_eq!(made.0, 201, "{}", made.1);
        made.1["id"].as_str().expect("it has an id").to_owned()
    };
    let addresses: Vec<String> = (0..MOST).map(|_| id(make(&gone, "addresses", &address))).collect();
    let (status, refused) = make(&gone, "addresses", &address);
    assert_eq!((status, &refused["error"]), (400, &json!("limit_reached")), "{refused}");
    let business = id(make(&gone, "businesses", &json!({ "name": "B" })));
    let kept = id(make(&stays, "addresses", &address));

    assert_eq!(ask(&server, "DELETE", &format!("/v1/customers/{gone}"), None).0, 200);
    let (status, _) = ask(&server, "GET", &format!("/api/v1/customers/{gone}/addresses"), None);
    assert_eq!(status, 404);
    let here = identity::space(None, &identity::sandbox("jani"), Mode::Test);
    server.beside(move |tx| {
        for id in [&addresses[0], &addresses[MOST - 1]] {
            assert_eq!(tx.object(here, ObjectKind::CustomerAddress, id)?, None);
        }
        assert_eq!(tx.object(here, ObjectKind::Business, &business)?, None);
        assert!(tx.object(here, ObjectKind::CustomerAddress, &kept)?.is_some());
        Ok(())
    });
}

fn one_of_many_has_an_email(keeping: &Keeping) {
    const CALLERS: usize = 8;
    let server = Server::start(keeping);
    let together = Barrier::new(CALLERS);
    let statuses: Vec<u16> = thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|caller| {
                let (server, together) = (&server, &together);
                scope.spawn(move || {
                    let letters = if caller % 2 == 0 { "asha@example.com" } else { "ASHA@example.com" };
                    let wish = json!({ "name": format!("Caller {caller}"), "email": letters });
                    together.wait();
                    ask(server, "POST", "/api/v1/customers", Some(&wish)).0
                })
            })
            .collect();
        callers.into_iter().map(|caller| caller.join().expect("no caller panicked")).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [201, 409].contains(status)), "{statuses:?}");
    let (_, listed) = ask(&server, "GET", "/api/v1/customers", None);
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
}
