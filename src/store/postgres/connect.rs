//! Connections to the database: making them, lending them, and throwing away those whose state is not known.

use std::ffi::OsString;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use deadpool_postgres::{
    ClientWrapper, Connect, Manager, ManagerConfig, Object, PoolConfig, PoolError, RecyclingMethod, Runtime,
    TimeoutType, Timeouts,
};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_postgres::{Client, Config, Error, NoTls, Socket, tls::MakeTlsConnect, tls::TlsConnect};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::tls;
use super::trouble::{self, io_error};
use super::url::{self, Verify};
use crate::settings::Database;
use crate::store::{Failure, Kept};

/// How much longer than its own bounds the database may take before its connection is given up.
const GRACE: Duration = Duration::from_secs(5);
/// How long a caller waits for a connection while all are lent.
const WAIT: Duration = Duration::from_secs(5);
/// How long one host may take, beyond its `connect_timeout`, for all of its addresses, encryption and login.
const LOGIN: Duration = Duration::from_secs(5);
/// How long a starting server tries to reach a database that is away.
const START_WITHIN: Duration = Duration::from_secs(10);
/// How long it waits between two tries.
const START_AGAIN: Duration = Duration::from_millis(250);
/// The variable that PostgreSQL's own clients take a password from.
const PASSWORD_VARIABLE: &str = "PGPASSWORD";

/// The connections to one database.
pub struct Pool {
    pool: deadpool_postgres::Pool,
    counts: Arc<Counts>,
    place: String,
    size: usize,
    patience: Duration,
}

#[derive(Default)]
struct Counts {
    made: AtomicU64,
    failed: AtomicU64,
}

/// What a pool tells its operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Connections that there are.
    pub size: usize,
    /// Those of them that nobody uses.
    pub idle: usize,
    /// Callers that wait for one, or for one to be made.
    pub waiting: usize,
    /// The most that there may be.
    pub max: usize,
    /// Connections made so far.
    pub made: u64,
    /// Connections that could not be made so far.
    pub failed: u64,
}

impl Pool {
    /// Reads the URL and the files that it names. Makes no connection.
    pub fn new(database: &Database) -> Kept<Pool> {
        let broken = |reason: String| Failure::broken("preparing to connect to the database", reason);
        url::examine(database).map_err(broken)?;
        let mut target = url::target(database).map_err(broken)?;
        if !target.has_password()
            && let Some(password) =
                password(database.password_file.as_deref(), std::env::var_os(PASSWORD_VARIABLE)).map_err(broken)?
        {
            target.hosts.iter_mut().for_each(|host| {
                host.password(&password);
            });
        }
        if target.tls.as_ref().is_some_and(|tls| tls.verify == Verify::Nothing) {
            tracing::warn!(
                "sslmode=no-verify: connections to {} are encrypted, but whoever is in between can pose as it",
                target.place
            );
        }
        let counts = Arc::new(Counts::default());
        let size = database.pool_size.get();
        let one_host = target.hosts.iter().map(patience).max().unwrap_or_default();
        let all_hosts = target.hosts.iter().map(patience).sum();
        let dialer = Dialer {
            tls: target.tls.as_ref().map(tls::connector).transpose().map_err(broken)?,
            hosts: target.hosts,
            balanced: target.balanced,
            next: AtomicUsize::new(0),
            one_host,
            counts: counts.clone(),
        };
        let manager = Manager::from_connect(
            Config::new(),
            dialer,
            // A connection comes back only when its owner says that it is as good as new.
            ManagerConfig { recycling_method: RecyclingMethod::Fast },
        );
        let config = PoolConfig {
            max_size: size,
            timeouts: Timeouts { wait: Some(WAIT), create: Some(all_hosts), recycle: None },
            ..PoolConfig::default()
        };
        let pool = deadpool_postgres::Pool::builder(manager)
            .config(config)
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| broken(error.to_string()))?;
        let patience = database.statement_timeout + database.lock_timeout + GRACE;
        Ok(Pool { pool, counts, place: target.place, size, patience })
    }

    /// Hosts and database, for people.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// A connection: an idle one, a new one where there is room, or the next that is given back. Whatever is in the way
    /// may pass while a server runs, a password that is not right included.
    pub async fn get(&self) -> Kept<Connection> {
        self.attempt().await.map_err(|refusal| Failure::passing(self.doing(), self.text(&refusal)))
    }

    /// The first connection of a server that starts: waits for a database that is away, and fails at once, and as broken,
    /// for what will not pass.
    pub async fn first(&self) -> Kept<Connection> {
        let deadline = Instant::now() + START_WITHIN;
        let mut last = "it does not answer".to_owned();
        while Instant::now() < deadline {
            match timeout_at(deadline, self.attempt()).await {
                Ok(Ok(connection)) => return Ok(connection),
                Ok(Err(refusal)) if lasts(&refusal) => return Err(Failure::broken(self.doing(), self.text(&refusal))),
                Ok(Err(refusal)) => last = self.text(&refusal),
                Err(_) => break,
            }
            sleep(START_AGAIN).await;
        }
        Err(Failure::passing(self.doing(), format!("{last} (tried for {} s)", START_WITHIN.as_secs())))
    }

    /// How long a statement may take before its connection is given up: the database's own bounds, and some more.
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// Lets go of idle connections. To be called when one was lost: its server may be gone, and each of the others would
    /// cost somebody the time to find that out.
    pub fn forget_idle(&self) {
        self.pool.retain(|_, _| false);
    }

    /// Lets go of idle connections, and of the others as they are given back. Whoever asks for one is refused.
    pub fn close(&self) {
        self.pool.close();
    }

    /// Its numbers, at about this moment.
    pub fn status(&self) -> Status {
        let now = self.pool.status();
        Status {
            size: now.size,
            idle: now.available,
            waiting: now.waiting,
            max: self.size,
            made: self.counts.made.load(Ordering::Relaxed),
            failed: self.counts.failed.load(Ordering::Relaxed),
        }
    }

    async fn attempt(&self) -> Result<Connection, PoolError> {
        match self.pool.get().await {
            Ok(lent) => Ok(Connection { lent: Some(lent), patience: self.patience }),
            Err(refusal) => {
                if let PoolError::Backend(_) | PoolError::Timeout(TimeoutType::Create) = refusal {
                    self.counts.failed.fetch_add(1, Ordering::Relaxed);
                }
                Err(refusal)
            }
        }
    }

    fn doing(&self) -> String {
        format!("connecting to {}", self.place)
    }

    fn text(&self, refusal: &PoolError) -> String {
        match refusal {
            PoolError::Backend(error) => trouble::text(error),
            PoolError::Timeout(TimeoutType::Wait) => {
                format!("all {} connections are in use, and none became free within {} s", self.size, WAIT.as_secs())
            }
            PoolError::Timeout(TimeoutType::Create | TimeoutType::Recycle) => "it does not answer".to_owned(),
            PoolError::Closed => "the store is closed".to_owned(),
            PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => refusal.to_string(),
        }
    }
}

