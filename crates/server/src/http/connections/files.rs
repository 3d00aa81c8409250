//! Files that a process may have open, which bounds its connections.

use super::lines::CONNECTIONS_MAX;

/// Descriptors that are kept for everything that is no connection of a client: the database, outgoing requests, files.
const RESERVED_MIN: u64 = 64;
const RESERVED_MAX: u64 = 2_048;
/// What a process is limited to where nothing else can be found out: what Linux begins with.
#[cfg(not(unix))]
const LIMIT_UNKNOWN: u64 = 1_024;
/// More than every part of the server together can use.
const LIMIT_WANTED: u64 = 65_536;

/// Raises the number of files that this process may have open as far as it may do so itself, to what the server can use.
/// Does nothing where the system refuses.
pub fn raise_limit() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        let wanted = limit.maximum.unwrap_or(LIMIT_WANTED).min(LIMIT_WANTED);
        if limit.current.is_some_and(|current| current < wanted) {
            // Refused or not: the connections are bounded by what is in force.
            let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: limit.maximum });
        }
    }
}

/// How many connections this process has descriptors for.
pub fn places() -> usize {
    #[cfg(unix)]
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(LIMIT_WANTED);
    #[cfg(not(unix))]
    let limit = LIMIT_UNKNOWN;
    places_within(limit)
}

fn places_within(limit: u64) -> usize {
    let reserved = (limit / 4).clamp(RESERVED_MIN, RESERVED_MAX);
    usize::try_from(limit.saturating_sub(reserved)).unwrap_or(usize::MAX).clamp(1, CONNECTIONS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_everything_else() {
        let cases = [(64, 1), (256, 192), (1_024, 768), (4_096, 3_072), (LIMIT_WANTED, CONNECTIONS_MAX)];
        for (limit, expected) in cases {
            assert_eq!(places_within(limit), expected, "{limit}");
        }
    }
}
