//! Numbers that only grow, for whoever tells an operator how a store does.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A number that only grows.
#[derive(Default)]
pub struct Count(AtomicU64);

impl Count {
    /// So much more.
    pub fn add(&self, more: usize) {
        self.0.fetch_add(more as u64, Ordering::Relaxed);
    }

    /// So many microseconds more.
    pub fn add_micros(&self, more: Duration) {
        self.0.fetch_add(u64::try_from(more.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// The number.
    pub fn value(&self) -> f64 {
        self.0.load(Ordering::Relaxed) as f64
    }
}
