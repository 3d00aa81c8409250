//! Names that nothing was learned from, and what a hand types in place of a name.

use std::collections::BTreeMap;
use std::path::Path;

use dregs_core::score::{is_made_up_name, looks_made_up_name};

use crate::figures::{Error, Report, Target};
use crate::packages;

const NAME: &str = "names";
/// Typed on a keyboard for this measurement, without a look at what is found.
const GIBBERISH: &str = include_str!("../../../data/gibberish.txt");
/// At most one in a hundred people of any country may be wronged.
const WRONGED_MAX: f64 = 0.01;
const FOUND_MIN: f64 = 0.85;
/// Of names-dataset, which was made from leaked data: typed by somebody, and the name of nobody.
const NO_NAMES: [&str; 3] = ["bsgdigbg", "hlhkh", "ydhdiej"];
/// Of groups with fewer names one odd one would be more.
const GROUP_MIN: usize = 100;

/// How many of each are called made up, by any rule. The shipped list of known names is left out, since it
/// has names from all of the lists.
pub fn measure(folder: &Path, report: &mut Report) -> Result<(), Error> {
    report.source(
        NAME,
        "Faker (MIT), firstname-to-nationality (MIT; people in Wikipedia), gender-guesser (its list GFDL: measured with \
         alone), names-dataset (Apache-2.0: likewise; the first 1,000 first and last names of each country), all of PyPI: \
         a fifth of all words, of which nothing was learned",
    );
    let words = groups(&folder.join("names-unseen.tsv"))?;
    for list in ["faker", "people", "gender-guesser", "names-dataset"] {
        let of_list: Groups = words.iter().filter(|(group, _)| group.starts_with(list)).map(cloned).collect();
        figures(report, &format!("words of {list}"), &of_list)?;
    }
    let people = groups(&folder.join("people-unseen.tsv"))?;
    figures(report, "whole names of people of whose longer words none was learned from", &people)?;
    // Nothing of this list was ever learned from, so that all of it can be measured with, as it ships.
    let first_names = packages::read(folder, "gender_guesser", "gender_guesser/data/nam_dict.txt")?;
    let first_names: Vec<_> = first_names.lines().filter(|line| !line.starts_with('#')).collect();
    let given =
        |line: &&str| line.chars().skip(3).take(26).collect::<String>().replace('+', "").trim().to_owned();
    let wronged = first_names.iter().filter(|line| is_made_up_name(&given(line)) == Some(true)).count();
    report.figure(
        NAME,
        &format!("first names of gender-guesser called made up as shipped, of {}", first_names.len()),
        wronged as f64 / first_names.len() as f64,
        Some(Target::AtMost(WRONGED_MAX)),
    );
    report.source(NAME, "crates/bench/data/gibberish.txt, typed by hand");
    let gibberish: Vec<_> = GIBBERISH.lines().map(str::to_owned).collect();
    let what = format!("gibberish called made up as shipped, of {}", gibberish.len());
    report.figure(NAME, &what, part(&gibberish, is_made_up_name), Some(Target::AtLeast(FOUND_MIN)));
    Ok(())
}

/// Names by what they are from.
type Groups = BTreeMap<String, Vec<String>>;

fn cloned((group, names): (&String, &Vec<String>)) -> (String, Vec<String>) {
    (group.clone(), names.clone())
}

fn groups(path: &Path) -> Result<Groups, Error> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("{}: {error}: run scripts/detection/names.py", path.display()))?;
    let mut groups = Groups::new();
    let names = text.lines().filter_map(|line| line.split_once('\t'));
    for (group, name) in names.filter(|(_, name)| !NO_NAMES.contains(name)) {
        groups.entry(group.to_owned()).or_default().push(name.to_owned());
    }
    Ok(groups)
}

fn figures(report: &mut Report, what: &str, groups: &Groups) -> Result<(), Error> {
    let all: Vec<_> = groups.values().flatten().cloned().collect();
    let target = Some(Target::AtMost(WRONGED_MAX));
    report.figure(
        NAME,
        &format!("{what} called made up, of {}", all.len()),
        part(&all, looks_made_up_name),
        target,
    );
    let large = groups.iter().filter(|(_, names)| names.len() >= GROUP_MIN);
    let worst = large.clone().map(|(group, names)| (part(names, looks_made_up_name), group, names.len()));
    let (worst, group, count) = worst.max_by(|one, other| one.0.total_cmp(&other.0)).ok_or("no names")?;
    let what = format!("the same in the worst of {}, {group} with {count}", large.count());
    report.figure(NAME, &what, worst, target);
    Ok(())
}

fn part(names: &[String], is_made_up: fn(&str) -> Option<bool>) -> f64 {
    names.iter().filter(|name| is_made_up(name) == Some(true)).count() as f64 / names.len().max(1) as f64
}
