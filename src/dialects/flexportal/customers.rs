//! Customers: list, get, update, delete. They are made by orders alone.

use std::sync::Arc;

use super::addresses::{self, ADDRESS, add};
use super::pages::{self, COUNT, HAS_MORE, LIMIT, LIMIT_SHOWN, NEXT_CURSOR, SORT_DIR, START_AFTER};
use super::{Shown, time};
use crate::domain::address::{NewAddress, NewShipping};
use crate::domain::customer::{Customer, CustomerChange, CustomerKind, CustomerStatus, StatusChange};
use crate::domain::ids::CustomerId;
use crate::domain::patch::Patch;
use crate::domain::rental_book::RentalBook;
use crate::engine::listing::{Sort, SortKey};
use crate::engine::renters::{self, Renter, RenterFilter};
use crate::http::given::Value;
use crate::http::json::{Json, Object};
use crate::rest::formats::EMAIL;
use crate::rest::shape::{Data, Format, member};
use crate::rest::{Answer, Asked, Call, Component, Fields, Flaw, Member, Plan, Refusal, Shape, Wrong, data};

/// The longest name.
const MAX_NAME: usize = 255;
/// The longest e-mail address.
pub const MAX_EMAIL: usize = 512;
/// The longest phone number. It has no form: the units themselves say what they take.
const MAX_PHONE: usize = 64;

/// The words for what kind of customer one is.
pub const KINDS: &[&str] = &["individual", "business"];
const STATUSES: &[&str] = &["active", "inactive"];
const AMOUNT: Shape = Shape::Money(i64::MIN, i64::MAX);
const COUNTED: Shape = Shape::Whole(0, i64::MAX);
/// In hundredths.
const PERCENT: Shape = Shape::number(i64::MIN, i64::MAX, 2);
const SHOWN: Shape = Shape::text(0, usize::MAX);
const ANY_DATA: Shape = Shape::Data(Data { max_bytes: usize::MAX, max_depth: usize::MAX });

/// A customer's id.
pub const CUSTOMER_ID: Member =
    member("customerId", Shape::text(1, MAX_NAME)).doc("The customer.").example("cus_01kc4vzm8fj2qh7n9w3x5r6t0e");
/// Given name; an empty text for none.
pub const FIRST_NAME: Member = member("firstName", Shape::text(0, MAX_NAME)).doc("Given name.").example("Sarah");
/// Family name; an empty text for none.
pub const LAST_NAME: Member = member("lastName", Shape::text(0, MAX_NAME)).doc("Family name.").example("Johnson");
/// Company.
pub const COMPANY: Member = member("company", Shape::text(0, MAX_NAME)).doc("Company; an empty text clears it.");
/// Phone.
pub const PHONE: Member =
    member("phone", Shape::text(0, MAX_PHONE)).doc("Phone; an empty text clears it.").example("+31687654321");
/// E-mail address.
pub const EMAIL_ADDRESS: Member =
    member("email", Shape::of(&EMAIL, MAX_EMAIL)).doc("E-mail address.").example("sarah.johnson@example.com");
/// What kind of customer.
pub const CUSTOMER_TYPE: Member = member("customerType", Shape::Word(KINDS)).doc("A person or a company.");

