//! What is rented, as callers of FlexPortal's API see it, and whether it adds up: tests of rentals under load ask here
//! whether all is well with them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::http::{self, Reply};

/// A caller of FlexPortal's API.
#[derive(Clone)]
pub struct Caller {
    address: SocketAddr,
    unit: String,
}

impl Caller {
    /// A caller of the business unit that is the sandbox of that name.
    pub fn new(address: SocketAddr, unit: &str) -> Caller {
        Caller { address, unit: unit.to_owned() }
    }

    /// The reply to a request with a body of that media type and more headers.
    pub fn send(&self, method: &str, path: &str, media: &str, body: &str, more: &[(&str, &str)]) -> Reply {
        let mut headers = vec![
            ("Authorization".to_owned(), format!("Bearer sk_test_{}", self.unit)),
            ("Tenant-ID".to_owned(), self.unit.clone()),
        ];
        if !body.is_empty() {
            headers.push(("Content-Type".to_owned(), media.to_owned()));
        }
        headers.extend(more.iter().map(|(name, value)| (name.to_string(), value.to_string())));
        http::send(self.address, method, path, &headers, body.as_bytes()).expect("the server answers")
    }

    /// The reply to a request.
    pub fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Reply {
        self.send(method, path, "application/json", &body.map(Value::to_string).unwrap_or_default(), &[])
    }

    /// The reply to a POST.
    pub fn post(&self, path: &str, body: &Value) -> Reply {
        self.ask("POST", path, Some(body))
    }

    /// What a POST says that goes well.
    #[track_caller]
    pub fn done(&self, path: &str, body: &Value) -> Value {
        let reply = self.post(path, body);
        assert!(reply.status < 300, "{path} {body}: {} {}", reply.status, reply.text());
        read(&reply)
    }

    /// What is at a path.
    #[track_caller]
    pub fn get(&self, path: &str) -> Value {
        let reply = self.ask("GET", path, None);
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        read(&reply)
    }

    /// Every item of a list.
    pub fn all(&self, path: &str, key: &str) -> Vec<Value> {
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
    pub fn stock(&self, devices: usize) {
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
    pub fn order(&self, email: &str, quantity: usize, months: u32) -> (String, String) {
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

/// The body of a reply.
#[track_caller]
pub fn read(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).expect("replies are JSON")
}

/// A text.
#[track_caller]
pub fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// Months of rentals that somebody gave up by hand, by the rental.
pub type GivenUp = BTreeMap<String, BTreeSet<String>>;

/// Whether a payment is for a month, not for the end of a rental.
pub fn is_month(payment: &Value) -> bool {
    text(&payment["idempotencyKey"]).ends_with(payment["billingPeriod"].as_str().expect("a month"))
}

/// An amount in hundredths.
fn cents(value: &Value) -> i64 {
    (value.as_f64().expect("a number") * 100.0).round() as i64
}

/// Counts everything again from nothing: what rentals brought in and are billed, devices, totals of customers, groups, orders.
#[track_caller]
pub fn check(caller: &Caller, given_up: &GivenUp) {
    let rentals = caller.all("/flexportal/v1/subscriptions", "rentals");
    let payments = caller.all("/flexportal/v1/payments", "payments");
    let billed: Vec<&Value> = payments.iter().filter(|payment| payment["status"] != "cancelled").collect();
    let keys: BTreeSet<&str> = billed.iter().filter_map(|payment| payment["idempotencyKey"].as_str()).collect();
    assert_eq!(keys.len(), billed.len(), "no two payments are for the same");

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

    let orders = caller.all("/flexportal/v1/orders", "orders");
    let mut fulfilled = BTreeSet::new();
    for order in &orders {
        let ids: Vec<String> = order["rentalIds"].as_array().expect("ids").iter().map(text).collect();
        assert_eq!(order["rentalProgress"]["rentedDevices"], ids.len(), "{order}");
        for id in ids {
            let rental = rentals.iter().find(|rental| rental["rentalId"] == id.as_str());
            assert_eq!(rental.expect("a rental of an order is there")["orderId"], order["orderId"], "{order}");
            assert!(fulfilled.insert(id), "a rental fulfils one order: {order}");
        }
    }
    for customer in caller.all("/flexportal/v1/customers", "customers") {
        let own = orders.iter().filter(|order| order["customer"]["customerId"] == customer["customerId"]);
        let own: BTreeSet<String> = own.map(|order| text(&order["orderId"])).collect();
        let listed: BTreeSet<String> = customer["orderIds"].as_array().expect("ids").iter().map(text).collect();
        assert_eq!((&listed, &customer["totalOrders"]), (&own, &json!(own.len())), "{customer}");
    }
    for asset in caller.all("/flexportal/v1/assets", "assets") {
        if let Some(id) = asset["rentalId"].as_str() {
            let of = rentals.iter().find(|rental| rental["rentalId"] == id).expect("a device is in a rental");
            assert_eq!(
                (&of["assetSerialNumber"], &of["status"]),
                (&asset["serialNumber"], &json!("active")),
                "{asset}"
            );
        }
    }
}
