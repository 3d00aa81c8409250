//! The table of settings: how each is read and shown.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;

use dregs_core::notify::schedule::RetrySchedule;
use dregs_core::score::Weights;
use ipnet::IpNet;
use tracing_subscriber::EnvFilter;
use url::Url;

use super::{Config, LogFormat, MASK};
use crate::channels::egress::EgressPolicy;
use crate::channels::smtp::SmtpConfig;
use crate::ops::access::sign_in::is_password;
use crate::ops::agent_keys::parse_signers;
use crate::store::{Address, masked_address};

/// The port of a name server that is given without one.
const DNS_PORT: u16 = 53;
/// A receiver needs some time to answer at all; and what is in flight must end before a shutdown
/// does, which takes 30 seconds at most.
const DEADLINE_RANGE_MS: RangeInclusive<u64> = 100..=30_000;
/// From "score at every event" to once an hour.
const MIN_CYCLE_RANGE_MS: RangeInclusive<u64> = 0..=3_600_000;

/// Up to a year.
const HOURS_RANGE: RangeInclusive<u64> = 0..=8_784;
const DRAW_RANGE: RangeInclusive<u64> = 0..=1_000;
/// At most a leap year.
const HELD_RANGE_SECONDS: RangeInclusive<u64> = 0..=31_622_400;
/// An event has to fit, and a body is kept in memory.
const KIB_RANGE: RangeInclusive<u64> = 1..=65_536;
/// At most what the JSON reader itself can take, with room for what is around.
const LEVELS_RANGE: RangeInclusive<u64> = 4..=100;
/// What counts events, requests, reviews.
const COUNT_RANGE: RangeInclusive<u64> = 0..=1_000_000_000;

/// One setting.
pub(super) struct Setting {
    /// As spelled in `dregs.toml`; a field of [`Config`].
    pub key: &'static str,
    /// Ends the sentences "expected …" and "… is not …".
    pub expects: &'static str,
    pub visibility: Visibility,
    /// Takes over a value.
    pub read: fn(&mut Config, &str) -> Result<(), Refused>,
    /// The value as it is read; `None` when it is not set.
    pub write: fn(&Config) -> Option<String>,
}

/// Why a value is not taken over.
pub(super) enum Refused {
    /// It is not what the setting expects.
    Unexpected,
    /// A sentence that says what is wrong with it.
    Because(String),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Visibility {
    Shown,
    /// Neither shown nor repeated in an error.
    Secret,
    /// Shown but for the password in it, and not repeated in an error.
    SecretUrl,
    /// Not listed: it is there for tests.
    Hidden,
}

impl Setting {
    /// Its name in the environment: `DREGS_DEADLINE_MS`.
    pub fn variable(&self) -> String {
        format!("DREGS_{}", self.key.to_ascii_uppercase())
    }

    /// Its name on the command line: `--deadline-ms`.
    pub fn flag(&self) -> String {
        format!("--{}", self.key.replace('_', "-"))
    }

    /// Whether its value must not be repeated in an error.
    pub fn is_secret(&self) -> bool {
        matches!(self.visibility, Visibility::Secret | Visibility::SecretUrl)
    }

    pub fn is_hidden(&self) -> bool {
        self.visibility == Visibility::Hidden
    }

