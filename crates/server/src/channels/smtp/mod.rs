//! Mail: one letter at a time through the operator's mail server.

mod words;

use std::error::Error as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lettre::address::Envelope;
use lettre::message::Mailbox;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use lettre::{Address, Message};
use percent_encoding::percent_decode_str;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use url::Url;

use super::outcome::{ErrorClass, Outcome, Response, SendError, Verdict};
use crate::text_file;
use words::{Phase, in_words};

/// The setting that says where mail goes, and how.
const SMTP_URL: &str = "smtp_url (DREGS_SMTP_URL)";
/// RFC 5321, section 3.8: the server ends the connection.
const CLOSING: u16 = 421;
/// RFC 4954, section 6, and RFC 3207, section 4: it wants a sign-in, another one, or TLS before it.
const SIGN_IN: [u16; 4] = [530, 534, 535, 538];

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
        // A name in other letters stands there in percent signs, and an address of IPv6 in brackets.
        let host = decoded(host);
        let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(address) => address.to_owned(),
            None => idna::domain_to_ascii(&host).unwrap_or(host),
        };
        let from = Mailbox::new(from.name, spelled_out(&from.email));
        let credentials =
            url.password().map(|password| Credentials::new(decoded(url.username()), decoded(password)));
        let port = url.port().unwrap_or(protection.default_port());
        Ok(Self { host, port, protection, credentials, from, ca_file })
    }
}

/// The same address with its domain in ASCII (RFC 5891, section 4.4): the letters before the at sign take an extension
/// that not every server has, those behind it do not.
pub fn spelled_out(address: &Address) -> Address {
    let domain = idna::domain_to_ascii(address.domain()).ok();
    domain.and_then(|domain| Address::new(address.user(), domain).ok()).unwrap_or_else(|| address.clone())
}

/// Sends letters. Cheap to clone.
#[derive(Clone)]
pub struct Mailer {
    config: Arc<SmtpConfig>,
    /// Where the connection is protected.
    tls: Option<TlsParameters>,
}

/// What became of the recipients of a letter.
#[derive(Default)]
struct Recipients {
    taken: Vec<Address>,
    /// With what the server said, and whether it said so for good.
    refused: Vec<(Address, String, bool)>,
}

impl Mailer {
    /// The error is a sentence for the operator.
    pub fn new(config: SmtpConfig) -> Result<Self, String> {
        let mut parameters = TlsParameters::builder(config.host.clone());
        if let Some(path) = &config.ca_file {
            let unreadable =
                |error: &dyn std::fmt::Display| format!("egress_ca_file: {}: {error}", path.display());
            let pem = text_file::read(path).map_err(|error| unreadable(&error))?;
            let certificate = Certificate::from_pem(pem.as_bytes()).map_err(|error| unreadable(&error))?;
            parameters = parameters.add_root_certificate(certificate);
        }
        let tls = match config.protection {
            Protection::StartTls | Protection::Implicit => {
                Some(parameters.build_rustls().map_err(|error| format!("smtp_url: {error}"))?)
            }
            Protection::None => None,
        };
        Ok(Self { config: Arc::new(config), tls })
    }

    /// Who all letters are from.
    pub fn from(&self) -> &Mailbox {
        &self.config.from
    }

    /// Sends a letter and says what came of it, at the deadline at the latest. Success is that the mail server has
    /// taken it for somebody, and for nobody else will take it later; what it says, taken or not, is the response.
    pub async fn send(&self, letter: &Message, deadline: Duration) -> Outcome {
        let mut phase = Phase::Resolving;
        match timeout(deadline, self.deliver(letter, &mut phase)).await {
            Ok(Ok(outcome) | Err(outcome)) => outcome,
            Err(_) => Outcome::failed(self.config.too_late(phase, deadline)),
        }
    }

