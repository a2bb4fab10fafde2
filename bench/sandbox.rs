//! How fast sandboxes are emptied, kept, put back and given to others, and what they weigh: `cargo bench --bench sandbox`.
//! One run starts servers in memory and in a folder and prints a table. It talks to servers on this machine only, and ends
//! by itself.

mod sandboxes;

// What this benchmark does not need of these, the other ones do.
#[allow(dead_code)]
mod child;
mod connection;
mod folder;
#[allow(dead_code)]
mod load;
#[allow(dead_code)]
mod metrics;
mod progress;
#[allow(dead_code)]
mod rates;
#[allow(dead_code)]
mod run;
#[allow(dead_code)]
mod table;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use sandboxes::Options;

/// What the benchmark is called.
const NAME: &str = "sandbox";

/// Anything that ends the run early, told to the person who started it.
type Trouble = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    run::exit_code(measured(&Options::parse()))
}

fn measured(options: &Options) -> Result<(), Trouble> {
    let figures = run::to_its_end(sandboxes::all(options))?;
    match options.run.json {
        true => println!("{}", serde_json::to_string_pretty(&table::json(figures))?),
        false => print!("{}", table::markdown(figures)),
    }
    Ok(())
}
