//! API versions: which ones there are, which a request is in, and how today's reply looks in an older one. The engine
//! only knows today.

use crate::domain::account::Account;
use crate::http::json::{Json, Object};

use super::failure::Refusal;

/// The version of new accounts.
pub const NEWEST: &str = LISTED[LISTED.len() - 1];

/// The versions that differ in what is said of something, oldest first.
pub const LISTED: [&str; 11] = [
    "2019-02-19",
    "2019-10-17",
    "2020-08-27",
    "2022-11-15",
    "2023-10-16",
    "2024-06-20",
    "2024-09-30.acacia",
    "2025-03-31.basil",
    "2025-09-30.clover",
    "2026-06-24.dahlia",
    "2026-10-28.endive",
];

/// Other published versions that clients pin. They say what the listed version before them says.
pub const SAME_AS_BEFORE: [&str; 26] = [
    "2019-12-03",
    "2020-03-02",
    "2022-08-01",
    "2023-08-16",
    "2024-04-10",
    "2024-10-28.acacia",
    "2024-11-20.acacia",
    "2024-12-18.acacia",
    "2025-01-27.acacia",
    "2025-02-24.acacia",
    "2025-04-30.basil",
    "2025-05-28.basil",
    "2025-06-30.basil",
    "2025-07-30.basil",
    "2025-08-27.basil",
    "2025-10-29.clover",
    "2025-11-17.clover",
    "2025-12-15.clover",
    "2026-01-28.clover",
    "2026-02-25.clover",
    "2026-03-25.dahlia",
    "2026-04-22.dahlia",
    "2026-05-27.dahlia",
    "2026-07-29.dahlia",
    "2026-08-26.dahlia",
    "2026-09-30.endive",
];

/// The version that a request is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// As the caller or the account named it.
    pub name: String,
    /// Its place in [`LISTED`].
    place: usize,
    /// The caller named none and the account is new: parameters of every version are understood.
    pub every_generation: bool,
}

impl Version {
    /// The version of that name.
    pub fn named(name: &str) -> Option<Version> {
        let known = LISTED.contains(&name) || SAME_AS_BEFORE.contains(&name);
        // The names begin with a date, so that their order is the order of text.
        let place = LISTED.iter().rposition(|listed| *listed <= name)?;
        known.then(|| Version { name: name.to_owned(), place, every_generation: false })
    }

    /// The newest version.
    pub fn newest() -> Version {
        Version::named(NEWEST).expect("the newest version is known")
    }

    /// The newest version, where what belongs to any other is understood too.
    pub fn every() -> Version {
        Version { every_generation: true, ..Version::newest() }
    }

    /// The version that speaks for an account when the caller names none.
    pub fn of_account(account: &Account) -> Version {
        let version = Version::named(&account.api_version).unwrap_or_else(Version::newest);
        Version { every_generation: version.name == NEWEST, ..version }
    }

    /// The version of a request with this `Stripe-Version` header.
    pub fn settle(header: Option<&str>, account: &Account) -> Result<Version, Refusal> {
        match header {
            None => Ok(Version::of_account(account)),
            Some(name) => Version::named(name).ok_or_else(|| Refusal::unknown_version(name)),
        }
    }

    /// Whether the version is that of `date` or newer.
    pub fn since(&self, date: &str) -> bool {
        &LISTED[self.place][..10] >= date
    }

    /// Whether something that was added on one date and removed on another (empty: never) is there in this version. An
    /// addition belongs to the version that was current when it came, so it is there in a version when it came before
    /// the next one.
    pub fn has(&self, added: &str, removed: &str) -> bool {
        if self.every_generation {
            return true;
        }
        let came = LISTED.get(self.place + 1).is_none_or(|next| added < &next[..10]);
        came && (removed.is_empty() || !self.since(removed))
    }
}

/// One dated difference in what is said of an object: how a reply of that date's version becomes one of the version
/// before it. `About` is what that takes beside the object.
pub struct Difference<About: ?Sized + 'static> {
    date: &'static str,
    down: fn(&mut Object, &About),
}

/// Turns today's object into what it looks like in `version`.
pub fn down<About: ?Sized>(object: &mut Object, differences: &[Difference<About>], about: &About, version: &Version) {
    for difference in differences {
        if !version.since(difference.date) {
            (difference.down)(object, about);
        }
    }
}

