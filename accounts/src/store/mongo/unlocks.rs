//! Unlocks in MongoDB.

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use mongodb::bson::{Document, doc};

use super::Mongo;
use crate::store::{StoreError, UnlockStore};
use crate::unlocks::Unlock;

#[async_trait]
impl UnlockStore for Mongo {
    async fn insert(&self, unlock: &Unlock, forget_before: Timestamp) -> Result<(), StoreError> {
        let at = doc! { "$set": { "at": unlock.at.to_string() } };
        self.ask(self.unlocks.update_one(doc! { "_id": unlock.username.as_str() }, at).upsert(true)).await?;
        self.ask(self.unlocks.delete_many(doc! { "at": { "$lt": forget_before.to_string() } })).await?;
        Ok(())
    }

    async fn all(&self) -> Result<Vec<Unlock>, StoreError> {
        let found: Vec<Document> =
            self.ask(async { self.unlocks.find(Document::new()).await?.try_collect().await }).await?;
        // What can't be read was not written by us, and unlocks nobody.
        let unlock = |document: &Document| {
            let username = document.get_str("_id").ok()?.parse().ok()?;
            Some(Unlock { username, at: document.get_str("at").ok()?.parse().ok()? })
        };
        Ok(found.iter().filter_map(unlock).collect())
    }
}
