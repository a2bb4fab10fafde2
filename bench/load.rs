//! The load: connections in a closed loop, each with customers of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::Trouble;
use crate::connection::{Connection, find};

/// How many requests are under way at a time, unless told otherwise.
pub const CONNECTIONS: usize = 64;
/// How many are while customers are made.
const FILLING_CONNECTIONS: usize = 128;
/// How much longer than planned a measurement may take before it counts as hung.
const GRACE: Duration = Duration::from_secs(30);
/// How many digits a counter has in a request, so that every request has the same length.
const DIGITS: usize = 12;

const ID_LENGTH: usize = 30;

/// The id of a customer: `cus_` and 26 letters and digits.
pub type Id = [u8; ID_LENGTH];

/// Numbers that no two requests of a run share.
static COUNTER: AtomicU64 = AtomicU64::new(1);

/// What is asked of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// `POST /v1/customers/{id}`, each with another value.
    Update,
    /// The same with an idempotency key, as the official SDKs send it.
    KeyedUpdate,
    /// Changes a key of the free data, which customers are found by: two more places of the index change.
    SearchableUpdate,
    /// `PATCH /api/v1/customers/{id}`, Jani's update, each with another address.
    JaniUpdate,
    /// `PUT /v1/customers/{id}` with a `Tenant-ID`, FlexPortal's update, each with another address.
    FlexPortalUpdate,
    /// Gives the customer another card in the place of the one that it has: the test card is asked about, and up to five
    /// events are told where an update tells one.
    SourceUpdate,
    /// `GET /v1/customers/{id}`.
    Retrieve,
}

/// What came of a measurement.
pub struct Measured {
    pub per_second: f64,
    pub requests: u64,
    /// In microseconds.
    pub latencies: Histogram<u64>,
}

/// An account's customers.
#[derive(Clone)]
pub struct Book {
    /// The account's key.
    pub key: String,
    pub customers: Arc<[Id]>,
}

/// What is to be measured.
pub struct Plan<'a> {
    /// The servers, which the connections are dealt out to in turn.
    pub addresses: &'a [SocketAddr],
    /// The accounts, which they are dealt out to as well; those of one account share its customers among them.
    pub books: &'a [Book],
    pub connections: usize,
    pub work: Work,
    pub warm_up: Duration,
    pub measured: Duration,
}

impl Plan<'_> {
    /// Loads the servers and counts what they answer once they are warm.
    pub async fn run(&self) -> Result<Measured, Trouble> {
        let Plan { addresses, books, connections, work, warm_up, measured } = *self;
        let ready = Arc::new(Barrier::new(connections));
        let mut tasks = JoinSet::new();
        for number in 0..connections {
            let (address, book) = (addresses[number % addresses.len()], books[number % books.len()].clone());
            let sharers = (connections - number % books.len()).div_ceil(books.len());
            let share = book.customers.len() / sharers;
            let own = number / books.len() * share..(number / books.len() + 1) * share;
            let ready = ready.clone();
            tasks.spawn(async move {
                let own = &book.customers[own];
                let mut connection = Connection::open(address).await?;
                let mut request = Request::new(work, &book.key);
                let mut latencies = Histogram::<u64>::new_with_max(GRACE.as_micros() as u64 * 2, 3)?;
                let mut dice = Dice(0x9E37_79B9_7F4A_7C15 ^ (number as u64 + 1));
                ready.wait().await;
                let begun = Instant::now();
                let mut before = begun;
                loop {
                    let bytes = request.about(&own[dice.below(own.len())]);
                    connection.exchange(bytes).await?;
                    let now = Instant::now();
                    let so_far = now - begun;
                    if so_far > warm_up + measured {
                        return Ok::<_, Trouble>(latencies);
                    }
                    if so_far > warm_up {
                        latencies.record((now - before).as_micros() as u64)?;
                    }
                    before = now;
                }
            });
        }
        let mut latencies = Histogram::<u64>::new_with_max(GRACE.as_micros() as u64 * 2, 3)?;
        let join = async {
            while let Some(outcome) = tasks.join_next().await {
                latencies.add(outcome??)?;
            }
            Ok::<_, Trouble>(())
        };
        tokio::time::timeout(warm_up + measured + GRACE, join).await.map_err(|_| "the server stopped answering")??;
        let requests = latencies.len();
        Ok(Measured { per_second: requests as f64 / measured.as_secs_f64(), requests, latencies })
    }
}

