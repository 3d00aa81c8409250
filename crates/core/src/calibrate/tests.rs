//! Made-up examples of which the truth is known.

use super::*;

/// Analyzers whose evidence is made up here.
const SEEN: [&str; 6] = [
    "humanity.timing",
    "humanity.device",
    "authenticity.email",
    "uniqueness.shared-device",
    "uniqueness.shared-ip",
    "behavior.pace",
];
const HOUR_MS: i64 = 3_600_000;

type Made = (Timestamp, bool, Vec<Observed<'static>>);

fn uniform(random: &mut SplitMix64) -> f64 {
    (random.next() >> 11) as f64 / (1_u64 << 53) as f64
}

/// So many examples, an hour from one to the next. Whether they are bad is drawn by the true model: an analyzer's
/// evidence counts as `truth` says, as a factor of its weight as it ships.
fn make(count: usize, offset: f64, truth: &[f64; SEEN.len()], seed: u64) -> Vec<Made> {
    let mut random = SplitMix64::new(seed);
    let shipped = SEEN.map(|id| ANALYZERS.iter().find(|analyzer| analyzer.id == id).unwrap().weight);
    let mut one = |n: usize| {
        let (mut observed, mut log_odds) = (Vec::new(), offset);
        for (k, analyzer) in SEEN.into_iter().enumerate() {
            if uniform(&mut random) < 0.5 {
                let value = thousandths(0.1 + 0.8 * uniform(&mut random));
                let confidence = thousandths(0.3 + 0.6 * uniform(&mut random));
                log_odds -= truth[k] * shipped[k] * confidence * crate::score::logit(value);
                observed.push(Observed { analyzer, value, confidence });
            }
        }
        let is_bad = uniform(&mut random) < Probability { offset: log_odds, slope: 0.0 }.of(0.0);
        (Timestamp::from_millis(n as i64 * HOUR_MS), is_bad, observed)
    };
    (0..count).map(&mut one).collect()
}

fn examples(made: &[Made]) -> Vec<Example<'_>> {
    made.iter()
        .map(|(at, is_bad, seen)| Example { at: *at, is_bad: *is_bad, weight: 1.0, observations: seen })
        .collect()
}

fn report(outcome: Outcome) -> Report {
    match outcome {
        Outcome::Proposed(report) | Outcome::Refused(_, Some(report)) => report,
        Outcome::Refused(refusal, None) => panic!("{refusal}"),
    }
}

fn of<'r>(report: &'r Report, id: &str) -> &'r Calibrated {
    report.analyzers.iter().find(|own| own.id == id).unwrap()
}

const AS_IT_SHIPS: [f64; SEEN.len()] = [1.0; SEEN.len()];
/// Shared devices say nothing here, and pace says twice as much.
const SHIFTED: [f64; SEEN.len()] = [1.0, 1.0, 1.0, 0.0, 1.0, 2.0];

#[test]
fn it_finds_the_weights_that_examples_were_made_with() {
    let made = make(12_000, -1.5, &SHIFTED, 1);
    let Outcome::Proposed(report) = calibrate(&examples(&made), &Weights::default(), 7) else {
        panic!("no gain where there is one")
    };
    assert!(of(&report, "uniqueness.shared-device").after < 0.25);
    // Up to a common factor: what is known of weights is how they stand to each other.
    let scale = of(&report, "humanity.device").after / of(&report, "humanity.device").before;
    for (id, truth) in SEEN.into_iter().zip(SHIFTED) {
        let own = of(&report, id);
        let (wanted, error) = (truth * own.before * scale, own.standard_error.unwrap_or(0.1));
        assert!((own.after - wanted).abs() < 4.0 * error + 0.05, "{own:?} of {wanted}");
        assert!(error < 0.2, "{own:?}");
    }
    assert!((report.after.offset + 1.5).abs() < 0.2 && (report.after.slope * scale - 1.0).abs() < 0.15);
    for gain in [report.log_loss.gain, report.brier.gain, report.auc.gain] {
        assert!(0.0 < gain.low && gain.low < gain.value && gain.value < gain.high, "{gain:?}");
    }
    assert_eq!(Weights::parse(&report.weights.to_string()).as_ref(), Ok(&report.weights));
    assert!(report.analyzers.iter().all(|own| thousandths(own.after) == own.after));
}

