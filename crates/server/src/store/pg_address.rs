//! The address of a PostgreSQL server: `postgres://user:password@host:port/database?parameter=value`, with the
//! parameters of libpq, so that an address that works for `psql` works here.

use std::path::{Path, PathBuf};
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslNegotiation};

use super::pg_defaults;

const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];
/// Where Debian and others have the socket of the server on this machine.
const SOCKET_FOLDER: &str = "/var/run/postgresql";
/// Parameters that the client library reads itself.
const PLAIN: [&str; 18] = [
    "user",
    "password",
    "dbname",
    "host",
    "hostaddr",
    "port",
    "options",
    "application_name",
    "connect_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "target_session_attrs",
    "channel_binding",
    "load_balance_hosts",
    "sslnegotiation",
    "tcp_user_timeout",
];
/// Parameters that ask for what is done anyway, by these values; others of them cannot be had.
const AS_IT_IS: [(&str, &[&str]); 9] = [
    ("gssencmode", &["disable", "prefer"]),
    ("gssdelegation", &["0"]),
    ("client_encoding", &["utf8", "utf-8", "unicode", "auto"]),
    ("replication", &["false", "off", "no", "0"]),
    ("sslcompression", &["0"]),
    ("sslsni", &["1"]),
    ("sslcertmode", &["allow"]),
    ("ssl_min_protocol_version", &["", "tlsv1", "tlsv1.1", "tlsv1.2"]),
    ("ssl_max_protocol_version", &["", "tlsv1.3"]),
];
const OF_TLS: [&str; 4] = ["sslmode", "sslrootcert", "sslcert", "sslkey"];
/// The value of `sslrootcert` that stands for the authorities of the machine.
const SYSTEM: &str = "system";

/// How much is asked of the encryption of a connection; the names are those of `sslmode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SslMode {
    /// None.
    Disable,
    /// None, where the server does without.
    Allow,
    /// Encrypted where the server can, by any certificate.
    Prefer,
    /// Encrypted, by any certificate.
    Require,
    /// By a certificate that an authority vouches for.
    VerifyCa,
    /// And that is for the name of the host.
    VerifyFull,
}

impl SslMode {
    const ALL: [(&str, Self); 6] = [
        ("disable", Self::Disable),
        ("allow", Self::Allow),
        ("prefer", Self::Prefer),
        ("require", Self::Require),
        ("verify-ca", Self::VerifyCa),
        ("verify-full", Self::VerifyFull),
    ];

    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, mode)| *mode == self).map_or("", |(name, _)| name)
    }
}

/// Which authorities are believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Roots {
    System,
    File(PathBuf),
}

/// What an address says.
#[derive(Clone, Debug)]
pub struct Address {
    pub config: Config,
    pub mode: SslMode,
    pub roots: Roots,
    /// The files of the client's own certificate and its key.
    pub client: Option<(PathBuf, PathBuf)>,
}

impl Address {
    /// Whether `text` is meant as such an address at all.
    pub fn has_scheme(text: &str) -> bool {
        SCHEMES.iter().any(|scheme| text.starts_with(scheme))
    }

    /// # Errors
    /// A sentence that names the parameter which is wrong. It repeats no value that could be secret.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (base, query) = text.split_once('?').unwrap_or((text, ""));
        let mut plain = Vec::new();
        let (mut mode, mut roots, mut certificate, mut key) = (None, None, None, None);
        let (mut user_timeout, mut passfile) = (None, None);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or("a parameter after ? has no value")?;
            let decoded = decode(value).ok_or_else(|| format!("the value of {name} is not UTF-8"))?;
            match name {
                "sslmode" => mode = Some(read_mode(&decoded)?),
                // As written for JDBC, which libpq takes, too.
                "ssl" if decoded == "true" => mode = Some(SslMode::Require),
                "sslrootcert" if decoded == SYSTEM => roots = Some(Roots::System),
                "sslrootcert" => roots = Some(Roots::File(decoded.into())),
                "sslcert" => certificate = Some(PathBuf::from(decoded)),
                "sslkey" => key = Some(PathBuf::from(decoded)),
                // libpq counts milliseconds here, the client library seconds.
                "tcp_user_timeout" => user_timeout = Some(milliseconds(&decoded)?),
                "target_session_attrs" => plain.push(format!("{name}={}", session(&decoded)?)),
                "passfile" => passfile = Some(PathBuf::from(decoded)),
                // As libpq calls what the client library has another name for.
                "keepalives_count" => plain.push(format!("keepalives_retries={value}")),
                "fallback_application_name"
                    if query.split('&').any(|pair| pair.starts_with("application_name=")) => {}
                "fallback_application_name" => plain.push(format!("application_name={value}")),
                "host" => plain.extend(value.split([',']).map(|host| format!("host={host}"))),
                _ if PLAIN.contains(&name) => plain.push(pair.to_owned()),
                _ => as_it_is(name, &decoded)?,
            }
        }
        let mode = match (mode, &roots) {
            (None, Some(Roots::System)) => SslMode::VerifyFull,
            (Some(mode), Some(Roots::System)) if mode < SslMode::VerifyFull => {
                return Err(format!(
                    "sslrootcert=system goes with sslmode=verify-full and not with {}: anybody can have a \
                     certificate of a public authority",
                    mode.name()
                ));
            }
            // As in libpq: whoever names an authority wants it asked.
            (Some(SslMode::Require), Some(Roots::File(_))) => SslMode::VerifyCa,
            (mode, _) => mode.unwrap_or(SslMode::Prefer),
        };
        let client = match (certificate, key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            (Some(_), None) => return Err("sslcert needs sslkey, the file of its key".to_owned()),
            (None, Some(_)) => return Err("sslkey needs sslcert, the file of its certificate".to_owned()),
        };
        let text = if plain.is_empty() { base.to_owned() } else { format!("{base}?{}", plain.join("&")) };
        let mut config: Config = text.parse().map_err(|error: tokio_postgres::Error| of_library(&error))?;
        if let Some(timeout) = user_timeout {
            config.tcp_user_timeout(timeout);
        }
        if config.get_ssl_negotiation() == SslNegotiation::Direct && mode < SslMode::Require {
            return Err("sslnegotiation=direct needs sslmode=require or stricter".to_owned());
        }
        name_hosts(&mut config);
        if let Some(file) = passfile.filter(|_| config.get_password().is_none())
            && let Some(password) = pg_defaults::password(&file, &config)?
        {
            config.password(password);
        }
        let roots = roots.unwrap_or(Roots::System);
        Ok(Self { config, mode, roots, client })
    }

    /// Whether every host is a socket in the file system, over which there is no encryption.
    pub fn is_local(&self) -> bool {
        self.config.get_hosts().iter().all(|host| !matches!(host, Host::Tcp(_)))
    }
}

