//! Who may guess at a password, how often, and whose turn it is.
//!
//! Whoever knows an address can have its owner's failures counted. So they make wait those who come from anywhere; an
//! owner who comes from an address, or with a browser, from which they have signed in before is counted apart, and
//! waits in a queue apart.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use dregs_core::time::{DAY_MS, MINUTE_MS, Timestamp};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::limit::{self, Limit};
use crate::ops::access::limits::{Wait, network};
use crate::store::users::User;
use crate::store::{Result, StoreError, Tx, sign_ins};
use crate::vault::token_hash;

/// In which failures are counted.
pub const WINDOW_MS: i64 = 15 * MINUTE_MS;
/// How long it is remembered from where somebody has signed in.
pub const MARK_MS: i64 = 90 * DAY_MS;
/// Addresses and browsers that are remembered of a person.
const MARKS_MAX: i64 = 20;
/// Sign-ins that wait for their turn, in each queue. Hashing takes about 20 ms, so the last waits for less than a second.
pub const WAITING_MAX: usize = 32;
/// Of them, from one address.
pub const WAITING_OF_ADDRESS_MAX: usize = 8;
/// When to come again where the queue is full.
const QUEUE_WAIT: Wait = Wait { seconds: 2 };

/// From where somebody signs in.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    pub address: Option<IpAddr>,
    /// What their browser was given at an earlier sign-in.
    pub browser: Option<String>,
    /// What their browser calls itself.
    pub user_agent: Option<String>,
}

/// What is known of an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Stranger,
    /// The person has signed in from this address.
    Place,
    /// The person has signed in with this browser.
    Browser,
}

/// One try at a password.
#[derive(Clone)]
pub struct Attempt {
    pub standing: Standing,
    counted: Vec<Counted>,
}

/// What failures are counted of.
#[derive(Clone)]
struct Counted {
    subject: Vec<u8>,
    /// How many are too many for this attempt; `None` where it is only counted.
    limit: Option<i64>,
    name: Limit,
    /// Whether a success forgets them all.
    is_own: bool,
}

impl Attempt {
    /// A try to sign in as `email`, who is `user` if there is such a person.
    pub fn new(
        tx: &mut Tx,
        limits: &Limits,
        email: &str,
        user: Option<&User>,
        from: &Origin,
        now: Timestamp,
    ) -> Result<Self> {
        // As much is asked of somebody who does not exist.
        let user_id = user.map_or(0, |user| user.id);
        let after = now.plus_millis(-MARK_MS);
        let place = from.address.map(|address| place_mark(user_id, address));
        let browser = from.browser.as_deref().map(token_hash);
        let is_browser = is_known(tx, user_id, browser.as_deref(), after)?;
        let is_place = is_known(tx, user_id, place.as_deref(), after)?;
        let standing = match (is_browser, is_place) {
            (true, _) => Standing::Browser,
            (false, true) => Standing::Place,
            (false, false) => Standing::Stranger,
        };
        let mut counted = vec![Counted {
            subject: token_hash(&format!("account {email}")),
            limit: limits.per_account.filter(|_| standing == Standing::Stranger),
            name: Limit::LoginsOfAccount,
            is_own: standing == Standing::Stranger,
        }];
        if let Some(address) = from.address {
            counted.push(Counted {
                subject: token_hash(&format!("address {}", network(address))),
                limit: limits.per_address.filter(|_| standing != Standing::Browser),
                name: Limit::LoginsOfAddress,
                is_own: false,
            });
        }
        let own = match standing {
            Standing::Stranger => None,
            Standing::Place => place,
            Standing::Browser => browser,
        };
        let name = Limit::LoginsOfPlace;
        counted.extend(own.map(|subject| Counted { subject, limit: limits.per_account, name, is_own: true }));
        Ok(Self { standing, counted })
    }

    /// A try of somebody who is signed in at their own password.
    pub fn of_session(limits: &Limits, user_id: i64) -> Self {
        let subject = token_hash(&format!("password {user_id}"));
        Self {
            standing: Standing::Browser,
            counted: vec![Counted {
                subject,
                limit: limits.per_account,
                name: Limit::LoginsOfAccount,
                is_own: true,
            }],
        }
    }

    /// Whether it may be made now, as far as is known; [`Self::begin`] has the last word.
    pub fn look(&self, tx: &mut Tx, now: Timestamp) -> Result<std::result::Result<(), Wait>> {
        for counted in &self.counted {
            let found = sign_ins::failures(tx, &counted.subject, now.plus_millis(-WINDOW_MS))?;
            if let (Some(found), Some(limit)) = (found, counted.limit)
                && found.count >= limit
            {
                limit::reached(counted.name);
                return Ok(Err(wait(found.since, now)));
            }
        }
        Ok(Ok(()))
    }

    /// Counts it as failed, before it is known: so of many at once, on however many nodes, no more are made than may.
    pub fn begin(&self, tx: &mut Tx, now: Timestamp) -> Result<std::result::Result<(), Wait>> {
        let after = now.plus_millis(-WINDOW_MS);
        if let Err(wait) = self.look(tx, now)? {
            return Ok(Err(wait));
        }
        sign_ins::sweep(tx, after)?;
        for counted in &self.counted {
            sign_ins::count(tx, &counted.subject, after, now)?;
        }
        Ok(Ok(()))
    }

    /// It was no failure, and no success either: whoever knows the password forgets no wrong codes by it.
    pub fn take_back(&self, tx: &mut Tx) -> Result<()> {
        self.counted.iter().try_for_each(|counted| sign_ins::take_back(tx, &counted.subject))
    }

