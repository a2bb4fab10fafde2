//! Products of a catalogue and their variants. A product is what is talked about, a variant is what can be ordered: it has
//! the prices, one for each length of a contract. Amounts are minor units of the account's currency.

use super::catalogue::{CatalogueProblem, PricingFault};
use super::data::Value;
use super::ids::{ProductId, Sku, VariantId};
use super::patch::Patch;
use super::time::Time;
use super::words::words;

/// The most variants that a product can have. All of them are shown with it, and go with it.
pub const MAX_VARIANTS: u32 = 500;

/// The most characters of a SKU.
pub const MAX_SKU: usize = 200;
/// The most characters of a name, a category, a brand, a grade, a colour or a rule for prices.
pub const MAX_NAME: usize = 500;
/// The most characters of a specification, a condition or the reason of a discount.
pub const MAX_TEXT: usize = 5_000;
/// The most characters of a description.
pub const MAX_DESCRIPTION: usize = 20_000;
/// The most pictures of a product or of a variant.
pub const MAX_IMAGES: usize = 50;
/// The most characters of a URL.
pub const MAX_URL: usize = 2_048;

/// The most months of a contract, as of those that the API takes for a subscription.
pub const MAX_MONTHS: u32 = 120;

words! {
    /// Whether a product is offered.
    pub enum ProductStatus {
        /// It is.
        Active = "active",
        /// Not any more; what was ordered goes on.
        Discontinued = "discontinued",
    }
}

words! {
    /// Whether a variant can be ordered.
    pub enum VariantStatus {
        /// It can.
        Active = "active",
        /// It cannot.
        Inactive = "inactive",
    }
}

words! {
    /// How a price came about.
    pub enum PriceSource {
        /// By a rule for prices.
        Suggested = "suggested",
        /// Somebody chose it.
        Manual = "manual",
    }
}

/// A product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// When it was made.
    pub created: Time,
    /// When one of its own facts changed; a change of a variant is none.
    pub updated: Time,
    /// What its maker calls it, which no other product of the account is called.
    pub sku: Sku,
    /// What customers call it.
    pub name: String,
    /// What it is technically.
    pub specification: String,
    /// What sort of thing it is.
    pub category: String,
    /// Who makes it.
    pub brand: String,
    /// More about it.
    pub description: Option<String>,
    /// Where pictures of it are.
    pub images: Vec<String>,
    /// Whether it is offered.
    pub status: ProductStatus,
    /// How many variants it has, at most [`MAX_VARIANTS`].
    pub variants: u32,
}

/// A variant of a product, kept by its SKU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// What it is ordered by, which no other variant of the account has.
    pub sku: Sku,
    /// Its id.
    pub id: VariantId,
    /// When it was made.
    pub created: Time,
    /// When it changed.
    pub updated: Time,
    /// What it is a variant of.
    pub product: ProductId,
    /// The SKU of that.
    pub product_sku: Sku,
    /// What it is called.
    pub name: String,
    /// How good it is: a letter from A to E, or what the account says instead.
    pub grade: String,
    /// More about how good it is.
    pub condition: Option<String>,
    /// Its colour.
    pub color: Option<String>,
    /// Where pictures of it are.
    pub images: Vec<String>,
    /// What it costs in a shop.
    pub list_price: Option<i64>,
    /// What it costs the account.
    pub acquisition_cost: Option<i64>,
    /// Its prices, the shortest contract first, each length once; never none.
    pub tiers: Vec<Tier>,
    /// Whether it can be ordered.
    pub status: VariantStatus,
}

/// The price of a variant for contracts of one length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tier {
    /// The length, in months, from 1 to [`MAX_MONTHS`].
    pub months: u32,
    /// What a month costs. The discount is noted beside it, not taken off it.
    pub monthly_price: i64,
    /// What is to be paid once.
    pub setup_fee: Option<i64>,
    /// A discount that is noted.
    pub discount: Option<TierDiscount>,
    /// How the price came about.
    pub source: Option<PriceSource>,
    /// When it was worked out, as it was written: a text as a rule.
    pub calculated: Option<Value>,
    /// The rule by which it was worked out.
    pub preset: Option<String>,
}

