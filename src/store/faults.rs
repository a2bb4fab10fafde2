//! A store that breaks on command, for tests of what is above it: it makes one chosen call or one commit fail, and can
//! hold writes back. It keeps nothing itself.

use std::sync::Arc;

use parking_lot::Mutex;

use super::{Failure, Figure, Job, Kept, KeptReply, Look, NewEvent, Read, Store, Tx, Verdict};
use crate::domain::account::{Account, Space};
use crate::domain::api_key::{ApiKey, KeyDigest};
use crate::domain::balance::BalanceTransaction;
use crate::domain::customer::Customer;
use crate::domain::delivery::{Delivery, DeliveryPage, Queue};
use crate::domain::event::{Event, EventKind};
use crate::domain::ids::{BalanceTransactionId, CustomerId, DeliveryId, EventId, WebhookEndpointId};
use crate::domain::object::{List, Object, ObjectKind};
use crate::domain::page::{BalancePage, CustomerPage, EventPage, ObjectPage, Page, Place};
use crate::domain::query::Query;
use crate::domain::term::Mark;
use crate::domain::time::Time;
use crate::domain::webhook::WebhookEndpoint;

/// How a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails, and trying again may help.
    Passing,
    /// It fails for good.
    Broken,
    /// It panics.
    Panic,
}

/// Which calls count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calls {
    /// All of them.
    Any,
    /// Those of looks, beside every transaction.
    OfLooks,
    /// Those of transactions.
    OfTransactions,
}

/// What gets lost at the end of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The commit: everything was written, and nothing of it stays.
    Commit,
    /// The answer: everything stays, and whoever asked is told of a failure.
    Answer,
}

/// A store around another one.
pub struct FaultyStore {
    inner: Arc<dyn Store>,
    trap: Arc<Trap>,
    /// The jobs that wait while they are held; `None` when none are.
    held: Mutex<Option<Vec<Box<dyn Job>>>>,
}

#[derive(Default)]
struct Trap {
    /// Which calls count, how many of them still go well before one does not, and how that one goes.
    armed: Mutex<Option<(Calls, usize, Fault)>>,
    /// What the next transaction that writes loses.
    loss: Mutex<Option<Loss>>,
}

impl FaultyStore {
    /// Works like `inner` until it is told otherwise.
    pub fn new(inner: Arc<dyn Store>) -> FaultyStore {
        FaultyStore { inner, trap: Arc::default(), held: Mutex::default() }
    }

    /// Makes the `nth` call of a `Read` or `Tx` from now on go wrong, counted from 1; the calls after it go well again.
    pub fn arm(&self, nth: usize, fault: Fault) {
        self.arm_calls(Calls::Any, nth, fault);
    }

    /// The same of some calls; the others go well and are not counted.
    pub fn arm_calls(&self, calls: Calls, nth: usize, fault: Fault) {
        *self.trap.armed.lock() = Some((calls, nth.saturating_sub(1), fault));
    }

    /// Lets every call go well; `true` when the armed fault had not happened yet.
    pub fn disarm(&self) -> bool {
        self.trap.armed.lock().take().is_some()
    }

    /// Makes the next transaction that writes lose its commit or the answer to it.
    pub fn lose(&self, loss: Loss) {
        *self.trap.loss.lock() = Some(loss);
    }

    /// Makes jobs wait before they reach the store, until [`FaultyStore::release`].
    pub fn hold(&self) {
        self.held.lock().get_or_insert_default();
    }

    /// Lets the jobs go on.
    pub fn release(&self) {
        let held = self.held.lock().take();
        for job in held.into_iter().flatten() {
            self.inner.write(job);
        }
    }
}

impl Drop for FaultyStore {
    fn drop(&mut self) {
        self.release();
    }
}

/// What a call means to the trap.
enum Step {
    /// Nothing.
    Uncounted,
    /// It goes well, and another one is nearer to going wrong.
    Counted,
    /// It goes wrong so, as the last of those calls.
    Sprung(Calls, Fault),
}

impl Trap {
    /// Takes note of a call of that sort.
    fn step(&self, call: Calls) -> Step {
        let mut armed = self.armed.lock();
        match armed.as_mut() {
            None => Step::Uncounted,
            Some((counted, ..)) if *counted != Calls::Any && *counted != call => Step::Uncounted,
            Some((counted, 0, fault)) => {
                let sprung = Step::Sprung(*counted, *fault);
                *armed = None;
                sprung
            }
            Some((_, left, _)) => {
                *left -= 1;
                Step::Counted
            }
        }
    }

