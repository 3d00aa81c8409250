//! How the values of settings are read.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;

use ipnet::IpNet;
use tracing_subscriber::EnvFilter;
use url::{Host, Url};

use super::settings::Refused;
use super::{LogFormat, SecondFactorBy};
use crate::channels::smtp::SmtpConfig;
use crate::store::Address;

/// The port of a name server that is given without one.
const DNS_PORT: u16 = 53;
/// As much as stands on a button.
const SHORT_NAME_MAX_CHARS: usize = 40;

pub(super) fn put<T>(field: &mut T, value: Option<T>) -> Result<(), Refused> {
    *field = value.ok_or(Refused::Unexpected)?;
    Ok(())
}

/// An empty text unsets.
pub(super) fn optional<T>(
    field: &mut Option<T>,
    text: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<(), Refused> {
    put(field, if text.is_empty() { Some(None) } else { parse(text).map(Some) })
}

/// A text that is kept as it is, once whoever will read it has found it sound.
pub(super) fn checked<T>(
    field: &mut String,
    text: &str,
    parse: fn(&str) -> Result<T, String>,
) -> Result<(), Refused> {
    parse(text).map_err(Refused::Because)?;
    text.clone_into(field);
    Ok(())
}

pub(super) fn path(text: &str) -> Option<PathBuf> {
    (!text.is_empty()).then(|| PathBuf::from(text))
}

pub(super) fn shown_path(path: Option<&PathBuf>) -> Option<String> {
    path.map(|path| path.display().to_string())
}

/// An address of PostgreSQL whose parameters are known. An empty text unsets.
pub(super) fn database(field: &mut Option<String>, text: &str) -> Result<(), Refused> {
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

pub(super) fn web_address(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host() && url.username().is_empty())
        .then(|| text.trim_end_matches('/').to_owned())
}

pub(super) fn smtp_url(text: &str) -> Option<String> {
    let from = "dregs@localhost".parse().ok()?;
    SmtpConfig::new(text, from, None).ok().map(|_| text.to_owned())
}

pub(super) fn mailbox(text: &str) -> Option<String> {
    text.parse::<lettre::message::Mailbox>().ok().map(|_| text.to_owned())
}

pub(super) fn e_mail(text: &str) -> Option<String> {
    let (name, host) = text.rsplit_once('@')?;
    (!name.is_empty() && !host.is_empty() && !text.contains(char::is_whitespace)).then(|| text.to_owned())
}

pub(super) fn key(text: &str, prefix: &str) -> Option<String> {
    let rest = text.strip_prefix(prefix)?;
    (!rest.is_empty() && rest.chars().all(|c| c.is_ascii_graphic())).then(|| text.to_owned())
}

pub(super) fn within(text: &str, range: &RangeInclusive<u64>) -> Option<u64> {
    text.parse().ok().filter(|number| range.contains(number))
}

/// A part of a whole.
pub(super) fn ratio(text: &str) -> Option<f64> {
    text.parse().ok().filter(|part| (0.0..=1.0).contains(part))
}

/// The items between commas; none when the text is empty.
pub(super) fn list<T>(text: &str, parse: fn(&str) -> Option<T>) -> Option<Vec<T>> {
    text.split(',').map(str::trim).filter(|_| !text.is_empty()).map(parse).collect()
}

pub(super) fn joined(items: &[impl ToString]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

pub(super) fn name_server(text: &str) -> Option<SocketAddr> {
    let with_default_port = || text.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, DNS_PORT));
    text.parse().ok().or_else(with_default_port)
}

pub(super) fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(|ip| ip.to_canonical().into()))
}

/// A lone word must be a level: the filter's own grammar takes `verbose` for the name of a module
/// and then logs nothing else.
pub(super) fn log_filter(text: &str) -> Option<String> {
    let is_level = |word: &str| word.parse::<tracing_subscriber::filter::LevelFilter>().is_ok();
    let words = text.split(',').map(str::trim).filter(|part| !part.contains(['=', '[']));
    let sound = !text.is_empty() && words.into_iter().all(is_level) && EnvFilter::try_new(text).is_ok();
    sound.then(|| text.to_owned())
}

pub(super) fn log_format(text: &str) -> Option<LogFormat> {
    [LogFormat::Text, LogFormat::Json].into_iter().find(|format| log_format_name(*format) == text)
}

pub(super) fn log_format_name(format: LogFormat) -> &'static str {
    match format {
        LogFormat::Text => "text",
        LogFormat::Json => "json",
    }
}

/// An OpenID provider says by TLS who it is; one on the machine itself need not.
pub(super) fn issuer(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let is_local = match url.host()? {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    let is_right = url.scheme() == "https" || (url.scheme() == "http" && is_local);
    let is_bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    // As it is written: a provider's name is compared letter by letter.
    (is_right && is_bare).then(|| text.to_owned())
}

pub(super) fn short_name(text: &str) -> Option<String> {
    (text.chars().count() <= SHORT_NAME_MAX_CHARS).then(|| text.to_owned())
}

/// Scopes, among which is that of OpenID Connect.
pub(super) fn scopes(text: &str) -> Option<String> {
    let is_scope =
        |scope: &str| scope.chars().all(|char| char.is_ascii_graphic() && !matches!(char, '"' | '\\' | ','));
    let scopes: Vec<&str> = text.split_whitespace().collect();
    (scopes.contains(&"openid") && scopes.iter().all(|scope| is_scope(scope))).then(|| scopes.join(" "))
}

pub(super) fn second_factor(text: &str) -> Option<SecondFactorBy> {
    [SecondFactorBy::Amr, SecondFactorBy::Provider].into_iter().find(|by| second_factor_name(*by) == text)
}

pub(super) fn second_factor_name(by: SecondFactorBy) -> &'static str {
    match by {
        SecondFactorBy::Amr => "amr",
        SecondFactorBy::Provider => "provider",
    }
}
