//! SIGKILL of servers that send webhooks. Every event in the history comes to its endpoint at least once, in the order of
//! its customer; nothing else comes; and nothing is left to be sent.
//!
//! These rounds need the real clock: the moment of the kill is what is tested. The seed decides when the kill comes; it is
//! printed so that a failure can be tried again.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::client::{Client, json};
use crate::connection::Connection;
use crate::dice::Dice;
use crate::fleet::{everything, text, wait_until};
use crate::hook::{Act, Hit, Hook};
use crate::postgres::Database;
use crate::program_server::{ProgramServer, cusp};
use crate::webhooks::endpoint;

/// How often the one server is killed.
const ROUNDS: usize = 8;
/// How often one of the two servers is killed.
const ROUNDS_OF_TWO: usize = 3;
/// How many clients write at a time.
const WRITERS: usize = 4;
/// The most changes that a client makes in a round, so that no more is to be sent than a slow machine sends in good time.
const MAX_CHANGES: usize = 60;
/// How long the load runs before a kill, in milliseconds: from, to.
const LOAD_MILLIS: (u64, u64) = (30, 600);
/// How many accounts two servers work for.
const ACCOUNTS: usize = 8;
/// How long all that was left may take to be sent: the lease of a server that was killed has to end first.
const PATIENCE: Duration = Duration::from_secs(90);
/// So that nothing is given up however slow the machine is.
const OPTIONS: [&str; 2] = ["--webhook-give-up-after", "1h"];

/// What is known of an account: whom there is, and what was acknowledged.
struct Ledger {
    key: String,
    endpoints: Vec<String>,
    customers: Vec<String>,
    /// The last number of each customer that was sent, and those that were acknowledged.
    numbers: Vec<Mutex<(u64, BTreeSet<u64>)>>,
}

impl Ledger {
    /// An account with customers and with an endpoint at each of these addresses.
    fn open(address: SocketAddr, key: &str, urls: &[String], customers: usize) -> Ledger {
        let client = Client::new(address, key);
        let endpoints = urls.iter().map(|url| endpoint(&client, url, "enabled_events[]=*").0).collect();
        let customers: Vec<String> = (0..customers).map(|_| client.customer("metadata[n]=0")).collect();
        let numbers = customers.iter().map(|_| Mutex::new((0, BTreeSet::from([0])))).collect();
        Ledger { key: key.to_owned(), endpoints, customers, numbers }
    }

    /// Changes a customer over and over, until it has done so often enough or gets no reply.
    fn write(&self, address: SocketAddr, customer: usize) {
        let mut connection = Connection::new(address, &self.key);
        let path = format!("/v1/customers/{}", self.customers[customer]);
        let mut numbers = self.numbers[customer].lock().expect("nobody panics with it");
        for _ in 0..MAX_CHANGES {
            numbers.0 += 1;
            let number = numbers.0;
            let Ok(reply) = connection.send("POST", &path, &[], &format!("metadata[n]={number}")) else { return };
            assert_eq!(reply.status, 200, "{}", reply.text());
            numbers.1.insert(number);
        }
    }

    /// Compares what came to the endpoints with the history, when nothing is to be sent any more.
    fn verify(&self, address: SocketAddr, hits: &[Hit], paths: &[String]) {
        let client = Client::new(address, &self.key);
        let mut history = everything(&client, "/v1/events");
        history.reverse();
        let told: BTreeMap<String, &Value> = history.iter().map(|event| (text(event, "id"), event)).collect();
        let mut expected: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut changed: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
        for event in &history {
            assert_eq!(event["pending_webhooks"], 0, "{event}");
            let object = &event["data"]["object"];
            expected.entry(text(object, "id")).or_default().push(text(event, "id"));
            changed.entry(text(object, "id")).or_default().insert(number(object));
        }
        for (customer, numbers) in self.customers.iter().zip(&self.numbers) {
            let acknowledged = &numbers.lock().expect("nobody panics with it").1;
            assert!(acknowledged.is_subset(&changed[customer]), "{customer}: what was acknowledged is in the history");
        }
        for path in paths {
            let mut came: BTreeSet<String> = BTreeSet::new();
            let mut order: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for hit in hits.iter().filter(|hit| hit.path == *path) {
                let event = hit.event();
                let id = text(&event, "id");
                let told = told.get(&id).unwrap_or_else(|| panic!("{id} came, and is not in the history"));
                assert_eq!((&event["type"], &event["data"]), (&told["type"], &told["data"]), "{id}");
                if came.insert(id.clone()) {
                    order.entry(text(&event["data"]["object"], "id")).or_default().push(id);
                }
            }
            assert_eq!(order, expected, "{path}: each customer's events came in order, all of them");
        }
        for endpoint in &self.endpoints {
            let path = format!("/cusp/v1/webhook_deliveries?endpoint={endpoint}&state=succeeded&limit=1");
            assert_eq!(json(&client.get(&path))["data"].as_array().map(Vec::len), Some(1));
        }
        println!("{}: {} events, {} webhooks", self.key, history.len(), hits.len());
    }

    /// Waits until nothing is to be sent any more.
    fn settle(&self, address: SocketAddr) {
        let client = Client::new(address, &self.key);
        let deadline = Instant::now() + PATIENCE;
        loop {
            let open = json(&client.get("/cusp/v1/webhook_deliveries?state=pending&limit=1"));
            match open["data"].as_array().and_then(|open| open.first()) {
                None => break,
                Some(open) => assert!(Instant::now() < deadline, "{open} is still to be sent"),
            }
            thread::sleep(Duration::from_millis(50));
        }
        for state in ["failed", "canceled"] {
            let path = format!("/cusp/v1/webhook_deliveries?state={state}");
            assert_eq!(json(&client.get(&path))["data"], Value::Array(Vec::new()));
        }
    }
}

