//! Users as JSON: every member is named here, so that a new field of the store reaches no
//! client by accident. Sizes are bytes, times RFC 3339 in UTC. A password is in an answer only
//! when it was generated for this very request.

use std::collections::BTreeSet;

use ipnet::IpNet;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use wharfinger_accounts::{ClientCertificate, Limits, Password, Permissions, Protocol, Quota};
use wharfinger_accounts::{Rotated, Status, UserDetail};

use super::shape::{ClientCertificateShape, GrantShape, LimitsShape, ProtocolShape, QuotaShape, StatusShape};

/// A user.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub(crate) struct UserJson<'a> {
    username: &'a str,
    #[schema(value_type = StatusShape)]
    status: Status,
    description: &'a str,
    home: &'a str,
    #[schema(value_type = Vec<GrantShape>)]
    permissions: &'a Permissions,
    #[schema(value_type = QuotaShape)]
    quota: Quota,
    usage: UsageJson,
    #[schema(value_type = LimitsShape)]
    limits: Limits,
    #[schema(value_type = Vec<String>)]
    allowed_networks: &'a [IpNet],
    #[schema(value_type = Vec<ProtocolShape>)]
    protocols: &'a BTreeSet<Protocol>,
    #[schema(value_type = ClientCertificateShape)]
    client_certificate: ClientCertificate,
    expires_at: Option<Timestamp>,
    password_changed_at: Timestamp,
    password_expires_at: Option<Timestamp>,
    must_change_by: Option<Timestamp>,
    previous_password: PreviousPassword,
    last_login_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
    /// Raised by every change; the `ETag` is this in quotes.
    version: u64,
}

/// What the user's home holds, what is left of broken uploads too.
#[derive(Serialize, ToSchema)]
#[schema(as = Usage)]
struct UsageJson {
    /// Bytes in all files.
    bytes: u64,
    /// Number of files.
    files: u64,
    /// When the files were last counted; `null`: not yet.
    recounted_at: Option<Timestamp>,
}

/// The password before the current one.
#[derive(Serialize, ToSchema)]
struct PreviousPassword {
    /// Until then it still works.
    valid_until: Option<Timestamp>,
    /// When somebody last logged in with it.
    last_used_at: Option<Timestamp>,
}

/// A page of users.
#[derive(Serialize, ToSchema)]
pub(crate) struct UserList<'a> {
    /// By name.
    pub(crate) items: Vec<UserJson<'a>>,
    /// What to ask for as `cursor` to go on; `null` on the last page.
    pub(crate) next_cursor: Option<String>,
    /// All that match, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) total: Option<u64>,
}

/// A user just created.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedUser<'a> {
    #[serde(flatten)]
    user: UserJson<'a>,
    /// The password if it was generated; shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    password: Option<String>,
}

/// What a rotation did.
#[derive(Serialize, ToSchema)]
pub(crate) struct PasswordRotated {
    /// Whose password it is.
    username: String,
    /// The password if it was generated; shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    password: Option<String>,
    /// Until then the old one still works; left out: it doesn't.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    previous_valid_until: Option<Timestamp>,
}

impl<'a> From<&'a UserDetail> for UserJson<'a> {
    fn from(UserDetail { user, activity, usage }: &'a UserDetail) -> Self {
        Self {
            username: user.username.as_str(),
            status: user.status,
            description: &user.description,
            home: user.home.as_str(),
            permissions: &user.permissions,
            quota: user.quota,
            usage: UsageJson {
                bytes: usage.stored.bytes,
                files: usage.stored.files,
                recounted_at: usage.recounted_at,
            },
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
    fn from(Rotated { user, generated, .. }: Rotated) -> Self {
        Self {
            username: user.username.to_string(),
            password: generated.as_ref().map(shown),
            previous_valid_until: user.previous_valid_until,
        }
    }
}

/// A generated password is plain ASCII.
pub(crate) fn shown(password: &Password) -> String {
    String::from_utf8_lossy(password.expose()).into_owned()
}
