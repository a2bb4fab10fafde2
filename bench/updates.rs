//! How fast cusp is, against an echo server on the same HTTP stack: `cargo bench --bench updates`. One run starts both,
//! loads them in turn and prints a table for the README. It talks to servers on this machine only, and ends by itself.

mod child;
mod connection;
mod disk;
mod echo;
mod folder;
mod load;
mod measure;
mod metrics;
mod options;
mod progress;
mod rates;
mod report;
mod run;
mod table;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use options::Options;

/// What the benchmark is called.
const NAME: &str = "updates";

/// The same allocator as cusp's own, so that the echo has no other.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Anything that ends the run early, told to the person who started it.
type Trouble = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    let options = Options::parse();
    run::exit_code(match &options.echo_server {
        Some(reply) => echo::run(reply),
        None => measured(&options),
    })
}

fn measured(options: &Options) -> Result<(), Trouble> {
    let figures = run::to_its_end(measure::all(options))?;
    match options.run.json {
        true => println!("{}", report::json(&figures)),
        false => print!("{}", report::markdown(&figures)),
    }
    Ok(())
}
