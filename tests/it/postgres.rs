//! The PostgreSQL server of the run: where it is, an empty database of one's own on it, and a look past the store into
//! what is really there. It never starts a server: scripts/test does, and `cluster` where a test needs its own.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio_postgres::{Config, NoTls, SimpleQueryMessage};

/// The environment variable with the URL of the run's server.
const VARIABLE: &str = "TEST_POSTGRES";

/// How long one statement may take, its connection included.
const PATIENCE: Duration = Duration::from_secs(30);

/// How the refusal of a statement begins that the server does not understand.
const SYNTAX_ERROR: &str = "42601 ";

/// The schema that the store keeps everything in.
const SCHEMA: &str = "cusp";

/// A row as text, without the names and types of its columns.
pub type Row = Vec<Option<String>>;

/// The URL of the run's server. A test that needs it fails where there is none: a test that is left out proves nothing.
pub fn shared_url() -> String {
    url_from(std::env::var(VARIABLE).ok()).unwrap_or_else(|trouble| panic!("{trouble}"))
}

fn url_from(variable: Option<String>) -> Result<String, String> {
    variable.filter(|url| !url.is_empty()).ok_or_else(|| {
        format!(
            "there is no PostgreSQL server for the tests: \
             run scripts/test, or set {VARIABLE} to the URL of a server where databases may be made"
        )
    })
}

/// `url` with another database's name.
pub fn in_database(url: &str, name: &str) -> String {
    let parts = Parts::of(url);
    format!("{}://{}/{name}{}", parts.scheme, parts.authority, parts.parameters)
}

/// `url` with another address for its server's, such as an interloper's.
pub fn by_way_of(url: &str, address: SocketAddr) -> String {
    let Parts { scheme, authority, database, parameters } = Parts::of(url);
    let user = authority.rsplit_once('@').map(|(user, _)| format!("{user}@")).unwrap_or_default();
    format!("{scheme}://{user}{address}{database}{parameters}")
}

/// The parts of `scheme://user@host:port/database?parameters`; the last two bring the sign they begin with, or are empty.
struct Parts<'a> {
    scheme: &'a str,
    authority: &'a str,
    database: &'a str,
    parameters: &'a str,
}

impl Parts<'_> {
    fn of(url: &str) -> Parts<'_> {
        let (scheme, rest) = url.split_once("://").unwrap_or_else(|| panic!("{url} is no URL"));
        let (place, parameters) = rest.split_at(rest.find('?').unwrap_or(rest.len()));
        let (authority, database) = place.split_at(place.find('/').unwrap_or(place.len()));
        Parts { scheme, authority, database, parameters }
    }
}

/// Runs SQL on a connection made for it, and gives the rows of all its statements. Works inside a runtime, too.
pub fn query(url: &str, sql: &str) -> Result<Vec<Row>, String> {
    let run = || {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime starts");
        runtime.block_on(async {
            let answer = tokio::time::timeout(PATIENCE, ask(url, sql)).await;
            let answer = answer.map_err(|_| format!("no answer within {PATIENCE:?}"))?;
            answer.map_err(|failure| match failure.as_db_error() {
                Some(refusal) => format!("{} {}", refusal.code().code(), refusal.message()),
                None => chain(&failure),
            })
        })
    };
    // A thread that already drives a runtime cannot drive a second one.
    let answer = thread::scope(|scope| scope.spawn(run).join().expect("asking does not panic"));
    answer.map_err(|trouble| format!("{trouble} (asked {url}: {sql})"))
}

async fn ask(url: &str, sql: &str) -> Result<Vec<Row>, tokio_postgres::Error> {
    let (client, connection) = url.parse::<Config>()?.connect(NoTls).await?;
    let connection = tokio::spawn(connection);
    let messages = client.simple_query(sql).await;
    drop(client);
    // It ends once it has said goodbye; what went wrong on it, the query has been told.
    let _ = connection.await;
    Ok(messages?.iter().filter_map(row).collect())
}

