//! Those who wait for the cycle that sees their event. Whoever scores an identity says so here; one read tells all who wait
//! for it, and however many wait, a look at the store reads each identity once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout_at};

use crate::limit::{self, Limit};
use crate::ops::decide::current::{self, Current};
use crate::ops::team::rules::OfTeams;
use crate::store::{Result, Store};
use dregs_core::time::Timestamp;

/// Those who can wait at once: as many as can wait for their event to be stored.
pub const WAITERS_MAX: usize = 4_096;
/// Identities that one read tells of.
const READ_MAX_IDENTITIES: usize = 128;

/// What is known of an identity: nothing yet; that it is gone; or how it stands.
type Told = Option<Option<Arc<Current>>>;

/// Those who wait, by identity.
#[derive(Default)]
pub struct Awaited {
    inner: Mutex<Inner>,
    /// Wakes whoever reads for them.
    changed: Notify,
}

#[derive(Default)]
struct Inner {
    /// By row id.
    identities: BTreeMap<i64, Identity>,
    /// Those of them that were scored since they were read.
    scored: BTreeSet<i64>,
    waiters: usize,
    is_over: bool,
}

struct Identity {
    waiters: usize,
    told: watch::Sender<Told>,
}

/// Somebody who waits, until this is dropped.
pub struct Waiter {
    awaited: Arc<Awaited>,
    identity_id: i64,
    /// Which of the identity's events it is, counted from 1: a cycle that has seen as many has seen it.
    event: i64,
    told: watch::Receiver<Told>,
}

/// What somebody has waited for.
#[derive(Debug, PartialEq)]
pub enum Answer {
    /// How the identity stands after the cycle that has seen the event.
    Seen(Arc<Current>),
    /// There was no such cycle in time. How the identity stood before, as far as that was read.
    Pending(Option<Arc<Current>>),
    /// The identity was erased meanwhile.
    Gone,
}

impl Awaited {
    /// Waits for the cycle that sees event number `event` of an identity. `None` where there are too many who wait, or the
    /// server stops.
    pub fn join(self: &Arc<Self>, identity_id: i64, event: i64) -> Option<Waiter> {
        let mut inner = self.inner();
        if inner.is_over {
            return None;
        }
        if inner.waiters >= WAITERS_MAX {
            limit::reached(Limit::DecisionWaiters);
            return None;
        }
        inner.waiters += 1;
        let is_first = inner.waiters == 1;
        let fresh = || Identity { waiters: 0, told: watch::Sender::new(None) };
        let identity = inner.identities.entry(identity_id).or_insert_with(fresh);
        identity.waiters += 1;
        let told = identity.told.subscribe();
        drop(inner);
        if is_first {
            self.changed.notify_one();
        }
        Some(Waiter { awaited: Arc::clone(self), identity_id, event, told })
    }

    /// Says that cycles of these identities were committed.
    pub fn scored(&self, ids: impl Iterator<Item = i64>) {
        let mut inner = self.inner();
        if inner.identities.is_empty() {
            return;
        }
        let ids: Vec<_> = ids.filter(|id| inner.identities.contains_key(id)).collect();
        if ids.is_empty() {
            return;
        }
        inner.scored.extend(ids);
        drop(inner);
        self.changed.notify_one();
    }

    /// Resolves when somebody was scored, or is the first to wait.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// How many wait.
    pub fn waiters(&self) -> usize {
        self.inner().waiters
    }

    /// Tells those who wait how the identities stand that were scored since the last look; or, to find what other nodes have
    /// scored, how all stand. One read for so many of them.
    ///
    /// # Errors
    /// Those of the store. The next look finds what this one would have.
    pub async fn look(&self, whom: Whom, store: &Store, rules: Arc<OfTeams>, now: Timestamp) -> Result<()> {
        let ids = {
            let mut inner = self.inner();
            let scored = std::mem::take(&mut inner.scored);
            match whom {
                Whom::Scored => scored.into_iter().collect::<Vec<_>>(),
                Whom::All => inner.identities.keys().copied().collect(),
            }
        };
        for ids in ids.chunks(READ_MAX_IDENTITIES) {
            let (ids, rules) = (ids.to_vec(), Arc::clone(&rules));
            let (ids, found) = store
                .read(move |tx| {
                    let found = current::read(tx, &ids, &rules, now)?;
                    Ok((ids, found))
                })
                .await?;
            self.tell(&ids, found);
        }
        Ok(())
    }

