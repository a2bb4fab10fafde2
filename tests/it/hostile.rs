//! Bad input against the real binary: it gets a clear error or a closed connection, and the server stays up and small.
//!
//! These tests need the real clock, because time-outs are what some of them test; every wait has a bound.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::connection::{Connection, form, json};
use crate::program_server::ProgramServer;

/// The longest that a server with the short time-outs of [`impatient`] may keep a slow sender.
const CLOSED_WITHIN: Duration = Duration::from_secs(6);
/// How many idle connections a server has to bear.
const IDLE_CONNECTIONS: usize = 10_000;

const KEY: &str = "sk_test_hostile";
const MEGABYTE: usize = 1_000_000;

#[test]
fn a_head_that_trickles_in_is_cut_off() {
    let (_folder, server) = impatient();
    let head =
        format!("GET /v1/customers HTTP/1.1\r\nhost: cusp\r\nauthorization: Bearer {KEY}\r\nx: {}", "y".repeat(200));
    let outcome = trickle(server.address(), b"", head.as_bytes());
    outcome.is_cut_off(&[408]);
    is_well(&server);
}

#[test]
fn a_body_that_trickles_in_is_cut_off() {
    let (_folder, server) = impatient();
    let mut client = server.connection(KEY);
    let id = client.ok("POST", "/v1/customers", "name=Before")["id"].as_str().expect("an id").to_owned();
    let body = format!("name={}", "y".repeat(200));
    let outcome = trickle(server.address(), &post_head(&id, &content_length(body.len())), body.as_bytes());
    outcome.is_cut_off(&[408, 503, 504]);
    let chunks: String = body.chars().map(|letter| format!("1\r\n{letter}\r\n")).collect();
    let outcome = trickle(server.address(), &post_head(&id, "transfer-encoding: chunked"), chunks.as_bytes());
    outcome.is_cut_off(&[408, 503, 504]);
    assert_eq!(server.connection(KEY).ok("GET", &format!("/v1/customers/{id}"), "")["name"], "Before");
    is_well(&server);
}

#[test]
fn a_connection_that_says_nothing_is_closed() {
    let (_folder, server) = impatient();
    let silent = listen_to(connect(server.address()), CLOSED_WITHIN);
    silent.is_cut_off(&[408]);

    // Between two requests the same time counts.
    let mut client = server.connection(KEY);
    client.ok("GET", "/v1/customers", "");
    let stream = client.stream().expect("it is open").try_clone().expect("a second handle");
    listen_to(stream, CLOSED_WITHIN).is_cut_off(&[408]);
    is_well(&server);
}

#[test]
fn slow_senders_do_not_keep_others_waiting() {
    let (_folder, server) = ordinary();
    let head = post_head("cus_none", &content_length(1000));
    let slow: Vec<TcpStream> = (0..500)
        .map(|number| {
            let mut stream = connect(server.address());
            // Half of them stop in the head, half of them in the body.
            let part = if number % 2 == 0 { &head[..head.len() / 2] } else { &head[..] };
            stream.write_all(part).expect("the server accepts");
            stream
        })
        .collect();
    is_well(&server);
    drop(slow);
    is_well(&server);
}

#[test]
fn a_body_of_fifty_megabytes_is_refused() {
    let (_folder, server) = ordinary();
    let before = server.resident_megabytes();
    let mut client = server.connection(KEY);
    let id = client.ok("POST", "/v1/customers", "name=Before")["id"].as_str().expect("an id").to_owned();

    let announced = flood(server.address(), &post_head(&id, &content_length(50 * MEGABYTE)), &[b'y'; 64 * 1024], 50);
    announced.is_cut_off(&[413]);
    let mut chunk = b"10000\r\n".to_vec();
    chunk.extend([b'y'; 0x10000]);
    chunk.extend(b"\r\n");
    let chunked = flood(server.address(), &post_head(&id, "transfer-encoding: chunked"), &chunk, 50);
    chunked.is_cut_off(&[413]);
    grew_little(&server, before, "two floods");

    // Many at once do not add up.
    std::thread::scope(|scope| {
        for _ in 0..16 {
            let (address, id, chunk) = (server.address(), &id, &chunk);
            scope.spawn(move || flood(address, &post_head(id, "transfer-encoding: chunked"), chunk, 50));
        }
    });
    grew_little(&server, before, "16 floods at once");
    assert_eq!(client.ok("GET", &format!("/v1/customers/{id}"), "")["name"], "Before");
    is_well(&server);
}

