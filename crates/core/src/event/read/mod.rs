//! Reading events: from bytes of unknown goodness to [`Event`]s that are trusted from then on.

use std::fmt;
use std::net::IpAddr;

use serde_json::{Map, Value};

use super::nothing::{stands_for_nobody, stands_for_none, ties_nobody};
use super::redact::{REDACTED, redact, redact_url};
use super::{
    Accepted, BATCH_MAX_EVENTS, DATA_MAX_BYTES, Event, EventGroup, EventIdentity, FieldError, Limits,
    OfBackend, Origin, Refused, Request,
};
use crate::device::{self, Interaction};
use crate::json;
use crate::time::{DAY_MS, MINUTE_MS, Timestamp};
use crate::words::snake;

mod headers;

/// Longest event id a sender may choose.
pub const EVENT_ID_MAX_CHARS: usize = 64;
/// What the ids made by this server begin with, and those of senders must not.
pub const SERVER_ID_PREFIX: &str = "dregs-";
/// What stands in the place of an event's id in a URL and is none.
const EVENT_ID_TAKEN: &str = "batch";
/// Longest id of an identity, a group, a session or a device.
pub const ID_MAX_BYTES: usize = 255;
/// Longest event name, the `type` of the wire.
pub const NAME_MAX_CHARS: usize = 100;
/// Longest `source`.
pub const SOURCE_MAX_CHARS: usize = 100;
/// Longest group type, before it is normalised.
pub const GROUP_TYPE_MAX_CHARS: usize = 64;
/// Groups of one event.
pub const GROUPS_MAX: usize = 16;
/// Longest `url`.
pub const URL_MAX_BYTES: usize = 2_048;
/// Longest user agent: the longest seen in the field stay below 512 bytes.
pub const USER_AGENT_MAX_BYTES: usize = 1_024;
/// How far ahead of the server's clock a timestamp may be.
pub const AHEAD_MAX_MS: i64 = 5 * MINUTE_MS;
/// How far back a timestamp may be: five years, leap days counted.
pub const BACK_MAX_MS: i64 = 1_826 * DAY_MS;

/// The type of a group whose sender gave none, as in the vendor's clients.
pub const GROUP_TYPE_DEFAULT: &str = "organization";

/// How much longer than its source a value can become as compact text: `1e15`, four bytes, is
/// written `1000000000000000.0`. Sources this many times under the limit need no measuring.
const REWRITE_MAX_FACTOR: usize = 5;

/// Reads the body of one event. `now` is the time of arrival; `new_id` makes an id (it begins
/// with [`SERVER_ID_PREFIX`]) and is called once, if the event is accepted and brought none.
///
/// # Errors
/// Everything that is wrong with the fields, or the one thing that makes it no readable JSON.
pub fn read(
    body: &[u8],
    origin: &Origin,
    now: Timestamp,
    limits: Limits,
    new_id: &mut dyn FnMut() -> String,
) -> Result<Accepted, Refused> {
    if body.len() > limits.bytes {
        let message = format!("is larger than {} KiB", limits.bytes / 1024);
        return Err(vec![FieldError { field: String::new(), message }]);
    }
    let fields = json::read_object(body, limits.nesting_levels).map_err(|error| vec![error])?;
    let reader = Reader {
        origin,
        now,
        body_bytes: body.len(),
        errors: Vec::new(),
        scope: 0,
        ignored_fields: Vec::new(),
    };
    reader.event(fields, new_id)
}

/// Reads the body of a batch: an array of events, each accepted or refused for itself, in order.
/// The fields of an event's errors are relative to that event.
///
/// # Errors
/// When the body is no array of at most [`BATCH_MAX_EVENTS`] JSON values.
pub fn read_batch(
    body: &[u8],
    origin: &Origin,
    now: Timestamp,
    limits: Limits,
    new_id: &mut dyn FnMut() -> String,
) -> Result<Vec<Result<Accepted, Refused>>, Refused> {
    Ok(split_batch(body)?.into_iter().map(|event| read(event, origin, now, limits, new_id)).collect())
}

