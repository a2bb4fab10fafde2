//! What every store must do, on a real server.

use std::num::NonZeroUsize;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use super::PostgresStore;
use crate::settings;
use crate::store::Store;
use crate::store::suite::{Bench, every_check};

/// The same databases as those of the integration tests.
#[allow(dead_code)]
#[path = "../../../tests/it/postgres.rs"]
pub(in crate::store) mod server;

use server::Database;

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap());

fn options(database: &Database) -> settings::Database {
    settings::Database {
        url: database.url(),
        password_file: None,
        pool_size: NonZeroUsize::new(8).unwrap(),
        statement_timeout: Duration::from_secs(10),
        lock_timeout: Duration::from_secs(5),
    }
}

fn open(database: &Database) -> Arc<dyn Store> {
    Arc::new(RUNTIME.block_on(PostgresStore::open(&options(database))).unwrap())
}

/// A store in a database of its own.
fn bench() -> Bench {
    let database = Database::fresh();
    let store = open(&database);
    let first = store.clone();
    let reopen = move || {
        first.close();
        open(&database)
    };
    Bench { store, reopen: Box::new(reopen) }
}

every_check!(bench);
