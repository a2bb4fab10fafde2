//! One customer in three languages: whatever is changed through one of them is seen through the others as far as they can say
//! it, and nothing else changes.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use serde_json::{Map, Value, json};

use crate::cross_rows::{Row, nothing, rows};
use crate::harness::{Keeping, Server, in_every_store};
use crate::http::{self, Reply};

in_every_store! {
    a_change_through_one_language_is_seen_through_the_others_and_no_other,
    an_email_address_is_of_one_customer_where_a_language_says_so,
    one_of_many_who_want_an_email_address_gets_it,
    a_version_is_the_same_in_every_language,
    changes_through_three_languages_at_once_are_all_made,
}

/// The account, which is a unit of the same name in FlexPortal's words.
const ACCOUNT: &str = "cross";

/// How a request is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    Stripe,
    FlexPortal,
    Jani,
}
use Language::{FlexPortal, Jani, Stripe};

pub const LANGUAGES: [Language; 3] = [Stripe, FlexPortal, Jani];

impl Language {
    /// The path of a customer.
    pub fn path(self, id: &str) -> String {
        match self {
            Stripe | FlexPortal => format!("/v1/customers/{id}"),
            Jani => format!("/api/v1/customers/{id}"),
        }
    }

    fn verb(self) -> &'static str {
        match self {
            Stripe => "POST",
            FlexPortal => "PUT",
            Jani => "PATCH",
        }
    }

    /// Makes a request of an account. A body that is empty is none.
    pub fn send(
        self,
        server: &Server,
        account: &str,
        method: &str,
        path: &str,
        body: &str,
        more: &[(&str, &str)],
    ) -> Reply {
        let mut headers = vec![("Authorization".to_owned(), format!("Bearer sk_test_{account}"))];
        let mut add = |name: &str, value: &str| headers.push((name.to_owned(), value.to_owned()));
        match self {
            Stripe if !body.is_empty() => add("Content-Type", "application/x-www-form-urlencoded"),
            FlexPortal | Jani if !body.is_empty() => add("Content-Type", "application/json"),
            Stripe | FlexPortal | Jani => {}
        }
        if self == FlexPortal {
            add("Tenant-ID", account);
        }
        more.iter().for_each(|(name, value)| add(name, value));
        http::send(server.address(), method, path, &headers, body.as_bytes()).expect("the server answers")
    }
}

/// What is seen of a customer through each language.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    /// But for when it was updated.
    shown: [Value; 3],
    version: u64,
    updated: String,
}

struct World {
    server: Server,
}

impl World {
    fn new(keeping: &Keeping) -> World {
        World { server: Server::start(keeping) }
    }

    fn send(&self, by: Language, method: &str, path: &str, body: &str, more: &[(&str, &str)]) -> Reply {
        by.send(&self.server, ACCOUNT, method, path, body, more)
    }

    /// Changes a customer.
    fn change(&self, by: Language, id: &str, body: &str) -> Reply {
        self.send(by, by.verb(), &by.path(id), body, &[])
    }

    #[track_caller]
    fn changed(&self, by: Language, id: &str, body: &str) {
        let reply = self.change(by, id, body);
        assert_eq!(reply.status, 200, "{by:?} {body}: {}", reply.text());
    }

    /// A customer made through Stripe.
    #[track_caller]
    fn made(&self, form: &str) -> String {
        let reply = self.send(Stripe, "POST", "/v1/customers", form, &[]);
        assert_eq!(reply.status, 200, "{}", reply.text());
        json_of(&reply)["id"].as_str().expect("customers have ids").to_owned()
    }

    /// The customer through every language; all say that it is at the same version.
    #[track_caller]
    fn seen(&self, id: &str) -> Seen {
        let (mut versions, mut updates) = (BTreeSet::new(), BTreeSet::new());
        let shown = LANGUAGES.map(|by| {
            let reply = self.send(by, "GET", &by.path(id), "", &[]);
            assert_eq!(reply.status, 200, "{by:?}: {}", reply.text());
            let tag = reply.header("ETag").unwrap_or_else(|| panic!("{by:?} tells no version"));
            versions.insert(tag.trim_matches('"').parse().expect("a version is a number"));
            let mut shown = json_of(&reply);
            let members = shown.as_object_mut().expect("a customer is an object");
            let updated = members.remove("updatedAt").or(members.remove("updated_at"));
            updates.extend(updated.map(|updated| updated.as_str().expect("a moment is a text").to_owned()));
            // These have another name too.
            for name in ["billingAddress", "shippingAddress"] {
                members.remove(name);
            }
            shown
        });
        assert_eq!(versions.len(), 1, "the versions of {id}: {versions:?}");
        assert_eq!(updates.len(), 1, "when {id} was updated: {updates:?}");
        let version = *versions.first().expect("there is one");
        Seen { shown, version, updated: updates.pop_first().expect("there is one") }
    }

