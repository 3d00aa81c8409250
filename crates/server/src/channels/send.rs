//! The one way out: what any channel makes of an event, and the sending of it.

use std::time::Duration;

use dregs_core::notify::message::Message;
use dregs_core::notify::notice::Notice;
use dregs_core::notify::signature::Secret;
use dregs_core::time::Timestamp;

use super::email::{Email, Letter};
use super::http::{HttpClient, PostRequest};
use super::outcome::{ErrorClass, Outcome, SendError};
use super::slack::{self, MESSAGES_PER_SECOND, Slack};
use super::smtp::Mailer;
use super::webhook::{Attempt, CONCURRENCY_DEFAULT, Webhook};
use crate::trace::context;

/// A channel ready to send.
#[derive(Clone, Debug)]
pub enum Sender {
    Webhook(Webhook),
    Email(Email),
    Slack(Slack),
}

/// What is sent in one attempt.
pub enum Sending<'a> {
    /// A message as it is, signed with these secrets.
    Signed(Attempt<'a>, &'a [Secret]),
    /// For people: one notice, or a digest of several, the first of which is `message`'s.
    Told(Telling<'a>),
}

/// What people are told in one attempt.
pub struct Telling<'a> {
    pub message: &'a Message,
    pub notices: &'a [Notice],
    pub timestamp: Timestamp,
    pub deadline: Duration,
    /// Recipients who have it already, or never will.
    pub settled: &'a [String],
}

/// What goes over the wire.
pub enum Prepared {
    Signed(PostRequest),
    Card(PostRequest, String),
    Letter(Box<lettre::Message>, Duration),
}

/// Who sends it.
#[derive(Clone)]
pub struct Clients {
    pub http: HttpClient,
    /// Where mail is configured.
    pub mailer: Option<Mailer>,
}

/// What was sent, as the log shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Sender {
    /// How many attempts may be under way at once.
    pub fn max_concurrency(&self) -> u32 {
        match self {
            Self::Webhook(webhook) => webhook.max_concurrency,
            Self::Email(_) => 1,
            Self::Slack(_) => CONCURRENCY_DEFAULT,
        }
    }

    /// How many may be begun in a second, if that is limited.
    pub fn rate_per_second(&self) -> Option<u32> {
        match self {
            Self::Webhook(webhook) => webhook.rate_per_second,
            Self::Email(_) => None,
            Self::Slack(_) => Some(MESSAGES_PER_SECOND),
        }
    }

    /// How many may be begun in a minute before the rest is gathered, if it can be.
    pub fn gathers_beyond(&self) -> Option<u32> {
        match self {
            Self::Email(email) => Some(email.mails_per_minute),
            _ => None,
        }
    }

    /// Whether an identity's events are sent one after the other.
    pub fn is_ordered(&self) -> bool {
        matches!(self, Self::Webhook(webhook) if webhook.is_ordered)
    }

    /// Whether a score makes those of the same identity that still wait needless.
    pub fn coalesces(&self) -> bool {
        matches!(self, Self::Webhook(webhook) if webhook.coalesces)
    }

    /// Whether it takes an identity's other waiting events to know what to send.
    pub fn is_by_identity(&self) -> bool {
        self.is_ordered() || self.coalesces()
    }

    /// The names of the headers that the channel adds.
    pub fn custom_header_names(&self) -> Vec<String> {
        match self {
            Self::Webhook(webhook) => webhook.custom_header_names(),
            _ => Vec::new(),
        }
    }

    /// Whether it is people who read it.
    pub fn is_for_people(&self) -> bool {
        !matches!(self, Self::Webhook(_))
    }

    /// What goes over the wire.
    ///
    /// # Errors
    /// A failure that is recorded as any other: mail without a mail server.
    pub fn prepare(&self, sending: &Sending, clients: &Clients) -> Result<Prepared, SendError> {
        match (self, sending) {
            (Self::Webhook(_), Sending::Signed(_, [])) => Err(protocol(
                "the channel has no signing secret that can be read, and nothing is sent unsigned".to_owned(),
            )),
            (Self::Webhook(webhook), Sending::Signed(attempt, secrets)) => {
                Ok(Prepared::Signed(webhook.request(attempt, secrets)))
            }
            (Self::Slack(slack), Sending::Told(Telling { notices: [notice, ..], deadline, .. })) => {
                Ok(Prepared::Card(slack.request(notice, *deadline), slack.shown_url.clone()))
            }
            (Self::Email(email), Sending::Told(telling)) => {
                let Telling { message, notices, timestamp, deadline, settled } = telling;
                let mailer = clients.mailer.as_ref().ok_or_else(no_mailer)?;
                let letter = Letter::new(notices).map_err(|error| protocol(error.to_string()))?;
                let letter = email
                    .message(letter, &message.id, mailer.from(), *timestamp, settled)
                    .map_err(protocol)?;
                Ok(Prepared::Letter(Box::new(letter), *deadline))
            }
            _ => Err(protocol("the channel cannot send this".to_owned())),
        }
    }
}

impl Prepared {
    pub fn payload_size(&self) -> usize {
        match self {
            Self::Signed(request) | Self::Card(request, _) => request.body.len(),
            Self::Letter(letter, _) => letter.formatted().len(),
        }
    }

    /// Where the request says that it is in a trace.
    pub fn traceparent(&self) -> Option<String> {
        let Self::Signed(request) = self else { return None };
        Some(request.headers.get(context::HEADER)?.to_str().ok()?.to_owned())
    }

    /// As the log shows it, where the log cannot make it anew: a signed message it can.
    pub fn shown(&self) -> Option<Shown> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match self {
            Self::Signed(_) => None,
            Self::Card(request, url) => {
                let mut headers = vec![("url".to_owned(), url.clone())];
                let sent =
                    request.headers.iter().map(|(name, value)| (name.to_string(), text(value.as_bytes())));
                headers.extend(sent);
                Some(Shown { headers, body: text(&request.body) })
            }
            Self::Letter(letter, _) => {
                let letter = text(&letter.formatted());
                let (head, body) = letter.split_once("\r\n\r\n").unwrap_or((&letter, ""));
                let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
                let headers = unfolded.split("\r\n").filter_map(|line| line.split_once(": "));
                let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
                Some(Shown { headers, body: body.to_owned() })
            }
        }
    }

    /// The same, on no connection that was kept from another attempt.
    #[must_use]
    pub fn on_new_connection(mut self) -> Self {
        if let Self::Signed(request) | Self::Card(request, _) = &mut self {
            request.on_new_connection = true;
        }
        self
    }

    /// Sends it and says what came of it, at the deadline at the latest.
    pub async fn send(self, clients: &Clients) -> Outcome {
        match self {
            Self::Signed(request) => clients.http.post(request).await,
            Self::Card(request, _) => slack::judge(clients.http.post(request).await),
            Self::Letter(letter, deadline) => match &clients.mailer {
                Some(mailer) => mailer.send(&letter, deadline).await,
                None => Outcome::failed(no_mailer()),
            },
        }
    }
}

fn no_mailer() -> SendError {
    SendError::new(
        ErrorClass::Connect,
        "mail cannot be sent: the operator has not set smtp_url (DREGS_SMTP_URL)",
    )
}

fn protocol(message: String) -> SendError {
    SendError::new(ErrorClass::Protocol, message)
}
