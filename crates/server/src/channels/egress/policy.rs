//! What the operator allows, and what is refused otherwise.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use url::{Host, Url};

use super::reserved::{reserved, unwrapped};
use super::target::{Origin, Target};

/// The setting that allows what is refused by default.
pub const EGRESS_ALLOW: &str = "DREGS_EGRESS_ALLOW";

/// Where requests may go beyond the public internet: networks and exact hosts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EgressPolicy {
    networks: Vec<IpNet>,
    hosts: Vec<String>,
}

/// A refusal, and the setting that would lift it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Blocked {
    #[error("{address} is {what}; the operator can allow it with {EGRESS_ALLOW}={network}")]
    Address { address: IpAddr, what: &'static str, network: IpNet },
    #[error(
        "{name} resolves to {address}, {what}; the operator can allow it with {EGRESS_ALLOW}={network} or \
         {EGRESS_ALLOW}={name}"
    )]
    Name { name: String, address: IpAddr, what: &'static str, network: IpNet },
}

impl EgressPolicy {
    /// Reads networks (`127.0.0.0/8`), addresses and exact host names, separated by commas. The
    /// error is a sentence for the operator that names the part that is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut policy = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            if let Ok(network) = part.parse::<IpNet>() {
                policy.networks.push(network.trunc());
            } else if let Ok(address) = part.parse::<IpAddr>() {
                policy.networks.push(address.into());
            } else {
                match Host::parse(part) {
                    Ok(Host::Domain(name)) if is_plain_name(part) => {
                        policy.hosts.push(without_dot(&name).to_owned())
                    }
                    _ => {
                        return Err(format!(
                            "{part:?} is neither a network (127.0.0.0/8) nor the exact name of a host, \
                             without scheme, port or path"
                        ));
                    }
                }
            }
        }
        Ok(policy)
    }

    /// The same, and whatever address the host of this URL has.
    pub fn and_host_of(mut self, url: &Url) -> Self {
        match url.host() {
            Some(Host::Domain(name)) => self.hosts.push(without_dot(name).to_owned()),
            Some(Host::Ipv4(address)) => self.networks.push(IpAddr::from(address).into()),
            Some(Host::Ipv6(address)) => self.networks.push(IpAddr::from(address).into()),
            None => {}
        }
        self
    }

    /// Whether a webhook may go to a URL, as far as that can be said before resolving: see [`Self::check`].
    pub fn admits(&self, url: &str) -> bool {
        Target::parse(url).is_ok_and(|target| self.check(target.origin()).is_ok())
    }

    /// What can be said before resolving: an address is checked, a name is not, except
    /// `localhost`, which is the same everywhere (RFC 6761). For the moment a channel is created.
    pub fn check(&self, origin: &Origin) -> Result<(), Blocked> {
        match &origin.host {
            Host::Ipv4(address) => self.check_address(origin, (*address).into()),
            Host::Ipv6(address) => self.check_address(origin, (*address).into()),
            Host::Domain(name) if is_localhost(name) => {
                self.check_address(origin, Ipv4Addr::LOCALHOST.into())
            }
            Host::Domain(_) => Ok(()),
        }
    }

    /// Whether a connection for `origin` may go to `address`. The one check that counts: it is
    /// made for every address of a name, right before connecting.
    pub(super) fn check_address(&self, origin: &Origin, address: IpAddr) -> Result<(), Blocked> {
        let meant = unwrapped(address);
        let Some((network, what)) = reserved(meant) else {
            return Ok(());
        };
        if self.networks.iter().any(|allowed| allowed.contains(&meant) || allowed.contains(&address)) {
            return Ok(());
        }
        let Host::Domain(name) = &origin.host else {
            return Err(Blocked::Address { address, what, network });
        };
        let name = without_dot(name);
        if self.hosts.iter().any(|allowed| allowed == name) {
            return Ok(());
        }
        Err(Blocked::Name { name: name.to_owned(), address, what, network })
    }
}

/// Host::parse is as lenient as a browser; a setting that allows something is not.
fn is_plain_name(text: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'))
}

fn is_localhost(name: &str) -> bool {
    let name = without_dot(name);
    name == "localhost" || name.ends_with(".localhost")
}

