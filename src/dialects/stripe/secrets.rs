//! Which parameters are secret, by their names alone: a number in the wrong place, of an unknown kind or beside a mistake
//! is as secret as one in the right place.

use crate::domain::secret::Telling;

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

#[cfg(test)]
mod tests {
    use super::{SECRET, telling};
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
