//! Where a webhook may go: not into this machine, its network or its cloud's metadata, unless the settings allow it.
//!
//! Looked at is the address to which the connection will go, not the name: [`GuardedResolver`] stands between name and
//! connection, so that a name which means something else the second time brings nobody in.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What is known about an address by its looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressKind {
    /// The internet's.
    Public,
    /// Loopback, RFC 1918, unique local, shared (RFC 6598).
    Private,
    /// Link-local, and from where clouds hand out credentials.
    LinkLocal,
    /// Nobody's: unspecified, multicast, broadcast, reserved.
    Never,
}

/// What the settings of a webhook allow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct AddressGuard {
    /// `allow_private_addresses`.
    pub allow_private_addresses: bool,
    /// `allow_link_local`.
    pub allow_link_local: bool,
}

/// An address to which a webhook may not go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefusedAddress {
    /// `allow_private_addresses` would allow it.
    #[error(
        "{0} is a private address; set `allow_private_addresses: true` for this webhook if it may go there, and retry"
    )]
    Private(IpAddr),
    /// `allow_link_local` would allow it.
    #[error(
        "{0} is a link-local or metadata address, from which clouds hand out credentials; set `allow_link_local: true` \
         for this webhook if it may go there all the same, and retry"
    )]
    LinkLocal(IpAddr),
    /// Nothing allows it.
    #[error("{0} is no address of a receiver; correct the webhook's `url` or the name in it, and retry")]
    Never(IpAddr),
}

use AddressKind::{LinkLocal, Never, Private, Public};

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix))
}

const fn v6(first: u16, second: u16, prefix: u8) -> IpNet {
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(first, second, 0, 0, 0, 0, 0, 0), prefix))
}

const fn one(address: IpAddr) -> IpNet {
    match address {
        IpAddr::V4(address) => IpNet::V4(Ipv4Net::new_assert(address, 32)),
        IpAddr::V6(address) => IpNet::V6(Ipv6Net::new_assert(address, 128)),
    }
}

/// The first that holds an address says what it is; what none holds is public.
const KINDS: &[(IpNet, AddressKind)] = &[
    // Metadata services that are not link-local: Alibaba, Oracle, Azure, and EC2's over IPv6.
    (v4(100, 100, 100, 200, 32), LinkLocal),
    (v4(192, 0, 0, 192, 32), LinkLocal),
    (v4(168, 63, 129, 16, 32), LinkLocal),
    (one(IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254))), LinkLocal),
    (v4(169, 254, 0, 0, 16), LinkLocal),
    (v6(0xfe80, 0, 10), LinkLocal),
    (v4(127, 0, 0, 0, 8), Private),
    (v4(10, 0, 0, 0, 8), Private),
    (v4(172, 16, 0, 0, 12), Private),
    (v4(192, 168, 0, 0, 16), Private),
    (v4(100, 64, 0, 0, 10), Private),
    (one(IpAddr::V6(Ipv6Addr::LOCALHOST)), Private),
    (v6(0xfc00, 0, 7), Private),
    (v6(0xfec0, 0, 10), Private),
    // "This network", protocol assignments, documentation, benchmarks, multicast, reserved and broadcast.
    (v4(0, 0, 0, 0, 8), Never),
    (v4(192, 0, 0, 0, 24), Never),
    (v4(192, 0, 2, 0, 24), Never),
    (v4(198, 18, 0, 0, 15), Never),
    (v4(198, 51, 100, 0, 24), Never),
    (v4(203, 0, 113, 0, 24), Never),
    (v4(224, 0, 0, 0, 3), Never),
    (v6(0, 0, 96), Never),
    (v6(0xff00, 0, 8), Never),
    (v6(0x2001, 0xdb8, 32), Never),
    (v6(0x0100, 0, 64), Never),
    // Teredo and the local form of NAT64 hide where they lead.
    (v6(0x2001, 0, 32), Never),
    (v6(0x0064, 0xff9b, 32), Never),
];

/// What an address is. One of IPv6 that leads to one of IPv4 is what that one is.
pub fn kind(address: IpAddr) -> AddressKind {
    let address = match address {
        IpAddr::V6(address) => embedded(address).map_or(IpAddr::V6(address), IpAddr::V4),
        IpAddr::V4(_) => address,
    };
    KINDS.iter().find(|(net, _)| net.contains(&address)).map_or(Public, |(_, kind)| *kind)
}

/// The IPv4 address behind a mapped, compatible, translated (NAT64) or tunnelled (6to4) one.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let parts = address.segments();
    let [.., high, low] = parts;
    let (high, low) = match parts {
        [0, 0, 0, 0, 0, 0xffff, ..] | [0, 0, 0, 0, 0xffff, 0, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => {
            (high, low)
        }
        // `::` and `::1` are addresses of their own.
        [0, 0, 0, 0, 0, 0, ..] if high > 0 => (high, low),
        [0x2002, high, low, ..] => (high, low),
        _ => return None,
    };
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    Some(Ipv4Addr::new(a, b, c, d))
}

