//! The configuration: every setting, where its value comes from, and what is wrong with it.
//!
//! Defaults give way to `dregs.toml`, that to the environment, that to flags. A setting has one
//! name, spelled `deadline_ms` in the file, `DREGS_DEADLINE_MS` in the environment and
//! `--deadline-ms` as a flag. Nothing else in the house reads the environment.

mod flags;
mod layers;
mod settings;
mod values;

#[cfg(test)]
mod tests;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::{Path, PathBuf};

use dregs_core::event::Limits;
use figment::Figment;
use ipnet::IpNet;

use crate::channels::smtp::SmtpConfig;
use crate::ops::installation::nodes::Roles;
use crate::store::{Address, complete_address};

pub use flags::{Flags, STORE, show_only};
use layers::{Layer, Place};
pub use settings::address;
use settings::{Refused, SETTINGS, Setting};

/// The port of [`Config::listen`] unless it is set.
const LISTEN_PORT: u16 = 8080;
/// What a data directory is called unless it is set.
const DATA_DIR: &str = "./data";
/// What `$(cat file)` leaves before the text of a file that begins with a byte order mark.
const MARK: char = '\u{feff}';
/// Shown in the place of a secret.
const MASK: &str = "********";

/// Everything that can be set. One instance is made at the start and never changes.
#[derive(Clone)]
pub struct Config {
    /// Where the HTTP API listens.
    pub listen: SocketAddr,
    /// Holds the SQLite file and the generated keys.
    pub data_dir: PathBuf,
    /// `postgres://…`; none means the SQLite file in the data directory.
    pub database_url: Option<String>,
    /// What this server does of what there is to do on its database.
    pub roles: Roles,
    /// Encrypts stored secrets. Wins over the file; with neither, a key is generated into the
    /// data directory.
    pub master_key: Option<String>,
    /// A file that holds the master key.
    pub master_key_file: Option<PathBuf>,
    /// The e-mail address of the admin that the first start creates.
    pub admin_email: Option<String>,
    /// The password of the admin that the first start creates.
    pub admin_password: Option<String>,
    /// The public key (`pk_…`) of the credential that the first start creates.
    pub public_key: Option<String>,
    /// The secret key (`sk_…`) of the credential that the first start creates.
    pub secret_key: Option<String>,
    /// Databases in the MaxMind format that say where addresses are.
    pub geo_databases: Vec<PathBuf>,
    /// Networks and hosts that channels may reach although the egress guard would refuse them,
    /// separated by commas.
    pub egress_allow: String,
    /// Name servers for the addresses of channels; empty means the system's.
    pub egress_name_servers: Vec<SocketAddr>,
    /// PEM certificates that channels trust in addition to the system's.
    pub egress_ca_file: Option<PathBuf>,
    /// The signers of agents whose keys are fetched, separated by commas; `known` stands for those that are known.
    pub agent_signers: String,
    /// Keys of signers that are not fetched: a JSON object of key sets by origin.
    pub agent_keys_file: Option<PathBuf>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Seconds to wait before each retry of a delivery, or `standard`.
    pub retry_schedule: String,
    /// How much longer than its schedule a delivery waits for an endpoint that is left alone since it fails.
    pub held_max_seconds: u64,
    /// For one delivery attempt, from DNS to the last byte of the answer.
    pub deadline_ms: u64,
    /// Hours after which a channel that does nothing but fail is disabled; 0 means never.
    pub disable_after_hours: u64,
    /// Identities that are drawn at random each week for a team that labels, for somebody to look at; 0 draws nobody.
    pub draw_per_week: u64,
    /// The mail server of e-mail channels: `smtps://user:password@host`.
    pub smtp_url: Option<String>,
    /// Who its letters are from.
    pub smtp_from: String,
    /// Where people open the dashboard; none means where the server listens.
    pub public_url: Option<String>,
    /// The least time between two scoring cycles of one identity.
    pub min_cycle_ms: u64,
    /// Weights of analyzers that differ from those that ship.
    pub analyzer_weights: String,
    /// The largest body of a request, and so the largest event.
    pub body_max_kib: u64,
    /// The largest body of a batch of events.
    pub batch_max_kib: u64,
    /// Arrays and objects inside one another in a body.
    pub nesting_max_levels: u64,
    /// Events a team may send in a calendar month (UTC); 0 means any number.
    pub monthly_event_quota: u64,
    /// Events a credential may send in a second, unless it says otherwise itself; 0 means any number.
    pub credential_rate_per_second: u64,
    /// Requests an address may make in a second with a public key or without any; 0 means any number.
    pub address_rate_per_second: u64,
    /// Failed sign-ins of an account in 15 minutes after which there is no further one.
    pub login_failures_per_account: u64,
    /// The same for an address.
    pub login_failures_per_address: u64,
    /// The OpenID provider at which people sign in, as it names itself; none means that there is none.
    pub oidc_issuer: Option<String>,
    pub oidc_client_id: Option<String>,
    pub oidc_client_secret: Option<String>,
    /// A file that holds the client secret.
    pub oidc_client_secret_file: Option<PathBuf>,
    /// What people call the provider.
    pub oidc_name: Option<String>,
    /// What is asked for, separated by spaces.
    pub oidc_scopes: String,
    /// The claim that says the role; none means that roles are given here.
    pub oidc_role_claim: Option<String>,
    /// Which of its values stand for which roles: `value=ROLE`, separated by commas.
    pub oidc_roles: String,
    /// Whether whoever has a role by the claim becomes a member at their first sign-in.
    pub oidc_provisioning: bool,
    pub oidc_second_factor: SecondFactorBy,
    /// Whether people also sign in by password or passkey.
    pub local_sign_in: bool,
    /// The time for a review by a model.
    pub reviewer_deadline_ms: u64,
    /// Reviews a day that a model is asked for; beyond it the built-in reviewer writes.
    pub reviewer_daily_max: u64,
    /// An OpenAI-compatible endpoint that writes reviews, such as `http://127.0.0.1:11434/v1`; none
    /// means the built-in reviewer.
    pub reviewer_url: Option<String>,
    pub reviewer_model: Option<String>,
    pub reviewer_key: Option<String>,
    /// Which log lines are written: a level, or a filter such as `info,dregs_server=debug`.
    pub log: String,
    pub log_format: LogFormat,
    /// A collector of OpenTelemetry to which spans are sent; none means that none are made.
    pub otlp_endpoint: Option<String>,
    /// Headers that it wants: `name=value`, separated by commas.
    pub otlp_headers: String,
    /// How large a part of the requests without `traceparent` begins a trace.
    pub trace_sample_ratio: f64,
    /// For tests: where the process ends itself, as `name:count`.
    pub failpoint: Option<String>,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// What says that a sign-in at the OpenID provider was by more than one factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecondFactorBy {
    /// The claim `amr` of each sign-in.
    Amr,
    /// The operator, of all: the provider lets nobody in with less.
    Provider,
}

