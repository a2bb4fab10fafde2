//! Refusals about what a customer pays with.

use super::Refusal;
use crate::domain::ids::InstrumentId;
use crate::domain::instrument::{MAX_INSTRUMENTS, SourceKind};

impl Refusal {
    /// A bank account that no amounts can prove any more: docs.stripe.com/error-codes.
    pub fn cannot_be_verified() -> Refusal {
        Refusal::new(
            400,
            "This bank account cannot be verified, because the amounts that were sent to it were told wrongly too often.",
        )
        .code("bank_account_verification_failed")
    }

    /// Amounts that were not the ones sent to a bank account.
    pub fn wrong_amounts() -> Refusal {
        Refusal::new(400, "The amounts provided do not match the amounts that were sent to the bank account.")
            .code("bank_account_verification_failed")
            .param("amounts")
    }

    /// Details of one type for a payment method of another.
    pub fn other_type(given: &str, is: &str) -> Refusal {
        Refusal::invalid(given, format!("You cannot set `{given}` on a payment method of type `{is}`."))
    }

    /// A payment method that is not the customer's.
    pub fn not_of_customer(id: &InstrumentId) -> Refusal {
        Refusal::invalid(
            "invoice_settings[default_payment_method]",
            format!(
                "The customer does not have a payment method with the ID {id}. The payment method must be attached to \
                 the customer."
            ),
        )
    }

    /// A payment method that a customer holds.
    pub fn attached_already() -> Refusal {
        Refusal::new(400, "The payment method you provided has already been attached to a customer.")
    }

    /// A payment method that was used before.
    pub fn payment_method_spent() -> Refusal {
        Refusal::new(
            400,
            "This PaymentMethod was previously used without being attached to a Customer or was detached from a \
             Customer, and may not be used again.",
        )
    }

    /// A payment method that nobody holds.
    pub fn not_attached(id: &InstrumentId) -> Refusal {
        let message =
            format!("The payment method {id} is not attached to a customer, so that it cannot be changed or detached.");
        Refusal::new(400, message)
    }

    /// A customer that can hold no more.
    pub fn too_many_instruments() -> Refusal {
        Refusal::new(
            400,
            format!(
                "The maximum number of payment methods for this customer has been reached ({MAX_INSTRUMENTS}). Either \
                 detach some of them or proceed with a different customer."
            ),
        )
        .code("customer_max_payment_methods")
    }

    /// A source of another sort than the parameter is for.
    pub fn other_source(param: &str, wanted: SourceKind) -> Refusal {
        let wanted = match wanted {
            SourceKind::Card => "card",
            SourceKind::BankAccount => "bank account",
            SourceKind::Source => "source",
        };
        Refusal::invalid(param, format!("What you provided does not stand for a {wanted}."))
    }

    /// A bank account that the customer has.
    pub fn bank_account_exists() -> Refusal {
        Refusal::new(
            400,
            "A bank account with that routing number and account number already exists for this customer.",
        )
        .code("bank_account_exists")
    }
}
