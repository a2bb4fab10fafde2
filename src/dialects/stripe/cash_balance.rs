//! The cash balance of a customer, and its transactions: docs.stripe.com/api/cash_balance.

use std::sync::Arc;

use super::balance_transactions::owner;
use super::customer_object::code;
use super::customers::{EXPAND_ROW, Input, RECONCILIATION_MODE, RETRIEVE, Retrieve};
use super::discounts::Shown;
use super::expand::{self, Expansions};
use super::failure::{CASH_TRANSACTION, Names, Refusal};
use super::funding_instructions::{self, sender};
use super::lists::{self, EXPAND, Paged, Paging, TEXT, row};
use super::params::{self, Kind, Param, Shape};
use super::versions::{self, Version};
use super::{Answer, Call, Halt, Plan, discounts};
use crate::domain::account::{Account, Mode};
use crate::domain::cash::{BankTransfer, CashReason, CashTransaction, Funding};
use crate::domain::customer::{Customer, Reconciliation};
use crate::domain::ids::{CashTransactionId, CustomerId};
use crate::domain::money::Currency;
use crate::domain::page::Place;
use crate::domain::time::Time;
use crate::engine::cash_balance;
use crate::engine::customers::{self, Bringing};
use crate::http::conditions;
use crate::http::json::{Json, Object};
use crate::store::{Kept, Read};

/// What the operations call the customer's id.
const CUSTOMER: Names = Names::CUSTOMER_BY_PATH;

const AMOUNT: Shape = Shape::Integer { min: 1, max: i64::MAX };

/// The parameters of `POST /v1/customers/{customer}/cash_balance`.
pub const UPDATE: &[Param<Input>] =
    &[EXPAND_ROW, Param { added: "2022-04-18", ..row("settings", Kind::Group(&[RECONCILIATION_MODE])) }];

/// What a funding asks for.
#[derive(Default)]
pub struct Fund {
    amount: i64,
    currency: Option<Currency>,
    reference: Option<String>,
    expand: Vec<String>,
}

/// The parameters of `POST /v1/test_helpers/customers/{customer}/fund_cash_balance`.
pub const FUND: &[Param<Fund>] = &[
    Param { required: true, ..row("amount", Kind::Value(&AMOUNT, |input, value| input.amount = value.integer())) },
    Param {
        required: true,
        ..row("currency", Kind::Value(&Shape::Currency, |input, value| input.currency = Some(value.currency())))
    },
    row("expand", Kind::Value(&EXPAND, |input, value| input.expand = value.texts())),
    row("reference", Kind::Value(&TEXT, |input, value| input.reference = Some(value.text()))),
];

/// What a list of transactions asks for.
#[derive(Default)]
pub struct List {
    paging: Paging,
}

impl Paged for List {
    fn paging(&mut self) -> &mut Paging {
        &mut self.paging
    }
}

/// The parameters of `GET /v1/customers/{customer}/cash_balance_transactions`.
pub const LIST: &[Param<List>] = &[lists::ending_before(), lists::expand(), lists::limit(), lists::starting_after()];

/// `GET /v1/customers/{customer}/cash_balance`
pub fn retrieve(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let input: Retrieve = params::read(RETRIEVE, &call.given, &call.version)?;
    Expansions::of_object(&input.expand, expand::CASH_BALANCE, &call.version)?;
    let id = CustomerId(call.part(0)?);
    Ok(Plan::look(CUSTOMER, move |call, read| {
        let customer = customers::live(read, &call.account, &id)?;
        Ok(Answer::of(object(&customer, &call.account, &call.version).into()))
    }))
}

/// `POST /v1/customers/{customer}/cash_balance`
pub fn update(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let Input { change, expand, .. } = params::read(UPDATE, &call.given, &call.version)?;
    Expansions::of_object(&expand, expand::CASH_BALANCE, &call.version)?;
    let id = CustomerId(call.part(0)?);
    let insists = conditions::insists(&call.headers);
    Ok(Plan::write(CUSTOMER, move |call, tx, ctx| {
        let customer = customers::update(tx, ctx, &id, &insists, change.clone(), &Bringing::default())?;
        Ok(Answer::of(object(&customer, &call.account, &call.version).into()))
    }))
}

/// `POST /v1/test_helpers/customers/{customer}/fund_cash_balance`
pub fn fund(call: &Arc<Call>) -> Result<Plan, Refusal> {
    if call.account.mode == Mode::Live {
        return Err(Refusal::test_mode_only());
    }
    let Fund { amount, currency, reference, expand } = params::read(FUND, &call.given, &call.version)?;
    let expansions = discounts::expansions(call, &expand, expand::CASH_TRANSACTION)?;
    let currency = currency.ok_or_else(|| Refusal::missing_parameter("currency"))?;
    let by = BankTransfer::of(currency).ok_or_else(|| Refusal::not_by_bank_transfer("currency", currency))?;
    let customer = CustomerId(call.part(0)?);
    let funding = Funding { amount, by, reference };
    let insists = conditions::insists(&call.headers);
    Ok(Plan::write(CUSTOMER, move |call, tx, ctx| {
        let made = cash_balance::fund(tx, ctx, &customer, &insists, funding.clone())?;
        Ok(Answer::of(one(call, tx, &made, &expansions, ctx.now)?))
    }))
}

