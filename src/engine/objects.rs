//! Objects by their facts: between the verbs, which know kinds, and the store, which does not.

use std::error::Error;

use super::Ctx;
use crate::domain::account::Space;
use crate::domain::cash::CashTransaction;
use crate::domain::coupon::Coupon;
use crate::domain::facts::Facts;
use crate::domain::ids::{
    CashTransactionId, CouponId, CouponSerial, InstrumentId, PromotionCodeId, SetupAttemptId, SetupIntentId, TokenId,
    WebhookEndpointId,
};
use crate::domain::object::{List, Object, ObjectKind};
use crate::domain::page::{Cursor, ObjectPage, Page, Place, Span};
use crate::domain::payment_method::LoosePaymentMethod;
use crate::domain::promotion_code::PromotionCode;
use crate::domain::setup_intent::{SetupAttempt, SetupIntent};
use crate::domain::source::LooseSource;
use crate::domain::time::Time;
use crate::domain::token::Token;
use crate::domain::webhook::WebhookEndpoint;
use crate::store::record::{read_facts, write_facts};
use crate::store::{Failure, Kept, MAX_SHORT_LIST, Read, Tx};

/// The most objects of a list that are looked at together, where some are left out.
const MAX_AT_ONCE: usize = 16_384;

/// Makes (`before` is `None`) or replaces an object. One that is kept by another name afterwards moves there.
pub(super) fn put(tx: &mut dyn Tx, ctx: &Ctx<'_>, before: Option<&Facts>, after: &Facts) -> Kept<()> {
    let space = ctx.account.space;
    let mut was_on = before.map(Facts::lists).unwrap_or_default();
    if let Some(before) = before.filter(|before| (before.kind(), before.key()) != (after.kind(), after.key())) {
        tx.remove_object(space, &write_facts(before), &was_on)?;
        was_on.clear();
    }
    tx.put_object(space, &write_facts(after), &was_on, &after.lists())
}

/// Removes an object.
pub(super) fn remove(tx: &mut dyn Tx, ctx: &Ctx<'_>, facts: &Facts) -> Kept<()> {
    tx.remove_object(ctx.account.space, &write_facts(facts), &facts.lists())
}

/// A living coupon.
pub(super) fn coupon(read: &mut dyn Read, space: Space, id: &CouponId) -> Kept<Option<Coupon>> {
    one(read, space, ObjectKind::Coupon, id.as_str())
}

/// A coupon that something refers to, living or deleted. It is deleted but once, so it is found though the two looks are
/// of different states.
pub(super) fn referred_coupon(
    read: &mut dyn Read,
    space: Space,
    id: &CouponId,
    serial: &CouponSerial,
) -> Kept<Option<Coupon>> {
    if let Some(coupon) = coupon(read, space, id)?.filter(|coupon| coupon.serial == *serial) {
        return Ok(Some(coupon));
    }
    one(read, space, ObjectKind::RetiredCoupon, serial.as_str())
}

/// A promotion code.
pub(super) fn promotion_code(read: &mut dyn Read, space: Space, id: &PromotionCodeId) -> Kept<Option<PromotionCode>> {
    one(read, space, ObjectKind::PromotionCode, id.as_str())
}

/// A cash transaction.
pub(super) fn cash_transaction(
    read: &mut dyn Read,
    space: Space,
    id: &CashTransactionId,
) -> Kept<Option<CashTransaction>> {
    one(read, space, ObjectKind::CashTransaction, id.as_str())
}

/// A payment method that no customer holds.
pub(super) fn loose_payment_method(
    read: &mut dyn Read,
    space: Space,
    id: &InstrumentId,
) -> Kept<Option<LoosePaymentMethod>> {
    one(read, space, ObjectKind::PaymentMethod, id.as_str())
}

/// A source that no customer holds.
pub(super) fn loose_source(read: &mut dyn Read, space: Space, id: &InstrumentId) -> Kept<Option<LooseSource>> {
    one(read, space, ObjectKind::Source, id.as_str())
}

/// A token.
pub(super) fn token(read: &mut dyn Read, space: Space, id: &TokenId) -> Kept<Option<Token>> {
    one(read, space, ObjectKind::Token, id.as_str())
}

/// A setup intent.
pub(super) fn setup_intent(read: &mut dyn Read, space: Space, id: &SetupIntentId) -> Kept<Option<SetupIntent>> {
    one(read, space, ObjectKind::SetupIntent, id.as_str())
}

/// An attempt of a setup intent.
pub(super) fn setup_attempt(read: &mut dyn Read, space: Space, id: &SetupAttemptId) -> Kept<Option<SetupAttempt>> {
    one(read, space, ObjectKind::SetupAttempt, id.as_str())
}

