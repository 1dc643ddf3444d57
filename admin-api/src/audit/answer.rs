//! Records and verifications as JSON.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use wharfinger_accounts::{AuditRecord, Verification};

/// A page of records.
#[derive(Serialize, ToSchema)]
pub(crate) struct AuditList {
    pub(super) items: Vec<AuditJson>,
    pub(super) next_cursor: Option<String>,
}

/// What happened.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditRecord)]
pub(crate) struct AuditJson {
    /// Whose chain the record is in: the writing program, its start and a random part.
    chain: String,
    /// Its number in the chain, from 1.
    sequence: u64,
    at: Timestamp,
    #[schema(example = "upload")]
    action: String,
    /// The user it is about.
    user: Option<String>,
    /// The admin who did it.
    actor: Option<String>,
    /// What more there is to say, by action.
    #[schema(value_type = Object)]
    detail: Value,
    /// The hash of the record before it in its chain.
    previous: String,
    hash: String,
}

/// What a verification found.
#[derive(Serialize, ToSchema)]
#[schema(as = Verification)]
pub(crate) struct VerificationJson {
    /// How many there are.
    records: u64,
    /// Whether all of them are as they were written.
    intact: bool,
    /// The first one that isn't.
    first_broken: Option<BreakJson>,
    /// Where each chain ends: kept elsewhere, they show later that no end was rewritten.
    heads: Vec<HeadJson>,
}

/// A record that is not what was written.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditBreak)]
struct BreakJson {
    chain: String,
    sequence: u64,
    reason: &'static str,
}

/// The last record of a chain.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditHead)]
struct HeadJson {
    chain: String,
    sequence: u64,
    hash: String,
    /// Whether its program ended as it should; if not, it runs still, or it broke off.
    ended: bool,
}

impl From<AuditRecord> for AuditJson {
    fn from(record: AuditRecord) -> Self {
        Self {
            at: record.at(),
            // What isn't JSON was tampered with, and is shown as it stands.
            detail: serde_json::from_str(&record.detail)
                .unwrap_or_else(|_| serde_json::json!({ "unreadable": record.detail })),
            chain: record.chain,
            sequence: record.sequence,
            action: record.action,
            user: record.user,
            actor: record.actor,
            previous: record.previous,
            hash: record.hash,
        }
    }
}

impl From<Verification> for VerificationJson {
    fn from(found: Verification) -> Self {
        let broken = found.first_broken.clone();
        let heads = found.heads.iter().cloned();
        Self {
            records: found.records,
            intact: found.intact(),
            first_broken: broken.map(|it| BreakJson {
                chain: it.chain,
                sequence: it.sequence,
                reason: it.reason,
            }),
            heads: heads
                .map(|it| HeadJson { chain: it.chain, sequence: it.sequence, hash: it.hash, ended: it.ended })
                .collect(),
        }
    }
}
