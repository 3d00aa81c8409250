//! What the manual takes from the code: the table of analyzers, of settings, of error codes, and the event types.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use dregs_core::notify::catalogue::{CatalogueEntry, catalogue};
use dregs_core::score::ANALYZERS;
use dregs_core::{agent, event};
use dregs_server::telemetry::described::{Kind, METRICS};
use serde_json::Value;

use super::root;

/// Of JSON that is written for people.
const LINE_MAX: usize = 110;

/// A block of a chapter between `<!-- name -->` and `<!-- end of name -->`.
struct Block {
    name: &'static str,
    chapter: &'static str,
    text: fn() -> String,
}

const BLOCKS: [Block; 9] = [
    Block { name: "analyzers", chapter: "docs/manual/scoring.md", text: analyzers },
    Block { name: "settings", chapter: "docs/manual/operations.md", text: settings },
    Block { name: "metrics", chapter: "docs/manual/operations.md", text: metrics },
    Block { name: "event types", chapter: "docs/manual/webhooks.md", text: event_types },
    Block { name: "error codes", chapter: "docs/manual/api.md", text: error_codes },
    Block { name: "limits of an event", chapter: "docs/manual/events.md", text: event_limits },
    Block { name: "headers of a webhook", chapter: "docs/manual/webhooks.md", text: webhook_headers },
    Block { name: "known agents", chapter: "docs/manual/ai-agents.md", text: known_agents },
    Block { name: "headers that are read", chapter: "docs/manual/ai-agents.md", text: request_headers },
];

fn read(path: &str) -> String {
    std::fs::read_to_string(root(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

impl Block {
    /// The chapter with the block as it is now.
    fn rewritten(&self, chapter: &str) -> String {
        let (begin, end) = (format!("<!-- {} -->\n", self.name), format!("<!-- end of {} -->\n", self.name));
        let (before, rest) = chapter.split_once(&begin).unwrap_or_else(|| panic!("no {begin}"));
        let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("no {end}"));
        format!("{before}{begin}{}{end}{after}", (self.text)())
    }
}

#[test]
fn what_the_manual_takes_from_the_code_is_current() {
    for block in BLOCKS {
        let chapter = read(block.chapter);
        assert!(
            block.rewritten(&chapter) == chapter,
            "{} of {}: run `cargo test --locked --workspace --test main -- --ignored rewrite_the_manual`",
            block.name,
            block.chapter
        );
    }
}

#[test]
#[ignore = "writes docs/manual"]
fn rewrite_the_manual() {
    for block in BLOCKS {
        let chapter = read(block.chapter);
        std::fs::write(root(block.chapter), block.rewritten(&chapter)).unwrap();
    }
}

fn metrics() -> String {
    let row =
        |(name, kind, words): &(&str, Kind, &str)| format!("| `{name}` | {} | {words} |\n", kind.name());
    let rows: String = METRICS.iter().map(row).collect();
    format!("| metric | kind | what it is |\n|---|---|---|\n{rows}")
}

/// Lines of one comment, joined, from the first that begins with `mark`.
fn comment<'l>(lines: impl Iterator<Item = &'l str>, mark: &str) -> String {
    let inside = lines.skip_while(|line| !line.starts_with(mark)).map_while(|line| line.strip_prefix(mark));
    inside.take_while(|line| !line.is_empty()).map(str::trim).collect::<Vec<_>>().join(" ")
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// The file of each analyzer and what stands in it, by its id.
fn analyzer_sources() -> BTreeMap<&'static str, (String, String)> {
    let mut sources = BTreeMap::new();
    let mut folders = vec![root("crates/core/src/score")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let Some((_, rest)) = text.split_once("pub const ANALYZER: Analyzer") else { continue };
            let declared = ANALYZERS.iter().find(|one| {
                rest.split_once("};").is_some_and(|(own, _)| own.contains(&format!("id: \"{}\"", one.id)))
                    || rest.lines().nth(1).is_some_and(|own| own.contains(&format!("id: \"{}\"", one.id)))
            });
            let declared = declared.unwrap_or_else(|| panic!("{} is not registered", path.display()));
            let path = path.strip_prefix(root("")).unwrap().to_str().unwrap().to_owned();
            assert!(sources.insert(declared.id, (path, text)).is_none(), "{}", declared.id);
        }
    }
    sources
}

