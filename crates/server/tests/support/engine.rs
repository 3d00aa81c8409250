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
    Postgres {
        name: String,
    },
    /// A PostgreSQL of the test's own, which ends with its server.
    At {
        url: String,
    },
}

impl Database {
    pub fn create(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => Self::Sqlite,
            Engine::Postgres => {
                let name = format!("test_{:016x}", rand::random::<u64>());
                administer(&format!("create database {name}"));
                let database = Self::Postgres { name };
                database.spread();
                database
            }
        }
    }

    /// `None` for the SQLite file in the data directory.
    pub fn url(&self) -> Option<String> {
        match self {
            Self::Sqlite => None,
            Self::At { url } => Some(url.clone()),
            Self::Postgres { name } => {
                let base = postgres_url();
                let (server, _) = base.rsplit_once('/').unwrap();
                Some(format!("{server}/{name}"))
            }
        }
    }
}

/// Whether an engine's tables are spread over a cluster.
pub fn is_spread(engine: Engine) -> bool {
    let look = || {
        let citus = "select 1 from pg_extension where extname = 'citus'";
        !client(&postgres_url()).query(citus, &[]).unwrap().is_empty()
    };
    engine == Engine::Postgres && std::thread::scope(|scope| scope.spawn(look).join().unwrap())
}

impl Database {
    /// Where the server is the coordinator of a Citus cluster, has the tables spread over its workers.
    fn spread(&self) {
        let Self::Postgres { name } = self else { return };
        if !is_spread(Engine::Postgres) {
            return;
        }
        let nodes = "select nodename || ':' || nodeport, noderole::text from pg_dist_node where groupid > 0";
        let run = || {
            let mut base = client(&postgres_url());
            let workers: Vec<String> = base.query(nodes, &[]).unwrap().iter().map(|row| row.get(0)).collect();
            let on = |host: &str, database: &str| {
                let mut url = reqwest::Url::parse(&postgres_url()).unwrap();
                let (name, port) = host.rsplit_once(':').unwrap();
                url.set_host(Some(name)).unwrap();
                url.set_port(Some(port.parse().unwrap())).unwrap();
                url.set_path(database);
                client(url.as_str())
            };
            for worker in &workers {
                on(worker, "postgres").batch_execute(&format!("create database {name}")).unwrap();
                on(worker, name).batch_execute("create extension citus").unwrap();
            }
            let url = self.url().unwrap();
            let mut own = client(&url);
            own.batch_execute("create extension citus").unwrap();
            for worker in &workers {
                let (host, port) = worker.rsplit_once(':').unwrap();
                own.batch_execute(&format!("select citus_add_node('{host}', {port})")).unwrap();
            }
            assert!(Store::spread_over_citus(&url, Timestamp::from_millis(0)).unwrap());
        };
        // The synchronous client must not run on a thread of the runtime.
        std::thread::scope(|scope| scope.spawn(run).join().unwrap());
    }

    /// Runs statements on a database, of SQLite on the file in a folder, of which the store knows nothing.
    pub fn run(&self, folder: &Path, sql: &str) {
        match self.url() {
            None => {
                let file = rusqlite::Connection::open(folder.join("dregs.db")).unwrap();
                file.execute_batch(sql).unwrap();
            }
            Some(url) => {
                let run = || client(&url).batch_execute(sql).unwrap();
                std::thread::scope(|scope| scope.spawn(run).join().unwrap());
            }
        }
    }

    /// How many tables a PostgreSQL database has.
    pub fn tables(&self) -> i64 {
        let url = self.url().unwrap();
        let count = || {
            let sql = "select count(*) from information_schema.tables where table_schema = 'public'";
            client(&url).query_one(sql, &[]).unwrap().get(0)
        };
        std::thread::scope(|scope| scope.spawn(count).join().unwrap())
    }

    /// Which of these texts stand in a row, and in which table; of the SQLite file its bytes can tell.
    pub fn rows_with(&self, texts: &[&str]) -> Vec<String> {
        let Some(url) = self.url() else { return Vec::new() };
        let search = || {
            let mut client = client(&url);
            let tables = "select table_name::text from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'";
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

fn client(url: &str) -> postgres::Client {
    postgres::Client::connect(url, postgres::NoTls).unwrap()
}

/// The synchronous client must not run on a thread of the runtime.
fn administer(sql: &str) {
    let sql = sql.to_owned();
    let run = move || {
        client(&postgres_url()).batch_execute(&sql).unwrap();
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
