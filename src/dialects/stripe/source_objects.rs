//! Sources of the Sources API: docs.stripe.com/api/sources, and the helpers of tests that end the wait for one.

use std::sync::Arc;

use hyper::header::HOST;

use super::customer_object::{code, free_data, postal};
use super::customers::{ADDRESS, address};
use super::expand::{self, Expansions};
use super::failure::{Named, Names, Refusal};
use super::instruments;
use super::lists::{EXPAND, TEXT, row};
use super::offers::Offer;
use super::params::{self, Empty, Kind, Param, Shape, Value, field, word};
use super::versions::{self, Version};
use super::{Answer, Call, Halt, Plan};
use crate::domain::account::{Account, Mode};
use crate::domain::address::Address;
use crate::domain::card::Fingerprint;
use crate::domain::ids::{CustomerId, InstrumentId};
use crate::domain::instrument::SourceKind;
use crate::domain::metadata::MetadataChange;
use crate::domain::money::Currency;
use crate::domain::payment_method::{AllowRedisplay, BillingChange, BillingDetails};
use crate::domain::source::{
    Flow, NewDetails, NewSource, Outcome, OwnerPart, Receiver, Redirect, RedirectStatus, RefundMethod, Rules, Source,
    SourceChange, SourceDetails, SourceType, Usage,
};
use crate::engine::source_objects::{self, Found};
use crate::http::conditions;
use crate::http::json::{Json, Object};
use crate::store::Read;

const AMOUNT: Shape = Shape::Integer { min: 1, max: i64::MAX };
const TYPE: Shape = Shape::Choice(&[
    word("ach_credit_transfer"),
    word("alipay"),
    word("bancontact"),
    word("card"),
    word("eps"),
    word("giropay"),
    word("ideal"),
    word("multibanco"),
    word("p24"),
    word("sofort"),
    word("wechat"),
]);
const FLOW: Shape = Shape::Choice(&[word("code_verification"), word("none"), word("receiver"), word("redirect")]);
const USAGE: Shape = Shape::Choice(&[word("reusable"), word("single_use")]);
const REFUND_METHOD: Shape = Shape::Choice(&[word("email"), word("manual"), word("none")]);
/// Who pays with it. Parts that are sent empty are emptied.
pub const OWNER: Shape = Shape::Record(&[
    field("address", &ADDRESS),
    field("email", &Shape::Email(512)),
    field("name", &TEXT),
    field("phone", &TEXT),
]);
// The languages, countries and banks of docs.stripe.com/sources/bancontact, …/sofort and …/ideal.
const BANCONTACT_LANGUAGE: Shape = Shape::Choice(&[word("de"), word("en"), word("fr"), word("nl")]);
const SOFORT_LANGUAGE: Shape =
    Shape::Choice(&[word("de"), word("en"), word("es"), word("fr"), word("it"), word("nl"), word("pl")]);
const SOFORT_COUNTRY: Shape = Shape::Choice(&[word("AT"), word("BE"), word("DE"), word("ES"), word("IT"), word("NL")]);
const IDEAL_BANK: Shape = Shape::Choice(&[
    word("abn_amro"),
    word("asn_bank"),
    word("bunq"),
    word("handelsbanken"),
    word("ing"),
    word("knab"),
    word("moneyou"),
    word("rabobank"),
    word("regiobank"),
    word("revolut"),
    word("sns_bank"),
    word("triodos_bank"),
    word("van_lanschot"),
]);

/// What a create asks for.
#[derive(Default)]
pub struct Create {
    amount: Option<i64>,
    bank: Option<String>,
    bancontact_language: Option<String>,
    currency: Option<Currency>,
    flow: Option<String>,
    owner: BillingChange,
    refund_method: Option<RefundMethod>,
    return_url: Option<String>,
    sofort_country: Option<String>,
    sofort_language: Option<String>,
    statement_descriptor: Option<String>,
    token: Option<Offer>,
    kind: Option<SourceType>,
    usage: Option<Usage>,
    metadata: MetadataChange,
    expand: Vec<String>,
}

const fn unsupported<C>(name: &'static str) -> Param<C> {
    row(name, Kind::Unsupported)
}

