//! The table of settings: how each is read and shown.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;

use dregs_core::event::redact_url;
use dregs_core::notify::schedule::RetrySchedule;
use dregs_core::score::Weights;
use url::Url;

use super::values::{
    checked, database, e_mail, issuer, joined, key, list, log_filter, log_format, log_format_name, mailbox,
    name_server, network, optional, path, put, ratio, scopes, second_factor, second_factor_name, short_name,
    shown_path, smtp_url, web_address, within,
};
use super::{Config, MASK};
use crate::channels::egress::EgressPolicy;
use crate::ops::access::oidc::parse_roles;
use crate::ops::access::sign_in::is_password;
use crate::ops::agent_keys::parse_signers;
use crate::ops::installation::nodes::Roles;
use crate::store::{Address, masked_address};
use crate::trace::parse_headers;

/// Of the secrets that this server gives out.
const SECRET_BEGINNINGS: [&str; 4] = ["sk_", "whsec_", "mcp_", "st_"];
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

pub(super) const SETTINGS: [Setting; 57] = [
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
        key: "roles",
        expects: "a list of roles separated by commas: api, evaluate, deliver",
        visibility: Visibility::Shown,
        read: |config, text| put(&mut config.roles, Roles::parse(text)),
        write: |config| Some(config.roles.to_string()),
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
        key: "oidc_issuer",
        expects: "the https address of an OpenID provider, as it names itself, such as https://login.example.com",
        visibility: Visibility::Shown,
        read: |config, text| optional(&mut config.oidc_issuer, text, issuer),
        write: |config| config.oidc_issuer.clone(),
    },
    Setting {
        key: "oidc_client_id",
        expects: "a client id",
        visibility: Visibility::Shown,
        read: |config, text| optional(&mut config.oidc_client_id, text, |text| Some(text.to_owned())),
        write: |config| config.oidc_client_id.clone(),
    },
    Setting {
        key: "oidc_client_secret",
        expects: "a client secret",
        visibility: Visibility::Secret,
        read: |config, text| optional(&mut config.oidc_client_secret, text, |text| Some(text.to_owned())),
        write: |config| config.oidc_client_secret.clone(),
    },
    Setting {
        key: "oidc_client_secret_file",
        expects: "a file",
        visibility: Visibility::Shown,
        read: |config, text| optional(&mut config.oidc_client_secret_file, text, path),
        write: |config| shown_path(config.oidc_client_secret_file.as_ref()),
    },
    Setting {
        key: "oidc_name",
        expects: "a name of at most 40 characters",
        visibility: Visibility::Shown,
        read: |config, text| optional(&mut config.oidc_name, text, short_name),
        write: |config| config.oidc_name.clone(),
    },
    Setting {
        key: "oidc_scopes",
        expects: "a list of scopes separated by spaces, such as openid email profile groups",
        visibility: Visibility::Shown,
        read: |config, text| put(&mut config.oidc_scopes, scopes(text)),
        write: |config| Some(config.oidc_scopes.clone()),
    },
    Setting {
        key: "oidc_role_claim",
        expects: "the name of a claim, such as groups or realm_access.roles",
        visibility: Visibility::Shown,
        read: |config, text| optional(&mut config.oidc_role_claim, text, |text| Some(text.to_owned())),
        write: |config| config.oidc_role_claim.clone(),
    },
    Setting {
        key: "oidc_roles",
        expects: "a list of values and roles separated by commas, such as fraud-admins=ADMIN,fraud=USER,support=VIEWER",
        visibility: Visibility::Shown,
        read: |config, text| checked(&mut config.oidc_roles, text, parse_roles),
        write: |config| Some(config.oidc_roles.clone()),
    },
    Setting {
        key: "oidc_provisioning",
        expects: "true or false",
        visibility: Visibility::Shown,
        read: |config, text| put(&mut config.oidc_provisioning, text.parse().ok()),
        write: |config| Some(config.oidc_provisioning.to_string()),
    },
    Setting {
        key: "oidc_second_factor",
        expects: "amr or provider",
        visibility: Visibility::Shown,
        read: |config, text| put(&mut config.oidc_second_factor, second_factor(text)),
        write: |config| Some(second_factor_name(config.oidc_second_factor).to_owned()),
    },
    Setting {
        key: "local_sign_in",
        expects: "true or false",
        visibility: Visibility::Shown,
        read: |config, text| put(&mut config.local_sign_in, text.parse().ok()),
        write: |config| Some(config.local_sign_in.to_string()),
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
        visibility: Visibility::SecretUrl,
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
        key: "otlp_endpoint",
        expects: "an http or https address, such as http://127.0.0.1:4318",
        visibility: Visibility::SecretUrl,
        read: |config, text| optional(&mut config.otlp_endpoint, text, web_address),
        write: |config| config.otlp_endpoint.clone(),
    },
    Setting {
        key: "otlp_headers",
        expects: "a list of names and values separated by commas, such as api-key=abc",
        visibility: Visibility::Secret,
        read: |config, text| checked(&mut config.otlp_headers, text, parse_headers),
        write: |config| Some(config.otlp_headers.clone()).filter(|headers| !headers.is_empty()),
    },
    Setting {
        key: "trace_sample_ratio",
        expects: "a number from 0 to 1, such as 0.1",
        visibility: Visibility::Shown,
        read: |config, text| put(&mut config.trace_sample_ratio, ratio(text)),
        write: |config| Some(config.trace_sample_ratio.to_string()),
    },
    Setting {
        key: "failpoint",
        expects: "a failpoint and a count, such as ingest.committed:3",
        visibility: Visibility::Hidden,
        read: |config, text| optional(&mut config.failpoint, text, |text| Some(text.to_owned())),
        write: |config| config.failpoint.clone(),
    },
];

/// The address with every secret in it masked: a password before the host, and parameters that are named as one.
pub(super) fn masked_url(text: &str) -> String {
    // An address of several hosts, or of a socket, is none to the parser of URLs.
    if Address::has_scheme(text) {
        return masked_address(text, MASK);
    }
    if Url::parse(text).is_ok() { redact_url(text, MASK) } else { MASK.to_owned() }
}

/// Whether a text has a secret in it, wherever it was written: a key of ours, a password before a host, or a parameter.
pub(super) fn has_secret(text: &str) -> bool {
    let has_password = text.split_once('@').is_some_and(|(before, _)| before.contains(':'));
    has_password
        || SECRET_BEGINNINGS.iter().any(|begins| text.starts_with(begins))
        || redact_url(text, MASK) != text
}
