//! The admins' handlers: who may use this API, and in which role. Only owners come here, and
//! auditors to look.

use axum::extract::{FromRequestParts, Path, State};
use axum::http::header::{ETAG, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use wharfinger_accounts::{Admin, AdminChange, Edited, Password, Role, Status, Username};

use crate::admin::{Owner, Reader};
use crate::audit::{Changed, Recorder};
use crate::body::Body;
use crate::error::{ApiError, ProblemDocument};
use crate::json::{FromJson, Place};
use crate::precondition::{IfMatch, etag};
use crate::query::PageQuery;
use crate::service::Service;
use crate::users::{IfMatchShape, StatusShape, shown};

/// The name of the list, for its cursors.
const LIST: &str = "admins";

/// List admins
///
/// By name; go on with `next_cursor` as `cursor`.
#[utoipa::path(get, path = "/api/v1/admins", operation_id = "listAdmins", tag = "admins",
    params(PageQuery),
    responses((status = 200, description = "A page of admins", body = AdminList)),
    security(("bearer" = ["auditor"])))]
pub(crate) async fn list(
    _: Reader,
    State(service): State<Service>,
    page: PageQuery,
) -> Result<Json<AdminList>, ApiError> {
    let after = service.cursors.read_page(LIST, &page)?;
    let after: Option<Username> = after.and_then(|name| name.parse().ok());
    let found = service.accounts.admins(after.as_ref(), page.limit).await?;
    let next_cursor = found.next.map(|last| service.cursors.after(LIST, last.as_str()));
    Ok(Json(AdminList { items: found.items.into_iter().map(AdminJson::from).collect(), next_cursor }))
}

/// Create an admin
#[utoipa::path(post, path = "/api/v1/admins", operation_id = "createAdmin", tag = "admins",
    request_body = NewAdmin,
    responses((status = 201, description = "The admin, with the password if it was generated",
            body = CreatedAdmin, headers(("ETag" = String, description = "The admin's version"))),
        (status = 409, description = "The name is taken", body = ProblemDocument,
            content_type = "application/problem+json")),
    security(("bearer" = ["owner"])))]
pub(crate) async fn create(
    _: Owner,
    State(service): State<Service>,
    recorder: Recorder,
    Body(NewAdmin { username, role, password }): Body<NewAdmin>,
) -> Result<Response, ApiError> {
    recorder.about(username.as_str());
    let created = service.accounts.create_admin(username, role, password).await;
    let (admin, generated) = created.map_err(ApiError::about_admin)?;
    let location = HeaderValue::try_from(format!("/api/v1/admins/{}", admin.username))
        .map_err(|error| ApiError::Internal(error.to_string()))?;
    let headers = [(LOCATION, location), (ETAG, etag(admin.version)?)];
    let created = CreatedAdmin { admin: admin.into(), password: generated.as_ref().map(shown) };
    recorder.changed(Changed::made(&created.admin));
    Ok((StatusCode::CREATED, headers, Json(created)).into_response())
}

/// Change an admin's role or status
///
/// A merge patch (RFC 7396). Tokens of the admin die at once. The last enabled owner can't be disabled
/// or given a lesser role.
#[utoipa::path(patch, path = "/api/v1/admins/{name}", operation_id = "changeAdmin", tag = "admins",
    params(AdminNameShape, IfMatchShape),
    request_body(content((AdminPatchShape = "application/merge-patch+json"), (AdminPatchShape = "application/json"))),
    responses((status = 200, description = "The admin", body = AdminJson,
            headers(("ETag" = String, description = "The admin's version"))),
        (status = 409, description = "The last enabled owner must stay one", body = ProblemDocument,
            content_type = "application/problem+json")),
    security(("bearer" = ["owner"])))]
pub(crate) async fn change(
    _: Owner,
    State(service): State<Service>,
    AdminInPath(name): AdminInPath,
    if_match: IfMatch,
    recorder: Recorder,
    Body(AdminPatch(change)): Body<AdminPatch>,
) -> Result<Response, ApiError> {
    let edited = service.accounts.change_admin(&name, change, if_match).await;
    let Edited { before, after } = edited.map_err(ApiError::about_admin)?;
    let (tag, after) = (etag(after.version)?, AdminJson::from(after));
    recorder.changed(Changed::between(AdminJson::from(before), &after));
    Ok(([(ETAG, tag)], Json(after)).into_response())
}

/// Give an admin another password
///
/// Tokens of the admin die at once; API keys live on. The body may be left out: then a password is
/// generated.
#[utoipa::path(post, path = "/api/v1/admins/{name}/rotate-password", operation_id = "rotateAdminPassword",
    tag = "admins", params(AdminNameShape, IfMatchShape), request_body = Option<AdminRotation>,
    responses((status = 200, description = "Whose password it is, and the password if it was generated",
        body = AdminRotated, headers(("ETag" = String, description = "The admin's version")))),
    security(("bearer" = ["owner"])))]
pub(crate) async fn rotate_password(
    _: Owner,
    State(service): State<Service>,
    AdminInPath(name): AdminInPath,
    if_match: IfMatch,
    recorder: Recorder,
    body: Option<Body<AdminRotation>>,
) -> Result<Response, ApiError> {
    let password = body.and_then(|Body(rotation)| rotation.password);
    let rotated = service.accounts.rotate_admin_password(&name, password, if_match).await;
    let (Edited { before, after }, generated) = rotated.map_err(ApiError::about_admin)?;
    let (tag, after) = (etag(after.version)?, AdminJson::from(after));
    recorder.changed(Changed::between(AdminJson::from(before), &after));
    let rotated = AdminRotated { username: after.username, password: generated.as_ref().map(shown) };
    Ok(([(ETAG, tag)], Json(rotated)).into_response())
}

