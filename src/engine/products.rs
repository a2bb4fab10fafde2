//! Products and their variants: make or change by SKU, read, change, discontinue, list.

use std::collections::BTreeSet;

use super::listing::{Listed, Objects, Paging};
use super::{Ctx, Done, Stop, objects, tell};
use crate::domain::account::{Account, Space};
use crate::domain::catalogue::CatalogueProblem;
use crate::domain::event::{Happening, ObjectChange};
use crate::domain::facts::{Facts, catalogue_lists, order_lists};
use crate::domain::ids::{ProductId, Sku, VariantId};
use crate::domain::object::{List, ObjectKind};
use crate::domain::order::Order;
use crate::domain::page::{Cursor, ObjectPage, Page, Place, Span};
use crate::domain::product::{
    MAX_VARIANTS, Product, ProductChange, ProductStatus, Variant, VariantChange, VariantStatus,
};
use crate::store::{Kept, Read, Tx};

/// A product with its variants, in the order in which they were made.
#[derive(Clone, Debug, PartialEq)]
pub struct WithVariants {
    /// The product.
    pub product: Product,
    /// All of its variants.
    pub variants: Vec<Variant>,
}

/// What became of a product and of the variants that were stated with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Settled {
    /// The product.
    pub product: Product,
    /// It is new.
    pub created: bool,
    /// The variants that were stated, and which of them are new, in the order in which they were.
    pub variants: Vec<(Sku, bool)>,
}

/// Which products to list.
#[derive(Clone, Debug, Default)]
pub struct ProductFilter {
    /// Those that are so.
    pub status: Option<ProductStatus>,
    /// Those of exactly this category.
    pub category: Option<String>,
    /// Those of exactly this brand.
    pub brand: Option<String>,
}

/// Which variants to list.
#[derive(Clone, Debug, Default)]
pub struct VariantFilter {
    /// Those that are so.
    pub status: Option<VariantStatus>,
    /// Those of the product of this SKU.
    pub product_sku: Option<Sku>,
    /// Those of exactly this grade.
    pub grade: Option<String>,
}

/// Makes the product of the SKU that is stated, or changes the one that there is. Variants that are not stated stay.
pub fn upsert(tx: &mut dyn Tx, ctx: &Ctx<'_>, change: ProductChange) -> Done<Settled> {
    let sku = change.sku.clone().ok_or(CatalogueProblem::Missing { part: "productSku", of: None })?;
    let before = of_sku(tx, ctx.account.space, &sku)?;
    settle(tx, ctx, before, change)
}

/// Changes a product. Variants that are not stated stay.
pub fn update(tx: &mut dyn Tx, ctx: &Ctx<'_>, id: &ProductId, change: ProductChange) -> Done<Settled> {
    let before = require(tx, ctx.account, id)?;
    if let Some(sku) = change.sku.as_ref().filter(|sku| **sku != before.sku)
        && of_sku(tx, ctx.account.space, sku)?.is_some()
    {
        return Err(CatalogueProblem::ProductSkuTaken(sku.clone()).into());
    }
    settle(tx, ctx, Some(before), change)
}

/// Has a product no longer offered: none of its variants can be ordered. What was ordered and rented goes on; nothing is
/// left to be rented of an order for it.
pub fn discontinue(tx: &mut dyn Tx, ctx: &Ctx<'_>, id: &ProductId) -> Done<Product> {
    let change = ProductChange { status: Some(ProductStatus::Discontinued), ..ProductChange::default() };
    Ok(update(tx, ctx, id, change)?.product)
}

/// Has a variant ordered again, or not any more.
pub fn set_variant_status(tx: &mut dyn Tx, ctx: &Ctx<'_>, id: &VariantId, status: VariantStatus) -> Done<Variant> {
    let before = of_id(tx, ctx.account.space, id)?;
    let before = before.ok_or_else(|| CatalogueProblem::NoSuchVariantId(id.clone()))?;
    let product = require(tx, ctx.account, &before.product)?;
    let change = VariantChange { status: Some(status), ..VariantChange::of(before.sku.clone()) };
    let after = changed(tx, ctx, &product, &before, change)?;

    Ok(put_variant(tx, ctx, Some(before), after)?)
}

