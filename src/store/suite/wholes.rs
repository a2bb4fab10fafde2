//! Accounts as a whole: emptied, copied, and nobody the wiser elsewhere.

use super::*;
use crate::domain::delivery::{Delivery, DeliveryPage, DeliveryState, Lease, Queue};
use crate::domain::facts::Facts;
use crate::domain::ids::{DeliveryId, WebhookEndpointId};
use crate::store::record::write_facts;

/// Everything that an account shows, its own record and its keys apart.
fn shown(read: &mut dyn Read, space: Space) -> Kept<String> {
    let a = CustomerId("a".into());
    let anyone = query(Join::All, &[(false, Test::Equals(Field::Email, "a@example.com".into()))]);
    let balances = BalancePage { customer: a.clone(), created: Span::default(), cursor: Cursor::Newest, limit: 9 };
    let objects = ObjectPage { list: on("x"), created: Span::default(), cursor: Cursor::Newest, limit: 9 };
    let (we, e1) = (WebhookEndpointId("we_1".into()), EventId("e1".into()));
    let singles = (
        read.customer(space, &a)?,
        read.marked(space, &Mark::InvoicePrefix("PREA".into()))?,
        read.balance_transaction(space, &a, &BalanceTransactionId("t1".into()))?,
        read.event(space, &e1)?,
        read.reply(space, "key")?,
        read.object(space, ObjectKind::Coupon, "c")?,
    );
    let pages = (
        read.customers(space, &CustomerPage { limit: 9, ..CustomerPage::default() })?,
        read.search(space, &anyone, None, 9)?,
        read.balance_transactions(space, &balances)?,
        read.events(space, &EventPage { limit: 9, ..EventPage::default() })?,
        read.short_list(space, on("x"))?,
        read.objects(space, &objects)?,
        read.newest(&[space])?,
    );
    let deliveries = (
        read.endpoints(space)?,
        read.deliveries(space, &DeliveryPage { limit: 9, ..DeliveryPage::default() })?,
        read.queue(space, &we)?,
    );
    Ok(format!("{singles:?} {pages:?} {deliveries:?}"))
}

fn on(value: &str) -> List {
    List::by(ObjectKind::Coupon, "customer", value)
}

fn delivery(id: &str, sequence: i64, state: DeliveryState) -> Delivery {
    Delivery {
        id: DeliveryId(id.into()),
        endpoint: WebhookEndpointId("we_1".into()),
        event: EventId(format!("e{sequence}")),
        sequence,
        event_type: "customer.created".into(),
        about: "a".into(),
        created: Time(1),
        by_hand: false,
        state,
        due: (state == DeliveryState::Pending).then_some(Time(2)),
        attempts: 0,
        latest: None,
    }
}

/// Fills an account with something of everything.
fn furnish(store: &dyn Store, space: Space) {
    put(store, space, &[customer("a", 1), customer("b", 2)]);
    append(store, space, "e1", 1, made("a"));
    append(store, space, "e2", 2, made("b"));
    let endpoint = Facts::from(webhook_endpoint("we_1", 3));
    write(store, move |tx| {
        tx.put_reply(space, &reply("key", 1))?;
        tx.put_balance_transaction(space, &balance_transaction("t1", "a", 1))?;
        let coupon = Object { kind: ObjectKind::Coupon, id: "c".into(), created: Time(1), body: "{}".into() };
        tx.put_object(space, &coupon, &[], &[on("x")])?;
        tx.put_object(space, &write_facts(&endpoint), &[], &endpoint.lists())?;
        let endpoint = WebhookEndpointId("we_1".into());
        let lease = Some(Lease { owner: "other".into(), until: Time(9) });
        tx.put_queue(space, &Queue { lease, ..Queue::new(endpoint) })?;
        tx.put_delivery(space, &delivery("whd_1", 1, DeliveryState::Succeeded))
    })
    .unwrap();
}

fn copy(store: &dyn Store, from: Space, to: Space) {
    write(store, move |tx| {
        tx.claim(&[from, to])?;
        tx.copy(from, to)
    })
    .unwrap();
}

fn wipe(store: &dyn Store, space: Space) {
    write(store, move |tx| {
        tx.claim(&[space])?;
        tx.wipe(space)
    })
    .unwrap();
}

