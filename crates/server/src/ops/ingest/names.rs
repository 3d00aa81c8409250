//! The words of every team that lists look for, in memory: ingest must not ask for them.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use crate::store::names::{self, Name, NameKind};
use crate::store::{Result, Store};

/// Words of one kind that a team can have: a sender who puts ids into names must not fill memory.
/// Events with other names are stored all the same, and not found by their name.
const NAMES_MAX: usize = 10_000;

/// Every word that has a number.
#[derive(Default)]
pub struct Names(RwLock<HashMap<(i64, NameKind), HashMap<String, i64>>>);

/// What is known of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    Numbered(i64),
    /// It has no number yet.
    New,
    /// The team has too many, so that it gets none.
    TooMany,
}

impl Names {
    pub fn find(&self, team_id: i64, kind: NameKind, name: &str) -> Known {
        let teams = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let Some(of_team) = teams.get(&(team_id, kind)) else { return Known::New };
        match of_team.get(name) {
            Some(id) => Known::Numbered(*id),
            None if of_team.len() < NAMES_MAX => Known::New,
            None => Known::TooMany,
        }
    }

    /// The words of a team that `is_wanted`, with their numbers, by their spelling.
    pub fn select(
        &self,
        team_id: i64,
        kind: NameKind,
        mut is_wanted: impl FnMut(&str) -> bool,
    ) -> Vec<(String, i64)> {
        let teams = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let of_team = teams.get(&(team_id, kind)).into_iter().flatten();
        let mut found: Vec<_> =
            of_team.filter(|(name, _)| is_wanted(name)).map(|(name, id)| (name.clone(), *id)).collect();
        found.sort();
        found
    }

    /// Takes words over that were given numbers.
    pub fn learn(&self, names: Vec<Name>) {
        if names.is_empty() {
            return;
        }
        let mut teams = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for name in names {
            teams.entry((name.team_id, name.kind)).or_default().insert(name.name, name.id);
        }
    }

    /// Takes over what the store has, from this process and from others.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn reload(&self, store: &Store) -> Result<()> {
        self.learn(store.read(|tx| names::after(tx, 0)).await?);
        Ok(())
    }
}