/// Makes customers of the account with that key over the API.
pub async fn fill(address: SocketAddr, key: &str, many: u64, tell: impl Fn(u64)) -> Result<Book, Trouble> {
    let left = Arc::new(AtomicU64::new(many));
    let mut tasks = JoinSet::new();
    for _ in 0..FILLING_CONNECTIONS {
        let (left, key) = (left.clone(), key.to_owned());
        tasks.spawn(async move {
            let mut connection = Connection::open(address).await?;
            let mut ids = Vec::new();
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
                let number = COUNTER.fetch_add(1, Ordering::Relaxed);
                let body = format!(
                    "name=Jenny+Rosen+{number}&email=jenny.rosen.{number}%40example.com&phone=%2B14155550123\
                     &address[line1]=Torstrasse+{number}&address[city]=Berlin&address[country]=DE\
                     &metadata[order_id]={number:0DIGITS$}"
                );
                let request = head("POST /v1/customers", &key, &form_headers("", body.len())) + &body;
                let (_, reply) = connection.exchange(request.as_bytes()).await?;
                ids.push(id_in(reply)?);
            }
            Ok::<_, Trouble>(ids)
        });
    }
    let mut ids = Vec::with_capacity(many as usize);
    let mut last = (many, Instant::now());
    loop {
        match tokio::time::timeout(Duration::from_secs(1), tasks.join_next()).await {
            Ok(Some(outcome)) => ids.extend(outcome??),
            Ok(None) => break,
            Err(_) => {
                let now = left.load(Ordering::Relaxed);
                tell(many - now);
                if now != last.0 {
                    last = (now, Instant::now());
                } else if last.1.elapsed() > GRACE {
                    return Err("the server stopped answering while customers were made".into());
                }
            }
        }
    }
    tell(many);
    Ok(Book { key: key.to_owned(), customers: ids.into() })
}

/// One update of the first customer and the reply to it.
pub async fn sample(address: SocketAddr, book: &Book) -> Result<Vec<u8>, Trouble> {
    let mut connection = Connection::open(address).await?;
    let (head, body) = connection.exchange(Request::new(Work::Update, &book.key).about(&book.customers[0])).await?;
    Ok([head, body].concat())
}

/// A rendered request with places for what differs from one to the next.
struct Request {
    bytes: Vec<u8>,
    id: usize,
    counters: Vec<usize>,
}

impl Request {
    fn new(work: Work, key: &str) -> Request {
        let id = "?".repeat(ID_LENGTH);
        let counter = "#".repeat(DIGITS);
        let body = match work {
            Work::SearchableUpdate => format!("name=Jenny+Rosen&metadata[order_id]={counter}"),
            Work::SourceUpdate => "source=tok_visa".to_owned(),
            Work::JaniUpdate => {
                format!(
                    r#"{{"name":"Jenny Rosen","address":{{"line1":"Torstrasse {counter}","city":"Berlin","country":"DE"}}}}"#
                )
            }
            Work::FlexPortalUpdate => format!(
                r#"{{"firstName":"Jenny","lastName":"Rosen","billingAddress":{{"contactName":"Jenny Rosen","streetAddress":"Torstrasse {counter}","city":"Berlin","country":"Germany"}}}}"#
            ),
            Work::Update | Work::KeyedUpdate | Work::Retrieve => {
                format!("name=Jenny+Rosen&description=A+customer+of+long+standing,+last+seen+with+order+{counter}")
            }
        };
        let text = match work {
            Work::Update | Work::SearchableUpdate | Work::SourceUpdate => {
                head(&format!("POST /v1/customers/{id}"), key, &form_headers("", body.len())) + &body
            }
            Work::KeyedUpdate => {
                let once = format!("Idempotency-Key: 0191b7e4-2c1d-7e3f-8000-{counter}\r\n");
                head(&format!("POST /v1/customers/{id}"), key, &form_headers(&once, body.len())) + &body
            }
            Work::JaniUpdate => {
                head(&format!("PATCH /api/v1/customers/{id}"), key, &json_headers("", body.len())) + &body
            }
            Work::FlexPortalUpdate => {
                let tenant = format!("Tenant-ID: {}\r\n", key.trim_start_matches("sk_test_"));
                head(&format!("PUT /v1/customers/{id}"), key, &json_headers(&tenant, body.len())) + &body
            }
            Work::Retrieve => head(&format!("GET /v1/customers/{id}"), key, ""),
        };
        let bytes = text.into_bytes();
        let id = find(&bytes, id.as_bytes()).expect("the id was written above");
        let mut counters = Vec::new();
        let mut from = 0;
        while let Some(at) = find(&bytes[from..], counter.as_bytes()) {
            counters.push(from + at);
            from += at + DIGITS;
        }
        Request { bytes, id, counters }
    }

    /// The request for that customer, never the same twice.
    fn about(&mut self, customer: &Id) -> &[u8] {
        self.bytes[self.id..self.id + ID_LENGTH].copy_from_slice(customer);
        let mut number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let mut digits = [b'0'; DIGITS];
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
        }
        for at in &self.counters {
            self.bytes[*at..*at + DIGITS].copy_from_slice(&digits);
        }
        &self.bytes
    }
}

fn head(line: &str, key: &str, headers: &str) -> String {
    format!(
        "{line} HTTP/1.1\r\nHost: 127.0.0.1:12111\r\nAuthorization: Bearer {key}\r\nAccept: */*\r\n\
         User-Agent: cusp-bench\r\nStripe-Version: 2026-10-28.endive\r\n{headers}\r\n"
    )
}

fn form_headers(more: &str, length: usize) -> String {
    format!("{more}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n")
}

fn json_headers(more: &str, length: usize) -> String {
    format!("{more}Content-Type: application/json\r\nContent-Length: {length}\r\n")
}

fn id_in(reply: &[u8]) -> Result<Id, Trouble> {
    let at = find(reply, b"\"cus_").ok_or("a reply without an id")? + 1;
    let id: Id = reply.get(at..at + ID_LENGTH).ok_or("a short reply")?.try_into()?;
    match reply.get(at + ID_LENGTH) {
        Some(b'"') => Ok(id),
        _ => Err("an id of another length".into()),
    }
}

/// A small random number generator (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}
