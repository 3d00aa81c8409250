//! Places where a test may end the process, as a power cut would. Not in release builds.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Every place on the path of an event, in the order in which it passes them.
pub const PATH: &[&str] = &[
    "ingest.committed",
    "evaluate.claimed",
    "evaluate.read",
    "evaluate.committed",
    "deliver.claimed",
    "deliver.sent",
    "deliver.recorded",
];
/// Every other place.
pub const OTHERS: &[&str] = &["decide.claimed", "decide.committed", "erasure.begun", "retention.removed"];

struct Armed {
    name: String,
    remaining: AtomicU64,
}

static ARMED: OnceLock<Armed> = OnceLock::new();

/// Arms one place with `name:count`: the process ends when it is reached for the `count`th time.
///
/// # Errors
/// Says what is wrong with the text, or that this build has no such places.
pub fn arm(text: &str) -> Result<(), String> {
    if !cfg!(debug_assertions) {
        return Err("only a debug build has failpoints".to_owned());
    }
    let (name, count) = text.split_once(':').unwrap_or((text, "1"));
    let names = [PATH, OTHERS].concat();
    if !names.contains(&name) {
        return Err(format!("there is no failpoint {name:?}; there are {}", names.join(", ")));
    }
    let count = count.parse().map_err(|_| format!("{count:?} is not a number"))?;
    let _ = ARMED.set(Armed { name: name.to_owned(), remaining: AtomicU64::new(count) });
    Ok(())
}

/// Ends the process if this place is armed and its count is used up.
pub fn reach(name: &str) {
    if !cfg!(debug_assertions) {
        return;
    }
    if let Some(armed) = ARMED.get()
        && armed.name == name
        && armed.remaining.fetch_sub(1, Ordering::SeqCst) == 1
    {
        std::process::abort();
    }
}
