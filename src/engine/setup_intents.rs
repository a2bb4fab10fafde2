//! Setup intents and their attempts: create, read, update, confirm, cancel, finish, list. Whoever calls has asked the
//! processor already; here is decided what comes of its verdict. A payment method is attached before its intent is told of
//! as succeeded, so that who hears of the success finds it with its customer.

use super::customers::{live, read as read_customer, replace};
use super::objects::{self, Walk};
use super::payment_methods::{self, Found};
use super::{Ctx, Done, LETTERS_AND_DIGITS, random_word, tell, tokens};
use crate::domain::account::{Account, Space};
use crate::domain::bank_account::Guess;
use crate::domain::card::Reference;
use crate::domain::customer::Customer;
use crate::domain::decline::Decline;
use crate::domain::event::{Happening, ObjectChange};
use crate::domain::facts::{Facts, setup_lists};
use crate::domain::ids::{CustomerId, InstrumentId, SetupAttemptId, SetupIntentId};
use crate::domain::instrument::Instrument;
use crate::domain::metadata::MetadataChange;
use crate::domain::object::{List, ObjectKind};
use crate::domain::page::{Cursor, Page, Place, Span};
use crate::domain::payment_method::{LoosePaymentMethod, PaymentMethod, PaymentMethodKind};
use crate::domain::problem::Problem;
use crate::domain::setup_intent::{
    Action, AttemptStatus, CancellationReason, MethodType, Proof, Redirects, SetupAttempt, SetupFailure, SetupIntent,
    SetupIntentChange, SetupState, SetupStep, SetupVerb, ThreeDSecure, Usage,
};
use crate::domain::token::Token;
use crate::store::{Kept, Read, Tx};

/// How many characters a client secret has after the id.
const SECRET_LENGTH: usize = 25;

/// What an intent is made of.
#[derive(Clone, Debug)]
pub struct NewSetupIntent {
    /// Who is to hold the payment method.
    pub customer: Option<CustomerId>,
    /// Words about it.
    pub description: Option<String>,
    /// When the payment method is going to be used.
    pub usage: Usage,
    /// The types that the payment method may be of.
    pub types: Vec<MethodType>,
    /// The types were not chosen one by one.
    pub automatic: Option<Redirects>,
    /// When a card's owner has to prove who he is.
    pub three_d_secure: ThreeDSecure,
    /// Free data.
    pub metadata: MetadataChange,
}

/// A payment method for an intent, as the processor knows it, and where it is until now.
#[derive(Clone, Debug)]
pub enum Choice {
    /// Nowhere: it is made for the intent.
    New {
        /// The payment method.
        method: PaymentMethod,
        /// The token that is used up by it.
        token: Option<Box<Token>>,
    },
    /// By itself.
    Loose {
        /// The payment method.
        method: PaymentMethod,
        /// As it is kept.
        kept: Box<LoosePaymentMethod>,
    },
    /// With a customer.
    Held {
        /// The payment method.
        method: PaymentMethod,
        /// Who holds it.
        holder: CustomerId,
    },
}

impl Choice {
    /// A payment method that there is, where it can still be used.
    pub fn found(found: Found) -> Result<Choice, Problem> {
        let method = found.instrument().as_payment_method();
        match (found, method) {
            (Found::Loose(loose), _) if loose.spent => Err(Problem::PaymentMethodSpent),
            (Found::Loose(kept), _) => Ok(Choice::Loose { method: kept.method.clone(), kept }),
            (Found::Held { customer, .. }, Some(method)) => Ok(Choice::Held { method, holder: customer.id }),
            (Found::Held { instrument, .. }, None) => Err(Problem::NoSuchPaymentMethod(instrument.id().clone())),
        }
    }

    /// The payment method.
    pub fn method(&self) -> &PaymentMethod {
        match self {
            Choice::New { method, .. } | Choice::Loose { method, .. } | Choice::Held { method, .. } => method,
        }
    }

    /// The same payment method as the processor found it. What a customer holds is left as it is.
    pub fn as_found(self, kind: PaymentMethodKind) -> Choice {
        match self {
            Choice::New { method, token } => Choice::New { method: PaymentMethod { kind, ..method }, token },
            Choice::Loose { method, kept } => Choice::Loose { method: PaymentMethod { kind, ..method }, kept },
            Choice::Held { .. } => self,
        }
    }

    fn holder(&self) -> Option<&CustomerId> {
        match self {
            Choice::New { .. } | Choice::Loose { .. } => None,
            Choice::Held { holder, .. } => Some(holder),
        }
    }

