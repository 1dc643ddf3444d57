//! API keys in MongoDB, in a collection the file server's login need not read.

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use mongodb::bson::{Document, deserialize_from_document, doc, serialize_to_document};

use super::Mongo;
use crate::key::ApiKey;
use crate::store::{KeyRecord, KeyStore, StoreError};

#[async_trait]
impl KeyStore for Mongo {
    async fn insert(&self, record: &KeyRecord) -> Result<(), StoreError> {
        let mut document = doc! { "_id": &record.key.id };
        document.extend(serialize_to_document(record)?);
        self.ask(self.keys.insert_one(document)).await?;
        Ok(())
    }

    async fn find(&self, id: &str) -> Result<(KeyRecord, Option<Timestamp>), StoreError> {
        let found = self.ask(self.keys.find_one(doc! { "_id": id })).await?;
        parse(found.ok_or(StoreError::NotFound)?)
    }

    async fn page(&self, after: &str, most: u32) -> Result<Vec<(ApiKey, Option<Timestamp>)>, StoreError> {
        let found = self.keys.find(doc! { "_id": { "$gt": after } });
        let found = found.sort(doc! { "_id": 1 }).limit(i64::from(most));
        let found: Vec<Document> = self.ask(async { found.await?.try_collect().await }).await?;
        found.into_iter().map(|document| parse(document).map(|(record, used)| (record.key, used))).collect()
    }

    async fn remove(&self, id: &str) -> Result<(), StoreError> {
        let done = self.ask(self.keys.delete_one(doc! { "_id": id })).await?;
        if done.deleted_count == 1 { Ok(()) } else { Err(StoreError::NotFound) }
    }

    async fn note_use(&self, id: &str, at: Timestamp) -> Result<(), StoreError> {
        let used = doc! { "$set": { "last_used_at": at.to_string() } };
        self.ask(self.keys.update_one(doc! { "_id": id }, used)).await?;
        Ok(())
    }
}

fn parse(mut document: Document) -> Result<(KeyRecord, Option<Timestamp>), StoreError> {
    document.remove("_id");
    let used = document.remove("last_used_at");
    let corrupt = |reason: &dyn std::fmt::Display| StoreError::Corrupt(format!("an API key: {reason}"));
    let used = used.as_ref().and_then(|used| used.as_str()).map(str::parse).transpose();
    let used = used.map_err(|error: jiff::Error| corrupt(&error))?;
    let record = deserialize_from_document(document).map_err(|error| corrupt(&error))?;
    Ok((record, used))
}
