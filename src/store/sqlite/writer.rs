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
use super::tx::{Notes, SqliteTx, Undo};
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
    pub notes: Notes,
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
    ///
    /// Verbs decide before they write, so a job that has to take its writes back is rare: a broken statement, a panic.
    /// The group then begins again without it, and this time every job can be undone by itself.
    pub fn serve(&mut self, first: Box<dyn Job>, more: &mut dyn Iterator<Item = Box<dyn Job>>) {
        let Attempt { mut ran, end } = self.attempt(&mut std::iter::once(first).chain(more), Undo::Group);
        match end {
            End::Committed => tell(ran, &Ok(())),
            End::Lost(failure) => tell(ran, &Err(failure)),
            End::Spoilt => {
                let culprit = ran.pop();
                let mut others = ran.into_iter().map(|(job, _)| job);
                let Attempt { mut ran, end } = self.attempt(&mut others, Undo::Job);
                // What it refused may rest on what its neighbours wrote: it stands when that is on disk.
                ran.extend(culprit);
                match end {
                    End::Committed => tell(ran, &Ok(())),
                    End::Lost(failure) => {
                        tell(ran.into_iter().chain(others.map(|job| (job, Ok(())))).collect(), &Err(failure))
                    }
                    End::Spoilt => unreachable!("a job that can be undone spoils nothing"),
                }
            }
        }
    }

    fn attempt(&mut self, jobs: &mut dyn Iterator<Item = Box<dyn Job>>, undo: Undo) -> Attempt {
        let started = Instant::now();
        self.leave_no_transaction();
        let mut ran = Vec::new();
        if let Err(failure) = self.execute("BEGIN IMMEDIATE") {
            self.note(&Err(failure.again()));
            ran.extend(jobs.map(|job| (job, Ok(()))));
            return Attempt { ran, end: End::Lost(failure) };
        }
        // A transaction that could begin has none around it, so what an earlier one wrote was committed or undone.
        self.notes.clear();
        let mut end = End::Committed;
        for mut job in jobs {
            match run(&self.connection, &self.notes, job.as_mut(), undo) {
                Ok(Ran::Settled(outcome)) => ran.push((job, outcome)),
                Ok(Ran::Spoilt(outcome)) => {
                    ran.push((job, outcome));
                    end = End::Spoilt;
                    break;
                }
                Err(lost) => {
                    ran.push((job, Ok(())));
                    end = End::Lost(lost);
                    break;
                }
            }
        }
        if !matches!(end, End::Spoilt) {
            self.tally.jobs.add(ran.len());
        }
        self.tally.group_micros.add_micros(started.elapsed());
        if matches!(end, End::Committed)
            && let Err(failure) = self.commit()
        {
            end = End::Lost(failure);
        }
        if !matches!(end, End::Committed) {
            // When even this fails, the next group tries again before it begins.
            self.leave_no_transaction();
        }
        match &end {
            End::Committed => self.note(&Ok(())),
            End::Lost(failure) => self.note(&Err(failure.again())),
            End::Spoilt => {}
        }
        Attempt { ran, end }
    }

    /// Ends a transaction whose own rollback failed.
    fn leave_no_transaction(&self) {
        if !self.connection.is_autocommit() {
            let _ = self.execute("ROLLBACK");
        }
    }

    fn commit(&self) -> Kept<()> {
        let started = Instant::now();
        let outcome = self.notes.touched.commit(|| self.execute("COMMIT"));
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
        self.leave_no_transaction();
        let attempt = self.connection.pragma_update(None, "user_version", schema::NEWEST);
        *self.tally.ailment.lock() =
            attempt.map_err(trouble("trying to write")).err().map(|failure| failure.to_string());
    }
}

/// One transaction: the jobs that ran in it, each with its own outcome, and how it ended.
struct Attempt {
    ran: Vec<(Box<dyn Job>, Kept<()>)>,
    end: End,
}

enum End {
    /// It is on disk.
    Committed,
    /// The last job that ran has to take its writes back, and took all of it with it.
    Spoilt,
    /// It is undone.
    Lost(Failure),
}

/// What became of one job.
enum Ran {
    /// Its writes stay, or it has none.
    Settled(Kept<()>),
    /// Its writes must go and cannot go alone.
    Spoilt(Kept<()>),
}

/// Runs one job. The outer failure says that the whole transaction is lost, the inner one that the job is.
fn run(connection: &Connection, notes: &Notes, job: &mut dyn Job, undo: Undo) -> Kept<Ran> {
    let mut tx = SqliteTx::writing(connection, notes, undo);
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
        Ok(Ok(Verdict::Commit)) => return tx.keep().map(|()| Ran::Settled(Ok(()))),
        Ok(Ok(Verdict::Rollback)) => Ok(()),
        Ok(Err(failure)) => Err(failure),
        // What it said may tell of somebody's data; the panic hook has logged where it was.
        Err(_) => Err(Failure::broken("running a job", "it panicked")),
    };
    Ok(if tx.undo()? { Ran::Settled(outcome) } else { Ran::Spoilt(outcome) })
}

/// Tells each job its own outcome, or that of all of them.
fn tell(ran: Vec<(Box<dyn Job>, Kept<()>)>, end: &Kept<()>) {
    for (job, outcome) in ran {
        finish(job, outcome.and_then(|()| end.as_ref().map(|_| ()).map_err(Failure::again)));
    }
}

/// Tells a job how it went. What the job does with that is not the store's affair, a panic included.
pub(super) fn finish(job: Box<dyn Job>, outcome: Kept<()>) {
    let _ = catch_unwind(AssertUnwindSafe(|| job.finish(outcome)));
}
