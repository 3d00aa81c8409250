//! The table of limits, for people: `SECURITY.md` has it, and a test says when it is not current.

use std::fmt::Write as _;

use dregs_core::event::HEADER_MAX_BYTES;

use super::body::{INLINE_MAX_KIB, SMALL_MAX_KIB};
use super::connections::{
    ADDRESS_PART, BODY_MAX_SECONDS, BODY_MIN_KIB_PER_SECOND, CONNECTIONS_MAX, HEAD_MAX_KIB, HEAD_MAX_SECONDS,
    IDLE_MAX_SECONDS, UNREAD_MAX_SECONDS,
};
use super::mcp::{REQUEST_MAX_KIB, RESULT_MAX_KIB};
use super::page::PAGE_SIZE_MAX;
use crate::config::Config;
use crate::ops::access::limits::{
    FILES_PER_REQUEST, MCP_REQUESTS_PER_SECOND, OF_ADDRESS_MAX_MIB, OF_ANYBODY_MAX_MIB, OF_KNOWN_MAX_MIB,
};
use crate::ops::access::sign_in::{SESSIONS_MAX, WAITING_MAX, WAITING_OF_ADDRESS_MAX};
use crate::ops::agent_keys::{
    DIRECTORY_MAX_KIB, DIRECTORY_MAX_SECONDS, KEYS_MAX, RSA_MAX_BITS, RSA_MIN_BITS, SIGNERS_MAX,
};
use crate::ops::bounds;
use crate::ops::identities::reviews::REVIEWS_MAX;
use crate::ops::ingest;
use crate::ops::live::{LISTENERS_MAX, LISTENERS_OF_KEY_MAX, LISTENERS_OF_PERSON_MAX};
use crate::ops::oauth::clients;
use crate::ops::team::channels::SIGNING_SECRETS_MAX;

/// What is limited, to how much, and what happens at the limit.
struct Row {
    what: String,
    most: String,
    then: String,
}

fn row(what: &str, most: impl ToString, then: &str) -> Row {
    Row { what: what.to_owned(), most: most.to_string(), then: then.to_owned() }
}

/// The table in Markdown.
pub fn table() -> String {
    let config = Config::default();
    let mut text = String::from("| limit | number | what happens at it |\n|---|---|---|\n");
    for Row { what, most, then } in
        [connections(), bodies(&config), rates(&config), sign_ins(&config), made()].into_iter().flatten()
    {
        // Writing to a string does not fail.
        let _ = writeln!(text, "| {what} | {most} | {then} |");
    }
    text
}

fn connections() -> Vec<Row> {
    let closed =
        |reason: &str| format!("it is closed; `dregs_http_connections_closed_total{{reason=\"{reason}\"}}`");
    let gives_way = "those that have waited longest for their client are closed \
                     (`…{reason=\"gave_way\"}`); where none waits, the new one (`…{reason=\"full\"}`), and the log says \
                     `connections cannot be accepted`, once in 10 seconds";
    vec![
        row(
            "connections",
            format!(
                "{CONNECTIONS_MAX}, or three quarters of the files that the process may open, which it raises"
            ),
            gives_way,
        ),
        row(
            "… of one address, or one /64; loopback and trusted proxies excepted",
            format!("one in {ADDRESS_PART} of them"),
            "the same among them",
        ),
        row(
            "until the first request, and for a request's head",
            format!("{HEAD_MAX_SECONDS} s"),
            &closed("head"),
        ),
        row("a request's head", format!("{HEAD_MAX_KIB} KiB"), "431"),
        row("between two requests", format!("{IDLE_MAX_SECONDS} s"), &closed("idle")),
        row("a client that takes nothing of an answer", format!("{UNREAD_MAX_SECONDS} s"), &closed("unread")),
        row(
            "a request's body",
            format!("{BODY_MAX_SECONDS} s, and one more for each {BODY_MIN_KIB_PER_SECOND} KiB"),
            "408; `dregs_body_refused_total{limit=\"time\"}`",
        ),
        row("live streams", LISTENERS_MAX, "503 with `Retry-After`"),
        row(
            "… of one person; of one secret key",
            format!("{LISTENERS_OF_PERSON_MAX}; {LISTENERS_OF_KEY_MAX}"),
            "429 with `Retry-After`",
        ),
    ]
}

