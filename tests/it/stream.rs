//! The event stream: everything in its order, nothing missed and nothing twice, whoever comes back and whatever goes on
//! meanwhile; and nobody waits for who does not read.

use std::collections::HashSet;
use std::io::BufReader;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cusp::domain::account::Mode;
use cusp::domain::api_key::{Access, KeyKind, Resource};
use cusp::domain::ids::AccountId;
use cusp::domain::time::Time;
use cusp::ids::Ids;
use cusp::settings::Openness;
use cusp::{engine, identity};
use serde_json::{Value, json};
use tokio::net::TcpSocket;
use tokio::runtime::Builder;

use crate::client::{self, Client, error};
use crate::connection::{Connection, percent_encoded};
use crate::dice::Dice;
use crate::fleet::{Peer, everything, text};
use crate::harness::{Keeping, Server, in_every_store};
use crate::http::Reply;
use crate::listener::{Listener, Told, ask, head};
use crate::postgres::Database;
use crate::program_server::ProgramServer;
use crate::transcript::Grant;

const KEY: &str = "sk_test_stream";
/// How soon a change on one server may be told on another: it is looked for four times a second.
const SOON: Duration = Duration::from_secs(20);

in_every_store! {
    events_are_told_as_they_happen_and_as_they_can_be_retrieved,
    a_stream_begins_where_it_is_asked_to,
    a_client_that_comes_back_misses_nothing_and_hears_nothing_twice,
    a_client_that_heard_nothing_yet_misses_nothing_when_it_comes_back,
    filters_let_pass_what_they_say,
    what_happens_through_any_api_is_told_in_one_sequence,
    events_are_told_in_the_version_that_is_asked_for,
    who_has_nothing_to_tell_says_so_now_and_then,
    nobody_hears_of_another_account,
    a_stream_ends_when_its_key_is_revoked,
    streams_of_an_account_are_bounded,
}

fn client(server: &Server) -> Client {
    Client::new(server.address(), KEY)
}

/// The ids of all events there are, oldest first.
fn history(client: &Client) -> Vec<String> {
    let mut ids: Vec<String> = everything(client, "/v1/events").iter().map(|event| text(event, "id")).collect();
    ids.reverse();
    ids
}

fn events_are_told_as_they_happen_and_as_they_can_be_retrieved(keeping: &Keeping) {
    let server = Server::start(keeping);
    let client = client(&server);
    let mut listener = Listener::open(server.address(), KEY, "", &[]);
    let id = client.customer("name=Ada&source=tok_visa");
    client.post(&format!("/v1/customers/{id}"), "name=%C3%89lan%0Avital");
    client.post("/v1/coupons", "id=ten&percent_off=10");
    client.exchange("DELETE", &format!("/v1/customers/{id}"), "", &[]);
    let ids = history(&client);
    assert!(ids.len() >= 5, "{ids:?}");
    for id in ids {
        let told = listener.event();
        assert_eq!(told["id"], id.as_str());
        assert_eq!(told, client::json(&client.get(&format!("/v1/events/{id}"))));
    }
}

fn a_stream_begins_where_it_is_asked_to(keeping: &Keeping) {
    let server = Server::start(keeping);
    let client = client(&server);
    for name in ["a", "b", "c"] {
        client.customer(&format!("name={name}"));
    }
    let ids = history(&client);
    let begins = |query: &str, headers: &[(&str, &str)]| Listener::open(server.address(), KEY, query, headers);
    let mut streams = vec![
        (begins("from=start", &[]), 0),
        (begins("last_event_id=start", &[]), 0),
        (begins(&format!("last_event_id={}", ids[0]), &[]), 1),
        (begins("", &[("Last-Event-ID", &ids[1])]), 2),
        // The header of a client that comes back counts for more than the URL that it came with at first.
        (begins("from=start", &[("Last-Event-ID", &ids[1])]), 2),
        (begins(&format!("last_event_id={}", ids[0]), &[("Last-Event-ID", &ids[2])]), 3),
        (begins("from=now", &[]), 3),
        (begins("", &[("Last-Event-ID", "")]), 3),
    ];
    client.customer("name=d");
    let ids = history(&client);
    for (listener, place) in &mut streams {
        let heard: Vec<Value> = (*place..4).map(|_| listener.event()["id"].clone()).collect();
        assert_eq!(json!(heard), json!(ids[*place..]));
    }
}

