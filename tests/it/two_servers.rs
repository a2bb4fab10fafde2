//! Two servers over one database are as one: no update is lost between them, a retry may come to either, one tag lets one
//! editor through, and what one of them is told the other one knows.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use cusp::app::KEY_BELIEVED_FOR;
use cusp::clock::Clock;
use serde_json::Value;

use crate::cli_line::Session;
use crate::client::{Client, error, json};
use crate::connection::Connection;
use crate::fleet::{Peer, everything, text, version, wait_until, with_pool};
use crate::holdings::{all_held, held, loose, token, told, winner};
use crate::http::Reply;
use crate::postgres::Database;
use crate::renting;

const KEY: &str = "sk_test_twins";
const CALLERS: usize = 4;
const UPDATES: usize = 12;
/// How often a race is run whose outcome hangs on the moment.
const ROUNDS: usize = 8;

/// Runs `ask` at the same time for callers of both servers; gives what they got.
fn at_once<T: Send>(peers: &[Peer; 2], callers: usize, ask: impl Fn(Client, usize) -> T + Sync) -> Vec<T> {
    thread::scope(|scope| {
        let asking: Vec<_> = (0..callers)
            .map(|caller| {
                let (client, ask) = (peers[caller % 2].client(KEY), &ask);
                scope.spawn(move || ask(client, caller))
            })
            .collect();
        asking.into_iter().map(|asking| asking.join().expect("a caller ends without panic")).collect()
    })
}

/// Many callers of both servers change one customer and its balance; all of it is there afterwards.
fn no_update_is_lost_in(database: &Database) {
    let peers = Peer::pair(database);
    let client = peers[0].client(KEY);
    let id = client.customer("name=Jenny");
    let path = format!("/v1/customers/{id}");
    let versions = at_once(&peers, CALLERS * 2, |client, caller| {
        let mut versions = Vec::new();
        for update in 0..UPDATES {
            let changed = client.post(&path, &format!("metadata[k{caller}]={update}"));
            assert_eq!(changed.status, 200, "{}", changed.text());
            versions.push(version(&changed));
            let moved = client.post(&format!("{path}/balance_transactions"), "amount=1&currency=usd");
            assert_eq!(moved.status, 200, "{}", moved.text());
        }
        versions
    });
    let movements = CALLERS * 2 * UPDATES;
    let last = (UPDATES - 1).to_string();
    for peer in &peers {
        let reply = peer.client(KEY).get(&path);
        let customer = json(&reply);
        for caller in 0..CALLERS * 2 {
            assert_eq!(customer["metadata"][format!("k{caller}")], last.as_str());
        }
        assert_eq!(customer["balance"], movements);
        assert_eq!(version(&reply), 1 + 2 * movements as u64);
    }
    let told: BTreeSet<u64> = versions.into_iter().flatten().collect();
    assert_eq!(told.len(), movements, "no version was told twice");
    let ledger = everything(&client, &format!("{path}/balance_transactions"));
    let endings: Vec<i64> = ledger.iter().filter_map(|entry| entry["ending_balance"].as_i64()).collect();
    assert_eq!(endings, (1..=movements as i64).rev().collect::<Vec<_>>());
    let events = everything(&client, "/v1/events");
    let updates = events.iter().filter(|event| event["type"] == "customer.updated").count();
    assert_eq!((events.len(), updates), (1 + 2 * movements, 2 * movements));
}

#[test]
fn no_update_is_lost() {
    no_update_is_lost_in(&Database::fresh());
}

#[test]
fn orders_for_a_new_email_make_one_customer() {
    let database = Database::fresh();
    let peers = Peer::pair(&database);
    renting::offer(&peers[0].client(KEY), "twins");
    for round in 0..ROUNDS {
        let email = format!("new{round}@example.com");
        let placed =
            at_once(&peers, CALLERS * 2, |client, caller| renting::place(&client, "twins", &email, caller + 1));
        let orders: BTreeSet<_> = placed.iter().map(|(order, _)| order).collect();
        let customers: BTreeSet<_> = placed.iter().map(|(_, customer)| customer).collect();
        assert_eq!((orders.len(), customers.len()), (CALLERS * 2, 1), "{placed:?}");
        // The same once more is the same order, at whichever server.
        let again = at_once(&peers, CALLERS * 2, |client, caller| renting::place(&client, "twins", &email, caller + 1));
        assert_eq!(again, placed);
    }
}

