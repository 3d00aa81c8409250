//! What most of a team's identities have in common: learned from its events as they come, kept, and left out
//! of everybody's evidence. Of events that another node stores, the newest are read: each second, and before somebody is
//! accused.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use dregs_core::common::{self, Common, Sample, VALUES_OF_TEAM_MAX};
use dregs_core::identity::Profile;
use dregs_core::link::{self, LinkKey};
use dregs_core::time::Timestamp;

use crate::ops::evaluate::rescore::{self, Concern};
use crate::ops::ingest::refold;
use crate::ops::team::mappings::Mappings;
use crate::store::common::{self as table, CommonValue};
use crate::store::{Result, Store, StoreError, Tx, events, identities};

/// Of the newest events of all teams so many are looked at when the server starts.
pub const EVENTS_AT_START: i64 = 1_000;
/// And so many each time that there are other nodes: enough for everybody who is looked at of a team.
pub const EVENTS_OF_OTHERS: i64 = 200;

/// Numbers of events that are remembered: more than are looked at.
const TAKEN_MAX: usize = 2_000;

/// What is common in each team, and whom that is learned from.
#[derive(Default)]
pub struct Directory {
    current: RwLock<Arc<OfTeams>>,
    samples: Mutex<HashMap<i64, Sample>>,
    /// The newest events that have been taken in.
    taken: Mutex<BTreeSet<i64>>,
    /// What was learned and is not in the store yet.
    learned: Mutex<Vec<CommonValue>>,
}

/// What is common as it is known at one moment.
#[derive(Clone, Default)]
pub struct OfTeams {
    of_teams: HashMap<i64, Common>,
    /// In the order in which it was learned.
    values: Vec<CommonValue>,
    none: Common,
}

impl OfTeams {
    pub fn of(&self, team_id: i64) -> &Common {
        self.of_teams.get(&team_id).unwrap_or(&self.none)
    }

    /// What is known of a team, in the order in which it was learned.
    pub fn values(&self, team_id: i64) -> impl Iterator<Item = &CommonValue> {
        self.values.iter().filter(move |value| value.team_id == team_id)
    }

    fn add(&mut self, value: CommonValue) {
        let of_team = self.of_teams.entry(value.team_id).or_default();
        if !of_team.contains(&value.key) {
            of_team.insert(value.key.clone());
            self.values.push(value);
        }
    }
}

/// What an event showed of its identity.
pub struct Shown {
    pub team_id: i64,
    pub identity_id: String,
    /// When the identity was first seen, if it was known before; and the time of the event.
    pub times: (Option<Timestamp>, Timestamp),
    pub values: Vec<LinkKey>,
}

/// What the newest events show, as many as `limit`, without those that were `taken` in. With the first of its own an
/// identity shows all that it has, such as its mailbox: what it has shown before the server ended is not forgotten. The
/// answer has the numbers of those events, too.
fn shown_by_newest(
    tx: &mut Tx,
    mappings: &Mappings,
    limit: i64,
    taken: &BTreeSet<i64>,
) -> Result<(Vec<Shown>, Vec<i64>)> {
    let mut newest = events::newest(tx, limit)?;
    newest.retain(|newest| !taken.contains(&newest.id));
    let numbers = newest.iter().map(|newest| newest.id).collect();
    let rows: BTreeSet<_> = newest.iter().map(|newest| newest.identity_row).collect();
    let mut keys = HashMap::new();
    for row in identities::load_cycle_starts(tx, &rows.into_iter().collect::<Vec<_>>())? {
        let state = refold::decode(tx, row.id, &row.state)?;
        let data = serde_json::from_str(&row.data).map_err(|error| StoreError::Broken(error.to_string()))?;
        let profile = Profile::from_data(&data, mappings.of(row.team_id));
        keys.insert(row.id, link::current_keys(&state, &profile, &Common::default(), |_| false));
    }
    let shown = newest.into_iter().filter_map(|newest| {
        let keys = keys.remove(&newest.identity_row).unwrap_or_default();
        let values = common::values(&newest.event, &keys);
        let times = (newest.known_since, newest.event.timestamp);
        let identity_id = newest.event.identity?.id;
        Some(Shown { team_id: newest.team_id, identity_id, times, values })
    });
    Ok((shown.collect(), numbers))
}

