//! What can go wrong between the code and its rows.

use super::words;
use crate::limit::Limit;

/// Why a transaction did not happen. Nothing of it was stored, unless it is [`StoreError::InDoubt`].
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A row with the same unique key exists.
    #[error("a row with this key already exists")]
    Conflict,
    /// Another transaction was faster; the same closure, run again, sees its result.
    #[error("another transaction was faster")]
    Retry,
    /// The database cannot be reached, is full, or is shutting down.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// The database was asked to commit and has not answered: whether it did, nobody knows.
    #[error("the database has not answered a commit: {0}")]
    InDoubt(String),
    /// The disk has failed to make durable what was written: what of it is there, nobody knows.
    #[error("the disk has failed to sync: {0}")]
    Unsynced(String),
    /// What was sealed cannot be stored, nor what is stored be opened: the database has another master key by now.
    #[error(
        "The database was given another master key than this server has, which can neither read nor seal secrets any \
         more: start it again with that key."
    )]
    KeyReplaced,
    /// There are as many as there may be.
    #[error("A {owner} has at most {max} {what}.")]
    TooMany { owner: &'static str, what: &'static str, max: i64, limit: Limit },
    /// The database cannot be opened: what is wrong and what to do, for the person who starts the server.
    #[error("{0}")]
    Refused(String),
    /// The database file, or pages of the server, are damaged.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// A statement or a stored value is not what this version expects.
    #[error("the database and this version disagree: {0}")]
    Broken(String),
}

impl StoreError {
    /// Whether the database cannot be had, so that the same may go well later.
    pub const fn is_outage(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::InDoubt(_) | Self::Unsynced(_))
    }

    pub(super) fn closed() -> Self {
        Self::Unavailable("the store is closed".into())
    }

    /// The same, for another who was waiting for the same thing.
    pub(super) fn again(&self) -> Self {
        match self {
            Self::Unavailable(reason) => Self::Unavailable(reason.clone()),
            Self::InDoubt(reason) => Self::InDoubt(reason.clone()),
            Self::Damaged(reason) => Self::Damaged(reason.clone()),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

/// Logs why something failed. An outage of the database is told of once for everybody, by `store/health.rs`.
macro_rules! log_failure {
    ($error:expr, $($rest:tt)+) => {
        match &$error {
            error if error.is_outage() => tracing::debug!(%error, $($rest)+),
            error => tracing::error!(%error, $($rest)+),
        }
    };
}
pub(crate) use log_failure;

/// Whether the disk has failed to make durable what was written.
pub(super) fn is_failed_sync(error: &rusqlite::Error) -> bool {
    use rusqlite::ffi::{SQLITE_IOERR_DIR_FSYNC, SQLITE_IOERR_FSYNC};
    error
        .sqlite_error()
        .is_some_and(|error| [SQLITE_IOERR_FSYNC, SQLITE_IOERR_DIR_FSYNC].contains(&error.extended_code))
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        let Some(code) = error.sqlite_error_code() else {
            return Self::Broken(error.to_string());
        };
        match code {
            Code::ConstraintViolation => Self::Conflict,
            Code::DatabaseBusy | Code::DatabaseLocked => Self::Retry,
            Code::SystemIoFailure if is_failed_sync(&error) => Self::Unsynced(error.to_string()),
            Code::DiskFull
            | Code::CannotOpen
            | Code::OutOfMemory
            | Code::SystemIoFailure
            | Code::ReadOnly
            // It took longer than it may.
            | Code::OperationInterrupted
            | Code::PermissionDenied => Self::Unavailable(error.to_string()),
            Code::DatabaseCorrupt | Code::NotADatabase => Self::Damaged(error.to_string()),
            _ => Self::Broken(error.to_string()),
        }
    }
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        use tokio_postgres::error::SqlState;
        let Some(code) = error.code() else {
            let is_io = std::error::Error::source(&error).is_some_and(|e| e.is::<std::io::Error>());
            return match error.is_closed() || is_io {
                true => Self::Unavailable(words::of_postgres(&error)),
                false => Self::Broken(words::of_postgres(&error)),
            };
        };
        match *code {
            SqlState::UNIQUE_VIOLATION => Self::Conflict,
            SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED => Self::Retry,
            SqlState::DATA_CORRUPTED | SqlState::INDEX_CORRUPTED => Self::Damaged(words::of_postgres(&error)),
            SqlState::READ_ONLY_SQL_TRANSACTION
            | SqlState::INSUFFICIENT_PRIVILEGE
            | SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => Self::Unavailable(words::of_postgres(&error)),
            // Classes of codes: connections, authorization, resources (a full disk, memory, connections), limits
            // of time and shutdown, the system below (see appendix A of the manual of PostgreSQL); and a
            // database that is not there (any more).
            _ => match code.code().get(..2) {
                Some("08" | "28" | "3D" | "53" | "57" | "58") => {
                    Self::Unavailable(words::of_postgres(&error))
                }
                _ => Self::Broken(words::of_postgres(&error)),
            },
        }
    }
}