    /// Whether something of that sort is to get lost now; nothing is twice.
    fn loses(&self, loss: Loss) -> bool {
        self.loss.lock().take_if(|wanted| *wanted == loss).is_some()
    }
}

impl Store for FaultyStore {
    fn write(&self, job: Box<dyn Job>) {
        let job = Box::new(FaultyJob { job, trap: Arc::clone(&self.trap), wrote: false });
        let mut held = self.held.lock();
        match held.as_mut() {
            Some(held) => held.push(job),
            None => {
                // A job may use the store when it is told.
                drop(held);
                self.inner.write(job);
            }
        }
    }

    fn read(&self, look: &mut dyn FnMut(&mut dyn Read) -> Kept<()>) -> Kept<()> {
        self.inner.read(&mut |read| looked(&self.trap, read, &mut *look))
    }

    fn glance(&self, look: Box<dyn Look>) {
        self.inner.glance(Box::new(FaultyLook { look, trap: Arc::clone(&self.trap) }));
    }

    fn ready(&self) -> Kept<()> {
        self.inner.ready()
    }

    fn figures(&self) -> Vec<Figure> {
        self.inner.figures()
    }

    fn close(&self) {
        self.release();
        self.inner.close();
    }
}

struct FaultyJob {
    job: Box<dyn Job>,
    trap: Arc<Trap>,
    /// Whether its last run wrote.
    wrote: bool,
}

impl Job for FaultyJob {
    fn run(&mut self, tx: &mut dyn Tx) -> Kept<Verdict> {
        let mut faulty = FaultyTx { inner: &mut *tx, run: Run::new(&self.trap, Calls::OfTransactions) };
        let verdict = self.job.run(&mut faulty);
        faulty.run.end();
        let verdict = verdict?;
        self.wrote = verdict == Verdict::Commit && tx.wrote();
        if self.wrote && !tx.rehearsal() && self.trap.loses(Loss::Commit) {
            return Err(Failure::passing("committing in a faulty store", "a commit that was to get lost"));
        }
        Ok(verdict)
    }

    fn finish(self: Box<Self>, outcome: Kept<()>) {
        let lost = outcome.is_ok() && self.wrote && self.trap.loses(Loss::Answer);
        self.job.finish(if lost {
            Err(Failure::passing("committing in a faulty store", "an answer that was to get lost"))
        } else {
            outcome
        });
    }
}

struct FaultyLook {
    look: Box<dyn Look>,
    trap: Arc<Trap>,
}

impl Look for FaultyLook {
    fn look(&mut self, read: &mut dyn Read) -> Kept<()> {
        looked(&self.trap, read, &mut |read| self.look.look(read))
    }

    fn finish(self: Box<Self>, outcome: Kept<()>) {
        self.look.finish(outcome);
    }
}

/// Runs a look once.
fn looked(trap: &Trap, read: &mut dyn Read, look: &mut dyn FnMut(&mut dyn Read) -> Kept<()>) -> Kept<()> {
    let mut faulty = FaultyRead { inner: read, run: Run::new(trap, Calls::OfLooks) };
    let looked = look(&mut faulty);
    faulty.run.end();
    looked
}

struct FaultyRead<'a> {
    inner: &'a mut dyn Read,
    run: Run<'a>,
}

struct FaultyTx<'a> {
    inner: &'a mut dyn Tx,
    run: Run<'a>,
}

/// One run of a job or a look. When a call fails by itself the run comes to nothing, and a store that lacked what was asked
/// for has it run again: then it is as if there had been no such run.
struct Run<'a> {
    trap: &'a Trap,
    sort: Calls,
    /// How many calls of it counted.
    calls: usize,
    /// Which calls counted and how one went wrong, when it was one of this run.
    sprung: Option<(Calls, Fault)>,
    /// A call failed by itself.
    lost: bool,
}

