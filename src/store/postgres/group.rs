//! A group of jobs of one account in one transaction: two round trips in all, whatever their number.
//!
//! The first one locks the account's head and fetches what the rehearsals asked for. Then the jobs run, one after the
//! other, on what is known. The second one sends all that they want written, and the commit. Where more jobs have come
//! while the head was waited for, they go along, and what they asked for is fetched by one more round trip in between.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use futures_util::future;
use tokio::time::{sleep, timeout};

use super::Shared;
use super::changes::Changes;
use super::connect::Connection;
use super::draft::Draft;
use super::fetch::{Questions, fetch, lock, make_heads, prepared};
use super::flush::Flush;
use super::setback::{Got, Setback};
use super::statements;
use super::trouble::Meaning;
use super::turns::{self, Turn};
use super::wants::{Head, Known, Scene, Wants};
use crate::domain::account::Space;
use crate::store::{Failure, Job, Kept, Verdict};

/// The most jobs in one transaction.
pub(super) const MAX_GROUP: usize = 256;
/// How long jobs are tried while the database is away.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// How often a transaction is run again that got into the way of another one.
pub(super) const MAX_CONFLICTS: u32 = 10;
/// How often jobs may ask for more.
const MAX_ROUNDS: usize = 64;
/// How long a commit may take before its connection is given up. A primary whose standby is away waits in it.
const COMMIT_PATIENCE: Duration = Duration::from_secs(30);

const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
/// A commit that waits for a standby and is cut off by a timeout counts as done without being safe: so it has none.
const COMMIT: &str = "SET LOCAL statement_timeout = 0; COMMIT";

/// A job that waits.
pub(super) struct Queued {
    pub job: Box<dyn Job>,
    /// What it will ask for, as far as its rehearsal and its runs have shown.
    pub wants: Wants,
    pub since: Instant,
}

impl Queued {
    /// Whether it walks along an index, or changes accounts as a whole.
    pub fn goes_alone(&self) -> bool {
        self.wants.alone || !self.wants.pages.is_empty()
    }
}

/// Runs jobs in one transaction, again and again until it is clear what becomes of them, and tells them. Those that
/// `join` gives, no more than it is asked for, go with them. Gives why some were given up, when the database was away for
/// too long.
pub(super) async fn run(
    shared: &Shared,
    home: Space,
    jobs: Vec<Queued>,
    join: impl Fn(usize) -> Vec<Queued>,
) -> Option<Failure> {
    let mut away = None;
    let mut groups = vec![jobs];
    let mut is_open = true;
    while let Some(mut jobs) = groups.pop() {
        let mut conflicts = 0;
        while !jobs.is_empty() {
            let more = |room| if is_open { join(room) } else { Vec::new() };
            let stopped = match attempt(shared, home, &mut jobs, more).await {
                Ok(outcomes) => {
                    shared.tally.jobs.add(jobs.len());
                    jobs.drain(..).zip(outcomes).for_each(|(queued, outcome)| finish(queued.job, outcome));
                    break;
                }
                Err(stopped) => stopped,
            };
            let Stopped { setback: Setback { meaning, failure, .. }, doubt } = stopped;
            if let Some(Doubt { turn, outcomes }) = doubt {
                shared.tally.doubts.add(1);
                match settle(shared, home, turn).await {
                    Ok(true) => {
                        jobs.drain(..).zip(outcomes).for_each(|(queued, outcome)| finish(queued.job, outcome));
                        break;
                    }
                    Ok(false) => {}
                    Err(unknown) => {
                        refuse(&mut jobs, &unknown);
                        break;
                    }
                }
            }
            match meaning {
                Meaning::Again if conflicts < MAX_CONFLICTS => {
                    conflicts += 1;
                    shared.tally.conflicts.add(1);
                    sleep(shared.jitter(Duration::from_millis(4) * conflicts)).await;
                }
                Meaning::Lost => {
                    shared.tally.lost.add(1);
                    shared.pool.forget_idle();
                    let (late, patient) = jobs.drain(..).partition(|queued| queued.since.elapsed() > PATIENCE);
                    jobs = patient;
                    let mut late: Vec<Queued> = late;
                    if !late.is_empty() {
                        away = Some(failure.again());
                    }
                    refuse(&mut late, &failure);
                    sleep(shared.jitter(Duration::from_millis(100))).await;
                }
                // One of them wants something that cannot be: it must not take its neighbours with it.
                Meaning::Refused if jobs.len() > 1 => {
                    is_open = false;
                    groups.extend(jobs.drain(..).rev().map(|queued| vec![queued]));
                }
                Meaning::Again | Meaning::Contended | Meaning::Passing | Meaning::Refused => {
                    refuse(&mut jobs, &failure)
                }
            }
        }
    }
    away
}

