//! Business units from end to end: an operator makes one with `cusp units`, and a program of FlexPortal's API works with it.

use std::cell::Cell;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::{Client, body};
use crate::fleet::wait_until;
use crate::postgres::Database;
use crate::program_server::{ProgramServer, cusp};
use crate::sdk::made_at;

#[test]
fn a_unit_is_made_used_and_changed_in_a_folder() {
    let folder = TempDir::new().expect("a temporary folder");
    walk_through(&["--data", folder.path().to_str().expect("a plain path")]);
}

#[test]
fn a_unit_is_made_used_and_changed_in_a_database() {
    let database = Database::fresh();
    walk_through(&["--database-url", &database.url()]);
}

/// What a command is refused with.
fn refused(place: &[&str], arguments: &[&str]) -> String {
    let outcome = cusp().args(arguments).args(place).output().expect("the binary under test starts");
    assert!(!outcome.status.success(), "{arguments:?}: {outcome:?}");
    String::from_utf8_lossy(&outcome.stderr).into_owned()
}

fn walk_through(place: &[&str]) {
    let account = made_at(
        place,
        &[
            &["units", "create", "--name", "Acme NL", "--currency", "eur", "--country", "NL", "--tenant-id", "acme-nl"],
            &["--tax-rate", "21", "--buyout-method", "flat", "--buyout-amount", "30000"][..],
        ]
        .concat(),
    );
    let plain = made_at(place, &["units", "create", "--name", "Acme US", "--currency", "usd"]);
    let taken = refused(place, &["units", "create", "--name", "X", "--currency", "usd", "--tenant-id", "acme-nl"]);
    assert!(taken.contains("acme-nl") && taken.contains(&account), "{taken}");
    let wrong = refused(place, &["units", "create", "--name", "X", "--currency", "zzz"]);
    assert!(wrong.contains("zzz"), "{wrong}");
    let needs = refused(place, &["units", "update", "acme-nl", "--early-return-method", "flat"]);
    assert!(needs.contains("--early-return-amount"), "{needs}");
    assert!(refused(place, &["units", "update", "nobody", "--tax-rate", "3"]).contains("nobody"));
    let list = made_at(place, &["units", "list"]);
    for told in ["acme-nl", "Acme NL", "eur", "21", &account, &plain] {
        assert!(list.contains(told), "{told}: {list}");
    }

    let key = made_at(place, &["keys", "create", "--account", &account]);
    let other_key = made_at(place, &["keys", "create", "--account", &plain]);
    let server = ProgramServer::start("serve", place, &["--admin-listen", "127.0.0.1:0"]);
    let ask = |key: &str, tenant: &str, method: &str, path: &str, wish: Option<Value>| {
        let wish = wish.map(|wish| wish.to_string()).unwrap_or_default();
        Client::new(server.address(), key).unit(tenant, method, path, &wish)
    };
    let made = ask(&key, "acme-nl", "POST", "/v1/products", Some(product()));
    assert_eq!(made.status, 201, "{}", made.text());
    let made = ask(&key, "acme-nl", "POST", "/v1/orders", Some(order("jenny@example.com")));
    assert_eq!(made.status, 201, "{}", made.text());
    let totals = &body(&made)["order"]["totals"];
    assert_eq!((&totals["currency"], &totals["taxAmount"]), (&json!("EUR"), &json!(25.41)), "{totals}");
    let seen = Client::new(server.address(), &key).get("/v1/customers");
    assert_eq!(body(&seen)["data"][0]["email"], "jenny@example.com", "it is the same customer in every language");

    // The unit is told by its name and by a key of its own; without a name it is known by its account's id.
    assert_eq!(ask(&key, "acme-us", "GET", "/v1/orders", None).status, 403);
    assert_eq!(ask(&other_key, "acme-nl", "GET", "/v1/orders", None).status, 403);
    assert_eq!(ask("sk_test_nobody", "acme-nl", "GET", "/v1/orders", None).status, 401);
    let empty = ask(&other_key, &plain, "GET", "/v1/orders", None);
    assert_eq!((empty.status, &body(&empty)["count"]), (200, &json!(0)));
    assert_eq!(
        Client::new(server.address(), &key).get("/cusp/v1/sandbox/unit").status,
        404,
        "operators change units here"
    );

    // A running server knows of a change within a second.
    made_at(place, &["units", "update", "acme-nl", "--tax-rate", "0", "--require-order-confirmation"]);
    let tries = Cell::new(0);
    wait_until("the server knows of the change", || {
        tries.set(tries.get() + 1);
        let made = ask(&key, "acme-nl", "POST", "/v1/orders", Some(order(&format!("{}@example.com", tries.get()))));
        body(&made)["order"]["totals"]["taxAmount"] == json!(0)
    });
    server.kill();
    made_at(place, &["check"]);
}

fn product() -> Value {
    json!({
        "productSku": "NB", "name": "Notebook", "specification": "16", "category": "Laptops", "brand": "Acme",
        "variants": [{
            "variantSku": "NB-A", "variantName": "A", "grade": "A",
            "pricing": [{"contractLength": 12, "monthlyPrice": 121}],
        }],
    })
}

/// An order of somebody. The same one twice would be one.
fn order(email: &str) -> Value {
    json!({
        "customer": {"email": email, "firstName": "Jenny", "lastName": "Rosen"},
        "billingAddress": {"contactName": "J", "streetAddress": "Main 1", "city": "Utrecht", "country": "Netherlands"},
        "items": [{"sku": "NB-A", "quantity": 1, "contractLength": 12}],
    })
}
