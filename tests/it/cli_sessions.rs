//! Sessions of the CLI, spoken by hand: who may connect, what is told, what ends a line, and where a session goes on that
//! comes back.

use cusp::domain::delivery::{Delivery, DeliveryState, Outcome};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::cli_line::{PROTOCOL, Session, deliveries};
use crate::client::{self, Client};
use crate::harness::{Keeping, Server, in_both_stores};
use crate::transcript::Grant;

in_both_stores! {
    an_event_is_told_signed_in_two_versions,
    only_its_own_account_is_told,
    an_id_that_is_none_does_not_connect,
    an_id_ends_with_its_time_and_its_key,
    events_are_told_in_order_and_no_more_than_are_taken,
    what_is_no_message_ends_the_line,
    a_session_goes_on_where_it_was,
    a_session_goes_on_after_a_restart,
    a_session_goes_on_in_another_history,
    an_answer_is_kept_once,
    a_session_that_connects_once_more_displaces_itself,
    an_account_has_so_many_sessions,
    a_server_that_stops_says_goodbye,
    requests_are_told_without_their_secrets,
    filters_are_kept_to,
}

const KEY: &str = "sk_test_sessions";

fn start(keeping: &Keeping) -> (Server, Client) {
    let server = Server::start(keeping);
    let client = Client::new(server.address(), KEY);
    (server, client)
}

/// What is kept of a delivery: event, state, status, body.
type Kept = (String, DeliveryState, u16, String);

/// The deliveries that are kept of a session, oldest event first, once there are so many.
fn kept(server: &Server, session: &Session, count: usize) -> Vec<Kept> {
    let mut found = Vec::new();
    while found.len() < count {
        found = deliveries(server, KEY, session.name());
    }
    let row = |delivery: Delivery| match delivery.latest.map(|attempt| attempt.outcome) {
        Some(Outcome::Answered { status, body, .. }) => (delivery.event.0, delivery.state, status, body),
        other => panic!("{other:?}"),
    };
    found.into_iter().rev().map(row).collect()
}

fn an_event_is_told_signed_in_two_versions(keeping: &Keeping) {
    let (server, client) = start(keeping);
    client.customer("name=Before");
    let session = Session::to_listen(&client, server.address());
    let mut line = session.connect();
    let id = client.customer("name=Jenny");
    let told = line.event();
    let event = told.payload();
    assert_eq!((&event["type"], &event["data"]["object"]["id"]), (&json!("customer.created"), &json!(id)));
    let shown = client::json(&client.get(&format!("/v1/events/{}", event["id"].as_str().expect("it has an id"))));
    assert_eq!(event, shown);
    for message in &told.messages {
        let headers = &message["http_headers"];
        assert_eq!(headers["Content-Type"], "application/json; charset=utf-8");
        let signature = headers["Stripe-Signature"].as_str().expect("it is signed");
        let body = message["event_payload"].as_str().expect("it is text");
        assert!(crate::stripe_cli_listen::is_signed(signature, body, session.text("secret")), "{signature}");
    }
    line.is_quiet();
}

fn only_its_own_account_is_told(keeping: &Keeping) {
    let (server, client) = start(keeping);
    let other = Client::new(server.address(), "sk_test_somebody_else");
    let mine = Session::to_listen(&client, server.address());
    let others = Session::to_listen(&other, server.address());
    assert_ne!(mine.text("secret"), others.text("secret"));
    let (mut line, mut others) = (mine.connect(), others.connect());
    client.customer("name=Mine");
    assert_eq!(line.name(), "Mine");
    others.is_quiet();
    other.customer("name=Theirs");
    assert_eq!(others.name(), "Theirs");
    line.is_quiet();
}

fn an_id_that_is_none_does_not_connect(keeping: &Keeping) {
    let (server, client) = start(keeping);
    let session = Session::to_listen(&client, server.address());
    let feature = session.text("websocket_authorized_feature");
    let unknown = (400, "Unknown WebSocket ID.".to_owned());
    let id = session.id();
    let (name, rest) = id.split_once('.').expect("it has parts");
    for wrong in ["", "x", name, &format!("cliws_x.{rest}"), &format!("{id}."), &id[..id.len() - 8], &"x".repeat(9_000)]
    {
        assert_eq!(session.connect_as(wrong, PROTOCOL, feature).err().as_ref(), Some(&unknown), "{wrong}");
    }
    // What the one is told, the other is not for.
    let refused = |outcome: Result<_, (u16, String)>| outcome.err().expect("it is refused");
    assert_eq!(refused(session.connect_as(id, PROTOCOL, "request_logs")).0, 400);
    let (status, words) = refused(session.connect_as(id, "stripecli-devproxy-v2", feature));
    assert_eq!((status, words.contains(PROTOCOL)), (400, true), "{words}");
    session.connect().is_quiet();
}

