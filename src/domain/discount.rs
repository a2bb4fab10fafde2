//! Discounts: a coupon that a customer redeemed, maybe by a promotion code, and for how long it holds.

use super::coupon::{Coupon, CouponDuration, Reduction};
use super::customer::Customer;
use super::ids::{CouponId, CouponSerial, CustomerId, DiscountId, PromotionCodeId};
use super::problem::{CodeRefusal, Problem};
use super::promotion_code::PromotionCode;
use super::time::Time;

/// What a customer redeemed; a part of the customer's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discount {
    /// Its id.
    pub id: DiscountId,
    /// The id of its coupon, which may be deleted since.
    pub coupon: CouponId,
    /// Which coupon of that id.
    pub coupon_serial: CouponSerial,
    /// The promotion code by which it was redeemed.
    pub promotion_code: Option<PromotionCodeId>,
    /// From when on it holds.
    pub start: Time,
    /// The moment at which it is over; `None` when time does not end it.
    pub end: Option<Time>,
}

/// A discount with its coupon, without which it says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redeemed {
    /// The discount.
    pub discount: Discount,
    /// Its coupon, maybe a deleted one.
    pub coupon: Coupon,
}

/// What a customer wishes to redeem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redemption {
    /// A coupon.
    Coupon(CouponId),
    /// A promotion code, and so its coupon.
    PromotionCode(PromotionCodeId),
}

/// What there is to redeem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The coupon.
    pub coupon: Coupon,
    /// The promotion code that stands for it.
    pub code: Option<PromotionCode>,
}

impl Discount {
    /// Whether it no longer holds at that moment.
    pub fn is_over(&self, now: Time) -> bool {
        self.end.is_some_and(|end| end <= now)
    }
}

impl Offer {
    /// The offer once it is redeemed one more time. What is counted once stays counted when the discount goes.
    pub fn counted(&self) -> Offer {
        let mut next = self.clone();
        next.coupon.times_redeemed += 1;
        if let Some(code) = &mut next.code {
            code.times_redeemed += 1;
        }
        next
    }

    /// Refuses what the customer cannot redeem at that moment.
    fn check(&self, customer: &CustomerId, now: Time) -> Result<(), Problem> {
        if let Some(code) = &self.code {
            let refused = |why| Err(Problem::PromotionCodeRefused { id: code.id.clone(), why });
            if code.customer.as_ref().is_some_and(|bearer| bearer != customer) {
                return refused(CodeRefusal::ForAnother);
            }
            if !code.switched_on {
                return refused(CodeRefusal::SwitchedOff);
            }
            if !code.can_be_redeemed(now) {
                return refused(CodeRefusal::Spent);
            }
            // Nothing here charges customers, so whatever one redeems comes before its first transaction; and what a
            // purchase has to amount to is asked of a purchase, which this is not.
        }
        if !self.coupon.is_valid(now) {
            return Err(Problem::CouponExpired { id: self.coupon.id.clone() });
        }
        Ok(())
    }
}

impl Customer {
    /// The discount that holds at that moment. One that is over stays in the record until the next change of the customer,
    /// and is not shown and in nobody's way meanwhile.
    pub fn discount_at(&self, now: Time) -> Option<&Discount> {
        self.discount.as_ref().filter(|discount| !discount.is_over(now))
    }

    /// The customer with a discount by the offer in place of any other one, or the rule that this breaks.
    pub fn with_discount(&self, offer: &Offer, id: DiscountId, now: Time) -> Result<Customer, Problem> {
        offer.check(&self.id, now)?;
        let mut next = self.clone();
        let Offer { coupon, code } = offer;
        if let Reduction::Amount { amount: _, currency } = coupon.reduction {
            match self.currency {
                Some(own) if own != currency => {
                    return Err(Problem::CurrencyMismatch { customer: own, given: currency });
                }
                Some(_) | None => next.currency = Some(currency),
            }
        }
        next.discount = Some(Discount {
            id,
            coupon: coupon.id.clone(),
            coupon_serial: coupon.serial.clone(),
            promotion_code: code.as_ref().map(|code| code.id.clone()),
            start: now,
            end: match coupon.duration {
                // One invoice ends the first, nothing the second.
                CouponDuration::Once | CouponDuration::Forever => None,
                CouponDuration::Months(months) => Some(now.plus_months(months)),
            },
        });
        Ok(next)
    }
}

#[cfg(test)]
mod tests {
    use super::{Customer, Offer};
    use crate::domain::coupon::{Coupon, CouponDuration, NewCoupon, Percent, Reduction};
    use crate::domain::ids::{CouponId, CouponSerial, CustomerId, DiscountId, PromotionCodeId};
    use crate::domain::metadata::MetadataChange;
    use crate::domain::money::Currency;
    use crate::domain::problem::{CodeRefusal, Problem};
    use crate::domain::promotion_code::{Code, PromotionCode, Restrictions};
    use crate::domain::time::Time;

