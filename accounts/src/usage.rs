//! What each home holds, in bytes and files, and how much of a quota is still free. A home may be
//! several users', and several file servers write to it at once. So that none of them has to ask the
//! store for every write, each takes some of what is free in advance (a hold), and says later what it
//! made of it. How that adds up stands in `usage/record.rs`; here it is read and written.
//! Knows no file: what is stored where, a file server says.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::presence::Presence;
use crate::store::{StoreError, UsageStore};
use crate::user::{Home, Quota, Username};
use crate::{Accounts, UserDetail};

pub(crate) use record::UsageRecord;

mod record;

/// How often a change is tried again when another server was quicker.
const TRIES: u32 = 40;

/// So much, or so much room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amount {
    /// Bytes in files.
    pub bytes: u64,
    /// Files.
    pub files: u64,
}

/// So much more; less where it is negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Bytes in files.
    pub bytes: i64,
    /// Files.
    pub files: i64,
}

/// What a home holds, as far as the store has heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// In all files, what is left of broken uploads too.
    pub stored: Amount,
    /// When the files were last counted; `None`: not yet, so that `stored` is not to be relied on.
    pub recounted_at: Option<Timestamp>,
}

/// What a file server says of a home, and what it wants.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settlement {
    /// One more than the last one's, for each server and home: one that is repeated, because its answer
    /// was lost, counts once.
    pub step: u64,
    /// What has become more or less since the last one.
    pub change: Change,
    /// What the server wants to hold from now on; what it held before is given back.
    pub wanted: Wanted,
    /// Whether anything is being written.
    pub open: bool,
    /// Whether the home was made just now, and is known to be empty.
    pub made: bool,
}

/// How much of a quota a server wants to hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// So much at once.
    pub need: Amount,
    /// Whether more is likely to be needed soon.
    pub ahead: bool,
    /// Of which quota; where it has no limit, nothing needs to be held.
    pub of: Quota,
}

/// Where a home stands after a settlement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// What the home holds.
    pub stored: Change,
    /// What this server may add to that. Less than it wanted: there is no more.
    pub held: Amount,
    /// What other servers hold, and may give back.
    pub others: Amount,
    /// Whether the files have ever been counted.
    pub counted: bool,
}

/// A recount that has begun: what was known then.
#[derive(Clone, Copy, Debug)]
pub struct Count {
    version: u64,
    stored: Change,
}

impl Amount {
    /// Whether it is nothing at all.
    pub fn is_zero(self) -> bool {
        self == Self::default()
    }
}

impl Wanted {
    /// Whether less was granted than is needed at once.
    fn exceeds(&self, held: Amount) -> bool {
        self.of.max_bytes.is_some() && self.need.bytes > held.bytes
            || self.of.max_files.is_some() && self.need.files > held.files
    }
}

impl Change {
    /// The sum. What no disk holds is cut off.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { bytes: self.bytes.saturating_add(other.bytes), files: self.files.saturating_add(other.files) }
    }

    /// The other way round.
    #[must_use]
    pub fn negated(self) -> Self {
        Self { bytes: self.bytes.saturating_neg(), files: self.files.saturating_neg() }
    }

    /// Less than nothing is nothing.
    pub fn amount(self) -> Amount {
        Amount { bytes: self.bytes.max(0).unsigned_abs(), files: self.files.max(0).unsigned_abs() }
    }
}

impl From<Amount> for Change {
    fn from(amount: Amount) -> Self {
        let signed = |number| i64::try_from(number).unwrap_or(i64::MAX);
        Self { bytes: signed(amount.bytes), files: signed(amount.files) }
    }
}

impl Accounts {
    /// What a home holds; nothing is known of one that was never used.
    pub async fn usage(&self, home: &Home) -> Result<Usage, StoreError> {
        let record = self.inner.stores.usage.find(home).await?;
        Ok(record.map(|record| record.usage()).unwrap_or_default())
    }

    /// Asks for a recount of what the user's home holds; a file server will do it.
    pub async fn ask_recount(&self, name: &Username) -> Result<UserDetail, StoreError> {
        let home = self.user(name).await?.user.home;
        let asked = |record: &mut UsageRecord| record.want_recount(self.now());
        change(&self.inner.stores.usage, &home, self.now(), asked).await?;
        self.user(name).await
    }
}

impl Presence {
    /// Tells the store what has changed in a home, and takes or gives back what is held of its quota.
    pub async fn settle(&self, home: &Home, settlement: &Settlement) -> Result<Balance, StoreError> {
        self.announce().await?;
        let (usage, now) = (&self.stores.usage, Timestamp::now());
        let settle = |record: &mut UsageRecord| record.settle(&self.run, settlement, now);
        let balance = change(usage, home, now, settle).await?;
        if balance.others.is_zero() || !settlement.wanted.exceeds(balance.held) {
            return Ok(balance);
        }
        // Others may be dead by now.
        let alive = self.alive().await?;
        let again = |record: &mut UsageRecord| {
            record.release_dead(&alive, now);
            record.grant_again(&self.run, &settlement.wanted)
        };
        change(usage, home, now, again).await
    }

