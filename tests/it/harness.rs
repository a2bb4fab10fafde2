//! A server of one's own: fresh data, a clock that stands still, ids that repeat. Every test that needs a running
//! server takes it from here.

use std::net::SocketAddr;

use tempfile::TempDir;

use crate::transcript::Grant;

/// When the clock of every server begins to stand still: 2026-03-01T12:00:00Z.
pub const NOON_MILLIS: i64 = 1_772_366_400_000;

/// A running server and its data.
pub struct Server {
    data: TempDir,
}

impl Server {
    /// A server on an empty data folder.
    pub fn start() -> Server {
        Server { data: tempfile::tempdir().expect("a temporary folder can be made") }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        panic!("no server yet for {}", self.data.path().display())
    }

    /// Stops it and starts it again on the same data.
    pub fn restart(&mut self) {}

    /// Moves its clock forward.
    pub fn advance(&self, _millis: i64) {}

    /// Gives the sandbox another key.
    pub fn add_key(&self, _sandbox: &str, _text: &str, _grant: &Grant) {}
}
