//! Promotion codes: docs.stripe.com/api/promotion_codes.

use std::sync::Arc;

use super::coupons::{self, POSITIVE};
use super::customer_object::{code, free_data};
use super::customers::{RETRIEVE, Retrieve};
use super::discounts::Shown;
use super::expand::{self, Expansions};
use super::failure::{Named, Names, Refusal};
use super::lists::{self, EXPAND, Paged, Paging, TEXT, row};
use super::params::{self, Empty, Kind, Param, Shape, word};
use super::versions::{self, Version};
use super::{Answer, Call, Halt, Plan, discounts};
use crate::domain::account::{Account, Mode};
use crate::domain::api_key::{Access, Resource};
use crate::domain::ids::{CouponId, CustomerId, PromotionCodeId};
use crate::domain::metadata::MetadataChange;
use crate::domain::money::Currency;
use crate::domain::page::{Page, Place, Span};
use crate::domain::promotion_code::{
    Code, NewPromotionCode, Promotion, PromotionCode, PromotionCodeChange, Restrictions,
};
use crate::domain::time::Time;
use crate::engine::promotion_codes::{self, Filter};
use crate::http::json::{Json, Object};
use crate::store::{Kept, Read};

const KIND: Shape = Shape::Choice(&[word("coupon")]);

/// What a create asks for.
#[derive(Default)]
pub struct Create {
    code: Option<Code>,
    coupon: Option<String>,
    promotion: Option<String>,
    customer: Option<CustomerId>,
    switched_off: bool,
    expires_at: Option<Time>,
    max_redemptions: Option<i64>,
    first_time_transaction: bool,
    minimum_amount: Option<i64>,
    minimum_amount_currency: Option<Currency>,
    metadata: MetadataChange,
    expand: Vec<String>,
}

/// The parameters of `POST /v1/promotion_codes`.
pub const CREATE: &[Param<Create>] = &[
    row("active", Kind::Value(&Shape::Flag, |input, value| input.switched_off = !value.flag())),
    Param {
        // "If left blank, we will generate one automatically."
        empty: Empty::Ignored,
        ..row("code", Kind::Value(&Shape::Code, |input, value| input.code = Some(value.code())))
    },
    Param {
        // docs.stripe.com/changelog/clover/2025-09-30/polymorphic-coupon
        removed: "2025-09-30",
        ..row("coupon", Kind::Value(&TEXT, |input, value| input.coupon = Some(value.text())))
    },
    row("customer", Kind::Value(&TEXT, |input, value| input.customer = Some(CustomerId(value.text())))),
    Param { added: "2025-09-30", ..row("customer_account", Kind::Unsupported) },
    row("expand", Kind::Value(&EXPAND, |input, value| input.expand = value.texts())),
    row("expires_at", Kind::Value(&Shape::Moment, |input, value| input.expires_at = Some(value.moment()))),
    row("max_redemptions", Kind::Value(&POSITIVE, |input, value| input.max_redemptions = Some(value.integer()))),
    row("metadata", Kind::Value(&Shape::Metadata, |input, value| input.metadata = value.metadata())),
    Param { added: "2025-09-30", ..row("promotion", Kind::Group(PROMOTION)) },
    row("restrictions", Kind::Group(RESTRICTIONS)),
];

const PROMOTION: &[Param<Create>] = &[
    Param { required: true, ..row("coupon", Kind::Value(&TEXT, |input, value| input.promotion = Some(value.text()))) },
    // There is one type, so naming it says nothing more.
    Param { required: true, ..row("type", Kind::Value(&KIND, |_, _| {})) },
];

const RESTRICTIONS: &[Param<Create>] = &[
    Param { added: "2022-08-01", ..row("currency_options", Kind::Unsupported) },
    row(
        "first_time_transaction",
        Kind::Value(&Shape::Flag, |input, value| input.first_time_transaction = value.flag()),
    ),
    row("minimum_amount", Kind::Value(&POSITIVE, |input, value| input.minimum_amount = Some(value.integer()))),
    row(
        "minimum_amount_currency",
        Kind::Value(&Shape::Currency, |input, value| input.minimum_amount_currency = Some(value.currency())),
    ),
];

