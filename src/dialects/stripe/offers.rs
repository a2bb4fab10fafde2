//! What a caller offers to be paid with: a token, the name of a test card, a payment method, or the details themselves.
//! The processor is asked about it before the transaction, and the transaction looks at all of it again.

use super::lists::TEXT;
use super::params::{Field, Shape, Value, field};
use super::tokens::{HOLDER_TYPE, Stated};
use crate::domain::account::Account;
use crate::domain::bank_account::{AccountType, BankAccount, BankStatus, HolderType};
use crate::domain::card::Card;
use crate::domain::ids::{InstrumentId, TokenId};
use crate::domain::instrument::{Instrument, SourceKind};
use crate::domain::metadata::MetadataChange;
use crate::domain::payment_method::{BillingDetails, LoosePaymentMethod, PaymentMethod, PaymentMethodKind};
use crate::domain::problem::Problem;
use crate::domain::source::{LooseSource, Source, SourceDetails};
use crate::domain::token::{Carried, Token};
use crate::engine::payment_methods::{self, Found, Offered};
use crate::engine::source_objects;
use crate::engine::sources::Brought;
use crate::engine::tokens::{self, NewBankAccount, NewCard, Wish};
use crate::engine::{Ctx, Done};
use crate::processor::{self, Accepted, Finding, Question, Subject};
use crate::store::{Kept, Read, Tx};

const SECRET: Shape = Shape::Secret(5000);

const fn required(field: Field) -> Field {
    Field { required: true, ..field }
}

const fn newer(field: Field) -> Field {
    Field { added: "2025-09-30", ..field }
}

/// What may be stated of a card that is brought; more than in a token, it may have free data:
/// docs.stripe.com/api/customers/update.
const CARD_FIELDS: &[Field] = &[
    field("address_city", &TEXT),
    field("address_country", &TEXT),
    field("address_line1", &TEXT),
    field("address_line2", &TEXT),
    field("address_state", &TEXT),
    field("address_zip", &TEXT),
    field("cvc", &SECRET),
    newer(field("encrypted", &Shape::Unsupported)),
    required(field("exp_month", &TEXT)),
    required(field("exp_year", &TEXT)),
    field("metadata", &Shape::Metadata),
    field("name", &TEXT),
    newer(field("network_token", &Shape::Unsupported)),
    required(field("number", &SECRET)),
    newer(field("swipe_data", &Shape::Unsupported)),
];

/// What may be stated of a bank account that is brought.
const BANK_ACCOUNT_FIELDS: &[Field] = &[
    field("account_holder_name", &TEXT),
    field("account_holder_type", &HOLDER_TYPE),
    required(field("account_number", &SECRET)),
    required(field("country", &Shape::Country(5000))),
    field("currency", &Shape::Currency),
    field("routing_number", &TEXT),
];

/// The details that a source may be made of, by their word.
pub const SOURCE_KINDS: &[(&str, &[Field])] = &[("card", CARD_FIELDS), ("bank_account", BANK_ACCOUNT_FIELDS)];
/// Those of a card.
pub const CARD_KINDS: &[(&str, &[Field])] = &[("card", CARD_FIELDS)];
/// Those of a bank account.
pub const BANK_ACCOUNT_KINDS: &[(&str, &[Field])] = &[("bank_account", BANK_ACCOUNT_FIELDS)];

/// What is offered as a source.
#[derive(Clone)]
pub struct Offer {
    what: What,
    /// What it has to be; anything when `None`.
    kind: Option<SourceKind>,
    /// The free data that is stated with it.
    metadata: MetadataChange,
}

#[derive(Clone)]
enum What {
    /// A token's id, or a name that documents give.
    Token(String),
    /// The details.
    Stated(Box<Stated>),
}

