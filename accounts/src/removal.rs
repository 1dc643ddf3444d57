//! Removing a user together with the files. The admin API knows no files, so it writes down that a home is
//! to go, with what is known of that home, and a file server carries it out. Nobody can be given such a
//! home meanwhile, and a home that others use as well is never removed.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::edit::Versions;
use crate::presence::Presence;
use crate::store::{StoreError, Stores};
use crate::usage::{self, UsageRecord};
use crate::user::{Home, User, Username};
use crate::users::TRIES;
use crate::{Accounts, ChangeError, random_id};

/// The user whose home is to go is removed right after that was written down, and who is given the home
/// at that moment loses it again. Where somebody has it for longer, nothing is removed.
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
    /// How many asked and were not refused. Several may ask at once, and one removes the user.
    askers: u32,
    /// The run that does it.
    by: Option<String>,
}

impl Accounts {
    /// Removes a user, and has a file server remove the files. `SharedHome` if somebody else's home is the
    /// same, in it or around it; `Conflict` if the user has none of these versions. What was removed is
    /// given back.
    pub async fn remove_user_and_files(
        &self,
        name: &Username,
        if_match: impl Into<Versions>,
    ) -> Result<Option<User>, ChangeError> {
        let if_match = if_match.into();
        for _ in 0..TRIES {
            let user = self.inner.stores.users.find(name).await?.user;
            if !if_match.allow(user.version) {
                break;
            }
            let removal = self.mark(&user).await?;
            match self.remove_alone(&user).await {
                Ok(removed) => return Ok(removed),
                Err(error) => {
                    self.unmark(&user.home, &removal).await?;
                    // Somebody was quicker; the home may be another one by now.
                    if error != StoreError::Conflict {
                        return Err(error.into());
                    }
                }
            }
        }
        Err(StoreError::Conflict.into())
    }

    /// Writes down that the user's home is to go; the removal's id.
    async fn mark(&self, user: &User) -> Result<String, ChangeError> {
        let now = self.now();
        let new = Removal { id: random_id()?, user: user.id.clone(), asked_at: now, askers: 1, by: None };
        let mark = |record: &mut UsageRecord| match &mut record.removal {
            Some(removal) => {
                removal.askers = removal.askers.saturating_add(1);
                removal.id.clone()
            }
            none => none.insert(new.clone()).id.clone(),
        };
        Ok(usage::change(&self.inner.stores.usage, &user.home, now, mark).await?)
    }

    async fn unmark(&self, home: &Home, removal: &str) -> Result<(), StoreError> {
        let unmark = |record: &mut UsageRecord| {
            let Some(found) = record.removal.as_mut().filter(|found| found.id == removal) else { return };
            found.askers = found.askers.saturating_sub(1);
            if found.askers == 0 {
                record.removal = None;
            }
        };
        usage::change(&self.inner.stores.usage, home, self.now(), unmark).await
    }

    /// Removes this version of the user, whose home this is then, if it is nobody else's.
    async fn remove_alone(&self, user: &User) -> Result<Option<User>, StoreError> {
        let sharers = self.inner.stores.users.overlapping(&user.home).await?;
        if sharers.iter().any(|stamp| stamp.username != user.username) {
            return Err(StoreError::SharedHome);
        }
        self.remove(&user.username, Some(&user.id), &Versions::OneOf(vec![user.version])).await
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
            } else if Timestamp::now().duration_since(removal.asked_at) < LONG_SINCE {
                // The user is still to go; or one who was just given this home sees that it is going, and
                // gives it back.
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
