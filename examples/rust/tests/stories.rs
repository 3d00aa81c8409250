//! Each application through a whole story, against a real server: the ones here, and their twins in Python.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by ending")]

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::{Duration, Instant};

use dregs_server::app::{App, Opened};
use dregs_server::clock::SystemClock;
use dregs_server::config::Config;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;

const SECRET_KEY: &str = "sk_stories";
const PATIENCE: Duration = Duration::from_secs(60);
const BROWSER: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36";

macro_rules! stories {
    ($($name:ident),* $(,)?) => {
        mod rust {
            $(#[tokio::test] async fn $name() {
                super::$name(super::Story::begin(env!(concat!("CARGO_BIN_EXE_", stringify!($name))), None).await).await;
            })*
        }
        mod python {
            $(#[tokio::test] async fn $name() {
                let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../python/", stringify!($name), ".py");
                super::$name(super::Story::begin(&super::interpreter(), Some(script)).await).await;
            })*
        }
    };
}

stories!(quarantine, rate_limits, shadowban, hold_purchases, feature_gates);

fn interpreter() -> String {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/python-clients/bin/python");
    assert!(python.exists(), "run `scripts/python-clients.sh` before the tests");
    python.display().to_string()
}

/// A server, an application that its webhooks reach, and everybody who talks to either.
struct Story {
    http: Client,
    dregs: SocketAddr,
    application: SocketAddr,
    process: Child,
    channel: i64,
    secret: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
    _folder: TempDir,
}

impl Drop for Story {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Story {
    async fn begin(program: &str, script: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (dregs, stop, thread) = serve(folder.path()).await;
        let application = free_port();
        let http = Client::new();
        let channel = json!({
            "type": "WEBHOOK", "name": "Application", "config": {"url": format!("http://{application}/webhooks/dregs")},
            "events": [
                "identity.scored", "identity.badges_changed", "identity.labeled", "escalation.opened", "escalation.closed",
            ],
        });
        let url = format!("http://{dregs}/api/channels");
        let made: Value =
            http.post(url).bearer_auth(SECRET_KEY).json(&channel).send().await.unwrap().json().await.unwrap();
        let secret = made["signingSecret"].as_str().unwrap().to_owned();
        let process = Command::new(program)
            .args(script)
            .env("PORT", application.port().to_string())
            .env("DREGS_WEBHOOK_SECRET", &secret)
            .env("DREGS_SECRET_KEY", SECRET_KEY)
            .env("DREGS_BASE_URL", format!("http://{dregs}/api"))
            .spawn()
            .unwrap();
        let (channel, stop, thread) = (made["id"].as_i64().unwrap(), Some(stop), Some(thread));
        let story =
            Self { http, dregs, application, process, channel, secret, stop, thread, _folder: folder };
        story
            .eventually("the application to listen", async || {
                std::net::TcpStream::connect(application).is_ok().then_some(())
            })
            .await;
        story
    }

