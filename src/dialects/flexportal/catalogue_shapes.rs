//! What products and variants look like in requests and replies, and how they are read and shown.

use super::{Shown, pages, time};

use crate::domain::data::Value;
use crate::domain::ids::{Sku, VariantId};
use crate::domain::money::MAX_AMOUNT;
use crate::domain::patch::Patch;
use crate::domain::product::{
    MAX_DESCRIPTION, MAX_IMAGES, MAX_MONTHS, MAX_NAME, MAX_SKU, MAX_TEXT, MAX_URL, MAX_VARIANTS, Off, PriceSource,
    Product, ProductChange, ProductStatus, Tier, TierDiscount, Tiers, Variant, VariantChange, VariantStatus,
};
use crate::engine::products::{Settled, WithVariants};
use crate::http::json::{Json, Object};
use crate::rest::formats::WEB_ADDRESS;
use crate::rest::read::decimal;
use crate::rest::shape::{Data, Member, member};
use crate::rest::{Component, Fields, Flaw, Refusal, Shape, Wrong, data};

/// The most variants of a page of them.
pub const MAX_VARIANTS_OF_PAGE: usize = 5_000;

/// The decimals of a discount's value before it is known what it is of: those of the currencies that have the most.
const VALUE_DECIMALS: u32 = 3;
/// The most that is read as one, in thousandths: the highest amount of a currency without decimals.
const MAX_VALUE: i64 = MAX_AMOUNT * 1_000;
/// The most of a discount in percent, in hundredths.
const WHOLE: i64 = 10_000;
/// How many decimals a percentage has.
const PERCENT_DECIMALS: u32 = 2;

const NAME: Shape = Shape::text(1, MAX_NAME);
const SKU: Shape = Shape::trimmed(1, MAX_SKU);
const MONEY: Shape = Shape::Money(0, MAX_AMOUNT);
const MOMENT: Shape = Shape::text(1, 64);
const ID: Shape = Shape::text(1, 64);
static URL: Shape = Shape::of(&WEB_ADDRESS, MAX_URL);
const IMAGES: Shape = Shape::List(&URL, 0, MAX_IMAGES);

/// What may say when a price was worked out: the specification leaves it open.
const CALCULATED: Data = Data { max_bytes: 1_000, max_depth: 3 };

const DISCOUNT_MEMBERS: &[Member] = &[
    member("type", Shape::Word(&["percentage", "fixed"])).needed(),
    member("value", Shape::number(0, MAX_VALUE, VALUE_DECIMALS)).needed().example("10"),
    member("description", Shape::text(0, MAX_TEXT)),
];

const TIER_MEMBERS: &[Member] = &[
    member("contractLength", Shape::Whole(1, MAX_MONTHS as i64)).needed().doc("In months.").example("12"),
    member("monthlyPrice", MONEY).needed().example("149.99"),
    member("setupFee", MONEY).doc("To be paid once."),
    member("discount", Shape::Object(DISCOUNT_MEMBERS)).doc("Noted beside the price, not taken off it."),
    member("source", Shape::Word(&["suggested", "manual"])),
    member("calculatedAt", Shape::Any(CALCULATED)).nullable().doc("Kept as it is written, a moment as a rule."),
    member("presetUsed", Shape::text(0, MAX_NAME)),
];

static TIER: Shape = Shape::Component(&Component {
    name: "PricingTier",
    doc: "The price of a variant for contracts of one length.",
    shape: Shape::Object(TIER_MEMBERS),
});

const TIERS: Shape = Shape::List(&TIER, 1, MAX_MONTHS as usize);
const VARIANT_STATUS: Shape = Shape::Word(&["active", "inactive"]);
const PRODUCT_STATUS: Shape = Shape::Word(&["active", "discontinued"]);

const STATED_VARIANT: [Member; 10] = [
    member("variantName", NAME).example("Grade A - like new"),
    member("grade", NAME).example("A"),
    member("condition", Shape::text(0, MAX_TEXT)),
    member("colorName", Shape::text(0, MAX_NAME)),
    member("images", IMAGES),
    member("listPrice", MONEY).example("2499"),
    member("acquisitionCost", MONEY).example("1800"),
    member("pricing", TIERS),
    member("status", VARIANT_STATUS),
    member("variantSku", SKU).example("NOTEBOOK-16-A"),
];

const VARIANT_ID: Member =
    member("variantId", Shape::text(0, 64)).doc("That of the SKU. A variant that is new has none yet.");

