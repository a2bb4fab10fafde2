//! Promotion codes: create, read, update, list.

use super::coupons::{self, Coupons};
use super::objects::{self, Walk};
use super::{Ctx, Done, customers, tell};
use crate::domain::account::{Account, Space};
use crate::domain::event::{Happening, ObjectChange};
use crate::domain::facts::{Facts, promotion_code_lists as lists};
use crate::domain::ids::{CouponId, CustomerId, PromotionCodeId};
use crate::domain::object::{List, ObjectKind};
use crate::domain::page::{Cursor, Page, Place, Span};
use crate::domain::problem::Problem;
use crate::domain::promotion_code::{Code, NewPromotionCode, Promotion, PromotionCode, PromotionCodeChange};
use crate::domain::time::Time;
use crate::store::{Kept, MAX_SHORT_LIST, Read, Tx};

/// How many characters a code has that nobody chose.
const CODE_LENGTH: usize = 8;

/// Makes a promotion code with the code that was chosen, or with a new one.
pub fn create(tx: &mut dyn Tx, ctx: &Ctx<'_>, wish: NewPromotionCode) -> Done<Promotion> {
    let coupon = coupons::read(tx, ctx.account, &wish.coupon)?;
    if let Some(customer) = &wish.customer {
        customers::live(tx, ctx.account, customer)?;
    }
    let word = match &wish.code {
        Some(code) => code.clone(),
        None => free_code(tx, ctx)?,
    };
    let made = Promotion::new(wish, PromotionCodeId::mint(ctx.ids, ctx.now), word, coupon, ctx.now)?;
    if made.code.switched_on {
        require_free(tx, ctx, &made.code)?;
    }

    let after = Facts::from(made.code.clone());
    objects::put(tx, ctx, None, &after)?;
    tell(
        tx,
        ctx,
        Happening::Object { change: ObjectChange::Created(after), beside: vec![made.coupon.clone().into()] },
    )?;
    Ok(made)
}

/// A promotion code, if there is one of that id.
pub fn find(tx: &mut dyn Read, account: &Account, id: &PromotionCodeId) -> Kept<Option<PromotionCode>> {
    objects::promotion_code(tx, account.space, id)
}

/// A promotion code.
pub fn read(tx: &mut dyn Read, account: &Account, id: &PromotionCodeId) -> Done<Promotion> {
    match find(tx, account, id)? {
        Some(code) => {
            let mut coupons = Coupons::default();
            coupons.look(tx, account.space, [(&code.coupon, &code.coupon_serial)])?;
            let coupon = coupons.known(&code.coupon_serial)?.clone();
            Ok(Promotion { code, coupon })
        }
        None => {
            let in_other_mode = objects::promotion_code(tx, account.other_space, id)?.is_some();
            Err(Problem::NoSuchPromotionCode { id: id.clone(), in_other_mode }.into())
        }
    }
}

/// Changes what may change. A change that changes nothing makes no event.
pub fn update(tx: &mut dyn Tx, ctx: &Ctx<'_>, id: &PromotionCodeId, change: PromotionCodeChange) -> Done<Promotion> {
    let before = read(tx, ctx.account, id)?;
    let changed = before.with(change, ctx.now)?;
    if changed == before {
        return Ok(before);
    }
    if changed.code.switched_on && !before.code.switched_on {
        require_free(tx, ctx, &changed.code)?;
    }

    let (before, after) = (Facts::from(before.code), Facts::from(changed.code.clone()));
    objects::put(tx, ctx, Some(&before), &after)?;
    let beside = vec![changed.coupon.clone().into()];
    tell(tx, ctx, Happening::Object { change: ObjectChange::Updated { before, after }, beside })?;
    Ok(changed)
}

/// Which promotion codes to list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Those that can be redeemed now, or those that cannot.
    pub active: Option<bool>,
    /// Those of this code.
    pub code: Option<Code>,
    /// Those of the coupon, and of others that had its id.
    pub coupon: Option<CouponId>,
    /// Those for this customer alone.
    pub customer: Option<CustomerId>,
    /// Made within.
    pub created: Span,
}

impl Filter {
    /// The shortest list that has all of them.
    fn list(&self) -> List {
        let Filter { active: _, code, coupon, customer, created: _ } = self;
        let by_code = code.as_ref().map(lists::of_code);
        by_code
            .or_else(|| customer.as_ref().map(lists::of_customer))
            .or_else(|| coupon.as_ref().map(lists::of_coupon))
            .unwrap_or_else(|| List::all(ObjectKind::PromotionCode))
    }

    /// Whether the code itself is one of them, whatever its coupon says.
    fn holds(&self, found: &PromotionCode) -> bool {
        let Filter { active, code, coupon, customer, created: _ } = self;
        code.as_ref().is_none_or(|code| found.code == *code)
            && coupon.as_ref().is_none_or(|coupon| found.coupon == *coupon)
            && customer.as_ref().is_none_or(|customer| found.customer.as_ref() == Some(customer))
            && (*active != Some(true) || found.switched_on)
    }
}

