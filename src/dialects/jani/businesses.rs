//! Businesses of customers: list, create, get, update.

use std::sync::Arc;

use hyper::header::LINK;

use super::addresses::SHOWN_CUSTOMER;
use super::customer_object::{custom_data, moment};
use super::customers::{Repeated, next, nothing_after};
use super::formats::{CREATED_AT, CUSTOM_DATA, EMAIL_ADDRESS, ID, NAME, PHONE_NUMBER, SHOWN, UPDATED_AT};
use crate::domain::business::{Business, BusinessChange, BusinessStatus, Contact, MAX_CONTACTS, NewBusiness};
use crate::domain::ids::{BusinessId, CustomerId};
use crate::domain::problem::Problem;
use crate::engine::{Stop, businesses};
use crate::http::conditions;
use crate::http::json::{Json, Object};
use crate::rest::shape::{Member, member};
use crate::rest::{Answer, Asked, Call, Component, Fields, Plan, Refusal, Shape};

/// How many businesses are listed when nobody says.
const DEFAULT_LIMIT: i64 = 10;

const CONTACT: Shape = Shape::Object(&[
    member("name", NAME).needed().example("Asha Mushi"),
    member("email", EMAIL_ADDRESS).needed().example("asha@example.com"),
]);
const CONTACT_SHOWN: Shape = Shape::Object(&[
    member("name", SHOWN).needed().example("Asha Mushi"),
    member("email", SHOWN).needed().example("asha@example.com"),
]);

/// One page of the documents says `archive` for `archived`.
const STATUS: Shape = Shape::Word(&["active", "archived", "archive"]);
const STATUS_SHOWN: Shape = Shape::Word(&["active", "archived"]);

const NAME_MEMBER: Member = member("name", NAME).example("Mushi Traders");
const PHONE_MEMBER: Member = member("phone", PHONE_NUMBER).nullable().example("+18005551234");
const COMPANY_NUMBER_MEMBER: Member = member("company_number", Shape::trimmed(1, 255))
    .nullable()
    .doc("Its number in a register of companies.")
    .example("123456789");
const TAX_IDENTIFIER_MEMBER: Member = member("tax_identifier", Shape::trimmed(1, 255))
    .nullable()
    .doc("The number under which a tax office knows it.")
    .example("AB0012345");
const STATUS_MEMBER: Member =
    member("status", STATUS).doc("Whether it is in use. `archive` is taken for `archived`.").example("active");
const CONTACTS_MEMBER: Member =
    member("contacts", Shape::List(&CONTACT, 0, MAX_CONTACTS)).doc("Whom to write to, replaced whole.");
const CUSTOM_DATA_MEMBER: Member = member("custom_data", CUSTOM_DATA).nullable().doc("Free data.").example("null");

/// A business as it is shown.
pub static BUSINESS: Component = Component {
    name: "Business",
    doc: "A business of a customer.",
    shape: Shape::Object(&[
        member("id", SHOWN).needed().read_only().example("biz_01h1x7y8z9a0b1c2d3e4f5g6h7"),
        SHOWN_CUSTOMER,
        member("name", SHOWN).needed().example("Mushi Traders"),
        member("phone", SHOWN).needed().nullable().example("+18005551234"),
        member("company_number", SHOWN).needed().nullable().example("123456789"),
        member("tax_identifier", SHOWN).needed().nullable().example("AB0012345"),
        member("status", STATUS_SHOWN).needed().example("active"),
        member("contacts", Shape::List(&CONTACT_SHOWN, 0, MAX_CONTACTS)).needed(),
        CREATED_AT.needed(),
        UPDATED_AT.needed(),
        CUSTOM_DATA_MEMBER.needed(),
    ]),
};

/// Businesses of a customer.
pub static PAGE: Component = Component {
    name: "BusinessList",
    doc: "Businesses of a customer, oldest first.",
    shape: Shape::Object(&[member("data", Shape::List(&Shape::Component(&BUSINESS), 0, usize::MAX)).needed()]),
};

/// What a create takes. The documents say that the status is needed; a business that says none is active.
pub static CREATE: Component = Component {
    name: "BusinessCreate",
    doc: "A new business.",
    shape: Shape::Object(&[
        NAME_MEMBER.needed(),
        PHONE_MEMBER,
        COMPANY_NUMBER_MEMBER,
        TAX_IDENTIFIER_MEMBER,
        STATUS_MEMBER,
        CONTACTS_MEMBER,
        CUSTOM_DATA_MEMBER,
    ]),
};

/// What an update takes.
pub static UPDATE: Component = Component {
    name: "BusinessUpdate",
    doc: "What changes about a business. What is left out stays.",
    shape: Shape::Object(&[
        member("id", ID).read_only(),
        member("customer_id", ID).read_only(),
        NAME_MEMBER,
        PHONE_MEMBER,
        COMPANY_NUMBER_MEMBER,
        TAX_IDENTIFIER_MEMBER,
        STATUS_MEMBER,
        CONTACTS_MEMBER,
        CREATED_AT,
        UPDATED_AT,
        CUSTOM_DATA_MEMBER,
    ]),
};

/// The parameters of a list.
pub const LIST: &[Member] = &[
    member("status", STATUS).doc("Only those of this status."),
    member("limit", Shape::Whole(1, 200)).doc("How many businesses at most.").example("10"),
    member("after", ID).doc("Begin behind the business of that id, which the documents do not have."),
];

