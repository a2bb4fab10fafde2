//! A customer's sources, with the older names of the same: docs.stripe.com/api/cards,
//! docs.stripe.com/api/customer_bank_accounts.

use std::sync::Arc;

use super::customers::{RETRIEVE, Retrieve};
use super::discounts::Shown;
use super::expand::{self, Expansions};
use super::failure::{Named, Names, Refusal};
use super::lists::{self, EXPAND, Paged, Paging, TEXT, row};
use super::offers::{BANK_ACCOUNT_KINDS, CARD_KINDS, Offer, SOURCE_KINDS};
use super::params::{self, Empty, Kind, Param, Shape, Value, word};
use super::source_objects::{OWNER, owner_change};
use super::tokens::{HOLDER_TYPE, stated_number};
use super::{Answer, Call, Halt, Plan, discounts};
use crate::domain::bank_account::{BankAccountChange, BankStatus, HolderType, Told};
use crate::domain::card::CardChange;
use crate::domain::ids::{CustomerId, InstrumentId};
use crate::domain::instrument::{Instrument, SourceChoice, SourceKind};
use crate::domain::metadata::MetadataChange;
use crate::domain::patch::Patch;
use crate::domain::payment_method::BillingChange;
use crate::domain::source;
use crate::domain::time::Time;
use crate::engine::sources::{self, Owned, SourceChange};
use crate::engine::{Done, customers};
use crate::http::conditions;
use crate::http::json::{Json, Object};
use crate::processor::{self, Question, Subject};
use crate::store::{Kept, Read};

/// Which sources a path is about: all of them, or those of one sort under their older name.
pub type Sort = Option<SourceKind>;

fn path(sort: Sort) -> &'static str {
    match sort {
        None | Some(SourceKind::Source) => "sources",
        Some(SourceKind::Card) => "cards",
        Some(SourceKind::BankAccount) => "bank_accounts",
    }
}

const OBJECT: Shape = Shape::Choice(&[word("card"), word("bank_account"), word("source"), word("alipay_account")]);
const AMOUNT: Shape = Shape::Integer { min: 0, max: i64::MAX };
const AMOUNTS: Shape = Shape::List(&AMOUNT, 2);

/// What a list asks for.
#[derive(Default)]
pub struct List {
    paging: Paging,
    object: Option<String>,
}

impl Paged for List {
    fn paging(&mut self) -> &mut Paging {
        &mut self.paging
    }
}

/// The parameters of `GET /v1/customers/{customer}/sources` and of its older names.
pub const LIST: &[Param<List>] = &[
    lists::ending_before(),
    lists::expand(),
    lists::limit(),
    row("object", Kind::Value(&OBJECT, |list, value| list.object = Some(value.text()))),
    lists::starting_after(),
];