macro_rules! customer_members {
    ($($more:expr,)*) => {
        Shape::Object(&[
            member("customerId", SHOWN).needed().doc("Its id."),
            member("tenantId", SHOWN).needed().doc("Its business unit."),
            member("email", SHOWN).needed().doc("E-mail address; empty when none is known."),
            member("firstName", SHOWN).needed().doc("Given name; empty when none is known."),
            member("lastName", SHOWN).needed().doc("Family name; empty when none is known."),
            member("company", SHOWN).doc("Company."),
            member("phone", SHOWN).doc("Phone."),
            member("customerType", Shape::Word(KINDS)).needed().doc("A person or a company."),
            member("customFields", ANY_DATA).doc("Free data. This API does not change it."),
            member("totalOrders", COUNTED).needed().doc("How many orders it has, cancelled ones too."),
            member("totalDevicesRented", COUNTED).needed().doc("How many subscriptions are active."),
            member("totalMonthlyRevenue", AMOUNT).needed().doc("What the active subscriptions bring in a month."),
            member("status", Shape::Word(STATUSES)).needed().doc("Whether it can order."),
            member("orderIds", Shape::List(&SHOWN, 0, usize::MAX)).needed().doc("Every order, oldest first."),
            member("rentalIds", Shape::List(&SHOWN, 0, usize::MAX)).needed().doc("Every subscription, oldest first."),
            member("lastBillingAddress", Shape::Component(&ADDRESS)).doc("Of the newest order, or as set since."),
            member("lastShippingAddress", Shape::Component(&ADDRESS)).doc("Likewise."),
            member("createdAt", SHOWN).needed().doc("When it was made."),
            member("updatedAt", SHOWN).needed().doc("When a fact of it changed last."),
            member("createdBy", SHOWN).needed().doc("Who made it."),
            member("lifetimeCollected", AMOUNT).needed().doc("What was paid, without tax."),
            member("totalAcquisitionCost", AMOUNT).needed().doc("What its devices cost."),
            member("customerMargin", AMOUNT).needed().doc("What was paid beyond what the devices cost."),
            member("customerMarginPercent", PERCENT).doc("The margin, of what the devices cost; rounded half up."),
            member("subscriptionsTracked", COUNTED)
                .needed()
                .doc("How many subscriptions there are whose device has a known cost."),
            $($more,)*
        ])
    };
}

/// A customer in a list.
pub static CUSTOMER: Component = Component {
    name: "Customer",
    doc: "A customer with what its orders and subscriptions add up to.",
    shape: customer_members!(),
};

/// A customer by itself.
pub static CUSTOMER_DETAILS: Component = Component {
    name: "CustomerDetails",
    doc: "A customer with the same figures once more under `profitability`, and the addresses under their other names.",
    shape: customer_members!(
        member(
            "profitability",
            Shape::Object(&[
                member("lifetimeCollected", AMOUNT).needed().doc("What was paid, without tax."),
                member("totalAcquisitionCost", AMOUNT).needed().doc("What its devices cost."),
                member("costRecoveryPercent", PERCENT).doc("What was paid, of what the devices cost; cut off."),
                member("averageMonthlyRevenue", AMOUNT)
                    .needed()
                    .doc("What was paid a month, by whole months since the first subscription began."),
                member("totalDevicesEver", COUNTED).needed().doc("How many subscriptions it has had."),
                member("activeDevices", COUNTED).needed().doc("How many are active."),
            ]),
        )
        .needed(),
        member("billingAddress", Shape::Component(&ADDRESS)).doc("The same as `lastBillingAddress`."),
        member("shippingAddress", Shape::Component(&ADDRESS)).doc("The same as `lastShippingAddress`."),
    ),
};

/// A customer by itself.
pub static DETAILS: Shape = Shape::Component(&CUSTOMER_DETAILS);

/// The parameters of a list.
pub const LIST: &[Member] = &[
    LIMIT,
    START_AFTER,
    pages::sort_by(&["createdAt", "firstName", "lastName", "email", "totalMonthlyRevenue", "totalDevicesRented"]),
    SORT_DIR,
    member("status", Shape::Word(&["active", "inactive", "all"])).doc(
        "Only those that can order, which is what is listed when nothing is said, or only those that cannot, or all.",
    ),
    CUSTOMER_TYPE,
    member("email", Shape::trimmed(1, MAX_EMAIL)).doc("Only those with this e-mail address, case apart."),
    member("hasActiveRentals", Shape::Flag)
        .doc("Only those that have active subscriptions, or only those that have none."),
];

/// A page.
pub static PAGE: Shape = Shape::Object(&[
    member("customers", Shape::List(&Shape::Component(&CUSTOMER), 0, usize::MAX)).needed(),
    COUNT,
    LIMIT_SHOWN,
    HAS_MORE,
    NEXT_CURSOR,
]);