fn number(customer: &Value) -> u64 {
    customer["metadata"]["n"].as_str().and_then(|text| text.parse().ok()).expect("the test wrote a number")
}

/// A receiver that sometimes closes the connection or is in trouble.
fn moody() -> Hook {
    Hook::deciding(|before, _| match before % 23 {
        5 => Act::Close,
        11 => Act::Answer(500),
        _ => Act::Answer(200),
    })
}

#[test]
fn what_a_killed_server_was_to_send_is_sent() {
    let mut dice = Dice::of_the_run("CUSP_WEBHOOKS_CRASH_SEED");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let hook = moody();
    let mut server = ProgramServer::dev(folder.path(), &OPTIONS);
    let paths = ["/0".to_owned(), "/1".to_owned()];
    let urls = paths.each_ref().map(|path| hook.url(path));
    let ledger = Ledger::open(server.address(), "sk_test_hooked", &urls, WRITERS);
    for round in 1..=ROUNDS {
        let load = Duration::from_millis(dice.between(LOAD_MILLIS.0, LOAD_MILLIS.1));
        under_load(std::slice::from_ref(&ledger), &[server.address()], || {
            // The moment of the kill is what is tested.
            thread::sleep(load);
            server.kill();
        });
        println!("round {round}: killed after {load:?}, {} webhooks so far", hook.hits().len());
        server = ProgramServer::dev(folder.path(), &OPTIONS);
    }
    ledger.settle(server.address());
    ledger.verify(server.address(), &hook.hits(), &paths);
    server.kill();
    let check = cusp().args(["check", "--data"]).arg(folder.path()).output().expect("cusp check runs");
    assert!(check.status.success(), "cusp check: {check:?}");
}

/// Has every customer of every account changed, by way of the server of its account, while something is done.
fn under_load(ledgers: &[Ledger], addresses: &[SocketAddr], meanwhile: impl FnOnce()) {
    thread::scope(|scope| {
        for (account, ledger) in ledgers.iter().enumerate() {
            for customer in 0..ledger.customers.len() {
                let address = addresses[account % addresses.len()];
                scope.spawn(move || ledger.write(address, customer));
            }
        }
        meanwhile();
    });
}

/// Two servers, and accounts that each write to one of them.
struct Two {
    database: Database,
    servers: [Option<ProgramServer>; 2],
    hook: Hook,
    ledgers: Vec<Ledger>,
}

impl Two {
    fn start(hook: Hook) -> Two {
        let database = Database::fresh();
        let servers = [(); 2].map(|()| ProgramServer::dev_on(&database.url(), &OPTIONS));
        let ledgers = (0..ACCOUNTS).map(|account| {
            let address = servers[account % 2].address();
            Ledger::open(address, &format!("sk_test_hooked{account}"), &[hook.url(&format!("/{account}"))], 2)
        });
        let ledgers = ledgers.collect();
        Two { database, servers: servers.map(Some), hook, ledgers }
    }

    fn addresses(&self) -> [SocketAddr; 2] {
        self.servers.each_ref().map(|server| server.as_ref().expect("it was started").address())
    }

    fn verify(&self, address: SocketAddr) {
        self.ledgers.iter().for_each(|ledger| ledger.settle(address));
        let hits = self.hook.hits();
        for (account, ledger) in self.ledgers.iter().enumerate() {
            ledger.verify(address, &hits, &[format!("/{account}")]);
        }
    }
}

/// How many servers have a queue.
fn at_work(database: &Database) -> usize {
    let sql = "select distinct owner from cusp.webhook_queues \
               where owner <> '' and leased > extract(epoch from clock_timestamp()) * 1000";
    database.query(sql).len()
}

#[test]
fn two_servers_keep_the_order_between_them() {
    let two = Two::start(Hook::start());
    let addresses = two.addresses();
    under_load(&two.ledgers, &addresses, || wait_until("both servers send", || at_work(&two.database) == 2));
    two.verify(addresses[0]);
    let events = |ledger: &Ledger| everything(&Client::new(addresses[1], &ledger.key), "/v1/events").len();
    let (sent, told) = (two.hook.hits().len(), two.ledgers.iter().map(events).sum::<usize>());
    // A server that stands still for as long as a lease lasts may send what another one has sent.
    assert!(sent < told + told / 2, "{sent} webhooks of {told} events: each queue is one server's at a time");
}

#[test]
fn what_one_of_two_servers_was_to_send_the_other_sends() {
    let mut dice = Dice::of_the_run("CUSP_WEBHOOKS_CRASH_SEED");
    let mut two = Two::start(moody());
    for round in 1..=ROUNDS_OF_TWO {
        let load = Duration::from_millis(dice.between(LOAD_MILLIS.0, LOAD_MILLIS.1));
        let killed = dice.below(2) as usize;
        let addresses = two.addresses();
        under_load(&two.ledgers, &addresses, || {
            // Mostly both do; which of them has what is left to chance.
            wait_until("a server sends", || at_work(&two.database) > 0);
            // The moment of the kill is what is tested.
            thread::sleep(load);
            two.servers[killed].take().expect("it was started").kill();
        });
        println!("round {round}: killed server {killed}, {} webhooks so far", two.hook.hits().len());
        two.verify(addresses[1 - killed]);
        two.servers[killed] = Some(ProgramServer::dev_on(&two.database.url(), &OPTIONS));
        wait_until("queues are given back", || at_work(&two.database) == 0);
    }
}
