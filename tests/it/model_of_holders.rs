//! A long random history of what customers hold against a simple model of it: cards and bank accounts that come as sources,
//! payment methods that are attached and detached, defaults that are chosen and go. After every step the reply agrees with
//! the model; every so often so do all lists and events. `CUSP_HOLDERS_SEED` repeats a run.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::client::{Client, error, json};
use crate::dice::Dice;
use crate::fleet::{everything, text};
use crate::harness::{Keeping, Server, in_every_store};
use crate::holdings::{CARD, Held, Holder, Thing, all_held};
use crate::http::Reply;

in_every_store! {
    a_random_history_of_holders_agrees_with_the_model,
}

const STEPS: usize = 900;
const LOOK_AROUND_EVERY: usize = 90;
const SEED: &str = "CUSP_HOLDERS_SEED";
/// How many customers there are at most, so that they come to hold something.
const CUSTOMERS: usize = 6;
/// Documented tokens, and the brand that a source has by them; a bank account has none.
const TOKENS: [(&str, Option<&str>); 5] = [
    ("tok_visa", Some("Visa")),
    ("tok_mastercard", Some("MasterCard")),
    ("tok_amex", Some("American Express")),
    ("tok_discover", Some("Discover")),
    ("btok_us", None),
];
/// What is declined where it is attached.
const DECLINED: &str = "tok_visa_chargeDeclined";

fn a_random_history_of_holders_agrees_with_the_model(keeping: &Keeping) {
    let server = Server::start(keeping);
    let client = Client::new(server.address(), "sk_test_holders");
    let mut run = Run { server, client, dice: Dice::of_the_run(SEED), model: Model::default() };
    for step in 1..=STEPS {
        run.server.advance(run.dice.below(3) as i64 * 700);
        run.step();
        if step % LOOK_AROUND_EVERY == 0 {
            run.look_around();
        }
        if step == STEPS / 2 {
            run.server.restart();
            run.client = Client::new(run.server.address(), "sk_test_holders");
        }
    }
}

/// What the model knows of a customer.
#[derive(Clone, Debug, Default)]
struct Known {
    holder: Holder,
    /// The payment method that invoices are charged to.
    charged: Option<String>,
    /// The version, which its entity tag says.
    version: u64,
}

impl Known {
    /// Lets go of one; nothing follows what was charged.
    fn let_go(&mut self, id: &str) {
        self.holder.let_go(id);
        self.charged.take_if(|charged| charged == id);
    }
}

#[derive(Default)]
struct Model {
    live: BTreeMap<String, Known>,
    /// Payment methods that nobody has held.
    loose: Vec<String>,
    /// Payment methods that somebody has held.
    spent: Vec<String>,
    /// Tokens, with the id of their card.
    unused: Vec<(String, String)>,
    used: Vec<String>,
    /// Sources that are cards: those that nobody has held, and those that somebody has.
    chargeable: Vec<String>,
    consumed: Vec<String>,
    /// How many events there are of each type.
    told: BTreeMap<&'static str, usize>,
}

impl Model {
    fn tell(&mut self, kind: &'static str) {
        *self.told.entry(kind).or_default() += 1;
    }

    fn tell_of(&mut self, thing: &Thing, source: &'static str, method: &'static str) {
        if thing.source {
            self.tell(source);
        }
        if thing.method {
            self.tell(method);
        }
    }

    /// A source that goes is used up.
    fn consume(&mut self, thing: &Thing) {
        if thing.id.starts_with("src_") {
            self.consumed.push(thing.id.clone());
        }
    }

