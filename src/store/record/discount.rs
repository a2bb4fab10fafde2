//! The shape of a discount.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::Text;
use crate::domain::discount::Discount;
use crate::domain::ids::{CouponId, CouponSerial, DiscountId, PromotionCodeId};
use crate::domain::time::Time;

/// Shape 1.
#[derive(Serialize, Deserialize)]
pub(super) struct DiscountShape<'a> {
    id: Text<'a>,
    coupon: Text<'a>,
    coupon_serial: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    promotion_code: Option<Text<'a>>,
    start: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<i64>,
}

impl<'a> From<&'a Discount> for DiscountShape<'a> {
    fn from(discount: &'a Discount) -> DiscountShape<'a> {
        let Discount {
            id: DiscountId(id),
            coupon: CouponId(coupon),
            coupon_serial: CouponSerial(coupon_serial),
            promotion_code,
            start,
            end,
        } = discount;
        DiscountShape {
            id: Cow::Borrowed(id),
            coupon: Cow::Borrowed(coupon),
            coupon_serial: Cow::Borrowed(coupon_serial),
            promotion_code: promotion_code.as_ref().map(|PromotionCodeId(id)| Cow::Borrowed(id.as_str())),
            start: start.0,
            end: end.map(|time| time.0),
        }
    }
}

impl From<DiscountShape<'_>> for Discount {
    fn from(shape: DiscountShape<'_>) -> Discount {
        let DiscountShape { id, coupon, coupon_serial, promotion_code, start, end } = shape;
        Discount {
            id: DiscountId(id.into_owned()),
            coupon: CouponId(coupon.into_owned()),
            coupon_serial: CouponSerial(coupon_serial.into_owned()),
            promotion_code: promotion_code.map(|id| PromotionCodeId(id.into_owned())),
            start: Time(start),
            end: end.map(Time),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::option;
    use proptest::prelude::*;

    use crate::domain::discount::Discount;
    use crate::domain::ids::{CouponId, CouponSerial, DiscountId, PromotionCodeId};
    use crate::domain::time::Time;

    /// Any discount.
    pub(crate) fn discounts() -> impl Strategy<Value = Discount> {
        let names = (any::<String>(), any::<String>(), any::<String>(), option::of(any::<String>()));
        let times = (any::<i64>(), option::of(any::<i64>()));
        (names, times).prop_map(|(names, times)| Discount {
            id: DiscountId(names.0),
            coupon: CouponId(names.1),
            coupon_serial: CouponSerial(names.2),
            promotion_code: names.3.map(PromotionCodeId),
            start: Time(times.0),
            end: times.1.map(Time),
        })
    }
}
