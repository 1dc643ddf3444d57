//! All users out, and many in, as NDJSON: a user a line. Both stream, so that neither the number of
//! users nor the size of a file is bounded by memory; each line is.

use std::io;
use std::pin::Pin;
use std::thread::available_parallelism;
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt, stream};
use serde::Serialize;
use tokio::sync::mpsc;
use utoipa::{IntoParams, ToSchema};
use wharfinger_accounts::{ChangeError, StoreError, UserPage, UserQuery};

use super::answer::{UserJson, shown};
use super::body::Imported;
use crate::admin::{Reader, UserWriter};
use crate::audit::Changed;
use crate::body::MOST_BYTES;
use crate::error::ApiError;
use crate::json::{self, Violation};
use crate::query::Parameters;
use crate::service::Service;

const NDJSON: &str = "application/x-ndjson";
/// Users read from the store at once.
const PAGE: u32 = 500;
/// How long the next part of an import may take.
const SILENCE: Duration = Duration::from_secs(30);
/// Lines of a report that wait for a client which sends first and reads later.
const UNREAD: usize = 10_000;
/// How often a password that can't be hashed now is tried again, and after what time.
const BUSY_TRIES: u32 = 50;
const BUSY_PAUSE: Duration = Duration::from_millis(200);

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
/// `invalid`, `failed`; the last line sums up. Read the answer while sending.
#[utoipa::path(post, path = "/api/v1/users:import", operation_id = "importUsers", tag = "users",
    params(ImportShape), request_body(content = String, content_type = "application/x-ndjson"),
    responses((status = 200, description = "What became of each line, one JSON object a line",
        body = LineReport, content_type = "application/x-ndjson")),
    security(("bearer" = ["user-manager"])))]
pub(crate) async fn import(
    _: UserWriter,
    State(service): State<Service>,
    ImportQuery { dry_run }: ImportQuery,
    request: Request,
) -> Result<Response, ApiError> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(NDJSON) {
        return Err(ApiError::NotNdjson);
    }
    let (sender, receiver) = mpsc::channel(UNREAD);
    let lines = Lines::new(request.into_body().into_data_stream());
    tokio::spawn(run(service, lines, dry_run, sender));
    let report = stream::unfold(receiver, async |mut receiver| {
        let line: Bytes = receiver.recv().await?;
        Some((Ok::<_, io::Error>(line), receiver))
    });
    let changed = Changed::default().and("dry_run", dry_run);
    Ok(changed.told_by(([(CONTENT_TYPE, NDJSON)], Body::from_stream(report))))
}

/// Works through the lines, several at once since hashing takes its time, and reports in their order;
/// until the end, or until nobody reads the report any more.
async fn run(service: Service, lines: Lines, dry_run: bool, report: mpsc::Sender<Bytes>) {
    let at_once = available_parallelism().map_or(2, std::num::NonZero::get);
    let numbered = stream::unfold((lines, 0_u64), async |(mut lines, number)| {
        let line = lines.next().await?;
        Some(((number + 1, line), (lines, number + 1)))
    });
    let service = &service;
    let done = numbered.map(|(number, line)| async move { one(service, number, line, dry_run).await });
    let mut done = std::pin::pin!(done.buffered(at_once));
    let mut summary = Summary::default();
    while let Some(line) = done.next().await {
        let Some(line) = line else { continue };
        summary.count(&line);
        let stops = line.result == Outcome::Failed;
        if report.send(written(&line)).await.is_err() || stops {
            break;
        }
    }
    summary.complete = summary.failed == 0;
    let _unread = report.send(written(&Total { summary })).await;
}

fn written(line: &impl Serialize) -> Bytes {
    let mut text = serde_json::to_vec(line).unwrap_or_default();
    text.push(b'\n');
    text.into()
}

/// What became of one line; nothing is said of an empty one.
async fn one(service: &Service, number: u64, line: Line, dry_run: bool) -> Option<LineReport> {
    let report = |result, username, errors| {
        Some(LineReport { line: number, result, username, password: None, errors })
    };
    let invalid = |detail: &'static str| {
        report(Outcome::Invalid, None, vec![Violation { pointer: String::new(), detail: detail.into() }])
    };
    let text = match line {
        Line::Text(text) if text.iter().all(u8::is_ascii_whitespace) => return None,
        Line::Text(text) => text,
        Line::TooLong => return invalid("a line holds at most 1 MiB"),
        Line::Broken(why) => {
            let errors = vec![Violation { pointer: String::new(), detail: why.into() }];
            return report(Outcome::Failed, None, errors);
        }
    };
    let Ok(document) = json::parse(&text) else {
        return invalid("the line is no JSON in UTF-8, or names a member twice");
    };
    let imported: Imported = match json::read(document) {
        Ok(imported) => imported,
        Err(errors) => return report(Outcome::Invalid, None, errors),
    };
    let username = Some(imported.user.username.to_string());
    match create(service, imported, dry_run).await {
        Ok(password) => {
            let result = if dry_run { Outcome::WouldCreate } else { Outcome::Created };
            Some(LineReport { line: number, result, username, password, errors: Vec::new() })
        }
        Err(ApiError::NameTaken) => report(Outcome::Exists, username, Vec::new()),
        Err(ApiError::Invalid(errors)) => report(Outcome::Invalid, username, errors),
        Err(error) => {
            tracing::warn!(?error, line = number, "an import was given up");
            let detail = "the store can't be used or the service is busy; nothing of this line was done";
            let errors = vec![Violation { pointer: String::new(), detail: detail.into() }];
            report(Outcome::Failed, username, errors)
        }
    }
}

