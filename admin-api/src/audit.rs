//! The audit trail over the API: reading and verifying it. What is recorded of requests stands in
//! `audit/record.rs` and `audit/recorder.rs`.

mod answer;
mod changed;
mod query;
mod record;
mod recorder;

use axum::extract::State;
use axum::response::Json;

use crate::admin::AuditReader;
use crate::error::ApiError;
use crate::service::Service;

use answer::{AuditList, VerificationJson};
use query::{AuditListQuery, AuditListShape, cursor};

pub(crate) use changed::Changed;
pub(crate) use record::record;
pub(crate) use recorder::Recorder;

/// List what happened
///
/// The newest first; go on with `next_cursor` as `cursor`.
#[utoipa::path(get, path = "/api/v1/audit", operation_id = "listAudit", tag = "audit", params(AuditListShape),
    responses((status = 200, description = "A page of records", body = AuditList)),
    security(("bearer" = ["audit"])))]
pub(crate) async fn list(
    _: AuditReader,
    State(service): State<Service>,
    AuditListQuery(query): AuditListQuery,
) -> Result<Json<AuditList>, ApiError> {
    let page = service.accounts.audit(query).await?;
    let next_cursor = page.next.map(|last| cursor(&service.cursors, &last));
    Ok(Json(AuditList { items: page.items.into_iter().map(Into::into).collect(), next_cursor }))
}

/// Verify the trail
///
/// All records are read once. A trail of millions takes longer than a request may: then use
/// `wharfinger-admin verify-audit`.
#[utoipa::path(get, path = "/api/v1/audit/verify", operation_id = "verifyAudit", tag = "audit",
    responses((status = 200, description = "What was found", body = VerificationJson)),
    security(("bearer" = ["audit"])))]
pub(crate) async fn verify(
    _: AuditReader,
    State(service): State<Service>,
) -> Result<Json<VerificationJson>, ApiError> {
    Ok(Json(service.accounts.verify_audit().await?.into()))
}
