//! Setup intents: the way of a payment method to being used when its owner is away, and the attempts at it. What may
//! follow what is docs.stripe.com/payments/setup-intents#lifecycle.

use super::bank_account::MAX_FAILED_VERIFICATIONS;
use super::decline::Decline;
use super::ids::{CustomerId, InstrumentId, SetupAttemptId, SetupIntentId};
use super::metadata::{Metadata, MetadataChange};
use super::patch::Patch;
use super::payment_method::{PaymentMethod, PaymentMethodKind};
use super::problem::Problem;
use super::time::Time;
use super::words::words;

words! {
    /// When a payment method is going to be used.
    pub enum Usage {
        /// While its owner is away too.
        OffSession = "off_session",
        /// Only while its owner is there.
        OnSession = "on_session",
    }
}

words! {
    /// The types of payment methods that can be set up.
    pub enum MethodType {
        /// A card.
        Card = "card",
        /// A bank account in the United States.
        UsBankAccount = "us_bank_account",
    }
}

words! {
    /// Whether payment methods that lead to another page are wanted. None that there is does.
    pub enum Redirects {
        /// They are.
        Always = "always",
        /// They are not.
        Never = "never",
    }
}

words! {
    /// When a card's owner has to prove who he is.
    pub enum ThreeDSecure {
        /// When the card asks for it.
        Automatic = "automatic",
        /// Whenever the card can.
        Any = "any",
    }
}

words! {
    /// Why an intent was given up.
    pub enum CancellationReason {
        /// Nobody went on with it.
        Abandoned = "abandoned",
        /// There is another one for the same.
        Duplicate = "duplicate",
        /// The customer did not want it any more.
        RequestedByCustomer = "requested_by_customer",
    }
}

words! {
    /// What becomes of an intent, by the word that tells of it.
    pub enum SetupStep {
        /// Its customer has to do something.
        RequiresAction = "setup_intent.requires_action",
        /// An attempt failed.
        Failed = "setup_intent.setup_failed",
        /// The payment method is set up.
        Succeeded = "setup_intent.succeeded",
        /// It was given up.
        Canceled = "setup_intent.canceled",
    }
}

/// An intent to set up a payment method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetupIntent {
    /// Its id.
    pub id: SetupIntentId,
    /// When it was made.
    pub created: Time,
    /// What a browser shows to be let near it: the end of the client secret, which begins with the id.
    pub secret: String,
    /// Who is to hold the payment method.
    pub customer: Option<CustomerId>,
    /// The payment method.
    pub method: Option<InstrumentId>,
    /// Words about it.
    pub description: Option<String>,
    /// When the payment method is going to be used.
    pub usage: Usage,
    /// The types that the payment method may be of.
    pub types: Vec<MethodType>,
    /// The types were not chosen one by one: whether those may be among them that lead to another page.
    pub automatic: Option<Redirects>,
    /// When a card's owner has to prove who he is.
    pub three_d_secure: ThreeDSecure,
    /// How far it is.
    pub state: SetupState,
    /// Why the last attempt failed, until another one begins.
    pub last_error: Option<Box<SetupError>>,
    /// The last attempt.
    pub latest_attempt: Option<SetupAttemptId>,
    /// Free data.
    pub metadata: Metadata,
}

/// How far an intent is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetupState {
    /// It has no payment method.
    NeedsMethod,
    /// It has one, and is to be confirmed.
    NeedsConfirmation,
    /// Its customer has to do something.
    NeedsAction(Action),
    /// The payment method is set up.
    Succeeded,
    /// It was given up, for that reason if one was told.
    Canceled(Option<CancellationReason>),
}

/// What a customer has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Prove to the issuer of the card who he is.
    Authenticate {
        /// Where he goes on afterwards, when he is sent away for it.
        return_url: Option<String>,
    },
    /// Tell what was paid into the bank account.
    Microdeposits {
        /// When it is there.
        arrival: Time,
        /// How often he told something else.
        failed: u32,
    },
}

/// Why an attempt failed, and with what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetupError {
    /// Why.
    pub why: SetupFailure,
    /// The payment method as it was.
    pub method: PaymentMethod,
    /// Who held it.
    pub holder: Option<CustomerId>,
}

/// Why an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetupFailure {
    /// The payment method is not taken.
    Declined(Decline),
    /// Its owner did not prove who he is.
    Authentication,
    /// What was paid into the bank account was told wrongly too often.
    Guesses,
}

words! {
    /// How an attempt ended, if it did.
    pub enum AttemptStatus {
        /// The customer has to do something.
        RequiresAction = "requires_action",
        /// The payment method is set up.
        Succeeded = "succeeded",
        /// It is not.
        Failed = "failed",
        /// Another attempt began, or the intent was given up.
        Abandoned = "abandoned",
    }
}

words! {
    /// What came of asking a card's owner who he is.
    pub enum Proof {
        /// He proved it.
        Authenticated = "authenticated",
        /// He did not.
        Failed = "failed",
        /// He could not be asked.
        ProcessingError = "processing_error",
    }
}

