//! Balance transactions of a customer.

use std::sync::Arc;

use super::customer_object::{code, free_data};
use super::customers::{RETRIEVE, Retrieve};
use super::discounts::Shown;
use super::expand::{self, Expansions};
use super::failure::{Names, Refusal};
use super::lists::{self, EXPAND, Paged, Paging, TEXT, row};
use super::params::{self, Empty, Kind, Param, Shape, Value};
use super::{Answer, Call, Halt, Plan, discounts};
use crate::domain::account::Mode;
use crate::domain::balance::{BalanceReason, BalanceTransaction, BalanceTransactionChange, NewBalanceTransaction};
use crate::domain::ids::{BalanceTransactionId, CustomerId};
use crate::domain::metadata::MetadataChange;
use crate::domain::money::Currency;
use crate::domain::page::{BalancePage, Place, Span};
use crate::domain::time::Time;
use crate::engine::balance_transactions;
use crate::http::conditions;
use crate::http::json::{Json, Object};
use crate::store::{Kept, Read};

/// What the operations call the customer's id.
const CUSTOMER: Names = Names::CUSTOMER_BY_PATH;

const DESCRIPTION: Shape = Shape::Text(350);
const AMOUNT: Shape = Shape::Integer { min: i64::MIN, max: i64::MAX };

/// What a create asks for.
#[derive(Default)]
pub struct Create {
    amount: i64,
    currency: Option<Currency>,
    description: Option<String>,
    metadata: MetadataChange,
    expand: Vec<String>,
}

/// The parameters of `POST …/balance_transactions`.
pub const CREATE: &[Param<Create>] = &[
    Param { required: true, ..row("amount", Kind::Value(&AMOUNT, |input, value| input.amount = value.integer())) },
    Param {
        required: true,
        ..row("currency", Kind::Value(&Shape::Currency, |input, value| input.currency = Some(value.currency())))
    },
    Param {
        empty: Empty::Unsets,
        ..row(
            "description",
            Kind::Value(&DESCRIPTION, |input, value| value.patch(Value::text).onto(&mut input.description)),
        )
    },
    row("expand", Kind::Value(&EXPAND, |input, value| input.expand = value.texts())),
    Param {
        empty: Empty::Unsets,
        ..row("metadata", Kind::Value(&Shape::Metadata, |input, value| input.metadata = value.metadata()))
    },
];

/// What an update asks for.
#[derive(Default)]
pub struct Update {
    change: BalanceTransactionChange,
    expand: Vec<String>,
}

/// The parameters of `POST …/balance_transactions/{id}`.
pub const UPDATE: &[Param<Update>] = &[
    Param {
        empty: Empty::Unsets,
        ..row(
            "description",
            Kind::Value(&DESCRIPTION, |input, value| input.change.description = value.patch(Value::text)),
        )
    },
    row("expand", Kind::Value(&EXPAND, |input, value| input.expand = value.texts())),
    Param {
        empty: Empty::Unsets,
        ..row("metadata", Kind::Value(&Shape::Metadata, |input, value| input.change.metadata = value.metadata()))
    },
];

/// What a list asks for.
#[derive(Default)]
pub struct List {
    paging: Paging,
    created: Span,
    invoice: Option<String>,
}

impl Paged for List {
    fn paging(&mut self) -> &mut Paging {
        &mut self.paging
    }
}

/// The parameters of `GET …/balance_transactions`.
pub const LIST: &[Param<List>] = &[
    row("created", Kind::Value(&Shape::Span, |list, value| list.created = value.span())),
    lists::ending_before(),
    lists::expand(),
    row("invoice", Kind::Value(&TEXT, |list, value| list.invoice = Some(value.text()))),
    lists::limit(),
    lists::starting_after(),
];

/// `POST /v1/customers/{customer}/balance_transactions`
pub fn create(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let Create { amount, currency, description, metadata, expand } = params::read(CREATE, &call.given, &call.version)?;
    let expansions = discounts::expansions(call, &expand, expand::BALANCE_TRANSACTION)?;
    let customer = CustomerId(call.part(0)?);
    let currency = currency.ok_or_else(|| Refusal::missing_parameter("currency"))?;
    let wish = NewBalanceTransaction { amount, currency, description, metadata };
    let insists = conditions::insists(&call.headers);
    Ok(Plan::write(CUSTOMER, move |call, tx, ctx| {
        let made = balance_transactions::create(tx, ctx, &customer, &insists, wish.clone())?;
        Ok(Answer::of(one(call, tx, &made, &expansions, ctx.now)?))
    }))
}

