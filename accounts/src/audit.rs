//! The audit trail: who logged in, who was refused, what was moved and changed, and every change an admin
//! made. Each process writes a chain of its own, in which each record carries the hash of the one before,
//! so that [`Accounts::verify_audit`] finds a record that was changed, removed, inserted or moved.
//! Writing is off the hot path: events go through a bounded queue to one task (`audit/writer.rs`).
//! What can't be detected stands in `docs/security.md`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::store::StoreError;
use crate::{Accounts, ChangeError, Clock};

use record::Sealer;
use writer::{Message, Writer};

pub use event::{Act, Client, Event, Link, Request};
pub use query::{AuditPage, AuditQuery};
pub use record::{AuditPosition, AuditRecord};
pub use verify::{Break, Head, Verification};

mod event;
mod query;
pub(crate) mod record;
mod retention;
mod verify;
mod writer;

/// Events that wait to be written: at a hundred a second, an outage of ten minutes.
const QUEUE: usize = 65_536;

/// One process's way into the trail; a clone is the same way. The chain ends with [`Trail::close`].
#[derive(Clone)]
pub struct Trail {
    queue: mpsc::Sender<Message>,
    lost: Arc<Lost>,
    /// Told when somebody waits for what is in the queue.
    hurry: Arc<Notify>,
    writer: Arc<Mutex<Option<JoinHandle<()>>>>,
    clock: Clock,
}

/// What was noted in a trail that leads nowhere.
pub struct Noted(mpsc::Receiver<Message>);

/// Events that found the queue full, until a record says how many there were.
#[derive(Default)]
pub(crate) struct Lost(AtomicU64);

impl Lost {
    pub(crate) fn take(&self) -> u64 {
        self.0.swap(0, Ordering::Relaxed)
    }

    pub(crate) fn put_back(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }
}

/// A place in the queue, held before a change is made: a change that has one is recorded.
pub struct Place {
    slot: mpsc::OwnedPermit<Message>,
    clock: Clock,
    hurry: Arc<Notify>,
}

impl Accounts {
    /// Begins a chain for this process and the task that writes it; call it within a tokio runtime.
    /// `writer` tells people which program on which machine it is.
    pub fn begin_trail(&self, writer: &str) -> Result<Trail, ChangeError> {
        self.begin_trail_with(writer, QUEUE)
    }

    fn begin_trail_with(&self, writer: &str, queue: usize) -> Result<Trail, ChangeError> {
        let now = self.now();
        let sealer = Sealer::new(writer, now)?;
        let (queue, events) = mpsc::channel(queue);
        let (lost, hurry) = (Arc::<Lost>::default(), Arc::<Notify>::default());
        let task = Writer::new(self.clone(), sealer, Arc::clone(&lost), Arc::clone(&hurry));
        let writer = Arc::new(Mutex::new(Some(tokio::spawn(task.run(now, events)))));
        Ok(Trail { queue, lost, hurry, writer, clock: Arc::clone(&self.inner.clock) })
    }

    /// One page of records, the newest first.
    pub async fn audit(&self, query: AuditQuery) -> Result<AuditPage, StoreError> {
        let limit = query.limit.clamp(1, 1_000);
        let mut items = self.inner.stores.audit.page(&query, limit + 1).await?;
        let more = u32::try_from(items.len()).is_ok_and(|found| found > limit);
        items.truncate(limit as usize);
        let next = items.last().filter(|_| more).map(AuditRecord::position);
        Ok(AuditPage { items, next })
    }
}

impl Trail {
    /// A trail that leads nowhere but to the test that made it.
    pub fn detached() -> (Self, Noted) {
        let (queue, events) = mpsc::channel(QUEUE);
        let trail = Self {
            queue,
            lost: Arc::default(),
            hurry: Arc::default(),
            writer: Arc::default(),
            clock: Arc::new(Timestamp::now),
        };
        (trail, Noted(events))
    }