impl Config {
    /// The defaults, with everything that is kept on disk under `data_dir`.
    pub fn for_data_dir(data_dir: PathBuf) -> Self {
        Self {
            listen: SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, LISTEN_PORT)),
            data_dir,
            database_url: None,
            roles: Roles::ALL,
            master_key: None,
            master_key_file: None,
            admin_email: None,
            admin_password: None,
            public_key: None,
            secret_key: None,
            egress_allow: String::new(),
            geo_databases: Vec::new(),
            egress_name_servers: Vec::new(),
            egress_ca_file: None,
            agent_signers: "known".to_owned(),
            agent_keys_file: None,
            trusted_proxies: Vec::new(),
            retry_schedule: "30,60,120".to_owned(),
            held_max_seconds: 86_400,
            deadline_ms: 10_000,
            disable_after_hours: 0,
            draw_per_week: 20,
            smtp_url: None,
            smtp_from: "dregs <dregs@localhost>".to_owned(),
            public_url: None,
            min_cycle_ms: 1_000,
            analyzer_weights: String::new(),
            body_max_kib: 256,
            batch_max_kib: 4_096,
            nesting_max_levels: 32,
            monthly_event_quota: 0,
            credential_rate_per_second: 0,
            address_rate_per_second: 100,
            login_failures_per_account: 10,
            login_failures_per_address: 30,
            oidc_issuer: None,
            oidc_client_id: None,
            oidc_client_secret: None,
            oidc_client_secret_file: None,
            oidc_name: None,
            oidc_scopes: "openid email profile".to_owned(),
            oidc_role_claim: None,
            oidc_roles: String::new(),
            oidc_provisioning: false,
            oidc_second_factor: SecondFactorBy::Amr,
            local_sign_in: true,
            reviewer_deadline_ms: 60_000,
            reviewer_daily_max: 200,
            reviewer_url: None,
            reviewer_model: None,
            reviewer_key: None,
            log: "info".to_owned(),
            log_format: LogFormat::Text,
            otlp_endpoint: None,
            otlp_headers: String::new(),
            trace_sample_ratio: 1.0,
            failpoint: None,
        }
    }

    /// The database's address without its password; empty when it is not set.
    pub fn shown_database_url(&self) -> String {
        self.database_url.as_deref().map(settings::masked_url).unwrap_or_default()
    }
}

