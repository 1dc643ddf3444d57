//! What the admin API does with users: create, read, list, disable, enable, rotate, remove.
//! Every change raises the user's version, and is made only if nobody else changed the user meanwhile.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::edit::{Edited, Versions};
use crate::password::{Password, PasswordRule};
use crate::policy::{self, Explanation, Question};
use crate::store::{Passwords, StoreError, UserRecord};
use crate::user::{Home, Invalid, NewUser, Status, User, UserDetail, Username};
use crate::{Accounts, ChangeError, random_id};

/// How often a change is tried again when somebody else was quicker.
pub(crate) const TRIES: u32 = 40;

impl Accounts {
    /// Creates a user; without a password one is generated and returned, once. `Taken` if there is one
    /// with that name.
    pub async fn create_user(
        &self,
        new: NewUser,
        password: Option<Password>,
    ) -> Result<(User, Option<Password>), ChangeError> {
        let user = new.into_user(random_id()?, self.now())?;
        let chosen = self.choose_password(&user.username, password).await?;
        let record = UserRecord { user, passwords: Passwords { current: chosen.hash, previous: None } };
        self.inner.stores.may_be_a_home(&record.user.home).await?;
        self.inner.stores.users.insert(&record).await?;
        self.changed();
        let User { username, id, home, .. } = &record.user;
        if let Err(error) = self.inner.stores.may_be_a_home(home).await {
            // It has begun to go in the meantime. Whoever removes it looks for users after that was written
            // down, as this looks for that after the user was: one of the two sees the other.
            self.remove(username, Some(id), &Versions::Any).await?;
            return Err(error.into());
        }
        Ok((record.user, chosen.generated))
    }

    /// Whether [`Self::create_user`] would create this user now; says what it would say.
    pub async fn check_new_user(&self, new: NewUser, password: Option<&Password>) -> Result<(), ChangeError> {
        let user = new.into_user(random_id()?, self.now())?;
        if let Some(password) = password {
            PasswordRule::check(password, &user.username)?;
        }
        match self.inner.stores.users.find(&user.username).await {
            Err(StoreError::NotFound) => Ok(self.inner.stores.may_be_a_home(&user.home).await?),
            Ok(_) => Err(StoreError::Taken.into()),
            Err(error) => Err(error.into()),
        }
    }

    /// The user with this name.
    pub async fn user(&self, name: &Username) -> Result<UserDetail, StoreError> {
        let record = self.inner.stores.users.find(name).await?;
        self.detailed(record.user).await
    }

    /// One page of users, by name.
    pub async fn users(&self, query: UserQuery) -> Result<UserPage, StoreError> {
        let (users, limit) = (&self.inner.stores.users, query.limit.clamp(1, 1_000));
        // One more than asked for tells whether there is another page.
        let mut found = users.page(&query, limit + 1).await?;
        let more = u32::try_from(found.len()).is_ok_and(|found| found > limit);
        if more {
            found.pop();
        }
        let next = found.last().filter(|_| more).map(|user| user.username.clone());
        let total = if query.count { Some(users.count(&query).await?) } else { None };
        let ids: Vec<&str> = found.iter().map(|user| user.id.as_str()).collect();
        let activity = self.inner.stores.activity.of(&ids).await?;
        let homes: Vec<&Home> = found.iter().map(|user| &user.home).collect();
        let usage = self.inner.stores.usage.of(&homes).await?;
        let detailed = |user: User| {
            let activity = activity.get(&user.id).copied().unwrap_or_default();
            let usage = usage.get(&user.home).copied().unwrap_or_default();
            UserDetail::new(user, activity, usage)
        };
        Ok(UserPage { items: found.into_iter().map(detailed).collect(), next, total })
    }