    const NOW: Time = Time(1_000);

    fn percent() -> Reduction {
        Reduction::Percent { percent: Percent::of_hundredths(2_500).unwrap(), currency: None }
    }

    fn coupon(reduction: Reduction, duration: CouponDuration) -> Coupon {
        let (max_redemptions, redeem_by, metadata) = (None, None, MetadataChange::Keep);
        let wish = NewCoupon { id: None, name: None, reduction, duration, max_redemptions, redeem_by, metadata };
        Coupon::new(wish, CouponId("25OFF".into()), CouponSerial("coupon_1".into()), Time(0)).unwrap()
    }

    fn code() -> PromotionCode {
        PromotionCode {
            id: PromotionCodeId("promo_1".into()),
            created: Time(0),
            code: Code::parse("FALL").unwrap(),
            coupon: CouponId("25OFF".into()),
            coupon_serial: CouponSerial("coupon_1".into()),
            customer: None,
            switched_on: true,
            expires_at: None,
            max_redemptions: None,
            times_redeemed: 0,
            restrictions: Restrictions::default(),
            metadata: [].into(),
        }
    }

    fn customer() -> Customer {
        Customer::blank(CustomerId("cus_1".into()), "A1B2C3D4".into(), Time(0))
    }

    fn redeem(customer: &Customer, coupon: Coupon, code: Option<PromotionCode>) -> Result<Customer, Problem> {
        customer.with_discount(&Offer { coupon, code }, DiscountId("di_1".into()), NOW)
    }

    #[test]
    fn months_end_a_discount_and_nothing_else_does() {
        for duration in [CouponDuration::Once, CouponDuration::Forever] {
            let having = redeem(&customer(), coupon(percent(), duration), None).unwrap();
            assert_eq!(having.discount_at(Time(i64::MAX)).and_then(|discount| discount.end), None);
        }
        let having = redeem(&customer(), coupon(percent(), CouponDuration::Months(1)), None).unwrap();
        let end = Time(1_000 + 31 * 24 * 60 * 60 * 1000);
        assert!(having.discount_at(Time(end.0 - 1)).is_some_and(|discount| discount.end == Some(end)));
        assert_eq!(having.discount_at(end), None);
    }

    #[test]
    fn an_amount_fixes_the_currency_and_a_percentage_does_not() {
        let [usd, eur] = ["usd", "eur"].map(|code| Currency::parse(code).unwrap());
        let amount = coupon(Reduction::Amount { amount: 500, currency: eur }, CouponDuration::Once);
        assert_eq!(redeem(&customer(), amount.clone(), None).unwrap().currency, Some(eur));
        assert_eq!(redeem(&customer(), coupon(percent(), CouponDuration::Once), None).unwrap().currency, None);
        let paying = Customer { currency: Some(usd), ..customer() };
        let mismatch = Problem::CurrencyMismatch { customer: usd, given: eur };
        assert_eq!(redeem(&paying, amount, None), Err(mismatch));
    }

    #[test]
    fn what_is_over_cannot_be_redeemed() {
        let plain = coupon(percent(), CouponDuration::Once);
        let refused = |code: PromotionCode| match redeem(&customer(), plain.clone(), Some(code)) {
            Err(Problem::PromotionCodeRefused { id: _, why }) => Some(why),
            Err(_) | Ok(_) => None,
        };
        assert_eq!(refused(code()), None);
        assert_eq!(refused(PromotionCode { switched_on: false, ..code() }), Some(CodeRefusal::SwitchedOff));
        assert_eq!(refused(PromotionCode { expires_at: Some(Time(999)), ..code() }), Some(CodeRefusal::Spent));
        let spent = PromotionCode { max_redemptions: Some(1), times_redeemed: 1, ..code() };
        assert_eq!(refused(spent), Some(CodeRefusal::Spent));
        let of_another = PromotionCode { customer: Some(CustomerId("cus_2".into())), ..code() };
        assert_eq!(refused(of_another), Some(CodeRefusal::ForAnother));
        let of_this_one = PromotionCode { customer: Some(CustomerId("cus_1".into())), ..code() };
        assert_eq!(refused(of_this_one), None);

        let expired = Coupon { redeem_by: Some(Time(999)), ..plain };
        for code in [None, Some(code())] {
            let problem = redeem(&customer(), expired.clone(), code);
            assert_eq!(problem, Err(Problem::CouponExpired { id: expired.id.clone() }));
        }
    }

    #[test]
    fn a_redemption_counts_for_the_coupon_and_the_code() {
        let offer = Offer { coupon: coupon(percent(), CouponDuration::Once), code: Some(code()) };
        let Offer { coupon, code } = offer.counted().counted();
        assert_eq!((coupon.times_redeemed, code.map(|code| code.times_redeemed)), (2, Some(2)));
    }
}
