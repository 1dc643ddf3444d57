//! The one task of a process that writes its chain. Events are taken from the queue as many at a time as
//! there are, sealed, and stored in one go; a store that is away is tried again until it is back, and
//! what was sealed is then stored as it was, so that a record is neither lost nor doubled.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};

use super::Lost;
use super::event::{Act, Event, Link};
use super::record::{AuditRecord, Sealer};
use crate::Accounts;
use crate::store::{AuditHead, StoreError};

/// Records stored in one go at the most.
const BATCH: usize = 500;
/// How long events nobody waits for are gathered: one record costs a store nearly what a hundred do.
const GATHER: Duration = Duration::from_millis(100);
/// How soon a store that is away is tried again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// How often the other chains' heads are recorded, if they have moved.
const WITNESS_EVERY: Duration = Duration::from_mins(5);
/// How many heads one record names; the rest is left to the next.
const HEADS: usize = 256;
/// A chain is never silent for longer than this many looks at the others: a day.
const SILENT_LOOKS: u32 = 288;

/// What the task is told.
pub(super) enum Message {
    Event { at: Timestamp, event: Box<Event>, written: Option<oneshot::Sender<()>> },
    Close,
}

impl Message {
    fn can_wait(&self) -> bool {
        matches!(self, Self::Event { written: None, .. })
    }
}

pub(super) struct Writer {
    accounts: Accounts,
    sealer: Sealer,
    lost: Arc<Lost>,
    hurry: Arc<Notify>,
    silent: u32,
}

impl Writer {
    pub(super) fn new(accounts: Accounts, sealer: Sealer, lost: Arc<Lost>, hurry: Arc<Notify>) -> Self {
        Self { accounts, sealer, lost, hurry, silent: 0 }
    }

    /// Until it is told to close, or nobody is left to tell it anything.
    pub(super) async fn run(mut self, begun: Timestamp, mut queue: mpsc::Receiver<Message>) {
        self.begin(begun).await;
        let mut looks = interval_at(Instant::now() + WITNESS_EVERY, WITNESS_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut messages = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                taken = queue.recv_many(&mut messages, BATCH) => {
                    self.gather(&mut queue, &mut messages).await;
                    let closing = taken == 0 || messages.iter().any(|it| matches!(it, Message::Close));
                    self.write(messages.drain(..)).await;
                    if closing {
                        return self.finish(queue).await;
                    }
                }
                _ = looks.tick() => self.witness().await,
            }
        }
    }

    /// Waits for more to be written in the same go, unless somebody waits for it.
    async fn gather(&self, queue: &mut mpsc::Receiver<Message>, messages: &mut Vec<Message>) {
        let may_grow = !messages.is_empty() && messages.len() < BATCH;
        if may_grow && messages.iter().all(Message::can_wait) {
            tokio::select! {
                () = sleep(GATHER) => {}
                () = self.hurry.notified() => {}
            }
        }
        while messages.len() < BATCH
            && let Ok(message) = queue.try_recv()
        {
            messages.push(message);
        }
    }

    /// What came in before the queue was closed, then the chain's last record.
    async fn finish(mut self, mut queue: mpsc::Receiver<Message>) {
        queue.close();
        let mut messages = Vec::with_capacity(BATCH);
        while queue.recv_many(&mut messages, BATCH).await > 0 {
            self.write(messages.drain(..)).await;
        }
        self.write_own(self.accounts.now(), Act::Stopped).await;
    }

    /// The first record says where the other chains were found.
    async fn begin(&mut self, at: Timestamp) {
        let heads = self.news().await;
        let program = self.sealer.writer().to_owned();
        let version = env!("CARGO_PKG_VERSION");
        self.write_own(at, Act::Started { program, version, heads: heads.clone() }).await;
        self.seen(&heads).await;
    }

    async fn witness(&mut self) {
        let heads = self.news().await;
        self.silent += 1;
        if heads.is_empty() && self.silent < SILENT_LOOKS {
            return;
        }
        self.write_own(self.accounts.now(), Act::Witnessed { heads: heads.clone() }).await;
        self.seen(&heads).await;
    }

    async fn write(&mut self, messages: impl Iterator<Item = Message>) {
        let (mut records, mut waiting) = (Vec::new(), Vec::new());
        let lost = self.lost.take();
        if lost > 0 {
            tracing::error!(lost, "the audit queue was full: events are lost, and the trail says so");
            self.seal(Timestamp::now(), own(Act::Gap { lost }), &mut records);
        }
        for message in messages {
            let Message::Event { at, event, written } = message else { continue };
            self.seal(at, *event, &mut records);
            waiting.extend(written);
        }
        self.store(records, !waiting.is_empty()).await;
        for written in waiting {
            // Who asked may have stopped waiting.
            let _ = written.send(());
        }
    }

    async fn write_own(&mut self, at: Timestamp, act: Act) {
        let mut records = Vec::new();
        self.seal(at, own(act), &mut records);
        self.store(records, false).await;
    }

    fn seal(&mut self, at: Timestamp, event: Event, records: &mut Vec<AuditRecord>) {
        match self.sealer.seal(at, event) {
            Ok(record) => records.push(record),
            Err(error) => tracing::error!(%error, "an event can't be written down"),
        }
    }

    /// As often as it takes. `durable`: somebody waits for it to be on the disk.
    async fn store(&mut self, mut records: Vec<AuditRecord>, durable: bool) {
        if records.is_empty() {
            return;
        }
        self.silent = 0;
        let mut reachable = true;
        loop {
            match self.accounts.inner.stores.audit.append(&records, durable).await {
                Ok(()) => break,
                // Somebody has put a record of their own where this chain goes on.
                Err(StoreError::Taken) => match self.anew(&mut records) {
                    Ok(()) => continue,
                    Err(error) => tracing::error!(error, "the audit trail can't go on in another chain"),
                },
                Err(error) if reachable => {
                    tracing::warn!(%error, "the audit trail can't be written; events wait");
                    reachable = false;
                }
                Err(_) => {}
            }
            sleep(AGAIN_AFTER).await;
        }
        if !reachable {
            tracing::info!("the audit trail is written again");
        }
    }

    /// Seals the records again, in a new chain.
    fn anew(&mut self, records: &mut [AuditRecord]) -> Result<(), String> {
        tracing::error!(chain = self.sealer.chain(), "a foreign record stands in the audit trail");
        self.sealer = self.sealer.renewed(self.accounts.now()).map_err(|error| error.to_string())?;
        for record in records {
            self.sealer.reseal(record);
        }
        Ok(())
    }

    /// Heads that no record of another chain names yet.
    async fn news(&self) -> Vec<Link> {
        match self.accounts.inner.stores.audit.heads().await {
            Ok(heads) => {
                let others = heads.into_iter().filter(|head| head.chain != self.sealer.chain());
                others.filter(AuditHead::is_news).take(HEADS).map(AuditHead::into_link).collect()
            }
            Err(error) => {
                tracing::debug!(%error, "the audit trail's heads can't be read; the next look is in time");
                Vec::new()
            }
        }
    }

    async fn seen(&self, heads: &[Link]) {
        if heads.is_empty() {
            return;
        }
        // If that fails they are named once more, which does no harm.
        if let Err(error) = self.accounts.inner.stores.audit.witnessed(heads).await {
            tracing::debug!(%error, "the audit trail's heads can't be marked as seen");
        }
    }
}

/// An event about the trail itself.
pub(super) fn own(act: Act) -> Event {
    Event { user: None, actor: None, act }
}