fn row(message: &SimpleQueryMessage) -> Option<Row> {
    match message {
        SimpleQueryMessage::Row(row) => Some((0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect()),
        _ => None,
    }
}

fn chain(failure: &dyn std::error::Error) -> String {
    match failure.source() {
        Some(cause) => format!("{failure}: {}", chain(cause)),
        None => failure.to_string(),
    }
}

/// An empty database of one's own on the run's server. It goes away when it is dropped, whoever is still connected.
pub struct Database {
    server: String,
    name: String,
}

impl Database {
    /// Makes one, in some 20 ms; dropping it takes 7. A suite with many cases lets each of its threads keep one instead
    /// and has it [`emptied`](Database::emptied) between cases.
    pub fn fresh() -> Database {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let chance = getrandom::u32().expect("the system has entropy");
        let name = format!("cusp_test_{}_{}_{chance:08x}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let database = Database { server: shared_url(), name };
        // Not from the usual template: somebody connected to that one, another test's command say, would be in the way.
        let create = format!("create database {} template template0", database.name);
        let mut made = database.administer(&format!("{create} strategy file_copy"));
        if made.as_ref().is_err_and(|trouble| trouble.starts_with(SYNTAX_ERROR)) {
            // Version 14 has only that strategy and no word for it.
            made = database.administer(&create);
        }
        made.expect("a database can be made");
        database
    }

    /// Where it is.
    pub fn url(&self) -> String {
        in_database(&self.server, &self.name)
    }

    /// Runs SQL in it, on a connection made for it.
    pub fn execute(&self, sql: &str) {
        self.query(sql);
    }

    /// Runs SQL in it, on a connection made for it, and gives the rows.
    pub fn query(&self, sql: &str) -> Vec<Row> {
        query(&self.url(), sql).unwrap_or_else(|trouble| panic!("{trouble}"))
    }

    /// Takes away everything that a store has made in it, in some 7 ms. The store must be closed.
    pub fn emptied(&self) {
        self.execute(&format!("drop schema if exists {SCHEMA} cascade"));
    }

    fn administer(&self, sql: &str) -> Result<Vec<Row>, String> {
        query(&in_database(&self.server, "postgres"), sql)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // Best effort: the run's server may be gone, and goes away with all its databases anyway.
        if let Err(trouble) = self.administer(&format!("drop database if exists {} with (force)", self.name)) {
            eprintln!("a test's database is left over: {trouble}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Vec<Row> {
        vec![vec![Some(value.to_owned())]]
    }

    #[test]
    fn a_fresh_database_is_empty_and_one_s_own() {
        let (one, other) = (Database::fresh(), Database::fresh());
        one.execute("create table mine (a int)");
        let tables = "select count(*) from pg_tables where schemaname not in ('pg_catalog', 'information_schema')";
        assert_eq!(one.query(tables), text("1"));
        assert_eq!(other.query(tables), text("0"));
    }

    #[test]
    fn rows_come_back_as_text() {
        let database = Database::fresh();
        let rows = database.query("create table t (a int, b text); insert into t values (1, null), (2, 'x'); table t");
        assert_eq!(rows, [[Some("1".to_owned()), None], [Some("2".to_owned()), Some("x".to_owned())]]);
    }

    #[test]
    fn an_emptied_database_can_be_filled_again() {
        let database = Database::fresh();
        for _ in 0..2 {
            database.execute("create schema cusp; create table cusp.t (a int); create table cusp.u (a int)");
            database.emptied();
        }
    }

    #[test]
    fn a_dropped_database_is_gone_although_somebody_is_connected() {
        let database = Database::fresh();
        let (url, name) = (database.url(), database.name.clone());
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let (client, connection) = url.parse::<Config>().unwrap().connect(NoTls).await.unwrap();
            tokio::spawn(connection);
            client.simple_query("begin").await.unwrap();
            drop(database);
            assert!(client.simple_query("commit").await.is_err(), "it was disconnected");
        });
        let left = format!("select count(*) from pg_database where datname = '{name}'");
        assert_eq!(query(&in_database(&shared_url(), "postgres"), &left).unwrap(), text("0"));
    }

    #[test]
    fn many_databases_are_made_at_the_same_time() {
        let make = || drop((Database::fresh(), Database::fresh()));
        thread::scope(|scope| (0..8).for_each(|_| drop(scope.spawn(make))));
    }

    #[test]
    fn a_refused_statement_is_told_with_its_code() {
        let database = Database::fresh();
        let refusal = query(&database.url(), "select 1 / 0").unwrap_err();
        assert!(refusal.starts_with("22012 division by zero"), "{refusal}");
    }

    #[test]
    fn without_a_server_the_failure_says_what_to_do() {
        for unset in [None, Some(String::new())] {
            let trouble = url_from(unset).unwrap_err();
            assert!(trouble.contains("run scripts/test, or set TEST_POSTGRES"), "{trouble}");
        }
    }

    #[test]
    fn the_parts_of_a_url_are_exchanged() {
        let address = SocketAddr::from(([127, 0, 0, 1], 7));
        for (url, elsewhere, other_way) in [
            ("postgres://u@h:5", "postgres://u@h:5/x", "postgres://u@127.0.0.1:7"),
            ("postgres://h/y", "postgres://h/x", "postgres://127.0.0.1:7/y"),
            ("postgres://u:p@h/y?a=/b", "postgres://u:p@h/x?a=/b", "postgres://u:p@127.0.0.1:7/y?a=/b"),
        ] {
            assert_eq!(in_database(url, "x"), elsewhere);
            assert_eq!(by_way_of(url, address), other_way);
        }
    }
}
