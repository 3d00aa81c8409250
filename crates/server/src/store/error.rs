//! What can go wrong between the code and its rows.

/// Why a transaction did not happen. Nothing of it was stored.
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
    /// There are as many as there may be.
    #[error("{owner} has at most {max} {what}")]
    TooMany { owner: &'static str, what: &'static str, max: i64 },
    /// A statement or a stored value is not what this version expects.
    #[error("the database and this version disagree: {0}")]
    Broken(String),
}

impl StoreError {
    pub(super) fn closed() -> Self {
        Self::Unavailable("the store is closed".into())
    }
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
            Code::DiskFull
            | Code::CannotOpen
            | Code::SystemIoFailure
            | Code::ReadOnly
            | Code::PermissionDenied => Self::Unavailable(error.to_string()),
            _ => Self::Broken(error.to_string()),
        }
    }
}

impl From<postgres::Error> for StoreError {
    fn from(error: postgres::Error) -> Self {
        use postgres::error::SqlState;
        let Some(code) = error.code() else {
            return if error.is_closed()
                || std::error::Error::source(&error).is_some_and(|e| e.is::<std::io::Error>())
            {
                Self::Unavailable(error.to_string())
            } else {
                Self::Broken(describe(&error))
            };
        };
        match *code {
            SqlState::UNIQUE_VIOLATION => Self::Conflict,
            SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED => Self::Retry,
            SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN | SqlState::CANNOT_CONNECT_NOW => {
                Self::Unavailable(error.to_string())
            }
            _ => Self::Broken(describe(&error)),
        }
    }
}

/// The driver's own text says only "db error"; the server's message is in the source.
fn describe(error: &postgres::Error) -> String {
    match error.as_db_error() {
        Some(db) => format!("{} ({})", db.message(), db.code().code()),
        None => error.to_string(),
    }
}
