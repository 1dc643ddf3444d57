//! API keys in SQLite.

use async_trait::async_trait;
use jiff::Timestamp;

use super::Sqlite;
use crate::key::ApiKey;
use crate::store::{KeyRecord, KeyStore, StoreError};

#[async_trait]
impl KeyStore for Sqlite {
    async fn insert(&self, record: &KeyRecord) -> Result<(), StoreError> {
        let document =
            serde_json::to_string(record).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        sqlx::query("INSERT INTO api_keys (id, document) VALUES (?, ?)")
            .bind(&record.key.id)
            .bind(document)
            .execute(&self.durable)
            .await?;
        Ok(())
    }

    async fn find(&self, id: &str) -> Result<(KeyRecord, Option<Timestamp>), StoreError> {
        let row = sqlx::query_as("SELECT document, last_used_at FROM api_keys WHERE id = ?")
            .bind(id)
            .fetch_one(&self.pool)
            .await?;
        parse(row)
    }

    async fn page(&self, after: &str, most: u32) -> Result<Vec<(ApiKey, Option<Timestamp>)>, StoreError> {
        let select = "SELECT document, last_used_at FROM api_keys WHERE id > ? ORDER BY id LIMIT ?";
        let rows: Vec<Row> = sqlx::query_as(select).bind(after).bind(most).fetch_all(&self.pool).await?;
        rows.into_iter().map(|row| parse(row).map(|(record, used)| (record.key, used))).collect()
    }

    async fn remove(&self, id: &str) -> Result<(), StoreError> {
        let done = sqlx::query("DELETE FROM api_keys WHERE id = ?").bind(id).execute(&self.durable).await?;
        if done.rows_affected() == 1 { Ok(()) } else { Err(StoreError::NotFound) }
    }

    async fn note_use(&self, id: &str, at: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE api_keys SET last_used_at = ? WHERE id = ?")
            .bind(at.to_string())
            .bind(id)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

type Row = (String, Option<String>);

fn parse((document, used): Row) -> Result<(KeyRecord, Option<Timestamp>), StoreError> {
    let corrupt = |reason: &dyn std::fmt::Display| StoreError::Corrupt(format!("an API key: {reason}"));
    let record = serde_json::from_str(&document).map_err(|error| corrupt(&error))?;
    let used = used.map(|text| text.parse()).transpose().map_err(|error: jiff::Error| corrupt(&error))?;
    Ok((record, used))
}
