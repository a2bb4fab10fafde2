//! The open payments of rentals, and how a change of a rental changes them: months are moved from one rental's payments to its
//! group's and back, get another price, are added and given up. All of it is decided here before anything is written.

use std::collections::BTreeSet;

use super::{Ctx, objects, tell};
use crate::domain::account::Account;
use crate::domain::event::{Happening, ObjectChange};
use crate::domain::facts::{Facts, rental_lists};
use crate::domain::ids::{BillingGroupId, RentalId, RentalPaymentId};
use crate::domain::object::List;
use crate::domain::period::{Period, day_of};
use crate::domain::rental::{Instalment, Rental};
use crate::domain::rental_payment::{Billed, PaymentLine, PaymentPurpose, PaymentStatus, RentalPayment, Taxed};
use crate::domain::time::Time;
use crate::store::{Kept, Read, Tx};

/// Open payments as they were, and as they are to be.
#[derive(Debug, Default)]
pub(super) struct Instalments {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    before: Option<RentalPayment>,
    after: RentalPayment,
}

impl Entry {
    /// Whether it is a month of the rental that is still only planned: to be billed that day or later.
    fn is_planned(&self, rental: &RentalId, today: Time) -> bool {
        self.after.purpose == PaymentPurpose::Month
            && self.after.status == PaymentStatus::Pending
            && self.after.due >= today
            && self.after.line(rental).is_some()
    }
}

impl Instalments {
    /// The open payments of these rentals and groups. All are asked for before a failure is passed on: a store that fetches
    /// for a whole run then does so once.
    pub fn load<'a>(
        read: &mut dyn Read,
        account: &Account,
        rentals: impl IntoIterator<Item = &'a RentalId>,
        groups: impl IntoIterator<Item = &'a BillingGroupId>,
    ) -> Kept<Instalments> {
        let rentals: BTreeSet<&RentalId> = rentals.into_iter().collect();
        let groups: BTreeSet<&BillingGroupId> = groups.into_iter().collect();
        let lists = rentals.into_iter().map(rental_lists::open_of_rental);
        let lists = lists.chain(groups.into_iter().map(rental_lists::open_of_group));
        let found: Vec<Kept<Vec<RentalPayment>>> =
            lists.map(|list: List| objects::all(read, account.space, list)).collect();
        let mut entries = Vec::new();
        for payments in found {
            let payments = payments?.into_iter();
            entries.extend(payments.map(|payment| Entry { before: Some(payment.clone()), after: payment }));
        }
        Ok(Instalments { entries })
    }

    /// The months of the rental that were billed before that day and are not paid: no other payment is to be made for them.
    pub fn overdue(&self, rental: &RentalId, today: Time) -> BTreeSet<Period> {
        let months = self.entries.iter().map(|entry| &entry.after).filter(|payment| {
            payment.purpose == PaymentPurpose::Month && payment.due < today && payment.line(rental).is_some()
        });
        months.map(|payment| payment.period).collect()
    }

    /// Has the months of the rental billed that nothing was billed for before the day of `now`, where and when and at what
    /// price they are now, and no others. `why` is noted with those that are given up.
    pub fn follow(&mut self, ctx: &Ctx<'_>, rental: &Rental, now: Time, why: &str) {
        let today = day_of(now);
        // What is to be billed on a day that is over is billed today: a month that was to come and whose day has changed, or
        // one of a contract that was made longer after its end.
        let overdue = self.overdue(&rental.id, today);
        let is_wanted = |month: &Instalment| !rental.billed.contains(&month.period) && !overdue.contains(&month.period);
        let months: Vec<Instalment> = if rental.is_active() {
            let wanted = rental.instalments().filter(is_wanted);
            wanted.map(|month| Instalment { due: month.due.max(today), ..month }).collect()
        } else {
            Vec::new()
        };
        let of = |month: &Instalment| {
            let group = rental.group.as_ref().filter(|_| month.by_group);
            let by_group = group.map(|membership| Billed::Group(membership.group.clone()));
            // What a group owes since before keeps its day: a month that comes later is billed by itself.
            by_group.filter(|group| !self.owes(group, month.period, today)).unwrap_or(Billed::Rental(rental.id.clone()))
        };
        let months: Vec<(Billed, Instalment)> = months.into_iter().map(|month| (of(&month), month)).collect();
        for entry in self.entries.iter_mut().filter(|entry| entry.is_planned(&rental.id, today)) {
            let payment = &mut entry.after;
            let owed =
                rental.billed.contains(&payment.period) || !rental.is_active() && was_late(payment, rental, today);
            let wanted = months.iter().any(|(of, month)| month.period == payment.period && *of == payment.of);
            if !owed && !wanted {
                give_up(payment, &rental.id, why, ctx.now);
            }
        }
        for (of, month) in months {
            self.bill(ctx, rental, &month, of);
        }
    }

    /// Whether an open payment for that month was due before today.
    fn owes(&self, of: &Billed, period: Period, today: Time) -> bool {
        let mut months = self.entries.iter().map(|entry| &entry.after);
        months.any(|payment| {
            payment.purpose == PaymentPurpose::Month
                && payment.status.is_open()
                && payment.period == period
                && payment.of == *of
                && payment.due < today
        })
    }

    /// Has a month of the rental on the payment that it belongs to.
    fn bill(&mut self, ctx: &Ctx<'_>, rental: &Rental, month: &Instalment, of: Billed) {
        let description = format!("{}, {}", rental.product_name, month.period);
        let line = PaymentLine { rental: rental.id.clone(), description, amount: taxed(ctx.account, rental.monthly) };
        let same = |payment: &RentalPayment| {
            payment.purpose == PaymentPurpose::Month
                && payment.status.is_open()
                && payment.period == month.period
                && payment.of == of
        };
        match self.entries.iter_mut().find(|entry| same(&entry.after)) {
            // What somebody is collecting stays as it is.
            Some(entry) if entry.after.status != PaymentStatus::Pending => {}
            Some(entry) => {
                let payment = &mut entry.after;
                payment.due = month.due;
                match payment.lines.iter_mut().find(|line| line.rental == rental.id) {
                    Some(old) => *old = line,
                    None => payment.lines.push(line),
                }
            }
            None => {
                let payment = new(ctx, rental, PaymentPurpose::Month, of, line);
                let after = RentalPayment { period: month.period, due: month.due, ..payment };
                self.entries.push(Entry { before: None, after });
            }
        }
    }

    /// Adds a fee at the end of a rental, due now.
    pub fn charge(&mut self, ctx: &Ctx<'_>, rental: &Rental, purpose: PaymentPurpose, amount: i64) {
        let what = match purpose {
            PaymentPurpose::Month => "Month of",
            PaymentPurpose::Buyout => "Buyout of",
            PaymentPurpose::EarlyReturn => "Early return of",
        };
        let description = format!("{what} {}", rental.product_name);
        let line = PaymentLine { rental: rental.id.clone(), description, amount: taxed(ctx.account, amount) };
        let after = new(ctx, rental, purpose, Billed::Rental(rental.id.clone()), line);
        self.entries.push(Entry { before: None, after });
    }

    /// Writes what has changed, and tells of it.
    pub fn save(self, tx: &mut dyn Tx, ctx: &Ctx<'_>) -> Kept<()> {
        for Entry { before, mut after } in self.entries {
            if before.as_ref() == Some(&after) {
                continue;
            }
            after.updated = ctx.now;
            put(tx, ctx, before, after)?;
        }
        Ok(())
    }
}

