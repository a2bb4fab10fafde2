//! Where jobs and looks wait. The jobs of one account are served by one task at a time, in groups that grow with the load;
//! accounts do not wait for each other. Looks are gathered across accounts.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use tokio::runtime::Handle;
use tokio::time::{sleep, timeout};

use super::Shared;
use super::draft::Rehearsal;
use super::fetch::fetch;
use super::group::{self, Queued};
use super::setback::{Got, Setback};
use super::trouble::Meaning;
use super::wants::{Known, Scene, Wants};
use crate::domain::account::Space;
use crate::store::{Failure, Job, Kept, Look, MAX_WAITING};

/// The most jobs in one transaction.
const MAX_GROUP: usize = 256;
/// The most looks that are taken at a time.
const MAX_LOOKS: usize = 128;
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
        let refusal = match (waiting.closed, waiting.jobs) {
            (true, _) => Some(Failure::passing(doing, "the store is closed")),
            (false, MAX_WAITING..) => {
                self.shared.tally.refused_jobs.add(1);
                Some(Failure::passing(doing, format!("{MAX_WAITING} jobs wait already")))
            }
            (false, _) => None,
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
        let on_panic = OnPanic::new(|| {
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
            group::run(&self.shared, home, jobs).await;
        }
        // Another task may be serving the account already.
        on_panic.call_off();
    }

    /// The jobs that go together, of those that wait; `None` when none do, and the account is not being served any more.
    fn next_group(&self, home: Space) -> Option<Vec<Queued>> {
        let mut waiting = self.waiting.lock();
        let queue = waiting.accounts.get_mut(&home)?;
        if queue.is_empty() {
            waiting.accounts.remove(&home);
            self.leave(&waiting);
            return None;
        }
        // A walk along an index has to see what the jobs before it changed, so it goes alone.
        let walks = |queued: &Queued| !queued.wants.pages.is_empty();
        let together = match queue.front().is_some_and(walks) {
            true => 1,
            false => queue.iter().take(MAX_GROUP).take_while(|queued| !walks(queued)).count(),
        };
        let group: Vec<Queued> = queue.drain(..together).collect();
        waiting.jobs -= group.len();
        Some(group)
    }

    /// Takes a look: here, as far as nothing has to be fetched for it.
    pub fn take_look(self: &Arc<Desk>, look: Box<dyn Look>) {
        let queued = QueuedLook { look, scene: Scene::default(), rounds: 0, since: Instant::now() };
        let Some(queued) = advance(queued) else { return };
        let mut waiting = self.waiting.lock();
        if waiting.closed {
            drop(waiting);
            queued.look.finish(Err(Failure::passing("looking", "the store is closed")));
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
        let on_panic = OnPanic::new(|| {
            let mut waiting = self.waiting.lock();
            waiting.lookers -= 1;
            self.leave(&waiting);
        });
        while let Some(looks) = self.next_looks() {
            let again = self.look(looks).await;
            // Those that asked for more go first.
            let mut waiting = self.waiting.lock();
            again.into_iter().rev().for_each(|look| waiting.looks.push_front(look));
        }
        on_panic.call_off();
    }

    /// The looks that go together, of those that wait; `None` when none do, and the caller is no looker any more.
    fn next_looks(&self) -> Option<Vec<QueuedLook>> {
        let mut waiting = self.waiting.lock();
        if waiting.looks.is_empty() {
            // Under the same lock: whoever comes next finds a looker who will see it, or none.
            waiting.lookers -= 1;
            self.leave(&waiting);
            return None;
        }
        let most = waiting.looks.len().min(MAX_LOOKS);
        Some(waiting.looks.drain(..most).collect())
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
        if matches!(failure.meaning, Meaning::Lost | Meaning::Again) {
            let (late, patient): (Vec<QueuedLook>, Vec<QueuedLook>) =
                looks.into_iter().partition(|queued| queued.since.elapsed() > PATIENCE);
            tell(late, &failure.failure);
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
        let fetched = timeout(self.shared.patience, fetch(&connection, wants, &mut known)).await;
        self.shared.tally.fetches.add(1);
        self.shared.tally.fetch_micros.add_micros(started.elapsed());
        match fetched {
            Ok(Ok(())) => {
                connection.give_back();
                Ok(known)
            }
            Ok(Err(setback)) => Err(setback),
            Err(_) => Err(Setback::late("fetching rows")),
        }
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

/// Does something when it is dropped before it is called off, as in a panic.
struct OnPanic<F: FnMut()>(Option<F>);

impl<F: FnMut()> OnPanic<F> {
    fn new(work: F) -> OnPanic<F> {
        OnPanic(Some(work))
    }

    fn call_off(mut self) {
        self.0 = None;
    }
}

impl<F: FnMut()> Drop for OnPanic<F> {
    fn drop(&mut self) {
        if let Some(work) = &mut self.0 {
            work();
        }
    }
}
