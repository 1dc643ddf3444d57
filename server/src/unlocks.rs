//! Brute-force locks that an admin lifts: they live in this process, the admin API in another. So the
//! server looks in the store, once a second, for unlocks it has not carried out yet.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use wharfinger_accounts::{Timestamp, Unlock, Username};

use crate::Services;

const EVERY: Duration = Duration::from_secs(1);

/// Watches for ever.
pub(crate) async fn watch(services: Arc<Services>) {
    let mut seen = None;
    loop {
        match services.accounts.unlocks().await {
            Ok(unlocks) => {
                for name in new_ones(&mut seen, unlocks) {
                    tracing::info!(user = %name, "failed logins are forgotten: unlocked");
                    services.login_limits.unlock(name.as_str().as_bytes());
                }
            }
            // Looked for again in a second; that the store is down, others say.
            Err(error) => tracing::debug!(%error, "unlocks can't be looked for"),
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Those that were not there before. Of those found first, none: nothing was locked before the start.
fn new_ones(seen: &mut Option<HashMap<Username, Timestamp>>, unlocks: Vec<Unlock>) -> Vec<Username> {
    let now: HashMap<Username, Timestamp> =
        unlocks.into_iter().map(|unlock| (unlock.username, unlock.at)).collect();
    let before = seen.replace(now.clone());
    let Some(before) = before else { return Vec::new() };
    now.into_iter().filter(|(name, at)| before.get(name) != Some(at)).map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unlock(name: &str, second: i64) -> Unlock {
        Unlock { username: name.parse().unwrap(), at: Timestamp::from_second(second).unwrap() }
    }

    #[test]
    fn each_unlock_is_carried_out_once() {
        let mut seen = None;
        assert!(new_ones(&mut seen, vec![unlock("old", 1)]).is_empty());
        assert_eq!(new_ones(&mut seen, vec![unlock("old", 1), unlock("alice", 2)]).len(), 1);
        assert!(new_ones(&mut seen, vec![unlock("alice", 2)]).is_empty());
        let again = new_ones(&mut seen, vec![unlock("alice", 3)]);
        assert_eq!(again.iter().map(Username::as_str).collect::<Vec<_>>(), ["alice"]);
    }
}
