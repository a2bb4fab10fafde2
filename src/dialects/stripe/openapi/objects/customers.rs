//! Customers and what is theirs alone, as the newest version answers them.

use super::instruments::{BANK_ACCOUNT, CARD, PAYMENT_METHOD};
use super::offers::DISCOUNT;
use super::sources::SOURCE;
use super::{ADDRESS, FREE, ID, METADATA, TEXT, WHOLE};
use crate::rest::shape::{Component, Shape, member};

/// A customer.
pub static CUSTOMER: Component = Component {
    name: "customer",
    doc: "A customer.",
    shape: Shape::Object(&[
        member("id", TEXT).needed().example("cus_01dxf6dt01emsrgxtszjkb1pgm"),
        member("object", Shape::Word(&["customer"])).needed().example("customer"),
        member("address", Shape::Component(&ADDRESS)).needed().nullable().example("null"),
        member("balance", WHOLE).needed().example("0"),
        member("business_name", TEXT).example("Rosen Ltd"),
        member("cash_balance", Shape::Component(&CASH_BALANCE)),
        member("created", WHOLE).needed().example("1772366400"),
        member("currency", TEXT).needed().nullable().example("usd"),
        member("default_source", Shape::AnyOf(&[&ID, &BANK_ACCOUNT, &CARD, &SOURCE]))
            .needed()
            .nullable()
            .example("null"),
        member("delinquent", Shape::Flag).needed().example("false"),
        member("description", TEXT).needed().nullable().example("old"),
        member("discount", Shape::Component(&DISCOUNT)).needed().nullable().example("null"),
        member("email", TEXT).needed().nullable().example("jenny@example.com"),
        member("individual_name", TEXT).example("Jenny Rosen"),
        member("invoice_credit_balance", Shape::Map(&WHOLE)).example("{}"),
        member("invoice_prefix", TEXT).needed().nullable().example("59BBB914"),
        member(
            "invoice_settings",
            Shape::Object(&[
                member(
                    "custom_fields",
                    Shape::List(
                        &Shape::Object(&[
                            member("name", TEXT).needed().example("nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"),
                            member("value", TEXT).needed().example("1"),
                        ]),
                        0,
                        usize::MAX,
                    ),
                )
                .needed()
                .nullable()
                .example("null"),
                member("default_payment_method", Shape::AnyOf(&[&ID, &PAYMENT_METHOD]))
                    .needed()
                    .nullable()
                    .example("null"),
                member("footer", TEXT).needed().nullable().example("Thank you"),
                member(
                    "rendering_options",
                    Shape::Object(&[
                        member("amount_tax_display", TEXT).needed().nullable().example("exclude_tax"),
                        member("template", TEXT).needed().nullable().example("null"),
                    ]),
                )
                .needed()
                .nullable()
                .example("null"),
            ]),
        )
        .needed(),
        member("livemode", Shape::Flag).needed().example("false"),
        member("metadata", METADATA).needed().example("{}"),
        member("name", TEXT).needed().nullable().example("Jenny"),
        member("next_invoice_sequence", WHOLE).needed().example("1"),
        member("phone", TEXT).needed().nullable().example("1"),
        member("preferred_locales", Shape::List(&TEXT, 0, usize::MAX)).needed().example("[]"),
        member(
            "shipping",
            Shape::Object(&[
                member("address", Shape::Component(&ADDRESS)).needed(),
                member("name", TEXT).needed().example("Jenny"),
                member("phone", TEXT).needed().nullable().example("555 1234"),
            ]),
        )
        .needed()
        .nullable()
        .example("null"),
        member(
            "sources",
            Shape::Object(&[
                member("object", Shape::Word(&["list"])).needed().example("list"),
                member("data", Shape::List(&Shape::AnyOf(&[&BANK_ACCOUNT, &CARD, &SOURCE]), 0, usize::MAX))
                    .needed()
                    .example("[]"),
                member("has_more", Shape::Flag).needed().example("false"),
                member("url", TEXT).needed().example("/v1/customers/cus_01dxf6dt025554bg73eh3zhxtj/sources"),
                member("total_count", WHOLE),
            ]),
        ),
        member(
            "subscriptions",
            Shape::Object(&[
                member("object", Shape::Word(&["list"])).needed().example("list"),
                member("data", Shape::List(&FREE, 0, usize::MAX)).needed().example("[]"),
                member("has_more", Shape::Flag).needed().example("false"),
                member("url", TEXT).needed().example("/v1/customers/cus_01dxf6dt01emsrgxtszjkb1pgm/subscriptions"),
                member("total_count", WHOLE),
            ]),
        ),
        member(
            "tax",
            Shape::Object(&[
                member(
                    "automatic_tax",
                    Shape::Word(&["failed", "not_collecting", "supported", "unrecognized_location"]),
                )
                .needed()
                .example("unrecognized_location"),
                member("ip_address", TEXT).needed().nullable().example("2001:db8::7"),
                member(
                    "location",
                    Shape::Object(&[
                        member("country", TEXT).needed().example("FR"),
                        member("source", TEXT).needed().example("shipping_destination"),
                        member("state", TEXT).needed().nullable().example("CA"),
                    ]),
                )
                .needed()
                .nullable()
                .example("null"),
                member("provider", TEXT).needed().example("stripe"),
            ]),
        ),
        member("tax_exempt", Shape::Word(&["none", "exempt", "reverse"])).needed().example("none"),
        member(
            "tax_ids",
            Shape::Object(&[
                member("object", Shape::Word(&["list"])).needed().example("list"),
                member("data", Shape::List(&Shape::Component(&TAX_ID), 0, usize::MAX)).needed().example("[]"),
                member("has_more", Shape::Flag).needed().example("false"),
                member("url", TEXT).needed().example("/v1/customers/cus_01dxf6dt01emsrgxtszjkb1pgm/tax_ids"),
                member("total_count", WHOLE),
            ]),
        ),
        member("test_clock", TEXT).needed().nullable().example("null"),
    ]),
};

