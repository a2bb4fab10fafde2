//! What a running server needs to be told. Where the values come from (flags, environment, file) is `config`'s duty.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

/// How open the server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Openness {
    /// For developers and tests: loopback only, a sandbox for every key on first use.
    Dev,
    /// For keeping records: nothing is open but what an operator opened.
    Serve,
}

/// What a running server needs to be told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How open it is.
    pub openness: Openness,
    /// Where clients come in.
    pub listen: SocketAddr,
    /// Where health and metrics are; `None` puts them on the main address.
    pub admin_listen: Option<SocketAddr>,
    /// The folder that everything is kept in.
    pub data: PathBuf,
    /// Keep nothing: the data goes to a temporary folder, without syncing, and is removed at the end.
    pub ephemeral: bool,
    /// Requests per second that one account in one mode may make; `None` for no limit.
    pub rate_limit: Option<NonZeroU32>,
    /// The largest request body, in bytes.
    pub max_body_bytes: usize,
    /// The most connections at a time; further ones wait to be accepted.
    pub max_connections: usize,
    /// How long a client may take to send the head of a request, idling between two requests included.
    pub head_timeout: Duration,
    /// How long a request may take from its head to its reply, sending its body included.
    pub request_timeout: Duration,
    /// How long requests in flight may go on once the server is told to stop.
    pub drain_timeout: Duration,
}

impl Settings {
    /// The defaults of each mode.
    pub fn new(openness: Openness) -> Settings {
        Settings {
            openness,
            listen: SocketAddr::from(([127, 0, 0, 1], 12111)),
            admin_listen: match openness {
                Openness::Dev => None,
                Openness::Serve => Some(SocketAddr::from(([127, 0, 0, 1], 12112))),
            },
            data: PathBuf::from("./cusp-data"),
            ephemeral: false,
            rate_limit: None,
            max_body_bytes: 1 << 20,
            max_connections: 16_384,
            head_timeout: Duration::from_secs(60),
            request_timeout: Duration::from_secs(30),
            drain_timeout: Duration::from_secs(10),
        }
    }
}
