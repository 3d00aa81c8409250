//! Names by which programs are known, and where in a user agent they count.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::Kind;
use super::words::{VISITORS, is_phone};

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

/// A name that was found in a program's user agent.
#[derive(Clone, Copy)]
pub struct Known {
    pub text: &'static str,
    pub kind: Kind,
    /// Whether it says by itself that a program visits. Others are words and brands, which an app may have.
    pub is_telling: bool,
    /// Whether it is the word for what visits, and nobody's name.
    pub is_noun: bool,
}

/// The longest name that stands in a program's user agent, of those that tell the most.
pub fn of_program(agent: &str) -> Option<Known> {
    let found = NAMES_SEARCH.as_ref()?.find_overlapping_iter(agent);
    let whole =
        found.filter(|found| is_whole(agent, found.range())).map(|found| NAMES[found.pattern()].known());
    whole.max_by_key(|known| (known.is_telling, known.text.len()))
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
    found.map(|found| INSIDE[found.pattern()].known()).map(|known| (known.kind, known.text))
}

impl Name {
    fn known(&self) -> Known {
        let kind = match self.tag {
            "browser-automation" => Kind::Automation,
            "http-library" => Kind::HttpLibrary,
            _ => Kind::Crawler,
        };
        let is_telling = kind != Kind::Crawler || is_telling(self.text);
        let is_noun = VISITORS.contains(&self.text);
        Known { text: self.text, kind, is_telling, is_noun }
    }
}

/// What the names of programs that visit have in them, and those of hardly any app.
const STEMS: [&str; 30] = [
    "archiv",
    "b0t",
    "bot",
    "checker",
    "crawl",
    "crwlr",
    "curl",
    "externalhit",
    "fetch",
    "grab",
    "harvest",
    "headless",
    "http",
    "indexer",
    "libwww",
    "linkcheck",
    "lwp",
    "monitor",
    "robot",
    "scan",
    "scrap",
    "screenshot",
    "slurp",
    "sniff",
    "spider",
    "spyder",
    "thumbnail",
    "unfurl",
    "validator",
    "wget",
];
/// Likewise names: of programs that look for weak places.
const SCANNERS: [&str; 20] = [
    "acunetix",
    "censysinspect",
    "dirbuster",
    "fimap",
    "gobuster",
    "havij",
    "jorgee",
    "nessus",
    "netsparker",
    "nikto",
    "nmap scripting engine",
    "openvas",
    "shodan",
    "sqlmap",
    "wfuzz",
    "whatcms",
    "wpsec",
    "zgrab",
    "zmeu",
    "zyborg",
];

/// And apps of people, though nobody calls anything else so.
const APPS: [&str; 22] = [
    "androiddownloadmanager",
    "canary%20mail",
    "capitaloneshopping",
    "digg.com",
    "feedly.com",
    "fiery%20feeds",
    "github.com",
    "google-podcast",
    "googlemessages",
    "indesign%20cc",
    "nextcloud-news",
    "outlook-express",
    "outlook-ios",
    "pinterest.com",
    "podcastaddict",
    "podimo.com",
    "readability.com",
    "remove.bg",
    "scoop.it",
    "stumbleupon.com",
    "yeti-mobile",
    "zoom.mac",
];
/// Names of letters alone that are longer are more than a word or a brand, and so are names of so many bytes that have
/// signs or digits in them.
const WORD_MAX_LETTERS: usize = 12;
const SIGNED_MIN_BYTES: usize = 8;

/// Whether a name says by itself that a program visits: what an app may be called does not.
fn is_telling(name: &str) -> bool {
    let is_noun = VISITORS.contains(&name);
    let is_word = |word: &str| word.len() <= WORD_MAX_LETTERS;
    let has_signs = !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b' ');
    let is_nobodys = has_signs && name.len() >= SIGNED_MIN_BYTES || !name.split(' ').all(is_word);
    let is_visitors = || STEMS.iter().any(|stem| name.contains(stem)) || SCANNERS.contains(&name);
    !is_noun && (is_nobodys || is_visitors()) && !APPS.contains(&name)
}

/// Whether what is found is no part of a longer word; a version may follow.
pub(super) fn is_whole(agent: &str, found: Range<usize>) -> bool {
    let separators = ['-', '_', '.'];
    let before = agent[..found.start].chars().next_back();
    let after = agent[found.end..].trim_start_matches(separators).chars().next();
    !before.is_some_and(|char| char.is_alphanumeric() || separators.contains(&char))
        && !after.is_some_and(char::is_alphabetic)
}
