//! What homes hold, in MongoDB: a document a home, replaced at the version it was read at. A majority
//! acknowledges it, since what a failover loses would be granted twice.

use std::collections::HashMap;

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use mongodb::bson::{Document, deserialize_from_document, doc, serialize_to_document};

use super::{Mongo, signed};
use crate::store::{StoreError, UsageStore};
use crate::usage::{Usage, UsageRecord};
use crate::user::Home;

/// Homes to be counted that are named at once.
const SOME: i64 = 20;

#[async_trait]
impl UsageStore for Mongo {
    async fn insert(&self, record: &UsageRecord) -> Result<(), StoreError> {
        self.ask(self.usage.insert_one(document(record)?)).await?;
        Ok(())
    }

    async fn find(&self, home: &Home) -> Result<Option<UsageRecord>, StoreError> {
        self.ask(self.usage.find_one(doc! { "_id": home.as_str() })).await?.map(parse).transpose()
    }

    async fn replace(&self, record: &UsageRecord, expected: u64) -> Result<(), StoreError> {
        let unchanged = doc! { "_id": record.home.as_str(), "version": signed(expected) };
        let done = self.ask(self.usage.replace_one(unchanged, document(record)?)).await?;
        if done.matched_count == 1 { Ok(()) } else { Err(StoreError::Conflict) }
    }

    async fn of(&self, homes: &[&Home]) -> Result<HashMap<Home, Usage>, StoreError> {
        let homes: Vec<&str> = homes.iter().map(|home| home.as_str()).collect();
        let found = self.all_usage(doc! { "_id": { "$in": homes } }, 0).await?;
        Ok(found.into_iter().map(|record| (record.home.clone(), record.usage())).collect())
    }

    async fn wanted(&self) -> Result<Vec<UsageRecord>, StoreError> {
        let asked = |what: &str| doc! { format!("{what}.asked_at"): { "$exists": true } };
        self.all_usage(doc! { "$or": [asked("recount"), asked("removal")] }, SOME).await
    }

    async fn held_by(&self, run: &str) -> Result<Vec<UsageRecord>, StoreError> {
        self.all_usage(doc! { "holds.holder": run }, 0).await
    }
}

impl Mongo {
    /// At most so many; 0 is all.
    async fn all_usage(&self, filter: Document, most: i64) -> Result<Vec<UsageRecord>, StoreError> {
        let found = self.usage.find(filter).limit(most);
        let found: Vec<Document> = self.ask(async { found.await?.try_collect().await }).await?;
        found.into_iter().map(parse).collect()
    }
}

fn document(record: &UsageRecord) -> Result<Document, StoreError> {
    let mut document = doc! { "_id": record.home.as_str() };
    document.extend(serialize_to_document(record)?);
    Ok(document)
}

fn parse(mut document: Document) -> Result<UsageRecord, StoreError> {
    document.remove("_id");
    deserialize_from_document(document).map_err(|error| StoreError::Corrupt(format!("usage: {error}")))
}
