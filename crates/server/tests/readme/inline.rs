//! Commands, operations, settings and files that a page names within its sentences.

use std::path::Path;

use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::terminal::Terminal;
use super::{Reader, page, recipe, root};

/// They need the database alone, while the server runs; or a cluster; or a history; or go on until somebody ends them.
/// That they are there is tried.
const NOT_HERE: [&str; 11] = [
    "dregs restore",
    "dregs restore --in-place",
    "dregs keys reset-secrets",
    "dregs keys reset-secrets --lost-master-key",
    "dregs migrate --distribute citus",
    "dregs listen",
    "dregs serve",
    "dregs backtest",
    "dregs users add-owner",
    "dregs users reset-password",
    "dregs users reset-second-factor",
];
/// Variables that clients read, and that are no settings of the server.
const OF_CLIENTS: [&str; 2] = ["DREGS_BASE_URL", "DREGS_WEBHOOK_SECRET"];
/// Another part of the server has it, which this one may have been built without; or it is a page for browsers, or an OpenID provider's.
const PATHS_NOT_HERE: [&str; 4] =
    ["/mcp", "/oauth/authorize", "/.well-known/openid-configuration", "/v1/traces"];
/// Where packages put files, and images.
const FOLDERS_OF_PACKAGES: [&str; 3] = ["/data", "/etc/dregs", "/var/lib/dregs"];

/// Tries what a span names; nothing for other code.
pub async fn check(reader: &mut Reader, span: &str) {
    let (first, rest) = span.split_once(' ').unwrap_or((span, ""));
    match first {
        "make" => assert!(!recipe(rest.split(' ').next().unwrap()).is_empty()),
        "dregs" if !rest.is_empty() => run(reader, span),
        "dregs-bench" | "curl" => {
            assert!(first == "dregs-bench", "a command to run stands in a block: {span}")
        }
        "GET" | "POST" | "PUT" | "PATCH" | "DELETE" => check_operation(first, rest),
        _ if first.starts_with("scripts/") => assert!(root(first).exists(), "{first} is not there"),
        _ if first.starts_with("DREGS_") => check_setting(reader, span),
        _ if FOLDERS_OF_PACKAGES.iter().any(|folder| first.starts_with(folder)) => {}
        _ if first.starts_with('/') && !PATHS_NOT_HERE.contains(&span) => check_path(reader, span).await,
        _ => {}
    }
}

/// In the terminal that was used last: what it needs is set there.
fn run(reader: &mut Reader, said: &str) {
    let mut command = reader.prepared(said);
    if NOT_HERE.contains(&said) {
        command += " --help";
    }
    let terminal = reader.open(reader.current);
    let (shown, code) = terminal.run(&command);
    assert_eq!(code, 0, "{command}: {shown}");
}

fn check_operation(method: &str, path: &str) {
    let document: Value = serde_json::from_str(&page("openapi.json")).unwrap();
    let operation = &document["paths"][path][method.to_lowercase()];
    assert!(operation.is_object(), "there is no {method} {path}");
}

async fn check_path(reader: &Reader, path: &str) {
    let client = reqwest::Client::new();
    let request = client.request(Method::GET, format!("{}{path}", reader.server));
    let status = request.bearer_auth(reader.secret_key()).send().await.unwrap().status();
    // What is there for another method is there.
    assert!(status.is_success() || status == StatusCode::METHOD_NOT_ALLOWED, "{path}: {status}");
}

/// A setting is known; with a value, it is taken.
fn check_setting(reader: &Reader, span: &str) {
    let (name, value) = span.split_once('=').map_or((span, None), |(name, value)| (name, Some(value)));
    if name != "DREGS_…" && !OF_CLIENTS.contains(&name) {
        // A test holds that this file has every setting.
        let line = format!("\n# {} = ", name.trim_start_matches("DREGS_").to_lowercase());
        assert!(page("config.example.toml").contains(&line), "there is no setting {name}");
    }
    let Some(value) = value.filter(|value| !value.contains('…')) else { return };
    let mut variables = reader.variables.clone();
    variables.push((name.to_owned(), value.to_owned()));
    // Files that it names are there, as they would be at an operator's.
    for file in value.split(',').filter(|value| value.ends_with(".mmdb")) {
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(file);
        std::fs::copy(fixture, reader.folder.path().join(file)).unwrap();
    }
    let (shown, code) = Terminal::open(reader.folder.path(), &variables).run("target/release/dregs config");
    assert_eq!(code, 0, "{span}: {shown}");
}

/// What it is, why, how to try it, and where to read on.
#[test]
fn the_readme_is_short() {
    const LINES_MAX: usize = 100;
    let lines = super::page("README.md").lines().count();
    assert!(lines <= LINES_MAX, "{lines} lines");
}

#[test]
fn the_speed_that_the_readme_tells_is_what_was_measured() {
    let (readme, measured) = (page("README.md"), page("docs/speed.md"));
    let (_, section) = readme.split_once("## Speed\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let cells =
        section.lines().filter(|line| line.starts_with("| ")).flat_map(|line| line.split('|').skip(2));
    let figures: Vec<_> = cells.filter_map(|cell| cell.trim().split(['/', ' ']).next()).collect();
    let figures = figures.into_iter().filter(|figure| figure.starts_with(|c: char| c.is_ascii_digit()));
    let mut count = 0;
    for figure in figures {
        // At the begin of a figure's cell: of a range the lower end.
        assert!(
            measured.contains(&format!("| {figure} ")),
            "README.md tells {figure}, docs/speed.md does not"
        );
        count += 1;
    }
    assert_eq!(count, 7);
}
