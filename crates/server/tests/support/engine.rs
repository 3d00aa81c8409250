//! The two engines, and a fresh database on each.

use std::path::Path;

use dregs_core::time::Timestamp;
use dregs_server::store::{Location, Store};
use tempfile::TempDir;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// Makes one test of each engine out of an `async fn name(engine: Engine)`.
#[macro_export]
macro_rules! on_both_engines {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test] async fn $name() { super::$name($crate::support::engine::Engine::Sqlite).await; })*
        }
        mod postgres {
            $(#[tokio::test] async fn $name() { super::$name($crate::support::engine::Engine::Postgres).await; })*
        }
    };
}

/// A database that is gone when this is dropped.
pub enum Database {
    Sqlite,
    Postgres { name: String },
}

impl Database {
    pub fn create(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => Self::Sqlite,
            Engine::Postgres => {
                let name = format!("test_{:016x}", rand::random::<u64>());
                administer(&format!("create database {name}"));
                Self::Postgres { name }
            }
        }
    }

    /// `None` for the SQLite file in the data directory.
    pub fn url(&self) -> Option<String> {
        match self {
            Self::Sqlite => None,
            Self::Postgres { name } => {
                let base = postgres_url();
                let (server, _) = base.rsplit_once('/').unwrap();
                Some(format!("{server}/{name}"))
            }
        }
    }
}

impl Database {
    /// Which of these texts stand in a row, and in which table; of the SQLite file its bytes can tell.
    pub fn rows_with(&self, texts: &[&str]) -> Vec<String> {
        let Some(url) = self.url() else { return Vec::new() };
        let search = || {
            let mut client = postgres::Client::connect(&url, postgres::NoTls).unwrap();
            let tables =
                "select table_name::text from information_schema.tables where table_schema = 'public'";
            let mut found = Vec::new();
            for table in client.query(tables, &[]).unwrap() {
                let table: String = table.get(0);
                for text in texts {
                    let query = format!("select count(*) from {table} t where t::text like $1");
                    let count: i64 = client.query_one(&query, &[&format!("%{text}%")]).unwrap().get(0);
                    found.extend((count > 0).then(|| format!("{text} in {table}")));
                }
            }
            found
        };
        // The synchronous client must not run on a thread of the runtime.
        std::thread::scope(|scope| scope.spawn(search).join().unwrap())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Self::Postgres { name } = self {
            administer(&format!("drop database if exists {name} with (force)"));
        }
    }
}

/// An empty store on an engine, and what it stands on.
pub fn store(engine: Engine) -> (Store, TempDir, Database) {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::create(engine);
    let location = match database.url() {
        Some(url) => Location::Postgres(url),
        None => Location::File(folder.path().join("dregs.db")),
    };
    let store = std::thread::spawn(move || Store::open(&location, Timestamp::from_millis(0)).unwrap());
    (store.join().unwrap(), folder, database)
}

/// The synchronous client must not run on a thread of the runtime.
fn administer(sql: &str) {
    let sql = sql.to_owned();
    let run = move || {
        let mut client = postgres::Client::connect(&postgres_url(), postgres::NoTls).unwrap();
        client.batch_execute(&sql).unwrap();
    };
    std::thread::spawn(run).join().unwrap();
}

/// The PostgreSQL server of the tests: the one that `DREGS_TEST_DATABASE_URL` names, or the one that
/// `scripts/postgres.sh start` started.
///
/// # Panics
/// When there is none: a missing PostgreSQL fails the tests, it does not skip them.
fn postgres_url() -> String {
    if let Some(url) = std::env::var_os("DREGS_TEST_DATABASE_URL") {
        return url.into_string().unwrap();
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/postgres/port");
    let port = std::fs::read_to_string(file).expect("run `scripts/postgres.sh start` before the tests");
    format!("postgres://dregs@127.0.0.1:{}/postgres", port.trim())
}
