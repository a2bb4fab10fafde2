//! SIGKILL under a load of orders, rentals, payments, billing groups and what Jani keeps of customers. Whatever was
//! acknowledged is there, what was not is there or not as a whole, and totals, devices, payments, groups and orders add up.
//! In both stores: on a database it is the server that is killed, while the database goes on.
//!
//! The seed decides what is written and when the kill comes, not how the threads run; it is printed.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use serde_json::{Value, json};

use crate::connection::Connection;
use crate::crash_of_holders::{Place, load_until_killed};
use crate::dice::Dice;
use crate::http::Reply;
use crate::postgres::Database;
use crate::rented::{Caller, GivenUp, check, read, text};

const SEED: &str = "CUSP_CRASH_SEED";
/// How many kills in each store.
const ROUNDS: usize = 10;
/// How many clients write at a time, each about a customer of its own. All are of one business unit.
const WRITERS: usize = 4;
/// How long the load runs before the kill, in milliseconds: from, to.
const LOAD_MILLIS: (u64, u64) = (20, 200);

/// More units than are rented of one order.
const UNITS: usize = 1_000;

const UNIT: &str = "crash";

#[test]
fn what_was_rented_in_a_folder_survives_a_kill() {
    survive(&Place::folder());
}

#[test]
fn what_was_rented_in_a_database_survives_a_kill() {
    survive(&Place::Database(Database::fresh()));
}

fn survive(place: &Place) {
    let mut dice = Dice::of_the_run(SEED);
    let mut server = place.start();
    let mut caller = Caller::new(server.address(), UNIT);
    caller.stock(0);
    let mut writers: Vec<Writer> =
        (0..WRITERS).map(|number| Writer::new(number, dice.for_number(number as u64), &caller)).collect();
    let mut doubts = BTreeMap::new();
    for round in 1..=ROUNDS {
        let load = Duration::from_millis(dice.between(LOAD_MILLIS.0, LOAD_MILLIS.1));
        let in_doubt = load_until_killed(&mut writers, server, load, Writer::write_until_cut_off);
        place.wait_until_let_go();
        server = place.start();
        caller = Caller::new(server.address(), UNIT);
        for (writer, request) in writers.iter_mut().zip(in_doubt) {
            if let Some(request) = request {
                let happened = writer.settle(&caller, &request);
                *doubts.entry((request.key.is_some(), happened)).or_insert(0) += 1;
            }
        }
        for writer in &writers {
            assert_eq!(writer.facts(&caller), writer.facts, "what was acknowledged");
        }
        check(&caller, &GivenUp::new());
        for customer in caller.all("/flexportal/v1/customers", "customers") {
            assert_ne!(customer["totalOrders"], 0, "whoever an order made has it: {customer}");
        }
        let requests = writers.iter().map(|writer| writer.requests).sum::<u64>();
        println!("round {round}: killed after {load:?}, {requests} requests so far");
    }
    println!("in doubt, by whether with a key and whether it had happened: {doubts:?}");
    server.kill();
    place.wait_until_let_go();
    place.check();
}

/// What a request asks for.
#[derive(Clone, Debug)]
enum Wish {
    Order,
    /// An order for an e-mail address that nobody has.
    Newcomer(String),
    Product(String),
    Device(String),
    Rent {
        order: String,
        serial: String,
    },
    Extend(String),
    Replace {
        rental: String,
        serial: String,
    },
    /// Ends a rental: the verb, how the rental ends, what becomes of the device.
    End(String, &'static [&'static str; 3]),
    Pay(String),
    /// A group of these rentals, or of these in place of those that it has.
    Group(Option<String>, Vec<String>),
    Ungroup(String),
    Address,
    Business,
    /// Moves an address.
    Move(String, String),
    /// Changes the customer's free data.
    Plan(u64),
}

const ENDS: [[&str; 3]; 3] = [
    ["buyout", "ended_buyout", "sold"],
    ["early-return", "ended_early_return", "returned"],
    ["cancel", "cancelled", "rented_out"],
];

#[derive(Clone, Debug)]
struct Request {
    wish: Wish,
    method: &'static str,
    path: String,
    body: Value,
    key: Option<String>,
}

