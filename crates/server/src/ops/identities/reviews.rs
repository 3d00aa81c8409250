//! Reviews: asked for, and written.

use dregs_core::review::{self, Subject};
use dregs_core::time::{DAY_MS, Timestamp};
use tokio::sync::Notify;

use crate::failpoint::{self, Failpoint};
use crate::limit::{self, Limit};
use crate::ops::audit::{self, Act, Actor};
use crate::store::analyses::{self, Analysis};
use crate::store::identities::Identity;
use crate::store::reviews::{self, Review};
use crate::store::{Result, Store, identities};

/// Who wrote a review that no model wrote.
pub const BUILT_IN: &str = "built-in";
/// Reviews shown, the newest.
pub const REVIEWS_MAX: i64 = 100;
/// How long a review is left with who writes it after it was last heard of: a node that ends hands over within it.
const LEASE_MS: i64 = 5_000;

/// Asks for a review; `wanted` wakes whoever writes it.
///
/// # Errors
/// Those of the store.
pub async fn request(
    store: &Store,
    wanted: &Notify,
    actor: Actor,
    identity: &Identity,
    feedback: Option<String>,
    now: Timestamp,
) -> Result<Review> {
    let (row_id, external_id) = (identity.row_id, identity.id.clone());
    let (review, removed) = store
        .write(move |tx| {
            let act = Act {
                action: "identity.review",
                target_type: "identity",
                target_id: &external_id,
                before: None,
                after: None,
            };
            audit::record(tx, &actor, &act, now)?;
            let review = reviews::insert(tx, actor.team_id, row_id, feedback.as_deref(), now)?;
            Ok((review, reviews::keep_newest(tx, row_id, REVIEWS_MAX)?))
        })
        .await?;
    if removed > 0 {
        limit::reached(Limit::Reviews);
    }
    failpoint::reach(Failpoint::ReviewRequested);
    wanted.notify_one();
    Ok(review)
}

/// A review to write, and what it is about.
pub struct Assignment {
    pub review: Review,
    pub identity: Identity,
    /// `None` while the identity has not been scored.
    pub analysis: Option<Analysis>,
}

/// Takes the next review that is due, if there is one. Whoever writes it [`hold`]s it.
///
/// # Errors
/// Those of the store.
pub async fn next(store: &Store, now: Timestamp) -> Result<Option<Assignment>> {
    store
        .write(move |tx| {
            let Some(review) = reviews::claim(tx, now, now.plus_millis(LEASE_MS))? else { return Ok(None) };
            let Some(identity) = identities::load(tx, &[review.identity_id])?.pop() else {
                reviews::finish(tx, review.id, BUILT_IN, Err("The identity was deleted."), now)?;
                return Ok(None);
            };
            let analysis = match identity.cycle {
                Some(sequence) => analyses::find(tx, identity.row_id, sequence)?,
                None => None,
            };
            Ok(Some(Assignment { review, identity, analysis }))
        })
        .await
}

/// Says that a review is still being written.
///
/// # Errors
/// Those of the store.
pub async fn hold(store: &Store, id: i64, now: Timestamp) -> Result<()> {
    store.write(move |tx| reviews::renew(tx, id, now.plus_millis(LEASE_MS))).await
}

/// Whether a model may still be asked today.
///
/// # Errors
/// Those of the store.
pub async fn is_within_budget(store: &Store, daily_max: u64, now: Timestamp) -> Result<bool> {
    let midnight = Timestamp::from_millis(now.as_millis() - now.as_millis().rem_euclid(DAY_MS));
    let asked = store.read(move |tx| reviews::count_by_models(tx, midnight)).await?;
    Ok(u64::try_from(asked).is_ok_and(|asked| asked < daily_max))
}

/// The built-in reviewer's account.
pub fn built_in(assignment: &Assignment) -> String {
    let feedback = assignment.review.feedback.as_deref();
    let none = Default::default();
    let (scores, observations, event_count, device_count) = match &assignment.analysis {
        Some(a) => (&a.scores, a.detail.observations.as_slice(), a.event_count, a.device_count),
        None => (&none, &[][..], 0, 0),
    };
    review::write(&Subject { scores, observations, event_count, device_count, feedback })
}

/// Writes what became of a review.
///
/// # Errors
/// Those of the store.
pub async fn finish(
    store: &Store,
    id: i64,
    reviewer: String,
    outcome: std::result::Result<String, String>,
    now: Timestamp,
) -> Result<()> {
    store
        .write(move |tx| {
            let outcome = outcome.as_ref().map(String::as_str).map_err(String::as_str);
            reviews::finish(tx, id, &reviewer, outcome, now)
        })
        .await
}
