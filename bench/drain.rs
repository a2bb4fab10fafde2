//! The run: has deliveries pile up, lets them go, with updates beside them and without, with dead endpoints and without.

use std::time::{Duration, Instant};

use clap::Parser;
use tokio::time::sleep;

use crate::Trouble;
use crate::child::Server;
use crate::connection::Connection;
use crate::folder::Folder;
use crate::gate::Gate;
use crate::load::{Book, CONNECTIONS, Measured, Plan, Work};
use crate::progress::{fill, say};
use crate::rates::Rates;
use crate::run::Run;
use crate::table::{Row, Target, thousands};

/// The key of the account whose deliveries are counted.
const KEY: &str = "sk_test_told";
/// How many customers are updated.
const CUSTOMERS: u64 = 10_000;
/// The most endpoints that an account can have.
const ENDPOINTS_OF_ACCOUNT: usize = 16;
/// How many endpoints are dead in the last measurement.
const DEAD: usize = 100;
/// How many deliveries wait for each of them.
const WAITING_FOR_DEAD: u64 = 50;
/// How long a server may take to send everything.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often the receiver is looked at.
const PAUSE: Duration = Duration::from_millis(2);

/// Measures how fast webhooks are sent, and prints a table.
#[derive(Debug, Parser)]
#[command(name = "webhooks")]
pub struct Options {
    /// How many deliveries pile up
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(100..=1_000_000))]
    pending: u64,
    #[command(flatten)]
    pub run: Run,
}

/// Everything that was measured.
pub struct Figures {
    pending: u64,
    rounds: u64,
    /// Updates with nothing to be sent.
    updates: Rates,
    /// Updates while deliveries drain, and the deliveries meanwhile.
    updates_beside: Rates,
    drain_beside: Rates,
    /// Updates each of which is told, and the webhooks meanwhile.
    told_updates: Rates,
    told: Rates,
    /// Deliveries with nothing beside them, and with dead endpoints beside them.
    drain: Rates,
    drain_among_dead: Rates,
}

/// Measures everything.
pub async fn all(options: &Options) -> Result<Figures, Trouble> {
    let folder = Folder::make(&options.run.data, "webhooks")?;
    let mut figures = Figures {
        pending: options.pending,
        rounds: options.run.rounds(),
        updates: Rates::default(),
        updates_beside: Rates::default(),
        drain_beside: Rates::default(),
        told_updates: Rates::default(),
        told: Rates::default(),
        drain: Rates::default(),
        drain_among_dead: Rates::default(),
    };
    for round in 1..=options.run.rounds() {
        say(&format!("round {round} of {}", options.run.rounds()));
        let data = folder.0.join(format!("{round}"));
        let (server, _) = Server::cusp(["--data".as_ref(), data.as_os_str()])?;
        let gate = Gate::closed().await?;
        let (book, _) = fill(server.address, KEY, CUSTOMERS).await?;
        let updating = |warm_up, measured| updates(&server, &book, warm_up, measured);
        let window = options.run.measured();
        figures.updates.per_second.push(updating(window / 5, window).await?.per_second);

        endpoint(&server, KEY, &gate, "customer.created").await?;
        fill(server.address, KEY, options.pending).await?;
        let drained = drain(&gate, options.pending).await?;
        figures.drain.per_second.push(drained);

        gate.set_open(false);
        // With updates beside them they take longer than without: all of this is while they drain.
        let window = Duration::from_secs_f64(options.pending as f64 / drained / 2.0);
        fill(server.address, KEY, options.pending).await?;
        let before = gate.taken();
        gate.set_open(true);
        let beside = async {
            sleep(window / 5).await;
            let (begun, from) = (Instant::now(), gate.taken());
            sleep(window).await;
            (gate.taken() - from) as f64 / begun.elapsed().as_secs_f64()
        };
        let (measured, sent) = tokio::join!(updating(window / 5, window), beside);
        if gate.taken() - before >= options.pending {
            return Err("everything was sent before the updates were measured: it takes more --pending".into());
        }
        figures.updates_beside.per_second.push(measured?.per_second);
        figures.drain_beside.per_second.push(sent);
        wait_for(&gate, before + options.pending).await?;

        endpoint(&server, KEY, &gate, "customer.updated").await?;
        let from = gate.taken();
        let measured = updating(window / 5, window).await?;
        figures.told_updates.per_second.push(measured.per_second);
        figures.told.per_second.push((gate.taken() - from) as f64 / (window + window / 5).as_secs_f64());
        drop(server);

        let data = folder.0.join(format!("{round}-dead"));
        let (server, _) = Server::cusp(["--data".as_ref(), data.as_os_str()])?;
        let (gate, dead) = (Gate::closed().await?, Gate::closed().await?);
        for number in 0..DEAD.div_ceil(ENDPOINTS_OF_ACCOUNT) {
            let key = format!("sk_test_dead{number}");
            for _ in 0..ENDPOINTS_OF_ACCOUNT.min(DEAD - number * ENDPOINTS_OF_ACCOUNT) {
                endpoint(&server, &key, &dead, "*").await?;
            }
            fill(server.address, &key, WAITING_FOR_DEAD).await?;
        }
        endpoint(&server, KEY, &gate, "customer.created").await?;
        fill(server.address, KEY, options.pending).await?;
        figures.drain_among_dead.per_second.push(drain(&gate, options.pending).await?);
    }
    Ok(figures)
}

