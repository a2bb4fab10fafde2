//! Replies that go on: streams and connections that are taken over.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream;
use hyper::StatusCode;
use hyper::header::{CONNECTION, HeaderMap, UPGRADE};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::{Exchange, Observer, Shell};
use crate::clock::Clock;
use crate::domain::ids::RequestId;
use crate::http::content::{Content, Takeover};
use crate::http::listen::{self, Bounds};
use crate::http::mounts::{Api, Hosts};
use crate::http::{Dialect, Reply, Request, Stop};
use crate::settings::Language;

const PATIENCE: Duration = Duration::from_secs(20);
const WRITE_TIMEOUT: Duration = Duration::from_millis(300);
const PIECE: usize = 16 << 10;

#[derive(Default)]
struct Count {
    open: AtomicIsize,
    answered: AtomicUsize,
    /// Pieces that were asked for.
    pieces: AtomicUsize,
    /// Streams that are over.
    over: AtomicUsize,
}

impl Observer for Count {
    fn connected(&self) {
        self.open.fetch_add(1, Ordering::SeqCst);
    }

    fn disconnected(&self) {
        self.open.fetch_sub(1, Ordering::SeqCst);
    }

    fn began(&self) {}

    fn gone(&self) {}

    fn answered(&self, _: &Exchange<'_>) {
        self.answered.fetch_add(1, Ordering::SeqCst);
    }
}

struct Counted(Arc<Count>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.over.fetch_add(1, Ordering::SeqCst);
    }
}

struct Server {
    address: SocketAddr,
    count: Arc<Count>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

impl Server {
    async fn start() -> Server {
        let count = Arc::new(Count::default());
        let (stop, stopped) = watch::channel(false);
        let counting = count.clone();
        let dialect = Dialect {
            name: "test",
            api: Api::Of(Language::Stripe),
            answer: Arc::new(move |request| {
                let count = counting.clone();
                Box::pin(async move { reply(&request, count) })
            }),
            confess: |_, _| Reply::new(StatusCode::INTERNAL_SERVER_ERROR, "confessed"),
            files: None,
            document: None,
        };
        let shell = Arc::new(Shell {
            dialects: vec![dialect],
            hosts: Hosts::default(),
            pages: None,
            observer: count.clone(),
            name_request: Arc::new(|_: &HeaderMap| RequestId("req_1".into())),
            knows: Arc::new(|_: &HeaderMap| Box::pin(async { true })),
            large: Semaphore::new(1),
            max_body_bytes: 1000,
            request_timeout: Duration::from_millis(200),
            stop: Stop::new(stopped.clone()),
            traffic: Arc::default(),
            clock: Clock::default(),
        });
        let bounds =
            Bounds { connections: 8, head_timeout: PATIENCE, write_timeout: WRITE_TIMEOUT, drain_timeout: PATIENCE };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answer = move |request| {
            let shell = shell.clone();
            async move { shell.serve(request, None).await }
        };
        let serving = tokio::spawn(listen::serve(listener, bounds, count.clone(), answer, stopped));
        Server { address, count, stop, serving }
    }

    async fn ask(&self, method: &str, path: &str, headers: &str) -> BufReader<TcpStream> {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let head = format!("{method} {path} HTTP/1.1\r\nHost: test\r\n{headers}\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        BufReader::new(stream)
    }

    /// Waits until a count is that.
    async fn until(&self, what: impl Fn(&Count) -> bool) {
        let waiting = async {
            while !what(&self.count) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, waiting).await.expect("it happens");
    }

    async fn stop(self) -> Duration {
        let began = std::time::Instant::now();
        self.stop.send(true).unwrap();
        timeout(PATIENCE, self.serving).await.expect("it stops").unwrap();
        began.elapsed()
    }
}

fn reply(request: &Request, count: Arc<Count>) -> Reply {
    let counted = Counted(count.clone());
    match request.path.as_str() {
        "/flood" => {
            let pieces = stream::repeat_with(move || {
                let _held = &counted;
                count.pieces.fetch_add(1, Ordering::SeqCst);
                Bytes::from(vec![b'y'; PIECE])
            });
            Reply::going_on(StatusCode::OK, Content::Stream(pieces.boxed()))
        }
        "/one" => {
            let pieces = stream::once(async { Bytes::from("one\n") }).chain(stream::pending());
            let pieces = pieces.inspect(move |_| {
                let _held = &counted;
            });
            Reply::going_on(StatusCode::OK, Content::Stream(pieces.boxed()))
        }
        "/panic" => {
            let pieces = stream::iter(["one\n", "two\n"]).map(|piece| {
                assert_eq!(piece, "one\n", "on purpose");
                Bytes::from(piece)
            });
            Reply::going_on(StatusCode::OK, Content::Stream(pieces.boxed()))
        }
        "/echo" => {
            let takeover = Takeover(Box::new(|connection, mut stop| {
                Box::pin(async move {
                    let mut connection = BufReader::new(TokioIo::new(connection));
                    let mut line = String::new();
                    loop {
                        line.clear();
                        tokio::select! {
                            read = connection.read_line(&mut line) => {
                                if !read.is_ok_and(|read| read > 0) {
                                    return;
                                }
                                connection.get_mut().write_all(line.as_bytes()).await.unwrap();
                            }
                            () = stop.told() => {
                                connection.get_mut().write_all(b"goodbye\n").await.unwrap();
                                return;
                            }
                        }
                    }
                })
            }));
            Reply::going_on(StatusCode::SWITCHING_PROTOCOLS, Content::Upgrade(takeover))
                .with(CONNECTION, "upgrade")
                .with(UPGRADE, "echo")
        }
        _ => Reply::new(StatusCode::OK, "whole"),
    }
}

async fn head(stream: &mut BufReader<TcpStream>) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(timeout(PATIENCE, stream.read_line(&mut head)).await.unwrap().unwrap(), 0, "{head}");
    }
    head
}