/// Reads events until `goal` is heard, now and then losing the connection.
fn read_with_interruptions(address: SocketAddr, mut dice: Dice, goal: impl Fn(&[String]) -> bool) -> Vec<String> {
    let (mut heard, mut last): (Vec<String>, Option<String>) = (Vec::new(), None);
    while !goal(&heard) {
        let mut listener = Listener::again(address, KEY, "from=start&heartbeat=1", last.as_deref());
        for _ in 0..dice.below(40) {
            match listener.hear().expect("the stream goes on") {
                Told::Event(id, ..) => heard.push(id),
                Told::Comment(_) => {}
                Told::End => break,
            }
            if goal(&heard) {
                break;
            }
        }
        // What came behind the last event and was not read is lost with the connection.
        last = listener.last.or(last);
    }
    heard
}

fn a_client_that_comes_back_misses_nothing_and_hears_nothing_twice(keeping: &Keeping) {
    const WRITERS: usize = 4;
    const CUSTOMERS: usize = 40;
    let server = Server::start(keeping);
    let all = WRITERS * CUSTOMERS * 2;
    let dice = Dice::of_the_run("STREAM_SEED");
    let heard = thread::scope(|scope| {
        for writer in 0..WRITERS {
            let client = client(&server);
            scope.spawn(move || {
                for number in 0..CUSTOMERS {
                    let id = client.customer(&format!("name={writer}-{number}"));
                    assert_eq!(client.post(&format!("/v1/customers/{id}"), "name=changed").status, 200);
                }
            });
        }
        let readers: Vec<_> = (0..3)
            .map(|reader| {
                let (address, dice) = (server.address(), dice.for_number(reader));
                scope.spawn(move || read_with_interruptions(address, dice, |heard| heard.len() >= all))
            })
            .collect();
        readers.into_iter().map(|reader| reader.join().expect("a reader ends")).collect::<Vec<_>>()
    });
    let history = history(&client(&server));
    assert_eq!(history.len(), all);
    for heard in heard {
        assert_eq!(heard, history);
    }
}

fn a_client_that_heard_nothing_yet_misses_nothing_when_it_comes_back(keeping: &Keeping) {
    let server = Server::start(keeping);
    let client = client(&server);
    // Of an account without any event, and of one with some.
    for name in ["first", "second"] {
        let mut listener = Listener::open(server.address(), KEY, "heartbeat=1", &[]);
        assert!(listener.is_quiet());
        let last = listener.last.take().expect("the stream says where it begins");
        drop(listener);
        client.customer(&format!("name={name}"));
        let mut listener = Listener::again(server.address(), KEY, "heartbeat=1", Some(&last));
        assert_eq!(listener.event()["data"]["object"]["name"], name);
        assert!(listener.is_quiet());
    }
}

fn filters_let_pass_what_they_say(keeping: &Keeping) {
    let server = Server::start(keeping);
    let client = client(&server);
    let ada = client.customer("name=Ada");
    let bob = client.customer("name=Bob");
    client.post("/v1/coupons", "id=ten&percent_off=10");
    client.post(&format!("/v1/customers/{ada}/sources"), "source=tok_visa");
    client.post(&format!("/v1/customers/{bob}/tax_ids"), "type=eu_vat&value=DE123456789");
    client.post(&format!("/v1/customers/{bob}"), "coupon=ten");
    client.exchange("DELETE", "/v1/coupons/ten", "", &[]);
    let all = everything(&client, "/v1/events");
    let kinds: HashSet<String> = all.iter().map(|event| text(event, "type")).collect();
    assert!(kinds.contains("customer.source.created") && kinds.contains("customer.discount.created"), "{kinds:?}");

    let about = |event: &Value, id: &str| {
        let object = &event["data"]["object"];
        object["id"] == id || object["customer"] == id
    };
    let check = |query: &str, expected: &dyn Fn(&Value) -> bool| {
        let expected: Vec<String> =
            all.iter().rev().filter(|event| expected(event)).map(|event| text(event, "id")).collect();
        assert!(!expected.is_empty(), "{query}");
        let mut listener = Listener::open(server.address(), KEY, &format!("from=start&heartbeat=1&{query}"), &[]);
        let heard: Vec<String> = expected.iter().map(|_| text(&listener.event(), "id")).collect();
        assert_eq!(heard, expected, "{query}");
        assert!(listener.is_quiet(), "{query}");
    };
    let is = |event: &Value, kinds: &[&str]| kinds.contains(&event["type"].as_str().unwrap());
    let begins = |event: &Value, head: &str| event["type"].as_str().unwrap().starts_with(head);
    check("types=*", &|_| true);
    check("types=customer.created", &|event| is(event, &["customer.created"]));
    check("types=customer.created,coupon.deleted", &|event| is(event, &["customer.created", "coupon.deleted"]));
    check("types=coupon.*&types=customer.created", &|event| {
        begins(event, "coupon.") || is(event, &["customer.created"])
    });
    check("types=customer.*", &|event| begins(event, "customer."));
    check(&format!("object={ada}"), &|event| about(event, &ada));
    check(&format!("object={bob}&types=customer.*"), &|event| about(event, &bob) && begins(event, "customer."));
    check("object=ten", &|event| event["data"]["object"]["id"] == "ten");
}

