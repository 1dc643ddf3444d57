//! Admins in MongoDB, in a collection the file server's login need not read.

use async_trait::async_trait;
use mongodb::bson::{Document, deserialize_from_document, doc, serialize_to_document};

use super::Mongo;
use crate::store::{AdminRecord, AdminStore, StoreError};
use crate::user::Username;

#[async_trait]
impl AdminStore for Mongo {
    async fn insert(&self, record: &AdminRecord) -> Result<(), StoreError> {
        let mut document = doc! { "_id": record.admin.username.as_str() };
        document.extend(serialize_to_document(record)?);
        self.ask(self.admins.insert_one(document)).await?;
        Ok(())
    }

    async fn find(&self, name: &Username) -> Result<AdminRecord, StoreError> {
        let found = self.ask(self.admins.find_one(doc! { "_id": name.as_str() })).await?;
        let mut document = found.ok_or(StoreError::NotFound)?;
        document.remove("_id");
        deserialize_from_document(document)
            .map_err(|error| StoreError::Corrupt(format!("admin {name}: {error}")))
    }

    async fn any(&self) -> Result<bool, StoreError> {
        let any = self.admins.find_one(Document::new()).projection(doc! { "_id": 1 });
        Ok(self.ask(any).await?.is_some())
    }
}
