//! Every metric of `/metrics`, and what it is: told there, and in the manual.

use metrics::{describe_counter, describe_gauge, describe_histogram};

/// What kind of metric it is, as Prometheus has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
}
use Kind::{Counter, Gauge, Histogram};

impl Kind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// Each metric: its name, its kind, and what it counts or tells, with its labels.
pub const METRICS: &[(&str, Kind, &str)] = &[
    ("dregs_store_available", Gauge, "1 while the database takes writes, else 0: requests are answered 503"),
    ("dregs_nodes", Gauge, "Servers that run on this database, by `role`"),
    (
        "dregs_store_writes_waiting",
        Gauge,
        "Transactions that wait for their turn; many: the database is slow",
    ),
    ("dregs_store_log_bytes", Gauge, "SQLite: size of the write-ahead log"),
    (
        "dregs_store_log_blocked_seconds",
        Gauge,
        "SQLite: how long a reader has kept the log from being emptied",
    ),
    ("dregs_store_oldest_read_seconds", Gauge, "SQLite: how long the oldest read has taken so far"),
    ("dregs_events_ingested_total", Counter, "Events that were stored"),
    ("dregs_events_this_month", Gauge, "Events of the month so far, which count against the quota"),
    ("dregs_event_fields_ignored_total", Counter, "Fields of events that were ignored"),
    ("dregs_cycles_total", Counter, "Scoring cycles"),
    ("dregs_evaluate_batch_seconds", Histogram, "How long a batch of cycles takes"),
    ("dregs_evaluation_queue_depth", Gauge, "Identities that wait to be scored"),
    (
        "dregs_evaluation_queue_age_seconds",
        Gauge,
        "How long the first of them is late; grows: scoring does not keep up",
    ),
    ("dregs_evaluations_in_memory", Gauge, "Identities that are handed on without a look into the database"),
    ("dregs_decisions_awaited", Gauge, "Requests that wait for the cycle that sees their event"),
    (
        "dregs_decisions_pending_total",
        Counter,
        "Requests that were answered without it, since it was not there in time",
    ),
    ("dregs_delivery_queue_depth", Gauge, "Deliveries that wait to be sent"),
    (
        "dregs_delivery_queue_age_seconds",
        Gauge,
        "How long the first of them is late; an endpoint may be down",
    ),
    ("dregs_deliveries_in_memory", Gauge, "Deliveries that are handed on without a look into the database"),
    (
        "dregs_attempts_total",
        Counter,
        "Attempts of deliveries, by `outcome`: `delivered`, or the class of the error",
    ),
    ("dregs_attempt_seconds", Histogram, "How long attempts take: how fast endpoints answer"),
    ("dregs_delivery_age_seconds", Histogram, "From the event to the end of an attempt"),
    ("dregs_http_requests_total", Counter, "Requests, by `route` and `status`"),
    ("dregs_http_request_seconds", Histogram, "How long answers take"),
    ("dregs_http_connections", Gauge, "Connections that are open"),
    ("dregs_http_connections_closed_total", Counter, "Connections that were closed at a limit, by `reason`"),
    ("dregs_http_accept_errors_total", Counter, "Connections that the system could not hand over"),
    ("dregs_poll_seconds", Histogram, "How long the thread that answers was held at a time"),
    (
        "dregs_poll_seconds_max",
        Gauge,
        "The longest of that of late; above a few milliseconds: something holds it",
    ),
    ("dregs_limit_reached_total", Counter, "How often somebody has reached a limit, by `limit`"),
    ("dregs_rate_limited_total", Counter, "Requests that were refused at a rate, by `kind`"),
    ("dregs_quota_exceeded_total", Counter, "Requests that were refused at the monthly quota"),
    ("dregs_body_refused_total", Counter, "Bodies that were refused, by `limit`"),
    ("dregs_login_throttled_total", Counter, "Sign-ins that were refused after too many wrong ones: guesses"),
    ("dregs_lists_bytes", Gauge, "Memory of the lists of identities, devices and groups"),
    ("dregs_retention_rows_removed_total", Counter, "Rows that were removed as they are old, by `kind`"),
    ("dregs_retention_batch_seconds", Histogram, "How long a batch of that holds the writer"),
    ("dregs_retention_behind_seconds", Gauge, "How long what should be gone is still there, by `kind`"),
    ("dregs_spans_exported_total", Counter, "Spans of traces that the collector has taken"),
    (
        "dregs_spans_lost_total",
        Counter,
        "Spans that it has not, by `reason`: `queue_full` before they were sent, or `not_taken`",
    ),
    ("dregs_agent_signatures_total", Counter, "Signatures of AI agents, by `outcome`"),
    ("dregs_agent_directories_total", Counter, "Fetches of the keys of AI agents, by `outcome`"),
];

/// Has the recorder of this process tell what each metric is.
pub fn describe() {
    for (name, kind, words) in METRICS {
        match kind {
            Counter => describe_counter!(*name, *words),
            Gauge => describe_gauge!(*name, *words),
            Histogram => describe_histogram!(*name, *words),
        }
    }
}
