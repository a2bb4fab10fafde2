//! The shapes of a product and of a variant.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::data::{ValueShape, borrowed_value, owned_value};
use super::{Text, Unreadable, borrowed, is_default, owned, word};
use crate::domain::ids::{ProductId, Sku, VariantId};
use crate::domain::product::{Off, PriceSource, Product, ProductStatus, Tier, TierDiscount, Variant, VariantStatus};
use crate::domain::time::Time;

/// Shape 1.
#[derive(Serialize, Deserialize)]
pub(super) struct ProductShape<'a> {
    id: Text<'a>,
    created: i64,
    updated: i64,
    sku: Text<'a>,
    name: Text<'a>,
    specification: Text<'a>,
    category: Text<'a>,
    brand: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Text<'a>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    images: Vec<Text<'a>>,
    status: Text<'a>,
    #[serde(default, skip_serializing_if = "is_default")]
    variants: u32,
}

/// Shape 1.
#[derive(Serialize, Deserialize)]
pub(super) struct VariantShape<'a> {
    sku: Text<'a>,
    id: Text<'a>,
    created: i64,
    updated: i64,
    product: Text<'a>,
    product_sku: Text<'a>,
    name: Text<'a>,
    grade: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    color: Option<Text<'a>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    images: Vec<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    list_price: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acquisition_cost: Option<i64>,
    tiers: Vec<TierShape<'a>>,
    status: Text<'a>,
}

#[derive(Serialize, Deserialize)]
struct TierShape<'a> {
    months: u32,
    monthly_price: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    setup_fee: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    off: Option<OffShape>,
    /// Why the discount.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    calculated: Option<ValueShape<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preset: Option<Text<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OffShape {
    /// In hundredths of a percent.
    Percentage(i64),
    Fixed(i64),
}

impl<'a> From<&'a Product> for ProductShape<'a> {
    fn from(product: &'a Product) -> ProductShape<'a> {
        let Product {
            id: ProductId(id),
            created,
            updated,
            sku: Sku(sku),
            name,
            specification,
            category,
            brand,
            description,
            images,
            status,
            variants,
        } = product;
        ProductShape {
            id: Cow::Borrowed(id),
            created: created.0,
            updated: updated.0,
            sku: Cow::Borrowed(sku),
            name: Cow::Borrowed(name),
            specification: Cow::Borrowed(specification),
            category: Cow::Borrowed(category),
            brand: Cow::Borrowed(brand),
            description: borrowed(description),
            images: borrowed_texts(images),
            status: Cow::Borrowed(status.as_str()),
            variants: *variants,
        }
    }
}

impl TryFrom<ProductShape<'_>> for Product {
    type Error = Unreadable;

    fn try_from(shape: ProductShape<'_>) -> Result<Product, Unreadable> {
        let ProductShape {
            id,
            created,
            updated,
            sku,
            name,
            specification,
            category,
            brand,
            description,
            images,
            status,
            variants,
        } = shape;
        Ok(Product {
            id: ProductId(id.into_owned()),
            created: Time(created),
            updated: Time(updated),
            sku: Sku(sku.into_owned()),
            name: name.into_owned(),
            specification: specification.into_owned(),
            category: category.into_owned(),
            brand: brand.into_owned(),
            description: owned(description),
            images: owned_texts(images),
            status: word("status", &status, ProductStatus::named)?,
            variants,
        })
    }
}

impl<'a> From<&'a Variant> for VariantShape<'a> {
    fn from(variant: &'a Variant) -> VariantShape<'a> {
        let Variant {
            sku: Sku(sku),
            id: VariantId(id),
            created,
            updated,
            product: ProductId(product),
            product_sku: Sku(product_sku),
            name,
            grade,
            condition,
            color,
            images,
            list_price,
            acquisition_cost,
            tiers,
            status,
        } = variant;
        VariantShape {
            sku: Cow::Borrowed(sku),
            id: Cow::Borrowed(id),
            created: created.0,
            updated: updated.0,
            product: Cow::Borrowed(product),
            product_sku: Cow::Borrowed(product_sku),
            name: Cow::Borrowed(name),
            grade: Cow::Borrowed(grade),
            condition: borrowed(condition),
            color: borrowed(color),
            images: borrowed_texts(images),
            list_price: *list_price,
            acquisition_cost: *acquisition_cost,
            tiers: tiers.iter().map(TierShape::from).collect(),
            status: Cow::Borrowed(status.as_str()),
        }
    }
}

impl TryFrom<VariantShape<'_>> for Variant {
    type Error = Unreadable;

    fn try_from(shape: VariantShape<'_>) -> Result<Variant, Unreadable> {
        let VariantShape {
            sku,
            id,
            created,
            updated,
            product,
            product_sku,
            name,
            grade,
            condition,
            color,
            images,
            list_price,
            acquisition_cost,
            tiers,
            status,
        } = shape;
        Ok(Variant {
            sku: Sku(sku.into_owned()),
            id: VariantId(id.into_owned()),
            created: Time(created),
            updated: Time(updated),
            product: ProductId(product.into_owned()),
            product_sku: Sku(product_sku.into_owned()),
            name: name.into_owned(),
            grade: grade.into_owned(),
            condition: owned(condition),
            color: owned(color),
            images: owned_texts(images),
            list_price,
            acquisition_cost,
            tiers: tiers.into_iter().map(Tier::try_from).collect::<Result<_, _>>()?,
            status: word("status", &status, VariantStatus::named)?,
        })
    }
}

