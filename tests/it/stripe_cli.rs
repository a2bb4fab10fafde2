//! The official CLI, unmodified, as a user of its commands: resources, plain requests, fixtures, triggers. What it hears
//! over a session is in `stripe_cli_sessions`.

use std::collections::BTreeSet;
use std::process::Output;

use crate::cli::Cli;
use crate::client::{Client, json};
use crate::harness::{Keeping, Server, in_both_stores};

in_both_stores! {
    customers_are_kept_by_commands,
    plain_requests_are_answered,
    coupons_and_payment_methods_have_commands,
    events_are_looked_at,
    a_fixture_is_set_up,
    a_fixture_that_cannot_be_set_up_says_why,
    every_trigger_sets_its_event_off,
}

/// The CLI takes no key of less than 12 characters.
const KEY: &str = "sk_test_commands";

/// The events that the CLI can set off of what is kept here.
const TRIGGERS: [&str; 23] = [
    "cash_balance.funds_available",
    "coupon.created",
    "coupon.deleted",
    "coupon.updated",
    "customer.created",
    "customer.deleted",
    "customer.discount.created",
    "customer.discount.deleted",
    "customer.discount.updated",
    "customer.source.created",
    "customer.source.updated",
    "customer.updated",
    "customer_cash_balance_transaction.created",
    "payment_method.attached",
    "payment_method.detached",
    "payment_method.updated",
    "promotion_code.created",
    "promotion_code.updated",
    "setup_intent.canceled",
    "setup_intent.created",
    "setup_intent.requires_action",
    "setup_intent.setup_failed",
    "setup_intent.succeeded",
];

/// How the names of those events begin, and how those of others that begin so.
const KEPT_HERE: [&str; 7] = [
    "cash_balance.",
    "coupon.",
    "customer.",
    "customer_cash_balance_transaction.",
    "payment_method.",
    "promotion_code.",
    "setup_intent.",
];
const NOT_KEPT_HERE: &str = "customer.subscription.";

fn customers_are_kept_by_commands(keeping: &Keeping) {
    let server = Server::start(keeping);
    let cli = Cli::of(&server, KEY);
    let made = cli.json(&["customers", "create", "--name=Jenny Rosen", "-d", "metadata[plan]=team"]);
    let id = made["id"].as_str().expect("a customer has an id");
    assert_eq!((&made["name"], &made["metadata"]["plan"]), (&"Jenny Rosen".into(), &"team".into()));

    let seen = cli.json(&["customers", "retrieve", id]);
    assert_eq!(seen, made);
    let changed = cli.json(&["customers", "update", id, "--email=jenny@example.com", "--balance=-500"]);
    assert_eq!((&changed["email"], &changed["balance"]), (&"jenny@example.com".into(), &(-500).into()));

    let other = cli.json(&["customers", "create", "--description=another"]);
    let listed = cli.json(&["customers", "list", "--limit", "1"]);
    assert_eq!((&listed["data"][0]["id"], &listed["has_more"]), (&other["id"], &true.into()));
    let mine = cli.json(&["customers", "list", "--email=jenny@example.com"]);
    assert_eq!((mine["data"].as_array().map(Vec::len), mine["data"][0]["id"].as_str()), (Some(1), Some(id)));
    let found = cli.json(&["customers", "search", "--query", "name:'Jenny Rosen'"]);
    assert_eq!(found["data"][0]["id"].as_str(), Some(id));

    let gone = cli.json(&["customers", "delete", id, "--confirm"]);
    assert_eq!((&gone["id"], &gone["deleted"]), (&id.into(), &true.into()));
    assert_eq!(cli.json(&["customers", "retrieve", id])["deleted"], true);
}

fn plain_requests_are_answered(keeping: &Keeping) {
    let server = Server::start(keeping);
    let cli = Cli::of(&server, KEY);
    let made = cli.json(&["post", "/v1/customers", "-d", "name=Ada", "--idempotency", "once"]);
    assert_eq!(cli.json(&["post", "/v1/customers", "-d", "name=Ada", "--idempotency", "once"]), made);
    let id = made["id"].as_str().expect("a customer has an id");
    // Without its prefix and with it, a path is the same; an id alone stands for its path.
    for path in [format!("/v1/customers/{id}"), format!("/customers/{id}"), id.to_owned()] {
        assert_eq!(cli.json(&["get", &path]), made, "{path}");
    }
    let old = cli.json(&["get", &format!("/v1/customers/{id}"), "--stripe-version", "2020-03-02"]);
    assert_eq!(old["sources"]["object"], "list");
    assert_eq!(cli.json(&["delete", &format!("/v1/customers/{id}"), "--confirm"])["deleted"], true);
    let account = cli.json(&["get", "/v1/account"]);
    assert!(account["settings"]["dashboard"]["display_name"].is_null());

    let refused = cli.run(&["get", "/v1/customers/cus_nobody"]);
    assert!(text(&refused.stdout).contains("No such customer: 'cus_nobody'"), "{refused:?}");
}

