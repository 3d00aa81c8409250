//! How long a team keeps what it has: its periods, what a change of them would remove, and the removing.

mod forget;
mod preview;

use std::collections::BTreeMap;

use dregs_core::time::{DAY_MS, HOUR_MS, Timestamp};
use serde_json::{Map, Value, json};

use crate::ops::audit::{self, Act, Actor};
use crate::store::retention::{self, Kind};
use crate::store::{Result, Store, StoreError, Tx, settings};

pub use forget::{Batch, Page, Walk, deliveries, needed, page, remove};
pub use preview::{COUNTED_MAX, Count, preview};

/// 13 months, so that a year can be compared with the one before.
pub const DEFAULT_DAYS: i64 = 396;
/// A hundred years.
pub const DAYS_MAX: i64 = 36_500;
/// How often there is a look for what has been kept long enough.
const PASS_MS: i64 = HOUR_MS;
/// When the next look is due, for all nodes; and when the last one began that came to its end.
const NEXT_PASS: &str = "retention:next";
const LAST_PASS: &str = "retention:last";

/// For how many days rows of each kind are kept; `None` stands for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Periods(BTreeMap<Kind, Option<i64>>);

impl Default for Periods {
    fn default() -> Self {
        let days = |kind| if kind == Kind::AuditLog { None } else { Some(DEFAULT_DAYS) };
        Self(Kind::ALL.into_iter().map(|kind| (kind, days(kind))).collect())
    }
}

impl Periods {
    /// # Errors
    /// The kinds whose days are not within [`least_days`] and [`DAYS_MAX`].
    pub fn new(days: impl IntoIterator<Item = (Kind, Option<i64>)>) -> std::result::Result<Self, Vec<Kind>> {
        let (mut periods, mut wrong) = (Self::default(), Vec::new());
        for (kind, days) in days {
            if days.is_some_and(|days| !(least_days(kind)..=DAYS_MAX).contains(&days)) {
                wrong.push(kind);
            }
            periods.0.insert(kind, days);
        }
        if wrong.is_empty() { Ok(periods) } else { Err(wrong) }
    }

    pub fn days(&self, kind: Kind) -> Option<i64> {
        self.0.get(&kind).copied().flatten()
    }

    /// What was made before this has been kept long enough.
    pub fn cutoff(&self, kind: Kind, now: Timestamp) -> Option<Timestamp> {
        self.days(kind).map(|days| now.plus_millis(-days * DAY_MS))
    }

    fn told(&self) -> Value {
        self.0.iter().map(|(kind, days)| (kind.name().to_owned(), json!(days))).collect::<Map<_, _>>().into()
    }
}

/// The shortest period of a kind. An event's id is known as long as the event is: a client that was away for some weeks
/// must not have its events counted twice. And whoever has got hold of an admin's password must not be able to have
/// what they did forgotten soon.
pub const fn least_days(kind: Kind) -> i64 {
    match kind {
        Kind::Events => 30,
        Kind::Analyses | Kind::Deliveries => 7,
        Kind::AuditLog => 90,
    }
}

/// The periods of every team.
///
/// # Errors
/// Those of the store.
pub fn of_teams(tx: &mut Tx) -> Result<BTreeMap<i64, Periods>> {
    let mut teams: BTreeMap<i64, Periods> = BTreeMap::new();
    for (team_id, said) in retention::periods(tx)? {
        let periods = teams.entry(team_id).or_default();
        periods.0.extend(said);
    }
    Ok(teams)
}

/// The periods of a team, and up to when rows of each kind are gone.
///
/// # Errors
/// Those of the store.
pub fn of_team(tx: &mut Tx, team_id: i64) -> Result<(Periods, BTreeMap<Kind, Timestamp>)> {
    let periods = of_teams(tx)?.remove(&team_id).unwrap_or_default();
    Ok((periods, retention::forgotten(tx, team_id)?.into_iter().collect()))
}

/// Gives a team other periods.
///
/// # Errors
/// Those of the store.
pub async fn change(store: &Store, actor: Actor, periods: Periods, now: Timestamp) -> Result<()> {
    store
        .write(move |tx| {
            let (before, _) = of_team(tx, actor.team_id)?;
            for (kind, days) in &periods.0 {
                retention::set(tx, actor.team_id, *kind, *days)?;
            }
            let act = Act {
                action: "retention.change",
                target_type: "team",
                target_id: &actor.team_id.to_string(),
                before: Some(before.told()),
                after: Some(periods.told()),
            };
            audit::record(tx, &actor, &act, now)
        })
        .await
}

/// Whether the next look is this node's to make, now; and when there is another one.
///
/// # Errors
/// Those of the store.
pub async fn claim(store: &Store, now: Timestamp) -> Result<(bool, Timestamp)> {
    store
        .write(move |tx| {
            let stored = settings::with_prefix(tx, NEXT_PASS)?.pop();
            let next: Option<Timestamp> =
                stored.map(|(_, value)| serde_json::from_slice(&value)).transpose().map_err(broken)?;
            if let Some(next) = next.filter(|next| *next > now) {
                return Ok((false, next));
            }
            let after = now.plus_millis(PASS_MS);
            settings::put(tx, NEXT_PASS, &serde_json::to_vec(&after).map_err(broken)?)?;
            // Where there has been none, there is nothing yet that is old.
            Ok((next.is_some(), after))
        })
        .await
}

/// Notes that a look has come to its end.
///
/// # Errors
/// Those of the store.
pub async fn finish(store: &Store, began: Timestamp) -> Result<()> {
    let began = serde_json::to_vec(&began).map_err(broken)?;
    store.write(move |tx| settings::put(tx, LAST_PASS, &began)).await
}

fn broken(error: impl ToString) -> StoreError {
    StoreError::Broken(error.to_string())
}
