//! Postal addresses in FlexPortal's words. The country is a name, kept as it was written beside the code that it means.

use crate::domain::address::Address;
use crate::domain::country::{self, Written};
use crate::http::json::{Json, Object};
use crate::rest::shape::member;
use crate::rest::{Component, Fields, Member, Shape};

/// The longest part.
const MAX: usize = 500;

const fn part(name: &'static str) -> Member {
    member(name, Shape::text(0, MAX))
}

/// An address.
pub static ADDRESS: Component = Component {
    name: "Address",
    doc: "A postal address. It is replaced whole.",
    shape: Shape::Object(&[
        part("contactName").needed().doc("Whom to ask for.").example("Finance Department"),
        part("company").doc("The company at the address.").example("Acme Corporation"),
        part("buildingInfo").doc("Building, floor, suite."),
        part("streetAddress").needed().doc("Street and number.").example("789 New Street"),
        part("locality").doc("Part of the city."),
        part("city").needed().doc("City.").example("Utrecht"),
        part("adminArea").doc("State or province."),
        part("postalCode").nullable().doc("Postal code.").example("3500 AA"),
        part("country").needed().doc("Country, by its name or its code.").example("Netherlands"),
    ]),
};

/// The address that was given.
pub fn read(mut given: Fields) -> Address {
    // A part without a letter in it is not known.
    let mut part = |name: &str| given.get::<String>(name).filter(|text| !text.is_empty());
    let Written { country, country_name } =
        part("country").map_or_else(|| Written { country: None, country_name: None }, |text| country::written(&text));
    Address {
        street: part("streetAddress"),
        second_line: part("buildingInfo"),
        city: part("city"),
        region: part("adminArea"),
        postal_code: part("postalCode"),
        country,
        country_name,
        neighbourhood: part("locality"),
        contact_name: part("contactName"),
        company: part("company"),
    }
}

/// An address. What has to be there and is not known is an empty text.
pub fn object(address: &Address, contact: &str) -> Object {
    let Address {
        street,
        second_line,
        city,
        region,
        postal_code,
        country: _,
        country_name: _,
        neighbourhood,
        contact_name: _,
        company,
    } = address;
    let needed = |part: &Option<String>| part.clone().unwrap_or_default();
    let mut shown = Object::new().and("contactName", contact.to_owned());
    add(&mut shown, "company", company);
    add(&mut shown, "buildingInfo", second_line);
    shown.add("streetAddress", needed(street));
    add(&mut shown, "locality", neighbourhood);
    shown.add("city", needed(city));
    add(&mut shown, "adminArea", region);
    shown.add("postalCode", postal_code.as_ref());
    shown.add("country", address.named_country().unwrap_or_default().to_owned());
    shown
}

/// Adds a member that is left out when it is not known.
pub fn add(shown: &mut Object, name: &'static str, value: &Option<String>) {
    if let Some(value) = value {
        shown.add(name, Json::from(value));
    }
}