fn what_happens_through_any_api_is_told_in_one_sequence(keeping: &Keeping) {
    let server = Server::start(keeping);
    let client = client(&server);
    let mut listener = Listener::open(server.address(), KEY, "heartbeat=1", &[]);
    // Each is told in the words of its API; the frame around it names all of them in the same way.
    let mut next = || loop {
        match listener.hear().expect("the stream goes on") {
            Told::Event(_, kind, data) => return (kind, data),
            Told::Comment(_) => {}
            Told::End => panic!("the stream ended"),
        }
    };
    let made = |reply: Reply| {
        assert_eq!(reply.status, 201, "{}", reply.text());
        client::body(&reply)
    };

    let ada = client.customer("name=Ada&email=ada@example.com");
    assert_eq!(next().0, "customer.created");
    let path = format!("/api/v1/customers/{ada}");
    client.exchange_json("PATCH", &path, r#"{"name": "Ada Lovelace"}"#, &[]);
    let (kind, told) = next();
    assert_eq!((kind.as_str(), &told["data"]["object"]["name"]), ("customer.updated", &json!("Ada Lovelace")));
    let address = made(client.exchange_json(
        "POST",
        &format!("{path}/addresses"),
        r#"{"region": "Pwani", "city": "Bagamoyo", "country": "TZ"}"#,
        &[],
    ));
    let (kind, told) = next();
    assert_eq!((kind.as_str(), &told["event_type"]), ("address.created", &json!("address.created")));
    assert_eq!(told["data"]["id"], address["id"]);

    let product = json!({
        "productSku": "NB", "name": "Notebook", "specification": "16", "category": "Laptops", "brand": "Acme",
        "variants": [{"variantSku": "NB-A", "variantName": "A", "grade": "A",
            "pricing": [{"contractLength": 1, "monthlyPrice": 121}]}],
    });
    made(client.unit("stream", "POST", "/v1/products", &product.to_string()));
    assert_eq!([next().0, next().0], ["product.created", "variant.created"]);
    let order = json!({
        "customer": {"email": "ada@example.com", "firstName": "Ada", "lastName": "Lovelace"},
        "billingAddress": {"contactName": "A", "streetAddress": "Main 1", "city": "Utrecht", "country": "Netherlands"},
        "items": [{"sku": "NB-A", "quantity": 1, "contractLength": 1}],
    });
    let order = made(client.unit("stream", "POST", "/v1/orders", &order.to_string()));
    // Its addresses are the customer's by now.
    let (kind, told) = next();
    assert_eq!((kind.as_str(), &told["data"]["object"]["address"]["city"]), ("customer.updated", &json!("Utrecht")));
    let (kind, told) = next();
    assert_eq!((kind.as_str(), &told["event"]), ("order.created", &json!("order.created")));
    assert_eq!(told["data"]["orderId"], order["orderId"]);
    client.exchange_json(
        "PUT",
        &format!("/v1/customers/{ada}"),
        r#"{"phone": "+31201234567"}"#,
        &[("Tenant-ID", "stream")],
    );
    let (kind, told) = next();
    assert_eq!((kind.as_str(), &told["data"]["object"]["phone"]), ("customer.updated", &json!("+31201234567")));
    assert!(listener.is_quiet());

    // Stripe's list has what Stripe's API has words for.
    let listed = everything(&client, "/v1/events");
    let kinds: Vec<String> = listed.iter().map(|event| text(event, "type")).collect();
    assert_eq!(kinds, ["customer.updated", "customer.updated", "customer.updated", "customer.created"]);
}

fn events_are_told_in_the_version_that_is_asked_for(keeping: &Keeping) {
    let server = Server::start(keeping);
    let client = client(&server);
    let mut own = Listener::open(server.address(), KEY, "", &[]);
    let mut old = Listener::open(server.address(), KEY, "api_version=2019-02-19", &[]);
    client.customer("balance=-5");
    let (own, old) = (own.event(), old.event());
    assert_eq!((&own["api_version"], &own["data"]["object"]["balance"]), (&json!("2026-10-28.endive"), &json!(-5)));
    assert_eq!((&old["api_version"], &old["data"]["object"]["account_balance"]), (&json!("2019-02-19"), &json!(-5)));
    assert_eq!((&old["data"]["object"]["balance"], &old["id"]), (&Value::Null, &own["id"]));
}

fn who_has_nothing_to_tell_says_so_now_and_then(keeping: &Keeping) {
    let server = Server::start(keeping);
    let mut listener = Listener::open(server.address(), KEY, "heartbeat=1&types=coupon.*", &[]);
    let began = Instant::now();
    assert!(listener.is_quiet());
    // What is not told does not put it off.
    client(&server).customer("name=Ada");
    assert!(listener.is_quiet());
    assert!(began.elapsed() >= Duration::from_millis(1_500) && began.elapsed() < Duration::from_secs(20));
    // Nor does it when there is more all the time. The place that was reached is told.
    let began_at = listener.last.clone();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let client = client(&server);
                while !over.load(Ordering::SeqCst) {
                    client.customer("name=Ada");
                }
            });
        }
        let began = Instant::now();
        let quiet = listener.is_quiet() && listener.is_quiet();
        over.store(true, Ordering::SeqCst);
        assert!(quiet && began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    });
    assert_ne!(listener.last, began_at);
}