impl Offer {
    /// The offer in a value of the shape `TextOr`.
    pub fn of(value: Value, kind: Option<SourceKind>) -> Offer {
        let mut metadata = MetadataChange::default();
        let what = match value {
            Value::Kind("bank_account", details) => What::Stated(Box::new(Stated::bank_account(*details))),
            Value::Kind(_, mut details) => {
                metadata = details.take("metadata").map(Value::metadata).unwrap_or_default();
                What::Stated(Box::new(Stated::card(*details)))
            }
            value => What::Token(value.text()),
        };
        Offer { what, kind, metadata }
    }

    /// The offer of a token, or of a name that documents give.
    pub fn token(id: String, kind: Option<SourceKind>) -> Offer {
        Offer { what: What::Token(id), kind, metadata: MetadataChange::default() }
    }

    /// The same offer where only instruments of a sort are taken.
    pub fn as_sort(self, sort: Option<SourceKind>) -> Offer {
        Offer { kind: sort.or(self.kind), ..self }
    }

    /// What to ask the processor; nothing when it can already be seen that it will not do. `verify` when its issuer is
    /// asked whether it may be used.
    pub fn question(&self, read: &mut dyn Read, account: &Account, verify: bool) -> Kept<Option<Question>> {
        let id = match &self.what {
            What::Stated(stated) => return Ok(Some(stated.question(verify))),
            What::Token(id) => id,
        };
        let about = match tokens::find(read, account, &TokenId(id.clone()))? {
            Some(Token { used: Some(_), .. }) => return Ok(None),
            Some(token) => match Accepted::of(&token.carries) {
                Some(instrument) => Subject::Known(instrument),
                None => return Ok(None),
            },
            // The name of a payment method is none of a source.
            None if id.starts_with("src_") => match of_source(read, account, id)? {
                Some(accepted) => Subject::Known(accepted),
                None => return Ok(None),
            },
            None if is_of_others(id) => return Ok(None),
            None => Subject::Named(id.clone()),
        };
        Ok(Some(Question { about, verify }))
    }

    /// What is offered, made or taken, as the processor found it.
    pub fn brought(&self, tx: &mut dyn Tx, ctx: &Ctx<'_>, finding: Option<&Finding>) -> Done<Brought> {
        let mut brought = match &self.what {
            What::Stated(stated) => {
                Brought { instrument: made(stated.wish(processor::found(finding)?)?, ctx)?, token: None, loose: None }
            }
            What::Token(id) => by_token(id, tx, ctx, finding)?,
        };
        if let Some(kind) = self.kind.filter(|kind| brought.instrument.source_kind() != Some(*kind)) {
            return Err(Problem::OtherSource { wanted: kind }.into());
        }
        brought.describe(self.metadata.clone())?;
        Ok(brought)
    }
}

fn by_token(id: &str, tx: &mut dyn Tx, ctx: &Ctx<'_>, finding: Option<&Finding>) -> Done<Brought> {
    let Some(token) = tokens::find(tx, ctx.account, &TokenId(id.to_owned()))? else {
        if id.starts_with("src_") {
            let loose = source_objects::to_attach(tx, ctx.account, &InstrumentId(id.to_owned()))?;
            return Ok(Brought { instrument: attachable(&loose, finding)?.into(), token: None, loose: Some(loose) });
        }
        if is_of_others(id) {
            return Err(Problem::NoSuchSource(InstrumentId(id.to_owned())).into());
        }
        return match processor::found(finding)?.instrument()?.cloned() {
            Some(instrument) => Ok(Brought { instrument: fresh(instrument, ctx), token: None, loose: None }),
            // Says whether the other mode has one.
            None => {
                Err(tokens::read(tx, ctx.account, &TokenId(id.to_owned())).err().unwrap_or_else(processor::mixed_up))
            }
        };
    };
    let token = tokens::unused(tx, ctx.account, &token.id)?;
    let instrument = match (&token.carries, Accepted::of(&token.carries)) {
        (Carried::Card(card), Some(_)) => match processor::found(finding)?.instrument()? {
            Some(Accepted::Card(facts)) => Card { facts: facts.clone(), ..Card::clone(card) }.into(),
            Some(Accepted::BankAccount { .. }) | None => return Err(processor::mixed_up()),
        },
        (Carried::BankAccount(account), Some(_)) => match processor::found(finding)?.instrument()? {
            Some(Accepted::BankAccount { facts, status }) => {
                BankAccount { facts: facts.clone(), status: *status, ..BankAccount::clone(account) }.into()
            }
            Some(Accepted::Card(_)) | None => return Err(processor::mixed_up()),
        },
        (Carried::Card(_) | Carried::BankAccount(_) | Carried::Pii | Carried::CvcUpdate, _) => {
            return Err(Problem::OtherSource { wanted: SourceKind::Card }.into());
        }
    };
    Ok(Brought { instrument, token: Some(token), loose: None })
}

