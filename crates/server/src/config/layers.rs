//! The places a setting can come from, as layers that are laid over each other.

use std::io;
use std::path::Path;

use figment::providers::{Format, Toml};
use figment::value::{Dict, Map, Num, Value};
use figment::{Figment, Metadata, Profile, Provider};

use super::settings::{SETTINGS, Setting};
use super::{ConfigError, default_file};

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
    /// The variables that are settings.
    pub fn environment(variables: impl Iterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let ours = variables.filter(|(name, _)| {
            name.starts_with(PREFIX)
                && !name.starts_with(TEST_PREFIX)
                && !CLIENT_VARIABLES.contains(&name.as_str())
        });
        let mut values = Dict::new();
        for (name, value) in ours {
            let Some(setting) = SETTINGS.iter().find(|setting| setting.variable() == name) else {
                return Err(unknown(&name, Setting::variable, name.clone()));
            };
            values.insert(setting.key.to_owned(), value.into());
        }
        Ok(Self { name: ENVIRONMENT.to_owned(), values })
    }

    /// The flags that were given, by key.
    pub fn flags<'a>(given: impl Iterator<Item = (&'static str, &'a str)>) -> Self {
        let values = given.map(|(key, value)| (key.to_owned(), value.into())).collect();
        Self { name: FLAG.to_owned(), values }
    }

    /// The text of the configuration file at `path`.
    pub fn file(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let name = path.display().to_string();
        let values = Toml::from_str::<Dict>(text).map_err(|error| ConfigError::Syntax {
            path: name.clone(),
            line: line_of(text, error.span().map_or(0, |span| span.start)),
            reason: error.message().replace('\n', ", "),
        })?;
        match values.keys().find(|key| !SETTINGS.iter().any(|setting| setting.key == key.as_str())) {
            Some(key) => Err(unknown(key, |setting| setting.key.to_owned(), format!("{key} in {name}"))),
            None => Ok(Self { name, values }),
        }
    }
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
    match std::fs::read_to_string(path) {
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
    let nearest = SETTINGS.iter().filter(|setting| !setting.is_hidden()).map(spelling);
    let nearest = nearest.map(|known| (strsim::levenshtein(name, &known), known)).min();
    let hint = match nearest {
        Some((distance, known)) if distance <= TYPING_ERRORS_MAX => format!("; did you mean {known}?"),
        _ => "; `dregs config` lists them all".to_owned(),
    };
    ConfigError::Unknown { written, hint }
}

/// How many letters may differ for a name to be taken for a mistyped other one.
const TYPING_ERRORS_MAX: usize = 3;

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}
