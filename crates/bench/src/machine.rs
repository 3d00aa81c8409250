//! What the figures were measured on.

use std::fmt;
use std::fs;
use std::path::Path;

/// Facts of a machine, as Linux tells them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    cores: usize,
    model: String,
    kernel: String,
    memory: String,
    disk: String,
}

impl Machine {
    /// This machine; the disk is the one that `folder` is on.
    pub fn read(folder: &Path) -> Self {
        let file = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        Self {
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            model: value(&file("/proc/cpuinfo"), "model name"),
            kernel: file("/proc/sys/kernel/osrelease").trim().to_owned(),
            memory: value(&file("/proc/meminfo"), "MemTotal"),
            disk: disk(&file("/proc/self/mounts"), &folder),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cores, model, kernel, memory, disk } = self;
        write!(
            out,
            "{cores} cores ({model}), memory {memory}, Linux {kernel}, disk {disk}; the loader, the receiver \
             and the server share them."
        )
    }
}

/// What follows the first `key` and its colon.
fn value(text: &str, key: &str) -> String {
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    line.map_or_else(
        || "unknown".to_owned(),
        |rest| rest.trim_start_matches([' ', '\t', ':']).trim().to_owned(),
    )
}

/// The device and the file system of the mount that `folder` is under.
fn disk(mounts: &str, folder: &Path) -> String {
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ');
        Some((fields.next()?, fields.next()?, fields.next()?))
    });
    let under = mounts.filter(|(_, point, _)| folder.starts_with(point));
    let nearest = under.max_by_key(|(_, point, _)| point.len());
    nearest.map_or_else(|| "unknown".to_owned(), |(device, _, kind)| format!("{device} ({kind})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_disk_is_the_nearest_mount() {
        let mounts = "/dev/a / ext4 rw 0 0\nproc /proc proc rw 0 0\n/dev/b /store xfs rw 0 0\n";
        for (folder, expected) in [("/store/target", "/dev/b (xfs)"), ("/stores", "/dev/a (ext4)")] {
            assert_eq!(disk(mounts, Path::new(folder)), expected);
        }
        assert_eq!(disk("", Path::new("/")), "unknown");
    }

    #[test]
    fn a_value_is_what_follows_its_key() {
        assert_eq!(value("processor\t: 0\nmodel name\t: A CPU\nmodel name\t: B\n", "model name"), "A CPU");
        assert_eq!(value("", "model name"), "unknown");
    }
}
