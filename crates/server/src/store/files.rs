//! Whether the files of a SQLite database are still those that were opened. Where one was moved, replaced or
//! removed, its pages are still there for this process, and gone for whoever opens the database after it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::error::StoreError;

/// What is added to the path of a database for the files beside it: its log, and the index of the log.
const BESIDE: [&str; 3] = ["", "-wal", "-shm"];
/// In the place of its extension, for the file that a server holds locked, where there is one: whoever removes that lets a
/// second server in.
const LOCK: &str = "lock";

/// What others than owner and group may do, in the mode of a file.
#[cfg(unix)]
const OTHERS: u32 = 0o007;

/// The files as they were when the database was opened.
pub struct Files(Vec<(PathBuf, Identity)>);

/// Device and inode.
type Identity = (u64, u64);

impl Files {
    /// Remembers the files of the open database at `path`.
    pub fn of(path: &Path) -> Self {
        let all = BESIDE.iter().map(|suffix| beside(path, suffix)).chain([path.with_extension(LOCK)]);
        Self(all.filter_map(|file| Some((file.clone(), identity(&file)?))).collect())
    }

    /// Takes from other users of the machine what an older version, or a copy, let them do with the files. A group may
    /// have been allowed on purpose. Does nothing to files of others.
    #[cfg(unix)]
    pub fn close_to_others(&self) {
        use std::os::unix::fs::PermissionsExt as _;
        for (file, _) in &self.0 {
            let Ok(found) = std::fs::metadata(file) else { continue };
            let mode = found.permissions().mode();
            let closed = std::fs::Permissions::from_mode(mode & !OTHERS);
            if mode & OTHERS != 0 && std::fs::set_permissions(file, closed).is_ok() {
                tracing::warn!(file = %file.display(), "could be read by other users of this machine, and cannot any more");
            }
        }
    }

    /// Looks where the files are. Costs a few microseconds.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when one is not where it was.
    pub fn check(&self) -> Result<(), StoreError> {
        match self.0.iter().find(|(file, opened)| identity(file) != Some(*opened)) {
            None => Ok(()),
            Some((file, _)) => Err(StoreError::Unavailable(format!(
                "{} was moved, replaced or removed while the server runs: put it back, or restart the server",
                file.display()
            ))),
        }
    }
}

/// The path of the log beside the database at `path`.
pub fn log_of(path: &Path) -> PathBuf {
    beside(path, "-wal")
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

#[cfg(unix)]
fn identity(file: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    let found = std::fs::metadata(file).ok()?;
    Some((found.dev(), found.ino()))
}

/// Elsewhere a file that is open cannot be moved.
#[cfg(not(unix))]
fn identity(_file: &Path) -> Option<Identity> {
    None
}
