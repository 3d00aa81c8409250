//! A simulated application: ordinary people, people who look bad and are not, and attacks at three levels
//! of effort. Everything is made from one seed. What it shows is how the analyzers treat the patterns that
//! are written down here, and not how often they occur in the world.

pub mod attacks;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use dregs_core::score::{Scores, Weights};
use dregs_core::world::World;

use crate::accused::lowest;
use crate::curves::Curve;
use crate::figures::{Error, Report, Target, auc};
use crate::stage::sources::Sources;
use crate::stage::{Level, Stage, Truth, groups};

const NAME: &str = "simulator";
const SEED: u64 = 20_261_124;
/// Attackers who take no care.
const NAIVE_MIN_AUC: f64 = 0.995;

/// Plays everything in order of time, scores everybody at the end, and compares.
pub fn measure(packages: &Path, report: &mut Report) -> Result<(), Error> {
    let sources = Sources::unseen(packages)?;
    let mut stage = Stage::new(&sources, SEED, "u", i64::MAX);
    enter(&mut stage);
    let (events, truths) = stage.finish();
    report.source(NAME, &format!("{} events of {} identities, seed {SEED}", events.len(), truths.len()));
    let mut world = World::default();
    for (_, event) in &events {
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

/// Everybody.
pub fn enter(stage: &mut Stage) {
    enter_innocents(stage);
    attacks::enter(stage);
}

fn enter_innocents(stage: &mut Stage) {
    groups::ordinary(stage, 8_000);
    groups::offices(stage, 10, 50);
    groups::carrier(stage, 5_000);
    groups::dormitory(stage, 200);
    groups::couples(stage, 150);
    groups::privacy(stage, 400);
    groups::travellers(stage, 300);
    groups::night_workers(stage, 200);
    groups::slow_readers(stage, 200);
    groups::returners(stage, 300);
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
        if level == Level::Naive {
            let caught = accounts.iter().filter(|(badness, _)| *badness > 1.0 - 0.60).count();
            report.caught(attack, caught as f64 / accounts.len() as f64);
        }
        accounts.extend(&innocents);
        report.figure(
            NAME,
            &what,
            auc(&accounts),
            (level == Level::Naive).then_some(Target::AtLeast(NAIVE_MIN_AUC)),
        );
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

/// On one device: with tags of one address, and with addresses of their own behind a VPN, as strangers.
fn of_rings(truths: &BTreeMap<String, Truth>, scored: &HashMap<&str, Scores>, report: &mut Report) {
    for (level, whose) in [(Level::Naive, "tagged"), (Level::Hidden, "strangers'")] {
        let members: Vec<_> = truths
            .iter()
            .filter(|(_, truth)| **truth == Truth::Attacker(attacks::RING, level))
            .filter_map(|(id, _)| scored[id.as_str()].uniqueness)
            .collect();
        let below = members.iter().filter(|score| **score < 40).count();
        let what = format!(
            "members of rings of five on one device, {whose} addresses, below 40 in Uniqueness, of {}",
            members.len()
        );
        report.figure(NAME, &what, below as f64 / members.len() as f64, Some(Target::AtLeast(0.90)));
    }
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
