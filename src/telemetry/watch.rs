//! Listens to the parts of the server that have something to tell, and counts and logs it.

use std::sync::Arc;
use std::time::Duration;

use super::{Metrics, log_request};
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
        self.0.request(exchange.dialect, exchange.route, exchange.status, exchange.duration);
        log_request(exchange);
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

    fn stream_opened(&self) {
        self.0.streams().inc();
    }

    fn stream_closed(&self) {
        self.0.streams().dec();
    }

    fn webhook(&self, succeeded: bool) {
        self.0.webhook(succeeded);
    }
}