/// The parameters of `POST /v1/sources`. What belongs to one type has that type's name.
pub const CREATE: &[Param<Create>] = &[
    row("amount", Kind::Value(&AMOUNT, |input, value| input.amount = Some(value.integer()))),
    row(
        "bancontact",
        Kind::Group(&[row(
            "preferred_language",
            Kind::Value(&BANCONTACT_LANGUAGE, |input, value| input.bancontact_language = Some(value.text())),
        )]),
    ),
    unsupported("card"),
    row("currency", Kind::Value(&Shape::Currency, |input, value| input.currency = Some(value.currency()))),
    unsupported("customer"),
    row("expand", Kind::Value(&EXPAND, |input, value| input.expand = value.texts())),
    row("flow", Kind::Value(&FLOW, |input, value| input.flow = Some(value.text()))),
    row("ideal", Kind::Group(&[row("bank", Kind::Value(&IDEAL_BANK, |input, value| input.bank = Some(value.text())))])),
    unsupported("mandate"),
    row("metadata", Kind::Value(&Shape::Metadata, |input, value| input.metadata = value.metadata())),
    unsupported("original_source"),
    row("owner", Kind::Value(&OWNER, |input, value| input.owner = owner_change(value))),
    row(
        "receiver",
        Kind::Group(&[row(
            "refund_attributes_method",
            Kind::Value(&REFUND_METHOD, |input, value| input.refund_method = RefundMethod::named(&value.text())),
        )]),
    ),
    row(
        "redirect",
        Kind::Group(&[Param {
            required: true,
            ..row("return_url", Kind::Value(&TEXT, |input, value| input.return_url = Some(value.text())))
        }]),
    ),
    unsupported("sepa_debit"),
    row(
        "sofort",
        Kind::Group(&[
            row("country", Kind::Value(&SOFORT_COUNTRY, |input, value| input.sofort_country = Some(value.text()))),
            row(
                "preferred_language",
                Kind::Value(&SOFORT_LANGUAGE, |input, value| input.sofort_language = Some(value.text())),
            ),
        ]),
    ),
    unsupported("source_order"),
    row("statement_descriptor", Kind::Value(&TEXT, |input, value| input.statement_descriptor = Some(value.text()))),
    row(
        "token",
        Kind::Value(&Shape::Id(5000, "token"), |input, value| {
            input.token = Some(Offer::token(value.text(), Some(SourceKind::Card)))
        }),
    ),
    Param {
        required: true,
        ..row("type", Kind::Value(&TYPE, |input, value| input.kind = SourceType::named(&value.text())))
    },
    row("usage", Kind::Value(&USAGE, |input, value| input.usage = Usage::named(&value.text()))),
];

/// What a retrieve asks for.
#[derive(Default)]
pub struct Retrieve {
    client_secret: Option<String>,
    expand: Vec<String>,
}

/// The parameters of `GET /v1/sources/{source}`.
pub const RETRIEVE: &[Param<Retrieve>] = &[
    row("client_secret", Kind::Value(&TEXT, |input, value| input.client_secret = Some(value.text()))),
    row("expand", Kind::Value(&EXPAND, |input, value| input.expand = value.texts())),
];

/// What an update asks for.
#[derive(Clone, Default)]
pub struct Update {
    change: SourceChange,
    expand: Vec<String>,
}

/// The parameters of `POST /v1/sources/{source}`.
pub const UPDATE: &[Param<Update>] = &[
    row("amount", Kind::Value(&AMOUNT, |input, value| input.change.amount = Some(value.integer()))),
    row("expand", Kind::Value(&EXPAND, |input, value| input.expand = value.texts())),
    unsupported("mandate"),
    Param {
        empty: Empty::Unsets,
        ..row("metadata", Kind::Value(&Shape::Metadata, |input, value| input.change.metadata = value.metadata()))
    },
    row("owner", Kind::Value(&OWNER, |input, value| input.change.owner = owner_change(value))),
    unsupported("source_order"),
];

/// What the helpers of tests ask for.
#[derive(Default)]
pub struct Settle {
    amount: Option<i64>,
    expand: Vec<String>,
}

const SETTLE_EXPAND: Param<Settle> =
    row("expand", Kind::Value(&EXPAND, |input: &mut Settle, value| input.expand = value.texts()));

/// The parameters of `POST /v1/test_helpers/sources/{source}/authorize`.
pub const AUTHORIZE: &[Param<Settle>] =
    &[row("amount", Kind::Value(&AMOUNT, |input, value| input.amount = Some(value.integer()))), SETTLE_EXPAND];

/// The parameters of the other helpers: `…/cancel` and `…/fail`.
pub const SETTLE: &[Param<Settle>] = &[SETTLE_EXPAND];

/// How the operations on one source name it.
const NAMES: Names = Names { source: Named::by_path("source"), ..Names::BY_PATH };

