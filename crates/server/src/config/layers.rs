//! The places a setting can come from, as layers that are laid over each other.

use std::io;
use std::path::Path;

use figment::providers::{Format, Toml};
use figment::value::{Dict, Map, Num, Value};
use figment::{Figment, Metadata, Profile, Provider};

use super::settings::{SETTINGS, Setting};
use super::{Config, ConfigError, default_file};
use crate::text_file;

const ENVIRONMENT: &str = "environment";
const FLAG: &str = "flag";
const PREFIX: &str = "DREGS_";

/// Names with our prefix that are not settings of the server: the published clients (and `dregs
/// listen`, `trigger` and `verify`) read them, and may well share its environment.
const CLIENT_VARIABLES: [&str; 2] = ["DREGS_BASE_URL", "DREGS_WEBHOOK_SECRET"];
/// What tests and benchmarks say to themselves.
const TEST_PREFIX: &str = "DREGS_TEST_";

/// The values that one place gives.
pub(super) struct Layer {
    name: String,
    values: Dict,
}

impl Layer {
    /// The variables that are settings, and a line for each kind of variable with our prefix that is none.
    pub fn environment(
        variables: impl Iterator<Item = (String, String)>,
    ) -> Result<(Self, Vec<String>), ConfigError> {
        let ours: Vec<_> = variables
            .filter(|(name, _)| {
                name.starts_with(PREFIX)
                    && !name.starts_with(TEST_PREFIX)
                    && !CLIENT_VARIABLES.contains(&name.as_str())
            })
            .collect();
        let is_set = |known: &String| ours.iter().any(|(name, _)| name == known);
        let mut values = Dict::new();
        let (mut of_services, mut unknown_ones) = (Vec::new(), Vec::new());
        for (name, value) in &ours {
            if is_of_service(name, value) {
                of_services.push(name.clone());
                continue;
            }
            if let Some(setting) = SETTINGS.iter().find(|setting| setting.variable() == *name) {
                values.insert(setting.key.to_owned(), value.clone().into());
                continue;
            }
            let mut meant = meant(name, Setting::variable);
            if meant.is_empty() {
                // Who has given the address may well have made it of parts that the environment has too.
                meant = of_address(name, Setting::variable).filter(|known| !is_set(known)).collect();
            }
            if meant.is_empty() {
                unknown_ones.push(name.clone());
            } else {
                return Err(ConfigError::Unknown { written: name.clone(), hint: did_you_mean(&meant) });
            }
        }
        let line = |names: Vec<String>, what: &str| {
            (!names.is_empty()).then(|| format!("{} {what}", sorted(names).join(", ")))
        };
        let warnings = [
            line(
                unknown_ones,
                "in the environment: there is no such setting, so it has no effect; `dregs config` lists all",
            ),
            line(
                of_services,
                "in the environment: made by Kubernetes for a service of that name, and no settings; \
                 `enableServiceLinks: false` in the pod keeps them away",
            ),
        ];
        let layer = Self { name: ENVIRONMENT.to_owned(), values };
        Ok((layer, warnings.into_iter().flatten().collect()))
    }

    /// The flags that were given, by key.
    pub fn flags<'a>(given: impl Iterator<Item = (&'static str, &'a str)>) -> Self {
        let values = given.map(|(key, value)| (key.to_owned(), value.into())).collect();
        Self { name: FLAG.to_owned(), values }
    }

    /// The text of the configuration file at `path`.
    pub fn file(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let name = path.display().to_string();
        let values = Toml::from_str::<Dict>(text).map_err(|error| {
            let line = line_of(text, error.span().map_or(0, |span| span.start));
            let reason = text.lines().nth(line - 1).and_then(bare_value);
            let reason = reason.unwrap_or_else(|| error.message().replace('\n', ", "));
            ConfigError::Syntax { path: name.clone(), line, reason }
        })?;
        match values.keys().find(|key| !SETTINGS.iter().any(|setting| setting.key == key.as_str())) {
            Some(key) => Err(unknown(key, |setting| setting.key.to_owned(), format!("{key} in {name}"))),
            None => Ok(Self { name, values }),
        }
    }
}

/// What is wrong with a line such as `log = info`, whose value is neither a number nor in quotes.
fn bare_value(line: &str) -> Option<String> {
    let (key, value) = line.split_once('=')?;
    let setting = SETTINGS.iter().find(|setting| setting.key == key.trim())?;
    let value = value.split('#').next().unwrap_or_default().trim();
    if value.is_empty() {
        return Some(format!("{} has no value: it takes {}", setting.key, setting.expects));
    }
    if value.contains(['"', '\'', '{']) {
        return None;
    }
    if let Some(list) = value.strip_prefix('[') {
        let list = list.trim_end_matches(']').split(',').map(str::trim).collect::<Vec<_>>().join("\", \"");
        return Some(format!("{} = [\"{list}\"], each in quotes, is what it takes", setting.key));
    }
    let is_number = value.trim_start_matches(['-', '+']).starts_with(|char: char| char.is_ascii_digit());
    let reads = (setting.read)(&mut Config::default(), value).is_ok();
    Some(match reads {
        true if !is_number || value.contains(['.', ':', ',']) => {
            format!("{} = \"{value}\", in quotes, is what it takes", setting.key)
        }
        _ => format!("{}: {value:?} is not {}", setting.key, setting.expects),
    })
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name.clone())
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        Ok(Map::from([(Profile::Default, self.values.clone())]))
    }
}

/// The configuration file as a layer. The default one may be missing, a named one may not.
pub(super) fn read_file(named: Option<&Path>) -> Result<Option<Layer>, ConfigError> {
    let path = named.unwrap_or(default_file());
    match text_file::read(path) {
        Ok(text) => Layer::file(path, &text).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound && named.is_none() => Ok(None),
        Err(error) => {
            Err(ConfigError::Unreadable { path: path.display().to_string(), reason: error.to_string() })
        }
    }
}