/// What an update asks for.
#[derive(Default)]
pub struct Update {
    change: PromotionCodeChange,
    expand: Vec<String>,
}

/// The parameters of `POST /v1/promotion_codes/{promotion_code}`.
pub const UPDATE: &[Param<Update>] = &[
    row("active", Kind::Value(&Shape::Flag, |input, value| input.change.switched_on = Some(value.flag()))),
    row("expand", Kind::Value(&EXPAND, |input, value| input.expand = value.texts())),
    Param {
        empty: Empty::Unsets,
        ..row("metadata", Kind::Value(&Shape::Metadata, |input, value| input.change.metadata = value.metadata()))
    },
    Param { added: "2022-08-01", ..row("restrictions", Kind::Group(&[row("currency_options", Kind::Unsupported)])) },
];

/// What a list asks for.
#[derive(Default)]
pub struct List {
    paging: Paging,
    active: Option<bool>,
    code: Option<String>,
    coupon: Option<CouponId>,
    created: Span,
    customer: Option<CustomerId>,
}

impl Paged for List {
    fn paging(&mut self) -> &mut Paging {
        &mut self.paging
    }
}

/// The parameters of `GET /v1/promotion_codes`.
pub const LIST: &[Param<List>] = &[
    row("active", Kind::Value(&Shape::Flag, |list, value| list.active = Some(value.flag()))),
    row("code", Kind::Value(&TEXT, |list, value| list.code = Some(value.text()))),
    row("coupon", Kind::Value(&TEXT, |list, value| list.coupon = Some(CouponId(value.text())))),
    row("created", Kind::Value(&Shape::Span, |list, value| list.created = value.span())),
    row("customer", Kind::Value(&TEXT, |list, value| list.customer = Some(CustomerId(value.text())))),
    Param { added: "2025-09-30", ..row("customer_account", Kind::Unsupported) },
    lists::ending_before(),
    lists::expand(),
    lists::limit(),
    lists::starting_after(),
];

/// `POST /v1/promotion_codes`
pub fn create(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let input: Create = params::read(CREATE, &call.given, &call.version)?;
    let expansions = expansions(call, &input.expand)?;
    let (wish, coupon_param) = wish(input, &call.version)?;
    let names = Names { customer: Named::by("customer"), coupon: Named::by(coupon_param), ..Names::BY_PATH };
    Ok(Plan::write(names, move |call, tx, ctx| {
        let made = promotion_codes::create(tx, ctx, wish.clone())?;
        Ok(Answer::of(one(call, tx, &made, ctx.now, &expansions)?))
    }))
}

/// `GET /v1/promotion_codes/{promotion_code}`
pub fn retrieve(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let input: Retrieve = params::read(RETRIEVE, &call.given, &call.version)?;
    let expansions = expansions(call, &input.expand)?;
    let id = PromotionCodeId(call.part(0)?);
    Ok(Plan::look(Names::BY_PATH, move |call, read| {
        let promotion = promotion_codes::read(read, &call.account, &id)?;
        Ok(Answer::of(one(call, read, &promotion, call.now, &expansions)?))
    }))
}

/// `POST /v1/promotion_codes/{promotion_code}`
pub fn update(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let Update { change, expand } = params::read(UPDATE, &call.given, &call.version)?;
    let expansions = expansions(call, &expand)?;
    let id = PromotionCodeId(call.part(0)?);
    // What is wrong with its coupon is in the way of its being active.
    let names = Names { coupon: Named::by("active"), ..Names::BY_PATH };
    Ok(Plan::write(names, move |call, tx, ctx| {
        let promotion = promotion_codes::update(tx, ctx, &id, change.clone())?;
        Ok(Answer::of(one(call, tx, &promotion, ctx.now, &expansions)?))
    }))
}

