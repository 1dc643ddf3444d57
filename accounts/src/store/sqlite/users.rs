//! Users in SQLite: a document each, with the columns that queries need beside it.

use async_trait::async_trait;

use super::{Sqlite, signed};
use crate::edit::Versions;
use crate::store::{RemovedUser, StoreError, UserRecord, UserStore, agree};
use crate::user::{Home, Stamp, User, Username};
use crate::users::UserQuery;

#[async_trait]
impl UserStore for Sqlite {
    async fn insert(&self, record: &UserRecord) -> Result<(), StoreError> {
        let user = &record.user;
        let insert = "INSERT INTO users (username, id, status, version, searchable, document)
                      VALUES (?, ?, ?, ?, ?, ?)";
        sqlx::query(insert)
            .bind(user.username.as_str())
            .bind(&user.id)
            .bind(user.status.as_str())
            .bind(signed(user.version))
            .bind(record.searchable())
            .bind(document(record)?)
            .execute(&self.durable)
            .await?;
        Ok(())
    }

    async fn find(&self, name: &Username) -> Result<UserRecord, StoreError> {
        let document: String = sqlx::query_scalar("SELECT document FROM users WHERE username = ?")
            .bind(name.as_str())
            .fetch_one(&self.pool)
            .await?;
        parse(name.as_str(), &document)
    }

    async fn replace(&self, record: &UserRecord, expected: u64) -> Result<(), StoreError> {
        let user = &record.user;
        let update = "UPDATE users SET status = ?, version = ?, searchable = ?, document = ?
                      WHERE username = ? AND id = ? AND version = ?";
        let done = sqlx::query(update)
            .bind(user.status.as_str())
            .bind(signed(user.version))
            .bind(record.searchable())
            .bind(document(record)?)
            .bind(user.username.as_str())
            .bind(&user.id)
            .bind(signed(expected))
            .execute(&self.durable)
            .await?;
        if done.rows_affected() == 1 { Ok(()) } else { Err(self.absent_or_changed(&user.username).await) }
    }

    async fn remove(
        &self,
        name: &Username,
        id: Option<&str>,
        expected: &Versions,
    ) -> Result<RemovedUser, StoreError> {
        let delete = "DELETE FROM users WHERE username = ?1 AND id = coalesce(?2, id)
                      AND (?3 IS NULL OR version IN (SELECT value FROM json_each(?3)))
                      RETURNING id, document";
        let versions = match expected {
            Versions::Any => None,
            Versions::OneOf(versions) => {
                let signed: Vec<i64> = versions.iter().map(|version| signed(*version)).collect();
                Some(serde_json::to_string(&signed).map_err(|error| StoreError::Corrupt(error.to_string()))?)
            }
        };
        let removed: Option<(String, String)> = sqlx::query_as(delete)
            .bind(name.as_str())
            .bind(id)
            .bind(versions)
            .fetch_optional(&self.durable)
            .await?;
        match removed {
            Some((id, document)) => {
                let user = parse(name.as_str(), &document).ok().map(|record| record.user);
                Ok(RemovedUser { id, user })
            }
            None => Err(self.absent_or_changed(name).await),
        }
    }

    async fn page(&self, query: &UserQuery, most: u32) -> Result<Vec<User>, StoreError> {
        let select = "SELECT username, document FROM users
                      WHERE username > ?1 AND status = coalesce(?2, status)
                        AND (?3 IS NULL OR instr(searchable, ?3) > 0)
                      ORDER BY username LIMIT ?4";
        let rows: Vec<(String, String)> = sqlx::query_as(select)
            // No name is before the empty one.
            .bind(query.after.as_ref().map_or("", Username::as_str))
            .bind(query.status.map(crate::user::Status::as_str))
            .bind(query.search.as_ref().map(|text| text.to_lowercase()))
            .bind(most)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(|(name, document)| Ok(parse(name, document)?.user)).collect()
    }

    async fn count(&self, query: &UserQuery) -> Result<u64, StoreError> {
        let select = "SELECT count(*) FROM users
                      WHERE status = coalesce(?1, status) AND (?2 IS NULL OR instr(searchable, ?2) > 0)";
        let count: i64 = sqlx::query_scalar(select)
            .bind(query.status.map(crate::user::Status::as_str))
            .bind(query.search.as_ref().map(|text| text.to_lowercase()))
            .fetch_one(&self.pool)
            .await?;
        Ok(count.unsigned_abs())
    }

    async fn stamps(&self, names: &[&Username]) -> Result<Vec<Stamp>, StoreError> {
        let select = "SELECT username, id, version FROM users
                      WHERE username IN (SELECT value FROM json_each(?))";
        let names = serde_json::to_string(names).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let rows: Vec<StampRow> = sqlx::query_as(select).bind(names).fetch_all(&self.pool).await?;
        // A name no user can have was not asked for, so none is lost here.
        Ok(rows.into_iter().filter_map(stamp).collect())
    }

    async fn overlapping(&self, home: &Home) -> Result<Vec<Stamp>, StoreError> {
        // '0' is the character behind '/'.
        let select = "SELECT username, id, version FROM users
                      WHERE document ->> '$.user.home' IN (SELECT value FROM json_each(?1))
                         OR document ->> '$.user.home' >= ?2 || '/' AND document ->> '$.user.home' < ?2 || '0'";
        let around = serde_json::to_string(&home.and_around())
            .map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let rows: Vec<StampRow> =
            sqlx::query_as(select).bind(around).bind(home.as_str()).fetch_all(&self.pool).await?;
        Ok(rows.into_iter().filter_map(stamp).collect())
    }
}

type StampRow = (String, String, i64);

fn stamp((name, id, version): StampRow) -> Option<Stamp> {
    Some(Stamp { username: name.parse().ok()?, id, version: version.unsigned_abs() })
}

impl Sqlite {
    async fn absent_or_changed(&self, name: &Username) -> StoreError {
        let there: Result<i64, _> = sqlx::query_scalar("SELECT 1 FROM users WHERE username = ?")
            .bind(name.as_str())
            .fetch_one(&self.durable)
            .await;
        there.map_or_else(StoreError::from, |_| StoreError::Conflict)
    }
}

fn document(record: &UserRecord) -> Result<String, StoreError> {
    serde_json::to_string(record).map_err(|error| StoreError::Corrupt(error.to_string()))
}

fn parse(name: &str, document: &str) -> Result<UserRecord, StoreError> {
    let corrupt = |reason: &dyn std::fmt::Display| StoreError::Corrupt(format!("user {name:?}: {reason}"));
    let record = serde_json::from_str(document).map_err(|error| corrupt(&error))?;
    agree(record, &name.parse().map_err(|error| corrupt(&error))?)
}
