//! Checking a webhook step by step, for a person who wants to know why it is not accepted.
//!
//! A receiver needs only yes or no; here every step says what it found, and the usual mistakes are
//! recognized by trying them: a secret copied with a line break, a body that was parsed and
//! written again, hex taken for base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::Mac as _;
use serde_json::Value;

use super::signature::{
    HmacSha256, STANDARD_VERSION, Secret, SecretError, dregs_hmac, header, standard_hmac,
};
use crate::time::{SECOND_MS, Timestamp};

/// How far a timestamp may be from now: what the vendor's clients and the Standard Webhooks
/// libraries use.
pub const TOLERANCE_SECONDS: i64 = 300;

/// One step of the check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What is checked, such as `x-dregs-signature`.
    pub name: &'static str,
    pub finding: Finding,
}

/// What a step found, in a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    Passed(String),
    Failed(String),
    /// Could not be checked; whether that matters is for another step to say.
    Skipped(String),
}

/// Whether a receiver should act on what was checked: no step failed.
pub fn accepted(steps: &[Step]) -> bool {
    !steps.iter().any(|step| matches!(step.finding, Finding::Failed(_)))
}

/// A webhook as it was received, and what it is checked with.
pub struct Received<'a> {
    /// The channel's signing secret as its owner has it, possibly mangled.
    pub secret: &'a str,
    /// The bytes received.
    pub body: &'a [u8],
    pub now: Timestamp,
    /// How far the timestamps may be from `now`; [`TOLERANCE_SECONDS`] as a rule.
    pub tolerance_seconds: i64,
}

