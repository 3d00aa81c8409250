//! Where a request comes from, through proxies that are trusted.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use dregs_core::event;
use ipnet::IpNet;

use crate::app::App;

/// The address a request comes from, as far as it is known.
pub fn address(parts: &Parts, app: &App) -> Option<IpAddr> {
    Some(client_address(peer(parts)?, &parts.headers, &app.config.trusted_proxies))
}

/// The address of the connection: of IPv4 too, where the server listens on IPv6 for both.
pub fn peer(parts: &Parts) -> Option<IpAddr> {
    parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip().to_canonical())
}

/// The address of the client: of the connection, or, where that is a trusted proxy's, the last one
/// in `X-Forwarded-For` that is not.
fn client_address(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let trusted = |ip: IpAddr| proxies.iter().any(|network| network.contains(&ip));
    if !trusted(peer) {
        return peer;
    }
    let forwarded = headers.get_all("x-forwarded-for");
    // What a client has put in front must not spoil what a proxy has added to the same line.
    let lines: Vec<_> = forwarded.iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    let hops = lines.iter().flat_map(|line| line.split(',')).map(event::address);
    let mut client = peer;
    for hop in hops.collect::<Vec<_>>().into_iter().rev() {
        // Whatever stands before something unreadable was written by nobody known.
        let Some(ip) = hop else { break };
        client = ip;
        if !trusted(ip) {
            break;
        }
    }
    client
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_peer_of_ipv4_is_one_where_the_server_listens_on_ipv6() {
        let (mut parts, ()) = axum::http::Request::new(()).into_parts();
        let of_both: SocketAddr = "[::ffff:10.0.0.1]:1".parse().expect("an address");
        parts.extensions.insert(ConnectInfo(of_both));
        assert_eq!(peer(&parts), "10.0.0.1".parse().ok());
    }

    #[test]
    fn believes_forwarded_addresses_of_trusted_proxies_only() {
        let proxies: Vec<IpNet> = vec!["10.0.0.0/8".parse().expect("a network")];
        let cases = [
            ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
            ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
            ("10.0.0.1", "6.6.6.6, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
            ("10.0.0.1", "198.51.100.1, nonsense", "10.0.0.1"),
            ("10.0.0.1", "", "10.0.0.1"),
            // As gateways of Azure write it, and others.
            ("10.0.0.1", "198.51.100.1:55123", "198.51.100.1"),
            ("10.0.0.1", "6.6.6.6, 198.51.100.1:55123, 10.0.0.2:443", "198.51.100.1"),
            ("10.0.0.1", "[2001:db8::1]:443", "2001:db8::1"),
            ("10.0.0.1", "[2001:db8::1]", "2001:db8::1"),
            ("10.0.0.1", "\"[2001:db8::1]:443\"", "2001:db8::1"),
            ("10.0.0.1", "::ffff:198.51.100.1", "198.51.100.1"),
            ("10.0.0.1", "198.51.100.1, ::ffff:10.0.0.2", "198.51.100.1"),
            ("10.0.0.1", "ä, 198.51.100.1", "198.51.100.1"),
            ("10.0.0.1", "198.51.100.1:", "10.0.0.1"),
        ];
        for (peer, forwarded, expected) in cases {
            let headers = HeaderMap::from_iter([(
                axum::http::HeaderName::from_static("x-forwarded-for"),
                HeaderValue::from_bytes(forwarded.as_bytes()).expect("a header"),
            )]);
            let client = client_address(peer.parse().expect("an address"), &headers, &proxies);
            assert_eq!(client.to_string(), expected, "{peer} {forwarded}");
        }
    }
}