const NEW_VARIANT_MEMBERS: &[Member] = &[
    VARIANT_ID,
    STATED_VARIANT[9].needed(),
    STATED_VARIANT[0].needed(),
    STATED_VARIANT[1].needed(),
    STATED_VARIANT[2],
    STATED_VARIANT[3],
    STATED_VARIANT[4],
    STATED_VARIANT[5],
    STATED_VARIANT[6],
    STATED_VARIANT[7].needed(),
    STATED_VARIANT[8],
];

static NEW_VARIANT: Shape = Shape::Component(&Component {
    name: "NewVariant",
    doc: "A variant that is made, or changed where its SKU is known.",
    shape: Shape::Object(NEW_VARIANT_MEMBERS),
});

const VARIANT_CHANGE_MEMBERS: &[Member] = &[
    VARIANT_ID,
    STATED_VARIANT[9].doc("Which variant. One that is not known is made, and needs a name, a grade and prices."),
    member("sku", SKU).doc("The same as `variantSku`."),
    STATED_VARIANT[0],
    STATED_VARIANT[1],
    STATED_VARIANT[2],
    STATED_VARIANT[3],
    member("color", Shape::text(0, MAX_NAME)).doc("The same as `colorName`."),
    STATED_VARIANT[4],
    STATED_VARIANT[5],
    STATED_VARIANT[6],
    STATED_VARIANT[7].doc("In the place of all prices."),
    STATED_VARIANT[8],
];

static VARIANT_CHANGE: Shape = Shape::Component(&Component {
    name: "VariantChange",
    doc: "What changes of a variant. What is left out stays.",
    shape: Shape::Object(VARIANT_CHANGE_MEMBERS),
});

const STATED_PRODUCT: [Member; 8] = [
    member("productSku", SKU).example("NOTEBOOK-16"),
    member("name", NAME).example("Notebook 16\""),
    member("specification", Shape::text(1, MAX_TEXT)).example("18 GB, 512 GB"),
    member("category", NAME).example("Laptops"),
    member("brand", NAME).example("Acme"),
    member("description", Shape::text(0, MAX_DESCRIPTION)),
    member("images", IMAGES),
    member("status", PRODUCT_STATUS),
];

const NEW_PRODUCT_MEMBERS: &[Member] = &[
    STATED_PRODUCT[0].needed(),
    STATED_PRODUCT[1].needed(),
    STATED_PRODUCT[2].needed(),
    STATED_PRODUCT[3].needed(),
    STATED_PRODUCT[4].needed(),
    STATED_PRODUCT[5],
    STATED_PRODUCT[6],
    STATED_PRODUCT[7],
    member("variants", Shape::List(&NEW_VARIANT, 1, MAX_VARIANTS as usize)).needed(),
];

/// A product with variants, to be made or changed by its SKU.
pub static NEW_PRODUCT: Shape = Shape::Component(&Component {
    name: "NewProduct",
    doc: "A product that is made, or changed where its SKU is known.",
    shape: Shape::Object(NEW_PRODUCT_MEMBERS),
});

const PRODUCT_CHANGE_MEMBERS: &[Member] = &[
    STATED_PRODUCT[0],
    STATED_PRODUCT[1],
    STATED_PRODUCT[2],
    STATED_PRODUCT[3],
    STATED_PRODUCT[4],
    STATED_PRODUCT[5],
    STATED_PRODUCT[6],
    STATED_PRODUCT[7],
    member("variants", Shape::List(&VARIANT_CHANGE, 1, MAX_VARIANTS as usize))
        .doc("Variants that change or are new. Others stay."),
];

/// What changes of a product.
pub static PRODUCT_CHANGE: Shape = Shape::Component(&Component {
    name: "ProductChange",
    doc: "What changes of a product. What is left out stays.",
    shape: Shape::Object(PRODUCT_CHANGE_MEMBERS),
});

const VARIANT_STATUS_MEMBERS: &[Member] = &[member("status", VARIANT_STATUS).needed().example("inactive")];

/// The status of a variant.
pub static NEW_STATUS: Shape = Shape::Object(VARIANT_STATUS_MEMBERS);

static SHOWN_URL: Shape = Shape::text(0, MAX_URL);
const SHOWN_IMAGES: Shape = Shape::List(&SHOWN_URL, 0, MAX_IMAGES);