/// The password that does not come with the URL: from the file, else from the environment's variable.
fn password(file: Option<&Path>, variable: Option<OsString>) -> Result<Option<Vec<u8>>, String> {
    let Some(path) = file else {
        return Ok(variable.map(OsString::into_vec).filter(|password| !password.is_empty()));
    };
    let read = || -> std::io::Result<_> {
        let mode = std::fs::metadata(path)?.permissions().mode();
        Ok((std::fs::read(path)?, mode))
    };
    let (mut password, mode) =
        read().map_err(|cause| format!("cannot read the password file {}: {cause}", path.display()))?;
    if mode & 0o004 != 0 {
        tracing::warn!("the password file {} can be read by every user of this machine", path.display());
    }
    // Editors and `echo` end a line; a password does not.
    if password.last() == Some(&b'\n') {
        password.pop();
        if password.last() == Some(&b'\r') {
            password.pop();
        }
    }
    match password.is_empty() {
        true => Err(format!("the password file {} is empty", path.display())),
        false => Ok(Some(password)),
    }
}

/// Whether trying again will not help, as far as one can tell.
fn lasts(refusal: &PoolError) -> bool {
    match refusal {
        PoolError::Backend(error) => error_lasts(error),
        PoolError::Timeout(_) => false,
        PoolError::Closed | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => true,
    }
}

fn error_lasts(error: &Error) -> bool {
    match (error.code(), io_error(error)) {
        // protocol_violation, as a pooler's "unsupported startup parameter"
        (Some(state), _) if state.code() == "08P01" => true,
        // No connection, no room, the server starting, stopping or in recovery, its disk.
        (Some(state), _) => !["08", "53", "57", "58"].iter().any(|class| state.code().starts_with(class)),
        // Only trouble with the certificates or the sort of encryption is put into an error of the network.
        (None, Some(cause)) => cause.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()),
        // A connection that just ends may be a server that just ends. What is left is the driver's: no password given,
        // a sort of login that it does not know, no encryption offered.
        (None, None) => !error.is_closed(),
    }
}

/// A connection that is lent. Dropped, it is thrown away, and with it a transaction that a cancelled or panicking caller
/// left open: only `give_back` lets another caller have it.
pub struct Connection {
    lent: Option<Object>,
    patience: Duration,
}