fn an_id_ends_with_its_time_and_its_key(keeping: &Keeping) {
    let (server, client) = start(keeping);
    let session = Session::to_listen(&client, server.address());
    let feature = session.text("websocket_authorized_feature");
    let unknown = Some((400, "Unknown WebSocket ID.".to_owned()));
    server.add_key(KEY, &Grant::Revoked).expect("a key can be taken back");
    assert_eq!(session.connect_as(session.id(), PROTOCOL, feature).err(), unknown, "its key was taken back");

    let restricted = "rk_test_sessions";
    let looking = Grant::Restricted(vec![("event".into(), "read".into())]);
    server.add_key(restricted, &looking).expect("a key can be limited");
    let session = Session::to_listen(&Client::new(server.address(), restricted), server.address());
    session.connect().is_quiet();
    let not_looking = Grant::Restricted(vec![("customer".into(), "write".into())]);
    server.add_key(restricted, &not_looking).expect("a key can be limited");
    assert_eq!(session.connect_as(session.id(), PROTOCOL, feature).err(), unknown, "its key may not look any more");

    server.add_key(restricted, &looking).expect("a key can be limited");
    session.connect().is_quiet();
    server.advance(7 * 24 * 60 * 60 * 1000);
    assert_eq!(session.connect_as(session.id(), PROTOCOL, feature).err(), unknown, "its time is over");
}

fn events_are_told_in_order_and_no_more_than_are_taken(keeping: &Keeping) {
    let (server, client) = start(keeping);
    let mut line = Session::to_listen(&client, server.address()).connect();
    for number in 0..80 {
        client.customer(&format!("name={number}"));
    }
    // 64 messages are under way at most, two for each event.
    let mut told: Vec<_> = (0..32).map(|_| line.event()).collect();
    line.is_quiet();
    let names = |told: &[crate::cli_line::Told]| -> Vec<String> {
        told.iter().map(|told| told.payload()["data"]["object"]["name"].as_str().expect("a name").to_owned()).collect()
    };
    assert_eq!(names(&told), (0..32).map(|number| number.to_string()).collect::<Vec<_>>());
    // What came later makes no room before what came first.
    for later in told.drain(1..) {
        line.acknowledge(&later);
    }
    line.is_quiet();
    line.acknowledge(&told[0]);
    for number in 32..80 {
        assert_eq!(line.name(), number.to_string());
    }
    line.is_quiet();
}