    /// Records an event without waiting. Where the store has been away for so long that the queue is
    /// full, the event is lost, and a record will say how many were.
    pub fn note(&self, event: Event) {
        let message = Message::Event { at: (self.clock)(), event: Box::new(event), written: None };
        if self.queue.try_send(message).is_err() {
            self.lost.put_back(1);
        }
    }

    /// A place for the record of a change that is yet to be made; waits while the queue is full.
    pub async fn place(&self) -> Result<Place, StoreError> {
        let slot = self.queue.clone().reserve_owned().await;
        let slot = slot.map_err(|_| StoreError::Unavailable("the audit trail is closed".to_owned()))?;
        Ok(Place { slot, clock: Arc::clone(&self.clock), hurry: Arc::clone(&self.hurry) })
    }

    /// Writes what is still waiting and the chain's last record, for at most this long. Says whether all
    /// of it was written.
    pub async fn close(&self, within: Duration) -> bool {
        let task = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut task) = task else { return true };
        let finish = async {
            // The writer may have gone already; then there is nothing to say to it.
            let _ = self.queue.send(Message::Close).await;
            self.hurry.notify_one();
            (&mut task).await.is_ok()
        };
        let done = tokio::time::timeout(within, finish).await.unwrap_or(false);
        if !done {
            task.abort();
            tracing::error!("the audit trail could not be written to its end: its last events are lost");
        }
        done
    }
}

impl Noted {
    /// What has been noted since the last time.
    pub fn take(&mut self) -> Vec<Event> {
        let event = |message| if let Message::Event { event, .. } = message { Some(*event) } else { None };
        std::iter::from_fn(|| self.0.try_recv().ok()).filter_map(event).collect()
    }
}

impl Place {
    /// Records the change that was made.
    pub fn fill(self, event: Event) -> Recorded {
        let (written, recorded) = oneshot::channel();
        self.slot.send(Message::Event { at: (self.clock)(), event: Box::new(event), written: Some(written) });
        self.hurry.notify_one();
        Recorded(recorded)
    }
}

/// The record of a change on its way to the store.
#[must_use = "an answer should wait until the record is in the store"]
pub struct Recorded(oneshot::Receiver<()>);

impl Recorded {
    /// Waits until the record is in the store, for at most this long. It is written in any case, as soon
    /// as the store takes it.
    pub async fn written(self, within: Duration) -> bool {
        matches!(tokio::time::timeout(within, self.0).await, Ok(Ok(())))
    }
}

/// A time as the trail keeps it.
pub(crate) fn milliseconds(at: Timestamp) -> i64 {
    at.as_millisecond()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The one thread is the test's own until it waits: the queue is full before anything is taken from it.
    #[tokio::test]
    async fn events_beyond_the_queue_are_counted_in_a_record() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", directory.path().join("users.db").display());
        let accounts = Accounts::open(&wharfinger_config::Store::default(), &url).await.unwrap();
        accounts.migrate().await.unwrap();
        let trail = accounts.begin_trail_with("host", 8).unwrap();
        for _ in 0..20 {
            let event = Event { user: Some("alice".to_owned()), actor: None, act: Act::Gap { lost: 0 } };
            trail.note(event);
        }
        assert!(trail.close(Duration::from_mins(1)).await);
        let alice = AuditQuery { user: Some("alice".to_owned()), limit: 100, ..AuditQuery::default() };
        assert_eq!(accounts.audit(alice).await.unwrap().items.len(), 8);
        let gaps = AuditQuery { action: Some("gap".to_owned()), limit: 100, ..AuditQuery::default() };
        let gaps = accounts.audit(gaps).await.unwrap().items;
        let own: Vec<&str> =
            gaps.iter().filter(|it| it.user.is_none()).map(|it| it.detail.as_str()).collect();
        assert_eq!(own, [r#"{"lost":12}"#]);
        assert_eq!(accounts.verify_audit().await.unwrap().first_broken, None);
    }
}
