//! What a running server tells its operators: log lines and numbers. Neither ever holds a body, a key, a raw path or
//! anything about a customer.

mod lines;
mod log;
mod metrics;
mod watch;

pub use log::{Level, LogFormat, LogGuard, LogSettings, lines_lost, log_request, start};
pub use metrics::Metrics;
pub use watch::Watch;
