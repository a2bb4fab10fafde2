//! Subscriptions: create, list, retrieve, extend, upgrade, replace, buyout, early return, cancel, note, calculate.

use std::sync::Arc;

use super::failure::{at, named_by, not_that};
use super::pages::{self, LIMIT, SORT_DIR, START_AFTER, sort_by};
use super::subscription_quotes as quotes;
use super::subscription_shapes::{ID, STATUS, about, object};
use super::{Shown, signature, time};
use crate::domain::catalogue::CatalogueProblem;
use crate::domain::ids::{BillingGroupId, CustomerId, OrderId, RentalId, SerialNumber, Sku};
use crate::domain::order::MAX_CONTRACT_MONTHS;
use crate::domain::period::DayOrMoment;
use crate::domain::problem::Problem;
use crate::domain::rental::{
    BuyoutReason, CancellationReason, Ending, Extend, Rental, RentalStatus, ReplacementReason, ReturnCondition,
};
use crate::domain::rental_problem::RentalProblem;
use crate::domain::time::Time;
use crate::engine::Stop;
use crate::engine::listing::{Sort, SortKey};
use crate::engine::rentals::{
    self, BuyoutWish, CancelWish, NewRental, RentalFilter, ReplaceWish, ReturnWish, UpgradeWish,
};
use crate::http::json::Object;
use crate::rest::shape::{Member, member};
use crate::rest::{Answer, Asked, Call, Fields, Flaw, Halt, Plan, Refusal, Shape, Wrong};

/// The first moment at which a contract can begin.
const EARLIEST: Time = Time(0);
/// The last one, 2199-12-31T23:59:59.999Z: there are months behind it that can be written, enough for the longest contract.
const LATEST: Time = Time(7_258_118_399_999);

/// The variable part of the path.
pub const PARTS: &[Member] = &[member("subscriptionId", ID).needed().doc("The subscription's id.")];

const SORT_KEYS: &[&str] = &["createdAt", "updatedAt", "startDate", "endDate", "monthlyAmount", "status"];
const SORTS: &[(&str, Sort<Rental>)] = &[
    ("updatedAt", Sort::By(|rental| SortKey::Number(rental.updated.0))),
    ("startDate", Sort::By(|rental| SortKey::Number(rental.start.0))),
    ("endDate", Sort::By(|rental| SortKey::Number(rental.end().0))),
    ("monthlyAmount", Sort::By(|rental| SortKey::Number(rental.monthly))),
    ("status", Sort::By(|rental| SortKey::Text(rental.status().as_str().to_owned()))),
];

/// The parameters of a list.
pub const LIST: &[Member] = &[
    LIMIT,
    START_AFTER,
    sort_by(SORT_KEYS),
    SORT_DIR,
    member("status", STATUS).doc("Those that are so."),
    member("customerId", Shape::text(0, 255)).doc("Those of this customer."),
    member("orderId", Shape::text(0, 255)).doc("Those that fulfil this order."),
    member("serialNumber", Shape::text(0, 255)).doc("Those of this device."),
];

/// `POST /v1/subscriptions`
pub fn create(call: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let mut body = asked.body();
    let start = body.get("startDate").map(DayOrMoment::start);
    if start.is_some_and(|start| start < EARLIEST || start > LATEST) {
        return Err(Refusal::flaw(Flaw::rule("startDate", "custom", "has to be in the years 1970 to 2199")));
    }
    let wish = NewRental {
        by: signature(&call.key),
        order: OrderId(body.needed("orderId")),
        serial: SerialNumber(body.needed("assetSerialNumber")),
        customer: CustomerId(body.needed("customerId")),
        // An empty text is none.
        group: body.get("billingGroupId").filter(|id: &String| !id.is_empty()).map(BillingGroupId),
        start,
        months: contract_length(&mut body, "contractLength")?,
        notes: body.get("notes"),
    };
    Ok(Plan::write(move |call, tx, ctx| {
        let rental = rentals::create(tx, ctx, &wish).map_err(named_in_body("assetSerialNumber"))?;
        let shown = Shown::of(call);
        let made = about(&rental.id)
            .and("message", "Subscription created successfully")
            .and("rental", object(&rental, &shown));
        Ok(Answer::ok(made).created().located(call, rental.id.as_str()))
    }))
}

