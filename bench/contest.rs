//! The run: starts the database, fills it through cusp, loads pgbench and cusp in turn and collects the figures.

use std::ffi::OsString;
use std::fs;
use std::time::Duration;

use clap::Parser;
use hdrhistogram::Histogram;

use crate::child::{Server, processor_seconds};
use crate::cluster::{Cluster, url};
use crate::folder::Folder;
use crate::load::{self, Book, Measured, Plan, Work};
use crate::metrics::Totals;
use crate::pgbench::{self, Bodies, NUMBERED, Shape};
use crate::progress::{fill, say};
use crate::rates::Rates;
use crate::run::Run;
use crate::trips::Trips;
use crate::{Trouble, disk};

/// The databases: cusp's, and the same for pgbench.
const CUSP: &str = "cusp";
const PGBENCH: &str = "pgbench";

/// Measures cusp on PostgreSQL against pgbench with the same statements, and prints a table.
#[derive(Debug, Parser)]
#[command(name = "postgres")]
pub struct Options {
    /// How many customers one account has, and as many others have together
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1_000..=1_000_000))]
    customers: u64,
    /// How many clients there are
    #[arg(long, value_name = "C", default_value_t = 64, value_parser = clap::value_parser!(u16).range(2..=256))]
    clients: u16,
    /// How many accounts there are besides the one [default: one for each client]
    #[arg(long, value_name = "A", value_parser = clap::value_parser!(u16).range(1..=256))]
    accounts: Option<u16>,
    /// One more argument for cusp, as --cusp=--database-pool-size=32; may be given again
    #[arg(long, value_name = "ARGUMENT", allow_hyphen_values = true)]
    cusp: Vec<OsString>,
    /// Parameters of cusp's database URL, as options=-c%20plan_cache_mode%3Dforce_generic_plan
    #[arg(long, value_name = "PARAMETERS", default_value = "")]
    parameters: String,
    #[command(flatten)]
    pub run: Run,
}

impl Options {
    fn accounts(&self) -> usize {
        self.accounts.unwrap_or(self.clients).into()
    }

    /// Starts cusp on the database behind that port.
    fn start(&self, port: u16) -> Result<Server, Trouble> {
        let url = format!("{}&{}", url(port, CUSP), self.parameters);
        let place = [OsString::from("--database-url"), url.into()];
        Ok(Server::cusp(place.iter().chain(&self.cusp))?.0)
    }
}

/// Everything that was measured.
pub struct Figures {
    pub clients: usize,
    pub accounts: usize,
    pub customers: u64,
    pub rounds: u64,
    pub seconds: u64,
    /// Updates of all clients on one account, on accounts of their own, and of one client alone.
    pub hot: Contest,
    pub spread: Contest,
    pub lone: Contest,
    /// Updates of all clients on one account, each with a card in the place of another; pgbench has none of these.
    pub cards: Contest,
    pub retrieves: Contest,
    /// Round trips for each update.
    pub hot_trips: f64,
    pub spread_trips: f64,
    pub lone_trips: f64,
    /// The disk's own time for a write of 4 KB, in milliseconds.
    pub sync: f64,
}

/// The same work done by each.
#[derive(Default)]
pub struct Contest {
    pub pgbench: Entry,
    pub one: Entry,
    pub two: Entry,
}

/// What came of one contender's rounds.
pub struct Entry {
    /// The processor's time is that of the cusp processes, if any.
    pub rates: Rates,
    /// Processor time of PostgreSQL for one request, in microseconds.
    pub database_microseconds: Vec<f64>,
    /// In microseconds.
    pub latencies: Histogram<u64>,
    /// What the first of the cusp processes told of itself.
    pub totals: Totals,
}

impl Default for Entry {
    fn default() -> Entry {
        Entry {
            rates: Rates::default(),
            database_microseconds: Vec::new(),
            latencies: Histogram::new(3).expect("three digits can be kept"),
            totals: Totals::default(),
        }
    }
}

