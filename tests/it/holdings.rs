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
    let lists: [(&str, &str, fn(&Held) -> &Vec<String>); 2] = [
        ("customer.source.created", "customer.source.deleted", |held| &held.sources),
        ("payment_method.attached", "payment_method.detached", |held| &held.methods),
    ];
    for (coming, going, list) in lists {
        let told = |kind: &str| -> Vec<String> {
            let told = events.iter().filter(|event| event["type"] == kind);
            told.map(|event| text(&event["data"]["object"], "id")).collect()
        };
        let mut there = once_each(told(coming), coming);
        for gone in once_each(told(going), going) {
            assert!(there.remove(&gone), "{going} of {gone}, which never came");
        }
        let held = once_each(all.values().flat_map(list).cloned().collect(), "held");
        assert_eq!(there, held, "{coming} less {going}, and what customers hold");
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
