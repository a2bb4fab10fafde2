//! Rentals: create, read, list, extend, replace the device, note. How they end is in `endings`. A rental changes together with
//! its device, its order, its open payments, its billing group and its customer's book, in one transaction.

mod endings;

pub use self::endings::{
    BuyoutWish, CancelWish, ReturnWish, UpgradeWish, Upgraded, buyout, buyout_quote, cancel, early_return,
    early_return_quote, upgrade,
};

use super::instalments::Instalments;
use super::listing::{Listed, Objects, Paging};
use super::{Ctx, Done, assets, billing_groups, objects, orders, rental_book, tell};
use crate::domain::account::Account;
use crate::domain::asset::Asset;
use crate::domain::billing_group::BillingGroup;
use crate::domain::event::{Happening, ObjectChange};
use crate::domain::facts::{Facts, rental_lists};
use crate::domain::ids::{BillingGroupId, CustomerId, OrderId, RentalId, SerialNumber, Sku};
use crate::domain::object::{List, ObjectKind};
use crate::domain::order::Order;
use crate::domain::page::{Page, Place};
use crate::domain::product::Variant;
use crate::domain::rental::{CapturedPrice, Extend, PriceSource, Rental, RentalStatus, Replacement, ReplacementReason};
use crate::domain::rental_problem::RentalProblem;
use crate::domain::time::Time;
use crate::store::{Kept, Read, Tx};

/// A wish for a rental.
#[derive(Clone, Debug)]
pub struct NewRental {
    /// Who asks: the name of an API key.
    pub by: String,
    /// The order that it fulfils a unit of.
    pub order: OrderId,
    /// The device.
    pub serial: SerialNumber,
    /// Whose it is to be: the order's customer.
    pub customer: CustomerId,
    /// The group that is to bill for it.
    pub group: Option<BillingGroupId>,
    /// When the contract begins; `None` for now.
    pub start: Option<Time>,
    /// Its length in months; `None` for what was ordered.
    pub months: Option<u32>,
    /// Free text.
    pub notes: Option<String>,
}

/// Rents a unit of an order.
pub fn create(tx: &mut dyn Tx, ctx: &Ctx<'_>, wish: &NewRental) -> Done<Rental> {
    let NewRental { by, order, serial, customer, group, start, months, notes } = wish;
    // All are asked for before one is missed: a store that fetches for a whole run then does so once.
    let order = orders::read(tx, ctx.account, order);
    let asset = assets::read(tx, ctx.account, serial);
    let holder = tx.customer(ctx.account.space, customer);
    let instalments = Instalments::load(tx, ctx.account, [], group);
    let group = group.as_ref().map(|group| billing_groups::read(tx, ctx.account, group));
    let book = rental_book::open(tx, ctx, customer);
    let (order, asset, holder) = (order?, asset?, holder?);
    if holder.is_none_or(|holder| holder.deleted.is_some()) {
        return Err(RentalProblem::NoSuchHolder(customer.clone()).into());
    }
    let (group, instalments, book) = (group.transpose()?, instalments?, book?);
    if order.customer.id != *customer {
        return Err(RentalProblem::OrderOfOtherCustomer.into());
    }
    order.require_rentable(ctx.account.unit.require_order_confirmation)?;
    let id = RentalId::mint(ctx.ids, ctx.now);
    let rented = asset.rented_out(&asset.sku, customer, &id)?;
    let line = order.line_of(&asset.sku, *months)?;
    let item = &order.items[line];
    let (months, monthly) = match *months {
        Some(months) if months != item.contract_months => {
            let variant = objects::one::<Variant>(tx, ctx.account.space, ObjectKind::Variant, item.sku.as_str())?;
            (months, monthly_price(variant.as_ref(), months)?)
        }
        Some(_) | None => (item.contract_months, item.unit_price),
    };
    let contract = Contract {
        id,
        months,
        monthly,
        start: start.unwrap_or(ctx.now),
        list_price: item.list_price,
        usual_cost: item.acquisition_cost,
        by,
        notes: notes.clone(),
    };
    let mut made = contract.rental(ctx, &order, &asset);
    let ordered = order.with_rental(line, made.id.clone(), ctx.now)?;
    let group = match group {
        Some(before) => {
            let joined = billing_groups::joined(&before, &mut made, ctx.now)?;
            Some((before, joined))
        }
        None => None,
    };

    let beside = Beside { order: Some((order, ordered)), asset: (asset, rented), group, instalments, book };
    begin(tx, ctx, made, beside)
}

