//! Payments: list, retrieve, mark paid, cancel.

use std::sync::Arc;

use super::pages::{self, LIMIT, SORT_DIR, START_AFTER, sort_by};
use super::subscription_shapes::{DATE, ID};
use super::{Shown, signature, time};
use crate::domain::ids::{BillingGroupId, CustomerId, RentalId, RentalPaymentId};
use crate::domain::page::Span;
use crate::domain::period::DayOrMoment;
use crate::domain::rental_payment::{
    Billed, MAX_LINES, MAX_NOTES, MAX_REFERENCE, MarkPaid, PaymentLine, PaymentStatus, RentalPayment,
};
use crate::engine::listing::{Sort, SortKey};
use crate::engine::rental_payments::{self, PaymentFilter};
use crate::http::json::{Json, Object};
use crate::rest::shape::{Member, member};
use crate::rest::{Answer, Asked, Call, Component, Flaw, Plan, Refusal, Shape, formats};

const STATUS: Shape = Shape::Word(&["pending", "processing", "paid", "failed", "cancelled"]);
const MOMENT: Shape = Shape::text(1, 64);
const MONEY: Shape = Shape::Money(0, i64::MAX);
const TEXT: Shape = Shape::text(0, 100_000);

/// The variable part of the path.
pub const PARTS: &[Member] = &[member("paymentId", ID).needed().doc("The payment's id.")];

const SORT_KEYS: &[&str] = &["createdAt", "updatedAt", "dueDate", "total", "status"];
const SORTS: &[(&str, Sort<RentalPayment>)] = &[
    ("updatedAt", Sort::By(|payment| SortKey::Number(payment.updated.0))),
    ("dueDate", Sort::By(|payment| SortKey::Number(payment.due.0))),
    ("total", Sort::By(|payment| SortKey::Number(total(payment)))),
    ("status", Sort::By(|payment| SortKey::Text(payment.status.as_str().to_owned()))),
];

/// The parameters of a list.
pub const LIST: &[Member] = &[
    LIMIT,
    START_AFTER,
    sort_by(SORT_KEYS),
    SORT_DIR,
    member("status", STATUS).doc("Those that are so far."),
    member("customerId", Shape::text(0, 255)).doc("Those of this customer."),
    member("rentalId", Shape::text(0, 255)).doc("Those of this subscription alone."),
    member("billingGroupId", Shape::text(0, 255)).doc("Those of this group."),
    member("dueDateFrom", DATE).doc("Those that are due then or later.").example("2026-03-01"),
    member("dueDateTo", DATE).doc("Those that are due then or before; a date is the whole day.").example("2026-03-31"),
];

/// That money came.
pub static MARK_PAID: Shape = Shape::Object(&[
    member("paymentReference", Shape::text(0, MAX_REFERENCE)).doc("The number of the payment at the bank."),
    member("reference", Shape::text(0, MAX_REFERENCE)).doc("The same as paymentReference."),
    member("paidAt", DATE).doc("When; now when nothing is said."),
    member("notes", Shape::text(0, MAX_NOTES)),
]);

/// That a payment is not to be made.
pub static CANCEL: Shape =
    Shape::Object(&[member("reason", Shape::text(1, MAX_NOTES)).needed().doc("Why.").example("Goodwill")]);

static LINE: Shape = Shape::Object(&[
    member("rentalId", ID).needed(),
    member("description", TEXT).needed(),
    member("amount", MONEY).needed(),
    member("taxAmount", MONEY),
]);

