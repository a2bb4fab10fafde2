//! Payment methods: docs.stripe.com/api/payment_methods.

use std::sync::Arc;

use super::customers::{ADDRESS, RETRIEVE, Retrieve, address};
use super::discounts::Shown;
use super::expand::{self, Expansions};
use super::failure::{Named, Names, Refusal};
use super::lists::{self, EXPAND, Paged, Paging, TEXT, row};
use super::offers::{self, Offer};
use super::params::{self, Empty, Kind, Param, Shape, Value, field, inside, word};
use super::tokens::{ACCOUNT_TYPE, HOLDER_TYPE, stated_number};
use super::{Answer, Call, Halt, Plan, discounts};
use crate::domain::account::Account;
use crate::domain::address::Postal;
use crate::domain::api_key::{Access, Resource};
use crate::domain::bank_account::{AccountType, HolderType};
use crate::domain::ids::{CustomerId, InstrumentId};
use crate::domain::instrument::{Instrument, SourceKind};
use crate::domain::metadata::MetadataChange;
use crate::domain::payment_method::{
    AllowRedisplay, BillingChange, BillingDetails, PaymentMethod, PaymentMethodChange, PaymentMethodKind,
};
use crate::domain::time::Time;
use crate::domain::token::Token;
use crate::engine::payment_methods::{self, Found};
use crate::engine::{Ctx, Done, customers};
use crate::http::conditions;
use crate::http::json::Json;
use crate::processor::{self, BankDetails, CardDetails, Details, Finding, Question, Subject};
use crate::store::{Kept, Read, Tx};

pub(super) const ALLOW_REDISPLAY: Shape = Shape::Choice(&[word("always"), word("limited"), word("unspecified")]);

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

/// What a create asks for.
#[derive(Default)]
pub struct Create {
    draft: DraftInput,
    expand: Vec<String>,
}

pub(super) const CARD: Shape = Shape::Record(&[
    field("cvc", &Shape::Secret(5000)),
    field("exp_month", &TEXT),
    field("exp_year", &TEXT),
    params::Field { added: "2023-10-16", ..field("networks", &Shape::Unsupported) },
    field("number", &Shape::Secret(5000)),
    field("token", &Shape::Id(5000, "token")),
]);

pub(super) const US_BANK_ACCOUNT: Shape = Shape::Record(&[
    field("account_holder_type", &HOLDER_TYPE),
    field("account_number", &Shape::Secret(5000)),
    field("account_type", &ACCOUNT_TYPE),
    params::Field { added: "2022-08-01", ..field("financial_connections_account", &Shape::Unsupported) },
    field("routing_number", &TEXT),
]);

/// The types that can be made here.
pub(super) const MADE: Shape = Shape::Choice(&[word("card"), word("us_bank_account")]);

/// The parameters of `POST /v1/payment_methods`.
pub const CREATE: &[Param<Create>] = &[
    Param {
        added: "2024-04-10",
        ..row(
            "allow_redisplay",
            Kind::Value(&ALLOW_REDISPLAY, |input, value| {
                input.draft.allow_redisplay = AllowRedisplay::named(&value.text())
            }),
        )
    },
    row(
        "billing_details",
        Kind::Group(&[
            create_unsettable(
                "address",
                Kind::Value(&ADDRESS, |input, value| {
                    input.draft.billing.address = value.patch(address).map(Postal::into)
                }),
            ),
            create_unsettable(
                "email",
                Kind::Value(&Shape::Email(512), |input, value| input.draft.billing.email = value.patch(Value::text)),
            ),
            create_unsettable(
                "name",
                Kind::Value(&TEXT, |input, value| input.draft.billing.name = value.patch(Value::text)),
            ),
            create_unsettable(
                "phone",
                Kind::Value(&TEXT, |input, value| input.draft.billing.phone = value.patch(Value::text)),
            ),
            Param { added: "2025-03-31", ..row("tax_id", Kind::Unsupported) },
        ]),
    ),
    row("card", Kind::Value(&CARD, |input, value| input.draft.card = Some(value))),
    // To copy what a customer of the platform pays with to a connected account.
    row("customer", Kind::Unsupported),
    row("expand", Kind::Value(&EXPAND, |input, value| input.expand = value.texts())),
    row("metadata", Kind::Value(&Shape::Metadata, |input, value| input.draft.metadata = value.metadata())),
    row("payment_method", Kind::Unsupported),
    Param { added: "2023-10-16", ..row("radar_options", Kind::Unsupported) },
    Param { required: true, ..row("type", Kind::Value(&MADE, |input, value| input.draft.kind = Some(value.text()))) },
    row("us_bank_account", Kind::Value(&US_BANK_ACCOUNT, |input, value| input.draft.account = Some(value))),
];

