//! What subscriptions look like in requests and replies, and how one is shown. FlexPortal calls one and the same thing rental
//! and subscription; its id is shown under both names.

use super::pages;
use super::{Shown, time};
use crate::domain::ids::RentalId;
use crate::domain::money::MAX_AMOUNT;
use crate::domain::rental::{
    CapturedPrice, Ended, Ending, Extension, MAX_CANCELLATION_NOTES, MAX_NOTES, MAX_REASON, Recovery, Rental,
    Replacement,
};
use crate::http::json::{Json, Object};
use crate::rest::formats;
use crate::rest::shape::{Member, member};
use crate::rest::{Component, Shape};

/// An id, or something else by which a thing is named.
pub const ID: Shape = Shape::text(1, 255);
/// Free text.
pub const NOTES: Shape = Shape::text(0, MAX_NOTES);
/// A reason in free text.
pub const REASON: Shape = Shape::text(1, MAX_REASON);
/// An amount that a rule looks at: one below zero has a code of its own.
pub const AMOUNT: Shape = Shape::Money(-MAX_AMOUNT, MAX_AMOUNT);
/// An amount.
pub const PRICE: Shape = Shape::Money(0, MAX_AMOUNT);
/// A number of months that a rule looks at: one that no contract can have has a code of its own.
pub const MONTHS: Shape = Shape::Whole(-1_000_000, 1_000_000);

const MOMENT: Shape = Shape::text(1, 64);
pub(super) const MONEY: Shape = Shape::Money(i64::MIN, i64::MAX);
pub(super) const COUNT: Shape = Shape::Whole(0, i64::MAX);
pub(super) const PERCENT: Shape = Shape::number(i64::MIN, i64::MAX, 2);
const TEXT: Shape = Shape::text(0, 100_000);

/// The statuses of a subscription.
pub const STATUS: Shape =
    Shape::Word(&["active", "cancelled", "ended_completed", "ended_buyout", "ended_upgrade", "ended_early_return"]);
const CONDITION: Shape = Shape::Word(&["excellent", "good", "fair", "poor", "damaged"]);
const REPLACEMENT: Shape = Shape::Word(&["damaged", "stolen", "defective", "lost"]);
const CANCELLATION: Shape = Shape::Word(&["customer_request", "payment_failure", "fraud", "admin_decision", "other"]);

/// A date or a moment: the published schema asks for a moment, its samples are dates.
pub const DATE: Shape = Shape::of(&formats::DAY_OR_MOMENT, 40);

// The published schemas ask for the id in bodies as well; the guides leave it out.
const RENTAL_ID: Member = member("rentalId", ID).doc("That of the path.");
const SUBSCRIPTION_ID: Member = member("subscriptionId", ID).doc("The same as rentalId.");

/// A new subscription.
pub static NEW: Shape = Shape::Object(&[
    member("orderId", ID).needed().doc("The order that it fulfils a unit of."),
    member("assetSerialNumber", ID).needed().doc("The device."),
    member("customerId", ID).needed().doc("The customer of the order."),
    member("billingGroupId", Shape::text(0, 255)).doc("The group that bills for it; an empty text for none."),
    member("startDate", DATE).doc("When the contract begins; now when nothing is said.").example("2026-03-01"),
    member("contractLength", MONTHS).doc("In months, 1 to 120; what was ordered when nothing is said.").example("12"),
    member("notes", NOTES),
]);

/// A longer contract.
pub static EXTEND: Shape = Shape::Object(&[
    RENTAL_ID,
    SUBSCRIPTION_ID,
    member("extensionMonths", MONTHS)
        .needed()
        .doc("How many months are added; the contract has at most 120.")
        .example("6"),
    member("newMonthlyAmount", PRICE).doc("What is paid a month from now on.").example("99"),
    member("reason", REASON),
    member("notes", NOTES),
]);

/// Another device on a contract of its own.
pub static UPGRADE: Shape = Shape::Object(&[
    RENTAL_ID,
    SUBSCRIPTION_ID,
    member("newSku", Shape::trimmed(1, 255)).needed().doc("The SKU of the new device."),
    member("newSerialNumber", ID).doc("The new device; the one that has waited longest when nothing is said."),
    member("contractLength", MONTHS).doc("The length of the new contract in months, 1 to 120.").example("24"),
    member("newContractLength", MONTHS).doc("The same as contractLength."),
    member("newMonthlyAmount", PRICE)
        .doc("What is paid a month; the variant's price when nothing is said.")
        .example("159"),
    member("reason", REASON),
    member("notes", NOTES),
]);

