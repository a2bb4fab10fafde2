//! The store that keeps everything in one file on this machine. One thread writes, any thread reads.

mod backup;
mod checkpoint;
mod deliveries;
mod files;
mod glance;
mod hot;
mod list;
mod objects;
mod read;
mod readers;
mod reply;
mod rows;
mod schema;
mod tally;
mod tx;
mod writer;

use std::cell::RefCell;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Sender, TrySendError, bounded};
use parking_lot::{Mutex, RwLock};
use rusqlite::Connection;

pub use backup::{backup, restore};
pub use rows::SqliteRows;

use super::rows::require_whole;
use super::{Failure, Figure, Job, Kept, Look, MAX_WAITING, Read, Store};
use checkpoint::LogKeeper;
use files::{Purpose, connect, file_trouble, make_folder};
use hot::{Hot, Touched};
use readers::Readers;
use tally::Tally;
use tx::{Listeners, Notes};
use writer::{Writer, finish};

/// Records in a file on this machine.
pub struct SqliteStore {
    folder: PathBuf,
    /// `None` once the store is closed.
    inbox: RwLock<Option<Sender<Box<dyn Job>>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    readers: Readers,
    hot: Arc<Hot>,
    tally: Arc<Tally>,
}

impl SqliteStore {
    /// Opens the store for a server. There can be one server for a data folder, which is made when it is not there.
    pub fn open(folder: &Path) -> Kept<SqliteStore> {
        make_folder(folder)?;
        let lock = files::lock(folder)?.ok_or_else(|| files::in_use(folder))?;
        SqliteStore::start(folder, Some(lock))
    }

    /// Refuses a folder that a server has; does nothing else.
    pub fn require_free(folder: &Path) -> Kept<()> {
        if !folder.join("cusp.lock").exists() {
            return Ok(());
        }
        files::lock(folder)?.map(drop).ok_or_else(|| files::in_use(folder))
    }

    /// Opens the store for an operator's command, while a server may be using it. The server remembers customers and
    /// hears of no writes but its own: a command must not replace one.
    pub fn open_beside(folder: &Path) -> Kept<SqliteStore> {
        make_folder(folder)?;
        match files::lock(folder)? {
            // No server is running: whoever comes first makes the database.
            Some(lock) => {
                let store = SqliteStore::start(folder, None)?;
                drop(lock);
                Ok(store)
            }
            None => {
                let connection = connect(&files::database(folder), Purpose::Read)?;
                let version = schema::version(&connection)?;
                if version != schema::NEWEST {
                    // Its statements were written for the schema that it has.
                    let cause = format!("the running server uses schema {version}: restart it with this version first");
                    return Err(Failure::passing("opening the store", cause));
                }
                SqliteStore::start(folder, None)
            }
        }
    }

    /// `lock` is what keeps a second server out; `None` beside a server.
    fn start(folder: &Path, lock: Option<File>) -> Kept<SqliteStore> {
        let (mut writer, tally) = open_writer(folder)?;
        let hot = Arc::clone(writer.notes.touched.hot());
        let mut threads = Vec::new();
        if lock.is_some() {
            threads.push(writer.log.start_checkpointer(&files::database(folder))?);
        } else {
            // The server may replace any customer at any time.
            hot.shut();
        }
        let (sender, inbox) = bounded(MAX_WAITING);
        let thread = thread::Builder::new().name("cusp-writer".into()).spawn(move || {
            writer.run(&inbox);
            // A second server is kept out until the last job is done, wherever the store was closed.
            drop(lock);
        });
        threads.push(thread.map_err(file_trouble("starting the writer"))?);
        Ok(SqliteStore {
            folder: folder.to_owned(),
            inbox: RwLock::new(Some(sender)),
            threads: Mutex::new(threads),
            readers: Readers::new(&files::database(folder)),
            hot,
            tally,
        })
    }
}

fn open_writer(folder: &Path) -> Kept<(Writer, Arc<Tally>)> {
    let mut connection = open_database(folder)?;
    require_whole(&folder.display().to_string(), rows::mark(&connection)?.as_ref())?;
    let tally = Arc::new(Tally::default());
    let log = LogKeeper::watch(&mut connection, Arc::clone(&tally))?;
    let notes = Notes {
        touched: Touched::new(Arc::new(Hot::new())),
        sequences: RefCell::default(),
        listeners: Listeners::default(),
    };
    Ok((Writer { connection, log, tally: Arc::clone(&tally), notes }, tally))
}

/// Opens the database for writing, made and brought to the newest schema.
fn open_database(folder: &Path) -> Kept<Connection> {
    schema::require_sound_sqlite()?;
    let file = files::database(folder);
    files::guard(&file)?;
    let mut connection = connect(&file, Purpose::Write)?;
    schema::version(&connection)?;
    let doing = "turning the log on";
    let mode: String = connection
        .pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))
        .map_err(files::trouble(doing))?;
    if mode != "wal" {
        let cause = format!("SQLite stays in '{mode}' mode there: the data folder must be on a local file system");
        return Err(Failure::broken(doing, cause));
    }
    schema::migrate(&mut connection)?;
    files::sync_folder(folder).map_err(file_trouble("syncing the data folder"))?;
    Ok(connection)
}

impl Store for SqliteStore {
    fn write(&self, job: Box<dyn Job>) {
        let doing = "queueing a job";
        let refused = match self.inbox.read().as_ref() {
            None => Some((job, Failure::passing(doing, "the store is closed"))),
            Some(inbox) => match inbox.try_send(job) {
                Ok(()) => None,
                Err(TrySendError::Full(job)) => {
                    self.tally.refused_jobs.add(1);
                    Some((job, Failure::passing(doing, format!("{MAX_WAITING} jobs wait already"))))
                }
                Err(TrySendError::Disconnected(job)) => {
                    Some((job, Failure::broken(doing, "the writer has ended unexpectedly")))
                }
            },
        };
        // After the lock is let go: a job may use the store when it is told.
        if let Some((job, failure)) = refused {
            finish(job, Err(failure));
        }
    }

    fn read(&self, look: &mut dyn FnMut(&mut dyn Read) -> Kept<()>) -> Kept<()> {
        self.readers.read(look)
    }

    fn glance(&self, mut look: Box<dyn Look>) {
        let outcome = glance::glance(&self.readers, &self.hot, look.as_mut());
        look.finish(outcome);
    }

    fn ready(&self) -> Kept<()> {
        if let Some(ailment) = self.tally.ailment.lock().clone() {
            return Err(Failure::passing("writing to the store", ailment));
        }
        self.readers.probe()
    }

    fn figures(&self) -> Vec<Figure> {
        let queued = self.inbox.read().as_ref().map_or(0, Sender::len);
        self.tally.figures(&self.folder, queued)
    }

    fn close(&self) {
        drop(self.inbox.write().take());
        let threads = std::mem::take(&mut *self.threads.lock());
        // A job that lets go of the last handle closes the store from the writer itself, which cannot wait for itself.
        if threads.iter().all(|thread| thread.thread().id() != thread::current().id()) {
            for thread in threads {
                // The panic that ended it has been logged.
                let _ = thread.join();
            }
        }
        self.readers.close();
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests;
