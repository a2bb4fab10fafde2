//! Schedules, lengths and recovery of rentals.

use super::*;
use crate::domain::ids::SerialNumber;

/// The first moment of a day.
pub(in crate::domain) fn day(year: i64, month: i64, day: i64) -> Time {
    Time::of_date(year, month, day)
}

/// A rental of so many months from `start` on, of a device that cost 1800 and would be sold for 1420.
pub(in crate::domain) fn rental(months: u32, monthly: i64, start: Time) -> Rental {
    let price = |amount| Some(CapturedPrice { amount, source: PriceSource::Variant, captured: start });
    Rental {
        id: RentalId("sub_1".into()),
        created: start,
        updated: start,
        created_by: "key".into(),
        customer: CustomerId("cus_1".into()),
        customer_email: "jenny@example.com".into(),
        customer_name: "Jenny Rosen".into(),
        order: OrderId("ord_1".into()),
        serial: SerialNumber("SN-1".into()),
        product: None,
        variant: None,
        sku: Sku("NB-A".into()),
        product_name: "Notebook".into(),
        image: None,
        monthly,
        currency: Currency::parse("eur").expect("it is one"),
        list_price: price(142_000),
        acquisition_cost: price(180_000),
        original_months: months,
        months,
        start,
        ended: None,
        group: None,
        collected: 0,
        billed: BTreeSet::new(),
        extensions: Vec::new(),
        replacements: Vec::new(),
        upgraded_from: None,
        notes: None,
    }
}

fn dues(rental: &Rental) -> Vec<Time> {
    rental.instalments().map(|month| month.due).collect()
}

#[test]
fn there_is_one_payment_a_month_from_the_start() {
    let dues_of_year = dues(&rental(12, 8_900, day(2026, 1, 1)));
    assert_eq!(dues_of_year.len(), 12);
    assert_eq!((dues_of_year[0], dues_of_year[11]), (day(2026, 1, 1), day(2026, 12, 1)));
    assert_eq!(rental(12, 8_900, day(2026, 1, 1)).end(), day(2027, 1, 1));
}

#[test]
fn a_day_that_a_month_does_not_have_is_its_last_one() {
    for (start, expected) in [
        ((2026, 1, 31), [(2026, 1, 31), (2026, 2, 28), (2026, 3, 31), (2026, 4, 30)]),
        ((2027, 12, 29), [(2027, 12, 29), (2028, 1, 29), (2028, 2, 29), (2028, 3, 29)]),
        ((2026, 11, 30), [(2026, 11, 30), (2026, 12, 30), (2027, 1, 30), (2027, 2, 28)]),
    ] {
        let rental = rental(4, 1, day(start.0, start.1, start.2));
        assert_eq!(dues(&rental), expected.map(|(y, m, d)| day(y, m, d)), "{start:?}");
        let periods: BTreeSet<Period> = rental.instalments().map(|month| month.period).collect();
        assert_eq!(periods.len(), 4, "each month once");
    }
}

#[test]
fn a_group_bills_on_its_day_from_the_day_of_joining_on() {
    let mut rental = rental(4, 1, day(2026, 1, 20));
    rental.group = Some(Membership {
        group: BillingGroupId("bg_1".into()),
        day: Some(5),
        since: day(2026, 2, 10),
        except: [Period::of(day(2026, 4, 1))].into(),
    });
    let months: Vec<(Time, bool)> = rental.instalments().map(|month| (month.due, month.by_group)).collect();
    let expected = [
        (day(2026, 1, 20), false),
        // The group's day of February was over when the rental joined.
        (day(2026, 2, 20), false),
        (day(2026, 3, 5), true),
        // The group had closed April without it.
        (day(2026, 4, 20), false),
    ];
    assert_eq!(months, expected);
    rental.group = rental.group.map(|membership| Membership { day: None, ..membership });
    assert!(rental.instalments().all(|month| !month.by_group), "a group that does not bill bills nothing");
}

#[test]
fn a_group_does_not_bill_before_the_contract_begins() {
    let mut rental = rental(2, 1, day(2026, 12, 20));
    rental.group = Some(Membership {
        group: BillingGroupId("bg_1".into()),
        day: Some(5),
        since: day(2026, 11, 21),
        except: BTreeSet::new(),
    });
    assert_eq!(dues(&rental), [day(2026, 12, 20), day(2027, 1, 5)]);
}

#[test]
fn what_ended_grows_no_older() {
    let rental = rental(12, 12_900, day(2026, 1, 1));
    let how = Ending::Cancellation { reason: CancellationReason::Other, notes: None };
    let ended = rental.ended(how, "key", day(2026, 2, 1), day(2026, 2, 1)).expect("it is active");
    assert_eq!(rental.recovery(day(2026, 12, 1)).status, RecoveryStatus::AtRisk);
    assert_eq!(ended.recovery(day(2026, 12, 1)).status, RecoveryStatus::Recovering);
}

