//! Verifying the trail: all records are read once, chain by chain, in pages, and each must follow from
//! the one before. Where a chain begins (after its oldest records were removed for their age) and how far
//! it must reach, other records say: those of removals and of where chains were seen.

use std::collections::HashMap;

use serde::Deserialize;

use super::event::{Link, action};
use super::query::AuditQuery;
use super::record::{AuditRecord, NO_HASH};
use crate::Accounts;
use crate::store::{AuditHead, AuditStore, StoreError};

/// Records read at a time.
const PAGE: u32 = 1_000;

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// How many records there are.
    pub records: u64,
    /// The first place where the trail is not what was written, in the order of chains.
    pub first_broken: Option<Break>,
    /// Where each chain ends, to be kept elsewhere and compared later.
    pub heads: Vec<Head>,
}

/// A place where the trail is not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Break {
    /// The chain.
    pub chain: String,
    /// The record's number in it.
    pub sequence: u64,
    /// What is wrong there.
    pub reason: &'static str,
}

/// The last record of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The chain.
    pub chain: String,
    /// The record's number in it.
    pub sequence: u64,
    /// The record's hash.
    pub hash: String,
    /// Whether its process ended as it should. If not, it runs still, or it broke off and may have
    /// taken its last events with it.
    pub ended: bool,
}

impl Accounts {
    /// Reads the whole trail and finds the first record that was changed, removed, inserted or moved.
    pub async fn verify_audit(&self) -> Result<Verification, StoreError> {
        let store = self.inner.stores.audit.as_ref();
        let anchors = anchors(store).await?;
        // Read before the records: what is written meanwhile may go beyond, and nothing may fall short.
        let heads = store.heads().await?;
        let heads = heads.into_iter().map(|head| (head.chain.clone(), head)).collect();
        let mut walk = Walk { store, anchors, heads, current: None, done: Verification::empty() };
        let mut after = None;
        loop {
            let page = store.in_order(after.as_ref(), PAGE).await?;
            for record in &page {
                walk.take(record).await?;
            }
            let Some(last) = page.last() else { break };
            after = Some((last.chain.clone(), last.sequence));
        }
        Ok(walk.finish())
    }
}

impl Verification {
    fn empty() -> Self {
        Self { records: 0, first_broken: None, heads: Vec::new() }
    }

    /// Whether nothing was found.
    pub fn intact(&self) -> bool {
        self.first_broken.is_none()
    }
}

#[derive(Deserialize)]
struct Heads {
    heads: Vec<Link>,
}

#[derive(Deserialize)]
struct Chains {
    chains: Vec<Link>,
}

/// Up to where each chain's oldest records were removed, as records say.
pub(super) async fn anchors(store: &dyn AuditStore) -> Result<HashMap<String, Link>, StoreError> {
    let mut anchors = HashMap::<String, Link>::new();
    let mut query = AuditQuery { action: Some(action::EXPIRED.to_owned()), ..AuditQuery::default() };
    loop {
        let page = store.page(&query, PAGE).await?;
        for record in &page {
            // One that can't be read has been tampered with, and is found on the walk.
            let links =
                serde_json::from_str(&record.detail).map_or_else(|_| Vec::new(), |it: Chains| it.chains);
            for link in links {
                let known = anchors.entry(link.chain.clone()).or_insert_with(|| link.clone());
                if known.sequence < link.sequence {
                    *known = link;
                }
            }
        }
        let Some(last) = page.last() else { return Ok(anchors) };
        query.after = Some(last.position());
    }
}

struct Walk<'a> {
    store: &'a dyn AuditStore,
    anchors: HashMap<String, Link>,
    /// Of chains not met yet.
    heads: HashMap<String, AuditHead>,
    current: Option<Chain>,
    done: Verification,
}

/// The chain being read.
struct Chain {
    /// The last record read, or the one before the first.
    at: Link,
    anchor: u64,
    head: Option<AuditHead>,
    ended: bool,
}

