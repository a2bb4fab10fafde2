//! The database as plain rows: to be copied from or into, or to be examined. The callers are synchronous: each call waits
//! for its answer on one connection, which is used for nothing else.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::time::Duration;

use futures_util::future::try_join3;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::Row as Answer;
use tokio_postgres::types::ToSql;

use super::connect::{Connection, Pool};
use super::schema;
use super::trouble::trouble;
use crate::domain::account::Space;
use crate::settings::Database;
use crate::store::rows::{Cell, Column, Key, Kind, Mark, PAGE, Row, Rows, TABLES, Table, Target};
use crate::store::{Failure, Kept};

/// How long one statement may take: counting the rows of a large account takes more than a server has time for.
const PATIENCE: Duration = Duration::from_secs(3_600);

/// What begins an account's history when nothing was written for it.
const NO_MOMENT: i64 = i64::MIN;

/// Asks the catalogue of what is there, not the one of what this user may look at.
const COPYING_IS_THERE: &str =
    "SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname = 'cusp' AND tablename = 'copying'";
const MAKE_COPYING: &str = "CREATE TABLE IF NOT EXISTS cusp.copying (id BIGINT PRIMARY KEY, mark TEXT NOT NULL)";
const DROP_COPYING: &str = "DROP TABLE cusp.copying";
const MARK: &str = "SELECT mark FROM cusp.copying WHERE id = $1";
const SET_MARK: &str = "INSERT INTO cusp.copying (id, mark) VALUES ($1, $2) \
                        ON CONFLICT (id) DO UPDATE SET mark = excluded.mark";
/// Moves the mark, unless another copy into the same database has done so in the meantime.
const MOVE_MARK: &str = "UPDATE cusp.copying SET mark = $2 WHERE id = $1 AND mark = $3";
const UNSET_MARK: &str = "DELETE FROM cusp.copying WHERE id = $1";
/// The row with the mark of a copy that is not finished; other rows are numbers of those who knock.
const THE_MARK: i64 = 1;

const HEAD: &str = "SELECT seq FROM cusp.heads WHERE account = $1";
const NEWEST_EVENT: &str = "SELECT max(seq) FROM cusp.events WHERE account = $1";
/// An account's head follows from its events. Whoever writes first looks whether there are webhook endpoints.
const MAKE_HEAD: &str = "INSERT INTO cusp.heads (account, seq, moment, turns, listeners) \
                         SELECT $1::bigint, COALESCE(max(seq), 0), COALESCE(max(created), $2::bigint), '', 1 \
                         FROM cusp.events WHERE account = $1 ON CONFLICT (account) DO UPDATE \
                         SET seq = excluded.seq, moment = excluded.moment, turns = '', listeners = excluded.listeners";

/// A database as rows.
pub struct PostgresRows {
    connection: Connection,
    runtime: Runtime,
    place: String,
    schema: i64,
    /// The mark as it was last seen or set by us.
    mark: Option<String>,
}

impl PostgresRows {
    /// A database to be copied from.
    pub fn to_copy_from(database: &Database) -> Kept<PostgresRows> {
        PostgresRows::open(database, Made::Before)
    }

    /// A database to be copied into; its tables are made when there are none.
    pub fn to_copy_into(database: &Database) -> Kept<PostgresRows> {
        PostgresRows::open(database, Made::Now)
    }

    /// A database to be examined as it is at this moment, servers running or not.
    pub fn to_examine(database: &Database) -> Kept<PostgresRows> {
        let rows = PostgresRows::open(database, Made::Before)?;
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        rows.runtime.block_on(rows.connection.batch_execute(begin)).map_err(trouble("examining the store"))?;
        Ok(rows)
    }

    fn open(database: &Database, made: Made) -> Kept<PostgresRows> {
        let doing = "opening the database";
        // One thread drives the connection while nobody waits for it.
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(|cause| Failure::broken(doing, cause))?;
        let database = Database { pool_size: NonZeroUsize::MIN, statement_timeout: PATIENCE, ..database.clone() };
        let pool = Pool::new(&database)?;
        let (connection, schema) = runtime.block_on(async {
            let connection = pool.first().await?;
            let schema = schema::version(&connection).await.map_err(|setback| setback.failure)?;
            if schema != 0 || made == Made::Before {
                return Ok((connection, schema));
            }
            // There is one connection.
            connection.give_back();
            schema::migrate(&pool).await?;
            Kept::Ok((pool.get().await?, schema::NEWEST))
        })?;
        let place = pool.place().to_owned();
        match schema {
            schema::NEWEST => Ok(PostgresRows { connection, runtime, place, schema, mark: None }),
            0 => Err(Failure::broken(doing, format!("{place} holds no records of cusp"))),
            newer if newer > schema::NEWEST => Err(schema::too_new(newer)),
            older => {
                let newest = schema::NEWEST;
                let cause = format!("{place} has schema {older}, not {newest}: run `cusp migrate` on it");
                Err(Failure::broken(doing, cause))
            }
        }
    }