impl Directory {
    pub fn current(&self) -> Arc<OfTeams> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes in what events with these numbers showed, in the order in which they arrived. What turns out to be common
    /// counts from then on; [`Self::keep`] has it stored.
    pub fn take(&self, (shown, numbers): (&[Shown], &[i64]), now: Timestamp) {
        {
            let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
            taken.extend(numbers);
            while taken.len() > TAKEN_MAX {
                taken.pop_first();
            }
        }
        let mut samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known = self.current();
        for Shown { team_id, identity_id, times, values } in shown {
            let sample = samples.entry(*team_id).or_default();
            let found = sample.take(identity_id, *times, values, known.of(*team_id));
            if found.is_empty() {
                continue;
            }
            let room = VALUES_OF_TEAM_MAX.saturating_sub(known.values(*team_id).count());
            let mut more = OfTeams::clone(&known);
            let mut learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
            for key in found.into_iter().take(room) {
                let (holders, identities) = sample.share(&key);
                let (holders, identities) = (holders as i64, identities as i64);
                let value = CommonValue { team_id: *team_id, key, identities, holders, learned_at: now };
                tracing::warn!(
                    team = team_id,
                    kind = value.key.kind.name(),
                    "{}",
                    common::advice(value.key.kind)
                );
                learned.push(value.clone());
                more.add(value);
            }
            known = Arc::new(more);
            *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&known);
        }
    }

    /// Reads the values again that are kept, since another node may have learned some.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn reload(&self, store: &Store) -> Result<()> {
        let kept = store.read(table::all).await?;
        let learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let mut of_teams = OfTeams::default();
        kept.into_iter().chain(learned.iter().cloned()).for_each(|value| of_teams.add(value));
        *current = Arc::new(of_teams);
        Ok(())
    }

    /// Learns from the newest events that this node was not told of itself, as many as `limit`: after a start, and of
    /// other nodes.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn look(
        &self,
        store: &Store,
        mappings: Arc<Mappings>,
        limit: i64,
        now: Timestamp,
    ) -> Result<()> {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (shown, numbers) = store.read(move |tx| shown_by_newest(tx, &mappings, limit, &taken)).await?;
        self.take((&shown, &numbers), now);
        Ok(())
    }

    /// Stores what was learned, and has those scored again who were judged by it.
    ///
    /// # Errors
    /// Those of the store; then it is tried again the next time.
    pub async fn keep(&self, store: &Store, now: Timestamp) -> Result<()> {
        let learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if learned.is_empty() {
            return Ok(());
        }
        let count = learned.len();
        store
            .write(move |tx| {
                for value in &learned {
                    // Another node may have learned it as well.
                    if table::insert(tx, value)? {
                        let CommonValue { team_id, key, .. } = value;
                        rescore::begin(tx, *team_id, Concern::Common(key.kind), &key.value, now)?;
                    }
                }
                Ok(())
            })
            .await?;
        self.learned.lock().unwrap_or_else(PoisonError::into_inner).drain(..count);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use dregs_core::link::KeyKind;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().map_or(Ok(0), |mut lines| lines.write(bytes))
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_log_says_once_what_an_integration_sends() {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        let agent = LinkKey { kind: KeyKind::Agent, value: "python-requests".to_owned() };
        let now = Timestamp::from_millis(1_795_426_200_000);
        let shown = |n: u32| Shown {
            team_id: 7,
            identity_id: format!("u{n}"),
            times: (None, now),
            values: vec![agent.clone()],
        };
        let directory = Directory::default();
        tracing::subscriber::with_default(subscriber, || {
            directory.take((&(0..100).map(shown).collect::<Vec<_>>(), &[]), now);
        });
        let written = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let told: Vec<_> = written.lines().collect();
        assert_eq!(told.len(), 1, "{written}");
        assert!(told[0].contains("WARN") && told[0].contains(common::advice(KeyKind::Agent)), "{written}");
        assert!(told[0].contains("team=7") && told[0].contains("kind=\"AGENT\""), "{written}");
        assert!(!written.contains("u1"), "nobody is named");
    }
}