    fn require_fit(&self, intent: &SetupIntent) -> Result<(), Problem> {
        intent.require_fit(&self.method().id, &self.method().kind, self.holder())
    }

    /// Keeps it by itself, where no customer holds it.
    fn keep(&self, tx: &mut dyn Tx, ctx: &Ctx<'_>) -> Done<()> {
        let loose = LoosePaymentMethod { method: self.method().clone(), spent: false };
        match self {
            Choice::New { token, .. } => {
                if let Some(token) = token {
                    tokens::spend(tx, ctx, token)?;
                }
                objects::put(tx, ctx, None, &loose.into())?;
            }
            Choice::Loose { kept, .. } if **kept != loose => {
                objects::put(tx, ctx, Some(&LoosePaymentMethod::clone(kept).into()), &loose.into())?;
            }
            Choice::Loose { .. } | Choice::Held { .. } => {}
        }
        Ok(())
    }

    /// Takes it from where it is, because a customer holds it from now on.
    fn take(&self, tx: &mut dyn Tx, ctx: &Ctx<'_>) -> Done<()> {
        match self {
            Choice::New { token: Some(token), .. } => tokens::spend(tx, ctx, token),
            Choice::Loose { kept, .. } => Ok(objects::remove(tx, ctx, &LoosePaymentMethod::clone(kept).into())?),
            Choice::New { token: None, .. } | Choice::Held { .. } => Ok(()),
        }
    }
}

/// What the processor says of using a payment method from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It can be used.
    Usable,
    /// Its owner has to prove who he is before.
    NeedsProof,
    /// It cannot.
    Refused {
        /// Why.
        decline: Decline,
        /// What came of asking its owner who he is, if that was tried.
        proof: Option<Proof>,
    },
}

/// What it takes to confirm an intent.
#[derive(Clone, Debug)]
pub struct Confirmation {
    /// What the processor says of the payment method.
    pub verdict: Verdict,
    /// Where the customer goes on after he was sent away to prove who he is; `None` when he is not sent away.
    pub return_url: Option<String>,
}

/// What becomes of an attempt.
enum Ending {
    /// The customer has to do something.
    Action(Action),
    /// The payment method is set up.
    Success(Box<Choice>),
    /// It is not.
    Failure(SetupFailure),
}

/// What is to be written when an attempt has come so far.
struct Decided {
    intent: SetupIntent,
    step: SetupStep,
    attempt: SetupAttempt,
    /// The attempt as it was until now; `None` when it begins.
    earlier: Option<SetupAttempt>,
    /// The payment method, where it is looked at.
    choice: Option<Choice>,
    /// The customer who holds it from now on, as it was and as it is then.
    attached: Option<(Customer, Customer)>,
    /// An earlier attempt that nobody goes on with.
    given_up: Option<SetupAttempt>,
}

/// Makes an intent, and confirms it where that is wanted too.
pub fn create(
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    new: NewSetupIntent,
    choice: Option<Choice>,
    confirmation: Option<Confirmation>,
) -> Done<SetupIntent> {
    let NewSetupIntent { customer, description, usage, types, automatic, three_d_secure, metadata: change } = new;
    if let Some(customer) = &customer {
        live(tx, ctx.account, customer)?;
    }
    let mut metadata = Default::default();
    change.onto(&mut metadata)?;
    let mut made = SetupIntent {
        id: SetupIntentId::mint(ctx.ids, ctx.now),
        created: ctx.now,
        secret: random_word(ctx.ids, LETTERS_AND_DIGITS, SECRET_LENGTH),
        customer,
        method: None,
        description,
        usage,
        types,
        automatic,
        three_d_secure,
        state: SetupState::NeedsMethod,
        last_error: None,
        latest_attempt: None,
        metadata,
    };
    if let Some(choice) = &choice {
        choice.require_fit(&made)?;
        made = made.with_method(&choice.method().id);
    }
    let decided = match (&choice, confirmation) {
        (Some(choice), Some(confirmation)) => Some(attempt(tx, ctx, &made, choice, confirmation)?),
        (None, Some(_)) => return Err(made.refusal(SetupVerb::ConfirmNothing).into()),
        (_, None) => None,
    };

    let created = Facts::from(made.clone());
    let change = ObjectChange::Created(created);
    match decided {
        Some(decided) => {
            tell(tx, ctx, Happening::Object { change, beside: Vec::new() })?;
            write(tx, ctx, None, decided)
        }
        None => {
            if let Some(choice) = choice {
                choice.keep(tx, ctx)?;
            }
            objects::put(tx, ctx, None, &made.clone().into())?;
            tell(tx, ctx, Happening::Object { change, beside: Vec::new() })?;
            Ok(made)
        }
    }
}

