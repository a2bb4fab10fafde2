//! What every store must do, as a list of checks. A store's own tests run all of them with `every_check!`; what only one
//! store can do is not here.

mod deliveries;
mod homes;
mod jobs;
mod lists;
mod records;
mod wholes;

pub use deliveries::*;
pub use homes::Home;
pub use jobs::*;
pub use lists::*;
pub use records::*;
pub use wholes::*;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crossbeam_channel::{Receiver, bounded, unbounded};

use super::{Failure, Job, Kept, KeptReply, Look, NewEvent, Read, Store, Tx, Verdict};
use crate::domain::account::{Account, Mode, Space};
use crate::domain::api_key::{ApiKey, KeyKind};
use crate::domain::balance::{BalanceReason, BalanceTransaction};
use crate::domain::card::{Brand, Card, CardFacts, Checks, Fingerprint, Funding, Reference};
use crate::domain::coupon::{Coupon, CouponDuration, Percent, Reduction};
use crate::domain::customer::Customer;
use crate::domain::event::{Cause, Change, Event, EventKind, Happening, Subject};
use crate::domain::ids::{
    AccountId, BalanceTransactionId, CouponId, CouponSerial, CustomerId, EventId, InstrumentId, RequestId,
    WebhookEndpointId,
};
use crate::domain::metadata::Metadata;
use crate::domain::money::Currency;
use crate::domain::object::{List, Object, ObjectKind};
use crate::domain::page::{BalancePage, Cursor, CustomerPage, EventPage, ObjectPage, Page, Place, Span};
use crate::domain::payment_method::BillingDetails;
use crate::domain::query::{Clause, Comparison, Field, Join, Query, Test};
use crate::domain::term::Mark;
use crate::domain::time::Time;
use crate::domain::unit::UnitSettings;
use crate::domain::webhook::{Salt, WebhookEndpoint};

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
            what_a_customer_holds_finds_it,
            balance_transactions_are_put_listed_and_replaced,
            events_are_numbered_in_each_account,
            events_are_listed_by_kind_and_span,
            spaces_do_not_see_each_other,
            replies_are_kept_replaced_and_pruned,
            objects_are_put_listed_replaced_and_removed,
            a_transaction_sees_the_objects_that_it_has_written,
            an_object_follows_a_removed_one_of_its_id,
            deliveries_are_put_and_replaced,
            pages_of_deliveries_are_what_a_plain_search_finds,
            what_is_due_comes_in_its_order,
            a_due_delivery_calls_its_queue,
            queues_are_found_by_who_may_work_on_them,
            open_deliveries_are_counted,
            events_are_listed_by_whether_they_were_delivered,
            what_is_to_be_sent_is_not_forgotten,
            endpoints_are_remembered_as_they_are,
            jobs_that_wait_together_hear_of_endpoints,
            the_newest_places_are_told,
            one_read_sees_one_state,
            a_glance_gives_what_a_read_gives,
            a_glance_sees_what_was_just_written,
            a_glance_keeps_to_its_space,
            a_glance_never_sees_what_was_undone,
            glances_never_go_back,
            a_transaction_finds_whom_others_have_just_made,
            a_transaction_reads_its_own_writes,
            a_refused_job_leaves_nothing,
            jobs_that_fail_do_not_touch_their_neighbours,
            a_failed_write_cannot_be_kept,
            a_panic_when_told_does_no_harm,
            concurrent_writers_lose_no_update,
            reopening_shows_the_same,
            a_closed_store_refuses_jobs,
            closing_finishes_what_is_queued,
            a_wiped_account_is_there_and_holds_nothing,
            a_copy_takes_the_place_of_what_was_there,
            a_copy_and_what_it_is_of_go_their_own_ways,
            a_copy_of_nothing_is_nothing,
            what_waits_to_be_sent_is_not_copied,
            an_account_is_changed_as_a_whole_or_not_at_all,
            a_copy_is_of_one_state,
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

/// Looks at one or two rows by key.
pub fn glance<T: Send + 'static>(store: &dyn Store, look: impl FnMut(&mut dyn Read) -> Kept<T> + Send + 'static) -> T {
    try_glance(store, look).expect("the store can be glanced at")
}

fn try_glance<T: Send + 'static>(
    store: &dyn Store,
    look: impl FnMut(&mut dyn Read) -> Kept<T> + Send + 'static,
) -> Kept<T> {
    let (told, hears) = bounded(1);
    store.glance(Box::new(Glance { look, seen: None, told }));
    hears.recv().expect("every look is told how it went")
}

