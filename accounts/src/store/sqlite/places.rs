//! The places of users in SQLite: counting and taking are one statement, and SQLite has one writer
//! at a time.

use async_trait::async_trait;
use jiff::Timestamp;

use super::Sqlite;
use crate::store::{Holder, PlaceStore, StoreError};

#[async_trait]
impl PlaceStore for Sqlite {
    async fn take(&self, user: &str, holder: Holder<'_>, most: Option<u32>) -> Result<bool, StoreError> {
        let insert = "INSERT INTO places (holder, user_id, run)
                      SELECT ?1, ?2, ?3 WHERE ?4 IS NULL OR ?4 > (
                          SELECT count(*) FROM places JOIN nodes USING (run)
                          WHERE user_id = ?2 AND expires_at > ?5)";
        let taken = sqlx::query(insert)
            .bind(holder.holder)
            .bind(user)
            .bind(holder.run)
            .bind(most)
            .bind(Timestamp::now().as_millisecond())
            .execute(&self.pool)
            .await?;
        Ok(taken.rows_affected() == 1)
    }

    async fn give_back(&self, _user: &str, holder: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM places WHERE holder = ?").bind(holder).execute(&self.pool).await?;
        Ok(())
    }
}