/// A discount that is noted with a price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TierDiscount {
    /// What it takes off.
    pub off: Off,
    /// Why.
    pub description: Option<String>,
}

/// What a discount takes off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Off {
    /// A part, in hundredths of a percent.
    Percentage(i64),
    /// An amount.
    Fixed(i64),
}

/// What a caller states of a product.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProductChange {
    /// Another SKU.
    pub sku: Option<Sku>,
    /// Another name.
    pub name: Option<String>,
    /// Another specification.
    pub specification: Option<String>,
    /// Another category.
    pub category: Option<String>,
    /// Another brand.
    pub brand: Option<String>,
    /// Another description.
    pub description: Patch<String>,
    /// Other pictures, in the place of all.
    pub images: Option<Vec<String>>,
    /// Another status.
    pub status: Option<ProductStatus>,
    /// Variants that change or are new, each SKU once. Others stay as they are.
    pub variants: Vec<VariantChange>,
}

/// What a caller states of a variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariantChange {
    /// Which.
    pub sku: Sku,
    /// Its id, which must be that of the SKU.
    pub id: Option<VariantId>,
    /// Another name.
    pub name: Option<String>,
    /// Another grade.
    pub grade: Option<String>,
    /// Another condition.
    pub condition: Patch<String>,
    /// Another colour.
    pub color: Patch<String>,
    /// Other pictures, in the place of all.
    pub images: Option<Vec<String>>,
    /// Another price in shops.
    pub list_price: Option<i64>,
    /// Another cost.
    pub acquisition_cost: Option<i64>,
    /// Other prices.
    pub tiers: Tiers,
    /// Another status.
    pub status: Option<VariantStatus>,
}

/// What a caller states of prices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Tiers {
    /// Nothing.
    #[default]
    Keep,
    /// These, in the place of all.
    Replace(Vec<Tier>),
    /// These monthly prices for these lengths; other lengths stay, and what else is known of these.
    Merge(Vec<(u32, i64)>),
}

impl VariantChange {
    /// Nothing about the variant of that SKU.
    pub fn of(sku: Sku) -> VariantChange {
        VariantChange {
            sku,
            id: None,
            name: None,
            grade: None,
            condition: Patch::Keep,
            color: Patch::Keep,
            images: None,
            list_price: None,
            acquisition_cost: None,
            tiers: Tiers::Keep,
            status: None,
        }
    }
}

impl Tier {
    /// That price for that length, and nothing else.
    pub fn new(months: u32, monthly_price: i64) -> Tier {
        Tier { months, monthly_price, setup_fee: None, discount: None, source: None, calculated: None, preset: None }
    }
}

impl Product {
    /// A product of the facts that are stated, or which one is missing.
    pub fn new(id: ProductId, change: ProductChange, now: Time) -> Result<Product, CatalogueProblem> {
        let needed = |part, fact: Option<String>| fact.ok_or(CatalogueProblem::Missing { part, of: None });
        let ProductChange { sku, name, specification, category, brand, description, images, status, variants: _ } =
            change;
        let mut product = Product {
            id,
            created: now,
            updated: now,
            sku: sku.ok_or(CatalogueProblem::Missing { part: "productSku", of: None })?,
            name: needed("name", name)?,
            specification: needed("specification", specification)?,
            category: needed("category", category)?,
            brand: needed("brand", brand)?,
            description: None,
            images: images.unwrap_or_default(),
            status: status.unwrap_or(ProductStatus::Active),
            variants: 0,
        };
        description.onto(&mut product.description);
        Ok(product)
    }

    /// The product with the change; its moment is not changed.
    pub fn with(&self, change: &ProductChange) -> Product {
        let ProductChange { sku, name, specification, category, brand, description, images, status, variants: _ } =
            change.clone();
        let mut after = self.clone();
        set(&mut after.sku, sku);
        set(&mut after.name, name);
        set(&mut after.specification, specification);
        set(&mut after.category, category);
        set(&mut after.brand, brand);
        description.onto(&mut after.description);
        set(&mut after.images, images);
        set(&mut after.status, status);
        after
    }
}

