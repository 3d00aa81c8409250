//! What scenarios come to, in rows of a table.

use std::collections::BTreeMap;

use super::run::Fate;
use super::scenario::{Bounds, Scenario};
use crate::accused::{Accusations, Counts};

/// People, and how many of them were accused.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub people: usize,
    pub low: usize,
    pub was_low: usize,
    pub badged: usize,
    pub escalated: usize,
    /// By how many of those accused, each analyzer.
    accusers: BTreeMap<String, usize>,
}

impl Tally {
    pub fn of<'f>(fates: impl Iterator<Item = &'f Fate>) -> Self {
        fates.fold(Self::default(), |mut tally, fate| {
            tally.people += 1;
            tally.low += usize::from(fate.is_low());
            tally.was_low += usize::from(fate.was_low);
            tally.badged += usize::from(fate.badged);
            tally.escalated += usize::from(fate.escalated);
            for accuser in &fate.accusers {
                *tally.accusers.entry(accuser.clone()).or_default() += 1;
            }
            tally
        })
    }

    pub fn add(&mut self, other: &Self) {
        self.people += other.people;
        self.low += other.low;
        self.was_low += other.was_low;
        self.badged += other.badged;
        self.escalated += other.escalated;
        for (accuser, count) in &other.accusers {
            *self.accusers.entry(accuser.clone()).or_default() += count;
        }
    }

    fn part(&self, count: usize) -> f64 {
        count as f64 / self.people.max(1) as f64
    }

    /// The parts that are low, were low, are badged and escalated.
    fn parts(&self) -> [f64; 4] {
        [self.low, self.was_low, self.badged, self.escalated].map(|count| self.part(count))
    }

    pub fn counts(&self) -> Counts {
        let [low, was_low, badged, escalated] = self.parts();
        Counts { people: self.people, low, was_low, badged, escalated, worst: String::new() }
    }
}

/// One row: the runs of a scenario in all its variants and sizes, each in a team of its own.
pub struct Row {
    pub name: &'static str,
    pub bounds: Bounds,
    /// All seeds and variants of one size together.
    by_size: BTreeMap<usize, Tally>,
    by_variant: BTreeMap<(String, usize), Tally>,
}

impl Row {
    pub fn new(scenario: &Scenario) -> Self {
        Self {
            name: scenario.row,
            bounds: scenario.bounds,
            by_size: BTreeMap::new(),
            by_variant: BTreeMap::new(),
        }
    }

    /// Of a whole team.
    pub fn of_team(name: &'static str, people: usize, tally: &Tally) -> Self {
        let (by_size, by_variant) = (BTreeMap::new(), BTreeMap::new());
        let mut row = Self { name, bounds: Bounds::OWN, by_size, by_variant };
        row.add("", people, tally);
        row
    }

    pub fn add(&mut self, variant: &str, size: usize, tally: &Tally) {
        self.by_size.entry(size).or_default().add(tally);
        self.by_variant.entry((variant.to_owned(), size)).or_default().add(tally);
    }

    /// Beside the same scenario in mature teams, if it was played there.
    pub fn beside(&self, mature: Option<&Self>) -> Accusations {
        let Bounds { low, badged, escalated } = self.bounds;
        Accusations {
            scenario: self.name,
            bounds: [low, badged, escalated],
            new_team: self.counts(),
            mature_team: mature.map(Self::counts),
        }
    }

    /// The worst of all sizes, figure by figure.
    fn counts(&self) -> Counts {
        let mut worst = [0.0_f64; 4];
        for tally in self.by_size.values() {
            for (worst, part) in worst.iter_mut().zip(tally.parts()) {
                *worst = worst.max(part);
            }
        }
        let [low, was_low, badged, escalated] = worst;
        let people = self.by_size.values().map(|tally| tally.people).sum();
        Counts { people, low, was_low, badged, escalated, worst: self.worst() }
    }

    /// Where it is worst, and who accuses.
    fn worst(&self) -> String {
        let accused = |tally: &Tally| tally.parts().into_iter().sum::<f64>();
        let worst = self.by_variant.iter().filter(|(_, tally)| accused(tally) > 0.0);
        let worst = worst.max_by(|(_, one), (_, other)| accused(one).total_cmp(&accused(other)));
        let Some(((variant, size), tally)) = worst else { return String::new() };
        let mut accusers: Vec<_> = tally.accusers.iter().collect();
        accusers.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let accusers: Vec<_> = accusers.into_iter().take(2).map(|(id, _)| id.as_str()).collect();
        let comma = if variant.is_empty() { "" } else { ", " };
        format!("{variant}{comma}{size}: {}", accusers.join(", "))
    }
}
