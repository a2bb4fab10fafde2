//! What only this store does, beside what every store must.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crossbeam_channel::{Receiver, bounded};
use rusqlite::Connection;

use super::files::database;
use super::{SqliteRows, SqliteStore, backup, open_writer, restore, rows};
use crate::domain::account::Space;
use crate::domain::customer::Customer;
use crate::domain::event::{Cause, Happening};
use crate::domain::ids::{CustomerId, EventId};
use crate::domain::time::Time;
use crate::store::check::{self, CheckSummary};
use crate::store::faults::{Fault, FaultyStore};
use crate::store::rows::TABLES;
use crate::store::suite::{Bench, Work, customer, every_check, look, queue, write};
use crate::store::{Job, Kept, NewEvent, Store, Tx, Verdict};

const HERE: Space = Space(11);

fn open(folder: &Path) -> SqliteStore {
    SqliteStore::open(folder).unwrap()
}

/// A store in a folder of its own.
fn bench() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(open(folder.path()));
    let first = Arc::clone(&store);
    let reopen = move || -> Arc<dyn Store> {
        first.close();
        Arc::new(open(folder.path()))
    };
    Bench { store, reopen: Box::new(reopen) }
}

every_check!(bench);

fn make(tx: &mut dyn Tx, id: &str) -> Kept<()> {
    let made = Customer { balance: 7, ..customer(id, 5) };
    tx.put_customer(HERE, None, &made)?;
    let cause = Cause::default();
    let what = Happening::CustomerCreated { after: Box::new(made), beside: Vec::new() };
    tx.append(HERE, NewEvent { id: EventId(format!("evt_{id}")), created: Time(5), cause: &cause, what })?;
    Ok(())
}

fn made(store: &dyn Store, id: &str) -> bool {
    look(store, |read| read.customer(HERE, &CustomerId(id.into()))).is_some()
}

fn check(folder: &Path) -> Kept<CheckSummary> {
    check::check(&mut SqliteRows::to_examine(folder)?, &mut |_| {})
}

fn examined(folder: &Path) -> CheckSummary {
    check(folder).unwrap()
}

// --- Who may open what ---

#[test]
fn a_second_server_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path());
    let refusal = SqliteStore::open(folder.path()).err().unwrap().to_string();
    assert!(refusal.ends_with("is in use by another cusp server"), "{refusal}");
    first.close();
    open(folder.path());
}

#[test]
fn an_operator_works_beside_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let server = open(folder.path());
    let beside = SqliteStore::open_beside(folder.path()).unwrap();
    write(&beside, |tx| make(tx, "a")).unwrap();
    assert!(made(&server, "a"));
    write(&server, |tx| make(tx, "b")).unwrap();
    assert!(made(&beside, "b"));
}

#[test]
fn an_operator_may_come_before_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let beside = SqliteStore::open_beside(folder.path()).unwrap();
    write(&beside, |tx| make(tx, "a")).unwrap();
    assert!(made(&open(folder.path()), "a"));
}

#[test]
fn a_newer_schema_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).close();
    Connection::open(database(folder.path())).unwrap().pragma_update(None, "user_version", 99).unwrap();
    for refusal in [
        SqliteStore::open(folder.path()).err().unwrap(),
        SqliteStore::open_beside(folder.path()).err().unwrap(),
        check(folder.path()).unwrap_err(),
        backup(folder.path(), &folder.path().join("copy"), &mut |_, _| {}).unwrap_err(),
    ] {
        assert!(refusal.to_string().contains("has schema 99"), "{refusal}");
    }
}

#[cfg(unix)]
#[test]
fn a_new_data_folder_is_closed_to_others() {
    use std::os::unix::fs::PermissionsExt;
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("one/two");
    open(&folder);
    assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700);
}

// --- When the disk is full ---

fn job(work: impl FnMut(&mut dyn Tx) -> Kept<Verdict> + Send + 'static) -> (Box<dyn Job>, Receiver<Kept<()>>) {
    let (told, hears) = bounded(1);
    (Box::new(Work { work, told }), hears)
}

