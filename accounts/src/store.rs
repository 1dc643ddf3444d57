//! What a store of users must offer, as small object-safe traits; why it may fail stands in
//! `store/error.rs`.
//! Who was first is always decided by the store itself (a unique key, a version in the condition of
//! the write), never by looking first. Knows nothing of passwords beyond their hashes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::admin::Admin;
use crate::audit::{AuditQuery, AuditRecord, Link};
use crate::edit::Versions;
use crate::key::{ApiKey, KeyDigest};
use crate::password::PasswordHash;
use crate::presence::{LiveSession, Node, SessionQuery};
use crate::unlocks::Unlock;
use crate::usage::{Usage, UsageRecord};
use crate::user::{Activity, Home, Stamp, User, Username};
use crate::users::UserQuery;

mod error;
mod mongo;
mod sqlite;

pub use error::{MigrateError, Migration, NotReady, StoreError};

/// A user with the password's hashes: what a store keeps as one document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserRecord {
    pub(crate) user: User,
    pub(crate) passwords: Passwords,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Passwords {
    pub(crate) current: PasswordHash,
    /// The one before, while it is still good.
    pub(crate) previous: Option<PasswordHash>,
}

impl UserRecord {
    /// What a search looks through. Folded here, so that both stores agree on what a letter's case is.
    fn searchable(&self) -> String {
        format!("{}\n{}", self.user.username, self.user.description).to_lowercase()
    }
}

/// A user who was just removed.
pub(crate) struct RemovedUser {
    pub(crate) id: String,
    /// None where the document can't be read.
    pub(crate) user: Option<User>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdminRecord {
    pub(crate) admin: Admin,
    pub(crate) password: PasswordHash,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyRecord {
    pub(crate) key: ApiKey,
    pub(crate) digest: KeyDigest,
}

/// Users.
#[async_trait]
pub(crate) trait UserStore: Send + Sync {
    /// `Taken` if there is a user with that name.
    async fn insert(&self, record: &UserRecord) -> Result<(), StoreError>;
    async fn find(&self, name: &Username) -> Result<UserRecord, StoreError>;
    /// Stores `record` if the stored one has version `expected`, else `Conflict`.
    async fn replace(&self, record: &UserRecord, expected: u64) -> Result<(), StoreError>;
    /// Removes the user, if it has this id, where one is given, and one of these versions, else `Conflict`.
    async fn remove(
        &self,
        name: &Username,
        id: Option<&str>,
        expected: &Versions,
    ) -> Result<RemovedUser, StoreError>;
    /// Up to `most` users that match, by name.
    async fn page(&self, query: &UserQuery, most: u32) -> Result<Vec<User>, StoreError>;
    /// All that match, whatever the page.
    async fn count(&self, query: &UserQuery) -> Result<u64, StoreError>;
    /// What is there now of these names; names that are gone are left out.
    async fn stamps(&self, names: &[&Username]) -> Result<Vec<Stamp>, StoreError>;
    /// Whose home is this one, lies in it or around it.
    async fn overlapping(&self, home: &Home) -> Result<Vec<Stamp>, StoreError>;
}

/// What happened around users, by their ids. The file server may write here, and not users.
#[async_trait]
pub(crate) trait ActivityStore: Send + Sync {
    async fn record_login(&self, id: &str, at: Timestamp, with_previous: bool) -> Result<(), StoreError>;
    /// Users about whom nothing is known are left out.
    async fn of(&self, ids: &[&str]) -> Result<HashMap<String, Activity>, StoreError>;
    async fn forget(&self, id: &str) -> Result<(), StoreError>;
}

/// Admins.
#[async_trait]
pub(crate) trait AdminStore: Send + Sync {
    /// `Taken` if there is an admin with that name.
    async fn insert(&self, record: &AdminRecord) -> Result<(), StoreError>;
    async fn find(&self, name: &Username) -> Result<AdminRecord, StoreError>;
    async fn any(&self) -> Result<bool, StoreError>;
    /// Up to `most` admins, by name.
    async fn page(&self, after: Option<&Username>, most: u32) -> Result<Vec<Admin>, StoreError>;
    /// Stores `record` if the stored one has version `expected`, else `Conflict`; `LastOwner` if no owner
    /// would be left who can log in.
    async fn replace(&self, record: &AdminRecord, expected: u64) -> Result<(), StoreError>;
    /// Removes this version of the admin, else `Conflict`; `LastOwner` as above.
    async fn remove(&self, admin: &Admin) -> Result<(), StoreError>;
}

/// API keys, and when each was last used.
#[async_trait]
pub(crate) trait KeyStore: Send + Sync {
    async fn insert(&self, record: &KeyRecord) -> Result<(), StoreError>;
    async fn find(&self, id: &str) -> Result<(KeyRecord, Option<Timestamp>), StoreError>;
    /// Up to `most` keys whose ids come after this one, by id.
    async fn page(&self, after: &str, most: u32) -> Result<Vec<(ApiKey, Option<Timestamp>)>, StoreError>;
    async fn remove(&self, id: &str) -> Result<(), StoreError>;
    async fn note_use(&self, id: &str, at: Timestamp) -> Result<(), StoreError>;
}

/// Locks that were lifted, for the file servers to read.
#[async_trait]
pub(crate) trait UnlockStore: Send + Sync {
    /// Writes this one, in the place of an earlier one, and forgets those before a time.
    async fn insert(&self, unlock: &Unlock, forget_before: Timestamp) -> Result<(), StoreError>;
    async fn all(&self) -> Result<Vec<Unlock>, StoreError>;
}

/// The audit trail. The file server may add to it, and neither change nor remove anything.
#[async_trait]
pub(crate) trait AuditStore: Send + Sync {
    /// Adds records that follow each other in one chain, all or none of which may be there already from
    /// an attempt whose answer was lost. `Taken` if another record stands where one of them belongs.
    /// `durable`: they are on the disk when this returns.
    async fn append(&self, records: &[AuditRecord], durable: bool) -> Result<(), StoreError>;
    /// Up to `most` records that match, the newest first.
    async fn page(&self, query: &AuditQuery, most: u32) -> Result<Vec<AuditRecord>, StoreError>;
    /// Up to `most` records by chain and number, after this one.
    async fn in_order(
        &self,
        after: Option<&(String, u64)>,
        most: u32,
    ) -> Result<Vec<AuditRecord>, StoreError>;
    async fn at(&self, chain: &str, sequence: u64) -> Result<Option<AuditRecord>, StoreError>;
    /// Of the records before the chain's first one that is not older than `time`, the last.
    async fn last_before(&self, chain: &str, time: Timestamp) -> Result<Option<AuditRecord>, StoreError>;
    /// Where the chains end.
    async fn heads(&self) -> Result<Vec<AuditHead>, StoreError>;
    /// Notes that a record of another chain names these.
    async fn witnessed(&self, heads: &[Link]) -> Result<(), StoreError>;
    /// Removes each chain's records up to the one named, and chains of which nothing is left and whose
    /// last record is older than `forgotten`; returns how many records.
    async fn expire(&self, chains: &[Link], forgotten: Timestamp) -> Result<u64, StoreError>;
}

/// Where a chain ends, by the store's own account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AuditHead {
    pub(crate) chain: String,
    pub(crate) sequence: u64,
    pub(crate) hash: String,
    /// Up to which number a record of another chain names it.
    pub(crate) seen: u64,
}

impl AuditHead {
    pub(crate) fn is_news(&self) -> bool {
        self.sequence > self.seen
    }