#[test]
fn ten_thousand_idle_connections_are_borne() {
    let limit = rlimit::increase_nofile_limit(65_536).expect("the limit of open files can be asked for");
    let needed = IDLE_CONNECTIONS as u64 + 200;
    assert!(
        limit >= needed,
        "this test opens {IDLE_CONNECTIONS} connections, and the hard limit of open files is {limit}: raise it to \
         {needed} or more (ulimit -Hn) and start the tests again"
    );
    let (_folder, server) = ordinary();
    let mut idle = Vec::with_capacity(IDLE_CONNECTIONS);
    for number in 0..IDLE_CONNECTIONS {
        let stream = TcpStream::connect_timeout(&server.address(), Duration::from_secs(10));
        idle.push(stream.unwrap_or_else(|error| panic!("connection {number}: {error}")));
    }
    // The kernel answers before the server accepts: wait until the server has them all.
    eventually("the server accepts every connection", || server.open_files() >= IDLE_CONNECTIONS);

    let start = Instant::now();
    is_well(&server);
    let taken = start.elapsed();
    assert!(taken < Duration::from_secs(2), "two requests took {taken:?} beside the idle connections");
    let resident = server.resident_megabytes();
    println!("{resident:.1} MB with {IDLE_CONNECTIONS} idle connections, two requests in {taken:?}");
    assert!(resident < 150.0, "{resident} MB with {IDLE_CONNECTIONS} idle connections");

    // None of them was dropped to make room.
    for stream in &mut idle {
        stream.set_nonblocking(true).expect("a socket can be told not to wait");
        let outcome = stream.read(&mut [0]);
        assert!(matches!(&outcome, Err(error) if error.kind() == ErrorKind::WouldBlock), "{outcome:?}");
    }
    drop(idle);
    eventually("the server lets go of closed connections", || server.open_files() < 100);
    is_well(&server);
}

