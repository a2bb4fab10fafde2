//! What every store must do, as a list of checks. A store's own tests run all of them with `every_check!`; what only one
//! store can do is not here.

use std::sync::Arc;
use std::thread;

use crossbeam_channel::{Receiver, bounded};

use super::{Failure, Job, Kept, KeptReply, NewEvent, Read, Store, Tx, Verdict};
use crate::domain::account::{Account, Mode, Space};
use crate::domain::api_key::{ApiKey, KeyKind};
use crate::domain::balance::{BalanceReason, BalanceTransaction};
use crate::domain::customer::Customer;
use crate::domain::event::{Cause, Event, EventKind, Happening};
use crate::domain::ids::{AccountId, BalanceTransactionId, CustomerId, EventId, RequestId};
use crate::domain::money::Currency;
use crate::domain::page::{BalancePage, Cursor, CustomerPage, EventPage, Page, Place, Span};
use crate::domain::query::{Clause, Comparison, Field, Join, Query, Test};
use crate::domain::time::Time;

/// A store to be checked, empty at first.
pub struct Bench {
    /// The store.
    pub store: Arc<dyn Store>,
    /// Closes the store and opens the same records again.
    pub reopen: Box<dyn Fn() -> Arc<dyn Store>>,
}

/// Makes a test of every check; `$make` gives a new [`Bench`].
macro_rules! every_check {
    ($make:path) => {
        crate::store::suite::every_check!($make;
            accounts_are_put_replaced_and_listed,
            api_keys_are_put_replaced_and_listed,
            customers_are_put_and_replaced,
            a_customer_is_made_once,
            a_customer_that_is_not_there_cannot_be_replaced,
            pages_hold_each_customer_once_in_both_directions,
            a_page_nearest_to_its_cursor_comes_first,
            lists_keep_to_a_span,
            lists_by_email_are_exact,
            deleted_customers_are_not_listed,
            searches_by_a_term_find_what_a_scan_finds,
            searches_go_on_behind_a_place,
            counts_stop_at_their_limit,
            terms_follow_updates_and_deletion,
            an_invoice_prefix_stays_taken,
            balance_transactions_are_put_listed_and_replaced,
            events_are_numbered_in_each_account,
            events_are_listed_by_kind_and_span,
            spaces_do_not_see_each_other,
            replies_are_kept_replaced_and_pruned,
            one_read_sees_one_state,
            a_transaction_reads_its_own_writes,
            a_refused_job_leaves_nothing,
            jobs_that_fail_do_not_touch_their_neighbours,
            a_failed_write_cannot_be_kept,
            a_panic_when_told_does_no_harm,
            concurrent_writers_lose_no_update,
            reopening_shows_the_same,
            a_closed_store_refuses_jobs,
            closing_finishes_what_is_queued,
        );
    };
    ($make:path; $($name:ident,)*) => {
        $(
            #[test]
            fn $name() {
                crate::store::suite::$name(&$make());
            }
        )*
    };
}
pub(crate) use every_check;

const HERE: Space = Space(11);
const THERE: Space = Space(12);

// --- Jobs ---

/// A job made of a closure; the receiver is told how it went.
pub struct Work<F> {
    /// What it does.
    pub work: F,
    /// Who is told.
    pub told: crossbeam_channel::Sender<Kept<()>>,
}

impl<F: FnMut(&mut dyn Tx) -> Kept<Verdict> + Send> Job for Work<F> {
    fn run(&mut self, tx: &mut dyn Tx) -> Kept<Verdict> {
        (self.work)(tx)
    }

    fn finish(self: Box<Self>, outcome: Kept<()>) {
        // Nobody listens to some jobs.
        let _ = self.told.send(outcome);
    }
}

/// Queues a job; what it says is received when it is told.
pub fn queue(store: &dyn Store, work: impl FnMut(&mut dyn Tx) -> Kept<Verdict> + Send + 'static) -> Receiver<Kept<()>> {
    let (told, hears) = bounded(1);
    store.write(Box::new(Work { work, told }));
    hears
}

/// Runs a job that is to be kept.
pub fn write(store: &dyn Store, mut work: impl FnMut(&mut dyn Tx) -> Kept<()> + Send + 'static) -> Kept<()> {
    queue(store, move |tx| work(tx).map(|()| Verdict::Commit)).recv().expect("every job is told how it went")
}