    fn query(&self, doing: &str, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Kept<Vec<Answer>> {
        let answers = self.runtime.block_on(async {
            let statement = self.connection.prepare_cached(sql).await?;
            self.connection.query(&statement, parameters).await
        });
        answers.map_err(trouble(doing))
    }

    fn execute(&self, doing: &str, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Kept<u64> {
        let changed = self.runtime.block_on(async {
            let statement = self.connection.prepare_cached(sql).await?;
            self.connection.execute(&statement, parameters).await
        });
        changed.map_err(trouble(doing))
    }

    fn run(&self, doing: &str, sql: &str) -> Kept<()> {
        self.runtime.block_on(self.connection.batch_execute(sql)).map_err(trouble(doing))
    }

    /// Every account that has rows in a table.
    fn accounts_in(&self, table: &str, spaces: &mut BTreeSet<Space>) -> Kept<()> {
        let sql = next_account_sql(table);
        let mut next = Some(i64::MIN);
        while let Some(from) = next {
            let found = self.query("listing accounts", &sql, &[&from])?;
            let Some(answer) = found.first() else { break };
            let account = value(answer, 0, "listing accounts")?;
            spaces.insert(Space(account));
            next = account.checked_add(1);
        }
        Ok(())
    }
}

/// When the tables of a database are made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Made {
    /// They must be there.
    Before,
    /// As soon as it is opened.
    Now,
}

/// The mark of a copy into this database that is not finished, as it is kept.
pub(super) async fn mark(connection: &Connection) -> Kept<Option<String>> {
    let doing = "looking for an unfinished copy";
    let there = connection.query_one(COPYING_IS_THERE, &[]).await.map_err(trouble(doing))?;
    if value::<i64>(&there, 0, doing)? == 0 {
        return Ok(None);
    }
    let found = connection.query_opt(MARK, &[&THE_MARK]).await.map_err(trouble(doing))?;
    found.map(|answer| value(&answer, 0, doing)).transpose()
}

impl Rows for PostgresRows {
    fn place(&self) -> &str {
        &self.place
    }

    fn schema(&self) -> i64 {
        self.schema
    }

    fn mark(&mut self) -> Kept<Option<Mark>> {
        self.mark = self.runtime.block_on(mark(&self.connection))?;
        self.mark.as_deref().map(Mark::read).transpose()
    }

    fn accounts(&mut self) -> Kept<Vec<Space>> {
        let mut spaces = BTreeSet::new();
        TABLES.iter().try_for_each(|table| self.accounts_in(table.name, &mut spaces))?;
        Ok(spaces.into_iter().collect())
    }

    fn count(&mut self, table: &Table, space: Space) -> Kept<u64> {
        let doing = format!("counting {}", table.name);
        let counted = self.query(&doing, &count_sql(table), &[&space.0])?;
        counted.first().map_or(Ok(0), |answer| Ok(value::<i64>(answer, 0, &doing)?.unsigned_abs()))
    }

    fn page(&mut self, table: &Table, space: Space, behind: Option<&Key>) -> Kept<Vec<Row>> {
        if table.key.is_empty() && behind.is_some() {
            return Ok(Vec::new());
        }
        let doing = reading(table, space);
        let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&space.0];
        parameters.extend(behind.into_iter().flatten().map(parameter));
        let answers = self.query(&doing, &page_sql(table, behind.is_some()), &parameters)?;
        answers.iter().map(|answer| cells(table, answer, &doing)).collect()
    }

    fn find(&mut self, table: &Table, space: Space, keys: &[Key]) -> Kept<Vec<Row>> {
        let doing = reading(table, space);
        let lists = lists(table.key_columns(), keys).map_err(|cause| Failure::broken(&*doing, cause))?;
        let answers = self.query(&doing, &find_sql(table), &with_space(&space, &lists))?;
        answers.iter().map(|answer| cells(table, answer, &doing)).collect()
    }

