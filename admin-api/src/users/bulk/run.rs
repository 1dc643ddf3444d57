//! The work of an import: each line for itself, with an audit record for each user it creates, and what
//! became of it. It is a task of its own, that outlives the request if need be; it knows no HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::available_parallelism;
use std::time::Duration;

use axum::body::Bytes;
use futures_util::{StreamExt, stream};
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};
use utoipa::ToSchema;
use wharfinger_accounts::{ChangeError, NewUser, Password, User};

use super::lines::{Line, Lines};
use crate::audit::{Changed, Recorder};
use crate::error::ApiError;
use crate::json::{self, Violation};
use crate::service::Service;
use crate::users::alone;
use crate::users::answer::{UserJson, shown};
use crate::users::body::Imported;

/// How often a password that can't be hashed now is tried again, and after what time.
const BUSY_TRIES: u32 = 50;
const BUSY_PAUSE: Duration = Duration::from_millis(200);

/// One import, for each of its lines.
pub(super) struct Import {
    pub(super) service: Service,
    pub(super) recorder: Recorder,
    pub(super) dry_run: bool,
}

/// Works through the lines, several at once since hashing takes its time, and reports in their order;
/// until the end, until one fails, or until nobody reads the report any more. What is under way by then
/// is finished, since half of it may be done.
pub(super) async fn run(import: &Import, lines: Lines, report: mpsc::Sender<Bytes>) -> Summary {
    let at_once = available_parallelism().map_or(2, std::num::NonZero::get);
    let all = Arc::<AtomicBool>::default();
    let numbered = stream::unfold((lines, 0_u64, Arc::clone(&all)), |(mut lines, number, all)| async move {
        let Some(line) = lines.next().await else {
            all.store(true, Ordering::Relaxed);
            return None;
        };
        Some(((number + 1, line), (lines, number + 1, all)))
    });
    let (stop, stopped) = oneshot::channel::<()>();
    let (mut stop, unread) = (Some(stop), report.clone());
    let over = async move {
        tokio::select! {
            _ = stopped => {}
            () = unread.closed() => {}
        }
    };
    let numbered = numbered.take_until(Box::pin(over));
    let done = numbered.map(|(number, line)| one(import, number, line));
    let mut done = std::pin::pin!(done.buffered(at_once));
    let mut summary = Summary::default();
    while let Some(line) = done.next().await {
        let Some(line) = line else { continue };
        summary.count(&line);
        if line.result == Outcome::Failed {
            stop.take();
        }
        let _unread = report.send(written(&line)).await;
    }
    summary.complete = all.load(Ordering::Relaxed) && summary.failed == 0;
    let _unread = report.send(written(&Total { summary: &summary })).await;
    summary
}

fn written(line: &impl Serialize) -> Bytes {
    let mut text = serde_json::to_vec(line).unwrap_or_default();
    text.push(b'\n');
    text.into()
}

/// What became of one line; nothing is said of an empty one.
async fn one(import: &Import, number: u64, line: Line) -> Option<LineReport> {
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
    match import.create(imported).await {
        Ok(password) => {
            let result = if import.dry_run { Outcome::WouldCreate } else { Outcome::Created };
            Some(LineReport { line: number, result, username, password, errors: Vec::new() })
        }
        Err(ApiError::NameTaken) => report(Outcome::Exists, username, Vec::new()),
        Err(ApiError::Invalid(errors)) => report(Outcome::Invalid, username, errors),
        Err(ApiError::HomeIsGoing) => {
            let detail = "the files of this home are being removed; import this line again later";
            let errors = vec![Violation { pointer: "/home".to_owned(), detail: detail.into() }];
            report(Outcome::Invalid, username, errors)
        }
        Err(error) => {
            tracing::warn!(?error, line = number, "an import was given up");
            let detail = "the store can't be used or the service is busy; import this line again later";
            let errors = vec![Violation { pointer: String::new(), detail: detail.into() }];
            report(Outcome::Failed, username, errors)
        }
    }
}

impl Import {
    async fn create(&self, Imported { user, password }: Imported) -> Result<Option<String>, ApiError> {
        if self.dry_run {
            self.service.accounts.check_new_user(user, password.as_ref()).await?;
            return Ok(None);
        }
        let (name, entry) = (user.username.clone(), self.recorder.another().await?);
        match self.create_in_turn(&user, password.as_ref()).await {
            Ok((user, generated)) => {
                let changed = Changed::made(UserJson::from(&alone(user)));
                entry.write(name.as_str(), "create", changed, "done").await;
                Ok(generated.as_ref().map(shown))
            }
            Err(error) => {
                if error.leaves_it_open() {
                    entry.write(name.as_str(), "create", Changed::default(), "unknown").await;
                }
                Err(error)
            }
        }
    }

    /// Logins come first; an import can wait.
    async fn create_in_turn(
        &self,
        user: &NewUser,
        password: Option<&Password>,
    ) -> Result<(User, Option<Password>), ApiError> {
        for _ in 0..BUSY_TRIES {
            match self.service.accounts.create_user(user.clone(), password.cloned()).await {
                Err(ChangeError::Busy) => tokio::time::sleep(BUSY_PAUSE).await,
                done => return Ok(done?),
            }
        }
        Err(ApiError::Busy)
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
struct Total<'a> {
    summary: &'a Summary,
}

#[derive(Default, Serialize)]
pub(super) struct Summary {
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
