//! The table of limits, for people: `SECURITY.md` has it, and tests try each row, or name the test that does.

use std::fmt::Write as _;
use std::time::Duration;

use dregs_core::event::{self, HEADER_MAX_BYTES};
use dregs_core::notify::schedule::RETRIES_MAX;
use dregs_core::rules::CONDITIONS_MAX;

use super::body::{INLINE_MAX_KIB, SMALL_MAX_KIB};
use super::connections::{
    ADDRESS_PART, BODY_MAX_SECONDS, BODY_MIN_KIB_PER_SECOND, CONNECTIONS_MAX, HEAD_MAX_HEADERS, HEAD_MAX_KIB,
    HEAD_MAX_SECONDS, IDLE_MAX_SECONDS, UNREAD_MAX_SECONDS,
};
use super::credentials::ORIGINS_MAX;
use super::decisions::{DECIDED_MAX, WAIT_MAX_MS};
use super::deliveries::RESENT_MAX;
use super::identity_actions::HISTORY_MAX;
use super::identity_csv::LINES_MAX;
use super::labels::{LABELS_MAX, NOTE_MAX_CHARS};
use super::mcp::{REQUEST_MAX_KIB, RESULT_MAX_KIB};
use super::page::{COUNTED_MAX, PAGE_SIZE_MAX};
use super::rules::NAME_MAX_CHARS;
use super::search::TERM_MAX_CHARS;
use super::snoozes::SNOOZE_MAX_DAYS;
use super::team::LABEL_REASONS_MAX;
use super::triage::REASON_MAX_CHARS;
use crate::channels::email::{MAILS_PER_MINUTE_MAX, RECIPIENTS_MAX};
use crate::channels::fetch::{ANSWER_MAX_KIB, FETCH_MAX_SECONDS};
use crate::channels::webhook::{CONCURRENCY_MAX, CUSTOM_HEADERS_MAX, RATE_MAX_PER_SECOND, TIMEOUT_MAX_MS};
use crate::config::Config;
use crate::limit::Limit;
use crate::ops::access::limits::{
    FILES_PER_REQUEST, MCP_REQUESTS_PER_SECOND, OF_ADDRESS_MAX_MIB, OF_ANYBODY_MAX_MIB, OF_KNOWN_MAX_MIB,
};
use crate::ops::access::oidc::EXCHANGES_MAX;
use crate::ops::access::sign_in::{SESSIONS_MAX, WAITING_MAX, WAITING_OF_ADDRESS_MAX};
use crate::ops::agent_keys::{
    DIRECTORY_MAX_KIB, DIRECTORY_MAX_SECONDS, KEYS_MAX, RSA_MAX_BITS, RSA_MIN_BITS, SIGNERS_MAX,
};
use crate::ops::bounds;
use crate::ops::decide::awaited::WAITERS_MAX;
use crate::ops::decide::bulk_changes::BULK_MAX;
use crate::ops::decide::notes::NOTES_MAX;
use crate::ops::decide::waves::LOOKED_AT_MAX as WAVES_LOOKED_AT_MAX;
use crate::ops::evaluate::calibration::VERSIONS_MAX;
use crate::ops::identities::links::CLUSTER_MAX;
use crate::ops::identities::reviews::REVIEWS_MAX;
use crate::ops::identities::ring::VALUES_OF_TYPE_MAX;
use crate::ops::ingest;
use crate::ops::live::{LISTENERS_MAX, LISTENERS_OF_KEY_MAX, LISTENERS_OF_PERSON_MAX};
use crate::ops::oauth::clients;
use crate::ops::team::channels::SIGNING_SECRETS_MAX;
use crate::ops::team::datasets::ENTRIES_OF_DATASET_MAX;
use crate::ops::team::lists::{ENTRIES_OF_LIST_MAX, IMPORT_LINES_MAX};
use crate::ops::team::rule_versions::VERSIONS_MAX as RULE_VERSIONS_MAX;
use crate::store;
use crate::trace::QUEUE_MAX_SPANS;

/// What is limited, to how much, what happens at the limit, and by which name it is counted.
pub struct Row {
    pub what: String,
    pub most: String,
    pub then: String,
    pub limit: Option<Limit>,
}