/// Looks at one state.
pub fn look<T>(store: &dyn Store, mut look: impl FnMut(&mut dyn Read) -> Kept<T>) -> T {
    let mut seen = None;
    store
        .read(&mut |read| {
            seen = Some(look(read)?);
            Ok(())
        })
        .expect("the store can be read");
    seen.expect("looking gave something")
}

/// Keeps the writer busy until the sender is dropped, so that the jobs queued meanwhile wait together.
fn hold(store: &dyn Store) -> crossbeam_channel::Sender<()> {
    let (release, held) = bounded::<()>(0);
    let (started, starts) = bounded(1);
    queue(store, move |_| {
        let _ = started.try_send(());
        let _ = held.recv();
        Ok(Verdict::Commit)
    });
    starts.recv().expect("the job is run");
    release
}

// --- Records ---

/// A customer of few facts.
pub fn customer(id: &str, created: i64) -> Customer {
    let mut customer = Customer::blank(CustomerId(id.into()), format!("PRE{}", id.to_uppercase()), Time(created));
    customer.email = Some(format!("{id}@example.com"));
    customer
}

fn place(customer: &Customer) -> Place {
    Place { created: customer.created, id: customer.id.0.clone() }
}

fn ids(page: &Page<Customer>) -> Vec<&str> {
    page.items.iter().map(|customer| customer.id.as_str()).collect()
}

fn put(store: &dyn Store, space: Space, customers: &[Customer]) {
    let customers = customers.to_vec();
    write(store, move |tx| customers.iter().try_for_each(|customer| tx.put_customer(space, None, customer))).unwrap();
}

fn replace(store: &dyn Store, before: &Customer, after: &Customer) {
    let (before, after) = (before.clone(), after.clone());
    write(store, move |tx| tx.put_customer(HERE, Some(&before), &after)).unwrap();
}

fn list(store: &dyn Store, page: &CustomerPage) -> Page<Customer> {
    look(store, |read| read.customers(HERE, page))
}

fn fetch(store: &dyn Store, space: Space, id: &str) -> Option<Customer> {
    look(store, |read| read.customer(space, &CustomerId(id.into())))
}

/// A record of few facts.
pub fn account(space: Space, id: &str, mode: Mode) -> Account {
    Account {
        space,
        other_space: Space(!space.0),
        id: AccountId(id.into()),
        parent: None,
        mode,
        created: Time(1),
        display_name: None,
        default_currency: Currency::parse("usd").unwrap(),
        country: "US".into(),
        api_version: "2025-01-27.acacia".into(),
    }
}

/// A record of few facts.
pub fn api_key(digest: u8, created: i64) -> ApiKey {
    ApiKey {
        digest: [digest; 32],
        account: AccountId("acct_1".into()),
        mode: Mode::Test,
        kind: KeyKind::Secret,
        label: None,
        last4: "abcd".into(),
        created: Time(created),
        revoked: None,
    }
}

/// A record of few facts.
pub fn balance_transaction(id: &str, customer: &str, created: i64) -> BalanceTransaction {
    BalanceTransaction {
        id: BalanceTransactionId(id.into()),
        customer: CustomerId(customer.into()),
        created: Time(created),
        amount: 5,
        currency: Currency::parse("usd").unwrap(),
        ending_balance: 5,
        reason: BalanceReason::Adjustment,
        description: None,
        metadata: [].into(),
    }
}

/// A record of few facts.
pub fn reply(key: &str, created: i64) -> KeptReply {
    KeptReply {
        key: key.into(),
        endpoint: "POST /v1/customers".into(),
        parameters: [9; 32],
        request: RequestId("req_1".into()),
        created: Time(created),
        status: 200,
        headers: vec![("content-type".into(), "application/json".into())],
        body: vec![0, 159, 146, 150],
    }
}

fn append(store: &dyn Store, space: Space, id: &str, created: i64, what: Happening) -> i64 {
    let (send, receive) = bounded(1);
    let id = EventId(id.into());
    write(store, move |tx| {
        let cause = Cause { request: Some(RequestId("req_1".into())), idempotency_key: None };
        let event = NewEvent { id: id.clone(), created: Time(created), cause: &cause, what: what.clone() };
        let _ = send.send(tx.append(space, event)?);
        Ok(())
    })
    .unwrap();
    receive.recv().unwrap()
}

fn made(id: &str) -> Happening {
    Happening::CustomerCreated { after: Box::new(customer(id, 1)) }
}

fn gone(id: &str) -> Happening {
    Happening::CustomerDeleted { before: Box::new(customer(id, 1)) }
}

