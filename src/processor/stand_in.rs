//! Instruments that are known by their looks alone, as files of customers show them: a documented test card or test account
//! stands in for each, so that it can be used like one whose number was told.

use super::fingerprint::fingerprint;
use super::table;
use crate::domain::account::FingerprintKey;
use crate::domain::card::{Brand, Fingerprint, Reference};

/// The card that stands in for one of that scheme with these last four digits: the documented one that looks like it, else
/// the usual one of its scheme.
pub fn card(brand: Brand, last4: &str) -> Reference {
    let alike = table::card_like(|card| card.brand == brand && card.number.ends_with(last4));
    let of_scheme = || table::card_like(|card| card.brand == brand && brand != Brand::Unknown);
    let card = alike.or_else(of_scheme).unwrap_or_else(table::usual_card);
    Reference(card.name.to_owned())
}

/// The bank account that stands in for one with these last four digits: the documented one that looks like it, else the
/// one with which all goes well.
pub fn bank_account(last4: &str) -> Reference {
    Reference(table::bank_account_like(last4).name.to_owned())
}

/// What tells instruments apart that are shown without a fingerprint: their looks.
pub fn looks(parts: &[&str]) -> Fingerprint {
    // What is seen by everybody needs no key.
    fingerprint(&FingerprintKey::new([0; 32]), parts)
}

#[cfg(test)]
mod tests {
    use super::{bank_account, card};
    use crate::domain::card::Brand;

    #[test]
    fn what_looks_like_a_documented_card_is_that_card() {
        for (brand, last4, reference) in [
            (Brand::Visa, "4242", "visa"),
            (Brand::Visa, "1234", "visa"),
            (Brand::Mastercard, "8210", "mastercard_debit"),
            (Brand::Amex, "4242", "amex"),
            (Brand::Unknown, "9999", "visa"),
        ] {
            assert_eq!(card(brand, last4).0, reference, "{brand:?} {last4}");
        }
        assert_eq!((bank_account("6789").0, bank_account("1116").0), ("success".into(), "noAccount".into()));
        assert_eq!(bank_account("4321").0, "success");
    }
}
