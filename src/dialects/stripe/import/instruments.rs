//! What customers pay with, as objects of a file: payment methods, and the cards and bank accounts of the older API. Their
//! numbers are not known, so that a documented test number stands in for each.

use super::super::customers::{ADDRESS, address};
use super::super::lists::{TEXT, row};
use super::super::params::{Field, Kind, Param, Shape, Value, field, word};
use super::super::payment_methods::{ALLOW_REDISPLAY, MADE};
use super::super::tokens::{ACCOUNT_TYPE, HOLDER_TYPE};
use super::fields::{Fault, Fields, Readable};
use super::offers::reference;
use crate::domain::bank_account::{AccountType, BankAccount, BankFacts, BankStatus, HolderType};
use crate::domain::card::{Brand, Card, CardFacts, Check, Checks, Fingerprint, Funding};
use crate::domain::ids::InstrumentId;
use crate::domain::instrument::Instrument;
use crate::domain::metadata::{Metadata, MetadataChange};
use crate::domain::money::Currency;
use crate::domain::patch::Patch;
use crate::domain::payment_method::{AllowRedisplay, BillingDetails, PaymentMethod, PaymentMethodKind};
use crate::domain::time::Time;
use crate::processor::stand_in;

const LAST4: Shape = Shape::Text(4);
const MONTH: Shape = Shape::Integer { min: 1, max: 12 };
const YEAR: Shape = Shape::Integer { min: 1970, max: 9999 };
const FUNDING: Shape = Shape::Choice(&[word("credit"), word("debit"), word("prepaid"), word("unknown")]);
const CHECK: Shape = Shape::Choice(&[word("pass"), word("fail"), word("unavailable"), word("unchecked")]);
const BRAND: Shape = Shape::Choice(&[
    word("amex"),
    word("diners"),
    word("discover"),
    word("jcb"),
    word("mastercard"),
    word("unionpay"),
    word("visa"),
    word("unknown"),
]);
/// The older API's words for the same.
const BRANDS: [(&str, Brand); 9] = [
    ("American Express", Brand::Amex),
    ("Diners Club", Brand::Diners),
    ("Discover", Brand::Discover),
    ("JCB", Brand::Jcb),
    ("MasterCard", Brand::Mastercard),
    ("Mastercard", Brand::Mastercard),
    ("UnionPay", Brand::UnionPay),
    ("Visa", Brand::Visa),
    ("Unknown", Brand::Unknown),
];
const STATUS: Shape =
    Shape::Choice(&[word("new"), word("validated"), word("verified"), word("verification_failed"), word("errored")]);

const fn required(field: Field) -> Field {
    Field { required: true, ..field }
}

const CARD_SHOWN: Shape = Shape::Record(&[
    required(field("brand", &BRAND)),
    field(
        "checks",
        &Shape::Record(&[
            field("address_line1_check", &CHECK),
            field("address_postal_code_check", &CHECK),
            field("cvc_check", &CHECK),
        ]),
    ),
    field("country", &Shape::Country(2)),
    required(field("exp_month", &MONTH)),
    required(field("exp_year", &YEAR)),
    field("fingerprint", &TEXT),
    field("funding", &FUNDING),
    required(field("last4", &LAST4)),
]);
/// Of a card, what follows from the rest or says nothing that is kept.
const CARD_DERIVED: [&str; 5] =
    ["display_brand", "networks", "regulated_status", "three_d_secure_usage", "description"];
const ACCOUNT_SHOWN: Shape = Shape::Record(&[
    field("account_holder_type", &HOLDER_TYPE),
    field("account_type", &ACCOUNT_TYPE),
    field("bank_name", &TEXT),
    field("fingerprint", &TEXT),
    required(field("last4", &LAST4)),
    field("routing_number", &TEXT),
]);
const ACCOUNT_DERIVED: [&str; 1] = ["networks"];

