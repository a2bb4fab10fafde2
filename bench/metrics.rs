//! What cusp tells of itself: the time that writes spend in each stage.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::Trouble;

/// The stages of a write, in their order.
pub const STAGES: [&str; 5] = ["parse", "wait", "store", "render", "commit"];

/// Running totals, by their names and labels as the server spells them.
#[derive(Clone, Debug, Default)]
pub struct Totals(BTreeMap<String, f64>);

impl Totals {
    /// Asks the server.
    pub fn of(address: SocketAddr) -> Result<Totals, Trouble> {
        let text = get(address, "/metrics")?;
        let lines =
            text.lines().filter(|line| line.starts_with("cusp_store_") || line.starts_with("cusp_write_stage_"));
        let pairs = lines.filter_map(|line| line.rsplit_once(' '));
        let totals = pairs.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?)));
        Ok(Totals(totals.collect()))
    }

    /// Adds what happened between two moments.
    pub fn add_between(&mut self, before: &Totals, after: &Totals) {
        for (name, value) in &after.0 {
            *self.0.entry(name.clone()).or_default() += value - before.get(name);
        }
    }

    /// The mean time of a write in that stage, in microseconds.
    pub fn stage_microseconds(&self, stage: &str) -> f64 {
        let [sum, count] =
            ["sum", "count"].map(|what| self.get(&format!("cusp_write_stage_seconds_{what}{{stage=\"{stage}\"}}")));
        sum / count * 1e6
    }

    /// How many writes one commit carries.
    pub fn writes_per_commit(&self) -> f64 {
        self.get("cusp_store_jobs_total") / self.get("cusp_store_commits_total")
    }

    /// How long one commit takes, its sync included, in milliseconds.
    pub fn commit_milliseconds(&self) -> f64 {
        self.get("cusp_store_commit_seconds_total") / self.get("cusp_store_commits_total") * 1e3
    }

    /// How long the writer was busy with checkpoints for each write, in microseconds.
    pub fn checkpoint_microseconds(&self) -> f64 {
        self.get("cusp_store_checkpoint_seconds_total") / self.get("cusp_store_jobs_total") * 1e6
    }

    fn get(&self, name: &str) -> f64 {
        self.0.get(name).copied().unwrap_or_default()
    }
}

/// A page of the server's own, which has to be answered 200.
pub fn get(address: SocketAddr, path: &str) -> Result<String, Trouble> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").as_bytes())?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    match reply.split_once("\r\n\r\n") {
        Some((head, body)) if head.starts_with("HTTP/1.1 200 ") => Ok(body.to_owned()),
        _ => Err(format!("{path}: {reply}").into()),
    }
}
