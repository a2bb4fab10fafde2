//! The data folder as plain rows: to be copied from or into while nobody else has it, or to be examined beside a server.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Params, TransactionBehavior, params_from_iter};

use super::files::{self, Purpose, connect, file_trouble, make_folder, trouble};
use super::{open_database, schema};
use crate::domain::account::Space;
use crate::store::check::MAX_FAULTS;
use crate::store::rows::{Cell, Column, Key, Kind, Mark, PAGE, Row, Rows, TABLES, Table, Target};
use crate::store::{Failure, Kept};

/// How many pages the log may have before what is in it goes to the database's file: 16 MiB.
const LOG_PAGES: i64 = 4_096;

/// The one row of `copying` that there is: the mark.
const MAKE_MARK: &str = "CREATE TABLE IF NOT EXISTS copying (id INTEGER PRIMARY KEY, mark TEXT NOT NULL) STRICT";
const SET_MARK: &str =
    "INSERT INTO copying (id, mark) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET mark = excluded.mark";

/// A data folder as rows.
pub struct SqliteRows {
    // Before the lock: what is dropped first is closed first.
    connection: Connection,
    /// Keeps servers out; `None` beside one.
    _lock: Option<File>,
    place: String,
    schema: i64,
}

impl SqliteRows {
    /// A folder to be copied from. No server may have it, and none can until this is dropped.
    pub fn to_copy_from(folder: &Path) -> Kept<SqliteRows> {
        let doing = "opening the source";
        require_database(doing, folder)?;
        let lock = lock(doing, folder)?;
        let connection = connect(&files::database(folder), Purpose::Read)?;
        SqliteRows::over(connection, Some(lock), folder)
    }

    /// A folder to be copied into, made when it is not there. No server may have it, and none can until this is dropped.
    pub fn to_copy_into(folder: &Path) -> Kept<SqliteRows> {
        make_folder(folder)?;
        let lock = lock("opening the target", folder)?;
        let file = files::database(folder);
        if file.is_file() {
            let connection = connect(&file, Purpose::Read)?;
            if schema::version(&connection)? != 0 {
                SqliteRows::over(connection, None, folder)?;
            }
        }
        let connection = open_database(folder)?;
        let set = connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES);
        set.map_err(trouble("opening the target"))?;
        SqliteRows::over(connection, Some(lock), folder)
    }

    /// A folder to be examined as it is at this moment, a server running or not.
    pub fn to_examine(folder: &Path) -> Kept<SqliteRows> {
        let doing = "examining the store";
        require_database(doing, folder)?;
        let connection = connect(&files::database(folder), Purpose::Read)?;
        connection.execute_batch("BEGIN").map_err(trouble(doing))?;
        SqliteRows::over(connection, None, folder)
    }

    fn over(connection: Connection, lock: Option<File>, folder: &Path) -> Kept<SqliteRows> {
        let schema = schema::version(&connection)?;
        let found = folder.canonicalize().map_err(file_trouble(format!("looking for {}", folder.display())))?;
        let place = found.display().to_string();
        if schema != schema::NEWEST {
            let needed = schema::NEWEST;
            let cause = format!("{place} has schema {schema}, not {needed}: start this version's server on it once");
            return Err(Failure::broken("opening the store", cause));
        }
        Ok(SqliteRows { connection, _lock: lock, place, schema })
    }

    fn query<T>(
        &self,
        sql: &str,
        parameters: impl Params,
        read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        self.connection.prepare_cached(sql)?.query_map(parameters, read)?.collect()
    }
}

fn require_database(doing: &str, folder: &Path) -> Kept<()> {
    let file = files::database(folder);
    match file.is_file() {
        true => Ok(()),
        false => Err(Failure::broken(doing, format!("{} does not exist", file.display()))),
    }
}

fn lock(doing: &str, folder: &Path) -> Kept<File> {
    files::lock(folder)?.ok_or_else(|| {
        let cause = format!("{} is in use by a cusp server or another copy: stop it first", folder.display());
        Failure::broken(doing, cause)
    })
}

