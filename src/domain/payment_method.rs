//! Payment methods: docs.stripe.com/api/payment_methods/object.

use super::address::Address;
use super::bank_account::{AccountType, BankFacts, HolderType};
use super::card::{Card, CardFacts, ExpiryChange};
use super::ids::InstrumentId;
use super::instrument::Instrument;
use super::metadata::{Metadata, MetadataChange};
use super::patch::Patch;
use super::problem::Problem;
use super::source::{Source, SourceDetails};
use super::time::Time;
use super::words::words;

words! {
    /// Whether a saved payment method may be offered to its owner again.
    pub enum AllowRedisplay {
        /// It may.
        Always = "always",
        /// Only where its owner agreed to.
        Limited = "limited",
        /// Nobody said.
        Unspecified = "unspecified",
    }
}

/// A payment method. One that is attached is held by its customer; others are kept by themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentMethod {
    /// Its id, `pm_…`.
    pub id: InstrumentId,
    /// When it was made.
    pub created: Time,
    /// What it is.
    pub kind: PaymentMethodKind,
    /// Who pays with it.
    pub billing: BillingDetails,
    /// Whether it may be offered again; `None` when nobody said.
    pub allow_redisplay: Option<AllowRedisplay>,
    /// Free data.
    pub metadata: Metadata,
}

/// What a payment method is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentMethodKind {
    /// A card.
    Card(CardFacts),
    /// A bank account in the United States.
    UsBankAccount {
        /// The account itself.
        facts: BankFacts,
        /// Who owns it.
        holder_type: Option<HolderType>,
        /// What sort it is.
        account_type: AccountType,
    },
}

/// Who pays with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BillingDetails {
    /// Billing address; without any part when none was given.
    pub address: Address,
    /// E-mail address.
    pub email: Option<String>,
    /// Full name.
    pub name: Option<String>,
    /// Phone number.
    pub phone: Option<String>,
}

/// A payment method that no customer holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoosePaymentMethod {
    /// The payment method.
    pub method: PaymentMethod,
    /// It was used before, so that no customer can hold it any more.
    pub spent: bool,
}

/// A change of a payment method.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaymentMethodChange {
    /// Who pays with it, part by part; the address is replaced whole.
    pub billing: BillingChange,
    /// Whether it may be offered again.
    pub allow_redisplay: Option<AllowRedisplay>,
    /// Of a card: when it expires.
    pub expiry: ExpiryChange,
    /// Of a bank account: who owns it.
    pub holder_type: Option<HolderType>,
    /// Of a bank account: what sort it is.
    pub account_type: Option<AccountType>,
    /// Free data.
    pub metadata: MetadataChange,
}

/// A change of who pays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BillingChange {
    /// Billing address, replaced whole.
    pub address: Patch<Address>,
    /// E-mail address.
    pub email: Patch<String>,
    /// Full name.
    pub name: Patch<String>,
    /// Phone number.
    pub phone: Patch<String>,
}

impl BillingChange {
    /// Applies the wish.
    pub fn onto(self, billing: &mut BillingDetails) {
        let BillingChange { address, email, name, phone } = self;
        match address {
            Patch::Keep => {}
            Patch::Clear => billing.address = Address::default(),
            Patch::Set(address) => billing.address = address,
        }
        email.onto(&mut billing.email);
        name.onto(&mut billing.name);
        phone.onto(&mut billing.phone);
    }
}

impl PaymentMethodKind {
    /// The kind's word in the API.
    pub fn as_str(&self) -> &'static str {
        match self {
            PaymentMethodKind::Card(_) => "card",
            PaymentMethodKind::UsBankAccount { .. } => "us_bank_account",
        }
    }
}

impl PaymentMethod {
    /// The payment method with the change applied, or the rule that it breaks.
    pub fn with(&self, change: PaymentMethodChange, now: Time) -> Result<PaymentMethod, Problem> {
        let PaymentMethodChange { billing, allow_redisplay, expiry, holder_type, account_type, metadata } = change;
        let mut next = self.clone();
        match &mut next.kind {
            PaymentMethodKind::Card(_) if holder_type.is_some() || account_type.is_some() => {
                return Err(Problem::OtherPaymentMethodType { is: "card", given: "us_bank_account" });
            }
            PaymentMethodKind::Card(facts) => expiry.onto(facts, now)?,
            PaymentMethodKind::UsBankAccount { .. } if !expiry.is_empty() => {
                return Err(Problem::OtherPaymentMethodType { is: "us_bank_account", given: "card" });
            }
            PaymentMethodKind::UsBankAccount { facts: _, holder_type: owner, account_type: sort } => {
                *owner = holder_type.or(*owner);
                *sort = account_type.unwrap_or(*sort);
            }
        }
        billing.onto(&mut next.billing);
        next.allow_redisplay = allow_redisplay.or(next.allow_redisplay);
        metadata.onto(&mut next.metadata)?;
        Ok(next)
    }
}

impl From<Card> for PaymentMethod {
    /// The card as the payment method that it is too, under its own id.
    fn from(card: Card) -> PaymentMethod {
        let Card { id, created, facts, billing, allow_redisplay, metadata } = card;
        PaymentMethod { id, created, kind: PaymentMethodKind::Card(facts), billing, allow_redisplay, metadata }
    }
}

impl Source {
    /// The payment method that it is too, under its own id; `None` when it is none. Of those that a customer can hold, the
    /// newer API knows cards.
    fn as_payment_method(&self) -> Option<PaymentMethod> {
        let Source { id, created, details, owner, allow_redisplay, metadata, .. } = self;
        let SourceDetails::Card(facts) = details else { return None };
        let (kind, billing) = (PaymentMethodKind::Card(facts.clone()), owner.clone());
        let (id, metadata) = (id.clone(), metadata.clone());
        Some(PaymentMethod { id, created: *created, kind, billing, allow_redisplay: *allow_redisplay, metadata })
    }
}

impl Instrument {
    /// The payment method that it is; `None` when it is none.
    pub fn as_payment_method(&self) -> Option<PaymentMethod> {
        match self {
            Instrument::PaymentMethod(method) => Some(PaymentMethod::clone(method)),
            Instrument::Card(card) => Some(Card::clone(card).into()),
            Instrument::Source(source) => source.as_payment_method(),
            Instrument::BankAccount(_) => None,
        }
    }

    /// The same instrument as the payment method that it is became, or itself when it is none.
    pub fn changed_to(&self, method: PaymentMethod) -> Instrument {
        let PaymentMethod { id, created, kind, billing, allow_redisplay, metadata } = method;
        match (self, kind) {
            (Instrument::Card(_), PaymentMethodKind::Card(facts)) => {
                Card { id, created, facts, billing, allow_redisplay, metadata }.into()
            }
            (Instrument::PaymentMethod(_), kind) => {
                PaymentMethod { id, created, kind, billing, allow_redisplay, metadata }.into()
            }
            (Instrument::Source(source), PaymentMethodKind::Card(facts)) => {
                let source = Source::clone(source);
                Source { details: SourceDetails::Card(facts), owner: billing, allow_redisplay, metadata, ..source }
                    .into()
            }
            (Instrument::Card(_) | Instrument::BankAccount(_) | Instrument::Source(_), _) => self.clone(),
        }
    }
}
