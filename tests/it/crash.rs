//! SIGKILL under load, over and over on one data folder. What was acknowledged is there; what was not is there whole or
//! not at all; and sending a request in doubt again with its idempotency key settles it exactly once.
//!
//! These rounds need the real clock: the moment of the kill is what is tested. The seed decides what is written and
//! when the kill comes, not how the threads run; it is printed so that a failure can be tried again.

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::time::Duration;

use serde_json::Value;

use crate::connection::{Connection, form, json, percent_encoded};
use crate::dice::Dice;
use crate::http::Reply;
use crate::program_server::{ProgramServer, cusp};

/// How many kills, when `CUSP_CRASH_ROUNDS` does not ask for more.
const ROUNDS: u64 = 50;
/// How many clients write at a time.
const WRITERS: usize = 6;
/// How many customers each of them has to itself.
const OWN_CUSTOMERS: usize = 3;
/// How long the load runs before the kill, in milliseconds: from, to.
const LOAD_MILLIS: (u64, u64) = (10, 150);

const KEY: &str = "sk_test_crash";

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let rounds = from_environment("CUSP_CRASH_ROUNDS").unwrap_or(ROUNDS);
    let seed = from_environment("CUSP_CRASH_SEED").unwrap_or_else(|| getrandom::u64().expect("the system has entropy"));
    println!("CUSP_CRASH_SEED={seed} CUSP_CRASH_ROUNDS={rounds}");

    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut dice = Dice(seed);
    let mut server = ProgramServer::dev(folder.path(), &[]);
    let mut ledger = Ledger::open(&mut server.connection(KEY), seed);
    let mut tally = Tally::default();

    for round in 1..=rounds {
        let load = Duration::from_millis(dice.between(LOAD_MILLIS.0, LOAD_MILLIS.1));
        let in_doubt = ledger.load_until_killed(server, load);

        server = ProgramServer::dev(folder.path(), &[]);
        let mut client = server.connection(KEY);
        for (number, request) in in_doubt {
            ledger.settle(&mut client, number, &request, &mut tally);
        }
        ledger.verify(&mut client);
        println!("round {round}: killed after {load:?}, {} events so far", ledger.events_seen);
    }

    println!("{tally:?}");
    ledger.verify_from_the_start(&mut server.connection(KEY));
    server.kill();
    let check = cusp().args(["check", "--data"]).arg(folder.path()).output().expect("cusp check runs");
    assert!(check.status.success(), "cusp check: {check:?}");
}

/// What became of the requests that no reply came to.
#[derive(Debug, Default)]
struct Tally {
    in_doubt: usize,
    had_happened: usize,
    sent_again: usize,
}

/// Everything the server has acknowledged or been found to hold.
struct Ledger {
    writers: Vec<Writer>,
    /// A customer that all writers change at once, each its own key of the metadata.
    shared: String,
    /// The newest event that was verified.
    newest_event: Option<String>,
    events_seen: usize,
    /// What the events tell of each customer.
    told: BTreeMap<String, Told>,
}

/// One client that writes, and what it knows.
struct Writer {
    number: usize,
    dice: Dice,
    customers: Vec<Known>,
    /// How far the movements of each one's balance were verified.
    movements: Vec<Movements>,
    /// What it last wrote to the shared customer.
    shared_count: u64,
    /// Customers that it made under load, and whether it has deleted them since.
    made: BTreeMap<String, bool>,
    /// Customers that it made since the last verification.
    fresh: Vec<String>,
    requests: u64,
    /// A request with an idempotency key that was answered, and the answer.
    answered: Option<(Request, Vec<u8>)>,
}

/// A customer that only one writer changes, as the server has to show it.
#[derive(Clone, Debug, PartialEq)]
struct Known {
    id: String,
    count: u64,
    balance: i64,
    version: u64,
}

/// The movements of a balance, as far as they were read.
#[derive(Clone, Debug, Default)]
struct Movements {
    newest: Option<String>,
    sum: i64,
}

/// What the events tell of a customer.
#[derive(Clone, Debug, Default, PartialEq)]
struct Told {
    created: u64,
    updated: u64,
    deleted: u64,
    newest: Value,
}

/// What a request asks for.
#[derive(Clone, Debug)]
enum Wish {
    Count { customer: usize, to: u64 },
    Balance { customer: usize, to: i64 },
    Move { customer: usize, by: i64 },
    CountShared { to: u64 },
    Create { email: String },
    Delete { id: String },
}

