//! What is put is there, replaced, kept apart and counted, whatever the record.

use super::*;

pub fn accounts_are_put_replaced_and_listed(bench: &Bench) {
    let store = &*bench.store;
    let (b, a_live, a_test) =
        (account(HERE, "b", Mode::Test), account(THERE, "a", Mode::Live), account(Space(i64::MIN), "a", Mode::Test));
    for account in [b.clone(), a_live.clone(), a_test.clone()] {
        write(store, move |tx| tx.put_account(&account)).unwrap();
    }
    let renamed = Account { display_name: Some("Rocket Rides".into()), ..b };
    let put = renamed.clone();
    write(store, move |tx| tx.put_account(&put)).unwrap();

    assert_eq!(look(store, |read| read.account(HERE)), Some(renamed.clone()));
    assert_eq!(look(store, |read| read.account(Space(99))), None);
    assert_eq!(look(store, |read| read.accounts()), [a_test, a_live, renamed]);
}

pub fn api_keys_are_put_replaced_and_listed(bench: &Bench) {
    let store = &*bench.store;
    let (younger, older) = (api_key(1, 20), api_key(2, 10));
    let revoked = ApiKey { revoked: Some(Time(30)), ..younger.clone() };
    for key in [younger, older.clone(), revoked.clone()] {
        write(store, move |tx| tx.put_api_key(HERE, &key)).unwrap();
    }
    assert_eq!(look(store, |read| read.api_key(HERE, &[1; 32])), Some(revoked.clone()));
    assert_eq!(look(store, |read| read.api_key(THERE, &[1; 32])), None);
    assert_eq!(look(store, |read| read.api_keys()), [older, revoked]);
}

pub fn customers_are_put_and_replaced(bench: &Bench) {
    let store = &*bench.store;
    let before = customer("a", 5);
    put(store, HERE, std::slice::from_ref(&before));
    assert_eq!(fetch(store, HERE, "a"), Some(before.clone()));

    let mut after = before.clone();
    after.version = 2;
    after.name = Some("Jenny \u{1f680} \"Rosen\"\0".into());
    after.metadata = [("order".into(), "7".into())].into();
    replace(store, &before, &after);
    assert_eq!(fetch(store, HERE, "a"), Some(after));
    assert_eq!(fetch(store, HERE, "b"), None);
}

pub fn a_customer_is_made_once(bench: &Bench) {
    let store = &*bench.store;
    let first = customer("a", 5);
    put(store, HERE, std::slice::from_ref(&first));
    let second = customer("a", 6);
    write(store, move |tx| tx.put_customer(HERE, None, &second)).unwrap_err();
    assert_eq!(fetch(store, HERE, "a"), Some(first));
}

pub fn a_customer_that_is_not_there_cannot_be_replaced(bench: &Bench) {
    let store = &*bench.store;
    let ghost = customer("a", 5);
    write(store, move |tx| tx.put_customer(HERE, Some(&ghost), &ghost)).unwrap_err();
    assert_eq!(fetch(store, HERE, "a"), None);
}

// --- Checks: lists ---

pub fn terms_follow_updates_and_deletion(bench: &Bench) {
    let store = &*bench.store;
    let before = customer("a", 5);
    put(store, HERE, std::slice::from_ref(&before));
    let by_name = query(Join::All, &[(false, Test::Equals(Field::Name, "Ann".into()))]);
    let by_email = query(Join::All, &[(false, Test::Equals(Field::Email, "A@EXAMPLE.com".into()))]);
    let found = |query: &Query| look(store, |read| read.count(HERE, query, 9));
    assert_eq!((found(&by_name), found(&by_email)), (0, 1));

    let renamed = Customer { name: Some("ann".into()), ..before.clone() };
    replace(store, &before, &renamed);
    assert_eq!((found(&by_name), found(&by_email)), (1, 1));

    let moved = Customer { email: Some("b@example.com".into()), created: Time(2), ..renamed.clone() };
    replace(store, &renamed, &moved);
    assert_eq!((found(&by_name), found(&by_email)), (1, 0));
    assert_eq!(
        ids(&list(
            store,
            &CustomerPage { limit: 9, created: Span { from: None, until: Some(Time(3)) }, ..CustomerPage::default() }
        )),
        ["a"]
    );

    replace(store, &moved, &moved.tombstone(Time(9)));
    assert_eq!((found(&by_name), found(&by_email)), (0, 0));
}

