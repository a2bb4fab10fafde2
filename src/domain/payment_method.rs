//! Payment methods: docs.stripe.com/api/payment_methods/object.

use super::address::Address;
use super::bank_account::{AccountType, BankFacts, HolderType};
use super::card::CardFacts;
use super::ids::InstrumentId;
use super::metadata::Metadata;
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
