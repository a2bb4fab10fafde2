//! The tables: made and changed by numbered steps that only go forward. The database says which was its last.

use rusqlite::{Connection, TransactionBehavior};

use super::files::trouble;
use crate::store::{Failure, Kept};

/// The steps, in order; the first makes schema 1. A step that was released is never edited.
const STEPS: [&str; 3] = [
    include_str!("../schema/sqlite/0001.sql"),
    include_str!("../schema/sqlite/0002.sql"),
    include_str!("../schema/sqlite/0003.sql"),
];

/// The schema that this version reads and writes.
pub const NEWEST: i64 = STEPS.len() as i64;

/// Marks the file as ours: "Cusp" in ASCII.
const APPLICATION: i64 = 0x4375_7370;

/// Older ones can corrupt a log that is checkpointed by two connections at once: sqlite.org/wal.html#walresetbug.
const OLDEST_SQLITE: i32 = 3_051_003;

/// Refuses to work with an SQLite that is known to lose data.
pub fn require_sound_sqlite() -> Kept<()> {
    require_at_least(rusqlite::version_number())
}

fn require_at_least(version: i32) -> Kept<()> {
    if version < OLDEST_SQLITE {
        let cause = format!("SQLite {} can lose data, 3.51.3 or newer is needed", rusqlite::version());
        return Err(Failure::broken("starting", cause));
    }
    Ok(())
}

/// The number of the last step that the database has seen; 0 for a new one. Refuses a file that is not ours, and one
/// that a newer version has changed.
pub fn version(connection: &Connection) -> Kept<i64> {
    let doing = "reading the schema's number";
    let number = |pragma: &str| {
        connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get::<_, i64>(0)).map_err(trouble(doing))
    };
    let (application, version) = (number("application_id")?, number("user_version")?);
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(trouble(doing))?;
    if application != APPLICATION && (application != 0 || version != 0 || tables != 0) {
        return Err(Failure::broken(doing, "the file is a database of another program"));
    }
    if version > NEWEST {
        let cause = format!(
            "the database has schema {version}, this version of cusp knows schemas up to {NEWEST}: \
             use the version that wrote it, or a newer one"
        );
        return Err(Failure::broken(doing, cause));
    }
    Ok(version)
}

/// Brings the database up to [`NEWEST`]. Each step is one transaction with its number.
pub fn migrate(connection: &mut Connection) -> Kept<()> {
    for from in version(connection)?..NEWEST {
        let to = from + 1;
        let mut step = || -> rusqlite::Result<()> {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            transaction.execute_batch(STEPS[from as usize])?;
            transaction.pragma_update(None, "application_id", APPLICATION)?;
            transaction.pragma_update(None, "user_version", to)?;
            transaction.commit()
        };
        step().map_err(trouble(format!("bringing the database to schema {to}")))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::{NEWEST, OLDEST_SQLITE, migrate, require_at_least, require_sound_sqlite, version};

    #[test]
    fn a_new_database_gets_the_newest_schema() {
        let mut database = Connection::open_in_memory().unwrap();
        assert_eq!(version(&database).unwrap(), 0);
        migrate(&mut database).unwrap();
        assert_eq!(version(&database).unwrap(), NEWEST);
        migrate(&mut database).unwrap();
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let mut database = Connection::open_in_memory().unwrap();
        migrate(&mut database).unwrap();
        database.pragma_update(None, "user_version", NEWEST + 1).unwrap();
        let refusal = version(&database).unwrap_err().to_string();
        let (next, newest) = (format!("has schema {}", NEWEST + 1), format!("up to {NEWEST}"));
        assert!(refusal.contains(&next) && refusal.contains(&newest), "{refusal}");
    }

    #[test]
    fn a_database_of_another_program_is_refused() {
        for made in ["CREATE TABLE t (x)", "PRAGMA user_version = 1", "PRAGMA application_id = 7"] {
            let database = Connection::open_in_memory().unwrap();
            database.execute_batch(made).unwrap();
            assert!(version(&database).is_err(), "{made}");
        }
    }

    #[test]
    fn an_sqlite_that_loses_data_is_refused() {
        assert!(require_at_least(OLDEST_SQLITE - 1).is_err());
        require_sound_sqlite().unwrap();
    }
}
