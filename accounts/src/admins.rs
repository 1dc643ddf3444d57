//! What the admin API does with admins: list, create, change, give another password, remove. The
//! last owner who can log in stays: the store itself sees to that, whoever asks at the same time.

use crate::admin::{Admin, Role};
use crate::edit::{Edited, Versions};
use crate::password::Password;
use crate::store::{AdminRecord, StoreError};
use crate::user::{Status, Username};
use crate::users::TRIES;
use crate::{Accounts, ChangeError, random_id};

/// What to change about an admin; what is `None` stays.
#[derive(Clone, Copy, Debug, Default)]
pub struct AdminChange {
    /// What the admin may do.
    pub role: Option<Role>,
    /// Whether the admin may log in.
    pub status: Option<Status>,
}

/// One page of a list of admins.
#[derive(Clone, Debug)]
pub struct AdminPage {
    /// The admins, by name.
    pub items: Vec<Admin>,
    /// What to ask for as `after` to go on; `None` on the last page.
    pub next: Option<Username>,
}

impl Accounts {
    /// The admin with this name.
    pub async fn admin(&self, name: &Username) -> Result<Admin, StoreError> {
        Ok(self.inner.stores.admins.find(name).await?.admin)
    }

    /// One page of admins, by name; `limit` is 1 to 1,000.
    pub async fn admins(&self, after: Option<&Username>, limit: u32) -> Result<AdminPage, StoreError> {
        let limit = limit.clamp(1, 1_000);
        // One more than asked for tells whether there is another page.
        let mut items = self.inner.stores.admins.page(after, limit + 1).await?;
        let more = u32::try_from(items.len()).is_ok_and(|found| found > limit);
        if more {
            items.pop();
        }
        let next = items.last().filter(|_| more).map(|admin| admin.username.clone());
        Ok(AdminPage { items, next })
    }

    /// Creates an admin; without a password one is generated and returned, once.
    pub async fn create_admin(
        &self,
        name: Username,
        role: Role,
        password: Option<Password>,
    ) -> Result<(Admin, Option<Password>), ChangeError> {
        let chosen = self.choose_password(&name, password).await?;
        let now = self.now();
        let admin = Admin {
            id: random_id()?,
            username: name,
            role,
            status: Status::Active,
            created_at: now,
            updated_at: now,
            password_changed_at: now,
            version: 1,
        };
        let record = AdminRecord { admin, password: chosen.hash };
        self.inner.stores.admins.insert(&record).await?;
        Ok((record.admin, chosen.generated))
    }

    /// Changes an admin's role or status, which ends the admin's tokens. `LastOwner` if no owner would
    /// be left who can log in, `Conflict` if the admin has none of these versions.
    pub async fn change_admin(
        &self,
        name: &Username,
        change: AdminChange,
        if_match: impl Into<Versions>,
    ) -> Result<Edited<Admin>, StoreError> {
        let change = |record: &mut AdminRecord| {
            let admin = &mut record.admin;
            admin.role = change.role.unwrap_or(admin.role);
            admin.status = change.status.unwrap_or(admin.status);
        };
        self.replace_admin(name, &if_match.into(), change).await
    }

    /// Gives an admin another password, which ends the admin's tokens; without one, one is generated
    /// and returned, once.
    pub async fn rotate_admin_password(
        &self,
        name: &Username,
        password: Option<Password>,
        if_match: impl Into<Versions>,
    ) -> Result<(Edited<Admin>, Option<Password>), ChangeError> {
        let if_match = if_match.into();
        let chosen = self.choose_password(name, password).await?;
        let now = self.now();
        let change = |record: &mut AdminRecord| {
            record.password = chosen.hash.clone();
            record.admin.password_changed_at = now;
        };
        let edited = self.replace_admin(name, &if_match, change).await?;
        Ok((edited, chosen.generated))
    }

    /// Removes an admin, and gives back what was removed; tokens and API keys of the admin are no longer
    /// good. `LastOwner` if no owner would be left who can log in.
    pub async fn remove_admin(
        &self,
        name: &Username,
        if_match: impl Into<Versions>,
    ) -> Result<Admin, StoreError> {
        let if_match = if_match.into();
        for _ in 0..TRIES {
            let admin = self.admin(name).await?;
            if !if_match.allow(admin.version) {
                return Err(StoreError::Conflict);
            }
            match self.inner.stores.admins.remove(&admin).await {
                Err(StoreError::Conflict) => {}
                done => return done.map(|()| admin),
            }
        }
        Err(StoreError::Conflict)
    }

    /// Whether there is any admin yet.
    pub async fn has_admin(&self) -> Result<bool, StoreError> {
        self.inner.stores.admins.any().await
    }

    /// Reads, changes and writes an admin, as is done with users.
    async fn replace_admin(
        &self,
        name: &Username,
        if_match: &Versions,
        change: impl Fn(&mut AdminRecord),
    ) -> Result<Edited<Admin>, StoreError> {
        let admins = &self.inner.stores.admins;
        for _ in 0..TRIES {
            let mut record = admins.find(name).await?;
            let before = record.clone();
            let version = before.admin.version;
            if !if_match.allow(version) {
                return Err(StoreError::Conflict);
            }
            change(&mut record);
            if record == before {
                return Ok(Edited { before: before.admin, after: record.admin });
            }
            record.admin.version += 1;
            record.admin.updated_at = self.now();
            match admins.replace(&record, version).await {
                Ok(()) => return Ok(Edited { before: before.admin, after: record.admin }),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Conflict)
    }
}
