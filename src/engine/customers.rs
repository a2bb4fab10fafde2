//! Customers: create, read, update, delete, list, search.

use super::holdings::{keep_gone, tell_instruments};
use super::payment_methods::{self, Offered};
use super::sources::Brought;
use super::tax_ids::{self, Added};
use super::{Ctx, Done, Precondition, businesses, customer_addresses, discounts, objects, tell};
use crate::domain::account::{Account, Space};
use crate::domain::balance::{BalanceReason, BalanceTransaction};
use crate::domain::customer::{Customer, CustomerChange};
use crate::domain::discount::{Offer, Redeemed};
use crate::domain::event::Happening;
use crate::domain::facts::Facts;
use crate::domain::ids::{BalanceTransactionId, CustomerId, DiscountId};
use crate::domain::metadata::Metadata;
use crate::domain::page::{CustomerPage, Page, Place};
use crate::domain::patch::Patch;
use crate::domain::problem::Problem;
use crate::domain::query::{Clause, Field, Join, Query, Test};
use crate::domain::tax_id::NewTaxId;
use crate::domain::term::Mark;
use crate::store::{Failure, Kept, Read, Tx};

/// How many customers of one e-mail address are looked at.
const MAX_NAMESAKES: usize = 100;

/// What a new customer is brought beside its own facts; an old one only a source.
#[derive(Clone, Debug, Default)]
pub struct Bringing {
    /// A source, which becomes the default one in the place of another.
    pub source: Option<Brought>,
    /// A payment method.
    pub payment_method: Option<Offered>,
    /// Tax ids, of which there are not too many.
    pub tax_ids: Vec<NewTaxId>,
}

impl Bringing {
    fn onto(&self, change: &mut CustomerChange) {
        change.source = self.source.as_ref().map(|brought| brought.instrument.clone());
        change.payment_method = self.payment_method.as_ref().map(|(method, _)| method.clone().into());
    }

    /// Takes it all from where it was.
    fn take(&self, tx: &mut dyn Tx, ctx: &Ctx<'_>) -> Done<()> {
        if let Some(brought) = &self.source {
            brought.spend(tx, ctx)?;
        }
        if let Some(offered) = &self.payment_method {
            payment_methods::take(tx, ctx, offered)?;
        }
        Ok(())
    }
}

/// Makes a customer with the facts of `change`. A balance writes its first balance transaction. The customer is told of
/// before all that it holds, so that nothing is told of nobody.
pub fn create(tx: &mut dyn Tx, ctx: &Ctx<'_>, mut change: CustomerChange, bringing: &Bringing) -> Done<Customer> {
    let rivals = rivals(tx, ctx, &change)?;
    bringing.onto(&mut change);
    let offer = discounts::offer(tx, ctx.account, &change.redemption)?;
    let prefix = match &change.invoice_prefix {
        Some(prefix) => prefix.clone(),
        None => free_invoice_prefix(tx, ctx)?,
    };
    if !rivals.is_empty() {
        return Err(Problem::EmailTaken.into());
    }
    let given_prefix = change.invoice_prefix.is_some();
    let blank = Customer::blank(CustomerId::mint(ctx.ids, ctx.now), prefix, ctx.now);
    let mut made = decide(ctx, &blank, change, offer.as_ref())?;
    let added = Added::of(ctx, bringing.tax_ids.clone());
    made.tax_ids.clone_from(&added.made);
    let settled = added.settle(ctx, &made);
    if given_prefix {
        require_free_invoice_prefix(tx, ctx, &made)?;
    }

    bringing.take(tx, ctx)?;
    let has = redeem(tx, ctx, &made, offer)?;
    tx.put_customer(ctx.account.space, None, &settled)?;
    note_balance(tx, ctx, 0, &made, BalanceReason::Initial)?;
    let beside = discounts::beside(has.as_ref(), None);
    tell(tx, ctx, Happening::CustomerCreated { after: Box::new(made.clone()), beside })?;
    tell_instruments(tx, ctx, &[], &made)?;
    discounts::announce(tx, ctx, &made.id, None, has.as_ref())?;
    added.tell(tx, ctx, &made.id)?;
    Ok(made)
}