/// Longer than any address, so that of several, as proxies put them together, it is said which one to send.
const IP_MAX_BYTES: usize = 256;

/// Cuts the body of a batch into the bodies of its events, for [`read`].
///
/// # Errors
/// When the body is no array of at most [`BATCH_MAX_EVENTS`] JSON values.
pub fn split_batch(body: &[u8]) -> Result<Vec<&[u8]>, Refused> {
    json::split_array(body, BATCH_MAX_EVENTS).map_err(|error| vec![error])
}

/// Reads an address as frameworks and proxies write that of a peer: with its port, in brackets, or in quotes (RFC 7239,
/// section 6), or with the interface that it came by (RFC 4007, section 11). One of IPv4 within IPv6 is the one of IPv4.
pub fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let text = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    let alone = |text: &str| text.split('%').next().unwrap_or_default().parse::<IpAddr>().ok();
    let is_port = |text: &str| text.parse::<u16>().is_ok();
    let ip = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((bare, rest)) => {
            let is_right = rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port);
            alone(bare).filter(|ip| ip.is_ipv6() && is_right)
        }
        // With a port, one of IPv4 alone, or within IPv6 as a socket that takes both has it: no part of either is one.
        None => alone(text).or_else(|| {
            let (ip, port) = text.rsplit_once(':')?;
            alone(ip).filter(|_| ip.contains('.') && is_port(port))
        }),
    };
    ip.map(|ip| ip.to_canonical())
}

#[derive(Clone, Copy)]
enum Limit {
    Bytes(usize),
    Chars(usize),
}

impl Limit {
    fn is_exceeded_by(self, text: &str) -> bool {
        match self {
            Self::Bytes(max) => text.len() > max,
            // Counting is for texts that could be too long.
            Self::Chars(max) => text.len() > max && text.chars().count() > max,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(max) => write!(f, "{max} bytes"),
            Self::Chars(max) => write!(f, "{max} characters"),
        }
    }
}

#[derive(Default)]
struct Device {
    components: Option<Map<String, Value>>,
    interaction: Option<Interaction>,
    fingerprint: Option<String>,
}

struct Reader<'a> {
    origin: &'a Origin,
    now: Timestamp,
    body_bytes: usize,
    errors: Vec<FieldError>,
    /// Where the errors of the object that is being read begin.
    scope: usize,
    /// By their paths.
    ignored_fields: Vec<String>,
}

