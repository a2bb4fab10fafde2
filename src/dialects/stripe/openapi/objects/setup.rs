//! Setup intents and their attempts, as the newest version answers them.

use super::customers::{CUSTOMER, DELETED_CUSTOMER};
use super::instruments::PAYMENT_METHOD;
use super::{FREE, ID, METADATA, TEXT, WHOLE};
use crate::rest::shape::{Component, Shape, member};

/// The way to something that can be charged later.
pub static SETUP_INTENT: Component = Component {
    name: "setup_intent",
    doc: "The way to something that can be charged later.",
    shape: Shape::Object(&[
        member("id", TEXT).needed().example("seti_01dxf6dt025554bg73eh3zhxtj"),
        member("object", Shape::Word(&["setup_intent"])).needed().example("setup_intent"),
        member("allowed_payment_method_types", TEXT).needed().nullable().example("null"),
        member("application", TEXT).nullable().example("null"),
        member(
            "automatic_payment_methods",
            Shape::Object(&[
                member("allow_redirects", TEXT).needed().example("always"),
                member("enabled", Shape::Flag).needed().example("true"),
            ]),
        )
        .needed()
        .nullable()
        .example("null"),
        member("cancellation_reason", TEXT).needed().nullable().example("abandoned"),
        member("client_secret", TEXT).needed().nullable().example("x"),
        member("created", WHOLE).needed().example("1772366400"),
        member("customer", Shape::AnyOf(&[&ID, &CUSTOMER, &DELETED_CUSTOMER])).nullable().example("null"),
        member("customer_account", TEXT).nullable().example("null"),
        member("description", TEXT).needed().nullable().example("Later"),
        member("excluded_payment_method_types", TEXT).needed().nullable().example("null"),
        member("flow_directions", TEXT).nullable().example("null"),
        member(
            "last_setup_error",
            Shape::Object(&[
                member("code", TEXT).needed().example("card_declined"),
                member("decline_code", TEXT).example("generic_decline"),
                member("doc_url", TEXT).needed().example("https://stripe.com/docs/error-codes/card-declined"),
                member("message", TEXT).needed().example("Your card was declined."),
                member("payment_method", Shape::Component(&PAYMENT_METHOD)),
                member("type", TEXT).needed().example("card_error"),
                member("param", TEXT),
            ]),
        )
        .needed()
        .nullable()
        .example("null"),
        member("latest_attempt", Shape::AnyOf(&[&ID, &SETUP_ATTEMPT])).nullable().example("null"),
        member("livemode", Shape::Flag).needed().example("false"),
        member("managed_payments", TEXT).nullable().example("null"),
        member("mandate", TEXT).nullable().example("null"),
        member("metadata", METADATA).example("{}"),
        member(
            "next_action",
            Shape::Object(&[
                member(
                    "redirect_to_url",
                    Shape::Object(&[
                        member("return_url", TEXT).needed().nullable().example("https://example.com/done"),
                        member("url", TEXT).needed().example("x"),
                    ]),
                ),
                member("type", TEXT).needed().example("verify_with_microdeposits"),
                member("use_stripe_sdk", FREE).example("{}"),
                member(
                    "verify_with_microdeposits",
                    Shape::Object(&[
                        member("arrival_date", WHOLE).needed().example("1772366400"),
                        member("hosted_verification_url", TEXT).needed().example("x"),
                        member("microdeposit_type", TEXT).needed().example("descriptor_code"),
                    ]),
                ),
            ]),
        )
        .needed()
        .nullable()
        .example("null"),
        member("on_behalf_of", TEXT).nullable().example("null"),
        member("payment_method", Shape::AnyOf(&[&ID, &PAYMENT_METHOD])).needed().nullable().example("null"),
        member("payment_method_configuration_details", TEXT).needed().nullable().example("null"),
        member(
            "payment_method_options",
            Shape::Object(&[
                member(
                    "card",
                    Shape::Object(&[
                        member("mandate_options", TEXT).needed().nullable().example("null"),
                        member("network", TEXT).needed().nullable().example("null"),
                        member("request_three_d_secure", TEXT).needed().example("automatic"),
                    ]),
                ),
                member(
                    "us_bank_account",
                    Shape::Object(&[member("verification_method", TEXT).needed().example("automatic")]),
                ),
            ]),
        ),
        member("payment_method_types", Shape::List(&TEXT, 0, usize::MAX)).needed().example("[]"),
        member("single_use_mandate", TEXT).nullable().example("null"),
        member(
            "status",
            Shape::Word(&[
                "canceled",
                "processing",
                "requires_action",
                "requires_confirmation",
                "requires_payment_method",
                "succeeded",
            ]),
        )
        .needed()
        .example("requires_action"),
        member("usage", Shape::Word(&["off_session", "on_session"])).needed().example("off_session"),
    ]),
};

