//! The one place where a connection to a customer's host is opened.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use url::Host;

use super::policy::EgressPolicy;
use super::resolve::Resolver;
use super::stream::{Metered, Stream, TrafficBudget};
use super::target::Origin;
use crate::channels::certificates;
use crate::channels::outcome::{ErrorClass, Phase, SendError};
use crate::text_file;

/// How many addresses of a name are tried, so that a name with hundreds does not mean hundreds of
/// connections.
const ADDRESSES_TRIED_MAX: usize = 4;
/// The kernel's receive buffer of a connection: what an endpoint can push before it is read.
const RECEIVE_BUFFER_BYTES: u32 = 64 * 1024;

/// Opens connections, to checked addresses only.
pub(in crate::channels) struct Dialer {
    policy: EgressPolicy,
    resolver: Resolver,
    tls: TlsConnector,
}

impl Dialer {
    /// With the system's name servers where none are given, and the system's certificate
    /// authorities plus those in `ca_file` (PEM). The error is a sentence for the operator.
    pub(in crate::channels) fn new(
        policy: EgressPolicy,
        name_servers: &[SocketAddr],
        ca_file: Option<&Path>,
    ) -> Result<Self, String> {
        Ok(Self {
            policy,
            resolver: Resolver::new(name_servers)?,
            tls: TlsConnector::from(tls_config(ca_file)?),
        })
    }

    /// Resolves the name once, checks every address it has (a single refused one refuses the
    /// name), and connects to the first that answers. `phase` says how far it came; the time
    /// until `until` is shared out among the addresses.
    pub(in crate::channels) async fn dial(
        &self,
        origin: &Origin,
        until: Instant,
        phase: &mut Phase,
    ) -> Result<Stream, SendError> {
        *phase = Phase::Resolving;
        let addresses = self.resolver.addresses(&origin.host).await?;
        for address in &addresses {
            let refused =
                |blocked: super::Blocked| SendError::new(ErrorClass::EgressBlocked, blocked.to_string());
            self.policy.check_address(origin, *address).map_err(refused)?;
        }
        let (tcp, address) = connect_first(&addresses, origin.port, until, phase).await?;
        let budget = TrafficBudget::default();
        let metered = Metered::new(tcp, budget.clone());
        if !origin.is_tls {
            return Ok(Stream { io: Box::new(metered), remote_address: address, budget });
        }
        *phase = Phase::Securing(address);
        let name = server_name(&origin.host)?;
        match self.tls.connect(name, metered).await {
            Ok(tls) => Ok(Stream { io: Box::new(tls), remote_address: address, budget }),
            Err(error) => Err(explain_tls(&error, &origin.host())),
        }
    }
}

async fn connect_first(
    addresses: &[IpAddr],
    port: u16,
    until: Instant,
    phase: &mut Phase,
) -> Result<(TcpStream, SocketAddr), SendError> {
    let tried = &addresses[..addresses.len().min(ADDRESSES_TRIED_MAX)];
    let mut last_error = None;
    for (index, ip) in tried.iter().enumerate() {
        let address = SocketAddr::new(*ip, port);
        *phase = Phase::Connecting(address);
        let result = match u32::try_from(tried.len() - index) {
            Ok(left @ 2..) => {
                let now = Instant::now();
                let share = now + until.saturating_duration_since(now) / left;
                timeout_at(share, connect(address))
                    .await
                    .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            }
            // The last one has all the time that is left; the request's own deadline ends it.
            _ => connect(address).await,
        };
        match result {
            Ok(stream) => return Ok((stream, address)),
            Err(error) => last_error = Some((address, error)),
        }
    }
    Err(match last_error {
        Some((address, error)) => explain_connect(address, &error, tried.len()),
        None => SendError::new(ErrorClass::Dns, "the name has no address"),
    })
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES)?;
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn explain_connect(address: SocketAddr, error: &io::Error, tried: usize) -> SendError {
    let what = match error.kind() {
        io::ErrorKind::ConnectionRefused => format!("{address} refused the connection"),
        io::ErrorKind::TimedOut => format!("{address} did not answer"),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            format!("{address} cannot be reached")
        }
        _ => format!("{address}: {error}"),
    };
    let others = if tried > 1 { format!(" (the last of {tried} addresses tried)") } else { String::new() };
    SendError::new(ErrorClass::Connect, format!("no connection: {what}{others}"))
}

fn tls_config(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if added == 0 && ca_file.is_none() {
        tracing::warn!("the system has no certificate authorities: every https endpoint will be refused");
    }
    if let Some(path) = ca_file {
        let refused = |error: &dyn std::fmt::Display| format!("egress_ca_file: {}: {error}", path.display());
        let text = text_file::read(path).map_err(|error| refused(&error))?;
        let found = roots.len();
        for certificate in CertificateDer::pem_slice_iter(text.as_bytes()) {
            roots.add(certificate.map_err(|error| refused(&error))?).map_err(|error| refused(&error))?;
        }
        if roots.len() == found {
            return Err(refused(&"holds no certificate in PEM"));
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be set up: {error}"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn server_name(host: &Host<String>) -> Result<ServerName<'static>, SendError> {
    match host {
        Host::Ipv4(address) => Ok(ServerName::from(IpAddr::from(*address))),
        Host::Ipv6(address) => Ok(ServerName::from(IpAddr::from(*address))),
        Host::Domain(name) => ServerName::try_from(name.clone()).map_err(|_| {
            SendError::new(ErrorClass::Tls, format!("{name} cannot be the name in a certificate"))
        }),
    }
}

fn explain_tls(error: &io::Error, host: &str) -> SendError {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    let message = match cause {
        Some(rustls::Error::InvalidCertificate(wrong)) => certificates::explain(wrong, "the endpoint", host),
        Some(rustls::Error::InvalidMessage(_)) => {
            "the endpoint does not speak TLS on this port; if it is meant to, check the port, otherwise use http://"
                .to_owned()
        }
        Some(cause) => format!("TLS could not be agreed on: {cause}"),
        None if is_closed(error) => "the endpoint closed the connection while TLS was agreed on".to_owned(),
        None => format!("TLS could not be agreed on: {error}"),
    };
    SendError::new(ErrorClass::Tls, message)
}

/// Whether the other side ended the connection.
pub(in crate::channels) fn is_closed(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}
