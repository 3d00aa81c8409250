//! Webhooks: what a customer configures, and the signed POST that comes of it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use dregs_core::event::redact_url;
use dregs_core::notify::message::Message;
use dregs_core::notify::signature::{Secret, header, sign};
use dregs_core::time::Timestamp;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use serde::{Deserialize, Serialize};

use super::config::{FieldError, MASKED, check_range};
use super::egress::Target;
use super::http::PostRequest;
use crate::limit::{self, Limit};
use crate::trace::context::{self, Context};

/// The shortest and the longest deadline a channel may set.
pub const TIMEOUT_MIN_MS: u64 = 100;
pub const TIMEOUT_MAX_MS: u64 = 30_000;
/// How many requests of a channel may be on their way at once, at most and unless it says.
pub const CONCURRENCY_MAX: u32 = 256;
pub const CONCURRENCY_DEFAULT: u32 = 32;
/// The highest limit a channel may set; without one there is none.
pub const RATE_MAX_PER_SECOND: u32 = 10_000;
/// How many headers a channel may add.
pub const CUSTOM_HEADERS_MAX: usize = 20;
/// The longest name of such a header.
pub const CUSTOM_HEADER_NAME_MAX_BYTES: usize = 128;
/// The longest value of such a header.
pub const CUSTOM_HEADER_VALUE_MAX_BYTES: usize = 4_096;

pub(super) const USER_AGENT_VALUE: &str = concat!("Dregs-Webhooks/", env!("CARGO_PKG_VERSION"));

/// Headers a channel must not set: those of the connection (RFC 9110 section 7.6.1), those that
/// say what the body is, and what would have answers compressed.
const REFUSED_HEADERS: [&str; 12] = [
    "accept-encoding",
    "connection",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];
/// Families of headers that are ours.
const REFUSED_PREFIXES: [&str; 3] = ["content-", "webhook-", "x-dregs-"];

/// The `config` of a webhook channel, as it is sent and stored.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WebhookConfig {
    pub url: String,
    /// Headers to send besides ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers: Option<BTreeMap<String, String>>,
    /// The deadline of an attempt, instead of the server's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_concurrency: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_per_second: Option<u32>,
    /// Whether an identity's events are sent one after the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ordered: Option<bool>,
    /// Whether a score makes those of the same identity that still wait needless.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coalesce: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Payload>,
}

/// How much of an event is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Payload {
    #[default]
    #[serde(alias = "full")]
    Full,
    /// Ids alone.
    #[serde(alias = "thin")]
    Thin,
}

/// Without the values of headers and the path of the URL, which may be credentials.
impl fmt::Debug for WebhookConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header_names = self.headers.iter().flat_map(BTreeMap::keys).collect::<Vec<_>>();
        f.debug_struct("WebhookConfig")
            .field("url", &Target::parse(&self.url))
            .field("headers", &header_names)
            .field("timeout_ms", &self.timeout_ms)
            .field("max_concurrency", &self.max_concurrency)
            .field("rate_per_second", &self.rate_per_second)
            .field("ordered", &self.ordered)
            .field("coalesce", &self.coalesce)
            .field("payload", &self.payload)
            .finish()
    }
}

/// A webhook ready to send: its configuration, read.
#[derive(Clone, Debug)]
pub struct Webhook {
    pub(super) target: Target,
    custom_headers: Vec<(HeaderName, HeaderValue)>,
    timeout: Option<Duration>,
    /// How many requests may be on their way at once.
    pub max_concurrency: u32,
    /// How many requests may be started in a second, if that is limited.
    pub rate_per_second: Option<u32>,
    /// Whether an identity's events are sent one after the other.
    pub is_ordered: bool,
    /// Whether a score makes those of the same identity that still wait needless.
    pub coalesces: bool,
    pub payload: Payload,
}

/// What one attempt says, and to whom.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    pub message: &'a Message,
    pub channel_id: i64,
    pub delivery_id: i64,
    /// When it is sent: what receivers hold against their clocks.
    pub timestamp: Timestamp,
    /// The server's deadline, for a channel without its own.
    pub default_deadline: Duration,
    /// The attempt, where it is traced.
    pub trace: Option<Context>,
}