#[derive(Clone, Debug)]
struct Request {
    wish: Wish,
    method: &'static str,
    path: String,
    form: String,
    key: Option<String>,
}

impl Request {
    fn send(&self, client: &mut Connection) -> std::io::Result<Reply> {
        match &self.key {
            Some(key) => client.send(self.method, &self.path, &[("idempotency-key", key)], &self.form),
            None => client.send(self.method, &self.path, &[], &self.form),
        }
    }
}

impl Ledger {
    fn open(client: &mut Connection, seed: u64) -> Ledger {
        let shared = text(&client.ok("POST", "/v1/customers", ""), "id");
        let writers = (0..WRITERS)
            .map(|number| {
                let customers = (0..OWN_CUSTOMERS).map(|_| {
                    let made = client.ok("POST", "/v1/customers", "metadata[count]=0");
                    Known { id: text(&made, "id"), count: 0, balance: 0, version: 1 }
                });
                Writer {
                    number,
                    customers: customers.collect(),
                    movements: vec![Movements::default(); OWN_CUSTOMERS],
                    dice: Dice(seed ^ (number as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15)),
                    shared_count: 0,
                    made: BTreeMap::new(),
                    fresh: Vec::new(),
                    requests: 0,
                    answered: None,
                }
            })
            .collect();
        Ledger { writers, shared, newest_event: None, events_seen: 0, told: BTreeMap::new() }
    }

    /// Lets every writer write until the server is killed; gives the requests that no reply came to.
    fn load_until_killed(&mut self, server: ProgramServer, load: Duration) -> Vec<(usize, Request)> {
        let ready = Barrier::new(WRITERS + 1);
        let shared = self.shared.as_str();
        std::thread::scope(|scope| {
            let threads: Vec<_> = self
                .writers
                .iter_mut()
                .map(|writer| {
                    let mut client = server.connection(KEY);
                    let ready = &ready;
                    scope.spawn(move || {
                        client.stream().expect("the server accepts");
                        ready.wait();
                        (writer.number, writer.write_until_cut_off(&mut client, shared))
                    })
                })
                .collect();
            ready.wait();
            std::thread::sleep(load);
            server.kill();
            threads.into_iter().map(|thread| thread.join().expect("a writer ends without panic")).collect()
        })
    }

    /// Finds out what became of a request that no reply came to. Whatever it is, it is whole: the change, the movement
    /// of the balance and the kept reply are there together or not at all.
    fn settle(&mut self, client: &mut Connection, number: usize, request: &Request, tally: &mut Tally) {
        let shared = self.shared.clone();
        let writer = &mut self.writers[number];
        let happened = writer.has_happened(client, &shared, &request.wish);
        tally.in_doubt += 1;
        tally.had_happened += usize::from(happened);
        if request.key.is_none() {
            if happened {
                let made = writer.find_made(client, &request.wish);
                writer.note(&request.wish, made);
            }
            return;
        }

        let reply = request.send(client).expect("the server answers after its start");
        assert_eq!(reply.status, 200, "{request:?}: {}", reply.text());
        let replayed = reply.header("idempotent-replayed") == Some("true");
        assert_eq!(replayed, happened, "the reply is kept if and only if the change is: {request:?}");
        tally.sent_again += 1;
        writer.note(&request.wish, Some(text(&json(&reply), "id")));
        writer.answered = Some((request.clone(), reply.body));
    }

    /// Compares the server with what it acknowledged: every customer that a writer has to itself, the shared one, those
    /// made since the last time, and every event since.
    fn verify(&mut self, client: &mut Connection) {
        self.read_events(client);
        let shared_updates = self.writers.iter().map(|writer| writer.shared_count).sum::<u64>();
        let (shared, version) = read(client, &self.shared);
        for writer in &self.writers {
            let count = number_in_metadata(&shared, &format!("writer{}", writer.number));
            assert_eq!(count, writer.shared_count, "writer {} on the shared customer", writer.number);
        }
        assert_eq!(version, shared_updates + 1, "the shared customer has one version for each update");
        self.told_matches(&shared, shared_updates);

        for number in 0..self.writers.len() {
            for index in 0..OWN_CUSTOMERS {
                let writer = &mut self.writers[number];
                let known = writer.customers[index].clone();
                let (shown, version) = read(client, &known.id);
                assert_eq!(Known::shown(&shown, version), known, "what was acknowledged is there");
                writer.movements[index].verify(client, &known);
                self.told_matches(&shown, known.version - 1);
            }
            let writer = &mut self.writers[number];
            let fresh = std::mem::take(&mut writer.fresh);
            let deleted: Vec<bool> = fresh.iter().map(|id| writer.made[id]).collect();
            writer.verify_replay(client);
            for (id, deleted) in fresh.iter().zip(deleted) {
                self.verify_made(client, id, deleted);
            }
        }
        let told = self.told.len();
        let made = self.writers.iter().map(|writer| writer.made.len() + OWN_CUSTOMERS).sum::<usize>() + 1;
        assert_eq!(told, made, "every customer that the events tell of is known, and the other way round");
    }