const VARIANT_MEMBERS: &[Member] = &[
    member("variantId", ID).needed(),
    member("tenantId", ID).needed(),
    member("productId", ID).needed(),
    member("productSku", SKU).needed(),
    member("variantSku", SKU).needed(),
    member("variantName", NAME).needed(),
    member("grade", NAME).needed(),
    STATED_VARIANT[2],
    STATED_VARIANT[3],
    member("images", SHOWN_IMAGES),
    STATED_VARIANT[5],
    STATED_VARIANT[6],
    member("pricing", Shape::List(&TIER, 1, MAX_MONTHS as usize)).needed().doc("The shortest contract first."),
    STATED_VARIANT[8].needed(),
    member("createdAt", MOMENT).needed(),
    member("updatedAt", MOMENT).needed(),
];

static VARIANT_COMPONENT: Component =
    Component { name: "Variant", doc: "What can be ordered of a product.", shape: Shape::Object(VARIANT_MEMBERS) };
static SHOWN_VARIANT: Shape = Shape::Component(&VARIANT_COMPONENT);

const SYNC_MEMBERS: &[Member] = &[member("source", Shape::Word(&["manual", "shopify", "woocommerce"])).needed()];

const PRODUCT_MEMBERS: &[Member] = &[
    member("productId", ID).needed(),
    member("tenantId", ID).needed(),
    STATED_PRODUCT[0].needed(),
    STATED_PRODUCT[1].needed(),
    STATED_PRODUCT[2].needed(),
    STATED_PRODUCT[3].needed(),
    STATED_PRODUCT[4].needed(),
    STATED_PRODUCT[5],
    member("images", SHOWN_IMAGES),
    STATED_PRODUCT[7].needed(),
    member("_sync", Shape::Object(SYNC_MEMBERS)).doc("Where the product comes from: always `manual` here."),
    member("variants", Shape::List(&SHOWN_VARIANT, 0, MAX_VARIANTS as usize)),
    member("createdAt", MOMENT).needed(),
    member("updatedAt", MOMENT).needed(),
];

/// A product as it is shown.
pub static PRODUCT: Shape = Shape::Component(&Component {
    name: "Product",
    doc: "A product with its variants.",
    shape: Shape::Object(PRODUCT_MEMBERS),
});

/// A page of products.
pub static PRODUCTS: Shape = Shape::Object(&[
    member("products", Shape::List(&PRODUCT, 0, 100)).needed(),
    pages::COUNT,
    pages::LIMIT_SHOWN,
    pages::HAS_MORE,
    pages::NEXT_CURSOR,
]);

/// A page of variants.
pub static VARIANTS: Shape = Shape::Object(&[
    member("variants", Shape::List(&SHOWN_VARIANT, 0, MAX_VARIANTS_OF_PAGE)).needed(),
    pages::COUNT,
    pages::LIMIT_SHOWN,
    pages::HAS_MORE,
    pages::NEXT_CURSOR,
]);

/// A variant that was switched on or off.
pub static SWITCHED: Shape = Shape::Object(&[
    member("success", Shape::Flag).needed(),
    member("message", Shape::text(0, MAX_TEXT)).needed(),
    member("variant", Shape::Component(&VARIANT_COMPONENT)).needed(),
]);

/// What became of a product that is no longer offered.
pub static DISCONTINUED: Shape = Shape::Object(&[
    member("success", Shape::Flag).needed(),
    member("message", Shape::text(0, MAX_TEXT)).needed(),
    member("productId", ID).needed(),
    member("productSku", SKU).needed(),
]);

static VARIANT_RESULT: Shape = Shape::Object(&[
    member("variantSku", SKU).needed(),
    member("operation", Shape::Word(&["create", "update"])).needed(),
]);

/// What became of a product.
pub static SETTLED: Shape = Shape::Object(&[
    member("success", Shape::Flag).needed(),
    member("message", Shape::text(0, MAX_TEXT)).needed(),
    member("productId", ID).needed(),
    member("productSku", SKU).needed(),
    member("operation", Shape::Word(&["created", "updated"])).needed(),
    member("variantResults", Shape::List(&VARIANT_RESULT, 0, MAX_VARIANTS as usize)).needed(),
]);