/// Opens the receiver and measures how fast it gets so many.
async fn drain(gate: &Gate, pending: u64) -> Result<f64, Trouble> {
    let (begun, from) = (Instant::now(), gate.taken());
    gate.set_open(true);
    wait_for(gate, from + pending).await?;
    Ok(pending as f64 / begun.elapsed().as_secs_f64())
}

async fn wait_for(gate: &Gate, taken: u64) -> Result<(), Trouble> {
    let begun = Instant::now();
    while gate.taken() < taken {
        if begun.elapsed() > PATIENCE {
            return Err(format!("the receiver has {} webhooks of {taken}", gate.taken()).into());
        }
        sleep(PAUSE).await;
    }
    Ok(())
}

async fn updates(server: &Server, book: &Book, warm_up: Duration, measured: Duration) -> Result<Measured, Trouble> {
    let plan = Plan {
        addresses: &[server.address],
        books: std::slice::from_ref(book),
        connections: CONNECTIONS,
        work: Work::Update,
        warm_up,
        measured,
    };
    plan.run().await
}

/// Makes an endpoint that is told of events of that type.
async fn endpoint(server: &Server, key: &str, gate: &Gate, kind: &str) -> Result<(), Trouble> {
    let body = format!("url=http://{}/&enabled_events[]={kind}", gate.address);
    let request = format!(
        "POST /v1/webhook_endpoints HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        server.address,
        body.len()
    );
    Connection::open(server.address).await?.exchange(request.as_bytes()).await?;
    Ok(())
}

/// The figures with what was promised.
pub fn rows(figures: &Figures) -> Vec<Row> {
    let pending = thousands(figures.pending as f64);
    let rate = |rates: &Rates| format!("{}/s", thousands(rates.median()));
    vec![
        Row {
            what: format!("{pending} pending deliveries drain, with updates beside them"),
            measured: rate(&figures.drain_beside),
            value: figures.drain_beside.median(),
            target: Target::AtLeast(2_000.0, "/s"),
        },
        Row::ratio(
            "updates meanwhile, of their rate without".to_owned(),
            &figures.updates_beside,
            &figures.updates,
            Target::AtLeast(0.60, ""),
        ),
        Row {
            what: format!("{pending} pending deliveries drain, with nothing beside them"),
            measured: rate(&figures.drain),
            value: figures.drain.median(),
            target: Target::None,
        },
        Row::ratio(
            format!("the same beside {DEAD} endpoints that never answer, of that rate"),
            &figures.drain_among_dead,
            &figures.drain,
            Target::AtLeast(0.90, ""),
        ),
        Row::ratio(
            "updates each of which an endpoint is told of, of the plain update's rate".to_owned(),
            &figures.told_updates,
            &figures.updates,
            Target::None,
        ),
        Row {
            what: "webhooks sent meanwhile".to_owned(),
            measured: rate(&figures.told),
            value: figures.told.median(),
            target: Target::None,
        },
    ]
}

/// How it was measured.
pub fn footnote(figures: &Figures) -> String {
    format!(
        "\nData in a folder; medians of {} rounds, ratios within a round; the load and the receivers on the same {} cores.\n",
        figures.rounds,
        std::thread::available_parallelism().map_or(0, usize::from),
    )
}
