//! Every call of every operation on the store goes wrong once, in every way. Whatever happened before it is undone, the
//! caller gets a failure with a request id, and the retry does the thing exactly once. So it is when everything went well
//! but the commit, or when only the answer to it is lost.

use std::sync::{Arc, OnceLock};

use cusp::settings::Openness;
use cusp::start::WrapStore;
use cusp::store::Store;
use cusp::store::faults::{Fault, FaultyStore, Loss};

use crate::client::{Client, json};
use crate::harness::{Keeping, Server, in_every_store};
use crate::holdings::{CARD, all_held, loose, token};
use crate::http::Reply;

in_every_store! {
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
    a_create_with_a_source_is_all_or_nothing,
    a_create_with_a_payment_method_is_all_or_nothing,
    an_update_with_a_token_is_all_or_nothing,
    an_update_with_a_test_card_is_all_or_nothing,
    a_source_of_a_token_is_all_or_nothing,
    a_changed_source_is_all_or_nothing,
    a_deleted_source_is_all_or_nothing,
    a_new_token_is_all_or_nothing,
    a_new_payment_method_is_all_or_nothing,
    a_setup_that_is_confirmed_at_once_is_all_or_nothing,
    an_attachment_is_all_or_nothing,
    a_detachment_is_all_or_nothing,
    a_delete_of_whoever_holds_cards_is_all_or_nothing,
    a_failed_look_is_a_failure_and_nothing_more,
}

/// More calls than any operation makes of its store.
const MAX_CALLS: usize = 60;
const KEY: &str = "sk_test_faults";

/// A server whose store breaks on command. After a restart the store is whole.
pub fn breakable(keeping: &Keeping) -> (Server, Arc<FaultyStore>) {
    broken_in(|wrap| Server::start_as(keeping, Openness::Dev, Some(wrap), |_| {}))
}

/// A server that is started with something around its store, which breaks on command.
pub fn broken_in(start: impl FnOnce(WrapStore) -> Server) -> (Server, Arc<FaultyStore>) {
    let slot: Arc<OnceLock<Arc<FaultyStore>>> = Arc::default();
    let filled = slot.clone();
    let wrap: WrapStore = Arc::new(move |store: Arc<dyn Store>| {
        let faulty = Arc::new(FaultyStore::new(store.clone()));
        match filled.set(faulty.clone()) {
            Ok(()) => faulty,
            Err(_) => store,
        }
    });
    let server = start(wrap);
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
        for list in ["sources", "payment_methods"] {
            seen += &json(&client.get(&format!("/v1/customers/{id}/{list}?limit=100"))).to_string();
        }
        seen += client.get(&format!("/v1/customers/{id}")).header("ETag").unwrap();
    }
    for list in
        ["/v1/coupons", "/v1/promotion_codes", "/v1/promotion_codes?code=SLEEP", "/v1/promotion_codes?code=FALL"]
    {
        seen += &json(&client.get(list)).to_string();
    }
    seen
}

/// A sandbox with a customer and with what else an operation is about.
struct Sandbox {
    client: Client,
    /// The words that stand for ids in paths and bodies.
    names: Vec<(&'static str, String)>,
}

impl Sandbox {
    /// One with what the text names: a coupon, a promotion code of it that is switched off (`code`) or on (`active`), a
    /// customer who has a discount by another coupon (`holder`), a customer who has two sources, of which one is its
    /// `default`, and a payment method that is `attached`, a `token`, and a payment method (`loose`) and a `source` that
    /// nobody has.
    fn of(server: &Server, text: &str) -> Sandbox {
        let client = Client::new(server.address(), KEY);
        let id = |reply: Reply| json(&reply)["id"].as_str().unwrap().to_owned();
        let customer = client.customer("name=Before&email=before@example.com&balance=100&metadata[a]=1");
        let mut names = vec![("{id}", customer)];
        if ["25OFF", "{code}", "{active}"].iter().any(|word| text.contains(word)) {
            assert_eq!(client.post("/v1/coupons", "id=25OFF&percent_off=25").status, 200);
            let code = |more: &str| {
                let form = format!("promotion[type]=coupon&promotion[coupon]=25OFF&{more}");
                id(client.post("/v1/promotion_codes", &form))
            };
            names.extend([("{code}", code("code=SLEEP&active=false")), ("{active}", code("code=ON"))]);
        }
        if text.contains("{holder}") {
            assert_eq!(client.post("/v1/coupons", "id=HALF&percent_off=50").status, 200);
            names.push(("{holder}", client.customer("name=Holder&coupon=HALF")));
        }
        if text.contains("{payer}") || text.contains("{attached}") {
            let payer = client.customer("name=Payer&source=tok_visa");
            let shown = json(&client.get(&format!("/v1/customers/{payer}")));
            names.push(("{default}", shown["default_source"].as_str().unwrap().to_owned()));
            json(&client.post(&format!("/v1/customers/{payer}/sources"), "source=btok_us"));
            let attach = client.post("/v1/payment_methods/pm_card_amex/attach", &format!("customer={payer}"));
            names.extend([("{attached}", id(attach)), ("{payer}", payer)]);
        }
        if text.contains("{token}") {
            names.push(("{token}", token(&client)));
        }
        if text.contains("{loose}") {
            names.push(("{loose}", loose(&client)));
        }
        if text.contains("{source}") {
            let account = "type=ach_credit_transfer&currency=usd&owner[email]=jenny@example.com";
            names.push(("{source}", id(client.post("/v1/sources", account))));
        }
        Sandbox { client, names }
    }

