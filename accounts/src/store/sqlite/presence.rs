//! Nodes and their live sessions in SQLite. All of it may be lost with the power: the sessions are
//! gone then too. Programs on one file are on one machine, so each one's clock is the store's.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::{Sqlite, signed};
use crate::presence::{LiveSession, Node, SessionQuery};
use crate::store::{Beat, PresenceStore, Run, StoreError};
use crate::user::Username;

type NodeRow = (String, String, String, String, i64, i64, i64);

#[async_trait]
impl PresenceStore for Sqlite {
    async fn beat(&self, beat: &Beat<'_>) -> Result<bool, StoreError> {
        let now = Timestamp::now().as_millisecond();
        let expires = now.saturating_add(i64::try_from(beat.alive_for.as_millis()).unwrap_or(i64::MAX));
        let update = "UPDATE nodes SET sessions = ?, last_seen_at = ?, expires_at = ? WHERE run = ?";
        let updated = sqlx::query(update)
            .bind(signed(beat.sessions))
            .bind(now)
            .bind(expires)
            .bind(beat.run)
            .execute(&self.pool)
            .await?;
        if updated.rows_affected() == 1 {
            return Ok(false);
        }
        let insert = "INSERT INTO nodes (run, name, version, started_at, sessions, last_seen_at, expires_at)
                      VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
        sqlx::query(insert)
            .bind(beat.run)
            .bind(beat.name)
            .bind(beat.version)
            .bind(beat.started_at.to_string())
            .bind(signed(beat.sessions))
            .bind(now)
            .bind(expires)
            .execute(&self.pool)
            .await?;
        Ok(true)
    }

    async fn runs(&self) -> Result<Vec<Run>, StoreError> {
        let select = "SELECT run, name, version, started_at, sessions, last_seen_at, expires_at FROM nodes";
        let rows: Vec<NodeRow> = sqlx::query_as(select).fetch_all(&self.pool).await?;
        let now = Timestamp::now().as_millisecond();
        rows.into_iter().map(|row| run_of(row, now)).collect()
    }

    async fn forget(&self, run: &str) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        for delete in [
            "DELETE FROM nodes WHERE run = ?",
            "DELETE FROM sessions WHERE run = ?",
            "DELETE FROM places WHERE run = ?",
        ] {
            sqlx::query(delete).bind(run).execute(&mut *transaction).await?;
        }
        Ok(transaction.commit().await?)
    }

    async fn publish(&self, run: &str, changed: &[LiveSession], gone: &[String]) -> Result<(), StoreError> {
        let upsert = "INSERT INTO sessions (id, run, document) VALUES (?1, ?2, ?3)
                      ON CONFLICT DO UPDATE SET document = ?3";
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        for session in changed {
            let document =
                serde_json::to_string(session).map_err(|error| StoreError::Corrupt(error.to_string()))?;
            sqlx::query(upsert).bind(&session.id).bind(run).bind(document).execute(&mut *transaction).await?;
        }
        for id in gone {
            sqlx::query("DELETE FROM sessions WHERE id = ?").bind(id).execute(&mut *transaction).await?;
        }
        Ok(transaction.commit().await?)
    }

    async fn live(&self, query: &SessionQuery, most: u32) -> Result<Vec<LiveSession>, StoreError> {
        let select = "SELECT id, document FROM sessions JOIN nodes USING (run)
                      WHERE id > ?1 AND expires_at > ?2
                        AND (?3 IS NULL OR document ->> '$.user' IS ?3)
                        AND (?4 IS NULL OR document ->> '$.node' IS ?4)
                      ORDER BY id LIMIT ?5";
        let rows: Vec<(String, String)> = sqlx::query_as(select)
            .bind(query.after.as_deref().unwrap_or_default())
            .bind(Timestamp::now().as_millisecond())
            .bind(query.user.as_ref().map(Username::as_str))
            .bind(query.node.as_deref())
            .bind(most)
            .fetch_all(&self.pool)
            .await?;
        let parse = |(id, document): (String, String)| {
            serde_json::from_str(&document)
                .map_err(|error| StoreError::Corrupt(format!("session {id}: {error}")))
        };
        rows.into_iter().map(parse).collect()
    }

    async fn ask_to_end(&self, id: &str) -> Result<(), StoreError> {
        let update = "UPDATE sessions SET end_requested = 1
                      WHERE id = ? AND run IN (SELECT run FROM nodes WHERE expires_at > ?)";
        let asked =
            sqlx::query(update).bind(id).bind(Timestamp::now().as_millisecond()).execute(&self.pool).await?;
        if asked.rows_affected() == 1 { Ok(()) } else { Err(StoreError::NotFound) }
    }

    async fn asked_to_end(&self, run: &str) -> Result<Vec<String>, StoreError> {
        let select = "SELECT id FROM sessions WHERE run = ? AND end_requested = 1";
        Ok(sqlx::query_scalar(select).bind(run).fetch_all(&self.pool).await?)
    }
}

fn run_of(row: NodeRow, now: i64) -> Result<Run, StoreError> {
    let (id, name, version, started_at, sessions, last_seen_at, expires_at) = row;
    let corrupt = |error: jiff::Error| StoreError::Corrupt(format!("node {id}: {error}"));
    let node = Node {
        name,
        version,
        started_at: started_at.parse().map_err(corrupt)?,
        sessions: sessions.unsigned_abs(),
        last_seen_at: Timestamp::from_millisecond(last_seen_at).map_err(corrupt)?,
    };
    let unseen_for = SignedDuration::from_millis(now.saturating_sub(last_seen_at));
    Ok(Run { alive: expires_at > now, unseen_for, node, id })
}