fn row(what: &str, most: impl ToString, then: &str, limit: impl Into<Option<Limit>>) -> Row {
    Row { what: what.to_owned(), most: most.to_string(), then: then.to_owned(), limit: limit.into() }
}

/// The table in Markdown.
pub fn table() -> String {
    let mut text = String::from("| limit | number | what happens at it | counted as |\n|---|---|---|---|\n");
    for Row { what, most, then, limit } in rows() {
        let name = limit.map_or_else(String::new, |limit| format!("`{}`", limit.name()));
        // Writing to a string does not fail.
        let _ = writeln!(text, "| {what} | {most} | {then} | {name} |");
    }
    text
}

/// The rows of the table.
pub fn rows() -> Vec<Row> {
    let config = Config::default();
    let parts = [
        connections(),
        bodies(&config),
        requests(),
        agents(),
        database(),
        rates(&config),
        sign_ins(&config),
        made(),
        deliveries(&config),
    ];
    parts.into_iter().flatten().collect()
}

const WAIT: &str = "429 with `Retry-After`";
const BUSY: &str = "503 with `Retry-After`";

fn connections() -> Vec<Row> {
    let closed =
        |reason: &str| format!("it is closed; `dregs_http_connections_closed_total{{reason=\"{reason}\"}}`");
    let gives_way = "those that have waited longest for their client are closed (`…{reason=\"gave_way\"}`); where none \
                     waits, the new one (`…{reason=\"full\"}`)";
    vec![
        row(
            "connections",
            format!(
                "{CONNECTIONS_MAX}, or three quarters of the files that the process may open, which it raises"
            ),
            gives_way,
            Limit::Connections,
        ),
        row(
            "… of one address, or one /64; loopback and trusted proxies excepted",
            format!("one in {ADDRESS_PART} of them"),
            "the same among them",
            Limit::ConnectionsOfAddress,
        ),
        row(
            "until the first request, and for a request's head",
            format!("{HEAD_MAX_SECONDS} s"),
            &closed("head"),
            Limit::HeadTime,
        ),
        row("a request's head", format!("{HEAD_MAX_KIB} KiB"), "431", Limit::HeadSize),
        row("headers of a request", HEAD_MAX_HEADERS, "431", Limit::HeadSize),
        row("between two requests", format!("{IDLE_MAX_SECONDS} s"), &closed("idle"), Limit::IdleTime),
        row(
            "a client that takes nothing of an answer",
            format!("{UNREAD_MAX_SECONDS} s"),
            &closed("unread"),
            Limit::UnreadTime,
        ),
        row(
            "requests that wait for a decision",
            WAITERS_MAX,
            "the decision is `pending` at once",
            Limit::DecisionWaiters,
        ),
        row("live streams", LISTENERS_MAX, BUSY, Limit::Streams),
        row("… of one person", LISTENERS_OF_PERSON_MAX, WAIT, Limit::StreamsOfPerson),
        row("… of one secret key", LISTENERS_OF_KEY_MAX, WAIT, Limit::StreamsOfKey),
    ]
}

