//! Reading something long: an export, part by part; a preview, a cluster, a page far behind the first.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::store::{Result, Store, StoreError, Tx};

/// One part at a time is read, whoever asks: of the store's readers one is taken at most, and others are left for
/// everybody else.
pub struct LongReads {
    store: Arc<Store>,
    turn: Semaphore,
}

impl LongReads {
    pub fn new(store: Arc<Store>) -> Self {
        Self { store, turn: Semaphore::new(1) }
    }

    /// Reads a part when it is its turn.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn read<R: Send + 'static>(
        &self,
        closure: impl FnOnce(&mut Tx) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        let stopping = |_| StoreError::Unavailable("the server is stopping".into());
        let _turn = self.turn.acquire().await.map_err(stopping)?;
        self.store.read(closure).await
    }

    /// Reads when it is its turn what is long, and anything else at once.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn read_if<R: Send + 'static>(
        &self,
        is_long: bool,
        closure: impl FnOnce(&mut Tx) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        if is_long { self.read(closure).await } else { self.store.read(closure).await }
    }
}
