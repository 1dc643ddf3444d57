//! How fast a user's transfers may go, on this server: one pace for downloads and one for uploads,
//! which all of the user's sessions share. Time is given out in short turns, one after the other, so
//! the flow is smooth and each session has its share. Without a limit, a turn is one atomic load.
//! It knows no connection and no file.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use wharfinger_accounts::User;

/// A turn is as many bytes as a second has, divided by this.
const TURNS_PER_SECOND: u64 = 20;
/// The most bytes of one turn.
const LONGEST_TURN: u64 = 256 * 1024;
/// Time that was not used, because the client or this server was slow for a moment, is good for so
/// long.
const CREDIT: Duration = Duration::from_millis(100);

/// The rates of everybody who is logged in.
#[derive(Default)]
pub(crate) struct Rates(Mutex<HashMap<String, Weak<UserRates>>>);

/// One user's rates.
pub(crate) struct UserRates {
    id: String,
    all: Weak<Rates>,
    /// Of the user they are taken from.
    version: Mutex<u64>,
    download: Pace,
    upload: Pace,
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    Download,
    Upload,
}

/// One transfer's turns.
pub(crate) struct Turns {
    rates: Arc<UserRates>,
    flow: Flow,
    /// Bytes of the turn that are still to be moved.
    left: usize,
}

impl Rates {
    /// Those of a user who logs in.
    pub(crate) fn of(self: &Arc<Self>, user: &User) -> Arc<UserRates> {
        let mut all = lock(&self.0);
        let rates = all.get(&user.id).and_then(Weak::upgrade).unwrap_or_else(|| {
            let rates = Arc::new(UserRates::new(user.id.clone(), Arc::downgrade(self)));
            all.insert(user.id.clone(), Arc::downgrade(&rates));
            rates
        });
        drop(all);
        rates.follow(user);
        rates
    }
}

impl UserRates {
    fn new(id: String, all: Weak<Rates>) -> Self {
        let (download, upload) = (Pace::new(), Pace::new());
        Self { id, all, version: Mutex::new(0), download, upload }
    }

    /// From now on the limits are those of this version of the user; running transfers feel it.
    pub(crate) fn follow(&self, user: &User) {
        let mut version = lock(&self.version);
        if user.version >= *version {
            *version = user.version;
            self.download.set(user.limits.download_bytes_per_second);
            self.upload.set(user.limits.upload_bytes_per_second);
        }
    }

    /// The turns of a transfer.
    pub(crate) fn turns(self: &Arc<Self>, flow: Flow) -> Turns {
        Turns { rates: Arc::clone(self), flow, left: 0 }
    }
}

/// Of nobody, and without a limit.
impl Default for UserRates {
    fn default() -> Self {
        Self::new(String::new(), Weak::new())
    }
}

impl Drop for UserRates {
    fn drop(&mut self) {
        let Some(all) = self.all.upgrade() else { return };
        let mut all = lock(&all.0);
        // Somebody may have logged in since the last session ended.
        if all.get(&self.id).is_some_and(|rates| rates.strong_count() == 0) {
            all.remove(&self.id);
        }
    }
}

impl Turns {
    /// Waits for the turn; so many of the bytes may be moved then.
    pub(crate) async fn next(&mut self, wanted: usize) -> usize {
        let pace = match self.flow {
            Flow::Download => &self.rates.download,
            Flow::Upload => &self.rates.upload,
        };
        if pace.is_unlimited() {
            self.left = 0;
            return wanted;
        }
        if self.left == 0 {
            self.left = pace.turn().await;
        }
        self.left.min(wanted)
    }

    /// So many have been moved.
    pub(crate) fn used(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes);
    }
}

/// One direction's pace.
struct Pace {
    /// Bytes per second; 0: as fast as can be.
    rate: AtomicU64,
    /// When the next turn begins.
    next: Mutex<Instant>,
    changed: Notify,
}

impl Pace {
    fn new() -> Self {
        Self { rate: AtomicU64::new(0), next: Mutex::new(Instant::now()), changed: Notify::new() }
    }

    /// A limit of nothing at all would be a transfer that never ends, so it is one byte.
    fn set(&self, limit: Option<u64>) {
        let rate = limit.map_or(0, |limit| limit.max(1));
        let mut next = lock(&self.next);
        if self.rate.swap(rate, Ordering::Relaxed) != rate {
            *next = Instant::now();
            self.changed.notify_waiters();
        }
    }

    fn is_unlimited(&self) -> bool {
        self.rate.load(Ordering::Relaxed) == 0
    }

    /// Takes the next turn and waits for it; turns that were taken at another rate are void.
    async fn turn(&self) -> usize {
        loop {
            let changed = self.changed.notified();
            let Some((bytes, at)) = self.take() else { return usize::MAX };
            tokio::select! {
                biased;
                () = changed => {}
                () = sleep_until(at) => return bytes,
            }
        }
    }

    fn take(&self) -> Option<(usize, Instant)> {
        let mut next = lock(&self.next);
        let rate = self.rate.load(Ordering::Relaxed);
        if rate == 0 {
            return None;
        }
        let bytes = (rate / TURNS_PER_SECOND).clamp(1, LONGEST_TURN);
        let earliest = Instant::now().checked_sub(CREDIT).unwrap_or(*next);
        let at = (*next).max(earliest);
        *next = at + Duration::from_nanos(bytes * 1_000_000_000 / rate);
        Some((usize::try_from(bytes).unwrap_or(usize::MAX), at))
    }
}

/// A panic elsewhere leaves these values whole, so a poisoned lock is still good.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
