//! What cusp tells of itself: the time that writes spend in each stage.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::Trouble;

/// The stages of a write, in their order.
pub const STAGES: [&str; 5] = ["parse", "wait", "store", "render", "commit"];

/// Seconds and writes so far, by stage.
#[derive(Clone, Debug, Default)]
pub struct Stages(BTreeMap<String, (f64, f64)>);

impl Stages {
    /// Asks the server.
    pub fn of(address: SocketAddr) -> Result<Stages, Trouble> {
        let text = get(address, "/metrics")?;
        let mut stages = Stages::default();
        for line in text.lines() {
            let Some(rest) = line.strip_prefix("cusp_write_stage_seconds_") else { continue };
            let (Some((name, labels)), Some((_, value))) = (rest.split_once('{'), rest.rsplit_once(' ')) else {
                continue;
            };
            let Some(stage) = labels.split("stage=\"").nth(1).and_then(|text| text.split('"').next()) else { continue };
            let entry = stages.0.entry(stage.to_owned()).or_default();
            match name {
                "sum" => entry.0 += value.parse::<f64>()?,
                "count" => entry.1 += value.parse::<f64>()?,
                _ => {}
            }
        }
        Ok(stages)
    }

    /// Adds what happened between two moments.
    pub fn add_between(&mut self, before: &Stages, after: &Stages) {
        for (stage, (seconds, count)) in &after.0 {
            let (seconds_before, count_before) = before.0.get(stage).copied().unwrap_or_default();
            let entry = self.0.entry(stage.clone()).or_default();
            entry.0 += seconds - seconds_before;
            entry.1 += count - count_before;
        }
    }

    /// The mean time of a write in that stage, in microseconds.
    pub fn microseconds(&self, stage: &str) -> Option<f64> {
        let (seconds, count) = self.0.get(stage).copied()?;
        (count > 0.0).then(|| seconds / count * 1e6)
    }
}

/// A page of the server's own, which has to be answered 200.
pub fn get(address: SocketAddr, path: &str) -> Result<String, Trouble> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").as_bytes())?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    match reply.split_once("\r\n\r\n") {
        Some((head, body)) if head.starts_with("HTTP/1.1 200 ") => Ok(body.to_owned()),
        _ => Err(format!("{path}: {reply}").into()),
    }
}
