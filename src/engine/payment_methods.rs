//! Payment methods: read, update, attach, detach, list. A customer holds those that are attached; the others are objects.

use super::customers::{live, replace};
use super::holdings::holder;
use super::{Ctx, Done, Precondition, objects, tokens};
use crate::domain::account::{Account, Space};
use crate::domain::customer::Customer;
use crate::domain::ids::{CustomerId, InstrumentId};
use crate::domain::instrument::Instrument;
use crate::domain::payment_method::{LoosePaymentMethod, PaymentMethod, PaymentMethodChange};
use crate::domain::problem::Problem;
use crate::domain::token::Token;
use crate::store::{Kept, Read, Tx};

/// Where a payment method is.
#[derive(Clone, Debug)]
pub enum Found {
    /// A customer holds it.
    Held {
        /// The customer, as it is now.
        customer: Box<Customer>,
        /// The payment method.
        instrument: Instrument,
    },
    /// Nobody holds it.
    Loose(Box<LoosePaymentMethod>),
}

impl Found {
    /// Who holds it.
    pub fn customer(&self) -> Option<&Customer> {
        match self {
            Found::Held { customer, .. } => Some(customer),
            Found::Loose(_) => None,
        }
    }

    /// It, whoever holds it.
    pub fn instrument(&self) -> Instrument {
        match self {
            Found::Held { instrument, .. } => instrument.clone(),
            Found::Loose(loose) => loose.method.clone().into(),
        }
    }
}

/// A payment method, wherever it is.
pub fn read(read: &mut dyn Read, account: &Account, id: &InstrumentId) -> Done<Found> {
    Ok(find(read, account.space, id)?.ok_or_else(|| Problem::NoSuchPaymentMethod(id.clone()))?)
}

/// A customer's payment method.
pub fn read_of(read: &mut dyn Read, account: &Account, customer: &CustomerId, id: &InstrumentId) -> Done<Found> {
    let customer = live(read, account, customer)?;
    let found = customer.instrument(id.as_str()).filter(|instrument| instrument.is_payment_method()).cloned();
    let instrument = found.ok_or_else(|| Problem::NoSuchPaymentMethod(id.clone()))?;
    Ok(Found::Held { customer: Box::new(customer), instrument })
}

/// Keeps a payment method that nobody holds yet. The token that it was made of is used up.
pub fn create(tx: &mut dyn Tx, ctx: &Ctx<'_>, method: PaymentMethod, token: Option<&Token>) -> Done<Found> {
    let loose = LoosePaymentMethod { method, spent: false };

    if let Some(token) = token {
        tokens::spend(tx, ctx, token)?;
    }
    objects::put(tx, ctx, None, &loose.clone().into())?;
    Ok(Found::Loose(Box::new(loose)))
}

/// Changes a payment method that a customer holds.
pub fn update(
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    id: &InstrumentId,
    insists: &Precondition,
    change: PaymentMethodChange,
) -> Done<Found> {
    let (before, instrument) = held(tx, ctx, id)?;
    insists.check(before.version)?;
    let method = instrument.as_payment_method().ok_or_else(|| Problem::NoSuchPaymentMethod(id.clone()))?;
    let instrument = instrument.changed_to(method.with(change, ctx.now)?);
    let after = before.with_changed(instrument.clone());

    let customer = Box::new(replace(tx, ctx, before, after)?);
    Ok(Found::Held { customer, instrument })
}

/// A payment method that is fit to be held, because the processor has looked at it, and what it was until now, if it was
/// kept.
pub type Offered = (PaymentMethod, Option<LoosePaymentMethod>);

/// Gives a customer a payment method.
pub fn attach(
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    customer: &CustomerId,
    insists: &Precondition,
    offered: Offered,
) -> Done<Found> {
    let before = live(tx, ctx.account, customer)?;
    insists.check(before.version)?;
    let instrument = Instrument::from(offered.0.clone());
    let after = before.with_instrument(instrument.clone())?;

    take(tx, ctx, &offered)?;
    let customer = Box::new(replace(tx, ctx, before, after)?);
    Ok(Found::Held { customer, instrument })
}

/// Takes an offered payment method from where it was kept.
pub(super) fn take(tx: &mut dyn Tx, ctx: &Ctx<'_>, (_, loose): &Offered) -> Kept<()> {
    match loose {
        Some(loose) => objects::remove(tx, ctx, &loose.clone().into()),
        None => Ok(()),
    }
}

/// Takes a payment method from its customer, for good. A default source is followed by the newest other one.
pub fn detach(tx: &mut dyn Tx, ctx: &Ctx<'_>, id: &InstrumentId, insists: &Precondition) -> Done<Found> {
    let (before, instrument) = held(tx, ctx, id)?;
    insists.check(before.version)?;
    let method = instrument.as_payment_method().ok_or_else(|| Problem::NoSuchPaymentMethod(id.clone()))?;
    let after = before.without_instrument(id);

    replace(tx, ctx, before, after)?;
    Ok(Found::Loose(Box::new(LoosePaymentMethod { method, spent: true })))
}

fn held(tx: &mut dyn Read, ctx: &Ctx<'_>, id: &InstrumentId) -> Done<(Customer, Instrument)> {
    match read(tx, ctx.account, id)? {
        Found::Held { customer, instrument } => Ok((*customer, instrument)),
        Found::Loose(_) => Err(Problem::NotAttached(id.clone()).into()),
    }
}

/// A payment method, wherever it is, if there is one of that id. It goes from being an object to being held and back once
/// each, so that of looks at several states none may find it: before it is said to be nowhere, one state is looked at.
pub fn find(read: &mut dyn Read, space: Space, id: &InstrumentId) -> Kept<Option<Found>> {
    if let Some(loose) = objects::loose_payment_method(read, space, id)? {
        return Ok(Some(Found::Loose(Box::new(loose))));
    }
    let held = holder(read, space, id)?.filter(|(_, instrument)| instrument.is_payment_method());
    Ok(held.map(|(customer, instrument)| Found::Held { customer: Box::new(customer), instrument }))
}
