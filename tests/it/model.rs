//! A long random history in three languages against a simple model of what a customer is: after every step the reply agrees
//! with the model, and every so often lists, searches, events and ledgers do too. `CUSP_SEED` repeats a run or starts another.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::cross::Language;
use crate::harness::{Keeping, Server, in_every_store};
use crate::http::Reply;
use crate::record_model::Facts;

in_every_store! {
    a_random_history_agrees_with_the_model,
}

const STEPS: usize = 1_500;
const LOOK_AROUND_EVERY: usize = 100;
const SEED: u64 = 0x5eed_c0de;

fn a_random_history_agrees_with_the_model(keeping: &Keeping) {
    let seed = std::env::var("CUSP_SEED").map_or(SEED, |seed| seed.parse().expect("CUSP_SEED is a number"));
    println!("CUSP_SEED={seed}");
    let mut run =
        Run { server: Server::start(keeping), dice: Dice(seed), model: Model::default(), replies: Vec::new() };
    for (coupon, more) in [(COUPONS[0], ""), (COUPONS[1], &format!("&max_redemptions={SCARCE}"))] {
        object(&run.send("POST", "/v1/coupons", &format!("id={coupon}&percent_off=10{more}"), false));
        run.model.events.push(("coupon.created".into(), coupon.into()));
    }
    for step in 1..=STEPS {
        run.step();
        if step % LOOK_AROUND_EVERY == 0 {
            run.look_around();
        }
        if step == STEPS / 2 {
            run.server.restart();
        }
    }
}

/// What the model knows of a customer, its version, and the movements of its balance.
#[derive(Clone, Debug)]
struct Known {
    facts: Facts,
    version: u64,
    moves: Vec<i64>,
}

#[derive(Default)]
struct Model {
    /// Oldest first.
    order: Vec<String>,
    live: BTreeMap<String, Known>,
    deleted: BTreeMap<String, u64>,
    /// How often each coupon was redeemed.
    redeemed: [usize; 2],
    /// Type and what it is about, oldest first.
    events: Vec<(String, String)>,
}

/// A request with an idempotency key, and its answer.
#[derive(Clone)]
struct Keyed {
    headers: Vec<(String, String)>,
    path: String,
    body: String,
    reply: Reply,
}

struct Run {
    server: Server,
    dice: Dice,
    model: Model,
    /// Requests with a key, and what they were answered.
    replies: Vec<Keyed>,
}

/// The account, which is a unit of the same name in FlexPortal's words.
const ACCOUNT: &str = "model";
const NAMES: [&str; 4] = ["Jenny Rosen", "ÄRGER & Söhne", "x", "Rosen"];
const EMAILS: [&str; 3] = ["jenny@example.com", "Jenny@Example.com", "ops@example.org"];
/// The second can be redeemed so often and no more.
const COUPONS: [&str; 2] = ["ALWAYS", "SCARCE"];
const SCARCE: usize = 20;
const KEYS: [&str; 3] = ["plan", "0", "order id"];

impl Run {
    fn step(&mut self) {
        self.server.advance(self.dice.below(3) as i64 * 700);
        match self.dice.below(30) {
            0..=4 => self.create(),
            5..=13 => self.update(),
            14 => self.move_balance(),
            15 => self.delete(),
            16 => self.update_with_condition(),
            17 => self.retry(),
            18 => self.refused(),
            19 | 20 => self.redeem(),
            21..=28 => self.update_in_another_language(),
            _ => self.retrieve(),
        }
    }

    fn create(&mut self) {
        let (body, changes) = self.change();
        let reply = self.send("POST", "/v1/customers", &body, true);
        let shown = object(&reply);
        let id = shown["id"].as_str().unwrap().to_owned();
        let mut known = Known { facts: Facts::blank(), version: 1, moves: Vec::new() };
        apply(&mut known, changes);
        self.model.order.push(id.clone());
        self.model.events.push(("customer.created".into(), id.clone()));
        agree(&known, &reply);
        self.model.live.insert(id, known);
    }

