//! Rows of a catalogue, some at a time, each of one variant with its product. A row is taken whole or refused; the rows of
//! one call are kept together.

use std::collections::BTreeMap;

use super::products::{of_sku, put_product, put_variant, variant};
use super::{Ctx, Done};
use crate::domain::catalogue::CatalogueProblem;
use crate::domain::ids::{ProductId, Sku, VariantId};
use crate::domain::product::{MAX_VARIANTS, Product, ProductChange, Variant, VariantChange};
use crate::store::{Kept, Tx};

/// The most rows of one call: their records are in memory together, and others wait for the account meanwhile.
pub const MAX_ROWS: usize = 500;

/// A row.
#[derive(Clone, Debug)]
pub struct Row {
    /// What it says of the product, which is found by the SKU.
    pub product: ProductChange,
    /// What it says of the variant.
    pub variant: VariantChange,
    /// What a new variant is called when nothing is said of that.
    pub name_otherwise: Option<String>,
    /// How good a new variant is when nothing is said of that.
    pub grade_otherwise: String,
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Imported {
    /// It made the product.
    pub product_created: bool,
    /// It made the variant.
    pub variant_created: bool,
}

/// Something as it was before the rows, and as it is behind those that were taken.
struct Step<T> {
    before: Option<T>,
    after: Option<T>,
}

impl<T: Clone> Step<T> {
    fn of(before: Option<T>) -> Step<T> {
        Step { after: before.clone(), before }
    }
}

/// What rows are about, by SKU.
struct Catalogue {
    products: BTreeMap<Sku, Step<Product>>,
    variants: BTreeMap<Sku, Step<Variant>>,
}

/// Takes rows one after the other, at most [`MAX_ROWS`], and says of each what became of it.
pub fn import(tx: &mut dyn Tx, ctx: &Ctx<'_>, rows: &[Row]) -> Done<Vec<Result<Imported, CatalogueProblem>>> {
    let mut catalogue = Catalogue::read(tx, ctx, rows)?;
    let outcomes = rows.iter().map(|row| catalogue.take(ctx, row)).collect();

    let mut products = catalogue.products.into_values().filter_map(|step| Some((step.before, step.after?)));
    products.try_for_each(|(before, after)| put_product(tx, ctx, before, after).map(drop))?;
    let mut variants: Vec<_> =
        catalogue.variants.into_values().filter_map(|step| Some((step.before, step.after?))).collect();
    // In the order of the rows, as far as they are new.
    variants.sort_by(|(_, one), (_, next)| one.id.cmp(&next.id));
    variants.into_iter().try_for_each(|(before, after)| put_variant(tx, ctx, before, after).map(drop))?;
    Ok(outcomes)
}

impl Catalogue {
    /// Everything that the rows are about. All of it is asked for before a failure is passed on: a store that fetches for a
    /// whole run then does so once.
    fn read(tx: &mut dyn Tx, ctx: &Ctx<'_>, rows: &[Row]) -> Kept<Catalogue> {
        let space = ctx.account.space;
        let (mut products, mut variants) = (BTreeMap::new(), BTreeMap::new());
        for Row { product, variant: VariantChange { sku, .. }, .. } in rows {
            if let Some(sku) = &product.sku {
                products.entry(sku.clone()).or_insert_with(|| of_sku(tx, space, sku));
            }
            variants.entry(sku.clone()).or_insert_with(|| variant(tx, space, sku));
        }
        Ok(Catalogue {
            products: products.into_iter().map(|(sku, found)| Ok((sku, Step::of(found?)))).collect::<Kept<_>>()?,
            variants: variants.into_iter().map(|(sku, found)| Ok((sku, Step::of(found?)))).collect::<Kept<_>>()?,
        })
    }

    fn take(&mut self, ctx: &Ctx<'_>, row: &Row) -> Result<Imported, CatalogueProblem> {
        let Row { product, variant, name_otherwise, grade_otherwise } = row;
        let missing = || CatalogueProblem::Missing { part: "productSku", of: None };
        let of_product = product.sku.as_ref().and_then(|sku| self.products.get_mut(sku)).ok_or_else(missing)?;
        let of_variant = self.variants.get_mut(&variant.sku).ok_or_else(missing)?;
        let mut next = match &of_product.after {
            Some(known) => known.with(product),
            None => Product::new(ProductId::mint(ctx.ids, ctx.now), product.clone(), ctx.now)?,
        };
        let next_variant = match &of_variant.after {
            Some(known) if known.product != next.id => {
                return Err(CatalogueProblem::SkuTaken(variant.sku.clone()));
            }
            Some(known) => known.with(variant.clone())?,
            None => {
                next.variants = next.variants.saturating_add(1);
                if next.variants > MAX_VARIANTS {
                    return Err(CatalogueProblem::TooManyVariants);
                }
                let mut stated = variant.clone();
                stated.name = stated.name.or_else(|| name_otherwise.clone());
                stated.grade = stated.grade.or_else(|| Some(grade_otherwise.clone()));
                Variant::new(VariantId::mint(ctx.ids, ctx.now), &next, stated, ctx.now)?
            }
        };
        let imported =
            Imported { product_created: of_product.after.is_none(), variant_created: of_variant.after.is_none() };
        of_product.after = Some(next);
        of_variant.after = Some(next_variant);
        Ok(imported)
    }
}
