//! Tokens: docs.stripe.com/api/tokens. What is stated of cards and bank accounts is read here for whoever takes it.

use std::sync::Arc;

use super::customers::{RETRIEVE, Retrieve};
use super::expand::{self, Expansions};
use super::failure::{Names, Refusal};
use super::lists::{EXPAND, TEXT, row};
use super::params::{self, Field, Kind, Param, Shape, Value, field, word};
use super::versions::Version;
use super::{Answer, Call, Plan, instruments};
use crate::domain::account::{Account, Mode};
use crate::domain::address::Postal;
use crate::domain::bank_account::{AccountType, HolderType};
use crate::domain::ids::TokenId;
use crate::domain::payment_method::BillingDetails;
use crate::domain::secret::Secret;
use crate::domain::token::{Carried, Token};
use crate::engine::Done;
use crate::engine::tokens::{self, NewBankAccount, NewCard, Wish};
use crate::http::json::{Json, Object};
use crate::processor::{self, Accepted, BankDetails, CardDetails, Details, Finding, Question, Subject};
use crate::store::Read;

const SECRET: Shape = Shape::Secret(5000);

const fn required(field: Field) -> Field {
    Field { required: true, ..field }
}

/// Who owns a bank account, in either API.
pub const HOLDER_TYPE: Shape = Shape::Choice(&[word("company"), word("individual")]);
/// What sort of bank account it is, in either API.
pub const ACCOUNT_TYPE: Shape = Shape::Choice(&[word("checking"), word("savings")]);

/// What may be stated of a card.
const CARD: Shape = Shape::Record(&[
    field("address_city", &TEXT),
    field("address_country", &TEXT),
    field("address_line1", &TEXT),
    field("address_line2", &TEXT),
    field("address_state", &TEXT),
    field("address_zip", &TEXT),
    // For cards that are paid out to.
    field("currency", &Shape::Unsupported),
    field("cvc", &SECRET),
    required(field("exp_month", &TEXT)),
    required(field("exp_year", &TEXT)),
    field("name", &TEXT),
    Field { added: "2023-10-16", ..field("networks", &Shape::Unsupported) },
    required(field("number", &SECRET)),
]);

/// What may be stated of a bank account.
const BANK_ACCOUNT: Shape = Shape::Record(&[
    field("account_holder_name", &TEXT),
    field("account_holder_type", &HOLDER_TYPE),
    required(field("account_number", &SECRET)),
    // Two more are of Japan, where this server takes no accounts.
    field("account_type", &ACCOUNT_TYPE),
    required(field("country", &Shape::Country(5000))),
    field("currency", &Shape::Currency),
    Field { added: "2022-11-15", ..field("payment_method", &Shape::Unsupported) },
    field("routing_number", &TEXT),
]);

const PII: Shape = Shape::Record(&[field("id_number", &SECRET)]);
const CVC_UPDATE: Shape = Shape::Record(&[required(field("cvc", &SECRET))]);

/// A card or a bank account as it was stated: what its number is asked about, and what is known beside it.
#[derive(Clone)]
pub struct Stated {
    details: Details,
    beside: Beside,
}

const NO_NUMBER: i64 = -1;

/// A month or a year as it is stated. What is no number is none that there is, for which there are words of their own.
pub fn stated_number(text: &str) -> i64 {
    text.trim().parse().unwrap_or(NO_NUMBER)
}

/// What is known of an instrument beside what the processor says of it.
#[derive(Clone)]
enum Beside {
    Card(Box<BillingDetails>),
    BankAccount { holder_name: Option<String>, holder_type: Option<HolderType>, account_type: Option<AccountType> },
}

