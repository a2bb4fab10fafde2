//! A database's URL: which hosts it names, what is asked of each, and which parameters are ours. Makes no connection and
//! reads no file. No refusal repeats the URL, which may hold a password.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use percent_encoding::percent_decode_str;
use rustls::pki_types::ServerName;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, LoadBalanceHosts, SslMode, SslNegotiation, TargetSessionAttrs};

use crate::settings::Database;

/// How long one address of a host may take to accept a connection, unless the URL says `connect_timeout`.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long what we sent may stay unacknowledged, unless the URL says `tcp_user_timeout`: then the host has vanished.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(10);
/// How soon a silent connection is asked for a sign of life, unless the URL says `keepalives_idle`.
const KEEPALIVES_IDLE: Duration = Duration::from_secs(15);
/// How soon it is asked again, unless the URL says `keepalives_interval`.
const KEEPALIVES_INTERVAL: Duration = Duration::from_secs(5);
/// How often it is asked in vain, unless the URL says `keepalives_retries`.
const KEEPALIVES_RETRIES: u32 = 3;
/// How long a transaction may wait for us before the server undoes it: a server of ours that is stopped in the middle of
/// one must not keep its locks.
const IDLE_IN_TRANSACTION: Duration = Duration::from_secs(20);

const DEFAULT_PORT: u16 = 5432;

/// The parameters that the driver reads from a URL as PostgreSQL's own clients do.
const DRIVERS: [&str; 16] = [
    "user",
    "password",
    "dbname",
    "options",
    "application_name",
    "host",
    "hostaddr",
    "port",
    "connect_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "target_session_attrs",
    "channel_binding",
    "load_balance_hosts",
];

/// The parameters that we read, because the driver does not or reads them in another way.
const OURS: [&str; 6] = ["sslmode", "sslrootcert", "sslcert", "sslkey", "sslnegotiation", "tcp_user_timeout"];

/// What a URL says.
#[derive(Debug)]
pub(super) struct Target {
    /// How to reach each host, in the URL's order.
    pub hosts: Vec<Config>,
    /// How to encrypt connections to the hosts whose `SslMode` asks for it; `None` when none does.
    pub tls: Option<Tls>,
    /// Each new connection begins with the next host.
    pub balanced: bool,
    /// Hosts and database, for people.
    pub place: String,
}

impl Target {
    /// Whether the URL gives a password.
    pub fn has_password(&self) -> bool {
        self.hosts.iter().any(|host| host.get_password().is_some_and(|password| !password.is_empty()))
    }
}

/// How connections are encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tls {
    pub verify: Verify,
    /// The certificate that we show, and its key.
    pub identity: Option<Identity>,
    /// The handshake comes first, without asking whether the server speaks TLS (PostgreSQL 17).
    pub direct: bool,
}

/// What makes a server's certificate good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verify {
    /// Signed by one that the system trusts, for the host's name.
    System,
    /// Signed by one in this file, for the host's name.
    File(PathBuf),
    /// Nothing: anybody in between can read along.
    Nothing,
}

/// A certificate and its key, each a PEM file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// Whether the settings make sense, as far as it shows without looking at files or the network.
pub fn examine(database: &Database) -> Result<(), String> {
    let target = target(database)?;
    if target.has_password() && database.password_file.is_some() {
        return Err("the database URL holds a password and there is a password file as well; give one of them".into());
    }
    Ok(())
}

/// Hosts and name of the database, for people.
pub fn place(database: &Database) -> String {
    // A URL that makes no sense was refused before.
    target(database).map_or_else(|_| "a database".to_owned(), |target| target.place)
}