    fn named(&self, text: &str) -> String {
        self.names.iter().fold(text.to_owned(), |text, (word, id)| text.replace(word, id))
    }

    /// All that can be seen of it.
    fn seen(&self, client: &Client) -> String {
        let mut seen = everything(client);
        for (word, id) in &self.names {
            match *word {
                "{source}" => seen += &client.get(&format!("/v1/sources/{id}")).text(),
                "{token}" => seen += &client.get(&format!("/v1/tokens/{id}")).text(),
                "{loose}" | "{attached}" => seen += &client.get(&format!("/v1/payment_methods/{id}")).text(),
                _ => {}
            }
        }
        seen
    }
}

#[track_caller]
fn check(keeping: &Keeping, method: &str, path: &str, body: &str) {
    for fault in [Fault::Passing, Fault::Broken, Fault::Panic] {
        let expected = if fault == Fault::Passing { 503 } else { 500 };
        let mut calls = 0;
        while goes_wrong(keeping, (method, path, body), expected, |store| store.arm(calls + 1, fault)) {
            calls += 1;
            assert!(calls < MAX_CALLS, "{method} {path} made {calls} calls");
        }
        assert!(calls > 1, "{method} {path} made {calls} calls");
    }
    assert!(goes_wrong(keeping, (method, path, body), 503, |store| store.lose(Loss::Commit)));
    if method == "POST" {
        loses_its_answer(keeping, path, body);
    }
}

/// Asks for it when something goes wrong, and again when nothing does; `false` when nothing went wrong.
#[track_caller]
fn goes_wrong(
    keeping: &Keeping,
    (method, path, body): (&str, &str, &str),
    expected: u16,
    arm: impl FnOnce(&FaultyStore),
) -> bool {
    let (mut server, store) = breakable(keeping);
    let sandbox = Sandbox::of(&server, &format!("{path} {body}"));
    let (path, body) = (sandbox.named(path), sandbox.named(body));
    let before = sandbox.seen(&sandbox.client);

    let headers = [("Idempotency-Key", "once")];
    arm(&store);
    let reply = sandbox.client.exchange(method, &path, &body, &headers);
    if store.disarm() {
        assert_eq!(reply.status, 200, "{}", reply.text());
        return false;
    }
    assert_eq!(reply.status, expected, "{method} {path}: {}", reply.text());
    assert!(reply.header("Request-Id").is_some_and(|id| id.starts_with("req_")));
    assert_eq!(sandbox.seen(&sandbox.client), before, "{method} {path}");

    server.restart();
    let client = Client::new(server.address(), KEY);
    assert_eq!(sandbox.seen(&client), before, "{method} {path}, after a restart");
    let done = client.exchange(method, &path, &body, &headers);
    assert_eq!(done.status, 200, "{}", done.text());
    if method == "POST" {
        let after = sandbox.seen(&client);
        if !["/v1/tokens", "/v1/payment_methods", "/v1/sources"].contains(&&*path) {
            // What is made alone is on no list.
            assert_ne!(after, before);
        }
        let again = client.exchange(method, &path, &body, &headers);
        assert_eq!((again.status, again.body), (200, done.body));
        assert_eq!(sandbox.seen(&client), after, "the retry of {method} {path} did it again");
    }
    all_held(&client);
    true
}

/// Asks for it, which is done without an answer, and again, which does nothing and is answered.
#[track_caller]
fn loses_its_answer(keeping: &Keeping, path: &str, body: &str) {
    let (mut server, store) = breakable(keeping);
    let sandbox = Sandbox::of(&server, &format!("{path} {body}"));
    let (path, body) = (sandbox.named(path), sandbox.named(body));
    // The key by which an account tells numbers is made with the first of them, in a transaction of its own.
    token(&sandbox.client);
    let headers = [("Idempotency-Key", "once")];
    store.lose(Loss::Answer);
    let reply = sandbox.client.exchange("POST", &path, &body, &headers);
    assert_eq!(reply.status, 503, "POST {path}: {}", reply.text());
    let after = sandbox.seen(&sandbox.client);
    server.restart();
    let client = Client::new(server.address(), KEY);
    let again = client.exchange("POST", &path, &body, &headers);
    assert_eq!((again.status, again.header("Idempotent-Replayed")), (200, Some("true")), "{}", again.text());
    assert_eq!(sandbox.seen(&client), after, "the retry of POST {path} did it again");
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

fn a_create_with_a_source_is_all_or_nothing(keeping: &Keeping) {
    check(keeping, "POST", "/v1/customers", "name=New&source={token}");
}

fn a_create_with_a_payment_method_is_all_or_nothing(keeping: &Keeping) {
    let body = "payment_method={loose}&invoice_settings[default_payment_method]={loose}";
    check(keeping, "POST", "/v1/customers", body);
}

fn an_update_with_a_token_is_all_or_nothing(keeping: &Keeping) {
    check(keeping, "POST", "/v1/customers/{payer}", "name=After&source={token}");
}

fn an_update_with_a_test_card_is_all_or_nothing(keeping: &Keeping) {
    check(keeping, "POST", "/v1/customers/{payer}", "source=tok_visa");
}

fn a_source_of_a_token_is_all_or_nothing(keeping: &Keeping) {
    check(keeping, "POST", "/v1/customers/{id}/sources", "source={token}&metadata[a]=1");
}

fn a_changed_source_is_all_or_nothing(keeping: &Keeping) {
    check(keeping, "POST", "/v1/customers/{payer}/sources/{default}", "name=Jenny&exp_year=2031");
}

fn a_deleted_source_is_all_or_nothing(keeping: &Keeping) {
    check(keeping, "DELETE", "/v1/customers/{payer}/sources/{default}", "");
}

fn a_new_token_is_all_or_nothing(keeping: &Keeping) {
    check(keeping, "POST", "/v1/tokens", CARD);
}

fn a_setup_that_is_confirmed_at_once_is_all_or_nothing(keeping: &Keeping) {
    let body = "customer={payer}&payment_method={loose}&payment_method_types[]=card&confirm=true";
    check(keeping, "POST", "/v1/setup_intents", body);
}

fn a_new_payment_method_is_all_or_nothing(keeping: &Keeping) {
    check(keeping, "POST", "/v1/payment_methods", "type=card&card[token]={token}");
}

fn an_attachment_is_all_or_nothing(keeping: &Keeping) {
    check(keeping, "POST", "/v1/payment_methods/{loose}/attach", "customer={payer}");
}

fn a_detachment_is_all_or_nothing(keeping: &Keeping) {
    check(keeping, "POST", "/v1/payment_methods/{attached}/detach", "");
}

fn a_delete_of_whoever_holds_cards_is_all_or_nothing(keeping: &Keeping) {
    check(keeping, "DELETE", "/v1/customers/{payer}", "");
}

fn a_failed_look_is_a_failure_and_nothing_more(keeping: &Keeping) {
    let (server, store) = breakable(keeping);
    let paths = [
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
        "/v1/tokens/{token}",
        "/v1/payment_methods/{loose}",
        "/v1/payment_methods/{attached}",
        "/v1/payment_methods?customer={payer}",
        "/v1/customers/{payer}/sources",
        "/v1/customers/{payer}/sources/{default}",
    ];
    let sandbox = Sandbox::of(&server, &paths.concat());
    let client = &sandbox.client;
    for path in paths {
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