/// Why a transaction came to nothing, as far as one can tell.
struct Stopped {
    setback: Setback,
    /// It may have been committed.
    doubt: Option<Doubt>,
}

struct Doubt {
    turn: Turn,
    /// What the jobs are to be told if it was.
    outcomes: Vec<Kept<()>>,
}

impl From<Setback> for Stopped {
    fn from(setback: Setback) -> Stopped {
        Stopped { setback, doubt: None }
    }
}

/// Runs the jobs in one transaction and commits it. Gives what each is to be told.
async fn attempt(
    shared: &Shared,
    home: Space,
    jobs: &mut Vec<Queued>,
    join: impl FnOnce(usize) -> Vec<Queued>,
) -> Result<Vec<Kept<()>>, Stopped> {
    let connection = shared.connection().await?;
    match within(&connection, shared, home, jobs, join).await {
        Ok(outcomes) => {
            connection.give_back();
            Ok(outcomes)
        }
        Err(stopped) => {
            let in_order = match stopped.setback.meaning {
                // After a change of the tables, what the connection has prepared is of no use.
                Meaning::Again => !stopped.setback.is_stale(),
                Meaning::Refused => true,
                Meaning::Lost | Meaning::Contended | Meaning::Passing => false,
            };
            if in_order && stopped.doubt.is_none() {
                shared.roll_back(connection).await;
            }
            Err(stopped)
        }
    }
}

async fn within(
    connection: &Connection,
    shared: &Shared,
    home: Space,
    jobs: &mut Vec<Queued>,
    join: impl FnOnce(usize) -> Vec<Queued>,
) -> Result<Vec<Kept<()>>, Stopped> {
    let patience = shared.pool.patience();
    let run = timeout(patience, run_all(connection, shared, home, jobs, join)).await;
    let (mut changes, outcomes) = run.unwrap_or_else(|_| Err(Setback::late("running a group of jobs")))?;
    if changes.is_empty() {
        let end = timeout(patience, connection.batch_execute("ROLLBACK")).await;
        end.map_err(|_| Setback::late("ending a transaction"))?.map_err(Setback::of("ending a transaction"))?;
        return Ok(outcomes);
    }

    let turn = shared.turn();
    for (space, head) in &mut changes.heads {
        let at_home = *space == home;
        head.turns = if at_home { turns::with(&head.turns, turn) } else { turns::with_guest(&head.turns) };
    }
    let flush = Flush::of(&changes);
    let prepared = timeout(patience, flush.prepare(connection)).await;
    let statements = prepared.unwrap_or_else(|_| Err(Setback::late("preparing to commit")))?;
    let commit = async { connection.batch_execute(COMMIT).await.map_err(Setback::of("committing")) };
    let started = Instant::now();
    let sent = timeout(COMMIT_PATIENCE, future::join(flush.send(connection, &statements), commit)).await;
    shared.tally.commits.add(1);
    shared.tally.commit_micros.add_micros(started.elapsed());
    let (setback, in_doubt) = match sent {
        Ok((Ok(()), Ok(()))) => return Ok(outcomes),
        // The server did all that it was sent, and we do not like its answer: it is too late to run anything again.
        Ok((Err(Setback { failure, .. }), Ok(()))) => {
            return Ok(outcomes.iter().map(|_| Err(failure.again())).collect());
        }
        // The server refused a statement, and with it the transaction.
        Ok((Err(setback), _)) if setback.meaning != Meaning::Lost => (setback, false),
        Ok((Ok(()), Err(setback))) => {
            let refused = matches!(setback.meaning, Meaning::Again | Meaning::Refused);
            (setback, !refused)
        }
        Ok((Err(setback), _)) => (setback, true),
        Err(_) => (Setback::late("committing"), true),
    };
    Err(Stopped { setback, doubt: in_doubt.then_some(Doubt { turn, outcomes }) })
}

