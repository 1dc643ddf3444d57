//! Who may log in: users, their passwords and policies, and the admins who manage them, on SQLite or
//! MongoDB. [`Accounts`] is the only door; both the file server and the admin API go through it.
//! What it offers stands in `login.rs`, `changes.rs` and `presence.rs` (for the file server), `users.rs`
//! and `admin.rs` (for the admin API). Knows no protocol, no files and no HTTP.

use std::sync::Arc;

use tokio::sync::watch;

use crate::password::{HashError, HashLimits, Hasher, PasswordHash, Proven};
use crate::store::Stores;

pub use admin::{Admin, Role};
pub use admins::{AdminChange, AdminPage};
pub use audit::{
    Act, AuditPage, AuditPosition, AuditQuery, AuditRecord, Break, Client, Event, Head, Link, Noted, Place,
    Recorded, Request, Trail, Verification,
};
pub use changes::{Changed, Changes};
pub use edit::{Edited, Versions};
pub use ipnet::IpNet;
pub use jiff::Timestamp;
pub use key::{ApiKey, KeyName, KeyPage, NewKey};
pub use login::{Attempt, LoginError, Proof, Refusal};
pub use network::client_network;
pub use password::{Password, PasswordRule};
pub use policy::{Caller, Explanation, Question, Step};
pub use presence::{
    Direction, LiveSession, LiveTransfer, Node, Presence, SessionPage, SessionQuery, SessionTls, UserPlace,
};
pub use reach::reach;
pub use store::{MigrateError, Migration, NotReady, StoreError};
pub use unlocks::Unlock;
pub use usage::{Amount, Balance, Change, Count, Settlement, Usage, Wanted};
pub use user::{
    Action, Activity, ClientCertificate, Grant, Home, Invalid, Limits, NewUser, Permissions, Protocol, Quota,
    Stamp, Status, User, UserDetail, Username,
};
pub use users::{Rotated, Rotation, UserPage, UserQuery};

mod admin;
mod admins;
mod audit;
mod changes;
mod edit;
mod key;
mod login;
mod network;
mod password;
mod policy;
mod presence;
mod reach;
mod rehash;
mod removal;
mod store;
mod unlocks;
mod usage;
mod user;
mod users;

/// The door to users and admins; cheap to clone.
#[derive(Clone)]
pub struct Accounts {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) stores: Stores,
    pub(crate) hasher: Arc<Hasher>,
    pub(crate) proven: Arc<Proven>,
    /// Counts changes made through this door, so that listeners in this process need not wait.
    pub(crate) changes: watch::Sender<u64>,
    clock: Clock,
}

/// Where the time of day comes from.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The store refused or could not be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The password breaks a rule.
    #[error("the password is not accepted")]
    Password(#[from] PasswordRule),
    /// Another value breaks a rule.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// Too many passwords are waiting to be hashed.
    #[error("too many passwords are waiting to be hashed")]
    Busy,
    /// The system gave no random numbers or could not hash.
    #[error("{0}")]
    System(String),
}

impl From<HashError> for ChangeError {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy => Self::Busy,
            HashError::Failed(reason) => Self::System(reason),
        }
    }
}

impl Accounts {
    /// Opens the store at `url` (`sqlite://PATH` or `mongodb://…/DATABASE`); an SQLite file is made if
    /// there is none. `Unavailable` when the store cannot be reached within the time-out.
    pub async fn open(store: &wharfinger_config::Store, url: &str) -> Result<Self, StoreError> {
        let unavailable = |error: &dyn std::fmt::Display| StoreError::Unavailable(error.to_string());
        let stores = Stores::open(store, url).await?;
        let hasher = Hasher::new(HashLimits::default()).await.map_err(|error| unavailable(&error))?;
        let proven = Proven::new().map_err(|error| unavailable(&error))?;
        let inner = Inner {
            stores,
            hasher: Arc::new(hasher),
            proven: Arc::new(proven),
            changes: watch::Sender::new(0),
            clock: Arc::new(Timestamp::now),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The same accounts with another clock, for tests of what depends on time.
    #[must_use]
    pub fn with_clock(&self, clock: Clock) -> Self {
        let inner = Inner {
            stores: self.inner.stores.clone(),
            hasher: Arc::clone(&self.inner.hasher),
            proven: Arc::clone(&self.inner.proven),
            changes: self.inner.changes.clone(),
            clock,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Brings the store to what this program needs, under a lock: any number of programs may call it
    /// at once. Does nothing when that is done already.
    pub async fn migrate(&self) -> Result<Migration, MigrateError> {
        self.inner.stores.upkeep.migrate().await
    }

    /// Whether the store can be reached and is what this program needs.
    pub async fn ready(&self) -> Result<(), NotReady> {
        let upkeep = &self.inner.stores.upkeep;
        let (store, program) = (upkeep.version().await?, upkeep.newest());
        match store.cmp(&program) {
            std::cmp::Ordering::Less => Err(NotReady::Behind { store, program }),
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Greater => Err(NotReady::Newer { store, program }),
        }
    }

    /// Passwords being hashed now, and those that wait for their turn.
    pub fn hash_queue(&self) -> (usize, usize) {
        self.inner.hasher.queue()
    }

    /// To the millisecond, which is what people read and every store keeps.
    pub(crate) fn now(&self) -> Timestamp {
        let now = (self.inner.clock)();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    pub(crate) fn changed(&self) {
        self.inner.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Checks a password somebody chose, or generates one, and hashes it.
    pub(crate) async fn choose_password(
        &self,
        username: &Username,
        given: Option<Password>,
    ) -> Result<Chosen, ChangeError> {
        if let Some(password) = given {
            PasswordRule::check(&password, username)?;
            return Ok(Chosen { hash: self.inner.hasher.hash(&password).await?, generated: None });
        }
        let password = Password::generate().map_err(|error| ChangeError::System(error.to_string()))?;
        Ok(Chosen { hash: self.inner.hasher.hash(&password).await?, generated: Some(password) })
    }
}

pub(crate) struct Chosen {
    pub(crate) hash: PasswordHash,
    pub(crate) generated: Option<Password>,
}

/// 128 random bits in hex.
pub(crate) fn random_id() -> Result<String, ChangeError> {
    let mut random = [0_u8; 16];
    getrandom::fill(&mut random).map_err(|error| ChangeError::System(error.to_string()))?;
    Ok(format!("{:032x}", u128::from_be_bytes(random)))
}
