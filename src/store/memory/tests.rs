//! What only this store does, beside what every store must.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::MemoryStore;
use crate::domain::account::Space;
use crate::domain::ids::CustomerId;
use crate::store::suite::{Bench, customer, every_check, hold, look, queue, write};
use crate::store::{MAX_WAITING, Store, Verdict};

const HERE: Space = Space(11);
const THERE: Space = Space(12);

fn bench() -> Bench {
    let store = Arc::new(MemoryStore::new());
    let first = Arc::clone(&store);
    let reopen = move || -> Arc<dyn Store> {
        first.close();
        Arc::new(first.again())
    };
    Bench { store, reopen: Box::new(reopen) }
}

every_check!(bench);

#[test]
fn accounts_do_not_wait_for_each_other() {
    let Bench { store, .. } = bench();
    let held = hold(&store);
    write(&*store, |tx| tx.put_customer(THERE, None, &customer("a", 1))).unwrap();
    let waits = queue(&*store, |tx| tx.put_customer(HERE, None, &customer("b", 1)).map(|()| Verdict::Commit));
    assert!(waits.try_recv().is_err());
    drop(held);
    waits.recv().unwrap().unwrap();
}

#[test]
fn a_job_is_run_again_when_another_account_came_between() {
    let Bench { store, .. } = bench();
    write(&*store, |tx| tx.put_customer(THERE, None, &customer("a", 1))).unwrap();
    let (runs, inner) = (Arc::new(AtomicUsize::new(0)), Arc::clone(&store));
    let counted = Arc::clone(&runs);
    write(&*store, move |tx| {
        tx.moment(HERE, customer("a", 1).created)?;
        let seen = tx.customer(THERE, &CustomerId("a".into()))?.expect("it was put");
        if counted.fetch_add(1, Ordering::SeqCst) == 0 {
            // Somebody else changes there what this one has looked at.
            let (before, mut after) = (seen.clone(), seen.clone());
            after.balance = 9;
            write(&*inner, move |tx| tx.put_customer(THERE, Some(&before), &after)).unwrap();
        }
        let mut made = customer("b", 1);
        made.balance = seen.balance;
        tx.put_customer(HERE, None, &made)
    })
    .unwrap();
    assert_eq!(runs.load(Ordering::SeqCst), 2);
    let made = look(&*store, |read| read.customer(HERE, &CustomerId("b".into())));
    assert_eq!(made.map(|customer| customer.balance), Some(9));
    let figures = store.figures();
    let conflicts = figures.iter().find(|figure| figure.name == "store_conflicts_total");
    assert_eq!(conflicts.map(|figure| figure.value), Some(1.0));
}

#[test]
fn no_more_than_so_many_jobs_wait() {
    let Bench { store, .. } = bench();
    let held = hold(&store);
    let jobs: Vec<_> = (0..=MAX_WAITING)
        .map(|_| queue(&*store, |tx| tx.moment(HERE, customer("a", 1).created).map(|_| Verdict::Commit)))
        .collect();
    let refusal = jobs[MAX_WAITING].try_recv().expect("it is refused at once").unwrap_err();
    assert!(refusal.passes() && refusal.to_string().contains("jobs wait already"), "{refusal}");
    drop(held);
    assert!(jobs[..MAX_WAITING].iter().all(|job| job.recv().unwrap().is_ok()));
}

#[test]
fn an_account_that_holds_nothing_takes_no_room() {
    let store = MemoryStore::new();
    write(&store, |tx| tx.put_customer(HERE, None, &customer("a", 1))).unwrap();
    assert_eq!(store.world.read().accounts(), 1);
    write(&store, |tx| tx.wipe(HERE)).unwrap();
    assert_eq!(store.world.read().accounts(), 0);
}
