//! A caller that keeps its connection, as programs do: no retries, and every failure of the connection handed to the
//! caller as what it is. Where a test minds the connection, it uses this; where it does not, `client`.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::http::Reply;

/// How long a reply may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection to the server that speaks with one API key.
pub struct Connection {
    address: SocketAddr,
    key: String,
    stream: Option<TcpStream>,
    received: Vec<u8>,
}

impl Connection {
    pub fn new(address: SocketAddr, key: &str) -> Connection {
        Connection { address, key: key.to_owned(), stream: None, received: Vec::new() }
    }

    /// Sends a request and reads its reply. `form` is an encoded body; empty for none.
    pub fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], form: &str) -> io::Result<Reply> {
        self.send_as("application/x-www-form-urlencoded", method, path, headers, form)
    }

    /// Sends a request and reads its reply. `body` is of that media type; empty for none.
    pub fn send_as(
        &mut self,
        media: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> io::Result<Reply> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n", self.address);
        head.push_str(&format!("authorization: Bearer {}\r\n", self.key));
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            head.push_str(&format!("content-type: {media}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
        self.exchange(head.as_bytes())
    }

    /// Sends bytes as they are and reads one reply.
    pub fn exchange(&mut self, request: &[u8]) -> io::Result<Reply> {
        let outcome = self.write(request).and_then(|()| self.read_reply());
        if outcome.is_err() {
            self.stream = None;
            self.received.clear();
        }
        outcome
    }

    /// Sends bytes as they are.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream()?.write_all(bytes)
    }

    /// The connection, opened when there is none.
    pub fn stream(&mut self) -> io::Result<&mut TcpStream> {
        if self.stream.is_none() {
            let stream = TcpStream::connect(self.address)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            self.stream = Some(stream);
        }
        Ok(self.stream.as_mut().expect("it was opened above"))
    }

    /// Reads one reply; what the server sent beyond it is kept for the next call.
    pub fn read_reply(&mut self) -> io::Result<Reply> {
        let head_end = loop {
            if let Some(at) = find(&self.received, b"\r\n\r\n") {
                break at;
            }
            self.receive()?;
        };
        let head = String::from_utf8_lossy(&self.received[..head_end]).into_owned();
        self.received.drain(..head_end + 4);
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|word| word.parse().ok());
        let status = status.ok_or_else(|| io::Error::new(ErrorKind::InvalidData, format!("no status in {head:?}")))?;
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
            .collect();
        let mut reply = Reply { status, headers, body: Vec::new() };
        let bodiless = status < 200 || status == 204 || status == 304;
        let length = match reply.header("content-length") {
            _ if bodiless => 0,
            Some(text) => text.parse().map_err(|_| io::Error::new(ErrorKind::InvalidData, head.clone()))?,
            None => return Err(io::Error::new(ErrorKind::InvalidData, format!("no length in {head:?}"))),
        };
        while self.received.len() < length {
            self.receive()?;
        }
        reply.body = self.received.drain(..length).collect();
        if reply.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")) {
            self.stream = None;
            self.received.clear();
        }
        Ok(reply)
    }

    /// Sends a request that has to be answered 200 and gives the reply's JSON.
    pub fn ok(&mut self, method: &str, path: &str, form: &str) -> Value {
        let reply = self.send(method, path, &[], form).unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        assert_eq!(reply.status, 200, "{method} {path} {form}: {}", reply.text());
        json(&reply)
    }

    fn receive(&mut self) -> io::Result<()> {
        let mut chunk = [0; 16 * 1024];
        let read = self.stream()?.read(&mut chunk)?;
        if read == 0 {
            return Err(io::Error::new(ErrorKind::UnexpectedEof, "the server closed the connection"));
        }
        self.received.extend_from_slice(&chunk[..read]);
        Ok(())
    }
}

/// The body of a reply, which has to be JSON.
pub fn json(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap_or_else(|_| panic!("not JSON: {}", reply.text()))
}

/// Encodes pairs as a form.
pub fn form(pairs: &[(&str, &str)]) -> String {
    let encoded = pairs.iter().map(|(name, value)| format!("{}={}", percent_encoded(name), percent_encoded(value)));
    encoded.collect::<Vec<_>>().join("&")
}

/// Encodes text for a query or a form.
pub fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(byte as char),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
