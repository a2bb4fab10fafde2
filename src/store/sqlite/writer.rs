//! The one thread that writes. It runs the jobs that wait in one transaction and tells each of them how it went once the
//! commit is on disk. A job that fails takes back its own writes and nobody else's.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use rusqlite::Connection;

use super::checkpoint::LogKeeper;
use super::files::trouble;
use super::schema;
use super::tally::Tally;
use super::tx::SqliteTx;
use crate::store::{Failure, Job, Kept, Verdict};

/// The most jobs in one commit. More would make the first of them wait longer than a sync is worth.
const MAX_GROUP: usize = 256;

/// How often a writer whose last commit failed tries whether the trouble is over.
const CONVALESCENCE: Duration = Duration::from_secs(1);

/// The one that writes.
pub(super) struct Writer {
    pub connection: Connection,
    pub log: LogKeeper,
    pub tally: Arc<Tally>,
}

impl Writer {
    /// Serves jobs until nobody can send one any more.
    pub fn run(mut self, inbox: &Receiver<Box<dyn Job>>) {
        loop {
            match inbox.recv_timeout(CONVALESCENCE) {
                Ok(first) => {
                    self.serve(first, &mut inbox.try_iter().take(MAX_GROUP - 1));
                    self.log.tend(&self.connection);
                }
                Err(RecvTimeoutError::Timeout) => self.convalesce(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Runs `first` and `more` in one transaction. Jobs that arrive while others run still come along, so that a group
    /// grows with the load and nobody waits for company. What an error leaves in `more` is for the next transaction.
    pub fn serve(&mut self, first: Box<dyn Job>, more: &mut dyn Iterator<Item = Box<dyn Job>>) {
        let started = Instant::now();
        if let Err(failure) = self.execute("BEGIN IMMEDIATE") {
            self.note(&Err(again(&failure)));
            for job in std::iter::once(first).chain(more) {
                finish(job, Err(again(&failure)));
            }
            return;
        }
        let mut ran = Vec::new();
        let mut end = Ok(());
        let mut next = Some(first);
        while let Some(mut job) = next {
            match run(&self.connection, job.as_mut()) {
                Ok(outcome) => {
                    ran.push((job, outcome));
                    next = more.next();
                }
                Err(lost) => {
                    ran.push((job, Ok(())));
                    end = Err(lost);
                    next = None;
                }
            }
        }
        self.tally.jobs.add(ran.len());
        self.tally.group_micros.add_micros(started.elapsed());
        let end = end.and_then(|()| self.commit());
        if end.is_err() && !self.connection.is_autocommit() {
            // When even this fails, the next group cannot begin, and is told so.
            let _ = self.execute("ROLLBACK");
        }
        self.note(&end);
        for (job, outcome) in ran {
            finish(job, outcome.and_then(|()| end.as_ref().map(|_| ()).map_err(again)));
        }
    }

    fn commit(&self) -> Kept<()> {
        let started = Instant::now();
        let outcome = self.execute("COMMIT");
        self.tally.commit_micros.add_micros(started.elapsed());
        outcome
    }

    fn execute(&self, sql: &str) -> Kept<()> {
        SqliteTx::new(&self.connection).execute("committing a group of jobs", sql, []).map(drop)
    }

    fn note(&self, end: &Kept<()>) {
        match end {
            Ok(()) => self.tally.commits.add(1),
            Err(_) => self.tally.failed_groups.add(1),
        }
        *self.tally.ailment.lock() = end.as_ref().err().map(Failure::to_string);
    }

    /// Writes a page as it is, so that a store which nobody dares to write to finds out that it is well again.
    fn convalesce(&self) {
        if self.tally.ailment.lock().is_none() {
            return;
        }
        let attempt = self.connection.pragma_update(None, "user_version", schema::NEWEST);
        *self.tally.ailment.lock() =
            attempt.map_err(trouble("trying to write")).err().map(|failure| failure.to_string());
    }
}

/// Runs one job. The outer failure says that the whole transaction is lost, the inner one that the job is.
fn run(connection: &Connection, job: &mut dyn Job) -> Result<Kept<()>, Failure> {
    let mut tx = SqliteTx::new(connection);
    let verdict = catch_unwind(AssertUnwindSafe(|| job.run(&mut tx)));
    if connection.is_autocommit() {
        return Err(match verdict {
            Ok(Err(failure)) => failure,
            Ok(Ok(_)) | Err(_) => Failure::passing("running a group of jobs", "an error rolled all of it back"),
        });
    }
    let outcome = match verdict {
        Ok(Ok(Verdict::Commit)) if tx.failed() => {
            Err(Failure::broken("running a job", "it went on after a write that had failed"))
        }
        Ok(Ok(Verdict::Commit)) => return tx.keep().map(Ok),
        Ok(Ok(Verdict::Rollback)) => Ok(()),
        Ok(Err(failure)) => Err(failure),
        // What it said may tell of somebody's data; the panic hook has logged where it was.
        Err(_) => Err(Failure::broken("running a job", "it panicked")),
    };
    tx.undo()?;
    Ok(outcome)
}

/// Tells a job how it went. What the job does with that is not the store's affair, a panic included.
pub(super) fn finish(job: Box<dyn Job>, outcome: Kept<()>) {
    let _ = catch_unwind(AssertUnwindSafe(|| job.finish(outcome)));
}

/// The same failure for one more job.
fn again(failure: &Failure) -> Failure {
    Failure { doing: failure.doing.clone(), passing: failure.passing, cause: failure.cause.to_string().into() }
}
