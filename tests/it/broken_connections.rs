//! Connections between a server and its database that break, at the worst moments above all: what was acknowledged is
//! there once, what was not is there at most once, answers come within bounds, and service returns by itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use cusp::settings;
use cusp::store::Store;
use cusp::store::postgres::PostgresStore;
use tokio::runtime::Builder;

use crate::client::{Client, error, json};
use crate::conflicts::{Occasion, raise};
use crate::connection::Connection;
use crate::dice::Dice;
use crate::fleet::{Peer, Session, by_interloper, everything, text, version, wait_until, waiting_for_locks, with_pool};
use crate::followers::assert_sequence_has_no_gap;
use crate::http::Reply;
use crate::interloper::Interloper;
use crate::postgres::Database;

const KEY: &str = "sk_test_broken";
/// How long a request may take when the database is gone or says nothing.
const BOUND: Duration = Duration::from_secs(18);

/// A customer's balance, its version, and how many movements it has had.
fn account_of(client: &Client, path: &str) -> (i64, u64, usize) {
    let reply = client.get(path);
    let movements = everything(client, &format!("{path}/balance_transactions")).len();
    (json(&reply)["balance"].as_i64().expect("a customer has a balance"), version(&reply), movements)
}

#[test]
fn a_connection_that_breaks_around_a_commit_is_nobody_s_trouble() {
    let database = Database::fresh();
    let (interloper, at) = by_interloper(&database);
    let peer = Peer::start(at);
    let client = peer.client(KEY);
    let path = format!("/v1/customers/{}", client.customer("name=Jenny"));
    let movement = format!("{path}/balance_transactions");
    let mut balance = 0;
    for round in 1..=4 {
        for plan in [Interloper::cut_before_commit, Interloper::cut_after_commit] {
            // With and without a key: the server itself finds out what became of its commit.
            let key = format!("{balance}");
            let keyed = [("Idempotency-Key", key.as_str())];
            let headers: &[(&str, &str)] = if round % 2 == 0 { &keyed } else { &[] };
            plan(&interloper, 1);
            let reply = client.exchange("POST", &movement, "amount=1&currency=usd", headers);
            assert!(!interloper.has_plan());
            balance += 1;
            assert_eq!(json(&reply)["ending_balance"], balance);
            assert_eq!(reply.header("Idempotent-Replayed"), None);
            assert_eq!(account_of(&client, &path), (balance, 1 + balance as u64, balance as usize));
        }
    }
    assert_eq!(peer.figure("cusp_store_doubts_total"), 8.0, "a commit that was sent is always looked for");
    assert_sequence_has_no_gap(&database);
}

#[test]
fn the_first_write_of_an_account_survives_a_break() {
    let database = Database::fresh();
    let (interloper, at) = by_interloper(&database);
    let peer = Peer::start(at);
    for round in 0..4 {
        // The first commit opens the sandbox, the second one makes the customer.
        let client = peer.client(&format!("sk_test_fresh{round}"));
        match round % 2 {
            0 => interloper.cut_after_commit(1 + round / 2),
            _ => interloper.cut_before_commit(1 + round / 2),
        }
        client.customer("name=Jenny");
        assert!(!interloper.has_plan());
        assert_eq!(everything(&client, "/v1/customers").len(), 1);
        assert_eq!(everything(&client, "/v1/events").len(), 1);
    }
    assert_sequence_has_no_gap(&database);
}

#[test]
fn a_commit_that_is_still_under_way_is_waited_for() {
    let database = Database::fresh();
    let (interloper, at) = by_interloper(&database);
    let peer = Peer::start(at);
    let client = peer.client(KEY);
    let path = format!("/v1/customers/{}", client.customer("name=Jenny"));
    // Takes its time at the commit, and never raises anything.
    raise(&database, &Occasion::Commit, "40001", "pg_sleep(1) is null");
    let committing = "select 1 from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'";
    thread::scope(|scope| {
        let posting = scope.spawn(|| client.post(&format!("{path}/balance_transactions"), "amount=5&currency=usd"));
        wait_until("the commit is under way", || !database.query(committing).is_empty());
        interloper.cut_all();
        assert_eq!(json(&posting.join().expect("an answer comes"))["ending_balance"], 5);
    });
    assert_eq!(account_of(&client, &path), (5, 2, 1));
    assert_eq!(peer.figure("cusp_store_doubts_total"), 1.0);
}

/// What a writer was told of each of its customers.
#[derive(Default)]
struct Told {
    acknowledged: Vec<String>,
    in_doubt: Vec<String>,
}

