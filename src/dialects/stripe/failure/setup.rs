//! Refusals about setup intents: docs.stripe.com/error-codes.

use super::{Named, Refusal};
use crate::domain::ids::{CustomerId, InstrumentId};
use crate::domain::setup_intent::{MethodType, SetupFailure, SetupIntent, SetupState, SetupVerb};
use crate::http::json::{Json, Object};

/// What a setup intent is called.
pub const SETUP_INTENT: &str = "setupintent";
/// What an attempt of one is called.
pub const SETUP_ATTEMPT: &str = "setupattempt";

impl Refusal {
    /// The same with an object that it is about in it.
    pub fn about(mut self, name: &'static str, object: Object) -> Refusal {
        self.objects.get_or_insert_default().add(name, object);
        self
    }

    /// The error as it is shown inside of an object.
    pub fn into_json(self) -> Json {
        self.error().into()
    }

    /// An attempt that failed.
    pub fn setup_failed(why: SetupFailure) -> Refusal {
        match why {
            SetupFailure::Declined(decline) => Refusal::declined(decline, "us_bank_account"),
            SetupFailure::Authentication => Refusal::new(
                400,
                "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new \
                 PaymentMethod to attempt to fulfill this SetupIntent again.",
            )
            .code("setup_intent_authentication_failure"),
            SetupFailure::Guesses => Refusal::new(
                400,
                "You have exceeded the number of allowed verification attempts. Provide a new PaymentMethod to attempt \
                 to fulfill this SetupIntent again.",
            )
            .code("payment_method_microdeposit_verification_attempts_exceeded"),
        }
    }

    /// What was told of a payment into a bank account is wrong, and may be told again.
    pub fn wrong_guess(by_code: bool) -> Refusal {
        match by_code {
            true => Refusal::invalid(
                "descriptor_code",
                "The descriptor code provided does not match the one that was sent to the bank account.",
            )
            .code("payment_method_microdeposit_verification_descriptor_code_mismatch"),
            false => Refusal::wrong_amounts().code("payment_method_microdeposit_verification_amounts_mismatch"),
        }
    }

    /// Something else than the two amounts that are asked for.
    pub fn no_two_amounts() -> Refusal {
        Refusal::invalid("amounts", "Invalid amounts: two amounts were sent to the bank account.")
            .code("payment_method_microdeposit_verification_amounts_invalid")
    }

    /// What is wanted does not go with how far an intent is.
    pub fn setup_state(intent: &SetupIntent, wish: SetupVerb) -> Refusal {
        let is = intent.state.as_str();
        let only = |verb: &str, done: &str, allowed: &[&str]| {
            let plural = if allowed.len() == 1 { "this status" } else { "one of the following statuses" };
            format!(
                "You cannot {verb} this SetupIntent because it has a status of {is}. Only a SetupIntent with {plural} \
                 may be {done}: {}.",
                allowed.join(", ")
            )
        };
        let open = ["requires_payment_method", "requires_confirmation", "requires_action"];
        let message = match (wish, &intent.state) {
            (SetupVerb::ConfirmNothing, _) => "You cannot confirm this SetupIntent because it's missing a payment \
                                               method. Update the SetupIntent with a payment method and then confirm it \
                                               again."
                .to_owned(),
            (SetupVerb::Confirm, SetupState::Succeeded) => {
                "You cannot confirm this SetupIntent because it has already succeeded.".to_owned()
            }
            (SetupVerb::Confirm, SetupState::NeedsAction(_)) => {
                "You cannot confirm this SetupIntent because it waits for its customer. Provide another payment method \
                 to confirm it anew."
                    .to_owned()
            }
            (
                SetupVerb::Confirm,
                SetupState::NeedsMethod | SetupState::NeedsConfirmation | SetupState::Canceled(_),
            ) => only("confirm", "confirmed", &open),
            (SetupVerb::Update, _) => only("update", "updated", &open),
            (SetupVerb::Cancel, _) => only("cancel", "canceled", &open),
            (SetupVerb::Authenticate, _) => format!(
                "You cannot authenticate this SetupIntent because it does not ask for it: it has a status of {is}."
            ),
            (SetupVerb::VerifyMicrodeposits, _) => format!(
                "You cannot verify micro-deposits of this SetupIntent because it does not ask for it: it has a status \
                 of {is}."
            ),
        };
        Refusal::new(400, message).code("setup_intent_unexpected_state")
    }

    /// A client secret that is another one's, or nobody's.
    pub fn wrong_client_secret() -> Refusal {
        Refusal::invalid(
            "client_secret",
            "The client_secret provided does not match the client_secret associated with this SetupIntent.",
        )
        .code("setup_intent_invalid_parameter")
    }

    /// A parameter that goes with another one only.
    pub fn only_with(param: &'static str, other: &str) -> Refusal {
        Refusal::invalid(param, format!("You can only provide `{param}` together with `{other}`."))
    }

    pub(super) fn type_not_allowed(named: Named, given: &str, allowed: &[MethodType]) -> Refusal {
        let allowed: Vec<&str> = allowed.iter().map(|kind| kind.as_str()).collect();
        Refusal::invalid(
            named.param,
            format!(
                "The PaymentMethod provided ({given}) is not allowed for this SetupIntent. Please provide one of the \
                 following types: {}.",
                allowed.join(", ")
            ),
        )
    }

    pub(super) fn held_by_other(named: Named, method: &InstrumentId, wanted: Option<&CustomerId>) -> Refusal {
        let message = match wanted {
            Some(customer) => format!(
                "The payment method {method} does not belong to the Customer {customer}. Please use this payment \
                 method with the Customer that it belongs to instead."
            ),
            None => "The payment method you provided is attached to a customer so for security purposes you must \
                     provide the customer in the request."
                .to_owned(),
        };
        Refusal::invalid(named.param, message)
    }
}
