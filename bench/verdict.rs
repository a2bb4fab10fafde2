//! The figures of cusp on PostgreSQL as people and programs read them.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::contest::{Contest, Entry, Figures};
use crate::metrics::STAGES;
use crate::rates::median;
use crate::table::{self, Row, Target, quantiles, thousands};

/// One contender and what it did.
struct Line<'a> {
    who: &'static str,
    what: String,
    entry: &'a Entry,
}

/// The promises, then what each contender came to.
pub fn markdown(figures: &Figures) -> String {
    let mut text = table::markdown(rows(figures));
    text.push_str(
        "\n| | | /s | p50 ms | p99 ms | cusp µs | PostgreSQL µs | load µs | per commit |\n|---|---|---|---|---|---|---|---|---|\n",
    );
    for Line { who, what, entry } in lines(figures) {
        let (p50, p99) = quantiles(&entry.latencies);
        writeln!(
            text,
            "| {what} | {who} | {} | {:.2} | {:.2} | {:.0} | {:.0} | {:.0} | {:.1} |",
            thousands(entry.rates.median()),
            p50 / 1e3,
            p99 / 1e3,
            entry.rates.median_processor_microseconds(),
            median(entry.database_microseconds.clone()),
            median(entry.rates.load_microseconds.clone()),
            updates_per_commit(entry),
        )
        .expect("a String takes all");
    }
    for (what, contest) in [("one account", &figures.hot), ("an account each", &figures.spread)] {
        let stages = STAGES.map(|stage| format!("{stage} {:.0}", contest.one.totals.stage_microseconds(stage)));
        let commit = contest.one.totals.commit_milliseconds();
        writeln!(
            text,
            "\n{what}: one update spends, in µs: {}; a flush with its commit {commit:.2} ms.",
            stages.join(", ")
        )
        .expect("a String takes all");
    }
    writeln!(
        text,
        "\nThe disk takes {:.2} ms to append and sync 4 KB. Processor time is that of one request. Round trips were counted \
         in between cusp and PostgreSQL, whatever cusp does beside updates included; commits by cusp.\n\
         {} rounds of {} s each after a checkpoint and a warm-up, {} clients, {} customers of one account and as many of {} \
         others, the load on the same {} cores; medians of rounds, ratios within a round.",
        figures.sync,
        figures.rounds,
        figures.seconds,
        figures.clients,
        thousands(figures.customers as f64),
        figures.accounts,
        std::thread::available_parallelism().map_or(0, usize::from),
    )
    .expect("a String takes all");
    text
}

/// The same for programs.
pub fn json(figures: &Figures) -> Value {
    let contenders: Vec<Value> = lines(figures)
        .into_iter()
        .map(|Line { who, what, entry }| {
            let (p50, p99) = quantiles(&entry.latencies);
            let stages = STAGES.iter().map(|stage| (stage.to_string(), json!(entry.totals.stage_microseconds(stage))));
            json!({
                "what": what,
                "who": who,
                "per_second": entry.rates.per_second,
                "p50_microseconds": p50,
                "p99_microseconds": p99,
                "processor_microseconds": {
                    "cusp": entry.rates.median_processor_microseconds(),
                    "postgresql": median(entry.database_microseconds.clone()),
                    "load": median(entry.rates.load_microseconds.clone()),
                },
                "updates_per_commit": updates_per_commit(entry),
                "stage_microseconds": stages.collect::<serde_json::Map<_, _>>(),
            })
        })
        .collect();
    json!({
        "rows": table::json(rows(figures)),
        "contenders": contenders,
        "sync_milliseconds": figures.sync,
    })
}

fn rows(figures: &Figures) -> Vec<Row> {
    let of_pgbench = |what: String, Contest { pgbench, one, .. }: &Contest, target| {
        Row::ratio(format!("{what}, of pgbench's rate"), &one.rates, &pgbench.rates, target)
    };
    let two_of_one = |what: &str, Contest { one, two, .. }: &Contest| {
        let what = format!("two processes, of one's rate: {what}");
        Row::ratio(what, &two.rates, &one.rates, Target::AtLeast(1.0, ""))
    };
    let trips = |what: String, value: f64, target| Row { what, measured: format!("{value:.2}"), value, target };
    let Figures { clients, accounts, hot, spread, lone, cards, retrieves, .. } = figures;
    vec![
        of_pgbench(format!("updates of {clients} clients on one account"), hot, Target::AtLeast(0.5, "")),
        of_pgbench(format!("updates of {clients} clients on {accounts} accounts"), spread, Target::AtLeast(0.5, "")),
        of_pgbench("updates of one client".to_owned(), lone, Target::None),
        Row::ratio(
            format!("updates with `source=tok_visa` of {clients} clients on one account, of the plain update's rate"),
            &cards.one.rates,
            &hot.one.rates,
            Target::AtLeast(0.5, ""),
        ),
        of_pgbench(format!("retrieves of {clients} clients"), retrieves, Target::None),
        two_of_one("one account", hot),
        two_of_one(&format!("{accounts} accounts"), spread),
        trips("round trips of an update of one client".to_owned(), figures.lone_trips, Target::AtMost(3.0, "")),
        trips(format!("the same of {clients} clients on one account"), figures.hot_trips, Target::None),
        trips(format!("the same of {clients} clients on {accounts} accounts"), figures.spread_trips, Target::None),
    ]
}

fn lines(figures: &Figures) -> Vec<Line<'_>> {
    let Figures { clients, accounts, hot, spread, lone, cards, retrieves, .. } = figures;
    let mut lines = Vec::new();
    for (what, contest) in [
        (format!("updates, {clients} clients, one account"), hot),
        (format!("updates, {clients} clients, {accounts} accounts"), spread),
        ("updates, one client".to_owned(), lone),
        (format!("updates with a card, {clients} clients, one account"), cards),
        (format!("retrieves, {clients} clients"), retrieves),
    ] {
        for (who, entry) in [("pgbench", &contest.pgbench), ("cusp", &contest.one), ("two cusps", &contest.two)] {
            if !entry.rates.per_second.is_empty() {
                lines.push(Line { who, what: what.clone(), entry });
            }
        }
    }
    lines
}

/// Of pgbench each is a transaction of its own.
fn updates_per_commit(entry: &Entry) -> f64 {
    let carried = entry.totals.writes_per_commit();
    if carried.is_nan() { 1.0 } else { carried }
}