    /// Gives back what servers held that are dead, and has the files of those homes counted. What is done
    /// once stands in `done`.
    pub async fn release_dead(&self, done: &mut HashSet<String>) -> Result<(), StoreError> {
        for run in self.stores.presence.runs().await?.into_iter().filter(|run| !run.alive) {
            if !done.contains(&run.id) {
                self.release_holds(&run.id).await?;
                done.insert(run.id);
            }
        }
        Ok(())
    }

    /// A home whose files are to be counted by this server, if there is one that nobody alive counts.
    pub async fn claim_recount(&self) -> Result<Option<Home>, StoreError> {
        let wanted = self.stores.usage.wanted().await?;
        if wanted.is_empty() {
            return Ok(None);
        }
        let alive = self.alive().await?;
        for mut record in wanted {
            if !record.claim_recount(&self.run, &alive) {
                continue;
            }
            match write(&self.stores.usage, &mut record).await {
                Ok(()) => return Ok(Some(record.home)),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Begins to count: whatever is told of the home from now on counts as a change meanwhile.
    pub async fn begin_count(&self, home: &Home) -> Result<Count, StoreError> {
        let record = self.stores.usage.find(home).await?;
        let record = record.unwrap_or_else(|| UsageRecord::unknown(home.clone(), Timestamp::now()));
        Ok(Count { version: record.version, stored: record.stored })
    }

    /// Writes down what was found, if nothing has changed since the count began: then it is exact, and
    /// this is `true`. With `anyway` it is written down in any case, with what was told of meanwhile.
    pub async fn end_count(
        &self,
        home: &Home,
        count: Count,
        found: Amount,
        anyway: bool,
    ) -> Result<bool, StoreError> {
        let Some(mut record) = self.stores.usage.find(home).await? else { return Ok(true) };
        let quiet = record.version == count.version && record.is_quiet();
        if !quiet && !anyway {
            return Ok(false);
        }
        let meanwhile = record.stored.plus(count.stored.negated());
        record.recounted(Change::from(found).plus(meanwhile), Timestamp::now());
        match write(&self.stores.usage, &mut record).await {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Notes what has gone from a home, if anything is known of it.
    pub async fn note_removed(&self, home: &Home, gone: Amount) -> Result<(), StoreError> {
        if self.stores.usage.find(home).await?.is_none() {
            return Ok(());
        }
        let removed = |record: &mut UsageRecord| record.note(Change::from(gone).negated());
        change(&self.stores.usage, home, Timestamp::now(), removed).await
    }

    /// Gives back what a run held. Where it did not come to say what became of that, the files are to be
    /// counted.
    pub(crate) async fn release_holds(&self, run: &str) -> Result<(), StoreError> {
        let now = Timestamp::now();
        for record in self.stores.usage.held_by(run).await? {
            change(&self.stores.usage, &record.home, now, |record| record.release(run, now)).await?;
        }
        Ok(())
    }

    pub(crate) async fn alive(&self) -> Result<Vec<String>, StoreError> {
        let runs = self.stores.presence.runs().await?;
        Ok(runs.into_iter().filter(|run| run.alive).map(|run| run.id).collect())
    }
}

/// Reads, changes and writes what is known of a home, until nobody was quicker.
pub(crate) async fn change<T>(
    usage: &Arc<dyn UsageStore>,
    home: &Home,
    now: Timestamp,
    change: impl Fn(&mut UsageRecord) -> T,
) -> Result<T, StoreError> {
    for attempt in 0..TRIES {
        let found = usage.find(home).await?;
        let before = found.clone();
        let mut record = found.unwrap_or_else(|| UsageRecord::unknown(home.clone(), now));
        let done = change(&mut record);
        if before.as_ref() == Some(&record) {
            return Ok(done);
        }
        match write(usage, &mut record).await {
            Ok(()) => return Ok(done),
            Err(StoreError::Conflict) => {
                tokio::time::sleep(Duration::from_millis(u64::from(attempt.min(10)))).await;
            }
            Err(error) => return Err(error),
        }
    }
    Err(StoreError::Conflict)
}

/// Writes it if nobody has written it since it was read, else `Conflict`.
pub(crate) async fn write(usage: &Arc<dyn UsageStore>, record: &mut UsageRecord) -> Result<(), StoreError> {
    let read = record.version;
    record.version += 1;
    let written = if read == 0 { usage.insert(record).await } else { usage.replace(record, read).await };
    match written {
        Err(StoreError::Taken) => Err(StoreError::Conflict),
        written => written,
    }
}