static PAYMENT_COMPONENT: Component = Component {
    name: "Payment",
    doc: "What is to be paid for a month of a subscription or of a billing group, or at the end of a subscription.",
    shape: Shape::Object(&[
        member("paymentId", ID).needed(),
        member("tenantId", TEXT).needed(),
        member("customerId", ID).needed(),
        member("subtotal", MONEY).needed().doc("Without tax."),
        member("taxAmount", MONEY),
        member("taxRate", Shape::number(0, 10_000, 2)).doc("In percent."),
        member("total", MONEY).needed(),
        member("currency", Shape::text(3, 3)).needed(),
        member("amount", MONEY).doc("The same as total."),
        member("paymentType", Shape::Word(&["individual", "consolidated"])).needed(),
        member("rentalId", ID),
        member("subscriptionId", ID).doc("The same as rentalId."),
        member("billingGroupId", ID),
        member("billingPeriod", Shape::of(&formats::MONTH, 7)).needed(),
        member("status", STATUS).needed(),
        member("provider", Shape::Word(&["manual"])),
        member("manuallyMarked", Shape::Flag),
        member("paymentReference", TEXT),
        member("markedBy", TEXT),
        member("captureAttempts", Shape::Whole(0, i64::MAX)),
        member("lineItems", Shape::List(&LINE, 0, MAX_LINES)),
        member("lateFeeApplied", Shape::Flag),
        member("idempotencyKey", Shape::text(1, 1_000)).needed(),
        member("notes", TEXT),
        member("cancellationReason", TEXT),
        member("dueDate", MOMENT).needed(),
        member("paidAt", MOMENT).nullable(),
        member("lastCaptureAttempt", MOMENT).nullable(),
        member("nextRetryAt", MOMENT).nullable(),
        member("createdAt", MOMENT).needed(),
        member("updatedAt", MOMENT).needed(),
    ]),
};
static PAYMENT: Shape = Shape::Component(&PAYMENT_COMPONENT);

/// A page of payments.
pub static PAGE: Shape = Shape::Object(&[
    member("success", Shape::Flag).needed(),
    member("payments", Shape::List(&PAYMENT, 0, 100)).needed(),
    pages::COUNT,
    pages::HAS_MORE,
    pages::NEXT_CURSOR,
]);
/// A payment in its envelope.
pub static ONE: Shape = Shape::Object(&[
    member("success", Shape::Flag).needed(),
    member("payment", Shape::Component(&PAYMENT_COMPONENT)).needed(),
]);
/// What became of a payment.
pub static SETTLED: Shape = Shape::Object(&[
    member("success", Shape::Flag).needed(),
    member("message", TEXT).needed(),
    member("payment", Shape::Component(&PAYMENT_COMPONENT)).needed(),
]);

/// `GET /v1/payments`
pub fn list(_: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let paging = pages::paging(&mut asked.query, SORTS);
    let query = &mut asked.query;
    let filter = PaymentFilter {
        status: query.get::<String>("status").and_then(|word| PaymentStatus::named(&word)),
        customer: query.get("customerId").map(CustomerId),
        rental: query.get("rentalId").map(RentalId),
        group: query.get("billingGroupId").map(BillingGroupId),
        due: Span {
            from: query.get("dueDateFrom").map(DayOrMoment::start),
            until: query.get("dueDateTo").map(DayOrMoment::end),
        },
    };
    Ok(Plan::scan(move |call, read| {
        let page = rental_payments::list(read, &call.account, &filter, &paging)?;
        let shown = Shown::of(call);
        let item = |payment: &RentalPayment| object(payment, &shown);
        let id = |payment: &RentalPayment| payment.id.0.clone();
        Ok(Answer::ok(pages::said_well("payments", &page, item, id)))
    }))
}

/// `GET /v1/payments/{paymentId}`
pub fn retrieve(_: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let id = RentalPaymentId(asked.part(0));
    Ok(Plan::look(move |call, read| {
        let payment = rental_payments::read(read, &call.account, &id)?;
        Ok(Answer::ok(Object::new().and("success", true).and("payment", object(&payment, &Shown::of(call)))))
    }))
}