/// What an analyzer looks at is the first paragraph of its file, and its limits are the second; how telling it is,
/// stands above its weight.
fn analyzers() -> String {
    let sources = analyzer_sources();
    let mut table = String::from(
        "| analyzer, source | it is shown as | what it looks at | weight | how telling that is | limits |\n\
         |---|---|---|---:|---|---|\n",
    );
    for analyzer in ANALYZERS {
        let (path, source) = &sources[analyzer.id];
        let about = comment(source.lines(), "//!");
        let limits = source.lines().skip_while(|line| !line.starts_with("//! Limits: "));
        let limits = comment(limits, "//!");
        let limits = limits.strip_prefix("Limits: ").unwrap_or_else(|| panic!("{path} tells no limits"));
        let (_, about) = about.split_once(": ").unwrap_or_else(|| panic!("{}: {about}", analyzer.id));
        let lines: Vec<_> = source.lines().collect();
        let weight = lines.iter().position(|line| line.starts_with("const WEIGHT: f64")).unwrap();
        let start = lines[..weight].iter().rposition(|line| !line.starts_with("///")).unwrap() + 1;
        let telling = comment(lines[start..weight].iter().copied(), "///");
        assert!(!telling.is_empty(), "{}: nothing says why its weight is what it is", analyzer.id);
        let (id, label, weight) = (analyzer.id, analyzer.label, analyzer.weight);
        let (about, limits) = (sentence(about), sentence(limits));
        writeln!(
            table,
            "| [`{id}`](../../{path}) | {label} | {about} | {weight:.1} | {telling} | {limits} |"
        )
        .unwrap();
    }
    table
}

/// What `config.example.toml` says of each setting: of several in a row it says it once.
fn descriptions() -> BTreeMap<String, String> {
    let mut descriptions = BTreeMap::new();
    for paragraph in read("config.example.toml").split("\n\n") {
        let lines = paragraph.lines().map(|line| line.trim_start_matches("# "));
        let is_setting = |line: &&str| {
            line.split_once(" = ")
                .is_some_and(|(key, _)| key.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
        };
        let (keys, words): (Vec<_>, Vec<_>) = lines.partition(is_setting);
        let mut said = words.join(" ");
        for key in keys {
            let (key, _) = key.split_once(" = ").unwrap();
            // Which one it goes with, since another may stand between the two in the table.
            let with = format!("See `{key}`.");
            let with = if said.starts_with("See `") { said.clone() } else { with };
            descriptions.insert(key.to_owned(), std::mem::replace(&mut said, with));
        }
    }
    descriptions
}

fn settings() -> String {
    let descriptions = descriptions();
    let mut table = String::from("| setting | default | takes | what for |\n|---|---|---|---|\n");
    for (key, default, expects) in dregs_server::config::listed() {
        let default = if default.is_empty() { "none".to_owned() } else { format!("`{default}`") };
        let about = &descriptions[key];
        writeln!(table, "| `{key}` | {default} | {expects} | {about} |").unwrap();
    }
    table
}

fn event_limits() -> String {
    const MINUTE_MS: i64 = 60_000;
    const DAYS_OF_YEAR: i64 = 365;
    let bytes = |most: usize| format!("{most} bytes");
    let chars = |most: usize| format!("{most} characters");
    let kib = |most: usize| format!("{} KiB of JSON", most / 1024);
    let rows = [
        ("`type`", chars(event::NAME_MAX_CHARS)),
        ("`id`", chars(event::EVENT_ID_MAX_CHARS)),
        ("`identity.id`, `session`, `device.fingerprint`, the id of a group", bytes(event::ID_MAX_BYTES)),
        (
            "`groups`",
            format!("{}, the type of each {}", event::GROUPS_MAX, chars(event::GROUP_TYPE_MAX_CHARS)),
        ),
        ("`data`, of an event, an identity or a group", kib(event::DATA_MAX_BYTES)),
        (
            "`url`; `userAgent`",
            format!("{}; {}", bytes(event::URL_MAX_BYTES), bytes(event::USER_AGENT_MAX_BYTES)),
        ),
        ("`source`", chars(event::SOURCE_MAX_CHARS)),
        (
            "`timestamp`",
            format!(
                "{} minutes ahead, {} years back",
                event::AHEAD_MAX_MS / MINUTE_MS,
                event::BACK_MAX_MS / (DAYS_OF_YEAR * 24 * 60 * MINUTE_MS)
            ),
        ),
        ("events of a batch", event::BATCH_MAX_EVENTS.to_string()),
    ];
    let mut table = String::from("| field | at most |\n|---|---|\n");
    for (field, most) in rows {
        writeln!(table, "| {field} | {most} |").unwrap();
    }
    table
}

/// The constants of `signature::header`, each with what is said of it.
fn webhook_headers() -> String {
    let source = read("crates/core/src/notify/signature.rs");
    let (_, rest) = source.split_once("pub mod header {\n").unwrap();
    let (inside, _) = rest.split_once("\n}").unwrap();
    let mut table = String::from("| header | what is in it |\n|---|---|\n");
    let mut about = Vec::new();
    for line in inside.lines().map(str::trim) {
        match line.strip_prefix("/// ") {
            Some(words) => about.push(words),
            None => {
                let name = line.split('"').nth(1).unwrap_or_else(|| panic!("{line}"));
                writeln!(table, "| `{name}` | {} |", about.join(" ")).unwrap();
                about.clear();
            }
        }
    }
    table
}

fn known_agents() -> String {
    let row = |path: &str, what: &str, count: usize, (source, date): (&str, &str)| {
        format!("| [{path}](../../crates/core/data/{path}) | {count} {what} | {source} | {date} |\n")
    };
    let mut table = String::from("| list | entries | source | of |\n|---|---|---|---|\n");
    table += &row("ai-agents.tsv", "names", agent::agents().len(), agent::AGENTS_SOURCE);
    table += &row("ai-agent-signers.tsv", "signers", agent::signers().count(), agent::SIGNERS_SOURCE);
    table
}

fn request_headers() -> String {
    let names: Vec<_> = event::HEADERS.iter().map(|name| format!("`{name}`")).collect();
    format!("{}: at most {} bytes each.\n", names.join(", "), event::HEADER_MAX_BYTES)
}

/// The names and types of what is in an object, by their paths. What was told of an object before is told once.
fn members(at: &str, schema: &Value, told: &mut Vec<Value>, found: &mut Vec<String>) {
    if told.contains(schema) {
        return;
    }
    if schema["properties"].is_object() && !at.is_empty() {
        told.push(schema.clone());
    }
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let path = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
        let kind = kind(member);
        let about = member["description"].as_str().unwrap_or_default();
        found.push(format!("| `{path}` | {kind} | {about} |\n"));
        members(&path, member, told, found);
        members(&format!("{path}[]"), &member["items"], told, found);
        for one in member["oneOf"].as_array().into_iter().flatten() {
            members(&path, one, told, found);
        }
    }
}

