//! This server among those that run on the same database: that it lives, what each does, and who takes over what a dead one
//! had taken.
//!
//! A node counts its beats in its row. Who sees no beat of another for a while, by its own clock, removes that one and makes
//! due what it had taken. A node that could not beat stops beginning attempts before that, since others may make them by
//! then; and one that finds its row gone forgets what it had in memory and goes on as a new node.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use dregs_core::time::Timestamp;

use crate::clock::since_boot;
use crate::store::nodes::{self, Node as Row};
use crate::store::{Result, Store, Tx};

/// How often a node says that it lives.
pub const BEAT_MS: u64 = 2_000;
/// A node that has not been able to say so for this long begins no attempt.
const WORKS_MAX: Duration = Duration::from_secs(6);
/// One whose beat does not grow for this long is dead: later than it has stopped by itself.
const DEAD_AFTER: Duration = Duration::from_secs(8);

/// What a server does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roles {
    /// Answers requests, and stores events.
    pub api: bool,
    /// Scores, decides, and does what else is done in the background.
    pub evaluate: bool,
    /// Sends.
    pub deliver: bool,
}

impl Roles {
    pub const ALL: Self = Self { api: true, evaluate: true, deliver: true };
    const NAMES: [&str; 3] = ["api", "evaluate", "deliver"];

    /// Reads names separated by commas; `None` where one is none of them, or there is none.
    pub fn parse(text: &str) -> Option<Self> {
        let mut roles = Self { api: false, evaluate: false, deliver: false };
        for name in text.split(',').map(str::trim) {
            match name {
                "api" => roles.api = true,
                "evaluate" => roles.evaluate = true,
                "deliver" => roles.deliver = true,
                _ => return None,
            }
        }
        Some(roles)
    }

    fn has(self) -> [(&'static str, bool); 3] {
        let [api, evaluate, deliver] = Self::NAMES;
        [(api, self.api), (evaluate, self.evaluate), (deliver, self.deliver)]
    }
}

impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.has().into_iter().filter(|(_, has)| *has).map(|(name, _)| name).collect();
        f.write_str(&names.join(","))
    }
}

/// This server.
pub struct Node {
    pub roles: Roles,
    name: String,
    /// Nobody else works on the database, and nobody takes anything over.
    is_alone: bool,
    id: AtomicI64,
    /// How often it was taken for dead.
    epoch: AtomicU64,
    /// When it last began to say that it lives, by [`since_boot`].
    beat_at_ms: AtomicU64,
    seen: Mutex<Seen>,
}

/// What it knows of all nodes.
#[derive(Default)]
struct Seen {
    /// The beat of each, and since when it is that.
    beats: HashMap<i64, (i64, Duration)>,
    /// How many have each role, itself among them.
    by_role: BTreeMap<&'static str, usize>,
    /// Others live.
    has_company: bool,
    /// Some do not have all roles: rows are not handed on in memory by whoever makes them.
    is_divided: bool,
    /// What this node was called until its last beat, where it was taken for dead then.
    former: Option<i64>,
    /// Roles that nobody had, of which the log tells once.
    missing: Vec<&'static str>,
}

