//! Addresses of PostgreSQL: encryption as `sslmode` asks for it, hosts, sockets, and what is said of those that do not
//! work.

use dregs_core::time::Timestamp;
use dregs_server::store::{Location, Store, StoreError};

use crate::support::cluster::Cluster;
use crate::support::tls::{Authority, file};
use tempfile::NamedTempFile;

const HBA: &str = "\
local all all trust
hostssl all certified 127.0.0.1/32 cert
hostssl all tls_only 127.0.0.1/32 trust
hostnossl all plain_only 127.0.0.1/32 trust
host all secret 127.0.0.1/32 scram-sha-256
host all nobody 127.0.0.1/32 trust
host all dregs 127.0.0.1/32 trust
";

/// Whether a connection is encrypted, or why there is none.
async fn connect(url: String) -> Result<bool, String> {
    let location = Location::Postgres(url);
    // The client must not run on a thread of the runtime.
    let open = move || Store::open(&location, Timestamp::from_millis(0));
    let store = tokio::task::spawn_blocking(open).await.unwrap().map_err(|error| error.to_string())?;
    let sql = "select cast(cast(ssl as integer) as bigint) from pg_stat_ssl where pid = pg_backend_pid()";
    let read = store.read(move |tx| tx.get(sql, &[], |row| row.flag(0))).await;
    read.map_err(|error: StoreError| error.to_string())
}

fn server(authority: &Authority) -> Cluster {
    let cluster = Cluster::start(HBA, &[]);
    let (certificate, key) = authority.files("localhost");
    let read = |file: &tempfile::NamedTempFile| std::fs::read(file.path()).unwrap();
    let certificate = cluster.private_file("server.crt", &read(&certificate));
    let key = cluster.private_file("server.key", &read(&key));
    let clients = cluster.private_file("clients.crt", &read(&authority.file));
    let with_its_own = |certificate: &std::path::Path, key: &std::path::Path| {
        vec![
            format!("alter system set ssl_cert_file = '{}'", certificate.display()),
            format!("alter system set ssl_key_file = '{}'", key.display()),
            format!("alter system set ssl_ca_file = '{}'", clients.display()),
            "alter system set ssl = on".to_owned(),
            "select pg_reload_conf()".to_owned(),
        ]
    };
    cluster.administer(&with_its_own(&certificate, &key));
    let roles = ["tls_only", "plain_only", "secret", "certified"];
    let mut statements: Vec<_> =
        roles.iter().map(|role| format!("create role {role} login superuser password 'right'")).collect();
    statements.push("create role nobody login".to_owned());
    cluster.administer(&statements);
    cluster
}

