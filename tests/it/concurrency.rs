//! Many callers at once: no update is lost, one idempotency key does one thing, one tag lets one editor through.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use crate::client::{Client, error, json};
use crate::faults::breakable;
use crate::harness::{Keeping, Server, in_both_stores};
use crate::http::Reply;

in_both_stores! {
    no_update_is_lost,
    one_tag_lets_one_editor_through,
    one_idempotency_key_does_one_thing,
    all_money_that_arrives_is_there,
    one_promotion_code_of_a_word_becomes_active,
    one_coupon_has_an_id,
    the_last_redemption_is_given_once,
    every_redemption_counts,
    a_customer_never_has_a_sixth_tax_id,
    an_intent_is_confirmed_once,
    a_payment_method_is_set_up_for_one_customer,
    one_customer_is_given_a_source,
    a_key_that_is_being_worked_on_is_refused_and_then_replayed,
    readers_are_not_kept_waiting_by_a_writer,
}

const CALLERS: usize = 8;
const UPDATES: usize = 12;

fn no_update_is_lost(keeping: &Keeping) {
    let server = Server::start(keeping);
    let client = Client::new(server.address(), "sk_test_race");
    let id = client.customer("name=Jenny");
    thread::scope(|scope| {
        for caller in 0..CALLERS {
            let (client, id) = (client.clone(), id.clone());
            scope.spawn(move || {
                for update in 0..UPDATES {
                    let body = format!("metadata[k{caller}]={update}");
                    assert_eq!(client.post(&format!("/v1/customers/{id}"), &body).status, 200);
                    let amount = "amount=1&currency=usd";
                    assert_eq!(client.post(&format!("/v1/customers/{id}/balance_transactions"), amount).status, 200);
                }
            });
        }
    });
    let reply = client.get(&format!("/v1/customers/{id}"));
    let customer = json(&reply);
    let last = (UPDATES - 1).to_string();
    for caller in 0..CALLERS {
        assert_eq!(customer["metadata"][format!("k{caller}")], last.as_str());
    }
    let changes = CALLERS * UPDATES * 2;
    assert_eq!(customer["balance"], CALLERS * UPDATES);
    assert_eq!(reply.header("ETag"), Some(format!("\"{}\"", changes + 1).as_str()));
    let ledger = json(&client.get(&format!("/v1/customers/{id}/balance_transactions?limit=100")));
    let endings: Vec<i64> =
        ledger["data"].as_array().unwrap().iter().map(|entry| entry["ending_balance"].as_i64().unwrap()).collect();
    assert_eq!(endings, (1..=(CALLERS * UPDATES) as i64).rev().collect::<Vec<_>>());
}

fn one_tag_lets_one_editor_through(keeping: &Keeping) {
    let server = Server::start(keeping);
    let client = Client::new(server.address(), "sk_test_race");
    let id = client.customer("name=Jenny");
    let path = format!("/v1/customers/{id}");
    let through = thread::scope(|scope| {
        let editors: Vec<_> = (0..CALLERS)
            .map(|editor| {
                let (client, path) = (client.clone(), path.clone());
                let body = format!("name=editor+{editor}");
                scope.spawn(move || client.exchange("POST", &path, &body, &[("If-Match", "\"1\"")]).status)
            })
            .collect();
        editors.into_iter().map(|editor| editor.join().unwrap()).filter(|status| *status == 200).count()
    });
    assert_eq!(through, 1);
    assert_eq!(client.get(&path).header("ETag"), Some("\"2\""));
}

fn one_idempotency_key_does_one_thing(keeping: &Keeping) {
    let server = Server::start(keeping);
    let client = Client::new(server.address(), "sk_test_race");
    let replies: Vec<_> = thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| {
                let client = client.clone();
                scope.spawn(move || {
                    client.exchange("POST", "/v1/customers", "name=Once", &[("Idempotency-Key", "race")])
                })
            })
            .collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    });
    let bodies: BTreeSet<_> =
        replies.iter().filter(|reply| reply.status == 200).map(|reply| reply.body.clone()).collect();
    assert_eq!(bodies.len(), 1, "every answer is the same");
    assert!(replies.iter().all(|reply| [200, 409].contains(&reply.status)));
    assert_eq!(json(&client.get("/v1/customers"))["data"].as_array().unwrap().len(), 1);
}

/// The replies of so many callers who post at once, each what `body` says for its number.
fn rush(client: &Client, path: &str, body: impl Fn(usize) -> String) -> Vec<Reply> {
    thread::scope(|scope| {
        let post = |caller| {
            let (client, body) = (client.clone(), body(caller));
            scope.spawn(move || client.post(path, &body))
        };
        let callers: Vec<_> = (0..CALLERS).map(post).collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    })
}

