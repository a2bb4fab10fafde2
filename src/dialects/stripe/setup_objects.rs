//! Setup intents and their attempts as they are shown: docs.stripe.com/api/setup_intents/object,
//! docs.stripe.com/api/setup_attempts/object.

use super::customer_object::free_data;
use super::discounts::Shown;
use super::expand::{self, Expansions};
use super::failure::Refusal;
use super::instruments::{display_checks, method_object};
use super::versions::{self, Version};
use super::{Call, discounts};
use crate::domain::account::{Account, Mode, Space};
use crate::domain::api_key::{Access, Resource};
use crate::domain::card::{CardFacts, Fingerprint};
use crate::domain::ids::{CustomerId, InstrumentId, SetupAttemptId};
use crate::domain::payment_method::{PaymentMethod, PaymentMethodKind};
use crate::domain::setup_intent::{
    Action, MethodType, Proof, SetupAttempt, SetupError, SetupFailure, SetupIntent, SetupState,
};
use crate::domain::time::Time;
use crate::engine::payment_methods::{self, Found};
use crate::engine::setup_intents;
use crate::http::json::{Json, Object};
use crate::store::{Kept, Read};

/// What browsers do not see of an intent: docs.stripe.com/api/setup_intents/object marks what they do. Payment methods in
/// errors hold what others wrote on them.
const NOT_FOR_BROWSERS: [&str; 11] = [
    "application",
    "customer",
    "customer_account",
    "flow_directions",
    "latest_attempt",
    "mandate",
    "managed_payments",
    "metadata",
    "on_behalf_of",
    "payment_method_options",
    "single_use_mandate",
];

/// What is filled in, looked up.
#[derive(Default)]
pub struct Around {
    customer: Option<Shown>,
    method: Option<(Found, Option<Shown>)>,
    attempt: Option<SetupAttempt>,
    intent: Option<SetupIntent>,
}

/// What an intent or an attempt refers to.
struct Referred<'a> {
    customer: Option<&'a CustomerId>,
    method: Option<&'a InstrumentId>,
    attempt: Option<&'a SetupAttemptId>,
}

impl Around {
    /// What is to be filled in of an intent.
    pub fn intent(
        call: &Call,
        read: &mut dyn Read,
        intent: &SetupIntent,
        expansions: &Expansions,
        now: Time,
    ) -> Kept<Around> {
        let referred = Referred {
            customer: intent.customer.as_ref(),
            method: intent.method.as_ref(),
            attempt: intent.latest_attempt.as_ref(),
        };
        Around::look(call, read, referred, expansions, now)
    }

    /// What is to be filled in of an attempt of the intent.
    pub fn attempt(
        call: &Call,
        read: &mut dyn Read,
        (attempt, intent): (&SetupAttempt, &SetupIntent),
        expansions: &Expansions,
        now: Time,
    ) -> Kept<Around> {
        let (customer, method) = (attempt.customer.as_ref(), Some(&attempt.method.id));
        let around = Around::look(call, read, Referred { customer, method, attempt: None }, expansions, now)?;
        Ok(Around { intent: expansions.has("setup_intent").then(|| intent.clone()), ..around })
    }

    fn look(
        call: &Call,
        read: &mut dyn Read,
        referred: Referred<'_>,
        expansions: &Expansions,
        now: Time,
    ) -> Kept<Around> {
        let (account, space) = (&call.account, call.account.space);
        let mut around = Around::default();
        if let Some(id) = referred.customer.filter(|_| expansions.has("customer"))
            && let Some(customer) = read.customer(space, id)?
        {
            around.customer = Some(Shown::of(read, account, customer, &expansions.below("customer"), now)?);
        }
        if let Some(id) = referred.method.filter(|_| expansions.has("payment_method"))
            && let Some(found) = method(read, space, referred.customer, id)?
        {
            let below = expansions.below("payment_method");
            let holder = found.customer().cloned();
            let holder = holder.map(|customer| Shown::holder(read, account, customer, &below, now)).transpose()?;
            around.method = Some((found, holder));
        }
        if let Some(id) = referred.attempt.filter(|_| expansions.has("latest_attempt")) {
            around.attempt = setup_intents::find_attempt(read, space, id)?;
        }
        Ok(around)
    }

    /// Fills in what was looked up.
    fn fill(&self, object: &mut Object, account: &Account, version: &Version, expansions: &Expansions) {
        let Around { customer, method, attempt: last, intent: whole } = self;
        if let Some(customer) = customer {
            object.set("customer", expand::customer(customer, account, version, &expansions.below("customer")));
        }
        if let Some((found, holder)) = method {
            let below = expansions.below("payment_method");
            let shown = expand::payment_method(&found.instrument(), holder.as_ref(), account, version, &below);
            object.set("payment_method", shown);
        }
        // What these two refer to is beside them.
        if let Some(last) = last {
            object.set("latest_attempt", attempt(last, account, version));
        }
        if let Some(whole) = whole {
            object.set("setup_intent", intent(whole, account, version));
        }
    }
}