/// `GET /v1/customers/{customer}/balance_transactions/{transaction}`
pub fn retrieve(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let input: Retrieve = params::read(RETRIEVE, &call.given, &call.version)?;
    let expansions = discounts::expansions(call, &input.expand, expand::BALANCE_TRANSACTION)?;
    let (customer, id) = (CustomerId(call.part(0)?), BalanceTransactionId(call.part(1)?));
    Ok(Plan::look(CUSTOMER, move |call, read| {
        let transaction = balance_transactions::read(read, &call.account, &customer, &id)?;
        Ok(Answer::of(one(call, read, &transaction, &expansions, call.now)?))
    }))
}

/// `POST /v1/customers/{customer}/balance_transactions/{transaction}`
pub fn update(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let Update { change, expand } = params::read(UPDATE, &call.given, &call.version)?;
    let expansions = discounts::expansions(call, &expand, expand::BALANCE_TRANSACTION)?;
    let (customer, id) = (CustomerId(call.part(0)?), BalanceTransactionId(call.part(1)?));
    Ok(Plan::write(CUSTOMER, move |call, tx, ctx| {
        let transaction = balance_transactions::update(tx, ctx, &customer, &id, change.clone())?;
        Ok(Answer::of(one(call, tx, &transaction, &expansions, ctx.now)?))
    }))
}

/// `GET /v1/customers/{customer}/balance_transactions`
pub fn list(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let List { paging, created, invoice } = params::read(LIST, &call.given, &call.version)?;
    let anchor = paging.anchor()?;
    let expansions = discounts::expansions_of_list(call, &paging.expand, expand::BALANCE_TRANSACTION)?;
    if let Some(invoice) = invoice {
        // Nothing here makes invoices, so no id is one.
        return Err(Refusal::no_such("invoice", &invoice, "invoice"));
    }
    let customer = CustomerId(call.part(0)?);
    let limit = paging.limit();
    Ok(Plan::scan(CUSTOMER, move |call, read| {
        let cursor = lists::placed(&anchor, |id| {
            let id = BalanceTransactionId(id.to_owned());
            let noun = "customer_balance_transaction";
            match read.balance_transaction(call.account.space, &customer, &id)? {
                Some(transaction) => Ok(Place { created: transaction.created, id: id.0 }),
                None => Err(Halt::from(Refusal::no_such(noun, id.as_str(), lists::anchor_param(&anchor)))),
            }
        })?;
        let page = BalancePage { customer: customer.clone(), created, cursor, limit };
        let page = balance_transactions::list(read, &call.account, &page)?;
        let owner = owner(call, read, &customer, &expansions, call.now)?;
        let item = |transaction: &BalanceTransaction| object(call, transaction, owner.as_ref(), &expansions);
        let url = format!("/v1/customers/{customer}/balance_transactions");
        Ok(Answer::of(lists::envelope(&page, url, item)))
    }))
}

fn one(
    call: &Call,
    read: &mut dyn Read,
    transaction: &BalanceTransaction,
    expansions: &Expansions,
    now: Time,
) -> Kept<Json> {
    let owner = owner(call, read, &transaction.customer, expansions, now)?;
    Ok(object(call, transaction, owner.as_ref(), expansions))
}

/// The customer, when it is to be filled in.
pub(super) fn owner(
    call: &Call,
    read: &mut dyn Read,
    id: &CustomerId,
    expansions: &Expansions,
    now: Time,
) -> Kept<Option<Shown>> {
    if !expansions.has("customer") {
        return Ok(None);
    }
    let owner = read.customer(call.account.space, id)?;
    let shown = |owner| Shown::of(read, &call.account, owner, &expansions.below("customer"), now);
    owner.map(shown).transpose()
}

fn object(call: &Call, transaction: &BalanceTransaction, owner: Option<&Shown>, expansions: &Expansions) -> Json {
    let BalanceTransaction { id, customer, created, amount, currency, ending_balance, reason, description, metadata } =
        transaction;
    let customer = match owner {
        Some(owner) => expand::customer(owner, &call.account, &call.version, &expansions.below("customer")),
        None => customer.as_str().to_owned().into(),
    };
    let reason = match reason {
        BalanceReason::Initial => "initial",
        BalanceReason::Adjustment => "adjustment",
    };
    Object::new()
        .and("id", id.as_str().to_owned())
        .and("object", "customer_balance_transaction")
        .and("amount", *amount)
        // Checkout, credit notes and invoices do not exist here, so none of them made a transaction.
        .and("checkout_session", Json::Null)
        .and("created", created.seconds())
        .and("credit_note", Json::Null)
        .and("currency", code(currency))
        .and("customer", customer)
        .and("description", description.as_ref())
        .and("ending_balance", *ending_balance)
        .and("invoice", Json::Null)
        .and("livemode", call.account.mode == Mode::Live)
        .and("metadata", free_data(metadata))
        .and("type", reason)
        .into()
}
