//! What the store tells its operator about itself.

use parking_lot::Mutex;

use super::connect::Status;
use crate::store::Figure;
use crate::store::count::Count;

/// Running totals, and the trouble that the database was in when it was last asked.
#[derive(Default)]
pub(super) struct Tally {
    pub jobs: Count,
    pub refused_jobs: Count,
    pub commits: Count,
    pub commit_micros: Count,
    pub conflicts: Count,
    pub lost: Count,
    pub doubts: Count,
    pub fetches: Count,
    pub fetch_micros: Count,
    pub reads: Count,
    pub read_micros: Count,
    pub ailment: Mutex<Option<String>>,
}

impl Tally {
    pub fn figures(&self, pool: Status, queued: usize) -> Vec<Figure> {
        let counter = |name, help, value| Figure { name, help, value, counter: true };
        let gauge = |name, help, value| Figure { name, help, value, counter: false };
        let count = |count: &Count| count.value();
        let seconds = |micros: &Count| micros.value() / 1e6;
        let healthy = if self.ailment.lock().is_none() { 1.0 } else { 0.0 };
        vec![
            counter("store_jobs_total", "Jobs that were run and told.", count(&self.jobs)),
            counter("store_refused_jobs_total", "Jobs refused because the queue was full.", count(&self.refused_jobs)),
            counter("store_commits_total", "Groups of jobs that were sent with their commit.", count(&self.commits)),
            counter(
                "store_commit_seconds_total",
                "Time spent on writing and committing.",
                seconds(&self.commit_micros),
            ),
            counter(
                "store_conflicts_total",
                "Transactions run again because they got into the way of others.",
                count(&self.conflicts),
            ),
            counter("store_lost_total", "Transactions whose connection or server was lost.", count(&self.lost)),
            counter(
                "store_doubts_total",
                "Commits that were not answered and had to be looked for.",
                count(&self.doubts),
            ),
            counter("store_fetches_total", "Times that rows were fetched for looks.", count(&self.fetches)),
            counter("store_fetch_seconds_total", "Time spent on fetching rows for looks.", seconds(&self.fetch_micros)),
            counter("store_reads_total", "Reads of one state, as lists and searches.", count(&self.reads)),
            counter("store_read_seconds_total", "Time spent on reads of one state.", seconds(&self.read_micros)),
            counter("store_connections_made_total", "Connections that were made.", pool.made as f64),
            counter("store_connections_failed_total", "Connections that could not be made.", pool.failed as f64),
            gauge("store_queue_length", "Jobs that wait.", queued as f64),
            gauge("store_connections", "Connections that there are.", pool.size as f64),
            gauge("store_connections_idle", "Connections that nobody uses.", pool.idle as f64),
            gauge("store_connections_max", "The most connections that there may be.", pool.max as f64),
            gauge("store_connection_waiters", "Callers that wait for a connection.", pool.waiting as f64),
            gauge("store_healthy", "1 when the database took writes when it was last asked.", healthy),
        ]
    }
}