/// Reads the URL.
pub(super) fn target(database: &Database) -> Result<Target, String> {
    let parts = Parts::of(&database.url)?;
    let (own, theirs) = parts.parameters()?;
    let named = |name: &str| theirs.iter().any(|(key, _)| key == name) || own.has(name);

    // One `Config` with every host tells which there are; each host then gets one of its own.
    let all = parts.config(parts.hosts, &theirs)?;
    let without_hosts: Vec<_> =
        theirs.iter().filter(|(key, _)| !["host", "hostaddr", "port"].contains(&key.as_str())).cloned().collect();
    let mut common = parts.config("", &without_hosts)?;

    let doors = doors(&all)?;
    if common.get_target_session_attrs() == TargetSessionAttrs::ReadOnly {
        return refuse("target_session_attrs=read-only finds servers that records cannot be kept in");
    }
    if doors.len() > 1 && !named("target_session_attrs") {
        common.target_session_attrs(TargetSessionAttrs::ReadWrite);
    }
    if !named("connect_timeout") {
        common.connect_timeout(CONNECT_TIMEOUT);
    }
    match own.tcp_user_timeout()? {
        None => common.tcp_user_timeout(TCP_USER_TIMEOUT),
        Some(timeout) if timeout.is_zero() => &mut common,
        Some(timeout) => common.tcp_user_timeout(timeout),
    };
    if !named("keepalives_idle") {
        common.keepalives_idle(KEEPALIVES_IDLE);
    }
    if !named("keepalives_interval") {
        common.keepalives_interval(KEEPALIVES_INTERVAL);
    }
    if !named("keepalives_retries") {
        common.keepalives_retries(KEEPALIVES_RETRIES);
    }
    if common.get_application_name().is_none() {
        common.application_name("cusp");
    }
    common.options(options(common.get_options(), database));

    let encryption = own.encryption()?;
    if let Encryption::Always(Tls { direct: true, .. }) = encryption {
        common.ssl_negotiation(SslNegotiation::Direct);
    }
    let hosts: Vec<Config> =
        doors.iter().map(|door| door.config(common.clone(), &encryption)).collect::<Result<_, _>>()?;
    let encrypted = hosts.iter().any(|host| host.get_ssl_mode() != SslMode::Disable);
    let tls = match encryption {
        Encryption::Always(tls) => Some(tls),
        Encryption::Beyond => Some(Tls { verify: Verify::System, identity: None, direct: false }),
        Encryption::Never => None,
    };
    Ok(Target {
        hosts,
        tls: tls.filter(|_| encrypted),
        balanced: common.get_load_balance_hosts() == LoadBalanceHosts::Random,
        place: described(&doors, &common),
    })
}

/// The user's options and ours; of two for one thing the server takes the last, which is ours.
fn options(given: Option<&str>, database: &Database) -> String {
    let mut options = given.unwrap_or_default().trim_end().to_owned();
    for (name, value) in [
        ("statement_timeout", database.statement_timeout),
        ("lock_timeout", database.lock_timeout),
        ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION),
    ] {
        let space = if options.is_empty() { "" } else { " " };
        options += &format!("{space}-c {name}={}", value.as_millis());
    }
    options
}

fn described(doors: &[Door], common: &Config) -> String {
    let hosts: Vec<String> = doors.iter().map(Door::name).collect();
    match common.get_dbname().or(common.get_user()) {
        Some(database) => format!("database {database} at {}", hosts.join(", ")),
        None => format!("the database at {}", hosts.join(", ")),
    }
}

fn refuse<T>(reason: impl Into<String>) -> Result<T, String> {
    Err(format!("the database URL does not work: {}", reason.into()))
}

/// A parameter's name, and its value as it stands in the URL.
type Parameter<'a> = (String, &'a str);

/// A URL, not yet decoded: `postgres://credentials@hosts/path?query`.
struct Parts<'a> {
    credentials: Option<&'a str>,
    hosts: &'a str,
    path: &'a str,
    query: &'a str,
}

impl<'a> Parts<'a> {
    fn of(url: &'a str) -> Result<Parts<'a>, String> {
        let rest = ["postgres://", "postgresql://"].iter().find_map(|scheme| url.strip_prefix(scheme));
        let Some(rest) = rest else { return refuse("it has to begin with postgres:// or postgresql://") };
        // As PostgreSQL's own clients have it, credentials end at the first @ before the first /.
        let (credentials, rest) = match rest.split_once('@') {
            Some((credentials, rest)) if !credentials.contains('/') => (Some(credentials), rest),
            Some(_) | None => (None, rest),
        };
        // What follows a raw @ or / of a password would be taken for something that may be shown.
        if rest.contains('@') {
            return refuse(
                "it has an @ too many; in a name or password, write @ as %40, / as %2F, ? as %3F and % as %25",
            );
        }
        let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (hosts, path) = address.split_once('/').unwrap_or((address, ""));
        Ok(Parts { credentials, hosts, path, query })
    }

    /// Our parameters, and the driver's.
    fn parameters(&self) -> Result<(Own, Vec<Parameter<'a>>), String> {
        let (mut own, mut theirs) = (Own::default(), Vec::new());
        for parameter in self.query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let key = decoded(key)?;
            if OURS.contains(&key.as_str()) {
                own.0.push((key, decoded(value)?));
            } else if DRIVERS.contains(&key.as_str()) {
                theirs.push((key, value));
            } else {
                let known = [&DRIVERS[..], &OURS].concat().join(", ");
                return refuse(format!("there is no parameter `{}`; there are {known}", key));
            }
        }
        Ok((own, theirs))
    }