    /// Tells how these identities stand; who was not found is gone.
    fn tell(&self, ids: &[i64], found: Vec<Current>) {
        let mut found: BTreeMap<_, _> =
            found.into_iter().map(|current| (current.identity_id, Arc::new(current))).collect();
        let inner = self.inner();
        for id in ids {
            let current = found.remove(id);
            if let Some(identity) = inner.identities.get(id) {
                identity.told.send_replace(Some(current));
            }
        }
    }

    /// Has nobody wait any more.
    pub fn close(&self) {
        let mut inner = self.inner();
        inner.is_over = true;
        // Whoever waits sees that nobody is left who could tell them anything.
        inner.identities.clear();
        inner.scored.clear();
    }

    fn leave(&self, identity_id: i64) {
        let mut inner = self.inner();
        inner.waiters = inner.waiters.saturating_sub(1);
        let Some(identity) = inner.identities.get_mut(&identity_id) else { return };
        identity.waiters = identity.waiters.saturating_sub(1);
        if identity.waiters == 0 {
            inner.identities.remove(&identity_id);
            inner.scored.remove(&identity_id);
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whom a look is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    Scored,
    All,
}

impl Waiter {
    /// Waits until `deadline` at most.
    pub async fn until(mut self, deadline: Instant) -> Answer {
        loop {
            let told = self.told.borrow_and_update().clone();
            match told {
                Some(None) => return Answer::Gone,
                Some(Some(current)) if current.seen_events >= self.event => return Answer::Seen(current),
                _ => {}
            }
            let changed = timeout_at(deadline, self.told.changed()).await;
            if !changed.is_ok_and(|changed| changed.is_ok()) {
                let told = self.told.borrow().clone();
                return match told {
                    Some(Some(current)) if current.seen_events >= self.event => Answer::Seen(current),
                    before => Answer::Pending(before.flatten()),
                };
            }
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.awaited.leave(self.identity_id);
    }
}

/// When a request is to be answered, at the latest.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// So many milliseconds after a moment.
    pub fn after(moment: Instant, millis: u32) -> Self {
        Self(moment + Duration::from_millis(millis.into()))
    }

    pub const fn at(self) -> Instant {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(identity_id: i64, seen_events: i64) -> Current {
        Current { identity_id, seen_events, ..Current::default() }
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(20)
    }

    #[tokio::test]
    async fn all_who_wait_for_an_identity_are_told_at_once_and_nobody_before_their_event_was_seen() {
        let awaited = Arc::new(Awaited::default());
        let waiters: Vec<_> = (1..=3).filter_map(|event| awaited.join(7, event)).collect();
        awaited.scored([7, 8].into_iter());
        assert_eq!(awaited.inner().scored, BTreeSet::from([7]));
        awaited.tell(&[7], vec![seen(7, 2)]);
        let mut answers = Vec::new();
        for waiter in waiters {
            answers.push(waiter.until(soon()).await);
        }
        let current = Arc::new(seen(7, 2));
        let expected = [
            Answer::Seen(Arc::clone(&current)),
            Answer::Seen(Arc::clone(&current)),
            Answer::Pending(Some(current)),
        ];
        assert_eq!(answers, expected);
        assert_eq!((awaited.waiters(), awaited.inner().identities.len()), (0, 0));
    }

    #[tokio::test]
    async fn who_is_erased_is_gone_and_who_leaves_leaves_nothing() {
        let awaited = Arc::new(Awaited::default());
        let (first, second) = (awaited.join(7, 1).unwrap(), awaited.join(8, 1).unwrap());
        awaited.scored([8].into_iter());
        drop(second);
        assert_eq!((awaited.waiters(), awaited.inner().scored.len()), (1, 0));
        awaited.tell(&[7, 8], Vec::new());
        assert_eq!(first.until(soon()).await, Answer::Gone);
    }

    #[tokio::test]
    async fn nobody_waits_for_a_server_that_stops() {
        let awaited = Arc::new(Awaited::default());
        let waiter = awaited.join(7, 1).unwrap();
        let far = Instant::now() + Duration::from_secs(3_600);
        let (answer, ()) = tokio::join!(waiter.until(far), async { awaited.close() });
        assert_eq!((answer, awaited.waiters()), (Answer::Pending(None), 0));
        assert!(awaited.join(7, 1).is_none());
    }

    #[test]
    fn no_more_wait_than_may() {
        let awaited = Arc::new(Awaited::default());
        let mut waiters: Vec<_> = (0..WAITERS_MAX).filter_map(|_| awaited.join(7, 1)).collect();
        let refused = limit::watched(|| awaited.join(7, 1).is_none());
        assert_eq!((waiters.len(), refused), (WAITERS_MAX, (true, vec![Limit::DecisionWaiters])));
        waiters.pop();
        assert!(awaited.join(8, 1).is_some());
    }
}
