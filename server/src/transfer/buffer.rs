//! Large buffers, reused: each thread keeps the few it has needed at once, so that a transfer
//! costs no allocation and an idle session holds none.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

/// One buffer: sixteen TLS records, and as much as one read or write of a file.
pub(super) const SIZE: usize = 256 * 1024;
/// Buffers a thread keeps for later.
const KEPT: usize = 16;

thread_local! {
    static FREE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// A buffer of [`SIZE`] bytes on loan from this thread; dropping it gives it back.
pub(super) struct Buffer(Vec<u8>);

impl Buffer {
    pub(super) fn take() -> Self {
        let kept = FREE.with_borrow_mut(Vec::pop);
        Self(kept.unwrap_or_else(|| vec![0; SIZE]))
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.0);
        // At thread exit the list may be gone; then the buffer just goes too.
        let _ = FREE.try_with(|free| {
            let mut free = free.borrow_mut();
            if free.len() < KEPT && buffer.len() == SIZE {
                free.push(buffer);
            }
        });
    }
}
