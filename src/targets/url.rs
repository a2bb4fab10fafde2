//! Where a webhook goes, as its URL says it: taken apart strictly, so that nobody behind this file could read it differently.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest URL of a target, in bytes.
pub const MAX_URL_BYTES: usize = 2_048;
/// The longest name of a host, in bytes: RFC 1035.
const MAX_NAME_BYTES: usize = 253;
/// The longest part of a name between two full stops: RFC 1035.
const MAX_LABEL_BYTES: usize = 63;

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

/// Why a URL is none that webhooks may have. The words tell nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotATarget(pub &'static str);

impl fmt::Display for NotATarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Target {
    /// The target of a URL.
    pub fn parse(url: &str) -> Result<Target, NotATarget> {
        let refuse = |reason| Err(NotATarget(reason));
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
        if !path.bytes().all(may_be_in_a_path) {
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

/// What RFC 3986 has in a path and a query, and what programs write there all the same.
fn may_be_in_a_path(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}')
}

/// The host and the port of an authority, where they are set apart.
fn split_port(authority: &str) -> Result<(&str, Option<&str>), NotATarget> {
    if authority.starts_with('[') {
        let Some((host, rest)) = authority.split_once(']') else {
            return Err(NotATarget("the URL's host has an opening bracket only"));
        };
        let host = &authority[..=host.len()];
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err(NotATarget("the URL has something between the address and the port")),
        };
    }
    Ok(match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    })
}

