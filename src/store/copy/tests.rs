//! Copies between places of both kinds: what arrives, what is refused, what happens when one breaks off, and which
//! differences are found.

use std::collections::BTreeMap;

use super::compare::compare;
use super::{Copied, Progress, Wish, copy};
use crate::domain::account::{Mode, Space};
use crate::domain::balance::BalanceTransaction;
use crate::domain::customer::Customer;
use crate::domain::delivery::{Delivery, Lease, Queue};
use crate::domain::event::{Cause, Happening};
use crate::domain::facts::Facts;
use crate::domain::ids::{CustomerId, EventId, WebhookEndpointId};
use crate::domain::page::EventPage;
use crate::domain::time::Time;
use crate::store::record::write_facts;
use crate::store::rows::{Cell, Key, Kind, Mark, PAGE, Row, Rows, TABLES, Table, Target, Walk};
use crate::store::suite::{
    Home, account, api_key, balance_transaction, coupon, customer, delivery, endpoint, look, put_endpoint, reply,
    within, write,
};
use crate::store::{Failure, Kept, NewEvent, Tx};

const HERE: Space = Space(-11);
const THERE: Space = Space(i64::MAX);
/// An account that has keys and nothing else.
const LOCKED: Space = Space(i64::MIN);

const KEEP: Wish = Wish { replace: false, number: 7 };
const REPLACE: Wish = Wish { replace: true, number: 7 };

fn make(tx: &mut dyn Tx, space: Space, id: &str) -> Kept<()> {
    let made = Customer { description: Some("né 🦀\u{0}\r\n\u{202e}".into()), ..customer(id, 5) };
    tx.put_customer(space, None, &made)?;
    tell(tx, space, id, Happening::CustomerCreated { after: Box::new(made), beside: Vec::new() })
}

fn tell(tx: &mut dyn Tx, space: Space, id: &str, what: Happening) -> Kept<()> {
    let (id, cause) = (EventId(format!("evt_{}_{id}", what.kind().as_str())), Cause::default());
    tx.append(space, NewEvent { id, created: Time(9), cause: &cause, what }).map(drop)
}

/// A place with records of every sort, as a server wrote them.
fn furnished(home: Home) -> Home {
    let store = home.open().unwrap();
    for space in [HERE, THERE] {
        write(&*store, move |tx| {
            (0..1_200).try_for_each(|number| make(tx, space, &format!("c{number}")))?;
            let (before, gone) = (customer("gone", 5), customer("gone", 5));
            tx.put_customer(space, None, &before)?;
            let after = Customer { deleted: Some(Time(8)), email: None, ..gone };
            tx.put_customer(space, Some(&before), &after)?;
            tell(tx, space, "gone", Happening::CustomerDeleted { before: Box::new(before), beside: Vec::new() })?;
            let ledger = BalanceTransaction { ending_balance: 0, ..balance_transaction("t1", "c1", 6) };
            tx.put_balance_transaction(space, &ledger)?;
            tx.put_account(&account(space, "acct_1", Mode::Test))?;
            tx.put_api_key(space, &api_key(1, 1))?;
            for (id, deleted) in [("50% aus ✂", None), ("weg", Some(Time(9)))] {
                let coupon = Facts::from(coupon(id, 5, deleted));
                tx.put_object(space, &write_facts(&coupon), &[], &coupon.lists())?;
            }
            put_endpoint(tx, space, None, &endpoint("we_1", 5))?;
            let lease = Some(Lease { owner: "a server".into(), until: Time(99) });
            tx.put_queue(space, &Queue { lease, ..Queue::new(WebhookEndpointId("we_1".into())) })?;
            for number in 1..=3 {
                let due = (number > 1).then_some(number);
                let made = delivery(&format!("whd_{number}"), "we_1", number, due);
                let event = EventId(format!("evt_customer.created_c{}", number - 1));
                tx.put_delivery(space, &Delivery { event, ..made })?;
            }
            tx.put_reply(space, &reply("schlüssel 🗝", 1))
        })
        .unwrap();
    }
    write(&*store, |tx| tx.put_api_key(LOCKED, &api_key(0, 1))).unwrap();
    store.close();
    assert_eq!(home.examined().unwrap().faults, [""; 0]);
    home
}

