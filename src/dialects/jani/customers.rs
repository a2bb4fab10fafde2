//! Customers: list, create, get, update. There is no deleting: a customer is retired by its status.

use std::sync::Arc;

use hyper::header::LINK;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};

use super::customer_object::{self, STATUS};
use super::failure::read_only;
use super::formats::{
    CREATED_AT, CUSTOM_DATA, EMAIL_ADDRESS, ID, NAME, NEW_ADDRESS, PAYMENT_REFERENCE, PHONE_NUMBER, UPDATED_AT,
};
use crate::domain::address::{NewAddress, Postal};
use crate::domain::country;
use crate::domain::customer::{Customer, CustomerChange, CustomerStatus, StatusChange};
use crate::domain::ids::CustomerId;
use crate::domain::patch::Patch;
use crate::domain::time::Time;
use crate::engine::customer_lists::{self, Wanted};
use crate::engine::customers::{self, Bringing};
use crate::http::conditions;
use crate::http::json::Json;
use crate::rest::read::Wrong;
use crate::rest::shape::{Member, member};
use crate::rest::{Answer, Asked, Call, Component, Fields, Flaw, Halt, Plan, Refusal, Shape};

/// The most customers of one reply. The documents show all of them and no way to go on.
pub const MAX_LISTED: usize = 1_000;

const NAME_MEMBER: Member = member("name", NAME).doc("Of a person or an organisation.").example("Alice Johnson");
const EMAIL_MEMBER: Member =
    member("email", EMAIL_ADDRESS).doc("No other customer has it, whatever its case.").example("alice@example.com");
const PHONE_MEMBER: Member = member("phone", PHONE_NUMBER).nullable().example("+255788323255");
const ADDRESS_MEMBER: Member = member("address", Shape::Component(&NEW_ADDRESS)).nullable();
const PAYMENT_METHOD_MEMBER: Member = member("payment_method", PAYMENT_REFERENCE)
    .nullable()
    .doc("What the customer pays with. Nothing needs to be there of that name.")
    .example("card_01h3vjs3b16yc3f9q8q9pfrb79");
const STATUS_MEMBER: Member = member("status", STATUS).example("active");
const CUSTOM_DATA_MEMBER: Member = member("custom_data", CUSTOM_DATA)
    .nullable()
    .doc("Free data, which takes the place of what was there.")
    .example("{\"loyalty_program\": \"gold\"}");

/// What a create takes.
pub static CREATE: Component = Component {
    name: "CustomerCreate",
    doc: "A new customer.",
    shape: Shape::Object(&[
        NAME_MEMBER.needed(),
        EMAIL_MEMBER.needed(),
        PHONE_MEMBER,
        ADDRESS_MEMBER,
        PAYMENT_METHOD_MEMBER,
        STATUS_MEMBER,
        CUSTOM_DATA_MEMBER,
    ]),
};

/// What an update takes.
pub static UPDATE: Component = Component {
    name: "CustomerUpdate",
    doc: "What changes about a customer. What is left out stays, and null empties what may be empty. What is shown may \
          be repeated.",
    shape: Shape::Object(&[
        member("id", ID).read_only(),
        NAME_MEMBER,
        EMAIL_MEMBER,
        PHONE_MEMBER,
        ADDRESS_MEMBER,
        PAYMENT_METHOD_MEMBER,
        CREATED_AT,
        UPDATED_AT,
        STATUS_MEMBER,
        CUSTOM_DATA_MEMBER,
    ]),
};

/// The parameters of a list. None of them is in the documents.
pub const LIST: &[Member] = &[
    member("after", ID).doc("Begin behind the customer of that id."),
    member("per_page", Shape::Whole(1, 200)).doc("How many customers at most.").example("50"),
    member("status", STATUS).doc("Only customers that stand so."),
    member("email", EMAIL_ADDRESS).doc("Only those with this email, whatever its case."),
];

/// `POST /api/v1/customers`
pub fn create(call: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let change = change(&mut asked.body(), call.lenient);
    Ok(Plan::write(move |call, tx, ctx| {
        if !conditions::lets_make(&call.headers) {
            return Err(Refusal::VersionMismatch.into());
        }
        let made = customers::create(tx, ctx, change.clone(), &Bringing::default())?;
        let id = made.id.as_str().to_owned();
        Ok(answer(made, call.lenient).created().located(call, &id))
    }))
}

/// `GET /api/v1/customers/{customer_id}`
pub fn get(_: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let id = CustomerId(asked.part(0));
    Ok(Plan::look(move |call, read| Ok(answer(customers::live(read, &call.account, &id)?, call.lenient))))
}

/// `PATCH /api/v1/customers/{customer_id}`
pub fn update(call: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let id = CustomerId(asked.part(0));
    let changes = asked.changes();
    let mut body = changes.fields();
    let repeated = Repeated::of(&mut body);
    let plain = change(&mut body, call.lenient);
    Ok(Plan::write(move |call, tx, ctx| {
        let mut wanted = plain.clone();
        if changes.are_open() || !repeated.is_empty() {
            let before = customers::live(tx, &call.account, &id)?;
            call.insists().check(before.version)?;
            // What is sent as it is shown is no change, also where it could not be written so: other APIs have other rules.
            let shown = customer_object::customer(&before, call.lenient).into();
            let mut body = changes.beside(&shown).map_err(Refusal::Flaws)?;
            Repeated::of(&mut body).require(before.id.as_str(), before.created, before.updated)?;
            wanted = change(&mut body, call.lenient);
        }
        let changed = customers::update(tx, ctx, &id, &call.insists(), wanted, &Bringing::default())?;
        Ok(answer(changed, call.lenient))
    }))
}

