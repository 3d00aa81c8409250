//! What people are told of an event, by mail or in a chat, in words.
//!
//! Whatever comes from outside, and that includes explanations, which quote it, goes through [`inert`].

use serde_json::Value;

use super::inert::{inert, inert_id, inert_or_numbered};
use super::message::{EventType, Message};
use crate::rules::{Condition, Ground, Severity, Slugs, explain};
use crate::score::{Category, Observation, Scores};
use crate::time::Timestamp;

/// Observations that are told: those that pull a score down most.
const OBSERVATIONS_MAX: usize = 3;
/// Badges and scores that changed.
const CHANGES_MAX: usize = 8;

/// What a message does not say itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct About {
    /// The identity's name, or what stands for one.
    pub name: Option<String>,
    /// Of the identity's cycle at that time.
    pub observations: Vec<Observation>,
}

/// A score, and the one before where that was another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScoreLine {
    pub category: &'static str,
    pub value: u8,
    pub before: Option<u8>,
}

/// An event in inert words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub event: EventType,
    pub severity: Option<Severity>,
    /// What happened.
    pub title: String,
    /// The identity or channel it happened to.
    pub who: Option<String>,
    /// The page about it.
    pub link: String,
    pub scores: Vec<ScoreLine>,
    /// What is different now: sentences.
    pub changes: Vec<String>,
    /// Why: sentences.
    pub observations: Vec<String>,
    pub occurred_at: Timestamp,
}

impl Notice {
    /// The message in words; pages are those of the server at `public_url`.
    pub fn new(message: &Message, about: &About, public_url: &str) -> Self {
        let data: Value = serde_json::from_str(&message.data).unwrap_or_default();
        let base = public_url.trim_end_matches('/');
        let (who, link) = match &message.identity_id {
            Some(id) => {
                (Some(named(about.name.as_deref(), id)), format!("{base}/identities/{}", encoded(id)))
            }
            None => match (data["channel"]["id"].as_str(), data["rule"]["id"].as_i64()) {
                (Some(id), _) => {
                    let name = text(&data["channel"]["name"]);
                    (Some(name), format!("{base}/settings/channels/{}", encoded(id)))
                }
                (None, Some(id)) => {
                    let kind = if data["rule"]["type"] == "BADGE" { "badge" } else { "escalation" };
                    (None, format!("{base}/{kind}-rules/{id}"))
                }
                (None, None) => (None, format!("{base}/")),
            },
        };
        let scores: Scores = read(&data["scores"]).unwrap_or_default();
        let before: Option<Scores> = read(&data["previousScores"]);
        Self {
            event: message.event,
            severity: read(&data["severity"]),
            title: title(message.event, &data),
            who,
            link,
            scores: score_lines(&scores, before.as_ref()),
            changes: changes(message.event, &data, &scores),
            observations: telling(&about.observations),
            occurred_at: message.occurred_at,
        }
    }

    /// What happened and to whom, in a line.
    pub fn headline(&self) -> String {
        match &self.who {
            Some(who) => format!("{} – {who}", self.title),
            None => self.title.clone(),
        }
    }
}

/// The name and the id, if they differ.
fn named(name: Option<&str>, id: &str) -> String {
    let id = inert_id(id);
    match name.map(inert).filter(|name| !name.is_empty() && *name != id) {
        Some(name) => format!("{name} ({id})"),
        None => id,
    }
}

fn title(event: EventType, data: &Value) -> String {
    let rule = || text(&data["rule"]["name"]);
    match event {
        EventType::IdentityScored => "Scored".to_owned(),
        EventType::IdentityBadgesChanged => "Badges changed".to_owned(),
        EventType::IdentityLabeled => "Label changed".to_owned(),
        EventType::EscalationOpened => format!("Escalation opened: {}", rule()),
        EventType::EscalationClosed => format!("Escalation closed: {}", rule()),
        EventType::RuleRateJumped => format!("A rule matches far more often: {}", rule()),
        EventType::ChannelTest => "Test of this channel".to_owned(),
        EventType::ChannelFailing => "A channel is failing".to_owned(),
        EventType::ChannelDisabled => "A channel has been disabled".to_owned(),
    }
}

