//! Every call of every change in FlexPortal's and Jani's words goes wrong once, in every way, and commits and the answers to
//! them get lost. A change is there as a whole or not at all: nothing that is kept of the account is another one after a
//! failure; the retry does it once, and what is rented adds up.

use cusp::domain::account::{Mode, Space};
use cusp::domain::object::{List, ObjectKind};
use cusp::domain::page::CustomerPage;
use cusp::identity;
use cusp::store::faults::{Fault, FaultyStore, Loss};
use cusp::store::{Kept, Read, Store};
use serde_json::{Value, json};

use crate::faults::breakable;
use crate::harness::{Keeping, Server, in_every_store};
use crate::http::Reply;
use crate::rented::{Caller, GivenUp, check, read, text};

in_every_store! {
    an_order_is_all_or_nothing,
    a_catalogue_is_all_or_nothing,
    a_file_of_products_is_taken_once,
    an_asset_is_all_or_nothing,
    a_rental_is_all_or_nothing,
    the_end_of_a_rental_is_all_or_nothing,
    a_payment_is_all_or_nothing,
    a_billing_group_is_all_or_nothing,
    a_customer_is_all_or_nothing,
    what_jani_keeps_of_a_customer_is_all_or_nothing,
}

/// More calls than any change makes of its store.
const MAX_CALLS: usize = 200;
/// More records of one kind than a scene has.
const MANY: usize = 1_000;
const ONCE: &[(&str, &str)] = &[("Idempotency-Key", "once")];

/// A change: method, path and body. Words in braces stand for what a scene has.
type Change = (&'static str, &'static str, Value);

/// A sandbox with something of every kind.
struct Scene {
    caller: Caller,
    unit: String,
    space: Space,
    /// The words that stand for ids.
    names: Vec<(&'static str, String)>,
    given_up: GivenUp,
}

impl Scene {
    /// One with devices, of which two are rented by a `customer`: the first is a `rental` with a `payment` that is due, the
    /// `other` one is in a `group` with a payment that is `due`. And with an order that is `open`, of somebody who is
    /// `idle`, a product that is not `wanted`, an `address` and a `business` of the customer.
    fn set(server: &Server, unit: &str) -> Scene {
        let caller = Caller::new(server.address(), unit);
        let space = identity::space(None, &identity::sandbox(unit), Mode::Test);
        let mut scene = Scene { caller, unit: unit.to_owned(), space, names: Vec::new(), given_up: GivenUp::new() };
        let caller = scene.caller.clone();
        caller.stock(4);
        let wanted = caller.done("/flexportal/v1/products", &product("PAD", &["PAD-A"]));
        let (order, customer) = caller.order("jenny@example.com", 3, 4);
        let rent = |serial: &str| {
            let body = json!({"orderId": order, "assetSerialNumber": serial, "customerId": customer});
            text(&caller.done("/flexportal/v1/subscriptions", &body)["rentalId"])
        };
        let (rental, other) = (rent("SN-0"), rent("SN-1"));
        let group = json!({"customerId": customer, "groupName": "IT", "billingDay": 15, "rentalIds": [other]});
        let group = text(&caller.done("/flexportal/v1/billing-groups", &group)["billingGroup"]["billingGroupId"]);
        let first = |filter: &str| {
            let path = format!("/flexportal/v1/payments?sortBy=dueDate&sortDir=asc&limit=1&{filter}");
            text(&caller.get(&path)["payments"][0]["paymentId"])
        };
        let (payment, due) = (first(&format!("rentalId={rental}")), first(&format!("billingGroupId={group}")));
        let (open, idle) = caller.order("jim@example.com", 1, 4);
        let of_jim = format!("/jani/api/v1/customers/{idle}");
        let address =
            caller.done(&format!("{of_jim}/addresses"), &json!({"region": "R", "city": "C", "country": "TZ"}));
        let business = caller.done(&format!("{of_jim}/businesses"), &json!({"name": "Traders"}));
        scene.names = vec![
            ("{wanted}", text(&wanted["productId"])),
            ("{order}", order),
            ("{customer}", customer),
            ("{rental}", rental),
            ("{other}", other),
            ("{group}", group),
            ("{payment}", payment),
            ("{due}", due),
            ("{open}", open),
            ("{idle}", idle),
            ("{address}", text(&address["id"])),
            ("{business}", text(&business["id"])),
        ];
        scene
    }

    fn named(&self, text: &str) -> String {
        self.names.iter().fold(text.to_owned(), |text, (word, id)| text.replace(word, id))
    }