    fn update(&mut self) {
        let Some(id) = self.somebody() else { return };
        let (body, changes) = self.change();
        let reply = self.send("POST", &format!("/v1/customers/{id}"), &body, true);
        let known = self.model.live.get_mut(&id).unwrap();
        let before = known.facts.clone();
        apply(known, changes);
        if known.facts != before {
            known.version += 1;
            self.model.events.push(("customer.updated".into(), id));
        }
        agree(known, &reply);
    }

    fn update_with_condition(&mut self) {
        let Some(id) = self.somebody() else { return };
        let version = self.model.live[&id].version;
        let stale = self.dice.below(2) == 0;
        let tag = format!("\"{}\"", if stale { version + 1 } else { version });
        let name = format!("name=v{version}");
        let headers = [("If-Match".to_owned(), tag)];
        let reply = self.exchange("POST", &format!("/v1/customers/{id}"), &name, &headers);
        if stale {
            assert_eq!(reply.status, 412, "{}", reply.text());
            return;
        }
        let known = self.model.live.get_mut(&id).unwrap();
        let before = known.facts.shown.clone();
        known.facts.shown.insert("name".into(), json!(format!("v{version}")));
        known.facts.settle(&before);
        known.version += 1;
        agree(known, &reply);
        self.model.events.push(("customer.updated".into(), id));
    }

    /// Jani and FlexPortal want an e-mail address for one customer alone.
    fn update_in_another_language(&mut self) {
        let Some(id) = self.somebody() else { return };
        let by = [Language::Jani, Language::FlexPortal][self.dice.below(2)];
        let body = match by {
            Language::FlexPortal => self.change_of_flexportal(),
            Language::Jani | Language::Stripe => self.change_of_jani(),
        };
        let verb = if by == Language::Jani { "PATCH" } else { "PUT" };
        let reply = by.send(&self.server, ACCOUNT, verb, &by.path(&id), &body.to_string(), &[]);
        let email = body["email"].as_str().filter(|email| !self.model.live[&id].facts.has_email(email));
        let is_taken = |email: &str| self.model.live.values().any(|known| known.facts.has_email(email));
        if email.is_some_and(is_taken) {
            assert_eq!(reply.status, 409, "{by:?} {body}: {}", reply.text());
            return;
        }
        let known = self.model.live.get_mut(&id).unwrap();
        let before = known.facts.clone();
        match by {
            Language::FlexPortal => known.facts.by_flexportal(&body),
            Language::Jani | Language::Stripe => known.facts.by_jani(&body),
        }
        if known.facts != before {
            known.version += 1;
            self.model.events.push(("customer.updated".into(), id.clone()));
        }
        assert_eq!(reply.status, 200, "{by:?} {body}: {}", reply.text());
        self.agree_in_every_language(&id);
    }

    fn agree_in_every_language(&self, id: &str) {
        let known = &self.model.live[id];
        let wanted = [(Language::Jani, known.facts.in_jani()), (Language::FlexPortal, known.facts.in_flexportal())];
        for (by, wanted) in wanted {
            let reply = by.send(&self.server, ACCOUNT, "GET", &by.path(id), "", &[]);
            let shown = object(&reply);
            for (name, value) in wanted.as_object().unwrap() {
                let seen = match (&shown[name], value) {
                    // What is null in the model may be left out.
                    (Value::Object(members), Value::Object(wanted)) => {
                        let names = members.keys().chain(wanted.keys());
                        names.map(|name| (name.clone(), shown_of(members, name))).collect()
                    }
                    (other, _) => other.clone(),
                };
                assert_eq!(seen, *value, "{name} of {id} by {by:?}");
            }
            assert_eq!(reply.header("ETag"), Some(format!("\"{}\"", known.version).as_str()), "of {id} by {by:?}");
        }
        agree(known, &self.exchange("GET", &format!("/v1/customers/{id}"), "", &[]));
    }

