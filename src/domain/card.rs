//! Cards: what is kept of them. Numbers and security codes are not: they are the processor's.

use super::address::Address;
use super::decline::Decline;
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
    /// When it expires.
    pub expiry: ExpiryChange,
    /// The holder's name.
    pub name: Patch<String>,
    /// The billing address, part by part.
    pub address: AddressChange,
    /// Free data.
    pub metadata: MetadataChange,
}

/// The most years before a card expires.
const MAX_YEARS_AHEAD: i64 = 50;

/// When a card expires: at the end of a month that is not over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// The month, 1 to 12.
    pub month: u8,
    /// The year, four digits.
    pub year: u16,
}

/// What is wrong with when a card is said to expire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiryFault {
    /// There is no such month, or it is over.
    Month,
    /// The year is over, or too far away.
    Year,
}

impl Expiry {
    /// The expiry that is stated by a month and by a year of two or four digits: docs.stripe.com/api/tokens/create_card.
    pub fn judged(month: i64, year: i64, now: Time) -> Result<Expiry, ExpiryFault> {
        let (this_year, this_month) = now.month();
        let stated = u8::try_from(month).ok().filter(|month| (1..=12).contains(month)).ok_or(ExpiryFault::Month)?;
        let year = if (0..100).contains(&year) { this_year / 100 * 100 + year } else { year };
        if !(this_year..=this_year + MAX_YEARS_AHEAD).contains(&year) {
            return Err(ExpiryFault::Year);
        }
        if year == this_year && month < this_month {
            return Err(ExpiryFault::Month);
        }
        Ok(Expiry { month: stated, year: u16::try_from(year).map_err(|_| ExpiryFault::Year)? })
    }
}

impl From<ExpiryFault> for Decline {
    fn from(fault: ExpiryFault) -> Decline {
        match fault {
            ExpiryFault::Month => Decline::InvalidMonth,
            ExpiryFault::Year => Decline::InvalidYear,
        }
    }
}

/// A change of when a card expires, as it was stated: what is no number is no month and no year that there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExpiryChange {
    /// The month, 1 to 12.
    pub month: Option<i64>,
    /// The year, two or four digits.
    pub year: Option<i64>,
}

impl ExpiryChange {
    /// Whether nothing is to change.
    pub fn is_empty(&self) -> bool {
        *self == ExpiryChange::default()
    }

    /// Applies the wish to a card, if it can expire then.
    pub fn onto(self, facts: &mut CardFacts, now: Time) -> Result<(), Problem> {
        let ExpiryChange { month, year } = self;
        if month.is_none() && year.is_none() {
            return Ok(());
        }
        let stated = (month.unwrap_or(facts.exp_month.into()), year.unwrap_or(facts.exp_year.into()));
        let expiry = Expiry::judged(stated.0, stated.1, now).map_err(|fault| match (fault, month, year) {
            // What was not stated is not to blame.
            (ExpiryFault::Month, None, Some(_)) => ExpiryFault::Year,
            (ExpiryFault::Year, Some(_), None) => ExpiryFault::Month,
            (fault, _, _) => fault,
        });
        let Expiry { month, year } = expiry.map_err(Problem::ExpiryOver)?;
        (facts.exp_month, facts.exp_year) = (month, year);
        Ok(())
    }
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
    pub fn with(&self, change: CardChange, now: Time) -> Result<Card, Problem> {
        let CardChange { expiry, name, address, metadata } = change;
        let mut next = self.clone();
        expiry.onto(&mut next.facts, now)?;
        name.onto(&mut next.billing.name);
        address.onto(&mut next.billing.address);
        metadata.onto(&mut next.metadata)?;
        Ok(next)
    }
}
