//! A whole server in this process, on a store of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use dregs_server::ServeError;
use dregs_server::app::{App, Opened};
use dregs_server::clock::{Clock, ManualClock, SystemClock};
use dregs_server::config::Config;
use dregs_server::limit::Limit;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::engine::{Database, Engine};

pub const SECRET_KEY: &str = "sk_test";
pub const PUBLIC_KEY: &str = "pk_test";
pub const ADMIN_EMAIL: &str = "admin@example.com";
pub const ADMIN_PASSWORD: &str = "correct horse battery staple";

/// What a test waits for comes within this, or not at all.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(10);

/// A running server; it stops when this is dropped.
pub struct TestServer {
    pub address: SocketAddr,
    pub app: Arc<App>,
    client: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    ground: Option<Ground>,
}

/// What outlives a server: its files and its database.
pub struct Ground {
    folder: TempDir,
    database: Database,
}

impl Ground {
    pub fn new(engine: Engine) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), database: Database::create(engine) }
    }

    /// With the SQLite file, and whatever else, that is in this folder.
    pub fn on(folder: TempDir) -> Self {
        Self { folder, database: Database::Sqlite }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn config(&self) -> Config {
        let mut config = Config::for_data_dir(PathBuf::from(self.folder.path()));
        config.database_url = self.database.url();
        config.secret_key = Some(SECRET_KEY.into());
        config.public_key = Some(PUBLIC_KEY.into());
        config.admin_email = Some(ADMIN_EMAIL.into());
        config.admin_password = Some(ADMIN_PASSWORD.into());
        config.egress_allow = "127.0.0.0/8".into();
        config.min_cycle_ms = 0;
        config.address_rate_per_second = 0;
        config
    }
}

impl TestServer {
    /// A server with the machine's clock.
    pub async fn start(engine: Engine) -> Self {
        Self::start_with(engine, |_| {}).await
    }

    /// A server whose configuration is changed before it starts.
    pub async fn start_with(engine: Engine, change: impl FnOnce(&mut Config)) -> Self {
        Self::start_on(Ground::new(engine), Arc::new(SystemClock), change).await
    }

    /// A server whose clock moves when the test says so.
    pub async fn start_at(engine: Engine, clock: &Arc<ManualClock>) -> Self {
        Self::start_on(Ground::new(engine), Arc::clone(clock) as Arc<dyn Clock>, |_| {}).await
    }

