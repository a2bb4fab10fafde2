//! What every store must do, on a real server.

use std::num::NonZeroUsize;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use super::{PostgresStore, migrate, schema, spread};
use crate::domain::account::Space;
use crate::domain::ids::{BalanceTransactionId, CustomerId, EventId};
use crate::domain::page::{CustomerPage, Place};
use crate::domain::query::{Join, Query};
use crate::domain::time::Time;
use crate::settings;
use crate::store::suite::{Bench, customer, every_check, glance, look, queue, write};
use crate::store::{Failure, Outlook, Store, Verdict};

/// The same databases as those of the integration tests.
#[allow(dead_code)]
#[path = "../../../tests/it/postgres.rs"]
mod server;

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

const HERE: Space = Space(11);

#[test]
fn ten_servers_may_start_at_once() {
    let database = Database::fresh();
    let opened = RUNTIME.block_on(async {
        let mut servers = tokio::task::JoinSet::new();
        for _ in 0..10 {
            let options = options(&database);
            servers.spawn(async move { PostgresStore::open(&options).await });
        }
        servers.join_all().await
    });
    for store in opened {
        store.unwrap().close();
    }
    assert_eq!(database.query("SELECT version FROM cusp.migrations"), [[Some(schema::NEWEST.to_string())]]);
}

#[test]
fn a_newer_schema_is_refused() {
    let database = Database::fresh();
    open(&database).close();
    database.execute("UPDATE cusp.migrations SET version = version + 1");
    let Err(refusal) = RUNTIME.block_on(PostgresStore::open(&options(&database))) else { panic!("it opened") };
    let newest = schema::NEWEST;
    let told = format!("has schema {}, this version of cusp knows schemas up to {newest}", newest + 1);
    assert!(refusal.to_string().contains(&told), "{refusal}");
}

#[test]
fn migrating_again_changes_nothing() {
    let database = Database::fresh();
    let migrated = || RUNTIME.block_on(migrate(&options(&database), false)).unwrap();
    let first = migrated();
    assert_eq!((first.from, first.to), (0, schema::NEWEST));
    let again = migrated();
    assert_eq!((again.from, again.to, again.spread.len()), (schema::NEWEST, schema::NEWEST, 0));
}

/// What Citus has that spreading asks for; it writes down what it is asked.
const CITUS: &str = "
    CREATE TABLE pg_dist_partition (logicalrelid regclass, distribution text, company text);
    CREATE FUNCTION create_distributed_table(
        table_name regclass, distribution_column text, distribution_type text DEFAULT 'hash',
        colocate_with text DEFAULT 'default', shard_count int DEFAULT NULL
    ) RETURNS void LANGUAGE sql AS $$
        INSERT INTO pg_dist_partition VALUES (table_name, distribution_column, colocate_with)
    $$;
    CREATE FUNCTION create_reference_table(table_name regclass) RETURNS void LANGUAGE sql AS $$
        INSERT INTO pg_dist_partition VALUES (table_name, NULL, NULL)
    $$;";

#[test]
fn every_table_of_a_cluster_is_spread_by_account() {
    let database = Database::fresh();
    let spread = |distribute| RUNTIME.block_on(migrate(&options(&database), distribute));
    let refusal = spread(true).unwrap_err().to_string();
    assert!(refusal.contains("the database is no Citus cluster"), "{refusal}");

    database.execute(CITUS);
    assert_eq!(spread(false).unwrap().spread, [""; 0]);
    assert_eq!(spread(true).unwrap().spread.len(), spread::TABLES.len() + 1);
    assert_eq!(spread(true).unwrap().spread, [""; 0]);
    let told = "SELECT relnamespace::regnamespace::text || '.' || relname AS name, distribution, company \
                FROM pg_dist_partition JOIN pg_class ON oid = logicalrelid WHERE distribution IS NOT NULL \
                ORDER BY relname COLLATE \"C\"";
    let told: Vec<_> =
        database.query(told).into_iter().map(|row| row.into_iter().flatten().collect::<Vec<_>>()).collect();
    let mut expected: Vec<_> = spread::TABLES
        .iter()
        .map(|table| vec![*table, "account", if *table == "cusp.heads" { "none" } else { "cusp.heads" }])
        .collect();
    expected.sort();
    assert_eq!(told, expected);
}