/// An e-mail address, or nothing, as it is shown of a customer that has none.
static EMAIL_OR_NONE: Format = Format {
    name: None,
    pattern: Some("^([^@\\s\\u0000-\\u001f]+@[^@\\s\\u0000-\\u001f]+)?$"),
    words: None,
    wanted: EMAIL.wanted,
    read: |text| if text.is_empty() { Some(String::new()) } else { (EMAIL.read)(text) },
};

/// A change. What is shown as an empty text because it is not known can be sent back so.
pub static CHANGE: Shape = Shape::Object(&[
    CUSTOMER_ID,
    member("email", Shape::of(&EMAIL_OR_NONE, MAX_EMAIL))
        .doc("E-mail address. It cannot be emptied.")
        .example("sarah.johnson@example.com"),
    FIRST_NAME.doc("Given name. It cannot be emptied."),
    LAST_NAME.doc("Family name. It cannot be emptied."),
    COMPANY,
    PHONE,
    CUSTOMER_TYPE,
    member("status", Shape::Word(STATUSES)).doc("Whether it can order."),
    member("billingAddress", Shape::Component(&ADDRESS)).doc("Where it is."),
    member("shippingAddress", Shape::Component(&ADDRESS)).doc("Where devices go."),
]);

/// What a change answers.
pub static CHANGED: Shape = Shape::Object(&[
    member("success", Shape::Flag).needed(),
    member("message", SHOWN).needed(),
    member("customerId", SHOWN).needed(),
    member("customer", Shape::Component(&CUSTOMER)).needed(),
]);

/// What a deactivation answers.
pub static DELETED: Shape = Shape::Object(&[
    member("success", Shape::Flag).needed(),
    member("message", SHOWN).needed(),
    member("customerId", SHOWN).needed(),
]);

fn first_name(renter: &Renter) -> SortKey {
    SortKey::Text(renter.customer.two_names().given.to_owned())
}

fn last_name(renter: &Renter) -> SortKey {
    SortKey::Text(renter.customer.two_names().family.to_owned())
}

fn email(renter: &Renter) -> SortKey {
    SortKey::Text(renter.customer.email.clone().unwrap_or_default())
}

fn revenue(renter: &Renter) -> SortKey {
    SortKey::Number(renter.book.monthly_revenue)
}

fn devices(renter: &Renter) -> SortKey {
    SortKey::Number(i64::from(renter.book.active))
}

const SORTS: &[(&str, Sort<Renter>)] = &[
    ("firstName", Sort::By(first_name)),
    ("lastName", Sort::By(last_name)),
    ("email", Sort::By(email)),
    ("totalMonthlyRevenue", Sort::By(revenue)),
    ("totalDevicesRented", Sort::By(devices)),
];

/// `GET /v1/customers`
pub fn list(_: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let paging = pages::paging(&mut asked.query, SORTS);
    let status: Option<String> = asked.query.get("status");
    let filter = RenterFilter {
        // QUIRK: those that were deleted are inactive, and hidden when nobody asks for them; DELETE /v1/customers/{id}.
        active: match status.as_deref() {
            None | Some("active") => Some(true),
            Some("inactive") => Some(false),
            Some(_) => None,
        },
        kind: kind(&mut asked.query),
        email: asked.query.get("email"),
        renting: asked.query.get("hasActiveRentals"),
    };
    Ok(Plan::scan(move |call, read| {
        let page = renters::list(read, &call.account, &filter, &paging)?;
        let shown = Shown::of(call);
        let id = |renter: &Renter| -> String { renter.customer.id.0.clone() };
        let item = |renter: &Renter| object(renter, &shown);
        Ok(Answer::ok(pages::envelope("customers", &page, paging.limit, item, id)))
    }))
}

