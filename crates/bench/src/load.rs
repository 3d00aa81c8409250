//! The loader: posts events over connections that stay open, in a closed loop (a connection sends when
//! it has its answer) or an open one (events are sent when they are due, answers or not).

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::clock::{self, Pacer};
use crate::error::{Error, Result};
use crate::events::{Generator, mix, push_number};
use crate::http::Connection;
use crate::latency::Latencies;
use crate::ledger::Ledger;
use crate::server::SECRET_KEY;

/// Where one event is posted.
pub const EVENTS: &str = "/api/events";
/// How much of a refusal an error shows.
const BODY_SHOWN_BYTES: usize = 400;
/// When an answer takes longer, the scenario ends.
const ANSWER_SECONDS_MAX: u64 = 30;
/// The most connections an open loop opens. An event due when all are busy waits, and its latency counts
/// from when it was due.
const OPEN_LOOP_CONNECTIONS_MAX: usize = 256;

/// Which events are posted: the `n`th is the generator's event `number + n`, about one of so many identities from
/// `first` on. Two feeds for one store must not have a number in common.
#[derive(Clone, Copy, Debug)]
pub struct Feed {
    pub generator: Generator,
    pub number: u64,
    pub first: u64,
    pub identities: u64,
    /// How many events there are.
    pub events: u64,
    pub who: Who,
}

/// Who acts next.
#[derive(Clone, Copy, Debug)]
pub enum Who {
    /// One after the other.
    InTurn,
    /// By Zipf's law, the n-th as often as 1/n; and one event in [`ONE_IN_NEW`] is of somebody new, numbered after them.
    AsInLife,
}

/// Of this many events, one is of somebody new.
const ONE_IN_NEW: u64 = 20;

impl Who {
    /// How many are new in so many events.
    pub fn newcomers(events: u64) -> u64 {
        events.div_ceil(ONE_IN_NEW)
    }
}

/// How a closed loop posts.
#[derive(Clone, Copy, Debug)]
pub struct Closed {
    pub connections: usize,
    /// Events a request; one means `POST /api/events`.
    pub batch: u64,
    /// No event is sent later than this after the first; `None` sends the whole feed.
    pub time_max: Option<Duration>,
    /// How many identities may wait for their webhook before the next event is sent. Only for events
    /// about distinct identities, sent one by one.
    pub outstanding_max: Option<usize>,
}

/// What a loop did.
#[derive(Debug)]
pub struct Sent {
    /// When the first event was sent.
    pub start: Instant,
    /// When the last answer came.
    pub end: Instant,
    /// Events that were acknowledged.
    pub events: u64,
    /// Decisions that were waited for and were not there in time.
    pub pending: u64,
    /// From sending a request to its answer.
    pub answers: Latencies,
}

impl Sent {
    /// Acknowledged events a second.
    pub fn rate(&self) -> f64 {
        self.events as f64 / (self.end - self.start).as_secs_f64()
    }
}

/// Posts a feed in a closed loop. The ledger, where there is one, learns when each event was sent.
pub async fn closed(address: SocketAddr, feed: Feed, how: Closed, ledger: Option<Ledger>) -> Result<Sent> {
    if let Some(ledger) = &ledger {
        ledger.bound(how.outstanding_max);
    }
    let start = clock::now();
    let next = Arc::new(Mutex::new(0));
    let mut workers = JoinSet::new();
    for _ in 0..how.connections {
        let worker = Worker {
            poster: Poster::new(address, how.batch > 1).await?,
            feed,
            how,
            ledger: ledger.clone(),
            next: Arc::clone(&next),
            until: how.time_max.map(|time| start + time),
        };
        workers.spawn(worker.run());
    }
    let mut sent = Sent { start, end: start, events: 0, pending: 0, answers: Latencies::default() };
    while let Some(worker) = workers.join_next().await {
        let (events, answers) = flatten(worker)?;
        sent.events += events;
        sent.answers.merge(answers);
    }
    sent.end = clock::now();
    Ok(sent)
}

