//! Connections to a database: which are lent again and which never, what is told to the server at their beginning, and
//! which trouble ends a start.

use std::future::Future;
use std::net::TcpListener;
use std::num::NonZeroUsize;
use std::time::Duration;

use cusp::settings;
use cusp::store::Outlook;
use cusp::store::postgres::connect::{Connection, Pool};
use tokio::runtime::Builder;
use tokio_postgres::SimpleQueryMessage;

use crate::postgres::{Database, shared_url};

/// How long something may take that is on its way.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a caller is watched who has to wait.
const WATCHED: Duration = Duration::from_millis(100);

pub fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime starts");
    runtime.block_on(async { tokio::time::timeout(PATIENCE, work).await.expect("it comes to an end") })
}

pub fn pool(url: &str, size: usize) -> Pool {
    let pool_size = NonZeroUsize::new(size).expect("a pool has room");
    Pool::new(&settings::Database { pool_size, ..settings::Database::new(url) }).expect("the URL is right")
}

/// The first value of the answer.
pub async fn ask(connection: &Connection, sql: &str) -> String {
    let messages = connection.simple_query(sql).await.expect("the server answers");
    let value = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    value.expect("there is a row")
}

const WHO: &str = "select pg_backend_pid()";

/// A port where nobody listens.
fn nobody() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    listener.local_addr().expect("it is bound").port()
}

#[test]
fn only_what_is_given_back_is_lent_again() {
    let database = Database::fresh();
    let pool = pool(&database.url(), 2);
    run(async {
        let first = pool.get().await.expect("there is room");
        let who = ask(&first, WHO).await;
        first.give_back();
        let again = pool.get().await.expect("there is one");
        assert_eq!(ask(&again, WHO).await, who);
        again.discard();
        assert_eq!((pool.status().size, pool.status().idle), (0, 0));
        let other = pool.get().await.expect("there is room");
        assert_ne!(ask(&other, WHO).await, who);
        other.give_back();
        let status = pool.status();
        assert_eq!((status.size, status.idle, status.waiting, status.max), (1, 1, 0, 2));
        assert_eq!((status.made, status.failed), (2, 0));
    });
}

#[test]
fn a_transaction_that_its_task_left_is_undone() {
    let database = Database::fresh();
    database.execute("create table t (a int)");
    let pool = pool(&database.url(), 1);
    run(async {
        let mut connection = pool.get().await.expect("there is room");
        let who = ask(&connection, WHO).await;
        let left = async move {
            let transaction = connection.transaction().await.expect("it begins");
            transaction.simple_query("lock table t; insert into t values (1)").await.expect("it is written");
            std::future::pending::<()>().await;
        };
        tokio::time::timeout(WATCHED, left).await.expect_err("it is cancelled");
        let next = pool.get().await.expect("there is room again");
        assert_ne!(ask(&next, WHO).await, who);
        assert_eq!(ask(&next, "select count(*) from t").await, "0");
    });
}

#[test]
fn a_caller_waits_for_what_is_given_back() {
    let database = Database::fresh();
    let pool = pool(&database.url(), 1);
    run(async {
        let lent = pool.get().await.expect("there is room");
        let mut waiting = Box::pin(pool.get());
        assert!(tokio::time::timeout(WATCHED, &mut waiting).await.is_err());
        assert_eq!(pool.status().waiting, 1);
        lent.give_back();
        waiting.await.expect("it was given back").give_back();
        let lent = pool.get().await.expect("there is one");
        let refusal = pool.get().await.err().expect("it has waited long enough");
        assert_eq!(refusal.outlook, Outlook::Passing);
        assert!(refusal.to_string().contains("all 1 connections are in use"), "{refusal}");
        lent.give_back();
    });
}