impl Reader<'_> {
    fn event(
        mut self,
        fields: Map<String, Value>,
        new_id: &mut dyn FnMut() -> String,
    ) -> Result<Accepted, Refused> {
        let mut event = Event {
            id: String::new(),
            name: String::new(),
            timestamp: self.now,
            source: None,
            identity: None,
            groups: Vec::new(),
            data: Map::new(),
            fingerprint: None,
            components: None,
            interaction: None,
            session: None,
            url: None,
            ip: None,
            user_agent: None,
            place: None,
            of_backend: OfBackend::default(),
            signature: None,
        };
        let mut request = Request::default();
        let mut device = Device::default();
        for (key, value) in fields {
            if value.is_null() && is_known(&key) {
                continue;
            }
            match key.as_str() {
                "id" => event.id = self.event_id(value),
                "type" => {
                    event.name = self.text("type", value, Limit::Chars(NAME_MAX_CHARS)).unwrap_or_default()
                }
                "timestamp" => event.timestamp = self.timestamp(value),
                "source" => event.source = self.text("source", value, Limit::Chars(SOURCE_MAX_CHARS)),
                "identity" => event.identity = self.within("identity", |reader| reader.identity(value)),
                "groups" => event.groups = self.groups(value),
                "data" => event.data = self.data("data", value),
                "device" => device = self.within("device", |reader| reader.device(value)),
                "session" => event.session = self.tie("session", value),
                "url" => {
                    request.url = self.text("url", value, Limit::Bytes(URL_MAX_BYTES));
                    event.url = request.url.as_deref().map(|url| redact_url(url, REDACTED));
                }
                "ip" if self.is_backend() => event.ip = self.ip(value),
                "userAgent" if self.is_backend() => {
                    event.user_agent = self.text("userAgent", value, Limit::Bytes(USER_AGENT_MAX_BYTES));
                }
                "method" if self.is_backend() => request.method = self.method(value),
                "headers" if self.is_backend() => {
                    request.headers = self.within("headers", |reader| reader.headers(value));
                }
                _ => self.ignored_fields.push(key),
            }
        }
        match self.origin {
            Origin::Browser { ip, user_agent } => {
                event.ip = ip.map(|ip| ip.to_canonical());
                event.user_agent = user_agent.as_deref().filter(|text| !text.is_empty()).map(cut_user_agent);
            }
            Origin::Backend { ip, user_agent } => {
                let ip = ip.map(|ip| ip.to_canonical());
                event.of_backend = OfBackend::of(&event, ip, user_agent.as_deref());
            }
        }
        event.fingerprint =
            device.fingerprint.or_else(|| device.components.as_ref().map(device::fingerprint));
        event.components = device.components;
        event.interaction = device.interaction;
        self.finish(event, request, new_id)
    }

    /// The checks that look at more than one field, and the event if all went well.
    fn finish(
        mut self,
        mut event: Event,
        request: Request,
        new_id: &mut dyn FnMut() -> String,
    ) -> Result<Accepted, Refused> {
        if event.name.is_empty() {
            self.require("type", "is required: your name for what happened, such as `user.signup`");
        }
        if event.identity.is_none() && event.fingerprint.is_none() && !self.is_blamed("device") {
            self.require("identity", "is required: an event needs an identity or a device");
        }
        if !self.errors.is_empty() {
            return Err(self.errors);
        }
        if event.id.is_empty() {
            event.id = new_id();
        }
        let request = Some(request).filter(Request::is_signed);
        Ok(Accepted { event, request, ignored_fields: self.ignored_fields })
    }

    fn event_id(&mut self, value: Value) -> String {
        let id = self.text("id", value, Limit::Chars(EVENT_ID_MAX_CHARS)).unwrap_or_default();
        if !id.is_empty() && stands_for_none(&id) {
            self.refuse(
                "id",
                format!("is `{id}`, which stands for none: send an id of the event's own, or none"),
            );
        }
        if id == EVENT_ID_TAKEN {
            self.refuse("id", format!("must not be `{EVENT_ID_TAKEN}`: a path of the API has that name"));
        }
        if id.starts_with(SERVER_ID_PREFIX) {
            self.refuse(
                "id",
                format!("must not begin with `{SERVER_ID_PREFIX}`: such ids are the server's own"),
            );
        }
        id
    }

    /// An id that the sender gives a user or a group. One that stands for none would make one of many.
    fn own_id(&mut self, value: Value, whose: &str, is_none: fn(&str) -> bool) -> String {
        let blamed = self.errors.len();
        let id = self.text("id", value, Limit::Bytes(ID_MAX_BYTES)).unwrap_or_default();
        if blamed == self.errors.len() && !id.is_empty() && is_none(&id) {
            self.refuse("id", none_of(&id, whose));
        }
        id
    }

    /// A session or a device, by which identities are tied together; what stands for none ties nobody, and is
    /// passed over.
    fn tie(&mut self, field: &str, value: Value) -> Option<String> {
        let tie = self.text(field, value, Limit::Bytes(ID_MAX_BYTES))?;
        let is_none = ties_nobody(&tie);
        if is_none {
            self.ignored_fields.push(field.to_owned());
        }
        (!is_none).then_some(tie)
    }

    fn timestamp(&mut self, value: Value) -> Timestamp {
        // Far longer than any RFC 3339 time, so that no parser sees a megabyte.
        let Some(text) = self.text("timestamp", value, Limit::Bytes(64)) else { return self.now };
        match Timestamp::parse(&text) {
            None => self.refuse("timestamp", "must be an RFC 3339 time, such as `2026-11-23T09:30:00.000Z`"),
            Some(at) if at.millis_since(self.now) > AHEAD_MAX_MS => {
                let now = self.now;
                self.refuse("timestamp", format!("is more than 5 minutes ahead of the server's time, {now}"));
            }
            Some(at) if self.now.millis_since(at) > BACK_MAX_MS => {
                self.refuse("timestamp", "is more than 5 years back");
            }
            Some(at) => return at,
        }
        self.now
    }

    fn identity(&mut self, value: Value) -> Option<EventIdentity> {
        let mut identity = EventIdentity { id: String::new(), data: Map::new() };
        for (key, value) in self.object("", value)? {
            match key.as_str() {
                "id" => identity.id = self.own_id(value, "user", stands_for_nobody),
                "data" => identity.data = self.data("data", value),
                _ => self.ignored_fields.push(key),
            }
        }
        if identity.id.is_empty() {
            self.require("id", "is required: your own id of the user");
        }
        Some(identity)
    }

    fn groups(&mut self, value: Value) -> Vec<EventGroup> {
        let items = match value {
            Value::Array(items) => items,
            other => {
                self.refuse("groups", format!("must be an array, not {}", json::kind(&other)));
                return Vec::new();
            }
        };
        if items.len() > GROUPS_MAX {
            self.refuse("groups", format!("must have at most {GROUPS_MAX} groups, not {}", items.len()));
            return Vec::new();
        }
        let mut groups: Vec<EventGroup> = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            self.within(&format!("groups[{index}]"), |reader| {
                let Some(group) = reader.group(item) else { return };
                if reader.errors.len() > reader.scope {
                    return;
                }
                if groups.iter().any(|other| other.group_type == group.group_type) {
                    let message =
                        format!("is a second group of type `{}`; send one of each", group.group_type);
                    reader.refuse("type", message);
                }
                groups.push(group);
            });
        }
        groups
    }

    fn group(&mut self, value: Value) -> Option<EventGroup> {
        let mut group = EventGroup { group_type: String::new(), id: String::new(), data: Map::new() };
        for (key, value) in self.object("", value)? {
            match key.as_str() {
                "type" => group.group_type = self.group_type(value),
                "id" => group.id = self.own_id(value, "group", stands_for_none),
                "data" => group.data = self.data("data", value),
                _ => self.ignored_fields.push(key),
            }
        }
        if group.id.is_empty() {
            self.require("id", "is required: your own id of the group");
        }
        if group.group_type.is_empty() {
            group.group_type.push_str(GROUP_TYPE_DEFAULT);
        }
        Some(group)
    }

    fn group_type(&mut self, value: Value) -> String {
        let Some(text) = self.text("type", value, Limit::Chars(GROUP_TYPE_MAX_CHARS)) else {
            return String::new();
        };
        let normalised = snake(&text);
        if normalised.is_empty() {
            self.refuse("type", "must contain a letter or a digit");
        }
        normalised
    }

    fn device(&mut self, value: Value) -> Device {
        let mut device = Device::default();
        for (key, value) in self.object("", value).unwrap_or_default() {
            match key.as_str() {
                // Devices without components would all have the same fingerprint.
                "components" => {
                    device.components = Some(self.data("components", value)).filter(|map| !map.is_empty());
                }
                "interaction" => device.interaction = self.interaction(value),
                "fingerprint" if self.is_backend() => {
                    device.fingerprint = self.tie("fingerprint", value);
                }
                _ => self.ignored_fields.push(key),
            }
        }
        device
    }

    fn interaction(&mut self, value: Value) -> Option<Interaction> {
        let interaction = serde_json::from_value(value);
        if interaction.is_err() {
            self.refuse(
                "interaction",
                "must be an object of counts, such as `{\"clicks\": 2, \"moves\": 40}`",
            );
        }
        interaction.ok()
    }

    fn ip(&mut self, value: Value) -> Option<IpAddr> {
        let text = self.text("ip", value, Limit::Bytes(IP_MAX_BYTES))?;
        let ip = address(&text);
        if ip.is_none() {
            let hint = match text.contains(',') {
                true => "must be one IP address: of `X-Forwarded-For`, the one that your own proxy has added",
                false => "must be an IP address, such as `203.0.113.7` or `2001:db8::1`",
            };
            self.refuse("ip", hint);
        }
        ip
    }

    /// A string within its limit; `None` when it is absent, empty or refused.
    fn text(&mut self, field: &str, value: Value, limit: Limit) -> Option<String> {
        match value {
            Value::String(text) if limit.is_exceeded_by(&text) => {
                self.refuse(field, format!("must have at most {limit}"));
                None
            }
            Value::String(text) => Some(text).filter(|text| !text.is_empty()),
            Value::Null => None,
            other => {
                self.refuse(field, format!("must be a string, not {}", json::kind(&other)));
                None
            }
        }
    }

    fn object(&mut self, field: &str, value: Value) -> Option<Map<String, Value>> {
        match value {
            Value::Object(map) => Some(map),
            Value::Null => None,
            other => {
                self.refuse(field, format!("must be an object, not {}", json::kind(&other)));
                None
            }
        }
    }

    /// A free-form object within its limit, redacted; empty when it is absent or refused.
    fn data(&mut self, field: &str, value: Value) -> Map<String, Value> {
        let mut map = self.object(field, value).unwrap_or_default();
        if self.body_bytes > DATA_MAX_BYTES / REWRITE_MAX_FACTOR && json::size_bytes(&map) > DATA_MAX_BYTES {
            self.refuse(field, format!("must have at most {DATA_MAX_BYTES} bytes of JSON"));
        }
        redact(&mut map);
        map
    }

    fn is_backend(&self) -> bool {
        matches!(self.origin, Origin::Backend { .. })
    }

    /// Runs `read` for the inside of `prefix`, which is put before the fields that it refuses or ignores.
    fn within<T>(&mut self, prefix: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::replace(&mut self.scope, self.errors.len());
        let ignored = self.ignored_fields.len();
        let result = read(self);
        for field in &mut self.ignored_fields[ignored..] {
            *field = format!("{prefix}.{field}");
        }
        for error in &mut self.errors[self.scope..] {
            let dot = if error.field.is_empty() { "" } else { "." };
            error.field = format!("{prefix}{dot}{}", error.field);
        }
        self.scope = outer;
        result
    }

    fn refuse(&mut self, field: &str, message: impl Into<String>) {
        self.errors.push(FieldError { field: field.to_owned(), message: message.into() });
    }

    /// Refuses a missing field, unless it is missing because it was refused already.
    fn require(&mut self, field: &str, message: &str) {
        if !self.is_blamed(field) {
            self.refuse(field, message);
        }
    }

    /// Whether there is an error at `field` of the object that is being read, or inside it.
    fn is_blamed(&self, field: &str) -> bool {
        self.errors[self.scope..].iter().any(|error| {
            error.field.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }
}

fn is_known(key: &str) -> bool {
    const FIELDS: [&str; 14] = [
        "id",
        "type",
        "timestamp",
        "source",
        "identity",
        "groups",
        "data",
        "device",
        "session",
        "url",
        "ip",
        "userAgent",
        "method",
        "headers",
    ];
    FIELDS.contains(&key)
}

/// A browser's user agent is a header its page cannot change: too long a one is cut, not refused.
fn cut_user_agent(text: &str) -> String {
    text[..text.floor_char_boundary(USER_AGENT_MAX_BYTES)].to_owned()
}

fn none_of(id: &str, whose: &str) -> String {
    format!("is `{id}`, which stands for no {whose}: send your own id of the {whose}")
}

/// What is wrong with an id for a group, if it stands for none.
pub fn flaw_of_group_id(id: &str) -> Option<String> {
    stands_for_none(id).then(|| none_of(id, "group"))
}

#[cfg(test)]
mod tests;