impl Config {
    /// The mail server, where there is one.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn smtp(&self) -> Result<Option<SmtpConfig>, String> {
        let Some(url) = &self.smtp_url else { return Ok(None) };
        let from = self.smtp_from.parse().map_err(|error| format!("smtp_from: {error}"))?;
        SmtpConfig::new(url, from, self.egress_ca_file.clone()).map(Some)
    }

    /// Where people open the dashboard.
    pub fn shown_public_url(&self) -> String {
        self.public_url.clone().unwrap_or_else(|| format!("http://{}", self.listen))
    }

    /// What an event may be like at most.
    pub fn event_limits(&self) -> Limits {
        let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        Limits { bytes: size(self.body_max_kib * 1024), nesting_levels: size(self.nesting_max_levels) }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::for_data_dir(DATA_DIR.into())
    }
}

impl fmt::Debug for Config {
    /// Every setting as `dregs config` shows it: secrets are masked.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(SETTINGS.iter().map(|setting| (setting.key, setting.shown(self)))).finish()
    }
}

/// A configuration, and how it came about.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub config: Config,
    /// Every setting in the order of the documentation.
    pub in_force: Vec<InForce>,
    /// What was written and has no effect, a line each.
    pub warnings: Vec<String>,
}

/// A setting as `dregs config` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InForce {
    /// As spelled in `dregs.toml`.
    pub key: &'static str,
    /// Secrets are masked; `None` when it is not set.
    pub value: Option<String>,
    /// Such as `default` or `environment DREGS_LISTEN`.
    pub origin: String,
}

/// Why there is no configuration. Each is one line that names the setting as it was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read the configuration file {path}: {reason}")]
    Unreadable { path: String, reason: String },
    #[error("{path}, line {line}: {reason}")]
    Syntax { path: String, line: usize, reason: String },
    #[error("{written}: there is no such setting{hint}")]
    Unknown { written: String, hint: String },
    #[error("{written}: {problem}")]
    Wrong { written: String, problem: String },
}

/// Reads `dregs.toml` in the working directory (or the file that `flags` name), the environment
/// and `flags`.
///
/// # Errors
/// The first thing that is wrong, in the order of the settings.
pub fn load(flags: &Flags) -> Result<Loaded, ConfigError> {
    let file = layers::read_file(flags.config.as_deref())?;
    let (environment, warnings) = Layer::environment(environment())?;
    let mut loaded = combine(file, environment, Layer::flags(flags.given()))?;
    if let Some(url) = &mut loaded.config.database_url {
        *url = complete_address(url, variable);
        Address::parse(url).map_err(|problem| {
            let written = "database_url, with the PG* variables of the environment".to_owned();
            ConfigError::Wrong { written, problem }
        })?;
    }
    Ok(Loaded { warnings, ..loaded })
}

