//! What happened around users, in SQLite.

use std::collections::HashMap;

use async_trait::async_trait;
use jiff::Timestamp;

use super::Sqlite;
use crate::store::{ActivityStore, StoreError};
use crate::user::Activity;

type Row = (String, Option<String>, Option<String>);

#[async_trait]
impl ActivityStore for Sqlite {
    async fn record_login(&self, id: &str, at: Timestamp, with_previous: bool) -> Result<(), StoreError> {
        let upsert = "INSERT INTO activity (user_id, last_login_at, previous_password_last_used_at)
                      VALUES (?1, ?2, ?3)
                      ON CONFLICT DO UPDATE SET last_login_at = ?2,
                        previous_password_last_used_at = coalesce(?3, previous_password_last_used_at)";
        sqlx::query(upsert)
            .bind(id)
            .bind(at.to_string())
            .bind(with_previous.then(|| at.to_string()))
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn of(&self, ids: &[&str]) -> Result<HashMap<String, Activity>, StoreError> {
        let select = "SELECT user_id, last_login_at, previous_password_last_used_at
                      FROM activity WHERE user_id IN (SELECT value FROM json_each(?))";
        let ids = serde_json::to_string(ids).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let rows: Vec<Row> = sqlx::query_as(select).bind(ids).fetch_all(&self.pool).await?;
        rows.into_iter().map(parse).collect()
    }

    async fn forget(&self, id: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM activity WHERE user_id = ?").bind(id).execute(&self.pool).await?;
        Ok(())
    }
}

fn parse((id, last_login, previous_used): Row) -> Result<(String, Activity), StoreError> {
    let time = |text: Option<String>| text.map(|text| text.parse::<Timestamp>()).transpose();
    let corrupt = |error: jiff::Error| StoreError::Corrupt(format!("activity of {id}: {error}"));
    let activity = Activity {
        last_login_at: time(last_login).map_err(corrupt)?,
        previous_password_last_used_at: time(previous_used).map_err(corrupt)?,
    };
    Ok((id, activity))
}
