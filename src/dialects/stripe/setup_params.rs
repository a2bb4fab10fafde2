//! The parameters of setup intents and of their attempts: docs.stripe.com/api/setup_intents.

use super::customers::{ADDRESS, address};
use super::lists::{self, EXPAND, Paged, Paging, TEXT, row};
use super::params::{Empty, Kind, Param, Shape, Value, word};
use super::payment_methods::{ALLOW_REDISPLAY, CARD, DraftInput, MADE, US_BANK_ACCOUNT};
use crate::domain::address::Postal;
use crate::domain::ids::{CustomerId, InstrumentId};
use crate::domain::metadata::MetadataChange;
use crate::domain::payment_method::AllowRedisplay;
use crate::domain::setup_intent::{CancellationReason, MethodType, Redirects, ThreeDSecure, Usage};
use crate::engine::setup_intents::Filter;

const DESCRIPTION: Shape = Shape::Text(1000);
const METHOD_TYPES: Shape = Shape::List(&MADE, 2);
const USAGE: Shape = Shape::Choice(&[word("off_session"), word("on_session")]);
const REDIRECTS: Shape = Shape::Choice(&[word("always"), word("never")]);
const THREE_D_SECURE: Shape = Shape::Choice(&[word("any"), word("automatic")]);
const REASON: Shape = Shape::Choice(&[word("abandoned"), word("duplicate"), word("requested_by_customer")]);
const OUTCOME: Shape = Shape::Choice(&[word("fail"), word("succeed")]);
const AMOUNTS: Shape = Shape::List(&Shape::Integer { min: 0, max: i64::MAX }, 2);

/// What a request about one intent asks for. Each table fills its part.
#[derive(Default)]
pub struct Input {
    pub(super) customer: Option<CustomerId>,
    pub(super) method: Option<InstrumentId>,
    pub(super) draft: DraftInput,
    pub(super) types: Option<Vec<MethodType>>,
    pub(super) usage: Option<Usage>,
    pub(super) description: Option<String>,
    pub(super) three_d_secure: Option<ThreeDSecure>,
    pub(super) automatic: Option<bool>,
    pub(super) redirects: Option<Redirects>,
    pub(super) confirm: bool,
    pub(super) return_url: Option<String>,
    pub(super) use_sdk: bool,
    pub(super) reason: Option<CancellationReason>,
    pub(super) failed: bool,
    pub(super) amounts: Option<Vec<i64>>,
    pub(super) descriptor_code: Option<String>,
    pub(super) client_secret: Option<String>,
    pub(super) metadata: MetadataChange,
    pub(super) expand: Vec<String>,
}

const fn refused(name: &'static str, added: &'static str) -> Param<Input> {
    Param { added, ..row(name, Kind::Unsupported) }
}

const CLIENT_SECRET_ROW: Param<Input> =
    row("client_secret", Kind::Value(&TEXT, |input, value| input.client_secret = Some(value.text())));
const CUSTOMER_ROW: Param<Input> =
    row("customer", Kind::Value(&TEXT, |input, value| input.customer = Some(CustomerId(value.text()))));
const DESCRIPTION_ROW: Param<Input> =
    row("description", Kind::Value(&DESCRIPTION, |input, value| input.description = Some(value.text())));
const EXPAND_ROW: Param<Input> = row("expand", Kind::Value(&EXPAND, |input, value| input.expand = value.texts()));
const METADATA_ROW: Param<Input> =
    row("metadata", Kind::Value(&Shape::Metadata, |input, value| input.metadata = value.metadata()));
const METHOD_ROW: Param<Input> =
    row("payment_method", Kind::Value(&TEXT, |input, value| input.method = Some(InstrumentId(value.text()))));
const METHOD_DATA_ROW: Param<Input> =
    Param { added: "2022-05-01", ..row("payment_method_data", Kind::Group(METHOD_DATA)) };
const METHOD_OPTIONS_ROW: Param<Input> = row("payment_method_options", Kind::Group(METHOD_OPTIONS));
const METHOD_TYPES_ROW: Param<Input> = row(
    "payment_method_types",
    Kind::Value(&METHOD_TYPES, |input, value| {
        input.types = Some(value.texts().iter().filter_map(|word| MethodType::named(word)).collect());
    }),
);
const RETURN_URL_ROW: Param<Input> =
    row("return_url", Kind::Value(&Shape::Url, |input, value| input.return_url = Some(value.text())));
const USE_SDK_ROW: Param<Input> = Param {
    added: "2023-04-01",
    ..row("use_stripe_sdk", Kind::Value(&Shape::Flag, |input, value| input.use_sdk = value.flag()))
};

