//! Sandboxes as a whole: emptied, kept, put back, given to another key. In every store, and with others at work.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json as value};

use cusp::store::faults::{Fault, Loss};

use crate::client::{Client, error, json};
use crate::faults::breakable;
use crate::harness::{Keeping, Server, in_every_store};
use crate::http::{Reply, send};

in_every_store! {
    an_emptied_sandbox_is_as_new,
    a_snapshot_is_put_back_with_everything,
    a_fork_goes_its_own_way,
    a_snapshot_holds_the_unit_that_it_was_written_for,
    snapshots_outlive_the_server_and_are_forgotten,
    a_sandbox_has_so_many_snapshots,
    what_cannot_be_done_is_refused_by_name,
    a_snapshot_is_one_state,
    a_change_that_is_under_way_lands_before_or_after,
    a_stream_ends_with_its_history,
    webhook_endpoints_come_along,
    whatever_goes_wrong_a_sandbox_is_changed_as_a_whole_or_not_at_all,
}

const SNAPSHOTS: &str = "/cusp/v1/sandbox/snapshots";

/// A caller of a sandbox.
struct Sandbox<'s> {
    server: &'s Server,
    key: &'static str,
    client: Client,
}

impl<'s> Sandbox<'s> {
    fn new(server: &'s Server, key: &'static str) -> Sandbox<'s> {
        Sandbox { server, key, client: Client::new(server.address(), key) }
    }

    fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        let mut headers = vec![("Authorization".to_owned(), format!("Bearer {}", self.key))];
        headers.extend(body.as_ref().map(|_| ("Content-Type".to_owned(), "application/json".to_owned())));
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        send(self.server.address(), method, path, &headers, body.as_bytes()).expect("the server answers")
    }

    fn wipe(&self) {
        assert_eq!(json(&self.ask("DELETE", "/cusp/v1/sandbox", None))["deleted"], true);
    }

    fn snapshot(&self) -> String {
        json(&self.ask("POST", SNAPSHOTS, None))["id"].as_str().expect("a snapshot has an id").to_owned()
    }

    fn restore(&self, id: &str) {
        assert_eq!(json(&self.ask("POST", &format!("{SNAPSHOTS}/{id}/restore"), None))["id"], id);
    }

    fn fork(&self, id: &str, key: &str) -> Value {
        json(&self.ask("POST", &format!("{SNAPSHOTS}/{id}/fork"), Some(value!({"key": key}))))
    }

    fn snapshots(&self) -> Vec<String> {
        let list = json(&self.ask("GET", SNAPSHOTS, None));
        let ids = list["data"].as_array().expect("it is a list").iter();
        ids.map(|snapshot| snapshot["id"].as_str().expect("it has an id").to_owned()).collect()
    }

    fn list(&self, path: &str) -> Vec<Value> {
        json(&self.client.get(path))["data"].as_array().expect("it is a list").clone()
    }

    /// All that it shows, in words that can be compared.
    fn shown(&self) -> Vec<Vec<Value>> {
        let mut lists = ["/v1/customers?limit=100", "/v1/events?limit=100", "/v1/coupons", "/v1/setup_intents"]
            .map(|path| self.list(path))
            .to_vec();
        lists.push(self.list("/v1/customers/search?query=email:'jenny@example.com'"));
        for customer in lists[0].clone() {
            let id = customer["id"].as_str().expect("a customer has an id").to_owned();
            lists.push(self.list(&format!("/v1/customers/{id}/balance_transactions")));
            lists.push(self.list(&format!("/v1/customers/{id}/payment_methods")));
        }
        lists
    }

    /// Makes something of everything; gives the customer.
    fn furnish(&self) -> String {
        let id = self.client.customer("name=Jenny&email=jenny@example.com&source=tok_visa&balance=7");
        self.client.customer("name=Ada&payment_method=pm_card_mastercard");
        assert_eq!(self.client.post("/v1/coupons", "id=25OFF&percent_off=25").status, 200);
        assert_eq!(self.client.post("/v1/setup_intents", &format!("customer={id}")).status, 200);
        let amount = "amount=5&currency=usd";
        assert_eq!(self.client.post(&format!("/v1/customers/{id}/balance_transactions"), amount).status, 200);
        id
    }

    fn create_once(&self, key: &str) -> String {
        let made = self.client.exchange("POST", "/v1/customers", "name=Once", &[("Idempotency-Key", key)]);
        json(&made)["id"].as_str().expect("a customer has an id").to_owned()
    }

    fn fingerprint(&self, customer: &str) -> Value {
        let path = format!("/v1/customers/{customer}/payment_methods");
        self.list(&path)[0]["card"]["fingerprint"].clone()
    }
}

