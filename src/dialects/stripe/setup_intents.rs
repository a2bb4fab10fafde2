//! Setup intents and their attempts: docs.stripe.com/api/setup_intents, docs.stripe.com/api/setup_attempts.

use std::sync::Arc;

use super::expand::{self, Expansions};
use super::failure::{Named, Names, Refusal, SETUP_ATTEMPT, SETUP_INTENT};
use super::lists;
use super::offers;
use super::params;
use super::payment_methods::{Draft, DraftInput};
use super::setup_objects::{self, Around, filled_attempt, filled_intent};
use super::setup_params::{
    AUTHENTICATE, CANCEL, CONFIRM, CREATE, Input, LIST, LIST_ATTEMPTS, List, RETRIEVE, UPDATE, VERIFY,
};
use super::versions::Version;
use super::{Answer, Call, Halt, Plan};
use crate::domain::account::{Account, Mode};
use crate::domain::bank_account::Told;
use crate::domain::decline::Decline;
use crate::domain::ids::{InstrumentId, SetupAttemptId, SetupIntentId};
use crate::domain::page::{Page, Place, Span};
use crate::domain::patch::Patch;
use crate::domain::payment_method::{BillingDetails, PaymentMethodKind};
use crate::domain::problem::Problem;
use crate::domain::setup_intent::{
    MethodType, Proof, Redirects, SetupIntent, SetupIntentChange, SetupState, SetupVerb, ThreeDSecure, Usage,
};
use crate::engine::payment_methods::{self, Found};
use crate::engine::setup_intents::{self, Choice, Confirmation, Guessed, NewSetupIntent, Verdict};
use crate::engine::{Ctx, Done, Stop};
use crate::http::json::Json;
use crate::processor::{self, Accepted, Authentication, Finding, Question, Subject, Verified};
use crate::store::{Kept, Read, Tx};

/// How the operations name what they work on.
const NAMES: Names = Names {
    customer: Named::by("customer"),
    payment_method: Named::by("payment_method"),
    setup_intent: Named::by_path("intent"),
    source: Named::by("payment_method_data[card][token]"),
    token: Named::by("payment_method_data[card][token]"),
    ..Names::BY_PATH
};

/// A payment method as a request gives it.
#[derive(Clone)]
enum Given {
    /// Not at all.
    Nothing,
    /// By its id, or by a name that documents give.
    Id(InstrumentId),
    /// By what it is to be made of.
    Draft(Box<Draft>),
}

impl Given {
    fn of(method: Option<InstrumentId>, draft: DraftInput) -> Result<Given, Refusal> {
        const DATA: &str = "payment_method_data";
        match (method, draft.kind.is_some()) {
            (Some(_), true) => Err(Refusal::exclusive(&["payment_method", DATA])),
            (Some(id), false) => Ok(Given::Id(id)),
            (None, true) => Ok(Given::Draft(Box::new(Draft::of(DATA, draft)?))),
            (None, false) => Ok(Given::Nothing),
        }
    }

    /// What to ask the processor; `verify` when it is to be used from now on.
    fn question(&self, read: &mut dyn Read, account: &Account, verify: bool) -> Kept<Option<Question>> {
        let id = match self {
            Given::Nothing => return Ok(None),
            Given::Draft(draft) => return draft.question(read, account, verify),
            Given::Id(id) => id,
        };
        let about = match payment_methods::find(read, account.space, id)? {
            Some(Found::Loose(loose)) if loose.spent => return Ok(None),
            Some(found) if verify => match found.instrument().as_payment_method() {
                Some(method) => Subject::Known(offers::of_method(&method)),
                None => return Ok(None),
            },
            Some(_) => return Ok(None),
            None if id.as_str().starts_with("pm_") => Subject::Named(id.0.clone()),
            None => return Ok(None),
        };
        Ok(Some(Question { about, verify }))
    }

