//! Connections to receivers: one exchange after the other on each, and some of them kept open between exchanges. A connection
//! is worked on by whoever asks something on it, and by nobody while it idles.

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// The largest head of an answer, in bytes.
pub const MAX_HEAD_BYTES: usize = 32 * 1024;
/// The most that is read of one answer, in bytes: its head, what comes before it (100 Continue and its like), and of its body
/// what is kept and what the system hands over with it.
pub const MAX_ANSWER_BYTES: usize = 4 * MAX_HEAD_BYTES;

/// The most connections that idle at a time; each is an open file.
pub const MAX_IDLE: usize = 256;
/// The most of them to one target.
pub const MAX_IDLE_PER_TARGET: usize = 64;
/// How long a connection idles before it is closed.
pub const IDLE_TIME: Duration = Duration::from_secs(15);

/// Who is at the other end of a connection. Connections are shared by those who mean the same by it: the same judged address,
/// spoken to by the same name and in the same way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Peer {
    pub encrypted: bool,
    pub host: String,
    pub address: SocketAddr,
}

/// Connections that idle.
#[derive(Default)]
pub(super) struct Pool {
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    connections: HashMap<Peer, Vec<(Connection, Instant)>>,
    count: usize,
}

impl Pool {
    /// A connection to the peer that is still open, as far as one can tell; the one that was used last.
    pub async fn take(&self, peer: &Peer) -> Option<Connection> {
        loop {
            let mut connection = self.idle.lock().pop(peer)?;
            if connection.is_ready().await {
                return Some(connection);
            }
        }
    }

    /// Keeps a connection for the next exchange, if there is room.
    pub fn put(&self, peer: Peer, connection: Connection) {
        let mut idle = self.idle.lock();
        if idle.count >= MAX_IDLE {
            idle.forget_old();
        }
        if idle.count >= MAX_IDLE {
            return;
        }
        let kept = idle.connections.entry(peer).or_default();
        if kept.len() < MAX_IDLE_PER_TARGET {
            kept.push((connection, Instant::now()));
            idle.count += 1;
        }
    }

    /// Closes those that have idled for long enough.
    pub fn tidy(&self) {
        self.idle.lock().forget_old();
    }

    /// How many idle.
    pub fn idle(&self) -> usize {
        self.idle.lock().count
    }
}

impl Idle {
    fn pop(&mut self, peer: &Peer) -> Option<Connection> {
        let kept = self.connections.get_mut(peer)?;
        let (connection, since) = kept.pop()?;
        self.count -= 1;
        if since.elapsed() < IDLE_TIME {
            if kept.is_empty() {
                self.connections.remove(peer);
            }
            return Some(connection);
        }
        // The others have idled for longer.
        self.count -= kept.len();
        self.connections.remove(peer);
        None
    }

    fn forget_old(&mut self) {
        self.connections.retain(|_, kept| {
            kept.retain(|(_, since)| since.elapsed() < IDLE_TIME);
            !kept.is_empty()
        });
        self.count = self.connections.values().map(Vec::len).sum();
    }
}

/// A connection that speaks HTTP/1.1.
pub(super) struct Connection {
    requests: SendRequest<Full<Bytes>>,
    /// What moves bytes; it is moved on with whatever is waited for.
    work: Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>,
    over: bool,
    /// How many bytes have come since the last request.
    received: Arc<AtomicUsize>,
}

impl Connection {
    /// Begins to speak HTTP over a stream.
    pub async fn new<S>(stream: S) -> hyper::Result<Connection>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let received = Arc::new(AtomicUsize::new(0));
        let counted = Counted { stream, received: received.clone() };
        let (requests, work) = http1::Builder::new()
            .max_buf_size(MAX_HEAD_BYTES)
            // As HTTP/1.1 wrote them before there were others: some receivers mind.
            .title_case_headers(true)
            .handshake(TokioIo::new(counted))
            .await?;
        Ok(Connection { requests, work: Box::pin(work), over: false, received })
    }

    /// Sends a request and waits for the head of the answer.
    pub async fn ask(&mut self, request: Request<Full<Bytes>>) -> hyper::Result<Response<Incoming>> {
        self.received.store(0, Ordering::Relaxed);
        let mut answer = Box::pin(self.requests.send_request(request));
        let (work, over) = (&mut self.work, &mut self.over);
        poll_fn(|context| {
            advance(work, over, context);
            answer.as_mut().poll(context)
        })
        .await
    }

    /// The next piece of an answer's body; `None` at its end.
    pub async fn piece(&mut self, body: &mut Incoming) -> Option<hyper::Result<Bytes>> {
        poll_fn(|context| {
            loop {
                advance(&mut self.work, &mut self.over, context);
                match ready!(Pin::new(&mut *body).poll_frame(context)) {
                    // Trailers say nothing that is kept.
                    Some(Ok(frame)) if frame.is_trailers() => {}
                    Some(Ok(frame)) => return Poll::Ready(frame.into_data().ok().map(Ok)),
                    Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                    None => return Poll::Ready(None),
                }
            }
        })
        .await
    }

    /// Whether another request can be sent on it, as far as one can tell without waiting.
    pub async fn is_ready(&mut self) -> bool {
        poll_fn(|context| {
            advance(&mut self.work, &mut self.over, context);
            let ready = matches!(self.requests.poll_ready(context), Poll::Ready(Ok(())));
            Poll::Ready(ready && !self.over)
        })
        .await
    }

    /// How many bytes have come since the last request.
    pub fn received(&self) -> usize {
        self.received.load(Ordering::Relaxed)
    }
}

fn advance(
    work: &mut Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>,
    over: &mut bool,
    context: &mut Context<'_>,
) {
    // Whoever waits for the answer is told why it ended.
    *over = *over || work.as_mut().poll(context).is_ready();
}

/// A stream that counts what comes, and ends in an error when it is too much.
struct Counted<S> {
    stream: S,
    received: Arc<AtomicUsize>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(context, into);
        let came = into.filled().len() - before;
        if self.received.fetch_add(came, Ordering::Relaxed) + came > MAX_ANSWER_BYTES {
            return Poll::Ready(Err(io::Error::other("the answer is too long")));
        }
        outcome
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