type Everything = BTreeMap<(Space, &'static str), Vec<Row>>;

/// Every row, with all that is before the eyes of nobody but the store.
fn everything(rows: &mut dyn Rows) -> Everything {
    let mut all = Everything::new();
    for space in rows.accounts().unwrap() {
        for table in &TABLES {
            let mut walk = Walk::new(table, space, None);
            let found = all.entry((space, table.name)).or_default();
            loop {
                let page = walk.next(rows).unwrap();
                if page.is_empty() {
                    break;
                }
                found.extend(page);
            }
            assert_eq!(rows.count(table, space).unwrap(), found.len() as u64);
        }
    }
    all
}

fn rows_of(home: &Home) -> Everything {
    everything(home.source().unwrap().as_mut())
}

fn copied(from: &Home, to: &Home, wish: Wish) -> Kept<Copied> {
    let (mut source, mut target) = (from.source()?, to.target()?);
    copy(source.as_mut(), target.as_mut(), wish, &mut |_| {})
}

fn refused(from: &Home, to: &Home, wish: Wish) -> String {
    copied(from, to, wish).expect_err("it is refused").to_string()
}

// --- What arrives ---

#[test]
fn there_and_back_again_everything_is_the_same() {
    let folder = furnished(Home::folder());
    let (database, back) = (Home::database(), Home::folder());
    let all = rows_of(&folder);
    for (from, to) in [(&folder, &database), (&database, &back)] {
        let copied = copied(from, to, KEEP).unwrap();
        assert_eq!((copied.accounts, copied.difference_count), (3, 0), "{copied:?}");
        assert_eq!(copied.rows, all.values().map(|rows| rows.len() as u64).sum::<u64>());
        assert_eq!(rows_of(to), all);
        assert_eq!(to.examined().unwrap().faults, [""; 0]);
    }
}

#[test]
fn a_copy_stays_among_its_kind_as_well() {
    for (from, to) in [(Home::folder(), Home::folder()), (Home::database(), Home::database())] {
        let from = furnished(from);
        copied(&from, &to, KEEP).unwrap();
        assert_eq!(rows_of(&to), rows_of(&from));
        assert_eq!(to.examined().unwrap().faults, [""; 0]);
    }
}

#[test]
fn a_server_goes_on_where_the_source_was() {
    for (from, to) in [(Home::folder(), Home::database()), (Home::database(), Home::folder())] {
        let from = furnished(from);
        copied(&from, &to, KEEP).unwrap();
        let store = to.open().unwrap();
        write(&*store, |tx| make(tx, HERE, "new")).unwrap();
        write(&*store, |tx| make(tx, LOCKED, "new")).unwrap();
        let newest = |space| {
            let page = EventPage { limit: 1, ..EventPage::default() };
            look(&*store, |read| read.events(space, &page)).items[0].sequence
        };
        assert_eq!((newest(HERE), newest(LOCKED)), (1_202, 1));
        let heard = |space| within(&*store, move |tx| tx.endpoints(space)).len();
        assert_eq!((heard(HERE), heard(LOCKED)), (1, 0), "whoever writes knows the endpoints that came with the copy");
        let id = CustomerId("c1199".into());
        assert!(look(&*store, |read| read.customer(THERE, &id)).is_some());
        store.close();
        assert_eq!(to.examined().unwrap().faults, [""; 0]);
    }
}

#[test]
fn heads_follow_from_events() {
    let (from, to) = (furnished(Home::folder()), Home::database());
    copied(&from, &to, KEEP).unwrap();
    let Home::Database(database) = &to else { unreachable!("it is a database") };
    let heads = database.query("SELECT account, seq, moment, turns FROM cusp.heads ORDER BY account");
    let head = |space: Space, seq: i64, moment: i64| {
        vec![Some(space.0.to_string()), Some(seq.to_string()), Some(moment.to_string()), Some(String::new())]
    };
    assert_eq!(heads, [head(LOCKED, 0, i64::MIN), head(HERE, 1_201, 9), head(THERE, 1_201, 9)]);
}

/// A row of values at the end of what can be kept, told apart from others by `number`.
fn extreme(table: &Table, number: i64) -> Row {
    let cell = |kind| match (kind, number % 3) {
        (Kind::Number, 0) => Cell::Number(i64::MAX - number),
        (Kind::Number, _) => Cell::Number(i64::MIN + number),
        (Kind::Text, 0) if number == 0 => Cell::Text(String::new()),
        (Kind::Text, 1) => Cell::Text(format!("\u{1}'\"\\\u{7f}é\u{10ffff}{number}")),
        (Kind::Text, _) => Cell::Text(format!("Zz\u{fffd}\u{e000}🦀{number}")),
        (Kind::Bytes, 0) if number == 0 => Cell::Bytes(Vec::new()),
        (Kind::Bytes, _) => Cell::Bytes([&[0, 255, 0, b'\\'][..], &number.to_be_bytes()].concat()),
        (Kind::Flag, even) => Cell::Flag(even == 0),
    };
    table.columns.iter().map(|column| cell(column.kind)).collect()
}

fn blank_mark() -> Mark {
    Mark { source: "nowhere".into(), schema: 1, copied: 0, reached: None }
}

/// A place with rows at the end of what can be kept: no server would write or read them.
fn furnished_with_extremes(home: Home) -> Home {
    let mut target = home.target().unwrap();
    target.begin(&blank_mark()).unwrap();
    for table in &TABLES {
        let rows: Vec<Row> = (0..if table.key.is_empty() { 1 } else { 6 }).map(|n| extreme(table, n)).collect();
        target.add(table, HERE, &rows, &blank_mark()).unwrap();
    }
    target.finish(&[HERE]).unwrap();
    drop(target);
    home
}

#[test]
fn values_at_the_end_of_what_can_be_kept_arrive() {
    let folder = furnished_with_extremes(Home::folder());
    let (database, back) = (Home::database(), Home::folder());
    copied(&folder, &database, KEEP).unwrap();
    copied(&database, &back, KEEP).unwrap();
    let all = rows_of(&folder);
    assert_eq!(all.values().map(Vec::len).sum::<usize>(), 1 + 10 * 6);
    assert_eq!(rows_of(&back), all);
    assert_eq!(rows_of(&database), all);
}

#[test]
fn a_text_that_is_none_is_not_copied() {
    let from = furnished(Home::folder());
    from.execute("UPDATE customers SET body = CAST(x'ff' AS TEXT) WHERE id = 'c7'");
    for to in Home::of_each_kind() {
        let refusal = refused(&from, &to, KEEP);
        assert!(refusal.contains("a row of customers of account -11 has no good body"), "{refusal}");
    }
}

#[test]
fn a_page_goes_on_behind_a_key_and_rows_are_found_by_theirs() {
    for home in Home::of_each_kind() {
        let home = furnished_with_extremes(home);
        let mut rows = home.source().unwrap();
        for table in &TABLES {
            let all = rows.page(table, HERE, None).unwrap();
            let mut keys: Vec<Key> = all.iter().map(|row| table.key_of(row)).collect();
            assert!(keys.is_sorted(), "{}", table.name);
            for (place, key) in keys.iter().enumerate() {
                assert_eq!(rows.page(table, HERE, Some(key)).unwrap(), all[place + 1..], "{}", table.name);
            }
            if !table.key.is_empty() {
                keys.push(table.key_of(&extreme(table, 99)));
                let mut found = rows.find(table, HERE, &keys).unwrap();
                found.sort_by_key(|row| table.key_of(row));
                assert_eq!(found, all, "{}", table.name);
                assert_eq!(rows.find(table, THERE, &keys).unwrap(), [] as [Row; 0]);
            }
        }
    }
}

// --- What breaks off ---

/// A target that goes away before the page of rows with this number, or before it finishes.
struct Fragile {
    inner: Box<dyn Target>,
    pages_left: usize,
    finishes: bool,
}

impl Rows for Fragile {
    fn place(&self) -> &str {
        self.inner.place()
    }
    fn schema(&self) -> i64 {
        self.inner.schema()
    }
    fn mark(&mut self) -> Kept<Option<Mark>> {
        self.inner.mark()
    }
    fn accounts(&mut self) -> Kept<Vec<Space>> {
        self.inner.accounts()
    }
    fn count(&mut self, table: &Table, space: Space) -> Kept<u64> {
        self.inner.count(table, space)
    }
    fn page(&mut self, table: &Table, space: Space, behind: Option<&Key>) -> Kept<Vec<Row>> {
        self.inner.page(table, space, behind)
    }
    fn find(&mut self, table: &Table, space: Space, keys: &[Key]) -> Kept<Vec<Row>> {
        self.inner.find(table, space, keys)
    }
    fn hears(&mut self, number: i64) -> Kept<bool> {
        self.inner.hears(number)
    }
    fn examine_own(&mut self, fault: &mut dyn FnMut(String)) -> Kept<&'static str> {
        self.inner.examine_own(fault)
    }
}

