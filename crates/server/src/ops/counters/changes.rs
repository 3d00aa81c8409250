//! Making, changing and removing counters.

use dregs_core::counter::Counter;
use dregs_core::rules::Condition;
use dregs_core::time::Timestamp;
use serde_json::{Value, json};

use super::build;
use crate::ops::audit::{self, Act, Actor};
use crate::ops::bounds;
use crate::ops::directories::Directories;
use crate::ops::evaluate::rescore::{self, Concern};
use crate::store::counters::{self, Kept};
use crate::store::{Result, Store, Tx, channels, rules};

/// A change of a counter.
pub enum Change {
    Create(Kept),
    Update { before: Kept, after: Box<Kept> },
    Delete(Kept),
}

/// Changes a counter, and has its past built where it counts something else than before. Answers it as it is then; for
/// one that was to be removed and that rules or channels use, those.
///
/// # Errors
/// [`crate::store::StoreError::Conflict`] when there is one with this slug, [`crate::store::StoreError::TooMany`] when
/// there is no room for one more.
pub async fn change(
    store: &Store,
    kept: &Directories,
    actor: Actor,
    change: Change,
    now: Timestamp,
) -> Result<Changed> {
    let (team_id, delay_ms) = (actor.team_id, build::delay_ms(store));
    let changed = store
        .write(move |tx| {
            let (action, id, before) = match &change {
                Change::Create(new) => {
                    bounds::COUNTERS.check_team(tx, team_id)?;
                    let id = counters::insert(tx, &from_now(new, delay_ms, now))?;
                    ("counter.create", id, None)
                }
                Change::Update { before, after } => {
                    let id = before.counter.id;
                    if counts_the_same(&before.counter, &after.counter) {
                        counters::rename(tx, id, &after.counter.name, now)?;
                    } else {
                        counters::update(tx, &from_now(after, delay_ms, now))?;
                    }
                    ("counter.change", id, Some(before))
                }
                Change::Delete(before) => {
                    let naming = naming(tx, team_id, &before.counter.slug)?;
                    if !naming.is_empty() {
                        return Ok(Changed::Named(naming));
                    }
                    counters::delete(tx, before.counter.id)?;
                    build::end(tx, before.counter.id)?;
                    ("counter.delete", before.counter.id, Some(before))
                }
            };
            let after = counters::find(tx, team_id, id)?;
            let is_new =
                |after: &&Kept| before.is_none_or(|before| before.counter.revision != after.counter.revision);
            if let Some(after) = after.as_ref().filter(is_new) {
                build::begin(tx, team_id, &after.counter, delay_ms)?;
            }
            let target_id = id.to_string();
            let act = Act {
                action,
                target_type: "counter",
                target_id: &target_id,
                before: before.map(told),
                after: after.as_ref().map(told),
            };
            audit::record(tx, &actor, &act, now)?;
            Ok(Changed::To(after))
        })
        .await?;
    kept.reload_changed(now).await?;
    Ok(changed)
}

/// What came of a change.
pub enum Changed {
    /// As it is now; none for one that is removed.
    To(Option<Kept>),
    /// Nothing, since these rules and channels use it.
    Named(Vec<String>),
}

fn from_now(kept: &Kept, delay_ms: i64, now: Timestamp) -> Kept {
    let counter = Counter { counts_from: now.plus_millis(delay_ms), is_ready: false, ..kept.counter.clone() };
    Kept { counter, ..kept.clone() }
}

fn counts_the_same(one: &Counter, other: &Counter) -> bool {
    let what = |counter: &Counter| {
        (counter.function.clone(), counter.per.clone(), counter.conditions.clone(), counter.window_seconds)
    };
    what(one) == what(other)
}

/// Has rules asked again that use a counter which was not ready.
pub(super) fn ask_again(tx: &mut Tx, team_id: i64, id: i64, now: Timestamp) -> Result<()> {
    let Some(kept) = counters::find(tx, team_id, id)? else { return Ok(()) };
    if naming(tx, team_id, &kept.counter.slug)?.is_empty() {
        return Ok(());
    }
    rescore::begin(tx, team_id, Concern::NewestEvents, "", now)
}

/// The rules and channels of a team that use a counter, switched on or not.
fn naming(tx: &mut Tx, team_id: i64, slug: &str) -> Result<Vec<String>> {
    let asks = |conditions: &[Condition]| {
        conditions.iter().flat_map(Condition::walk).any(|condition| condition.counter() == Some(slug))
    };
    let badges = rules::all_badges(tx)?.into_iter();
    let badges = badges.filter(|kept| kept.team_id == team_id && asks(&kept.rule.conditions));
    let escalations = rules::all_escalations(tx)?.into_iter();
    let escalations = escalations.filter(|kept| kept.team_id == team_id && asks(&kept.rule.conditions));
    let channels = channels::all(tx)?.into_iter();
    let channels = channels.filter(|channel| channel.team_id == team_id && asks(&channel.filter.conditions));
    let rules = badges.map(|kept| kept.rule.name).chain(escalations.map(|kept| kept.rule.name));
    Ok(rules.chain(channels.map(|channel| channel.name)).collect())
}

/// As the audit log tells it.
fn told(kept: &Kept) -> Value {
    let counter = &kept.counter;
    json!({
        "name": counter.name,
        "slug": counter.slug,
        "function": counter.function.name(),
        "of": counter.function.of(),
        "per": counter.per,
        "conditions": counter.conditions,
        "windowSeconds": counter.window_seconds,
    })
}