/// The change of an owner in a value of that shape.
pub fn owner_change(mut value: Value) -> BillingChange {
    BillingChange {
        address: value.take_patch("address").map(|value| address(value).into()),
        email: value.take_patch("email").map(Value::text),
        name: value.take_patch("name").map(Value::text),
        phone: value.take_patch("phone").map(Value::text),
    }
}

/// `POST /v1/sources`
pub fn create(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let input: Create = params::read(CREATE, &call.given, &call.version)?;
    check_expand(call, &input.expand)?;
    let (wish, offer) = wish(call, input)?;
    let asked = offer.clone();
    let ask = move |call: &Call, read: &mut dyn Read| match &asked {
        // Its issuer is asked when a customer is to hold it.
        Some(offer) => offer.question(read, &call.account, false),
        None => Ok(None),
    };
    let names = Names { source: Named::by("token"), token: Named::by("token"), ..NAMES };
    Ok(Plan::asking(names, ask, move |call, tx, ctx, finding| {
        let brought = match &offer {
            Some(offer) => Some(offer.brought(tx, ctx, finding)?),
            None => None,
        };
        let found = source_objects::create(tx, ctx, wish.clone(), brought.as_ref())?;
        Ok(Answer::of(shown(call, &found)))
    }))
}

/// `GET /v1/sources/{source}`
pub fn retrieve(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let Retrieve { client_secret, expand } = params::read(RETRIEVE, &call.given, &call.version)?;
    check_expand(call, &expand)?;
    if call.by_browser() && client_secret.is_none() {
        return Err(Refusal::missing_parameter("client_secret"));
    }
    let id = InstrumentId(call.part(0)?);
    Ok(Plan::find(NAMES, move |call, read| {
        let found = source_objects::read(read, &call.account, &id)?;
        if client_secret.as_ref().is_some_and(|secret| *secret != found.source().client_secret) {
            return Err(Halt::from(Refusal::other_client_secret()));
        }
        Ok(Answer::of(shown(call, &found)))
    }))
}

/// `POST /v1/sources/{source}`
pub fn update(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let Update { change, expand } = params::read(UPDATE, &call.given, &call.version)?;
    check_expand(call, &expand)?;
    let id = InstrumentId(call.part(0)?);
    let insists = conditions::insists(&call.headers);
    Ok(Plan::write(NAMES, move |call, tx, ctx| {
        let found = source_objects::update(tx, ctx, &id, &insists, change.clone())?;
        Ok(Answer::of(shown(call, &found)))
    }))
}

/// `POST /v1/test_helpers/sources/{source}/authorize`: its owner agrees, or pays.
pub fn authorize(call: &Arc<Call>) -> Result<Plan, Refusal> {
    settle(call, AUTHORIZE, Outcome::Chargeable)
}

/// `POST /v1/test_helpers/sources/{source}/fail`: its owner does not agree.
pub fn fail(call: &Arc<Call>) -> Result<Plan, Refusal> {
    settle(call, SETTLE, Outcome::Failed)
}

/// `POST /v1/test_helpers/sources/{source}/cancel`: nobody charged it in time.
pub fn cancel(call: &Arc<Call>) -> Result<Plan, Refusal> {
    settle(call, SETTLE, Outcome::Canceled)
}

fn settle(call: &Arc<Call>, table: &'static [Param<Settle>], outcome: Outcome) -> Result<Plan, Refusal> {
    if call.account.mode == Mode::Live {
        return Err(Refusal::test_mode_only());
    }
    let Settle { amount, expand } = params::read(table, &call.given, &call.version)?;
    check_expand(call, &expand)?;
    let id = InstrumentId(call.part(0)?);
    Ok(Plan::write(NAMES, move |call, tx, ctx| {
        let found = source_objects::settle(tx, ctx, &id, outcome, amount)?;
        Ok(Answer::of(shown(call, &found)))
    }))
}

/// Refuses what cannot be expanded; all that can is inline already.
fn check_expand(call: &Call, paths: &[String]) -> Result<(), Refusal> {
    Expansions::of_object(paths, expand::SOURCE_OBJECT, &call.version).map(|_| ())
}

