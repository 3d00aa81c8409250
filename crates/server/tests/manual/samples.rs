//! The samples of `docs/manual/webhooks.md` that verify webhooks, each run against deliveries of a real server.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use dregs_core::notify::signature::{Secret, header, sign};
use dregs_core::time::Timestamp;
use dregs_server::clock::{Clock as _, SystemClock, monotonic};
use reqwest::header::{HeaderMap, HeaderName};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::root;
use crate::support::engine::Engine;
use crate::support::server::TestServer;

const CHAPTER: &str = "docs/manual/webhooks.md";
/// A compiler has to compile first.
const PATIENCE: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(50);
/// Beyond what receivers take for new.
const OLD_MS: i64 = 600_000;

/// How the sample in a language is run: the file it stands in, and the command.
struct Runtime {
    language: &'static str,
    file: &'static str,
    /// `{port}` stands for the port.
    command: &'static [&'static str],
    /// What must be there for that.
    needs: &'static [&'static [&'static str]],
}

const PYTHON: Runtime = Runtime {
    language: "python",
    file: "receiver.py",
    // The environment that `scripts/python-clients.sh` makes has what the sample imports.
    command: &["{root}/target/python-clients/bin/python", "receiver.py"],
    needs: &[&["{root}/target/python-clients/bin/python", "--version"]],
};
const TYPESCRIPT: Runtime = Runtime {
    language: "typescript",
    // There is no annotation in it, so that it is JavaScript as well.
    file: "receiver.mjs",
    command: &["node", "receiver.mjs"],
    needs: &[&["node", "--version"]],
};
const GO: Runtime = Runtime {
    language: "go",
    file: "receiver.go",
    command: &["go", "run", "receiver.go"],
    needs: &[&["go", "version"]],
};
const RUBY: Runtime = Runtime {
    language: "ruby",
    file: "receiver.rb",
    command: &["ruby", "receiver.rb"],
    needs: &[&["ruby", "-e", "require 'webrick'"]],
};
const PHP: Runtime = Runtime {
    language: "php",
    file: "receiver.php",
    command: &["php", "-S", "127.0.0.1:{port}", "receiver.php"],
    needs: &[&["php", "--version"]],
};
const JAVA: Runtime = Runtime {
    language: "java",
    file: "Receiver.java",
    command: &["java", "Receiver.java"],
    needs: &[&["java", "--version"], &["javac", "--version"]],
};
/// The sample is a file of the examples, so that it is compiled with them.
const RUST: Runtime =
    Runtime { language: "rust", file: "receive.rs", command: &["{built}/receive"], needs: &[&["true"]] };
const RUST_FILE: &str = "examples/rust/src/bin/receive.rs";

const ALL: [&Runtime; 7] = [&RUST, &PYTHON, &TYPESCRIPT, &GO, &RUBY, &PHP, &JAVA];

/// The samples of a language in a chapter.
pub fn sampled(chapter: &str, language: &str) -> Vec<String> {
    let page = std::fs::read_to_string(root(chapter)).unwrap();
    let begin = format!("\n```{language}\n");
    page.split(&begin).skip(1).map(|block| block.split_once("\n```\n").unwrap().0.to_owned() + "\n").collect()
}

/// The one sample of a language in the chapter.
fn sample(language: &str) -> String {
    let mut samples = sampled(CHAPTER, language);
    assert_eq!(samples.len(), 1, "samples in {language}");
    samples.remove(0)
}

fn filled(part: &str, port: u16) -> String {
    let built = Path::new(env!("CARGO_BIN_EXE_dregs")).parent().unwrap().display().to_string();
    let root = root("").canonicalize().unwrap().display().to_string();
    part.replace("{port}", &port.to_string()).replace("{built}", &built).replace("{root}", &root)
}

/// Where `scripts/manual-runtimes.sh` has put a runtime, or its name, by which the machine has it.
pub fn program(name: &str, port: u16) -> PathBuf {
    let installed = root("target/manual-runtimes/bin").join(name);
    if installed.exists() { installed } else { filled(name, port).into() }
}

