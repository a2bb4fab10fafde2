//! `cusp dev` and `cusp serve`: a server from its start to its end by a signal.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::client::Server;
use super::terminal::Terminal;
use super::{Trouble, fixtures};
use crate::config::Options;
use crate::ids::Ids;
use crate::settings::{Language, Openness, Settings};
use crate::start::{Running, World, start};
use crate::store::postgres;
use crate::telemetry;

/// Files that are open besides the connections: the store's, the log, what the runtime needs, connections to receivers of
/// webhooks.
const OTHER_FILES: u64 = 1_024;
/// How long work on other threads may go on once the server has ended.
const LAST_WORK: Duration = Duration::from_secs(1);

/// Serves until a signal ends it.
pub fn run(options: Options, openness: Openness, terminal: &Terminal) -> Result<(), Trouble> {
    let (settings, log) = options.settle(openness)?;
    let _log = telemetry::start(log);
    make_room(&settings);
    let runtime = Runtime::new().map_err(|error| Trouble::Refused(format!("cannot start threads: {error}")))?;
    let outcome = runtime.block_on(serve(&settings, terminal));
    runtime.shutdown_timeout(LAST_WORK);
    outcome
}

async fn serve(settings: &Settings, terminal: &Terminal) -> Result<(), Trouble> {
    // Before the start, so that a signal during it is not lost.
    let mut signals = Signals::new()?;
    let ids = settings.seed.map_or_else(Ids::random, Ids::seeded);
    let world = World { ids: Arc::new(ids), ..World::real() };
    let running = start(settings, world).await.map_err(|error| Trouble::Refused(error.to_string()))?;
    let loaded = match load(settings, &running).await {
        Ok(loaded) => loaded,
        Err(words) => {
            running.stop().await;
            return Err(Trouble::Refused(words));
        }
    };
    announce(settings, &running, &loaded, terminal)?;
    let first = signals.next().await;
    tracing::info!("stopping on {first}: requests in flight may end, another signal ends them at once");
    tokio::select! {
        () = running.stop() => {
            tracing::info!("stopped");
            Ok(())
        }
        second = signals.next() => {
            Err(Trouble::Refused(format!("ended by {second} with requests in flight; what was acknowledged is kept")))
        }
    }
}

/// Loads the files that the server is to begin with, through its own door: whoever waits for it to be ready finds them.
async fn load(settings: &Settings, running: &Running) -> Result<Vec<String>, String> {
    if settings.load.is_empty() {
        return Ok(Vec::new());
    }
    let server = Server::at(&format!("http://{}", running.address()), &settings.load_key)?;
    let files = settings.load.clone();
    let loading = tokio::task::spawn_blocking(move || files.iter().map(|file| fixtures::load(&server, file)).collect());
    loading.await.map_err(|error| format!("loading files: {error}"))?
}

/// The first line of stdout is for programs too: with port 0 it is the only place that tells the port.
fn announce(settings: &Settings, running: &Running, loaded: &[String], terminal: &Terminal) -> Result<(), Trouble> {
    let address = running.address();
    let mut text = format!("listening on http://{address}");
    if let Some(admin) = running.admin_address() {
        text += &format!("\nhealth and metrics on http://{admin}");
    }
    for (language, address) in running.own_addresses() {
        text += &format!("\n{} alone on http://{address}", language.as_str());
    }
    text += &match (&settings.database, settings.ephemeral) {
        (Some(database), _) => format!("\nkeeping records in {}", postgres::place(database)),
        (None, true) => "\nkeeping nothing".to_string(),
        (None, false) => format!("\nkeeping records in {}", settings.data.display()),
    };
    let spoken = !settings.doors.without.contains(&Language::Stripe);
    if settings.openness == Openness::Dev && spoken {
        text += &format!("\ntry: curl http://{address}/v1/customers -u sk_test_me: -d name=Ada");
    }
    for told in loaded {
        text += &format!("\n{told}");
    }
    match terminal.say(&text) {
        // Nobody reads it: a server goes on without.
        Err(Trouble::Output(_)) => Ok(()),
        other => other,
    }
}

/// Each connection is an open file, and systems often allow a program 1024 until it asks for more.
fn make_room(settings: &Settings) {
    // Every address has room for so many.
    let addresses = 1 + settings.doors.listeners.len() as u64;
    let wanted = settings.max_connections as u64 * addresses + OTHER_FILES;
    match rlimit::increase_nofile_limit(wanted) {
        Ok(allowed) if allowed >= wanted => {}
        Ok(allowed) => tracing::warn!(
            allowed,
            wanted,
            "the system allows fewer open files than --max-connections asks for; connections beyond will wait or fail"
        ),
        Err(error) => tracing::warn!(%error, "cannot raise the limit of open files"),
    }
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> Result<Signals, Trouble> {
        let on = |kind| signal(kind).map_err(|error| Trouble::Refused(format!("cannot wait for signals: {error}")));
        Ok(Signals { terminate: on(SignalKind::terminate())?, interrupt: on(SignalKind::interrupt())? })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