fn what_is_no_message_ends_the_line(keeping: &Keeping) {
    let (server, client) = start(keeping);
    let session = Session::to_listen(&client, server.address());
    for (message, code) in [
        (Message::text("hello"), CloseCode::Invalid),
        (Message::text("[]"), CloseCode::Invalid),
        (Message::text(r#"{"type":"event_ack"}"#), CloseCode::Invalid),
        (Message::text(r#"{"type":"webhook_response","status":"200"}"#), CloseCode::Invalid),
        (Message::binary(vec![0; 8]), CloseCode::Invalid),
        (Message::text("x".repeat(200_000)), CloseCode::Size),
    ] {
        let mut line = session.connect();
        line.send(message.clone());
        assert_eq!(line.end(), code, "{:.60}", message.to_string());
    }
    // What a newer CLI may have to say is let be, and so is what is about nothing.
    let mut line = session.connect();
    line.say(&json!({"type": "hello", "more": [1, 2]}));
    line.say(&json!({"type": "event_ack", "webhook_conversation_id": "wc_1_2_3"}));
    client.customer("name=Jenny");
    assert_eq!(line.name(), "Jenny");
}

fn a_session_goes_on_where_it_was(keeping: &Keeping) {
    let (server, client) = start(keeping);
    let session = Session::to_listen(&client, server.address());
    client.customer("name=while+nobody+listens");
    let mut line = session.connect();
    assert_eq!(line.name(), "while nobody listens");
    client.customer("name=taken");
    assert_eq!(line.name(), "taken");
    client.customer("name=not+taken");
    line.event();
    drop(line);
    client.customer("name=meanwhile");
    let mut line = session.connect();
    assert_eq!([line.name(), line.name()], ["not taken", "meanwhile"]);
    line.is_quiet();
}

fn a_session_goes_on_after_a_restart(keeping: &Keeping) {
    let (mut server, client) = start(keeping);
    let (session, silent) =
        (Session::to_listen(&client, server.address()), Session::to_listen(&client, server.address()));
    let (mut line, mut silent_line) = (session.connect(), silent.connect());
    client.customer("name=first");
    let told = line.event();
    line.acknowledge(&told);
    line.say(&told.answered(200, "thanks"));
    assert_eq!(silent_line.name(), "first");
    // An answer is kept before what is said behind it is heard.
    client.customer("name=second");
    line.event();
    assert_eq!(silent_line.name(), "second");
    kept(&server, &session, 1);
    server.advance(11 * 60 * 1000);
    server.restart();
    let client = Client::new(server.address(), KEY);
    client.customer("name=third");
    let mut line = session.at(server.address()).connect();
    assert_eq!([line.name(), line.name()], ["second", "third"], "what follows the last answer");
    // One that answers nothing hears what is not long ago.
    let mut silent_line = silent.at(server.address()).connect();
    assert_eq!(silent_line.name(), "third");
    silent_line.is_quiet();
}

fn a_session_goes_on_in_another_history(keeping: &Keeping) {
    let (server, client) = start(keeping);
    let path = "/cusp/v1/sandbox";
    let ask = |method, path: &str| client.exchange(method, path, "", &[]);
    client.customer("name=Before");
    let snapshot = client::json(&ask("POST", &format!("{path}/snapshots")))["id"].as_str().unwrap().to_owned();
    server.advance(1);
    let session = Session::to_listen(&client, server.address());
    let mut line = session.connect();
    client.customer("name=One");
    client.customer("name=Two");
    assert_eq!([line.name(), line.name()], ["One", "Two"]);
    client::json(&ask("DELETE", path));
    client.customer("name=Three");
    assert_eq!(line.name(), "Three");
    // As many as before, at the same places.
    client::json(&ask("DELETE", path));
    client.customer("name=Four");
    assert_eq!(line.name(), "Four");
    client.customer("name=Five");
    client.customer("name=Six");
    assert_eq!([line.name(), line.name()], ["Five", "Six"]);
    // What was there before the session began is not told.
    client::json(&ask("POST", &format!("{path}/snapshots/{snapshot}/restore")));
    client.customer("name=Seven");
    assert_eq!(line.name(), "Seven");
    line.is_quiet();
}

fn an_answer_is_kept_once(keeping: &Keeping) {
    let (server, client) = start(keeping);
    let session = Session::to_listen(&client, server.address());
    let mut line = session.connect();
    for name in ["one", "two"] {
        client.customer(&format!("name={name}"));
    }
    let [one, two] = [line.event(), line.event()];
    for told in [&one, &two] {
        line.acknowledge(told);
    }
    let mut nowhere = one.answered(200, "");
    nowhere["webhook_id"] = json!("evt_none");
    let mut other = one.answered(200, "");
    other["webhook_id"] = two.messages[0]["webhook_id"].clone();
    // Of what was not sent there is no answer.
    let mut forged = one.answered(500, "");
    let mut parts: Vec<&str> =
        one.messages[0]["webhook_conversation_id"].as_str().expect("a name").split('_').collect();
    parts[3] = "99";
    forged["webhook_conversation_id"] = json!(parts.join("_"));
    for answer in [one.answered(500, "oops: 4242424242424242"), one.answered(500, "oops"), nowhere, other, forged] {
        line.say(&answer);
    }
    line.say(&two.answered(204, ""));
    // It is kept when what came behind it has come.
    client.customer("name=three");
    assert_eq!(line.name(), "three");
    let event = |told: &crate::cli_line::Told| told.payload()["id"].as_str().expect("an id").to_owned();
    let expected = [
        (event(&one), DeliveryState::Failed, 500, "oops".to_owned()),
        (event(&two), DeliveryState::Succeeded, 204, String::new()),
    ];
    assert_eq!(kept(&server, &session, 2), expected);
    let shown = client::json(&client.get(&format!("/v1/events/{}", event(&one))));
    assert_eq!(shown["pending_webhooks"], 0, "nobody is going to send it again");
}

fn a_session_that_connects_once_more_displaces_itself(keeping: &Keeping) {
    let (server, client) = start(keeping);
    let session = Session::to_listen(&client, server.address());
    let mut old = session.connect();
    let mut new = session.connect();
    assert_eq!(old.end(), CloseCode::Policy);
    client.customer("name=Jenny");
    assert_eq!(new.name(), "Jenny");
}

fn an_account_has_so_many_sessions(keeping: &Keeping) {
    let (server, client) = start(keeping);
    let session = || Session::to_listen(&client, server.address());
    let mut lines: Vec<_> = (0..32).map(|_| session().connect()).collect();
    let one_more = session();
    let feature = one_more.text("websocket_authorized_feature");
    let refused = one_more.connect_as(one_more.id(), PROTOCOL, feature).err().expect("it is one too many");
    assert_eq!(refused.0, 429);
    let other = Client::new(server.address(), "sk_test_somebody_else");
    Session::to_listen(&other, server.address()).connect().is_quiet();
    // One that goes makes room.
    lines.pop();
    while one_more.connect_as(one_more.id(), PROTOCOL, feature).is_err() {
        std::thread::yield_now();
    }
    client.customer("name=Jenny");
    for line in &mut lines {
        assert_eq!(line.name(), "Jenny");
    }
}

fn a_server_that_stops_says_goodbye(keeping: &Keeping) {
    let (mut server, client) = start(keeping);
    let mut lines = [
        Session::to_listen(&client, server.address()).connect(),
        Session::asked(&client, server.address(), "websocket_features[]=request_logs").connect(),
    ];
    for line in &mut lines {
        line.is_quiet();
    }
    std::thread::scope(|scope| {
        scope.spawn(|| server.restart());
        for line in &mut lines {
            assert_eq!(line.end(), CloseCode::Away);
        }
    });
}

fn requests_are_told_without_their_secrets(keeping: &Keeping) {
    let (server, client) = start(keeping);
    let session = Session::asked(&client, server.address(), "websocket_features[]=request_logs");
    let mut line = session.connect();
    line.is_quiet();
    let payload = |message: &Value| -> Value {
        assert_eq!(message["type"], "request_log_event");
        serde_json::from_str(message["event_payload"].as_str().expect("it is text")).expect("it is JSON")
    };
    let reply = client.get("/v1/customers?email=jenny@example.com&limit=1");
    assert_eq!(
        payload(&line.hear()),
        json!({
            "created_at": 1_772_366_400, "error": {}, "livemode": false, "method": "GET",
            "request_id": reply.header("Request-Id"), "status": 200, "url": "/v1/customers",
        })
    );
    client.get("/v1/tokens/4242424242424242");
    let told = line.hear();
    assert!(!told.to_string().contains("42424242"), "{told}");
    assert_eq!(payload(&told)["error"]["code"], "resource_missing");
    client.get("/v1/setup_intents/seti_1_secret_sesame");
    let told = line.hear();
    assert!(!told.to_string().contains("sesame"), "{told}");
    client.post("/v1/setup_intents", "payment_method=pm_card_chargeDeclined&confirm=true");
    let told = payload(&line.hear());
    assert_eq!((&told["status"], &told["error"]["decline_code"]), (&json!(402), &json!("generic_decline")));
    assert!(told["error"].as_object().is_some_and(|error| !error.contains_key("payment_method")));
    // Cusp's own API is told of, too; what another account asks is not.
    Client::new(server.address(), "sk_test_somebody_else").get("/v1/customers");
    client.get("/cusp/v1/moon");
    client.get("/v1/customers");
    assert_eq!(payload(&line.hear())["url"], "/v1/customers");
    line.is_quiet();
}

fn filters_are_kept_to(keeping: &Keeping) {
    let (server, client) = start(keeping);
    let form = "websocket_features[]=request_logs&filters={\"filter_http_method\":[\"POST\"],\"filter_status_code_type\":[\"400\"]}";
    let mut line = Session::asked(&client, server.address(), form).connect();
    line.is_quiet();
    client.get("/v1/customers/cus_none");
    client.customer("name=Jenny");
    client.post("/v1/customers", "email=nobody");
    let told = line.hear();
    assert!(told["event_payload"].as_str().is_some_and(|payload| payload.contains("email_invalid")), "{told}");
    line.is_quiet();
}
