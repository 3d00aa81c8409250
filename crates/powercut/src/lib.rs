//! A disk under SQLite whose power can be cut, for tests.
//!
//! It is a virtual file system that lies over the machine's own, as SQLite's `vfstrace` does: everything goes through,
//! and of the files in the folders that are watched it remembers what was synced. [`Disk::cut`] says what would be
//! found there if the power went now. Nothing waits for the machine's own disk: a sync is only remembered.
//!
//! What a program writes by itself, such as a key or a backup, is followed by its system calls: [`Files`].
//!
//! A process that is killed leaves what it has written to the system, whether it was synced or not. So killing shows
//! nothing of a sync that is missing; this does. It counts what is read and written, too.

mod calls;
mod disk;
mod vfs;

use std::path::Path;
use std::sync::Arc;

pub use calls::{Files, traced};
use disk::Watch;
pub use disk::{Disk, Image, Lie, Traffic};

/// Watches a folder from now on: databases in it must be opened after this, by this process.
///
/// # Errors
/// When the folder is not there, or SQLite refuses.
pub fn watch(folder: &Path, lie: Lie) -> Result<Disk, String> {
    let folder = folder.canonicalize().map_err(|error| format!("{}: {error}", folder.display()))?;
    vfs::register()?;
    let watch = Arc::new(Watch::new(folder, lie));
    vfs::add(Arc::clone(&watch));
    Ok(Disk(watch))
}

impl Drop for Disk {
    fn drop(&mut self) {
        vfs::remove(&self.0);
    }
}
