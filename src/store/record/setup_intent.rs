//! The shapes of a setup intent and of an attempt of one.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::customer::{borrowed_metadata, owned_metadata};
use super::instrument::PaymentMethodShape;
use super::{Text, Unreadable, borrowed, is_default, owned, word};
use crate::domain::decline::Decline;
use crate::domain::ids::{CustomerId, InstrumentId, SetupAttemptId, SetupIntentId};
use crate::domain::setup_intent::{
    Action, AttemptStatus, CancellationReason, MethodType, Proof, Redirects, SetupAttempt, SetupError, SetupFailure,
    SetupIntent, SetupState, ThreeDSecure, Usage,
};
use crate::domain::time::Time;

/// Shape 1.
#[derive(Serialize, Deserialize)]
pub(super) struct SetupIntentShape<'a> {
    id: Text<'a>,
    created: i64,
    secret: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_method: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Text<'a>>,
    usage: Text<'a>,
    types: Vec<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    automatic: Option<Text<'a>>,
    three_d_secure: Text<'a>,
    state: StateShape<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<Box<ErrorShape<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_attempt: Option<Text<'a>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<Text<'a>, Text<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StateShape<'a> {
    NeedsMethod,
    NeedsConfirmation,
    Authenticate {
        #[serde(skip_serializing_if = "Option::is_none")]
        return_url: Option<Text<'a>>,
    },
    Microdeposits {
        arrival: i64,
        #[serde(default, skip_serializing_if = "is_default")]
        failed: u32,
    },
    Succeeded,
    Canceled {
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<Text<'a>>,
    },
}

#[derive(Serialize, Deserialize)]
struct ErrorShape<'a> {
    why: FailureShape<'a>,
    payment_method: PaymentMethodShape<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    holder: Option<Text<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FailureShape<'a> {
    Declined(Text<'a>),
    Authentication,
    Guesses,
}

/// Shape 1.
#[derive(Serialize, Deserialize)]
pub(super) struct SetupAttemptShape<'a> {
    id: Text<'a>,
    created: i64,
    setup_intent: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<Text<'a>>,
    payment_method: PaymentMethodShape<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    holder: Option<Text<'a>>,
    usage: Text<'a>,
    status: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<FailureShape<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<Text<'a>>,
}

fn said(word: &'static str) -> Text<'static> {
    Cow::Borrowed(word)
}

fn customer(id: &Option<CustomerId>) -> Option<Text<'_>> {
    id.as_ref().map(|CustomerId(id)| Cow::Borrowed(id.as_str()))
}

fn customer_id(id: Option<Text<'_>>) -> Option<CustomerId> {
    owned(id).map(CustomerId)
}

impl<'a> From<&'a SetupIntent> for SetupIntentShape<'a> {
    fn from(intent: &'a SetupIntent) -> SetupIntentShape<'a> {
        let SetupIntent {
            id: SetupIntentId(id),
            created,
            secret,
            customer: owner,
            method,
            description,
            usage,
            types,
            automatic,
            three_d_secure,
            state,
            last_error,
            latest_attempt,
            metadata,
        } = intent;
        SetupIntentShape {
            id: Cow::Borrowed(id),
            created: created.0,
            secret: Cow::Borrowed(secret),
            customer: customer(owner),
            payment_method: method.as_ref().map(|InstrumentId(id)| Cow::Borrowed(id.as_str())),
            description: borrowed(description),
            usage: said(usage.as_str()),
            types: types.iter().map(|kind| said(kind.as_str())).collect(),
            automatic: automatic.map(|redirects| said(redirects.as_str())),
            three_d_secure: said(three_d_secure.as_str()),
            state: state.into(),
            last_error: last_error.as_ref().map(|error| Box::new((&**error).into())),
            latest_attempt: latest_attempt.as_ref().map(|SetupAttemptId(id)| Cow::Borrowed(id.as_str())),
            metadata: borrowed_metadata(metadata),
        }
    }
}

