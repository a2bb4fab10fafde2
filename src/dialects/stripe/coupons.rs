//! Coupons: docs.stripe.com/api/coupons.

use std::sync::Arc;

use super::customer_object::{code, free_data};
use super::customers::{RETRIEVE, Retrieve};
use super::expand::{self, Expansions};
use super::failure::{Names, Refusal};
use super::lists::{self, EXPAND, Paged, Paging, row};
use super::params::{self, Empty, Kind, Param, Shape, word};
use super::{Answer, Call, Halt, Plan};
use crate::domain::account::{Account, Mode};
use crate::domain::coupon::{Coupon, CouponChange, CouponDuration, MAX_MONTHS, NewCoupon, Percent, Reduction};
use crate::domain::ids::CouponId;
use crate::domain::metadata::MetadataChange;
use crate::domain::money::Currency;
use crate::domain::page::{Place, Span};
use crate::domain::time::Time;
use crate::engine::coupons;
use crate::http::json::{Json, Object};

// The published schema says 5000; an id is the key of rows, and no database takes keys of any length.
const CHOSEN_ID: Shape = Shape::Text(500);
const NAME: Shape = Shape::Text(40);
const DURATION: Shape = Shape::Choice(&[word("forever"), word("once"), word("repeating")]);
const MONTHS: Shape = Shape::Integer { min: 1, max: MAX_MONTHS as i64 };
/// A count or an amount of at least one.
pub const POSITIVE: Shape = Shape::Integer { min: 1, max: i64::MAX };

/// What a create asks for.
#[derive(Default)]
pub struct Create {
    id: Option<CouponId>,
    name: Option<String>,
    amount_off: Option<i64>,
    percent_off: Option<Percent>,
    currency: Option<Currency>,
    duration: Option<String>,
    duration_in_months: Option<u32>,
    max_redemptions: Option<i64>,
    redeem_by: Option<Time>,
    metadata: MetadataChange,
    expand: Vec<String>,
}

/// The parameters of `POST /v1/coupons`.
pub const CREATE: &[Param<Create>] = &[
    row("amount_off", Kind::Value(&POSITIVE, |input, value| input.amount_off = Some(value.integer()))),
    // Nothing here keeps products.
    row("applies_to", Kind::Unsupported),
    row("currency", Kind::Value(&Shape::Currency, |input, value| input.currency = Some(value.currency()))),
    Param { added: "2022-08-01", ..row("currency_options", Kind::Unsupported) },
    row("duration", Kind::Value(&DURATION, |input, value| input.duration = Some(value.text()))),
    row(
        "duration_in_months",
        Kind::Value(&MONTHS, |input, value| input.duration_in_months = u32::try_from(value.integer()).ok()),
    ),
    row("expand", Kind::Value(&EXPAND, |input, value| input.expand = value.texts())),
    Param {
        // "You can leave the ID blank and we'll generate a random code for you."
        empty: Empty::Ignored,
        ..row("id", Kind::Value(&CHOSEN_ID, |input, value| input.id = Some(CouponId(value.text()))))
    },
    row("max_redemptions", Kind::Value(&POSITIVE, |input, value| input.max_redemptions = Some(value.integer()))),
    Param {
        empty: Empty::Unsets,
        ..row("metadata", Kind::Value(&Shape::Metadata, |input, value| input.metadata = value.metadata()))
    },
    row("name", Kind::Value(&NAME, |input, value| input.name = Some(value.text()))),
    row("percent_off", Kind::Value(&Shape::Percent, |input, value| input.percent_off = Some(value.percent()))),
    row("redeem_by", Kind::Value(&Shape::Moment, |input, value| input.redeem_by = Some(value.moment()))),
];

/// What an update asks for.
#[derive(Default)]
pub struct Update {
    change: CouponChange,
    expand: Vec<String>,
}

/// The parameters of `POST /v1/coupons/{coupon}`.
pub const UPDATE: &[Param<Update>] = &[
    Param { added: "2022-08-01", ..row("currency_options", Kind::Unsupported) },
    row("expand", Kind::Value(&EXPAND, |input, value| input.expand = value.texts())),
    Param {
        empty: Empty::Unsets,
        ..row("metadata", Kind::Value(&Shape::Metadata, |input, value| input.change.metadata = value.metadata()))
    },
    row("name", Kind::Value(&NAME, |input, value| input.change.name = Some(value.text()))),
];

/// What a list asks for.
#[derive(Default)]
pub struct List {
    paging: Paging,
    created: Span,
}

impl Paged for List {
    fn paging(&mut self) -> &mut Paging {
        &mut self.paging
    }
}

/// The parameters of `GET /v1/coupons`.
pub const LIST: &[Param<List>] = &[
    row("created", Kind::Value(&Shape::Span, |list, value| list.created = value.span())),
    lists::ending_before(),
    lists::expand(),
    lists::limit(),
    lists::starting_after(),
];

const NO_PARAMETERS: &[Param<()>] = &[];

/// `POST /v1/coupons`
pub fn create(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let input: Create = params::read(CREATE, &call.given, &call.version)?;
    Expansions::of_object(&input.expand, expand::COUPON, &call.version)?;
    let wish = wish_of(input)?;
    Ok(Plan::write(Names::BY_PATH, move |call, tx, ctx| {
        let made = coupons::create(tx, ctx, wish.clone())?;
        Ok(Answer::of(object(&made, &call.account, ctx.now).into()))
    }))
}

