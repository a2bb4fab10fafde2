//! Tax ids: the numbers under which tax offices know a customer. They are held by the customer; no office is asked
//! about them, so that only test mode knows some that are confirmed.

use super::account::Mode;
use super::customer::Customer;
use super::ids::TaxIdId;
use super::tax_id_kind::TaxIdKind;
use super::time::Time;
use super::words::words;

/// The most tax ids that a customer may have: docs.stripe.com/billing/customer/tax-ids.
pub const MAX_TAX_IDS: usize = 5;

words! {
    /// What is known of whether the number is the customer's.
    pub enum Verification {
        /// It is being looked into.
        Pending = "pending",
        /// It is.
        Verified = "verified",
        /// The tax office does not know it.
        Unverified = "unverified",
        /// Nobody can be asked.
        Unavailable = "unavailable",
    }
}

/// A tax id of a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaxId {
    /// Its id, `txi_…`.
    pub id: TaxIdId,
    /// When it was added.
    pub created: Time,
    /// What sort of number it is.
    pub kind: TaxIdKind,
    /// The number as it was given.
    pub value: String,
    /// What is known of it.
    pub verification: Verification,
}

/// A tax id that is wished for; its number has one of the forms of its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTaxId {
    /// What sort of number it is.
    pub kind: TaxIdKind,
    /// The number as it was given.
    pub value: String,
    /// What will be found out about it.
    pub outcome: Verification,
}

impl NewTaxId {
    /// The tax id, if that can be a number of its kind.
    pub fn parse(kind: TaxIdKind, value: &str, mode: Mode) -> Option<NewTaxId> {
        let trial = if mode == Mode::Test { trial(kind, value) } else { None };
        let outcome = match trial {
            Some(outcome) => outcome,
            None if kind.fits(value) => Verification::Unavailable,
            None => return None,
        };
        Some(NewTaxId { kind, value: value.to_owned(), outcome })
    }
}

/// What test mode finds out about a number that is made for it, with or without its country:
/// docs.stripe.com/billing/testing#customer-tax-id-verification. Only the kinds that Stripe has looked up have them.
fn trial(kind: TaxIdKind, value: &str) -> Option<Verification> {
    if !kind.is_looked_up() {
        return None;
    }
    let letters = value.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (country, number) = value.split_at(letters);
    if !country.is_empty() && !kind.begins_with(country) {
        return None;
    }
    match number {
        "000000000" => Some(Verification::Verified),
        "111111111" => Some(Verification::Unverified),
        "222222222" => Some(Verification::Pending),
        _ => None,
    }
}

impl TaxId {
    /// The tax id as it is before anything was found out about it.
    pub fn new(id: TaxIdId, created: Time, wish: NewTaxId) -> TaxId {
        let NewTaxId { kind, value, outcome } = wish;
        let verification = match outcome {
            Verification::Pending | Verification::Verified | Verification::Unverified => Verification::Pending,
            Verification::Unavailable => Verification::Unavailable,
        };
        TaxId { id, created, kind, value, verification }
    }

    /// The country whose number it is, as two capital letters, if kind or value tell.
    pub fn country(&self) -> Option<&'static str> {
        self.kind.country(&self.value)
    }
}

impl Customer {
    /// The tax id of that id.
    pub fn tax_id(&self, id: &TaxIdId) -> Option<&TaxId> {
        self.tax_ids.iter().find(|tax_id| tax_id.id == *id)
    }

    /// The customer's tax ids, newest first.
    pub fn tax_ids_newest_first(&self) -> impl Iterator<Item = &TaxId> {
        self.tax_ids.iter().rev()
    }
}

#[cfg(test)]
mod tests {
    use super::{NewTaxId, Verification};
    use crate::domain::account::Mode;
    use crate::domain::tax_id_kind::TaxIdKind;

    fn outcome(kind: &str, value: &str, mode: Mode) -> Option<Verification> {
        NewTaxId::parse(TaxIdKind::named(kind).unwrap(), value, mode).map(|wish| wish.outcome)
    }

    #[test]
    fn test_mode_knows_numbers_that_are_confirmed_and_others_that_are_not() {
        for (kind, country) in [("eu_vat", ""), ("eu_vat", "DE"), ("eu_vat", "ie"), ("gb_vat", "GB"), ("au_abn", "")] {
            for (number, expected) in [
                ("000000000", Verification::Verified),
                ("111111111", Verification::Unverified),
                ("222222222", Verification::Pending),
            ] {
                let value = format!("{country}{number}");
                assert_eq!(outcome(kind, &value, Mode::Test), Some(expected), "{kind} {value}");
            }
        }
    }

    #[test]
    fn nobody_is_asked_about_any_other_number() {
        let unavailable = Some(Verification::Unavailable);
        assert_eq!(outcome("eu_vat", "DE123456789", Mode::Test), unavailable);
        assert_eq!(outcome("us_ein", "00-0000000", Mode::Test), unavailable);
        assert_eq!(outcome("us_ein", "000000000", Mode::Test), unavailable);
        assert_eq!(outcome("eu_vat", "DE000000000", Mode::Live), unavailable);
    }

    #[test]
    fn live_mode_has_no_numbers_for_tests() {
        assert_eq!(outcome("eu_vat", "000000000", Mode::Live), None);
        assert_eq!(outcome("au_abn", "000000000", Mode::Live), None);
    }

    #[test]
    fn a_number_for_tests_has_a_country_of_its_kind() {
        assert_eq!(outcome("eu_vat", "US000000000", Mode::Test), None);
        assert_eq!(outcome("eu_vat", "000000000DE", Mode::Test), None);
        assert_eq!(outcome("gb_vat", "DE000000000", Mode::Test), None);
        assert_eq!(outcome("au_abn", "0000000000", Mode::Test), None);
    }
}
