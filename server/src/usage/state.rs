//! A ledger's figures. `pool` may be written without asking anybody: what is stored (as the store has it,
//! with what it was not told yet), the pool, and what other servers hold are never more than the quota.
//!
//! While a settlement is on its way, only what was kept of the pool for that time is there to be taken; so
//! whatever the store grants, it has granted all that is given out.

use std::time::Duration;

use tokio::time::Instant;
use wharfinger_accounts::{Amount, Balance, Change, Quota, Settlement, Wanted};

use crate::storage::Extent;

/// What was granted longer ago than this may be somebody else's by now: a server of which nothing is heard
/// is taken for dead.
const GOOD_FOR: Duration = Duration::from_secs(5);
/// A pool smaller than this is not filled up before it is empty: near its end, a quota is given out as it
/// is asked for.
const WORTH_FILLING: i64 = 256 * 1024;

#[derive(Default)]
pub(super) struct State {
    /// What the store said last, and when.
    balance: Option<(Balance, Instant)>,
    /// What it was not told yet.
    unsettled: Change,
    room: Room,
    /// Uploads on their way.
    pub(super) open: u32,
    /// Whether the store believes that there are any.
    told_open: bool,
    made: bool,
    turns: Turns,
    /// The settlement whose answer has not come.
    flight: Option<Flight>,
}

/// What may be taken.
#[derive(Default)]
struct Room {
    pool: Change,
    /// What the pool was after the last settlement.
    granted: Change,
    /// Taken since the last settlement began.
    spent: Change,
    /// Of those who wait.
    need: Change,
    /// The quota it is for.
    of: Quota,
    low: bool,
}

/// Settlements, by number.
#[derive(Default)]
struct Turns {
    begun: u64,
    ended: u64,
    /// The one that somebody waits for.
    wanted: u64,
}

struct Flight {
    settlement: Settlement,
    kept: Change,
}

/// What a settlement means for somebody who waits for room.
pub(super) enum Answer {
    /// So much is theirs; if that is less than they wanted, there is no more.
    Given(Amount),
    /// Somebody was quicker, and the store has more.
    Again,
    /// Others hold it, or it is not known what there is.
    Later,
}

impl State {
    /// Takes all of it, if it is there to be taken.
    pub(super) fn take(&mut self, wanted: Amount, of: Quota) -> bool {
        let fits = of == Quota::default()
            || self.rest(of).is_some_and(|rest| {
                (wanted.bytes == 0 || wanted.bytes <= rest.bytes)
                    && (wanted.files == 0 || wanted.files <= rest.files)
            });
        if fits {
            self.give(wanted, of);
        }
        fits
    }

    /// After a settlement: all of it, or, where waiting is of no use, what there is.
    pub(super) fn answer(&mut self, wanted: Amount, of: Quota, late: bool) -> Answer {
        if self.take(wanted, of) {
            return Answer::Given(wanted);
        }
        let (Some(rest), Some((balance, _))) = (self.rest(of), self.balance) else { return Answer::Later };
        let given = Amount { bytes: wanted.bytes.min(rest.bytes), files: wanted.files.min(rest.files) };
        let missing = |free: Amount| {
            given.bytes < wanted.bytes && free.bytes > 0 || given.files < wanted.files && free.files > 0
        };
        // A settlement on its way may have been given back what the last one granted for this.
        if self.flight.is_some() || missing(unheld(of, balance)) {
            return Answer::Again;
        }
        if missing(balance.others) && !late {
            return Answer::Later;
        }
        self.give(given, of);
        Answer::Given(given)
    }

    /// Registers what is needed; the settlement after which it is there, or is not to be had.
    pub(super) fn wait_for(&mut self, wanted: Amount, of: Quota) -> u64 {
        let room = &mut self.room;
        room.of = if room.need == Change::default() { of } else { larger(room.of, of) };
        room.need = room.need.plus(wanted.into());
        self.look()
    }

    pub(super) fn wait_no_longer(&mut self, wanted: Amount) {
        self.room.need = self.room.need.plus(Change::from(wanted).negated());
    }

    /// The next settlement, which somebody waits for.
    pub(super) fn look(&mut self) -> u64 {
        self.turns.wanted = self.turns.begun + 1;
        self.turns.wanted
    }

    pub(super) fn has_settled(&self, turn: u64) -> bool {
        self.turns.ended >= turn
    }

    /// Whether it is time to fill the pool, before it is empty. Said once.
    pub(super) fn runs_low(&mut self) -> bool {
        let room = &mut self.room;
        let half = |pool: i64, granted: i64| pool < granted / 2;
        let low = room.granted.bytes >= WORTH_FILLING && half(room.pool.bytes, room.granted.bytes)
            || room.granted.files > 2 && half(room.pool.files, room.granted.files);
        low && !std::mem::replace(&mut room.low, true)
    }

    /// Something came or went that nobody took room for. What goes makes room.
    pub(super) fn note(&mut self, by: Extent) {
        self.unsettled = self.unsettled.plus(Change { bytes: by.bytes, files: by.files });
        let (pool, of) = (&mut self.room.pool, self.room.of);
        if of.max_bytes.is_some() {
            pool.bytes = pool.bytes.saturating_add(by.bytes.min(0).saturating_neg());
        }
        if of.max_files.is_some() {
            pool.files = pool.files.saturating_add(by.files.min(0).saturating_neg());
        }
    }

    /// The home was made just now.
    pub(super) fn made(&mut self) {
        self.made = true;
        self.look();
    }

    /// What may still be stored, whoever else holds what.
    pub(super) fn left(&self, of: Quota) -> Option<u64> {
        let (balance, _) = self.balance?;
        let stored = self.stored(balance).amount();
        Some(of.max_bytes?.saturating_sub(stored.bytes).saturating_sub(balance.others.bytes))
    }