// Of what these ask for there is nothing here: mandates, other accounts, wallets, tokens of a confirmation.
const ALLOWED_TYPES_ROW: Param<Input> = refused("allowed_payment_method_types", "2026-06-24");
const ATTACH_TO_SELF_ROW: Param<Input> = refused("attach_to_self", "2022-08-01");
const CONFIRMATION_TOKEN_ROW: Param<Input> = refused("confirmation_token", "2024-03-01");
const CUSTOMER_ACCOUNT_ROW: Param<Input> = refused("customer_account", "2025-09-30");
const EXCLUDED_TYPES_ROW: Param<Input> = refused("excluded_payment_method_types", "2025-08-27");
const FLOW_DIRECTIONS_ROW: Param<Input> = refused("flow_directions", "2022-08-01");
const MANDATE_DATA_ROW: Param<Input> = refused("mandate_data", "");
const CONFIGURATION_ROW: Param<Input> = refused("payment_method_configuration", "2023-08-16");

const fn unsettable(name: &'static str, kind: Kind<Input>) -> Param<Input> {
    Param { empty: Empty::Unsets, ..row(name, kind) }
}

const METHOD_DATA: &[Param<Input>] = &[
    Param {
        added: "2024-04-10",
        ..row(
            "allow_redisplay",
            Kind::Value(&ALLOW_REDISPLAY, |input: &mut Input, value| {
                input.draft.allow_redisplay = AllowRedisplay::named(&value.text());
            }),
        )
    },
    row(
        "billing_details",
        Kind::Group(&[
            unsettable(
                "address",
                Kind::Value(&ADDRESS, |input, value| {
                    input.draft.billing.address = value.patch(address).map(Postal::into)
                }),
            ),
            unsettable(
                "email",
                Kind::Value(&Shape::Email(512), |input, value| input.draft.billing.email = value.patch(Value::text)),
            ),
            unsettable("name", Kind::Value(&TEXT, |input, value| input.draft.billing.name = value.patch(Value::text))),
            unsettable(
                "phone",
                Kind::Value(&TEXT, |input, value| input.draft.billing.phone = value.patch(Value::text)),
            ),
            refused("tax_id", "2025-03-31"),
        ]),
    ),
    row("card", Kind::Value(&CARD, |input, value| input.draft.card = Some(value))),
    row("metadata", Kind::Value(&Shape::Metadata, |input, value| input.draft.metadata = value.metadata())),
    refused("radar_options", "2022-08-01"),
    Param { required: true, ..row("type", Kind::Value(&MADE, |input, value| input.draft.kind = Some(value.text()))) },
    row("us_bank_account", Kind::Value(&US_BANK_ACCOUNT, |input, value| input.draft.account = Some(value))),
];

const METHOD_OPTIONS: &[Param<Input>] = &[
    refused("acss_debit", ""),
    row(
        "card",
        Kind::Group(&[
            refused("mandate_options", ""),
            refused("network", "2022-08-01"),
            row(
                "request_three_d_secure",
                Kind::Value(&THREE_D_SECURE, |input, value| {
                    input.three_d_secure = ThreeDSecure::named(&value.text());
                }),
            ),
            refused("three_d_secure", "2023-10-16"),
        ]),
    ),
    refused("sepa_debit", ""),
    refused("us_bank_account", ""),
];

/// The parameters of `POST /v1/setup_intents`.
pub const CREATE: &[Param<Input>] = &[
    ALLOWED_TYPES_ROW,
    ATTACH_TO_SELF_ROW,
    Param {
        added: "2023-02-01",
        ..row(
            "automatic_payment_methods",
            Kind::Group(&[
                row(
                    "allow_redirects",
                    Kind::Value(&REDIRECTS, |input, value| input.redirects = Redirects::named(&value.text())),
                ),
                Param {
                    required: true,
                    ..row("enabled", Kind::Value(&Shape::Flag, |input, value| input.automatic = Some(value.flag())))
                },
            ]),
        )
    },
    row("confirm", Kind::Value(&Shape::Flag, |input, value| input.confirm = value.flag())),
    CONFIRMATION_TOKEN_ROW,
    CUSTOMER_ROW,
    CUSTOMER_ACCOUNT_ROW,
    DESCRIPTION_ROW,
    EXCLUDED_TYPES_ROW,
    EXPAND_ROW,
    FLOW_DIRECTIONS_ROW,
    MANDATE_DATA_ROW,
    METADATA_ROW,
    refused("on_behalf_of", ""),
    METHOD_ROW,
    CONFIGURATION_ROW,
    METHOD_DATA_ROW,
    METHOD_OPTIONS_ROW,
    METHOD_TYPES_ROW,
    RETURN_URL_ROW,
    refused("single_use", ""),
    row("usage", Kind::Value(&USAGE, |input, value| input.usage = Usage::named(&value.text()))),
    USE_SDK_ROW,
];

