//! The shape of a promotion code.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::customer::{borrowed_metadata, owned_metadata, read_currency};
use super::{Text, Unreadable, is_default};
use crate::domain::ids::{CouponId, CouponSerial, CustomerId, PromotionCodeId};
use crate::domain::promotion_code::{Code, PromotionCode, Restrictions};
use crate::domain::time::Time;

/// Shape 1.
#[derive(Serialize, Deserialize)]
pub(super) struct PromotionCodeShape<'a> {
    id: Text<'a>,
    created: i64,
    code: Text<'a>,
    coupon: Text<'a>,
    coupon_serial: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<Text<'a>>,
    #[serde(default, skip_serializing_if = "is_default")]
    off: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_redemptions: Option<i64>,
    #[serde(default, skip_serializing_if = "is_default")]
    times_redeemed: i64,
    #[serde(default, skip_serializing_if = "is_default")]
    first_time_transaction: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    minimum: Option<MinimumShape<'a>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<Text<'a>, Text<'a>>,
}

#[derive(Serialize, Deserialize)]
struct MinimumShape<'a> {
    amount: i64,
    currency: Text<'a>,
}

impl<'a> From<&'a PromotionCode> for PromotionCodeShape<'a> {
    fn from(code: &'a PromotionCode) -> PromotionCodeShape<'a> {
        let PromotionCode {
            id: PromotionCodeId(id),
            created,
            code,
            coupon: CouponId(coupon),
            coupon_serial: CouponSerial(coupon_serial),
            customer,
            switched_on,
            expires_at,
            max_redemptions,
            times_redeemed,
            restrictions: Restrictions { first_time_transaction, minimum },
            metadata,
        } = code;
        PromotionCodeShape {
            id: Cow::Borrowed(id),
            created: created.0,
            code: Cow::Borrowed(code.as_str()),
            coupon: Cow::Borrowed(coupon),
            coupon_serial: Cow::Borrowed(coupon_serial),
            customer: customer.as_ref().map(|CustomerId(id)| Cow::Borrowed(id.as_str())),
            off: !switched_on,
            expires_at: expires_at.map(|time| time.0),
            max_redemptions: *max_redemptions,
            times_redeemed: *times_redeemed,
            first_time_transaction: *first_time_transaction,
            minimum: minimum
                .as_ref()
                .map(|(amount, currency)| MinimumShape { amount: *amount, currency: Cow::Borrowed(currency.as_str()) }),
            metadata: borrowed_metadata(metadata),
        }
    }
}

impl TryFrom<PromotionCodeShape<'_>> for PromotionCode {
    type Error = Unreadable;

    fn try_from(shape: PromotionCodeShape<'_>) -> Result<PromotionCode, Unreadable> {
        let PromotionCodeShape {
            id,
            created,
            code,
            coupon,
            coupon_serial,
            customer,
            off,
            expires_at,
            max_redemptions,
            times_redeemed,
            first_time_transaction,
            minimum,
            metadata,
        } = shape;
        let minimum = minimum.map(|MinimumShape { amount, currency }| Ok((amount, read_currency(&currency)?)));
        Ok(PromotionCode {
            id: PromotionCodeId(id.into_owned()),
            created: Time(created),
            code: Code::parse(&code).ok_or(Unreadable::UnknownWord("code"))?,
            coupon: CouponId(coupon.into_owned()),
            coupon_serial: CouponSerial(coupon_serial.into_owned()),
            customer: customer.map(|id| CustomerId(id.into_owned())),
            switched_on: !off,
            expires_at: expires_at.map(Time),
            max_redemptions,
            times_redeemed,
            restrictions: Restrictions { first_time_transaction, minimum: minimum.transpose()? },
            metadata: owned_metadata(metadata),
        })
    }
}