/// Posts a feed in an open loop of `rate` events a second, one event a request. The ledger is told when
/// each event was due, so that a delay of the loader or of the server is part of the latency.
pub async fn open(address: SocketAddr, feed: Feed, rate: u64, ledger: &Ledger) -> Result<Sent> {
    open_at(address, EVENTS, feed, rate, ledger).await
}

/// The same at a path that takes one event.
pub async fn open_at(
    address: SocketAddr,
    path: &'static str,
    feed: Feed,
    rate: u64,
    ledger: &Ledger,
) -> Result<Sent> {
    let mut pacer = Pacer::new().map_err(Error::io("making a timer"))?;
    let start = clock::now();
    let mut idle: Vec<Poster> = Vec::new();
    let mut busy: JoinSet<Result<(Poster, Duration)>> = JoinSet::new();
    let mut answers = Latencies::default();
    for number in 0..feed.events {
        let due = start + Duration::from_nanos(number * 1_000_000_000 / rate);
        pacer.wait_until(due).await.map_err(Error::io("waiting for a timer"))?;
        while let Some(done) = busy.try_join_next() {
            let (poster, took) = flatten(done)?;
            answers.add(took);
            idle.push(poster);
        }
        let mut poster = match idle.pop() {
            Some(poster) => poster,
            None if busy.len() < OPEN_LOOP_CONNECTIONS_MAX => Poster::at(address, path, false).await?,
            None => {
                let Some(done) = busy.join_next().await else { continue };
                let (poster, took) = flatten(done)?;
                answers.add(took);
                poster
            }
        };
        let identity = feed.identity(number);
        ledger.sent(identity, due);
        busy.spawn(async move {
            poster.add(feed.generator, feed.number + number, identity);
            poster.post(1).await?;
            Ok((poster, clock::now().saturating_duration_since(due)))
        });
    }
    while let Some(done) = busy.join_next().await {
        let (poster, took) = flatten(done)?;
        answers.add(took);
        idle.push(poster);
    }
    let pending = idle.iter().map(|poster| poster.pending).sum();
    Ok(Sent { start, end: clock::now(), events: feed.events, pending, answers })
}

impl Feed {
    /// One event about each identity of a range, numbered like them.
    pub fn distinct(generator: Generator, range: std::ops::Range<u64>) -> Self {
        let events = range.end - range.start;
        Self {
            generator,
            number: range.start,
            first: range.start,
            identities: events,
            events,
            who: Who::InTurn,
        }
    }

    fn identity(&self, number: u64) -> u64 {
        let place = match self.who {
            Who::InTurn => number % self.identities,
            Who::AsInLife if number.is_multiple_of(ONE_IN_NEW) => self.identities + number / ONE_IN_NEW,
            Who::AsInLife => {
                // The inverse of the law's distribution, which grows with the logarithm of the rank.
                let chance = mix(number) as f64 / u64::MAX as f64;
                ((self.identities as f64).powf(chance) as u64).min(self.identities) - 1
            }
        };
        self.first + place
    }
}

/// One connection of a closed loop.
struct Worker {
    poster: Poster,
    feed: Feed,
    how: Closed,
    ledger: Option<Ledger>,
    next: Arc<Mutex<u64>>,
    until: Option<Instant>,
}

impl Worker {
    async fn run(mut self) -> Result<(u64, Latencies)> {
        let (mut events, mut answers) = (0, Latencies::default());
        loop {
            if let Some(ledger) = &self.ledger {
                ledger.room().await?;
            }
            let sent = clock::now();
            let numbers = self.take(sent);
            if numbers.is_empty() {
                return Ok((events, answers));
            }
            let count = numbers.end - numbers.start;
            for number in numbers {
                let identity = self.feed.identity(number);
                self.poster.add(self.feed.generator, self.feed.number + number, identity);
                if let Some(ledger) = &self.ledger {
                    ledger.sent(identity, sent);
                }
            }
            self.poster.post(count).await?;
            answers.add(clock::now() - sent);
            events += count;
        }
    }

