//! What the store tells its operator about itself.

use crate::store::Figure;
use crate::store::count::Count;

/// Running totals.
#[derive(Default)]
pub(super) struct Tally {
    pub jobs: Count,
    pub refused_jobs: Count,
    pub conflicts: Count,
}

impl Tally {
    pub fn figures(&self, accounts: usize, waiting: usize) -> Vec<Figure> {
        let counter = |name, help, value| Figure { name, help, value, counter: true };
        let gauge = |name, help, value| Figure { name, help, value, counter: false };
        vec![
            counter("store_jobs_total", "Jobs that were run.", self.jobs.value()),
            counter("store_refused_jobs_total", "Jobs refused because too many waited.", self.refused_jobs.value()),
            counter(
                "store_conflicts_total",
                "Jobs run again because one of another account came between.",
                self.conflicts.value(),
            ),
            gauge("store_queue_length", "Jobs that wait for others of their account.", waiting as f64),
            gauge("store_accounts", "Accounts that hold something.", accounts as f64),
        ]
    }
}