    /// Changes a customer, and notes what is told of it.
    fn change(&mut self, customer: &str, change: impl FnOnce(&mut Known)) {
        let before = self.live[customer].clone();
        let mut after = before.clone();
        change(&mut after);
        let (gone, come): (Vec<_>, Vec<_>) = (
            before.holder.things.iter().filter(|thing| after.holder.has(&thing.id).is_none()).cloned().collect(),
            after.holder.things.iter().filter(|thing| before.holder.has(&thing.id).is_none()).cloned().collect(),
        );
        for thing in &gone {
            self.tell_of(thing, "customer.source.deleted", "payment_method.detached");
            self.consume(thing);
        }
        for thing in &come {
            self.tell_of(thing, "customer.source.created", "payment_method.attached");
        }
        let pointed = (&before.holder.default, &before.charged) != (&after.holder.default, &after.charged);
        if pointed {
            self.tell("customer.updated");
        }
        if pointed || !gone.is_empty() || !come.is_empty() {
            after.version += 1;
        }
        self.live.insert(customer.to_owned(), after);
    }
}

struct Run {
    server: Server,
    client: Client,
    dice: Dice,
    model: Model,
}

impl Run {
    fn step(&mut self) {
        match self.dice.below(20) {
            0 | 1 => self.create(),
            2..=4 => self.replace_source(),
            5..=7 => self.add_source(),
            8 | 9 => self.delete_source(),
            10 => self.point(),
            11 => self.charge(),
            12 if self.dice.below(2) == 0 => self.make_source(),
            12 => self.make_loose(),
            13 | 14 => self.attach(),
            15 | 16 => self.detach(),
            17 => self.make_token(),
            18 => self.refused(),
            _ => self.delete_now_and_then(),
        }
    }

    fn create(&mut self) {
        if self.model.live.len() >= CUSTOMERS {
            return;
        }
        let way = self.dice.below(3);
        let (token, method) = (self.some_token(), self.model.loose.last().cloned());
        let (form, things, made) = match (way, method) {
            (0, _) => (String::new(), 0, None),
            (1, Some(method)) => {
                let more = format!("invoice_settings[default_payment_method]={method}");
                (format!("payment_method={method}&{more}"), 1, Some(method))
            }
            _ => (format!("source={token}"), 1, None),
        };
        let shown = json(&self.client.post("/v1/customers", &form));
        let id = text(&shown, "id");
        let mut known = Known { version: 1, ..Known::default() };
        self.model.tell("customer.created");
        if let Some(method) = made {
            self.model.loose.pop();
            known.charged = Some(method.clone());
            known.holder.hold(Thing { id: method, source: false, method: true });
        } else if things == 1 {
            let thing = self.source_of(&token, shown["default_source"].as_str().unwrap());
            known.holder.hold(thing);
        }
        for thing in known.holder.things.clone() {
            self.model.tell_of(&thing, "customer.source.created", "payment_method.attached");
        }
        self.model.live.insert(id.clone(), known);
        self.agree(&id, &shown);
    }

    /// `source` on an update: the default one is replaced, the others stay.
    fn replace_source(&mut self) {
        let Some(id) = self.somebody() else { return };
        let token = self.some_token();
        let reply = self.client.post(&format!("/v1/customers/{id}"), &format!("source={token}"));
        let known = &self.model.live[&id];
        let default = known.holder.default.clone();
        let default_is_account =
            default.as_deref().and_then(|id| known.holder.has(id)).is_some_and(|thing| thing.source && !thing.method);
        if token == "btok_us" && known.holder.has_bank_account() && !default_is_account {
            self.was_refused(&reply, "bank_account_exists");
            return;
        }
        let shown = json(&reply);
        let thing = self.source_of(&token, shown["default_source"].as_str().unwrap());
        self.model.change(&id, |known| {
            known.charged.take_if(|charged| Some(&*charged) == default.as_ref());
            known.holder.replace(thing);
        });
        self.agree(&id, &shown);
        self.agree_on_version(&id, &reply);
    }

