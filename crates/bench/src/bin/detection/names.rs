//! Names that the table of letters has not seen, and what a hand types in place of a name.

use std::collections::BTreeMap;
use std::path::Path;

use dregs_core::score::is_made_up_name;

use crate::figures::{Error, Report, Target};

const NAME: &str = "names";
/// Typed on a keyboard for this measurement, without a look at what is found.
const GIBBERISH: &str = include_str!("../../../data/gibberish.txt");

/// How many of each are called made up.
pub fn measure(packages: &Path, report: &mut Report) -> Result<(), Error> {
    let path = packages.join("names-unseen.tsv");
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("{}: {error}: run scripts/detection/names.py", path.display()))?;
    let mut locales: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (locale, word) in text.lines().filter_map(|line| line.split_once('\t')) {
        locales.entry(locale).or_default().push(word);
    }
    let part = |words: &[&str]| {
        words.iter().filter(|word| is_made_up_name(word) == Some(true)).count() as f64 / words.len() as f64
    };
    let all: Vec<_> = locales.values().flatten().copied().collect();
    report.source(
        NAME,
        "Faker (PyPI, MIT): a fifth of the words of its names, which the table was not made from",
    );
    report.figure(
        NAME,
        &format!("real names called made up, of {}", all.len()),
        part(&all),
        Some(Target::AtMost(0.01)),
    );
    let worst = locales.iter().map(|(locale, words)| (part(words), *locale, words.len()));
    let (worst, locale, count) = worst.max_by(|one, other| one.0.total_cmp(&other.0)).ok_or("no names")?;
    let what = format!("the same in the worst of {} locales, {locale} with {count}", locales.len());
    report.figure(NAME, &what, worst, Some(Target::AtMost(0.03)));
    report.source(NAME, "crates/bench/data/gibberish.txt, typed by hand");
    let gibberish: Vec<_> = GIBBERISH.lines().collect();
    let what = format!("gibberish called made up, of {}", gibberish.len());
    report.figure(NAME, &what, part(&gibberish), Some(Target::AtLeast(0.85)));
    Ok(())
}
