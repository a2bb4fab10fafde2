//! The run: starts the servers, fills them, loads them in turn and collects the figures.

use std::fs;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::child::{Server, processor_seconds};
use crate::load::{self, Id, Work};
use crate::metrics::Totals;
use crate::options::Options;
use crate::{Trouble, disk};

/// How often a start is timed; the median counts.
const STARTS: usize = 5;
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

/// What one kind of work came to, round by round.
#[derive(Default)]
pub struct Rates {
    pub per_second: Vec<f64>,
    /// Processor time of the server for one request, in microseconds.
    pub processor_microseconds: Vec<f64>,
    /// The same of the load.
    pub load_microseconds: Vec<f64>,
}

impl Rates {
    pub fn median(&self) -> f64 {
        median(self.per_second.clone())
    }

    pub fn median_processor_microseconds(&self) -> f64 {
        median(self.processor_microseconds.clone())
    }

    /// What the rate would be of that one's if nothing but the processor counted: the load's part and the server's.
    pub fn by_processor_over(&self, other: &Rates) -> f64 {
        let whole = |rates: &Rates| median(rates.load_microseconds.clone()) + rates.median_processor_microseconds();
        whole(other) / whole(self)
    }

    /// The median over the rounds of this rate over that one: what both saw of the machine's mood cancels out.
    pub fn over(&self, other: &Rates) -> f64 {
        median(self.per_second.iter().zip(&other.per_second).map(|(own, other)| own / other).collect())
    }
}

/// A folder that is removed when this is dropped.
struct Folder(PathBuf);

impl Folder {
    fn make(parent: &std::path::Path) -> Result<Folder, Trouble> {
        let path = parent.join(format!("updates-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Measures everything.
pub async fn all(options: &Options) -> Result<Figures, Trouble> {
    // Declared before the servers, so that it is removed after they have ended.
    let folder = Folder::make(&options.data)?;
    let few_data = folder.0.join("few");
    let many_data = folder.0.join("many");

    let (few_server, _) = Server::cusp(&few_data)?;
    std::thread::sleep(SETTLING);
    let idle_megabytes = few_server.resident_megabytes()?;
    let (few, _) = fill(&few_server, options.few()).await?;

    let (many_server, _) = Server::cusp(&many_data)?;
    let (many, fill_per_second) = fill(&many_server, options.many()).await?;
    std::thread::sleep(SETTLING);
    let megabytes_after_filling = many_server.resident_megabytes()?;

    say("timing starts");
    many_server.kill();
    let (mut many_server, start_after_kill) = Server::cusp(&many_data)?;
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        many_server.stop()?;
        let (server, start) = Server::cusp(&many_data)?;
        starts.push(start);
        many_server = server;
    }
    starts.sort();

    let reply = folder.0.join("reply");
    fs::write(&reply, load::sample(few_server.address, &few[0]).await?)?;
    let echo = Server::echo(&reply)?;

    let mut figures = Figures {
        few: options.few(),
        many: options.many(),
        rounds: options.rounds(),
        seconds: options.measured().as_secs(),
        echo_updates: Rates::default(),
        updates: Rates::default(),
        keyed_updates: Rates::default(),
        searchable_updates: Rates::default(),
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
    for round in 1..=options.rounds() {
        say(&format!("round {round} of {}", options.rounds()));
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
        customers: &Arc<[Id]>,
        rates: &mut Rates,
        latencies: &mut Histogram<u64>,
    ) -> Result<(), Trouble> {
        let (warm_up, measured) = (self.options.warm_up(), self.options.measured());
        let seconds = || Ok::<_, Trouble>([server.processor_seconds()?, processor_seconds(std::process::id())?]);
        let before = seconds()?;
        let outcome = load::measure(server.address, self.work, customers, warm_up, measured).await?;
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

async fn fill(server: &Server, many: u64) -> Result<(Arc<[Id]>, f64), Trouble> {
    let begun = Instant::now();
    let interactive = std::io::stderr().is_terminal();
    let told = std::cell::Cell::new(Instant::now());
    let ids = load::fill(server.address, many, |made| {
        // A log gets a line now and then; a terminal gets one line that counts.
        if interactive || made == many || told.get().elapsed() > Duration::from_secs(10) {
            told.set(Instant::now());
            let rate = made as f64 / begun.elapsed().as_secs_f64();
            let end = if interactive && made < many { "\r" } else { "\n" };
            eprint!("updates: {made} of {many} customers made, {rate:.0} a second{end}");
            let _ = std::io::stderr().flush();
        }
    });
    let ids = ids.await?;
    Ok((ids, many as f64 / begun.elapsed().as_secs_f64()))
}

fn say(what: &str) {
    eprintln!("updates: {what}");
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[odd / 2],
        even => (values[even / 2 - 1] + values[even / 2]) / 2.0,
    }
}
