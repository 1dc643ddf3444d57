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

/// One live session, as others see it.
pub(crate) struct Live {
    pub(crate) id: u64,
    pub(crate) client: IpAddr,
    /// What counts as one client with it.
    network: IpAddr,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    user: Option<Arc<User>>,
    ending: Option<Ending>,
}

/// Why a session is ended from outside. Later ones are more urgent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ending {
    /// The server stops; a running transfer may finish.
    Draining,
    /// The server stops now.
    Stopping,
    /// The account was disabled, removed, or its sessions were told to end.
    Account,
}

impl Ending {
    /// As the audit trail has it.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Draining | Self::Stopping => "stopping",
            Self::Account => "account",
        }
    }
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
        let live = Arc::new(Live { id, client, network, state: Mutex::default(), changed: Notify::new() });
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

    /// Decides about every session of the user with this id.
    pub(crate) fn review(&self, id: &str, judge: impl Fn(&User) -> Verdict) {
        let sessions: Vec<_> = lock(&self.sessions).live.values().cloned().collect();
        for live in &sessions {
            live.review(id, &judge);
        }
    }

    /// Ids of the users who are logged in and, by what they hold, should not be.
    pub(crate) fn overdue(&self, now: jiff::Timestamp) -> Vec<String> {
        let users = self.users().into_iter();
        users.filter(|user| !user.is_active(now)).map(|user| user.id.clone()).collect()
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

impl Live {
    /// The user as last heard of; none before login.
    pub(crate) fn user(&self) -> Option<Arc<User>> {
        lock(&self.state).user.clone()
    }

    /// Why the session is to end, if it is.
    pub(crate) fn ending(&self) -> Option<Ending> {
        lock(&self.state).ending
    }

    /// The session has logged in (again), or the user was changed.
    pub(crate) fn set_user(&self, user: Option<Arc<User>>) {
        lock(&self.state).user = user;
    }

    /// Waits until the session is to end; while `transferring`, draining can wait.
    pub(crate) async fn ended(&self, transferring: bool) -> Ending {
        loop {
            // Made before looking, so that an ending between the two isn't missed.
            let changed = self.changed.notified();
            match lock(&self.state).ending {
                Some(Ending::Draining) if transferring => {}
                Some(ending) => return ending,
                None => {}
            }
            changed.await;
        }
    }

    /// Looks and acts under one lock, so that a login in between is not judged for another's.
    fn review(&self, id: &str, judge: impl Fn(&User) -> Verdict) {
        let mut state = lock(&self.state);
        let Some(user) = state.user.clone().filter(|user| user.id == id) else { return };
        match judge(&user) {
            Verdict::GoOn => {}
            Verdict::With(newer) => state.user = Some(newer),
            Verdict::End(ending) => {
                if state.end(ending) {
                    tracing::info!(session = self.id, user = %user.username, client = %self.client, ?ending, "session ended");
                }
                drop(state);
                self.changed.notify_waiters();
            }
        }
    }

    fn end(&self, ending: Ending) {
        lock(&self.state).end(ending);
        self.changed.notify_waiters();
    }
}

impl State {
    /// Says whether that is news.
    fn end(&mut self, ending: Ending) -> bool {
        let before = self.ending;
        self.ending = before.max(Some(ending));
        self.ending != before
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
