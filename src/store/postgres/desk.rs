//! Where jobs and looks wait. The jobs of one account are served by one task at a time, in groups that grow with the load;
//! accounts do not wait for each other. Looks are gathered across accounts.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use tokio::runtime::Handle;
use tokio::time::sleep;

use super::Shared;
use super::fetch::fetch;
use super::group::{self, MAX_GROUP, Queued};
use super::rehearsal::Rehearsal;
use super::setback::Got;
use super::trouble::Meaning;
use super::wants::{Known, Scene, Wants};
use crate::domain::account::Space;
use crate::store::{Failure, Job, Kept, Look, MAX_WAITING};

/// The most jobs of one account that may wait: it leaves room for others.
const MAX_WAITING_OF_ACCOUNT: usize = MAX_WAITING / 2;
/// The most looks that are taken at a time.
const MAX_LOOKS: usize = 128;
/// The most looks that may wait; one more is refused at once.
const MAX_WAITING_LOOKS: usize = 32_768;
/// How many tasks take looks. Two, so that one can ask while the other one's answers are read.
const LOOKERS: usize = 2;
/// How often a look may ask for more.
const MAX_ROUNDS: usize = 64;
/// How long a look is tried while the database is away.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where jobs and looks wait.
pub(super) struct Desk {
    shared: Arc<Shared>,
    runtime: Handle,
    waiting: Mutex<Waiting>,
    /// Told when the last task has ended.
    quiet: Condvar,
}

#[derive(Default)]
struct Waiting {
    closed: bool,
    /// Jobs that wait, of the accounts that are being served; an account that is not here is not being served.
    accounts: HashMap<Space, VecDeque<Queued>>,
    jobs: usize,
    looks: VecDeque<QueuedLook>,
    lookers: usize,
}

struct QueuedLook {
    look: Box<dyn Look>,
    scene: Scene,
    rounds: usize,
    since: Instant,
}

impl Desk {
    pub fn new(shared: Arc<Shared>, runtime: Handle) -> Desk {
        Desk { shared, runtime, waiting: Mutex::default(), quiet: Condvar::new() }
    }

    /// How many jobs wait.
    pub fn waiting_jobs(&self) -> usize {
        self.waiting.lock().jobs
    }

    pub fn is_closed(&self) -> bool {
        self.waiting.lock().closed
    }

    /// Takes a job.
    pub fn take_job(self: &Arc<Desk>, mut job: Box<dyn Job>) {
        let mut rehearsal = Rehearsal::default();
        // Whatever comes of it, the job is run in earnest and will show it again.
        let _ = catch_unwind(AssertUnwindSafe(|| job.run(&mut rehearsal)));
        // A job that asks about no account can be run with any.
        let home = rehearsal.home.unwrap_or(Space(0));
        let doing = "queueing a job";
        let mut waiting = self.waiting.lock();
        let here = waiting.accounts.get(&home).map_or(0, VecDeque::len);
        let refuse = |cause: String| {
            self.shared.tally.refused_jobs.add(1);
            Some(Failure::passing(doing, cause))
        };
        let refusal = match (waiting.closed, here, waiting.jobs) {
            (true, _, _) => Some(Failure::passing(doing, "the store is closed")),
            (false, MAX_WAITING_OF_ACCOUNT.., _) => {
                refuse(format!("{MAX_WAITING_OF_ACCOUNT} jobs of the account wait already"))
            }
            (false, _, MAX_WAITING..) => refuse(format!("{MAX_WAITING} jobs wait already")),
            (false, _, _) => None,
        };
        if let Some(failure) = refusal {
            // A job may use the store when it is told.
            drop(waiting);
            group::finish(job, Err(failure));
            return;
        }
        waiting.jobs += 1;
        let queued = Queued { job, wants: rehearsal.wants, since: Instant::now() };
        match waiting.accounts.get_mut(&home) {
            Some(queue) => queue.push_back(queued),
            None => {
                waiting.accounts.insert(home, VecDeque::from([queued]));
                drop(waiting);
                let desk = self.clone();
                self.runtime.spawn(async move { desk.serve(home).await });
            }
        }
    }