#[test]
fn bytes_that_are_not_http_are_refused() {
    let (_folder, server) = ordinary();
    let head = format!("host: cusp\r\nauthorization: Bearer {KEY}\r\n");
    let request = |line: &str, headers: &str| format!("{line}\r\n{head}{headers}\r\n").into_bytes();
    let mut noise = Vec::new();
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    while noise.len() < 64 * 1024 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise.extend(state.to_le_bytes());
    }
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("noise", noise),
        ("zeros", vec![0; 4096]),
        ("a TLS greeting", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".repeat(20)),
        ("another protocol", b"SSH-2.0-OpenSSH_9.2\r\n\r\n".to_vec()),
        ("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec()),
        ("a version that does not exist", request("GET /v1/customers HTTP/9.9", "")),
        ("no version", b"GET /v1/customers\r\n\r\n".to_vec()),
        ("no path", request("GET HTTP/1.1", "")),
        ("a NUL in the path", request("GET /v1/\0 HTTP/1.1", "")),
        ("a NUL in a header", request("GET /v1/customers HTTP/1.1", "x: a\0b\r\n")),
        ("a space before the colon", request("GET /v1/customers HTTP/1.1", "x : y\r\n")),
        ("a header without a colon", request("GET /v1/customers HTTP/1.1", "nothing\r\n")),
        ("a length that is no number", request("POST /v1/customers HTTP/1.1", "content-length: many\r\n")),
        ("a length below zero", request("POST /v1/customers HTTP/1.1", "content-length: -1\r\n")),
        (
            "a length beyond all bounds",
            request("POST /v1/customers HTTP/1.1", "content-length: 99999999999999999999\r\n"),
        ),
        ("two lengths", request("POST /v1/customers HTTP/1.1", "content-length: 3\r\ncontent-length: 4\r\n")),
        (
            "chunks of no size",
            [request("POST /v1/customers HTTP/1.1", "transfer-encoding: chunked\r\n"), b"zz\r\n\r\n".to_vec()].concat(),
        ),
        (
            "a chunk beyond all bounds",
            [
                request("POST /v1/customers HTTP/1.1", "transfer-encoding: chunked\r\n"),
                b"ffffffffffffffffff\r\n".to_vec(),
            ]
            .concat(),
        ),
    ];
    for (name, bytes) in cases {
        let mut stream = connect(server.address());
        // The server may close before it has read it all.
        let _ = stream.write_all(&bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let outcome = listen_to(stream, Duration::from_secs(10));
        assert!(outcome.closed, "{name}: the connection is left open after {outcome:?}");
        let clear = matches!(outcome.status, None | Some(400..=499) | Some(505));
        assert!(clear, "{name}: answered {outcome:?}");
    }
    assert_eq!(
        server.connection(KEY).ok("GET", "/v1/customers", "")["data"],
        serde_json::json!([]),
        "nothing was made"
    );
    is_well(&server);
}

#[test]
fn a_length_and_chunks_at_once_do_not_smuggle_a_request() {
    let (_folder, server) = ordinary();
    let inner = format!(
        "POST /v1/customers HTTP/1.1\r\nhost: cusp\r\nauthorization: Bearer {KEY}\r\ncontent-length: 0\r\n\r\n"
    );
    let body = format!("0\r\n\r\n{inner}");
    let both = format!("content-length: {}\r\ntransfer-encoding: chunked", body.len());
    let mut stream = connect(server.address());
    stream.write_all(&post_head("cus_none", &both)).expect("the server reads a head");
    let _ = stream.write_all(body.as_bytes());
    let outcome = listen_to(stream, Duration::from_secs(3));
    // Either the request is refused, or what follows the last chunk never counts as part of another message's body.
    assert!(outcome.closed || outcome.status.is_some_and(|status| status >= 400), "{outcome:?}");
    is_well(&server);
}

#[test]
fn pipelined_requests_are_answered_in_their_order() {
    let (_folder, server) = ordinary();
    let mut client = server.connection(KEY);
    let id = client.ok("POST", "/v1/customers", "")["id"].as_str().expect("an id").to_owned();
    let mut requests = Vec::new();
    for number in 0..100 {
        let body = form(&[("metadata[n]", &number.to_string())]);
        requests.extend(post_head(&id, &content_length(body.len())));
        requests.extend(body.as_bytes());
    }
    client.write(&requests).expect("the server reads");
    for number in 0..100 {
        let reply = client.read_reply().expect("every request is answered");
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(json(&reply)["metadata"]["n"], number.to_string());
    }
    is_well(&server);
}

#[test]
fn a_header_of_a_megabyte_is_refused() {
    let (_folder, server) = ordinary();
    let before = server.resident_megabytes();
    let head = format!("GET /v1/customers HTTP/1.1\r\nhost: cusp\r\nauthorization: Bearer {KEY}\r\nx: ");
    let outcome = flood(server.address(), head.as_bytes(), &[b'y'; 10_000], 1);
    outcome.is_cut_off(&[400, 431]);
    let many = "x: y\r\n".repeat(2_000);
    let head = format!("GET /v1/customers HTTP/1.1\r\nhost: cusp\r\nauthorization: Bearer {KEY}\r\n");
    let outcome = flood(server.address(), head.as_bytes(), many.as_bytes(), 1);
    outcome.is_cut_off(&[400, 431]);
    let line = flood(server.address(), b"GET /v1/customers?email=", &[b'y'; 10_000], 1);
    line.is_cut_off(&[400, 414, 431]);
    grew_little(&server, before, "all that");
    is_well(&server);
}

#[test]
fn the_first_version_of_http_is_spoken_too() {
    let (_folder, server) = ordinary();
    let mut stream = connect(server.address());
    let request = format!("GET /v1/customers HTTP/1.0\r\nauthorization: Bearer {KEY}\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("the server reads");
    let outcome = listen_to(stream, Duration::from_secs(10));
    assert_eq!((outcome.status, outcome.closed), (Some(200), true), "one reply, then the end: {outcome:?}");
    assert!(outcome.text().contains("\"object\": \"list\"") || outcome.text().contains("\"object\":\"list\""));
    is_well(&server);
}

#[test]
fn a_connection_reset_in_the_body_changes_nothing() {
    let (_folder, server) = ordinary();
    let mut client = server.connection(KEY);
    let id = client.ok("POST", "/v1/customers", "name=Before")["id"].as_str().expect("an id").to_owned();
    let head = post_head(&id, &content_length(1000));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for _ in 0..200 {
        runtime.block_on(async {
            let stream = tokio::net::TcpStream::connect(server.address()).await.expect("the server accepts");
            stream.set_zero_linger().expect("a socket can be told to reset");
            let stream = stream.into_std().expect("a socket is a socket");
            stream.set_nonblocking(false).expect("a socket can be told to wait");
            (&stream).write_all(&head).and_then(|()| (&stream).write_all(b"name=After&")).expect("the server reads");
        });
    }
    let shown = client.ok("GET", &format!("/v1/customers/{id}"), "");
    assert_eq!(shown["name"], "Before");
    is_well(&server);
}

#[test]
fn forms_that_are_broken_are_refused_one_by_one() {
    let (_folder, server) = ordinary();
    let before = server.resident_megabytes();
    let mut client = server.connection(KEY);
    let id = client.ok("POST", "/v1/customers", "name=Before")["id"].as_str().expect("an id").to_owned();
    let deep = format!("metadata{}=x", "[a]".repeat(10_000));
    let open = format!("metadata{}=x", "[".repeat(10_000));
    let wide: String = (0..20_000).map(|number| format!("metadata[k{number}]=v&")).collect();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("10,000 nested brackets", deep.into_bytes()),
        ("10,000 opened brackets", open.into_bytes()),
        ("20,000 keys", wide.into_bytes()),
        ("a NUL", b"name=a%00b".to_vec()),
        ("a raw NUL", b"name=a\0b".to_vec()),
        ("half an escape", b"name=%4".to_vec()),
        ("an escape that is none", b"name=%zz".to_vec()),
        ("escaped bytes that are not UTF-8", b"name=%ff%fe".to_vec()),
        ("raw bytes that are not UTF-8", b"name=\xff\xfe".to_vec()),
        ("a bracket never closed", b"metadata[a=b".to_vec()),
        ("a value and a hash", b"name=a&name[b]=c".to_vec()),
    ];
    for (name, body) in cases {
        let request = [post_head(&id, &content_length(body.len())), body].concat();
        let reply = client.exchange(&request).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(reply.status, 400, "{name}: {}", reply.text());
        assert_eq!(json(&reply)["error"]["type"], "invalid_request_error", "{name}: {}", reply.text());
    }
    let mut stayed = client.ok("GET", &format!("/v1/customers/{id}"), "");
    assert_eq!((stayed["name"].take(), stayed["metadata"].take()), ("Before".into(), serde_json::json!({})));
    grew_little(&server, before, "all that");
    is_well(&server);
}

/// A server as `cusp dev` starts it.
fn ordinary() -> (TempDir, ProgramServer) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = start(folder.path(), &[]);
    (folder, server)
}

