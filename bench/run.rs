//! What every benchmark has in common: what it can be told, and how it is run to its end.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use crate::{NAME, Trouble};

/// How long a run takes, where it keeps its things, how it tells.
#[derive(Debug, Args)]
pub struct Run {
    /// How long each measurement of each round takes, after a warm-up of a fifth of that [default: 5, with --quick 1]
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: Option<u64>,
    /// How many rounds [default: 5, with --quick 2]
    #[arg(long, value_name = "R", value_parser = clap::value_parser!(u64).range(1..=100))]
    rounds: Option<u64>,
    /// A short run, to see whether everything works; its figures mean little
    #[arg(long)]
    pub quick: bool,
    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,
    /// Where the servers keep their data; a folder is made in it and removed at the end
    #[arg(long, value_name = "DIR", default_value = env!("CARGO_TARGET_TMPDIR"))]
    pub data: PathBuf,

    /// `cargo bench` adds this.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Run {
    pub fn measured(&self) -> Duration {
        Duration::from_secs(self.seconds.unwrap_or(if self.quick { 1 } else { 5 }))
    }

    pub fn warm_up(&self) -> Duration {
        self.measured() / 5
    }

    pub fn rounds(&self) -> u64 {
        self.rounds.unwrap_or(if self.quick { 2 } else { 5 })
    }
}

/// Waits for the measurement, or until the run is told to end: then the measurement is dropped, and with it its servers.
pub fn to_its_end<T>(measurement: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
    // One thread: the load leaves as much of the machine to the servers as it can.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            measured = measurement => measured,
            _ = tokio::signal::ctrl_c() => Err("interrupted".into()),
            _ = terminate.recv() => Err("told to stop".into()),
        }
    })
}

/// Tells how a run ended.
pub fn exit_code(outcome: Result<(), Trouble>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            eprintln!("{NAME}: {trouble}");
            ExitCode::FAILURE
        }
    }
}
