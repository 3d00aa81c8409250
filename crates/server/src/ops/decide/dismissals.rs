//! Badges that a person takes off an identity, and gives back.

use dregs_core::link::KeyHasher;
use dregs_core::rules::{Dismissal, Standing};
use dregs_core::time::Timestamp;
use serde_json::json;

use crate::ops::audit::{self, Act, Actor};
use crate::ops::decide::{decisions, rule_lists};
use crate::ops::directories::Directories;
use crate::ops::evaluate::evaluation::Seen;
use crate::ops::handoff::{Evaluations, Handoff, Outgoing};
use crate::store::changes::{self, Touched};
use crate::store::identities::{self, CycleStart, Identity};
use crate::store::marks;
use crate::store::{Result, Store, StoreError, Tx, analyses};

/// What takes badges off identities, and gives them back.
pub struct Dismissals<'a> {
    pub store: &'a Store,
    pub kept: &'a Directories,
    pub hasher: KeyHasher,
    pub deliveries: &'a Handoff<Outgoing>,
    pub evaluations: &'a Evaluations,
}

impl Dismissals<'_> {
    /// Takes a badge off an identity, until something new speaks for it, and tells whoever wants to hear of changed
    /// badges. `None` when the identity does not have it.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn dismiss(
        &self,
        actor: Actor,
        identity: Identity,
        slug: String,
        reason: Option<String>,
        now: Timestamp,
    ) -> Result<Option<Identity>> {
        let seen = Seen::now(self.kept, self.hasher);
        let written = self
            .store
            .write(move |tx| {
                let added = rule_lists::lock_added(tx, actor.team_id, identity.row_id)?;
                let Some((start, mut standing)) = read(tx, &identity)? else { return Ok(None) };
                let Some(badge) = standing.badges.iter().find(|badge| badge.slug == slug).cloned() else {
                    return Ok(None);
                };
                let newest = analyses::newest(tx, identity.row_id, 1)?.pop();
                let observations = newest.map(|newest| newest.detail.observations).unwrap_or_default();
                let by = (now, actor.name.as_str(), reason.clone());
                let of_team = seen.rules.of(start.team_id);
                let dismissal = Dismissal::new(&badge.slug, &badge.name, by, &observations, of_team);
                let after = json!({ "badge": &badge.slug, "dismissed": true, "reason": &dismissal.reason });
                standing.dismissed.retain(|known| known.slug != badge.slug);
                standing.dismissed.push(dismissal);
                let start = CycleStart { standing: standing.encode().map_err(broken)?, ..start };
                let decided = decisions::ask(&start, of_team, now)?.ok_or(StoreError::Retry)?;
                let told = decisions::save(tx, &[decided], &seen, now)?;
                rule_lists::dismiss(tx, start.team_id, added, &slug, now)?;
                let act = Act {
                    action: "identity.dismiss-badge",
                    target_type: "identity",
                    target_id: &identity.id,
                    before: Some(json!({ "badge": &badge.slug, "dismissed": false })),
                    after: Some(after),
                };
                audit::record(tx, &actor, &act, now)?;
                let told = told.into_iter().collect();
                let is_kept = |standing: &Standing| is_dismissed(standing, &slug);
                finish(tx, &identity, is_kept, told, now)
            })
            .await?;
        let Some((identity, told)) = written else { return Ok(None) };
        for channel_id in told {
            self.deliveries.spill(channel_id);
        }
        Ok(Some(identity))
    }

    /// Gives a dismissed badge back if its rule still holds: the identity is scored again. `None` when it was not
    /// dismissed.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn restore(
        &self,
        actor: Actor,
        identity: Identity,
        slug: String,
        now: Timestamp,
    ) -> Result<Option<Identity>> {
        let (seen, min_cycle_ms) = (Seen::now(self.kept, self.hasher), self.evaluations.min_cycle_ms);
        let written = self
            .store
            .write(move |tx| {
                let Some((start, mut standing)) = read(tx, &identity)? else { return Ok(None) };
                let count = standing.dismissed.len();
                standing.dismissed.retain(|known| known.slug != slug);
                if standing.dismissed.len() == count {
                    return Ok(None);
                }
                let start = CycleStart { standing: standing.encode().map_err(broken)?, ..start };
                let decided =
                    decisions::ask(&start, seen.rules.of(start.team_id), now)?.ok_or(StoreError::Retry)?;
                let told = decisions::save_numbered(tx, decided, &seen, now)?;
                marks::mark_dirty(tx, &[identity.row_id], now, min_cycle_ms)?;
                let act = Act {
                    action: "identity.restore-badge",
                    target_type: "identity",
                    target_id: &identity.id,
                    before: Some(json!({ "badge": &slug, "dismissed": true })),
                    after: Some(json!({ "badge": &slug, "dismissed": false })),
                };
                audit::record(tx, &actor, &act, now)?;
                let is_kept = |standing: &Standing| !is_dismissed(standing, &slug);
                finish(tx, &identity, is_kept, told.into_iter().collect(), now)
            })
            .await?;
        self.evaluations.spill();
        let Some((identity, told)) = written else { return Ok(None) };
        for channel_id in told {
            self.deliveries.spill(channel_id);
        }
        Ok(Some(identity))
    }
}

fn is_dismissed(standing: &Standing, slug: &str) -> bool {
    standing.dismissed.iter().any(|one| one.slug == slug)
}

/// What rules are asked about of an identity, and what is remembered of it.
///
/// # Errors
/// Those of the store.
pub(super) fn read(tx: &mut Tx, identity: &Identity) -> Result<Option<(CycleStart, Standing)>> {
    let Some(start) = identities::load_cycle_starts(tx, &[identity.row_id])?.pop() else { return Ok(None) };
    let standing = Standing::decode(start.standing.as_deref()).map_err(broken)?;
    Ok(Some((start, standing)))
}

/// The identity as it is now; to be done again where what was written is not kept, as something else was meanwhile.
///
/// # Errors
/// Those of the store.
pub(super) fn finish(
    tx: &mut Tx,
    identity: &Identity,
    is_kept: impl Fn(&Standing) -> bool,
    told: Vec<i64>,
    now: Timestamp,
) -> Result<Option<(Identity, Vec<i64>)>> {
    changes::insert(tx, &Touched::identity(identity.row_id), now)?;
    let Some(identity) = identities::load(tx, &[identity.row_id])?.pop() else { return Ok(None) };
    let standing = Standing::decode(identity.standing.as_deref()).map_err(broken)?;
    if is_kept(&standing) { Ok(Some((identity, told))) } else { Err(StoreError::Retry) }
}

fn broken(error: impl ToString) -> StoreError {
    StoreError::Broken(error.to_string())
}