    fn hears(&mut self, number: i64) -> Kept<bool> {
        let doing = "looking whether source and target are one";
        let there = self.query(doing, COPYING_IS_THERE, &[])?;
        match there.first().map(|answer| value::<i64>(answer, 0, doing)).transpose()? {
            Some(0) | None => Ok(false),
            Some(_) => Ok(!self.query(doing, MARK, &[&number])?.is_empty()),
        }
    }

    /// The heads of accounts: events are numbered from there.
    fn examine_own(&mut self, fault: &mut dyn FnMut(String)) -> Kept<&'static str> {
        let doing = "examining the heads of accounts";
        let mut spaces = BTreeSet::new();
        self.accounts_in("events", &mut spaces)?;
        self.accounts_in("heads", &mut spaces)?;
        for space in spaces {
            let number = |sql| -> Kept<i64> {
                let answers = self.query(doing, sql, &[&space.0])?;
                let number: Option<Option<i64>> = answers.first().map(|answer| value(answer, 0, doing)).transpose()?;
                Ok(number.flatten().unwrap_or(0))
            };
            let (head, newest) = (number(HEAD)?, number(NEWEST_EVENT)?);
            if head != newest {
                fault(format!("the head of account {}: it is at event {head}, the newest is {newest}", space.0));
            }
        }
        Ok("heads of accounts")
    }
}

impl Target for PostgresRows {
    fn knock(&mut self, number: i64) -> Kept<()> {
        let doing = "beginning a copy";
        self.run(doing, MAKE_COPYING)?;
        self.execute(doing, SET_MARK, &[&number, &""]).map(drop)
    }

    fn hush(&mut self, number: i64) -> Kept<()> {
        self.execute("beginning a copy", UNSET_MARK, &[&number]).map(drop)
    }

    fn begin(&mut self, mark: &Mark) -> Kept<()> {
        let doing = "beginning a copy";
        self.run(doing, MAKE_COPYING)?;
        let text = mark.write();
        self.execute(doing, SET_MARK, &[&THE_MARK, &text])?;
        self.mark = Some(text);
        Ok(())
    }

    fn empty(&mut self) -> Kept<()> {
        self.while_ours("emptying the target", &empty_sql())
    }

    fn add(&mut self, table: &Table, space: Space, rows: &[Row], mark: &Mark) -> Kept<()> {
        let doing = format!("writing {} of account {}", table.name, space.0);
        let lists = lists(table.columns.iter(), rows).map_err(|cause| Failure::broken(&*doing, cause))?;
        let (rows, before, after) = (with_space(&space, &lists), &self.mark, mark.write());
        let connection = &self.connection;
        let moved = self.runtime.block_on(async {
            let insert = connection.prepare_cached(&insert_sql(table)).await?;
            let move_mark = connection.prepare_cached(MOVE_MARK).await?;
            // Sent one behind the other, without waiting for answers.
            let (_, _, moved) = try_join3(
                connection.batch_execute("BEGIN"),
                connection.execute(&insert, &rows),
                connection.execute(&move_mark, &[&THE_MARK, &after, before]),
            )
            .await?;
            connection.batch_execute(if moved == 1 { "COMMIT" } else { "ROLLBACK" }).await?;
            Ok(moved)
        });
        self.require_ours(&doing, moved.map_err(trouble(&*doing))?)?;
        self.mark = Some(after);
        Ok(())
    }

    fn finish(&mut self, spaces: &[Space]) -> Kept<()> {
        let doing = "finishing a copy";
        for space in spaces {
            self.execute(doing, MAKE_HEAD, &[&space.0, &NO_MOMENT])?;
        }
        self.while_ours(doing, DROP_COPYING)
    }
}

impl PostgresRows {
    /// Runs SQL in a transaction in which the mark is as we left it.
    fn while_ours(&self, doing: &str, sql: &str) -> Kept<()> {
        let connection = &self.connection;
        let found = self.runtime.block_on(async {
            let hold_mark = connection.prepare_cached(MOVE_MARK).await?;
            connection.batch_execute("BEGIN").await?;
            let found = connection.execute(&hold_mark, &[&THE_MARK, &self.mark, &self.mark]).await?;
            if found == 1 {
                connection.batch_execute(sql).await?;
            }
            connection.batch_execute("COMMIT").await?;
            Ok(found)
        });
        self.require_ours(doing, found.map_err(trouble(doing))?)
    }

