//! Reading something long, such as an export, part by part.

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
}
