//! Where webhooks may go, as far as a URL says it. Names are not looked up here.

mod networks;
mod url;

use std::fmt;
use std::net::IpAddr;

use crate::settings::Targets;
pub use networks::sort_of_refused;
pub use url::{Host, MAX_URL_BYTES, NotATarget, Target};

/// Why a webhook does not go to a target. The words tell nothing of the URL but its host, and never an address that a name
/// stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is not a URL that webhooks may have.
    Url(NotATarget),
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

impl From<NotATarget> for Refusal {
    fn from(reason: NotATarget) -> Refusal {
        Refusal::Url(reason)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Url(reason) => write!(f, "{reason}"),
            Refusal::Unknown(host) => write!(f, "the name {host} cannot be looked up"),
            Refusal::Address { host, sort } => write!(f, "webhooks do not go to {host}: it is {sort}"),
        }
    }
}

/// The target of a URL that webhooks may go to, as far as the URL itself says so. For those who keep it: whoever sends a
/// webhook judges what a name stands for by then.
pub fn examine(targets: &Targets, url: &str) -> Result<Target, Refusal> {
    let target = Target::parse(url)?;
    if let Host::Address(address) = target.host() {
        judge(targets, target.host(), &[*address])?;
    }
    Ok(target)
}

/// Whether webhooks may go to a host that stands for these addresses: to all of them, or not at all.
pub fn judge(targets: &Targets, host: &Host, found: &[IpAddr]) -> Result<(), Refusal> {
    match found.iter().find_map(|address| sort_of_refused(targets, *address)) {
        Some(sort) => Err(Refusal::Address { host: host.to_string(), sort }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::examine;
    use crate::settings::Targets;

    #[test]
    fn a_url_is_examined_without_looking_its_name_up() {
        let public = Targets::Public { allowed: Vec::new() };
        for url in ["http://127.0.0.1/", "https://[::ffff:10.0.0.1]:8443/x"] {
            examine(&public, url).expect_err(url);
            examine(&Targets::Any, url).expect(url);
        }
        for url in ["https://localhost/", "https://8.8.8.8/"] {
            examine(&public, url).expect(url);
        }
        examine(&Targets::Any, "http://0x7f.1/").expect_err("nobody's spelling");
        let refusal = examine(&public, "http://192.168.0.7/sesame").expect_err("a private address").to_string();
        assert_eq!(refusal, "webhooks do not go to 192.168.0.7: it is a private address");
    }
}