/// `GET /v1/subscriptions`
pub fn list(_: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let paging = pages::paging(&mut asked.query, SORTS);
    let filter = RentalFilter {
        status: asked.query.get::<String>("status").and_then(|word| RentalStatus::named(&word)),
        customer: asked.query.get("customerId").map(CustomerId),
        order: asked.query.get("orderId").map(OrderId),
        serial: asked.query.get("serialNumber").map(SerialNumber),
    };
    Ok(Plan::scan(move |call, read| {
        let page = rentals::list(read, &call.account, &filter, &paging)?;
        let shown = Shown::of(call);
        let item = |rental: &Rental| object(rental, &shown);
        Ok(Answer::ok(pages::envelope("rentals", &page, paging.limit, item, |rental| rental.id.0.clone())))
    }))
}

/// `GET /v1/subscriptions/{subscriptionId}`
pub fn retrieve(_: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let id = RentalId(asked.part(0));
    Ok(Plan::look(move |call, read| {
        let rental = rentals::read(read, &call.account, &id)?;
        Ok(Answer::ok(object(&rental, &Shown::of(call))))
    }))
}

/// `POST /v1/subscriptions/{subscriptionId}/extend`
pub fn extend(call: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let (id, mut body) = its_own(&mut asked)?;
    let by = signature(&call.key);
    let months: i64 = body.needed("extensionMonths");
    let wish = Extend {
        months: in_contract(months).ok_or_else(|| {
            let message = format!("A contract can be extended by 1 to {MAX_CONTRACT_MONTHS} months.");
            not_that("extensionMonths", "INVALID_EXTENSION_MONTHS", message)
        })?,
        monthly: body.get("newMonthlyAmount"),
        reason: body.get("reason"),
        notes: body.get("notes"),
    };
    Ok(Plan::write(move |_, tx, ctx| {
        let rental = rentals::extend(tx, ctx, &id, wish.clone(), &by)?;
        let old_months = rental.extensions.last().map_or(rental.months, |extension| extension.old_months);
        Ok(Answer::ok(
            about(&rental.id)
                .and("message", "Subscription extended successfully")
                .and("assetSerialNumber", rental.serial.0.clone())
                .and("oldEndDate", time(rental.start.plus_months(old_months)))
                .and("newEndDate", time(rental.end()))
                .and("extensionMonths", i64::from(wish.months))
                .and("oldContractLength", i64::from(old_months))
                .and("newContractLength", i64::from(rental.months)),
        ))
    }))
}

/// `POST /v1/subscriptions/{subscriptionId}/upgrade`
pub fn upgrade(call: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let (id, mut body) = its_own(&mut asked)?;
    // QUIRK: the schema calls it contractLength, the page newContractLength.
    let length = contract_length(&mut body, "contractLength")?;
    let (months, said_by) = match (length, contract_length(&mut body, "newContractLength")?) {
        (None, Some(months)) => (months, "newContractLength"),
        (Some(months), None) => (months, "contractLength"),
        (Some(months), Some(other)) if months == other => (months, "contractLength"),
        (Some(_), Some(_)) => return Err(differs("newContractLength", "contractLength")),
        (None, None) => return Err(Refusal::flaw(Flaw::new("contractLength", Wrong::Missing))),
    };
    let wish = UpgradeWish {
        sku: Sku(body.needed("newSku")),
        serial: body.get("newSerialNumber").map(SerialNumber),
        months,
        monthly: body.get("newMonthlyAmount"),
        reason: body.get("reason"),
        notes: body.get("notes"),
        by: signature(&call.key),
    };
    Ok(Plan::write(move |call, tx, ctx| {
        let upgraded = rentals::upgrade(tx, ctx, &id, wish.clone()).map_err(|stop| match stop {
            Stop::Problem(problem @ Problem::Rental(RentalProblem::NoPriceFor(_))) => at(said_by, problem),
            stop => named_in_body("newSerialNumber")(stop),
        })?;
        let shown = Shown::of(call);
        Ok(Answer::ok(
            Object::new()
                .and("success", true)
                .and("message", "Subscription upgraded successfully")
                .and("oldRentalId", upgraded.old.id.0.clone())
                .and("newRentalId", upgraded.new.id.0.clone())
                .and("oldDevice", upgraded.old.product_name.clone())
                .and("newDevice", upgraded.new.product_name.clone())
                .and("newMonthlyAmount", shown.money(upgraded.new.monthly))
                .and("currency", upgraded.new.currency.as_str().to_ascii_uppercase()),
        ))
    }))
}