impl Variant {
    /// A variant of the facts that are stated, or which one is missing or wrong.
    pub fn new(
        id: VariantId,
        product: &Product,
        change: VariantChange,
        now: Time,
    ) -> Result<Variant, CatalogueProblem> {
        let lacking = change.sku.clone();
        let needed =
            |part, fact: Option<String>| fact.ok_or(CatalogueProblem::Missing { part, of: Some(lacking.clone()) });
        let VariantChange {
            sku,
            id: _,
            name,
            grade,
            condition,
            color,
            images,
            list_price,
            acquisition_cost,
            tiers,
            status,
        } = change;
        let mut variant = Variant {
            sku,
            id,
            created: now,
            updated: now,
            product: product.id.clone(),
            product_sku: product.sku.clone(),
            name: needed("variantName", name)?,
            grade: needed("grade", grade)?,
            condition: None,
            color: None,
            images: images.unwrap_or_default(),
            list_price,
            acquisition_cost,
            tiers: Vec::new(),
            // Nothing of a product can be ordered that is not offered any more.
            status: status.unwrap_or(match product.status {
                ProductStatus::Active => VariantStatus::Active,
                ProductStatus::Discontinued => VariantStatus::Inactive,
            }),
        };
        condition.onto(&mut variant.condition);
        color.onto(&mut variant.color);
        variant.tiers = variant.tiers_with(tiers)?;
        Ok(variant)
    }

    /// The variant with the change; its moment is not changed.
    pub fn with(&self, change: VariantChange) -> Result<Variant, CatalogueProblem> {
        let VariantChange {
            sku: _,
            id: _,
            name,
            grade,
            condition,
            color,
            images,
            list_price,
            acquisition_cost,
            tiers,
            status,
        } = change;
        let mut after = self.clone();
        set(&mut after.name, name);
        set(&mut after.grade, grade);
        condition.onto(&mut after.condition);
        color.onto(&mut after.color);
        set(&mut after.images, images);
        after.list_price = list_price.or(after.list_price);
        after.acquisition_cost = acquisition_cost.or(after.acquisition_cost);
        after.tiers = after.tiers_with(tiers)?;
        set(&mut after.status, status);
        Ok(after)
    }

    /// Whether it can be ordered.
    pub fn is_active(&self) -> bool {
        self.status == VariantStatus::Active
    }

    /// The price for contracts of that many months, if there is one.
    pub fn tier(&self, months: u32) -> Option<&Tier> {
        self.tiers.iter().find(|tier| tier.months == months)
    }

    /// The price for the shortest contracts.
    pub fn shortest_tier(&self) -> Option<&Tier> {
        self.tiers.iter().min_by_key(|tier| tier.months)
    }

    fn tiers_with(&self, wish: Tiers) -> Result<Vec<Tier>, CatalogueProblem> {
        let mut tiers = match wish {
            Tiers::Keep => self.tiers.clone(),
            Tiers::Replace(tiers) => tiers,
            Tiers::Merge(prices) => {
                let mut tiers = self.tiers.clone();
                for (months, monthly_price) in prices {
                    match tiers.iter_mut().find(|tier| tier.months == months) {
                        Some(tier) => tier.monthly_price = monthly_price,
                        None => tiers.push(Tier::new(months, monthly_price)),
                    }
                }
                tiers
            }
        };
        let wrong = |fault| CatalogueProblem::InvalidPricing { sku: self.sku.clone(), fault };
        tiers.sort_by_key(|tier| tier.months);
        if tiers.is_empty() {
            return Err(wrong(PricingFault::NoPrice));
        }
        if let Some(tier) = tiers.iter().find(|tier| !(1..=MAX_MONTHS).contains(&tier.months)) {
            return Err(wrong(PricingFault::Length(tier.months)));
        }
        if let Some(twice) = tiers.windows(2).find(|pair| pair[0].months == pair[1].months) {
            return Err(wrong(PricingFault::LengthTwice(twice[0].months)));
        }
        Ok(tiers)
    }
}

