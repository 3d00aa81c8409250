//! Slack: the incoming webhook a customer names, and the card that is posted there.

use std::fmt;

use dregs_core::notify::notice::Notice;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue, USER_AGENT};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::config::{FieldError, MASKED};
use super::egress::Target;
use super::http::PostRequest;
use super::outcome::{Outcome, Verdict};
use super::webhook::USER_AGENT_VALUE;

/// "Incoming webhooks: 1 per second" (Slack's documentation, Rate limits).
pub const MESSAGES_PER_SECOND: u32 = 1;
/// Slack's documentation, Incoming webhooks: these answers mean that nothing that is sent there will ever be
/// taken.
const GONE: [&str; 8] = [
    "no_active_hooks",
    "no_service",
    "no_service_id",
    "no_team",
    "team_disabled",
    "invalid_token",
    "channel_is_archived",
    "channel_not_found",
];
/// RFC 9110 and RFC 6585: of what is the sender's fault, these pass. Whatever else Slack answers with a status from 400
/// to 499 (`invalid_payload`, `invalid_blocks`, `no_text`, `user_not_found`, `action_prohibited` and others) says that
/// this message will not be taken; of its own errors only those from 500 on pass (`rollup_error`).
const PASSING: [u16; 3] = [408, 425, 429];

/// The `config` of a Slack channel, as it is sent. The URL is a credential: it is stored encrypted.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SlackConfig {
    pub url: String,
}

impl fmt::Debug for SlackConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlackConfig").field("url", &self.masked().url).finish()
    }
}

impl SlackConfig {
    /// Reads it; the error holds all that is wrong.
    pub fn read(&self) -> Result<Slack, Vec<FieldError>> {
        match Target::parse(&self.url) {
            Ok(target) => Ok(Slack { target, shown_url: self.masked().url }),
            Err(error) => Err(vec![FieldError::new("url", error.to_string())]),
        }
    }

    /// The same with all of the URL masked but where it leads, as it is understood when it is sent: a URL has more
    /// spellings than one can look for.
    #[must_use]
    pub fn masked(&self) -> Self {
        let origin = Target::parse(&self.url).map(|target| target.shown_origin()).unwrap_or_default();
        Self { url: format!("{origin}/{MASKED}") }
    }
}

/// A Slack channel ready to send.
#[derive(Clone, Debug)]
pub struct Slack {
    pub(super) target: Target,
    /// Without what lets others post there.
    pub shown_url: String,
}

impl Slack {
    /// The request that posts a card.
    pub fn request(&self, notice: &Notice, deadline: std::time::Duration) -> PostRequest {
        let mut headers = HeaderMap::with_capacity(2);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static(USER_AGENT_VALUE));
        let (target, body) = (self.target.clone(), card(notice).to_string().into());
        PostRequest { target, headers, body, deadline, on_new_connection: false }
    }
}

/// What Slack's answer means beyond its status.
pub fn judge(mut outcome: Outcome) -> Outcome {
    let Some(response) = &outcome.response else { return outcome };
    let word = String::from_utf8_lossy(&response.body).trim().to_owned();
    if let Some(error) = &mut outcome.error
        && !word.is_empty()
        && word.len() < 64
    {
        error.message = format!("Slack answered {}: {word}", response.status);
    }
    if outcome.error.is_some() {
        let status = response.status;
        outcome.verdict = match (outcome.verdict, word.as_str()) {
            (Verdict::Gone, _) => Verdict::Gone,
            (_, word) if GONE.contains(&word) => Verdict::Gone,
            _ if (400..500).contains(&status) && !PASSING.contains(&status) => Verdict::Refused,
            (verdict, _) => verdict,
        };
    }
    outcome
}

/// A Block Kit card. What comes from outside stands in `plain_text` only, which Slack shows as it is.
fn card(notice: &Notice) -> Value {
    let plain = |text: String| json!({"type": "plain_text", "text": text, "emoji": false});
    let severity = notice.severity.map(|severity| format!("{}: ", severity.name())).unwrap_or_default();
    // At most 150 characters in a header, 3,000 in a section, 10 fields, 50 blocks (Block Kit reference).
    let header: String = format!("{severity}{}", notice.title).chars().take(150).collect();
    let mut blocks = vec![json!({"type": "header", "text": plain(header)})];
    if let Some(who) = &notice.who {
        blocks.push(json!({"type": "section", "text": plain(who.clone())}));
    }
    if !notice.scores.is_empty() {
        let field = |score: &dregs_core::notify::notice::ScoreLine| {
            let before = score.before.map(|before| format!(" (was {before})")).unwrap_or_default();
            plain(format!("{}: {}{before}", score.category, score.value))
        };
        let fields: Vec<_> = notice.scores.iter().map(field).collect();
        blocks.push(json!({"type": "section", "fields": fields}));
    }
    let changes =
        notice.changes.iter().map(|change| json!({"type": "section", "text": plain(change.clone())}));
    blocks.extend(changes);
    if !notice.observations.is_empty() {
        let elements: Vec<_> = notice.observations.iter().map(|line| plain(line.clone())).collect();
        blocks.push(json!({"type": "context", "elements": elements}));
    }
    let button = json!({"type": "button", "text": plain("Open in dregs".to_owned()), "url": notice.link});
    blocks.push(json!({"type": "actions", "elements": [button]}));
    // What a notification shows: Slack reads it as markup, in which these three characters are escaped
    // (Formatting text for app surfaces).
    let text = format!("{severity}{}", notice.headline());
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    json!({"text": text, "blocks": blocks, "unfurl_links": false, "unfurl_media": false, "mrkdwn": false})
}

