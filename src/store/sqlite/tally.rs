//! What the store tells its operator about itself.

use std::path::Path;

use parking_lot::Mutex;

use super::files;
use crate::store::Figure;
use crate::store::count::Count;

/// Running totals, and the trouble of the last commit if it had any.
#[derive(Default)]
pub(super) struct Tally {
    pub commits: Count,
    pub jobs: Count,
    pub refused_jobs: Count,
    pub failed_groups: Count,
    pub group_micros: Count,
    pub commit_micros: Count,
    pub checkpoints: Count,
    pub failed_checkpoints: Count,
    pub checkpoint_micros: Count,
    pub ailment: Mutex<Option<String>>,
}

impl Tally {
    pub fn figures(&self, folder: &Path, queued: usize) -> Vec<Figure> {
        let counter = |name, help, value| Figure { name, help, value, counter: true };
        let gauge = |name, help, value| Figure { name, help, value, counter: false };
        let bytes = |file: &Path| std::fs::metadata(file).map_or(0.0, |metadata| metadata.len() as f64);
        let seconds = |micros: &Count| micros.value() / 1e6;
        let healthy = if self.ailment.lock().is_none() { 1.0 } else { 0.0 };
        vec![
            counter("store_jobs_total", "Jobs that the writer has run.", self.jobs.value()),
            counter("store_refused_jobs_total", "Jobs refused because the queue was full.", self.refused_jobs.value()),
            counter("store_commits_total", "Groups of jobs that were committed.", self.commits.value()),
            counter("store_failed_groups_total", "Groups of jobs that were lost.", self.failed_groups.value()),
            counter("store_group_seconds_total", "Time spent on running jobs.", seconds(&self.group_micros)),
            counter("store_commit_seconds_total", "Time spent on committing.", seconds(&self.commit_micros)),
            counter("store_checkpoints_total", "Checkpoints of the log.", self.checkpoints.value()),
            counter(
                "store_failed_checkpoints_total",
                "Checkpoints that did not get through; they are tried again.",
                self.failed_checkpoints.value(),
            ),
            counter("store_checkpoint_seconds_total", "Time spent on checkpoints.", seconds(&self.checkpoint_micros)),
            gauge("store_queue_length", "Jobs that wait for the writer.", queued as f64),
            gauge("store_log_bytes", "Size of the log file.", bytes(&files::log(folder))),
            gauge("store_database_bytes", "Size of the database file.", bytes(&files::database(folder))),
            gauge("store_healthy", "1 when the last commit worked.", healthy),
        ]
    }
}
