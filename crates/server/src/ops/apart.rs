//! What would take the thread that answers everybody for long.

use crate::store::{Result, StoreError};

/// Does `work` on another thread.
///
/// # Errors
/// When it panics.
pub async fn apart<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> Result<R> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| StoreError::Broken("what was done on another thread panicked".into()))
}
