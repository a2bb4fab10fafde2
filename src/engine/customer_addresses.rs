//! Addresses of customers: create, read, update, list.

use super::objects::{self, Walk};
use super::{Ctx, Done, Precondition, customers, tell};
use crate::domain::account::Account;
use crate::domain::customer_address::{CustomerAddress, CustomerAddressChange, MAX_ADDRESSES, NewCustomerAddress};
use crate::domain::event::{Happening, ObjectChange};
use crate::domain::facts::{Facts, customer_address_lists};
use crate::domain::ids::{CustomerAddressId, CustomerId};
use crate::domain::object::ObjectKind;
use crate::domain::page::{Cursor, Page, Place, Span};
use crate::domain::problem::Problem;
use crate::store::{Kept, Read, Tx};

/// Makes an address of a customer.
pub fn create(tx: &mut dyn Tx, ctx: &Ctx<'_>, of: &CustomerId, wish: NewCustomerAddress) -> Done<CustomerAddress> {
    // Both are asked for before either is missed, as below.
    let (customer, known) = (customers::live(tx, ctx.account, of), all(tx, ctx.account, of)?);
    let customer = customer?;
    if known.len() >= MAX_ADDRESSES {
        return Err(Problem::TooManyOfCustomer { what: "addresses", most: MAX_ADDRESSES }.into());
    }
    let made = CustomerAddress::new(wish, CustomerAddressId::mint(ctx.ids, ctx.now), customer.id, ctx.now);

    let after = Facts::from(made.clone());
    objects::put(tx, ctx, None, &after)?;
    tell(tx, ctx, Happening::Object { change: ObjectChange::Created(after), beside: Vec::new() })?;
    Ok(made)
}

/// An address of a customer; one of another customer is none.
pub fn read(read: &mut dyn Read, account: &Account, of: &CustomerId, id: &CustomerAddressId) -> Done<CustomerAddress> {
    // Both are asked for before either is missed: a store that fetches for a whole run then does so once.
    let customer = customers::live(read, account, of);
    let found = objects::one(read, account.space, ObjectKind::CustomerAddress, id.as_str())?;
    customer?;
    let found = found.filter(|address: &CustomerAddress| address.customer == *of);
    Ok(found.ok_or_else(|| Problem::NoSuchCustomerAddress(id.clone()))?)
}

/// Changes what the change mentions. A change that changes nothing makes no event.
pub fn update(
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    of: &CustomerId,
    id: &CustomerAddressId,
    insists: &Precondition,
    change: CustomerAddressChange,
) -> Done<CustomerAddress> {
    let before = read(tx, ctx.account, of, id)?;
    insists.check(before.version)?;
    let changed = before.with(change, ctx.now);
    if changed == before {
        return Ok(before);
    }

    let (before, after) = (Facts::from(before), Facts::from(changed.clone()));
    objects::put(tx, ctx, Some(&before), &after)?;
    tell(tx, ctx, Happening::Object { change: ObjectChange::Updated { before, after }, beside: Vec::new() })?;
    Ok(changed)
}

/// So many addresses of a customer, oldest first, behind that place and behind the first `offset` there.
pub fn list(
    read: &mut dyn Read,
    account: &Account,
    of: &CustomerId,
    after: Option<Place>,
    offset: usize,
    limit: usize,
) -> Done<Page<CustomerAddress>> {
    let customer = customers::live(read, account, of);
    let list = customer_address_lists::of_customer(of);
    let cursor = after.map_or_else(objects::oldest, Cursor::NewerThan);
    let walk = Walk { list, created: Span::default(), cursor, limit: offset + limit };
    let page = objects::chosen(read, account.space, walk, |_, addresses: Vec<CustomerAddress>| {
        Ok(addresses.into_iter().filter(|address| address.customer == *of).collect())
    })?;
    customer?;
    // Pages are told newest first.
    Ok(Page { items: page.items.into_iter().rev().skip(offset).collect(), has_more: page.has_more })
}

/// Where an address is among those of its customer.
pub fn place(address: &CustomerAddress) -> Place {
    Place { created: address.created, id: address.id.as_str().to_owned() }
}

/// All addresses of a customer, which are not too many. In a transaction this is asked before the first write.
pub(super) fn all(read: &mut dyn Read, account: &Account, of: &CustomerId) -> Kept<Vec<CustomerAddress>> {
    let mut all = objects::short_list(read, account.space, customer_address_lists::of_customer(of))?;
    all.retain(|address: &CustomerAddress| address.customer == *of);
    Ok(all)
}
