//! `dregs trigger`: an example of an event, sent to the channels that are subscribed to it.

use clap::Args;
use dregs_core::notify::message::EventType;
use serde::Deserialize;
use serde_json::json;

use super::Failure;
use super::api::{Api, ServerArgs};
use super::output::{Paint, Tone, columns, line};

#[derive(Args)]
#[command(after_help = after_help())]
pub struct Trigger {
    /// What to send an example of
    #[arg(value_name = "EVENT-TYPE", value_parser = event_type)]
    event: EventType,
    /// Send to this channel, by its id or slug, whatever it is subscribed to
    #[arg(long, value_name = "CHANNEL")]
    channel: Option<String>,
    /// Send to every channel that is subscribed to it, where several are
    #[arg(long, conflicts_with = "channel")]
    all: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Every event type with its other spellings, and what becomes of an example.
fn after_help() -> String {
    let rows = EventType::ALL.map(|event| [format!("  {}", event.name()), event.aliases().join(", ")]);
    format!(
        "Event types:\n{}\n\n\
         The server sends the example of its catalog (GET /api/event-types), signed as any other webhook,\n\
         and does not try again. The command fails when an attempt fails.\n\n\
         Examples:\n  dregs trigger identity.scored\n  dregs trigger CHANNEL_TEST --channel my-app\n  \
         dregs trigger escalation.opened --all",
        columns(&rows).join("\n")
    )
}

/// Reads any spelling of an event type, in any case.
pub(super) fn event_type(text: &str) -> Result<EventType, String> {
    let spellings = [text.to_owned(), text.to_ascii_uppercase(), text.to_ascii_lowercase()];
    spellings.iter().find_map(|spelling| EventType::parse(spelling)).ok_or_else(|| {
        let known = EventType::ALL.map(EventType::dotted).join(", ");
        format!("is no event type; there are {known}")
    })
}

#[derive(Deserialize)]
struct Channel {
    id: i64,
    name: String,
    slug: String,
    events: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attempt {
    delivery_id: i64,
    status: String,
    duration_millis: Option<i64>,
    http_status: Option<u16>,
    error_message: Option<String>,
}

impl Trigger {
    pub fn run(self) -> Result<(), Failure> {
        let api = self.server.connect()?;
        let targets = self.targets(&api)?;
        let paint = Paint::for_stdout();
        let names: Vec<[String; 2]> =
            targets.iter().map(|channel| [channel.id.to_string(), channel.name.clone()]).collect();
        let mut is_failed = false;
        for (channel, name) in targets.iter().zip(columns(&names)) {
            let attempt = self.send(&api, channel)?;
            is_failed |= attempt.status != "DELIVERED";
            line(format_args!("{name}  {}", attempt.shown(paint)));
        }
        if is_failed { Err(Failure::Silent) } else { Ok(()) }
    }

    fn targets(&self, api: &Api) -> Result<Vec<Channel>, Failure> {
        let channels: Vec<Channel> = read(api.get("/channels")?)?;
        let is_meant = |channel: &Channel| match &self.channel {
            Some(wanted) => channel.slug == *wanted || channel.id.to_string() == *wanted,
            None => channel.events.iter().any(|event| event == self.event.name()),
        };
        let (targets, others): (Vec<_>, Vec<_>) = channels.into_iter().partition(is_meant);
        if let (Some(wanted), []) = (&self.channel, targets.as_slice()) {
            let known: Vec<_> = others.into_iter().map(|channel| channel.slug).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(Failure::Failed(format!("there is no channel {wanted}; there are {known}")));
        }
        if targets.is_empty() {
            return Err(Failure::Failed(format!(
                "no channel is subscribed to {}: name one with --channel, subscribe one, or run `dregs listen`",
                self.event.name()
            )));
        }
        if targets.len() > 1 && !self.all {
            let slugs: Vec<_> = targets.into_iter().map(|channel| channel.slug).collect();
            return Err(Failure::Failed(format!(
                "{} channels are subscribed to {}: name one with --channel, or send to all with --all; there are {}",
                slugs.len(),
                self.event.name(),
                slugs.join(", ")
            )));
        }
        Ok(targets)
    }

    fn send(&self, api: &Api, channel: &Channel) -> Result<Attempt, Failure> {
        let path = format!("/channels/{}/actions/test", channel.id);
        read(api.post(&path, &json!({"event": self.event.name()}))?)
    }
}

impl Attempt {
    /// Such as `DELIVERED  200  12 ms  delivery 17`.
    fn shown(&self, paint: Paint) -> String {
        let tone = if self.status == "DELIVERED" { Tone::Good } else { Tone::Bad };
        let http_status = self.http_status.map_or_else(|| "-".to_owned(), |status| status.to_string());
        let duration = self.duration_millis.map_or_else(|| "-".to_owned(), |millis| format!("{millis} ms"));
        let error = self.error_message.as_ref().map(|error| format!("  {error}")).unwrap_or_default();
        let status = paint.paint(tone, format_args!("{:9}", self.status));
        format!("{status}  {http_status:>3}  {duration:>6}  delivery {}{error}", self.delivery_id)
    }
}

fn read<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> Result<T, Failure> {
    serde_json::from_value(value)
        .map_err(|error| Failure::Failed(format!("the server's answer is not understood: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_lists_every_event_type() {
        let help = after_help();
        for event in EventType::ALL {
            assert!(help.contains(&format!("\n  {} ", event.name())), "{help}");
            assert!(event.aliases().iter().all(|alias| help.contains(alias)), "{help}");
        }
    }

    #[test]
    fn every_spelling_is_read_and_a_wrong_one_lists_the_right_ones() {
        for text in ["identity.scored", "IDENTITY_SCORED", "identity_scored", "Identity.Scored"] {
            assert_eq!(event_type(text), Ok(EventType::IdentityScored), "{text}");
        }
        assert_eq!(event_type("alert.opened"), Ok(EventType::EscalationOpened));
        assert_eq!(
            event_type("scored"),
            Err("is no event type; there are identity.scored, identity.badges_changed, identity.labeled, \
                 escalation.opened, escalation.closed, rule.rate_jumped, channel.test, channel.failing, \
                 channel.disabled"
                .to_owned())
        );
    }

    #[test]
    fn an_attempt_is_one_line() {
        let attempt = Attempt {
            delivery_id: 17,
            status: "FAILED".into(),
            duration_millis: Some(3),
            http_status: None,
            error_message: Some("connection refused".into()),
        };
        let delivered =
            Attempt { status: "DELIVERED".into(), http_status: Some(204), error_message: None, ..attempt };
        assert_eq!(delivered.shown(Paint::plain()), "DELIVERED  204    3 ms  delivery 17");
        let failed = Attempt {
            status: "FAILED".into(),
            http_status: None,
            error_message: Some("connection refused".into()),
            ..delivered
        };
        assert_eq!(failed.shown(Paint::plain()), "FAILED       -    3 ms  delivery 17  connection refused");
    }
}