impl Received<'_> {
    /// Checks everything there is to check, in the order a receiver would. `header` gives the
    /// value of a header by its name in lower case.
    pub fn check<'h>(&self, header: impl Fn(&str) -> Option<&'h str>) -> Vec<Step> {
        let standard = StandardHeaders {
            id: header(header::WEBHOOK_ID),
            timestamp: header(header::WEBHOOK_TIMESTAMP),
            signature: header(header::WEBHOOK_SIGNATURE),
        };
        let dregs_signature = header(header::DREGS_SIGNATURE);
        let secret = Secret::parse(self.secret);
        let json = serde_json::from_slice::<Value>(self.body);
        let standard_signature = self.check_standard(&standard, &secret);
        let dregs_signature_finding = match self.check_dregs(dregs_signature, &secret) {
            Finding::Failed(why) if why == NO_MATCH && matches!(standard_signature, Finding::Passed(_)) => {
                Finding::Failed(ROTATED.to_owned())
            }
            finding => finding,
        };
        vec![
            Step { name: "headers", finding: check_headers(dregs_signature, &standard) },
            Step { name: "secret", finding: self.check_secret(&secret) },
            Step { name: header::DREGS_SIGNATURE, finding: dregs_signature_finding },
            Step { name: "body", finding: check_body(&json) },
            Step { name: "body timestamp", finding: self.check_body_timestamp(&json) },
            Step { name: header::WEBHOOK_ID, finding: check_webhook_id(standard.id, &json) },
            Step {
                name: header::WEBHOOK_TIMESTAMP,
                finding: self.check_webhook_timestamp(standard.timestamp),
            },
            Step { name: header::WEBHOOK_SIGNATURE, finding: standard_signature },
        ]
    }

    fn check_secret(&self, secret: &Result<Secret, SecretError>) -> Finding {
        let Err(error) = secret else {
            return Finding::Passed("whsec_ and 32 bytes in base64".to_owned());
        };
        let hint = match error {
            SecretError::Whitespace => "; copy it again without",
            SecretError::Prefix if self.secret.starts_with("sk_") || self.secret.starts_with("pk_") => {
                "; this is an API key, which has nothing to do with webhooks"
            }
            SecretError::Prefix => "; the prefix is part of the secret",
            SecretError::Base64 | SecretError::Length(_) => "; it was cut off or changed when it was copied",
        };
        Finding::Failed(format!("{error}{hint}"))
    }

    fn check_dregs(&self, signature: Option<&str>, secret: &Result<Secret, SecretError>) -> Finding {
        let Some(signature) = signature.map(str::trim) else {
            return Finding::Skipped("no such header was given".to_owned());
        };
        let code = match hex::decode(signature) {
            Ok(code) if code.len() == 32 => code,
            _ => return Finding::Failed(diagnose_hex(signature)),
        };
        let matches = |mac: HmacSha256| mac.verify_slice(&code).is_ok();
        if matches(dregs_hmac(self.secret, self.body)) {
            return Finding::Passed("matches the body".to_owned());
        }
        let clean = self.secret.split_whitespace().collect::<String>();
        if matches(dregs_hmac(&clean, self.body)) {
            return Finding::Failed("matches with the secret's white space taken away".to_owned());
        }
        if matches(dregs_hmac(&format!("whsec_{clean}"), self.body)) {
            return Finding::Failed("matches with whsec_ put before the secret".to_owned());
        }
        if let Some(change) = changed_body(self.body, |body| matches(dregs_hmac(&clean, body))) {
            return Finding::Failed(change.to_owned());
        }
        if let Ok(secret) = secret
            && matches(super::signature::keyed(secret.as_bytes()).chain_update(self.body))
        {
            return Finding::Failed(
                "was made with the 32 bytes the secret stands for; the key is its whole text, whsec_ included"
                    .to_owned(),
            );
        }
        Finding::Failed(NO_MATCH.to_owned())
    }

    fn check_standard(&self, headers: &StandardHeaders<'_>, secret: &Result<Secret, SecretError>) -> Finding {
        let (Some(id), Some(seconds), Some(signatures)) = (headers.id, headers.timestamp, headers.signature)
        else {
            return Finding::Skipped("needs all three webhook- headers".to_owned());
        };
        let clean = self.secret.split_whitespace().collect::<String>();
        let key = match secret {
            Ok(secret) => secret.clone(),
            Err(_) => match Secret::parse(&clean) {
                Ok(secret) => secret,
                Err(_) => {
                    return Finding::Skipped("cannot be checked without a well-formed secret".to_owned());
                }
            },
        };
        let codes: Vec<Vec<u8>> = signatures
            .split_whitespace()
            .filter_map(|signature| STANDARD.decode(signature.strip_prefix(STANDARD_VERSION)?).ok())
            .collect();
        if codes.is_empty() {
            return Finding::Failed(format!("has no signature of the form {STANDARD_VERSION}<base64>"));
        }
        let matches = |body: &[u8]| {
            let mac = standard_hmac(key.as_bytes(), id, seconds, body);
            codes.iter().any(|code| mac.clone().verify_slice(code).is_ok())
        };
        if matches(self.body) {
            return Finding::Passed(format!(
                "one of {} matches webhook-id.webhook-timestamp.body",
                codes.len()
            ));
        }
        Finding::Failed(changed_body(self.body, matches).unwrap_or(NO_MATCH).to_owned())
    }

    fn check_body_timestamp(&self, json: &serde_json::Result<Value>) -> Finding {
        let Ok(json) = json else {
            return Finding::Skipped("cannot be read from a body that is not JSON".to_owned());
        };
        let Some(text) = json.get("timestamp").and_then(Value::as_str) else {
            return Finding::Failed("the body has no timestamp".to_owned());
        };
        match Timestamp::parse(text) {
            Some(sent_at) => self.check_age(sent_at),
            None => Finding::Failed(format!("{text:?} is not an RFC 3339 time")),
        }
    }

    fn check_webhook_timestamp(&self, text: Option<&str>) -> Finding {
        let Some(text) = text else {
            return Finding::Skipped("no such header was given".to_owned());
        };
        match text.parse::<i64>() {
            Ok(seconds) => self.check_age(Timestamp::from_millis(seconds.saturating_mul(SECOND_MS))),
            Err(_) => Finding::Failed(format!("{text:?} is not a number of seconds since 1970")),
        }
    }

    fn check_age(&self, sent_at: Timestamp) -> Finding {
        let age_ms = self.now.millis_since(sent_at);
        let (distance, direction) = match age_ms {
            0.. => (age_ms, "old"),
            _ => (age_ms.saturating_neg(), "in the future"),
        };
        let seconds = distance / SECOND_MS;
        if distance <= self.tolerance_seconds.saturating_mul(SECOND_MS) {
            return Finding::Passed(format!("{seconds} s {direction}"));
        }
        Finding::Failed(format!(
            "{seconds} s {direction}, more than the {} s that are tolerated: a replay, or a clock that is wrong",
            self.tolerance_seconds
        ))
    }
}

const NO_MATCH: &str = "does not match: the secret is another channel's or an older one, or the body is not the \
                        bytes that were sent";

const ROTATED: &str = "does not match, though webhook-signature does: the secret was rotated and this is the older \
                       one; x-dregs-signature is made with the newest";

