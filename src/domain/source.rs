//! Sources of the Sources API: what they can be, and how far one has come. docs.stripe.com/api/sources/object,
//! docs.stripe.com/sources.

use super::card::{CardFacts, Fingerprint};
use super::ids::{CustomerId, InstrumentId};
use super::metadata::{Metadata, MetadataChange};
use super::money::Currency;
use super::payment_method::{AllowRedisplay, BillingChange, BillingDetails};
use super::problem::Problem;
use super::time::Time;
use super::words::words;

words! {
    /// What a source is, of those that can be made.
    pub enum SourceType {
        /// A bank account of ours in the United States that its owner pays into.
        AchCreditTransfer = "ach_credit_transfer",
        /// Alipay.
        Alipay = "alipay",
        /// Bancontact.
        Bancontact = "bancontact",
        /// A card.
        Card = "card",
        /// EPS.
        Eps = "eps",
        /// Giropay.
        Giropay = "giropay",
        /// iDEAL.
        Ideal = "ideal",
        /// Multibanco.
        Multibanco = "multibanco",
        /// Przelewy24.
        P24 = "p24",
        /// SOFORT.
        Sofort = "sofort",
        /// WeChat Pay.
        Wechat = "wechat",
    }
}

words! {
    /// What the owner has to do before a source can be charged.
    pub enum Flow {
        /// Nothing on a page of ours.
        None = "none",
        /// Pay into an address.
        Receiver = "receiver",
        /// Agree on another page.
        Redirect = "redirect",
    }
}

words! {
    /// How often a source can be charged.
    pub enum Usage {
        /// Again and again, once a customer holds it.
        Reusable = "reusable",
        /// Once.
        SingleUse = "single_use",
    }
}

words! {
    /// How far a source has come.
    pub enum SourceStatus {
        /// Nobody charged it in time.
        Canceled = "canceled",
        /// It can be charged.
        Chargeable = "chargeable",
        /// It was charged for the last time, or its customer let it go.
        Consumed = "consumed",
        /// Its owner did not agree.
        Failed = "failed",
        /// Its owner has something to do.
        Pending = "pending",
    }
}

words! {
    /// How a visit to the other page went.
    pub enum RedirectStatus {
        /// The owner did not agree there.
        Failed = "failed",
        /// The owner has not been there.
        Pending = "pending",
        /// The owner agreed there.
        Succeeded = "succeeded",
    }
}

words! {
    /// How the owner of a receiver is asked where a refund shall go.
    pub enum RefundMethod {
        /// By e-mail.
        Email = "email",
        /// By whoever charges.
        Manual = "manual",
        /// Not at all.
        None = "none",
    }
}

words! {
    /// How the wait for a source can end.
    pub enum Outcome {
        /// It can be charged.
        Chargeable = "chargeable",
        /// Its owner did not agree.
        Failed = "failed",
        /// Nobody charged it in time.
        Canceled = "canceled",
    }
}

/// What has to be known of the owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerPart {
    /// The e-mail address.
    Email,
    /// The full name.
    Name,
}

/// What is the same for all sources of a type.
#[derive(Debug)]
pub struct Rules {
    /// The type.
    pub kind: SourceType,
    /// What the owner has to do.
    pub flow: Flow,
    /// How often it can be charged; the first when nobody says.
    pub usages: &'static [Usage],
    /// What it can be in; every currency when empty.
    pub currencies: &'static [&'static str],
    /// Whether its maker may say how much it is for. What is charged once needs an amount.
    pub takes_amount: bool,
    /// Whether there is a page to come back from.
    pub returns: bool,
    /// What has to be known of the owner.
    pub owner: Option<OwnerPart>,
    /// Whether its owner or a bank has to do something first.
    pub waits: bool,
}

const EUROS: &[&str] = &["eur"];
const ONCE: &[Usage] = &[Usage::SingleUse];

const fn redirect(kind: SourceType, owner: Option<OwnerPart>) -> Rules {
    let (flow, usages, currencies) = (Flow::Redirect, ONCE, EUROS);
    Rules { kind, flow, usages, currencies, takes_amount: true, returns: true, owner, waits: true }
}

/// The rules of every type, in the order of their names: the pages below docs.stripe.com/sources.
pub const RULES: [Rules; 11] = [
    Rules {
        flow: Flow::Receiver,
        usages: &[Usage::Reusable],
        currencies: &["usd"],
        // How much it is for is known when money arrives: docs.stripe.com/api/sources/create.
        takes_amount: false,
        returns: false,
        ..redirect(SourceType::AchCreditTransfer, Some(OwnerPart::Email))
    },
    Rules {
        usages: &[Usage::SingleUse, Usage::Reusable],
        currencies: &["aud", "cad", "cny", "eur", "gbp", "hkd", "jpy", "myr", "nzd", "sgd", "usd"],
        ..redirect(SourceType::Alipay, None)
    },
    redirect(SourceType::Bancontact, Some(OwnerPart::Name)),
    Rules {
        flow: Flow::None,
        usages: &[Usage::Reusable, Usage::SingleUse],
        currencies: &[],
        returns: false,
        waits: false,
        ..redirect(SourceType::Card, None)
    },
    redirect(SourceType::Eps, Some(OwnerPart::Name)),
    redirect(SourceType::Giropay, Some(OwnerPart::Name)),
    redirect(SourceType::Ideal, None),
    Rules { flow: Flow::Receiver, ..redirect(SourceType::Multibanco, Some(OwnerPart::Email)) },
    Rules { currencies: &["eur", "pln"], ..redirect(SourceType::P24, Some(OwnerPart::Email)) },
    redirect(SourceType::Sofort, None),
    Rules {
        // Its owner reads a code with a telephone.
        flow: Flow::None,
        currencies: &["aud", "cad", "eur", "gbp", "hkd", "jpy", "sgd", "usd"],
        returns: false,
        ..redirect(SourceType::Wechat, None)
    },
];