/// The wish, held against the rules of its type, and the token that it takes.
fn wish(call: &Call, input: Create) -> Result<(NewSource, Option<Offer>), Refusal> {
    let Create {
        amount,
        bank,
        bancontact_language,
        currency,
        flow,
        owner,
        refund_method,
        return_url,
        sofort_country,
        sofort_language,
        statement_descriptor,
        token,
        kind,
        usage,
        metadata,
        expand: _,
    } = input;
    let kind = kind.ok_or_else(|| Refusal::missing_parameter("type"))?;
    let rules = kind.rules();
    if call.account.mode == Mode::Live && rules.waits {
        return Err(Refusal::source_needs_bank(kind));
    }
    for (param, of) in [
        ("bancontact", kind == SourceType::Bancontact),
        ("ideal", kind == SourceType::Ideal),
        ("receiver", rules.flow == Flow::Receiver),
        ("redirect", rules.returns),
        ("sofort", kind == SourceType::Sofort),
        ("token", kind == SourceType::Card),
    ] {
        if !of && call.given.get(param).is_some() {
            return Err(Refusal::not_of_source(kind, param));
        }
    }
    if kind == SourceType::Card && token.is_none() {
        return Err(Refusal::missing_parameter("token"));
    }
    let mut stated = BillingDetails::default();
    owner.clone().onto(&mut stated);
    let known = match rules.owner {
        Some(OwnerPart::Email) if stated.email.is_none() => Err("owner[email]"),
        Some(OwnerPart::Name) if stated.name.is_none() => Err("owner[name]"),
        Some(OwnerPart::Email | OwnerPart::Name) | None => Ok(()),
    };
    known.map_err(Refusal::missing_parameter)?;
    let redirect = match return_url {
        None if rules.returns => return Err(Refusal::missing_parameter("redirect[return_url]")),
        Some(url) if !params::is_url(&url) => return Err(Refusal::url("redirect[return_url]")),
        url => url.map(|url| (url, origin(call))),
    };
    let usage = settled_usage(rules, usage)?;
    if let Some(flow) = flow.filter(|flow| flow != rules.flow.as_str()) {
        return Err(Refusal::source_is_not(rules, "flow", &flow, &[rules.flow.as_str()]));
    }
    let wish = NewSource {
        usage,
        amount: settled_amount(rules, usage, amount)?,
        currency: settled_currency(rules, usage, currency)?,
        kind: match kind {
            SourceType::AchCreditTransfer => NewDetails::AchCreditTransfer,
            SourceType::Alipay => NewDetails::Known(SourceDetails::Alipay),
            SourceType::Bancontact => {
                NewDetails::Known(SourceDetails::Bancontact { preferred_language: bancontact_language })
            }
            SourceType::Card => NewDetails::Card,
            SourceType::Eps => NewDetails::Known(SourceDetails::Eps),
            SourceType::Giropay => NewDetails::Known(SourceDetails::Giropay),
            SourceType::Ideal => NewDetails::Known(SourceDetails::Ideal { bank }),
            SourceType::Multibanco => NewDetails::Multibanco,
            SourceType::P24 => NewDetails::Known(SourceDetails::P24),
            SourceType::Sofort => NewDetails::Known(SourceDetails::Sofort {
                country: sofort_country.ok_or_else(|| Refusal::missing_parameter("sofort[country]"))?,
                preferred_language: sofort_language,
            }),
            SourceType::Wechat => NewDetails::Known(SourceDetails::Wechat),
        },
        owner,
        statement_descriptor,
        redirect,
        refund_method: refund_method.unwrap_or(RefundMethod::Email),
        metadata,
    };
    Ok((wish, token))
}

fn settled_usage(rules: &Rules, given: Option<Usage>) -> Result<Usage, Refusal> {
    let usage = given.unwrap_or(rules.usages[0]);
    if rules.usages.contains(&usage) {
        return Ok(usage);
    }
    let known: Vec<&str> = rules.usages.iter().map(|usage| usage.as_str()).collect();
    Err(Refusal::source_is_not(rules, "usage", usage.as_str(), &known))
}

/// What is charged once needs an amount: docs.stripe.com/api/sources/create.
fn settled_amount(rules: &Rules, usage: Usage, given: Option<i64>) -> Result<Option<i64>, Refusal> {
    match (given, usage) {
        (Some(_), _) if !rules.takes_amount => Err(Refusal::source_without_amount(rules.kind)),
        (None, Usage::SingleUse) => Err(Refusal::missing_parameter("amount")),
        (given, Usage::SingleUse | Usage::Reusable) => Ok(given),
    }
}