/// A name with and without the dot at its end is the same name.
fn without_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::egress::Target;

    fn refusal(policy: &str, url: &str) -> Option<String> {
        let policy = EgressPolicy::parse(policy).unwrap();
        policy.check(Target::parse(url).unwrap().origin()).err().map(|blocked| blocked.to_string())
    }

    #[test]
    fn addresses_off_the_public_internet_are_refused_by_what_they_are() {
        let cases = [
            ("127.0.0.1", "a loopback address", "127.0.0.0/8"),
            ("10.1.2.3", "a private address", "10.0.0.0/8"),
            ("172.31.255.255", "a private address", "172.16.0.0/12"),
            ("192.168.0.1", "a private address", "192.168.0.0/16"),
            ("169.254.1.1", "a link-local address", "169.254.0.0/16"),
            ("169.254.169.254", "the address of a cloud's metadata service", "169.254.169.254/32"),
            ("100.100.100.200", "the address of a cloud's metadata service", "100.100.100.200/32"),
            ("100.64.0.1", "a carrier-grade NAT address", "100.64.0.0/10"),
            ("0.0.0.0", "the unspecified address", "0.0.0.0/32"),
            ("0.1.2.3", "an address of this network", "0.0.0.0/8"),
            ("192.0.2.1", "an address for documentation only", "192.0.2.0/24"),
            ("203.0.113.9", "an address for documentation only", "203.0.113.0/24"),
            ("198.19.0.1", "an address for benchmarks only", "198.18.0.0/15"),
            ("224.0.0.1", "a multicast address", "224.0.0.0/4"),
            ("240.0.0.1", "a reserved address", "240.0.0.0/4"),
            ("255.255.255.255", "the broadcast address", "255.255.255.255/32"),
            ("[::]", "the unspecified address", "::/128"),
            ("[::1]", "a loopback address", "::1/128"),
            ("[::ffff:10.0.0.1]", "a private address", "10.0.0.0/8"),
            ("[::127.0.0.1]", "an IPv4-compatible address", "::/96"),
            ("[64:ff9b::169.254.169.254]", "the address of a cloud's metadata service", "169.254.169.254/32"),
            ("[64:ff9b:1::1]", "a local NAT64 address", "64:ff9b:1::/48"),
            ("[2002:7f00:1::]", "a 6to4 address", "2002::/16"),
            ("[2001:0:4136:e378::1]", "a Teredo address", "2001::/32"),
            ("[2001:db8::1]", "an address for documentation only", "2001:db8::/32"),
            ("[2001:2::1]", "an address for benchmarks only", "2001:2::/48"),
            ("[fd00:ec2::254]", "the address of a cloud's metadata service", "fd00:ec2::254/128"),
            ("[fd12::1]", "a private address", "fc00::/7"),
            ("[fe80::1]", "a link-local address", "fe80::/10"),
            ("[ff02::1]", "a multicast address", "ff00::/8"),
            ("[4000::1]", "a reserved address", "4000::1/128"),
        ];
        for (host, what, network) in cases {
            let refusal = refusal("", &format!("http://{host}/")).unwrap_or_default();
            let expected = format!("is {what}; the operator can allow it with DREGS_EGRESS_ALLOW={network}");
            assert!(refusal.ends_with(&expected), "{host}: {refusal}");
            // The setting that the refusal names does lift it.
            assert_eq!(self::refusal(network, &format!("http://{host}/")), None, "{host}");
        }
    }

    #[test]
    fn public_addresses_and_names_pass() {
        let hosts = [
            "1.1.1.1",
            "9.255.255.255",
            "172.32.0.1",
            "100.128.0.1",
            "[2606:4700::1111]",
            "[64:ff9b::1.1.1.1]",
        ];
        for host in hosts.iter().chain(&["[::ffff:1.1.1.1]", "hooks.example.com", "internal", "h.test."]) {
            assert_eq!(refusal("", &format!("https://{host}/")), None, "{host}");
        }
    }

    #[test]
    fn an_exact_host_is_allowed_and_no_other() {
        let expected = "localhost resolves to 127.0.0.1, a loopback address; the operator can allow it with \
                        DREGS_EGRESS_ALLOW=127.0.0.0/8 or DREGS_EGRESS_ALLOW=localhost";
        assert_eq!(refusal("", "http://localhost:3000/").as_deref(), Some(expected));
        for policy in ["localhost", "LOCALHOST.", "other.test, localhost", "127.0.0.1", "127.0.0.0/8"] {
            assert_eq!(refusal(policy, "http://localhost:3000/"), None, "{policy}");
        }
        assert!(refusal("localhost", "http://a.localhost/").is_some());
        assert!(refusal("localhost", "http://127.0.0.1/").is_some());
        assert!(refusal("10.0.0.0/8", "http://127.0.0.1/").is_some());
    }

    #[test]
    fn a_host_that_a_setting_names_is_allowed_and_no_other() {
        let and = |url: &str| EgressPolicy::default().and_host_of(&Url::parse(url).unwrap());
        let is_refused = |policy: &EgressPolicy, url: &str| {
            let target = Target::parse(url).unwrap();
            policy.check_address(target.origin(), "10.0.0.7".parse().unwrap()).is_err()
        };
        let named = and("https://login.internal/realms/a");
        assert!(!is_refused(&named, "https://login.internal/token"));
        assert!(is_refused(&named, "https://other.internal/token"));
        assert!(is_refused(&named, "https://10.0.0.7/token"));
        assert!(!is_refused(&and("https://10.0.0.7:8443/"), "https://10.0.0.7/token"));
        assert!(is_refused(&and("https://10.0.0.8/"), "https://10.0.0.7/token"));
    }

    #[test]
    fn the_setting_is_read_strictly() {
        let read = |text: &str| {
            let policy = EgressPolicy::parse(text)?;
            Ok::<_, String>((policy.networks.iter().map(IpNet::to_string).collect::<Vec<_>>(), policy.hosts))
        };
        assert_eq!(
            read(" 10.1.2.3/8, ::1 ,Receiver.Internal., ,bücher.test"),
            Ok((
                vec!["10.0.0.0/8".to_owned(), "::1/128".to_owned()],
                vec!["receiver.internal".to_owned(), "xn--bcher-kva.test".to_owned()]
            ))
        );
        assert_eq!(read(""), Ok((vec![], vec![])));
        for text in
            ["http://localhost", "localhost:8080", "10.0.0.0/33", "*.internal", "127.1", "a b", "[::1]"]
        {
            let error = EgressPolicy::parse(text).unwrap_err();
            assert!(error.starts_with(&format!("{text:?} is neither")), "{text}: {error}");
        }
    }
}