    fn add_source(&mut self) {
        let Some(id) = self.somebody() else { return };
        let place = self.dice.below(TOKENS.len() as u64 + 1) as usize;
        let (token, brand) = match TOKENS.get(place) {
            Some((token, brand)) => ((*token).to_owned(), Some(*brand)),
            None => (self.some_token(), None),
        };
        let reply = self.client.post(&format!("/v1/customers/{id}/sources"), &format!("source={token}"));
        if token == "btok_us" && self.model.live[&id].holder.has_bank_account() {
            self.was_refused(&reply, "bank_account_exists");
            return;
        }
        let shown = json(&reply);
        assert_eq!(shown["customer"], id.as_str());
        if let Some(brand) = brand {
            assert_eq!(shown["brand"].as_str(), brand, "{shown}");
        }
        let thing = self.source_of(&token, shown["id"].as_str().unwrap());
        self.model.change(&id, |known| known.holder.hold(thing));
    }

    fn delete_source(&mut self) {
        let Some(id) = self.somebody() else { return };
        let Some(source) = self.one_of(self.model.live[&id].holder.ids(|_| true)) else { return };
        let reply = self.client.exchange("DELETE", &format!("/v1/customers/{id}/sources/{source}"), "", &[]);
        if !self.model.live[&id].holder.has(&source).unwrap().source {
            // A payment method is none.
            error(&reply, 404);
            return;
        }
        let gone = json(&reply);
        assert_eq!(gone["id"], source.as_str());
        if source.starts_with("src_") {
            assert_eq!(gone["status"], "consumed", "a source outlives its customer's hold on it");
        } else {
            assert_eq!(gone["deleted"], true);
        }
        self.model.change(&id, |known| known.let_go(&source));
        error(&self.client.get(&format!("/v1/customers/{id}/sources/{source}")), 404);
    }

    /// `default_source` points at one that is held, or is refused.
    fn point(&mut self) {
        let Some(id) = self.somebody() else { return };
        let strangers = self.somebody().map(|other| self.model.live[&other].holder.ids(|_| true)).unwrap_or_default();
        let wishes = [self.model.live[&id].holder.ids(|_| true), strangers].concat();
        let Some(wish) = self.one_of(wishes) else { return };
        let reply = self.client.post(&format!("/v1/customers/{id}"), &format!("default_source={wish}"));
        if self.model.live[&id].holder.has(&wish).is_some_and(|thing| thing.source) {
            self.model.change(&id, |known| known.holder.default = Some(wish));
            self.agree(&id, &json(&reply));
            self.agree_on_version(&id, &reply);
        } else {
            self.was_refused(&reply, "resource_missing");
        }
    }

    /// The payment method that invoices are charged to is one that is held, or none.
    fn charge(&mut self) {
        let Some(id) = self.somebody() else { return };
        let wishes =
            [self.model.live[&id].holder.ids(|_| true), self.model.loose.clone(), vec![String::new()]].concat();
        let Some(wish) = self.one_of(wishes) else { return };
        let form = format!("invoice_settings[default_payment_method]={wish}");
        let reply = self.client.post(&format!("/v1/customers/{id}"), &form);
        if wish.is_empty() || self.model.live[&id].holder.has(&wish).is_some_and(|thing| thing.method) {
            self.model.change(&id, |known| known.charged = Some(wish).filter(|wish| !wish.is_empty()));
            self.agree(&id, &json(&reply));
            self.agree_on_version(&id, &reply);
        } else {
            assert!([400, 404].contains(&reply.status), "{}", reply.text());
        }
    }

    fn make_loose(&mut self) {
        let token = match self.dice.below(2) {
            0 => self.model.unused.pop().map(|(token, _)| token),
            _ => None,
        };
        self.model.used.extend(token.clone());
        let form = format!("type=card&card[token]={}", token.as_deref().unwrap_or("tok_visa"));
        let made = json(&self.client.post("/v1/payment_methods", &form));
        assert_eq!(made["customer"], Value::Null);
        self.model.loose.push(text(&made, "id"));
    }

    fn make_source(&mut self) {
        let made = json(&self.client.post("/v1/sources", "type=card&token=tok_visa"));
        assert_eq!((&made["status"], &made["customer"]), (&"chargeable".into(), &Value::Null));
        self.model.chargeable.push(text(&made, "id"));
        self.model.tell("source.chargeable");
    }

