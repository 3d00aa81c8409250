//! What of a file survives when the power is cut.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{fs, io, mem, thread};

use rand::RngExt;
use rand::rngs::StdRng;

/// What a disk writes as a whole, in bytes, if it writes it at all; the last it wrote may be torn within.
const SECTOR_BYTES: usize = 512;

/// Of so many syncs of a disk that is late, the last writes.
const LATE_SYNCS: usize = 8;

/// How a disk lies about what was synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    None,
    /// Nothing is ever synced, as with `synchronous=off`.
    NoSync,
    /// A checkpoint does not sync the database before its log is written anew.
    NoSyncOfDatabase,
    /// Most syncs end before what they were asked for is on the disk, as if commits were acknowledged before they are
    /// made: one in eight writes it.
    LateSync,
}

/// A folder in which SQLite's files lie on a disk whose power can be cut. It is watched until this is dropped.
pub struct Disk(pub(crate) Arc<Watch>);

pub(crate) struct Watch {
    folder: PathBuf,
    lie: Lie,
    files: Mutex<BTreeMap<PathBuf, File>>,
    fails: AtomicBool,
    sync_millis: AtomicU64,
    read_bytes: AtomicU64,
    database_bytes: AtomicU64,
}

/// Bytes that went from and to the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Read, of the database and of its log.
    pub read_bytes: u64,
    /// Written to the database itself, not to its log.
    pub database_bytes: u64,
}

/// A file as the system shows it is what was synced, and the changes since.
#[derive(Clone, Default)]
pub(crate) struct File {
    synced: Vec<u8>,
    /// Whether its entry in the folder is on the disk.
    has_entry: bool,
    /// Deleted, which the folder may not have on the disk yet.
    is_deleted: bool,
    unsynced: Vec<Change>,
    /// How often it was synced.
    syncs: usize,
}

#[derive(Clone)]
pub(crate) enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Truncate { to: usize },
}

impl Watch {
    pub fn new(folder: PathBuf, lie: Lie) -> Self {
        let (fails, sync_millis, read_bytes, database_bytes) = Default::default();
        Self { folder, lie, files: Mutex::default(), fails, sync_millis, read_bytes, database_bytes }
    }

    pub fn holds(&self, path: &Path) -> bool {
        path.starts_with(&self.folder)
    }

    fn files(&self) -> MutexGuard<'_, BTreeMap<PathBuf, File>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, path: &Path, change: impl FnOnce(&mut File)) {
        if let Some(file) = self.files().get_mut(path) {
            change(file);
        }
    }

    /// A file is opened; what stands in one that is not known yet was synced long ago.
    pub fn open(&self, path: &Path, existed: bool) {
        let mut files = self.files();
        let known = files.entry(path.to_owned()).or_insert_with(|| File {
            synced: if existed { fs::read(path).unwrap_or_default() } else { Vec::new() },
            has_entry: existed,
            ..File::default()
        });
        if known.is_deleted {
            *known = File::default();
        }
    }

    pub fn read(&self, bytes: usize) {
        self.read_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub fn write(&self, (path, is_database): (&Path, bool), at: usize, bytes: &[u8]) {
        if is_database {
            self.database_bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        }
        self.change(path, |file| file.unsynced.push(Change::Write { at, bytes: bytes.to_vec() }));
    }

    pub fn truncate(&self, path: &Path, to: usize) {
        self.change(path, |file| file.unsynced.push(Change::Truncate { to }));
    }

    /// Whether the disk says that it has done so.
    pub fn sync(&self, path: &Path, is_database: bool) -> bool {
        thread::sleep(Duration::from_millis(self.sync_millis.load(Ordering::Relaxed)));
        if self.fails.load(Ordering::Relaxed) {
            self.change(path, File::forget_some);
            return false;
        }
        self.change(path, |file| match self.lie {
            Lie::NoSync => {}
            Lie::NoSyncOfDatabase if is_database => {}
            Lie::LateSync => {
                file.syncs += 1;
                if file.syncs.is_multiple_of(LATE_SYNCS) {
                    file.settle();
                }
            }
            Lie::None | Lie::NoSyncOfDatabase => file.settle(),
        });
        true
    }

    /// A file is deleted, and its folder synced if that is asked for.
    pub fn delete(&self, path: &Path, is_synced: bool) {
        let mut files = self.files();
        let is_gone = files.get(path).is_some_and(|file| is_synced || !file.has_entry);
        if is_gone {
            files.remove(path);
        } else if let Some(file) = files.get_mut(path) {
            file.is_deleted = true;
        }
    }
}

