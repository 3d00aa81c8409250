//! The power is cut while files are written that are not a database at work: the master key and the lock of a first start, a
//! backup, and what is put back from one. By the real binary's own calls: at each of them, what is on the disk for certain
//! and what chance adds.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use dregs_core::time::Timestamp;
use dregs_powercut::{Files, traced};
use dregs_server::ops::installation::master_key;
use dregs_server::store::{Location, Store, backup};
use dregs_server::vault::{self, Vault};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rusqlite::Connection;
use tempfile::{NamedTempFile, TempDir};

use super::power::complaint;
use super::{ALL_EVENTS, create_channel, seed, show};
use crate::support::engine::Engine;
use crate::support::process::{Process, Site};
use crate::support::receiver::Receiver;
use crate::support::server::event;

const OK: &str = "HTTP/1.1 204 No Content\r\n\r\n";
/// Of all cuts, those after which the binary goes on with what it finds.
const WENT_ON: usize = 6;

/// The folders that are found after cuts, by what a program has done to one: each is looked at, and some are kept.
struct Cuts {
    rng: StdRng,
    count: usize,
    complaints: Vec<String>,
    kept: Vec<TempDir>,
}

impl Cuts {
    /// What `look` finds wrong after each cut; and in the end, when the program has said that it is done, what it did must be
    /// there by `is_done`.
    fn of(
        mut files: Files,
        log: &Path,
        look: impl Fn(&Path) -> Option<String>,
        is_done: impl Fn(&Path) -> bool,
    ) -> Self {
        let (rng, kept, complaints) = (StdRng::seed_from_u64(seed()), Vec::new(), Vec::new());
        let mut cuts = Self { rng, count: 0, complaints, kept };
        let replayed = files.replay(&std::fs::read_to_string(log).unwrap(), |files| {
            for image in [files.certain(), files.cut(&mut cuts.rng)] {
                let folder = tempfile::tempdir().unwrap();
                image.restore(folder.path()).unwrap();
                cuts.count += 1;
                // It may change what it looks at.
                let is_kept = cuts.rng.random_ratio(1, cuts.count.div_ceil(WENT_ON).try_into().unwrap());
                match look(folder.path()) {
                    Some(complaint) => cuts.complaints.push(format!("at cut {}: {complaint}", cuts.count)),
                    None if is_kept => {
                        image.restore(folder.path()).unwrap();
                        cuts.kept.push(folder);
                    }
                    None => {}
                }
            }
        });
        replayed.unwrap();
        let folder = tempfile::tempdir().unwrap();
        files.certain().restore(folder.path()).unwrap();
        if !is_done(folder.path()) {
            cuts.complaints.push("what is done is gone".into());
        }
        cuts
    }

    /// Those that the binary is to go on with.
    fn kept(mut self, what: &str) -> impl Iterator<Item = TempDir> {
        show(&format!("{} power cuts of {what}", self.count));
        assert_eq!(self.complaints, Vec::<String>::new());
        (0..WENT_ON).map(move |_| self.kept.swap_remove(self.rng.random_range(0..self.kept.len())))
    }
}

fn files(folder: &Path) -> Files {
    Files::of(folder).unwrap()
}

fn dregs(mut command: Command, folder: &Path, arguments: &[&str]) {
    let done = command.args(arguments).env_clear().env("DREGS_DATA_DIR", folder).output().unwrap();
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}

async fn send(server: &Process, ids: &[&str]) {
    for id in ids {
        assert_eq!(server.track(event(id, "ada")).await, 200);
    }
}