/// A page of promotion codes.
pub fn list(
    tx: &mut dyn Read,
    account: &Account,
    filter: &Filter,
    cursor: Cursor<Place>,
    limit: usize,
    now: Time,
) -> Done<Page<Promotion>> {
    require_bearer(tx, account, filter)?;
    let walk = Walk { list: filter.list(), created: filter.created, cursor, limit };
    let mut coupons = Coupons::default();
    let found = objects::chosen(tx, account.space, walk, |read, codes| {
        let codes: Vec<PromotionCode> = codes.into_iter().filter(|code| filter.holds(code)).collect();
        let mut promotions = beside(&mut coupons, read, account.space, codes)?;
        promotions.retain(|promotion| filter.active.is_none_or(|active| promotion.is_active(now) == active));
        Ok(promotions)
    })?;
    Ok(found)
}

/// Refuses a filter by a customer who was never there.
pub fn require_bearer(tx: &mut dyn Read, account: &Account, filter: &Filter) -> Done<()> {
    match &filter.customer {
        Some(customer) => customers::read(tx, account, customer).map(drop),
        None => Ok(()),
    }
}

/// The codes with their coupons.
fn beside(coupons: &mut Coupons, read: &mut dyn Read, space: Space, codes: Vec<PromotionCode>) -> Kept<Vec<Promotion>> {
    coupons.look(read, space, codes.iter().map(|code| (&code.coupon, &code.coupon_serial)))?;
    let promotion = |code: PromotionCode| {
        let coupon = coupons.known(&code.coupon_serial)?.clone();
        Ok(Promotion { code, coupon })
    };
    codes.into_iter().map(promotion).collect()
}

/// Refuses a code that a customer could mistake for another one that is active.
fn require_free(tx: &mut dyn Tx, ctx: &Ctx<'_>, code: &PromotionCode) -> Done<()> {
    match is_free(tx, ctx, code)? {
        true => Ok(()),
        false => Err(Problem::PromotionCodeTaken { code: code.code.as_str().to_owned() }.into()),
    }
}

