//! The real binary as a process of its own, which can be killed like one, and what it leaves
//! behind.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use dregs_core::time::Timestamp;
use dregs_server::store::{Location, Store};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::Instant;

use super::engine::{Database, Engine};
use super::network::Network;
use super::server::{ADMIN_EMAIL, ADMIN_PASSWORD, PUBLIC_KEY, SECRET_KEY};

/// A debug build starts well within this, on a busy machine too.
const START_MAX: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(5);
/// The user whom nothing belongs to.
const NOBODY: u32 = 65_534;
/// How often a database that starts is tried.
const OPENS_MAX: usize = 100;

/// Where processes run one after the other: an address, a data directory and a database.
pub struct Site {
    pub address: SocketAddr,
    engine: Engine,
    folder: TempDir,
    database: Arc<Database>,
    /// How the server comes to its database, where that is not the straight way.
    detour: Option<String>,
    /// The network namespace that it runs in, where that is not everybody's.
    namespace: Option<String>,
}

impl Site {
    pub fn new(engine: Engine) -> Self {
        Self::on(engine, Arc::new(Database::create(engine)))
    }

    /// Where another node runs on the same database.
    pub fn beside(&self) -> Self {
        Self::on(self.engine, Arc::clone(&self.database))
    }

    /// Where the files of a database on SQLite are already.
    pub fn of(folder: TempDir) -> Self {
        Self { folder, ..Self::new(Engine::Sqlite) }
    }

    fn on(engine: Engine, database: Arc<Database>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { address: free_address(), engine, folder, database, detour: None, namespace: None }
    }

    /// On the PostgreSQL database at this address, which stays when this is gone.
    pub fn at(url: String) -> Self {
        Self::on(Engine::Postgres, Arc::new(Database::At { url }))
    }

    /// Where another node runs on the same database, to which it comes through a port of its own.
    pub fn behind(&self, port: u16) -> Self {
        self.detoured("127.0.0.1", port)
    }

    /// The same, which finds the port by a name.
    pub fn behind_by_name(&self, port: u16) -> Self {
        self.detoured("localhost", port)
    }

    /// Where another node runs on the same database, on a network from which a port of its gateway leads to that.
    pub fn within(&self, network: &Network, node: u8, port: u16) -> Self {
        let detoured = self.detoured(&network.gateway().to_string(), port);
        let address = (network.address(node), detoured.address.port()).into();
        Self { address, namespace: Some(network.namespace(node)), ..detoured }
    }

    fn detoured(&self, host: &str, port: u16) -> Self {
        let mut url = reqwest::Url::parse(&self.database.url().unwrap()).unwrap();
        url.set_host(Some(host)).unwrap();
        url.set_port(Some(port)).unwrap();
        Self { detour: Some(url.into()), ..self.beside() }
    }

    /// Starts the server; with a failpoint (`name:count`) it will end itself there.
    pub fn start(&self, failpoint: Option<&str>, settings: &[(&str, &str)]) -> Process {
        self.start_binary(env!("CARGO_BIN_EXE_dregs"), failpoint, settings)
    }

    /// The same, with another build.
    pub fn start_binary(&self, binary: &str, failpoint: Option<&str>, settings: &[(&str, &str)]) -> Process {
        let command = match &self.namespace {
            None => Command::new(binary),
            Some(namespace) => {
                let mut within = Command::new("ip");
                within.args(["netns", "exec", namespace, binary]);
                within
            }
        };
        self.start_command(command, failpoint, settings)
    }

    /// The same, with its calls on files written to `log`.
    pub fn start_traced(&self, log: &Path, settings: &[(&str, &str)]) -> Process {
        self.start_command(dregs_powercut::traced(env!("CARGO_BIN_EXE_dregs"), log), None, settings)
    }

    /// The same, as somebody whom limits of threads hold for, as they do not for root.
    pub fn start_as_nobody(&self, settings: &[(&str, &str)]) -> Process {
        // Where nobody can find it.
        let binary = self.folder.path().join("dregs");
        std::fs::copy(env!("CARGO_BIN_EXE_dregs"), &binary).unwrap();
        let mut command = Command::new(binary);
        if chown(self.folder.path(), Some(NOBODY), Some(NOBODY)).is_ok() {
            command.uid(NOBODY).gid(NOBODY);
        }
        self.start_command(command, None, settings)
    }

    fn start_command(
        &self,
        mut command: Command,
        failpoint: Option<&str>,
        settings: &[(&str, &str)],
    ) -> Process {
        let log = File::options().create(true).append(true).open(self.log_file()).unwrap();
        command
            .arg("serve")
            .env_clear()
            .current_dir(self.folder.path())
            .env("DREGS_LISTEN", self.address.to_string())
            .env("DREGS_DATA_DIR", self.folder.path())
            .env("DREGS_SECRET_KEY", SECRET_KEY)
            .env("DREGS_PUBLIC_KEY", PUBLIC_KEY)
            .env("DREGS_ADMIN_EMAIL", ADMIN_EMAIL)
            .env("DREGS_ADMIN_PASSWORD", ADMIN_PASSWORD)
            .env("DREGS_EGRESS_ALLOW", "127.0.0.0/8,10.0.0.0/8")
            .env("DREGS_LOG", "warn")
            .envs(settings.iter().copied())
            .envs(failpoint.map(|failpoint| ("DREGS_FAILPOINT", failpoint)))
            .envs(self.detour.clone().or_else(|| self.database.url()).map(|url| ("DREGS_DATABASE_URL", url)))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        Process { child: command.spawn().unwrap(), address: self.address, log_file: self.log_file() }
    }