struct Glance<F, T> {
    look: F,
    seen: Option<T>,
    told: crossbeam_channel::Sender<Kept<T>>,
}

impl<T: Send, F: FnMut(&mut dyn Read) -> Kept<T> + Send> Look for Glance<F, T> {
    fn look(&mut self, read: &mut dyn Read) -> Kept<()> {
        self.seen = Some((self.look)(read)?);
        Ok(())
    }

    fn finish(self: Box<Self>, outcome: Kept<()>) {
        let Glance { seen, told, look: _ } = *self;
        let _ = told.send(outcome.map(|()| seen.expect("a look that went well saw something")));
    }
}

/// Keeps the writer busy until the sender is dropped, so that the jobs queued meanwhile wait together.
pub fn hold(store: &Arc<dyn Store>) -> crossbeam_channel::Sender<()> {
    let (release, held) = bounded::<()>(0);
    let (started, starts) = bounded(1);
    let store = Arc::clone(store);
    // A store may run jobs on the threads that bring them.
    thread::spawn(move || {
        queue(&*store, move |tx| {
            // A store that writes for several accounts at a time does so here.
            tx.moment(HERE, Time(0))?;
            if !tx.rehearsal() {
                let _ = started.try_send(());
                let _ = held.recv();
            }
            Ok(Verdict::Commit)
        });
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

pub fn card(id: &str) -> Card {
    Card {
        id: InstrumentId(id.into()),
        created: Time(5),
        facts: CardFacts {
            brand: Brand::Visa,
            last4: "4242".into(),
            exp_month: 12,
            exp_year: 2030,
            country: None,
            funding: Funding::Credit,
            fingerprint: Fingerprint("print".into()),
            checks: Checks::default(),
            reference: Reference("visa".into()),
        },
        billing: BillingDetails::default(),
        allow_redisplay: None,
        metadata: Metadata::new(),
    }
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

/// The same by a glance.
fn spot(store: &dyn Store, space: Space, id: &str) -> Option<Customer> {
    let id = CustomerId(id.into());
    glance(store, move |read| read.customer(space, &id))
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
        fingerprint_key: None,
        snapshots: Vec::new(),
        unit: UnitSettings::default(),
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
pub fn coupon(id: &str, created: i64, deleted: Option<Time>) -> Coupon {
    let percent = Percent::of_hundredths(2_500).unwrap();
    Coupon {
        id: CouponId(id.into()),
        serial: CouponSerial(format!("coupon_{id}")),
        created: Time(created),
        deleted,
        name: None,
        reduction: Reduction::Percent { percent, currency: None },
        duration: CouponDuration::Once,
        max_redemptions: None,
        redeem_by: None,
        times_redeemed: 0,
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

/// A record of few facts.
pub fn webhook_endpoint(id: &str, created: i64) -> WebhookEndpoint {
    WebhookEndpoint {
        id: WebhookEndpointId(id.into()),
        created: Time(created),
        url: "https://example.com/hook".into(),
        enabled_events: vec!["*".into()],
        api_version: None,
        description: None,
        metadata: [].into(),
        enabled: true,
        salt: Salt([7; 32]),
        former: Vec::new(),
    }
}

fn append(store: &dyn Store, space: Space, id: &str, created: i64, what: Happening) -> i64 {
    let (send, receive) = unbounded();
    let id = EventId(id.into());
    write(store, move |tx| {
        let cause = Cause { request: Some(RequestId("req_1".into())), idempotency_key: None };
        let event = NewEvent { id: id.clone(), created: Time(created), cause: &cause, what: what.clone() };
        let _ = send.send(tx.append(space, event)?);
        Ok(())
    })
    .unwrap();
    // The last run counts.
    receive.try_iter().last().unwrap()
}

const CREATED: EventKind = EventKind::Change(Subject::Customer, Change::Created);
const UPDATED: EventKind = EventKind::Change(Subject::Customer, Change::Updated);
const DELETED: EventKind = EventKind::Change(Subject::Customer, Change::Deleted);

pub fn made(id: &str) -> Happening {
    Happening::CustomerCreated { after: Box::new(customer(id, 1)), beside: Vec::new() }
}

fn gone(id: &str) -> Happening {
    Happening::CustomerDeleted { before: Box::new(customer(id, 1)), beside: Vec::new() }
}

fn query(join: Join, tests: &[(bool, Test)]) -> Query {
    let clauses = tests.iter().map(|(negated, test)| Clause { negated: *negated, test: test.clone() }).collect();
    Query { join, clauses }
}

// --- Checks: single records ---
