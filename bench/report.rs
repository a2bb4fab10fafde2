//! The figures as people and programs read them.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::load::CONNECTIONS;
use crate::measure::Figures;
use crate::metrics::STAGES;
use crate::table::{self, Row, Target, quantiles, thousands};

/// The table of the README.
pub fn markdown(figures: &Figures) -> String {
    let mut text = table::markdown(rows(figures));
    let stages = STAGES.map(|stage| format!("{stage} {:.0}", figures.totals.stage_microseconds(stage)));
    writeln!(
        text,
        "\nOne update spends, in µs: {}; checkpoints add {:.0}. One commit carries {:.0} updates and takes {:.2} ms; the \
         disk itself takes {:.2} ms to append and sync 4 KB, {:.2} ms for 64 KB.\nProcessor time of one request, in µs: \
         update {:.0}, update with a key {:.0}, update with a card {:.0}, retrieve {:.0}, echo {:.0}; by the processor alone, the load's part included, \
         updates would reach {:.2} of the echo's rate and retrieves {:.2}.\n\
         {} rounds of {} s each after a warm-up, {CONNECTIONS} connections, the load on the same {} cores; medians of \
         rounds, ratios within a round.",
        stages.join(", "),
        figures.totals.checkpoint_microseconds(),
        figures.totals.writes_per_commit(),
        figures.totals.commit_milliseconds(),
        figures.small_sync,
        figures.large_sync,
        figures.updates.median_processor_microseconds(),
        figures.keyed_updates.median_processor_microseconds(),
        figures.source_updates.median_processor_microseconds(),
        figures.retrieves.median_processor_microseconds(),
        figures.echo_updates.median_processor_microseconds(),
        figures.updates.by_processor_over(&figures.echo_updates),
        figures.retrieves.by_processor_over(&figures.echo_retrieves),
        figures.rounds,
        figures.seconds,
        std::thread::available_parallelism().map_or(0, usize::from),
    )
    .expect("a String takes all");
    text
}

/// The same for programs.
pub fn json(figures: &Figures) -> Value {
    let stages = STAGES.iter().map(|stage| (stage.to_string(), json!(figures.totals.stage_microseconds(stage))));
    json!({
        "rows": table::json(rows(figures)),
        "update_stage_microseconds": stages.collect::<serde_json::Map<_, _>>(),
        "rates_per_second": {
            "echo_updates": figures.echo_updates.per_second,
            "updates": figures.updates.per_second,
            "keyed_updates": figures.keyed_updates.per_second,
            "searchable_updates": figures.searchable_updates.per_second,
            "source_updates": figures.source_updates.per_second,
            "jani_updates": figures.jani_updates.per_second,
            "flexportal_updates": figures.flexportal_updates.per_second,
            "updates_of_many": figures.updates_of_many.per_second,
            "echo_retrieves": figures.echo_retrieves.per_second,
            "retrieves": figures.retrieves.per_second,
            "retrieves_of_many": figures.retrieves_of_many.per_second,
            "fill": figures.fill_per_second,
        },
        "processor_microseconds": {
            "echo_update": figures.echo_updates.median_processor_microseconds(),
            "update": figures.updates.median_processor_microseconds(),
            "keyed_update": figures.keyed_updates.median_processor_microseconds(),
            "source_update": figures.source_updates.median_processor_microseconds(),
            "jani_update": figures.jani_updates.median_processor_microseconds(),
            "flexportal_update": figures.flexportal_updates.median_processor_microseconds(),
            "update_of_many": figures.updates_of_many.median_processor_microseconds(),
            "echo_retrieve": figures.echo_retrieves.median_processor_microseconds(),
            "retrieve": figures.retrieves.median_processor_microseconds(),
        },
        "by_processor_alone": {
            "updates": figures.updates.by_processor_over(&figures.echo_updates),
            "retrieves": figures.retrieves.by_processor_over(&figures.echo_retrieves),
        },
        "checkpoint_microseconds_per_update": figures.totals.checkpoint_microseconds(),
        "updates_per_commit": figures.totals.writes_per_commit(),
        "commit_milliseconds": figures.totals.commit_milliseconds(),
        "sync_milliseconds": {"4 KB": figures.small_sync, "64 KB": figures.large_sync},
    })
}

