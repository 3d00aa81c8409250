//! Telling those who watch what has changed. Whoever listens has a place where the news is put until it is
//! fetched; one look at the store, every now and then while somebody listens, fills them all.

mod look;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::Notify;

use crate::limit::{self, Limit};

pub use look::{Watch, look};

/// Those who can listen at once.
pub const LISTENERS_MAX: usize = 256;
/// Of them, with the sessions of one person: more than the six connections that a browser makes to one server.
pub const LISTENERS_OF_PERSON_MAX: usize = 8;
/// Of them, with one secret key: a few for each of some machines.
pub const LISTENERS_OF_KEY_MAX: usize = 32;
/// Identities that a message names.
const IDENTITIES_MAX: usize = 50;

/// What something has changed of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    Events,
    Identities,
    Groups,
    Devices,
    Escalations,
    Deliveries,
}

impl Topic {
    pub const ALL: [Self; 6] =
        [Self::Events, Self::Identities, Self::Groups, Self::Devices, Self::Escalations, Self::Deliveries];

    pub fn name(self) -> &'static str {
        match self {
            Self::Events => "EVENTS",
            Self::Identities => "IDENTITIES",
            Self::Groups => "GROUPS",
            Self::Devices => "DEVICES",
            Self::Escalations => "ESCALATIONS",
            Self::Deliveries => "DELIVERIES",
        }
    }
}

/// What has changed for a team.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct News {
    pub topics: BTreeSet<Topic>,
    /// External ids; not all of them where there are many.
    pub identities: BTreeSet<String>,
}

impl News {
    fn name(&mut self, identity: String) {
        if self.identities.len() < IDENTITIES_MAX {
            self.identities.insert(identity);
        }
    }

    fn add(&mut self, other: &Self) {
        self.topics.extend(&other.topics);
        other.identities.iter().for_each(|identity| self.name(identity.clone()));
    }
}

/// By what somebody listens, and no longer than that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pass {
    Session { token_hash: Vec<u8>, user_id: i64 },
    Credential(i64),
}

impl Pass {
    fn is_of_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Session { user_id, .. }, Self::Session { user_id: other, .. }) => user_id == other,
            (Self::Credential(id), Self::Credential(other)) => id == other,
            _ => false,
        }
    }

    fn limit(&self) -> (usize, Limit) {
        match self {
            Self::Session { .. } => (LISTENERS_OF_PERSON_MAX, Limit::StreamsOfPerson),
            Self::Credential(_) => (LISTENERS_OF_KEY_MAX, Limit::StreamsOfKey),
        }
    }
}

/// Why somebody cannot listen.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    /// All places are taken, or the server stops.
    Full,
    /// They listen this many times already.
    TooOften(usize),
}

/// Where news waits for somebody who listens.
pub struct Ear {
    team_id: i64,
    pass: Pass,
    heard: Mutex<Heard>,
    changed: Notify,
}

#[derive(Default)]
struct Heard {
    /// Whether the store has been looked at since: from then on nothing is missed.
    is_ready: bool,
    news: Option<News>,
    is_over: bool,
}

impl Ear {
    /// What has changed since the last call; nothing the first time, when from then on all is heard. `None`
    /// when the server stops.
    pub async fn next(&self) -> Option<News> {
        loop {
            let heard = {
                let mut heard = self.heard();
                if heard.is_over {
                    return None;
                }
                heard.news.take()
            };
            match heard {
                Some(news) => return Some(news),
                None => self.changed.notified().await,
            }
        }
    }

