//! What is asked of the server, for those who listen to an account: each finished exchange, as it was on the wire.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use hyper::Method;

use crate::domain::time::Time;
use crate::listeners::Listeners;

/// Those who listen.
pub type Traffic = Listeners<Arc<Passed>>;

/// A finished exchange. Its path and its body hold what the caller and the dialect put there: whoever tells of it further
/// looks to that.
#[derive(Debug)]
pub struct Passed {
    /// The request's id.
    pub request: String,
    /// When it was answered.
    pub at: Time,
    /// Its method.
    pub method: Method,
    /// Its path without the query, as sent: still percent-encoded.
    pub path: String,
    /// Where it came from.
    pub peer: Option<IpAddr>,
    /// The HTTP status of the reply.
    pub status: u16,
    /// The reply's body if it refuses.
    pub refusal: Option<Bytes>,
}