    /// What the driver makes of it.
    fn config(&self, hosts: &str, parameters: &[Parameter<'_>]) -> Result<Config, String> {
        let credentials = self.credentials.map(|credentials| format!("{credentials}@")).unwrap_or_default();
        let query: Vec<String> = parameters.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let text = format!("postgres://{credentials}{hosts}/{}?{}", self.path, query.join("&"));
        text.parse().or_else(|error: tokio_postgres::Error| {
            // Its sources name parameters and never values.
            let reason = error.into_source().map(|cause| cause.to_string()).unwrap_or_default();
            refuse(reason)
        })
    }
}

fn decoded(text: &str) -> Result<String, String> {
    match percent_decode_str(text).decode_utf8() {
        Ok(text) => Ok(text.into_owned()),
        Err(_) => refuse("a parameter is not UTF-8"),
    }
}

/// Our parameters, as given; of two with one name the last counts, as with the driver's.
#[derive(Default)]
struct Own(Vec<(String, String)>);

impl Own {
    fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// In milliseconds, 0 for the system's own, as PostgreSQL's clients have it; the driver would take it for seconds.
    fn tcp_user_timeout(&self) -> Result<Option<Duration>, String> {
        match self.get("tcp_user_timeout").map(str::parse::<u32>) {
            None => Ok(None),
            Some(Ok(millis)) => Ok(Some(Duration::from_millis(millis.into()))),
            Some(Err(_)) => refuse("tcp_user_timeout is a whole number of milliseconds"),
        }
    }

    fn encryption(&self) -> Result<Encryption, String> {
        let identity = match (self.get("sslcert"), self.get("sslkey")) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some(Identity { certificate: certificate.into(), key: key.into() }),
            (Some(_), None) | (None, Some(_)) => return refuse("sslcert and sslkey need each other"),
        };
        let direct = match self.get("sslnegotiation") {
            None | Some("postgres") => false,
            Some("direct") => true,
            Some(_) => return refuse("sslnegotiation is postgres or direct"),
        };
        let roots = match self.get("sslrootcert") {
            None | Some("system") => Verify::System,
            Some("") => return refuse("sslrootcert is `system` or the path of a file"),
            Some(path) => Verify::File(path.into()),
        };
        let settled = ["sslrootcert", "sslcert", "sslnegotiation"].into_iter().find(|name| self.has(name));
        match (self.get("sslmode"), settled) {
            // Who says how to encrypt wants it, on this machine as well.
            (None, None) => Ok(Encryption::Beyond),
            (None, Some(_)) | (Some("verify-full" | "require"), _) => {
                Ok(Encryption::Always(Tls { verify: roots, identity, direct }))
            }
            (Some("no-verify"), _) if self.has("sslrootcert") => {
                refuse("sslmode=no-verify looks at no certificate, so sslrootcert has no meaning")
            }
            (Some("no-verify"), _) => Ok(Encryption::Always(Tls { verify: Verify::Nothing, identity, direct })),
            (Some("disable"), Some(name)) => refuse(format!("sslmode=disable and {name} exclude each other")),
            (Some("disable"), None) => Ok(Encryption::Never),
            (Some("allow" | "prefer"), _) => {
                refuse("sslmode allow and prefer give way to whoever is in between; use verify-full, or disable")
            }
            (Some("verify-ca"), _) => {
                refuse("sslmode=verify-ca does not look at the host's name; use verify-full, or no-verify")
            }
            (Some(_), _) => refuse("sslmode is disable, no-verify, require or verify-full"),
        }
    }
}

/// Which connections are encrypted. Those to a Unix socket never are.
enum Encryption {
    Never,
    /// Those that leave this machine.
    Beyond,
    Always(Tls),
}

/// One place to knock at.
struct Door {
    host: Option<Host>,
    address: Option<IpAddr>,
    port: u16,
}

