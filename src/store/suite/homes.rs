//! Places of both kinds for records, for tests that look past the store into its rows.

use std::sync::{Arc, LazyLock};

use rusqlite::Connection;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::settings;
use crate::store::check::{CheckSummary, check};
use crate::store::postgres::tests::server::Database;
use crate::store::postgres::{PostgresRows, PostgresStore};
use crate::store::rows::{Rows, Target};
use crate::store::sqlite::{SqliteRows, SqliteStore};
use crate::store::{Kept, Store};

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());

/// A place for records, empty at first.
pub enum Home {
    Folder(TempDir),
    Database(Database),
}

impl Home {
    pub fn folder() -> Home {
        Home::Folder(tempfile::tempdir().unwrap())
    }

    pub fn database() -> Home {
        Home::Database(Database::fresh())
    }

    /// One of each kind.
    pub fn of_each_kind() -> [Home; 2] {
        [Home::folder(), Home::database()]
    }

    fn settings(database: &Database) -> settings::Database {
        settings::Database::new(database.url())
    }

    /// The store as a server opens it.
    pub fn open(&self) -> Kept<Arc<dyn Store>> {
        Ok(match self {
            Home::Folder(folder) => Arc::new(SqliteStore::open(folder.path())?),
            Home::Database(database) => Arc::new(RUNTIME.block_on(PostgresStore::open(&Home::settings(database)))?),
        })
    }

    pub fn source(&self) -> Kept<Box<dyn Rows>> {
        Ok(match self {
            Home::Folder(folder) => Box::new(SqliteRows::to_copy_from(folder.path())?),
            Home::Database(database) => Box::new(PostgresRows::to_copy_from(&Home::settings(database))?),
        })
    }

    pub fn target(&self) -> Kept<Box<dyn Target>> {
        Ok(match self {
            Home::Folder(folder) => Box::new(SqliteRows::to_copy_into(folder.path())?),
            Home::Database(database) => Box::new(PostgresRows::to_copy_into(&Home::settings(database))?),
        })
    }

    pub fn examined(&self) -> Kept<CheckSummary> {
        let mut rows: Box<dyn Rows> = match self {
            Home::Folder(folder) => Box::new(SqliteRows::to_examine(folder.path())?),
            Home::Database(database) => Box::new(PostgresRows::to_examine(&Home::settings(database))?),
        };
        check(rows.as_mut(), &mut |_| {})
    }

    /// Runs SQL behind the back of every store. Tables are named without their schema.
    pub fn execute(&self, sql: &str) {
        match self {
            Home::Folder(folder) => {
                Connection::open(folder.path().join("cusp.db")).unwrap().execute_batch(sql).unwrap();
            }
            Home::Database(database) => database.execute(&format!("SET search_path = cusp; {sql}")),
        }
    }
}