/// What was stated of a product, with its variants.
pub fn product_change(body: &mut Fields, decimals: u32) -> Result<ProductChange, Refusal> {
    let mut flaws = Vec::new();
    let variants: Vec<Fields> = body.get("variants").unwrap_or_default();
    let mut changes = Vec::with_capacity(variants.len());
    for (place, mut variant) in variants.into_iter().enumerate() {
        let path = format!("variants.{place}");
        changes.extend(variant_change(&mut variant, &path, decimals, &mut flaws));
    }
    if !flaws.is_empty() {
        return Err(Refusal::Flaws(flaws));
    }
    Ok(ProductChange {
        sku: body.get("productSku").map(Sku),
        name: body.get("name"),
        specification: body.get("specification"),
        category: body.get("category"),
        brand: body.get("brand"),
        description: emptied(body.patch("description")),
        images: body.get("images"),
        status: body.get::<String>("status").and_then(|word| ProductStatus::named(&word)),
        variants: changes,
    })
}

fn variant_change(body: &mut Fields, path: &str, decimals: u32, flaws: &mut Vec<Flaw>) -> Option<VariantChange> {
    let (sku, alias): (Option<String>, Option<String>) = (body.get("variantSku"), body.get("sku"));
    if let (Some(sku), Some(alias)) = (&sku, &alias)
        && sku != alias
    {
        let why = "has to be the same as `variantSku`, which says the same";
        flaws.push(Flaw::rule(format!("{path}.sku"), "custom", why));
    }
    let Some(sku) = sku.or(alias) else {
        flaws.push(Flaw::new(format!("{path}.variantSku"), Wrong::Missing));
        return None;
    };
    let color = match body.patch("colorName") {
        Patch::Keep => body.patch("color"),
        given => given,
    };
    let tiers = body.get::<Vec<Fields>>("pricing").map(|tiers| {
        let tiers = tiers.into_iter().enumerate();
        tiers
            .map(|(place, mut tier)| read_tier(&mut tier, &format!("{path}.pricing.{place}"), decimals, flaws))
            .collect()
    });
    Some(VariantChange {
        sku: Sku(sku),
        // An empty text is none.
        id: body.get("variantId").filter(|id: &String| !id.is_empty()).map(VariantId),
        name: body.get("variantName"),
        grade: body.get("grade"),
        condition: emptied(body.patch("condition")),
        color: emptied(color),
        images: body.get("images"),
        list_price: body.get("listPrice"),
        acquisition_cost: body.get("acquisitionCost"),
        tiers: tiers.map_or(Tiers::Keep, Tiers::Replace),
        status: body.get::<String>("status").and_then(|word| VariantStatus::named(&word)),
    })
}

fn read_tier(body: &mut Fields, path: &str, decimals: u32, flaws: &mut Vec<Flaw>) -> Tier {
    let text = |text: Option<String>| text.filter(|text| !text.is_empty());
    let discount = body.get::<Fields>("discount").map(|mut discount| TierDiscount {
        off: off(&mut discount, &format!("{path}.discount.value"), decimals, flaws),
        description: text(discount.get("description")),
    });
    Tier {
        months: u32::try_from(body.needed::<i64>("contractLength")).unwrap_or(u32::MAX),
        monthly_price: body.needed("monthlyPrice"),
        setup_fee: body.get("setupFee"),
        discount,
        source: body.get::<String>("source").and_then(|word| PriceSource::named(&word)),
        calculated: body.get("calculatedAt").filter(|value| *value != Value::Text(String::new())),
        preset: text(body.get("presetUsed")),
    }
}

/// What a discount takes off. Its value was read with all decimals that there can be, whatever it is of.
fn off(body: &mut Fields, path: &str, decimals: u32, flaws: &mut Vec<Flaw>) -> Off {
    let value: i64 = body.needed("value");
    let is_part = body.get::<String>("type").as_deref() == Some("percentage");
    let decimals = if is_part { PERCENT_DECIMALS } else { decimals };
    let scale = 10i64.pow(VALUE_DECIMALS.saturating_sub(decimals));
    let parts = value / scale;
    if parts * scale != value {
        flaws.push(Flaw::new(path, Wrong::TooPrecise(decimals)));
    } else if is_part && parts > WHOLE {
        flaws.push(Flaw::new(path, Wrong::TooLarge("100".to_owned())));
    } else if parts > MAX_AMOUNT {
        let most = String::from_utf8_lossy(&decimal(MAX_AMOUNT, decimals)).into_owned();
        flaws.push(Flaw::new(path, Wrong::TooLarge(most)));
    }
    if is_part { Off::Percentage(parts) } else { Off::Fixed(parts) }
}

/// An empty text empties the fact.
pub fn emptied(patch: Patch<String>) -> Patch<String> {
    match patch {
        Patch::Set(text) if text.is_empty() => Patch::Clear,
        patch => patch,
    }
}

