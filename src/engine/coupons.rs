//! Coupons: create, read, update, delete, list.

use std::collections::BTreeMap;

use super::{Ctx, Done, objects, tell};
use crate::domain::account::{Account, Space};
use crate::domain::coupon::{Coupon, CouponChange, NewCoupon};
use crate::domain::event::{Happening, ObjectChange};
use crate::domain::facts::Facts;
use crate::domain::ids::{CouponId, CouponSerial};
use crate::domain::object::{List, ObjectKind};
use crate::domain::page::{Cursor, ObjectPage, Page, Place, Span};
use crate::domain::problem::Problem;
use crate::store::{Failure, Kept, Read, Tx};

/// How many characters an id has that nobody chose.
const ID_LENGTH: usize = 8;

/// Makes a coupon under the id that was chosen, or under a new one.
pub fn create(tx: &mut dyn Tx, ctx: &Ctx<'_>, wish: NewCoupon) -> Done<Coupon> {
    let id = match &wish.id {
        Some(id) => {
            if objects::coupon(tx, ctx.account.space, id)?.is_some() {
                return Err(Problem::CouponExists.into());
            }
            id.clone()
        }
        None => free_id(tx, ctx)?,
    };
    let made = Coupon::new(wish, id, CouponSerial::mint(ctx.ids, ctx.now), ctx.now)?;

    let after = Facts::from(made.clone());
    objects::put(tx, ctx, None, &after)?;
    tell(tx, ctx, Happening::Object { change: ObjectChange::Created(after), beside: Vec::new() })?;
    Ok(made)
}

/// A living coupon, if there is one of that id.
pub fn find(tx: &mut dyn Read, account: &Account, id: &CouponId) -> Kept<Option<Coupon>> {
    objects::coupon(tx, account.space, id)
}

/// A living coupon.
pub fn read(tx: &mut dyn Read, account: &Account, id: &CouponId) -> Done<Coupon> {
    match find(tx, account, id)? {
        Some(coupon) => Ok(coupon),
        None => {
            let in_other_mode = objects::coupon(tx, account.other_space, id)?.is_some();
            Err(Problem::NoSuchCoupon { id: id.clone(), in_other_mode }.into())
        }
    }
}

/// Changes what may change. A change that changes nothing makes no event.
pub fn update(tx: &mut dyn Tx, ctx: &Ctx<'_>, id: &CouponId, change: CouponChange) -> Done<Coupon> {
    let before = read(tx, ctx.account, id)?;
    let changed = before.with(change)?;
    if changed == before {
        return Ok(before);
    }

    let (before, after) = (Facts::from(before), Facts::from(changed.clone()));
    objects::put(tx, ctx, Some(&before), &after)?;
    tell(tx, ctx, Happening::Object { change: ObjectChange::Updated { before, after }, beside: Vec::new() })?;
    Ok(changed)
}

/// Deletes a coupon. What refers to it still finds it; its id is free.
pub fn delete(tx: &mut dyn Tx, ctx: &Ctx<'_>, id: &CouponId) -> Done<Coupon> {
    let before = read(tx, ctx.account, id)?;
    let retired = before.retired(ctx.now);

    let before = Facts::from(before);
    objects::put(tx, ctx, Some(&before), &Facts::from(retired.clone()))?;
    tell(tx, ctx, Happening::Object { change: ObjectChange::Deleted(before), beside: Vec::new() })?;
    Ok(retired)
}

/// A page of living coupons.
pub fn list(
    tx: &mut dyn Read,
    account: &Account,
    created: Span,
    cursor: Cursor<Place>,
    limit: usize,
) -> Done<Page<Coupon>> {
    let page = ObjectPage { list: List::all(ObjectKind::Coupon), created, cursor, limit };
    Ok(objects::page(tx, account.space, &page)?)
}

/// Coupons that something refers to, living or deleted, that were looked at on the way.
#[derive(Default)]
pub(super) struct Coupons(BTreeMap<CouponSerial, Option<Coupon>>);

impl Coupons {
    /// Looks at those that are not known yet. All are asked for before a failure is passed on: a store that fetches for a
    /// whole run then does so once.
    pub fn look<'a>(
        &mut self,
        read: &mut dyn Read,
        space: Space,
        wanted: impl IntoIterator<Item = (&'a CouponId, &'a CouponSerial)>,
    ) -> Kept<()> {
        let mut asked = Ok(());
        for (id, serial) in wanted {
            if !self.0.contains_key(serial) {
                match objects::referred_coupon(read, space, id, serial) {
                    Ok(found) => drop(self.0.insert(serial.clone(), found)),
                    Err(failure) => asked = asked.and(Err(failure)),
                }
            }
        }
        asked
    }

    /// One that was looked at. No coupon that something refers to is ever forgotten.
    pub fn known(&self, serial: &CouponSerial) -> Kept<&Coupon> {
        let known = self.0.get(serial).and_then(Option::as_ref);
        known.ok_or_else(|| Failure::broken("reading what refers to a coupon", "the coupon is not there"))
    }
}

/// Eight letters and digits that are the id of no living coupon.
fn free_id(tx: &mut dyn Tx, ctx: &Ctx<'_>) -> Kept<CouponId> {
    loop {
        let id = CouponId(super::random_word(ctx.ids, super::LETTERS_AND_DIGITS, ID_LENGTH));
        if objects::coupon(tx, ctx.account.space, &id)?.is_none() {
            return Ok(id);
        }
    }
}