#[test]
fn months_are_counted_to_the_end() {
    let mut rental = rental(12, 1, day(2026, 1, 31));
    for (now, months) in
        [((2026, 1, 31), 0), ((2026, 2, 27), 0), ((2026, 2, 28), 1), ((2026, 12, 31), 11), ((2030, 1, 1), 12)]
    {
        assert_eq!(rental.months_rented(day(now.0, now.1, now.2)), months, "{now:?}");
    }
    let how = Ending::Cancellation { reason: CancellationReason::Fraud, notes: None };
    rental = rental.ended(how, "key", day(2026, 3, 1), day(2026, 3, 2)).expect("it is active");
    assert_eq!(rental.updated, day(2026, 3, 2), "whoever says when it ended changes it now");
    assert_eq!(rental.months_rented(day(2030, 1, 1)), 1);
    assert_eq!(rental.next_billing(day(2026, 3, 1)), None);
}

fn returned(rental: &Rental, now: Time) -> RentalStatus {
    let parts =
        ReturnParts { method: ReturnMethod::NoFee, remaining_months: 0, part_hundredths: 0, grace: false, days: 0 };
    let how = Ending::Return {
        fee: 0,
        waived: false,
        manual: false,
        parts,
        condition: ReturnCondition::Good,
        reason: "end".into(),
        damage_assessment: None,
        notes: None,
    };
    rental.ended(how, "key", now, now).expect("it is active").status()
}

#[test]
fn what_comes_back_at_the_end_is_completed() {
    let rental = rental(12, 1, day(2026, 1, 31));
    assert_eq!(returned(&rental, day(2027, 1, 30)), RentalStatus::EarlyReturn);
    assert_eq!(returned(&rental, day(2027, 1, 31)), RentalStatus::Completed);
}

#[test]
fn an_extension_keeps_what_was() {
    let rental = rental(100, 8_900, day(2026, 1, 1));
    let wish = |months, monthly| Extend { months, monthly, reason: None, notes: None };
    let longer = rental.extended(wish(20, Some(7_900)), "key", day(2026, 5, 1)).expect("there is room");
    assert_eq!((longer.months, longer.original_months, longer.monthly), (120, 100, 7_900));
    assert_eq!(longer.extended(wish(1, None), "key", Time(0)), Err(RentalProblem::InvalidExtension { most: 0 }));
    assert_eq!(rental.extended(wish(0, None), "key", Time(0)), Err(RentalProblem::InvalidExtension { most: 20 }));
}

#[test]
fn recovery_is_judged_by_cost_and_by_time() {
    let elapsed = |gone: i64| Elapsed { now: Time(gone), start: Time(0), end: Time(100) };
    for (cost, collected, gone, status, percent) in [
        (None, 50_000, 90, RecoveryStatus::NoData, None),
        (Some(0), 50_000, 90, RecoveryStatus::NoData, None),
        (Some(100_000), 0, 0, RecoveryStatus::Recovering, Some(0)),
        (Some(100_000), 53_400, 50, RecoveryStatus::Recovering, Some(5_340)),
        (Some(100_000), 50_000, 50, RecoveryStatus::Recovering, Some(5_000)),
        (Some(100_000), 50_000, 51, RecoveryStatus::AtRisk, Some(5_000)),
        (Some(100_000), 65_000, 70, RecoveryStatus::Recovering, Some(6_500)),
        (Some(100_000), 100_000, 100, RecoveryStatus::Recovering, Some(10_000)),
        (Some(100_000), 106_800, 100, RecoveryStatus::Profitable, Some(10_680)),
        (Some(180_000), 220_600, 100, RecoveryStatus::Profitable, Some(12_256)),
    ] {
        let recovery = Recovery::of(cost, collected, 8_900, elapsed(gone));
        let hundredths = recovery.figures.map(|figures| figures.percent_hundredths);
        assert_eq!((recovery.status, hundredths), (status, percent), "{cost:?} {collected} {gone}");
    }
}

#[test]
fn the_cost_is_in_with_the_payment_that_reaches_it() {
    let elapsed = Elapsed { now: Time(0), start: Time(0), end: Time(100) };
    for (cost, collected, monthly, months, even) in [
        // 1000 at 89 a month: the twelfth payment makes 1068.
        (100_000, 106_800, 8_900, Some(12), true),
        (100_000, 97_900, 8_900, Some(12), false),
        (100_000, 100_000, 10_000, Some(10), true),
        (100_000, 0, 0, None, false),
    ] {
        let figures = Recovery::of(Some(cost), collected, monthly, elapsed).figures.expect("the cost is known");
        assert_eq!((figures.breakeven_months, figures.has_broken_even), (months, even), "{collected} {monthly}");
        assert_eq!(figures.profit, collected - cost);
    }
}

#[test]
fn a_customers_payments_add_up() {
    // The documented sum: 12 x 89 + 6 x 129 + a buyout of 300.
    let mut book = crate::domain::rental_book::RentalBook::blank(CustomerId("cus_1".into()), Time(0));
    (0..12).for_each(|_| book.paid(8_900));
    (0..6).for_each(|_| book.paid(12_900));
    book.paid(30_000);
    assert_eq!(book.collected, 214_200);
}
