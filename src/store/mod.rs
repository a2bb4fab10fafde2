//! What can be kept, and how a caller reads and changes it. Two traits for verbs (`Read`, `Tx`), one for whoever runs
//! them (`Store`). A store knows records and pages; it decides nothing about customers.

pub mod check;
pub mod copy;
mod count;
#[doc(hidden)]
pub mod faults;
pub mod memory;
pub mod postgres;
pub mod record;
pub mod rows;
pub mod sqlite;
#[cfg(test)]
pub mod suite;
mod walk;
mod whole;

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crate::domain::account::{Account, Space};
use crate::domain::api_key::{ApiKey, KeyDigest};
use crate::domain::balance::BalanceTransaction;
use crate::domain::customer::Customer;
use crate::domain::delivery::{Delivery, DeliveryPage, Queue};
use crate::domain::event::{Cause, Event, EventKind, Happening};
use crate::domain::ids::{BalanceTransactionId, CustomerId, DeliveryId, EventId, RequestId, WebhookEndpointId};
use crate::domain::object::{List, Object, ObjectKind};
use crate::domain::page::{BalancePage, Cursor, CustomerPage, EventPage, ObjectPage, Page, Place};
use crate::domain::query::Query;
use crate::domain::term::Mark;
use crate::domain::time::Time;
use crate::domain::webhook::WebhookEndpoint;

/// The most jobs that may wait for the writer; one more is refused at once.
pub const MAX_WAITING: usize = 8_192;

/// How many objects are read of a list that is known to be short.
pub const MAX_SHORT_LIST: usize = 1_000;

/// The moment in a row that stands for none.
const NEVER: i64 = i64::MAX;

/// A moment as a row has it.
fn moment(time: Option<Time>) -> i64 {
    time.map_or(NEVER, |time| time.0)
}

/// A moment of a row.
fn later(moment: i64) -> Option<Time> {
    (moment < NEVER).then_some(Time(moment))
}

/// The endpoints among the objects of an account's list of them.
fn endpoints_among(objects: &[Object]) -> Kept<Arc<[WebhookEndpoint]>> {
    let broken = |cause: Box<dyn Error + Send + Sync>| Failure::broken("reading webhook endpoints", cause);
    let endpoint = |object: &Object| {
        let facts = record::read_facts(object).map_err(|unreadable| broken(unreadable.into()))?;
        WebhookEndpoint::try_from(facts).map_err(|_| broken("they are of another kind".into()))
    };
    objects.iter().map(endpoint).collect()
}

/// Whether trying again may help against a store's trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// It does not: something is broken.
    Broken,
    /// Later: a full disk, a full queue, a database that is away.
    Passing,
    /// At once: others were at the same records for too long.
    Contended,
}

/// A store's trouble: what we were doing, and why it did not work. Never carries personal data.
#[derive(Debug)]
pub struct Failure {
    /// What we were doing, as "committing a group of 12".
    pub doing: String,
    /// Whether trying again may help.
    pub outlook: Outlook,
    /// Why it did not work.
    pub cause: Box<dyn Error + Send + Sync>,
}

