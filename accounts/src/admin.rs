//! Admins: who may use the admin API, and in which role. They share nothing with users but the rules
//! for names and passwords.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Accounts;
use crate::login::{LoginError, Refusal};
use crate::password::{Password, Which};
use crate::store::AdminRecord;
use crate::user::{Status, Username};

/// Somebody who may use the admin API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admin {
    /// Random 128 bits in hex; a name removed and made again has another.
    pub id: String,
    /// The name the admin logs in with.
    pub username: Username,
    /// What the admin may do.
    pub role: Role,
    /// Whether the admin may log in at all.
    pub status: Status,
    /// When the admin was created.
    pub created_at: Timestamp,
    /// When the admin was last changed.
    pub updated_at: Timestamp,
    /// When the password was set.
    pub password_changed_at: Timestamp,
    /// Starts at 1, raised by every change.
    pub version: u64,
}

/// What an admin may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Everything.
    Owner,
    /// Users and sessions.
    UserManager,
    /// Read everything, change nothing.
    Auditor,
}

impl Admin {
    /// Whether this is an owner who can log in; one of them stays, always.
    pub(crate) fn is_enabled_owner(&self) -> bool {
        self.role == Role::Owner && self.status == Status::Active
    }
}

impl Role {
    /// The word used in the store and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::UserManager => "user-manager",
            Self::Auditor => "auditor",
        }
    }

    /// Whether this role may do all that the other may.
    pub fn covers(self, other: Self) -> bool {
        match self {
            Self::Owner => true,
            Self::UserManager => other != Self::Owner,
            Self::Auditor => other == Self::Auditor,
        }
    }
}

impl Accounts {
    /// The admin with this name and password. A refusal takes the same time whatever the reason.
    pub async fn admin_log_in(&self, name: &str, password: &Password) -> Result<Admin, LoginError> {
        let record = match self.readable_admin(name).await? {
            Ok(record) => record,
            Err(refusal) => {
                self.inner.hasher.verify(password, None, None, true).await?;
                return Err(LoginError::Refused(refusal));
            }
        };
        let disabled = record.admin.status == Status::Disabled;
        match self.inner.hasher.verify(password, Some(&record.password), None, disabled).await? {
            None | Some(Which::Previous) => Err(LoginError::Refused(Refusal::WrongPassword)),
            Some(Which::Current) if disabled => Err(LoginError::Refused(Refusal::Disabled)),
            Some(Which::Current) => {
                self.rehash_admin(&record, password).await;
                Ok(record.admin)
            }
        }
    }

    async fn readable_admin(&self, name: &str) -> Result<Result<AdminRecord, Refusal>, LoginError> {
        let Ok(name) = name.parse() else { return Ok(Err(Refusal::UnknownName)) };
        Refusal::sort(&name, self.inner.stores.admins.find(&name).await)
    }
}