fn changes(event: EventType, data: &Value, scores: &Scores) -> Vec<String> {
    let badges = |key: &str, what: &str| -> Vec<String> {
        let of = |badge: &Value| {
            let line = format!("{what} “{}”: {}", text(&badge["name"]), text(&badge["explanation"]));
            line.trim_end_matches(": ").to_owned()
        };
        data[key].as_array().into_iter().flatten().map(of).collect()
    };
    let mut changes = match event {
        EventType::IdentityScored => badges("badges", "Has the badge"),
        EventType::IdentityBadgesChanged => {
            [badges("added", "Now has the badge"), badges("removed", "No longer has the badge")].concat()
        }
        EventType::IdentityLabeled => vec![labelled(data)],
        EventType::EscalationOpened => {
            // One that was written before explanations were kept has its conditions alone.
            if let Some(explanation) = data["explanation"].as_str() {
                return vec![inert(explanation)];
            }
            let conditions: Vec<Condition> = read(&data["conditions"]).unwrap_or_default();
            let ground = Ground { scores, carried: &Slugs::new(), agent: None, event: None, lists: None };
            vec![inert(&explain(&conditions, &ground))]
        }
        EventType::EscalationClosed => {
            vec!["Its conditions no longer hold, or somebody has closed it.".to_owned()]
        }
        EventType::RuleRateJumped => vec![jump(data)],
        EventType::ChannelTest => vec![text(&data["message"])],
        EventType::ChannelFailing | EventType::ChannelDisabled => vec![sickness(data)],
    };
    let more = changes.len().saturating_sub(CHANGES_MAX);
    if more > 0 {
        changes.truncate(CHANGES_MAX);
        changes.push(format!("And {more} more."));
    }
    changes
}

fn labelled(data: &Value) -> String {
    let label = &data["label"];
    let Some(outcome) = label["outcome"].as_str() else { return "It has no label any more.".to_owned() };
    let kind = label["kind"].as_str().map(|kind| format!(" ({kind})")).unwrap_or_default();
    let reason = Some(text(&label["reason"])).filter(|reason| !reason.is_empty());
    let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    inert(&format!("Labeled {outcome}{kind} by {}{reason}.", text(&label["source"])))
}

fn jump(data: &Value) -> String {
    let count = data["count"].as_u64().unwrap_or_default();
    let expected = data["expected"].as_f64().unwrap_or_default();
    let what = if data["rule"]["type"] == "BADGE" { "identities that got its badge" } else { "escalations" };
    let to: String = read(&data["to"]).map(Timestamp::to_minute).unwrap_or_default();
    format!(
        "In the day until {to}: {what}, {count}; to be expected, by the four weeks before, {expected:.1}."
    )
}

fn sickness(data: &Value) -> String {
    let failures = data["failures"].as_u64().unwrap_or_default();
    let since = read(&data["failingSince"]).map(|since: Timestamp| since.to_string()).unwrap_or_default();
    let error = text(&data["error"]);
    let way = match data["percent"].as_u64() {
        Some(percent) => format!("this is {percent} percent of the way to its being disabled"),
        None => "what waits is kept until it is enabled again".to_owned(),
    };
    format!("Failed attempts in a row: {failures}, since {since}; {way}. The last error: {error}.")
}

fn score_lines(scores: &Scores, before: Option<&Scores>) -> Vec<ScoreLine> {
    let line = |category: Category| {
        let value = scores.get(category)?;
        let before = before.and_then(|before| before.get(category)).filter(|before| *before != value);
        Some(ScoreLine { category: category.title(), value, before })
    };
    Category::ALL.into_iter().filter_map(line).collect()
}

/// The observations that pull a score down most, in words.
fn telling(observations: &[Observation]) -> Vec<String> {
    let pull = |o: &Observation| (0.5 - o.value) * o.confidence * o.weight;
    let mut worst: Vec<_> = observations.iter().filter(|o| pull(o) > 0.0).collect();
    worst.sort_by(|a, b| pull(b).total_cmp(&pull(a)));
    let line = |o: &&Observation| format!("{}: {}", o.category.title(), inert(&o.explanation));
    worst.iter().take(OBSERVATIONS_MAX).map(line).collect()
}

fn text(value: &Value) -> String {
    value.as_str().map(inert_or_numbered).unwrap_or_default()
}

fn read<T: serde::de::DeserializeOwned>(value: &Value) -> Option<T> {
    T::deserialize(value).ok()
}

