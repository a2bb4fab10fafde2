//! Addresses of customers, beside the one that a customer has itself: list, create, get, update.

use std::sync::Arc;

use hyper::header::LINK;

use super::customer_object::{custom_data, moment};
use super::customers::{Repeated, next, nothing_after};
use super::formats::{COUNTRY_CODE, COUNTRY_SHOWN, CREATED_AT, CUSTOM_DATA, ID, PART, SHOWN, UPDATED_AT};
use crate::domain::customer_address::{CustomerAddress, CustomerAddressChange, NewCustomerAddress};
use crate::domain::ids::{CustomerAddressId, CustomerId};
use crate::domain::problem::Problem;
use crate::engine::{Stop, customer_addresses};
use crate::http::conditions;
use crate::http::json::{Json, Object};
use crate::rest::shape::{Member, member};
use crate::rest::{Answer, Asked, Call, Component, Plan, Refusal, Shape};

/// How many addresses are listed when nobody says.
const DEFAULT_LIMIT: i64 = 50;
/// The most addresses that a list can leave out.
const MAX_OFFSET: i64 = 10_000;

const DESCRIPTION_MEMBER: Member =
    member("description", Shape::text(0, 1024)).nullable().doc("What it is.").example("Home");
const REGION_MEMBER: Member = member("region", PART).doc("State, county, region.").example("Mwanza");
const CITY_MEMBER: Member = member("city", PART).example("Mwanza");
const COUNTRY_MEMBER: Member = member("country", COUNTRY_CODE).doc("Two-letter code of ISO 3166-1.").example("TZ");
const CUSTOM_DATA_MEMBER: Member = member("custom_data", CUSTOM_DATA).nullable().doc("Free data.").example("null");

const SHOWN_ID: Member = member("id", SHOWN).needed().read_only().example("add_01h1x0z5y4c1v2f5k6p3j9n8m7");
const SHOWN_DESCRIPTION: Member = member("description", SHOWN).needed().nullable().example("Home");
const SHOWN_REGION: Member = member("region", SHOWN).needed().example("Mwanza");
const SHOWN_CITY: Member = member("city", SHOWN).needed().example("Mwanza");
const SHOWN_COUNTRY: Member = member("country", COUNTRY_SHOWN).needed().example("TZ");
/// The customer that something belongs to.
pub const SHOWN_CUSTOMER: Member =
    member("customer_id", SHOWN).needed().read_only().example("cus_01h3vjs3b16yc3f9q8q9pfrb80");

/// An address as it is shown.
pub static ADDRESS: Component = Component {
    name: "Address",
    doc: "An address of a customer.",
    shape: Shape::Object(&[
        SHOWN_ID,
        SHOWN_CUSTOMER,
        SHOWN_DESCRIPTION,
        SHOWN_REGION,
        SHOWN_CITY,
        SHOWN_COUNTRY,
        CUSTOM_DATA_MEMBER.needed(),
        CREATED_AT.needed(),
        UPDATED_AT.needed(),
    ]),
};

const LISTED: Shape = Shape::Object(&[
    SHOWN_ID,
    SHOWN_DESCRIPTION,
    SHOWN_REGION,
    SHOWN_CITY,
    SHOWN_COUNTRY,
    CUSTOM_DATA_MEMBER.needed(),
    CREATED_AT.needed(),
    UPDATED_AT.needed(),
]);

/// A page of addresses.
pub static PAGE: Component = Component {
    name: "AddressList",
    doc: "Addresses of a customer, oldest first.",
    shape: Shape::Object(&[
        SHOWN_CUSTOMER,
        member("addresses", Shape::List(&LISTED, 0, usize::MAX)).needed(),
        member("limit", Shape::Whole(1, 200)).needed().example("50"),
        member("offset", Shape::Whole(0, MAX_OFFSET)).needed().example("0"),
    ]),
};

/// What a create takes.
pub static CREATE: Component = Component {
    name: "AddressCreate",
    doc: "A new address.",
    shape: Shape::Object(&[
        DESCRIPTION_MEMBER,
        REGION_MEMBER.needed(),
        CITY_MEMBER.needed(),
        COUNTRY_MEMBER.needed(),
        CUSTOM_DATA_MEMBER,
    ]),
};

/// What an update takes.
pub static UPDATE: Component = Component {
    name: "AddressUpdate",
    doc: "What changes about an address. What is left out stays.",
    shape: Shape::Object(&[
        member("id", ID).read_only(),
        member("customer_id", ID).read_only(),
        DESCRIPTION_MEMBER,
        REGION_MEMBER,
        CITY_MEMBER,
        COUNTRY_MEMBER,
        CUSTOM_DATA_MEMBER,
        CREATED_AT,
        UPDATED_AT,
    ]),
};