impl Entry {
    fn add(&mut self, measured: Measured, seconds: Seconds) -> Result<(), Trouble> {
        let of_one = |seconds: f64| seconds / measured.requests as f64 * 1e6;
        self.rates.per_second.push(measured.per_second);
        self.rates.processor_microseconds.push(of_one(seconds.cusp));
        self.rates.load_microseconds.push(of_one(seconds.load));
        self.database_microseconds.push(of_one(seconds.database));
        self.latencies.add(measured.latencies)?;
        Ok(())
    }
}

/// Processor time.
struct Seconds {
    cusp: f64,
    load: f64,
    database: f64,
}

/// What is there to be loaded.
struct Stage<'a> {
    options: &'a Options,
    cluster: &'a Cluster,
    bodies: Bodies,
    /// One account with many customers, and many with as many together.
    hot: Vec<Book>,
    spread: Vec<Book>,
}

/// Measures everything.
pub async fn all(options: &Options) -> Result<Figures, Trouble> {
    let cluster = &Cluster::start(Folder::make(&options.run.data, "postgres")?)?;
    let stage = Stage::set(options, cluster).await?;
    let servers = [options.start(cluster.port)?, options.start(cluster.port)?];
    // Of an account of their own, so that the customers of the other loads stay as they are. pgbench has none of them.
    let (holders, _) = fill(servers[0].address, "sk_test_bench_holders", options.customers).await?;
    let holders = [holders];
    let clients = options.clients.into();
    let mut figures = Figures {
        clients,
        accounts: options.accounts(),
        customers: options.customers,
        rounds: options.run.rounds(),
        seconds: options.run.measured().as_secs(),
        hot: Contest::default(),
        spread: Contest::default(),
        lone: Contest::default(),
        cards: Contest::default(),
        retrieves: Contest::default(),
        hot_trips: f64::NAN,
        spread_trips: f64::NAN,
        lone_trips: f64::NAN,
        sync: disk::sync_milliseconds(cluster.folder(), 4 * 1024)?,
    };
    let update = |shape| pgbench::update(shape, options.accounts(), options.customers);
    let (hot, spread, retrieve) = (update(Shape::Hot), update(Shape::Spread), pgbench::retrieve(options.customers));
    let [one, two] = [&servers[..1], &servers[..]];
    for round in 1..=options.run.rounds() {
        say(&format!("round {round} of {}", options.run.rounds()));
        stage.pgbench(&hot, clients, &mut figures.hot.pgbench).await?;
        stage.cusp(one, &stage.hot, clients, Work::Update, &mut figures.hot.one).await?;
        stage.cusp(two, &stage.hot, clients, Work::Update, &mut figures.hot.two).await?;
        stage.cusp(one, &holders, clients, Work::SourceUpdate, &mut figures.cards.one).await?;
        stage.pgbench(&spread, clients, &mut figures.spread.pgbench).await?;
        stage.cusp(one, &stage.spread, clients, Work::Update, &mut figures.spread.one).await?;
        stage.cusp(two, &stage.spread, clients, Work::Update, &mut figures.spread.two).await?;
        stage.pgbench(&hot, 1, &mut figures.lone.pgbench).await?;
        stage.cusp(one, &stage.hot, 1, Work::Update, &mut figures.lone.one).await?;
        stage.pgbench(&retrieve, clients, &mut figures.retrieves.pgbench).await?;
        stage.cusp(one, &stage.hot, clients, Work::Retrieve, &mut figures.retrieves.one).await?;
    }
    say("counting round trips");
    drop(servers);
    figures.lone_trips = stage.trips(&stage.hot, 1).await?;
    figures.hot_trips = stage.trips(&stage.hot, clients).await?;
    figures.spread_trips = stage.trips(&stage.spread, clients).await?;
    Ok(figures)
}