/// A payment method that an intent refers to. Its customer is asked first: one that was made and attached in the same
/// transaction can be found nowhere else, because no run of the transaction may ask for an id that only it has drawn.
fn method(read: &mut dyn Read, space: Space, customer: Option<&CustomerId>, id: &InstrumentId) -> Kept<Option<Found>> {
    if let Some(customer) = customer
        && let Some(customer) = read.customer(space, customer)?
        && let Some(instrument) = customer.instrument(id.as_str()).filter(|held| held.is_payment_method()).cloned()
    {
        return Ok(Some(Found::Held { customer: Box::new(customer), instrument }));
    }
    payment_methods::find(read, space, id)
}

/// The paths of a request, checked, as far as the key may see what they lead to.
pub fn require_sight(call: &Call, expansions: &Expansions) -> Result<(), Refusal> {
    discounts::require_sight(call, expansions)?;
    if expansions.has("customer") {
        call.require(Resource::Customer, Access::Read)?;
    }
    if expansions.has("payment_method") {
        call.require(Resource::PaymentMethod, Access::Read)?;
    }
    Ok(())
}

/// An intent as the caller may see it, with what it wants filled in.
pub fn filled_intent(shown: &SetupIntent, around: &Around, call: &Call, expansions: &Expansions) -> Object {
    let mut object = intent(shown, &call.account, &call.version);
    if call.by_browser() {
        for name in NOT_FOR_BROWSERS {
            object.remove(name);
        }
        if let Some(error) = object.get_mut("last_setup_error").and_then(Json::as_object_mut) {
            error.remove("payment_method");
        }
    }
    around.fill(&mut object, &call.account, &call.version, expansions);
    object
}

/// An attempt with what the caller wants filled in.
pub fn filled_attempt(shown: &SetupAttempt, around: &Around, call: &Call, expansions: &Expansions) -> Json {
    let mut object = attempt(shown, &call.account, &call.version);
    around.fill(&mut object, &call.account, &call.version, expansions);
    object.into()
}

/// The payment method of an attempt that failed, as it was.
pub fn failed_method(error: &SetupError, account: &Account, version: &Version) -> Object {
    let SetupError { why: _, method, holder } = error;
    method_object(method, holder.as_ref(), account, version)
}