/// Where the value in force of a setting comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Default,
    File(String),
    Environment,
    Flag,
}

impl Place {
    pub fn of(figment: &Figment, key: &str) -> Self {
        match figment.find_metadata(key).map(|metadata| &*metadata.name) {
            None => Self::Default,
            Some(ENVIRONMENT) => Self::Environment,
            Some(FLAG) => Self::Flag,
            Some(path) => Self::File(path.to_owned()),
        }
    }

    /// Such as `environment DREGS_LISTEN`.
    pub fn origin(&self, setting: &Setting) -> String {
        match self {
            Self::Default => "default".to_owned(),
            Self::File(path) => path.clone(),
            Self::Environment => format!("environment {}", setting.variable()),
            Self::Flag => format!("flag {}", setting.flag()),
        }
    }

    /// The setting as the operator wrote it there.
    pub fn written(&self, setting: &Setting) -> String {
        match self {
            Self::Default => setting.key.to_owned(),
            Self::File(path) => format!("{} in {path}", setting.key),
            Self::Environment => setting.variable(),
            Self::Flag => setting.flag(),
        }
    }
}

/// A value as text, a list as its items separated by commas: `deadline_ms = 5000` and
/// `DREGS_DEADLINE_MS=5000` are the same. `None` when it is a table.
pub(super) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(_, text) => Some(text.clone()),
        Value::Bool(_, flag) => Some(flag.to_string()),
        Value::Num(_, Num::F64(number)) => Some(number.to_string()),
        Value::Num(_, number) => number.to_i128().map(|number| number.to_string()),
        Value::Array(_, items) => {
            let items = items.iter().map(text_of).collect::<Option<Vec<String>>>()?;
            Some(items.join(","))
        }
        _ => None,
    }
}

fn unknown(name: &str, spelling: fn(&Setting) -> String, written: String) -> ConfigError {
    let mut known = meant(name, spelling);
    if known.is_empty() {
        known = of_address(name, spelling).collect();
    }
    let hint =
        if known.is_empty() { "; `dregs config` lists them all".to_owned() } else { did_you_mean(&known) };
    ConfigError::Unknown { written, hint }
}

fn did_you_mean(known: &[String]) -> String {
    format!("; did you mean {}?", known.join(" or "))
}

/// The settings that a name may be meant for: the one that it is mistyped from, by some letters that are missing, too
/// many, other ones or swapped, but fewer than make up half of it; or those of which it is the first words, or which
/// are its own.
fn meant(name: &str, spelling: fn(&Setting) -> String) -> Vec<String> {
    let written = bare(name);
    let known = || SETTINGS.iter().filter(|setting| !setting.is_hidden()).map(spelling);
    let distance = |known: &str| strsim::osa_distance(&written, &bare(known));
    let nearest = known().map(|known| (distance(&known), known)).min();
    let mistyped = nearest.filter(|(distance, nearest)| {
        let letters = written.chars().count().min(bare(nearest).chars().count());
        *distance <= TYPING_ERRORS_MAX && distance * 2 < letters
    });
    let begins = |long: &str, short: &str| !short.is_empty() && long.starts_with(&format!("{short}_"));
    match mistyped {
        Some((_, nearest)) => vec![nearest],
        None => {
            known().filter(|known| begins(&bare(known), &written) || begins(&written, &bare(known))).collect()
        }
    }
}

/// How many letters may differ for a name to be taken for a mistyped other one.
const TYPING_ERRORS_MAX: usize = 3;

/// The setting that takes a whole address, of which a name is a part: `smtp_url` for `smtp_host`.
fn of_address(name: &str, spelling: fn(&Setting) -> String) -> impl Iterator<Item = String> {
    let written = bare(name);
    let known = SETTINGS.iter().filter(|setting| !setting.is_hidden()).map(spelling);
    known.filter(move |known| {
        bare(known).strip_suffix("URL").is_some_and(|stem| !stem.is_empty() && written.starts_with(stem))
    })
}

fn bare(name: &str) -> String {
    name.to_ascii_uppercase().trim_start_matches(PREFIX).to_owned()
}

/// Whether Kubernetes makes this variable for a service whose name begins with ours, by the rules of its manual,
/// "Accessing the Service: Environment Variables": `DREGS_SERVICE_HOST`, `DREGS_PORT=tcp://…`,
/// `DREGS_PORT_8080_TCP_ADDR` and their like.
fn is_of_service(name: &str, value: &str) -> bool {
    let parts: Vec<_> = name.split('_').collect();
    let ends_with = |end: &[&str]| parts.len() > end.len() && parts.ends_with(end);
    let is_protocol = |text: &str| matches!(text, "TCP" | "UDP" | "SCTP");
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_url = ["tcp://", "udp://", "sctp://"].iter().any(|scheme| value.starts_with(scheme));
    // PORT_8080_TCP, and what is said of it.
    let is_port = parts.windows(3).enumerate().any(|(at, three)| {
        let rest = &parts[at + 3..];
        at > 0
            && three[0] == "PORT"
            && is_number(three[1])
            && is_protocol(three[2])
            && matches!(rest, [] | ["PROTO" | "PORT" | "ADDR"])
    });
    let is_named_port = parts.windows(2).enumerate().any(|(at, two)| at > 0 && two == ["SERVICE", "PORT"]);
    ends_with(&["SERVICE", "HOST"])
        || (is_named_port && is_number(value))
        || is_port
        || (ends_with(&["PORT"]) && is_url)
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}
