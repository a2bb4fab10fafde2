//! Customers: create, read, update, delete, list, search.

use super::holdings::tell_instruments;
use super::payment_methods::keep_spent;
use super::{Ctx, Done, Precondition, tell};
use crate::domain::account::Account;
use crate::domain::balance::{BalanceReason, BalanceTransaction};
use crate::domain::customer::{Customer, CustomerChange};
use crate::domain::event::Happening;
use crate::domain::ids::{BalanceTransactionId, CustomerId};
use crate::domain::metadata::Metadata;
use crate::domain::page::{CustomerPage, Page, Place};
use crate::domain::problem::Problem;
use crate::domain::query::Query;
use crate::domain::term::Mark;
use crate::store::{Failure, Kept, Read, Tx};

/// Makes a customer with the facts of `change`. A balance writes its first balance transaction.
pub fn create(tx: &mut dyn Tx, ctx: &Ctx<'_>, change: CustomerChange) -> Done<Customer> {
    let prefix = match &change.invoice_prefix {
        Some(prefix) => prefix.clone(),
        None => free_invoice_prefix(tx, ctx)?,
    };
    let given_prefix = change.invoice_prefix.is_some();
    let blank = Customer::blank(CustomerId::mint(ctx.ids, ctx.now), prefix, ctx.now);
    let made = blank.with(change, ctx.account.default_currency)?;
    if given_prefix {
        require_free_invoice_prefix(tx, ctx, &made)?;
    }

    tx.put_customer(ctx.account.space, None, &made)?;
    note_balance(tx, ctx, 0, &made, BalanceReason::Initial)?;
    tell(tx, ctx, Happening::CustomerCreated { after: Box::new(made.clone()) })?;
    tell_instruments(tx, ctx, &[], &made)?;
    Ok(made)
}

/// Changes what `change` mentions. A change that changes nothing is answered with the customer as it is: no write, no
/// version, no event.
pub fn update(
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    id: &CustomerId,
    insists: &Precondition,
    change: CustomerChange,
) -> Done<Customer> {
    let before = live(tx, ctx.account, id)?;
    insists.check(before.version)?;
    let after = before.with(change, ctx.account.default_currency)?;
    if after.invoice_prefix != before.invoice_prefix {
        require_free_invoice_prefix(tx, ctx, &after)?;
    }

    replace(tx, ctx, before, after)
}

/// Puts a changed customer in the place of the old one, with its next version, and tells of all that changed. One that is
/// unchanged stays as it is.
pub(super) fn replace(tx: &mut dyn Tx, ctx: &Ctx<'_>, before: Customer, mut after: Customer) -> Done<Customer> {
    if after == before {
        return Ok(before);
    }
    step(ctx, &before, &mut after);
    tx.put_customer(ctx.account.space, Some(&before), &after)?;
    note_balance(tx, ctx, before.balance, &after, BalanceReason::Adjustment)?;
    tell_instruments(tx, ctx, &before.instruments, &after)?;
    if !after.differs_only_in_holdings(&before) {
        tell(tx, ctx, Happening::CustomerUpdated { before: Box::new(before), after: Box::new(after.clone()) })?;
    }
    Ok(after)
}

/// Deletes a customer: its id stays taken, its facts go. Its history and its balance transactions stay.
pub fn delete(tx: &mut dyn Tx, ctx: &Ctx<'_>, id: &CustomerId, insists: &Precondition) -> Done<Customer> {
    let before = live(tx, ctx.account, id)?;
    insists.check(before.version)?;
    before.require_deletable()?;
    let after = before.tombstone(ctx.now);

    tx.put_customer(ctx.account.space, Some(&before), &after)?;
    for instrument in &before.instruments {
        keep_spent(tx, ctx, instrument)?;
    }
    tell_instruments(tx, ctx, &before.instruments, &after)?;
    tell(tx, ctx, Happening::CustomerDeleted { before: Box::new(before) })?;
    Ok(after)
}

/// A customer, deleted or not.
pub fn read(tx: &mut dyn Read, account: &Account, id: &CustomerId) -> Done<Customer> {
    match tx.customer(account.space, id)? {
        Some(customer) => Ok(customer),
        None => Err(missing(tx, account, id)?.into()),
    }
}

/// A customer that is not deleted.
pub fn live(tx: &mut dyn Read, account: &Account, id: &CustomerId) -> Done<Customer> {
    match tx.customer(account.space, id)? {
        Some(customer) if customer.deleted.is_none() => Ok(customer),
        Some(_) => Err(Problem::NoSuchCustomer { id: id.clone(), in_other_mode: false }.into()),
        None => Err(missing(tx, account, id)?.into()),
    }
}

/// A page of live customers.
pub fn list(tx: &mut dyn Read, account: &Account, page: &CustomerPage) -> Done<Page<Customer>> {
    Ok(tx.customers(account.space, page)?)
}

/// Live customers that answer the query.
pub fn search(
    tx: &mut dyn Read,
    account: &Account,
    query: &Query,
    after: Option<&Place>,
    limit: usize,
) -> Done<Page<Customer>> {
    Ok(tx.search(account.space, query, after, limit)?)
}

/// Gives a changed customer its next version and the moment of the change.
pub(super) fn step(ctx: &Ctx<'_>, before: &Customer, after: &mut Customer) {
    after.version = before.version + 1;
    after.updated = ctx.now;
}

fn missing(tx: &mut dyn Read, account: &Account, id: &CustomerId) -> Kept<Problem> {
    let in_other_mode = tx.customer(account.other_space, id)?.is_some();
    Ok(Problem::NoSuchCustomer { id: id.clone(), in_other_mode })
}

fn note_balance(
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    balance_before: i64,
    after: &Customer,
    reason: BalanceReason,
) -> Result<(), Failure> {
    if after.balance == balance_before {
        return Ok(());
    }
    let transaction = BalanceTransaction {
        id: BalanceTransactionId::mint(ctx.ids, ctx.now),
        customer: after.id.clone(),
        created: ctx.now,
        // The change refused a jump that does not fit.
        amount: after.balance.saturating_sub(balance_before),
        currency: after.currency.unwrap_or(ctx.account.default_currency),
        ending_balance: after.balance,
        reason,
        description: None,
        metadata: Metadata::new(),
    };
    tx.put_balance_transaction(ctx.account.space, &transaction)
}

fn require_free_invoice_prefix(tx: &mut dyn Tx, ctx: &Ctx<'_>, customer: &Customer) -> Done<()> {
    match tx.marked(ctx.account.space, &Mark::InvoicePrefix(customer.invoice_prefix.clone()))? {
        Some(holder) if holder != customer.id => {
            Err(Problem::InvoicePrefixTaken { prefix: customer.invoice_prefix.clone() }.into())
        }
        Some(_) | None => Ok(()),
    }
}

/// Eight upper-case hexadecimal digits that no customer of the account has.
fn free_invoice_prefix(tx: &mut dyn Tx, ctx: &Ctx<'_>) -> Kept<String> {
    loop {
        let mut bytes = [0; 4];
        ctx.ids.random(&mut bytes);
        let prefix = format!("{:08X}", u32::from_be_bytes(bytes));
        if tx.marked(ctx.account.space, &Mark::InvoicePrefix(prefix.clone()))?.is_none() {
            return Ok(prefix);
        }
    }
}
