//! Places that are made for a run and gone after it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use postgres::{Client, NoTls};

use crate::error::{Error, Result};

/// Tells apart what one process makes.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// A name that no other run uses at the same time.
fn unique_name() -> String {
    format!("dregs_bench_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A folder, removed when this is dropped.
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Makes a folder of its own under `parent`.
    pub fn make(parent: &Path) -> Result<Self> {
        let path = parent.join(unique_name());
        fs::create_dir_all(&path).map_err(Error::io(format!("making {}", path.display())))?;
        let path = path.canonicalize().map_err(Error::io(format!("finding {}", path.display())))?;
        Ok(Self { path })
    }

    /// Where it is, from the root.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Under target/, so that `cargo clean` removes what this cannot.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// A PostgreSQL database, dropped when this is.
pub struct ScratchDatabase {
    server_url: String,
    name: String,
    url: String,
}

impl ScratchDatabase {
    /// Makes a database on the server that `server_url` connects to.
    pub fn make(server_url: &str) -> Result<Self> {
        let name = unique_name();
        let url = with_database(server_url, &name)
            .ok_or_else(|| Error::Protocol(format!("not a PostgreSQL URL: {server_url}")))?;
        execute(server_url, &format!("create database {name}"))?;
        Ok(Self { server_url: server_url.to_owned(), name, url })
    }

    /// What connects to it.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for ScratchDatabase {
    fn drop(&mut self) {
        // What is left over shows in the list of databases under its name; there is nobody to tell.
        let _ = execute(&self.server_url, &format!("drop database if exists {} with (force)", self.name));
    }
}

/// Runs one statement, on a thread of its own: the client brings a runtime, which must not be inside
/// another.
fn execute(url: &str, statement: &str) -> Result<()> {
    let run = || Client::connect(url, NoTls)?.batch_execute(statement);
    let ran = std::thread::scope(|scope| scope.spawn(run).join());
    Ok(ran.map_err(|_| Error::Protocol("the PostgreSQL client failed".into()))??)
}

/// What a statement answers: one number.
pub fn ask(url: &str, statement: &str) -> Result<i64> {
    let run = || Client::connect(url, NoTls)?.query_one(statement, &[])?.try_get(0);
    let ran = std::thread::scope(|scope| scope.spawn(run).join());
    Ok(ran.map_err(|_| Error::Protocol("the PostgreSQL client failed".into()))??)
}

/// The same URL with another database.
fn with_database(url: &str, name: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://").filter(|(scheme, _)| scheme.starts_with("postgres"))?;
    let (before, query) = rest.split_once('?').map_or((rest, ""), |(before, query)| (before, query));
    let host = before.split_once('/').map_or(before, |(host, _)| host);
    let separator = if query.is_empty() { "" } else { "?" };
    Some(format!("{scheme}://{host}/{name}{separator}{query}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_database_of_a_url_changes() {
        for (url, expected) in [
            ("postgres://u:p@localhost:5433/postgres", Some("postgres://u:p@localhost:5433/x")),
            ("postgresql://localhost", Some("postgresql://localhost/x")),
            ("postgres:///a?host=/run/pg", Some("postgres:///x?host=/run/pg")),
            ("mysql://localhost/a", None),
            ("localhost", None),
        ] {
            assert_eq!(with_database(url, "x").as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn a_folder_is_gone_with_its_contents() {
        let folder = Folder::make(&std::env::temp_dir()).unwrap();
        let path = folder.path().to_owned();
        fs::write(path.join("file"), "content").unwrap();
        drop(folder);
        assert!(!path.exists());
    }
}