    pub(crate) fn into_link(self) -> Link {
        Link { chain: self.chain, sequence: self.sequence, hash: self.hash }
    }
}

/// A node's word that it lives.
pub(crate) struct Beat<'a> {
    /// Names this run of the node's program.
    pub(crate) run: &'a str,
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
    pub(crate) started_at: Timestamp,
    pub(crate) sessions: u64,
    pub(crate) alive_for: Duration,
}

/// One run of a node's program.
pub(crate) struct Run {
    pub(crate) id: String,
    pub(crate) node: Node,
    pub(crate) alive: bool,
    /// By the store's clock.
    pub(crate) unseen_for: SignedDuration,
}

/// Nodes and their live sessions. Each node writes its own; what a dead one wrote does not count.
#[async_trait]
pub(crate) trait PresenceStore: Send + Sync {
    /// The node lives for so long from now; `true` if it was not known.
    async fn beat(&self, beat: &Beat<'_>) -> Result<bool, StoreError>;
    /// Every run that is known, dead ones too.
    async fn runs(&self) -> Result<Vec<Run>, StoreError>;
    /// Removes a run and all it wrote.
    async fn forget(&self, run: &str) -> Result<(), StoreError>;
    /// Writes and removes sessions of a run.
    async fn publish(&self, run: &str, changed: &[LiveSession], gone: &[String]) -> Result<(), StoreError>;
    /// Up to `most` sessions of living nodes that match, by id.
    async fn live(&self, query: &SessionQuery, most: u32) -> Result<Vec<LiveSession>, StoreError>;
    /// `NotFound` if no living node has this session.
    async fn ask_to_end(&self, id: &str) -> Result<(), StoreError>;
    /// Ids of the run's sessions that somebody asked to end.
    async fn asked_to_end(&self, run: &str) -> Result<Vec<String>, StoreError>;
}

/// Who holds a place, and on which run of a node.
#[derive(Clone, Copy)]
pub(crate) struct Holder<'a> {
    /// Unique.
    pub(crate) holder: &'a str,
    pub(crate) run: &'a str,
}

