//! The users' handlers: each takes what the extractors have checked, asks `Accounts` once, and
//! says the answer. What a user looks like in JSON stands in `users/answer.rs`, what may be
//! sent in `users/body.rs`.

mod answer;
mod body;
mod bulk;
mod explain;
mod query;
#[expect(dead_code, reason = "shapes are read by the macros that derive the document")]
mod shape;

use axum::extract::State;
use axum::http::header::{ETAG, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use wharfinger_accounts::{Activity, Edited, Status, Usage, User, UserDetail};

use crate::admin::{Reader, UserWriter};
use crate::audit::{Changed, Recorder};
use crate::body::Body;
use crate::error::{ApiError, ProblemDocument};
use crate::precondition::{IfMatch, etag};
use crate::service::Service;

use answer::{CreatedUser, PasswordRotated, UserJson, UserList};
use body::{Creation, PasswordRotation, UserPatch};
use explain::{Asked, Explained};
use query::{LIST, ListQuery, NameInPath, RemovalQuery};
use shape::{ListShape, NameShape, NewUserShape, RemovalShape, RotationShape, UserPatchShape};

pub(crate) use answer::shown;
pub(crate) use bulk::{__path_export, __path_import, export, import};
pub(crate) use shape::{IfMatchShape, ProtocolShape, StatusShape};

/// List users
///
/// By name; go on with `next_cursor` as `cursor`.
#[utoipa::path(get, path = "/api/v1/users", operation_id = "listUsers", tag = "users", params(ListShape),
    responses((status = 200, description = "A page of users", body = UserList)),
    security(("bearer" = ["auditor"])))]
pub(crate) async fn list(
    _: Reader,
    State(service): State<Service>,
    query: ListQuery,
) -> Result<Response, ApiError> {
    let page = service.accounts.users(query.0).await?;
    let next_cursor = page.next.as_ref().map(|last| service.cursors.after(LIST, last.as_str()));
    let items = page.items.iter().map(UserJson::from).collect();
    Ok(Json(UserList { items, next_cursor, total: page.total }).into_response())
}

/// Create a user
#[utoipa::path(post, path = "/api/v1/users", operation_id = "createUser", tag = "users",
    request_body = NewUserShape,
    responses((status = 201, description = "The user, with the password if it was generated",
            body = CreatedUser,
            headers(("Location" = String, description = "The user's path"),
                ("ETag" = String, description = "The user's version"))),
        (status = 409, description = "The name is taken, or the home is being removed", body = ProblemDocument,
            content_type = "application/problem+json")),
    security(("bearer" = ["user-manager"])))]
pub(crate) async fn create(
    _: UserWriter,
    State(service): State<Service>,
    recorder: Recorder,
    Body(Creation { user, password }): Body<Creation>,
) -> Result<Response, ApiError> {
    recorder.about(user.username.as_str());
    let (user, generated) = service.accounts.create_user(user, password).await?;
    let location = HeaderValue::try_from(format!("/api/v1/users/{}", user.username))
        .map_err(|error| ApiError::Internal(error.to_string()))?;
    let headers = [(LOCATION, location), (ETAG, etag(user.version)?)];
    // The user is there; what the home held before is not worth a refusal.
    let usage = service.accounts.usage(&user.home).await.unwrap_or_default();
    let detail = UserDetail { user, activity: Activity::default(), usage };
    recorder.changed(Changed::made(UserJson::from(&detail)));
    Ok((StatusCode::CREATED, headers, Json(CreatedUser::new(&detail, generated.as_ref()))).into_response())
}

/// Look at a user
#[utoipa::path(get, path = "/api/v1/users/{username}", operation_id = "getUser", tag = "users",
    params(NameShape),
    responses((status = 200, description = "The user", body = UserJson,
        headers(("ETag" = String, description = "The user's version")))),
    security(("bearer" = ["auditor"])))]
pub(crate) async fn show(
    _: Reader,
    State(service): State<Service>,
    NameInPath(name): NameInPath,
) -> Result<Response, ApiError> {
    answer(&service.accounts.user(&name).await?)
}