/// A webhook endpoint.
pub(super) fn webhook_endpoint(
    read: &mut dyn Read,
    space: Space,
    id: &WebhookEndpointId,
) -> Kept<Option<WebhookEndpoint>> {
    one(read, space, ObjectKind::WebhookEndpoint, id.as_str())
}

/// The promotion codes of a list that is known to be short.
pub(super) fn promotion_codes(read: &mut dyn Read, space: Space, list: List) -> Kept<Vec<PromotionCode>> {
    short_list(read, space, list)
}

/// The objects of a list that is short, newest first: at most [`MAX_SHORT_LIST`] of them.
pub(super) fn short_list<T: TryFrom<Facts>>(read: &mut dyn Read, space: Space, list: List) -> Kept<Vec<T>> {
    let objects = read.short_list(space, list)?;
    objects.iter().map(told).collect()
}

/// All objects of a list that is short as a rule, however long it is.
pub(super) fn all<T: TryFrom<Facts>>(read: &mut dyn Read, space: Space, list: List) -> Kept<Vec<T>> {
    let objects = read.short_list(space, list)?;
    if objects.len() < MAX_SHORT_LIST {
        return objects.iter().map(told).collect();
    }
    let (mut all, mut cursor) = (Vec::new(), Cursor::Newest);
    loop {
        let page = ObjectPage { list, created: Span::default(), cursor, limit: MAX_AT_ONCE };
        let Page { items, has_more } = read.objects(space, &page)?;
        all.extend(items.iter().map(told).collect::<Kept<Vec<T>>>()?);
        match items.into_iter().next_back().filter(|_| has_more) {
            Some(last) => cursor = Cursor::OlderThan(Place { created: last.created, id: last.id }),
            None => return Ok(all),
        }
    }
}

/// A page of a list.
pub(super) fn page<T: TryFrom<Facts>>(read: &mut dyn Read, space: Space, page: &ObjectPage) -> Kept<Page<T>> {
    let Page { items, has_more } = read.objects(space, page)?;
    let items = items.iter().map(told).collect::<Kept<_>>()?;
    Ok(Page { items, has_more })
}

/// Which objects of a list to look at.
pub(super) struct Walk {
    /// The list.
    pub list: List,
    /// Made within.
    pub created: Span,
    /// Where to begin.
    pub cursor: Cursor<Place>,
    /// How many to find at most.
    pub limit: usize,
}

/// A page of those objects of a list that `keep` keeps of several at a time, in their order.
pub(super) fn chosen<T: TryFrom<Facts>, U>(
    read: &mut dyn Read,
    space: Space,
    walk: Walk,
    mut keep: impl FnMut(&mut dyn Read, Vec<T>) -> Kept<Vec<U>>,
) -> Kept<Page<U>> {
    let Walk { list, created, mut cursor, limit } = walk;
    let to_newer = matches!(cursor, Cursor::NewerThan(_));
    // In the order of the walk.
    let mut found = Vec::new();
    // One more than asked for shows whether there are more. Where most are left out it takes a few larger bites: a store
    // that fetches for a whole run begins anew after each.
    let mut at_once = limit + 1;
    loop {
        let Page { mut items, has_more } =
            read.objects(space, &ObjectPage { list, created, cursor, limit: at_once })?;
        if to_newer {
            items.reverse();
        }
        let end = items.last().map(|last| Place { created: last.created, id: last.id.clone() });
        let facts = items.iter().map(told).collect::<Kept<_>>()?;
        found.extend(keep(read, facts)?);
        match end {
            Some(end) if has_more && found.len() <= limit => {
                cursor = if to_newer { Cursor::NewerThan(end) } else { Cursor::OlderThan(end) };
                at_once = (at_once * 4).min(MAX_AT_ONCE);
            }
            Some(_) | None => break,
        }
    }
    let has_more = found.len() > limit;
    found.truncate(limit);
    if to_newer {
        found.reverse();
    }
    Ok(Page { items: found, has_more })
}

/// Where a list begins when it is walked from its oldest object on.
pub(super) fn oldest() -> Cursor<Place> {
    Cursor::NewerThan(Place { created: Time(i64::MIN), id: String::new() })
}

/// The object that is kept so.
pub(super) fn one<T: TryFrom<Facts>>(
    read: &mut dyn Read,
    space: Space,
    kind: ObjectKind,
    key: &str,
) -> Kept<Option<T>> {
    read.object(space, kind, key)?.as_ref().map(told).transpose()
}

fn told<T: TryFrom<Facts>>(object: &Object) -> Kept<T> {
    let broken = |cause: Box<dyn Error + Send + Sync>| Failure::broken("reading an object", cause);
    let facts = read_facts(object).map_err(|unreadable| broken(unreadable.into()))?;
    T::try_from(facts).map_err(|_| broken("it is of another kind than it is kept as".into()))
}
