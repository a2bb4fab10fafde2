//! The shape of a coupon.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::customer::{borrowed_metadata, owned_metadata, read_currency};
use super::{Text, Unreadable, borrowed, is_default, owned};
use crate::domain::coupon::{Coupon, CouponDuration, Percent, Reduction};
use crate::domain::ids::{CouponId, CouponSerial};
use crate::domain::money::Currency;
use crate::domain::time::Time;

/// Shape 1.
#[derive(Serialize, Deserialize)]
pub(super) struct CouponShape<'a> {
    id: Text<'a>,
    serial: Text<'a>,
    created: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<i64>,
    /// In hundredths.
    #[serde(skip_serializing_if = "Option::is_none")]
    percent: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<Text<'a>>,
    duration: DurationShape,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_redemptions: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    redeem_by: Option<i64>,
    #[serde(default, skip_serializing_if = "is_default")]
    times_redeemed: i64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<Text<'a>, Text<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum DurationShape {
    Once,
    Forever,
    Months(u32),
}

impl<'a> From<&'a Coupon> for CouponShape<'a> {
    fn from(coupon: &'a Coupon) -> CouponShape<'a> {
        let Coupon {
            id: CouponId(id),
            serial: CouponSerial(serial),
            created,
            deleted,
            name,
            reduction,
            duration,
            max_redemptions,
            redeem_by,
            times_redeemed,
            metadata,
        } = coupon;
        let (amount, percent, currency) = match reduction {
            Reduction::Percent { percent, currency } => (None, Some(percent.hundredths()), currency.as_ref()),
            Reduction::Amount { amount, currency } => (Some(*amount), None, Some(currency)),
        };
        CouponShape {
            id: Cow::Borrowed(id),
            serial: Cow::Borrowed(serial),
            created: created.0,
            deleted: deleted.map(|time| time.0),
            name: borrowed(name),
            amount,
            percent,
            currency: currency.map(|currency| Cow::Borrowed(Currency::as_str(currency))),
            duration: match duration {
                CouponDuration::Once => DurationShape::Once,
                CouponDuration::Forever => DurationShape::Forever,
                CouponDuration::Months(months) => DurationShape::Months(*months),
            },
            max_redemptions: *max_redemptions,
            redeem_by: redeem_by.map(|time| time.0),
            times_redeemed: *times_redeemed,
            metadata: borrowed_metadata(metadata),
        }
    }
}

impl TryFrom<CouponShape<'_>> for Coupon {
    type Error = Unreadable;

    fn try_from(shape: CouponShape<'_>) -> Result<Coupon, Unreadable> {
        let CouponShape {
            id,
            serial,
            created,
            deleted,
            name,
            amount,
            percent,
            currency,
            duration,
            max_redemptions,
            redeem_by,
            times_redeemed,
            metadata,
        } = shape;
        let currency = currency.map(|code| read_currency(&code)).transpose()?;
        let reduction = match (amount, percent.and_then(Percent::of_hundredths), currency) {
            (None, Some(percent), currency) => Reduction::Percent { percent, currency },
            (Some(amount), None, Some(currency)) => Reduction::Amount { amount, currency },
            _ => return Err(Unreadable::UnknownWord("reduction")),
        };
        Ok(Coupon {
            id: CouponId(id.into_owned()),
            serial: CouponSerial(serial.into_owned()),
            created: Time(created),
            deleted: deleted.map(Time),
            name: owned(name),
            reduction,
            duration: match duration {
                DurationShape::Once => CouponDuration::Once,
                DurationShape::Forever => CouponDuration::Forever,
                DurationShape::Months(months) => CouponDuration::Months(months),
            },
            max_redemptions,
            redeem_by: redeem_by.map(Time),
            times_redeemed,
            metadata: owned_metadata(metadata),
        })
    }
}