    /// The events of the account through Stripe, oldest first.
    fn events(&self) -> Vec<Value> {
        let reply = self.send(Stripe, "GET", "/v1/events?limit=100", "", &[]);
        let list = json_of(&reply);
        assert_eq!(list["has_more"], false);
        list["data"].as_array().expect("a list has data").iter().rev().cloned().collect()
    }

    /// A customer of whom everything is known that any language can say.
    fn well_known(&self) -> String {
        let id = self.made(
            "name=J&email=jane@example.com&phone=%2B31612345678&description=VIP&individual_name=Jane&balance=-500\
             &preferred_locales[0]=nl&tax_exempt=exempt&payment_method=pm_card_visa\
             &invoice_settings[default_payment_method]=pm_card_visa&invoice_settings[footer]=Thanks\
             &shipping[name]=Reception&shipping[phone]=%2B31201234567&shipping[address][city]=Utrecht",
        );
        self.changed(
            Jani,
            &id,
            r#"{"status":"suspended","custom_data":{"plan":"gold","rate":1.50,"seats":3,"tags":["a",{"b":null}]}}"#,
        );
        self.changed(
            FlexPortal,
            &id,
            r#"{"firstName":"Jane","lastName":"van Doe","company":"Acme","customerType":"business",
                "billingAddress":{"contactName":"Ann Lee","company":"Acme BV","buildingInfo":"2nd floor",
                  "streetAddress":"Herengracht 1","locality":"Centrum","city":"Amsterdam","adminArea":"NH",
                  "postalCode":"1015 BA","country":"Holland"},
                "shippingAddress":{"contactName":"Bob","streetAddress":"Dock 5","locality":"Haven",
                  "city":"Rotterdam","postalCode":"3011 AA","country":"Netherlands"}}"#,
        );
        id
    }
}

#[track_caller]
fn json_of(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap_or_else(|_| panic!("{} is not JSON", reply.text()))
}

/// What stands for a member that is not there.
pub const ABSENT: &str = "(absent)";

/// The members that differ, by their place, with what they are afterwards.
fn differences(before: &Value, after: &Value, at: &str, found: &mut BTreeMap<String, Value>) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            let absent = json!(ABSENT);
            for name in names {
                let of = |members: &Map<String, Value>| members.get(name).unwrap_or(&absent).clone();
                differences(&of(before), &of(after), &format!("{at}/{name}"), found);
            }
        }
        (before, after) if before == after => {}
        (_, after) => drop(found.insert(at.to_owned(), after.clone())),
    }
}

fn a_change_through_one_language_is_seen_through_the_others_and_no_other(keeping: &Keeping) {
    for Row { says, by, body, changes } in rows() {
        let body = &if by == Stripe { body.replace(' ', "%20") } else { body.to_owned() };
        let world = World::new(keeping);
        let id = world.well_known();
        let (before, events_before) = (world.seen(&id), world.events().len());
        world.changed(by, &id, body);
        let after = world.seen(&id);
        for ((of, before), (after, wanted)) in LANGUAGES.iter().zip(&before.shown).zip(after.shown.iter().zip(&changes))
        {
            let mut found = BTreeMap::new();
            differences(before, after, "", &mut found);
            assert_eq!(json!(found), *wanted, "{says}: what {of:?} shows after {by:?}'s {body}");
        }

        let events = world.events().split_off(events_before);
        let changed = changes.iter().any(|changes| *changes != nothing());
        assert_eq!(after.version, before.version + u64::from(changed), "{says}: the version");
        // The clock stands still, and yet a change is later than the one before.
        assert_eq!(after.updated > before.updated, changed, "{says}: {} and {}", before.updated, after.updated);
        let of_customer: Vec<&Value> = events.iter().filter(|event| event["type"] == "customer.updated").collect();
        assert_eq!(of_customer.len(), usize::from(changed), "{says}: {events:?}");
        if let Some(event) = of_customer.first() {
            let data = &event["data"];
            assert_eq!(data["object"], after.shown[0], "{says}: what the event tells");
            let names = |value: &Value| -> BTreeSet<String> {
                let members = value.as_object().expect("an object").keys();
                members
                    .map(|place| place.trim_start_matches('/').split('/').next().unwrap_or_default().to_owned())
                    .collect()
            };
            assert_eq!(names(&data["previous_attributes"]), names(&changes[0]), "{says}: what the event tells was");
        }

        world.changed(by, &id, body);
        assert_eq!(world.seen(&id), after, "{says}: the same once more changes nothing");
        assert_eq!(world.events().len(), events_before + events.len(), "{says}: nor is it told of");
    }
}