/// Where every currency will do, it need not be said before it is charged.
fn settled_currency(rules: &Rules, usage: Usage, given: Option<Currency>) -> Result<Option<Currency>, Refusal> {
    match given {
        Some(currency) if rules.currencies.is_empty() || rules.currencies.contains(&currency.as_str()) => Ok(given),
        Some(currency) => Err(Refusal::source_currency(rules, currency)),
        None if rules.currencies.is_empty() && usage == Usage::Reusable => Ok(None),
        None => Err(Refusal::missing_parameter("currency")),
    }
}

/// Where the caller found this server, by its own words; empty when it did not say.
fn origin(call: &Call) -> String {
    let host = call.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let letter = |letter: char| letter.is_ascii_alphanumeric() || ".-:[]".contains(letter);
    let plain = !host.is_empty() && host.len() <= MAX_HOST && host.chars().all(letter);
    if plain { format!("http://{host}") } else { String::new() }
}

/// The most characters of a host's name and port.
const MAX_HOST: usize = 260;

fn shown(call: &Call, found: &Found) -> Json {
    object(found.source(), found.customer(), &call.account, &call.version).into()
}

/// The source, as the version has it. `customer` is who holds it, or did.
pub fn object(source: &Source, customer: Option<&CustomerId>, account: &Account, version: &Version) -> Object {
    let Source {
        id,
        created,
        details,
        status,
        usage,
        amount,
        currency,
        client_secret,
        owner,
        statement_descriptor,
        redirect,
        receiver,
        allow_redisplay,
        metadata,
    } = source;
    let BillingDetails { address, email, name, phone } = owner;
    let owner = Object::new()
        .and("address", (*address != Address::default()).then(|| postal(address)))
        .and("email", email.as_ref())
        .and("name", name.as_ref())
        .and("phone", phone.as_ref())
        // Nobody here could verify them.
        .and("verified_address", Json::Null)
        .and("verified_email", Json::Null)
        .and("verified_name", Json::Null)
        .and("verified_phone", Json::Null);
    let kind = details.kind().as_str();
    let mut object = Object::new()
        .and("id", id.as_str().to_owned())
        .and("object", "source")
        .and("allow_redisplay", allow_redisplay.map(AllowRedisplay::as_str))
        .and("amount", *amount)
        .and("client_secret", client_secret)
        .and("created", created.seconds())
        .and("currency", currency.as_ref().map(code))
        .and("flow", source.flow().as_str())
        .and("livemode", account.mode == Mode::Live)
        .and("metadata", free_data(metadata))
        .and("owner", owner)
        .and("statement_descriptor", statement_descriptor.as_ref())
        .and("status", status.as_str())
        .and("type", kind)
        .and("usage", usage.as_str())
        .and(kind, of_type(details, name.as_ref(), statement_descriptor.as_ref()));
    // These are there only where they say something: docs.stripe.com/api/sources/object.
    if let Some(customer) = customer {
        object.add("customer", customer.as_str().to_owned());
    }
    if let Some(receiver) = receiver {
        object.add("receiver", received(details, *receiver));
    }
    if let Some(redirect) = redirect {
        object.add("redirect", redirected(id, redirect));
    }
    versions::down(&mut object, versions::SOURCE, &(), version);
    object.sort_from(2);
    object
}

/// A bank that does not exist, for test mode: its name is that of Stripe's own test bank.
const BANK: &str = "TEST BANK";
const ROUTING_NUMBER: &str = "110000000";
const SWIFT_CODE: &str = "TSTEZ122";

