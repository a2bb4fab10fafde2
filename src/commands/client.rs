//! A caller of a server on this machine: one request, one connection, one reply. It speaks plain HTTP, as the server does.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// How long a reply may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// The largest reply, in bytes.
const MAX_REPLY: u64 = 64 << 20;

/// Where a server is, and the key to it.
#[derive(Clone, Debug)]
pub struct Server {
    host: String,
    key: String,
}

/// What a server answered.
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// A request to be sent.
pub struct Sent<'a> {
    /// Its method.
    pub method: &'a str,
    /// Its path with the query.
    pub path: &'a str,
    /// Headers beside those that every request has.
    pub headers: &'a [(String, String)],
    /// The type of the body, and the body; nothing when it is empty.
    pub body: (&'a str, &'a [u8]),
}

impl Server {
    /// The server at a URL, as `http://127.0.0.1:12111`; or why that is none.
    pub fn at(url: &str, key: &str) -> Result<Server, String> {
        let host = url.strip_prefix("http://").map(|rest| rest.trim_end_matches('/'));
        let host = host.filter(|host| !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']));
        let host = host.ok_or_else(|| format!("--url {url}: expected an address as http://127.0.0.1:12111"))?;
        let host = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
        if !is_plain(key) || key.is_empty() {
            return Err("the API key has characters that no key has".to_owned());
        }
        Ok(Server { host, key: key.to_owned() })
    }

    /// Sends a request and gives its reply; or why there is none.
    pub fn send(&self, sent: &Sent<'_>) -> Result<Reply, String> {
        let Sent { method, path, headers, body: (content_type, body) } = sent;
        let Server { host, key } = self;
        let trouble = |error: std::io::Error| format!("cannot ask the server at http://{host}: {error}");
        if !is_plain(path) || !is_plain(method) {
            return Err(format!("{method} {path} is no request"));
        }
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\n");
        head += &format!("Connection: close\r\nContent-Length: {}\r\n", body.len());
        if !body.is_empty() {
            head += &format!("Content-Type: {content_type}\r\n");
        }
        for (name, value) in *headers {
            if !is_plain(name) || value.contains(['\r', '\n']) {
                return Err(format!("{name} is no header"));
            }
            head += &format!("{name}: {value}\r\n");
        }
        head += "\r\n";

        let mut stream = TcpStream::connect(host).map_err(trouble)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(trouble)?;
        stream.set_write_timeout(Some(PATIENCE)).map_err(trouble)?;
        stream.write_all(head.as_bytes()).map_err(trouble)?;
        // A server that refuses a body does not read all of it: what it says tells more than that.
        let written = stream.write_all(body);
        let mut reply = Vec::new();
        let read = stream.take(MAX_REPLY).read_to_end(&mut reply);
        match reply_of(&reply) {
            Some(reply) => Ok(reply),
            None => {
                written.map_err(trouble)?;
                read.map_err(trouble)?;
                Err(format!("what answers at http://{host} is no server of this kind"))
            }
        }
    }
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn reply_of(bytes: &[u8]) -> Option<Reply> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    let headers = head.lines().filter_map(|line| line.split_once(':'));
    let mut lengths = headers.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length: usize = lengths.next()?.1.trim().parse().ok()?;
    let body = bytes.get(end + 4..end + 4 + length)?;
    Some(Reply { status, body: body.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::{Server, reply_of};

    #[test]
    fn only_addresses_of_servers_are_taken() {
        assert_eq!(Server::at("http://127.0.0.1:1/", "sk_test_a").unwrap().host, "127.0.0.1:1");
        assert_eq!(Server::at("http://localhost", "sk_test_a").unwrap().host, "localhost:80");
        for url in ["https://api.stripe.com", "127.0.0.1:1", "http://", "http://a/b", "http://u@a"] {
            Server::at(url, "sk_test_a").expect_err(url);
        }
        Server::at("http://127.0.0.1:1", "sk test\r\n").expect_err("no key has spaces");
    }

    #[test]
    fn a_reply_is_whole_or_none() {
        let reply = reply_of(b"HTTP/1.1 400 Bad\r\nContent-Length: 2\r\n\r\n{}").unwrap();
        assert_eq!((reply.status, reply.body), (400, b"{}".to_vec()));
        for broken in [&b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}"[..], b"HTTP/1.1 200 OK\r\n\r\n", b"x"] {
            assert!(reply_of(broken).is_none());
        }
    }
}