    /// One letter on a connection of its own.
    async fn deliver(&self, letter: &Message, phase: &mut Phase) -> Result<Outcome, Outcome> {
        let (envelope, bytes) = (letter.envelope(), letter.formatted());
        let mut connection = self.connect(phase).await?;
        let recipients = self.open(&mut connection, envelope, &bytes).await?;
        if recipients.taken.is_empty() {
            connection.abort().await;
            return Err(recipients.none_taken());
        }
        connection.command(Data).await.map_err(|error| self.explain(&error, *phase))?;
        let reply = connection.message(&bytes).await.map_err(|error| self.explain(&error, *phase))?;
        // It has the letter: nothing that comes after matters.
        connection.abort().await;
        let text = reply.message().collect::<Vec<_>>().join("\n");
        Ok(recipients.some_taken(u16::from(reply.code()), &text))
    }

    /// A connection on which letters may be sent.
    async fn connect(&self, phase: &mut Phase) -> Result<AsyncSmtpConnection, Outcome> {
        let SmtpConfig { host, port, protection, credentials, .. } = &*self.config;
        let hello = ClientId::default();
        let found = lookup_host((host.as_str(), *port)).await;
        let addresses: Vec<_> =
            found.map_err(|error| Outcome::failed(self.config.unknown_host(&error)))?.collect();
        *phase = Phase::Connecting;
        let connected = if *protection == Protection::Implicit {
            let tls = self.tls.clone();
            AsyncSmtpConnection::connect_tokio1(&addresses[..], None, &hello, tls, None).await
        } else {
            let tcp = TcpStream::connect(&addresses[..]).await;
            let tcp = tcp.map_err(|error| Outcome::failed(self.config.broken(&error, *phase)))?;
            *phase = Phase::Greeting;
            AsyncSmtpConnection::connect_with_transport(Box::new(tcp), &hello).await
        };
        let mut connection = connected.map_err(|error| self.explain(&error, *phase))?;
        if let (Protection::StartTls, Some(tls)) = (protection, &self.tls) {
            if !connection.can_starttls() {
                return Err(misconfigured(format!(
                    "the mail server offers no STARTTLS: have {SMTP_URL} begin with smtps:// for TLS from the first \
                     byte, or end with ?tls=none for none at all"
                )));
            }
            *phase = Phase::Securing;
            connection.starttls(tls.clone(), &hello).await.map_err(|error| self.explain(&error, *phase))?;
        }
        *phase = Phase::Talking;
        if let Some(credentials) = credentials {
            if connection.server_info().get_auth_mechanism(DEFAULT_MECHANISMS).is_none() {
                let way = match protection {
                    Protection::None => ", or leave ?tls=none out, since many offer it with TLS only",
                    Protection::StartTls | Protection::Implicit => "",
                };
                return Err(misconfigured(format!(
                    "the mail server offers no sign-in with a password (AUTH PLAIN or LOGIN): leave user and password \
                     out of {SMTP_URL}{way}"
                )));
            }
            let signed_in = connection.auth(DEFAULT_MECHANISMS, credentials).await;
            signed_in.map_err(|error| self.explain(&error, *phase))?;
        }
        Ok(connection)
    }