pub fn an_invoice_prefix_stays_taken(bench: &Bench) {
    let store = &*bench.store;
    let holder =
        |prefix: &str| look(store, |read| read.marked(HERE, &Mark::InvoicePrefix(prefix.into()))).map(|id| id.0);
    let before = customer("a", 5);
    put(store, HERE, std::slice::from_ref(&before));
    assert_eq!(holder("PREA").as_deref(), Some("a"));
    assert_eq!(look(store, |read| read.marked(THERE, &Mark::InvoicePrefix("PREA".into()))), None);

    let changed = Customer { invoice_prefix: "OTHER".into(), ..before.clone() };
    replace(store, &before, &changed);
    assert_eq!((holder("PREA"), holder("OTHER").as_deref()), (None, Some("a")));

    replace(store, &changed, &changed.tombstone(Time(9)));
    assert_eq!(holder("OTHER").as_deref(), Some("a"));
}

pub fn what_a_customer_holds_finds_it(bench: &Bench) {
    let store = &*bench.store;
    let holder = |id: &str| look(store, |read| read.marked(HERE, &Mark::Holding(id.into()))).map(|id| id.0);
    let (a, b) = (customer("a", 5), customer("b", 6));
    put(store, HERE, &[a.clone(), b.clone()]);
    let with_card = |of: &Customer| Customer { instruments: vec![card("card_1").into()], ..of.clone() };
    assert_eq!(holder("card_1"), None);
    replace(store, &a, &with_card(&a));
    assert_eq!((holder("card_1").as_deref(), holder("CARD_1")), (Some("a"), None));

    // It goes from one to the other in one transaction, and each step is seen within.
    let steps = [(with_card(&a), a.clone()), (b.clone(), with_card(&b))];
    write(store, move |tx| {
        let mut holders = Vec::new();
        for (before, after) in &steps {
            tx.put_customer(HERE, Some(before), after)?;
        }
        holders.extend(tx.marked(HERE, &Mark::Holding("card_1".into()))?);
        assert!(tx.rehearsal() || holders == [CustomerId("b".into())], "{holders:?}");
        Ok(())
    })
    .unwrap();
    assert_eq!(holder("card_1").as_deref(), Some("b"));
    replace(store, &with_card(&b), &with_card(&b).tombstone(Time(9)));
    assert_eq!(holder("card_1"), None);
}

// --- Checks: what goes with customers ---

pub fn balance_transactions_are_put_listed_and_replaced(bench: &Bench) {
    let store = &*bench.store;
    let all: Vec<BalanceTransaction> =
        [("t1", 1), ("t2", 2), ("t3", 2), ("t4", 3)].map(|(id, at)| balance_transaction(id, "a", at)).into();
    let (ours, theirs) = (all.clone(), balance_transaction("u1", "b", 2));
    write(store, move |tx| {
        tx.put_balance_transaction(HERE, &theirs)?;
        ours.iter().try_for_each(|transaction| tx.put_balance_transaction(HERE, transaction))
    })
    .unwrap();
    let noted = BalanceTransaction { description: Some("for tea".into()), ..all[1].clone() };
    let put = noted.clone();
    write(store, move |tx| tx.put_balance_transaction(HERE, &put)).unwrap();

    let get = |customer: &str, id: &str| {
        let (customer, id) = (CustomerId(customer.into()), BalanceTransactionId(id.into()));
        look(store, |read| read.balance_transaction(HERE, &customer, &id))
    };
    assert_eq!(get("a", "t2"), Some(noted));
    assert_eq!((get("b", "t2"), get("a", "u1")), (None, None));

    let list = |cursor, limit| {
        let page = BalancePage { customer: CustomerId("a".into()), created: Span::default(), cursor, limit };
        let page = look(store, |read| read.balance_transactions(HERE, &page));
        (page.items.into_iter().map(|transaction| transaction.id.0).collect::<Vec<_>>(), page.has_more)
    };
    let at = |transaction: &BalanceTransaction| Place { created: transaction.created, id: transaction.id.0.clone() };
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(list(Cursor::Newest, 2), (names(&["t4", "t3"]), true));
    assert_eq!(list(Cursor::OlderThan(at(&all[2])), 2), (names(&["t2", "t1"]), false));
    assert_eq!(list(Cursor::NewerThan(at(&all[0])), 2), (names(&["t3", "t2"]), true));
}