fn coupons_and_payment_methods_have_commands(keeping: &Keeping) {
    let server = Server::start(keeping);
    let cli = Cli::of(&server, KEY);
    let coupon = cli.json(&["coupons", "create", "--id=TEN", "--percent-off=10", "--duration=once"]);
    assert_eq!((&coupon["id"], &coupon["percent_off"]), (&"TEN".into(), &10.0.into()));
    assert_eq!(cli.json(&["coupons", "update", "TEN", "--name=Ten"])["name"], "Ten");
    assert_eq!(cli.json(&["coupons", "retrieve", "TEN"])["name"], "Ten");
    assert_eq!(cli.json(&["coupons", "list"])["data"][0]["id"], "TEN");
    assert_eq!(cli.json(&["coupons", "delete", "TEN", "--confirm"])["deleted"], true);

    let customer = cli.json(&["customers", "create"]);
    let customer = customer["id"].as_str().expect("a customer has an id");
    let method = cli.json(&["payment_methods", "create", "--type=card", "-d", "card[token]=tok_visa"]);
    let method = method["id"].as_str().expect("a payment method has an id");
    let attached = cli.json(&["payment_methods", "attach", method, "--customer", customer]);
    assert_eq!(attached["customer"], customer);
    let changed = cli.json(&["payment_methods", "update", method, "-d", "billing_details[name]=Ada"]);
    assert_eq!(changed["billing_details"]["name"], "Ada");
    let listed = cli.json(&["payment_methods", "list", "--customer", customer, "--type=card"]);
    assert_eq!(listed["data"][0]["id"], method);
    assert!(cli.json(&["payment_methods", "detach", method])["customer"].is_null());
    assert_eq!(cli.json(&["payment_methods", "retrieve", method])["id"], method);
}

fn events_are_looked_at(keeping: &Keeping) {
    let server = Server::start(keeping);
    let cli = Cli::of(&server, KEY);
    let customer = cli.json(&["customers", "create", "--name=Ada"]);
    let listed = cli.json(&["events", "list", "--type=customer.created"]);
    let event = &listed["data"][0];
    assert_eq!(event["data"]["object"]["id"], customer["id"]);
    let seen = cli.json(&["events", "retrieve", event["id"].as_str().expect("an event has an id")]);
    assert_eq!(seen, *event);
}

fn a_fixture_is_set_up(keeping: &Keeping) {
    let server = Server::start(keeping);
    let cli = Cli::of(&server, KEY);
    cli.done(&["fixtures", &fixture()]);
    let client = Client::new(server.address(), KEY);
    let customer = &json(&client.get("/v1/customers?email=jenny@example.com"))["data"][0];
    assert_eq!(customer["preferred_locales"], serde_json::json!(["de", "en"]));
    assert_eq!((&customer["metadata"]["plan"], &customer["address"]["city"]), (&"team".into(), &"Brothers".into()));
    let code = &json(&client.get("/v1/promotion_codes?code=LAUNCH25"))["data"][0];
    let (coupon, promoted) = (&customer["discount"]["source"]["coupon"], &code["promotion"]["coupon"]);
    assert_eq!(coupon, promoted);
    assert!(customer["default_source"].as_str().is_some_and(|id| id.starts_with("card_")));
    let method = customer["invoice_settings"]["default_payment_method"].as_str().expect("the last request set it");
    assert_eq!(json(&client.get(&format!("/v1/payment_methods/{method}")))["card"]["brand"], "mastercard");
}

fn a_fixture_that_cannot_be_set_up_says_why(keeping: &Keeping) {
    let server = Server::start(keeping);
    let cli = Cli::of(&server, KEY);
    let outcome = cli.run(&["fixtures", &fixture(), "--override", "jenny:email=nobody"]);
    assert!(!outcome.status.success() && said(&outcome).contains("Invalid email address: nobody"), "{outcome:?}");
}

fn every_trigger_sets_its_event_off(keeping: &Keeping) {
    let server = Server::start(keeping);
    let offered: BTreeSet<String> = Cli::of(&server, KEY)
        .done(&["trigger", "--help"])
        .lines()
        .map(str::trim)
        .filter(|line| KEPT_HERE.iter().any(|beginning| line.starts_with(beginning)))
        .filter(|line| !line.starts_with(NOT_KEPT_HERE))
        .map(str::to_owned)
        .collect();
    assert_eq!(offered, TRIGGERS.map(str::to_owned).into(), "the CLI's own list");
    for event in TRIGGERS {
        // Each in a sandbox of its own, so that what happens there comes of it.
        let key = format!("sk_test_{event}");
        let outcome = Cli::of(&server, &key).run(&["trigger", event]);
        assert!(outcome.status.success(), "{event}: {}", said(&outcome));
        let happened = json(&Client::new(server.address(), &key).get(&format!("/v1/events?type={event}")));
        assert!(!happened["data"].as_array().expect("a list").is_empty(), "{event} did not happen");
    }
}

/// A fixture with every way of naming what an earlier request made.
fn fixture() -> String {
    format!("{}/tests/sdk/cli/fixture.json", env!("CARGO_MANIFEST_DIR"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn said(outcome: &Output) -> String {
    format!("{}{}", text(&outcome.stdout), text(&outcome.stderr))
}