/// Gives a host to an address without one, as libpq does; and addresses that stand alone are hosts, too.
fn name_hosts(config: &mut Config) {
    if !config.get_hosts().is_empty() {
        return;
    }
    let addresses = config.get_hostaddrs().to_vec();
    for address in &addresses {
        config.host(address.to_string());
    }
    if addresses.is_empty() {
        config.host(if Path::new(SOCKET_FOLDER).is_dir() { SOCKET_FOLDER } else { "localhost" });
    }
}

fn read_mode(text: &str) -> Result<SslMode, String> {
    let found = SslMode::ALL.iter().find(|(name, _)| *name == text).map(|(_, mode)| *mode);
    found
        .ok_or_else(|| format!("sslmode={text} is none of {}", SslMode::ALL.map(|(name, _)| name).join(", ")))
}

fn session(text: &str) -> Result<&'static str, String> {
    match text {
        "any" => Ok("any"),
        "read-write" | "primary" => Ok("read-write"),
        "read-only" | "standby" | "prefer-standby" => {
            Err(format!("target_session_attrs={text} leads to servers that take no writes: use read-write"))
        }
        _ => Err(format!("target_session_attrs={text} is none of any, read-write, primary")),
    }
}

fn milliseconds(text: &str) -> Result<Duration, String> {
    let number = text.parse().map_err(|_| "tcp_user_timeout is a number of milliseconds".to_owned())?;
    Ok(Duration::from_millis(number))
}

fn as_it_is(name: &str, value: &str) -> Result<(), String> {
    let Some((_, values)) = AS_IT_IS.iter().find(|(known, _)| *known == name) else {
        return Err(unknown(name));
    };
    if values.contains(&value.to_lowercase().as_str()) {
        return Ok(());
    }
    let values: Vec<_> = values.iter().filter(|value| !value.is_empty()).copied().collect();
    Err(format!("{name}={value} cannot be had: leave it out, or write {}", values.join(" or ")))
}

fn unknown(name: &str) -> String {
    let known = PLAIN.iter().chain(&OF_TLS);
    match known.map(|known| (strsim::osa_distance(name, known), known)).min() {
        Some((1..=2, known)) => format!("there is no parameter {name}; did you mean {known}?"),
        _ => format!(
            "the parameter {name} is not supported; those that are: {}",
            [&PLAIN[..], &OF_TLS].concat().join(", ")
        ),
    }
}

/// The library names the parameter and not its value.
fn of_library(error: &tokio_postgres::Error) -> String {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    cause.unwrap_or_else(|| error.to_string()).replace('`', "")
}

fn decode(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(Into::into)
}