fn bodies(config: &Config) -> Vec<Row> {
    let too_large = "413; `dregs_body_refused_total{limit=\"size\"}`";
    let no_room = "503 with `Retry-After`; `dregs_body_refused_total{limit=\"memory\"}`";
    let size = Limit::BodySize;
    vec![
        row(
            "a request's body",
            format!("{BODY_MAX_SECONDS} s, and one more for each {BODY_MIN_KIB_PER_SECOND} KiB"),
            "408; `dregs_body_refused_total{limit=\"time\"}`",
            Limit::BodyTime,
        ),
        row(
            "a body, decoded, and so an event",
            format!("{} KiB (`body_max_kib`)", config.body_max_kib),
            too_large,
            size,
        ),
        row(
            "a batch of events, with a secret key",
            format!("{} KiB (`batch_max_kib`)", config.batch_max_kib),
            too_large,
            size,
        ),
        row("… with a public key", format!("{} KiB (`body_max_kib`)", config.body_max_kib), too_large, size),
        row("a body of somebody who signs in", format!("{SMALL_MAX_KIB} KiB"), too_large, size),
        row("a message of an AI agent", format!("{REQUEST_MAX_KIB} KiB"), too_large, size),
        row(
            "arrays and objects in one another",
            format!("{} (`nesting_max_levels`)", config.nesting_max_levels),
            "400; `dregs_body_refused_total{limit=\"nesting\"}`",
            Limit::BodyNesting,
        ),
        row(
            "bodies being read of backends and people",
            format!("{OF_KNOWN_MAX_MIB} MiB"),
            no_room,
            Limit::BodyMemory,
        ),
        row(
            "… of browsers and of those who sign in",
            format!("{OF_ANYBODY_MAX_MIB} MiB"),
            no_room,
            Limit::BodyMemoryOfAnybody,
        ),
        row(
            "… of them, of one address",
            format!("{OF_ADDRESS_MAX_MIB} MiB"),
            no_room,
            Limit::BodyMemoryOfAddress,
        ),
        row(
            "a body that is read on the thread that answers",
            format!("{INLINE_MAX_KIB} KiB"),
            "it is read on another, a few at a time",
            None,
        ),
        row(
            "requests whose events wait for a commit",
            ingest::QUEUE_MAX_REQUESTS,
            "the next ones wait",
            Limit::IngestQueue,
        ),
    ]
}

/// What a request may hold or ask for.
fn requests() -> Vec<Row> {
    let (items, number) = (Limit::Items, Limit::Number);
    vec![
        row("events in a batch", event::BATCH_MAX_EVENTS, "400", items),
        row(
            "of an event: its data; its id; other ids; its name; its groups",
            format!(
                "{} KiB; {} characters; {} bytes; {} characters; {}",
                event::DATA_MAX_BYTES / 1024,
                event::EVENT_ID_MAX_CHARS,
                event::ID_MAX_BYTES,
                event::NAME_MAX_CHARS,
                event::GROUPS_MAX
            ),
            "400",
            None,
        ),
        row(
            "a header of a signed request in an event",
            format!("{HEADER_MAX_BYTES} bytes"),
            "it is ignored, and named in `ignoredFields`; `dregs_event_fields_ignored_total`",
            None,
        ),
        row("labels given at once", LABELS_MAX, "400", items),
        row("reasons that are offered for a label", LABEL_REASONS_MAX, "400", items),
        row("escalations changed at once", BULK_MAX, "those that opened first are changed", None),
        row("days of a snooze", SNOOZE_MAX_DAYS, "400", None),
        row("notes of an escalation", NOTES_MAX, "400", None),
        row("identities decided on at once", DECIDED_MAX, "400", items),
        row("milliseconds that an event waits for a decision", WAIT_MAX_MS, "400", number),
        row("deliveries resent at once", RESENT_MAX, "400", items),
        row("origins of a credential", ORIGINS_MAX, "400", items),
        row("conditions of a rule, and of a channel", CONDITIONS_MAX, "400", items),
        row("recipients of an EMAIL channel", RECIPIENTS_MAX, "400", items),
        row("headers that a WEBHOOK channel adds", CUSTOM_HEADERS_MAX, "400", items),
        row("items of a page", PAGE_SIZE_MAX, "400", number),
        row("entries of a score history", HISTORY_MAX, "400", number),
        row(
            "of a channel: requests at once; a second; mails a minute; its deadline",
            format!(
                "{CONCURRENCY_MAX}; {RATE_MAX_PER_SECOND}; {MAILS_PER_MINUTE_MAX}; {} s",
                TIMEOUT_MAX_MS / 1_000
            ),
            "400",
            number,
        ),
        row(
            "characters of a name; a reason; a note; what is searched for",
            format!("{NAME_MAX_CHARS}; {REASON_MAX_CHARS}; {NOTE_MAX_CHARS}; {TERM_MAX_CHARS}"),
            "400",
            Limit::Text,
        ),
        row(
            "items of a list that are counted, beyond the page",
            COUNTED_MAX,
            "`totalIsExact` is false",
            None,
        ),
        row("escalations in which waves are looked for", WAVES_LOOKED_AT_MAX, "the newest are taken", None),
        row("members of a cluster", CLUSTER_MAX, "`isWhole` is false", None),
        row("values of each type of a ring", VALUES_OF_TYPE_MAX, "`keysAreWhole` is false", None),
        row("identities in a CSV export", LINES_MAX, "the rest is left out", None),
    ]
}

