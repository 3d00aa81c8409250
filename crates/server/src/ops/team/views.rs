//! Saved views of lists, which a team shares.

use dregs_core::time::Timestamp;
use serde_json::{Value, json};

use crate::ops::audit::{self, Act, Actor};
use crate::ops::bounds;
use crate::store::views::{self, View};
use crate::store::{Result, Store, StoreError, Tx};

/// Views of a team.
pub const VIEWS_MAX: i64 = bounds::VIEWS.max;

/// Why there is no new view.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The list has one of that name.
    #[error("there is a view of that name")]
    Exists,
    /// The team has [`VIEWS_MAX`].
    #[error("there are too many views")]
    TooMany,
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// Keeps a view under a name.
///
/// # Errors
/// [`Refused`].
pub async fn create(
    store: &Store,
    actor: Actor,
    page: String,
    name: String,
    query: String,
    created_at: Timestamp,
) -> std::result::Result<View, Refused> {
    let view = View { id: 0, page, name, query, created_by: actor.name.clone(), created_at };
    let insert = move |tx: &mut Tx| {
        if views::count(tx, actor.team_id)? >= VIEWS_MAX {
            return Ok(None);
        }
        let id = views::insert(tx, actor.team_id, &view)?;
        record(tx, &actor, "view.create", id, (None, Some(shown(&view))), created_at)?;
        Ok(Some(View { id, ..view.clone() }))
    };
    match store.write(insert).await {
        Ok(view) => view.ok_or(Refused::TooMany),
        Err(StoreError::Conflict) => Err(Refused::Exists),
        Err(error) => Err(error.into()),
    }
}

/// Removes a view; `false` where there is none.
///
/// # Errors
/// Those of the store.
pub async fn delete(store: &Store, actor: Actor, id: i64, now: Timestamp) -> Result<bool> {
    let delete = move |tx: &mut Tx| {
        let Some(view) = views::delete(tx, actor.team_id, id)? else { return Ok(false) };
        record(tx, &actor, "view.delete", id, (Some(shown(&view)), None), now)?;
        Ok(true)
    };
    store.write(delete).await
}

/// Without its query, which may name somebody who is forgotten one day.
fn shown(view: &View) -> Value {
    json!({"page": view.page, "name": view.name})
}

fn record(
    tx: &mut Tx,
    actor: &Actor,
    action: &'static str,
    id: i64,
    (before, after): (Option<Value>, Option<Value>),
    now: Timestamp,
) -> Result<()> {
    audit::record(
        tx,
        actor,
        &Act { action, target_type: "view", target_id: &id.to_string(), before, after },
        now,
    )
}
