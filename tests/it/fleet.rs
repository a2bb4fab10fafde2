//! Servers that share one database: real clocks unless a test says otherwise, ids that nobody foresees, and a session of
//! the test's own to get into their way. Where a test needs a process, it takes `program_server`.

use std::net::{SocketAddr, ToSocketAddrs};
use std::num::NonZeroUsize;
use std::thread;
use std::time::{Duration, Instant};

use cusp::clock::Clock;
use cusp::domain::api_key::{ApiKey, KeyKind};
use cusp::identity::{self, KeyParts};
use cusp::settings::{self, Openness, Settings};
use cusp::{Running, World};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Config, NoTls};

use crate::client::{Client, json};
use crate::interloper::Interloper;
use crate::postgres::{Database, by_way_of};

/// How long something may take that is on its way.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// How long to wait before a condition is looked at again.
const PAUSE: Duration = Duration::from_millis(5);

/// One server of a fleet. It stops when it is dropped.
pub struct Peer {
    runtime: Runtime,
    running: Option<Running>,
    address: SocketAddr,
    clock: Clock,
}

impl Peer {
    /// A server for developers over the database.
    pub fn of(database: &Database) -> Peer {
        Peer::start(settings::Database::new(database.url()))
    }

    /// Two of them.
    pub fn pair(database: &Database) -> [Peer; 2] {
        [Peer::of(database), Peer::of(database)]
    }

    /// A server that uses a database in its own way.
    pub fn start(database: settings::Database) -> Peer {
        Peer::at(Clock::Real, database).unwrap_or_else(|trouble| panic!("the server does not start: {trouble}"))
    }

    /// A server whose requests may take so long and no longer.
    pub fn in_a_hurry(database: settings::Database, request_timeout: Duration) -> Peer {
        let settings = Settings { request_timeout, ..settings_of(database) };
        Peer::run(Clock::Real, &settings).unwrap_or_else(|trouble| panic!("the server does not start: {trouble}"))
    }

    /// A server with a clock of its own.
    pub fn at(clock: Clock, database: settings::Database) -> Result<Peer, String> {
        Peer::run(clock, &settings_of(database))
    }

    fn run(clock: Clock, settings: &Settings) -> Result<Peer, String> {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime starts");
        let world = World { clock: clock.clone(), ..World::real() };
        let running = runtime.block_on(cusp::start(settings, world)).map_err(|trouble| trouble.to_string())?;
        let address = running.address();
        Ok(Peer { runtime, running: Some(running), address, clock })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A caller with that key.
    pub fn client(&self, key: &str) -> Client {
        Client::new(self.address, key)
    }

    /// Takes a key of a sandbox back.
    pub fn revoke(&self, text: &str) {
        let parts = KeyParts::of(text).expect("it is a key");
        let now = self.clock.now();
        let key = ApiKey {
            digest: identity::key_digest(text),
            account: identity::sandbox(parts.rest),
            mode: parts.mode,
            kind: KeyKind::Secret,
            label: None,
            last4: text[text.len() - 4..].to_owned(),
            created: now,
            revoked: Some(now),
        };
        let running = self.running.as_ref().expect("it runs until it is dropped");
        self.runtime.block_on(running.put_key(key)).expect("the key is kept");
    }

    /// The value of one of its metrics.
    pub fn figure(&self, name: &str) -> f64 {
        let page = self.client("").get("/metrics").text();
        let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in {page}")).trim().parse().expect("a metric is a number")
    }

    /// The status of its page for load balancers.
    pub fn readiness(&self) -> u16 {
        self.client("").get("/readyz").status
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            self.runtime.block_on(running.stop());
        }
    }
}

fn settings_of(database: settings::Database) -> Settings {
    Settings { listen: SocketAddr::from(([127, 0, 0, 1], 0)), database: Some(database), ..Settings::new(Openness::Dev) }
}

/// A database as its servers are told of it, with so many connections for each.
pub fn with_pool(url: &str, pool_size: usize) -> settings::Database {
    let pool_size = NonZeroUsize::new(pool_size).expect("a pool has room");
    settings::Database { pool_size, ..settings::Database::new(url) }
}

/// Everything in a list, newest first.
pub fn everything(client: &Client, path: &str) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    loop {
        let after = all.last().map(|item| format!("&starting_after={}", text(item, "id"))).unwrap_or_default();
        let page = json(&client.get(&format!("{path}?limit=100{after}")));
        all.extend(page["data"].as_array().expect("a list has data").iter().cloned());
        if page["has_more"] == false {
            return all;
        }
    }
}

/// A field that is text.
#[track_caller]
pub fn text(object: &Value, field: &str) -> String {
    object[field].as_str().unwrap_or_else(|| panic!("no {field} in {object}")).to_owned()
}

/// The version in a reply's tag.
#[track_caller]
pub fn version(reply: &crate::http::Reply) -> u64 {
    let tag = reply.header("ETag").unwrap_or_else(|| panic!("no tag: {}", reply.text()));
    tag.trim_matches('"').parse().expect("a tag is a version")
}

/// Waits until something is so.
#[track_caller]
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} until {what}");
        thread::sleep(PAUSE);
    }
}

/// A session with the database that holds what it locks until its transaction ends, at the latest when it is dropped.
pub struct Session {
    runtime: Runtime,
    client: tokio_postgres::Client,
}

impl Session {
    /// A session with that database.
    pub fn with(database: &Database) -> Session {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime starts");
        let client = runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&database.url(), NoTls).await.expect("it connects");
            tokio::spawn(connection);
            client
        });
        Session { runtime, client }
    }

    /// Runs statements.
    pub fn run(&self, sql: &str) {
        let done = self.runtime.block_on(self.client.batch_execute(sql));
        done.unwrap_or_else(|trouble| panic!("{sql}: {trouble:?}"));
    }
}

/// How many sessions wait for a lock in the database.
pub fn waiting_for_locks(database: &Database) -> u64 {
    let sql = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    database.query(sql)[0][0].as_deref().expect("a count is a number").parse().expect("a count is a number")
}

/// Somebody before the run's server, and the database as it is reached by way of them.
pub fn by_interloper(database: &Database) -> (Interloper, settings::Database) {
    let interloper = Interloper::before(address_of(&database.url()));
    let url = by_way_of(&database.url(), interloper.address());
    (interloper, settings::Database::new(url))
}

fn address_of(url: &str) -> SocketAddr {
    let config: Config = url.parse().expect("it is a URL");
    let host = match config.get_hosts().first() {
        Some(tokio_postgres::config::Host::Tcp(host)) => host.clone(),
        other => panic!("the run's server is to be reached by TCP: {other:?}"),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    (host, port).to_socket_addrs().expect("it has an address").next().expect("it has an address")
}