    /// The payment method, as the processor found it where it was asked.
    fn choice(&self, tx: &mut dyn Tx, ctx: &Ctx<'_>, finding: Option<&Finding>, verify: bool) -> Done<Option<Choice>> {
        let accepted = |finding| -> Done<Option<Accepted>> { Ok(processor::found(finding)?.instrument()?.cloned()) };
        let id = match self {
            Given::Nothing => return Ok(None),
            Given::Draft(draft) => {
                let (method, token) = draft.method(tx, ctx, finding)?;
                return Ok(Some(Choice::New { method, token: token.map(Box::new) }));
            }
            Given::Id(id) => id,
        };
        let choice = match payment_methods::find(tx, ctx.account.space, id)? {
            Some(found) => {
                let choice = Choice::found(found)?;
                if !verify {
                    return Ok(Some(choice));
                }
                let accepted = accepted(finding)?.ok_or_else(processor::mixed_up)?;
                let before = &choice.method().kind;
                let kind = offers::kind_of(accepted, Some(before));
                if !is_same(before, &kind) {
                    return Err(processor::mixed_up());
                }
                choice.as_found(kind)
            }
            None if id.as_str().starts_with("pm_") => {
                let accepted = accepted(finding)?.ok_or_else(|| Problem::NoSuchPaymentMethod(id.clone()))?;
                let method = offers::new_method(ctx, offers::kind_of(accepted, None), BillingDetails::default());
                Choice::New { method, token: None }
            }
            None => return Err(Problem::NoSuchPaymentMethod(id.clone()).into()),
        };
        Ok(Some(choice))
    }
}

/// Whether both are one card or one bank account, whatever was found out about it.
fn is_same(one: &PaymentMethodKind, other: &PaymentMethodKind) -> bool {
    match (one, other) {
        (PaymentMethodKind::Card(one), PaymentMethodKind::Card(other)) => one.reference == other.reference,
        (
            PaymentMethodKind::UsBankAccount { facts: one, .. },
            PaymentMethodKind::UsBankAccount { facts: other, .. },
        ) => one.reference == other.reference,
        (PaymentMethodKind::Card(_) | PaymentMethodKind::UsBankAccount { .. }, _) => false,
    }
}

/// What was found of a payment method that is to be used, without the issuer's no: an intent is told of that one.
fn without_no(finding: Option<&Finding>) -> Option<Finding> {
    finding.cloned().map(|finding| match finding {
        Finding::Refused { instrument, decline: _ } => Finding::Accepted(instrument),
        Finding::Accepted(_)
        | Finding::Verified(_)
        | Finding::Declined(_)
        | Finding::NoSuchName
        | Finding::Judged(_) => finding,
    })
}

/// What a finding means for an intent.
fn verdict(finding: Option<&Finding>, usage: Usage, wanted: ThreeDSecure) -> Done<Verdict> {
    let authentication = match processor::found(finding)? {
        Finding::Refused { instrument: _, decline } => {
            return Ok(Verdict::Refused { decline: *decline, proof: None });
        }
        Finding::Verified(Verified { authentication, .. }) => authentication,
        Finding::Accepted(_) | Finding::Declined(_) | Finding::NoSuchName | Finding::Judged(_) => {
            return Err(processor::mixed_up());
        }
    };
    let any = wanted == ThreeDSecure::Any;
    let unasked = Verdict::Refused { decline: Decline::Generic, proof: Some(Proof::ProcessingError) };
    Ok(match authentication {
        Authentication::Unsupported => Verdict::Usable,
        Authentication::Offered if any => Verdict::NeedsProof,
        Authentication::OfferedFails if any => unasked,
        Authentication::Offered | Authentication::OfferedFails => Verdict::Usable,
        // Not any more when its owner is away, which is what it is set up for.
        Authentication::SetUpAlready if usage == Usage::OffSession && !any => Verdict::Usable,
        Authentication::SetUpAlready
        | Authentication::UntilSetUp
        | Authentication::Always
        // Money is asked for when it is charged.
        | Authentication::AlwaysThenInsufficientFunds
        | Authentication::Required
        | Authentication::RequiredThenDeclined => Verdict::NeedsProof,
        Authentication::RequiredLookupFails => unasked,
    })
}

/// What a finding means once the owner of the card proved who he is.
fn verdict_after_proof(finding: Option<&Finding>) -> Done<Verdict> {
    Ok(match processor::found(finding)? {
        Finding::Refused { instrument: _, decline } => Verdict::Refused { decline: *decline, proof: None },
        Finding::Verified(Verified { authentication: Authentication::RequiredThenDeclined, .. }) => {
            Verdict::Refused { decline: Decline::Generic, proof: None }
        }
        Finding::Verified(_) => Verdict::Usable,
        Finding::Accepted(_) | Finding::Declined(_) | Finding::NoSuchName | Finding::Judged(_) => {
            return Err(processor::mixed_up());
        }
    })
}

