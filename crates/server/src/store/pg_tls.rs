//! Encryption of connections to PostgreSQL, as `sslmode` asks for it.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_postgres::config::SslNegotiation;

use super::pg_address::{Address, Roots, SslMode};
use crate::text_file;

/// The name of PostgreSQL's protocol within TLS, which direct negotiation asks for.
const ALPN: &[u8] = b"postgresql";

/// What the address asks for.
///
/// # Errors
/// A sentence that names the parameter whose file cannot be used.
pub fn client_config(address: &Address) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Verifier::new(address, &provider)?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match &address.client {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let unusable = |error| format!("sslkey {} cannot be used: {error}", key.display());
            let text = text_file::read(key).map_err(|error| unusable(error.to_string()))?;
            let private = PrivateKeyDer::from_pem_slice(text.as_bytes());
            let private = private.map_err(|error| unusable(error.to_string()))?;
            builder
                .with_client_auth_cert(read("sslcert", certificate)?, private)
                .map_err(|error| unusable(error.to_string()))?
        }
    };
    if address.config.get_ssl_negotiation() == SslNegotiation::Direct {
        config.alpn_protocols = vec![ALPN.to_vec()];
    }
    Ok(config)
}

/// The certificates in a PEM file; at least one.
fn read(parameter: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let unusable = |error: String| format!("{parameter} {} cannot be used: {error}", path.display());
    let text = text_file::read(path).map_err(|error| unusable(error.to_string()))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    let found = found.map_err(|error| unusable(error.to_string()))?;
    if found.is_empty() { Err(unusable("there is no PEM certificate in it".to_owned())) } else { Ok(found) }
}

/// Believes certificates as libpq does in a mode.
#[derive(Debug)]
struct Verifier {
    mode: SslMode,
    /// Those in the file of `sslrootcert`.
    own: Vec<CertificateDer<'static>>,
    /// Asks the authorities; none where any certificate will do.
    authorities: Option<Arc<WebPkiServerVerifier>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    fn new(address: &Address, provider: &Arc<CryptoProvider>) -> Result<Self, String> {
        let algorithms = provider.signature_verification_algorithms;
        let mode = address.mode;
        if mode < SslMode::VerifyCa {
            return Ok(Self { mode, own: Vec::new(), authorities: None, algorithms });
        }
        let (own, roots) = match &address.roots {
            Roots::System => (Vec::new(), crate::tls::root_store(None)?),
            Roots::File(path) => {
                let own = read("sslrootcert", path)?;
                let mut roots = RootCertStore::empty();
                for certificate in &own {
                    let unusable = |error| format!("sslrootcert {} cannot be used: {error}", path.display());
                    roots.add(certificate.clone()).map_err(unusable)?;
                }
                (own, roots)
            }
        };
        if roots.is_empty() {
            return Err(format!(
                "sslmode={} needs authorities, and this machine has none: name a file in sslrootcert",
                mode.name()
            ));
        }
        let authorities =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build();
        let authorities = authorities.map_err(|error| format!("sslrootcert cannot be used: {error}"))?;
        Ok(Self { mode, own, authorities: Some(authorities), algorithms })
    }

    /// Whether the certificate itself is in the file of `sslrootcert`: one that nobody else has signed, such as
    /// the manual of PostgreSQL has people make.
    fn is_own(&self, certificate: &CertificateDer) -> bool {
        self.own.iter().any(|own| own.as_ref() == certificate.as_ref())
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(authorities) = &self.authorities else { return Ok(ServerCertVerified::assertion()) };
        let checked = match authorities.verify_server_cert(certificate, intermediates, name, ocsp, now) {
            // Dates are looked at before everything else.
            Err(error) if self.is_own(certificate) && !is_of_time(&error) && !is_of_name(&error) => {
                let parsed = ParsedCertificate::try_from(certificate)?;
                rustls::client::verify_server_name(&parsed, name)
            }
            checked => checked.map(drop),
        };
        match checked {
            // The name is looked at last, so that everything else is in order.
            Err(error) if is_of_name(&error) && self.mode == SslMode::VerifyCa => {}
            checked => checked?,
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        // Where anybody's certificate will do, nothing is gained by knowing that it is theirs.
        match self.authorities {
            Some(_) => verify_tls12_signature(message, certificate, signed, &self.algorithms),
            None => Ok(HandshakeSignatureValid::assertion()),
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match self.authorities {
            Some(_) => verify_tls13_signature(message, certificate, signed, &self.algorithms),
            None => Ok(HandshakeSignatureValid::assertion()),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn is_of_name(error: &Error) -> bool {
    use CertificateError::{NotValidForName, NotValidForNameContext};
    matches!(error, Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. }))
}

fn is_of_time(error: &Error) -> bool {
    use CertificateError::{Expired, ExpiredContext, NotValidYet, NotValidYetContext};
    matches!(
        error,
        Error::InvalidCertificate(Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. })
    )
}