pub fn events_are_numbered_in_each_account(bench: &Bench) {
    let store = &*bench.store;
    assert_eq!(append(store, HERE, "e1", 1, made("a")), 1);
    assert_eq!(append(store, THERE, "e1", 1, made("b")), 1);
    assert_eq!(append(store, HERE, "e2", 1, gone("a")), 2);
    let event = look(store, |read| read.event(HERE, &EventId("e2".into())));
    let expected = Event {
        sequence: 2,
        id: EventId("e2".into()),
        created: Time(1),
        cause: Cause { request: Some(RequestId("req_1".into())), idempotency_key: None },
        what: gone("a"),
    };
    assert_eq!(event, Some(expected));
    assert_eq!(look(store, |read| read.event(THERE, &EventId("e2".into()))), None);
}

pub fn events_are_listed_by_kind_and_span(bench: &Bench) {
    let store = &*bench.store;
    // The clock goes back once; the order of events does not follow it.
    for (number, created) in [10, 20, 15, 30, 40].into_iter().enumerate() {
        let what = if number % 2 == 0 { made("a") } else { gone("a") };
        append(store, HERE, &format!("e{number}"), created, what);
    }
    let list = |page: EventPage| {
        let page = look(store, |read| read.events(HERE, &page));
        (page.items.iter().map(|event| event.sequence).collect::<Vec<_>>(), page.has_more)
    };
    let page = |limit| EventPage { limit, ..EventPage::default() };
    assert_eq!(list(page(9)), (vec![5, 4, 3, 2, 1], false));
    assert_eq!(list(page(2)), (vec![5, 4], true));
    assert_eq!(list(EventPage { cursor: Cursor::OlderThan(4), ..page(2) }), (vec![3, 2], true));
    assert_eq!(list(EventPage { cursor: Cursor::NewerThan(2), ..page(2) }), (vec![4, 3], true));
    assert_eq!(list(EventPage { cursor: Cursor::NewerThan(3), ..page(2) }), (vec![5, 4], false));
    let kinds = |kinds: &[EventKind]| Some(kinds.to_vec());
    assert_eq!(list(EventPage { kinds: kinds(&[DELETED]), ..page(9) }), (vec![4, 2], false));
    assert_eq!(list(EventPage { kinds: kinds(&[UPDATED]), ..page(9) }), (vec![], false));
    assert_eq!(list(EventPage { kinds: kinds(&[]), ..page(9) }), (vec![], false));
    let both = kinds(&[DELETED, CREATED, DELETED]);
    assert_eq!(list(EventPage { kinds: both, ..page(3) }), (vec![5, 4, 3], true));
    let created = Span { from: Some(Time(15)), until: Some(Time(30)) };
    assert_eq!(list(EventPage { created, ..page(9) }), (vec![3, 2], false));
    assert_eq!(list(EventPage { created, cursor: Cursor::NewerThan(2), ..page(9) }), (vec![3], false));

    let places = |after, kinds: &[EventKind], most| look(store, |read| read.event_places(HERE, after, kinds, most));
    assert_eq!(places(0, &[CREATED, DELETED], 9), [1, 2, 3, 4, 5]);
    assert_eq!(places(2, &[CREATED, DELETED, CREATED], 2), [3, 4]);
    assert_eq!(places(0, &[DELETED], 9), [2, 4]);
    assert_eq!(places(5, &[CREATED], 9), [0; 0]);
    assert_eq!(places(0, &[], 9), [0; 0]);
    assert_eq!(look(store, |read| read.event_places(THERE, 0, &[CREATED], 9)), [0; 0]);
}

pub fn spaces_do_not_see_each_other(bench: &Bench) {
    let store = &*bench.store;
    put(store, HERE, &[customer("a", 1)]);
    put(store, THERE, &[customer("a", 2), customer("b", 1)]);
    assert_eq!(fetch(store, HERE, "a").unwrap().created, Time(1));
    assert_eq!(fetch(store, HERE, "b"), None);
    assert_eq!(ids(&list(store, &CustomerPage { limit: 9, ..CustomerPage::default() })), ["a"]);
    let anyone = query(Join::All, &[(true, Test::Missing(Field::Email))]);
    assert_eq!(look(store, |read| read.count(THERE, &anyone, 9)), 2);
    let kept = reply("key", 1);
    write(store, move |tx| tx.put_reply(HERE, &kept)).unwrap();
    assert_eq!(look(store, |read| read.reply(THERE, "key")), None);
}

