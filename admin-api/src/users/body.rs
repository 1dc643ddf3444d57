//! What clients may send about a user, and what each member must be. The rules of the values
//! themselves are the accounts' own; here they get their place in the document.

use std::collections::BTreeSet;
use std::time::Duration;

use ipnet::IpNet;
use jiff::Timestamp;
use serde_json::Value;
use wharfinger_accounts::{Action, ClientCertificate, Grant, Home, NewUser, Password, Permissions, Protocol};
use wharfinger_accounts::{Rotation, Status};
use wharfinger_config::network;

use crate::body::Body;
use crate::json::{FromJson, Members, OrNull, Place};
use crate::values::{checked, word};

/// `POST /api/v1/users`.
#[derive(Debug)]
pub(crate) struct Creation {
    pub(crate) user: NewUser,
    pub(crate) password: Option<Password>,
}

/// `PATCH /api/v1/users/{username}`: a merge patch (RFC 7396). `null` removes what may be absent; what
/// every user has can't be removed.
#[derive(Debug)]
pub(crate) struct UserPatch(Settings);

/// `POST /api/v1/users/{username}/rotate-password`.
#[derive(Debug, Default)]
pub(crate) struct PasswordRotation(pub(crate) Rotation);

impl Default for Body<PasswordRotation> {
    fn default() -> Self {
        Self(PasswordRotation::default())
    }
}

impl FromJson for Creation {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        let mut members = place.object(value)?;
        let username = members.required("username");
        let password = members.optional("password");
        let settings = Settings::take(&mut members);
        for name in READ_ONLY {
            members.read_only(name);
        }
        members.finish();
        let mut user = NewUser::named(username?);
        settings.apply(&mut user);
        Some(Self { user, password })
    }
}

/// A line of an import: as for a creation, and what the service sets itself is passed over, so that
/// an export can be read in again.
pub(super) struct Imported {
    pub(super) user: NewUser,
    pub(super) password: Option<Password>,
}

impl FromJson for Imported {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        let mut members = place.object(value)?;
        let username = members.required("username");
        let password = members.optional("password");
        let settings = Settings::take(&mut members);
        for name in READ_ONLY {
            members.pass_over(name);
        }
        members.finish();
        let mut user = NewUser::named(username?);
        settings.apply(&mut user);
        Some(Self { user, password })
    }
}

impl FromJson for UserPatch {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        let mut members = place.object(value)?;
        let settings = Settings::take(&mut members);
        for name in READ_ONLY.into_iter().chain(["username", "password"]) {
            members.read_only(name);
        }
        members.finish();
        Some(Self(settings))
    }
}

impl FromJson for PasswordRotation {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        let mut members = place.object(value)?;
        let password = members.optional("password");
        let grace: Option<Grace> = members.optional("grace_seconds");
        let end_sessions = members.optional("end_sessions").unwrap_or_default();
        members.finish();
        Some(Self(Rotation { password, grace: grace.map(|Grace(time)| time), end_sessions }))
    }
}

/// What answers have beside the settings.
const READ_ONLY: [&str; 7] = [
    "usage",
    "password_changed_at",
    "previous_password",
    "last_login_at",
    "created_at",
    "updated_at",
    "version",
];

/// The members of a user that a client may choose, as far as they were sent.
#[derive(Debug)]
pub(crate) struct Settings {
    status: Option<Status>,
    description: Option<String>,
    home: Option<Home>,
    permissions: Option<Permissions>,
    quota: Option<QuotaPatch>,
    limits: Option<LimitsPatch>,
    allowed_networks: Option<Vec<IpNet>>,
    protocols: Option<BTreeSet<Protocol>>,
    client_certificate: Option<ClientCertificate>,
    expires_at: Option<OrNull<Timestamp>>,
    password_expires_at: Option<OrNull<Timestamp>>,
    must_change_by: Option<OrNull<Timestamp>>,
}

#[derive(Debug)]
struct QuotaPatch {
    max_bytes: Option<OrNull<u64>>,
    max_files: Option<OrNull<u64>>,
}

#[derive(Debug)]
struct LimitsPatch {
    max_sessions: Option<OrNull<u32>>,
    download_bytes_per_second: Option<OrNull<u64>>,
    upload_bytes_per_second: Option<OrNull<u64>>,
}