/// An attempt to set up a payment method: docs.stripe.com/api/setup_attempts/object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetupAttempt {
    /// Its id.
    pub id: SetupAttemptId,
    /// When it began.
    pub created: Time,
    /// Of which intent.
    pub intent: SetupIntentId,
    /// For whom, as the intent said then.
    pub customer: Option<CustomerId>,
    /// The payment method as it was.
    pub method: PaymentMethod,
    /// Who held it.
    pub holder: Option<CustomerId>,
    /// When it was going to be used.
    pub usage: Usage,
    /// How far it is.
    pub status: AttemptStatus,
    /// Why it failed.
    pub error: Option<SetupFailure>,
    /// What came of asking the card's owner who he is; `None` when he was not asked, or has not answered.
    pub proof: Option<Proof>,
}

/// What is wanted of an intent that its state may not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetupVerb {
    /// To confirm it.
    Confirm,
    /// To confirm it, though it has no payment method.
    ConfirmNothing,
    /// To change it.
    Update,
    /// To give it up.
    Cancel,
    /// To say what came of asking the card's owner who he is.
    Authenticate,
    /// To tell what was paid into the bank account.
    VerifyMicrodeposits,
}

/// A change of an intent. What it is about is checked by the verb.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SetupIntentChange {
    /// Who is to hold the payment method.
    pub customer: Option<CustomerId>,
    /// Words about it.
    pub description: Patch<String>,
    /// The types that the payment method may be of.
    pub types: Option<Vec<MethodType>>,
    /// When a card's owner has to prove who he is.
    pub three_d_secure: Option<ThreeDSecure>,
    /// Free data.
    pub metadata: MetadataChange,
}

impl SetupState {
    /// Its word in the API.
    pub fn as_str(&self) -> &'static str {
        match self {
            SetupState::NeedsMethod => "requires_payment_method",
            SetupState::NeedsConfirmation => "requires_confirmation",
            SetupState::NeedsAction(_) => "requires_action",
            SetupState::Succeeded => "succeeded",
            SetupState::Canceled(_) => "canceled",
        }
    }

    fn is_open(&self) -> bool {
        match self {
            SetupState::NeedsMethod | SetupState::NeedsConfirmation | SetupState::NeedsAction(_) => true,
            SetupState::Succeeded | SetupState::Canceled(_) => false,
        }
    }
}

impl PaymentMethodKind {
    /// Its type.
    pub fn method_type(&self) -> MethodType {
        match self {
            PaymentMethodKind::Card(_) => MethodType::Card,
            PaymentMethodKind::UsBankAccount { .. } => MethodType::UsBankAccount,
        }
    }
}

impl SetupIntent {
    /// What is shown to a browser that is to confirm it.
    pub fn client_secret(&self) -> String {
        format!("{}_secret_{}", self.id, self.secret)
    }

    /// Refuses what the state does not allow.
    pub fn refusal(&self, wish: SetupVerb) -> Problem {
        Problem::SetupIntentState { intent: Box::new(self.clone()), wish }
    }

    /// Refuses to give up, or to change the course of, an intent that has come to its end.
    pub fn require_open(&self, wish: SetupVerb) -> Result<(), Problem> {
        if self.state.is_open() { Ok(()) } else { Err(self.refusal(wish)) }
    }

    /// Refuses to confirm an intent that is done, that has no payment method, or whose customer has something to do:
    /// it is confirmed anew only with another payment method.
    pub fn require_confirmable(&self, brings_method: bool) -> Result<(), Problem> {
        match (&self.state, brings_method) {
            (SetupState::NeedsConfirmation, _) | (SetupState::NeedsMethod | SetupState::NeedsAction(_), true) => Ok(()),
            (SetupState::NeedsMethod, false) => Err(self.refusal(SetupVerb::ConfirmNothing)),
            (SetupState::NeedsAction(_) | SetupState::Succeeded | SetupState::Canceled(_), _) => {
                Err(self.refusal(SetupVerb::Confirm))
            }
        }
    }

    /// Refuses to say what came of asking a card's owner who he is where nobody asked.
    pub fn require_waiting_for_proof(&self) -> Result<(), Problem> {
        match &self.state {
            SetupState::NeedsAction(Action::Authenticate { .. }) => Ok(()),
            SetupState::NeedsAction(Action::Microdeposits { .. })
            | SetupState::NeedsMethod
            | SetupState::NeedsConfirmation
            | SetupState::Succeeded
            | SetupState::Canceled(_) => Err(self.refusal(SetupVerb::Authenticate)),
        }
    }

