//! Names by which programs are known, and where in a user agent they count.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::Kind;
use super::words::is_phone;

/// A name, the tag that tells what has it, and the places in which it counts inside a whole browser's user
/// agent, where people's devices, apps and extensions have names of any kind.
struct Name {
    text: &'static str,
    tag: &'static str,
    inside: &'static str,
}

/// Names of crawlers and libraries; made by `scripts/detection/crawlers.py`.
static NAMES: LazyLock<Vec<Name>> = LazyLock::new(|| {
    let name = |line: &'static str| {
        let mut columns = line.split('\t');
        Some(Name { text: columns.next()?, tag: columns.next()?, inside: columns.next()? })
    };
    include_str!("../../data/crawlers.tsv").lines().filter_map(name).collect()
});
static INSIDE: LazyLock<Vec<&'static Name>> =
    LazyLock::new(|| NAMES.iter().filter(|name| !name.inside.is_empty()).collect());
static NAMES_SEARCH: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| search(NAMES.iter(), AhoCorasickKind::ContiguousNFA));
/// Every browser is searched for these few: the fastest kind pays.
static INSIDE_SEARCH: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| search(INSIDE.iter().copied(), AhoCorasickKind::DFA));

fn search<'a>(names: impl Iterator<Item = &'a Name>, kind: AhoCorasickKind) -> Option<AhoCorasick> {
    let texts = names.map(|name| name.text);
    AhoCorasick::builder().kind(Some(kind)).ascii_case_insensitive(true).build(texts).ok()
}

/// The longest name that stands in a program's user agent, and what has it.
pub fn of_program(agent: &str) -> Option<(Kind, &'static str)> {
    let found = NAMES_SEARCH.as_ref()?.find_overlapping_iter(agent);
    let whole = found.filter(|found| is_whole(agent, found.range())).map(|found| &NAMES[found.pattern()]);
    whole.max_by_key(|name| name.text.len()).map(Name::told)
}

/// A name that stands in a whole browser's user agent where crawlers are known to have it: s in the comment that
/// names the system, p in that of a phone, t in what follows.
pub fn inside_browser(agent: &str) -> Option<(Kind, &'static str)> {
    // Most have none: to say so is faster than to look for all that overlap.
    let search = INSIDE_SEARCH.as_ref().filter(|search| search.is_match(agent))?;
    let system_end = agent.find(')').unwrap_or(agent.len());
    let of_system = if is_phone(&agent[..system_end]) { 'p' } else { 's' };
    let found = search.find_overlapping_iter(agent).find(|found| {
        let place = if found.start() < system_end { of_system } else { 't' };
        let is_version = agent[..found.start()].ends_with('/') && !agent[..found.start()].ends_with("//");
        INSIDE[found.pattern()].inside.contains(place) && is_whole(agent, found.range()) && !is_version
    });
    found.map(|found| INSIDE[found.pattern()].told())
}

impl Name {
    fn told(&self) -> (Kind, &'static str) {
        let kind = match self.tag {
            "browser-automation" => Kind::Automation,
            "http-library" => Kind::HttpLibrary,
            _ => Kind::Crawler,
        };
        (kind, self.text)
    }
}

/// Whether what is found is no part of a longer word; a version may follow.
pub(super) fn is_whole(agent: &str, found: Range<usize>) -> bool {
    let separators = ['-', '_', '.'];
    let before = agent[..found.start].chars().next_back();
    let after = agent[found.end..].trim_start_matches(separators).chars().next();
    !before.is_some_and(|char| char.is_alphanumeric() || separators.contains(&char))
        && !after.is_some_and(char::is_alphabetic)
}