fn an_emptied_sandbox_is_as_new(keeping: &Keeping) {
    let server = Server::start(keeping);
    let (ours, other) = (Sandbox::new(&server, "sk_test_ours"), Sandbox::new(&server, "sk_test_other"));
    let new = ours.shown();
    let id = ours.furnish();
    let once = ours.create_once("k");
    other.furnish();
    let others = other.shown();
    let account = json(&ours.client.get("/v1/account"));
    ours.wipe();
    assert_eq!(ours.shown(), new);
    assert_eq!(error(&ours.client.get(&format!("/v1/customers/{id}")), 404)["code"], "resource_missing");
    assert_eq!(other.shown(), others);
    assert_eq!(json(&ours.client.get("/v1/account")), account);
    // The kept reply went too: the same key does it again.
    assert_ne!(ours.create_once("k"), once);
    assert_eq!(ours.list("/v1/customers").len(), 1);
    // What was taken is free.
    assert_eq!(ours.client.post("/v1/coupons", "id=25OFF&percent_off=25").status, 200);
    ours.wipe();
    ours.wipe();
    assert_eq!(ours.shown(), new);
}

fn a_snapshot_is_put_back_with_everything(keeping: &Keeping) {
    let server = Server::start(keeping);
    let ours = Sandbox::new(&server, "sk_test_ours");
    let id = ours.furnish();
    let early = ours.create_once("early");
    let before = ours.shown();
    let snapshot = ours.snapshot();
    assert_eq!(ours.shown(), before);
    assert_eq!(ours.client.post(&format!("/v1/customers/{id}"), "name=Changed&email=x@example.com").status, 200);
    assert_eq!(ours.client.exchange("DELETE", "/v1/coupons/25OFF", "", &[]).status, 200);
    let late = ours.create_once("late");
    assert_ne!(ours.shown(), before);
    // Twice: a snapshot is not used up.
    for _ in 0..2 {
        ours.restore(&snapshot);
        assert_eq!(ours.shown(), before);
        assert_eq!(ours.create_once("early"), early);
        assert_ne!(ours.create_once("late"), late);
        assert_eq!(ours.client.post(&format!("/v1/customers/{id}"), "name=Again").status, 200);
    }
    ours.wipe();
    ours.restore(&snapshot);
    assert_eq!(ours.shown(), before);
}

fn a_fork_goes_its_own_way(keeping: &Keeping) {
    let mut server = Server::start(keeping);
    let (ours, other) = (Sandbox::new(&server, "sk_test_ours"), Sandbox::new(&server, "sk_test_other"));
    let id = ours.furnish();
    let before = ours.shown();
    let snapshot = ours.snapshot();
    // It takes the place of what is there, a fingerprint key of its own included.
    other.furnish();
    let forked = ours.fork(&snapshot, "sk_test_other");
    assert_eq!(forked["account"], json(&other.client.get("/v1/account"))["id"]);
    assert_eq!(forked["snapshot"], *snapshot);
    assert_eq!(other.shown(), before);
    assert_ne!(json(&other.client.get("/v1/account"))["id"], json(&ours.client.get("/v1/account"))["id"]);
    // Equal numbers are told as equal in the copy, and after a restart too.
    assert_eq!(other.fingerprint(&other.client.customer("source=tok_visa")), ours.fingerprint(&id));
    assert_eq!(ours.shown(), before);
    assert_eq!(ours.client.post(&format!("/v1/customers/{id}"), "name=Changed").status, 200);
    let customer = |sandbox: &Sandbox<'_>| json(&sandbox.client.get(&format!("/v1/customers/{id}")))["name"].clone();
    assert_eq!((customer(&ours), customer(&other)), (value!("Changed"), value!("Jenny")));
    assert_eq!(other.snapshots(), [""; 0]);
    // To its own key it is put back.
    ours.fork(&snapshot, "sk_test_ours");
    assert_eq!(ours.shown(), before);
    assert_eq!(ours.snapshots(), [snapshot]);

    server.restart();
    let (ours, other) = (Sandbox::new(&server, "sk_test_ours"), Sandbox::new(&server, "sk_test_other"));
    assert_eq!(ours.shown(), before);
    assert_eq!(other.fingerprint(&other.client.customer("source=tok_visa")), ours.fingerprint(&id));
}