fn command(parts: &[&str], port: u16) -> Command {
    let mut command = Command::new(program(parts[0], port));
    command.args(parts[1..].iter().map(|part| filled(part, port)));
    command
}

impl Runtime {
    fn is_there(&self) -> bool {
        self.needs.iter().all(|needed| {
            let tried = command(needed, 0).stdout(Stdio::null()).stderr(Stdio::null()).status();
            tried.is_ok_and(|status| status.success())
        })
    }
}

/// A sample that runs, with the files it stands in.
struct Sample {
    process: Child,
    _folder: TempDir,
}

impl Sample {
    fn start(runtime: &Runtime, port: u16, secret: &str) -> Self {
        use std::os::unix::process::CommandExt as _;
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(runtime.file), sample(runtime.language)).unwrap();
        let mut command = command(runtime.command, port);
        // What it has started in turn ends with it.
        command.current_dir(folder.path()).process_group(0);
        command.env("PORT", port.to_string()).env("DREGS_WEBHOOK_SECRET", secret);
        command.env("GOCACHE", root("target/go-cache")).env("GO111MODULE", "off");
        let process = command.spawn().unwrap();
        let mut sample = Self { process, _folder: folder };
        let begun = monotonic();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = sample.process.try_wait().unwrap();
            assert!(ended.is_none(), "the sample in {} ended: {ended:?}", runtime.language);
            assert!(begun.elapsed() < PATIENCE, "the sample in {} does not listen", runtime.language);
            std::thread::sleep(POLL);
        }
        sample
    }
}

impl Drop for Sample {
    fn drop(&mut self) {
        let group = format!("-{}", self.process.id());
        let _ = Command::new("kill").args(["-s", "KILL", "--", &group]).status();
        let _ = self.process.wait();
    }
}

/// A delivery in the log, as it was sent: its headers and its body.
async fn delivered(server: &TestServer, channel: i64) -> (HeaderMap, String) {
    let delivery = server.wait_for_deliveries(channel, "DELIVERED", 1).await.remove(0);
    let delivery = server.get(&format!("/api/deliveries/{}", delivery["id"])).await;
    let attempt = &delivery["attempts"][0];
    assert_eq!(attempt["httpStatus"], 204, "{delivery:#}");
    let mut headers = HeaderMap::new();
    let sent: Vec<(String, Value)> =
        attempt["requestHeaders"].as_object().unwrap().clone().into_iter().collect();
    for (name, value) in
        sent.into_iter().filter(|(name, _)| name.contains("dregs") || name.starts_with("webhook-"))
    {
        headers.insert(name.parse::<HeaderName>().unwrap(), value.as_str().unwrap().parse().unwrap());
    }
    (headers, attempt["requestBody"].as_str().unwrap().to_owned())
}

/// Both signatures of a body, as of a delivery sent at `at`.
fn signed(secret: &str, body: &str, at: Timestamp) -> HeaderMap {
    let id = "evt_old";
    let signatures = sign(&[Secret::parse(secret).unwrap()], id, at, body.as_bytes());
    let headers = [
        (header::DREGS_SIGNATURE, signatures.dregs),
        (header::DREGS_TIMESTAMP, at.to_string()),
        (header::WEBHOOK_ID, id.to_owned()),
        (header::WEBHOOK_TIMESTAMP, at.as_seconds().to_string()),
        (header::WEBHOOK_SIGNATURE, signatures.standard),
    ];
    headers.into_iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}