#[test]
fn a_full_disk_refuses_the_whole_group_and_nothing_is_half_done() {
    let folder = tempfile::tempdir().unwrap();
    let (mut writer, tally) = open_writer(folder.path()).unwrap();
    let pages: i64 = writer.connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    writer.connection.pragma_update(None, "max_page_count", pages + 1).unwrap();
    let small = |id: &'static str| job(move |tx| make(tx, id).map(|()| Verdict::Commit));
    let large = job(|tx| {
        let large = Customer { description: Some("x".repeat(100_000)), ..customer("large", 5) };
        tx.put_customer(HERE, None, &large)?;
        Ok(Verdict::Commit)
    });
    // A job that goes on after the error that undid everything must not commit a part by itself.
    let stubborn = job(|tx| {
        let large = Customer { description: Some("x".repeat(100_000)), ..customer("large", 5) };
        let _ = tx.put_customer(HERE, None, &large);
        let _ = make(tx, "stubborn");
        Ok(Verdict::Commit)
    });
    let (before, after) = (small("before"), small("after"));
    let mut rest = [large.0, stubborn.0, after.0].into_iter();
    writer.serve(before.0, &mut rest);
    while let Some(first) = rest.next() {
        writer.serve(first, &mut rest);
    }
    let outcomes = [before.1, large.1, stubborn.1, after.1].map(|told| told.recv().unwrap());
    assert!(
        outcomes[..3].iter().all(|outcome| outcome.as_ref().is_err_and(|failure| failure.passes())),
        "{outcomes:?}"
    );

    writer.connection.pragma_update(None, "max_page_count", 1_000_000).unwrap();
    let again = small("again");
    writer.serve(again.0, &mut std::iter::empty());
    again.1.recv().unwrap().unwrap();
    assert!(tally.ailment.lock().is_none());
    drop(writer);

    let store = open(folder.path());
    let kept = ["before", "large", "stubborn", "after", "again"].map(|id| made(&store, id));
    assert_eq!(kept, [false, false, false, outcomes[3].is_ok(), true]);
    assert_eq!(examined(folder.path()).faults, [""; 0]);
}

#[test]
fn a_transaction_that_cannot_begin_is_told_and_the_writer_lives_on() {
    let folder = tempfile::tempdir().unwrap();
    let (mut writer, tally) = open_writer(folder.path()).unwrap();
    writer.connection.busy_timeout(std::time::Duration::ZERO).unwrap();
    let other = Connection::open(database(folder.path())).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (one, told) = job(|tx| make(tx, "a").map(|()| Verdict::Commit));
    writer.serve(one, &mut std::iter::empty());
    assert!(told.recv().unwrap().is_err_and(|failure| failure.passes()));
    assert!(tally.ailment.lock().is_some());

    other.execute_batch("ROLLBACK").unwrap();
    let (one, told) = job(|tx| make(tx, "a").map(|()| Verdict::Commit));
    writer.serve(one, &mut std::iter::empty());
    told.recv().unwrap().unwrap();
    assert!(tally.ailment.lock().is_none());
}

// --- Copies ---

#[test]
fn a_backup_taken_under_load_can_be_restored() {
    let folder = tempfile::tempdir().unwrap();
    let (data, copy, restored) =
        (folder.path().join("data"), folder.path().join("copy"), folder.path().join("restored"));
    let store = open(&data);
    for id in 0..500 {
        write(&store, move |tx| make(tx, &format!("early{id}"))).unwrap();
    }
    let stop = AtomicBool::new(false);
    let mut told = Vec::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            for id in 0.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                write(&store, move |tx| make(tx, &format!("late{id}"))).unwrap();
            }
        });
        backup(&data, &copy, &mut |done, total| told.push((done, total))).unwrap();
        stop.store(true, Ordering::Relaxed);
    });
    assert!(told.last().is_some_and(|(done, total)| done == total), "{told:?}");
    let refusal = backup(&data, &copy, &mut |_, _| {}).unwrap_err().to_string();
    assert!(refusal.ends_with("exists already"), "{refusal}");
    let refusal = restore(&copy, &data).unwrap_err().to_string();
    assert!(refusal.ends_with("is in use by another cusp server"), "{refusal}");

    restore(&copy, &restored).unwrap();
    let summary = examined(&restored);
    assert_eq!(summary.faults, [""; 0]);
    assert!(summary.customers >= 500 && summary.customers == summary.events, "{summary:?}");
    assert!(made(&open(&restored), "early499"));
    let refusal = restore(&copy, &restored).unwrap_err().to_string();
    assert!(refusal.ends_with("cusp.db exists already"), "{refusal}");
}

