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
    /// What the months that are still to be billed come to, whether they are in the price or not.
    pub remaining: i64,
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
    BuyoutQuote { price, remaining: value, parts }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::coupon::Percent;
    use crate::domain::rental::tests::{day, rental};

    fn percent(hundredths: i64) -> Percent {
        Percent::of_hundredths(hundredths).expect("it is a part")
    }

    /// Of a contract of 12 months at 129 a month from 2026-01-15, with a list price of 1420; four months are left.
    fn sample() -> Rental {
        rental(12, 12_900, day(2026, 1, 15))
    }

    #[test]
    fn each_method_of_a_buyout_has_its_parts() {
        let now = day(2026, 8, 16);
        for (method, price, remaining, list_part, flat) in [
            (Buyout::Flat(30_000), 30_000, 0, 0, 30_000),
            (Buyout::RemainingMonths, 51_600, 51_600, 0, 0),
            (Buyout::ListPercentage(percent(1_000)), 14_200, 0, 14_200, 0),
            // The documented sample: 516 that are still to be paid and 142 that remain of the value are 658.
            (Buyout::RemainingAndListPercentage(percent(1_000)), 65_800, 51_600, 14_200, 0),
        ] {
            let quote = buyout(method, &sample(), now);
            let BuyoutParts { remaining_months, .. } = quote.parts;
            assert_eq!((quote.price, quote.remaining, remaining_months), (price, 51_600, 4), "{method:?}");
            assert_eq!((quote.parts.remaining, quote.parts.list_part, quote.parts.flat), (remaining, list_part, flat));
        }
    }

    #[test]
    fn each_method_of_an_early_return_has_its_fee() {
        let (soon, late, over) = (day(2026, 1, 20), day(2026, 8, 16), day(2027, 1, 15));
        for (method, now, fee, how, grace) in [
            (EarlyReturn::Free, late, 0, ReturnMethod::NoFee, false),
            (EarlyReturn::Flat(5_000), late, 5_000, ReturnMethod::FlatFee, false),
            (EarlyReturn::RemainingMonths, late, 51_600, ReturnMethod::RemainingMonths, false),
            // The documented sample: half of 516 is 258.
            (EarlyReturn::RemainingPercentage(percent(5_000)), late, 25_800, ReturnMethod::RemainingMonths, false),
            (EarlyReturn::Grace(14), soon, 0, ReturnMethod::NoFee, true),
            (EarlyReturn::Grace(5), soon, 141_900, ReturnMethod::RemainingMonths, false),
            (EarlyReturn::Flat(5_000), over, 0, ReturnMethod::NoFee, false),
            (EarlyReturn::RemainingMonths, over, 0, ReturnMethod::NoFee, false),
        ] {
            let quote = early_return(method, &sample(), now);
            assert_eq!((quote.fee, quote.parts.method, quote.parts.grace), (fee, how, grace), "{method:?} {now:?}");
        }
    }

    #[test]
    fn months_that_are_paid_ahead_are_not_charged_again() {
        let mut rental = sample();
        let months: Vec<_> = rental.instalments().map(|month| month.period).collect();
        rental.billed.extend([months[0], months[10], months[11]]);
        assert_eq!(buyout(Buyout::RemainingMonths, &rental, day(2026, 8, 16)).price, 25_800);
    }
}