fn nobody_hears_of_another_account(keeping: &Keeping) {
    let server = Server::start(keeping);
    let below = [("Stripe-Account", "acct_below")];
    let mut other = Listener::open(server.address(), "sk_test_other", "from=start&heartbeat=1", &[]);
    let mut connected = Listener::open(server.address(), KEY, "from=start&heartbeat=1", &below);
    let client = client(&server);
    client.customer("name=Ada");
    assert!(other.is_quiet() && connected.is_quiet());
    client.exchange("POST", "/v1/customers", "name=Below", &below);
    assert_eq!(connected.event()["data"]["object"]["name"], "Below");
    assert!(other.is_quiet());
    let mut own = Listener::open(server.address(), KEY, "from=start&heartbeat=1", &[]);
    assert_eq!(own.event()["data"]["object"]["name"], "Ada");
    assert!(own.is_quiet());
}

fn a_stream_goes_on_after_a_restart(keeping: &Keeping) {
    let mut server = Server::start_as(keeping, Openness::Dev, None, |settings| {
        settings.drain_timeout = Duration::from_secs(60);
    });
    client(&server).customer("name=before");
    let mut listener = Listener::open(server.address(), KEY, "from=start", &[]);
    assert_eq!(listener.event()["data"]["object"]["name"], "before");
    let began = Instant::now();
    server.restart();
    assert!(began.elapsed() < Duration::from_secs(30), "streams keep no server from stopping: {:?}", began.elapsed());
    assert_eq!(listener.hear().expect("it ends in good order"), Told::End);
    client(&server).customer("name=between");
    let mut listener = Listener::again(server.address(), KEY, "from=start&heartbeat=1", listener.last.as_deref());
    assert_eq!(listener.event()["data"]["object"]["name"], "between");
    assert!(listener.is_quiet());
}

/// Waits for the end of a stream.
#[track_caller]
fn ends(mut listener: Listener) {
    for _ in 0..20 {
        if listener.hear().expect("it ends in good order") == Told::End {
            return;
        }
    }
    panic!("the stream goes on");
}

fn a_stream_ends_when_its_key_is_revoked(keeping: &Keeping) {
    let server = Server::start(keeping);
    let mut other = Listener::open(server.address(), KEY, "heartbeat=1", &[]);
    let listener = Listener::open(server.address(), "sk_test_going", "heartbeat=1", &[]);
    server.add_key("sk_test_going", &Grant::Revoked).expect("the key is taken back");
    ends(listener);
    assert!(other.is_quiet());
}

