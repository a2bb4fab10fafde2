//! What the machines around a server ask it: is it alive, can it work, what are its numbers. No HTTP here: a question
//! is a path, an answer is a page.

use crate::http::shell::Page;
use crate::store::Store;
use crate::telemetry::Metrics;

/// The paths that are answered here.
pub const PATHS: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

const PLAIN: &str = "text/plain; charset=utf-8";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Answers a GET of one of the `PATHS`; `None` for any other. `stopping` is whether the server was told to stop. Asks
/// the store, so it belongs on a thread that may wait.
pub fn page(path: &str, store: &dyn Store, metrics: &Metrics, stopping: bool) -> Option<Page> {
    match path {
        "/healthz" => Some(healthy()),
        "/readyz" => Some(ready(store, stopping)),
        "/metrics" => Some(numbers(store, metrics)),
        _ => None,
    }
}

fn healthy() -> Page {
    Page { status: 200, content_type: PLAIN, body: "ok\n".into() }
}

fn ready(store: &dyn Store, stopping: bool) -> Page {
    let trouble = match store.ready() {
        Ok(()) if stopping => "stopping".into(),
        Ok(()) => return healthy(),
        Err(failure) => failure.to_string(),
    };
    Page { status: 503, content_type: PLAIN, body: format!("not ready: {trouble}\n") }
}

fn numbers(store: &dyn Store, metrics: &Metrics) -> Page {
    Page { status: 200, content_type: OPEN_METRICS, body: metrics.encode(&store.figures()) }
}

#[cfg(test)]
mod tests {
    use super::{PATHS, page};
    use crate::domain::time::Time;
    use crate::store::{Failure, Figure, Job, Kept, Look, Read, Store};
    use crate::telemetry::Metrics;

    /// A store that can do nothing but say how it is.
    struct Patient {
        well: bool,
    }

    impl Store for Patient {
        fn write(&self, job: Box<dyn Job>) {
            job.finish(Err(Failure::broken("writing", "this store keeps nothing")));
        }

        fn read(&self, _: &mut dyn FnMut(&mut dyn Read) -> Kept<()>) -> Kept<()> {
            Err(Failure::broken("reading", "this store keeps nothing"))
        }

        fn glance(&self, look: Box<dyn Look>) {
            look.finish(Err(Failure::broken("reading", "this store keeps nothing")));
        }

        fn ready(&self) -> Kept<()> {
            if self.well { Ok(()) } else { Err(Failure::passing("writing a page", "the disk is full")) }
        }

        fn figures(&self) -> Vec<Figure> {
            vec![Figure { name: "store_commits_total", help: "Commits", value: 3.0, counter: true }]
        }

        fn close(&self) {}
    }

    fn ask(path: &str, well: bool, stopping: bool) -> (u16, String) {
        let page = page(path, &Patient { well }, &Metrics::new(Time(0)), stopping).expect("the path is known");
        (page.status, page.body)
    }

    #[test]
    fn a_sick_store_is_alive_but_not_ready() {
        assert_eq!(ask("/healthz", false, false), (200, "ok\n".into()));
        assert_eq!(ask("/readyz", false, false), (503, "not ready: writing a page: the disk is full\n".into()));
        assert_eq!(ask("/readyz", true, false), (200, "ok\n".into()));
    }

    #[test]
    fn a_server_told_to_stop_is_not_ready() {
        assert_eq!(ask("/readyz", true, true), (503, "not ready: stopping\n".into()));
        assert_eq!(ask("/healthz", true, true).0, 200);
    }

    #[test]
    fn the_metrics_hold_the_stores_figures() {
        assert!(ask("/metrics", true, false).1.contains("\ncusp_store_commits_total 3\n"));
    }

    #[test]
    fn every_path_has_a_page_and_no_other_has() {
        for path in PATHS {
            assert!(page(path, &Patient { well: true }, &Metrics::new(Time(0)), false).is_some());
        }
        assert_eq!(page("/", &Patient { well: true }, &Metrics::new(Time(0)), false), None);
    }
}