/// `GET /v1/promotion_codes`
pub fn list(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let List { paging, active, code, coupon, created, customer } = params::read(LIST, &call.given, &call.version)?;
    let anchor = paging.anchor()?;
    let (expansions, _) = Expansions::of_list(&paging.expand, expand::PROMOTION_CODE, false, &call.version)?;
    require_sight(call, &expansions)?;
    let limit = paging.limit();
    let word = code.as_deref().map(Code::parse);
    // What is no code is the code of nothing.
    let nothing = matches!(word, Some(None));
    let filter = Filter { active, code: word.flatten(), coupon, customer, created };
    let names = Names { customer: Named::by("customer"), ..Names::BY_PATH };
    Ok(Plan::scan(names, move |call, read| {
        let cursor = lists::placed(&anchor, |id| {
            match promotion_codes::find(read, &call.account, &PromotionCodeId(id.to_owned()))? {
                Some(code) => Ok(Place { created: code.created, id: code.id.0 }),
                None => Err(Halt::from(Refusal::no_such("promotion code", id, lists::anchor_param(&anchor)))),
            }
        })?;
        let page = match nothing {
            true => {
                promotion_codes::require_bearer(read, &call.account, &filter)?;
                Page { items: Vec::new(), has_more: false }
            }
            false => promotion_codes::list(read, &call.account, &filter, cursor, limit, call.now)?,
        };
        let Page { items, has_more } = page;
        // All are asked for before a failure is passed on: a store that fetches for a whole run then does so once.
        let bearers: Vec<_> =
            items.iter().map(|promotion| bearer(call, read, promotion, &expansions, call.now)).collect();
        let bearers: Vec<_> = bearers.into_iter().collect::<Kept<_>>()?;
        let page = Page { items: items.into_iter().zip(bearers).collect(), has_more };
        let item = |(promotion, bearer): &(Promotion, Option<Shown>)| {
            object(promotion, &call.account, &call.version, call.now, &expansions, bearer.as_ref())
        };
        Ok(Answer::of(lists::envelope(&page, "/v1/promotion_codes".to_owned(), item)))
    }))
}

fn expansions(call: &Call, paths: &[String]) -> Result<Expansions, Refusal> {
    let expansions = Expansions::of_object(paths, expand::PROMOTION_CODE, &call.version)?;
    require_sight(call, &expansions)?;
    Ok(expansions)
}

/// A key has to be allowed to read what is filled in: docs.stripe.com/stripe-apps/reference/permissions. The coupon that
/// older versions show unasked is a part of the promotion code.
fn require_sight(call: &Call, expansions: &Expansions) -> Result<(), Refusal> {
    discounts::require_sight(call, expansions)?;
    if expansions.has("customer") {
        call.require(Resource::Customer, Access::Read)?;
    }
    if expansions.below("promotion").has("coupon") {
        call.require(Resource::Coupon, Access::Read)?;
    }
    Ok(())
}

/// The promotion code of that coupon that parameters wish for which name none.
pub fn wish_of(input: Create, coupon: &str) -> Result<NewPromotionCode, Refusal> {
    let named = Create { promotion: Some(coupon.to_owned()), ..input };
    Ok(wish(named, &Version::newest())?.0)
}

/// The wish, and the parameter that names the coupon.
fn wish(input: Create, version: &Version) -> Result<(NewPromotionCode, &'static str), Refusal> {
    let Create {
        code,
        coupon,
        promotion,
        customer,
        switched_off,
        expires_at,
        max_redemptions,
        first_time_transaction,
        minimum_amount,
        minimum_amount_currency,
        metadata,
        expand: _,
    } = input;
    let (coupon, param) = match (coupon, promotion) {
        (Some(coupon), None) => (coupon, "coupon"),
        (None, Some(coupon)) => (coupon, "promotion[coupon]"),
        (Some(_), Some(_)) => return Err(Refusal::exclusive(&["coupon", "promotion"])),
        (None, None) if version.since("2025-09-30") => return Err(Refusal::missing_parameter("promotion")),
        (None, None) => return Err(Refusal::missing_parameter("coupon")),
    };
    let minimum = match (minimum_amount, minimum_amount_currency) {
        (Some(amount), Some(currency)) => Some((amount, currency)),
        (None, None) => None,
        (Some(_), None) => return Err(Refusal::missing_parameter("restrictions[minimum_amount_currency]")),
        (None, Some(_)) => return Err(Refusal::missing_parameter("restrictions[minimum_amount]")),
    };
    let wish = NewPromotionCode {
        code,
        coupon: CouponId(coupon),
        customer,
        switched_on: !switched_off,
        expires_at,
        max_redemptions,
        restrictions: Restrictions { first_time_transaction, minimum },
        metadata,
    };
    Ok((wish, param))
}