impl Stated {
    /// The card in a record of such fields.
    pub fn card(mut value: Value) -> Stated {
        let address = Postal {
            street: text(&mut value, "address_line1"),
            second_line: text(&mut value, "address_line2"),
            city: text(&mut value, "address_city"),
            region: text(&mut value, "address_state"),
            postal_code: text(&mut value, "address_zip"),
            country: text(&mut value, "address_country"),
        };
        let number = |value: &mut Value, name| text(value, name).map_or(NO_NUMBER, |text| stated_number(&text));
        let details = Details::Card(CardDetails {
            number: secret(&mut value, "number").expect("the table requires it"),
            exp_month: number(&mut value, "exp_month"),
            exp_year: number(&mut value, "exp_year"),
            cvc: secret(&mut value, "cvc"),
            states_line1: address.street.is_some(),
            states_postal_code: address.postal_code.is_some(),
        });
        let billing =
            BillingDetails { address: address.into(), name: text(&mut value, "name"), ..BillingDetails::default() };
        Stated { details, beside: Beside::Card(Box::new(billing)) }
    }

    /// The bank account in a record of such fields.
    pub fn bank_account(mut value: Value) -> Stated {
        let details = Details::BankAccount(BankDetails {
            number: secret(&mut value, "account_number").expect("the table requires it"),
            routing_number: text(&mut value, "routing_number"),
            country: text(&mut value, "country").unwrap_or_default(),
            currency: value.take("currency").map(Value::currency),
        });
        let beside = Beside::BankAccount {
            holder_name: text(&mut value, "account_holder_name"),
            holder_type: text(&mut value, "account_holder_type").and_then(|word| HolderType::named(&word)),
            account_type: text(&mut value, "account_type").and_then(|word| AccountType::named(&word)),
        };
        Stated { details, beside }
    }

    /// What to ask the processor; `verify` when it is to be used from now on.
    pub fn question(&self, verify: bool) -> Question {
        Question { about: Subject::Details(self.details.clone()), verify }
    }

    /// What is to be made, from what the processor says of it.
    pub fn wish(&self, finding: &Finding) -> Done<Wish> {
        let instrument = finding.instrument()?.cloned();
        match (instrument, &self.beside) {
            (Some(Accepted::Card(facts)), Beside::Card(billing)) => {
                Ok(Wish::Card(Box::new(NewCard { facts, billing: *billing.clone() })))
            }
            (
                Some(Accepted::BankAccount { facts, status }),
                Beside::BankAccount { holder_name, holder_type, account_type },
            ) => Ok(Wish::BankAccount(NewBankAccount {
                facts,
                status,
                holder_name: holder_name.clone(),
                holder_type: *holder_type,
                account_type: *account_type,
            })),
            (Some(_) | None, _) => Err(processor::mixed_up()),
        }
    }
}

/// What a create asks for.
#[derive(Default)]
pub struct Create {
    card: Option<Stated>,
    bank_account: Option<Stated>,
    pii: bool,
    cvc_update: bool,
    expand: Vec<String>,
}

/// The parameters of `POST /v1/tokens`.
pub const CREATE: &[Param<Create>] = &[
    // Nothing here keeps connected accounts, or persons of theirs, that could be made from a token.
    row("account", Kind::Unsupported),
    row(
        "bank_account",
        Kind::Value(&BANK_ACCOUNT, |input, value| input.bank_account = Some(Stated::bank_account(value))),
    ),
    row("card", Kind::Value(&CARD, |input, value| input.card = Some(Stated::card(value)))),
    // To copy what a customer of the platform pays with to a connected account.
    row("customer", Kind::Unsupported),
    row("cvc_update", Kind::Value(&CVC_UPDATE, |input, _| input.cvc_update = true)),
    row("expand", Kind::Value(&EXPAND, |input, value| input.expand = value.texts())),
    row("person", Kind::Unsupported),
    row("pii", Kind::Value(&PII, |input, _| input.pii = true)),
];