#[test]
fn breaks_at_random_lose_nothing_and_double_nothing() {
    let database = Database::fresh();
    let (interloper, at) = by_interloper(&database);
    let peer = Peer::start(at);
    let mut dice = Dice::of_the_run("CUSP_BREAKS_SEED");
    const WRITERS: usize = 6;
    const ACCOUNTS: usize = 3;
    let ready = Barrier::new(WRITERS + 1);
    let until = Duration::from_secs(3);
    let keys: Vec<String> = (0..WRITERS).map(|writer| format!("sk_test_breaks{}", writer % ACCOUNTS)).collect();
    let told: Vec<Told> = thread::scope(|scope| {
        let writing: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (client, ready) = (peer.client(&keys[writer]), &ready);
                scope.spawn(move || {
                    ready.wait();
                    let (began, mut told) = (Instant::now(), Told::default());
                    for number in 0.. {
                        if began.elapsed() > until {
                            return told;
                        }
                        let name = format!("{writer}-{number}");
                        let reply = client.post("/v1/customers", &format!("name={name}&balance=3"));
                        match reply.status {
                            200 => told.acknowledged.push(name),
                            503 => told.in_doubt.push(name),
                            status => panic!("{status} {}", reply.text()),
                        }
                    }
                    told
                })
            })
            .collect();
        ready.wait();
        let began = Instant::now();
        while began.elapsed() < until {
            // Not to wait for anything: chance decides when the next break comes.
            thread::sleep(Duration::from_millis(dice.between(5, 120)));
            match dice.below(3) {
                0 => interloper.cut_after_commit(dice.between(1, 4)),
                _ => interloper.cut_all(),
            }
        }
        writing.into_iter().map(|writing| writing.join().expect("a writer ends without panic")).collect()
    });
    for (account, key) in keys.iter().enumerate().take(ACCOUNTS) {
        let client = peer.client(key);
        let mut found: BTreeMap<String, usize> = BTreeMap::new();
        for customer in everything(&client, "/v1/customers") {
            *found.entry(text(&customer, "name")).or_default() += 1;
            let movements = format!("/v1/customers/{}/balance_transactions", text(&customer, "id"));
            assert_eq!(everything(&client, &movements).len(), 1, "{customer}");
        }
        let told: Vec<&Told> = told.iter().skip(account).step_by(ACCOUNTS).collect();
        let acknowledged: Vec<&String> = told.iter().flat_map(|told| &told.acknowledged).collect();
        let in_doubt: Vec<&String> = told.iter().flat_map(|told| &told.in_doubt).collect();
        println!("{} acknowledged, {} in doubt", acknowledged.len(), in_doubt.len());
        assert!(found.values().all(|times| *times == 1), "{found:?}");
        assert!(acknowledged.iter().all(|name| found.contains_key(*name)), "what was acknowledged is there");
        assert!(found.keys().all(|name| acknowledged.contains(&name) || in_doubt.contains(&name)));
        assert_eq!(everything(&client, "/v1/events").len(), found.len());
    }
    assert!(peer.figure("cusp_store_lost_total") >= 1.0);
    assert_sequence_has_no_gap(&database);
}

/// Asks for several things at once; every answer has to be a 503 in Stripe's words, within bounds.
fn assert_bounded(peer: &Peer, id: &str, key: &str) {
    let asked: [(&str, String, &str); 5] = [
        ("GET", format!("/v1/customers/{id}"), ""),
        ("GET", "/v1/customers".into(), ""),
        ("GET", "/v1/events".into(), ""),
        ("POST", format!("/v1/customers/{id}"), "name=Meanwhile"),
        ("POST", "/v1/customers".into(), "name=Meanwhile"),
    ];
    thread::scope(|scope| {
        for (method, path, form) in asked {
            let client = peer.client(key);
            scope.spawn(move || {
                let began = Instant::now();
                let reply: Reply = client.exchange(method, &path, form, &[]);
                println!("{method} {path}: {} after {:?}", reply.status, began.elapsed());
                assert_eq!(error(&reply, 503)["type"], "api_error");
                assert!(began.elapsed() < BOUND, "{method} {path} took {:?}", began.elapsed());
            });
        }
    });
}

