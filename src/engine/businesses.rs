//! Businesses of customers: create, read, update, list.

use super::objects::{self, Walk};
use super::{Ctx, Done, Precondition, customers, tell};
use crate::domain::account::Account;
use crate::domain::business::{Business, BusinessChange, BusinessStatus, MAX_BUSINESSES, NewBusiness};
use crate::domain::event::{Happening, ObjectChange};
use crate::domain::facts::{Facts, business_lists};
use crate::domain::ids::{BusinessId, CustomerId};
use crate::domain::object::ObjectKind;
use crate::domain::page::{Cursor, Page, Place, Span};
use crate::domain::problem::Problem;
use crate::store::{Kept, Read, Tx};

/// Makes a business of a customer.
pub fn create(tx: &mut dyn Tx, ctx: &Ctx<'_>, of: &CustomerId, wish: NewBusiness) -> Done<Business> {
    // Both are asked for before either is missed, as below.
    let (customer, known) = (customers::live(tx, ctx.account, of), all(tx, ctx.account, of)?);
    let customer = customer?;
    if known.len() >= MAX_BUSINESSES {
        return Err(Problem::TooManyOfCustomer { what: "businesses", most: MAX_BUSINESSES }.into());
    }
    let made = Business::new(wish, BusinessId::mint(ctx.ids, ctx.now), customer.id, ctx.now);

    let after = Facts::from(made.clone());
    objects::put(tx, ctx, None, &after)?;
    tell(tx, ctx, Happening::Object { change: ObjectChange::Created(after), beside: Vec::new() })?;
    Ok(made)
}

/// A business of a customer; one of another customer is none.
pub fn read(read: &mut dyn Read, account: &Account, of: &CustomerId, id: &BusinessId) -> Done<Business> {
    // Both are asked for before either is missed: a store that fetches for a whole run then does so once.
    let customer = customers::live(read, account, of);
    let found = objects::one(read, account.space, ObjectKind::Business, id.as_str())?;
    customer?;
    let found = found.filter(|business: &Business| business.customer == *of);
    Ok(found.ok_or_else(|| Problem::NoSuchBusiness(id.clone()))?)
}

/// Changes what the change mentions. A change that changes nothing makes no event.
pub fn update(
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    of: &CustomerId,
    id: &BusinessId,
    insists: &Precondition,
    change: BusinessChange,
) -> Done<Business> {
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

/// So many businesses of a customer behind that place, oldest first: all, or those of a status.
pub fn list(
    read: &mut dyn Read,
    account: &Account,
    of: &CustomerId,
    status: Option<BusinessStatus>,
    after: Option<Place>,
    limit: usize,
) -> Done<Page<Business>> {
    let customer = customers::live(read, account, of);
    let list = business_lists::of_customer(of);
    let cursor = after.map_or_else(objects::oldest, Cursor::NewerThan);
    let walk = Walk { list, created: Span::default(), cursor, limit };
    let wanted =
        |business: &Business| business.customer == *of && status.is_none_or(|status| business.status == status);
    let page = objects::chosen(read, account.space, walk, |_, businesses: Vec<Business>| {
        Ok(businesses.into_iter().filter(wanted).collect())
    })?;
    customer?;
    // Pages are told newest first.
    Ok(Page { items: page.items.into_iter().rev().collect(), has_more: page.has_more })
}

/// Where a business is among those of its customer.
pub fn place(business: &Business) -> Place {
    Place { created: business.created, id: business.id.as_str().to_owned() }
}

/// All businesses of a customer, which are not too many. In a transaction this is asked before the first write.
pub(super) fn all(read: &mut dyn Read, account: &Account, of: &CustomerId) -> Kept<Vec<Business>> {
    let mut all = objects::short_list(read, account.space, business_lists::of_customer(of))?;
    all.retain(|business: &Business| business.customer == *of);
    Ok(all)
}