/// `POST /v1/setup_intents`
pub fn create(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let input: Input = params::read(CREATE, &call.given, &call.version)?;
    let expansions = expansions(call, &input.expand)?;
    let (types, automatic) = types(&input, &call.version)?;
    let Input { customer, method, draft, usage, description, three_d_secure, confirm, metadata, .. } = input;
    let (return_url, use_sdk) = (input.return_url, input.use_sdk);
    if !confirm && (return_url.is_some() || use_sdk) {
        return Err(Refusal::only_with(if use_sdk { "use_stripe_sdk" } else { "return_url" }, "confirm=true"));
    }
    let given = Given::of(method, draft)?;
    if confirm && matches!(given, Given::Nothing) {
        return Err(Refusal::missing_parameter("payment_method"));
    }
    let return_url = return_url.filter(|_| !use_sdk);
    let (usage, three_d_secure) =
        (usage.unwrap_or(Usage::OffSession), three_d_secure.unwrap_or(ThreeDSecure::Automatic));
    let new = NewSetupIntent { customer, description, usage, types, automatic, three_d_secure, metadata };
    let asked = given.clone();
    let ask = move |call: &Call, read: &mut dyn Read| asked.question(read, &call.account, confirm);
    Ok(Plan::asking(NAMES, ask, move |call, tx, ctx, finding| {
        let choice = given.choice(tx, ctx, without_no(finding).as_ref(), confirm)?;
        let confirmation = match confirm {
            true => {
                Some(Confirmation { verdict: verdict(finding, usage, three_d_secure)?, return_url: return_url.clone() })
            }
            false => None,
        };
        let made = setup_intents::create(tx, ctx, new.clone(), choice, confirmation)?;
        answered(call, tx, ctx, made, &expansions)
    }))
}

/// The types that an intent takes, and whether they were chosen one by one.
fn types(input: &Input, version: &Version) -> Result<(Vec<MethodType>, Option<Redirects>), Refusal> {
    let redirects = input.redirects.unwrap_or(Redirects::Always);
    match (input.automatic, &input.types) {
        (Some(true), Some(_)) => Err(Refusal::exclusive(&["automatic_payment_methods", "payment_method_types"])),
        (Some(true), None) => Ok((MethodType::ALL.to_vec(), Some(redirects))),
        // docs.stripe.com/changelog, 2023-08-16: unless types are chosen, all are taken.
        (None, None) if version.since("2023-08-16") => Ok((MethodType::ALL.to_vec(), Some(redirects))),
        (Some(false) | None, Some(types)) if !types.is_empty() => Ok((types.clone(), None)),
        (Some(false) | None, _) => Ok((vec![MethodType::Card], None)),
    }
}

/// `GET /v1/setup_intents/{intent}`
pub fn retrieve(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let input: Input = params::read(RETRIEVE, &call.given, &call.version)?;
    require_secret(call, &input)?;
    let expansions = expansions(call, &input.expand)?;
    let id = SetupIntentId(call.part(0)?);
    Ok(Plan::look(NAMES, move |call, read| {
        let intent = setup_intents::read(read, &call.account, &id)?;
        if is_not_of(&input.client_secret, &intent) {
            return Err(Refusal::wrong_client_secret().into());
        }
        let around = Around::intent(call, read, &intent, &expansions, call.now)?;
        Ok(Answer::of(filled_intent(&intent, &around, call, &expansions).into()))
    }))
}

/// `POST /v1/setup_intents/{intent}`
pub fn update(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let input: Input = params::read(UPDATE, &call.given, &call.version)?;
    let expansions = expansions(call, &input.expand)?;
    let Input { customer, method, draft, types, description, three_d_secure, metadata, .. } = input;
    let given = Given::of(method, draft)?;
    let description = description.map(Patch::Set).unwrap_or_default();
    let change = SetupIntentChange { customer, description, types, three_d_secure, metadata };
    let id = SetupIntentId(call.part(0)?);
    let asked = given.clone();
    let ask = move |call: &Call, read: &mut dyn Read| asked.question(read, &call.account, false);
    Ok(Plan::asking(NAMES, ask, move |call, tx, ctx, finding| {
        let before = setup_intents::read(tx, ctx.account, &id)?;
        if !matches!(given, Given::Nothing)
            && let Err(problem) = before.require_open(SetupVerb::Update)
        {
            return refused_by_state(call, problem.into());
        }
        let choice = given.choice(tx, ctx, finding, false)?;
        match setup_intents::update(tx, ctx, &id, change.clone(), choice) {
            Ok(intent) => shown(call, tx, ctx, &intent, &expansions),
            Err(stop) => refused_by_state(call, stop),
        }
    }))
}