/// A server that waits no longer than a test can.
fn impatient() -> (TempDir, ProgramServer) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = start(folder.path(), &["--head-timeout", "1s", "--request-timeout", "2s"]);
    (folder, server)
}

fn start(folder: &Path, more: &[&str]) -> ProgramServer {
    let server = ProgramServer::dev(folder, more);
    is_well(&server);
    server
}

/// The server is ready, reads and writes.
fn is_well(server: &ProgramServer) {
    let mut client: Connection = server.connection("sk_test_wellness");
    let ready = client.send("GET", "/readyz", &[], "").expect("the server answers");
    assert_eq!(ready.status, 200, "{}", ready.text());
    let made = client.ok("POST", "/v1/customers", "name=Still+here");
    let path = format!("/v1/customers/{}", made["id"].as_str().expect("an id"));
    assert_eq!(client.ok("GET", &path, "")["name"], "Still here");
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&address, Duration::from_secs(10)).expect("the server accepts");
    stream.set_nodelay(true).expect("a socket can be told not to gather");
    stream.set_write_timeout(Some(Duration::from_secs(10))).expect("a socket has a time-out");
    stream
}

fn post_head(id: &str, length: &str) -> Vec<u8> {
    format!(
        "POST /v1/customers/{id} HTTP/1.1\r\nhost: cusp\r\nauthorization: Bearer {KEY}\r\n\
         content-type: application/x-www-form-urlencoded\r\n{length}\r\n\r\n"
    )
    .into_bytes()
}

