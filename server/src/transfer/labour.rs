//! Work on the server's own files that no client's network slows down: copies, digests. It is cut
//! into slices, each on a thread that may block, and only a few slices run at once in the whole
//! server: that keeps the disk and the cores for transfers, and everybody's work goes on in turn.

use std::io;
use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::storage::StorageError;

/// Bytes of one slice: a moment's work, since what was aborted ends with its slice.
pub(super) const SLICE: u64 = 4 * 1024 * 1024;

/// The right to do such work.
#[derive(Clone)]
pub(crate) struct Labour(Arc<Semaphore>);

impl Labour {
    /// At most one slice a core at once.
    pub(crate) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Semaphore::new(cores)))
    }

    /// Does one slice when its turn has come.
    pub(super) async fn slice<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, StorageError> {
        let failed = |error| StorageError::Failed(io::Error::other(error));
        let permit = Arc::clone(&self.0).acquire_owned().await.map_err(failed)?;
        let slice = tokio::task::spawn_blocking(move || {
            // Held until the slice is done, whatever becomes of whoever waits for it.
            let _permit = permit;
            work()
        });
        slice.await.map_err(|error| StorageError::Failed(error.into()))
    }
}