impl Node {
    /// Notes in the store that this server runs. Who is alone on a database is the only one that does.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn register(
        store: &Store,
        name: String,
        roles: Roles,
        is_alone: bool,
        now: Timestamp,
    ) -> Result<Self> {
        let node = Self {
            roles,
            name,
            is_alone,
            id: AtomicI64::default(),
            epoch: AtomicU64::default(),
            beat_at_ms: AtomicU64::default(),
            seen: Mutex::new(Seen { is_divided: roles != Roles::ALL, ..Seen::default() }),
        };
        node.enter(store, now).await?;
        Ok(node)
    }

    async fn enter(&self, store: &Store, now: Timestamp) -> Result<()> {
        let begun = since_boot();
        let (name, roles, is_alone) = (self.name.clone(), self.roles.to_string(), self.is_alone);
        let enter = move |tx: &mut Tx| {
            if is_alone {
                nodes::clear(tx)?;
            }
            let id = nodes::register(tx, &name, &roles, env!("CARGO_PKG_VERSION"), now)?;
            Ok((id, nodes::all(tx)?))
        };
        let (id, all) = store.write(enter).await?;
        self.id.store(id, Ordering::SeqCst);
        self.seen().look(&all, self.roles, id, begun);
        self.beat_at_ms.store(millis(begun), Ordering::SeqCst);
        Ok(())
    }

    /// By which its rows are known.
    pub fn id(&self) -> i64 {
        self.id.load(Ordering::SeqCst)
    }

    /// Grows when it was taken for dead: what it had taken before, others have.
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    /// Whether what it has taken is surely still its own.
    pub fn may_work(&self) -> bool {
        self.is_alone || millis(since_boot()) < self.beat_at_ms.load(Ordering::SeqCst) + millis(WORKS_MAX)
    }

    /// Whether other nodes live.
    pub fn has_company(&self) -> bool {
        self.seen().has_company
    }

    /// Whether rows come by the store alone, since those who make them do not work on them.
    pub fn is_divided(&self) -> bool {
        self.seen().is_divided
    }

    /// How many nodes have each role.
    pub fn by_role(&self) -> BTreeMap<&'static str, usize> {
        if self.is_alone {
            return Roles::NAMES.into_iter().map(|name| (name, 1)).collect();
        }
        self.seen().by_role.clone()
    }

    /// Says that it lives, and takes over from those who do not.
    ///
    /// # Errors
    /// Those of the store; it is tried again at the next beat.
    pub async fn beat(&self, store: &Store, channel_ids: &[i64], now: Timestamp) -> Result<()> {
        if self.is_alone {
            return Ok(());
        }
        let (begun, id) = (since_boot(), self.id());
        let (lives, all) = store.write(move |tx| Ok((nodes::beat(tx, id, now)?, nodes::all(tx)?))).await?;
        if lives {
            self.beat_at_ms.store(millis(begun), Ordering::SeqCst);
        } else {
            tracing::warn!(
                node = id,
                "this node was taken for dead, since it had not been heard of; what it had taken others have"
            );
            // In this order: nobody must take the old for its own once it may work again.
            self.epoch.fetch_add(1, Ordering::SeqCst);
            self.enter(store, now).await?;
        }
        // What was under way may have been written in the old name since: by the next beat it is.
        let former = std::mem::replace(&mut self.seen().former, (!lives).then_some(id));
        for id in former.into_iter().chain((!lives).then_some(id)) {
            let channel_ids = channel_ids.to_vec();
            store.write(move |tx| nodes::take_over(tx, id, &channel_ids, now)).await?;
        }
        let dead = self.seen().look(&all, self.roles, self.id(), begun);
        for row in dead {
            self.take_over(store, row, channel_ids.to_vec(), now).await?;
        }
        Ok(())
    }

    async fn take_over(&self, store: &Store, dead: Row, channel_ids: Vec<i64>, now: Timestamp) -> Result<()> {
        let Row { id, beat, .. } = dead;
        let take = move |tx: &mut Tx| match nodes::remove(tx, id, beat)? {
            true => nodes::take_over(tx, id, &channel_ids, now).map(Some),
            false => Ok(None),
        };
        if let Some((cycles, attempts)) = store.write(take).await? {
            let (node, name) = (id, dead.name);
            tracing::warn!(node, name, cycles, attempts, "a node is gone: going on with what it had taken");
        }
        Ok(())
    }

    /// Says that it ends: others go on at once with what it had taken.
    ///
    /// # Errors
    /// Those of the store; then it is found dead.
    pub async fn leave(&self, store: &Store, channel_ids: Vec<i64>, now: Timestamp) -> Result<()> {
        if self.is_alone {
            return Ok(());
        }
        let id = self.id();
        let leave = move |tx: &mut Tx| {
            let own = nodes::all(tx)?.into_iter().find(|node| node.id == id);
            if let Some(own) = own {
                nodes::remove(tx, id, own.beat)?;
                nodes::take_over(tx, id, &channel_ids, now)?;
            }
            Ok(())
        };
        store.write(leave).await
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    /// Takes in what stands of all nodes at `at`; the answer is those that are dead.
    fn look(&mut self, all: &[Row], own: Roles, own_id: i64, at: Duration) -> Vec<Row> {
        self.beats.retain(|id, _| all.iter().any(|node| node.id == *id));
        let mut dead = Vec::new();
        let mut living = vec![own];
        for node in all.iter().filter(|node| node.id != own_id) {
            let (beat, since) = self.beats.entry(node.id).or_insert((node.beat, at));
            if *beat != node.beat {
                (*beat, *since) = (node.beat, at);
            }
            if at.saturating_sub(*since) >= DEAD_AFTER {
                dead.push(node.clone());
            } else {
                // What a later version calls a role is not missed here.
                living.extend(Roles::parse(&node.roles));
            }
        }
        self.has_company = all.iter().filter(|node| node.id != own_id).count() > dead.len();
        self.is_divided = living.iter().any(|roles| *roles != Roles::ALL);
        self.by_role = Roles::NAMES.into_iter().map(|name| (name, 0)).collect();
        for (name, has) in living.iter().flat_map(|roles| roles.has()) {
            *self.by_role.entry(name).or_default() += usize::from(has);
        }
        let missing: Vec<_> =
            self.by_role.iter().filter(|(_, count)| **count == 0).map(|(name, _)| *name).collect();
        for role in missing.iter().filter(|role| !self.missing.contains(role)) {
            tracing::warn!(role, "no node has this role: what it does waits in the database");
        }
        self.missing = missing;
        dead
    }
}