/// An intent, if there is one of that id.
pub fn find(tx: &mut dyn Read, account: &Account, id: &SetupIntentId) -> Kept<Option<SetupIntent>> {
    objects::setup_intent(tx, account.space, id)
}

/// An intent.
pub fn read(tx: &mut dyn Read, account: &Account, id: &SetupIntentId) -> Done<SetupIntent> {
    match find(tx, account, id)? {
        Some(intent) => Ok(intent),
        None => {
            let in_other_mode = objects::setup_intent(tx, account.other_space, id)?.is_some();
            Err(Problem::NoSuchSetupIntent { id: id.clone(), in_other_mode }.into())
        }
    }
}

/// Changes an intent. Nobody is told: docs.stripe.com/api/events/types has no event for it.
pub fn update(
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    id: &SetupIntentId,
    change: SetupIntentChange,
    choice: Option<Choice>,
) -> Done<SetupIntent> {
    let before = read(tx, ctx.account, id)?;
    if let Some(customer) = &change.customer {
        live(tx, ctx.account, customer)?;
    }
    let mut after = before.with(change)?;
    let mut given_up = None;
    match (&choice, &after.method) {
        (Some(choice), _) => {
            before.require_open(SetupVerb::Update)?;
            choice.require_fit(&after)?;
            given_up = unfinished(tx, ctx, &before)?;
            after = after.with_method(&choice.method().id);
        }
        (None, Some(method)) if before.customer != after.customer || before.types != after.types => {
            if let Some(found) = payment_methods::find(tx, ctx.account.space, method)? {
                Choice::found(found)?.require_fit(&after)?;
            }
        }
        (None, _) => {}
    }
    if after == before && choice.is_none() {
        return Ok(before);
    }

    if let Some(choice) = &choice {
        choice.keep(tx, ctx)?;
    }
    abandon(tx, ctx, given_up)?;
    objects::put(tx, ctx, Some(&before.into()), &after.clone().into())?;
    Ok(after)
}

/// Attempts to set up a payment method: the intent's own, or another one that the request `brings`.
pub fn confirm(
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    before: &SetupIntent,
    three_d_secure: ThreeDSecure,
    choice: &Choice,
    brings: bool,
    confirmation: Confirmation,
) -> Done<SetupIntent> {
    before.require_confirmable(brings)?;
    choice.require_fit(before)?;
    let wanted = SetupIntent { three_d_secure, ..before.clone() };
    let decided = attempt(tx, ctx, &wanted, choice, confirmation)?;

    write(tx, ctx, Some(before), decided)
}

/// Gives an intent up.
pub fn cancel(
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    id: &SetupIntentId,
    reason: Option<CancellationReason>,
) -> Done<SetupIntent> {
    let before = read(tx, ctx.account, id)?;
    let after = before.canceled(reason)?;
    let given_up = unfinished(tx, ctx, &before)?;

    abandon(tx, ctx, given_up)?;
    objects::put(tx, ctx, Some(&before.into()), &after.clone().into())?;
    tell(tx, ctx, Happening::Setup { step: SetupStep::Canceled, intent: Box::new(after.clone()) })?;
    Ok(after)
}

/// The owner of a card proved who he is, whereupon his issuer may still decline; or he did not.
/// `None` stands for the latter.
pub fn authenticate(
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    before: &SetupIntent,
    verdict: Option<Verdict>,
) -> Done<SetupIntent> {
    before.require_waiting_for_proof()?;
    let attempt = latest(tx, ctx, before)?;
    let (proof, ending) = match verdict {
        None => (Proof::Failed, Ending::Failure(SetupFailure::Authentication)),
        Some(Verdict::Refused { decline, proof: _ }) => {
            (Proof::Authenticated, Ending::Failure(SetupFailure::Declined(decline)))
        }
        Some(Verdict::Usable | Verdict::NeedsProof) => (Proof::Authenticated, success(tx, ctx, before, &attempt)?),
    };
    let proven = SetupAttempt { proof: Some(proof), ..attempt.clone() };
    let decided = Decided { earlier: Some(attempt), ..conclude(tx, ctx, before, proven, ending)? };

    write(tx, ctx, Some(before), decided)
}

/// What a guess of what was paid into a bank account led to.
#[derive(Clone, Debug)]
pub struct Guessed {
    /// The intent as it is now.
    pub intent: SetupIntent,
    /// It was wrong, and there may be another one.
    pub again: bool,
}