impl<'a> Stage<'a> {
    /// Makes two databases with the same customers.
    async fn set(options: &'a Options, cluster: &'a Cluster) -> Result<Stage<'a>, Trouble> {
        cluster.run("postgres", &format!("CREATE DATABASE {CUSP}")).await?;
        let server = options.start(cluster.port)?;
        let (hot, _) = fill(server.address, "sk_test_bench", options.customers).await?;
        say(&format!("as many are made for {} accounts", options.accounts()));
        let share = options.customers / options.accounts() as u64;
        let mut spread = Vec::new();
        for number in 0..options.accounts() {
            spread.push(load::fill(server.address, &format!("sk_test_bench{number}"), share, |_| ()).await?);
        }
        load::sample(server.address, &hot).await?;
        server.stop()?;
        let latest = "SELECT c.body, e.body FROM cusp.events AS e JOIN cusp.customers AS c ON c.id = e.object \
                      WHERE e.kind = 'customer.updated'";
        let rows = cluster.run(CUSP, latest).await?;
        let [customer, event] = rows.first().and_then(|row| row.clone().try_into().ok()).ok_or("no event")?;
        let bodies = Bodies { customer, event };

        cluster.run("postgres", &format!("CREATE DATABASE {PGBENCH} TEMPLATE {CUSP}")).await?;
        cluster.run(PGBENCH, NUMBERED).await?;
        for database in [CUSP, PGBENCH] {
            cluster.run(database, "VACUUM FULL ANALYZE").await?;
        }
        Ok(Stage { options, cluster, bodies, hot: vec![hot], spread })
    }

    async fn pgbench(&self, script: &str, clients: usize, entry: &mut Entry) -> Result<(), Trouble> {
        let path = self.cluster.folder().join("script");
        fs::write(&path, script)?;
        let plan = |time| pgbench::Plan {
            cluster: self.cluster,
            database: PGBENCH,
            script: path.clone(),
            bodies: &self.bodies,
            clients,
            time,
        };
        self.cluster.run("postgres", "CHECKPOINT").await?;
        plan(self.options.run.warm_up()).run().await?;
        let before = self.cluster.processor_seconds()?;
        let (measured, load) = plan(self.options.run.measured()).run().await?;
        let database = self.cluster.processor_seconds()? - before;
        entry.add(measured, Seconds { cusp: 0.0, load, database })
    }

    async fn cusp(
        &self,
        servers: &[Server],
        books: &[Book],
        clients: usize,
        work: Work,
        entry: &mut Entry,
    ) -> Result<(), Trouble> {
        let (warm_up, measured) = (self.options.run.warm_up(), self.options.run.measured());
        let addresses: Vec<_> = servers.iter().map(|server| server.address).collect();
        let plan = Plan { addresses: &addresses, books, connections: clients, work, warm_up, measured };
        let seconds = || {
            let cusp = servers.iter().map(Server::processor_seconds).sum::<Result<f64, Trouble>>()?;
            let load = processor_seconds(std::process::id())?;
            Ok::<_, Trouble>(Seconds { cusp, load, database: self.cluster.processor_seconds()? })
        };
        self.cluster.run("postgres", "CHECKPOINT").await?;
        let (totals, before) = (Totals::of(addresses[0])?, seconds()?);
        let outcome = plan.run().await?;
        let after = seconds()?;
        entry.totals.add_between(&totals, &Totals::of(addresses[0])?);
        // The processor's time covers the warm-up too; at a steady rate it is as much busier as it is longer.
        let share = measured.as_secs_f64() / (warm_up + measured).as_secs_f64();
        let took = Seconds {
            cusp: (after.cusp - before.cusp) * share,
            load: (after.load - before.load) * share,
            database: (after.database - before.database) * share,
        };
        entry.add(outcome, took)
    }

    /// How many round trips one cusp process makes for each update, its housekeeping included.
    async fn trips(&self, books: &[Book], clients: usize) -> Result<f64, Trouble> {
        let trips = Trips::before(self.cluster.port)?;
        let server = self.options.start(trips.address.port())?;
        let addresses = [server.address];
        let plan = |measured| Plan {
            addresses: &addresses,
            books,
            connections: clients,
            work: Work::Update,
            warm_up: Duration::ZERO,
            measured,
        };
        // So that connections are made and statements prepared.
        plan(self.options.run.warm_up()).run().await?;
        let before = trips.count();
        let outcome = plan(self.options.run.measured()).run().await?;
        Ok((trips.count() - before) as f64 / outcome.requests as f64)
    }
}
