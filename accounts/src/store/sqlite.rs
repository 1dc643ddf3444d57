//! The embedded store: one SQLite file in WAL mode, which several processes may use at once.
//! Changes to users are on the disk when they are acknowledged (`synchronous = FULL`): a disable must
//! survive a power cut. Logins are noted without waiting for the disk.

use std::fs::{DirBuilder, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::StoreError;

mod activity;
mod admins;
mod audit;
mod keys;
mod places;
mod presence;
mod unlocks;
mod upkeep;
mod usage;
mod users;

/// How soon a busy file is tried again.
const AGAIN_AFTER: Duration = Duration::from_millis(20);

pub(super) struct Sqlite {
    /// For reading, and for what may be lost with the power.
    pool: SqlitePool,
    /// One connection: SQLite has one writer at a time anyway, and a queue here is fairer than its lock.
    durable: SqlitePool,
}

impl Sqlite {
    pub(super) async fn open(settings: &wharfinger_config::Store, path: &Path) -> Result<Self, StoreError> {
        create(path).map_err(|error| StoreError::Unavailable(format!("{}: {error}", path.display())))?;
        let timeout = Duration::from_secs(settings.timeout_seconds);
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(timeout)
            // What doesn't fit into memory would go to /tmp, which a confined process doesn't reach.
            .pragma("temp_store", "memory")
            .foreign_keys(true);
        // The first connection turns WAL mode on; the second pool finds it done.
        let durable = connect(options.clone().synchronous(SqliteSynchronous::Full), 1, timeout).await?;
        let most = settings.pool_size.max(1);
        Ok(Self {
            pool: connect(options.synchronous(SqliteSynchronous::Normal), most, timeout).await?,
            durable,
        })
    }
}

/// Opens a pool and its first connection. Turning WAL mode on waits for no lock, whatever the busy
/// time-out, so programs that open a new file at the same time have to try again.
async fn connect(
    options: SqliteConnectOptions,
    most: u32,
    timeout: Duration,
) -> Result<SqlitePool, sqlx::Error> {
    let deadline = Instant::now() + timeout;
    loop {
        let pool = SqlitePoolOptions::new()
            .max_connections(most)
            .acquire_timeout(timeout)
            .test_before_acquire(false)
            .connect_with(options.clone());
        match pool.await {
            Err(error) if is_busy(&error) && Instant::now() < deadline => {
                tokio::time::sleep(AGAIN_AFTER).await;
            }
            other => return other,
        }
    }
}

/// `SQLITE_BUSY` and its extended codes have 5 in their lowest byte.
fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xFF == 5)
}

/// Makes the file, and the directories above it, for their owner only: it holds password hashes. The
/// files SQLite puts beside it get its mode.
fn create(path: &Path) -> std::io::Result<()> {
    if let Some(directory) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::RowNotFound => Self::NotFound,
            sqlx::Error::Database(refused) if refused.is_unique_violation() => Self::Taken,
            sqlx::Error::Database(refused) if refused.is_check_violation() => {
                Self::Corrupt(error.to_string())
            }
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Self::Corrupt(error.to_string()),
            _ => Self::Unavailable(error.to_string()),
        }
    }
}

/// SQLite has signed integers only; versions and figures never come near the difference.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
