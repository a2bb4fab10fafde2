//! A receiver of webhooks on a thread of its own: notes what comes, and answers as a test says.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::Value;

/// A webhook that came.
#[derive(Clone, Debug)]
pub struct Hit {
    /// Where it was sent to.
    pub path: String,
    /// Its headers, names in lower case.
    pub headers: HashMap<String, String>,
    /// Its body as it came.
    pub body: String,
}

impl Hit {
    /// The event.
    pub fn event(&self) -> Value {
        serde_json::from_str(&self.body).expect("a webhook is JSON")
    }

    /// A text of the event, as `/data/object/id`.
    pub fn text(&self, pointer: &str) -> String {
        self.event().pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

/// What a receiver does with a webhook.
pub enum Act {
    /// Answers with that status.
    Answer(u16),
    /// Waits so long, then answers with 200.
    Wait(Duration),
    /// Closes the connection.
    Close,
    /// Answers with these bytes and closes the connection.
    Say(Vec<u8>),
}

type Decide = dyn Fn(usize, &Hit) -> Act + Send + Sync;

/// A receiver that is there until it is dropped.
pub struct Hook {
    address: SocketAddr,
    hits: Arc<Mutex<Vec<Hit>>>,
    gone: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl Hook {
    /// One that takes everything.
    pub fn start() -> Hook {
        Hook::deciding(|_, _| Act::Answer(200))
    }

    /// One that does as `decide` says, which is told how many came before.
    pub fn deciding(decide: impl Fn(usize, &Hit) -> Act + Send + Sync + 'static) -> Hook {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        Hook::on(listener, decide)
    }

    /// One at an address that was bound before.
    pub fn on(listener: TcpListener, decide: impl Fn(usize, &Hit) -> Act + Send + Sync + 'static) -> Hook {
        let address = listener.local_addr().expect("it is bound");
        let (hits, gone) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let accepting = {
            let (hits, gone, decide) = (hits.clone(), gone.clone(), Arc::new(decide));
            thread::spawn(move || {
                for stream in listener.incoming() {
                    if gone.load(Ordering::SeqCst) {
                        return;
                    }
                    let Ok(stream) = stream else { continue };
                    let (hits, decide) = (hits.clone(), decide.clone());
                    thread::spawn(move || drop(serve(&stream, &hits, &*decide)));
                }
            })
        };
        Hook { address, hits, gone, accepting: Some(accepting) }
    }

    /// Its address with a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What came so far, in the order in which it came.
    pub fn hits(&self) -> Vec<Hit> {
        self.hits.lock().expect("nobody panics with it").clone()
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::SeqCst);
        // Wakes the one that accepts.
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

/// Serves a connection until it ends.
fn serve(stream: &TcpStream, hits: &Mutex<Vec<Hit>>, decide: &Decide) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut headers = HashMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.insert(name.to_lowercase(), value.to_owned());
        }
        let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let hit = Hit { path, headers, body: String::from_utf8_lossy(&body).into_owned() };
        let before = {
            let mut hits = hits.lock().expect("nobody panics with it");
            hits.push(hit.clone());
            hits.len() - 1
        };
        let status = match decide(before, &hit) {
            Act::Answer(status) => status,
            Act::Wait(time) => {
                thread::sleep(time);
                200
            }
            Act::Close => return Ok(()),
            Act::Say(bytes) => return writer.write_all(&bytes),
        };
        write!(writer, "HTTP/1.1 {status} Said\r\nContent-Length: 2\r\n\r\nok")?;
    }
}