    /// The hash of the session by which this listens, if it is by one.
    fn session(&self) -> Option<Vec<u8>> {
        match &self.pass {
            Pass::Session { token_hash, .. } => Some(token_hash.clone()),
            Pass::Credential(_) => None,
        }
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// After a look at the store that began when this was there.
    fn tell(&self, news: Option<&News>) {
        let mut heard = self.heard();
        if !heard.is_ready {
            (heard.is_ready, heard.news) = (true, Some(News::default()));
        } else if let Some(news) = news {
            heard.news.get_or_insert_default().add(news);
        }
        drop(heard);
        self.changed.notify_one();
    }

    fn end(&self) {
        self.heard().is_over = true;
        self.changed.notify_one();
    }
}

/// Those who listen.
#[derive(Default)]
pub struct Audience {
    ears: Mutex<Ears>,
    /// Wakes whoever looks at the store.
    came: Notify,
}

#[derive(Default)]
struct Ears {
    /// Those that were dropped listen no more.
    present: Vec<Weak<Ear>>,
    is_over: bool,
}

impl Audience {
    /// Somebody who listens until this is dropped.
    ///
    /// # Errors
    /// When there are too many, in all or of theirs.
    pub fn join(&self, team_id: i64, pass: Pass) -> Result<Arc<Ear>, Refused> {
        let mut ears = self.ears();
        ears.present.retain(|ear| ear.strong_count() > 0);
        let theirs =
            ears.present.iter().filter_map(Weak::upgrade).filter(|ear| ear.pass.is_of_same(&pass)).count();
        let (theirs_max, of_theirs) = pass.limit();
        if theirs >= theirs_max {
            limit::reached(of_theirs);
            return Err(Refused::TooOften(theirs));
        }
        if ears.present.len() >= LISTENERS_MAX {
            limit::reached(Limit::Streams);
            return Err(Refused::Full);
        }
        if ears.is_over {
            return Err(Refused::Full);
        }
        let ear = Arc::new(Ear { team_id, pass, heard: Mutex::default(), changed: Notify::new() });
        ears.present.push(Arc::downgrade(&ear));
        self.came.notify_one();
        Ok(ear)
    }

    /// Resolves when somebody has come since the last time.
    pub async fn came(&self) {
        self.came.notified().await;
    }

    /// Ends listening: the server stops.
    pub fn close(&self) {
        self.ears().is_over = true;
        self.present().iter().for_each(|ear| ear.end());
    }

    fn present(&self) -> Vec<Arc<Ear>> {
        self.ears().present.iter().filter_map(Weak::upgrade).collect()
    }

    fn ears(&self) -> MutexGuard<'_, Ears> {
        self.ears.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn news(topic: Topic, identities: impl IntoIterator<Item = usize>) -> News {
        let identities = identities.into_iter().map(|n| format!("user {n:03}"));
        News { topics: BTreeSet::from([topic]), identities: identities.collect() }
    }

    const KEY: Pass = Pass::Credential(1);

    fn session(user_id: i64) -> Pass {
        Pass::Session { token_hash: Vec::new(), user_id }
    }

    #[tokio::test]
    async fn what_is_not_fetched_is_put_together() {
        let audience = Audience::default();
        let ear = audience.join(1, KEY).expect("a place");
        ear.tell(Some(&news(Topic::Groups, 0..1)));
        assert_eq!(ear.next().await, Some(News::default()), "what was before is no news");
        ear.tell(Some(&news(Topic::Events, 0..2)));
        ear.tell(None);
        ear.tell(Some(&news(Topic::Identities, 1..100)));
        let told = ear.next().await.expect("news");
        assert_eq!(told.topics, BTreeSet::from([Topic::Events, Topic::Identities]));
        assert_eq!(told.identities, news(Topic::Events, 0..IDENTITIES_MAX).identities);
        ear.tell(Some(&told));
        audience.close();
        assert_eq!(ear.next().await, None);
        assert_eq!(audience.join(1, KEY).err(), Some(Refused::Full), "nobody comes any more");
    }

    #[test]
    fn there_is_a_place_again_when_somebody_has_left() {
        let audience = Audience::default();
        let join = |n: usize| audience.join(1, session(n as i64)).map(|ear| ear.team_id);
        let mut ears: Vec<_> =
            (0..LISTENERS_MAX).map(|n| audience.join(1, session(n as i64)).expect("a place")).collect();
        assert_eq!(join(LISTENERS_MAX), Err(Refused::Full));
        ears.pop();
        assert_eq!(join(LISTENERS_MAX), Ok(1));
    }

    #[test]
    fn nobody_takes_more_than_a_few_places() {
        let audience = Audience::default();
        for (pass, max) in [(session(7), LISTENERS_OF_PERSON_MAX), (KEY, LISTENERS_OF_KEY_MAX)] {
            let mut ears: Vec<_> =
                (0..max).map(|_| audience.join(1, pass.clone()).expect("a place")).collect();
            assert_eq!(audience.join(1, pass.clone()).err(), Some(Refused::TooOften(max)));
            assert!(audience.join(1, session(8)).is_ok() && audience.join(1, Pass::Credential(2)).is_ok());
            ears.pop();
            assert!(audience.join(1, pass).is_ok());
        }
    }
}