fn query(join: Join, tests: &[(bool, Test)]) -> Query {
    let clauses = tests.iter().map(|(negated, test)| Clause { negated: *negated, test: test.clone() }).collect();
    Query { join, clauses }
}

// --- Checks: single records ---

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

/// Seven customers of which several were made at the same moment.
fn crowd() -> Vec<Customer> {
    [("a", 1), ("b", 2), ("c", 2), ("d", 2), ("e", 3), ("f", 3), ("g", 4)].map(|(id, at)| customer(id, at)).into()
}

pub fn pages_hold_each_customer_once_in_both_directions(bench: &Bench) {
    let store = &*bench.store;
    let crowd = crowd();
    put(store, HERE, &crowd);
    for limit in 1..=8 {
        let mut down = Vec::new();
        let mut cursor = Cursor::Newest;
        loop {
            let page = list(store, &CustomerPage { cursor, limit, ..CustomerPage::default() });
            assert!(page.items.len() == limit || !page.has_more);
            down.extend(page.items.clone());
            if !page.has_more {
                break;
            }
            cursor = Cursor::OlderThan(place(page.items.last().unwrap()));
        }
        let mut newest_first = crowd.clone();
        newest_first.reverse();
        assert_eq!(down, newest_first, "down by {limit}");

        let mut up = vec![crowd[0].clone()];
        loop {
            let cursor = Cursor::NewerThan(place(up.last().unwrap()));
            let page = list(store, &CustomerPage { cursor, limit, ..CustomerPage::default() });
            up.extend(page.items.iter().rev().cloned());
            if !page.has_more {
                break;
            }
        }
        assert_eq!(up, crowd, "up by {limit}");
    }
}

pub fn a_page_nearest_to_its_cursor_comes_first(bench: &Bench) {
    let store = &*bench.store;
    let crowd = crowd();
    put(store, HERE, &crowd);
    let newer =
        |of: &Customer| CustomerPage { cursor: Cursor::NewerThan(place(of)), limit: 2, ..CustomerPage::default() };
    let page = list(store, &newer(&crowd[2]));
    assert_eq!((ids(&page), page.has_more), (vec!["e", "d"], true));
    let page = list(store, &newer(&crowd[4]));
    assert_eq!((ids(&page), page.has_more), (vec!["g", "f"], false));
    assert_eq!(list(store, &newer(&crowd[6])), Page { items: vec![], has_more: false });
}

pub fn lists_keep_to_a_span(bench: &Bench) {
    let store = &*bench.store;
    put(store, HERE, &crowd());
    let within = |from: Option<i64>, until: Option<i64>, cursor: Cursor<Place>| CustomerPage {
        created: Span { from: from.map(Time), until: until.map(Time) },
        cursor,
        limit: 9,
        ..CustomerPage::default()
    };
    let at = |created: i64, id: &str| Place { created: Time(created), id: id.into() };
    assert_eq!(ids(&list(store, &within(Some(2), Some(3), Cursor::Newest))), ["d", "c", "b"]);
    assert_eq!(ids(&list(store, &within(Some(3), None, Cursor::Newest))), ["g", "f", "e"]);
    assert_eq!(ids(&list(store, &within(None, Some(2), Cursor::Newest))), ["a"]);
    assert_eq!(ids(&list(store, &within(Some(2), Some(4), Cursor::OlderThan(at(3, "f"))))), ["e", "d", "c", "b"]);
    assert_eq!(ids(&list(store, &within(Some(2), Some(4), Cursor::NewerThan(at(1, "a"))))), ["f", "e", "d", "c", "b"]);
    assert_eq!(ids(&list(store, &within(Some(4), Some(2), Cursor::Newest))), [""; 0]);
}

pub fn lists_by_email_are_exact(bench: &Bench) {
    let store = &*bench.store;
    let mut crowd = crowd();
    for (customer, email) in crowd.iter_mut().zip(["j@x.com", "J@x.com", "j@x.com", "j@x.co", "j@x.com", "", "j@x.com"])
    {
        customer.email = (!email.is_empty()).then(|| email.to_owned());
    }
    put(store, HERE, &crowd);
    let of = |cursor, limit| CustomerPage { email: Some("j@x.com".into()), cursor, limit, ..CustomerPage::default() };
    let page = list(store, &of(Cursor::Newest, 3));
    assert_eq!((ids(&page), page.has_more), (vec!["g", "e", "c"], true));
    let page = list(store, &of(Cursor::OlderThan(place(&crowd[2])), 3));
    assert_eq!((ids(&page), page.has_more), (vec!["a"], false));
    let page = list(store, &of(Cursor::NewerThan(place(&crowd[0])), 2));
    assert_eq!((ids(&page), page.has_more), (vec!["e", "c"], true));
    let narrowed =
        CustomerPage { created: Span { from: Some(Time(2)), until: Some(Time(4)) }, ..of(Cursor::Newest, 9) };
    assert_eq!(ids(&list(store, &narrowed)), ["e", "c"]);
}