/// An intent in the words of the version.
pub fn intent(intent: &SetupIntent, account: &Account, version: &Version) -> Object {
    let client_secret = intent.client_secret();
    let SetupIntent {
        id,
        created,
        secret: _,
        customer,
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
    let automatic =
        automatic.map(|redirects| Object::new().and("allow_redirects", redirects.as_str()).and("enabled", true));
    let next_action = match state {
        SetupState::NeedsAction(action) => Some(next_action(id.as_str(), &client_secret, action)),
        SetupState::NeedsMethod | SetupState::NeedsConfirmation | SetupState::Succeeded | SetupState::Canceled(_) => {
            None
        }
    };
    let canceled_for = match state {
        SetupState::Canceled(reason) => reason.map(|reason| reason.as_str()),
        SetupState::NeedsMethod
        | SetupState::NeedsConfirmation
        | SetupState::NeedsAction(_)
        | SetupState::Succeeded => None,
    };
    let mut options = Object::new();
    for kind in [MethodType::Card, MethodType::UsBankAccount] {
        let of_kind = match kind {
            MethodType::Card => Object::new()
                .and("mandate_options", Json::Null)
                .and("network", Json::Null)
                .and("request_three_d_secure", three_d_secure.as_str()),
            MethodType::UsBankAccount => Object::new().and("verification_method", "automatic"),
        };
        if types.contains(&kind) {
            options.add(kind.as_str(), of_kind);
        }
    }
    let types: Vec<Json> = types.iter().map(|kind| kind.as_str().into()).collect();
    let last_error = last_error.as_ref().map(|error| {
        let method = failed_method(error, account, version);
        Refusal::setup_failed(error.why).about("payment_method", method).into_json()
    });
    let mut object = Object::new()
        .and("id", id.as_str().to_owned())
        .and("object", "setup_intent")
        .and("allowed_payment_method_types", Json::Null)
        .and("application", Json::Null)
        .and("automatic_payment_methods", automatic)
        .and("cancellation_reason", canceled_for)
        .and("client_secret", client_secret)
        .and("created", created.seconds())
        .and("customer", customer.as_ref().map(|id| id.as_str().to_owned()))
        // Accounts are no customers here.
        .and("customer_account", Json::Null)
        .and("description", description.as_ref())
        .and("excluded_payment_method_types", Json::Null)
        .and("flow_directions", Json::Null)
        .and("last_setup_error", last_error)
        .and("latest_attempt", latest_attempt.as_ref().map(|id| id.as_str().to_owned()))
        .and("livemode", account.mode == Mode::Live)
        .and("managed_payments", Json::Null)
        .and("mandate", Json::Null)
        .and("metadata", free_data(metadata))
        .and("next_action", next_action)
        .and("on_behalf_of", Json::Null)
        .and("payment_method", method.as_ref().map(|id| id.as_str().to_owned()))
        .and("payment_method_configuration_details", Json::Null)
        .and("payment_method_options", (!options.is_empty()).then_some(options))
        .and("payment_method_types", types)
        .and("single_use_mandate", Json::Null)
        .and("status", state.as_str())
        .and("usage", usage.as_str());
    versions::down(&mut object, versions::SETUP_INTENT, &(), version);
    object
}

/// What a customer has to do. There is no page here at which a card's owner proves who he is, so that he is sent straight
/// on to where he would come out, and what he would have done is said by the test helper. The result is not part of the
/// address, because nothing has been decided.
fn next_action(id: &str, client_secret: &str, action: &Action) -> Object {
    match action {
        Action::Authenticate { return_url: Some(url) } => {
            let (address, fragment) = url.split_once('#').map_or((url.as_str(), None), |(it, rest)| (it, Some(rest)));
            let joint = if address.contains('?') { '&' } else { '?' };
            let fragment = fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
            let next =
                format!("{address}{joint}setup_intent={id}&setup_intent_client_secret={client_secret}{fragment}");
            let inner = Object::new().and("return_url", url).and("url", next);
            Object::new().and("redirect_to_url", inner).and("type", "redirect_to_url")
        }
        Action::Authenticate { return_url: None } => {
            Object::new().and("type", "use_stripe_sdk").and("use_stripe_sdk", Object::new())
        }
        Action::Microdeposits { arrival, failed: _ } => {
            let inner = Object::new()
                .and("arrival_date", arrival.seconds())
                // Nor is there a page for this. It is a place of this server's own, to which the guess is posted.
                .and("hosted_verification_url", format!("/v1/setup_intents/{id}/verify_microdeposits"))
                .and("microdeposit_type", "descriptor_code");
            Object::new().and("type", "verify_with_microdeposits").and("verify_with_microdeposits", inner)
        }
    }
}

/// An attempt in the words of the version.
pub fn attempt(attempt: &SetupAttempt, account: &Account, version: &Version) -> Object {
    let SetupAttempt { id, created, intent, customer, method, holder, usage, status, error, proof } = attempt;
    let error = error.map(|why: SetupFailure| {
        let shown = method_object(method, holder.as_ref(), account, version);
        Refusal::setup_failed(why).about("payment_method", shown).into_json()
    });
    let mut object = Object::new()
        .and("id", id.as_str().to_owned())
        .and("object", "setup_attempt")
        .and("application", Json::Null)
        .and("created", created.seconds())
        .and("customer", customer.as_ref().map(|id| id.as_str().to_owned()))
        // Accounts are no customers here.
        .and("customer_account", Json::Null)
        .and("flow_directions", Json::Null)
        .and("livemode", account.mode == Mode::Live)
        .and("on_behalf_of", Json::Null)
        .and("payment_method", method.id.as_str().to_owned())
        .and("payment_method_details", details(method, *proof))
        .and("setup_error", error)
        .and("setup_intent", intent.as_str().to_owned())
        .and("status", status.as_str())
        .and("usage", usage.as_str());
    versions::down(&mut object, versions::SETUP_ATTEMPT, &(), version);
    object
}

fn details(method: &PaymentMethod, proof: Option<Proof>) -> Object {
    match &method.kind {
        PaymentMethodKind::Card(facts) => {
            let CardFacts {
                brand,
                last4,
                exp_month,
                exp_year,
                country,
                funding,
                fingerprint: Fingerprint(fingerprint),
                checks,
                reference: _,
            } = facts;
            let card = Object::new()
                .and("brand", brand.as_str())
                .and("checks", display_checks(checks))
                .and("country", country.as_ref())
                .and("exp_month", i64::from(*exp_month))
                .and("exp_year", i64::from(*exp_year))
                .and("fingerprint", fingerprint)
                .and("funding", funding.as_str())
                .and("last4", last4)
                .and("network", brand.as_str())
                .and("three_d_secure", proof.map(three_d_secure))
                .and("wallet", Json::Null);
            Object::new().and("card", card).and("type", "card")
        }
        PaymentMethodKind::UsBankAccount { .. } => {
            Object::new().and("type", "us_bank_account").and("us_bank_account", Object::new())
        }
    }
}

/// What came of asking a card's owner who he is. What goes on between issuers nobody has played here.
fn three_d_secure(proof: Proof) -> Object {
    let (flow, reason) = match proof {
        Proof::Authenticated => (Some("challenge"), None),
        Proof::Failed => (Some("challenge"), Some("rejected")),
        Proof::ProcessingError => (None, Some("protocol_error")),
    };
    Object::new()
        .and("authentication_flow", flow)
        .and("electronic_commerce_indicator", Json::Null)
        .and("result", proof.as_str())
        .and("result_reason", reason)
        .and("transaction_id", Json::Null)
        .and("version", "2.2.0")
}