    /// Refuses to go on when the mark was not found as we left it.
    fn require_ours(&self, doing: &str, found: u64) -> Kept<()> {
        match found {
            1 => Ok(()),
            _ => Err(Failure::broken(doing, format!("another copy into {} is under way, or was begun", self.place))),
        }
    }
}

fn reading(table: &Table, space: Space) -> String {
    format!("reading {} of account {}", table.name, space.0)
}

// --- Statements ---

/// `$2, $3, …`: a place for each of so many values behind the account.
fn places(count: usize) -> String {
    (0..count).map(|place| format!("${}", place + 2)).collect::<Vec<_>>().join(", ")
}

/// `unnest($2::bigint[], …) AS u (names)`: rows out of a list for each column.
fn unnested<'c>(columns: impl Iterator<Item = &'c Column>) -> String {
    let (mut lists, mut names) = (Vec::new(), Vec::new());
    for (place, column) in columns.enumerate() {
        let kind = match column.kind {
            Kind::Number => "bigint",
            Kind::Text => "text",
            Kind::Bytes => "bytea",
            Kind::Flag => "boolean",
        };
        lists.push(format!("${}::{kind}[]", place + 2));
        names.push(column.name);
    }
    format!("unnest({}) AS u ({})", lists.join(", "), names.join(", "))
}

fn qualified(prefix: &str, names: impl Iterator<Item = &'static str>) -> String {
    names.map(|name| format!("{prefix}.{name}")).collect::<Vec<_>>().join(", ")
}

fn count_sql(table: &Table) -> String {
    format!("SELECT count(*) FROM cusp.{} WHERE account = $1", table.name)
}

fn page_sql(table: &Table, behind: bool) -> String {
    let Table { name, key, .. } = table;
    let columns = table.column_names();
    let (keys, places) = (key.join(", "), places(key.len()));
    match (key.is_empty(), behind) {
        (true, _) => format!("SELECT {columns} FROM cusp.{name} WHERE account = $1"),
        (false, false) => format!("SELECT {columns} FROM cusp.{name} WHERE account = $1 ORDER BY {keys} LIMIT {PAGE}"),
        (false, true) => format!(
            "SELECT {columns} FROM cusp.{name} WHERE account = $1 AND ({keys}) > ({places}) ORDER BY {keys} LIMIT {PAGE}"
        ),
    }
}

fn find_sql(table: &Table) -> String {
    let columns = qualified("t", table.columns.iter().map(|column| column.name));
    let equal = table.key.iter().map(|name| format!("t.{name} = u.{name}")).collect::<Vec<_>>().join(" AND ");
    let unnested = unnested(table.key_columns());
    format!("SELECT {columns} FROM cusp.{} AS t JOIN {unnested} ON {equal} WHERE t.account = $1", table.name)
}

fn insert_sql(table: &Table) -> String {
    let values = qualified("u", table.columns.iter().map(|column| column.name));
    let (columns, unnested) = (table.column_names(), unnested(table.columns.iter()));
    format!("INSERT INTO cusp.{} (account, {columns}) SELECT $1::bigint, {values} FROM {unnested}", table.name)
}

/// The first account from a number on; about all accounts.
fn next_account_sql(table: &str) -> String {
    format!("SELECT account FROM cusp.{table} WHERE account >= $1 ORDER BY account LIMIT 1")
}

/// Everything, at once: about all accounts.
fn empty_sql() -> String {
    let tables = TABLES.iter().map(|table| format!("cusp.{}", table.name));
    format!("TRUNCATE TABLE {}, cusp.heads", tables.collect::<Vec<_>>().join(", "))
}

// --- Values ---

type Parameter = Box<dyn ToSql + Sync>;

fn parameter(cell: &Cell) -> &(dyn ToSql + Sync) {
    match cell {
        Cell::Number(number) => number,
        Cell::Text(text) => text,
        Cell::Bytes(bytes) => bytes,
        Cell::Flag(flag) => flag,
    }
}

fn with_space<'p>(space: &'p Space, lists: &'p [Parameter]) -> Vec<&'p (dyn ToSql + Sync)> {
    let account: &(dyn ToSql + Sync) = &space.0;
    [account].into_iter().chain(lists.iter().map(|list| &**list)).collect()
}

