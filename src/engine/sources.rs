//! A customer's sources, the older API of what it pays with: create, read, update, delete, list, verify.

use super::customers::{live, replace};
use super::source_objects::hand_over;
use super::{Ctx, Done, Precondition, tokens};
use crate::domain::account::Account;
use crate::domain::bank_account::{BankAccountChange, BankStatus, Guess};
use crate::domain::card::CardChange;
use crate::domain::customer::Customer;
use crate::domain::ids::{CustomerId, InstrumentId};
use crate::domain::instrument::{Instrument, SourceChoice, SourceKind};
use crate::domain::metadata::MetadataChange;
use crate::domain::problem::Problem;
use crate::domain::source::{self, LooseSource};
use crate::domain::token::Token;
use crate::store::{Read, Tx};

/// A source with the customer that has it.
#[derive(Clone, Debug)]
pub struct Owned {
    /// The customer, as it is now.
    pub customer: Customer,
    /// The source.
    pub source: Instrument,
}

/// A source that is brought for a customer: one that the processor has looked at.
#[derive(Clone, Debug)]
pub struct Brought {
    /// The source.
    pub instrument: Instrument,
    /// The token that is used up by it.
    pub token: Option<Token>,
    /// What it was until now, if it is a source that nobody held.
    pub loose: Option<LooseSource>,
}

impl Brought {
    /// Puts free data on it.
    pub fn describe(&mut self, metadata: MetadataChange) -> Result<(), Problem> {
        match &mut self.instrument {
            Instrument::Card(card) => metadata.onto(&mut card.metadata),
            Instrument::BankAccount(account) => metadata.onto(&mut account.metadata),
            Instrument::PaymentMethod(method) => metadata.onto(&mut method.metadata),
            Instrument::Source(source) => metadata.onto(&mut source.metadata),
        }
    }

    /// Uses up what it came by.
    pub(super) fn spend(&self, tx: &mut dyn Tx, ctx: &Ctx<'_>) -> Done<()> {
        if let Some(token) = &self.token {
            tokens::spend(tx, ctx, token)?;
        }
        if let Some(loose) = &self.loose {
            hand_over(tx, ctx, loose)?;
        }
        Ok(())
    }
}

/// A change of a source.
#[derive(Clone, Debug)]
pub enum SourceChange {
    /// Of a card.
    Card(CardChange),
    /// Of a bank account.
    BankAccount(BankAccountChange),
    /// Of one of the Sources API.
    Source(source::SourceChange),
}

/// Gives a customer one more source, which becomes the default one where there is none.
pub fn create(
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    customer: &CustomerId,
    insists: &Precondition,
    brought: &Brought,
) -> Done<Owned> {
    let before = live(tx, ctx.account, customer)?;
    insists.check(before.version)?;
    let source = brought.instrument.clone();
    let after = before.with_instrument(source.clone())?;

    brought.spend(tx, ctx)?;
    let customer = replace(tx, ctx, before, after)?;
    Ok(Owned { customer, source })
}

/// A customer's source, if it is one that fits.
pub fn read(read: &mut dyn Read, account: &Account, customer: &CustomerId, choice: &SourceChoice) -> Done<Owned> {
    let customer = live(read, account, customer)?;
    let source = customer.source(choice)?.clone();
    Ok(Owned { customer, source })
}

/// Changes what people wrote on a source.
pub fn update(
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    customer: &CustomerId,
    choice: &SourceChoice,
    insists: &Precondition,
    change: SourceChange,
) -> Done<Owned> {
    let Owned { customer: before, source } = read(tx, ctx.account, customer, choice)?;
    insists.check(before.version)?;
    let source: Instrument = match (source, change) {
        (Instrument::Card(card), SourceChange::Card(change)) => card.with(change, ctx.now)?.into(),
        (Instrument::BankAccount(account), SourceChange::BankAccount(change)) => account.with(change)?.into(),
        (Instrument::Source(source), SourceChange::Source(change)) => source.with(change)?.into(),
        (
            Instrument::Card(_) | Instrument::BankAccount(_) | Instrument::PaymentMethod(_) | Instrument::Source(_),
            _,
        ) => {
            return Err(Problem::NoSuchSource(choice.id.clone()).into());
        }
    };
    let after = before.with_changed(source.clone());

    let customer = replace(tx, ctx, before, after)?;
    Ok(Owned { customer, source })
}

/// Takes a source from its customer. The newest other one becomes the default in its place. One of the Sources API is given
/// back as it is from then on.
pub fn delete(
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    customer: &CustomerId,
    choice: &SourceChoice,
    insists: &Precondition,
) -> Done<Owned> {
    let Owned { customer: before, source } = read(tx, ctx.account, customer, choice)?;
    insists.check(before.version)?;
    let after = before.without_instrument(&choice.id);

    let customer = replace(tx, ctx, before, after)?;
    let source = match source {
        Instrument::Source(source) => source.consumed().into(),
        Instrument::Card(_) | Instrument::BankAccount(_) | Instrument::PaymentMethod(_) => source,
    };
    Ok(Owned { customer, source })
}

/// Judges what a bank account's owner says was paid in, by what the processor says of it; it is asked for only of an account
/// that can be proven. Wrong guesses are counted, so that the answer is the account as it is then, proven or not.
pub fn verify(
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    customer: &CustomerId,
    id: &InstrumentId,
    insists: &Precondition,
    guess: impl FnOnce() -> Done<Guess>,
) -> Done<Owned> {
    let choice = SourceChoice { id: id.clone(), kind: Some(SourceKind::BankAccount) };
    let Owned { customer: before, source } = read(tx, ctx.account, customer, &choice)?;
    insists.check(before.version)?;
    let account = match source {
        Instrument::BankAccount(account) => *account,
        Instrument::Card(_) | Instrument::PaymentMethod(_) | Instrument::Source(_) => {
            return Err(Problem::NoSuchSource(id.clone()).into());
        }
    };
    let account = match account.status {
        BankStatus::New | BankStatus::Validated => account.judged(guess()?),
        BankStatus::Verified => return Err(Problem::AlreadyVerified.into()),
        BankStatus::VerificationFailed | BankStatus::Errored => return Err(Problem::CannotBeVerified.into()),
    };
    let source = Instrument::from(account);
    let after = before.with_changed(source.clone());

    let customer = replace(tx, ctx, before, after)?;
    Ok(Owned { customer, source })
}