fn agents() -> Vec<Row> {
    vec![
        row(
            "the result of an AI agent's tool",
            format!("{RESULT_MAX_KIB} KiB"),
            "an error that says to ask for less",
            Limit::AgentResult,
        ),
        row(
            "signers of agents; keys of one; its key directory; the time for that",
            format!("{SIGNERS_MAX}; {KEYS_MAX}; {DIRECTORY_MAX_KIB} KiB; {DIRECTORY_MAX_SECONDS} s"),
            "the start is refused; the directory is not taken (`dregs_agent_directories_total`), and the keys of before \
             count for two days",
            None,
        ),
        row(
            "bits of an agent's key of RSA",
            format!("{RSA_MIN_BITS} to {RSA_MAX_BITS}"),
            "the key is passed over",
            None,
        ),
    ]
}

fn database() -> Vec<Row> {
    let seconds = |duration: Duration| format!("{} s", duration.as_secs());
    let statement = Duration::from_millis(store::STATEMENT_MAX_MS);
    vec![
        row(
            "a transaction that waits for its turn; while the database fails",
            format!("{}; {}", seconds(store::TURN_MAX), seconds(store::TURN_MAX_FAILING)),
            BUSY,
            Limit::DatabaseTurn,
        ),
        row("a read of SQLite", seconds(store::READ_MAX), "it is ended; 503", Limit::DatabaseRead),
        row(
            "a write of SQLite, where another process writes to the file",
            seconds(store::BUSY_TIMEOUT),
            "503; `dregs_store_available`",
            None,
        ),
        row("a statement of PostgreSQL", seconds(statement), "it is ended; 503", Limit::DatabaseStatement),
        row(
            "an answer of PostgreSQL; a connection to it",
            format!("{}; {}", seconds(store::ANSWER_MAX), seconds(store::CONNECT_MAX)),
            "503, and the connection is given up; `dregs_store_available`",
            Limit::DatabaseAnswer,
        ),
        row(
            "long reads at once: parts of exports, previews, backtests, clusters, pages far behind the first",
            1,
            "the next ones wait, and nobody else does",
            None,
        ),
    ]
}

fn rates(config: &Config) -> Vec<Row> {
    let limited = |kind: &str| {
        format!("{WAIT}, before the body is read; `dregs_rate_limited_total{{kind=\"{kind}\"}}`")
    };
    let or_any = |number: u64| if number == 0 { "any number".to_owned() } else { number.to_string() };
    let address = format!("{} (`address_rate_per_second`)", or_any(config.address_rate_per_second));
    vec![
        row(
            "events and requests of a credential in a second",
            format!("{} (`credential_rate_per_second`)", or_any(config.credential_rate_per_second)),
            &limited("credential"),
            Limit::CredentialRate,
        ),
        row(
            "requests with an MCP token, or of a connected client, in a second",
            MCP_REQUESTS_PER_SECOND,
            &limited("mcp_token"),
            Limit::McpRate,
        ),
        row(
            "of an address in a second: events with a public key, sign-ins, requests to `/oauth/`, whatever is refused for \
             want of a key",
            &address,
            &limited("address"),
            Limit::AddressRate,
        ),
        row(
            "… files of the dashboard, the script, the documentation, questions of browsers whether a page may send",
            format!("{FILES_PER_REQUEST} times as many"),
            &limited("files"),
            Limit::FilesRate,
        ),
        row("… `/metrics`", &address, &limited("metrics"), Limit::MetricsRate),
        row("… `/readyz` and `/healthz`", &address, &limited("probes"), Limit::ProbesRate),
        row(
            "OAuth clients that an address, or one /64, registers in an hour",
            clients::OF_ADDRESS_MAX,
            &format!("{WAIT}; `dregs_rate_limited_total{{kind=\"registration\"}}`"),
            Limit::Registrations,
        ),
        row(
            "OAuth clients that nobody is connected with",
            clients::IDLE_MAX,
            "the oldest that nobody approved goes; each goes after a day without an approval",
            Limit::RegisteredClients,
        ),
        row(
            "events of a team in a month",
            format!("{} (`monthly_event_quota`)", or_any(config.monthly_event_quota)),
            "402; `dregs_quota_exceeded_total`",
            Limit::MonthlyEvents,
        ),
    ]
}

