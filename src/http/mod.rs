//! HTTP as every dialect sees it: a whole request in; out a whole reply, or one that goes on (`content`). Listening and the
//! rules of one exchange are next door in `listen` and `shell`; what the words mean is each dialect's own.

pub mod auth;
pub mod conditions;
pub mod content;
pub mod form;
pub mod given;
mod impatient;
pub mod json;
pub mod listen;
pub mod mounts;
pub mod multipart;
pub mod routes;
pub mod shell;
pub mod traffic;

use std::future::Future;
use std::net::IpAddr;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};
use tokio::sync::watch;
use zeroize::{Zeroize as _, Zeroizing};

use crate::domain::account::Space;

pub use content::Content;

/// A request, body and all.
pub struct Request {
    /// The request's id, `req_…`.
    pub id: String,
    /// Where its connection comes from.
    pub peer: Option<IpAddr>,
    /// Its method.
    pub method: Method,
    /// Its path as the dialect documents it, without a mount: still percent-encoded.
    pub path: String,
    /// The mount: what the path begins with on this server, before the dialect's own.
    pub mount: String,
    /// What follows the question mark, as sent.
    pub query: Zeroizing<String>,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Body,
    /// Whether its connection can be given over to another protocol: it asks for one, in a way that HTTP knows.
    pub upgradable: bool,
}

/// The body of a request, which may hold secrets: it is not printed, and wiped where its bytes are ours alone. Those of a
/// body that came in one piece are a part of the connection's buffer, which the next request overwrites.
#[derive(Default)]
pub struct Body(Bytes);

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Body {
        Body(bytes)
    }
}

impl Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if let Ok(mut own) = std::mem::take(&mut self.0).try_into_mut() {
            own.as_mut().zeroize();
        }
    }
}

/// A reply.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers beside those that the shell adds to every reply.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// What follows the headers.
    pub content: Content,
    /// The route's template for logs and metrics, never the path itself.
    pub route: &'static str,
    /// The account, for logs; empty when nobody was recognised.
    pub account: String,
    /// Whose exchange it is, for those who listen to the account's; `None` when nobody was recognised.
    pub space: Option<Space>,
    /// Close the connection afterwards: what follows on it cannot be trusted.
    pub close: bool,
}

/// The route of a request that asked for nothing there is.
pub const NO_ROUTE: &str = "none";

impl Reply {
    /// A reply with that body.
    pub fn new(status: StatusCode, body: impl Into<Bytes>) -> Reply {
        Reply::going_on(status, Content::Whole(body.into()))
    }

    /// A reply with that content, which may go on after it.
    pub fn going_on(status: StatusCode, content: Content) -> Reply {
        Reply {
            status,
            headers: Vec::new(),
            content,
            route: NO_ROUTE,
            account: String::new(),
            space: None,
            close: false,
        }
    }

    /// No reply: the connection is closed instead. The status is what is logged.
    pub fn none() -> Reply {
        Reply::going_on(StatusCode::SERVICE_UNAVAILABLE, Content::Nothing)
    }

    /// The reply with one more header. Values that cannot be a header are left out: they come from callers' text.
    pub fn with(mut self, name: HeaderName, value: &str) -> Reply {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }
}

/// A reply on its way.
pub type Replying = Pin<Box<dyn Future<Output = Reply> + Send>>;

/// The word to stop, for what goes on longer than a request.
#[derive(Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// The word that is said by turning the value true.
    pub fn new(stop: watch::Receiver<bool>) -> Stop {
        Stop(stop)
    }

    /// Waits for the word. Without anybody to say it there is no server either.
    pub async fn told(&mut self) {
        let _ = self.0.wait_for(|stop| *stop).await;
    }
}

/// What the shell itself has to refuse or confess, before or instead of a dialect's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The body is larger than so many bytes.
    BodyTooLarge(usize),
    /// The body did not arrive in time.
    BodyTooSlow,
    /// The body broke off or was not HTTP.
    BodyBroken,
    /// The answer took too long. The change may or may not have happened.
    TooLong,
    /// A promise of ours was broken; the cause is in the log.
    Broken,
}

/// A language that the server speaks.
#[derive(Clone)]
pub struct Dialect {
    /// Its name in logs and metrics.
    pub name: &'static str,
    /// The API that it is.
    pub api: mounts::Api,
    /// Answers a request.
    pub answer: Arc<dyn Fn(Request) -> Replying + Send + Sync>,
    /// Puts the shell's trouble with the request of that id into the dialect's words.
    pub confess: fn(trouble: Trouble, request: &str) -> Reply,
    /// Where it takes files.
    pub files: Option<Files>,
    /// Its OpenAPI document, which is served without a key: whoever writes a client has none yet.
    pub document: Option<Arc<Document>>,
}

/// A document, which is made when it is first asked for: it is large, and most servers are never asked.
pub type Document = LazyLock<Bytes, Box<dyn FnOnce() -> Bytes + Send + Sync>>;

/// Where a dialect takes files, which may be larger than other bodies and take longer.
#[derive(Clone, Copy, Debug)]
pub struct Files {
    /// The path, as the dialect documents it.
    pub path: &'static str,
    /// The largest, in bytes.
    pub max_bytes: usize,
    /// How long it may take from the first byte of the request to the reply, where other requests have less.
    pub timeout: Duration,
}
