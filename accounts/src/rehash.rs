//! Stronger hashes for passwords that were hashed with weaker parameters than today's: made anew at
//! login, the one moment at which the password is known. That changes nothing of the user, who keeps
//! version and sessions. Where this program's own login to the store may not write users (a file server
//! on MongoDB), the hash stays until the password is set again, and so it is told.

use crate::Accounts;
use crate::password::{HashError, Password, PasswordHash};
use crate::store::{AdminRecord, StoreError, UserRecord};
use crate::user::Username;

impl Accounts {
    /// After this password was proven to be the user's current one.
    pub(crate) async fn rehash_user(&self, record: &UserRecord, password: &Password) {
        let Some(hash) = self.stronger(&record.passwords.current, password).await else { return };
        let mut stronger = record.clone();
        stronger.passwords.current = hash;
        // By the version: a password set meanwhile stays.
        let stored = self.inner.stores.users.replace(&stronger, record.user.version).await;
        tell(&record.user.username, stored);
    }

    /// After this password was proven to be the admin's.
    pub(crate) async fn rehash_admin(&self, record: &AdminRecord, password: &Password) {
        let Some(hash) = self.stronger(&record.password, password).await else { return };
        let stronger = AdminRecord { password: hash, ..record.clone() };
        let stored = self.inner.stores.admins.replace(&stronger, record.admin.version).await;
        tell(&record.admin.username, stored);
    }

    /// A hash of today's strength, if this one is weaker.
    async fn stronger(&self, hash: &PasswordHash, password: &Password) -> Option<PasswordHash> {
        let hasher = &self.inner.hasher;
        if !hasher.is_weaker(hash) {
            return None;
        }
        match hasher.hash(password).await {
            Ok(stronger) => Some(stronger),
            // Others wait to be let in; the next login is early enough.
            Err(HashError::Busy) => None,
            Err(HashError::Failed(reason)) => {
                tracing::warn!(%reason, "a stronger hash of a password could not be made");
                None
            }
        }
    }
}

/// A login is right whatever became of this.
fn tell(name: &Username, stored: Result<(), StoreError>) {
    match stored {
        Ok(()) => tracing::info!(%name, "a weak hash of the password was replaced by a stronger one"),
        // Changed or removed meanwhile: the next login sees to it.
        Err(StoreError::Conflict | StoreError::NotFound) => {}
        Err(error) => tracing::warn!(
            %name, %error,
            "the password's hash is weaker than today's and could not be replaced: set the password again"
        ),
    }
}
