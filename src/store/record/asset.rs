//! The shape of an asset.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Text, Unreadable, borrowed, owned, word};
use crate::domain::asset::{Asset, AssetStatus};
use crate::domain::ids::{CustomerId, ProductId, RentalId, SerialNumber, Sku, VariantId};
use crate::domain::time::Time;

/// Shape 1.
#[derive(Serialize, Deserialize)]
pub(super) struct AssetShape<'a> {
    serial: Text<'a>,
    created: i64,
    updated: i64,
    sku: Text<'a>,
    variant: Text<'a>,
    product: Text<'a>,
    product_name: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    product_image: Option<Text<'a>>,
    status: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acquisition_cost: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acquisition_date: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rental: Option<Text<'a>>,
}

impl<'a> From<&'a Asset> for AssetShape<'a> {
    fn from(asset: &'a Asset) -> AssetShape<'a> {
        let Asset {
            serial: SerialNumber(serial),
            created,
            updated,
            sku: Sku(sku),
            variant: VariantId(variant),
            product: ProductId(product),
            product_name,
            product_image,
            status,
            location,
            notes,
            condition,
            acquisition_cost,
            acquisition_date,
            customer,
            rental,
        } = asset;
        AssetShape {
            serial: Cow::Borrowed(serial),
            created: created.0,
            updated: updated.0,
            sku: Cow::Borrowed(sku),
            variant: Cow::Borrowed(variant),
            product: Cow::Borrowed(product),
            product_name: Cow::Borrowed(product_name),
            product_image: borrowed(product_image),
            status: Cow::Borrowed(status.as_str()),
            location: borrowed(location),
            notes: borrowed(notes),
            condition: borrowed(condition),
            acquisition_cost: *acquisition_cost,
            acquisition_date: borrowed(acquisition_date),
            customer: customer.as_ref().map(|CustomerId(id)| Cow::Borrowed(id.as_str())),
            rental: rental.as_ref().map(|RentalId(id)| Cow::Borrowed(id.as_str())),
        }
    }
}

impl TryFrom<AssetShape<'_>> for Asset {
    type Error = Unreadable;

    fn try_from(shape: AssetShape<'_>) -> Result<Asset, Unreadable> {
        let AssetShape {
            serial,
            created,
            updated,
            sku,
            variant,
            product,
            product_name,
            product_image,
            status,
            location,
            notes,
            condition,
            acquisition_cost,
            acquisition_date,
            customer,
            rental,
        } = shape;
        Ok(Asset {
            serial: SerialNumber(serial.into_owned()),
            created: Time(created),
            updated: Time(updated),
            sku: Sku(sku.into_owned()),
            variant: VariantId(variant.into_owned()),
            product: ProductId(product.into_owned()),
            product_name: product_name.into_owned(),
            product_image: owned(product_image),
            status: word("status", &status, AssetStatus::named)?,
            location: owned(location),
            notes: owned(notes),
            condition: owned(condition),
            acquisition_cost,
            acquisition_date: owned(acquisition_date),
            customer: owned(customer).map(CustomerId),
            rental: owned(rental).map(RentalId),
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::option;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::domain::object::{Object, ObjectKind};
    use crate::store::record::{read_facts, write_facts};

    /// Assets of any facts.
    pub(crate) fn assets() -> impl Strategy<Value = Asset> {
        let text = || option::of(any::<String>());
        let names = (any::<String>(), any::<String>(), any::<String>(), any::<String>(), any::<String>());
        let numbers = (any::<i64>(), any::<i64>(), option::of(any::<i64>()));
        let more = (text(), text(), text(), text(), text(), text(), text());
        (names, numbers, more, select(AssetStatus::ALL)).prop_map(|(names, numbers, more, status)| Asset {
            serial: SerialNumber(names.0),
            created: Time(numbers.0),
            updated: Time(numbers.1),
            sku: Sku(names.1),
            variant: VariantId(names.2),
            product: ProductId(names.3),
            product_name: names.4,
            product_image: more.0,
            status,
            location: more.1,
            notes: more.2,
            condition: more.3,
            acquisition_cost: numbers.2,
            acquisition_date: more.4,
            customer: more.5.map(CustomerId),
            rental: more.6.map(RentalId),
        })
    }

    #[test]
    fn what_was_kept_is_read() {
        let body = r#"{"v":1,"serial":"S1","created":5,"updated":6,"sku":"P-A","variant":"var_1","product":"prod_1","product_name":"n","status":"rented_out","acquisition_cost":7,"acquisition_date":"2025-01-15","customer":"cus_1","rental":"sub_1"}"#;
        let kept = Object { kind: ObjectKind::Asset, id: "S1".into(), created: Time(5), body: body.into() };
        assert_eq!(read_facts(&kept).map(|facts| write_facts(&facts)), Ok(kept));
    }
}
