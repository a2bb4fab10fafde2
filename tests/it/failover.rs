//! A primary that dies under load and a standby that takes over, with two `cusp` processes that were told of both: service
//! returns by itself, and what was acknowledged is there, once.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::client::{Client, json};
use crate::cluster::Cluster;
use crate::dice::Dice;
use crate::fleet::{PATIENCE, everything, text, version, wait_until};
use crate::http;
use crate::postgres::query;
use crate::program_server::ProgramServer;

const KEY: &str = "sk_test_failover";
const SEED: &str = "CUSP_FAILOVER_SEED";
const WRITERS: usize = 6;
/// How long service may take to return; it takes a second or two.
const BOUND: Duration = Duration::from_secs(30);

/// One request, marked so that its effect can be told from all others.
struct Marked {
    mark: String,
    /// Whether it was sent with an idempotency key, and again with the same one for as long as it was not answered.
    keyed: bool,
    acknowledged: bool,
}

/// What everybody knows while there is load.
#[derive(Default)]
struct Load {
    /// How many updates were acknowledged.
    served: AtomicUsize,
    /// How many requests were told to come again later.
    refused: AtomicUsize,
    over: AtomicBool,
}

impl Load {
    fn served(&self) -> usize {
        self.served.load(Ordering::SeqCst)
    }

    fn refused(&self) -> usize {
        self.refused.load(Ordering::SeqCst)
    }
}

/// Writes to one customer until it is told to stop; tells what became of each request.
fn write(address: SocketAddr, path: &str, writer: usize, load: &Load) -> Vec<Marked> {
    let client = Client::new(address, KEY);
    let mut marked = Vec::new();
    for number in 0.. {
        if load.over.load(Ordering::SeqCst) {
            break;
        }
        let (mark, keyed) = (format!("w{writer}n{number}"), number % 2 == 0);
        let form = format!("amount=1&currency=usd&description={mark}");
        let headers = [("Idempotency-Key", mark.as_str())];
        let headers: &[(&str, &str)] = if keyed { &headers } else { &[] };
        let deadline = Instant::now() + PATIENCE;
        let acknowledged = loop {
            let reply = client.exchange("POST", &format!("{path}/balance_transactions"), &form, headers);
            if reply.status == 503 {
                load.refused.fetch_add(1, Ordering::SeqCst);
            }
            match reply.status {
                200 => break true,
                // Its first half may still be under way, or waits for an account that a lost server holds.
                409 | 429 | 503 if keyed && Instant::now() < deadline => {}
                429 | 503 => break false,
                status => panic!("{mark}: {status} {}", reply.text()),
            }
        };
        if acknowledged {
            load.served.fetch_add(1, Ordering::SeqCst);
        }
        marked.push(Marked { mark, keyed, acknowledged });
    }
    marked
}

/// Puts load on two servers, kills the primary in the middle of it, has the standby take over, at once or only after
/// requests were refused, and looks at what is left.
fn check(seed: &mut Dice, at_once: bool) {
    let mut primary = Cluster::start(&[]);
    query(&primary.url("postgres"), "create database records").expect("a database can be made");
    let standby = Cluster::standby_of(&primary);
    let hosts = format!("127.0.0.1:{},127.0.0.1:{}", primary.port(), standby.port());
    let url = format!("postgres://cusp@{hosts}/records");
    let servers = [ProgramServer::dev_on(&url, &[]), ProgramServer::dev_on(&url, &[])];
    let client = Client::new(servers[0].address(), KEY);
    let path = format!("/v1/customers/{}", client.customer("name=Jenny"));

    let load = Load::default();
    let kill_at = usize::try_from(seed.between(20, 120)).expect("it is small");
    let marked: Vec<Marked> = thread::scope(|scope| {
        let writing: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (address, path, load) = (servers[writer % 2].address(), &path, &load);
                scope.spawn(move || write(address, path, writer, load))
            })
            .collect();
        // Whatever fails here must not leave the writers writing.
        let disaster = thread::Builder::new().spawn_scoped(scope, || {
            wait_until("there is load", || load.served() >= kill_at);
            primary.kill();
            let killed = Instant::now();
            wait_until("requests are refused", || at_once || load.refused() >= WRITERS);
            let before = load.served();
            let called = Instant::now();
            standby.promote();
            let promoted = called.elapsed();
            wait_until("changes are taken again", || load.served() > before);
            for server in &servers {
                wait_until("a server is ready", || {
                    http::send(server.address(), "GET", "/readyz", &[], b"").is_ok_and(|reply| reply.status == 200)
                });
            }
            let returned = called.elapsed();
            println!(
                "after {before} updates: the standby was called {:?} after the kill, took over within {promoted:?}, \
                 and service had returned within {returned:?}",
                called - killed
            );
            assert!(returned < BOUND, "{returned:?}");
            wait_until("it goes on", || load.served() > before + 50);
        });
        let disaster = disaster.expect("a thread starts").join();
        load.over.store(true, Ordering::SeqCst);
        let marked = writing.into_iter().map(|writing| writing.join());
        let marked: Vec<_> = marked.collect();
        disaster.expect("the standby takes over");
        marked.into_iter().flat_map(|marked| marked.expect("a writer ends without panic")).collect()
    });

    for server in &servers {
        verify(&Client::new(server.address(), KEY), &path, &marked);
    }
    let gaps = "select count(*) from cusp.heads as h where h.seq <> (select count(*) from cusp.events as e where \
                e.account = h.account) or h.seq <> (select max(seq) from cusp.events as e where e.account = h.account)";
    let gaps = query(&standby.url("records"), gaps).expect("the standby answers");
    assert_eq!(gaps, [[Some("0".to_owned())]]);
}

/// Every acknowledged update is there, none is there twice, and everything adds up.
fn verify(client: &Client, path: &str, marked: &[Marked]) {
    let ledger = everything(client, &format!("{path}/balance_transactions"));
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    for entry in &ledger {
        *found.entry(text(entry, "description")).or_default() += 1;
    }
    assert!(found.values().all(|times| *times == 1), "{found:?}");
    for Marked { mark, keyed, acknowledged } in marked {
        assert!(!acknowledged || found.contains_key(mark), "{mark} was acknowledged and is not there");
        assert!(*acknowledged || !keyed, "{mark} had a key and was asked for again, without success");
    }
    let in_doubt = marked.iter().filter(|marked| !marked.acknowledged).count();
    println!("{} updates, {in_doubt} of them not acknowledged, {} there", marked.len(), found.len());
    let endings: Vec<i64> = ledger.iter().filter_map(|entry| entry["ending_balance"].as_i64()).collect();
    assert_eq!(endings, (1..=ledger.len() as i64).rev().collect::<Vec<_>>());
    let reply = client.get(path);
    assert_eq!(
        (json(&reply)["balance"].as_u64(), version(&reply)),
        (Some(ledger.len() as u64), 1 + ledger.len() as u64)
    );
    // Each event tells of the step from one balance to the next.
    let events = everything(client, "/v1/events");
    let told: Vec<i64> = events.iter().filter_map(|event| event["data"]["object"]["balance"].as_i64()).collect();
    assert_eq!(told, (0..=ledger.len() as i64).rev().collect::<Vec<_>>());
}

#[test]
fn a_standby_takes_over_with_every_acknowledged_update() {
    let mut seed = Dice::of_the_run(SEED);
    for _ in 0..2 {
        check(&mut seed, true);
    }
}

#[test]
fn a_standby_that_takes_its_time_takes_over_all_the_same() {
    check(&mut Dice::of_the_run(SEED), false);
}
