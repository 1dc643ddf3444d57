//! Who sends a request and whether the role allows it, as values: a handler that has a
//! `UserWriter` may write users, and one without can't. 401 and 403 come from here only.

use std::sync::{Arc, OnceLock};

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use wharfinger_accounts::{Accounts, Password, Role, Status, StoreError, Username};

use crate::error::ApiError;
use crate::service::Service;

/// An admin who may read.
pub(crate) struct Reader;

/// An admin who may read the audit trail: users' managers don't.
pub(crate) struct AuditReader;

/// An admin who may create, change and remove users.
pub(crate) struct UserWriter;

/// An admin who may do everything; by this name.
pub(crate) struct Owner(pub(crate) Username);

/// Where the sender's name is left for the access log, once it is known.
#[derive(Clone, Default)]
pub(crate) struct Actor(Arc<OnceLock<String>>);

impl FromRequestParts<Service> for Reader {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, ApiError> {
        demand(parts, service, Role::Auditor).await.map(|_| Self)
    }
}

impl FromRequestParts<Service> for AuditReader {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, ApiError> {
        match demand(parts, service, Role::Auditor).await?.role {
            Role::Owner | Role::Auditor => Ok(Self),
            Role::UserManager => Err(ApiError::RoleMayNot),
        }
    }
}

impl FromRequestParts<Service> for UserWriter {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, ApiError> {
        demand(parts, service, Role::UserManager).await.map(|_| Self)
    }
}

impl FromRequestParts<Service> for Owner {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, ApiError> {
        demand(parts, service, Role::Owner).await.map(|sender| Self(sender.admin))
    }
}

impl Actor {
    pub(crate) fn set(&self, name: impl Into<String>) {
        // One request has one sender: a second name could only be the same.
        self.0.get_or_init(|| name.into());
    }

    /// The admin's name; of a key, its id too: `alice/` and 32 hexadecimal digits.
    pub(crate) fn name(&self) -> &str {
        self.0.get().map_or("", String::as_str)
    }
}

/// Who has proved to be somebody: an admin, in person or by one of the admin's keys.
struct Sender {
    admin: Username,
    key: Option<String>,
    role: Role,
}

async fn demand(parts: &Parts, service: &Service, least: Role) -> Result<Sender, ApiError> {
    let credential = bearer(parts)?;
    let sender = if Accounts::looks_like_a_key(credential) {
        by_key(service, credential).await?
    } else {
        by_token(service, credential).await?
    };
    if let Some(actor) = parts.extensions.get::<Actor>() {
        match &sender.key {
            Some(id) => actor.set(format!("{}/{id}", sender.admin)),
            None => actor.set(sender.admin.as_str()),
        }
    }
    if sender.role.covers(least) { Ok(sender) } else { Err(ApiError::RoleMayNot) }
}

/// The admin as the store knows them now: a token of a changed, disabled or removed admin is
/// no longer good.
async fn by_token(service: &Service, token: &str) -> Result<Sender, ApiError> {
    let claims = service.tokens.verify(token).ok_or(ApiError::BadToken)?;
    let name: Username = claims.sub.parse().map_err(|_| ApiError::BadToken)?;
    let admin = match service.accounts.admin(&name).await {
        Ok(admin) => admin,
        Err(StoreError::NotFound) => return Err(ApiError::BadToken),
        Err(error) => return Err(error.into()),
    };
    let same = admin.id == claims.id && admin.version == claims.version;
    if !same || admin.status != Status::Active {
        return Err(ApiError::BadToken);
    }
    Ok(Sender { admin: admin.username, key: None, role: admin.role })
}

async fn by_key(service: &Service, text: &str) -> Result<Sender, ApiError> {
    let key = service.accounts.check_key(&Password::new(text)).await?.ok_or(ApiError::BadToken)?;
    Ok(Sender { admin: key.created_by, key: Some(key.id), role: key.role })
}

/// RFC 6750, section 2.1; the scheme's case doesn't matter (RFC 9110, section 11.1).
fn bearer(parts: &Parts) -> Result<&str, ApiError> {
    let header = parts.headers.get(AUTHORIZATION).ok_or(ApiError::NoCredential)?;
    let (scheme, token) =
        header.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(ApiError::BadToken)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(ApiError::NoCredential) }
}
