//! The system's list of names and their addresses, as `hosts(5)` describes it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// The most of the file that is read.
const FILE_MAX_BYTES: u64 = 4 * 1024 * 1024;

/// The file, read again when it changes: a container's is written while it runs.
pub(super) struct HostsFile {
    path: PathBuf,
    read: Mutex<Read>,
}

#[derive(Default)]
struct Read {
    changed_at: Option<SystemTime>,
    by_name: HashMap<String, Vec<IpAddr>>,
}

impl HostsFile {
    pub(super) fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), read: Mutex::default() }
    }

    /// The addresses of a name, in the order of the file; none where it has none, or cannot be read.
    pub(super) fn addresses(&self, name: &str) -> Vec<IpAddr> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let metadata = std::fs::metadata(&self.path).ok().filter(|file| file.len() <= FILE_MAX_BYTES);
        let changed_at = metadata.and_then(|file| file.modified().ok());
        if changed_at != read.changed_at {
            let text = changed_at.and_then(|_| std::fs::read(&self.path).ok()).unwrap_or_default();
            *read = Read { changed_at, by_name: parse(&String::from_utf8_lossy(&text)) };
        }
        read.by_name.get(&plain(name)).cloned().unwrap_or_default()
    }
}

/// Names are the same in any case, and with a dot at their end.
fn plain(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

fn parse(text: &str) -> HashMap<String, Vec<IpAddr>> {
    let mut by_name: HashMap<String, Vec<IpAddr>> = HashMap::new();
    for line in text.trim_start_matches('\u{feff}').lines() {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let Some(address) = words.next().and_then(|word| word.parse().ok()) else { continue };
        for name in words {
            by_name.entry(plain(name)).or_default().push(address);
        }
    }
    by_name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_characters_are_found_and_so_are_changes() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let hosts = HostsFile::new(file.path());
        assert_eq!(hosts.addresses("my_service"), Vec::<IpAddr>::new());
        let text = "\u{feff}# a list\n10.0.0.1 my_service My_Other.test # not this\n\nfe80::1%eth0 my_service\n\
                    ::1\tmy_service\nnonsense my_service\n";
        std::fs::write(file.path(), text).unwrap();
        let later = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(4_000_000_000);
        std::fs::File::options().write(true).open(file.path()).unwrap().set_modified(later).unwrap();
        let both: [IpAddr; 2] = ["10.0.0.1".parse().unwrap(), "::1".parse().unwrap()];
        assert_eq!(hosts.addresses("my_service"), both);
        assert_eq!(hosts.addresses("MY_other.test."), both[..1]);
        assert_eq!(hosts.addresses("this"), Vec::<IpAddr>::new());
        assert_eq!(HostsFile::new("/nowhere").addresses("my_service"), Vec::<IpAddr>::new());
    }
}