    fn change_of_jani(&mut self) -> Value {
        let mut body = json!({});
        for _ in 0..self.dice.below(4) {
            let (name, value) = match self.dice.below(7) {
                0 => ("name", json!(NAMES[self.dice.below(NAMES.len())])),
                1 => ("email", json!(EMAILS[self.dice.below(EMAILS.len())])),
                2 => ("phone", [json!("+4930123456"), Value::Null][self.dice.below(2)].clone()),
                3 => ("status", json!(["active", "inactive", "suspended"][self.dice.below(3)])),
                4 => ("payment_method", [json!("momo_1"), Value::Null][self.dice.below(2)].clone()),
                5 => {
                    let all =
                        [json!({}), Value::Null, json!({"plan": "gold", "seats": 3}), json!({"plan": 5, "0": "x"})];
                    ("custom_data", all[self.dice.below(4)].clone())
                }
                _ => {
                    let all = [
                        json!({"city": "Lyon", "country": "FR"}),
                        json!({"city": "Oslo", "country": "NO"}),
                        Value::Null,
                    ];
                    ("address", all[self.dice.below(3)].clone())
                }
            };
            body[name] = value;
        }
        body
    }

    fn change_of_flexportal(&mut self) -> Value {
        let mut body = json!({});
        for _ in 0..self.dice.below(4) {
            let (name, value) = match self.dice.below(8) {
                0 => ("firstName", json!(["Jenny", "Ann Lee"][self.dice.below(2)])),
                1 => ("lastName", json!(["Rosen", "van Doe"][self.dice.below(2)])),
                2 => ("company", json!(["", "Acme"][self.dice.below(2)])),
                3 => ("phone", json!(["", "1"][self.dice.below(2)])),
                4 => ("email", json!(EMAILS[self.dice.below(EMAILS.len())])),
                5 => ("customerType", json!(["individual", "business"][self.dice.below(2)])),
                6 => ("status", json!(["active", "inactive"][self.dice.below(2)])),
                _ => {
                    let (city, country) = [("Lyon", "France"), ("Oslo", "Norway")][self.dice.below(2)];
                    let contact = ["Ann", "Bob"][self.dice.below(2)];
                    let mut address =
                        json!({"contactName": contact, "streetAddress": "1", "city": city, "country": country});
                    if self.dice.below(2) == 0 {
                        address["locality"] = json!("Centre");
                    }
                    ("billingAddress", address)
                }
            };
            body[name] = value;
        }
        body
    }

    fn move_balance(&mut self) {
        let Some(id) = self.somebody() else { return };
        let amount = self.dice.below(2001) as i64 - 1000;
        let path = format!("/v1/customers/{id}/balance_transactions");
        let reply = self.send("POST", &path, &format!("amount={amount}&currency=usd"), true);
        assert_eq!(reply.status, 200, "{}", reply.text());
        let known = self.model.live.get_mut(&id).unwrap();
        let before = known.facts.clone();
        known.facts.shown["balance"] = json!(known.facts.shown["balance"].as_i64().unwrap() + amount);
        known.facts.shown["currency"] = json!("usd");
        known.moves.push(amount);
        assert_eq!(object(&reply)["ending_balance"], known.facts.shown["balance"]);
        if known.facts != before {
            known.version += 1;
            self.model.events.push(("customer.updated".into(), id));
        }
    }

    fn delete(&mut self) {
        let Some(id) = self.somebody() else { return };
        let reply = self.send("DELETE", &format!("/v1/customers/{id}"), "", false);
        assert_eq!(object(&reply), json!({"id": id, "object": "customer", "deleted": true}));
        let known = self.model.live.remove(&id).unwrap();
        if let Some(discount) = known.facts.shown["discount"]["id"].as_str() {
            self.model.events.push(("customer.discount.deleted".into(), discount.into()));
        }
        self.model.deleted.insert(id.clone(), known.version + 1);
        self.model.events.push(("customer.deleted".into(), id));
    }

