//! Migrations of the MongoDB store, and its change streams. A migration is a list of database commands
//! that may be run again: one that was cut short is simply repeated.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use mongodb::bson::{Document, doc};
use tokio::sync::watch;
use tokio::time::sleep;

use super::lock::Lock;
use super::{Mongo, UNAUTHORIZED, write_code};
use crate::random_id;
use crate::store::{MigrateError, Migration, StoreError, Upkeep};

/// Numbered from 1 without gaps; never changed once released.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("../../../../migrations/mongodb/0001_users.json"),
    include_str!("../../../../migrations/mongodb/0002_audit.json"),
    include_str!("../../../../migrations/mongodb/0003_admins.json"),
    include_str!("../../../../migrations/mongodb/0004_presence.json"),
    include_str!("../../../../migrations/mongodb/0005_usage.json"),
    include_str!("../../../../migrations/mongodb/0006_removal.json"),
];

const NEWEST: u32 = 6;
const _: () = assert!(MIGRATIONS.len() == NEWEST as usize);

const NAMESPACE_EXISTS: i32 = 48;
const NOT_A_REPLICA_SET: i32 = 40_573;

#[async_trait]
impl Upkeep for Mongo {
    async fn version(&self) -> Result<u32, StoreError> {
        let newest = self.migrations.find_one(Document::new()).sort(doc! { "_id": -1 });
        let Some(newest) = self.ask(newest).await? else { return Ok(0) };
        let number = newest.get_i64("_id").ok().and_then(|number| u32::try_from(number).ok());
        number.ok_or_else(|| StoreError::Corrupt("migrations: a record without its number".to_owned()))
    }

    fn newest(&self) -> u32 {
        NEWEST
    }

    async fn migrate(&self) -> Result<Migration, MigrateError> {
        let from = self.version().await?;
        let migration = if from == NEWEST {
            Migration { from, to: NEWEST }
        } else {
            let holder = random_id().map_err(|error| StoreError::Unavailable(error.to_string()))?;
            let lock = Lock::take(self, holder).await?;
            let done = self.migrate_locked(&lock).await;
            lock.release().await?;
            done?
        };
        self.keep_roles().await?;
        Ok(migration)
    }

    /// Opens the change streams again whenever one breaks, for as long as there can be some.
    async fn follow(&self, changes: watch::Sender<u64>) {
        loop {
            match self.listen(&changes).await {
                Err(error) if matches!(write_code(&error), Some(UNAUTHORIZED | NOT_A_REPLICA_SET)) => {
                    tracing::info!(%error, "no change stream here; changes are polled for");
                    return;
                }
                Err(error) => tracing::debug!(%error, "a change stream broke; opening others"),
                Ok(()) => tracing::debug!("a change stream ended; opening others"),
            }
            sleep(Duration::from_secs(5)).await;
        }
    }
}

impl Mongo {
    /// Signals each change of a user and each session that is to end.
    async fn listen(&self, changes: &watch::Sender<u64>) -> Result<(), mongodb::error::Error> {
        let brief = doc! { "$project": { "operationType": 1, "ns": 1 } };
        let asked_to_end = doc! { "$match": { "updateDescription.updatedFields.end_requested": true } };
        let mut users = self.users.watch().pipeline([brief.clone()]).await?;
        let mut sessions = self.sessions.watch().pipeline([asked_to_end, brief]).await?;
        loop {
            // At once, too: what changed before the streams were open is not in them.
            changes.send_modify(|count| *count = count.wrapping_add(1));
            let event = tokio::select! {
                event = users.try_next() => event?,
                event = sessions.try_next() => event?,
            };
            if event.is_none() {
                return Ok(());
            }
        }
    }

    async fn migrate_locked(&self, lock: &Lock<'_>) -> Result<Migration, MigrateError> {
        let from = self.version().await?;
        if from > NEWEST {
            return Err(MigrateError::Newer { store: from, program: NEWEST });
        }
        for (number, json) in (1_u32..).zip(MIGRATIONS).skip_while(|(number, _)| *number <= from) {
            for command in commands(json)? {
                if !lock.hold().await? {
                    return Err(MigrateError::Locked);
                }
                self.apply(command).await?;
            }
            self.record(number).await?;
        }
        Ok(Migration { from, to: NEWEST })
    }

    async fn apply(&self, command: Document) -> Result<(), StoreError> {
        let run = self.database.run_command(command.clone());
        if self.ask_or_refused(&[NAMESPACE_EXISTS], run).await?.is_err() {
            // Made by a run that was cut short, or by a write that came before the migration.
            let collection = command.get_str("create").unwrap_or_default();
            let validator = command.get_document("validator").cloned().unwrap_or_default();
            let modify = doc! { "collMod": collection, "validator": validator };
            self.ask(self.database.run_command(modify)).await?;
        }
        Ok(())
    }

    async fn record(&self, number: u32) -> Result<(), StoreError> {
        let applied = doc! { "$setOnInsert": { "applied_at": Timestamp::now().to_string() } };
        let record = self.migrations.update_one(doc! { "_id": i64::from(number) }, applied).upsert(true);
        self.ask(record).await?;
        Ok(())
    }
}

pub(super) fn commands(json: &str) -> Result<Vec<Document>, StoreError> {
    serde_json::from_str(json).map_err(|error| StoreError::Corrupt(format!("a migration: {error}")))
}