    /// The value for people, secrets masked.
    pub fn shown(&self, config: &Config) -> Option<String> {
        let value = (self.write)(config)?;
        Some(match self.visibility {
            Visibility::Shown | Visibility::Hidden => value,
            Visibility::Secret => MASK.to_owned(),
            Visibility::SecretUrl => masked_url(&value),
        })
    }
}

/// An address to listen at; `localhost` is 127.0.0.1.
pub fn address(text: &str) -> Option<SocketAddr> {
    let local =
        || text.strip_prefix("localhost:")?.parse().ok().map(|port| (Ipv4Addr::LOCALHOST, port).into());
    text.parse().ok().or_else(local)
}

pub(super) const SETTINGS: [Setting; 42] = [
    Setting {
        key: "listen",
        expects: "an address and a port, such as 127.0.0.1:8080",
        visibility: Visibility::Shown,
        read: |config, text| put(&mut config.listen, address(text)),
        write: |config| Some(config.listen.to_string()),
    },
    Setting {
        key: "data_dir",
        expects: "a directory",
        visibility: Visibility::Shown,
        read: |config, text| put(&mut config.data_dir, path(text)),
        write: |config| Some(config.data_dir.display().to_string()),
    },
    Setting {
        key: "database_url",
        expects: "a PostgreSQL address, such as postgres://user:password@host/database",
        visibility: Visibility::SecretUrl,
        read: |config, text| database(&mut config.database_url, text),
        write: |config| config.database_url.clone(),
    },
    Setting {
        key: "master_key",
        expects: "a key",
        visibility: Visibility::Secret,
        read: |config, text| optional(&mut config.master_key, text, |text| Some(text.to_owned())),
        write: |config| config.master_key.clone(),
    },
    Setting {
        key: "master_key_file",
        expects: "a file",
        visibility: Visibility::Shown,
        read: |config, text| optional(&mut config.master_key_file, text, path),
        write: |config| shown_path(config.master_key_file.as_ref()),
    },
    Setting {
        key: "admin_email",
        expects: "an e-mail address",
        visibility: Visibility::Shown,
        read: |config, text| optional(&mut config.admin_email, text, e_mail),
        write: |config| config.admin_email.clone(),
    },
    Setting {
        key: "admin_password",
        expects: "a password of at least 10 characters",
        visibility: Visibility::Secret,
        read: |config, text| {
            optional(&mut config.admin_password, text, |text| is_password(text).then(|| text.to_owned()))
        },
        write: |config| config.admin_password.clone(),
    },
    Setting {
        key: "public_key",
        expects: "a key that starts with pk_ and has no spaces",
        visibility: Visibility::Shown,
        read: |config, text| optional(&mut config.public_key, text, |text| key(text, "pk_")),
        write: |config| config.public_key.clone(),
    },
    Setting {
        key: "secret_key",
        expects: "a key that starts with sk_ and has no spaces",
        visibility: Visibility::Secret,
        read: |config, text| optional(&mut config.secret_key, text, |text| key(text, "sk_")),
        write: |config| config.secret_key.clone(),
    },
    Setting {
        key: "geo_databases",
        expects: "a list of files separated by commas",
        visibility: Visibility::Shown,
        read: |config, text| put(&mut config.geo_databases, list(text, path)),
        write: |config| {
            let paths: Vec<_> = config.geo_databases.iter().map(|path| path.display()).collect();
            Some(joined(&paths))
        },
    },
    Setting {
        key: "egress_allow",
        expects: "a list of networks and hosts separated by commas, such as 127.0.0.0/8,hooks.internal",
        visibility: Visibility::Shown,
        read: |config, text| checked(&mut config.egress_allow, text, EgressPolicy::parse),
        write: |config| Some(config.egress_allow.clone()),
    },
    Setting {
        key: "egress_name_servers",
        expects: "a list of addresses separated by commas, such as 10.0.0.2,10.0.0.3:5353",
        visibility: Visibility::Shown,
        read: |config, text| put(&mut config.egress_name_servers, list(text, name_server)),
        write: |config| Some(joined(&config.egress_name_servers)),
    },
    Setting {
        key: "egress_ca_file",
        expects: "a file",
        visibility: Visibility::Shown,
        read: |config, text| optional(&mut config.egress_ca_file, text, path),
        write: |config| shown_path(config.egress_ca_file.as_ref()),
    },
    Setting {
        key: "agent_signers",
        expects: "a list of origins separated by commas, such as https://agents.example.com, and the word known",
        visibility: Visibility::Shown,
        read: |config, text| checked(&mut config.agent_signers, text, parse_signers),
        write: |config| Some(config.agent_signers.clone()),
    },
    Setting {
        key: "agent_keys_file",
        expects: "a file",
        visibility: Visibility::Shown,
        read: |config, text| optional(&mut config.agent_keys_file, text, path),
        write: |config| shown_path(config.agent_keys_file.as_ref()),
    },
    Setting {
        key: "trusted_proxies",
        expects: "a list of addresses and networks separated by commas, such as 10.0.0.0/8,192.0.2.7",
        visibility: Visibility::Shown,
        read: |config, text| put(&mut config.trusted_proxies, list(text, network)),
        write: |config| Some(joined(&config.trusted_proxies)),
    },
    Setting {
        key: "retry_schedule",
        expects: "a list of seconds separated by commas, such as 30,60,120, or the word standard",
        visibility: Visibility::Shown,
        read: |config, text| checked(&mut config.retry_schedule, text, RetrySchedule::parse),
        write: |config| Some(config.retry_schedule.clone()),
    },
    Setting {
        key: "held_max_seconds",
        expects: "a number of seconds from 0 to 31622400",
        visibility: Visibility::Shown,
        read: |config, text| put(&mut config.held_max_seconds, within(text, &HELD_RANGE_SECONDS)),
        write: |config| Some(config.held_max_seconds.to_string()),
    },
    Setting {
        key: "deadline_ms",
        expects: "a number of milliseconds from 100 to 30000",
        visibility: Visibility::Shown,
        read: |config, text| put(&mut config.deadline_ms, within(text, &DEADLINE_RANGE_MS)),
        write: |config| Some(config.deadline_ms.to_string()),
    },
    Setting {
        key: "disable_after_hours",
        expects: "a number of hours from 0 to 8784",
        visibility: Visibility::Shown,
        read: |config, text| put(&mut config.disable_after_hours, within(text, &HOURS_RANGE)),
        write: |config| Some(config.disable_after_hours.to_string()),
    },
    Setting {
        key: "draw_per_week",
        expects: "a whole number from 0 to 1000",
        visibility: Visibility::Shown,
        read: |config, text| put(&mut config.draw_per_week, within(text, &DRAW_RANGE)),
        write: |config| Some(config.draw_per_week.to_string()),
    },
    Setting {
        key: "smtp_url",
        expects: "a mail server, such as smtps://user:password@mail.example.com",
        visibility: Visibility::SecretUrl,
        read: |config, text| optional(&mut config.smtp_url, text, smtp_url),
        write: |config| config.smtp_url.clone(),
    },
    Setting {
        key: "smtp_from",
        expects: "an address, such as dregs <dregs@example.com>",
        visibility: Visibility::Shown,
        read: |config, text| put(&mut config.smtp_from, mailbox(text)),
        write: |config| Some(config.smtp_from.clone()),
    },
    Setting {
        key: "public_url",
        expects: "an http or https address, such as https://dregs.example.com",
        visibility: Visibility::Shown,
        read: |config, text| optional(&mut config.public_url, text, web_address),
        write: |config| config.public_url.clone(),
    },
    Setting {
        key: "min_cycle_ms",
        expects: "a number of milliseconds from 0 to 3600000",
        visibility: Visibility::Shown,
        read: |config, text| put(&mut config.min_cycle_ms, within(text, &MIN_CYCLE_RANGE_MS)),
        write: |config| Some(config.min_cycle_ms.to_string()),
    },
    Setting {
        key: "analyzer_weights",
        expects: "a list of analyzers and weights, such as humanity.timing=0.5,behavior.outreach=0",
        visibility: Visibility::Shown,
        read: |config, text| checked(&mut config.analyzer_weights, text, Weights::parse),
        write: |config| Some(config.analyzer_weights.clone()),
    },
    Setting {
        key: "body_max_kib",
        expects: "a number of KiB from 1 to 65536",
        visibility: Visibility::Shown,
        read: |config, text| put(&mut config.body_max_kib, within(text, &KIB_RANGE)),
        write: |config| Some(config.body_max_kib.to_string()),
    },
    Setting {
        key: "batch_max_kib",
        expects: "a number of KiB from 1 to 65536",
        visibility: Visibility::Shown,
        read: |config, text| put(&mut config.batch_max_kib, within(text, &KIB_RANGE)),
        write: |config| Some(config.batch_max_kib.to_string()),
    },
    Setting {
        key: "nesting_max_levels",
        expects: "a whole number from 4 to 100",
        visibility: Visibility::Shown,
        read: |config, text| put(&mut config.nesting_max_levels, within(text, &LEVELS_RANGE)),
        write: |config| Some(config.nesting_max_levels.to_string()),
    },
    Setting {
        key: "monthly_event_quota",
        expects: "a whole number from 0 to 1000000000",
        visibility: Visibility::Shown,
        read: |config, text| put(&mut config.monthly_event_quota, within(text, &COUNT_RANGE)),
        write: |config| Some(config.monthly_event_quota.to_string()),
    },
    Setting {
        key: "credential_rate_per_second",
        expects: "a whole number from 0 to 1000000000",
        visibility: Visibility::Shown,
        read: |config, text| put(&mut config.credential_rate_per_second, within(text, &COUNT_RANGE)),
        write: |config| Some(config.credential_rate_per_second.to_string()),
    },
    Setting {
        key: "address_rate_per_second",
        expects: "a whole number from 0 to 1000000000",
        visibility: Visibility::Shown,
        read: |config, text| put(&mut config.address_rate_per_second, within(text, &COUNT_RANGE)),
        write: |config| Some(config.address_rate_per_second.to_string()),
    },
    Setting {
        key: "login_failures_per_account",
        expects: "a whole number from 0 to 1000000000",
        visibility: Visibility::Shown,
        read: |config, text| put(&mut config.login_failures_per_account, within(text, &COUNT_RANGE)),
        write: |config| Some(config.login_failures_per_account.to_string()),
    },
    Setting {
        key: "login_failures_per_address",
        expects: "a whole number from 0 to 1000000000",
        visibility: Visibility::Shown,
        read: |config, text| put(&mut config.login_failures_per_address, within(text, &COUNT_RANGE)),
        write: |config| Some(config.login_failures_per_address.to_string()),
    },
    Setting {
        key: "reviewer_deadline_ms",
        expects: "a number of milliseconds from 0 to 1000000000",
        visibility: Visibility::Shown,
        read: |config, text| put(&mut config.reviewer_deadline_ms, within(text, &COUNT_RANGE)),
        write: |config| Some(config.reviewer_deadline_ms.to_string()),
    },
    Setting {
        key: "reviewer_daily_max",
        expects: "a whole number from 0 to 1000000000",
        visibility: Visibility::Shown,
        read: |config, text| put(&mut config.reviewer_daily_max, within(text, &COUNT_RANGE)),
        write: |config| Some(config.reviewer_daily_max.to_string()),
    },
    Setting {
        key: "reviewer_url",
        expects: "an http or https address, such as http://127.0.0.1:11434/v1",
        visibility: Visibility::Shown,
        read: |config, text| optional(&mut config.reviewer_url, text, web_address),
        write: |config| config.reviewer_url.clone(),
    },
    Setting {
        key: "reviewer_model",
        expects: "the name of a model",
        visibility: Visibility::Shown,
        read: |config, text| optional(&mut config.reviewer_model, text, |text| Some(text.to_owned())),
        write: |config| config.reviewer_model.clone(),
    },
    Setting {
        key: "reviewer_key",
        expects: "a key",
        visibility: Visibility::Secret,
        read: |config, text| optional(&mut config.reviewer_key, text, |text| Some(text.to_owned())),
        write: |config| config.reviewer_key.clone(),
    },
    Setting {
        key: "log",
        expects: "a level (off, error, warn, info, debug, trace) or a filter such as info,dregs_server=debug",
        visibility: Visibility::Shown,
        read: |config, text| put(&mut config.log, log_filter(text)),
        write: |config| Some(config.log.clone()),
    },
    Setting {
        key: "log_format",
        expects: "text or json",
        visibility: Visibility::Shown,
        read: |config, text| put(&mut config.log_format, log_format(text)),
        write: |config| Some(log_format_name(config.log_format).to_owned()),
    },
    Setting {
        key: "failpoint",
        expects: "a failpoint and a count, such as ingest.committed:3",
        visibility: Visibility::Hidden,
        read: |config, text| optional(&mut config.failpoint, text, |text| Some(text.to_owned())),
        write: |config| config.failpoint.clone(),
    },
];

fn put<T>(field: &mut T, value: Option<T>) -> Result<(), Refused> {
    *field = value.ok_or(Refused::Unexpected)?;
    Ok(())
}

/// An empty text unsets.
fn optional<T>(field: &mut Option<T>, text: &str, parse: impl Fn(&str) -> Option<T>) -> Result<(), Refused> {
    put(field, if text.is_empty() { Some(None) } else { parse(text).map(Some) })
}

/// A text that is kept as it is, once whoever will read it has found it sound.
fn checked<T>(field: &mut String, text: &str, parse: fn(&str) -> Result<T, String>) -> Result<(), Refused> {
    parse(text).map_err(Refused::Because)?;
    text.clone_into(field);
    Ok(())
}

fn path(text: &str) -> Option<PathBuf> {
    (!text.is_empty()).then(|| PathBuf::from(text))
}

fn shown_path(path: Option<&PathBuf>) -> Option<String> {
    path.map(|path| path.display().to_string())
}

/// An address of PostgreSQL whose parameters are known. An empty text unsets.
fn database(field: &mut Option<String>, text: &str) -> Result<(), Refused> {
    if text.is_empty() {
        *field = None;
        return Ok(());
    }
    if !Address::has_scheme(text) {
        return Err(Refused::Unexpected);
    }
    Address::parse(text).map_err(Refused::Because)?;
    *field = Some(text.to_owned());
    Ok(())
}

fn web_address(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host() && url.username().is_empty())
        .then(|| text.trim_end_matches('/').to_owned())
}

