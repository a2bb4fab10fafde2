//! Listens to the parts of the server that have something to tell, and counts and logs it.

use std::sync::Arc;
use std::time::Duration;

use super::{Metrics, RequestLog, log_request};
use crate::app::{Meter, Stage};
use crate::http::shell::{Exchange, Observer};

/// Counts and logs what the server tells.
pub struct Watch(pub Arc<Metrics>);

impl Observer for Watch {
    fn connected(&self) {
        self.0.connections().inc();
    }

    fn disconnected(&self) {
        self.0.connections().dec();
    }

    fn began(&self) {
        self.0.in_flight().inc();
    }

    fn gone(&self) {
        self.0.in_flight().dec();
    }

    fn answered(&self, exchange: &Exchange<'_>) {
        let Exchange { id, dialect, method, route, status, took, bytes, account } = *exchange;
        self.0.request(dialect, route, status, took);
        log_request(&RequestLog {
            request: id,
            dialect,
            method,
            route,
            status,
            duration: took,
            bytes: bytes as u64,
            account: (!account.is_empty()).then_some(account),
        });
    }
}

impl Meter for Watch {
    fn stage(&self, stage: Stage, took: Duration) {
        self.0.stage(stage, took);
    }

    fn replayed(&self) {
        self.0.replay();
    }

    fn rate_limited(&self) {
        self.0.rate_limited();
    }
}
