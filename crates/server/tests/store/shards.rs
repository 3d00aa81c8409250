//! What carries a shard is asked for by it, so that a machine that holds no such row is left alone.

use std::collections::BTreeSet;
use std::path::Path;

use dregs_server::store::SPREAD_TABLES;

/// Functions by file.
type Functions = &'static [(&'static str, &'static [&'static str])];

/// Where statements name no shard, and why.
const WITHOUT: &[(&str, Functions)] = &[
    (
        "a person asks, by a name or for a page of what lies in all shards",
        &[
            ("badges", &["carriers", "count", "newest_carriers"]),
            ("bulk_changes", &["tally"]),
            ("decisions", &["of_event"]),
            ("deliveries", &["delete_some", "finished_some", "skip_some"]),
            ("delivery_lists", &["count", "page"]),
            ("devices", &["find"]),
            ("draws", &["last_labels"]),
            ("erasure", &["begin", "remove_device"]),
            (
                "escalations",
                &[
                    "briefs",
                    "by_rule",
                    "by_span",
                    "closed_by_hand",
                    "count",
                    "free",
                    "identities_of",
                    "let_go",
                    "matching",
                    "of_rule_by_span",
                    "page",
                ],
            ),
            ("events", &["latest_named"]),
            ("event_lists", &["by_time", "conditions", "find", "matching", "through_session"]),
            ("groups", &["find", "ids", "labels", "of_identity"]),
            ("identities", &["find", "tracked"]),
            ("labels", &["by_analysts", "count", "judged", "outcomes"]),
            ("links", &["after"]),
        ],
    ),
    (
        "walks through all rows, piece by piece, in the background",
        &[
            ("analyses", &["last_number", "past"]),
            ("backup", &["resume"]),
            ("bulk_changes", &["forget_some", "items"]),
            ("counter_states", &["after", "of_team"]),
            ("counters", &["walk"]),
            ("devices", &["after", "disregarded"]),
            ("erasure", &["unfinished"]),
            ("events", &["last_number", "newest_of_team", "of_nobody"]),
            ("identities", &["ask_rules", "walk", "with_agent"]),
            ("live", &["sql"]),
            ("retention", &["entries_after", "events_after", "told_of_soon"]),
            ("reviews", &["count_by_models"]),
            ("rosters", &["after", "sql", "with_ids"]),
            ("team_deletion", &["devices", "events", "groups", "identities", "listed", "others"]),
        ],
    ),
    (
        "is about a channel, which has deliveries in all shards",
        &[
            ("deliveries", &["due_channels", "follow_identities"]),
            ("live", &["waiting", "waiting_of"]),
            ("waiting", &["due_since", "let_go", "longest"]),
        ],
    ),
    (
        "counts what waits, for metrics, or frees it: at a start, alone on the database, or of a node that is gone",
        &[
            ("deliveries", &["release_leases", "waiting"]),
            ("identities", &["release_leases", "waiting"]),
            ("nodes", &["take_over"]),
        ],
    ),
    ("a clock was put back under all that waits", &[("identities", &["advance"]), ("waiting", &["advance"])]),
    (
        "frees what a commit without an answer may have leased: which rows, nobody knows",
        &[("identities", &["end_leases"]), ("waiting", &["end_leases"])],
    ),
];

/// The texts in a source file, each with the function it stands in.
fn texts(source: &str) -> Vec<(String, String)> {
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    let mut texts = Vec::new();
    let mut function = String::new();
    let lines = source.split_inclusive('\n').filter(|line| !line.trim_start().starts_with("//"));
    for (place, part) in lines.collect::<String>().split('"').enumerate() {
        if place % 2 == 1 {
            texts.push((function.clone(), part.to_owned()));
        } else if let Some((_, rest)) = part.rsplit_once("fn ") {
            function = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        }
    }
    texts
}

/// Whether a text reads or writes a table that carries a shard.
fn is_about_shards(text: &str) -> bool {
    let words: Vec<_> = text
        .split(|c: char| c.is_whitespace() || "(),".contains(c))
        .filter(|word| !word.is_empty())
        .collect();
    words
        .windows(2)
        .any(|pair| ["from", "join", "into", "update"].contains(&pair[0]) && SPREAD_TABLES.contains(&pair[1]))
}

#[test]
fn a_statement_names_a_shard_or_says_why_not() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let mut without = BTreeSet::new();
    let mut looked_at = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        for (function, text) in texts(&std::fs::read_to_string(&path).unwrap()) {
            if is_about_shards(&text) {
                looked_at += 1;
                if !text.contains("shard") && !text.contains("{within}") {
                    without.insert((name.clone(), function));
                }
            }
        }
    }
    assert!(looked_at > 80, "{looked_at}");
    let files = WITHOUT.iter().flat_map(|(_why, files)| *files);
    let listed: BTreeSet<_> = files
        .flat_map(|(file, functions)| {
            functions.iter().map(|function| ((*file).to_owned(), (*function).to_owned()))
        })
        .collect();
    assert_eq!(Vec::from_iter(without.symmetric_difference(&listed)), Vec::<&_>::new());
}