/// `GET /v1/customers/{customer}/cash_balance_transactions/{transaction}`
pub fn retrieve_transaction(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let input: Retrieve = params::read(RETRIEVE, &call.given, &call.version)?;
    let expansions = discounts::expansions(call, &input.expand, expand::CASH_TRANSACTION)?;
    let (customer, id) = (CustomerId(call.part(0)?), CashTransactionId(call.part(1)?));
    Ok(Plan::look(CUSTOMER, move |call, read| {
        let transaction = cash_balance::read(read, &call.account, &customer, &id)?;
        Ok(Answer::of(one(call, read, &transaction, &expansions, call.now)?))
    }))
}

/// `GET /v1/customers/{customer}/cash_balance_transactions`
pub fn list_transactions(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let List { paging } = params::read(LIST, &call.given, &call.version)?;
    let anchor = paging.anchor()?;
    let expansions = discounts::expansions_of_list(call, &paging.expand, expand::CASH_TRANSACTION)?;
    let customer = CustomerId(call.part(0)?);
    let limit = paging.limit();
    Ok(Plan::scan(CUSTOMER, move |call, read| {
        let cursor = lists::placed(&anchor, |id| {
            let id = CashTransactionId(id.to_owned());
            match cash_balance::find(read, &call.account, &customer, &id)? {
                Some(transaction) => Ok(Place { created: transaction.created, id: id.0 }),
                None => Err(Halt::from(Refusal::no_such(CASH_TRANSACTION, id.as_str(), lists::anchor_param(&anchor)))),
            }
        })?;
        let page = cash_balance::list(read, &call.account, &customer, cursor, limit)?;
        let owner = owner(call, read, &customer, &expansions, call.now)?;
        let item =
            |made: &CashTransaction| transaction(made, &call.account, &call.version, &expansions, owner.as_ref());
        let url = format!("/v1/customers/{customer}/cash_balance_transactions");
        Ok(Answer::of(lists::envelope(&page, url, item)))
    }))
}

/// A customer's cash balance in the words of the version.
pub fn object(customer: &Customer, account: &Account, version: &Version) -> Object {
    let mode = match customer.reconciliation {
        // An account's own default is automatic: nothing here changes it.
        None | Some(Reconciliation::Automatic) => "automatic",
        Some(Reconciliation::Manual) => "manual",
    };
    let settings =
        Object::new().and("reconciliation_mode", mode).and("using_merchant_default", customer.reconciliation.is_none());
    let mut available = Object::default();
    for (currency, held) in &customer.cash {
        available.add(code(currency), *held);
    }
    let mut object = Object::new()
        .and("object", "cash_balance")
        .and("available", (!customer.cash.is_empty()).then_some(available))
        .and("customer", customer.id.as_str().to_owned())
        // Accounts are no customers here.
        .and("customer_account", Json::Null)
        .and("livemode", account.mode == Mode::Live)
        .and("settings", settings);
    versions::down(&mut object, versions::OF_A_CUSTOMER, &(), version);
    object
}

fn one(call: &Call, read: &mut dyn Read, made: &CashTransaction, expansions: &Expansions, now: Time) -> Kept<Json> {
    let owner = owner(call, read, &made.customer, expansions, now)?;
    Ok(transaction(made, &call.account, &call.version, expansions, owner.as_ref()))
}

/// A cash transaction in the words of the version: docs.stripe.com/api/cash_balance_transactions/object. The owner is
/// there when it is to be filled in.
pub fn transaction(
    transaction: &CashTransaction,
    account: &Account,
    version: &Version,
    expansions: &Expansions,
    owner: Option<&Shown>,
) -> Json {
    let CashTransaction { id, customer, created, net_amount, currency, ending_balance, reason } = transaction;
    let customer = match owner {
        Some(owner) => expand::customer(owner, account, version, &expansions.below("customer")),
        None => customer.as_str().to_owned().into(),
    };
    let (word, detail) = match reason {
        CashReason::Funded { by, reference } => {
            ("funded", Object::new().and("bank_transfer", bank_transfer(*by, reference.as_ref())))
        }
    };
    let mut object = Object::new()
        .and("id", id.as_str().to_owned())
        .and("object", CASH_TRANSACTION)
        .and("created", created.seconds())
        .and("currency", code(currency))
        .and("customer", customer)
        // Accounts are no customers here.
        .and("customer_account", Json::Null)
        .and("ending_balance", *ending_balance)
        .and(word, detail)
        .and("livemode", account.mode == Mode::Live)
        .and("net_amount", *net_amount)
        .and("type", word);
    versions::down(&mut object, versions::OF_A_CUSTOMER, &(), version);
    object.into()
}

/// A bank transfer that arrived. Only the test helper makes any arrive, so each was sent by its test bank.
fn bank_transfer(by: BankTransfer, reference: Option<&String>) -> Object {
    let name = funding_instructions::name(by);
    let transfer = Object::new().and("reference", reference).and("type", name);
    let mut transfer = match sender(by) {
        Some(sender) => transfer.and(name, sender),
        None => transfer,
    };
    transfer.sort_from(0);
    transfer
}

#[cfg(test)]
mod tests {
    use super::{FUND, LIST, UPDATE};

    #[test]
    fn rows_are_in_the_order_of_their_names() {
        assert!(FUND.is_sorted_by_key(|param| param.name));
        assert!(LIST.is_sorted_by_key(|param| param.name));
        assert!(UPDATE.is_sorted_by_key(|param| param.name));
    }
}
