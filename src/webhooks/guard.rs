//! Where a webhook may go: a URL is taken apart strictly, its host is looked up once, every address found is judged, and what
//! comes out are addresses to connect to. Nothing behind it looks a name up again, so a name that answers differently the
//! second time gains nothing.
//!
//! One address that is refused refuses the whole target: a name that stands for a public and a private address is a mistake
//! or a trick, and which of the two would be connected to must not be chance.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use ipnet::IpNet;
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::settings::Targets;

/// The longest URL of a target, in bytes.
pub const MAX_URL_BYTES: usize = 2_048;
/// The longest name of a host, in bytes: RFC 1035.
const MAX_NAME_BYTES: usize = 253;
/// The longest part of a name between two full stops: RFC 1035.
const MAX_LABEL_BYTES: usize = 63;

/// How long the addresses of a name are remembered, with their judgement.
pub const REMEMBERED: Duration = Duration::from_secs(5);
/// The most names that are remembered.
const MAX_REMEMBERED: usize = 1_024;
/// The most addresses of one name that are connected to; all are judged.
pub const MAX_ADDRESSES: usize = 8;
/// The most names that are looked up at a time; each takes a thread while it lasts.
const LOOKUPS: usize = 64;

/// Where a webhook goes, as its URL says it. It has no user, no fragment and no host that could be read in two ways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    encrypted: bool,
    host: Host,
    port: u16,
    path: String,
}

/// Who is at a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// Whom a name stands for, in lower case.
    Name(String),
    /// This address.
    Address(IpAddr),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) => f.write_str(name),
            Host::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Host::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

/// Why a webhook does not go to a target. The words tell nothing of the URL but its host, and never an address that a name
/// stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is not a URL that webhooks may have.
    Url(&'static str),
    /// The name stands for no address.
    Unknown(String),
    /// This host is, or stands for, an address that webhooks do not go to.
    Address {
        /// The host as the URL says it.
        host: String,
        /// What sort of address it is, as `a private address`.
        sort: &'static str,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Url(reason) => f.write_str(reason),
            Refusal::Unknown(host) => write!(f, "the name {host} cannot be looked up"),
            Refusal::Address { host, sort } => write!(f, "webhooks do not go to {host}: it is {sort}"),
        }
    }
}

impl Target {
    /// The target of a URL.
    pub fn parse(url: &str) -> Result<Target, Refusal> {
        let refuse = |reason| Err(Refusal::Url(reason));
        if url.len() > MAX_URL_BYTES {
            return refuse("the URL is longer than 2048 bytes");
        }
        if url.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
            return refuse("the URL has blanks or control characters in it");
        }
        let Some((scheme, rest)) = url.split_once("://") else {
            return refuse("the URL does not begin with http:// or https://");
        };
        let encrypted = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return refuse("the URL does not begin with http:// or https://"),
        };
        if rest.contains('#') {
            return refuse("the URL has a fragment (#…), which no receiver would see");
        }
        // Some readers take it for a slash.
        if rest.contains('\\') {
            return refuse("the URL has a backslash in it");
        }
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return refuse("the URL has a user name or password in it");
        }
        let (host, port) = split_port(authority)?;
        let host = host_of(host)?;
        let port = match port {
            None if encrypted => 443,
            None => 80,
            Some(digits) => {
                let plain = (1..=5).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
                match digits.parse::<u16>() {
                    Ok(port) if plain && port > 0 => port,
                    _ => return refuse("the URL's port is not a number from 1 to 65535"),
                }
            }
        };
        let path = match path.as_bytes().first() {
            None => "/".to_owned(),
            Some(b'/') => path.to_owned(),
            Some(_) => format!("/{path}"),
        };
        if path.parse::<hyper::http::uri::PathAndQuery>().is_err() || !path.is_ascii() {
            return refuse("the URL's path has characters in it that have to be written as %…");
        }
        Ok(Target { encrypted, host, port, path })
    }

    /// Whether it is spoken to with TLS.
    pub fn encrypted(&self) -> bool {
        self.encrypted
    }

    /// Who is there.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What is asked for there: path and query. It may be what protects the receiver, so it is for no log.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The host and, unless it is the usual one, the port: what the `Host` header says.
    pub fn authority(&self) -> String {
        match (self.encrypted, self.port) {
            (true, 443) | (false, 80) => self.host.to_string(),
            (_, port) => format!("{}:{port}", self.host),
        }
    }
}

