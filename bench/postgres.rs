//! How fast cusp is on PostgreSQL, against pgbench with the same statements: `cargo bench --bench postgres`. One run starts
//! the database and both, loads them in turn and prints a table. It talks to servers on this machine only, and ends by
//! itself.

mod cluster;
mod contest;
mod pgbench;
mod trips;
mod verdict;

// What this benchmark does not need of these, the other one does.
#[allow(dead_code)]
mod child;
mod connection;
mod disk;
mod folder;
#[allow(dead_code)]
mod load;
#[allow(dead_code)]
mod metrics;
mod progress;
#[allow(dead_code)]
mod rates;
mod run;
mod table;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use contest::Options;

/// What the benchmark is called.
const NAME: &str = "postgres";

/// Anything that ends the run early, told to the person who started it.
type Trouble = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    run::exit_code(measured(&Options::parse()))
}

fn measured(options: &Options) -> Result<(), Trouble> {
    let figures = run::to_its_end(contest::all(options))?;
    match options.run.json {
        true => println!("{}", verdict::json(&figures)),
        false => print!("{}", verdict::markdown(&figures)),
    }
    Ok(())
}