#[test]
fn a_database_that_was_away_is_found_again() {
    let database = Database::fresh();
    let (interloper, at) = by_interloper(&database);
    let peer = Peer::start(at);
    let client = peer.client(KEY);
    let id = client.customer("name=Before");
    wait_until("the server is ready", || peer.readiness() == 200);

    interloper.refuse();
    interloper.cut_all();
    let since = Instant::now();
    wait_until("the server is not ready", || peer.readiness() == 503);
    println!("not ready after {:?}", since.elapsed());
    assert!(since.elapsed() < Duration::from_secs(4), "{:?}", since.elapsed());
    assert_bounded(&peer, &id, KEY);

    interloper.accept();
    let since = Instant::now();
    wait_until("the server is ready", || peer.readiness() == 200);
    println!("ready after {:?}", since.elapsed());
    assert_eq!(json(&client.get(&format!("/v1/customers/{id}")))["name"], "Before", "what was refused was not done");
    assert_eq!(everything(&client, "/v1/customers").len(), 1);
    assert_eq!(version(&client.post(&format!("/v1/customers/{id}"), "name=After")), 2);
}

#[test]
fn a_request_outlives_a_short_break() {
    let database = Database::fresh();
    let (interloper, at) = by_interloper(&database);
    let peer = Peer::start(at);
    let client = peer.client(KEY);
    let id = client.customer("name=Before");
    interloper.refuse();
    interloper.cut_all();
    thread::scope(|scope| {
        let writing = scope.spawn(|| client.post(&format!("/v1/customers/{id}"), "name=After"));
        let reading = scope.spawn(|| client.get("/v1/customers"));
        wait_until("the server noticed", || peer.figure("cusp_store_lost_total") >= 1.0);
        interloper.accept();
        assert_eq!(version(&writing.join().expect("an answer comes")), 2);
        json(&reading.join().expect("an answer comes"));
    });
}

#[test]
fn a_database_that_says_nothing_is_not_waited_for_without_end() {
    let database = Database::fresh();
    let (interloper, at) = by_interloper(&database);
    let brisk = settings::Database {
        statement_timeout: Duration::from_millis(400),
        lock_timeout: Duration::from_millis(200),
        ..at
    };
    let peer = Peer::in_a_hurry(brisk.clone(), Duration::from_secs(10));
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime starts");
    let store = Arc::new(runtime.block_on(PostgresStore::open(&brisk)).expect("the store opens"));
    let client = peer.client(KEY);
    let id = client.customer("name=Before");
    interloper.stall();
    // The store itself gives up, however long its callers would wait.
    let (tell, told) = mpsc::channel();
    let reader = store.clone();
    thread::spawn(move || tell.send(reader.read(&mut |read| read.accounts().map(drop))));
    thread::scope(|scope| {
        scope.spawn(|| assert_bounded(&peer, &id, KEY));
        scope.spawn(move || told.recv_timeout(BOUND).expect("a read ends").expect_err("nothing can be read"));
        wait_until("the server is not ready", || peer.readiness() == 503);
    });
    interloper.resume();
    store.close();
    wait_until("the server is ready", || peer.readiness() == 200);
    wait_until("it takes changes", || client.post(&format!("/v1/customers/{id}"), "name=After").status == 200);
    let made = everything(&client, "/v1/customers").len();
    assert!((1..=2).contains(&made), "what was not acknowledged was done at most once");
    assert_sequence_has_no_gap(&database);
}

#[test]
fn a_caller_that_went_away_leaves_nothing_behind() {
    let database = Database::fresh();
    let peer = Peer::start(with_pool(&database.url(), 1));
    let client = peer.client(KEY);
    let path = format!("/v1/customers/{}", client.customer("name=Jenny"));
    let session = Session::with(&database);
    session.run("begin; select * from cusp.heads for update");
    let request = |method: &str, path: &str, form: &str| {
        format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
            form.len()
        )
    };
    let send = |method: &str, path: &str, form: &str| {
        let mut caller = Connection::new(peer.address(), KEY);
        caller.write(request(method, path, form).as_bytes()).expect("the request is sent");
        caller
    };
    let mut callers: Vec<Connection> =
        (0..10).map(|number| send("POST", &path, &format!("metadata[k{number}]=1"))).collect();
    wait_until("one of them waits for the account", || waiting_for_locks(&database) == 1);
    // There is no connection left for these.
    callers.extend((0..10).flat_map(|_| [send("GET", &path, ""), send("GET", "/v1/customers", "")]));
    wait_until("all of them are there", || peer.figure("cusp_requests_in_flight") >= 30.0);
    drop(callers);
    session.run("rollback");

    let began = Instant::now();
    json(&client.post(&path, "name=Next"));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    wait_until("the connection is free", || peer.figure("cusp_store_connections_idle") == 1.0);
    assert_eq!(peer.figure("cusp_store_connections"), 1.0);
    let changes = json(&client.get(&path))["metadata"].as_object().expect("it has metadata").len();
    assert_eq!(version(&client.get(&path)), 2 + changes as u64, "each change was made at most once");
}
