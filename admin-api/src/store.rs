//! Getting hold of the store at start: reach it, and bring it to this program's version. A store
//! that is down is waited for, since services on one machine come up in any order; one that is
//! newer than the program is not, since waiting mends nothing.

use std::time::Duration;

use tokio::time::Instant;
use wharfinger_accounts::{Accounts, MigrateError, Migration, StoreError};
use wharfinger_config::Config;

/// How often the store is tried again, and said to be waited for.
const AGAIN_AFTER: Duration = Duration::from_secs(3);

/// Opens and migrates the store, as often as it takes; fails only where waiting is in vain.
pub async fn wait_for_store(config: &Config) -> Result<Accounts, MigrateError> {
    let start = Instant::now();
    loop {
        let reason = match prepare_store(config).await {
            Ok((accounts, _)) => return Ok(accounts),
            Err(error @ MigrateError::Locked) => error,
            // A file that can't be opened now can't be opened later.
            Err(error @ MigrateError::Store(StoreError::Unavailable(_))) if !config.store_is_a_file() => {
                error
            }
            Err(error) => return Err(error),
        };
        let seconds = start.elapsed().as_secs();
        tracing::warn!(%reason, seconds, "waiting for the store");
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}

/// Opens and migrates the store, once.
pub async fn prepare_store(config: &Config) -> Result<(Accounts, Migration), MigrateError> {
    let accounts = Accounts::open(&config.store, &config.store_url()).await?;
    let migration = accounts.migrate().await?;
    if migration.from != migration.to {
        tracing::info!(from = migration.from, to = migration.to, "store migrated");
    }
    Ok((accounts, migration))
}