fn one(call: &Call, read: &mut dyn Read, promotion: &Promotion, now: Time, expansions: &Expansions) -> Kept<Json> {
    let bearer = bearer(call, read, promotion, expansions, now)?;
    Ok(object(promotion, &call.account, &call.version, now, expansions, bearer.as_ref()))
}

/// The customer whom it is for, when that one is to be filled in.
fn bearer(
    call: &Call,
    read: &mut dyn Read,
    promotion: &Promotion,
    expansions: &Expansions,
    now: Time,
) -> Kept<Option<Shown>> {
    let id = promotion.code.customer.as_ref().filter(|_| expansions.has("customer"));
    let Some(id) = id else { return Ok(None) };
    let bearer = read.customer(call.account.space, id)?;
    let shown = |bearer| Shown::of(read, &call.account, bearer, &expansions.below("customer"), now);
    bearer.map(shown).transpose()
}

/// The promotion code as it is at that moment, in the words of the version: docs.stripe.com/api/promotion_codes/object.
pub fn object(
    promotion: &Promotion,
    account: &Account,
    version: &Version,
    now: Time,
    expansions: &Expansions,
    bearer: Option<&Shown>,
) -> Json {
    let Promotion { code: promotion_code, coupon } = promotion;
    let PromotionCode {
        id,
        created,
        code: word,
        coupon: _,
        coupon_serial: _,
        customer,
        switched_on: _,
        expires_at,
        max_redemptions,
        times_redeemed,
        restrictions: Restrictions { first_time_transaction, minimum },
        metadata,
    } = promotion_code;
    let customer: Json = match bearer {
        Some(bearer) => expand::customer(bearer, account, version, &expansions.below("customer")),
        None => customer.as_ref().map(|id| id.as_str().to_owned()).into(),
    };
    let whole_coupon = Json::from(coupons::object(coupon, account, now));
    let shown_coupon = match expansions.below("promotion").has("coupon") {
        true => whole_coupon.clone(),
        false => coupon.id.as_str().to_owned().into(),
    };
    let restrictions = Object::new()
        .and("first_time_transaction", *first_time_transaction)
        .and("minimum_amount", minimum.map(|(amount, _)| amount))
        .and("minimum_amount_currency", minimum.as_ref().map(|(_, currency)| code(currency)));
    let mut object = Object::new()
        .and("id", id.as_str().to_owned())
        .and("object", "promotion_code")
        .and("active", promotion.is_active(now))
        .and("code", word.as_str().to_owned())
        .and("created", created.seconds())
        .and("customer", customer)
        // Accounts are no customers here.
        .and("customer_account", Json::Null)
        .and("expires_at", expires_at.map(Time::seconds))
        .and("livemode", account.mode == Mode::Live)
        .and("max_redemptions", *max_redemptions)
        .and("metadata", free_data(metadata))
        .and("promotion", Object::new().and("coupon", shown_coupon).and("type", "coupon"))
        .and("restrictions", restrictions)
        .and("times_redeemed", *times_redeemed);
    versions::down(&mut object, versions::PROMOTION_CODE, &whole_coupon, version);
    object.into()
}

#[cfg(test)]
mod tests {
    use super::{CREATE, LIST, UPDATE};

    #[test]
    fn rows_are_in_the_order_of_their_names() {
        assert!(CREATE.is_sorted_by_key(|param| param.name));
        assert!(UPDATE.is_sorted_by_key(|param| param.name));
        assert!(LIST.is_sorted_by_key(|param| param.name));
    }
}
