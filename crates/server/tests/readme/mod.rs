//! What the README, the README of the examples and the chapters of the manual say to do, done in the order in which
//! it stands, in terminals as they say, with the answers that they say.

mod chapters;
mod inline;
mod markdown;
mod samples;
mod terminal;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dregs_server::clock::{Clock as _, SystemClock, monotonic};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use self::markdown::{Block, Item, Step, items, steps};
use self::terminal::{PATIENCE, Terminal, is_complete};
use crate::support::receiver::Receiver;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
/// The applications among the examples.
const APPLICATIONS: [&str; 5] = ["quarantine", "rate_limits", "shadowban", "hold_purchases", "feature_gates"];
const TERMINALS: [&str; 4] = ["first", "second", "third", "fourth"];
/// The script that takes the page of the README into a browser.
const BROWSER_TEST: &str = "web/tests/readme.test.js";
const RECOVERY_TEST: &str = "crates/server/tests/flow/kill/faults/recovery.rs";
/// What is kept of the values that the server makes up, by how they begin.
const VALUES: [&str; 3] = ["sk_", "pk_", "whsec_"];
/// Requests are counted by minutes; a few of them are made within this.
const FEW_SECONDS: i64 = 10;

/// Somebody who does what a page says.
struct Reader {
    folder: TempDir,
    variables: Vec<(String, String)>,
    /// What stands on the page, and what it is here.
    here: Vec<(String, String)>,
    /// The values that were shown, by how the page abbreviates them.
    values: BTreeMap<String, String>,
    terminals: Vec<Terminal>,
    /// The terminal that was used last.
    current: usize,
    server: String,
    in_python: bool,
    /// The page that is followed.
    path: String,
}

fn root(path: &str) -> PathBuf {
    Path::new(ROOT).join(path)
}

fn page(path: &str) -> String {
    std::fs::read_to_string(root(path)).unwrap()
}

impl Reader {
    fn new(endpoint: &str, in_python: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let release = folder.path().join("target/release");
        std::fs::create_dir_all(&release).unwrap();
        let server = Path::new(env!("CARGO_BIN_EXE_dregs"));
        for program in ["dregs"].iter().chain(&APPLICATIONS) {
            // The examples are built beside the server, where the whole workspace is.
            let built = server.with_file_name(program);
            assert!(built.exists(), "build it with `cargo build --workspace`: {}", built.display());
            std::os::unix::fs::symlink(built, release.join(program)).unwrap();
        }
        std::os::unix::fs::symlink(root("examples").canonicalize().unwrap(), folder.path().join("examples"))
            .unwrap();
        let [port, application] = [(); 2].map(|()| crate::cli::free_port());
        let here = [
            ("127.0.0.1:8080".to_owned(), format!("127.0.0.1:{port}")),
            ("127.0.0.1:4000".to_owned(), format!("127.0.0.1:{application}")),
            ("localhost:4000".to_owned(), format!("127.0.0.1:{application}")),
            ("dregs listen".to_owned(), format!("dregs listen --port {application}")),
            // Nothing is sent to anybody else's machine.
            ("https://example.com/webhooks/dregs".to_owned(), endpoint.to_owned()),
            ("mail.example.com".to_owned(), "127.0.0.1:1".to_owned()),
        ];
        let python = root("target/python-clients/bin/python");
        let variables = [
            ("PATH", "/usr/local/bin:/usr/bin:/bin".to_owned()),
            ("HOME", folder.path().display().to_string()),
            ("DREGS_LISTEN", format!("127.0.0.1:{port}")),
            ("DREGS_BASE_URL", format!("http://127.0.0.1:{port}")),
            ("DREGS_LOG", "error".to_owned()),
            ("PORT", application.to_string()),
            ("PYTHON", python.display().to_string()),
        ];
        Self {
            folder,
            variables: variables.map(|(name, value)| (name.to_owned(), value)).into(),
            here: here.into(),
            values: BTreeMap::new(),
            terminals: Vec::new(),
            current: 0,
            server: format!("http://127.0.0.1:{port}"),
            in_python,
            path: String::new(),
        }
    }