    pub async fn start_on(ground: Ground, clock: Arc<dyn Clock>, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = ground.config();
        change(&mut config);
        let Opened { app, inboxes, .. } = App::open(config, clock).await.unwrap();
        let (stop, stopped) = oneshot::channel();
        let (listening, bound) = oneshot::channel();
        let served = Arc::clone(&app);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                listening.send(listener.local_addr().unwrap()).unwrap();
                let stopped = async { drop(stopped.await) };
                // A test fails the disk on purpose.
                match dregs_server::serve(served, inboxes, listener, stopped).await {
                    Err(ServeError::Disk(_)) => {}
                    served => served.unwrap(),
                }
            });
        });
        Self {
            address: bound.await.unwrap(),
            app,
            client: reqwest::Client::new(),
            stop: Some(stop),
            thread: Some(thread),
            ground: Some(ground),
        }
    }

    /// Stops the server as a signal would, and gives back what another can start on.
    pub fn stop(mut self) -> Ground {
        self.end();
        self.ground.take().unwrap()
    }

    fn end(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !std::thread::panicking()
        {
            panic!("the server panicked");
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A request without any key.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, self.url(path))
    }

    /// Sends a request with the secret key; the answer is its status and its JSON.
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let mut request = self.request(method, path).bearer_auth(SECRET_KEY);
        if let Some(body) = body {
            request = request.json(&body);
        }
        answer(request).await
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call(Method::GET, path, None).await;
        assert_eq!(status, StatusCode::OK, "GET {path}: {body}");
        body
    }

    /// `Null` stands for no body.
    pub async fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.call(Method::POST, path, Some(body).filter(|body| !body.is_null())).await;
        assert!(status.is_success(), "POST {path}: {status} {answer}");
        answer
    }

    pub async fn patch(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.call(Method::PATCH, path, Some(body)).await;
        assert_eq!(status, StatusCode::OK, "PATCH {path}: {answer}");
        answer
    }

    /// How often somebody has reached a limit of this process.
    pub fn reached(&self, limit: Limit) -> u64 {
        reached(&self.app.metrics.render(), limit)
    }

    /// A webhook channel for scores with this configuration; the answer is its id and its secret.
    pub async fn channel(&self, name: &str, config: Value) -> (i64, String) {
        let body = json!({"type": "WEBHOOK", "name": name, "events": ["identity.scored"], "config": config});
        let channel = self.post("/api/channels", body).await;
        (channel["id"].as_i64().unwrap(), channel["signingSecret"].as_str().unwrap().to_owned())
    }

    /// Sends an event of a user.
    pub async fn track(&self, event_id: &str, user: &str) -> Value {
        self.post("/api/events", event(event_id, user)).await
    }

    /// The newest analysis of an identity; before its first cycle, the answer that says so.
    pub async fn analysis(&self, user: &str) -> Value {
        self.call(Method::GET, &format!("/api/identities/{user}/analysis"), None).await.1
    }

    /// The deliveries of a channel, newest first.
    pub async fn deliveries(&self, channel_id: i64) -> Vec<Value> {
        let page = self.get(&format!("/api/channels/{channel_id}/deliveries?pageSize=100")).await;
        page["content"].as_array().unwrap().clone()
    }

    /// Waits until a channel has `count` deliveries in this status.
    pub async fn wait_for_deliveries(&self, channel_id: i64, status: &str, count: usize) -> Vec<Value> {
        eventually(&format!("{count} deliveries of channel {channel_id} to be {status}"), async || {
            let all = self.deliveries(channel_id).await;
            let found: Vec<_> = all.into_iter().filter(|d| d["status"] == status).collect();
            (found.len() == count).then_some(found)
        })
        .await
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.end();
    }
}

/// How often somebody has reached a limit, in what `/metrics` answers.
pub fn reached(metrics: &str, limit: Limit) -> u64 {
    let name = format!("dregs_limit_reached_total{{limit=\"{}\"}} ", limit.name());
    metrics.lines().find_map(|line| line.strip_prefix(&name)).map_or(0, |times| times.parse().unwrap())
}

/// Status and JSON of an answer; `Null` for an empty one.
pub async fn answer(request: reqwest::RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.unwrap();
    let (status, bytes) = (response.status(), response.bytes().await.unwrap());
    let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
    (status, body)
}

/// An ordinary event.
pub fn event(event_id: &str, user: &str) -> Value {
    json!({
        "id": event_id,
        "type": "user.signup",
        "identity": {"id": user, "data": {"email": format!("{user}@example.com"), "name": "Ada Lovelace"}},
        "data": {"plan": "pro"},
    })
}

/// Waits until no identity is left to be scored now; what is begun two seconds later may wait for a clock that stands.
pub async fn scored(server: &TestServer) {
    eventually("nobody to wait", async || {
        (server.get("/api/system").await["evaluation"]["waiting"] == 0).then_some(())
    })
    .await;
}

/// Waits until no identity is left to be scored, nor will be for what others have done.
pub async fn settled(server: &TestServer) {
    eventually("nobody to wait", async || {
        let system = server.get("/api/system").await;
        (system["evaluation"]["waiting"] == 0 && system["rescoring"] == 0).then_some(())
    })
    .await;
}

/// Asks until there is an answer.
///
/// # Panics
/// When there is none within [`PATIENCE`].
pub async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = tokio::time::Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        tokio::time::sleep(POLL).await;
    }
}
