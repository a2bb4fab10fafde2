//! Rentals with what they change: races for a device and for a payment, on one server and on two; and random histories after
//! which totals, devices, payments and groups are counted again from nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::{slice, thread};

use serde_json::{Value, json};

use crate::dice::Dice;
use crate::fleet::Peer;
use crate::harness::{Keeping, Server, in_every_store};
use crate::http::{self, Reply};
use crate::listener::{Listener, Told};
use crate::postgres::Database;

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

/// A caller of FlexPortal's API.
#[derive(Clone)]
struct Caller(SocketAddr);

impl Caller {
    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Reply {
        let mut headers = vec![
            ("Authorization".to_owned(), format!("Bearer sk_test_{UNIT}")),
            ("Tenant-ID".to_owned(), UNIT.to_owned()),
        ];
        let body = body.map(Value::to_string).unwrap_or_default();
        if !body.is_empty() {
            headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
        }
        http::send(self.0, method, path, &headers, body.as_bytes()).expect("the server answers")
    }

    fn post(&self, path: &str, body: &Value) -> Reply {
        self.ask("POST", path, Some(body))
    }

    #[track_caller]
    fn done(&self, path: &str, body: &Value) -> Value {
        let reply = self.post(path, body);
        assert!(reply.status < 300, "{path} {body}: {} {}", reply.status, reply.text());
        read(&reply)
    }

    #[track_caller]
    fn get(&self, path: &str) -> Value {
        let reply = self.ask("GET", path, None);
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        read(&reply)
    }

    /// Every item of a list.
    fn all(&self, path: &str, key: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut after = String::new();
        loop {
            let page = self.get(&format!("{path}?limit=100{after}"));
            items.extend(page[key].as_array().expect("a list").iter().cloned());
            match page["nextCursor"].as_str() {
                Some(next) => after = format!("&startAfter={next}"),
                None => return items,
            }
        }
    }

    /// Makes a product of one variant and so many devices of it, `SN-0` and on.
    fn stock(&self, devices: usize) {
        let variant = json!({
            "variantSku": "NB-A", "variantName": "A", "grade": "A", "listPrice": 1420, "acquisitionCost": 1800,
            "pricing": [{"contractLength": 4, "monthlyPrice": 129}, {"contractLength": 7, "monthlyPrice": 99.5}],
        });
        let product = json!({
            "productSku": "NB", "name": "Notebook", "specification": "16", "category": "Laptops", "brand": "Acme",
            "variants": [variant],
        });
        self.done("/flexportal/v1/products", &product);
        for device in 0..devices {
            self.done("/flexportal/v1/assets", &json!({"serialNumber": format!("SN-{device}"), "sku": "NB-A"}));
        }
    }

    /// Orders so many units; gives the ids of the order and of its customer.
    fn order(&self, email: &str, quantity: usize, months: u32) -> (String, String) {
        let address =
            json!({"contactName": "J", "streetAddress": "Main 1", "city": "Utrecht", "country": "Netherlands"});
        let order = json!({
            "customer": {"email": email, "firstName": "Jenny", "lastName": "Rosen"},
            "billingAddress": address,
            "items": [{"sku": "NB-A", "quantity": quantity, "contractLength": months}],
        });
        let placed = self.done("/flexportal/v1/orders", &order);
        (text(&placed["orderId"]), text(&placed["order"]["customer"]["customerId"]))
    }
}

fn read(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).expect("replies are JSON")
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

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
    device_race(&[Caller(server.address())]);
}

#[test]
fn a_device_is_rented_once_by_two_servers() {
    let database = Database::fresh();
    let peers = Peer::pair(&database);
    device_race(&[Caller(peers[0].address()), Caller(peers[1].address())]);
}

fn events_have_the_words_of_the_page(keeping: &Keeping) {
    let server = Server::start(keeping);
    let caller = Caller(server.address());
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
    payment_race(&[Caller(server.address())]);
}

#[test]
fn a_payment_is_paid_once_by_two_servers() {
    let database = Database::fresh();
    let peers = Peer::pair(&database);
    payment_race(&[Caller(peers[0].address()), Caller(peers[1].address())]);
}