/// Begins a transaction, and runs the jobs as often as they need.
async fn run_all(
    connection: &Connection,
    shared: &Shared,
    home: Space,
    jobs: &mut Vec<Queued>,
    join: impl FnOnce(usize) -> Vec<Queued>,
) -> Got<(Changes, Vec<Kept<()>>)> {
    let mut wants = Wants::default();
    jobs.iter().for_each(|queued| wants.absorb(queued.wants.clone()));
    wants.heads.insert(home);
    let mut scene = Scene::default();
    begin(connection, &wants, &mut scene).await?;
    if wants.pages.is_empty() && !wants.alone {
        // While the head was waited for, more have come: what they want is one more round trip for all of them, and not a
        // transaction after this one.
        let joining = join(MAX_GROUP.saturating_sub(jobs.len()));
        if !joining.is_empty() {
            let mut wants = Wants::default();
            joining.iter().for_each(|queued| wants.absorb(queued.wants.clone()));
            jobs.extend(joining);
            fetch(connection, &wants, &mut scene.known).await?;
        }
    }

    let mut changes = Changes::default();
    let mut outcomes: Vec<Option<Kept<()>>> = jobs.iter().map(|_| None).collect();
    let mut fruitless = 0;
    while fruitless < MAX_ROUNDS {
        fruitless += 1;
        for (queued, outcome) in jobs.iter_mut().zip(&mut outcomes).filter(|(_, outcome)| outcome.is_none()) {
            *outcome = run_one(queued, &mut scene, &mut changes, shared);
            if outcome.is_some() {
                // Jobs that walk come to their end one after the other, each some rounds behind the one before it.
                fruitless = 0;
            }
        }
        if outcomes.iter().all(Option::is_some) {
            if !changes.is_empty() {
                // It gets the turn, whatever was written: here the transaction is looked for when its commit is in doubt.
                changes.heads.entry(home).or_insert_with(|| scene.known.heads[&home].clone());
            }
            return Ok((changes, outcomes.into_iter().flatten().collect()));
        }
        let mut wants = std::mem::take(&mut scene.wants);
        if !wants.pages.is_empty() && !changes.is_empty() {
            // A walk goes along rows of the database, so what the group has changed must be there first. The heads stay
            // among the changes: there is something to commit.
            let settled = std::mem::take(&mut changes);
            let flush = Flush::of(&settled);
            flush.send(connection, &flush.prepare(connection).await?).await?;
            let mut heads = std::mem::take(&mut scene.known.heads);
            heads.extend(settled.heads.clone());
            changes.heads.clone_from(&settled.heads);
            scene = Scene { known: Known { heads, ..Known::default() }, ..Scene::default() };
            // The one that can end next gets at once all that it has asked for so far.
            let next = jobs.iter().zip(&outcomes).find(|(_, outcome)| outcome.is_none());
            wants.absorb(next.map(|(queued, _)| queued.wants.clone()).unwrap_or_default());
        }
        let missing: BTreeSet<Space> =
            wants.heads.iter().filter(|space| !scene.known.heads.contains_key(space)).copied().collect();
        if !missing.is_empty() {
            let lock_head = prepared(connection, statements::LOCK_HEAD).await?;
            let locked = lock(connection, &lock_head, &missing).await?;
            make_missing(connection, &missing, locked, &mut scene.known.heads).await?;
            // What was read of these accounts was read without their locks.
            let heads = std::mem::take(&mut scene.known.heads);
            scene.known = Known { heads, ..Known::default() };
        }
        fetch(connection, &wants, &mut scene.known).await?;
    }
    Err(Failure::broken("running a group of jobs", "they ask for more without end").into())
}

/// Begins a transaction that holds the heads and knows what is wanted, in one round trip.
async fn begin(connection: &Connection, wants: &Wants, scene: &mut Scene) -> Got<()> {
    let lock_head = prepared(connection, statements::LOCK_HEAD).await?;
    let questions = Questions::prepare(connection, wants).await?;
    let begun = async { connection.batch_execute(BEGIN).await.map_err(Setback::of("beginning a transaction")) };
    // Each is sent behind the one before it, and the database answers them in this order.
    let locked = lock(connection, &lock_head, &wants.heads);
    let (_, locked, _) = future::try_join3(begun, locked, questions.ask(connection, &mut scene.known)).await?;
    if make_missing(connection, &wants.heads, locked, &mut scene.known.heads).await? {
        // What was read meanwhile was read without a lock.
        let heads = std::mem::take(&mut scene.known.heads);
        scene.known = Known { heads, ..Known::default() };
        questions.ask(connection, &mut scene.known).await?;
    }
    Ok(())
}

