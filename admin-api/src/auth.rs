//! `POST /api/v1/auth/token`: a name and a password for a token of a few minutes.

use std::net::SocketAddr;
use std::time::Instant;

use axum::extract::{ConnectInfo, Extension, State};
use axum::response::Json;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use wharfinger_accounts::{Act, Event, LoginError, Password, Request, Username};

use crate::admin::Actor;
use crate::body::Body;
use crate::envelope::RequestId;
use crate::error::{ApiError, ProblemDocument};
use crate::json::{FromJson, Place};
use crate::service::Service;

/// A name and a password.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Login {
    /// The admin's name.
    username: String,
    /// The admin's password.
    #[schema(value_type = String, format = Password)]
    password: Password,
}

/// A token (RFC 6749, section 5.1).
#[derive(Serialize, ToSchema)]
#[schema(as = Token)]
pub(crate) struct Issued {
    /// Send it as `Authorization: Bearer …`.
    access_token: String,
    /// `Bearer`.
    #[schema(value_type = String)]
    token_type: &'static str,
    /// How long it is good, seconds.
    expires_in: u64,
}

/// Log in
///
/// The token dies with any change to its admin: another password or role, disabling, removal.
#[utoipa::path(post, path = "/api/v1/auth/token", operation_id = "logIn", tag = "auth", request_body = Login,
    responses((status = 200, description = "A token", body = Issued),
        (status = 401, description = "The name and the password don't belong together",
            body = ProblemDocument, content_type = "application/problem+json")))]
pub(crate) async fn token(
    State(service): State<Service>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Extension(actor): Extension<Actor>,
    Extension(RequestId(id)): Extension<RequestId>,
    Body(login): Body<Login>,
) -> Result<Json<Issued>, ApiError> {
    let attempt = service.throttle.admit(peer.ip(), &login.username, Instant::now()).map_err(|wait| {
        service.metrics.login("throttled");
        ApiError::TooManyLogins(wait)
    })?;
    let request = Request { address: Some(peer.ip()), id: Some(id) };
    match service.accounts.admin_log_in(&login.username, &login.password).await {
        Ok(admin) => {
            attempt.succeed(Instant::now());
            service.metrics.login("ok");
            actor.set(admin.username.as_str());
            note(&service, Some(&admin.username), Act::AdminLogin { request });
            let token = service.tokens.issue(&admin, Timestamp::now());
            let access_token = token.map_err(|error| ApiError::Internal(error.to_string()))?;
            Ok(Json(Issued { access_token, token_type: "Bearer", expires_in: service.tokens.seconds() }))
        }
        Err(LoginError::Refused(reason)) => {
            // What is no name is not logged: people type passwords into the wrong field.
            service.metrics.login("refused");
            let name: Option<Username> = login.username.parse().ok();
            note(&service, name.as_ref(), Act::AdminLoginRefused { request, reason: reason.to_string() });
            let name = name.as_ref().map_or("", Username::as_str);
            tracing::warn!(address = %peer.ip(), name, %reason, "admin login refused");
            Err(ApiError::WrongPassword)
        }
        Err(error) => {
            service.metrics.login("impossible");
            attempt.forgive();
            Err(error.into())
        }
    }
}

fn note(service: &Service, actor: Option<&Username>, act: Act) {
    service.trail.note(Event { user: None, actor: actor.map(ToString::to_string), act });
}

impl FromJson for Login {
    fn from_json(value: Value, place: &mut Place<'_>) -> Option<Self> {
        let mut members = place.object(value)?;
        let username = members.required("username");
        let password = members.required("password");
        members.finish();
        Some(Self { username: username?, password: password? })
    }
}
