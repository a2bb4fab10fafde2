//! Payments for rentals: read, list, mark paid, cancel. They are made by what happens to rentals (`instalments`).

use std::collections::BTreeMap;

use super::listing::{Listed, Objects, Paging};
use super::{Ctx, Done, billing_groups, instalments, objects, rental_book, rentals};
use crate::domain::account::Account;
use crate::domain::billing_group::BillingGroup;
use crate::domain::facts::rental_lists;
use crate::domain::ids::{BillingGroupId, CustomerId, RentalId, RentalPaymentId};
use crate::domain::object::{List, ObjectKind};
use crate::domain::page::{Page, Place, Span};
use crate::domain::rental::Rental;
use crate::domain::rental_payment::{Billed, MarkPaid, PaymentPurpose, PaymentStatus, RentalPayment};
use crate::domain::rental_problem::RentalProblem;
use crate::store::{Kept, Read, Tx};

/// A payment.
pub fn read(read: &mut dyn Read, account: &Account, id: &RentalPaymentId) -> Done<RentalPayment> {
    let found = objects::one(read, account.space, ObjectKind::RentalPayment, id.as_str())?;
    Ok(found.ok_or_else(|| RentalProblem::NoSuchRentalPayment(id.clone()))?)
}

/// Which payments to list.
#[derive(Clone, Debug, Default)]
pub struct PaymentFilter {
    /// Only those that are so far.
    pub status: Option<PaymentStatus>,
    /// Only those of this customer.
    pub customer: Option<CustomerId>,
    /// Only those of this rental alone.
    pub rental: Option<RentalId>,
    /// Only those of this group.
    pub group: Option<BillingGroupId>,
    /// Only those that are due within.
    pub due: Span,
}

/// A page of payments.
pub fn list(
    read: &mut dyn Read,
    account: &Account,
    filter: &PaymentFilter,
    paging: &Paging<RentalPayment>,
) -> Done<Page<RentalPayment>> {
    let PaymentFilter { status, customer, rental, group, due } = filter;
    // The list that is likely to be the shortest.
    let list = match (rental, group, customer) {
        (Some(rental), _, _) => rental_lists::payments_of_rental(rental),
        (None, Some(group), _) => rental_lists::payments_of_group(group),
        (None, None, Some(customer)) => rental_lists::payments_by(customer),
        (None, None, None) => List::all(ObjectKind::RentalPayment),
    };
    let is_of = |of: &Billed| match of {
        Billed::Rental(id) => rental.as_ref().is_none_or(|rental| rental == id) && group.is_none(),
        Billed::Group(id) => group.as_ref().is_none_or(|group| group == id) && rental.is_none(),
    };
    let keep = |payment: &RentalPayment| {
        status.is_none_or(|status| payment.status == status)
            && customer.as_ref().is_none_or(|customer| payment.customer == *customer)
            && is_of(&payment.of)
            && due.holds(payment.due)
    };
    Objects { space: account.space, list, kind: ObjectKind::RentalPayment, keep }.page(read, paging)
}

impl Listed for RentalPayment {
    fn place(&self) -> Place {
        Place { created: self.created, id: self.id.0.clone() }
    }
}

/// Notes that the money of a payment came.
pub fn mark_paid(
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    id: &RentalPaymentId,
    wish: MarkPaid,
    by: &str,
) -> Done<RentalPayment> {
    let before = read(tx, ctx.account, id)?;
    let after = before.paid(wish, by, ctx.now)?;
    let mut closing = Closing::load(tx, ctx, &before)?;
    let mut book = rental_book::open(tx, ctx, &before.customer)?;
    for line in &after.lines {
        closing.collected(&line.rental, line.amount.net);
    }
    closing.close(&after);

    book.book.paid(after.amount().net);
    instalments::put(tx, ctx, Some(before), after.clone())?;
    closing.save(tx, ctx)?;
    book.close(tx, ctx)?;
    Ok(after)
}

/// Has a payment not be made. A month that is given up so is not billed again.
pub fn cancel(tx: &mut dyn Tx, ctx: &Ctx<'_>, id: &RentalPaymentId, reason: String) -> Done<RentalPayment> {
    let before = read(tx, ctx.account, id)?;
    let after = before.cancelled(reason, ctx.now)?;
    let mut closing = Closing::load(tx, ctx, &before)?;
    closing.close(&after);

    instalments::put(tx, ctx, Some(before), after.clone())?;
    closing.save(tx, ctx)?;
    Ok(after)
}

/// What learns that a payment is not open any more: its rentals, and its group with all of the group's.
struct Closing {
    rentals: BTreeMap<RentalId, (Rental, Rental)>,
    group: Option<(BillingGroup, BillingGroup)>,
}

impl Closing {
    fn load(tx: &mut dyn Tx, ctx: &Ctx<'_>, payment: &RentalPayment) -> Kept<Closing> {
        let group = match &payment.of {
            Billed::Group(group) => billing_groups::find(tx, ctx.account, group)?,
            Billed::Rental(_) => None,
        };
        let members = group.iter().flat_map(|group| group.members.iter().map(|member| &member.rental));
        let mut wanted: Vec<&RentalId> = payment.lines.iter().map(|line| &line.rental).chain(members).collect();
        wanted.sort_unstable();
        wanted.dedup();
        // All are asked for before a failure is passed on: a store that fetches for a whole run then does so once.
        let found: Vec<Kept<Option<Rental>>> =
            wanted.into_iter().map(|rental| rentals::find(tx, ctx.account, rental)).collect();
        let mut rentals = BTreeMap::new();
        for rental in found {
            rentals.extend(rental?.map(|rental| (rental.id.clone(), (rental.clone(), rental))));
        }
        Ok(Closing { rentals, group: group.map(|group| (group.clone(), group)) })
    }

    /// Adds what was paid for a rental to what it brought in.
    fn collected(&mut self, rental: &RentalId, net: i64) {
        if let Some((_, rental)) = self.rentals.get_mut(rental) {
            rental.collected = rental.collected.saturating_add(net);
        }
    }

    /// Notes that the month of a payment is not to be billed again.
    fn close(&mut self, payment: &RentalPayment) {
        if payment.purpose != PaymentPurpose::Month {
            return;
        }
        if let Some((_, group)) = &mut self.group {
            group.closed.insert(payment.period);
        }
        for (id, (_, rental)) in &mut self.rentals {
            if payment.line(id).is_some() {
                rental.billed.insert(payment.period);
            } else if let Some(membership) = &mut rental.group {
                membership.except.insert(payment.period);
            }
        }
    }

    fn save(self, tx: &mut dyn Tx, ctx: &Ctx<'_>) -> Kept<()> {
        for (before, mut after) in self.rentals.into_values().filter(|(before, after)| before != after) {
            after.updated = ctx.now;
            rentals::put(tx, ctx, Some(before), &after)?;
        }
        match self.group {
            Some((before, after)) => billing_groups::replace(tx, ctx, before, after),
            None => Ok(()),
        }
    }
}
