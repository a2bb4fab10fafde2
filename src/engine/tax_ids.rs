//! Tax ids of customers: create, read, delete, and what is found out about them. A customer's tax ids are a part of its
//! record and change its version, but no `CustomerUpdated` tells of them: their own events do, and the newer versions of
//! the customer do not show them.

use super::customers::{live, replace, step};
use super::{Ctx, Done, Precondition, tell};
use crate::domain::account::Account;
use crate::domain::customer::Customer;
use crate::domain::event::{Happening, ObjectChange, Subject};
use crate::domain::holding::Holding;
use crate::domain::ids::{CustomerId, TaxIdId};
use crate::domain::problem::Problem;
use crate::domain::tax_id::{MAX_TAX_IDS, NewTaxId, TaxId};
use crate::domain::term::Mark;
use crate::store::{Kept, Read, Tx};

/// Adds a tax id. Gives the customer as it is before anything is found out about the number, and the tax id in it: what is
/// found out is told of afterwards, as by an office that takes its time.
pub fn create(
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    id: &CustomerId,
    insists: &Precondition,
    wish: NewTaxId,
) -> Done<(Customer, TaxId)> {
    let before = live(tx, ctx.account, id)?;
    insists.check(before.version)?;
    if before.tax_ids.len() >= MAX_TAX_IDS {
        return Err(Problem::TooManyTaxIds.into());
    }
    let added = Added::of(ctx, vec![wish]);
    let mut after = before.clone();
    after.tax_ids.extend_from_slice(&added.made);

    let after = replace(tx, ctx, before, after)?;
    let settled = added.settle(ctx, &after);
    if settled != after {
        replace(tx, ctx, after.clone(), settled)?;
    }
    added.tell(tx, ctx, id)?;
    let made = after.tax_ids.last().cloned().expect("one was added above");
    Ok((after, made))
}

/// Takes a tax id away from a customer.
pub fn delete(
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    customer: &CustomerId,
    insists: &Precondition,
    id: &TaxIdId,
) -> Done<TaxId> {
    let (before, gone) = read(tx, ctx.account, customer, id)?;
    insists.check(before.version)?;
    let mut after = before.clone();
    after.tax_ids.retain(|tax_id| tax_id.id != *id);

    replace(tx, ctx, before, after)?;
    tell_of(tx, ctx, customer, ObjectChange::Deleted(gone.clone()))?;
    Ok(gone)
}

/// A tax id of a customer, with the customer.
pub fn read(tx: &mut dyn Read, account: &Account, customer: &CustomerId, id: &TaxIdId) -> Done<(Customer, TaxId)> {
    let customer = live(tx, account, customer)?;
    let tax_id = customer.tax_id(id).cloned().ok_or_else(|| Problem::NoSuchTaxId(id.clone()))?;
    Ok((customer, tax_id))
}

/// A tax id of whatever customer has it, with the customer.
pub fn find(tx: &mut dyn Read, account: &Account, id: &TaxIdId) -> Done<(Customer, TaxId)> {
    let holder = match tx.marked(account.space, &Mark::Holding(id.0.clone()))? {
        Some(holder) => tx.customer(account.space, &holder)?,
        None => None,
    };
    // The mark may be that of something else, and the customer may be a newer one that has lost it.
    let found = holder.and_then(|customer| customer.tax_id(id).cloned().map(|tax_id| (customer, tax_id)));
    Ok(found.ok_or_else(|| Problem::NoSuchTaxId(id.clone()))?)
}

/// Tells that a customer that is being deleted leaves no tax ids behind, so that who keeps a copy of them by their events
/// does not either. The newest goes first.
pub(super) fn tell_gone(tx: &mut dyn Tx, ctx: &Ctx<'_>, customer: &Customer) -> Kept<()> {
    let gone = customer.tax_ids_newest_first();
    gone.cloned().try_for_each(|tax_id| tell_of(tx, ctx, &customer.id, ObjectChange::Deleted(tax_id)))
}

/// Tax ids that are new: as they are made, and what is found out about them.
pub(super) struct Added {
    /// As they are made.
    pub made: Vec<TaxId>,
    found: Vec<TaxId>,
}

impl Added {
    /// The wishes, with ids.
    pub fn of(ctx: &Ctx<'_>, wishes: Vec<NewTaxId>) -> Added {
        let (mut made, mut found) = (Vec::new(), Vec::new());
        for wish in wishes {
            let verification = wish.outcome;
            let tax_id = TaxId::new(TaxIdId::mint(ctx.ids, ctx.now), ctx.now, wish);
            found.push(TaxId { verification, ..tax_id.clone() });
            made.push(tax_id);
        }
        Added { made, found }
    }

    /// The customer that has them last, with what was found out: one version later when that is anything.
    pub fn settle(&self, ctx: &Ctx<'_>, customer: &Customer) -> Customer {
        let mut settled = customer.clone();
        if self.found != self.made {
            let kept = settled.tax_ids.len().saturating_sub(self.found.len());
            settled.tax_ids.splice(kept.., self.found.iter().cloned());
            step(ctx, customer, &mut settled);
        }
        settled
    }

    /// Tells of each that it was made, then of each about which something was found out.
    pub fn tell(self, tx: &mut dyn Tx, ctx: &Ctx<'_>, customer: &CustomerId) -> Kept<()> {
        let Added { made, found } = self;
        for tax_id in &made {
            tell_of(tx, ctx, customer, ObjectChange::Created(tax_id.clone()))?;
        }
        let mut changed = made.into_iter().zip(found).filter(|(before, after)| before != after);
        changed.try_for_each(|(before, after)| tell_of(tx, ctx, customer, ObjectChange::Updated { before, after }))
    }
}

fn tell_of(tx: &mut dyn Tx, ctx: &Ctx<'_>, customer: &CustomerId, change: ObjectChange<TaxId>) -> Kept<()> {
    let change = change.map(Holding::TaxId);
    tell(tx, ctx, Happening::Holding { customer: customer.clone(), subject: Subject::TaxId, change })
}
