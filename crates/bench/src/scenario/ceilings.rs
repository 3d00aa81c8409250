//! What this machine gives without the server, measured in the same run: no figure can be much better.

use std::fs::OpenOptions;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection as Sqlite;
use tokio::task::JoinSet;

use crate::clock;
use crate::error::{Error, Result};
use crate::events;
use crate::http::Connection;
use crate::latency::{Latencies, Percentiles};
use crate::ledger::Ledger;
use crate::load::{self, Closed, Feed, write_request};
use crate::report::{Ceiling, Report, Row, Unit};
use crate::responder::Responder;
use crate::rig::Setting;
use crate::scratch::Folder;
use crate::sink::{Signer, Sink};

/// The events of a large batch: as many as surely fit into the 256 KiB that a body may have.
pub const BATCH_EVENTS: u64 = 400;
/// What one event writes at least: a row of this size.
const ROW_BYTES: usize = 1_000;
/// The rows of a group commit, when about half of the connections have an event in it.
const GROUP_ROWS: u64 = 64;
/// A WAL's page.
const PAGE_BYTES: usize = 4_096;
/// The file that is synced is written round and round, as a WAL is.
const FILE_PAGES: usize = 1_024;
/// As many connections as the server may use to the sink.
const SINK_CONNECTIONS: usize = 64;
const SIGNING_SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const SCENARIO: &str = "ceilings";

/// The ceilings of a run.
#[derive(Clone, Copy, Debug)]
pub struct Ceilings {
    http: f64,
    http_batches: f64,
    sink: f64,
    sqlite_groups: f64,
    sqlite_batches: f64,
    fdatasync_p50_ms: f64,
}

impl Ceilings {
    /// For events acknowledged one by one: they come over HTTP and are committed in groups.
    pub fn ack(&self) -> Ceiling {
        let sqlite = Ceiling { name: "SQLite by 64", value: self.sqlite_groups };
        lower(Ceiling { name: "HTTP", value: self.http }, sqlite)
    }

    /// For events acknowledged in batches.
    pub fn ack_batches(&self) -> Ceiling {
        let sqlite = Ceiling { name: "SQLite by 400", value: self.sqlite_batches };
        lower(Ceiling { name: "HTTP by 400", value: self.http_batches }, sqlite)
    }

    /// For events carried to a webhook: they come over HTTP, are committed, and go out to the sink.
    pub fn e2e(&self) -> Ceiling {
        lower(self.ack(), Ceiling { name: "sink", value: self.sink })
    }

    /// For the time from an event to its webhook: one commit stores the event, one its score.
    pub fn latency(&self) -> Ceiling {
        Ceiling { name: "2 fdatasync", value: 2.0 * self.fdatasync_p50_ms }
    }
}

fn lower(one: Ceiling, other: Ceiling) -> Ceiling {
    if one.value <= other.value { one } else { other }
}

/// Measures all ceilings, each for `time`.
pub async fn run(setting: &Setting, time: Duration, report: &mut Report) -> Result<Ceilings> {
    let folder = Folder::make(&setting.folder)?;
    let (syncs, sync) = blocking(folder.path(), "fdatasync", move |path| fdatasyncs(&path, time)).await?;
    let rows =
        async |file, group| blocking(folder.path(), file, move |path| sqlite_rows(&path, group, time)).await;
    let commits = rows("single.db", 1).await?;
    let sqlite_groups = rows("groups.db", GROUP_ROWS).await?;
    let sqlite_batches = rows("batches.db", BATCH_EVENTS).await?;
    let (http, http_batches) = http(setting, time).await?;
    let sink = sink(setting, time).await?;

    let row = |what: &str, value, unit| Row::new(SCENARIO, what, value, unit);
    report.add(row("fdatasync of one page", syncs, Unit::PerSecond));
    report.add(row("fdatasync p50", sync.p50, Unit::Milliseconds));
    report.add(row("SQLite, one 1 KB row a commit", commits, Unit::EventsPerSecond));
    report.add(row("SQLite, 64 such rows a commit", sqlite_groups, Unit::EventsPerSecond));
    report.add(row("SQLite, 400 such rows a commit", sqlite_batches, Unit::EventsPerSecond));
    report.add(row("HTTP, one event a request", http, Unit::EventsPerSecond));
    report.add(row("HTTP, 400 events a request", http_batches, Unit::EventsPerSecond));
    report.add(row("sink, signed webhooks verified", sink, Unit::EventsPerSecond));
    Ok(Ceilings { http, http_batches, sink, sqlite_groups, sqlite_batches, fdatasync_p50_ms: sync.p50 })
}