impl<'a> From<&'a Tier> for TierShape<'a> {
    fn from(tier: &'a Tier) -> TierShape<'a> {
        let Tier { months, monthly_price, setup_fee, discount, source, calculated, preset } = tier;
        let (off, why) = match discount {
            Some(TierDiscount { off, description }) => (Some(OffShape::from(*off)), borrowed(description)),
            None => (None, None),
        };
        TierShape {
            months: *months,
            monthly_price: *monthly_price,
            setup_fee: *setup_fee,
            off,
            why,
            source: source.map(|source| Cow::Borrowed(source.as_str())),
            calculated: calculated.as_ref().map(borrowed_value),
            preset: borrowed(preset),
        }
    }
}

impl TryFrom<TierShape<'_>> for Tier {
    type Error = Unreadable;

    fn try_from(shape: TierShape<'_>) -> Result<Tier, Unreadable> {
        let TierShape { months, monthly_price, setup_fee, off, why, source, calculated, preset } = shape;
        Ok(Tier {
            months,
            monthly_price,
            setup_fee,
            discount: off.map(|off| TierDiscount { off: off.into(), description: owned(why) }),
            source: source.map(|source| word("source", &source, PriceSource::named)).transpose()?,
            calculated: calculated.map(owned_value),
            preset: owned(preset),
        })
    }
}

impl From<Off> for OffShape {
    fn from(off: Off) -> OffShape {
        match off {
            Off::Percentage(hundredths) => OffShape::Percentage(hundredths),
            Off::Fixed(amount) => OffShape::Fixed(amount),
        }
    }
}

impl From<OffShape> for Off {
    fn from(shape: OffShape) -> Off {
        match shape {
            OffShape::Percentage(hundredths) => Off::Percentage(hundredths),
            OffShape::Fixed(amount) => Off::Fixed(amount),
        }
    }
}

fn borrowed_texts(texts: &[String]) -> Vec<Text<'_>> {
    texts.iter().map(|text| Cow::Borrowed(text.as_str())).collect()
}

fn owned_texts(texts: Vec<Text<'_>>) -> Vec<String> {
    texts.into_iter().map(Cow::into_owned).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::domain::data::Value;
    use crate::domain::object::{Object, ObjectKind};
    use crate::store::record::{read_facts, write_facts};

    /// Products of any facts.
    pub(crate) fn products() -> impl Strategy<Value = Product> {
        let names = (any::<String>(), any::<String>(), any::<String>(), any::<String>());
        let more = (any::<String>(), any::<String>(), option::of(any::<String>()), vec(any::<String>(), 0..3));
        let counts = (any::<i64>(), any::<i64>(), any::<u32>());
        (names, more, counts, select(ProductStatus::ALL)).prop_map(|(names, more, counts, status)| Product {
            id: ProductId(names.0),
            created: Time(counts.0),
            updated: Time(counts.1),
            sku: Sku(names.1),
            name: names.2,
            specification: names.3,
            category: more.0,
            brand: more.1,
            description: more.2,
            images: more.3,
            status,
            variants: counts.2,
        })
    }

    fn tiers() -> impl Strategy<Value = Tier> {
        let off = prop_oneof![any::<i64>().prop_map(Off::Percentage), any::<i64>().prop_map(Off::Fixed)];
        let discount =
            (off, option::of(any::<String>())).prop_map(|(off, description)| TierDiscount { off, description });
        let numbers = (any::<u32>(), any::<i64>(), option::of(any::<i64>()));
        let origin = (option::of(select(PriceSource::ALL)), option::of(any::<String>()), option::of(any::<String>()));
        (numbers, option::of(discount), origin).prop_map(|(numbers, discount, origin)| Tier {
            months: numbers.0,
            monthly_price: numbers.1,
            setup_fee: numbers.2,
            discount,
            source: origin.0,
            calculated: origin.1.map(Value::Text),
            preset: origin.2,
        })
    }

    /// Variants of any facts.
    pub(crate) fn variants() -> impl Strategy<Value = Variant> {
        let names = (any::<String>(), any::<String>(), any::<String>(), any::<String>(), any::<String>());
        let more =
            (option::of(any::<String>()), option::of(any::<String>()), vec(any::<String>(), 0..3), any::<String>());
        let numbers = (any::<i64>(), any::<i64>(), option::of(any::<i64>()), option::of(any::<i64>()));
        let rest = (vec(tiers(), 0..3), select(VariantStatus::ALL));
        (names, more, numbers, rest).prop_map(|(names, more, numbers, (tiers, status))| Variant {
            sku: Sku(names.0),
            id: VariantId(names.1),
            created: Time(numbers.0),
            updated: Time(numbers.1),
            product: ProductId(names.2),
            product_sku: Sku(more.3),
            name: names.3,
            grade: names.4,
            condition: more.0,
            color: more.1,
            images: more.2,
            list_price: numbers.2,
            acquisition_cost: numbers.3,
            tiers,
            status,
        })
    }

    #[test]
    fn what_was_kept_is_read() {
        let product = r#"{"v":1,"id":"prod_1","created":5,"updated":6,"sku":"P","name":"n","specification":"s","category":"c","brand":"b","status":"active","variants":1}"#;
        let variant = r#"{"v":1,"sku":"P-A","id":"var_1","created":5,"updated":5,"product":"prod_1","product_sku":"P","name":"n","grade":"A","tiers":[{"months":12,"monthly_price":999,"off":{"percentage":1250},"source":"manual"}],"status":"inactive"}"#;
        for (kind, id, body) in [(ObjectKind::Product, "prod_1", product), (ObjectKind::Variant, "P-A", variant)] {
            let kept = Object { kind, id: id.into(), created: Time(5), body: body.into() };
            assert_eq!(read_facts(&kept).map(|facts| write_facts(&facts)), Ok(kept));
        }
    }
}
