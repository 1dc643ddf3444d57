//! Removes the homes of users who were removed with their files: one of the servers does it, one home at a
//! time, a slice at a time.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use wharfinger_accounts::{Act, Event, Home, StoreError};

use crate::Services;
use crate::storage::StorageError;

/// How often the store is asked for homes to be removed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// After a failure.
const LATER: Duration = Duration::from_secs(30);

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Watches for ever.
pub(crate) async fn watch(services: Arc<Services>) {
    loop {
        sleep(LOOK_EVERY).await;
        match services.presence.claim_removal().await {
            Ok(Some((home, id))) => {
                if let Err(error) = remove(&services, &home, &id).await {
                    tracing::warn!(home = home.as_str(), %error, "a removed user's files can't be removed");
                    sleep(LATER).await;
                }
            }
            Ok(None) => {}
            // Looked for again; that the store is down, others say.
            Err(error) => tracing::debug!(%error, "homes to be removed can't be looked for"),
        }
    }
}

async fn remove(services: &Services, home: &Home, id: &str) -> Result<(), Failure> {
    while services.storage.remove_home(home.as_str(), id).await? {}
    services.presence.end_removal(home).await?;
    tracing::info!(home = home.as_str(), "a removed user's files are removed");
    services.trail.note(Event { user: None, actor: None, act: Act::RemoveHome { home: home.to_string() } });
    Ok(())
}
