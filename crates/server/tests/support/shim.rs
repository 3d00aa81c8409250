//! What lies between a real program and its disk and clock, and has them fail: `tests/data/faults.c`.

use std::fs::File;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

/// A library to be put before a program's own, and the file that tells it what to do.
pub struct Shim {
    folder: TempDir,
    file: File,
}

impl Shim {
    /// # Panics
    /// Where there is no C compiler, without which SQLite could not be built either.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("dregs-shim").tempdir_in("/tmp").unwrap();
        // PostgreSQL runs as another user.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/faults.c");
        let library = folder.path().join("faults.so");
        let compiled = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).status();
        assert!(compiled.unwrap().success());
        let file = File::create(folder.path().join("faults")).unwrap();
        file.write_all_at(&[0; 24], 0).unwrap();
        Self { folder, file }
    }

    /// With which a program is started.
    pub fn variables(&self) -> [(&'static str, String); 2] {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        [("LD_PRELOAD", path("faults.so")), ("FAULTS", path("faults"))]
    }

    /// Has what is to be synced fail, or not any more.
    pub fn fail_syncs(&self, fails: bool) {
        self.set(0, fails.into());
    }

    /// Has each sync take so much longer.
    pub fn slow_syncs(&self, by: Duration) {
        self.set(1, by.as_millis().try_into().unwrap());
    }

    /// Has the time of day be wrong.
    pub fn shift_clock(&self, millis: i64) {
        self.set(2, millis);
    }

    fn set(&self, place: u64, value: i64) {
        self.file.write_all_at(&value.to_ne_bytes(), place * 8).unwrap();
    }
}