fn bodies(config: &Config) -> Vec<Row> {
    let too_large = "413; `dregs_body_refused_total{limit=\"size\"}`";
    let no_room = "503 with `Retry-After`; `dregs_body_refused_total{limit=\"memory\"}`";
    vec![
        row(
            "a body, decoded, and so an event",
            format!("{} KiB (`body_max_kib`)", config.body_max_kib),
            too_large,
        ),
        row(
            "a batch of events, with a secret key",
            format!("{} KiB (`batch_max_kib`)", config.batch_max_kib),
            too_large,
        ),
        row("… with a public key", format!("{} KiB (`body_max_kib`)", config.body_max_kib), too_large),
        row("a body of somebody who signs in", format!("{SMALL_MAX_KIB} KiB"), too_large),
        row("a message of an AI agent", format!("{REQUEST_MAX_KIB} KiB"), too_large),
        row(
            "the result of an AI agent's tool",
            format!("{RESULT_MAX_KIB} KiB"),
            "an error that says to ask for less",
        ),
        row("events in a batch", dregs_core::event::BATCH_MAX_EVENTS, "400"),
        row(
            "a header of a signed request in an event",
            format!("{HEADER_MAX_BYTES} bytes"),
            "it is ignored, and named in `ignoredFields`",
        ),
        row(
            "arrays and objects in one another",
            format!("{} (`nesting_max_levels`)", config.nesting_max_levels),
            "400; `dregs_body_refused_total{limit=\"nesting\"}`",
        ),
        row("bodies being read of backends and people", format!("{OF_KNOWN_MAX_MIB} MiB"), no_room),
        row(
            "… of browsers and of those who sign in; of one address",
            format!("{OF_ANYBODY_MAX_MIB} MiB; {OF_ADDRESS_MAX_MIB} MiB"),
            no_room,
        ),
        row(
            "a body that is read on the thread that answers",
            format!("{INLINE_MAX_KIB} KiB"),
            "it is read on another, a few at a time",
        ),
        row(
            "signers of agents; keys of one; its key directory; the time for that",
            format!("{SIGNERS_MAX}; {KEYS_MAX}; {DIRECTORY_MAX_KIB} KiB; {DIRECTORY_MAX_SECONDS} s"),
            "the start is refused; the directory is not taken, and the keys of before count for two days",
        ),
        row(
            "bits of an agent's key of RSA",
            format!("{RSA_MIN_BITS} to {RSA_MAX_BITS}"),
            "the key is passed over",
        ),
        row("requests whose events wait for a commit", ingest::QUEUE_MAX_REQUESTS, "the next ones wait"),
        row("items of a page", PAGE_SIZE_MAX, "400"),
    ]
}

fn rates(config: &Config) -> Vec<Row> {
    let limited = |kind: &str| {
        format!(
            "429 with `Retry-After`, before the body is read; `dregs_rate_limited_total{{kind=\"{kind}\"}}`"
        )
    };
    let or_any = |number: u64| if number == 0 { "any number".to_owned() } else { number.to_string() };
    let address = config.address_rate_per_second;
    vec![
        row(
            "events and requests of a credential in a second",
            format!("{} (`credential_rate_per_second`)", or_any(config.credential_rate_per_second)),
            &limited("credential"),
        ),
        row(
            "requests with an MCP token, or of a connected client, in a second",
            MCP_REQUESTS_PER_SECOND,
            &limited("mcp_token"),
        ),
        row(
            "OAuth clients that an address, or one /64, registers in an hour",
            clients::OF_ADDRESS_MAX,
            "429 with `Retry-After`; `dregs_rate_limited_total{kind=\"registration\"}`",
        ),
        row(
            "OAuth clients that nobody is connected with",
            clients::IDLE_MAX,
            "the oldest that nobody approved goes; each goes after a day without an approval",
        ),
        row(
            "events with a public key, wrong keys, and requests to `/oauth/`, of an address in a second",
            format!("{} (`address_rate_per_second`)", or_any(address)),
            &limited("address"),
        ),
        row(
            "files of the dashboard, the script and the documentation of an address in a second",
            format!("{} times as many", FILES_PER_REQUEST),
            &limited("files"),
        ),
        row(
            "`/metrics` of an address in a second",
            format!("{address} (`address_rate_per_second`)"),
            &limited("metrics"),
        ),
        row(
            "events of a team in a month",
            format!("{} (`monthly_event_quota`)", or_any(config.monthly_event_quota)),
            "402; `dregs_quota_exceeded_total`",
        ),
    ]
}

fn sign_ins(config: &Config) -> Vec<Row> {
    let throttled = "429 with `Retry-After`; `dregs_login_throttled_total`";
    vec![
        row(
            "wrong passwords of an account in 15 minutes, from where its owner has not signed in before",
            format!("{} (`login_failures_per_account`)", config.login_failures_per_account),
            throttled,
        ),
        row("… from each address and with each browser from which they have", "as many", throttled),
        row(
            "wrong passwords from an address, or one /64, in 15 minutes",
            format!("{} (`login_failures_per_address`)", config.login_failures_per_address),
            throttled,
        ),
        row(
            "sign-ins that wait for their turn; of one address",
            format!("{WAITING_MAX}; {WAITING_OF_ADDRESS_MAX}"),
            "429 with `Retry-After`; `dregs_login_queue_full_total`",
        ),
        row("sessions of a person", SESSIONS_MAX, "the oldest ends"),
    ]
}

fn made() -> Vec<Row> {
    let rows = bounds::ALL
        .iter()
        .map(|bound| row(&format!("{} of a {}", bound.what, bound.owner), bound.max, "400"));
    let known =
        row("identities, devices and groups that events tell of", "any number", "they take room on the disk");
    let signing = row("signing secrets of a channel at a time", SIGNING_SECRETS_MAX, "400");
    let reviews = row("reviews of an identity", REVIEWS_MAX, "the oldest goes");
    rows.chain([signing, reviews, known]).collect()
}