/// `GET /api/v1/customers`
pub fn list(_: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let query = &mut asked.query;
    let after = query.get::<String>("after").map(CustomerId);
    let per_page = query.get::<i64>("per_page").and_then(|number| usize::try_from(number).ok());
    let status = query.get::<String>("status").and_then(|word| CustomerStatus::named(&word));
    let wanted = Wanted { status, email: query.get("email") };
    let limit = per_page.unwrap_or(MAX_LISTED);
    Ok(Plan::scan(move |call, read| {
        let after = match &after {
            None => None,
            Some(id) => match read.customer(call.account.space, id)? {
                Some(customer) => Some(customer_lists::place(&customer)),
                None => return Err(nothing_after("is the id of no customer").into()),
            },
        };
        let page = customer_lists::oldest(read, &call.account, &wanted, after, limit)?;
        let shown = page.items.iter().map(|customer| customer_object::customer(customer, call.lenient).into());
        let answer = Answer::ok(shown.collect::<Vec<Json>>());
        Ok(match page.items.last().filter(|_| page.has_more) {
            Some(last) => {
                let Wanted { status, email } = &wanted;
                let kept = [
                    ("per_page", per_page.map(|number| number.to_string())),
                    ("status", status.map(|status| status.as_str().to_owned())),
                    ("email", email.clone()),
                ];
                answer.header(LINK, next(call, last.id.as_str(), kept))
            }
            None => answer,
        })
    }))
}

/// What is written as it is in a value of a query string.
const IN_QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The link to what comes behind the item of that id (RFC 8288), with the same parameters otherwise.
pub fn next<const N: usize>(call: &Call, last: &str, kept: [(&str, Option<String>); N]) -> String {
    let encoded = |text: &str| percent_encoding::utf8_percent_encode(text, IN_QUERY).to_string();
    let mut query = vec![format!("after={}", encoded(last))];
    query.extend(kept.into_iter().filter_map(|(name, text)| Some(format!("{name}={}", encoded(&text?)))));
    format!("<{}?{}>; rel=\"next\"", call.path, query.join("&"))
}

/// A list that is to begin behind nothing.
pub fn nothing_after(sentence: &str) -> Refusal {
    Refusal::flaw(Flaw::new("after", Wrong::Rule("unknown", sentence.to_owned())))
}

fn answer(customer: Customer, lenient: bool) -> Answer {
    let version = customer.version;
    Answer::later(move || customer_object::customer(&customer, lenient)).tagged(version)
}

fn change(body: &mut Fields, lenient: bool) -> CustomerChange {
    let needed = |value: Option<String>| value.map_or(Patch::Keep, Patch::Set);
    let status = body.get::<String>("status").and_then(|word| CustomerStatus::named(&word));
    CustomerChange {
        name: needed(body.get("name")),
        email: needed(body.get("email")),
        unique_email: true,
        phone: body.patch("phone"),
        address: body.patch::<Fields>("address").map(|given| address(given, lenient)),
        paid_by: body.patch("payment_method"),
        status: status.map(StatusChange::To),
        data: body.patch("custom_data"),
        ..CustomerChange::default()
    }
}

/// An address in the place of the one before. A lenient server shows the country as it is written here, be it a name or a
/// code; another one shows codes only, so that a code says nothing of the name.
fn address(mut given: Fields, lenient: bool) -> NewAddress {
    let text: Option<String> = given.get("country");
    let written = text.as_deref().map(country::written).unwrap_or_default();
    let postal = Postal {
        street: given.get("line1"),
        second_line: given.get("line2"),
        city: given.get("city"),
        region: given.get("state"),
        postal_code: given.get("postal_code"),
        country: written.country,
    };
    if lenient {
        let name = text.filter(|text| Some(text) != postal.country.as_ref());
        NewAddress::Written(postal, name)
    } else {
        NewAddress::Postal(postal)
    }
}

/// What only the server says, repeated by a caller.
pub struct Repeated {
    id: Option<String>,
    customer_id: Option<String>,
    created: Option<Time>,
    updated: Option<Time>,
}

impl Repeated {
    /// What a body repeats.
    pub fn of(body: &mut Fields) -> Repeated {
        Repeated {
            id: body.get("id"),
            customer_id: body.get("customer_id"),
            created: body.get("created_at"),
            updated: body.get("updated_at"),
        }
    }

    /// Whether it repeats nothing.
    pub fn is_empty(&self) -> bool {
        let Repeated { id, customer_id, created, updated } = self;
        id.is_none() && customer_id.is_none() && created.is_none() && updated.is_none()
    }

    /// Refuses what is not as the record has it.
    pub fn require(&self, id: &str, created: Time, updated: Time) -> Result<(), Halt> {
        let wrong = [
            ("id", self.id.as_deref().is_some_and(|given| given != id)),
            ("created_at", self.created.is_some_and(|given| given != created)),
            ("updated_at", self.updated.is_some_and(|given| given != updated)),
        ];
        let flaws: Vec<Flaw> = wrong.into_iter().filter(|(_, wrong)| *wrong).map(|(name, _)| read_only(name)).collect();
        if flaws.is_empty() { Ok(()) } else { Err(Refusal::Flaws(flaws).into()) }
    }

    /// Refuses another customer than that of the path.
    pub fn require_customer(&self, customer: &str) -> Result<(), Refusal> {
        match &self.customer_id {
            Some(given) if given != customer => Err(Refusal::flaw(read_only("customer_id"))),
            Some(_) | None => Ok(()),
        }
    }
}