fn rows(figures: &Figures) -> Vec<Row> {
    let (few, many) = (thousands(figures.few as f64), thousands(figures.many as f64));
    let (p50, p99) = quantiles(&figures.update_latencies);
    let (read_p50, read_p99) = quantiles(&figures.retrieve_latencies);
    vec![
        Row::ratio(
            "durable updates, of the echo's rate".to_owned(),
            &figures.updates,
            &figures.echo_updates,
            Target::AtLeast(0.40, ""),
        ),
        Row::ratio(
            "the same with an idempotency key each".to_owned(),
            &figures.keyed_updates,
            &figures.echo_updates,
            Target::None,
        ),
        Row::ratio(
            "updates of searchable metadata, of the echo's rate".to_owned(),
            &figures.searchable_updates,
            &figures.echo_updates,
            Target::None,
        ),
        Row::ratio(
            "updates with `source=tok_visa`, of the plain update's rate".to_owned(),
            &figures.source_updates,
            &figures.updates,
            Target::AtLeast(0.50, ""),
        ),
        Row::ratio(
            "Jani's `PATCH`, of the plain update's rate".to_owned(),
            &figures.jani_updates,
            &figures.updates,
            Target::AtLeast(0.90, ""),
        ),
        Row::ratio(
            "FlexPortal's `PUT`, of the plain update's rate".to_owned(),
            &figures.flexportal_updates,
            &figures.updates,
            Target::AtLeast(0.90, ""),
        ),
        Row::ratio(
            "retrieves, of the echo's rate".to_owned(),
            &figures.retrieves,
            &figures.echo_retrieves,
            Target::AtLeast(0.75, ""),
        ),
        Row::ratio(
            format!("update rate at {many} customers, of that at {few}"),
            &figures.updates_of_many,
            &figures.updates,
            Target::AtLeast(0.85, ""),
        ),
        Row::ratio(
            format!("retrieve rate at {many} customers, of that at {few}"),
            &figures.retrieves_of_many,
            &figures.retrieves,
            Target::None,
        ),
        Row {
            what: "latency of an update, p99 over p50".to_owned(),
            measured: format!("{:.1} ({:.2} ms over {:.2} ms)", p99 / p50, p99 / 1e3, p50 / 1e3),
            value: p99 / p50,
            target: Target::AtMost(4.0, ""),
        },
        Row {
            what: "latency of a retrieve, p99 over p50".to_owned(),
            measured: format!("{:.1} ({:.2} ms over {:.2} ms)", read_p99 / read_p50, read_p99 / 1e3, read_p50 / 1e3),
            value: read_p99 / read_p50,
            target: Target::None,
        },
        Row {
            what: "memory, idle".to_owned(),
            measured: format!("{:.1} MB", figures.idle_megabytes),
            value: figures.idle_megabytes,
            target: Target::AtMost(25.0, " MB"),
        },
        Row {
            what: format!("memory at {many} customers, after the load"),
            measured: format!("{:.0} MB", figures.megabytes_of_many),
            value: figures.megabytes_of_many,
            target: Target::AtMost(200.0, " MB"),
        },
        Row {
            what: format!("start with {many} customers, until ready"),
            measured: format!("{:.3} s", figures.start.as_secs_f64()),
            value: figures.start.as_secs_f64(),
            target: Target::AtMost(0.3, " s"),
        },
        Row {
            what: "the same after a kill".to_owned(),
            measured: format!("{:.3} s", figures.start_after_kill.as_secs_f64()),
            value: figures.start_after_kill.as_secs_f64(),
            target: Target::None,
        },
    ]
}