#[tokio::test]
async fn encryption_is_as_sslmode_asks_for_it() {
    let (authority, other) = (Authority::new("own"), Authority::new("other"));
    let cluster = server(&authority);
    let (own, other) = (authority.file.path().display(), other.file.path().display());
    let port = cluster.port;
    // (who, host, parameters, whether it is encrypted or what is said)
    let cases: Vec<(&str, &str, String, Result<bool, &str>)> = vec![
        ("dregs", "127.0.0.1", String::new(), Ok(true)),
        ("dregs", "127.0.0.1", "sslmode=disable".into(), Ok(false)),
        ("dregs", "127.0.0.1", "sslmode=allow".into(), Ok(false)),
        ("dregs", "127.0.0.1", "sslmode=prefer".into(), Ok(true)),
        ("dregs", "127.0.0.1", "sslmode=require".into(), Ok(true)),
        ("dregs", "127.0.0.1", "sslmode=verify-ca".into(), Err("sslrootcert")),
        ("dregs", "127.0.0.1", format!("sslmode=verify-ca&sslrootcert={own}"), Ok(true)),
        ("dregs", "127.0.0.1", format!("sslmode=require&sslrootcert={own}"), Ok(true)),
        ("dregs", "127.0.0.1", format!("sslmode=require&sslrootcert={other}"), Err("not trusted")),
        ("dregs", "127.0.0.1", format!("sslmode=verify-ca&sslrootcert={other}"), Err("not trusted")),
        ("dregs", "localhost", format!("sslmode=verify-full&sslrootcert={own}"), Ok(true)),
        ("dregs", "127.0.0.1", format!("sslmode=verify-full&sslrootcert={own}"), Err("sslmode=verify-ca")),
        ("dregs", "localhost", "sslrootcert=system".into(), Err("sslrootcert")),
        (
            "dregs",
            "127.0.0.1",
            "sslmode=verify-ca&sslrootcert=/nowhere".into(),
            Err("sslrootcert /nowhere cannot be used"),
        ),
        ("tls_only", "127.0.0.1", "sslmode=disable".into(), Err("set sslmode=require")),
        ("tls_only", "127.0.0.1", "sslmode=allow".into(), Ok(true)),
        ("tls_only", "127.0.0.1", "sslmode=prefer".into(), Ok(true)),
        ("plain_only", "127.0.0.1", "sslmode=prefer".into(), Ok(false)),
        ("plain_only", "127.0.0.1", "sslmode=require".into(), Err("pg_hba.conf")),
        ("secret:right", "127.0.0.1", "channel_binding=require".into(), Ok(true)),
        ("secret:wrong", "127.0.0.1", String::new(), Err("check the user and the password")),
    ];
    for (who, host, parameters, expected) in cases {
        let found = connect(format!("postgres://{who}@{host}:{port}/postgres?{parameters}")).await;
        match (&found, expected) {
            (Ok(encrypted), Ok(expected)) => assert_eq!(*encrypted, expected, "{who} {host} {parameters}"),
            (Err(said), Err(part)) => assert!(said.contains(part), "{who} {host} {parameters}: {said}"),
            _ => panic!("{who} {host} {parameters}: {found:?} is not {expected:?}"),
        }
    }
    // A certificate that vouches for itself, as the manual of PostgreSQL has people make one.
    let (itself, key) = Authority::vouching_for_itself("localhost");
    let itself = cluster.private_file("own.crt", itself.as_bytes());
    let key = cluster.private_file("own.key", key.as_bytes());
    cluster.administer(&[
        format!("alter system set ssl_cert_file = '{}'", itself.display()),
        format!("alter system set ssl_key_file = '{}'", key.display()),
        "select pg_reload_conf()".to_owned(),
    ]);
    let copy = tempfile::NamedTempFile::new().unwrap();
    std::fs::copy(&itself, copy.path()).unwrap();
    let copy = copy.path().display();
    let url = |host: &str, mode: &str| {
        format!("postgres://dregs@{host}:{port}/postgres?sslmode={mode}&sslrootcert={copy}")
    };
    // The server takes it over a moment later.
    let taken = async || connect(url("localhost", "verify-full")).await.is_ok().then_some(());
    crate::support::server::eventually("the new certificate", taken).await;
    assert_eq!(connect(url("127.0.0.1", "verify-ca")).await, Ok(true));
    let said = connect(url("127.0.0.1", "verify-full")).await.unwrap_err();
    assert!(said.contains("sslmode=verify-ca"), "{said}");
}

