//! Coupons: what they take off, for how long, and until when they can be redeemed. An id is chosen, and free again when
//! its coupon is deleted; the serial tells the two coupons from each other.

use super::ids::{CouponId, CouponSerial};
use super::metadata::{Metadata, MetadataChange};
use super::money::Currency;
use super::problem::{Deadline, Problem};
use super::time::Time;

/// How far ahead the end of redemption may be: five years, with their leap days.
pub const MAX_REDEEM_AHEAD_MILLIS: i64 = 1_827 * 24 * 60 * 60 * 1000;

/// A part of a hundred, more than nothing and at most the whole, exact to a hundredth of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(u16);

impl Percent {
    /// So many hundredths of a percent, from 1 to 10 000.
    pub fn of_hundredths(hundredths: i64) -> Option<Percent> {
        u16::try_from(hundredths).ok().filter(|hundredths| (1..=10_000).contains(hundredths)).map(Percent)
    }

    /// Hundredths of a percent.
    pub fn hundredths(self) -> i64 {
        i64::from(self.0)
    }
}

/// What a coupon takes off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// A part. A currency may be noted with it and changes nothing.
    Percent {
        /// How much of a hundred.
        percent: Percent,
        /// The currency that was noted.
        currency: Option<Currency>,
    },
    /// An amount.
    Amount {
        /// In minor units, at least one.
        amount: i64,
        /// In which currency.
        currency: Currency,
    },
}

/// The most months of a discount: a hundred years. Stripe's documents give no bound.
pub const MAX_MONTHS: u32 = 1200;

/// For how long a discount by the coupon lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CouponDuration {
    /// For one invoice.
    Once,
    /// Without end.
    Forever,
    /// For so many months, at least one and at most [`MAX_MONTHS`].
    Months(u32),
}

/// A coupon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coupon {
    /// Its id, which no other living coupon of the account has.
    pub id: CouponId,
    /// Tells it from other coupons of that id, before it and after it.
    pub serial: CouponSerial,
    /// When it was made; never changes.
    pub created: Time,
    /// When it was deleted; what refers to it still does.
    pub deleted: Option<Time>,
    /// What customers see.
    pub name: Option<String>,
    /// What it takes off.
    pub reduction: Reduction,
    /// For how long.
    pub duration: CouponDuration,
    /// How often it can be redeemed.
    pub max_redemptions: Option<i64>,
    /// The last moment at which it can be redeemed.
    pub redeem_by: Option<Time>,
    /// How often it was redeemed.
    pub times_redeemed: i64,
    /// Free data.
    pub metadata: Metadata,
}

/// A wish for a coupon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCoupon {
    /// The id, if it is to have a certain one.
    pub id: Option<CouponId>,
    /// What customers see.
    pub name: Option<String>,
    /// What it takes off.
    pub reduction: Reduction,
    /// For how long.
    pub duration: CouponDuration,
    /// How often it can be redeemed.
    pub max_redemptions: Option<i64>,
    /// The last moment at which it can be redeemed.
    pub redeem_by: Option<Time>,
    /// Free data.
    pub metadata: MetadataChange,
}

/// A wish to change a coupon; all else about it is fixed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CouponChange {
    /// What customers see.
    pub name: Option<String>,
    /// Free data.
    pub metadata: MetadataChange,
}

impl Coupon {
    /// The coupon that is wished for, or the rule it breaks.
    pub fn new(wish: NewCoupon, id: CouponId, serial: CouponSerial, now: Time) -> Result<Coupon, Problem> {
        let NewCoupon { id: _, name, reduction, duration, max_redemptions, redeem_by, metadata: wished } = wish;
        if redeem_by.is_some_and(|end| end <= now) {
            return Err(Problem::DeadlinePassed(Deadline::RedeemBy));
        }
        if redeem_by.is_some_and(|end| end > now.plus_millis(MAX_REDEEM_AHEAD_MILLIS)) {
            return Err(Problem::DeadlineTooFar(Deadline::RedeemBy));
        }
        let mut metadata = Metadata::new();
        wished.onto(&mut metadata)?;
        let (created, deleted, times_redeemed) = (now, None, 0);
        Ok(Coupon {
            id,
            serial,
            created,
            deleted,
            name,
            reduction,
            duration,
            max_redemptions,
            redeem_by,
            times_redeemed,
            metadata,
        })
    }

