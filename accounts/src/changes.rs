//! How the file server hears of changes to users who are logged in: a signal that something may have
//! changed, and the question what has. The signal may be false or late; the question decides.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

use crate::Accounts;
use crate::store::StoreError;
use crate::user::{Stamp, User, Username};

/// Users change on every node within two seconds; this leaves most of them for the work itself.
const AT_THE_LATEST: Duration = Duration::from_millis(500);

/// What became of a user somebody holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// Gone, or gone and made again, or unreadable: sessions end.
    Removed(Stamp),
    /// Is now this; may be disabled, or have a higher `session_epoch`.
    Updated(Arc<User>),
}

/// Tells when users may have changed.
pub struct Changes {
    heard: watch::Receiver<u64>,
    interval: Duration,
    due: Instant,
    feed: AbortHandle,
}

impl Changes {
    /// Waits until users may have changed: the store said so (MongoDB change streams), this process
    /// changed one, or half a second has passed. Dropping the future loses nothing.
    pub async fn next(&mut self) {
        tokio::select! {
            // The sender lives as long as the accounts; once they are gone only the interval is left.
            Ok(()) = self.heard.changed() => {}
            () = sleep_until(self.due) => {}
        }
        self.due = Instant::now() + self.interval;
    }

    /// With another interval than half a second.
    #[must_use]
    pub fn at_the_latest_after(mut self, interval: Duration) -> Self {
        (self.interval, self.due) = (interval, Instant::now() + interval);
        self
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        self.feed.abort();
    }
}

impl Accounts {
    /// Starts listening for changes; call it within a tokio runtime.
    pub fn changes(&self) -> Changes {
        let (upkeep, changes) = (Arc::clone(&self.inner.stores.upkeep), self.inner.changes.clone());
        let feed = tokio::spawn(async move { upkeep.follow(changes).await });
        Changes {
            heard: self.inner.changes.subscribe(),
            interval: AT_THE_LATEST,
            due: Instant::now() + AT_THE_LATEST,
            feed: feed.abort_handle(),
        }
    }

    /// What of these has changed. One question to the store for all, and one more for each that has.
    pub async fn changed_since(&self, known: &[Stamp]) -> Result<Vec<Changed>, StoreError> {
        if known.is_empty() {
            return Ok(Vec::new());
        }
        let names: Vec<&Username> = known.iter().map(|stamp| &stamp.username).collect();
        let stamps = self.inner.stores.users.stamps(&names).await?;
        let now: HashMap<&Username, &Stamp> = stamps.iter().map(|stamp| (&stamp.username, stamp)).collect();
        let mut changed = Vec::new();
        for stamp in known {
            match now.get(&stamp.username) {
                Some(current) if *current == stamp => {}
                Some(current) if current.id == stamp.id => changed.push(self.change_of(stamp).await?),
                Some(_) | None => changed.push(Changed::Removed(stamp.clone())),
            }
        }
        Ok(changed)
    }

    async fn change_of(&self, known: &Stamp) -> Result<Changed, StoreError> {
        let removed = || Ok(Changed::Removed(known.clone()));
        match self.inner.stores.users.find(&known.username).await {
            Ok(record) if record.user.id == known.id => Ok(Changed::Updated(Arc::new(record.user))),
            Ok(_) | Err(StoreError::NotFound) => removed(),
            // A policy that cannot be read must not leave a session with the one it had.
            Err(StoreError::Corrupt(reason)) => {
                tracing::error!(user = %known.username, %reason, "a user who cannot be read is cut off");
                removed()
            }
            Err(error) => Err(error),
        }
    }
}
