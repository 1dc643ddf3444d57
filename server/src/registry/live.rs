//! One live session, as others see it: who is logged in, what it is doing, and whether it is to end.
//! Its own task writes here, in passing; whoever watches sessions reads.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tokio::sync::Notify;
use wharfinger_accounts::{Direction, Protocol, Timestamp, User, UserPlace};

use super::{Verdict, lock};
use crate::rates::UserRates;

/// One live session.
pub(crate) struct Live {
    pub(crate) id: u64,
    pub(crate) client: IpAddr,
    pub(crate) started_at: Timestamp,
    /// What counts as one client with it.
    pub(super) network: IpAddr,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    identity: Option<Identity>,
    doing: Doing,
    /// Whether anything of this is newer than what was last seen.
    news: bool,
    ending: Option<Ending>,
}

/// Who is logged in, and what is theirs for as long.
pub(crate) struct Identity {
    pub(crate) user: Arc<User>,
    pub(crate) protocol: Protocol,
    /// Whether a certificate was the proof, and not a password.
    pub(crate) by_certificate: bool,
    pub(crate) rates: Arc<UserRates>,
    /// Where the user has a limit of sessions.
    pub(crate) place: Option<UserPlace>,
}

/// What a session is doing.
#[derive(Clone, Default)]
pub(crate) struct Doing {
    /// Version and cipher of the control connection's TLS; none in clear.
    pub(crate) tls: Option<(&'static str, &'static str)>,
    /// Whether the last data connection under TLS resumed the control connection's session.
    pub(crate) data_bound: Option<bool>,
    /// The last command's word; empty before the first.
    pub(crate) command: &'static str,
    pub(crate) transfer: Option<Arc<dyn Underway>>,
}

/// A transfer under way, for who asks.
pub(crate) trait Underway: Send + Sync {
    fn direction(&self) -> Direction;
    /// As the user sees it.
    fn path(&self) -> String;
    /// Moved so far.
    fn bytes(&self) -> u64;
    fn begun(&self) -> Instant;
}

/// A logged-in session at one moment.
pub(crate) struct Sight {
    pub(crate) user: Arc<User>,
    pub(crate) protocol: Protocol,
    pub(crate) doing: Doing,
    /// Whether it changed since it was last looked at.
    pub(crate) changed: bool,
    /// The user has a limit of sessions, and this session was there before.
    pub(crate) lacks_place: bool,
}

/// Why a session is ended from outside. Later ones are more urgent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ending {
    /// The server stops; a running transfer may finish.
    Draining,
    /// The server stops now.
    Stopping,
    /// An administrator asked for it.
    Administrator,
    /// The account was disabled, removed, may not be used from there, or its sessions were told to
    /// end.
    Account,
}

impl Ending {
    /// As the audit trail has it.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Draining | Self::Stopping => "stopping",
            Self::Administrator => "administrator",
            Self::Account => "account",
        }
    }
}

/// What a session hears from outside while a transfer runs.
pub(crate) enum News {
    Ending(Ending),
    /// The user is another version now.
    User(Arc<User>),
}

impl Live {
    pub(super) fn new(id: u64, client: IpAddr, network: IpAddr) -> Self {
        let (state, changed) = (Mutex::default(), Notify::new());
        Self { id, client, started_at: Timestamp::now(), network, state, changed }
    }

    /// The user as last heard of; none before login.
    pub(crate) fn user(&self) -> Option<Arc<User>> {
        lock(&self.state).identity.as_ref().map(|identity| Arc::clone(&identity.user))
    }

    /// How fast the user's transfers may go; none before login.
    pub(crate) fn rates(&self) -> Option<Arc<UserRates>> {
        lock(&self.state).identity.as_ref().map(|identity| Arc::clone(&identity.rates))
    }

    pub(crate) fn log_in(&self, identity: Identity) {
        let mut state = lock(&self.state);
        state.identity = Some(identity);
        state.news = true;
    }

    pub(crate) fn log_out(&self) {
        lock(&self.state).identity = None;
    }

    /// The place of a session that was there before its user's limit; lost if somebody else is
    /// logged in by now.
    pub(crate) fn seat(&self, user: &User, place: UserPlace) {
        if let Some(identity) = &mut lock(&self.state).identity
            && identity.user.id == user.id
        {
            identity.place = Some(place);
        }
    }

    /// A command begins; the user as last heard of, whose permissions may have changed since the
    /// command before.
    pub(crate) fn begin(&self, command: &'static str) -> Option<Arc<User>> {
        let mut state = lock(&self.state);
        state.news |= state.doing.command != command;
        state.doing.command = command;
        state.identity.as_ref().map(|identity| Arc::clone(&identity.user))
    }

    /// Takes note of what the session is doing.
    pub(crate) fn note(&self, change: impl FnOnce(&mut Doing)) {
        let mut state = lock(&self.state);
        change(&mut state.doing);
        state.news = true;
    }

    /// What there is to see, if somebody is logged in.
    pub(crate) fn look(&self) -> Option<Sight> {
        let mut state = lock(&self.state);
        let changed = std::mem::take(&mut state.news);
        let identity = state.identity.as_ref()?;
        Some(Sight {
            user: Arc::clone(&identity.user),
            protocol: identity.protocol,
            doing: state.doing.clone(),
            changed,
            lacks_place: identity.place.is_none() && identity.user.limits.max_sessions.is_some(),
        })
    }

    /// Why the session is to end, if it is.
    pub(crate) fn ending(&self) -> Option<Ending> {
        lock(&self.state).ending
    }

    /// Waits until the session is to end; while `busy`, draining can wait.
    pub(crate) async fn ended(&self, busy: bool) -> Ending {
        loop {
            // Made before looking, so that an ending between the two isn't missed.
            let changed = self.changed.notified();
            match lock(&self.state).ending {
                Some(Ending::Draining) if busy => {}
                Some(ending) => return ending,
                None => {}
            }
            changed.await;
        }
    }

    /// Waits for what a running transfer must hear of, where the user of this version began it.
    pub(crate) async fn news(&self, version: u64) -> News {
        loop {
            let changed = self.changed.notified();
            {
                let state = lock(&self.state);
                if let Some(ending) = state.ending.filter(|ending| *ending != Ending::Draining) {
                    return News::Ending(ending);
                }
                let user = state.identity.as_ref().map(|identity| &identity.user);
                if let Some(user) = user.filter(|user| user.version != version) {
                    return News::User(Arc::clone(user));
                }
            }
            changed.await;
        }
    }

    /// Looks and acts under one lock, so that a login in between is not judged for another's.
    pub(super) fn review(&self, judge: impl Fn(&Identity, IpAddr) -> Verdict) {
        let mut state = lock(&self.state);
        let Some(identity) = &mut state.identity else { return };
        match judge(identity, self.client) {
            Verdict::GoOn => return,
            Verdict::With(newer) => {
                identity.rates.follow(&newer);
                identity.user = newer;
            }
            Verdict::End(ending) => self.end_state(&mut state, ending),
        }
        drop(state);
        self.changed.notify_waiters();
    }

    pub(super) fn end(&self, ending: Ending) {
        self.end_state(&mut lock(&self.state), ending);
        self.changed.notify_waiters();
    }

    fn end_state(&self, state: &mut State, ending: Ending) {
        let before = state.ending;
        state.ending = before.max(Some(ending));
        if let Some(identity) = state.identity.as_ref().filter(|_| state.ending != before) {
            let user = &identity.user.username;
            tracing::info!(session = self.id, %user, client = %self.client, ?ending, "session ended");
        }
    }
}
