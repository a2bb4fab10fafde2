//! Sources of the Sources API, as the newest version answers them.

use super::{ADDRESS, METADATA, TEXT, WHOLE};
use crate::rest::shape::{Component, Shape, member};

/// Something to pay with, of the Sources API.
pub static SOURCE: Component = Component {
    name: "source",
    doc: "Something to pay with, of the Sources API.",
    shape: Shape::Object(&[
        member("id", TEXT).needed().example("src_01dxf6dt0dpqpzz7asexahmwj9"),
        member("object", Shape::Word(&["source"])).needed().example("source"),
        member(
            "ach_credit_transfer",
            Shape::Object(&[
                member("account_number", TEXT).needed().nullable().example("test_d5469b3f098e"),
                member("bank_name", TEXT).needed().nullable().example("TEST BANK"),
                member("fingerprint", TEXT).needed().nullable().example("cpn5DVfoGyRhaect"),
                member("refund_account_holder_name", TEXT).needed().nullable().example("null"),
                member("refund_account_holder_type", TEXT).needed().nullable().example("null"),
                member("refund_routing_number", TEXT).needed().nullable().example("null"),
                member("routing_number", TEXT).needed().nullable().example("110000000"),
                member("swift_code", TEXT).needed().nullable().example("TSTEZ122"),
            ]),
        ),
        member(
            "alipay",
            Shape::Object(&[
                member("data_string", TEXT).needed().nullable().example("null"),
                member("native_url", TEXT).needed().nullable().example("null"),
                member("statement_descriptor", TEXT).needed().nullable().example("null"),
            ]),
        ),
        member("allow_redisplay", TEXT).needed().nullable().example("always"),
        member("amount", WHOLE).needed().nullable().example("100"),
        member(
            "bancontact",
            Shape::Object(&[
                member("bank_code", TEXT).needed().nullable().example("null"),
                member("bank_name", TEXT).needed().nullable().example("null"),
                member("bic", TEXT).needed().nullable().example("null"),
                member("iban_last4", TEXT).needed().nullable().example("null"),
                member("preferred_language", TEXT).needed().nullable().example("fr"),
                member("statement_descriptor", TEXT).needed().nullable().example("Order 1"),
            ]),
        ),
        member(
            "card",
            Shape::Object(&[
                member("address_line1_check", TEXT).needed().nullable().example("null"),
                member("address_zip_check", TEXT).needed().nullable().example("unchecked"),
                member("brand", TEXT).needed().nullable().example("Visa"),
                member("country", TEXT).needed().nullable().example("US"),
                member("cvc_check", TEXT).needed().nullable().example("null"),
                member("dynamic_last4", TEXT).needed().nullable().example("null"),
                member("exp_month", WHOLE).needed().nullable().example("3"),
                member("exp_year", WHOLE).needed().nullable().example("2027"),
                member("fingerprint", TEXT).needed().nullable().example("yxEyN7rxD7SOMfCl"),
                member("funding", TEXT).needed().nullable().example("credit"),
                member("last4", TEXT).needed().nullable().example("4242"),
                member("name", TEXT).needed().nullable().example("Jenny Rosen"),
                member("three_d_secure", TEXT).needed().nullable().example("optional"),
                member("tokenization_method", TEXT).needed().nullable().example("null"),
            ]),
        ),
        member("client_secret", TEXT).needed().example("x_secret_y"),
        member("created", WHOLE).needed().example("1772366400"),
        member("currency", TEXT).needed().nullable().example("usd"),
        member("customer", TEXT).example("cus_01dxf6dt025554bg73eh3zhxtj"),
        member(
            "eps",
            Shape::Object(&[
                member("reference", TEXT).needed().nullable().example("null"),
                member("statement_descriptor", TEXT).needed().nullable().example("null"),
            ]),
        ),
        member("flow", Shape::Word(&["none", "receiver", "redirect"])).needed().example("receiver"),
        member(
            "giropay",
            Shape::Object(&[
                member("bank_code", TEXT).needed().nullable().example("null"),
                member("bank_name", TEXT).needed().nullable().example("null"),
                member("bic", TEXT).needed().nullable().example("null"),
                member("statement_descriptor", TEXT).needed().nullable().example("null"),
            ]),
        ),
        member(
            "ideal",
            Shape::Object(&[
                member("bank", TEXT).needed().nullable().example("ing"),
                member("bic", TEXT).needed().nullable().example("null"),
                member("iban_last4", TEXT).needed().nullable().example("null"),
                member("statement_descriptor", TEXT).needed().nullable().example("null"),
            ]),
        ),
        member("livemode", Shape::Flag).needed().example("false"),
        member("metadata", METADATA).needed().example("{}"),
        member(
            "multibanco",
            Shape::Object(&[
                member("entity", TEXT).needed().nullable().example("52442"),
                member("reference", TEXT).needed().nullable().example("295609566"),
                member("refund_account_holder_address_city", TEXT).needed().nullable().example("null"),
                member("refund_account_holder_address_country", TEXT).needed().nullable().example("null"),
                member("refund_account_holder_address_line1", TEXT).needed().nullable().example("null"),
                member("refund_account_holder_address_line2", TEXT).needed().nullable().example("null"),
                member("refund_account_holder_address_postal_code", TEXT).needed().nullable().example("null"),
                member("refund_account_holder_address_state", TEXT).needed().nullable().example("null"),
                member("refund_account_holder_name", TEXT).needed().nullable().example("null"),
                member("refund_iban", TEXT).needed().nullable().example("null"),
            ]),
        ),
        member(
            "owner",
            Shape::Object(&[
                member("address", Shape::Component(&ADDRESS)).needed().nullable().example("null"),
                member("email", TEXT).needed().nullable().example("jenny@example.com"),
                member("name", TEXT).needed().nullable().example("Jenny Rosen"),
                member("phone", TEXT).needed().nullable().example("5550100"),
                member("verified_address", TEXT).needed().nullable().example("null"),
                member("verified_email", TEXT).needed().nullable().example("null"),
                member("verified_name", TEXT).needed().nullable().example("null"),
                member("verified_phone", TEXT).needed().nullable().example("null"),
            ]),
        )
        .needed(),
        member("p24", Shape::Object(&[member("reference", TEXT).needed().nullable().example("null")])),
        member(
            "receiver",
            Shape::Object(&[
                member("address", TEXT).needed().nullable().example("110000000-test_d5469b3f098e"),
                member("amount_charged", WHOLE).needed().nullable().example("0"),
                member("amount_received", WHOLE).needed().nullable().example("0"),
                member("amount_returned", WHOLE).needed().nullable().example("0"),
                member("refund_attributes_method", TEXT).needed().nullable().example("email"),
                member("refund_attributes_status", TEXT).needed().nullable().example("missing"),
            ]),
        ),
        member(
            "redirect",
            Shape::Object(&[
                member("failure_reason", TEXT).needed().nullable().example("declined"),
                member("return_url", TEXT).needed().nullable().example("https://shop.example.com/back"),
                member("status", TEXT).needed().nullable().example("pending"),
                member("url", TEXT).needed().nullable().example("x"),
            ]),
        ),
        member(
            "sofort",
            Shape::Object(&[
                member("bank_code", TEXT).needed().nullable().example("null"),
                member("bank_name", TEXT).needed().nullable().example("null"),
                member("bic", TEXT).needed().nullable().example("null"),
                member("country", TEXT).needed().nullable().example("DE"),
                member("iban_last4", TEXT).needed().nullable().example("null"),
                member("preferred_language", TEXT).needed().nullable().example("de"),
                member("statement_descriptor", TEXT).needed().nullable().example("null"),
            ]),
        ),
        member("statement_descriptor", TEXT).needed().nullable().example("Order 1"),
        member("status", Shape::Word(&["canceled", "chargeable", "consumed", "failed", "pending"]))
            .needed()
            .example("pending"),
        member(
            "type",
            Shape::Word(&[
                "ach_credit_transfer",
                "alipay",
                "bancontact",
                "card",
                "eps",
                "giropay",
                "ideal",
                "multibanco",
                "p24",
                "sofort",
                "wechat",
            ]),
        )
        .needed()
        .example("ach_credit_transfer"),
        member("usage", Shape::Word(&["reusable", "single_use"])).needed().example("reusable"),
        member(
            "wechat",
            Shape::Object(&[
                member("qr_code_url", TEXT).needed().nullable().example("null"),
                member("statement_descriptor", TEXT).nullable().example("Order 1"),
            ]),
        ),
    ]),
};
