//! Every call of every operation on the store goes wrong once, in every way. Whatever happened before it is undone, the
//! caller gets a failure with a request id, and the retry does the thing exactly once.

use std::sync::{Arc, OnceLock};

use cusp::settings::Openness;
use cusp::start::WrapStore;
use cusp::store::Store;
use cusp::store::faults::{Fault, FaultyStore};

use crate::client::{Client, json};
use crate::harness::{Keeping, Server, in_both_stores};
use crate::http::Reply;

in_both_stores! {
    a_create_is_all_or_nothing,
    an_update_is_all_or_nothing,
    a_delete_is_all_or_nothing,
    a_balance_transaction_is_all_or_nothing,
    a_cash_balance_is_all_or_nothing,
    a_funding_is_all_or_nothing,
    a_new_coupon_is_all_or_nothing,
    a_changed_coupon_is_all_or_nothing,
    a_deleted_coupon_is_all_or_nothing,
    a_new_promotion_code_is_all_or_nothing,
    a_changed_promotion_code_is_all_or_nothing,
    a_new_source_is_all_or_nothing,
    an_attached_source_is_all_or_nothing,
    a_settled_source_is_all_or_nothing,
    a_redemption_is_all_or_nothing,
    a_deleted_discount_is_all_or_nothing,
    a_delete_of_whoever_has_a_discount_is_all_or_nothing,
    a_failed_look_is_a_failure_and_nothing_more,
}

/// More calls than any operation makes of its store.
const MAX_CALLS: usize = 60;

/// A server whose store breaks on command. After a restart the store is whole.
pub fn breakable(keeping: &Keeping) -> (Server, Arc<FaultyStore>) {
    let slot: Arc<OnceLock<Arc<FaultyStore>>> = Arc::default();
    let filled = slot.clone();
    let wrap: WrapStore = Arc::new(move |store: Arc<dyn Store>| {
        let faulty = Arc::new(FaultyStore::new(store.clone()));
        match filled.set(faulty.clone()) {
            Ok(()) => faulty,
            Err(_) => store,
        }
    });
    let server = Server::start_as(keeping, Openness::Dev, Some(wrap), |_| {});
    let faulty = slot.get().expect("the store was wrapped").clone();
    (server, faulty)
}

/// All that can be seen of a sandbox.
fn everything(client: &Client) -> String {
    let customers = json(&client.get("/v1/customers?limit=100"));
    let mut seen = format!("{customers}\n{}", json(&client.get("/v1/events?limit=100")));
    for customer in customers["data"].as_array().unwrap() {
        let id = customer["id"].as_str().unwrap();
        seen += &json(&client.get(&format!("/v1/customers/{id}/balance_transactions"))).to_string();
        seen += &json(&client.get(&format!("/v1/customers/{id}/cash_balance_transactions"))).to_string();
        seen += &json(&client.get(&format!("/v1/customers/{id}/cash_balance"))).to_string();
        seen += client.get(&format!("/v1/customers/{id}")).header("ETag").unwrap();
    }
    for list in
        ["/v1/coupons", "/v1/promotion_codes", "/v1/promotion_codes?code=SLEEP", "/v1/promotion_codes?code=FALL"]
    {
        seen += &json(&client.get(list)).to_string();
    }
    seen
}

/// What every sandbox has: a customer, a coupon, a promotion code that is switched off, one that is switched on, a
/// customer who has a discount by another coupon, and a source that nobody holds.
struct Sandbox {
    client: Client,
    customer: String,
    code: String,
    active: String,
    holder: String,
    source: String,
}

impl Sandbox {
    fn of(server: &Server) -> Sandbox {
        let client = Client::new(server.address(), "sk_test_faults");
        let customer = client.customer("name=Before&email=before@example.com&balance=100&metadata[a]=1");
        assert_eq!(client.post("/v1/coupons", "id=25OFF&percent_off=25").status, 200);
        let sleeping = "promotion[type]=coupon&promotion[coupon]=25OFF&code=SLEEP&active=false";
        let id = |reply: Reply| json(&reply)["id"].as_str().unwrap().to_owned();
        let code = id(client.post("/v1/promotion_codes", sleeping));
        let active = id(client.post("/v1/promotion_codes", "promotion[type]=coupon&promotion[coupon]=25OFF&code=ON"));
        assert_eq!(client.post("/v1/coupons", "id=HALF&percent_off=50").status, 200);
        let holder = client.customer("name=Holder&coupon=HALF");
        let account = "type=ach_credit_transfer&currency=usd&owner[email]=jenny@example.com";
        let source = id(client.post("/v1/sources", account));
        Sandbox { client, customer, code, active, holder, source }
    }

    fn named(&self, text: &str) -> String {
        text.replace("{id}", &self.customer)
            .replace("{code}", &self.code)
            .replace("{active}", &self.active)
            .replace("{holder}", &self.holder)
            .replace("{source}", &self.source)
    }
}