impl WebhookConfig {
    /// The same with the values of headers masked, and those of the URL whose names name a secret.
    #[must_use]
    pub fn masked(&self) -> Self {
        let mut masked = self.clone();
        masked.url = redact_url(&self.url, MASKED);
        for value in masked.headers.iter_mut().flat_map(BTreeMap::values_mut) {
            MASKED.clone_into(value);
        }
        masked
    }

    /// The same for those who may not change it: of its URL only as much as says where it leads.
    #[must_use]
    pub fn masked_for_readers(&self) -> Self {
        let url = masked_path(&self.url);
        Self { url, ..self.masked() }
    }

    /// Puts the values of `known` where a client sends back what it was shown, as long as they go where they went
    /// before: whoever may change a URL must not have what he cannot read sent to a host of his own. The answer is the
    /// headers that are left out therefore.
    pub fn keep_masked(&mut self, known: &Self) -> Result<Vec<String>, Vec<FieldError>> {
        if self.url == known.masked().url || self.url == known.masked_for_readers().url {
            self.url.clone_from(&known.url);
        }
        let is_same_origin = matches!(
            (Target::parse(&self.url), Target::parse(&known.url)),
            (Ok(target), Ok(known)) if target.origin() == known.origin()
        );
        let mut errors = Vec::new();
        if self.url.contains(MASKED) {
            match url_with_known_values(&self.url, &known.url, is_same_origin) {
                Ok(url) => self.url = url,
                Err(message) => errors.push(FieldError::new("url", message)),
            }
        }
        let mut dropped = Vec::new();
        let known = known.headers.as_ref();
        let given = self.headers.iter_mut().flatten();
        for (name, value) in given.filter(|(_, value)| *value == MASKED) {
            let stored = known.into_iter().flatten().find(|(other, _)| other.eq_ignore_ascii_case(name));
            match stored {
                None => {
                    let message = "is a mask, and the channel has no such header to keep";
                    errors.push(FieldError::new(format!("headers.{name}"), message));
                }
                Some((_, stored)) if is_same_origin => value.clone_from(stored),
                Some(_) => dropped.push(name.clone()),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        if let Some(headers) = &mut self.headers {
            headers.retain(|name, _| !dropped.contains(name));
        }
        Ok(dropped)
    }

    /// Reads a configuration that is stored. Where it leads is left to the moment of sending, for
    /// the operator's settings may have changed.
    pub fn read(&self) -> Result<Webhook, Vec<FieldError>> {
        let mut errors = Vec::new();
        let target =
            Target::parse(&self.url).map_err(|error| errors.push(FieldError::new("url", error.to_string())));
        let custom_headers = read_headers(self.headers.as_ref(), &mut errors);
        check_range("timeoutMs", self.timeout_ms, TIMEOUT_MIN_MS..=TIMEOUT_MAX_MS, &mut errors);
        check_range("maxConcurrency", self.max_concurrency, 1..=CONCURRENCY_MAX, &mut errors);
        check_range("ratePerSecond", self.rate_per_second, 1..=RATE_MAX_PER_SECOND, &mut errors);
        match target {
            Ok(target) if errors.is_empty() => Ok(Webhook {
                target,
                custom_headers,
                timeout: self.timeout_ms.map(Duration::from_millis),
                max_concurrency: self.max_concurrency.unwrap_or(CONCURRENCY_DEFAULT),
                rate_per_second: self.rate_per_second,
                is_ordered: self.ordered.unwrap_or(false),
                coalesces: self.coalesce.unwrap_or(false),
                payload: self.payload.unwrap_or_default(),
            }),
            _ => Err(errors),
        }
    }
}

impl Webhook {
    /// The request of one attempt, signed. `secrets` are all that are valid at its timestamp, the
    /// newest first, and at least one.
    pub fn request(&self, attempt: &Attempt<'_>, secrets: &[Secret]) -> PostRequest {
        let Attempt { message, channel_id, delivery_id, timestamp, default_deadline, trace } = *attempt;
        let body = match self.payload {
            Payload::Full => message.body(channel_id, timestamp),
            Payload::Thin => message.thin().body(channel_id, timestamp),
        };
        let signatures = sign(secrets, &message.id, timestamp, &body);
        let mut headers = HeaderMap::with_capacity(10 + self.custom_headers.len());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static(USER_AGENT_VALUE));
        let values = [
            (header::DREGS_SIGNATURE, signatures.dregs),
            (header::DREGS_TIMESTAMP, timestamp.to_string()),
            (header::DREGS_EVENT, message.event.name().to_owned()),
            (header::DREGS_DELIVERY, delivery_id.to_string()),
            (header::WEBHOOK_ID, message.id.clone()),
            (header::WEBHOOK_TIMESTAMP, timestamp.as_seconds().to_string()),
            (header::WEBHOOK_SIGNATURE, signatures.standard),
        ];
        for (name, value) in values {
            // Only a control character could be refused, and none of these has one.
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        // A channel that sets the header itself has its own way of tracing.
        if let Some(trace) = trace
            && self.custom_headers.iter().all(|(name, _)| name != context::HEADER)
            && let Ok(value) = HeaderValue::try_from(trace.traceparent())
        {
            headers.insert(context::HEADER, value);
        }
        headers.extend(self.custom_headers.iter().cloned());
        PostRequest {
            target: self.target.clone(),
            headers,
            body: body.into(),
            deadline: self.timeout.unwrap_or(default_deadline),
            on_new_connection: false,
        }
    }

    /// The names of the headers that the channel adds.
    pub fn custom_header_names(&self) -> Vec<String> {
        self.custom_headers.iter().map(|(name, _)| name.to_string()).collect()
    }

    /// The same webhook without the headers that the channel adds.
    #[must_use]
    pub fn without_custom_headers(&self) -> Self {
        Self { custom_headers: Vec::new(), ..self.clone() }
    }

    /// The same webhook with another payload.
    #[must_use]
    pub fn with_payload(&self, payload: Payload) -> Self {
        Self { payload, ..self.clone() }
    }

    /// The headers of a request as the log shows them: all that are sent, the values of custom
    /// ones masked.
    pub fn shown_headers(&self, request: &PostRequest) -> Vec<(String, String)> {
        let host = String::from_utf8_lossy(request.target.host_header.as_bytes()).into_owned();
        let mut shown =
            vec![(HOST.to_string(), host), (CONTENT_LENGTH.to_string(), request.body.len().to_string())];
        shown.extend(request.headers.iter().map(|(name, value)| {
            let is_custom = self.custom_headers.iter().any(|(custom, _)| custom == name);
            let value = if is_custom { MASKED.into() } else { String::from_utf8_lossy(value.as_bytes()) };
            (name.to_string(), value.into_owned())
        }));
        shown
    }
}

/// A URL for those who may not change it, and for the audit log.
pub fn masked_path(url: &str) -> String {
    Target::parse(url).map_or_else(|_| MASKED.to_owned(), |target| target.masked_path(MASKED))
}

/// The URL with the values of the known one where it has masks. The error completes a sentence that begins with "the
/// URL".
fn url_with_known_values(url: &str, known: &str, is_same_origin: bool) -> Result<String, &'static str> {
    if !is_same_origin {
        return Err("holds a mask, and leads elsewhere than before: the value is not kept, give it again");
    }
    let parameters = |text: &str| -> Vec<String> {
        let query = text.split(['?', '#']).skip(1);
        query.flat_map(|part| part.split(['&', ';'])).map(str::to_owned).collect()
    };
    let known = parameters(known);
    let mut whole = url.to_owned();
    for masked in parameters(url).iter().filter(|parameter| parameter.contains(MASKED)) {
        let name = masked.strip_suffix(MASKED).filter(|name| name.ends_with('='));
        let stored = name.and_then(|name| known.iter().find(|parameter| parameter.starts_with(name)));
        let stored = stored.ok_or("holds a mask where the channel has no value to keep")?;
        whole = whole.replacen(masked.as_str(), stored, 1);
    }
    if whole.contains(MASKED) {
        Err("holds a mask where the channel has no value to keep")
    } else {
        Ok(whole)
    }
}

fn read_headers(
    headers: Option<&BTreeMap<String, String>>,
    errors: &mut Vec<FieldError>,
) -> Vec<(HeaderName, HeaderValue)> {
    let Some(headers) = headers else {
        return Vec::new();
    };
    if headers.len() > CUSTOM_HEADERS_MAX {
        limit::reached(Limit::Items);
        errors.push(FieldError::new("headers", format!("at most {CUSTOM_HEADERS_MAX} headers")));
        return Vec::new();
    }
    let mut read: Vec<(HeaderName, HeaderValue)> = Vec::with_capacity(headers.len());
    for (name, value) in headers {
        match read_header(name, value) {
            Ok((name, _)) if read.iter().any(|(other, _)| *other == name) => {
                errors.push(FieldError::new(format!("headers.{name}"), "is given twice"));
            }
            Ok(header) => read.push(header),
            Err(message) => errors.push(FieldError::new(format!("headers.{name}"), message)),
        }
    }
    read
}

fn read_header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    if name.len() > CUSTOM_HEADER_NAME_MAX_BYTES {
        return Err(format!("the name is longer than {CUSTOM_HEADER_NAME_MAX_BYTES} bytes"));
    }
    if value.len() > CUSTOM_HEADER_VALUE_MAX_BYTES {
        return Err(format!("the value is longer than {CUSTOM_HEADER_VALUE_MAX_BYTES} bytes"));
    }
    let name = name.parse::<HeaderName>().map_err(|_| "is not the name of a header".to_owned())?;
    let text = name.as_str();
    if REFUSED_HEADERS.contains(&text) || REFUSED_PREFIXES.iter().any(|prefix| text.starts_with(prefix)) {
        return Err("is set by the server and cannot be changed".to_owned());
    }
    let mut value =
        HeaderValue::from_str(value).map_err(|_| "the value must be printable ASCII".to_owned())?;
    value.set_sensitive(true);
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use dregs_core::notify::message::EventType;
    use serde_json::json;