    /// Does all that a page says.
    async fn follow(&mut self, path: &str) {
        path.clone_into(&mut self.path);
        for item in items(&crate::manual::written(&page(path))) {
            match item {
                Item::Block(block) => self.read(&block).await,
                Item::Span(span) => inline::check(self, &span).await,
            }
        }
    }

    async fn read(&mut self, block: &Block) {
        let words: Vec<_> = block.before.split(|c: char| !c.is_alphanumeric()).collect();
        // "In a second terminal", "in the third".
        let named = words.windows(2).find_map(|words| {
            let is_place = matches!(words[0], "a" | "the");
            TERMINALS.iter().position(|name| is_place && *name == words[1])
        });
        let at = named.unwrap_or(self.current);
        match block.kind.as_str() {
            "console" => self.type_in(at, block).await,
            "text" => self.terminals[at].shows(&self.localized(&block.text)),
            "json" if block.text.contains("\"event\"") => self.compare_webhook(&block.text).await,
            // A client's configuration.
            "json" => _ = serde_json::from_str::<serde_json::Value>(&block.text).unwrap(),
            "html" => {
                assert!(page(BROWSER_TEST).contains(&self.path), "{BROWSER_TEST} does not read {}", self.path)
            }
            // Settings of PostgreSQL.
            "ini" => {
                assert!(
                    page(RECOVERY_TEST).contains(&self.path),
                    "{RECOVERY_TEST} does not read {}",
                    self.path
                )
            }
            kind if samples::is_code(kind) => samples::run(self, block),
            kind => panic!("line {}: no test knows what to do with {kind:?}", block.line),
        }
    }

    async fn type_in(&mut self, at: usize, block: &Block) {
        self.current = at;
        // The first application is shown in both languages.
        let is_python = block.text.contains("target/try-python");
        let is_rust = block.text.contains("$ target/release/quarantine");
        let is_other_language = if self.in_python { is_rust } else { is_python };
        if is_other_language {
            return;
        }
        self.open(at);
        for step in steps(block, is_complete) {
            match step {
                Step::End => self.terminals[at].end(),
                Step::Run { command, answer } => {
                    assert!(!self.terminals[at].is_busy, "line {}: in which terminal?", block.line);
                    self.run(at, &command, &answer).await;
                }
            }
        }
    }

    /// The terminals up to one.
    fn open(&mut self, at: usize) -> &mut Terminal {
        while self.terminals.len() <= at {
            self.terminals.push(Terminal::open(self.folder.path(), &self.variables));
        }
        &mut self.terminals[at]
    }

    async fn run(&mut self, at: usize, said: &str, answer: &str) {
        if let Some(reason) = chapters::not_tried(said) {
            chapters::say_not_run(said, reason);
            return;
        }
        let (command, expected) = (self.prepared(said), self.localized(answer));
        if command.contains("/search") {
            wait_for_most_of_a_minute().await;
        }
        let shown = if stays(said) {
            let shown = self.terminals[at].start(&command, &expected);
            self.wait_for_application(said).await;
            shown
        } else {
            let (shown, code) = self.terminals[at].run(&command);
            assert_eq!(code, 0, "{command}\n{shown}");
            assert!(terminal::matches(&expected, &shown), "{command}\nanswers\n{shown}\nand not\n{expected}");
            shown
        };
        // Whatever it was, it was not refused, unless that is what the page shows.
        assert!(answer.contains("\"code\":") || !shown.contains("\"requestId\""), "{command}\n{shown}");
        self.keep_values(answer, &shown);
        if said.starts_with("sleep ") {
            self.quiet().await;
        }
    }

