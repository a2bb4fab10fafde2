//! Connections: accept them within a bound, serve them, and let them finish when it is time to go.

use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::content::Outgoing;
use super::impatient::Impatient;
use super::shell::Observer;

/// The longest head of a request, in bytes. One connection holds no more than this of an unread request.
pub const MAX_HEAD_BYTES: usize = 64 * 1024;

/// How long to rest when the machine gives no more connections (no file handles, say).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The bounds of a listener.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// The most connections at a time.
    pub connections: usize,
    /// How long a client may take to send a request's head, idling between two requests included.
    pub head_timeout: Duration,
    /// How long a client may take nothing of a reply that waits for it.
    pub write_timeout: Duration,
    /// How long requests in flight may go on after the word to stop.
    pub drain_timeout: Duration,
}

/// Where a connection comes from, and its place among the connections; every request on it has it among its extensions.
#[derive(Clone)]
pub struct Peer {
    /// Where it comes from.
    pub address: IpAddr,
    /// Its place, held by whoever speaks on the connection, in whichever protocol.
    pub place: Arc<Place>,
}

/// The place of one connection: it is free when nobody holds it any more.
pub struct Place {
    observer: Arc<dyn Observer>,
    _permit: OwnedSemaphorePermit,
}

impl Place {
    fn taken(observer: Arc<dyn Observer>, permit: OwnedSemaphorePermit) -> Arc<Place> {
        observer.connected();
        Arc::new(Place { observer, _permit: permit })
    }
}

/// The mark of a response that is not to be sent: its connection is closed instead.
#[derive(Clone, Copy, Debug)]
pub struct Unsent;

impl fmt::Display for Unsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is closed without an answer")
    }
}

impl std::error::Error for Unsent {}

impl Drop for Place {
    fn drop(&mut self) {
        self.observer.disconnected();
    }
}

/// Serves connections until `stop` turns true, then lets requests in flight finish, at most `drain_timeout`.
pub async fn serve<A, F>(
    listener: TcpListener,
    bounds: Bounds,
    observer: Arc<dyn Observer>,
    answer: A,
    mut stop: watch::Receiver<bool>,
) where
    A: Fn(hyper::Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = hyper::Response<Outgoing>> + Send + 'static,
{
    let room = Arc::new(Semaphore::new(bounds.connections));
    loop {
        let accepting = async {
            let permit = room.clone().acquire_owned().await.expect("nobody closes the semaphore");
            (listener.accept().await, permit)
        };
        let (accepted, permit) = tokio::select! {
            accepted = accepting => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let Ok((stream, peer)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let peer = Peer { address: peer.ip(), place: Place::taken(observer.clone(), permit) };
        let (answer, stop) = (answer.clone(), stop.clone());
        tokio::spawn(async move { converse(stream, peer, bounds, answer, stop).await });
    }
    drop(listener);
    let everybody = u32::try_from(bounds.connections).unwrap_or(u32::MAX);
    // Waiting for every permit is waiting for every connection to end.
    let _ = tokio::time::timeout(bounds.drain_timeout, room.acquire_many(everybody)).await;
}

async fn converse<A, F>(stream: TcpStream, peer: Peer, bounds: Bounds, answer: A, mut stop: watch::Receiver<bool>)
where
    A: Fn(hyper::Request<Incoming>) -> F,
    F: Future<Output = hyper::Response<Outgoing>>,
{
    let head_timeout = bounds.head_timeout;
    let _ = stream.set_nodelay(true);
    // The parser sets 16 KB aside from its start. A connection that has said nothing yet does without.
    let mut first = [0];
    let spoke = tokio::select! {
        spoke = tokio::time::timeout(head_timeout, stream.peek(&mut first)) => matches!(spoke, Ok(Ok(1))),
        _ = stop.wait_for(|stop| *stop) => false,
    };
    if !spoke {
        return;
    }
    let service = service_fn(|mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(peer.clone());
        // On the heap, because every connection keeps room for its answer in it, also while it idles.
        let answering = Box::pin(answer(request));
        async move {
            let response = answering.await;
            // A service that fails has its connection closed.
            if response.extensions().get::<Unsent>().is_some() { Err(Unsent) } else { Ok(response) }
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_timeout)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(Impatient::new(stream, bounds.write_timeout)), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let told = tokio::select! {
        // A connection that breaks is the client's affair.
        _ = connection.as_mut() => false,
        _ = stop.wait_for(|stop| *stop) => true,
    };
    if told {
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
}
