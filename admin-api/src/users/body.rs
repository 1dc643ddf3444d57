//! What clients may send about a user, and what each member must be. The rules of the values
//! themselves are the accounts' own; here they get their place in the document.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;
use wharfinger_accounts::{Action, ClientCertificate, Grant, Home, Invalid, Limits, NewUser, Password};
use wharfinger_accounts::{Permissions, Protocol, Quota, Rotation, Status, Username};

use crate::body::Body;
use crate::json::{FromJson, Members, Place};

/// `POST /api/v1/users`.
#[derive(Debug)]
pub(crate) struct Creation {
    pub(crate) user: NewUser,
    pub(crate) password: Option<Password>,
}

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
        Some(Self { user: settings.apply(NewUser::named(username?)), password })
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
struct Settings {
    status: Option<Status>,
    description: Option<String>,
    home: Option<Home>,
    permissions: Option<Permissions>,
    quota: Option<Quota>,
    limits: Option<Limits>,
    allowed_networks: Option<Vec<IpNet>>,
    protocols: Option<BTreeSet<Protocol>>,
    client_certificate: Option<ClientCertificate>,
    expires_at: Option<Timestamp>,
    password_expires_at: Option<Timestamp>,
    must_change_by: Option<Timestamp>,
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
            expires_at: members.optional("expires_at").flatten(),
            password_expires_at: members.optional("password_expires_at").flatten(),
            must_change_by: members.optional("must_change_by").flatten(),
        }
    }

    fn apply(self, to: NewUser) -> NewUser {
        NewUser {
            username: to.username,
            status: self.status.unwrap_or(to.status),
            description: self.description.unwrap_or(to.description),
            home: self.home.unwrap_or(to.home),
            permissions: self.permissions.unwrap_or(to.permissions),
            quota: self.quota.unwrap_or(to.quota),
            limits: self.limits.unwrap_or(to.limits),
            allowed_networks: self.allowed_networks.unwrap_or(to.allowed_networks),
            protocols: self.protocols.unwrap_or(to.protocols),
            client_certificate: self.client_certificate.unwrap_or(to.client_certificate),
            expires_at: self.expires_at,
            password_expires_at: self.password_expires_at,
            must_change_by: self.must_change_by,
        }
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

impl FromJson for Password {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        String::from_json(value, place).map(Self::new)
    }
}

impl FromJson for Username {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        checked(value, place)
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

impl FromJson for Quota {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        let mut members = place.object(value)?;
        let max_bytes = members.optional("max_bytes").flatten();
        let max_files = members.optional("max_files").flatten();
        members.finish();
        Some(Self { max_bytes, max_files })
    }
}

impl FromJson for Limits {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        let mut members = place.object(value)?;
        let max_sessions = members.optional("max_sessions").flatten();
        let download_bytes_per_second = members.optional("download_bytes_per_second").flatten();
        let upload_bytes_per_second = members.optional("upload_bytes_per_second").flatten();
        members.finish();
        Some(Self { max_sessions, download_bytes_per_second, upload_bytes_per_second })
    }
}

impl FromJson for IpNet {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        let text = String::from_json(value, place)?;
        let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(Self::from));
        network.ok().or_else(|| place.refuse("must be an address or a network such as 192.0.2.0/24"))
    }
}

impl FromJson for Timestamp {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        let text = String::from_json(value, place)?;
        text.parse().ok().or_else(|| place.refuse("must be a time such as 2026-12-31T23:59:59Z (RFC 3339)"))
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

impl FromJson for Status {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        word(value, place, "must be active or disabled")
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

/// One of a few words, spelled as in the store.
fn word<T: DeserializeOwned>(value: Value, place: &mut Place<'_>, rule: &'static str) -> Option<T> {
    serde_json::from_value(value).ok().or_else(|| place.refuse(rule))
}

/// Text with a rule of its own.
fn checked<T: FromStr<Err = Invalid>>(value: Value, place: &mut Place<'_>) -> Option<T> {
    match String::from_json(value, place)?.parse() {
        Ok(value) => Some(value),
        Err(invalid) => place.refuse(invalid.rule()),
    }
}
