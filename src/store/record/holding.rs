//! The shape of something that a customer holds, where an event tells of it.

use serde::{Deserialize, Serialize};

use super::Unreadable;
use super::coupon::CouponShape;
use super::discount::DiscountShape;
use super::instrument::InstrumentShape;
use super::tax_id::TaxIdShape;
use crate::domain::discount::Redeemed;
use crate::domain::holding::Holding;

/// Tagged from outside, so that nothing is parsed twice.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum HoldingShape<'a> {
    Instrument(InstrumentShape<'a>),
    Discount { discount: Box<DiscountShape<'a>>, coupon: Box<CouponShape<'a>> },
    TaxId(TaxIdShape<'a>),
}

impl<'a> From<&'a Holding> for HoldingShape<'a> {
    fn from(holding: &'a Holding) -> HoldingShape<'a> {
        match holding {
            Holding::Instrument(instrument) => HoldingShape::Instrument(instrument.into()),
            Holding::Discount(redeemed) => {
                let Redeemed { discount, coupon } = &**redeemed;
                HoldingShape::Discount { discount: Box::new(discount.into()), coupon: Box::new(coupon.into()) }
            }
            Holding::TaxId(tax_id) => HoldingShape::TaxId(tax_id.into()),
        }
    }
}

impl TryFrom<HoldingShape<'_>> for Holding {
    type Error = Unreadable;

    fn try_from(shape: HoldingShape<'_>) -> Result<Holding, Unreadable> {
        Ok(match shape {
            HoldingShape::Instrument(instrument) => Holding::Instrument(instrument.try_into()?),
            HoldingShape::Discount { discount, coupon } => {
                Redeemed { discount: (*discount).into(), coupon: (*coupon).try_into()? }.into()
            }
            HoldingShape::TaxId(tax_id) => Holding::TaxId(tax_id.try_into()?),
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use crate::domain::discount::Redeemed;
    use crate::domain::holding::Holding;
    use crate::store::record::discount::tests::discounts;
    use crate::store::record::facts::tests::coupons;
    use crate::store::record::instrument::tests::instruments;
    use crate::store::record::tax_id::tests::tax_ids;

    /// Anything that a customer can hold.
    pub(crate) fn holdings() -> BoxedStrategy<Holding> {
        let redeemed = (discounts(), coupons()).prop_map(|(discount, coupon)| Redeemed { discount, coupon });
        prop_oneof![
            instruments().prop_map(Holding::from),
            redeemed.prop_map(Holding::from),
            tax_ids().prop_map(Holding::from)
        ]
        // Two of this size do not fit on the stack.
        .boxed()
    }
}