/// Changes what `change` mentions. A change that changes nothing is answered with the customer as it is: no write, no
/// version, no event.
pub fn update(
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    id: &CustomerId,
    insists: &Precondition,
    mut change: CustomerChange,
    bringing: &Bringing,
) -> Done<Customer> {
    // Both are asked for before either fails, so that a store that is a round trip away is asked once.
    let (before, rivals) = (live(tx, ctx.account, id), rivals(tx, ctx, &change));
    let (before, rivals) = (before?, rivals?);
    insists.check(before.version)?;
    bringing.onto(&mut change);
    let offer = discounts::offer(tx, ctx.account, &change.redemption)?;
    let after = decide(ctx, &before, change, offer.as_ref())?;
    // Whoever shares an address already may go on doing so, in whatever case he writes it.
    let is_new = after.email.as_deref().is_some_and(|email| !before.has_email(email));
    if is_new && rivals.iter().any(|rival| rival.id != before.id) {
        return Err(Problem::EmailTaken.into());
    }
    if after.invoice_prefix != before.invoice_prefix {
        require_free_invoice_prefix(tx, ctx, &after)?;
    }

    bringing.take(tx, ctx)?;
    let balance_before = before.balance;
    let after = exchange(tx, ctx, before, after, offer)?;
    note_balance(tx, ctx, balance_before, &after, BalanceReason::Adjustment)?;
    Ok(after)
}

/// Puts a changed customer in the place of the old one, with its next version, and tells of all that changed. One that is
/// unchanged stays as it is. Whatever verb changes a customer does so here: this is where a discount that is over goes, and
/// where a customer is told of together with the coupon of its discount. The ledger of its balance is left to the verb.
pub(super) fn replace(tx: &mut dyn Tx, ctx: &Ctx<'_>, before: Customer, after: Customer) -> Kept<Customer> {
    exchange(tx, ctx, before, after, None)
}

/// The same, where `after` has a discount by the offer.
fn exchange(
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    before: Customer,
    mut after: Customer,
    offer: Option<Offer>,
) -> Kept<Customer> {
    if after == before {
        return Ok(before);
    }
    let had = had(tx, ctx, &before)?;
    after.discount = after.discount.filter(|discount| !discount.is_over(ctx.now));
    after.follow_charges(&before);
    step(ctx, &before, &mut after);

    let has = match offer {
        Some(_) => redeem(tx, ctx, &after, offer)?,
        None => had.clone().filter(|_| after.discount.is_some()),
    };
    tx.put_customer(ctx.account.space, Some(&before), &after)?;
    keep_gone(tx, ctx, &before.instruments, &after)?;
    tell_instruments(tx, ctx, &before.instruments, &after)?;
    discounts::announce(tx, ctx, &after.id, had.as_ref(), has.as_ref())?;
    if !after.differs_only_in_holdings(&before) {
        let beside = discounts::beside(has.as_ref(), had.as_ref());
        tell(tx, ctx, Happening::CustomerUpdated { before: Box::new(before), after: Box::new(after.clone()), beside })?;
    }
    Ok(after)
}