impl Connection {
    /// What `asked` gives, or `None` when the database says nothing for so long that the connection is of no more use.
    pub async fn hear<T>(&self, asked: impl Future<Output = T>) -> Option<T> {
        timeout(self.patience, asked).await.ok()
    }

    /// Gives it back for others. To be called only outside of a transaction, with nothing in flight, and without settings
    /// that a session keeps.
    pub fn give_back(mut self) {
        drop(self.lent.take());
    }

    /// Throws it away. The server undoes its transaction, once it notices.
    pub fn discard(self) {}
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(lent) = self.lent.take() {
            drop(Object::take(lent));
        }
    }
}

impl Deref for Connection {
    type Target = ClientWrapper;

    fn deref(&self) -> &ClientWrapper {
        self.lent.as_ref().expect("it is taken only at the end")
    }
}

impl DerefMut for Connection {
    fn deref_mut(&mut self) -> &mut ClientWrapper {
        self.lent.as_mut().expect("it is taken only at the end")
    }
}

/// Tries the hosts one after the other, none of them for too long: a host that takes a connection and then says nothing
/// must not keep us from the next.
struct Dialer {
    hosts: Vec<Config>,
    tls: Option<MakeRustlsConnect>,
    balanced: bool,
    /// The host that the next connection begins with, when balanced.
    next: AtomicUsize,
    /// The most that one host may take.
    one_host: Duration,
    counts: Arc<Counts>,
}

/// The most that one host may take.
fn patience(host: &Config) -> Duration {
    host.get_connect_timeout().copied().unwrap_or_default() + LOGIN
}

/// The driver's end of a connection, and the task that carries what passes over it.
type Made = (Client, JoinHandle<()>);

impl Connect for Dialer {
    fn connect(&self, _: &Config) -> Pin<Box<dyn Future<Output = Result<Made, Error>> + Send + '_>> {
        Box::pin(async move {
            let made = self.dial().await?;
            self.counts.made.fetch_add(1, Ordering::Relaxed);
            Ok(made)
        })
    }
}

impl Dialer {
    async fn dial(&self) -> Result<Made, Error> {
        let first = if self.balanced { self.next.fetch_add(1, Ordering::Relaxed) } else { 0 };
        let mut telling: Option<Error> = None;
        for index in 0..self.hosts.len() {
            let host = &self.hosts[(first + index) % self.hosts.len()];
            match timeout(self.one_host, self.knock(host)).await {
                Ok(Ok(made)) => return Ok(made),
                // What will not pass tells more than what may.
                Ok(Err(error)) if !telling.as_ref().is_some_and(error_lasts) => telling = Some(error),
                Ok(Err(_)) | Err(_) => {}
            }
        }
        match telling {
            Some(error) => Err(error),
            // No host said anything at all. The pool's own time for a connection has come to its end just as well, and it
            // has an error for that; the driver has none to give.
            None => std::future::pending().await,
        }
    }

    async fn knock(&self, host: &Config) -> Result<Made, Error> {
        match &self.tls {
            Some(tls) => made(host, tls.clone()).await,
            None => made(host, NoTls).await,
        }
    }
}

async fn made<T>(host: &Config, tls: T) -> Result<Made, Error>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
    T::TlsConnect: Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    let (client, connection) = host.connect(tls).await?;
    // Its end reaches whoever waits for an answer, and the pool asks each connection whether it has ended.
    let task = tokio::spawn(async move { drop(connection.await) });
    Ok((client, task))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_file_goes_before_the_environment() {
        let folder = tempfile::tempdir().expect("the system has room for a folder");
        let file = folder.path().join("password");
        let variable = || Some(OsString::from("of the environment"));
        for (text, expected) in [("sesame", "sesame"), ("sesame\n", "sesame"), ("a b \r\n", "a b "), ("\n\n", "\n")] {
            std::fs::write(&file, text).expect("the folder takes a file");
            assert_eq!(password(Some(&file), variable()), Ok(Some(expected.into())), "{text:?}");
        }
        assert_eq!(password(None, variable()), Ok(Some("of the environment".into())));
        assert_eq!(password(None, Some(OsString::new())), Ok(None));
        assert_eq!(password(None, None), Ok(None));
        std::fs::write(&file, "\n").expect("the folder takes a file");
        assert!(password(Some(&file), None).expect_err("it is empty").ends_with("is empty"));
        assert!(password(Some(&folder.path().join("none")), variable()).expect_err("there is none").contains("none"));
    }

    #[test]
    fn several_hosts_have_as_much_time_as_each_needs() {
        let target = url::target(&Database::new("postgres://a,b/x?connect_timeout=2")).expect("the URL is right");
        assert_eq!(target.hosts.iter().map(patience).sum::<Duration>(), Duration::from_secs(14));
    }
}