impl<'a> Run<'a> {
    fn new(trap: &'a Trap, sort: Calls) -> Run<'a> {
        Run { trap, sort, calls: 0, sprung: None, lost: false }
    }

    /// Takes note of a call, which goes wrong when its time has come.
    fn step(&mut self) -> Kept<()> {
        if self.lost {
            return Ok(());
        }
        match self.trap.step(self.sort) {
            Step::Uncounted => Ok(()),
            Step::Counted => {
                self.calls += 1;
                Ok(())
            }
            Step::Sprung(calls, fault) => {
                self.sprung = Some((calls, fault));
                match fault {
                    Fault::Passing => Err(Failure::passing("calling a faulty store", "an armed fault")),
                    Fault::Broken => Err(Failure::broken("calling a faulty store", "an armed fault")),
                    Fault::Panic => panic!("an armed fault"),
                }
            }
        }
    }

    /// Takes note of what a call came to.
    fn seen<T>(&mut self, outcome: Kept<T>) -> Kept<T> {
        self.lost |= outcome.is_err();
        outcome
    }

    /// Sets the trap again as it was before a run that came to nothing.
    fn end(self) {
        let Run { trap, calls: counted, sprung, lost, .. } = self;
        if !lost {
            return;
        }
        let mut armed = trap.armed.lock();
        match (armed.as_mut(), sprung) {
            (None, Some((calls, fault))) => *armed = Some((calls, counted, fault)),
            (Some((_, left, _)), None) => *left += counted,
            (None, None) | (Some(_), Some(_)) => {}
        }
    }
}

macro_rules! faulty_read {
    ($(fn $name:ident($($given:ident: $kind:ty),*) -> $gives:ty;)*) => {
        faulty_read!(@for FaultyRead; $(fn $name($($given: $kind),*) -> $gives;)*);
        faulty_read!(@for FaultyTx; $(fn $name($($given: $kind),*) -> $gives;)*);
    };
    (@for $name:ident; $(fn $call:ident($($given:ident: $kind:ty),*) -> $gives:ty;)*) => {
        impl Read for $name<'_> {
            $(fn $call(&mut self, $($given: $kind),*) -> $gives {
                self.step()?;
                let outcome = self.inner.$call($($given),*);
                self.run.seen(outcome)
            })*

            // A server asks these by itself from time to time: they would catch what is meant for a request.
            fn newest(&mut self, spaces: &[Space]) -> Kept<Vec<i64>> {
                self.inner.newest(spaces)
            }

            fn queues_due(&mut self, server: &str, now: Time, most: usize) -> Kept<Vec<(Space, Queue)>> {
                self.inner.queues_due(server, now, most)
            }
        }
    };
}

faulty_read! {
    fn account(space: Space) -> Kept<Option<Account>>;
    fn accounts() -> Kept<Vec<Account>>;
    fn customer(space: Space, id: &CustomerId) -> Kept<Option<Customer>>;
    fn customers(space: Space, page: &CustomerPage) -> Kept<Page<Customer>>;
    fn search(space: Space, query: &Query, after: Option<&Place>, limit: usize) -> Kept<Page<Customer>>;
    fn count(space: Space, query: &Query, most: usize) -> Kept<usize>;
    fn marked(space: Space, mark: &Mark) -> Kept<Option<CustomerId>>;
    fn balance_transaction(
        space: Space,
        customer: &CustomerId,
        id: &BalanceTransactionId
    ) -> Kept<Option<BalanceTransaction>>;
    fn balance_transactions(space: Space, page: &BalancePage) -> Kept<Page<BalanceTransaction>>;
    fn event(space: Space, id: &EventId) -> Kept<Option<Event>>;
    fn events(space: Space, page: &EventPage) -> Kept<Page<Event>>;
    fn event_places(space: Space, after: i64, kinds: &[EventKind], most: usize) -> Kept<Vec<i64>>;
    fn endpoints(space: Space) -> Kept<Arc<[WebhookEndpoint]>>;
    fn delivery(space: Space, id: &DeliveryId) -> Kept<Option<Delivery>>;
    fn deliveries(space: Space, page: &DeliveryPage) -> Kept<Page<Delivery>>;
    fn open_deliveries(space: Space, event: i64) -> Kept<usize>;
    fn due_deliveries(space: Space, endpoint: &WebhookEndpointId, now: Time, most: usize) -> Kept<Vec<Delivery>>;
    fn queue(space: Space, endpoint: &WebhookEndpointId) -> Kept<Option<Queue>>;
    fn old_deliveries(before: Time, most: usize) -> Kept<Vec<(Space, DeliveryId)>>;
    fn reply(space: Space, key: &str) -> Kept<Option<KeptReply>>;
    fn old_replies(before: Time, most: usize) -> Kept<Vec<(Space, String)>>;
    fn object(space: Space, kind: ObjectKind, id: &str) -> Kept<Option<Object>>;
    fn short_list(space: Space, list: List) -> Kept<Vec<Object>>;
    fn objects(space: Space, page: &ObjectPage) -> Kept<Page<Object>>;
    fn api_key(space: Space, digest: &KeyDigest) -> Kept<Option<ApiKey>>;
    fn api_keys() -> Kept<Vec<ApiKey>>;
}

