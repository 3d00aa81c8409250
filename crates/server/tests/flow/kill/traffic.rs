//! Events as applications send them, repeats and refused ones among them, and endpoints that
//! answer as the mood takes them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use dregs_core::time::{DAY_MS, Timestamp};
use dregs_server::clock::{Clock as _, SystemClock};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::task::{JoinError, JoinSet};

use crate::support::receiver::{Conversation, Receiver};
use crate::support::server::SECRET_KEY;

pub const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const SORRY: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 5\r\n\r\nsorry";

const SENDERS: usize = 4;
/// Fewer than are looked at of the others on a key, so that it does not matter in which order they came.
const USERS: u32 = 90;
const DEVICES: u32 = 30;
const BATCH_MAX_EVENTS: usize = 20;
/// What happens between two events, in the application's own time: no two happen at once.
const EVENT_EVERY_MS: i64 = 700;
/// A sender pauses this long at most between two requests: the storm is to be killed, not to fill
/// two cores that other tests share.
const PAUSE_MAX_MS: u64 = 10;
/// A request that takes longer has lost its server.
const REQUEST_MAX: Duration = Duration::from_secs(5);
/// Until a patient sender tries again.
const AGAIN_AFTER: Duration = Duration::from_millis(100);

/// What was sent, and what of it was acknowledged.
#[derive(Default)]
pub struct Ledger {
    sent: Vec<Value>,
    acknowledged: BTreeSet<String>,
}

impl Ledger {
    /// The event with this id, if one was sent.
    pub fn sent(&self, id: &str) -> Option<&Value> {
        self.sent.iter().find(|event| event["id"] == id)
    }

    /// What was acknowledged so far.
    pub fn acknowledged(&self) -> BTreeSet<String> {
        self.acknowledged.clone()
    }

    /// Takes back what was acknowledged after that.
    pub fn set_acknowledged(&mut self, acknowledged: BTreeSet<String>) {
        self.acknowledged = acknowledged;
    }

    /// What is wrong with the stored events (id and user), held against what was sent.
    pub fn compare(&self, stored: &BTreeMap<String, Option<String>>) -> Vec<String> {
        let sent: BTreeMap<_, _> = self
            .sent
            .iter()
            .map(|event| (event["id"].as_str().unwrap(), event["identity"]["id"].as_str().map(str::to_owned)))
            .collect();
        let lost = self.acknowledged.iter().filter(|id| !stored.contains_key(*id));
        let changed = stored.iter().filter(|(id, user)| sent.get(id.as_str()) != Some(*user));
        lost.map(|id| format!("{id} was acknowledged and is lost"))
            .chain(changed.map(|(id, user)| format!("{id} of {user:?} was never sent like this")))
            .collect()
    }
}

/// Senders that go on from where they were when their server was killed.
#[derive(Clone)]
pub struct Traffic {
    ledger: Arc<Mutex<Ledger>>,
    /// When the first event happened.
    begin: Timestamp,
    /// Whether a request is made again, the same, until there is an answer.
    is_patient: bool,
}

impl Default for Traffic {
    fn default() -> Self {
        Self { ledger: Arc::default(), begin: SystemClock.now().plus_millis(-DAY_MS), is_patient: false }
    }
}

impl Traffic {
    /// Of senders who make a request again that was not answered, as applications should.
    pub fn patient() -> Self {
        Self { is_patient: true, ..Self::default() }
    }

    /// Starts senders, who stop when their server is gone, unless they are patient.
    pub fn start(&self, address: SocketAddr, rng: &mut StdRng) -> Senders {
        let mut senders = JoinSet::new();
        for _ in 0..SENDERS {
            let sender = Sender {
                ledger: Arc::clone(&self.ledger),
                begin: self.begin,
                is_patient: self.is_patient,
                client: reqwest::Client::builder().timeout(REQUEST_MAX).build().unwrap(),
                address,
                rng: StdRng::seed_from_u64(rng.random()),
            };
            senders.spawn(sender.run());
        }
        Senders(senders)
    }

    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap()
    }
}

/// Who sends, until this is dropped. That tells of an answer that none of them expected.
pub struct Senders(JoinSet<()>);

impl Senders {
    /// Waits until all have stopped.
    pub async fn stopped(mut self) {
        std::mem::take(&mut self.0).join_all().await;
    }
}

impl Drop for Senders {
    fn drop(&mut self) {
        while let Some(ended) = self.0.try_join_next() {
            match ended.map_err(JoinError::try_into_panic) {
                Err(Ok(panic)) if !std::thread::panicking() => resume_unwind(panic),
                _ => {}
            }
        }
    }
}

struct Sender {
    ledger: Arc<Mutex<Ledger>>,
    begin: Timestamp,
    is_patient: bool,
    client: reqwest::Client,
    address: SocketAddr,
    rng: StdRng,
}