/// Change a user
///
/// A merge patch (RFC 7396): what is left out stays, `null` removes a limit or a date. It reaches live
/// sessions within two seconds, on every node.
#[utoipa::path(patch, path = "/api/v1/users/{username}", operation_id = "changeUser", tag = "users",
    params(NameShape, IfMatchShape),
    request_body(content((UserPatchShape = "application/merge-patch+json"), (UserPatchShape = "application/json"))),
    responses((status = 200, description = "The user", body = UserJson,
        headers(("ETag" = String, description = "The user's version")))),
    security(("bearer" = ["user-manager"])))]
pub(crate) async fn change(
    _: UserWriter,
    State(service): State<Service>,
    NameInPath(name): NameInPath,
    if_match: IfMatch,
    recorder: Recorder,
    Body(patch): Body<UserPatch>,
) -> Result<Response, ApiError> {
    let edited = service.accounts.change_user(&name, if_match, |settings| patch.apply(settings)).await?;
    edited_answer(&recorder, &edited)
}

/// Remove a user
///
/// The user's sessions end within two seconds, on every node. With `files=delete` a file server then removes
/// all that the user's home holds; until that is done, nobody can be given this home.
#[utoipa::path(delete, path = "/api/v1/users/{username}", operation_id = "removeUser", tag = "users",
    params(NameShape, RemovalShape, IfMatchShape),
    responses((status = 204, description = "Removed"),
        (status = 409, description = "The files are to go, and others use the home as well",
            body = ProblemDocument, content_type = "application/problem+json")),
    security(("bearer" = ["user-manager"])))]
pub(crate) async fn remove(
    _: UserWriter,
    State(service): State<Service>,
    NameInPath(name): NameInPath,
    if_match: IfMatch,
    recorder: Recorder,
    RemovalQuery { with_files }: RemovalQuery,
) -> Result<StatusCode, ApiError> {
    let removed = if with_files {
        service.accounts.remove_user_and_files(&name, if_match).await?
    } else {
        service.accounts.remove_user(&name, if_match).await?
    };
    let changed =
        removed.map(alone).map_or_else(Changed::default, |it| Changed::removed(UserJson::from(&it)));
    recorder.changed(if with_files { changed.and("files", "delete") } else { changed });
    Ok(StatusCode::NO_CONTENT)
}

/// Disable a user
///
/// The user's sessions and transfers end within two seconds, on every node.
#[utoipa::path(post, path = "/api/v1/users/{username}/disable", operation_id = "disableUser", tag = "users",
    params(NameShape, IfMatchShape),
    responses((status = 200, description = "The user", body = UserJson,
        headers(("ETag" = String, description = "The user's version")))),
    security(("bearer" = ["user-manager"])))]
pub(crate) async fn disable(
    _: UserWriter,
    State(service): State<Service>,
    NameInPath(name): NameInPath,
    if_match: IfMatch,
    recorder: Recorder,
) -> Result<Response, ApiError> {
    let edited = service.accounts.set_status(&name, Status::Disabled, if_match).await?;
    edited_answer(&recorder, &edited)
}

/// Enable a user
#[utoipa::path(post, path = "/api/v1/users/{username}/enable", operation_id = "enableUser", tag = "users",
    params(NameShape, IfMatchShape),
    responses((status = 200, description = "The user", body = UserJson,
        headers(("ETag" = String, description = "The user's version")))),
    security(("bearer" = ["user-manager"])))]
pub(crate) async fn enable(
    _: UserWriter,
    State(service): State<Service>,
    NameInPath(name): NameInPath,
    if_match: IfMatch,
    recorder: Recorder,
) -> Result<Response, ApiError> {
    let edited = service.accounts.set_status(&name, Status::Active, if_match).await?;
    edited_answer(&recorder, &edited)
}

