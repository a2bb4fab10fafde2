//! Verbs: synchronous and deterministic, one function per operation. A verb reads, decides, writes, tells, in that
//! order: when it refuses, it has written nothing. It knows neither who called it nor what store is below.

pub mod accounts;
pub mod assets;
pub mod balance_transactions;
pub mod billing_groups;
pub mod businesses;
pub mod cash_balance;
pub mod coupons;
pub mod customer_addresses;
pub mod customer_lists;
pub mod customers;
pub mod deliveries;
pub mod discounts;
pub mod events;
mod holdings;
pub mod imports;
mod instalments;
pub mod keys;
pub mod listing;
mod objects;
pub mod orders;
pub mod payment_methods;
pub mod product_imports;
pub mod products;
pub mod promotion_codes;
pub mod rental_book;
pub mod rental_payments;
pub mod rentals;
pub mod renters;
pub mod replies;
pub mod sandboxes;
pub mod setup_intents;
pub mod source_objects;
pub mod sources;
pub mod tax_ids;
pub mod tokens;
pub mod units;
pub mod webhook_endpoints;

use std::sync::atomic::{AtomicBool, Ordering};

use crate::domain::account::Account;
use crate::domain::catalogue::CatalogueProblem;
use crate::domain::delivery::{Delivery, News};
use crate::domain::event::{Cause, Happening};
use crate::domain::ids::{DeliveryId, EventId, IdSource};
use crate::domain::problem::Problem;
use crate::domain::rental_problem::RentalProblem;
use crate::domain::time::Time;
use crate::store::{Failure, NewEvent, Tx};

/// All that a verb needs of the world.
pub struct Ctx<'a> {
    /// For whom.
    pub account: &'a Account,
    /// The moment at which all of it happens.
    pub now: Time,
    /// Where ids come from.
    pub ids: &'a dyn IdSource,
    /// What asked for it.
    pub cause: &'a Cause,
    /// Told when there is something to be sent to webhook endpoints.
    pub bell: &'a Bell,
}

/// Says that a transaction has left something to be sent to webhook endpoints.
#[derive(Debug, Default)]
pub struct Bell(AtomicBool);

impl Bell {
    /// Says so.
    pub fn ring(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was said; not any more.
    pub fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

/// Why a verb did not do it.
#[derive(Debug)]
pub enum Stop {
    /// The caller's mistake.
    Problem(Problem),
    /// The store's trouble.
    Failure(Failure),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Stop {
        Stop::Problem(problem)
    }
}

impl From<RentalProblem> for Stop {
    fn from(problem: RentalProblem) -> Stop {
        Stop::Problem(problem.into())
    }
}

impl From<CatalogueProblem> for Stop {
    fn from(problem: CatalogueProblem) -> Stop {
        Stop::Problem(problem.into())
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Stop {
        Stop::Failure(failure)
    }
}

/// What a verb gives.
pub type Done<T> = Result<T, Stop>;

/// What the caller insists on before a record is changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Precondition {
    /// The record is at one of these versions.
    pub at: Option<Vec<u64>>,
    /// The record is at none of these versions.
    pub not_at: NotAt,
}

/// Versions that a record must not be at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum NotAt {
    /// None is ruled out.
    #[default]
    Nothing,
    /// These are.
    Versions(Vec<u64>),
    /// Every one is: there must be no record.
    Anything,
}

impl Precondition {
    /// Refuses a record at a version that does not do.
    pub fn check(&self, current: u64) -> Result<(), Problem> {
        let wrong = self.at.as_ref().is_some_and(|versions| !versions.contains(&current));
        let ruled_out = match &self.not_at {
            NotAt::Nothing => false,
            NotAt::Versions(versions) => versions.contains(&current),
            NotAt::Anything => true,
        };
        if wrong || ruled_out { Err(Problem::VersionMismatch { current }) } else { Ok(()) }
    }
}

const LETTERS_AND_DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const CAPITALS_AND_DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// A word of so many letters that nobody can foretell, each as likely as any other.
fn random_word(ids: &dyn IdSource, letters: &[u8], length: usize) -> String {
    let mut word = String::with_capacity(length);
    // The numbers that a byte can be, as far as they divide evenly.
    let even = 256 / letters.len() * letters.len();
    while word.len() < length {
        let mut bytes = [0; 16];
        ids.random(&mut bytes);
        let places = bytes.iter().map(|byte| usize::from(*byte)).filter(|place| *place < even);
        word.extend(places.take(length - word.len()).map(|place| char::from(letters[place % letters.len()])));
    }
    word
}

/// Writes down what happened, in the transaction that made it happen, and that endpoints are to be told of it.
fn tell(tx: &mut dyn Tx, ctx: &Ctx<'_>, what: Happening) -> Result<(), Failure> {
    let space = ctx.account.space;
    let endpoints = tx.endpoints(space)?;
    let kind = what.kind();
    let mut told = endpoints.iter().filter(|endpoint| endpoint.hears(kind)).peekable();
    let about = told.peek().map(|_| what.about().to_owned());
    let event = NewEvent { id: EventId::mint(ctx.ids, ctx.now), created: ctx.now, cause: ctx.cause, what };
    let id = event.id.clone();
    let sequence = tx.append(space, event)?;
    for endpoint in told {
        let about = about.clone().unwrap_or_default();
        let news = News { event: id.clone(), sequence, event_type: kind.as_str().to_owned(), about };
        let delivery = Delivery::new(DeliveryId::mint(ctx.ids, ctx.now), endpoint.id.clone(), news, ctx.now);
        tx.put_delivery(space, &delivery)?;
        ctx.bell.ring();
    }
    Ok(())
}