#[test]
fn orders_and_jani_make_one_customer_of_an_email() {
    let database = Database::fresh();
    let peers = Peer::pair(&database);
    let client = peers[0].client(KEY);
    renting::offer(&client, "twins");
    for round in 0..ROUNDS {
        let email = format!("both{round}@example.com");
        // Callers of both servers order, callers of both servers make a customer: who of them makes it, if any does.
        let made: Vec<Option<String>> = at_once(&peers, CALLERS * 2, |client, caller| match caller / 2 % 2 {
            0 => Some(renting::place(&client, "twins", &email, caller + 1).1),
            _ => {
                let body = format!(r#"{{"name": "Jenny", "email": "{email}"}}"#);
                let reply = client.post_json("/jani/api/v1/customers", &body);
                assert!([201, 409].contains(&reply.status), "{}", reply.text());
                let made: Value = serde_json::from_slice(&reply.body).expect("it answers in JSON");
                (reply.status == 201).then(|| text(&made, "id"))
            }
        });
        let ids: BTreeSet<&String> = made.iter().flatten().collect();
        let by_jani = made.iter().enumerate().filter(|(caller, id)| caller / 2 % 2 == 1 && id.is_some()).count();
        assert!(ids.len() == 1 && by_jani <= 1, "{made:?}");
        assert_eq!(everything(&client, "/v1/customers").len(), round + 1);
    }
}

#[test]
fn one_of_many_who_want_an_email_gets_it() {
    let database = Database::fresh();
    let peers = Peer::pair(&database);
    let client = peers[0].client(KEY);
    let ids: Vec<String> =
        (0..CALLERS * 2).map(|number| client.customer(&format!("name=N&email={number}@example.com"))).collect();
    for round in 0..ROUNDS {
        let mut statuses = at_once(&peers, CALLERS * 2, |client, caller| {
            let email =
                if caller % 2 == 0 { format!("new{round}@example.com") } else { format!("NEW{round}@example.com") };
            let body = format!(r#"{{"name": "New", "email": "{email}"}}"#);
            // In turn all make a customer, all change one of their own, and some do this and some that.
            match (round % 3, caller % 3) {
                (0, _) | (2, 0) => client.post_json("/jani/api/v1/customers", &body),
                (1, _) | (2, 1) => {
                    client.exchange_json("PATCH", &format!("/jani/api/v1/customers/{}", ids[caller]), &body, &[])
                }
                _ => {
                    let path = format!("/flexportal/v1/customers/{}", ids[caller]);
                    client.unit("twins", "PUT", &path, &format!(r#"{{"email": "{email}"}}"#))
                }
            }
            .status
        });
        statuses.sort_unstable();
        assert!(statuses[0] < 300 && statuses[1..] == [409; CALLERS * 2 - 1], "round {round}: {statuses:?}");
        let all = everything(&client, "/v1/customers");
        let emails = all.iter().filter_map(|customer| customer["email"].as_str());
        let of_round = emails.filter(|email| email.to_lowercase() == format!("new{round}@example.com"));
        assert_eq!(of_round.count(), 1, "round {round}");
    }
}

/// Many callers of both servers send money for one customer, each retrying at the other server; each sum arrives once.
#[test]
fn all_money_arrives_once() {
    let database = Database::fresh();
    let peers = Peer::pair(&database);
    let id = peers[0].client(KEY).customer("name=Jenny");
    let path = format!("/v1/test_helpers/customers/{id}/fund_cash_balance");
    at_once(&peers, CALLERS * 2, |client, caller| {
        for round in 0..UPDATES {
            let key = format!("{caller}-{round}");
            let keyed = [("Idempotency-Key", key.as_str())];
            let arrived = client.exchange("POST", &path, "amount=3&currency=eur", &keyed);
            assert_eq!(arrived.status, 200, "{}", arrived.text());
            let other = peers[(caller + 1) % 2].client(KEY);
            let again = other.exchange("POST", &path, "amount=3&currency=eur", &keyed);
            assert_eq!((&again.body, again.header("Idempotent-Replayed")), (&arrived.body, Some("true")));
        }
    });
    let fundings = (CALLERS * 2 * UPDATES) as i64;
    for peer in &peers {
        let client = peer.client(KEY);
        let reply = client.get(&format!("/v1/customers/{id}?expand[]=cash_balance"));
        assert_eq!(json(&reply)["cash_balance"]["available"]["eur"], 3 * fundings);
        assert_eq!(version(&reply), 1 + fundings as u64);
        let ledger = everything(&client, &format!("/v1/customers/{id}/cash_balance_transactions"));
        let endings: Vec<i64> = ledger.iter().filter_map(|entry| entry["ending_balance"].as_i64()).collect();
        assert_eq!(endings, (1..=fundings).rev().map(|count| 3 * count).collect::<Vec<_>>());
        let told: Vec<i64> = everything(&client, "/v1/events")
            .iter()
            .filter(|event| event["type"] == "cash_balance.funds_available")
            .filter_map(|event| event["data"]["object"]["available"]["eur"].as_i64())
            .collect();
        assert_eq!(told, endings);
    }
}

#[test]
fn a_database_that_is_serializable_by_default_is_as_good() {
    let database = Database::fresh();
    let serializable = "execute format('alter database %I set default_transaction_isolation = serializable', \
                        current_database());";
    database.execute(&format!("do $$ begin {serializable} end $$"));
    no_update_is_lost_in(&database);
}

#[test]
fn many_accounts_share_two_connections() {
    let database = Database::fresh();
    let peer = Peer::start(with_pool(&database.url(), 2));
    thread::scope(|scope| {
        for account in 0..24 {
            let client = peer.client(&format!("sk_test_crowd{account}"));
            scope.spawn(move || {
                let id = client.customer("name=Jenny");
                for update in 0..4 {
                    json(&client.post(&format!("/v1/customers/{id}"), &format!("name=Jenny+{update}")));
                    assert_eq!(json(&client.get("/v1/events"))["data"].as_array().unwrap().len(), update + 2);
                }
            });
        }
    });
    assert!(peer.figure("cusp_store_connections") <= 2.0);
}

#[test]
fn one_idempotency_key_does_one_thing() {
    let database = Database::fresh();
    let peers = Peer::pair(&database);
    for round in 0..ROUNDS {
        let keyed = format!("race-{round}");
        let ask = |client: Client, _| loop {
            let headers = [("Idempotency-Key", keyed.as_str())];
            let reply = client.exchange("POST", "/v1/customers", &format!("name=Once+{round}"), &headers);
            // Its own server knows that the key is being worked on; the other one waits for the account.
            if reply.status != 409 {
                return reply;
            }
        };
        let replies: Vec<Reply> = at_once(&peers, CALLERS * 2, ask);
        let bodies: BTreeSet<&[u8]> = replies.iter().map(|reply| reply.body.as_slice()).collect();
        assert_eq!(bodies.len(), 1, "every answer is the same");
        assert!(replies.iter().all(|reply| reply.status == 200));
        let fresh = replies.iter().filter(|reply| reply.header("Idempotent-Replayed").is_none()).count();
        assert_eq!(fresh, 1, "one did it, the others were told");
    }
    assert_eq!(everything(&peers[1].client(KEY), "/v1/customers").len(), ROUNDS);
}

#[test]
fn a_retry_may_come_to_the_other_server() {
    let database = Database::fresh();
    let peers = Peer::pair(&database);
    let [one, other] = [peers[0].client(KEY), peers[1].client(KEY)];
    let keyed = [("Idempotency-Key", "moved")];
    let first = one.exchange("POST", "/v1/customers", "name=Jenny&balance=5", &keyed);
    let again = other.exchange("POST", "/v1/customers", "name=Jenny&balance=5", &keyed);
    assert_eq!((first.status, again.status), (200, 200));
    assert_eq!(first.body, again.body);
    assert_eq!((first.header("Idempotent-Replayed"), again.header("Idempotent-Replayed")), (None, Some("true")));
    assert_eq!(again.header("Original-Request"), first.header("Request-Id"));

    let refused = error(&other.exchange("POST", "/v1/customers", "name=Jane", &keyed), 400);
    assert_eq!(refused["type"], "idempotency_error");
    let elsewhere = other.exchange("POST", &format!("/v1/customers/{}", text(&json(&first), "id")), "", &keyed);
    assert_eq!(error(&elsewhere, 400)["type"], "idempotency_error");
    assert_eq!(everything(&other, "/v1/customers").len(), 1);
}

#[test]
fn a_reply_that_never_came_is_had_from_the_other_server() {
    let database = Database::fresh();
    let peers = Peer::pair(&database);
    for round in 0..ROUNDS {
        let key = format!("lost-{round}");
        let keyed = [("Idempotency-Key", key.as_str())];
        let mut gone = Connection::new(peers[0].address(), KEY);
        let request = format!(
            "POST /v1/customers HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\nidempotency-key: {key}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: 6\r\n\r\nname=J"
        );
        gone.write(request.as_bytes()).expect("the request is sent");
        drop(gone);
        let other = peers[1].client(KEY).exchange("POST", "/v1/customers", "name=J", &keyed);
        assert_eq!(other.status, 200, "{}", other.text());
        let one = peers[0].client(KEY).exchange("POST", "/v1/customers", "name=J", &keyed);
        // The first one may still be at it.
        if one.status != 409 {
            assert_eq!(one.body, other.body);
        }
        assert_eq!(everything(&peers[0].client(KEY), "/v1/customers").len(), round + 1);
    }
}

#[test]
fn one_tag_lets_one_editor_through() {
    let database = Database::fresh();
    let peers = Peer::pair(&database);
    let path = format!("/v1/customers/{}", peers[0].client(KEY).customer("name=Jenny"));
    for round in 1..=ROUNDS {
        let tag = format!("\"{round}\"");
        let statuses = at_once(&peers, CALLERS * 2, |client, editor| {
            let headers = [("If-Match", tag.as_str())];
            client.exchange("POST", &path, &format!("name=editor+{round}+{editor}"), &headers).status
        });
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1);
        assert!(statuses.iter().all(|status| [200, 412].contains(status)), "{statuses:?}");
        assert_eq!(version(&peers[round % 2].client(KEY).get(&path)), round as u64 + 1);
    }
}

#[test]
fn an_invoice_prefix_is_taken_once() {
    let database = Database::fresh();
    let peers = Peer::pair(&database);
    for round in 0..ROUNDS {
        let statuses = at_once(&peers, CALLERS * 2, |client, _| {
            client.post("/v1/customers", &format!("invoice_prefix=PREFIX{round}")).status
        });
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1);
        assert!(statuses.iter().all(|status| [200, 400].contains(status)), "{statuses:?}");
    }
    assert_eq!(everything(&peers[1].client(KEY), "/v1/customers").len(), ROUNDS);
}

#[test]
fn the_last_redemption_of_a_coupon_is_given_once() {
    let database = Database::fresh();
    let peers = Peer::pair(&database);
    let client = peers[0].client(KEY);
    for round in 0..ROUNDS {
        let coupon = format!("LAST{round}");
        json(&client.post("/v1/coupons", &format!("id={coupon}&percent_off=10&max_redemptions=1")));
        let wish = format!("coupon={coupon}");
        let statuses = at_once(&peers, CALLERS * 2, |client, _| client.post("/v1/customers", &wish).status);
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1);
        assert!(statuses.iter().all(|status| [200, 400].contains(status)), "{statuses:?}");
        assert_eq!(json(&peers[1].client(KEY).get(&format!("/v1/coupons/{coupon}")))["times_redeemed"], 1);
    }
    assert_eq!(everything(&peers[1].client(KEY), "/v1/customers").len(), ROUNDS);
}

/// Callers of both servers want one token, for one customer, each for its own, or for a payment method.
#[test]
fn a_token_is_used_once() {
    let database = Database::fresh();
    let peers = Peer::pair(&database);
    let client = peers[0].client(KEY);
    let customers: Vec<String> = (0..CALLERS * 2).map(|_| client.customer("name=Jenny")).collect();
    for round in 0..ROUNDS {
        let token = token(&peers[round % 2].client(KEY));
        let before = told(&client, "customer.source.created");
        let replies = at_once(&peers, CALLERS * 2, |client, caller| {
            let mine = &customers[if round % 2 == 0 { 0 } else { caller }];
            match (round + caller) % 3 {
                0 => client.post(&format!("/v1/customers/{mine}/sources"), &format!("source={token}")),
                1 => client.post(&format!("/v1/customers/{mine}"), &format!("source={token}")),
                _ => client.post("/v1/payment_methods", &format!("type=card&card[token]={token}")),
            }
        });
        let won = winner(&replies, "token_already_used");
        for peer in &peers {
            assert_eq!(json(&peer.client(KEY).get(&format!("/v1/tokens/{token}")))["used"], true);
        }
        let attached = usize::from(won["object"] != "payment_method");
        assert_eq!(told(&client, "customer.source.created"), before + attached);
    }
    let [one, other] = [all_held(&client), all_held(&peers[1].client(KEY))];
    assert_eq!(one, other);
}

#[test]
fn a_payment_method_is_attached_once() {
    let database = Database::fresh();
    let peers = Peer::pair(&database);
    let client = peers[0].client(KEY);
    let customers: Vec<String> = (0..CALLERS * 2).map(|_| client.customer("name=Jenny")).collect();
    for round in 0..ROUNDS {
        let method = loose(&peers[round % 2].client(KEY));
        let path = format!("/v1/payment_methods/{method}/attach");
        let statuses = at_once(&peers, CALLERS * 2, |client, caller| {
            client.post(&path, &format!("customer={}", customers[caller])).status
        });
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| [200, 400].contains(status)), "{statuses:?}");
        // Detached by all of them, it goes once and for good.
        let path = format!("/v1/payment_methods/{method}/detach");
        let statuses = at_once(&peers, CALLERS * 2, |client, _| client.post(&path, "").status);
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert_eq!(told(&client, "payment_method.detached"), round + 1);
    }
    assert!(all_held(&client).values().all(|held| held.methods.is_empty()));
}

