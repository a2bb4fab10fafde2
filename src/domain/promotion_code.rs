//! Promotion codes: words with which customers redeem a coupon, and who may do so.

use super::coupon::Coupon;
use super::ids::{CouponId, CouponSerial, CustomerId, PromotionCodeId};
use super::metadata::{Metadata, MetadataChange};
use super::money::Currency;
use super::problem::{Deadline, Problem};
use super::time::Time;

/// The most characters of a code.
pub const MAX_CODE: usize = 500;

/// A word of letters, digits and dashes, the same word whatever its case.
#[derive(Clone, Debug)]
pub struct Code(String);

impl Code {
    /// The code of that text; `None` when it is empty, too long or has other characters.
    pub fn parse(text: &str) -> Option<Code> {
        let fits = (1..=MAX_CODE).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        fits.then(|| Code(text.to_owned()))
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Without case.
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Code) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Code {}

/// What a purchase must be for a code to be redeemed with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restrictions {
    /// The customer's first.
    pub first_time_transaction: bool,
    /// Of so many minor units, at least one, in that currency.
    pub minimum: Option<(i64, Currency)>,
}

/// A promotion code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromotionCode {
    /// Its id.
    pub id: PromotionCodeId,
    /// When it was made; never changes.
    pub created: Time,
    /// What customers type.
    pub code: Code,
    /// The id of its coupon.
    pub coupon: CouponId,
    /// Which coupon of that id.
    pub coupon_serial: CouponSerial,
    /// The only customer who may use it.
    pub customer: Option<CustomerId>,
    /// Whether it is switched on. One that is may still be of no use: see [`Promotion::is_active`].
    pub switched_on: bool,
    /// The last moment at which it can be redeemed.
    pub expires_at: Option<Time>,
    /// How often it can be redeemed.
    pub max_redemptions: Option<i64>,
    /// How often it was redeemed.
    pub times_redeemed: i64,
    /// What a purchase must be.
    pub restrictions: Restrictions,
    /// Free data.
    pub metadata: Metadata,
}

/// A wish for a promotion code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPromotionCode {
    /// What customers type, if it is to be a certain word.
    pub code: Option<Code>,
    /// Of which coupon.
    pub coupon: CouponId,
    /// The only customer who may use it.
    pub customer: Option<CustomerId>,
    /// Whether it is switched on.
    pub switched_on: bool,
    /// The last moment at which it can be redeemed.
    pub expires_at: Option<Time>,
    /// How often it can be redeemed.
    pub max_redemptions: Option<i64>,
    /// What a purchase must be.
    pub restrictions: Restrictions,
    /// Free data.
    pub metadata: MetadataChange,
}

/// A wish to change a promotion code; all else about it is fixed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PromotionCodeChange {
    /// Whether it is switched on.
    pub switched_on: Option<bool>,
    /// Free data.
    pub metadata: MetadataChange,
}

/// A promotion code with its coupon, which says much about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promotion {
    /// The code.
    pub code: PromotionCode,
    /// Its coupon, maybe a deleted one.
    pub coupon: Coupon,
}

impl Promotion {
    /// The promotion code that is wished for, or the rule it breaks.
    pub fn new(
        wish: NewPromotionCode,
        id: PromotionCodeId,
        code: Code,
        coupon: Coupon,
        now: Time,
    ) -> Result<Promotion, Problem> {
        let NewPromotionCode {
            code: _,
            coupon: _,
            customer,
            switched_on,
            expires_at,
            max_redemptions,
            restrictions,
            metadata: wished,
        } = wish;
        if expires_at.is_some_and(|end| end <= now) {
            return Err(Problem::DeadlinePassed(Deadline::ExpiresAt));
        }
        if let (Some(own), Some(last)) = (expires_at, coupon.redeem_by)
            && own > last
        {
            return Err(Problem::ExpiresAfterCoupon { redeem_by: last });
        }
        if let (Some(own), Some(most)) = (max_redemptions, coupon.max_redemptions)
            && own > most
        {
            return Err(Problem::MoreRedemptionsThanCoupon { most });
        }
        let mut metadata = Metadata::new();
        wished.onto(&mut metadata)?;
        let code = PromotionCode {
            id,
            created: now,
            code,
            coupon: coupon.id.clone(),
            coupon_serial: coupon.serial.clone(),
            customer,
            switched_on,
            expires_at,
            max_redemptions,
            times_redeemed: 0,
            restrictions,
            metadata,
        };
        let made = Promotion { code, coupon };
        if switched_on {
            made.check_redeemable(now)?;
        }
        Ok(made)
    }

    /// The promotion code with the change applied, or the rule it breaks: it is not switched on when it cannot be
    /// redeemed.
    pub fn with(&self, change: PromotionCodeChange, now: Time) -> Result<Promotion, Problem> {
        let PromotionCodeChange { switched_on, metadata } = change;
        let mut next = self.clone();
        next.code.switched_on = switched_on.unwrap_or(self.code.switched_on);
        metadata.onto(&mut next.code.metadata)?;
        if switched_on == Some(true) {
            next.check_redeemable(now)?;
        }
        Ok(next)
    }

    /// Whether customers can redeem it at that moment.
    pub fn is_active(&self, now: Time) -> bool {
        self.code.switched_on && self.check_redeemable(now).is_ok()
    }

    fn check_redeemable(&self, now: Time) -> Result<(), Problem> {
        if !self.coupon.is_valid(now) {
            return Err(Problem::CouponExpired { id: self.coupon.id.clone() });
        }
        if !self.code.can_be_redeemed(now) {
            return Err(Problem::PromotionCodeSpent { id: self.code.id.clone() });
        }
        Ok(())
    }
}

impl PromotionCode {
    /// Whether it has neither expired at that moment nor been redeemed as often as it can be.
    pub fn can_be_redeemed(&self, now: Time) -> bool {
        self.expires_at.is_none_or(|end| now <= end)
            && self.max_redemptions.is_none_or(|most| self.times_redeemed < most)
    }

    /// Whether some customer could mean either by typing the code.
    pub fn is_mistakable_for(&self, code: &Code, customer: Option<&CustomerId>) -> bool {
        let of_others = match (&self.customer, customer) {
            (Some(one), Some(other)) => one != other,
            (None, _) | (_, None) => false,
        };
        self.code == *code && !of_others
    }
}

#[cfg(test)]
mod tests {
    use super::{Code, MAX_CODE};

    #[test]
    fn a_code_is_a_word_whatever_its_case() {
        assert_eq!(Code::parse("Fall-20"), Code::parse("fALL-20"));
        assert_eq!(Code::parse("Fall-20").unwrap().as_str(), "Fall-20");
        assert!(Code::parse(&"x".repeat(MAX_CODE)).is_some());
        for bad in ["", "a b", "ä", "a_b", &"x".repeat(MAX_CODE + 1)] {
            assert_eq!(Code::parse(bad), None, "{bad}");
        }
    }
}
