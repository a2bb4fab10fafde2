//! Connections for looking: made when they are needed, kept for the next caller. Readers never wait for the writer or for
//! each other.

use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use rusqlite::Connection;

use super::files::{Purpose, connect, trouble};
use super::tx::SqliteTx;
use crate::store::{Failure, Kept, Read};

/// The most connections that are kept open between uses. More callers than this at one time open their own.
const MAX_IDLE: usize = 16;

/// Connections for looking.
pub(super) struct Readers {
    file: PathBuf,
    /// `None` once the store is closed.
    idle: Mutex<Option<Vec<Connection>>>,
}

impl Readers {
    pub fn new(file: &Path) -> Readers {
        Readers { file: file.to_owned(), idle: Mutex::new(Some(Vec::new())) }
    }

    /// Runs `look` on one state of the store. A connection whose transaction ends oddly, in a panic too, is let go.
    pub fn read(&self, look: &mut dyn FnMut(&mut dyn Read) -> Kept<()>) -> Kept<()> {
        let connection = self.take()?;
        let tx = &mut SqliteTx::new(&connection);
        tx.execute("beginning to read", "BEGIN", [])?;
        let outcome = look(tx);
        if tx.execute("ending a read", "COMMIT", []).is_ok() {
            self.give_back(connection);
        }
        outcome
    }

    /// Whether the database answers.
    pub fn probe(&self) -> Kept<()> {
        let connection = self.take()?;
        let answer = connection.query_row("SELECT count(*) FROM accounts", [], |row| row.get::<_, i64>(0));
        answer.map_err(trouble("probing the store"))?;
        self.give_back(connection);
        Ok(())
    }

    pub fn close(&self) {
        // Closing a connection may checkpoint; nobody has to wait for that with the lock held.
        let idle = self.idle.lock().take();
        drop(idle);
    }

    /// A connection outside of any transaction; it sees every commit so far with each statement.
    pub fn take(&self) -> Kept<Connection> {
        let idle = match self.idle.lock().as_mut() {
            Some(idle) => idle.pop(),
            None => return Err(Failure::passing("reading", "the store is closed")),
        };
        idle.map_or_else(|| connect(&self.file, Purpose::Read), Ok)
    }

    /// Keeps a connection for the next caller. It must be outside of any transaction again.
    pub fn give_back(&self, connection: Connection) {
        if let Some(idle) = self.idle.lock().as_mut()
            && idle.len() < MAX_IDLE
        {
            idle.push(connection);
        }
    }
}
