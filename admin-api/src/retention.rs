//! Removing what is too old from the audit trail, daily. The admin API does it and not the file server,
//! whose database login need only add records.

use std::time::Duration;

use tokio::time::interval;
use wharfinger_accounts::{Accounts, Trail};
use wharfinger_config::program::Current;

const DAY: Duration = Duration::from_hours(24);

/// At once, then daily and whenever the configuration has changed, for ever.
pub(crate) async fn expire(accounts: &Accounts, trail: &Trail, mut current: Current) {
    let mut days = interval(DAY);
    loop {
        tokio::select! {
            _ = days.tick() => {}
            _ = current.changed() => {}
        }
        let kept = u32::try_from(current.get().audit.retention_days).unwrap_or(0);
        let age = DAY.saturating_mul(kept);
        // 0: for ever.
        if age.is_zero() {
            continue;
        }
        match accounts.expire_audit(age, trail).await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "old audit records removed"),
            Err(error) => tracing::warn!(%error, "old audit records can't be removed"),
        }
    }
}