fn smtp_url(text: &str) -> Option<String> {
    let from = "dregs@localhost".parse().ok()?;
    SmtpConfig::new(text, from, None).ok().map(|_| text.to_owned())
}

fn mailbox(text: &str) -> Option<String> {
    text.parse::<lettre::message::Mailbox>().ok().map(|_| text.to_owned())
}

fn e_mail(text: &str) -> Option<String> {
    let (name, host) = text.rsplit_once('@')?;
    (!name.is_empty() && !host.is_empty() && !text.contains(char::is_whitespace)).then(|| text.to_owned())
}

fn key(text: &str, prefix: &str) -> Option<String> {
    let rest = text.strip_prefix(prefix)?;
    (!rest.is_empty() && rest.chars().all(|c| c.is_ascii_graphic())).then(|| text.to_owned())
}

fn within(text: &str, range: &RangeInclusive<u64>) -> Option<u64> {
    text.parse().ok().filter(|number| range.contains(number))
}

/// The items between commas; none when the text is empty.
fn list<T>(text: &str, parse: fn(&str) -> Option<T>) -> Option<Vec<T>> {
    text.split(',').map(str::trim).filter(|_| !text.is_empty()).map(parse).collect()
}

fn joined(items: &[impl ToString]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

fn name_server(text: &str) -> Option<SocketAddr> {
    let with_default_port = || text.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, DNS_PORT));
    text.parse().ok().or_else(with_default_port)
}

fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(|ip| ip.to_canonical().into()))
}

/// A lone word must be a level: the filter's own grammar takes `verbose` for the name of a module
/// and then logs nothing else.
fn log_filter(text: &str) -> Option<String> {
    let is_level = |word: &str| word.parse::<tracing_subscriber::filter::LevelFilter>().is_ok();
    let words = text.split(',').map(str::trim).filter(|part| !part.contains(['=', '[']));
    let sound = !text.is_empty() && words.into_iter().all(is_level) && EnvFilter::try_new(text).is_ok();
    sound.then(|| text.to_owned())
}

fn log_format(text: &str) -> Option<LogFormat> {
    [LogFormat::Text, LogFormat::Json].into_iter().find(|format| log_format_name(*format) == text)
}

fn log_format_name(format: LogFormat) -> &'static str {
    match format {
        LogFormat::Text => "text",
        LogFormat::Json => "json",
    }
}

/// The address with every password in it masked: before the host, or as a parameter.
pub(super) fn masked_url(text: &str) -> String {
    // An address of several hosts, or of a socket, is none to the parser of URLs.
    if Address::has_scheme(text) {
        return masked_address(text, MASK);
    }
    let Ok(mut url) = Url::parse(text) else { return MASK.to_owned() };
    if url.password().is_some() && url.set_password(Some(MASK)).is_err() {
        return MASK.to_owned();
    }
    if url.query_pairs().any(|(name, _)| name == "password") {
        url.set_query(None);
    }
    url.into()
}
