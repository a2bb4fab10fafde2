//! What customers redeem, and the numbers that tax offices know them by, as objects of a file.

use super::super::{coupons, promotion_codes};
use super::fields::{Fault, Fields, Readable};
use crate::domain::account::Mode;
use crate::domain::coupon::{Coupon, NewCoupon};
use crate::domain::discount::Discount;
use crate::domain::ids::{CouponId, CouponSerial, DiscountId, PromotionCodeId, TaxIdId};
use crate::domain::metadata::Metadata;
use crate::domain::promotion_code::{NewPromotionCode, PromotionCode};
use crate::domain::tax_id::{NewTaxId, TaxId, Verification};
use crate::domain::tax_id_kind::TaxIdKind;
use crate::domain::time::Time;

/// A serial that is yet to be given.
pub fn no_serial() -> CouponSerial {
    CouponSerial(String::new())
}

/// A coupon. What is over may come in: it was redeemed in its time.
pub fn coupon(mut fields: Fields, now: Time) -> Readable<Coupon> {
    let id = CouponId(fields.text("id")?.ok_or_else(|| fields.fault("id", "it is missing"))?);
    fields.only("object", "coupon")?;
    fields.off(&["livemode"])?;
    fields.derived(&["valid"]);
    let created = fields.created(now)?;
    let times_redeemed = fields.count("times_redeemed")?;
    let path = fields.named("metadata");
    let wish = coupons::wish_of(fields.read(coupons::CREATE)?).map_err(|refusal| Fault::of_refusal("", &refusal))?;
    let NewCoupon { id: _, name, reduction, duration, max_redemptions, redeem_by, metadata: wished } = wish;
    let mut metadata = Metadata::new();
    wished.onto(&mut metadata).map_err(|problem| Fault::of_problem(&path, problem))?;
    let (serial, deleted) = (no_serial(), None);
    Ok(Coupon {
        id,
        serial,
        created,
        deleted,
        name,
        reduction,
        duration,
        max_redemptions,
        redeem_by,
        times_redeemed,
        metadata,
    })
}

/// A promotion code. Whether it can be redeemed is its own switch here; the rest follows from its coupon.
pub fn promotion_code(mut fields: Fields, now: Time) -> Readable<PromotionCode> {
    let id = PromotionCodeId(fields.own_id()?);
    fields.only("object", "promotion_code")?;
    fields.off(&["livemode"])?;
    let created = fields.created(now)?;
    let times_redeemed = fields.count("times_redeemed")?;
    if !fields.has("code") {
        return Err(fields.fault("code", "it is missing"));
    }
    // Older versions show the coupon itself; which one it is says its id.
    let coupon = reference(&mut fields, "coupon")?;
    let below = match fields.inner("promotion")? {
        Some(mut promotion) => {
            promotion.only("type", "coupon")?;
            let coupon = reference(&mut promotion, "coupon")?;
            promotion.end()?;
            coupon
        }
        None => None,
    };
    let coupon = coupon.or(below).ok_or_else(|| fields.fault("promotion", "its coupon is missing"))?;
    let wish = promotion_codes::wish_of(fields.read(promotion_codes::CREATE)?, &coupon);
    let wish = wish.map_err(|refusal| Fault::of_refusal("", &refusal))?;
    let NewPromotionCode {
        code,
        coupon,
        customer,
        switched_on,
        expires_at,
        max_redemptions,
        restrictions,
        metadata: wished,
    } = wish;
    let mut metadata = Metadata::new();
    wished.onto(&mut metadata).map_err(|problem| Fault::of_problem("metadata", problem))?;
    Ok(PromotionCode {
        id,
        created,
        code: code.ok_or_else(|| Fault::new("code", "it is missing"))?,
        coupon,
        coupon_serial: no_serial(),
        customer,
        switched_on,
        expires_at,
        max_redemptions,
        times_redeemed,
        restrictions,
        metadata,
    })
}

/// A discount of a customer.
pub fn discount(mut fields: Fields, customer: &str, now: Time) -> Readable<Discount> {
    // Objects of old versions have none.
    let id = DiscountId(fields.id("id")?.unwrap_or_default());
    fields.only("object", "discount")?;
    fields.only("customer", customer)?;
    fields.null(&[
        "checkout_session",
        "customer_account",
        "invoice",
        "invoice_item",
        "subscription",
        "subscription_item",
    ])?;
    let shown = reference(&mut fields, "coupon")?;
    let below = match fields.inner("source")? {
        Some(mut source) => {
            source.only("type", "coupon")?;
            let coupon = reference(&mut source, "coupon")?;
            source.end()?;
            coupon
        }
        None => None,
    };
    let coupon = shown.or(below).ok_or_else(|| fields.fault("source", "its coupon is missing"))?;
    let promotion_code = reference(&mut fields, "promotion_code")?.map(PromotionCodeId);
    let start = fields.moment("start")?.unwrap_or(now);
    let end = fields.moment("end")?;
    fields.end()?;
    Ok(Discount { id, coupon: CouponId(coupon), coupon_serial: no_serial(), promotion_code, start, end })
}

/// A tax id, and the customer that it says it is of.
pub fn tax_id(mut fields: Fields, mode: Mode, now: Time) -> Readable<(TaxId, Option<String>)> {
    let id = TaxIdId(fields.own_id()?);
    fields.only("object", "tax_id")?;
    fields.off(&["livemode"])?;
    fields.null(&["customer_account"])?;
    fields.derived(&["country"]);
    let created = fields.created(now)?;
    let mut customer = reference(&mut fields, "customer")?;
    if let Some(mut owner) = fields.inner("owner")? {
        owner.only("type", "customer")?;
        owner.null(&["account", "application", "customer_account"])?;
        customer = customer.or(reference(&mut owner, "customer")?);
        owner.end()?;
    }
    let word = fields.text("type")?.ok_or_else(|| fields.fault("type", "it is missing"))?;
    let kind = TaxIdKind::named(&word).ok_or_else(|| fields.fault("type", format!("there is no type {word}")))?;
    let value = fields.text("value")?.ok_or_else(|| fields.fault("value", "it is missing"))?;
    let wish = NewTaxId::parse(kind, &value, mode);
    let wish = wish.ok_or_else(|| fields.fault("value", format!("it is no number of the type {word}")))?;
    let mut made = TaxId { verification: wish.outcome, ..TaxId::new(id, created, wish) };
    if let Some(mut verification) = fields.inner("verification")? {
        verification.null(&["verified_address", "verified_name"])?;
        if let Some(status) = verification.text("status")? {
            let known = Verification::named(&status);
            made.verification = known.ok_or_else(|| verification.fault("status", format!("it is {status}")))?;
        }
        verification.end()?;
    }
    fields.end()?;
    Ok((made, customer))
}

/// The id in a field that has an id, or the object of that id: then it is that object's line which brings it in.
pub fn reference(fields: &mut Fields, name: &str) -> Readable<Option<String>> {
    match fields.take(name) {
        None => Ok(None),
        Some(serde_json::Value::String(id)) => Ok(Some(id)),
        Some(value) => {
            let path = fields.named(name);
            let mut object = Fields::of(value, &path)?;
            object.text("id")?.map(Some).ok_or_else(|| object.fault("id", "it is missing"))
        }
    }
}