/// The parameters of `POST /v1/setup_intents/{intent}`.
pub const UPDATE: &[Param<Input>] = &[
    ALLOWED_TYPES_ROW,
    ATTACH_TO_SELF_ROW,
    CUSTOMER_ROW,
    CUSTOMER_ACCOUNT_ROW,
    DESCRIPTION_ROW,
    EXCLUDED_TYPES_ROW,
    EXPAND_ROW,
    FLOW_DIRECTIONS_ROW,
    Param { empty: Empty::Unsets, ..METADATA_ROW },
    METHOD_ROW,
    CONFIGURATION_ROW,
    METHOD_DATA_ROW,
    METHOD_OPTIONS_ROW,
    METHOD_TYPES_ROW,
];

/// The parameters of `POST /v1/setup_intents/{intent}/confirm`.
pub const CONFIRM: &[Param<Input>] = &[
    ALLOWED_TYPES_ROW,
    CLIENT_SECRET_ROW,
    CONFIRMATION_TOKEN_ROW,
    EXPAND_ROW,
    MANDATE_DATA_ROW,
    METHOD_ROW,
    METHOD_DATA_ROW,
    METHOD_OPTIONS_ROW,
    RETURN_URL_ROW,
    USE_SDK_ROW,
];

/// The parameters of `GET /v1/setup_intents/{intent}`.
pub const RETRIEVE: &[Param<Input>] = &[CLIENT_SECRET_ROW, EXPAND_ROW];

/// The parameters of `POST /v1/setup_intents/{intent}/cancel`.
pub const CANCEL: &[Param<Input>] = &[
    row(
        "cancellation_reason",
        Kind::Value(&REASON, |input, value| input.reason = CancellationReason::named(&value.text())),
    ),
    EXPAND_ROW,
];

/// The parameters of `POST /v1/setup_intents/{intent}/verify_microdeposits`.
pub const VERIFY: &[Param<Input>] = &[
    row(
        "amounts",
        Kind::Value(&AMOUNTS, |input, value| {
            input.amounts = Some(value.list().into_iter().map(Value::integer).collect());
        }),
    ),
    CLIENT_SECRET_ROW,
    row("descriptor_code", Kind::Value(&TEXT, |input, value| input.descriptor_code = Some(value.text()))),
    EXPAND_ROW,
];

/// The parameters of `POST /v1/test_helpers/setup_intents/{intent}/authenticate`, which is Cusp's own.
pub const AUTHENTICATE: &[Param<Input>] =
    &[EXPAND_ROW, row("outcome", Kind::Value(&OUTCOME, |input, value| input.failed = value.text() == "fail"))];

/// What a list asks for.
#[derive(Default)]
pub struct List {
    pub(super) paging: Paging,
    pub(super) filter: Filter,
    pub(super) attached_to_self: bool,
    pub(super) intent: String,
}

impl Paged for List {
    fn paging(&mut self) -> &mut Paging {
        &mut self.paging
    }
}

const CREATED_ROW: Param<List> =
    row("created", Kind::Value(&Shape::Span, |list, value| list.filter.created = value.span()));

/// The parameters of `GET /v1/setup_intents`.
pub const LIST: &[Param<List>] = &[
    Param {
        added: "2022-08-01",
        ..row(
            "attach_to_self",
            Kind::Value(&Shape::Flag, |list: &mut List, value| list.attached_to_self = value.flag()),
        )
    },
    CREATED_ROW,
    row("customer", Kind::Value(&TEXT, |list, value| list.filter.customer = Some(CustomerId(value.text())))),
    Param { added: "2025-09-30", ..row("customer_account", Kind::Unsupported) },
    lists::ending_before(),
    lists::expand(),
    lists::limit(),
    row("payment_method", Kind::Value(&TEXT, |list, value| list.filter.method = Some(InstrumentId(value.text())))),
    lists::starting_after(),
];

/// The parameters of `GET /v1/setup_attempts`.
pub const LIST_ATTEMPTS: &[Param<List>] = &[
    CREATED_ROW,
    lists::ending_before(),
    lists::expand(),
    lists::limit(),
    Param {
        required: true,
        ..row("setup_intent", Kind::Value(&TEXT, |list: &mut List, value| list.intent = value.text()))
    },
    lists::starting_after(),
];

#[cfg(test)]
mod tests {
    use super::{AUTHENTICATE, CANCEL, CONFIRM, CREATE, LIST, LIST_ATTEMPTS, METHOD_DATA, RETRIEVE, UPDATE, VERIFY};

    #[test]
    fn rows_are_in_the_order_of_their_names() {
        for table in [AUTHENTICATE, CANCEL, CONFIRM, CREATE, METHOD_DATA, RETRIEVE, UPDATE, VERIFY] {
            assert!(table.is_sorted_by_key(|param| param.name));
        }
        assert!(LIST.is_sorted_by_key(|param| param.name));
        assert!(LIST_ATTEMPTS.is_sorted_by_key(|param| param.name));
    }
}
