//! Transactions that get into each other's way: what the database raises, at a statement or at the commit, is tried again
//! until it works, and where it never does, the caller is told to come again and nothing is half-done.

use std::thread;
use std::time::{Duration, Instant};

use cusp::settings;
use serde_json::Value;

use crate::client::{Client, error, json};
use crate::fleet::{Peer, Session, everything, version, wait_until, waiting_for_locks};
use crate::followers::assert_sequence_has_no_gap;
use crate::http::Reply;
use crate::postgres::Database;

const KEY: &str = "sk_test_conflict";

/// When the database raises something.
pub enum Occasion {
    /// When the head of an account is written.
    Statement,
    /// At the commit that has written one.
    Commit,
}

/// Has the database raise `state` whenever it writes the head of an account and `condition` holds. The schema must be
/// there.
pub fn raise(database: &Database, occasion: &Occasion, state: &str, condition: &str) {
    let (name, trigger) = match occasion {
        Occasion::Statement => ("at_statement", "create trigger at_statement before update on cusp.heads"),
        Occasion::Commit => {
            let deferred = "create constraint trigger at_commit after update on cusp.heads initially deferred";
            ("at_commit", deferred)
        }
    };
    database.execute(&format!(
        "create function {name}() returns trigger language plpgsql as $$ begin
             if {condition} then raise 'in the way' using errcode = '{state}'; end if;
             return new;
         end $$;
         {trigger} for each row execute function {name}();"
    ));
}

/// Takes it away.
fn calm(database: &Database) {
    database.execute("drop function if exists at_statement, at_commit cascade");
}

/// Conflicts of both kinds. Each server numbers the transactions that it tries, and of three in a row one goes through:
/// so none of them ever gives up.
pub fn raise_now_and_then(database: &Database) {
    raise(database, &Occasion::Statement, "40001", &format!("{NUMBER} % 3 = 1"));
    raise(database, &Occasion::Commit, "40P01", &format!("{NUMBER} % 3 = 2"));
}

/// The number that a server gives to the transaction that writes a head: each one that it tries has the next.
const NUMBER: &str = "split_part(split_part(new.turns, ' ', 1), ':', 2)::bigint";

/// All that can be seen of the account.
fn seen(client: &Client) -> Vec<Value> {
    let mut all = everything(client, "/v1/customers");
    all.extend(everything(client, "/v1/events"));
    all
}

#[track_caller]
fn assert_locked(reply: &Reply) {
    assert_eq!(error(reply, 429)["code"], "lock_timeout");
    assert_eq!(reply.header("Stripe-Should-Retry"), Some("true"));
}

#[test]
fn conflicts_are_tried_again_until_nothing_is_in_the_way() {
    let database = Database::fresh();
    let peers = Peer::pair(&database);
    let client = peers[0].client(KEY);
    let path = format!("/v1/customers/{}", client.customer("name=Jenny"));
    raise_now_and_then(&database);
    const CALLERS: usize = 4;
    const MOVES: usize = 8;
    thread::scope(|scope| {
        for caller in 0..CALLERS {
            let (client, path) = (peers[caller % 2].client(KEY), &path);
            scope.spawn(move || {
                for number in 0..MOVES {
                    let key = format!("{caller}-{number}");
                    let keyed = [("Idempotency-Key", key.as_str())];
                    let headers: &[(&str, &str)] = if number % 2 == 0 { &keyed } else { &[] };
                    let amount = "amount=1&currency=usd";
                    json(&client.exchange("POST", &format!("{path}/balance_transactions"), amount, headers));
                }
            });
        }
    });
    let reply = client.get(&path);
    assert_eq!(json(&reply)["balance"], CALLERS * MOVES);
    assert_eq!(version(&reply), 1 + (CALLERS * MOVES) as u64);
    assert_eq!(everything(&client, &format!("{path}/balance_transactions")).len(), CALLERS * MOVES);
    assert_sequence_has_no_gap(&database);
    let conflicts: f64 = peers.iter().map(|peer| peer.figure("cusp_store_conflicts_total")).sum();
    assert!(conflicts >= 5.0, "{conflicts} conflicts");
}

