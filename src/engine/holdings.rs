//! What a change of a customer means for what it holds: written with the customer, told piece by piece.

use super::source_objects::keep_consumed;
use super::{Ctx, objects, tell};
use crate::domain::account::Space;
use crate::domain::customer::Customer;
use crate::domain::event::{Happening, ObjectChange, Subject};
use crate::domain::facts::Facts;
use crate::domain::holding::Holding;
use crate::domain::ids::InstrumentId;
use crate::domain::instrument::Instrument;
use crate::domain::payment_method::{LoosePaymentMethod, PaymentMethod};
use crate::domain::term::Mark;
use crate::store::{Kept, Read, Tx};

/// The instrument of that id, and the customer that holds it.
pub(super) fn holder(read: &mut dyn Read, space: Space, id: &InstrumentId) -> Kept<Option<(Customer, Instrument)>> {
    let Some(holder) = read.marked(space, &Mark::Holding(id.0.clone()))? else { return Ok(None) };
    let customer = read.customer(space, &holder)?;
    Ok(customer.and_then(|customer| {
        let instrument = customer.instrument(id.as_str())?.clone();
        Some((customer, instrument))
    }))
}

/// Keeps what the customer no longer holds, for those who look it up: payment methods and sources. Cards and bank accounts
/// of the older API are gone with the hold on them.
pub(super) fn keep_gone(tx: &mut dyn Tx, ctx: &Ctx<'_>, before: &[Instrument], after: &Customer) -> Kept<()> {
    for instrument in before.iter().filter(|instrument| after.instrument(instrument.id().as_str()).is_none()) {
        match instrument {
            Instrument::PaymentMethod(method) => {
                let loose = LoosePaymentMethod { method: PaymentMethod::clone(method), spent: true };
                objects::put(tx, ctx, None, &Facts::from(loose))?;
            }
            Instrument::Source(source) => keep_consumed(tx, ctx, source, &after.id)?,
            Instrument::Card(_) | Instrument::BankAccount(_) => {}
        }
    }
    Ok(())
}

/// Tells what became of the customer's instruments: first of those that went, then of the others in their order. Each is
/// told of once for each API that shows it, and that shows the change.
pub(super) fn tell_instruments(tx: &mut dyn Tx, ctx: &Ctx<'_>, before: &[Instrument], after: &Customer) -> Kept<()> {
    let known = |those: &[Instrument], id| those.iter().find(|instrument| instrument.id() == id).cloned();
    let gone = before.iter().filter(|instrument| known(&after.instruments, instrument.id()).is_none());
    let gone = gone.map(|instrument| ObjectChange::Deleted(instrument.clone()));
    let there = after.instruments.iter().filter_map(|instrument| match known(before, instrument.id()) {
        None => Some(ObjectChange::Created(instrument.clone())),
        Some(before) if before != *instrument => Some(ObjectChange::Updated { before, after: instrument.clone() }),
        Some(_) => None,
    });
    for change in gone.chain(there).collect::<Vec<_>>() {
        let instrument = change.state();
        let seen = |subject| match &change {
            ObjectChange::Updated { before, after } if subject == Subject::Source => {
                before.as_shown_source() != after.as_shown_source()
            }
            ObjectChange::Updated { before, after } => before.as_payment_method() != after.as_payment_method(),
            ObjectChange::Created(_) | ObjectChange::Deleted(_) => true,
        };
        let subjects =
            [(Subject::Source, instrument.is_source()), (Subject::PaymentMethod, instrument.is_payment_method())];
        let subjects = subjects.into_iter().filter(|(subject, shown)| *shown && seen(*subject));
        for (subject, _) in subjects.collect::<Vec<_>>() {
            let change = change.clone().map(Holding::Instrument);
            tell(tx, ctx, Happening::Holding { customer: after.id.clone(), subject, change })?;
        }
    }
    Ok(())
}
