//! Bank accounts: what is kept of them. Account numbers are not: they are the processor's.

use super::card::{Fingerprint, Reference};
use super::ids::InstrumentId;
use super::metadata::{Metadata, MetadataChange};
use super::money::Currency;
use super::patch::Patch;
use super::problem::Problem;
use super::time::Time;
use super::words::words;

words! {
    /// Who owns a bank account.
    pub enum HolderType {
        /// A person.
        Individual = "individual",
        /// A business.
        Company = "company",
    }
}

words! {
    /// What sort of bank account it is.
    pub enum AccountType {
        /// For payments.
        Checking = "checking",
        /// For savings.
        Savings = "savings",
    }
}

words! {
    /// How far a bank account of the older API is proven: docs.stripe.com/api/customer_bank_accounts/object.
    pub enum BankStatus {
        /// Nothing is proven.
        New = "new",
        /// The account exists.
        Validated = "validated",
        /// Its owner told what was paid in.
        Verified = "verified",
        /// Its owner did not, too often.
        VerificationFailed = "verification_failed",
        /// A payment from it failed.
        Errored = "errored",
    }
}

/// How often wrong amounts may be told: the last time ends it.
pub const MAX_FAILED_VERIFICATIONS: u32 = 10;

/// What an owner tells of what was paid into his account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Two amounts, in minor units, in either order.
    Amounts([i64; 2]),
    /// The code in the payment's text.
    Code(String),
}

/// What is right or wrong of what an owner tells of what was paid into his account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guess {
    /// It is what was paid in.
    Right,
    /// It is not.
    Wrong,
    /// It is not, and there is no further guess.
    Last,
}

/// What is known of a bank account itself, whichever API it is shown through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BankFacts {
    /// The bank's name.
    pub bank_name: Option<String>,
    /// The bank's country, two letters.
    pub country: String,
    /// What it is in.
    pub currency: Currency,
    /// The last four characters of its number.
    pub last4: String,
    /// What names the bank: no secret.
    pub routing_number: Option<String>,
    /// Tells equal accounts.
    pub fingerprint: Fingerprint,
    /// The processor's name of it.
    pub reference: Reference,
}

/// A bank account as the older API has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BankAccount {
    /// Its id, `ba_…`.
    pub id: InstrumentId,
    /// When it was made.
    pub created: Time,
    /// The account itself.
    pub facts: BankFacts,
    /// The owner's name.
    pub holder_name: Option<String>,
    /// Who owns it.
    pub holder_type: Option<HolderType>,
    /// What sort it is.
    pub account_type: Option<AccountType>,
    /// How far it is proven.
    pub status: BankStatus,
    /// How often its owner told wrong amounts.
    pub failed_verifications: u32,
    /// Free data.
    pub metadata: Metadata,
}

/// A change of what people wrote on a bank account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BankAccountChange {
    /// The owner's name.
    pub holder_name: Patch<String>,
    /// Who owns it.
    pub holder_type: Patch<HolderType>,
    /// Free data.
    pub metadata: MetadataChange,
}

impl BankAccount {
    /// The account with the change applied, or the rule that it breaks.
    pub fn with(&self, change: BankAccountChange) -> Result<BankAccount, Problem> {
        let BankAccountChange { holder_name, holder_type, metadata } = change;
        let mut next = self.clone();
        holder_name.onto(&mut next.holder_name);
        holder_type.onto(&mut next.holder_type);
        metadata.onto(&mut next.metadata)?;
        Ok(next)
    }

    /// The account after its owner told what was paid in.
    pub fn judged(mut self, guess: Guess) -> BankAccount {
        if guess == Guess::Right {
            self.status = BankStatus::Verified;
            return self;
        }
        self.failed_verifications += 1;
        if guess == Guess::Last || self.failed_verifications >= MAX_FAILED_VERIFICATIONS {
            self.status = BankStatus::VerificationFailed;
        }
        self
    }
}