impl Door {
    fn name(&self) -> String {
        match (&self.host, self.address) {
            (Some(Host::Unix(folder)), _) => folder.display().to_string(),
            (Some(Host::Tcp(name)), _) if name.contains(':') => format!("[{name}]:{}", self.port),
            (Some(Host::Tcp(name)), _) => format!("{name}:{}", self.port),
            (None, Some(address)) => std::net::SocketAddr::new(address, self.port).to_string(),
            (None, None) => String::new(),
        }
    }

    fn is_here(&self) -> bool {
        match (&self.host, self.address) {
            (Some(Host::Unix(_)), None) => true,
            (_, Some(address)) => address.is_loopback(),
            (Some(Host::Tcp(name)), None) => {
                name.eq_ignore_ascii_case("localhost")
                    || name.parse().is_ok_and(|address: IpAddr| address.is_loopback())
            }
            (None, None) => false,
        }
    }

    fn config(&self, mut config: Config, encryption: &Encryption) -> Result<Config, String> {
        let is_socket = matches!((&self.host, self.address), (Some(Host::Unix(_)), None));
        let encrypted = match encryption {
            Encryption::Never => false,
            Encryption::Beyond => !self.is_here(),
            Encryption::Always(_) => !is_socket,
        };
        if encrypted {
            match &self.host {
                Some(Host::Tcp(name)) if ServerName::try_from(name.as_str()).is_ok() => {}
                Some(_) => {
                    return refuse(format!("no certificate can be for a host of the name {}", self.name()));
                }
                None => return refuse("hostaddr gives no name that a certificate could be for; add host"),
            }
        }
        config.ssl_mode(if encrypted { SslMode::Require } else { SslMode::Disable });
        if !encrypted {
            config.ssl_negotiation(SslNegotiation::Postgres);
        }
        config.port(self.port);
        match &self.host {
            Some(Host::Tcp(name)) => config.host(name),
            Some(Host::Unix(folder)) => config.host_path(Path::new(folder)),
            None => &mut config,
        };
        if let Some(address) = self.address {
            config.hostaddr(address);
        }
        Ok(config)
    }
}