/// Whether the lists of a customer are told unasked, with how many things they hold. Until 2020-08-27 they were:
/// docs.stripe.com/changelog/2020-08-27.
pub fn tells_lists(version: &Version) -> bool {
    !version.since("2020-08-27")
}

/// Of a customer, newest first. Its lists are no part of it today; see [`tells_lists`].
pub const CUSTOMER: &[Difference<()>] = &[
    Difference {
        // docs.stripe.com/changelog/clover: business_name and individual_name
        date: "2025-09-30",
        down: |object, ()| {
            object.remove("business_name");
            object.remove("individual_name");
        },
    },
    Difference {
        // The template came on 2024-09-12 and is told from 2024-06-20 on, the version that was current then.
        date: "2024-06-20",
        down: |object, ()| {
            let settings = object.get_mut("invoice_settings").and_then(Json::as_object_mut);
            let options = settings.and_then(|settings| settings.get_mut("rendering_options"));
            if let Some(options) = options.and_then(Json::as_object_mut) {
                options.remove("template");
            }
        },
    },
    Difference {
        // Came in 2021 and 2022.
        date: "2020-08-27",
        down: |object, ()| {
            object.remove("test_clock");
            let settings = object.get_mut("invoice_settings").and_then(Json::as_object_mut);
            settings.and_then(|settings| settings.remove("rendering_options"));
        },
    },
    Difference {
        // docs.stripe.com/changelog/2019-10-17: account_balance became balance; tax_info went
        date: "2019-10-17",
        down: |object, ()| {
            object.rename("balance", "account_balance");
            object.add("tax_info", Json::Null);
            object.add("tax_info_verification", Json::Null);
            object.sort_from(2);
        },
    },
];

/// Of a card of the older API, newest first.
pub const CARD: &[Difference<()>] = &[Difference {
    // Came in 2024, in the words of acacia.
    date: "2024-09-30",
    down: |object, ()| {
        object.remove("regulated_status");
    },
}];

/// Of a payment method, newest first.
pub const PAYMENT_METHOD: &[Difference<()>] = &[
    Difference {
        // Accounts as customers came with clover, the payer's tax id with basil.
        date: "2025-09-30",
        down: |object, ()| {
            object.remove("customer_account");
        },
    },
    Difference {
        date: "2025-03-31",
        down: |object, ()| {
            if let Some(details) = object.get_mut("billing_details").and_then(Json::as_object_mut) {
                details.remove("tax_id");
            }
        },
    },
    Difference {
        // Came one after the other between 2022 and 2024.
        date: "2023-10-16",
        down: |object, ()| {
            object.remove("allow_redisplay");
            if let Some(card) = object.get_mut("card").and_then(Json::as_object_mut) {
                card.remove("display_brand");
                card.remove("regulated_status");
            }
            if let Some(account) = object.get_mut("us_bank_account").and_then(Json::as_object_mut) {
                account.remove("financial_connections_account");
                account.remove("networks");
                account.remove("status_details");
            }
        },
    },
];

/// Of a discount, newest first; about its coupon, which was shown in it.
pub const DISCOUNT: &[Difference<Json>] = &[
    Difference {
        // docs.stripe.com/changelog/clover/2025-09-30/polymorphic-coupon; accounts as customers came with clover too.
        date: "2025-09-30",
        down: |object, coupon| {
            object.remove("customer_account");
            object.remove("source");
            object.add("coupon", coupon.clone());
            object.sort_from(2);
        },
    },
    Difference {
        // Came on 2024-04-04, while 2023-10-16 was current.
        date: "2023-10-16",
        down: |object, _| {
            object.remove("subscription_item");
        },
    },
    Difference {
        // Came with promotion codes and with discounts of single payments.
        date: "2020-08-27",
        down: |object, _| {
            object.remove("checkout_session");
            object.remove("promotion_code");
        },
    },
    Difference {
        // Came on 2020-07-29; a discount had no id since 2012-09-24.
        date: "2019-10-17",
        down: |object, _| {
            object.remove("id");
            object.remove("invoice");
            object.remove("invoice_item");
        },
    },
];

