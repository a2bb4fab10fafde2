//! A customer as Jani shows it: always the same ten keys, in the order of its documents.

use crate::domain::address::Address;
use crate::domain::customer::{Customer, CustomerStatus};
use crate::domain::data::Entries;
use crate::domain::time::Time;
use crate::http::json::{Json, Object};
use crate::rest::data;
use crate::rest::shape::member;
use crate::rest::{Component, Shape};
use crate::rfc3339;

use super::formats::{ADDRESS, CREATED_AT, CUSTOM_DATA, SHOWN, UPDATED_AT};

/// The words for how a customer stands.
pub const STATUS: Shape = Shape::Word(&["active", "inactive", "suspended"]);

/// A customer as it is shown.
pub static CUSTOMER: Component = Component {
    name: "Customer",
    doc: "A customer.",
    shape: Shape::Object(&[
        member("id", SHOWN).needed().read_only().example("cus_01h3vjs3b16yc3f9q8q9pfrb80"),
        member("name", SHOWN).needed().nullable().doc("Of a person or an organisation.").example("Alice Johnson"),
        member("email", SHOWN).needed().nullable().doc("For messages and receipts.").example("alice@example.com"),
        member("phone", SHOWN).needed().nullable().example("+255788323255"),
        member("address", Shape::Component(&ADDRESS)).needed().nullable(),
        member("payment_method", SHOWN)
            .needed()
            .nullable()
            .doc("What the customer pays with, as a reference.")
            .example("card_01h3vjs3b16yc3f9q8q9pfrb79"),
        CREATED_AT.needed(),
        UPDATED_AT.needed(),
        member("status", STATUS).needed().doc("How the customer stands.").example("active"),
        member("custom_data", CUSTOM_DATA)
            .needed()
            .nullable()
            .doc("Free data.")
            .example("{\"loyalty_program\": \"gold\"}"),
    ]),
};

/// The customer. A lenient server shows a country as it was written.
pub fn customer(customer: &Customer, lenient: bool) -> Object {
    Object::new()
        .and("id", customer.id.as_str().to_owned())
        .and("name", customer.name.as_ref())
        .and("email", customer.email.as_ref())
        .and("phone", customer.phone.as_ref())
        .and("address", customer.address.as_ref().map(|known| address(known, lenient)))
        .and("payment_method", customer.payment_reference().map(str::to_owned))
        .and("created_at", moment(customer.created))
        .and("updated_at", moment(customer.updated))
        .and("status", status(customer.status))
        .and("custom_data", customer.free_data().as_ref().map(data::json))
}

fn status(status: CustomerStatus) -> &'static str {
    match status {
        CustomerStatus::Active => "active",
        CustomerStatus::Inactive => "inactive",
        CustomerStatus::Suspended => "suspended",
    }
}

/// The parts of an address that there are, of those that Jani knows.
fn address(address: &Address, lenient: bool) -> Object {
    let Address {
        street,
        second_line,
        city,
        region,
        postal_code,
        country,
        country_name,
        neighbourhood: _,
        contact_name: _,
        company: _,
    } = address;
    let country = country_name.as_ref().filter(|_| lenient).or(country.as_ref());
    let parts = [
        ("line1", street.as_ref()),
        ("line2", second_line.as_ref()),
        ("city", city.as_ref()),
        ("state", region.as_ref()),
        ("postal_code", postal_code.as_ref()),
        ("country", country),
    ];
    let mut told = Object::new();
    for (name, part) in parts {
        if let Some(part) = part {
            told.add(name, part);
        }
    }
    told
}

/// A moment as Jani shows it: ISO 8601 with milliseconds, in UTC.
pub fn moment(at: Time) -> String {
    rfc3339::text(at)
}

/// Free data as Jani shows it.
pub fn custom_data(entries: Option<&Entries>) -> Json {
    entries.map(data::json).into()
}
