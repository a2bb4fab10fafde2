//! What a running server needs to be told. Where the values come from (flags, environment, file) is `config`'s duty.

use std::fmt;
use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

/// How open the server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Openness {
    /// For developers and tests: loopback only, a sandbox for every key on first use.
    Dev,
    /// For keeping records: nothing is open but what an operator opened.
    Serve,
}

/// An API that programs know from elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// Stripe's.
    Stripe,
    /// FlexPortal's.
    FlexPortal,
    /// Jani's.
    Jani,
}

impl Language {
    /// Every one.
    pub const ALL: [Language; 3] = [Language::Stripe, Language::FlexPortal, Language::Jani];

    /// Its name in options.
    pub fn as_str(self) -> &'static str {
        match self {
            Language::Stripe => "stripe",
            Language::FlexPortal => "flexportal",
            Language::Jani => "jani",
        }
    }
}

/// Where single APIs are reached, beside the address for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Doors {
    /// Host names, in lower case, at which only one API is spoken.
    pub hosts: Vec<(String, Language)>,
    /// Addresses at which only one API is spoken.
    pub listeners: Vec<(Language, SocketAddr)>,
    /// The APIs that are not served.
    pub without: Vec<Language>,
}

/// The key of the sandbox that files are loaded into when nobody names another one.
pub const LOAD_KEY: &str = "sk_test_me";

/// What a running server needs to be told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How open it is.
    pub openness: Openness,
    /// Where clients come in.
    pub listen: SocketAddr,
    /// Where health and metrics are; `None` puts them on the main address.
    pub admin_listen: Option<SocketAddr>,
    /// Where each API is reached beside that, and which are served.
    pub doors: Doors,
    /// Whether Jani's API takes what the samples of its documents hold beside what their texts say.
    pub jani_lenient: bool,
    /// The folder that everything is kept in, unless there is a database.
    pub data: PathBuf,
    /// The PostgreSQL database that everything is kept in; `None` keeps it in the folder.
    pub database: Option<Database>,
    /// Keep nothing: the data is held in memory, and gone at the end.
    pub ephemeral: bool,
    /// What ids and secrets are drawn from, so that they come again in the next run; `None` for unpredictable ones.
    pub seed: Option<u64>,
    /// Files of known records to begin with.
    pub load: Vec<PathBuf>,
    /// The key of the sandbox that they are for.
    pub load_key: String,
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
    /// How webhooks are sent.
    pub webhooks: Webhooks,
    /// The file that holds the key which secrets of webhook endpoints are derived from; `None` for what the mode has.
    pub secrets_key_file: Option<PathBuf>,
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
            doors: Doors::default(),
            jani_lenient: false,
            data: PathBuf::from("./cusp-data"),
            database: None,
            ephemeral: false,
            seed: None,
            load: Vec::new(),
            load_key: LOAD_KEY.to_owned(),
            rate_limit: None,
            max_body_bytes: 1 << 20,
            max_connections: 16_384,
            head_timeout: Duration::from_secs(60),
            request_timeout: Duration::from_secs(30),
            drain_timeout: Duration::from_secs(10),
            webhooks: Webhooks::new(openness),
            secrets_key_file: None,
        }
    }
}

/// How webhooks are sent, and how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhooks {
    /// Which addresses they may go to.
    pub targets: Targets,
    /// A PEM file with the certificates to believe receivers by, instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// How long one attempt may take, from looking up the host to the end of the answer; more than zero.
    pub timeout: Duration,
    /// About how long after the first failure a delivery is tried again; more than zero. Each further wait is a multiple
    /// of the one before.
    pub first_retry: Duration,
    /// The longest wait between two attempts.
    pub longest_retry: Duration,
    /// How long after it was made a delivery is given up.
    pub give_up_after: Duration,
    /// How long an endpoint may do nothing but fail until it is disabled; `None` for any time.
    pub disable_after: Option<Duration>,
    /// Duplicate, delay and reorder deliveries on purpose, as this seed has it.
    pub chaos: Option<u64>,
}

/// Which addresses webhooks may go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Targets {
    /// Any, this machine's own included.
    Any,
    /// Public ones, and those in these networks.
    Public {
        /// The networks that the operator opened.
        allowed: Vec<IpNet>,
    },
}

impl Webhooks {
    /// The defaults of each mode: a developer waits for seconds, a server for days.
    pub fn new(openness: Openness) -> Webhooks {
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        let timeout = Duration::from_secs(10);
        match openness {
            Openness::Dev => Webhooks {
                targets: Targets::Any,
                ca_file: None,
                timeout,
                first_retry: Duration::from_millis(200),
                longest_retry: Duration::from_secs(5),
                give_up_after: Duration::from_secs(20),
                disable_after: None,
                chaos: None,
            },
            Openness::Serve => Webhooks {
                targets: Targets::Public { allowed: Vec::new() },
                ca_file: None,
                timeout,
                first_retry: Duration::from_secs(10),
                longest_retry: hours(8),
                give_up_after: hours(3 * 24),
                disable_after: Some(hours(4 * 24)),
                chaos: None,
            },
        }
    }
}

/// A PostgreSQL database, and how it is used.
#[derive(Clone, PartialEq, Eq)]
pub struct Database {
    /// `postgres://user@host:5432/name?sslmode=…`; it may hold a password.
    pub url: String,
    /// A file that holds the password, when the URL does not.
    pub password_file: Option<PathBuf>,
    /// The most connections to it at a time.
    pub pool_size: NonZeroUsize,
    /// How long the server may work on one statement; more than zero, in whole milliseconds.
    pub statement_timeout: Duration,
    /// How long a statement may wait for a lock; more than zero, in whole milliseconds.
    pub lock_timeout: Duration,
}

impl Database {
    /// A database with the defaults.
    pub fn new(url: impl Into<String>) -> Database {
        Database {
            url: url.into(),
            password_file: None,
            pool_size: NonZeroUsize::new(16).expect("16 is not 0"),
            statement_timeout: Duration::from_secs(10),
            lock_timeout: Duration::from_secs(5),
        }
    }
}

// The URL may hold a password, so no part of it is shown.
impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Database { url: _, password_file, pool_size, statement_timeout, lock_timeout } = self;
        f.debug_struct("Database")
            .field("url", &format_args!("…"))
            .field("password_file", password_file)
            .field("pool_size", pool_size)
            .field("statement_timeout", statement_timeout)
            .field("lock_timeout", lock_timeout)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_does_not_show_its_password() {
        let settings =
            Settings { database: Some(Database::new("postgres://ada:sesame@db/x")), ..Settings::new(Openness::Serve) };
        let shown = format!("{settings:?}");
        assert!(shown.contains("pool_size: 16") && !shown.contains("sesame"), "{shown}");
    }
}