impl SourceType {
    /// The rules of the type.
    pub fn rules(self) -> &'static Rules {
        RULES.iter().find(|rules| rules.kind == self).expect("every type has its rules")
    }
}

/// A source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its id, `src_…`.
    pub id: InstrumentId,
    /// When it was made.
    pub created: Time,
    /// What it is.
    pub details: SourceDetails,
    /// How far it has come.
    pub status: SourceStatus,
    /// How often it can be charged.
    pub usage: Usage,
    /// How much it is for, in minor units, more than 0; `None` when it is not said before it is charged.
    pub amount: Option<i64>,
    /// What it is in; `None` when it is not said before it is charged.
    pub currency: Option<Currency>,
    /// What lets a browser look at it: `src_client_secret_…`.
    pub client_secret: String,
    /// Who pays with it.
    pub owner: BillingDetails,
    /// What the owner's bank statement says.
    pub statement_descriptor: Option<String>,
    /// The page where its owner agrees.
    pub redirect: Option<Redirect>,
    /// What arrived.
    pub receiver: Option<Receiver>,
    /// Whether it may be offered again; `None` when nobody said.
    pub allow_redisplay: Option<AllowRedisplay>,
    /// Free data.
    pub metadata: Metadata,
}

/// What a source is, with what is known of it by its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceDetails {
    /// A bank account of ours in the United States.
    AchCreditTransfer {
        /// Its number, which is no secret: whoever is to pay is told of it.
        account_number: String,
        /// Tells equal numbers.
        fingerprint: Fingerprint,
    },
    /// Alipay.
    Alipay,
    /// Bancontact.
    Bancontact {
        /// The language of its page.
        preferred_language: Option<String>,
    },
    /// A card.
    Card(CardFacts),
    /// EPS.
    Eps,
    /// Giropay.
    Giropay,
    /// iDEAL.
    Ideal {
        /// The bank that was chosen before.
        bank: Option<String>,
    },
    /// Multibanco.
    Multibanco {
        /// Who is paid.
        entity: String,
        /// What for.
        reference: String,
    },
    /// Przelewy24.
    P24,
    /// SOFORT.
    Sofort {
        /// The bank's country, two letters.
        country: String,
        /// The language of its page.
        preferred_language: Option<String>,
    },
    /// WeChat Pay.
    Wechat,
}

/// The page where an owner agrees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// Where the owner goes afterwards.
    pub return_url: String,
    /// Where the server was when the source was made, as `http://127.0.0.1:4242`: the page is there. Empty when not known.
    pub origin: String,
    /// How the visit went.
    pub status: RedirectStatus,
}

/// What arrived at the address of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receiver {
    /// How its owner is asked where a refund shall go.
    pub refund_method: RefundMethod,
    /// How much arrived, in minor units.
    pub received: i64,
}

/// A source that no customer holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LooseSource {
    /// The source.
    pub source: Source,
    /// The customer who held it until it was consumed.
    pub former: Option<CustomerId>,
}

/// A source to be made.
#[derive(Clone, Debug)]
pub struct NewSource {
    /// What it is to be.
    pub kind: NewDetails,
    /// How often it can be charged.
    pub usage: Usage,
    /// How much it is for.
    pub amount: Option<i64>,
    /// What it is in.
    pub currency: Option<Currency>,
    /// Who pays with it; of a card, beside what its token says.
    pub owner: BillingChange,
    /// What the owner's bank statement says.
    pub statement_descriptor: Option<String>,
    /// Where the owner goes afterwards, and where the server is, where its type has a page.
    pub redirect: Option<(String, String)>,
    /// How the owner of a receiver is asked where a refund shall go.
    pub refund_method: RefundMethod,
    /// Free data.
    pub metadata: MetadataChange,
}

/// What a source is to be, with what its maker says of it by its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewDetails {
    /// A bank account of ours in the United States, whose number is yet to be found.
    AchCreditTransfer,
    /// A card that is brought.
    Card,
    /// Multibanco, whose reference is yet to be found.
    Multibanco,
    /// Of a type that is not paid into: all of it.
    Known(SourceDetails),
}

/// A change of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceChange {
    /// How much it is for.
    pub amount: Option<i64>,
    /// Who pays with it, part by part; the address is replaced whole.
    pub owner: BillingChange,
    /// Free data.
    pub metadata: MetadataChange,
}