/// What a month costs in a contract of that length.
fn monthly_price(variant: Option<&Variant>, months: u32) -> Result<i64, RentalProblem> {
    let tier = variant.and_then(|variant| variant.tier(months)).ok_or(RentalProblem::NoPriceFor(months))?;
    Ok(tier.monthly_price)
}

/// What the contract of a new rental says.
struct Contract<'a> {
    id: RentalId,
    months: u32,
    monthly: i64,
    start: Time,
    /// What the variant would be sold for.
    list_price: Option<i64>,
    /// What a device of the variant costs.
    usual_cost: Option<i64>,
    by: &'a str,
    notes: Option<String>,
}

impl Contract<'_> {
    /// The rental of a unit of an order, with everything as it is now.
    fn rental(self, ctx: &Ctx<'_>, order: &Order, asset: &Asset) -> Rental {
        let captured = |amount, source| CapturedPrice { amount, source, captured: ctx.now };
        // What is noted with the device is nearer to the truth than what one of its kind costs.
        let cost = match (asset.acquisition_cost, self.usual_cost) {
            (Some(own), usual) if Some(own) != usual => Some(captured(own, PriceSource::Manual)),
            (_, usual) => usual.map(|usual| captured(usual, PriceSource::Variant)),
        };
        Rental {
            id: self.id,
            created: ctx.now,
            updated: ctx.now,
            created_by: self.by.to_owned(),
            customer: order.customer.id.clone(),
            customer_email: order.customer.email.clone(),
            customer_name: order.customer.name(),
            order: order.id.clone(),
            serial: asset.serial.clone(),
            product: Some(asset.product.clone()),
            variant: Some(asset.variant.clone()),
            sku: asset.sku.clone(),
            product_name: asset.product_name.clone(),
            image: asset.product_image.clone(),
            monthly: self.monthly,
            currency: ctx.account.default_currency,
            list_price: self.list_price.map(|price| captured(price, PriceSource::Variant)),
            acquisition_cost: cost,
            original_months: self.months,
            months: self.months,
            start: self.start,
            ended: None,
            group: None,
            collected: 0,
            billed: [].into(),
            extensions: Vec::new(),
            replacements: Vec::new(),
            upgraded_from: None,
            notes: self.notes.filter(|notes| !notes.is_empty()),
        }
    }
}

/// What a new rental changes beside itself: what it was, and what it is to be.
struct Beside {
    order: Option<(Order, Order)>,
    asset: (Asset, Asset),
    group: Option<(BillingGroup, BillingGroup)>,
    instalments: Instalments,
    book: rental_book::Opened,
}

/// Writes a new rental and all that changes with it.
fn begin(tx: &mut dyn Tx, ctx: &Ctx<'_>, made: Rental, beside: Beside) -> Done<Rental> {
    let Beside { order, asset, group, mut instalments, mut book } = beside;
    // A contract that began before today is billed from its beginning.
    instalments.follow(ctx, &made, made.start.min(ctx.now), "");

    put(tx, ctx, None, &made)?;
    assets::replace(tx, ctx, asset.0, asset.1)?;
    if let Some((before, after)) = order {
        orders::rented(tx, ctx, before, after, &mut book)?;
    }
    instalments.save(tx, ctx)?;
    if let Some((before, after)) = group {
        billing_groups::replace(tx, ctx, before, after)?;
    }
    book.book.rented(&made.id, made.start, made.monthly, made.acquisition_cost.map(|price| price.amount));
    book.close(tx, ctx)?;
    Ok(made)
}

