//! A user: who somebody is, what they may do and until when. Values are parsed once, here, and then
//! trusted everywhere. Knows no store, no hash and no front end; the password's hash is never in a [`User`].

use std::collections::BTreeSet;

use ipnet::IpNet;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::usage::Usage;

pub use home::Home;
pub use invalid::Invalid;
pub use name::Username;
pub use permissions::{Action, Grant, Permissions};

mod home;
mod invalid;
mod name;
mod permissions;

/// A user as the store keeps it, without the password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
// A store that holds a field this program does not know may hold a restriction: such a user is refused.
#[serde(deny_unknown_fields)]
pub struct User {
    /// Random 128 bits in hex; a name removed and made again has another.
    pub id: String,
    /// The name the user logs in with.
    pub username: Username,
    /// Whether the user may log in at all.
    pub status: Status,
    /// For the operator; at most 1,024 characters.
    pub description: String,
    /// The user's directory below the storage root.
    pub home: Home,
    /// What the user may do where.
    pub permissions: Permissions,
    /// How much the user may store.
    pub quota: Quota,
    /// How much the user may do at once.
    pub limits: Limits,
    /// Where the user may come from; empty: from anywhere.
    pub allowed_networks: Vec<IpNet>,
    /// What the user may speak.
    pub protocols: BTreeSet<Protocol>,
    /// Whether a TLS client certificate is asked for.
    pub client_certificate: ClientCertificate,
    /// From then on the user is refused.
    pub expires_at: Option<Timestamp>,
    /// When the current password was set.
    pub password_changed_at: Timestamp,
    /// From then on the password is refused; cleared by a rotation.
    pub password_expires_at: Option<Timestamp>,
    /// The password must have been rotated by then, else it is refused; cleared by a rotation.
    pub must_change_by: Option<Timestamp>,
    /// Until then the password before the current one still works.
    pub previous_valid_until: Option<Timestamp>,
    /// When the user was created.
    pub created_at: Timestamp,
    /// When the user was last changed.
    pub updated_at: Timestamp,
    /// Starts at 1, raised by every change; 0 where no store keeps the user.
    pub version: u64,
    /// Sessions begun under a lower number end. Raised when the user is disabled and by a rotation
    /// that ends sessions.
    pub session_epoch: u64,
}

impl User {
    /// Whether a store keeps this user. Of one that is made otherwise no store knows a change.
    pub fn is_stored(&self) -> bool {
        self.version > 0
    }

    /// What can be chosen about the user, as it is.
    pub(crate) fn settings(&self) -> NewUser {
        NewUser {
            username: self.username.clone(),
            status: self.status,
            description: self.description.clone(),
            home: self.home.clone(),
            permissions: self.permissions.clone(),
            quota: self.quota,
            limits: self.limits,
            allowed_networks: self.allowed_networks.clone(),
            protocols: self.protocols.clone(),
            client_certificate: self.client_certificate,
            expires_at: self.expires_at,
            password_expires_at: self.password_expires_at,
            must_change_by: self.must_change_by,
        }
    }

    /// Takes over all but the name, which stays. Disabling ends the user's sessions.
    pub(crate) fn set(&mut self, settings: NewUser, now: Timestamp) -> Result<(), Invalid> {
        invalid::check(&settings, Some(self), now)?;
        if settings.status == Status::Disabled && self.status != Status::Disabled {
            self.session_epoch += 1;
        }
        self.status = settings.status;
        self.description = settings.description;
        self.home = settings.home;
        self.permissions = settings.permissions;
        self.quota = settings.quota;
        self.limits = settings.limits;
        self.allowed_networks = settings.allowed_networks;
        self.protocols = settings.protocols;
        self.client_certificate = settings.client_certificate;
        self.expires_at = settings.expires_at;
        self.password_expires_at = settings.password_expires_at;
        self.must_change_by = settings.must_change_by;
        Ok(())
    }

    /// What identifies this state of the user, for [`crate::Accounts::changed_since`].
    pub fn stamp(&self) -> Stamp {
        Stamp { username: self.username.clone(), id: self.id.clone(), version: self.version }
    }
}

/// Which state of which user somebody holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// The name.
    pub username: Username,
    /// The user's id.
    pub id: String,
    /// The user's version.
    pub version: u64,
}

/// Whether an account is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// May log in.
    Active,
    /// May not.
    Disabled,
}

impl Status {
    /// The word used in the store and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }
}

