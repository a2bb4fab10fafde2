//! Transactions: what stays, what goes, who is told.

use super::*;

pub fn one_read_sees_one_state(bench: &Bench) {
    let store = &*bench.store;
    put(store, HERE, &[customer("a", 1)]);
    look(store, |read| {
        assert!(read.customer(HERE, &CustomerId("a".into()))?.is_some());
        put(store, HERE, &[customer("b", 1)]);
        assert!(read.customer(HERE, &CustomerId("b".into()))?.is_none());
        Ok(())
    });
    assert!(fetch(store, HERE, "b").is_some());
}

pub fn a_transaction_reads_its_own_writes(bench: &Bench) {
    write(&*bench.store, |tx| {
        assert!(!tx.wrote());
        assert_eq!(tx.customer(HERE, &CustomerId("a".into()))?, None);
        assert!(!tx.wrote());
        tx.put_customer(HERE, None, &customer("a", 1))?;
        assert!(tx.wrote());
        assert_eq!(tx.customer(HERE, &CustomerId("a".into()))?, Some(customer("a", 1)));
        Ok(())
    })
    .unwrap();
}

pub fn a_refused_job_leaves_nothing(bench: &Bench) {
    let store = &*bench.store;
    let outcome = queue(store, |tx| {
        tx.put_customer(HERE, None, &customer("a", 1))?;
        Ok(Verdict::Rollback)
    });
    outcome.recv().unwrap().unwrap();
    queue(store, |_| Ok(Verdict::Rollback)).recv().unwrap().unwrap();
    assert_eq!(fetch(store, HERE, "a"), None);
    assert_eq!(look(store, |read| read.invoice_prefix_holder(HERE, "PREA")), None);
}

pub fn jobs_that_fail_do_not_touch_their_neighbours(bench: &Bench) {
    let store = &*bench.store;
    let held = hold(store);
    let job = |id: &'static str, end: fn() -> Kept<Verdict>| {
        queue(store, move |tx| {
            tx.put_customer(HERE, None, &customer(id, 1))?;
            let cause = Cause::default();
            let event = NewEvent { id: EventId(id.into()), created: Time(1), cause: &cause, what: made(id) };
            tx.append(HERE, event)?;
            end()
        })
    };
    let jobs = [
        job("a", || Ok(Verdict::Commit)),
        job("b", || Ok(Verdict::Rollback)),
        job("c", || Ok(Verdict::Commit)),
        job("d", || Err(Failure::broken("testing", "a failure"))),
        job("e", || Ok(Verdict::Commit)),
        job("f", || std::panic::resume_unwind(Box::new("a panic"))),
        job("g", || Ok(Verdict::Commit)),
    ];
    drop(held);
    let outcomes = jobs.map(|job| job.recv().unwrap().is_ok());
    assert_eq!(outcomes, [true, true, true, false, true, false, true]);
    let kept = ["a", "b", "c", "d", "e", "f", "g"].map(|id| fetch(store, HERE, id).is_some());
    assert_eq!(kept, [true, false, true, false, true, false, true]);
    let page = look(store, |read| read.events(HERE, &EventPage { limit: 9, ..EventPage::default() }));
    let events: Vec<_> = page.items.iter().map(|event| (event.sequence, event.id.as_str())).collect();
    assert_eq!(events, [(4, "g"), (3, "e"), (2, "c"), (1, "a")]);
}

pub fn a_failed_write_cannot_be_kept(bench: &Bench) {
    let store = &*bench.store;
    put(store, HERE, &[customer("a", 1)]);
    write(store, |tx| {
        tx.put_customer(HERE, None, &customer("b", 1))?;
        assert!(tx.put_customer(HERE, None, &customer("a", 1)).is_err());
        Ok(())
    })
    .unwrap_err();
    assert_eq!(fetch(store, HERE, "b"), None);
}

pub fn a_panic_when_told_does_no_harm(bench: &Bench) {
    struct Moody;
    impl Job for Moody {
        fn run(&mut self, _: &mut dyn Tx) -> Kept<Verdict> {
            Ok(Verdict::Commit)
        }
        fn finish(self: Box<Self>, _: Kept<()>) {
            std::panic::resume_unwind(Box::new("a panic"));
        }
    }
    bench.store.write(Box::new(Moody));
    put(&*bench.store, HERE, &[customer("a", 1)]);
}

pub fn concurrent_writers_lose_no_update(bench: &Bench) {
    const WRITERS: i64 = 8;
    const EACH: i64 = 50;
    let store = &*bench.store;
    put(store, HERE, &[customer("a", 1)]);
    let increment = |tx: &mut dyn Tx| {
        let before = tx.customer(HERE, &CustomerId("a".into()))?.expect("it was put");
        let after = Customer { balance: before.balance + 1, version: before.version + 1, ..before.clone() };
        tx.put_customer(HERE, Some(&before), &after)
    };
    thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| (0..EACH).try_for_each(|_| write(store, increment)).unwrap());
        }
    });
    let end = fetch(store, HERE, "a").unwrap();
    assert_eq!((end.balance, end.version), (WRITERS * EACH, (WRITERS * EACH) as u64 + 1));
}

pub fn reopening_shows_the_same(bench: &Bench) {
    put(&*bench.store, HERE, &crowd());
    append(&*bench.store, HERE, "e1", 1, made("a"));
    let store = (bench.reopen)();
    let page = list(&*store, &CustomerPage { limit: 9, ..CustomerPage::default() });
    assert_eq!(ids(&page), ["g", "f", "e", "d", "c", "b", "a"]);
    assert_eq!(append(&*store, HERE, "e2", 1, gone("a")), 2);
    store.ready().unwrap();
}

pub fn a_closed_store_refuses_jobs(bench: &Bench) {
    let store = &*bench.store;
    store.ready().unwrap();
    store.close();
    let refusal = write(store, |_| Ok(())).unwrap_err();
    assert!(refusal.passing, "{refusal}");
    assert!(store.read(&mut |_| Ok(())).is_err());
    assert!(store.ready().is_err());
    store.close();
}

pub fn closing_finishes_what_is_queued(bench: &Bench) {
    let store = &*bench.store;
    let held = hold(store);
    let jobs: Vec<_> = crowd()
        .into_iter()
        .map(|customer| queue(store, move |tx| tx.put_customer(HERE, None, &customer).map(|()| Verdict::Commit)))
        .collect();
    drop(held);
    store.close();
    assert!(jobs.into_iter().all(|job| job.recv().unwrap().is_ok()));
    let store = (bench.reopen)();
    assert_eq!(list(&*store, &CustomerPage { limit: 9, ..CustomerPage::default() }).items.len(), 7);
}