    /// Asks for the change.
    fn ask(&self, (method, path, body): &Change) -> Reply {
        let (media, body) = match body {
            Value::Null => ("application/json", String::new()),
            Value::String(file) => ("text/csv", file.clone()),
            json => ("application/json", self.named(&json.to_string())),
        };
        self.caller.send(method, &self.named(path), media, &body, ONCE)
    }

    /// Every record that the store keeps of the sandbox, but for the replies.
    fn kept(&self, store: &FaultyStore) -> Vec<String> {
        let mut kept = Vec::new();
        let looked = store.read(&mut |read| {
            kept = records(read, self.space)?;
            Ok(())
        });
        looked.expect("nothing is armed");
        kept
    }

    /// What its callers see of it.
    fn shown(&self) -> Vec<Value> {
        let lists = [
            "/flexportal/v1/orders?limit=100",
            "/flexportal/v1/products?limit=100",
            "/flexportal/v1/products/variants?limit=100",
            "/flexportal/v1/assets?limit=100",
            "/flexportal/v1/subscriptions?limit=100",
            "/flexportal/v1/payments?limit=100",
            "/flexportal/v1/billing-groups?limit=100",
            "/jani/api/v1/customers",
            "/jani/api/v1/customers/{idle}/addresses",
            "/jani/api/v1/customers/{idle}/businesses",
            "/jani/api/v1/events",
        ];
        lists.iter().map(|list| self.caller.get(&self.named(list))).collect()
    }

    /// Asks for the change again and again, of which each time another call goes wrong in another way, until none does; that
    /// time the answer gets lost. Then it is asked for once more, and the answer is had.
    #[track_caller]
    fn goes_wrong_in_every_way(&mut self, store: &FaultyStore, change: &Change) -> Vec<u8> {
        let (method, path, _) = change;
        let before = self.kept(store);
        store.lose(Loss::Commit);
        let reply = self.ask(change);
        assert_eq!(reply.status, 503, "{method} {path}, with its commit lost: {}", reply.text());
        self.is_as(store, &before, "its commit lost");
        let calls = self.fails_until_it_does_not(store, change, before.clone());
        assert!(calls > 3, "{method} {path} makes {calls} calls");

        let after = self.kept(store);
        assert_ne!(after, before, "{method} {path} does something");
        let again = self.ask(change);
        assert!(again.status < 300, "{method} {path}: {}", again.text());
        assert_eq!(again.header("Idempotent-Replayed"), Some("true"), "{method} {path} was done");
        self.is_as(store, &after, "it done already");
        if path.ends_with("/payments/{payment}/cancel") {
            let payment = &read(&again)["payment"];
            let months = self.given_up.entry(self.named("{rental}")).or_default();
            months.insert(text(&payment["billingPeriod"]));
        }
        again.body
    }

    /// Has each call of the change go wrong in each way. What is kept is as it was; only a file may be there as a whole once,
    /// as its reply is kept behind its rows. Gives how many calls there are.
    #[track_caller]
    fn fails_until_it_does_not(&self, store: &FaultyStore, change: &Change, mut wanted: Vec<String>) -> usize {
        let (method, path, body) = change;
        let mut may_be_there = body.is_string();
        if !may_be_there {
            store.lose(Loss::Answer);
        }
        for call in 1..MAX_CALLS {
            for (fault, status) in [(Fault::Passing, 503), (Fault::Broken, 500), (Fault::Panic, 500)] {
                store.arm(call, fault);
                let reply = self.ask(change);
                if store.disarm() {
                    assert_eq!(reply.status, 503, "{method} {path}, with its answer lost: {}", reply.text());
                    assert!(!may_be_there, "the rows of a file and its reply are not kept together");
                    return call - 1;
                }
                let went = format!("{fault:?} at call {call} of {method} {path}");
                assert_eq!(reply.status, status, "{went}: {}", reply.text());
                assert!(reply.header("X-Request-Id").is_some_and(|id| id.starts_with("req_")), "{went}");
                if may_be_there && self.kept(store) != wanted {
                    (wanted, may_be_there) = (self.kept(store), false);
                    store.lose(Loss::Answer);
                }
                self.is_as(store, &wanted, &went);
            }
        }
        panic!("{method} {path} makes more than {MAX_CALLS} calls");
    }