/// Every setting that is listed: its name in `dregs.toml`, its default as it is written there, empty where there is
/// none, and what it takes.
pub fn listed() -> impl Iterator<Item = (&'static str, String, &'static str)> {
    let defaults = Config::default();
    let visible = SETTINGS.iter().filter(|setting| !setting.is_hidden());
    visible.map(move |setting| (setting.key, setting.shown(&defaults).unwrap_or_default(), setting.expects))
}

/// How to set what has no flag, by the name that its flag would have; `None` where there is no such setting, and where
/// it has one.
pub fn without_flag(flag: &str) -> Option<String> {
    let setting = SETTINGS.iter().find(|setting| !setting.is_hidden() && setting.flag() == flag)?;
    if Flags::has(flag) {
        return None;
    }
    let (key, variable) = (setting.key, setting.variable());
    Some(format!("{key} is no flag here: set {variable} in the environment, or {key} in dregs.toml"))
}

/// The API address (`…/api`) that the published clients and the commands of this binary use.
pub fn client_base_url() -> Option<String> {
    variable("DREGS_BASE_URL")
}

/// The secret key that the published clients and the commands of this binary use.
pub fn client_secret_key() -> Option<String> {
    variable("DREGS_SECRET_KEY")
}

/// The signing secret that the published clients and the commands of this binary verify with.
pub fn client_webhook_secret() -> Option<String> {
    variable("DREGS_WEBHOOK_SECRET")
}

/// Whether the terminal may be written to in colors, by the convention of no-color.org.
pub fn wants_color() -> bool {
    variable("NO_COLOR").is_none()
}

#[expect(clippy::disallowed_methods, reason = "this is where the environment is read")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn environment() -> impl Iterator<Item = (String, String)> {
    let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    std::env::vars_os().map(move |(name, value)| (text(name), text(value)))
}

fn combine(file: Option<Layer>, environment: Layer, flags: Layer) -> Result<Loaded, ConfigError> {
    let mut figment = Figment::new();
    for layer in file.into_iter().chain([environment, flags]) {
        figment = figment.merge(layer);
    }
    let mut config = Config::default();
    let mut places = Vec::with_capacity(SETTINGS.len());
    for setting in &SETTINGS {
        let place = Place::of(&figment, setting.key);
        if let Ok(value) = figment.find_value(setting.key) {
            read(setting, &mut config, &value).map_err(|problem| {
                let written = place.written(setting);
                ConfigError::Wrong { written, problem }
            })?;
        }
        places.push((setting, place));
    }
    let in_force = places
        .into_iter()
        .filter(|(setting, _)| !setting.is_hidden())
        .map(|(setting, place)| InForce {
            key: setting.key,
            value: setting.shown(&config),
            origin: place.origin(setting),
        })
        .collect();
    Ok(Loaded { config, in_force, warnings: Vec::new() })
}

fn read(setting: &Setting, config: &mut Config, value: &figment::value::Value) -> Result<(), String> {
    let expected = || format!("expected {}", setting.expects);
    let text = layers::text_of(value).ok_or_else(expected)?;
    (setting.read)(config, text.trim_start_matches(MARK).trim()).map_err(|refused| match refused {
        Refused::Because(problem) => problem,
        Refused::Unexpected if setting.is_secret() || settings::has_secret(&text) => expected(),
        Refused::Unexpected => format!("{text:?} is not {}", setting.expects),
    })
}

/// Where `dregs.toml` is looked for unless a flag says otherwise.
fn default_file() -> &'static Path {
    Path::new("dregs.toml")
}
