//! Published packages, as `scripts/detection/packages.sh` has unpacked them.

use std::path::{Path, PathBuf};

use crate::figures::Error;

/// The folder of a package, whatever its version.
pub fn find(packages: &Path, name: &str) -> Result<PathBuf, Error> {
    let prefix = format!("{name}-");
    let folders = std::fs::read_dir(packages).map_err(|error| format!("{}: {error}", packages.display()))?;
    let is_it = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.strip_prefix(&prefix)
            .is_some_and(|version| version.starts_with(|char: char| char.is_ascii_digit()))
    };
    let found = folders.flatten().map(|entry| entry.path()).find(is_it);
    found.ok_or_else(|| {
        format!("no package {name} in {}: run scripts/detection/packages.sh", packages.display()).into()
    })
}

/// A file of a package as text; bytes that are no UTF-8 become marks.
pub fn read(packages: &Path, name: &str, file: &str) -> Result<String, Error> {
    let path = find(packages, name)?.join(file);
    let bytes = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
