//! Funding instructions, as the newest version answers them.

use super::{ADDRESS, TEXT};
use crate::rest::shape::{Component, Shape, member};

/// Where a customer sends money to.
pub static FUNDING_INSTRUCTIONS: Component = Component {
    name: "funding_instructions",
    doc: "Where a customer sends money to.",
    shape: Shape::Object(&[
        member("object", Shape::Word(&["funding_instructions"])).needed().example("funding_instructions"),
        member(
            "bank_transfer",
            Shape::Object(&[
                member("country", TEXT).needed().example("DE"),
                member(
                    "financial_addresses",
                    Shape::List(
                        &Shape::Object(&[
                            member(
                                "aba",
                                Shape::Object(&[
                                    member("account_holder_address", Shape::Component(&ADDRESS)).needed(),
                                    member("account_holder_name", TEXT).needed().example("Test Account Holder"),
                                    member("account_number", TEXT).needed().example("005436374434"),
                                    member("account_type", TEXT).needed().example("checking"),
                                    member("bank_address", Shape::Component(&ADDRESS)).needed(),
                                    member("bank_name", TEXT).needed().example("TEST BANK"),
                                    member("routing_number", TEXT).needed().example("000000000"),
                                ]),
                            ),
                            member(
                                "iban",
                                Shape::Object(&[
                                    member("account_holder_address", Shape::Component(&ADDRESS)).needed(),
                                    member("account_holder_name", TEXT).needed().example("Test Account Holder"),
                                    member("bank_address", Shape::Component(&ADDRESS)).needed(),
                                    member("bic", TEXT).needed().example("TESTDET0XXX"),
                                    member("country", TEXT).needed().example("DE"),
                                    member("iban", TEXT).needed().example("DE10000000002106682649"),
                                ]),
                            ),
                            member(
                                "sort_code",
                                Shape::Object(&[
                                    member("account_holder_address", Shape::Component(&ADDRESS)).needed(),
                                    member("account_holder_name", TEXT).needed().example("Test Account Holder"),
                                    member("account_number", TEXT).needed().example("74429421"),
                                    member("bank_address", Shape::Component(&ADDRESS)).needed(),
                                    member("sort_code", TEXT).needed().example("000000"),
                                ]),
                            ),
                            member(
                                "spei",
                                Shape::Object(&[
                                    member("account_holder_address", Shape::Component(&ADDRESS)).needed(),
                                    member("account_holder_name", TEXT).needed().example("Test Account Holder"),
                                    member("bank_address", Shape::Component(&ADDRESS)).needed(),
                                    member("bank_code", TEXT).needed().example("000"),
                                    member("bank_name", TEXT).needed().example("TEST BANK"),
                                    member("clabe", TEXT).needed().example("000000056585059892"),
                                ]),
                            ),
                            member("supported_networks", Shape::List(&TEXT, 0, usize::MAX)).needed().example("[]"),
                            member(
                                "swift",
                                Shape::Object(&[
                                    member("account_holder_address", Shape::Component(&ADDRESS)).needed(),
                                    member("account_holder_name", TEXT).needed().example("Test Account Holder"),
                                    member("account_number", TEXT).needed().example("005436374434"),
                                    member("account_type", TEXT).needed().example("checking"),
                                    member("bank_address", Shape::Component(&ADDRESS)).needed(),
                                    member("bank_name", TEXT).needed().example("TEST BANK"),
                                    member("swift_code", TEXT).needed().example("TESTUST0XXX"),
                                ]),
                            ),
                            member("type", TEXT).needed().example("iban"),
                            member(
                                "zengin",
                                Shape::Object(&[
                                    member("account_holder_address", Shape::Component(&ADDRESS)).needed(),
                                    member("account_holder_name", TEXT).needed().example("Test Account Holder"),
                                    member("account_number", TEXT).needed().example("0209090"),
                                    member("account_type", TEXT).needed().example("futsu"),
                                    member("bank_address", Shape::Component(&ADDRESS)).needed(),
                                    member("bank_code", TEXT).needed().example("0000"),
                                    member("bank_name", TEXT).needed().example("TEST BANK"),
                                    member("branch_code", TEXT).needed().example("000"),
                                    member("branch_name", TEXT).needed().example("TEST BRANCH"),
                                ]),
                            ),
                        ]),
                        0,
                        usize::MAX,
                    ),
                )
                .needed()
                .example("[]"),
                member("type", TEXT).needed().example("eu_bank_transfer"),
            ]),
        )
        .needed(),
        member("currency", TEXT).needed().example("eur"),
        member("funding_type", TEXT).needed().example("bank_transfer"),
        member("livemode", Shape::Flag).needed().example("false"),
    ]),
};
