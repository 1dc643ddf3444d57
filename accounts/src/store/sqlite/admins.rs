//! Admins in SQLite.

use async_trait::async_trait;

use super::Sqlite;
use crate::store::{AdminRecord, AdminStore, StoreError};
use crate::user::Username;

#[async_trait]
impl AdminStore for Sqlite {
    async fn insert(&self, record: &AdminRecord) -> Result<(), StoreError> {
        let document =
            serde_json::to_string(record).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        sqlx::query("INSERT INTO admins (username, document) VALUES (?, ?)")
            .bind(record.admin.username.as_str())
            .bind(document)
            .execute(&self.durable)
            .await?;
        Ok(())
    }

    async fn find(&self, name: &Username) -> Result<AdminRecord, StoreError> {
        let document: String = sqlx::query_scalar("SELECT document FROM admins WHERE username = ?")
            .bind(name.as_str())
            .fetch_one(&self.pool)
            .await?;
        serde_json::from_str(&document).map_err(|error| StoreError::Corrupt(format!("admin {name}: {error}")))
    }

    async fn any(&self) -> Result<bool, StoreError> {
        Ok(sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM admins)").fetch_one(&self.pool).await?)
    }
}
