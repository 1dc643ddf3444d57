//! Getting hold of the store at start. The file server's own login may not change the store's
//! shape, so where that has to be done first, it waits for the one who may.

use std::time::{Duration, Instant};

use wharfinger_accounts::{Accounts, NotReady, StoreError};
use wharfinger_config::Config;

/// How often the store is tried again, and said to be waited for.
const AGAIN_AFTER: Duration = Duration::from_secs(3);

/// Opens the store, as often as it takes; fails only where waiting is in vain.
pub async fn wait_for_store(config: &Config) -> Result<Accounts, NotReady> {
    let begun = Instant::now();
    loop {
        let reason = match open(config).await {
            Ok(accounts) => return Ok(accounts),
            Err(reason @ NotReady::Behind { .. }) => reason,
            // A file that can't be opened now can't be opened later.
            Err(reason @ NotReady::Store(StoreError::Unavailable(_))) if !config.store_is_a_file() => reason,
            Err(error) => return Err(error),
        };
        let seconds = begun.elapsed().as_secs();
        tracing::warn!(%reason, seconds, "waiting for the store");
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}

async fn open(config: &Config) -> Result<Accounts, NotReady> {
    let accounts = Accounts::open(&config.store, &config.store_url()).await?;
    accounts.ready().await?;
    Ok(accounts)
}