    /// Once more all of it, from the first event and the first customer.
    fn verify_from_the_start(&mut self, client: &mut Connection) {
        let told = std::mem::take(&mut self.told);
        self.newest_event = None;
        self.events_seen = 0;
        self.read_events(client);
        assert_eq!(self.told, told, "the events read from the start are those read round by round");

        for writer in &mut self.writers {
            for (known, movements) in writer.customers.iter().zip(&mut writer.movements) {
                *movements = Movements::default();
                movements.verify(client, known);
            }
        }
        let listed = newer_than(client, "/v1/customers", None);
        let alive = self.writers.iter().flat_map(|writer| writer.made.values()).filter(|deleted| !**deleted).count();
        assert_eq!(listed.len(), alive + WRITERS * OWN_CUSTOMERS + 1, "every live customer is listed once");
        for writer in &self.writers {
            for (id, deleted) in &writer.made {
                self.verify_made(client, id, *deleted);
            }
        }
    }

    fn verify_made(&self, client: &mut Connection, id: &str, deleted: bool) {
        let shown = client.ok("GET", &format!("/v1/customers/{id}"), "");
        assert_eq!(shown["deleted"] == true, deleted, "{id}: {shown}");
        if deleted {
            let told = &self.told[id];
            assert_eq!((told.created, told.updated, told.deleted), (1, 0, 1), "{id}: {told:?}");
        } else {
            assert_eq!(shown["balance"], -250, "{id}");
            self.told_matches(&shown, 0);
            let movements = newer_than(client, &format!("/v1/customers/{id}/balance_transactions"), None);
            assert_eq!(movements.len(), 1, "{id}: a customer made with a balance has one movement");
            assert_eq!(movements[0]["ending_balance"], -250, "{id}");
        }
    }

    /// The events tell of the customer as often as it changed, and the last of them shows it as it is.
    fn told_matches(&self, shown: &Value, updated: u64) {
        let id = text(shown, "id");
        let told = self.told.get(&id).unwrap_or_else(|| panic!("no event tells of {id}"));
        assert_eq!((told.created, told.updated, told.deleted), (1, updated, 0), "events of {id}");
        assert_eq!(&told.newest, shown, "the newest event of {id} shows it as it is");
    }

    fn read_events(&mut self, client: &mut Connection) {
        let events = newer_than(client, "/v1/events", self.newest_event.as_deref());
        self.events_seen += events.len();
        for event in &events {
            let object = &event["data"]["object"];
            let told = self.told.entry(text(object, "id")).or_default();
            match event["type"].as_str() {
                Some("customer.created") => told.created += 1,
                Some("customer.updated") => told.updated += 1,
                Some("customer.deleted") => told.deleted += 1,
                _ => panic!("an event that nothing asked for: {event}"),
            }
            told.newest = object.clone();
        }
        if let Some(newest) = events.last() {
            self.newest_event = Some(text(newest, "id"));
        }
    }
}

impl Writer {
    /// Writes until a request gets no reply; gives that request.
    fn write_until_cut_off(&mut self, client: &mut Connection, shared: &str) -> Request {
        loop {
            let request = self.think_of_one(shared);
            let Ok(reply) = request.send(client) else { return request };
            assert_eq!(reply.status, 200, "{request:?}: {}", reply.text());
            assert_eq!(reply.header("idempotent-replayed"), None, "{request:?} was never sent before");
            self.note(&request.wish, Some(text(&json(&reply), "id")));
            if request.key.is_some() {
                self.answered = Some((request, reply.body));
            }
        }
    }