/// `GET /v1/coupons/{coupon}`
pub fn retrieve(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let input: Retrieve = params::read(RETRIEVE, &call.given, &call.version)?;
    Expansions::of_object(&input.expand, expand::COUPON, &call.version)?;
    let id = CouponId(call.part(0)?);
    Ok(Plan::look(Names::BY_PATH, move |call, read| {
        let coupon = coupons::read(read, &call.account, &id)?;
        Ok(Answer::of(object(&coupon, &call.account, call.now).into()))
    }))
}

/// `POST /v1/coupons/{coupon}`
pub fn update(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let Update { change, expand } = params::read(UPDATE, &call.given, &call.version)?;
    Expansions::of_object(&expand, expand::COUPON, &call.version)?;
    let id = CouponId(call.part(0)?);
    Ok(Plan::write(Names::BY_PATH, move |call, tx, ctx| {
        let coupon = coupons::update(tx, ctx, &id, change.clone())?;
        Ok(Answer::of(object(&coupon, &call.account, ctx.now).into()))
    }))
}

/// `DELETE /v1/coupons/{coupon}`
pub fn delete(call: &Arc<Call>) -> Result<Plan, Refusal> {
    params::read(NO_PARAMETERS, &call.given, &call.version)?;
    let id = CouponId(call.part(0)?);
    Ok(Plan::write(Names::BY_PATH, move |_, tx, ctx| {
        let gone = coupons::delete(tx, ctx, &id)?;
        let deleted = Object::new().and("id", gone.id.0).and("object", "coupon").and("deleted", true);
        Ok(Answer::of(deleted.into()))
    }))
}

/// `GET /v1/coupons`
pub fn list(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let List { paging, created } = params::read(LIST, &call.given, &call.version)?;
    let anchor = paging.anchor()?;
    Expansions::of_list(&paging.expand, expand::COUPON, false, &call.version)?;
    let limit = paging.limit();
    Ok(Plan::scan(Names::BY_PATH, move |call, read| {
        let cursor =
            lists::placed(&anchor, |id| match coupons::find(read, &call.account, &CouponId(id.to_owned()))? {
                Some(coupon) => Ok(Place { created: coupon.created, id: coupon.id.0 }),
                None => Err(Halt::from(Refusal::no_such("coupon", id, lists::anchor_param(&anchor)))),
            })?;
        let page = coupons::list(read, &call.account, created, cursor, limit)?;
        let item = |coupon: &Coupon| object(coupon, &call.account, call.now).into();
        Ok(Answer::of(lists::envelope(&page, "/v1/coupons".to_owned(), item)))
    }))
}

/// The coupon that parameters wish for.
pub fn wish_of(input: Create) -> Result<NewCoupon, Refusal> {
    let Create {
        id,
        name,
        amount_off,
        percent_off,
        currency,
        duration,
        duration_in_months,
        max_redemptions,
        redeem_by,
        metadata,
        expand: _,
    } = input;
    let reduction = match (percent_off, amount_off) {
        (Some(percent), None) => Reduction::Percent { percent, currency },
        (None, Some(amount)) => {
            let currency = currency.ok_or_else(|| Refusal::missing_parameter("currency"))?;
            Reduction::Amount { amount, currency }
        }
        (Some(_), Some(_)) => return Err(Refusal::exclusive(&["amount_off", "percent_off"])),
        (None, None) => return Err(Refusal::one_of(&["percent_off", "amount_off"])),
    };
    let duration = match (duration.as_deref(), duration_in_months) {
        (Some("repeating"), Some(months)) => CouponDuration::Months(months),
        (Some("repeating"), None) => return Err(Refusal::missing_parameter("duration_in_months")),
        (_, Some(_)) => {
            let words = "You can only specify `duration_in_months` when `duration` is `repeating`.";
            return Err(Refusal::invalid("duration_in_months", words));
        }
        (Some("forever"), None) => CouponDuration::Forever,
        // The default: docs.stripe.com/api/coupons/create.
        (_, None) => CouponDuration::Once,
    };
    Ok(NewCoupon { id, name, reduction, duration, max_redemptions, redeem_by, metadata })
}

/// The coupon as it is at that moment: docs.stripe.com/api/coupons/object. Every version says the same of it.
pub fn object(coupon: &Coupon, account: &Account, now: Time) -> Object {
    let Coupon {
        id,
        serial: _,
        created,
        deleted: _,
        name,
        reduction,
        duration,
        max_redemptions,
        redeem_by,
        times_redeemed,
        metadata,
    } = coupon;
    let (amount, percent, currency) = match reduction {
        Reduction::Amount { amount, currency } => (Some(*amount), None, Some(currency)),
        Reduction::Percent { percent, currency } => (None, Some(*percent), currency.as_ref()),
    };
    let (duration, months) = match duration {
        CouponDuration::Once => ("once", None),
        CouponDuration::Forever => ("forever", None),
        CouponDuration::Months(months) => ("repeating", Some(i64::from(*months))),
    };
    Object::new()
        .and("id", id.as_str().to_owned())
        .and("object", "coupon")
        .and("amount_off", amount)
        .and("created", created.seconds())
        .and("currency", currency.map(code))
        .and("duration", duration)
        .and("duration_in_months", months)
        .and("livemode", account.mode == Mode::Live)
        .and("max_redemptions", *max_redemptions)
        .and("metadata", free_data(metadata))
        .and("name", name.as_ref())
        .and("percent_off", percent.map(|percent| Json::Hundredths(percent.hundredths())))
        .and("redeem_by", redeem_by.map(Time::seconds))
        .and("times_redeemed", *times_redeemed)
        .and("valid", coupon.is_valid(now))
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
