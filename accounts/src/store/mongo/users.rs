//! Users in MongoDB: a document each, under the name. Filters are built from typed values only; a
//! search text is a literal, never an expression or a pattern.

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use mongodb::bson::{Document, deserialize_from_document, doc, serialize_to_document};

use super::{Mongo, signed};
use crate::edit::Versions;
use crate::store::{RemovedUser, StoreError, UserRecord, UserStore, agree};
use crate::user::{Home, Stamp, User, Username};
use crate::users::UserQuery;

#[async_trait]
impl UserStore for Mongo {
    async fn insert(&self, record: &UserRecord) -> Result<(), StoreError> {
        self.ask(self.users.insert_one(document(record)?)).await?;
        Ok(())
    }

    async fn find(&self, name: &Username) -> Result<UserRecord, StoreError> {
        let found = self.ask(self.users.find_one(doc! { "_id": name.as_str() })).await?;
        parse(found.ok_or(StoreError::NotFound)?)
    }

    async fn replace(&self, record: &UserRecord, expected: u64) -> Result<(), StoreError> {
        let user = &record.user;
        let unchanged = doc! {
            "_id": user.username.as_str(), "user.id": &user.id, "user.version": signed(expected),
        };
        let done = self.ask(self.users.replace_one(unchanged, document(record)?)).await?;
        if done.matched_count == 1 { Ok(()) } else { Err(self.absent_or_changed(&user.username).await) }
    }

    async fn remove(
        &self,
        name: &Username,
        id: Option<&str>,
        expected: &Versions,
    ) -> Result<RemovedUser, StoreError> {
        let mut which = doc! { "_id": name.as_str() };
        if let Some(id) = id {
            which.insert("user.id", id);
        }
        if let Versions::OneOf(versions) = expected {
            let versions: Vec<i64> = versions.iter().map(|version| signed(*version)).collect();
            which.insert("user.version", doc! { "$in": versions });
        }
        match self.ask(self.users.find_one_and_delete(which)).await? {
            Some(removed) => {
                let id = id_of(&removed).unwrap_or_default().to_owned();
                Ok(RemovedUser { id, user: parse(removed).ok().map(|record| record.user) })
            }
            None => Err(self.absent_or_changed(name).await),
        }
    }

    async fn page(&self, query: &UserQuery, most: u32) -> Result<Vec<User>, StoreError> {
        let mut matching = matching(query);
        if let Some(after) = &query.after {
            matching.insert("_id", doc! { "$gt": after.as_str() });
        }
        let found = self.users.find(matching).sort(doc! { "_id": 1 }).limit(i64::from(most));
        let found: Vec<Document> = self.ask(async { found.await?.try_collect().await }).await?;
        found.into_iter().map(|document| Ok(parse(document)?.user)).collect()
    }

    async fn count(&self, query: &UserQuery) -> Result<u64, StoreError> {
        self.ask(self.users.count_documents(matching(query))).await
    }

    async fn stamps(&self, names: &[&Username]) -> Result<Vec<Stamp>, StoreError> {
        let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
        let found = self
            .users
            .find(doc! { "_id": { "$in": names } })
            .projection(doc! { "user.id": 1, "user.version": 1 });
        let found: Vec<Document> = self.ask(async { found.await?.try_collect().await }).await?;
        // One that cannot be read is left out, and so counts as gone: its sessions end.
        Ok(found.iter().filter_map(stamp).collect())
    }

    async fn overlapping(&self, home: &Home) -> Result<Vec<Stamp>, StoreError> {
        let around: Vec<String> = home.and_around().into_iter().map(String::from).collect();
        // '0' is the character behind '/'.
        let within = doc! { "$gte": format!("{home}/"), "$lt": format!("{home}0") };
        let either = vec![doc! { "user.home": { "$in": around } }, doc! { "user.home": within }];
        let found =
            self.users.find(doc! { "$or": either }).projection(doc! { "user.id": 1, "user.version": 1 });
        let found: Vec<Document> = self.ask(async { found.await?.try_collect().await }).await?;
        Ok(found.iter().filter_map(stamp).collect())
    }
}

impl Mongo {
    async fn absent_or_changed(&self, name: &Username) -> StoreError {
        let there = self.users.find_one(doc! { "_id": name.as_str() }).projection(doc! { "_id": 1 });
        match self.ask(there).await {
            Ok(Some(_)) => StoreError::Conflict,
            Ok(None) => StoreError::NotFound,
            Err(error) => error,
        }
    }
}

fn matching(query: &UserQuery) -> Document {
    let mut filter = Document::new();
    if let Some(status) = query.status {
        filter.insert("user.status", status.as_str());
    }
    if let Some(text) = &query.search {
        let found_at = doc! { "$indexOfBytes": ["$searchable", { "$literal": text.to_lowercase() }] };
        filter.insert("$expr", doc! { "$gte": [found_at, 0] });
    }
    filter
}

fn document(record: &UserRecord) -> Result<Document, StoreError> {
    let mut document = doc! { "_id": record.user.username.as_str(), "searchable": record.searchable() };
    document.extend(serialize_to_document(record)?);
    Ok(document)
}

fn parse(mut document: Document) -> Result<UserRecord, StoreError> {
    document.remove("searchable");
    let name = document.remove("_id");
    let name = name.as_ref().and_then(|name| name.as_str()).unwrap_or_default();
    let corrupt = |reason: &dyn std::fmt::Display| StoreError::Corrupt(format!("user {name:?}: {reason}"));
    let record = deserialize_from_document(document).map_err(|error| corrupt(&error))?;
    agree(record, &name.parse().map_err(|error| corrupt(&error))?)
}

fn id_of(document: &Document) -> Option<&str> {
    document.get_document("user").ok()?.get_str("id").ok()
}

fn stamp(document: &Document) -> Option<Stamp> {
    let version = document.get_document("user").ok()?.get_i64("version").ok()?;
    Some(Stamp {
        username: document.get_str("_id").ok()?.parse().ok()?,
        id: id_of(document)?.to_owned(),
        version: version.try_into().ok()?,
    })
}
