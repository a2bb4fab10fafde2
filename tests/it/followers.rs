//! Who follows a list while two servers write to it sees every item once and in its final order: pollers from the newest
//! side, and pagers from the newest item to the oldest.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use cusp::clock::Clock;
use cusp::domain::time::Time;
use serde_json::Value;

use crate::client::{Client, json};
use crate::fleet::{Peer, everything, text};
use crate::harness::NOON_MILLIS;
use crate::postgres::Database;

const KEY: &str = "sk_test_follow";
/// How many customers each writer makes.
const CUSTOMERS: usize = 40;
/// How many items a page has; few, so that pages end amid what is being written.
const PAGE: usize = 3;

fn ids(page: &Value) -> Vec<String> {
    page["data"].as_array().expect("a list has data").iter().map(|item| text(item, "id")).collect()
}

/// Somebody who asks again and again for what is newer than the newest it knows.
struct Poller<'a> {
    client: Client,
    list: &'a str,
    /// What it has seen, oldest first; the first item was there before it came.
    seen: Vec<String>,
}

impl<'a> Poller<'a> {
    fn new(client: Client, list: &'a str) -> Poller<'a> {
        let newest = ids(&json(&client.get(&format!("{list}?limit=1"))));
        Poller { client, list, seen: newest }
    }

    /// Asks once; `false` when there was nothing.
    fn poll(&mut self) -> bool {
        let newest = self.seen.last().expect("it began with one");
        let page = json(&self.client.get(&format!("{}?limit={PAGE}&ending_before={newest}", self.list)));
        let new = ids(&page);
        self.seen.extend(new.iter().rev().cloned());
        !new.is_empty()
    }
}

/// One walk from the newest item to the oldest.
fn walk(client: &Client, list: &str) -> Vec<String> {
    let mut seen = ids(&json(&client.get(&format!("{list}?limit={PAGE}"))));
    loop {
        let last = seen.last().expect("the list is not empty");
        let page = ids(&json(&client.get(&format!("{list}?limit={PAGE}&starting_after={last}"))));
        if page.is_empty() {
            return seen;
        }
        seen.extend(page);
    }
}

/// Makes and changes customers, and has refusals kept, which write without telling an event.
fn write(client: &Client, writer: usize) {
    for number in 0..CUSTOMERS {
        let id = client.customer(&format!("name={writer}+{number}"));
        let key = format!("{writer}-{number}");
        let refused = client.exchange("POST", "/v1/customers/cus_none", "name=x", &[("Idempotency-Key", key.as_str())]);
        assert_eq!(refused.status, 404, "{}", refused.text());
        if number % 3 == 0 {
            json(&client.post(&format!("/v1/customers/{id}"), "name=Changed"));
        }
    }
}

#[test]
fn followers_see_everything_once_and_in_its_final_order() {
    let database = Database::fresh();
    let peers = Peer::pair(&database);
    peers[0].client(KEY).customer("name=First");
    let written = AtomicBool::new(false);
    let lists = ["/v1/events", "/v1/customers"];

    let (polled, walked) = thread::scope(|scope| {
        let mut polling = Vec::new();
        let mut walking = Vec::new();
        for (list, peer) in lists.into_iter().flat_map(|list| peers.iter().map(move |peer| (list, peer))) {
            let written = &written;
            let mut poller = Poller::new(peer.client(KEY), list);
            polling.push(scope.spawn(move || {
                while !written.load(Ordering::SeqCst) || poller.poll() {
                    poller.poll();
                }
                (list, poller.seen)
            }));
            walking.push(scope.spawn(move || {
                let client = peer.client(KEY);
                let mut walks = Vec::new();
                while !written.load(Ordering::SeqCst) {
                    walks.push((list, walk(&client, list)));
                }
                walks
            }));
        }
        let writing: Vec<_> = (0..4)
            .map(|writer| {
                let client = peers[writer % 2].client(KEY);
                scope.spawn(move || write(&client, writer))
            })
            .collect();
        let outcomes: Vec<_> = writing.into_iter().map(|writing| writing.join()).collect();
        written.store(true, Ordering::SeqCst);
        outcomes.into_iter().for_each(|outcome| outcome.expect("a writer ends without panic"));
        let polled: Vec<_> = polling.into_iter().map(|polling| polling.join().unwrap()).collect();
        let walked: Vec<_> = walking.into_iter().flat_map(|walking| walking.join().unwrap()).collect();
        (polled, walked)
    });

    let last = |list| -> Vec<String> {
        everything(&peers[0].client(KEY), list).iter().rev().map(|item| text(item, "id")).collect()
    };
    let lists: HashMap<&str, Vec<String>> = lists.into_iter().map(|list| (list, last(list))).collect();
    assert_eq!(lists["/v1/customers"].len(), 1 + 4 * CUSTOMERS);
    assert_eq!(polled.len(), 4);
    for (list, seen) in polled {
        assert_eq!(seen, lists[list], "a poller of {list}");
    }
    assert!(walked.len() >= 4);
    for (list, seen) in walked {
        let oldest_first: Vec<String> = seen.into_iter().rev().collect();
        assert_eq!(oldest_first, lists[list][..oldest_first.len()], "a walk along {list}");
    }
    assert_sequence_has_no_gap(&database);
}

/// The events of each account are numbered from one, without gap, and the head knows the last.
pub fn assert_sequence_has_no_gap(database: &Database) {
    let sql = "select count(*) from cusp.heads as h where h.seq <> (select count(*) from cusp.events as e \
               where e.account = h.account) or h.seq <> coalesce((select max(seq) from cusp.events as e \
               where e.account = h.account), 0)";
    assert_eq!(database.query(sql), [[Some("0".to_owned())]]);
}

/// Clocks that stand still, one of them ahead: whatever the two servers do one after the other, each customer comes in
/// the list behind those made before it.
#[test]
fn the_order_of_lists_does_not_hang_on_clocks() {
    for ahead in [0, 1, 5_000] {
        let database = Database::fresh();
        let at = |millis| {
            let clock = Clock::stopped(Time(NOON_MILLIS + millis));
            Peer::at(clock, cusp::settings::Database::new(database.url())).expect("the server starts")
        };
        let peers = [at(0), at(ahead)];
        let clients = [peers[0].client(KEY), peers[1].client(KEY)];
        let mut made = vec![clients[1].customer("name=First")];
        let mut poller = Poller::new(clients[0].clone(), "/v1/customers");
        for (step, turn) in [1, 0, 1, 1, 0, 0, 1, 0].into_iter().cycle().take(40).enumerate() {
            // A refusal that is kept writes to the account and tells no event.
            if step % 3 == 0 {
                let keyed = [("Idempotency-Key", format!("refused-{step}"))];
                let keyed = [(keyed[0].0, keyed[0].1.as_str())];
                let refused = clients[turn].exchange("POST", "/v1/customers/cus_none", "name=x", &keyed);
                assert_eq!(refused.status, 404, "{}", refused.text());
            }
            made.push(clients[turn].customer("name=Next"));
            poller.poll();
            assert_eq!(poller.seen, made, "clocks {ahead} ms apart, step {step}");
        }
    }
}

/// A group of changes takes as little of the future as it needs: what is made now is not dated hours ahead because two
/// servers took turns.
#[test]
fn taking_turns_does_not_run_ahead_of_the_clock() {
    let database = Database::fresh();
    let stopped = |millis| {
        let clock = Clock::stopped(Time(NOON_MILLIS + millis));
        Peer::at(clock, cusp::settings::Database::new(database.url())).expect("the server starts")
    };
    let peers = [stopped(0), stopped(0)];
    thread::scope(|scope| {
        for caller in 0..32 {
            let client = peers[caller % 2].client(KEY);
            scope.spawn(move || (0..6).for_each(|_| drop(client.customer("name=Jenny"))));
        }
    });
    let moment = database.query("select moment from cusp.heads where seq > 0")[0][0].clone().expect("a moment");
    let ahead = moment.parse::<i64>().expect("a moment is a number") - NOON_MILLIS;
    let commits: f64 = peers.iter().map(|peer| peer.figure("cusp_store_commits_total")).sum();
    // At most one millisecond for each time that the other server takes over, however many changes it makes then.
    assert!(ahead as f64 <= commits, "{ahead} ms ahead after {commits} commits");
    println!("{ahead} ms ahead after {commits} commits");
}