#[derive(Default)]
struct MethodInput {
    kind: String,
    allow_redisplay: Option<AllowRedisplay>,
    billing: BillingDetails,
    card: Option<Value>,
    account: Option<Value>,
    metadata: MetadataChange,
}

const METHOD: &[Param<MethodInput>] = &[
    row(
        "allow_redisplay",
        Kind::Value(&ALLOW_REDISPLAY, |input, value| input.allow_redisplay = AllowRedisplay::named(&value.text())),
    ),
    row(
        "billing_details",
        Kind::Group(&[
            row("address", Kind::Value(&ADDRESS, |input, value| input.billing.address = address(value).into())),
            row("email", Kind::Value(&Shape::Email(512), |input, value| input.billing.email = set(value))),
            row("name", Kind::Value(&TEXT, |input, value| input.billing.name = set(value))),
            row("phone", Kind::Value(&TEXT, |input, value| input.billing.phone = set(value))),
            row("tax_id", Kind::Unsupported),
        ]),
    ),
    row("card", Kind::Value(&CARD_SHOWN, |input, value| input.card = Some(value))),
    row("metadata", Kind::Value(&Shape::Metadata, |input, value| input.metadata = value.metadata())),
    Param { required: true, ..row("type", Kind::Value(&MADE, |input, value| input.kind = value.text())) },
    row("us_bank_account", Kind::Value(&ACCOUNT_SHOWN, |input, value| input.account = Some(value))),
];

