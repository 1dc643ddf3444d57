//! Whether those who are logged in still may be: follows the changes of users and tells the
//! registry, so that a disabled, removed or expired user's sessions end within two seconds, and
//! any other change reaches sessions that go on.

use std::sync::Arc;

use wharfinger_accounts::{Accounts, Changed, Timestamp, User};

use crate::registry::{Ending, Registry, Verdict};

/// Watches for ever.
pub(crate) async fn watch(accounts: Accounts, registry: Arc<Registry>) {
    let mut changes = accounts.changes();
    let mut reachable = true;
    loop {
        changes.next().await;
        let now = Timestamp::now();
        for id in registry.overdue(now) {
            registry.review(&id, |_| Verdict::End(Ending::Account));
        }
        let known = registry.stamps();
        if known.is_empty() {
            continue;
        }
        match accounts.changed_since(&known).await {
            Ok(changed) => {
                if !reachable {
                    tracing::info!("the store is back; changes of users are followed again");
                }
                reachable = true;
                for change in &changed {
                    apply(&registry, change, now);
                }
            }
            // Sessions go on meanwhile; the next round asks again. Said once, not twice a second.
            Err(error) if reachable => {
                tracing::warn!(%error, "changes of users can't be followed; sessions go on");
                reachable = false;
            }
            Err(_) => {}
        }
    }
}

fn apply(registry: &Registry, change: &Changed, now: Timestamp) {
    match change {
        Changed::Removed(stamp) => registry.review(&stamp.id, |_| Verdict::End(Ending::Account)),
        Changed::Updated(user) => registry.review(&user.id, |held| judge(held, user, now)),
    }
}

/// A raised epoch ends the sessions begun before it, also where the user has been enabled again
/// in the meantime.
fn judge(held: &User, user: &Arc<User>, now: Timestamp) -> Verdict {
    if held.version >= user.version {
        // This session's login has seen more than the question that is answered here.
        Verdict::GoOn
    } else if user.is_active(now) && user.session_epoch == held.session_epoch {
        Verdict::With(Arc::clone(user))
    } else {
        Verdict::End(Ending::Account)
    }
}
