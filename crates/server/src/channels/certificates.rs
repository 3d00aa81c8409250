//! What is wrong with a certificate, for the person who can do something about it.

use rustls::CertificateError;

/// The setting that has further authorities believed.
const CA_FILE: &str = "egress_ca_file (DREGS_EGRESS_CA_FILE)";

/// A sentence about the certificate of `whose`, which was to be that of `host`.
pub fn explain(error: &CertificateError, whose: &str, host: &str) -> String {
    let what = match error {
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            return format!("{whose}'s certificate is not for {host}");
        }
        CertificateError::UnknownIssuer => {
            return format!(
                "{whose}'s certificate is signed by an authority this server does not know: name a file with that \
                 authority's certificate in {CA_FILE}, or have the endpoint send its whole chain"
            );
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "has expired: renew it there",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "is not valid yet: is a clock wrong?"
        }
        // As `openssl req -x509` makes it unless it is told otherwise.
        other if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            return format!(
                "{whose}'s certificate vouches for itself, as that of an authority does: have one signed by an authority, \
                 and name a file with the authority's in {CA_FILE}"
            );
        }
        other => return format!("{whose}'s certificate is refused: {other}"),
    };
    format!("{whose}'s certificate {what}")
}
