//! Rentals with what they change: races for a device and for a payment, on one server and on two; and random histories after
//! which totals, devices, payments and groups are counted again from nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::{slice, thread};

use serde_json::{Value, json};

use crate::dice::Dice;
use crate::fleet::Peer;
use crate::harness::{Keeping, Server, in_every_store};
use crate::http::Reply;
use crate::listener::{Listener, Told};
use crate::postgres::Database;
use crate::rented::{Caller, GivenUp, check, is_month, read, text};

in_every_store! {
    a_device_is_rented_once,
    a_payment_is_paid_once,
    the_last_unit_of_an_order_is_rented_once,
    random_histories_add_up,
    events_have_the_words_of_the_page,
}

const CALLERS: usize = 6;
const ROUNDS: usize = 3;
/// How many steps a random history has.
const STEPS: usize = 70;
const UNIT: &str = "renting";

fn code(reply: &Reply) -> String {
    text(&read(reply)["error"]["code"])
}

/// Runs `ask` at the same time for several callers, of whom each has a server.
fn at_once<T: Send>(servers: &[Caller], ask: impl Fn(&Caller, usize) -> T + Sync) -> Vec<T> {
    thread::scope(|scope| {
        let asking: Vec<_> = (0..CALLERS)
            .map(|number| {
                let (caller, ask) = (&servers[number % servers.len()], &ask);
                scope.spawn(move || ask(caller, number))
            })
            .collect();
        asking.into_iter().map(|asking| asking.join().expect("a caller ends without panic")).collect()
    })
}

/// One of them was let through, all others were told this.
#[track_caller]
fn one_through(replies: &[Reply], status: u16, codes: &[&str]) {
    let (through, refused): (Vec<&Reply>, Vec<&Reply>) = replies.iter().partition(|reply| reply.status == status);
    assert_eq!(through.len(), 1, "{:?}", replies.iter().map(Reply::text).collect::<Vec<_>>());
    for reply in refused {
        assert!(codes.contains(&code(reply).as_str()), "{}", reply.text());
    }
}

fn device_race(servers: &[Caller]) {
    let caller = &servers[0];
    caller.stock(ROUNDS);
    for round in 0..ROUNDS {
        let orders: Vec<(String, String)> =
            (0..CALLERS).map(|number| caller.order(&format!("r{round}n{number}@example.com"), 1, 4)).collect();
        let replies = at_once(servers, |caller, number| {
            let (order, customer) = &orders[number];
            let serial = format!("SN-{round}");
            let body = json!({"orderId": order, "assetSerialNumber": serial, "customerId": customer});
            caller.post("/flexportal/v1/subscriptions", &body)
        });
        one_through(&replies, 201, &["ASSET_NOT_AVAILABLE"]);
        let rented = caller.get(&format!("/flexportal/v1/subscriptions?serialNumber=SN-{round}"));
        assert_eq!(rented["count"], 1);
        let asset = caller.get(&format!("/flexportal/v1/assets/SN-{round}"));
        assert_eq!(asset["rentalId"], rented["rentals"][0]["rentalId"]);
    }
    check(caller, &BTreeMap::new());
}

fn a_device_is_rented_once(keeping: &Keeping) {
    let server = Server::start(keeping);
    device_race(&[Caller::new(server.address(), UNIT)]);
}

#[test]
fn a_device_is_rented_once_by_two_servers() {
    let database = Database::fresh();
    let peers = Peer::pair(&database);
    device_race(&[Caller::new(peers[0].address(), UNIT), Caller::new(peers[1].address(), UNIT)]);
}

fn events_have_the_words_of_the_page(keeping: &Keeping) {
    let server = Server::start(keeping);
    let caller = Caller::new(server.address(), UNIT);
    caller.stock(1);
    let (order, customer) = caller.order("jenny@example.com", 1, 4);
    let mut listener = Listener::open(server.address(), &format!("sk_test_{UNIT}"), "heartbeat=1", &[]);
    let mut names =
        |count: usize| -> BTreeSet<String> { (0..count).map(|_| text(&event(&mut listener)["event"])).collect() };
    let words = |words: &[&str]| -> BTreeSet<String> { words.iter().map(|word| (*word).to_owned()).collect() };

    let body = json!({"orderId": order, "assetSerialNumber": "SN-0", "customerId": customer});
    let rental = text(&caller.done("/flexportal/v1/subscriptions", &body)["rentalId"]);
    let rented = ["subscription.created", "asset.assigned", "order.fulfilled", "payment.scheduled"];
    assert_eq!(names(3 + 4), words(&rented));

    let path = format!("/flexportal/v1/subscriptions/{rental}/early-return");
    caller.done(&path, &json!({"earlyReturnFee": 0}));
    assert_eq!(names(2 + 4), words(&["subscription.ended", "asset.returned", "payment.cancelled"]));
}

