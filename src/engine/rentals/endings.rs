//! How rentals end: buyout, return, upgrade, cancellation; and what the first two would cost.

use super::{Beside, Contract, Loaded, begin, load, monthly_price, note_in_group, put, read};
use crate::domain::account::Account;
use crate::domain::asset::{Asset, AssetStatus};
use crate::domain::catalogue::CatalogueProblem;
use crate::domain::ids::{RentalId, SerialNumber, Sku};
use crate::domain::object::ObjectKind;
use crate::domain::period::{DayOrMoment, day_of};
use crate::domain::product::Variant;
use crate::domain::quote::{self, BuyoutQuote, ReturnQuote};
use crate::domain::rental::{
    BuyoutReason, CancellationReason, Ending, Rental, ReturnCondition, ReturnMethod, ReturnParts,
};
use crate::domain::rental_payment::PaymentPurpose;
use crate::domain::rental_problem::RentalProblem;
use crate::domain::time::Time;
use crate::engine::assets::{self, AssetFilter};
use crate::engine::listing::{Paging, Sort};
use crate::engine::{Ctx, Done, objects, orders};
use crate::store::{Read, Tx};

/// A rental and what it would cost to buy its device now.
pub fn buyout_quote(tx: &mut dyn Read, account: &Account, id: &RentalId, now: Time) -> Done<(Rental, BuyoutQuote)> {
    let rental = read(tx, account, id)?;
    rental.require_active()?;
    let quote = quote::buyout(account.unit.buyout, &rental, now);
    Ok((rental, quote))
}

/// A rental and what it would cost to give its device back now.
pub fn early_return_quote(
    tx: &mut dyn Read,
    account: &Account,
    id: &RentalId,
    now: Time,
) -> Done<(Rental, ReturnQuote)> {
    let rental = read(tx, account, id)?;
    rental.require_active()?;
    let quote = quote::early_return(account.unit.early_return, &rental, now);
    Ok((rental, quote))
}

/// When a rental ends, as somebody says it: not after now, and not before the day on which it began. One that is still to
/// begin can end today.
fn moment(rental: &Rental, said: Option<DayOrMoment>, now: Time) -> Result<Time, RentalProblem> {
    let at = match said {
        None => now,
        // The day that is not over is over as far as now.
        Some(DayOrMoment::Day(day)) if day == day_of(now) => now,
        Some(DayOrMoment::Day(at) | DayOrMoment::Moment(at)) => at,
    };
    if at > now || day_of(at) < day_of(rental.start.min(now)) {
        return Err(RentalProblem::OutsideContract);
    }
    Ok(at)
}

/// A wish to sell the device.
#[derive(Clone, Debug)]
pub struct BuyoutWish {
    /// For so much, in minor units; `None` for what the business unit's method says.
    pub price: Option<i64>,
    /// Why.
    pub reason: BuyoutReason,
    /// Why, in other words.
    pub words: Option<String>,
    /// Free text.
    pub notes: Option<String>,
    /// When; `None` for now.
    pub at: Option<DayOrMoment>,
    /// Who asks: the name of an API key.
    pub by: String,
}

/// Sells the device of a rental to its customer.
pub fn buyout(tx: &mut dyn Tx, ctx: &Ctx<'_>, id: &RentalId, wish: BuyoutWish) -> Done<Rental> {
    let loaded = load(tx, ctx, id)?;
    let BuyoutWish { price, reason, words, notes, at, by } = wish;
    loaded.rental.require_active()?;
    let at = moment(&loaded.rental, at, ctx.now)?;
    let quote = quote::buyout(ctx.account.unit.buyout, &loaded.rental, at);
    let asked = price.unwrap_or(quote.price);
    let how = Ending::Buyout { price: asked, manual: price.is_some(), parts: quote.parts, reason, words, notes };
    let after = loaded.rental.ended(how, &by, at, ctx.now)?;
    // For nothing there is nothing to be paid.
    let fee = Some((PaymentPurpose::Buyout, asked)).filter(|_| asked > 0);
    end(tx, ctx, loaded, after, Asset::sold, fee, "The device was sold to the customer.")
}

