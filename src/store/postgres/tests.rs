//! What every store must do, on a real server.

use std::num::NonZeroUsize;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};

use super::connect::Pool;
use super::{PostgresStore, commits_last, migrate, schema, spread};
use crate::domain::account::Space;
use crate::domain::event::Cause;
use crate::domain::ids::{BalanceTransactionId, CustomerId, EventId};
use crate::domain::page::{CustomerPage, Place};
use crate::domain::query::{Join, Query};
use crate::domain::term::Mark;
use crate::domain::time::Time;
use crate::settings;
use crate::store::suite::{
    Bench, customer, endpoint, every_check, glance, hold, look, made, put_endpoint, queue, within, write,
};
use crate::store::{Failure, Kept, Look, MAX_WAITING, NewEvent, Outlook, Read, Store, Tx, Verdict};

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

const HERE: Space = Space(11);
const THERE: Space = Space(12);

#[test]
fn a_server_hears_of_the_endpoints_that_another_one_has_made() {
    let database = Database::fresh();
    let (one, other) = (open(&database), open(&database));
    let heard = |store: &Arc<dyn Store>| {
        let endpoints = within(&**store, |tx| tx.endpoints(HERE));
        endpoints.iter().map(|endpoint| (endpoint.id.0.clone(), endpoint.enabled)).collect::<Vec<_>>()
    };
    // Both remember that there are none.
    assert_eq!((heard(&one), heard(&other)), (Vec::new(), Vec::new()));
    write(&*one, |tx| put_endpoint(tx, HERE, None, &endpoint("we_1", 1))).unwrap();
    assert_eq!(heard(&other), [("we_1".to_owned(), true)]);
    let undone = queue(&*other, |tx| {
        put_endpoint(tx, HERE, None, &endpoint("we_2", 2))?;
        tx.endpoints(HERE)?;
        Ok(Verdict::Rollback)
    });
    undone.recv().unwrap().unwrap();
    assert_eq!((heard(&one).len(), heard(&other).len()), (1, 1));
    write(&*other, |tx| {
        let was = endpoint("we_1", 1);
        let mut is = was.clone();
        is.enabled = false;
        put_endpoint(tx, HERE, Some(&was), &is)
    })
    .unwrap();
    assert_eq!(heard(&one), [("we_1".to_owned(), false)]);
    assert_eq!(heard(&other), [("we_1".to_owned(), false)]);
    one.close();
    other.close();
}

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
fn a_command_leaves_older_tables_to_the_servers_that_use_them() {
    let database = Database::fresh();
    let beside = || RUNTIME.block_on(PostgresStore::open_beside(&options(&database)));
    beside().unwrap().close();
    beside().unwrap().close();
    database.execute("UPDATE cusp.migrations SET version = 1");
    let Err(refusal) = beside() else { panic!("it opened") };
    assert!(refusal.to_string().contains("restart its servers with this version first"), "{refusal}");
    assert_eq!(database.query("SELECT version FROM cusp.migrations"), [[Some("1".to_owned())]]);
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
        let prefix = read.marked(HERE, &Mark::InvoicePrefix(odd.to_owned()))?.is_some();
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

/// Notes that a customer was made.
fn note(tx: &mut dyn Tx, space: Space, id: &str) -> Kept<()> {
    let cause = Cause { request: None, idempotency_key: None };
    let event = NewEvent { id: EventId(id.into()), created: Time(1), cause: &cause, what: made("a") };
    tx.append(space, event).map(drop)
}

#[test]
fn a_turn_is_kept_where_its_transaction_is_at_home() {
    let database = Database::fresh();
    let store = open(&database);
    write(&*store, |tx| {
        tx.account(HERE)?;
        note(tx, THERE, "evt_1")
    })
    .unwrap();
    let heads = "SELECT account, seq, turns = 'guest', turns <> '' FROM cusp.heads ORDER BY account";
    let told = |row: [&str; 4]| row.map(|value| Some(value.to_owned())).to_vec();
    assert_eq!(database.query(heads), [told(["11", "0", "f", "t"]), told(["12", "1", "t", "t"])]);
}

#[test]
fn what_was_read_before_an_account_was_locked_is_read_again() {
    let database = Database::fresh();
    let (store, other) = (open(&database), open(&database));
    write(&*store, |tx| tx.put_customer(THERE, None, &customer("a", 1))).unwrap();
    let raise = |tx: &mut dyn Tx, meanwhile: &mut dyn FnMut()| {
        let before = tx.customer(THERE, &CustomerId("a".into()))?.expect("it is there");
        meanwhile();
        let after = crate::domain::customer::Customer { balance: before.balance + 1, ..before.clone() };
        tx.put_customer(THERE, Some(&before), &after)
    };
    let mut other = Some(other);
    write(&*store, move |tx| {
        // The rehearsal ends here, and does not show that another account will be written to.
        tx.account(HERE)?;
        raise(tx, &mut || {
            let Some(other) = other.take() else { return };
            let raised = std::thread::spawn(move || write(&*other, move |tx| raise(tx, &mut || {}))).join();
            raised.expect("nothing panics").unwrap();
        })
    })
    .unwrap();
    let balance = glance(&*store, |read| Ok(read.customer(THERE, &CustomerId("a".into()))?.map(|found| found.balance)));
    assert_eq!(balance, Some(2));
}

#[test]
fn what_was_committed_is_not_run_again_when_a_row_was_missing() {
    let database = Database::fresh();
    let store = open(&database);
    write(&*store, |tx| tx.put_customer(HERE, None, &customer("a", 1))).unwrap();
    database.execute("CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'");
    database.execute("CREATE TRIGGER t BEFORE UPDATE ON cusp.customers FOR EACH ROW EXECUTE FUNCTION nothing()");
    let held = hold(&store);
    let mut runs = 0;
    let told = [
        queue(&*store, |tx| {
            let before = tx.customer(HERE, &CustomerId("a".into()))?.expect("it is there");
            tx.put_customer(HERE, Some(&before), &customer("a", 1)).map(|()| Verdict::Commit)
        }),
        queue(&*store, move |tx| {
            runs += 1;
            note(tx, HERE, &format!("evt_{runs}")).map(|()| Verdict::Commit)
        }),
    ];
    drop(held);
    for told in told {
        let refusal = told.recv().unwrap().unwrap_err();
        assert!(refusal.to_string().contains("0 rows of 1 were there"), "{refusal}");
    }
    assert_eq!(database.query("SELECT count(*) FROM cusp.events"), [[Some("1".into())]]);
}

#[test]
fn a_role_that_may_not_make_schemas_makes_tables_in_ours() {
    let database = Database::fresh();
    let name = database.query("SELECT current_database()")[0][0].clone().unwrap();
    let role = format!("{name}_humble");
    database.execute(&format!("CREATE ROLE {role} LOGIN PASSWORD 'sesame'"));
    database.execute(&format!("CREATE SCHEMA cusp AUTHORIZATION {role}"));
    let url = database.url();
    let (_, rest) = url.split_once('@').expect("the run's server is named with a user");
    let humble = settings::Database { url: format!("postgres://{role}:sesame@{rest}"), ..options(&database) };
    let migrated = RUNTIME.block_on(migrate(&humble, false));
    database.execute(&format!("DROP OWNED BY {role} CASCADE; DROP ROLE {role}"));
    assert_eq!(migrated.unwrap().to, schema::NEWEST);
}

/// Reads until it is let go, and tells when it began.
fn slow_read(
    store: &Arc<dyn Store>,
    began: crossbeam_channel::Sender<()>,
    release: crossbeam_channel::Receiver<()>,
) -> std::thread::JoinHandle<()> {
    let store = store.clone();
    std::thread::spawn(move || {
        look(&*store, |_| {
            let _ = began.send(());
            let _ = release.recv();
            Ok(())
        });
    })
}

#[test]
fn reads_leave_connections_to_jobs_and_looks() {
    let database = Database::fresh();
    let small = settings::Database { pool_size: NonZeroUsize::new(2).unwrap(), ..options(&database) };
    let store: Arc<dyn Store> = Arc::new(RUNTIME.block_on(PostgresStore::open(&small)).unwrap());
    let (release, released) = crossbeam_channel::bounded(0);
    let (began, begins) = crossbeam_channel::unbounded();
    let reads: Vec<_> = (0..2).map(|_| slow_read(&store, began.clone(), released.clone())).collect();
    begins.recv().unwrap();
    // The other one waits for the first to end; were it not so, it would begin at once.
    let both_began = begins.recv_timeout(Duration::from_millis(500)).is_ok();
    let written = write(&*store, |tx| tx.put_customer(HERE, None, &customer("a", 1)));
    drop(release);
    reads.into_iter().for_each(|read| read.join().unwrap());
    assert!(!both_began);
    written.unwrap();
}

/// Wants a customer, and counts its end.
struct Wanting(crossbeam_channel::Sender<Kept<()>>);

impl Look for Wanting {
    fn look(&mut self, read: &mut dyn Read) -> Kept<()> {
        read.customer(HERE, &CustomerId("a".into())).map(drop)
    }

    fn finish(self: Box<Self>, outcome: Kept<()>) {
        let _ = self.0.send(outcome);
    }
}

/// A store whose only connection a read has, until it is let go.
struct Occupied {
    store: Arc<dyn Store>,
    release: crossbeam_channel::Sender<()>,
    read: std::thread::JoinHandle<()>,
    _database: Database,
}

impl Occupied {
    fn new() -> Occupied {
        let database = Database::fresh();
        let one = settings::Database { pool_size: NonZeroUsize::new(1).unwrap(), ..options(&database) };
        let store: Arc<dyn Store> = Arc::new(RUNTIME.block_on(PostgresStore::open(&one)).unwrap());
        let (release, released) = crossbeam_channel::bounded(0);
        let (began, begins) = crossbeam_channel::unbounded();
        let read = slow_read(&store, began, released);
        begins.recv().unwrap();
        Occupied { store, release, read, _database: database }
    }
}

#[test]
fn looks_that_wait_are_bounded() {
    let Occupied { store, release, read, _database } = Occupied::new();
    let (told, tells) = crossbeam_channel::unbounded();
    (0..33_100).for_each(|_| store.glance(Box::new(Wanting(told.clone()))));
    let refusal = tells.try_recv().expect("the last ones are refused at once").unwrap_err();
    assert!(refusal.to_string().contains("looks wait already"), "{refusal}");
    drop(release);
    read.join().unwrap();
    drop(told);
    // Whoever was taken is told as well.
    assert_eq!(tells.iter().count(), 33_099);
}

#[test]
fn commits_that_a_crash_undoes_are_noticed() {
    let database = Database::fresh();
    let last = |parameters: &str| {
        let options = settings::Database { url: database.url() + parameters, ..options(&database) };
        RUNTIME.block_on(async { commits_last(&Pool::new(&options).unwrap()).await.unwrap() })
    };
    assert!(last("?options=-c%20synchronous_commit%3Don"));
    assert!(last("?options=-c%20synchronous_commit%3Dlocal"));
    assert!(!last("?options=-c%20synchronous_commit%3Doff"));
}

#[test]
fn whoever_waits_behind_others_for_a_database_that_is_away_is_told_with_them() {
    let Occupied { store, release, read, _database } = Occupied::new();
    // Far more than go together; whoever wants a connection waits for it in vain, for seconds each time.
    let started = Instant::now();
    let put = |tx: &mut dyn Tx| tx.put_customer(HERE, None, &customer("a", 1)).map(|()| Verdict::Commit);
    let jobs: Vec<_> = (0..2_000).map(|_| queue(&*store, put)).collect();
    let (told, looks) = crossbeam_channel::unbounded();
    (0..2_000).for_each(|_| store.glance(Box::new(Wanting(told.clone()))));
    drop(told);
    assert!(looks.iter().all(|told| told.is_err()));
    assert!(jobs.iter().all(|told| told.recv().unwrap().is_err()));
    assert!(started.elapsed() < Duration::from_secs(25), "{:?}", started.elapsed());
    drop(release);
    read.join().unwrap();
}

#[test]
fn one_account_leaves_room_for_others() {
    let bench = bench();
    let store = &*bench.store;
    let held = hold(&bench.store);
    let here = |tx: &mut dyn Tx| tx.moment(HERE, Time(1)).map(|_| Verdict::Commit);
    let jobs: Vec<_> = (0..MAX_WAITING).map(|_| queue(store, here)).collect();
    // The last ones are refused at once, and somebody else's goes through meanwhile.
    let refusal = jobs[MAX_WAITING - 1].try_recv().expect("it is refused at once").unwrap_err();
    assert!(refusal.to_string().contains("jobs of the account wait already"), "{refusal}");
    write(store, |tx| tx.put_customer(Space(12), None, &customer("b", 1))).unwrap();
    drop(held);
    let taken = jobs.into_iter().filter(|job| job.recv().is_ok_and(|told| told.is_ok())).count();
    assert_eq!(taken, MAX_WAITING / 2);
}