    /// Redeems a coupon, or ends the discount.
    fn redeem(&mut self) {
        let Some(id) = self.somebody() else { return };
        let place = self.dice.below(COUPONS.len() + 1);
        let coupon = COUPONS.get(place).copied().unwrap_or_default();
        let reply = self.send("POST", &format!("/v1/customers/{id}"), &format!("coupon={coupon}"), true);
        if coupon == "SCARCE" && self.model.redeemed[place] == SCARCE {
            assert_eq!(reply.status, 400, "{}", reply.text());
            return;
        }
        let known = self.model.live.get_mut(&id).unwrap();
        let has = object(&reply)["discount"].clone();
        let had = known.facts.shown.insert("discount".into(), has.clone()).unwrap_or_default();
        let (told, about) = match (had["id"].as_str(), has["id"].as_str()) {
            (None, None) => return agree(known, &reply),
            (None, Some(new)) => ("created", new),
            (Some(old), Some(new)) => {
                assert_ne!(old, new);
                ("updated", new)
            }
            (Some(old), None) => ("deleted", old),
        };
        match self.model.redeemed.get_mut(place) {
            Some(times) => {
                *times += 1;
                assert_eq!(has["source"]["coupon"], coupon);
            }
            None => assert_eq!(has, Value::Null),
        }
        known.version += 1;
        agree(known, &reply);
        self.model.events.push((format!("customer.discount.{told}"), about.to_owned()));
        self.model.events.push(("customer.updated".into(), id));
    }

    fn retrieve(&mut self) {
        let Some(id) = self.somebody() else { return };
        let reply = self.send("GET", &format!("/v1/customers/{id}"), "", false);
        agree(&self.model.live[&id], &reply);
        let gone = self.model.deleted.iter().next().map(|(id, version)| (id.clone(), *version));
        if let Some((gone, version)) = gone {
            let reply = self.send("GET", &format!("/v1/customers/{gone}"), "", false);
            assert_eq!(object(&reply)["deleted"], true);
            assert_eq!(reply.header("ETag"), Some(format!("\"{version}\"").as_str()));
        }
    }

    /// A retry of an old request gets the old answer, byte for byte, and changes nothing.
    fn retry(&mut self) {
        if self.replies.is_empty() {
            return;
        }
        let place = self.dice.below(self.replies.len());
        let Keyed { headers, path, body, reply } = self.replies[place].clone();
        let again = self.exchange("POST", &path, &body, &headers);
        assert_eq!((again.status, &again.body), (reply.status, &reply.body));
        assert_eq!(again.header("Idempotent-Replayed"), Some("true"));
    }

    fn refused(&mut self) {
        let Some(id) = self.somebody() else { return };
        let bad = ["name=new&balance=x", "name=new&nonsense=1", "email=new&name=y", "name=new&shipping[name]=z"];
        let body = bad[self.dice.below(bad.len())];
        let reply = self.send("POST", &format!("/v1/customers/{id}"), body, false);
        assert_eq!(reply.status, 400, "{}", reply.text());
        let gone = self.model.deleted.keys().next().cloned();
        for path in gone.iter().map(|id| format!("/v1/customers/{id}")).chain(["/v1/customers/cus_none".into()]) {
            assert_eq!(self.send("POST", &path, "name=new", false).status, 404);
        }
    }

    /// A random change: its form, and what it makes of what is shown.
    fn change(&mut self) -> (String, Vec<(String, Value)>) {
        let mut pairs = Vec::new();
        let mut changes = Vec::new();
        for _ in 0..self.dice.below(4) {
            let (pair, change) = match self.dice.below(8) {
                0 => self.text("name", &NAMES),
                1 => self.text("email", &EMAILS),
                2 => self.text("description", &NAMES),
                3 => self.text("phone", &["+49 30 1", "1"]),
                4 => {
                    let key = KEYS[self.dice.below(KEYS.len())];
                    let value = ["", "gold", "9"][self.dice.below(3)];
                    let sent = format!("metadata[{}]={value}", encoded(key));
                    (sent, (format!("metadata.{key}"), json!(value)))
                }
                5 => {
                    let balance = self.dice.below(500) as i64 - 250;
                    (format!("balance={balance}"), ("balance".to_owned(), json!(balance)))
                }
                6 => {
                    let word = ["none", "exempt", "reverse"][self.dice.below(3)];
                    (format!("tax_exempt={word}"), ("tax_exempt".to_owned(), json!(word)))
                }
                _ => {
                    let city = ["Lyon", "Oslo"][self.dice.below(2)];
                    let address = json!({"city": city, "country": null, "line1": null, "line2": null,
                        "postal_code": null, "state": null});
                    (format!("address[city]={city}"), ("address".to_owned(), address))
                }
            };
            pairs.push(pair);
            changes.push(change);
        }
        (pairs.join("&"), changes)
    }

