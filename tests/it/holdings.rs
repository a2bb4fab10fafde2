//! What customers hold, as it is listed, as the customers say and as the events tell: it has to be the same. Suites that
//! leave customers with cards behind ask here whether all is well with them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::client::{Client, error, json};
use crate::fleet::{everything, text};
use crate::http::Reply;

/// The details of a card that is good.
pub const CARD: &str = "card[number]=4242424242424242&card[exp_month]=8&card[exp_year]=2030";

/// What a customer holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// The ids of its sources, newest first.
    pub sources: Vec<String>,
    /// The ids of its payment methods, newest first.
    pub methods: Vec<String>,
    /// The default among its sources.
    pub default: Option<String>,
}

/// One thing that is held, as a test expects it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thing {
    /// Its id.
    pub id: String,
    /// A card or a bank account of the older API.
    pub source: bool,
    /// A payment method: a card of either API.
    pub method: bool,
}

impl Thing {
    /// A card of the older API.
    pub fn card(id: String) -> Thing {
        Thing { id, source: true, method: true }
    }

    /// One of the newer API.
    pub fn method(id: String) -> Thing {
        Thing { id, source: false, method: true }
    }
}

/// A customer as a test expects it to hold things.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    /// All of them, oldest first.
    pub things: Vec<Thing>,
    /// The default source.
    pub default: Option<String>,
}

impl Holder {
    /// One that is held.
    pub fn has(&self, id: &str) -> Option<&Thing> {
        self.things.iter().find(|thing| thing.id == id)
    }

    /// Whether a bank account of the older API is held.
    pub fn has_bank_account(&self) -> bool {
        self.things.iter().any(|thing| thing.source && !thing.method)
    }

    /// The ids of those things, newest first.
    pub fn ids(&self, shown: impl Fn(&Thing) -> bool) -> Vec<String> {
        self.things.iter().rev().filter(|thing| shown(thing)).map(|thing| thing.id.clone()).collect()
    }

    /// Holds one more: the first source is the default one.
    pub fn hold(&mut self, thing: Thing) {
        if thing.source {
            self.default.get_or_insert(thing.id.clone());
        }
        self.things.push(thing);
    }

    /// Holds a source in the place of the default one.
    pub fn replace(&mut self, source: Thing) {
        let default = self.default.replace(source.id.clone());
        self.things.retain(|thing| Some(&thing.id) != default.as_ref());
        self.things.push(source);
    }

    /// Lets go of one: the newest other source follows a default one.
    pub fn let_go(&mut self, id: &str) {
        self.things.retain(|thing| thing.id != id);
        if self.default.as_deref() == Some(id) {
            self.default = self.ids(|thing| thing.source).into_iter().next();
        }
    }

    /// As it is to be listed.
    pub fn held(&self) -> Held {
        let (sources, methods) = (self.ids(|thing| thing.source), self.ids(|thing| thing.method));
        Held { sources, methods, default: self.default.clone() }
    }
}

/// The id of a token of a good card.
#[track_caller]
pub fn token(client: &Client) -> String {
    text(&json(&client.post("/v1/tokens", CARD)), "id")
}

/// The id of a payment method that nobody holds.
#[track_caller]
pub fn loose(client: &Client) -> String {
    text(&json(&client.post("/v1/payment_methods", "type=card&card[token]=tok_visa")), "id")
}

/// What a customer holds. Its defaults are held, and it has a default source if and only if it has a source.
#[track_caller]
pub fn held(client: &Client, customer: &str) -> Held {
    let path = format!("/v1/customers/{customer}");
    let shown = json(&client.get(&path));
    let ids = |list: &str| everything(client, &format!("{path}/{list}")).iter().map(|it| text(it, "id")).collect();
    let (sources, methods): (Vec<String>, Vec<String>) = (ids("sources"), ids("payment_methods"));
    let default = shown["default_source"].as_str().map(str::to_owned);
    match &default {
        Some(id) => assert!(sources.contains(id), "{customer}: {id} is the default source and not held: {sources:?}"),
        None => assert_eq!(sources, Vec::<String>::new(), "{customer} has sources and no default one"),
    }
    if let Some(id) = shown["invoice_settings"]["default_payment_method"].as_str() {
        assert!(methods.iter().any(|held| held == id), "{customer}: {id} is charged and not held: {methods:?}");
    }
    for ids in [&sources, &methods] {
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{customer} holds one twice: {ids:?}");
    }
    Held { sources, methods, default }
}

/// What every customer of the account holds. Nothing is held by two of them, and the events tell of all that came and of all
/// that went, once each and of nothing else.
#[track_caller]
pub fn all_held(client: &Client) -> BTreeMap<String, Held> {
    let customers = everything(client, "/v1/customers");
    let ids = customers.iter().map(|customer| text(customer, "id"));
    let all: BTreeMap<String, Held> = ids.map(|id| (id.clone(), held(client, &id))).collect();
    let events = everything(client, "/v1/events");
    let told = |kind: &str| -> Vec<String> {
        let told = events.iter().filter(|event| event["type"] == kind);
        told.map(|event| text(&event["data"]["object"], "id")).collect()
    };
    let sources = all.values().flat_map(|held| &held.sources);
    let methods = all.values().flat_map(|held| &held.methods);
    for (coming, going, held) in [
        ("customer.source.created", "customer.source.deleted", sources.cloned().collect()),
        ("payment_method.attached", "payment_method.detached", methods.cloned().collect()),
    ] {
        let mut there = once_each(told(coming), coming);
        for gone in once_each(told(going), going) {
            assert!(there.remove(&gone), "{going} of {gone}, which never came");
        }
        assert_eq!(there, once_each(held, "held"), "{coming} less {going}, and what customers hold");
    }
    all
}

#[track_caller]
fn once_each(ids: Vec<String>, what: &str) -> BTreeSet<String> {
    let set: BTreeSet<String> = ids.iter().cloned().collect();
    assert_eq!(set.len(), ids.len(), "{what} of one twice: {ids:?}");
    set
}

/// How many events there are of a type.
pub fn told(client: &Client, kind: &str) -> usize {
    everything(client, "/v1/events").iter().filter(|event| event["type"] == kind).count()
}

/// Of the replies one went well; gives what it says, and sees that the others were refused with `code`.
#[track_caller]
pub fn winner(replies: &[Reply], code: &str) -> Value {
    let (won, lost): (Vec<&Reply>, Vec<&Reply>) = replies.iter().partition(|reply| reply.status == 200);
    for reply in &lost {
        assert_eq!(error(reply, 400)["code"], code, "{}", reply.text());
    }
    assert_eq!(won.len(), 1, "{} of {} went well", won.len(), replies.len());
    json(won[0])
}