/// The address with every password in it replaced by `mask`.
pub fn masked(text: &str, mask: &str) -> String {
    let (base, query) = text.split_once('?').unwrap_or((text, ""));
    let shown = match base.split_once("://") {
        // The last one: an @ within a password may stand there as it is.
        Some((scheme, rest)) => match rest.rsplit_once('@') {
            Some((who, place)) => match who.split_once(':') {
                Some((user, _)) => format!("{scheme}://{user}:{mask}@{place}"),
                None => format!("{scheme}://{who}@{place}"),
            },
            None => base.to_owned(),
        },
        None => return mask.to_owned(),
    };
    let is_secret =
        |pair: &str| pair.split('=').next().and_then(decode).is_none_or(|name| name.contains("password"));
    if query.is_empty() || query.split('&').any(is_secret) { shown } else { format!("{shown}?{query}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(query: &str) -> String {
        Address::parse(&format!("postgres://ann:hunter2@db/dregs?{query}")).expect_err(query)
    }

    #[test]
    fn sslmode_is_read_as_libpq_reads_it() {
        let cases = [
            ("", SslMode::Prefer, Roots::System),
            ("sslmode=disable", SslMode::Disable, Roots::System),
            ("sslmode=allow", SslMode::Allow, Roots::System),
            ("sslmode=require", SslMode::Require, Roots::System),
            ("ssl=true", SslMode::Require, Roots::System),
            ("sslmode=require&sslrootcert=%2Fa%20b.pem", SslMode::VerifyCa, Roots::File("/a b.pem".into())),
            ("sslmode=verify-ca", SslMode::VerifyCa, Roots::System),
            ("sslmode=verify-full&sslrootcert=/r.pem", SslMode::VerifyFull, Roots::File("/r.pem".into())),
            ("sslrootcert=system", SslMode::VerifyFull, Roots::System),
        ];
        for (query, mode, roots) in cases {
            let address = Address::parse(&format!("postgres://db/dregs?{query}")).expect(query);
            assert_eq!((address.mode, address.roots), (mode, roots), "{query}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_and_what_is_secret_is_not_repeated() {
        let cases = [
            (
                "sslmode=verify",
                "sslmode=verify is none of disable, allow, prefer, require, verify-ca, verify-full",
            ),
            ("sslmod=require", "there is no parameter sslmod; did you mean sslmode?"),
            ("service=x", "the parameter service is not supported; those that are: user, "),
            ("sslmode=require&sslrootcert=system", "sslrootcert=system goes with sslmode=verify-full"),
            ("sslcert=/c.pem", "sslcert needs sslkey"),
            ("connect_timeout=soon", "invalid value for option connect_timeout"),
            (
                "target_session_attrs=standby",
                "target_session_attrs=standby leads to servers that take no writes",
            ),
            ("sslnegotiation=direct", "sslnegotiation=direct needs sslmode=require"),
            ("sslmode", "a parameter after ? has no value"),
            (
                "gssencmode=require",
                "gssencmode=require cannot be had: leave it out, or write disable or prefer",
            ),
            ("client_encoding=latin1", "client_encoding=latin1 cannot be had"),
        ];
        for (query, start) in cases {
            let error = error(query);
            assert!(error.starts_with(start), "{query}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn hosts_are_one_or_many_sockets_or_those_of_this_machine() {
        let hosts = |text: &str| {
            let address = Address::parse(text).expect(text);
            (address.config.get_hosts().to_vec(), address.config.get_ports().to_vec(), address.is_local())
        };
        let tcp = |name: &str| Host::Tcp(name.to_owned());
        let unix = |path: &str| Host::Unix(path.into());
        let cases = [
            ("postgres://a:1,b:2/d", vec![tcp("a"), tcp("b")], vec![1, 2], false),
            ("postgres:///d?host=a,b&port=1,2", vec![tcp("a"), tcp("b")], vec![1, 2], false),
            ("postgres:///d?host=/run/pg", vec![unix("/run/pg")], vec![], true),
            ("postgres://u@%2Frun%2Fpg/d", vec![unix("/run/pg")], vec![5432], true),
            ("postgresql://[::1]:7/d", vec![tcp("::1")], vec![7], false),
            ("postgres:///d?hostaddr=127.0.0.1", vec![tcp("127.0.0.1")], vec![], false),
        ];
        for (text, expected, ports, is_local) in cases {
            assert_eq!(hosts(text), (expected, ports, is_local), "{text}");
        }
        assert_eq!(hosts("postgres:///d").0.len(), 1);
        let options = Address::parse("postgres://h/d?options=-c%20search_path%3Dx").expect("options");
        assert_eq!(options.config.get_options(), Some("-c search_path=x"));
        let usual = "gssencmode=disable&client_encoding=UTF8&sslsni=1&ssl_min_protocol_version=TLSv1.2&keepalives_count=3";
        let usual =
            Address::parse(&format!("postgres://h/d?{usual}&fallback_application_name=x")).expect("of libpq");
        assert_eq!(usual.config.get_application_name(), Some("x"));
        let timeout = Address::parse("postgres://h/d?tcp_user_timeout=1500").expect("a timeout");
        assert_eq!(timeout.config.get_tcp_user_timeout(), Some(&Duration::from_millis(1500)));
    }

    #[test]
    fn passwords_are_masked_wherever_they_stand() {
        let cases = [
            (
                "postgres://ann:a@b:c@h:1,i:2/d?sslmode=require",
                "postgres://ann:***@h:1,i:2/d?sslmode=require",
            ),
            ("postgres://ann@h/d", "postgres://ann@h/d"),
            ("postgres://h/d?user=ann&password=x", "postgres://h/d"),
            ("postgres://h/d?user=ann&pass%77ord=x", "postgres://h/d"),
            ("nonsense", "***"),
        ];
        for (text, expected) in cases {
            assert_eq!(masked(text, "***"), expected, "{text}");
        }
    }
}