/// The processor's name of the bank account that an intent is about.
pub fn bank_account(read: &mut dyn Read, account: &Account, id: &SetupIntentId) -> Kept<Option<Reference>> {
    let Some(method) = find(read, account, id)?.and_then(|intent| intent.method) else { return Ok(None) };
    let found = payment_methods::find(read, account.space, &method)?;
    let method = found.and_then(|found| found.instrument().as_payment_method());
    Ok(method.and_then(|method| match method.kind {
        PaymentMethodKind::UsBankAccount { facts, .. } => Some(facts.reference),
        PaymentMethodKind::Card(_) => None,
    }))
}

/// The owner of a bank account tells what was paid in. Wrong guesses are counted.
pub fn verify_microdeposits(
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    id: &SetupIntentId,
    guess: impl FnOnce() -> Done<Guess>,
) -> Done<Guessed> {
    let before = read(tx, ctx.account, id)?;
    let SetupState::NeedsAction(Action::Microdeposits { arrival, failed }) = before.state else {
        return Err(before.refusal(SetupVerb::VerifyMicrodeposits).into());
    };
    let guess = guess()?;
    let next = match guess {
        Guess::Wrong => before.after_wrong_guess(arrival, failed),
        Guess::Right | Guess::Last => None,
    };
    if let Some(after) = next {
        objects::put(tx, ctx, Some(&before.into()), &after.clone().into())?;
        return Ok(Guessed { intent: after, again: true });
    }
    let attempt = latest(tx, ctx, &before)?;
    let ending = match guess {
        Guess::Right => success(tx, ctx, &before, &attempt)?,
        Guess::Wrong | Guess::Last => Ending::Failure(SetupFailure::Guesses),
    };
    let decided = Decided { earlier: Some(attempt.clone()), ..conclude(tx, ctx, &before, attempt, ending)? };

    let intent = write(tx, ctx, Some(&before), decided)?;
    Ok(Guessed { intent, again: false })
}

/// Which intents to list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Those for this customer.
    pub customer: Option<CustomerId>,
    /// Those of this payment method.
    pub method: Option<InstrumentId>,
    /// Made within.
    pub created: Span,
}

/// A page of intents.
pub fn list(
    tx: &mut dyn Read,
    account: &Account,
    filter: &Filter,
    cursor: Cursor<Place>,
    limit: usize,
) -> Done<Page<SetupIntent>> {
    let Filter { customer, method, created } = filter;
    if let Some(customer) = customer {
        read_customer(tx, account, customer)?;
    }
    let by_method = method.as_ref().map(setup_lists::of_method);
    let list = by_method
        .or_else(|| customer.as_ref().map(setup_lists::of_customer))
        .unwrap_or_else(|| List::all(ObjectKind::SetupIntent));
    let walk = Walk { list, created: *created, cursor, limit };
    let page = objects::chosen(tx, account.space, walk, |_, mut intents: Vec<SetupIntent>| {
        intents.retain(|intent| {
            customer.as_ref().is_none_or(|customer| intent.customer.as_ref() == Some(customer))
                && method.as_ref().is_none_or(|method| intent.method.as_ref() == Some(method))
        });
        Ok(intents)
    })?;
    Ok(page)
}

/// An attempt, if there is one of that id.
pub fn find_attempt(tx: &mut dyn Read, space: Space, id: &SetupAttemptId) -> Kept<Option<SetupAttempt>> {
    objects::setup_attempt(tx, space, id)
}

/// A page of the attempts of an intent.
pub fn attempts(
    tx: &mut dyn Read,
    account: &Account,
    intent: &SetupIntentId,
    created: Span,
    cursor: Cursor<Place>,
    limit: usize,
) -> Done<Page<SetupAttempt>> {
    let walk = Walk { list: setup_lists::attempts(intent), created, cursor, limit };
    let page = objects::chosen(tx, account.space, walk, |_, mut attempts: Vec<SetupAttempt>| {
        attempts.retain(|attempt| attempt.intent == *intent);
        Ok(attempts)
    })?;
    Ok(page)
}