#[expect(clippy::print_stdout, reason = "a sample that was not run must not look as if it had been")]
async fn try_sample(runtime: &Runtime) {
    if !runtime.is_there() {
        println!(
            "NOT RUN: the sample in {} of {CHAPTER}: there is no {}",
            runtime.language, runtime.needs[0][0]
        );
        return;
    }
    let port = crate::cli::free_port();
    let server = TestServer::start(Engine::Sqlite).await;
    let url = format!("http://127.0.0.1:{port}/webhooks/dregs");
    let (channel, secret) = server.channel("Application", json!({"url": url, "timeoutMs": 30_000})).await;
    let _sample = Sample::start(runtime, port, &secret);
    server.track("one", "ada").await;
    let (headers, body) = delivered(&server, channel).await;

    let client = reqwest::Client::new();
    let send = async |headers: &HeaderMap, body: &str| {
        let request = client.post(&url).headers(headers.clone()).header("Content-Type", "application/json");
        request.body(body.to_owned()).send().await.unwrap().status().as_u16()
    };
    let language = runtime.language;
    assert_eq!(send(&headers, &body).await, 204, "{language}: what was delivered");
    let tampered = body.replace("\"ada\"", "\"eve\"");
    assert_ne!(tampered, body);
    assert_eq!(send(&headers, &tampered).await, 401, "{language}: another body");
    assert_eq!(send(&HeaderMap::new(), &body).await, 401, "{language}: no signature");
    let mut other = headers.clone();
    other.insert(header::DREGS_SIGNATURE, "00".repeat(32).parse().unwrap());
    other.insert(header::WEBHOOK_SIGNATURE, format!("v1,{}=", "A".repeat(43)).parse().unwrap());
    assert_eq!(send(&other, &body).await, 401, "{language}: another signature");
    other.insert(header::DREGS_SIGNATURE, "x".parse().unwrap());
    other.insert(header::WEBHOOK_SIGNATURE, "x".parse().unwrap());
    assert_eq!(send(&other, &body).await, 401, "{language}: what is no signature");

    let at = |millis: i64| Timestamp::from_millis(SystemClock.now().as_millis() + millis);
    let dated = |at: Timestamp| {
        let mut value: Value = serde_json::from_str(&body).unwrap();
        value["timestamp"] = json!(at.to_string());
        value.to_string()
    };
    for (millis, status) in [(0, 204), (-OLD_MS, 401)] {
        let (body, at) = (dated(at(millis)), at(millis));
        assert_eq!(
            send(&signed(&secret, &body, at), &body).await,
            status,
            "{language}: signed {millis} ms ago"
        );
    }
    println!("run: the sample in {language} of {CHAPTER}");
}

#[tokio::test]
async fn the_sample_in_rust_takes_what_is_genuine_and_nothing_else() {
    let file = std::fs::read_to_string(root(RUST_FILE)).unwrap();
    assert!(sample("rust") == file, "the sample of {CHAPTER} is not {RUST_FILE}");
    try_sample(&RUST).await;
}

#[tokio::test]
async fn the_sample_in_python_takes_what_is_genuine_and_nothing_else() {
    try_sample(&PYTHON).await;
}

#[tokio::test]
async fn the_sample_in_typescript_takes_what_is_genuine_and_nothing_else() {
    try_sample(&TYPESCRIPT).await;
}

#[tokio::test]
async fn the_sample_in_go_takes_what_is_genuine_and_nothing_else() {
    try_sample(&GO).await;
}

#[tokio::test]
async fn the_sample_in_ruby_takes_what_is_genuine_and_nothing_else() {
    try_sample(&RUBY).await;
}

#[tokio::test]
async fn the_sample_in_php_takes_what_is_genuine_and_nothing_else() {
    try_sample(&PHP).await;
}

#[tokio::test]
async fn the_sample_in_java_takes_what_is_genuine_and_nothing_else() {
    try_sample(&JAVA).await;
}

/// Whatever is code in the chapter is a sample that is run, a command that is run, or generated.
#[test]
fn every_sample_of_the_chapter_has_a_test() {
    let page = super::written(&std::fs::read_to_string(root(CHAPTER)).unwrap());
    let fences: Vec<_> = page.lines().filter_map(|line| line.strip_prefix("```")).collect();
    let kinds: Vec<_> = fences.chunks(2).map(|pair| pair[0]).collect();
    let unknown: Vec<_> = kinds
        .iter()
        .filter(|kind| !["console", "text"].contains(kind) && !ALL.iter().any(|one| one.language == **kind))
        .collect();
    assert_eq!(unknown, Vec::<&&str>::new());
    assert!(ALL.iter().all(|one| kinds.contains(&one.language)));
}
