//! What an address of PostgreSQL leaves open is filled in as libpq does it: by the `PG*` variables of the environment, and
//! the password by a file of passwords.

use std::path::Path;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// The variables of libpq ("Environment Variables" in its documentation), and the parameters that they stand for.
const VARIABLES: [(&str, &str); 20] = [
    ("PGHOST", "host"),
    ("PGHOSTADDR", "hostaddr"),
    ("PGPORT", "port"),
    ("PGDATABASE", "dbname"),
    ("PGUSER", "user"),
    ("PGPASSWORD", "password"),
    ("PGPASSFILE", "passfile"),
    ("PGOPTIONS", "options"),
    ("PGAPPNAME", "application_name"),
    ("PGSSLMODE", "sslmode"),
    ("PGSSLROOTCERT", "sslrootcert"),
    ("PGSSLCERT", "sslcert"),
    ("PGSSLKEY", "sslkey"),
    ("PGSSLNEGOTIATION", "sslnegotiation"),
    ("PGSSLMINPROTOCOLVERSION", "ssl_min_protocol_version"),
    ("PGCHANNELBINDING", "channel_binding"),
    ("PGGSSENCMODE", "gssencmode"),
    ("PGCLIENTENCODING", "client_encoding"),
    ("PGCONNECT_TIMEOUT", "connect_timeout"),
    ("PGTARGETSESSIONATTRS", "target_session_attrs"),
];
/// In the home directory, unless one is named.
const PASSFILE: &str = ".pgpass";
const PORT: u16 = 5432;

/// The address with what it does not say itself. What it says counts.
pub fn complete(url: &str, variable: impl Fn(&str) -> Option<String>) -> String {
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let Ok(config) = base.parse::<Config>() else { return url.to_owned() };
    let says = |name: &str| {
        let in_base = match name {
            "host" | "hostaddr" | "port" => !config.get_hosts().is_empty(),
            "dbname" => config.get_dbname().is_some(),
            "user" => config.get_user().is_some(),
            "password" => config.get_password().is_some(),
            _ => false,
        };
        in_base || query.split('&').any(|pair| pair.split('=').next() == Some(name))
    };
    let mut pairs: Vec<_> = query.split('&').filter(|pair| !pair.is_empty()).map(str::to_owned).collect();
    let mut add = |name: &str, value: String| {
        if !says(name) && !value.is_empty() {
            pairs.push(format!("{name}={}", utf8_percent_encode(&value, NON_ALPHANUMERIC)));
        }
    };
    for (name, parameter) in VARIABLES {
        if let Some(value) = variable(name) {
            add(parameter, value);
        }
    }
    if variable("PGPASSFILE").is_none()
        && let Some(home) = variable("HOME")
        && is_private(&Path::new(&home).join(PASSFILE))
    {
        add("passfile", format!("{home}/{PASSFILE}"));
    }
    if pairs.is_empty() { base.to_owned() } else { format!("{base}?{}", pairs.join("&")) }
}

/// The password that a file has for the first host of an address; `None` where it has none, or there is no such file.
///
/// # Errors
/// A sentence, when others can read the file, or this user cannot.
pub fn password(file: &Path, config: &Config) -> Result<Option<String>, String> {
    if !file.exists() {
        return Ok(None);
    }
    if !is_private(file) {
        return Err(format!("passfile {} can be read by others: `chmod 600` it", file.display()));
    }
    let text = std::fs::read_to_string(file)
        .map_err(|error| format!("passfile {} cannot be read: {error}", file.display()))?;
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        _ => "localhost".to_owned(),
    };
    let port = config.get_ports().first().copied().unwrap_or(PORT).to_string();
    let user = config.get_user().unwrap_or_default();
    let wanted = [&host, &port, config.get_dbname().unwrap_or(user), user];
    Ok(text.lines().find_map(|line| of_line(line, wanted)))
}

/// `host:port:database:user:password`, each of the first four a value or `*`; a backslash takes a `:` or a backslash for
/// itself.
fn of_line(line: &str, wanted: [&str; 4]) -> Option<String> {
    let mut fields = vec![String::new()];
    let mut signs = line.chars().peekable();
    while let Some(sign) = signs.next() {
        match sign {
            ':' if fields.len() < 5 => fields.push(String::new()),
            '\\' if signs.peek().is_some() => fields.last_mut()?.extend(signs.next()),
            sign => fields.last_mut()?.push(sign),
        }
    }
    let password = fields.pop().filter(|password| !password.is_empty())?;
    let is_it =
        fields.len() == 4 && fields.iter().zip(wanted).all(|(field, wanted)| field == "*" || field == wanted);
    is_it.then_some(password)
}

/// As libpq wants it: nobody else may read the file.
#[cfg(unix)]
fn is_private(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o077 == 0)
}

#[cfg(not(unix))]
fn is_private(file: &Path) -> bool {
    file.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_address_leaves_open_the_environment_says() {
        let variable = |name: &str| {
            let value = match name {
                "PGHOST" => "db.internal",
                "PGPORT" => "5433",
                "PGUSER" => "dregs app",
                "PGPASSWORD" => "a:b@c",
                "PGSSLMODE" => "verify-full",
                _ => return None,
            };
            Some(value.to_owned())
        };
        for (url, expected) in [
            (
                "postgres:///dregs",
                "postgres:///dregs?host=db%2Einternal&port=5433&user=dregs%20app&password=a%3Ab%40c&sslmode=verify%2Dfull",
            ),
            ("postgres://ann:x@h:1/d?sslmode=disable", "postgres://ann:x@h:1/d?sslmode=disable"),
            ("postgres://ann@h/d?sslmode=disable", "postgres://ann@h/d?sslmode=disable&password=a%3Ab%40c"),
            ("nonsense", "nonsense"),
        ] {
            assert_eq!(complete(url, variable), expected);
        }
        assert_eq!(complete("postgres://h/d", |_| None), "postgres://h/d");
    }

    #[test]
    fn a_password_is_that_of_the_first_line_that_is_about_it() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let lines = "# ours\nother:*:*:*:wrong\nh:5433:*:ann:wrong\nh:*:d:ann:a\\:b\\\\c:d\n*:*:*:*:any\n";
        std::fs::write(file.path(), lines).expect("writes");
        let of = |url: &str| password(file.path(), &url.parse().expect(url)).expect(url);
        assert_eq!(of("postgres://ann@h/d").as_deref(), Some("a:b\\c:d"));
        assert_eq!(of("postgres://bob@h/d").as_deref(), Some("any"));
        assert_eq!(password(Path::new("/nowhere"), &Config::new()), Ok(None));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o644)).expect("changes");
            let told = password(file.path(), &Config::new()).expect_err("others can read it");
            assert!(told.ends_with("can be read by others: `chmod 600` it"), "{told}");
        }
    }
}
