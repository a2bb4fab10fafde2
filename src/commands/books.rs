//! The data as operators' commands open them, beside running servers or not. The only place among the commands that names
//! a kind of store.

use std::path::{Path, PathBuf};
use std::sync::mpsc;

use tokio::runtime::{Builder, Runtime};

use super::Trouble;
use crate::clock::Clock;
use crate::config::{Place, StoreOptions};
use crate::domain::time::Time;
use crate::ids::Ids;
use crate::settings::Database;
use crate::store::{Job, Kept, Read, Store, Tx, Verdict};

use crate::store::check;
pub use crate::store::check::CheckSummary;
use crate::store::copy::{self, Wish};
pub use crate::store::copy::{Copied, Progress};
use crate::store::postgres::{self, Migrated, PostgresRows, PostgresStore};
use crate::store::rows::{Rows, Target};
use crate::store::sqlite::{self, SqliteRows, SqliteStore};

/// Opened data, with what a command needs to work on them.
pub struct Books {
    store: Box<dyn Store>,
    /// What a store in a database runs on.
    _runtime: Option<Runtime>,
    /// Where ids and random bytes come from.
    pub ids: Ids,
    /// When the command began.
    pub now: Time,
}

impl Books {
    /// Opens the data, which are made when there are none.
    pub fn open_or_make(options: StoreOptions) -> Result<Books, Trouble> {
        match options.place()? {
            Place::Folder(folder) => Books::at(&folder),
            Place::Database(database) => Books::within(&database),
        }
    }

    /// Opens the data that there are; a database has them as soon as somebody asks.
    pub fn open(options: StoreOptions) -> Result<Books, Trouble> {
        match options.place()? {
            Place::Folder(folder) => Books::at(&existing(folder)?),
            Place::Database(database) => Books::within(&database),
        }
    }

    fn within(database: &Database) -> Result<Books, Trouble> {
        let runtime = runtime()?;
        let store = runtime.block_on(PostgresStore::open_beside(database))?;
        Ok(Books::over(Box::new(store), Some(runtime)))
    }

    fn at(folder: &Path) -> Result<Books, Trouble> {
        Ok(Books::over(Box::new(SqliteStore::open_beside(folder)?), None))
    }

    fn over(store: Box<dyn Store>, runtime: Option<Runtime>) -> Books {
        Books { store, _runtime: runtime, ids: Ids::random(), now: Clock::Real.now() }
    }

    /// Runs `work` as one transaction; a trouble undoes it.
    pub fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut dyn Tx) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Trouble> {
        let (answer, answered) = mpsc::channel();
        self.store.write(Box::new(Task { work, result: None, answer }));
        answered.recv().expect("a store finishes every job")
    }

    /// Runs `look` on one state of the books.
    pub fn read<T>(&self, mut look: impl FnMut(&mut dyn Read) -> Kept<T>) -> Result<T, Trouble> {
        let mut seen = None;
        self.store.read(&mut |read| {
            seen = Some(look(read)?);
            Ok(())
        })?;
        Ok(seen.expect("a store that does not fail has looked"))
    }
}

impl Drop for Books {
    fn drop(&mut self) {
        self.store.close();
    }
}

struct Task<T, F> {
    work: F,
    result: Option<Result<T, Trouble>>,
    answer: mpsc::Sender<Result<T, Trouble>>,
}

impl<T: Send, F: FnMut(&mut dyn Tx) -> Result<T, Trouble> + Send> Job for Task<T, F> {
    fn run(&mut self, tx: &mut dyn Tx) -> Kept<Verdict> {
        let (result, verdict) = match (self.work)(tx) {
            // The store wants to know, because it may run the job again.
            Err(Trouble::Store(failure)) => return Err(failure),
            Err(refused) => (Err(refused), Verdict::Rollback),
            Ok(done) => (Ok(done), Verdict::Commit),
        };
        self.result = Some(result);
        Ok(verdict)
    }

    fn finish(self: Box<Self>, outcome: Kept<()>) {
        let Task { work: _, result, answer } = *self;
        let result = match outcome {
            Ok(()) => result.expect("a job that ended well has run"),
            Err(failure) => Err(Trouble::Store(failure)),
        };
        // The command waits for the answer, unless the whole program is ending.
        let _ = answer.send(result);
    }
}

/// Copies the folder's data into a new file; `progress` is told the pages done and all of them.
pub fn backup(folder: PathBuf, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<(), Trouble> {
    Ok(sqlite::backup(&existing(folder)?, to, progress)?)
}

/// Makes a data folder from a backup.
pub fn restore(from: &Path, folder: &Path) -> Result<(), Trouble> {
    Ok(sqlite::restore(from, folder)?)
}

/// Examines everything in a place; `report` is told how far it is. Gives the words for the place as well.
pub fn check(place: Place, report: &mut dyn FnMut(String)) -> Result<(String, CheckSummary), Trouble> {
    let mut rows: Box<dyn Rows> = match place {
        Place::Folder(folder) => Box::new(SqliteRows::to_examine(&existing(folder)?)?),
        Place::Database(database) => Box::new(PostgresRows::to_examine(&database)?),
    };
    let summary = check::check(rows.as_mut(), report)?;
    Ok((rows.place().to_owned(), summary))
}

/// Copies everything from one place to another, or goes on doing so; `tell` hears how far it is.
pub fn copy(from: Place, to: Place, replace: bool, tell: &mut dyn FnMut(Progress)) -> Result<Copied, Trouble> {
    if let (Place::Folder(from), Place::Folder(to)) = (&from, &to)
        && let (Ok(from), Ok(to)) = (from.canonicalize(), to.canonicalize())
        && from == to
    {
        // Its lock would keep it from itself, and say something else.
        return Err(Trouble::Refused(format!("source and target are both {}", from.display())));
    }
    let mut from: Box<dyn Rows> = match from {
        Place::Folder(folder) => Box::new(SqliteRows::to_copy_from(&folder)?),
        Place::Database(database) => Box::new(PostgresRows::to_copy_from(&database)?),
    };
    let mut to: Box<dyn Target> = match to {
        Place::Folder(folder) => Box::new(SqliteRows::to_copy_into(&folder)?),
        Place::Database(database) => Box::new(PostgresRows::to_copy_into(&database)?),
    };
    let wish = Wish { replace, number: Clock::Real.now().0 };
    Ok(copy::copy(from.as_mut(), to.as_mut(), wish, tell)?)
}

/// Brings the tables of a database to what this version works with.
pub fn migrate(options: StoreOptions, distribute: bool) -> Result<Migrated, Trouble> {
    match options.place()? {
        Place::Database(database) => Ok(runtime()?.block_on(postgres::migrate(&database, distribute))?),
        Place::Folder(folder) => Err(Trouble::Refused(format!(
            "{} is a data folder, which a server brings up to date when it starts; --database-url names a database",
            folder.display()
        ))),
    }
}

fn runtime() -> Result<Runtime, Trouble> {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
    runtime.map_err(|error| Trouble::Refused(format!("cannot start threads: {error}")))
}

fn existing(folder: PathBuf) -> Result<PathBuf, Trouble> {
    if folder.is_dir() {
        return Ok(folder);
    }
    Err(Trouble::Refused(format!(
        "there is no data folder {}; --data names another one, and `cusp serve` or `cusp keys create` makes one",
        folder.display()
    )))
}