async fn line(stream: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    timeout(PATIENCE, stream.read_line(&mut line)).await.unwrap().unwrap();
    line
}

/// All that follows, and whether the connection was closed in good order.
async fn rest(stream: &mut BufReader<TcpStream>) -> (String, bool) {
    let mut bytes = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.unwrap();
    (String::from_utf8_lossy(&bytes).into_owned(), read.is_ok())
}

#[tokio::test]
async fn a_stream_outlives_the_request_timeout_and_ends_when_the_server_stops() {
    let server = Server::start().await;
    let mut stream = server.ask("GET", "/one", "").await;
    let head = head(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 200 ") && head.contains("transfer-encoding: chunked"), "{head}");
    assert!(head.contains("request-id: req_"), "{head}");
    assert_eq!((line(&mut stream).await, line(&mut stream).await), ("4\r\n".into(), "one\n".into()));
    assert_eq!(server.count.answered.load(Ordering::SeqCst), 1, "the reply is told of when it begins");
    sleep(Duration::from_millis(400)).await;
    assert_eq!(server.count.over.load(Ordering::SeqCst), 0);
    assert!(server.stop().await < Duration::from_secs(5));
    assert_eq!(rest(&mut stream).await, ("\r\n0\r\n\r\n".into(), true));
}

#[tokio::test]
async fn a_client_that_goes_away_ends_its_stream() {
    let server = Server::start().await;
    let mut stream = server.ask("GET", "/one", "").await;
    head(&mut stream).await;
    drop(stream);
    server.until(|count| count.over.load(Ordering::SeqCst) == 1 && count.open.load(Ordering::SeqCst) == 0).await;
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_a_stream_is_cut_off() {
    let server = Server::start().await;
    let mut stream = server.ask("GET", "/flood", "").await;
    head(&mut stream).await;
    server.until(|count| count.over.load(Ordering::SeqCst) == 1).await;
    // What the system holds for a connection is not ours; what we hold is a few pieces.
    let (taken, _) = rest(&mut stream).await;
    let held = server.count.pieces.load(Ordering::SeqCst) * PIECE - taken.len().min(1 << 30);
    assert!(held <= listen::MAX_HEAD_BYTES * 2 + 3 * PIECE, "{held} bytes were held for one that takes nothing");
}

#[tokio::test]
async fn a_client_that_takes_a_stream_gets_as_much_as_it_takes() {
    let server = Server::start().await;
    let mut stream = server.ask("GET", "/flood", "").await;
    head(&mut stream).await;
    let mut bytes = vec![0; 64 << 20];
    timeout(PATIENCE, stream.read_exact(&mut bytes)).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_stream_that_panics_breaks_off_and_harms_nobody() {
    let server = Server::start().await;
    let mut stream = server.ask("GET", "/panic", "").await;
    let (body, _) = rest(&mut stream).await;
    assert!(!body.ends_with("\r\n0\r\n\r\n"), "{body}");
    server.until(|count| count.open.load(Ordering::SeqCst) == 0).await;
    let mut stream = server.ask("GET", "/whole", "Connection: close\r\n").await;
    assert!(rest(&mut stream).await.0.ends_with("whole"));
}

#[tokio::test]
async fn a_head_is_asked_for_without_its_stream() {
    let server = Server::start().await;
    let mut stream = server.ask("HEAD", "/one", "Connection: close\r\n").await;
    let (reply, _) = rest(&mut stream).await;
    assert!(reply.starts_with("HTTP/1.1 200 ") && reply.ends_with("\r\n\r\n"), "{reply}");
    server.until(|count| count.over.load(Ordering::SeqCst) == 1).await;
}

#[tokio::test]
async fn a_connection_that_is_taken_over_keeps_its_place_and_hears_the_word_to_stop() {
    let server = Server::start().await;
    let mut stream = server.ask("GET", "/echo", "Connection: upgrade\r\nUpgrade: echo\r\n").await;
    let head = head(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 101 ") && head.contains("upgrade: echo"), "{head}");
    assert!(!head.contains("content-type"), "{head}");
    for said in ["hello\n", "and again\n"] {
        stream.get_mut().write_all(said.as_bytes()).await.unwrap();
        assert_eq!(line(&mut stream).await, said);
        sleep(Duration::from_millis(250)).await;
    }
    assert_eq!(server.count.open.load(Ordering::SeqCst), 1);
    let count = server.count.clone();
    assert!(server.stop().await < Duration::from_secs(5));
    assert_eq!(rest(&mut stream).await, ("goodbye\n".into(), true));
    assert_eq!(count.open.load(Ordering::SeqCst), 0, "nobody is left when the server has stopped");
}

#[tokio::test]
async fn a_connection_that_does_not_ask_for_it_is_not_taken_over() {
    let server = Server::start().await;
    let mut stream = server.ask("GET", "/echo", "Connection: close\r\n").await;
    let (reply, _) = rest(&mut stream).await;
    assert!(reply.starts_with("HTTP/1.1 500 ") && reply.ends_with("confessed"), "{reply}");
}
