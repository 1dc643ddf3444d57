//! The live sessions of this server: who is connected, from where, as whom; and how to end them.
//! An entry is a guard: dropping it takes the session off the list. The registry knows nobody:
//! it is told of users, asks no store and speaks no protocol.

use std::collections::HashMap;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use wharfinger_accounts::{Stamp, User, Username};

/// Every live session.
pub(crate) struct Registry {
    most: u32,
    most_per_address: u32,
    last_id: AtomicU64,
    sessions: Mutex<Sessions>,
    emptied: Notify,
}

#[derive(Default)]
struct Sessions {
    live: HashMap<u64, Arc<Live>>,
    per_address: HashMap<IpAddr, u32>,
    draining: bool,
}

/// One live session, as others see it.
pub(crate) struct Live {
    pub(crate) id: u64,
    pub(crate) client: IpAddr,
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

/// Why a connection is not taken on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Full,
    FullForAddress,
    Draining,
}

/// A place on the list, held by the session's task.
pub(crate) struct Place {
    registry: Arc<Registry>,
    live: Arc<Live>,
}

impl Registry {
    pub(crate) fn new(most: u32, most_per_address: u32) -> Arc<Self> {
        Arc::new(Self {
            most,
            most_per_address,
            last_id: AtomicU64::new(0),
            sessions: Mutex::default(),
            emptied: Notify::new(),
        })
    }

    /// Takes a connection on, unless a limit is reached.
    pub(crate) fn admit(self: &Arc<Self>, client: IpAddr) -> Result<Place, Refusal> {
        let mut sessions = lock(&self.sessions);
        if sessions.draining {
            return Err(Refusal::Draining);
        }
        if sessions.live.len() >= self.most as usize {
            return Err(Refusal::Full);
        }
        let from_here = sessions.per_address.entry(client).or_default();
        if *from_here >= self.most_per_address {
            return Err(Refusal::FullForAddress);
        }
        *from_here += 1;
        let id = self.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        let live = Arc::new(Live { id, client, state: Mutex::default(), changed: Notify::new() });
        sessions.live.insert(id, Arc::clone(&live));
        Ok(Place { registry: Arc::clone(self), live })
    }

    /// Who is logged in, once each, with the oldest version of the user that any session holds.
    pub(crate) fn stamps(&self) -> Vec<Stamp> {
        let mut oldest: HashMap<Username, Arc<User>> = HashMap::new();
        for user in lock(&self.sessions).live.values().filter_map(|live| live.user()) {
            let known = oldest.entry(user.username.clone()).or_insert_with(|| Arc::clone(&user));
            if user.version < known.version {
                *known = user;
            }
        }
        oldest.values().map(|user| user.stamp()).collect()
    }

    /// Shows every session of the user to `look`; what it returns ends that session.
    pub(crate) fn review(&self, name: &Username, mut look: impl FnMut(&Live, &User) -> Option<Ending>) {
        let sessions: Vec<_> = lock(&self.sessions).live.values().cloned().collect();
        for live in sessions {
            if let Some(user) = live.user().filter(|user| user.username == *name)
                && let Some(ending) = look(&live, &user)
                && live.end(ending)
            {
                tracing::info!(session = live.id, user = %name, client = %live.client, ?ending, "session ended");
            }
        }
    }

    /// Names of the users who are logged in and, by what they hold, should not be.
    pub(crate) fn overdue(&self, now: jiff::Timestamp) -> Vec<Username> {
        let users = lock(&self.sessions).live.values().filter_map(|live| live.user()).collect::<Vec<_>>();
        users.iter().filter(|user| !user.is_active(now)).map(|user| user.username.clone()).collect()
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

    /// Says whether that was news to the session.
    fn end(&self, ending: Ending) -> bool {
        let mut state = lock(&self.state);
        let before = state.ending;
        state.ending = before.max(Some(ending));
        let news = state.ending != before;
        drop(state);
        self.changed.notify_waiters();
        news
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
        if let Some(count) = sessions.per_address.get_mut(&self.live.client) {
            *count -= 1;
            if *count == 0 {
                sessions.per_address.remove(&self.live.client);
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
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn an_address_has_its_own_limit_and_a_place_is_given_back() {
        let registry = Registry::new(3, 2);
        let places = [registry.admit(HERE).unwrap(), registry.admit(HERE).unwrap()];
        assert_eq!(registry.admit(HERE).err(), Some(Refusal::FullForAddress));
        let other = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
        let third = registry.admit(other).unwrap();
        assert_eq!(registry.admit(other).err(), Some(Refusal::Full));
        drop(places);
        assert_eq!(registry.count(), 1);
        drop(third);
        assert!(registry.admit(HERE).is_ok());
        assert_eq!(registry.count(), 0);
    }

    #[tokio::test]
    async fn draining_waits_for_a_transfer_and_stopping_does_not() {
        let registry = Registry::new(3, 3);
        let place = registry.admit(HERE).unwrap();
        registry.end_all(Ending::Draining);
        assert_eq!(place.ended(false).await, Ending::Draining);
        let live = place.live();
        let transferring = tokio::spawn(async move { live.ended(true).await });
        registry.end_all(Ending::Stopping);
        assert_eq!(transferring.await.unwrap(), Ending::Stopping);
        assert_eq!(registry.admit(HERE).err(), Some(Refusal::Draining));
    }
}
