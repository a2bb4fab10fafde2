//! Customers as those see them who rent out: each with its rental book. What such a customer may do depends on the book, so
//! its changes are made here.

use super::customers::{self, Bringing};
use super::listing::{self, Anchor, Paging, Sort, SortKey, Source};
use super::{Ctx, Done, Precondition, rental_book};
use crate::domain::account::Account;
use crate::domain::customer::{Customer, CustomerChange, CustomerKind, CustomerStatus, StatusChange};
use crate::domain::ids::CustomerId;
use crate::domain::page::{Cursor, CustomerPage, Page, Place, Span};
use crate::domain::patch::Patch;
use crate::domain::query::{Clause, Field, Join, Query, Test};
use crate::domain::rental_book::RentalBook;
use crate::domain::rental_problem::RentalProblem;
use crate::domain::term::letters_without_case;
use crate::store::{Kept, Read, Tx};

/// A customer with its book.
#[derive(Clone, Debug, PartialEq)]
pub struct Renter {
    /// The customer.
    pub customer: Customer,
    /// What its orders and rentals add up to.
    pub book: RentalBook,
}

impl Renter {
    /// What kind of customer it is taken for: a person, when nobody said.
    pub fn kind(&self) -> CustomerKind {
        kind(&self.customer)
    }
}

/// Which customers to list.
#[derive(Clone, Debug, Default)]
pub struct RenterFilter {
    /// Only those that are active, or only those that are not; `None` for both.
    pub active: Option<bool>,
    /// Only those of this kind.
    pub kind: Option<CustomerKind>,
    /// Only those with this e-mail address, case apart.
    pub email: Option<String>,
    /// Only those that have active rentals, or only those that have none; `None` for both.
    pub renting: Option<bool>,
}

/// A customer that is not deleted.
pub fn read(tx: &mut dyn Read, account: &Account, id: &CustomerId) -> Done<Renter> {
    // Both are asked for before a failure is passed on: a store that fetches for a whole run then does so once.
    let (customer, book) = (customers::live(tx, account, id), rental_book::find(tx, account, id));
    let customer = customer?;
    let book = book?.unwrap_or_else(|| RentalBook::blank(id.clone(), customer.created));
    Ok(Renter { customer, book })
}

/// A page of customers that are not deleted.
pub fn list(
    tx: &mut dyn Read,
    account: &Account,
    filter: &RenterFilter,
    paging: &Paging<Renter>,
) -> Done<Page<Renter>> {
    let mut paging = paging.clone();
    // Those of one e-mail address are found newest first only.
    if filter.email.is_some() && paging.ascending && matches!(paging.sort, Sort::Created) {
        paging.sort = Sort::By(|renter| SortKey::Number(renter.customer.created.0));
    }
    listing::page(tx, &mut Renters { account, filter }, &paging)
}

/// Changes a customer. One that is active is deactivated only when nothing is rented to it or still to be.
pub fn update(
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    id: &CustomerId,
    insists: &Precondition,
    mut change: CustomerChange,
) -> Done<Renter> {
    let Renter { customer, book } = read(tx, ctx.account, id)?;
    insists.check(customer.version)?;
    // Who says again what nobody said but what is shown says nothing new.
    if change.kind == Patch::Set(kind(&customer)) {
        change.kind = Patch::Keep;
    }
    let ends = match change.status {
        Some(StatusChange::NotActive) => true,
        Some(StatusChange::To(status)) => status != CustomerStatus::Active,
        None => false,
    };
    if ends && customer.status == CustomerStatus::Active {
        if book.active > 0 {
            return Err(RentalProblem::CustomerHasActiveRentals.into());
        }
        if book.open_orders > 0 {
            return Err(RentalProblem::CustomerHasOpenOrders.into());
        }
    }

    let customer = customers::update(tx, ctx, id, insists, change, &Bringing::default())?;
    Ok(Renter { customer, book })
}

struct Renters<'a> {
    account: &'a Account,
    filter: &'a RenterFilter,
}

impl Renters<'_> {
    /// Whether the filter lets a customer through, as far as its own facts tell.
    fn wants(&self, customer: &Customer) -> bool {
        let RenterFilter { active, kind: wanted, email, renting: _ } = self.filter;
        let has = |email: &String| {
            let known = customer.email.as_deref().unwrap_or_default();
            letters_without_case(known).eq(letters_without_case(email))
        };
        active.is_none_or(|active| (customer.status == CustomerStatus::Active) == active)
            && wanted.is_none_or(|wanted| kind(customer) == wanted)
            && email.as_ref().is_none_or(has)
    }
}

impl Source for Renters<'_> {
    type Row = Customer;
    type Item = Renter;

    fn rows(&mut self, read: &mut dyn Read, cursor: Cursor<Place>, limit: usize) -> Kept<Page<Customer>> {
        let space = self.account.space;
        let (email, place) = match (&self.filter.email, cursor) {
            (Some(email), Cursor::Newest) => (email, None),
            (Some(email), Cursor::OlderThan(place)) => (email, Some(place)),
            (Some(_), cursor @ Cursor::NewerThan(_)) | (None, cursor) => {
                let page = CustomerPage { created: Span::default(), email: None, cursor, limit };
                return read.customers(space, &page);
            }
        };
        let clause = Clause { negated: false, test: Test::Equals(Field::Email, email.clone()) };
        read.search(space, &Query { join: Join::All, clauses: vec![clause] }, place.as_ref(), limit)
    }

    fn row_place(row: &Customer) -> Place {
        Place { created: row.created, id: row.id.0.clone() }
    }

    fn shown(&mut self, read: &mut dyn Read, mut rows: Vec<Customer>) -> Kept<Vec<Renter>> {
        rows.retain(|customer| self.wants(customer));
        let books = rental_book::of(read, self.account, &rows)?;
        let renters = rows.into_iter().zip(books).map(|(customer, book)| Renter { customer, book });
        let renting = self.filter.renting;
        Ok(renters.filter(|renter| renting.is_none_or(|renting| (renter.book.active > 0) == renting)).collect())
    }

    fn place(item: &Renter) -> Place {
        Renters::row_place(&item.customer)
    }

    fn anchor(&mut self, read: &mut dyn Read, id: &str) -> Kept<Option<Anchor<Renter>>> {
        let id = CustomerId(id.to_owned());
        let (customer, book) = (read.customer(self.account.space, &id), rental_book::find(read, self.account, &id));
        let (Some(customer), book) = (customer?, book?) else { return Ok(None) };
        Ok(Some(match customer.deleted {
            Some(_) => Anchor::Place(Renters::row_place(&customer)),
            None => {
                let book = book.unwrap_or_else(|| RentalBook::blank(id, customer.created));
                Anchor::Whole(Renter { customer, book })
            }
        }))
    }
}

fn kind(customer: &Customer) -> CustomerKind {
    customer.kind.unwrap_or(CustomerKind::Individual)
}