/// A product with its variants.
pub fn read(read: &mut dyn Read, account: &Account, id: &ProductId) -> Done<WithVariants> {
    let product = product(read, account.space, id);
    // Asked for together: a store that fetches for a whole run then does so once.
    let variants = variants_of(read, account.space, id);
    let product = product?.ok_or_else(|| CatalogueProblem::NoSuchProduct(id.clone()))?;
    Ok(WithVariants { product, variants: variants? })
}

/// A page of products with their variants.
pub fn list(
    read: &mut dyn Read,
    account: &Account,
    filter: &ProductFilter,
    paging: &Paging<Product>,
) -> Done<Page<WithVariants>> {
    let ProductFilter { status, category, brand } = filter;
    let products = Objects {
        space: account.space,
        list: List::all(ObjectKind::Product),
        kind: ObjectKind::Product,
        keep: |product: &Product| {
            status.is_none_or(|status| product.status == status)
                && category.as_ref().is_none_or(|category| product.category == *category)
                && brand.as_ref().is_none_or(|brand| product.brand == *brand)
        },
    };
    let Page { items, has_more } = products.page(read, paging)?;
    // All are asked for before a failure is passed on.
    let variants: Vec<_> = items.iter().map(|product| variants_of(read, account.space, &product.id)).collect();
    let variants = variants.into_iter().collect::<Kept<Vec<_>>>()?;
    let items = items.into_iter().zip(variants).map(|(product, variants)| WithVariants { product, variants });
    Ok(Page { items: items.collect(), has_more })
}

/// A page of variants. `paging` names the last one that was seen by its SKU or by its id.
pub fn variants(
    read: &mut dyn Read,
    account: &Account,
    filter: &VariantFilter,
    paging: &Paging<Variant>,
) -> Done<Page<Variant>> {
    let VariantFilter { status, product_sku, grade } = filter;
    let mut paging = paging.clone();
    if let Some(after) = &mut paging.after
        && let Some(named) = of_id(read, account.space, &VariantId(after.clone()))?
    {
        *after = named.sku.0;
    }
    let list = match product_sku {
        None => List::all(ObjectKind::Variant),
        Some(sku) => match of_sku(read, account.space, sku)? {
            Some(product) => catalogue_lists::of_product(&product.id),
            None => return Ok(Page { items: Vec::new(), has_more: false }),
        },
    };
    let variants = Objects {
        space: account.space,
        list,
        kind: ObjectKind::Variant,
        keep: |variant: &Variant| {
            status.is_none_or(|status| variant.status == status)
                && grade.as_ref().is_none_or(|grade| variant.grade == *grade)
                && product_sku.as_ref().is_none_or(|sku| variant.product_sku == *sku)
        },
    };
    variants.page(read, &paging)
}

/// A product.
pub(super) fn product(read: &mut dyn Read, space: Space, id: &ProductId) -> Kept<Option<Product>> {
    objects::one(read, space, ObjectKind::Product, id.as_str())
}

/// The variant of that SKU.
pub(super) fn variant(read: &mut dyn Read, space: Space, sku: &Sku) -> Kept<Option<Variant>> {
    objects::one(read, space, ObjectKind::Variant, sku.as_str())
}

impl Listed for Product {
    fn place(&self) -> Place {
        Place { created: self.created, id: self.id.0.clone() }
    }
}

impl Listed for Variant {
    fn place(&self) -> Place {
        Place { created: self.created, id: self.sku.0.clone() }
    }
}

fn require(read: &mut dyn Read, account: &Account, id: &ProductId) -> Done<Product> {
    Ok(product(read, account.space, id)?.ok_or_else(|| CatalogueProblem::NoSuchProduct(id.clone()))?)
}

/// The product of that SKU.
pub(super) fn of_sku(read: &mut dyn Read, space: Space, sku: &Sku) -> Kept<Option<Product>> {
    let found = objects::short_list::<Product>(read, space, catalogue_lists::product_of_sku(sku))?;
    Ok(found.into_iter().find(|product| product.sku == *sku))
}