#[test]
fn what_is_right_already_stays() {
    for seed in 0..5 {
        let made = make(3_000, -2.0, &AS_IT_SHIPS, seed);
        let outcome = calibrate(&examples(&made), &Weights::default(), seed);
        let Outcome::Refused(refusal @ Refusal::NoGain(_), Some(report)) = outcome else {
            panic!("a gain where there is none, by seed {seed}: {outcome:?}")
        };
        assert!(refusal.to_string().starts_with("on the later part the log-loss falls by "), "{refusal}");
        for own in &report.analyzers {
            let moved = (own.after - own.before).abs();
            assert!(moved <= 3.0 * own.standard_error.unwrap_or(0.0) + 0.01, "{own:?}");
        }
    }
}

#[test]
fn evidence_that_is_overstated_as_a_whole_is_no_matter_of_weights() {
    let made = make(4_000, -1.5, &[0.5; SEEN.len()], 3);
    let outcome = calibrate(&examples(&made), &Weights::default(), 3);
    assert!(matches!(outcome, Outcome::Refused(Refusal::NoGain(_), Some(_))), "{outcome:?}");
    let report = report(outcome);
    assert!((report.before.slope - 0.5).abs() < 0.08, "{:?}", report.before);
    let factors = SEEN.map(|id| of(&report, id).after / of(&report, id).before);
    assert!((factors.iter().sum::<f64>() / 6.0 - 1.0).abs() < 0.01, "{factors:?}");
}

/// In a burst of fraud two analyzers count otherwise than in force. Later fraud is rare and looks like everybody else:
/// the fitted weights predict less of it, which is nearer to the truth and no merit of theirs.
#[test]
fn fraud_that_becomes_rare_is_no_gain() {
    for seed in 0..4 {
        let mut made = make(2_000, 0.0, &SHIFTED, seed);
        for (n, made) in made.iter_mut().enumerate().skip(1_400) {
            made.1 = n % 25 == 0;
            let varied = thousandths(0.85 + 0.001 * (n * 7 % 50) as f64);
            made.2 = vec![Observed { analyzer: "behavior.pace", value: varied, confidence: 0.9 }];
        }
        let outcome = calibrate(&examples(&made), &Weights::default(), seed);
        let Outcome::Refused(Refusal::NoGain(_), Some(report)) = outcome else {
            panic!("a gain where there is none, by seed {seed}: {outcome:?}")
        };
        assert!(report.forecast.gain.low > 0.01, "{:?}", report.forecast);
        assert!(report.log_loss.gain.value.abs() < 1e-3, "{:?}", report.log_loss);
    }
}

#[test]
fn what_tells_everybody_apart_is_not_boundless() {
    let mut made = make(1_000, -1.0, &AS_IT_SHIPS, 13);
    for (n, made) in made.iter_mut().enumerate() {
        made.1 = n % 4 == 0;
        let value = if made.1 { 0.1 } else { 0.9 };
        made.2.push(Observed { analyzer: "behavior.takeover", value, confidence: 0.9 });
    }
    let in_force = Weights::parse("behavior.takeover=8").unwrap();
    let report = report(calibrate(&examples(&made), &in_force, 13));
    let own = of(&report, "behavior.takeover");
    assert_eq!(own.after, crate::score::WEIGHT_MAX);
    assert_eq!((own.against, own.in_favour), (Tally { right: 175, of: 175 }, Tally { right: 525, of: 525 }));
    assert!(report.after.slope < 10.0 && report.recall.after == 1.0, "{:?}", report.after);
}

