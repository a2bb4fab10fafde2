//! The WebSocket of a session: text messages within a bound, answered pings, a goodbye with its reason. What the messages
//! mean is not its affair.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead as _, ReadBuf};
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{CapacityError, Error};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message, Role, WebSocketConfig};

use crate::http::json::Json;

/// The largest message that is taken, in bytes: the CLI tells at most 5,000 bytes of an answer's body and 21 of its headers
/// of 250, each of which may be six times as long when it is written as JSON.
const MAX_MESSAGE: usize = 128 << 10;
/// How much may wait to be sent, in bytes, beside the message that is being sent.
const MAX_UNSENT: usize = 1 << 20;
/// How long the other side may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);
/// How often the other side is asked whether it is there. The CLI asks by itself, every two seconds.
pub const PING_EVERY: Duration = Duration::from_secs(15);
/// How long it may be silent.
const MAX_SILENCE: Duration = Duration::from_secs(60);

/// Why a line is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// The other side has gone, or takes nothing any more.
    Gone,
    /// It has not been heard of for too long.
    Silent,
    /// It said something larger than anything that it has to say.
    TooLarge,
    /// It said something that is no message.
    Unreadable,
    /// It does not say that it has what it was sent.
    Behind,
    /// It may not hear more: its key was revoked, or its session is over.
    Barred,
    /// The same session is connected once more.
    Displaced,
    /// The server stops.
    Stopping,
    /// The store could not be asked, which is in the log.
    Broken,
}

impl Over {
    /// The code that says so: RFC 6455, 7.4.1. None where nobody listens any more.
    fn code(self) -> Option<(CloseCode, &'static str)> {
        match self {
            Over::Gone => None,
            Over::Silent => Some((CloseCode::Policy, "Nothing was heard of you for too long.")),
            Over::TooLarge => Some((CloseCode::Size, "The message is too large.")),
            Over::Unreadable => Some((CloseCode::Invalid, "The message is none that is known here.")),
            Over::Behind => Some((CloseCode::Policy, "What was sent to you was not acknowledged.")),
            Over::Barred => Some((CloseCode::Policy, "The session is over.")),
            Over::Displaced => Some((CloseCode::Policy, "The session was connected once more.")),
            Over::Stopping => Some((CloseCode::Away, "The server stops.")),
            Over::Broken => Some((CloseCode::Error, "The server could not read its records.")),
        }
    }
}

/// Takes what has come on a connection, and gives how many bytes that was.
async fn read(connection: &mut TokioIo<Upgraded>) -> std::io::Result<usize> {
    let mut bytes = [0; 4_096];
    let mut some = ReadBuf::new(&mut bytes);
    poll_fn(|context| Pin::new(&mut *connection).poll_read(context, &mut some)).await?;
    Ok(some.filled().len())
}

/// A line to a session.
pub struct Line {
    socket: WebSocketStream<TokioIo<Upgraded>>,
    heard: Instant,
}

impl Line {
    /// The line over a connection that was taken over.
    pub async fn open(connection: Upgraded) -> Line {
        let config = WebSocketConfig::default()
            .max_message_size(Some(MAX_MESSAGE))
            .max_frame_size(Some(MAX_MESSAGE))
            .max_write_buffer_size(MAX_UNSENT);
        let socket = WebSocketStream::from_raw_socket(TokioIo::new(connection), Role::Server, Some(config)).await;
        Line { socket, heard: Instant::now() }
    }

    /// Says something, and waits until it is on its way.
    pub async fn say(&mut self, message: impl Into<Json>) -> Result<(), Over> {
        let text = String::from_utf8(message.into().to_bytes()).expect("JSON is UTF-8");
        self.socket.send(Message::text(text)).await.map_err(|_| Over::Gone)
    }

    /// Asks whether the other side is there, unless it has been silent for too long. The answer is heard on the way.
    pub async fn ping(&mut self) -> Result<(), Over> {
        if self.heard.elapsed() > MAX_SILENCE {
            return Err(Over::Silent);
        }
        self.socket.send(Message::Ping(Bytes::new())).await.map_err(|_| Over::Gone)
    }

    /// The next message. Nothing is lost when the wait for it is given up.
    pub async fn hear(&mut self) -> Result<String, Over> {
        loop {
            let message = match self.socket.next().await {
                Some(Ok(message)) => message,
                Some(Err(Error::Capacity(CapacityError::MessageTooLong { .. }))) => return Err(Over::TooLarge),
                Some(Err(Error::Protocol(_) | Error::Utf8(_))) => return Err(Over::Unreadable),
                Some(Err(_)) | None => return Err(Over::Gone),
            };
            self.heard = Instant::now();
            match message {
                Message::Text(text) => return Ok(text.to_string()),
                Message::Binary(_) => return Err(Over::Unreadable),
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
                Message::Close(_) => return Err(Over::Gone),
            }
        }
    }

    /// Says goodbye, and waits a moment until the other side has gone. What it still says is taken and not looked at: a
    /// connection that is closed with something unread may take the goodbye with it.
    pub async fn close(mut self, over: Over) {
        let frame = over.code().map(|(code, reason)| CloseFrame { code, reason: reason.into() });
        let goodbye = async {
            if self.socket.close(frame).await.is_ok() {
                let connection = self.socket.get_mut();
                while read(connection).await.is_ok_and(|some| some > 0) {}
            }
        };
        // One that does not go is not waited for.
        let _ = tokio::time::timeout(GOODBYE, goodbye).await;
    }
}