/// The mark of a copy into this database that is not finished.
pub(super) fn mark(connection: &Connection) -> Kept<Option<Mark>> {
    let doing = "looking for an unfinished copy";
    let sql = "SELECT count(*) FROM sqlite_schema WHERE name = 'copying'";
    let there: bool = connection.query_row(sql, [], |row| row.get(0)).map_err(trouble(doing))?;
    if !there {
        return Ok(None);
    }
    let sql = "SELECT mark FROM copying WHERE id = 1";
    let text: Option<String> = connection.query_row(sql, [], |row| row.get(0)).optional().map_err(trouble(doing))?;
    text.map(|text| Mark::read(&text)).transpose()
}

impl Rows for SqliteRows {
    fn place(&self) -> &str {
        &self.place
    }

    fn schema(&self) -> i64 {
        self.schema
    }

    fn mark(&mut self) -> Kept<Option<Mark>> {
        mark(&self.connection)
    }

    fn accounts(&mut self) -> Kept<Vec<Space>> {
        let mut spaces = BTreeSet::new();
        for table in &TABLES {
            let sql = format!("SELECT min(account) FROM {} WHERE account >= ?1", table.name);
            let mut next = Some(i64::MIN);
            while let Some(from) = next {
                let found: Vec<Option<i64>> =
                    self.query(&sql, [from], |row| row.get(0)).map_err(trouble("listing accounts"))?;
                let Some(&Some(account)) = found.first() else { break };
                spaces.insert(Space(account));
                next = account.checked_add(1);
            }
        }
        Ok(spaces.into_iter().collect())
    }

    fn count(&mut self, table: &Table, space: Space) -> Kept<u64> {
        let sql = format!("SELECT count(*) FROM {} WHERE account = ?1", table.name);
        let counted: Vec<i64> =
            self.query(&sql, [space.0], |row| row.get(0)).map_err(trouble(format!("counting {}", table.name)))?;
        Ok(counted.first().map_or(0, |count| count.unsigned_abs()))
    }

    fn page(&mut self, table: &Table, space: Space, behind: Option<&Key>) -> Kept<Vec<Row>> {
        let account = Cell::Number(space.0);
        let parameters = params_from_iter([&account].into_iter().chain(behind.into_iter().flatten()));
        let page = self.query(&page_sql(table, behind.is_some()), parameters, |row| cells(table, row));
        page.map_err(trouble(reading(table, space)))
    }

    fn find(&mut self, table: &Table, space: Space, keys: &[Key]) -> Kept<Vec<Row>> {
        let (sql, account) = (find_sql(table), Cell::Number(space.0));
        let mut found = Vec::new();
        for key in keys {
            let parameters = params_from_iter([&account].into_iter().chain(key));
            let rows = self.query(&sql, parameters, |row| cells(table, row));
            found.extend(rows.map_err(trouble(reading(table, space)))?);
        }
        Ok(found)
    }

    fn hears(&mut self, _: i64) -> Kept<bool> {
        // Whoever has this folder has its lock.
        Ok(false)
    }

    /// What SQLite knows to examine: pages, indexes, types of columns.
    fn examine_own(&mut self, fault: &mut dyn FnMut(String)) -> Kept<&'static str> {
        let sql = format!("PRAGMA integrity_check({MAX_FAULTS})");
        let verdicts: rusqlite::Result<Vec<String>> = self.query(&sql, [], |row| row.get(0));
        match verdicts.map_err(trouble("examining the file")) {
            Ok(verdicts) => {
                let bad = verdicts.into_iter().filter(|verdict| verdict != "ok");
                bad.for_each(|verdict| fault(format!("the file: {verdict}")));
            }
            Err(failure) if failure.passes() => return Err(failure),
            Err(failure) => fault(failure.to_string()),
        }
        Ok("the file")
    }
}

impl Target for SqliteRows {
    fn knock(&mut self, _: i64) -> Kept<()> {
        Ok(())
    }

    fn hush(&mut self, _: i64) -> Kept<()> {
        Ok(())
    }

    fn begin(&mut self, mark: &Mark) -> Kept<()> {
        self.change("beginning a copy", |connection| {
            connection.execute_batch(MAKE_MARK)?;
            connection.execute(SET_MARK, [mark.write()]).map(drop)
        })
    }

    fn empty(&mut self) -> Kept<()> {
        self.change("emptying the target", |connection| {
            TABLES.iter().try_for_each(|table| connection.execute_batch(&format!("DELETE FROM {}", table.name)))
        })
    }

