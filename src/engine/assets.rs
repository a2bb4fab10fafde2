//! Assets: create, read, update, retire, list; and the step by which a rental changes one.

use super::listing::{Listed, Objects, Paging};
use super::{Ctx, Done, objects, products, tell};
use crate::domain::account::Account;
use crate::domain::asset::{Asset, AssetChange, AssetStatus};
use crate::domain::catalogue::CatalogueProblem;
use crate::domain::event::{Happening, ObjectChange};
use crate::domain::facts::{Facts, catalogue_lists};
use crate::domain::ids::{CustomerId, RentalId, SerialNumber, Sku};
use crate::domain::object::{List, ObjectKind};
use crate::domain::page::{Page, Place};
use crate::domain::product::{Product, Variant};
use crate::rfc3339;
use crate::store::{Kept, Read, Tx};

/// Which assets to list.
#[derive(Clone, Debug, Default)]
pub struct AssetFilter {
    /// Those that are so.
    pub status: Option<AssetStatus>,
    /// Those of this variant.
    pub sku: Option<Sku>,
    /// Those that this customer has or bought.
    pub customer: Option<CustomerId>,
    /// Those of this rental.
    pub rental: Option<RentalId>,
}

/// Makes an asset of a variant that can be ordered.
pub fn create(tx: &mut dyn Tx, ctx: &Ctx<'_>, serial: SerialNumber, change: AssetChange) -> Done<Asset> {
    let known = objects::one::<Asset>(tx, ctx.account.space, ObjectKind::Asset, serial.as_str());
    let sku = change.sku.clone().ok_or(CatalogueProblem::Missing { part: "sku", of: None })?;
    let variant = of_catalogue(tx, ctx.account, &sku);
    if known?.is_some() {
        return Err(CatalogueProblem::AssetExists(serial).into());
    }
    let (product, variant) = variant?;
    let made = Asset::new(serial, &product, &variant, change, ctx.now, today(ctx))?;

    let after = Facts::from(made.clone());
    objects::put(tx, ctx, None, &after)?;
    tell(tx, ctx, Happening::Object { change: ObjectChange::Created(after), beside: Vec::new() })?;
    Ok(made)
}

/// An asset.
pub fn read(read: &mut dyn Read, account: &Account, serial: &SerialNumber) -> Done<Asset> {
    let found = objects::one(read, account.space, ObjectKind::Asset, serial.as_str())?;
    Ok(found.ok_or_else(|| CatalogueProblem::NoSuchAsset(serial.clone()))?)
}

/// Changes what is stated.
pub fn update(tx: &mut dyn Tx, ctx: &Ctx<'_>, serial: &SerialNumber, change: AssetChange) -> Done<Asset> {
    let before = read(tx, ctx.account, serial)?;
    let becomes = match change.sku.as_ref().filter(|sku| **sku != before.sku) {
        Some(sku) => Some(of_catalogue(tx, ctx.account, sku)?),
        None => None,
    };
    let after = before.with(becomes.as_ref().map(|(product, variant)| (product, variant)), change)?;

    Ok(replace(tx, ctx, before, after)?)
}

/// Has an asset not to be had any more. Its record stays.
pub fn retire(tx: &mut dyn Tx, ctx: &Ctx<'_>, serial: &SerialNumber) -> Done<Asset> {
    update(tx, ctx, serial, AssetChange { status: Some(AssetStatus::Unavailable), ..AssetChange::default() })
}

/// A page of assets.
pub fn list(read: &mut dyn Read, account: &Account, filter: &AssetFilter, paging: &Paging<Asset>) -> Done<Page<Asset>> {
    let AssetFilter { status, sku, customer, rental } = filter;
    // The list that is likely to be the shortest.
    let list = match (rental, customer, sku) {
        (Some(rental), _, _) => catalogue_lists::assets_of_rental(rental),
        (None, Some(customer), _) => catalogue_lists::assets_of_customer(customer),
        (None, None, Some(sku)) => catalogue_lists::assets_of_sku(sku),
        (None, None, None) => List::all(ObjectKind::Asset),
    };
    let assets = Objects {
        space: account.space,
        list,
        kind: ObjectKind::Asset,
        keep: |asset: &Asset| {
            status.is_none_or(|status| asset.status == status)
                && sku.as_ref().is_none_or(|sku| asset.sku == *sku)
                && customer.as_ref().is_none_or(|customer| asset.customer.as_ref() == Some(customer))
                && rental.as_ref().is_none_or(|rental| asset.rental.as_ref() == Some(rental))
        },
    };
    assets.page(read, paging)
}

/// Puts a changed asset in the place of the old one and tells of it; one that is unchanged stays as it is. What a rental
/// makes of an asset is decided by [`Asset::rented_out`], [`Asset::returned`], [`Asset::sold`], [`Asset::unavailable`] and
/// [`Asset::released`] before anything is written, and written by this.
pub(super) fn replace(tx: &mut dyn Tx, ctx: &Ctx<'_>, before: Asset, after: Asset) -> Kept<Asset> {
    if after == before {
        return Ok(before);
    }
    let after = Asset { updated: ctx.now, ..after };
    let (before, facts) = (Facts::from(before), Facts::from(after.clone()));
    objects::put(tx, ctx, Some(&before), &facts)?;
    let change = ObjectChange::Updated { before, after: facts };
    tell(tx, ctx, Happening::Object { change, beside: Vec::new() })?;
    Ok(after)
}

impl Listed for Asset {
    fn place(&self) -> Place {
        Place { created: self.created, id: self.serial.0.clone() }
    }
}

/// The variant of a SKU with its product; assets can be made of it.
fn of_catalogue(read: &mut dyn Read, account: &Account, sku: &Sku) -> Done<(Product, Variant)> {
    let variant = products::variant(read, account.space, sku)?;
    let variant = variant.ok_or_else(|| CatalogueProblem::NoSuchVariant(sku.clone()))?;
    if !variant.is_active() {
        return Err(CatalogueProblem::VariantInactive(sku.clone()).into());
    }
    let product = products::product(read, account.space, &variant.product)?;
    let product = product.ok_or_else(|| CatalogueProblem::NoSuchProduct(variant.product.clone()))?;
    Ok((product, variant))
}

/// The date of the moment, as `2026-11-21`.
fn today(ctx: &Ctx<'_>) -> String {
    let mut text = rfc3339::text(ctx.now);
    text.truncate("0000-00-00".len());
    text
}