    /// The numbers of the next request's events; none when the feed or the time is over.
    fn take(&self, now: Instant) -> std::ops::Range<u64> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let start = *next;
        if self.until.is_none_or(|until| now < until) {
            *next = (start + self.how.batch).min(self.feed.events);
        }
        start..*next
    }
}

/// A connection that posts events, and the buffers it does it with.
struct Poster {
    connection: Connection,
    head: String,
    body: Vec<u8>,
    request: Vec<u8>,
    is_batch: bool,
    /// Decisions that were not there in time.
    pending: u64,
}

impl Poster {
    async fn new(address: SocketAddr, is_batch: bool) -> Result<Self> {
        Self::at(address, if is_batch { "/api/events/batch" } else { EVENTS }, is_batch).await
    }

    async fn at(address: SocketAddr, path: &str, is_batch: bool) -> Result<Self> {
        Ok(Self {
            connection: Connection::open(address).await?,
            head: head(address, "POST", path),
            body: Vec::new(),
            request: Vec::new(),
            is_batch,
            pending: 0,
        })
    }

    /// Adds an event to the next request.
    fn add(&mut self, generator: Generator, number: u64, identity: u64) {
        if self.is_batch {
            self.body.push(if self.body.is_empty() { b'[' } else { b',' });
        }
        generator.write(number, identity, &mut self.body);
    }

    /// Posts what was added, `count` events. An error unless every one of them is acknowledged.
    async fn post(&mut self, count: u64) -> Result<()> {
        if self.is_batch {
            self.body.push(b']');
        }
        write_request(&mut self.request, &self.head, &self.body);
        self.body.clear();
        let answer = self.connection.exchange(&self.request);
        let answer = tokio::time::timeout(Duration::from_secs(ANSWER_SECONDS_MAX), answer)
            .await
            .map_err(|_| Error::TooSlow(ANSWER_SECONDS_MAX))??;
        if answer.status != 200 || successes(answer.body) != count {
            let shown = &answer.body[..answer.body.len().min(BODY_SHOWN_BYTES)];
            let body = String::from_utf8_lossy(shown).into_owned();
            return Err(Error::Refused {
                request: format!("a post of {count} events"),
                status: answer.status,
                body,
            });
        }
        self.pending += occurrences(answer.body, b"\"pending\":true");
        Ok(())
    }
}

/// The head of a request with the secret key, up to the value of `Content-Length`.
pub fn head(address: SocketAddr, method: &str, path: &str) -> String {
    head_as(SECRET_KEY, address, method, path)
}

/// The same with another key or token.
pub fn head_as(token: &str, address: SocketAddr, method: &str, path: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
         User-Agent: dregs-bench\r\nContent-Type: application/json\r\nContent-Length: "
    )
}

/// Puts a request together from a head that ends at the value of `Content-Length`, and a body.
pub fn write_request(request: &mut Vec<u8>, head: &str, body: &[u8]) {
    request.clear();
    request.extend_from_slice(head.as_bytes());
    push_number(request, body.len() as u64);
    request.extend_from_slice(b"\r\n\r\n");
    request.extend_from_slice(body);
}

/// How many events an answer says are stored.
fn successes(body: &[u8]) -> u64 {
    occurrences(body, b"\"success\"")
}

fn occurrences(body: &[u8], text: &[u8]) -> u64 {
    let mut count = 0;
    let mut rest = body;
    while let Some(at) = rest.windows(text.len()).position(|window| window == text) {
        count += 1;
        rest = &rest[at + text.len()..];
    }
    count
}

