//! What the two calculators of subscriptions answer: flat members, as the schemas have them, and nested ones, as the pages have
//! them.

use super::Shown;
use super::subscription_shapes::{COUNT, ITS_ID, ITS_OTHER_ID, MONEY, PERCENT, SUCCESS, about};
use crate::domain::period::rounded;
use crate::domain::quote::{BuyoutQuote, ReturnQuote};
use crate::domain::rental::Rental;
use crate::http::json::{Json, Object};
use crate::rest::Shape;
use crate::rest::shape::{Member, member};

const ROUGHLY: Shape = Shape::number(i64::MIN, i64::MAX, 1);
const COST_RECOVERY: [Member; 2] = [member("acquisitionCost", MONEY), member("totalCollected", MONEY).needed()];

/// What a buyout would cost.
pub static BUYOUT: Shape = Shape::Object(&[
    SUCCESS,
    ITS_ID,
    ITS_OTHER_ID,
    member("buyoutPrice", MONEY).needed(),
    member("remainingPayments", MONEY).needed().doc("What the months that are left come to, in the price or not."),
    member("depreciatedValue", MONEY).needed().doc("The part of the list price that is in the price."),
    member(
        "calculation",
        Shape::Object(&[
            member("buyoutPrice", MONEY).needed(),
            member(
                "breakdown",
                Shape::Object(&[
                    member("remainingContractValue", MONEY).needed(),
                    member("residualValue", MONEY).needed(),
                    member("monthsRemaining", COUNT).needed(),
                    member("monthlyAmount", MONEY).needed(),
                ]),
            )
            .needed(),
            member(
                "costRecovery",
                Shape::Object(&[
                    COST_RECOVERY[0],
                    COST_RECOVERY[1],
                    member("projectedAfterBuyout", MONEY).needed(),
                    member("projectedMargin", MONEY),
                    member("marginPercent", ROUGHLY),
                ]),
            )
            .needed(),
        ]),
    )
    .needed(),
]);

/// What an early return would cost.
pub static EARLY_RETURN: Shape = Shape::Object(&[
    SUCCESS,
    ITS_ID,
    ITS_OTHER_ID,
    member("earlyReturnFee", MONEY).needed(),
    member("remainingMonths", COUNT).needed(),
    member("penaltyPercentage", PERCENT).needed(),
    member(
        "calculation",
        Shape::Object(&[
            member("earlyReturnFee", MONEY).needed(),
            member(
                "breakdown",
                Shape::Object(&[
                    member("remainingContractValue", MONEY).needed(),
                    member("feePercentage", PERCENT).needed(),
                    member("monthsRemaining", COUNT).needed(),
                    member("monthlyAmount", MONEY).needed(),
                ]),
            )
            .needed(),
            member(
                "costRecovery",
                Shape::Object(&[
                    COST_RECOVERY[0],
                    COST_RECOVERY[1],
                    member("projectedWithFee", MONEY).needed(),
                    member("costRecoveryPercent", ROUGHLY),
                ]),
            )
            .needed(),
        ]),
    )
    .needed(),
]);

/// A part of a whole in percent, with so many decimals, rounded half up.
fn percent(part: i64, whole: i64, decimals: u32) -> Json {
    let parts = i128::from(part) * 100 * 10i128.pow(decimals);
    Json::Decimal(rounded(parts, i128::from(whole)), decimals)
}

/// What a buyout would cost: flat, as the schema has it, and nested, as the page has it.
pub fn buyout(rental: &Rental, quote: &BuyoutQuote, shown: &Shown) -> Object {
    let BuyoutQuote { price, remaining, parts } = *quote;
    let after = rental.collected.saturating_add(price);
    let mut recovery = Object::new();
    if let Some(cost) = rental.acquisition_cost {
        recovery.add("acquisitionCost", shown.money(cost.amount));
    }
    recovery.add("totalCollected", shown.money(rental.collected));
    recovery.add("projectedAfterBuyout", shown.money(after));
    if let Some(cost) = rental.acquisition_cost.filter(|cost| cost.amount > 0) {
        let margin = after.saturating_sub(cost.amount);
        recovery.add("projectedMargin", shown.money(margin));
        recovery.add("marginPercent", percent(margin, cost.amount, 1));
    }
    let breakdown = Object::new()
        .and("remainingContractValue", shown.money(remaining))
        .and("residualValue", shown.money(parts.list_part))
        .and("monthsRemaining", i64::from(parts.remaining_months))
        .and("monthlyAmount", shown.money(rental.monthly));
    let calculation =
        Object::new().and("buyoutPrice", shown.money(price)).and("breakdown", breakdown).and("costRecovery", recovery);
    about(&rental.id)
        .and("buyoutPrice", shown.money(price))
        .and("remainingPayments", shown.money(remaining))
        .and("depreciatedValue", shown.money(parts.list_part))
        .and("calculation", calculation)
}

/// What an early return would cost: flat, as the schema has it, and nested, as the page has it.
pub fn early_return(rental: &Rental, quote: &ReturnQuote, shown: &Shown) -> Object {
    let ReturnQuote { fee, remaining, parts } = *quote;
    let after = rental.collected.saturating_add(fee);
    let mut recovery = Object::new();
    if let Some(cost) = rental.acquisition_cost {
        recovery.add("acquisitionCost", shown.money(cost.amount));
    }
    recovery.add("totalCollected", shown.money(rental.collected));
    recovery.add("projectedWithFee", shown.money(after));
    if let Some(cost) = rental.acquisition_cost.filter(|cost| cost.amount > 0) {
        recovery.add("costRecoveryPercent", percent(after, cost.amount, 1));
    }
    let part = || Json::Decimal(parts.part_hundredths, 2);
    let breakdown = Object::new()
        .and("remainingContractValue", shown.money(remaining))
        .and("feePercentage", part())
        .and("monthsRemaining", i64::from(parts.remaining_months))
        .and("monthlyAmount", shown.money(rental.monthly));
    let calculation =
        Object::new().and("earlyReturnFee", shown.money(fee)).and("breakdown", breakdown).and("costRecovery", recovery);
    about(&rental.id)
        .and("earlyReturnFee", shown.money(fee))
        .and("remainingMonths", i64::from(parts.remaining_months))
        .and("penaltyPercentage", part())
        .and("calculation", calculation)
}
