//! The shared store: one MongoDB database, in which the file servers and the admin API meet.
//! Changes to users are acknowledged by a majority. Every question has a deadline of its own, since a
//! server that stalls keeps its connections open and would keep its callers waiting.

use std::error::Error as _;
use std::time::Duration;

use mongodb::bson::{Document, doc};
use mongodb::error::{Error, ErrorKind, WriteFailure};
use mongodb::options::{ClientOptions, ReadPreference, WriteConcern};
use mongodb::{Client, Collection, Database};
use tokio::time::timeout;

use super::StoreError;

mod activity;
mod admins;
mod audit;
mod keys;
mod lock;
mod places;
mod presence;
mod roles;
mod unlocks;
mod upkeep;
mod usage;
mod users;

pub(super) struct Mongo {
    database: Database,
    users: Collection<Document>,
    activity: Collection<Document>,
    admins: Collection<Document>,
    audit: Collection<Document>,
    audit_chains: Collection<Document>,
    keys: Collection<Document>,
    unlocks: Collection<Document>,
    guards: Collection<Document>,
    nodes: Collection<Document>,
    sessions: Collection<Document>,
    places: Collection<Document>,
    usage: Collection<Document>,
    migrations: Collection<Document>,
    locks: Collection<Document>,
    /// Whether there is a login; without one, the database asks nobody for any.
    logs_in: bool,
    timeout: Duration,
}

impl Mongo {
    pub(super) async fn open(settings: &wharfinger_config::Store, url: &str) -> Result<Self, StoreError> {
        let limit = Duration::from_secs(settings.timeout_seconds);
        // Of a mongodb+srv name, this asks the DNS.
        let mut options = within(limit, ClientOptions::parse(url)).await?;
        options.app_name.get_or_insert_with(|| "wharfinger".to_owned());
        options.server_selection_timeout = Some(limit);
        options.connect_timeout = Some(limit);
        options.max_pool_size = Some(settings.pool_size.max(1));
        options.write_concern = Some(WriteConcern::majority());
        // A secondary may not have heard yet that a user is disabled, whatever the URL prefers.
        options.selection_criteria = Some(ReadPreference::Primary.into());
        options.retry_reads = Some(true);
        options.retry_writes = Some(true);
        let name = options.default_database.clone().unwrap_or_else(|| "wharfinger".to_owned());
        let logs_in = options.credential.is_some();
        let store = Self::of(Client::with_options(options)?.database(&name), logs_in, limit);
        store.ask(store.database.run_command(doc! { "ping": 1 })).await?;
        Ok(store)
    }

    fn of(database: Database, logs_in: bool, timeout: Duration) -> Self {
        Self {
            users: database.collection("users"),
            activity: database.collection("activity"),
            admins: database.collection("admins"),
            audit: database.collection("audit"),
            audit_chains: database.collection("audit_chains"),
            keys: database.collection("api_keys"),
            unlocks: database.collection("unlocks"),
            guards: database.collection("guards"),
            nodes: database.collection("nodes"),
            sessions: database.collection("sessions"),
            places: database.collection("places"),
            usage: database.collection("usage"),
            migrations: database.collection("migrations"),
            locks: database.collection("migration_lock"),
            database,
            logs_in,
            timeout,
        }
    }

    /// An answer within the time-out, or `Unavailable`.
    async fn ask<T>(&self, question: impl IntoFuture<Output = Result<T, Error>>) -> Result<T, StoreError> {
        within(self.timeout, question).await
    }

    /// The same, with refusals of these codes as answers.
    async fn ask_or_refused<T>(
        &self,
        codes: &[i32],
        question: impl IntoFuture<Output = Result<T, Error>>,
    ) -> Result<Result<T, i32>, StoreError> {
        let question = question.into_future();
        let sorted = async {
            match question.await {
                Ok(answer) => Ok(Ok(answer)),
                Err(error) => match write_code(&error).filter(|code| codes.contains(code)) {
                    Some(code) => Ok(Err(code)),
                    None => Err(error),
                },
            }
        };
        self.ask(sorted).await
    }
}

async fn within<T>(
    limit: Duration,
    question: impl IntoFuture<Output = Result<T, Error>>,
) -> Result<T, StoreError> {
    match timeout(limit, question.into_future()).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(StoreError::Unavailable(format!("no answer within {} s", limit.as_secs()))),
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        match write_code(&error) {
            Some(DUPLICATE_KEY) => Self::Taken,
            Some(VALIDATION_FAILURE) => {
                Self::Corrupt("the document breaks the collection's schema".to_owned())
            }
            // The error itself would print the server's whole answer beside its kind, in hexadecimal digits.
            _ => match (&*error.kind, error.source()) {
                (ErrorKind::Bson(_), _) => Self::Corrupt(error.kind.to_string()),
                (kind, Some(source)) => Self::Unavailable(format!("{kind}: {source}")),
                (kind, None) => Self::Unavailable(kind.to_string()),
            },
        }
    }
}

const UNAUTHORIZED: i32 = 13;
const DUPLICATE_KEY: i32 = 11_000;
const VALIDATION_FAILURE: i32 = 121;

fn write_code(error: &Error) -> Option<i32> {
    match &*error.kind {
        ErrorKind::Write(WriteFailure::WriteError(refused)) => Some(refused.code),
        ErrorKind::Command(refused) => Some(refused.code),
        _ => None,
    }
}

impl From<mongodb::bson::error::Error> for StoreError {
    fn from(error: mongodb::bson::error::Error) -> Self {
        Self::Corrupt(error.to_string())
    }
}

/// MongoDB has signed integers only; versions and figures never come near the difference.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
