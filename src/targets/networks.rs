//! Which addresses webhooks do not go to, unless the operator has opened their network.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;

use ipnet::IpNet;

use crate::settings::Targets;

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
    // An IPv4 address dressed as an IPv6 one (::ffff:a.b.c.d) is the IPv4 address.
    let address = address.to_canonical();
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

#[cfg(test)]
mod tests {
    use super::sort_of_refused;
    use crate::settings::Targets;

    fn public(allowed: &[&str]) -> Targets {
        Targets::Public { allowed: allowed.iter().map(|net| net.parse().unwrap()).collect() }
    }

    #[test]
    fn addresses_that_nobody_receives_at_in_public_are_refused() {
        for (addresses, sort) in [
            (&["127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1"][..], "a loopback address"),
            (&["10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.1.1"], "a private address"),
            (&["::ffff:10.0.0.1", "fc00::1", "fd00:ec2::254", "fec0::1", "64:ff9b:1::8.8.8.8"], "a private address"),
            (&["100.64.0.1", "100.100.100.200", "100.127.255.255"], "a private address of a provider"),
            (
                &["169.254.169.254", "169.254.0.0", "fe80::1", "febf::1", "::ffff:169.254.169.254"],
                "a link-local address",
            ),
            (&["0.0.0.0", "0.1.2.3", "::", "::ffff:0.0.0.0"], "an unspecified address"),
            (&["255.255.255.255"], "a broadcast address"),
            (&["224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1"], "a multicast address"),
            (
                &["240.0.0.1", "192.0.0.192", "100::1", "2001:10::1", "4000::1", "5f00::1", "200::1"],
                "a reserved address",
            ),
            (&["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"], "an address for examples"),
            (&["198.18.0.1", "198.19.255.255", "2001:2::1"], "an address for benchmarks"),
            (&["192.88.99.1", "2002:0808:0808::1", "2001:0:808:808::f7f7:f7f7"], "an address of a tunnel"),
            (&["168.63.129.16"], "an address of the cloud's own"),
            // What they stand for.
            (&["64:ff9b::127.0.0.1", "64:ff9b::7f00:1"], "a loopback address"),
            (&["64:ff9b::10.1.2.3", "64:ff9b::c0a8:1"], "a private address"),
            (&["64:ff9b::a9fe:a9fe"], "a link-local address"),
            (&["::7f00:1", "::8.8.8.8", "::ffff:0:127.0.0.1", "::ffff:0:8.8.8.8"], "a reserved address"),
            (&["2606:4700::5efe:10.0.0.1", "2606:4700::200:5efe:10.0.0.1"], "a private address"),
        ] {
            for address in addresses {
                assert_eq!(sort_of_refused(&public(&[]), address.parse().unwrap()), Some(sort), "{address}");
                assert_eq!(sort_of_refused(&Targets::Any, address.parse().unwrap()), None, "{address}");
            }
        }
    }

    #[test]
    fn public_addresses_are_not() {
        for address in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "2620:4f:8000::1",
            "64:ff9b::8.8.8.8",
            "::ffff:8.8.8.8",
        ] {
            assert_eq!(sort_of_refused(&public(&[]), address.parse().unwrap()), None, "{address}");
        }
    }

    #[test]
    fn what_the_operator_opened_is_open_and_nothing_else() {
        let targets = public(&["10.1.0.0/16", "::1/128", "2002::/16"]);
        for address in ["10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "::1", "2002:a01:203::1", "2002:808:808::1"]
        {
            assert_eq!(sort_of_refused(&targets, address.parse().unwrap()), None, "{address}");
        }
        // The tunnel is open, what is at its end is not.
        for address in ["10.2.0.1", "127.0.0.1", "64:ff9b::10.2.0.1", "2002:a02:1::1", "2002:7f00:1::1", "::10.1.2.3"] {
            assert!(sort_of_refused(&targets, address.parse().unwrap()).is_some(), "{address}");
        }
    }
}