/// A list for each column. A text that holds the character 0 is refused: PostgreSQL has none.
fn lists<'c>(columns: impl Iterator<Item = &'c Column>, rows: &[Row]) -> Result<Vec<Parameter>, String> {
    fn list<T>(rows: &[Row], place: usize, take: impl Fn(&Cell) -> Option<T>) -> Option<Vec<T>> {
        rows.iter().map(|row| take(&row[place])).collect()
    }
    let lists = columns.enumerate().map(|(place, column)| {
        let list: Option<Parameter> = match column.kind {
            Kind::Number => list(rows, place, |cell| match cell {
                Cell::Number(number) => Some(*number),
                Cell::Text(_) | Cell::Bytes(_) | Cell::Flag(_) => None,
            })
            .map(|list| Box::new(list) as Parameter),
            Kind::Text => list(rows, place, |cell| match cell {
                Cell::Text(text) if !text.contains('\0') => Some(text.clone()),
                Cell::Text(_) | Cell::Number(_) | Cell::Bytes(_) | Cell::Flag(_) => None,
            })
            .map(|list| Box::new(list) as Parameter),
            Kind::Bytes => list(rows, place, |cell| match cell {
                Cell::Bytes(bytes) => Some(bytes.clone()),
                Cell::Text(_) | Cell::Number(_) | Cell::Flag(_) => None,
            })
            .map(|list| Box::new(list) as Parameter),
            Kind::Flag => list(rows, place, |cell| match cell {
                Cell::Flag(flag) => Some(*flag),
                Cell::Text(_) | Cell::Number(_) | Cell::Bytes(_) => None,
            })
            .map(|list| Box::new(list) as Parameter),
        };
        list.ok_or_else(|| {
            format!("{}: PostgreSQL cannot keep it, it is of another kind or a text with the character 0", column.name)
        })
    });
    lists.collect()
}

fn cells(table: &Table, answer: &Answer, doing: &str) -> Kept<Row> {
    let cell = |(place, column): (usize, &Column)| {
        Ok(match column.kind {
            Kind::Number => Cell::Number(value(answer, place, doing)?),
            Kind::Text => Cell::Text(value(answer, place, doing)?),
            Kind::Bytes => Cell::Bytes(value(answer, place, doing)?),
            Kind::Flag => Cell::Flag(value(answer, place, doing)?),
        })
    };
    table.columns.iter().enumerate().map(cell).collect()
}

fn value<'a, T: tokio_postgres::types::FromSql<'a>>(answer: &'a Answer, place: usize, doing: &str) -> Kept<T> {
    answer.try_get(place).map_err(trouble(doing))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What not every database of the family has, or has in another way.
    const NOT_PORTABLE: [&str; 8] = ["pg_", "copy ", "savepoint", "temporary", "serial", "skip locked", "ctid", "*"];

    /// The statements on records, for every table.
    fn of_one_account() -> Vec<String> {
        let of_table = |table| {
            [count_sql(table), page_sql(table, false), page_sql(table, true), find_sql(table), insert_sql(table)]
        };
        let own = [HEAD, NEWEST_EVENT, MAKE_HEAD].map(String::from);
        TABLES.iter().flat_map(of_table).chain(own).collect()
    }

    /// The statements that are about all accounts: they look for accounts, or remove everything.
    fn across() -> Vec<String> {
        let tables = TABLES.iter().map(|table| table.name).chain(["heads"]);
        tables.map(next_account_sql).chain([empty_sql()]).collect()
    }

    #[test]
    fn every_statement_on_records_names_its_account() {
        for sql in of_one_account() {
            let written = usize::from(sql.starts_with("INSERT"));
            if written == 1 {
                assert!(sql.contains(" (account, ") && sql.contains(" SELECT $1::bigint, "), "{sql}");
            }
            let read = sql.matches("cusp.").count() - written;
            assert_eq!(sql.matches("account = $1").count(), read, "{sql}");
        }
    }

    #[test]
    fn statements_are_in_the_common_language() {
        for sql in of_one_account().into_iter().chain(across()) {
            let lower = sql.to_lowercase().replace("count(*)", "");
            assert!(NOT_PORTABLE.iter().all(|word| !lower.contains(word)), "{sql}");
        }
    }

    #[test]
    fn a_text_with_a_0_and_a_value_of_another_kind_are_refused() {
        let columns = [Column { name: "id", kind: Kind::Text }];
        for cell in [Cell::Text("a\0b".into()), Cell::Bytes(vec![255]), Cell::Number(1)] {
            let refusal = lists(columns.iter(), &[vec![cell]]).err().unwrap();
            assert!(refusal.starts_with("id: PostgreSQL cannot keep it"), "{refusal}");
        }
        assert_eq!(lists(columns.iter(), &[vec![Cell::Text(String::new())]]).unwrap().len(), 1);
    }
}
