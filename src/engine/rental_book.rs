//! Rental books: what a customer's orders and rentals add up to. Whatever verb changes an order, a rental or a payment opens
//! the book of its customer while it still reads, and closes it when it writes, in the same transaction.

use super::{Ctx, customers, objects};
use crate::domain::account::Account;
use crate::domain::customer::Customer;
use crate::domain::facts::Facts;
use crate::domain::ids::CustomerId;
use crate::domain::object::ObjectKind;
use crate::domain::rental_book::RentalBook;
use crate::store::{Kept, Read, Tx};

/// A book that is to be changed.
pub(super) struct Opened {
    /// The book as it is to be kept.
    pub book: RentalBook,
    before: Option<RentalBook>,
    customer: Option<Customer>,
}

/// The book of a customer, if anything is in it.
pub fn find(read: &mut dyn Read, account: &Account, customer: &CustomerId) -> Kept<Option<RentalBook>> {
    objects::one(read, account.space, ObjectKind::RentalBook, customer.as_str())
}

/// The books of customers, in their order; one in which nothing is where there is none.
pub fn of(read: &mut dyn Read, account: &Account, customers: &[Customer]) -> Kept<Vec<RentalBook>> {
    // All are asked for before a failure is passed on: a store that fetches for a whole run then does so once.
    let found: Vec<_> = customers.iter().map(|customer| find(read, account, &customer.id)).collect();
    let books = customers.iter().zip(found);
    books.map(|(customer, book)| Ok(book?.unwrap_or_else(|| blank(customer)))).collect()
}

/// Opens the book of a customer.
pub(super) fn open(tx: &mut dyn Tx, ctx: &Ctx<'_>, customer: &CustomerId) -> Kept<Opened> {
    // Both are asked for before a failure is passed on.
    let (before, owner) = (find(tx, ctx.account, customer), tx.customer(ctx.account.space, customer));
    let (before, customer_now) = (before?, owner?);
    let book = before.clone().unwrap_or_else(|| RentalBook::blank(customer.clone(), ctx.now));
    Ok(Opened { book, before, customer: customer_now })
}

/// The book of a customer that is made in this transaction.
pub(super) fn begin(customer: &Customer) -> Opened {
    Opened { book: blank(customer), before: None, customer: None }
}

impl Opened {
    /// Writes the book, and gives its customer the next version: whoever looks at the customer sees what is in the book.
    /// No event tells of it, because none of the customer's own facts has changed.
    pub fn close(self, tx: &mut dyn Tx, ctx: &Ctx<'_>) -> Kept<()> {
        let Opened { book, before, customer } = self;
        if before.as_ref() == Some(&book) {
            return Ok(());
        }
        let before = before.map(Facts::from);
        objects::put(tx, ctx, before.as_ref(), &Facts::from(book))?;
        match customer {
            Some(customer) if customer.deleted.is_none() => customers::touch(tx, ctx, &customer),
            // Of a deleted one there is nothing to see, and what this transaction has made or changed has its version.
            Some(_) | None => Ok(()),
        }
    }

    /// The same of a customer to which this transaction gives the next version anyway.
    pub fn of_changed(self) -> Opened {
        Opened { customer: None, ..self }
    }
}

fn blank(customer: &Customer) -> RentalBook {
    RentalBook::blank(customer.id.clone(), customer.created)
}
