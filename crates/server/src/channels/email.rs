//! E-mail: whom a customer writes to, and the letter that comes of a notice or of several.

use std::time::{Duration, UNIX_EPOCH};

use askama::Template;
use dregs_core::notify::notice::Notice;
use dregs_core::time::Timestamp;
use lettre::address::Envelope;
use lettre::message::header::{ContentTransferEncoding, ContentType};
use lettre::message::{Body, Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};
use serde::{Deserialize, Serialize};

use super::config::FieldError;
use super::smtp::spelled_out;
use crate::limit::{self, Limit};

/// Recipients of a channel.
pub const RECIPIENTS_MAX: usize = 20;
/// The most, and unless it says the usual, mails a channel sends in a minute before it gathers events into a
/// digest.
pub const MAILS_PER_MINUTE_MAX: u32 = 1_000;
pub const MAILS_PER_MINUTE_DEFAULT: u32 = 10;
/// Events that a digest tells of; what is beyond waits for the next.
pub const DIGEST_MAX: usize = 100;
/// Of a digest, the events that are told in full.
const DIGEST_FULL_MAX: usize = 10;
/// A subject may be longer, and is then cut by many programs.
const SUBJECT_MAX_CHARS: usize = 150;
/// As much of what is no address as its error shows.
const TOLD_MAX_CHARS: usize = 100;

/// The `config` of an e-mail channel, as it is sent and stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EmailConfig {
    pub recipients: Vec<String>,
    /// Mails in a minute, beyond which events are gathered into a digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mails_per_minute: Option<u32>,
}

/// An e-mail channel ready to send.
#[derive(Clone, Debug)]
pub struct Email {
    recipients: Vec<Mailbox>,
    /// Beyond which events are gathered.
    pub mails_per_minute: u32,
}

/// A letter in two forms.
#[derive(Debug, PartialEq, Eq)]
pub struct Letter {
    pub subject: String,
    pub text: String,
    pub html: String,
}

#[derive(Template)]
#[template(path = "email.html")]
struct Html<'a> {
    subject: &'a str,
    notices: &'a [Notice],
    rest: &'a [Notice],
}

#[derive(Template)]
#[template(path = "email.txt")]
struct Text<'a> {
    notices: &'a [Notice],
    rest: &'a [Notice],
}

impl EmailConfig {
    /// Reads it; the error holds all that is wrong.
    pub fn read(&self) -> Result<Email, Vec<FieldError>> {
        let mut errors = Vec::new();
        if self.recipients.is_empty() || self.recipients.len() > RECIPIENTS_MAX {
            if self.recipients.len() > RECIPIENTS_MAX {
                limit::reached(Limit::Items);
            }
            let message = format!("must have from 1 to {RECIPIENTS_MAX} addresses");
            errors.push(FieldError::new("recipients", message));
        }
        let mut recipients = Vec::new();
        for (index, text) in self.recipients.iter().enumerate() {
            match text.parse::<Address>() {
                Ok(address) => recipients.push(Mailbox::new(None, spelled_out(&address))),
                Err(_) => {
                    let told: String = text.chars().take(TOLD_MAX_CHARS).collect();
                    let message = format!("`{told}` is not an e-mail address");
                    errors.push(FieldError::new(format!("recipients[{index}]"), message));
                }
            }
        }
        super::config::check_range(
            "mailsPerMinute",
            self.mails_per_minute,
            1..=MAILS_PER_MINUTE_MAX,
            &mut errors,
        );
        let mails_per_minute = self.mails_per_minute.unwrap_or(MAILS_PER_MINUTE_DEFAULT);
        if errors.is_empty() { Ok(Email { recipients, mails_per_minute }) } else { Err(errors) }
    }
}

impl Letter {
    /// One notice, or a digest of several. At least one.
    ///
    /// # Errors
    /// Never in practice: the templates are compiled in.
    pub fn new(notices: &[Notice]) -> Result<Self, askama::Error> {
        let subject = match notices {
            [one] => {
                let severity =
                    one.severity.map(|severity| format!("{} ", severity.name())).unwrap_or_default();
                format!("[dregs] {severity}{}", one.headline())
            }
            many => {
                let worst = many.iter().filter_map(|one| one.severity).max();
                let count = many.iter().filter(|one| worst.is_some() && one.severity == worst).count();
                let worst = worst.map(|worst| format!(", {count} {}", worst.name())).unwrap_or_default();
                format!("[dregs] {} events{worst}", many.len())
            }
        };
        let subject = subject.chars().take(SUBJECT_MAX_CHARS).collect::<String>();
        let (full, rest) = notices.split_at(notices.len().min(DIGEST_FULL_MAX));
        let text = Text { notices: full, rest }.render()?;
        let html = Html { subject: &subject, notices: full, rest }.render()?;
        Ok(Self { subject, text, html })
    }
}

impl Email {
    /// The letter as a message: the same bytes for the same values. `id` is the first event's. It names all recipients,
    /// and goes to those that are not `settled`, or to all where that is everybody.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn message(
        &self,
        letter: Letter,
        id: &str,
        from: &Mailbox,
        at: Timestamp,
        settled: &[String],
    ) -> Result<Message, String> {
        let addresses = || self.recipients.iter().map(|recipient| recipient.email.clone());
        let mut left: Vec<_> =
            addresses().filter(|to| !settled.iter().any(|one| **one == *AsRef::<str>::as_ref(to))).collect();
        if left.is_empty() {
            left = addresses().collect();
        }
        let envelope = Envelope::new(Some(from.email.clone()), left).map_err(|error| error.to_string())?;
        let domain = from.email.domain();
        let mut builder = Message::builder()
            .envelope(envelope)
            .from(from.clone())
            .subject(letter.subject)
            .date(UNIX_EPOCH + Duration::from_millis(at.as_millis().unsigned_abs()))
            .message_id(Some(format!("<{id}.{}@{domain}>", at.as_millis())));
        for recipient in &self.recipients {
            builder = builder.to(recipient.clone());
        }
        let part = |content_type, text: String| {
            // Always the one encoding: no line grows too long, and nothing in it looks like a boundary.
            let encoding = ContentTransferEncoding::Base64;
            let body = Body::new_with_encoding(text, encoding).map_err(|_| "a text cannot be encoded")?;
            Ok::<_, String>(SinglePart::builder().header(content_type).body(body))
        };
        let parts = MultiPart::alternative().boundary(format!("dregs-{id}"));
        let parts = parts
            .singlepart(part(ContentType::TEXT_PLAIN, letter.text)?)
            .singlepart(part(ContentType::TEXT_HTML, letter.html)?);
        builder.multipart(parts).map_err(|error| error.to_string())
    }
}