/// The host and the port of an authority, where they are set apart.
fn split_port(authority: &str) -> Result<(&str, Option<&str>), Refusal> {
    if authority.starts_with('[') {
        let Some((host, rest)) = authority.split_once(']') else {
            return Err(Refusal::Url("the URL's host has an opening bracket only"));
        };
        let host = &authority[..=host.len()];
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err(Refusal::Url("the URL has something between the address and the port")),
        };
    }
    Ok(match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    })
}

/// A host that cannot be read in two ways.
fn host_of(text: &str) -> Result<Host, Refusal> {
    let refuse = |reason| Err(Refusal::Url(reason));
    if let Some(inner) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        // The parser takes no zone (%eth0), and no other spelling of the embedded IPv4 address than the usual one.
        return match inner.parse::<Ipv6Addr>() {
            Ok(address) => Ok(Host::Address(canonical(IpAddr::V6(address)))),
            Err(_) => refuse("the URL's host is not an IPv6 address"),
        };
    }
    if text.is_empty() {
        return refuse("the URL has no host");
    }
    if !text.is_ascii() {
        return refuse("the URL's host has letters beyond ASCII in it: write the name as xn--…");
    }
    if text.contains('%') {
        return refuse("the URL's host has %… in it");
    }
    if text.ends_with('.') {
        return refuse("the URL's host ends with a full stop");
    }
    let name = text.to_ascii_lowercase();
    let plain = |label: &str| {
        (1..=MAX_LABEL_BYTES).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    if name.len() > MAX_NAME_BYTES || !name.split('.').all(plain) {
        return refuse("the URL's host is not a name");
    }
    // What ends in a number is an address to most resolvers, in decimal, octal or hexadecimal digits and with one to four
    // parts: https://url.spec.whatwg.org/#ends-in-a-number-checker. One spelling is taken, the one that all agree on.
    let last = name.rsplit('.').next().unwrap_or_default();
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let hexadecimal = last.strip_prefix("0x").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if digits(last) || hexadecimal {
        return match name.parse::<Ipv4Addr>() {
            Ok(address) => Ok(Host::Address(address.into())),
            Err(_) => refuse("the URL's host looks like a number and is not a plain IPv4 address"),
        };
    }
    Ok(Host::Name(name))
}

/// The address that a packet goes to: an IPv4 address dressed as an IPv6 one (`::ffff:a.b.c.d`) is the IPv4 address.
fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// Networks that nobody has a public receiver in, and what to call an address of theirs; the narrower one first. Source: the
/// IANA registries of special-purpose IPv4 and IPv6 addresses.
const CLOSED: [(&str, &str); 35] = [
    ("127.0.0.0/8", "a loopback address"),
    ("10.0.0.0/8", "a private address"),
    ("172.16.0.0/12", "a private address"),
    ("192.168.0.0/16", "a private address"),
    ("100.64.0.0/10", "a private address of a provider"),
    ("169.254.0.0/16", "a link-local address"),
    ("0.0.0.0/8", "an unspecified address"),
    ("255.255.255.255/32", "a broadcast address"),
    ("224.0.0.0/4", "a multicast address"),
    ("240.0.0.0/4", "a reserved address"),
    ("192.0.0.0/24", "a reserved address"),
    ("192.0.2.0/24", "an address for examples"),
    ("198.51.100.0/24", "an address for examples"),
    ("203.0.113.0/24", "an address for examples"),
    ("198.18.0.0/15", "an address for benchmarks"),
    ("192.88.99.0/24", "an address of a tunnel"),
    // It is in no registry: the machine below a virtual machine at Azure answers there.
    ("168.63.129.16/32", "an address of the cloud's own"),
    ("::/128", "an unspecified address"),
    ("::1/128", "a loopback address"),
    ("::/96", "a reserved address"),
    ("64:ff9b:1::/48", "a private address"),
    ("100::/64", "a reserved address"),
    ("fc00::/7", "a private address"),
    ("fe80::/10", "a link-local address"),
    ("fec0::/10", "a private address"),
    ("ff00::/8", "a multicast address"),
    ("2001::/32", "an address of a tunnel"),
    ("2001:2::/48", "an address for benchmarks"),
    ("2001:db8::/32", "an address for examples"),
    ("2001::/23", "a reserved address"),
    ("2002::/16", "an address of a tunnel"),
    ("3fff::/20", "an address for examples"),
    // All of the rest that is not in 2000::/3, where public addresses are, but the translated IPv4 ones below.
    ("::/3", "a reserved address"),
    ("4000::/2", "a reserved address"),
    ("8000::/1", "a reserved address"),
];