fn the_last_unit_of_an_order_is_rented_once(keeping: &Keeping) {
    let server = Server::start(keeping);
    let caller = Caller(server.address());
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

/// Months of rentals that somebody gave up by hand, by the rental.
type GivenUp = BTreeMap<String, BTreeSet<String>>;

fn random_histories_add_up(keeping: &Keeping) {
    let mut dice = Dice::of_the_run("CUSP_RENTALS_SEED");
    let server = Server::start(keeping);
    let caller = Caller(server.address());
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

fn is_month(payment: &Value) -> bool {
    text(&payment["idempotencyKey"]).ends_with(payment["billingPeriod"].as_str().expect("a month"))
}

/// An amount in hundredths.
fn cents(value: &Value) -> i64 {
    (value.as_f64().expect("a number") * 100.0).round() as i64
}

/// Counts everything again from nothing.
#[track_caller]
fn check(caller: &Caller, given_up: &GivenUp) {
    let rentals = caller.all("/flexportal/v1/subscriptions", "rentals");
    let payments = caller.all("/flexportal/v1/payments", "payments");
    let billed: Vec<&Value> = payments.iter().filter(|payment| payment["status"] != "cancelled").collect();
    let keys: BTreeSet<&str> = payments.iter().filter_map(|payment| payment["idempotencyKey"].as_str()).collect();
    assert_eq!(keys.len(), payments.len(), "no two payments share a key");

    for rental in &rentals {
        let lines: Vec<(&Value, &Value)> = billed
            .iter()
            .flat_map(|payment| {
                payment["lineItems"].as_array().expect("lines").iter().map(move |line| (*payment, line))
            })
            .filter(|(_, line)| line["rentalId"] == rental["rentalId"])
            .collect();
        let paid = lines.iter().filter(|(payment, _)| payment["status"] == "paid");
        let collected: i64 = paid.map(|(_, line)| cents(&line["amount"])).sum();
        assert_eq!(cents(&rental["totalCollected"]), collected, "{rental}");
        let months: Vec<String> = lines
            .iter()
            .filter(|(payment, _)| is_month(payment))
            .map(|(payment, _)| text(&payment["billingPeriod"]))
            .collect();
        let each: BTreeSet<&String> = months.iter().collect();
        assert_eq!(each.len(), months.len(), "each month is billed once: {rental} {months:?}");
        if rental["status"] == "active" {
            let by_hand = given_up.get(rental["rentalId"].as_str().expect("an id")).map_or(0, BTreeSet::len);
            assert_eq!(rental["contractLength"], months.len() + by_hand, "every month is billed: {rental} {months:?}");
            let asset = caller.get(&format!("/flexportal/v1/assets/{}", text(&rental["assetSerialNumber"])));
            assert_eq!((&asset["status"], &asset["rentalId"]), (&json!("rented_out"), &rental["rentalId"]));
        }
    }

    for customer in caller.all("/flexportal/v1/customers", "customers") {
        let own: Vec<&Value> = rentals.iter().filter(|rental| rental["customerId"] == customer["customerId"]).collect();
        let active = own.iter().filter(|rental| rental["status"] == "active");
        let sums = active.fold((0, 0), |(count, sum), rental| (count + 1, sum + cents(&rental["monthlyAmount"])));
        let totals =
            (customer["totalDevicesRented"].as_i64().expect("a count"), cents(&customer["totalMonthlyRevenue"]));
        assert_eq!(totals, sums, "{customer}");
        let paid = payments.iter().filter(|payment| payment["status"] == "paid");
        let paid = paid.filter(|payment| payment["customerId"] == customer["customerId"]);
        let collected: i64 = paid.map(|payment| cents(&payment["subtotal"])).sum();
        assert_eq!(cents(&customer["lifetimeCollected"]), collected, "{customer}");
        let costs: Vec<i64> = own
            .iter()
            .filter(|rental| rental.get("acquisitionCost").is_some())
            .map(|rental| cents(&rental["acquisitionCost"]))
            .collect();
        assert_eq!(customer["subscriptionsTracked"], costs.len());
        assert_eq!(cents(&customer["totalAcquisitionCost"]), costs.iter().sum::<i64>());
        let listed: BTreeSet<String> = customer["rentalIds"].as_array().expect("ids").iter().map(text).collect();
        assert_eq!(listed, own.iter().map(|rental| text(&rental["rentalId"])).collect());
    }

    for group in caller.all("/flexportal/v1/billing-groups", "billingGroups") {
        let ids: Vec<&Value> = group["rentalIds"].as_array().expect("ids").iter().collect();
        let members = rentals.iter().filter(|rental| ids.contains(&&rental["rentalId"]));
        let active: Vec<&Value> = members.filter(|rental| rental["status"] == "active").collect();
        let sum: i64 = active.iter().map(|rental| cents(&rental["monthlyAmount"])).sum();
        assert_eq!((cents(&group["totalMonthlyAmount"]), &group["activeRentalCount"]), (sum, &json!(active.len())));
        for rental in &active {
            assert_eq!(rental["billingGroupId"], group["billingGroupId"]);
        }
    }
}