    /// The command as it is run here.
    fn prepared(&self, said: &str) -> String {
        if let Some(settings) = said.strip_suffix("make run") {
            let recipe = recipe("run");
            let (_, arguments) = recipe.split_once(" -- ").unwrap();
            return format!("{}target/release/dregs {arguments}", self.localized(settings));
        }
        // What these make is there already, of the same versions.
        if said.starts_with("cargo build ") {
            for package in said.split(" -p ").skip(1) {
                let name = format!("name = \"{}\"", package.split(' ').next().unwrap());
                let manifests = ["crates/server/Cargo.toml", "examples/rust/Cargo.toml"];
                assert!(manifests.iter().any(|manifest| page(manifest).contains(&name)), "{name}");
            }
            return "true".to_owned();
        }
        if said.starts_with("python3 -m venv ") {
            return "true".to_owned();
        }
        if let Some((_, requirements)) = said.split_once("pip install --quiet -r ") {
            let installed = page("crates/server/tests/clients/requirements.txt");
            for package in page(requirements).lines() {
                assert!(
                    installed.lines().any(|line| line == package),
                    "{package} is not installed for tests"
                );
            }
            return "true".to_owned();
        }
        let mut command = self.localized(said).replace("target/try-python/bin/python", "$PYTHON");
        for application in APPLICATIONS.iter().filter(|_| self.in_python) {
            let compiled = format!("target/release/{application}");
            command = command.replace(&compiled, &format!("$PYTHON examples/python/{application}.py"));
        }
        for (abbreviated, value) in &self.values {
            command = command.replace(abbreviated, value);
        }
        for prefix in VALUES {
            let unknown = abbreviations(&command, prefix);
            assert_eq!(unknown, Vec::<String>::new(), "nothing above has shown it: {said}");
        }
        command
    }

    fn localized(&self, text: &str) -> String {
        self.here.iter().fold(text.to_owned(), |text, (there, here)| text.replace(there, here))
    }

    /// Remembers the keys that were shown where the page abbreviates them.
    fn keep_values(&mut self, said: &str, shown: &str) {
        for prefix in VALUES {
            let is_of_it = |c: char| c.is_ascii_alphanumeric() || "_+/=-".contains(c);
            let values = shown.match_indices(prefix).map(|(at, _)| {
                let rest = &shown[at..];
                rest[..rest.find(|c| !is_of_it(c)).unwrap_or(rest.len())].to_owned()
            });
            self.values.extend(abbreviations(said, prefix).into_iter().zip(values));
        }
    }

    fn secret_key(&self) -> &str {
        self.values.iter().find(|(name, _)| name.starts_with("sk_")).map(|(_, value)| value.as_str()).unwrap()
    }