impl Target for Fragile {
    fn knock(&mut self, number: i64) -> Kept<()> {
        self.inner.knock(number)
    }
    fn hush(&mut self, number: i64) -> Kept<()> {
        self.inner.hush(number)
    }
    fn begin(&mut self, mark: &Mark) -> Kept<()> {
        self.inner.begin(mark)
    }
    fn empty(&mut self) -> Kept<()> {
        self.inner.empty()
    }
    fn add(&mut self, table: &Table, space: Space, rows: &[Row], mark: &Mark) -> Kept<()> {
        assert!(rows.len() <= PAGE);
        self.pages_left = self.pages_left.checked_sub(1).ok_or_else(gone)?;
        self.inner.add(table, space, rows, mark)
    }
    fn finish(&mut self, spaces: &[Space]) -> Kept<()> {
        if self.finishes { self.inner.finish(spaces) } else { Err(gone()) }
    }
}

fn gone() -> Failure {
    Failure::passing("testing", "it is gone")
}

/// Copies this many pages; gives how many rows were there at the beginning and at the end.
fn copy_pages(from: &Home, to: &Home, wish: Wish, pages: usize) -> (u64, u64, Kept<Copied>) {
    let mut target = Fragile { inner: to.target().unwrap(), pages_left: pages, finishes: pages == usize::MAX };
    let mut dones = Vec::new();
    let outcome = copy(from.source().unwrap().as_mut(), &mut target, wish, &mut |progress| {
        if let Progress::Copying { done, .. } = progress {
            dones.push(done);
        }
    });
    (dones.first().copied().unwrap_or_default(), dones.last().copied().unwrap_or_default(), outcome)
}

