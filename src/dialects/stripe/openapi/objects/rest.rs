//! Accounts, events, webhook endpoints and refusals, as the newest version answers them.

use super::instruments::PAYMENT_METHOD;
use super::setup::SETUP_INTENT;
use super::{FREE, METADATA, TEXT, WHOLE};
use crate::rest::shape::{Component, Shape, member};

/// Whose key it is.
pub static ACCOUNT: Component = Component {
    name: "account",
    doc: "Whose key it is.",
    shape: Shape::Object(&[
        member("id", TEXT).needed().example("acct_2fzess4y2akev5j62r9vatyak9"),
        member("object", Shape::Word(&["account"])).needed().example("account"),
        member(
            "business_profile",
            Shape::Object(&[
                member("mcc", TEXT).needed().nullable().example("null"),
                member("name", TEXT).needed().nullable().example("null"),
                member("product_description", TEXT).needed().nullable().example("null"),
                member("support_address", TEXT).needed().nullable().example("null"),
                member("support_email", TEXT).needed().nullable().example("null"),
                member("support_phone", TEXT).needed().nullable().example("null"),
                member("support_url", TEXT).needed().nullable().example("null"),
                member("url", TEXT).needed().nullable().example("null"),
            ]),
        )
        .needed(),
        member("business_type", TEXT).needed().nullable().example("null"),
        member("capabilities", FREE).needed().example("{}"),
        member("charges_enabled", Shape::Flag).needed().example("false"),
        member("controller", Shape::Object(&[member("type", TEXT).needed().example("account")])).needed(),
        member("country", TEXT).needed().example("US"),
        member("created", WHOLE).needed().example("1772366400"),
        member("default_currency", TEXT).needed().example("usd"),
        member("details_submitted", Shape::Flag).needed().example("true"),
        member("email", TEXT).needed().nullable().example("null"),
        member("metadata", METADATA).needed().example("{}"),
        member("payouts_enabled", Shape::Flag).needed().example("false"),
        member(
            "settings",
            Shape::Object(&[
                member(
                    "branding",
                    Shape::Object(&[
                        member("icon", TEXT).needed().nullable().example("null"),
                        member("logo", TEXT).needed().nullable().example("null"),
                        member("primary_color", TEXT).needed().nullable().example("null"),
                        member("secondary_color", TEXT).needed().nullable().example("null"),
                    ]),
                )
                .needed(),
                member(
                    "card_payments",
                    Shape::Object(&[member("statement_descriptor_prefix", TEXT).needed().nullable().example("null")]),
                )
                .needed(),
                member(
                    "dashboard",
                    Shape::Object(&[
                        member("display_name", TEXT).needed().nullable().example("null"),
                        member("timezone", TEXT).needed().example("Etc/UTC"),
                    ]),
                )
                .needed(),
                member(
                    "payments",
                    Shape::Object(&[
                        member("statement_descriptor", TEXT).needed().nullable().example("null"),
                        member("statement_descriptor_kana", TEXT).needed().nullable().example("null"),
                        member("statement_descriptor_kanji", TEXT).needed().nullable().example("null"),
                    ]),
                )
                .needed(),
            ]),
        )
        .needed(),
        member("type", TEXT).needed().example("standard"),
    ]),
};