impl AddressGuard {
    /// Whether a connection may be made to `address`.
    ///
    /// # Errors
    /// Why not.
    pub fn check(self, address: IpAddr) -> Result<(), RefusedAddress> {
        match kind(address) {
            Public => Ok(()),
            Private if self.allow_private_addresses => Ok(()),
            LinkLocal if self.allow_link_local => Ok(()),
            Private => Err(RefusedAddress::Private(address)),
            LinkLocal => Err(RefusedAddress::LinkLocal(address)),
            Never => Err(RefusedAddress::Never(address)),
        }
    }

    /// Whether the address that stands in `url` itself is allowed; a name is looked at when it is resolved.
    ///
    /// # Errors
    /// Why not.
    pub fn check_literal(self, url: &url::Url) -> Result<(), RefusedAddress> {
        match url.host() {
            Some(url::Host::Ipv4(address)) => self.check(address.into()),
            Some(url::Host::Ipv6(address)) => self.check(address.into()),
            Some(url::Host::Domain(_)) | None => Ok(()),
        }
    }

    /// Of the addresses of a name those that are allowed.
    ///
    /// # Errors
    /// Why none is.
    pub fn allowed(self, addresses: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, RefusedAddress> {
        let (mut allowed, mut refused) = (Vec::new(), None);
        for address in addresses {
            match self.check(address.ip()) {
                Ok(()) => allowed.push(address),
                Err(why) => refused = refused.or(Some(why)),
            }
        }
        match refused {
            Some(why) if allowed.is_empty() => Err(why),
            _ => Ok(allowed),
        }
    }
}

/// The system's resolver, of whose answers only what is allowed is passed on.
pub struct GuardedResolver(pub AddressGuard);

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.0;
        Box::pin(async move {
            let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let allowed: Addrs = Box::new(guard.allowed(found)?.into_iter());
            Ok(allowed)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_known_by_their_looks_in_every_disguise() {
        let cases: &[(AddressKind, &[&str])] = &[
            (
                Public,
                &["8.8.8.8", "172.32.0.1", "100.128.0.1", "192.169.0.1", "2606:4700::1", "64:ff9b::808:808"],
            ),
            (Public, &["::ffff:8.8.8.8", "2002:808:808::1", "223.255.255.255"]),
            (Private, &["127.0.0.1", "127.9.9.9", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1"]),
            (Private, &["100.64.0.1", "100.127.255.255", "::1", "fc00::1", "fd12:3456::1", "fec0::1"]),
            (
                Private,
                &["::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:a00:1::1", "::127.0.0.1"],
            ),
            (LinkLocal, &["169.254.169.254", "169.254.0.1", "fe80::1", "febf::1", "::ffff:169.254.169.254"]),
            (
                LinkLocal,
                &["fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192", "64:ff9b::a9fe:a9fe"],
            ),
            (Never, &["0.0.0.0", "0.1.2.3", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "::"]),
            (
                Never,
                &["ff02::1", "2001:db8::1", "2001::1", "64:ff9b:1::a00:1", "192.0.2.1", "::ffff:0.0.0.0"],
            ),
        ];
        for (wanted, addresses) in cases {
            for address in *addresses {
                assert_eq!(kind(address.parse().unwrap()), *wanted, "{address}");
            }
        }
    }

    #[test]
    fn each_kind_has_its_own_permission_and_what_is_nobodys_has_none() {
        let guard = |private, link_local| AddressGuard {
            allow_private_addresses: private,
            allow_link_local: link_local,
        };
        let passes = |guard: AddressGuard| {
            ["8.8.8.8", "10.0.0.1", "169.254.169.254", "0.0.0.0"]
                .map(|ip| guard.check(ip.parse().unwrap()).is_ok())
        };
        assert_eq!(passes(guard(false, false)), [true, false, false, false]);
        assert_eq!(passes(guard(true, false)), [true, true, false, false]);
        assert_eq!(passes(guard(false, true)), [true, false, true, false]);
        let refused = guard(false, false).check("10.0.0.1".parse().unwrap()).unwrap_err().to_string();
        assert!(refused.contains("10.0.0.1") && refused.contains("allow_private_addresses"), "{refused}");
    }

    #[test]
    fn of_a_names_addresses_only_the_allowed_ones_are_connected_to() {
        let addresses = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>();
        let guard = AddressGuard::default();
        let both = guard.allowed(addresses(&["10.0.0.1:0", "8.8.8.8:0"])).unwrap();
        assert_eq!(both, addresses(&["8.8.8.8:0"]));
        let refused = guard.allowed(addresses(&["127.0.0.1:0", "[::1]:0"])).unwrap_err();
        assert_eq!(refused, RefusedAddress::Private("127.0.0.1".parse().unwrap()));
        assert!(guard.allowed(Vec::new()).unwrap().is_empty());
    }

    #[test]
    fn an_address_in_the_url_is_looked_at_however_it_is_written() {
        let check = |url: &str| AddressGuard::default().check_literal(&url::Url::parse(url).unwrap());
        for url in ["http://127.1/x", "http://2130706433/", "http://0x7f.0.0.1/", "http://[::ffff:7f00:1]/"] {
            assert!(check(url).is_err(), "{url}");
        }
        assert_eq!(check("https://hooks.example.com/"), Ok(()));
        assert_eq!(check("https://8.8.8.8/"), Ok(()));
    }
}