struct StandardHeaders<'a> {
    id: Option<&'a str>,
    timestamp: Option<&'a str>,
    signature: Option<&'a str>,
}

impl StandardHeaders<'_> {
    fn missing(&self) -> Vec<&'static str> {
        let all = [
            (header::WEBHOOK_ID, self.id),
            (header::WEBHOOK_TIMESTAMP, self.timestamp),
            (header::WEBHOOK_SIGNATURE, self.signature),
        ];
        all.into_iter().filter(|(_, value)| value.is_none()).map(|(name, _)| name).collect()
    }
}

/// Either family is enough; half of the second one is a mistake.
fn check_headers(dregs_signature: Option<&str>, standard: &StandardHeaders<'_>) -> Finding {
    let missing = standard.missing();
    match (dregs_signature, missing.len()) {
        (Some(_), 0) => Finding::Passed("both signature families are there".to_owned()),
        (None, 0) => Finding::Passed("the webhook- headers are there, x-dregs-signature is not".to_owned()),
        (Some(_), 3) => {
            Finding::Passed("x-dregs-signature is there, the webhook- headers are not".to_owned())
        }
        (None, 3) => Finding::Failed("there is no signature: give x-dregs-signature".to_owned()),
        _ => Finding::Failed(format!("missing: {}", missing.join(", "))),
    }
}

fn check_body(json: &serde_json::Result<Value>) -> Finding {
    match json {
        Ok(Value::Object(object)) => match object.get("event").and_then(Value::as_str) {
            Some(event) => Finding::Passed(format!("JSON, event {event}")),
            None => Finding::Passed("JSON, but names no event".to_owned()),
        },
        Ok(_) => Finding::Failed("is JSON but not an object".to_owned()),
        Err(error) => Finding::Failed(format!("is not JSON: {error}")),
    }
}

fn check_webhook_id(id: Option<&str>, json: &serde_json::Result<Value>) -> Finding {
    let Some(id) = id else {
        return Finding::Skipped("no such header was given".to_owned());
    };
    match json.as_ref().ok().and_then(|json| json.get("id")).and_then(Value::as_str) {
        Some(body_id) if body_id != id => {
            Finding::Failed(format!("{id:?} is not the body's id {body_id:?}: headers of another request"))
        }
        _ => Finding::Passed(format!("{id}, the same on every attempt: drop what you have seen")),
    }
}

/// Why a text that should be 64 hex digits is not.
fn diagnose_hex(signature: &str) -> String {
    let encoded = signature.strip_prefix(STANDARD_VERSION).unwrap_or(signature);
    if signature.starts_with(STANDARD_VERSION) {
        "is a Standard Webhooks signature: it belongs into webhook-signature".to_owned()
    } else if signature.strip_prefix("sha256=").is_some_and(|hex| hex::decode(hex).is_ok()) {
        "has sha256= before it; the value is the hex digits alone".to_owned()
    } else if STANDARD.decode(encoded).is_ok_and(|code| code.len() == 32) {
        "is base64; the value is in hex".to_owned()
    } else {
        format!("is not 64 hex digits but {} characters", signature.chars().count())
    }
}

