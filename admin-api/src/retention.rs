//! Removing what is too old from the audit trail, daily. The admin API does it and not the file server,
//! whose database login need only add records.

use std::time::Duration;

use tokio::time::interval;
use wharfinger_accounts::{Accounts, Trail};

const DAY: Duration = Duration::from_hours(24);

pub(crate) struct Retention {
    accounts: Accounts,
    trail: Trail,
    days: u64,
}

impl Retention {
    /// `days` may be 0: for ever.
    pub(crate) fn new(accounts: Accounts, trail: Trail, days: u64) -> Self {
        Self { accounts, trail, days }
    }

    /// At once, then daily, for ever.
    pub(crate) async fn run(self) {
        let Some(age) = DAY.checked_mul(u32::try_from(self.days).unwrap_or(0)) else { return };
        let mut days = interval(DAY);
        while !age.is_zero() {
            days.tick().await;
            match self.accounts.expire_audit(age, &self.trail).await {
                Ok(0) => {}
                Ok(removed) => tracing::info!(removed, "old audit records removed"),
                Err(error) => tracing::warn!(%error, "old audit records can't be removed"),
            }
        }
    }
}