    use super::*;
    use crate::channels::config::ChannelConfig;
    use crate::channels::egress::EgressPolicy;

    fn config(value: serde_json::Value) -> WebhookConfig {
        serde_json::from_value(value).unwrap()
    }

    /// The fields that are wrong, each with how its message starts.
    fn check(value: serde_json::Value, expected: &[(&str, &str)]) {
        let config = ChannelConfig::Webhook(config(value.clone()));
        let errors = config.validate(&EgressPolicy::default()).err().unwrap_or_default();
        let fields = errors.iter().map(|error| error.field.as_str()).collect::<Vec<_>>();
        assert_eq!(
            fields,
            expected.iter().map(|(field, _)| *field).collect::<Vec<_>>(),
            "{value}: {errors:?}"
        );
        for (error, (_, start)) in errors.iter().zip(expected) {
            assert!(error.message.starts_with(start), "{value}: {error:?}");
        }
    }

    #[test]
    fn limits_are_held_and_all_that_is_wrong_is_said() {
        check(json!({"url": "https://h.test/"}), &[]);
        let least =
            json!({"url": "https://h.test/", "timeoutMs": 100, "maxConcurrency": 1, "ratePerSecond": 1});
        check(least, &[]);
        let most = json!({
            "url": "https://h.test/",
            "timeoutMs": 30_000,
            "maxConcurrency": 256,
            "ratePerSecond": 10_000,
            "ordered": true
        });
        check(most, &[]);
        check(
            json!({"url": "h.test", "timeoutMs": 99, "maxConcurrency": 257, "ratePerSecond": 0}),
            &[
                ("url", "must be a whole URL, such as https://example.com/webhooks"),
                ("timeoutMs", "must be from 100 to 30000"),
                ("maxConcurrency", "must be from 1 to 256"),
                ("ratePerSecond", "must be from 1 to 10000"),
            ],
        );
        check(json!({"url": "http://127.0.0.1:9/"}), &[("url", "127.0.0.1 is a loopback address")]);
        assert!(config(json!({"url": "http://127.0.0.1:9/"})).read().is_ok());
        assert!(
            serde_json::from_value::<WebhookConfig>(json!({"url": "https://h.test/", "timeout": 5})).is_err()
        );
    }

