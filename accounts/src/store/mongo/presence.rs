//! Nodes and their live sessions in MongoDB. One member's acknowledgement is enough for what a node
//! says again a moment later. Who is alive is told by the database's clock, not by the nodes'.

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use jiff::{SignedDuration, Timestamp};
use mongodb::bson::{Bson, DateTime, Document, deserialize_from_document, doc, serialize_to_document};
use mongodb::options::WriteConcern;
use serde::Deserialize;

use super::{Mongo, signed};
use crate::presence::{LiveSession, Node, SessionQuery};
use crate::store::{Beat, PresenceStore, Run, StoreError};

/// Writes in one command.
const BATCH: usize = 1_000;

#[derive(Deserialize)]
struct StoredNode {
    #[serde(rename = "_id")]
    run: String,
    name: String,
    version: String,
    started_at: Timestamp,
    sessions: u64,
    last_seen_at: DateTime,
    expires_at: DateTime,
    now: DateTime,
}

#[derive(Deserialize)]
struct Id {
    #[serde(rename = "_id")]
    id: String,
}

#[async_trait]
impl PresenceStore for Mongo {
    async fn beat(&self, beat: &Beat<'_>) -> Result<bool, StoreError> {
        let lease = i64::try_from(beat.alive_for.as_millis()).unwrap_or(i64::MAX);
        let set = doc! {
            "name": { "$literal": beat.name },
            "version": { "$literal": beat.version },
            "started_at": { "$literal": beat.started_at.to_string() },
            "sessions": { "$literal": signed(beat.sessions) },
            "last_seen_at": "$$NOW",
            "expires_at": { "$add": ["$$NOW", lease] },
        };
        let upsert = self
            .nodes
            .update_one(doc! { "_id": beat.run }, vec![doc! { "$set": set }])
            .upsert(true)
            .write_concern(WriteConcern::nodes(1));
        Ok(self.ask(upsert).await?.upserted_id.is_some())
    }

    async fn runs(&self) -> Result<Vec<Run>, StoreError> {
        let nodes = self.nodes.aggregate([doc! { "$addFields": { "now": "$$NOW" } }]);
        let nodes = nodes.with_type::<StoredNode>();
        let found: Vec<StoredNode> = self.ask(async { nodes.await?.try_collect().await }).await?;
        found.into_iter().map(StoredNode::into_run).collect()
    }

    async fn forget(&self, run: &str) -> Result<(), StoreError> {
        self.ask(self.nodes.delete_one(doc! { "_id": run })).await?;
        self.ask(self.sessions.delete_many(doc! { "run": run })).await?;
        let pull = doc! { "$pull": { "held": { "run": run } } };
        self.ask(self.places.update_many(doc! { "held.run": run }, pull)).await?;
        Ok(())
    }

    async fn publish(&self, run: &str, changed: &[LiveSession], gone: &[String]) -> Result<(), StoreError> {
        for batch in changed.chunks(BATCH) {
            let updates = batch.iter().map(|session| {
                let set = doc! { "run": run, "session": serialize_to_document(session)? };
                Ok(doc! { "q": { "_id": &session.id }, "u": { "$set": set }, "upsert": true })
            });
            let updates: Vec<Document> = updates.collect::<Result<_, StoreError>>()?;
            self.write(doc! { "update": self.sessions.name(), "updates": updates }).await?;
        }
        for batch in gone.chunks(BATCH) {
            let delete = doc! { "q": { "_id": { "$in": batch } }, "limit": 0 };
            self.write(doc! { "delete": self.sessions.name(), "deletes": [delete] }).await?;
        }
        Ok(())
    }

    async fn live(&self, query: &SessionQuery, most: u32) -> Result<Vec<LiveSession>, StoreError> {
        let mut filter = doc! { "run": { "$in": self.alive().await? } };
        if let Some(after) = &query.after {
            filter.insert("_id", doc! { "$gt": after });
        }
        if let Some(user) = &query.user {
            filter.insert("session.user", user.as_str());
        }
        if let Some(node) = &query.node {
            filter.insert("session.node", node);
        }
        let found = self.sessions.find(filter).sort(doc! { "_id": 1 }).limit(i64::from(most));
        let found: Vec<Document> = self.ask(async { found.await?.try_collect().await }).await?;
        found.into_iter().map(parse).collect()
    }

    async fn ask_to_end(&self, id: &str) -> Result<(), StoreError> {
        let filter = doc! { "_id": id, "run": { "$in": self.alive().await? } };
        let asked = self.sessions.update_one(filter, doc! { "$set": { "end_requested": true } });
        if self.ask(asked).await?.matched_count == 1 { Ok(()) } else { Err(StoreError::NotFound) }
    }

    async fn asked_to_end(&self, run: &str) -> Result<Vec<String>, StoreError> {
        let sessions = self.sessions.clone_with_type::<Id>();
        let asked = sessions.find(doc! { "run": run, "end_requested": true }).projection(doc! { "_id": 1 });
        let asked: Vec<Id> = self.ask(async { asked.await?.try_collect().await }).await?;
        Ok(asked.into_iter().map(|found| found.id).collect())
    }
}

impl Mongo {
    /// The runs of nodes that live.
    pub(super) async fn alive(&self) -> Result<Vec<String>, StoreError> {
        let nodes = self.nodes.clone_with_type::<Id>();
        let alive = doc! { "$expr": { "$gt": ["$expires_at", "$$NOW"] } };
        let alive = nodes.find(alive).projection(doc! { "_id": 1 });
        let alive: Vec<Id> = self.ask(async { alive.await?.try_collect().await }).await?;
        Ok(alive.into_iter().map(|node| node.id).collect())
    }

    /// Many writes in one command; one that is refused does not keep the others from being done.
    async fn write(&self, mut command: Document) -> Result<(), StoreError> {
        command.extend(doc! { "ordered": false, "writeConcern": { "w": 1 } });
        let answer = self.ask(self.database.run_command(command)).await?;
        match answer.get_array("writeErrors").ok().and_then(|errors| errors.first()) {
            Some(first) => Err(StoreError::Unavailable(format!("a write was refused: {first}"))),
            None => Ok(()),
        }
    }
}

impl StoredNode {
    fn into_run(self) -> Result<Run, StoreError> {
        let (now, last_seen) = (self.now.timestamp_millis(), self.last_seen_at.timestamp_millis());
        let last_seen_at = Timestamp::from_millisecond(last_seen);
        let node = Node {
            last_seen_at: last_seen_at
                .map_err(|error| StoreError::Corrupt(format!("node {}: {error}", self.run)))?,
            name: self.name,
            version: self.version,
            started_at: self.started_at,
            sessions: self.sessions,
        };
        let unseen_for = SignedDuration::from_millis(now.saturating_sub(last_seen));
        Ok(Run { id: self.run, node, alive: self.expires_at > self.now, unseen_for })
    }
}

fn parse(mut stored: Document) -> Result<LiveSession, StoreError> {
    match stored.remove("session") {
        Some(Bson::Document(session)) => Ok(deserialize_from_document(session)?),
        _ => Err(StoreError::Corrupt("a session without its description".to_owned())),
    }
}
