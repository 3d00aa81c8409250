//! Networks that nothing is sent to unless the operator allows it, and addresses in disguise.
//!
//! From the IANA special-purpose address registries for IPv4 and IPv6 (RFC 6890), the multicast
//! and reserved blocks, and the metadata addresses of the large clouds.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

type Reserved<Net> = (Net, &'static str);

const METADATA: &str = "the address of a cloud's metadata service";
const PRIVATE: &str = "a private address";
const LINK_LOCAL: &str = "a link-local address";
const DOCUMENTATION: &str = "an address for documentation only";
const MULTICAST: &str = "a multicast address";
const RESERVED: &str = "a reserved address";

/// The first that contains an address counts.
const RESERVED_V4: &[Reserved<Ipv4Net>] = &[
    (v4([169, 254, 169, 254], 32), METADATA),
    (v4([169, 254, 170, 2], 32), METADATA),
    (v4([100, 100, 100, 200], 32), METADATA),
    (v4([168, 63, 129, 16], 32), METADATA),
    (v4([192, 0, 0, 192], 32), METADATA),
    (v4([0, 0, 0, 0], 32), "the unspecified address"),
    (v4([0, 0, 0, 0], 8), "an address of this network"),
    (v4([10, 0, 0, 0], 8), PRIVATE),
    (v4([100, 64, 0, 0], 10), "a carrier-grade NAT address"),
    (v4([127, 0, 0, 0], 8), "a loopback address"),
    (v4([169, 254, 0, 0], 16), LINK_LOCAL),
    (v4([172, 16, 0, 0], 12), PRIVATE),
    (v4([192, 0, 0, 0], 24), RESERVED),
    (v4([192, 0, 2, 0], 24), DOCUMENTATION),
    (v4([192, 88, 99, 0], 24), RESERVED),
    (v4([192, 168, 0, 0], 16), PRIVATE),
    (v4([198, 18, 0, 0], 15), "an address for benchmarks only"),
    (v4([198, 51, 100, 0], 24), DOCUMENTATION),
    (v4([203, 0, 113, 0], 24), DOCUMENTATION),
    (v4([224, 0, 0, 0], 4), MULTICAST),
    (v4([255, 255, 255, 255], 32), "the broadcast address"),
    (v4([240, 0, 0, 0], 4), RESERVED),
];

/// The first that contains an address counts.
const RESERVED_V6: &[Reserved<Ipv6Net>] = &[
    (v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254], 128), METADATA),
    (v6([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254], 128), METADATA),
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 128), "the unspecified address"),
    (v6([0, 0, 0, 0, 0, 0, 0, 1], 128), "a loopback address"),
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 96), "an IPv4-compatible address"),
    (v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48), "a local NAT64 address"),
    (v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64), "an address that discards"),
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32), "a Teredo address"),
    (v6([0x2001, 2, 0, 0, 0, 0, 0, 0], 48), "an address for benchmarks only"),
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), RESERVED),
    (v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), DOCUMENTATION),
    (v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16), "a 6to4 address"),
    (v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), DOCUMENTATION),
    (v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7), PRIVATE),
    (v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10), LINK_LOCAL),
    (v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10), "a site-local address"),
    (v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8), MULTICAST),
];

/// All that is in use of IPv6 (RFC 4291 and its registry); what lies outside is reserved.
const GLOBAL_UNICAST_V6: Ipv6Net = v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

/// The translation prefix of RFC 6052: the last four bytes are the IPv4 address meant.
const NAT64: Ipv6Net = v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96);

const fn v4(octets: [u8; 4], prefix_bits: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::from_octets(octets), prefix_bits)
}

const fn v6(segments: [u16; 8], prefix_bits: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::from_segments(segments), prefix_bits)
}

/// The IPv4 address that an IPv4-mapped or NAT64 address stands for; any other as it is.
pub(super) fn unwrapped(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else {
        return address;
    };
    let [.., a, b, c, d] = v6.octets();
    if v6.to_ipv4_mapped().is_some() || NAT64.contains(&v6) {
        Ipv4Addr::new(a, b, c, d).into()
    } else {
        address
    }
}

/// The reserved network the address is in and what such an address is called, if it is in one.
/// The address is [`unwrapped`].
pub(super) fn reserved(address: IpAddr) -> Option<(IpNet, &'static str)> {
    match address {
        IpAddr::V4(v4) => {
            let found = RESERVED_V4.iter().find(|(network, _)| network.contains(&v4));
            found.map(|(network, what)| (IpNet::V4(*network), *what))
        }
        IpAddr::V6(v6) => {
            let found = RESERVED_V6.iter().find(|(network, _)| network.contains(&v6));
            let found = found.map(|(network, what)| (IpNet::V6(*network), *what));
            let outside = || (!GLOBAL_UNICAST_V6.contains(&v6)).then(|| (IpNet::from(address), RESERVED));
            found.or_else(outside)
        }
    }
}
