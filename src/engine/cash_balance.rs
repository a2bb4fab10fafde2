//! The cash balance of a customer and the ledger behind it: fund, read, list.

use super::customers::{live, read as read_customer, replace};
use super::objects::{self, Walk};
use super::{Ctx, Done, Precondition, tell};
use crate::domain::account::Account;
use crate::domain::cash::{CashReason, CashTransaction, Funding};
use crate::domain::event::{Happening, ObjectChange};
use crate::domain::facts::{Facts, cash_transaction_lists as lists};
use crate::domain::ids::{CashTransactionId, CustomerId};
use crate::domain::page::{Cursor, Page, Place, Span};
use crate::domain::problem::Problem;
use crate::store::{Kept, Read, Tx};

/// Money arrives for a customer.
pub fn fund(
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    id: &CustomerId,
    insists: &Precondition,
    funding: Funding,
) -> Done<CashTransaction> {
    let before = live(tx, ctx.account, id)?;
    insists.check(before.version)?;
    let Funding { amount, by, reference } = funding;
    let (after, ending_balance) = before.with_cash(amount, by.currency())?;
    let transaction = CashTransaction {
        id: CashTransactionId::mint(ctx.ids, ctx.now),
        customer: before.id.clone(),
        created: ctx.now,
        net_amount: amount,
        currency: by.currency(),
        ending_balance,
        reason: CashReason::Funded { by, reference },
    };

    let arrived = Facts::from(transaction.clone());
    objects::put(tx, ctx, None, &arrived)?;
    let after = replace(tx, ctx, before, after)?;
    // The customer has a new version, since its cash can be shown with it. That it was updated is not told: what a
    // customer shows unasked is as it was, and these two say what happened.
    tell(tx, ctx, Happening::Object { change: ObjectChange::Created(arrived), beside: Vec::new() })?;
    tell(tx, ctx, Happening::CashArrived { customer: Box::new(after) })?;
    Ok(transaction)
}

/// A cash transaction of a customer, if it has one of that id.
pub fn find(
    tx: &mut dyn Read,
    account: &Account,
    customer: &CustomerId,
    id: &CashTransactionId,
) -> Kept<Option<CashTransaction>> {
    let found = objects::cash_transaction(tx, account.space, id)?;
    Ok(found.filter(|transaction| transaction.customer == *customer))
}

/// A cash transaction of a customer.
pub fn read(
    tx: &mut dyn Read,
    account: &Account,
    customer: &CustomerId,
    id: &CashTransactionId,
) -> Done<CashTransaction> {
    read_customer(tx, account, customer)?;
    let found = find(tx, account, customer, id)?;
    Ok(found.ok_or_else(|| Problem::NoSuchCashTransaction(id.clone()))?)
}

/// A page of a customer's cash transactions.
pub fn list(
    tx: &mut dyn Read,
    account: &Account,
    customer: &CustomerId,
    cursor: Cursor<Place>,
    limit: usize,
) -> Done<Page<CashTransaction>> {
    read_customer(tx, account, customer)?;
    let walk = Walk { list: lists::of_customer(customer), created: Span::default(), cursor, limit };
    let page = objects::chosen(tx, account.space, walk, |_, mut transactions: Vec<CashTransaction>| {
        transactions.retain(|transaction| transaction.customer == *customer);
        Ok(transactions)
    })?;
    Ok(page)
}
