//! How heavily analyzers count for a team: as the installation says, unless a calibration of its own is in force.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use dregs_core::score::Weights;

use crate::store::weights::{self, State};
use crate::store::{Result, Store};

/// The weights of every team.
pub struct Directory {
    of_installation: Arc<Weights>,
    of_teams: RwLock<Arc<OfTeams>>,
}

/// The weights as they were at one moment.
#[derive(Default)]
pub struct OfTeams {
    of_installation: Arc<Weights>,
    in_force: HashMap<i64, Weights>,
    shadow: HashMap<i64, (i64, Weights)>,
}

impl OfTeams {
    pub fn of(&self, team_id: i64) -> &Weights {
        self.in_force.get(&team_id).unwrap_or(&self.of_installation)
    }

    /// Those in shadow, and which version they are.
    pub fn shadow(&self, team_id: i64) -> Option<&(i64, Weights)> {
        self.shadow.get(&team_id)
    }
}

impl Directory {
    /// Those of the installation for everybody.
    pub fn new(of_installation: Weights) -> Self {
        let of_installation = Arc::new(of_installation);
        let of_teams = OfTeams { of_installation: Arc::clone(&of_installation), ..OfTeams::default() };
        Self { of_installation, of_teams: RwLock::new(Arc::new(of_teams)) }
    }

    pub fn of_installation(&self) -> &Weights {
        &self.of_installation
    }

    pub fn current(&self) -> Arc<OfTeams> {
        Arc::clone(&self.of_teams.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads them again.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn reload(&self, store: &Store) -> Result<()> {
        let mut all = OfTeams { of_installation: Arc::clone(&self.of_installation), ..OfTeams::default() };
        for version in store.read(weights::in_use).await? {
            let weights = Weights::parse_known(&version.weights);
            match version.state {
                State::InForce => drop(all.in_force.insert(version.team_id, weights)),
                _ => drop(all.shadow.insert(version.team_id, (version.id, weights))),
            }
        }
        *self.of_teams.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(all);
        Ok(())
    }
}