    fn attach(&mut self) {
        let Some(id) = self.somebody() else { return };
        let held =
            self.model.live.values().flat_map(|known| known.holder.ids(|thing| thing.method)).collect::<Vec<_>>();
        let wishes =
            [self.model.loose.clone(), self.model.loose.clone(), held, vec!["pm_card_visa".to_owned()]].concat();
        let Some(wish) = self.one_of([wishes, self.model.spent.iter().take(2).cloned().collect()].concat()) else {
            return;
        };
        let reply = self.client.post(&format!("/v1/payment_methods/{wish}/attach"), &format!("customer={id}"));
        if wish != "pm_card_visa" && !self.model.loose.contains(&wish) {
            assert_eq!(reply.status, 400, "held or spent: {}", reply.text());
            return;
        }
        let shown = json(&reply);
        assert_eq!(shown["customer"], id.as_str());
        self.model.loose.retain(|loose| *loose != wish);
        let thing = Thing { id: text(&shown, "id"), source: false, method: true };
        self.model.change(&id, |known| known.holder.hold(thing));
    }

    fn detach(&mut self) {
        let Some(id) = self.somebody() else { return };
        let wishes = [self.model.live[&id].holder.ids(|thing| thing.method), self.model.loose.clone()].concat();
        let Some(wish) = self.one_of(wishes) else { return };
        let reply = self.client.post(&format!("/v1/payment_methods/{wish}/detach"), "");
        let Some(thing) = self.model.live[&id].holder.has(&wish).cloned() else {
            error(&reply, 400);
            return;
        };
        assert_eq!(json(&reply)["customer"], Value::Null);
        self.model.change(&id, |known| known.let_go(&wish));
        self.left_its_customer(&thing);
    }

    /// A card of the older API goes with its customer; a payment method is shown as used up for ever.
    fn left_its_customer(&mut self, thing: &Thing) {
        if thing.source {
            error(&self.client.get(&format!("/v1/payment_methods/{}", thing.id)), 404);
        } else {
            self.model.spent.insert(0, thing.id.clone());
        }
    }

    fn make_token(&mut self) {
        let made = json(&self.client.post("/v1/tokens", CARD));
        assert_eq!(made["used"], false);
        self.model.unused.push((text(&made, "id"), text(&made["card"], "id")));
    }

    /// A declined card, a used token, a payment method as a source: everything stays as it was.
    fn refused(&mut self) {
        let Some(id) = self.somebody() else { return };
        let path = format!("/v1/customers/{id}");
        for path in [path.clone(), format!("{path}/sources")] {
            let declined = error(&self.client.post(&path, &format!("source={DECLINED}")), 402);
            assert_eq!((&declined["type"], &declined["code"]), (&"card_error".into(), &"card_declined".into()));
            if let Some(used) = self.one_of(self.model.used.clone()) {
                let problem = error(&self.client.post(&path, &format!("source={used}")), 400);
                assert_eq!(problem["code"], "token_already_used");
            }
            if let Some(consumed) = self.one_of(self.model.consumed.clone()) {
                error(&self.client.post(&path, &format!("source={consumed}")), 400);
            }
            if let Some(loose) = self.one_of(self.model.loose.clone()) {
                let reply = self.client.post(&path, &format!("source={loose}"));
                assert!([400, 404].contains(&reply.status), "{}", reply.text());
            }
        }
        let reply = self.client.get(&path);
        self.agree(&id, &json(&reply));
        self.agree_on_version(&id, &reply);
    }

    fn delete_now_and_then(&mut self) {
        if self.dice.below(3) > 0 {
            return;
        }
        let Some(id) = self.somebody() else { return };
        json(&self.client.exchange("DELETE", &format!("/v1/customers/{id}"), "", &[]));
        let known = self.model.live.remove(&id).unwrap();
        for thing in &known.holder.things {
            self.model.tell_of(thing, "customer.source.deleted", "payment_method.detached");
            self.model.consume(thing);
            self.left_its_customer(thing);
        }
        self.model.tell("customer.deleted");
    }

