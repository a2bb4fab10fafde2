//! Payment methods: docs.stripe.com/api/payment_methods.

use std::sync::Arc;

use super::customers::{ADDRESS, RETRIEVE, Retrieve, address};
use super::expand::{self, Expansions};
use super::failure::{Named, Names, Refusal};
use super::lists::{self, EXPAND, Paged, Paging, TEXT, row};
use super::params::{self, Empty, Kind, Param, Shape, Value, word};
use super::{Answer, Call, Halt, Plan};
use crate::domain::api_key::{Access, Resource};
use crate::domain::bank_account::{AccountType, HolderType};
use crate::domain::ids::{CustomerId, InstrumentId};
use crate::domain::instrument::Instrument;
use crate::domain::payment_method::{AllowRedisplay, PaymentMethodChange};
use crate::engine::customers;
use crate::engine::payment_methods::{self, Found};
use crate::http::json::Json;

const ALLOW_REDISPLAY: Shape = Shape::Choice(&[word("always"), word("limited"), word("unspecified")]);
const HOLDER_TYPE: Shape = Shape::Choice(&[word("company"), word("individual")]);
const ACCOUNT_TYPE: Shape = Shape::Choice(&[word("checking"), word("savings")]);
const MONTH: Shape = Shape::Integer { min: 1, max: 12 };
const YEAR: Shape = Shape::Integer { min: 1970, max: 9999 };

/// The types that there can be. Those that nothing here makes are known all the same: a list of them is empty.
const TYPES: Shape = Shape::Choice(&[
    word("acss_debit"),
    newer("affirm"),
    word("afterpay_clearpay"),
    word("alipay"),
    newer("alma"),
    newer("amazon_pay"),
    word("au_becs_debit"),
    word("bacs_debit"),
    word("bancontact"),
    newer("billie"),
    newer("bizum"),
    newer("blik"),
    word("boleto"),
    word("card"),
    newer("cashapp"),
    newer("crypto"),
    newer("custom"),
    newer("customer_balance"),
    word("eps"),
    word("fpx"),
    word("giropay"),
    word("grabpay"),
    word("ideal"),
    newer("kakao_pay"),
    word("klarna"),
    word("konbini"),
    newer("kr_card"),
    newer("link"),
    newer("mb_way"),
    newer("mobilepay"),
    newer("multibanco"),
    newer("naver_pay"),
    newer("nz_bank_account"),
    word("oxxo"),
    word("p24"),
    newer("pay_by_bank"),
    newer("payco"),
    word("paynow"),
    newer("paypal"),
    newer("payto"),
    newer("pix"),
    newer("promptpay"),
    newer("revolut_pay"),
    newer("samsung_pay"),
    newer("satispay"),
    newer("scalapay"),
    word("sepa_debit"),
    word("sofort"),
    newer("sunbit"),
    newer("swish"),
    newer("twint"),
    newer("upi"),
    word("us_bank_account"),
    word("wechat_pay"),
    newer("zip"),
]);

/// A type that came after the first ones.
const fn newer(word: &'static str) -> params::Word {
    params::Word { word, added: "2022-08-01" }
}

/// What a list asks for.
#[derive(Default)]
pub struct List {
    paging: Paging,
    allow_redisplay: Option<AllowRedisplay>,
    customer: Option<String>,
    kind: Option<String>,
}

impl Paged for List {
    fn paging(&mut self) -> &mut Paging {
        &mut self.paging
    }
}

const ALLOW_REDISPLAY_ROW: Param<List> = Param {
    added: "2024-04-10",
    ..row(
        "allow_redisplay",
        Kind::Value(&ALLOW_REDISPLAY, |list: &mut List, value| {
            list.allow_redisplay = AllowRedisplay::named(&value.text())
        }),
    )
};

const TYPE_ROW: Param<List> = row("type", Kind::Value(&TYPES, |list: &mut List, value| list.kind = Some(value.text())));

/// The parameters of `GET /v1/payment_methods`.
pub const LIST: &[Param<List>] = &[
    ALLOW_REDISPLAY_ROW,
    row("customer", Kind::Value(&TEXT, |list, value| list.customer = Some(value.text()))),
    Param { added: "2025-09-30", ..row("customer_account", Kind::Unsupported) },
    lists::ending_before(),
    lists::expand(),
    lists::limit(),
    lists::starting_after(),
    TYPE_ROW,
];