#[test]
fn a_copy_that_broke_off_goes_on_where_it_was() {
    for (from, to) in [(Home::folder(), Home::database()), (Home::database(), Home::folder())] {
        let from = furnished(from);
        let all = rows_of(&from);
        let mut reached = 0;
        // One page a run, until it is whole and only its end is missing.
        loop {
            let (begun, ended, outcome) = copy_pages(&from, &to, KEEP, 1);
            assert_eq!(begun, reached, "nothing is copied twice");
            assert!(outcome.expect_err("it breaks off").passes());
            let refusal = to.open().err().expect("no server works on a part").to_string();
            assert!(refusal.contains(" holds an unfinished copy of "), "{refusal}");
            assert_eq!(to.examined().expect_err("neither does an examination").to_string(), refusal);
            assert!(refused(&to, &Home::folder(), KEEP).contains(" holds an unfinished copy of "));
            if ended == reached {
                break;
            }
            reached = ended;
        }
        assert_eq!(reached, all.values().map(|rows| rows.len() as u64).sum::<u64>());
        let (begun, _, outcome) = copy_pages(&from, &to, KEEP, usize::MAX);
        assert_eq!((begun, outcome.unwrap().difference_count), (reached, 0));
        assert_eq!(rows_of(&to), all);
        assert_eq!(to.examined().unwrap().faults, [""; 0]);
        to.open().unwrap().close();
    }
}

#[test]
fn a_copy_that_was_to_replace_everything_goes_on_with_the_same_words() {
    for to in Home::of_each_kind() {
        let (from, to) = (furnished(Home::folder()), furnished_with_extremes(to));
        assert!(copy_pages(&from, &to, REPLACE, 3).2.is_err());
        let (begun, _, outcome) = copy_pages(&from, &to, REPLACE, usize::MAX);
        outcome.unwrap();
        assert!(begun > 0);
        assert_eq!(rows_of(&to), rows_of(&from));
    }
}