    fn look_around(&mut self) {
        let all = all_held(&self.client);
        let expected: BTreeMap<String, Held> =
            self.model.live.iter().map(|(id, known)| (id.clone(), known.holder.held())).collect();
        assert_eq!(all, expected);
        let mut told: BTreeMap<String, usize> = BTreeMap::new();
        for event in everything(&self.client, "/v1/events") {
            *told.entry(text(&event, "type")).or_default() += 1;
        }
        let expected: BTreeMap<String, usize> =
            self.model.told.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect();
        assert_eq!(told, expected, "how often each is told");
        for (tokens, used) in [
            (self.model.unused.iter().map(|(token, _)| token).collect::<Vec<_>>(), false),
            (self.model.used.iter().collect(), true),
        ] {
            for token in tokens {
                assert_eq!(json(&self.client.get(&format!("/v1/tokens/{token}")))["used"], used, "{token}");
            }
        }
        for (sources, status) in [(&self.model.chargeable, "chargeable"), (&self.model.consumed, "consumed")] {
            for source in sources {
                assert_eq!(json(&self.client.get(&format!("/v1/sources/{source}")))["status"], status, "{source}");
            }
        }
        for method in [&self.model.loose[..], &self.model.spent[..]].concat() {
            assert_eq!(json(&self.client.get(&format!("/v1/payment_methods/{method}")))["customer"], Value::Null);
        }
        for (id, known) in &self.model.live {
            for thing in known.holder.things.iter().filter(|thing| thing.method) {
                let shown = json(&self.client.get(&format!("/v1/payment_methods/{}", thing.id)));
                assert_eq!(shown["customer"], id.as_str());
            }
        }
    }

    /// What the reply shows of a customer is what the model knows.
    #[track_caller]
    fn agree(&self, id: &str, shown: &Value) {
        let known = &self.model.live[id];
        assert_eq!(shown["default_source"].as_str(), known.holder.default.as_deref(), "{shown}");
        let charged = &shown["invoice_settings"]["default_payment_method"];
        assert_eq!(charged.as_str(), known.charged.as_deref(), "{shown}");
    }

    #[track_caller]
    fn agree_on_version(&self, id: &str, reply: &Reply) {
        let version = self.model.live[id].version;
        assert_eq!(reply.header("ETag"), Some(format!("\"{version}\"").as_str()), "of {id}");
    }

    #[track_caller]
    fn was_refused(&self, reply: &Reply, code: &str) {
        assert_eq!(error(reply, 400)["code"], code, "{}", reply.text());
    }

    /// A source that came by a token, under the id that it has now: that of the token's card, if the token was a real one.
    fn source_of(&mut self, token: &str, id: &str) -> Thing {
        if let Some(place) = self.model.unused.iter().position(|(known, _)| known == token) {
            let (token, card) = self.model.unused.remove(place);
            assert_eq!(card, id);
            self.model.used.push(token);
        }
        if let Some(place) = self.model.chargeable.iter().position(|known| known == token) {
            assert_eq!(self.model.chargeable.remove(place), id);
        }
        Thing { id: id.to_owned(), source: true, method: token != "btok_us" }
    }

    /// A token or a source that can be used: one that was made, or the name of one.
    fn some_token(&mut self) -> String {
        if let Some(source) = self.model.chargeable.last().filter(|_| self.dice.below(4) == 0) {
            return source.clone();
        }
        match self.model.unused.last() {
            Some((token, _)) if self.dice.below(2) == 0 => token.clone(),
            Some(_) | None => TOKENS[self.dice.below(TOKENS.len() as u64) as usize].0.to_owned(),
        }
    }

    fn somebody(&mut self) -> Option<String> {
        self.one_of(self.model.live.keys().cloned().collect())
    }

    fn one_of(&mut self, all: Vec<String>) -> Option<String> {
        (!all.is_empty()).then(|| all[self.dice.below(all.len() as u64) as usize].clone())
    }
}