/// The next event, whatever the stream calls it.
fn event(listener: &mut Listener) -> Value {
    loop {
        match listener.hear().expect("the stream goes on") {
            Told::Event(_, _, data) => return data,
            Told::Comment(_) => {}
            Told::End => panic!("the stream ended"),
        }
    }
}

fn payment_race(servers: &[Caller]) {
    let caller = &servers[0];
    caller.stock(1);
    let (order, customer) = caller.order("jenny@example.com", 1, 4);
    let body = json!({"orderId": order, "assetSerialNumber": "SN-0", "customerId": customer});
    caller.done("/flexportal/v1/subscriptions", &body);
    let payments = caller.all("/flexportal/v1/payments", "payments");
    for payment in payments.iter().take(ROUNDS) {
        let path = format!("/flexportal/v1/payments/{}", text(&payment["paymentId"]));
        let replies = at_once(servers, |caller, _| caller.post(&format!("{path}/mark-paid"), &json!({})));
        one_through(&replies, 200, &["ALREADY_PAID"]);
    }
    let totals = caller.get(&format!("/flexportal/v1/customers/{customer}"));
    assert_eq!(totals["lifetimeCollected"].as_f64(), Some(129.0 * ROUNDS as f64));
    check(caller, &BTreeMap::new());
}

fn a_payment_is_paid_once(keeping: &Keeping) {
    let server = Server::start(keeping);
    payment_race(&[Caller::new(server.address(), UNIT)]);
}

#[test]
fn a_payment_is_paid_once_by_two_servers() {
    let database = Database::fresh();
    let peers = Peer::pair(&database);
    payment_race(&[Caller::new(peers[0].address(), UNIT), Caller::new(peers[1].address(), UNIT)]);
}

fn the_last_unit_of_an_order_is_rented_once(keeping: &Keeping) {
    let server = Server::start(keeping);
    let caller = Caller::new(server.address(), UNIT);
    caller.stock(CALLERS);
    let (order, customer) = caller.order("jenny@example.com", 1, 4);
    let replies = at_once(slice::from_ref(&caller), |caller, number| {
        let serial = format!("SN-{number}");
        let body = json!({"orderId": order, "assetSerialNumber": serial, "customerId": customer});
        caller.post("/flexportal/v1/subscriptions", &body)
    });
    one_through(&replies, 201, &["ITEM_FULLY_FULFILLED"]);
    let available = caller.get("/flexportal/v1/assets?status=available");
    assert_eq!(available["count"], CALLERS - 1, "nobody else took a device");
    check(&caller, &BTreeMap::new());
}

fn random_histories_add_up(keeping: &Keeping) {
    let mut dice = Dice::of_the_run("CUSP_RENTALS_SEED");
    let server = Server::start(keeping);
    let caller = Caller::new(server.address(), UNIT);
    caller.stock(60);
    let mut history = History { caller: caller.clone(), given_up: GivenUp::new(), orders: Vec::new() };
    for step in 0..STEPS {
        if dice.below(6) == 0 {
            server.advance(dice.between(1, 40) as i64 * 86_400_000);
        }
        history.step(&mut dice);
        if step % 10 == 9 {
            check(&caller, &history.given_up);
        }
    }
}

struct History {
    caller: Caller,
    given_up: GivenUp,
    /// Id of the order, id of the customer.
    orders: Vec<(String, String)>,
}

impl History {
    fn step(&mut self, dice: &mut Dice) {
        match dice.below(14) {
            0 => self.order(dice),
            1..=4 => self.rent(dice),
            5 => {
                self.act(dice, "extend", |dice| json!({"extensionMonths": dice.between(1, 3), "newMonthlyAmount": 77}))
            }
            6 => {
                let ways: [(&str, Value); 4] = [
                    ("buyout", json!({"reason": "other"})),
                    ("early-return", json!({"reason": "moving"})),
                    ("early-return", json!({"waiveFee": true})),
                    ("cancel", json!({"reason": "other"})),
                ];
                let (verb, body) = ways[dice.below(4) as usize].clone();
                self.act(dice, verb, move |_| body.clone());
            }
            7 => {
                let serial = self.next_device();
                self.act(dice, "replace", |_| json!({"newSerialNumber": serial, "replacementReason": "damaged"}));
            }
            8 => self.act(dice, "upgrade", |_| json!({"newSku": "NB-A", "newContractLength": 7})),
            9 | 10 => self.pay(dice),
            11 => self.give_up(dice),
            _ => self.regroup(dice),
        }
    }

    fn next_device(&self) -> String {
        let available = self.caller.get("/flexportal/v1/assets?status=available&limit=1");
        text(&available["assets"][0]["serialNumber"])
    }