    #[test]
    fn custom_headers_cannot_stand_in_for_ours() {
        let refused = |name: &str| json!({"url": "https://h.test/", "headers": {name: "x"}});
        for name in
            ["Host", "content-length", "Content-Type", "Transfer-Encoding", "X-Dregs-Signature", "webhook-id"]
        {
            check(refused(name), &[(&format!("headers.{name}"), "is set by the server")]);
        }
        check(refused("User-Agent"), &[("headers.User-Agent", "is set by the server")]);
        check(refused("a b"), &[("headers.a b", "is not the name of a header")]);
        check(refused(&"a".repeat(129)), &[(&format!("headers.{}", "a".repeat(129)), "the name is longer")]);
        let values = json!({"a": "x\r\ny: z", "B": "1", "b": "2", "c": "x".repeat(4_097)});
        check(
            json!({"url": "https://h.test/", "headers": values}),
            &[
                ("headers.a", "the value must be"),
                ("headers.b", "is given twice"),
                ("headers.c", "the value is longer"),
            ],
        );
        let many = (0..21).map(|index| (format!("x-{index}"), json!(""))).collect::<serde_json::Map<_, _>>();
        check(json!({"url": "https://h.test/", "headers": many}), &[("headers", "at most 20 headers")]);
    }

    #[test]
    fn a_configuration_is_written_as_it_is_read_and_hides_secrets_from_logs() {
        let value = json!({"url": "https://h.test/key", "headers": {"Authorization": "Bearer s3cret"}, "timeoutMs": 500});
        let config = config(value.clone());
        assert_eq!(serde_json::to_value(&config).unwrap(), value);
        let debug = format!("{config:?} {:?}", config.read());
        assert!(!debug.contains("s3cret") && !debug.contains("key"), "{debug}");
    }

