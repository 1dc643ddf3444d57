//! What the address of a request says about users: the user's name, and what to list or remove.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use wharfinger_accounts::{Status, UserQuery, Username};

use crate::error::ApiError;
use crate::query::{BAD_CURSOR, Parameters};
use crate::service::Service;

/// The name of the list, for its cursors.
pub(super) const LIST: &str = "users";

/// The user a path names. What can't be a name is nobody's.
pub(crate) struct NameInPath(pub(crate) Username);

/// `?limit=&cursor=&status=&q=&count=`
#[derive(Debug)]
pub(crate) struct ListQuery(pub(crate) UserQuery);

/// `?files=keep|delete`
pub(crate) struct RemovalQuery {
    pub(crate) with_files: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for NameInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let name = Path::<String>::from_request_parts(parts, state).await;
        name.ok().and_then(|Path(name)| name.parse().ok()).map(Self).ok_or(ApiError::NoSuchUser)
    }
}

impl FromRequestParts<Service> for ListQuery {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, ApiError> {
        let mut parameters = Parameters::of(parts)?;
        let limit = parameters.limit();
        let after = parameters.take("cursor", BAD_CURSOR, |text| {
            service.cursors.read(LIST, text).and_then(|name| name.parse().ok())
        });
        let status = parameters.take("status", "must be active or disabled", |text| {
            [Status::Active, Status::Disabled].into_iter().find(|status| status.as_str() == text)
        });
        let search = parameters
            .take("q", "must be at most 256 bytes", |text| (text.len() <= 256).then(|| text.to_owned()));
        let count = parameters.take("count", "must be true or false", |text| text.parse().ok());
        parameters.finish()?;
        Ok(Self(UserQuery { after, limit, status, search, count: count.unwrap_or_default() }))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RemovalQuery {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let mut parameters = Parameters::of(parts)?;
        let with_files = parameters.take("files", "must be keep or delete", |text| match text {
            "keep" => Some(false),
            "delete" => Some(true),
            _ => None,
        });
        parameters.finish()?;
        Ok(Self { with_files: with_files.unwrap_or_default() })
    }
}
