//! What a change of a customer means for what it holds: written with the customer, told piece by piece.

use super::source_objects::keep_consumed;
use super::{Ctx, objects, tell};
use crate::domain::customer::Customer;
use crate::domain::event::{Happening, ObjectChange, Subject};
use crate::domain::facts::Facts;
use crate::domain::holding::Holding;
use crate::domain::instrument::Instrument;
use crate::domain::payment_method::{LoosePaymentMethod, PaymentMethod};
use crate::store::{Kept, Tx};

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
/// told of once for each API that shows it.
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
        let subjects =
            [(Subject::Source, instrument.is_source()), (Subject::PaymentMethod, instrument.is_payment_method())];
        for (subject, _) in subjects.into_iter().filter(|(_, shown)| *shown) {
            let change = change.clone().map(Holding::Instrument);
            tell(tx, ctx, Happening::Holding { customer: after.id.clone(), subject, change })?;
        }
    }
    Ok(())
}