/// `POST /v1/subscriptions/{subscriptionId}/replace`
pub fn replace(call: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let (id, mut body) = its_own(&mut asked)?;
    let word: Option<String> = body.get("replacementReason");
    // QUIRK: the schema has words under replacementReason, the page any text under reason.
    let words: Option<String> = body.get("reason");
    let reason = word.as_deref().or(words.as_deref()).and_then(ReplacementReason::named);
    if word.is_none() && words.is_none() {
        return Err(Refusal::flaw(Flaw::new("replacementReason", Wrong::Missing)));
    }
    let wish = ReplaceWish {
        serial: SerialNumber(body.needed("newSerialNumber")),
        sku: body.get("newSku").filter(|sku: &String| !sku.is_empty()).map(Sku),
        // A device that is replaced for any other reason does not do.
        reason: reason.unwrap_or(ReplacementReason::Defective),
        words: words.filter(|words| ReplacementReason::named(words) != reason || reason.is_none()),
        damage_assessment: body.get("damageAssessment"),
        insurance_claim: body.get("insuranceClaim").unwrap_or(false),
        notes: body.get("notes"),
        by: signature(&call.key),
    };
    Ok(Plan::write(move |_, tx, ctx| {
        let rental = rentals::replace_device(tx, ctx, &id, wish.clone()).map_err(named_in_body("newSerialNumber"))?;
        let old = rental.replacements.last().map_or_else(String::new, |replaced| replaced.old_serial.0.clone());
        let reason = wish.words.clone().unwrap_or_else(|| wish.reason.as_str().to_owned());
        Ok(Answer::ok(
            about(&rental.id)
                .and("message", "Device replaced successfully")
                .and("oldSerialNumber", old)
                .and("newSerialNumber", rental.serial.0.clone())
                .and("reason", reason),
        ))
    }))
}

/// `POST /v1/subscriptions/{subscriptionId}/buyout`
pub fn buyout(call: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let (id, mut body) = its_own(&mut asked)?;
    let price: Option<i64> = body.get("buyoutPrice");
    if price.is_some_and(|price| price < 0) {
        let message = "The price of a buyout cannot be below 0.".to_owned();
        return Err(not_that("buyoutPrice", "INVALID_BUYOUT_PRICE", message));
    }
    // QUIRK: the schema has three words for the reason, the page any text.
    let words: Option<String> = body.get("reason");
    let reason = words.as_deref().and_then(BuyoutReason::named);
    let wish = BuyoutWish {
        price,
        reason: reason.unwrap_or(BuyoutReason::Other),
        words: words.filter(|_| reason.is_none()),
        notes: body.get("notes"),
        at: body.get("effectiveDate"),
        by: signature(&call.key),
    };
    Ok(Plan::write(move |call, tx, ctx| {
        let rental = rentals::buyout(tx, ctx, &id, wish.clone())?;
        let shown = Shown::of(call);
        let ended = rental.ended.as_ref();
        let price = match ended.map(|ended| &ended.how) {
            Some(Ending::Buyout { price, .. }) => *price,
            _ => 0,
        };
        Ok(Answer::ok(
            about(&rental.id)
                .and("assetSerialNumber", rental.serial.0.clone())
                .and("buyoutPrice", shown.money(price))
                .and("currency", rental.currency.as_str().to_ascii_uppercase())
                .and("effectiveDate", time(ended.map_or(ctx.now, |ended| ended.at)))
                .and("message", "Buyout processed successfully")
                .and("subscription", object(&rental, &shown)),
        ))
    }))
}