/// How much a user may store; `None`: no limit. At most 2^63 - 1 each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// Bytes in all files.
    pub max_bytes: Option<u64>,
    /// Number of files.
    pub max_files: Option<u64>,
}

/// How much a user may do at once; `None`: no limit. At most 2^63 - 1 each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Sessions at one time.
    pub max_sessions: Option<u32>,
    /// Bytes per second, all downloads of a session together.
    pub download_bytes_per_second: Option<u64>,
    /// Bytes per second, all uploads of a session together.
    pub upload_bytes_per_second: Option<u64>,
}

/// What a user may speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// FTP inside TLS.
    Ftps,
    /// FTP in clear, only where the server allows it.
    Ftp,
    /// The small text protocol.
    Mftp,
}

impl Protocol {
    /// The word used in the store and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ftps => "ftps",
            Self::Ftp => "ftp",
            Self::Mftp => "mftp",
        }
    }
}

/// Whether a TLS client certificate is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientCertificate {
    /// Not asked for.
    #[default]
    None,
    /// Accepted when given.
    Optional,
    /// No login without one.
    Required,
}

/// What happened around a user lately; kept apart from the user so that the file server may write it
/// without being able to write users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// The last login, to the second.
    pub last_login_at: Option<Timestamp>,
    /// The last login with the password before the current one, to the second.
    pub previous_password_last_used_at: Option<Timestamp>,
}

/// A user with what happened lately, and what the home holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserDetail {
    /// The user.
    pub user: User,
    /// What happened lately.
    pub activity: Activity,
    /// What the home holds.
    pub usage: Usage,
}

impl UserDetail {
    pub(crate) fn new(user: User, mut activity: Activity, usage: Usage) -> Self {
        // Use of a password that has itself been forgotten since says nothing about the previous one.
        activity.previous_password_last_used_at =
            activity.previous_password_last_used_at.filter(|used| *used >= user.password_changed_at);
        Self { user, activity, usage }
    }
}

/// Everything about a new user that can be chosen. What is not chosen: see [`NewUser::named`].
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The name the user logs in with.
    pub username: Username,
    /// Default: active.
    pub status: Status,
    /// Default: empty.
    pub description: String,
    /// Default: the name.
    pub home: Home,
    /// Default: all of `/`.
    pub permissions: Permissions,
    /// Default: none.
    pub quota: Quota,
    /// Default: none.
    pub limits: Limits,
    /// Default: from anywhere.
    pub allowed_networks: Vec<IpNet>,
    /// Default: FTPS.
    pub protocols: BTreeSet<Protocol>,
    /// Default: none.
    pub client_certificate: ClientCertificate,
    /// Default: never.
    pub expires_at: Option<Timestamp>,
    /// Default: never.
    pub password_expires_at: Option<Timestamp>,
    /// Default: never.
    pub must_change_by: Option<Timestamp>,
}

impl NewUser {
    /// A user with this name and the defaults for all else.
    pub fn named(username: Username) -> Self {
        Self {
            home: Home::of(&username),
            username,
            status: Status::Active,
            description: String::new(),
            permissions: Permissions::default(),
            quota: Quota::default(),
            limits: Limits::default(),
            allowed_networks: Vec::new(),
            protocols: BTreeSet::from([Protocol::Ftps]),
            client_certificate: ClientCertificate::default(),
            expires_at: None,
            password_expires_at: None,
            must_change_by: None,
        }
    }

    /// A user whom no store keeps; the id is the name, which no user of a store has.
    pub fn into_unstored(self) -> Result<User, Invalid> {
        let id = self.username.to_string();
        Ok(User { version: 0, ..self.into_user(id, Timestamp::UNIX_EPOCH)? })
    }

    /// The user this becomes. What the types alone do not rule out is refused here.
    pub(crate) fn into_user(self, id: String, now: Timestamp) -> Result<User, Invalid> {
        invalid::check(&self, None, now)?;
        Ok(User {
            id,
            username: self.username,
            status: self.status,
            description: self.description,
            home: self.home,
            permissions: self.permissions,
            quota: self.quota,
            limits: self.limits,
            allowed_networks: self.allowed_networks,
            protocols: self.protocols,
            client_certificate: self.client_certificate,
            expires_at: self.expires_at,
            password_changed_at: now,
            password_expires_at: self.password_expires_at,
            must_change_by: self.must_change_by,
            previous_valid_until: None,
            created_at: now,
            updated_at: now,
            version: 1,
            session_epoch: 0,
        })
    }
}
