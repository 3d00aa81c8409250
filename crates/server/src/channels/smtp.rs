//! Mail: one letter at a time through the operator's mail server.

use std::error::Error as _;
use std::path::PathBuf;
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use percent_encoding::percent_decode_str;
use tokio::time::timeout;
use url::Url;

use super::outcome::{ErrorClass, Outcome, Response, SendError, Verdict};

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protection {
    /// Begun in the clear, then TLS or nothing (RFC 3207).
    StartTls,
    /// TLS from the first byte (RFC 8314).
    Implicit,
    None,
}

impl Protection {
    /// RFC 6409, RFC 8314, RFC 5321.
    const fn default_port(self) -> u16 {
        match self {
            Self::StartTls => 587,
            Self::Implicit => 465,
            Self::None => 25,
        }
    }
}

/// What the operator says about mail.
#[derive(Clone)]
pub struct SmtpConfig {
    host: String,
    port: u16,
    protection: Protection,
    credentials: Option<Credentials>,
    from: Mailbox,
    /// PEM certificates to trust besides the system's.
    ca_file: Option<PathBuf>,
}

impl SmtpConfig {
    /// Reads `smtps://user:password@host:port` for TLS from the first byte, `smtp://…` for STARTTLS, and
    /// `smtp://…?tls=none` for neither. The error is a sentence for the operator.
    pub fn new(url: &str, from: Mailbox, ca_file: Option<PathBuf>) -> Result<Self, String> {
        let url = Url::parse(url).map_err(|error| format!("smtp_url: {error}"))?;
        let protection = match (url.scheme(), url.query()) {
            ("smtps", None) => Protection::Implicit,
            ("smtp", None) => Protection::StartTls,
            ("smtp", Some("tls=none")) => Protection::None,
            _ => {
                return Err(
                    "smtp_url: must start with smtp:// or smtps://, and end with ?tls=none at most".into()
                );
            }
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or("smtp_url: names no host")?;
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let credentials =
            url.password().map(|password| Credentials::new(decoded(url.username()), decoded(password)));
        let port = url.port().unwrap_or(protection.default_port());
        Ok(Self { host: host.to_owned(), port, protection, credentials, from, ca_file })
    }
}

/// Sends letters. Cheap to clone.
#[derive(Clone)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Mailer {
    /// The error is a sentence for the operator.
    pub fn new(config: SmtpConfig) -> Result<Self, String> {
        let mut parameters = TlsParameters::builder(config.host.clone());
        if let Some(path) = &config.ca_file {
            let unreadable =
                |error: &dyn std::fmt::Display| format!("{} cannot be read: {error}", path.display());
            let pem = std::fs::read(path).map_err(|error| unreadable(&error))?;
            let certificate = Certificate::from_pem(&pem).map_err(|error| unreadable(&error))?;
            parameters = parameters.add_root_certificate(certificate);
        }
        let parameters = || parameters.clone().build_rustls().map_err(|error| format!("smtp_url: {error}"));
        let tls = match config.protection {
            Protection::StartTls => Tls::Required(parameters()?),
            Protection::Implicit => Tls::Wrapper(parameters()?),
            Protection::None => Tls::None,
        };
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(config.host)
            .port(config.port)
            .tls(tls)
            .timeout(None);
        if let Some(credentials) = config.credentials {
            transport = transport.credentials(credentials);
        }
        Ok(Self { transport: transport.build(), from: config.from })
    }

    /// Who all letters are from.
    pub fn from(&self) -> &Mailbox {
        &self.from
    }

    /// Sends a letter and says what came of it, at the deadline at the latest. Success is that the mail
    /// server has taken it; what it says, taken or not, is the response.
    pub async fn send(&self, letter: &Message, deadline: Duration) -> Outcome {
        match timeout(deadline, self.transport.send_raw(letter.envelope(), &letter.formatted())).await {
            Ok(Ok(reply)) => {
                let text = reply.message().collect::<Vec<_>>().join("\n");
                Outcome { response: said(u16::from(reply.code()), text), ..Outcome::succeeded() }
            }
            Ok(Err(error)) => explain(&error),
            Err(_) => {
                let message =
                    format!("the mail server did not take the letter within {} ms", deadline.as_millis());
                Outcome::failed(SendError::new(ErrorClass::Timeout, message))
            }
        }
    }
}

fn said(status: u16, text: String) -> Option<Response> {
    let body = format!("{status} {text}").into_bytes();
    Some(Response { status, headers: Vec::new(), body, is_truncated: false })
}

fn explain(error: &Error) -> Outcome {
    let mut cause = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let text = error.to_string();
        if !cause.contains(&text) {
            cause = if text.contains(&cause) { text } else { format!("{cause}: {text}") };
        }
        source = error.source();
    }
    let Some(code) = error.status() else {
        let class = match () {
            () if error.is_tls() || cause.contains("certificate") => ErrorClass::Tls,
            () if error.is_response() => ErrorClass::Protocol,
            () if cause.contains("onnection refused") || cause.contains("onnection error") => {
                ErrorClass::Connect
            }
            () => ErrorClass::ConnectionClosed,
        };
        return Outcome::failed(SendError::new(class, format!("the mail server cannot be used: {cause}")));
    };
    let refused = SendError::new(ErrorClass::SmtpReply, format!("the mail server answered {code}: {cause}"));
    let text = error.source().map(ToString::to_string).unwrap_or_default();
    // RFC 5321, section 4.2.1: after a 5xx the same must not be tried again.
    let verdict = if error.is_permanent() { Verdict::Refused } else { Verdict::Retry };
    Outcome { response: said(u16::from(code), text), verdict, ..Outcome::failed(refused) }
}