/// A product with its variants.
pub fn whole_object(product: &WithVariants, shown: &Shown) -> Object {
    let WithVariants { product, variants } = product;
    product_object(product, Some(variants), shown)
}

/// A product as it is shown, with these variants.
pub fn product_object(product: &Product, variants: Option<&[Variant]>, shown: &Shown) -> Object {
    let Product {
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
        variants: _,
    } = product;
    let mut object = Object::new()
        .and("productId", id.as_str().to_owned())
        .and("tenantId", shown.tenant.clone())
        .and("productSku", sku.as_str().to_owned())
        .and("name", name.clone())
        .and("specification", specification.clone())
        .and("category", category.clone())
        .and("brand", brand.clone());
    if let Some(description) = description {
        object.add("description", description.clone());
    }
    object.add("images", texts(images));
    object.add("status", status.as_str());
    object.add("_sync", Object::new().and("source", "manual"));
    if let Some(variants) = variants {
        let variants = variants.iter().map(|variant| variant_object(variant, shown).into());
        object.add("variants", variants.collect::<Vec<Json>>());
    }
    object.and("createdAt", time(*created)).and("updatedAt", time(*updated))
}

/// A variant as it is shown.
pub fn variant_object(variant: &Variant, shown: &Shown) -> Object {
    let Variant {
        sku,
        id: VariantId(id),
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
    } = variant;
    let mut object = Object::new()
        .and("variantId", id.clone())
        .and("tenantId", shown.tenant.clone())
        .and("productId", product.as_str().to_owned())
        .and("productSku", product_sku.as_str().to_owned())
        .and("variantSku", sku.as_str().to_owned())
        .and("variantName", name.clone())
        .and("grade", grade.clone());
    if let Some(condition) = condition {
        object.add("condition", condition.clone());
    }
    if let Some(color) = color {
        object.add("colorName", color.clone());
    }
    object.add("images", texts(images));
    if let Some(price) = list_price {
        object.add("listPrice", shown.money(*price));
    }
    if let Some(cost) = acquisition_cost {
        object.add("acquisitionCost", shown.money(*cost));
    }
    let pricing: Vec<Json> = tiers.iter().map(|tier| tier_object(tier, shown).into()).collect();
    object
        .and("pricing", pricing)
        .and("status", status.as_str())
        .and("createdAt", time(*created))
        .and("updatedAt", time(*updated))
}

fn tier_object(tier: &Tier, shown: &Shown) -> Object {
    let Tier { months, monthly_price, setup_fee, discount, source, calculated, preset } = tier;
    let mut object =
        Object::new().and("contractLength", i64::from(*months)).and("monthlyPrice", shown.money(*monthly_price));
    if let Some(fee) = setup_fee {
        object.add("setupFee", shown.money(*fee));
    }
    if let Some(TierDiscount { off, description }) = discount {
        let (word, value) = match off {
            Off::Percentage(hundredths) => ("percentage", Json::Decimal(*hundredths, 2)),
            Off::Fixed(amount) => ("fixed", shown.money(*amount)),
        };
        let mut discount = Object::new().and("type", word).and("value", value);
        if let Some(description) = description {
            discount.add("description", description.clone());
        }
        object.add("discount", discount);
    }
    if let Some(source) = source {
        object.add("source", source.as_str());
    }
    if let Some(calculated) = calculated {
        object.add("calculatedAt", data::value(calculated));
    }
    if let Some(preset) = preset {
        object.add("presetUsed", preset.clone());
    }
    object
}

/// What became of a product.
pub fn settled_object(settled: &Settled) -> Object {
    let Settled { product, created, variants } = settled;
    let (operation, message) = match created {
        true => ("created", "Product created successfully"),
        false => ("updated", "Product updated successfully"),
    };
    let results = variants.iter().map(|(sku, created)| {
        let operation = if *created { "create" } else { "update" };
        Object::new().and("variantSku", sku.as_str().to_owned()).and("operation", operation).into()
    });
    Object::new()
        .and("success", true)
        .and("message", message)
        .and("productId", product.id.as_str().to_owned())
        .and("productSku", product.sku.as_str().to_owned())
        .and("operation", operation)
        .and("variantResults", results.collect::<Vec<Json>>())
}

fn texts(texts: &[String]) -> Vec<Json> {
    texts.iter().map(|text| text.clone().into()).collect()
}