/// What a create asks for.
#[derive(Default)]
pub struct Create {
    offers: Vec<(&'static str, Offer)>,
    metadata: MetadataChange,
    no_questions: bool,
    expand: Vec<String>,
}

/// A source in the words of any of its parameters.
pub const SOURCE: Shape = Shape::TextOr(SOURCE_KINDS);
/// A card.
pub const CARD: Shape = Shape::TextOr(CARD_KINDS);
/// A bank account.
pub const BANK_ACCOUNT: Shape = Shape::TextOr(BANK_ACCOUNT_KINDS);

/// The parameters of `POST /v1/customers/{customer}/sources` and of its older names.
pub const CREATE: &[Param<Create>] = &[
    // Nobody has one, and none can be made.
    row("alipay_account", Kind::Unsupported),
    row(
        "bank_account",
        Kind::Value(&BANK_ACCOUNT, |input, value| {
            input.offers.push(("bank_account", Offer::of(value, Some(SourceKind::BankAccount))));
        }),
    ),
    row(
        "card",
        Kind::Value(&CARD, |input, value| input.offers.push(("card", Offer::of(value, Some(SourceKind::Card))))),
    ),
    row("expand", Kind::Value(&EXPAND, |input, value| input.expand = value.texts())),
    row("metadata", Kind::Value(&Shape::Metadata, |input, value| input.metadata = value.metadata())),
    row("source", Kind::Value(&SOURCE, |input, value| input.offers.push(("source", Offer::of(value, None))))),
    row("validate", Kind::Value(&Shape::Flag, |input, value| input.no_questions = !value.flag())),
];

/// What an update asks for. What it means depends on what the source is.
#[derive(Clone, Default)]
pub struct Update {
    card: CardChange,
    account: BankAccountChange,
    owner: BillingChange,
    expand: Vec<String>,
}

const fn unsettable(name: &'static str, kind: Kind<Update>) -> Param<Update> {
    Param { empty: Empty::Unsets, ..row(name, kind) }
}

/// The parameters of `POST /v1/customers/{customer}/sources/{id}`, those of cards, those of bank accounts and
/// those of sources of the Sources API.
pub const UPDATE: &[Param<Update>] = &[
    unsettable(
        "account_holder_name",
        Kind::Value(&TEXT, |input, value| input.account.holder_name = value.patch(Value::text)),
    ),
    row(
        "account_holder_type",
        Kind::Value(&HOLDER_TYPE, |input, value| {
            let kind = HolderType::named(&value.text());
            input.account.holder_type = kind.map(Patch::Set).unwrap_or_default();
        }),
    ),
    unsettable("address_city", Kind::Value(&TEXT, |input, value| input.card.address.city = value.patch(Value::text))),
    unsettable(
        "address_country",
        Kind::Value(&TEXT, |input, value| input.card.address.country = value.patch(Value::text)),
    ),
    unsettable(
        "address_line1",
        Kind::Value(&TEXT, |input, value| input.card.address.street = value.patch(Value::text)),
    ),
    unsettable(
        "address_line2",
        Kind::Value(&TEXT, |input, value| input.card.address.second_line = value.patch(Value::text)),
    ),
    unsettable(
        "address_state",
        Kind::Value(&TEXT, |input, value| input.card.address.region = value.patch(Value::text)),
    ),
    unsettable(
        "address_zip",
        Kind::Value(&TEXT, |input, value| input.card.address.postal_code = value.patch(Value::text)),
    ),
    row("exp_month", Kind::Value(&TEXT, |input, value| input.card.expiry.month = Some(stated_number(&value.text())))),
    row("exp_year", Kind::Value(&TEXT, |input, value| input.card.expiry.year = Some(stated_number(&value.text())))),
    row("expand", Kind::Value(&EXPAND, |input, value| input.expand = value.texts())),
    unsettable(
        "metadata",
        Kind::Value(&Shape::Metadata, |input, value| {
            input.card.metadata = value.metadata();
            input.account.metadata = input.card.metadata.clone();
        }),
    ),
    unsettable("name", Kind::Value(&TEXT, |input, value| input.card.name = value.patch(Value::text))),
    row("owner", Kind::Value(&OWNER, |input, value| input.owner = owner_change(value))),
];

const OF_ACCOUNTS: [&str; 2] = ["account_holder_name", "account_holder_type"];
const OF_SOURCES: [&str; 1] = ["owner"];
const OF_CARDS: [&str; 9] = [
    "address_city",
    "address_country",
    "address_line1",
    "address_line2",
    "address_state",
    "address_zip",
    "exp_month",
    "exp_year",
    "name",
];

/// What a verification asks for.
#[derive(Default)]
pub struct Verify {
    amounts: Vec<i64>,
    expand: Vec<String>,
}

/// The parameters of `POST /v1/customers/{customer}/sources/{id}/verify`.
pub const VERIFY: &[Param<Verify>] = &[
    Param {
        required: true,
        ..row(
            "amounts",
            Kind::Value(&AMOUNTS, |input, value| {
                input.amounts = value.list().into_iter().map(Value::integer).collect();
            }),
        )
    },
    row("expand", Kind::Value(&EXPAND, |input, value| input.expand = value.texts())),
];

/// How the operations on one source name it and its customer.
const NAMES: Names = Names { customer: Named::by_path("customer"), ..Names::BY_PATH };

/// `GET /v1/customers/{customer}/sources` and its older names.
pub fn list(call: &Arc<Call>, sort: Sort) -> Result<Plan, Refusal> {
    let List { paging, object } = params::read(LIST, &call.given, &call.version)?;
    let anchor = paging.anchor()?;
    let expansions = discounts::expansions_of_list(call, &paging.expand, expand::SOURCE)?;
    let id = CustomerId(call.part(0)?);
    let limit = paging.limit();
    let asked = move |kind: SourceKind| match (object.as_deref(), kind) {
        (None, _)
        | (Some("card"), SourceKind::Card)
        | (Some("bank_account"), SourceKind::BankAccount)
        | (Some("source"), SourceKind::Source) => true,
        (Some(_), SourceKind::Card | SourceKind::BankAccount | SourceKind::Source) => false,
    };
    Ok(Plan::look(NAMES, move |call, read| {
        let customer = customers::live(read, &call.account, &id)?;
        let holder = Shown::holder(read, &call.account, customer, &expansions, call.now)?;
        let wanted = |kind: SourceKind| asked(kind) && sort.is_none_or(|sort| sort == kind);
        let mine = holder.customer.sources().filter(|source| source.source_kind().is_some_and(wanted));
        let is = |source: &&Instrument, id: &str| source.id().as_str() == id;
        let page = lists::page_of(mine.collect(), &anchor, limit, is, "source").map_err(Halt::from)?;
        let url = format!("/v1/customers/{id}/{}", path(sort));
        Ok(Answer::of(lists::envelope(&page, url, |source| {
            expand::source(source, &holder, &call.account, &call.version, &expansions)
        })))
    }))
}

/// `POST /v1/customers/{customer}/sources` and its older names.
pub fn create(call: &Arc<Call>, sort: Sort) -> Result<Plan, Refusal> {
    let Create { mut offers, metadata, no_questions, expand } = params::read(CREATE, &call.given, &call.version)?;
    let expansions = discounts::expansions(call, &expand, expand::SOURCE)?;
    let given: Vec<&str> = offers.iter().map(|(name, _)| *name).collect();
    let (param, offer) = match (offers.pop(), given.len()) {
        (Some(offer), 1) => offer,
        (Some(_), _) => return Err(Refusal::exclusive(&given)),
        (None, _) => return Err(Refusal::missing_parameter("source")),
    };
    let customer = CustomerId(call.part(0)?);
    let offer = offer.as_sort(sort);
    let asked = offer.clone();
    let ask = move |call: &Call, read: &mut dyn Read| asked.question(read, &call.account, !no_questions);
    let names = Names { source: Named::by(param), token: Named::by(param), bank_account: param, ..NAMES };
    let insists = conditions::insists(&call.headers);
    Ok(Plan::asking(names, ask, move |call, tx, ctx, finding| {
        insists.check(customers::live(tx, ctx.account, &customer)?.version)?;
        let mut brought = offer.brought(tx, ctx, finding)?;
        brought.describe(metadata.clone())?;
        let owned = sources::create(tx, ctx, &customer, &insists, &brought)?;
        Ok(Answer::of(shown(call, tx, owned, &expansions, ctx.now)?))
    }))
}

/// `GET /v1/customers/{customer}/sources/{id}` and its older names.
pub fn retrieve(call: &Arc<Call>, sort: Sort) -> Result<Plan, Refusal> {
    let input: Retrieve = params::read(RETRIEVE, &call.given, &call.version)?;
    let expansions = discounts::expansions(call, &input.expand, expand::SOURCE)?;
    let (customer, choice) = (CustomerId(call.part(0)?), choice(call, sort)?);
    Ok(Plan::look(NAMES, move |call, read| {
        let owned = sources::read(read, &call.account, &customer, &choice)?;
        Ok(Answer::of(shown(call, read, owned, &expansions, call.now)?))
    }))
}

/// `POST /v1/customers/{customer}/sources/{id}` and its older names.
pub fn update(call: &Arc<Call>, sort: Sort) -> Result<Plan, Refusal> {
    let input: Update = params::read(UPDATE, &call.given, &call.version)?;
    let expansions = discounts::expansions(call, &input.expand, expand::SOURCE)?;
    let (customer, choice) = (CustomerId(call.part(0)?), choice(call, sort)?);
    let given = |names: &[&str]| -> Vec<String> {
        names.iter().filter(|name| call.given.get(name).is_some()).map(|name| (*name).to_owned()).collect()
    };
    let (of_accounts, of_cards, of_sources) = (given(&OF_ACCOUNTS), given(&OF_CARDS), given(&OF_SOURCES));
    let insists = conditions::insists(&call.headers);
    Ok(Plan::write(NAMES, move |call, tx, ctx| -> Done<Answer> {
        let Owned { source, .. } = sources::read(tx, ctx.account, &customer, &choice)?;
        let (strange, change) = match source {
            Instrument::BankAccount(_) => ([&of_cards, &of_sources], SourceChange::BankAccount(input.account.clone())),
            Instrument::Card(_) | Instrument::PaymentMethod(_) => {
                ([&of_accounts, &of_sources], SourceChange::Card(input.card.clone()))
            }
            Instrument::Source(_) => {
                let (owner, metadata) = (input.owner.clone(), input.card.metadata.clone());
                let change = source::SourceChange { owner, metadata, amount: None };
                ([&of_accounts, &of_cards], SourceChange::Source(change))
            }
        };
        let strange: Vec<String> = strange.into_iter().flatten().cloned().collect();
        if !strange.is_empty() {
            return Ok(Answer::bad_parameters(Refusal::unknown_parameters(&strange)));
        }
        let owned = sources::update(tx, ctx, &customer, &choice, &insists, change)?;
        Ok(Answer::of(shown(call, tx, owned, &expansions, ctx.now)?))
    }))
}

/// What a delete asks for.
pub const DELETE: &[Param<Retrieve>] = RETRIEVE;

/// `DELETE /v1/customers/{customer}/sources/{id}` and its older names.
pub fn delete(call: &Arc<Call>, sort: Sort) -> Result<Plan, Refusal> {
    let input: Retrieve = params::read(DELETE, &call.given, &call.version)?;
    let expansions = discounts::expansions(call, &input.expand, expand::SOURCE)?;
    let (customer, choice) = (CustomerId(call.part(0)?), choice(call, sort)?);
    let insists = conditions::insists(&call.headers);
    Ok(Plan::write(NAMES, move |call, tx, ctx| {
        let owned = sources::delete(tx, ctx, &customer, &choice, &insists)?;
        let gone = Object::new().and("id", owned.source.id().as_str().to_owned());
        let gone = match &owned.source {
            // It is detached, and still there: docs.stripe.com/api/sources/detach.
            Instrument::Source(_) => return Ok(Answer::of(shown(call, tx, owned, &expansions, ctx.now)?)),
            Instrument::BankAccount(account) => gone
                .and("object", "bank_account")
                .and("currency", account.facts.currency.as_str().to_owned())
                .and("deleted", true),
            Instrument::Card(_) | Instrument::PaymentMethod(_) => gone.and("object", "card").and("deleted", true),
        };
        Ok(Answer::of(gone.into()))
    }))
}

/// `POST /v1/customers/{customer}/sources/{id}/verify` and its older name.
pub fn verify(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let Verify { amounts, expand } = params::read(VERIFY, &call.given, &call.version)?;
    let expansions = discounts::expansions(call, &expand, expand::SOURCE)?;
    let amounts = <[i64; 2]>::try_from(amounts)
        .map_err(|_| Refusal::invalid("amounts", "Invalid amounts: two amounts were sent to the bank account."))?;
    let (customer, id) = (CustomerId(call.part(0)?), InstrumentId(call.part(1)?));
    let insists = conditions::insists(&call.headers);
    let asked = (customer.clone(), id.clone());
    let ask = move |call: &Call, read: &mut dyn Read| {
        let Some(customer) = read.customer(call.account.space, &asked.0)? else { return Ok(None) };
        Ok(match customer.instrument(asked.1.as_str()) {
            Some(Instrument::BankAccount(account)) => {
                let about = Subject::PaidIn(account.facts.reference.clone(), Told::Amounts(amounts));
                Some(Question { about, verify: false })
            }
            Some(Instrument::Card(_) | Instrument::PaymentMethod(_) | Instrument::Source(_)) | None => None,
        })
    };
    Ok(Plan::asking(NAMES, ask, move |call, tx, ctx, finding| {
        let owned = sources::verify(tx, ctx, &customer, &id, &insists, || processor::found(finding)?.guess())?;
        // A wrong guess is counted, and answered as an error.
        match &owned.source {
            Instrument::BankAccount(account) if account.status == BankStatus::Verified => {
                Ok(Answer::of(shown(call, tx, owned, &expansions, ctx.now)?))
            }
            Instrument::BankAccount(account) if account.status == BankStatus::VerificationFailed => {
                Ok(Answer::refused(Refusal::cannot_be_verified()))
            }
            Instrument::BankAccount(_) | Instrument::Card(_) | Instrument::PaymentMethod(_) | Instrument::Source(_) => {
                Ok(Answer::refused(Refusal::wrong_amounts()))
            }
        }
    }))
}

fn choice(call: &Call, sort: Sort) -> Result<SourceChoice, Refusal> {
    Ok(SourceChoice { id: InstrumentId(call.part(1)?), kind: sort })
}

fn shown(call: &Call, read: &mut dyn Read, owned: Owned, expansions: &Expansions, now: Time) -> Kept<Json> {
    let Owned { customer, source } = owned;
    let holder = Shown::holder(read, &call.account, customer, expansions, now)?;
    Ok(expand::source(&source, &holder, &call.account, &call.version, expansions))
}