#[cfg(test)]
mod tests {
    use dregs_core::notify::message::EventType;
    use dregs_core::time::Timestamp;

    use super::*;
    use crate::channels::outcome::{ErrorClass, SendError};

    #[test]
    fn a_url_is_shown_without_what_makes_it_a_credential() {
        let masked = |url: &str| SlackConfig { url: url.to_owned() }.masked().url;
        assert_eq!(
            masked("https://hooks.slack.com/services/T0/B0/s3cret"),
            "https://hooks.slack.com/********"
        );
        assert_eq!(masked("https://h.test?key=s3cret"), "https://h.test/********");
        assert_eq!(masked(r"https:\\H.test:444\services\s3cret"), "https://h.test:444/********");
        assert_eq!(masked("https:h.test/s3cret"), "https://h.test/********");
        assert_eq!(masked("https:///h.test/s3cret"), "https://h.test/********");
        assert_eq!(masked("\thttps://h.te\nst/s3cret"), "https://h.test/********");
        assert_eq!(masked("https://user:s3cret@h.test/"), "/********");
        assert_eq!(masked("s3cret"), "/********");
    }

    #[test]
    fn what_passes_is_tried_again_and_nothing_else() {
        let judged = |status: u16, body: &str| {
            let response = crate::channels::outcome::Response {
                status,
                headers: Vec::new(),
                body: body.as_bytes().to_vec(),
                is_truncated: false,
            };
            let error = SendError::new(ErrorClass::HttpStatus, "refused");
            let outcome = judge(Outcome { response: Some(response), ..Outcome::failed(error) });
            (outcome.verdict, outcome.error.map(|error| error.message).unwrap_or_default())
        };
        let gone = [
            (404, "no_active_hooks"),
            (404, "no_service"),
            (403, "invalid_token"),
            (410, "channel_is_archived"),
            (404, "channel_not_found"),
            (403, "team_disabled"),
        ];
        let refused = [
            (400, "invalid_payload"),
            (400, "invalid_blocks"),
            (400, "invalid_blocks_format"),
            (400, "no_text"),
            (400, "user_not_found"),
            (400, "too_many_attachments"),
            (403, "action_prohibited"),
            (403, "posting_to_general_channel_denied"),
            (400, "a_word_of_next_year"),
        ];
        let passing = [(429, "rate_limited"), (500, "rollup_error"), (503, ""), (408, "")];
        let all = gone.map(|case| (case, Verdict::Gone)).into_iter();
        let all = all.chain(refused.map(|case| (case, Verdict::Refused)));
        for ((status, word), verdict) in all.chain(passing.map(|case| (case, Verdict::Retry))) {
            let words =
                if word.is_empty() { "refused".into() } else { format!("Slack answered {status}: {word}") };
            assert_eq!(judged(status, word), (verdict, words), "{status} {word}");
        }
    }

    #[test]
    fn a_card_holds_what_others_wrote_as_plain_text_only() {
        let notice = Notice {
            event: EventType::EscalationOpened,
            severity: Some(dregs_core::rules::Severity::Critical),
            title: "Escalation opened: <!channel> & co".to_owned(),
            who: Some("<http[:]//evil[.]test|Anna> (u1)".to_owned()),
            link: "https://dregs.test/identities/u1".to_owned(),
            scores: Vec::new(),
            changes: vec!["*bold* <!here>".to_owned()],
            observations: vec!["`code`".to_owned()],
            occurred_at: Timestamp::from_millis(0),
        };
        let card = card(&notice);
        assert_eq!(
            card["text"],
            "CRITICAL: Escalation opened: &lt;!channel&gt; &amp; co – &lt;http[:]//evil[.]test|Anna&gt; (u1)"
        );
        fn texts(value: &Value, found: &mut Vec<String>) {
            match value {
                Value::Object(map) => {
                    if let Some(kind @ ("mrkdwn" | "plain_text")) = map.get("type").and_then(Value::as_str) {
                        found.push(kind.to_owned());
                    }
                    map.values().for_each(|value| texts(value, found));
                }
                Value::Array(values) => values.iter().for_each(|value| texts(value, found)),
                _ => {}
            }
        }
        let mut found = Vec::new();
        texts(&card["blocks"], &mut found);
        assert_eq!(found, vec!["plain_text"; 5]);
    }
}
