//! What it costs to end a rental before its contract does: the price of a buyout and the fee of an early return, by the
//! methods of the business unit.

use super::period::rounded;
use super::rental::{BuyoutParts, Rental, ReturnMethod, ReturnParts};
use super::time::Time;
use super::unit::{Buyout, EarlyReturn};

/// The price of a buyout, in minor units, and what it is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuyoutQuote {
    /// The price.
    pub price: i64,
    /// What it is made of.
    pub parts: BuyoutParts,
}

/// The fee of an early return, in minor units, and what it is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReturnQuote {
    /// The fee.
    pub fee: i64,
    /// What the months that are still to be billed come to.
    pub remaining: i64,
    /// What it is made of.
    pub parts: ReturnParts,
}

/// The months that are still to be billed, and what they come to.
fn remaining(rental: &Rental, now: Time) -> (u32, i64) {
    let months = u32::try_from(rental.remaining(now).count()).unwrap_or(u32::MAX);
    (months, rental.monthly.saturating_mul(i64::from(months)))
}

/// What the device costs the customer.
pub fn buyout(method: Buyout, rental: &Rental, now: Time) -> BuyoutQuote {
    let (months, value) = remaining(rental, now);
    let list_part = |hundredths: i64| {
        let list_price = rental.list_price.map_or(0, |price| price.amount);
        rounded(i128::from(list_price) * i128::from(hundredths), 10_000)
    };
    let none = BuyoutParts { remaining_months: months, ..BuyoutParts::default() };
    let parts = match method {
        Buyout::Flat(flat) => BuyoutParts { flat, ..none },
        Buyout::RemainingMonths => BuyoutParts { remaining: value, ..none },
        Buyout::ListPercentage(percent) => {
            let list_hundredths = percent.hundredths();
            BuyoutParts { list_hundredths, list_part: list_part(list_hundredths), ..none }
        }
        Buyout::RemainingAndListPercentage(percent) => {
            let list_hundredths = percent.hundredths();
            BuyoutParts { remaining: value, list_hundredths, list_part: list_part(list_hundredths), ..none }
        }
    };
    let price = parts.remaining.saturating_add(parts.list_part).saturating_add(parts.flat);
    BuyoutQuote { price, parts }
}

/// What it costs to give the device back. Once the contract is over it costs nothing.
pub fn early_return(method: EarlyReturn, rental: &Rental, now: Time) -> ReturnQuote {
    let (remaining_months, remaining) = remaining(rental, now);
    let days = rental.days_rented(now);
    let part = |hundredths: i64| rounded(i128::from(remaining) * i128::from(hundredths), 10_000);
    let (method, fee, part_hundredths, grace) = match method {
        _ if now >= rental.end() => (ReturnMethod::NoFee, 0, 0, false),
        EarlyReturn::Free => (ReturnMethod::NoFee, 0, 0, false),
        EarlyReturn::Flat(fee) => (ReturnMethod::FlatFee, fee, 0, false),
        EarlyReturn::RemainingMonths => (ReturnMethod::RemainingMonths, remaining, 10_000, false),
        EarlyReturn::RemainingPercentage(percent) => {
            (ReturnMethod::RemainingMonths, part(percent.hundredths()), percent.hundredths(), false)
        }
        EarlyReturn::Grace(grace) if days < u32::from(grace) => (ReturnMethod::NoFee, 0, 0, true),
        EarlyReturn::Grace(_) => (ReturnMethod::RemainingMonths, remaining, 10_000, false),
    };
    ReturnQuote { fee, remaining, parts: ReturnParts { method, remaining_months, part_hundredths, grace, days } }
}