    async fn dregs(&self, method: Method, path: &str, body: Value) -> Value {
        let request =
            self.http.request(method, format!("http://{}/api{path}", self.dregs)).bearer_auth(SECRET_KEY);
        let response = request.json(&body).send().await.unwrap();
        let (status, answer) = (response.status(), response.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {answer}");
        serde_json::from_str(&answer).unwrap_or_default()
    }

    /// A request to the application.
    async fn ask(&self, method: Method, path: &str, user: &str, body: Value) -> (u16, Value) {
        let request =
            self.http.request(method, format!("http://{}{path}", self.application)).header("x-user", user);
        let request = if body.is_null() { request } else { request.json(&body) };
        let response = request.send().await.unwrap();
        let (status, answer) = (response.status().as_u16(), response.text().await.unwrap());
        (status, serde_json::from_str(&answer).unwrap_or_default())
    }

    async fn get(&self, path: &str, user: &str) -> Value {
        let (status, answer) = self.ask(Method::GET, path, user, Value::Null).await;
        assert_eq!(status, 200, "{path}");
        answer
    }

    /// Somebody signs up: what their browser and the backend tell dregs.
    async fn sign_up(&self, user: &str, email: &str, device: &str, agent: &str) {
        let event = json!({
            "id": format!("sign-up-{user}"), "type": "user.signup", "userAgent": agent, "device": {"fingerprint": device},
            "identity": {"id": user, "data": {"email": email, "name": user.replace('-', " ")}},
        });
        self.dregs(Method::POST, "/events", event).await;
    }

    /// A rule that opens an escalation, of which the application is told.
    async fn rule(&self, name: &str, conditions: Value) {
        let rule = json!({"name": name, "severity": "WARNING", "channels": ["application"], "conditions": conditions});
        self.dregs(Method::POST, "/escalation-rules", rule).await;
    }

    /// A reviewer closes the escalation of a user by a rule, once it is there, and the application is told.
    async fn close_escalation(&self, user: &str, rule: &str) {
        self.decide(user, rule, json!({"status": "CLOSED"})).await;
    }

    /// Likewise, with a label or without.
    async fn decide(&self, user: &str, rule: &str, decision: Value) {
        let path = format!("/escalations?identity={user}&status=OPEN");
        let open = async || {
            let found = self.dregs(Method::GET, &path, Value::Null).await;
            found["content"]
                .as_array()
                .unwrap()
                .iter()
                .find(|one| one["escalationRule"]["label"] == rule)
                .cloned()
        };
        let escalation = self.eventually("an escalation", open).await;
        let path = format!("/escalations/{}", escalation["id"]);
        self.dregs(Method::PATCH, &path, decision).await;
        self.eventually("the application to be told", async || {
            let all = self.deliveries(user).await?;
            all.iter().any(|delivery| delivery["event"] == "ESCALATION_CLOSED").then_some(())
        })
        .await;
    }

    /// Labels a user, and waits until the application has been told as often as users have been labeled by it.
    async fn label(&self, user: &str, outcome: &str) {
        let labels = json!({"labels": [{"identityId": user, "outcome": outcome, "source": "APPEAL"}]});
        let before = self.told_of_labels(user).await;
        self.dregs(Method::POST, "/labels", labels).await;
        self.wait_for_label(user, before).await;
    }

    /// Withdraws the newest label of a user, of which the application is told.
    async fn withdraw_label(&self, user: &str) {
        let labels = self.dregs(Method::GET, &format!("/identities/{user}/labels"), Value::Null).await;
        let before = self.told_of_labels(user).await;
        let path = format!("/labels/{}/actions/withdraw", labels[0]["id"]);
        self.dregs(Method::POST, &path, json!({})).await;
        self.wait_for_label(user, before).await;
    }

    async fn told_of_labels(&self, user: &str) -> usize {
        let all = self.eventually("everything to be told", async || self.deliveries(user).await).await;
        all.iter().filter(|delivery| delivery["event"] == "IDENTITY_LABELED").count()
    }

    async fn wait_for_label(&self, user: &str, before: usize) {
        let told = async || (self.told_of_labels(user).await > before).then_some(());
        self.eventually("the application to be told of a label", told).await;
    }

    /// The deliveries about a user, newest first, once all have arrived.
    async fn deliveries(&self, user: &str) -> Option<Vec<Value>> {
        let path = format!("/channels/{}/deliveries?identity={user}&pageSize=100", self.channel);
        let found = self.dregs(Method::GET, &path, Value::Null).await["content"].as_array().unwrap().clone();
        found.iter().all(|delivery| delivery["status"] == "DELIVERED").then_some(found)
    }

    /// A genuine webhook about a user.
    async fn tell(&self, id: &str, event: &str, user: &str, sequence: u64, data: Value) {
        let now = dregs_server::clock::Clock::now(&SystemClock).to_string();
        let body = json!({
            "id": id, "event": event, "timestamp": now, "occurredAt": now, "channelId": "1", "identityId": user,
            "sequence": sequence, "data": data,
        });
        let body = body.to_string();
        let signature = dregs::webhooks::compute_signature(body.as_bytes(), &self.secret);
        let request = self.http.post(format!("http://{}/webhooks/dregs", self.application));
        let answer = request.header("x-dregs-signature", signature).body(body).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{event} {data}");
    }

    /// Tells of scores in which nothing is known, as both servers before and after version 0.1 say it.
    async fn tell_nothing(&self, user: &str) {
        let none = json!({"humanity": null, "authenticity": null, "uniqueness": null, "behavior": null});
        for (sequence, scores) in [(1, none), (2, json!({}))] {
            let id = format!("evt_{user}_{sequence}");
            self.tell(&id, "IDENTITY_SCORED", user, sequence, json!({"identityId": user, "scores": scores}))
                .await;
        }
    }

    /// Everything that was ever told of a user is told again, as it happens where an answer is lost; and
    /// somebody else tries to tell the application something.
    async fn repeat_all(&self, user: &str) {
        let deliveries = async || self.deliveries(user).await;
        // Oldest last: the order in which they do the most harm.
        for delivery in self.eventually("everything to be told", deliveries).await {
            self.dregs(Method::POST, &format!("/deliveries/{}/actions/resend", delivery["id"]), json!({}))
                .await;
            let told = self.eventually("it to be told again", deliveries).await;
            assert!(!told.is_empty());
        }
        let forged = json!({"event": "ESCALATION_CLOSED", "identityId": user, "id": "evt_forged"});
        assert_eq!(self.ask(Method::POST, "/webhooks/dregs", user, forged).await.0, 401);
    }

    async fn eventually<T>(&self, what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            if begun.elapsed() > PATIENCE {
                let all = self.dregs(Method::GET, "/identities?pageSize=100", Value::Null).await;
                panic!("waited in vain for {what}; {all:#}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// A server as `dregs serve` starts one, with the rules that a new team begins with.
async fn serve(folder: &Path) -> (SocketAddr, oneshot::Sender<()>, std::thread::JoinHandle<()>) {
    let mut config = Config::for_data_dir(folder.to_owned());
    config.secret_key = Some(SECRET_KEY.into());
    config.egress_allow = "127.0.0.0/8".into();
    config.min_cycle_ms = 0;
    let Opened { app, inboxes, .. } = App::open(config, Arc::new(SystemClock)).await.unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            dregs_server::serve(app, inboxes, listener, async { drop(stopped.await) }).await.unwrap();
        });
    });
    (address, stop, thread)
}

fn free_port() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}

async fn quarantine(story: Story) {
    let write = async |user: &str| story.ask(Method::POST, "/notes", user, json!({"text": "Hello"})).await.0;
    story.rule("Look at it", json!([{"type": "SCORE_LT", "category": "HUMANITY", "threshold": 30}])).await;
    story.rule("Other", json!([{"type": "SCORE_LT", "category": "AUTHENTICITY", "threshold": 100}])).await;
    story.sign_up("ada-lovelace", "ada.lovelace@fastmail.com", "ada", BROWSER).await;
    story.sign_up("robot", "robert.miller@fastmail.com", "robot", "python-requests/2.31").await;
    story.eventually("the quarantine", async || (write("robot").await == 403).then_some(())).await;
    assert_eq!(write("ada-lovelace").await, 201);
    // Reading goes on.
    assert!(!story.get("/notes", "robot").await.as_array().unwrap().is_empty());
    // What is about something else gives nothing back.
    story.close_escalation("robot", "Other").await;
    assert_eq!(write("robot").await, 403);
    story.close_escalation("robot", "Look at it").await;
    story.eventually("the end of the quarantine", async || (write("robot").await == 201).then_some(())).await;
    story.repeat_all("robot").await;
    assert_eq!(write("robot").await, 201);
    story.tell_nothing("nobody").await;
    assert_eq!(write("nobody").await, 201);
    assert_eq!(story.ask(Method::POST, "/notes", "nobody", json!({"note": 1})).await.0, 400);
    // Two escalations about one user, the later of which arrives first: what is opened again is to be looked at.
    let about = |id: u64, category: &str| {
        let condition = json!({"type": "SCORE_LTE", "category": category, "threshold": 29});
        json!({"identityId": "two", "escalationId": id, "conditions": [condition], "scores": {"humanity": 5, "uniqueness": 5}})
    };
    let scores = json!({"identityId": "two", "scores": {"humanity": 5, "uniqueness": 5}});
    story.tell("evt_a", "IDENTITY_SCORED", "two", 1, scores).await;
    story.tell("evt_b", "ESCALATION_CLOSED", "two", 5, about(1, "ANY")).await;
    assert_eq!(write("two").await, 201);
    story.tell("evt_c", "ESCALATION_OPENED", "two", 4, about(2, "UNIQUENESS")).await;
    assert_eq!(write("two").await, 403);
    story.tell("evt_d", "ESCALATION_OPENED", "two", 3, about(1, "ANY")).await;
    story.tell("evt_e", "ESCALATION_CLOSED", "two", 6, about(2, "UNIQUENESS")).await;
    assert_eq!(write("two").await, 201);
    // Whoever is found to be bad stays where they are, though every escalation is closed.
    story.sign_up("scraper", "paul.baker@fastmail.com", "scraper", "python-requests/2.31").await;
    story.eventually("the quarantine", async || (write("scraper").await == 403).then_some(())).await;
    story.decide("scraper", "Other", json!({"status": "CLOSED"})).await;
    story.decide("scraper", "Look at it", json!({"status": "CLOSED", "outcome": "BAD", "kind": "BOT"})).await;
    story.told_of_labels("scraper").await;
    assert_eq!(write("scraper").await, 403);
    story.repeat_all("scraper").await;
    assert_eq!(write("scraper").await, 403);
    story.withdraw_label("scraper").await;
    assert_eq!(write("scraper").await, 201);
    // So does whoever no score speaks against; and is let go by a label that says GOOD.
    assert_eq!(write("ada-lovelace").await, 201);
    story.label("ada-lovelace", "BAD").await;
    assert_eq!(write("ada-lovelace").await, 403);
    story.label("ada-lovelace", "GOOD").await;
    assert_eq!(write("ada-lovelace").await, 201);
    // Of two labels the newer counts, whichever arrives first, and however an escalation tells of it.
    let label = |outcome: &str| json!({"identityId": "late", "label": {"outcome": outcome}});
    let mut bad = about(7, "ANY");
    bad["outcome"] = json!("BAD");
    story.tell("evt_f", "IDENTITY_LABELED", "late", 9, label("GOOD")).await;
    story.tell("evt_g", "ESCALATION_CLOSED", "late", 8, bad.clone()).await;
    story.tell("evt_h", "IDENTITY_LABELED", "late", 7, label("BAD")).await;
    assert_eq!(write("late").await, 201);
    story.tell("evt_i", "ESCALATION_OPENED", "late", 10, bad).await;
    assert_eq!(write("late").await, 403);
    // Nobody who is labeled as good waits for an escalation to be closed that was never opened.
    let scores = json!({"identityId": "fine", "scores": {"humanity": 5}});
    story.tell("evt_j", "IDENTITY_SCORED", "fine", 1, scores).await;
    assert_eq!(write("fine").await, 403);
    story.tell("evt_k", "IDENTITY_LABELED", "fine", 2, label("GOOD")).await;
    assert_eq!(write("fine").await, 201);
}

async fn rate_limits(story: Story) {
    let left = async |user: &str| {
        let (status, answer) = story.ask(Method::GET, "/search", user, Value::Null).await;
        (status == StatusCode::OK).then(|| answer["left"].as_u64().unwrap())
    };
    assert_eq!(left("nobody-knows").await, Some(19));
    story.sign_up("ada-lovelace", "ada.lovelace@fastmail.com", "ada", BROWSER).await;
    story.sign_up("robot", "robert.miller@fastmail.com", "robot", "python-requests/2.31").await;
    story
        .eventually("a low limit", async || left("robot").await.is_none_or(|left| left < 3).then_some(()))
        .await;
    // The fourth request of a minute is refused, at the latest in the next minute.
    let refused = async || {
        for _ in 0..4 {
            left("robot").await;
        }
        left("robot").await.is_none().then_some(())
    };
    story.eventually("a refusal", refused).await;
    assert!(left("ada-lovelace").await.is_some());
    story.tell_nothing("nobody").await;
    assert!(left("nobody").await >= Some(18));
    story.repeat_all("robot").await;
}

async fn shadowban(story: Story) {
    let ring = ["ring-1", "ring-2", "ring-3", "ring-4", "ring-5"];
    let authors = async |reader: &str| -> Vec<String> {
        let posts = story.get("/posts", reader).await;
        posts.as_array().unwrap().iter().map(|post| post["user"].as_str().unwrap().to_owned()).collect()
    };
    let low = json!([{"type": "SCORE_LT", "category": "ANY", "threshold": 40}]);
    let at_once = json!({"name": "Suspicious", "type": "BAD", "conditions": low});
    story.dregs(Method::PUT, "/badge-rules/2", at_once).await;
    story.rule("Look at it", json!([{"type": "BADGE_EXISTS", "badge": "suspicious"}])).await;
    story.rule("Other", json!([{"type": "SCORE_LT", "category": "AUTHENTICITY", "threshold": 100}])).await;
    story.sign_up("ada-lovelace", "ada.lovelace@fastmail.com", "ada", BROWSER).await;
    for user in ring {
        story.sign_up(user, &format!("{user}@fastmail.com"), "of-the-ring", BROWSER).await;
    }
    for user in ring.iter().chain(&["ada-lovelace"]) {
        story.ask(Method::POST, "/posts", user, json!({"text": "Buy now"})).await;
    }
    // A ring signs up; its posts vanish for everyone but itself.
    let vanished = async || (authors("ada-lovelace").await == ["ada-lovelace"]).then_some(());
    story.eventually("the posts to vanish", vanished).await;
    for user in ring {
        assert_eq!(authors(user).await.len(), 6, "{user}");
    }
    // A reviewer closes the escalations; they are back.
    for user in ring {
        story.close_escalation(user, "Other").await;
    }
    assert_eq!(authors("ada-lovelace").await, ["ada-lovelace"]);
    for user in ring {
        story.close_escalation(user, "Look at it").await;
    }
    story
        .eventually("the posts to be back", async || (authors("ada-lovelace").await.len() == 6).then_some(()))
        .await;
    story.repeat_all("ring-1").await;
    assert_eq!(authors("ada-lovelace").await.len(), 6);
    story.tell_nothing("ada-lovelace").await;
    assert_eq!(authors("ring-1").await.len(), 6);
    // Whoever is found to be bad vanishes again, badge or not, until the label is withdrawn.
    story.label("ring-1", "BAD").await;
    assert_eq!(authors("ada-lovelace").await.len(), 5);
    assert_eq!(authors("ring-1").await.len(), 6);
    story.withdraw_label("ring-1").await;
    assert_eq!(authors("ada-lovelace").await.len(), 6);
}

async fn hold_purchases(story: Story) {
    let buy = async |id: &str, user: &str| {
        story.ask(Method::POST, "/purchases", user, json!({"id": id, "amount": 120})).await.0
    };
    let status = async |id: &str, wanted: &str| {
        let path = format!("/purchases/{id}");
        let settled = async || (story.get(&path, "").await["status"] == wanted).then_some(());
        story.eventually(&format!("{id} to be {wanted}"), settled).await;
    };
    story
        .rule("Look at it", json!([{"type": "SCORE_LT", "category": "AUTHENTICITY", "threshold": 40}]))
        .await;
    story.rule("Other", json!([{"type": "SCORE_LTE", "category": "UNIQUENESS", "threshold": 100}])).await;
    story.sign_up("ada-lovelace", "ada.lovelace@fastmail.com", "ada", BROWSER).await;
    story.sign_up("xkcdqwrt", "xkcdqwrt1@mailinator.com", "other", BROWSER).await;
    assert_eq!((buy("p1", "ada-lovelace").await, buy("p2", "xkcdqwrt").await), (202, 202));
    status("p1", "APPROVED").await;
    status("p2", "HELD").await;
    story.close_escalation("xkcdqwrt", "Other").await;
    status("p2", "HELD").await;
    story.close_escalation("xkcdqwrt", "Look at it").await;
    status("p2", "APPROVED").await;
    story.repeat_all("xkcdqwrt").await;
    status("p2", "APPROVED").await;
    // Whoever was looked at is not held again.
    assert_eq!(buy("p3", "xkcdqwrt").await, 202);
    status("p3", "APPROVED").await;
    assert_eq!(story.ask(Method::GET, "/purchases/p4", "", Value::Null).await.0, 404);

    // Whoever is found to be bad is held, though every escalation is closed, until the label is withdrawn.
    let waits = async |id: &str| story.get(&format!("/purchases/{id}"), "").await["waitsFor"].clone();
    story.sign_up("wvbnzxqp", "wvbnzxqp7@mailinator.com", "third", BROWSER).await;
    assert_eq!(buy("b1", "wvbnzxqp").await, 202);
    status("b1", "HELD").await;
    story.decide("wvbnzxqp", "Other", json!({"status": "CLOSED"})).await;
    story
        .decide("wvbnzxqp", "Look at it", json!({"status": "CLOSED", "outcome": "BAD", "kind": "FAKE"}))
        .await;
    story.told_of_labels("wvbnzxqp").await;
    assert_eq!(waits("b1").await, "LABEL");
    assert_eq!(buy("b2", "wvbnzxqp").await, 202);
    status("b2", "HELD").await;
    story.repeat_all("wvbnzxqp").await;
    assert_eq!((waits("b1").await, waits("b2").await), (json!("LABEL"), json!("LABEL")));
    story.withdraw_label("wvbnzxqp").await;
    status("b1", "APPROVED").await;
    status("b2", "APPROVED").await;
    // So is whoever no score speaks against, until a label says GOOD.
    story.label("ada-lovelace", "BAD").await;
    assert_eq!(buy("b3", "ada-lovelace").await, 202);
    status("b3", "HELD").await;
    story.label("ada-lovelace", "GOOD").await;
    status("b3", "APPROVED").await;

    // Of whom nothing is known, nobody knows whether to hold them: until a name or an address is there.
    assert_eq!(buy("p5", "stranger").await, 202);
    status("p5", "HELD").await;
    story.tell_nothing("stranger").await;
    status("p5", "HELD").await;
    story.sign_up("stranger", "anna.keller@fastmail.com", "theirs", BROWSER).await;
    status("p5", "APPROVED").await;

    // An order is called whatever the shop calls it, and sent twice is the same.
    let long = "7".repeat(70);
    for id in ["dregs-1", long.as_str(), "a/b c", "№ 7"] {
        assert_eq!((buy(id, "ada-lovelace").await, buy(id, "ada-lovelace").await), (202, 202), "{id}");
        assert_eq!(buy(id, "somebody-else").await, 409, "{id}");
        let path = id.replace('/', "%2F").replace(' ', "%20").replace('№', "%E2%84%96");
        status(&path, "APPROVED").await;
    }
    for (user, order) in [
        ("", json!({"id": "p6", "amount": 1})),
        ("undefined", json!({"id": "p6", "amount": 1})),
        ("ada-lovelace", json!({"id": "", "amount": 1})),
        ("ada-lovelace", json!({"id": 6, "amount": 1})),
        ("ada-lovelace", json!({"id": "p6"})),
        ("ada-lovelace", json!({"id": "p6", "amount": -1})),
        ("ada-lovelace", json!({"id": "p6", "amount": 1, "buyer": "Ada"})),
        ("ada-lovelace", json!([])),
    ] {
        let (answer, _) = story.ask(Method::POST, "/purchases", user, order.clone()).await;
        assert!(matches!(answer, 400 | 401), "{user} {order}: {answer}");
    }
    assert_eq!(story.ask(Method::GET, "/purchases/p6", "", Value::Null).await.0, 404);
}

async fn feature_gates(story: Story) {
    let features = async |user: &str| story.get("/features", user).await;
    assert_eq!(features("nobody-knows").await, json!(["read", "comment"]));
    story.sign_up("ada-lovelace", "ada.lovelace@fastmail.com", "ada", BROWSER).await;
    story.sign_up("robot", "robert.miller@fastmail.com", "robot", "python-requests/2.31").await;
    let closed = async || (features("robot").await == json!(["read"])).then_some(());
    story.eventually("the gates to close", closed).await;
    let open = async || {
        (features("ada-lovelace").await == json!(["read", "comment", "invite", "export"])).then_some(())
    };
    story.eventually("the gates to open", open).await;
    story.repeat_all("robot").await;
    assert_eq!(features("robot").await, json!(["read"]));
    story.tell_nothing("nobody").await;
    assert_eq!(features("nobody").await, json!(["read", "comment"]));
}

#[test]
fn without_the_signing_secret_an_application_does_not_start_and_says_so() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../python/quarantine.py");
    let mut python = Command::new(interpreter());
    for application in [python.arg(script), &mut Command::new(env!("CARGO_BIN_EXE_quarantine"))] {
        let done = application.env_remove("DREGS_WEBHOOK_SECRET").env("PORT", "0").output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(!done.status.success() && said.contains("set DREGS_WEBHOOK_SECRET"), "{said}");
    }
}
