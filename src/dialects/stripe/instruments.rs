//! What a customer pays with, in the words of the older API (docs.stripe.com/api/cards/object,
//! docs.stripe.com/api/customer_bank_accounts/object) and of the newer one (docs.stripe.com/api/payment_methods/object).

use super::customer_object::{code, free_data, postal};
use super::source_objects;
use super::versions::{self, Version};
use crate::domain::account::{Account, Mode};
use crate::domain::bank_account::{BankAccount, BankFacts};
use crate::domain::card::{Brand, Card, CardFacts, Check, Checks, Fingerprint, Funding};
use crate::domain::ids::CustomerId;
use crate::domain::instrument::Instrument;
use crate::domain::payment_method::{AllowRedisplay, BillingDetails, PaymentMethod, PaymentMethodKind};
use crate::http::json::{Json, Object};

/// The instrument as a source, as the version has it; `None` when it is none. `customer` is who holds it.
pub fn source(
    instrument: &Instrument,
    customer: Option<&CustomerId>,
    account: &Account,
    version: &Version,
) -> Option<Object> {
    match instrument {
        Instrument::Card(held) => Some(card(held, customer, version)),
        Instrument::BankAccount(held) => Some(bank_account(held, customer)),
        Instrument::Source(held) => Some(source_objects::object(held, customer, account, version)),
        Instrument::PaymentMethod(_) => None,
    }
}

/// The instrument as a payment method, as the version has it; `None` when it is none.
pub fn payment_method(
    instrument: &Instrument,
    customer: Option<&CustomerId>,
    account: &Account,
    version: &Version,
) -> Option<Object> {
    Some(method_object(&instrument.as_payment_method()?, customer, account, version))
}

/// A card of the older API.
pub fn card(card: &Card, customer: Option<&CustomerId>, version: &Version) -> Object {
    let Card { id, created: _, facts, billing, allow_redisplay: _, metadata } = card;
    let BillingDetails { address, email: _, name, phone: _ } = billing;
    let CardFacts {
        brand,
        last4,
        exp_month,
        exp_year,
        country,
        funding,
        fingerprint: Fingerprint(fingerprint),
        checks: Checks { cvc, line1, postal_code },
        reference: _,
    } = facts;
    let mut object = Object::new()
        .and("id", id.as_str().to_owned())
        .and("object", "card")
        .and("address_city", address.city.as_ref())
        .and("address_country", address.country.as_ref())
        .and("address_line1", address.street.as_ref())
        .and("address_line1_check", check(*line1))
        .and("address_line2", address.second_line.as_ref())
        .and("address_state", address.region.as_ref())
        .and("address_zip", address.postal_code.as_ref())
        .and("address_zip_check", check(*postal_code))
        .and("brand", brand_name(*brand))
        .and("country", country.as_ref())
        .and("customer", customer.map(|id| id.as_str().to_owned()))
        .and("cvc_check", check(*cvc))
        .and("dynamic_last4", Json::Null)
        .and("exp_month", i64::from(*exp_month))
        .and("exp_year", i64::from(*exp_year))
        .and("fingerprint", fingerprint)
        .and("funding", funding.as_str())
        .and("last4", last4)
        .and("metadata", free_data(metadata))
        .and("name", name.as_ref())
        .and("regulated_status", Json::Null)
        .and("tokenization_method", Json::Null);
    versions::down(&mut object, versions::CARD, &(), version);
    object
}

/// A bank account of the older API.
pub fn bank_account(account: &BankAccount, customer: Option<&CustomerId>) -> Object {
    let BankAccount {
        id,
        created: _,
        facts,
        holder_name,
        holder_type,
        account_type,
        status,
        failed_verifications: _,
        metadata,
    } = account;
    let BankFacts {
        bank_name,
        country,
        currency,
        last4,
        routing_number,
        fingerprint: Fingerprint(fingerprint),
        reference: _,
    } = facts;
    Object::new()
        .and("id", id.as_str().to_owned())
        .and("object", "bank_account")
        .and("account_holder_name", holder_name.as_ref())
        .and("account_holder_type", holder_type.map(|kind| kind.as_str()))
        .and("account_type", account_type.map(|kind| kind.as_str()))
        .and("bank_name", bank_name.as_ref())
        .and("country", country)
        .and("currency", code(currency))
        .and("customer", customer.map(|id| id.as_str().to_owned()))
        .and("fingerprint", fingerprint)
        .and("last4", last4)
        .and("metadata", free_data(metadata))
        .and("routing_number", routing_number.as_ref())
        .and("status", status.as_str())
}

