//! A small edition of the scenarios, with committed names, so that what is counted does not decay between two
//! runs of the benchmark.

use super::*;

/// Rows that do not keep their bounds. Whoever mends one takes it out: a row that is here and keeps them fails
/// the test as well.
const UNMET: &[&str] = &[
    "a backend that sends its own address with sign-ups, the rest by browser",
    "a backend that sends its own address, and nothing of the browser",
    "a call centre's desk makes accounts for customers, in a day",
    "a class on managed laptops with one fingerprint, in ten minutes",
    "a dormitory in its first days",
    "a family on one tablet, one surname, in 19 min",
    "a fleet with one fingerprint, in one building, in a day",
    "a lesson: a class signs up within ten minutes, on its own devices",
    "a shop whose checkout makes the account with the order",
    "an office, half of it on the firm's standard laptop with one fingerprint",
    "names that look odd and are not",
    "one first name with numbers at large providers, in a day",
    "people behind one carrier's address",
    "provisioning by a backend, seven events each",
    "six people of a firm on one desk's device, in 40 min",
    "three children with tagged addresses of a parent",
    "twenty to a VPN's exit, in a day",
];

/// Scenarios are played in their largest size up to this one, those of many variants in one up to the second;
/// and lives end after some days.
const SIZE_MAX: usize = 28;
const VARIANT_SIZE_MAX: usize = 3;
const DAYS_MAX: i64 = 3;
const MATURE_PEOPLE: usize = 60;

#[test]
fn nobody_innocent_is_accused() {
    let sources = Sources::committed();
    let scenarios = scenario::all();
    let director = Director { sources: &sources, seeds: 1, days_max: DAYS_MAX };
    let is_one_of_many = |one: &Scenario| scenarios.iter().filter(|other| other.row == one.row).count() > 2;
    let size = |one| if is_one_of_many(one) { VARIANT_SIZE_MAX } else { SIZE_MAX };
    let runs = scenarios.iter().enumerate().map(|(number, one)| (number, one.size_up_to(size(one)), 0));
    let runs: Vec<_> = runs.collect();
    let (matures, _) = director.mature_teams(MATURE_PEOPLE);
    let fresh = director.rows(&scenarios, &runs, None);
    let mature = director.rows(&scenarios, &runs, Some(&matures));
    let rows = fresh.iter().zip(&mature).map(|(fresh, mature)| fresh.beside(Some(mature)));
    let wrong: Vec<_> = rows.filter(|row| row.is_met() == UNMET.contains(&row.scenario)).collect();
    let words: Vec<_> = wrong.iter().map(|row| row.words()).collect();
    assert!(wrong.is_empty(), "{} rows are not as expected:\n{}", wrong.len(), words.join("\n"));
}
