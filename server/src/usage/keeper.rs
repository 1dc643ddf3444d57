//! Settles ledgers with the store: at once where somebody waits for room, the rest twice a second, beside
//! the sessions and never in their way.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tokio::time::{MissedTickBehavior, interval, timeout};
use wharfinger_accounts::StoreError;

use crate::Services;

/// How often.
pub(super) const EVERY: Duration = Duration::from_millis(500);
/// Ledgers that are settled at once.
const AT_ONCE: usize = 16;
/// How long the store may take to hear the last of it.
const FAREWELL: Duration = Duration::from_secs(2);

/// Keeps the ledgers for ever.
pub(crate) async fn keep(services: Arc<Services>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut reachable = true;
    loop {
        let all = tokio::select! {
            _ = ticks.tick() => true,
            () = services.ledgers.due.notified() => false,
        };
        match settle(&services, all).await {
            Ok(()) if !reachable && all => {
                tracing::info!("the store is back; what homes hold is told to it again");
                reachable = true;
            }
            Err(error) if reachable => {
                tracing::warn!(%error, "what homes hold can't be told; uploads under a quota wait");
                reachable = false;
            }
            Ok(()) | Err(_) => {}
        }
    }
}

/// Tells the store all there is, and that nothing is held any more: this server stops.
pub(crate) async fn close(services: &Services) {
    let last = async {
        // A pool that was used a moment ago is given back by the second.
        for _ in 0..2 {
            settle(services, true).await?;
        }
        Ok::<_, StoreError>(())
    };
    if !matches!(timeout(FAREWELL, last).await, Ok(Ok(()))) {
        tracing::warn!("the store did not hear the last of what homes hold; their files will be counted");
    }
}

async fn settle(services: &Services, all: bool) -> Result<(), StoreError> {
    let due = stream::iter(services.ledgers.due(all));
    let settled = due.map(|(home, ledger)| async move { ledger.settle(&home, &services.presence).await });
    let settled: Vec<Result<(), StoreError>> = settled.buffer_unordered(AT_ONCE).collect().await;
    settled.into_iter().collect()
}
