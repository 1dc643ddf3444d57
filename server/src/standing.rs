//! Whether those who are logged in still may be: follows the changes of users and tells the
//! registry, so that a disabled, removed or expired user's sessions end within two seconds, and
//! any other change reaches sessions that go on.

use std::sync::Arc;

use wharfinger_accounts::{Accounts, Changed, Timestamp, User};

use crate::registry::{Ending, Registry};

/// Watches for ever.
pub(crate) async fn watch(accounts: Accounts, registry: Arc<Registry>) {
    let mut changes = accounts.changes();
    let mut reachable = true;
    loop {
        changes.next().await;
        let now = Timestamp::now();
        for name in registry.overdue(now) {
            registry.review(&name, |_, user| (!user.is_active(now)).then_some(Ending::Account));
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
        Changed::Removed(name) => registry.review(name, |_, _| Some(Ending::Account)),
        Changed::Updated(user) => registry.review(&user.username, |live, held| {
            if may_go_on(held, user, now) {
                live.set_user(Some(Arc::clone(user)));
                None
            } else {
                Some(Ending::Account)
            }
        }),
    }
}

/// A raised epoch ends the sessions begun before it, also where the user has been enabled again
/// in the meantime.
fn may_go_on(held: &User, user: &User, now: Timestamp) -> bool {
    user.is_active(now) && user.id == held.id && user.session_epoch == held.session_epoch
}
