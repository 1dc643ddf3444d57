//! The audit trail in MongoDB: a document a record. Its `_id` is made of chain and number, so that no
//! record is stored twice, however often storing it is tried, and so that one index serves both orders.

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use mongodb::bson::{Document, doc};
use mongodb::error::{Error, ErrorKind};

use super::{DUPLICATE_KEY, Mongo, signed};
use crate::audit::record::NO_HASH;
use crate::audit::{AuditQuery, AuditRecord, Link};
use crate::store::{AuditHead, AuditStore, StoreError};

#[async_trait]
impl AuditStore for Mongo {
    async fn append(&self, records: &[AuditRecord], _durable: bool) -> Result<(), StoreError> {
        let (Some(first), Some(last)) = (records.first(), records.last()) else { return Ok(()) };
        if first.sequence == 1 {
            // Before any record is there: a chain that nobody began is a forged one.
            let begin = doc! { "$setOnInsert": head(0, NO_HASH, first.at), "$max": { "seen": 0_i64 } };
            let chain = doc! { "_id": &last.chain };
            self.ask(self.audit_chains.update_one(chain, begin).upsert(true)).await?;
        }
        let documents: Vec<Document> = records.iter().map(document).collect();
        let insert = async {
            match self.audit.insert_many(documents).ordered(false).await {
                Err(error) if only_duplicates(&error) => Ok(true),
                inserted => inserted.map(|_| false),
            }
        };
        if self.ask(insert).await? {
            for record in records {
                let stands = self.at(&record.chain, record.sequence).await?;
                if stands.is_none_or(|stands| stands.hash != record.hash) {
                    return Err(StoreError::Taken);
                }
            }
        }
        let head = doc! { "$set": head(last.sequence, &last.hash, last.at) };
        self.ask(self.audit_chains.update_one(doc! { "_id": &last.chain }, head)).await?;
        Ok(())
    }

    async fn page(&self, query: &AuditQuery, most: u32) -> Result<Vec<AuditRecord>, StoreError> {
        let mut all = vec![Document::new()];
        let mut at = Document::new();
        if let Some(since) = query.since {
            at.insert("$gte", since.as_millisecond());
        }
        if let Some(until) = query.until {
            at.insert("$lt", until.as_millisecond());
        }
        if !at.is_empty() {
            all.push(doc! { "at": at });
        }
        for (field, name) in [("user", &query.user), ("actor", &query.actor), ("action", &query.action)] {
            all.extend(name.as_ref().map(|name| doc! { field: name }));
        }
        if let Some(after) = &query.after {
            let id = id(&after.chain, after.sequence);
            all.push(doc! { "at": { "$lte": after.at } });
            all.push(doc! { "$or": [{ "at": { "$lt": after.at } }, { "_id": { "$lt": id } }] });
        }
        let found = self.audit.find(doc! { "$and": all }).sort(doc! { "at": -1, "_id": -1 });
        self.records(found.limit(i64::from(most))).await
    }

    async fn in_order(
        &self,
        after: Option<&(String, u64)>,
        most: u32,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        // Without a bound the first page also finds what is stored under an `_id` that is no text.
        let after = after.map(|(chain, sequence)| doc! { "_id": { "$gt": id(chain, *sequence) } });
        let found = self.audit.find(after.unwrap_or_default()).sort(doc! { "_id": 1 });
        self.records(found.limit(i64::from(most))).await
    }

    async fn at(&self, chain: &str, sequence: u64) -> Result<Option<AuditRecord>, StoreError> {
        let found = self.ask(self.audit.find_one(doc! { "_id": id(chain, sequence) })).await?;
        Ok(found.as_ref().map(record))
    }

    async fn last_before(&self, chain: &str, time: Timestamp) -> Result<Option<AuditRecord>, StoreError> {
        let (first, last) = (id(chain, 0), id(chain, u64::MAX));
        let young =
            doc! { "_id": { "$gte": &first, "$lte": &last }, "at": { "$gte": time.as_millisecond() } };
        let young = self.ask(self.audit.find_one(young).sort(doc! { "_id": 1 })).await?;
        let end = young.as_ref().and_then(|young| young.get_str("_id").ok()).unwrap_or(&last);
        let old = doc! { "_id": { "$gte": &first, "$lt": end } };
        let old = self.ask(self.audit.find_one(old).sort(doc! { "_id": -1 })).await?;
        Ok(old.as_ref().map(record))
    }

