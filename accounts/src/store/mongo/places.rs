//! The places of users in MongoDB: one document a user, so that a change of it is one step for all
//! nodes. Where all places are held, the condition finds no document, and making another one meets
//! the taken `_id`.

use async_trait::async_trait;
use mongodb::bson::doc;
use serde::Deserialize;

use super::Mongo;
use crate::store::{Holder, PlaceStore, StoreError};

/// How often to look for a place while others come, go and die.
const TRIES: usize = 10;

#[derive(Deserialize)]
struct Stored {
    held: Vec<Held>,
}

#[derive(Deserialize)]
struct Held {
    run: String,
}

#[async_trait]
impl PlaceStore for Mongo {
    async fn take(&self, user: &str, holder: Holder<'_>, most: Option<u32>) -> Result<bool, StoreError> {
        if most == Some(0) {
            return Ok(false);
        }
        for _ in 0..TRIES {
            match self.push(user, holder, most).await {
                Err(StoreError::Taken) => {}
                taken => return taken.map(|()| true),
            }
            if !self.make_room(user, most).await? {
                return Ok(false);
            }
        }
        Ok(false)
    }

    async fn give_back(&self, user: &str, holder: &str) -> Result<(), StoreError> {
        let pull = doc! { "$pull": { "held": { "holder": holder } } };
        self.ask(self.places.update_one(doc! { "_id": user }, pull)).await?;
        self.ask(self.places.delete_one(doc! { "_id": user, "held": [] })).await?;
        Ok(())
    }
}

impl Mongo {
    /// `Taken` if there is no place, or if somebody else was just making the document.
    async fn push(&self, user: &str, holder: Holder<'_>, most: Option<u32>) -> Result<(), StoreError> {
        let mut filter = doc! { "_id": user };
        if let Some(last) = most.map(|most| most.saturating_sub(1)) {
            filter.insert(format!("held.{last}"), doc! { "$exists": false });
        }
        let held = doc! { "holder": holder.holder, "run": holder.run };
        let push = self.places.update_one(filter, doc! { "$push": { "held": held } }).upsert(true);
        self.ask(push).await.map(drop)
    }

    /// Whether there may be a place now, be it because those of dead nodes have been cleared away.
    async fn make_room(&self, user: &str, most: Option<u32>) -> Result<bool, StoreError> {
        let places = self.places.clone_with_type::<Stored>();
        let Some(stored) = self.ask(places.find_one(doc! { "_id": user })).await? else { return Ok(true) };
        let alive = self.alive().await?;
        let dead: Vec<&str> = stored
            .held
            .iter()
            .map(|held| held.run.as_str())
            .filter(|run| !alive.iter().any(|id| id == run))
            .collect();
        if dead.is_empty() {
            return Ok(most.is_none_or(|most| stored.held.len() < most as usize));
        }
        let pull = doc! { "$pull": { "held": { "run": { "$in": dead } } } };
        self.ask(self.places.update_one(doc! { "_id": user }, pull)).await?;
        Ok(true)
    }
}
