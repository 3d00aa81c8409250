//! Files that people write: read as text, however their editor has marked it.

use std::io::{Error, ErrorKind, Result};
use std::path::Path;

use dregs_core::json::unmarked;

/// The text of a file, without the byte order mark that some editors begin it with.
///
/// # Errors
/// When it cannot be read, or is no UTF-8.
pub fn read(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path)?;
    // What PowerShell writes unless it is told otherwise.
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(Error::new(ErrorKind::InvalidData, "it is UTF-16 text: save it as UTF-8"));
    }
    let text = std::str::from_utf8(unmarked(&bytes));
    text.map(str::to_owned).map_err(|_| Error::new(ErrorKind::InvalidData, "it is not UTF-8 text"))
}
