//! What scenarios come to, in rows of a table.

use std::collections::BTreeMap;

use super::run::Fate;
use super::scenario::{Bounds, Scenario};
use crate::accused::{Accusations, Counts};

/// Characters of a variant, such as a user agent.
const VARIANT_SHOWN_MAX: usize = 60;

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
    /// Of people in a scenario, those with a common phone by themselves, unless devices are shared there anyway.
    pub fn apart<'f>(fates: impl Iterator<Item = &'f Fate>, bounds: Bounds) -> [Self; 2] {
        let (common, own): (Vec<_>, Vec<_>) =
            fates.partition(|fate| fate.has_common_phone && bounds == Bounds::OWN);
        [Self::of(own.into_iter()), Self::of(common.into_iter())]
    }

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
struct Row {
    name: &'static str,
    bounds: Bounds,
    /// All seeds and variants of one size together.
    by_size: BTreeMap<usize, Tally>,
    by_variant: BTreeMap<(String, usize), Tally>,
}

/// People whose phone's fingerprint others have by chance are counted here, whatever scenario they are in: they
/// share a device as far as anybody can see.
const COMMON_PHONES: &str = "people in all of these with a common phone, whose fingerprint others have";

/// Rows, in the order in which they are named first.
#[derive(Default)]
pub struct Table {
    rows: Vec<Row>,
    /// Of those with common phones.
    common: Option<Row>,
}

impl Table {
    pub fn add(&mut self, scenario: &Scenario, size: usize, [own, common]: [&Tally; 2]) {
        let place = self.rows.iter().position(|row| row.name == scenario.row).unwrap_or_else(|| {
            self.rows.push(Row::new(scenario.row, scenario.bounds));
            self.rows.len() - 1
        });
        self.rows[place].add(&scenario.variant, size, own);
        if common.people > 0 {
            let new = || Row::new(COMMON_PHONES, Bounds::SHARED_DEVICE);
            self.common.get_or_insert_with(new).add(scenario.row, size, common);
        }
    }

    /// Each row beside that of the same scenario in mature teams, if it was played there.
    pub fn beside(&self, mature: &Self) -> Vec<Accusations> {
        let of_mature = |name| mature.rows().find(|row: &&Row| row.name == name);
        self.rows().map(|row| row.beside(of_mature(row.name))).collect()
    }

    fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().chain(&self.common)
    }
}

impl Row {
    const fn new(name: &'static str, bounds: Bounds) -> Self {
        Self { name, bounds, by_size: BTreeMap::new(), by_variant: BTreeMap::new() }
    }

    fn add(&mut self, variant: &str, size: usize, tally: &Tally) {
        self.by_size.entry(size).or_default().add(tally);
        self.by_variant.entry((variant.to_owned(), size)).or_default().add(tally);
    }

    fn beside(&self, mature: Option<&Self>) -> Accusations {
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
        let shown: String = variant.chars().take(VARIANT_SHOWN_MAX).collect();
        format!("{shown}{comma}{size}: {}", accusers.join(", "))
    }
}
