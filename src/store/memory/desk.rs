//! Who has which account. A thread that runs a job has the account that the job asks about first; jobs of that account that
//! come meanwhile are left with it. Accounts do not wait for each other.

use std::collections::{HashMap, VecDeque};

use parking_lot::{Condvar, Mutex};

use crate::domain::account::Space;
use crate::store::{Failure, Job, Kept, MAX_WAITING};

/// Who has which account, and what waits there.
#[derive(Default)]
pub(super) struct Desk {
    state: Mutex<State>,
    /// Told when the last thread has left.
    quiet: Condvar,
}

#[derive(Default)]
struct State {
    closed: bool,
    /// Threads that run jobs.
    inside: usize,
    /// Jobs that wait, of the accounts that somebody has; an account that is not here is free.
    taken: HashMap<Space, VecDeque<Box<dyn Job>>>,
    waiting: usize,
}

/// What became of a job that was to be left.
pub(super) enum Taken {
    /// Whoever has the account will run it.
    Waits,
    /// Nobody has the account any more.
    Back(Box<dyn Job>),
    /// Too many wait.
    Refused(Box<dyn Job>, Failure),
}

/// A thread that runs jobs; dropping it says that it no longer does.
pub(super) struct Inside<'d>(&'d Desk);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.inside -= 1;
        if state.inside == 0 {
            self.0.quiet.notify_all();
        }
    }
}

impl Desk {
    /// Lets a thread in that has a job to run.
    pub fn enter(&self) -> Kept<Inside<'_>> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(closed("queueing a job"));
        }
        state.inside += 1;
        Ok(Inside(self))
    }

    /// Takes an account; `false` when another thread has it.
    pub fn take(&self, space: Space) -> bool {
        let mut state = self.state.lock();
        let free = !state.taken.contains_key(&space);
        if free {
            state.taken.insert(space, VecDeque::new());
        }
        free
    }

    /// Leaves a job with whoever has the account.
    pub fn leave(&self, space: Space, job: Box<dyn Job>) -> Taken {
        let mut state = self.state.lock();
        let full = state.waiting >= MAX_WAITING;
        match state.taken.get_mut(&space) {
            None => return Taken::Back(job),
            Some(_) if full => {
                let failure = Failure::passing("queueing a job", format!("{MAX_WAITING} jobs wait already"));
                return Taken::Refused(job, failure);
            }
            Some(waiting) => waiting.push_back(job),
        }
        state.waiting += 1;
        Taken::Waits
    }

    /// The next job of an account that this thread has; without one, the account is free again.
    pub fn next(&self, space: Space) -> Option<Box<dyn Job>> {
        let mut state = self.state.lock();
        let next = state.taken.get_mut(&space).and_then(VecDeque::pop_front);
        match next {
            Some(_) => state.waiting -= 1,
            None => drop(state.taken.remove(&space)),
        }
        next
    }

    /// How many jobs wait.
    pub fn waiting(&self) -> usize {
        self.state.lock().waiting
    }

    /// Fails once the store is closed.
    pub fn require_open(&self, doing: &str) -> Kept<()> {
        if self.state.lock().closed { Err(closed(doing)) } else { Ok(()) }
    }

    /// Lets nobody in any more and waits until everybody has left. What waits is run by those who are inside.
    pub fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        while state.inside > 0 {
            self.quiet.wait(&mut state);
        }
    }
}

fn closed(doing: &str) -> Failure {
    Failure::passing(doing, "the store is closed")
}