/// The variant of that id.
fn of_id(read: &mut dyn Read, space: Space, id: &VariantId) -> Kept<Option<Variant>> {
    let found = objects::short_list::<Variant>(read, space, catalogue_lists::variant_of_id(id))?;
    Ok(found.into_iter().find(|variant| variant.id == *id))
}

/// The variants of a product, in the order in which they were made. There are not too many for a short list.
fn variants_of(read: &mut dyn Read, space: Space, id: &ProductId) -> Kept<Vec<Variant>> {
    let mut variants = objects::short_list::<Variant>(read, space, catalogue_lists::of_product(id))?;
    variants.retain(|variant| variant.product == *id);
    // Ids are made one after the other, also at one moment.
    variants.sort_by(|one, next| (one.created, &one.id).cmp(&(next.created, &next.id)));
    Ok(variants)
}

/// A variant before, if there was one, and after.
type Step = (Option<Variant>, Variant);

/// Makes or changes a product and the variants that are stated with it.
fn settle(tx: &mut dyn Tx, ctx: &Ctx<'_>, before: Option<Product>, change: ProductChange) -> Done<Settled> {
    let mut after = match &before {
        Some(before) => before.with(&change),
        None => Product::new(ProductId::mint(ctx.ids, ctx.now), change.clone(), ctx.now)?,
    };
    let ends = after.status == ProductStatus::Discontinued
        && before.as_ref().is_some_and(|before| before.status == ProductStatus::Active);
    if ends
        && is_ordered(tx, ctx, order_lists::open_of_product(&after.id), |order| {
            order.items.iter().any(|item| item.product == after.id)
        })?
    {
        return Err(CatalogueProblem::ProductOrdered(after.id).into());
    }
    let mut steps = stated(tx, ctx, &after, change.variants)?;
    let variants: Vec<(Sku, bool)> =
        steps.iter().map(|(before, after)| (after.sku.clone(), before.is_none())).collect();
    let renamed = before.as_ref().is_some_and(|before| before.sku != after.sku);
    if ends || renamed {
        let known: BTreeSet<&Sku> = variants.iter().map(|(sku, _)| sku).collect();
        let others = variants_of(tx, ctx.account.space, &after.id)?;
        let others = others.into_iter().filter(|variant| !known.contains(&variant.sku));
        let others: Vec<Step> = others.map(|variant| (Some(variant.clone()), variant)).collect();
        steps.extend(others);
    }
    for (_, variant) in &mut steps {
        variant.product_sku.clone_from(&after.sku);
        if ends {
            variant.status = VariantStatus::Inactive;
        }
    }
    let added = u32::try_from(variants.iter().filter(|(_, created)| *created).count()).unwrap_or(u32::MAX);
    after.variants = after.variants.saturating_add(added);
    if after.variants > MAX_VARIANTS {
        return Err(CatalogueProblem::TooManyVariants.into());
    }

    let created = before.is_none();
    let product = put_product(tx, ctx, before, after)?;
    for (before, variant) in steps {
        put_variant(tx, ctx, before, variant)?;
    }
    Ok(Settled { product, created, variants })
}

/// The variants that are stated, as they were and as they become.
fn stated(tx: &mut dyn Tx, ctx: &Ctx<'_>, product: &Product, changes: Vec<VariantChange>) -> Done<Vec<Step>> {
    let mut seen = BTreeSet::new();
    if let Some(twice) = changes.iter().find(|change| !seen.insert(change.sku.clone())) {
        return Err(CatalogueProblem::SkuTwice(twice.sku.clone()).into());
    }
    // All are asked for before a failure is passed on.
    let known: Vec<_> = changes.iter().map(|change| variant(tx, ctx.account.space, &change.sku)).collect();
    let known = known.into_iter().collect::<Kept<Vec<_>>>()?;
    let mut steps = Vec::with_capacity(changes.len());
    for (before, change) in known.into_iter().zip(changes) {
        let id = before.as_ref().map(|before| &before.id);
        if change.id.as_ref().is_some_and(|stated| Some(stated) != id) {
            return Err(CatalogueProblem::OtherVariantId(change.sku).into());
        }
        let after = match &before {
            Some(before) if before.product != product.id => {
                return Err(CatalogueProblem::SkuTaken(change.sku).into());
            }
            Some(before) => changed(tx, ctx, product, before, change)?,
            None => {
                require_orderable(product, change.status)?;
                Variant::new(VariantId::mint(ctx.ids, ctx.now), product, change, ctx.now)?
            }
        };
        steps.push((before, after));
    }
    Ok(steps)
}