/// `POST /v1/subscriptions/{subscriptionId}/early-return`
pub fn early_return(call: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let (id, mut body) = its_own(&mut asked)?;
    let fee: Option<i64> = body.get("earlyReturnFee");
    if fee.is_some_and(|fee| fee < 0) {
        let message = "The fee of an early return cannot be below 0.".to_owned();
        return Err(not_that("earlyReturnFee", "INVALID_FEE", message));
    }
    let condition: Option<String> = body.get("returnCondition");
    let wish = ReturnWish {
        condition: condition.and_then(|word| ReturnCondition::named(&word)).unwrap_or(ReturnCondition::Good),
        fee,
        waive: body.get("waiveFee").unwrap_or(false),
        reason: body.get("reason").unwrap_or_else(|| "not stated".to_owned()),
        damage_assessment: body.get("damageAssessment"),
        notes: body.get("notes"),
        at: body.get("effectiveDate"),
        by: signature(&call.key),
    };
    Ok(Plan::write(move |call, tx, ctx| {
        let rental = rentals::early_return(tx, ctx, &id, wish.clone())?;
        let shown = Shown::of(call);
        let ended = rental.ended.as_ref();
        let fee = match ended.map(|ended| &ended.how) {
            Some(Ending::Return { fee, .. }) => *fee,
            _ => 0,
        };
        let message = match rental.status() {
            RentalStatus::Completed => "Subscription completed",
            _ => "Early return processed",
        };
        Ok(Answer::ok(
            about(&rental.id)
                .and("assetSerialNumber", rental.serial.0.clone())
                .and("earlyReturnFee", shown.money(fee))
                .and("currency", rental.currency.as_str().to_ascii_uppercase())
                .and("actualMonthsRented", i64::from(rental.months_rented(ctx.now)))
                .and("returnDate", time(ended.map_or(ctx.now, |ended| ended.at)))
                .and("message", message)
                .and("subscription", object(&rental, &shown)),
        ))
    }))
}

/// `POST /v1/subscriptions/{subscriptionId}/cancel`
pub fn cancel(call: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let (id, mut body) = its_own(&mut asked)?;
    let reason: String = body.needed("reason");
    let wish = CancelWish {
        reason: CancellationReason::named(&reason).unwrap_or(CancellationReason::Other),
        notes: body.get("notes"),
        by: signature(&call.key),
    };
    Ok(Plan::write(move |_, tx, ctx| {
        let rental = rentals::cancel(tx, ctx, &id, wish.clone())?;
        Ok(Answer::ok(
            about(&rental.id)
                .and("assetSerialNumber", rental.serial.0.clone())
                .and("previousStatus", RentalStatus::Active.as_str())
                .and("cancelledAt", time(ctx.now))
                .and("message", "Subscription cancelled successfully"),
        ))
    }))
}

/// `PATCH /v1/subscriptions/{subscriptionId}/notes`
pub fn note(_: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let id = RentalId(asked.part(0));
    let notes: String = asked.body().needed("notes");
    Ok(Plan::write(move |_, tx, ctx| {
        let rental = rentals::note(tx, ctx, &id, notes.clone())?;
        Ok(Answer::ok(about(&rental.id).and("message", "Notes updated successfully")))
    }))
}

/// `POST /v1/subscriptions/calculate-buyout`
pub fn calculate_buyout(_: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let (id, name) = calculated(&mut asked)?;
    // It takes a body, so it is a POST, but it changes nothing.
    Ok(Plan::look(move |call, read| {
        let (rental, quote) = rentals::buyout_quote(read, &call.account, &id, call.now).map_err(named_by(name))?;
        Ok(Answer::ok(quotes::buyout(&rental, &quote, &Shown::of(call))))
    }))
}