/// The parameters of a list.
pub const LIST: &[Member] = &[
    member("limit", Shape::Whole(1, 200)).doc("How many addresses at most.").example("50"),
    member("offset", Shape::Whole(0, MAX_OFFSET)).doc("How many to leave out first.").example("0"),
    member("after", ID).doc("Begin behind the address of that id, which the documents do not have."),
];

/// `POST /api/v1/customers/{customer_id}/addresses`
pub fn create(_: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let customer = CustomerId(asked.part(0));
    let mut body = asked.body();
    let wish = NewCustomerAddress {
        description: body.get("description"),
        region: body.needed("region"),
        city: body.needed("city"),
        country: body.needed("country"),
        data: body.get("custom_data"),
    };
    Ok(Plan::write(move |call, tx, ctx| {
        if !conditions::lets_make(&call.headers) {
            return Err(Refusal::VersionMismatch.into());
        }
        let made = customer_addresses::create(tx, ctx, &customer, wish.clone())?;
        Ok(answer(&made).created().located(call, made.id.as_str()))
    }))
}

/// `GET /api/v1/customers/{customer_id}/addresses/{address_id}`
pub fn get(_: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let (customer, id) = (CustomerId(asked.part(0)), CustomerAddressId(asked.part(1)));
    Ok(Plan::look(move |call, read| Ok(answer(&customer_addresses::read(read, &call.account, &customer, &id)?))))
}

/// `PATCH /api/v1/customers/{customer_id}/addresses/{address_id}`
pub fn update(_: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let (customer, id) = (CustomerId(asked.part(0)), CustomerAddressId(asked.part(1)));
    let mut body = asked.body();
    let repeated = Repeated::of(&mut body);
    repeated.require_customer(customer.as_str())?;
    let change = CustomerAddressChange {
        description: body.patch("description"),
        region: body.get("region"),
        city: body.get("city"),
        country: body.get("country"),
        data: body.patch("custom_data"),
    };
    Ok(Plan::write(move |call, tx, ctx| {
        if !repeated.is_empty() {
            let before = customer_addresses::read(tx, &call.account, &customer, &id)?;
            call.insists().check(before.version)?;
            repeated.require(before.id.as_str(), before.created, before.updated)?;
        }
        let changed = customer_addresses::update(tx, ctx, &customer, &id, &call.insists(), change.clone())?;
        Ok(answer(&changed))
    }))
}

/// `GET /api/v1/customers/{customer_id}/addresses`
pub fn list(_: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let customer = CustomerId(asked.part(0));
    let limit = asked.query.get("limit").unwrap_or(DEFAULT_LIMIT);
    let offset = asked.query.get("offset").unwrap_or(0);
    let after = asked.query.get::<String>("after").map(CustomerAddressId);
    Ok(Plan::scan(move |call, read| {
        let after = match &after {
            None => None,
            Some(id) => match customer_addresses::read(read, &call.account, &customer, id) {
                Ok(address) => Some(customer_addresses::place(&address)),
                Err(Stop::Problem(Problem::NoSuchCustomerAddress(_))) => {
                    return Err(nothing_after("is the id of no address of the customer").into());
                }
                Err(stop) => return Err(stop.into()),
            },
        };
        // Both are within the bounds of the table.
        let page = customer_addresses::list(read, &call.account, &customer, after, offset as usize, limit as usize)?;
        let found = &page.items;
        let addresses = found.iter().map(|address| {
            let mut told = object(address);
            told.remove("customer_id");
            Json::from(told)
        });
        let told = Object::new()
            .and("customer_id", customer.as_str().to_owned())
            .and("addresses", addresses.collect::<Vec<_>>())
            .and("limit", limit)
            .and("offset", offset);
        let answer = Answer::ok(told);
        Ok(match found.last().filter(|_| page.has_more) {
            Some(last) => answer.header(LINK, next(call, last.id.as_str(), [("limit", Some(limit.to_string()))])),
            None => answer,
        })
    }))
}

fn answer(address: &CustomerAddress) -> Answer {
    Answer::ok(object(address)).tagged(address.version)
}

/// The address.
pub fn object(address: &CustomerAddress) -> Object {
    let CustomerAddress { id, customer, version: _, created, updated, description, region, city, country, data } =
        address;
    Object::new()
        .and("id", id.as_str().to_owned())
        .and("customer_id", customer.as_str().to_owned())
        .and("description", description.as_ref())
        .and("region", region)
        .and("city", city)
        .and("country", country)
        .and("custom_data", custom_data(data.as_ref()))
        .and("created_at", moment(*created))
        .and("updated_at", moment(*updated))
}