/// Remove an admin
///
/// Tokens and API keys of the admin die at once. The last enabled owner can't be removed.
#[utoipa::path(delete, path = "/api/v1/admins/{name}", operation_id = "removeAdmin", tag = "admins",
    params(AdminNameShape, IfMatchShape),
    responses((status = 204, description = "Removed"),
        (status = 409, description = "The last enabled owner must stay", body = ProblemDocument,
            content_type = "application/problem+json")),
    security(("bearer" = ["owner"])))]
pub(crate) async fn remove(
    _: Owner,
    State(service): State<Service>,
    AdminInPath(name): AdminInPath,
    if_match: IfMatch,
    recorder: Recorder,
) -> Result<StatusCode, ApiError> {
    let removed = service.accounts.remove_admin(&name, if_match).await.map_err(ApiError::about_admin)?;
    recorder.changed(Changed::removed(AdminJson::from(removed)));
    Ok(StatusCode::NO_CONTENT)
}

/// The admin a path names. What can't be a name is nobody's.
pub(crate) struct AdminInPath(Username);

/// The admin a path names.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "read by the macro that derives the document")]
pub(crate) struct AdminNameShape {
    /// The admin's name.
    name: String,
}

impl<S: Send + Sync> FromRequestParts<S> for AdminInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let name = Path::<String>::from_request_parts(parts, state).await;
        name.ok().and_then(|Path(name)| name.parse().ok()).map(Self).ok_or(ApiError::NoSuchAdmin)
    }
}

/// What an admin may do: everything; users and sessions; read everything and change nothing.
#[derive(ToSchema)]
#[schema(as = Role, rename_all = "kebab-case")]
#[expect(dead_code, reason = "read by the macro that derives the document")]
pub(crate) enum RoleShape {
    Owner,
    UserManager,
    Auditor,
}

/// Somebody who may use this API.
#[derive(Serialize, ToSchema)]
#[schema(as = Admin)]
pub(crate) struct AdminJson {
    username: String,
    #[schema(value_type = RoleShape)]
    role: Role,
    #[schema(value_type = StatusShape)]
    status: Status,
    password_changed_at: Timestamp,
    created_at: Timestamp,
    updated_at: Timestamp,
    /// Raised by every change; the `ETag` is this in quotes.
    version: u64,
}

/// A page of admins.
#[derive(Serialize, ToSchema)]
pub(crate) struct AdminList {
    /// By name.
    items: Vec<AdminJson>,
    /// What to ask for as `cursor` to go on; `null` on the last page.
    next_cursor: Option<String>,
}

/// An admin just created.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedAdmin {
    #[serde(flatten)]
    admin: AdminJson,
    /// The password if it was generated; shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    password: Option<String>,
}

/// What a rotation did.
#[derive(Serialize, ToSchema)]
pub(crate) struct AdminRotated {
    /// Whose password it is.
    username: String,
    /// The password if it was generated; shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    password: Option<String>,
}

/// What an admin is to be.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAdmin {
    /// Compared byte for byte.
    #[schema(value_type = String, pattern = r"^(?!\.{1,2}$)(?!\.wharfinger-)[A-Za-z0-9._@-]{1,64}$")]
    username: Username,
    #[schema(value_type = RoleShape)]
    role: Role,
    /// 12 to 1024 bytes, not the name, none of the worst; left out: one is generated and shown in the
    /// answer, once.
    #[schema(value_type = String, required = false, min_length = 12, max_length = 1024, format = Password)]
    password: Option<Password>,
}

/// What to change; what is left out stays.
#[derive(ToSchema)]
#[schema(as = AdminPatch)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read by the macro that derives the document")]
struct AdminPatchShape {
    #[schema(required = false)]
    role: RoleShape,
    #[schema(required = false)]
    status: StatusShape,
}

/// `PATCH /api/v1/admins/{name}`.
pub(crate) struct AdminPatch(AdminChange);

/// How to give an admin another password.
#[derive(Default, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdminRotation {
    /// The new one; left out: one is generated and shown in the answer, once.
    #[schema(value_type = String, required = false, min_length = 12, max_length = 1024, format = Password)]
    password: Option<Password>,
}

impl From<Admin> for AdminJson {
    fn from(admin: Admin) -> Self {
        Self {
            username: admin.username.to_string(),
            role: admin.role,
            status: admin.status,
            password_changed_at: admin.password_changed_at,
            created_at: admin.created_at,
            updated_at: admin.updated_at,
            version: admin.version,
        }
    }
}

impl FromJson for NewAdmin {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        let mut members = place.object(value)?;
        let username = members.required("username");
        let role = members.required("role");
        let password = members.optional("password");
        members.finish();
        Some(Self { username: username?, role: role?, password })
    }
}

impl FromJson for AdminPatch {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        let mut members = place.object(value)?;
        let change = AdminChange { role: members.optional("role"), status: members.optional("status") };
        members.finish();
        Some(Self(change))
    }
}

impl FromJson for AdminRotation {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        let mut members = place.object(value)?;
        let password = members.optional("password");
        members.finish();
        Some(Self { password })
    }
}