/// What is known of a customer and of what belongs to it: kind and id of a thing, and what it is like.
type Facts = BTreeMap<(&'static str, String), Value>;

/// One client, and what its customer has to be like.
struct Writer {
    number: usize,
    dice: Dice,
    customer: String,
    facts: Facts,
    requests: u64,
}

impl Writer {
    fn new(number: usize, dice: Dice, caller: &Caller) -> Writer {
        let (_, customer) = caller.order(&format!("writer{number}@example.com"), UNITS, 4);
        let mut writer = Writer { number, dice, customer, facts: Facts::new(), requests: 0 };
        writer.facts = writer.facts(caller);
        writer
    }

    /// What the server says.
    fn facts(&self, caller: &Caller) -> Facts {
        let mut facts = Facts::new();
        let mut note = |kind, id: &Value, fact: Value| {
            assert!(facts.insert((kind, text(id)), fact).is_none(), "{kind} {id} is listed once");
        };
        let own = |item: &&Value| item["customerId"] == self.customer.as_str();
        for order in caller.all("/flexportal/v1/orders", "orders") {
            if order["customer"]["customerId"] == self.customer.as_str() {
                note("order", &order["orderId"], order["rentalProgress"]["rentedDevices"].clone());
            }
        }
        for rental in caller.all("/flexportal/v1/subscriptions", "rentals").iter().filter(own) {
            let fact = json!([rental["status"], rental["contractLength"], rental["assetSerialNumber"]]);
            note("rental", &rental["rentalId"], fact);
        }
        for payment in caller.all("/flexportal/v1/payments", "payments").iter().filter(own) {
            if payment["status"] == "paid" {
                note("paid", &payment["paymentId"], Value::Null);
            }
        }
        for group in caller.all("/flexportal/v1/billing-groups", "billingGroups").iter().filter(own) {
            note("group", &group["billingGroupId"], group["rentalIds"].clone());
        }
        let begins = |name: &Value| name.as_str().is_some_and(|name| name.starts_with(&self.mark()));
        for asset in caller.all("/flexportal/v1/assets", "assets") {
            if begins(&asset["serialNumber"]) {
                note("device", &asset["serialNumber"], asset["status"].clone());
            }
        }
        for product in caller.all("/flexportal/v1/products", "products") {
            if begins(&product["productSku"]) {
                let whole = caller.get(&format!("/flexportal/v1/products/{}", text(&product["productId"])));
                note("product", &product["productSku"], json!(whole["variants"].as_array().map(Vec::len)));
            }
        }
        for customer in caller.all("/flexportal/v1/customers", "customers") {
            if begins(&customer["email"]) {
                note("newcomer", &customer["email"], customer["totalOrders"].clone());
            }
        }
        let path = format!("/jani/api/v1/customers/{}", self.customer);
        note("customer", &json!(self.customer), caller.get(&path)["custom_data"].clone());
        for (kind, list, fact) in [("address", "addresses", "city"), ("business", "businesses", "name")] {
            let listed = caller.get(&format!("{path}/{list}?limit=100"));
            let items = listed["data"].as_array().or(listed["addresses"].as_array());
            items.expect("a list").iter().for_each(|item| note(kind, &item["id"], item[fact].clone()));
        }
        facts
    }

    /// What the names that it makes up begin with.
    fn mark(&self) -> String {
        format!("w{}-", self.number)
    }

    /// Writes until a request gets no reply; gives that request if it is one for a change.
    fn write_until_cut_off(&mut self, connection: &mut Connection) -> Option<Request> {
        loop {
            let request = self.think_of_one(connection).ok()?;
            let Ok(reply) = send(connection, &request) else { return Some(request) };
            assert!(reply.status < 300, "{request:?}: {} {}", reply.status, reply.text());
            assert_eq!(reply.header("idempotent-replayed"), None, "{request:?} was never sent before");
            self.note(&request.wish, made(&reply));
        }
    }

    fn ids(&self, wanted: &str, is_so: impl Fn(&Value) -> bool) -> Vec<String> {
        let found = self.facts.iter().filter(|((kind, _), fact)| *kind == wanted && is_so(fact));
        found.map(|((_, id), _)| id.clone()).collect()
    }

    fn one(&mut self, wanted: &str, is_so: impl Fn(&Value) -> bool) -> Option<String> {
        let ids = self.ids(wanted, is_so);
        (!ids.is_empty()).then(|| ids[self.dice.below(ids.len() as u64) as usize].clone())
    }

    fn wish(&mut self, connection: &mut Connection) -> io::Result<Option<Wish>> {
        let name = format!("{}{}", self.mark(), self.requests);
        let active = |rental: &Value| rental[0] == "active";
        Ok(match self.dice.below(22) {
            0 => Some(Wish::Order),
            1 => Some(Wish::Newcomer(format!("{name}@example.com"))),
            2 => Some(Wish::Product(name)),
            3..=5 => Some(Wish::Device(name)),
            6..=9 => {
                let (order, serial) = (self.one("order", |_| true), self.one("device", |status| status == "available"));
                order.zip(serial).map(|(order, serial)| Wish::Rent { order, serial })
            }
            10 => self.one("rental", |rental| active(rental) && rental[1].as_u64() < Some(9)).map(Wish::Extend),
            11 | 12 => {
                let (rental, serial) = (self.one("rental", active), self.one("device", |status| status == "available"));
                rental.zip(serial).map(|(rental, serial)| Wish::Replace { rental, serial })
            }
            13 => {
                let how = &ENDS[self.dice.below(ENDS.len() as u64) as usize];
                self.one("rental", active).map(|rental| Wish::End(rental, how))
            }
            14 | 15 => {
                let path = format!("/flexportal/v1/payments?customerId={}&status=pending&limit=1", self.customer);
                let reply = connection.send("GET", &path, &[("tenant-id", UNIT)], "")?;
                let payment = &read(&reply)["payments"][0]["paymentId"];
                payment.as_str().map(|id| Wish::Pay(id.to_owned()))
            }
            16 | 17 => {
                let mut rentals = self.ids("rental", active);
                rentals.truncate(self.dice.between(1, 4) as usize);
                let group = self.one("group", |_| true);
                (!rentals.is_empty()).then_some(Wish::Group(group, rentals))
            }
            18 => self.one("group", |_| true).map(Wish::Ungroup),
            19 => Some(if self.dice.below(2) == 0 { Wish::Address } else { Wish::Business }),
            20 => self.one("address", |_| true).map(|address| Wish::Move(address, name)),
            _ => Some(Wish::Plan(self.requests)),
        })
    }

    fn think_of_one(&mut self, connection: &mut Connection) -> io::Result<Request> {
        self.requests += 1;
        let wish = self.wish(connection)?.unwrap_or(Wish::Plan(self.requests));
        let unit = "/flexportal/v1";
        let jani = format!("/jani/api/v1/customers/{}", self.customer);
        let of = |rental: &String, verb: &str| format!("{unit}/subscriptions/{rental}/{verb}");
        let (method, path, body) = match &wish {
            Wish::Order => {
                ("POST", format!("{unit}/orders"), self.order(&format!("Writer{}@example.com", self.number)))
            }
            Wish::Newcomer(email) => ("POST", format!("{unit}/orders"), self.order(email)),
            Wish::Product(sku) => {
                let price = json!([{"contractLength": 4, "monthlyPrice": 50}]);
                let variant = |of: &str| json!({"variantSku": format!("{sku}{of}"), "variantName": of, "grade": of, "pricing": price});
                let product = json!({
                    "productSku": sku, "name": "Pad", "specification": "11", "category": "Tablets", "brand": "Acme",
                    "variants": [variant("A"), variant("B")],
                });
                ("POST", format!("{unit}/products"), product)
            }
            Wish::Device(serial) => ("POST", format!("{unit}/assets"), json!({"serialNumber": serial, "sku": "NB-A"})),
            Wish::Rent { order, serial } => {
                let body = json!({"orderId": order, "assetSerialNumber": serial, "customerId": self.customer});
                ("POST", format!("{unit}/subscriptions"), body)
            }
            Wish::Extend(rental) => {
                ("POST", of(rental, "extend"), json!({"extensionMonths": 1, "newMonthlyAmount": 77}))
            }
            Wish::Replace { rental, serial } => {
                let body = json!({"newSerialNumber": serial, "replacementReason": "damaged"});
                ("POST", of(rental, "replace"), body)
            }
            Wish::End(rental, [verb, ..]) => ("POST", of(rental, verb), json!({"reason": "other"})),
            Wish::Pay(payment) => ("POST", format!("{unit}/payments/{payment}/mark-paid"), json!({"notes": "cash"})),
            Wish::Group(None, rentals) => {
                let body =
                    json!({"customerId": self.customer, "groupName": "G", "billingDay": 15, "rentalIds": rentals});
                ("POST", format!("{unit}/billing-groups"), body)
            }
            Wish::Group(Some(group), rentals) => {
                ("PATCH", format!("{unit}/billing-groups/{group}"), json!({"rentalIds": rentals}))
            }
            Wish::Ungroup(group) => ("DELETE", format!("{unit}/billing-groups/{group}"), Value::Null),
            Wish::Address => {
                ("POST", format!("{jani}/addresses"), json!({"region": "R", "city": "C", "country": "TZ"}))
            }
            Wish::Business => ("POST", format!("{jani}/businesses"), json!({"name": "Traders"})),
            Wish::Move(address, city) => ("PATCH", format!("{jani}/addresses/{address}"), json!({"city": city})),
            Wish::Plan(plan) => ("PATCH", jani, json!({"custom_data": {"plan": plan}})),
        };
        let key = (self.dice.below(2) == 0).then(|| format!("key-{}-{}", self.number, self.requests));
        Ok(Request { wish, method, path, body, key })
    }

    /// An order that is no other one asked for again: no other one is of so many units.
    fn order(&self, email: &str) -> Value {
        let address = json!({"contactName": "J", "streetAddress": "Main 1", "city": "Utrecht", "country": "NL"});
        json!({
            "customer": {"email": email, "firstName": "Jenny", "lastName": "Rosen"},
            "billingAddress": address,
            "items": [{"sku": "NB-A", "quantity": UNITS as u64 + self.requests, "contractLength": 4}],
        })
    }

    /// Takes note of what happened; `id` is that of what was made.
    fn note(&mut self, wish: &Wish, id: Option<String>) {
        let id = || id.clone().expect("what is made has an id");
        match wish {
            Wish::Order => self.set("order", &id(), json!(0)),
            Wish::Newcomer(email) => self.set("newcomer", email, json!(1)),
            Wish::Product(sku) => self.set("product", sku, json!(2)),
            Wish::Device(serial) => self.set("device", serial, json!("available")),
            Wish::Rent { order, serial } => {
                self.set("rental", &id(), json!(["active", 4, serial]));
                self.set("device", serial, json!("rented_out"));
                let rented = self.get("order", order).as_u64().expect("a count");
                self.set("order", order, json!(rented + 1));
            }
            Wish::Extend(rental) => {
                let [status, months, serial] = self.rental(rental);
                self.set("rental", rental, json!([status, months.as_u64().map(|months| months + 1), serial]));
            }
            Wish::Replace { rental, serial } => {
                let [status, months, old] = self.rental(rental);
                self.set("rental", rental, json!([status, months, serial]));
                self.set("device", &text(&old), json!("returned"));
                self.set("device", serial, json!("rented_out"));
            }
            Wish::End(rental, [_, status, becomes]) => {
                let [_, months, serial] = self.rental(rental);
                self.set("rental", rental, json!([status, months, serial]));
                self.set("device", &text(&serial), json!(becomes));
            }
            Wish::Pay(payment) => self.set("paid", payment, Value::Null),
            Wish::Group(None, rentals) => self.set("group", &id(), json!(rentals)),
            Wish::Group(Some(group), rentals) => self.set("group", group, json!(rentals)),
            Wish::Ungroup(group) => drop(self.facts.remove(&("group", group.clone()))),
            Wish::Address => self.set("address", &id(), json!("C")),
            Wish::Business => self.set("business", &id(), json!("Traders")),
            Wish::Move(address, city) => self.set("address", address, json!(city)),
            Wish::Plan(plan) => self.set("customer", &self.customer.clone(), json!({"plan": plan})),
        }
    }

    fn set(&mut self, kind: &'static str, id: &str, fact: Value) {
        self.facts.insert((kind, id.to_owned()), fact);
    }

    fn get(&self, kind: &'static str, id: &str) -> &Value {
        &self.facts[&(kind, id.to_owned())]
    }

    fn rental(&self, id: &str) -> [Value; 3] {
        let known = self.get("rental", id).as_array().expect("what is known of a rental").clone();
        known.try_into().expect("three things are known of it")
    }

    /// Finds out whether a request happened that no reply came to, and sends it again where that can be done. What happened is
    /// whole: nothing else is another one than before.
    fn settle(&mut self, caller: &Caller, request: &Request) -> bool {
        let now = self.facts(caller);
        let happened = now != self.facts;
        match &request.key {
            Some(key) => {
                let body = Some(&request.body).filter(|body| !body.is_null());
                let keyed = [("Idempotency-Key", key.as_str())];
                let body = body.map(Value::to_string).unwrap_or_default();
                let again = caller.send(request.method, &request.path, "application/json", &body, &keyed);
                assert!(again.status < 300, "{request:?}: {}", again.text());
                let replayed = again.header("idempotent-replayed") == Some("true");
                // A group that is given the rentals that it has is not another one.
                if !matches!(request.wish, Wish::Group(Some(_), _)) {
                    assert_eq!(replayed, happened, "the reply is kept if and only if it is done: {request:?}");
                }
                self.note(&request.wish, made(&again));
            }
            None if happened => {
                let new = now.keys().find(|thing| !self.facts.contains_key(*thing) && thing.0 != "device");
                self.note(&request.wish, new.map(|(_, id)| id.clone()));
            }
            None => {}
        }
        assert_eq!(self.facts(caller), self.facts, "half done or lost: {request:?}");
        happened
    }
}

fn send(connection: &mut Connection, request: &Request) -> io::Result<Reply> {
    let mut headers = vec![("tenant-id", UNIT)];
    headers.extend(request.key.iter().map(|key| ("idempotency-key", key.as_str())));
    let body = if request.body.is_null() { String::new() } else { request.body.to_string() };
    connection.send_as("application/json", request.method, &request.path, &headers, &body)
}

/// The id of what a reply says was made.
fn made(reply: &Reply) -> Option<String> {
    let answer = read(reply);
    let group = &answer["billingGroup"]["billingGroupId"];
    let ids = [&answer["rentalId"], &answer["orderId"], &answer["id"], group];
    ids.into_iter().find_map(|id| id.as_str().map(str::to_owned))
}