/// `POST /v1/tokens`
pub fn create(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let input: Create = params::read(CREATE, &call.given, &call.version)?;
    Expansions::of_object(&input.expand, expand::TOKEN, &call.version)?;
    let Create { card, bank_account, pii, cvc_update, expand: _ } = input;
    let given =
        [("bank_account", bank_account.is_some()), ("card", card.is_some()), ("cvc_update", cvc_update), ("pii", pii)];
    let names: Vec<&str> = given.iter().filter(|(_, given)| *given).map(|(name, _)| *name).collect();
    match names[..] {
        [] => return Err(Refusal::one_of(&given.map(|(name, _)| name))),
        [_] => {}
        [..] => return Err(Refusal::exclusive(&names)),
    }
    let Some(stated) = card.or(bank_account) else {
        let wish = if pii { Wish::Pii } else { Wish::CvcUpdate };
        return Ok(Plan::write(Names::BY_PATH, move |call, tx, ctx| {
            let token = tokens::create(tx, ctx, wish.clone(), call.peer)?;
            Ok(Answer::of(object(&token, &call.account, &call.version)))
        }));
    };
    let question = stated.question(false);
    let ask = move |_: &Call, _: &mut dyn Read| Ok(Some(question.clone()));
    Ok(Plan::asking(Names::BY_PATH, ask, move |call, tx, ctx, finding| {
        let wish = stated.wish(processor::found(finding)?)?;
        let token = tokens::create(tx, ctx, wish, call.peer)?;
        Ok(Answer::of(object(&token, &call.account, &call.version)))
    }))
}

/// `GET /v1/tokens/{token}`
pub fn retrieve(call: &Arc<Call>) -> Result<Plan, Refusal> {
    let input: Retrieve = params::read(RETRIEVE, &call.given, &call.version)?;
    Expansions::of_object(&input.expand, expand::TOKEN, &call.version)?;
    let id = TokenId(call.part(0)?);
    Ok(Plan::look(Names::BY_PATH, move |call, read| {
        let token = tokens::read(read, &call.account, &id)?;
        Ok(Answer::of(object(&token, &call.account, &call.version)))
    }))
}

/// The token: docs.stripe.com/api/tokens/object.
pub fn object(token: &Token, account: &Account, version: &Version) -> Json {
    let Token { id, created, used, client_ip, carries } = token;
    let mut object = Object::new().and("id", id.as_str().to_owned()).and("object", "token");
    let word = match carries {
        Carried::Card(card) => {
            let mut card = instruments::card(card, None, version);
            // Nobody holds it yet.
            card.remove("customer");
            if version.since("2023-10-16") {
                card.add("networks", Object::new().and("preferred", Json::Null));
                card.sort_from(2);
            }
            object.add("card", card);
            "card"
        }
        Carried::BankAccount(account) => {
            let mut account = instruments::bank_account(account, None);
            account.remove("customer");
            account.remove("metadata");
            object.add("bank_account", account);
            "bank_account"
        }
        Carried::Pii => "pii",
        Carried::CvcUpdate => "cvc_update",
    };
    object
        .and("client_ip", client_ip.map(|address| address.to_string()))
        .and("created", created.seconds())
        .and("livemode", account.mode == Mode::Live)
        .and("type", word)
        .and("used", used.is_some())
        .into()
}

fn text(value: &mut Value, name: &str) -> Option<String> {
    value.take(name).map(Value::text)
}

fn secret(value: &mut Value, name: &str) -> Option<Secret> {
    value.take(name).map(Value::secret)
}

#[cfg(test)]
mod tests {
    use super::{BANK_ACCOUNT, CARD, CREATE, CVC_UPDATE, PII};
    use crate::dialects::stripe::params::Shape;
    use crate::dialects::stripe::secrets::telling;

    #[test]
    fn rows_are_in_the_order_of_their_names() {
        assert!(CREATE.is_sorted_by_key(|param| param.name));
    }

    #[test]
    fn what_is_secret_has_a_secrets_name() {
        for shape in [CARD, BANK_ACCOUNT, PII, CVC_UPDATE] {
            let Shape::Record(fields) = shape else { panic!("they are records") };
            assert!(fields.is_sorted_by_key(|field| field.name));
            for field in fields {
                assert_eq!(
                    matches!(field.shape, Shape::Secret(_)),
                    telling(&["x", field.name]).is_some(),
                    "{}",
                    field.name
                );
            }
        }
    }
}
