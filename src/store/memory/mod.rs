//! The store that keeps everything in memory, for as long as the process lives: decoded records in ordered maps that share
//! what they have in common, so that a look, a transaction and a copy each take a state as a whole and cost next to nothing.

mod deliveries;
mod desk;
mod lists;
mod read;
mod records;
mod tally;
mod tx;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use parking_lot::RwLock;

use super::{Failure, Figure, Job, Kept, Look, Read, Store, Verdict};
use crate::domain::account::Space;
use desk::{Desk, Taken};
use read::{Newest, View};
use records::World;
use tally::Tally;
use tx::{MemoryTx, Settled};

/// How often a job is run again that got into the way of another account's.
const MAX_CONFLICTS: usize = 1_000;

/// Records in memory.
#[derive(Default)]
pub struct MemoryStore {
    world: Arc<RwLock<World>>,
    desk: Desk,
    tally: Tally,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }

    /// The same records once more, for whoever closes a store and goes on with what it held.
    pub fn again(&self) -> MemoryStore {
        MemoryStore { world: Arc::clone(&self.world), ..MemoryStore::default() }
    }

    /// Runs a job here and now, and after it those that came for the same account meanwhile. Jobs of one account do not
    /// wait for each other on threads: who finds the account taken leaves the job with whoever has it.
    fn serve(&self, mut job: Box<dyn Job>) {
        let home = loop {
            match self.attempt(job.as_mut(), None) {
                Ran::Told(outcome, home) => {
                    finish(job, outcome);
                    break home;
                }
                Ran::Busy(space) => match self.desk.leave(space, job) {
                    Taken::Waits => return,
                    Taken::Refused(job, failure) => {
                        self.tally.refused_jobs.add(1);
                        return finish(job, Err(failure));
                    }
                    // The account has become free meanwhile.
                    Taken::Back(returned) => job = returned,
                },
            }
        };
        let Some(home) = home else { return };
        while let Some(mut job) = self.desk.next(home) {
            match self.attempt(job.as_mut(), Some(home)) {
                Ran::Told(outcome, _) => finish(job, outcome),
                Ran::Busy(_) => unreachable!("whoever has an account does not ask for another one"),
            }
        }
    }

    /// Runs a job until nothing came between. `home` is the account that this thread has already.
    fn attempt(&self, job: &mut dyn Job, mut home: Option<Space>) -> Ran {
        for _ in 0..MAX_CONFLICTS {
            let mut tx = MemoryTx::new(&self.world, &self.desk, home);
            let verdict = catch_unwind(AssertUnwindSafe(|| job.run(&mut tx)));
            home = tx.home();
            if let Some(space) = tx.refused_by() {
                return Ran::Busy(space);
            }
            let doing = "running a job";
            let outcome = match verdict {
                Ok(Ok(Verdict::Commit)) => match tx.commit() {
                    Settled::Kept => Ok(()),
                    Settled::Nothing(outcome) => outcome,
                    Settled::Conflict => {
                        self.tally.conflicts.add(1);
                        continue;
                    }
                },
                Ok(Ok(Verdict::Rollback)) => Ok(()),
                Ok(Err(failure)) => Err(failure),
                // What it said may tell of somebody's data; the panic hook has logged where it was.
                Err(_) => Err(Failure::broken(doing, "it panicked")),
            };
            self.tally.jobs.add(1);
            return Ran::Told(outcome, home);
        }
        let cause = format!("other accounts came between {MAX_CONFLICTS} times");
        Ran::Told(Err(Failure::contended("committing a job", cause)), home)
    }
}

/// What became of a job.
enum Ran {
    /// It has run, on this account, which this thread has now.
    Told(Kept<()>, Option<Space>),
    /// Another thread has the account.
    Busy(Space),
}

/// Tells a job how it went. What the job does with that is not the store's affair, a panic included.
fn finish(job: Box<dyn Job>, outcome: Kept<()>) {
    let _ = catch_unwind(AssertUnwindSafe(|| job.finish(outcome)));
}

impl Store for MemoryStore {
    fn write(&self, job: Box<dyn Job>) {
        match self.desk.enter() {
            Ok(_inside) => self.serve(job),
            Err(failure) => finish(job, Err(failure)),
        }
    }

    fn read(&self, look: &mut dyn FnMut(&mut dyn Read) -> Kept<()>) -> Kept<()> {
        self.desk.require_open("reading")?;
        let world = self.world.read().clone();
        look(&mut View(world))
    }

    fn glance(&self, mut look: Box<dyn Look>) {
        let outcome = self.desk.require_open("looking").and_then(|()| look.look(&mut Newest(&self.world)));
        look.finish(outcome);
    }

    fn ready(&self) -> Kept<()> {
        self.desk.require_open("writing to the store")
    }

    fn figures(&self) -> Vec<Figure> {
        self.tally.figures(self.world.read().accounts(), self.desk.waiting())
    }

    fn close(&self) {
        self.desk.close();
    }
}

#[cfg(test)]
mod tests;