/// Deletes a customer: its id stays taken, its facts go, and its addresses and businesses with them. Its history and its
/// balance transactions stay.
pub fn delete(tx: &mut dyn Tx, ctx: &Ctx<'_>, id: &CustomerId, insists: &Precondition) -> Done<Customer> {
    // All are asked for before any of them fails, so that a store that is a round trip away is asked once.
    let (before, addresses, businesses) =
        (live(tx, ctx.account, id), customer_addresses::all(tx, ctx.account, id), businesses::all(tx, ctx.account, id));
    let (before, addresses, businesses) = (before?, addresses?, businesses?);
    insists.check(before.version)?;
    before.require_deletable()?;
    let had = had(tx, ctx, &before)?;
    let after = before.tombstone(ctx.now);

    tx.put_customer(ctx.account.space, Some(&before), &after)?;
    keep_gone(tx, ctx, &before.instruments, &after)?;
    tell_instruments(tx, ctx, &before.instruments, &after)?;
    tax_ids::tell_gone(tx, ctx, &before)?;
    let gone = addresses.into_iter().map(Facts::from).chain(businesses.into_iter().map(Facts::from));
    gone.into_iter().try_for_each(|facts| objects::remove(tx, ctx, &facts))?;
    discounts::announce(tx, ctx, &before.id, had.as_ref(), None)?;
    let beside = discounts::beside(None, had.as_ref());
    tell(tx, ctx, Happening::CustomerDeleted { before: Box::new(before), beside })?;
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

/// Gives a customer its next version though none of its own facts has changed: something that is shown with it has. Nothing
/// is told.
pub(super) fn touch(tx: &mut dyn Tx, ctx: &Ctx<'_>, before: &Customer) -> Kept<()> {
    let after = Customer { version: before.version + 1, ..before.clone() };
    tx.put_customer(ctx.account.space, Some(before), &after)
}

/// The live customers that have the e-mail address, case apart, newest first, as far as there are not too many of them. In
/// a transaction this is asked before the first write.
pub fn by_email(read: &mut dyn Read, space: Space, email: &str) -> Kept<Vec<Customer>> {
    let test = Test::Equals(Field::Email, email.to_owned());
    let query = Query { join: Join::All, clauses: vec![Clause { negated: false, test }] };
    Ok(read.search(space, &query, None, MAX_NAMESAKES)?.items)
}

/// Who has the e-mail address that the change wants for its customer alone.
fn rivals(read: &mut dyn Read, ctx: &Ctx<'_>, change: &CustomerChange) -> Kept<Vec<Customer>> {
    match &change.email {
        Patch::Set(email) if change.unique_email => by_email(read, ctx.account.space, email),
        Patch::Set(_) | Patch::Keep | Patch::Clear => Ok(Vec::new()),
    }
}

/// Gives a changed customer its next version and the moment of the change.
pub(super) fn step(ctx: &Ctx<'_>, before: &Customer, after: &mut Customer) {
    after.version = before.version + 1;
    after.updated = before.next_update(ctx.now);
}

/// The customer with the change applied and the offer redeemed, or the rule that this breaks.
fn decide(ctx: &Ctx<'_>, before: &Customer, change: CustomerChange, offer: Option<&Offer>) -> Done<Customer> {
    let changed = before.with(change, ctx.account.default_currency)?;
    match offer {
        None => Ok(changed),
        Some(offer) => Ok(changed.with_discount(offer, DiscountId::mint(ctx.ids, ctx.now), ctx.now)?),
    }
}

/// Counts the redemption by which the customer has its discount; gives the discount with its coupon.
fn redeem(tx: &mut dyn Tx, ctx: &Ctx<'_>, customer: &Customer, offer: Option<Offer>) -> Kept<Option<Redeemed>> {
    match (offer, &customer.discount) {
        (Some(offer), Some(discount)) => {
            let Offer { coupon, code: _ } = discounts::count(tx, ctx, offer)?;
            Ok(Some(Redeemed { discount: discount.clone(), coupon }))
        }
        (None, _) | (_, None) => Ok(None),
    }
}

/// The discount that the customer has on record, over or not.
fn had(tx: &mut dyn Tx, ctx: &Ctx<'_>, before: &Customer) -> Kept<Option<Redeemed>> {
    let discount = before.discount.as_ref();
    discount.map(|discount| discounts::redeemed(tx, ctx.account, discount)).transpose()
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
pub(super) fn free_invoice_prefix(tx: &mut dyn Tx, ctx: &Ctx<'_>) -> Kept<String> {
    loop {
        let prefix = invoice_prefix(ctx);
        if tx.marked(ctx.account.space, &Mark::InvoicePrefix(prefix.clone()))?.is_none() {
            return Ok(prefix);
        }
    }
}

/// Eight upper-case hexadecimal digits that nobody can foretell.
pub(super) fn invoice_prefix(ctx: &Ctx<'_>) -> String {
    let mut bytes = [0; 4];
    ctx.ids.random(&mut bytes);
    format!("{:08X}", u32::from_be_bytes(bytes))
}
