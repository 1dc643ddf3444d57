//! Brute-force locks, lifted. The locks themselves live in the file servers' memory, on every node;
//! so that none has to be found and told, an unlock is written down, and they all look for new ones.

use jiff::{SignedDuration, Timestamp};

use crate::Accounts;
use crate::store::StoreError;
use crate::user::{UserDetail, Username};

/// Every server has seen an unlock long before it is this old.
const KEPT: SignedDuration = SignedDuration::from_hours(1);

/// That the locks which failed logins in this name have brought about are lifted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unlock {
    /// The name.
    pub username: Username,
    /// When it was lifted; a later time is another unlock.
    pub at: Timestamp,
}

impl Accounts {
    /// Lifts the locks that failed logins in this user's name have brought about, on every server,
    /// within a few seconds.
    pub async fn unlock(&self, name: &Username) -> Result<UserDetail, StoreError> {
        let detail = self.user(name).await?;
        let now = self.now();
        let forgotten = now.checked_sub(KEPT).unwrap_or(Timestamp::MIN);
        self.inner.stores.unlocks.insert(&Unlock { username: name.clone(), at: now }, forgotten).await?;
        Ok(detail)
    }

    /// The unlocks of about the last hour, for the servers that have to carry them out.
    pub async fn unlocks(&self) -> Result<Vec<Unlock>, StoreError> {
        self.inner.stores.unlocks.all().await
    }
}
