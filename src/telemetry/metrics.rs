//! Numbers for Prometheus. Labels come from enums and from texts known when the program was built, so the number of
//! series is bounded and no series names a caller.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode_registry;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::log::lines_lost;
use crate::app::Stage;
use crate::domain::time::Time;
use crate::store::Figure;

/// Upper bounds of the histogram's buckets, in seconds: from a read out of memory to the longest default deadline.
const BUCKETS: [f64; 15] =
    [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    dialect: &'static str,
    route: &'static str,
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DialectLabel {
    dialect: &'static str,
}

#[derive(Default)]
struct Total {
    nanos: AtomicU64,
    count: AtomicU64,
}

/// The numbers of one server.
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    durations: Family<DialectLabel, Histogram>,
    in_flight: Gauge,
    connections: Gauge,
    streams: Gauge,
    replays: Counter,
    rate_limited: Counter,
    webhooks_taken: Counter,
    webhooks_failed: Counter,
    stages: [Total; Stage::ALL.len()],
    started: Time,
}

impl Metrics {
    /// The numbers of a server that starts at `started`.
    pub fn new(started: Time) -> Metrics {
        let mut metrics = Metrics {
            registry: Registry::with_prefix("cusp"),
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            in_flight: Gauge::default(),
            connections: Gauge::default(),
            streams: Gauge::default(),
            replays: Counter::default(),
            rate_limited: Counter::default(),
            webhooks_taken: Counter::default(),
            webhooks_failed: Counter::default(),
            stages: Default::default(),
            started,
        };
        let registry = &mut metrics.registry;
        registry.register("requests", "Requests answered, by route and class of status", metrics.requests.clone());
        registry.register("request_duration_seconds", "From a request's head to its reply", metrics.durations.clone());
        registry.register("requests_in_flight", "Requests being answered", metrics.in_flight.clone());
        registry.register("open_connections", "Connections of clients", metrics.connections.clone());
        registry.register("open_event_streams", "Event streams of clients", metrics.streams.clone());
        registry.register(
            "idempotent_replays",
            "Requests answered with the reply kept for their idempotency key",
            metrics.replays.clone(),
        );
        registry.register("rate_limited", "Requests refused for coming too fast", metrics.rate_limited.clone());
        registry.register("webhooks_taken", "Webhooks that were answered with a 2xx", metrics.webhooks_taken.clone());
        registry.register("webhooks_failed", "Attempts at webhooks that failed", metrics.webhooks_failed.clone());
        metrics
    }

    /// Counts a request that was answered.
    pub fn request(&self, dialect: &'static str, route: &'static str, status: u16, duration: Duration) {
        self.requests.get_or_create(&RequestLabels { dialect, route, status: class(status) }).inc();
        self.durations.get_or_create(&DialectLabel { dialect }).observe(duration.as_secs_f64());
    }

    /// Adds what one write spent in one stage.
    pub fn stage(&self, stage: Stage, duration: Duration) {
        let total = &self.stages[stage as usize];
        total.nanos.fetch_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        total.count.fetch_add(1, Ordering::Relaxed);
    }

    /// Requests being answered.
    pub fn in_flight(&self) -> &Gauge {
        &self.in_flight
    }

    /// Connections that are open.
    pub fn connections(&self) -> &Gauge {
        &self.connections
    }

    /// Event streams that are open.
    pub fn streams(&self) -> &Gauge {
        &self.streams
    }

    /// Counts a request answered with a kept reply.
    pub fn replay(&self) {
        self.replays.inc();
    }

    /// Counts a request refused for coming too fast.
    pub fn rate_limited(&self) {
        self.rate_limited.inc();
    }

    /// Counts an attempt at a webhook.
    pub fn webhook(&self, succeeded: bool) {
        if succeeded { &self.webhooks_taken } else { &self.webhooks_failed }.inc();
    }

    /// Every number, the store's `figures` included, in the OpenMetrics text format.
    pub fn encode(&self, figures: &[Figure]) -> String {
        let mut text = String::with_capacity(8 << 10);
        encode_registry(&mut text, &self.registry).expect("a string takes every character");
        self.encode_stages(&mut text);
        for Figure { name, help, value, counter } in figures {
            let name = format!("cusp_{name}");
            if *counter {
                family(&mut text, name.trim_end_matches("_total"), "counter", help, *value);
            } else {
                family(&mut text, &name, "gauge", help, *value);
            }
        }
        family(
            &mut text,
            "cusp_log_lines_lost",
            "counter",
            "Log lines that nobody took fast enough",
            lines_lost() as f64,
        );
        if let Some(bytes) = resident_bytes() {
            family(&mut text, "process_resident_memory_bytes", "gauge", "Memory held by the process", bytes as f64);
        }
        let started = self.started.0 as f64 / 1_000.0;
        family(&mut text, "process_start_time_seconds", "gauge", "When the server started, since the epoch", started);
        text.push_str("# HELP cusp_build_info Which cusp this is\n# TYPE cusp_build_info gauge\n");
        text.push_str(concat!("cusp_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1\n# EOF\n"));
        text
    }