fn sign_ins(config: &Config) -> Vec<Row> {
    let throttled = format!("{WAIT}; `dregs_login_throttled_total`");
    vec![
        row(
            "wrong passwords of an account in 15 minutes, from where its owner has not signed in before",
            format!("{} (`login_failures_per_account`)", config.login_failures_per_account),
            &throttled,
            Limit::LoginsOfAccount,
        ),
        row(
            "… from each address and with each browser from which they have",
            "as many",
            &throttled,
            Limit::LoginsOfPlace,
        ),
        row(
            "wrong passwords from an address, or one /64, in 15 minutes",
            format!("{} (`login_failures_per_address`)", config.login_failures_per_address),
            &throttled,
            Limit::LoginsOfAddress,
        ),
        row("sign-ins that wait for their turn", WAITING_MAX, WAIT, Limit::LoginQueue),
        row("… of one address", WAITING_OF_ADDRESS_MAX, WAIT, Limit::LoginQueueOfAddress),
        row(
            "sign-ins for which the OpenID provider is asked at a time",
            EXCHANGES_MAX,
            "503",
            Limit::OidcExchanges,
        ),
        row(
            "an answer of the OpenID provider; all of it",
            format!("{ANSWER_MAX_KIB} KiB; {FETCH_MAX_SECONDS} s"),
            "503, and the log says why",
            None,
        ),
        row("sessions of a person", SESSIONS_MAX, "the oldest ends", Limit::Sessions),
    ]
}

fn made() -> Vec<Row> {
    let bounded = bounds::ALL
        .iter()
        .map(|bound| row(&format!("{} of a {}", bound.what, bound.owner), bound.max, "400", bound.limit));
    let others = [
        row(
            "its own entries in one dataset of a team",
            ENTRIES_OF_DATASET_MAX,
            "400",
            Limit::EntriesOfDataset,
        ),
        row("entries of a list", ENTRIES_OF_LIST_MAX, "400", Limit::EntriesOfList),
        row("lines of a table that is imported into a list", IMPORT_LINES_MAX, "400", Limit::Items),
        row("signing secrets of a channel at a time", SIGNING_SECRETS_MAX, "400", Limit::SigningSecrets),
        row("reviews of an identity", REVIEWS_MAX, "the oldest goes", Limit::Reviews),
        row(
            "versions of weights of a team",
            VERSIONS_MAX,
            "the oldest goes that is not in use",
            Limit::Weights,
        ),
        row("revisions of a rule", RULE_VERSIONS_MAX, "the oldest goes", Limit::RuleVersions),
        row(
            "identities, devices and groups that events tell of",
            "any number",
            "they take room on the disk",
            None,
        ),
    ];
    bounded.chain(others).collect()
}

fn deliveries(config: &Config) -> Vec<Row> {
    let hours = config.held_max_seconds / 3_600;
    vec![
        row(
            "an attempt of a delivery",
            format!("{} s (`deadline_ms`), unless its channel says otherwise", config.deadline_ms / 1_000),
            "it has failed, and is made again by the schedule; `dregs_attempts_total`",
            None,
        ),
        row(
            "attempts after the first",
            format!("{RETRIES_MAX} (`retry_schedule`: {})", config.retry_schedule),
            "the start is refused; the delivery is FAILED after the last",
            None,
        ),
        row(
            "a delivery that waits for an endpoint that is down, beyond its schedule",
            format!("{hours} h (`held_max_seconds`)"),
            "it is FAILED",
            None,
        ),
        row(
            "reviews by a model in a day",
            format!("{} (`reviewer_daily_max`)", config.reviewer_daily_max),
            "the built-in reviewer writes them",
            Limit::DailyReviews,
        ),
        row(
            "spans of traces that wait for the collector",
            QUEUE_MAX_SPANS,
            "the next ones are lost; `dregs_spans_lost_total`",
            Limit::SpanQueue,
        ),
    ]
}
