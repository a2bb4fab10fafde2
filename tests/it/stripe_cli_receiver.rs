//! An application that hears of events: takes every request, keeps it, and answers as it is told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;

/// How long nothing has to happen to be believed.
const QUIET: Duration = Duration::from_millis(500);

/// A request as it came.
pub struct Received {
    headers: Vec<(String, String)>,
    /// Its body.
    pub body: String,
}

impl Received {
    /// A header's value.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }
}

/// The application. It goes with the test's process.
pub struct Application {
    address: SocketAddr,
    answer: Arc<Mutex<(u16, String)>>,
    received: Receiver<Received>,
}

impl Application {
    /// Starts it; it answers 200.
    pub fn start() -> Application {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
        let address = listener.local_addr().expect("it listens");
        let answer = Arc::new(Mutex::new((200, "thanks".to_owned())));
        let (tell, received) = mpsc::channel();
        let answering = answer.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (tell, answer) = (tell.clone(), answering.clone());
                thread::spawn(move || serve(&stream, &tell, &answer));
            }
        });
        Application { address, answer, received }
    }

    /// Where it hears of events.
    pub fn url(&self) -> String {
        format!("http://{}/webhook", self.address)
    }

    /// How it answers from now on.
    pub fn answers(&self, status: u16, body: &str) {
        *self.answer.lock() = (status, body.to_owned());
    }

    /// The next request.
    #[track_caller]
    pub fn next(&self, patience: Duration) -> Received {
        self.received.recv_timeout(patience).expect("the application hears of it")
    }

    /// Nothing more comes for a while.
    #[track_caller]
    pub fn hears_no_more(&self) {
        if let Ok(received) = self.received.recv_timeout(QUIET) {
            panic!("the application heard of {}", received.body);
        }
    }
}

/// Answers the requests of a connection until it ends.
fn serve(stream: &TcpStream, tell: &Sender<Received>, answer: &Mutex<(u16, String)>) {
    let mut reader = BufReader::new(stream);
    while let Some(received) = read(&mut reader) {
        let (status, body) = answer.lock().clone();
        if tell.send(received).is_err() {
            return;
        }
        let head = format!("HTTP/1.1 {status} So\r\ncontent-length: {}\r\nserver: test\r\n\r\n", body.len());
        let mut stream = stream;
        if stream.write_all(format!("{head}{body}").as_bytes()).is_err() {
            return;
        }
    }
}

fn read(reader: &mut BufReader<&TcpStream>) -> Option<Received> {
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => headers.extend(line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()))),
        }
    }
    let mut received = Received { headers, body: String::new() };
    let length: usize = received.header("content-length").parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    received.body = String::from_utf8(body).ok()?;
    Some(received)
}