/// `POST /v1/payments/{paymentId}/mark-paid`
pub fn mark_paid(call: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let id = RentalPaymentId(asked.part(0));
    let mut body = asked.body();
    // QUIRK: the schema calls it paymentReference, the page reference.
    let reference = match (body.get::<String>("paymentReference"), body.get::<String>("reference")) {
        (Some(one), Some(other)) if one != other => {
            return Err(Refusal::flaw(Flaw::rule("reference", "custom", "has to be the same as paymentReference")));
        }
        (one, other) => one.or(other),
    };
    let some = |text: Option<String>| text.filter(|text| !text.is_empty());
    let wish = MarkPaid {
        paid_at: body.get("paidAt").map(DayOrMoment::start),
        reference: some(reference),
        notes: some(body.get("notes")),
    };
    let by = signature(&call.key);
    Ok(Plan::write(move |call, tx, ctx| {
        let payment = rental_payments::mark_paid(tx, ctx, &id, wish.clone(), &by)?;
        Ok(settled("Payment marked as paid", &payment, call))
    }))
}

/// `POST /v1/payments/{paymentId}/cancel`
pub fn cancel(_: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let id = RentalPaymentId(asked.part(0));
    let reason: String = asked.body().needed("reason");
    Ok(Plan::write(move |call, tx, ctx| {
        let payment = rental_payments::cancel(tx, ctx, &id, reason.clone())?;
        Ok(settled("Payment cancelled", &payment, call))
    }))
}

fn settled(message: &'static str, payment: &RentalPayment, call: &Call) -> Answer {
    let shown = Shown::of(call);
    Answer::ok(Object::new().and("success", true).and("message", message).and("payment", object(payment, &shown)))
}

fn total(payment: &RentalPayment) -> i64 {
    let amount = payment.amount();
    amount.net.saturating_add(amount.tax)
}

/// A payment as it is shown.
pub fn object(payment: &RentalPayment, shown: &Shown) -> Object {
    let RentalPayment {
        id,
        created,
        updated,
        customer,
        of,
        purpose: _,
        period,
        lines,
        tax_rate,
        currency,
        status,
        due,
        paid_at,
        marked_by,
        reference,
        notes,
        cancel_reason,
    } = payment;
    let amount = payment.amount();
    let mut object = Object::new()
        .and("paymentId", id.0.clone())
        .and("tenantId", shown.tenant.clone())
        .and("customerId", customer.0.clone())
        .and("subtotal", shown.money(amount.net))
        .and("taxAmount", shown.money(amount.tax))
        .and("taxRate", Json::Decimal(tax_rate.map_or(0, |rate| rate.hundredths()), 2))
        .and("total", shown.money(total(payment)))
        .and("currency", currency.as_str().to_ascii_uppercase())
        .and("amount", shown.money(total(payment)));
    match of {
        Billed::Rental(rental) => {
            object.add("paymentType", "individual");
            object.add("rentalId", rental.0.clone());
            object.add("subscriptionId", rental.0.clone());
        }
        Billed::Group(group) => {
            object.add("paymentType", "consolidated");
            object.add("billingGroupId", group.0.clone());
        }
    }
    object.add("billingPeriod", period.to_string());
    object.add("status", status.as_str());
    object.add("provider", "manual");
    object.add("manuallyMarked", marked_by.is_some());
    let mut optional = |name: &'static str, text: &Option<String>| {
        if let Some(text) = text {
            object.add(name, text.clone());
        }
    };
    optional("paymentReference", reference);
    optional("markedBy", marked_by);
    optional("notes", notes);
    optional("cancellationReason", cancel_reason);
    let line = |line: &PaymentLine| {
        Object::new()
            .and("rentalId", line.rental.0.clone())
            .and("description", line.description.clone())
            .and("amount", shown.money(line.amount.net))
            .and("taxAmount", shown.money(line.amount.tax))
            .into()
    };
    object
        .and("captureAttempts", 0i64)
        .and("lineItems", Json::List(lines.iter().map(line).collect()))
        .and("lateFeeApplied", false)
        .and("idempotencyKey", payment.natural_key())
        .and("dueDate", time(*due))
        .and("paidAt", paid_at.map(time))
        // Nobody collects by himself, so nothing was tried and nothing will be.
        .and("lastCaptureAttempt", Json::Null)
        .and("nextRetryAt", Json::Null)
        .and("createdAt", time(*created))
        .and("updatedAt", time(*updated))
}
