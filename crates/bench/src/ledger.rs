//! Which identity's event was sent when, and when its webhook came: shared by the loader, which fills
//! in the one, and the sink, which fills in the other.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use crate::clock;
use crate::error::{Error, Result};
use crate::latency::Latencies;

/// When nothing new has come for so long, what is missing will not come.
const STALL_SECONDS: u64 = 20;
/// How often a wait looks whether it is over. It takes no part in any figure.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The books of one server's life. Cloning it shares it.
#[derive(Clone, Default)]
pub struct Ledger {
    books: Arc<Mutex<Books>>,
}

/// What the sink has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Webhooks whose signature is right.
    pub verified: u64,
    /// Identities with at least one of them.
    pub identities: u64,
    /// Webhooks that are not right, or about nobody.
    pub rejected: u64,
}

#[derive(Default)]
struct Books {
    pages: Vec<Page>,
    tally: Tally,
    last_first: Option<Instant>,
    last: Option<Instant>,
    /// Room for identities that wait for their webhook, in a loop that bounds them.
    outstanding: Option<Arc<Semaphore>>,
}

/// One identity.
#[derive(Clone, Copy, Default)]
struct Page {
    sent: Option<Instant>,
    first: Option<Instant>,
    last: Option<Instant>,
}

impl Ledger {
    /// Makes room for so many more identities and says which.
    pub fn extend(&self, identities: u64) -> Range<u64> {
        let mut books = self.books();
        let start = books.pages.len();
        books.pages.resize(start + identities as usize, Page::default());
        start as u64..books.pages.len() as u64
    }

    /// From now on, [`Ledger::room`] lets at most so many identities wait for their first webhook; `None`
    /// is no bound.
    pub fn bound(&self, outstanding_max: Option<usize>) {
        self.books().outstanding = outstanding_max.map(|max| Arc::new(Semaphore::new(max)));
    }

    /// Waits until one more identity may wait for its webhook.
    pub async fn room(&self) {
        let outstanding = self.books().outstanding.clone();
        if let Some(outstanding) = outstanding
            && let Ok(permit) = outstanding.acquire().await
        {
            permit.forget();
        }
    }

    /// Notes that the event of an identity is (or should have been) sent `at`.
    pub fn sent(&self, identity: u64, at: Instant) {
        if let Some(page) = self.books().pages.get_mut(identity as usize) {
            page.sent = Some(at);
        }
    }

    /// Notes a verified webhook about an identity, received `at`.
    pub fn received(&self, identity: Option<u64>, at: Instant) {
        let mut books = self.books();
        let Books { pages, tally, last_first, last, outstanding } = &mut *books;
        let Some(page) = identity.and_then(|index| pages.get_mut(index as usize)) else {
            tally.rejected += 1;
            return;
        };
        tally.verified += 1;
        *last = Some(at);
        page.last = Some(at);
        if page.first.is_none() {
            page.first = Some(at);
            *last_first = Some(at);
            tally.identities += 1;
            if let Some(outstanding) = outstanding {
                outstanding.add_permits(1);
            }
        }
    }

    /// Notes a webhook that does not verify.
    pub fn rejected(&self) {
        self.books().tally.rejected += 1;
    }

    /// What the sink has seen so far.
    pub fn tally(&self) -> Tally {
        self.books().tally
    }

    /// From sending to the first webhook, of every identity of a range that has one.
    pub fn latencies(&self, range: Range<u64>) -> Latencies {
        let books = self.books();
        let mut latencies = Latencies::default();
        for page in &books.pages[range.start as usize..range.end as usize] {
            if let (Some(sent), Some(first)) = (page.sent, page.first) {
                latencies.add(first.saturating_duration_since(sent));
            }
        }
        latencies
    }

    /// Waits until every identity of the range has a webhook.
    ///
    /// Answers when the last of them came. An error when none comes for [`STALL_SECONDS`] or one of them
    /// does not verify.
    pub async fn wait_for_first(&self, range: Range<u64>) -> Result<Instant> {
        let arrived = |books: &Books| {
            let pages = &books.pages[range.start as usize..range.end as usize];
            pages.iter().filter(|page| page.first.is_some()).count() as u64
        };
        self.wait("the first webhook of every identity", range.end - range.start, arrived).await?;
        Ok(self.books().last_first.unwrap_or_else(clock::now))
    }

    /// Waits until every identity of the range has a webhook newer than its last event, and then until
    /// no more has come for `quiet`. The errors are those of [`Ledger::wait_for_first`].
    pub async fn wait_for_last(&self, range: Range<u64>, quiet: Duration) -> Result<()> {
        let settled = |books: &Books| {
            let pages = &books.pages[range.start as usize..range.end as usize];
            pages.iter().filter(|page| page.last.is_some() && page.last >= page.sent).count() as u64
        };
        self.wait("the webhook after the last event of every identity", range.end - range.start, settled)
            .await?;
        while self.books().last.is_some_and(|last| clock::now() - last < quiet) {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    async fn wait(&self, what: &'static str, wanted: u64, count: impl Fn(&Books) -> u64) -> Result<()> {
        let mut last_progress = (self.tally().verified, clock::now());
        loop {
            let (tally, done) = {
                let books = self.books();
                // Counting walks all pages, so it is left until it can be the last time.
                let may_be_done = books.tally.identities >= wanted;
                (books.tally, if may_be_done { count(&books) } else { books.tally.identities })
            };
            if tally.rejected > 0 {
                return Err(Error::Protocol(format!("{} webhooks do not verify", tally.rejected)));
            }
            if done >= wanted {
                return Ok(());
            }
            if tally.verified > last_progress.0 {
                last_progress = (tally.verified, clock::now());
            } else if clock::now() - last_progress.1 > Duration::from_secs(STALL_SECONDS) {
                return Err(Error::Stalled { what, done, wanted, seconds: STALL_SECONDS });
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