/// `POST /v1/setup_intents/{intent}/confirm`
pub fn confirm(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let input: Input = params::read(CONFIRM, &call.given, &call.version)?;
    require_secret(call, &input)?;
    let expansions = expansions(call, &input.expand)?;
    let Input { method, draft, three_d_secure, return_url, use_sdk, client_secret, .. } = input;
    let given = Given::of(method, draft)?;
    let brings = !matches!(given, Given::Nothing);
    let return_url = return_url.filter(|_| !use_sdk);
    let id = SetupIntentId(call.part(0)?);
    let (asked, of) = (given.clone(), id.clone());
    let ask = move |call: &Call, read: &mut dyn Read| match setup_intents::find(read, &call.account, &of)? {
        Some(intent) if intent.require_confirmable(brings).is_ok() => {
            meant(&asked, &intent).question(read, &call.account, true)
        }
        Some(_) | None => Ok(None),
    };
    Ok(Plan::asking(NAMES, ask, move |call, tx, ctx, finding| {
        let mut before = setup_intents::read(tx, ctx.account, &id)?;
        if is_not_of(&client_secret, &before) {
            return Ok(Answer::refused(Refusal::wrong_client_secret()));
        }
        if let Err(problem) = before.require_confirmable(brings) {
            return refused_by_state(call, problem.into());
        }
        let kept = before.clone();
        before.three_d_secure = three_d_secure.unwrap_or(before.three_d_secure);
        let given = meant(&given, &before);
        let Some(choice) = given.choice(tx, ctx, without_no(finding).as_ref(), true)? else {
            return refused_by_state(call, before.refusal(SetupVerb::ConfirmNothing).into());
        };
        let verdict = verdict(finding, before.usage, before.three_d_secure)?;
        let confirmation = Confirmation { verdict, return_url: return_url.clone() };
        let options = before.three_d_secure;
        let intent = setup_intents::confirm(tx, ctx, &kept, options, &choice, brings, confirmation)?;
        answered(call, tx, ctx, intent, &expansions)
    }))
}

/// The payment method that is meant: the one that the request gives, or the intent's own.
fn meant(given: &Given, intent: &SetupIntent) -> Given {
    match (given, &intent.method) {
        (Given::Nothing, Some(id)) => Given::Id(id.clone()),
        (given, _) => given.clone(),
    }
}

/// `POST /v1/setup_intents/{intent}/cancel`
pub fn cancel(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let input: Input = params::read(CANCEL, &call.given, &call.version)?;
    let expansions = expansions(call, &input.expand)?;
    let id = SetupIntentId(call.part(0)?);
    Ok(Plan::write(NAMES, move |call, tx, ctx| match setup_intents::cancel(tx, ctx, &id, input.reason) {
        Ok(intent) => shown(call, tx, ctx, &intent, &expansions),
        Err(stop) => refused_by_state(call, stop),
    }))
}

/// `POST /v1/setup_intents/{intent}/verify_microdeposits`
pub fn verify_microdeposits(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let input: Input = params::read(VERIFY, &call.given, &call.version)?;
    require_secret(call, &input)?;
    let expansions = expansions(call, &input.expand)?;
    let Input { amounts, descriptor_code, client_secret, .. } = input;
    let (told, by_code) = match (amounts, descriptor_code) {
        (Some(amounts), None) => {
            let amounts = <[i64; 2]>::try_from(amounts).map_err(|_| Refusal::no_two_amounts())?;
            (Told::Amounts(amounts), false)
        }
        (None, Some(code)) => (Told::Code(code), true),
        (Some(_), Some(_)) => return Err(Refusal::exclusive(&["amounts", "descriptor_code"])),
        (None, None) => return Err(Refusal::one_of(&["amounts", "descriptor_code"])),
    };
    let id = SetupIntentId(call.part(0)?);
    let asked = id.clone();
    let ask = move |call: &Call, read: &mut dyn Read| {
        let account = setup_intents::bank_account(read, &call.account, &asked)?;
        Ok(account.map(|account| Question { about: Subject::PaidIn(account, told.clone()), verify: false }))
    };
    Ok(Plan::asking(NAMES, ask, move |call, tx, ctx, finding| {
        let before = setup_intents::read(tx, ctx.account, &id)?;
        if is_not_of(&client_secret, &before) {
            return Ok(Answer::refused(Refusal::wrong_client_secret()));
        }
        match setup_intents::verify_microdeposits(tx, ctx, &id, || processor::found(finding)?.guess()) {
            // A wrong guess is counted, and answered as an error.
            Ok(Guessed { intent, again: true }) => {
                let object = filled_intent(&intent, &Around::default(), call, &Expansions::default());
                Ok(Answer::refused(Refusal::wrong_guess(by_code).about("setup_intent", object)))
            }
            Ok(Guessed { intent, again: false }) => answered(call, tx, ctx, intent, &expansions),
            Err(stop) => refused_by_state(call, stop),
        }
    }))
}