    fn order(&mut self, dice: &mut Dice) {
        let email = format!("c{}@example.com", dice.below(2));
        let months = if dice.below(2) == 0 { 4 } else { 7 };
        let order = self.caller.order(&email, dice.between(1, 4) as usize, months);
        if !self.orders.contains(&order) {
            self.orders.push(order);
        }
    }

    fn rent(&mut self, dice: &mut Dice) {
        if self.orders.is_empty() {
            self.order(dice);
        }
        let (order, customer) = self.orders[dice.below(self.orders.len() as u64) as usize].clone();
        let mut body = json!({"orderId": order, "assetSerialNumber": self.next_device(), "customerId": customer});
        let groups = self.caller.all("/flexportal/v1/billing-groups", "billingGroups");
        if let Some(group) = groups.iter().find(|group| group["customerId"] == customer.as_str() && dice.below(2) == 0)
        {
            body["billingGroupId"] = group["billingGroupId"].clone();
        }
        let reply = self.caller.post("/flexportal/v1/subscriptions", &body);
        assert!(reply.status == 201 || code(&reply) == "ITEM_FULLY_FULFILLED", "{}", reply.text());
    }

    fn rentals(&self) -> Vec<Value> {
        self.caller.all("/flexportal/v1/subscriptions", "rentals")
    }

    fn act(&mut self, dice: &mut Dice, verb: &str, body: impl FnOnce(&mut Dice) -> Value) {
        let rentals = self.rentals();
        if rentals.is_empty() {
            return;
        }
        let rental = &rentals[dice.below(rentals.len() as u64) as usize];
        let body = body(dice);
        let path = format!("/flexportal/v1/subscriptions/{}/{verb}", text(&rental["rentalId"]));
        let reply = self.caller.post(&path, &body);
        let active = rental["status"] == "active";
        let may_refuse = !active || verb == "upgrade" || verb == "replace";
        assert!(reply.status == 200 || (may_refuse && reply.status == 400), "{path}: {}", reply.text());
        assert!(active || reply.status == 400, "{path}: {}", reply.text());
    }

    fn open_payment(&self, dice: &mut Dice) -> Option<Value> {
        let payments = self.caller.all("/flexportal/v1/payments", "payments");
        let open: Vec<&Value> = payments.iter().filter(|payment| payment["status"] == "pending").collect();
        (!open.is_empty()).then(|| open[dice.below(open.len() as u64) as usize].clone())
    }

    fn pay(&mut self, dice: &mut Dice) {
        if let Some(payment) = self.open_payment(dice) {
            let path = format!("/flexportal/v1/payments/{}/mark-paid", text(&payment["paymentId"]));
            self.caller.done(&path, &json!({}));
        }
    }

    fn give_up(&mut self, dice: &mut Dice) {
        let Some(payment) = self.open_payment(dice) else { return };
        let path = format!("/flexportal/v1/payments/{}/cancel", text(&payment["paymentId"]));
        self.caller.done(&path, &json!({"reason": "by hand"}));
        if is_month(&payment) {
            for line in payment["lineItems"].as_array().expect("lines") {
                let months = self.given_up.entry(text(&line["rentalId"])).or_default();
                months.insert(text(&payment["billingPeriod"]));
            }
        }
    }

    fn regroup(&mut self, dice: &mut Dice) {
        let Some((_, customer)) = self.orders.first().cloned() else { return };
        let rentals = self.rentals();
        let active = rentals.iter().filter(|rental| rental["status"] == "active");
        let own = active.filter(|rental| rental["customerId"] == customer.as_str());
        let chosen: Vec<Value> = own.filter(|_| dice.below(2) == 0).map(|rental| rental["rentalId"].clone()).collect();
        let groups = self.caller.all("/flexportal/v1/billing-groups", "billingGroups");
        let day = dice.between(1, 28);
        match groups.iter().find(|group| group["customerId"] == customer.as_str()) {
            Some(group) if dice.below(3) > 0 => {
                let path = format!("/flexportal/v1/billing-groups/{}", text(&group["billingGroupId"]));
                let reply = match dice.below(4) {
                    0 => self.caller.ask("DELETE", &path, None),
                    1 => self.caller.ask("PATCH", &path, Some(&json!({"billingDay": day}))),
                    2 => {
                        let status = if dice.below(2) == 0 { "inactive" } else { "active" };
                        self.caller.ask("PATCH", &path, Some(&json!({"status": status})))
                    }
                    _ => self.caller.ask("PATCH", &path, Some(&json!({"rentalIds": chosen, "billingDay": day}))),
                };
                assert_eq!(reply.status, 200, "{}", reply.text());
            }
            _ if chosen.is_empty() => {}
            _ => {
                let body = json!({"customerId": customer, "groupName": "G", "billingDay": day, "rentalIds": chosen});
                self.caller.done("/flexportal/v1/billing-groups", &body);
            }
        }
    }
}