/// Gives a fact another value, if there is one.
fn set<T>(fact: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *fact = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product() -> Product {
        let text = |text: &str| Some(text.to_owned());
        let change = ProductChange {
            sku: Some(Sku("PHONE".into())),
            name: text("Phone"),
            specification: text("A phone"),
            category: text("Phones"),
            brand: text("Acme"),
            ..ProductChange::default()
        };
        Product::new(ProductId("prod_1".into()), change, Time(5)).expect("nothing is missing")
    }

    fn variant(tiers: Vec<Tier>) -> Result<Variant, CatalogueProblem> {
        let change = VariantChange {
            name: Some("Like new".into()),
            grade: Some("A".into()),
            tiers: Tiers::Replace(tiers),
            ..VariantChange::of(Sku("PHONE-A".into()))
        };
        Variant::new(VariantId("var_1".into()), &product(), change, Time(5))
    }

    fn fault(fault: PricingFault) -> CatalogueProblem {
        CatalogueProblem::InvalidPricing { sku: Sku("PHONE-A".into()), fault }
    }

    #[test]
    fn prices_are_kept_the_shortest_contract_first() {
        let variant = variant(vec![Tier::new(24, 900), Tier::new(12, 1_000)]).unwrap();
        assert_eq!(variant.tiers.iter().map(|tier| tier.months).collect::<Vec<_>>(), [12, 24]);
        assert_eq!(variant.shortest_tier().map(|tier| tier.months), Some(12));
        assert_eq!(variant.tier(24).map(|tier| tier.monthly_price), Some(900));
        assert_eq!(variant.tier(13), None);
    }

    #[test]
    fn a_variant_has_a_price_and_one_for_a_length() {
        assert_eq!(variant(Vec::new()), Err(fault(PricingFault::NoPrice)));
        assert_eq!(variant(vec![Tier::new(12, 1), Tier::new(12, 2)]), Err(fault(PricingFault::LengthTwice(12))));
        for months in [0, 121] {
            assert_eq!(variant(vec![Tier::new(months, 1)]), Err(fault(PricingFault::Length(months))));
        }
    }

    #[test]
    fn a_price_for_a_length_leaves_the_others() {
        let before = variant(vec![Tier { setup_fee: Some(7), ..Tier::new(12, 1_000) }, Tier::new(24, 900)]).unwrap();
        let change =
            VariantChange { tiers: Tiers::Merge(vec![(36, 800), (12, 950)]), ..VariantChange::of(before.sku.clone()) };
        let after = before.with(change).unwrap();
        assert_eq!(
            after.tiers,
            [Tier { setup_fee: Some(7), ..Tier::new(12, 950) }, Tier::new(24, 900), Tier::new(36, 800)]
        );
    }

    #[test]
    fn a_product_that_lacks_something_says_what() {
        let change = ProductChange { sku: Some(Sku("PHONE".into())), ..ProductChange::default() };
        let refused = Product::new(ProductId("prod_1".into()), change, Time(5));
        assert_eq!(refused, Err(CatalogueProblem::Missing { part: "name", of: None }));
        assert_eq!(product().with(&ProductChange::default()), product());
    }

    #[test]
    fn what_is_new_of_a_product_that_is_not_offered_cannot_be_ordered() {
        let discontinued = Product { status: ProductStatus::Discontinued, ..product() };
        let change = VariantChange {
            name: Some("Like new".into()),
            grade: Some("A".into()),
            tiers: Tiers::Replace(vec![Tier::new(12, 1)]),
            ..VariantChange::of(Sku("PHONE-A".into()))
        };
        let variant = Variant::new(VariantId("var_1".into()), &discontinued, change, Time(5)).unwrap();
        assert!(!variant.is_active());
    }

    #[test]
    fn a_change_of_nothing_changes_nothing() {
        let before = variant(vec![Tier::new(12, 1_000)]).unwrap();
        assert_eq!(before.with(VariantChange::of(before.sku.clone())), Ok(before.clone()));
    }
}