/// Makes those of the `wanted` heads that could not be locked because they are not there; `true` when there were some.
async fn make_missing(
    connection: &Connection,
    wanted: &BTreeSet<Space>,
    locked: BTreeMap<Space, Head>,
    heads: &mut BTreeMap<Space, Head>,
) -> Got<bool> {
    let missing: BTreeSet<Space> = wanted.iter().filter(|space| !locked.contains_key(space)).copied().collect();
    heads.extend(locked);
    if missing.is_empty() {
        return Ok(false);
    }
    heads.extend(make_heads(connection, &missing).await?);
    Ok(true)
}

/// Runs a job on what is known; `None` when it lacks something. What it wants written is added to the changes.
fn run_one(queued: &mut Queued, scene: &mut Scene, changes: &mut Changes, shared: &Shared) -> Option<Kept<()>> {
    let outer = std::mem::take(&mut scene.wants);
    let mut draft = Draft::new(scene, changes, shared);
    let verdict = catch_unwind(AssertUnwindSafe(|| queued.job.run(&mut draft)));
    let own = draft.end();
    let lacking = std::mem::replace(&mut scene.wants, outer);
    if !lacking.is_empty() {
        queued.wants.absorb(lacking.clone());
        scene.wants.absorb(lacking);
        return None;
    }
    let doing = "running a job";
    Some(match (verdict, own) {
        (Err(_), _) => Err(Failure::broken(doing, "it panicked")),
        (Ok(Err(failure)), _) => Err(failure),
        (Ok(Ok(Verdict::Rollback)), _) => Ok(()),
        (Ok(Ok(Verdict::Commit)), None) => Err(Failure::broken(doing, "a write of it failed")),
        (Ok(Ok(Verdict::Commit)), Some(own)) => {
            if !own.is_empty() {
                changes.absorb(own);
                // They do not show what was just changed.
                scene.known.pages.clear();
            }
            Ok(())
        }
    })
}

/// Finds out whether a transaction was committed whose commit was not answered. The head is locked by it until it has
/// ended, one way or the other.
async fn settle(shared: &Shared, home: Space, turn: Turn) -> Kept<bool> {
    let since = Instant::now();
    loop {
        match timeout(shared.pool.patience() + COMMIT_PATIENCE, look_for(shared, home, turn)).await {
            Ok(Ok(known)) => return known,
            Ok(Err(setback)) if setback.meaning == Meaning::Refused => return Err(setback.failure),
            Ok(Err(_)) | Err(_) if since.elapsed() < PATIENCE => sleep(shared.jitter(Duration::from_millis(100))).await,
            Ok(Err(Setback { failure, .. })) => return Err(unknown(failure.to_string())),
            Err(_) => return Err(unknown("the database did not answer in time".into())),
        }
    }
}

fn unknown(cause: String) -> Failure {
    Failure::passing("finding out whether a transaction was committed", cause)
}

async fn look_for(shared: &Shared, home: Space, turn: Turn) -> Got<Kept<bool>> {
    let connection = shared.connection().await?;
    let mut scene = Scene::default();
    let wants = Wants { heads: BTreeSet::from([home]), ..Wants::default() };
    begin(&connection, &wants, &mut scene).await?;
    let mut head = scene.known.heads.remove(&home).expect("it was locked").found_by(&shared.server);
    let known = match turns::find(&head.turns, turn) {
        turns::Found::Done => {
            // It is in this server's log. Another commit behind it is answered when both are wherever commits have to be.
            head.turns = turns::with(&head.turns, turn);
            let touched = Changes { heads: BTreeMap::from([(home, head)]), ..Changes::default() };
            let flush = Flush::of(&touched);
            flush.send(&connection, &flush.prepare(&connection).await?).await?;
            connection.batch_execute(COMMIT).await.map_err(Setback::of("committing"))?;
            connection.give_back();
            return Ok(Ok(true));
        }
        turns::Found::NotDone => Ok(false),
        turns::Found::Forgotten => Err(unknown("too many other servers have written since".into())),
    };
    shared.roll_back(connection).await;
    Ok(known)
}

fn refuse(jobs: &mut Vec<Queued>, failure: &Failure) {
    jobs.drain(..).for_each(|queued| finish(queued.job, Err(failure.again())));
}

/// Tells a job how it went. What the job does with that is not the store's affair, a panic included.
pub(super) fn finish(job: Box<dyn Job>, outcome: Kept<()>) {
    let _ = catch_unwind(AssertUnwindSafe(|| job.finish(outcome)));
}