pub fn replies_are_kept_replaced_and_pruned(bench: &Bench) {
    let store = &*bench.store;
    let newest = KeptReply { status: 402, body: b"{}".to_vec(), headers: vec![], ..reply("a", 30) };
    for (space, kept) in [
        (HERE, reply("a", 10)),
        (HERE, newest.clone()),
        (HERE, reply("b", 20)),
        (THERE, reply("a", 5)),
        (THERE, reply("c", 6)),
    ] {
        write(store, move |tx| tx.put_reply(space, &kept)).unwrap();
    }
    let old = |before: i64, most: usize| {
        let old = look(store, |read| read.old_replies(Time(before), most));
        old.into_iter().map(|(space, key)| (space.0, key)).collect::<Vec<_>>()
    };
    let forget = |space: Space, before: i64| {
        let keys = ["a", "b", "no such key"].map(String::from);
        write(store, move |tx| tx.forget_replies(space, &keys, Time(before))).unwrap();
    };
    assert_eq!(look(store, |read| read.reply(HERE, "a")), Some(newest.clone()));
    assert_eq!(look(store, |read| read.reply(HERE, "b")), Some(reply("b", 20)));
    assert_eq!(old(20, 9), [(THERE.0, "a".into()), (THERE.0, "c".into())]);
    assert_eq!(old(31, 3), [(THERE.0, "a".into()), (THERE.0, "c".into()), (HERE.0, "b".into())]);
    forget(THERE, 20);
    forget(HERE, 21);
    assert_eq!(old(31, 9), [(THERE.0, "c".into()), (HERE.0, "a".into())]);
    assert_eq!(look(store, |read| read.reply(HERE, "a")), Some(newest));
    assert_eq!(look(store, |read| read.reply(HERE, "b")), None);
    assert_eq!(look(store, |read| read.reply(THERE, "a")), None);
}

// --- Checks: transactions ---

/// A record of few facts.
fn object(id: &str, created: i64, body: &str) -> Object {
    Object { kind: ObjectKind::Coupon, id: id.into(), created: Time(created), body: body.into() }
}

fn on(value: &str) -> List {
    List::by(ObjectKind::Coupon, "customer", value)
}

pub fn objects_are_put_listed_replaced_and_removed(bench: &Bench) {
    let store = &*bench.store;
    let everything = List::all(ObjectKind::Coupon);
    let crowd = [("a", 1), ("b", 2), ("c", 2), ("d", 3)].map(|(id, at)| object(id, at, "{}"));
    let made = crowd.clone();
    write(store, move |tx| {
        made.iter().try_for_each(|object| tx.put_object(HERE, object, &[], &[everything, on("x")]))?;
        tx.put_object(THERE, &made[0], &[], &[everything])
    })
    .unwrap();
    let named = |id: &str| look(store, |read| read.object(HERE, ObjectKind::Coupon, id));
    let page = |cursor, limit| {
        let page = ObjectPage { list: everything, created: Span::default(), cursor, limit };
        let page = look(store, |read| read.objects(HERE, &page));
        (page.items.into_iter().map(|object| object.id).collect::<Vec<_>>().concat(), page.has_more)
    };
    let short = |list| {
        let objects = look(store, |read| read.short_list(HERE, list));
        objects.into_iter().map(|object| object.id).collect::<Vec<_>>().concat()
    };
    assert_eq!(named("b"), Some(crowd[1].clone()));
    assert_eq!(named("e"), None);
    assert_eq!(page(Cursor::Newest, 9), ("dcba".into(), false));
    assert_eq!(page(Cursor::Newest, 2), ("dc".into(), true));
    let place = |at: i64, id: &str| Place { created: Time(at), id: id.into() };
    assert_eq!(page(Cursor::OlderThan(place(2, "c")), 2), ("ba".into(), false));
    assert_eq!(page(Cursor::NewerThan(place(1, "a")), 2), ("cb".into(), true));
    let within = Span { from: Some(Time(2)), until: Some(Time(3)) };
    let spanned = ObjectPage { list: everything, created: within, cursor: Cursor::Newest, limit: 9 };
    assert_eq!(look(store, |read| read.objects(HERE, &spanned)).items.len(), 2);
    assert_eq!((short(on("x")), short(on("y"))), ("dcba".into(), String::new()));

    // It moves from one list to another, and changes on the way.
    let moved = object("b", 2, "{\"moved\":true}");
    write(store, move |tx| tx.put_object(HERE, &moved, &[everything, on("x")], &[everything, on("y")])).unwrap();
    assert_eq!((short(on("x")), short(on("y"))), ("dca".into(), "b".into()));
    assert_eq!(named("b").unwrap().body, "{\"moved\":true}");
    assert_eq!(page(Cursor::Newest, 9), ("dcba".into(), false));

    let gone = crowd[3].clone();
    write(store, move |tx| tx.remove_object(HERE, &gone, &[everything, on("x")])).unwrap();
    assert_eq!((page(Cursor::Newest, 9), short(on("x"))), (("cba".into(), false), "ca".into()));
    assert_eq!(named("d"), None);
    assert_eq!(look(store, |read| read.short_list(THERE, everything)).len(), 1);
}

