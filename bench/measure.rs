//! The run: starts the servers, fills them, loads them in turn and collects the figures.

use std::fs;
use std::path::Path;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::child::{Server, processor_seconds};
use crate::folder::Folder;
use crate::load::{self, Book, CONNECTIONS, Plan, Work};
use crate::metrics::Totals;
use crate::options::Options;
use crate::progress::{fill, say};
use crate::rates::{Rates, median};
use crate::{Trouble, disk, echo};

/// How often a start is timed; the median counts.
const STARTS: usize = 5;
/// The key of the account whose customers are changed.
const KEY: &str = "sk_test_bench";
/// The key of the account whose customers are given cards.
const HOLDERS_KEY: &str = "sk_test_bench_holders";
/// How long a server is left alone before its memory is read.
const SETTLING: Duration = Duration::from_secs(2);

/// Everything that was measured.
pub struct Figures {
    pub few: u64,
    pub many: u64,
    pub rounds: u64,
    pub seconds: u64,
    /// Requests per second of each round.
    pub echo_updates: Rates,
    pub updates: Rates,
    pub keyed_updates: Rates,
    pub searchable_updates: Rates,
    pub source_updates: Rates,
    pub jani_updates: Rates,
    pub flexportal_updates: Rates,
    pub updates_of_many: Rates,
    pub echo_retrieves: Rates,
    pub retrieves: Rates,
    pub retrieves_of_many: Rates,
    /// In microseconds.
    pub update_latencies: Histogram<u64>,
    pub retrieve_latencies: Histogram<u64>,
    /// What the store counted during the updates of the smaller server.
    pub totals: Totals,
    pub idle_megabytes: f64,
    pub megabytes_of_many: f64,
    pub start: Duration,
    pub start_after_kill: Duration,
    /// The disk's own time for a write of 4 KB and of 64 KB, in milliseconds.
    pub small_sync: f64,
    pub large_sync: f64,
    pub fill_per_second: f64,
}