#[test]
fn a_conflict_that_never_ends_is_told_and_leaves_nothing() {
    for (occasion, state) in [(Occasion::Statement, "40001"), (Occasion::Commit, "40001"), (Occasion::Commit, "40P01")]
    {
        let database = Database::fresh();
        let peer = Peer::of(&database);
        let client = peer.client(KEY);
        let path = format!("/v1/customers/{}", client.customer("name=Jenny"));
        let before = seen(&client);
        raise(&database, &occasion, state, "true");
        let began = Instant::now();
        let keyed = [("Idempotency-Key", "stuck")];
        assert_locked(&client.exchange("POST", &path, "name=Stuck&balance=7", &keyed));
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        assert_eq!(seen(&client), before);
        assert!(peer.figure("cusp_store_conflicts_total") >= 5.0);

        calm(&database);
        let reply = client.exchange("POST", &path, "name=Stuck&balance=7", &keyed);
        assert_eq!(reply.header("Idempotent-Replayed"), None, "nothing was kept");
        assert_eq!((json(&reply)["balance"].as_i64(), version(&reply)), (Some(7), 2));
        assert_sequence_has_no_gap(&database);
    }
}

#[test]
fn who_waits_too_long_for_an_account_is_told_to_come_again() {
    let database = Database::fresh();
    let peer = Peer::start(settings::Database {
        lock_timeout: Duration::from_millis(300),
        ..settings::Database::new(database.url())
    });
    let client = peer.client(KEY);
    let path = format!("/v1/customers/{}", client.customer("name=Jenny"));
    let before = seen(&client);
    let session = Session::with(&database);
    session.run("begin; select * from cusp.heads for update");
    let began = Instant::now();
    assert_locked(&client.post(&path, "name=Late"));
    assert!((300..5_000).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
    assert_eq!(seen(&client), before, "who only reads need not wait");
    // Other accounts go on.
    peer.client("sk_test_elsewhere").get("/v1/customers");
    session.run("rollback");
    assert_eq!(version(&client.post(&path, "name=Late")), 2);
}

#[test]
fn a_server_that_cannot_go_on_is_left_for_another_connection() {
    // It takes no writes any more; it was told to end; it does not know what became of a commit.
    for (occasion, state) in [
        (Occasion::Statement, "25006"),
        (Occasion::Statement, "57P01"),
        (Occasion::Commit, "57P01"),
        (Occasion::Commit, "40003"),
    ] {
        let database = Database::fresh();
        let peer = Peer::of(&database);
        let client = peer.client(KEY);
        let path = format!("/v1/customers/{}", client.customer("name=Jenny"));
        raise(&database, &occasion, state, &format!("{NUMBER} % 2 = 0"));
        for balance in 1..=3 {
            let moved = client.post(&format!("{path}/balance_transactions"), "amount=1&currency=usd");
            assert_eq!(json(&moved)["ending_balance"], balance, "{state}");
        }
        assert_eq!(version(&client.get(&path)), 4, "{state}");
        assert!(peer.figure("cusp_store_lost_total") >= 1.0, "{state}");
    }
}

#[test]
fn a_deadlock_is_tried_again() {
    let database = Database::fresh();
    let peer = Peer::of(&database);
    let client = peer.client(KEY);
    let path = format!("/v1/customers/{}", client.customer("name=Jenny"));
    let session = Session::with(&database);
    // The session holds the customer and comes for the head, the server has them the other way round. Who looks for a
    // deadlock first is the one that is sent back: the server.
    session.run("set deadlock_timeout = '60s'; begin; select * from cusp.customers for update");
    thread::scope(|scope| {
        let posting = scope.spawn(|| client.post(&path, "name=Persistent"));
        wait_until("the server waits for the customer", || waiting_for_locks(&database) == 1);
        session.run("select * from cusp.heads for update; rollback");
        let reply = posting.join().expect("an answer comes");
        assert_eq!((json(&reply)["name"].as_str(), version(&reply)), (Some("Persistent"), 2));
    });
    assert!(peer.figure("cusp_store_conflicts_total") >= 1.0);
    assert_sequence_has_no_gap(&database);
}
