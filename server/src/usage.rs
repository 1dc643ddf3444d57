//! What each home holds, and what of its quota is still free, as far as this server knows. A [`Ledger`] is
//! one home's: who writes takes from it before, and storage tells it of all else that comes and goes. It
//! takes some room from the store in advance, so that no write has to wait for the store, and never gives
//! out more than that; the keeper (`usage/keeper.rs`) settles with the store.
//! It knows no file, no connection and no dialect.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout_at};
use wharfinger_accounts::{Amount, Home, Presence, Quota, StoreError};

use crate::storage::{Extent, StorageError, Tally};
use state::{Answer, State};

pub(crate) use charge::Charge;
pub(crate) use keeper::{close, keep};
pub(crate) use recount::{swept, watch as recount};

mod charge;
mod keeper;
mod recount;
mod state;

/// While other servers hold what is missing here, they are given time to say whether they need it.
const CONTEST: Duration = Duration::from_secs(5);
const AGAIN: Duration = Duration::from_millis(100);
/// How long a write waits for the store, or for the first count of its home.
const PATIENCE: Duration = Duration::from_secs(30);

/// The homes somebody here works in.
#[derive(Default)]
pub(crate) struct Ledgers {
    all: Mutex<HashMap<Home, Arc<Ledger>>>,
    due: Arc<Notify>,
}

/// One home's account on this server.
pub(crate) struct Ledger {
    state: Mutex<State>,
    settled: Notify,
    /// Calls the keeper.
    due: Arc<Notify>,
}

impl Ledgers {
    /// The ledger of a home.
    pub(crate) fn of(&self, home: &Home) -> Arc<Ledger> {
        let mut all = lock(&self.all);
        let ledger = all.entry(home.clone()).or_insert_with(|| Arc::new(Ledger::new(Arc::clone(&self.due))));
        Arc::clone(ledger)
    }

    /// Those that have something to settle: `all` of it, or what somebody waits for.
    fn due(&self, all: bool) -> Vec<(Home, Arc<Ledger>)> {
        let mut ledgers = lock(&self.all);
        // What nobody uses and owes nothing, the store knows better.
        ledgers.retain(|_, ledger| Arc::strong_count(ledger) > 1 || !lock(&ledger.state).is_clear());
        let due = ledgers.iter().filter(|(_, ledger)| lock(&ledger.state).is_due(all));
        due.map(|(home, ledger)| (home.clone(), Arc::clone(ledger))).collect()
    }
}

impl Ledger {
    fn new(due: Arc<Notify>) -> Self {
        Self { state: Mutex::default(), settled: Notify::new(), due }
    }

    /// Of files that nobody counts.
    pub(crate) fn unkept() -> Arc<Self> {
        Arc::new(Self::new(Arc::default()))
    }

    /// Takes room for so much more before it is written. Less is given where there is no more: then all
    /// that is left.
    pub(crate) async fn take(
        &self,
        wanted: Amount,
        quota: impl Fn() -> Quota + Send + Sync,
    ) -> Result<Amount, StorageError> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let of = quota();
            let Some(waiting) = self.take_or_wait(wanted, of) else { return Ok(wanted) };
            self.settlement(waiting.turn, begun + PATIENCE).await?;
            drop(waiting);
            let late = begun.elapsed() >= CONTEST;
            let answer = lock(&self.state).answer(wanted, of, late);
            match answer {
                Answer::Given(given) => return Ok(given),
                Answer::Again => {}
                Answer::Later => sleep(AGAIN).await,
            }
        }
        Err(StorageError::Busy)
    }

    /// Something is being written from now on.
    fn opened(&self) {
        lock(&self.state).open += 1;
    }

    fn closed(&self) {
        lock(&self.state).open -= 1;
    }

    /// What may still be stored; none where there is no limit. Asks the store.
    pub(crate) async fn left(&self, quota: Quota) -> Result<Option<u64>, StorageError> {
        if quota.max_bytes.is_none() {
            return Ok(None);
        }
        let turn = lock(&self.state).look();
        self.due.notify_one();
        self.settlement(turn, Instant::now() + CONTEST).await?;
        Ok(lock(&self.state).left(quota))
    }

    /// Bytes that the home holds, if that is known. Asks the store.
    async fn stored(&self) -> Result<Option<u64>, StorageError> {
        let turn = lock(&self.state).look();
        self.due.notify_one();
        self.settlement(turn, Instant::now() + CONTEST).await?;
        Ok(lock(&self.state).stored_bytes())
    }

    fn take_or_wait(&self, wanted: Amount, of: Quota) -> Option<Waiting<'_>> {
        let mut state = lock(&self.state);
        if state.take(wanted, of) {
            if state.runs_low() {
                self.due.notify_one();
            }
            return None;
        }
        let turn = state.wait_for(wanted, of);
        drop(state);
        self.due.notify_one();
        Some(Waiting { ledger: self, wanted, turn })
    }

    /// Waits for the end of that settlement.
    async fn settlement(&self, turn: u64, until: Instant) -> Result<(), StorageError> {
        loop {
            let settled = self.settled.notified();
            if lock(&self.state).has_settled(turn) {
                return Ok(());
            }
            timeout_at(until, settled).await.map_err(|_| StorageError::Busy)?;
        }
    }

    /// Settles with the store; what could not be said is said again the next time.
    async fn settle(&self, home: &Home, presence: &Presence) -> Result<(), StoreError> {
        let settlement = lock(&self.state).begin();
        let balance = presence.settle(home, &settlement).await?;
        lock(&self.state).end(settlement.step, balance);
        self.settled.notify_waiters();
        Ok(())
    }
}

impl Tally for Ledger {
    fn changed(&self, by: Extent) {
        lock(&self.state).note(by);
    }

    fn made(&self) {
        lock(&self.state).made();
        self.due.notify_one();
    }
}

/// Somebody who waits for room; dropping it is to wait no longer.
struct Waiting<'a> {
    ledger: &'a Ledger,
    wanted: Amount,
    /// The settlement that will tell.
    turn: u64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        lock(&self.ledger.state).wait_no_longer(self.wanted);
    }
}

/// A panic elsewhere leaves these values whole, so a poisoned lock is still good.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