/// Translated IPv4 addresses, RFC 6052: as good or bad as what they are translated to.
const TRANSLATED: &str = "64:ff9b::/96";

struct Nets {
    closed: Vec<(IpNet, &'static str)>,
    translated: IpNet,
}

static NETS: LazyLock<Nets> = LazyLock::new(|| {
    let net = |text: &str| text.parse::<IpNet>().expect("the table holds networks");
    Nets { closed: CLOSED.iter().map(|(text, sort)| (net(text), *sort)).collect(), translated: net(TRANSLATED) }
});

/// What sort of address it is that webhooks do not go to; `None` when they do.
pub fn sort_of_refused(targets: &Targets, address: IpAddr) -> Option<&'static str> {
    let Targets::Public { allowed } = targets else { return None };
    // The address itself and each that is reached by it have to be fine, or opened by the operator.
    let address = canonical(address);
    std::iter::once(address).chain(within(address).map(IpAddr::V4)).find_map(|address| {
        let opened = allowed.iter().any(|net| net.contains(&address));
        if opened { None } else { closed(address) }
    })
}

fn closed(address: IpAddr) -> Option<&'static str> {
    if NETS.translated.contains(&address) {
        return None;
    }
    NETS.closed.iter().find(|(net, _)| net.contains(&address)).map(|(_, sort)| *sort)
}

/// The IPv4 addresses that packets to this address may end up at, by a translator or through a tunnel.
fn within(address: IpAddr) -> impl Iterator<Item = Ipv4Addr> {
    let parts = match address {
        IpAddr::V6(address) => address.segments(),
        IpAddr::V4(_) => [0; 8],
    };
    let at = |place: usize| Ipv4Addr::from((u32::from(parts[place]) << 16) | u32::from(parts[place + 1]));
    let last = at(6);
    let found = match parts {
        _ if address.is_ipv4() => [None, None],
        // The unspecified address and loopback, which are no IPv4 addresses.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => [None, None],
        // IPv4-compatible (RFC 4291), IPv4-translated (RFC 2765), translated by NAT64 (RFC 6052, RFC 8215).
        [0, 0, 0, 0, 0, 0, _, _] | [0, 0, 0, 0, 0xffff, 0, _, _] => [Some(last), None],
        [0x64, 0xff9b, 0, 0, 0, 0, _, _] | [0x64, 0xff9b, 1, _, _, _, _, _] => [Some(last), None],
        // 6to4, RFC 3056.
        [0x2002, ..] => [Some(at(1)), None],
        // Teredo, RFC 4380: the server, and the client with every bit turned over.
        [0x2001, 0, ..] => [Some(at(2)), Some(Ipv4Addr::from(!u32::from(last)))],
        // ISATAP, RFC 5214, in any network.
        [_, _, _, _, 0 | 0x200, 0x5efe, _, _] => [Some(last), None],
        _ => [None, None],
    };
    found.into_iter().flatten()
}

/// What looks a name up.
pub trait Resolver: Send + Sync {
    /// Every address that the name stands for.
    fn addresses(&self, name: &str) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + '_>>;
}

/// The machine's own way of looking names up.
pub struct SystemResolver {
    room: Arc<Semaphore>,
}

