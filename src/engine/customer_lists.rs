//! Lists of customers from the oldest on, as APIs show them that have no word for newest first.

use std::collections::VecDeque;

use super::Done;
use crate::domain::account::Account;
use crate::domain::customer::{Customer, CustomerStatus};
use crate::domain::page::{Cursor, CustomerPage, Page, Place, Span};
use crate::domain::query::{Clause, Field, Join, Query, Test};
use crate::domain::time::Time;
use crate::store::{Kept, Read};

/// How many customers are looked at together, where some are left out.
const AT_ONCE: usize = 1_000;

/// Which customers to list. Deleted ones are never listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Those that stand so.
    pub status: Option<CustomerStatus>,
    /// Those with that e-mail address, whatever its case.
    pub email: Option<String>,
}

/// At most so many customers behind that place, oldest first.
pub fn oldest(
    read: &mut dyn Read,
    account: &Account,
    wanted: &Wanted,
    after: Option<Place>,
    limit: usize,
) -> Done<Page<Customer>> {
    let mut found = match &wanted.email {
        Some(email) => with_email(read, account, wanted, email, after.as_ref(), limit + 1)?,
        None => walked(read, account, wanted, after, limit + 1)?,
    };
    let has_more = found.len() > limit;
    found.truncate(limit);
    Ok(Page { items: found, has_more })
}

impl Wanted {
    fn holds(&self, customer: &Customer) -> bool {
        self.status.is_none_or(|status| customer.status == status)
    }
}

/// Where a customer is by creation.
pub fn place(customer: &Customer) -> Place {
    Place { created: customer.created, id: customer.id.as_str().to_owned() }
}

/// Those of one e-mail address are found newest first only: all of them are gone through, and the oldest kept.
fn with_email(
    read: &mut dyn Read,
    account: &Account,
    wanted: &Wanted,
    email: &str,
    after: Option<&Place>,
    limit: usize,
) -> Kept<Vec<Customer>> {
    let test = Test::Equals(Field::Email, email.to_owned());
    let query = Query { join: Join::All, clauses: vec![Clause { negated: false, test }] };
    let mut oldest: VecDeque<Customer> = VecDeque::new();
    let mut from: Option<Place> = None;
    loop {
        let Page { items, has_more } = read.search(account.space, &query, from.as_ref(), AT_ONCE)?;
        from = items.last().map(place);
        let behind = |customer: &Customer| after.is_none_or(|after| place(customer) > *after);
        let more = has_more && items.last().is_some_and(behind);
        for customer in items.into_iter().take_while(behind).filter(|customer| wanted.holds(customer)) {
            oldest.push_back(customer);
            if oldest.len() > limit {
                oldest.pop_front();
            }
        }
        if !more {
            return Ok(oldest.into_iter().rev().collect());
        }
    }
}

fn walked(
    read: &mut dyn Read,
    account: &Account,
    wanted: &Wanted,
    after: Option<Place>,
    limit: usize,
) -> Kept<Vec<Customer>> {
    let mut from = after.unwrap_or(Place { created: Time(i64::MIN), id: String::new() });
    let mut found = Vec::new();
    loop {
        let at_once = match wanted.status {
            None => limit - found.len(),
            Some(_) => AT_ONCE,
        };
        let page = CustomerPage {
            created: Span::default(),
            email: None,
            cursor: Cursor::NewerThan(from.clone()),
            limit: at_once,
        };
        // Pages are told newest first.
        let Page { items, has_more } = read.customers(account.space, &page)?;
        let newest = items.first().map(place);
        found.extend(items.into_iter().rev().filter(|customer| wanted.holds(customer)));
        match newest {
            Some(newest) if has_more && found.len() < limit => from = newest,
            Some(_) | None => break,
        }
    }
    found.truncate(limit);
    Ok(found)
}