    /// Nothing is gone, nothing is new.
    #[track_caller]
    fn is_as(&self, store: &FaultyStore, wanted: &[String], went: &str) {
        let kept = self.kept(store);
        let gone: Vec<&String> = wanted.iter().filter(|record| !kept.contains(record)).collect();
        let new: Vec<&String> = kept.iter().filter(|record| !wanted.contains(record)).collect();
        assert!(kept == wanted, "with {went} these are gone: {gone:#?}\nand these new: {new:#?}");
    }
}

/// Every record of an account in words: itself, its customers, all its objects and its events.
fn records(read: &mut dyn Read, space: Space) -> Kept<Vec<String>> {
    let mut records = vec![format!("{:?}", read.account(space)?)];
    let customers = read.customers(space, &CustomerPage { limit: MANY, ..CustomerPage::default() })?;
    assert!(!customers.has_more);
    records.extend(customers.items.iter().map(|customer| format!("{customer:?}")));
    for kind in ObjectKind::ALL {
        let objects = read.short_list(space, List::all(*kind))?;
        records.extend(objects.iter().map(|object| format!("{object:?}")));
    }
    let events = read.news(space, 0, MANY)?;
    assert!(events.len() < MANY);
    records.extend(events.iter().map(|event| format!("{event:?}")));
    Ok(records)
}

fn product(sku: &str, variants: &[&str]) -> Value {
    let variant = |sku: &&str| json!({"variantSku": sku, "variantName": "A", "grade": "A", "pricing": [{"contractLength": 4, "monthlyPrice": 50}]});
    let variants: Vec<Value> = variants.iter().map(variant).collect();
    json!({
        "productSku": sku, "name": "Pad", "specification": "11", "category": "Tablets", "brand": "Acme",
        "variants": variants,
    })
}

fn order(email: &str) -> Value {
    let address = json!({"contactName": "J", "streetAddress": "Main 1", "city": "Utrecht", "country": "NL"});
    json!({
        "customer": {"email": email, "firstName": "Jane", "lastName": "Doe", "phone": "+31612345678"},
        "billingAddress": address,
        "items": [{"sku": "NB-A", "quantity": 2, "contractLength": 7}, {"sku": "PAD-A", "quantity": 1}],
    })
}

/// Makes each change in a sandbox of its own, on one server. What is there afterwards is there after a restart.
fn check_all(keeping: &Keeping, changes: &[Change]) {
    let (mut server, store) = breakable(keeping);
    let mut scenes = Vec::new();
    for (number, change) in changes.iter().enumerate() {
        let mut scene = Scene::set(&server, &format!("faults{number}"));
        let answer = scene.goes_wrong_in_every_way(&store, change);
        let shown = scene.shown();
        scenes.push((scene, answer, shown));
    }
    server.restart();
    for ((mut scene, answer, shown), change) in scenes.into_iter().zip(changes) {
        scene.caller = Caller::new(server.address(), &scene.unit);
        assert_eq!(scene.shown(), shown, "{change:?}, after a restart");
        assert_eq!(scene.ask(change).body, answer, "{change:?}, after a restart");
        assert_eq!(scene.shown(), shown, "the retry of {change:?} did it again");
        check(&scene.caller, &scene.given_up);
    }
}

fn an_order_is_all_or_nothing(keeping: &Keeping) {
    check_all(
        keeping,
        &[
            ("POST", "/flexportal/v1/orders", order("new@example.com")),
            ("POST", "/flexportal/v1/orders", order("Jenny@Example.com")),
            ("POST", "/flexportal/v1/orders/{open}/cancel", json!({"reason": "mistake"})),
            ("POST", "/flexportal/v1/orders/{open}/confirm", Value::Null),
            ("PATCH", "/flexportal/v1/orders/{order}/notes", json!({"notes": "ring twice"})),
        ],
    );
}

fn a_catalogue_is_all_or_nothing(keeping: &Keeping) {
    check_all(
        keeping,
        &[
            ("POST", "/flexportal/v1/products", product("NEW", &["NEW-A", "NEW-B"])),
            // One of this SKU is there: it changes and gets one more variant.
            ("POST", "/flexportal/v1/products", product("PAD", &["PAD-A", "PAD-B"])),
            ("PUT", "/flexportal/v1/products/{wanted}", json!({"name": "Tablet", "productSku": "TAB"})),
            ("DELETE", "/flexportal/v1/products/{wanted}", Value::Null),
        ],
    );
}

fn an_asset_is_all_or_nothing(keeping: &Keeping) {
    check_all(
        keeping,
        &[
            ("POST", "/flexportal/v1/assets", json!({"serialNumber": "SN-9", "sku": "NB-A"})),
            ("PUT", "/flexportal/v1/assets/SN-2", json!({"status": "unavailable", "sku": "PAD-A"})),
            ("DELETE", "/flexportal/v1/assets/SN-2", Value::Null),
        ],
    );
}

fn a_rental_is_all_or_nothing(keeping: &Keeping) {
    let path = "/flexportal/v1/subscriptions";
    let rental = json!({"orderId": "{order}", "assetSerialNumber": "SN-2", "customerId": "{customer}"});
    let mut grouped = rental.clone();
    grouped["billingGroupId"] = json!("{group}");
    check_all(
        keeping,
        &[
            ("POST", path, rental),
            ("POST", path, grouped),
            (
                "POST",
                "/flexportal/v1/subscriptions/{other}/extend",
                json!({"extensionMonths": 2, "newMonthlyAmount": 77}),
            ),
            (
                "POST",
                "/flexportal/v1/subscriptions/{rental}/replace",
                json!({"newSerialNumber": "SN-2", "replacementReason": "stolen"}),
            ),
            ("PATCH", "/flexportal/v1/subscriptions/{rental}/notes", json!({"notes": "by courier"})),
        ],
    );
}

fn the_end_of_a_rental_is_all_or_nothing(keeping: &Keeping) {
    check_all(
        keeping,
        &[
            ("POST", "/flexportal/v1/subscriptions/{rental}/buyout", json!({"reason": "other"})),
            ("POST", "/flexportal/v1/subscriptions/{other}/early-return", json!({"reason": "moving"})),
            ("POST", "/flexportal/v1/subscriptions/{other}/cancel", json!({"reason": "other"})),
            (
                "POST",
                "/flexportal/v1/subscriptions/{rental}/upgrade",
                json!({"newSku": "NB-A", "newContractLength": 7}),
            ),
        ],
    );
}

fn a_payment_is_all_or_nothing(keeping: &Keeping) {
    check_all(
        keeping,
        &[
            ("POST", "/flexportal/v1/payments/{payment}/mark-paid", json!({"reference": "BANK-1"})),
            ("POST", "/flexportal/v1/payments/{due}/mark-paid", json!({})),
            ("POST", "/flexportal/v1/payments/{payment}/cancel", json!({"reason": "goodwill"})),
        ],
    );
}

fn a_billing_group_is_all_or_nothing(keeping: &Keeping) {
    let both = json!({
        "customerId": "{customer}", "groupName": "All", "billingDay": 20, "rentalIds": ["{rental}", "{other}"],
    });
    let changed = json!({"rentalIds": ["{rental}"], "billingDay": 7, "notes": "Net 30"});
    check_all(
        keeping,
        &[
            ("POST", "/flexportal/v1/billing-groups", both),
            ("PATCH", "/flexportal/v1/billing-groups/{group}", changed),
            ("DELETE", "/flexportal/v1/billing-groups/{group}", Value::Null),
        ],
    );
}

fn a_customer_is_all_or_nothing(keeping: &Keeping) {
    let new = json!({"name": "Asha", "email": "asha@example.com", "custom_data": {"a": 1.50, "b": [true]}});
    let changed = json!({"email": "asha@example.com", "status": "suspended", "custom_data": {"a": {"b": null}}});
    check_all(
        keeping,
        &[
            ("PUT", "/flexportal/v1/customers/{customer}", json!({"email": "jo@example.com", "company": "Acme"})),
            ("POST", "/jani/api/v1/customers", new),
            ("PATCH", "/jani/api/v1/customers/{idle}", changed),
        ],
    );
}

fn what_jani_keeps_of_a_customer_is_all_or_nothing(keeping: &Keeping) {
    let address = json!({"region": "Mwanza", "city": "Ilemela", "country": "TZ", "custom_data": {"floor": 2}});
    let contacts = json!([{"name": "Asha", "email": "asha@example.com"}]);
    check_all(
        keeping,
        &[
            ("POST", "/jani/api/v1/customers/{idle}/addresses", address),
            ("PATCH", "/jani/api/v1/customers/{idle}/addresses/{address}", json!({"city": "Nyamagana"})),
            ("POST", "/jani/api/v1/customers/{idle}/businesses", json!({"name": "B", "contacts": contacts})),
            ("PATCH", "/jani/api/v1/customers/{idle}/businesses/{business}", json!({"status": "archived"})),
        ],
    );
}

fn a_file_of_products_is_taken_once(keeping: &Keeping) {
    let file = "productSku,name,category,brand,specification,variantSku,variantName,grade,contractLength,monthlyPrice\n\
                PAD,Tablet,Tablets,Acme,11,PAD-A,Worn,C,4,39.95\nPAD,,,,,PAD-B,New,A,4,59.95\n\
                NEW,New,Tablets,Acme,12,NEW-A,New,A,12,99\nNEW,,,,,NEW-A,,,24,89\n";
    check_all(keeping, &[("POST", "/flexportal/v1/products/csv", json!(file))]);
}