#[test]
fn a_source_replaces_the_one_that_the_other_server_gave() {
    let database = Database::fresh();
    let peers = Peer::pair(&database);
    let client = peers[0].client(KEY);
    let customer = client.customer("name=Jenny&source=tok_visa");
    let path = format!("/v1/customers/{customer}");
    let versions = at_once(&peers, CALLERS * 2, |client, caller| {
        let mut versions = Vec::new();
        for update in 0..UPDATES {
            let source = match (caller + update) % 3 {
                0 => "tok_visa".to_owned(),
                1 => "tok_amex".to_owned(),
                _ => token(&client),
            };
            let given = client.post(&path, &format!("source={source}"));
            assert_eq!(given.status, 200, "{}", given.text());
            versions.push(version(&given));
        }
        versions
    });
    let given = CALLERS * 2 * UPDATES;
    assert_eq!(versions.into_iter().flatten().collect::<BTreeSet<_>>().len(), given, "no version was told twice");
    for peer in &peers {
        let held = held(&peer.client(KEY), &customer);
        assert_eq!(held.default.as_slice(), held.sources, "one is left, and it is the default");
    }
    let came = ["customer.source.created", "customer.source.deleted"].map(|kind| told(&client, kind));
    assert_eq!(came, [1 + given, given]);
    all_held(&client);
}

