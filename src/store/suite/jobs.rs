//! Transactions: what stays, what goes, who is told.

use super::*;

pub fn one_read_sees_one_state(bench: &Bench) {
    let store = &*bench.store;
    put(store, HERE, &[customer("a", 1)]);
    let mut other = Some(customer("b", 1));
    look(store, |read| {
        assert!(read.customer(HERE, &CustomerId("a".into()))?.is_some());
        if let Some(other) = other.take() {
            put(store, HERE, &[other]);
        }
        assert!(read.customer(HERE, &CustomerId("b".into()))?.is_none());
        Ok(())
    });
    assert!(fetch(store, HERE, "b").is_some());
}

pub fn a_glance_gives_what_a_read_gives(bench: &Bench) {
    let store = &*bench.store;
    put(store, HERE, &crowd());
    append(store, HERE, "e1", 1, made("a"));
    write(store, |tx| {
        tx.put_account(&account(HERE, "acct_1", Mode::Test))?;
        tx.put_api_key(HERE, &api_key(1, 1))?;
        tx.put_reply(HERE, &reply("key", 1))?;
        tx.put_balance_transaction(HERE, &balance_transaction("t1", "a", 1))
    })
    .unwrap();
    let (a, anyone) = (
        CustomerId("a".into()),
        query(Join::All, &[(false, Test::Missing(Field::Name)), (true, Test::Missing(Field::Email))]),
    );
    let everything = move |read: &mut dyn Read| -> Kept<String> {
        let balances = BalancePage { customer: a.clone(), created: Span::default(), cursor: Cursor::Newest, limit: 9 };
        let singles = (
            read.account(HERE)?.expect("it was put"),
            read.customer(HERE, &a)?.expect("it was put"),
            read.marked(HERE, &Mark::InvoicePrefix("PREA".into()))?.expect("it was put"),
            read.balance_transaction(HERE, &a, &BalanceTransactionId("t1".into()))?.expect("it was put"),
            read.event(HERE, &EventId("e1".into()))?.expect("it was put"),
            read.reply(HERE, "key")?.expect("it was put"),
            read.api_key(HERE, &[1; 32])?.expect("it was put"),
        );
        let pages = (
            read.accounts()?,
            read.customers(HERE, &CustomerPage { limit: 9, ..CustomerPage::default() })?,
            read.search(HERE, &anyone, None, 9)?,
            read.count(HERE, &anyone, 9)?,
            read.balance_transactions(HERE, &balances)?,
            read.events(HERE, &EventPage { limit: 9, ..EventPage::default() })?,
            read.api_keys()?,
        );
        Ok(format!("{singles:?} {pages:?}"))
    };
    let read = look(store, &everything);
    assert_eq!(glance(store, everything.clone()), read);
    assert_eq!(glance(store, everything), read);
}

pub fn a_glance_sees_what_was_just_written(bench: &Bench) {
    let store = &*bench.store;
    assert_eq!(spot(store, HERE, "a"), None);
    let first = customer("a", 5);
    put(store, HERE, std::slice::from_ref(&first));
    let second = Customer { version: 2, balance: 7, ..first.clone() };
    let gone = second.tombstone(Time(9));
    for (before, after) in [(&first, &second), (&second, &gone)] {
        // Twice, for a store may remember what was looked at.
        assert_eq!([spot(store, HERE, "a"), spot(store, HERE, "a")], [Some(before.clone()), Some(before.clone())]);
        replace(store, before, after);
    }
    assert_eq!([spot(store, HERE, "a"), spot(store, HERE, "a")], [Some(gone.clone()), Some(gone.clone())]);
    assert_eq!(fetch(store, HERE, "a"), Some(gone));
}

pub fn a_glance_keeps_to_its_space(bench: &Bench) {
    let store = &*bench.store;
    put(store, HERE, &[customer("a", 1), customer("b", 1)]);
    put(store, THERE, &[customer("a", 2)]);
    for _ in 0..2 {
        assert_eq!(spot(store, HERE, "a"), Some(customer("a", 1)));
        assert_eq!(spot(store, THERE, "a"), Some(customer("a", 2)));
        assert!(spot(store, HERE, "b").is_some());
        assert_eq!(spot(store, THERE, "b"), None);
    }
    replace(store, &customer("a", 1), &Customer { version: 2, ..customer("a", 1) });
    assert_eq!(spot(store, THERE, "a"), Some(customer("a", 2)));
}

