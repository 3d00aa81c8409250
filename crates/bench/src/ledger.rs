//! Which identity's event was sent when, and when its webhook came: shared by the loader, which fills
//! in the one, and the sink, which fills in the other.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit};

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

    /// Waits until one more identity may wait for its webhook. An error when that takes
    /// [`STALL_SECONDS`].
    pub async fn room(&self) -> Result<()> {
        let Some(outstanding) = self.books().outstanding.clone() else { return Ok(()) };
        let limit = Duration::from_secs(STALL_SECONDS);
        match tokio::time::timeout(limit, outstanding.acquire()).await {
            Ok(permit) => {
                permit.into_iter().for_each(SemaphorePermit::forget);
                Ok(())
            }
            Err(_elapsed) => {
                let books = self.books();
                let sent = books.pages.iter().filter(|page| page.sent.is_some()).count() as u64;
                Err(stalled("webhooks of the identities sent so far", books.tally.identities, sent))
            }
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
        self.wait("the first webhook of every identity", range, |page| page.first.is_some()).await?;
        Ok(self.books().last_first.unwrap_or_else(clock::now))
    }

    /// Waits until every identity of the range has a webhook newer than its last event, and then until
    /// no more has come for `quiet`. Answers when the last came. The errors are those of [`Ledger::wait_for_first`].
    pub async fn wait_for_last(&self, range: Range<u64>, quiet: Duration) -> Result<Instant> {
        let settled = |page: &Page| page.last.is_some() && page.last >= page.sent;
        self.wait("the webhook after the last event of every identity", range, settled).await?;
        while self.books().last.is_some_and(|last| clock::now() - last < quiet) {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(self.books().last.unwrap_or_else(clock::now))
    }

    /// Waits until all pages of the range are done; a page that is done stays so.
    async fn wait(
        &self,
        what: &'static str,
        range: Range<u64>,
        is_done: impl Fn(&Page) -> bool,
    ) -> Result<()> {
        let (mut first_open, end) = (range.start as usize, range.end as usize);
        let mut progress = (0, clock::now());
        loop {
            let tally = {
                let books = self.books();
                first_open += books.pages[first_open..end].iter().take_while(|page| is_done(page)).count();
                books.tally
            };
            if tally.rejected > 0 {
                return Err(Error::Protocol(format!("{} webhooks do not verify", tally.rejected)));
            }
            if first_open == end {
                return Ok(());
            }
            if tally.verified > progress.0 {
                progress = (tally.verified, clock::now());
            } else if clock::now() - progress.1 > Duration::from_secs(STALL_SECONDS) {
                let books = self.books();
                let pages = &books.pages[range.start as usize..end];
                let done = pages.iter().filter(|page| is_done(page)).count() as u64;
                return Err(stalled(what, done, range.end - range.start));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn stalled(what: &'static str, done: u64, wanted: u64) -> Error {
    Error::Stalled { what, done, wanted, seconds: STALL_SECONDS }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Duration = Duration::ZERO;

    /// Whether a wait is over at once.
    async fn is_over<T>(wait: impl Future<Output = Result<T>>) -> bool {
        tokio::time::timeout(Duration::ZERO, wait).await.is_ok_and(|result| result.is_ok())
    }

    #[tokio::test]
    async fn a_range_is_waited_for_until_its_last_identity_has_a_webhook() {
        let ledger = Ledger::default();
        let (old, new) = (ledger.extend(1), ledger.extend(2));
        let start = clock::now();
        let after = |millis| start + Duration::from_millis(millis);
        (0..3).for_each(|identity| ledger.sent(identity, start));
        ledger.received(Some(2), after(1));
        ledger.received(Some(2), after(5));
        assert!(!is_over(ledger.wait_for_first(new.clone())).await);
        ledger.received(Some(1), after(3));
        assert_eq!(ledger.wait_for_first(new.clone()).await.unwrap(), after(3));
        assert!(!is_over(ledger.wait_for_first(old)).await);

        let mut expected = Latencies::default();
        [3, 1].into_iter().for_each(|millis| expected.add(Duration::from_millis(millis)));
        assert_eq!(ledger.latencies(new), expected);
        assert_eq!(ledger.tally(), Tally { verified: 3, identities: 2, rejected: 0 });
    }

    #[tokio::test]
    async fn an_identity_is_settled_by_a_webhook_newer_than_its_last_event() {
        let ledger = Ledger::default();
        let range = ledger.extend(1);
        let start = clock::now();
        ledger.sent(0, start);
        ledger.received(Some(0), start);
        assert!(is_over(ledger.wait_for_last(range.clone(), QUIET)).await);
        ledger.sent(0, start + Duration::from_millis(1));
        assert!(!is_over(ledger.wait_for_last(range.clone(), QUIET)).await);
        ledger.received(Some(0), start + Duration::from_millis(2));
        assert!(is_over(ledger.wait_for_last(range, QUIET)).await);
    }

    #[tokio::test]
    async fn one_webhook_that_does_not_verify_ends_a_wait() {
        let ledger = Ledger::default();
        let range = ledger.extend(1);
        ledger.rejected();
        assert!(matches!(ledger.wait_for_first(range).await, Err(Error::Protocol(_))));
    }

    #[tokio::test]
    async fn a_first_webhook_makes_room_for_the_next_identity() {
        let ledger = Ledger::default();
        ledger.extend(2);
        ledger.bound(Some(1));
        assert!(is_over(ledger.room()).await);
        assert!(!is_over(ledger.room()).await);
        ledger.received(Some(0), clock::now());
        assert!(is_over(ledger.room()).await);
        ledger.received(Some(0), clock::now());
        assert!(!is_over(ledger.room()).await, "a repeat makes none");
    }
}
