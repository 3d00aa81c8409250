//! Who may use whom, and what stands where. ARCHITECTURE.md says why.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use dregs_server::failpoint::Failpoint;

const SRC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src");

/// Each part, and the parts of this crate it may use besides itself.
const MAY_USE: &[(&str, &[&str])] = &[
    (
        "http",
        &[
            "app",
            "clock",
            "config",
            "limit",
            "ops",
            "shutdown",
            "store",
            "trace",
            "channels::config",
            "channels::fetch",
            "channels::email",
            "channels::slack",
            "channels::webhook",
            "vault",
        ],
    ),
    ("workers", &["app", "clock", "limit", "ops", "store", "channels", "failpoint", "shutdown", "trace"]),
    ("serve", &["app", "http", "ops", "runtime", "shutdown", "store", "trace", "workers"]),
    (
        "cli",
        &[
            "app",
            "clock",
            "config",
            "failpoint",
            "ops",
            "runtime",
            "serve",
            "store",
            "channels::egress",
            "telemetry",
            "text_file",
            "vault",
        ],
    ),
    ("app", &["clock", "config", "geo", "ops", "store", "channels", "telemetry", "trace", "vault"]),
    (
        "ops",
        &[
            "clock",
            "store",
            "channels::config",
            "channels::fetch",
            "channels::http",
            "channels::send",
            "channels::webhook",
            "config",
            "failpoint",
            "limit",
            "text_file",
            "trace",
            "vault",
        ],
    ),
    ("channels", &["clock", "limit", "text_file", "tls", "trace::context"]),
    ("store", &["clock", "limit", "text_file", "tls", "trace::context", "values"]),
    ("trace", &["channels::egress", "channels::http", "channels::outcome", "clock", "limit", "shutdown"]),
];

const FILE_LINES_MAX: usize = 600;

/// What an analyzer may use of `core/src/score`: the contract and the helpers, and no other analyzer.
const ANALYZERS_MAY_USE: [&str; 4] = ["contract", "aggregate", "phrase", "features"];

fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found
}

/// The sources of a part, which is a folder or a file.
fn sources_of(part: &str) -> Vec<(PathBuf, String)> {
    let file = Path::new(SRC).join(part).with_extension("rs");
    match fs::read_to_string(&file) {
        Ok(text) => vec![(file, text)],
        Err(_) => sources(&Path::new(SRC).join(part)),
    }
}

/// The paths after `crate::` in a line, such as `store::channels`.
fn uses(line: &str) -> impl Iterator<Item = &str> {
    line.split("crate::").skip(1).map(|rest| {
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(rest.len());
        rest[..end].trim_end_matches(':')
    })
}

fn is_allowed(part: &str, allowed: &[&str], used: &str) -> bool {
    let within = |path: &str| used == path || used.starts_with(&format!("{path}::"));
    within(part) || allowed.iter().any(|path| within(path))
}

