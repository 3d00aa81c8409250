//! Every function of the store, on both engines.

mod analyses;
mod attempts;
mod badges;
mod bulk_changes;
mod channels;
mod common;
mod completeness;
mod counters;
mod credentials;
mod decisions;
mod deliveries;
mod delivery_queue;
mod escalations;
mod events;
mod identities;
mod identity_queue;
mod labels;
mod links;
mod lists;
mod live;
mod nodes;
mod oauth;
mod records;
mod refold;
mod retention;
mod rules;
mod schema;
mod shards;
mod sign_ins;
mod silent;
mod sslmode;
mod team_lists;
mod teams;
mod transactions;
mod users;
mod versions;
mod views;
mod waiting;
mod weights;

use std::collections::BTreeSet;
use std::sync::Arc;

use dregs_core::link::KeyHasher;
use dregs_core::score::Scores;
use dregs_core::time::Timestamp;
use dregs_server::store::identities::{TrackedWrite, save_tracked};
use dregs_server::store::{Result, Store, Tx};
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::support::engine::{Database, Engine, store};

/// More rows than one statement takes on PostgreSQL, twice over.
const MANY: usize = 300;

/// Where rows are.
const HASHER: KeyHasher = KeyHasher::new([7; 16]);

/// An empty store; it is gone when this is dropped.
struct Ground {
    store: Arc<Store>,
    _folder: TempDir,
    _database: Database,
}

impl Ground {
    fn new(engine: Engine) -> Self {
        let (store, folder, database) = store(engine);
        Self { store: Arc::new(store), _folder: folder, _database: database }
    }

    /// Commits what `closure` does.
    async fn write<R: Send + 'static>(
        &self,
        closure: impl FnMut(&mut Tx) -> Result<R> + Send + 'static,
    ) -> R {
        self.store.write(closure).await.unwrap()
    }

    async fn read<R: Send + 'static>(
        &self,
        closure: impl FnOnce(&mut Tx) -> Result<R> + Send + 'static,
    ) -> R {
        self.store.read(closure).await.unwrap()
    }

    /// Stores an identity for each name; the answer is their row ids.
    async fn identities(&self, names: &[&str]) -> Vec<i64> {
        let writes: Vec<_> = names.iter().map(|name| first_seen(1, name)).collect();
        let inserted = self.write(move |tx| save_tracked(tx, &writes)).await;
        let id = |name: &&str| inserted.iter().find(|(_, external_id, _)| external_id == name).unwrap().2;
        names.iter().map(id).collect()
    }

    /// Runs `claim` many times at once until nothing is left to claim; the answer is everything
    /// that was claimed, in order.
    async fn claim_at_once<C>(&self, claim: C) -> Vec<i64>
    where
        C: FnMut(&mut Tx) -> Result<Vec<i64>> + Clone + Send + 'static,
    {
        let mut all = Vec::new();
        loop {
            let mut claims = JoinSet::new();
            for _ in 0..8 {
                let (store, claim) = (Arc::clone(&self.store), claim.clone());
                claims.spawn(async move { store.write(claim).await.unwrap() });
            }
            let claimed = claims.join_all().await.concat();
            if claimed.is_empty() {
                all.sort_unstable();
                return all;
            }
            all.extend(claimed);
        }
    }
}

const fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// An identity of a team that is seen for the first time, due at once.
fn first_seen(team_id: i64, name: &str) -> TrackedWrite {
    TrackedWrite {
        row: None,
        shard: HASHER.shard(team_id, &[name]),
        team_id,
        external_id: name.into(),
        tracked_at: at(100),
        first_seen_at: at(100),
        evaluate_at: at(100),
        display_name: None,
        display_email: None,
        display_username: None,
        state: vec![1, 2, 3],
        data: "{}".into(),
        trace: Default::default(),
    }
}

/// Identities of a team as `load_tracked` looks for them.
fn keys<'n>(names: &[&'n str]) -> Vec<(i64, i64, &'n str)> {
    names.iter().map(|name| (HASHER.shard(1, &[name]), 1, *name)).collect()
}

fn scores(humanity: u8) -> Scores {
    Scores { humanity: Some(humanity), authenticity: None, uniqueness: Some(0), behavior: Some(100) }
}

fn set<T: Ord>(values: impl IntoIterator<Item = T>) -> BTreeSet<T> {
    values.into_iter().collect()
}

fn sorted<T: Ord>(values: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut values = Vec::from_iter(values);
    values.sort();
    values
}