/// Another device on the same contract.
pub static REPLACE: Shape = Shape::Object(&[
    RENTAL_ID,
    SUBSCRIPTION_ID,
    member("newSerialNumber", ID).needed().doc("The new device."),
    member("newSku", Shape::trimmed(0, 255)).doc("Its SKU, where it is another one."),
    member("replacementReason", REPLACEMENT).doc("Why. Either this or `reason` has to be given."),
    member("reason", REASON).doc("The same in words."),
    member("damageAssessment", TEXT_IN),
    member("insuranceClaim", Shape::Flag),
    member("notes", NOTES),
]);
const TEXT_IN: Shape = Shape::text(0, MAX_REASON);

/// A device that is sold.
pub static BUYOUT: Shape = Shape::Object(&[
    RENTAL_ID,
    SUBSCRIPTION_ID,
    member("buyoutPrice", AMOUNT).doc("What is paid; calculated when nothing is said. Not below 0.").example("450"),
    member("reason", REASON)
        .doc("customer_request, end_of_contract or other; other words are kept beside `other`.")
        .example("customer_request"),
    member("effectiveDate", DATE).doc("When; now when nothing is said. Not later than now."),
    member("notes", NOTES),
]);

/// A device that comes back.
pub static EARLY_RETURN: Shape = Shape::Object(&[
    RENTAL_ID,
    SUBSCRIPTION_ID,
    member("returnCondition", CONDITION).doc("`good` when nothing is said."),
    member("earlyReturnFee", AMOUNT)
        .doc("What is charged; calculated when nothing is said. Not below 0.")
        .example("258"),
    member("waiveFee", Shape::Flag).doc("Nothing is charged."),
    member("reason", REASON),
    member("damageAssessment", TEXT_IN),
    member("effectiveDate", DATE).doc("When; now when nothing is said. Not later than now."),
    member("notes", NOTES),
]);

/// A subscription that is given up.
pub static CANCEL: Shape = Shape::Object(&[
    RENTAL_ID,
    SUBSCRIPTION_ID,
    member("reason", CANCELLATION).needed(),
    member("notes", Shape::text(0, MAX_CANCELLATION_NOTES)),
]);

/// Other notes.
pub static NOTE: Shape = Shape::Object(&[member("notes", NOTES).needed().doc("An empty text for none.")]);

/// Of which subscription something is calculated.
pub static CALCULATE: Shape = Shape::Object(&[
    member("rentalId", ID).doc("The subscription. Either this or `subscriptionId` has to be given."),
    member("subscriptionId", ID).doc("The same as rentalId."),
]);

const BY: Shape =
    Shape::Object(&[member("userId", TEXT).needed().doc("The name of the API key."), member("displayName", TEXT)]);

static EXTENSION: Shape = Shape::Object(&[
    member("extensionMonths", COUNT).needed(),
    member("oldContractLength", COUNT).needed(),
    member("newContractLength", COUNT).needed(),
    member("oldMonthlyAmount", MONEY).needed(),
    member("newMonthlyAmount", MONEY).needed(),
    member("reason", TEXT),
    member("notes", TEXT),
    member("extendedBy", BY).needed(),
    member("oldEndDate", MOMENT).needed(),
    member("newEndDate", MOMENT).needed(),
    member("extendedAt", MOMENT).needed(),
]);

static REPLACED: Shape = Shape::Object(&[
    member("oldSerialNumber", TEXT).needed(),
    member("newSerialNumber", TEXT).needed(),
    member("reason", TEXT).needed(),
    member("damageAssessment", TEXT),
    member("insuranceClaim", Shape::Flag),
    member("notes", TEXT),
    member("replacedBy", BY).needed(),
    member("replacedAt", MOMENT).needed(),
]);

