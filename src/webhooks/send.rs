//! Sends one webhook: to an address that was judged, once, within a time. It follows no redirect, believes nothing that the
//! receiver says but the status, and keeps little of the rest.

use std::fmt;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use super::guard::{Guard, Resolver};
use super::pool::{Connection, MAX_ANSWER_BYTES, Peer, Pool};
use super::{sign, trust};
use crate::domain::answer::{header, shown};
use crate::domain::delivery;
use crate::settings::Webhooks;
use crate::targets::{Host, NotATarget, Refusal, Target};

pub use crate::domain::answer::{MAX_BODY_BYTES, MAX_HEADERS};

/// The headers that every webhook has, beside `Host`, `Content-Length` and the signature. Those of Stripe, but for the name
/// of the program.
pub const HEADERS: [(&str, &str); 4] = [
    ("content-type", "application/json; charset=utf-8"),
    ("user-agent", concat!("Cusp/", env!("CARGO_PKG_VERSION"))),
    ("cache-control", "no-cache"),
    ("accept", "*/*; q=0.5, application/xml"),
];

/// How long connecting may take, all addresses of a name together, when the attempt as a whole may take longer.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The most bytes that the beginning of a card number takes: 19 digits, and one character of up to four bytes between two.
const MAX_NUMBER_BYTES: usize = 19 + 18 * 4;
/// A webhook to be sent.
#[derive(Clone, Debug)]
pub struct Letter<'a> {
    /// Where to.
    pub url: &'a str,
    /// What the header `Stripe-Signature` says.
    pub signature: &'a str,
    /// The event.
    pub body: Bytes,
}

/// What came of an attempt, and how long it took. All of it may be shown to whose endpoint it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// From the beginning to the end of the answer, or as long as it was waited for.
    pub took: Duration,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver answered. Whether it has taken the webhook, the status says: 200 to 299 mean so.
    Sent(Answer),
    /// There was no answer. The receiver may have got the webhook all the same.
    NotSent(NotSent),
}

/// What is kept of an answer. Digits that could be a card's number are not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status, 100 to 999.
    pub status: u16,
    /// The first headers, names in lower case, long ones shortened.
    pub headers: Vec<(String, String)>,
    /// The beginning of the body, at most `MAX_BODY_BYTES`. What is no UTF-8 and control characters are replaced.
    pub body: String,
    /// Whether there was more of the body, or whether it broke off.
    pub truncated: bool,
}

impl Answer {
    /// Whether the receiver has taken the webhook.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// As the log of deliveries keeps it.
impl From<Outcome> for delivery::Outcome {
    fn from(outcome: Outcome) -> delivery::Outcome {
        match outcome {
            Outcome::Sent(Answer { status, headers, body, truncated }) => {
                delivery::Outcome::Answered { status, headers, body, truncated }
            }
            Outcome::NotSent(NotSent { reason: _, words }) => delivery::Outcome::Unanswered(words),
        }
    }
}

/// Why there was no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotSent {
    /// The sort of reason.
    pub reason: Reason,
    /// The reason for people; of the URL, it tells the host only.
    pub words: String,
}

impl fmt::Display for NotSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

/// The sorts of reasons for which there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Webhooks do not go there.
    Refused,
    /// The host's name stands for no address.
    UnknownHost,
    /// No connection was made.
    Unreachable,
    /// The receiver could not prove who it is, or does not speak TLS.
    Tls,
    /// It took too long.
    TimedOut,
    /// The receiver closed the connection without an answer.
    Closed,
    /// What came is not HTTP.
    NotHttp,
    /// The head of the answer is too large.
    TooLarge,
}

impl Reason {
    /// All of them.
    pub const ALL: [Reason; 8] = [
        Reason::Refused,
        Reason::UnknownHost,
        Reason::Unreachable,
        Reason::Tls,
        Reason::TimedOut,
        Reason::Closed,
        Reason::NotHttp,
        Reason::TooLarge,
    ];

    /// Its name, for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Refused => "refused",
            Reason::UnknownHost => "unknown_host",
            Reason::Unreachable => "unreachable",
            Reason::Tls => "tls",
            Reason::TimedOut => "timed_out",
            Reason::Closed => "closed",
            Reason::NotHttp => "not_http",
            Reason::TooLarge => "too_large",
        }
    }

    fn because(self, words: impl Into<String>) -> NotSent {
        NotSent { reason: self, words: words.into() }
    }
}

impl From<Refusal> for NotSent {
    fn from(refusal: Refusal) -> NotSent {
        let reason = match refusal {
            Refusal::Url(_) | Refusal::Address { .. } => Reason::Refused,
            Refusal::Unknown(_) => Reason::UnknownHost,
        };
        reason.because(refusal.to_string())
    }
}

