//! What homes hold, in SQLite. It may be lost with the power: then the servers that wrote it are gone
//! too, and what they held is found to be a dead run's, so that the files are counted again.

use std::collections::HashMap;

use async_trait::async_trait;

use super::{Sqlite, signed};
use crate::store::{StoreError, UsageStore};
use crate::usage::{Usage, UsageRecord};
use crate::user::Home;

/// Homes to be counted that are named at once.
const SOME: u32 = 20;

#[async_trait]
impl UsageStore for Sqlite {
    async fn insert(&self, record: &UsageRecord) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO usage (home, version, wanted, document) VALUES (?, ?, ?, ?)")
            .bind(record.home.as_str())
            .bind(signed(record.version))
            .bind(record.is_wanted())
            .bind(document(record)?)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn find(&self, home: &Home) -> Result<Option<UsageRecord>, StoreError> {
        let found: Option<String> = sqlx::query_scalar("SELECT document FROM usage WHERE home = ?")
            .bind(home.as_str())
            .fetch_optional(&self.pool)
            .await?;
        found.as_deref().map(parse).transpose()
    }

    async fn replace(&self, record: &UsageRecord, expected: u64) -> Result<(), StoreError> {
        let update = "UPDATE usage SET version = ?, wanted = ?, document = ? WHERE home = ? AND version = ?";
        let done = sqlx::query(update)
            .bind(signed(record.version))
            .bind(record.is_wanted())
            .bind(document(record)?)
            .bind(record.home.as_str())
            .bind(signed(expected))
            .execute(&self.pool)
            .await?;
        if done.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Conflict) }
    }

    async fn of(&self, homes: &[&Home]) -> Result<HashMap<Home, Usage>, StoreError> {
        let select = "SELECT document FROM usage WHERE home IN (SELECT value FROM json_each(?))";
        let homes = serde_json::to_string(homes).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let found: Vec<String> = sqlx::query_scalar(select).bind(homes).fetch_all(&self.pool).await?;
        let usage = |text: &String| parse(text).map(|record| (record.home.clone(), record.usage()));
        found.iter().map(usage).collect()
    }

    async fn wanted(&self) -> Result<Vec<UsageRecord>, StoreError> {
        let select = "SELECT document FROM usage WHERE wanted LIMIT ?";
        let found: Vec<String> = sqlx::query_scalar(select).bind(SOME).fetch_all(&self.pool).await?;
        found.iter().map(|text| parse(text)).collect()
    }

    async fn held_by(&self, run: &str) -> Result<Vec<UsageRecord>, StoreError> {
        let select = "SELECT document FROM usage WHERE EXISTS (
                          SELECT 1 FROM json_each(document, '$.holds') WHERE value ->> '$.holder' IS ?)";
        let found: Vec<String> = sqlx::query_scalar(select).bind(run).fetch_all(&self.pool).await?;
        found.iter().map(|text| parse(text)).collect()
    }
}

fn document(record: &UsageRecord) -> Result<String, StoreError> {
    serde_json::to_string(record).map_err(|error| StoreError::Corrupt(error.to_string()))
}

fn parse(text: &str) -> Result<UsageRecord, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Corrupt(format!("usage: {error}")))
}