/// Something that happened. What it tells about is shaped as its own kind.
pub static EVENT: Component = Component { name: "event", doc: "Something that happened. What it tells about is shaped as its own kind.", shape: Shape::Object(&[member("id", TEXT).needed().example("evt_01dxf6dt025554bg73eh3zhxtj"), member("object", Shape::Word(&["event"])).needed().example("event"), member("api_version", TEXT).needed().nullable().example("2026-10-28.endive"), member("created", WHOLE).needed().example("1772366400"), member("data", Shape::Object(&[member("object", FREE).needed().example(r#"{"id": "cus_01dxf6dt01emsrgxtszjkb1pgm", "object": "customer", "address": null, "balance": 0, "created": 1772366400, "currency": null, "default_source": null, "delinquent": false, "description": null, "discount": null, "email": null, "invoice_prefix": "59BBB914", "invoice_settings": {"custom_fields": null, "default_payment_method": null, "footer": null, "rendering_options": null}, "livemode": false, "metadata": {}, "name": "noon", "next_invoice_sequence": 1, "phone": null, "preferred_locales": [], "shipping": null, "tax_exempt": "none", "test_clock": null}"#), member("previous_attributes", FREE).example("{}")])).needed(), member("livemode", Shape::Flag).needed().example("false"), member("pending_webhooks", WHOLE).needed().example("0"), member("request", Shape::Object(&[member("id", TEXT).needed().nullable().example("req_01dxf6dt01bshv1mqg587e62dt"), member("idempotency_key", TEXT).needed().nullable().example("my-key")])).needed().nullable(), member("type", TEXT).needed().example("customer.created")]) };

/// Where events are sent to.
pub static WEBHOOK_ENDPOINT: Component = Component {
    name: "webhook_endpoint",
    doc: "Where events are sent to.",
    shape: Shape::Object(&[
        member("id", TEXT).needed().example("we_01dxf6dt01emsrgxtszjkb1pgm"),
        member("object", Shape::Word(&["webhook_endpoint"])).needed().example("webhook_endpoint"),
        member("api_version", TEXT).needed().nullable().example("2024-06-20"),
        member("application", TEXT).needed().nullable().example("null"),
        member("created", WHOLE).needed().example("1772366400"),
        member("description", TEXT).needed().nullable().example("The shop"),
        member("enabled_events", Shape::List(&TEXT, 0, usize::MAX)).needed().example("[]"),
        member("livemode", Shape::Flag).needed().example("false"),
        member("metadata", METADATA).needed().example("{}"),
        member("secret", TEXT).example("whsec_x"),
        member("status", Shape::Word(&["enabled", "disabled"])).needed().example("enabled"),
        member("url", TEXT).needed().example("https://example.com/1"),
    ]),
};

/// What is left of a webhook endpoint that was deleted.
pub static DELETED_WEBHOOK_ENDPOINT: Component = Component {
    name: "deleted_webhook_endpoint",
    doc: "What is left of a webhook endpoint that was deleted.",
    shape: Shape::Object(&[
        member("id", TEXT).needed().example("we_01dxf6dt03zps7t8djz6f27bra"),
        member("object", Shape::Word(&["webhook_endpoint"])).needed().example("webhook_endpoint"),
        member("deleted", Shape::Flag).needed().example("true"),
    ]),
};

/// A refusal.
pub static REFUSED: Component = Component {
    name: "error",
    doc: "Why a request was refused: docs.stripe.com/api/errors.",
    shape: Shape::Object(&[member(
        "error",
        Shape::Object(&[
            member("code", TEXT).example("parameter_unknown"),
            member("decline_code", TEXT),
            member("doc_url", TEXT).example("https://stripe.com/docs/error-codes/parameter-unknown"),
            member("message", TEXT).needed().example("Received unknown parameter: nam"),
            member("param", TEXT).example("nam"),
            member("payment_method", Shape::Component(&PAYMENT_METHOD)),
            member("setup_intent", Shape::Component(&SETUP_INTENT)),
            member("type", Shape::Word(&["api_error", "card_error", "idempotency_error", "invalid_request_error"]))
                .needed()
                .example("invalid_request_error"),
        ]),
    )
    .needed()]),
};

/// A session of the official CLI.
pub static CLI_SESSION: Component = Component {
    name: "stripecli_session",
    doc: "Where the official CLI connects to.",
    shape: Shape::Object(&[
        member("default_version", TEXT).needed(),
        member("display_connect_filter_warning", Shape::Flag).needed(),
        member("latest_version", TEXT).needed(),
        member("reconnect_delay", WHOLE).needed().example("600"),
        member("secret", TEXT).needed(),
        member("websocket_authorized_feature", TEXT).needed().example("webhook-payloads"),
        member("websocket_id", TEXT).needed(),
        member("websocket_url", TEXT).needed(),
    ]),
};
