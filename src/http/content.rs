//! What follows the headers of a reply: a whole body, a body that goes on, or another protocol on the same connection.
//! Nothing is gathered here: one frame of a stream is asked for when the connection has room for it.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};
use hyper::upgrade::Upgraded;

use super::Stop;
use super::shell::said;

/// What follows the headers of a reply.
pub enum Content {
    /// The whole body.
    Whole(Bytes),
    /// A body in pieces, as long as the client takes them and the server is not told to stop. The next piece is asked for
    /// when there is room for it on the connection, so a piece should not be larger than a few tens of kilobytes; a client
    /// that takes next to nothing for the write timeout is cut off. A client that goes away drops the stream.
    Stream(BoxStream<'static, Bytes>),
    /// None, and no headers either: the connection is closed.
    Nothing,
    /// Another protocol on the same connection: of a reply of status 101 to a request that is `upgradable`.
    Upgrade(Takeover),
}

/// What has a connection from now on: it is given the connection, and the word to stop, at which it says goodbye within
/// the time that requests in flight have. It holds the connection's place among the connections.
pub struct Takeover(pub Box<dyn FnOnce(Upgraded, Stop) -> BoxFuture<'static, ()> + Send>);

impl Content {
    /// The whole body; of what goes on, nothing.
    pub fn whole(&self) -> &[u8] {
        match self {
            Content::Whole(bytes) => bytes,
            Content::Stream(_) | Content::Nothing | Content::Upgrade(_) => &[],
        }
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Content::Whole(bytes) => f.debug_tuple("Whole").field(bytes).finish(),
            Content::Stream(_) => f.write_str("Stream"),
            Content::Nothing => f.write_str("Nothing"),
            Content::Upgrade(_) => f.write_str("Upgrade"),
        }
    }
}

/// The body of a response on its way out.
pub struct Outgoing(Kind);

enum Kind {
    Whole(Full<Bytes>),
    Stream(BoxStream<'static, Result<Bytes, Broken>>),
}

/// A stream broke off; the cause is in the log, and the client sees that the body does not end as it should.
#[derive(Debug)]
pub struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the stream broke off")
    }
}

impl std::error::Error for Broken {}

impl Outgoing {
    /// A whole body.
    pub fn whole(body: impl Into<Bytes>) -> Outgoing {
        Outgoing(Kind::Whole(Full::new(body.into())))
    }

    /// The body of that request's reply in pieces, until the word to stop. A panic breaks it off.
    pub(super) fn stream(pieces: BoxStream<'static, Bytes>, request: String, mut stop: Stop) -> Outgoing {
        let stopped = async move { stop.told().await };
        let pieces = AssertUnwindSafe(pieces).catch_unwind().take_until(Box::pin(stopped)).map(move |piece| {
            piece.map_err(|panic| {
                tracing::error!(request, "a stream panicked: {}", said(panic.as_ref()));
                Broken
            })
        });
        Outgoing(Kind::Stream(pieces.boxed()))
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        match &mut self.0 {
            Kind::Whole(body) => Pin::new(body).poll_frame(context).map_err(|never| match never {}),
            Kind::Stream(pieces) => pieces.poll_next_unpin(context).map_ok(Frame::data),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Whole(body) => body.is_end_stream(),
            Kind::Stream(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Whole(body) => body.size_hint(),
            Kind::Stream(_) => SizeHint::default(),
        }
    }
}