impl TryFrom<SetupIntentShape<'_>> for SetupIntent {
    type Error = Unreadable;

    fn try_from(shape: SetupIntentShape<'_>) -> Result<SetupIntent, Unreadable> {
        let SetupIntentShape {
            id,
            created,
            secret,
            customer,
            payment_method,
            description,
            usage,
            types,
            automatic,
            three_d_secure,
            state,
            last_error,
            latest_attempt,
            metadata,
        } = shape;
        Ok(SetupIntent {
            id: SetupIntentId(id.into_owned()),
            created: Time(created),
            secret: secret.into_owned(),
            customer: customer_id(customer),
            method: owned(payment_method).map(InstrumentId),
            description: owned(description),
            usage: word("usage", &usage, Usage::named)?,
            types: types.iter().map(|kind| word("type", kind, MethodType::named)).collect::<Result<_, _>>()?,
            automatic: automatic.map(|redirects| word("automatic", &redirects, Redirects::named)).transpose()?,
            three_d_secure: word("three_d_secure", &three_d_secure, ThreeDSecure::named)?,
            state: state.try_into()?,
            last_error: last_error.map(|error| (*error).try_into().map(Box::new)).transpose()?,
            latest_attempt: owned(latest_attempt).map(SetupAttemptId),
            metadata: owned_metadata(metadata),
        })
    }
}

impl<'a> From<&'a SetupState> for StateShape<'a> {
    fn from(state: &'a SetupState) -> StateShape<'a> {
        match state {
            SetupState::NeedsMethod => StateShape::NeedsMethod,
            SetupState::NeedsConfirmation => StateShape::NeedsConfirmation,
            SetupState::NeedsAction(Action::Authenticate { return_url }) => {
                StateShape::Authenticate { return_url: borrowed(return_url) }
            }
            SetupState::NeedsAction(Action::Microdeposits { arrival, failed }) => {
                StateShape::Microdeposits { arrival: arrival.0, failed: *failed }
            }
            SetupState::Succeeded => StateShape::Succeeded,
            SetupState::Canceled(reason) => StateShape::Canceled { reason: reason.map(|reason| said(reason.as_str())) },
        }
    }
}

impl TryFrom<StateShape<'_>> for SetupState {
    type Error = Unreadable;

    fn try_from(shape: StateShape<'_>) -> Result<SetupState, Unreadable> {
        Ok(match shape {
            StateShape::NeedsMethod => SetupState::NeedsMethod,
            StateShape::NeedsConfirmation => SetupState::NeedsConfirmation,
            StateShape::Authenticate { return_url } => {
                SetupState::NeedsAction(Action::Authenticate { return_url: owned(return_url) })
            }
            StateShape::Microdeposits { arrival, failed } => {
                SetupState::NeedsAction(Action::Microdeposits { arrival: Time(arrival), failed })
            }
            StateShape::Succeeded => SetupState::Succeeded,
            StateShape::Canceled { reason } => SetupState::Canceled(
                reason.map(|reason| word("reason", &reason, CancellationReason::named)).transpose()?,
            ),
        })
    }
}

impl<'a> From<&'a SetupError> for ErrorShape<'a> {
    fn from(error: &'a SetupError) -> ErrorShape<'a> {
        let SetupError { why, method, holder } = error;
        ErrorShape { why: (*why).into(), payment_method: method.into(), holder: customer(holder) }
    }
}

impl TryFrom<ErrorShape<'_>> for SetupError {
    type Error = Unreadable;

    fn try_from(shape: ErrorShape<'_>) -> Result<SetupError, Unreadable> {
        let ErrorShape { why, payment_method, holder } = shape;
        Ok(SetupError { why: why.try_into()?, method: payment_method.try_into()?, holder: customer_id(holder) })
    }
}

impl From<SetupFailure> for FailureShape<'static> {
    fn from(why: SetupFailure) -> FailureShape<'static> {
        match why {
            SetupFailure::Declined(decline) => FailureShape::Declined(said(decline.as_str())),
            SetupFailure::Authentication => FailureShape::Authentication,
            SetupFailure::Guesses => FailureShape::Guesses,
        }
    }
}

impl TryFrom<FailureShape<'_>> for SetupFailure {
    type Error = Unreadable;

    fn try_from(shape: FailureShape<'_>) -> Result<SetupFailure, Unreadable> {
        Ok(match shape {
            FailureShape::Declined(decline) => SetupFailure::Declined(word("decline", &decline, Decline::named)?),
            FailureShape::Authentication => SetupFailure::Authentication,
            FailureShape::Guesses => SetupFailure::Guesses,
        })
    }
}

impl<'a> From<&'a SetupAttempt> for SetupAttemptShape<'a> {
    fn from(attempt: &'a SetupAttempt) -> SetupAttemptShape<'a> {
        let SetupAttempt {
            id: SetupAttemptId(id),
            created,
            intent: SetupIntentId(intent),
            customer: owner,
            method,
            holder,
            usage,
            status,
            error,
            proof,
        } = attempt;
        SetupAttemptShape {
            id: Cow::Borrowed(id),
            created: created.0,
            setup_intent: Cow::Borrowed(intent),
            customer: customer(owner),
            payment_method: method.into(),
            holder: customer(holder),
            usage: said(usage.as_str()),
            status: said(status.as_str()),
            error: error.map(FailureShape::from),
            proof: proof.map(|proof| said(proof.as_str())),
        }
    }
}