/// `POST /v1/test_helpers/setup_intents/{intent}/authenticate`: says what the owner of a card did when he was asked who he
/// is. The request does what it is asked, so it succeeds whatever comes of it.
pub fn authenticate(call: &Arc<Call>) -> Result<Plan, Refusal> {
    if call.account.mode == Mode::Live {
        return Err(Refusal::test_mode_only());
    }
    let input: Input = params::read(AUTHENTICATE, &call.given, &call.version)?;
    let expansions = expansions(call, &input.expand)?;
    let failed = input.failed;
    let id = SetupIntentId(call.part(0)?);
    let of = id.clone();
    let ask = move |call: &Call, read: &mut dyn Read| match setup_intents::find(read, &call.account, &of)? {
        Some(intent) if !failed && matches!(intent.state, SetupState::NeedsAction(_)) => {
            meant(&Given::Nothing, &intent).question(read, &call.account, true)
        }
        Some(_) | None => Ok(None),
    };
    Ok(Plan::asking(NAMES, ask, move |call, tx, ctx, finding| {
        let before = setup_intents::read(tx, ctx.account, &id)?;
        if let Err(problem) = before.require_waiting_for_proof() {
            return refused_by_state(call, problem.into());
        }
        let verdict = match failed {
            true => None,
            false => {
                // Looks again whether it can still be used.
                meant(&Given::Nothing, &before).choice(tx, ctx, without_no(finding).as_ref(), true)?;
                Some(verdict_after_proof(finding)?)
            }
        };
        let intent = setup_intents::authenticate(tx, ctx, &before, verdict)?;
        shown(call, tx, ctx, &intent, &expansions)
    }))
}

/// `GET /v1/setup_intents`
pub fn list(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let List { paging, filter, attached_to_self, intent: _ } = params::read(LIST, &call.given, &call.version)?;
    let anchor = paging.anchor()?;
    let (expansions, _) = Expansions::of_list(&paging.expand, expand::SETUP_INTENT, false, &call.version)?;
    setup_objects::require_sight(call, &expansions)?;
    let limit = paging.limit();
    Ok(Plan::scan(NAMES, move |call, read| {
        let cursor = lists::placed(&anchor, |id| {
            match setup_intents::find(read, &call.account, &SetupIntentId(id.to_owned()))? {
                Some(intent) => Ok(Place { created: intent.created, id: intent.id.0 }),
                None => Err(Halt::from(Refusal::no_such(SETUP_INTENT, id, lists::anchor_param(&anchor)))),
            }
        })?;
        let Page { mut items, mut has_more } = setup_intents::list(read, &call.account, &filter, cursor, limit)?;
        if attached_to_self {
            // No account pays with what is its own here.
            (items, has_more) = (Vec::new(), false);
        }
        // All are asked for before a failure is passed on: a store that fetches for a whole run then does so once.
        let around: Vec<_> =
            items.iter().map(|intent| Around::intent(call, read, intent, &expansions, call.now)).collect();
        let around: Vec<_> = around.into_iter().collect::<Kept<_>>()?;
        let page = Page { items: items.into_iter().zip(around).collect(), has_more };
        let item = |(intent, around): &(SetupIntent, Around)| -> Json {
            filled_intent(intent, around, call, &expansions).into()
        };
        Ok(Answer::of(lists::envelope(&page, "/v1/setup_intents".to_owned(), item)))
    }))
}