fn of_type(details: &SourceDetails, name: Option<&String>, statement_descriptor: Option<&String>) -> Object {
    let bank = || Object::new().and("bank_code", Json::Null).and("bank_name", Json::Null).and("bic", Json::Null);
    match details {
        SourceDetails::AchCreditTransfer { account_number, fingerprint: Fingerprint(fingerprint) } => Object::new()
            .and("account_number", account_number)
            .and("bank_name", BANK)
            .and("fingerprint", fingerprint)
            .and("refund_account_holder_name", Json::Null)
            .and("refund_account_holder_type", Json::Null)
            .and("refund_routing_number", Json::Null)
            .and("routing_number", ROUTING_NUMBER)
            .and("swift_code", SWIFT_CODE),
        SourceDetails::Alipay => Object::new()
            .and("data_string", Json::Null)
            .and("native_url", Json::Null)
            .and("statement_descriptor", statement_descriptor),
        SourceDetails::Bancontact { preferred_language } => bank()
            .and("iban_last4", Json::Null)
            .and("preferred_language", preferred_language.as_ref())
            .and("statement_descriptor", statement_descriptor),
        SourceDetails::Card(facts) => instruments::card_of_source(facts, name),
        SourceDetails::Eps => {
            Object::new().and("reference", Json::Null).and("statement_descriptor", statement_descriptor)
        }
        SourceDetails::Giropay => bank().and("statement_descriptor", statement_descriptor),
        SourceDetails::Ideal { bank } => Object::new()
            .and("bank", bank.as_ref())
            .and("bic", Json::Null)
            .and("iban_last4", Json::Null)
            .and("statement_descriptor", statement_descriptor),
        SourceDetails::Multibanco { entity, reference } => Object::new()
            .and("entity", entity)
            .and("reference", reference)
            .and("refund_account_holder_address_city", Json::Null)
            .and("refund_account_holder_address_country", Json::Null)
            .and("refund_account_holder_address_line1", Json::Null)
            .and("refund_account_holder_address_line2", Json::Null)
            .and("refund_account_holder_address_postal_code", Json::Null)
            .and("refund_account_holder_address_state", Json::Null)
            .and("refund_account_holder_name", Json::Null)
            .and("refund_iban", Json::Null),
        SourceDetails::P24 => Object::new().and("reference", Json::Null),
        SourceDetails::Sofort { country, preferred_language } => bank()
            .and("country", country)
            .and("iban_last4", Json::Null)
            .and("preferred_language", preferred_language.as_ref())
            .and("statement_descriptor", statement_descriptor),
        SourceDetails::Wechat => {
            let object = Object::new().and("qr_code_url", Json::Null);
            match statement_descriptor {
                Some(text) => object.and("statement_descriptor", text),
                None => object,
            }
        }
    }
}

fn received(details: &SourceDetails, receiver: Receiver) -> Object {
    let Receiver { refund_method, received } = receiver;
    let address = match details {
        SourceDetails::AchCreditTransfer { account_number, .. } => Some(format!("{ROUTING_NUMBER}-{account_number}")),
        SourceDetails::Multibanco { entity, reference } => Some(format!("{entity}-{reference}")),
        SourceDetails::Alipay
        | SourceDetails::Bancontact { .. }
        | SourceDetails::Card(_)
        | SourceDetails::Eps
        | SourceDetails::Giropay
        | SourceDetails::Ideal { .. }
        | SourceDetails::P24
        | SourceDetails::Sofort { .. }
        | SourceDetails::Wechat => None,
    };
    Object::new()
        .and("address", address)
        // Nothing can be charged or paid back here yet.
        .and("amount_charged", 0)
        .and("amount_received", received)
        .and("amount_returned", 0)
        .and("refund_attributes_method", refund_method.as_str())
        .and("refund_attributes_status", "missing")
}

fn redirected(id: &InstrumentId, redirect: &Redirect) -> Object {
    let Redirect { return_url, origin, status } = redirect;
    let reason = match status {
        RedirectStatus::Failed => Some("declined"),
        RedirectStatus::Pending | RedirectStatus::Succeeded => None,
    };
    Object::new()
        .and("failure_reason", reason)
        .and("return_url", return_url)
        .and("status", status.as_str())
        // There is no page for people: a POST with the account's key agrees.
        .and("url", format!("{origin}/v1/test_helpers/sources/{id}/authorize"))
}

#[cfg(test)]
mod tests {
    use super::{AUTHORIZE, CREATE, RETRIEVE, TYPE, UPDATE};
    use crate::dialects::stripe::params::Shape;
    use crate::dialects::stripe::params::is_url;
    use crate::domain::source::SourceType;

    #[test]
    fn rows_are_in_the_order_of_their_names() {
        assert!(CREATE.is_sorted_by_key(|param| param.name));
        assert!(RETRIEVE.is_sorted_by_key(|param| param.name));
        assert!(UPDATE.is_sorted_by_key(|param| param.name));
        assert!(AUTHORIZE.is_sorted_by_key(|param| param.name));
    }

    #[test]
    fn every_type_can_be_asked_for() {
        let Shape::Choice(words) = TYPE else { panic!("a type is a choice") };
        assert!(words.iter().map(|word| word.word).eq(SourceType::ALL.iter().map(|kind| kind.as_str())));
    }

    #[test]
    fn a_url_has_a_scheme() {
        for good in ["https://shop.example.com/back", "http://localhost:5000/callback", "my-app://done"] {
            assert!(is_url(good), "{good}");
        }
        for bad in ["", "shop.example.com", "https://", "://x", "1a://x", "https://a b", "/back"] {
            assert!(!is_url(bad), "{bad}");
        }
    }
}