#[test]
fn no_weight_is_negative() {
    let made = make(3_000, -1.5, &[1.0, 1.0, 1.0, -1.0, 1.0, 1.0], 4);
    let Outcome::Proposed(report) = calibrate(&examples(&made), &Weights::default(), 4) else {
        panic!("no gain where there is one")
    };
    let device = of(&report, "uniqueness.shared-device");
    assert_eq!((device.after, device.standard_error), (0.0, None));
    assert!(report.weights.to_string().contains("uniqueness.shared-device=0"));
    assert!(device.against.right * 4 < device.against.of, "{device:?}");
}

#[test]
fn the_order_in_which_examples_are_given_is_no_matter() {
    let made = make(800, -1.0, &SHIFTED, 5);
    let in_order = examples(&made);
    let mut turned = in_order.clone();
    turned.reverse();
    turned.swap(3, 400);
    let mut of_observations = made.clone();
    of_observations.iter_mut().for_each(|(_, _, observed)| observed.reverse());
    let first = calibrate(&in_order, &Weights::default(), 9);
    assert_eq!(first, calibrate(&turned, &Weights::default(), 9));
    assert_eq!(first, calibrate(&examples(&of_observations), &Weights::default(), 9));
    let (first, other) = (report(first), report(calibrate(&in_order, &Weights::default(), 10)));
    assert_eq!(first.weights, other.weights, "another seed draws other intervals, and no other weights");
    assert_ne!(first.log_loss.gain, other.log_loss.gain);
}

