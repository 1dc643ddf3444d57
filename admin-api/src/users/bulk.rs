//! All users out, and many in, as NDJSON: a user a line. Both stream, so that neither the number of
//! users nor the size of a file is bounded by memory; each line is. The import's lines are cut in
//! `bulk/lines.rs` and worked through in `bulk/run.rs`.

mod lines;
mod run;

use std::io;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::mpsc;
use utoipa::IntoParams;
use wharfinger_accounts::{StoreError, UserPage, UserQuery};

use super::answer::UserJson;
use crate::admin::{Reader, UserWriter};
use crate::audit::{Changed, Recorder};
use crate::error::ApiError;
use crate::query::Parameters;
use crate::service::Service;

use lines::Lines;
use run::{Import, LineReport, run};

const NDJSON: &str = "application/x-ndjson";
/// Users read from the store at once.
const PAGE: u32 = 500;
/// Lines of a report that wait for a client which sends first and reads later.
const UNREAD: usize = 10_000;

/// Export all users
///
/// A user a line, by name, without passwords; fit for an import.
#[utoipa::path(get, path = "/api/v1/users:export", operation_id = "exportUsers", tag = "users",
    responses((status = 200, description = "Users, one JSON object a line", body = String,
        content_type = "application/x-ndjson")),
    security(("bearer" = ["auditor"])))]
pub(crate) async fn export(_: Reader, State(service): State<Service>) -> Result<Response, ApiError> {
    // Asked for first, so that a store that is down is told by the status.
    let first = service.accounts.users(UserQuery { limit: PAGE, ..UserQuery::default() }).await?;
    let pages = stream::unfold(Some(Ok(first)), move |page| {
        let accounts = service.accounts.clone();
        async move {
            let page: UserPage = match page? {
                Ok(page) => page,
                // The connection breaks, so that half of the users are not taken for all.
                Err(error) => return Some((Err(broken(&error)), None)),
            };
            let next = match page.next.clone() {
                Some(after) => {
                    let query = UserQuery { after: Some(after), limit: PAGE, ..UserQuery::default() };
                    Some(accounts.users(query).await)
                }
                None => None,
            };
            Some((lines(&page), next))
        }
    });
    Ok(([(CONTENT_TYPE, NDJSON)], Body::from_stream(pages)).into_response())
}

fn lines(page: &UserPage) -> io::Result<Bytes> {
    let mut text = Vec::new();
    for detail in &page.items {
        serde_json::to_writer(&mut text, &UserJson::from(detail))?;
        text.push(b'\n');
    }
    Ok(text.into())
}

fn broken(error: &StoreError) -> io::Error {
    tracing::warn!(%error, "an export broke off");
    io::Error::other("the store can't be used")
}

/// Import users
///
/// A user a line, as in `POST /api/v1/users` or from an export; what the service sets itself is passed
/// over. Each line is done for itself and answered by a line: `created`, `exists` (left as it is),
/// `invalid`, `failed`; the last line sums up. Read the answer while sending: an import whose answer nobody
/// reads any more ends after the lines under way.
#[utoipa::path(post, path = "/api/v1/users:import", operation_id = "importUsers", tag = "users",
    params(ImportShape), request_body(content = String, content_type = "application/x-ndjson"),
    responses((status = 200, description = "What became of each line, one JSON object a line",
        body = LineReport, content_type = "application/x-ndjson")),
    security(("bearer" = ["user-manager"])))]
pub(crate) async fn import(
    _: UserWriter,
    State(service): State<Service>,
    recorder: Recorder,
    ImportQuery { dry_run }: ImportQuery,
    request: Request,
) -> Result<Response, ApiError> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(NDJSON) {
        return Err(ApiError::NotNdjson);
    }
    let (sender, receiver) = mpsc::channel(UNREAD);
    let lines = Lines::new(request.into_body().into_data_stream());
    let end = recorder.take_over()?;
    tokio::spawn(async move {
        let summary = run(&Import { service, recorder, dry_run }, lines, sender).await;
        end.write("", "import", Changed::made(summary).and("dry_run", dry_run), "done").await;
    });
    let report = stream::unfold(receiver, async |mut receiver| {
        let line: Bytes = receiver.recv().await?;
        Some((Ok::<_, io::Error>(line), receiver))
    });
    Ok(([(CONTENT_TYPE, NDJSON)], Body::from_stream(report)).into_response())
}

/// `?dry_run=`
pub(crate) struct ImportQuery {
    dry_run: bool,
}

/// How to import.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by the macro that derives the document")]
pub(crate) struct ImportShape {
    /// Whether only to say what would be done.
    #[param(nullable = false)]
    dry_run: Option<bool>,
}

impl<S: Send + Sync> FromRequestParts<S> for ImportQuery {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let mut parameters = Parameters::of(parts)?;
        let dry_run = parameters.take("dry_run", "must be true or false", |text| text.parse().ok());
        parameters.finish()?;
        Ok(Self { dry_run: dry_run.unwrap_or_default() })
    }
}
