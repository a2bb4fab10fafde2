//! What the program gives a store to do: verbs in a transaction, looks, transactions of its own. Each tells whoever waits.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{mpsc, oneshot};

use super::{Meter, Stage};
use crate::clock::Clock;
use crate::domain::account::Account;
use crate::domain::event::Cause;
use crate::domain::problem::Problem;
use crate::engine::{Bell, Ctx, Done, Stop};
use crate::feed::{Feed, Mailbox};
use crate::ids::Repeated;
use crate::store::{Failure, Job, Kept, Look, Read, Tx, Verdict};

/// A verb on its way through a store.
pub(super) struct Work<T, V> {
    pub(super) verb: V,
    pub(super) account: Arc<Account>,
    pub(super) cause: Cause,
    pub(super) clock: Clock,
    pub(super) ids: Repeated,
    pub(super) meter: Arc<dyn Meter>,
    pub(super) since: Instant,
    pub(super) result: Option<Result<T, Problem>>,
    pub(super) wrote: bool,
    pub(super) tell: oneshot::Sender<Done<T>>,
    pub(super) herald: Herald,
    /// Rung when there is something to be sent to the account's webhook endpoints.
    pub(super) bell: Bell,
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) feed: Arc<Feed>,
}

/// Where the news of finished transactions go. The writer hands them to one task, which tells those who wait: waking
/// each of them from the writer's own thread took a tenth of its time.
pub(super) type Herald = mpsc::UnboundedSender<Box<dyn FnOnce() + Send>>;

impl<T, V> Job for Work<T, V>
where
    T: Send + 'static,
    V: FnMut(&mut dyn Tx, &Ctx<'_>) -> Done<T> + Send,
{
    fn run(&mut self, tx: &mut dyn Tx) -> Kept<Verdict> {
        let began = Instant::now();
        let rehearsal = tx.rehearsal();
        self.ids.begin(rehearsal);
        let now = tx.moment(self.account.space, self.clock.now())?;
        self.bell.take();
        let ctx = Ctx { account: &self.account, now, ids: &self.ids, cause: &self.cause, bell: &self.bell };
        let outcome = (self.verb)(tx, &ctx);
        if !rehearsal {
            self.meter.stage(Stage::Wait, began - self.since);
            self.since = Instant::now();
            self.meter.stage(Stage::Store, self.since - began);
        }
        match outcome {
            Ok(value) => {
                self.result = Some(Ok(value));
                self.wrote = tx.wrote();
                Ok(Verdict::Commit)
            }
            Err(Stop::Problem(problem)) => {
                self.result = Some(Err(problem));
                self.wrote = false;
                Ok(Verdict::Rollback)
            }
            Err(Stop::Failure(failure)) => Err(failure),
        }
    }

    fn finish(self: Box<Self>, outcome: Kept<()>) {
        let Work { account, meter, since, result, wrote, tell, herald, bell, mailbox, feed, .. } = *self;
        meter.stage(Stage::Commit, since.elapsed());
        if outcome.is_ok() && bell.take() {
            mailbox.put(account.space);
        }
        let news = (wrote && outcome.is_ok() && feed.is_followed()).then_some(account.space);
        let outcome = match (outcome, result) {
            (Err(failure), _) => Err(Stop::Failure(failure)),
            (Ok(()), Some(result)) => result.map_err(Stop::Problem),
            (Ok(()), None) => Err(Failure::broken("finishing a transaction", "it never ran").into()),
        };
        // Nobody may be waiting any more, and at the very end of the program nobody may be telling.
        let _ = herald.send(Box::new(move || {
            drop(tell.send(outcome));
            news.into_iter().for_each(|space| feed.wake(space));
        }));
    }
}

/// A look on its way through a store; `O` is what it gives, a failure included.
pub(super) struct Glance<L, O> {
    pub(super) look: L,
    pub(super) seen: Option<O>,
    pub(super) tell: oneshot::Sender<O>,
}

impl<L, T, E> Look for Glance<L, Result<T, E>>
where
    L: FnMut(&mut dyn Read) -> Result<T, E> + Send,
    T: Send,
    E: From<Failure> + Send,
{
    fn look(&mut self, read: &mut dyn Read) -> Kept<()> {
        self.seen = Some((self.look)(read));
        Ok(())
    }

    fn finish(self: Box<Self>, outcome: Kept<()>) {
        let Glance { seen, tell, look: _ } = *self;
        let seen = match outcome {
            Ok(()) => seen.expect("a store that does not fail has looked"),
            Err(failure) => Err(failure.into()),
        };
        // Nobody may be waiting any more.
        let _ = tell.send(seen);
    }
}

/// A transaction of the program's own.
pub(super) struct Chore<T, C> {
    pub(super) chore: C,
    pub(super) result: Option<T>,
    pub(super) tell: oneshot::Sender<Kept<T>>,
}

impl<T: Send, C: FnMut(&mut dyn Tx) -> Kept<T> + Send> Job for Chore<T, C> {
    fn run(&mut self, tx: &mut dyn Tx) -> Kept<Verdict> {
        self.result = Some((self.chore)(tx)?);
        Ok(Verdict::Commit)
    }

    fn finish(self: Box<Self>, outcome: Kept<()>) {
        let Chore { result, tell, .. } = *self;
        let _ = tell.send(outcome.map(|()| result.expect("a job that is kept has run")));
    }
}
