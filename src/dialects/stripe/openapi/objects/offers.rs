//! Coupons, promotion codes and discounts, as the newest version answers them.

use super::customers::{CUSTOMER, DELETED_CUSTOMER};
use super::{ID, METADATA, PERCENT, TEXT, WHOLE};
use crate::rest::shape::{Component, Shape, member};

/// What discounts are made from.
pub static COUPON: Component = Component {
    name: "coupon",
    doc: "What discounts are made from.",
    shape: Shape::Object(&[
        member("id", TEXT).needed().example("25OFF"),
        member("object", Shape::Word(&["coupon"])).needed().example("coupon"),
        member("amount_off", WHOLE).needed().nullable().example("500"),
        member("created", WHOLE).needed().example("1772366400"),
        member("currency", TEXT).needed().nullable().example("eur"),
        member("duration", Shape::Word(&["forever", "once", "repeating"])).needed().example("once"),
        member("duration_in_months", WHOLE).needed().nullable().example("1"),
        member("livemode", Shape::Flag).needed().example("false"),
        member("max_redemptions", WHOLE).needed().nullable().example("1"),
        member("metadata", METADATA).needed().example("{}"),
        member("name", TEXT).needed().nullable().example("Sale"),
        member("percent_off", PERCENT).needed().nullable().example("25.0"),
        member("redeem_by", WHOLE).needed().nullable().example("1772366410"),
        member("times_redeemed", WHOLE).needed().example("0"),
        member("valid", Shape::Flag).needed().example("true"),
    ]),
};

/// What is left of a coupon that was deleted.
pub static DELETED_COUPON: Component = Component {
    name: "deleted_coupon",
    doc: "What is left of a coupon that was deleted.",
    shape: Shape::Object(&[
        member("id", TEXT).needed().example("25OFF"),
        member("object", Shape::Word(&["coupon"])).needed().example("coupon"),
        member("deleted", Shape::Flag).needed().example("true"),
    ]),
};

/// A word that gives a discount.
pub static PROMOTION_CODE: Component = Component {
    name: "promotion_code",
    doc: "A word that gives a discount.",
    shape: Shape::Object(&[
        member("id", TEXT).needed().example("promo_01dxf6dt052ppb6y63tv9gg74d"),
        member("object", Shape::Word(&["promotion_code"])).needed().example("promotion_code"),
        member("active", Shape::Flag).needed().example("true"),
        member("code", TEXT).needed().example("FALL"),
        member("created", WHOLE).needed().example("1772366400"),
        member("customer", Shape::AnyOf(&[&ID, &CUSTOMER, &DELETED_CUSTOMER])).needed().nullable().example("null"),
        member("customer_account", TEXT).needed().nullable().example("null"),
        member("expires_at", WHOLE).needed().nullable().example("1772366410"),
        member("livemode", Shape::Flag).needed().example("false"),
        member("max_redemptions", WHOLE).needed().nullable().example("1"),
        member("metadata", METADATA).needed().example("{}"),
        member(
            "promotion",
            Shape::Object(&[
                member("coupon", Shape::AnyOf(&[&ID, &COUPON])).needed().example("\"25OFF\""),
                member("type", Shape::Word(&["coupon"])).needed().example("coupon"),
            ]),
        )
        .needed(),
        member(
            "restrictions",
            Shape::Object(&[
                member("first_time_transaction", Shape::Flag).needed().example("false"),
                member("minimum_amount", WHOLE).needed().nullable().example("1000"),
                member("minimum_amount_currency", TEXT).needed().nullable().example("eur"),
            ]),
        )
        .needed(),
        member("times_redeemed", WHOLE).needed().example("0"),
    ]),
};

/// What a customer pays less.
pub static DISCOUNT: Component = Component {
    name: "discount",
    doc: "What a customer pays less.",
    shape: Shape::Object(&[
        member("id", TEXT).needed().example("di_01dxf6dt043sxvra1bkw3aawxk"),
        member("object", Shape::Word(&["discount"])).needed().example("discount"),
        member("checkout_session", TEXT).needed().nullable().example("null"),
        member("customer", Shape::AnyOf(&[&ID, &CUSTOMER])).needed().example("\"cus_01dxf6dt03zps7t8djz6f27bra\""),
        member("customer_account", TEXT).needed().nullable().example("null"),
        member("end", WHOLE).needed().nullable().example("1775044800"),
        member("invoice", TEXT).needed().nullable().example("null"),
        member("invoice_item", TEXT).needed().nullable().example("null"),
        member("promotion_code", Shape::AnyOf(&[&ID, &PROMOTION_CODE])).needed().nullable().example("null"),
        member(
            "source",
            Shape::Object(&[
                member("coupon", Shape::AnyOf(&[&ID, &COUPON])).needed().example("\"MONTH\""),
                member("type", Shape::Word(&["coupon"])).needed().example("coupon"),
            ]),
        )
        .needed(),
        member("start", WHOLE).needed().example("1772366400"),
        member("subscription", TEXT).needed().nullable().example("null"),
        member("subscription_item", TEXT).needed().nullable().example("null"),
    ]),
};

/// What is left of a discount that was deleted.
pub static DELETED_DISCOUNT: Component = Component {
    name: "deleted_discount",
    doc: "What is left of a discount that was deleted.",
    shape: Shape::Object(&[
        member("id", TEXT).needed().example("di_01dxf6dt08jj71dg8k03bc18ak"),
        member("object", Shape::Word(&["discount"])).needed().example("discount"),
        member("checkout_session", TEXT).needed().nullable().example("null"),
        member("customer", Shape::AnyOf(&[&ID, &CUSTOMER])).needed().example("\"cus_01dxf6dt03zps7t8djz6f27bra\""),
        member("customer_account", TEXT).needed().nullable().example("null"),
        member("deleted", Shape::Flag).needed().example("true"),
        member("invoice", TEXT).needed().nullable().example("null"),
        member("invoice_item", TEXT).needed().nullable().example("null"),
        member("promotion_code", TEXT).needed().nullable().example("null"),
        member(
            "source",
            Shape::Object(&[
                member("coupon", TEXT).needed().example("25OFF"),
                member("type", TEXT).needed().example("coupon"),
            ]),
        )
        .needed(),
        member("start", WHOLE).needed().example("1772366400"),
        member("subscription", TEXT).needed().nullable().example("null"),
        member("subscription_item", TEXT).needed().nullable().example("null"),
        member("end", WHOLE).nullable(),
    ]),
};