    #[test]
    fn masks_stand_for_what_was_there_and_go_nowhere_else() {
        let known = config(json!({
            "url": "https://h.test/a?token=s3cret&b=c",
            "headers": {"X-Key": "k1", "Authorization": "Bearer s3cret"},
        }));
        let masked = json!({
            "url": "https://h.test/a?token=********&b=c",
            "headers": {"X-Key": MASKED, "Authorization": MASKED},
        });
        assert_eq!(serde_json::to_value(known.masked()).unwrap(), masked);
        let kept = |value: serde_json::Value| {
            let mut config = config(value);
            let dropped = config.keep_masked(&known);
            (serde_json::to_value(&config).unwrap(), dropped)
        };
        assert_eq!(kept(masked.clone()), (serde_json::to_value(&known).unwrap(), Ok(vec![])));
        // Another path, another order, other headers: the same endpoint.
        let other = json!({"url": "https://H.test:443/b?b=d&token=********", "headers": {"x-key": MASKED, "New": "n"}});
        let whole =
            json!({"url": "https://H.test:443/b?b=d&token=s3cret", "headers": {"x-key": "k1", "New": "n"}});
        assert_eq!(kept(other), (whole, Ok(vec![])));
        // Another host, port or scheme is another's.
        for url in
            ["https://evil.test/a", "https://h.test:444/a", "http://h.test/a", "https://h.test.evil.test/a"]
        {
            let other = json!({"url": url, "headers": {"X-Key": MASKED, "New": "n"}});
            let expected = json!({"url": url, "headers": {"New": "n"}});
            assert_eq!(kept(other), (expected, Ok(vec!["X-Key".to_owned()])));
        }
        let message = |value: serde_json::Value| kept(value).1.unwrap_err().remove(0).message;
        assert!(
            message(json!({"url": "https://evil.test/a?token=********"}))
                .starts_with("holds a mask, and leads")
        );
        assert!(message(json!({"url": "https://h.test/a?other=********"})).starts_with("holds a mask where"));
        assert!(message(json!({"url": "https://h.test/********"})).starts_with("holds a mask where"));
        assert!(
            message(json!({"url": "https://h.test/a", "headers": {"New": MASKED}})).starts_with("is a mask")
        );
    }