/// A wish to take the device back.
#[derive(Clone, Debug)]
pub struct ReturnWish {
    /// In which condition.
    pub condition: ReturnCondition,
    /// The fee, in minor units; `None` for what the business unit's method says.
    pub fee: Option<i64>,
    /// No fee is asked for.
    pub waive: bool,
    /// Why.
    pub reason: String,
    /// What is wrong with it.
    pub damage_assessment: Option<String>,
    /// Free text.
    pub notes: Option<String>,
    /// When; `None` for now.
    pub at: Option<DayOrMoment>,
    /// Who asks: the name of an API key.
    pub by: String,
}

/// Takes the device of a rental back. Before the contract is over it may cost a fee.
pub fn early_return(tx: &mut dyn Tx, ctx: &Ctx<'_>, id: &RentalId, wish: ReturnWish) -> Done<Rental> {
    let loaded = load(tx, ctx, id)?;
    let ReturnWish { condition, fee, waive, reason, damage_assessment, notes, at, by } = wish;
    loaded.rental.require_active()?;
    let at = moment(&loaded.rental, at, ctx.now)?;
    let quote = quote::early_return(ctx.account.unit.early_return, &loaded.rental, at);
    let asked = if waive { 0 } else { fee.unwrap_or(quote.fee) };
    let manual = fee.is_some() || waive;
    let method = if manual { ReturnMethod::Manual } else { quote.parts.method };
    let how = Ending::Return {
        fee: asked,
        waived: waive,
        manual,
        parts: ReturnParts { method, ..quote.parts },
        condition,
        reason,
        damage_assessment,
        notes,
    };
    let after = loaded.rental.ended(how, &by, at, ctx.now)?;
    let fee = Some((PaymentPurpose::EarlyReturn, asked)).filter(|_| asked > 0);
    end(tx, ctx, loaded, after, Asset::returned, fee, "The device came back.")
}

/// A wish to give a rental up.
#[derive(Clone, Debug)]
pub struct CancelWish {
    /// Why.
    pub reason: CancellationReason,
    /// Free text.
    pub notes: Option<String>,
    /// Who asks: the name of an API key.
    pub by: String,
}

/// Gives a rental up. Its device stays out until somebody says what became of it.
pub fn cancel(tx: &mut dyn Tx, ctx: &Ctx<'_>, id: &RentalId, wish: CancelWish) -> Done<Rental> {
    let loaded = load(tx, ctx, id)?;
    let CancelWish { reason, notes, by } = wish;
    if !loaded.rental.is_active() {
        return Err(RentalProblem::AlreadyEnded(loaded.rental.status()).into());
    }
    let after = loaded.rental.ended(Ending::Cancellation { reason, notes }, &by, ctx.now, ctx.now)?;
    end(tx, ctx, loaded, after, Asset::released, None, "The rental was cancelled.")
}

/// Writes the end of a rental and all that changes with it.
fn end(
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    loaded: Loaded,
    after: Rental,
    becomes: fn(&Asset) -> Asset,
    fee: Option<(PaymentPurpose, i64)>,
    why: &str,
) -> Done<Rental> {
    let Loaded { rental: before, asset, group, mut instalments, mut book } = loaded;
    let at = after.ended.as_ref().map_or(ctx.now, |ended| ended.at);
    instalments.follow(ctx, &after, at, why);
    if let Some((purpose, amount)) = fee {
        instalments.charge(ctx, &after, purpose, amount);
    }

    book.book.ended(before.monthly);
    put(tx, ctx, Some(before), &after)?;
    if let Some(asset) = asset {
        let changed = becomes(&asset);
        assets::replace(tx, ctx, asset, changed)?;
    }
    instalments.save(tx, ctx)?;
    note_in_group(tx, ctx, group, &after)?;
    book.close(tx, ctx)?;
    Ok(after)
}