    async fn heads(&self) -> Result<Vec<AuditHead>, StoreError> {
        let found = self.audit_chains.find(doc! {}).sort(doc! { "_id": 1 });
        let found: Vec<Document> = self.ask(async { found.await?.try_collect().await }).await?;
        let number = |found: &Document, field| found.get_i64(field).unwrap_or_default().unsigned_abs();
        let head = |found: &Document| AuditHead {
            chain: text(found, "_id"),
            sequence: number(found, "sequence"),
            hash: text(found, "hash"),
            seen: number(found, "seen"),
        };
        Ok(found.iter().map(head).collect())
    }

    async fn witnessed(&self, heads: &[Link]) -> Result<(), StoreError> {
        for head in heads {
            let seen = doc! { "$max": { "seen": signed(head.sequence) } };
            self.ask(self.audit_chains.update_one(doc! { "_id": &head.chain }, seen)).await?;
        }
        Ok(())
    }

    async fn expire(&self, chains: &[Link], forgotten: Timestamp) -> Result<u64, StoreError> {
        let mut removed = 0;
        for link in chains {
            let old = doc! { "_id": { "$gte": id(&link.chain, 0), "$lte": id(&link.chain, link.sequence) } };
            removed += self.ask(self.audit.delete_many(old)).await?.deleted_count;
            let gone = doc! {
                "_id": &link.chain,
                "sequence": { "$lte": signed(link.sequence) },
                "at": { "$lt": forgotten.as_millisecond() },
            };
            self.ask(self.audit_chains.delete_one(gone)).await?;
        }
        Ok(removed)
    }
}

impl Mongo {
    async fn records(
        &self,
        found: impl IntoFuture<Output = Result<mongodb::Cursor<Document>, Error>>,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        let found: Vec<Document> = self.ask(async { found.await?.try_collect().await }).await?;
        Ok(found.iter().map(record).collect())
    }
}

fn head(sequence: u64, hash: &str, at: i64) -> Document {
    doc! { "sequence": signed(sequence), "hash": hash, "at": at }
}

/// By the order of texts, a chain's records are together and in the order of their numbers.
fn id(chain: &str, sequence: u64) -> String {
    format!("{chain}/{sequence:016x}")
}

fn document(record: &AuditRecord) -> Document {
    doc! {
        "_id": id(&record.chain, record.sequence),
        "at": record.at,
        "action": &record.action,
        "user": record.user.as_deref(),
        "actor": record.actor.as_deref(),
        "detail": &record.detail,
        "previous": &record.previous,
        "hash": &record.hash,
    }
}

/// What can't be read is left empty: then the hash differs, and the record counts as changed.
fn record(found: &Document) -> AuditRecord {
    let own = text(found, "_id");
    let (chain, sequence) = own.rsplit_once('/').unwrap_or((own.as_str(), ""));
    let sequence = u64::from_str_radix(sequence, 16).unwrap_or_default();
    // An `_id` written in another way would be another record with the same number.
    let chain = if id(chain, sequence) == own { chain } else { own.as_str() };
    AuditRecord {
        chain: chain.to_owned(),
        sequence,
        at: found.get_i64("at").unwrap_or_default(),
        action: text(found, "action"),
        user: found.get_str("user").ok().map(str::to_owned),
        actor: found.get_str("actor").ok().map(str::to_owned),
        detail: text(found, "detail"),
        previous: text(found, "previous"),
        hash: text(found, "hash"),
    }
}

fn text(found: &Document, field: &str) -> String {
    found.get_str(field).unwrap_or_default().to_owned()
}

/// Whether all that failed did so because it was there already.
fn only_duplicates(error: &Error) -> bool {
    match &*error.kind {
        ErrorKind::InsertMany(failed) => {
            let mut failures = failed.write_errors.iter().flatten();
            failed.write_concern_error.is_none() && failures.all(|it| it.code == DUPLICATE_KEY)
        }
        _ => false,
    }
}
