//! Which parameters are secret, by their names alone: a number in the wrong place, of an unknown kind or beside a mistake
//! is as secret as one in the right place.

use crate::domain::secret::{Telling, is_like_a_number};

/// Names whose values are secret wherever they are, but in free data, and what may be told of them. Numbers of things
/// that are no secret have other names: `routing_number`, `phone`.
const SECRET: [(&str, Telling); 17] = [
    ("account_number", Telling::LastFour),
    ("card_number", Telling::LastFour),
    ("cryptogram", Telling::Length),
    ("cvc", Telling::Length),
    ("cvc2", Telling::Length),
    ("cvv", Telling::Length),
    ("cvv2", Telling::Length),
    ("iban", Telling::LastFour),
    ("id_number", Telling::Length),
    ("id_number_secondary", Telling::Length),
    ("number", Telling::LastFour),
    ("pan", Telling::LastFour),
    ("personal_id_number", Telling::Length),
    ("pin", Telling::Length),
    ("security_code", Telling::Length),
    ("ssn", Telling::Length),
    ("ssn_last_4", Telling::Length),
];

/// What may be told of the parameter at that path, if it is secret: it or anything that it is inside of has a secret's
/// name. Free data is what its owner says it is, so a key of it says nothing.
pub fn telling(path: &[&str]) -> Option<Telling> {
    if path.contains(&"metadata") {
        return None;
    }
    path.iter().find_map(|name| {
        let (_, telling) = SECRET.iter().find(|(secret, _)| name.eq_ignore_ascii_case(secret))?;
        Some(*telling)
    })
}

/// Names of what is counted or dated, as long as it may be, and of free data.
const COUNTED: [&str; 12] = [
    "amount",
    "amount_off",
    "amounts",
    "balance",
    "duration_in_months",
    "expires_at",
    "max_redemptions",
    "metadata",
    "minimum_amount",
    "next_invoice_sequence",
    "percent_off",
    "redeem_by",
];

/// Whether a parameter of that name holds a number that is no secret, which is compared to its last digit when a request
/// is repeated under its idempotency key.
pub fn counts(name: &str) -> bool {
    COUNTED.binary_search(&name).is_ok()
}

/// What ids begin with, and documented names, where something that is paid with is expected.
const BEGINNINGS: [&str; 8] = ["ba_", "btok_", "card_", "cvctok_", "pii_", "pm_", "src_", "tok_"];

/// Whether a text could be the id of something that is paid with. Of what is none nothing is repeated, because it could be
/// a number in the wrong place.
pub fn is_id(text: &str) -> bool {
    let rest = BEGINNINGS.iter().find_map(|beginning| text.strip_prefix(beginning)).unwrap_or_default();
    let letters = rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    letters && !rest.is_empty() && !is_like_a_number(rest)
}

#[cfg(test)]
mod tests {
    use super::{COUNTED, SECRET, counts, is_id, telling};
    use crate::domain::secret::Telling;

    #[test]
    fn numbers_are_secret_wherever_they_are() {
        for path in [
            &["number"][..],
            &["card", "number"],
            &["CARD", "Number"],
            &["source", "account_number"],
            &["payment_method_data", "card", "number"],
            &["sepa_debit", "iban"],
            &["card", "number", "", "x"],
            &["items", "", "number"],
        ] {
            assert_eq!(telling(path), Some(Telling::LastFour), "{path:?}");
        }
        for path in [&["card", "cvc"][..], &["pii", "id_number"], &["cvc_update", "cvc"], &["person", "ssn_last_4"]] {
            assert_eq!(telling(path), Some(Telling::Length), "{path:?}");
        }
    }

    #[test]
    fn what_is_counted_is_compared_whole() {
        assert!(COUNTED.is_sorted());
        assert!(counts("amount") && counts("metadata") && !counts("source") && !counts("number"));
    }

    #[test]
    fn a_number_is_no_id() {
        for id in ["tok_visa", "btok_us", "pm_card_visa", "card_1", "src_01kjn9e1c07zzzzzzzzzzzzzzz", "ba_1234567"] {
            assert!(is_id(id), "{id}");
        }
        for text in ["", "tok_", "000123456789", "visa", "tok_000123456789", "pm_DE89370400440532013000", "tok_4 2"] {
            assert!(!is_id(text), "{text}");
        }
    }

    #[test]
    fn all_else_is_not() {
        for path in [
            &["name"][..],
            &["metadata", "number"],
            &["card", "metadata", "cvc"],
            &["bank_account", "routing_number"],
            &["card", "exp_month"],
            &["phone"],
            &["invoice_settings", "custom_fields", "", "value"],
            &[],
        ] {
            assert_eq!(telling(path), None, "{path:?}");
        }
        assert!(SECRET.is_sorted_by_key(|(name, _)| *name));
    }
}