/// The parameters of `GET /v1/customers/{customer}/payment_methods`.
pub const LIST_OF_CUSTOMER: &[Param<List>] =
    &[ALLOW_REDISPLAY_ROW, lists::ending_before(), lists::expand(), lists::limit(), lists::starting_after(), TYPE_ROW];

/// What an update asks for.
#[derive(Clone, Default)]
pub struct Update {
    change: PaymentMethodChange,
    expand: Vec<String>,
}

const fn unsettable(name: &'static str, kind: Kind<Update>) -> Param<Update> {
    Param { empty: Empty::Unsets, ..row(name, kind) }
}

/// The parameters of `POST /v1/payment_methods/{payment_method}`.
pub const UPDATE: &[Param<Update>] = &[
    Param {
        added: "2024-04-10",
        ..row(
            "allow_redisplay",
            Kind::Value(&ALLOW_REDISPLAY, |input, value| {
                input.change.allow_redisplay = AllowRedisplay::named(&value.text());
            }),
        )
    },
    row(
        "billing_details",
        Kind::Group(&[
            unsettable(
                "address",
                Kind::Value(&ADDRESS, |input, value| input.change.billing.address = value.patch(address)),
            ),
            unsettable(
                "email",
                Kind::Value(&Shape::Email(512), |input, value| input.change.billing.email = value.patch(Value::text)),
            ),
            unsettable("name", Kind::Value(&TEXT, |input, value| input.change.billing.name = value.patch(Value::text))),
            unsettable(
                "phone",
                Kind::Value(&TEXT, |input, value| input.change.billing.phone = value.patch(Value::text)),
            ),
            Param { added: "2025-03-31", ..row("tax_id", Kind::Unsupported) },
        ]),
    ),
    row(
        "card",
        Kind::Group(&[
            // The shapes keep the numbers within a byte and two.
            row(
                "exp_month",
                Kind::Value(&MONTH, |input, value| input.change.exp_month = u8::try_from(value.integer()).ok()),
            ),
            row(
                "exp_year",
                Kind::Value(&YEAR, |input, value| input.change.exp_year = u16::try_from(value.integer()).ok()),
            ),
            Param { added: "2023-10-16", ..row("networks", Kind::Unsupported) },
        ]),
    ),
    row("expand", Kind::Value(&EXPAND, |input, value| input.expand = value.texts())),
    unsettable("metadata", Kind::Value(&Shape::Metadata, |input, value| input.change.metadata = value.metadata())),
    Param { added: "2025-09-30", ..row("payto", Kind::Unsupported) },
    row(
        "us_bank_account",
        Kind::Group(&[
            row(
                "account_holder_type",
                Kind::Value(&HOLDER_TYPE, |input, value| input.change.holder_type = HolderType::named(&value.text())),
            ),
            Param {
                added: "2023-10-16",
                ..row(
                    "account_type",
                    Kind::Value(&ACCOUNT_TYPE, |input, value| {
                        input.change.account_type = AccountType::named(&value.text());
                    }),
                )
            },
        ]),
    ),
];

/// How operations on one payment method name it.
const NAMES: Names = Names { payment_method: Named::by_path("payment_method"), ..Names::CUSTOMER_BY_PATH };

/// `GET /v1/payment_methods`
pub fn list(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let mut list: List = params::read(LIST, &call.given, &call.version)?;
    // A list of all is one of those that are nobody's, of which only accounts of their own have any.
    let Some(customer) = list.customer.take() else {
        return Err(Refusal::missing_parameter("customer"));
    };
    let names = Names { customer: Named::by("customer"), ..NAMES };
    listed(call, list, CustomerId(customer), names, |_| "/v1/payment_methods".to_owned())
}

/// `GET /v1/customers/{customer}/payment_methods`
pub fn list_of_customer(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let list: List = params::read(LIST_OF_CUSTOMER, &call.given, &call.version)?;
    let customer = CustomerId(call.part(0)?);
    listed(call, list, customer, NAMES, |id| format!("/v1/customers/{id}/payment_methods"))
}

