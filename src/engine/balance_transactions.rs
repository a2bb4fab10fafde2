//! The ledger of a customer's balance: create, read, update, list.

use super::customers::{live, read as read_customer, replace};
use super::{Ctx, Done, Precondition};
use crate::domain::account::Account;
use crate::domain::balance::{BalanceReason, BalanceTransaction, BalanceTransactionChange, NewBalanceTransaction};
use crate::domain::ids::{BalanceTransactionId, CustomerId};
use crate::domain::metadata::Metadata;
use crate::domain::page::{BalancePage, Page};
use crate::domain::problem::Problem;
use crate::store::{Read, Tx};

/// Moves a customer's balance by an amount. Fixes the customer's currency when it has none.
pub fn create(
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    id: &CustomerId,
    insists: &Precondition,
    wish: NewBalanceTransaction,
) -> Done<BalanceTransaction> {
    let before = live(tx, ctx.account, id)?;
    insists.check(before.version)?;
    let after = before.with_balance_moved(&wish)?;
    let mut metadata = Metadata::new();
    wish.metadata.onto(&mut metadata)?;
    let transaction = BalanceTransaction {
        id: BalanceTransactionId::mint(ctx.ids, ctx.now),
        customer: before.id.clone(),
        created: ctx.now,
        amount: wish.amount,
        currency: wish.currency,
        ending_balance: after.balance,
        reason: BalanceReason::Adjustment,
        description: wish.description,
        metadata,
    };

    replace(tx, ctx, before, after)?;
    tx.put_balance_transaction(ctx.account.space, &transaction)?;
    Ok(transaction)
}

/// A balance transaction of a customer, deleted or not.
pub fn read(
    tx: &mut dyn Read,
    account: &Account,
    customer: &CustomerId,
    id: &BalanceTransactionId,
) -> Done<BalanceTransaction> {
    read_customer(tx, account, customer)?;
    let found = tx.balance_transaction(account.space, customer, id)?;
    Ok(found.ok_or_else(|| Problem::NoSuchBalanceTransaction(id.clone()))?)
}

/// Changes what people wrote on a balance transaction; no event tells of it.
pub fn update(
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    customer: &CustomerId,
    id: &BalanceTransactionId,
    change: BalanceTransactionChange,
) -> Done<BalanceTransaction> {
    let before = read(tx, ctx.account, customer, id)?;
    let after = before.with(change)?;
    if after != before {
        tx.put_balance_transaction(ctx.account.space, &after)?;
    }
    Ok(after)
}

/// A page of a customer's balance transactions, the customer deleted or not.
pub fn list(tx: &mut dyn Read, account: &Account, page: &BalancePage) -> Done<Page<BalanceTransaction>> {
    read_customer(tx, account, &page.customer)?;
    Ok(tx.balance_transactions(account.space, page)?)
}
