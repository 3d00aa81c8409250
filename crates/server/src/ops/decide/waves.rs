//! Waves: escalations of identities that have something in common, to be looked at, and decided on, together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dregs_core::identity::Profile;
use dregs_core::link::KeyHasher;
use dregs_core::wave::{self, Shared};

use crate::ops::ingest::{common, refold};
use crate::ops::long_reads::LongReads;
use crate::ops::team::mappings::Mappings;
use crate::store::escalations::{self, Brief, Filter, Shares};
use crate::store::links::HashedKey;
use crate::store::{Result, StoreError, Tx, identities};

/// Escalations that are looked at, the newest.
pub const LOOKED_AT_MAX: i64 = 10_000;
/// Waves that are told.
pub const WAVES_MAX: usize = 100;
/// Identities that are read in one part, so that others have their turn between two.
const READ_AT_ONCE: usize = 500;
/// Identities of a wave that are named.
const NAMED_MAX: usize = 3;

/// Escalations of identities that share one thing.
pub struct Wave {
    pub shared: Shared,
    /// The newest first.
    pub escalations: Vec<Brief>,
    pub identities: usize,
    /// Some of the identities by id and name.
    pub named: Vec<(String, Option<String>)>,
}

/// Waves, the largest first, and what is in none.
pub struct Found {
    pub waves: Vec<Wave>,
    /// Escalations that were looked at, and of them those that are in no wave.
    pub looked_at: usize,
    pub others: usize,
}

/// What identities go by when it is asked what they share.
pub struct Terms {
    pub mappings: Arc<Mappings>,
    pub common: Arc<common::OfTeams>,
}

/// Finds the waves among the escalations of a team that match.
///
/// # Errors
/// Those of the store.
pub async fn find(long_reads: &LongReads, terms: Terms, team_id: i64, filter: Filter) -> Result<Found> {
    let briefs =
        long_reads.read(move |tx| escalations::briefs(tx, team_id, &filter, false, LOOKED_AT_MAX)).await?;
    let looked_at = briefs.len();
    let ids: BTreeSet<_> = briefs.iter().map(|one| one.identity_id).collect();
    let ids: Vec<_> = ids.into_iter().collect();
    let terms = Arc::new(terms);
    let mut shared: BTreeMap<i64, Vec<Shared>> = BTreeMap::new();
    for part in ids.chunks(READ_AT_ONCE) {
        let (part, terms) = (part.to_vec(), Arc::clone(&terms));
        shared.extend(long_reads.read(move |tx| what_they_share(tx, &terms, team_id, &part)).await?);
    }
    let mut of_identity: BTreeMap<i64, Vec<Brief>> = BTreeMap::new();
    for one in briefs {
        of_identity.entry(one.identity_id).or_default().push(one);
    }
    let (ids, shared): (Vec<_>, Vec<_>) = shared.into_iter().unzip();
    let mut found = wave::waves(&shared);
    found.sort_by_key(|wave| std::cmp::Reverse(wave.members.len()));
    found.truncate(WAVES_MAX);
    let in_one: BTreeSet<_> = found.iter().flat_map(|wave| &wave.members).map(|place| ids[*place]).collect();
    let others = of_identity.iter().filter(|(id, _)| !in_one.contains(id)).map(|(_, of)| of.len()).sum();
    let mut waves: Vec<_> = found
        .into_iter()
        .map(|wave::Wave { shared, members }| {
            let of_members = members.iter().filter_map(|place| of_identity.get(&ids[*place]));
            let mut escalations: Vec<_> = of_members.flatten().cloned().collect();
            escalations.sort_by_key(|one| std::cmp::Reverse(one.id));
            Wave { shared, escalations, identities: members.len(), named: Vec::new() }
        })
        .collect();
    // As the queue itself has them, and then by size.
    waves.sort_by_key(|wave| {
        std::cmp::Reverse((wave.escalations.iter().map(|one| one.severity).max(), wave.identities))
    });
    for wave in &mut waves {
        let mut newest: Vec<_> = wave.escalations.iter().map(|one| one.identity_id).collect();
        newest.dedup();
        newest.truncate(NAMED_MAX);
        let named = long_reads.read(move |tx| identities::load(tx, &newest)).await?;
        let named = named.into_iter().map(|one| (one.id, one.display_name.or(one.display_email)));
        wave.named = named.collect();
    }
    Ok(Found { waves, looked_at, others })
}

fn what_they_share(tx: &mut Tx, terms: &Terms, team_id: i64, ids: &[i64]) -> Result<Vec<(i64, Vec<Shared>)>> {
    let starts = identities::load_cycle_starts(tx, ids)?;
    let mut found = Vec::with_capacity(starts.len());
    for start in starts {
        let data =
            serde_json::from_str(&start.data).map_err(|error| StoreError::Broken(error.to_string()))?;
        let profile = Profile::from_data(&data, terms.mappings.of(team_id));
        let state = refold::decode(tx, start.id, &start.state)?;
        found.push((start.id, Shared::of(&state, &profile, terms.common.of(team_id))));
    }
    Ok(found)
}

/// By which escalations are found of identities that share this; `None` for nothing.
pub fn shares(shared: &[Shared], hasher: &KeyHasher, team_id: i64) -> Option<Shares> {
    let keys = shared.iter().filter_map(|one| match one {
        Shared::Key(key) => Some(HashedKey::new(hasher, team_id, key)),
        Shared::EmailDomain(_) => None,
    });
    match shared {
        [] => None,
        [Shared::EmailDomain(domain)] => Some(Shares::email_domain(domain)),
        _ => Some(Shares::Keys(keys.collect())),
    }
}