/// Whether a payment is of a month whose own day was over when it was made, and lies before `today`: what is owed for it does
/// not go with what was still to come.
fn was_late(payment: &RentalPayment, rental: &Rental, today: Time) -> bool {
    payment.due <= day_of(payment.created) && rental.own_day(payment.period).is_some_and(|own| day_of(own) < today)
}

/// Takes a rental's line off a payment. One without lines is not to be made.
fn give_up(payment: &mut RentalPayment, rental: &RentalId, why: &str, now: Time) {
    if payment.lines.len() > 1 {
        payment.lines.retain(|line| line.rental != *rental);
    } else {
        // The last line stays, so that it shows what was given up.
        payment.status = PaymentStatus::Cancelled;
        payment.cancel_reason = Some(why.to_owned());
        payment.updated = now;
    }
}

fn new(ctx: &Ctx<'_>, rental: &Rental, purpose: PaymentPurpose, of: Billed, line: PaymentLine) -> RentalPayment {
    RentalPayment {
        id: RentalPaymentId::mint(ctx.ids, ctx.now),
        created: ctx.now,
        updated: ctx.now,
        customer: rental.customer.clone(),
        of,
        purpose,
        period: Period::of(ctx.now),
        lines: vec![line],
        tax_rate: ctx.account.unit.tax_rate,
        currency: rental.currency,
        status: PaymentStatus::Pending,
        due: ctx.now,
        paid_at: None,
        marked_by: None,
        reference: None,
        notes: None,
        cancel_reason: None,
    }
}

fn taxed(account: &Account, price: i64) -> Taxed {
    Taxed::of(price, account.unit.tax_rate, account.unit.tax_inclusive)
}

/// Makes or replaces a payment, and tells of it.
pub(super) fn put(tx: &mut dyn Tx, ctx: &Ctx<'_>, before: Option<RentalPayment>, after: RentalPayment) -> Kept<()> {
    let (before, after) = (before.map(Facts::from), Facts::from(after));
    objects::put(tx, ctx, before.as_ref(), &after)?;
    let change = match before {
        None => ObjectChange::Created(after),
        Some(before) => ObjectChange::Updated { before, after },
    };
    tell(tx, ctx, Happening::Object { change, beside: Vec::new() })
}
