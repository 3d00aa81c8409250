//! Whom to believe about names: the machine's certificate authorities, and one more if asked to.

use std::path::Path;

use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

/// The authorities of the machine and those in the PEM file `extra`.
///
/// # Errors
/// When `extra` cannot be read. A machine without authorities of its own is no error: then no
/// certificate is believed, and the attempt that needs one says so.
pub fn root_store(extra: Option<&Path>) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = extra {
        let unreadable = |error| format!("{} cannot be read as PEM certificates: {error}", path.display());
        for certificate in CertificateDer::pem_file_iter(path).map_err(unreadable)? {
            let certificate = certificate.map_err(unreadable)?;
            roots.add(certificate).map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    Ok(roots)
}
