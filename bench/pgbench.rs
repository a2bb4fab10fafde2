//! PostgreSQL's own load, `pgbench`: the statements of one update, and of one retrieve, without a server in between.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::Trouble;
use crate::child::{TICKS, stat};
use crate::cluster::{Cluster, url};
use crate::load::Measured;

/// How many threads it has.
const THREADS: usize = 2;
/// The part of the transactions whose latency is noted: with many more, noting them costs what is to be measured.
const NOTED: f64 = 0.1;

/// How the clients are dealt out to accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// All are on one account, and queue at its head.
    Hot,
    /// They are dealt out to accounts in turn.
    Spread,
}

/// Bodies as cusp writes them, so that the same bytes are kept.
pub struct Bodies {
    pub customer: String,
    pub event: String,
}

/// One measurement.
pub struct Plan<'a> {
    pub cluster: &'a Cluster,
    pub database: &'a str,
    /// The file with what a client does, again and again.
    pub script: PathBuf,
    pub bodies: &'a Bodies,
    pub clients: usize,
    pub time: Duration,
}

/// What one client does to update a customer: the statements of cusp's transaction, each answered before the next.
/// Accounts and customers have numbers here; see [`NUMBERED`].
pub fn update(shape: Shape, accounts: usize, customers: u64) -> String {
    format!(
        "{}\
         BEGIN;\n\
         SELECT seq, moment, turns FROM cusp.heads WHERE account = :account FOR UPDATE \\gset\n\
         SELECT id, body FROM cusp.customers WHERE account = :account AND id = 'cus_' || lpad(:number, 26, '0');\n\
         \\set next :seq + 1\n\
         UPDATE cusp.customers SET body = :customer WHERE account = :account AND id = 'cus_' || lpad(:number, 26, '0');\n\
         INSERT INTO cusp.events (account, seq, id, kind, created, object, body) VALUES (:account, :next, \
         'evt_' || lpad(:next, 26, '0'), 'customer.updated', :moment, 'cus_' || lpad(:number, 26, '0'), :event);\n\
         UPDATE cusp.heads SET seq = :next, moment = :moment, turns = :turns WHERE account = :account;\n\
         COMMIT;\n",
        choice(shape, accounts, customers)
    )
}

/// What one client does to retrieve a customer.
pub fn retrieve(customers: u64) -> String {
    choice(Shape::Hot, 1, customers)
        + "SELECT id, body FROM cusp.customers WHERE account = :account AND id = 'cus_' || lpad(:number, 26, '0');\n"
}

fn choice(shape: Shape, accounts: usize, customers: u64) -> String {
    match shape {
        Shape::Hot => format!("\\set account 0\n\\set number random(1, {customers})\n"),
        Shape::Spread => {
            let share = customers / accounts as u64;
            format!("\\set account 1 + :client_id % {accounts}\n\\set number random(1, {share})\n")
        }
    }
}

/// Gives accounts and customers numbers, which is all that pgbench can choose from. The account with the most customers
/// is number 0.
pub const NUMBERED: &str = "
    CREATE TEMP TABLE numbers AS SELECT account, row_number() OVER (ORDER BY count(*) DESC, account) - 1 AS number
        FROM cusp.customers GROUP BY account;
    DELETE FROM cusp.heads WHERE account NOT IN (SELECT account FROM numbers);
    UPDATE cusp.heads AS t SET account = n.number FROM numbers AS n WHERE t.account = n.account;
    UPDATE cusp.customer_terms AS t SET account = n.number FROM numbers AS n WHERE t.account = n.account;
    UPDATE cusp.events AS t SET account = n.number FROM numbers AS n WHERE t.account = n.account;
    UPDATE cusp.customers AS t SET account = n.account, id = 'cus_' || lpad(n.number::text, 26, '0') FROM (
        SELECT n.number AS account, c.account AS known, c.id, row_number() OVER (PARTITION BY c.account ORDER BY c.id)
            AS number FROM cusp.customers AS c JOIN numbers AS n ON c.account = n.account
    ) AS n WHERE t.account = n.known AND t.id = n.id";

impl Plan<'_> {
    /// Runs pgbench; gives what it measured, and the processor time that it took itself, in seconds.
    pub async fn run(self) -> Result<(Measured, f64), Trouble> {
        let prefix = self.cluster.folder().join("pgbench-log");
        let port = url(self.cluster.port, self.database);
        let mut command = Command::new(self.cluster.programs.join("pgbench"));
        command.args(["--no-vacuum", "--protocol=prepared", "--log"]);
        command.arg(format!("--time={}", self.time.as_secs().max(1))).arg(format!("--sampling-rate={NOTED}"));
        command.arg(format!("--client={}", self.clients)).arg(format!("--jobs={}", THREADS.min(self.clients)));
        command.arg("--log-prefix").arg(&prefix).arg("--file").arg(&self.script);
        command.arg(format!("--define=customer={}", self.bodies.customer));
        command.arg(format!("--define=event={}", self.bodies.event)).arg(port);
        command.stdin(Stdio::null()).stderr(Stdio::piped());
        let before = children_seconds()?;
        // When the run is told to end, the database goes first, and pgbench with it.
        let output = tokio::task::spawn_blocking(move || command.output()).await??;
        let took = children_seconds()? - before;
        let text = String::from_utf8(output.stdout)?;
        if !output.status.success() {
            return Err(format!("pgbench failed: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        let figure = |before: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(before));
            let word = line.and_then(|rest| rest.split_whitespace().next());
            word.ok_or_else(|| format!("pgbench does not say {before}: {text}"))
        };
        let per_second = figure("tps = ")?.parse()?;
        let requests = figure("number of transactions actually processed: ")?.parse()?;
        let latencies = latencies(self.cluster)?;
        Ok((Measured { per_second, requests, latencies }, took))
    }
}

/// Reads the latencies that were noted, and removes the notes.
fn latencies(cluster: &Cluster) -> Result<Histogram<u64>, Trouble> {
    let mut latencies = Histogram::new(3)?;
    for entry in fs::read_dir(cluster.folder())? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with("pgbench-log") {
            continue;
        }
        for line in fs::read_to_string(entry.path())?.lines() {
            // The client, the number of its transaction, how long it took.
            let microseconds = line.split_whitespace().nth(2).ok_or("a short line in pgbench's log")?;
            latencies.record(microseconds.parse()?)?;
        }
        fs::remove_file(entry.path())?;
    }
    Ok(latencies)
}

/// Processor time of this process's children that have ended.
fn children_seconds() -> Result<f64, Trouble> {
    let fields = stat(std::process::id())?;
    Ok(fields[13..15].iter().filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / TICKS)
}