    /// Changes what can be chosen about a user: `edit` gets the present settings, each time it is
    /// tried. `Conflict` if the user has none of these versions. Disabling ends the user's sessions.
    pub async fn change_user(
        &self,
        name: &Username,
        if_match: impl Into<Versions>,
        edit: impl Fn(&mut NewUser) + Send + Sync,
    ) -> Result<Edited<UserDetail>, ChangeError> {
        let now = self.now();
        let change = |record: &mut UserRecord| {
            let mut settings = record.user.settings();
            edit(&mut settings);
            Ok(record.user.set(settings, now)?)
        };
        let edited = self.change::<ChangeError>(name, &if_match.into(), change).await?;
        Ok(self.edited(edited).await?)
    }

    /// Enables or disables a user; disabling ends the user's sessions. `Conflict` if the user has none of
    /// these versions. Nothing changes if the user has that status already.
    pub async fn set_status(
        &self,
        name: &Username,
        status: Status,
        if_match: impl Into<Versions>,
    ) -> Result<Edited<UserDetail>, StoreError> {
        let change = |record: &mut UserRecord| {
            let user = &mut record.user;
            if status == Status::Disabled && user.status != status {
                user.session_epoch += 1;
            }
            user.status = status;
            Ok(())
        };
        let edited = self.change::<StoreError>(name, &if_match.into(), change).await?;
        self.edited(edited).await
    }

    /// Whether the user would be let in or may do something, and by which rules: the same that a login
    /// and a command go through.
    pub async fn explain(&self, name: &Username, question: &Question<'_>) -> Result<Explanation, StoreError> {
        let record = self.inner.stores.users.find(name).await?;
        Ok(policy::explain(&record.user, question, self.now()))
    }

    /// Gives the user another password. The old one works on for the grace time, if there is one; an
    /// older one ends at once. Dates by which the old password had to go are cleared.
    /// `Conflict` if the user has none of these versions.
    pub async fn rotate_password(
        &self,
        name: &Username,
        rotation: Rotation,
        if_match: impl Into<Versions>,
    ) -> Result<Rotated, ChangeError> {
        let if_match = if_match.into();
        let chosen = self.choose_password(name, rotation.password).await?;
        let now = self.now();
        let previous_valid_until =
            rotation.grace.map(|grace| end_of_grace(now, grace)).transpose()?.flatten();
        let change = |record: &mut UserRecord| {
            let UserRecord { user, passwords } = record;
            let old = std::mem::replace(&mut passwords.current, chosen.hash.clone());
            passwords.previous = previous_valid_until.map(|_| old);
            user.previous_valid_until = previous_valid_until;
            user.password_changed_at = now;
            user.password_expires_at = None;
            user.must_change_by = None;
            user.session_epoch += u64::from(rotation.end_sessions);
            Ok(())
        };
        let edited = self.change::<ChangeError>(name, &if_match, change).await?;
        Ok(Rotated { before: edited.before, user: edited.after, generated: chosen.generated })
    }

    /// Removes a user; the files stay. `Conflict` if the user has none of these versions. What was
    /// removed is given back, if it could be read.
    pub async fn remove_user(
        &self,
        name: &Username,
        if_match: impl Into<Versions>,
    ) -> Result<Option<User>, StoreError> {
        self.remove(name, None, &if_match.into()).await
    }

    /// The same, of nobody but the user with this id.
    pub(crate) async fn remove(
        &self,
        name: &Username,
        id: Option<&str>,
        if_match: &Versions,
    ) -> Result<Option<User>, StoreError> {
        let removed = self.inner.stores.users.remove(name, id, if_match).await?;
        self.changed();
        // The user is gone already; what is left over of the activity belongs to an id nobody has.
        if let Err(error) = self.inner.stores.activity.forget(&removed.id).await {
            tracing::warn!(user = %name, %error, "the activity of a removed user could not be removed");
        }
        Ok(removed.user)
    }

