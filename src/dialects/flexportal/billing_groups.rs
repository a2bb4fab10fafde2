//! Billing groups: create, list, retrieve, update, delete.

use std::sync::Arc;

use super::failure::named_by;
use super::pages::{self, LIMIT, SORT_DIR, START_AFTER, sort_by};
use super::subscription_shapes::ID;
use super::{Shown, signature, time};
use crate::domain::billing_group::{
    BillingGroup, BillingGroupChange, GroupStatus, MAX_DAY, MAX_NAME, MAX_NOTES, MAX_RENTALS, NewBillingGroup,
};
use crate::domain::ids::{BillingGroupId, CustomerId, RentalId};
use crate::domain::problem::Problem;
use crate::domain::rental_problem::RentalProblem;
use crate::engine::Stop;
use crate::engine::billing_groups::{self, GroupFilter};
use crate::engine::listing::{Sort, SortKey};
use crate::http::json::{Json, Object};
use crate::rest::shape::{Member, member};
use crate::rest::{Answer, Asked, Call, Component, Fields, Halt, Plan, Refusal, Shape};

const STATUS: Shape = Shape::Word(&["active", "inactive"]);
const NAME: Shape = Shape::text(1, MAX_NAME);
const NOTES: Shape = Shape::text(0, MAX_NOTES);
const MOMENT: Shape = Shape::text(1, 64);
const TEXT: Shape = Shape::text(0, 100_000);
// A day that no group can have is refused with a code of its own.
const DAY: Shape = Shape::Whole(-1_000_000, 1_000_000);
static ITEM: Shape = ID;

/// The variable part of the path.
pub const PARTS: &[Member] = &[member("billingGroupId", ID).needed().doc("The group's id.")];

/// A new group.
pub static NEW: Shape = Shape::Object(&[
    member("customerId", ID).needed().doc("Whose subscriptions are in it."),
    member("groupName", NAME).needed().example("IT department"),
    member("billingDay", DAY).needed().doc("On which day of the month it bills, 1 to 28.").example("15"),
    member("rentalIds", Shape::List(&ITEM, 1, MAX_RENTALS)).needed().doc("Its subscriptions."),
    member("notes", NOTES),
]);

/// What changes of a group.
pub static CHANGE: Shape = Shape::Object(&[
    member("groupName", NAME),
    member("billingDay", DAY).doc("1 to 28."),
    member("rentalIds", Shape::List(&ITEM, 0, MAX_RENTALS)).doc("In place of all that it has."),
    member("notes", NOTES).doc("An empty text for none."),
    member("status", STATUS).doc("The subscriptions of an inactive group are billed one by one."),
]);

const SORT_KEYS: &[&str] = &["createdAt", "updatedAt", "groupName"];
const SORTS: &[(&str, Sort<BillingGroup>)] = &[
    ("updatedAt", Sort::By(|group| SortKey::Number(group.updated.0))),
    ("groupName", Sort::By(|group| SortKey::Text(group.name.clone()))),
];

/// The parameters of a list.
pub const LIST: &[Member] = &[
    LIMIT,
    START_AFTER,
    sort_by(SORT_KEYS),
    SORT_DIR,
    member("customerId", Shape::text(0, 255)).doc("Those of this customer."),
    member("status", STATUS).doc("Those that are so."),
];

static GROUP_COMPONENT: Component = Component {
    name: "BillingGroup",
    doc: "Subscriptions of a customer that are billed together.",
    shape: Shape::Object(&[
        member("billingGroupId", ID).needed(),
        member("tenantId", TEXT).needed(),
        member("customerId", ID).needed(),
        member("groupName", TEXT).needed(),
        member("rentalIds", Shape::List(&ITEM, 0, MAX_RENTALS)),
        member("billingDay", Shape::Whole(1, MAX_DAY as i64)).needed(),
        member("totalMonthlyAmount", Shape::Money(0, i64::MAX)).needed().doc("Of its active subscriptions."),
        member("activeRentalCount", Shape::Whole(0, i64::MAX)),
        member("currency", Shape::text(3, 3)).needed(),
        member("status", STATUS).needed(),
        member("createdBy", TEXT).needed(),
        member("notes", TEXT),
        member("createdAt", MOMENT).needed(),
        member("updatedAt", MOMENT).needed(),
    ]),
};
static GROUP: Shape = Shape::Component(&GROUP_COMPONENT);

/// A page of groups.
pub static PAGE: Shape = Shape::Object(&[
    member("success", Shape::Flag).needed(),
    member("billingGroups", Shape::List(&GROUP, 0, 100)).needed(),
    pages::COUNT,
    pages::HAS_MORE,
    pages::NEXT_CURSOR,
]);
/// A group in its envelope.
pub static ONE: Shape = Shape::Object(&[
    member("success", Shape::Flag).needed(),
    member("billingGroup", Shape::Component(&GROUP_COMPONENT)).needed(),
]);
/// What became of a group.
pub static SETTLED: Shape = Shape::Object(&[
    member("success", Shape::Flag).needed(),
    member("message", TEXT).needed(),
    member("billingGroup", Shape::Component(&GROUP_COMPONENT)).needed(),
]);
/// That a group is gone.
pub static DELETED: Shape = Shape::Object(&[member("success", Shape::Flag).needed(), member("message", TEXT).needed()]);

