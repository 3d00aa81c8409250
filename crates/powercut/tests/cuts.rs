//! A database whose commits are synced survives every cut; one on a disk that lies does not.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use dregs_powercut::{Lie, watch};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rusqlite::Connection;

const CUTS: usize = 200;
/// Commits of one run, among which checkpoints come every few dozen.
const COMMITS: i64 = 150;
const CHECKPOINT_PAGES: u32 = 20;

fn open(folder: &std::path::Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(folder.join("rows.db"))?;
    // The journal by which it becomes one with a log is gone for good.
    connection.pragma_update(None, "synchronous", "extra")?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.execute_batch("create table if not exists rows (n integer primary key, text text)")?;
    Ok(connection)
}

/// What is wrong with the rows after a cut, of which so many were committed.
fn complaint(folder: &std::path::Path, committed: i64) -> Option<String> {
    let look = || -> rusqlite::Result<(String, i64, i64)> {
        let connection = open(folder)?;
        let sound = connection.query_row("pragma integrity_check", [], |row| row.get(0))?;
        let (count, last) =
            connection.query_row("select count(*), coalesce(max(n), 0) from rows", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        Ok((sound, count, last))
    };
    match look() {
        Ok((sound, count, last)) if sound == "ok" && count == last && count >= committed => None,
        found => Some(format!("{found:?} of {committed}")),
    }
}

/// Runs commits, and cuts the power at instants of chance; the answer is what is wrong after the first cut that lost
/// anything.
fn run(lie: Lie, seed: u64) -> Option<String> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut cuts = 0;
    while cuts < CUTS {
        let folder = tempfile::tempdir().unwrap();
        let disk = watch(folder.path(), lie).unwrap();
        let connection = open(folder.path()).unwrap();
        for n in 1..=COMMITS {
            connection.execute_batch("begin immediate").unwrap();
            let text = "x".repeat(rng.random_range(0..3_000));
            connection.execute("insert into rows values (?1, ?2)", (n, &text)).unwrap();
            let mut committed = n - 1;
            if rng.random_bool(0.5) {
                connection.execute_batch("commit").unwrap();
                committed = n;
            }
            if rng.random_bool(0.1) {
                let found = tempfile::tempdir().unwrap();
                disk.cut(&mut rng).restore(found.path()).unwrap();
                let complaint = complaint(found.path(), committed);
                if complaint.is_some() {
                    return complaint;
                }
                cuts += 1;
            }
            if committed < n {
                connection.execute_batch("commit").unwrap();
            }
        }
    }
    None
}

#[test]
fn what_is_committed_survives() {
    assert_eq!(run(Lie::None, 1), None);
}

#[test]
fn what_was_never_synced_is_lost() {
    assert!(run(Lie::NoSync, 2).is_some());
}

#[test]
fn a_checkpoint_without_its_sync_loses() {
    assert!(run(Lie::NoSyncOfDatabase, 3).is_some());
}

#[test]
fn commits_that_are_acknowledged_before_they_are_synced_are_lost() {
    assert!(run(Lie::LateSync, 4).is_some());
}