fn a_snapshot_holds_the_unit_that_it_was_written_for(keeping: &Keeping) {
    const UNIT: &str = "/cusp/v1/sandbox/unit";
    let server = Server::start(keeping);
    let (ours, other) = (Sandbox::new(&server, "sk_test_ours"), Sandbox::new(&server, "sk_test_other"));
    let unit = |sandbox: &Sandbox<'_>| json(&sandbox.ask("GET", UNIT, None));
    let totals = |sandbox: &Sandbox<'_>, tenant: &str| {
        json(&sandbox.client.unit(tenant, "GET", "/v1/orders", ""))["orders"][0]["totals"].clone()
    };
    let first = unit(&ours);
    json(&ours.ask("POST", UNIT, Some(value!({"currency": "eur", "tax_rate": "21", "default_contract_length": 12}))));
    let european = unit(&ours);
    let make = |path: &str, body: Value| {
        let made = ours.client.unit("ours", "POST", path, &body.to_string());
        assert_eq!(made.status, 201, "{}", made.text());
    };
    make(
        "/v1/products",
        value!({"productSku": "NB", "name": "Notebook", "specification": "16", "category": "Laptops", "brand": "Acme",
            "variants": [{"variantSku": "NB-A", "variantName": "A", "grade": "A",
                "pricing": [{"contractLength": 12, "monthlyPrice": 10}]}]}),
    );
    make(
        "/v1/orders",
        value!({"customer": {"email": "jenny@example.com", "firstName": "Jenny", "lastName": "Rosen"},
            "billingAddress": {"contactName": "J", "streetAddress": "Main 1", "city": "Utrecht", "country": "Netherlands"},
            "items": [{"sku": "NB-A", "quantity": 1}]}),
    );
    let ordered = totals(&ours, "ours");
    assert_eq!((&ordered["currency"], &ordered["total"]), (&value!("EUR"), &value!(12.1)));
    let snapshot = ours.snapshot();

    ours.wipe();
    assert_eq!(unit(&ours), first, "an emptied sandbox is the unit that it was at first");
    json(&ours.ask("POST", UNIT, Some(value!({"currency": "jpy", "tax_rate": "10"}))));
    ours.restore(&snapshot);
    assert_eq!((unit(&ours), totals(&ours, "ours")), (european.clone(), ordered.clone()));

    json(&other.ask("POST", UNIT, Some(value!({"currency": "jpy"}))));
    let theirs = unit(&other);
    ours.fork(&snapshot, "sk_test_other");
    let mut forked = unit(&other);
    assert_eq!(forked["tenant_id"], theirs["tenant_id"], "its name is its own");
    forked["tenant_id"] = european["tenant_id"].clone();
    forked["account"] = european["account"].clone();
    assert_eq!((forked, totals(&other, "other")), (european, ordered));
}