    fn encode_stages(&self, text: &mut String) {
        text.push_str("# HELP cusp_write_stage_seconds Time that writes spend in each stage\n");
        text.push_str("# TYPE cusp_write_stage_seconds summary\n");
        for stage in Stage::ALL {
            let (total, stage) = (&self.stages[stage as usize], stage.as_str());
            let seconds = total.nanos.load(Ordering::Relaxed) as f64 / 1e9;
            let count = total.count.load(Ordering::Relaxed);
            put(text, format_args!("cusp_write_stage_seconds_sum{{stage=\"{stage}\"}} {seconds}\n"));
            put(text, format_args!("cusp_write_stage_seconds_count{{stage=\"{stage}\"}} {count}\n"));
        }
    }
}

fn family(text: &mut String, name: &str, kind: &str, help: &str, value: f64) {
    let suffix = if kind == "counter" { "_total" } else { "" };
    put(text, format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n{name}{suffix} {value}\n"));
}

fn put(text: &mut String, more: std::fmt::Arguments<'_>) {
    text.write_fmt(more).expect("a string takes every character");
}

fn class(status: u16) -> &'static str {
    match status {
        100..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        _ => "5xx",
    }
}

/// What the kernel says, where it is a Linux. `status` tells kilobytes; `statm` would tell pages of an unknown size.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(text: &str, line: &str) {
        assert!(text.lines().any(|each| each == line), "no line `{line}` in\n{text}");
    }

    #[test]
    fn requests_are_counted_by_dialect_route_and_class() {
        let metrics = Metrics::new(Time(0));
        metrics.request("stripe", "/v1/customers", 200, Duration::from_millis(2));
        metrics.request("stripe", "/v1/customers", 201, Duration::from_millis(3));
        metrics.request("stripe", "/v1/customers", 404, Duration::from_millis(4));
        let text = metrics.encode(&[]);
        has(&text, r#"cusp_requests_total{dialect="stripe",route="/v1/customers",status="2xx"} 2"#);
        has(&text, r#"cusp_requests_total{dialect="stripe",route="/v1/customers",status="4xx"} 1"#);
        has(&text, r#"cusp_request_duration_seconds_bucket{le="0.0025",dialect="stripe"} 1"#);
        has(&text, r#"cusp_request_duration_seconds_count{dialect="stripe"} 3"#);
    }

    #[test]
    fn what_is_held_counts_until_it_is_dropped() {
        let metrics = Metrics::new(Time(0));
        metrics.in_flight().inc();
        metrics.connections().inc();
        has(&metrics.encode(&[]), "cusp_requests_in_flight 1");
        metrics.in_flight().dec();
        let text = metrics.encode(&[]);
        has(&text, "cusp_requests_in_flight 0");
        has(&text, "cusp_open_connections 1");
    }

    #[test]
    fn stages_replays_and_refusals_add_up() {
        let metrics = Metrics::new(Time(0));
        metrics.stage(Stage::Wait, Duration::from_millis(250));
        metrics.stage(Stage::Wait, Duration::from_millis(500));
        metrics.replay();
        metrics.rate_limited();
        metrics.webhook(true);
        metrics.webhook(false);
        let text = metrics.encode(&[]);
        has(&text, r#"cusp_write_stage_seconds_sum{stage="wait"} 0.75"#);
        has(&text, r#"cusp_write_stage_seconds_count{stage="wait"} 2"#);
        has(&text, r#"cusp_write_stage_seconds_count{stage="commit"} 0"#);
        has(&text, "cusp_idempotent_replays_total 1");
        has(&text, "cusp_rate_limited_total 1");
        has(&text, "cusp_webhooks_taken_total 1");
        has(&text, "cusp_webhooks_failed_total 1");
    }

    #[test]
    fn the_stores_figures_and_the_process_are_told_too() {
        let figures = [
            Figure { name: "store_commits_total", help: "Commits", value: 7.0, counter: true },
            Figure { name: "store_waiting", help: "Jobs waiting", value: 2.0, counter: false },
        ];
        let text = Metrics::new(Time(1_500)).encode(&figures);
        has(&text, "# TYPE cusp_store_commits counter");
        has(&text, "cusp_store_commits_total 7");
        has(&text, "# TYPE cusp_store_waiting gauge");
        has(&text, "cusp_store_waiting 2");
        has(&text, "cusp_log_lines_lost_total 0");
        has(&text, "process_start_time_seconds 1.5");
        has(&text, concat!("cusp_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"));
        assert!(!cfg!(target_os = "linux") || text.contains("\nprocess_resident_memory_bytes "));
        assert!(text.ends_with("\n# EOF\n"));
    }

    #[test]
    fn every_family_has_one_help_and_one_type() {
        let text = Metrics::new(Time(0)).encode(&[]);
        let mut names: Vec<&str> =
            text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
        assert_eq!(text.matches("# HELP ").count(), names.len());
        names.sort_unstable();
        names.dedup();
        assert_eq!(text.matches("# TYPE ").count(), names.len());
    }
}