    /// Bytes that the home holds, if they were ever counted.
    pub(super) fn stored_bytes(&self) -> Option<u64> {
        let (balance, _) = self.balance.filter(|(balance, _)| balance.counted)?;
        Some(self.stored(balance).amount().bytes)
    }

    /// Whether there is anything to be settled: for whom somebody waits, or `all`.
    pub(super) fn is_due(&self, all: bool) -> bool {
        self.turns.wanted > self.turns.begun || self.room.low || all && !self.is_clear()
    }

    /// Whether the store knows all there is to know.
    pub(super) fn is_clear(&self) -> bool {
        self.flight.is_none()
            && self.unsettled == Change::default()
            && self.room.pool == Change::default()
            && self.told_open == (self.open > 0)
            && !self.made
    }

    /// Whether nothing is being written, and the store knows all of it.
    pub(super) fn is_quiet(&self) -> bool {
        self.open == 0 && self.is_clear()
    }

    /// What to tell the store; the same again where its answer has not come.
    pub(super) fn begin(&mut self) -> Settlement {
        if let Some(flight) = &self.flight {
            return flight.settlement;
        }
        let room = &mut self.room;
        let kept = Change {
            bytes: room.pool.bytes.min(room.spent.bytes.saturating_mul(2)).max(0),
            files: room.pool.files.min(room.spent.files.saturating_mul(2)).max(0),
        };
        let need = room.need.plus(kept).amount();
        let ahead = room.spent != Change::default() || !need.is_zero();
        let settlement = Settlement {
            step: self.turns.begun + 1,
            change: std::mem::take(&mut self.unsettled),
            wanted: Wanted { need, ahead, of: room.of },
            open: self.open > 0,
            made: std::mem::take(&mut self.made),
        };
        (room.pool, room.spent, room.low) = (kept, Change::default(), false);
        self.turns.begun += 1;
        self.flight = Some(Flight { settlement, kept });
        settlement
    }

    /// The store has done it.
    pub(super) fn end(&mut self, step: u64, balance: Balance) {
        let Some(flight) = self.flight.take_if(|flight| flight.settlement.step == step) else { return };
        let taken = self.room.pool.plus(flight.kept.negated());
        self.room.pool = Change::from(balance.held).plus(taken);
        self.room.granted = self.room.pool;
        self.told_open = flight.settlement.open;
        self.balance = Some((balance, Instant::now()));
        self.turns.ended = self.turns.begun;
    }

    /// What can be taken of a quota; none where that is not known now.
    fn rest(&self, of: Quota) -> Option<Amount> {
        let (balance, at) = self.balance?;
        if !balance.counted || at.elapsed() > GOOD_FOR {
            return None;
        }
        let (stored, pool) = (self.stored(balance).amount(), self.room.pool.amount());
        let rest = |limit: Option<u64>, stored: u64, others: u64, pool: u64| {
            limit.map_or(u64::MAX, |limit| limit.saturating_sub(stored).saturating_sub(others).min(pool))
        };
        Some(Amount {
            bytes: rest(of.max_bytes, stored.bytes, balance.others.bytes, pool.bytes),
            files: rest(of.max_files, stored.files, balance.others.files, pool.files),
        })
    }

    fn give(&mut self, amount: Amount, of: Quota) {
        let amount = Change::from(amount);
        self.unsettled = self.unsettled.plus(amount);
        let limited = Change {
            bytes: if of.max_bytes.is_some() { amount.bytes } else { 0 },
            files: if of.max_files.is_some() { amount.files } else { 0 },
        };
        self.room.pool = self.room.pool.plus(limited.negated());
        self.room.spent = self.room.spent.plus(limited);
    }

    /// With what the store has not heard, or has not said that it heard.
    fn stored(&self, balance: Balance) -> Change {
        let flying = self.flight.as_ref().map(|flight| flight.settlement.change).unwrap_or_default();
        balance.stored.plus(flying).plus(self.unsettled)
    }
}

/// What nobody held when the store was asked last.
fn unheld(of: Quota, balance: Balance) -> Amount {
    let stored = balance.stored.amount();
    let free = |limit: Option<u64>, stored: u64, held: u64, others: u64| {
        limit.map_or(0, |limit| limit.saturating_sub(stored).saturating_sub(held).saturating_sub(others))
    };
    Amount {
        bytes: free(of.max_bytes, stored.bytes, balance.held.bytes, balance.others.bytes),
        files: free(of.max_files, stored.files, balance.held.files, balance.others.files),
    }
}

/// Room for both: each of them looks at its own limit before it takes.
fn larger(one: Quota, other: Quota) -> Quota {
    Quota { max_bytes: one.max_bytes.max(other.max_bytes), max_files: one.max_files.max(other.max_files) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF: Quota = Quota { max_bytes: Some(100), max_files: None };
    const WANTED: Amount = Amount { bytes: 100, files: 0 };

    /// All of the quota is held here, and nothing is stored.
    fn all_of_it() -> Balance {
        let stored = Change::default();
        Balance { stored, held: WANTED, others: Amount::default(), counted: true }
    }

    #[test]
    fn nobody_is_refused_what_was_granted_to_them_before_the_next_settlement_began() {
        let mut state = State::default();
        state.wait_for(WANTED, OF);
        let first = state.begin();
        state.end(first.step, all_of_it());
        // Whoever waits has not been woken yet.
        let second = state.begin();
        assert!(matches!(state.answer(WANTED, OF, true), Answer::Again));
        state.end(second.step, all_of_it());
        assert!(matches!(state.answer(WANTED, OF, true), Answer::Given(WANTED)));
    }
}