/// What is left of a customer that was deleted.
pub static DELETED_CUSTOMER: Component = Component {
    name: "deleted_customer",
    doc: "What is left of a customer that was deleted.",
    shape: Shape::Object(&[
        member("id", TEXT).needed().example("cus_01dxf6dt03zps7t8djz6f27bra"),
        member("object", Shape::Word(&["customer"])).needed().example("customer"),
        member("deleted", Shape::Flag).needed().example("true"),
    ]),
};

/// A movement of the balance of a customer.
pub static CUSTOMER_BALANCE_TRANSACTION: Component = Component {
    name: "customer_balance_transaction",
    doc: "A movement of the balance of a customer.",
    shape: Shape::Object(&[
        member("id", TEXT).needed().example("cbtxn_01dxf6dt052ppb6y63tv9gg74d"),
        member("object", Shape::Word(&["customer_balance_transaction"]))
            .needed()
            .example("customer_balance_transaction"),
        member("amount", WHOLE).needed().example("4"),
        member("checkout_session", TEXT).needed().nullable().example("null"),
        member("created", WHOLE).needed().example("1772366410"),
        member("credit_note", TEXT).needed().nullable().example("null"),
        member("currency", TEXT).needed().example("usd"),
        member("customer", Shape::AnyOf(&[&ID, &CUSTOMER, &DELETED_CUSTOMER]))
            .needed()
            .example("\"cus_01dxf6dt01emsrgxtszjkb1pgm\""),
        member("description", TEXT).needed().nullable().example("number 1"),
        member("ending_balance", WHOLE).needed().example("9"),
        member("invoice", TEXT).needed().nullable().example("null"),
        member("livemode", Shape::Flag).needed().example("false"),
        member("metadata", METADATA).needed().example("{}"),
        member("type", TEXT).needed().example("adjustment"),
    ]),
};

/// Money of a customer that is not spent yet.
pub static CASH_BALANCE: Component = Component {
    name: "cash_balance",
    doc: "Money of a customer that is not spent yet.",
    shape: Shape::Object(&[
        member("object", Shape::Word(&["cash_balance"])).needed().example("cash_balance"),
        member("available", Shape::Map(&WHOLE)).needed().nullable().example("null"),
        member("customer", TEXT).needed().example("cus_01dxf6dt01emsrgxtszjkb1pgm"),
        member("customer_account", TEXT).needed().nullable().example("null"),
        member("livemode", Shape::Flag).needed().example("false"),
        member(
            "settings",
            Shape::Object(&[
                member("reconciliation_mode", Shape::Word(&["automatic", "manual"])).needed().example("automatic"),
                member("using_merchant_default", Shape::Flag).needed().example("true"),
            ]),
        )
        .needed(),
    ]),
};

