//! A user's places: as many as `limits.max_sessions` says, over all nodes. A place is a guard, so
//! that it is given back however its session ends; what the store has not heard of yet is kept
//! until it has.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;

use super::Presence;
use crate::store::{Holder, StoreError};

/// A client that leaves and comes back at once may be quicker than its old session's end.
const SECOND_LOOK: Duration = Duration::from_millis(300);

/// A place of a user, held by one session. Dropping it gives it back.
pub struct UserPlace {
    places: Arc<Places>,
    holder: String,
}

/// The places of this node.
#[derive(Default)]
pub(super) struct Places {
    book: Mutex<Book>,
    last: AtomicU64,
    left: Notify,
}

/// By holder, whose place it is.
#[derive(Default)]
struct Book {
    held: HashMap<String, String>,
    left: HashMap<String, String>,
}

impl Presence {
    /// Takes a place for a session of the user with this id, unless sessions that live, on whatever
    /// node, hold `most` already. Two nodes that ask at the same time do not both get the last one.
    pub async fn take_place(&self, user: &str, most: u32) -> Result<Option<UserPlace>, StoreError> {
        let place = self.places.enter(&self.run, user);
        if self.take(user, &place.holder, Some(most)).await? {
            return Ok(Some(place));
        }
        self.give_back_places().await?;
        sleep(SECOND_LOOK).await;
        let taken = self.take(user, &place.holder, Some(most)).await?;
        Ok(taken.then_some(place))
    }

    /// A place for a session that was there before its user had a limit.
    pub async fn add_place(&self, user: &str) -> Result<UserPlace, StoreError> {
        let place = self.places.enter(&self.run, user);
        self.take(user, &place.holder, None).await?;
        Ok(place)
    }

    /// Tells the store which places are free again; what it can't be told now is kept for later.
    pub async fn give_back_places(&self) -> Result<(), StoreError> {
        let left = self.places.book().left.clone();
        for (holder, user) in left {
            self.stores.places.give_back(&user, &holder).await?;
            self.places.book().left.remove(&holder);
        }
        Ok(())
    }

    /// Tells the store of all places held here, after it may have taken this node for dead.
    pub async fn claim_places(&self) -> Result<(), StoreError> {
        let held = self.places.book().held.clone();
        for (holder, user) in held {
            self.stores.places.give_back(&user, &holder).await?;
            self.take(&user, &holder, None).await?;
            // Left in between: somebody else would have to give it back.
            let mut book = self.places.book();
            if !book.held.contains_key(&holder) {
                book.left.insert(holder, user);
            }
        }
        Ok(())
    }

    /// Waits until a place has been left.
    pub async fn place_left(&self) {
        self.places.left.notified().await;
    }

    async fn take(&self, user: &str, holder: &str, most: Option<u32>) -> Result<bool, StoreError> {
        self.announce().await?;
        self.stores.places.take(user, Holder { holder, run: &self.run }, most).await
    }
}

impl Places {
    /// Entered before the store is asked, so that nothing it gives is forgotten.
    fn enter(self: &Arc<Self>, run: &str, user: &str) -> UserPlace {
        let number = self.last.fetch_add(1, Ordering::Relaxed);
        let holder = format!("{run}-{number}");
        self.book().held.insert(holder.clone(), user.to_owned());
        UserPlace { places: Arc::clone(self), holder }
    }

    /// A panic elsewhere leaves the book whole, so a poisoned lock is still good.
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for UserPlace {
    fn drop(&mut self) {
        let mut book = self.places.book();
        if let Some(user) = book.held.remove(&self.holder) {
            book.left.insert(std::mem::take(&mut self.holder), user);
        }
        drop(book);
        self.places.left.notify_one();
    }
}
