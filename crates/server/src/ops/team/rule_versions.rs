//! What rules were, and drafts beside them.

use dregs_core::time::Timestamp;
use serde_json::Value;

use super::rules::Rule;
use crate::ops::audit::{self, Act, Actor};
use crate::store::rule_versions::{self, Of, Version};
use crate::store::rules::Kept;
use crate::store::{Result, Store, Tx, rule_rates};

/// Revisions of a rule that are kept.
pub const VERSIONS_MAX: i64 = 100;

/// Keeps what a rule was and what it is now; nothing of one that is gone. The answer is how many old ones went.
///
/// # Errors
/// Those of the store.
pub fn keep<R: Rule>(
    tx: &mut Tx,
    of: Of,
    before: Option<&Kept<R>>,
    after: Option<&Kept<R>>,
    by: &str,
) -> Result<u64> {
    let Some(after) = after else {
        rule_versions::delete(tx, of)?;
        rule_rates::delete(tx, of)?;
        return Ok(0);
    };
    // One of the starter set has none yet.
    for (kept, by) in before.map(|before| (before, None)).into_iter().chain([(after, Some(by))]) {
        rule_versions::insert(tx, of, &version(kept, by))?;
    }
    rule_versions::keep_newest(tx, of, VERSIONS_MAX)
}

/// A rule as a version of itself.
pub fn version<R: Rule>(kept: &Kept<R>, by: Option<&str>) -> Version {
    Version {
        revision: Some(kept.version),
        definition: R::told(kept).to_string(),
        created_at: kept.updated_at,
        created_by: by.map(str::to_owned),
    }
}

/// Puts a draft beside a rule, in the place of the one that was there: it is tried on the past, and gives and opens
/// nothing.
///
/// # Errors
/// Those of the store.
pub async fn put_draft<R: Rule + Sync>(
    store: &Store,
    actor: Actor,
    draft: Kept<R>,
    now: Timestamp,
) -> Result<Version> {
    store
        .write(move |tx| {
            let of = Of { team_id: actor.team_id, kind: R::KIND, rule_id: draft.rule.id() };
            let drafted = Version { revision: None, created_at: now, ..version(&draft, Some(&actor.name)) };
            rule_versions::delete_draft(tx, of)?;
            rule_versions::insert(tx, of, &drafted)?;
            let [action, ..] = R::DRAFT_ACTIONS;
            record::<R>(tx, &actor, of.rule_id, action, Some(R::told(&draft)), now)?;
            Ok(drafted)
        })
        .await
}

/// When the draft of a rule was made.
///
/// # Errors
/// Those of the store.
pub async fn drafted_at<R: Rule>(store: &Store, team_id: i64, rule_id: i64) -> Result<Option<Timestamp>> {
    let of = Of { team_id, kind: R::KIND, rule_id };
    let draft = store.read(move |tx| rule_versions::find(tx, of, None)).await?;
    Ok(draft.map(|draft| draft.created_at))
}

/// Takes the draft of a rule away, which `is_in_force` now or was discarded; `false` where there is none.
///
/// # Errors
/// Those of the store.
pub async fn end_draft<R: Rule>(
    store: &Store,
    actor: Actor,
    (rule_id, is_in_force): (i64, bool),
    now: Timestamp,
) -> Result<bool> {
    store
        .write(move |tx| {
            let of = Of { team_id: actor.team_id, kind: R::KIND, rule_id };
            let is_gone = rule_versions::delete_draft(tx, of)?;
            if is_gone {
                let [_, discarded, promoted] = R::DRAFT_ACTIONS;
                let action = if is_in_force { promoted } else { discarded };
                record::<R>(tx, &actor, rule_id, action, None, now)?;
            }
            Ok(is_gone)
        })
        .await
}

fn record<R: Rule>(
    tx: &mut Tx,
    actor: &Actor,
    rule_id: i64,
    action: &'static str,
    after: Option<Value>,
    now: Timestamp,
) -> Result<()> {
    let id = rule_id.to_string();
    let act = Act { action, target_type: R::TARGET, target_id: &id, before: None, after };
    audit::record(tx, actor, &act, now)
}