impl FaultyRead<'_> {
    fn step(&mut self) -> Kept<()> {
        self.run.step()
    }
}

impl FaultyTx<'_> {
    /// What goes wrong in a rehearsal is nobody's concern.
    fn step(&mut self) -> Kept<()> {
        if self.inner.rehearsal() { Ok(()) } else { self.run.step() }
    }
}

impl Tx for FaultyTx<'_> {
    fn rehearsal(&self) -> bool {
        self.inner.rehearsal()
    }

    fn moment(&mut self, space: Space, now: Time) -> Kept<Time> {
        self.step()?;
        let outcome = self.inner.moment(space, now);
        self.run.seen(outcome)
    }

    fn wrote(&self) -> bool {
        self.inner.wrote()
    }

    fn put_account(&mut self, account: &Account) -> Kept<()> {
        self.step()?;
        let outcome = self.inner.put_account(account);
        self.run.seen(outcome)
    }

    fn put_customer(&mut self, space: Space, before: Option<&Customer>, after: &Customer) -> Kept<()> {
        self.step()?;
        let outcome = self.inner.put_customer(space, before, after);
        self.run.seen(outcome)
    }

    fn put_balance_transaction(&mut self, space: Space, transaction: &BalanceTransaction) -> Kept<()> {
        self.step()?;
        let outcome = self.inner.put_balance_transaction(space, transaction);
        self.run.seen(outcome)
    }

    fn append(&mut self, space: Space, event: NewEvent<'_>) -> Kept<i64> {
        self.step()?;
        let outcome = self.inner.append(space, event);
        self.run.seen(outcome)
    }

    fn put_reply(&mut self, space: Space, reply: &KeptReply) -> Kept<()> {
        self.step()?;
        let outcome = self.inner.put_reply(space, reply);
        self.run.seen(outcome)
    }

    fn forget_replies(&mut self, space: Space, keys: &[String], before: Time) -> Kept<()> {
        self.step()?;
        let outcome = self.inner.forget_replies(space, keys, before);
        self.run.seen(outcome)
    }

    fn put_object(&mut self, space: Space, object: &Object, was_on: &[List], is_on: &[List]) -> Kept<()> {
        self.step()?;
        let outcome = self.inner.put_object(space, object, was_on, is_on);
        self.run.seen(outcome)
    }

    fn remove_object(&mut self, space: Space, object: &Object, was_on: &[List]) -> Kept<()> {
        self.step()?;
        let outcome = self.inner.remove_object(space, object, was_on);
        self.run.seen(outcome)
    }

    fn put_delivery(&mut self, space: Space, delivery: &Delivery) -> Kept<()> {
        self.step()?;
        let outcome = self.inner.put_delivery(space, delivery);
        self.run.seen(outcome)
    }

    fn put_queue(&mut self, space: Space, queue: &Queue) -> Kept<()> {
        self.step()?;
        let outcome = self.inner.put_queue(space, queue);
        self.run.seen(outcome)
    }

    fn forget_deliveries(&mut self, space: Space, ids: &[DeliveryId]) -> Kept<()> {
        self.step()?;
        let outcome = self.inner.forget_deliveries(space, ids);
        self.run.seen(outcome)
    }

    fn put_api_key(&mut self, space: Space, key: &ApiKey) -> Kept<()> {
        self.step()?;
        let outcome = self.inner.put_api_key(space, key);
        self.run.seen(outcome)
    }

    fn claim(&mut self, spaces: &[Space]) -> Kept<()> {
        self.step()?;
        let outcome = self.inner.claim(spaces);
        self.run.seen(outcome)
    }

    fn wipe(&mut self, space: Space) -> Kept<()> {
        self.step()?;
        let outcome = self.inner.wipe(space);
        self.run.seen(outcome)
    }

    fn copy(&mut self, from: Space, to: Space) -> Kept<()> {
        self.step()?;
        let outcome = self.inner.copy(from, to);
        self.run.seen(outcome)
    }
}
