//! Weights fitted to labels: where labels can gain nothing, and where ordinary people look bad to one analyzer.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use dregs_core::calibrate::{Compared, Example, Observed, Outcome, Report as Calibration, calibrate};
use dregs_core::score::{Analysis, Weights};
use dregs_core::time::Timestamp;
use dregs_core::world::World;
use fastrand::Rng;

use crate::ecommerce;
use crate::figures::{Error, Report, Target};
use crate::simulator::attacks;
use crate::stage::sources::Sources;
use crate::stage::{DAY, Level, MINUTE, Stage, Told, Truth, groups};

const NAME: &str = "calibration";
const SEED: u64 = 20_261_129;
/// Of the shop's accounts, calibrations are repeated on so many random samples, with one in so many accounts each.
const SAMPLES: u32 = 40;
const SAMPLED_ONE_IN: u8 = 4;
/// The part of them that may find a gain where there is none: what lies above an interval of 95%, twice over.
const WRONG_MAX: f64 = 0.05;
/// When simulated people are labeled, after they came.
const LABELLED_AFTER_MS: i64 = 3 * DAY;
const KIOSKS: &str = "customers at kiosks";

/// What was stored of somebody when the label was given.
pub struct Labelled {
    pub at: Timestamp,
    pub is_bad: bool,
    pub analysis: Analysis,
}

/// Fits weights to both, and says what was proposed.
pub fn measure(labelled: &Path, packages: &Path, report: &mut Report) -> Result<(), Error> {
    shop(&ecommerce::labelled(labelled)?, report);
    let sources = Sources::unseen(packages)?;
    report.source(
        NAME,
        &format!("a simulated application with kiosks, each with five customers in an hour, seed {SEED}"),
    );
    say("kiosks", &of_kiosks(&sources)?, Target::AtLeast(1.0), report);
    Ok(())
}

/// What labels could add here is measured in `ecommerce`: a part of a hundredth, and nothing in the last fifth.
fn shop(shop: &[Labelled], report: &mut Report) {
    report.source(NAME, "the accounts of e-commerce, labeled at their purchase");
    say("shop", shop, Target::AtMost(0.0), report);
    let mut random = Rng::with_seed(SEED);
    let mut proposed = 0;
    for _ in 0..SAMPLES {
        let sample: Vec<_> = shop.iter().filter(|_| random.u8(..SAMPLED_ONE_IN) == 0).collect();
        proposed += u32::from(matches!(fit(&sample), Outcome::Proposed(_)));
    }
    let part = f64::from(proposed) / f64::from(SAMPLES);
    let what = format!("shop, of {SAMPLES} random quarters those with new weights");
    report.figure(NAME, &what, part, Some(Target::AtMost(WRONG_MAX)));
}

fn fit(labelled: &[&Labelled]) -> Outcome {
    let observed: Vec<Vec<_>> = labelled.iter().map(|one| observed(&one.analysis)).collect();
    let examples: Vec<_> = labelled
        .iter()
        .zip(&observed)
        .map(|(one, seen)| Example { at: one.at, is_bad: one.is_bad, weight: 1.0, observations: seen })
        .collect();
    calibrate(&examples, &Weights::default(), SEED)
}

/// Prints a calibration; `proposed` is whether there should be new weights, 1, or none, 0.
fn say(whose: &str, labelled: &[Labelled], proposed: Target, report: &mut Report) {
    let (is_proposed, calibration) = match fit(&labelled.iter().collect::<Vec<_>>()) {
        Outcome::Proposed(calibration) => (1.0, Some(calibration)),
        Outcome::Refused(refusal, calibration) => {
            println!("{NAME}: {whose}: {refusal}");
            (0.0, calibration)
        }
    };
    report.figure(NAME, &format!("{whose}, new weights are proposed"), is_proposed, Some(proposed));
    let Some(calibration) = calibration else { return };
    let figures = [
        ("log-loss", calibration.log_loss),
        ("Brier score", calibration.brier),
        ("AUC", calibration.auc),
        ("found at 1% false positives", calibration.recall),
    ];
    for (what, Compared { before, after, .. }) in figures {
        report.figure(NAME, &format!("{whose}, {what}, by the weights in force"), before, None);
        report.figure(NAME, &format!("{whose}, {what}, by those fitted"), after, None);
    }
    let gain = calibration.log_loss.gain;
    for (what, end) in [("least", gain.low), ("most", gain.high)] {
        report.figure(NAME, &format!("{whose}, gain in log-loss, at {what} (95%)"), end, None);
    }
    show(whose, &calibration);
}