    #[test]
    fn whoever_may_not_change_a_url_sees_where_it_leads() {
        let cases = [
            ("https://discord.com/api/webhooks/1/s3cret", "https://discord.com/api/********"),
            (
                "https://contoso.webhook.office.com/webhookb2/s3cret@x",
                "https://contoso.webhook.office.com/webhookb2/********",
            ),
            ("https://hooks.slack.com/services/T0/B0/s3cret", "https://hooks.slack.com/services/********"),
            ("https://H.test:8443/hook", "https://h.test:8443/hook"),
            ("https://h.test/hook/", "https://h.test/hook/"),
            ("https://h.test", "https://h.test/"),
            ("https://h.test/?sig=s3cret", "https://h.test/?********"),
            ("https://h.test/flow?api-version=1&k=s3cret#s3cret", "https://h.test/flow?********"),
            ("https://h.test/flow#s3cret", "https://h.test/flow?********"),
            // Where the path is nothing but a key.
            ("https://hook.eu1.make.test/a1s3cretb2c3d4e5f6", "https://hook.eu1.make.test/********"),
            ("https://h.test/a1s3cretb2c3d4e5f6/x", "https://h.test/********"),
            (r"https:\\h.test\api\s3cret", "https://h.test/api/********"),
            ("s3cret", "********"),
        ];
        for (url, expected) in cases {
            let whole = config(json!({"url": url, "headers": {"X-Key": "s3cret"}}));
            let shown = serde_json::to_value(whole.masked_for_readers()).unwrap();
            assert_eq!(shown, json!({"url": expected, "headers": {"X-Key": MASKED}}), "{url}");
            assert_eq!(masked_path(expected), expected, "once more");
            let mut sent_back = config(json!({"url": expected}));
            if expected != url && expected.starts_with("https") {
                assert_eq!((sent_back.keep_masked(&whole), sent_back.url.as_str()), (Ok(vec![]), url));
            }
        }
    }

    #[test]
    fn a_request_carries_every_header_and_the_log_shows_them_masked() {
        let webhook = config(json!({
            "url": "https://h.test:8443/hook?a=b",
            "headers": {"Authorization": "Bearer s3cret"},
            "timeoutMs": 1_500
        }));
        let webhook = webhook.read().unwrap();
        let message = Message {
            id: "evt_1".into(),
            event: EventType::ChannelTest,
            occurred_at: Timestamp::from_millis(1_795_426_200_000),
            identity_id: None,
            sequence: None,
            data: "{}".into(),
        };
        let attempt = Attempt {
            message: &message,
            channel_id: 7,
            delivery_id: 42,
            timestamp: Timestamp::from_millis(1_795_426_201_500),
            default_deadline: Duration::from_secs(10),
            trace: None,
        };
        let secrets = [Secret::from_bytes([7; 32])];
        let request = webhook.request(&attempt, &secrets);
        let body = message.body(7, attempt.timestamp);
        let signatures = sign(&secrets, "evt_1", attempt.timestamp, &body);
        assert_eq!(request.body, body);
        assert_eq!(request.deadline, Duration::from_millis(1_500));
        let expected = [
            ("host", "h.test:8443"),
            ("content-length", &body.len().to_string()),
            ("content-type", "application/json"),
            ("user-agent", concat!("Dregs-Webhooks/", env!("CARGO_PKG_VERSION"))),
            ("x-dregs-signature", &signatures.dregs),
            ("x-dregs-timestamp", "2026-11-23T09:30:01.500Z"),
            ("x-dregs-event", "CHANNEL_TEST"),
            ("x-dregs-delivery", "42"),
            ("webhook-id", "evt_1"),
            ("webhook-timestamp", "1795426201"),
            ("webhook-signature", &signatures.standard),
            ("authorization", MASKED),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        assert_eq!(webhook.shown_headers(&request), expected);
        assert_eq!(request.headers["authorization"], "Bearer s3cret");
    }
}