    /// Serves an account until nothing waits there.
    async fn serve(self: Arc<Desk>, home: Space) {
        let _guard = InPanic(|| {
            let mut waiting = self.waiting.lock();
            let left = waiting.accounts.remove(&home).unwrap_or_default();
            waiting.jobs -= left.len();
            self.leave(&waiting);
            drop(waiting);
            for queued in left {
                group::finish(queued.job, Err(Failure::broken("serving an account", "it ended unexpectedly")));
            }
        });
        while let Some(jobs) = self.next_group(home) {
            let joining = |room| self.joining(home, room);
            if let Some(failure) = group::run(&self.shared, home, jobs, joining).await {
                self.refuse_late(home, &failure);
            }
        }
    }

    /// Refuses jobs that have waited too long behind others for a database that is away: trying each group to its end
    /// would keep the last of them for minutes.
    fn refuse_late(&self, home: Space, failure: &Failure) {
        let late: Vec<Queued> = {
            let mut waiting = self.waiting.lock();
            let Some(queue) = waiting.accounts.get_mut(&home) else { return };
            let late = queue.iter().take_while(|queued| queued.since.elapsed() > group::PATIENCE).count();
            let late: Vec<Queued> = queue.drain(..late).collect();
            waiting.jobs -= late.len();
            late
        };
        late.into_iter().for_each(|queued| group::finish(queued.job, Err(failure.again())));
    }

    /// The jobs that go together, of those that wait; `None` when none do, and the account is not being served any more.
    fn next_group(&self, home: Space) -> Option<Vec<Queued>> {
        let mut waiting = self.waiting.lock();
        let queue = waiting.accounts.get_mut(&home)?;
        if queue.is_empty() {
            // From here on, whoever comes has the account served again.
            waiting.accounts.remove(&home);
            self.leave(&waiting);
            return None;
        }
        // A walk along an index has to see what the jobs before it changed, so it goes alone.
        let together = match queue.front().is_some_and(Queued::goes_alone) {
            true => 1,
            false => together(queue, MAX_GROUP),
        };
        let group: Vec<Queued> = queue.drain(..together).collect();
        waiting.jobs -= group.len();
        Some(group)
    }

    /// Jobs that may join a group of the account that has not run yet, and has room for so many.
    fn joining(&self, home: Space, room: usize) -> Vec<Queued> {
        let mut waiting = self.waiting.lock();
        let Some(queue) = waiting.accounts.get_mut(&home) else { return Vec::new() };
        let together = together(queue, room);
        let joining: Vec<Queued> = queue.drain(..together).collect();
        waiting.jobs -= joining.len();
        joining
    }

    /// Takes a look: here, as far as nothing has to be fetched for it.
    pub fn take_look(self: &Arc<Desk>, look: Box<dyn Look>) {
        let queued = QueuedLook { look, scene: Scene::default(), rounds: 0, since: Instant::now() };
        let Some(queued) = advance(queued) else { return };
        let mut waiting = self.waiting.lock();
        let refusal = match (waiting.closed, waiting.looks.len()) {
            (true, _) => Some(Failure::passing("looking", "the store is closed")),
            (false, MAX_WAITING_LOOKS..) => {
                Some(Failure::passing("looking", format!("{MAX_WAITING_LOOKS} looks wait already")))
            }
            (false, _) => None,
        };
        if let Some(failure) = refusal {
            drop(waiting);
            finish(queued.look, Err(failure));
            return;
        }
        waiting.looks.push_back(queued);
        if waiting.lookers < LOOKERS {
            waiting.lookers += 1;
            drop(waiting);
            let desk = self.clone();
            self.runtime.spawn(async move { desk.serve_looks().await });
        }
    }

    async fn serve_looks(self: Arc<Desk>) {
        let _guard = InPanic(|| self.looker_leaves(&mut self.waiting.lock()));
        while let Some(looks) = self.next_looks() {
            let again = self.look(looks).await;
            // Those that asked for more go first.
            let mut waiting = self.waiting.lock();
            again.into_iter().rev().for_each(|look| waiting.looks.push_front(look));
        }
    }

    /// The looks that go together, of those that wait; `None` when none do, and there is one looker less.
    fn next_looks(&self) -> Option<Vec<QueuedLook>> {
        let mut waiting = self.waiting.lock();
        if waiting.looks.is_empty() {
            self.looker_leaves(&mut waiting);
            return None;
        }
        let most = waiting.looks.len().min(MAX_LOOKS);
        Some(waiting.looks.drain(..most).collect())
    }

    fn looker_leaves(&self, waiting: &mut Waiting) {
        waiting.lookers -= 1;
        self.leave(waiting);
    }

