//! Many callers at once: no update is lost, one idempotency key does one thing, one tag lets one editor through.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use crate::client::{Client, error, json};
use crate::faults::breakable;
use crate::harness::{Keeping, Server, in_every_store};
use crate::holdings::{all_held, held, loose, token, told, winner};
use crate::http::Reply;
use crate::renting;

in_every_store! {
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
    a_token_is_used_by_one,
    a_payment_method_is_attached_by_one,
    a_source_replaces_the_one_before_it,
    a_default_source_that_goes_is_no_default,
    a_customer_never_holds_one_too_many,
    a_customer_goes_once_with_all_that_it_holds,
    one_customer_is_given_a_source,
    a_key_that_is_being_worked_on_is_refused_and_then_replayed,
    readers_are_not_kept_waiting_by_a_writer,
    an_account_never_has_a_seventeenth_webhook_endpoint,
    every_change_is_told_from_the_endpoint_on,
    orders_for_a_new_email_make_one_customer,
    the_same_order_is_placed_once,
}

const CALLERS: usize = 8;
const UPDATES: usize = 12;
/// How often a race is run whose outcome hangs on the moment.
const ROUNDS: usize = 4;

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

fn orders_for_a_new_email_make_one_customer(keeping: &Keeping) {
    let server = Server::start(keeping);
    let client = Client::new(server.address(), "sk_test_race");
    renting::offer(&client, "race");
    for round in 0..ROUNDS {
        // Each asks for another number, so that none is a retry of another.
        let placed: Vec<(String, String)> = thread::scope(|scope| {
            let callers: Vec<_> = (1..=CALLERS)
                .map(|caller| {
                    let client = client.clone();
                    let email = if caller % 2 == 0 {
                        format!("new{round}@example.com")
                    } else {
                        format!(" NEW{round}@Example.com")
                    };
                    scope.spawn(move || renting::place(&client, "race", &email, caller))
                })
                .collect();
            callers.into_iter().map(|caller| caller.join().unwrap()).collect()
        });
        let orders: BTreeSet<_> = placed.iter().map(|(order, _)| order.clone()).collect();
        let customers: BTreeSet<_> = placed.iter().map(|(_, customer)| customer.clone()).collect();
        assert_eq!((orders.len(), customers.len()), (CALLERS, 1), "{placed:?}");
        let customer = customers.first().expect("there is one");
        let shown =
            renting::ask(&client, "race", "GET", &format!("/v1/customers/{customer}"), &serde_json::Value::Null);
        let shown = json(&shown);
        let listed: BTreeSet<_> =
            shown["orderIds"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect();
        assert_eq!((listed, shown["totalOrders"].as_u64()), (orders, Some(CALLERS as u64)));
    }
}

fn the_same_order_is_placed_once(keeping: &Keeping) {
    let server = Server::start(keeping);
    let client = Client::new(server.address(), "sk_test_race");
    renting::offer(&client, "race");
    let placed: BTreeSet<_> = thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| {
                let client = client.clone();
                scope.spawn(move || renting::place(&client, "race", "jenny@example.com", 2))
            })
            .collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    });
    assert_eq!(placed.len(), 1, "{placed:?}");
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
    rush_each(client, |caller| ("POST", path.to_owned(), body(caller)))
}

