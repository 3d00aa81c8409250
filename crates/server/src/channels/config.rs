//! The configuration of a channel of any type: read, checked, shown and stored.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::egress::{EgressPolicy, Target};
use super::email::EmailConfig;
use super::send::Sender;
use super::slack::SlackConfig;
use super::webhook::WebhookConfig;
use crate::limit::{self, Limit};

/// What is shown in place of what may be a credential.
pub const MASKED: &str = "********";

/// What is encrypted of a webhook's configuration.
const SEALED: [&str; 2] = ["url", "headers"];

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
        let url = match self {
            Self::Webhook(config) => Some(&config.url),
            Self::Slack(config) => Some(&config.url),
            Self::Email(_) => None,
        };
        // A URL that cannot be read is told of by `read`.
        let target = url.and_then(|url| Target::parse(url).ok());
        let blocked = target.and_then(|target| policy.check(target.origin()).err());
        let blocked = blocked.map(|blocked| FieldError::new("url", blocked.to_string()));
        match (self.read(), blocked) {
            (Ok(sender), None) => Ok(sender),
            (read, blocked) => Err(blocked.into_iter().chain(read.err().into_iter().flatten()).collect()),
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

    /// The same for those who may not change it.
    #[must_use]
    pub fn masked_for_readers(&self) -> Self {
        match self {
            Self::Webhook(config) => Self::Webhook(config.masked_for_readers()),
            other => other.masked(),
        }
    }

    /// Puts the values of `known` where a client sends back what it was shown. The answer is the headers that are
    /// left out, since they would go elsewhere than before.
    pub fn keep_masked(&mut self, known: &Self) -> Result<Vec<String>, Vec<FieldError>> {
        match (self, known) {
            (Self::Webhook(config), Self::Webhook(known)) => config.keep_masked(known),
            (Self::Slack(config), Self::Slack(known)) => {
                if config.url == known.masked().url {
                    config.url.clone_from(&known.url);
                }
                if config.url.contains(MASKED) {
                    let message = "is a mask of another URL: give the whole one";
                    return Err(vec![FieldError::new("url", message)]);
                }
                Ok(Vec::new())
            }
            _ => Ok(Vec::new()),
        }
    }

    /// As it is stored; `seal` encrypts what may be a credential: of a webhook its URL and its headers.
    pub fn stored(&self, seal: impl Fn(&[u8]) -> Result<Vec<u8>, String>) -> Result<String, String> {
        let mut value = match self {
            Self::Slack(config) => json!({"sealedUrl": BASE64.encode(seal(config.url.as_bytes())?)}),
            other => serde_json::to_value(other).map_err(|error| error.to_string())?,
        };
        if let (Self::Webhook(_), Some(members)) = (self, value.as_object_mut()) {
            let secret: Map<_, _> = SEALED.iter().filter_map(|name| members.remove_entry(*name)).collect();
            let sealed = BASE64.encode(seal(Value::Object(secret).to_string().as_bytes())?);
            members.insert("sealed".into(), sealed.into());
        }
        Ok(value.to_string())
    }

    /// Whether a stored configuration is one of a version that did not seal all that may be a credential.
    pub fn is_open(channel_type: &str, text: &str) -> bool {
        channel_type == ChannelType::Webhook.name()
            && serde_json::from_str::<Value>(text).is_ok_and(|value| value.get("sealed").is_none())
    }

    /// What [`Self::stored`] wrote; `open` decrypts.
    pub fn from_stored(
        channel_type: &str,
        text: &str,
        open: impl Fn(&[u8]) -> Result<Vec<u8>, String>,
    ) -> Result<Self, String> {
        let broken = |error: &dyn fmt::Display| error.to_string();
        let decoded =
            |value: &Value| BASE64.decode(value.as_str().unwrap_or_default()).map_err(|e| broken(&e));
        match ChannelType::parse(channel_type).ok_or("no type of channel")? {
            ChannelType::Webhook => {
                let mut members: Map<String, Value> = serde_json::from_str(text).map_err(|e| broken(&e))?;
                if let Some(sealed) = members.remove("sealed") {
                    let secret = open(&decoded(&sealed)?)?;
                    members.extend(serde_json::from_slice::<Map<_, _>>(&secret).map_err(|e| broken(&e))?);
                }
                serde_json::from_value(Value::Object(members)).map(Self::Webhook).map_err(|e| broken(&e))
            }
            ChannelType::Email => serde_json::from_str(text).map(Self::Email).map_err(|e| broken(&e)),
            ChannelType::Slack => {
                let value: Value = serde_json::from_str(text).map_err(|e| broken(&e))?;
                let url = String::from_utf8(open(&decoded(&value["sealedUrl"])?)?);
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
    if value.as_ref().is_some_and(|value| value > range.end()) {
        limit::reached(Limit::Number);
    }
    if value.is_some_and(|value| !range.contains(&value)) {
        errors.push(FieldError::new(field, format!("must be from {} to {}", range.start(), range.end())));
    }
}