fn snapshots_outlive_the_server_and_are_forgotten(keeping: &Keeping) {
    let mut server = Server::start(keeping);
    let ours = Sandbox::new(&server, "sk_test_ours");
    assert_eq!(ours.snapshots(), [""; 0]);
    ours.client.customer("name=One");
    let named = json(&ours.ask("POST", SNAPSHOTS, Some(value!({"name": "one \u{1f680}"}))));
    assert_eq!((&named["object"], &named["name"]), (&value!("snapshot"), &value!("one \u{1f680}")));
    let first = named["id"].as_str().expect("it has an id").to_owned();
    ours.client.customer("name=Two");
    let second = ours.snapshot();
    ours.wipe();
    assert_eq!(ours.snapshots(), [second.clone(), first.clone()]);
    assert_eq!(json(&ours.ask("GET", SNAPSHOTS, None))["data"][1], named);

    server.restart();
    let ours = Sandbox::new(&server, "sk_test_ours");
    ours.restore(&first);
    assert_eq!(ours.list("/v1/customers").len(), 1);
    ours.restore(&second);
    assert_eq!(ours.list("/v1/customers").len(), 2);
    let path = format!("{SNAPSHOTS}/{first}");
    assert_eq!(json(&ours.ask("DELETE", &path, None)), value!({"id": first, "object": "snapshot", "deleted": true}));
    assert_eq!(ours.snapshots(), [second]);
    for (method, path) in [("DELETE", path.clone()), ("POST", format!("{path}/restore"))] {
        let refusal = error(&ours.ask(method, &path, None), 404);
        assert_eq!(refusal["code"], "no_such_snapshot");
        assert_eq!(refusal["message"], format!("The sandbox has no snapshot `{first}`."));
    }
    assert_eq!(ours.list("/v1/customers").len(), 2, "a refusal has changed nothing");
}

fn a_sandbox_has_so_many_snapshots(keeping: &Keeping) {
    const MOST: usize = 100;
    let server = Server::start(keeping);
    let (ours, other) = (Sandbox::new(&server, "sk_test_ours"), Sandbox::new(&server, "sk_test_other"));
    ours.client.customer("name=One");
    let taken: BTreeSet<String> = (0..MOST).map(|_| ours.snapshot()).collect();
    assert_eq!(taken.len(), MOST);
    assert_eq!(error(&ours.ask("POST", SNAPSHOTS, None), 400)["code"], "too_many_snapshots");
    other.snapshot();
    let first = taken.first().expect("there are some");
    assert_eq!(ours.ask("DELETE", &format!("{SNAPSHOTS}/{first}"), None).status, 200);
    ours.snapshot();
    assert_eq!(error(&ours.ask("POST", SNAPSHOTS, None), 400)["code"], "too_many_snapshots");
}

fn what_cannot_be_done_is_refused_by_name(keeping: &Keeping) {
    let server = Server::start(keeping);
    let (ours, other) = (Sandbox::new(&server, "sk_test_ours"), Sandbox::new(&server, "sk_test_other"));
    let snapshot = ours.snapshot();
    ours.client.customer("name=One");
    let refused = |sandbox: &Sandbox<'_>, method: &str, path: &str, body: Option<Value>, status: u16| {
        let refusal = error(&sandbox.ask(method, path, body), status);
        (refusal["code"].as_str().unwrap_or_default().to_owned(), refusal["param"].clone())
    };
    let restore = format!("{SNAPSHOTS}/{snapshot}/restore");
    let fork = format!("{SNAPSHOTS}/{snapshot}/fork");
    // A snapshot is its sandbox's own.
    assert_eq!(refused(&other, "POST", &restore, None, 404).0, "no_such_snapshot");
    assert_eq!(refused(&other, "POST", &fork, Some(value!({"key": "sk_test_ours"})), 404).0, "no_such_snapshot");
    for body in [value!({"key": "nonsense"}), value!({"key": "sk_live_other"}), value!({"key": ""})] {
        assert_eq!(refused(&ours, "POST", &fork, Some(body), 400), ("unknown_key".into(), value!("key")));
    }
    assert_eq!(refused(&ours, "POST", &fork, None, 400).1, "key");
    assert_eq!(refused(&ours, "POST", &restore, Some(value!({"name": "x"})), 400).0, "unknown_parameter");
    assert_eq!(refused(&ours, "DELETE", "/cusp/v1/sandbox?all=true", None, 400).0, "unknown_parameter");
    for name in ["".to_owned(), "x".repeat(201)] {
        assert_eq!(refused(&ours, "POST", SNAPSHOTS, Some(value!({"name": name})), 400).1, "name");
    }
    assert_eq!(refused(&ours, "GET", "/cusp/v1/sandbox", None, 405).0, "method_not_allowed");
    for key in ["rk_test_ours", "pk_test_ours"] {
        let limited = Sandbox::new(&server, key);
        for (method, path) in [("DELETE", "/cusp/v1/sandbox"), ("POST", SNAPSHOTS), ("GET", SNAPSHOTS)] {
            assert_eq!(limited.ask(method, path, None).status, 403, "{key} {method} {path}");
        }
    }
    assert_eq!(ours.list("/v1/customers").len(), 1, "a refusal has changed nothing");
}

