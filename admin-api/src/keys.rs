//! The API keys' handlers: credentials for programs, with a role and an end of their own. A key is
//! good only as long as the admin who made it may do what the key may.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use wharfinger_accounts::{ApiKey, KeyName, Role};

use crate::admin::{Owner, Reader};
use crate::admins::RoleShape;
use crate::audit::{Changed, Recorder};
use crate::body::Body;
use crate::error::ApiError;
use crate::json::{FromJson, Place};
use crate::query::PageQuery;
use crate::service::Service;
use crate::users::shown;

/// The name of the list, for its cursors.
const LIST: &str = "api-keys";

/// List API keys
///
/// By id, without the keys themselves; go on with `next_cursor` as `cursor`.
#[utoipa::path(get, path = "/api/v1/api-keys", operation_id = "listApiKeys", tag = "admins",
    params(PageQuery),
    responses((status = 200, description = "A page of API keys", body = KeyList)),
    security(("bearer" = ["auditor"])))]
pub(crate) async fn list(
    _: Reader,
    State(service): State<Service>,
    page: PageQuery,
) -> Result<Json<KeyList>, ApiError> {
    let after = service.cursors.read_page(LIST, &page)?;
    let found = service.accounts.keys(after.as_deref(), page.limit).await?;
    let next_cursor = found.next.map(|last| service.cursors.after(LIST, &last));
    Ok(Json(KeyList { items: found.items.into_iter().map(KeyJson::from).collect(), next_cursor }))
}

/// Make an API key
///
/// It works as long as the admin who makes it exists, is enabled and may do what the key may.
#[utoipa::path(post, path = "/api/v1/api-keys", operation_id = "createApiKey", tag = "admins",
    request_body = NewKey,
    responses((status = 201, description = "The key, shown once", body = CreatedKey)),
    security(("bearer" = ["owner"])))]
pub(crate) async fn create(
    Owner(maker): Owner,
    State(service): State<Service>,
    recorder: Recorder,
    Body(NewKey { name, role, expires_at }): Body<NewKey>,
) -> Result<Response, ApiError> {
    let new = service.accounts.new_key(&maker, name, role, expires_at).await;
    let new = new.map_err(ApiError::about_admin)?;
    recorder.about(new.id());
    let (key, secret) = service.accounts.create_key(new).await?;
    let about = KeyJson::from((key, None));
    recorder.changed(Changed::made(&about));
    Ok((StatusCode::CREATED, Json(CreatedKey { key: shown(&secret), about })).into_response())
}

/// Remove an API key
///
/// It is refused from then on.
#[utoipa::path(delete, path = "/api/v1/api-keys/{id}", operation_id = "removeApiKey", tag = "admins",
    params(KeyIdShape),
    responses((status = 204, description = "Removed")),
    security(("bearer" = ["owner"])))]
pub(crate) async fn remove(
    _: Owner,
    State(service): State<Service>,
    recorder: Recorder,
    id: Result<Path<String>, axum::extract::rejection::PathRejection>,
) -> Result<StatusCode, ApiError> {
    let Path(id) = id.map_err(|_| ApiError::NoSuchKey)?;
    let removed = service.accounts.remove_key(&id).await.map_err(ApiError::about_key)?;
    recorder.changed(Changed::removed(KeyJson::from((removed, None))));
    Ok(StatusCode::NO_CONTENT)
}

/// The key a path names.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "read by the macro that derives the document")]
pub(crate) struct KeyIdShape {
    /// The key's id.
    id: String,
}

/// A credential for a program.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub(crate) struct KeyJson {
    /// Also the part of the key after `whk_`, so that one found somewhere can be looked up.
    id: String,
    /// What it is for.
    name: String,
    #[schema(value_type = RoleShape)]
    role: Role,
    /// The admin who made it.
    created_by: String,
    created_at: Timestamp,
    /// From then on it is refused.
    expires_at: Option<Timestamp>,
    /// To the minute.
    last_used_at: Option<Timestamp>,
}

/// A page of API keys.
#[derive(Serialize, ToSchema)]
pub(crate) struct KeyList {
    /// By id.
    items: Vec<KeyJson>,
    /// What to ask for as `cursor` to go on; `null` on the last page.
    next_cursor: Option<String>,
}

/// An API key just made.
#[derive(Serialize, ToSchema)]
#[schema(as = CreatedApiKey)]
pub(crate) struct CreatedKey {
    /// Send it as `Authorization: Bearer …`. It is shown this once.
    key: String,
    #[serde(flatten)]
    about: KeyJson,
}

/// What an API key is to be.
#[derive(ToSchema)]
#[schema(as = NewApiKey)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewKey {
    /// What it is for.
    #[schema(value_type = String, min_length = 1, max_length = 64, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
    name: KeyName,
    #[schema(value_type = RoleShape)]
    role: Role,
    /// From then on it is refused; must lie ahead.
    expires_at: Option<Timestamp>,
}

impl From<(ApiKey, Option<Timestamp>)> for KeyJson {
    fn from((key, last_used_at): (ApiKey, Option<Timestamp>)) -> Self {
        Self {
            id: key.id,
            name: key.name.into(),
            role: key.role,
            created_by: key.created_by.into(),
            created_at: key.created_at,
            expires_at: key.expires_at,
            last_used_at,
        }
    }
}

impl FromJson for NewKey {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        let mut members = place.object(value)?;
        let name = members.required("name");
        let role = members.required("role");
        let expires_at = members.optional("expires_at").flatten();
        members.finish();
        Some(Self { name: name?, role: role?, expires_at })
    }
}