fn an_email_address_is_of_one_customer_where_a_language_says_so(keeping: &Keeping) {
    let world = World::new(keeping);
    let (one, two) = (world.made("email=jane@example.com&name=One"), world.made("email=jane@example.com&name=Two"));
    let other = world.made("email=roe@example.com&name=Other");
    let before = world.seen(&other);
    for by in [FlexPortal, Jani] {
        let taken = world.change(by, &other, r#"{"email":"JANE@Example.com"}"#);
        assert_eq!(taken.status, 409, "{by:?}: {}", taken.text());
        // Whoever shares an address already may say so again.
        for own in [r#"{"email":"jane@example.com"}"#, r#"{"email":"Jane@Example.com"}"#] {
            world.changed(by, &two, own);
        }
    }
    let made = world.send(Jani, "POST", "/api/v1/customers", r#"{"name":"Jane","email":"jAne@example.com"}"#, &[]);
    assert_eq!(made.status, 409, "{}", made.text());
    assert_eq!(world.seen(&other), before);

    // Nobody has it who is deleted.
    for id in [&one, &two] {
        assert_eq!(world.send(Stripe, "DELETE", &Stripe.path(id), "", &[]).status, 200);
    }
    world.changed(FlexPortal, &other, r#"{"email":"JANE@example.com"}"#);
    let made = world.send(Jani, "POST", "/api/v1/customers", r#"{"name":"Roe","email":"roe@example.com"}"#, &[]);
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(world.change(Stripe, &other, "email=roe@example.com").status, 200);
}

fn one_of_many_who_want_an_email_address_gets_it(keeping: &Keeping) {
    const MANY: usize = 8;
    let world = &World::new(keeping);
    let ids: Vec<String> =
        (0..MANY).map(|number| world.made(&format!("name=N{number}&email={number}@example.com"))).collect();
    for round in 0..4 {
        let email = |number: usize| {
            if number.is_multiple_of(2) { format!("new{round}@example.com") } else { format!("NEW{round}@example.com") }
        };
        let mut statuses: Vec<u16> = thread::scope(|scope| {
            let asked: Vec<_> = ids
                .iter()
                .enumerate()
                .map(|(number, id)| {
                    scope.spawn(move || {
                        let body = json!({"name": "New", "email": email(number)}).to_string();
                        match number % 3 {
                            0 => world.send(Jani, "POST", "/api/v1/customers", &body, &[]).status,
                            1 => world.change(Jani, id, &body).status,
                            _ => world.change(FlexPortal, id, &json!({"email": email(number)}).to_string()).status,
                        }
                    })
                })
                .collect();
            asked.into_iter().map(|asked| asked.join().expect("a request is made")).collect()
        });
        statuses.sort_unstable();
        assert!(statuses[0] < 300, "{statuses:?}");
        assert_eq!(statuses[1..], [409; MANY - 1], "round {round}");
    }
}

fn a_version_is_the_same_in_every_language(keeping: &Keeping) {
    let world = World::new(keeping);
    let id = world.made("name=Jane&email=jane@example.com");
    let body = |by: Language, value: u64| match by {
        Stripe => format!("phone=%2B3161234567{value}"),
        FlexPortal | Jani => json!({"phone": format!("+3161234567{value}")}).to_string(),
    };
    for (round, (read_by, changed_by)) in
        LANGUAGES.into_iter().flat_map(|one| LANGUAGES.into_iter().map(move |two| (one, two))).enumerate()
    {
        let tag = |by: Language| {
            let reply = world.send(by, "GET", &by.path(&id), "", &[]);
            reply.header("ETag").expect("a customer has a version").to_owned()
        };
        let old = tag(read_by);
        let send = |by: Language, value: u64, tag: &str| {
            world.send(by, by.verb(), &by.path(&id), &body(by, value), &[("If-Match", tag)]).status
        };
        let value = round as u64 % 9;
        assert_eq!(send(changed_by, value, &old), 200, "{changed_by:?} after {read_by:?}");
        for late in LANGUAGES {
            let before = world.seen(&id);
            assert_eq!(send(late, 9, &old), 412, "{late:?} behind {changed_by:?}");
            assert_eq!(world.seen(&id), before);
        }
    }
}

fn changes_through_three_languages_at_once_are_all_made(keeping: &Keeping) {
    const EACH: u64 = 25;
    let world = &World::new(keeping);
    let id = &world.made("name=Jane&email=jane@example.com");
    thread::scope(|scope| {
        for by in LANGUAGES {
            scope.spawn(move || {
                for number in 1..=EACH {
                    let body = match by {
                        Stripe => format!("metadata[stripe]={number}"),
                        FlexPortal => json!({"company": format!("{number}")}).to_string(),
                        Jani => json!({"payment_method": format!("{number}")}).to_string(),
                    };
                    world.changed(by, id, &body);
                }
            });
        }
    });
    let Seen { shown: [stripe, flexportal, jani], version, updated: _ } = world.seen(id);
    assert_eq!(version, 1 + 3 * EACH);
    assert_eq!(world.events().len() as u64, version);
    let last = json!(EACH.to_string());
    assert_eq!([&stripe["metadata"]["stripe"], &stripe["business_name"]], [&last, &last]);
    assert_eq!([&flexportal["customFields"]["stripe"], &flexportal["company"]], [&last, &last]);
    assert_eq!([&jani["custom_data"]["stripe"], &jani["payment_method"]], [&last, &last]);
}