/// A rental.
pub fn read(read: &mut dyn Read, account: &Account, id: &RentalId) -> Done<Rental> {
    Ok(find(read, account, id)?.ok_or_else(|| RentalProblem::NoSuchRental(id.clone()))?)
}

/// A rental, if there is one of that id.
pub(super) fn find(read: &mut dyn Read, account: &Account, id: &RentalId) -> Kept<Option<Rental>> {
    objects::one(read, account.space, ObjectKind::Rental, id.as_str())
}

/// Which rentals to list.
#[derive(Clone, Debug, Default)]
pub struct RentalFilter {
    /// Only those that are so.
    pub status: Option<RentalStatus>,
    /// Only those of this customer.
    pub customer: Option<CustomerId>,
    /// Only those that fulfil this order.
    pub order: Option<OrderId>,
    /// Only those of this device.
    pub serial: Option<SerialNumber>,
}

/// A page of rentals.
pub fn list(
    read: &mut dyn Read,
    account: &Account,
    filter: &RentalFilter,
    paging: &Paging<Rental>,
) -> Done<Page<Rental>> {
    let RentalFilter { status, customer, order, serial } = filter;
    // The list that is likely to be the shortest.
    let list = match (serial, order, customer) {
        (Some(serial), _, _) => rental_lists::of_serial(serial),
        (None, Some(order), _) => rental_lists::of_order(order),
        (None, None, Some(customer)) => rental_lists::of_customer(customer),
        (None, None, None) => List::all(ObjectKind::Rental),
    };
    let keep = |rental: &Rental| {
        status.is_none_or(|status| rental.status() == status)
            && customer.as_ref().is_none_or(|customer| rental.customer == *customer)
            && order.as_ref().is_none_or(|order| rental.order == *order)
            && serial.as_ref().is_none_or(|serial| rental.serial == *serial)
    };
    Objects { space: account.space, list, kind: ObjectKind::Rental, keep }.page(read, paging)
}

impl Listed for Rental {
    fn place(&self) -> Place {
        Place { created: self.created, id: self.id.0.clone() }
    }
}

/// A rental with all that changes with it.
struct Loaded {
    rental: Rental,
    /// Assets are not removed, so there is one.
    asset: Option<Asset>,
    group: Option<BillingGroup>,
    instalments: Instalments,
    book: rental_book::Opened,
}

fn load(tx: &mut dyn Tx, ctx: &Ctx<'_>, id: &RentalId) -> Done<Loaded> {
    let rental = read(tx, ctx.account, id)?;
    let group = rental.group.as_ref().map(|membership| &membership.group);
    // All are asked for before a failure is passed on: a store that fetches for a whole run then does so once.
    let asset = objects::one(tx, ctx.account.space, ObjectKind::Asset, rental.serial.as_str());
    let instalments = Instalments::load(tx, ctx.account, [&rental.id], group);
    let group = group.map(|group| billing_groups::find(tx, ctx.account, group)).transpose();
    let book = rental_book::open(tx, ctx, &rental.customer);
    Ok(Loaded { asset: asset?, group: group?.flatten(), instalments: instalments?, book: book?, rental })
}

/// Makes the contract of a rental longer. Its open payments get the new price.
pub fn extend(tx: &mut dyn Tx, ctx: &Ctx<'_>, id: &RentalId, wish: Extend, by: &str) -> Done<Rental> {
    let Loaded { rental: before, asset: _, group, mut instalments, mut book } = load(tx, ctx, id)?;
    let after = before.extended(wish, by, ctx.now)?;
    instalments.follow(ctx, &after, ctx.now, "");

    book.book.repriced(before.monthly, after.monthly);
    put(tx, ctx, Some(before), &after)?;
    instalments.save(tx, ctx)?;
    note_in_group(tx, ctx, group, &after)?;
    book.close(tx, ctx)?;
    Ok(after)
}