    fn think_of_one(&mut self, shared: &str) -> Request {
        self.requests += 1;
        let index = self.dice.below(OWN_CUSTOMERS as u64) as usize;
        let customer = &self.customers[index];
        let own = format!("/v1/customers/{}", customer.id);
        let undeleted = self.made.iter().find(|(_, deleted)| !**deleted).map(|(id, _)| id.clone());
        let (wish, method, path, form) = match self.dice.below(20) {
            0..=6 => {
                let to = customer.count + 1;
                (Wish::Count { customer: index, to }, "POST", own, form(&[("metadata[count]", &to.to_string())]))
            }
            7..=9 => {
                // Always another balance than the one it has: a change that changes nothing makes no version.
                let to = customer.balance + self.dice.below(1_000) as i64 - 1_000;
                (Wish::Balance { customer: index, to }, "POST", own, form(&[("balance", &to.to_string())]))
            }
            10..=12 => {
                let by = self.dice.below(1_000) as i64 + 1;
                let fields = form(&[("amount", &by.to_string()), ("currency", "usd")]);
                (Wish::Move { customer: index, by }, "POST", format!("{own}/balance_transactions"), fields)
            }
            13..=15 => {
                let to = self.shared_count + 1;
                let name = format!("metadata[writer{}]", self.number);
                let path = format!("/v1/customers/{shared}");
                (Wish::CountShared { to }, "POST", path, form(&[(&name, &to.to_string())]))
            }
            16 if undeleted.is_some() => {
                let id = undeleted.expect("it was asked for in the guard");
                (Wish::Delete { id: id.clone() }, "DELETE", format!("/v1/customers/{id}"), String::new())
            }
            _ => {
                let email = format!("writer{}.{}@example.com", self.number, self.requests);
                let fields = form(&[("email", &email), ("balance", "-250")]);
                (Wish::Create { email }, "POST", "/v1/customers".to_owned(), fields)
            }
        };
        let with_key = method == "POST" && self.dice.below(2) == 0;
        let key = with_key.then(|| format!("key-{}-{}", self.number, self.requests));
        Request { wish, method, path, form, key }
    }

    /// Takes note of a change that the server holds. `id` is that of the object it answered with.
    fn note(&mut self, wish: &Wish, id: Option<String>) {
        match wish {
            Wish::Count { customer, .. } | Wish::Balance { customer, .. } | Wish::Move { customer, .. } => {
                let known = &mut self.customers[*customer];
                *known = known.after(wish);
            }
            Wish::CountShared { to } => self.shared_count = *to,
            Wish::Create { .. } => {
                let id = id.expect("a creation is noted with its id");
                self.made.insert(id.clone(), false);
                self.fresh.push(id);
            }
            Wish::Delete { id } => {
                self.made.insert(id.clone(), true);
                self.fresh.push(id.clone());
            }
        }
    }

    /// Whether the server holds the change; fails when it holds a part of it.
    fn has_happened(&self, client: &mut Connection, shared: &str, wish: &Wish) -> bool {
        match wish {
            Wish::Count { customer, .. } | Wish::Balance { customer, .. } | Wish::Move { customer, .. } => {
                let before = &self.customers[*customer];
                let after = before.after(wish);
                let (shown, version) = read(client, &before.id);
                let now = Known::shown(&shown, version);
                assert!(now == *before || now == after, "lost or half done: {wish:?} on {before:?}, now {now:?}");
                let newest = client.ok("GET", &format!("/v1/customers/{}/balance_transactions?limit=1", before.id), "");
                let ending = newest["data"][0]["ending_balance"].as_i64().unwrap_or(0);
                assert_eq!(ending, now.balance, "half done: {wish:?}, the balance and its newest movement differ");
                now == after
            }
            Wish::CountShared { to } => {
                let count = number_in_metadata(&read(client, shared).0, &format!("writer{}", self.number));
                assert!(count == *to || count + 1 == *to, "writer {}: {count} for {to}", self.number);
                count == *to
            }
            Wish::Create { .. } => self.find_made(client, wish).is_some(),
            Wish::Delete { id } => client.ok("GET", &format!("/v1/customers/{id}"), "")["deleted"] == true,
        }
    }

