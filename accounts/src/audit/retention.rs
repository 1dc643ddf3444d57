//! Removing records because of their age. First a record says up to where each chain is removed, and with
//! which hash the rest goes on; then the records go. So what is missing at a chain's beginning is either
//! accounted for in the trail, or was removed by somebody else.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Trail;
use super::event::{Act, Link};
use super::verify::anchors;
use super::writer::own;
use crate::Accounts;
use crate::store::StoreError;

/// A chain of which nothing is left is forgotten this long after its last record could have been. Its
/// process writes at least daily while it lives.
const FORGOTTEN_AFTER: Duration = Duration::from_hours(7 * 24);

/// How long the record of a removal may take to be stored before the removal is put off.
const PATIENCE: Duration = Duration::from_mins(1);

impl Accounts {
    /// Removes the records older than `age`; returns how many. The removal is recorded in `trail`.
    pub async fn expire_audit(&self, age: Duration, trail: &Trail) -> Result<u64, StoreError> {
        let store = &self.inner.stores.audit;
        let before = earlier(self.now(), age);
        let mut removed = anchors(store.as_ref()).await?;
        let (mut chains, mut news) = (Vec::<Link>::new(), false);
        // All of them are named each time: an older record that named one may be among those to go.
        for head in store.heads().await? {
            let known = removed.remove(&head.chain);
            let last = store.last_before(&head.chain, before).await?;
            let last = last.filter(|last| known.as_ref().is_none_or(|known| known.sequence < last.sequence));
            news |= last.is_some();
            chains.extend(last.map(|last| last.link()).or(known));
        }
        if !news {
            return Ok(0);
        }
        let act = Act::Expired { before: before.to_string(), chains: chains.clone() };
        if !trail.place().await?.fill(own(act)).written(PATIENCE).await {
            return Err(StoreError::Unavailable("the removal could not be recorded".to_owned()));
        }
        store.expire(&chains, earlier(before, FORGOTTEN_AFTER)).await
    }
}

fn earlier(time: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by).ok().and_then(|by| time.checked_sub(by).ok()).unwrap_or(Timestamp::MIN)
}