/// Measures everything.
pub async fn all(options: &Options) -> Result<Figures, Trouble> {
    // Declared before the servers, so that it is removed after they have ended.
    let folder = Folder::make(&options.run.data, "updates")?;
    let few_data = folder.0.join("few");
    let many_data = folder.0.join("many");
    let start = |data: &Path| Server::cusp(["--data".as_ref(), data.as_os_str()]);

    let (few_server, _) = start(&few_data)?;
    std::thread::sleep(SETTLING);
    let idle_megabytes = few_server.resident_megabytes()?;
    let (few, _) = fill(few_server.address, KEY, options.few()).await?;
    // Of an account of their own, so that the customers of the other loads stay as they are.
    let (holders, _) = fill(few_server.address, HOLDERS_KEY, options.few()).await?;

    let (many_server, _) = start(&many_data)?;
    let (many, fill_per_second) = fill(many_server.address, KEY, options.many()).await?;
    std::thread::sleep(SETTLING);
    let megabytes_after_filling = many_server.resident_megabytes()?;

    say("timing starts");
    many_server.kill();
    let (mut many_server, start_after_kill) = start(&many_data)?;
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        many_server.stop()?;
        let (server, start) = start(&many_data)?;
        starts.push(start);
        many_server = server;
    }
    starts.sort();

    let reply = folder.0.join("reply");
    fs::write(&reply, load::sample(few_server.address, &few).await?)?;
    let echo = echo::start(&reply)?;

    let mut figures = Figures {
        few: options.few(),
        many: options.many(),
        rounds: options.run.rounds(),
        seconds: options.run.measured().as_secs(),
        echo_updates: Rates::default(),
        updates: Rates::default(),
        keyed_updates: Rates::default(),
        searchable_updates: Rates::default(),
        source_updates: Rates::default(),
        jani_updates: Rates::default(),
        flexportal_updates: Rates::default(),
        updates_of_many: Rates::default(),
        echo_retrieves: Rates::default(),
        retrieves: Rates::default(),
        retrieves_of_many: Rates::default(),
        update_latencies: Histogram::new(3)?,
        retrieve_latencies: Histogram::new(3)?,
        totals: Totals::default(),
        idle_megabytes,
        megabytes_of_many: megabytes_after_filling,
        start: starts[STARTS / 2],
        start_after_kill,
        small_sync: f64::NAN,
        large_sync: f64::NAN,
        fill_per_second,
    };
    let (mut small_syncs, mut large_syncs) = (Vec::new(), Vec::new());
    for round in 1..=options.run.rounds() {
        say(&format!("round {round} of {}", options.run.rounds()));
        small_syncs.push(disk::sync_milliseconds(&folder.0, 4 * 1024)?);
        large_syncs.push(disk::sync_milliseconds(&folder.0, 64 * 1024)?);
        let mut none = Histogram::new(3)?;
        let load = |work| Load { options, work };
        load(Work::Update).on(&echo, &few, &mut figures.echo_updates, &mut none).await?;
        let before = Totals::of(few_server.address)?;
        load(Work::Update).on(&few_server, &few, &mut figures.updates, &mut figures.update_latencies).await?;
        figures.totals.add_between(&before, &Totals::of(few_server.address)?);
        load(Work::Update).on(&many_server, &many, &mut figures.updates_of_many, &mut none).await?;
        load(Work::KeyedUpdate).on(&few_server, &few, &mut figures.keyed_updates, &mut none).await?;
        load(Work::SearchableUpdate).on(&few_server, &few, &mut figures.searchable_updates, &mut none).await?;
        load(Work::SourceUpdate).on(&few_server, &holders, &mut figures.source_updates, &mut none).await?;
        load(Work::JaniUpdate).on(&few_server, &few, &mut figures.jani_updates, &mut none).await?;
        load(Work::FlexPortalUpdate).on(&few_server, &few, &mut figures.flexportal_updates, &mut none).await?;
        load(Work::Retrieve).on(&echo, &few, &mut figures.echo_retrieves, &mut none).await?;
        load(Work::Retrieve).on(&few_server, &few, &mut figures.retrieves, &mut figures.retrieve_latencies).await?;
        load(Work::Retrieve).on(&many_server, &many, &mut figures.retrieves_of_many, &mut none).await?;
    }
    figures.small_sync = median(small_syncs);
    figures.large_sync = median(large_syncs);
    figures.megabytes_of_many = megabytes_after_filling.max(many_server.resident_megabytes()?);
    Ok(figures)
}

/// One measurement of one server.
struct Load<'a> {
    options: &'a Options,
    work: Work,
}

impl Load<'_> {
    async fn on(
        &self,
        server: &Server,
        book: &Book,
        rates: &mut Rates,
        latencies: &mut Histogram<u64>,
    ) -> Result<(), Trouble> {
        let (warm_up, measured) = (self.options.run.warm_up(), self.options.run.measured());
        let seconds = || Ok::<_, Trouble>([server.processor_seconds()?, processor_seconds(std::process::id())?]);
        let before = seconds()?;
        let plan = Plan {
            addresses: &[server.address],
            books: std::slice::from_ref(book),
            connections: CONNECTIONS,
            work: self.work,
            warm_up,
            measured,
        };
        let outcome = plan.run().await?;
        let after = seconds()?;
        // The processor's time covers the warm-up too; at a steady rate it is as much busier as it is longer.
        let share = measured.as_secs_f64() / (warm_up + measured).as_secs_f64();
        let [of_server, of_load] = [0, 1].map(|at| (after[at] - before[at]) * share / outcome.requests as f64 * 1e6);
        rates.processor_microseconds.push(of_server);
        rates.load_microseconds.push(of_load);
        rates.per_second.push(outcome.per_second);
        latencies.add(outcome.latencies)?;
        Ok(())
    }
}