#[tokio::test]
async fn a_client_s_certificate_is_shown_as_sslcert_and_sslkey_ask_for_it() {
    let (authority, other) = (Authority::new("own"), Authority::new("other"));
    let cluster = server(&authority);
    let (certificate, key) = authority.files_of_client("certified");
    let (of_another, anothers_key) = authority.files_of_client("somebody");
    let (unknown, unknown_key) = other.files_of_client("certified");
    let marked = |from: &NamedTempFile| file(&format!("\u{feff}{}", std::fs::read_to_string(from).unwrap()));
    let [marked_certificate, marked_key] = [marked(&certificate), marked(&key)];
    let marked_authority = marked(&authority.file);
    let shown = |certificate: &NamedTempFile, key: &NamedTempFile| {
        format!("sslcert={}&sslkey={}", certificate.path().display(), key.path().display())
    };
    let verified = format!("&sslmode=verify-ca&sslrootcert={}", marked_authority.path().display());
    let cases: Vec<(String, Result<bool, &str>)> = vec![
        (shown(&certificate, &key), Ok(true)),
        (shown(&certificate, &key) + "&sslmode=require", Ok(true)),
        // As an editor has marked them.
        (shown(&marked_certificate, &marked_key) + &verified, Ok(true)),
        (String::new(), Err("name it and its key in sslcert and sslkey")),
        (shown(&of_another, &anothers_key), Err("name it and its key in sslcert and sslkey")),
        (shown(&unknown, &unknown_key), Err("does not take the certificate in sslcert")),
        (shown(&certificate, &anothers_key), Err("sslkey")),
        ("sslcert=/nowhere&sslkey=/nowhere".into(), Err("/nowhere cannot be used")),
        (
            format!("sslcert={}&sslkey=/nowhere", certificate.path().display()),
            Err("sslkey /nowhere cannot be used"),
        ),
        (format!("sslcert={}&sslkey={0}", certificate.path().display()), Err("cannot be used")),
    ];
    for (parameters, expected) in cases {
        let found =
            connect(format!("postgres://certified@127.0.0.1:{}/postgres?{parameters}", cluster.port)).await;
        match (&found, expected) {
            (Ok(encrypted), Ok(expected)) => assert_eq!(*encrypted, expected, "{parameters}"),
            (Err(said), Err(part)) => assert!(said.contains(part), "{parameters}: {said}"),
            _ => panic!("{parameters}: {found:?} is not {expected:?}"),
        }
    }
}

#[tokio::test]
async fn hosts_sockets_and_options_are_as_in_libpq_and_what_is_wrong_is_said() {
    let cluster = Cluster::start(HBA, &[]);
    cluster.administer(&["create role nobody login".to_owned()]);
    let (port, folder) = (cluster.port, cluster.folder().display().to_string());
    let encoded = folder.replace('/', "%2F");
    let works = [
        format!("postgres:///postgres?user=dregs&host={folder}&port={port}"),
        // There is no encryption over a socket, and none is needed.
        format!("postgres://dregs@{encoded}:{port}/postgres?sslmode=require"),
        format!("postgres://dregs@127.0.0.1:1,127.0.0.1:{port}/postgres"),
        format!("postgres://dregs@127.0.0.1:1,127.0.0.1:{port}/postgres?target_session_attrs=primary"),
        format!("postgresql://dregs@127.0.0.1:{port}/postgres?application_name=x&connect_timeout=3"),
    ];
    for url in works {
        assert_eq!(connect(url.clone()).await, Ok(false), "{url}");
    }
    let limited = Location::Postgres(format!("{}?options=-c%20statement_timeout%3D4321", cluster.url()));
    let open = move || Store::open(&limited, Timestamp::from_millis(0)).unwrap();
    let store = tokio::task::spawn_blocking(open).await.unwrap();
    let shown = store
        .read(|tx| tx.get("select current_setting('statement_timeout')", &[], |row| row.get::<String>(0)));
    assert_eq!(shown.await.unwrap(), "4321ms");

    let fails = [
        (
            format!("postgres://dregs@127.0.0.1:{port}/missing"),
            "\"missing\" does not exist (3D000): create it",
        ),
        (format!("postgres://missing@127.0.0.1:{port}/postgres?host={folder}"), "createuser"),
        (format!("postgres://other@127.0.0.1:{port}/postgres"), "pg_hba.conf"),
        (format!("postgres://nobody@127.0.0.1:{port}/postgres"), "make it the owner of the database"),
        ("postgres://dregs@127.0.0.1:1/postgres".to_owned(), "is it running"),
        ("postgres://dregs@no-such-host.invalid/postgres".to_owned(), "are host and port right?"),
        (format!("postgres://dregs@127.0.0.1:{port}/postgres?sslmode=require"), "does not support TLS"),
    ];
    for (url, part) in fails {
        let said = connect(url.clone()).await.unwrap_err();
        assert!(said.contains(part), "{url}: {said}");
    }
}
