//! Who sends a request and whether the role allows it, as values: a handler that has a
//! `UserWriter` may write users, and one without can't. 401 and 403 come from here only.

use std::sync::{Arc, OnceLock};

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use wharfinger_accounts::{Admin, Role, Status, StoreError, Username};

use crate::error::ApiError;
use crate::service::Service;

/// An admin who may read.
pub(crate) struct Reader;

/// An admin who may create, change and remove users.
pub(crate) struct UserWriter;

/// Where the sender's name is left for the access log, once it is known.
#[derive(Clone, Default)]
pub(crate) struct Actor(Arc<OnceLock<Username>>);

impl FromRequestParts<Service> for Reader {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, ApiError> {
        match authenticate(parts, service).await?.role {
            Role::Owner | Role::UserManager | Role::Auditor => Ok(Self),
        }
    }
}

impl FromRequestParts<Service> for UserWriter {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, ApiError> {
        match authenticate(parts, service).await?.role {
            Role::Owner | Role::UserManager => Ok(Self),
            Role::Auditor => Err(ApiError::RoleMayNot),
        }
    }
}

impl Actor {
    pub(crate) fn set(&self, name: &Username) {
        // One request has one sender: a second name could only be the same.
        self.0.get_or_init(|| name.clone());
    }

    pub(crate) fn name(&self) -> &str {
        self.0.get().map_or("", Username::as_str)
    }
}

/// The admin as the store knows them now: a token of a changed, disabled or removed admin is
/// no longer good.
async fn authenticate(parts: &Parts, service: &Service) -> Result<Admin, ApiError> {
    let claims = service.tokens.verify(bearer(parts)?).ok_or(ApiError::BadToken)?;
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
    if let Some(actor) = parts.extensions.get::<Actor>() {
        actor.set(&admin.username);
    }
    Ok(admin)
}

/// RFC 6750, section 2.1; the scheme's case doesn't matter (RFC 9110, section 11.1).
fn bearer(parts: &Parts) -> Result<&str, ApiError> {
    let header = parts.headers.get(AUTHORIZATION).ok_or(ApiError::NoCredential)?;
    let (scheme, token) =
        header.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(ApiError::BadToken)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(ApiError::NoCredential) }
}