const BUYOUT_DETAILS: Shape = Shape::Object(&[
    member("buyoutPrice", MONEY).needed(),
    member("calculationMethod", Shape::Word(&["auto_calculated", "manual_override"])).needed(),
    member(
        "calculationBreakdown",
        Shape::Object(&[
            member("remainingMonths", COUNT).needed(),
            member("remainingMonthsPayment", MONEY).needed(),
            member("listPricePercentage", PERCENT).needed(),
            member("listPriceAmount", MONEY).needed(),
            member("flatFee", MONEY).needed(),
        ]),
    ),
    member("reason", Shape::Word(&["customer_request", "end_of_contract", "other"])).needed(),
    member("reasonDetail", TEXT).doc("The reason as it was written, where it is no word of `reason`."),
    member("notes", TEXT),
    member("processedBy", BY).needed(),
    member("buyoutDate", MOMENT).needed(),
]);

const RETURN_DETAILS: Shape = Shape::Object(&[
    member("fee", MONEY).needed(),
    member("feeWaived", Shape::Flag).needed(),
    member("calculationMethod", Shape::Word(&["auto_calculated", "manual_override"])).needed(),
    member(
        "calculationBreakdown",
        Shape::Object(&[
            member("method", Shape::Word(&["remaining_months", "flat_fee", "no_fee", "manual"])).needed(),
            member("remainingMonths", COUNT).needed(),
            member("gracePeriodApplied", Shape::Flag).needed(),
            member("daysFromStart", COUNT).needed(),
        ]),
    ),
    member("returnCondition", CONDITION).needed(),
    member("reason", TEXT).needed(),
    member("damageAssessment", TEXT),
    member("notes", TEXT),
    member("processedBy", BY).needed(),
    member("returnedAt", MOMENT).needed(),
]);

const CANCELLATION_DETAILS: Shape = Shape::Object(&[
    member("reason", CANCELLATION).needed(),
    member("notes", TEXT),
    member("processedBy", BY).needed(),
    member("cancelledAt", MOMENT).needed(),
]);

const SOURCE: Shape = Shape::Word(&["variant", "manual", "order_override"]);

/// A subscription as it is shown.
static SUBSCRIPTION_COMPONENT: Component = Component {
    name: "Subscription",
    doc: "A device that a customer has for a contract's time and pays by the month.",
    shape: Shape::Object(&[
        member("rentalId", ID).needed(),
        member("subscriptionId", ID).needed().doc("The same as rentalId."),
        member("tenantId", TEXT).needed(),
        member("assetSerialNumber", TEXT).needed(),
        member("customerId", ID).needed(),
        member("productId", TEXT),
        member("variantId", TEXT),
        member("sku", TEXT).needed(),
        member("productName", TEXT).needed(),
        member("productImageUrl", TEXT),
        member("monthlyAmount", MONEY).needed(),
        member("currency", TEXT).needed(),
        member("status", STATUS).needed(),
        member("billingGroupId", TEXT),
        member("originalContractLength", COUNT).needed(),
        member("contractLength", COUNT).needed(),
        member("startDate", MOMENT).needed(),
        member("endDate", MOMENT),
        member("nextBillingDate", MOMENT),
        member("lastModifiedDate", MOMENT),
        member("extensionHistory", Shape::List(&EXTENSION, 0, 1_000)),
        member("actualMonthsRented", COUNT),
        member("monthsSaved", COUNT).doc("Months of the contract that a subscription that ended did not last."),
        member("listPrice", MONEY),
        member("listPriceSource", SOURCE),
        member("listPriceCapturedAt", MOMENT),
        member("acquisitionCost", MONEY),
        member("acquisitionCostSource", SOURCE),
        member("acquisitionCostCapturedAt", MOMENT),
        member("totalCollected", MONEY).doc("What was paid, without tax."),
        member("costRecoveryPercent", PERCENT),
        member("currentProfit", MONEY),
        member("breakevenMonths", COUNT),
        member("hasReachedBreakeven", Shape::Flag),
        member("recoveryStatus", Shape::Word(&["profitable", "recovering", "at_risk", "no_data"])),
        member("replacementHistory", Shape::List(&REPLACED, 0, 1_000)),
        member("buyoutDetails", BUYOUT_DETAILS),
        member("earlyReturnDetails", RETURN_DETAILS),
        member("cancellationDetails", CANCELLATION_DETAILS),
        member("orderId", ID).needed(),
        member("upgradeFromRentalId", TEXT),
        member("upgradeToRentalId", TEXT),
        member("customerEmail", TEXT).needed(),
        member("customerName", TEXT).needed(),
        member("createdAt", MOMENT).needed(),
        member("updatedAt", MOMENT).needed(),
        member("createdBy", TEXT).needed(),
        member("notes", TEXT),
    ]),
};
/// A subscription as it is shown.
pub static SUBSCRIPTION: Shape = Shape::Component(&SUBSCRIPTION_COMPONENT);

