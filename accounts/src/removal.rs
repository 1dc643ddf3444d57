//! Removing a user together with the files. The admin API knows no files, so it writes down that a home is
//! to go, with what is known of that home, and a file server carries it out. Nobody can be given such a
//! home meanwhile, and a home that others use as well is never removed.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::presence::Presence;
use crate::store::{StoreError, Stores};
use crate::usage::{self, UsageRecord};
use crate::user::{Home, Username};
use crate::{Accounts, ChangeError, random_id};

/// The user whose home is to go is removed right after that was written down; where that did not happen,
/// nothing else happens either.
const LONG_SINCE: SignedDuration = SignedDuration::from_mins(1);

/// That a home is to be removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Removal {
    /// Random; names what is left of the home while it is being removed.
    pub(crate) id: String,
    /// Of the user who goes with it.
    user: String,
    asked_at: Timestamp,
    /// The run that does it.
    by: Option<String>,
}

impl Accounts {
    /// Removes a user, and has a file server remove the files. `SharedHome` if somebody else's home is the
    /// same, in it or around it; `Conflict` if `if_match` is given and is not the user's version.
    pub async fn remove_user_and_files(
        &self,
        name: &Username,
        if_match: Option<u64>,
    ) -> Result<(), ChangeError> {
        let (stores, now) = (&self.inner.stores, self.now());
        let user = stores.users.find(name).await?.user;
        let removal = Removal { id: random_id()?, user: user.id.clone(), asked_at: now, by: None };
        let mark = |record: &mut UsageRecord| record.removal = Some(removal.clone());
        usage::change(&stores.usage, &user.home, now, mark).await?;
        let removed = self.remove_alone(name, &user.home, if_match).await;
        if removed.is_err() {
            let unmark = |record: &mut UsageRecord| record.removal = None;
            usage::change(&stores.usage, &user.home, now, unmark).await?;
        }
        Ok(removed?)
    }

    async fn remove_alone(
        &self,
        name: &Username,
        home: &Home,
        if_match: Option<u64>,
    ) -> Result<(), StoreError> {
        let sharers = self.inner.stores.users.overlapping(home).await?;
        if sharers.iter().any(|stamp| stamp.username != *name) {
            return Err(StoreError::SharedHome);
        }
        self.remove_user(name, if_match).await
    }
}

impl Presence {
    /// A home to be removed by this server now, and the removal's id; whoever else uses it by now keeps it.
    pub async fn claim_removal(&self) -> Result<Option<(Home, String)>, StoreError> {
        let wanted = self.stores.usage.wanted().await?;
        if wanted.iter().all(|record| record.removal.is_none()) {
            return Ok(None);
        }
        let alive = self.alive().await?;
        for mut record in wanted {
            let Some(removal) = record.removal.clone() else { continue };
            let sharers = self.stores.users.overlapping(&record.home).await?;
            if sharers.is_empty() {
                let taken = removal.by.as_ref().is_some_and(|by| *by != self.run && alive.contains(by));
                if taken {
                    continue;
                }
                record.removal = Some(Removal { by: Some(self.run.clone()), ..removal.clone() });
            } else if Timestamp::now().duration_since(removal.asked_at) < LONG_SINCE
                && sharers.iter().any(|stamp| stamp.id == removal.user)
            {
                continue;
            } else {
                tracing::warn!(
                    home = record.home.as_str(),
                    "a home that was to be removed is in use and stays"
                );
                record.removal = None;
            }
            match usage::write(&self.stores.usage, &mut record).await {
                Ok(()) if sharers.is_empty() => return Ok(Some((record.home, removal.id))),
                Ok(()) | Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// The home is gone.
    pub async fn end_removal(&self, home: &Home) -> Result<(), StoreError> {
        let now = Timestamp::now();
        let gone = |record: &mut UsageRecord| {
            record.removal = None;
            record.want_recount(now);
        };
        usage::change(&self.stores.usage, home, now, gone).await
    }
}

impl Stores {
    /// `HomeIsGoing` if this home, or one around it, is being removed.
    pub(crate) async fn may_be_a_home(&self, home: &Home) -> Result<(), StoreError> {
        for home in home.and_around() {
            if self.usage.find(&home).await?.is_some_and(|record| record.removal.is_some()) {
                return Err(StoreError::HomeIsGoing);
            }
        }
        Ok(())
    }
}