/// A wish for another device on a contract of its own.
#[derive(Clone, Debug)]
pub struct UpgradeWish {
    /// The SKU of the other device.
    pub sku: Sku,
    /// The device; `None` for the one that has waited longest.
    pub serial: Option<SerialNumber>,
    /// The new contract's length in months.
    pub months: u32,
    /// What is paid a month, in minor units; `None` for what the variant costs in a contract of that length.
    pub monthly: Option<i64>,
    /// Why.
    pub reason: Option<String>,
    /// Free text.
    pub notes: Option<String>,
    /// Who asks: the name of an API key.
    pub by: String,
}

/// The rental that ended, and the one that began.
#[derive(Debug)]
pub struct Upgraded {
    /// The one that ended.
    pub old: Rental,
    /// The one that began.
    pub new: Rental,
}

/// Ends a rental and begins another one, of another device. The order stays the one that it was. The old device is waited
/// for: somebody says when it came back.
pub fn upgrade(tx: &mut dyn Tx, ctx: &Ctx<'_>, id: &RentalId, wish: UpgradeWish) -> Done<Upgraded> {
    let Loaded { rental: before, asset: old_asset, group, mut instalments, mut book } = load(tx, ctx, id)?;
    let UpgradeWish { sku, serial, months, monthly, reason, notes, by } = wish;
    before.require_active()?;
    let order = orders::read(tx, ctx.account, &before.order)?;
    let variant = objects::one::<Variant>(tx, ctx.account.space, ObjectKind::Variant, sku.as_str())?;
    let variant = variant.ok_or_else(|| CatalogueProblem::NoSuchVariant(sku.clone()))?;
    if !variant.is_active() {
        return Err(CatalogueProblem::VariantInactive(sku).into());
    }
    let monthly = match monthly {
        Some(monthly) => monthly,
        None => monthly_price(Some(&variant), months)?,
    };
    let asset = match &serial {
        Some(serial) => assets::read(tx, ctx.account, serial)?,
        None => longest_waiting(tx, ctx.account, &sku)?,
    };
    let to = RentalId::mint(ctx.ids, ctx.now);
    let rented = asset.rented_out(&sku, &before.customer, &to)?;
    let contract = Contract {
        id: to.clone(),
        months,
        monthly,
        start: ctx.now,
        list_price: variant.list_price,
        usual_cost: variant.acquisition_cost,
        by: &by,
        notes: notes.clone(),
    };
    let made = contract.rental(ctx, &order, &asset);
    let made = Rental { upgraded_from: Some(before.id.clone()), ..made };
    let old = before.ended(Ending::Upgrade { to, reason, notes }, &by, ctx.now, ctx.now)?;
    instalments.follow(ctx, &old, ctx.now, "The customer has another device.");

    book.book.ended(before.monthly);
    put(tx, ctx, Some(before), &old)?;
    note_in_group(tx, ctx, group, &old)?;
    if let Some(asset) = old_asset {
        let released = asset.released();
        assets::replace(tx, ctx, asset, released)?;
    }
    let beside = Beside { order: None, asset: (asset, rented), group: None, instalments, book };
    let new = begin(tx, ctx, made, beside)?;
    Ok(Upgraded { old, new })
}

/// The asset of a SKU that can be had and was made first.
fn longest_waiting(read: &mut dyn Read, account: &Account, sku: &Sku) -> Done<Asset> {
    let filter = AssetFilter { status: Some(AssetStatus::Available), sku: Some(sku.clone()), ..AssetFilter::default() };
    let paging = Paging { sort: Sort::Created, ascending: true, after: None, limit: 1 };
    let found = assets::list(read, account, &filter, &paging)?.items.into_iter().next();
    Ok(found.ok_or_else(|| RentalProblem::NoneAvailable(sku.clone()))?)
}
