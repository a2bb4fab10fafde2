//! What is done to whole sandboxes, one request after the other, and many sandboxes beside each other.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use clap::Parser;
use tokio::task::JoinSet;

use crate::child::Server;
use crate::connection::Connection;
use crate::folder::Folder;
use crate::progress::{fill, say};
use crate::run::Run;
use crate::table::{Row, Target, thousands};
use crate::{NAME, Trouble};

/// How long an operation on a sandbox in memory may take.
const TARGET_MILLIS: f64 = 50.0;
/// How many sandboxes are opened at a time.
const OPENING: u64 = 16;

/// Measures what is done to whole sandboxes, and prints a table.
#[derive(Debug, Parser)]
#[command(name = "sandbox")]
pub struct Options {
    /// How many customers a sandbox has
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(64..=1_000_000))]
    customers: u64,
    /// How many sandboxes there are beside it
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(16..=1_000_000))]
    sandboxes: u64,
    #[command(flatten)]
    pub run: Run,
}

/// Every figure.
pub async fn all(options: &Options) -> Result<Vec<Row>, Trouble> {
    let folder = Folder::make(&options.run.data, NAME)?;
    let mut rows = Vec::new();
    let (server, _) = Server::cusp(["--ephemeral"])?;
    rows.extend(operations(&server, options, "in memory", true).await?);
    server.stop()?;
    let (server, _) = Server::cusp(["--ephemeral"])?;
    rows.extend(crowd(&server, options).await?);
    server.stop()?;
    let (server, _) = Server::cusp(["--data".as_ref(), folder.0.as_os_str()])?;
    rows.extend(operations(&server, options, "in a folder", false).await?);
    server.stop()?;
    Ok(rows)
}

/// The times of each operation on a sandbox of so many customers.
async fn operations(server: &Server, options: &Options, place: &str, promised: bool) -> Result<Vec<Row>, Trouble> {
    let customers = options.customers;
    say(&format!("{place}: {customers} customers"));
    fill(server.address, "sk_test_bench", customers).await?;
    let mut own = Caller::open(server.address, "sk_test_bench").await?;
    let mut other = Caller::open(server.address, "sk_test_other").await?;
    let mut took: [Vec<Duration>; 6] = Default::default();
    for _ in 0..options.run.rounds() {
        let begun = Instant::now();
        let id = own.snapshot().await?;
        took[0].push(begun.elapsed());
        let path = format!("/cusp/v1/sandbox/snapshots/{id}");
        took[1].push(own.ask("POST", &format!("{path}/restore"), "").await?);
        took[2].push(own.ask("POST", &format!("{path}/fork"), "{\"key\":\"sk_test_other\"}").await?);
        took[3].push(other.ask("DELETE", "/cusp/v1/sandbox", "").await?);
        took[4].push(own.ask("DELETE", &path, "").await?);
    }
    took[5].push(own.ask("DELETE", "/cusp/v1/sandbox", "").await?);
    let names = ["snapshot", "restore", "fork", "wipe", "forgetting a snapshot", "last wipe"];
    let rows = names.into_iter().zip(took).map(|(name, mut took)| {
        took.sort();
        let (median, slowest) = (millis(took[took.len() / 2]), millis(took[took.len() - 1]));
        Row {
            what: format!("{name} of {} customers, {place}", thousands(customers as f64)),
            measured: format!("{median:.1} ms (at most {slowest:.1} ms)"),
            value: median,
            target: if promised { Target::AtMost(TARGET_MILLIS, " ms") } else { Target::None },
        }
    });
    Ok(rows.collect())
}

/// What so many sandboxes take, with nothing in them and with one customer each.
async fn crowd(server: &Server, options: &Options) -> Result<Vec<Row>, Trouble> {
    let many = options.sandboxes;
    say(&format!("in memory: {many} sandboxes"));
    let mut rows = Vec::new();
    for (what, method, path) in [("empty", "GET", "/v1/account"), ("with a customer each", "POST", "/v1/customers")] {
        let before = server.resident_megabytes()?;
        let begun = Instant::now();
        let mut tasks = JoinSet::new();
        for first in 0..OPENING {
            let address = server.address;
            tasks.spawn(async move {
                let mut connection = Connection::open(address).await?;
                for number in (first..many).step_by(OPENING as usize) {
                    let request = request(method, path, &format!("sk_test_crowd{number}"), "");
                    connection.exchange(&request).await?;
                }
                Ok::<_, std::io::Error>(())
            });
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        let rate = many as f64 / begun.elapsed().as_secs_f64();
        let kilobytes = (server.resident_megabytes()? - before) * 1e3 / many as f64;
        rows.push(Row {
            what: format!("{} sandboxes {what}, memory of each", thousands(many as f64)),
            measured: format!("{kilobytes:.1} kB ({}/s opened)", thousands(rate)),
            value: kilobytes,
            target: Target::None,
        });
    }
    let mut one = Caller::open(server.address, "sk_test_crowd0").await?;
    let begun = Instant::now();
    let id = one.snapshot().await?;
    let snapshot = begun.elapsed();
    let restore = one.ask("POST", &format!("/cusp/v1/sandbox/snapshots/{id}/restore"), "").await?;
    rows.push(Row {
        what: "snapshot and restore of one of them".into(),
        measured: format!("{:.2} ms", millis(snapshot + restore)),
        value: millis(snapshot + restore),
        target: Target::AtMost(TARGET_MILLIS, " ms"),
    });
    Ok(rows)
}

fn millis(took: Duration) -> f64 {
    took.as_secs_f64() * 1e3
}

/// Who asks for one sandbox.
struct Caller {
    connection: Connection,
    key: &'static str,
}

impl Caller {
    async fn open(address: SocketAddr, key: &'static str) -> Result<Caller, Trouble> {
        Ok(Caller { connection: Connection::open(address).await?, key })
    }

    /// How long it takes.
    async fn ask(&mut self, method: &str, path: &str, body: &str) -> Result<Duration, Trouble> {
        let request = request(method, path, self.key, body);
        let begun = Instant::now();
        self.connection.exchange(&request).await?;
        Ok(begun.elapsed())
    }

    /// Takes a snapshot and gives its id.
    async fn snapshot(&mut self) -> Result<String, Trouble> {
        let request = request("POST", "/cusp/v1/sandbox/snapshots", self.key, "");
        let (_, body) = self.connection.exchange(&request).await?;
        let snapshot: serde_json::Value = serde_json::from_slice(body)?;
        Ok(snapshot["id"].as_str().ok_or("a snapshot has an id")?.to_owned())
    }
}

fn request(method: &str, path: &str, key: &str, body: &str) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: cusp\r\nauthorization: Bearer {key}\r\n");
    if !body.is_empty() {
        head.push_str("content-type: application/json\r\n");
    }
    if method == "POST" {
        head.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    format!("{head}\r\n{body}").into_bytes()
}