impl Failure {
    /// A failure that trying again does not help.
    pub fn broken(doing: impl Into<String>, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Failure {
        Failure { doing: doing.into(), outlook: Outlook::Broken, cause: cause.into() }
    }

    /// A failure that may pass: a full disk, a busy file, a full queue.
    pub fn passing(doing: impl Into<String>, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Failure {
        Failure { doing: doing.into(), outlook: Outlook::Passing, cause: cause.into() }
    }

    /// A failure for want of a lock that others held on to.
    pub fn contended(doing: impl Into<String>, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Failure {
        Failure { doing: doing.into(), outlook: Outlook::Contended, cause: cause.into() }
    }

    /// Whether trying again, now or later, may help.
    pub fn passes(&self) -> bool {
        match self.outlook {
            Outlook::Passing | Outlook::Contended => true,
            Outlook::Broken => false,
        }
    }

    /// The same failure for one more who waits for it.
    pub fn again(&self) -> Failure {
        Failure { doing: self.doing.clone(), outlook: self.outlook, cause: self.cause.to_string().into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.doing, self.cause)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.source()
    }
}

/// What a store call gives.
pub type Kept<T> = Result<T, Failure>;

/// The reply to a request that carried an idempotency key, to be given again for the same key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptReply {
    /// The idempotency key.
    pub key: String,
    /// Method and path of the first use, as `POST /v1/customers`.
    pub endpoint: String,
    /// Digest of the parameters of the first use.
    pub parameters: [u8; 32],
    /// The request that was answered.
    pub request: RequestId,
    /// When it was answered.
    pub created: Time,
    /// HTTP status.
    pub status: u16,
    /// Headers that belong to the reply itself.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

/// An event about to be kept: all but its place in the history.
#[derive(Debug)]
pub struct NewEvent<'a> {
    /// Its id.
    pub id: EventId,
    /// When.
    pub created: Time,
    /// What asked for it.
    pub cause: &'a Cause,
    /// What happened.
    pub what: Happening,
}

/// What can be looked at. All calls within one transaction see one state; those of a [`Store::glance`] need not.
pub trait Read {
    /// The account in the mode that the space stands for.
    fn account(&mut self, space: Space) -> Kept<Option<Account>>;
    /// Every account, by id then mode. For operators' commands.
    fn accounts(&mut self) -> Kept<Vec<Account>>;
    /// A customer, deleted or not.
    fn customer(&mut self, space: Space, id: &CustomerId) -> Kept<Option<Customer>>;
    /// A page of live customers, newest first.
    fn customers(&mut self, space: Space, page: &CustomerPage) -> Kept<Page<Customer>>;
    /// Live customers that answer the query, newest first, behind `after`, at most `limit`.
    fn search(&mut self, space: Space, query: &Query, after: Option<&Place>, limit: usize) -> Kept<Page<Customer>>;
    /// How many live customers answer the query; counting stops at `most`.
    fn count(&mut self, space: Space, query: &Query, most: usize) -> Kept<usize>;
    /// The customer, deleted or not, that has the mark.
    fn marked(&mut self, space: Space, mark: &Mark) -> Kept<Option<CustomerId>>;
    /// A balance transaction of a customer.
    fn balance_transaction(
        &mut self,
        space: Space,
        customer: &CustomerId,
        id: &BalanceTransactionId,
    ) -> Kept<Option<BalanceTransaction>>;
    /// A page of a customer's balance transactions, newest first.
    fn balance_transactions(&mut self, space: Space, page: &BalancePage) -> Kept<Page<BalanceTransaction>>;
    /// An event.
    fn event(&mut self, space: Space, id: &EventId) -> Kept<Option<Event>>;
    /// A page of events, newest first.
    fn events(&mut self, space: Space, page: &EventPage) -> Kept<Page<Event>>;
    /// The places of the events of those kinds behind the place `after` of the account's history, oldest first, at most
    /// `most`. The events themselves, which may be large, are not looked at.
    fn event_places(&mut self, space: Space, after: i64, kinds: &[EventKind], most: usize) -> Kept<Vec<i64>>;
    /// The events behind the place `after` of the account's history, oldest first, at most `most`.
    fn news(&mut self, space: Space, after: i64, most: usize) -> Kept<Vec<Event>> {
        let page = EventPage { cursor: Cursor::NewerThan(after), limit: most, ..EventPage::default() };
        let mut events = self.events(space, &page)?.items;
        events.reverse();
        Ok(events)
    }
    /// The place of the newest event of each of these accounts; 0 where nothing has happened. For those who watch several.
    fn newest(&mut self, spaces: &[Space]) -> Kept<Vec<i64>>;
    /// The account's webhook endpoints, newest first. Asked before every change, so a store remembers them.
    fn endpoints(&mut self, space: Space) -> Kept<Arc<[WebhookEndpoint]>>;
    /// A delivery.
    fn delivery(&mut self, space: Space, id: &DeliveryId) -> Kept<Option<Delivery>>;
    /// A page of deliveries, newest event first.
    fn deliveries(&mut self, space: Space, page: &DeliveryPage) -> Kept<Page<Delivery>>;
    /// How many deliveries of the event at that place are still to succeed.
    fn open_deliveries(&mut self, space: Space, event: i64) -> Kept<usize>;
    /// What is to be sent to an endpoint at that moment, in the order in which it became due, at most `most`.
    fn due_deliveries(
        &mut self,
        space: Space,
        endpoint: &WebhookEndpointId,
        now: Time,
        most: usize,
    ) -> Kept<Vec<Delivery>>;
    /// The queue of an endpoint.
    fn queue(&mut self, space: Space, endpoint: &WebhookEndpointId) -> Kept<Option<Queue>>;
    /// Queues in which something is due at that moment and which no other server works on, at most `most`. Across accounts.
    fn queues_due(&mut self, server: &str, now: Time, most: usize) -> Kept<Vec<(Space, Queue)>>;
    /// Deliveries made before `before` that are not to be sent, at most `most`. For housekeeping, across accounts.
    fn old_deliveries(&mut self, before: Time, most: usize) -> Kept<Vec<(Space, DeliveryId)>>;
    /// The reply kept for an idempotency key.
    fn reply(&mut self, space: Space, key: &str) -> Kept<Option<KeptReply>>;
    /// Keys of replies made before `before`, oldest first, at most `most`. For housekeeping, across accounts.
    fn old_replies(&mut self, before: Time, most: usize) -> Kept<Vec<(Space, String)>>;
    /// An object.
    fn object(&mut self, space: Space, kind: ObjectKind, id: &str) -> Kept<Option<Object>>;
    /// The objects on a list that is known to be short, newest first, at most [`MAX_SHORT_LIST`]; when there are so many, it
    /// may be more, and they need not be the newest.
    fn short_list(&mut self, space: Space, list: List) -> Kept<Vec<Object>>;
    /// A page of a list of objects, newest first.
    fn objects(&mut self, space: Space, page: &ObjectPage) -> Kept<Page<Object>>;
    /// The API key of that digest.
    fn api_key(&mut self, space: Space, digest: &KeyDigest) -> Kept<Option<ApiKey>>;
    /// Every API key, oldest first. For operators' commands.
    fn api_keys(&mut self) -> Kept<Vec<ApiKey>>;
}

/// What can be changed, all of it or nothing. A store may tell of a write that cannot be done when it is asked for or at
/// the end, to the whole job.
pub trait Tx: Read {
    /// Whether this run only shows the store what the job will ask for: what it reads may be guessed, and whatever it
    /// does and gives is thrown away.
    fn rehearsal(&self) -> bool {
        false
    }
    /// The moment at which the transaction happens: `now`, or a little later where the account's history already is,
    /// because the clocks of several servers differ. A history never goes back in time.
    fn moment(&mut self, _: Space, now: Time) -> Kept<Time> {
        Ok(now)
    }
    /// Whether anything was written in this transaction.
    fn wrote(&self) -> bool;
    /// Makes or replaces an account.
    fn put_account(&mut self, account: &Account) -> Kept<()>;
    /// Makes (`before` is `None`) or replaces a customer and keeps its terms in step.
    fn put_customer(&mut self, space: Space, before: Option<&Customer>, after: &Customer) -> Kept<()>;
    /// Makes or replaces a balance transaction.
    fn put_balance_transaction(&mut self, space: Space, transaction: &BalanceTransaction) -> Kept<()>;
    /// Adds an event at the end of the account's history and gives its place.
    fn append(&mut self, space: Space, event: NewEvent<'_>) -> Kept<i64>;
    /// Keeps a reply, in place of one that its key had.
    fn put_reply(&mut self, space: Space, reply: &KeptReply) -> Kept<()>;
    /// Forgets the replies of these keys, as far as they were made before `before`.
    fn forget_replies(&mut self, space: Space, keys: &[String], before: Time) -> Kept<()>;
    /// Makes or replaces an object, which was on some lists and is on others now.
    fn put_object(&mut self, space: Space, object: &Object, was_on: &[List], is_on: &[List]) -> Kept<()>;
    /// Removes an object, and from the lists that it was on.
    fn remove_object(&mut self, space: Space, object: &Object, was_on: &[List]) -> Kept<()>;
    /// Makes or replaces a delivery. One that is due pulls its endpoint's queue along.
    fn put_delivery(&mut self, space: Space, delivery: &Delivery) -> Kept<()>;
    /// Makes or replaces a queue.
    fn put_queue(&mut self, space: Space, queue: &Queue) -> Kept<()>;
    /// Forgets deliveries that are not to be sent.
    fn forget_deliveries(&mut self, space: Space, ids: &[DeliveryId]) -> Kept<()>;
    /// Makes or replaces an API key.
    fn put_api_key(&mut self, space: Space, key: &ApiKey) -> Kept<()>;
    /// Asks for accounts that [`Tx::wipe`] and [`Tx::copy`] are to change or to copy from. A job that does asks for it first
    /// of all; beside the accounts' own records, it neither reads what it has changed so nor writes there.
    fn claim(&mut self, spaces: &[Space]) -> Kept<()>;
    /// Removes all that an account holds. Its own record and its API keys stay.
    fn wipe(&mut self, space: Space) -> Kept<()>;
    /// Gives `to` all that another account holds, in place of what it held itself: its own record and its API keys stay.
    /// Deliveries that are still to be sent are not copied.
    fn copy(&mut self, from: Space, to: Space) -> Kept<()>;
}

/// Whether a job's writes stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They do.
    Commit,
    /// They do not; the job was refused.
    Rollback,
}

/// One transaction to be run by a store: maybe together with others in one commit, maybe more than once, but never half.
/// A store that has to fetch something first, or meets a conflict, runs it again from the start.
pub trait Job: Send {
    /// Reads, decides, writes, in this order. A failure or a panic undoes this job alone. A failure of `tx` is passed on.
    fn run(&mut self, tx: &mut dyn Tx) -> Kept<Verdict>;
    /// Told once, after the writes are on disk or undone.
    fn finish(self: Box<Self>, outcome: Kept<()>);
}

/// A look at one or two rows by key, to be taken by a store: maybe more than once, and the last one counts.
pub trait Look: Send {
    /// Looks. A failure of `read` is passed on, or kept to be told, but what a failed look saw means nothing.
    fn look(&mut self, read: &mut dyn Read) -> Kept<()>;
    /// Told once, when it has looked.
    fn finish(self: Box<Self>, outcome: Kept<()>);
}

/// A place where records are kept durably.
pub trait Store: Send + Sync {
    /// Queues a job. `Job::finish` is called in every case, also when the queue is full or the store is closed.
    fn write(&self, job: Box<dyn Job>);
    /// Runs `look` on one state of the store, maybe more than once. The calling thread waits: it must be one that may.
    fn read(&self, look: &mut dyn FnMut(&mut dyn Read) -> Kept<()>) -> Kept<()>;
    /// The same for one or two rows by key, and cheaper: each call within the look may see a newer state than the one
    /// before it, never an older one. Every call sees at least what was told to be written before it. Nobody waits:
    /// `Look::finish` is called in every case, here and now or later.
    fn glance(&self, look: Box<dyn Look>);
    /// Whether it can be reached and written to.
    fn ready(&self) -> Kept<()>;
    /// Numbers for the operator: (name, help, value), all gauges or running totals.
    fn figures(&self) -> Vec<Figure>;
    /// Finishes what is queued and lets go. Later jobs are refused.
    fn close(&self);
}

/// A number that a store tells its operator.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    /// Metric name without the `cusp_` prefix, as `store_commits_total`.
    pub name: &'static str,
    /// What it counts.
    pub help: &'static str,
    /// The number.
    pub value: f64,
    /// It only grows.
    pub counter: bool,
}
