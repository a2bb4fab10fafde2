//! The data folder: what lies in it, who holds it, and how a connection to its database is set up.

use std::fs::{DirBuilder, File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::store::{Failure, Kept, Outlook};

/// How long a statement waits for another process: an operator's command, or the server beside one.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Memory for pages of the one connection that writes: enough for the index of a million customers. It is taken as it is
/// needed.
const WRITER_CACHE_KIB: i64 = 96 * 1024;

/// Memory for pages of each connection that reads. Its pages are forgotten with every commit of the writer, so that
/// more of it would win nothing.
const READER_CACHE_KIB: i64 = 2 * 1024;

/// How much of the log's file stays when it begins anew.
const LOG_KEPT_BYTES: i64 = 256 << 20;

/// Room for every statement of the store; a statement that is not kept is planned anew with each use.
const STATEMENTS: usize = 64;

/// The database in a data folder.
pub fn database(folder: &Path) -> PathBuf {
    folder.join("cusp.db")
}

/// SQLite's log beside the database.
pub fn log(folder: &Path) -> PathBuf {
    folder.join("cusp.db-wal")
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Writing, with a sync at every commit.
    Write,
    /// Reading only.
    Read,
}

/// Opens a connection to a database that may have to be made.
pub fn connect(file: &Path, purpose: Purpose) -> Kept<Connection> {
    let open = || -> rusqlite::Result<Connection> {
        // A connection stays with one thread at a time, so SQLite need not guard it again.
        let flags = match purpose {
            Purpose::Write => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
            Purpose::Read => OpenFlags::SQLITE_OPEN_READ_WRITE,
        };
        let connection = Connection::open_with_flags(file, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        // Without this, a statement that a partial index may serve is planned anew each time a value is bound to it.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.pragma_update(None, "temp_store", "memory")?;
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        match purpose {
            Purpose::Write => {
                connection.pragma_update(None, "synchronous", "full")?;
                connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
                // A log that a long reader let grow gives its room back when it begins anew.
                connection.pragma_update(None, "journal_size_limit", LOG_KEPT_BYTES)?;
            }
            Purpose::Read => {
                connection.pragma_update(None, "query_only", true)?;
                connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
            }
        }
        Ok(connection)
    };
    open().map_err(trouble(format!("opening {}", file.display())))
}

/// Makes the data folder, readable by nobody else, when it is not there.
pub fn make_folder(folder: &Path) -> Kept<()> {
    let missing: Vec<&Path> =
        folder.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.is_dir()).collect();
    let make = || {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        // The name of each new folder is in the one above it.
        missing.iter().try_for_each(|made| sync_folder(above(made)))
    };
    make().map_err(file_trouble(format!("making the data folder {}", folder.display())))
}

fn above(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes the database's file when there is none, and lets nobody but its owner read it: the folder may be somebody
/// else's, and what SQLite makes beside it is as open as it is.
pub fn guard(database: &Path) -> Kept<()> {
    let doing = || format!("making {}", database.display());
    match File::options().write(true).create_new(true).mode(OWNER_ONLY).open(database) {
        Ok(_) => Ok(()),
        // By its name and not by a handle: closing a handle would take away the locks of a connection in this process.
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {
            std::fs::set_permissions(database, Permissions::from_mode(OWNER_ONLY)).map_err(file_trouble(doing()))
        }
        Err(cause) => Err(file_trouble(doing())(cause)),
    }
}

/// The permissions of every file that holds records.
pub const OWNER_ONLY: u32 = 0o600;

/// Puts the names in a folder on disk.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Takes the data folder for one server: given back when the file is dropped, also when the process dies. `None` when
/// another one has it.
pub fn lock(folder: &Path) -> Kept<Option<File>> {
    let path = folder.join("cusp.lock");
    let doing = || format!("locking {}", path.display());
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(OWNER_ONLY)
        .open(&path)
        .map_err(|cause| file_trouble(doing())(cause))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(cause)) => Err(file_trouble(doing())(cause)),
    }
}

/// The failure of a second server on one folder.
pub fn in_use(folder: &Path) -> Failure {
    Failure::broken("opening the store", format!("{} is in use by another cusp server", folder.display()))
}

/// Tells what we were doing when SQLite had trouble, and whether the trouble may pass.
pub fn trouble(doing: impl Into<String>) -> impl FnOnce(rusqlite::Error) -> Failure {
    move |cause| {
        let outlook = match cause.sqlite_error_code() {
            Some(
                ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::OutOfMemory
                | ErrorCode::CannotOpen
                | ErrorCode::OperationInterrupted,
            ) => Outlook::Passing,
            Some(_) | None => Outlook::Broken,
        };
        Failure { doing: doing.into(), outlook, cause: Box::new(cause) }
    }
}

/// The same for files.
pub fn file_trouble(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Failure {
    move |cause| {
        let outlook = match cause.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::Interrupted => Outlook::Passing,
            _ => Outlook::Broken,
        };
        Failure { doing: doing.into(), outlook, cause: Box::new(cause) }
    }
}
