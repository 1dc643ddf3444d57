//! Counts the files of homes for which somebody asked, or whose figures can't be relied on: a server died
//! that was writing there, or they were never counted. One of the servers does it. What it finds is exact
//! if nobody wrote meanwhile, so it waits a little and looks whether somebody did.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use wharfinger_accounts::{Amount, Home, Presence, StoreError};

use super::keeper::EVERY;
use super::lock;
use crate::Services;
use crate::path::VirtualPath;
use crate::storage::{Extent, StorageError};

/// How often the store is asked for homes to be counted.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// After a failure.
const LATER: Duration = Duration::from_secs(30);
/// What another server changed while the files were looked at, it has told by then.
const TOLD_WITHIN: Duration = EVERY.saturating_mul(2);
/// A home that is never quiet is counted all the same, the last time.
const TRIES: u32 = 5;

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Watches for ever.
pub(crate) async fn watch(services: Arc<Services>) {
    let mut buried = HashSet::new();
    loop {
        sleep(LOOK_EVERY).await;
        match look(&services, &mut buried).await {
            Ok(Some(home)) => {
                if let Err(error) = count(&services, &home).await {
                    tracing::warn!(home = home.as_str(), %error, "the files of a home can't be counted");
                    sleep(LATER).await;
                }
            }
            Ok(None) => {}
            // Looked for again; that the store is down, others say.
            Err(error) => tracing::debug!(%error, "homes to be counted can't be looked for"),
        }
    }
}

async fn look(services: &Services, buried: &mut HashSet<String>) -> Result<Option<Home>, StoreError> {
    services.presence.release_dead(buried).await?;
    services.presence.claim_recount().await
}

async fn count(services: &Services, home: &Home) -> Result<(), Failure> {
    let (presence, ledger) = (&services.presence, services.ledgers.of(home));
    for attempt in 1..=TRIES {
        settle(services, home).await?;
        let count = presence.begin_count(home).await?;
        let found = services.storage.measure(home.as_str()).await?;
        sleep(TOLD_WITHIN).await;
        settle(services, home).await?;
        let found = amount(found);
        let quiet = lock(&ledger.state).is_quiet();
        if !quiet && attempt < TRIES {
            continue;
        }
        if presence.end_count(home, count, found, attempt == TRIES).await? {
            tracing::info!(home = home.as_str(), bytes = found.bytes, files = found.files, "files counted");
            // What this server believed of it is not true any more.
            return Ok(ledger.settle(home, presence).await?);
        }
    }
    Ok(())
}

/// Tells the store what this server has not told it yet.
async fn settle(services: &Services, home: &Home) -> Result<(), Failure> {
    Ok(services.ledgers.of(home).settle(home, &services.presence).await?)
}

/// Notes what a sweep has removed, directory by directory, in every home that the directory lies in.
pub(crate) async fn swept(presence: &Presence, removed: &[(VirtualPath, Extent)]) {
    for (path, freed) in removed {
        let path = String::from_utf8_lossy(path.as_bytes());
        let path = path.trim_start_matches('/');
        let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
        let homes = ends.filter_map(|end| path.get(..end)?.parse::<Home>().ok());
        for home in homes {
            if let Err(error) = presence.note_removed(&home, amount(*freed)).await {
                tracing::warn!(home = home.as_str(), %error, "what was removed could not be noted");
            }
        }
    }
}

fn amount(extent: Extent) -> Amount {
    Amount { bytes: extent.bytes.max(0).unsigned_abs(), files: extent.files.max(0).unsigned_abs() }
}