/// A page of subscriptions.
pub static PAGE: Shape = Shape::Object(&[
    member("rentals", Shape::List(&SUBSCRIPTION, 0, 100)).needed(),
    pages::COUNT,
    pages::LIMIT_SHOWN,
    pages::HAS_MORE,
    pages::NEXT_CURSOR,
]);

pub(super) const SUCCESS: Member = member("success", Shape::Flag).needed();
const MESSAGE: Member = member("message", TEXT).needed();
pub(super) const ITS_ID: Member = member("rentalId", ID).needed();
pub(super) const ITS_OTHER_ID: Member = member("subscriptionId", ID).needed();
const SERIAL: Member = member("assetSerialNumber", TEXT).needed();
const CURRENCY: Member = member("currency", TEXT).needed();
const ITSELF: Member = member("subscription", Shape::Component(&SUBSCRIPTION_COMPONENT)).needed();

/// A new subscription.
pub static MADE: Shape = Shape::Object(&[
    SUCCESS,
    MESSAGE,
    ITS_ID,
    ITS_OTHER_ID,
    member("rental", Shape::Component(&SUBSCRIPTION_COMPONENT)).needed(),
]);
/// A longer contract.
pub static EXTENDED: Shape = Shape::Object(&[
    SUCCESS,
    MESSAGE,
    ITS_ID,
    ITS_OTHER_ID,
    SERIAL,
    member("oldEndDate", MOMENT).needed(),
    member("newEndDate", MOMENT).needed(),
    member("extensionMonths", COUNT).needed(),
    member("oldContractLength", COUNT).needed(),
    member("newContractLength", COUNT).needed(),
]);
/// Another device on a contract of its own.
pub static UPGRADED: Shape = Shape::Object(&[
    SUCCESS,
    MESSAGE,
    member("oldRentalId", ID).needed(),
    member("newRentalId", ID).needed(),
    member("oldDevice", TEXT).needed(),
    member("newDevice", TEXT).needed(),
    member("newMonthlyAmount", MONEY).needed(),
    CURRENCY,
]);
/// Another device on the same contract.
pub static REPLACED_ANSWER: Shape = Shape::Object(&[
    SUCCESS,
    MESSAGE,
    ITS_ID,
    ITS_OTHER_ID,
    member("oldSerialNumber", TEXT).needed(),
    member("newSerialNumber", TEXT).needed(),
    member("reason", TEXT).needed(),
]);
/// A device that was sold.
pub static BOUGHT: Shape = Shape::Object(&[
    SUCCESS,
    ITS_ID,
    ITS_OTHER_ID,
    SERIAL,
    member("buyoutPrice", MONEY).needed(),
    CURRENCY,
    member("effectiveDate", MOMENT).needed(),
    MESSAGE,
    ITSELF,
]);
/// A device that came back.
pub static RETURNED: Shape = Shape::Object(&[
    SUCCESS,
    ITS_ID,
    ITS_OTHER_ID,
    SERIAL,
    member("earlyReturnFee", MONEY).needed(),
    CURRENCY,
    member("actualMonthsRented", COUNT).needed(),
    member("returnDate", MOMENT).needed(),
    MESSAGE,
    ITSELF,
]);
/// A subscription that was given up.
pub static CANCELLED: Shape = Shape::Object(&[
    SUCCESS,
    ITS_ID,
    ITS_OTHER_ID,
    SERIAL,
    member("previousStatus", Shape::Word(&["active"])).needed(),
    member("cancelledAt", MOMENT).needed(),
    MESSAGE,
]);
/// Other notes.
pub static NOTED: Shape = Shape::Object(&[SUCCESS, MESSAGE, ITS_ID, ITS_OTHER_ID]);