impl SourceDetails {
    /// The type.
    pub fn kind(&self) -> SourceType {
        match self {
            SourceDetails::AchCreditTransfer { .. } => SourceType::AchCreditTransfer,
            SourceDetails::Alipay => SourceType::Alipay,
            SourceDetails::Bancontact { .. } => SourceType::Bancontact,
            SourceDetails::Card(_) => SourceType::Card,
            SourceDetails::Eps => SourceType::Eps,
            SourceDetails::Giropay => SourceType::Giropay,
            SourceDetails::Ideal { .. } => SourceType::Ideal,
            SourceDetails::Multibanco { .. } => SourceType::Multibanco,
            SourceDetails::P24 => SourceType::P24,
            SourceDetails::Sofort { .. } => SourceType::Sofort,
            SourceDetails::Wechat => SourceType::Wechat,
        }
    }
}

impl Source {
    /// What its owner has to do.
    pub fn flow(&self) -> Flow {
        self.details.kind().rules().flow
    }

    /// The source with the change applied, or the rule that it breaks.
    pub fn with(&self, change: SourceChange) -> Result<Source, Problem> {
        let SourceChange { amount, owner, metadata } = change;
        let mut next = self.clone();
        if let Some(amount) = amount {
            if !self.details.kind().rules().takes_amount {
                return Err(Problem::SourceWithoutAmount(self.details.kind()));
            }
            next.amount = Some(amount);
        }
        owner.onto(&mut next.owner);
        metadata.onto(&mut next.metadata)?;
        Ok(next)
    }

    /// The source after the wait for it ended. `received` is what arrived for a receiver, in minor units; all that it is
    /// for when nobody says, and what it is for where nobody said that.
    pub fn settled(&self, outcome: Outcome, received: Option<i64>) -> Result<Source, Problem> {
        let (status, visit) = match outcome {
            Outcome::Chargeable => (SourceStatus::Chargeable, RedirectStatus::Succeeded),
            Outcome::Failed => (SourceStatus::Failed, RedirectStatus::Failed),
            Outcome::Canceled => (SourceStatus::Canceled, RedirectStatus::Failed),
        };
        // What can be charged can still be left alone for too long.
        let waits = match self.status {
            SourceStatus::Pending => true,
            SourceStatus::Chargeable => outcome == Outcome::Canceled,
            SourceStatus::Canceled | SourceStatus::Consumed | SourceStatus::Failed => false,
        };
        if !waits {
            return Err(Problem::SourceSettled { id: self.id.clone(), status: self.status });
        }
        let mut next = Source { status, ..self.clone() };
        if let Some(redirect) = next.redirect.as_mut().filter(|redirect| redirect.status == RedirectStatus::Pending) {
            redirect.status = visit;
        }
        match (&mut next.receiver, outcome, received) {
            (Some(receiver), Outcome::Chargeable, received) => {
                receiver.received = received.or(next.amount).ok_or(Problem::NothingReceived)?;
                next.amount.get_or_insert(receiver.received);
            }
            (_, _, Some(_)) => return Err(Problem::NotReceiving),
            (Some(_) | None, _, None) => {}
        }
        Ok(next)
    }

    /// The source once nobody can charge it any more.
    pub fn consumed(&self) -> Source {
        Source { status: SourceStatus::Consumed, ..self.clone() }
    }
}

impl LooseSource {
    /// The source as one that a customer may hold, or why none may.
    pub fn attachable(&self) -> Result<&Source, Problem> {
        match (self.source.status, self.source.usage) {
            (SourceStatus::Canceled | SourceStatus::Consumed | SourceStatus::Failed, _) => {
                Err(Problem::SourceNotAttachable)
            }
            (SourceStatus::Chargeable | SourceStatus::Pending, Usage::SingleUse) => Err(Problem::SourceSingleUse),
            (SourceStatus::Chargeable | SourceStatus::Pending, Usage::Reusable) => Ok(&self.source),
        }
    }
}

/// How much is there at once in test mode by the e-mail address of the owner: `amount_4242@example.com`.
pub fn received_by(email: &str) -> Option<i64> {
    let (local, _) = email.split_once('@')?;
    let digits = local.strip_prefix("amount_")?;
    let amount = digits.parse().ok().filter(|amount| *amount > 0)?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(amount)
}

#[cfg(test)]
mod tests {
    use super::{RULES, SourceType, received_by};
    use crate::domain::money::Currency;

    #[test]
    fn every_type_has_its_rules() {
        assert!(RULES.iter().map(|rules| rules.kind).eq(SourceType::ALL.iter().copied()));
        for rules in &RULES {
            assert!(!rules.usages.is_empty());
            assert!(rules.currencies.iter().all(|code| Currency::parse(code).is_some()), "{:?}", rules.kind);
        }
    }

    #[test]
    fn an_address_says_how_much_arrives() {
        assert_eq!(received_by("amount_4242@example.com"), Some(4242));
        for other in ["jenny@example.com", "amount_@example.com", "amount_0@a.co", "amount_-5@a.co", "amount_+5@a.co"] {
            assert_eq!(received_by(other), None, "{other}");
        }
    }
}