pub fn a_wiped_account_is_there_and_holds_nothing(bench: &Bench) {
    let store = &*bench.store;
    let nothing = look(store, |read| shown(read, HERE));
    write(store, |tx| {
        tx.put_account(&account(HERE, "acct_1", Mode::Test))?;
        tx.put_api_key(HERE, &api_key(1, 1))
    })
    .unwrap();
    furnish(store, HERE);
    furnish(store, THERE);
    let there = look(store, |read| shown(read, THERE));
    assert!(spot(store, HERE, "a").is_some());
    wipe(store, HERE);
    assert_eq!(spot(store, HERE, "a"), None);
    assert_eq!(look(store, |read| shown(read, HERE)), nothing);
    assert_eq!(look(store, |read| shown(read, THERE)), there);
    assert!(look(store, |read| read.account(HERE)).is_some());
    assert!(look(store, |read| read.api_key(HERE, &[1; 32])).is_some());
    // It goes on from the beginning.
    assert_eq!(append(store, HERE, "e1", 1, made("a")), 1);
    put(store, HERE, &[customer("a", 1)]);
    wipe(store, HERE);
    wipe(store, HERE);
    assert_eq!(look(store, |read| shown(read, HERE)), nothing);
}

pub fn a_copy_takes_the_place_of_what_was_there(bench: &Bench) {
    let store = &*bench.store;
    furnish(store, HERE);
    put(store, THERE, &[customer("a", 7), customer("z", 7)]);
    for number in 0..5 {
        append(store, THERE, &format!("e{number}"), 1, made("z"));
    }
    write(store, |tx| tx.put_account(&account(THERE, "acct_2", Mode::Test))).unwrap();
    assert_eq!(spot(store, THERE, "a").map(|customer| customer.created), Some(Time(7)));
    let whole = look(store, |read| shown(read, HERE));
    copy(store, HERE, THERE);
    assert_eq!(spot(store, THERE, "a"), Some(customer("a", 1)));
    assert_eq!(spot(store, THERE, "z"), None);
    // All but who works on the queue, which is nobody.
    let leased = format!("{:?}", Some(Lease { owner: "other".into(), until: Time(9) }));
    assert_eq!(look(store, |read| shown(read, THERE)), whole.replace(&leased, "None"));
    assert_eq!(look(store, |read| read.account(THERE)), Some(account(THERE, "acct_2", Mode::Test)));
    assert_eq!(look(store, |read| read.account(HERE)), None);
}

pub fn a_copy_and_what_it_is_of_go_their_own_ways(bench: &Bench) {
    let store = &*bench.store;
    furnish(store, HERE);
    copy(store, HERE, THERE);
    let before = look(store, |read| shown(read, THERE));
    let (old, new) = (customer("a", 1), Customer { name: Some("Ada".into()), version: 2, ..customer("a", 1) });
    replace(store, &old, &new);
    assert_eq!(append(store, HERE, "e3", 3, gone("a")), 3);
    assert_eq!(look(store, |read| shown(read, THERE)), before);
    let here = look(store, |read| shown(read, HERE));
    assert_eq!(append(store, THERE, "e9", 3, gone("b")), 3);
    wipe(store, THERE);
    assert_eq!(look(store, |read| shown(read, HERE)), here);
    // Back and forth, as snapshots do.
    copy(store, HERE, THERE);
    wipe(store, HERE);
    copy(store, THERE, HERE);
    assert_eq!(spot(store, HERE, "a"), Some(new));
    assert_eq!(append(store, HERE, "e4", 3, gone("a")), 4);
}

pub fn a_copy_of_nothing_is_nothing(bench: &Bench) {
    let store = &*bench.store;
    let nothing = look(store, |read| shown(read, HERE));
    furnish(store, HERE);
    copy(store, THERE, HERE);
    assert_eq!(look(store, |read| shown(read, HERE)), nothing);
}

