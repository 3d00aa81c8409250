//! The chapters of the manual, each followed in a folder of its own against a server of its own.

use super::terminal::Terminal;
use super::{Reader, page};
use crate::support::engine::{Database, Engine};
use crate::support::receiver::Receiver;

/// Keys that the server of a chapter has, in the variables that the chapters name.
const SECRET_KEY: &str = "sk_manual";
const PUBLIC_KEY: &str = "pk_manual";
const PASSWORD: &str = "correct horse battery staple";
/// The chapter in which a server shows the keys that it makes up.
const FIRST: &str = "docs/manual/getting-started.md";

/// Why not; what is tried in their place.
const PACKAGED: &str =
    "it needs packages; `scripts/first-webhook.sh` tries those that `scripts/package.sh` makes";
const BOOTED: &str =
    "it needs a machine booted by systemd; `scripts/lint-packaging.sh` has the unit verified";
const DAEMON: &str =
    "it needs a Docker daemon; `scripts/lint-packaging.sh` lints the files, and builds where there is one";
const CLUSTER: &str =
    "it needs a cluster; `scripts/lint-packaging.sh` holds the manifest against the API's schemas";

/// Commands of chapters that no test runs, by how they begin, and why.
const NOT_TRIED: [(&str, &str); 13] = [
    ("dregs migrate --distribute citus", "it needs a Citus cluster; the store's tests run it on one"),
    ("cargo install ", "it builds for minutes; `scripts/test.sh` installs the debug build by it"),
    ("pip install target/package", PACKAGED),
    ("npm install target/package", PACKAGED),
    ("sudo apt-get install ./target/package", PACKAGED),
    ("sudo systemctl ", BOOTED),
    ("sudo journalctl ", BOOTED),
    ("docker build ", DAEMON),
    ("docker compose ", DAEMON),
    ("export POSTGRES_PASSWORD=…", DAEMON),
    ("kubectl apply ", CLUSTER),
    ("kubectl logs ", CLUSTER),
    ("claude mcp add", "it needs Claude Code; `api::clients::agent` connects by another published client"),
];

/// Why no test runs a command of a chapter.
pub fn not_tried(command: &str) -> Option<&'static str> {
    NOT_TRIED.iter().find(|(start, _)| command.starts_with(start)).map(|(_, reason)| *reason)
}

#[expect(clippy::print_stdout, reason = "a command that was not run must not look as if it had been")]
pub fn say_not_run(command: &str, reason: &str) {
    println!("NOT RUN: {command}: {reason}");
}

macro_rules! chapters {
    ($($name:ident: $file:literal),* $(,)?) => {
        const CHAPTERS: &[&str] = &[$($file),*];
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                follow($file).await;
            }
        )*
    };
}

chapters! {
    agents_of_ai_services: "docs/manual/ai-agents.md",
    the_api: "docs/manual/api.md",
    badges: "docs/manual/badges.md",
    channels: "docs/manual/channels.md",
    counters: "docs/manual/counters.md",
    decisions: "docs/manual/decisions.md",
    devices: "docs/manual/devices.md",
    escalations: "docs/manual/escalations.md",
    events: "docs/manual/events.md",
    getting_started: "docs/manual/getting-started.md",
    identities: "docs/manual/identities.md",
    installing: "docs/manual/installing.md",
    lists: "docs/manual/lists.md",
    mcp: "docs/manual/mcp.md",
    moving: "docs/manual/moving.md",
    operations: "docs/manual/operations.md",
    scoring: "docs/manual/scoring.md",
    security: "docs/manual/security.md",
    sizing: "docs/manual/sizing.md",
    tracking: "docs/manual/tracking.md",
    webhooks: "docs/manual/webhooks.md",
}

#[test]
fn every_chapter_of_the_manual_is_followed() {
    assert_eq!(CHAPTERS, crate::manual::chapters());
}

async fn follow(path: &str) {
    let receiver = Receiver::answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    let mut reader = Reader::new(&receiver.url(), false);
    // Runtimes need not be in the usual folders.
    let usual = std::env::var_os("PATH").and_then(|path| path.into_string().ok()).unwrap_or_default();
    for (name, value) in &mut reader.variables {
        if name == "PATH" {
            *value = format!("{}/target/release:{usual}", reader.folder.path().display());
        }
    }
    let text = page(path);
    let mut databases = Vec::new();
    for name in ["dregs", "restored"] {
        let there = format!("postgres://dregs:password@localhost/{name}");
        if text.contains(&there) {
            let database = Database::create(Engine::Postgres);
            reader.here.push((there, database.url().unwrap()));
            databases.push(database);
        }
    }
    if path != FIRST {
        let variables = [
            ("DREGS_SECRET_KEY", SECRET_KEY),
            ("DREGS_PUBLIC_KEY", PUBLIC_KEY),
            ("DREGS_ADMIN_PASSWORD", PASSWORD),
        ];
        reader.variables.extend(variables.map(|(name, value)| (name.to_owned(), value.to_owned())));
        reader.values.insert("sk_…".to_owned(), SECRET_KEY.to_owned());
    }
    // It starts servers itself, or finds one.
    let starts_one = text.lines().any(|line| line.starts_with("$ ") && line.contains("dregs serve"));
    let server = (!starts_one).then(|| {
        let mut terminal = Terminal::open(reader.folder.path(), &reader.variables);
        terminal.start("dregs serve --egress-allow 127.0.0.0/8", "listens on http://127.0.0.1:");
        terminal
    });
    reader.follow(path).await;
    drop(server);
}