fn doors(config: &Config) -> Result<Vec<Door>, String> {
    let (hosts, addresses, ports) = (config.get_hosts(), config.get_hostaddrs(), config.get_ports());
    let count = hosts.len().max(addresses.len());
    if count == 0 || hosts.iter().any(|host| matches!(host, Host::Tcp(name) if name.is_empty())) {
        return refuse("it names no host; a Unix socket is named by its folder, as ?host=/var/run/postgresql");
    }
    if !hosts.is_empty() && !addresses.is_empty() && hosts.len() != addresses.len() {
        return refuse(format!("it has {} host and {} hostaddr", hosts.len(), addresses.len()));
    }
    if ports.len() > 1 && ports.len() != count {
        return refuse(format!("it has {} ports for {count} hosts", ports.len()));
    }
    let door = |index: usize| Door {
        host: hosts.get(index).cloned(),
        address: addresses.get(index).copied(),
        port: ports.get(index).or(ports.first()).copied().unwrap_or(DEFAULT_PORT),
    };
    Ok((0..count).map(door).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Target {
        target(&Database::new(url)).unwrap_or_else(|refusal| panic!("{url}: {refusal}"))
    }

    fn refusal(url: &str) -> String {
        examine(&Database::new(url)).expect_err(url)
    }

    fn modes(url: &str) -> Vec<SslMode> {
        read(url).hosts.iter().map(Config::get_ssl_mode).collect()
    }

    #[test]
    fn a_url_names_user_password_host_and_database() {
        let target = read("postgres://ada:p%40s%2Fs@db.example:6432/cusp?connect_timeout=7");
        let [host] = &target.hosts[..] else { panic!("one host") };
        assert_eq!(host.get_user(), Some("ada"));
        assert_eq!(host.get_password(), Some(&b"p@s/s"[..]));
        assert_eq!(host.get_hosts(), [Host::Tcp("db.example".into())]);
        assert_eq!((host.get_ports(), host.get_dbname()), (&[6432][..], Some("cusp")));
        assert_eq!(host.get_connect_timeout(), Some(&Duration::from_secs(7)));
        assert_eq!(target.place, "database cusp at db.example:6432");
        assert!(target.has_password() && !read("postgres://ada:@db/x").has_password());
    }

    #[test]
    fn what_is_not_said_has_a_bound() {
        let host = read("postgres://ada@db/cusp").hosts.remove(0);
        assert_eq!(host.get_connect_timeout(), Some(&Duration::from_secs(3)));
        assert_eq!(host.get_tcp_user_timeout(), Some(&Duration::from_secs(10)));
        assert!(host.get_keepalives());
        assert_eq!(host.get_keepalives_idle(), Duration::from_secs(15));
        assert_eq!(host.get_application_name(), Some("cusp"));
        assert_eq!(host.get_target_session_attrs(), TargetSessionAttrs::Any);
        assert_eq!(
            host.get_options(),
            Some("-c statement_timeout=10000 -c lock_timeout=5000 -c idle_in_transaction_session_timeout=20000")
        );
    }

    #[test]
    fn what_is_said_stays() {
        let host = read(
            "postgres://ada@db/cusp?application_name=till&connect_timeout=0&tcp_user_timeout=1500&keepalives=0\
             &options=-c%20work_mem%3D8MB&target_session_attrs=read-write",
        )
        .hosts
        .remove(0);
        assert_eq!(host.get_application_name(), Some("till"));
        assert_eq!(host.get_connect_timeout(), None);
        assert_eq!(host.get_tcp_user_timeout(), Some(&Duration::from_millis(1500)));
        assert!(!host.get_keepalives());
        assert!(host.get_options().is_some_and(|options| options.starts_with("-c work_mem=8MB -c statement_timeout=")));
        assert_eq!(host.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
        assert_eq!(read("postgres://db/x?tcp_user_timeout=0").hosts[0].get_tcp_user_timeout(), None);
    }

    #[test]
    fn of_several_hosts_the_one_that_writes_is_wanted() {
        let target = read("postgres://ada@a:5432,[::2]:5433,c/cusp");
        assert_eq!(target.place, "database cusp at a:5432, [::2]:5433, c:5432");
        for (host, port) in target.hosts.iter().zip([5432, 5433, 5432]) {
            assert_eq!(host.get_hosts().len(), 1);
            assert_eq!(host.get_ports(), [port]);
            assert_eq!(host.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
        }
        let any = read("postgres://a,b/cusp?target_session_attrs=any&load_balance_hosts=random");
        assert_eq!(any.hosts[1].get_target_session_attrs(), TargetSessionAttrs::Any);
        assert!(any.balanced && !target.balanced);
    }

    #[test]
    fn one_port_may_be_for_all_hosts_and_addresses_go_with_names() {
        let target = read("postgres:///cusp?host=a&host=b&hostaddr=10.0.0.1,10.0.0.2&port=6000");
        let addresses: Vec<_> = target.hosts.iter().flat_map(Config::get_hostaddrs).map(IpAddr::to_string).collect();
        assert_eq!(addresses, ["10.0.0.1", "10.0.0.2"]);
        assert_eq!(target.place, "database cusp at a:6000, b:6000");
    }

    #[test]
    fn what_leaves_this_machine_is_encrypted() {
        for here in ["localhost", "127.0.0.1", "127.1.2.3:5433", "[::1]", "%2Frun%2Fpostgresql", "LOCALHOST"] {
            let url = format!("postgres://{here}/cusp");
            assert_eq!(modes(&url), [SslMode::Disable], "{here}");
            assert_eq!(read(&url).tls, None, "{here}");
        }
        for away in ["db.example", "10.0.0.1", "[2001:db8::1]", "localhost.example"] {
            let url = format!("postgres://{away}/cusp");
            assert_eq!(modes(&url), [SslMode::Require], "{away}");
            assert_eq!(read(&url).tls.expect("encrypted").verify, Verify::System, "{away}");
        }
        assert_eq!(modes("postgres://localhost,db/cusp"), [SslMode::Disable, SslMode::Require]);
        assert_eq!(modes("postgres:///cusp?host=localhost&hostaddr=10.0.0.1"), [SslMode::Require]);
    }

    #[test]
    fn sslmode_says_how_it_is_encrypted() {
        let tls = |url: &str| read(url).tls;
        assert_eq!(modes("postgres://db/x?sslmode=disable"), [SslMode::Disable]);
        for (parameters, verify) in [
            ("sslmode=verify-full", Verify::System),
            ("sslmode=require", Verify::System),
            ("sslmode=require&sslrootcert=system", Verify::System),
            ("sslrootcert=/etc/ca.pem", Verify::File("/etc/ca.pem".into())),
            ("sslmode=no-verify", Verify::Nothing),
        ] {
            let url = format!("postgres://localhost/x?{parameters}");
            assert_eq!(modes(&url), [SslMode::Require], "{parameters}");
            assert_eq!(tls(&url), Some(Tls { verify, identity: None, direct: false }), "{parameters}");
        }
        let tls = tls("postgres://db/x?sslcert=/c.pem&sslkey=/k.pem&sslnegotiation=direct").expect("encrypted");
        assert!(tls.direct);
        assert_eq!(tls.identity, Some(Identity { certificate: "/c.pem".into(), key: "/k.pem".into() }));
        assert_eq!(modes("postgres:///x?host=/run/postgresql&sslmode=verify-full"), [SslMode::Disable]);
    }

    #[test]
    fn what_cannot_work_is_refused_with_the_reason() {
        for (url, reason) in [
            ("", "begin with postgres://"),
            ("host=db dbname=x", "begin with postgres://"),
            ("mysql://db/x", "begin with postgres://"),
            ("postgres:///x", "names no host"),
            ("postgres://a,,b/x", "names no host"),
            ("postgres://db:port/x", "`port`"),
            ("postgres://[::1/x", "`host`"),
            ("postgres://db/x?port=1,2,3", "ports for 1 host"),
            ("postgres://a,b/x?hostaddr=10.0.0.1", "2 host and 1 hostaddr"),
            ("postgres:///x?hostaddr=10.0.0.1", "hostaddr gives no name"),
            ("postgres://a%20b/x", "no certificate can be for"),
            ("postgres://db/x?pool_timeout=3", "no parameter `pool_timeout`"),
            ("postgres://db/x?sslcrl=/a", "no parameter `sslcrl`"),
            ("postgres://db/x?connect_timeout=soon", "`connect_timeout`"),
            ("postgres://db/x?tcp_user_timeout=1s", "milliseconds"),
            ("postgres://db/x?target_session_attrs=read-only", "read-only"),
            ("postgres://db/x?target_session_attrs=primary", "`target_session_attrs`"),
            ("postgres://db/x?sslmode=allow", "use verify-full"),
            ("postgres://db/x?sslmode=prefer", "use verify-full"),
            ("postgres://db/x?sslmode=verify-ca", "use verify-full"),
            ("postgres://db/x?sslmode=on", "sslmode is disable"),
            ("postgres://db/x?sslmode=disable&sslrootcert=/a", "exclude each other"),
            ("postgres://db/x?sslmode=no-verify&sslrootcert=/a", "has no meaning"),
            ("postgres://db/x?sslcert=/a", "need each other"),
            ("postgres://db/x?sslkey=/a", "need each other"),
            ("postgres://db/x?sslnegotiation=fast", "sslnegotiation is"),
            ("postgres://db/x?sslrootcert=", "sslrootcert is"),
            ("postgres://db/x?user=ada@home", "%40"),
            ("postgres://db/%ff", "utf-8"),
            ("postgres://db/x?sslcert=%ff", "UTF-8"),
        ] {
            let told = refusal(url);
            assert!(told.contains(reason), "{url}: {told}");
        }
    }

    #[test]
    fn a_password_is_never_shown_again() {
        for url in [
            "postgres://ada:qq/qq@db/x",
            "postgres://ada:12/qq@db/x",
            "postgres://ada:1/x?qq=qq@db/x",
            "postgres://ada:s@qqq@db/x",
            "postgres://ada:s?qq=1@db:port/x",
            "postgres://ada:s@db/x?password=qq&sslmode=on",
            "postgres://ada:qq@db:port/x",
            "postgres://ada:qq@db/x?nothing=1",
            "postgres//ada:qq@db/x",
        ] {
            let told = refusal(url);
            assert!(!told.contains("qq"), "{url}: {told}");
        }
        let target = read("postgres://ada:sesame@db/x?password=sesame");
        assert!(!format!("{target:?}").contains("sesame"));
        assert!(!target.place.contains("sesame"));
    }

    #[test]
    fn two_passwords_are_one_too_many() {
        let file = Some(PathBuf::from("/run/secret"));
        let both = Database { password_file: file.clone(), ..Database::new("postgres://ada:sesame@db/x") };
        assert!(examine(&both).expect_err("two passwords").contains("give one of them"));
        examine(&Database { password_file: file, ..Database::new("postgres://ada@db/x") }).expect("one is fine");
    }
}
