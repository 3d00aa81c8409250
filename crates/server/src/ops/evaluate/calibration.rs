//! Weights from a team's labels: proposed, looked at in shadow, promoted and rolled back by people.

use dregs_core::calibrate::{Example, Observed, Outcome, Refusal, Report, calibrate};
use dregs_core::label;
use dregs_core::score::Weights;
use dregs_core::time::Timestamp;
use serde_json::{Value, json};

use crate::limit::{self, Limit};
use crate::ops::audit::{self, Act, Actor};
use crate::ops::decide::accuracy;
use crate::ops::evaluate::rescore::{self, Concern};
use crate::ops::long_reads::LongReads;
use crate::store::labels::Judged;
use crate::store::weights::{self, State, Version};
use crate::store::{Result, Store, StoreError, Tx};

/// Versions of a team that are kept.
pub const VERSIONS_MAX: i64 = 100;

/// What came of a calibration.
pub enum Calibrated {
    Proposed(Version),
    /// Why nothing is proposed, and what was measured if anything was.
    Refused(Refusal, Option<Box<Report>>),
}

/// Calibrates the weights of a team by its labels.
///
/// # Errors
/// Those of the store.
pub async fn propose(
    store: &Store,
    long_reads: &LongReads,
    in_force: Weights,
    actor: Actor,
    now: Timestamp,
) -> Result<Calibrated> {
    let team_id = actor.team_id;
    let judged = long_reads.read(move |tx| accuracy::newest(tx, team_id)).await?;
    let seed = now.as_millis().unsigned_abs();
    let fitted = tokio::task::spawn_blocking(move || fit(&judged, &in_force, seed)).await;
    let report = match fitted.map_err(broken)? {
        Outcome::Refused(refusal, report) => return Ok(Calibrated::Refused(refusal, report.map(Box::new))),
        Outcome::Proposed(report) => report,
    };
    let (version, removed) = store
        .write(move |tx| {
            let (text, json) = (report.weights.to_string(), serde_json::to_string(&report).map_err(broken)?);
            let id = weights::insert(tx, team_id, (&text, &json), &actor.name, now)?;
            let removed = weights::keep_newest(tx, team_id, VERSIONS_MAX)?;
            record(tx, &actor, "weights.propose", id, Some(json!({ "weights": text })), now)?;
            Ok((weights::find(tx, team_id, id)?.ok_or(StoreError::Retry)?, removed))
        })
        .await?;
    if removed > 0 {
        limit::reached(Limit::Weights);
    }
    Ok(Calibrated::Proposed(version))
}

/// The calibration of what people have judged.
fn fit(judged: &[Judged], in_force: &Weights, seed: u64) -> Outcome {
    let observed: Vec<Vec<_>> = judged
        .iter()
        .map(|one| {
            let all = one.found.observations.iter();
            all.map(|o| Observed { analyzer: &o.id, value: o.value, confidence: o.confidence }).collect()
        })
        .collect();
    let examples: Vec<_> = judged
        .iter()
        .zip(&observed)
        .map(|(one, observations)| Example {
            at: one.found.at.unwrap_or(one.decided_at),
            is_bad: one.verdict.outcome == label::Outcome::Bad,
            weight: 1.0,
            observations,
        })
        .collect();
    calibrate(&examples, in_force, seed)
}

/// Shows what scores would be with a version, in the place of the one that was shown before; `false` where it is in force.
///
/// # Errors
/// Those of the store.
pub async fn shadow(store: &Store, actor: Actor, id: i64, now: Timestamp) -> Result<bool> {
    store
        .write(move |tx| {
            if !is_in(tx, actor.team_id, id, |state| state != State::InForce)? {
                return Ok(false);
            }
            if let Some(other) = weights::in_state(tx, actor.team_id, State::Shadow)? {
                weights::set_state(tx, other.id, State::Retired, other.replaced_id, &actor.name, now)?;
            }
            weights::set_state(tx, id, State::Shadow, None, &actor.name, now)?;
            record(tx, &actor, "weights.shadow", id, None, now)?;
            Ok(true)
        })
        .await
}

/// Puts a version that is in shadow in force, in the place of the one that was, and has everybody scored again; `false`
/// where it is not in shadow.
///
/// # Errors
/// Those of the store.
pub async fn promote(store: &Store, actor: Actor, id: i64, now: Timestamp) -> Result<bool> {
    store
        .write(move |tx| {
            if !is_in(tx, actor.team_id, id, |state| state == State::Shadow)? {
                return Ok(false);
            }
            let before = weights::in_state(tx, actor.team_id, State::InForce)?;
            if let Some(before) = &before {
                weights::set_state(tx, before.id, State::Retired, before.replaced_id, &actor.name, now)?;
            }
            let replaced = before.map(|before| before.id);
            weights::set_state(tx, id, State::InForce, replaced, &actor.name, now)?;
            record(tx, &actor, "weights.promote", id, Some(json!({ "replaced": named(replaced) })), now)?;
            rescore::begin(tx, actor.team_id, Concern::Weights, "", now)?;
            Ok(true)
        })
        .await
}

fn is_in(tx: &mut Tx, team_id: i64, id: i64, wanted: impl Fn(State) -> bool) -> Result<bool> {
    Ok(weights::find(tx, team_id, id)?.is_some_and(|version| wanted(version.state)))
}

/// Takes the version that is in force back: the one before it is in force again, or the installation's weights are.
/// `None` when none is.
///
/// # Errors
/// Those of the store.
pub async fn roll_back(store: &Store, actor: Actor, now: Timestamp) -> Result<Option<()>> {
    store
        .write(move |tx| {
            let Some(version) = weights::in_state(tx, actor.team_id, State::InForce)? else {
                return Ok(None);
            };
            weights::set_state(tx, version.id, State::Retired, version.replaced_id, &actor.name, now)?;
            let before =
                version.replaced_id.map(|id| weights::find(tx, actor.team_id, id)).transpose()?.flatten();
            if let Some(before) = &before {
                weights::set_state(tx, before.id, State::InForce, before.replaced_id, &actor.name, now)?;
            }
            let after = json!({ "inForce": named(before.map(|before| before.id)) });
            record(tx, &actor, "weights.roll-back", version.id, Some(after), now)?;
            rescore::begin(tx, actor.team_id, Concern::Weights, "", now)?;
            Ok(Some(()))
        })
        .await
}

/// A version as the audit log has it: none is the installation's weights.
fn named(version: Option<i64>) -> Value {
    version.map_or(json!("default"), Value::from)
}

fn record(
    tx: &mut Tx,
    actor: &Actor,
    action: &'static str,
    id: i64,
    after: Option<Value>,
    now: Timestamp,
) -> Result<()> {
    let act = Act { action, target_type: "weights", target_id: &id.to_string(), before: None, after };
    audit::record(tx, actor, &act, now)
}

fn broken(error: impl ToString) -> StoreError {
    StoreError::Broken(error.to_string())
}