#[test]
fn a_closed_pool_lends_nothing() {
    let database = Database::fresh();
    let pool = pool(&database.url(), 2);
    run(async {
        let (one, other) = (pool.get().await.expect("there is room"), pool.get().await.expect("there is room"));
        one.give_back();
        pool.close();
        assert_eq!(ask(&other, "select 1").await, "1");
        other.give_back();
        assert_eq!(pool.status().size, 0);
        assert!(pool.get().await.err().expect("it is closed").to_string().ends_with("the store is closed"));
    });
}

#[test]
fn a_connection_that_the_server_ended_is_not_lent_again() {
    let database = Database::fresh();
    let pool = pool(&database.url(), 1);
    run(async {
        let connection = pool.get().await.expect("there is room");
        let who = ask(&connection, WHO).await;
        connection.give_back();
        database.execute(&format!("select pg_terminate_backend({who}, 10000)"));
        // The news may still be on its way; it is there when the connection is used.
        let next = loop {
            let next = pool.get().await.expect("there is room");
            match next.simple_query("select 1").await {
                Ok(_) => break next,
                Err(_) => next.discard(),
            }
        };
        assert_ne!(ask(&next, WHO).await, who);
    });
}

#[test]
fn the_server_is_told_the_bounds_of_a_session() {
    let database = Database::fresh();
    let pool = pool(&format!("{}?options=-c%20work_mem%3D7MB", database.url()), 1);
    run(async {
        let connection = pool.get().await.expect("there is room");
        for (setting, value) in [
            ("statement_timeout", "10s"),
            ("lock_timeout", "5s"),
            ("idle_in_transaction_session_timeout", "20s"),
            ("application_name", "cusp"),
            ("work_mem", "7MB"),
        ] {
            assert_eq!(ask(&connection, &format!("show {setting}")).await, value, "{setting}");
        }
    });
}

#[test]
fn what_will_not_pass_fails_at_the_start_and_at_once() {
    let shared = shared_url();
    let (_, server) = shared.split_once('@').expect("it has a user");
    for (url, reason) in [
        (format!("postgres://cusp:sesame@{server}/no_such_database"), "FATAL 3D000"),
        (format!("postgres://no_such_user:sesame@{server}/postgres"), "FATAL 28000"),
        (format!("postgres://cusp:sesame@{server}/postgres?options=-c%20no_such_option%3D1"), "FATAL 42704"),
        (format!("postgres://cusp:sesame@{server}/postgres?sslmode=no-verify"), "server does not support TLS"),
    ] {
        let pool = pool(&url, 1);
        let first = run(pool.first()).err().expect(reason);
        assert_eq!(first.outlook, Outlook::Broken, "{first}");
        let told = first.to_string();
        assert!(told.contains(reason) && told.contains("connecting to database "), "{told}");
        assert!(told.contains(server) && !told.contains("sesame"), "{told}");
        // While a server runs, an operator may put it right.
        assert_eq!(run(pool.get()).err().expect(reason).outlook, Outlook::Passing);
        assert_eq!(pool.status().failed, 2);
    }
}

#[test]
fn a_database_that_is_away_may_come_back() {
    let pool = pool(&format!("postgres://cusp@127.0.0.1:{}/x", nobody()), 1);
    for attempt in [run(pool.get()), run(pool.first())] {
        let refusal = attempt.err().expect("nobody is there");
        assert_eq!(refusal.outlook, Outlook::Passing);
        assert!(refusal.to_string().contains("Connection refused"), "{refusal}");
    }
}

#[test]
fn a_host_that_is_away_or_silent_is_passed_over() {
    let database = Database::fresh();
    let silent = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    let silent = silent.local_addr().expect("it is bound").port();
    let url = database.url();
    let (user, server) = url.split_once('@').expect("it has a user");
    let pool = pool(&format!("{user}@127.0.0.1:{},127.0.0.1:{silent},{server}?connect_timeout=1", nobody()), 1);
    run(async {
        let connection = pool.first().await.expect("the last host answers");
        assert_eq!(ask(&connection, "select 1").await, "1");
    });
}