/// What a task answered; an error when it did not end.
pub fn flatten<T>(joined: std::result::Result<Result<T>, tokio::task::JoinError>) -> Result<T> {
    joined.unwrap_or_else(|error| Err(Error::Protocol(format!("a task of the loader failed: {error}"))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::responder;

    #[test]
    fn stored_events_are_counted_in_answers() {
        for (body, expected) in [
            (r#"{"status":"success","id":"a","fingerprint":null}"#, 1),
            (r#"[{"status":"success"},{"status":"error","code":"x"},{"status": "success"}]"#, 2),
            (r#"{"status":"rate_limited"}"#, 0),
            ("", 0),
        ] {
            assert_eq!(successes(body.as_bytes()), expected, "{body}");
        }
    }

    #[test]
    fn identities_come_back_only_after_all_others() {
        let feed = Feed { first: 10, identities: 3, ..feed(7) };
        let order: Vec<u64> = (0..feed.events).map(|number| feed.identity(number)).collect();
        assert_eq!(order, [10, 11, 12, 10, 11, 12, 10]);
    }

    #[test]
    fn a_few_act_most_of_the_time_and_one_in_twenty_is_new() {
        let feed = Feed { first: 10, identities: 1_000, who: Who::AsInLife, ..feed(20_000) };
        let who: Vec<u64> = (0..feed.events).map(|number| feed.identity(number) - feed.first).collect();
        let share = |of: std::ops::Range<u64>| {
            who.iter().filter(|who| of.contains(who)).count() as f64 / feed.events as f64
        };
        let new: Vec<u64> = who.iter().copied().filter(|who| *who >= 1_000).collect();
        assert_eq!(new, (1_000..1_000 + Who::newcomers(feed.events)).collect::<Vec<_>>());
        // ln 2, ln 10 and ln 100 of ln 1000.
        for (of, expected) in [(0..1, 0.100), (0..9, 0.333), (0..99, 0.667)] {
            assert!((share(of.clone()) / 0.95 - expected).abs() < 0.01, "{of:?}: {}", share(of.clone()));
        }
    }

    fn feed(events: u64) -> Feed {
        Feed {
            generator: Generator::new(1),
            number: 0,
            first: 0,
            identities: u64::MAX,
            events,
            who: Who::InTurn,
        }
    }

    #[tokio::test]
    async fn a_closed_loop_posts_every_event_once() {
        let address = responder::spawn().await.unwrap();
        for (batch, requests) in [(1, 250), (100, 3)] {
            let how = Closed { connections: 4, batch, time_max: None, outstanding_max: None };
            let sent = closed(address, feed(250), how, None).await.unwrap();
            assert_eq!((sent.events, sent.answers.count()), (250, requests));
        }
    }

    #[tokio::test]
    async fn an_open_loop_counts_from_when_an_event_was_due() {
        let address = responder::spawn().await.unwrap();
        let ledger = Ledger::default();
        let range = ledger.extend(5);
        let sent = open(address, feed(5), 1_000, &ledger).await.unwrap();
        assert_eq!((sent.events, sent.answers.count()), (5, 5));
        let arrival = sent.start + Duration::from_secs(1);
        range.clone().for_each(|identity| ledger.received(Some(identity), arrival));
        let mut from_due = Latencies::default();
        (0..5).for_each(|number| from_due.add(Duration::from_millis(1_000 - number)));
        assert_eq!(ledger.latencies(range), from_due);
    }

    #[tokio::test]
    async fn an_event_that_is_not_stored_ends_the_loop() {
        for (status, body) in
            [(429, r#"{"status":"success"}"#), (200, r#"{"status":"rate_limited"}"#), (200, "")]
        {
            let (listener, address) = crate::sink::listen().await.unwrap();
            tokio::spawn(async move {
                let (stream, _) = listener.accept().await.unwrap();
                let mut connection = Connection::accepted(stream).unwrap();
                connection.serve(|_| ()).await.unwrap();
                let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                connection.send(answer.as_bytes()).await.unwrap();
            });
            let how = Closed { connections: 1, batch: 1, time_max: None, outstanding_max: None };
            let refused = closed(address, feed(1), how, None).await.unwrap_err();
            assert_eq!(refused.to_string(), format!("a post of 1 events was answered {status}: {body}"));
        }
    }
}