/// Of a setup intent, newest first.
pub const SETUP_INTENT: &[Difference<()>] = &[
    Difference {
        // Came with dahlia.
        date: "2026-06-24",
        down: |object, ()| {
            object.remove("allowed_payment_method_types");
            object.remove("managed_payments");
        },
    },
    Difference {
        // Accounts as customers came with clover.
        date: "2025-09-30",
        down: |object, ()| drop(object.remove("customer_account")),
    },
    Difference {
        // Came on 2025-08-27, in the words of basil.
        date: "2025-03-31",
        down: |object, ()| drop(object.remove("excluded_payment_method_types")),
    },
    Difference {
        // Came one after the other, some while 2022-11-15 was current.
        date: "2022-11-15",
        down: |object, ()| {
            object.remove("automatic_payment_methods");
            object.remove("flow_directions");
            object.remove("payment_method_configuration_details");
            let options = object.get_mut("payment_method_options").and_then(Json::as_object_mut);
            let card = options.and_then(|options| options.get_mut("card")).and_then(Json::as_object_mut);
            card.and_then(|card| card.remove("network"));
        },
    },
];

/// Of an attempt of a setup intent, newest first.
pub const SETUP_ATTEMPT: &[Difference<()>] = &[
    Difference {
        // Accounts as customers came with clover.
        date: "2025-09-30",
        down: |object, ()| drop(object.remove("customer_account")),
    },
    Difference {
        // What is told of the card came one after the other.
        date: "2023-10-16",
        down: |object, ()| {
            let details = object.get_mut("payment_method_details").and_then(Json::as_object_mut);
            let card = details.and_then(|details| details.get_mut("card")).and_then(Json::as_object_mut);
            if let Some(card) = card {
                let mut proof = card.remove("three_d_secure");
                if let Some(proof) = proof.as_mut().and_then(Json::as_object_mut) {
                    proof.remove("electronic_commerce_indicator");
                    proof.remove("transaction_id");
                }
                *card = Object::new().and("three_d_secure", proof);
            }
        },
    },
    Difference { date: "2022-11-15", down: |object, ()| drop(object.remove("flow_directions")) },
];

/// Of a tax id, newest first.
pub const TAX_ID: &[Difference<()>] = &[
    Difference {
        // Accounts as customers came with clover.
        date: "2025-09-30",
        down: |object, ()| {
            object.remove("customer_account");
            if let Some(owner) = object.get_mut("owner").and_then(Json::as_object_mut) {
                owner.remove("customer_account");
            }
        },
    },
    Difference {
        // Others than customers have tax ids since 2024-02-22, in the words of 2023-10-16.
        date: "2023-10-16",
        down: |object, ()| {
            object.remove("owner");
        },
    },
];

/// Of a source of the Sources API, newest first.
pub const SOURCE: &[Difference<()>] = &[Difference {
    // Came in 2024, as it did on payment methods.
    date: "2023-10-16",
    down: |object, ()| {
        object.remove("allow_redisplay");
    },
}];

/// Of a promotion code, newest first; about its coupon, which was shown in it.
pub const PROMOTION_CODE: &[Difference<Json>] = &[Difference {
    // docs.stripe.com/changelog/clover/2025-09-30/polymorphic-coupon; accounts as customers came with clover too.
    date: "2025-09-30",
    down: |object, coupon| {
        object.remove("customer_account");
        object.remove("promotion");
        object.add("coupon", coupon.clone());
        object.sort_from(2);
    },
}];

/// Of what belongs to a customer, newest first; about nothing else.
pub const OF_A_CUSTOMER: &[Difference<()>] = &[Difference {
    // Accounts as customers came with clover.
    date: "2025-09-30",
    down: |object, ()| drop(object.remove("customer_account")),
}];

#[cfg(test)]
mod tests {
    use super::{LISTED, SAME_AS_BEFORE, Version};

    #[test]
    fn every_known_version_has_its_place() {
        assert!(LISTED.is_sorted());
        for name in LISTED.iter().chain(&SAME_AS_BEFORE) {
            assert_eq!(Version::named(name).unwrap().name, *name);
        }
        assert_eq!(Version::named("2024-12-18.acacia").unwrap().place, 6);
        for unknown in ["2024-09-30", "2021-01-01", "2026-06-24.clover", "latest", "", "2018-11-08"] {
            assert_eq!(Version::named(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn an_addition_belongs_to_the_version_that_was_current() {
        let has = |version: &str, added, removed| Version::named(version).unwrap().has(added, removed);
        assert!(has("2020-08-27", "2022-04-18", ""));
        assert!(!has("2019-10-17", "2022-04-18", ""));
        assert!(has("2025-02-24.acacia", "", "2025-03-31") && !has("2025-03-31.basil", "", "2025-03-31"));
    }
}
