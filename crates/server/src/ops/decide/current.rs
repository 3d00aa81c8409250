//! How identities stand now, as an application decides by it: scores, badges, what is open, and which rules match.

use std::collections::HashMap;

use dregs_core::badge::Badge;
use dregs_core::rules::{Matched, Standing, matched};
use dregs_core::score::Scores;
use dregs_core::time::Timestamp;

use super::draws::DRAWN;
use crate::ops::team::rules::OfTeams;
use crate::store::decisions::{self, Stands};
use crate::store::escalations::{self, Brief};
use crate::store::{Result, StoreError, Tx};

/// How an identity stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Current {
    /// Row id.
    pub identity_id: i64,
    pub external_id: String,
    pub scores: Scores,
    /// Who is disregarded has none, nor anything of what follows but the cycle.
    pub badges: Vec<Badge>,
    /// Escalations that are not closed, the oldest first.
    pub escalations: Vec<Escalation>,
    pub matched: Vec<Matched>,
    /// The sequence of the newest cycle; `None` before the first.
    pub cycle: Option<i64>,
    /// How many of its events that cycle has seen.
    pub seen_events: i64,
    /// Whether something waits to be scored.
    pub is_due: bool,
}

/// An escalation that is not closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Escalation {
    pub id: i64,
    pub status: &'static str,
    pub severity: &'static str,
    pub rule_id: i64,
    pub rule_name: String,
}

/// Reads how the identities with these row ids stand, in no order; one that is gone is left out.
///
/// # Errors
/// Those of the store.
pub fn read(tx: &mut Tx, ids: &[i64], rules: &OfTeams, now: Timestamp) -> Result<Vec<Current>> {
    let stands = decisions::load(tx, ids)?;
    complete(tx, stands, rules, now)
}

/// The same of a team's identities, each with the shard of its external id.
///
/// # Errors
/// Those of the store.
pub fn find(tx: &mut Tx, keys: &[(i64, i64, &str)], rules: &OfTeams, now: Timestamp) -> Result<Vec<Current>> {
    let stands = decisions::find(tx, keys)?;
    complete(tx, stands, rules, now)
}

/// The same of whom a stored event is about; `None` where that is nobody.
///
/// # Errors
/// Those of the store.
pub fn of_event(
    tx: &mut Tx,
    team_id: i64,
    packed_id: &[u8],
    rules: &OfTeams,
    now: Timestamp,
) -> Result<Option<Current>> {
    let Some(identity_id) = decisions::of_event(tx, team_id, packed_id)?.flatten() else { return Ok(None) };
    Ok(read(tx, &[identity_id], rules, now)?.pop())
}

fn complete(tx: &mut Tx, stands: Vec<Stands>, rules: &OfTeams, now: Timestamp) -> Result<Vec<Current>> {
    let counted = stands.iter().filter(|stands| !stands.disregarded);
    let ids: Vec<_> = counted.map(|stands| stands.identity_id).collect();
    let mut open: HashMap<i64, Vec<Brief>> = HashMap::new();
    // Who was drawn at random is accused of nothing.
    for brief in escalations::active_of(tx, &ids)?.into_iter().filter(|brief| brief.rule_id != DRAWN) {
        open.entry(brief.identity_id).or_default().push(brief);
    }
    stands
        .into_iter()
        .map(|stands| {
            let open = open.remove(&stands.identity_id).unwrap_or_default();
            Current::new(stands, open, rules, now)
        })
        .collect()
}

impl Current {
    fn new(stands: Stands, mut open: Vec<Brief>, rules: &OfTeams, now: Timestamp) -> Result<Self> {
        let Stands { identity_id, external_id, scores, cycle, seen_events, is_due, .. } = stands;
        let current =
            Self { identity_id, external_id, scores, cycle, seen_events, is_due, ..Self::default() };
        // At once, though the cycle that takes all that off is still to come.
        if stands.disregarded {
            return Ok(current);
        }
        let broken = |error: serde_json::Error| StoreError::Broken(error.to_string());
        let standing = Standing::decode(stands.standing.as_deref()).map_err(broken)?;
        // Rules are asked about whoever has been scored.
        let matched = match cycle {
            Some(_) => matched(&standing, &scores, stands.first_seen_at, rules.of(stands.team_id), now),
            None => Vec::new(),
        };
        open.sort_unstable_by_key(|brief| brief.id);
        Ok(Self {
            badges: standing.badges,
            escalations: open.into_iter().map(Escalation::from).collect(),
            matched,
            ..current
        })
    }
}

impl From<Brief> for Escalation {
    fn from(brief: Brief) -> Self {
        let Brief { id, status, severity, rule_id, rule_name, .. } = brief;
        Self { id, status: status.name(), severity: severity.name(), rule_id, rule_name }
    }
}
