//! The configuration of a channel of any type: read, checked, shown and stored.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;
use serde_json::{Value, json};

use super::egress::EgressPolicy;
use super::email::EmailConfig;
use super::send::Sender;
use super::slack::SlackConfig;
use super::webhook::WebhookConfig;

/// What is shown in place of what may be a credential.
pub const MASKED: &str = "********";

/// How a channel tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelType {
    Webhook,
    Email,
    Slack,
}

impl ChannelType {
    pub const ALL: [Self; 3] = [Self::Webhook, Self::Email, Self::Slack];

    /// The name that is stored and shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Webhook => "WEBHOOK",
            Self::Email => "EMAIL",
            Self::Slack => "SLACK",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

/// What is wrong with one field of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The path of the field inside the configuration, such as `headers.X-Key`.
    pub field: String,
    pub message: String,
}

impl FieldError {
    pub(super) fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

/// The `config` of a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum ChannelConfig {
    Webhook(WebhookConfig),
    Email(EmailConfig),
    Slack(SlackConfig),
}

impl ChannelConfig {
    /// That of a Slack channel which posts at `url`.
    pub fn slack(url: &str) -> Self {
        Self::Slack(SlackConfig { url: url.to_owned() })
    }

    /// Reads a configuration that a customer sends: everything must be in its limits, and a URL must lead
    /// where `policy` allows as far as can be said without resolving its name. The error holds all that is
    /// wrong.
    pub fn validate(&self, policy: &EgressPolicy) -> Result<Sender, Vec<FieldError>> {
        let sender = self.read()?;
        let target = match &sender {
            Sender::Webhook(webhook) => Some(&webhook.target),
            Sender::Slack(slack) => Some(&slack.target),
            Sender::Email(_) => None,
        };
        match target.map_or(Ok(()), |target| policy.check(target.origin())) {
            Ok(()) => Ok(sender),
            Err(blocked) => Err(vec![FieldError::new("url", blocked.to_string())]),
        }
    }

    /// Reads a configuration that is stored. Where it leads is left to the moment of sending, for
    /// the operator's settings may have changed.
    pub fn read(&self) -> Result<Sender, Vec<FieldError>> {
        match self {
            Self::Webhook(config) => config.read().map(Sender::Webhook),
            Self::Email(config) => config.read().map(Sender::Email),
            Self::Slack(config) => config.read().map(Sender::Slack),
        }
    }

    /// The same, with what may be a credential masked.
    #[must_use]
    pub fn masked(&self) -> Self {
        match self {
            Self::Webhook(config) => Self::Webhook(config.masked()),
            Self::Email(config) => Self::Email(config.clone()),
            Self::Slack(config) => Self::Slack(config.masked()),
        }
    }

    /// Puts the values of `known` where a client sends back what it was shown.
    pub fn keep_masked(&mut self, known: &Self) -> Result<(), FieldError> {
        match (self, known) {
            (Self::Webhook(config), Self::Webhook(known)) => config.keep_masked(known),
            (Self::Slack(config), Self::Slack(known)) => {
                if config.url == known.masked().url {
                    config.url.clone_from(&known.url);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// As it is stored; `seal` encrypts.
    pub fn stored(&self, seal: impl Fn(&[u8]) -> Result<Vec<u8>, String>) -> Result<String, String> {
        let value = match self {
            Self::Slack(config) => json!({"sealedUrl": BASE64.encode(seal(config.url.as_bytes())?)}),
            other => serde_json::to_value(other).map_err(|error| error.to_string())?,
        };
        Ok(value.to_string())
    }

    /// What [`Self::stored`] wrote; `open` decrypts.
    pub fn from_stored(
        channel_type: &str,
        text: &str,
        open: impl Fn(&[u8]) -> Result<Vec<u8>, String>,
    ) -> Result<Self, String> {
        let broken = |error: &dyn fmt::Display| error.to_string();
        match ChannelType::parse(channel_type).ok_or("no type of channel")? {
            ChannelType::Webhook => serde_json::from_str(text).map(Self::Webhook).map_err(|e| broken(&e)),
            ChannelType::Email => serde_json::from_str(text).map(Self::Email).map_err(|e| broken(&e)),
            ChannelType::Slack => {
                let value: Value = serde_json::from_str(text).map_err(|e| broken(&e))?;
                let sealed = BASE64.decode(value["sealedUrl"].as_str().unwrap_or_default());
                let url = String::from_utf8(open(&sealed.map_err(|e| broken(&e))?)?);
                Ok(Self::Slack(SlackConfig { url: url.map_err(|e| broken(&e))? }))
            }
        }
    }
}

pub(super) fn check_range<T: PartialOrd + fmt::Display>(
    field: &str,
    value: Option<T>,
    range: std::ops::RangeInclusive<T>,
    errors: &mut Vec<FieldError>,
) {
    if value.is_some_and(|value| !range.contains(&value)) {
        errors.push(FieldError::new(field, format!("must be from {} to {}", range.start(), range.end())));
    }
}