/// A source goes while callers of the other server make it the default one.
#[test]
fn a_default_source_that_goes_is_no_default() {
    let database = Database::fresh();
    let peers = Peer::pair(&database);
    for _ in 0..ROUNDS {
        let client = peers[0].client(KEY);
        let customer = client.customer("source=tok_visa");
        let path = format!("/v1/customers/{customer}");
        let wanted = text(&json(&client.post(&format!("{path}/sources"), "source=tok_amex")), "id");
        let statuses = at_once(&peers, CALLERS * 2, |client, caller| match caller % 4 {
            0 | 3 => client.exchange("DELETE", &format!("{path}/sources/{wanted}"), "", &[]).status,
            _ => client.post(&path, &format!("default_source={wanted}")).status,
        });
        assert!(statuses.iter().all(|status| [200, 400, 404].contains(status)), "{statuses:?}");
        for peer in &peers {
            let held = held(&peer.client(KEY), &customer);
            assert!(held.sources.len() == 1 && !held.sources.contains(&wanted), "{held:?}");
        }
    }
    all_held(&peers[1].client(KEY));
}

#[test]
fn a_key_that_one_server_took_back_is_refused_by_the_other() {
    let database = Database::fresh();
    let peers = Peer::pair(&database);
    let client = peers[1].client(KEY);
    assert_eq!(client.get("/v1/customers").status, 200);
    peers[0].revoke(KEY);
    let since = Instant::now();
    assert_eq!(peers[0].client(KEY).get("/v1/customers").status, 401, "who took it back knows at once");
    wait_until("the other server refuses the key", || client.get("/v1/customers").status == 401);
    // The last answer was on its way for a while; the key may have been good when it was asked for.
    assert!(since.elapsed() < KEY_BELIEVED_FOR + Duration::from_secs(1), "{:?}", since.elapsed());
}

