//! A client of one request per connection: exact bytes out, status, headers and body in. It never repairs, retries or
//! follows anything.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long a server may stay silent before a test gives up on it.
const PATIENCE: Duration = Duration::from_secs(20);

/// A reply as it came.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    /// The value of a header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Sends one request. `Content-Length`, `Connection: close` and, unless it is there, `Host` are added; all else is the
/// caller's.
pub fn send(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> io::Result<Reply> {
    let mut request = format!("{method} {target} HTTP/1.1\r\nConnection: close\r\n").into_bytes();
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        request.extend_from_slice(format!("Host: {address}\r\n").as_bytes());
    }
    for (name, value) in headers {
        request.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    if !body.is_empty() || method == "POST" {
        request.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
    }
    request.extend_from_slice(b"\r\n");
    request.extend_from_slice(body);

    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    // A server that refuses a large body answers and closes while we still write: its answer is what counts.
    let written = stream.write_all(&request);
    let mut bytes = Vec::new();
    let read = stream.read_to_end(&mut bytes);
    match (written, read) {
        (Err(trouble), _) | (_, Err(trouble)) if bytes.is_empty() => Err(trouble),
        _ => parse(&bytes, method != "HEAD"),
    }
}

/// A reply to a HEAD announces the length of a body that does not follow.
fn parse(bytes: &[u8], has_body: bool) -> io::Result<Reply> {
    let head_end = find(bytes, b"\r\n\r\n").ok_or_else(|| bad("no end of the head", bytes))?;
    let head = std::str::from_utf8(&bytes[..head_end]).map_err(|_| bad("a head that is not text", bytes))?;
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.strip_prefix("HTTP/1.1 "))
        .and_then(|rest| rest.get(..3))
        .and_then(|code| code.parse().ok())
        .ok_or_else(|| bad("no status line", bytes))?;
    let headers = lines
        .map(|line| line.split_once(':').map(|(name, value)| (name.to_owned(), value.trim().to_owned())))
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| bad("a header without a colon", bytes))?;
    let mut reply = Reply { status, headers, body: bytes[head_end + 4..].to_vec() };

    if reply.header("Transfer-Encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
        reply.body = joined(&reply.body).ok_or_else(|| bad("broken chunks", bytes))?;
    } else if let Some(length) = reply.header("Content-Length").filter(|_| has_body) {
        let length: usize = length.parse().map_err(|_| bad("a length that is not a number", bytes))?;
        // A reply without a body may still tell the length that the body would have had.
        if reply.body.len() != length && !(reply.body.is_empty() && status == 304) {
            return Err(bad("a body of another length than announced", bytes));
        }
    }
    Ok(reply)
}

fn joined(mut chunks: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line_end = find(chunks, b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&chunks[..line_end]).ok()?.trim(), 16).ok()?;
        chunks = &chunks[line_end + 2..];
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(chunks.get(..size)?);
        chunks = chunks.get(size + 2..)?;
    }
}

fn find(bytes: &[u8], mark: &[u8]) -> Option<usize> {
    bytes.windows(mark.len()).position(|window| window == mark)
}

fn bad(what: &str, bytes: &[u8]) -> io::Error {
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(300)]).into_owned();
    io::Error::new(io::ErrorKind::InvalidData, format!("{what} in {start:?}"))
}