impl Default for SystemResolver {
    fn default() -> SystemResolver {
        SystemResolver { room: Arc::new(Semaphore::new(LOOKUPS)) }
    }
}

impl Resolver for SystemResolver {
    fn addresses(&self, name: &str) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + '_>> {
        let name = name.to_owned();
        Box::pin(async move {
            // A look-up cannot be called off: its place is taken until it ends, whoever has given up waiting for it.
            let place = self.room.clone().acquire_owned().await.map_err(io::Error::other)?;
            let lookup = tokio::task::spawn_blocking(move || {
                let found = (name.as_str(), 0).to_socket_addrs();
                drop(place);
                found.map(|found| found.map(|address| address.ip()).collect())
            });
            lookup.await.map_err(io::Error::other)?
        })
    }
}

/// Who lets webhooks out.
pub struct Guard {
    targets: Targets,
    resolver: Arc<dyn Resolver>,
    remembered: Mutex<HashMap<String, Arc<Known>>>,
}

/// What is known of a name. Whoever looks it up holds it, so that others wait for the one look-up.
type Known = tokio::sync::Mutex<Option<Remembered>>;

struct Remembered {
    until: Instant,
    judged: Result<Arc<[IpAddr]>, Refusal>,
}

impl Guard {
    /// Lets webhooks go to those targets.
    pub fn new(targets: Targets, resolver: Arc<dyn Resolver>) -> Guard {
        Guard { targets, resolver, remembered: Mutex::default() }
    }

    /// Whether the URL is one that webhooks may have, as far as it says so itself: names are not looked up. For those who
    /// keep the URL.
    pub fn examine(&self, url: &str) -> Result<Target, Refusal> {
        let target = Target::parse(url)?;
        if let Host::Address(address) = target.host() {
            self.judge(target.host(), &[*address])?;
        }
        Ok(target)
    }

    /// Where to connect to: addresses that were all judged, in the order of the resolver. A name is looked up once; what was
    /// found is remembered with its judgement for a few seconds. Takes as long as the resolver does.
    pub async fn admit(&self, target: &Target) -> Result<Vec<SocketAddr>, Refusal> {
        let found = match target.host() {
            Host::Address(address) => {
                self.judge(target.host(), &[*address])?;
                Arc::from([*address])
            }
            Host::Name(name) => self.judged(name, target.host()).await?,
        };
        Ok(found.iter().take(MAX_ADDRESSES).map(|address| SocketAddr::new(*address, target.port())).collect())
    }

    async fn judged(&self, name: &str, host: &Host) -> Result<Arc<[IpAddr]>, Refusal> {
        let known = self.known(name);
        let mut known = known.lock().await;
        if let Some(Remembered { until, judged }) = &*known
            && *until > Instant::now()
        {
            return judged.clone();
        }
        let judged = match self.resolver.addresses(name).await {
            Ok(found) if !found.is_empty() => self.judge(host, &found).map(|()| Arc::from(found)),
            Ok(_) | Err(_) => Err(Refusal::Unknown(name.to_owned())),
        };
        *known = Some(Remembered { until: Instant::now() + REMEMBERED, judged: judged.clone() });
        judged
    }

    /// Where what is known of a name is, in memory when there is room for it.
    fn known(&self, name: &str) -> Arc<Known> {
        let mut remembered = self.remembered.lock();
        if let Some(known) = remembered.get(name) {
            return known.clone();
        }
        if remembered.len() >= MAX_REMEMBERED {
            let now = Instant::now();
            remembered.retain(|_, known| match known.try_lock() {
                Ok(known) => known.as_ref().is_some_and(|known| known.until > now),
                // It is being looked up.
                Err(_) => true,
            });
        }
        let known = Arc::<Known>::default();
        if remembered.len() < MAX_REMEMBERED {
            remembered.insert(name.to_owned(), known.clone());
        }
        known
    }

    fn judge(&self, host: &Host, found: &[IpAddr]) -> Result<(), Refusal> {
        match found.iter().find_map(|address| sort_of_refused(&self.targets, *address)) {
            Some(sort) => Err(Refusal::Address { host: host.to_string(), sort }),
            None => Ok(()),
        }
    }
}
