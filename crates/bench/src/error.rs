//! Why a scenario gave no figure.

use std::io;
use std::path::PathBuf;

/// What a scenario ends with instead of figures.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{what}: {source}")]
    Io { what: String, source: io::Error },
    #[error("there is no server at {0}: build it with cargo build --profile dist, or name it with --server")]
    NoServer(PathBuf),
    #[error("the server {what}; its log ends:\n{log}")]
    Server { what: String, log: String },
    #[error("{request} was answered {status}: {body}")]
    Refused { request: String, status: u16, body: String },
    #[error("{0}")]
    Protocol(String),
    #[error("{what} stands still: {done} of {wanted}, and nothing new for {seconds} s")]
    Stalled { what: &'static str, done: u64, wanted: u64, seconds: u64 },
    #[error("not done within {0} s")]
    TooSlow(u64),
    #[error("SQLite: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("PostgreSQL: {}", .0.as_db_error().map_or_else(|| .0.to_string(), ToString::to_string))]
    Postgres(#[from] postgres::Error),
}

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Turns an I/O error into one that says what was being done.
    pub fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}