#[test]
fn a_session_of_the_cli_hears_of_what_happens_at_both() {
    let database = Database::fresh();
    let peers = Peer::pair(&database);
    let [one, other] = [peers[0].client(KEY), peers[1].client(KEY)];
    // What one server granted, the other knows.
    let session = Session::to_listen(&one, peers[0].address()).at(peers[1].address());
    let mut line = session.connect();
    for round in 0..ROUNDS {
        one.customer(&format!("name=one+{round}"));
        other.customer(&format!("name=other+{round}"));
        assert_eq!([line.name(), line.name()], [format!("one {round}"), format!("other {round}")]);
    }
    drop(line);
    one.customer("name=meanwhile");
    let mut line = session.connect();
    assert_eq!(line.name(), "meanwhile");
    line.is_quiet();
}

#[test]
fn a_sandbox_that_both_open_at_once_is_one() {
    let database = Database::fresh();
    let peers = Peer::pair(&database);
    let bodies = at_once(&peers, CALLERS * 2, |client, _| client.get("/v1/account").text());
    let first = bodies.first().expect("somebody asked");
    assert!(bodies.iter().all(|body| body == first), "{bodies:?}");
    assert_eq!(database.query("select count(*) from cusp.accounts"), [[Some("1".to_owned())]]);
}