impl Disk {
    /// What went over it since this was last asked, or since it is watched.
    pub fn take_traffic(&self) -> Traffic {
        let take = |bytes: &AtomicU64| bytes.swap(0, Ordering::Relaxed);
        Traffic { read_bytes: take(&self.0.read_bytes), database_bytes: take(&self.0.database_bytes) }
    }

    /// Has syncs fail, or not any more. As with Linux, what was to be synced then is on the disk or is not, as chance has
    /// it, and never gets there by a later sync; the system shows it all the same.
    pub fn fail_syncs(&self, fails: bool) {
        self.0.fails.store(fails, Ordering::Relaxed);
    }

    /// Has each sync take so long.
    pub fn slow_syncs(&self, each: Duration) {
        let millis = u64::try_from(each.as_millis()).unwrap_or(u64::MAX);
        self.0.sync_millis.store(millis, Ordering::Relaxed);
    }

    /// What is on the disk if the power is cut now. What was not synced is there, or not, or in part, as chance has it.
    pub fn cut(&self, rng: &mut StdRng) -> Image {
        let share = share(rng);
        let files = self.0.files().clone();
        let mut image = Image::default();
        for (path, file) in files {
            let is_there = file.has_entry || rng.random_bool(share);
            let is_deleted = file.is_deleted && rng.random_bool(share);
            let Ok(name) = path.strip_prefix(&self.0.folder) else { continue };
            if is_there && !is_deleted {
                image.files.insert(name.to_owned(), file.survives(share, rng));
            }
        }
        image
    }
}

/// How much is on the disk of what was not synced: some cuts find all of it, some nothing.
pub(crate) fn share(rng: &mut StdRng) -> f64 {
    match rng.random_range(0..4) {
        0 => 0.0,
        1 => 1.0,
        _ => rng.random(),
    }
}

impl File {
    pub(crate) fn synced(bytes: Vec<u8>) -> Self {
        Self { synced: bytes, has_entry: true, ..Self::default() }
    }

    pub(crate) fn certain(&self) -> &[u8] {
        &self.synced
    }

    pub(crate) fn change(&mut self, change: Change) {
        self.unsynced.push(change);
    }

    /// All changes are on the disk now.
    pub(crate) fn settle(&mut self) {
        for change in self.unsynced.drain(..) {
            change.apply(&mut self.synced);
        }
        self.has_entry = true;
    }

    /// A half of what is not synced gets to the disk, and the system takes all of it for synced.
    fn forget_some(&mut self) {
        let known = Self { unsynced: mem::take(&mut self.unsynced), ..Self::default() };
        let synced = mem::take(&mut self.synced);
        self.synced = Self { synced, ..known }.survives(0.5, &mut rand::make_rng());
    }

    /// Each sector of each change is on the disk with a probability of `share`, in whatever order they were made; one
    /// of them may be torn.
    pub(crate) fn survives(self, share: f64, rng: &mut StdRng) -> Vec<u8> {
        let mut bytes = self.synced;
        for change in self.unsynced {
            match change {
                Change::Truncate { .. } => {
                    if rng.random_bool(share) {
                        change.apply(&mut bytes);
                    }
                }
                Change::Write { at, bytes: written } => {
                    for (n, sector) in written.chunks(SECTOR_BYTES).enumerate() {
                        if rng.random_bool(share) {
                            let is_torn = share < 1.0 && rng.random_bool(0.1);
                            let kept =
                                if is_torn { rng.random_range(0..=sector.len()) } else { sector.len() };
                            write(&mut bytes, at + n * SECTOR_BYTES, &sector[..kept]);
                        }
                    }
                }
            }
        }
        bytes
    }
}

impl Change {
    pub(crate) fn apply(&self, file: &mut Vec<u8>) {
        match self {
            Self::Write { at, bytes } => write(file, *at, bytes),
            Self::Truncate { to } => file.resize(*to, 0),
        }
    }
}

fn write(file: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    file[at..end].copy_from_slice(bytes);
}

/// Files as they are found when the power is back.
#[derive(Clone, Default)]
pub struct Image {
    files: BTreeMap<PathBuf, Vec<u8>>,
}

impl FromIterator<(PathBuf, Vec<u8>)> for Image {
    fn from_iter<I: IntoIterator<Item = (PathBuf, Vec<u8>)>>(files: I) -> Self {
        Self { files: files.into_iter().collect() }
    }
}

impl Image {
    /// Writes them to a folder.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn restore(&self, folder: &Path) -> io::Result<()> {
        self.files.iter().try_for_each(|(name, bytes)| fs::write(folder.join(name), bytes))
    }
}
