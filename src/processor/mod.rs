//! Payments go through a processor: it takes numbers into its keeping and says whether an instrument may be used. It may be
//! slow, foreign or away, so it is asked outside of every transaction (decision 010). Nothing here keeps a record.

mod fingerprint;
mod simulator;
pub mod stand_in;
mod table;

use std::future::Future;
use std::pin::Pin;

use crate::domain::account::{FingerprintKey, Mode};
use crate::domain::bank_account::{BankFacts, BankStatus, Guess, Told};
use crate::domain::card::{CardFacts, Reference};
use crate::domain::decline::Decline;
use crate::domain::money::Currency;
use crate::domain::problem::Problem;
use crate::domain::secret::Secret;
use crate::domain::time::Time;
use crate::domain::token::Carried;
use crate::engine::{Done, Stop};
use crate::store::Failure;

pub use simulator::Simulator;

/// An answer on its way.
pub type Answering<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failing>> + Send + 'a>>;

/// Takes numbers into its keeping and speaks with those who issued them.
///
/// What it is asked to do is asked under an [`AttemptKey`]. A key stands for one attempt: a processor that has seen it
/// answers what it answered then and does nothing anew, so that whoever lost the answer asks again. That holds for
/// everything that moves money too, when there is such a thing.
pub trait Processor: Send + Sync {
    /// Takes an instrument into its keeping, and tells what may be known of it. What is declined is not kept.
    fn accept<'a>(&'a self, ask: Ask<'a>, details: &'a Details) -> Answering<'a, Accepted>;

    /// The instrument that a documented name stands for, as `tok_visa`.
    fn named(&self, ask: Ask<'_>, name: &str) -> Option<Accepted>;

    /// Whether amounts are those that were paid into a bank account to prove whose it is, in either order.
    fn judge<'a>(&'a self, ask: Ask<'a>, account: &'a Reference, told: &'a Told) -> Answering<'a, Guess>;

    /// Asks the issuer whether an instrument may be used from now on.
    fn verify<'a>(&'a self, ask: Ask<'a>, instrument: &'a Accepted) -> Answering<'a, Verified>;
}

/// What is the same whatever is asked.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// The attempt that the question is part of.
    pub attempt: &'a AttemptKey,
    /// Whether the money is real.
    pub mode: Mode,
    /// By which the account tells equal numbers.
    pub fingerprints: &'a FingerprintKey,
    /// When it is asked.
    pub now: Time,
}

/// The name of an attempt, which no other attempt has: 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptKey(pub String);

/// What an instrument is made of, as its owner states it.
#[derive(Clone, Debug, PartialEq)]
pub enum Details {
    /// A card.
    Card(CardDetails),
    /// A bank account.
    BankAccount(BankDetails),
}

/// What is stated of a card.
#[derive(Clone, Debug, PartialEq)]
pub struct CardDetails {
    /// Its number, maybe in groups.
    pub number: Secret,
    /// The month in which it expires; none that there is when it could not be read.
    pub exp_month: i64,
    /// The year in which it expires, of two or four digits; none that there is when it could not be read.
    pub exp_year: i64,
    /// Its security code.
    pub cvc: Option<Secret>,
    /// Whether the first line of the owner's address is stated.
    pub states_line1: bool,
    /// Whether the postal code of the owner's address is stated.
    pub states_postal_code: bool,
}

/// What is stated of a bank account.
#[derive(Clone, Debug, PartialEq)]
pub struct BankDetails {
    /// Its number.
    pub number: Secret,
    /// What names the bank.
    pub routing_number: Option<String>,
    /// The bank's country, two letters.
    pub country: String,
    /// What it is in; the country's own when it is not stated.
    pub currency: Option<Currency>,
}

/// An instrument in the processor's keeping.
#[derive(Clone, Debug, PartialEq)]
pub enum Accepted {
    /// A card.
    Card(CardFacts),
    /// A bank account.
    BankAccount {
        /// The account itself.
        facts: BankFacts,
        /// How far it is proven.
        status: BankStatus,
    },
}

impl Accepted {
    /// What a token stands for; `None` when that is no instrument.
    pub fn of(carried: &Carried) -> Option<Accepted> {
        match carried {
            Carried::Card(card) => Some(Accepted::Card(card.facts.clone())),
            Carried::BankAccount(account) => {
                Some(Accepted::BankAccount { facts: account.facts.clone(), status: account.status })
            }
            Carried::Pii | Carried::CvcUpdate => None,
        }
    }
}

/// An instrument that may be used.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    /// It, with what the issuer said of what was stated.
    pub instrument: Accepted,
    /// What has to be done before it is used.
    pub authentication: Authentication,
}

