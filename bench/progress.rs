//! Tells the person who started the run how far it has come, on standard error.

use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::load::{self, Book};
use crate::{NAME, Trouble};

/// Tells what happens now.
pub fn say(what: &str) {
    eprintln!("{NAME}: {what}");
}

/// Makes customers and tells how many there are; gives also how many were made in a second.
pub async fn fill(address: SocketAddr, key: &str, many: u64) -> Result<(Book, f64), Trouble> {
    let begun = Instant::now();
    let interactive = std::io::stderr().is_terminal();
    let told = std::cell::Cell::new(Instant::now());
    let book = load::fill(address, key, many, |made| {
        // A log gets a line now and then; a terminal gets one line that counts.
        if interactive || made == many || told.get().elapsed() > Duration::from_secs(10) {
            told.set(Instant::now());
            let rate = made as f64 / begun.elapsed().as_secs_f64();
            let end = if interactive && made < many { "\r" } else { "\n" };
            eprint!("{NAME}: {made} of {many} customers made, {rate:.0} a second{end}");
            let _ = std::io::stderr().flush();
        }
    });
    let book = book.await?;
    Ok((book, many as f64 / begun.elapsed().as_secs_f64()))
}