/// The replies of so many callers at once, each to the method, path and form that `ask` gives for its number.
fn rush_each(client: &Client, ask: impl Fn(usize) -> (&'static str, String, String)) -> Vec<Reply> {
    thread::scope(|scope| {
        let send = |caller| {
            let (client, (method, path, body)) = (client.clone(), ask(caller));
            scope.spawn(move || client.exchange(method, &path, &body, &[]))
        };
        let callers: Vec<_> = (0..CALLERS).map(send).collect();
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

fn a_token_is_used_by_one(keeping: &Keeping) {
    let server = Server::start(keeping);
    let client = Client::new(server.address(), "sk_test_race");
    let customer = client.customer("name=Jenny");
    let one = format!("/v1/customers/{customer}");
    type Ask<'a> = &'a dyn Fn(usize, &str) -> (String, String);
    let attach: Ask<'_> = &|_, token| (format!("{one}/sources"), format!("source={token}"));
    let replace: Ask<'_> = &|_, token| (one.clone(), format!("source={token}"));
    let make: Ask<'_> = &|_, token| ("/v1/customers".to_owned(), format!("source={token}"));
    let any: Ask<'_> = &|caller, token| match caller % 4 {
        0 => attach(caller, token),
        1 => replace(caller, token),
        2 => make(caller, token),
        _ => ("/v1/payment_methods".to_owned(), format!("type=card&card[token]={token}")),
    };
    for ask in [attach, replace, make, any, any, any] {
        let token = token(&client);
        let before = ["customer.source.created", "payment_method.attached", "customer.created"];
        let before = before.map(|kind| told(&client, kind));
        let replies = rush_each(&client, |caller| {
            let (path, body) = ask(caller, &token);
            ("POST", path, body)
        });
        let won = winner(&replies, "token_already_used");
        assert_eq!(json(&client.get(&format!("/v1/tokens/{token}")))["used"], true);
        let after = ["customer.source.created", "payment_method.attached", "customer.created"];
        let after = after.map(|kind| told(&client, kind));
        let attached = usize::from(won["object"] != "payment_method");
        let made = usize::from(won["id"].as_str() != Some(&customer) && won["object"] == "customer");
        assert_eq!(after, [before[0] + attached, before[1] + attached, before[2] + made], "{won}");
        all_held(&client);
    }
}

fn a_payment_method_is_attached_by_one(keeping: &Keeping) {
    let server = Server::start(keeping);
    let client = Client::new(server.address(), "sk_test_race");
    let customers = [client.customer("name=Jenny"), client.customer("name=Jane")];
    for round in 1..=ROUNDS {
        let method = loose(&client);
        let replies = rush_each(&client, |caller| match caller {
            0 => ("POST", "/v1/customers".to_owned(), format!("payment_method={method}")),
            _ => {
                let customer = &customers[caller % 2];
                ("POST", format!("/v1/payment_methods/{method}/attach"), format!("customer={customer}"))
            }
        });
        let won = replies.iter().filter(|reply| reply.status == 200).count();
        assert_eq!(
            (won, of_status(&replies, 400)),
            (1, CALLERS - 1),
            "{:?}",
            replies.iter().map(Reply::text).collect::<Vec<_>>()
        );
        let holder = json(&client.get(&format!("/v1/payment_methods/{method}")))["customer"].clone();
        let all = all_held(&client);
        let holders: Vec<_> = all.iter().filter(|(_, held)| held.methods.contains(&method)).map(|(id, _)| id).collect();
        assert_eq!(holders, [holder.as_str().unwrap()]);
        assert_eq!(told(&client, "payment_method.attached"), round);
    }
}

fn a_source_replaces_the_one_before_it(keeping: &Keeping) {
    const EACH: usize = 3;
    let server = Server::start(keeping);
    let client = Client::new(server.address(), "sk_test_race");
    let customer = client.customer("name=Jenny&source=tok_visa");
    let path = format!("/v1/customers/{customer}");
    let other = json(&client.post(&format!("{path}/sources"), "source=btok_us"))["id"].as_str().unwrap().to_owned();
    let tokens: Vec<String> = (0..CALLERS).map(|_| token(&client)).collect();
    let version = |reply: &Reply| reply.header("ETag").unwrap().trim_matches('"').parse::<usize>().unwrap();
    let before = version(&client.get(&path));
    for round in 0..EACH {
        // Names of test cards, and tokens as clients have them.
        let given = rush(&client, &path, |caller| match round {
            0 => format!("source={}", tokens[caller]),
            _ => format!("source={}", ["tok_visa", "tok_amex", "tok_mastercard"][caller % 3]),
        });
        assert_eq!(of_status(&given, 200), CALLERS);
    }
    let held = held(&client, &customer);
    assert_eq!(held.sources.len(), 2, "{held:?}");
    assert!(held.sources.contains(&other), "{held:?}");
    assert_ne!(held.default, Some(other), "the newest card is the default");
    assert_eq!(version(&client.get(&path)), before + EACH * CALLERS);
    let came = ["customer.source.created", "customer.source.deleted"].map(|kind| told(&client, kind));
    assert_eq!(came, [2 + EACH * CALLERS, EACH * CALLERS]);
    all_held(&client);
}

fn a_default_source_that_goes_is_no_default(keeping: &Keeping) {
    let server = Server::start(keeping);
    let client = Client::new(server.address(), "sk_test_race");
    for round in 0..ROUNDS * 2 {
        let customer = client.customer("source=tok_visa");
        let path = format!("/v1/customers/{customer}");
        let add =
            || json(&client.post(&format!("{path}/sources"), "source=tok_amex"))["id"].as_str().unwrap().to_owned();
        let (wanted, _) = (add(), add());
        let replies = rush_each(&client, |caller| match (caller + round) % 4 {
            0 => ("DELETE", format!("{path}/sources/{wanted}"), String::new()),
            1 => ("POST", format!("/v1/payment_methods/{wanted}/detach"), String::new()),
            2 => ("POST", path.clone(), format!("default_source={wanted}")),
            _ => ("POST", path.clone(), format!("invoice_settings[default_payment_method]={wanted}")),
        });
        let kind = |place: usize| (place + round) % 4;
        let gone = replies.iter().enumerate().filter(|(place, reply)| kind(*place) < 2 && reply.status == 200);
        assert_eq!(gone.count(), 1, "it goes once");
        assert!(replies.iter().all(|reply| [200, 400, 404].contains(&reply.status)));
        let held = held(&client, &customer);
        assert_eq!(held.sources.len(), 2, "{held:?}");
        assert!(!held.sources.contains(&wanted));
    }
    all_held(&client);
}

fn a_customer_never_holds_one_too_many(keeping: &Keeping) {
    const MOST: usize = 100;
    let server = Server::start(keeping);
    let client = Client::new(server.address(), "sk_test_race");
    let customer = client.customer("name=Jenny");
    let path = format!("/v1/customers/{customer}");
    let room = CALLERS / 2;
    for _ in 0..MOST - room {
        assert_eq!(client.post(&format!("{path}/sources"), "source=tok_visa").status, 200);
    }
    let methods: Vec<String> = (0..CALLERS).map(|_| loose(&client)).collect();
    let replies = rush_each(&client, |caller| match caller % 2 {
        0 => ("POST", format!("{path}/sources"), "source=tok_amex".to_owned()),
        _ => ("POST", format!("/v1/payment_methods/{}/attach", methods[caller]), format!("customer={customer}")),
    });
    assert_eq!((of_status(&replies, 200), of_status(&replies, 400)), (room, CALLERS - room));
    let refused = replies.iter().filter(|reply| reply.status == 400);
    assert!(refused.map(|reply| error(reply, 400)).all(|it| it["code"] == "customer_max_payment_methods"));
    assert_eq!(held(&client, &customer).methods.len(), MOST);
    // One in the place of another has room, whoever comes at once.
    let given = rush(&client, &path, |_| "source=tok_mastercard".to_owned());
    assert_eq!(of_status(&given, 200), CALLERS);
    assert_eq!(all_held(&client)[&customer].methods.len(), MOST);
}

fn a_customer_goes_once_with_all_that_it_holds(keeping: &Keeping) {
    let server = Server::start(keeping);
    let client = Client::new(server.address(), "sk_test_race");
    for round in 0..ROUNDS {
        let customer = client.customer("source=tok_visa");
        let path = format!("/v1/customers/{customer}");
        let (method, offered, token) = (loose(&client), loose(&client), token(&client));
        let attach = |method: &str| (format!("/v1/payment_methods/{method}/attach"), format!("customer={customer}"));
        let (to, form) = attach(&method);
        json(&client.post(&to, &form));
        let replies = rush_each(&client, |caller| match (caller + round) % 4 {
            0 => ("DELETE", path.clone(), String::new()),
            1 => ("POST", format!("/v1/payment_methods/{method}/detach"), String::new()),
            2 => {
                let (to, form) = attach(&offered);
                ("POST", to, form)
            }
            _ => ("POST", path.clone(), format!("source={token}")),
        });
        let of_kind = |kind: usize| {
            let mine = replies.iter().enumerate().filter(move |(place, _)| (place + round) % 4 == kind);
            mine.filter(|(_, reply)| reply.status == 200).count()
        };
        assert_eq!(of_kind(0), 1, "it is deleted once");
        assert!([1, 2, 3].iter().all(|kind| of_kind(*kind) <= 1));
        assert!(replies.iter().all(|reply| [200, 400, 404].contains(&reply.status)));
        assert_eq!(json(&client.get(&path))["deleted"], true);
        // What was not used is still there to be used; what was is not.
        let used = json(&client.get(&format!("/v1/tokens/{token}")))["used"] == true;
        assert_eq!(used, of_kind(3) == 1);
        for (method, spent) in [(&method, true), (&offered, of_kind(2) == 1)] {
            let shown = json(&client.get(&format!("/v1/payment_methods/{method}")));
            assert_eq!(shown["customer"], serde_json::Value::Null);
            let next = client.customer("name=Next");
            let again = client.post(&format!("/v1/payment_methods/{method}/attach"), &format!("customer={next}"));
            assert_eq!(again.status, if spent { 400 } else { 200 }, "{}", again.text());
        }
    }
    all_held(&client);
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

fn an_account_never_has_a_seventeenth_webhook_endpoint(keeping: &Keeping) {
    let server = Server::start(keeping);
    let client = Client::new(server.address(), "sk_test_race");
    let body = "url=https://example.com/hook&enabled_events[]=sku.created";
    let made = thread::scope(|scope| {
        let makers: Vec<_> = (0..CALLERS)
            .map(|_| {
                let client = client.clone();
                scope.spawn(move || (0..3).filter(|_| client.post("/v1/webhook_endpoints", body).status == 200).count())
            })
            .collect();
        makers.into_iter().map(|maker| maker.join().unwrap()).sum::<usize>()
    });
    assert_eq!(made, 16);
    assert_eq!(json(&client.get("/v1/webhook_endpoints?limit=100"))["data"].as_array().unwrap().len(), 16);
}

/// While customers are made, an endpoint comes: from some event on, each has its delivery, and none before has.
fn every_change_is_told_from_the_endpoint_on(keeping: &Keeping) {
    let server = Server::start(keeping);
    let client = Client::new(server.address(), "sk_test_race");
    thread::scope(|scope| {
        for _ in 0..CALLERS {
            let client = client.clone();
            scope.spawn(move || (0..UPDATES).for_each(|_| drop(client.customer("name=Jenny"))));
        }
        let body = "url=http://127.0.0.1:9/hook&enabled_events[]=customer.created";
        assert_eq!(client.post("/v1/webhook_endpoints", body).status, 200);
    });
    client.customer("name=Last");
    let events = json(&client.get("/v1/events?limit=100"));
    let told: Vec<bool> =
        events["data"].as_array().unwrap().iter().map(|event| event["pending_webhooks"] == 1).collect();
    assert_eq!(told.len(), CALLERS * UPDATES + 1);
    assert!(told[0] && told.is_sorted_by(|newer, older| newer >= older), "{told:?}");
}