fn of_status(replies: &[Reply], status: u16) -> usize {
    replies.iter().filter(|reply| reply.status == status).count()
}

fn one_customer_is_given_a_source(keeping: &Keeping) {
    let server = Server::start(keeping);
    let client = Client::new(server.address(), "sk_test_race");
    for _ in 0..4 {
        let made = client.post("/v1/sources", "type=ach_credit_transfer&currency=usd&owner[email]=jenny@example.com");
        let id = json(&made)["id"].as_str().unwrap().to_owned();
        let replies = rush(&client, "/v1/customers", |caller| format!("name={caller}&source={id}"));
        assert_eq!((of_status(&replies, 200), of_status(&replies, 400)), (1, CALLERS - 1));
        let holder = replies.iter().find(|reply| reply.status == 200).map(json).unwrap();
        let source = json(&client.get(&format!("/v1/sources/{id}")));
        assert_eq!((&source["customer"], &holder["default_source"]), (&holder["id"], &source["id"]));
    }
}

fn all_money_that_arrives_is_there(keeping: &Keeping) {
    let server = Server::start(keeping);
    let client = Client::new(server.address(), "sk_test_race");
    let id = client.customer("name=Jenny");
    let path = format!("/v1/test_helpers/customers/{id}/fund_cash_balance");
    let currency = |caller: usize| if caller.is_multiple_of(2) { "eur" } else { "usd" };
    let rounds = 4;
    for _ in 0..rounds {
        let arrived = rush(&client, &path, |caller| format!("amount={}&currency={}", caller + 1, currency(caller)));
        assert_eq!(of_status(&arrived, 200), CALLERS);
    }
    let sum = |of: &str| rounds * (0..CALLERS).filter(|caller| currency(*caller) == of).map(|it| it + 1).sum::<usize>();
    let reply = client.get(&format!("/v1/customers/{id}?expand[]=cash_balance"));
    let available = json(&reply)["cash_balance"]["available"].clone();
    assert_eq!(available, serde_json::json!({"eur": sum("eur"), "usd": sum("usd")}));
    assert_eq!(reply.header("ETag"), Some(format!("\"{}\"", 1 + rounds * CALLERS).as_str()));
    let ledger = json(&client.get(&format!("/v1/customers/{id}/cash_balance_transactions?limit=100")));
    for of in ["eur", "usd"] {
        // Newest first: each ends where the next one began.
        let mut holds = sum(of) as i64;
        for entry in ledger["data"].as_array().unwrap().iter().filter(|entry| entry["currency"] == of) {
            assert_eq!(entry["ending_balance"], holds);
            holds -= entry["net_amount"].as_i64().unwrap();
        }
        assert_eq!(holds, 0);
    }
}

fn one_promotion_code_of_a_word_becomes_active(keeping: &Keeping) {
    const OF_COUPON: &str = "promotion[type]=coupon&promotion[coupon]=RACE";
    let server = Server::start(keeping);
    let client = Client::new(server.address(), "sk_test_race");
    assert_eq!(client.post("/v1/coupons", "id=RACE&percent_off=10").status, 200);
    let customer = client.customer("name=Jenny");

    // Some for everybody, some for one customer, in several spellings: any two of them are in each other's way.
    let word = |caller: usize| if caller.is_multiple_of(3) { "fall" } else { "FALL" };
    let bearer = |caller: usize| if caller.is_multiple_of(2) { String::new() } else { format!("&customer={customer}") };
    let made =
        rush(&client, "/v1/promotion_codes", |caller| format!("{OF_COUPON}&code={}{}", word(caller), bearer(caller)));
    assert_eq!((of_status(&made, 200), of_status(&made, 400)), (1, CALLERS - 1));

    let sleeping: Vec<String> = (0..CALLERS)
        .map(|_| {
            let made = json(&client.post("/v1/promotion_codes", &format!("{OF_COUPON}&code=SPRING&active=false")));
            made["id"].as_str().unwrap().to_owned()
        })
        .collect();
    let woken: Vec<Reply> = thread::scope(|scope| {
        let wake = |id: &String| {
            let (client, path) = (client.clone(), format!("/v1/promotion_codes/{id}"));
            scope.spawn(move || client.post(&path, "active=true"))
        };
        let callers: Vec<_> = sleeping.iter().map(wake).collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    });
    assert_eq!((of_status(&woken, 200), of_status(&woken, 400)), (1, CALLERS - 1));
    let active = json(&client.get("/v1/promotion_codes?active=true"));
    assert_eq!(active["data"].as_array().unwrap().len(), 2);
    let updates = json(&client.get("/v1/events?type=promotion_code.updated"));
    assert_eq!(updates["data"].as_array().unwrap().len(), 1);
}