/// Moves a customer's balance again and again until it is told to stop.
fn move_balance(client: &Client, customer: &str, until: Instant) {
    while Instant::now() < until {
        let path = format!("/v1/customers/{customer}/balance_transactions");
        let moved = client.post(&path, "amount=1&currency=usd");
        assert!([200, 404].contains(&moved.status), "{}", moved.text());
    }
}

/// Refuses a sandbox in which the customer, its ledger and the history do not agree; gives the balance.
#[track_caller]
fn agreeing(sandbox: &Sandbox<'_>, customer: &str) -> usize {
    let balance = json(&sandbox.client.get(&format!("/v1/customers/{customer}")))["balance"].as_u64();
    let balance = usize::try_from(balance.expect("it is a number")).expect("it is small");
    let ledger = all(sandbox, &format!("/v1/customers/{customer}/balance_transactions"));
    assert_eq!(ledger.len(), balance);
    assert_eq!(all(sandbox, "/v1/events").len(), balance + 1);
    balance
}

/// All items of a list, page by page.
fn all(sandbox: &Sandbox<'_>, path: &str) -> Vec<Value> {
    let mut found: Vec<Value> = Vec::new();
    loop {
        let after = found.last().map(|last| format!("&starting_after={}", last["id"].as_str().expect("it has an id")));
        let page = json(&sandbox.client.get(&format!("{path}?limit=100{}", after.unwrap_or_default())));
        found.extend(page["data"].as_array().expect("it is a list").iter().cloned());
        if page["has_more"] == false {
            return found;
        }
    }
}

fn a_snapshot_is_one_state(keeping: &Keeping) {
    let server = Server::start(keeping);
    let ours = Sandbox::new(&server, "sk_test_ours");
    let id = ours.client.customer("name=Jenny");
    let until = Instant::now() + Duration::from_secs(2);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| move_balance(&ours.client, &id, until));
        }
        let mut last = 0;
        while Instant::now() < until {
            let snapshot = ours.snapshot();
            ours.fork(&snapshot, "sk_test_other");
            let balance = agreeing(&Sandbox::new(&server, "sk_test_other"), &id);
            assert!(balance >= last, "a later snapshot has what an earlier one had");
            last = balance;
            assert_eq!(ours.ask("DELETE", &format!("{SNAPSHOTS}/{snapshot}"), None).status, 200);
        }
    });
    agreeing(&ours, &id);
}

fn a_change_that_is_under_way_lands_before_or_after(keeping: &Keeping) {
    let server = Server::start(keeping);
    let ours = Sandbox::new(&server, "sk_test_ours");
    let id = ours.client.customer("name=Jenny");
    let snapshot = ours.snapshot();
    let until = Instant::now() + Duration::from_secs(2);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| move_balance(&ours.client, &id, until));
        }
        for round in 0.. {
            if Instant::now() >= until {
                break;
            }
            if round % 3 == 0 {
                ours.wipe();
            }
            ours.restore(&snapshot);
            thread::sleep(Duration::from_millis(20));
        }
    });
    agreeing(&ours, &id);
    ours.restore(&snapshot);
    assert_eq!(agreeing(&ours, &id), 0);
}

