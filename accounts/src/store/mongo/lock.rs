//! The lock under which migrations run: one document that expires, so that a program which died with it
//! does not keep others out. Time is the database's, not that of the programs.

use std::time::Duration;

use mongodb::bson::doc;
use tokio::time::{Instant, sleep};

use super::Mongo;
use crate::store::{MigrateError, StoreError};

/// How long a program that died keeps others waiting.
const LEASE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(200);

pub(super) struct Lock<'a> {
    store: &'a Mongo,
    holder: String,
}

impl<'a> Lock<'a> {
    /// Waits for the lock; `Locked` if whoever holds it is alive and does not finish.
    pub(super) async fn take(store: &'a Mongo, holder: String) -> Result<Self, MigrateError> {
        let lock = Self { store, holder };
        let give_up = Instant::now() + LEASE + store.timeout;
        while !lock.hold().await? {
            if Instant::now() >= give_up {
                return Err(MigrateError::Locked);
            }
            sleep(PAUSE).await;
        }
        Ok(lock)
    }

    /// Takes or prolongs the lock; `false` if somebody else has it.
    pub(super) async fn hold(&self) -> Result<bool, StoreError> {
        let expired = doc! { "_id": "lock", "$expr": { "$lt": ["$expires_at", "$$NOW"] } };
        self.store.ask(self.store.locks.delete_one(expired)).await?;
        let lease = i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX);
        // Where somebody else's lock stands, nothing matches, and inserting meets the taken `_id`.
        let hold = self
            .store
            .locks
            .update_one(
                doc! { "_id": "lock", "holder": &self.holder },
                vec![doc! { "$set": { "expires_at": { "$add": ["$$NOW", lease] } } }],
            )
            .upsert(true);
        match self.store.ask(hold).await {
            Ok(_) => Ok(true),
            Err(StoreError::Taken) => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn release(self) -> Result<(), StoreError> {
        self.store.ask(self.store.locks.delete_one(doc! { "_id": "lock", "holder": &self.holder })).await?;
        Ok(())
    }
}