/// A payment method that nobody holds, or that `customer` does, as the version has it.
pub fn method_object(
    method: &PaymentMethod,
    customer: Option<&CustomerId>,
    account: &Account,
    version: &Version,
) -> Object {
    let PaymentMethod { id, created, kind, billing, allow_redisplay, metadata } = method;
    let BillingDetails { address, email, name, phone } = billing;
    let details = Object::new()
        .and("address", postal(address))
        .and("email", email.as_ref())
        .and("name", name.as_ref())
        .and("phone", phone.as_ref())
        .and("tax_id", Json::Null);
    let (word, inner) = match kind {
        PaymentMethodKind::Card(facts) => ("card", card_facts(facts)),
        PaymentMethodKind::UsBankAccount { facts, holder_type, account_type } => {
            let BankFacts {
                bank_name,
                country: _,
                currency: _,
                last4,
                routing_number,
                fingerprint: Fingerprint(fingerprint),
                reference: _,
            } = facts;
            let networks = Object::new().and("preferred", "ach").and("supported", vec![Json::from("ach")]);
            let inner = Object::new()
                .and("account_holder_type", holder_type.map(|kind| kind.as_str()))
                .and("account_type", account_type.as_str())
                .and("bank_name", bank_name.as_ref())
                .and("financial_connections_account", Json::Null)
                .and("fingerprint", fingerprint)
                .and("last4", last4)
                .and("networks", networks)
                .and("routing_number", routing_number.as_ref())
                .and("status_details", Json::Null);
            ("us_bank_account", inner)
        }
    };
    let mut object = Object::new()
        .and("id", id.as_str().to_owned())
        .and("object", "payment_method")
        .and("allow_redisplay", allow_redisplay.unwrap_or(AllowRedisplay::Unspecified).as_str())
        .and("billing_details", details)
        .and("created", created.seconds())
        .and("customer", customer.map(|id| id.as_str().to_owned()))
        // Accounts are no customers here.
        .and("customer_account", Json::Null)
        .and("livemode", account.mode == Mode::Live)
        .and("metadata", free_data(metadata))
        .and("type", word)
        .and(word, inner);
    versions::down(&mut object, versions::PAYMENT_METHOD, &(), version);
    object.sort_from(2);
    object
}

fn card_facts(facts: &CardFacts) -> Object {
    let CardFacts {
        brand,
        last4,
        exp_month,
        exp_year,
        country,
        funding,
        fingerprint: Fingerprint(fingerprint),
        checks,
        reference: _,
    } = facts;
    let networks = Object::new().and("available", vec![Json::from(brand.as_str())]).and("preferred", Json::Null);
    Object::new()
        .and("brand", brand.as_str())
        .and("checks", display_checks(checks))
        .and("country", country.as_ref())
        .and("display_brand", display_brand(*brand))
        .and("exp_month", i64::from(*exp_month))
        .and("exp_year", i64::from(*exp_year))
        .and("fingerprint", fingerprint)
        .and("funding", funding.as_str())
        .and("generated_from", Json::Null)
        .and("last4", last4)
        .and("networks", networks)
        .and("regulated_status", Json::Null)
        .and("three_d_secure_usage", Object::new().and("supported", *funding != Funding::Prepaid))
        .and("wallet", Json::Null)
}

/// What an issuer said of what was stated, in the words of the newer API.
pub fn display_checks(checks: &Checks) -> Object {
    let Checks { cvc, line1, postal_code } = checks;
    Object::new()
        .and("address_line1_check", check(*line1))
        .and("address_postal_code_check", check(*postal_code))
        .and("cvc_check", check(*cvc))
}

/// What a source that is a card shows of it.
pub fn card_of_source(facts: &CardFacts, name: Option<&String>) -> Object {
    let CardFacts {
        brand,
        last4,
        exp_month,
        exp_year,
        country,
        funding,
        fingerprint: Fingerprint(fingerprint),
        checks: Checks { cvc, line1, postal_code },
        reference: _,
    } = facts;
    Object::new()
        .and("address_line1_check", check(*line1))
        .and("address_zip_check", check(*postal_code))
        .and("brand", brand_name(*brand))
        .and("country", country.as_ref())
        .and("cvc_check", check(*cvc))
        .and("dynamic_last4", Json::Null)
        .and("exp_month", i64::from(*exp_month))
        .and("exp_year", i64::from(*exp_year))
        .and("fingerprint", fingerprint)
        .and("funding", funding.as_str())
        .and("last4", last4)
        .and("name", name)
        .and("three_d_secure", if *funding == Funding::Prepaid { "not_supported" } else { "optional" })
        .and("tokenization_method", Json::Null)
}

fn check(check: Option<Check>) -> Option<&'static str> {
    check.map(Check::as_str)
}

/// The older API's word for a brand.
fn brand_name(brand: Brand) -> &'static str {
    match brand {
        Brand::Amex => "American Express",
        Brand::Diners => "Diners Club",
        Brand::Discover => "Discover",
        Brand::Jcb => "JCB",
        Brand::Mastercard => "MasterCard",
        Brand::UnionPay => "UnionPay",
        Brand::Visa => "Visa",
        Brand::Unknown => "Unknown",
    }
}

/// The word for a brand to be shown to its holder: "american_express" where others say "amex".
fn display_brand(brand: Brand) -> &'static str {
    match brand {
        Brand::Amex => "american_express",
        Brand::Diners => "diners_club",
        Brand::Unknown => "other",
        Brand::Discover | Brand::Jcb | Brand::Mastercard | Brand::UnionPay | Brand::Visa => brand.as_str(),
    }
}
