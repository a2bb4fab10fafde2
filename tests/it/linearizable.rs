//! Callers of two servers change and read one customer at the same time, undisturbed and while everything is in their
//! way. What they were told has to be explained by one customer that does one thing after the other (`history`).

use std::collections::BTreeMap;
use std::iter;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::client::Client;
use crate::conflicts::raise_now_and_then;
use crate::dice::Dice;
use crate::fleet::{Peer, by_interloper, text, version};
use crate::followers::assert_sequence_has_no_gap;
use crate::history::{Action, Answer, Customer, Operation, judge};
use crate::http::Reply;
use crate::interloper::Interloper;
use crate::postgres::Database;

const KEY: &str = "sk_test_history";
const SEED: &str = "CUSP_HISTORY_SEED";
const CALLERS: u64 = 6;
/// How many things each caller does.
const OPERATIONS: usize = 40;
/// How long the server may take that is in a hurry.
const HURRY: Duration = Duration::from_millis(100);
/// How many requests may go without an answer before a history ends: each may have been done at any time or never, and
/// the more there are, the more orders there are to try.
const MAX_UNKNOWN: usize = 20;
/// How many keys of the metadata are written.
const NOTES: u64 = 4;

/// A clock that all callers share: each look at it is later than the one before.
#[derive(Default)]
struct Ticks(AtomicU64);

impl Ticks {
    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

/// One caller, and what it knows.
struct Caller<'a> {
    client: Client,
    path: &'a str,
    ticks: &'a Ticks,
    dice: Dice,
    name: String,
    /// The newest version that it was shown.
    version: u64,
}

impl Caller<'_> {
    fn think(&mut self, number: usize) -> Action {
        let unique = format!("{}-{number}", self.name);
        match self.dice.below(6) {
            0 | 1 => Action::Read,
            2 => Action::Name { name: unique, if_match: None },
            3 => Action::Name { name: unique, if_match: Some(self.version) },
            4 => Action::Note { key: format!("k{}", self.dice.below(NOTES)), value: unique },
            // So many amounts that each balance tells which of them are in it.
            _ => Action::Move(i64::try_from(self.dice.between(1, 900_000)).expect("it is small")),
        }
    }

    fn ask(&self, action: &Action) -> Reply {
        match action {
            Action::Read => self.client.get(self.path),
            Action::Name { name, if_match: None } => self.client.post(self.path, &format!("name={name}")),
            Action::Name { name, if_match: Some(tag) } => {
                let tag = format!("\"{tag}\"");
                self.client.exchange("POST", self.path, &format!("name={name}"), &[("If-Match", &tag)])
            }
            Action::Note { key, value } => self.client.post(self.path, &format!("metadata[{key}]={value}")),
            Action::Move(amount) => {
                let path = format!("{}/balance_transactions", self.path);
                self.client.post(&path, &format!("amount={amount}&currency=usd"))
            }
        }
    }

    /// Does one thing; `None` when nothing can have come of it.
    fn act(&mut self, number: usize) -> Option<Operation> {
        let action = self.think(number);
        let began = self.ticks.next();
        let reply = self.ask(&action);
        let ended = self.ticks.next();
        let answer = match (reply.status, &action) {
            (200, Action::Move(_)) => Answer::Moved(body(&reply)["ending_balance"].as_i64().expect("a balance")),
            (200, _) => {
                let shown = shown(&reply);
                self.version = shown.version;
                Answer::Shown(shown)
            }
            (412, Action::Name { if_match: Some(_), .. }) => Answer::Refused,
            // Others were at the customer for too long: a promise that nothing was done.
            (429, _) | (503, Action::Read) => return None,
            (503, _) => Answer::Unknown,
            _ => panic!("{action:?}: {} {}", reply.status, reply.text()),
        };
        Some(Operation { began, ended, action, answer })
    }
}

fn body(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).expect("replies are JSON")
}

fn shown(reply: &Reply) -> Customer {
    let object = body(reply);
    let metadata = object["metadata"].as_object().expect("a customer has metadata");
    let metadata: BTreeMap<String, String> =
        metadata.keys().map(|key| (key.clone(), text(&object["metadata"], key))).collect();
    let balance = object["balance"].as_i64().expect("a customer has a balance");
    Customer { version: version(reply), name: text(&object, "name"), balance, metadata }
}

