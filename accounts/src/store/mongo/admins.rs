//! Admins in MongoDB, in a collection the file server's login need not read. A change that takes an
//! owner away runs in a transaction that also writes one shared document: of two at once, one has to
//! wait and look again, so that they can't take away the last two owners.

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use mongodb::ClientSession;
use mongodb::bson::{Document, deserialize_from_document, doc, serialize_to_document};

use super::{Mongo, signed};
use crate::admin::Admin;
use crate::store::{AdminRecord, AdminStore, StoreError};
use crate::user::Username;

#[async_trait]
impl AdminStore for Mongo {
    async fn insert(&self, record: &AdminRecord) -> Result<(), StoreError> {
        self.ask(self.admins.insert_one(document(record)?)).await?;
        Ok(())
    }

    async fn find(&self, name: &Username) -> Result<AdminRecord, StoreError> {
        let found = self.ask(self.admins.find_one(doc! { "_id": name.as_str() })).await?;
        parse(found.ok_or(StoreError::NotFound)?)
    }

    async fn any(&self) -> Result<bool, StoreError> {
        let any = self.admins.find_one(Document::new()).projection(doc! { "_id": 1 });
        Ok(self.ask(any).await?.is_some())
    }

    async fn page(&self, after: Option<&Username>, most: u32) -> Result<Vec<Admin>, StoreError> {
        // No name is before the empty one.
        let after = after.map_or("", Username::as_str);
        let found = self.admins.find(doc! { "_id": { "$gt": after } });
        let found = found.sort(doc! { "_id": 1 }).limit(i64::from(most));
        let found: Vec<Document> = self.ask(async { found.await?.try_collect().await }).await?;
        found.into_iter().map(|document| Ok(parse(document)?.admin)).collect()
    }

    async fn replace(&self, record: &AdminRecord, expected: u64) -> Result<(), StoreError> {
        let admin = &record.admin;
        let change = Change { admin, expected, to: Some(document(record)?) };
        self.change_admin(&change, admin.is_enabled_owner()).await
    }

    async fn remove(&self, admin: &Admin) -> Result<(), StoreError> {
        self.change_admin(&Change { admin, expected: admin.version, to: None }, false).await
    }
}

/// A change to one version of an admin: to another document, or to none.
struct Change<'a> {
    admin: &'a Admin,
    expected: u64,
    to: Option<Document>,
}

/// What became of a change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Done,
    NoSuchVersion,
    LastOwner,
}

impl Mongo {
    async fn change_admin(&self, change: &Change<'_>, stays_owner: bool) -> Result<(), StoreError> {
        let outcome = self.ask(async {
            let mut session = self.database.client().start_session().await?;
            let transaction = session.start_transaction();
            transaction
                .and_run(change, |session, change| {
                    Box::pin(self.change_if_an_owner_stays(session, change, stays_owner))
                })
                .await
        });
        match outcome.await? {
            Outcome::Done => Ok(()),
            Outcome::LastOwner => Err(StoreError::LastOwner),
            Outcome::NoSuchVersion => match self.find(&change.admin.username).await {
                Ok(_) => Err(StoreError::Conflict),
                Err(error) => Err(error),
            },
        }
    }

    async fn change_if_an_owner_stays(
        &self,
        session: &mut ClientSession,
        change: &Change<'_>,
        stays_owner: bool,
    ) -> Result<Outcome, mongodb::error::Error> {
        let (name, id) = (change.admin.username.as_str(), &change.admin.id);
        let this = doc! { "_id": name, "admin.id": id, "admin.version": signed(change.expected) };
        if !stays_owner {
            // Written first: whoever else is about to take an owner away now waits for this one.
            let count = doc! { "$inc": { "changes": 1_i64 } };
            self.guards
                .update_one(doc! { "_id": "owners" }, count)
                .upsert(true)
                .session(&mut *session)
                .await?;
            let owner = doc! { "admin.role": "owner", "admin.status": "active" };
            let mut this_owner = this.clone();
            this_owner.extend(owner.clone());
            let mut others = doc! { "_id": { "$ne": name } };
            others.extend(owner);
            if self.admins.find_one(this_owner).session(&mut *session).await?.is_some()
                && self.admins.find_one(others).session(&mut *session).await?.is_none()
            {
                return Ok(Outcome::LastOwner);
            }
        }
        let matched = match &change.to {
            Some(to) => self.admins.replace_one(this, to).session(session).await?.matched_count,
            None => self.admins.delete_one(this).session(session).await?.deleted_count,
        };
        Ok(if matched == 1 { Outcome::Done } else { Outcome::NoSuchVersion })
    }
}

fn document(record: &AdminRecord) -> Result<Document, StoreError> {
    let mut document = doc! { "_id": record.admin.username.as_str() };
    document.extend(serialize_to_document(record)?);
    Ok(document)
}

fn parse(mut document: Document) -> Result<AdminRecord, StoreError> {
    let name = document.remove("_id").and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default();
    deserialize_from_document(document).map_err(|error| StoreError::Corrupt(format!("admin {name}: {error}")))
}