fn a_permission_that_is_lost_ends_the_stream(keeping: &Keeping) {
    let server = Server::start_as(keeping, Openness::Serve, None, |_| {});
    let ids = Ids::seeded(99);
    let account =
        identity::fresh_account(AccountId::mint(&ids, Time(1)), None, Mode::Test, Time(1), "2026-10-28.endive");
    let kind = |access| KeyKind::Restricted([(Resource::Event, access)].into());
    let (text, key) = identity::fresh_key(&ids, Time(1), &account, kind(Access::Read), None);
    let (made, kept) = (account.clone(), key.clone());
    server.beside(move |tx| {
        engine::accounts::find_or_create(tx, &made)?;
        engine::keys::create(tx, made.space, &kept)
    });
    let mut listener = Listener::open(server.address(), &text, "heartbeat=1", &[]);
    assert!(listener.is_quiet() && listener.is_quiet());
    let mut less = key;
    less.kind = kind(Access::None);
    server.beside(move |tx| tx.put_api_key(account.space, &less));
    ends(listener);
}

fn streams_of_an_account_are_bounded(keeping: &Keeping) {
    const MOST: usize = cusp::dialects::cusp::events::streams::MAX_STREAMS_OF_ACCOUNT;
    let limit = rlimit::increase_nofile_limit(65_536).expect("the limit of open files can be asked for");
    assert!(limit >= 4 * MOST as u64, "the hard limit of open files is {limit}: raise it (ulimit -Hn)");
    let server = Server::start(keeping);
    let mut listeners: Vec<Listener> =
        (0..MOST).map(|_| Listener::open(server.address(), KEY, "heartbeat=60", &[])).collect();
    let client = client(&server);
    let refused = error(&client.get("/cusp/v1/events"), 429);
    assert_eq!((&refused["type"], &refused["code"]), (&json!("rate_limit_error"), &json!("too_many_streams")));
    let _other = Listener::open(server.address(), "sk_test_other", "", &[]);
    client.customer("name=Ada");
    for listener in &mut listeners {
        assert_eq!(listener.types(1), ["customer.created"]);
    }
    listeners.truncate(MOST / 2);
    let began = Instant::now();
    while client.exchange("HEAD", "/cusp/v1/events", "", &[]).status != 200 {
        assert!(began.elapsed() < SOON, "who goes away makes room");
    }
}

/// What a customer has that is as large as it can be made quickly.
fn large() -> String {
    (0..50).map(|place| format!("metadata[k{place}]={}&", percent_encoded(&"x".repeat(490)))).collect()
}

/// A connection whose client takes as little at a time as the system allows.
fn narrow(address: SocketAddr) -> TcpStream {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    let stream = runtime.block_on(async {
        let socket = TcpSocket::new_v4().expect("there is room for a socket");
        socket.set_recv_buffer_size(4096).expect("the buffer can be small");
        socket.connect(address).await.expect("the server accepts").into_std().expect("it is a socket")
    });
    stream.set_nonblocking(false).expect("a socket can block");
    stream
}

fn open_connections(client: &mut Connection) -> usize {
    let page = client.send("GET", "/metrics", &[], "").expect("there are metrics").text();
    let line = page.lines().find_map(|line| line.strip_prefix("cusp_open_connections "));
    line.and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("no connections in {page}"))
}

/// Many who read nothing: they are cut off, what they do not take is not gathered, and nobody waits for them.
fn slow_readers_are_cut_off(server: &ProgramServer) {
    const SLOW: usize = 30;
    let mut client = server.connection(KEY);
    let large = large();
    let id = client.ok("POST", "/v1/customers", &large)["id"].as_str().expect("an id").to_owned();
    for number in 0..300 {
        client.ok("POST", &format!("/v1/customers/{id}"), &format!("name={number}"));
    }
    let before = server.resident_megabytes();
    let mut streams: Vec<TcpStream> = (0..SLOW).map(|_| narrow(server.address())).collect();
    for stream in &mut streams {
        ask(stream, KEY, "from=start", &[]).expect("the server takes the request");
    }
    let mut brisk = Listener::open(server.address(), KEY, "from=start", &[]);
    let heard = (0..301).map(|_| text(&brisk.event(), "id")).collect::<HashSet<_>>();
    assert_eq!(heard.len(), 301);
    client.ok("POST", &format!("/v1/customers/{id}"), "name=meanwhile");
    assert_eq!(brisk.event()["data"]["object"]["name"], "meanwhile");
    let held = server.resident_megabytes() - before;
    // Each of them would get seven megabytes.
    assert!(held < 140.0, "{held} MB for {SLOW} who do not read");
    let began = Instant::now();
    // The brisk one and this client are left.
    while open_connections(&mut client) > 2 {
        assert!(began.elapsed() < Duration::from_secs(30), "they are cut off");
        thread::sleep(Duration::from_millis(20));
    }
    client.ok("POST", &format!("/v1/customers/{id}"), "name=afterwards");
    assert_eq!(brisk.event()["data"]["object"]["name"], "afterwards");
    // What is left of a stream that was cut off does not look whole.
    let mut reader = BufReader::new(streams.pop().expect("there are some"));
    assert!(head(&mut reader).expect("the head came").starts_with("HTTP/1.1 200 "));
    let mut rest = Vec::new();
    let _ = std::io::Read::read_to_end(&mut reader, &mut rest);
    assert!(!rest.ends_with(b"\r\n0\r\n\r\n"));
}

