//! Figures of detection, and how they are reported.

use std::fmt::Write as _;
use std::path::Path;

use crate::accused::{Accusations, Accused, Scene};
use crate::bars;
use crate::curves::{Curve, svg};

/// What went wrong.
pub type Error = Box<dyn std::error::Error>;

/// What a figure should be.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    AtLeast(f64),
    AtMost(f64),
}

impl Target {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
        }
    }

    fn words(self) -> String {
        match self {
            Self::AtLeast(least) => format!("≥ {least}"),
            Self::AtMost(most) => format!("≤ {most}"),
        }
    }
}

/// What was measured.
#[derive(Default)]
pub struct Report {
    rows: Vec<(String, String, String, String, String)>,
    accused: Accused,
    /// File name, title and curves.
    drawings: Vec<(&'static str, &'static str, Vec<Curve>)>,
}

impl Report {
    /// Says where data comes from.
    pub fn source(&mut self, scenario: &str, words: &str) {
        println!("{scenario}: from {words}");
        self.rows.push((
            scenario.to_owned(),
            format!("from {words}"),
            String::new(),
            String::new(),
            String::new(),
        ));
    }

    /// A figure, beside its target if it has one.
    pub fn figure(&mut self, scenario: &str, what: &str, value: f64, target: Option<Target>) {
        let shown = format!("{value:.4}");
        let (wanted, met) = match target {
            Some(target) => (target.words(), if target.is_met(value) { "met" } else { "NOT MET" }),
            None => (String::new(), ""),
        };
        println!("{scenario}: {what}: {shown}  {wanted}  {met}");
        self.rows.push((scenario.to_owned(), what.to_owned(), shown, wanted, met.to_owned()));
    }

    /// How many of those who do nothing wrong are accused, in new teams and in mature ones.
    pub fn accusations(&mut self, accusations: Accusations) {
        println!("innocents: {}", accusations.words());
        self.accused.rows.push(accusations);
    }

    /// How well an attack is told from the innocents around it.
    pub fn scene(&mut self, scene: Scene) {
        println!("attacks among innocents: {}", scene.words());
        self.accused.scenes.push(scene);
    }

    /// The part of an attack's accounts that is caught, for the drawing.
    pub fn caught(&mut self, attack: &str, part: f64) {
        self.accused.caught.push((attack.to_owned(), part));
    }

    /// Curves in one drawing.
    pub fn draw(&mut self, file: &'static str, title: &'static str, curves: Vec<Curve>) {
        self.drawings.push((file, title, curves));
    }

    /// Writes the table and the drawings into a folder.
    pub fn write(&self, folder: &Path) -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        std::fs::write(folder.join("figures.md"), self.markdown())?;
        if !self.accused.rows.is_empty() {
            std::fs::write(folder.join("accusations.svg"), bars::svg(&self.accused))?;
        }
        for (file, title, curves) in &self.drawings {
            std::fs::write(folder.join(file), svg(title, curves))?;
        }
        Ok(())
    }

    /// All of it as a table.
    fn markdown(&self) -> String {
        let mut text = String::from(
            "# Figures of detection\n\nMade by `make bench-detection`; what they mean is in [detection.md](../detection.md).\n",
        );
        text.push_str(&self.accused.markdown());
        text.push_str(
            "\n## What is found\n\n| scenario |  | figure | target | met |\n|---|---|---:|---:|---|\n",
        );
        for (scenario, what, value, target, met) in &self.rows {
            let _ = writeln!(text, "| {scenario} | {what} | {value} | {target} | {met} |");
        }
        text
    }
}

/// How well a number tells two classes apart: the probability that one of the wanted class has more of it
/// than one of the other, equals counting half. 0.5 is chance.
pub fn auc(scored: &[(f64, bool)]) -> f64 {
    let mut sorted = scored.to_vec();
    sorted.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (mut rank, mut rank_sum) = (0.0, 0.0);
    for equal in sorted.chunk_by(|one, other| one.0 == other.0) {
        let mean = rank + (equal.len() as f64 + 1.0) / 2.0;
        rank_sum += mean * equal.iter().filter(|(_, wanted)| *wanted).count() as f64;
        rank += equal.len() as f64;
    }
    let wanted = scored.iter().filter(|(_, wanted)| *wanted).count() as f64;
    let others = scored.len() as f64 - wanted;
    (rank_sum - wanted * (wanted + 1.0) / 2.0) / (wanted * others)
}

/// The part of the wanted class that is found where at most the part `false_positives` of the other is
/// taken for it.
pub fn found_at(scored: &[(f64, bool)], false_positives: f64) -> f64 {
    let mut others: Vec<_> = scored.iter().filter(|(_, wanted)| !*wanted).map(|(score, _)| *score).collect();
    others.sort_by(|one, other| other.total_cmp(one));
    let allowed = (others.len() as f64 * false_positives) as usize;
    let threshold = others.get(allowed).copied().unwrap_or(f64::NEG_INFINITY);
    let wanted = scored.iter().filter(|(_, wanted)| *wanted);
    let found = wanted.clone().filter(|(score, _)| *score > threshold).count();
    found as f64 / wanted.count() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_tell_classes_apart() {
        let cases: [(&[(f64, bool)], f64); 4] = [
            (&[(1.0, false), (2.0, true)], 1.0),
            (&[(2.0, false), (1.0, true)], 0.0),
            (&[(1.0, false), (1.0, true)], 0.5),
            (&[(1.0, false), (3.0, false), (2.0, true), (4.0, true)], 0.75),
        ];
        for (scored, expected) in cases {
            assert!((auc(scored) - expected).abs() < 1e-9, "{scored:?}");
        }
    }

    #[test]
    fn what_is_found_is_above_all_but_a_few_others() {
        let others = (0..100).map(|n| (f64::from(n), false));
        let scored: Vec<_> = others.chain([(97.5, true), (98.5, true), (120.0, true)]).collect();
        assert!((found_at(&scored, 0.01) - 2.0 / 3.0).abs() < 1e-9);
        assert!((found_at(&scored, 0.02) - 1.0).abs() < 1e-9);
    }
}
