//! What a run of this benchmark can be told.

use std::path::PathBuf;

use clap::Parser;

use crate::run::Run;

/// How many customers the smaller of the two servers has.
const FEW_CUSTOMERS: u64 = 10_000;

/// Measures cusp against an echo server on the same HTTP stack, and prints a table.
#[derive(Debug, Parser)]
#[command(name = "updates")]
pub struct Options {
    /// How many customers the larger server has [default: 1000000, with --quick 20000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(64..=10_000_000))]
    customers: Option<u64>,
    #[command(flatten)]
    pub run: Run,

    /// Be the echo server that answers what the file says.
    #[arg(long, hide = true, value_name = "FILE")]
    pub echo_server: Option<PathBuf>,
}

impl Options {
    pub fn many(&self) -> u64 {
        self.customers.unwrap_or(if self.run.quick { 20_000 } else { 1_000_000 })
    }

    pub fn few(&self) -> u64 {
        FEW_CUSTOMERS.min(self.many())
    }
}