fn named(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

/// Whether a database has a setting of this name.
fn has_setting(database: &Path, name: &str) -> bool {
    let count = Connection::open(database).and_then(|database| {
        database
            .query_row("select count(*) from settings where name = ?1", [name], |row| row.get::<_, i64>(0))
    });
    count.is_ok_and(|count| count > 0)
}

/// What is wrong with the key of a folder: it cannot be read, or does not open what was sealed.
fn complaint_of_key(folder: &Path) -> Option<String> {
    let key = match vault::master_key(None, &folder.join(vault::KEY_FILE)) {
        Ok(key) => key.map(Vault::new),
        Err(error) => return Some(error),
    };
    let database = folder.join("dregs.db");
    if !has_setting(&database, "master_key_check") {
        return None;
    }
    let store = Store::open(&Location::File(database), Timestamp::from_millis(0)).unwrap();
    let known = tokio::runtime::Handle::current().block_on(store.read(master_key::known)).unwrap().unwrap();
    let opens = key.is_some_and(|key| master_key::opens(&key, &known));
    (!opens).then(|| "no key opens what is sealed".into())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_key_is_whole_before_anything_is_sealed_by_it() {
    let (site, receiver, log) =
        (Site::new(Engine::Sqlite), Receiver::answering(OK).await, NamedTempFile::new().unwrap());
    let before = [files(site.folder()), files(site.folder()).never_synced()];
    let mut server = site.start_traced(log.path(), &[]);
    assert!(server.is_ready().await);
    create_channel(&site, "App", &receiver, &ALL_EVENTS).await;
    server.kill_traced(log.path());

    let [honest, lying] = before;
    let is_done = |folder: &Path| has_setting(&folder.join("dregs.db"), "master_key_check");
    let cuts = |files| tokio::task::block_in_place(|| Cuts::of(files, log.path(), complaint_of_key, is_done));
    for folder in cuts(honest).kept("a first start") {
        let site = Site::of(folder);
        let mut server = site.start(None, &[]);
        assert!(server.is_ready().await);
        send(&server, &["e1"]).await;
        server.kill();
    }
    assert!(!cuts(lying).complaints.is_empty(), "a disk that never syncs goes unnoticed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_whole_or_not_there() {
    let (site, target, log) =
        (Site::new(Engine::Sqlite), tempfile::tempdir().unwrap(), NamedTempFile::new().unwrap());
    let mut server = site.start(None, &[]);
    assert!(server.is_ready().await);
    send(&server, &["e1", "e2"]).await;
    let [honest, lying] = [files(target.path()), files(target.path()).never_synced()];
    let copy = target.path().canonicalize().unwrap().join("copy.db");
    dregs(
        traced(env!("CARGO_BIN_EXE_dregs"), log.path()),
        site.folder(),
        &["backup", copy.to_str().unwrap()],
    );

    let look = |folder: &Path| {
        let copy = folder.join("copy.db");
        if !copy.exists() {
            return None;
        }
        backup::check(&copy).err().map(|error| error.to_string()).or_else(|| {
            std::fs::rename(copy, folder.join("dregs.db")).unwrap();
            complaint(folder, &named(&["e1", "e2"]))
        })
    };
    let cuts = |files| Cuts::of(files, log.path(), look, |folder| folder.join("copy.db").exists());
    for folder in cuts(honest).kept("a backup") {
        // The same name again, where it was not there.
        let copy = folder.path().join("copy.db");
        if !copy.exists() {
            dregs(
                Command::new(env!("CARGO_BIN_EXE_dregs")),
                site.folder(),
                &["backup", copy.to_str().unwrap()],
            );
        }
        assert_eq!(look(folder.path()), None);
    }
    assert!(!cuts(lying).complaints.is_empty(), "a disk that never syncs goes unnoticed");
    server.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_leaves_the_database_of_before_or_that_of_the_backup() {
    let (site, log) = (Site::new(Engine::Sqlite), NamedTempFile::new().unwrap());
    let mut server = site.start(None, &[]);
    assert!(server.is_ready().await);
    send(&server, &["e1", "e2"]).await;
    let folder = site.folder().canonicalize().unwrap();
    let copy = folder.join("copy.db");
    let restore = ["restore", "--replace", copy.to_str().unwrap()];
    dregs(Command::new(env!("CARGO_BIN_EXE_dregs")), &folder, &["backup", copy.to_str().unwrap()]);
    send(&server, &["e3", "e4"]).await;
    // What it wrote last is in the log of the database.
    server.kill();
    let [honest, lying] = [files(&folder), files(&folder).never_synced()];
    dregs(traced(env!("CARGO_BIN_EXE_dregs"), log.path()), &folder, &restore);

    let look = |folder: &Path| {
        let is_restored = has_setting(&folder.join("dregs.db"), "restored_at");
        complaint(folder, &named(if is_restored { &["e1", "e2"] } else { &["e1", "e2", "e3", "e4"] }))
    };
    let is_done = |folder: &Path| has_setting(&folder.join("dregs.db"), "restored_at");
    let cuts = |files| Cuts::of(files, log.path(), look, is_done);
    for found in cuts(honest).kept("a restore") {
        let copy = found.path().join("copy.db");
        dregs(
            Command::new(env!("CARGO_BIN_EXE_dregs")),
            found.path(),
            &["restore", "--replace", copy.to_str().unwrap()],
        );
        assert!(is_done(found.path()));
        assert_eq!(look(found.path()), None);
    }
    assert!(!cuts(lying).complaints.is_empty(), "a disk that never syncs goes unnoticed");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_a_database_that_was_removed_is_not_taken_for_that_of_a_backup() {
    let site = Site::new(Engine::Sqlite);
    let mut server = site.start(None, &[]);
    assert!(server.is_ready().await);
    send(&server, &["e1", "e2"]).await;
    let (copy, database) = (site.folder().join("copy.db"), site.folder().join("dregs.db"));
    let command = || Command::new(env!("CARGO_BIN_EXE_dregs"));
    dregs(command(), site.folder(), &["backup", copy.to_str().unwrap()]);
    send(&server, &["e3", "e4"]).await;
    server.kill();
    assert!(std::fs::metadata(site.folder().join("dregs.db-wal")).unwrap().len() > 0);
    std::fs::remove_file(&database).unwrap();
    dregs(command(), site.folder(), &["restore", copy.to_str().unwrap()]);
    assert!(has_setting(&database, "restored_at"));
    assert_eq!(complaint(site.folder(), &named(&["e1", "e2"])), None);
}
