//! The tables, and the way to them from any older schema. Whoever changes the schema holds a row for as long as it takes,
//! so that any number of servers may start at once.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::connect::{Connection, Pool};
use super::setback::Setback;
use super::spread;
use super::trouble::Meaning;
use crate::store::{Failure, Kept};

/// What leads from each schema to the next.
const STEPS: [&str; 3] = [
    include_str!("../schema/postgres/0001.sql"),
    include_str!("../schema/postgres/0002.sql"),
    include_str!("../schema/postgres/0003.sql"),
];

/// The schema that this version works with.
pub(super) const NEWEST: i64 = STEPS.len() as i64;

/// How long a server waits for another one that changes the schema.
const PATIENCE: Duration = Duration::from_secs(120);

const DOING: &str = "preparing the tables";

/// The schema that the database has; 0 when it has none of ours.
pub(super) async fn version(connection: &Connection) -> Result<i64, Setback> {
    match connection.query_opt("SELECT version FROM cusp.migrations WHERE id = 1", &[]).await {
        Ok(row) => row.map_or(Ok(0), |row| row.try_get(0)).map_err(Setback::of(DOING)),
        // undefined_table, invalid_schema_name
        Err(error) if error.code().is_some_and(|state| ["42P01", "3F000"].contains(&state.code())) => Ok(0),
        Err(error) => Err(Setback::of(DOING)(error)),
    }
}

/// Brings the database to the newest schema; gives the one that it had.
pub(super) async fn migrate(pool: &Pool) -> Kept<i64> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let connection = pool.get().await?;
        let step = match version(&connection).await {
            Ok(found) if found == NEWEST => {
                connection.give_back();
                return Ok(found);
            }
            Ok(found) if found > NEWEST => return Err(too_new(found)),
            Ok(_) => advance(&connection).await,
            Err(setback) => Err(setback),
        };
        match step {
            Ok(found) => {
                connection.give_back();
                return Ok(found);
            }
            // Another server is at it: it holds the row, or both began to make the same table.
            Err(setback) if Instant::now() < deadline && may_be_another(&setback) => {
                drop(connection);
                sleep(Duration::from_millis(50)).await;
            }
            Err(setback) => return Err(setback.failure),
        }
    }
}

/// Makes the tables when there are none, and refuses those of another version.
pub(super) async fn make_or_require(pool: &Pool) -> Kept<()> {
    let connection = pool.get().await?;
    let found = version(&connection).await.map_err(|setback| setback.failure)?;
    connection.give_back();
    match found {
        0 => migrate(pool).await.map(drop),
        NEWEST => Ok(()),
        found if found > NEWEST => Err(too_new(found)),
        found => {
            let cause = format!(
                "the database has schema {found}: restart its servers with this version first, or run cusp migrate"
            );
            Err(Failure::passing(DOING, cause))
        }
    }
}

/// What this version cannot work with.
pub(super) fn too_new(found: i64) -> Failure {
    let cause = format!("the database has schema {found}, this version of cusp knows schemas up to {NEWEST}");
    Failure::broken(DOING, cause)
}

fn may_be_another(setback: &Setback) -> bool {
    match setback.meaning {
        Meaning::Again | Meaning::Contended | Meaning::Lost => true,
        // unique_violation in the catalogue, duplicate_schema, _table, _object: two began at once.
        Meaning::Refused => {
            let state = setback.state.as_ref().map_or("", |state| state.code());
            ["23505", "42P06", "42P07", "42710"].contains(&state)
        }
        Meaning::Passing => false,
    }
}

/// The step in the words of a server that calls itself so. CockroachDB compares texts by their bytes, as we want it, and
/// has no word for it in a column: github.com/cockroachdb/cockroach/pull/96828.
fn as_understood_by(server: &str, step: &str) -> String {
    if server.contains("CockroachDB") { step.replace(" COLLATE \"C\"", "") } else { step.to_owned() }
}

/// One server at a time: the steps that are missing, all or none.
async fn advance(connection: &Connection) -> Result<i64, Setback> {
    let run = async |sql: &str| connection.batch_execute(sql).await.map_err(Setback::of(DOING));
    let told = async |sql: &str| -> Result<String, Setback> {
        let row = connection.query_one(sql, &[]).await.map_err(Setback::of(DOING))?;
        row.try_get(0).map_err(Setback::of(DOING))
    };
    let encoding = told("SHOW server_encoding").await?;
    if encoding != "UTF8" {
        return Err(Failure::broken(DOING, format!("the database is encoded in {encoding}; it has to be UTF8")).into());
    }
    let server = told("SELECT version()").await?;
    // Even with IF NOT EXISTS, making a schema takes the right to make one: without it the operator makes ours.
    if told("SELECT count(*)::text FROM pg_catalog.pg_namespace WHERE nspname = 'cusp'").await? == "0" {
        run("CREATE SCHEMA IF NOT EXISTS cusp").await?;
    }
    run("CREATE TABLE IF NOT EXISTS cusp.migrations (id BIGINT PRIMARY KEY, version BIGINT NOT NULL)").await?;
    run("INSERT INTO cusp.migrations (id, version) VALUES (1, 0) ON CONFLICT (id) DO NOTHING").await?;
    run("BEGIN").await?;
    // A large table takes its time, and whoever waits for the row will wait again.
    run("SET LOCAL statement_timeout = 0").await?;
    let held = connection.query_one("SELECT version FROM cusp.migrations WHERE id = 1 FOR UPDATE", &[]).await;
    let found: i64 = held.and_then(|row| row.try_get(0)).map_err(Setback::of(DOING))?;
    if found > NEWEST {
        return Err(too_new(found).into());
    }
    for step in &STEPS[usize::try_from(found).unwrap_or_default()..] {
        run(&as_understood_by(&server, step)).await?;
    }
    run(&format!("UPDATE cusp.migrations SET version = {NEWEST} WHERE id = 1")).await?;
    run("COMMIT").await?;
    if found > 0 && spread::is_spread(connection).await? {
        // A table that is new lies where the others do.
        spread::spread(connection).await?;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::{STEPS, as_understood_by};

    #[test]
    fn every_text_that_is_compared_by_place_says_how() {
        let postgres = as_understood_by("PostgreSQL 15.20 on x86_64-pc-linux-gnu", STEPS[0]);
        assert_eq!(postgres, STEPS[0]);
        for column in ["id", "key", "customer", "kind"] {
            let columns = postgres.lines().filter(|line| line.trim_start().starts_with(&format!("{column} ")));
            assert!(columns.clone().count() > 0);
            assert!(columns.clone().all(|line| line.contains("TEXT COLLATE \"C\" NOT NULL")), "{column}");
        }
        let cockroach = as_understood_by("CockroachDB CCL v26.1.0", STEPS[0]);
        assert!(!cockroach.contains("COLLATE") && cockroach.contains("id      TEXT NOT NULL"), "{cockroach}");
    }
}