fn one_coupon_has_an_id(keeping: &Keeping) {
    let server = Server::start(keeping);
    let client = Client::new(server.address(), "sk_test_race");
    let made = rush(&client, "/v1/coupons", |caller| format!("id=RACE&percent_off={}", caller + 1));
    assert_eq!((of_status(&made, 200), of_status(&made, 400)), (1, CALLERS - 1));
    let winner = made.iter().find(|reply| reply.status == 200).unwrap();
    assert_eq!(client.get("/v1/coupons/RACE").body, winner.body);
    assert_eq!(json(&client.get("/v1/events"))["data"].as_array().unwrap().len(), 1);
}

fn the_last_redemption_is_given_once(keeping: &Keeping) {
    let server = Server::start(keeping);
    let client = Client::new(server.address(), "sk_test_race");
    assert_eq!(client.post("/v1/coupons", "id=LAST&percent_off=10&max_redemptions=1").status, 200);
    assert_eq!(client.post("/v1/coupons", "id=MANY&percent_off=10").status, 200);
    let code = "promotion[type]=coupon&promotion[coupon]=MANY&code=LAST&max_redemptions=1";
    let code = json(&client.post("/v1/promotion_codes", code))["id"].as_str().unwrap().to_owned();
    for wish in ["coupon=LAST".to_owned(), format!("promotion_code={code}")] {
        let made = rush(&client, "/v1/customers", |_| wish.clone());
        assert_eq!((of_status(&made, 200), of_status(&made, 400)), (1, CALLERS - 1), "{wish}");
        let refused = made.iter().filter(|reply| reply.status == 400);
        assert!(refused.map(|reply| error(reply, 400)).all(|problem| problem["code"] == "coupon_expired"));
    }
    let redeemed = |path: &str| json(&client.get(path))["times_redeemed"].clone();
    for path in ["/v1/coupons/LAST", "/v1/coupons/MANY", &format!("/v1/promotion_codes/{code}")] {
        assert_eq!(redeemed(path), 1, "{path}");
    }
    assert_eq!(json(&client.get("/v1/customers"))["data"].as_array().unwrap().len(), 2);
}

fn every_redemption_counts(keeping: &Keeping) {
    let server = Server::start(keeping);
    let client = Client::new(server.address(), "sk_test_race");
    assert_eq!(client.post("/v1/coupons", "id=MANY&percent_off=10").status, 200);
    let path = format!("/v1/customers/{}", client.customer("name=Jenny"));
    let given = rush(&client, &path, |caller| format!("coupon=MANY&metadata[k{caller}]=1"));
    assert_eq!(of_status(&given, 200), CALLERS);
    assert_eq!(json(&client.get("/v1/coupons/MANY"))["times_redeemed"], CALLERS);
    let customer = json(&client.get(&path));
    assert_eq!(customer["metadata"].as_object().unwrap().len(), CALLERS);
    let told = json(&client.get("/v1/events?type=customer.discount.*&limit=100"));
    let told = told["data"].as_array().unwrap();
    assert_eq!(told[0]["data"]["object"]["id"], customer["discount"]["id"]);
    let made = told.iter().filter(|event| event["type"] == "customer.discount.created").count();
    assert_eq!((told.len(), made), (CALLERS, 1));
}

