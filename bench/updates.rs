//! How fast cusp is, against an echo server on the same HTTP stack: `cargo bench --bench updates`. One run starts both,
//! loads them in turn and prints a table for the README. It talks to servers on this machine only, and ends by itself.

mod child;
mod connection;
mod disk;
mod echo;
mod load;
mod measure;
mod metrics;
mod options;
mod report;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use options::Options;
use tokio::signal::unix::{SignalKind, signal};

/// The same allocator as cusp's own, so that the echo has no other.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Anything that ends the run early, told to the person who started it.
type Trouble = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    let options = Options::parse();
    let outcome = match &options.echo_server {
        Some(reply) => echo::run(reply),
        None => run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            eprintln!("updates: {trouble}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Trouble> {
    // One thread: the load leaves as much of the machine to the servers as it can.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let figures = runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            figures = measure::all(options) => figures,
            // The servers are children: they end when `measure` is dropped.
            _ = tokio::signal::ctrl_c() => Err("interrupted".into()),
            _ = terminate.recv() => Err("told to stop".into()),
        }
    })?;
    match options.json {
        true => println!("{}", report::json(&figures)),
        false => print!("{}", report::markdown(&figures)),
    }
    Ok(())
}
