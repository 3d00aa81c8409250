//! What is wrong with a database and what to do about it, in the words of whoever has to.

use std::error::Error as _;
use std::io::ErrorKind;
use std::path::Path;

use tokio_postgres::error::SqlState;

use super::error::StoreError;

/// Looks at the database file before it is opened. A file that is not there is fine: it is made.
///
/// It is not opened for that: closing it would drop the locks that this process holds on it.
///
/// # Errors
/// [`StoreError::Refused`] when it cannot be a database that this process works on.
pub fn check_file(path: &Path) -> Result<(), StoreError> {
    let shown = path.display();
    let refused = |problem: String| Err(StoreError::Refused(problem));
    match std::fs::metadata(path) {
        Ok(file) if file.is_dir() => refused(format!(
            "{shown} is a directory, not a database: move it away, or choose another --data-dir"
        )),
        Ok(file) if !file.is_file() => refused(format!("{shown} is not a file")),
        Ok(_) => check_access(path),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => refused(format!("{shown} cannot be opened: {error}")),
    }
}

#[cfg(unix)]
fn check_access(path: &Path) -> Result<(), StoreError> {
    use rustix::fs::{Access, access};
    access(path, Access::READ_OK | Access::WRITE_OK).map_err(|error| {
        StoreError::Refused(format!(
            "{} cannot be opened: {}: its owner must be the user that the server runs as, and able to read and \
             write it",
            path.display(),
            std::io::Error::from(error)
        ))
    })
}

#[cfg(not(unix))]
fn check_access(_path: &Path) -> Result<(), StoreError> {
    Ok(())
}

/// What went wrong when the database file was opened.
pub fn of_file(path: &Path, error: StoreError) -> StoreError {
    let shown = path.display();
    StoreError::Refused(match error {
        StoreError::Damaged(reason) if reason.contains("not a database") => format!(
            "{shown} is not a SQLite database: move it away, or choose another --data-dir; if it was one, restore it \
             from a backup"
        ),
        StoreError::Damaged(reason) => format!(
            "{shown} is damaged ({reason}): restore it from a backup, or rescue what can be read with `sqlite3 {shown} \
             \".recover\" | sqlite3 rescued.db`"
        ),
        StoreError::Retry => format!(
            "{shown} is locked: another process writes to it and does not end; let it end, and start again"
        ),
        StoreError::Unavailable(reason) if reason.contains("disk is full") => {
            format!("the disk of {shown} is full: make room, and start again")
        }
        StoreError::Unavailable(reason) => format!(
            "{shown} cannot be opened or written to ({reason}): the folder and the files in it must be writable for \
             the user that the server runs as, and the disk must have room"
        ),
        other => return other,
    })
}

/// What is wrong with a file that was named as a backup.
pub fn of_backup(path: &Path, error: StoreError) -> StoreError {
    let shown = path.display();
    StoreError::Refused(match error {
        StoreError::Damaged(reason) if reason.contains("not a database") => {
            format!("{shown} is no backup of dregs: name a file that `dregs backup` has made")
        }
        StoreError::Damaged(reason) => format!(
            "{shown} is damaged ({reason}), as a copy that was broken off is: name another backup, or rescue what can be \
             read with `sqlite3 {shown} \".recover\" | sqlite3 rescued.db`"
        ),
        StoreError::Refused(reason) => format!("{shown} cannot be restored: {reason}"),
        other => return of_file(path, other),
    })
}

/// An error of the client, with what the server or the system said: its own text is only "db error" and the like.
pub fn of_postgres(error: &tokio_postgres::Error) -> String {
    if let Some(db) = error.as_db_error() {
        return format!("{} ({})", db.message(), db.code().code());
    }
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// Why a connection to PostgreSQL could not be had, and what to do.
pub fn of_connecting(error: &tokio_postgres::Error) -> String {
    let text = of_postgres(error);
    let advice = match error.code() {
        Some(code) if *code == SqlState::INVALID_PASSWORD => "check the user and the password in the address",
        Some(code) if *code == SqlState::INVALID_CATALOG_NAME => "create it (`createdb`), or name another",
        Some(code) if *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION => of_authorization(&text),
        Some(code) if *code == SqlState::TOO_MANY_CONNECTIONS => {
            "each node of the server takes up to seven connections: raise max_connections, or end others"
        }
        Some(code) if *code == SqlState::CANNOT_CONNECT_NOW => "it is starting or stopping: try again",
        Some(_) => "see the log of PostgreSQL",
        // What the other side says of a certificate that it was shown.
        None if text.contains("fatal alert") => {
            "the server does not take the certificate in sslcert: its ssl_ca_file has to hold the authority that signed it"
        }
        None if text.contains("TLS") => of_tls(&text),
        None if text.contains("password missing") => {
            "PostgreSQL asks for a password: put one into the address"
        }
        None if text.contains("does not allow writes") => {
            "target_session_attrs asks for a server that takes writes, and none of the hosts is one"
        }
        None => "is it running, and are host and port right?",
    };
    format!("{text}: {advice}")
}

/// What went wrong when the tables were made or changed on PostgreSQL.
pub fn of_migrating(error: StoreError) -> StoreError {
    match error {
        StoreError::Unavailable(reason) if reason.contains("permission denied") => {
            StoreError::Refused(format!(
                "{reason}: the role needs tables of its own: make it the owner of the database (`alter database … owner to …`)"
            ))
        }
        other => other,
    }
}

fn of_authorization(text: &str) -> &'static str {
    if text.contains("does not exist") {
        "create the role (`createuser`), or name another in the address"
    } else if text.contains("no encryption") || text.contains("SSL off") {
        "pg_hba.conf lets this user in from here over TLS at most: set sslmode=require or stricter, or add a line there"
    } else if text.contains("client certificate") || text.contains("certificate authentication") {
        "pg_hba.conf lets this user in by a certificate in its own name: name it and its key in sslcert and sslkey of the \
         address"
    } else if text.contains("no pg_hba.conf entry") {
        "pg_hba.conf of the server does not let this user in from here"
    } else {
        "pg_hba.conf or the role does not let this user in"
    }
}

fn of_tls(text: &str) -> &'static str {
    if text.contains("does not support TLS") {
        "sslmode asks for TLS and the server has it switched off: switch it on, or set sslmode=prefer"
    } else if text.contains("UnknownIssuer") || text.contains("CaUsedAsEndEntity") {
        "its certificate is from an authority that is not trusted: name the file of that authority in sslrootcert, \
         or set sslmode=require, which encrypts and does not verify"
    } else if text.contains("not valid for name") || text.contains("NotValidForName") {
        "its certificate is for another name: connect by that name, or set sslmode=verify-ca, which takes any"
    } else {
        "see sslmode, sslrootcert, sslcert and sslkey of the address"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_in_the_place_of_the_database_is_refused_by_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = check_file(folder.path()).expect_err("refused").to_string();
        assert!(error.contains("is a directory, not a database"), "{error}");
        assert!(check_file(&folder.path().join("new.db")).is_ok());
    }
}
