//! From a name to its addresses, once.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::Name;
use url::Host;

use super::hosts::HostsFile;
use crate::channels::outcome::{ErrorClass, SendError};

/// How long an answer is believed at most, whatever its time to live says: an endpoint that moves
/// is found again within this time.
const TTL_MAX_SECONDS: u64 = 300;
/// How long "there is no such name" is believed at most: names that were just set up work soon.
const NEGATIVE_TTL_MAX_SECONDS: u64 = 10;
/// How many answers are kept.
const CACHE_ENTRIES_MAX: u64 = 4_096;
/// How many lookups may be under way at once; beyond, they fail and are retried like any failure.
const LOOKUPS_MAX: usize = 1_024;

/// Where names and their addresses stand that need no name server (`hosts(5)`).
const HOSTS_FILE: &str = "/etc/hosts";

/// Looks names up, keeping answers for their time to live.
pub(super) struct Resolver {
    /// Where the system's configuration is used.
    hosts: Option<HostsFile>,
    resolver: TokioResolver,
}

impl Resolver {
    /// With the system's configuration where no name servers are given, with just those where they
    /// are. The error is a sentence for the operator.
    pub(super) fn new(name_servers: &[SocketAddr]) -> Result<Self, String> {
        let refused = |error: NetError| format!("the name resolver cannot be set up: {error}");
        let mut builder = if name_servers.is_empty() {
            TokioResolver::builder_tokio().map_err(refused)?
        } else {
            let servers = name_servers.iter().map(|address| name_server(*address)).collect();
            let config = ResolverConfig::from_name_servers(servers);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        };
        bound(builder.options_mut());
        // The library's reading leaves out names with an underscore, and is never renewed.
        builder.options_mut().use_hosts_file = ResolveHosts::Never;
        let hosts = name_servers.is_empty().then(|| HostsFile::new(HOSTS_FILE));
        Ok(Self { hosts, resolver: builder.build().map_err(refused)? })
    }

    /// Every address of the host, IPv4 before IPv6; at least one.
    pub(super) async fn addresses(&self, host: &Host<String>) -> Result<Vec<IpAddr>, SendError> {
        let name = match host {
            Host::Ipv4(address) => return Ok(vec![(*address).into()]),
            Host::Ipv6(address) => return Ok(vec![(*address).into()]),
            Host::Domain(name) => name.as_str(),
        };
        let listed = self.hosts.as_ref().map(|hosts| hosts.addresses(name)).unwrap_or_default();
        let mut addresses = if listed.is_empty() {
            let found = self.resolver.lookup_ip(as_written(name)?).await;
            found.map_err(|error| explain(name, &error))?.iter().collect()
        } else {
            listed
        };
        addresses.sort_by_key(IpAddr::is_ipv6);
        if addresses.is_empty() { Err(no_address(name)) } else { Ok(addresses) }
    }
}

/// The name as it stands in the URL, where it is in ASCII already. Names of hosts have letters, digits and hyphens
/// (RFC 1123, section 2.1), those of the domain name system whatever one likes (RFC 2181, section 11), and container
/// networks give names with underscores.
fn as_written(name: &str) -> Result<Name, SendError> {
    let (labels, is_rooted) = name.strip_suffix('.').map_or((name, false), |labels| (labels, true));
    let mut read = Name::from_labels(labels.split('.').map(str::as_bytes)).map_err(|_| {
        let message =
            format!("the name {name} is none: its parts must have from 1 to 63 characters, 253 in all");
        SendError::new(ErrorClass::Dns, message)
    })?;
    read.set_fqdn(is_rooted);
    Ok(read)
}

fn bound(options: &mut ResolverOpts) {
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    options.cache_size = CACHE_ENTRIES_MAX;
    options.max_active_requests = LOOKUPS_MAX;
    options.positive_max_ttl = Some(Duration::from_secs(TTL_MAX_SECONDS));
    options.negative_max_ttl = Some(Duration::from_secs(NEGATIVE_TTL_MAX_SECONDS));
}

fn name_server(address: SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = address.port();
        connection
    });
    NameServerConfig::new(address.ip(), true, connections.into())
}

fn explain(name: &str, error: &NetError) -> SendError {
    if error.is_nx_domain() {
        SendError::new(ErrorClass::Dns, format!("the name {name} does not exist"))
    } else if error.is_no_records_found() {
        no_address(name)
    } else {
        SendError::new(ErrorClass::Dns, format!("the name {name} could not be looked up: {error}"))
    }
}

fn no_address(name: &str) -> SendError {
    SendError::new(ErrorClass::Dns, format!("the name {name} has no address"))
}