impl Walk<'_> {
    async fn take(&mut self, record: &AuditRecord) -> Result<(), StoreError> {
        self.done.records += 1;
        if self.current.as_ref().is_none_or(|chain| chain.at.chain != record.chain) {
            self.end_chain();
            self.begin_chain(&record.chain).await?;
        }
        let Some(chain) = &mut self.current else { return Ok(()) };
        if record.sequence <= chain.anchor {
            // To be removed, by a removal that was cut short.
            return Ok(());
        }
        let wrong = chain.wrong(record);
        chain.ended = record.action == action::STOPPED;
        chain.at = record.link();
        if let Some((sequence, reason)) = wrong {
            self.broken(&record.chain, sequence, reason);
        }
        if record.action == action::STARTED || record.action == action::WITNESSED {
            self.compare_seen(record).await?;
        }
        Ok(())
    }

    async fn begin_chain(&mut self, name: &str) -> Result<(), StoreError> {
        let none = || Link { chain: name.to_owned(), sequence: 0, hash: NO_HASH.to_owned() };
        let at = self.anchors.get(name).cloned().unwrap_or_else(none);
        let head = self.heads.remove(name);
        // One that began since the heads were read has one by now.
        if head.is_none() && !self.store.heads().await?.iter().any(|head| head.chain == name) {
            self.broken(name, at.sequence + 1, "no process began this chain");
        }
        self.current = Some(Chain { anchor: at.sequence, at, head, ended: false });
        Ok(())
    }

    fn end_chain(&mut self) {
        let Some(Chain { at, head, ended, .. }) = self.current.take() else { return };
        if head.is_some_and(|head| head.sequence > at.sequence) {
            self.broken(&at.chain, at.sequence + 1, "the chain's last records are missing");
        }
        self.done.heads.push(Head { chain: at.chain, sequence: at.sequence, hash: at.hash, ended });
    }

    /// What another chain's process saw must still be there, unless it was removed for its age.
    async fn compare_seen(&mut self, record: &AuditRecord) -> Result<(), StoreError> {
        let seen = serde_json::from_str(&record.detail).map_or_else(|_| Vec::new(), |it: Heads| it.heads);
        for link in seen {
            if self.anchors.get(&link.chain).is_some_and(|anchor| anchor.sequence >= link.sequence) {
                continue;
            }
            let reason = match self.store.at(&link.chain, link.sequence).await? {
                Some(found) if found.hash == link.hash => continue,
                Some(_) => "another chain has seen another record here",
                None => "the record is missing; another chain has seen it",
            };
            self.broken(&link.chain, link.sequence, reason);
        }
        Ok(())
    }

    fn broken(&mut self, chain: &str, sequence: u64, reason: &'static str) {
        let found = Break { chain: chain.to_owned(), sequence, reason };
        self.done.first_broken.get_or_insert(found);
    }

    fn finish(mut self) -> Verification {
        self.end_chain();
        let mut unmet: Vec<AuditHead> = self.heads.drain().map(|(_, head)| head).collect();
        unmet.sort_by(|one, other| one.chain.cmp(&other.chain));
        for head in unmet {
            let removed = self.anchors.get(&head.chain).map_or(0, |anchor| anchor.sequence);
            if head.sequence > removed {
                self.broken(&head.chain, removed + 1, "the whole chain is missing");
            }
        }
        self.done
    }
}

impl Chain {
    /// What is wrong with the next record, and where.
    fn wrong(&self, record: &AuditRecord) -> Option<(u64, &'static str)> {
        let next = self.at.sequence + 1;
        if record.sequence != next {
            return Some((next, "the record is missing"));
        }
        if record.hash != record.digest() {
            return Some((next, "the record was changed"));
        }
        if record.previous != self.at.hash {
            return Some((next, "the record does not follow from the one before"));
        }
        if self.ended {
            return Some((next, "the chain had ended before this record"));
        }
        let head = self.head.as_ref().filter(|head| head.sequence == next);
        head.filter(|head| head.hash != record.hash).map(|_| (next, "another record was written here"))
    }
}