#[test]
fn spreading_knows_every_table_and_keys_begin_with_the_account() {
    let database = Database::fresh();
    open(&database).close();
    let tables = "SELECT 'cusp.' || tablename FROM pg_tables WHERE schemaname = 'cusp'";
    let mut tables: Vec<String> = database.query(tables).into_iter().flatten().flatten().collect();
    let mut known: Vec<&str> = spread::TABLES.into_iter().chain([spread::EVERYWHERE]).collect();
    tables.sort();
    known.sort();
    assert_eq!(tables, known);

    // Nothing unique crosses accounts, and nothing refers to another table or counts across them.
    let unique = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'cusp' AND tablename <> 'migrations' \
                  AND indexdef LIKE 'CREATE UNIQUE%' AND indexdef NOT LIKE '%(account%'";
    assert_eq!(database.query(unique), [[None; 0]; 0]);
    let foreign = "SELECT conname FROM pg_constraint WHERE contype = 'f'";
    assert_eq!(database.query(foreign), [[None; 0]; 0]);
    assert_eq!(database.query("SELECT sequencename FROM pg_sequences"), [[None; 0]; 0]);
}

#[test]
fn names_that_no_text_can_hold_are_of_nobody() {
    let bench = bench();
    let store = &*bench.store;
    write(store, |tx| tx.put_customer(HERE, None, &customer("a", 1))).unwrap();
    let odd = "a\0";
    let seen = glance(store, move |read| {
        let customer = read.customer(HERE, &CustomerId(odd.into()))?.is_some();
        let event = read.event(HERE, &EventId(odd.into()))?.is_some();
        let reply = read.reply(HERE, odd)?.is_some();
        let id = BalanceTransactionId(odd.into());
        let transaction = read.balance_transaction(HERE, &CustomerId("a".into()), &id)?.is_some();
        let prefix = read.invoice_prefix_holder(HERE, odd)?.is_some();
        Ok([customer, event, reply, transaction, prefix])
    });
    assert_eq!(seen, [false; 5]);
    let anyone = Query { join: Join::All, clauses: Vec::new() };
    let behind = |id: &str| {
        let place = Place { created: Time(1), id: id.into() };
        look(store, |read| read.search(HERE, &anyone, Some(&place), 9)).items.len()
    };
    assert_eq!((behind("a\0"), behind("a"), behind("\0"), behind("b\0")), (1, 0, 0, 1));
}

#[test]
fn a_job_may_walk_and_sees_what_went_before() {
    let bench = bench();
    let store = &*bench.store;
    let everyone = || CustomerPage { limit: 9, ..CustomerPage::default() };
    let jobs: Vec<_> = ["a", "b", "c"]
        .into_iter()
        .map(|id| {
            let (send, receive) = crossbeam_channel::unbounded();
            let told = queue(store, move |tx| {
                let before = tx.customers(HERE, &everyone())?.items.len();
                tx.put_customer(HERE, None, &customer(id, 1))?;
                let _ = send.send(before);
                Ok(Verdict::Commit)
            });
            (told, receive)
        })
        .collect();
    let seen: Vec<usize> = jobs
        .into_iter()
        .map(|(told, receive)| {
            told.recv().unwrap().unwrap();
            receive.try_iter().last().unwrap()
        })
        .collect();
    assert_eq!(seen, [0, 1, 2]);
    let refusal = write(store, move |tx| {
        tx.put_customer(HERE, None, &customer("d", 1))?;
        tx.customers(HERE, &everyone()).map(drop)
    });
    assert!(refusal.unwrap_err().to_string().contains("the job has written already"));
}

#[test]
fn a_head_that_somebody_holds_is_contended() {
    let database = Database::fresh();
    let short = settings::Database { lock_timeout: Duration::from_millis(100), ..options(&database) };
    let store = RUNTIME.block_on(PostgresStore::open(&short)).unwrap();
    write(&store, |tx| tx.put_customer(HERE, None, &customer("a", 1))).unwrap();
    RUNTIME.block_on(async {
        let (client, connection) = tokio_postgres::connect(&database.url(), tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute("BEGIN; SELECT * FROM cusp.heads FOR UPDATE").await.unwrap();
        let told = queue(&store, |tx| tx.put_customer(HERE, None, &customer("b", 1)).map(|()| Verdict::Commit));
        let told = tokio::task::spawn_blocking(move || told.recv().unwrap()).await.unwrap();
        let Err(Failure { outlook, .. }) = told else { panic!("it wrote under a lock") };
        assert_eq!(outlook, Outlook::Contended);
        client.batch_execute("ROLLBACK").await.unwrap();
    });
    write(&store, |tx| tx.put_customer(HERE, None, &customer("b", 1))).unwrap();
}
