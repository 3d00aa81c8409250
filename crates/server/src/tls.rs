//! Whom to believe about names: the machine's certificate authorities, and one more if asked to.

use std::fmt::Display;
use std::path::Path;

use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::text_file;

/// The authorities of the machine and those in the PEM file `extra`.
///
/// # Errors
/// When `extra` cannot be read. A machine without authorities of its own is no error: then no
/// certificate is believed, and the attempt that needs one says so.
pub fn root_store(extra: Option<&Path>) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = extra {
        let unreadable =
            |error: &dyn Display| format!("{} cannot be read as PEM certificates: {error}", path.display());
        let text = text_file::read(path).map_err(|error| unreadable(&error))?;
        for certificate in CertificateDer::pem_slice_iter(text.as_bytes()) {
            let certificate = certificate.map_err(|error| unreadable(&error))?;
            roots.add(certificate).map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    Ok(roots)
}
