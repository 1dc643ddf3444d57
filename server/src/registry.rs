//! The live sessions of this server: who is connected, from where, as whom; and how to end them.
//! An entry is a guard: dropping it takes the session off the list. The registry knows nobody:
//! it is told of users, asks no store and speaks no protocol.

use std::collections::HashMap;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use wharfinger_accounts::{Stamp, User};
use wharfinger_config::Limits;

pub(crate) use live::{Ending, Identity, Live, News, Sight, Underway};

mod live;

/// Every live session.
pub(crate) struct Registry {
    last_id: AtomicU64,
    sessions: Mutex<Sessions>,
    emptied: Notify,
}

#[derive(Default)]
struct Sessions {
    live: HashMap<u64, Arc<Live>>,
    per_network: HashMap<IpAddr, u32>,
    draining: bool,
}

/// What is to become of a user's session.
pub(crate) enum Verdict {
    GoOn,
    /// With this version of the user.
    With(Arc<User>),
    End(Ending),
}

/// Why a connection is not taken on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("too many sessions")]
    Full,
    #[error("too many sessions from its address")]
    FullForAddress,
    #[error("the server is stopping")]
    Draining,
    /// Said by those who count failed logins.
    #[error("too many failed logins from its address")]
    Banned,
}

/// A place on the list, held by the session's task.
pub(crate) struct Place {
    registry: Arc<Registry>,
    live: Arc<Live>,
}

impl Registry {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { last_id: AtomicU64::new(0), sessions: Mutex::default(), emptied: Notify::new() })
    }

    /// Takes a connection on, unless a limit is reached. Whose limit it is, `network` says.
    pub(crate) fn admit(
        self: &Arc<Self>,
        client: IpAddr,
        network: IpAddr,
        limits: &Limits,
    ) -> Result<Place, Refusal> {
        let mut sessions = lock(&self.sessions);
        if sessions.draining {
            return Err(Refusal::Draining);
        }
        if sessions.live.len() >= limits.max_sessions as usize {
            return Err(Refusal::Full);
        }
        let from_here = sessions.per_network.entry(network).or_default();
        if *from_here >= limits.max_sessions_per_address {
            return Err(Refusal::FullForAddress);
        }
        *from_here += 1;
        let id = self.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        let live = Arc::new(Live::new(id, client, network));
        sessions.live.insert(id, Arc::clone(&live));
        Ok(Place { registry: Arc::clone(self), live })
    }

    /// Who of the store's users is logged in, once each, with the oldest version of the user that any session holds.
    /// A user made again under the same name is another one.
    pub(crate) fn stamps(&self) -> Vec<Stamp> {
        let mut oldest: HashMap<String, Arc<User>> = HashMap::new();
        for user in self.users().into_iter().filter(|user| user.is_stored()) {
            let known = oldest.entry(user.id.clone()).or_insert_with(|| Arc::clone(&user));
            if user.version < known.version {
                *known = user;
            }
        }
        oldest.values().map(|user| user.stamp()).collect()
    }

    /// Decides about every logged-in session.
    pub(crate) fn review(&self, judge: impl Fn(&Identity, IpAddr) -> Verdict) {
        for live in &self.all() {
            live.review(&judge);
        }
    }

    /// Ends the session with this id, if there is one.
    pub(crate) fn end(&self, id: u64, ending: Ending) {
        let live = lock(&self.sessions).live.get(&id).cloned();
        if let Some(live) = live {
            live.end(ending);
        }
    }

    /// Every session, logged in or not.
    pub(crate) fn all(&self) -> Vec<Arc<Live>> {
        lock(&self.sessions).live.values().cloned().collect()
    }

    fn users(&self) -> Vec<Arc<User>> {
        lock(&self.sessions).live.values().filter_map(|live| live.user()).collect()
    }

    /// Ends every session; from now on none is admitted.
    pub(crate) fn end_all(&self, ending: Ending) {
        let mut sessions = lock(&self.sessions);
        sessions.draining = true;
        for live in sessions.live.values() {
            live.end(ending);
        }
    }

    /// Waits until there is no session.
    pub(crate) async fn emptied(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.count() == 0 {
                return;
            }
            emptied.await;
        }
    }

    /// How many sessions there are.
    pub(crate) fn count(&self) -> usize {
        lock(&self.sessions).live.len()
    }
}

impl Deref for Place {
    type Target = Live;

    fn deref(&self) -> &Live {
        &self.live
    }
}

impl Place {
    /// The entry itself, for the parts of a session that outlive a borrow.
    pub(crate) fn live(&self) -> Arc<Live> {
        Arc::clone(&self.live)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut sessions = lock(&self.registry.sessions);
        sessions.live.remove(&self.live.id);
        if let Some(count) = sessions.per_network.get_mut(&self.live.network) {
            *count -= 1;
            if *count == 0 {
                sessions.per_network.remove(&self.live.network);
            }
        }
        if sessions.live.is_empty() {
            self.registry.emptied.notify_waiters();
        }
    }
}

/// A panic elsewhere leaves these values whole, so a poisoned lock is still good.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