/// As a segment of a path: all but the unreserved characters (RFC 3986, section 2.3) as `%XX`.
fn encoded(id: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    id.bytes().map(|b| if is_plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::catalogue::example_data;

    fn message(event: EventType, data: &Value) -> Message {
        Message {
            id: "evt_1".into(),
            event,
            occurred_at: Timestamp::from_millis(1_795_426_200_000),
            identity_id: event.has_identity().then(|| "a/b@evil.test\r\nBcc: x".into()),
            sequence: None,
            data: data.to_string().into(),
        }
    }

    fn observation(category: Category, value: f64, weight: f64, explanation: &str) -> Observation {
        let (id, label, metadata) = Default::default();
        let explanation = explanation.to_owned();
        Observation { category, id, label, explanation, value, confidence: 1.0, weight, metadata }
    }

    #[test]
    fn a_score_tells_what_changed_and_the_observations_that_matter() {
        let observations = vec![
            observation(Category::Humanity, 0.9, 9.0, "Types like a person."),
            observation(Category::Humanity, 0.1, 1.0, "Comes from a data center."),
            observation(Category::Uniqueness, 0.0, 4.0, "Shares a device with http://evil.test/."),
            observation(Category::Behavior, 0.4, 1.0, "Hurries."),
            observation(Category::Behavior, 0.45, 1.0, "Hurries a little."),
        ];
        let about = About { name: Some("Anna <b>\u{202e}".into()), observations };
        let told = Notice::new(
            &message(EventType::IdentityScored, &example_data(EventType::IdentityScored)),
            &about,
            "https://dregs.test/",
        );
        assert_eq!(told.headline(), "Scored – Anna <b> (a/b@evil[.]test Bcc: x)");
        assert_eq!(told.link, "https://dregs.test/identities/a%2Fb%40evil.test%0D%0ABcc%3A%20x");
        let scores: Vec<_> = told.scores.iter().map(|s| (s.category, s.value, s.before)).collect();
        let expected = [
            ("Humanity", 12, Some(64)),
            ("Authenticity", 35, None),
            ("Uniqueness", 91, None),
            ("Behavior", 40, Some(52)),
        ];
        assert_eq!(scores, expected);
        assert_eq!(told.changes, ["Has the badge “Suspected bot”: Humanity is 12, below 20."]);
        let expected = [
            "Uniqueness: Shares a device with http[:]//evil[.]test/.",
            "Humanity: Comes from a data center.",
            "Behavior: Hurries.",
        ];
        assert_eq!(told.observations, expected);
    }

    #[test]
    fn whoever_cannot_be_seen_is_told_by_number() {
        let data = example_data(EventType::IdentityScored);
        for (id, name, expected) in [
            ("\u{200b}", None, "Scored – [U+200B]"),
            ("\u{200b}", Some("\u{200b}"), "Scored – [U+200B]"),
            ("\u{200b}", Some("Anna"), "Scored – Anna ([U+200B])"),
            ("\u{2066}u1", None, "Scored – [U+2066]u1"),
        ] {
            let message =
                Message { identity_id: Some(id.into()), ..message(EventType::IdentityScored, &data) };
            let about = About { name: name.map(str::to_owned), observations: Vec::new() };
            assert_eq!(Notice::new(&message, &about, "http://h").headline(), expected);
        }
        let mut data = example_data(EventType::ChannelFailing);
        data["channel"]["name"] = "\u{200b}".into();
        let told = Notice::new(&message(EventType::ChannelFailing, &data), &About::default(), "http://h");
        assert_eq!(told.headline(), "A channel is failing – [U+200B]");
    }

    #[test]
    fn every_event_has_words() {
        let cases = [
            (
                EventType::IdentityBadgesChanged,
                "Badges changed",
                "Now has the badge “Suspected bot”: Humanity is 12, below 20.",
            ),
            (
                EventType::EscalationOpened,
                "Escalation opened: Likely a bot",
                "Humanity is 12, below 20; first seen more than 1 hour ago; it does not have the badge \"trusted\".",
            ),
            (
                EventType::EscalationClosed,
                "Escalation closed: Likely a bot",
                "Its conditions no longer hold, or somebody has closed it.",
            ),
            (
                EventType::RuleRateJumped,
                "A rule matches far more often: Likely a bot",
                "In the day until 2026-11-23 09:00 UTC: escalations, 48; to be expected, by the four weeks before, 3.2.",
            ),
            (
                EventType::ChannelTest,
                "Test of this channel",
                "This is a test of the channel. Nothing happened.",
            ),
            (
                EventType::ChannelFailing,
                "A channel is failing",
                "Failed attempts in a row: 214, since 2026-11-23T03:30:00.007Z; this is 50 percent of the way to its being \
                 disabled. The last error: the endpoint answered 503 Service Unavailable.",
            ),
        ];
        for (event, title, change) in cases {
            let told = Notice::new(&message(event, &example_data(event)), &About::default(), "http://h");
            assert_eq!((told.title.as_str(), told.changes.concat().as_str()), (title, change), "{event:?}");
        }
    }
}
