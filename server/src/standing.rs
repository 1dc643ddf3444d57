//! Whether those who are logged in still may be: follows the changes of users and tells the
//! registry. Who could not log in any more, from where they are and with what they speak, is ended
//! within two seconds, and so is whom an administrator picked; any other change reaches sessions
//! that go on.

use std::net::IpAddr;
use std::sync::Arc;

use wharfinger_accounts::{Caller, Changed, Changes, StoreError, Timestamp, User};

use crate::Services;
use crate::registry::{Ending, Identity, Verdict};

/// Watches for ever.
pub(crate) async fn watch(services: Arc<Services>) {
    let mut changes = services.accounts.changes();
    let mut reachable = true;
    loop {
        match round(&services, &mut changes).await {
            Ok(()) => {
                if !reachable {
                    tracing::info!("the store is back; changes of users are followed again");
                }
                reachable = true;
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

async fn round(services: &Services, changes: &mut Changes) -> Result<(), StoreError> {
    changes.next().await;
    let (registry, now) = (&services.registry, Timestamp::now());
    // Time alone may have ended it.
    registry.review(|identity, address| judge(identity, address, &identity.user, now));
    let known = registry.stamps();
    for change in services.accounts.changed_since(&known).await? {
        registry.review(|identity, address| match &change {
            Changed::Removed(stamp) if stamp.id == identity.user.id => Verdict::End(Ending::Account),
            Changed::Updated(user) if user.id == identity.user.id => judge(identity, address, user, now),
            Changed::Removed(_) | Changed::Updated(_) => Verdict::GoOn,
        });
    }
    if registry.count() > 0 {
        for session in services.presence.asked_to_end().await? {
            registry.end(session, Ending::Administrator);
        }
    }
    Ok(())
}

/// A raised epoch ends the sessions begun before it, also where the user has been enabled again
/// in the meantime. A session has one home.
fn judge(identity: &Identity, address: IpAddr, user: &Arc<User>, now: Timestamp) -> Verdict {
    let held = &identity.user;
    if !held.is_stored() {
        // Let in without an account, and so by none of an account's rules.
        return Verdict::GoOn;
    }
    let Identity { protocol, by_certificate, .. } = *identity;
    let refused = user.refusal(&Caller { address, protocol, by_certificate }, now).is_some();
    if held.version > user.version {
        // This session's login has seen more than the question that is answered here.
        Verdict::GoOn
    } else if refused || user.session_epoch != held.session_epoch || user.home != held.home {
        Verdict::End(Ending::Account)
    } else if held.version == user.version {
        Verdict::GoOn
    } else {
        Verdict::With(Arc::clone(user))
    }
}