/// Sends webhooks. One serves a whole server: it keeps connections open between one webhook and the next.
pub struct Sender {
    guard: Guard,
    pool: Pool,
    timeout: Duration,
    tls: OnceCell<TlsConnector>,
}

impl Sender {
    /// Sends as the settings say, looking names up with `resolver`. The system's certificates are read when they are first
    /// needed, those of a file that the settings name are read here.
    pub fn new(webhooks: &Webhooks, resolver: Arc<dyn Resolver>) -> Result<Sender, String> {
        let tls = match &webhooks.ca_file {
            Some(path) => OnceCell::new_with(Some(trust::connector(Some(path))?)),
            None => OnceCell::new(),
        };
        let guard = Guard::new(webhooks.targets.clone(), resolver);
        Ok(Sender { guard, pool: Pool::default(), timeout: webhooks.timeout, tls })
    }

    /// Who says where webhooks may go.
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Sends a webhook once. It takes the time that the settings allow, at most. When a connection that was kept open turns
    /// out to be closed, and nothing came on it, the webhook is sent again on a new one: it may then arrive twice.
    pub async fn send(&self, letter: Letter<'_>) -> Attempt {
        let started = Instant::now();
        let outcome = match self.exchange(letter, started + self.timeout).await {
            Ok(answer) => Outcome::Sent(answer),
            Err(trouble) => Outcome::NotSent(trouble),
        };
        Attempt { took: started.elapsed(), outcome }
    }

    /// Closes connections that have idled for long enough. To be called every few seconds.
    pub fn tidy(&self) {
        self.pool.tidy();
    }

    /// How many connections idle.
    pub fn idle(&self) -> usize {
        self.pool.idle()
    }

    async fn exchange(&self, letter: Letter<'_>, deadline: Instant) -> Result<Answer, NotSent> {
        let target = Target::parse(letter.url).map_err(Refusal::from)?;
        let request = Letter::request(&letter, &target)?;
        let looked_up = self.within(deadline, "looking the host up", self.guard.admit(&target)).await?;
        let peers: Vec<Peer> = looked_up?
            .into_iter()
            .map(|address| Peer { encrypted: target.encrypted(), host: target.authority(), address })
            .collect();
        for peer in &peers {
            let Some(mut kept) = self.pool.take(peer).await else { continue };
            match self.within(deadline, "waiting for the answer", kept.ask(request.clone())).await? {
                Ok(response) => return Ok(self.keep(peer, kept, response, deadline).await),
                // It was closed between two webhooks, as far as one can tell.
                Err(_) if kept.received() == 0 => break,
                Err(error) => return Err(no_answer(&error, kept.received())),
            }
        }
        let (peer, stream) = self.connect(&peers, deadline).await?;
        let mut fresh = if target.encrypted() {
            let name = match target.host() {
                Host::Name(name) => ServerName::try_from(name.clone())
                    .map_err(|_| Reason::Tls.because(format!("{name} cannot be the name in a certificate")))?,
                Host::Address(address) => ServerName::IpAddress(IpAddr::into(*address)),
            };
            let tls = self.tls().await?;
            let shaken = self.within(deadline, "agreeing on TLS", tls.connect(name, stream)).await?;
            Connection::new(shaken.map_err(|error| Reason::Tls.because(format!("TLS: {error}")))?).await
        } else {
            Connection::new(stream).await
        }
        .map_err(|error| no_answer(&error, 0))?;
        match self.within(deadline, "waiting for the answer", fresh.ask(request)).await? {
            Ok(response) => Ok(self.keep(peer, fresh, response, deadline).await),
            Err(error) => Err(no_answer(&error, fresh.received())),
        }
    }

    /// Waits for something until the deadline.
    async fn within<T>(&self, deadline: Instant, doing: &str, work: impl Future<Output = T>) -> Result<T, NotSent> {
        timeout_at(deadline, work).await.map_err(|_| {
            Reason::TimedOut
                .because(format!("{doing} took longer than the {} ms of an attempt", self.timeout.as_millis()))
        })
    }

    async fn tls(&self) -> Result<&TlsConnector, NotSent> {
        let read = || async {
            let made = tokio::task::spawn_blocking(|| trust::connector(None)).await;
            made.unwrap_or_else(|error| Err(error.to_string()))
        };
        self.tls.get_or_try_init(read).await.map_err(|trouble| Reason::Tls.because(trouble))
    }