/// What is asked about a source that may be attached: its card.
fn of_source(read: &mut dyn Read, account: &Account, id: &str) -> Kept<Option<Accepted>> {
    let found = source_objects::find(read, account.space, &InstrumentId(id.to_owned()))?;
    Ok(match found {
        Some(source_objects::Found::Loose(loose)) if loose.attachable().is_ok() => match loose.source.details {
            SourceDetails::Card(facts) => Some(Accepted::Card(facts)),
            _ => None,
        },
        Some(_) | None => None,
    })
}

/// A source that may be attached, as the processor found it.
fn attachable(loose: &LooseSource, finding: Option<&Finding>) -> Done<Source> {
    let mut source = loose.source.clone();
    if let SourceDetails::Card(facts) = &mut source.details {
        match processor::found(finding)?.instrument()? {
            Some(Accepted::Card(found)) => *facts = found.clone(),
            Some(Accepted::BankAccount { .. }) | None => return Err(processor::mixed_up()),
        }
    }
    Ok(source)
}

/// Whether an id is one of a thing that is no token.
fn is_of_others(id: &str) -> bool {
    ["src_", "pm_", "card_", "ba_"].iter().any(|beginning| id.starts_with(beginning))
}

fn made(wish: Wish, ctx: &Ctx<'_>) -> Done<Instrument> {
    match wish {
        Wish::Card(card) => Ok(card.made(ctx).into()),
        Wish::BankAccount(account) => Ok(account.made(ctx).into()),
        Wish::Pii | Wish::CvcUpdate => Err(processor::mixed_up()),
    }
}

/// An instrument of the older API of which nothing is stated but what it is.
fn fresh(instrument: Accepted, ctx: &Ctx<'_>) -> Instrument {
    match instrument {
        Accepted::Card(facts) => NewCard { facts, billing: BillingDetails::default() }.made(ctx).into(),
        Accepted::BankAccount { facts, status } => {
            NewBankAccount { facts, status, holder_name: None, holder_type: None, account_type: None }.made(ctx).into()
        }
    }
}

/// What to ask about a payment method that is offered by its id or by a name that documents give; nothing when it can
/// already be seen that it will not do.
pub fn question_about_method(
    read: &mut dyn Read,
    account: &Account,
    id: &InstrumentId,
    verify: bool,
) -> Kept<Option<Question>> {
    let about = match payment_methods::find(read, account.space, id)? {
        Some(Found::Loose(loose)) if !loose.spent => Subject::Known(of_method(&loose.method)),
        Some(Found::Loose(_) | Found::Held { .. }) => return Ok(None),
        None if id.as_str().starts_with("pm_") => Subject::Named(id.0.clone()),
        None => return Ok(None),
    };
    Ok(Some(Question { about, verify }))
}

