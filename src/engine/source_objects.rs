//! Sources of the Sources API: create, read, update, settle, and what giving one to a customer takes. A customer holds
//! those that are attached; the others are objects.

use super::customers::replace;
use super::holdings::holder;
use super::sources::Brought;
use super::{Ctx, Done, LETTERS_AND_DIGITS, Precondition, objects, random_word, tell};
use crate::domain::account::{Account, Mode, Space};
use crate::domain::card::Fingerprint;
use crate::domain::customer::Customer;
use crate::domain::event::Happening;
use crate::domain::facts::Facts;
use crate::domain::ids::{CustomerId, IdSource, InstrumentId};
use crate::domain::instrument::{Instrument, SourceKind};
use crate::domain::metadata::Metadata;
use crate::domain::payment_method::BillingDetails;
use crate::domain::problem::Problem;
use crate::domain::source::{
    Flow, LooseSource, NewDetails, NewSource, Outcome, Receiver, Redirect, RedirectStatus, Source, SourceChange,
    SourceDetails, SourceStatus, received_by,
};
use crate::store::{Kept, Read, Tx};

/// How long what follows `src_client_secret_` is.
const SECRET_LETTERS: usize = 24;
/// How many letters a fingerprint has.
const FINGERPRINT_LETTERS: usize = 16;

/// Where a source is.
#[derive(Clone, Debug)]
pub enum Found {
    /// A customer holds it.
    Held {
        /// The customer, as it is now.
        customer: Box<Customer>,
        /// The source.
        source: Box<Source>,
    },
    /// Nobody holds it.
    Loose(Box<LooseSource>),
}

impl Found {
    /// The source.
    pub fn source(&self) -> &Source {
        match self {
            Found::Held { source, .. } => source,
            Found::Loose(loose) => &loose.source,
        }
    }

    /// Who holds it, or did.
    pub fn customer(&self) -> Option<&CustomerId> {
        match self {
            Found::Held { customer, .. } => Some(&customer.id),
            Found::Loose(loose) => loose.former.as_ref(),
        }
    }
}

/// Makes a source that nobody holds yet; one that is a card is made of the card that is brought.
pub fn create(tx: &mut dyn Tx, ctx: &Ctx<'_>, new: NewSource, brought: Option<&Brought>) -> Done<Found> {
    let source = made(ctx, new, brought)?;

    if let Some(brought) = brought {
        brought.spend(tx, ctx)?;
    }
    put(tx, ctx, None, &source)?;
    if source.status == SourceStatus::Chargeable {
        tell_end(tx, ctx, Outcome::Chargeable, &source, None)?;
    }
    Ok(Found::Loose(Box::new(LooseSource { source, former: None })))
}

/// A source, wherever it is.
pub fn read(read: &mut dyn Read, account: &Account, id: &InstrumentId) -> Done<Found> {
    Ok(find(read, account.space, id)?.ok_or_else(|| Problem::NoSuchSource(id.clone()))?)
}

/// Changes a source, wherever it is. What is insisted on is about the customer who holds it.
pub fn update(
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    id: &InstrumentId,
    insists: &Precondition,
    change: SourceChange,
) -> Done<Found> {
    let before = read(tx, ctx.account, id)?;
    if let Found::Held { customer, .. } = &before {
        insists.check(customer.version)?;
    }
    let after = before.source().with(change)?;

    exchange(tx, ctx, before, after)
}

/// Ends the wait for a source, as its owner or time would. `received` is what arrived for it, in minor units.
pub fn settle(
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    id: &InstrumentId,
    outcome: Outcome,
    received: Option<i64>,
) -> Done<Found> {
    let before = read(tx, ctx.account, id)?;
    let after = before.source().settled(outcome, received)?;

    let found = exchange(tx, ctx, before, after)?;
    let holder = match &found {
        Found::Held { customer, .. } => Some(customer.id.clone()),
        Found::Loose(_) => None,
    };
    tell_end(tx, ctx, outcome, found.source(), holder)?;
    Ok(found)
}

/// A source that a customer may be given. Whoever gives it writes the customer with `Instrument::from(loose.source)` and
/// calls [`hand_over`] in the same transaction.
pub fn to_attach(read: &mut dyn Read, account: &Account, id: &InstrumentId) -> Done<LooseSource> {
    match self::read(read, account, id)? {
        Found::Held { .. } => Err(Problem::SourceAttachedAlready.into()),
        Found::Loose(loose) => {
            loose.attachable()?;
            Ok(*loose)
        }
    }
}

/// Ends the keeping of a source that its customer keeps from now on.
pub fn hand_over(tx: &mut dyn Tx, ctx: &Ctx<'_>, loose: &LooseSource) -> Kept<()> {
    objects::remove(tx, ctx, &Facts::from(loose.clone()))
}

/// Keeps a source whose customer no longer holds it, for those who look it up.
pub(super) fn keep_consumed(tx: &mut dyn Tx, ctx: &Ctx<'_>, source: &Source, former: &CustomerId) -> Kept<()> {
    let loose = LooseSource { source: source.consumed(), former: Some(former.clone()) };
    objects::put(tx, ctx, None, &loose.into())
}