#[test]
fn a_copy_that_broke_off_before_it_had_emptied_its_target_does_so() {
    for to in Home::of_each_kind() {
        let (from, to) = (furnished(Home::folder()), furnished_with_extremes(to));
        let rows = from.source().unwrap();
        let (source, schema) = (rows.place().to_owned(), rows.schema());
        drop(rows);
        to.target().unwrap().begin(&Mark { source, schema, ..blank_mark() }).unwrap();
        copied(&from, &to, KEEP).unwrap();
        assert_eq!(rows_of(&to), rows_of(&from));
    }
}

#[test]
fn two_copies_into_one_database_do_not_mix() {
    let (from, to) = (furnished(Home::folder()), Home::database());
    let mut first = to.target().unwrap();
    first.begin(&blank_mark()).unwrap();
    let mut other = to.target().unwrap();
    other.begin(&Mark { source: "elsewhere".into(), ..blank_mark() }).unwrap();
    let rows = from.source().unwrap().page(Table::named("customers"), HERE, None).unwrap();
    let customers = Table::named("customers");
    for refusal in [
        first.add(customers, HERE, &rows, &blank_mark()).unwrap_err(),
        first.empty().unwrap_err(),
        first.finish(&[]).unwrap_err(),
    ] {
        assert!(refusal.to_string().contains("another copy into "), "{refusal}");
    }
    assert_eq!(other.accounts().unwrap(), []);
    other.add(customers, HERE, &rows, &blank_mark()).unwrap();
    other.finish(&[HERE]).unwrap();
    assert!(first.empty().is_err());
    assert_eq!(other.count(customers, HERE).unwrap(), rows.len() as u64);
}

// --- What is refused ---

#[test]
fn a_target_that_holds_something_is_replaced_only_when_told_to() {
    for to in Home::of_each_kind() {
        let (from, to) = (furnished(Home::folder()), furnished_with_extremes(to));
        let before = rows_of(&to);
        let refusal = refused(&from, &to, KEEP);
        assert!(refusal.contains("holds records already: --replace-everything removes all of them"), "{refusal}");
        assert_eq!(rows_of(&to), before);
        copied(&from, &to, REPLACE).unwrap();
        assert_eq!(rows_of(&to), rows_of(&from));
    }
}

#[test]
fn an_unfinished_copy_of_another_source_is_refused() {
    for to in Home::of_each_kind() {
        let (one, other) = (furnished(Home::folder()), furnished_with_extremes(Home::folder()));
        assert!(copy_pages(&one, &to, KEEP, 2).2.is_err());
        let refusal = refused(&other, &to, KEEP);
        let source = one.source().unwrap().place().to_owned();
        assert!(refusal.contains(&source) && refusal.contains("give --replace-everything to remove it"), "{refusal}");
        copied(&other, &to, REPLACE).unwrap();
        assert_eq!(rows_of(&to), rows_of(&other));
    }
}

#[test]
fn a_copy_onto_itself_is_refused_under_two_names_too() {
    let home = furnished(Home::database());
    let Home::Database(database) = &home else { unreachable!("it is a database") };
    let all = rows_of(&home);
    assert!(refused(&home, &home, REPLACE).contains("source and target are both database "));
    let other_name = database.url().replace("127.0.0.1", "localhost");
    assert_ne!(other_name, database.url());
    let settings = crate::settings::Database::new(other_name);
    let mut source = crate::store::postgres::PostgresRows::to_copy_from(&settings).unwrap();
    let refusal = copy(&mut source, home.target().unwrap().as_mut(), REPLACE, &mut |_| {}).unwrap_err().to_string();
    assert!(refusal.contains("source and target are both database "), "{refusal}");
    drop(source);
    assert_eq!(rows_of(&home), all);
    home.open().unwrap().close();
}