/// Whether no customer could mistake the code for another one that is active.
pub(super) fn is_free(tx: &mut dyn Tx, ctx: &Ctx<'_>, code: &PromotionCode) -> Kept<bool> {
    let PromotionCode { id, code: word, customer, .. } = code;
    let rivals = match customer {
        None => vec![lists::on(word)],
        Some(_) => vec![lists::on_for(word, None), lists::on_for(word, customer.as_ref())],
    };
    for list in rivals {
        let switched_on = objects::promotion_codes(tx, ctx.account.space, list)?;
        // A list that goes on beyond what is read may hold one further down: better to refuse than to have two.
        let crowded = switched_on.len() >= MAX_SHORT_LIST;
        let rivals = switched_on.into_iter().filter(|other| other.id != *id);
        let rivals: Vec<_> = rivals.filter(|other| other.is_mistakable_for(word, customer.as_ref())).collect();
        let promotions = beside(&mut Coupons::default(), tx, ctx.account.space, rivals)?;
        if crowded || promotions.iter().any(|promotion| promotion.is_active(ctx.now)) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Eight capital letters and digits that are the code of no promotion code that is switched on.
fn free_code(tx: &mut dyn Tx, ctx: &Ctx<'_>) -> Kept<Code> {
    loop {
        let word = super::random_word(ctx.ids, super::CAPITALS_AND_DIGITS, CODE_LENGTH);
        let code = Code::parse(&word).expect("letters and digits make a code");
        if tx.short_list(ctx.account.space, lists::on(&code))?.is_empty() {
            return Ok(code);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::account::Mode;
    use crate::domain::event::Cause;
    use crate::domain::ids::CouponSerial;
    use crate::domain::metadata::MetadataChange;
    use crate::domain::promotion_code::Restrictions;
    use crate::engine::{Bell, Stop};
    use crate::ids::Ids;
    use crate::store::Store;
    use crate::store::suite::{Home, account, coupon, customer, look, write};

    const HERE: Space = Space(11);
    const NOW: Time = Time(1_000_000);

    fn promotion_code(number: usize, word: &str, bearer: Option<CustomerId>) -> PromotionCode {
        PromotionCode {
            id: PromotionCodeId(format!("promo_{number:05}")),
            // Some of one moment.
            created: Time(number as i64 / 3),
            code: Code::parse(word).unwrap(),
            coupon: CouponId("25OFF".into()),
            coupon_serial: CouponSerial("coupon_25OFF".into()),
            customer: bearer,
            switched_on: true,
            expires_at: None,
            max_redemptions: None,
            times_redeemed: 0,
            restrictions: Restrictions::default(),
            metadata: [].into(),
        }
    }

    /// A store with a coupon, two customers and these promotion codes.
    fn furnished(codes: Vec<PromotionCode>) -> (Home, Arc<dyn Store>) {
        let home = Home::folder();
        let store = home.open().unwrap();
        write(&*store, move |tx| {
            let account = account(HERE, "acct_1", Mode::Test);
            let ctx = Ctx {
                account: &account,
                now: NOW,
                ids: &Ids::seeded(1),
                cause: &Cause::default(),
                bell: &Bell::default(),
            };
            objects::put(tx, &ctx, None, &coupon("25OFF", 1, None).into())?;
            for id in ["one", "two"] {
                tx.put_customer(HERE, None, &customer(id, 1))?;
            }
            codes.iter().try_for_each(|code| objects::put(tx, &ctx, None, &code.clone().into()))
        })
        .unwrap();
        (home, store)
    }

    /// Whether one more code of that word is taken.
    fn is_made(store: &dyn Store, word: &str, bearer: Option<&str>) -> bool {
        let wish = NewPromotionCode {
            code: Code::parse(word),
            coupon: CouponId("25OFF".into()),
            customer: bearer.map(|id| CustomerId(id.into())),
            switched_on: true,
            expires_at: None,
            max_redemptions: None,
            restrictions: Restrictions::default(),
            metadata: MetadataChange::Keep,
        };
        // Ids that differ from word to word.
        let word_length = word.len() as u64;
        let (tell, told) = std::sync::mpsc::channel();
        write(store, move |tx| {
            let account = account(HERE, "acct_1", Mode::Test);
            let ctx = Ctx {
                account: &account,
                now: NOW,
                ids: &Ids::seeded(word_length),
                cause: &Cause::default(),
                bell: &Bell::default(),
            };
            let made = match create(tx, &ctx, wish.clone()) {
                Ok(_) => true,
                Err(Stop::Problem(Problem::PromotionCodeTaken { .. })) => false,
                Err(Stop::Problem(other)) => panic!("{other:?}"),
                Err(Stop::Failure(failure)) => return Err(failure),
            };
            let _ = tell.send(made);
            Ok(())
        })
        .unwrap();
        told.try_iter().last().expect("it was told")
    }

    #[test]
    fn of_more_codes_than_are_read_one_may_be_active() {
        let expired = |number| PromotionCode { expires_at: Some(Time(1)), ..promotion_code(number, "fall", None) };
        for (expired_codes, taken) in [(MAX_SHORT_LIST - 1, false), (MAX_SHORT_LIST, true)] {
            let (_home, store) = furnished((0..expired_codes).map(expired).collect());
            assert_eq!(is_made(&*store, "FALL", None), !taken, "beside {expired_codes}");
            assert!(is_made(&*store, "spring", None));
        }
    }

    #[test]
    fn a_code_of_many_customers_is_found_for_each_of_them() {
        let of_others = |number: usize| promotion_code(number, "fall", Some(CustomerId(format!("cus_{number}"))));
        let mut codes: Vec<_> = (1..MAX_SHORT_LIST * 2).map(of_others).collect();
        // The oldest, behind all others.
        codes.push(promotion_code(0, "fall", Some(CustomerId("one".into()))));
        let (_home, store) = furnished(codes);
        assert!(!is_made(&*store, "fall", Some("one")));
        assert!(!is_made(&*store, "fall", None));
        assert!(is_made(&*store, "fall", Some("two")));
    }

    #[test]
    fn pages_of_what_is_left_hold_each_code_once() {
        let switched = |number: usize| PromotionCode {
            // Long stretches of either, and some of both.
            switched_on: number % 100 < 30 && !number.is_multiple_of(7),
            ..promotion_code(number, &format!("C{number}"), None)
        };
        let codes: Vec<_> = (0..1_500).map(switched).collect();
        let (_home, store) = furnished(codes.clone());
        let account = account(HERE, "acct_1", Mode::Test);
        for active in [true, false] {
            let newest_first: Vec<&PromotionCode> =
                codes.iter().rev().filter(|code| code.switched_on == active).collect();
            let place = |code: &PromotionCode| Place { created: code.created, id: code.id.0.clone() };
            let filter = Filter { active: Some(active), ..Filter::default() };
            for limit in [1, 7, 100] {
                for at in (0..newest_first.len()).step_by(97) {
                    let page = |cursor: Cursor<Place>| {
                        let page =
                            look(&*store, |read| match list(read, &account, &filter, cursor.clone(), limit, NOW) {
                                Ok(page) => Ok(page),
                                Err(stop) => panic!("{stop:?}"),
                            });
                        let ids = page.items.into_iter().map(|promotion| promotion.code.id.0).collect::<Vec<_>>();
                        (ids, page.has_more)
                    };
                    let cursor_at = place(newest_first[at]);
                    let ids = |codes: &[&PromotionCode]| codes.iter().map(|code| code.id.0.clone()).collect::<Vec<_>>();
                    let (newer, older) = (&newest_first[..at], &newest_first[at + 1..]);
                    let next = (ids(&older[..limit.min(older.len())]), older.len() > limit);
                    assert_eq!(page(Cursor::OlderThan(cursor_at.clone())), next, "{limit} behind {at}");
                    let nearest = newer.len().saturating_sub(limit);
                    assert_eq!(page(Cursor::NewerThan(cursor_at)), (ids(&newer[nearest..]), nearest > 0));
                }
            }
        }
    }
}