/// `POST /v1/subscriptions/calculate-early-return-fee`
pub fn calculate_early_return(_: &Arc<Call>, mut asked: Asked) -> Result<Plan, Refusal> {
    let (id, name) = calculated(&mut asked)?;
    Ok(Plan::look(move |call, read| {
        let (rental, quote) =
            rentals::early_return_quote(read, &call.account, &id, call.now).map_err(named_by(name))?;
        Ok(Answer::ok(quotes::early_return(&rental, &quote, &Shown::of(call))))
    }))
}

/// A problem of something that a body refers to; `device` is the member that names the device. The subscription itself is in
/// the path.
fn named_in_body(device: &'static str) -> impl Fn(Stop) -> Halt {
    move |stop| {
        let problem = match stop {
            Stop::Problem(problem) => problem,
            failure @ Stop::Failure(_) => return failure.into(),
        };
        let missing = |path: &str, problem| named_by(path)(Stop::Problem(problem));
        match &problem {
            Problem::Rental(RentalProblem::NoSuchOrder(_)) => missing("orderId", problem),
            Problem::Rental(RentalProblem::NoSuchHolder(_)) => missing("customerId", problem),
            Problem::Rental(RentalProblem::NoSuchBillingGroup(_)) => at("billingGroupId", problem),
            Problem::Rental(RentalProblem::SkuMismatch) => at(device, problem),
            Problem::Rental(RentalProblem::NoneAvailable(_))
            | Problem::Catalogue(CatalogueProblem::VariantInactive(_)) => at("newSku", problem),
            Problem::Catalogue(CatalogueProblem::NoSuchVariant(_)) => missing("newSku", problem),
            Problem::Catalogue(CatalogueProblem::NoSuchAsset(_)) => missing(device, problem),
            Problem::Catalogue(CatalogueProblem::AssetNotAvailable { .. } | CatalogueProblem::SkuMismatch { .. }) => {
                at(device, problem)
            }
            _ => problem.into(),
        }
    }
}

/// The id in the path and the body, which may repeat it and may not say another one.
fn its_own(asked: &mut Asked) -> Result<(RentalId, Fields), Refusal> {
    let id = RentalId(asked.part(0));
    let mut body = asked.body();
    for name in ["rentalId", "subscriptionId"] {
        if body.get::<String>(name).is_some_and(|given| given != id.0) {
            return Err(Refusal::flaw(Flaw::rule(name, "custom", "has to be the id in the path")));
        }
    }
    Ok((id, body))
}

/// The id of what is to be calculated, and the member that says it.
fn calculated(asked: &mut Asked) -> Result<(RentalId, &'static str), Refusal> {
    let mut body = asked.body();
    match (body.get::<String>("rentalId"), body.get::<String>("subscriptionId")) {
        (None, Some(id)) => Ok((RentalId(id), "subscriptionId")),
        (Some(id), None) => Ok((RentalId(id), "rentalId")),
        (Some(id), Some(other)) if id == other => Ok((RentalId(id), "rentalId")),
        (Some(_), Some(_)) => Err(differs("subscriptionId", "rentalId")),
        (None, None) => Err(Refusal::flaw(Flaw::new("rentalId", Wrong::Missing))),
    }
}

fn differs(name: &str, other: &str) -> Refusal {
    Refusal::flaw(Flaw::rule(name, "custom", format!("has to be the same as {other}")))
}

fn in_contract(months: i64) -> Option<u32> {
    u32::try_from(months).ok().filter(|months| (1..=MAX_CONTRACT_MONTHS).contains(months))
}

fn contract_length(body: &mut Fields, name: &'static str) -> Result<Option<u32>, Refusal> {
    let Some(months) = body.get::<i64>(name) else { return Ok(None) };
    let length = in_contract(months).ok_or_else(|| {
        let message = format!("A contract has 1 to {MAX_CONTRACT_MONTHS} months.");
        not_that(name, "INVALID_CONTRACT_LENGTH", message)
    });
    length.map(Some)
}
