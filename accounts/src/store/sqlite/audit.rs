//! The audit trail in SQLite: a row a record, found by its chain and number.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, QueryBuilder, Row, Sqlite as Database, Transaction};

use super::{Sqlite, signed};
use crate::audit::{AuditQuery, AuditRecord, Link};
use crate::store::{AuditHead, AuditStore, StoreError};

impl FromRow<'_, SqliteRow> for AuditRecord {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            chain: row.try_get("chain")?,
            sequence: row.try_get::<i64, _>("sequence")?.unsigned_abs(),
            at: row.try_get("at")?,
            action: row.try_get("action")?,
            user: row.try_get("user")?,
            actor: row.try_get("actor")?,
            detail: row.try_get("detail")?,
            previous: row.try_get("previous")?,
            hash: row.try_get("hash")?,
        })
    }
}

/// Rows in one statement: each statement is a trip to the connection's thread and back.
const ROWS: usize = 500;

/// How many were inserted; the others' places are taken.
async fn insert(
    transaction: &mut Transaction<'_, Database>,
    records: &[AuditRecord],
) -> Result<u64, StoreError> {
    let columns = "INSERT INTO audit (chain, sequence, at, action, user, actor, detail, previous, hash) ";
    let mut insert = QueryBuilder::<Database>::new(columns);
    insert.push_values(records, |mut row, record| {
        row.push_bind(&record.chain).push_bind(signed(record.sequence)).push_bind(record.at);
        row.push_bind(&record.action).push_bind(&record.user).push_bind(&record.actor);
        row.push_bind(&record.detail).push_bind(&record.previous).push_bind(&record.hash);
    });
    insert.push(" ON CONFLICT (chain, sequence) DO NOTHING");
    // As many texts as there are counts of rows: none is kept prepared.
    let done = insert.build().persistent(false).execute(&mut **transaction).await?;
    Ok(done.rows_affected())
}

/// What was written before, and is written again because no answer came, is in its place.
async fn stand_already(
    transaction: &mut Transaction<'_, Database>,
    records: &[AuditRecord],
) -> Result<(), StoreError> {
    for record in records {
        let stands = "SELECT hash FROM audit WHERE chain = ? AND sequence = ?";
        let stands = sqlx::query_scalar(stands).bind(&record.chain).bind(signed(record.sequence));
        let stands: String = stands.fetch_one(&mut **transaction).await?;
        if stands != record.hash {
            return Err(StoreError::Taken);
        }
    }
    Ok(())
}

#[async_trait]
impl AuditStore for Sqlite {
    async fn append(&self, records: &[AuditRecord], durable: bool) -> Result<(), StoreError> {
        let Some(last) = records.last() else { return Ok(()) };
        // What nobody waits for is on the disk with the next write that somebody waits for.
        let pool = if durable { &self.durable } else { &self.pool };
        let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
        for some in records.chunks(ROWS) {
            if insert(&mut transaction, some).await? < some.len() as u64 {
                stand_already(&mut transaction, some).await?;
            }
        }
        let head = "INSERT INTO audit_chains (chain, sequence, hash, at) VALUES (?, ?, ?, ?)
                    ON CONFLICT (chain) DO UPDATE
                    SET sequence = excluded.sequence, hash = excluded.hash, at = excluded.at";
        sqlx::query(head)
            .bind(&last.chain)
            .bind(signed(last.sequence))
            .bind(&last.hash)
            .bind(last.at)
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    async fn page(&self, query: &AuditQuery, most: u32) -> Result<Vec<AuditRecord>, StoreError> {
        let mut select = QueryBuilder::<Database>::new("SELECT * FROM audit WHERE TRUE");
        if let Some(since) = query.since {
            select.push(" AND at >= ").push_bind(since.as_millisecond());
        }
        if let Some(until) = query.until {
            select.push(" AND at < ").push_bind(until.as_millisecond());
        }
        let names = [(" AND user = ", &query.user), (" AND actor = ", &query.actor)];
        for (condition, name) in names.into_iter().chain([(" AND action = ", &query.action)]) {
            if let Some(name) = name {
                select.push(condition).push_bind(name);
            }
        }
        if let Some(after) = &query.after {
            select.push(" AND (at, chain, sequence) < (").push_bind(after.at).push(", ");
            select.push_bind(&after.chain).push(", ").push_bind(signed(after.sequence)).push(")");
        }
        select.push(" ORDER BY at DESC, chain DESC, sequence DESC LIMIT ").push_bind(most);
        Ok(select.build_query_as().fetch_all(&self.pool).await?)
    }

    async fn in_order(
        &self,
        after: Option<&(String, u64)>,
        most: u32,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        let (chain, sequence) = after.map_or(("", 0), |(chain, sequence)| (chain.as_str(), *sequence));
        let select = "SELECT * FROM audit WHERE (chain, sequence) > (?, ?) ORDER BY chain, sequence LIMIT ?";
        let rows = sqlx::query_as(select).bind(chain).bind(signed(sequence)).bind(most);
        Ok(rows.fetch_all(&self.pool).await?)
    }

    async fn at(&self, chain: &str, sequence: u64) -> Result<Option<AuditRecord>, StoreError> {
        let select = "SELECT * FROM audit WHERE chain = ? AND sequence = ?";
        let row = sqlx::query_as(select).bind(chain).bind(signed(sequence));
        Ok(row.fetch_optional(&self.pool).await?)
    }

    async fn last_before(&self, chain: &str, time: Timestamp) -> Result<Option<AuditRecord>, StoreError> {
        let select = "SELECT * FROM audit WHERE chain = ?1 AND sequence < coalesce(
                          (SELECT min(sequence) FROM audit WHERE chain = ?1 AND at >= ?2), 9223372036854775807)
                      ORDER BY sequence DESC LIMIT 1";
        let row = sqlx::query_as(select).bind(chain).bind(time.as_millisecond());
        Ok(row.fetch_optional(&self.pool).await?)
    }

    async fn heads(&self) -> Result<Vec<AuditHead>, StoreError> {
        let select = "SELECT chain, sequence, hash, seen FROM audit_chains ORDER BY chain";
        let rows: Vec<(String, i64, String, i64)> = sqlx::query_as(select).fetch_all(&self.pool).await?;
        let head = |(chain, sequence, hash, seen): (String, i64, String, i64)| AuditHead {
            chain,
            sequence: sequence.unsigned_abs(),
            hash,
            seen: seen.unsigned_abs(),
        };
        Ok(rows.into_iter().map(head).collect())
    }

    async fn witnessed(&self, heads: &[Link]) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        for head in heads {
            sqlx::query("UPDATE audit_chains SET seen = max(seen, ?) WHERE chain = ?")
                .bind(signed(head.sequence))
                .bind(&head.chain)
                .execute(&mut *transaction)
                .await?;
        }
        Ok(transaction.commit().await?)
    }

    async fn expire(&self, chains: &[Link], forgotten: Timestamp) -> Result<u64, StoreError> {
        let mut removed = 0;
        for link in chains {
            let delete = "DELETE FROM audit WHERE chain = ? AND sequence <= ?";
            let delete = sqlx::query(delete).bind(&link.chain).bind(signed(link.sequence));
            removed += delete.execute(&self.pool).await?.rows_affected();
            sqlx::query("DELETE FROM audit_chains WHERE chain = ? AND sequence <= ? AND at < ?")
                .bind(&link.chain)
                .bind(signed(link.sequence))
                .bind(forgotten.as_millisecond())
                .execute(&self.pool)
                .await?;
        }
        Ok(removed)
    }
}
