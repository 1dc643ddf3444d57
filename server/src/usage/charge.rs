//! What one upload takes of the quota. What the file that it replaces will free may be taken too, on
//! credit: so a file can be replaced where there is no room for both, and nothing of such an upload stays
//! unless it replaces that file.

use std::sync::Arc;

use wharfinger_accounts::{Amount, Quota, User};

use super::Ledger;
use crate::registry::Live;
use crate::storage::{Extent, StorageError, Tally as _};

/// One upload's account. Dropping it says that what it took on credit is there, or was.
pub(crate) struct Charge {
    ledger: Arc<Ledger>,
    live: Arc<Live>,
    user: Arc<User>,
    credit: Extent,
    owed: Extent,
    /// Bytes for which there was room, or credit.
    allowed: u64,
    open: bool,
}

impl Charge {
    /// Of an upload by `user` that frees `credit` when it is finished.
    pub(crate) fn new(ledger: Arc<Ledger>, live: Arc<Live>, user: Arc<User>, credit: Extent) -> Self {
        Self { ledger, live, user, credit, owed: Extent::default(), allowed: 0, open: false }
    }

    /// Takes room for so much, which is all there or not.
    pub(crate) async fn open(&mut self, ahead: Extent) -> Result<(), StorageError> {
        let wanted =
            Amount { bytes: ahead.bytes.max(0).unsigned_abs(), files: ahead.files.max(0).unsigned_abs() };
        let given = self.take(wanted).await?;
        if given == wanted {
            return Ok(());
        }
        self.give_back(extent(given));
        Err(StorageError::OverQuota)
    }

    /// Takes room for bytes to be written; how many may be.
    pub(crate) async fn bytes(&mut self, bytes: u64) -> Result<u64, StorageError> {
        let allowed = self.take(Amount { bytes, files: 0 }).await?.bytes;
        self.allowed = self.allowed.saturating_add(allowed);
        Ok(allowed)
    }

    /// Whether the bytes that were allowed would be allowed now, if the upload were to begin. Where that
    /// can't be found out, the upload goes on: what it writes next is asked for anyway.
    pub(crate) async fn reconsider(&self) -> Result<(), StorageError> {
        let Some(most) = self.quota().max_bytes else { return Ok(()) };
        let Ok(Some(stored)) = self.ledger.stored().await else { return Ok(()) };
        let bytes = |extent: Extent| extent.bytes.max(0).unsigned_abs();
        let taken = self.allowed.saturating_sub(bytes(self.owed));
        let room = most.saturating_sub(stored.saturating_sub(taken));
        let missing = self.allowed.saturating_sub(room);
        if missing <= bytes(self.credit) { Ok(()) } else { Err(StorageError::OverQuota) }
    }

    /// Room that was taken and is not used.
    pub(crate) fn give_back(&self, unused: Extent) {
        self.ledger.changed(-unused);
    }

    /// What the file to be replaced has to free; none if it need not.
    pub(crate) fn owed(&self) -> Option<Extent> {
        (self.owed != Extent::default()).then_some(self.owed)
    }

    async fn take(&mut self, wanted: Amount) -> Result<Amount, StorageError> {
        let given = self.ledger.take(wanted, || self.quota()).await?;
        if !self.open && given != Amount::default() {
            self.ledger.opened();
            self.open = true;
        }
        let missing = Extent {
            bytes: extent(wanted).bytes - extent(given).bytes,
            files: extent(wanted).files - extent(given).files,
        };
        let owed = self.owed + missing;
        if owed.bytes <= self.credit.bytes && owed.files <= self.credit.files {
            self.owed = owed;
            return Ok(wanted);
        }
        Ok(given)
    }

    /// As it is now: a change reaches uploads on their way.
    fn quota(&self) -> Quota {
        let now = self.live.user().filter(|user| user.id == self.user.id);
        now.map_or(self.user.quota, |user| user.quota)
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.ledger.changed(self.owed);
        if self.open {
            self.ledger.closed();
        }
    }
}

fn extent(amount: Amount) -> Extent {
    let signed = |number| i64::try_from(number).unwrap_or(i64::MAX);
    Extent { bytes: signed(amount.bytes), files: signed(amount.files) }
}