async fn create(service: &Service, imported: Imported, dry_run: bool) -> Result<Option<String>, ApiError> {
    let Imported { user, password } = imported;
    if dry_run {
        service.accounts.check_new_user(user, password.as_ref()).await?;
        return Ok(None);
    }
    for _ in 0..BUSY_TRIES {
        match service.accounts.create_user(user.clone(), password.clone()).await {
            // Logins come first; an import can wait.
            Err(ChangeError::Busy) => tokio::time::sleep(BUSY_PAUSE).await,
            done => return Ok(done?.1.as_ref().map(shown)),
        }
    }
    Err(ApiError::Busy)
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

/// What became of a line.
#[derive(Serialize, ToSchema)]
pub(crate) struct LineReport {
    /// The line's number, from 1.
    line: u64,
    result: Outcome,
    /// Whom the line is about, where that could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    username: Option<String>,
    /// The password if one was generated; shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    password: Option<String>,
    /// What is wrong with the line.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<Violation>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    Created,
    WouldCreate,
    Exists,
    Invalid,
    Failed,
}

#[derive(Serialize)]
struct Total {
    summary: Summary,
}

#[derive(Default, Serialize)]
struct Summary {
    /// Whether every line was looked at.
    complete: bool,
    created: u64,
    would_create: u64,
    exists: u64,
    invalid: u64,
    failed: u64,
}

impl Summary {
    fn count(&mut self, line: &LineReport) {
        let counter = match line.result {
            Outcome::Created => &mut self.created,
            Outcome::WouldCreate => &mut self.would_create,
            Outcome::Exists => &mut self.exists,
            Outcome::Invalid => &mut self.invalid,
            Outcome::Failed => &mut self.failed,
        };
        *counter += 1;
    }
}

/// A line of the body.
enum Line {
    Text(Vec<u8>),
    TooLong,
    /// The body ended before it was whole, or took too long.
    Broken(&'static str),
}

/// The body, cut into lines of bounded length.
struct Lines {
    chunks: Pin<Box<dyn Stream<Item = Result<Bytes, axum::Error>> + Send>>,
    rest: Bytes,
    ended: bool,
}

impl Lines {
    fn new(chunks: BodyDataStream) -> Self {
        Self { chunks: Box::pin(chunks), rest: Bytes::new(), ended: false }
    }

    /// The next line, without its end; `None` after the last.
    async fn next(&mut self) -> Option<Line> {
        let (mut line, mut too_long) = (Vec::new(), false);
        loop {
            let end = self.rest.iter().position(|byte| *byte == b'\n');
            let part = self.rest.split_to(end.unwrap_or(self.rest.len()));
            too_long |= line.len() + part.len() > MOST_BYTES;
            if !too_long {
                line.extend_from_slice(&part);
            }
            if end.is_some() {
                drop(self.rest.split_to(1));
                break;
            }
            if self.ended {
                // What stands behind the last line end is a line too, if there is anything.
                if line.is_empty() && !too_long {
                    return None;
                }
                break;
            }
            match tokio::time::timeout(SILENCE, self.chunks.next()).await {
                Ok(Some(Ok(chunk))) => self.rest = chunk,
                Ok(None) => self.ended = true,
                Ok(Some(Err(_))) => return Some(self.break_off("the body ended before it was whole")),
                Err(_) => return Some(self.break_off("the next line did not arrive within 30 seconds")),
            }
        }
        Some(if too_long { Line::TooLong } else { Line::Text(line) })
    }

    fn break_off(&mut self, why: &'static str) -> Line {
        (self.ended, self.rest) = (true, Bytes::new());
        Line::Broken(why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn cut(chunks: Vec<&'static [u8]>) -> Vec<String> {
        let chunks = stream::iter(chunks).map(|chunk| Ok::<_, io::Error>(Bytes::from_static(chunk)));
        let mut lines = Lines::new(Body::from_stream(chunks).into_data_stream());
        let mut found = Vec::new();
        while let Some(line) = lines.next().await {
            found.push(match line {
                Line::Text(text) => String::from_utf8(text).unwrap(),
                Line::TooLong => "too long".to_owned(),
                Line::Broken(why) => why.to_owned(),
            });
        }
        found
    }

    #[tokio::test]
    async fn lines_are_cut_wherever_the_chunks_end() {
        assert_eq!(cut(vec![b"a\nb", b"c\n", b"\nd"]).await, ["a", "bc", "", "d"]);
        assert_eq!(cut(vec![b"a\n"]).await, ["a"]);
        assert!(cut(vec![]).await.is_empty());
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_is_passed_over_and_the_next_one_read() {
        static LONG: [u8; MOST_BYTES] = [b'x'; MOST_BYTES];
        assert_eq!(cut(vec![&LONG, b"x\nb\n"]).await, ["too long", "b"]);
        assert_eq!(cut(vec![&LONG, b"\nb"]).await.len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stalls_is_not_waited_for_forever() {
        let first = stream::iter([Ok::<_, io::Error>(Bytes::from_static(b"a\n"))]);
        let mut lines = Lines::new(Body::from_stream(first.chain(stream::pending())).into_data_stream());
        assert!(matches!(lines.next().await, Some(Line::Text(_))));
        assert!(matches!(lines.next().await, Some(Line::Broken(_))));
        assert!(lines.next().await.is_none());
    }
}