/// `GET /v1/customers/{customerId}`
pub fn retrieve(_: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let id = CustomerId(asked.part(0));
    Ok(Plan::look(move |call, read| {
        let renter = renters::read(read, &call.account, &id)?;
        Ok(Answer::ok(details(&renter, &Shown::of(call))).tagged(renter.customer.version))
    }))
}

/// `PUT /v1/customers/{customerId}`
pub fn update(call: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let id = CustomerId(asked.part(0));
    let mut body = asked.body();
    super::require_same(&mut body, "customerId", id.as_str())?;
    let empty = empty(&mut body);
    let change = change(body);
    let insists = call.insists();
    Ok(Plan::write(move |call, tx, ctx| {
        if !empty.is_empty() {
            require_unknown(&renters::read(tx, ctx.account, &id)?.customer, &empty)?;
        }
        let renter = renters::update(tx, ctx, &id, &insists, change.clone())?;
        let (shown, version) = (Shown::of(call), renter.customer.version);
        let answer = move || {
            Object::new()
                .and("success", true)
                .and("message", "Customer updated successfully")
                .and("customerId", renter.customer.id.0.clone())
                .and("customer", object(&renter, &shown))
        };
        Ok(Answer::later(answer).tagged(version))
    }))
}

/// `DELETE /v1/customers/{customerId}`: its history stays, and it orders no more.
pub fn delete(call: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let id = CustomerId(asked.part(0));
    let insists = call.insists();
    Ok(Plan::write(move |_, tx, ctx| {
        let change = CustomerChange { status: Some(StatusChange::NotActive), ..CustomerChange::default() };
        let renter = renters::update(tx, ctx, &id, &insists, change)?;
        let answer = Object::new()
            .and("success", true)
            .and("message", "Customer deleted successfully")
            .and("customerId", renter.customer.id.0);
        Ok(Answer::ok(answer).tagged(renter.customer.version))
    }))
}

/// Takes out the facts that a body has empty and that cannot be emptied.
fn empty(body: &mut Fields) -> Vec<&'static str> {
    let mut is_empty = |name: &&str| body.take_if(name, |value| *value == Value::Text(String::new()));
    ["email", "firstName", "lastName"].into_iter().filter(|name| is_empty(name)).collect()
}