    /// The customer that a creation in doubt made, if it did.
    fn find_made(&self, client: &mut Connection, wish: &Wish) -> Option<String> {
        let Wish::Create { email } = wish else { return None };
        let found = client.ok("GET", &format!("/v1/customers?email={}", percent_encoded(email)), "");
        let data = found["data"].as_array().expect("a list has data");
        assert!(data.len() <= 1, "made twice: {found}");
        data.first().map(|customer| text(customer, "id"))
    }

    /// The newest answer that came with an idempotency key is still given, to the byte.
    fn verify_replay(&self, client: &mut Connection) {
        let Some((request, body)) = &self.answered else { return };
        let reply = request.send(client).expect("the server answers after its start");
        assert_eq!(reply.status, 200, "{request:?}: {}", reply.text());
        assert_eq!(reply.header("idempotent-replayed"), Some("true"), "{request:?}");
        assert_eq!(reply.text(), String::from_utf8_lossy(body), "{request:?}");
    }
}

impl Known {
    /// The customer as it has to be once the wish is fulfilled.
    fn after(&self, wish: &Wish) -> Known {
        let mut next = self.clone();
        match wish {
            Wish::Count { to, .. } => next.count = *to,
            Wish::Balance { to, .. } => next.balance = *to,
            Wish::Move { by, .. } => next.balance += by,
            Wish::CountShared { .. } | Wish::Create { .. } | Wish::Delete { .. } => return next,
        }
        next.version += 1;
        next
    }

    fn shown(customer: &Value, version: u64) -> Known {
        Known {
            id: text(customer, "id"),
            count: number_in_metadata(customer, "count"),
            balance: customer["balance"].as_i64().expect("a balance is a number"),
            version,
        }
    }
}

impl Movements {
    /// The movements of the balance add up to it, one after the other.
    fn verify(&mut self, client: &mut Connection, known: &Known) {
        let path = format!("/v1/customers/{}/balance_transactions", known.id);
        for movement in newer_than(client, &path, self.newest.as_deref()) {
            let amount = movement["amount"].as_i64().expect("an amount is a number");
            assert_ne!(amount, 0, "a movement moves: {movement}");
            self.sum += amount;
            assert_eq!(movement["ending_balance"], self.sum, "{movement}");
            self.newest = Some(text(&movement, "id"));
        }
        assert_eq!(self.sum, known.balance, "the movements add up to the balance of {known:?}");
    }
}

/// A customer and its version, which its entity tag ends with.
fn read(client: &mut Connection, id: &str) -> (Value, u64) {
    let reply = client.send("GET", &format!("/v1/customers/{id}"), &[], "").expect("the server answers");
    assert_eq!(reply.status, 200, "{id}: {}", reply.text());
    let tag = reply.header("etag").unwrap_or_else(|| panic!("{id} has an entity tag")).trim_matches('"').to_owned();
    let digits = tag.rsplit(|letter: char| !letter.is_ascii_digit()).next().unwrap_or_default();
    (json(&reply), digits.parse().unwrap_or_else(|_| panic!("{tag:?} ends with the version")))
}

/// What a list has beyond the cursor, oldest first; all of it without a cursor.
fn newer_than(client: &mut Connection, path: &str, cursor: Option<&str>) -> Vec<Value> {
    let mut collected = Vec::new();
    let mut next = cursor.map(|id| format!("&ending_before={id}")).unwrap_or_default();
    loop {
        let page = client.ok("GET", &format!("{path}?limit=100{next}"), "");
        let mut data = page["data"].as_array().expect("a list has data").clone();
        if cursor.is_some() {
            data.reverse();
        }
        collected.extend(data);
        let Some(last) = collected.last().filter(|_| page["has_more"] == true) else { break };
        let direction = if cursor.is_some() { "ending_before" } else { "starting_after" };
        next = format!("&{direction}={}", text(last, "id"));
    }
    if cursor.is_none() {
        collected.reverse();
    }
    collected
}

fn text(object: &Value, field: &str) -> String {
    object[field].as_str().unwrap_or_else(|| panic!("{field} is text in {object}")).to_owned()
}

fn number_in_metadata(customer: &Value, key: &str) -> u64 {
    match customer["metadata"][key].as_str() {
        Some(digits) => digits.parse().expect("the writers write numbers"),
        None => 0,
    }
}

fn from_environment(name: &str) -> Option<u64> {
    let given = std::env::var(name).ok()?;
    Some(given.parse().unwrap_or_else(|_| panic!("{name} is a number, not {given:?}")))
}
