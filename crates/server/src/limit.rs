//! Limits that somebody reaches. Each is counted by its name, and the log has a line a minute of each, without a word of
//! who it was. What they are, and what happens at them, says the table that `http/limits.rs` writes.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::clock::monotonic;

macro_rules! limits {
    ($($name:ident = $text:literal,)*) => {
        /// A limit.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Limit { $($name,)* }

        impl Limit {
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// In the metric, the log and the table.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

limits! {
    Connections = "connections",
    ConnectionsOfAddress = "connections_of_address",
    HeadTime = "head_time",
    HeadSize = "head_size",
    IdleTime = "idle_time",
    UnreadTime = "unread_time",
    DecisionWaiters = "decision_waiters",
    Streams = "streams",
    StreamsOfPerson = "streams_of_person",
    StreamsOfKey = "streams_of_key",
    BodyTime = "body_time",
    BodySize = "body_size",
    BodyNesting = "body_nesting",
    BodyMemory = "body_memory",
    BodyMemoryOfAnybody = "body_memory_of_anybody",
    BodyMemoryOfAddress = "body_memory_of_address",
    AgentResult = "agent_result",
    IngestQueue = "ingest_queue",
    Items = "items",
    Text = "text",
    Number = "number",
    DatabaseTurn = "database_turn",
    DatabaseRead = "database_read",
    DatabaseStatement = "database_statement",
    DatabaseAnswer = "database_answer",
    CredentialRate = "credential_rate",
    McpRate = "mcp_rate",
    AddressRate = "address_rate",
    FilesRate = "files_rate",
    MetricsRate = "metrics_rate",
    ProbesRate = "probes_rate",
    Registrations = "registrations",
    RegisteredClients = "registered_clients",
    MonthlyEvents = "monthly_events",
    DailyReviews = "daily_reviews",
    SpanQueue = "span_queue",
    LoginsOfAccount = "logins_of_account",
    LoginsOfPlace = "logins_of_place",
    LoginsOfAddress = "logins_of_address",
    LoginQueue = "login_queue",
    LoginQueueOfAddress = "login_queue_of_address",
    OidcExchanges = "oidc_exchanges",
    Sessions = "sessions",
    Teams = "teams",
    Credentials = "credentials",
    McpTokens = "mcp_tokens",
    McpClients = "mcp_clients",
    Passkeys = "passkeys",
    Invitations = "invitations",
    Members = "members",
    Channels = "channels",
    SigningSecrets = "signing_secrets",
    BadgeRules = "badge_rules",
    EscalationRules = "escalation_rules",
    Mappings = "mappings",
    DatasetEntries = "dataset_entries",
    EntriesOfDataset = "entries_of_dataset",
    Lists = "lists",
    EntriesOfList = "entries_of_list",
    Views = "views",
    Labels = "labels",
    Counters = "counters",
    Reviews = "reviews",
    Weights = "weights",
    RuleVersions = "rule_versions",
}

impl Limit {
    /// Whether it is no news: browsers leave each connection open until it is closed.
    fn is_everyday(self) -> bool {
        self == Self::IdleTime
    }
}

/// Between two lines about one limit.
const TELL_EVERY: Duration = Duration::from_secs(60);

static TOLD: LazyLock<Mutex<Told>> = LazyLock::new(Mutex::default);

/// Counts that somebody has reached a limit, and has the log say so.
pub fn reached(limit: Limit) {
    metrics::counter!("dregs_limit_reached_total", "limit" => limit.name()).increment(1);
    if limit.is_everyday() {
        return;
    }
    let times = TOLD.lock().unwrap_or_else(PoisonError::into_inner).note(limit, monotonic());
    if let Some(times) = times {
        tracing::warn!(limit = limit.name(), times, "a limit was reached");
    }
}

/// When the log last told of each, and how often it was reached since.
#[derive(Default)]
struct Told(HashMap<Limit, (Option<Instant>, u64)>);

impl Told {
    /// How often it was reached since the last line, where one is due.
    fn note(&mut self, limit: Limit, now: Instant) -> Option<u64> {
        let (told_at, times) = self.0.entry(limit).or_default();
        *times += 1;
        if told_at.is_some_and(|at| now.duration_since(at) < TELL_EVERY) {
            return None;
        }
        *told_at = Some(now);
        Some(std::mem::take(times))
    }
}

/// What `run` comes to, and the limits that it reaches on this thread.
#[cfg(test)]
pub fn watched<R>(run: impl FnOnce() -> R) -> (R, Vec<Limit>) {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let result = metrics::with_local_recorder(&recorder, run);
    let told = recorder.handle().render();
    let is_told = |limit: &Limit| told.contains(&format!("{{limit=\"{}\"}}", limit.name()));
    (result, Limit::ALL.iter().copied().filter(is_told).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_told_of_once_a_minute_with_how_often_it_was_reached() {
        let (begun, mut told) = (monotonic(), Told::default());
        let mut note = |limit, seconds| told.note(limit, begun + Duration::from_secs(seconds));
        assert_eq!(note(Limit::BodySize, 0), Some(1));
        assert_eq!((note(Limit::BodySize, 1), note(Limit::BodySize, 59)), (None, None));
        assert_eq!(note(Limit::BodyTime, 59), Some(1), "another has lines of its own");
        assert_eq!(note(Limit::BodySize, 60), Some(3));
        assert_eq!(note(Limit::BodySize, 61), None);
    }
}
