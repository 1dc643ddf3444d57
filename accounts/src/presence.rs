//! Who is logged in where: the file servers ("nodes"), their live sessions as each publishes its own,
//! requests to end one, and the places that `limits.max_sessions` gives a user. A node that is not
//! heard of for a while is dead, and so are its sessions, whatever is stored of them.
//! Knows no connection and no protocol: what a session is doing, its node says.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::store::{Beat, Run, StoreError, Stores};
use crate::user::{Protocol, Username};
use crate::{Accounts, ChangeError, random_id};

pub use places::UserPlace;

mod places;

/// A node that has not been heard of for so long is dead.
const ALIVE_FOR: Duration = Duration::from_secs(10);
/// How long a dead node is still named.
const REMEMBERED_FOR: SignedDuration = SignedDuration::from_hours(1);

/// A logged-in session, as its node last described it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveSession {
    /// Unique over all nodes and their restarts; ends in the number the node's log has for it.
    pub id: String,
    /// The node's name.
    pub node: String,
    /// Who is logged in.
    pub user: Username,
    /// What is spoken.
    pub protocol: Protocol,
    /// How the control connection is protected; none in clear.
    pub tls: Option<SessionTls>,
    /// Where the client is.
    pub client_address: IpAddr,
    /// When the connection was made.
    pub started_at: Timestamp,
    /// The last command's word, without its argument; empty before the first.
    pub last_command: String,
    /// What is being moved now.
    pub transfer: Option<LiveTransfer>,
}

/// TLS of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionTls {
    /// Such as `TLSv1_3`.
    pub version: String,
    /// The cipher suite.
    pub cipher: String,
    /// Whether the last data connection resumed the control connection's TLS session; none before
    /// the first.
    pub data_bound: Option<bool>,
}

/// A transfer under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveTransfer {
    /// What kind it is.
    pub direction: Direction,
    /// The path as the user sees it.
    pub path: String,
    /// Moved so far.
    pub bytes: u64,
    /// Moved lately.
    pub bytes_per_second: u64,
}

/// Which way a transfer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// To the client.
    Download,
    /// From the client.
    Upload,
    /// A listing.
    List,
    /// On the server.
    Copy,
    /// A file read for its digest.
    Digest,
}

/// A file server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// `node.name` of its configuration.
    pub name: String,
    /// Its program's version.
    pub version: String,
    /// When it was started.
    pub started_at: Timestamp,
    /// Logged-in sessions; none if it is dead.
    pub sessions: u64,
    /// When it last said that it is alive, by the store's clock.
    pub last_seen_at: Timestamp,
}

/// Which live sessions to list, by id.
#[derive(Clone, Debug, Default)]
pub struct SessionQuery {
    /// Only ids after this one.
    pub after: Option<String>,
    /// At most so many; 1 to 1,000, anything else is moved to the nearer end.
    pub limit: u32,
    /// Only this user's.
    pub user: Option<Username>,
    /// Only those of the node with this name.
    pub node: Option<String>,
}

/// One page of live sessions.
#[derive(Clone, Debug)]
pub struct SessionPage {
    /// The sessions, by id.
    pub items: Vec<LiveSession>,
    /// What to ask for as `after` to go on; `None` on the last page.
    pub next: Option<String>,
}

impl Accounts {
    /// One page of the live sessions of all nodes.
    pub async fn live_sessions(&self, query: &SessionQuery) -> Result<SessionPage, StoreError> {
        let limit = query.limit.clamp(1, 1_000);
        let mut items = self.inner.stores.presence.live(query, limit + 1).await?;
        let more = u32::try_from(items.len()).is_ok_and(|found| found > limit);
        if more {
            items.pop();
        }
        let next = items.last().filter(|_| more).map(|last| last.id.clone());
        Ok(SessionPage { items, next })
    }

    /// The nodes that live or have died within the last hour, by name.
    pub async fn nodes(&self) -> Result<Vec<Node>, StoreError> {
        let mut runs = self.inner.stores.presence.runs().await?;
        runs.retain(|run| !run.is_forgotten());
        let mut nodes: Vec<Node> = runs.into_iter().map(Run::into_node).collect();
        nodes.sort_by(|a, b| (&a.name, a.started_at).cmp(&(&b.name, b.started_at)));
        Ok(nodes)
    }