/// A movement of the cash balance of a customer.
pub static CUSTOMER_CASH_BALANCE_TRANSACTION: Component = Component {
    name: "customer_cash_balance_transaction",
    doc: "A movement of the cash balance of a customer.",
    shape: Shape::Object(&[
        member("id", TEXT).needed().example("ccsbtxn_01dxf6dt03zps7t8djz6f27bra"),
        member("object", Shape::Word(&["customer_cash_balance_transaction"]))
            .needed()
            .example("customer_cash_balance_transaction"),
        member("created", WHOLE).needed().example("1772366400"),
        member("currency", TEXT).needed().example("gbp"),
        member("customer", Shape::AnyOf(&[&ID, &CUSTOMER])).needed().example("\"cus_01dxf6dt01emsrgxtszjkb1pgm\""),
        member("customer_account", TEXT).needed().nullable().example("null"),
        member("ending_balance", WHOLE).needed().example("5"),
        member(
            "funded",
            Shape::Object(&[member(
                "bank_transfer",
                Shape::Object(&[
                    member(
                        "eu_bank_transfer",
                        Shape::Object(&[
                            member("bic", TEXT).needed().example("TESTDET0XXX"),
                            member("iban_last4", TEXT).needed().example("0000"),
                            member("sender_name", TEXT).needed().example("Test Sender"),
                        ]),
                    ),
                    member(
                        "gb_bank_transfer",
                        Shape::Object(&[
                            member("account_number_last4", TEXT).needed().example("0000"),
                            member("sender_name", TEXT).needed().example("Test Sender"),
                            member("sort_code", TEXT).needed().example("000000"),
                        ]),
                    ),
                    member(
                        "jp_bank_transfer",
                        Shape::Object(&[
                            member("sender_bank", TEXT).needed().example("TEST BANK"),
                            member("sender_branch", TEXT).needed().example("TEST BRANCH"),
                            member("sender_name", TEXT).needed().example("Test Sender"),
                        ]),
                    ),
                    member("reference", TEXT).needed().nullable().example("Invoice 7"),
                    member("type", TEXT).needed().example("gb_bank_transfer"),
                    member(
                        "us_bank_transfer",
                        Shape::Object(&[
                            member("network", TEXT).needed().example("ach"),
                            member("sender_name", TEXT).needed().example("Test Sender"),
                        ]),
                    ),
                ]),
            )
            .needed()]),
        )
        .needed(),
        member("livemode", Shape::Flag).needed().example("false"),
        member("net_amount", WHOLE).needed().example("5"),
        member("type", TEXT).needed().example("funded"),
    ]),
};

/// A tax id of a customer.
pub static TAX_ID: Component = Component {
    name: "tax_id",
    doc: "A tax id of a customer.",
    shape: Shape::Object(&[
        member("id", TEXT).needed().example("txi_01dxf6dt03zps7t8djz6f27bra"),
        member("object", Shape::Word(&["tax_id"])).needed().example("tax_id"),
        member("country", TEXT).needed().nullable().example("DE"),
        member("created", WHOLE).needed().example("1772366400"),
        member("customer", Shape::AnyOf(&[&ID, &CUSTOMER]))
            .needed()
            .nullable()
            .example("\"cus_01dxf6dt01emsrgxtszjkb1pgm\""),
        member("customer_account", TEXT).needed().nullable().example("null"),
        member("livemode", Shape::Flag).needed().example("false"),
        member(
            "owner",
            Shape::Object(&[
                member("customer", Shape::AnyOf(&[&ID, &CUSTOMER]))
                    .needed()
                    .nullable()
                    .example("\"cus_01dxf6dt01emsrgxtszjkb1pgm\""),
                member("customer_account", TEXT).needed().nullable().example("null"),
                member("type", Shape::Word(&["account", "application", "customer", "self"]))
                    .needed()
                    .example("customer"),
            ]),
        )
        .needed(),
        member("type", TEXT).needed().example("eu_vat"),
        member("value", TEXT).needed().example("DE123456789"),
        member(
            "verification",
            Shape::Object(&[
                member("status", TEXT).needed().example("unavailable"),
                member("verified_address", TEXT).needed().nullable().example("null"),
                member("verified_name", TEXT).needed().nullable().example("null"),
            ]),
        )
        .needed(),
    ]),
};

/// What is left of a tax id that was deleted.
pub static DELETED_TAX_ID: Component = Component {
    name: "deleted_tax_id",
    doc: "What is left of a tax id that was deleted.",
    shape: Shape::Object(&[
        member("id", TEXT).needed().example("txi_01dxf6dt03zps7t8djz6f27bra"),
        member("object", Shape::Word(&["tax_id"])).needed().example("tax_id"),
        member("deleted", Shape::Flag).needed().example("true"),
    ]),
};