    /// The rows, seen from outside the server.
    pub fn open_store(&self) -> Store {
        let location = match (self.engine, self.database.url()) {
            (Engine::Postgres, Some(url)) => Location::Postgres(url),
            _ => Location::File(self.folder.path().join("dregs.db")),
        };
        // The synchronous client must not run on a thread of the runtime.
        let open = move || {
            let try_open = || Store::open(&location, Timestamp::from_millis(0));
            let mut opened = try_open();
            // One of whose processes was killed starts anew a moment later.
            for _ in 0..OPENS_MAX {
                if opened.is_ok() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(100));
                opened = try_open();
            }
            opened.unwrap()
        };
        std::thread::spawn(open).join().unwrap()
    }

    /// Of the PostgreSQL database.
    pub fn database_url(&self) -> Option<String> {
        self.database.url()
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Which of these texts stand in a row of the PostgreSQL database, and in which table.
    pub fn rows_with(&self, texts: &[&str]) -> Vec<String> {
        self.database.rows_with(texts)
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log.txt")
    }
}

/// A running server; it is killed when this is dropped.
pub struct Process {
    address: SocketAddr,
    child: Child,
    log_file: PathBuf,
}

impl Process {
    /// Waits until the server answers; false when it ended before.
    ///
    /// # Panics
    /// When it does neither in time, or ended by its own fault.
    pub async fn is_ready(&mut self) -> bool {
        let (begun, client) = (Instant::now(), reqwest::Client::new());
        // It listens before it serves, so that a connection says nothing yet.
        let url = format!("http://{}/healthz", self.address);
        while client.get(&url).timeout(START_MAX).send().await.is_err() {
            if self.exit_status().is_some() {
                return false;
            }
            assert!(begun.elapsed() < START_MAX, "the server does not answer: {}", self.log());
            tokio::time::sleep(POLL).await;
        }
        true
    }

    /// Sends a request with the secret key; the answer is its status and its text.
    ///
    /// # Panics
    /// When there is no answer within a minute.
    pub async fn call(&self, method: reqwest::Method, path: &str, body: Option<Value>) -> (u16, String) {
        let mut request = reqwest::Client::new()
            .request(method, format!("http://{}{path}", self.address))
            .bearer_auth(SECRET_KEY)
            .timeout(Duration::from_secs(60));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Sends an event; the answer is the status.
    pub async fn track(&self, event: Value) -> u16 {
        self.call(reqwest::Method::POST, "/api/events", Some(event)).await.0
    }

    pub async fn get(&self, path: &str) -> (u16, String) {
        self.call(reqwest::Method::GET, path, None).await
    }

    /// The value of a metric.
    pub async fn metric(&self, name: &str) -> f64 {
        let (_, text) = self.get("/metrics").await;
        let line = text.lines().find(|line| line.split(' ').next() == Some(name));
        line.unwrap_or_else(|| panic!("no {name} in {text}")).rsplit(' ').next().unwrap().parse().unwrap()
    }

    /// Waits until the process ends by itself; `None` when it goes on longer than `patience`.
    pub async fn end(&mut self, patience: Duration) -> Option<ExitStatus> {
        let begun = Instant::now();
        while begun.elapsed() < patience {
            let status = self.exit_status();
            if status.is_some() {
                return status;
            }
            tokio::time::sleep(POLL).await;
        }
        None
    }

    /// Waits until the server gives up by itself; its code and what it said.
    ///
    /// # Panics
    /// When it goes on.
    pub async fn given_up(mut self) -> (Option<i32>, String) {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status.code(), self.log());
            }
            assert!(begun.elapsed() < START_MAX, "the server goes on: {}", self.log());
            tokio::time::sleep(POLL).await;
        }
    }

    /// Tells it to stop, and waits until it has ended; what it said.
    ///
    /// # Panics
    /// When it goes on, or ends as if it had failed.
    pub async fn end_well(self) -> String {
        self.signal(Signal::TERM);
        let (code, log) = self.given_up().await;
        assert_eq!(code, Some(0), "{log}");
        log
    }

    /// Sends an event with these headers; the answer is the status.
    pub async fn track_with(&self, event: Value, headers: &[(&str, &str)]) -> u16 {
        let url = format!("http://{}/api/events", self.address);
        let mut request = reqwest::Client::new().post(url).bearer_auth(SECRET_KEY).json(&event);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap().status().as_u16()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Has the process stand still.
    pub fn stop(&self) {
        self.signal(Signal::STOP);
    }

    /// Has it go on.
    pub fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    /// Has it end by itself.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Ends the process at once.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The same, where its calls are written to this file.
    pub fn kill_traced(mut self, log: &Path) {
        let log = std::fs::read_to_string(log).unwrap();
        let first = log.split(' ').next().unwrap().parse().unwrap();
        kill_process(Pid::from_raw(first).unwrap(), Signal::KILL).unwrap();
        self.child.wait().unwrap();
    }

    /// How the process ended, if it did. Only a signal may end it.
    fn exit_status(&mut self) -> Option<ExitStatus> {
        let status = self.child.try_wait().unwrap()?;
        assert!(status.code().is_none(), "the server gave up, {status}: {}", self.log());
        Some(status)
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log_file).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address to listen on again and again. Its port is below those that the kernel gives to
/// outgoing connections, so that nobody takes it while the server is down.
fn free_address() -> SocketAddr {
    loop {
        let port = 10_000 + rand::random::<u16>() % 20_000;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}