fn made(ctx: &Ctx<'_>, new: NewSource, brought: Option<&Brought>) -> Result<Source, Problem> {
    let NewSource {
        kind,
        usage,
        amount,
        currency,
        owner: stated,
        statement_descriptor,
        redirect,
        refund_method,
        metadata: given,
    } = new;
    let mut owner = BillingDetails::default();
    let details = match kind {
        NewDetails::AchCreditTransfer => {
            let account_number = format!("test_{}", random_word(ctx.ids, HEXADECIMAL, ACCOUNT_DIGITS));
            // No two have one number, so that any word tells them.
            let fingerprint = Fingerprint(random_word(ctx.ids, LETTERS_AND_DIGITS, FINGERPRINT_LETTERS));
            SourceDetails::AchCreditTransfer { account_number, fingerprint }
        }
        NewDetails::Card => match brought.map(|brought| &brought.instrument) {
            Some(Instrument::Card(card)) => {
                owner = card.billing.clone();
                SourceDetails::Card(card.facts.clone())
            }
            Some(Instrument::BankAccount(_) | Instrument::PaymentMethod(_) | Instrument::Source(_)) | None => {
                return Err(Problem::OtherSource { wanted: SourceKind::Card });
            }
        },
        NewDetails::Multibanco => {
            SourceDetails::Multibanco { entity: digits(ctx.ids, 5), reference: digits(ctx.ids, 9) }
        }
        NewDetails::Known(details) => details,
    };
    stated.onto(&mut owner);
    let rules = details.kind().rules();
    let receives = rules.flow == Flow::Receiver;
    let mut metadata = Metadata::new();
    given.onto(&mut metadata)?;
    let received = match ctx.account.mode {
        Mode::Test if receives => owner.email.as_deref().and_then(received_by),
        Mode::Test | Mode::Live => None,
    };
    let source = Source {
        id: InstrumentId::mint("src", ctx.ids, ctx.now),
        created: ctx.now,
        details,
        status: if rules.waits { SourceStatus::Pending } else { SourceStatus::Chargeable },
        usage,
        amount,
        currency,
        client_secret: format!("src_client_secret_{}", random_word(ctx.ids, LETTERS_AND_DIGITS, SECRET_LETTERS)),
        owner,
        statement_descriptor,
        redirect: redirect.map(|(return_url, origin)| Redirect { return_url, origin, status: RedirectStatus::Pending }),
        receiver: receives.then_some(Receiver { refund_method, received: 0 }),
        allow_redisplay: None,
        metadata,
    };
    match received {
        Some(_) => source.settled(Outcome::Chargeable, received),
        None => Ok(source),
    }
}

const HEXADECIMAL: &[u8] = b"0123456789abcdef";
const ACCOUNT_DIGITS: usize = 12;

fn digits(ids: &dyn IdSource, length: usize) -> String {
    random_word(ids, b"0123456789", length)
}

/// Puts a changed source in the place of the old one, with its customer if one holds it.
fn exchange(tx: &mut dyn Tx, ctx: &Ctx<'_>, before: Found, after: Source) -> Done<Found> {
    match before {
        Found::Held { customer: holder, source: _ } => {
            let changed = holder.with_changed(Instrument::from(after.clone()));
            let customer = Box::new(replace(tx, ctx, *holder, changed)?);
            Ok(Found::Held { customer, source: Box::new(after) })
        }
        Found::Loose(loose) => {
            let LooseSource { source: before, former } = *loose;
            let was = Facts::from(LooseSource { source: before.clone(), former: former.clone() });
            let loose = LooseSource { source: after, former };
            if loose.source != before {
                objects::put(tx, ctx, Some(&was), &loose.clone().into())?;
            }
            Ok(Found::Loose(Box::new(loose)))
        }
    }
}

fn put(tx: &mut dyn Tx, ctx: &Ctx<'_>, before: Option<&Facts>, source: &Source) -> Kept<()> {
    objects::put(tx, ctx, before, &LooseSource { source: source.clone(), former: None }.into())
}

fn tell_end(
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    outcome: Outcome,
    source: &Source,
    customer: Option<CustomerId>,
) -> Kept<()> {
    tell(tx, ctx, Happening::SourceSettled { outcome, source: Box::new(source.clone()), customer })
}

/// A source, if there is one of that id: as [`find`](super::payment_methods::find) finds payment methods.
pub fn find(read: &mut dyn Read, space: Space, id: &InstrumentId) -> Kept<Option<Found>> {
    if let Some(loose) = objects::loose_source(read, space, id)? {
        return Ok(Some(Found::Loose(Box::new(loose))));
    }
    let Some((customer, instrument)) = holder(read, space, id)? else { return Ok(None) };
    let source = instrument.as_source().cloned();
    Ok(source.map(|source| Found::Held { customer: Box::new(customer), source: Box::new(source) }))
}