impl TryFrom<SetupAttemptShape<'_>> for SetupAttempt {
    type Error = Unreadable;

    fn try_from(shape: SetupAttemptShape<'_>) -> Result<SetupAttempt, Unreadable> {
        let SetupAttemptShape {
            id,
            created,
            setup_intent,
            customer,
            payment_method,
            holder,
            usage,
            status,
            error,
            proof,
        } = shape;
        Ok(SetupAttempt {
            id: SetupAttemptId(id.into_owned()),
            created: Time(created),
            intent: SetupIntentId(setup_intent.into_owned()),
            customer: customer_id(customer),
            method: payment_method.try_into()?,
            holder: customer_id(holder),
            usage: word("usage", &usage, Usage::named)?,
            status: word("status", &status, AttemptStatus::named)?,
            error: error.map(SetupFailure::try_from).transpose()?,
            proof: proof.map(|proof| word("proof", &proof, Proof::named)).transpose()?,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::collection::{btree_map, vec};
    use proptest::option;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::store::record::instrument::tests::loose_payment_methods;

    fn customer_ids() -> impl Strategy<Value = Option<CustomerId>> {
        option::of(any::<String>().prop_map(CustomerId))
    }

    fn failures() -> impl Strategy<Value = SetupFailure> {
        prop_oneof![
            select(Decline::ALL).prop_map(SetupFailure::Declined),
            Just(SetupFailure::Authentication),
            Just(SetupFailure::Guesses),
        ]
    }

    fn states() -> impl Strategy<Value = SetupState> {
        prop_oneof![
            Just(SetupState::NeedsMethod),
            Just(SetupState::NeedsConfirmation),
            option::of(any::<String>())
                .prop_map(|return_url| SetupState::NeedsAction(Action::Authenticate { return_url })),
            (any::<i64>(), any::<u32>()).prop_map(|(arrival, failed)| {
                SetupState::NeedsAction(Action::Microdeposits { arrival: Time(arrival), failed })
            }),
            Just(SetupState::Succeeded),
            option::of(select(CancellationReason::ALL)).prop_map(SetupState::Canceled),
        ]
    }

    fn errors() -> impl Strategy<Value = Option<Box<SetupError>>> {
        let parts = (failures(), loose_payment_methods(), customer_ids());
        option::of(parts.prop_map(|(why, loose, holder)| Box::new(SetupError { why, method: loose.method, holder })))
    }

    /// Setup intents of any facts.
    pub(crate) fn setup_intents() -> impl Strategy<Value = SetupIntent> {
        let names = (any::<String>(), any::<i64>(), any::<String>(), option::of(any::<String>()));
        let methods = (customer_ids(), option::of(any::<String>()), option::of(any::<String>()));
        let wishes = (
            select(Usage::ALL),
            vec(select(MethodType::ALL), 0..3),
            option::of(select(Redirects::ALL)),
            select(ThreeDSecure::ALL),
        );
        let free = btree_map(any::<String>(), any::<String>(), 0..4);
        (names, methods, wishes, states(), errors(), free).prop_map(
            |(names, methods, wishes, state, last_error, metadata)| SetupIntent {
                id: SetupIntentId(names.0),
                created: Time(names.1),
                secret: names.2,
                customer: methods.0,
                method: methods.1.map(InstrumentId),
                description: names.3,
                usage: wishes.0,
                types: wishes.1,
                automatic: wishes.2,
                three_d_secure: wishes.3,
                state,
                last_error,
                latest_attempt: methods.2.map(SetupAttemptId),
                metadata,
            },
        )
    }

    /// Attempts of any facts.
    pub(crate) fn setup_attempts() -> impl Strategy<Value = SetupAttempt> {
        let names = (any::<String>(), any::<i64>(), any::<String>());
        let people = (customer_ids(), customer_ids());
        let words =
            (select(Usage::ALL), select(AttemptStatus::ALL), option::of(failures()), option::of(select(Proof::ALL)));
        (names, people, loose_payment_methods(), words).prop_map(|(names, people, loose, words)| SetupAttempt {
            id: SetupAttemptId(names.0),
            created: Time(names.1),
            intent: SetupIntentId(names.2),
            customer: people.0,
            method: loose.method,
            holder: people.1,
            usage: words.0,
            status: words.1,
            error: words.2,
            proof: words.3,
        })
    }
}