#[test]
fn a_folder_that_a_server_has_is_neither_source_nor_target() {
    let (used, other) = (furnished_with_extremes(Home::folder()), furnished_with_extremes(Home::folder()));
    let server = used.open().unwrap();
    for refusal in [refused(&used, &other, REPLACE), refused(&other, &used, REPLACE)] {
        assert!(refusal.contains("is in use by a cusp server or another copy"), "{refusal}");
    }
    server.close();
    let copying = used.source().unwrap();
    let refusal = used.open().err().expect("no server starts meanwhile").to_string();
    assert!(refusal.contains("is in use"), "{refusal}");
    drop(copying);
    used.open().unwrap().close();
}

#[test]
fn a_source_without_records_of_ours_is_refused() {
    for (from, reason) in [(Home::folder(), "cusp.db does not exist"), (Home::database(), "holds no records of cusp")] {
        assert!(refused(&from, &Home::folder(), KEEP).ends_with(reason));
    }
}

#[test]
fn an_older_or_newer_schema_is_refused_with_what_to_do() {
    for (from, sql, reason) in [
        (Home::folder(), "PRAGMA user_version = 0", "start this version's server on it once"),
        (Home::folder(), "PRAGMA user_version = 99", "has schema 99"),
        (Home::database(), "UPDATE migrations SET version = -1", "run `cusp migrate` on it"),
        (Home::database(), "UPDATE migrations SET version = 99", "has schema 99"),
    ] {
        let from = furnished_with_extremes(from);
        from.execute(sql);
        let refusal = refused(&from, &Home::folder(), KEEP);
        assert!(refusal.contains(reason), "{refusal}");
    }
}

// --- Which differences are found ---

#[test]
fn every_difference_is_found_and_told_by_account_and_table() {
    let from = furnished(Home::folder());
    for (sql, differences) in [
        (
            "UPDATE customers SET body = body || ' ' WHERE id = 'c7' AND account = -11",
            &[
                "account acct_1 in test mode (-11), customers: 1201 rows in the source and in the target, but not the same",
            ][..],
        ),
        (
            "UPDATE customers SET deleted = NOT deleted WHERE id = 'c7' AND account = -11",
            &["customers: 1201 rows in the source and"],
        ),
        ("DELETE FROM replies WHERE account = -11", &["(-11), replies: 1 rows in the source, 0 in the target"]),
        ("DELETE FROM api_keys WHERE account < -11", &["api_keys: 1 rows in the source, 0 in the target"]),
        ("INSERT INTO customer_terms VALUES (-11, 0, 0, '')", &["customer_terms: 2401 rows in the source, 2402 in"]),
        ("INSERT INTO accounts VALUES (5, '')", &["account 5, accounts: 0 rows in the source, 1 in the target"]),
        (
            "UPDATE events SET seq = seq + 10000; DELETE FROM accounts",
            &["(-11), accounts: 1", "(-11), events: 1201", "accounts: 1", "events: 1201"],
        ),
    ] {
        for to in Home::of_each_kind() {
            copied(&from, &to, KEEP).unwrap();
            to.execute(sql);
            let found = compare(from.source().unwrap().as_mut(), to.source().unwrap().as_mut(), &mut |_| {}).unwrap();
            assert_eq!(found.differences.len(), differences.len(), "{sql}: {found:?}");
            assert_eq!(found.difference_count, differences.len() as u64);
            for (found, expected) in found.differences.iter().zip(differences) {
                assert!(found.contains(expected), "{sql}: {found}");
            }
        }
    }
}

#[test]
fn a_copy_that_came_out_different_is_not_finished_and_begins_anew() {
    for to in Home::of_each_kind() {
        let from = furnished(Home::folder());
        assert!(copy_pages(&from, &to, KEEP, 6).2.is_err());
        to.execute("DELETE FROM customers WHERE id = 'c7'");
        let (begun, _, outcome) = copy_pages(&from, &to, KEEP, usize::MAX);
        assert!(begun > 0);
        assert_eq!(outcome.unwrap().difference_count, 1);
        assert!(to.open().is_err());
        let (begun, _, outcome) = copy_pages(&from, &to, KEEP, usize::MAX);
        assert_eq!((begun, outcome.unwrap().difference_count), (0, 0));
        assert_eq!(rows_of(&to), rows_of(&from));
    }
}
