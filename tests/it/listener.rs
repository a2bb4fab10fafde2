//! A client of the event stream: reads server-sent events as they come, and comes back where it was.

use std::io::{self, BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// How long a stream may stay silent before a test gives up on it.
const PATIENCE: Duration = Duration::from_secs(30);

/// A stream that is being read.
pub struct Listener {
    body: BufReader<Chunks>,
    /// The id that the client would come back with.
    pub last: Option<String>,
}

/// What a stream tells.
#[derive(Debug, PartialEq)]
pub enum Told {
    /// An event: its id, its type, its data.
    Event(String, String, Value),
    /// A comment.
    Comment(String),
    /// The stream ended in good order.
    End,
}

impl Listener {
    /// Opens the stream of a key, with a query and more headers.
    pub fn open(address: SocketAddr, key: &str, query: &str, headers: &[(&str, &str)]) -> Listener {
        let stream = TcpStream::connect(address).expect("the server accepts");
        Listener::on(stream, key, query, headers)
    }

    /// The same on a connection that is there.
    pub fn on(mut stream: TcpStream, key: &str, query: &str, headers: &[(&str, &str)]) -> Listener {
        ask(&mut stream, key, query, headers).expect("the server takes the request");
        let mut reader = BufReader::new(stream);
        let head = head(&mut reader).expect("the server answers");
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        assert!(head.contains("\r\ncontent-type: text/event-stream\r\n"), "{head}");
        Listener { body: BufReader::new(Chunks { reader, left: 0, over: false }), last: None }
    }

    /// Opens a stream that goes on where the last one was.
    pub fn again(address: SocketAddr, key: &str, query: &str, last: Option<&str>) -> Listener {
        let headers: Vec<(&str, &str)> = last.map(|id| ("Last-Event-ID", id)).into_iter().collect();
        Listener::open(address, key, query, &headers)
    }

    /// What comes next, or why nothing does.
    pub fn hear(&mut self) -> io::Result<Told> {
        let (mut kind, mut data, mut comment) = (None, None, None);
        loop {
            let mut line = String::new();
            if self.body.read_line(&mut line)? == 0 {
                return Ok(Told::End);
            }
            let line = line.strip_suffix('\n').expect("lines end with a line feed");
            if let Some(text) = line.strip_prefix(": ") {
                comment = Some(text.to_owned());
            } else if let Some(id) = line.strip_prefix("id: ") {
                self.last = Some(id.to_owned());
            } else if let Some(name) = line.strip_prefix("event: ") {
                kind = Some(name.to_owned());
            } else if let Some(text) = line.strip_prefix("data: ") {
                assert!(data.is_none(), "an event is told on one line");
                data = Some(serde_json::from_str(text).expect("the data is JSON"));
            } else if line.is_empty() {
                match (kind.take(), data.take(), comment.take()) {
                    (Some(kind), Some(data), None) => {
                        let id = self.last.clone().expect("an event has an id");
                        return Ok(Told::Event(id, kind, data));
                    }
                    (None, None, Some(comment)) => return Ok(Told::Comment(comment)),
                    // The place where the stream begins, and how soon to come back.
                    (None, None, None) => {}
                    other => panic!("half an event: {other:?}"),
                }
            } else {
                assert!(line.strip_prefix("retry: ").is_some_and(|number| number.parse::<u32>().is_ok()), "{line:?}");
            }
        }
    }

    /// The next event.
    #[track_caller]
    pub fn event(&mut self) -> Value {
        loop {
            match self.hear().expect("the stream goes on") {
                Told::Event(id, kind, data) => {
                    assert_eq!((data["id"].as_str(), data["type"].as_str()), (Some(id.as_str()), Some(kind.as_str())));
                    return data;
                }
                Told::Comment(_) => {}
                Told::End => panic!("the stream ended"),
            }
        }
    }

    /// The types of the next events.
    #[track_caller]
    pub fn types(&mut self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.event()["type"].as_str().expect("an event has a type").to_owned()).collect()
    }

    /// Whether nothing but a heartbeat comes next.
    #[track_caller]
    pub fn is_quiet(&mut self) -> bool {
        self.hear().expect("the stream goes on") == Told::Comment("heartbeat".into())
    }
}

/// Asks for a stream.
pub fn ask(stream: &mut TcpStream, key: &str, query: &str, headers: &[(&str, &str)]) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut request = format!("GET /cusp/v1/events?{query} HTTP/1.1\r\nHost: cusp\r\nAuthorization: Bearer {key}\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    io::Write::write_all(stream, request.as_bytes())
}

/// Reads the head of a reply.
pub fn head(reader: &mut impl BufRead) -> io::Result<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(head)
}

/// The bytes of a chunked body. One that breaks off is an error.
struct Chunks {
    reader: BufReader<TcpStream>,
    left: usize,
    over: bool,
}

impl Chunks {
    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.reader.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }
}

impl Read for Chunks {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && !self.over {
            let size = self.line()?;
            self.left = usize::from_str_radix(&size, 16).map_err(|_| io::Error::other(format!("no size: {size:?}")))?;
            if self.left == 0 {
                self.over = true;
                self.line()?;
            }
        }
        if self.over {
            return Ok(0);
        }
        let most = into.len().min(self.left);
        let read = self.reader.read(&mut into[..most])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= read;
        if self.left == 0 {
            self.line()?;
        }
        Ok(read)
    }
}
