//! Instruments: what a customer pays with. Three APIs made them and name them by the beginnings of their ids; each shows
//! those of the others as far as it can.

use super::bank_account::BankAccount;
use super::card::Card;
use super::customer::Customer;
use super::ids::InstrumentId;
use super::payment_method::{BillingDetails, PaymentMethod};
use super::problem::Problem;
use super::source::{Source, SourceDetails};
use super::time::Time;

/// The most instruments that a customer may hold: they are part of its record, and of the history of each change.
pub const MAX_INSTRUMENTS: usize = 100;

/// What a customer pays with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instrument {
    /// A card of the older API, which is a payment method too.
    Card(Box<Card>),
    /// A bank account of the older API.
    BankAccount(Box<BankAccount>),
    /// A payment method.
    PaymentMethod(Box<PaymentMethod>),
    /// A source of the Sources API.
    Source(Box<Source>),
}

/// What sort of source it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// A card.
    Card,
    /// A bank account.
    BankAccount,
    /// One of the Sources API.
    Source,
}

/// A source that is meant, and what sort it has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceChoice {
    /// Its id.
    pub id: InstrumentId,
    /// Its sort; any when `None`.
    pub kind: Option<SourceKind>,
}

impl Instrument {
    /// Its id.
    pub fn id(&self) -> &InstrumentId {
        match self {
            Instrument::Card(card) => &card.id,
            Instrument::BankAccount(account) => &account.id,
            Instrument::PaymentMethod(method) => &method.id,
            Instrument::Source(source) => &source.id,
        }
    }

    /// When it was made.
    pub fn created(&self) -> Time {
        match self {
            Instrument::Card(card) => card.created,
            Instrument::BankAccount(account) => account.created,
            Instrument::PaymentMethod(method) => method.created,
            Instrument::Source(source) => source.created,
        }
    }

    /// What the older API shows it as; `None` when it does not show it.
    pub fn source_kind(&self) -> Option<SourceKind> {
        match self {
            Instrument::Card(_) => Some(SourceKind::Card),
            Instrument::BankAccount(_) => Some(SourceKind::BankAccount),
            Instrument::Source(_) => Some(SourceKind::Source),
            Instrument::PaymentMethod(_) => None,
        }
    }

    /// The source of the Sources API that it is; `None` when it is none.
    pub fn as_source(&self) -> Option<&Source> {
        match self {
            Instrument::Source(source) => Some(source),
            Instrument::Card(_) | Instrument::BankAccount(_) | Instrument::PaymentMethod(_) => None,
        }
    }

    /// Whether the older API shows it: as one of the customer's sources, which may be the default one.
    pub fn is_source(&self) -> bool {
        self.source_kind().is_some()
    }

    /// Whether the newer API shows it: as a payment method.
    pub fn is_payment_method(&self) -> bool {
        match self {
            Instrument::Card(_) | Instrument::PaymentMethod(_) => true,
            Instrument::Source(source) => matches!(source.details, SourceDetails::Card(_)),
            Instrument::BankAccount(_) => false,
        }
    }
}

impl Instrument {
    /// The instrument without what the older API does not show of it.
    pub fn as_shown_source(&self) -> Instrument {
        match self {
            Instrument::Card(card) => {
                let mut card = Card::clone(card);
                card.billing = BillingDetails { email: None, phone: None, ..card.billing };
                card.allow_redisplay = None;
                card.into()
            }
            Instrument::BankAccount(account) => {
                BankAccount { failed_verifications: 0, ..BankAccount::clone(account) }.into()
            }
            Instrument::PaymentMethod(_) | Instrument::Source(_) => self.clone(),
        }
    }
}

impl Customer {
    /// The instrument of that id.
    pub fn instrument(&self, id: &str) -> Option<&Instrument> {
        self.instruments.iter().find(|instrument| instrument.id().as_str() == id)
    }

    /// The customer's sources, newest first.
    pub fn sources(&self) -> impl Iterator<Item = &Instrument> {
        self.instruments.iter().rev().filter(|instrument| instrument.is_source())
    }

    /// The customer's payment methods, newest first.
    pub fn payment_methods(&self) -> impl Iterator<Item = &Instrument> {
        self.instruments.iter().rev().filter(|instrument| instrument.is_payment_method())
    }

    /// The customer with one more instrument. A source becomes the default one where there is none.
    pub fn with_instrument(&self, instrument: Instrument) -> Result<Customer, Problem> {
        let mut next = self.clone();
        next.hold(instrument)?;
        Ok(next)
    }