/// `GET /v1/setup_attempts`
pub fn list_attempts(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let List { paging, filter, intent, .. } = params::read(LIST_ATTEMPTS, &call.given, &call.version)?;
    let anchor = paging.anchor()?;
    let (expansions, _) = Expansions::of_list(&paging.expand, expand::SETUP_ATTEMPT, false, &call.version)?;
    setup_objects::require_sight(call, &expansions)?;
    let (limit, created): (usize, Span) = (paging.limit(), filter.created);
    let id = SetupIntentId(intent);
    let names = Names { setup_intent: Named::by("setup_intent"), ..NAMES };
    Ok(Plan::scan(names, move |call, read| {
        let intent = setup_intents::read(read, &call.account, &id)?;
        let cursor = lists::placed(&anchor, |id| {
            let found = setup_intents::find_attempt(read, call.account.space, &SetupAttemptId(id.to_owned()))?;
            match found.filter(|attempt| attempt.intent == intent.id) {
                Some(attempt) => Ok(Place { created: attempt.created, id: attempt.id.0 }),
                None => Err(Halt::from(Refusal::no_such(SETUP_ATTEMPT, id, lists::anchor_param(&anchor)))),
            }
        })?;
        let Page { items, has_more } =
            setup_intents::attempts(read, &call.account, &intent.id, created, cursor, limit)?;
        let around: Vec<_> = items
            .iter()
            .map(|attempt| Around::attempt(call, read, (attempt, &intent), &expansions, call.now))
            .collect();
        let around: Vec<_> = around.into_iter().collect::<Kept<_>>()?;
        let page = Page { items: items.into_iter().zip(around).collect::<Vec<_>>(), has_more };
        let item = |(attempt, around): &(_, Around)| filled_attempt(attempt, around, call, &expansions);
        Ok(Answer::of(lists::envelope(&page, "/v1/setup_attempts".to_owned(), item)))
    }))
}

fn expansions(call: &Call, paths: &[String]) -> Result<Expansions, Refusal> {
    let expansions = Expansions::of_object(paths, expand::SETUP_INTENT, &call.version)?;
    setup_objects::require_sight(call, &expansions)?;
    Ok(expansions)
}

/// A browser has to show the client secret, and sees nothing but the intent itself.
fn require_secret(call: &Call, input: &Input) -> Result<(), Refusal> {
    match (call.by_browser(), &input.client_secret) {
        (true, None) => Err(Refusal::missing_parameter("client_secret")),
        (true, Some(_)) if !input.expand.is_empty() => Err(Refusal::publishable_key()),
        (true | false, _) => Ok(()),
    }
}

fn is_not_of(client_secret: &Option<String>, intent: &SetupIntent) -> bool {
    client_secret.as_ref().is_some_and(|given| *given != intent.client_secret())
}

/// The intent after something that may have failed. A failure is answered as an error, though it has changed the intent.
fn answered(call: &Call, tx: &mut dyn Tx, ctx: &Ctx<'_>, intent: SetupIntent, expansions: &Expansions) -> Done<Answer> {
    let Some(error) = &intent.last_error else { return shown(call, tx, ctx, &intent, expansions) };
    let object = filled_intent(&intent, &Around::default(), call, &Expansions::default());
    let refusal = Refusal::setup_failed(error.why).about("setup_intent", object);
    if call.by_browser() {
        return Ok(Answer::refused(refusal));
    }
    let method = setup_objects::failed_method(error, &call.account, &call.version);
    Ok(Answer::refused(refusal.about("payment_method", method)))
}

fn shown(call: &Call, tx: &mut dyn Tx, ctx: &Ctx<'_>, intent: &SetupIntent, expansions: &Expansions) -> Done<Answer> {
    let around = Around::intent(call, tx, intent, expansions, ctx.now)?;
    Ok(Answer::of(filled_intent(intent, &around, call, expansions).into()))
}

/// The refusal of what an intent's state does not allow shows the intent.
fn refused_by_state(call: &Call, stop: Stop) -> Done<Answer> {
    match stop {
        Stop::Problem(Problem::SetupIntentState { intent, wish }) => {
            let object = filled_intent(&intent, &Around::default(), call, &Expansions::default());
            Ok(Answer::refused(Refusal::setup_state(&intent, wish).about("setup_intent", object)))
        }
        stop => Err(stop),
    }
}