/// `POST /api/v1/customers/{customer_id}/businesses`
pub fn create(_: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let customer = CustomerId(asked.part(0));
    let mut body = asked.body();
    let wish = NewBusiness {
        name: body.needed("name"),
        phone: body.get("phone"),
        company_number: body.get("company_number"),
        tax_identifier: body.get("tax_identifier"),
        status: status(&mut body).unwrap_or(BusinessStatus::Active),
        contacts: contacts(&mut body).unwrap_or_default(),
        data: body.get("custom_data"),
    };
    Ok(Plan::write(move |call, tx, ctx| {
        if !conditions::lets_make(&call.headers) {
            return Err(Refusal::VersionMismatch.into());
        }
        let made = businesses::create(tx, ctx, &customer, wish.clone())?;
        Ok(answer(&made).created().located(call, made.id.as_str()))
    }))
}

/// `GET /api/v1/customers/{customer_id}/businesses/{business_id}`
pub fn get(_: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let (customer, id) = (CustomerId(asked.part(0)), BusinessId(asked.part(1)));
    Ok(Plan::look(move |call, read| Ok(answer(&businesses::read(read, &call.account, &customer, &id)?))))
}

/// `PATCH /api/v1/customers/{customer_id}/businesses/{business_id}`
pub fn update(_: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let (customer, id) = (CustomerId(asked.part(0)), BusinessId(asked.part(1)));
    let mut body = asked.body();
    let repeated = Repeated::of(&mut body);
    repeated.require_customer(customer.as_str())?;
    let change = BusinessChange {
        name: body.get("name"),
        phone: body.patch("phone"),
        company_number: body.patch("company_number"),
        tax_identifier: body.patch("tax_identifier"),
        status: status(&mut body),
        contacts: contacts(&mut body),
        data: body.patch("custom_data"),
    };
    Ok(Plan::write(move |call, tx, ctx| {
        if !repeated.is_empty() {
            let before = businesses::read(tx, &call.account, &customer, &id)?;
            call.insists().check(before.version)?;
            repeated.require(before.id.as_str(), before.created, before.updated)?;
        }
        let changed = businesses::update(tx, ctx, &customer, &id, &call.insists(), change.clone())?;
        Ok(answer(&changed))
    }))
}

/// `GET /api/v1/customers/{customer_id}/businesses`
pub fn list(_: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let customer = CustomerId(asked.part(0));
    let status = status(&mut asked.query);
    let limit = asked.query.get("limit").unwrap_or(DEFAULT_LIMIT);
    let after = asked.query.get::<String>("after").map(BusinessId);
    Ok(Plan::scan(move |call, read| {
        let after = match &after {
            None => None,
            Some(id) => match businesses::read(read, &call.account, &customer, id) {
                Ok(business) => Some(businesses::place(&business)),
                Err(Stop::Problem(Problem::NoSuchBusiness(_))) => {
                    return Err(nothing_after("is the id of no business of the customer").into());
                }
                Err(stop) => return Err(stop.into()),
            },
        };
        // It is within the bounds of the table.
        let page = businesses::list(read, &call.account, &customer, status, after, limit as usize)?;
        let found = &page.items;
        let data = found.iter().map(|business| Json::from(object(business))).collect::<Vec<_>>();
        let answer = Answer::ok(Object::new().and("data", data));
        let kept = [("limit", Some(limit.to_string())), ("status", status.map(|status| status.as_str().to_owned()))];
        Ok(match found.last().filter(|_| page.has_more) {
            Some(last) => answer.header(LINK, next(call, last.id.as_str(), kept)),
            None => answer,
        })
    }))
}

fn status(given: &mut Fields) -> Option<BusinessStatus> {
    let word: String = given.get("status")?;
    if word == "active" { Some(BusinessStatus::Active) } else { Some(BusinessStatus::Archived) }
}

fn contacts(given: &mut Fields) -> Option<Vec<Contact>> {
    let contacts: Vec<Fields> = given.get("contacts")?;
    let contact = |mut given: Fields| Contact { name: given.needed("name"), email: given.needed("email") };
    Some(contacts.into_iter().map(contact).collect())
}

fn answer(business: &Business) -> Answer {
    Answer::ok(object(business)).tagged(business.version)
}

/// The business.
pub fn object(business: &Business) -> Object {
    let Business {
        id,
        customer,
        version: _,
        created,
        updated,
        name,
        phone,
        company_number,
        tax_identifier,
        status,
        contacts,
        data,
    } = business;
    let contact = |Contact { name, email }: &Contact| Json::from(Object::new().and("name", name).and("email", email));
    Object::new()
        .and("id", id.as_str().to_owned())
        .and("customer_id", customer.as_str().to_owned())
        .and("name", name)
        .and("phone", phone.as_ref())
        .and("company_number", company_number.as_ref())
        .and("tax_identifier", tax_identifier.as_ref())
        .and("status", status.as_str())
        .and("contacts", contacts.iter().map(contact).collect::<Vec<_>>())
        .and("created_at", moment(*created))
        .and("updated_at", moment(*updated))
        .and("custom_data", custom_data(data.as_ref()))
}
