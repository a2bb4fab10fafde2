//! Copies of the whole store: taken while a server runs, put back before one does.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::OpenFlags;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::ffi::{Error, SQLITE_BUSY};

use super::files::{self, BUSY_TIMEOUT, Purpose, connect, file_trouble, make_folder, sync_folder, trouble};
use super::{rows, schema};
use crate::store::rows::require_whole;
use crate::store::{Failure, Kept};

/// How many pages are copied between two words on the progress: 4 MiB.
const PAGES_PER_STEP: i32 = 1_024;

/// Copies one state of the store to a file that must not exist, a server running or not. The file appears under its
/// name when it is whole and on disk. `progress` is told the pages done and to do.
pub fn backup(folder: &Path, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Kept<()> {
    let source = files::database(folder);
    if !source.is_file() {
        return Err(Failure::broken("backing up", format!("{} does not exist", source.display())));
    }
    require_absent("backing up", to)?;
    let from = connect(&source, Purpose::Read)?;
    schema::version(&from)?;
    require_whole(&folder.display().to_string(), rows::mark(&from)?.as_ref())?;
    copy(&from, to, progress)
}

/// Puts a backup into a data folder that holds no database yet. The backup is examined first.
pub fn restore(from: &Path, folder: &Path) -> Kept<()> {
    let doing = "restoring";
    if !from.is_file() {
        return Err(Failure::broken(doing, format!("{} does not exist", from.display())));
    }
    make_folder(folder)?;
    let _lock = files::lock(folder)?.ok_or_else(|| files::in_use(folder))?;
    require_absent(doing, &files::database(folder))?;
    require_absent(doing, &files::log(folder))?;
    let source = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(trouble(format!("opening {}", from.display())))?;
    source.busy_timeout(BUSY_TIMEOUT).map_err(trouble(doing))?;
    if schema::version(&source)? == 0 {
        return Err(Failure::broken(doing, format!("{} is empty", from.display())));
    }
    let verdict: String = source
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(trouble(format!("examining {}", from.display())))?;
    if verdict != "ok" {
        return Err(Failure::broken(format!("examining {}", from.display()), verdict));
    }
    copy(&source, &files::database(folder), &mut |_, _| {})
}

fn copy(from: &Connection, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Kept<()> {
    let partial = partial_of(to);
    // A copy that was interrupted has left its remains.
    remove_if_there(&partial)?;
    let copied = copy_pages(from, &partial, progress).and_then(|()| {
        let doing = || format!("finishing {}", to.display());
        let finish = || {
            File::open(&partial)?.sync_all()?;
            // Unlike a rename, a link never takes the place of a file that came in the meantime.
            fs::hard_link(&partial, to)?;
            fs::remove_file(&partial)?;
            sync_folder(to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))
        };
        require_absent("copying", to)?;
        finish().map_err(file_trouble(doing()))
    });
    if copied.is_err() {
        // The failure that is told is the first one.
        let _ = fs::remove_file(&partial);
    }
    copied
}

fn copy_pages(from: &Connection, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Kept<()> {
    let doing = || format!("copying to {}", to.display());
    // It holds customers' records: SQLite would make it with whatever permissions are usual here.
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).map_err(file_trouble(doing()))?;
    let mut target = Connection::open(to).map_err(trouble(doing()))?;
    // A transaction that stays open holds one state; without it, a change by the server would begin the copy anew.
    from.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema;").map_err(trouble(doing()))?;
    let mut step = || -> rusqlite::Result<()> {
        let backup = Backup::new(from, &mut target)?;
        loop {
            let outcome = backup.step(PAGES_PER_STEP)?;
            let pages = backup.progress();
            progress((pages.pagecount - pages.remaining).unsigned_abs().into(), pages.pagecount.unsigned_abs().into());
            match outcome {
                StepResult::Done => return Ok(()),
                StepResult::More => {}
                // Busy or locked: the target is ours alone, the source waits by itself.
                _ => return Err(rusqlite::Error::SqliteFailure(Error::new(SQLITE_BUSY), None)),
            }
        }
    };
    let copied = step().map_err(trouble(doing()));
    let ended = from.execute_batch("COMMIT").map_err(trouble(doing()));
    copied.and(ended)?;
    // Without a log the copy is one file, complete in itself.
    target.pragma_update(None, "journal_mode", "delete").map_err(trouble(doing()))?;
    target.close().map_err(|(_, cause)| trouble(doing())(cause))
}

fn partial_of(file: &Path) -> PathBuf {
    let mut name = OsString::from(file);
    // Two backups at once do not share their remains.
    name.push(format!(".{}.partial", std::process::id()));
    PathBuf::from(name)
}

fn require_absent(doing: &str, file: &Path) -> Kept<()> {
    if file.symlink_metadata().is_ok() {
        return Err(Failure::broken(doing, format!("{} exists already", file.display())));
    }
    Ok(())
}

fn remove_if_there(file: &Path) -> Kept<()> {
    match fs::remove_file(file) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
            Err(file_trouble(format!("removing {}", file.display()))(cause))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
