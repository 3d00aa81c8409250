//! The stored past, replayed in memory with another configuration: whose scores would change.

use std::collections::HashSet;

use dregs_core::dataset::{Dataset, Datasets};
use dregs_core::mapping::{Mapping, MappingKind};
use dregs_core::score::{Category, Scores, Weights};
use dregs_core::time::Timestamp;
use dregs_core::words::snake;
use dregs_core::world::World;

use crate::store::retention::{self, Kind};
use crate::store::{Result, Store, datasets, devices, events, mappings};

/// Events read at a time.
const PAGE_EVENTS: i64 = 1_000;

/// What is compared with the configuration in force.
pub struct Candidate {
    pub weights: Weights,
    /// Entries beside the team's own: kind, source, target; without target the source means nothing.
    pub mappings: Vec<(MappingKind, String, Option<String>)>,
}

/// One identity before and after.
pub struct Compared {
    pub id: String,
    pub before: Scores,
    pub after: Scores,
}

/// Everybody, and what was replayed.
pub struct Outcome {
    pub events: u64,
    /// Events that arrived up to then are gone, and were not replayed.
    pub forgotten_until: Option<Timestamp>,
    /// Sources of the candidate's mappings by which no event is called: mistyped ones would pass for harmless.
    pub unseen: Vec<String>,
    pub identities: Vec<Compared>,
}

/// Replays every event of a team twice, in the order of arrival, and scores everybody at the end. The events
/// of disregarded identities are left out, and so are disregarded devices.
///
/// # Errors
/// Those of the store.
pub async fn run(store: &Store, team_id: i64, in_force: &Weights, candidate: Candidate) -> Result<Outcome> {
    let (own_mapping, own_datasets, disregarded, forgotten_until) = store
        .read(move |tx| {
            let mut mapping = Mapping::default();
            for entry in mappings::all(tx)?.iter().filter(|entry| entry.team_id == team_id) {
                // One that names a type of another version means nothing, as in the server.
                let _ = mapping.insert(entry.kind, &entry.source, entry.target.as_deref());
            }
            let mut own = Datasets::default();
            for entry in datasets::all(tx)?.into_iter().filter(|entry| entry.team_id == team_id) {
                if let Some(dataset) = Dataset::parse(&entry.dataset) {
                    own.insert(dataset, entry.value, entry.included);
                }
            }
            let disregarded = devices::disregarded(tx)?.into_iter().filter(|(team, _)| *team == team_id);
            let disregarded = disregarded.map(|(_, print)| print).collect::<HashSet<_>>();
            let forgotten = retention::forgotten(tx, team_id)?.into_iter();
            let of_events = forgotten.filter(|(kind, _)| *kind == Kind::Events).map(|(_, until)| until);
            Ok((mapping, own, disregarded, of_events.max()))
        })
        .await?;
    let mut mapping = own_mapping.clone();
    for (kind, source, target) in &candidate.mappings {
        let _ = mapping.insert(*kind, source, target.as_deref());
    }
    let mut before = World::new(own_mapping, own_datasets.clone());
    let mut after = World::new(mapping, own_datasets);
    let mut unseen = candidate.mappings.iter().map(|(_, source, _)| source.clone()).collect::<Vec<_>>();
    let mut events = 0;
    let mut last = 0;
    loop {
        let page = store.read(move |tx| events::of_team(tx, team_id, last, PAGE_EVENTS)).await?;
        let Some((row, _)) = page.last() else { break };
        last = *row;
        for (_, mut event) in page {
            if event.fingerprint.as_ref().is_some_and(|print| disregarded.contains(print)) {
                event.fingerprint = None;
            }
            unseen.retain(|source| snake(source) != snake(&event.name));
            before.take(&event);
            after.take(&event);
            events += 1;
        }
    }
    let compared = before.ids().filter_map(|id| {
        let (was, would_be) = (before.analyze(id, in_force)?, after.analyze(id, &candidate.weights)?);
        Some(Compared { id: id.to_owned(), before: was.scores, after: would_be.scores })
    });
    Ok(Outcome { events, forgotten_until, unseen, identities: compared.collect() })
}

impl Compared {
    /// Whether a category falls below `threshold` that did not before.
    pub fn is_caught(&self, threshold: u8) -> bool {
        lowest(&self.after) < threshold && lowest(&self.before) >= threshold
    }

    /// Whether none is below `threshold` any more.
    pub fn is_released(&self, threshold: u8) -> bool {
        lowest(&self.before) < threshold && lowest(&self.after) >= threshold
    }

    /// Whether there is a score, and every one is at least `least` today.
    pub fn looks_innocent(&self, least: u8) -> bool {
        self.before != Scores::default() && lowest(&self.before) >= least
    }
}

/// Without any score, nothing is caught.
fn lowest(scores: &Scores) -> u8 {
    Category::ALL.iter().filter_map(|category| scores.get(*category)).min().unwrap_or(100)
}
