//! Promises and what came of them, as people and programs read them.

use std::fmt::Write;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::rates::Rates;

/// A promise and what came of it.
pub struct Row {
    pub what: String,
    pub measured: String,
    pub value: f64,
    pub target: Target,
}

pub enum Target {
    AtLeast(f64, &'static str),
    AtMost(f64, &'static str),
    /// No promise: it is told because it explains the others.
    None,
}

impl Target {
    fn text(&self) -> String {
        match self {
            Target::AtLeast(bound, unit) => format!("≥ {bound:.2}{unit}"),
            Target::AtMost(bound, unit) => format!("≤ {bound}{unit}"),
            Target::None => "–".to_owned(),
        }
    }

    fn met(&self, value: f64) -> Option<bool> {
        match self {
            Target::AtLeast(bound, _) => Some(value >= *bound),
            Target::AtMost(bound, _) => Some(value <= *bound),
            Target::None => None,
        }
    }
}

impl Row {
    /// How one rate compares with another.
    pub fn ratio(what: String, own: &Rates, other: &Rates, target: Target) -> Row {
        let value = own.over(other);
        let (own, other) = (thousands(own.median()), thousands(other.median()));
        Row { what, measured: format!("{value:.2} ({own}/s of {other}/s)"), value, target }
    }
}

/// A table for the README.
pub fn markdown(rows: Vec<Row>) -> String {
    let mut text = String::new();
    text.push_str("| Figure | Measured | Target | Verdict |\n|---|---|---|---|\n");
    for Row { what, measured, value, target } in rows {
        let verdict = match target.met(value) {
            Some(true) => "met",
            Some(false) => "**missed**",
            None => "",
        };
        writeln!(text, "| {what} | {measured} | {} | {verdict} |", target.text()).expect("a String takes all");
    }
    text
}

/// The same for programs.
pub fn json(rows: Vec<Row>) -> Vec<Value> {
    let row = |Row { what, measured, value, target }| json!({"figure": what, "measured": measured, "value": value, "target": target.text(), "met": target.met(value)});
    rows.into_iter().map(row).collect()
}

/// The median and the 99th percentile, in microseconds.
pub fn quantiles(latencies: &Histogram<u64>) -> (f64, f64) {
    (latencies.value_at_quantile(0.50) as f64, latencies.value_at_quantile(0.99) as f64)
}

/// 12345.6 as 12,346.
pub fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
