//! Each row of the table of limits is tried: here, on a running server, or by the test that is named for it.

use std::collections::BTreeSet;
use std::path::Path;
use std::pin::Pin;

use dregs_server::http::limits::{Row, rows};
use dregs_server::limit::Limit;
use dregs_server::telemetry::metrics_handle;

use super::tries;
use crate::support::server::reached;

/// What a try comes to: the refusal, in one line that begins with its status.
pub type Outcome = Pin<Box<dyn Future<Output = String>>>;

enum Tried {
    Here(fn() -> Outcome),
    /// By the test of this name in this file of the package. Where the row is counted, the test looks at that.
    By(&'static str, &'static str),
}
use Tried::{By, Here};

const FLOOD: &str = "tests/cli/flood.rs";
const BOUNDS: (&str, &str) = ("tests/api/bounds.rs", "everything_that_is_made_has_a_limit");
const SILENT: &str = "who_says_nothing_or_takes_nothing_is_closed_in_time_and_counted";
const FROZEN: (&str, &str) =
    ("tests/flow/outage.rs", "a_frozen_postgresql_is_told_of_in_time_and_left_behind_when_it_goes_on");

const WAVES: &str = "tests/flow/waves.rs";

/// The rows by how they begin, and how each is tried.
fn tried() -> Vec<(&'static str, Tried)> {
    let bounds = || By(BOUNDS.0, BOUNDS.1);
    vec![
        ("connections", By(FLOOD, "who_comes_with_a_request_is_served_however_many_only_stay")),
        (
            "… of one address, or one /64",
            By(
                "src/http/connections/lines.rs",
                "an_address_has_a_share_and_a_network_of_ipv6_addresses_is_one",
            ),
        ),
        ("until the first request, and", By(FLOOD, SILENT)),
        ("a request's head", By(FLOOD, "a_head_that_is_too_large_is_answered_so_and_counted")),
        ("headers of a request", By(FLOOD, "a_head_that_is_too_large_is_answered_so_and_counted")),
        ("between two requests", By(FLOOD, SILENT)),
        ("a client that takes nothing of an answer", By(FLOOD, SILENT)),
        ("requests that wait for a decision", By("tests/flow/decisions.rs", "too_many_do_not_wait")),
        ("live streams", By("tests/api/live.rs", "too_many_do_not_listen")),
        (
            "… of one person",
            By("tests/api/live.rs", "one_person_listens_a_few_times_and_leaves_room_for_others"),
        ),
        ("… of one secret key", By("tests/api/live.rs", "too_many_do_not_listen")),
        ("a request's body", By(FLOOD, "what_never_comes_is_not_waited_for")),
        ("a body, decoded", Here(tries::large_body)),
        ("a batch of events", Here(tries::large_batch)),
        ("… with a public key", Here(tries::large_batch_of_a_page)),
        ("a body of somebody who signs in", Here(tries::large_sign_in)),
        ("a message of an AI agent", By("tests/api/mcp/mod.rs", "an_answer_and_a_request_have_limits")),
        ("arrays and objects in one another", Here(tries::deep_body)),
        ("bodies being read of backends and people", Here(tries::bodies_of_backends)),
        ("… of browsers and of those who sign in", Here(tries::bodies_of_browsers)),
        ("… of them, of one address", Here(tries::bodies_of_an_address)),
        (
            "a body that is read on the thread that answers",
            By("tests/cli/polls/mod.rs", "nothing_takes_the_thread_that_answers_for_long"),
        ),
        (
            "requests whose events wait for a commit",
            By("src/ops/ingest/mod.rs", "who_finds_no_place_waits_for_one_and_is_counted"),
        ),
        ("events in a batch", Here(tries::many_events)),
        ("of an event: its data", By("tests/api/input.rs", "bad_events_are_refused_and_leave_nothing")),
        (
            "a header of a signed request",
            By("../core/src/event/read/tests.rs", "a_header_that_is_too_long_is_ignored_and_named"),
        ),
        ("labels given at once", Here(tries::many_labels)),
        ("escalations changed at once", By(WAVES, "of_very_many_those_that_opened_first_are_taken")),
        (
            "escalations in which waves are looked for",
            By(WAVES, "of_very_many_those_that_opened_first_are_taken"),
        ),
        ("days of a snooze", By(WAVES, "a_snoozed_rule_opens_nothing_until_its_time")),
        ("reasons that are offered for a label", Here(tries::many_reasons)),
        ("notes of an escalation", By("tests/api/notes.rs", "notes_are_the_authors_own_and_mention_members")),
        ("identities decided on at once", Here(tries::many_decisions)),
        ("milliseconds that an event waits", Here(tries::long_wait)),
        ("deliveries resent at once", Here(tries::many_deliveries)),
        ("origins of a credential", Here(tries::many_origins)),
        ("conditions of a rule, and of a channel", Here(tries::many_conditions)),
        ("recipients of an EMAIL channel", Here(tries::many_recipients)),
        ("headers that a WEBHOOK channel adds", Here(tries::many_headers)),
        ("items of a page", Here(tries::large_page)),
        ("entries of a score history", Here(tries::long_history)),
        ("of a channel: requests at once", Here(tries::large_numbers)),
        ("characters of a name", Here(tries::long_texts)),
        ("items of a list that are counted", By("src/http/page.rs", "a_total_is_exact_as_far_as_one_counts")),
        (
            "members of a cluster",
            By("tests/flow/links.rs", "a_cluster_goes_from_device_to_device_and_has_an_end"),
        ),
        (
            "values of each type of a ring",
            By("src/ops/identities/ring.rs", "of_each_type_those_are_looked_at_that_most_have"),
        ),
        (
            "identities in a CSV export",
            By("src/ops/lists/roster/table.rs", "a_page_is_what_the_plain_way_gives"),
        ),
        (
            "the result of an AI agent's tool",
            By("tests/api/mcp/mod.rs", "an_answer_and_a_request_have_limits"),
        ),
        ("signers of agents", By("src/ops/agent_keys/tests.rs", "signers_are_origins")),
        (
            "bits of an agent's key of RSA",
            By("src/ops/agent_keys/tests.rs", "keys_of_rsa_verify_and_what_they_cannot_tell_is_not_told"),
        ),
        ("a transaction that waits for its turn", By(FROZEN.0, FROZEN.1)),
        (
            "a read of SQLite",
            By("src/store/sqlite.rs", "a_read_that_takes_too_long_is_ended_and_the_next_goes_well"),
        ),
        (
            "a write of SQLite",
            By("tests/store/transactions.rs", "another_process_that_writes_is_waited_for_so_long"),
        ),
        (
            "a statement of PostgreSQL",
            By("tests/store/transactions.rs", "a_statement_that_takes_too_long_is_ended_by_postgresql"),
        ),
        ("an answer of PostgreSQL", By(FROZEN.0, FROZEN.1)),
        (
            "long reads at once",
            By("tests/api/exports.rs", "nobody_waits_for_the_exports_and_the_long_reads_of_others"),
        ),
        ("events and requests of a credential", Here(tries::rate_of_a_credential)),
        ("requests with an MCP token", By("tests/api/mcp/mod.rs", "a_token_may_make_so_many_requests")),
        ("of an address in a second: events", Here(tries::rate_of_an_address)),
        ("… files of the dashboard", Here(tries::rate_of_files)),
        ("… `/metrics`", Here(tries::rate_of_metrics)),
        ("… `/readyz` and `/healthz`", Here(tries::rate_of_probes)),
        (
            "OAuth clients that an address",
            By("tests/api/oauth/registering.rs", "registration_is_bounded_by_address_and_in_all"),
        ),
        (
            "OAuth clients that nobody is connected with",
            By("tests/api/oauth/registering.rs", "registration_is_bounded_by_address_and_in_all"),
        ),
        ("events of a team in a month", Here(tries::monthly_events)),
        ("wrong passwords of an account", Here(tries::guesses_at_an_account)),
        ("… from each address and with each browser", Here(tries::guesses_from_a_known_place)),
        ("wrong passwords from an address", Here(tries::guesses_from_an_address)),
        (
            "sign-ins that wait for their turn",
            By(
                "src/ops/access/sign_in/guard.rs",
                "a_queue_has_an_end_in_all_and_for_each_address_and_the_known_have_their_own",
            ),
        ),
        (
            "… of one address",
            By("tests/api/guarding.rs", "of_many_at_once_most_are_told_to_come_again_and_the_owner_gets_in"),
        ),
        (
            "sign-ins for which the OpenID provider is asked at a time",
            By("tests/api/oidc/liar.rs", "so_many_codes_are_exchanged_at_a_time"),
        ),
        (
            "an answer of the OpenID provider; all of it",
            By("tests/api/oidc/liar.rs", "an_answer_that_is_too_long_or_never_comes_is_no_answer"),
        ),
        ("sessions of a person", Here(tries::many_sessions)),
        ("teams of a server", By("tests/api/teams/mod.rs", "a_server_has_so_many_teams")),
        ("credentials of a team", bounds()),
        ("MCP tokens of a person", bounds()),
        (
            "connected MCP clients of a person",
            By("tests/api/oauth/consent.rs", "a_person_has_as_many_connections_as_there_may_be"),
        ),
        (
            "passkeys of a person",
            By("tests/api/passkeys.rs", "a_person_has_as_many_passkeys_as_there_may_be"),
        ),
        ("invitations of a team", bounds()),
        ("members of a team", bounds()),
        ("channels of a team", By("tests/api/channels.rs", "a_team_has_a_thousand_channels_at_most")),
        ("badge rules of a team", bounds()),
        ("escalation rules of a team", bounds()),
        ("mappings of a team", bounds()),
        ("entries in its datasets of a team", bounds()),
        ("lists of a team", bounds()),
        ("entries of a list", Here(tries::entries_of_a_list)),
        ("lines of a table that is imported", Here(tries::lines_of_a_table)),
        ("views of a team", By("tests/api/views.rs", "a_team_has_a_hundred_views_at_most")),
        ("labels of a single identity", By("tests/flow/labels.rs", "one_identity_has_so_many_labels")),
        ("counters of a team", bounds()),
        ("its own entries in one dataset", Here(tries::entries_of_a_dataset)),
        (
            "signing secrets of a channel",
            By("tests/flow/delivery.rs", "both_secrets_sign_until_the_overlap_ends"),
        ),
        ("reviews of an identity", Here(tries::many_reviews)),
        ("revisions of a rule", By("tests/flow/rule_versions.rs", "of_a_rule_so_many_revisions_are_kept")),
        (
            "versions of weights of a team",
            By("tests/api/weights.rs", "weights_are_proposed_looked_at_promoted_and_rolled_back"),
        ),
        (
            "an attempt of a delivery",
            By("tests/hostile/answers.rs", "an_endpoint_that_hangs_before_headers_costs_the_deadline"),
        ),
        (
            "attempts after the first",
            By("../core/src/notify/schedule.rs", "a_refused_schedule_names_the_part_that_is_wrong"),
        ),
        (
            "a delivery that waits for an endpoint",
            By("tests/flow/sick.rs", "what_waits_too_long_for_a_sick_endpoint_fails_and_can_be_replayed"),
        ),
        (
            "reviews by a model in a day",
            By("tests/flow/reviews.rs", "beyond_its_budget_the_model_is_not_asked"),
        ),
        ("spans of traces that wait", By("src/trace/mod.rs", "spans_beyond_the_queue_are_lost_and_counted")),
    ]
}