#[test]
fn what_is_no_backup_is_not_restored() {
    let folder = tempfile::tempdir().unwrap();
    let (file, data) = (folder.path().join("file"), folder.path().join("data"));
    assert!(restore(&file, &data).is_err());
    for bytes in [&b""[..], b"not a database, and long enough to be looked at as one"] {
        std::fs::write(&file, bytes.repeat(100)).unwrap();
        assert!(restore(&file, &data).is_err());
        assert!(!database(&data).exists());
    }
}

// --- The examination ---

#[test]
fn a_broken_file_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for id in 0..50 {
        write(&store, move |tx| make(tx, &format!("c{id}"))).unwrap();
    }
    store.close();
    let file = database(folder.path());
    let mut bytes = std::fs::read(&file).unwrap();
    let end = bytes.len();
    bytes[end - 4096..].fill(0xff);
    std::fs::write(&file, bytes).unwrap();
    let told = check(folder.path());
    assert!(told.is_err() || told.is_ok_and(|summary| summary.fault_count > 0));
}

// --- Plans ---

#[test]
fn no_walk_sorts_or_reads_a_whole_table() {
    let folder = tempfile::tempdir().unwrap();
    let (writer, _) = open_writer(folder.path()).unwrap();
    let pages = TABLES.iter().filter(|table| !table.key.is_empty()).map(|table| rows::page_sql(table, true));
    let finds = TABLES.iter().map(rows::find_sql);
    let walks = super::list::every_walk().into_iter().chain(super::deliveries::EVERY_WALK).map(String::from);
    for sql in walks.chain(pages).chain(finds) {
        let mut statement = writer.connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        // A plan needs no values.
        let mut rows = statement.raw_query();
        let mut plan: Vec<String> = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            plan.push(row.get(3).unwrap());
        }
        let plan = plan.join("; ");
        // Within one place of a history, where there is one event, there is nothing to sort.
        let sorts = plan.contains("TEMP B-TREE") && !(sql.contains("FROM events") && plan.contains("LAST TERM"));
        assert!(plan.starts_with("SEARCH") && !sorts, "{sql}\n{plan}");
    }
}

// --- The store that breaks on command ---

#[test]
fn an_armed_call_fails_once_and_its_job_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = FaultyStore::new(Arc::new(open(folder.path())));
    for (nth, fault) in [(1, Fault::Passing), (2, Fault::Broken), (2, Fault::Panic)] {
        store.arm(nth, fault);
        let failure = write(&store, |tx| make(tx, "a")).unwrap_err();
        assert_eq!(failure.passes(), fault == Fault::Passing, "{failure}");
        assert!(!store.disarm());
    }
    store.arm(3, Fault::Broken);
    write(&store, |tx| make(tx, "a")).unwrap();
    assert!(store.disarm());
    assert!(made(&store, "a"));
}

#[test]
fn held_writes_wait_until_they_are_released() {
    let folder = tempfile::tempdir().unwrap();
    let store = FaultyStore::new(Arc::new(open(folder.path())));
    store.hold();
    let told = queue(&store, |tx| make(tx, "a").map(|()| Verdict::Commit));
    assert!(!made(&store, "a") && told.is_empty());
    store.release();
    told.recv().unwrap().unwrap();
    assert!(made(&store, "a"));
}

#[test]
fn the_last_handle_may_be_let_go_by_a_job() {
    struct LastHandle(Arc<SqliteStore>, crossbeam_channel::Sender<()>);
    impl Job for LastHandle {
        fn run(&mut self, tx: &mut dyn Tx) -> Kept<Verdict> {
            make(tx, "a").map(|()| Verdict::Commit)
        }
        fn finish(self: Box<Self>, _: Kept<()>) {
            drop(self.0);
            let _ = self.1.send(());
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(open(folder.path()));
    let (told, hears) = bounded(1);
    let (release, held) = bounded::<()>(0);
    queue(&*store, move |_| {
        let _ = held.recv();
        Ok(Verdict::Commit)
    });
    store.write(Box::new(LastHandle(Arc::clone(&store), told)));
    drop(store);
    drop(release);
    hears.recv().unwrap();
}
