//! How much the database grows: events of identities that come back again and again, with their scores,
//! observations and deliveries.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection as Sqlite;

use crate::error::{Error, Result};
use crate::load::{self, Closed, Feed};
use crate::report::{Report, Row, Target, Unit, progress};
use crate::rig::{Rig, Setting, Store, sqlite_files};
use crate::scenario::ceilings::BATCH_EVENTS;
use crate::server::data_folder;

const SCENARIO: &str = "size";
/// The events the target is for.
pub const TARGET_EVENTS: u64 = 1_000_000;
/// An event, with all that follows from it: the most, and the aim.
const TARGET_BYTES: [f64; 2] = [600.0, 450.0];
/// How often each identity comes back.
pub const EVENTS_EACH: u64 = 5;
const CONNECTIONS: usize = 4;
/// What is scored and delivered is over when nothing has come for so long.
const QUIET: Duration = Duration::from_secs(3);
/// Tables whose rows are counted.
const COUNTED: [&str; 5] = ["events", "identities", "analyses", "deliveries", "attempts"];
/// How many of the largest tables are shown.
const TABLES_SHOWN: usize = 12;

/// Posts so many events in batches, stops the server, and looks into the database.
///
/// Every identity has one event before any has its next, and each round is scored and delivered before the
/// next begins: in life people come back after hours, so that no two of their events share a score.
pub async fn run(setting: &Setting, events: u64, report: &mut Report) -> Result<()> {
    let rig = Rig::start(setting, Store::Sqlite, &[]).await?;
    let range = rig.ledger.extend((events / EVENTS_EACH).max(1));
    let identities = range.end - range.start;
    let how = Closed { connections: CONNECTIONS, batch: BATCH_EVENTS, time_max: None, outstanding_max: None };
    for round in 0..EVENTS_EACH {
        progress(&format!("size: round {} of {EVENTS_EACH}", round + 1));
        let number = round * identities;
        let feed = Feed { number, ..Feed::distinct(setting.generator, range.clone()) };
        load::closed(rig.address(), feed, how, Some(rig.ledger.clone())).await?;
        rig.ledger.wait_for_last(range.clone(), Duration::ZERO).await?;
    }
    rig.ledger.wait_for_last(range, QUIET).await?;
    let events = identities * EVENTS_EACH;
    report.add(Row::new(SCENARIO, "webhooks verified", rig.ledger.tally().verified as f64, Unit::Rows));

    progress("size: stopping the server and reading the database");
    let folder = rig.stop().await?;
    let data = data_folder(folder.path());
    let read = tokio::task::spawn_blocking(move || Contents::read(&data)).await;
    let contents =
        read.unwrap_or_else(|error| Err(Error::Protocol(format!("reading the database failed: {error}"))))?;
    contents.report(events, report);
    Ok(())
}

/// What is in the database files.
#[derive(Debug, Default, PartialEq)]
struct Contents {
    bytes: u64,
    /// Rows by table.
    rows: Vec<(String, i64)>,
    /// Bytes by table, indexes included, the largest first.
    tables: Vec<(String, i64)>,
}

impl Contents {
    /// Reads every SQLite database in a folder that no server uses any more.
    fn read(folder: &Path) -> Result<Self> {
        let mut contents = Self::default();
        for (path, _) in sqlite_files(folder)? {
            let sqlite = Sqlite::open(&path)?;
            sqlite.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(()))?;
            contents.rows.extend(rows(&sqlite)?);
            contents.tables.extend(tables(&sqlite)?);
        }
        contents.bytes = sqlite_files(folder)?.iter().map(|(_, bytes)| bytes).sum();
        if contents.bytes == 0 {
            return Err(Error::Protocol(format!("there is no SQLite database in {}", folder.display())));
        }
        Ok(contents)
    }

    fn report(&self, events: u64, report: &mut Report) {
        report.add(Row::new(
            SCENARIO,
            format!("the database of {events} events"),
            self.bytes as f64,
            Unit::Bytes,
        ));
        let row = Row::new(SCENARIO, "an event", self.bytes as f64 / events as f64, Unit::Bytes);
        let [most, aim] = TARGET_BYTES;
        report.add(match events {
            // A small database is mostly what it starts with.
            ..TARGET_EVENTS => row,
            _ => row.target(Target::MostAndAim(most, aim)),
        });
        for (table, rows) in &self.rows {
            report.add(Row::new(SCENARIO, format!("rows of {table}"), *rows as f64, Unit::Rows));
        }
        for (table, bytes) in self.tables.iter().take(TABLES_SHOWN) {
            report.add(Row::new(
                SCENARIO,
                format!("table {table} and its indexes"),
                *bytes as f64,
                Unit::Bytes,
            ));
        }
    }
}

fn rows(sqlite: &Sqlite) -> Result<Vec<(String, i64)>> {
    let mut counts = Vec::new();
    for table in COUNTED.into_iter().filter(|table| sqlite.table_exists(None, *table).unwrap_or(false)) {
        let count = sqlite.query_row(&format!("select count(*) from {table}"), [], |row| row.get(0))?;
        counts.push((table.to_owned(), count));
    }
    Ok(counts)
}

fn tables(sqlite: &Sqlite) -> Result<Vec<(String, i64)>> {
    let mut select = sqlite.prepare(
        "select coalesce(owner.tbl_name, tree.name), sum(tree.pgsize)
         from dbstat as tree left join sqlite_schema as owner on owner.name = tree.name
         where tree.aggregate = true
         group by 1 order by 2 desc, 1",
    )?;
    let tables = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(tables.collect::<rusqlite::Result<_>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Folder;

    #[test]
    fn a_database_is_found_counted_and_weighed_with_its_log() {
        let folder = Folder::make(&std::env::temp_dir()).unwrap();
        std::fs::write(folder.path().join("master.key"), "not a database").unwrap();
        let sqlite = Sqlite::open(folder.path().join("dregs.db")).unwrap();
        sqlite
            .execute_batch(
                "pragma journal_mode = wal;
                 create table events (id text primary key, body text);
                 insert into events values ('a', 'x'), ('b', 'y');
                 create table notes (id integer primary key);",
            )
            .unwrap();
        let contents = Contents::read(folder.path()).unwrap();
        let pages = |count: i64| count * 4_096;
        assert_eq!(
            contents,
            Contents {
                bytes: pages(4).cast_unsigned(),
                rows: vec![("events".into(), 2)],
                tables: vec![
                    ("events".into(), pages(2)),
                    ("notes".into(), pages(1)),
                    ("sqlite_schema".into(), pages(1)),
                ],
            }
        );
    }
}
