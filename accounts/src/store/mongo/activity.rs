//! What happened around users, in MongoDB. One member's acknowledgement is enough here: a login noted
//! a moment before a crash may be forgotten, and must not wait for a majority.

use std::collections::HashMap;

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use mongodb::bson::doc;
use mongodb::options::WriteConcern;
use serde::Deserialize;

use super::Mongo;
use crate::store::{ActivityStore, StoreError};
use crate::user::Activity;

#[derive(Deserialize)]
struct Stored {
    #[serde(rename = "_id")]
    id: String,
    last_login_at: Option<Timestamp>,
    previous_password_last_used_at: Option<Timestamp>,
}

#[async_trait]
impl ActivityStore for Mongo {
    async fn record_login(&self, id: &str, at: Timestamp, with_previous: bool) -> Result<(), StoreError> {
        let mut set = doc! { "last_login_at": at.to_string() };
        if with_previous {
            set.insert("previous_password_last_used_at", at.to_string());
        }
        let upsert = self
            .activity
            .update_one(doc! { "_id": id }, doc! { "$set": set })
            .upsert(true)
            .write_concern(WriteConcern::nodes(1));
        self.ask(upsert).await?;
        Ok(())
    }

    async fn of(&self, ids: &[&str]) -> Result<HashMap<String, Activity>, StoreError> {
        let activity = self.activity.clone_with_type::<Stored>();
        let found = activity.find(doc! { "_id": { "$in": ids } });
        let found: Vec<Stored> = self.ask(async { found.await?.try_collect().await }).await?;
        Ok(found.into_iter().map(Stored::into_activity).collect())
    }

    async fn forget(&self, id: &str) -> Result<(), StoreError> {
        self.ask(self.activity.delete_one(doc! { "_id": id })).await?;
        Ok(())
    }
}

impl Stored {
    fn into_activity(self) -> (String, Activity) {
        let activity = Activity {
            last_login_at: self.last_login_at,
            previous_password_last_used_at: self.previous_password_last_used_at,
        };
        (self.id, activity)
    }
}