/// A variant with a change. One that orders still want cannot be taken from them.
fn changed(
    read: &mut dyn Read,
    ctx: &Ctx<'_>,
    product: &Product,
    before: &Variant,
    change: VariantChange,
) -> Done<Variant> {
    if change.status != Some(before.status) {
        require_orderable(product, change.status)?;
    }
    let after = before.with(change)?;
    if before.is_active() && !after.is_active() {
        let wanted = |order: &Order| order.items.iter().any(|item| item.variant == before.id);
        if is_ordered(read, ctx, order_lists::open_of_variant(&before.id), wanted)? {
            return Err(CatalogueProblem::VariantInUse(before.sku.clone()).into());
        }
    }
    Ok(after)
}

/// Refuses that something can be ordered of a product that is not offered any more.
fn require_orderable(product: &Product, status: Option<VariantStatus>) -> Result<(), Stop> {
    match (product.status, status) {
        (ProductStatus::Discontinued, Some(VariantStatus::Active)) => {
            Err(CatalogueProblem::Discontinued(product.id.clone()).into())
        }
        (ProductStatus::Discontinued | ProductStatus::Active, _) => Ok(()),
    }
}

/// Whether there is an order on the list that is meant. Lists are digests, so another one may be there, but hardly ever is.
fn is_ordered(read: &mut dyn Read, ctx: &Ctx<'_>, list: List, meant: impl Fn(&Order) -> bool) -> Kept<bool> {
    const A_FEW: usize = 4;
    let page = ObjectPage { list, created: Span::default(), cursor: Cursor::Newest, limit: A_FEW };
    let orders = objects::page::<Order>(read, ctx.account.space, &page)?;
    Ok(orders.items.iter().any(|order| order.status.is_open() && meant(order)))
}

/// Keeps a product and tells of it. That it has more variants is told by them.
pub(super) fn put_product(
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    before: Option<Product>,
    mut after: Product,
) -> Kept<Product> {
    let Some(before) = before else {
        let facts = Facts::from(after.clone());
        objects::put(tx, ctx, None, &facts)?;
        tell(tx, ctx, Happening::Object { change: ObjectChange::Created(facts), beside: Vec::new() })?;
        return Ok(after);
    };
    if after == before {
        return Ok(before);
    }
    let is_news = Product { variants: before.variants, ..after.clone() } != before;
    if is_news {
        after.updated = ctx.now;
    }
    let (before, facts) = (Facts::from(before), Facts::from(after.clone()));
    objects::put(tx, ctx, Some(&before), &facts)?;
    if is_news {
        let change = ObjectChange::Updated { before, after: facts };
        tell(tx, ctx, Happening::Object { change, beside: Vec::new() })?;
    }
    Ok(after)
}

/// Keeps a variant and tells of it.
pub(super) fn put_variant(
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    before: Option<Variant>,
    mut after: Variant,
) -> Kept<Variant> {
    let change = match before {
        Some(before) if before == after => return Ok(after),
        None => {
            let facts = Facts::from(after.clone());
            objects::put(tx, ctx, None, &facts)?;
            ObjectChange::Created(facts)
        }
        Some(before) => {
            after.updated = ctx.now;
            let (before, facts) = (Facts::from(before), Facts::from(after.clone()));
            objects::put(tx, ctx, Some(&before), &facts)?;
            ObjectChange::Updated { before, after: facts }
        }
    };
    tell(tx, ctx, Happening::Object { change, beside: Vec::new() })?;
    Ok(after)
}