pub fn a_transaction_sees_the_objects_that_it_has_written(bench: &Bench) {
    let store = &*bench.store;
    let kept = object("a", 1, "{}");
    write(store, move |tx| tx.put_object(HERE, &kept, &[], &[on("x")])).unwrap();
    let held = hold(&bench.store);
    let seen = |tx: &mut dyn Tx| -> Kept<String> {
        let objects = tx.short_list(HERE, on("x"))?;
        Ok(objects.into_iter().map(|object| object.id).collect::<Vec<_>>().concat())
    };
    let step = |made: &'static str, removed: &'static str| {
        let (send, receive) = unbounded();
        let told = queue(store, move |tx| {
            let before = seen(tx)?;
            if let Some(object) = tx.object(HERE, ObjectKind::Coupon, removed)? {
                tx.remove_object(HERE, &object, &[on("x")])?;
            }
            tx.put_object(HERE, &object(made, 2, "{}"), &[], &[on("x")])?;
            assert!(tx.rehearsal() || tx.object(HERE, ObjectKind::Coupon, removed)?.is_none());
            let _ = send.send((before, seen(tx)?));
            Ok(Verdict::Commit)
        });
        (told, receive)
    };
    let steps = [step("b", "none"), step("c", "a"), step("d", "b")];
    drop(held);
    let seen = steps.map(|(told, receive)| {
        told.recv().unwrap().unwrap();
        receive.try_iter().last().unwrap()
    });
    let expected = [("a", "ba"), ("ba", "cb"), ("cb", "dc")];
    assert_eq!(seen, expected.map(|(before, after)| (before.to_owned(), after.to_owned())));
    assert_eq!(look(store, |read| read.short_list(HERE, on("x"))).len(), 2);
}

pub fn an_object_follows_a_removed_one_of_its_id(bench: &Bench) {
    let store = &*bench.store;
    let (first, beside) = (object("a", 1, "{}"), object("b", 5, "{}"));
    write(store, move |tx| [&first, &beside].into_iter().try_for_each(|one| tx.put_object(HERE, one, &[], &[on("x")])))
        .unwrap();
    let listed = || {
        let page = ObjectPage { list: on("x"), created: Span::default(), cursor: Cursor::Newest, limit: 9 };
        let page = look(store, |read| read.objects(HERE, &page));
        page.items.into_iter().map(|object| (object.id, object.created.0)).collect::<Vec<_>>()
    };
    // Two jobs that may be written together, and one that does both.
    let held = hold(&bench.store);
    let removal = queue(store, |tx| {
        tx.remove_object(HERE, &object("a", 1, "{}"), &[on("x")])?;
        Ok(Verdict::Commit)
    });
    let making = queue(store, |tx| {
        tx.put_object(HERE, &object("a", 7, "{}"), &[], &[on("x")])?;
        Ok(Verdict::Commit)
    });
    drop(held);
    for told in [removal, making] {
        told.recv().unwrap().unwrap();
    }
    assert_eq!(look(store, |read| read.object(HERE, ObjectKind::Coupon, "a")), Some(object("a", 7, "{}")));
    assert_eq!(listed(), [("a".into(), 7), ("b".into(), 5)]);
    write(store, |tx| {
        tx.remove_object(HERE, &object("a", 7, "{}"), &[on("x")])?;
        tx.put_object(HERE, &object("a", 9, "{}"), &[], &[on("x")])
    })
    .unwrap();
    assert_eq!(listed(), [("a".into(), 9), ("b".into(), 5)]);
    write(store, |tx| tx.remove_object(HERE, &object("a", 9, "{}"), &[on("x")])).unwrap();
    assert_eq!(listed(), [("b".into(), 5)]);
}
