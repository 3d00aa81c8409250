//! Mappings: changed, kept in memory, and applied to the past.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use dregs_core::identity::Profile;
use dregs_core::mapping::{Mapping, MappingKind};
use dregs_core::time::{SECOND_MS, Timestamp};
use dregs_core::words::snake;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::ops::audit::{self, Act, Actor};
use crate::ops::ingest::EVALUATION_LANE;
use crate::ops::refold;
use crate::store::changes::{self, Touched};
use crate::store::mappings::{self, Entry};
use crate::store::{Result, StoreError, Tx, identities, settings};

/// What long work on the past is called in the settings.
const WORK_PREFIX: &str = "remap:";
/// Identities looked at in one transaction, so that no other waits long.
const CHUNK_IDENTITIES: i64 = 200;
/// Other nodes go by the old mapping until they have read the new one.
const WORK_DELAY_MS: i64 = 2 * SECOND_MS;

/// The mapping of every team that has entries of its own.
#[derive(Default)]
pub struct Directory(RwLock<Arc<Mappings>>);

/// The mappings as they were at one moment.
#[derive(Default)]
pub struct Mappings {
    of_teams: HashMap<i64, Mapping>,
    shipped: Mapping,
}

impl Mappings {
    pub fn of(&self, team_id: i64) -> &Mapping {
        self.of_teams.get(&team_id).unwrap_or(&self.shipped)
    }
}

impl Directory {
    pub fn current(&self) -> Arc<Mappings> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the entries again.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn reload(&self, app: &App) -> Result<()> {
        let mut of_teams: HashMap<i64, Mapping> = HashMap::new();
        for entry in app.store.read(mappings::all).await? {
            let mapping = of_teams.entry(entry.team_id).or_default();
            if !mapping.insert(entry.kind, &entry.source, entry.target.as_deref()) {
                tracing::warn!(id = entry.id, "a mapping names a type that this version does not know");
            }
        }
        let mappings = Mappings { of_teams, shipped: Mapping::default() };
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(mappings);
        Ok(())
    }
}

/// A change of the past that is under way.
#[derive(Serialize, Deserialize)]
struct Work {
    team_id: i64,
    kind: MappingKind,
    source: String,
    /// Not before this.
    from: Timestamp,
    /// The last identity looked at.
    after: i64,
}

impl Work {
    fn name(&self) -> String {
        format!("{WORK_PREFIX}{}:{}:{}", self.team_id, self.kind.name(), self.source)
    }

    fn put(&self, tx: &mut Tx) -> Result<()> {
        settings::put(tx, &self.name(), &serde_json::to_vec(self).map_err(broken)?)
    }
}

/// A change of an entry.
pub enum Change {
    Create { kind: MappingKind, source: String, target: Option<String> },
    Update { entry: Entry, target: Option<String> },
    Delete { entry: Entry },
}

/// Changes an entry, and has the past read with it. Answers the entry as it is then.
///
/// # Errors
/// [`StoreError::Conflict`] when there is an entry for the source.
pub async fn change(app: &App, actor: Actor, change: Change) -> Result<Option<Entry>> {
    let (now, team_id) = (app.clock.now(), actor.team_id);
    let changed = app
        .store
        .write(move |tx| {
            let (action, id, before) = match &change {
                Change::Create { kind, source, target } => {
                    let id = mappings::insert(tx, team_id, *kind, source, target.as_deref(), now)?;
                    ("mapping.create", id, None)
                }
                Change::Update { entry, target } => {
                    mappings::update(tx, entry.id, target.as_deref(), now)?;
                    ("mapping.change", entry.id, Some(entry))
                }
                Change::Delete { entry } => {
                    mappings::delete(tx, entry.id)?;
                    ("mapping.delete", entry.id, Some(entry))
                }
            };
            let after = mappings::find(tx, team_id, id)?;
            let told = |entry: &Entry| {
                json!({"kind": entry.kind.name(), "source": entry.source, "target": entry.target})
            };
            let target_id = id.to_string();
            let act = Act {
                action,
                target_type: "mapping",
                target_id: &target_id,
                before: before.map(told),
                after: after.as_ref().map(told),
            };
            audit::record(tx, &actor, &act, now)?;
            if let Some(Entry { kind, source, .. }) = after.as_ref().or(before) {
                let from = now.plus_millis(WORK_DELAY_MS);
                Work { team_id, kind: *kind, source: source.clone(), from, after: 0 }.put(tx)?;
            }
            Ok(after)
        })
        .await?;
    app.mappings.reload(app).await?;
    Ok(changed)
}

/// Does a piece of what there is to do for changed mappings; `false` when there is nothing.
///
/// # Errors
/// Those of the store.
pub async fn apply_some(app: &App) -> Result<bool> {
    let (now, min_cycle_ms) = (app.clock.now(), app.min_cycle_ms());
    for (name, value) in app.store.read(|tx| settings::with_prefix(tx, WORK_PREFIX)).await? {
        let mut work: Work = serde_json::from_slice(&value).map_err(broken)?;
        if work.from > now {
            continue;
        }
        let mappings = app.mappings.current();
        app.store
            .write(move |tx| {
                let walked = identities::after(tx, work.team_id, work.after, CHUNK_IDENTITIES)?;
                let Some(last) = walked.last() else { return settings::delete(tx, &name) };
                work.after = last.id;
                let mut concerned = Vec::new();
                let mut renamed = Vec::new();
                for identity in walked {
                    let data: Map<String, Value> = serde_json::from_str(&identity.data).map_err(broken)?;
                    let is_concerned = match work.kind {
                        MappingKind::IdentityField => data.keys().any(|key| snake(key) == work.source),
                        MappingKind::EventType => {
                            let state = refold::decode(tx, identity.id, &identity.state)?;
                            state.names().iter().any(|name| snake(&name.name) == work.source)
                        }
                    };
                    if is_concerned {
                        let profile = Profile::from_data(&data, mappings.of(work.team_id));
                        concerned.push(identity.id);
                        renamed.push(identities::Renamed {
                            id: identity.id,
                            version: identity.version,
                            name: profile.name,
                            email: profile.email,
                            username: profile.username,
                        });
                    }
                }
                identities::rename(tx, &renamed)?;
                identities::mark_dirty(tx, &concerned, now, min_cycle_ms)?;
                let touched = Touched { identities: concerned.into_iter().collect(), ..Touched::default() };
                changes::insert(tx, &touched, now)?;
                work.put(tx)
            })
            .await?;
        app.evaluations.spill(EVALUATION_LANE);
        return Ok(true);
    }
    Ok(false)
}

fn broken(error: impl ToString) -> StoreError {
    StoreError::Broken(error.to_string())
}