/// A host that cannot be read in two ways.
fn host_of(text: &str) -> Result<Host, NotATarget> {
    let refuse = |reason| Err(NotATarget(reason));
    if let Some(inner) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        // The parser takes no zone (%eth0), and no other spelling of the embedded IPv4 address than the usual one.
        return match inner.parse::<Ipv6Addr>() {
            Ok(address) => Ok(Host::Address(IpAddr::V6(address).to_canonical())),
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Host, Target};

    fn parts(url: &str) -> (bool, String, u16, String) {
        let target = Target::parse(url).unwrap_or_else(|refusal| panic!("{url}: {refusal}"));
        (target.encrypted(), target.host().to_string(), target.port(), target.path().to_owned())
    }

    #[test]
    fn a_url_is_taken_apart() {
        for (url, encrypted, host, port, path) in [
            ("https://hooks.example.com/stripe", true, "hooks.example.com", 443, "/stripe"),
            ("http://hooks.example.com", false, "hooks.example.com", 80, "/"),
            ("HTTPS://Hooks.Example.COM:8443/A?b=C%20d", true, "hooks.example.com", 8443, "/A?b=C%20d"),
            ("http://localhost:3000?to=me", false, "localhost", 3000, "/?to=me"),
            ("http://203.0.114.7:65535/", false, "203.0.114.7", 65535, "/"),
            ("http://[2606:4700::1111]/x", false, "[2606:4700::1111]", 80, "/x"),
            ("http://[::ffff:127.0.0.1]:1/x", false, "127.0.0.1", 1, "/x"),
            ("https://my_service.internal/x@y", true, "my_service.internal", 443, "/x@y"),
            ("https://xn--bcher-kva.example/a:b", true, "xn--bcher-kva.example", 443, "/a:b"),
            ("https://0xcafe.example/", true, "0xcafe.example", 443, "/"),
        ] {
            assert_eq!(parts(url), (encrypted, host.to_owned(), port, path.to_owned()), "{url}");
        }
    }

    #[test]
    fn a_receiver_is_called_by_the_name_in_its_url() {
        for (url, authority) in [
            ("https://a.example:443/", "a.example"),
            ("https://a.example:80/", "a.example:80"),
            ("http://a.example/", "a.example"),
            ("http://[2606:4700::1111]:81/", "[2606:4700::1111]:81"),
        ] {
            assert_eq!(Target::parse(url).unwrap().authority(), authority);
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        let long_name = format!("http://{}.example/", "a".repeat(64));
        let long_host = format!("http://{}/", "a.".repeat(130) + "a");
        let long_url = format!("http://a.example/{}", "a".repeat(2_048));
        for url in [
            // No URL of the web.
            "",
            "hooks.example.com",
            "ftp://a.example/",
            "file:///etc/passwd",
            "gopher://127.0.0.1:6379/_x",
            "http:/a.example/",
            "//a.example/",
            "javascript://a.example/",
            " http://a.example/",
            "http://a.example/ ",
            "http://a.example/a b",
            "http://a.example/\r\nX-Header: 1",
            "http://a.example/\0",
            "http://a.example/\u{7f}",
            "http://a.example/ü",
            "http://a.example/<x>",
            &long_url,
            // Who is asked.
            "http://user@a.example/",
            "http://user:word@a.example/",
            "http://a.example@127.0.0.1/",
            "http://@a.example/",
            "http://a.example\\@127.0.0.1/",
            "http://a.example\\.b.example/",
            "http://a.example/#x",
            "http://a.example#@127.0.0.1/",
            // Ports.
            "http://a.example:/",
            "http://a.example:0/",
            "http://a.example:65536/",
            "http://a.example:+80/",
            "http://a.example:080000/",
            "http://a.example:80:80/",
            "http://a.example:http/",
            // Names.
            "http:///x",
            "http://?x",
            "http://a..example/",
            "http://.example/",
            "http://a.example./",
            "http://127.0.0.1./",
            "http://a,b/",
            "http://a*b/",
            "http://%31%32%37.0.0.1/",
            "http://a%00.example/",
            "http://１２７.0.0.1/",
            "http://bücher.example/",
            "http://a。example/",
            "http://ⓔxample.com/",
            &long_name,
            &long_host,
            // Numbers that some resolvers take for addresses.
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0x7f.1/",
            "http://0x7f.0.0.0x1/",
            "http://017700000001/",
            "http://0177.0.0.1/",
            "http://127.0.0.01/",
            "http://127.1/",
            "http://127.0.1/",
            "http://0/",
            "http://0x/",
            "http://1.2.3.4.5/",
            "http://256.0.0.1/",
            "http://a.0x7f/",
            "http://a.1/",
            // IPv6.
            "http://[::1/",
            "http://::1/",
            "http://[::1]x/",
            "http://[::1]:/",
            "http://[fe80::1%25eth0]/",
            "http://[fe80::1%eth0]/",
            "http://[1::2::3]/",
            "http://[127.0.0.1]/",
            "http://[::ffff:0x7f.1]/",
            "http://[v1.x]/",
            "http://[]/",
        ] {
            Target::parse(url).map(|target| target.host().to_string()).expect_err(url);
        }
    }

    proptest! {
        #[test]
        fn whoever_reads_a_target_again_reads_the_same(
            url in prop_oneof![
                ".*",
                "[hH]ttps?://[a-z0-9.:@%\\[\\]_-]{0,20}[/?#]?[ -~]{0,10}",
                "http://(0x)?[0-9a-f]{1,10}(\\.(0x)?[0-9a-f]{0,4}){0,4}\\.?(:[0-9]{0,6})?",
                "http://\\[[0-9a-f:.%]{0,40}\\](:[0-9]{0,6})?/",
            ]
        ) {
            if let Ok(target) = Target::parse(&url) {
                let scheme = if target.encrypted() { "https" } else { "http" };
                let again = format!("{scheme}://{}{}", target.authority(), target.path());
                prop_assert_eq!(Target::parse(&again), Ok(target.clone()));
                if let Host::Name(name) = target.host() {
                    prop_assert!(name.parse::<std::net::IpAddr>().is_err());
                    prop_assert!(!name.rsplit('.').next().unwrap_or_default().starts_with(|c: char| c.is_ascii_digit())
                        || name.contains(|c: char| c.is_ascii_alphabetic() || c == '-' || c == '_'));
                }
            }
        }
    }
}