pub fn deleted_customers_are_not_listed(bench: &Bench) {
    let store = &*bench.store;
    let crowd = crowd();
    put(store, HERE, &crowd);
    let tombstone = crowd[3].tombstone(Time(9));
    replace(store, &crowd[3], &tombstone);
    let all = list(store, &CustomerPage { limit: 9, ..CustomerPage::default() });
    assert_eq!(ids(&all), ["g", "f", "e", "c", "b", "a"]);
    let by_email = CustomerPage { email: crowd[3].email.clone(), limit: 9, ..CustomerPage::default() };
    assert_eq!(ids(&list(store, &by_email)), [""; 0]);
    assert_eq!(fetch(store, HERE, "d"), Some(tombstone));
    let anyone =
        query(Join::All, &[(true, Test::Missing(Field::Metadata("x".into()))), (false, Test::Missing(Field::Name))]);
    assert_eq!(look(store, |read| read.count(HERE, &anyone, 99)), 0);
}

// --- Checks: searches ---

/// Forty customers whose words overlap.
fn town() -> Vec<Customer> {
    (0..40)
        .map(|number: i64| {
            let mut citizen = customer(&format!("c{number:02}"), 1_000 * (number / 3));
            citizen.name = (number % 4 != 0).then(|| ["Ann", "ANN", "Änne", "Bob"][(number % 4) as usize].to_owned());
            citizen.phone = (number % 5 == 0).then(|| "+1555".to_owned());
            citizen.metadata =
                [("tier".to_owned(), ["gold", "Gold", "silver"][(number % 3) as usize].to_owned())].into();
            if number % 7 == 0 {
                citizen.metadata.insert("vip".into(), String::new());
            }
            citizen
        })
        .collect()
}

pub fn searches_by_a_term_find_what_a_scan_finds(bench: &Bench) {
    let store = &*bench.store;
    let mut town = town();
    put(store, HERE, &town);
    put(store, THERE, &town);
    let tombstone = town[8].tombstone(Time(99_000));
    replace(store, &town[8], &tombstone);
    town.remove(8);
    town.reverse();

    let equals = |field: Field, word: &str| Test::Equals(field, word.into());
    let tier = |word: &str| equals(Field::Metadata("tier".into()), word);
    let queries = [
        query(Join::All, &[(false, equals(Field::Name, "ann"))]),
        query(Join::All, &[(true, equals(Field::Name, "ann"))]),
        query(Join::All, &[(false, equals(Field::Name, "änne")), (false, tier("GOLD"))]),
        query(Join::Any, &[(false, equals(Field::Name, "bob")), (false, equals(Field::Phone, "+1555"))]),
        query(Join::Any, &[(false, tier("gold")), (false, tier("gold")), (false, tier("silver"))]),
        query(Join::Any, &[(false, tier("gold")), (false, Test::Contains(Field::Email, "C0".into()))]),
        query(Join::All, &[(true, Test::Missing(Field::Metadata("vip".into())))]),
        query(Join::All, &[(false, Test::Missing(Field::Phone)), (false, Test::Contains(Field::Name, "n".into()))]),
        query(
            Join::All,
            &[(false, Test::Created(Comparison::AtLeast, 3)), (false, Test::Created(Comparison::Less, 7))],
        ),
        query(
            Join::All,
            &[(false, Test::Created(Comparison::Greater, 3)), (false, Test::Created(Comparison::AtMost, 7))],
        ),
        query(Join::All, &[(false, Test::Created(Comparison::Equal, 4)), (false, tier("silver"))]),
        query(Join::All, &[(true, Test::Created(Comparison::Equal, 4)), (false, tier("silver"))]),
        query(Join::Any, &[(false, Test::Created(Comparison::Equal, 4)), (false, tier("silver"))]),
        query(Join::All, &[(false, equals(Field::Email, "NOBODY@example.com"))]),
    ];
    for query in &queries {
        let expected: Vec<Customer> = town.iter().filter(|customer| query.matches(customer)).cloned().collect();
        let found = look(store, |read| read.search(HERE, query, None, 99));
        assert_eq!(found, Page { items: expected.clone(), has_more: false }, "{query:?}");
        assert_eq!(look(store, |read| read.count(HERE, query, 99)), expected.len(), "{query:?}");
    }
}

