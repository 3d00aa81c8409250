//! A whole application's users in memory: what the store of a server would know of them after the same
//! events. Histories are replayed in it: to compare two configurations, and to measure detection.
//!
//! The server must find the same scores for the same history; a test holds that.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::common::{self, Common, Sample};
use crate::dataset::Datasets;
use crate::event::Event;
use crate::identity::{self, Profile};
use crate::link::{self, LinkKey};
use crate::mapping::Mapping;
use crate::score::{Analysis, Weights, analyze};
use crate::snapshot::{OtherIdentity, SharedKey, Snapshot};
use crate::state::IdentityState;
use crate::time::Timestamp;

mod live;

pub use live::{Decided, Live};

/// Users, and who has which key.
#[derive(Clone, Default)]
pub struct World {
    mapping: Mapping,
    datasets: Datasets,
    /// What is common among everybody, and whom that is learned from.
    common: Common,
    sample: Sample,
    users: Vec<User>,
    by_id: HashMap<String, usize>,
    /// Those who were first seen last at the end, as a server has them.
    holders: HashMap<LinkKey, Vec<(usize, Timestamp)>>,
}

#[derive(Clone, Default)]
struct User {
    id: String,
    data: Map<String, Value>,
    profile: Profile,
    state: IdentityState,
}

impl World {
    pub fn new(mapping: Mapping, datasets: Datasets) -> Self {
        Self { mapping, datasets, ..Self::default() }
    }

    /// Folds an event into its identity; one of nobody changes nothing. The answer is what turns out to be common.
    pub fn take(&mut self, event: &Event) -> Vec<LinkKey> {
        let Some(named) = &event.identity else { return Vec::new() };
        let place = self.place(&named.id);
        let user = &mut self.users[place];
        let mut keys = link::new_keys(event, &user.state);
        // Data that would grow too large is refused with its event, as at the server's door.
        let Ok(changed) = identity::merge(&mut user.data, &named.data) else { return Vec::new() };
        if changed {
            let before: Vec<_> = link::profile_keys(&user.profile).collect();
            user.profile = Profile::from_data(&user.data, &self.mapping);
            let after: Vec<_> = link::profile_keys(&user.profile).collect();
            for key in before.iter().filter(|key| !after.contains(key)) {
                if let Some(holders) = self.holders.get_mut(key) {
                    holders.retain(|(holder, _)| *holder != place);
                }
            }
            keys.extend(after.into_iter().filter(|key| !before.contains(key)));
        }
        let times = (user.state.first_event_at(), event.timestamp);
        user.state.fold(event);
        let shown = common::values(event, &keys);
        let learned = self.sample.take(&named.id, times, &shown, &self.common);
        learned.iter().for_each(|key| self.common.insert(key.clone()));
        for key in keys {
            let holders = self.holders.entry(key).or_default();
            if let Err(at) = holders.binary_search_by_key(&place, |(holder, _)| *holder) {
                holders.insert(at, (place, event.timestamp));
            }
        }
        learned
    }

    /// Notes these identities in the order in which a server has first seen them: those of one commit it numbers by name.
    pub fn number<'a>(&mut self, ids: impl IntoIterator<Item = &'a str>) {
        for id in ids {
            self.place(id);
        }
    }

    fn place(&mut self, id: &str) -> usize {
        self.by_id.get(id).copied().unwrap_or_else(|| {
            self.users.push(User { id: id.to_owned(), ..User::default() });
            self.by_id.insert(id.to_owned(), self.users.len() - 1);
            self.users.len() - 1
        })
    }

    /// Scores an identity as it stands; `None` for one that is not there.
    pub fn analyze(&self, id: &str, weights: &Weights) -> Option<Analysis> {
        let place = *self.by_id.get(id)?;
        let user = &self.users[place];
        let keys = link::current_keys(&user.state, &user.profile, &self.common, |_| false);
        let shared: Vec<_> = keys.into_iter().filter_map(|key| self.shared(place, key)).collect();
        let now = user.state.last_event_at().unwrap_or_default();
        let known = (&self.mapping, &self.datasets, &self.common);
        Some(analyze(&Snapshot::new(now, &user.profile, known, &user.state, &shared), weights))
    }

    /// Everybody, in the order in which they came.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.users.iter().map(|user| user.id.as_str())
    }

    /// Who else has a key.
    fn shared(&self, place: usize, key: LinkKey) -> Option<SharedKey> {
        let others: Vec<_> = self
            .holders
            .get(&key)?
            .iter()
            .rev()
            .filter(|(holder, _)| *holder != place)
            .take(key.kind.others_max())
            .map(|(holder, first_seen_at)| {
                let User { id, profile, state, .. } = &self.users[*holder];
                OtherIdentity {
                    id: id.clone(),
                    first_seen_at: *first_seen_at,
                    name: profile.name.clone(),
                    email: profile.email.clone(),
                    date_of_birth: profile.date_of_birth.clone(),
                    address: profile.address.clone(),
                    first_hour: link::first_hour(state, &key),
                    verdict: None,
                }
            })
            .collect();
        let since = link::held_since(&self.users[place].state, &key)?;
        (!others.is_empty()).then_some(SharedKey { key, since, others })
    }
}