#[test]
fn too_few_to_say_anything() {
    /// The examples, of which these are bad, and what is said.
    type Case = (usize, fn(usize) -> bool, &'static str);
    let cases: [Case; 6] = [
        (300, |n| n % 10 == 0, "30 labeled bad in all; it takes 50"),
        (240, |n| n % 4 == 0, "180 labeled good in all; it takes 200"),
        (300, |n| n >= 240, "0 labeled bad in the earlier part, which weights are fitted to; it takes 25"),
        (300, |n| n < 70, "0 labeled bad in the later part, which weights are measured on; it takes 10"),
        (
            1_000,
            |n| n >= 720 || n % 10 == 0,
            "0 labeled good in the later part, which weights are measured on; it takes 40",
        ),
        (0, |_| false, "0 labeled bad and 0 labeled good in all; it takes 50 and 200"),
    ];
    for (count, is_bad, words) in cases {
        let mut made = make(count, 0.0, &AS_IT_SHIPS, 6);
        made.iter_mut().enumerate().for_each(|(n, made)| made.1 = is_bad(n));
        if words.starts_with("0 labeled good") {
            made.iter_mut().skip(700).for_each(|made| made.1 = true);
        }
        match calibrate(&examples(&made), &Weights::default(), 1) {
            Outcome::Refused(refusal, None) => assert_eq!(refusal.to_string(), words),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn examples_of_one_moment_are_not_split() {
    let mut made = make(500, 0.0, &AS_IT_SHIPS, 6);
    made.iter_mut().for_each(|made| made.0 = Timestamp::from_millis(1));
    let outcome = calibrate(&examples(&made), &Weights::default(), 1);
    let expected = Refusal::TooFew {
        part: Part::Later,
        bad: 0,
        bad_need: LATER_BAD_MIN,
        good: 0,
        good_need: LATER_GOOD_MIN,
    };
    assert_eq!(outcome, Outcome::Refused(expected, None));
}

#[test]
fn what_is_rare_or_in_shadow_keeps_its_weight() {
    let mut made = make(1_000, -1.0, &SHIFTED, 8);
    for made in made.iter_mut().take(SEEN_MIN - 1) {
        made.2.push(Observed { analyzer: "behavior.takeover", value: 0.1, confidence: 0.9 });
    }
    for made in &mut made {
        made.2.push(Observed { analyzer: "behavior.outreach", value: 0.5, confidence: 0.9 });
        made.2.push(Observed { analyzer: "of an older version", value: 0.1, confidence: 0.9 });
    }
    let in_force = Weights::parse("humanity.timing=0,behavior.takeover=2.25").unwrap();
    let report = report(calibrate(&examples(&made), &in_force, 8));
    let (shadow, rare, silent) =
        (of(&report, "humanity.timing"), of(&report, "behavior.takeover"), of(&report, "behavior.outreach"));
    assert_eq!((shadow.before, shadow.after, shadow.kept), (0.0, 0.0, Some(Kept::Shadow)));
    assert!(shadow.seen > 300 && shadow.against.of > 100, "what it finds is told: {shadow:?}");
    assert_eq!((rare.before, rare.after, rare.kept), (2.25, 2.25, Some(Kept::Rare)));
    assert_eq!((rare.seen, rare.against.of), (SEEN_MIN - 1, SEEN_MIN as u64 - 1));
    assert_eq!((silent.after, silent.kept, silent.seen), (silent.before, Some(Kept::Rare), 700));
    assert_eq!((silent.against, silent.in_favour), (Tally::default(), Tally::default()));
    let kept = report.weights.to_string();
    assert!(kept.contains("humanity.timing=0,") && kept.contains("behavior.takeover=2.25,"), "{kept}");
}

#[test]
fn nothing_seen_is_nothing_to_weigh() {
    let mut made = make(500, 0.0, &AS_IT_SHIPS, 6);
    made.iter_mut().for_each(|made| made.2.clear());
    let outcome = calibrate(&examples(&made), &Weights::default(), 1);
    assert_eq!(outcome, Outcome::Refused(Refusal::NothingSeen, None));
}

#[test]
fn an_example_counts_as_many_as_it_stands_for() {
    let made = make(1_500, -1.0, &SHIFTED, 11);
    let mut weighted = examples(&made);
    for example in weighted.iter_mut().filter(|example| !example.is_bad) {
        example.weight = 10.0;
    }
    let once = report(calibrate(&examples(&made), &Weights::default(), 1));
    let ten = report(calibrate(&weighted, &Weights::default(), 1));
    let moved = ten.before.offset - once.before.offset;
    assert!((moved + 10.0_f64.ln()).abs() < 0.2, "the bad are ten times as rare: {moved}");
    assert!((once.auc.before - ten.auc.before).abs() < 1e-9, "equal weights of a class change no ranks");
    let none = Example { weight: 0.0, ..weighted[0] };
    let unknown = Example { weight: f64::NAN, ..weighted[0] };
    weighted.extend([none, unknown]);
    assert_eq!(report(calibrate(&weighted, &Weights::default(), 1)), Report { left_out: 2, ..ten });
}

#[test]
fn of_too_many_the_newest_are_used() {
    let made = make(60, 0.0, &AS_IT_SHIPS, 6);
    let used = Examples::of(&examples(&made), 50);
    assert_eq!((used.rows.len(), used.left_out), (50, 10));
    assert_eq!(used.rows[0].at, made[10].0);
    assert_eq!((used.earlier().len(), used.later().len()), (35, 15));
}

#[test]
fn a_reliability_curve_has_everybody_in_ten_bins() {
    let made = make(2_000, -1.0, &AS_IT_SHIPS, 12);
    let report = report(calibrate(&examples(&made), &Weights::default(), 1));
    for bins in [&report.reliability_before, &report.reliability_after] {
        assert_eq!(bins.iter().map(|bin| bin.count).collect::<Vec<_>>(), [60; 10]);
        assert!(bins.is_sorted_by(|one, other| one.predicted < other.predicted));
        let held = bins.iter().filter(|bin| (bin.low..=bin.high).contains(&bin.predicted)).count();
        assert!(held >= 8, "the model is the one that examples were made with: {bins:?}");
    }
}