pub fn a_glance_never_sees_what_was_undone(bench: &Bench) {
    let store = &*bench.store;
    let before = customer("a", 1);
    put(store, HERE, std::slice::from_ref(&before));
    assert_eq!(spot(store, HERE, "a"), Some(before.clone()));
    let ends: [fn() -> Kept<Verdict>; 3] = [
        || Ok(Verdict::Rollback),
        || Err(Failure::broken("testing", "a failure")),
        || std::panic::resume_unwind(Box::new("a panic")),
    ];
    for (end, neighbour) in ends.into_iter().zip(["b", "c", "d"]) {
        let (old, new) = (before.clone(), Customer { version: 2, ..before.clone() });
        let told = queue(store, move |tx| {
            tx.put_customer(HERE, Some(&old), &new)?;
            end()
        });
        put(store, THERE, &[customer(neighbour, 1)]);
        let _ = told.recv().unwrap();
        assert_eq!([spot(store, HERE, "a"), spot(store, HERE, "a")], [Some(before.clone()), Some(before.clone())]);
    }
}

pub fn glances_never_go_back(bench: &Bench) {
    const CUSTOMERS: [&str; 3] = ["a", "b", "c"];
    const WRITES: u64 = 300;
    let store = &*bench.store;
    put(store, HERE, &CUSTOMERS.map(|id| customer(id, 1)));
    // The newest version of each customer that a writer was told of.
    let told = [const { AtomicU64::new(1) }; CUSTOMERS.len()];
    thread::scope(|scope| {
        for (id, told) in CUSTOMERS.iter().zip(&told) {
            scope.spawn(move || {
                for version in 2..=WRITES {
                    write(store, move |tx| {
                        let before = tx.customer(HERE, &CustomerId((*id).into()))?.expect("it was put");
                        let after = Customer { version, ..before.clone() };
                        tx.put_customer(HERE, Some(&before), &after)
                    })
                    .unwrap();
                    told.store(version, Ordering::SeqCst);
                    assert_eq!(spot(store, HERE, id).map(|customer| customer.version), Some(version));
                }
            });
        }
        for reader in 0..3 {
            let told = &told;
            scope.spawn(move || {
                let mut seen = [1; CUSTOMERS.len()];
                let mut round = reader;
                while seen.iter().any(|version| *version < WRITES) {
                    round += 1;
                    let place = round % CUSTOMERS.len();
                    let least = told[place].load(Ordering::SeqCst).max(seen[place]);
                    // A read of one state and a glance must agree on what is past, so they take turns.
                    let found = if round % 5 == 0 { fetch } else { spot }(store, HERE, CUSTOMERS[place]);
                    seen[place] = found.expect("it was put").version;
                    assert!(seen[place] >= least, "saw {} of {} after {least}", seen[place], CUSTOMERS[place]);
                }
            });
        }
    });
}

/// So a rule like "nobody else has this e-mail address" holds, which no index of a store knows of.
pub fn a_transaction_finds_whom_others_have_just_made(bench: &Bench) {
    const WRITERS: usize = 6;
    const WORDS: usize = 12;
    let store = &*bench.store;
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            scope.spawn(move || {
                for word in 0..WORDS {
                    let email = format!("{word}@example.com");
                    let of_word = query(Join::All, &[(false, Test::Equals(Field::Email, email.to_uppercase()))]);
                    write(store, move |tx| {
                        // What transactions find of each other depends on the account's row, which whoever decides holds.
                        tx.moment(HERE, Time(1))?;
                        let found = tx.search(HERE, &of_word, None, 2)?.items;
                        if found.is_empty() {
                            let id = format!("{word}-{writer}");
                            let new = Customer { email: Some(email.clone()), ..customer(&id, 1) };
                            tx.put_customer(HERE, None, &new)?;
                        }
                        Ok(())
                    })
                    .unwrap();
                }
            });
        }
    });
    for word in 0..WORDS {
        let email = format!("{word}@example.com");
        let of_word = query(Join::All, &[(false, Test::Equals(Field::Email, email))]);
        assert_eq!(look(store, |read| read.count(HERE, &of_word, 9)), 1, "made for word {word}");
    }
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
    assert_eq!(look(store, |read| read.marked(HERE, &Mark::InvoicePrefix("PREA".into()))), None);
}

pub fn jobs_that_fail_do_not_touch_their_neighbours(bench: &Bench) {
    let store = &*bench.store;
    let held = hold(&bench.store);
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
        // Told here, or at the end to the whole job.
        let _ = tx.put_customer(HERE, None, &customer("a", 1));
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
    put(store, HERE, &[customer("a", 1)]);
    assert!(spot(store, HERE, "a").is_some());
    store.close();
    let refusal = write(store, |_| Ok(())).unwrap_err();
    assert!(refusal.passes(), "{refusal}");
    assert!(store.read(&mut |_| Ok(())).is_err());
    assert!(try_glance(store, |read| read.customer(HERE, &CustomerId("a".into()))).is_err());
    assert!(store.ready().is_err());
    store.close();
}

pub fn closing_finishes_what_is_queued(bench: &Bench) {
    let store = &*bench.store;
    let held = hold(&bench.store);
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
