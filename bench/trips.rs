//! Somebody between cusp and its database who counts round trips and changes nothing. It understands of the protocol where
//! messages end, and which of them are answered with "ready for query".
//!
//! <https://www.postgresql.org/docs/current/protocol-message-formats.html>

use std::io::{self, BufReader, BufWriter, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use parking_lot::Mutex;

use crate::Trouble;

/// The counter of all connections that go by way of it. It takes connections until the process ends.
pub struct Trips {
    pub address: SocketAddr,
    count: Arc<AtomicU64>,
}

/// How far the two ends of a connection have got.
struct Talk {
    /// How many answers were asked for, and how many came. The startup asks for one.
    asked: u64,
    answered: u64,
    /// Whether something was said that an answer has not been asked for yet.
    open: bool,
}

impl Trips {
    /// Opens a way to the server on that port of this machine.
    pub fn before(port: u16) -> Result<Trips, Trouble> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let trips = Trips { address: listener.local_addr()?, count: Arc::default() };
        let count = trips.count.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if let Ok(server) = TcpStream::connect(("127.0.0.1", port)) {
                    pass(client, server, count.clone());
                }
            }
        });
        Ok(trips)
    }

    /// How often somebody who had been answered everything asked again, of all connections together.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}

/// Passes on what the two say to each other, until one of them is gone.
fn pass(client: TcpStream, server: TcpStream, count: Arc<AtomicU64>) {
    let (client, server) = (Arc::new(client), Arc::new(server));
    let talk = Arc::new(Mutex::new(Talk { asked: 1, answered: 0, open: false }));
    thread::spawn({
        let (client, server, talk) = (client.clone(), server.clone(), talk.clone());
        move || {
            let _ = server.set_nodelay(true);
            let passed = copy(&client, &server, true, |kind| {
                let mut talk = talk.lock();
                if !talk.open && talk.asked == talk.answered {
                    count.fetch_add(1, Ordering::Relaxed);
                }
                let asks = matches!(kind, b'Q' | b'S' | b'F');
                talk.asked += u64::from(asks);
                talk.open = !asks;
            });
            end(&server, passed);
        }
    });
    thread::spawn(move || {
        let _ = client.set_nodelay(true);
        let passed = copy(&server, &client, false, |kind| talk.lock().answered += u64::from(kind == b'Z'));
        end(&client, passed);
    });
}

/// Copies message by message, and tells of each before it is passed on. The first one of a client has no kind.
fn copy(from: &TcpStream, to: &TcpStream, startup: bool, mut note: impl FnMut(u8)) -> io::Result<()> {
    let (mut from, mut to) = (BufReader::new(from), BufWriter::new(to));
    let mut is_first = startup;
    loop {
        let mut kind = [0; 1];
        if !is_first {
            from.read_exact(&mut kind)?;
            note(kind[0]);
            to.write_all(&kind)?;
        }
        is_first = false;
        let mut length = [0; 4];
        from.read_exact(&mut length)?;
        to.write_all(&length)?;
        let rest = u64::from(u32::from_be_bytes(length)).saturating_sub(4);
        io::copy(&mut (&mut from).take(rest), &mut to)?;
        if from.buffer().is_empty() {
            to.flush()?;
        }
    }
}

/// One of the two is gone: so is the other.
fn end(other: &TcpStream, _: io::Result<()>) {
    let _ = other.shutdown(std::net::Shutdown::Both);
}