fn kind(schema: &Value) -> String {
    if let Some(constant) = schema["const"].as_str() {
        return format!("`{constant}`");
    }
    if let Some(words) = schema["enum"].as_array() {
        return words
            .iter()
            .map(|word| format!("`{}`", word.to_string().trim_matches('"')))
            .collect::<Vec<_>>()
            .join(", ");
    }
    if let Some(kinds) = schema["oneOf"].as_array() {
        return kinds.iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    match &schema["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        Value::String(kind) if schema["format"] == "date-time" => format!("{kind}, a time"),
        Value::String(kind) => kind.clone(),
        _ => String::new(),
    }
}

/// What every body has stands once; the rest by event type.
fn event_types() -> String {
    let mut told = Vec::new();
    let rows_by_event: Vec<(_, Vec<String>)> = catalogue()
        .into_iter()
        .map(|entry| {
            let mut rows = Vec::new();
            members("", &entry.schema, &mut told, &mut rows);
            (entry, rows)
        })
        .collect();
    let is_data = |row: &String| row.starts_with("| `data.");
    let head = "| member | type | |\n|---|---|---|\n";
    let mut text = format!("In every body:\n\n{head}");
    let mut envelope = Vec::new();
    for row in rows_by_event.iter().flat_map(|(_, rows)| rows).filter(|row| !is_data(row)) {
        let is_name = row.starts_with("| `event` |");
        let row = if is_name { "| `event` | string | The event type. |\n" } else { row };
        if !envelope.contains(&row) {
            envelope.push(row);
        }
    }
    text.extend(envelope);
    text.push_str("\n`identityId` and `sequence` are absent where there is no identity. What is in scores, badges and other objects is told ");
    text.push_str("where the first of their kind stands.\n");
    let mut listed: Vec<&String> = Vec::new();
    let keys = |entry: &CatalogueEntry| -> BTreeSet<String> {
        entry.example["data"].as_object().unwrap().keys().cloned().collect()
    };
    for (place, (entry, rows)) in rows_by_event.iter().enumerate() {
        let aliases: Vec<_> = entry.event.aliases().iter().map(|alias| format!("`{alias}`")).collect();
        write!(text, "\n### {}\n\n", entry.event.name()).unwrap();
        write!(text, "{} Subscribe by this name, or by {}.\n\n", entry.description, aliases.join(" or "))
            .unwrap();
        // One body looks like another that has all its members.
        let alike = rows_by_event[..place].iter().find(|(before, _)| keys(entry).is_subset(&keys(before)));
        match alike {
            Some((before, _)) => {
                write!(text, "Its body is like that of `{}`.\n\n", before.event.name()).unwrap()
            }
            None => write!(text, "```json\n{}\n```\n\n", short(&entry.example, 0)).unwrap(),
        }
        let own: Vec<_> = rows.iter().filter(|row| is_data(row)).collect();
        // What an event before it has as well stands there.
        let differing: Vec<_> = own.iter().copied().filter(|row| !listed.contains(row)).collect();
        match (differing.len(), own.len() - differing.len()) {
            (0, _) => text.push_str("Its members stand above.\n"),
            (_, 0) => text.push_str(head),
            _ => write!(text, "Beside members that stand above:\n\n{head}").unwrap(),
        }
        text.extend(differing.into_iter().map(String::as_str));
        listed.extend(own);
    }
    text
}

/// JSON for people: what fits on a line stands on one.
fn short(value: &Value, indent: usize) -> String {
    let flat = value.to_string().replace("\":", "\": ").replace(",\"", ", \"").replace("},{", "}, {");
    let Value::Object(members) = value else { return flat };
    if flat.len() + indent <= LINE_MAX {
        return flat;
    }
    let inner = " ".repeat(indent + 2);
    let mut lines: Vec<(String, bool)> = Vec::new();
    for (name, member) in members {
        let part = format!("\"{name}\": {}", short(member, indent + 2));
        let is_small = !member.is_object() && !member.is_array();
        match lines.last_mut() {
            Some((line, true)) if is_small && line.len() + part.len() + indent + 4 <= LINE_MAX => {
                line.push_str(", ");
                line.push_str(&part);
            }
            _ => lines.push((part, is_small)),
        }
    }
    let lines: Vec<_> = lines.into_iter().map(|(line, _)| format!("{inner}{line}")).collect();
    format!("{{\n{}\n{}}}", lines.join(",\n"), " ".repeat(indent))
}

/// Every code, with the statuses it is answered with anywhere in `crates/server/src/http`.
fn error_codes() -> String {
    let mut statuses = BTreeMap::<String, BTreeSet<u16>>::new();
    let mut folders = vec![root("crates/server/src/http")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = std::fs::read_to_string(&path).unwrap();
                for (code, status) in answers(&text) {
                    statuses.entry(code).or_default().insert(status);
                }
            }
        }
    }
    let source = read("crates/server/src/http/error.rs");
    let (_, rest) = source.split_once("pub enum Code {\n").unwrap();
    let (variants, _) = rest.split_once("\n}").unwrap();
    let lines: Vec<_> = variants.lines().map(str::trim).collect();
    let mut table = String::from("| code | status | what it means |\n|---|---|---|\n");
    for pair in lines.chunks(2) {
        let [about, name] = pair else { panic!("{pair:?}") };
        let (about, name) = (about.strip_prefix("/// ").unwrap(), name.trim_end_matches(','));
        let found = statuses.get(name).unwrap_or_else(|| panic!("nothing is answered with {name}"));
        let found: Vec<_> = found.iter().map(u16::to_string).collect();
        writeln!(table, "| `{}` | {} | {about} |", snake(name), found.join(", ")).unwrap();
    }
    table
}