    fn add(&mut self, table: &Table, space: Space, rows: &[Row], mark: &Mark) -> Kept<()> {
        self.change(format!("writing {} of account {}", table.name, space.0), |connection| {
            let mut statement = connection.prepare_cached(&insert_sql(table))?;
            let account = Cell::Number(space.0);
            for row in rows {
                statement.execute(params_from_iter([&account].into_iter().chain(row)))?;
            }
            connection.execute(SET_MARK, [mark.write()]).map(drop)
        })
    }

    fn finish(&mut self, _: &[Space]) -> Kept<()> {
        self.change("finishing a copy", |connection| connection.execute_batch("DROP TABLE copying"))?;
        let checkpoint = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        checkpoint.map_err(trouble("finishing a copy"))
    }
}

impl SqliteRows {
    /// One transaction.
    fn change(&mut self, doing: impl Into<String>, work: impl FnOnce(&Connection) -> rusqlite::Result<()>) -> Kept<()> {
        let run = || {
            let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            work(&transaction)?;
            transaction.commit()
        };
        run().map_err(trouble(doing))
    }
}

fn reading(table: &Table, space: Space) -> String {
    format!("reading {} of account {}", table.name, space.0)
}

/// `?2, ?3, …`: a place for each of so many values behind the account.
fn places(count: usize) -> String {
    (0..count).map(|place| format!("?{}", place + 2)).collect::<Vec<_>>().join(", ")
}

pub(super) fn page_sql(table: &Table, behind: bool) -> String {
    let Table { name, key, .. } = table;
    let columns = table.column_names();
    let (keys, places) = (key.join(", "), places(key.len()));
    match (key.is_empty(), behind) {
        (true, false) => format!("SELECT {columns} FROM {name} WHERE account = ?1"),
        (true, true) => format!("SELECT {columns} FROM {name} WHERE account = ?1 AND 0"),
        (false, false) => format!("SELECT {columns} FROM {name} WHERE account = ?1 ORDER BY {keys} LIMIT {PAGE}"),
        (false, true) => format!(
            "SELECT {columns} FROM {name} WHERE account = ?1 AND ({keys}) > ({places}) ORDER BY {keys} LIMIT {PAGE}"
        ),
    }
}

pub(super) fn find_sql(table: &Table) -> String {
    let equal = table.key.iter().enumerate().map(|(place, column)| format!(" AND {column} = ?{}", place + 2));
    format!("SELECT {} FROM {} WHERE account = ?1{}", table.column_names(), table.name, equal.collect::<String>())
}

fn insert_sql(table: &Table) -> String {
    let (columns, places) = (table.column_names(), places(table.columns.len()));
    format!("INSERT INTO {} (account, {columns}) VALUES (?1, {places})", table.name)
}

fn cells(table: &Table, row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    table.columns.iter().enumerate().map(|(place, column)| cell(row, place, column)).collect()
}

fn cell(row: &rusqlite::Row<'_>, place: usize, column: &Column) -> rusqlite::Result<Cell> {
    Ok(match (column.kind, row.get_ref(place)?) {
        (Kind::Number, ValueRef::Integer(number)) => Cell::Number(number),
        (Kind::Flag, ValueRef::Integer(number)) => Cell::Flag(number != 0),
        // SQLite does not mind a text that is none.
        (Kind::Text, ValueRef::Text(bytes)) => match std::str::from_utf8(bytes) {
            Ok(text) => Cell::Text(text.to_owned()),
            Err(_) => Cell::Bytes(bytes.to_vec()),
        },
        (Kind::Bytes, ValueRef::Blob(bytes)) => Cell::Bytes(bytes.to_vec()),
        (Kind::Number | Kind::Flag | Kind::Text | Kind::Bytes, other) => {
            return Err(rusqlite::Error::InvalidColumnType(place, column.name.into(), other.data_type()));
        }
    })
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Cell::Number(number) => ToSqlOutput::from(*number),
            Cell::Text(text) => ToSqlOutput::from(text.as_str()),
            Cell::Bytes(bytes) => ToSqlOutput::from(bytes.as_slice()),
            Cell::Flag(flag) => ToSqlOutput::from(*flag),
        })
    }
}