pub fn what_waits_to_be_sent_is_not_copied(bench: &Bench) {
    let store = &*bench.store;
    furnish(store, HERE);
    write(store, |tx| tx.put_delivery(HERE, &delivery("whd_2", 2, DeliveryState::Pending))).unwrap();
    assert_eq!(look(store, |read| read.queues_due("other", Time(5), 9)).len(), 1);
    copy(store, HERE, THERE);
    let ids = |space| {
        let page = look(store, |read| read.deliveries(space, &DeliveryPage { limit: 9, ..DeliveryPage::default() }));
        page.items.into_iter().map(|delivery| delivery.id.0).collect::<Vec<_>>()
    };
    assert_eq!((ids(HERE).len(), ids(THERE)), (2, vec!["whd_1".to_owned()]));
    let due = look(store, |read| read.queues_due("other", Time(5), 9));
    assert_eq!(due.iter().map(|(space, _)| *space).collect::<Vec<_>>(), [HERE]);
    // What is made there from now on is sent.
    write(store, |tx| tx.put_delivery(THERE, &delivery("whd_3", 2, DeliveryState::Pending))).unwrap();
    assert_eq!(look(store, |read| read.queues_due("third", Time(5), 9)).len(), 1);
    wipe(store, HERE);
    assert_eq!(look(store, |read| read.queues_due("other", Time(5), 9)).len(), 1);
}

pub fn an_account_is_changed_as_a_whole_or_not_at_all(bench: &Bench) {
    let store = &*bench.store;
    furnish(store, HERE);
    put(store, THERE, &[customer("z", 7)]);
    let before = [HERE, THERE].map(|space| look(store, |read| shown(read, space)));
    let ends: [fn() -> Kept<Verdict>; 3] = [
        || Ok(Verdict::Rollback),
        || Err(Failure::broken("testing", "a failure")),
        || std::panic::resume_unwind(Box::new("a panic")),
    ];
    for end in ends {
        let held = hold(&bench.store);
        let told = queue(store, move |tx| {
            tx.claim(&[HERE, THERE])?;
            tx.copy(HERE, THERE)?;
            tx.wipe(HERE)?;
            end()
        });
        let neighbour = queue(store, |tx| {
            let found = tx.customer(HERE, &CustomerId("a".into()))?;
            assert!(tx.rehearsal() || found.is_some());
            Ok(Verdict::Commit)
        });
        drop(held);
        let _ = told.recv().unwrap();
        neighbour.recv().unwrap().unwrap();
        assert_eq!([HERE, THERE].map(|space| look(store, |read| shown(read, space))), before);
    }
    // Both at once.
    write(store, |tx| {
        tx.claim(&[HERE, THERE])?;
        tx.copy(HERE, THERE)?;
        tx.wipe(HERE)?;
        tx.put_account(&account(HERE, "acct_1", Mode::Test))
    })
    .unwrap();
    assert_eq!((spot(store, HERE, "a"), spot(store, THERE, "a").is_some()), (None, true));
    assert!(look(store, |read| read.account(HERE)).is_some());
}

pub fn a_copy_is_of_one_state(bench: &Bench) {
    const WRITES: i64 = 60;
    let store = &*bench.store;
    put(store, HERE, &[customer("a", 1), customer("b", 1)]);
    let (done, ends) = bounded::<()>(0);
    thread::scope(|scope| {
        // Both customers and the history change together.
        scope.spawn(move || {
            for round in 1..=WRITES {
                write(store, move |tx| {
                    for id in ["a", "b"] {
                        let before = tx.customer(HERE, &CustomerId(id.into()))?.expect("it was put");
                        let after = Customer { balance: round, version: before.version + 1, ..before.clone() };
                        tx.put_customer(HERE, Some(&before), &after)?;
                    }
                    let (cause, id) = (Cause::default(), EventId(format!("e{round}")));
                    tx.append(HERE, NewEvent { id, created: Time(1), cause: &cause, what: made("a") }).map(drop)
                })
                .unwrap();
            }
            drop(done);
        });
        while ends.try_recv() == Err(crossbeam_channel::TryRecvError::Empty) {
            copy(store, HERE, THERE);
            let seen = look(store, |read| {
                let balance = |read: &mut dyn Read, id: &str| {
                    Ok(read.customer(THERE, &CustomerId(id.into()))?.expect("it was copied").balance)
                };
                Ok([balance(read, "a")?, balance(read, "b")?, read.newest(&[THERE])?[0]])
            });
            assert_eq!(seen, [seen[0]; 3]);
        }
    });
}