impl Sender {
    async fn run(mut self) {
        loop {
            let answered =
                if self.rng.random_bool(0.3) { self.send_batch().await } else { self.send_one().await };
            if answered.is_none() {
                return;
            }
            let pause = self.rng.random_range(0..PAUSE_MAX_MS);
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }

    async fn send_one(&mut self) -> Option<()> {
        let event = self.next_event();
        let answer = self.post("/api/events", &event).await?;
        self.acknowledge(&event, &answer);
        Some(())
    }

    /// Sends a batch that has, now and then, an event in it that is refused.
    async fn send_batch(&mut self) -> Option<()> {
        let count = self.rng.random_range(1..=BATCH_MAX_EVENTS);
        let mut events: Vec<_> = (0..count).map(|_| self.next_event()).collect();
        if self.rng.random_bool(0.2) {
            let place = self.rng.random_range(0..=events.len());
            events.insert(place, json!({"id": "refused", "type": "of nobody"}));
        }
        let answers = self.post("/api/events/batch", &json!(events)).await?;
        let answers = answers.as_array().unwrap();
        assert_eq!(answers.len(), events.len());
        for (event, answer) in events.iter().zip(answers) {
            if event["id"] == "refused" {
                assert_eq!(answer["status"], "error", "{answer}");
            } else {
                self.acknowledge(event, answer);
            }
        }
        Some(())
    }

    /// The answer of the server, which was asked again as long as it cannot; `None` when it is gone.
    async fn post(&self, path: &str, body: &Value) -> Option<Value> {
        loop {
            match self.try_post(path, body).await {
                Some((StatusCode::OK, answer)) => return Some(answer),
                None if !self.is_patient => return None,
                Some((status, answer)) => assert_eq!(status, 503, "{answer}"),
                None => {}
            }
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }

    async fn try_post(&self, path: &str, body: &Value) -> Option<(StatusCode, Value)> {
        let request = self.client.post(format!("http://{}{path}", self.address)).bearer_auth(SECRET_KEY);
        let response = request.json(body).send().await.ok()?;
        Some((response.status(), response.json().await.ok()?))
    }

    fn acknowledge(&self, event: &Value, answer: &Value) {
        let expected =
            json!({"status": "success", "id": event["id"], "fingerprint": event["device"]["fingerprint"]});
        assert_eq!(*answer, expected);
        let id = event["id"].as_str().unwrap().to_owned();
        self.ledger.lock().unwrap().acknowledged.insert(id);
    }

    /// A new event, or one that was sent before: by an application that had no answer to it, or
    /// one that does not look.
    fn next_event(&mut self) -> Value {
        let mut ledger = self.ledger.lock().unwrap();
        if !ledger.sent.is_empty() && self.rng.random_bool(0.15) {
            let recent = ledger.sent.len().saturating_sub(200);
            return ledger.sent[self.rng.random_range(recent..ledger.sent.len())].clone();
        }
        let at = self.begin.plus_millis(EVENT_EVERY_MS * ledger.sent.len() as i64);
        let event = new_event(at, &mut self.rng);
        ledger.sent.push(event.clone());
        event
    }
}

fn new_event(at: Timestamp, rng: &mut StdRng) -> Value {
    let unique: u128 = rng.random();
    let id = if rng.random() { format!("{unique:032x}") } else { format!("order-{unique}") };
    let names = ["user.signup", "page.view", "order.placed"];
    let mut event = json!({
        "id": id,
        "type": names[rng.random_range(0..names.len())],
        "timestamp": at.to_string(),
        "session": format!("session-{}", rng.random_range(0..1_000)),
        "ip": format!("198.51.100.{}", rng.random_range(1..=40)),
        "userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "data": {"amount": rng.random::<f64>(), "note": "Grüße 🦀"},
    });
    // An event of a device that nobody has signed in on is of no user.
    let is_anonymous = rng.random_bool(0.05);
    if is_anonymous || rng.random_bool(0.1) {
        event["device"] = json!({"fingerprint": format!("device-{}", rng.random_range(0..DEVICES))});
    }
    if !is_anonymous {
        let user = format!("user-{}", rng.random_range(0..USERS));
        let visits: u32 = rng.random();
        event["identity"] =
            json!({"id": user, "data": {"email": format!("{user}@example.com"), "visits": visits}});
    }
    event
}

/// Decides, request by request, how an endpoint answers.
pub struct Moods {
    rng: Mutex<StdRng>,
    /// Of a hundred requests.
    hanging: u32,
}

enum Mood {
    Fine,
    Failing,
    /// Ends the connection without an answer.
    Closing,
    /// Does so after a while, too late for the sender.
    Hanging,
}

impl Moods {
    /// An endpoint that answers most requests, and never hangs.
    pub async fn quick(seed: u64) -> Receiver {
        Self::quick_at(Ipv4Addr::LOCALHOST, seed).await
    }

    /// The same, at this address.
    pub async fn quick_at(address: Ipv4Addr, seed: u64) -> Receiver {
        Self::start(address, seed, 0).await
    }

    /// An endpoint that answers most requests.
    pub async fn receiver(seed: u64) -> Receiver {
        Self::start(Ipv4Addr::LOCALHOST, seed, 1).await
    }

    async fn start(address: Ipv4Addr, seed: u64, hanging: u32) -> Receiver {
        let moods = Arc::new(Self { rng: Mutex::new(StdRng::seed_from_u64(seed)), hanging });
        let behave = move |conversation| Arc::clone(&moods).answer_all(conversation);
        Receiver::start_at((address, 0).into(), None, behave).await
    }

    fn next(&self) -> Mood {
        match self.rng.lock().unwrap().random_range(0..100) {
            0..5 => Mood::Failing,
            5..8 => Mood::Closing,
            other if other < 8 + self.hanging => Mood::Hanging,
            _ => Mood::Fine,
        }
    }

    async fn answer_all(self: Arc<Self>, mut conversation: Conversation) {
        while conversation.read_request().await.is_some() {
            let goes_on = match self.next() {
                Mood::Fine => conversation.send(OK.as_bytes()).await,
                Mood::Failing => conversation.send(SORRY.as_bytes()).await,
                Mood::Closing => false,
                Mood::Hanging => {
                    tokio::time::sleep(Duration::from_millis(1_200)).await;
                    false
                }
            };
            if !goes_on {
                return;
            }
        }
    }
}