/// The beginning of an answer about a subscription.
pub fn about(rental: &RentalId) -> Object {
    Object::new()
        .and("success", true)
        .and("rentalId", rental.0.clone())
        // QUIRK: pages call the same id subscriptionId, schemas rentalId.
        .and("subscriptionId", rental.0.clone())
}

fn optional(object: &mut Object, name: &'static str, text: Option<&String>) {
    if let Some(text) = text {
        object.add(name, text.clone());
    }
}

fn by(name: &str) -> Object {
    Object::new().and("userId", name.to_owned()).and("displayName", name.to_owned())
}

/// A subscription as it is shown.
pub fn object(rental: &Rental, shown: &Shown) -> Object {
    let mut object = Object::new()
        .and("rentalId", rental.id.0.clone())
        .and("subscriptionId", rental.id.0.clone())
        .and("tenantId", shown.tenant.clone())
        .and("assetSerialNumber", rental.serial.0.clone())
        .and("customerId", rental.customer.0.clone());
    optional(&mut object, "productId", rental.product.as_ref().map(|id| &id.0));
    optional(&mut object, "variantId", rental.variant.as_ref().map(|id| &id.0));
    object.add("sku", rental.sku.0.clone());
    object.add("productName", rental.product_name.clone());
    optional(&mut object, "productImageUrl", rental.image.as_ref());
    object.add("monthlyAmount", shown.money(rental.monthly));
    object.add("currency", rental.currency.as_str().to_ascii_uppercase());
    object.add("status", rental.status().as_str());
    optional(&mut object, "billingGroupId", rental.group.as_ref().map(|membership| &membership.group.0));
    object.add("originalContractLength", i64::from(rental.original_months));
    object.add("contractLength", i64::from(rental.months));
    object.add("startDate", time(rental.start));
    object.add("endDate", time(rental.end()));
    if let Some(next) = rental.next_billing(shown.now) {
        object.add("nextBillingDate", time(next));
    }
    object.add("lastModifiedDate", time(rental.updated));
    let extensions = rental.extensions.iter().map(|extension| extended(rental, extension, shown).into());
    object.add("extensionHistory", Json::List(extensions.collect()));
    object.add("actualMonthsRented", i64::from(rental.months_rented(shown.now)));
    if rental.ended.is_some() {
        object.add("monthsSaved", i64::from(rental.months - rental.months_rented(shown.now)));
    }
    price(&mut object, ["listPrice", "listPriceSource", "listPriceCapturedAt"], rental.list_price, shown);
    let names = ["acquisitionCost", "acquisitionCostSource", "acquisitionCostCapturedAt"];
    price(&mut object, names, rental.acquisition_cost, shown);
    recovered(&mut object, &rental.recovery(shown.now), shown);
    object.add("replacementHistory", Json::List(rental.replacements.iter().map(|one| replaced(one).into()).collect()));
    if let Some(ended) = &rental.ended {
        end(&mut object, ended, shown);
    }
    object.add("orderId", rental.order.0.clone());
    optional(&mut object, "upgradeFromRentalId", rental.upgraded_from.as_ref().map(|id| &id.0));
    object.add("customerEmail", rental.customer_email.clone());
    object.add("customerName", rental.customer_name.clone());
    object.add("createdAt", time(rental.created));
    object.add("updatedAt", time(rental.updated));
    object.add("createdBy", rental.created_by.clone());
    optional(&mut object, "notes", rental.notes.as_ref());
    object
}