/// What a server that listens at `port` is called: the name of its machine, and the port.
pub fn name(port: u16) -> String {
    format!("{}:{port}", rustix::system::uname().nodename().to_string_lossy())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: i64, beat: i64, roles: &str) -> Row {
        let at = Timestamp::from_millis(0);
        let (name, version) = (format!("host:{id}"), "0.1.0".to_owned());
        Row { id, name, roles: roles.to_owned(), version, started_at: at, beat, seen_at: at }
    }

    #[test]
    fn who_does_not_beat_for_long_enough_is_dead_whatever_its_clock_says() {
        let mut seen = Seen::default();
        let mut look = |millis, rows: &[Row]| {
            let dead = seen.look(rows, Roles::ALL, 1, Duration::from_millis(millis));
            dead.into_iter().map(|node| node.id).collect::<Vec<_>>()
        };
        let own = row(1, 0, "api,evaluate,deliver");
        assert_eq!(look(100_000, &[own.clone(), row(2, 5, "api"), row(3, 9, "api")]), [0; 0]);
        assert_eq!(look(107_999, &[own.clone(), row(2, 5, "api"), row(3, 10, "api")]), [0; 0]);
        assert_eq!(look(108_000, &[own.clone(), row(2, 5, "api"), row(3, 10, "api")]), [2]);
        assert_eq!(look(115_998, &[own.clone(), row(3, 10, "api")]), [0; 0]);
        assert_eq!(look(115_999, &[own, row(3, 10, "api")]), [3]);
    }

    #[test]
    fn counts_who_has_which_role_and_whether_they_are_divided() {
        let mut seen = Seen::default();
        let roles = Roles { api: true, evaluate: false, deliver: false };
        seen.look(
            &[row(1, 0, "api"), row(2, 0, "evaluate,deliver"), row(3, 0, "deliver")],
            roles,
            1,
            Duration::ZERO,
        );
        assert_eq!(seen.by_role, BTreeMap::from([("api", 1), ("deliver", 2), ("evaluate", 1)]));
        assert_eq!((seen.is_divided, seen.missing.len()), (true, 0));
        seen.look(&[row(1, 0, "api"), row(3, 0, "deliver")], roles, 1, Duration::ZERO);
        assert_eq!(seen.missing, ["evaluate"]);
    }

    #[test]
    fn reads_roles_as_they_are_written() {
        assert_eq!(
            Roles::parse("api, deliver").map(|roles| roles.to_string()),
            Some("api,deliver".to_owned())
        );
        assert_eq!(Roles::parse("api,evaluate,deliver"), Some(Roles::ALL));
        for wrong in ["", "api,", "API", "web"] {
            assert_eq!(Roles::parse(wrong), None, "{wrong}");
        }
    }
}