    fn text(&mut self, name: &str, words: &[&str]) -> (String, (String, Value)) {
        match self.dice.below(words.len() + 1) {
            0 => (format!("{name}="), (name.to_owned(), Value::Null)),
            place => (format!("{name}={}", encoded(words[place - 1])), (name.to_owned(), json!(words[place - 1]))),
        }
    }

    fn look_around(&mut self) {
        let limit = 1 + self.dice.below(40);
        let somebody = self.somebody();
        let expected: Vec<&String> =
            self.model.order.iter().rev().filter(|id| self.model.live.contains_key(*id)).collect();
        let forward = self.ids(&format!("/v1/customers?limit={limit}"), "starting_after");
        assert_eq!(forward.iter().collect::<Vec<_>>(), expected, "the list, {limit} at a time");
        if let Some(oldest) = expected.last() {
            let backward = self.ids(&format!("/v1/customers?limit={limit}&ending_before={oldest}"), "ending_before");
            assert_eq!(backward.len() + 1, expected.len());
        }
        for email in EMAILS {
            let having = |folded: bool| {
                let same = |shown: &Value| match shown.as_str() {
                    Some(text) if folded => text.eq_ignore_ascii_case(email),
                    Some(text) => text == email,
                    None => false,
                };
                expected.iter().filter(|id| same(&self.model.live[**id].facts.shown["email"])).count()
            };
            let listed = self.ids(&format!("/v1/customers?limit=100&email={}", encoded(email)), "starting_after");
            assert_eq!(listed.len(), having(false), "listed by {email}");
            let query = encoded(&format!("email:\"{email}\""));
            assert_eq!(self.found(&query), having(true), "found by {email}");
        }
        let golden =
            expected.iter().filter(|id| self.model.live[**id].facts.shown["metadata"]["plan"] == "gold").count();
        assert_eq!(self.found(&encoded("metadata[\"plan\"]:\"GOLD\"")), golden, "found by metadata");
        for (coupon, times) in COUPONS.iter().zip(self.model.redeemed) {
            let kept = object(&self.exchange("GET", &format!("/v1/coupons/{coupon}"), "", &[]));
            assert_eq!(kept["times_redeemed"], times, "the redemptions of {coupon}");
        }
        let reversed = self.events();
        let told: Vec<_> = self.model.events.iter().rev().cloned().collect();
        assert_eq!(reversed, told, "the events");
        if let Some(id) = somebody {
            let known = self.model.live[&id].clone();
            let reply = self.exchange("GET", &format!("/v1/customers/{id}/balance_transactions?limit=100"), "", &[]);
            let amounts: Vec<i64> =
                object(&reply)["data"].as_array().unwrap().iter().map(|t| t["amount"].as_i64().unwrap()).collect();
            let newest_first: Vec<i64> = known.moves.iter().rev().copied().take(100).collect();
            assert_eq!(amounts, newest_first, "the ledger of {id}");
            assert_eq!(known.moves.iter().sum::<i64>(), known.facts.shown["balance"].as_i64().unwrap());
        }
    }

