//! People who do nothing wrong, in the situations in which they were accused, or might be: how many are low,
//! carry a BAD badge, or have an escalation opened by the rules that a new team begins with, at any moment.
//!
//! Each scenario is played in a team of its own, of which nothing is known, and in one that has known two
//! thousand ordinary people for a month: what is learned from counts differs there.

mod apps;
mod attacks;
mod backends;
mod cast;
mod details;
mod devices;
mod people;
mod places;
pub mod run;
mod scenario;
mod tally;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use dregs_core::world::Live;

use self::run::{Fate, new_team, play};
use self::scenario::Scenario;
use self::tally::{Table, Tally};
use crate::figures::{Error, Report};
use crate::stage::sources::Sources;
use crate::stage::{DAY, Stage};

const NAME: &str = "innocents";
const SEEDS: u64 = 5;
/// Mixed into the seed of each run.
const SEED: u64 = 20_261_126;
/// Ordinary people of a team that has been there for a while.
const MATURE_PEOPLE: usize = 2_000;
/// In a mature team scenarios are played in their largest size up to this one.
const MATURE_SIZE_MAX: usize = 40;
/// Since when: after the stage's own month.
const MATURE_MS: i64 = 30 * DAY;

/// Plays all scenarios, and the attacks among them; or those of some rows.
pub fn measure(packages: &Path, row: Option<&str>, report: &mut Report) -> Result<(), Error> {
    let sources = Sources::of_countries(packages)?;
    let mut scenarios = scenario::all();
    scenarios.retain(|scenario| row.is_none_or(|row| scenario.row.contains(row)));
    let director = Director { sources: &sources, seeds: SEEDS, days_max: i64::MAX, tells: row.is_some() };
    let words = format!(
        "{} scenarios with {SEEDS} seeds each, written by the people who write the analyzers; names from Faker \
         (PyPI, MIT), browsers from user-agents (npm, BSD-2-Clause)",
        scenarios.len()
    );
    report.source(NAME, &words);
    let mut fresh = Table::default();
    let matures = director.mature_teams(MATURE_PEOPLE, &mut fresh);
    director.add_runs(&mut fresh, &scenarios, &director.runs(&scenarios), None);
    let mut mature = Table::default();
    director.add_runs(&mut mature, &scenarios, &director.runs_in_mature_teams(&scenarios), Some(&matures));
    for row in fresh.beside(&mature) {
        report.accusations(row);
    }
    if row.is_some() {
        return Ok(());
    }
    for scene in attacks::scenes() {
        for (team, matures) in [("a new team", None), ("a mature team", Some(matures.as_slice()))] {
            report.scene(attacks::told(&scene, team, &director.fates(&scene, matures)));
        }
    }
    Ok(())
}

/// Has scenarios played.
struct Director<'s> {
    sources: &'s Sources,
    seeds: u64,
    /// How long lives go on at most.
    days_max: i64,
    /// Whether it prints what is said of everybody accused.
    tells: bool,
}

/// A scenario, by its number, in one size, from one seed.
type Run = (usize, usize, u64);