/// A wish for another device.
#[derive(Clone, Debug)]
pub struct ReplaceWish {
    /// The device.
    pub serial: SerialNumber,
    /// Its SKU; `None` for that of the device that it replaces.
    pub sku: Option<Sku>,
    /// Why.
    pub reason: ReplacementReason,
    /// Why, in other words.
    pub words: Option<String>,
    /// What is wrong with the old one.
    pub damage_assessment: Option<String>,
    /// Whether an insurance pays.
    pub insurance_claim: bool,
    /// Free text.
    pub notes: Option<String>,
    /// Who asks: the name of an API key.
    pub by: String,
}

/// Gives a rental another device. The old one comes back, or is not to be had any more.
pub fn replace_device(tx: &mut dyn Tx, ctx: &Ctx<'_>, id: &RentalId, wish: ReplaceWish) -> Done<Rental> {
    let before = read(tx, ctx.account, id)?;
    before.require_active()?;
    let ReplaceWish { serial, sku, reason, words, damage_assessment, insurance_claim, notes, by } = wish;
    let old = objects::one::<Asset>(tx, ctx.account.space, ObjectKind::Asset, before.serial.as_str());
    let new = assets::read(tx, ctx.account, &serial);
    let (old, new) = (old?, new?);
    let rented = new.rented_out(sku.as_ref().unwrap_or(&before.sku), &before.customer, &before.id)?;
    let replacement = Replacement {
        old_serial: before.serial.clone(),
        new_serial: serial,
        reason,
        words,
        damage_assessment,
        insurance_claim,
        notes,
        by,
        at: ctx.now,
    };
    let mut after = before.replaced(replacement)?;
    if after.sku != new.sku {
        after.sku.clone_from(&new.sku);
        after.product = Some(new.product.clone());
        after.variant = Some(new.variant.clone());
        after.product_name.clone_from(&new.product_name);
        after.image.clone_from(&new.product_image);
    }

    put(tx, ctx, Some(before), &after)?;
    if let Some(old) = old {
        let gone = if reason.comes_back() { old.returned() } else { old.unavailable() };
        assets::replace(tx, ctx, old, gone)?;
    }
    assets::replace(tx, ctx, new, rented)?;
    Ok(after)
}

/// Gives a rental other notes.
pub fn note(tx: &mut dyn Tx, ctx: &Ctx<'_>, id: &RentalId, notes: String) -> Done<Rental> {
    let before = read(tx, ctx.account, id)?;
    let after = before.with_notes(notes, ctx.now);
    if after != before {
        put(tx, ctx, Some(before), &after)?;
    }
    Ok(after)
}

/// Notes in the group of a rental what it brings in now.
fn note_in_group(tx: &mut dyn Tx, ctx: &Ctx<'_>, group: Option<BillingGroup>, rental: &Rental) -> Kept<()> {
    let Some(before) = group else { return Ok(()) };
    let mut after = before.clone();
    after.note(&rental.id, rental.is_active().then_some(rental.monthly));
    billing_groups::replace(tx, ctx, before, after)
}

/// Makes or replaces a rental, and tells of it.
pub(super) fn put(tx: &mut dyn Tx, ctx: &Ctx<'_>, before: Option<Rental>, after: &Rental) -> Kept<()> {
    let (before, after) = (before.map(Facts::from), Facts::from(after.clone()));
    objects::put(tx, ctx, before.as_ref(), &after)?;
    let change = match before {
        None => ObjectChange::Created(after),
        Some(before) => ObjectChange::Updated { before, after },
    };
    tell(tx, ctx, Happening::Object { change, beside: Vec::new() })
}
