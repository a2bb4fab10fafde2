//! Discounts of customers: what is redeemed, read, delete, and what is told of a discount when its customer changes.

use super::coupons::{self, Coupons};
use super::{Ctx, Done, Precondition, customers, objects, promotion_codes, tell};
use crate::domain::account::Account;
use crate::domain::customer::Customer;
use crate::domain::discount::{Discount, Offer, Redeemed, Redemption};
use crate::domain::event::{Happening, ObjectChange, Subject};
use crate::domain::facts::Facts;
use crate::domain::ids::CustomerId;
use crate::domain::patch::Patch;
use crate::domain::problem::Problem;
use crate::domain::promotion_code::Promotion;
use crate::domain::time::Time;
use crate::store::{Kept, Read, Tx};

/// A customer that has a discount at that moment.
pub fn holder(read: &mut dyn Read, account: &Account, id: &CustomerId, now: Time) -> Done<Customer> {
    let customer = customers::live(read, account, id)?;
    if customer.discount_at(now).is_none() {
        return Err(Problem::NoDiscount(customer.id).into());
    }
    Ok(customer)
}

/// Ends the discount of a customer; gives what it was.
pub fn delete(tx: &mut dyn Tx, ctx: &Ctx<'_>, id: &CustomerId, insists: &Precondition) -> Done<Redeemed> {
    let before = customers::live(tx, ctx.account, id)?;
    insists.check(before.version)?;
    let gone = match before.discount_at(ctx.now) {
        Some(discount) => redeemed(tx, ctx.account, discount)?,
        None => return Err(Problem::NoDiscount(before.id).into()),
    };
    let after = Customer { discount: None, ..before.clone() };

    customers::replace(tx, ctx, before, after)?;
    Ok(gone)
}

/// What each of the customers has redeemed and holds at that moment.
pub fn held(read: &mut dyn Read, account: &Account, by: &[Customer], now: Time) -> Kept<Vec<Option<Redeemed>>> {
    let discounts = || by.iter().map(|customer| customer.discount_at(now));
    let mut coupons = Coupons::default();
    let wanted = discounts().flatten().map(|discount| (&discount.coupon, &discount.coupon_serial));
    coupons.look(read, account.space, wanted)?;
    let with_coupon = |discount: &Discount| {
        Ok(Redeemed { discount: discount.clone(), coupon: coupons.known(&discount.coupon_serial)?.clone() })
    };
    discounts().map(|discount| discount.map(with_coupon).transpose()).collect()
}

/// The discount with its coupon.
pub(super) fn redeemed(read: &mut dyn Read, account: &Account, discount: &Discount) -> Kept<Redeemed> {
    let mut coupons = Coupons::default();
    coupons.look(read, account.space, [(&discount.coupon, &discount.coupon_serial)])?;
    Ok(Redeemed { discount: discount.clone(), coupon: coupons.known(&discount.coupon_serial)?.clone() })
}

/// What there is of what is to be redeemed.
pub(super) fn offer(read: &mut dyn Read, account: &Account, wish: &Patch<Redemption>) -> Done<Option<Offer>> {
    match wish {
        Patch::Keep | Patch::Clear => Ok(None),
        Patch::Set(Redemption::Coupon(id)) => {
            let coupon = coupons::read(read, account, id)?;
            Ok(Some(Offer { coupon, code: None }))
        }
        Patch::Set(Redemption::PromotionCode(id)) => {
            let Promotion { code, coupon } = promotion_codes::read(read, account, id)?;
            Ok(Some(Offer { coupon, code: Some(code) }))
        }
    }
}

/// Counts a redemption; gives the offer as it is then. The counters are no change of what somebody made: no event tells of
/// them, the customer's own events show them.
pub(super) fn count(tx: &mut dyn Tx, ctx: &Ctx<'_>, offer: Offer) -> Kept<Offer> {
    let counted = offer.counted();
    objects::put(tx, ctx, Some(&Facts::from(offer.coupon)), &Facts::from(counted.coupon.clone()))?;
    if let (Some(before), Some(after)) = (offer.code, &counted.code) {
        objects::put(tx, ctx, Some(&Facts::from(before)), &Facts::from(after.clone()))?;
    }
    Ok(counted)
}

/// Tells what became of a customer's discount: of what it had, which may have been over for a while, and of what it has.
pub(super) fn announce(
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    customer: &CustomerId,
    had: Option<&Redeemed>,
    has: Option<&Redeemed>,
) -> Kept<()> {
    let mut say = |change| {
        let customer = customer.clone();
        tell(tx, ctx, Happening::Holding { customer, subject: Subject::Discount, change })
    };
    let holding = |redeemed: &Redeemed| redeemed.clone().into();
    let had = match had {
        Some(over) if over.discount.is_over(ctx.now) => {
            say(ObjectChange::Deleted(holding(over)))?;
            None
        }
        other => other,
    };
    match (had, has) {
        (None, Some(new)) => say(ObjectChange::Created(holding(new))),
        (Some(old), Some(new)) if old.discount != new.discount => {
            say(ObjectChange::Updated { before: holding(old), after: holding(new) })
        }
        (Some(old), None) => say(ObjectChange::Deleted(holding(old))),
        (Some(_), Some(_)) | (None, None) => Ok(()),
    }
}

/// The coupons of these discounts, each once, for an event of the customer to be told by.
pub(super) fn beside(has: Option<&Redeemed>, had: Option<&Redeemed>) -> Vec<Facts> {
    let other = had.filter(|had| has.is_none_or(|has| has.coupon.serial != had.coupon.serial));
    has.into_iter().chain(other).map(|redeemed| redeemed.coupon.clone().into()).collect()
}
