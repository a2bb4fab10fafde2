//! What a run can be told.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

/// How many customers the smaller of the two servers has.
const FEW_CUSTOMERS: u64 = 10_000;

/// Measures cusp against an echo server on the same HTTP stack, and prints a table.
#[derive(Debug, Parser)]
#[command(name = "updates")]
pub struct Options {
    /// How many customers the larger server has [default: 1000000, with --quick 20000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(64..=10_000_000))]
    customers: Option<u64>,
    /// How long each measurement of each round takes, after a warm-up of a fifth of that [default: 5, with --quick 1]
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: Option<u64>,
    /// How many rounds [default: 5, with --quick 2]
    #[arg(long, value_name = "R", value_parser = clap::value_parser!(u64).range(1..=100))]
    rounds: Option<u64>,
    /// A short run, to see whether everything works; its figures mean little
    #[arg(long)]
    quick: bool,
    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,
    /// Where the servers keep their data; a folder is made in it and removed at the end
    #[arg(long, value_name = "DIR", default_value = env!("CARGO_TARGET_TMPDIR"))]
    pub data: PathBuf,

    /// Be the echo server that answers what the file says.
    #[arg(long, hide = true, value_name = "FILE")]
    pub echo_server: Option<PathBuf>,
    /// `cargo bench` adds this.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    pub fn many(&self) -> u64 {
        self.customers.unwrap_or(if self.quick { 20_000 } else { 1_000_000 })
    }

    pub fn few(&self) -> u64 {
        FEW_CUSTOMERS.min(self.many())
    }

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
