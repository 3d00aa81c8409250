//! A start that cannot go well says what is wrong and what to do, in one line.

use std::path::Path;

use super::Ground;
use crate::support::cluster::Disk;
use crate::support::engine::{Database, Engine, is_spread};

/// A database that a server has made, and closed.
fn made(folder: &Path) -> std::path::PathBuf {
    let data = folder.join("data");
    let done = Ground::new().run(&["migrate", "--data-dir", data.to_str().unwrap()], &[]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    data.join("dregs.db")
}

fn overwrite(file: &Path, at: usize, bytes: &[u8]) {
    let mut all = std::fs::read(file).unwrap();
    all[at..at + bytes.len()].copy_from_slice(bytes);
    std::fs::write(file, all).unwrap();
}

fn add_migration(file: &Path) {
    let database = rusqlite::Connection::open(file).unwrap();
    let sql = "insert into schema_migrations (version, name, applied_at) values (999, '0999_later', 0)";
    database.execute_batch(sql).unwrap();
}

#[test]
fn a_database_that_cannot_be_used_is_said_to_be_what_it_is() {
    type Spoil = fn(&Path);
    let cases: [(&str, Spoil, &str); 4] = [
        (
            "another file",
            |file| std::fs::write(file, "hello, I am a letter. ".repeat(400)).unwrap(),
            "is not a SQLite database: ",
        ),
        ("damaged", |file| overwrite(file, 100, &[0xff; 300]), "is damaged ("),
        ("of a newer version", add_migration, "newer version of dregs (its tables are of version 999"),
        (
            "a folder",
            |file| {
                std::fs::remove_file(file).unwrap();
                std::fs::create_dir(file).unwrap();
            },
            "is a directory, not a database: ",
        ),
    ];
    for (name, spoil, said) in cases {
        let ground = Ground::new();
        let file = made(ground.0.path());
        spoil(&file);
        let before = std::fs::read(&file).ok();
        let start = "dregs: the database in data_dir ./data cannot be used: ";
        for command in [&["migrate", "--check"][..], &["keys", "list"]] {
            let done = ground.run(command, &[]);
            assert_eq!((done.code, done.stderr.lines().count()), (Some(1), 1), "{name}: {}", done.stderr);
            assert!(done.stderr.starts_with(start) && done.stderr.contains(said), "{name}: {}", done.stderr);
        }
        let done = ground.run(&["serve", "--listen", "127.0.0.1:0"], &[]);
        assert_eq!((done.code, done.stderr.lines().count()), (Some(1), 1), "{name}: {}", done.stderr);
        assert!(done.stderr.starts_with(start) && done.stderr.contains(said), "{name}: {}", done.stderr);
        assert!(!done.stderr.contains("this version disagree"), "{name}: {}", done.stderr);
        assert_eq!(std::fs::read(&file).ok(), before, "{name}: the file was changed");
    }
}

/// The commands that look or manage, and so make no tables and bring none up to date.
const EXISTING: [&[&str]; 17] = [
    &["keys", "list"],
    &["keys", "create", "Shop"],
    &["keys", "revoke", "1"],
    &["keys", "enable", "1"],
    &["keys", "reset-secrets", "--lost-master-key"],
    &["users", "list"],
    &["users", "reset-password", "ada@example.com"],
    &["users", "reset-second-factor", "ada@example.com"],
    &["users", "add-owner", "ada@example.com"],
    &["users", "remove-owner", "ada@example.com"],
    &["teams", "list"],
    &["teams", "add", "Staging"],
    &["teams", "rename", "Staging", "Test"],
    &["teams", "delete", "Staging"],
    &["teams", "add-member", "Staging", "ada@example.com", "--role", "user"],
    &["teams", "remove-member", "Staging", "ada@example.com"],
    &["backtest", "--map", "a=LOGIN"],
];

#[test]
fn whoever_looks_or_manages_makes_no_tables_where_there_are_none() {
    if is_spread(Engine::Postgres) {
        return;
    }
    let (ground, database) = (Ground::new(), Database::create(Engine::Postgres));
    let url = database.url().unwrap();
    for command in EXISTING {
        let done = ground.run(&[command, &["--database-url", &url]].concat(), &[]);
        let said = format!(
            "dregs: database_url {url} holds no tables of dregs: start the server once, which makes them, or choose \
             another with --database-url\n"
        );
        assert_eq!((done.code, done.stderr), (Some(1), said), "{command:?}");
    }
    let check = ground.run(&["migrate", "--check", "--database-url", &url], &[]);
    assert_eq!((check.code, check.stdout.starts_with("missing  0001_initial\n")), (Some(1), true));
    assert_eq!(database.tables(), 0);
    assert!(!ground.0.path().join("data").exists());
}

#[test]
fn whoever_looks_or_manages_leaves_the_tables_of_another_version_as_they_are() {
    let ground = Ground::new();
    let file = made(ground.0.path());
    let older = "drop table weights; delete from schema_migrations where version = 5";
    rusqlite::Connection::open(&file).unwrap().execute_batch(older).unwrap();
    for command in EXISTING {
        let done = ground.run(command, &[]);
        let said =
            "dregs: the database in data_dir ./data is of another version: run `dregs migrate` first\n";
        assert_eq!((done.code, done.stderr.as_str()), (Some(1), said), "{command:?}");
    }
    let check = ground.run(&["migrate", "--check"], &[]);
    assert_eq!((check.code, check.stdout.as_str()), (Some(1), "missing  0005_weights\n"));
}

#[test]
fn what_an_address_of_postgresql_leaves_open_is_as_libpq_has_it() {
    let database = Database::create(Engine::Postgres);
    let url = database.url().unwrap();
    let (at, name) = url.strip_prefix("postgres://").unwrap().rsplit_once('/').unwrap();
    let (user, host) = at.rsplit_once('@').unwrap();
    let (host, port) = host.rsplit_once(':').unwrap();
    let variables = [("PGHOST", host), ("PGPORT", port), ("PGUSER", user), ("PGDATABASE", name)];
    let wrong = [("PGHOST", host), ("PGPORT", "1"), ("PGUSER", "nobody"), ("PGDATABASE", "nothing")];
    for (url, variables) in [("postgres://", variables), (url.as_str(), wrong)] {
        let done = Ground::new().run(&["migrate", "--database-url", url], &variables);
        assert_eq!(done.code, Some(0), "{url} {variables:?}: {}", done.stderr);
    }
    assert!(database.tables() > 10, "{} tables", database.tables());
}

#[test]
fn a_data_directory_that_cannot_be_used_is_said_to_be_what_it_is() {
    let ground = Ground::new();
    ground.write("file", "");
    let disk = Disk::of_size("64k");
    std::fs::write(disk.folder().join("filler"), vec![0; 64 * 1024]).unwrap();
    let full = disk.folder().to_str().unwrap();
    // Another directory would do; a disk has to be cleared.
    let cases = [
        ("file", 2, "data_dir file is a file, not a directory: choose a directory"),
        ("file/below", 2, "data_dir file/below is below a file: choose a directory"),
        ("/proc/nowhere", 2, "data_dir /proc/nowhere cannot be written to: "),
        (full, 1, "its disk is full"),
    ];
    for (directory, code, said) in cases {
        for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["migrate"]] {
            let done = ground.run(&[command, &["--data-dir", directory]].concat(), &[]);
            assert_eq!(
                (done.code, done.stderr.lines().count()),
                (Some(code), 1),
                "{directory}: {}",
                done.stderr
            );
            assert!(done.stderr.contains(said), "{directory}: {}", done.stderr);
        }
    }
    // Whoever wants what is there says so as well.
    ground.run(&["migrate"], &[]);
    assert_eq!(ground.run(&["backup", "copy.db"], &[]).code, Some(0));
    for (directory, _, said) in &cases[..2] {
        for command in EXISTING.iter().chain(&[&["backup", "b.db"][..], &["restore", "copy.db"]]) {
            let done = ground.run(&[command, &["--data-dir", *directory][..]].concat(), &[]);
            assert!(done.code == Some(2) && done.stderr.contains(said), "{command:?}: {}", done.stderr);
        }
        let done = ground.run(&["demo", "--keep", directory], &[]);
        let said = said.replace("data_dir", "the directory");
        assert!(done.code == Some(2) && done.stderr.contains(&said), "{}", done.stderr);
    }
    let done = ground.run(&["backup", "nowhere/b.db"], &[]);
    assert_eq!((done.code, done.stderr.as_str()), (Some(2), "dregs: the folder nowhere is not there\n"));
    // What the configuration names is read before anything is written.
    let ground = Ground::new();
    for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["config"]] {
        for (flag, setting) in [("--geo-databases", "geo_databases"), ("--egress-ca-file", "egress_ca_file")]
        {
            let done = ground.run(&[command, &[flag, "none.file"]].concat(), &[]);
            assert_eq!(done.code, Some(2), "{command:?}");
            assert!(done.stderr.starts_with(&format!("dregs: {setting}: none.file: ")), "{}", done.stderr);
            assert!(!ground.0.path().join("data").exists(), "{command:?} has left a data directory");
        }
    }
    // Enough for a probe, and not for a database.
    let disk = Disk::of_size("128k");
    let done = ground.run(&["migrate", "--data-dir", disk.folder().to_str().unwrap()], &[]);
    assert_eq!((done.code, done.stderr.contains("is full: make room")), (Some(1), true), "{}", done.stderr);
}
