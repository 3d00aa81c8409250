//! Why no letter could be sent: in words that name what can be done about it, most often a setting.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use lettre::transport::smtp::Error;

use super::{Protection, SMTP_URL, SmtpConfig};
use crate::channels::certificates;
use crate::channels::egress::is_closed;
use crate::channels::outcome::{ErrorClass, SendError};

/// How far it came with a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    Resolving,
    /// With TLS from the first byte, that as well.
    Connecting,
    /// Waiting for the server's first words.
    Greeting,
    /// After STARTTLS.
    Securing,
    Talking,
}

impl SmtpConfig {
    fn place(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// No address of the host can be had.
    pub fn unknown_host(&self, error: &io::Error) -> SendError {
        let host = &self.host;
        let message = format!("{host} has no address ({error}): is the host in {SMTP_URL} right?");
        SendError { class: ErrorClass::Dns, message }
    }

    /// The deadline passed.
    pub fn too_late(&self, phase: Phase, deadline: Duration) -> SendError {
        let (place, millis) = (self.place(), deadline.as_millis());
        let message = match (phase, self.protection) {
            (Phase::Resolving, _) => {
                format!(
                    "{} was not looked up within {millis} ms: is the host in {SMTP_URL} right?",
                    self.host
                )
            }
            (Phase::Connecting, Protection::Implicit) => format!(
                "no connection with TLS to {place} within {millis} ms: are host and port in {SMTP_URL} right? For a port \
                 that begins without TLS, such as 587 or 25, it begins with smtp://"
            ),
            (Phase::Connecting, _) => {
                format!("no connection to {place} within {millis} ms: {}", self.is_it_right())
            }
            (Phase::Greeting, _) => format!(
                "{place} said nothing within {millis} ms of being connected to: for a port with TLS from the first byte, \
                 such as 465, {SMTP_URL} begins with smtps://"
            ),
            (Phase::Securing, _) => {
                format!("no TLS was agreed on with {place} within {millis} ms; see {SMTP_URL}")
            }
            (Phase::Talking, _) => format!(
                "the mail server did not take the letter within {millis} ms, which deadline_ms (DREGS_DEADLINE_MS) sets"
            ),
        };
        SendError { class: ErrorClass::Timeout, message }
    }

    /// A failure that is no reply of the server.
    pub fn broken(&self, error: &(dyn StdError + 'static), phase: Phase) -> SendError {
        let place = self.place();
        if let Some(error) = cause::<rustls::Error>(error) {
            let message = match error {
                rustls::Error::InvalidCertificate(wrong) => {
                    let words = certificates::explain(wrong, "the mail server", &self.host);
                    format!("{words}; see {SMTP_URL}")
                }
                rustls::Error::InvalidMessage(_) => format!(
                    "{place} does not speak TLS from the first byte: have {SMTP_URL} begin with smtp:// for STARTTLS, or \
                     end with ?tls=none for none at all"
                ),
                error => format!("TLS could not be agreed on with {place}: {error}; see {SMTP_URL}"),
            };
            return SendError { class: ErrorClass::Tls, message };
        }
        let smtp = error.downcast_ref::<Error>();
        let (class, message) = match cause::<io::Error>(error) {
            Some(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                (ErrorClass::Connect, format!("{place} refused the connection: {}", self.is_it_right()))
            }
            Some(error) if is_closed(error) => {
                let message =
                    format!("{place} closed the connection {}; see {SMTP_URL}", self.meanwhile(phase));
                (ErrorClass::ConnectionClosed, message)
            }
            Some(error) if phase <= Phase::Connecting => {
                (ErrorClass::Connect, format!("{place} cannot be reached ({error}): {}", self.is_it_right()))
            }
            None if phase <= Phase::Greeting && smtp.is_some_and(Error::is_response) => {
                let message = format!(
                    "{place} does not greet as a mail server does ({}): are host and port in {SMTP_URL} right?",
                    in_words(error)
                );
                (ErrorClass::Protocol, message)
            }
            _ => {
                let class = match smtp.is_some_and(Error::is_response) {
                    true => ErrorClass::Protocol,
                    false => ErrorClass::ConnectionClosed,
                };
                (class, format!("the mail server cannot be used: {}; see {SMTP_URL}", in_words(error)))
            }
        };
        SendError { class, message }
    }

    fn is_it_right(&self) -> String {
        format!("is the mail server running, and are host and port in {SMTP_URL} right?")
    }

    fn meanwhile(&self, phase: Phase) -> &'static str {
        match (phase, self.protection) {
            (Phase::Connecting, Protection::Implicit) | (Phase::Securing, _) => "while TLS was agreed on",
            (Phase::Resolving | Phase::Connecting | Phase::Greeting, _) => "before it said anything",
            (Phase::Talking, _) => "before it had taken the letter",
        }
    }
}

/// The first cause of this type; those of the network are within those of input and output.
fn cause<'e, E: StdError + 'static>(error: &'e (dyn StdError + 'static)) -> Option<&'e E> {
    let mut next = Some(error);
    while let Some(error) = next {
        let inner = error.downcast_ref::<io::Error>().and_then(|error| error.get_ref());
        let inner = inner.and_then(|inner| inner.downcast_ref::<E>());
        if let Some(found) = error.downcast_ref::<E>().or(inner) {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// The whole chain of causes, each said once.
pub fn in_words(error: &(dyn StdError + 'static)) -> String {
    let mut cause = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let text = error.to_string();
        if !cause.contains(&text) {
            cause = if text.contains(&cause) { text } else { format!("{cause}: {text}") };
        }
        source = error.source();
    }
    cause
}
