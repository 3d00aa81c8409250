//! A simulated application: ordinary people, people who look bad and are not, and attacks at three levels
//! of effort. Everything is made from one seed. What it shows is how the analyzers treat the patterns that
//! are written down here, and not how often they occur in the world.

mod attacks;
mod innocents;
mod people;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use dregs_core::score::{Category, Scores, Weights};
use dregs_core::world::World;

use self::people::Stage;
use crate::curves::Curve;
use crate::figures::{Error, Report, Target, auc};

const NAME: &str = "simulator";
const SEED: u64 = 20_261_124;

/// How much effort an attacker takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Level {
    /// One machine, one address, a script as it comes.
    Naive,
    /// Behind the addresses of a VPN, with a real browser.
    Hidden,
    /// Knows what is looked at and behaves accordingly.
    Targeted,
}

impl Level {
    const ALL: [Self; 3] = [Self::Naive, Self::Hidden, Self::Targeted];
}

/// What an identity really is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Truth {
    Innocent(&'static str),
    Attacker(&'static str, Level),
}

/// Plays everything in order of time, scores everybody at the end, and compares.
pub fn measure(packages: &Path, report: &mut Report) -> Result<(), Error> {
    let mut stage = Stage::new(packages, SEED)?;
    innocents::enter(&mut stage);
    attacks::enter(&mut stage);
    let (mut events, truths) = stage.finish();
    events.sort_by_key(|event| event.timestamp);
    report.source(NAME, &format!("{} events of {} identities, seed {SEED}", events.len(), truths.len()));
    let mut world = World::default();
    for event in &events {
        world.take(event);
    }
    let mut scored: HashMap<&str, Scores> = HashMap::new();
    for id in truths.keys() {
        scored.insert(
            id,
            world.analyze(id, &Weights::default()).ok_or_else(|| format!("{id} is gone"))?.scores,
        );
    }
    of_innocents(&truths, &scored, report);
    of_attacks(&truths, &scored, report);
    of_rings(&truths, &scored, report);
    if std::env::var_os("DREGS_DETECTION_SHOW").is_some() {
        show(&truths, &scored, &world);
    }
    Ok(())
}

fn lowest(scores: &Scores) -> u8 {
    Category::ALL.iter().filter_map(|category| scores.get(*category)).min().unwrap_or(70)
}

/// The part of each group that stays at 60 or above in every category.
fn of_innocents(truths: &BTreeMap<String, Truth>, scored: &HashMap<&str, Scores>, report: &mut Report) {
    let mut groups: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (id, truth) in truths {
        if let Truth::Innocent(group) = truth {
            let (fine, all) = groups.entry(group).or_default();
            *all += 1;
            *fine += usize::from(lowest(&scored[id.as_str()]) >= 60);
        }
    }
    let (fine, all) = groups.values().fold((0, 0), |sum, group| (sum.0 + group.0, sum.1 + group.1));
    let part = |fine: usize, all: usize| fine as f64 / all as f64;
    report.figure(
        NAME,
        &format!("innocents at 60 or above in every category, of {all}"),
        part(fine, all),
        Some(Target::AtLeast(0.99)),
    );
    for (group, (fine, all)) in groups {
        report.figure(NAME, &format!("of these {group}, of {all}"), part(fine, all), None);
    }
}

/// How well the lowest score tells each attack's accounts from all innocents.
fn of_attacks(truths: &BTreeMap<String, Truth>, scored: &HashMap<&str, Scores>, report: &mut Report) {
    let badness = |id: &str| 1.0 - f64::from(lowest(&scored[id])) / 100.0;
    let innocents: Vec<_> = truths
        .iter()
        .filter(|(_, truth)| matches!(truth, Truth::Innocent(_)))
        .map(|(id, _)| (badness(id), false))
        .collect();
    let mut attacks: BTreeMap<(&str, Level), Vec<(f64, bool)>> = BTreeMap::new();
    for (id, truth) in truths {
        if let Truth::Attacker(attack, level) = truth {
            attacks.entry((attack, *level)).or_default().push((badness(id), true));
        }
    }
    let mut curves: BTreeMap<Level, Vec<Curve>> = BTreeMap::new();
    for ((attack, level), mut accounts) in attacks {
        let what = format!("AUC, {attack}, {level:?}, {} accounts", accounts.len()).to_lowercase();
        accounts.extend(&innocents);
        report.figure(NAME, &what, auc(&accounts), (level == Level::Naive).then_some(Target::AtLeast(0.95)));
        curves.entry(level).or_default().push(Curve::new(attack, &accounts));
    }
    for (level, curves) in curves {
        let (file, title) = match level {
            Level::Naive => ("naive.svg", "Simulated attackers: one machine, a script as it comes"),
            Level::Hidden => ("hidden.svg", "Simulated attackers: behind VPNs, with a real browser"),
            Level::Targeted => ("targeted.svg", "Simulated attackers: who know what is looked at"),
        };
        report.draw(file, title, curves);
    }
}

fn of_rings(truths: &BTreeMap<String, Truth>, scored: &HashMap<&str, Scores>, report: &mut Report) {
    let members: Vec<_> = truths
        .iter()
        .filter(|(_, truth)| **truth == Truth::Attacker(attacks::RING, Level::Naive))
        .filter_map(|(id, _)| scored[id.as_str()].uniqueness)
        .collect();
    let below = members.iter().filter(|score| **score < 40).count();
    report.figure(
        NAME,
        &format!("members of rings of five on one device below 40 in Uniqueness, of {}", members.len()),
        below as f64 / members.len() as f64,
        Some(Target::AtLeast(0.90)),
    );
}

/// Says of some innocents below 60 and some attackers above why.
fn show(truths: &BTreeMap<String, Truth>, scored: &HashMap<&str, Scores>, world: &World) {
    let mut shown: HashMap<Truth, usize> = HashMap::new();
    for (id, truth) in truths {
        let low = lowest(&scored[id.as_str()]) < 60;
        if low == matches!(truth, Truth::Attacker(..)) || *shown.entry(*truth).or_default() >= 3 {
            continue;
        }
        *shown.entry(*truth).or_default() += 1;
        println!("{id} {truth:?} {:?}", scored[id.as_str()]);
        for observation in
            world.analyze(id, &Weights::default()).into_iter().flat_map(|analysis| analysis.observations)
        {
            println!("    {} {} {}", observation.id, observation.value, observation.explanation);
        }
    }
}
