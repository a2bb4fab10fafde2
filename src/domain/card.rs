//! Cards: what is kept of them. Numbers and security codes are not: they are the processor's.

use super::address::Address;
use super::ids::InstrumentId;
use super::metadata::{Metadata, MetadataChange};
use super::patch::Patch;
use super::payment_method::{AllowRedisplay, BillingDetails};
use super::problem::Problem;
use super::time::Time;
use super::words::words;

words! {
    /// The scheme of a card, by the word that payment methods show.
    pub enum Brand {
        /// American Express.
        Amex = "amex",
        /// Diners Club.
        Diners = "diners",
        /// Discover.
        Discover = "discover",
        /// JCB.
        Jcb = "jcb",
        /// Mastercard.
        Mastercard = "mastercard",
        /// UnionPay.
        UnionPay = "unionpay",
        /// Visa.
        Visa = "visa",
        /// None that is known.
        Unknown = "unknown",
    }
}

words! {
    /// Whose money a card spends.
    pub enum Funding {
        /// Borrowed.
        Credit = "credit",
        /// The holder's, at a bank.
        Debit = "debit",
        /// Paid in before.
        Prepaid = "prepaid",
        /// Not known.
        Unknown = "unknown",
    }
}

words! {
    /// What an issuer says of something that the holder stated.
    pub enum Check {
        /// It is right.
        Pass = "pass",
        /// It is wrong.
        Fail = "fail",
        /// The issuer does not say.
        Unavailable = "unavailable",
        /// The issuer was not asked yet.
        Unchecked = "unchecked",
    }
}

/// What the issuer said of what was stated with a card; `None` where nothing was stated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checks {
    /// Of the security code.
    pub cvc: Option<Check>,
    /// Of the first line of the address.
    pub line1: Option<Check>,
    /// Of the postal code.
    pub postal_code: Option<Check>,
}

/// What is the same for equal numbers within an account, and tells nothing of the number to whoever lacks the account's
/// own key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub String);

/// What the processor calls an instrument that it keeps the number of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference(pub String);

/// What is known of a card itself, whichever API it is shown through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardFacts {
    /// Its scheme.
    pub brand: Brand,
    /// The last four digits of its number.
    pub last4: String,
    /// The month in which it expires, 1 to 12.
    pub exp_month: u8,
    /// The year in which it expires, four digits.
    pub exp_year: u16,
    /// The issuer's country, two letters.
    pub country: Option<String>,
    /// Whose money it spends.
    pub funding: Funding,
    /// Tells equal numbers.
    pub fingerprint: Fingerprint,
    /// What the issuer said.
    pub checks: Checks,
    /// The processor's name of it.
    pub reference: Reference,
}

/// A card as the older API has it: docs.stripe.com/api/cards/object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// Its id, `card_…`.
    pub id: InstrumentId,
    /// When it was made.
    pub created: Time,
    /// The card itself.
    pub facts: CardFacts,
    /// Who pays with it. This API shows the name and the address.
    pub billing: BillingDetails,
    /// Whether it may be offered again, as the newer API shows it; `None` when nobody said.
    pub allow_redisplay: Option<AllowRedisplay>,
    /// Free data.
    pub metadata: Metadata,
}

/// A change of what people wrote on a card; the number never changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CardChange {
    /// The month in which it expires.
    pub exp_month: Option<u8>,
    /// The year in which it expires.
    pub exp_year: Option<u16>,
    /// The holder's name.
    pub name: Patch<String>,
    /// The billing address, part by part.
    pub address: AddressChange,
    /// Free data.
    pub metadata: MetadataChange,
}

/// A change of an address by its parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressChange {
    /// Street and number.
    pub street: Patch<String>,
    /// Apartment, suite, building.
    pub second_line: Patch<String>,
    /// City or town.
    pub city: Patch<String>,
    /// State, county, province.
    pub region: Patch<String>,
    /// ZIP or postal code.
    pub postal_code: Patch<String>,
    /// Country.
    pub country: Patch<String>,
}

impl AddressChange {
    /// Applies the wish to an address.
    pub fn onto(self, address: &mut Address) {
        let AddressChange { street, second_line, city, region, postal_code, country } = self;
        street.onto(&mut address.street);
        second_line.onto(&mut address.second_line);
        city.onto(&mut address.city);
        region.onto(&mut address.region);
        postal_code.onto(&mut address.postal_code);
        country.onto(&mut address.country);
    }
}

impl Card {
    /// The card with the change applied, or the rule that it breaks.
    pub fn with(&self, change: CardChange) -> Result<Card, Problem> {
        let CardChange { exp_month, exp_year, name, address, metadata } = change;
        let mut next = self.clone();
        next.facts.exp_month = exp_month.unwrap_or(next.facts.exp_month);
        next.facts.exp_year = exp_year.unwrap_or(next.facts.exp_year);
        name.onto(&mut next.billing.name);
        address.onto(&mut next.billing.address);
        metadata.onto(&mut next.metadata)?;
        Ok(next)
    }
}