/// Refuses that facts are emptied which the customer has. Those that it does not have are shown empty.
fn require_unknown(customer: &Customer, empty: &[&'static str]) -> Result<(), Refusal> {
    let names = customer.two_names();
    let is_known = |name: &&&str| match **name {
        "email" => customer.email.is_some(),
        "firstName" => !names.given.is_empty(),
        _ => !names.family.is_empty(),
    };
    let flaws: Vec<Flaw> = empty.iter().filter(is_known).map(|name| Flaw::new(*name, Wrong::TooShort(1))).collect();
    if flaws.is_empty() { Ok(()) } else { Err(Refusal::Flaws(flaws)) }
}

/// The change that a body asks for. What it does not mention stays.
fn change(mut body: Fields) -> CustomerChange {
    // An empty text clears what may be missing.
    let mut emptied = |name: &str| match body.get::<String>(name) {
        None => Patch::Keep,
        Some(text) if text.is_empty() => Patch::Clear,
        Some(text) => Patch::Set(text),
    };
    let (business_name, phone) = (emptied("company"), emptied("phone"));
    let status: Option<String> = body.get("status");
    let mut address = |name: &str| body.get::<Fields>(name).map(addresses::read);
    let (billing, shipping) = (address("billingAddress"), address("shippingAddress"));
    CustomerChange {
        email: body.patch("email"),
        unique_email: true,
        given_name: body.patch("firstName"),
        family_name: body.patch("lastName"),
        business_name,
        phone,
        kind: kind(&mut body).map_or(Patch::Keep, Patch::Set),
        status: status.map(|status| match status.as_str() {
            "active" => StatusChange::To(CustomerStatus::Active),
            _ => StatusChange::NotActive,
        }),
        address: billing.map_or(Patch::Keep, |address| Patch::Set(NewAddress::Whole(address))),
        shipping: shipping.map_or(Patch::Keep, |address| Patch::Set(NewShipping::Address(address))),
        ..CustomerChange::default()
    }
}

/// What kind of customer is meant.
pub fn kind(given: &mut Fields) -> Option<CustomerKind> {
    given.get::<String>("customerType").as_deref().and_then(CustomerKind::named)
}

/// A customer as lists show it.
pub fn object(renter: &Renter, shown: &Shown) -> Object {
    let Renter { customer, book } = renter;
    let RentalBook {
        customer: _,
        created: _,
        orders,
        open_orders: _,
        rentals,
        active,
        monthly_revenue,
        collected,
        acquisition_cost,
        tracked,
        first_start: _,
    } = book;
    let names = customer.two_names();
    let active_status = customer.status == CustomerStatus::Active;
    let mut object = Object::new()
        .and("customerId", customer.id.0.clone())
        .and("tenantId", shown.tenant.clone())
        .and("email", customer.email.clone().unwrap_or_default())
        .and("firstName", names.given.to_owned())
        .and("lastName", names.family.to_owned());
    add(&mut object, "company", &customer.business_name);
    add(&mut object, "phone", &customer.phone);
    object.add("customerType", renter.kind().as_str());
    if let Some(entries) = customer.free_data() {
        object.add("customFields", data::json(&entries));
    }
    object.add("totalOrders", count(orders.len()));
    object.add("totalDevicesRented", i64::from(*active));
    object.add("totalMonthlyRevenue", shown.money(*monthly_revenue));
    object.add("status", if active_status { "active" } else { "inactive" });
    object.add("orderIds", ids(orders.iter().map(|id| &id.0)));
    object.add("rentalIds", ids(rentals.iter().map(|id| &id.0)));
    if let Some(address) = billing(customer) {
        object.add("lastBillingAddress", address);
    }
    if let Some(address) = shipping(customer) {
        object.add("lastShippingAddress", address);
    }
    object.add("createdAt", time(customer.created));
    object.add("updatedAt", time(customer.updated));
    // Whatever makes a customer here does so with a key of the API.
    object.add("createdBy", "api");
    object.add("lifetimeCollected", shown.money(*collected));
    object.add("totalAcquisitionCost", shown.money(*acquisition_cost));
    object.add("customerMargin", shown.money(book.margin()));
    if let Some(hundredths) = book.margin_hundredths() {
        object.add("customerMarginPercent", Json::Decimal(hundredths, 2));
    }
    object.add("subscriptionsTracked", i64::from(*tracked));
    object
}

/// A customer by itself.
fn details(renter: &Renter, shown: &Shown) -> Object {
    let Renter { customer, book } = renter;
    let mut profitability = Object::new()
        .and("lifetimeCollected", shown.money(book.collected))
        .and("totalAcquisitionCost", shown.money(book.acquisition_cost));
    if let Some(hundredths) = book.recovery_hundredths() {
        profitability.add("costRecoveryPercent", Json::Decimal(hundredths, 2));
    }
    profitability.add("averageMonthlyRevenue", shown.money(book.average_monthly(shown.now)));
    profitability.add("totalDevicesEver", count(book.rentals.len()));
    profitability.add("activeDevices", i64::from(book.active));
    let mut object = object(renter, shown);
    object.add("profitability", profitability);
    if let Some(address) = billing(customer) {
        object.add("billingAddress", address);
    }
    if let Some(address) = shipping(customer) {
        object.add("shippingAddress", address);
    }
    object
}

fn billing(customer: &Customer) -> Option<Object> {
    customer.address.as_ref().map(|address| addresses::object(address, customer.billing_contact()))
}

fn shipping(customer: &Customer) -> Option<Object> {
    let shipping = customer.shipping.as_ref();
    shipping.map(|shipping| addresses::object(&shipping.address, customer.shipping_contact()))
}

/// A list of ids.
pub fn ids<'a>(ids: impl Iterator<Item = &'a String>) -> Json {
    Json::List(ids.map(Json::from).collect())
}

fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