    /// Asks the node of this session to end it; `NotFound` if no live session has this id.
    pub async fn end_session(&self, id: &str) -> Result<(), StoreError> {
        self.inner.stores.presence.ask_to_end(id).await?;
        self.changed();
        Ok(())
    }

    /// The presence of a file server that starts now.
    pub fn presence(&self, name: &str, version: &str) -> Result<Presence, ChangeError> {
        Ok(Presence {
            run: random_id()?,
            name: name.to_owned(),
            version: version.to_owned(),
            started_at: self.now(),
            alive_for: ALIVE_FOR,
            stores: self.inner.stores.clone(),
            announced: AtomicBool::new(false),
            places: Arc::default(),
        })
    }
}

/// What a file server tells of itself and its sessions, and hears about them.
pub struct Presence {
    pub(crate) run: String,
    name: String,
    version: String,
    started_at: Timestamp,
    alive_for: Duration,
    pub(crate) stores: Stores,
    /// Whether the store has heard of this run.
    announced: AtomicBool,
    places: Arc<places::Places>,
}

impl Presence {
    /// With another time than ten seconds after which the node is dead if nothing is heard of it.
    #[must_use]
    pub fn alive_for(mut self, time: Duration) -> Self {
        self.alive_for = time;
        self
    }

    /// How often to beat, at the least.
    pub fn interval(&self) -> Duration {
        self.alive_for / 3
    }

    /// The node's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The id, unique over all nodes, of the session with this number here.
    pub fn session_id(&self, number: u64) -> String {
        format!("{}-{number}", self.run)
    }

    /// Says that this node lives. `true` if the store did not know it (any more): then it knows none
    /// of its sessions either. What an earlier run of the node left is cleared away.
    pub async fn beat(&self, sessions: u64) -> Result<bool, StoreError> {
        let beat = Beat {
            run: &self.run,
            name: &self.name,
            version: &self.version,
            started_at: self.started_at,
            sessions,
            alive_for: self.alive_for,
        };
        let unknown = self.stores.presence.beat(&beat).await?;
        if unknown {
            self.clear_away().await?;
        }
        self.announced.store(true, Ordering::Relaxed);
        Ok(unknown)
    }

    /// Publishes the sessions that are new or have changed, and takes back those with these ids.
    pub async fn publish(&self, changed: &[LiveSession], gone: &[String]) -> Result<(), StoreError> {
        self.stores.presence.publish(&self.run, changed, gone).await
    }

    /// Numbers of the sessions here that somebody has asked to end.
    pub async fn asked_to_end(&self) -> Result<Vec<u64>, StoreError> {
        let ids = self.stores.presence.asked_to_end(&self.run).await?;
        Ok(ids.iter().filter_map(|id| id.rsplit('-').next()?.parse().ok()).collect())
    }

    /// Takes back all of it: the node stops.
    pub async fn withdraw(&self) -> Result<(), StoreError> {
        self.forget(&self.run).await
    }

    /// Tells the store of this run if it has not heard of it: what a node nobody knows holds counts as
    /// that of a dead one.
    pub(crate) async fn announce(&self) -> Result<(), StoreError> {
        if !self.announced.load(Ordering::Relaxed) {
            self.beat(0).await?;
        }
        Ok(())
    }

    async fn forget(&self, run: &str) -> Result<(), StoreError> {
        self.release_holds(run).await?;
        self.stores.presence.forget(run).await
    }

    /// Two servers with one name clear each other away only as they start: each comes back with its
    /// next beat.
    async fn clear_away(&self) -> Result<(), StoreError> {
        for run in self.stores.presence.runs().await? {
            let earlier = run.node.name == self.name && run.id != self.run;
            if earlier && run.alive {
                tracing::info!(
                    node = self.name,
                    "another server of this name was alive moments ago; if it still runs, give each a node.name of its own"
                );
            }
            if earlier || run.is_forgotten() {
                self.forget(&run.id).await?;
            }
        }
        Ok(())
    }
}

impl Run {
    fn is_forgotten(&self) -> bool {
        !self.alive && self.unseen_for > REMEMBERED_FOR
    }

    fn into_node(self) -> Node {
        let sessions = if self.alive { self.node.sessions } else { 0 };
        Node { sessions, ..self.node }
    }
}
