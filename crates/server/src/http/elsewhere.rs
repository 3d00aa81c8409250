//! What would take the thread that answers everybody for long is done on others.

use std::sync::{Arc, LazyLock};

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tracing::Span;

use super::error::ApiError;
use crate::store::StoreError;

/// At once: on as many processors as leave as many for everybody else.
static TURNS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Arc::new(Semaphore::new((processors / 2).max(1)))
});
/// What anybody may ask for, so that nobody who is known waits for strangers.
static TURNS_OF_ANYBODY: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(1)));

/// Does `work` on another thread, in its turn.
///
/// # Errors
/// When it panics.
pub async fn elsewhere<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> Result<R, ApiError> {
    in_turn(&TURNS, work).await
}

/// The same for what anybody may ask for.
///
/// # Errors
/// When it panics.
pub async fn elsewhere_for_anybody<R: Send + 'static>(
    work: impl FnOnce() -> R + Send + 'static,
) -> Result<R, ApiError> {
    in_turn(&TURNS_OF_ANYBODY, work).await
}

async fn in_turn<R: Send + 'static>(
    turns: &Arc<Semaphore>,
    work: impl FnOnce() -> R + Send + 'static,
) -> Result<R, ApiError> {
    let failed = |reason: &str| ApiError::from(StoreError::Broken(reason.into()));
    let turn = Arc::clone(turns).acquire_owned().await.map_err(|_| failed("nothing more is done"))?;
    let span = Span::current();
    let done = spawn_blocking(move || {
        let _turn = turn;
        span.in_scope(work)
    });
    done.await.map_err(|_| failed("what was done on another thread panicked"))
}