/// A payment method that is offered, as the processor found it, and what it was until now, if it was kept.
pub fn offered_method(tx: &mut dyn Tx, ctx: &Ctx<'_>, id: &InstrumentId, finding: Option<&Finding>) -> Done<Offered> {
    let loose = match payment_methods::find(tx, ctx.account.space, id)? {
        Some(Found::Held { .. }) => return Err(Problem::AttachedAlready.into()),
        Some(Found::Loose(loose)) if loose.spent => return Err(Problem::PaymentMethodSpent.into()),
        Some(Found::Loose(loose)) => Some(*loose),
        None if id.as_str().starts_with("pm_") => None,
        None => return Err(Problem::NoSuchPaymentMethod(id.clone()).into()),
    };
    let found = processor::found(finding)?.instrument()?.cloned();
    let accepted = found.ok_or_else(|| Problem::NoSuchPaymentMethod(id.clone()))?;
    let method = match &loose {
        Some(LoosePaymentMethod { method, .. }) => {
            PaymentMethod { kind: kind_of(accepted, Some(&method.kind)), ..method.clone() }
        }
        None => new_method(ctx, kind_of(accepted, None), BillingDetails::default()),
    };
    Ok((method, loose))
}

/// A payment method, made now.
pub fn new_method(ctx: &Ctx<'_>, kind: PaymentMethodKind, billing: BillingDetails) -> PaymentMethod {
    PaymentMethod {
        id: InstrumentId::mint("pm", ctx.ids, ctx.now),
        created: ctx.now,
        kind,
        billing,
        allow_redisplay: None,
        metadata: Default::default(),
    }
}

/// What a payment method is, as the processor knows it.
pub fn of_method(method: &PaymentMethod) -> Accepted {
    match &method.kind {
        PaymentMethodKind::Card(facts) => Accepted::Card(facts.clone()),
        PaymentMethodKind::UsBankAccount { facts, .. } => {
            Accepted::BankAccount { facts: facts.clone(), status: BankStatus::New }
        }
    }
}

/// What the processor has, as the kind of payment method that it makes; what was stated beside it stays.
pub fn kind_of(accepted: Accepted, before: Option<&PaymentMethodKind>) -> PaymentMethodKind {
    let (holder_type, account_type) = match before {
        Some(PaymentMethodKind::UsBankAccount { facts: _, holder_type, account_type }) => (*holder_type, *account_type),
        // What a name of a test account stands for.
        Some(PaymentMethodKind::Card(_)) | None => (Some(HolderType::Individual), AccountType::Checking),
    };
    stated_kind(accepted, holder_type, account_type)
}

/// The kind of payment method that stated details make.
pub fn stated_kind(
    accepted: Accepted,
    holder_type: Option<HolderType>,
    account_type: AccountType,
) -> PaymentMethodKind {
    match accepted {
        Accepted::Card(facts) => PaymentMethodKind::Card(facts),
        Accepted::BankAccount { facts, status: _ } => {
            PaymentMethodKind::UsBankAccount { facts, holder_type, account_type }
        }
    }
}

/// The card that a token stands for, with what was stated beside it, and the token that is used up by it.
pub fn card_of_token(
    offer: &Offer,
    tx: &mut dyn Tx,
    ctx: &Ctx<'_>,
    finding: Option<&Finding>,
) -> Done<(Card, Option<Token>)> {
    let Brought { instrument, token, loose: _ } = offer.brought(tx, ctx, finding)?;
    match instrument {
        Instrument::Card(card) => Ok((*card, token)),
        Instrument::BankAccount(_) | Instrument::PaymentMethod(_) | Instrument::Source(_) => {
            Err(Problem::OtherSource { wanted: SourceKind::Card }.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BANK_ACCOUNT_FIELDS, CARD_FIELDS};
    use crate::dialects::stripe::params::Shape;
    use crate::dialects::stripe::secrets::telling;

    #[test]
    fn what_is_secret_has_a_secrets_name() {
        for fields in [CARD_FIELDS, BANK_ACCOUNT_FIELDS] {
            assert!(fields.is_sorted_by_key(|field| field.name));
            for field in fields {
                let is_secret = matches!(field.shape, Shape::Secret(_));
                assert_eq!(is_secret, telling(&["source", field.name]).is_some(), "{}", field.name);
            }
        }
    }
}
