//! Unlocks in SQLite.

use async_trait::async_trait;
use jiff::Timestamp;

use super::Sqlite;
use crate::store::{StoreError, UnlockStore};
use crate::unlocks::Unlock;

#[async_trait]
impl UnlockStore for Sqlite {
    async fn insert(&self, unlock: &Unlock, forget_before: Timestamp) -> Result<(), StoreError> {
        let upsert = "INSERT INTO unlocks (username, at) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET at = ?2";
        sqlx::query(upsert)
            .bind(unlock.username.as_str())
            .bind(unlock.at.to_string())
            .execute(&self.durable)
            .await?;
        sqlx::query("DELETE FROM unlocks WHERE at < ?")
            .bind(forget_before.to_string())
            .execute(&self.durable)
            .await?;
        Ok(())
    }

    async fn all(&self) -> Result<Vec<Unlock>, StoreError> {
        let rows: Vec<(String, String)> =
            sqlx::query_as("SELECT username, at FROM unlocks").fetch_all(&self.pool).await?;
        // What can't be read was not written by us, and unlocks nobody.
        let unlock = |(username, at): (String, String)| {
            Some(Unlock { username: username.parse().ok()?, at: at.parse().ok()? })
        };
        Ok(rows.into_iter().filter_map(unlock).collect())
    }
}