    /// Names the sender and the recipients. One that is refused does not keep the letter from the others (RFC 5321,
    /// appendix D.1).
    async fn open(
        &self,
        connection: &mut AsyncSmtpConnection,
        envelope: &Envelope,
        bytes: &[u8],
    ) -> Result<Recipients, Outcome> {
        let has_extension = connection.server_info().supports_feature(Extension::SmtpUtfEight);
        let is_plain = |address: &Address| AsRef::<str>::as_ref(address).is_ascii();
        let mut parameters = Vec::new();
        if !envelope.from().is_none_or(is_plain) && !has_extension {
            return Err(misconfigured(
                "the mail server takes only ASCII before the at sign (it has no SMTPUTF8), and smtp_from \
                 (DREGS_SMTP_FROM) has other letters there"
                    .to_owned(),
            ));
        }
        let needs_extension = !envelope.from().is_none_or(is_plain) || !envelope.to().iter().all(is_plain);
        if needs_extension && has_extension {
            parameters.push(MailParameter::SmtpUtfEight);
        }
        if !bytes.is_ascii() && connection.server_info().supports_feature(Extension::EightBitMime) {
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        let mail = Mail::new(envelope.from().cloned(), parameters);
        connection.command(mail).await.map_err(|error| self.explain(&error, Phase::Talking))?;
        let mut recipients = Recipients::default();
        for to in envelope.to() {
            if !is_plain(to) && !has_extension {
                let words =
                    "the mail server takes only ASCII before the at sign (it has no SMTPUTF8)".to_owned();
                recipients.refused.push((to.clone(), words, true));
                continue;
            }
            match connection.command(Rcpt::new(to.clone(), Vec::new())).await {
                Ok(_) => recipients.taken.push(to.clone()),
                Err(error) => match error.status().map(u16::from) {
                    None | Some(CLOSING) => return Err(self.explain(&error, Phase::Talking)),
                    Some(code) => {
                        let words = format!("the mail server answered {code}: {}", in_words(&error));
                        recipients.refused.push((to.clone(), words, error.is_permanent()));
                    }
                },
            }
        }
        Ok(recipients)
    }

    fn explain(&self, error: &Error, phase: Phase) -> Outcome {
        let Some(code) = error.status().map(u16::from) else {
            return Outcome::failed(self.config.broken(error, phase));
        };
        let cause = in_words(error);
        let place = if SIGN_IN.contains(&code) { format!("; see {SMTP_URL}") } else { String::new() };
        let message = format!("the mail server answered {code}: {cause}{place}");
        let text = error.source().map(ToString::to_string).unwrap_or_default();
        // RFC 5321, section 4.2.1: after a 5xx the same must not be tried again.
        let verdict = if error.is_permanent() { Verdict::Refused } else { Verdict::Retry };
        let refused = SendError::new(ErrorClass::SmtpReply, message);
        Outcome { response: said(format!("{code} {text}")), verdict, ..Outcome::failed(refused) }
    }
}

impl Recipients {
    /// Who was refused, and why, one after the other.
    fn complaint(&self) -> String {
        let one = |(to, words, _): &(Address, String, bool)| format!("{to}: {words}");
        self.refused.iter().map(one).collect::<Vec<_>>().join("; ")
    }

    fn are_all_refused_for_good(&self) -> bool {
        self.refused.iter().all(|(_, _, is_permanent)| *is_permanent)
    }

    fn none_taken(&self) -> Outcome {
        let message = match self.refused.as_slice() {
            [(_, words, _)] => words.clone(),
            _ => self.complaint(),
        };
        // RFC 5321, section 4.2.1: after a 5xx the same must not be tried again.
        let verdict = if self.are_all_refused_for_good() { Verdict::Refused } else { Verdict::Retry };
        let response = said(self.complaint());
        Outcome { response, verdict, ..Outcome::failed(SendError::new(ErrorClass::SmtpReply, message)) }
    }

    fn some_taken(self, code: u16, text: &str) -> Outcome {
        if self.refused.is_empty() {
            return Outcome { response: said(format!("{code} {text}")), ..Outcome::succeeded() };
        }
        let (count, all) = (self.taken.len(), self.taken.len() + self.refused.len());
        let message = format!("{count} of {all} recipients were taken; {}", self.complaint());
        let response = said(format!("{code} {text}\n{}", self.complaint()));
        if self.are_all_refused_for_good() {
            return Outcome { response, note: Some(message), ..Outcome::succeeded() };
        }
        let settled = self.refused.iter().filter(|(_, _, is_permanent)| *is_permanent).map(|(to, ..)| to);
        let settled = self.taken.iter().chain(settled).map(ToString::to_string).collect();
        let error = SendError::new(ErrorClass::SmtpReply, message);
        Outcome { response, settled, ..Outcome::failed(error) }
    }
}

/// What a mail server said. Its status is none of HTTP, and stands in the text.
fn said(text: String) -> Option<Response> {
    Some(Response { status: 0, headers: Vec::new(), body: text.into_bytes(), is_truncated: false })
}

/// A setting is wrong: to try again does not help.
fn misconfigured(message: String) -> Outcome {
    Outcome { verdict: Verdict::Refused, ..Outcome::failed(SendError::new(ErrorClass::Connect, message)) }
}