    /// The coupon with the change applied, or the rule it breaks.
    pub fn with(&self, change: CouponChange) -> Result<Coupon, Problem> {
        let CouponChange { name, metadata } = change;
        let mut next = self.clone();
        if name.is_some() {
            next.name = name;
        }
        metadata.onto(&mut next.metadata)?;
        Ok(next)
    }

    /// The coupon once it is deleted.
    pub fn retired(&self, now: Time) -> Coupon {
        Coupon { deleted: Some(now), ..self.clone() }
    }

    /// Whether it can be redeemed at that moment.
    pub fn is_valid(&self, now: Time) -> bool {
        self.deleted.is_none()
            && self.redeem_by.is_none_or(|end| now <= end)
            && self.max_redemptions.is_none_or(|most| self.times_redeemed < most)
    }
}

#[cfg(test)]
mod tests {
    use super::{Coupon, CouponDuration, MAX_REDEEM_AHEAD_MILLIS, NewCoupon, Percent, Reduction};
    use crate::domain::ids::{CouponId, CouponSerial};
    use crate::domain::metadata::MetadataChange;
    use crate::domain::problem::{Deadline, Problem};
    use crate::domain::time::Time;

    fn coupon(redeem_by: Option<Time>, max_redemptions: Option<i64>) -> Result<Coupon, Problem> {
        let reduction = Reduction::Percent { percent: Percent::of_hundredths(2_550).unwrap(), currency: None };
        let (duration, metadata) = (CouponDuration::Once, MetadataChange::Keep);
        let wish = NewCoupon { id: None, name: None, reduction, duration, max_redemptions, redeem_by, metadata };
        Coupon::new(wish, CouponId("25OFF".into()), CouponSerial("coupon_1".into()), Time(1_000))
    }

    #[test]
    fn a_percentage_is_a_part_of_the_whole() {
        for hundredths in [1, 2_550, 10_000] {
            assert_eq!(Percent::of_hundredths(hundredths).map(Percent::hundredths), Some(hundredths));
        }
        for hundredths in [i64::MIN, -1, 0, 10_001, 65_537] {
            assert_eq!(Percent::of_hundredths(hundredths), None);
        }
    }

    #[test]
    fn the_end_of_redemption_lies_ahead_but_not_too_far() {
        let farthest = Time(1_000 + MAX_REDEEM_AHEAD_MILLIS);
        assert!(coupon(Some(farthest), None).is_ok());
        assert_eq!(coupon(Some(Time(1_000)), None), Err(Problem::DeadlinePassed(Deadline::RedeemBy)));
        assert_eq!(coupon(Some(farthest.plus_millis(1)), None), Err(Problem::DeadlineTooFar(Deadline::RedeemBy)));
    }

    #[test]
    fn a_coupon_is_valid_until_it_ends_is_used_up_or_is_deleted() {
        let plain = coupon(None, None).unwrap();
        assert!(plain.is_valid(Time(i64::MAX)) && !plain.retired(Time(2)).is_valid(Time(2)));
        let ending = coupon(Some(Time(5_000)), None).unwrap();
        assert!(ending.is_valid(Time(5_000)) && !ending.is_valid(Time(5_001)));
        let scarce = coupon(None, Some(2)).unwrap();
        let redeemed = |times_redeemed| Coupon { times_redeemed, ..scarce.clone() };
        assert!(redeemed(1).is_valid(Time(0)) && !redeemed(2).is_valid(Time(0)));
    }
}