/// The places of users, by their ids.
#[async_trait]
pub(crate) trait PlaceStore: Send + Sync {
    /// Takes a place, in any case or unless living runs hold `most`; whether it did.
    async fn take(&self, user: &str, holder: Holder<'_>, most: Option<u32>) -> Result<bool, StoreError>;
    async fn give_back(&self, user: &str, holder: &str) -> Result<(), StoreError>;
}

/// What homes hold. The file server may write here, and not users.
#[async_trait]
pub(crate) trait UsageStore: Send + Sync {
    /// `Taken` if something is known of that home.
    async fn insert(&self, record: &UsageRecord) -> Result<(), StoreError>;
    async fn find(&self, home: &Home) -> Result<Option<UsageRecord>, StoreError>;
    /// Stores `record` if the stored one has version `expected`, else `Conflict`.
    async fn replace(&self, record: &UsageRecord, expected: u64) -> Result<(), StoreError>;
    /// Homes of which nothing is known are left out.
    async fn of(&self, homes: &[&Home]) -> Result<HashMap<Home, Usage>, StoreError>;
    /// Some of the homes that are to be counted or removed.
    async fn wanted(&self) -> Result<Vec<UsageRecord>, StoreError>;
    /// The homes of which a run holds something.
    async fn held_by(&self, run: &str) -> Result<Vec<UsageRecord>, StoreError>;
}

/// The store itself.
#[async_trait]
pub(crate) trait Upkeep: Send + Sync {
    /// The store's version; 0 if it is empty.
    async fn version(&self) -> Result<u32, StoreError>;
    /// The version this program needs.
    fn newest(&self) -> u32;
    async fn migrate(&self) -> Result<Migration, MigrateError>;
    /// Adds one to `changes` whenever somebody changed users or asked a session to end, for as long as
    /// it is polled. Returns at once if the store cannot tell.
    async fn follow(&self, changes: watch::Sender<u64>);
}

/// One store, by its roles.
#[derive(Clone)]
pub(crate) struct Stores {
    pub(crate) users: Arc<dyn UserStore>,
    pub(crate) activity: Arc<dyn ActivityStore>,
    pub(crate) admins: Arc<dyn AdminStore>,
    pub(crate) audit: Arc<dyn AuditStore>,
    pub(crate) keys: Arc<dyn KeyStore>,
    pub(crate) unlocks: Arc<dyn UnlockStore>,
    pub(crate) presence: Arc<dyn PresenceStore>,
    pub(crate) places: Arc<dyn PlaceStore>,
    pub(crate) usage: Arc<dyn UsageStore>,
    pub(crate) upkeep: Arc<dyn Upkeep>,
}

impl Stores {
    pub(crate) async fn open(settings: &wharfinger_config::Store, url: &str) -> Result<Self, StoreError> {
        if let Some(path) = url.strip_prefix("sqlite://") {
            return Ok(Self::of(sqlite::Sqlite::open(settings, path.as_ref()).await?));
        }
        if url.starts_with("mongodb://") || url.starts_with("mongodb+srv://") {
            return Ok(Self::of(mongo::Mongo::open(settings, url).await?));
        }
        Err(StoreError::Unavailable("store.url is neither sqlite://PATH nor mongodb://…".to_owned()))
    }

    fn of<S>(store: S) -> Self
    where
        S: UserStore
            + ActivityStore
            + AdminStore
            + KeyStore
            + UnlockStore
            + AuditStore
            + PresenceStore
            + PlaceStore
            + UsageStore
            + Upkeep
            + 'static,
    {
        let store = Arc::new(store);
        Self {
            users: store.clone(),
            activity: store.clone(),
            admins: store.clone(),
            audit: store.clone(),
            keys: store.clone(),
            unlocks: store.clone(),
            presence: store.clone(),
            places: store.clone(),
            usage: store.clone(),
            upkeep: store,
        }
    }
}

/// The document and the key it was found under must agree, or somebody else's rights could be given out.
fn agree(record: UserRecord, name: &Username) -> Result<UserRecord, StoreError> {
    if record.user.username == *name {
        return Ok(record);
    }
    Err(StoreError::Corrupt(format!("user {name}: the document holds another name")))
}