/// Give a user another password
///
/// The body may be left out: then a password is generated, and the old one ends at once.
#[utoipa::path(post, path = "/api/v1/users/{username}/rotate-password", operation_id = "rotatePassword",
    tag = "users", params(NameShape, IfMatchShape), request_body = Option<RotationShape>,
    responses((status = 200, description = "What was done", body = PasswordRotated,
        headers(("ETag" = String, description = "The user's version")))),
    security(("bearer" = ["user-manager"])))]
pub(crate) async fn rotate_password(
    _: UserWriter,
    State(service): State<Service>,
    NameInPath(name): NameInPath,
    if_match: IfMatch,
    recorder: Recorder,
    body: Option<Body<PasswordRotation>>,
) -> Result<Response, ApiError> {
    let Body(PasswordRotation(rotation)) = body.unwrap_or_default();
    let rotated = service.accounts.rotate_password(&name, rotation, if_match).await?;
    let (before, after) = (alone(rotated.before.clone()), alone(rotated.user.clone()));
    recorder.changed(Changed::between(UserJson::from(&before), UserJson::from(&after)));
    Ok(([(ETAG, etag(rotated.user.version)?)], Json(PasswordRotated::from(rotated))).into_response())
}

/// Lift a user's brute-force lock
///
/// Where logins in this name have failed too often, on whatever server, the locks that has brought about are
/// lifted within a few seconds.
#[utoipa::path(post, path = "/api/v1/users/{username}/unlock", operation_id = "unlockUser", tag = "users",
    params(NameShape),
    responses((status = 200, description = "The user", body = UserJson,
        headers(("ETag" = String, description = "The user's version")))),
    security(("bearer" = ["user-manager"])))]
pub(crate) async fn unlock(
    _: UserWriter,
    State(service): State<Service>,
    NameInPath(name): NameInPath,
) -> Result<Response, ApiError> {
    answer(&service.accounts.unlock(&name).await?)
}

/// Count what a user has stored
///
/// `usage` is kept true by the file servers; what was changed behind their back, they don't see. One of
/// them counts the files of the user's home anew; `usage.recounted_at` tells when that was done.
#[utoipa::path(post, path = "/api/v1/users/{username}/recount", operation_id = "recountUser", tag = "users",
    params(NameShape),
    responses((status = 202, description = "The user, as long as the files are not counted", body = UserJson)),
    security(("bearer" = ["user-manager"])))]
pub(crate) async fn recount(
    _: UserWriter,
    State(service): State<Service>,
    NameInPath(name): NameInPath,
) -> Result<Response, ApiError> {
    let detail = service.accounts.ask_recount(&name).await?;
    Ok((StatusCode::ACCEPTED, Json(UserJson::from(&detail))).into_response())
}

/// Explain what a user may do
///
/// The same rules, in the same order, by the same code as at the file server. A login's password is not
/// asked for.
#[utoipa::path(post, path = "/api/v1/users/{username}/explain", operation_id = "explainUser", tag = "users",
    params(NameShape), request_body = Asked,
    responses((status = 200, description = "Whether it is allowed, and why", body = Explained)),
    security(("bearer" = ["auditor"])))]
pub(crate) async fn explain(
    _: Reader,
    State(service): State<Service>,
    NameInPath(name): NameInPath,
    Body(asked): Body<Asked>,
) -> Result<Json<Explained>, ApiError> {
    Ok(Json(service.accounts.explain(&name, &asked.question()).await?.into()))
}

/// The answer of a change, which is recorded as it was made.
fn edited_answer(recorder: &Recorder, edited: &Edited<UserDetail>) -> Result<Response, ApiError> {
    let Edited { before, after } = edited;
    recorder.changed(Changed::between(UserJson::from(before), UserJson::from(after)));
    answer(after)
}

/// A user without what happens beside, for a record.
fn alone(user: User) -> UserDetail {
    UserDetail { user, activity: Activity::default(), usage: Usage::default() }
}

fn answer(detail: &UserDetail) -> Result<Response, ApiError> {
    Ok(([(ETAG, etag(detail.user.version)?)], Json(UserJson::from(detail))).into_response())
}
