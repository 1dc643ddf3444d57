//! Migrations of the SQLite store. They run in one immediate transaction: SQLite's own write lock keeps
//! other programs out, and all of it happens or nothing.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::SqliteConnection;
use tokio::sync::watch;

use super::Sqlite;
use crate::store::{MigrateError, Migration, StoreError, Upkeep};

/// Numbered from 1 without gaps; never changed once released.
const MIGRATIONS: &[&str] = &[
    include_str!("../../../../migrations/sqlite/0001_users.sql"),
    include_str!("../../../../migrations/sqlite/0002_audit.sql"),
    include_str!("../../../../migrations/sqlite/0003_admins.sql"),
    include_str!("../../../../migrations/sqlite/0004_presence.sql"),
    include_str!("../../../../migrations/sqlite/0005_usage.sql"),
    include_str!("../../../../migrations/sqlite/0006_removal.sql"),
];

const NEWEST: u32 = 6;
const _: () = assert!(MIGRATIONS.len() == NEWEST as usize);

#[async_trait]
impl Upkeep for Sqlite {
    async fn version(&self) -> Result<u32, StoreError> {
        version(&mut *self.pool.acquire().await?).await
    }

    fn newest(&self) -> u32 {
        NEWEST
    }

    async fn migrate(&self) -> Result<Migration, MigrateError> {
        let mut transaction = self.durable.begin_with("BEGIN IMMEDIATE").await.map_err(StoreError::from)?;
        let from = version(&mut transaction).await?;
        if from > NEWEST {
            return Err(MigrateError::Newer { store: from, program: NEWEST });
        }
        for (number, sql) in (1_u32..).zip(MIGRATIONS).skip_while(|(number, _)| *number <= from) {
            apply(&mut transaction, number, sql).await?;
        }
        transaction.commit().await.map_err(StoreError::from)?;
        Ok(Migration { from, to: NEWEST })
    }

    /// SQLite does not tell other processes of changes.
    async fn follow(&self, _changes: watch::Sender<u64>) {}
}

async fn version(connection: &mut SqliteConnection) -> Result<u32, StoreError> {
    let exists = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'migrations')";
    if !sqlx::query_scalar::<_, bool>(exists).fetch_one(&mut *connection).await? {
        return Ok(0);
    }
    let newest = "SELECT coalesce(max(version), 0) FROM migrations";
    Ok(sqlx::query_scalar(newest).fetch_one(connection).await?)
}

async fn apply(connection: &mut SqliteConnection, number: u32, sql: &'static str) -> Result<(), StoreError> {
    let table = "CREATE TABLE IF NOT EXISTS migrations (
                     version    INTEGER NOT NULL PRIMARY KEY,
                     applied_at TEXT    NOT NULL
                 ) STRICT";
    sqlx::query(table).execute(&mut *connection).await?;
    sqlx::raw_sql(sql).execute(&mut *connection).await?;
    sqlx::query("INSERT INTO migrations (version, applied_at) VALUES (?, ?)")
        .bind(number)
        .bind(Timestamp::now().to_string())
        .execute(connection)
        .await?;
    Ok(())
}
