//! What is paid with, as the newest version answers it.

use super::customers::CUSTOMER;
use super::{ADDRESS, ID, METADATA, TEXT, WHOLE};
use crate::rest::shape::{Component, Shape, member};

/// A bank account of a customer or a token.
pub static BANK_ACCOUNT: Component = Component {
    name: "bank_account",
    doc: "A bank account of a customer or a token.",
    shape: Shape::Object(&[
        member("id", TEXT).needed().example("ba_01dxf6dt06zd2d4fadsf90kgbz"),
        member("object", Shape::Word(&["bank_account"])).needed().example("bank_account"),
        member("account_holder_name", TEXT).needed().nullable().example("Jenny Rosen"),
        member("account_holder_type", TEXT).needed().nullable().example("individual"),
        member("account_type", TEXT).needed().nullable().example("checking"),
        member("bank_name", TEXT).needed().nullable().example("STRIPE TEST BANK"),
        member("country", TEXT).needed().example("US"),
        member("currency", TEXT).needed().example("usd"),
        member("customer", Shape::AnyOf(&[&ID, &CUSTOMER])).example("\"cus_01dxf6dt025554bg73eh3zhxtj\""),
        member("fingerprint", TEXT).needed().nullable().example("JsuqJRYqn6xSGMqn"),
        member("last4", TEXT).needed().example("6789"),
        member("metadata", METADATA).example("{}"),
        member("routing_number", TEXT).needed().nullable().example("110000000"),
        member("status", TEXT).needed().example("new"),
    ]),
};

/// What is left of a bank account that was deleted.
pub static DELETED_BANK_ACCOUNT: Component = Component {
    name: "deleted_bank_account",
    doc: "What is left of a bank account that was deleted.",
    shape: Shape::Object(&[
        member("id", TEXT).needed().example("ba_01dxf6dt03zps7t8djz6f27bra"),
        member("object", Shape::Word(&["bank_account"])).needed().example("bank_account"),
        member("currency", TEXT).needed().example("usd"),
        member("deleted", Shape::Flag).needed().example("true"),
    ]),
};

/// A card of a customer or a token.
pub static CARD: Component = Component {
    name: "card",
    doc: "A card of a customer or a token.",
    shape: Shape::Object(&[
        member("id", TEXT).needed().example("card_01dxf6dt08jj71dg8k03bc18ak"),
        member("object", Shape::Word(&["card"])).needed().example("card"),
        member("address_city", TEXT).needed().nullable().example("San Francisco"),
        member("address_country", TEXT).needed().nullable().example("US"),
        member("address_line1", TEXT).needed().nullable().example("Am Wall 1"),
        member("address_line1_check", TEXT).needed().nullable().example("unchecked"),
        member("address_line2", TEXT).needed().nullable().example("Floor 2"),
        member("address_state", TEXT).needed().nullable().example("CA"),
        member("address_zip", TEXT).needed().nullable().example("28195"),
        member("address_zip_check", TEXT).needed().nullable().example("unchecked"),
        member("brand", TEXT).needed().example("American Express"),
        member("country", TEXT).needed().nullable().example("US"),
        member("customer", Shape::AnyOf(&[&ID, &CUSTOMER])).example("\"cus_01dxf6dt025554bg73eh3zhxtj\""),
        member("cvc_check", TEXT).needed().nullable().example("unchecked"),
        member("dynamic_last4", TEXT).needed().nullable().example("null"),
        member("exp_month", WHOLE).needed().example("3"),
        member("exp_year", WHOLE).needed().example("2027"),
        member("fingerprint", TEXT).needed().nullable().example("Ymek50487SZtEx2Y"),
        member("funding", TEXT).needed().nullable().example("credit"),
        member("last4", TEXT).needed().example("0005"),
        member("metadata", METADATA).needed().example("{}"),
        member("name", TEXT).needed().nullable().example("Jenny Rosen"),
        member("networks", Shape::Object(&[member("preferred", TEXT).needed().nullable().example("null")])),
        member("regulated_status", TEXT).needed().nullable().example("null"),
        member("tokenization_method", TEXT).needed().nullable().example("null"),
    ]),
};

/// What is left of a card that was deleted.
pub static DELETED_CARD: Component = Component {
    name: "deleted_card",
    doc: "What is left of a card that was deleted.",
    shape: Shape::Object(&[
        member("id", TEXT).needed().example("card_01dxf6dt06zd2d4fadsf90kgbz"),
        member("object", Shape::Word(&["card"])).needed().example("card"),
        member("deleted", Shape::Flag).needed().example("true"),
    ]),
};