    /// Refuses a payment method of another type, or one that somebody else holds.
    pub fn require_fit(
        &self,
        id: &InstrumentId,
        kind: &PaymentMethodKind,
        holder: Option<&CustomerId>,
    ) -> Result<(), Problem> {
        if !self.types.contains(&kind.method_type()) {
            return Err(Problem::TypeNotAllowed { given: kind.as_str(), allowed: self.types.clone() });
        }
        match holder {
            Some(holder) if self.customer.as_ref() != Some(holder) => {
                Err(Problem::HeldByOther { method: id.clone(), wanted: self.customer.clone() })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The intent with the change applied. Words about it can change at any time, its course only while it is open.
    pub fn with(&self, change: SetupIntentChange) -> Result<SetupIntent, Problem> {
        let SetupIntentChange { customer, description, types, three_d_secure, metadata } = change;
        if customer.is_some() || types.is_some() || three_d_secure.is_some() {
            self.require_open(SetupVerb::Update)?;
        }
        let mut next = self.clone();
        next.customer = customer.or(next.customer);
        description.onto(&mut next.description);
        if let Some(types) = types {
            (next.types, next.automatic) = (types, None);
        }
        next.three_d_secure = three_d_secure.unwrap_or(next.three_d_secure);
        metadata.onto(&mut next.metadata)?;
        Ok(next)
    }

    /// The intent with another payment method, to be confirmed.
    pub fn with_method(&self, id: &InstrumentId) -> SetupIntent {
        SetupIntent { method: Some(id.clone()), state: SetupState::NeedsConfirmation, ..self.clone() }
    }

    /// The intent given up.
    pub fn canceled(&self, reason: Option<CancellationReason>) -> Result<SetupIntent, Problem> {
        self.require_open(SetupVerb::Cancel)?;
        Ok(SetupIntent { state: SetupState::Canceled(reason), ..self.clone() })
    }

    /// The intent after a wrong guess of what was paid into the bank account, `None` when it was the last one.
    pub fn after_wrong_guess(&self, arrival: Time, failed: u32) -> Option<SetupIntent> {
        let failed = failed + 1;
        let action = Action::Microdeposits { arrival, failed };
        (failed < MAX_FAILED_VERIFICATIONS)
            .then(|| SetupIntent { state: SetupState::NeedsAction(action), ..self.clone() })
    }

    /// The intent after an attempt, which is its latest one.
    pub fn after(&self, attempt: &SetupAttempt, action: Option<Action>) -> (SetupIntent, SetupStep) {
        let mut next = self.clone();
        next.latest_attempt = Some(attempt.id.clone());
        next.last_error = None;
        next.method = Some(attempt.method.id.clone());
        let step = match (attempt.error, action) {
            (Some(why), _) => {
                let (method, holder) = (attempt.method.clone(), attempt.holder.clone());
                next.last_error = Some(Box::new(SetupError { why, method, holder }));
                (next.method, next.state) = (None, SetupState::NeedsMethod);
                SetupStep::Failed
            }
            (None, Some(action)) => {
                next.state = SetupState::NeedsAction(action);
                SetupStep::RequiresAction
            }
            (None, None) => {
                next.state = SetupState::Succeeded;
                SetupStep::Succeeded
            }
        };
        (next, step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intent(state: SetupState) -> SetupIntent {
        SetupIntent {
            id: SetupIntentId("seti_1".into()),
            created: Time(5),
            secret: "abc".into(),
            customer: None,
            method: None,
            description: None,
            usage: Usage::OffSession,
            types: vec![MethodType::Card],
            automatic: None,
            three_d_secure: ThreeDSecure::Automatic,
            state,
            last_error: None,
            latest_attempt: None,
            metadata: Metadata::default(),
        }
    }

    fn waiting() -> SetupState {
        SetupState::NeedsAction(Action::Authenticate { return_url: None })
    }

    #[test]
    fn each_state_allows_what_it_allows() {
        for (state, own, another, open, proof) in [
            (SetupState::NeedsMethod, false, true, true, false),
            (SetupState::NeedsConfirmation, true, true, true, false),
            (waiting(), false, true, true, true),
            (SetupState::NeedsAction(Action::Microdeposits { arrival: Time(5), failed: 0 }), false, true, true, false),
            (SetupState::Succeeded, false, false, false, false),
            (SetupState::Canceled(None), false, false, false, false),
        ] {
            let intent = intent(state.clone());
            assert_eq!(intent.require_confirmable(false).is_ok(), own, "{state:?}");
            assert_eq!(intent.require_confirmable(true).is_ok(), another, "{state:?}");
            assert_eq!(intent.canceled(None).is_ok(), open, "{state:?}");
            assert_eq!(intent.require_waiting_for_proof().is_ok(), proof, "{state:?}");
            let words = SetupIntentChange { description: Patch::Set("x".into()), ..SetupIntentChange::default() };
            assert!(intent.with(words).is_ok());
            let course = SetupIntentChange { types: Some(vec![]), ..SetupIntentChange::default() };
            assert_eq!(intent.with(course).is_ok(), open, "{state:?}");
        }
    }

    #[test]
    fn the_tenth_wrong_guess_is_the_last_one() {
        let mut failed = 0;
        while let Some(next) = intent(waiting()).after_wrong_guess(Time(5), failed) {
            assert_eq!(
                next.state,
                SetupState::NeedsAction(Action::Microdeposits { arrival: Time(5), failed: failed + 1 })
            );
            failed += 1;
        }
        assert_eq!(failed, 9);
    }

    #[test]
    fn a_client_secret_begins_with_the_id() {
        assert_eq!(intent(SetupState::NeedsMethod).client_secret(), "seti_1_secret_abc");
    }
}