/// `POST /v1/billing-groups`
pub fn create(call: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let mut body = asked.body();
    let wish = NewBillingGroup {
        customer: CustomerId(body.needed("customerId")),
        name: body.needed("groupName"),
        day: day(&mut body).unwrap_or_default(),
        rentals: body.needed::<Vec<String>>("rentalIds").into_iter().map(RentalId).collect(),
        notes: body.get("notes"),
    };
    let by = signature(&call.key);
    Ok(Plan::write(move |call, tx, ctx| {
        let group = billing_groups::create(tx, ctx, wish.clone(), &by).map_err(named_in_body)?;
        Ok(settled("Billing group created successfully", &group, call).created().located(call, group.id.as_str()))
    }))
}

/// A problem of something that a body refers to.
fn named_in_body(stop: Stop) -> Halt {
    match &stop {
        Stop::Problem(Problem::Rental(RentalProblem::NoSuchHolder(_))) => named_by("customerId")(stop),
        Stop::Problem(_) | Stop::Failure(_) => stop.into(),
    }
}

/// The day that was given; one that is no day of any month is none that a group can have.
fn day(body: &mut Fields) -> Option<u8> {
    body.get::<i64>("billingDay").map(|day| u8::try_from(day).unwrap_or_default())
}

/// `GET /v1/billing-groups`
pub fn list(_: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let paging = pages::paging(&mut asked.query, SORTS);
    let filter = GroupFilter {
        customer: asked.query.get("customerId").map(CustomerId),
        status: asked.query.get::<String>("status").and_then(|word| GroupStatus::named(&word)),
    };
    Ok(Plan::scan(move |call, read| {
        let page = billing_groups::list(read, &call.account, &filter, &paging)?;
        let shown = Shown::of(call);
        let item = |group: &BillingGroup| object(group, &shown);
        Ok(Answer::ok(pages::said_well("billingGroups", &page, item, |group| group.id.0.clone())))
    }))
}

/// `GET /v1/billing-groups/{billingGroupId}`
pub fn retrieve(_: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let id = BillingGroupId(asked.part(0));
    Ok(Plan::look(move |call, read| {
        let group = billing_groups::read(read, &call.account, &id)?;
        Ok(Answer::ok(Object::new().and("success", true).and("billingGroup", object(&group, &Shown::of(call)))))
    }))
}

/// `PATCH /v1/billing-groups/{billingGroupId}`
pub fn update(_: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let id = BillingGroupId(asked.part(0));
    let mut body = asked.body();
    let change = BillingGroupChange {
        name: body.get("groupName"),
        day: day(&mut body),
        rentals: body.get::<Vec<String>>("rentalIds").map(|ids| ids.into_iter().map(RentalId).collect()),
        notes: body.get("notes"),
        status: body.get::<String>("status").and_then(|word| GroupStatus::named(&word)),
    };
    Ok(Plan::write(move |call, tx, ctx| {
        let group = billing_groups::update(tx, ctx, &id, change.clone())?;
        Ok(settled("Billing group updated successfully", &group, call))
    }))
}

/// `DELETE /v1/billing-groups/{billingGroupId}`
pub fn delete(_: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let id = BillingGroupId(asked.part(0));
    Ok(Plan::write(move |_, tx, ctx| {
        billing_groups::delete(tx, ctx, &id)?;
        Ok(Answer::ok(Object::new().and("success", true).and("message", "Billing group deleted successfully")))
    }))
}

fn settled(message: &'static str, group: &BillingGroup, call: &Call) -> Answer {
    let shown = Shown::of(call);
    Answer::ok(Object::new().and("success", true).and("message", message).and("billingGroup", object(group, &shown)))
}

/// A group as it is shown.
pub fn object(group: &BillingGroup, shown: &Shown) -> Object {
    let ids = group.members.iter().map(|member| member.rental.0.clone().into());
    let mut object = Object::new()
        .and("billingGroupId", group.id.0.clone())
        .and("tenantId", shown.tenant.clone())
        .and("customerId", group.customer.0.clone())
        .and("groupName", group.name.clone())
        .and("rentalIds", Json::List(ids.collect()))
        .and("billingDay", i64::from(group.day))
        .and("totalMonthlyAmount", shown.money(group.total_monthly()))
        .and("activeRentalCount", i64::try_from(group.active()).unwrap_or(i64::MAX))
        .and("currency", group.currency.as_str().to_ascii_uppercase())
        .and("status", group.status.as_str())
        .and("createdBy", group.created_by.clone());
    if let Some(notes) = &group.notes {
        object.add("notes", notes.clone());
    }
    object.and("createdAt", time(group.created)).and("updatedAt", time(group.updated))
}