/// How a row is tried: by the longest beginning.
fn of<'t>(tried: &'t [(&'static str, Tried)], row: &Row) -> Option<&'t (&'static str, Tried)> {
    let fits = tried.iter().filter(|(begin, _)| row.what.starts_with(begin));
    fits.max_by_key(|(begin, _)| begin.len())
}

fn needs_no_test(row: &Row) -> bool {
    row.most == "any number" && row.limit.is_none()
}

#[tokio::test]
async fn every_row_is_tried() {
    let tried = tried();
    let (mut wrong, mut met) = (Vec::new(), BTreeSet::new());
    for row in rows().iter().filter(|row| !needs_no_test(row)) {
        let Some((begin, how)) = of(&tried, row) else {
            wrong.push(format!("no test tries {:?}", row.what));
            continue;
        };
        if !met.insert(*begin) {
            wrong.push(format!("{begin:?} begins more than one row"));
        }
        match how {
            By(file, test) => wrong.extend(look_for(file, test, row.limit)),
            Here(run) => {
                let count = || row.limit.map(|limit| reached(&metrics_handle().render(), limit));
                let before = count();
                let said = run().await;
                // A row that begins with a status says what is answered.
                let status = row.then.split([' ', ';']).next().filter(|word| word.parse::<u16>().is_ok());
                if status.is_some_and(|status| !said.starts_with(status)) {
                    wrong.push(format!("{:?}: {said}", row.what));
                }
                if row.limit.is_some() && count() <= before {
                    wrong.push(format!("{:?} is not counted: {said}", row.what));
                }
            }
        }
    }
    let needless = tried.iter().filter(|(begin, _)| !met.contains(begin));
    wrong.extend(needless.map(|(begin, _)| format!("{begin:?} begins no row")));
    assert_eq!(wrong, Vec::<String>::new());
}

/// What is wrong with the test that is named for a row.
fn look_for(file: &str, test: &str, limit: Option<Limit>) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
    let Some((_, body)) = text.split_once(&format!("fn {test}(")) else {
        return Some(format!("{file} has no test {test}"));
    };
    // Up to the next test of the file.
    let body = body.split("\n}\n").next().unwrap_or_default();
    let looks =
        limit.is_none_or(|limit| body.contains(&format!("Limit::{limit:?}")) || body.contains(".limit"));
    (!looks).then(|| format!("{test} does not look how often {limit:?} was reached"))
}

#[test]
fn every_limit_that_is_counted_has_a_row() {
    let told: BTreeSet<_> = rows().iter().filter_map(|row| row.limit).collect();
    let untold: Vec<_> = Limit::ALL.iter().filter(|limit| !told.contains(limit)).collect();
    assert_eq!(untold, Vec::<&Limit>::new());
}