/// Has callers of both servers write a history, while `disturb` does its worst, and judges it.
fn check(database: &Database, peers: &[Peer; 2], dice: &Dice, disturb: impl Fn(&AtomicBool) + Sync) {
    let ticks = Ticks::default();
    let client = peers[0].client(KEY);
    let path = format!("/v1/customers/{}", client.customer("name=Jenny"));
    let start = shown(&client.get(&path));
    let (over, unknown) = (AtomicBool::new(false), AtomicUsize::new(0));
    let mut history: Vec<Operation> = thread::scope(|scope| {
        let disturbing = scope.spawn(|| disturb(&over));
        let calling: Vec<_> = (0..CALLERS)
            .map(|number| {
                let mut caller = Caller {
                    client: peers[number as usize % 2].client(KEY),
                    path: &path,
                    ticks: &ticks,
                    dice: dice.for_number(number),
                    name: number.to_string(),
                    version: start.version,
                };
                let unknown = &unknown;
                scope.spawn(move || {
                    let numbers = (0..OPERATIONS).take_while(|_| unknown.load(Ordering::SeqCst) < MAX_UNKNOWN);
                    let count = |operation: &Operation| {
                        let more = usize::from(operation.answer == Answer::Unknown);
                        unknown.fetch_add(more, Ordering::SeqCst);
                    };
                    numbers.filter_map(|number| caller.act(number)).inspect(count).collect::<Vec<_>>()
                })
            })
            .collect();
        let outcomes: Vec<_> = calling.into_iter().map(|calling| calling.join()).collect();
        over.store(true, Ordering::SeqCst);
        disturbing.join().expect("disturbing ends without panic");
        outcomes.into_iter().flat_map(|outcome| outcome.expect("a caller ends without panic")).collect()
    });
    for peer in peers {
        let began = ticks.next();
        let ask = || Some(peer.client(KEY).get(&path)).filter(|reply| reply.status == 200);
        let reply = iter::repeat_with(ask).flatten().next().expect("it is asked until it answers");
        let ended = ticks.next();
        history.push(Operation { began, ended, action: Action::Read, answer: Answer::Shown(shown(&reply)) });
    }
    println!("{} operations, {} of them without an answer", history.len(), unknown.into_inner());
    let states = judge(&start, &history).unwrap_or_else(|trouble| panic!("{trouble}"));
    println!("an order was found among {states} states");
    assert_sequence_has_no_gap(database);
}

/// Cuts connections at random, any of them or those that commit.
fn cut(interlopers: &[Interloper; 2], dice: &Dice, over: &AtomicBool) {
    let mut dice = dice.for_number(CALLERS);
    while !over.load(Ordering::SeqCst) {
        let interloper = &interlopers[dice.below(2) as usize];
        match dice.below(4) {
            0 => interloper.cut_all(),
            1 => interloper.cut_before_commit(dice.between(1, 3)),
            _ => interloper.cut_after_commit(dice.between(1, 3)),
        }
        // Not to wait for anything: the moment of the next cut is what chance decides.
        thread::sleep(Duration::from_millis(dice.between(5, 40)));
    }
}

fn sum(peers: &[Peer; 2], figure: &str) -> f64 {
    peers.iter().map(|peer| peer.figure(figure)).sum()
}

#[test]
fn two_servers_are_one_customer() {
    let database = Database::fresh();
    let peers = Peer::pair(&database);
    check(&database, &peers, &Dice::of_the_run(SEED), |_| {});
}

#[test]
fn two_servers_are_one_customer_when_transactions_conflict() {
    let database = Database::fresh();
    let peers = Peer::pair(&database);
    raise_now_and_then(&database);
    check(&database, &peers, &Dice::of_the_run(SEED), |_| {});
    assert!(sum(&peers, "cusp_store_conflicts_total") >= 5.0);
}

#[test]
fn two_servers_are_one_customer_when_connections_break_and_transactions_conflict() {
    let database = Database::fresh();
    let (interlopers, peers) = {
        let [(one, at_one), (other, at_other)] = [by_interloper(&database), by_interloper(&database)];
        ([one, other], [Peer::start(at_one), Peer::in_a_hurry(at_other, HURRY)])
    };
    raise_now_and_then(&database);
    let dice = Dice::of_the_run(SEED);
    check(&database, &peers, &dice, |over| cut(&interlopers, &dice, over));
    let (lost, doubts) = (sum(&peers, "cusp_store_lost_total"), sum(&peers, "cusp_store_doubts_total"));
    println!("{lost} transactions lost, {doubts} commits in doubt");
    assert!(lost >= 1.0 && doubts >= 1.0, "{lost} transactions lost, {doubts} commits in doubt");
}