    /// The customer with a new default source, and without the one that was it before.
    pub fn with_new_source(&self, source: Instrument) -> Result<Customer, Problem> {
        let mut next = self.clone();
        if let Some(id) = next.default_source.take() {
            next.let_go(&id);
        }
        let id = source.id().clone();
        next.hold(source)?;
        next.default_source = Some(id);
        Ok(next)
    }

    /// The customer with an instrument in place of the one that has its id.
    pub fn with_changed(&self, instrument: Instrument) -> Customer {
        let mut next = self.clone();
        if let Some(place) = next.instruments.iter_mut().find(|known| known.id() == instrument.id()) {
            *place = instrument;
        }
        next
    }

    /// The customer without an instrument. Its newest other source follows a default one; no payment method follows the
    /// one that invoices were charged to.
    pub fn without_instrument(&self, id: &InstrumentId) -> Customer {
        let mut next = self.clone();
        next.let_go(id);
        if next.default_source.as_ref() == Some(id) {
            let newest = next.sources().next().map(|source| source.id().clone());
            next.default_source = newest;
        }
        next
    }

    /// The source that a caller means.
    pub fn source(&self, choice: &SourceChoice) -> Result<&Instrument, Problem> {
        let SourceChoice { id, kind } = choice;
        let fits = |source: &&Instrument| source.is_source() && (kind.is_none() || *kind == source.source_kind());
        self.instrument(id.as_str()).filter(fits).ok_or_else(|| Problem::NoSuchSource(id.clone()))
    }

    /// The payment method of that id as the one that invoices are charged to.
    pub(super) fn choose_payment_method(&mut self, id: InstrumentId) -> Result<(), Problem> {
        match self.instrument(id.as_str()) {
            Some(instrument) if instrument.is_payment_method() => {
                self.invoice_settings.default_payment_method = Some(id);
                Ok(())
            }
            Some(_) | None => Err(Problem::PaymentMethodNotAttached(id)),
        }
    }

    /// Whether the other state of the customer differs, its version apart, at most in what it holds: what is told of by
    /// itself is no change of the customer (docs.stripe.com/api/events/types).
    pub fn differs_only_in_holdings(&self, other: &Customer) -> bool {
        let like_other = Customer {
            version: other.version,
            updated: other.updated,
            instruments: other.instruments.clone(),
            tax_ids: other.tax_ids.clone(),
            cash: other.cash.clone(),
            ..self.clone()
        };
        like_other == *other
    }

    fn hold(&mut self, instrument: Instrument) -> Result<(), Problem> {
        if self.instruments.len() >= MAX_INSTRUMENTS {
            return Err(Problem::TooManyInstruments);
        }
        if let Instrument::BankAccount(new) = &instrument {
            let same = |known: &Instrument| match known {
                Instrument::BankAccount(known) => known.facts.fingerprint == new.facts.fingerprint,
                Instrument::Card(_) | Instrument::PaymentMethod(_) | Instrument::Source(_) => false,
            };
            if self.instruments.iter().any(same) {
                return Err(Problem::BankAccountExists);
            }
        }
        if instrument.is_source() {
            self.default_source.get_or_insert_with(|| instrument.id().clone());
        }
        self.instruments.push(instrument);
        Ok(())
    }

    fn let_go(&mut self, id: &InstrumentId) {
        self.instruments.retain(|instrument| instrument.id() != id);
        let default = &mut self.invoice_settings.default_payment_method;
        if default.as_ref() == Some(id) {
            *default = None;
        }
    }

    /// The ids of all that it holds, by which it is found.
    pub(super) fn holding_ids(&self) -> impl Iterator<Item = &str> {
        let instruments = self.instruments.iter().map(|instrument| instrument.id().as_str());
        instruments.chain(self.tax_ids.iter().map(|tax_id| tax_id.id.as_str()))
    }
}

impl From<Card> for Instrument {
    fn from(card: Card) -> Instrument {
        Instrument::Card(Box::new(card))
    }
}

impl From<BankAccount> for Instrument {
    fn from(account: BankAccount) -> Instrument {
        Instrument::BankAccount(Box::new(account))
    }
}

impl From<Source> for Instrument {
    fn from(source: Source) -> Instrument {
        Instrument::Source(Box::new(source))
    }
}

impl From<PaymentMethod> for Instrument {
    fn from(method: PaymentMethod) -> Instrument {
        Instrument::PaymentMethod(Box::new(method))
    }
}
