//! Users as JSON: every member is named here, so that a new field of the store reaches no
//! client by accident. Sizes are bytes, times RFC 3339 in UTC. A password is in an answer only
//! when it was generated for this very request.

use std::collections::BTreeSet;

use ipnet::IpNet;
use jiff::Timestamp;
use serde::Serialize;
use wharfinger_accounts::{ClientCertificate, Limits, Password, Permissions, Protocol, Quota};
use wharfinger_accounts::{Rotated, Status, UserDetail};

/// A user.
#[derive(Serialize)]
pub(crate) struct UserJson<'a> {
    username: &'a str,
    status: Status,
    description: &'a str,
    home: &'a str,
    permissions: &'a Permissions,
    quota: Quota,
    usage: Usage,
    limits: Limits,
    allowed_networks: &'a [IpNet],
    protocols: &'a BTreeSet<Protocol>,
    client_certificate: ClientCertificate,
    expires_at: Option<Timestamp>,
    password_changed_at: Timestamp,
    password_expires_at: Option<Timestamp>,
    must_change_by: Option<Timestamp>,
    previous_password: PreviousPassword,
    last_login_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
    version: u64,
}

#[derive(Serialize)]
struct Usage {
    bytes: u64,
    files: u64,
}

#[derive(Serialize)]
struct PreviousPassword {
    valid_until: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
}

/// A page of users.
#[derive(Serialize)]
pub(crate) struct UserList<'a> {
    pub(crate) items: Vec<UserJson<'a>>,
    pub(crate) next_cursor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) total: Option<u64>,
}

/// A user just created.
#[derive(Serialize)]
pub(crate) struct CreatedUser<'a> {
    #[serde(flatten)]
    user: UserJson<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

/// What a rotation did.
#[derive(Serialize)]
pub(crate) struct PasswordRotated {
    username: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_valid_until: Option<Timestamp>,
}

impl<'a> From<&'a UserDetail> for UserJson<'a> {
    fn from(UserDetail { user, activity }: &'a UserDetail) -> Self {
        Self {
            username: user.username.as_str(),
            status: user.status,
            description: &user.description,
            home: user.home.as_str(),
            permissions: &user.permissions,
            quota: user.quota,
            usage: Usage { bytes: activity.used_bytes, files: activity.used_files },
            limits: user.limits,
            allowed_networks: &user.allowed_networks,
            protocols: &user.protocols,
            client_certificate: user.client_certificate,
            expires_at: user.expires_at,
            password_changed_at: user.password_changed_at,
            password_expires_at: user.password_expires_at,
            must_change_by: user.must_change_by,
            previous_password: PreviousPassword {
                valid_until: user.previous_valid_until,
                last_used_at: activity.previous_password_last_used_at,
            },
            last_login_at: activity.last_login_at,
            created_at: user.created_at,
            updated_at: user.updated_at,
            version: user.version,
        }
    }
}

impl<'a> CreatedUser<'a> {
    pub(crate) fn new(detail: &'a UserDetail, generated: Option<&Password>) -> Self {
        Self { user: detail.into(), password: generated.map(shown) }
    }
}

impl From<Rotated> for PasswordRotated {
    fn from(Rotated { user, generated }: Rotated) -> Self {
        Self {
            username: user.username.to_string(),
            password: generated.as_ref().map(shown),
            previous_valid_until: user.previous_valid_until,
        }
    }
}

/// A generated password is plain ASCII.
fn shown(password: &Password) -> String {
    String::from_utf8_lossy(password.expose()).into_owned()
}