/// Which weights are moved, and the probability model; in the terminal alone.
fn show(whose: &str, calibration: &Calibration) {
    let Calibration { earlier, later, ridge, before, after, .. } = calibration;
    println!("{NAME}: {whose}: {earlier:?} {later:?}, ridge {ridge}, {before:?}, {after:?}");
    for own in calibration.analyzers.iter().filter(|own| own.seen > 0) {
        println!(
            "{NAME}: {whose}: {} {} to {} (standard error {:.3}), of {}, against {}/{}, in favor {}/{} {:?}",
            own.id,
            own.before,
            own.after,
            own.standard_error.unwrap_or_default(),
            own.seen,
            own.against.right,
            own.against.of,
            own.in_favour.right,
            own.in_favour.of,
            own.kept
        );
    }
    for (before, after) in calibration.reliability_before.iter().zip(&calibration.reliability_after) {
        println!(
            "{NAME}: {whose}: predicted {:.4}, observed {:.4}; fitted: {:.4}, {:.4} ({:.4} to {:.4} of {})",
            before.predicted,
            before.observed,
            after.predicted,
            after.observed,
            after.low,
            after.high,
            after.count
        );
    }
}

fn observed(analysis: &Analysis) -> Vec<Observed<'_>> {
    let of = analysis.observations.iter();
    of.map(|seen| Observed { analyzer: &seen.id, value: seen.value, confidence: seen.confidence }).collect()
}

/// Ordinary people, of whom many sign up at kiosks, and attacks of one account each.
fn of_kiosks(sources: &Sources) -> Result<Vec<Labelled>, Error> {
    let mut stage = Stage::new(sources, SEED, "k", i64::MAX);
    groups::ordinary(&mut stage, 2_000);
    kiosks(&mut stage, 120, 5);
    for level in [Level::Naive, Level::Hidden] {
        attacks::of_single_accounts(&mut stage, level);
    }
    let (events, truths) = stage.finish();
    label(&events, &truths)
}

/// At each kiosk so many people sign up within an hour, on its device; then each goes home.
fn kiosks(stage: &mut Stage, kiosks: usize, people: i64) {
    for _ in 0..kiosks {
        let first = stage.person(Truth::Innocent(KIOSKS));
        let begun = stage.moment(25);
        for n in 0..people {
            let mut person = if n == 0 { first.clone() } else { stage.person(Truth::Innocent(KIOSKS)) };
            let (device, ip, agent) = (person.device.clone(), person.ip, person.agent.clone());
            person.sit_beside(&first);
            let at = begun + n * 11 * MINUTE + stage.rng.i64(0..MINUTE);
            stage.act(&person, "signup", at);
            let next = at + stage.think();
            stage.browse(&mut person, next, 4);
            if n > 0 {
                (person.device, person.ip, person.agent) = (device, ip, agent);
            }
            if stage.rng.bool() {
                stage.come_back(&mut person, at, 12);
            }
        }
    }
}

/// Everybody is labeled by what was seen of them right after the last that they did in their first days.
fn label(events: &[Told], truths: &BTreeMap<String, Truth>) -> Result<Vec<Labelled>, Error> {
    let mut first: HashMap<&str, Timestamp> = HashMap::new();
    let mut last: HashMap<&str, usize> = HashMap::new();
    for (n, (_, event)) in events.iter().enumerate() {
        let Some(identity) = &event.identity else { continue };
        let begun = first.entry(&identity.id).or_insert(event.timestamp);
        if event.timestamp.millis_since(*begun) <= LABELLED_AFTER_MS {
            last.insert(&identity.id, n);
        }
    }
    let mut world = World::default();
    let mut labelled = Vec::new();
    for (n, (_, event)) in events.iter().enumerate() {
        world.take(event);
        let Some(identity) = &event.identity else { continue };
        if last.get(identity.id.as_str()) == Some(&n) {
            let analysis = world.analyze(&identity.id, &Weights::default()).ok_or("somebody is gone")?;
            let is_bad = truths.get(&identity.id).is_some_and(|truth| !truth.is_innocent());
            labelled.push(Labelled { at: event.timestamp, is_bad, analysis });
        }
    }
    Ok(labelled)
}