fn price(object: &mut Object, names: [&'static str; 3], price: Option<CapturedPrice>, shown: &Shown) {
    if let Some(CapturedPrice { amount, source, captured }) = price {
        object.add(names[0], shown.money(amount));
        object.add(names[1], source.as_str());
        object.add(names[2], time(captured));
    }
}

fn recovered(object: &mut Object, recovery: &Recovery, shown: &Shown) {
    object.add("totalCollected", shown.money(recovery.collected));
    if let Some(figures) = recovery.figures {
        object.add("costRecoveryPercent", Json::Decimal(figures.percent_hundredths, 2));
        object.add("currentProfit", shown.money(figures.profit));
        if let Some(months) = figures.breakeven_months {
            object.add("breakevenMonths", months);
        }
        object.add("hasReachedBreakeven", figures.has_broken_even);
    }
    object.add("recoveryStatus", recovery.status.as_str());
}

fn extended(rental: &Rental, extension: &Extension, shown: &Shown) -> Object {
    let Extension { months, old_months, old_monthly, new_monthly, reason, notes, by: who, at } = extension;
    let mut object = Object::new()
        .and("extensionMonths", i64::from(*months))
        .and("oldContractLength", i64::from(*old_months))
        .and("newContractLength", i64::from(old_months + months))
        .and("oldMonthlyAmount", shown.money(*old_monthly))
        .and("newMonthlyAmount", shown.money(*new_monthly));
    optional(&mut object, "reason", reason.as_ref());
    optional(&mut object, "notes", notes.as_ref());
    object
        .and("extendedBy", by(who))
        .and("oldEndDate", time(rental.start.plus_months(*old_months)))
        .and("newEndDate", time(rental.start.plus_months(old_months + months)))
        .and("extendedAt", time(*at))
}

fn replaced(replacement: &Replacement) -> Object {
    let Replacement { old_serial, new_serial, reason, words, damage_assessment, insurance_claim, notes, by: who, at } =
        replacement;
    let reason = words.clone().unwrap_or_else(|| reason.as_str().to_owned());
    let mut object = Object::new()
        .and("oldSerialNumber", old_serial.0.clone())
        .and("newSerialNumber", new_serial.0.clone())
        .and("reason", reason);
    optional(&mut object, "damageAssessment", damage_assessment.as_ref());
    object.add("insuranceClaim", *insurance_claim);
    optional(&mut object, "notes", notes.as_ref());
    object.and("replacedBy", by(who)).and("replacedAt", time(*at))
}

fn calculated(manual: bool) -> &'static str {
    if manual { "manual_override" } else { "auto_calculated" }
}

fn end(object: &mut Object, ended: &Ended, shown: &Shown) {
    let Ended { at, by: who, how } = ended;
    match how {
        Ending::Buyout { price, manual, parts, reason, words, notes } => {
            let breakdown = Object::new()
                .and("remainingMonths", i64::from(parts.remaining_months))
                .and("remainingMonthsPayment", shown.money(parts.remaining))
                .and("listPricePercentage", Json::Decimal(parts.list_hundredths, 2))
                .and("listPriceAmount", shown.money(parts.list_part))
                .and("flatFee", shown.money(parts.flat));
            let mut details = Object::new()
                .and("buyoutPrice", shown.money(*price))
                .and("calculationMethod", calculated(*manual))
                .and("calculationBreakdown", breakdown)
                .and("reason", reason.as_str());
            optional(&mut details, "reasonDetail", words.as_ref());
            optional(&mut details, "notes", notes.as_ref());
            object.add("buyoutDetails", details.and("processedBy", by(who)).and("buyoutDate", time(*at)));
        }
        Ending::Return { fee, waived, manual, parts, condition, reason, damage_assessment, notes } => {
            let breakdown = Object::new()
                .and("method", parts.method.as_str())
                .and("remainingMonths", i64::from(parts.remaining_months))
                .and("gracePeriodApplied", parts.grace)
                .and("daysFromStart", i64::from(parts.days));
            let mut details = Object::new()
                .and("fee", shown.money(*fee))
                .and("feeWaived", *waived)
                .and("calculationMethod", calculated(*manual))
                .and("calculationBreakdown", breakdown)
                .and("returnCondition", condition.as_str())
                .and("reason", reason.clone());
            optional(&mut details, "damageAssessment", damage_assessment.as_ref());
            optional(&mut details, "notes", notes.as_ref());
            object.add("earlyReturnDetails", details.and("processedBy", by(who)).and("returnedAt", time(*at)));
        }
        Ending::Upgrade { to, reason: _, notes: _ } => object.add("upgradeToRentalId", to.0.clone()),
        Ending::Cancellation { reason, notes } => {
            let mut details = Object::new().and("reason", reason.as_str());
            optional(&mut details, "notes", notes.as_ref());
            object.add("cancellationDetails", details.and("processedBy", by(who)).and("cancelledAt", time(*at)));
        }
    }
}