/// The codes in a source, each with the status beside it.
fn answers(text: &str) -> Vec<(String, u16)> {
    let text: String = text.split_whitespace().collect();
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let beside = text.split("StatusCode::").skip(1).filter_map(|rest| {
        let status = word(rest);
        let code = rest[status.len()..].strip_prefix(",Code::")?;
        Some((word(code), number(&status)))
    });
    let missing = text.split("not_found(Code::").skip(1).map(|rest| (word(rest), 404));
    beside.chain(missing).collect()
}

fn number(status: &str) -> u16 {
    let all = (100..600).filter_map(|number| reqwest::StatusCode::from_u16(number).ok());
    let name = |status: reqwest::StatusCode| {
        status
            .canonical_reason()
            .unwrap_or_default()
            .to_uppercase()
            .replace([' ', '-'], "_")
            .replace('\'', "")
    };
    all.into_iter()
        .find(|one| name(*one) == status)
        .unwrap_or_else(|| panic!("{status} is no status"))
        .as_u16()
}

fn snake(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.extend(c.to_lowercase());
    }
    text
}

#[test]
fn the_codes_are_those_of_the_document() {
    let document: Value = serde_json::from_str(&read("openapi.json")).unwrap();
    let known: Vec<_> = document["components"]["schemas"]["Code"]["enum"].as_array().unwrap().clone();
    let table = error_codes();
    let listed: Vec<_> = table.lines().skip(2).map(|line| line.split('`').nth(1).unwrap()).collect();
    assert_eq!(serde_json::json!(listed), Value::Array(known));
}