    /// Fetches what the looks want, and runs them; gives those that want more.
    async fn look(&self, mut looks: Vec<QueuedLook>) -> Vec<QueuedLook> {
        let mut wants = Wants::default();
        looks.iter().for_each(|queued| wants.absorb(queued.scene.wants.clone()));
        let failure = match self.fetched(&wants).await {
            Ok(known) => {
                looks.iter_mut().for_each(|queued| known.share(&mut queued.scene));
                return looks.into_iter().filter_map(advance).collect();
            }
            Err(setback) => setback,
        };
        if failure.meaning == Meaning::Refused && looks.len() > 1 {
            // One of them asks for something that cannot be: it must not take its neighbours with it.
            let mut again = Vec::new();
            for queued in looks {
                again.extend(Box::pin(self.look(vec![queued])).await);
            }
            return again;
        }
        if failure.meaning == Meaning::Lost {
            self.shared.pool.forget_idle();
        }
        if matches!(failure.meaning, Meaning::Lost | Meaning::Again) {
            // Those behind them have waited for the same trouble: trying each batch to its end would take too long.
            let behind = {
                let mut waiting = self.waiting.lock();
                let late = waiting.looks.iter().take_while(|queued| queued.since.elapsed() > PATIENCE).count();
                waiting.looks.drain(..late).collect::<Vec<_>>()
            };
            let (late, patient): (Vec<QueuedLook>, Vec<QueuedLook>) =
                looks.into_iter().partition(|queued| queued.since.elapsed() > PATIENCE);
            tell(late, &failure.failure);
            tell(behind, &failure.failure);
            sleep(self.shared.jitter(Duration::from_millis(50))).await;
            return patient;
        }
        tell(looks, &failure.failure);
        Vec::new()
    }

    async fn fetched(&self, wants: &Wants) -> Got<Known> {
        let connection = self.shared.connection().await?;
        let mut known = Known::default();
        let started = Instant::now();
        let fetched = fetch(&connection, wants, &mut known).await;
        self.shared.tally.fetches.add(1);
        self.shared.tally.fetch_micros.add_micros(started.elapsed());
        fetched?;
        connection.give_back();
        Ok(known)
    }

    /// Takes nothing more and waits until what was taken is done.
    pub fn close(&self) {
        let mut waiting = self.waiting.lock();
        waiting.closed = true;
        while !waiting.is_quiet() {
            self.quiet.wait(&mut waiting);
        }
    }

    fn leave(&self, waiting: &Waiting) {
        if waiting.is_quiet() {
            self.quiet.notify_all();
        }
    }
}

impl Waiting {
    fn is_quiet(&self) -> bool {
        self.accounts.is_empty() && self.looks.is_empty() && self.lookers == 0
    }
}

/// How many of the first jobs can go together.
fn together(queue: &VecDeque<Queued>, most: usize) -> usize {
    queue.iter().take(most).take_while(|queued| !queued.goes_alone()).count()
}

/// Runs a look on what is known for it. It is told when it lacks nothing; if it does, it comes back.
fn advance(mut queued: QueuedLook) -> Option<QueuedLook> {
    let doing = "looking";
    queued.scene.wants = Wants::default();
    let seen = catch_unwind(AssertUnwindSafe(|| queued.look.look(&mut queued.scene)));
    let outcome = match seen {
        Err(_) => Err(Failure::broken(doing, "the look panicked")),
        Ok(_) if !queued.scene.wants.is_empty() && queued.rounds < MAX_ROUNDS => {
            queued.rounds += 1;
            return Some(queued);
        }
        Ok(_) if !queued.scene.wants.is_empty() => Err(Failure::broken(doing, "it asks for more without end")),
        Ok(outcome) => outcome,
    };
    finish(queued.look, outcome);
    None
}

fn finish(look: Box<dyn Look>, outcome: Kept<()>) {
    let _ = catch_unwind(AssertUnwindSafe(|| look.finish(outcome)));
}

fn tell(looks: Vec<QueuedLook>, failure: &Failure) {
    looks.into_iter().for_each(|queued| finish(queued.look, Err(failure.again())));
}

/// Does something when it is dropped in a panic.
struct InPanic<F: FnMut()>(F);

impl<F: FnMut()> Drop for InPanic<F> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            (self.0)();
        }
    }
}