impl Director<'_> {
    /// Teams a month old: one whose people are seen by browsers and apps alone, one whose backend signs them up.
    /// They are a scenario themselves.
    fn mature_teams(&self, people: usize, table: &mut Table) -> Vec<Live> {
        let made = in_parallel(scenario::whole_teams(), |scenario| {
            let mut team = new_team();
            let mut stage = Stage::new(self.sources, SEED, "m", self.days_max);
            (scenario.enter)(&mut stage, people);
            let fates = play(&mut team, stage, 0);
            (team, Tally::apart(fates.values(), scenario.bounds), scenario)
        });
        let teams = made.into_iter().map(|(team, [own, common], scenario)| {
            table.add(&scenario, people, [&own, &common]);
            team
        });
        teams.collect()
    }

    fn runs(&self, scenarios: &[Scenario]) -> Vec<Run> {
        let of = |(number, scenario): (usize, &Scenario)| {
            let sizes = scenario.sizes.iter();
            let runs = sizes.flat_map(|size| (0..self.seeds).map(move |seed| (number, *size, seed)));
            runs.collect::<Vec<_>>()
        };
        scenarios.iter().enumerate().flat_map(of).collect()
    }

    /// In one size; where a scenario has many variants, from one seed, since they are as many draws.
    fn runs_in_mature_teams(&self, scenarios: &[Scenario]) -> Vec<Run> {
        let variants = |row| scenarios.iter().filter(|scenario| scenario.row == row).count() as u64;
        let of = |(number, scenario): (usize, &Scenario)| {
            let seeds = if variants(scenario.row) >= self.seeds { 1 } else { self.seeds };
            (0..seeds).map(|seed| (number, scenario.size_up_to(MATURE_SIZE_MAX), seed)).collect::<Vec<_>>()
        };
        scenarios.iter().enumerate().flat_map(of).collect()
    }

    /// Plays runs, and adds them to a table; in the mature teams in turn, if there are any.
    fn add_runs(&self, table: &mut Table, scenarios: &[Scenario], runs: &[Run], matures: Option<&[Live]>) {
        let tallies = in_parallel(runs.to_vec(), |(number, size, seed)| {
            let mature = matures.map(|matures| &matures[(number + seed as usize) % matures.len()]);
            let scenario = &scenarios[number];
            let fates = self.play(scenario, size, seed, mature);
            if self.tells {
                let mature = if mature.is_some() { " in a mature team" } else { "" };
                let told = fates.iter().filter(|(_, fate)| !fate.story.is_empty());
                told.for_each(|(id, fate)| {
                    println!("{} {size}, seed {seed}{mature}: {id} {}", scenario.variant, fate.story);
                });
            }
            Tally::apart(fates.values(), scenario.bounds)
        });
        for ((number, size, _), [own, common]) in runs.iter().zip(&tallies) {
            table.add(&scenarios[*number], *size, [own, common]);
        }
    }

    /// What becomes of everybody in a scenario, from all seeds.
    fn fates(&self, scenario: &Scenario, matures: Option<&[Live]>) -> Vec<Fate> {
        let fates = in_parallel((0..self.seeds).collect(), |seed| {
            let mature = matures.map(|matures| &matures[seed as usize % matures.len()]);
            self.play(scenario, scenario.sizes[0], seed, mature).into_values().collect::<Vec<_>>()
        });
        fates.into_iter().flatten().collect()
    }

    fn play(
        &self,
        scenario: &Scenario,
        size: usize,
        seed: u64,
        mature: Option<&Live>,
    ) -> BTreeMap<String, Fate> {
        let mut stage = Stage::new(self.sources, mixed(scenario, size, seed), "u", self.days_max);
        (scenario.enter)(&mut stage, size);
        let (mut team, later_ms) = mature.map_or_else(|| (new_team(), 0), |team| (team.clone(), MATURE_MS));
        play(&mut team, stage, later_ms)
    }
}

/// Another seed for each run, whatever other scenarios there are.
fn mixed(scenario: &Scenario, size: usize, seed: u64) -> u64 {
    let letters = scenario.row.bytes().chain(scenario.variant.bytes());
    let of_words = letters.fold(SEED, |mixed, byte| mixed.wrapping_mul(31).wrapping_add(byte.into()));
    of_words.wrapping_mul(1_000_003).wrapping_add(size as u64 * 1_009 + seed)
}

/// Does all of it on as many threads as there are processors; answers in order.
fn in_parallel<T: Send, R: Send>(work: Vec<T>, one: impl Fn(T) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let waiting = Mutex::new(work.into_iter().enumerate());
    let done = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some((place, next)) = next else { return };
                    let result = one(next);
                    done.lock().unwrap_or_else(PoisonError::into_inner).insert(place, result);
                }
            });
        }
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
}