/// Runs what blocks on another thread, with a file in the folder.
async fn blocking<T: Send + 'static>(
    folder: &Path,
    file: &str,
    work: impl FnOnce(PathBuf) -> Result<T> + Send + 'static,
) -> Result<T> {
    let path = folder.join(file);
    let done = tokio::task::spawn_blocking(move || work(path)).await;
    done.unwrap_or_else(|error| Err(Error::Protocol(format!("a measurement failed: {error}"))))
}

/// How often a second one page of a file can be written and synced, and how long that takes.
fn fdatasyncs(path: &Path, time: Duration) -> Result<(f64, Percentiles)> {
    let failed = || Error::io(format!("writing {}", path.display()));
    let mut file = OpenOptions::new().create_new(true).write(true).open(path).map_err(failed())?;
    let page = [0x5a; PAGE_BYTES];
    for _ in 0..FILE_PAGES {
        file.write_all(&page).map_err(failed())?;
    }
    file.sync_all().map_err(failed())?;
    let start = clock::now();
    let (mut count, mut latencies) = (0, Latencies::default());
    while clock::now() - start < time {
        let at = (count % FILE_PAGES) * PAGE_BYTES;
        file.seek(SeekFrom::Start(at as u64)).map_err(failed())?;
        let written = clock::now();
        file.write_all(&page).map_err(failed())?;
        file.sync_data().map_err(failed())?;
        latencies.add(clock::now() - written);
        count += 1;
    }
    Ok((count as f64 / (clock::now() - start).as_secs_f64(), latencies.percentiles()))
}

/// How many rows a second SQLite commits durably, `group` of them a transaction.
fn sqlite_rows(path: &Path, group: u64, time: Duration) -> Result<f64> {
    let mut sqlite = Sqlite::open(path)?;
    sqlite.pragma_update(None, "journal_mode", "wal")?;
    sqlite.pragma_update(None, "synchronous", "full")?;
    sqlite.execute_batch("create table rows (id integer primary key, body blob not null)")?;
    let body = vec![0x5a_u8; ROW_BYTES];
    let start = clock::now();
    let mut rows = 0_u64;
    while clock::now() - start < time {
        let transaction = sqlite.transaction()?;
        {
            let mut insert = transaction.prepare_cached("insert into rows (body) values (?1)")?;
            for _ in 0..group {
                insert.execute([&body])?;
            }
        }
        transaction.commit()?;
        rows += group;
    }
    Ok(rows as f64 / (clock::now() - start).as_secs_f64())
}

/// How many events a second the loader posts to a responder in another process that stores nothing, one
/// by one and in batches.
async fn http(setting: &Setting, time: Duration) -> Result<(f64, f64)> {
    let responder = Responder::start().await?;
    let feed = Feed::distinct(setting.generator, 0..u64::MAX);
    let how =
        Closed { connections: setting.connections, batch: 1, time_max: Some(time), outstanding_max: None };
    let single = load::closed(responder.address(), feed, how, None).await?;
    let how = Closed { connections: 8, batch: BATCH_EVENTS, ..how };
    let batches = load::closed(responder.address(), feed, how, None).await?;
    Ok((single.rate(), batches.rate()))
}

/// How many webhooks a second this process signs, posts to its own sink, and verifies there.
async fn sink(setting: &Setting, time: Duration) -> Result<f64> {
    let ledger = Ledger::default();
    let identities = ledger.extend(1).end;
    let sink = Sink::start(ledger.clone()).await?;
    let signer = Signer::new(SIGNING_SECRET)?;
    sink.trust(signer.clone());
    let mut body = Vec::new();
    body.extend_from_slice(b"{\"identityId\":\"");
    events::push_identity(&mut body, identities - 1);
    body.extend_from_slice(b"\",\"data\":");
    // A webhook's scores and badges are about as long as two events.
    setting.generator.write(0, 0, &mut body);
    body.push(b'}');
    let body = Arc::new(body);
    let start = clock::now();
    let mut senders = JoinSet::new();
    for _ in 0..SINK_CONNECTIONS {
        let (address, signer, body) = (sink.address(), signer.clone(), Arc::clone(&body));
        senders.spawn(async move { post_signed(address, &signer, &body, start + time).await });
    }
    while let Some(sender) = senders.join_next().await {
        load::flatten(sender)?;
    }
    Ok(ledger.tally().verified as f64 / (clock::now() - start).as_secs_f64())
}

async fn post_signed(address: SocketAddr, signer: &Signer, body: &[u8], until: Instant) -> Result<()> {
    let mut connection = Connection::open(address).await?;
    let mut request = Vec::new();
    while clock::now() < until {
        let signature = signer.sign(body);
        let signature = String::from_utf8_lossy(&signature);
        let head = format!(
            "POST /webhooks HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
             X-Dregs-Event: IDENTITY_SCORED\r\nX-Dregs-Signature: {signature}\r\nContent-Length: "
        );
        write_request(&mut request, &head, body);
        connection.exchange(&request).await?;
    }
    Ok(())
}
