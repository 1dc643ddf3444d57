//! `/healthz` says that the process lives, `/readyz` that it can do its work. Both answer
//! without a credential, for probes, and tell nothing else.

use std::time::Duration;

use axum::extract::State;
use axum::response::Json;
use serde::Serialize;
use utoipa::ToSchema;
use wharfinger_accounts::NotReady;

use crate::error::ApiError;
use crate::service::Service;

/// A probe waits no longer; the store's own time-out is made for requests.
const PATIENCE: Duration = Duration::from_secs(3);

/// The answer when all is well.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// `alive` or `ready`.
    #[schema(value_type = String)]
    status: &'static str,
}

/// Whether the process lives
#[utoipa::path(get, path = "/healthz", operation_id = "live", tag = "service",
    responses((status = 200, description = "It does", body = Health)))]
pub(crate) async fn live() -> Json<Health> {
    Json(Health { status: "alive" })
}

/// Whether the service can do its work
#[utoipa::path(get, path = "/readyz", operation_id = "ready", tag = "service",
    responses((status = 200, description = "The store can be reached and is migrated", body = Health)))]
pub(crate) async fn ready(State(service): State<Service>) -> Result<Json<Health>, ApiError> {
    match tokio::time::timeout(PATIENCE, service.accounts.ready()).await {
        Ok(Ok(())) => Ok(Json(Health { status: "ready" })),
        Ok(Err(NotReady::Store(error))) => Err(error.into()),
        Ok(Err(reason)) => Err(ApiError::NotReady(reason.to_string())),
        Err(_) => Err(ApiError::NotReady("The store doesn't answer.".to_owned())),
    }
}