#[test]
fn parts_use_only_what_they_may() {
    let mut wrong = Vec::new();
    for (part, allowed) in MAY_USE {
        for (path, text) in sources_of(part) {
            for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
                for used in uses(line).filter(|used| !is_allowed(part, allowed, used)) {
                    wrong.push(format!("{} uses {used}", path.display()));
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// What is compiled, without its tests.
fn code(text: &str) -> impl Iterator<Item = &str> {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//"))
}

fn core_src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/src")
}

/// Each module of the core, and the others that it uses.
fn core_modules() -> BTreeMap<String, BTreeSet<String>> {
    let mut modules = BTreeMap::<String, BTreeSet<String>>::new();
    for (path, text) in sources(&core_src()) {
        let within = path.strip_prefix(core_src()).unwrap().to_str().unwrap();
        let own = within.split('/').next().unwrap().trim_end_matches(".rs");
        let used = code(&text).flat_map(uses).filter_map(|used| used.split("::").next());
        let others = used.filter(|used| *used != own && own != "lib").map(str::to_owned);
        modules.entry(own.to_owned()).or_default().extend(others);
    }
    modules
}

#[test]
fn imports_of_the_core_run_one_way() {
    let mut left = core_modules();
    // Whoever uses nobody that is left is in no circle.
    while let Some(free) = left.iter().find(|(_, used)| !used.iter().any(|used| left.contains_key(used))) {
        let free = free.0.clone();
        left.remove(&free);
    }
    assert_eq!(left, BTreeMap::new(), "in a circle, or using what is");
}

#[test]
fn analyzers_use_the_contract_and_no_other_analyzer() {
    let mut wrong = Vec::new();
    for category in ["humanity", "authenticity", "uniqueness", "behavior"] {
        for (path, text) in sources(&core_src().join("score").join(category)) {
            let of_score = code(&text).flat_map(uses).filter_map(|used| used.strip_prefix("score"));
            let parts =
                of_score.map(|used| used.trim_start_matches("::").split("::").next().unwrap_or_default());
            for part in parts.filter(|part| !ANALYZERS_MAY_USE.contains(part)) {
                wrong.push(format!("{} uses score::{part}", path.display()));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn sql_stands_in_the_store() {
    let is_sql = |line: &&str| {
        let line = line.to_lowercase();
        !line.trim_start().starts_with("//")
            && ["\"select ", "\"insert into", "\"update ", "\"delete from"]
                .iter()
                .any(|start| line.contains(start))
    };
    let outside =
        sources(Path::new(SRC)).into_iter().filter(|(path, _)| !path.starts_with(format!("{SRC}/store")));
    let found: Vec<_> = outside
        .flat_map(|(path, text)| {
            text.lines().filter(is_sql).map(|line| format!("{}: {line}", path.display())).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn every_failpoint_is_there() {
    let start = "failpoint::reach(Failpoint::";
    let mut reached: Vec<_> = sources(Path::new(SRC))
        .iter()
        .flat_map(|(_, text)| {
            let names = text.split(start).skip(1).filter_map(|rest| rest.split(')').next());
            names.map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    let mut known: Vec<_> = Failpoint::ALL.iter().map(|failpoint| format!("{failpoint:?}")).collect();
    reached.sort();
    reached.dedup();
    known.sort_unstable();
    assert_eq!(reached, known);
}

#[test]
fn files_fit_in_the_head() {
    let long: Vec<_> = sources(Path::new(SRC))
        .into_iter()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > FILE_LINES_MAX)
        .collect();
    assert_eq!(long, Vec::new());
}

/// There is one way to lay out a module with parts.
#[test]
fn a_module_with_parts_is_a_folder_with_a_mod_rs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folders = ["crates/core", "crates/server", "crates/bench", "examples/rust"];
    let beside: Vec<_> = folders
        .iter()
        .flat_map(|folder| sources(&root.join(folder)))
        .map(|(path, _)| path)
        .filter(|path| path.with_extension("").is_dir())
        .collect();
    assert_eq!(beside, Vec::<PathBuf>::new());
}

/// The paths that a text names between backticks; of `a/<b>.rs` the folder.
fn named_paths(text: &str) -> impl Iterator<Item = &str> {
    let is_path = |name: &&str| {
        name.contains('/')
            && !name.starts_with('/')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "/._-<>".contains(c))
    };
    let between = text.split('`').skip(1).step_by(2).filter(is_path);
    between.map(|name| name.split('<').next().unwrap_or_default())
}

#[test]
fn what_architecture_md_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let is_there = |name: &&str| ["", "crates"].iter().any(|base| root.join(base).join(name).exists());
    let missing: Vec<_> = named_paths(&text).filter(|name| !is_there(name)).collect();
    assert_eq!(missing, Vec::<&str>::new());
    assert!(named_paths(&text).count() > 40, "paths are found at all");
}

#[test]
fn the_core_is_pure() {
    let manifest = include_str!("../../core/Cargo.toml");
    let dependencies = manifest.split("[dev-dependencies]").next().unwrap();
    for impure in
        ["tokio", "rusqlite", "postgres", "axum", "hyper", "reqwest", "rand", "getrandom", "tracing"]
    {
        assert!(!dependencies.lines().any(|line| line.starts_with(impure)), "core depends on {impure}");
    }
    for (path, text) in sources(&core_src()) {
        for impure in
            ["std::fs", "std::env", "std::net::Tcp", "std::thread", "SystemTime", "Instant::now", "async fn"]
        {
            assert!(!text.contains(impure), "{} has {impure}", path.display());
        }
    }
}
