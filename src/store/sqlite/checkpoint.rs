//! Moves commits from the log into the database file, so that the log stays short. Most of the work is done beside the
//! writer, by a thread of its own; the writer itself only moves the last few pages, which lets the log begin anew.

use std::fs::File;
use std::mem::ManuallyDrop;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use rusqlite::Connection;
use rusqlite::hooks::Wal;
use rusqlite::wal::CheckpointMode;

use super::files::{BUSY_TIMEOUT, Purpose, connect, file_trouble, trouble};
use super::tally::Tally;
use crate::store::Kept;

/// So many pages in the log wake the checkpointer: 64 MiB. Each time the log begins anew, every connection forgets the
/// pages that it had in memory, the writer's included, so that this is not to happen often.
const ENOUGH_PAGES: u32 = 16_384;

/// At so many the writer does the work itself: 256 MiB. A reader that looks at an old state for long (a backup) can
/// still keep the log from beginning anew; it goes on growing until the reader is done.
const TOO_MANY_PAGES: u32 = 65_536;

/// The checkpointer goes round again while it leaves more than this to the writer.
const FEW_PAGES: u32 = 128;

/// How often it does at most.
const MAX_ROUNDS: usize = 4;

/// How long the writer waits for readers of old states before it puts the matter off.
const PATIENCE: Duration = Duration::from_millis(10);

/// How the writer and the checkpointer tell each other.
#[derive(Default)]
struct Log {
    /// Pages in the log after the last commit.
    pages: AtomicU32,
    /// The checkpointer has left but few pages.
    nearly_done: AtomicBool,
}

/// The writer's side.
pub(super) struct LogKeeper {
    log: Arc<Log>,
    checkpointer: Option<Sender<()>>,
    tally: Arc<Tally>,
    wake_at: u32,
    work_at: u32,
}

impl LogKeeper {
    /// Watches the log that `writer` makes.
    pub fn watch(writer: &mut Connection, tally: Arc<Tally>) -> Kept<LogKeeper> {
        let log = Arc::new(Log::default());
        let watched = Arc::clone(&log);
        let hook = move |_: &mut Wal, pages: std::ffi::c_int| {
            watched.pages.store(u32::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        };
        writer.wal_hook(Some(hook)).map_err(trouble("watching the log"))?;
        Ok(LogKeeper { log, checkpointer: None, tally, wake_at: ENOUGH_PAGES, work_at: TOO_MANY_PAGES })
    }

    /// Starts the thread that works beside the writer; it ends with the keeper.
    pub fn start_checkpointer(&mut self, file: &Path) -> Kept<JoinHandle<()>> {
        let connection = connect(file, Purpose::Write)?;
        // It copies pages from file to file; a cache would win nothing.
        connection.pragma_update(None, "cache_size", 0).map_err(trouble("setting up the checkpointer"))?;
        let database = File::open(file).map_err(file_trouble("opening the database to sync it"))?;
        let database = ManuallyDrop::new(database);
        let (sender, wakes) = bounded(1);
        let checkpointer =
            Checkpointer { connection, database, log: Arc::clone(&self.log), tally: Arc::clone(&self.tally) };
        let thread = thread::Builder::new().name("cusp-checkpoint".into()).spawn(move || checkpointer.run(&wakes));
        self.checkpointer = Some(sender);
        thread.map_err(file_trouble("starting the checkpointer"))
    }

    /// Does what the log needs between two groups.
    pub fn tend(&mut self, writer: &Connection) {
        let pages = self.log.pages.load(Ordering::Relaxed);
        if self.log.nearly_done.swap(false, Ordering::Acquire) || pages >= self.work_at {
            self.begin_anew(writer, pages);
        } else if pages >= self.wake_at {
            self.wake_at = pages + ENOUGH_PAGES;
            if let Some(checkpointer) = &self.checkpointer {
                // Full means that it has been woken already.
                let _ = checkpointer.try_send(());
            }
        }
    }

    fn begin_anew(&mut self, writer: &Connection, pages: u32) {
        let _ = writer.busy_timeout(PATIENCE);
        if checkpoint(writer, CheckpointMode::RESTART, &self.tally).is_some() {
            self.log.pages.store(0, Ordering::Relaxed);
            self.wake_at = ENOUGH_PAGES;
            self.work_at = TOO_MANY_PAGES;
        } else {
            self.wake_at = pages + ENOUGH_PAGES;
            self.work_at = pages.max(TOO_MANY_PAGES) + ENOUGH_PAGES;
        }
        let _ = writer.busy_timeout(BUSY_TIMEOUT);
    }
}

struct Checkpointer {
    connection: Connection,
    /// Only to sync it, and never closed: closing any handle of a file takes away the locks that SQLite holds on it
    /// through another one (sqlite.org/howtocorrupt.html, 2.2).
    database: ManuallyDrop<File>,
    log: Arc<Log>,
    tally: Arc<Tally>,
}

impl Checkpointer {
    fn run(&self, wakes: &Receiver<()>) {
        for () in wakes {
            if self.shorten() {
                self.log.nearly_done.store(true, Ordering::Release);
            }
        }
    }

    /// Moves pages until few are left; `false` when a reader of an old state is in the way.
    fn shorten(&self) -> bool {
        for _ in 0..MAX_ROUNDS {
            let Some((pages, moved)) = checkpoint(&self.connection, CheckpointMode::PASSIVE, &self.tally) else {
                return false;
            };
            if moved < pages {
                return false;
            }
            // SQLite leaves the sync to the checkpoint that empties the log. That one is the writer's, and it is to find
            // little to sync. Nothing relies on this sync: when it fails, the writer's tells.
            let _ = self.database.sync_data();
            if self.log.pages.load(Ordering::Relaxed).saturating_sub(moved) <= FEW_PAGES {
                break;
            }
        }
        true
    }
}

/// One checkpoint: how many pages the log has, and how many of them are in the database file. `None` when it did not get
/// through. That loses nothing: the log keeps what was not moved, and whoever asked tries again.
fn checkpoint(connection: &Connection, mode: CheckpointMode, tally: &Tally) -> Option<(u32, u32)> {
    let started = Instant::now();
    let outcome = connection.wal_checkpoint_v2(None::<&str>, mode);
    tally.checkpoint_micros.add_micros(started.elapsed());
    match outcome {
        Ok((pages, moved)) => {
            tally.checkpoints.add(1);
            Some((u32::try_from(pages).unwrap_or(0), u32::try_from(moved).unwrap_or(0)))
        }
        Err(_) => {
            tally.failed_checkpoints.add(1);
            None
        }
    }
}
