//! Instruments: what a customer pays with. Three APIs made them and name them by the beginnings of their ids; each shows
//! those of the others as far as it can.

use super::bank_account::BankAccount;
use super::card::Card;
use super::customer::Customer;
use super::ids::InstrumentId;
use super::payment_method::PaymentMethod;
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
}

impl Instrument {
    /// Its id.
    pub fn id(&self) -> &InstrumentId {
        match self {
            Instrument::Card(card) => &card.id,
            Instrument::BankAccount(account) => &account.id,
            Instrument::PaymentMethod(method) => &method.id,
        }
    }

    /// When it was made.
    pub fn created(&self) -> Time {
        match self {
            Instrument::Card(card) => card.created,
            Instrument::BankAccount(account) => account.created,
            Instrument::PaymentMethod(method) => method.created,
        }
    }

    /// Whether the older API shows it: as one of the customer's sources, which may be the default one.
    pub fn is_source(&self) -> bool {
        match self {
            Instrument::Card(_) | Instrument::BankAccount(_) => true,
            Instrument::PaymentMethod(_) => false,
        }
    }

    /// Whether the newer API shows it: as a payment method.
    pub fn is_payment_method(&self) -> bool {
        match self {
            Instrument::Card(_) | Instrument::PaymentMethod(_) => true,
            Instrument::BankAccount(_) => false,
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

impl From<PaymentMethod> for Instrument {
    fn from(method: PaymentMethod) -> Instrument {
        Instrument::PaymentMethod(Box::new(method))
    }
}