    /// Connects to the first of the addresses that lets us.
    async fn connect<'p>(&self, peers: &'p [Peer], deadline: Instant) -> Result<(&'p Peer, TcpStream), NotSent> {
        let until = deadline.min(Instant::now() + CONNECT_TIMEOUT);
        let mut trouble = Reason::Unreachable.because("there is no address to connect to");
        for (done, peer) in peers.iter().enumerate() {
            // Each has its share of what is left, so that one that is silent leaves time for the others.
            let left = u32::try_from(peers.len() - done).unwrap_or(1);
            let share = until.saturating_duration_since(Instant::now()) / left;
            match timeout_at(Instant::now() + share, dial(peer.address)).await {
                Ok(Ok(stream)) => return Ok((peer, stream)),
                Ok(Err(error)) => {
                    trouble = Reason::Unreachable.because(format!("cannot connect to {}: {}", peer.host, error.kind()));
                }
                Err(_) => {
                    trouble = Reason::TimedOut.because(format!("connecting to {} took too long", peer.host));
                }
            }
        }
        Err(trouble)
    }

    /// Reads what is kept of the answer, and keeps the connection when that was all of it.
    async fn keep(
        &self,
        peer: &Peer,
        mut connection: Connection,
        response: Response<Incoming>,
        deadline: Instant,
    ) -> Answer {
        let (head, mut body) = response.into_parts();
        let mut read = Vec::new();
        let whole = loop {
            match timeout_at(deadline, connection.piece(&mut body)).await {
                Ok(Some(Ok(piece))) => {
                    let room = MAX_BODY_BYTES - read.len();
                    read.extend_from_slice(&piece[..piece.len().min(room)]);
                    if piece.len() > room {
                        break false;
                    }
                }
                Ok(None) => break true,
                // It took too long, or it broke off. The status is known all the same.
                Ok(Some(Err(_))) | Err(_) => break false,
            }
        };
        if whole && connection.is_ready().await {
            self.pool.put(peer.clone(), connection);
        }
        let mut body = shown(&String::from_utf8_lossy(&read), usize::MAX);
        if !whole {
            body.truncate(open_end(&body));
        }
        let truncated = !whole || body.len() > MAX_BODY_BYTES;
        body.truncate(body.floor_char_boundary(MAX_BODY_BYTES));
        Answer { status: head.status.as_u16(), headers: headers(&head.headers), body, truncated }
    }
}

impl Letter<'_> {
    fn request(&self, target: &Target) -> Result<Request<Full<Bytes>>, NotSent> {
        let value = |text: &str| {
            HeaderValue::from_str(text).map_err(|_| Reason::Refused.because("the signature is no value of a header"))
        };
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() =
            target.path().parse().map_err(|_| Refusal::from(NotATarget("the URL's path cannot be asked for")))?;
        let headers = request.headers_mut();
        headers.insert(hyper::header::HOST, value(&target.authority())?);
        for (name, value) in HEADERS {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers.insert(HeaderName::from_static(sign::HEADER), value(self.signature)?);
        Ok(request)
    }
}

async fn dial(address: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    // A webhook is one small write; it is not to wait for another one.
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn no_answer(error: &hyper::Error, received: usize) -> NotSent {
    if error.is_parse_too_large() || received > MAX_ANSWER_BYTES {
        Reason::TooLarge.because("the head of the answer is too large")
    } else if error.is_parse() {
        Reason::NotHttp.because("what came is not an answer in HTTP/1.1")
    } else {
        Reason::Closed.because("the connection was closed without an answer")
    }
}

fn headers(all: &HeaderMap) -> Vec<(String, String)> {
    let kept = all.iter().take(MAX_HEADERS);
    kept.map(|(name, value)| header(name.as_str(), &String::from_utf8_lossy(value.as_bytes()))).collect()
}

/// Where what could be the beginning of a card number begins, at the end of a text that goes on.
fn open_end(text: &str) -> usize {
    let run = text.trim_end_matches(|letter: char| !letter.is_alphabetic()).len();
    run.max(text.floor_char_boundary(text.len().saturating_sub(MAX_NUMBER_BYTES)))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{Letter, open_end};
    use crate::targets::Target;

    #[test]
    fn every_target_can_be_asked_for() {
        let mut taken = 0;
        for byte in 0..=u8::MAX {
            let url = format!("http://a.example/x{0}?y{0}", char::from(byte));
            let Ok(target) = Target::parse(&url) else { continue };
            let request = Letter { url: &url, signature: "t=1", body: Bytes::new() }.request(&target);
            assert_eq!(request.expect(&url).uri().to_string(), target.path());
            taken += 1;
        }
        assert!(taken > 80, "{taken}");
    }

    #[test]
    fn the_beginning_of_a_number_is_seen_at_the_end_of_a_text() {
        for (text, rest) in [("abc", "abc"), ("abc 4242", "abc"), ("abc 4 2-4", "abc"), ("4242", ""), ("", "")] {
            assert_eq!(&text[..open_end(text)], rest);
        }
        let long = "1,".repeat(1_000);
        assert!((1_900..2_000).contains(&open_end(&long)), "a number is not that long");
        assert_eq!(open_end(&"\u{2013}".repeat(100)) % 3, 0);
    }
}
