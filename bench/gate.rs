//! A receiver of webhooks that counts, and that can be closed: then it takes connections and answers nothing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::Trouble;
use crate::connection::{content_length, find};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// A receiver. It is there until the run ends.
#[derive(Clone)]
pub struct Gate {
    pub address: SocketAddr,
    taken: Arc<AtomicU64>,
    open: watch::Sender<bool>,
}

impl Gate {
    /// One that is closed.
    pub async fn closed() -> Result<Gate, Trouble> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let gate = Gate { address: listener.local_addr()?, taken: Arc::default(), open: watch::Sender::new(false) };
        let (taken, open) = (gate.taken.clone(), gate.open.subscribe());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (taken, open) = (taken.clone(), open.clone());
                tokio::spawn(async move { drop(serve(stream, &taken, open).await) });
            }
        });
        Ok(gate)
    }

    /// Has it answer, or stop answering.
    pub fn set_open(&self, open: bool) {
        self.open.send_replace(open);
    }

    /// How many it has taken.
    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }
}

async fn serve(mut stream: TcpStream, taken: &AtomicU64, mut open: watch::Receiver<bool>) -> Result<(), Trouble> {
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let mut received = 0;
        loop {
            let read = stream.read(&mut buffer[received..]).await?;
            if read == 0 {
                return Ok(());
            }
            received += read;
            if let Some(head) = find(&buffer[..received], b"\r\n\r\n")
                && received >= head + 4 + content_length(&buffer[..head + 2])?
            {
                break;
            }
        }
        open.wait_for(|open| *open).await?;
        stream.write_all(ANSWER).await?;
        taken.fetch_add(1, Ordering::Relaxed);
    }
}
