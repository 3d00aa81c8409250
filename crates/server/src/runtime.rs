//! The runtime of a thread.

use std::io;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

/// Threads for what would take a runtime's own for long are kept: where the system has no memory for another one, work waits
/// for one of these, and with none of them it would be a panic.
const KEPT: Duration = Duration::from_secs(10 * 366 * 24 * 3_600);

/// A runtime for this thread alone, with one other for work that takes long.
///
/// # Errors
/// When the system gives it no thread, or no file.
pub fn of_thread() -> io::Result<Runtime> {
    let runtime = Builder::new_current_thread().enable_all().thread_keep_alive(KEPT).build()?;
    // The first one is begun while there is memory.
    drop(runtime.spawn_blocking(|| {}));
    Ok(runtime)
}