pub fn searches_go_on_behind_a_place(bench: &Bench) {
    let store = &*bench.store;
    let mut town = town();
    put(store, HERE, &town);
    town.reverse();
    let word = |word: &str| (false, Test::Equals(Field::Name, word.into()));
    let scan = query(Join::All, &[(false, Test::Contains(Field::Name, "n".into()))]);
    for query in [query(Join::Any, &[word("ann"), word("bob")]), query(Join::All, &[word("ann")]), scan] {
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let page = look(store, |read| read.search(HERE, &query, after.as_ref(), 3));
            found.extend(page.items);
            if !page.has_more {
                break;
            }
            after = found.last().map(place);
        }
        let expected: Vec<Customer> = town.iter().filter(|customer| query.matches(customer)).cloned().collect();
        assert_eq!(found, expected, "{query:?}");
    }
}

pub fn counts_stop_at_their_limit(bench: &Bench) {
    let store = &*bench.store;
    put(store, HERE, &town());
    let everyone = query(Join::All, &[(true, Test::Missing(Field::Email))]);
    for (most, counted) in [(0, 0), (1, 1), (39, 39), (40, 40), (41, 40)] {
        assert_eq!(look(store, |read| read.count(HERE, &everyone, most)), counted);
    }
}

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
    let holder = |prefix: &str| look(store, |read| read.invoice_prefix_holder(HERE, prefix)).map(|id| id.0);
    let before = customer("a", 5);
    put(store, HERE, std::slice::from_ref(&before));
    assert_eq!(holder("PREA").as_deref(), Some("a"));
    assert_eq!(look(store, |read| read.invoice_prefix_holder(THERE, "PREA")), None);

    let changed = Customer { invoice_prefix: "OTHER".into(), ..before.clone() };
    replace(store, &before, &changed);
    assert_eq!((holder("PREA"), holder("OTHER").as_deref()), (None, Some("a")));

    replace(store, &changed, &changed.tombstone(Time(9)));
    assert_eq!(holder("OTHER").as_deref(), Some("a"));
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
        let page = BalancePage { customer: CustomerId("a".into()), cursor, limit };
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
    assert_eq!(list(EventPage { kinds: kinds(&[EventKind::CustomerDeleted]), ..page(9) }), (vec![4, 2], false));
    assert_eq!(list(EventPage { kinds: kinds(&[EventKind::CustomerUpdated]), ..page(9) }), (vec![], false));
    assert_eq!(list(EventPage { kinds: kinds(&[]), ..page(9) }), (vec![], false));
    let both = kinds(&[EventKind::CustomerDeleted, EventKind::CustomerCreated, EventKind::CustomerDeleted]);
    assert_eq!(list(EventPage { kinds: both, ..page(3) }), (vec![5, 4, 3], true));
    let created = Span { from: Some(Time(15)), until: Some(Time(30)) };
    assert_eq!(list(EventPage { created, ..page(9) }), (vec![3, 2], false));
    assert_eq!(list(EventPage { created, cursor: Cursor::NewerThan(2), ..page(9) }), (vec![3], false));
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
    let prune = |before: i64, most: usize| {
        let (send, receive) = bounded(1);
        write(store, move |tx| {
            let _ = send.send(tx.prune_replies(Time(before), most)?);
            Ok(())
        })
        .unwrap();
        receive.recv().unwrap()
    };
    assert_eq!(look(store, |read| read.reply(HERE, "a")), Some(newest.clone()));
    assert_eq!(look(store, |read| read.reply(HERE, "b")), Some(reply("b", 20)));
    assert_eq!((prune(20, 1), prune(20, 9), prune(20, 9), prune(21, 9)), (1, 1, 0, 1));
    assert_eq!(look(store, |read| read.reply(HERE, "a")), Some(newest));
    assert_eq!(look(store, |read| read.reply(HERE, "b")), None);
    assert_eq!(look(store, |read| read.reply(THERE, "a")), None);
}

// --- Checks: transactions ---

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