    /// It has succeeded: it is no failure, and its own failures before it are forgotten.
    pub fn succeed(&self, tx: &mut Tx) -> Result<()> {
        for counted in &self.counted {
            if counted.is_own {
                sign_ins::forget(tx, &counted.subject)?;
            } else {
                sign_ins::take_back(tx, &counted.subject)?;
            }
        }
        Ok(())
    }
}

/// Counts a failure of somebody who does not exist. It is one commit, as is the entry of the audit log for those who do:
/// on a slow or a full disk both are answered alike.
pub fn count_nobody(tx: &mut Tx, now: Timestamp) -> Result<()> {
    sign_ins::count(tx, &token_hash("nobody"), now.plus_millis(-WINDOW_MS), now).map(drop)
}

/// Remembers from where somebody has signed in.
pub fn remember(tx: &mut Tx, user_id: i64, from: &Origin, now: Timestamp) -> Result<()> {
    let place = from.address.map(|address| place_mark(user_id, address));
    let browser = from.browser.as_deref().map(token_hash);
    for mark in place.into_iter().chain(browser) {
        sign_ins::mark(tx, user_id, &mark, now, MARKS_MAX)?;
    }
    Ok(())
}

fn is_known(tx: &mut Tx, user_id: i64, mark: Option<&[u8]>, after: Timestamp) -> Result<bool> {
    mark.map_or(Ok(false), |mark| sign_ins::is_marked(tx, user_id, mark, after))
}

fn place_mark(user_id: i64, address: IpAddr) -> Vec<u8> {
    token_hash(&format!("place {user_id} {}", network(address)))
}

fn wait(since: Timestamp, now: Timestamp) -> Wait {
    metrics::counter!("dregs_login_throttled_total").increment(1);
    Wait::of_millis((WINDOW_MS - now.millis_since(since)).max(0).unsigned_abs())
}

/// How many failures are too many; `None` for any number.
#[derive(Clone, Copy)]
pub struct Limits {
    per_account: Option<i64>,
    per_address: Option<i64>,
}

impl Limits {
    /// By the numbers of the configuration, in which 0 stands for any.
    pub fn new(per_account: u64, per_address: u64) -> Self {
        let limit = |number: u64| i64::try_from(number).ok().filter(|limit| *limit > 0);
        Self { per_account: limit(per_account), per_address: limit(per_address) }
    }
}

/// Whose turn it is: one password is hashed at a time in each queue, so that strangers, however many, keep nobody
/// waiting who is known.
pub struct Turns {
    strangers: Queue,
    places: Queue,
    browsers: Queue,
}

struct Queue {
    turn: Semaphore,
    waiting: Mutex<HashMap<Option<IpAddr>, usize>>,
}

/// A turn, until it is dropped.
pub struct Turn<'a> {
    _permit: SemaphorePermit<'a>,
    _place: Place<'a>,
}

/// A place in a queue, until it is dropped.
struct Place<'a> {
    queue: &'a Queue,
    network: Option<IpAddr>,
}

impl Default for Turns {
    fn default() -> Self {
        let queue = || Queue { turn: Semaphore::new(1), waiting: Mutex::default() };
        Self { strangers: queue(), places: queue(), browsers: queue() }
    }
}

impl Turns {
    /// A turn, when it comes; at once that there is none where too many wait, in all or from one address.
    ///
    /// # Errors
    /// When the server stops.
    pub async fn take(
        &self,
        standing: Standing,
        address: Option<IpAddr>,
    ) -> Result<std::result::Result<Turn<'_>, Wait>> {
        let queue = match standing {
            Standing::Stranger => &self.strangers,
            Standing::Place => &self.places,
            Standing::Browser => &self.browsers,
        };
        let place = match queue.enter(address.map(network)) {
            Ok(place) => place,
            Err(full) => {
                limit::reached(full);
                return Ok(Err(QUEUE_WAIT));
            }
        };
        let stopping = |_| StoreError::Unavailable("the server is stopping".into());
        let permit = queue.turn.acquire().await.map_err(stopping)?;
        Ok(Ok(Turn { _permit: permit, _place: place }))
    }
}

impl Queue {
    fn enter(&self, network: Option<IpAddr>) -> std::result::Result<Place<'_>, Limit> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let of_network = waiting.get(&network).copied().unwrap_or(0);
        if of_network >= WAITING_OF_ADDRESS_MAX {
            return Err(Limit::LoginQueueOfAddress);
        }
        if waiting.values().sum::<usize>() >= WAITING_MAX {
            return Err(Limit::LoginQueue);
        }
        waiting.insert(network, of_network + 1);
        Ok(Place { queue: self, network })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut waiting = self.queue.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = waiting.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                waiting.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_queue_has_an_end_in_all_and_for_each_address_and_the_known_have_their_own() {
        let turns = Turns::default();
        let ip = |n: usize| format!("192.0.2.{n}").parse().ok();
        let mut places: Vec<_> =
            (0..WAITING_OF_ADDRESS_MAX).map(|_| turns.strangers.enter(ip(1)).expect("a place")).collect();
        let is_full =
            async |standing, address| turns.take(standing, address).await.expect("a queue").is_err();
        let full = |address| limit::watched(|| is_full(Standing::Stranger, address).now_or_never());
        assert_eq!(full(ip(1)), (Some(true), vec![Limit::LoginQueueOfAddress]));
        assert!(!is_full(Standing::Stranger, ip(2)).await);
        places.extend(
            (WAITING_OF_ADDRESS_MAX..WAITING_MAX).map(|n| turns.strangers.enter(ip(n)).expect("a place")),
        );
        assert_eq!(full(ip(99)), (Some(true), vec![Limit::LoginQueue]));
        assert!(!is_full(Standing::Place, ip(1)).await);
        assert!(!is_full(Standing::Browser, ip(1)).await);
        places.pop();
        assert!(!is_full(Standing::Stranger, ip(99)).await);
    }
}