/// What was done to the body, if undoing it makes `matches` true.
fn changed_body(body: &[u8], matches: impl Fn(&[u8]) -> bool) -> Option<&'static str> {
    if matches(body.trim_ascii()) {
        return Some("matches without the white space around the body: something added a line break");
    }
    let json = serde_json::from_slice::<Value>(body).ok()?;
    let compact = serde_json::to_vec(&json).ok()?;
    matches(&compact).then_some(
        "matches when the JSON is written compactly: the body was parsed and written again; verify the raw bytes",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::signature::sign;

    const NOW: Timestamp = Timestamp::from_millis(1_795_426_200_000);
    const BODY: &str = r#"{"id":"evt_1","event":"CHANNEL_TEST","timestamp":"2026-11-23T09:30:00.000Z"}"#;

    fn secret() -> Secret {
        Secret::from_bytes([7; 32])
    }

    /// A webhook as it was sent, and what became of it before it was checked.
    struct Case {
        secret: String,
        body: String,
        now: Timestamp,
        headers: Vec<(&'static str, String)>,
    }

    impl Case {
        fn new() -> Self {
            Self::signed_with(&[secret()])
        }

        fn signed_with(secrets: &[Secret]) -> Self {
            let signatures = sign(secrets, "evt_1", NOW, BODY.as_bytes());
            let headers = vec![
                (header::DREGS_SIGNATURE, signatures.dregs),
                (header::WEBHOOK_ID, "evt_1".to_owned()),
                (header::WEBHOOK_TIMESTAMP, NOW.as_seconds().to_string()),
                (header::WEBHOOK_SIGNATURE, signatures.standard),
            ];
            Self { secret: secret().as_text().to_owned(), body: BODY.to_owned(), now: NOW, headers }
        }

        fn secret(mut self, change: impl Fn(&str) -> String) -> Self {
            self.secret = change(&self.secret);
            self
        }

        fn body(mut self, change: impl Fn(&str) -> String) -> Self {
            self.body = change(&self.body);
            self
        }

        fn header(mut self, name: &str, change: impl Fn(&str) -> String) -> Self {
            for (_, value) in self.headers.iter_mut().filter(|(header, _)| *header == name) {
                *value = change(value);
            }
            self
        }

        fn without(mut self, names: &[&str]) -> Self {
            self.headers.retain(|(header, _)| !names.contains(header));
            self
        }

        fn steps(&self) -> Vec<Step> {
            let received = Received {
                secret: &self.secret,
                body: self.body.as_bytes(),
                now: self.now,
                tolerance_seconds: TOLERANCE_SECONDS,
            };
            received.check(|name| {
                self.headers.iter().find(|(header, _)| *header == name).map(|(_, value)| value.as_str())
            })
        }
    }

    fn failures(case: &Case) -> Vec<(&'static str, String)> {
        let failed = |step: Step| match step.finding {
            Finding::Failed(why) => Some((step.name, why)),
            Finding::Passed(_) | Finding::Skipped(_) => None,
        };
        case.steps().into_iter().filter_map(failed).collect()
    }

    /// The steps that fail, each with how its explanation starts.
    fn check(what: &str, case: &Case, expected: &[(&str, &str)]) {
        let found = failures(case);
        let names = found.iter().map(|(name, _)| *name).collect::<Vec<_>>();
        assert_eq!(names, expected.iter().map(|(name, _)| *name).collect::<Vec<_>>(), "{what}: {found:?}");
        for ((_, why), (_, start)) in found.iter().zip(expected) {
            assert!(why.starts_with(start), "{what}: {why}");
        }
        assert_eq!(accepted(&case.steps()), expected.is_empty(), "{what}");
    }

    #[test]
    fn a_webhook_as_it_was_sent_passes_every_step() {
        let passed = |name, text: &str| Step { name, finding: Finding::Passed(text.to_owned()) };
        let expected = vec![
            passed("headers", "both signature families are there"),
            passed("secret", "whsec_ and 32 bytes in base64"),
            passed("x-dregs-signature", "matches the body"),
            passed("body", "JSON, event CHANNEL_TEST"),
            passed("body timestamp", "0 s old"),
            passed("webhook-id", "evt_1, the same on every attempt: drop what you have seen"),
            passed("webhook-timestamp", "0 s old"),
            passed("webhook-signature", "one of 1 matches webhook-id.webhook-timestamp.body"),
        ];
        assert_eq!(Case::new().steps(), expected);
    }

    #[test]
    fn either_family_alone_is_enough() {
        let standard = [header::WEBHOOK_ID, header::WEBHOOK_TIMESTAMP, header::WEBHOOK_SIGNATURE];
        check("dregs alone", &Case::new().without(&standard), &[]);
        check("standard alone", &Case::new().without(&[header::DREGS_SIGNATURE]), &[]);
        let half = Case::new().without(&standard[1..]);
        check("half", &half, &[("headers", "missing: webhook-timestamp, webhook-signature")]);
        let none = Case::new().without(&standard).without(&[header::DREGS_SIGNATURE]);
        check("none", &none, &[("headers", "there is no signature")]);
    }

    #[test]
    fn a_mangled_secret_is_recognised() {
        const DREGS: &str = "x-dregs-signature";
        const STANDARD: &str = "webhook-signature";
        check(
            "line break",
            &Case::new().secret(|secret| format!("{secret}\n")),
            &[("secret", "it has a space or a line break"), (DREGS, "matches with the secret's white space")],
        );
        check(
            "no prefix",
            &Case::new().secret(|secret| secret.replace("whsec_", "")),
            &[
                ("secret", "it does not start with whsec_; the prefix"),
                (DREGS, "matches with whsec_ put before"),
            ],
        );
        check(
            "API key",
            &Case::new().secret(|_| "sk_live_1".to_owned()),
            &[("secret", "it does not start with whsec_; this is an API key"), (DREGS, NO_MATCH)],
        );
        check(
            "cut off",
            &Case::new().secret(|secret| secret[..20].to_owned()),
            &[("secret", "what follows whsec_ is not standard base64; it was cut off"), (DREGS, NO_MATCH)],
        );
        check(
            "another's",
            &Case::new().secret(|_| Secret::from_bytes([8; 32]).as_text().to_owned()),
            &[(DREGS, NO_MATCH), (STANDARD, NO_MATCH)],
        );
        let rotated = Case::signed_with(&[Secret::from_bytes([8; 32]), secret()]);
        check("older of two", &rotated, &[(DREGS, ROTATED)]);
        let newest = Case::signed_with(&[secret(), Secret::from_bytes([8; 32])]);
        check("newer of two", &newest, &[]);
    }

    #[test]
    fn a_changed_body_is_recognised() {
        const DREGS: &str = "x-dregs-signature";
        const STANDARD: &str = "webhook-signature";
        check(
            "line break",
            &Case::new().body(|body| format!("{body}\r\n")),
            &[(DREGS, "matches without the white space"), (STANDARD, "matches without the white space")],
        );
        check(
            "written again",
            &Case::new().body(|body| body.replace("\",\"", "\", \"").replace("\":", "\": ")),
            &[(DREGS, "matches when the JSON is written compactly"), (STANDARD, "matches when the JSON")],
        );
        check(
            "forged",
            &Case::new().body(|body| body.replace("TEST", "BEST")),
            &[(DREGS, NO_MATCH), (STANDARD, NO_MATCH)],
        );
        check(
            "not JSON",
            &Case::new().body(|body| body[1..].to_owned()),
            &[(DREGS, NO_MATCH), ("body", "is not JSON"), (STANDARD, NO_MATCH)],
        );
    }

    #[test]
    fn a_value_in_the_wrong_place_or_form_is_recognised() {
        const NAME: &str = header::DREGS_SIGNATURE;
        let base64 = |hex: &str| STANDARD.encode(hex::decode(hex).unwrap());
        let cases: [(&str, Case, &str); 5] = [
            ("base64", Case::new().header(NAME, base64), "is base64; the value is in hex"),
            ("prefixed", Case::new().header(NAME, |hex| format!("sha256={hex}")), "has sha256= before it"),
            (
                "standard",
                Case::new().header(NAME, |_| "v1,AAAA".to_owned()),
                "is a Standard Webhooks signature",
            ),
            ("short", Case::new().header(NAME, |hex| hex[..10].to_owned()), "is not 64 hex digits but 10"),
            ("empty", Case::new().header(NAME, |_| String::new()), "is not 64 hex digits but 0"),
        ];
        for (what, case, why) in &cases {
            check(what, case, &[(NAME, why)]);
        }
        check("upper case", &Case::new().header(NAME, str::to_uppercase), &[]);
        let raw_key = super::super::signature::keyed(&[7; 32]).chain_update(BODY).finalize().into_bytes();
        check(
            "keyed with the bytes",
            &Case::new().header(NAME, |_| hex::encode(raw_key)),
            &[(NAME, "was made with the 32 bytes the secret stands for")],
        );
    }

    #[test]
    fn what_is_old_or_of_another_request_is_refused() {
        let at = |seconds| Case { now: NOW.plus_millis(seconds * SECOND_MS), ..Case::new() };
        check("just in time", &at(TOLERANCE_SECONDS), &[]);
        check(
            "a day old",
            &at(86_400),
            &[
                ("body timestamp", "86400 s old, more than the 300 s"),
                ("webhook-timestamp", "86400 s old, more than the 300 s"),
            ],
        );
        check(
            "a slow clock",
            &at(-301),
            &[("body timestamp", "301 s in the future"), ("webhook-timestamp", "301 s in the future")],
        );
        check(
            "another's id",
            &Case::new().header(header::WEBHOOK_ID, |_| "evt_2".to_owned()),
            &[("webhook-id", "\"evt_2\" is not the body's id \"evt_1\""), ("webhook-signature", NO_MATCH)],
        );
        check(
            "milliseconds",
            &Case::new().header(header::WEBHOOK_TIMESTAMP, |seconds| format!("{seconds}000")),
            &[("webhook-timestamp", ""), ("webhook-signature", NO_MATCH)],
        );
    }
}