fn listed(
    call: &Call,
    list: List,
    customer: CustomerId,
    names: Names,
    url: fn(&CustomerId) -> String,
) -> Result<Plan, Refusal> {
    let List { paging, allow_redisplay, customer: _, kind } = list;
    let anchor = paging.anchor()?;
    let (expansions, _) = Expansions::of_list(&paging.expand, expand::PAYMENT_METHOD, false, &call.version)?;
    require_sight(call, &expansions)?;
    let limit = paging.limit();
    Ok(Plan::look(names, move |call, read| {
        let customer = customers::live(read, &call.account, &customer)?;
        let wanted = |instrument: &&Instrument| {
            instrument.as_payment_method().is_some_and(|method| {
                let redisplay = method.allow_redisplay.unwrap_or(AllowRedisplay::Unspecified);
                kind.as_deref().is_none_or(|kind| kind == method.kind.as_str())
                    && allow_redisplay.is_none_or(|wanted| wanted == redisplay)
            })
        };
        let mine = customer.payment_methods().filter(wanted).collect();
        let is = |instrument: &&Instrument, id: &str| instrument.id().as_str() == id;
        let page = lists::page_of(mine, &anchor, limit, is, "PaymentMethod").map_err(Halt::from)?;
        Ok(Answer::of(lists::envelope(&page, url(&customer.id), |instrument| {
            expand::payment_method(instrument, Some(&customer), &call.account, &call.version, &expansions)
        })))
    }))
}

/// `GET /v1/payment_methods/{payment_method}`
pub fn retrieve(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let expansions = retrieved(call)?;
    let id = InstrumentId(call.part(0)?);
    Ok(Plan::look(NAMES, move |call, read| {
        let found = payment_methods::read(read, &call.account, &id)?;
        Ok(Answer::of(shown(call, &found, &expansions)))
    }))
}

/// `GET /v1/customers/{customer}/payment_methods/{payment_method}`
pub fn retrieve_of_customer(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let expansions = retrieved(call)?;
    let (customer, id) = (CustomerId(call.part(0)?), InstrumentId(call.part(1)?));
    Ok(Plan::look(NAMES, move |call, read| {
        let found = payment_methods::read_of(read, &call.account, &customer, &id)?;
        Ok(Answer::of(shown(call, &found, &expansions)))
    }))
}

fn retrieved(call: &Call) -> Result<Expansions, Refusal> {
    let input: Retrieve = params::read(RETRIEVE, &call.given, &call.version)?;
    expansions(call, &input.expand)
}

/// `POST /v1/payment_methods/{payment_method}`
pub fn update(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let Update { change, expand } = params::read(UPDATE, &call.given, &call.version)?;
    let expansions = expansions(call, &expand)?;
    let id = InstrumentId(call.part(0)?);
    Ok(Plan::write(NAMES, move |call, tx, ctx| {
        let found = payment_methods::update(tx, ctx, &id, change.clone())?;
        Ok(Answer::of(shown(call, &found, &expansions)))
    }))
}

/// `POST /v1/payment_methods/{payment_method}/detach`
pub fn detach(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let expansions = retrieved(call)?;
    let id = InstrumentId(call.part(0)?);
    Ok(Plan::write(NAMES, move |call, tx, ctx| {
        let found = payment_methods::detach(tx, ctx, &id)?;
        Ok(Answer::of(shown(call, &found, &expansions)))
    }))
}

fn expansions(call: &Call, paths: &[String]) -> Result<Expansions, Refusal> {
    let expansions = Expansions::of_object(paths, expand::PAYMENT_METHOD, &call.version)?;
    require_sight(call, &expansions)?;
    Ok(expansions)
}

fn require_sight(call: &Call, expansions: &Expansions) -> Result<(), Refusal> {
    if expansions.has("customer") { call.require(Resource::Customer, Access::Read) } else { Ok(()) }
}

fn shown(call: &Call, found: &Found, expansions: &Expansions) -> Json {
    expand::payment_method(&found.instrument(), found.customer(), &call.account, &call.version, expansions)
}

#[cfg(test)]
mod tests {
    use super::{LIST, LIST_OF_CUSTOMER, UPDATE};

    #[test]
    fn rows_are_in_the_order_of_their_names() {
        assert!(LIST.is_sorted_by_key(|param| param.name));
        assert!(LIST_OF_CUSTOMER.is_sorted_by_key(|param| param.name));
        assert!(UPDATE.is_sorted_by_key(|param| param.name));
    }
}