    async fn ask(&self, path: &str) -> Value {
        let request = reqwest::Client::new().request(Method::GET, format!("{}/api{path}", self.server));
        let (status, answer) = crate::support::server::answer(request.bearer_auth(self.secret_key())).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    /// Waits until everybody is scored and everything has been told.
    async fn quiet(&self) {
        let begun = monotonic();
        loop {
            let everybody = self.ask("/identities?pageSize=100").await;
            let is_scored = |one: &Value| one["lastScoredAt"].as_str() >= one["lastTrackedAt"].as_str();
            let mut is_told = true;
            for channel in self.ask("/channels").await.as_array().unwrap() {
                let pending =
                    self.ask(&format!("/channels/{}/deliveries?status=PENDING", channel["id"])).await;
                is_told &= pending["totalElements"] == 0;
            }
            if is_told && everybody["content"].as_array().unwrap().iter().all(is_scored) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{everybody:#}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn wait_for_application(&self, said: &str) {
        if !APPLICATIONS.iter().any(|application| said.contains(application)) {
            return;
        }
        let begun = monotonic();
        let (_, address) = &self.here[1];
        while std::net::TcpStream::connect(address).is_err() {
            assert!(begun.elapsed() < PATIENCE, "{said} does not listen");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Holds an example of a body against the first that was sent.
    async fn compare_webhook(&self, said: &str) {
        let first = self.ask("/channels/1/deliveries?event=IDENTITY_SCORED").await;
        let first = first["content"].as_array().unwrap().last().unwrap()["id"].clone();
        let delivery = self.ask(&format!("/deliveries/{first}")).await;
        let sent = serde_json::from_str(delivery["attempts"][0]["requestBody"].as_str().unwrap()).unwrap();
        let mut differences = Vec::new();
        compare("", &serde_json::from_str(said).unwrap(), &sent, &mut differences);
        assert_eq!(differences, Vec::<String>::new(), "{sent:#}");
    }
}

/// What of the first is not in the second. A text that is cut off is as good as one that begins so, and a time is a
/// time; null is as good as absent.
fn compare(at: &str, said: &Value, sent: &Value, differences: &mut Vec<String>) {
    match (said, sent) {
        (Value::Object(said), Value::Object(sent)) => {
            for (name, value) in said {
                compare(&format!("{at}.{name}"), value, sent.get(name).unwrap_or(&Value::Null), differences);
            }
        }
        (Value::String(said), Value::String(sent)) => {
            let is_time = |text: &str| dregs_core::time::Timestamp::parse(text).is_some();
            let start = said.split_once('_').map_or("", |(start, _)| start);
            let is_cut = said.ends_with('…') && sent.starts_with(start);
            if !(said == sent || is_cut || (is_time(said) && is_time(sent))) {
                differences.push(format!("{at}: {said} and {sent}"));
            }
        }
        // Of a list a page may show a part.
        (Value::Array(said), Value::Array(sent)) => {
            for one in said {
                let is_there = sent.iter().any(|other| {
                    let mut differences = Vec::new();
                    compare("", one, other, &mut differences);
                    differences.is_empty()
                });
                if !is_there {
                    differences.push(format!("{at}: {one} is not in it"));
                }
            }
        }
        _ if said == sent => {}
        _ => differences.push(format!("{at}: {said} and {sent}")),
    }
}

/// The values of a kind that a text abbreviates, such as `sk_98fd…`.
fn abbreviations(text: &str, prefix: &str) -> Vec<String> {
    let found = text.match_indices(prefix).filter_map(|(at, _)| {
        let value: String =
            text[at..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        text[at + value.len()..].starts_with('…').then(|| format!("{value}…"))
    });
    found.collect()
}

/// Whether a command goes on until somebody ends it.
fn stays(command: &str) -> bool {
    let is_application =
        APPLICATIONS.iter().any(|name| command.ends_with(name) || command.ends_with(&format!("{name}.py")));
    command.ends_with("make run")
        || command.contains("dregs serve")
        || command.starts_with("dregs listen")
        || is_application
}

/// The one line of a target of the Makefile.
fn recipe(target: &str) -> String {
    let makefile = page("Makefile");
    let rest = makefile.split(&format!("\n{target}:")).nth(1);
    let rest = rest.unwrap_or_else(|| panic!("the Makefile has no target {target:?}"));
    rest.lines().find_map(|line| line.strip_prefix('\t')).unwrap().to_owned()
}

async fn wait_for_most_of_a_minute() {
    let second = SystemClock.now().as_seconds() % 60;
    if second > 60 - FEW_SECONDS {
        tokio::time::sleep(Duration::from_secs((61 - second) as u64)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_readme_does_what_it_says_in_its_order() {
    let receiver = Receiver::answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    let mut reader = Reader::new(&receiver.url(), false);
    reader.follow("README.md").await;
    // It had something to do.
    assert_eq!(reader.ask("/identities/user_1").await["id"], "user_1");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_do_what_their_readme_says_in_rust() {
    Reader::new("http://127.0.0.1:1/", false).follow("examples/README.md").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_do_what_their_readme_says_in_python() {
    Reader::new("http://127.0.0.1:1/", true).follow("examples/README.md").await;
}

#[test]
fn a_command_that_is_new_on_a_page_is_run_or_refused() {
    let block = |text: &str| Block {
        kind: "console".to_owned(),
        text: text.to_owned(),
        before: String::new(),
        line: 1,
    };
    let found = steps(&block("$ a\nb\n$ c"), |_| true);
    assert_eq!(found.len(), 2);
    assert_eq!(json!(abbreviations("sk_12… whsec_a… pk_1", "sk_")), json!(["sk_12…"]));
}