const fn create_unsettable(name: &'static str, kind: Kind<Create>) -> Param<Create> {
    Param { empty: Empty::Unsets, ..row(name, kind) }
}

/// What an attach asks for.
#[derive(Default)]
pub struct Attach {
    customer: String,
    expand: Vec<String>,
}

/// The parameters of `POST /v1/payment_methods/{payment_method}/attach`.
pub const ATTACH: &[Param<Attach>] = &[
    Param {
        required: true,
        ..row("customer", Kind::Value(&TEXT, |input: &mut Attach, value| input.customer = value.text()))
    },
    Param { added: "2025-09-30", ..row("customer_account", Kind::Unsupported) },
    row("expand", Kind::Value(&EXPAND, |input, value| input.expand = value.texts())),
];

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
                Kind::Value(&ADDRESS, |input, value| {
                    input.change.billing.address = value.patch(address).map(Postal::into)
                }),
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
            row(
                "exp_month",
                Kind::Value(&TEXT, |input, value| input.change.expiry.month = Some(stated_number(&value.text()))),
            ),
            row(
                "exp_year",
                Kind::Value(&TEXT, |input, value| input.change.expiry.year = Some(stated_number(&value.text()))),
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

/// What is stated of a payment method that is to be made.
#[derive(Clone, Default)]
pub struct DraftInput {
    /// Its type.
    pub kind: Option<String>,
    /// A card.
    pub card: Option<Value>,
    /// A bank account.
    pub account: Option<Value>,
    /// Who pays with it.
    pub billing: BillingChange,
    /// Whether it may be offered again.
    pub allow_redisplay: Option<AllowRedisplay>,
    /// Free data.
    pub metadata: MetadataChange,
}

/// A payment method that is to be made.
#[derive(Clone)]
pub struct Draft {
    made: Made,
    billing: BillingChange,
    allow_redisplay: Option<AllowRedisplay>,
    metadata: MetadataChange,
}

impl Draft {
    /// What is stated below a parameter, or beside all others.
    pub fn of(prefix: &str, input: DraftInput) -> Result<Draft, Refusal> {
        let DraftInput { kind, card, account, billing: change, allow_redisplay, metadata } = input;
        let mut stated = BillingDetails::default();
        change.clone().onto(&mut stated);
        let mut made = Made::of(prefix, &kind.unwrap_or_default(), card, account, stated.name.as_deref())?;
        if let Made::Stated { details: Details::Card(card), .. } = &mut made {
            card.states_line1 = stated.address.street.is_some();
            card.states_postal_code = stated.address.postal_code.is_some();
        }
        Ok(Draft { made, billing: change, allow_redisplay, metadata })
    }

    /// What to ask the processor; `verify` when it is to be used from now on.
    pub fn question(&self, read: &mut dyn Read, account: &Account, verify: bool) -> Kept<Option<Question>> {
        match &self.made {
            Made::Token(offer) => offer.question(read, account, verify),
            Made::Stated { details, .. } => Ok(Some(Question { about: Subject::Details(details.clone()), verify })),
        }
    }

    /// The payment method as the processor found it, and the token that is used up by it.
    pub fn method(
        &self,
        tx: &mut dyn Tx,
        ctx: &Ctx<'_>,
        finding: Option<&Finding>,
    ) -> Done<(PaymentMethod, Option<Token>)> {
        let mut billing = BillingDetails::default();
        let (kind, token) = match &self.made {
            Made::Token(offer) => {
                let (card, token) = offers::card_of_token(offer, tx, ctx, finding)?;
                billing = card.billing;
                (PaymentMethodKind::Card(card.facts), token)
            }
            Made::Stated { holder_type, account_type, .. } => {
                let accepted = processor::found(finding)?.instrument()?.cloned().ok_or_else(processor::mixed_up)?;
                (offers::stated_kind(accepted, *holder_type, *account_type), None)
            }
        };
        self.billing.clone().onto(&mut billing);
        let mut method = offers::new_method(ctx, kind, billing);
        method.allow_redisplay = self.allow_redisplay;
        self.metadata.clone().onto(&mut method.metadata)?;
        Ok((method, token))
    }
}

/// What a payment method is made of.
#[derive(Clone)]
enum Made {
    /// A token of a card.
    Token(Offer),
    /// Details that the processor is to take.
    Stated { details: Details, holder_type: Option<HolderType>, account_type: AccountType },
}

impl Made {
    fn of(
        prefix: &str,
        kind: &str,
        card: Option<Value>,
        account: Option<Value>,
        owner: Option<&str>,
    ) -> Result<Made, Refusal> {
        let missing = |name: &str| Refusal::missing_parameter(&inside(prefix, name));
        match (kind, card, account) {
            ("card", Some(card), None) => Made::card(prefix, card),
            ("card", None, None) => Err(missing("card")),
            ("card", _, Some(_)) => Err(Refusal::other_type(&inside(prefix, "us_bank_account"), "card")),
            (_, Some(_), _) => Err(Refusal::other_type(&inside(prefix, "card"), "us_bank_account")),
            (_, None, None) => Err(missing("us_bank_account")),
            (_, None, Some(_)) if owner.is_none() => {
                Err(Refusal::missing_parameter(&inside(&inside(prefix, "billing_details"), "name")))
            }
            (_, None, Some(account)) => Made::account(prefix, account),
        }
    }

    fn card(prefix: &str, mut card: Value) -> Result<Made, Refusal> {
        let named = |name: &str| inside(&inside(prefix, "card"), name);
        let missing = |name: &str| Refusal::missing_parameter(&named(name));
        let token = card.take("token").map(Value::text);
        let (number, cvc) = (card.take("number").map(Value::secret), card.take("cvc").map(Value::secret));
        let [month, year] =
            ["exp_month", "exp_year"].map(|name| card.take(name).map(|value| stated_number(&value.text())));
        match (token, number) {
            (Some(_), Some(_)) => Err(Refusal::exclusive(&[&named("number"), &named("token")])),
            (Some(token), None) => Ok(Made::Token(Offer::token(token, Some(SourceKind::Card)))),
            (None, None) => Err(missing("number")),
            (None, Some(number)) => Ok(Made::Stated {
                details: Details::Card(CardDetails {
                    number,
                    exp_month: month.ok_or_else(|| missing("exp_month"))?,
                    exp_year: year.ok_or_else(|| missing("exp_year"))?,
                    cvc,
                    states_line1: false,
                    states_postal_code: false,
                }),
                holder_type: None,
                account_type: AccountType::Checking,
            }),
        }
    }

    fn account(prefix: &str, mut account: Value) -> Result<Made, Refusal> {
        let missing = |name: &str| Refusal::missing_parameter(&inside(&inside(prefix, "us_bank_account"), name));
        let holder_type = account.take("account_holder_type").and_then(|value| HolderType::named(&value.text()));
        let account_type = account.take("account_type").and_then(|value| AccountType::named(&value.text()));
        Ok(Made::Stated {
            details: Details::BankAccount(BankDetails {
                number: account.take("account_number").map(Value::secret).ok_or_else(|| missing("account_number"))?,
                routing_number: account.take("routing_number").map(Value::text),
                country: "US".to_owned(),
                currency: None,
            }),
            holder_type: Some(holder_type.ok_or_else(|| missing("account_holder_type"))?),
            account_type: account_type.unwrap_or(AccountType::Checking),
        })
    }
}

/// `POST /v1/payment_methods`
pub fn create(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let Create { draft, expand } = params::read(CREATE, &call.given, &call.version)?;
    let expansions = expansions(call, &expand)?;
    let draft = Draft::of("", draft)?;
    let asked = draft.clone();
    let ask = move |call: &Call, read: &mut dyn Read| asked.question(read, &call.account, false);
    let names = Names {
        token: Named::by("card[token]"),
        source: Named::by("card[token]"),
        bank_account: "us_bank_account",
        ..NAMES
    };
    Ok(Plan::asking(names, ask, move |call, tx, ctx, finding| {
        let (method, token) = draft.method(tx, ctx, finding)?;
        let found = payment_methods::create(tx, ctx, method, token.as_ref())?;
        Ok(Answer::of(shown(call, tx, found, &expansions, ctx.now)?))
    }))
}

/// `POST /v1/payment_methods/{payment_method}/attach`
pub fn attach(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let Attach { customer, expand } = params::read(ATTACH, &call.given, &call.version)?;
    let expansions = expansions(call, &expand)?;
    let (id, customer) = (InstrumentId(call.part(0)?), CustomerId(customer));
    let asked = id.clone();
    let ask = move |call: &Call, read: &mut dyn Read| offers::question_about_method(read, &call.account, &asked, true);
    let names = Names { customer: Named::by("customer"), ..NAMES };
    let insists = conditions::insists(&call.headers);
    Ok(Plan::asking(names, ask, move |call, tx, ctx, finding| {
        insists.check(customers::live(tx, ctx.account, &customer)?.version)?;
        let offered = offers::offered_method(tx, ctx, &id, finding)?;
        let found = payment_methods::attach(tx, ctx, &customer, &insists, offered)?;
        Ok(Answer::of(shown(call, tx, found, &expansions, ctx.now)?))
    }))
}

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
        let holder = Shown::holder(read, &call.account, customer, &expansions, call.now)?;
        let wanted = |instrument: &&Instrument| {
            instrument.as_payment_method().is_some_and(|method| {
                let redisplay = method.allow_redisplay.unwrap_or(AllowRedisplay::Unspecified);
                kind.as_deref().is_none_or(|kind| kind == method.kind.as_str())
                    && allow_redisplay.is_none_or(|wanted| wanted == redisplay)
            })
        };
        let mine = holder.customer.payment_methods().filter(wanted).collect();
        let is = |instrument: &&Instrument, id: &str| instrument.id().as_str() == id;
        let page = lists::page_of(mine, &anchor, limit, is, "PaymentMethod").map_err(Halt::from)?;
        Ok(Answer::of(lists::envelope(&page, url(&holder.customer.id), |instrument| {
            expand::payment_method(instrument, Some(&holder), &call.account, &call.version, &expansions)
        })))
    }))
}