/// What an older object says of a card or a bank account.
#[derive(Default)]
struct Shown {
    billing: BillingDetails,
    facts: Vec<(&'static str, Value)>,
    metadata: MetadataChange,
    status: Option<BankStatus>,
    currency: Option<Currency>,
}

/// A row whose value is kept under its name.
macro_rules! kept {
    ($name:literal, $shape:expr) => {
        row($name, Kind::Value($shape, |input, value| input.facts.push(($name, value))))
    };
}

macro_rules! of_address {
    ($name:literal, $part:ident) => {
        row($name, Kind::Value(&TEXT, |input, value| input.billing.address.$part = set(value)))
    };
}

const CARD: &[Param<Shown>] = &[
    of_address!("address_city", city),
    of_address!("address_country", country),
    of_address!("address_line1", street),
    kept!("address_line1_check", &CHECK),
    of_address!("address_line2", second_line),
    of_address!("address_state", region),
    of_address!("address_zip", postal_code),
    kept!("address_zip_check", &CHECK),
    kept!("country", &Shape::Country(2)),
    kept!("cvc_check", &CHECK),
    Param { required: true, ..kept!("exp_month", &MONTH) },
    Param { required: true, ..kept!("exp_year", &YEAR) },
    kept!("fingerprint", &TEXT),
    kept!("funding", &FUNDING),
    Param { required: true, ..kept!("last4", &LAST4) },
    row("metadata", Kind::Value(&Shape::Metadata, |input, value| input.metadata = value.metadata())),
    row("name", Kind::Value(&TEXT, |input, value| input.billing.name = set(value))),
];

const BANK_ACCOUNT: &[Param<Shown>] = &[
    kept!("account_holder_name", &TEXT),
    kept!("account_holder_type", &HOLDER_TYPE),
    kept!("account_type", &ACCOUNT_TYPE),
    kept!("bank_name", &TEXT),
    kept!("country", &Shape::Country(2)),
    row("currency", Kind::Value(&Shape::Currency, |input, value| input.currency = Some(value.currency()))),
    kept!("fingerprint", &TEXT),
    Param { required: true, ..kept!("last4", &LAST4) },
    row("metadata", Kind::Value(&Shape::Metadata, |input, value| input.metadata = value.metadata())),
    kept!("routing_number", &TEXT),
    row("status", Kind::Value(&STATUS, |input, value| input.status = BankStatus::named(&value.text()))),
];

fn set(value: Value) -> Option<String> {
    match value.patch(Value::text) {
        Patch::Set(text) => Some(text),
        Patch::Keep | Patch::Clear => None,
    }
}

/// A payment method, and the customer that it says it is of.
pub fn payment_method(mut fields: Fields, now: Time) -> Readable<(PaymentMethod, Option<String>)> {
    let id = InstrumentId(fields.own_id()?);
    fields.only("object", "payment_method")?;
    fields.off(&["livemode"])?;
    fields.null(&["customer_account"])?;
    fields.derived(&["radar_options"]);
    let created = fields.created(now)?;
    let customer = reference(&mut fields, "customer")?;
    for (name, none, derived) in [
        ("card", &["generated_from", "wallet"][..], &CARD_DERIVED[..]),
        ("us_bank_account", &["financial_connections_account", "status_details"], &ACCOUNT_DERIVED),
    ] {
        if let Some(mut inner) = fields.inner(name)? {
            inner.null(none)?;
            inner.derived(derived);
            fields.put(name, inner);
        }
    }
    let missing = |name: &str| fields.fault(name, "it is missing");
    let (no_card, no_account) = (missing("card"), missing("us_bank_account"));
    let MethodInput { kind, allow_redisplay, billing, card, account, metadata } = fields.read(METHOD)?;
    let kind = match (kind.as_str(), card, account) {
        ("card", Some(card), None) => PaymentMethodKind::Card(card_shown(card)),
        ("card", None, _) => return Err(no_card),
        ("card", _, Some(_)) => return Err(Fault::new("us_bank_account", "its type is card")),
        (_, None, Some(account)) => account_shown(account),
        (_, Some(_), _) => return Err(Fault::new("card", "its type is us_bank_account")),
        (_, None, None) => return Err(no_account),
    };
    let metadata = free_data(metadata)?;
    Ok((PaymentMethod { id, created, kind, billing, allow_redisplay, metadata }, customer))
}

/// A card of the older API, and the customer that it says it is of.
pub fn card(mut fields: Fields, now: Time) -> Readable<(Instrument, Option<String>)> {
    let id = InstrumentId(fields.own_id()?);
    fields.only("object", "card")?;
    fields.off(&["livemode"])?;
    fields.null(&["account", "currency", "iin", "issuer", "tokenization_method", "dynamic_last4", "wallet"])?;
    fields.derived(&["available_payout_methods", "default_for_currency"]);
    fields.derived(&CARD_DERIVED);
    let created = fields.created(now)?;
    let customer = reference(&mut fields, "customer")?;
    let brand = fields.text("brand")?.ok_or_else(|| fields.fault("brand", "it is missing"))?;
    let known = BRANDS.iter().find(|(word, _)| *word == brand).map(|(_, brand)| *brand);
    let brand = known.ok_or_else(|| fields.fault("brand", format!("there is no brand {brand}")))?;
    let Shown { billing, facts, metadata, status: _, currency: _ } = fields.read(CARD)?;
    let mut facts = Value::Record(facts);
    let check = |facts: &mut Value, name| facts.take(name).and_then(|value| Check::named(&value.text()));
    let checks = Checks {
        cvc: check(&mut facts, "cvc_check"),
        line1: check(&mut facts, "address_line1_check"),
        postal_code: check(&mut facts, "address_zip_check"),
    };
    let facts = card_facts(brand, checks, facts);
    let metadata = free_data(metadata)?;
    Ok((Card { id, created, facts, billing, allow_redisplay: None, metadata }.into(), customer))
}

/// A bank account of the older API, and the customer that it says it is of.
pub fn bank_account(mut fields: Fields, now: Time) -> Readable<(Instrument, Option<String>)> {
    let id = InstrumentId(fields.own_id()?);
    fields.only("object", "bank_account")?;
    fields.off(&["livemode"])?;
    fields.null(&["account", "future_requirements", "requirements"])?;
    fields.derived(&["available_payout_methods", "default_for_currency"]);
    let created = fields.created(now)?;
    let customer = reference(&mut fields, "customer")?;
    let Shown { facts, metadata, status, currency, billing: _ } = fields.read(BANK_ACCOUNT)?;
    let mut shown = Value::Record(facts);
    let holder_name = shown.take("account_holder_name").map(Value::text);
    let holder_type = shown.take("account_holder_type").and_then(|value| HolderType::named(&value.text()));
    let account_type = shown.take("account_type").and_then(|value| AccountType::named(&value.text()));
    let account = BankAccount {
        id,
        created,
        facts: bank_facts(shown, currency),
        holder_name,
        holder_type,
        account_type,
        status: status.unwrap_or(BankStatus::New),
        failed_verifications: 0,
        metadata: free_data(metadata)?,
    };
    Ok((account.into(), customer))
}

fn card_shown(mut shown: Value) -> CardFacts {
    let brand = shown.take("brand").and_then(|value| Brand::named(&value.text())).unwrap_or(Brand::Unknown);
    let mut stated = shown.take("checks").unwrap_or(Value::Record(Vec::new()));
    let mut check = |name| stated.take(name).and_then(|value| Check::named(&value.text()));
    let checks = Checks {
        cvc: check("cvc_check"),
        line1: check("address_line1_check"),
        postal_code: check("address_postal_code_check"),
    };
    card_facts(brand, checks, shown)
}

fn card_facts(brand: Brand, checks: Checks, mut shown: Value) -> CardFacts {
    let mut text = |name| shown.take(name).map(Value::text);
    let last4 = text("last4").unwrap_or_default();
    let funding = text("funding").and_then(|word| Funding::named(&word)).unwrap_or(Funding::Credit);
    let (country, fingerprint) = (text("country"), text("fingerprint"));
    let mut number = |name| shown.take(name).map(Value::integer).unwrap_or_default();
    let (month, year) = (number("exp_month"), number("exp_year"));
    CardFacts {
        brand,
        // The shapes of the table bound both.
        exp_month: u8::try_from(month).unwrap_or_default(),
        exp_year: u16::try_from(year).unwrap_or_default(),
        country,
        funding,
        fingerprint: fingerprint.map_or_else(|| stand_in::looks(&["card", brand.as_str(), &last4]), Fingerprint),
        checks,
        reference: stand_in::card(brand, &last4),
        last4,
    }
}

fn account_shown(mut shown: Value) -> PaymentMethodKind {
    let holder_type = shown.take("account_holder_type").and_then(|value| HolderType::named(&value.text()));
    let account_type = shown.take("account_type").and_then(|value| AccountType::named(&value.text()));
    PaymentMethodKind::UsBankAccount {
        facts: bank_facts(shown, None),
        holder_type,
        account_type: account_type.unwrap_or(AccountType::Checking),
    }
}

fn bank_facts(mut shown: Value, currency: Option<Currency>) -> BankFacts {
    let mut text = |name| shown.take(name).map(Value::text);
    let (bank_name, routing_number, fingerprint) = (text("bank_name"), text("routing_number"), text("fingerprint"));
    let country = text("country").unwrap_or_else(|| "US".to_owned());
    let last4 = text("last4").unwrap_or_default();
    let looks = || stand_in::looks(&["bank account", routing_number.as_deref().unwrap_or_default(), &last4]);
    BankFacts {
        fingerprint: fingerprint.map_or_else(looks, Fingerprint),
        bank_name,
        country,
        currency: currency.unwrap_or_else(|| Currency::parse("usd").expect("the US dollar is supported")),
        reference: stand_in::bank_account(&last4),
        last4,
        routing_number,
    }
}

fn free_data(change: MetadataChange) -> Readable<Metadata> {
    let mut metadata = Metadata::new();
    change.onto(&mut metadata).map_err(|problem| Fault::of_problem("metadata", problem))?;
    Ok(metadata)
}