fn content_length(bytes: usize) -> String {
    format!("content-length: {bytes}")
}

/// What came of a connection.
#[derive(Debug)]
struct Outcome {
    status: Option<u16>,
    received: Vec<u8>,
    closed: bool,
    after: Duration,
}

impl Outcome {
    /// The server closed the connection, with one of these answers or none.
    fn is_cut_off(&self, statuses: &[u16]) {
        assert!(self.closed, "the connection is still open after {:?}: {}", self.after, self.text());
        let fits = self.status.is_none_or(|status| statuses.contains(&status));
        assert!(fits, "answered {:?}, expected one of {statuses:?} or none: {}", self.status, self.text());
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.received[..self.received.len().min(2_000)]).into_owned()
    }
}

/// Reads until the server closes the connection or the time is up.
fn listen_to(mut stream: TcpStream, most: Duration) -> Outcome {
    let start = Instant::now();
    let mut received = Vec::new();
    let closed = loop {
        let Some(left) = most.checked_sub(start.elapsed()).filter(|left| !left.is_zero()) else { break false };
        stream.set_read_timeout(Some(left)).expect("a socket has a time-out");
        let mut part = [0; 4096];
        match stream.read(&mut part) {
            Ok(0) => break true,
            Ok(read) => received.extend_from_slice(&part[..read]),
            Err(error) if is_time_out(&error) => break false,
            Err(_) => break true,
        }
    };
    let status = received.starts_with(b"HTTP/1.").then(|| received.get(9..12)).flatten();
    let status = status.and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|digits| digits.parse().ok());
    Outcome { status, received, closed, after: start.elapsed() }
}

/// Sends `opening` at once and then the rest a byte at a time, slowly, until the server has enough of it.
fn trickle(address: SocketAddr, opening: &[u8], rest: &[u8]) -> Outcome {
    let start = Instant::now();
    let mut stream = connect(address);
    stream.write_all(opening).expect("the server reads the opening");
    let reader = stream.try_clone().expect("a second handle");
    reader.set_read_timeout(Some(Duration::from_millis(100))).expect("a socket has a time-out");
    for byte in rest {
        // Reading is also what makes it slow: it waits for a tenth of a second while the server has nothing to say.
        match reader.peek(&mut [0]) {
            Err(error) if is_time_out(&error) => {}
            _ => break,
        }
        if start.elapsed() > CLOSED_WITHIN || stream.write_all(&[*byte]).is_err() {
            break;
        }
    }
    let left = CLOSED_WITHIN.saturating_sub(start.elapsed()).max(Duration::from_millis(100));
    listen_to(stream, left)
}

/// Sends `opening`, then `part` over and over until it makes that many megabytes or the server has enough of it.
fn flood(address: SocketAddr, opening: &[u8], part: &[u8], megabytes: usize) -> Outcome {
    let mut stream = connect(address);
    stream.write_all(opening).expect("the server reads the opening");
    let mut sent = 0;
    while sent < megabytes * MEGABYTE && stream.write_all(part).is_ok() {
        sent += part.len();
    }
    listen_to(stream, Duration::from_secs(10))
}

/// The server holds next to nothing of what it was sent.
#[track_caller]
fn grew_little(server: &ProgramServer, before: f64, by: &str) {
    let more = server.resident_megabytes() - before;
    assert!(more < 35.0, "{more} MB more than {before} MB after {by}");
}

fn is_time_out(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// Waits until it is so, with a bound.
fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(20), "{what}: not within 20 seconds");
        std::thread::sleep(Duration::from_millis(20));
    }
}