fn a_customer_never_has_a_sixth_tax_id(keeping: &Keeping) {
    const MOST: usize = 5;
    let server = Server::start(keeping);
    let client = Client::new(server.address(), "sk_test_race");
    let customer = client.customer("name=Jenny");
    let path = format!("/v1/customers/{customer}/tax_ids");
    let made = rush(&client, &path, |caller| format!("type=us_ein&value=12-345678{caller}"));
    assert_eq!((of_status(&made, 200), of_status(&made, 400)), (MOST, CALLERS - MOST));
    let listed = json(&client.get(&path));
    let listed: BTreeSet<&str> =
        listed["data"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
    let made: Vec<_> = made.iter().filter(|reply| reply.status == 200).map(json).collect();
    assert_eq!(listed, made.iter().map(|it| it["id"].as_str().unwrap()).collect());
    let told = json(&client.get("/v1/events?type=customer.tax_id.created"));
    assert_eq!(told["data"].as_array().unwrap().len(), MOST);
}

fn types_told(client: &Client, filter: &str) -> usize {
    let told = json(&client.get(&format!("/v1/events?limit=100&type={filter}")));
    told["data"].as_array().unwrap().len()
}

fn an_intent_is_confirmed_once(keeping: &Keeping) {
    let server = Server::start(keeping);
    let client = Client::new(server.address(), "sk_test_race");
    let customer = client.customer("name=Jenny");
    for (card, step, attached) in
        [("pm_card_visa", "succeeded", 1), ("pm_card_authenticationRequired", "requires_action", 1)]
    {
        let wish = format!("customer={customer}&payment_method={card}");
        let made = json(&client.post("/v1/setup_intents", &wish));
        let id = made["id"].as_str().unwrap();
        let confirmed = rush(&client, &format!("/v1/setup_intents/{id}/confirm"), |_| String::new());
        assert_eq!((of_status(&confirmed, 200), of_status(&confirmed, 400)), (1, CALLERS - 1), "{card}");
        let refused = confirmed.iter().filter(|reply| reply.status == 400);
        assert!(refused.map(|reply| error(reply, 400)).all(|it| it["code"] == "setup_intent_unexpected_state"));
        let attempts = json(&client.get(&format!("/v1/setup_attempts?setup_intent={id}")));
        assert_eq!(attempts["data"].as_array().unwrap().len(), 1);
        assert_eq!(types_told(&client, &format!("setup_intent.{step}")), 1);
        assert_eq!(types_told(&client, "payment_method.attached"), attached);
    }
}

fn a_payment_method_is_set_up_for_one_customer(keeping: &Keeping) {
    let server = Server::start(keeping);
    let client = Client::new(server.address(), "sk_test_race");
    let method = json(&client.post("/v1/payment_methods", "type=card&card[token]=tok_visa"));
    let method = method["id"].as_str().unwrap();
    let intents: Vec<String> = (0..CALLERS)
        .map(|_| {
            let customer = client.customer("name=Jenny");
            let made = client.post("/v1/setup_intents", &format!("customer={customer}&payment_method={method}"));
            json(&made)["id"].as_str().unwrap().to_owned()
        })
        .collect();
    let confirmed: Vec<Reply> = thread::scope(|scope| {
        let confirm = |id: &String| {
            let (client, path) = (client.clone(), format!("/v1/setup_intents/{id}/confirm"));
            scope.spawn(move || client.post(&path, ""))
        };
        let callers: Vec<_> = intents.iter().map(confirm).collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    });
    assert_eq!(of_status(&confirmed, 200), 1);
    // Who comes while another one has it is told to try again.
    assert_eq!(of_status(&confirmed, 400) + of_status(&confirmed, 429), CALLERS - 1);
    assert_eq!(types_told(&client, "payment_method.attached"), 1);
    assert_eq!(types_told(&client, "setup_intent.succeeded"), 1);
    let holder = json(&client.get(&format!("/v1/payment_methods/{method}")))["customer"].clone();
    let winner = confirmed.iter().find(|reply| reply.status == 200).unwrap();
    assert_eq!(json(winner)["customer"], holder);
}

fn a_key_that_is_being_worked_on_is_refused_and_then_replayed(keeping: &Keeping) {
    let (server, store) = breakable(keeping);
    let client = Client::new(server.address(), "sk_test_race");
    client.customer("name=Before");
    let keyed = [("Idempotency-Key", "slow")];
    store.hold();
    let slow = || {
        let client = client.clone();
        thread::spawn(move || client.exchange("POST", "/v1/customers", "name=Slow", &keyed))
    };
    let (one, other) = (slow(), slow());
    let began = Instant::now();
    while !one.is_finished() && !other.is_finished() {
        assert!(began.elapsed() < Duration::from_secs(20), "nobody was refused");
        thread::yield_now();
    }
    let (refused, working) = if one.is_finished() { (one, other) } else { (other, one) };
    let problem = error(&refused.join().unwrap(), 409);
    assert_eq!(problem["code"], "idempotency_key_in_use");
    assert_eq!(problem["type"], "idempotency_error");
    store.release();
    assert_eq!(json(&working.join().unwrap())["name"], "Slow");
    let replay = client.exchange("POST", "/v1/customers", "name=Slow", &keyed);
    assert_eq!((replay.status, replay.header("Idempotent-Replayed")), (200, Some("true")));
    assert_eq!(json(&client.get("/v1/customers"))["data"].as_array().unwrap().len(), 2);
}

fn readers_are_not_kept_waiting_by_a_writer(keeping: &Keeping) {
    let (server, store) = breakable(keeping);
    let client = Client::new(server.address(), "sk_test_race");
    let id = client.customer("name=Before");
    store.hold();
    let writing = thread::spawn({
        let (client, path) = (client.clone(), format!("/v1/customers/{id}"));
        move || client.post(&path, "name=After")
    });
    assert_eq!(json(&client.get(&format!("/v1/customers/{id}")))["name"], "Before");
    store.release();
    assert_eq!(json(&writing.join().unwrap())["name"], "After");
}