fn a_stream_ends_with_its_history(keeping: &Keeping) {
    let server = Server::start(keeping);
    let (ours, other) = (Sandbox::new(&server, "sk_test_ours"), Sandbox::new(&server, "sk_test_other"));
    ours.client.customer("name=One");
    let snapshot = ours.snapshot();
    ours.client.customer("name=Two");
    let follow = |sandbox: &Sandbox<'_>, change: &dyn Fn()| {
        thread::scope(|scope| {
            let (client, path) = (sandbox.client.clone(), "/cusp/v1/events?from=start&heartbeat=1");
            // A reply that goes on is read to its end.
            let told = scope.spawn(move || client.get(path));
            // Until it has told what there is: one that begins after the change follows the new history.
            thread::sleep(Duration::from_secs(2));
            change();
            told.join().expect("the stream ends by itself").text()
        })
    };
    // As many events as before, but others.
    let told = follow(&ours, &|| {
        ours.restore(&snapshot);
        ours.client.customer("name=Three");
    });
    assert!(told.contains("\"Two\"") && !told.contains("\"Three\""), "{told}");
    let told = follow(&ours, &|| ours.wipe());
    assert!(told.contains("\"Three\""), "{told}");
    other.client.customer("name=Other");
    let told = follow(&other, &|| drop(ours.fork(&snapshot, "sk_test_other")));
    assert!(told.contains("\"Other\"") && !told.contains("\"One\""), "{told}");
    // Whoever comes back to where he was is told that it is gone.
    let last = told.lines().rev().find_map(|line| line.strip_prefix("id: ")).expect("events have ids");
    let header = [("Last-Event-ID", last)];
    assert_eq!(error(&other.client.exchange("GET", "/cusp/v1/events", "", &header), 404)["code"], "no_such_event");
}

fn whatever_goes_wrong_a_sandbox_is_changed_as_a_whole_or_not_at_all(keeping: &Keeping) {
    let (server, store) = breakable(keeping);
    let (ours, other) = (Sandbox::new(&server, "sk_test_ours"), Sandbox::new(&server, "sk_test_other"));
    ours.furnish();
    let snapshot = ours.snapshot();
    ours.client.customer("name=Later");
    other.client.customer("name=Other");
    let seen = || (ours.shown(), ours.snapshots(), other.shown());
    let path = format!("{SNAPSHOTS}/{snapshot}");
    for (method, path, body) in [
        ("POST", SNAPSHOTS.to_owned(), None),
        ("POST", format!("{path}/restore"), None),
        ("POST", format!("{path}/fork"), Some(value!({"key": "sk_test_other"}))),
        ("DELETE", "/cusp/v1/sandbox".to_owned(), None),
        ("DELETE", path, None),
    ] {
        let before = seen();
        store.lose(Loss::Commit);
        assert_eq!(ours.ask(method, &path, body.clone()).status, 503);
        assert_eq!(seen(), before, "{method} {path} without its commit");
        let faults = [Fault::Passing, Fault::Broken, Fault::Panic].into_iter().cycle();
        for (nth, fault) in (1..60).flat_map(|nth| [nth; 3]).zip(faults) {
            store.arm(nth, fault);
            let reply = ours.ask(method, &path, body.clone());
            if store.disarm() {
                assert_eq!(reply.status, 200, "{}", reply.text());
                break;
            }
            assert!([500, 503].contains(&reply.status), "{method} {path}: {}", reply.text());
            assert_eq!(seen(), before, "{method} {path} at call {nth}, {fault:?}");
        }
        assert!(seen() != before, "{method} {path} does something");
        ours.client.customer("name=More");
        other.client.customer("name=More");
    }
}

fn webhook_endpoints_come_along(keeping: &Keeping) {
    let server = Server::start(keeping);
    let (ours, other) = (Sandbox::new(&server, "sk_test_ours"), Sandbox::new(&server, "sk_test_other"));
    let made = ours.client.post("/v1/webhook_endpoints", "url=http://127.0.0.1:9/&enabled_events[]=*");
    assert_eq!(made.status, 200, "{}", made.text());
    let snapshot = ours.snapshot();
    ours.wipe();
    assert_eq!(ours.list("/v1/webhook_endpoints").len(), 0);
    ours.fork(&snapshot, "sk_test_other");
    ours.restore(&snapshot);
    for sandbox in [&ours, &other] {
        assert_eq!(sandbox.list("/v1/webhook_endpoints").len(), 1);
        sandbox.client.customer("name=One");
        let event = &sandbox.list("/v1/events")[0];
        assert_eq!(event["pending_webhooks"], 1, "{event}");
    }
}