/// Whether the owner has to prove who he is before a card is used, and what comes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// He cannot.
    Unsupported,
    /// He may.
    Offered,
    /// He may, but it does not work.
    OfferedFails,
    /// He has to until the card is set up; afterwards not when he is away.
    UntilSetUp,
    /// He had to; not any more when he is away.
    SetUpAlready,
    /// He has to every time.
    Always,
    /// He has to every time, and then there is too little money.
    AlwaysThenInsufficientFunds,
    /// He has to.
    Required,
    /// He has to, and is declined afterwards.
    RequiredThenDeclined,
    /// He has to, and it cannot be found out how.
    RequiredLookupFails,
}

/// Why there is no good answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failing {
    /// No.
    Declined(Decline),
    /// The processor does not answer. Whether it did what it was asked is not known: the same attempt asks again.
    Away {
        /// What was seen of it, for the log. Never a number.
        seen: String,
    },
}

/// What is to be asked before a transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// About what.
    pub about: Subject,
    /// Whether it is to be used from now on, which its issuer is asked about.
    pub verify: bool,
}

/// What a question is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// Something new, to be taken into the processor's keeping.
    Details(Details),
    /// Something by a name that documents give.
    Named(String),
    /// Something in the processor's keeping.
    Known(Accepted),
    /// What somebody says was paid into a bank account in the processor's keeping, in minor units.
    PaidIn(Reference, Told),
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    /// It is in the processor's keeping; its issuer was not asked.
    Accepted(Accepted),
    /// It may be used.
    Verified(Verified),
    /// It is not taken.
    Declined(Decline),
    /// Whether what was said is right.
    Judged(Guess),
    /// It is in the processor's keeping, but may not be used.
    Refused {
        /// It.
        instrument: Accepted,
        /// Why it may not.
        decline: Decline,
    },
    /// No document gives that name.
    NoSuchName,
}

impl Finding {
    /// The instrument, if it is taken; `None` when there is none of that name.
    pub fn instrument(&self) -> Result<Option<&Accepted>, Problem> {
        match self {
            Finding::Accepted(instrument) | Finding::Verified(Verified { instrument, .. }) => Ok(Some(instrument)),
            Finding::Declined(decline) | Finding::Refused { decline, .. } => Err(Problem::Declined(*decline)),
            Finding::NoSuchName | Finding::Judged(_) => Ok(None),
        }
    }

    /// Whether what was said of what was paid in is right.
    pub fn guess(&self) -> Done<Guess> {
        match self {
            Finding::Judged(guess) => Ok(*guess),
            Finding::Declined(decline) | Finding::Refused { decline, .. } => Err(Problem::Declined(*decline).into()),
            Finding::Accepted(_) | Finding::Verified(_) | Finding::NoSuchName => Err(mixed_up()),
        }
    }
}

/// What was found about what a transaction uses. When there is none, what it uses came after the question was thought of:
/// the request has to begin anew.
pub fn found(finding: Option<&Finding>) -> Done<&Finding> {
    finding.ok_or_else(|| Failure::contended("using an instrument", "it came after the processor was asked").into())
}

/// What was found is about something else than what the transaction uses.
pub fn mixed_up() -> Stop {
    Failure::contended("using an instrument", "it changed after the processor was asked").into()
}

/// Asks the processor; an error says what was seen of one that does not answer.
pub async fn find_out(processor: &dyn Processor, ask: Ask<'_>, question: &Question) -> Result<Finding, String> {
    let Question { about, verify } = question;
    let accepted = match about {
        Subject::Details(details) => processor.accept(ask, details).await,
        Subject::Known(instrument) => Ok(instrument.clone()),
        Subject::PaidIn(account, told) => {
            return match processor.judge(ask, account, told).await {
                Ok(guess) => Ok(Finding::Judged(guess)),
                Err(Failing::Declined(decline)) => Ok(Finding::Declined(decline)),
                Err(Failing::Away { seen }) => Err(seen),
            };
        }
        Subject::Named(name) => match processor.named(ask, name) {
            Some(instrument) => Ok(instrument),
            None => return Ok(Finding::NoSuchName),
        },
    };
    let instrument = match accepted {
        Ok(instrument) => instrument,
        Err(Failing::Declined(decline)) => return Ok(Finding::Declined(decline)),
        Err(Failing::Away { seen }) => return Err(seen),
    };
    if !verify {
        return Ok(Finding::Accepted(instrument));
    }
    match processor.verify(ask, &instrument).await {
        Ok(verified) => Ok(Finding::Verified(verified)),
        Err(Failing::Declined(decline)) => Ok(Finding::Refused { instrument, decline }),
        Err(Failing::Away { seen }) => Err(seen),
    }
}
