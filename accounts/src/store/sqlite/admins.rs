//! Admins in SQLite. Each change is one statement, so that no two of them can take away the last two
//! owners: SQLite has one writer at a time.

use async_trait::async_trait;

use super::{Sqlite, signed};
use crate::admin::Admin;
use crate::store::{AdminRecord, AdminStore, StoreError};
use crate::user::Username;

/// Another owner can log in, or this one couldn't.
const AN_OWNER_STAYS: &str = "(role <> 'owner' OR status <> 'active' OR EXISTS (
    SELECT 1 FROM admins AS others
    WHERE others.username <> ?1 AND others.role = 'owner' AND others.status = 'active'))";

#[async_trait]
impl AdminStore for Sqlite {
    async fn insert(&self, record: &AdminRecord) -> Result<(), StoreError> {
        let insert = "INSERT INTO admins (username, id, role, status, version, document)
                      VALUES (?, ?, ?, ?, ?, ?)";
        let admin = &record.admin;
        sqlx::query(insert)
            .bind(admin.username.as_str())
            .bind(&admin.id)
            .bind(admin.role.as_str())
            .bind(admin.status.as_str())
            .bind(signed(admin.version))
            .bind(document(record)?)
            .execute(&self.durable)
            .await?;
        Ok(())
    }

    async fn find(&self, name: &Username) -> Result<AdminRecord, StoreError> {
        let document: String = sqlx::query_scalar("SELECT document FROM admins WHERE username = ?")
            .bind(name.as_str())
            .fetch_one(&self.pool)
            .await?;
        parse(name.as_str(), &document)
    }

    async fn any(&self) -> Result<bool, StoreError> {
        Ok(sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM admins)").fetch_one(&self.pool).await?)
    }

    async fn page(&self, after: Option<&Username>, most: u32) -> Result<Vec<Admin>, StoreError> {
        let select = "SELECT username, document FROM admins WHERE username > ? ORDER BY username LIMIT ?";
        let rows: Vec<(String, String)> = sqlx::query_as(select)
            // No name is before the empty one.
            .bind(after.map_or("", Username::as_str))
            .bind(most)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(|(name, document)| Ok(parse(name, document)?.admin)).collect()
    }

    async fn replace(&self, record: &AdminRecord, expected: u64) -> Result<(), StoreError> {
        let admin = &record.admin;
        let update = format!(
            "UPDATE admins SET role = ?3, status = ?4, version = ?5, document = ?6
             WHERE username = ?1 AND id = ?2 AND version = ?7
               AND ((?3 = 'owner' AND ?4 = 'active') OR {AN_OWNER_STAYS})"
        );
        let done = sqlx::query(sqlx::AssertSqlSafe(update))
            .bind(admin.username.as_str())
            .bind(&admin.id)
            .bind(admin.role.as_str())
            .bind(admin.status.as_str())
            .bind(signed(admin.version))
            .bind(document(record)?)
            .bind(signed(expected))
            .execute(&self.durable)
            .await?;
        if done.rows_affected() == 1 { Ok(()) } else { Err(self.why_not(admin, expected).await) }
    }

    async fn remove(&self, admin: &Admin) -> Result<(), StoreError> {
        let (name, version) = (&admin.username, admin.version);
        let delete = format!(
            "DELETE FROM admins WHERE username = ?1 AND id = ?2 AND version = ?3 AND {AN_OWNER_STAYS}"
        );
        let done = sqlx::query(sqlx::AssertSqlSafe(delete))
            .bind(name.as_str())
            .bind(&admin.id)
            .bind(signed(version))
            .execute(&self.durable)
            .await?;
        if done.rows_affected() == 1 { Ok(()) } else { Err(self.why_not(admin, version).await) }
    }
}

impl Sqlite {
    /// Why a change to an admin was not made.
    async fn why_not(&self, admin: &Admin, expected: u64) -> StoreError {
        let found: Result<(String, i64), _> =
            sqlx::query_as("SELECT id, version FROM admins WHERE username = ?")
                .bind(admin.username.as_str())
                .fetch_one(&self.durable)
                .await;
        match found {
            Ok((id, version)) if id == admin.id && version == signed(expected) => StoreError::LastOwner,
            Ok(_) => StoreError::Conflict,
            Err(error) => error.into(),
        }
    }
}

fn document(record: &AdminRecord) -> Result<String, StoreError> {
    serde_json::to_string(record).map_err(|error| StoreError::Corrupt(error.to_string()))
}

fn parse(name: &str, document: &str) -> Result<AdminRecord, StoreError> {
    serde_json::from_str(document).map_err(|error| StoreError::Corrupt(format!("admin {name}: {error}")))
}