/// What comes of a first look at a payment method.
fn attempt(
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    intent: &SetupIntent,
    choice: &Choice,
    confirmation: Confirmation,
) -> Done<Decided> {
    let Confirmation { verdict, return_url } = confirmation;
    let attempt = SetupAttempt {
        id: SetupAttemptId::mint(ctx.ids, ctx.now),
        created: ctx.now,
        intent: intent.id.clone(),
        customer: intent.customer.clone(),
        method: choice.method().clone(),
        holder: choice.holder().cloned(),
        usage: intent.usage,
        status: AttemptStatus::RequiresAction,
        error: None,
        proof: None,
    };
    let (ending, proof) = match (verdict, &choice.method().kind) {
        (Verdict::Refused { decline, proof }, _) => (Ending::Failure(SetupFailure::Declined(decline)), proof),
        (Verdict::NeedsProof, _) => (Ending::Action(Action::Authenticate { return_url }), None),
        // Test deposits are there at once.
        (Verdict::Usable, PaymentMethodKind::UsBankAccount { .. }) => {
            (Ending::Action(Action::Microdeposits { arrival: ctx.now, failed: 0 }), None)
        }
        (Verdict::Usable, PaymentMethodKind::Card(_)) => (Ending::Success(Box::new(choice.clone())), None),
    };
    let decided = conclude(tx, ctx, intent, SetupAttempt { proof, ..attempt }, ending)?;
    Ok(Decided { choice: Some(choice.clone()), given_up: unfinished(tx, ctx, intent)?, ..decided })
}

/// A success with the payment method where it is now, which may be elsewhere than when the attempt began.
fn success(tx: &mut dyn Tx, ctx: &Ctx<'_>, intent: &SetupIntent, attempt: &SetupAttempt) -> Done<Ending> {
    let id = &attempt.method.id;
    let choice = Choice::found(payment_methods::read(tx, ctx.account, id)?)?;
    choice.require_fit(intent)?;
    Ok(Ending::Success(Box::new(choice)))
}

/// What is to be written when an attempt ends like that.
fn conclude(
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    before: &SetupIntent,
    attempt: SetupAttempt,
    ending: Ending,
) -> Done<Decided> {
    let (status, error, action, choice) = match ending {
        Ending::Action(action) => (AttemptStatus::RequiresAction, None, Some(action), None),
        Ending::Success(choice) => (AttemptStatus::Succeeded, None, None, Some(*choice)),
        Ending::Failure(why) => (AttemptStatus::Failed, Some(why), None, None),
    };
    let attempt = SetupAttempt { status, error, ..attempt };
    let attached = match (&choice, &before.customer) {
        (Some(Choice::New { method, .. } | Choice::Loose { method, .. }), Some(customer)) => {
            let customer = live(tx, ctx.account, customer)?;
            let after = customer.with_instrument(Instrument::from(method.clone()))?;
            Some((customer, after))
        }
        (Some(_) | None, _) => None,
    };
    let (intent, step) = before.after(&attempt, action);
    Ok(Decided { intent, step, attempt, earlier: None, choice, attached, given_up: None })
}

/// Writes and tells what was decided.
fn write(tx: &mut dyn Tx, ctx: &Ctx<'_>, before: Option<&SetupIntent>, decided: Decided) -> Done<SetupIntent> {
    let Decided { intent, step, attempt, earlier, choice, attached, given_up } = decided;
    abandon(tx, ctx, given_up)?;
    match (attached, choice) {
        (Some((customer, holding)), choice) => {
            if let Some(choice) = choice {
                choice.take(tx, ctx)?;
            }
            replace(tx, ctx, customer, holding)?;
        }
        (None, Some(choice)) => choice.keep(tx, ctx)?,
        (None, None) => {}
    }
    objects::put(tx, ctx, earlier.map(Facts::from).as_ref(), &attempt.into())?;
    objects::put(tx, ctx, before.cloned().map(Facts::from).as_ref(), &intent.clone().into())?;
    tell(tx, ctx, Happening::Setup { step, intent: Box::new(intent.clone()) })?;
    Ok(intent)
}

/// The attempt that an intent waits for its customer with, if it does.
fn unfinished(tx: &mut dyn Tx, ctx: &Ctx<'_>, intent: &SetupIntent) -> Done<Option<SetupAttempt>> {
    match (&intent.state, &intent.latest_attempt) {
        (SetupState::NeedsAction(_), Some(id)) => Ok(find_attempt(tx, ctx.account.space, id)?),
        (_, Some(_) | None) => Ok(None),
    }
}

fn abandon(tx: &mut dyn Tx, ctx: &Ctx<'_>, attempt: Option<SetupAttempt>) -> Kept<()> {
    let Some(before) = attempt else { return Ok(()) };
    let after = SetupAttempt { status: AttemptStatus::Abandoned, ..before.clone() };
    objects::put(tx, ctx, Some(&before.into()), &after.into())
}

/// The attempt that an intent waits for its customer with.
fn latest(tx: &mut dyn Tx, ctx: &Ctx<'_>, intent: &SetupIntent) -> Done<SetupAttempt> {
    let attempt = unfinished(tx, ctx, intent)?;
    Ok(attempt.ok_or_else(|| intent.refusal(SetupVerb::Confirm))?)
}