    /// Reads, changes and writes a user; tries again when somebody else was quicker, as long as the version
    /// is one of these. What was read is what was replaced, since both have the version. Writes nothing if
    /// nothing changes.
    async fn change<E: From<StoreError>>(
        &self,
        name: &Username,
        if_match: &Versions,
        change: impl Fn(&mut UserRecord) -> Result<(), E>,
    ) -> Result<Edited<User>, E> {
        let users = &self.inner.stores.users;
        for _ in 0..TRIES {
            let mut record = users.find(name).await?;
            let before = record.clone();
            let version = before.user.version;
            if !if_match.allow(version) {
                return Err(StoreError::Conflict.into());
            }
            change(&mut record)?;
            if record == before {
                return Ok(Edited { before: before.user, after: record.user });
            }
            if record.user.home != before.user.home {
                self.inner.stores.may_be_a_home(&record.user.home).await?;
            }
            record.user.version += 1;
            record.user.updated_at = self.now();
            match users.replace(&record, version).await {
                Ok(()) => {
                    self.changed();
                    self.keeps_home(&before, &record).await?;
                    return Ok(Edited { before: before.user, after: record.user });
                }
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Conflict.into())
    }

    /// As in [`Self::create_user`]: a home that has begun to go in the meantime is given back.
    async fn keeps_home(&self, before: &UserRecord, after: &UserRecord) -> Result<(), StoreError> {
        if before.user.home == after.user.home {
            return Ok(());
        }
        let kept = self.inner.stores.may_be_a_home(&after.user.home).await;
        if kept.is_err() {
            let mut undone = before.clone();
            undone.user.version = after.user.version + 1;
            self.inner.stores.users.replace(&undone, after.user.version).await?;
            self.changed();
        }
        kept
    }

    /// With the same that is known beside: it is not what was changed.
    async fn edited(&self, Edited { before, after }: Edited<User>) -> Result<Edited<UserDetail>, StoreError> {
        let after = self.detailed(after).await?;
        Ok(Edited { before: UserDetail { user: before, ..after.clone() }, after })
    }

    async fn detailed(&self, user: User) -> Result<UserDetail, StoreError> {
        let mut activity = self.inner.stores.activity.of(&[&user.id]).await?;
        let activity = activity.remove(&user.id).unwrap_or_default();
        let mut usage = self.inner.stores.usage.of(&[&user.home]).await?;
        let usage = usage.remove(&user.home).unwrap_or_default();
        Ok(UserDetail::new(user, activity, usage))
    }
}

/// How to give a user another password.
#[derive(Debug, Default)]
pub struct Rotation {
    /// The new password; `None`: one is generated.
    pub password: Option<Password>,
    /// How long the old password still works beside the new one; `None` or zero: not at all.
    pub grace: Option<Duration>,
    /// Whether the user's live sessions end.
    pub end_sessions: bool,
}

/// What a rotation did.
#[derive(Debug)]
pub struct Rotated {
    /// The user as it was.
    pub before: User,
    /// The user as it is now.
    pub user: User,
    /// The new password if it was generated; shown once, kept nowhere.
    pub generated: Option<Password>,
}

/// Which users to list, in the order of their names.
#[derive(Clone, Debug, Default)]
pub struct UserQuery {
    /// Only names after this one.
    pub after: Option<Username>,
    /// At most so many; 1 to 1,000, anything else is moved to the nearer end.
    pub limit: u32,
    /// Only users with this status.
    pub status: Option<Status>,
    /// Only users whose name or description contains this, whatever the case.
    pub search: Option<String>,
    /// Whether to count all that match, on every page.
    pub count: bool,
}

/// One page of a list of users.
#[derive(Clone, Debug)]
pub struct UserPage {
    /// The users, by name.
    pub items: Vec<UserDetail>,
    /// What to ask for as `after` to go on; `None` on the last page.
    pub next: Option<Username>,
    /// All that match, if it was asked for.
    pub total: Option<u64>,
}

/// When a grace time ends; `None` if it is none at all.
fn end_of_grace(now: Timestamp, grace: Duration) -> Result<Option<Timestamp>, Invalid> {
    if grace.is_zero() {
        return Ok(None);
    }
    let end = SignedDuration::try_from(grace).and_then(|grace| now.checked_add(grace));
    end.map(Some).map_err(|_| Invalid::new("grace_seconds", "not beyond the year 9999"))
}