#[test]
fn ten_servers_start_at_once_on_an_empty_database() {
    let database = Database::fresh();
    let peers: Vec<Peer> = thread::scope(|scope| {
        let start = || Peer::at(Clock::Real, with_pool(&database.url(), 2));
        let starting: Vec<_> = (0..10).map(|_| scope.spawn(start)).collect();
        let started = starting.into_iter().map(|peer| peer.join().expect("a start ends without panic"));
        started.collect::<Result<_, _>>().unwrap_or_else(|trouble| panic!("one of them does not start: {trouble}"))
    });
    assert_eq!(database.query("select count(*), max(version) from cusp.migrations")[0][0].as_deref(), Some("1"));
    for peer in &peers {
        peer.client(KEY).customer("name=Jenny");
    }
    assert_eq!(everything(&peers[0].client(KEY), "/v1/customers").len(), 10);
}

#[test]
fn a_server_that_starts_again_has_everything() {
    let database = Database::fresh();
    let keyed = [("Idempotency-Key", "before")];
    let look = |client: &Client| {
        let mut seen = everything(client, "/v1/customers");
        seen.extend(everything(client, "/v1/events"));
        seen
    };
    let first = Peer::of(&database);
    let client = first.client(KEY);
    let made = client.exchange("POST", "/v1/customers", "name=Jenny&balance=5", &keyed);
    json(&client.post(&format!("/v1/customers/{}", text(&json(&made), "id")), "email=jenny@example.com"));
    let before = look(&client);
    drop(first);

    let second = Peer::of(&database);
    let client = second.client(KEY);
    assert_eq!(look(&client), before);
    let again = client.exchange("POST", "/v1/customers", "name=Jenny&balance=5", &keyed);
    assert_eq!((&again.body, again.header("Idempotent-Replayed")), (&made.body, Some("true")));
    assert_eq!(look(&client), before);
}
