//! The store that keeps everything in a PostgreSQL database, which any number of servers may share. Nothing here waits on
//! a thread: jobs and looks are run on what is known, and what they lack is fetched for many of them at once.

mod changes;
#[doc(hidden)]
pub mod connect;
mod deliveries;
mod desk;
mod draft;
mod fetch;
mod flush;
mod group;
mod list;
mod listeners;
mod rehearsal;
mod rows;
mod schema;
mod setback;
mod spread;
mod statements;
mod tally;
mod tls;
mod trouble;
mod turns;
mod url;
mod wants;
mod whole;

use std::hash::{BuildHasher as _, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

pub use rows::PostgresRows;
pub use url::{examine, place};

use super::rows::{Mark, require_whole};
use super::{Failure, Figure, Job, Kept, Look, Read, Store};
use crate::settings::Database;
use connect::{Connection, Pool};
use desk::Desk;
use fetch::fetch;
use listeners::Listeners;
use setback::{Got, Setback};
use tally::Tally;
use trouble::Meaning;
use turns::Turn;
use wants::{Scene, Wants};

/// How often the database is asked whether it takes writes.
const PROBE_EVERY: Duration = Duration::from_secs(1);
/// How long it may take to answer that.
const PROBE_PATIENCE: Duration = Duration::from_secs(3);
/// How often a read may ask for more.
const MAX_ROUNDS: usize = 10_000;
/// How long a read is tried while the database is away.
const READ_PATIENCE: Duration = Duration::from_secs(5);

/// Records in a database.
pub struct PostgresStore {
    shared: Arc<Shared>,
    desk: Arc<Desk>,
    runtime: Handle,
    probing: JoinHandle<()>,
}

/// What a change of the tables came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// The schema that the database had; 0 when it had none.
    pub from: i64,
    /// The schema that it has now.
    pub to: i64,
    /// Tables that were spread over the machines of a cluster.
    pub spread: Vec<&'static str>,
}

/// Brings the tables to the newest schema, and spreads them over a Citus cluster by account if `distribute` asks for it.
/// Doing it again does nothing.
pub async fn migrate(database: &Database, distribute: bool) -> Kept<Migrated> {
    let pool = Pool::new(database)?;
    pool.first().await?.give_back();
    let from = schema::migrate(&pool).await?;
    let mut spread = Vec::new();
    if distribute {
        let connection = pool.get().await?;
        connection
            .batch_execute("SET statement_timeout = 0")
            .await
            .map_err(trouble::trouble("spreading the tables"))?;
        spread = spread::spread(&connection).await.map_err(|setback| setback.failure)?;
    }
    pool.close();
    Ok(Migrated { from, to: schema::NEWEST, spread })
}

/// What every task of a store has to do with.
struct Shared {
    pool: Pool,
    /// Reads may take their time, each with a connection: some are left to jobs and looks.
    reads: Semaphore,
    tally: Tally,
    /// Which of the servers this is: a random number, and how its turns begin.
    id: u64,
    server: String,
    turns: AtomicU64,
    listeners: Listeners,
}

impl PostgresStore {
    /// Opens the store for a server, and brings its tables to the newest schema. To be called on a runtime whose tasks go
    /// on while the store is open.
    pub async fn open(database: &Database) -> Kept<PostgresStore> {
        let pool = Pool::new(database)?;
        pool.first().await?.give_back();
        schema::migrate(&pool).await?;
        PostgresStore::over(pool, database).await
    }

    /// Opens the store for an operator's command, beside servers that may be running. It makes the tables when there are
    /// none; older ones it leaves to the servers whose statements were written for them.
    pub async fn open_beside(database: &Database) -> Kept<PostgresStore> {
        let pool = Pool::new(database)?;
        pool.first().await?.give_back();
        schema::make_or_require(&pool).await?;
        PostgresStore::over(pool, database).await
    }

    async fn over(pool: Pool, database: &Database) -> Kept<PostgresStore> {
        require_no_copy(&pool).await?;
        if !commits_last(&pool).await? {
            tracing::warn!(
                "synchronous_commit is off: {} answers commits that are not on its disk, and a crash undoes them",
                pool.place()
            );
        }
        let id = throw();
        let size = database.pool_size.get();
        let shared = Arc::new(Shared {
            pool,
            reads: Semaphore::new(size - (size / 4).max(1).min(size - 1)),
            tally: Tally::default(),
            id,
            server: turns::name(id),
            turns: AtomicU64::new(0),
            listeners: Listeners::default(),
        });
        let runtime = Handle::current();
        let probing = runtime.spawn(probe(shared.clone()));
        let desk = Arc::new(Desk::new(shared.clone(), runtime.clone()));
        Ok(PostgresStore { shared, desk, runtime, probing })
    }
}

/// Refuses a database that a copy into it has left unfinished.
async fn require_no_copy(pool: &Pool) -> Kept<()> {
    let connection = pool.get().await?;
    let mark = rows::mark(&connection).await?;
    connection.give_back();
    require_whole(pool.place(), mark.as_deref().map(Mark::read).transpose()?.as_ref())
}

impl Shared {
    async fn connection(&self) -> Got<Connection> {
        self.pool.get().await.map_err(Setback::lost)
    }

    /// The next transaction of this server.
    fn turn(&self) -> Turn {
        Turn { server: self.id, number: self.turns.fetch_add(1, Ordering::Relaxed) }
    }

