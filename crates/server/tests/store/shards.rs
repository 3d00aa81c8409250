//! What carries a shard is asked for by it, so that a machine that holds no such row is left alone.

use std::collections::BTreeSet;
use std::path::Path;

use dregs_server::store::SPREAD_TABLES;

const SEVERAL: &str = "looks through all shards, in the background or for a person";
const NO_SHARD: &str = "a person asks by a name, or by whatever is no id";
const COUNTED: &str = "counts or finds where something waits, in all shards at once";
const ORDERED: &str = "a page of what lies in all shards, in order";

/// Statements that name no shard, by file and function, and why.
const WITHOUT: &[(&str, &str, &str)] = &[];

/// The texts in a source file, each with the function it stands in.
fn texts(source: &str) -> Vec<(String, String)> {
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    let mut texts = Vec::new();
    let mut function = String::new();
    for line_or_text in source
        .split_inclusive('\n')
        .map(str::trim_start)
        .filter(|line| !line.starts_with("//"))
        .collect::<String>()
        .split('"')
        .enumerate()
    {
        match line_or_text {
            (place, code) if place % 2 == 0 => {
                if let Some((_, rest)) = code.rsplit_once("fn ") {
                    function = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                }
            }
            (_, text) => texts.push((function.clone(), text.to_owned())),
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
    let listed: BTreeSet<_> =
        WITHOUT.iter().map(|(file, function, _)| ((*file).to_owned(), (*function).to_owned())).collect();
    assert_eq!(Vec::from_iter(without.symmetric_difference(&listed)), Vec::<&_>::new());
}