/// Something to pay with.
pub static PAYMENT_METHOD: Component = Component {
    name: "payment_method",
    doc: "Something to pay with.",
    shape: Shape::Object(&[
        member("id", TEXT).needed().example("pm_01dxf6dt0bfztj1w77zvpkw9y6"),
        member("object", Shape::Word(&["payment_method"])).needed().example("payment_method"),
        member("allow_redisplay", TEXT).needed().example("unspecified"),
        member(
            "billing_details",
            Shape::Object(&[
                member("address", Shape::Component(&ADDRESS)).needed(),
                member("email", TEXT).needed().nullable().example("john@example.com"),
                member("name", TEXT).needed().nullable().example("Jenny Rosen"),
                member("phone", TEXT).needed().nullable().example("+15555555555"),
                member("tax_id", TEXT).needed().nullable().example("null"),
            ]),
        )
        .needed(),
        member(
            "card",
            Shape::Object(&[
                member("brand", TEXT).needed().example("visa"),
                member(
                    "checks",
                    Shape::Object(&[
                        member("address_line1_check", TEXT).needed().nullable().example("unchecked"),
                        member("address_postal_code_check", TEXT).needed().nullable().example("unchecked"),
                        member("cvc_check", TEXT).needed().nullable().example("unchecked"),
                    ]),
                )
                .needed(),
                member("country", TEXT).needed().nullable().example("US"),
                member("display_brand", TEXT).needed().nullable().example("visa"),
                member("exp_month", WHOLE).needed().example("3"),
                member("exp_year", WHOLE).needed().example("2027"),
                member("fingerprint", TEXT).needed().nullable().example("yxEyN7rxD7SOMfCl"),
                member("funding", TEXT).needed().example("credit"),
                member("generated_from", TEXT).needed().nullable().example("null"),
                member("last4", TEXT).needed().example("4242"),
                member(
                    "networks",
                    Shape::Object(&[
                        member("available", Shape::List(&TEXT, 0, usize::MAX)).needed().example("[]"),
                        member("preferred", TEXT).needed().nullable().example("null"),
                    ]),
                )
                .needed(),
                member("regulated_status", TEXT).needed().nullable().example("null"),
                member(
                    "three_d_secure_usage",
                    Shape::Object(&[member("supported", Shape::Flag).needed().example("true")]),
                )
                .needed(),
                member("wallet", TEXT).needed().nullable().example("null"),
            ]),
        ),
        member("created", WHOLE).needed().example("1772366400"),
        member("customer", Shape::AnyOf(&[&ID, &CUSTOMER])).needed().nullable().example("null"),
        member("customer_account", TEXT).needed().nullable().example("null"),
        member("livemode", Shape::Flag).needed().example("false"),
        member("metadata", METADATA).needed().example("{}"),
        member("type", Shape::Word(&["card", "us_bank_account"])).needed().example("card"),
        member(
            "us_bank_account",
            Shape::Object(&[
                member("account_holder_type", TEXT).needed().nullable().example("individual"),
                member("account_type", TEXT).needed().nullable().example("checking"),
                member("bank_name", TEXT).needed().nullable().example("STRIPE TEST BANK"),
                member("financial_connections_account", TEXT).needed().nullable().example("null"),
                member("fingerprint", TEXT).needed().nullable().example("JsuqJRYqn6xSGMqn"),
                member("last4", TEXT).needed().example("6789"),
                member(
                    "networks",
                    Shape::Object(&[
                        member("preferred", TEXT).needed().nullable().example("ach"),
                        member("supported", Shape::List(&TEXT, 0, usize::MAX)).needed().example("[]"),
                    ]),
                )
                .needed(),
                member("routing_number", TEXT).needed().nullable().example("110000000"),
                member("status_details", TEXT).needed().nullable().example("null"),
            ]),
        ),
    ]),
};

/// Something to pay with that was stated once.
pub static TOKEN: Component = Component {
    name: "token",
    doc: "Something to pay with that was stated once.",
    shape: Shape::Object(&[
        member("id", TEXT).needed().example("tok_01dxf6dt025554bg73eh3zhxtj"),
        member("object", Shape::Word(&["token"])).needed().example("token"),
        member("bank_account", Shape::Component(&BANK_ACCOUNT)),
        member("card", Shape::Component(&CARD)),
        member("client_ip", TEXT).needed().nullable().example("127.0.0.1"),
        member("created", WHOLE).needed().example("1772366400"),
        member("livemode", Shape::Flag).needed().example("false"),
        member("type", Shape::Word(&["account", "bank_account", "card", "pii", "cvc_update", "person"]))
            .needed()
            .example("card"),
        member("used", Shape::Flag).needed().example("false"),
    ]),
};