impl Settings {
    fn take(members: &mut Members<'_>) -> Self {
        Self {
            status: members.optional("status"),
            description: members.optional("description"),
            home: members.optional("home"),
            permissions: members.optional("permissions"),
            quota: members.optional("quota"),
            limits: members.optional("limits"),
            allowed_networks: members.optional("allowed_networks"),
            protocols: members.optional("protocols"),
            client_certificate: members.optional("client_certificate"),
            expires_at: members.optional("expires_at"),
            password_expires_at: members.optional("password_expires_at"),
            must_change_by: members.optional("must_change_by"),
        }
    }

    fn apply(&self, to: &mut NewUser) {
        put(self.status, &mut to.status);
        put(self.description.clone(), &mut to.description);
        put(self.home.clone(), &mut to.home);
        put(self.permissions.clone(), &mut to.permissions);
        if let Some(quota) = &self.quota {
            put_or_null(quota.max_bytes, &mut to.quota.max_bytes);
            put_or_null(quota.max_files, &mut to.quota.max_files);
        }
        if let Some(limits) = &self.limits {
            put_or_null(limits.max_sessions, &mut to.limits.max_sessions);
            put_or_null(limits.download_bytes_per_second, &mut to.limits.download_bytes_per_second);
            put_or_null(limits.upload_bytes_per_second, &mut to.limits.upload_bytes_per_second);
        }
        put(self.allowed_networks.clone(), &mut to.allowed_networks);
        put(self.protocols.clone(), &mut to.protocols);
        put(self.client_certificate, &mut to.client_certificate);
        put_or_null(self.expires_at, &mut to.expires_at);
        put_or_null(self.password_expires_at, &mut to.password_expires_at);
        put_or_null(self.must_change_by, &mut to.must_change_by);
    }
}

fn put<T>(given: Option<T>, place: &mut T) {
    if let Some(given) = given {
        *place = given;
    }
}

fn put_or_null<T>(given: Option<OrNull<T>>, place: &mut Option<T>) {
    put(given.map(|OrNull(value)| value), place);
}

impl UserPatch {
    pub(super) fn apply(&self, to: &mut NewUser) {
        self.0.apply(to);
    }
}

/// How long the old password goes on working.
struct Grace(Duration);

impl Grace {
    const MOST_SECONDS: u64 = 365 * 24 * 60 * 60;
}

impl FromJson for Grace {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        match u64::from_json(value, place)? {
            seconds if seconds <= Self::MOST_SECONDS => Some(Self(Duration::from_secs(seconds))),
            _ => place.refuse("must be at most 31536000, a year"),
        }
    }
}

impl FromJson for Home {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        checked(value, place)
    }
}

impl FromJson for Permissions {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        let grants: Vec<Grant> = Vec::from_json(value, place)?;
        Self::try_from(grants).or_else(|invalid| place.refuse(invalid.rule()).ok_or(())).ok()
    }
}

impl FromJson for Grant {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        let mut members = place.object(value)?;
        let path = members.required("path");
        let allow: Option<Vec<Action>> = members.required("allow");
        members.finish();
        Some(Self { path: path?, allow: allow?.into_iter().collect() })
    }
}

impl FromJson for QuotaPatch {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        let mut members = place.object(value)?;
        let quota =
            Self { max_bytes: members.optional("max_bytes"), max_files: members.optional("max_files") };
        members.finish();
        Some(quota)
    }
}

impl FromJson for LimitsPatch {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        let mut members = place.object(value)?;
        let limits = Self {
            max_sessions: members.optional("max_sessions"),
            download_bytes_per_second: members.optional("download_bytes_per_second"),
            upload_bytes_per_second: members.optional("upload_bytes_per_second"),
        };
        members.finish();
        Some(limits)
    }
}

impl FromJson for IpNet {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        let text = String::from_json(value, place)?;
        network(&text).or_else(|| place.refuse("must be an address or a network such as 192.0.2.0/24"))
    }
}

impl FromJson for BTreeSet<Protocol> {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        Vec::from_json(value, place).map(|protocols| protocols.into_iter().collect())
    }
}

impl FromJson for Protocol {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        word(value, place, "must be one of ftps, ftp, mftp")
    }
}

impl FromJson for ClientCertificate {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        word(value, place, "must be none, optional or required")
    }
}

impl FromJson for Action {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        word(
            value,
            place,
            "must be one of list, download, upload, overwrite, append, rename, delete, make_directory, \
             remove_directory, set_attributes",
        )
    }
}