#[test]
fn a_stream_goes_on_after_a_restart_in_a_folder() {
    a_stream_goes_on_after_a_restart(&Keeping::Folder);
}

#[test]
fn a_stream_goes_on_after_a_restart_in_a_database() {
    a_stream_goes_on_after_a_restart(&Keeping::database());
}

#[test]
fn a_permission_that_is_lost_ends_the_stream_in_a_folder() {
    a_permission_that_is_lost_ends_the_stream(&Keeping::Folder);
}

#[test]
fn a_permission_that_is_lost_ends_the_stream_in_a_database() {
    a_permission_that_is_lost_ends_the_stream(&Keeping::database());
}

#[test]
fn slow_readers_are_cut_off_in_a_folder() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    slow_readers_are_cut_off(&ProgramServer::dev(&folder.path().join("data"), &["--request-timeout", "2s"]));
}

#[test]
fn slow_readers_are_cut_off_in_a_database() {
    let database = Database::fresh();
    slow_readers_are_cut_off(&ProgramServer::dev_on(&database.url(), &["--request-timeout", "2s"]));
}

#[test]
fn what_one_server_writes_is_told_by_the_other() {
    let database = Database::fresh();
    let [here, there] = Peer::pair(&database);
    let client = here.client(KEY);
    let mut near = Listener::open(here.address(), KEY, "from=start", &[]);
    let mut far = Listener::open(there.address(), KEY, "from=start&heartbeat=60", &[]);
    for number in 0..5 {
        let began = Instant::now();
        let name = format!("number {number}");
        client.customer(&format!("name={}", percent_encoded(&name)));
        assert_eq!(near.event()["data"]["object"]["name"], name.as_str());
        assert_eq!(far.event()["data"]["object"]["name"], name.as_str());
        assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    }
}

#[test]
fn streams_of_two_servers_tell_the_same_while_both_write() {
    const CUSTOMERS: usize = 60;
    let database = Database::fresh();
    let peers = Peer::pair(&database);
    let all = 2 * CUSTOMERS;
    let writing = AtomicBool::new(true);
    let dice = Dice::of_the_run("STREAM_SEED");
    let heard = thread::scope(|scope| {
        let writers: Vec<_> = peers
            .iter()
            .map(|peer| {
                let client = peer.client(KEY);
                scope.spawn(move || (0..CUSTOMERS).for_each(|number| drop(client.customer(&format!("name={number}")))))
            })
            .collect();
        let readers: Vec<_> = (0..4)
            .map(|reader| {
                let mut dice = dice.for_number(reader);
                // Whoever comes back may come to the other server.
                let (peers, writing) = (&peers, &writing);
                scope.spawn(move || {
                    let (mut heard, mut last): (Vec<String>, Option<String>) = (Vec::new(), None);
                    while heard.len() < all || writing.load(Ordering::SeqCst) {
                        let address = peers[dice.below(2) as usize].address();
                        let mut listener = Listener::again(address, KEY, "from=start&heartbeat=1", last.as_deref());
                        for _ in 0..dice.below(30) {
                            match listener.hear().expect("the stream goes on") {
                                Told::Event(id, ..) => heard.push(id),
                                Told::Comment(_) => break,
                                Told::End => panic!("the stream ended"),
                            }
                        }
                        last = listener.last.or(last);
                    }
                    heard
                })
            })
            .collect();
        writers.into_iter().for_each(|writer| writer.join().expect("a writer ends"));
        writing.store(false, Ordering::SeqCst);
        readers.into_iter().map(|reader| reader.join().expect("a reader ends")).collect::<Vec<_>>()
    });
    let history = history(&peers[0].client(KEY));
    assert_eq!(history.len(), all);
    for heard in heard {
        assert_eq!(heard, history);
    }
}