#[track_caller]
fn check(keeping: &Keeping, method: &str, path: &str, body: &str) {
    for fault in [Fault::Passing, Fault::Broken, Fault::Panic] {
        let mut calls = 0;
        for nth in 1..=MAX_CALLS {
            let (mut server, store) = breakable(keeping);
            let sandbox = Sandbox::of(&server);
            let (path, body) = (sandbox.named(path), sandbox.named(body));
            let (client, body) = (sandbox.client, body.as_str());
            let before = everything(&client);

            let headers = [("Idempotency-Key", "once")];
            store.arm(nth, fault);
            let reply = client.exchange(method, &path, body, &headers);
            if store.disarm() {
                assert_eq!(reply.status, 200, "{}", reply.text());
                break;
            }
            calls += 1;
            let expected = if fault == Fault::Passing { 503 } else { 500 };
            assert_eq!(reply.status, expected, "{method} {path}, call {nth}, {fault:?}: {}", reply.text());
            assert!(reply.header("Request-Id").is_some_and(|id| id.starts_with("req_")));
            assert_eq!(everything(&client), before, "{method} {path}, call {nth}, {fault:?}");

            server.restart();
            let client = Client::new(server.address(), "sk_test_faults");
            assert_eq!(everything(&client), before, "{method} {path}, call {nth}, {fault:?}, after a restart");
            let done = client.exchange(method, &path, body, &headers);
            assert_eq!(done.status, 200, "{}", done.text());
            if method == "POST" {
                let after = everything(&client);
                assert_ne!(after, before);
                let again = client.exchange(method, &path, body, &headers);
                assert_eq!((again.status, again.body), (200, done.body));
                assert_eq!(everything(&client), after, "the retry of {method} {path} did it again");
            }
        }
        assert!(calls > 1 && calls < MAX_CALLS, "{method} {path} made {calls} calls");
    }
}

fn a_create_is_all_or_nothing(keeping: &Keeping) {
    check(keeping, "POST", "/v1/customers", "name=New&balance=-5&metadata[b]=2&email=new@example.com");
}

fn an_update_is_all_or_nothing(keeping: &Keeping) {
    check(
        keeping,
        "POST",
        "/v1/customers/{id}",
        "name=After&balance=7&email=after@example.com&metadata[a]=&invoice_prefix=ABC",
    );
}

fn a_delete_is_all_or_nothing(keeping: &Keeping) {
    check(keeping, "DELETE", "/v1/customers/{id}", "");
}

fn a_balance_transaction_is_all_or_nothing(keeping: &Keeping) {
    check(keeping, "POST", "/v1/customers/{id}/balance_transactions", "amount=5&currency=usd");
}

fn a_cash_balance_is_all_or_nothing(keeping: &Keeping) {
    check(keeping, "POST", "/v1/customers/{id}/cash_balance", "settings[reconciliation_mode]=manual");
}

fn a_funding_is_all_or_nothing(keeping: &Keeping) {
    let path = "/v1/test_helpers/customers/{id}/fund_cash_balance";
    check(keeping, "POST", path, "amount=5&currency=eur&reference=Invoice&expand[]=customer");
}

fn a_new_source_is_all_or_nothing(keeping: &Keeping) {
    check(keeping, "POST", "/v1/sources", "type=ach_credit_transfer&currency=usd&owner[email]=amount_5@example.com");
}

fn an_attached_source_is_all_or_nothing(keeping: &Keeping) {
    check(keeping, "POST", "/v1/customers/{id}/sources", "source={source}");
}

fn a_settled_source_is_all_or_nothing(keeping: &Keeping) {
    check(keeping, "POST", "/v1/test_helpers/sources/{source}/authorize", "amount=5");
}

fn a_new_coupon_is_all_or_nothing(keeping: &Keeping) {
    check(keeping, "POST", "/v1/coupons", "percent_off=10&metadata[a]=1");
}

fn a_changed_coupon_is_all_or_nothing(keeping: &Keeping) {
    check(keeping, "POST", "/v1/coupons/25OFF", "name=Sale");
}

fn a_deleted_coupon_is_all_or_nothing(keeping: &Keeping) {
    check(keeping, "DELETE", "/v1/coupons/25OFF", "");
}

fn a_new_promotion_code_is_all_or_nothing(keeping: &Keeping) {
    let body = "promotion[type]=coupon&promotion[coupon]=25OFF&code=FALL&customer={id}";
    check(keeping, "POST", "/v1/promotion_codes", body);
}

fn a_changed_promotion_code_is_all_or_nothing(keeping: &Keeping) {
    check(keeping, "POST", "/v1/promotion_codes/{code}", "active=true&metadata[a]=1");
}

fn a_redemption_is_all_or_nothing(keeping: &Keeping) {
    check(keeping, "POST", "/v1/customers/{holder}", "promotion_code={active}&balance=5");
}

fn a_deleted_discount_is_all_or_nothing(keeping: &Keeping) {
    check(keeping, "DELETE", "/v1/customers/{holder}/discount", "");
}

fn a_delete_of_whoever_has_a_discount_is_all_or_nothing(keeping: &Keeping) {
    check(keeping, "DELETE", "/v1/customers/{holder}", "");
}

fn a_failed_look_is_a_failure_and_nothing_more(keeping: &Keeping) {
    let (server, store) = breakable(keeping);
    let sandbox = Sandbox::of(&server);
    let client = &sandbox.client;
    for path in [
        "/v1/customers/{id}",
        "/v1/customers/{holder}/discount",
        "/v1/customers",
        "/v1/customers/{id}/cash_balance",
        "/v1/customers/{id}/cash_balance_transactions",
        "/v1/customers/{id}/cash_balance_transactions/ccsbtxn_none",
        "/v1/events",
        "/v1/coupons/25OFF",
        "/v1/coupons",
        "/v1/promotion_codes/{code}?expand[]=customer",
        "/v1/promotion_codes?active=false",
    ] {
        let path = sandbox.named(path);
        let sound = client.get(&path).status;
        for fault in [Fault::Passing, Fault::Broken, Fault::Panic] {
            store.arm(1, fault);
            let reply = client.get(&path);
            assert!(!store.disarm(), "{path} makes a call");
            assert_eq!(reply.status, if fault == Fault::Passing { 503 } else { 500 }, "{}", reply.text());
            assert!(reply.text().contains("api_error"), "{}", reply.text());
            assert_eq!(client.get(&path).status, sound);
        }
    }
}