/// One try of a setup intent.
pub static SETUP_ATTEMPT: Component = Component {
    name: "setup_attempt",
    doc: "One try of a setup intent.",
    shape: Shape::Object(&[
        member("id", TEXT).needed().example("setatt_01dxf6dt06zd2d4fadsf90kgbz"),
        member("object", Shape::Word(&["setup_attempt"])).needed().example("setup_attempt"),
        member("application", TEXT).needed().nullable().example("null"),
        member("created", WHOLE).needed().example("1772366400"),
        member("customer", Shape::AnyOf(&[&ID, &CUSTOMER])).needed().nullable().example("null"),
        member("customer_account", TEXT).needed().nullable().example("null"),
        member("flow_directions", TEXT).needed().nullable().example("null"),
        member("livemode", Shape::Flag).needed().example("false"),
        member("on_behalf_of", TEXT).needed().nullable().example("null"),
        member("payment_method", Shape::AnyOf(&[&ID, &PAYMENT_METHOD]))
            .needed()
            .example("\"pm_01dxf6dt08jj71dg8k03bc18ak\""),
        member(
            "payment_method_details",
            Shape::Object(&[
                member(
                    "card",
                    Shape::Object(&[
                        member("brand", TEXT).needed().example("visa"),
                        member(
                            "checks",
                            Shape::Object(&[
                                member("address_line1_check", TEXT).needed().nullable().example("null"),
                                member("address_postal_code_check", TEXT).needed().nullable().example("null"),
                                member("cvc_check", TEXT).needed().nullable().example("null"),
                            ]),
                        )
                        .needed(),
                        member("country", TEXT).needed().nullable().example("US"),
                        member("exp_month", WHOLE).needed().example("3"),
                        member("exp_year", WHOLE).needed().example("2027"),
                        member("fingerprint", TEXT).needed().nullable().example("ukzqoAA2OWS21smZ"),
                        member("funding", TEXT).needed().example("credit"),
                        member("last4", TEXT).needed().example("0002"),
                        member("network", TEXT).needed().example("visa"),
                        member(
                            "three_d_secure",
                            Shape::Object(&[
                                member("authentication_flow", TEXT).needed().nullable().example("challenge"),
                                member("electronic_commerce_indicator", TEXT).needed().nullable().example("null"),
                                member("result", TEXT).needed().nullable().example("authenticated"),
                                member("result_reason", TEXT).needed().nullable().example("protocol_error"),
                                member("transaction_id", TEXT).needed().nullable().example("null"),
                                member("version", TEXT).needed().nullable().example("2.2.0"),
                            ]),
                        )
                        .needed()
                        .nullable()
                        .example("null"),
                        member("wallet", TEXT).needed().nullable().example("null"),
                    ]),
                ),
                member("type", TEXT).needed().example("card"),
                member("us_bank_account", FREE),
            ]),
        )
        .needed(),
        member(
            "setup_error",
            Shape::Object(&[
                member("code", TEXT).needed().example("card_declined"),
                member("decline_code", TEXT).example("generic_decline"),
                member("doc_url", TEXT).needed().example("https://stripe.com/docs/error-codes/card-declined"),
                member("message", TEXT).needed().example("Your card was declined."),
                member("payment_method", Shape::Component(&PAYMENT_METHOD)),
                member("type", TEXT).needed().example("card_error"),
                member("param", TEXT),
            ]),
        )
        .needed()
        .nullable()
        .example("null"),
        member("setup_intent", Shape::AnyOf(&[&ID, &SETUP_INTENT]))
            .needed()
            .example("\"seti_01dxf6dt03zps7t8djz6f27bra\""),
        member("status", TEXT).needed().example("failed"),
        member("usage", TEXT).needed().example("off_session"),
    ]),
};