    /// Gives a connection back whose transaction is of no use any more.
    async fn roll_back(&self, connection: Connection) {
        if let Some(Ok(())) = connection.hear(connection.batch_execute("ROLLBACK")).await {
            connection.give_back();
        }
    }

    /// A time between half of it and all of it, so that those who were in each other's way are not so again.
    fn jitter(&self, span: Duration) -> Duration {
        span / 2 + (span / 2).mul_f64((throw() % 1_000) as f64 / 1_000.0)
    }

    /// Runs `look` on one state of the database.
    async fn read(&self, look: &mut dyn FnMut(&mut dyn Read) -> Kept<()>) -> Got<Kept<()>> {
        let doing = "reading one state";
        let Ok(Ok(_permit)) = timeout(READ_PATIENCE, self.reads.acquire()).await else {
            return Err(Setback::lost(Failure::passing(doing, "too many others do")));
        };
        let connection = self.connection().await?;
        let run = async |sql| match connection.hear(connection.batch_execute(sql)).await {
            Some(done) => done.map_err(Setback::of(doing)),
            None => Err(Setback::late(doing)),
        };
        run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        let mut scene = Scene::default();
        for _ in 0..MAX_ROUNDS {
            let outcome = match catch_unwind(AssertUnwindSafe(|| look(&mut scene))) {
                Ok(outcome) => outcome,
                Err(panic) => {
                    self.roll_back(connection).await;
                    resume_unwind(panic);
                }
            };
            let wants = std::mem::take(&mut scene.wants);
            if wants == Wants::default() {
                run("COMMIT").await?;
                connection.give_back();
                return Ok(outcome);
            }
            fetch(&connection, &wants, &mut scene.known).await?;
        }
        Err(Failure::broken(doing, "it asks for more without end").into())
    }
}

/// A number that is not the same twice, in this process or another.
fn throw() -> u64 {
    RandomState::new().hash_one(())
}

impl Store for PostgresStore {
    fn write(&self, job: Box<dyn Job>) {
        self.desk.take_job(job);
    }

    fn read(&self, look: &mut dyn FnMut(&mut dyn Read) -> Kept<()>) -> Kept<()> {
        if self.desk.is_closed() {
            return Err(Failure::passing("reading", "the store is closed"));
        }
        let began = Instant::now();
        loop {
            let attempted = Instant::now();
            let seen = self.runtime.block_on(self.shared.read(look));
            self.shared.tally.reads.add(1);
            self.shared.tally.read_micros.add_micros(attempted.elapsed());
            match seen {
                Ok(outcome) => return outcome,
                Err(Setback { meaning: Meaning::Lost | Meaning::Again, .. })
                    if began.elapsed() < READ_PATIENCE && !self.desk.is_closed() =>
                {
                    std::thread::sleep(self.shared.jitter(Duration::from_millis(50)));
                }
                Err(setback) => return Err(setback.failure),
            }
        }
    }

    fn glance(&self, look: Box<dyn Look>) {
        self.desk.take_look(look);
    }

    fn ready(&self) -> Kept<()> {
        if self.desk.is_closed() {
            return Err(Failure::passing("writing to the store", "the store is closed"));
        }
        match self.shared.tally.ailment.lock().clone() {
            Some(ailment) => Err(Failure::passing("asking the database", ailment)),
            None => Ok(()),
        }
    }

    fn figures(&self) -> Vec<Figure> {
        self.shared.tally.figures(self.shared.pool.status(), self.desk.waiting_jobs())
    }

    fn close(&self) {
        self.desk.close();
        self.probing.abort();
        self.shared.pool.close();
    }
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        // Tasks that still run hold what they need; nobody waits for them here.
        self.probing.abort();
    }
}

/// Asks the database again and again whether it takes writes.
async fn probe(shared: Arc<Shared>) {
    loop {
        let ailment = match timeout(PROBE_PATIENCE, takes_writes(&shared)).await {
            Ok(Ok(true)) => None,
            Ok(Ok(false)) => Some("the database takes no writes".to_owned()),
            Ok(Err(setback)) => Some(setback.failure.to_string()),
            Err(_) => Some("the database does not answer".to_owned()),
        };
        let known = std::mem::replace(&mut *shared.tally.ailment.lock(), ailment.clone());
        match (known, ailment) {
            (None, Some(ailment)) => tracing::error!("{ailment}"),
            (Some(_), None) => tracing::info!("the database takes writes again"),
            (None, None) | (Some(_), Some(_)) => {}
        }
        sleep(PROBE_EVERY).await;
    }
}

/// Whether a commit that was answered outlives a crash of the database, as far as our sessions are told to have it.
async fn commits_last(pool: &Pool) -> Kept<bool> {
    let doing = "asking the database";
    let connection = pool.get().await?;
    let row = connection.query_one("SHOW synchronous_commit", &[]).await.map_err(trouble::trouble(doing))?;
    let told: String = row.try_get(0).map_err(trouble::trouble(doing))?;
    connection.give_back();
    Ok(told != "off")
}

async fn takes_writes(shared: &Shared) -> Got<bool> {
    let doing = "asking the database";
    let connection = shared.connection().await?;
    let row = connection.query_one("SHOW transaction_read_only", &[]).await.map_err(Setback::of(doing))?;
    let read_only: String = row.try_get(0).map_err(Setback::of(doing))?;
    connection.give_back();
    Ok(read_only == "off")
}

#[cfg(test)]
pub(in crate::store) mod tests;