/// `GET /v1/payment_methods/{payment_method}`
pub fn retrieve(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let expansions = retrieved(call)?;
    let id = InstrumentId(call.part(0)?);
    Ok(Plan::find(NAMES, move |call, read| {
        let found = payment_methods::read(read, &call.account, &id)?;
        Ok(Answer::of(shown(call, read, found, &expansions, call.now)?))
    }))
}

/// `GET /v1/customers/{customer}/payment_methods/{payment_method}`
pub fn retrieve_of_customer(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let expansions = retrieved(call)?;
    let (customer, id) = (CustomerId(call.part(0)?), InstrumentId(call.part(1)?));
    Ok(Plan::look(NAMES, move |call, read| {
        let found = payment_methods::read_of(read, &call.account, &customer, &id)?;
        Ok(Answer::of(shown(call, read, found, &expansions, call.now)?))
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
    let insists = conditions::insists(&call.headers);
    Ok(Plan::write(NAMES, move |call, tx, ctx| {
        let found = payment_methods::update(tx, ctx, &id, &insists, change.clone())?;
        Ok(Answer::of(shown(call, tx, found, &expansions, ctx.now)?))
    }))
}

/// `POST /v1/payment_methods/{payment_method}/detach`
pub fn detach(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let expansions = retrieved(call)?;
    let id = InstrumentId(call.part(0)?);
    let insists = conditions::insists(&call.headers);
    Ok(Plan::write(NAMES, move |call, tx, ctx| {
        let found = payment_methods::detach(tx, ctx, &id, &insists)?;
        Ok(Answer::of(shown(call, tx, found, &expansions, ctx.now)?))
    }))
}

fn expansions(call: &Call, paths: &[String]) -> Result<Expansions, Refusal> {
    let expansions = Expansions::of_object(paths, expand::PAYMENT_METHOD, &call.version)?;
    require_sight(call, &expansions)?;
    Ok(expansions)
}

fn require_sight(call: &Call, expansions: &Expansions) -> Result<(), Refusal> {
    discounts::require_sight(call, expansions)?;
    if expansions.has("customer") { call.require(Resource::Customer, Access::Read) } else { Ok(()) }
}

fn shown(call: &Call, read: &mut dyn Read, found: Found, expansions: &Expansions, now: Time) -> Kept<Json> {
    let instrument = found.instrument();
    let holder = match found {
        Found::Held { customer, instrument: _ } => {
            Some(Shown::holder(read, &call.account, *customer, expansions, now)?)
        }
        Found::Loose(_) => None,
    };
    Ok(expand::payment_method(&instrument, holder.as_ref(), &call.account, &call.version, expansions))
}

#[cfg(test)]
mod tests {
    use super::{ATTACH, CREATE, LIST, LIST_OF_CUSTOMER, UPDATE};

    #[test]
    fn rows_are_in_the_order_of_their_names() {
        assert!(ATTACH.is_sorted_by_key(|param| param.name));
        assert!(CREATE.is_sorted_by_key(|param| param.name));
        assert!(LIST.is_sorted_by_key(|param| param.name));
        assert!(LIST_OF_CUSTOMER.is_sorted_by_key(|param| param.name));
        assert!(UPDATE.is_sorted_by_key(|param| param.name));
    }
}