    /// The ids of every page of a list.
    fn ids(&self, path: &str, cursor: &str) -> Vec<String> {
        let mut ids: Vec<String> = Vec::new();
        let mut next = path.to_owned();
        loop {
            let page = object(&self.exchange("GET", &next, "", &[]));
            let data: Vec<String> =
                page["data"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect();
            let Some(last) = (if cursor == "ending_before" { data.first() } else { data.last() }).cloned() else {
                assert_eq!(page["has_more"], false);
                return ids;
            };
            if cursor == "ending_before" {
                ids.splice(0..0, data);
            } else {
                ids.extend(data);
            }
            if page["has_more"] == false {
                return ids;
            }
            let bare: Vec<&str> = path.split('&').filter(|pair| !pair.starts_with(cursor)).collect();
            next = format!("{}&{cursor}={last}", bare.join("&"));
        }
    }

    fn found(&self, query: &str) -> usize {
        let mut count = 0;
        let mut page = String::new();
        loop {
            let path = format!("/v1/customers/search?limit=7&query={query}{page}");
            let result = object(&self.exchange("GET", &path, "", &[]));
            count += result["data"].as_array().unwrap().len();
            match result["next_page"].as_str() {
                Some(next) => page = format!("&page={next}"),
                None => return count,
            }
        }
    }

    fn events(&self) -> Vec<(String, String)> {
        let mut events = Vec::new();
        let mut next = "/v1/events?limit=100".to_owned();
        loop {
            let page = object(&self.exchange("GET", &next, "", &[]));
            let data = page["data"].as_array().unwrap();
            for event in data {
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                events.push((text(&event["type"]), text(&event["data"]["object"]["id"])));
            }
            if page["has_more"] == false {
                return events;
            }
            next = format!("/v1/events?limit=100&starting_after={}", data.last().unwrap()["id"].as_str().unwrap());
        }
    }

    fn somebody(&mut self) -> Option<String> {
        let live = self.model.live.len();
        (live > 0).then(|| self.model.live.keys().nth(self.dice.below(live)).unwrap().clone())
    }

    fn send(&mut self, method: &str, path: &str, body: &str, maybe_keyed: bool) -> Reply {
        if !maybe_keyed || self.dice.below(3) > 0 {
            return self.exchange(method, path, body, &[]);
        }
        let headers = vec![("Idempotency-Key".to_owned(), format!("key-{}", self.replies.len()))];
        let reply = self.exchange(method, path, body, &headers);
        let (path, body, reply) = (path.to_owned(), body.to_owned(), reply.clone());
        self.replies.push(Keyed { headers, path, body, reply: reply.clone() });
        reply
    }

    fn exchange(&self, method: &str, path: &str, body: &str, more: &[(String, String)]) -> Reply {
        let more: Vec<(&str, &str)> = more.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Language::Stripe.send(&self.server, ACCOUNT, method, path, body, &more)
    }
}

/// A member, or null where there is none.
fn shown_of(members: &serde_json::Map<String, Value>, name: &str) -> Value {
    members.get(name).cloned().unwrap_or_default()
}

/// What a change makes of a customer. The same name twice: the last one counts, as in the form.
fn apply(known: &mut Known, changes: Vec<(String, Value)>) {
    let before = known.facts.shown.clone();
    for (name, value) in changes {
        match name.strip_prefix("metadata.") {
            Some(key) if value == "" => {
                known.facts.shown["metadata"].as_object_mut().unwrap().remove(key);
            }
            Some(key) => {
                known.facts.shown["metadata"].as_object_mut().unwrap().insert(key.to_owned(), value);
            }
            None => {
                known.facts.shown.insert(name, value);
            }
        }
    }
    known.facts.settle(&before);
    let moved = known.facts.shown["balance"].as_i64().unwrap() - before["balance"].as_i64().unwrap();
    if moved != 0 {
        known.moves.push(moved);
        known.facts.shown.insert("currency".into(), json!("usd"));
    }
}

#[track_caller]
fn agree(known: &Known, reply: &Reply) {
    let shown = object(reply);
    for (name, value) in &known.facts.shown {
        assert_eq!(&shown[name], value, "{name} of {}", shown["id"]);
    }
    assert_eq!(reply.header("ETag"), Some(format!("\"{}\"", known.version).as_str()), "of {}", shown["id"]);
}

#[track_caller]
fn object(reply: &Reply) -> Value {
    assert_eq!(reply.status, 200, "{}", reply.text());
    serde_json::from_slice(&reply.body).expect("replies are JSON")
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { (byte as char).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// A small generator of numbers (splitmix64): the same seed, the same history.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}
