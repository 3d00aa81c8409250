//! Copies of a SQLite database, made while a server writes to it; and what a database needs that was put back to an earlier
//! time.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use dregs_core::shard::SHARDS;
use dregs_core::time::Timestamp;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::error::StoreError;
use super::sqlite::BUSY_TIMEOUT;
use super::{Result, Tx, migrations, settings, words};
use crate::values;

/// Under which names the settings say of when the copy is that this database was, and when it was put in place.
const TAKEN_AT: &str = "backup_taken_at";
const RESTORED_AT: &str = "restored_at";

/// By how many numbers the ids of a table go ahead, and by how many the events of an identity: more than are given between a
/// backup and its restore. At a hundred million rows a day the former are given in ten days.
const IDS_AHEAD: i64 = 1_000_000_000;
const EVENTS_AHEAD: i64 = 1_000_000;

/// Tables whose rows get numbers that others keep: in webhooks, in addresses, in notes.
const NUMBERED: [&str; 11] = [
    "identities",
    "groups",
    "devices",
    "events",
    "analyses",
    "escalations",
    "escalation_history",
    "reviews",
    "notifications",
    "deliveries",
    "labels",
];

/// Makes the file that a copy is written to, for this process alone, which it is as long as the answer is held. What a backup
/// has left there that a power cut ended is written anew.
///
/// # Errors
/// [`StoreError::Refused`] where another backup is writing it, or it cannot be written.
pub fn claim(to: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(to).map_err(|error| refused(to, &error))?;
    // A file system that knows no locks keeps nobody from a backup.
    if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
        let told = format!("{} is being written by another backup: wait for it", to.display());
        return Err(StoreError::Refused(told));
    }
    file.set_len(0).map_err(|error| refused(to, &error))?;
    Ok(file)
}

/// Copies the database at `from`, as it is at one moment, into a file of [`claim`], and looks whether the copy is sound. It
/// reads one snapshot: whoever writes meanwhile does not wait. Answers the size in bytes.
///
/// # Errors
/// [`StoreError::Refused`] where `from` cannot be read or `to` not be written; those of SQLite.
pub fn copy(from: &Path, (to, file): (&Path, &File), now: Timestamp) -> Result<u64> {
    words::check_file(from)?;
    let source = open(from)?;
    let mut target = open(to)?;
    let step = Backup::new(&source, &mut target)?.step(-1)?;
    if step != StepResult::Done {
        return Err(StoreError::Unavailable(format!("{} is locked by another process", from.display())));
    }
    sound(&target)?;
    let taken_at = now.as_millis().to_string();
    settings::put(&mut Tx::Sqlite(&target), TAKEN_AT, taken_at.as_bytes())?;
    settings::delete(&mut Tx::Sqlite(&target), RESTORED_AT)?;
    settle(target)?;
    file.sync_all().map_err(|error| refused(to, &error))?;
    Ok(file.metadata().map_err(|error| refused(to, &error))?.len())
}

fn refused(to: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Refused(format!("{} cannot be written: {error}", to.display()))
}

/// What is in the log of a database goes into the file, which is then whole by itself.
fn settle(database: Connection) -> Result<()> {
    database.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(()))?;
    Ok(database.close().map_err(|(_, error)| error)?)
}

/// Has what is in the log of a database that nobody uses go into its file.
///
/// # Errors
/// Those of SQLite, where it is damaged.
pub fn take_in_log(path: &Path) -> Result<()> {
    settle(open(path)?)
}

/// Looks whether the file at `path` is a sound database of dregs.
///
/// # Errors
/// [`StoreError::Refused`] says what is wrong with it.
pub fn check(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Err(StoreError::Refused(format!("{} is a directory: name a backup in it", path.display())));
    }
    words::check_file(path)?;
    let look = || {
        let backup = open(path)?;
        sound(&backup)?;
        migrations::pending(&mut Tx::Sqlite(&backup))
    };
    let pending = look().map_err(|error| words::of_backup(path, error))?;
    if pending.first().is_some_and(|first| first.is_initial()) {
        return Err(StoreError::Refused(format!(
            "{} is no backup of dregs: it holds none of its tables. Name a file that `dregs backup` has made",
            path.display()
        )));
    }
    Ok(())
}

fn open(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

fn sound(connection: &Connection) -> Result<()> {
    let found: String = connection.query_row("pragma quick_check(1)", [], |row| row.get(0))?;
    if found == "ok" { Ok(()) } else { Err(StoreError::Damaged(found)) }
}

/// Has a database that was put back go on with numbers that nobody was given after it was copied, and note that it was.
/// Answers of when it is: of the backup where that is known, else of its newest event.
pub fn resume(tx: &mut Tx, now: Timestamp) -> Result<Option<Timestamp>> {
    for table in NUMBERED {
        if tx.dialect("", "postgres") == "postgres" {
            let ahead = format!("select setval('{table}_number', nextval('{table}_number') + $1)");
            tx.get(&ahead, &values![IDS_AHEAD], |row| row.get::<i64>(0))?;
            continue;
        }
        let ahead = IDS_AHEAD * SHARDS;
        let known = "update sqlite_sequence set seq = seq + $2 where name = $1";
        if tx.execute(known, &values![table, ahead])? == 0 {
            tx.execute("insert into sqlite_sequence (name, seq) values ($1, $2)", &values![table, ahead])?;
        }
    }
    tx.execute("update identities set sequence = sequence + $1", &values![EVENTS_AHEAD])?;
    let taken_at = match restored(tx)? {
        (Some(taken_at), None) => Some(taken_at),
        // What is known is of a restore before.
        _ => tx.get("select max(last_tracked_at) from identities", &[], |row| row.optional_time(0))?,
    };
    if let Some(taken_at) = taken_at {
        settings::put(tx, TAKEN_AT, taken_at.as_millis().to_string().as_bytes())?;
    }
    settings::put(tx, RESTORED_AT, now.as_millis().to_string().as_bytes())?;
    Ok(taken_at)
}

/// Of when the copy is that this database was, and when it was put in place, as far as either is known.
pub fn restored(tx: &mut Tx) -> Result<(Option<Timestamp>, Option<Timestamp>)> {
    let mut time = |name: &str| -> Result<Option<Timestamp>> {
        let found = settings::with_prefix(tx, name)?.into_iter().find(|(found, _)| found == name);
        let millis = found.and_then(|(_, value)| String::from_utf8(value).ok()?.parse().ok());
        Ok(millis.map(Timestamp::from_millis))
    };
    Ok((time(TAKEN_AT)?, time(RESTORED_AT)?))
}
