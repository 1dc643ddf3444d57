//! How a home's usage adds up. Both stores keep a [`UsageRecord`] as one document, replaced only at the
//! version it was read at; all that is decided about it is decided here.
//!
//! What is stored and what is held never come to more than a quota when something is granted, so that
//! servers which write no more than they hold never exceed it together.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Amount, Balance, Change, Settlement, Usage, Wanted};
use crate::removal::Removal;
use crate::user::Home;

/// The most that is held in advance.
const AHEAD: Amount = Amount { bytes: 8 * 1024 * 1024, files: 64 };
/// And the part of what is free: the rest is for other servers.
const SHARE: u64 = 16;

/// What is known of one home.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UsageRecord {
    pub(crate) home: Home,
    /// Raised by every change; 0 before the first.
    pub(crate) version: u64,
    /// Less than nothing for a moment, where a server tells of a file's end before another tells of its
    /// beginning.
    pub(crate) stored: Change,
    pub(crate) recounted_at: Option<Timestamp>,
    pub(crate) recount: Option<Recount>,
    #[serde(default)]
    pub(crate) removal: Option<Removal>,
    pub(crate) holds: Vec<Hold>,
}

/// That the files are to be counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recount {
    asked_at: Timestamp,
    /// The run that does it.
    by: Option<String>,
}

/// What one run of a server holds. It stays, with nothing in it, for as long as the run lives, because
/// the step in it tells a repeated settlement from a new one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hold {
    holder: String,
    step: u64,
    amount: Amount,
    open: bool,
}

impl UsageRecord {
    /// Of a home nobody has counted yet.
    pub(crate) fn unknown(home: Home, now: Timestamp) -> Self {
        let recount = Some(Recount { asked_at: now, by: None });
        Self {
            home,
            version: 0,
            stored: Change::default(),
            recounted_at: None,
            recount,
            removal: None,
            holds: Vec::new(),
        }
    }

    /// As it is shown.
    pub(crate) fn usage(&self) -> Usage {
        Usage { stored: self.stored.amount(), recounted_at: self.recounted_at }
    }

    /// Does what a server says, once, and grants what there is of what it wants.
    pub(crate) fn settle(&mut self, run: &str, settlement: &Settlement, now: Timestamp) -> Balance {
        let Settlement { step, change, wanted, open, made } = *settlement;
        if made {
            self.begin_empty(now);
        }
        let idle = change == Change::default() && !open && !made && wanted.need.is_zero() && !wanted.ahead;
        match self.hold(run).map(|hold| hold.step) {
            None if idle => {}
            Some(last) if last >= step => {}
            _ => {
                self.stored = self.stored.plus(change);
                let amount = grant(&wanted, self.stored, self.held_by_others(run));
                self.holds.retain(|hold| hold.holder != run);
                self.holds.push(Hold { holder: run.to_owned(), step, amount, open });
            }
        }
        self.balance(run)
    }

    /// Grants anew what a server wants, because others have given back.
    pub(crate) fn grant_again(&mut self, run: &str, wanted: &Wanted) -> Balance {
        let amount = grant(wanted, self.stored, self.held_by_others(run));
        if let Some(hold) = self.holds.iter_mut().find(|hold| hold.holder == run) {
            hold.amount = amount;
        }
        self.balance(run)
    }

    /// Something has gone, or come, by nobody's hold.
    pub(crate) fn note(&mut self, change: Change) {
        self.stored = self.stored.plus(change);
    }

    /// Takes back what is held by runs that are not among the living.
    pub(crate) fn release_dead(&mut self, alive: &[String], now: Timestamp) {
        let dead: Vec<String> = self.holds.iter().map(|hold| hold.holder.clone()).collect();
        for run in dead.iter().filter(|run| !alive.contains(run)) {
            self.release(run, now);
        }
    }

    /// Takes back what a run holds. If it was in the midst of something, nobody knows what it came to.
    pub(crate) fn release(&mut self, run: &str, now: Timestamp) {
        if self.hold(run).is_some_and(|hold| !hold.is_quiet()) {
            self.want_recount(now);
        }
        self.holds.retain(|hold| hold.holder != run);
    }

    pub(crate) fn want_recount(&mut self, now: Timestamp) {
        if self.recount.is_none() {
            self.recount = Some(Recount { asked_at: now, by: None });
        }
    }

    /// Whether a file server has something to do.
    pub(crate) fn is_wanted(&self) -> bool {
        self.recount.is_some() || self.removal.is_some()
    }

    /// Whether a recount is wanted that nobody alive does, so that it is this run's now.
    pub(crate) fn claim_recount(&mut self, run: &str, alive: &[String]) -> bool {
        let Some(recount) = &mut self.recount else { return false };
        if recount.by.as_ref().is_some_and(|by| by != run && alive.contains(by)) {
            return false;
        }
        recount.by = Some(run.to_owned());
        true
    }

    pub(crate) fn recounted(&mut self, stored: Change, now: Timestamp) {
        self.stored = stored;
        self.recounted_at = Some(now);
        self.recount = None;
    }

    /// Whether nobody writes.
    pub(crate) fn is_quiet(&self) -> bool {
        self.holds.iter().all(Hold::is_quiet)
    }

    /// There was nothing there a moment ago.
    fn begin_empty(&mut self, now: Timestamp) {
        if self.version == 0 {
            self.recounted(Change::default(), now);
        } else if self.stored != Change::default() {
            self.want_recount(now);
        }
    }

    fn balance(&self, run: &str) -> Balance {
        Balance {
            stored: self.stored,
            held: self.hold(run).map_or_else(Amount::default, |hold| hold.amount),
            others: self.held_by_others(run),
            counted: self.recounted_at.is_some(),
        }
    }

    fn hold(&self, run: &str) -> Option<&Hold> {
        self.holds.iter().find(|hold| hold.holder == run)
    }

    fn held_by_others(&self, run: &str) -> Amount {
        let others = self.holds.iter().filter(|hold| hold.holder != run);
        others.fold(Amount::default(), |sum, hold| Amount {
            bytes: sum.bytes.saturating_add(hold.amount.bytes),
            files: sum.files.saturating_add(hold.amount.files),
        })
    }
}

impl Hold {
    fn is_quiet(&self) -> bool {
        !self.open && self.amount.is_zero()
    }
}

/// What is free of what is wanted: all that is needed at once, and some for later if that leaves most of
/// it to others.
fn grant(wanted: &Wanted, stored: Change, others: Amount) -> Amount {
    let stored = stored.amount();
    let share = |limit: Option<u64>, stored: u64, others: u64, need: u64, most: u64| {
        let Some(limit) = limit else { return 0 };
        let free = limit.saturating_sub(stored).saturating_sub(others);
        let ahead = if wanted.ahead { most.min(free / SHARE) } else { 0 };
        need.max(ahead).min(free)
    };
    let (of, need) = (wanted.of, wanted.need);
    Amount {
        bytes: share(of.max_bytes, stored.bytes, others.bytes, need.bytes, AHEAD.bytes),
        files: share(of.max_files, stored.files, others.files, need.files, AHEAD.files),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::user::Quota;

    fn record() -> UsageRecord {
        let mut record = UsageRecord::unknown("alice".parse().unwrap(), Timestamp::UNIX_EPOCH);
        record.recounted(Change::default(), Timestamp::UNIX_EPOCH);
        record
    }

    fn settlement(step: u64, stored: i64, need: u64) -> Settlement {
        Settlement {
            step,
            change: Change { bytes: stored, files: 0 },
            wanted: Wanted {
                need: Amount { bytes: need, files: 0 },
                ahead: true,
                of: Quota { max_bytes: Some(1_000), max_files: None },
            },
            open: true,
            made: false,
        }
    }

    fn settle(record: &mut UsageRecord, run: &str, settlement: &Settlement) -> Balance {
        record.settle(run, settlement, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn what_is_stored_and_held_never_comes_to_more_than_the_quota() {
        let mut record = record();
        let mut seed = 1_u64;
        let mut held = [0_u64; 3];
        let mut stored = 0;
        for step in 1..2_000_u64 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let random = seed >> 33;
            let server = usize::try_from(random % 3).unwrap();
            let spent = i64::try_from(random % (held[server] + 1)).unwrap();
            let removed = if random.is_multiple_of(7) { stored / 3 } else { 0 };
            stored += spent - removed;
            let settlement = settlement(step, spent - removed, random % 200);
            let balance = settle(&mut record, ["a", "b", "c"][server], &settlement);
            held[server] = balance.held.bytes;
            let all = u64::try_from(stored).unwrap() + held.iter().sum::<u64>();
            assert!(all <= 1_000, "{stored} stored, {held:?} held");
            assert_eq!(record.stored.bytes, stored);
        }
    }

    #[test]
    fn a_settlement_said_twice_counts_once() {
        let mut record = record();
        let first = settle(&mut record, "a", &settlement(1, 100, 50));
        let again = settle(&mut record, "a", &settlement(1, 100, 50));
        assert_eq!((first, record.stored.bytes), (again, 100));
        settle(&mut record, "a", &settlement(2, 100, 0));
        assert_eq!(record.stored.bytes, 200);
    }

    #[test]
    fn the_last_byte_is_granted_and_no_more() {
        let mut record = record();
        let a = settle(&mut record, "a", &settlement(1, 0, 600));
        let b = settle(&mut record, "b", &settlement(1, 0, 600));
        assert_eq!((a.held.bytes, b.held.bytes, b.others.bytes), (600, 400, 600));
        let a = settle(&mut record, "a", &settlement(2, 100, 0));
        assert_eq!(a.held.bytes, 500 / SHARE, "the rest is given back");
        let b = settle(&mut record, "b", &settlement(2, 400, 600));
        assert_eq!(b.held.bytes, 500 - 500 / SHARE);
    }

    #[test]
    fn what_the_dead_hold_is_free_again_and_the_files_are_to_be_counted() {
        let mut record = record();
        settle(&mut record, "a", &settlement(1, 0, 1_000));
        let b = settlement(1, 0, 1_000);
        assert_eq!(settle(&mut record, "b", &b).held.bytes, 0);
        record.release_dead(&["b".to_owned()], Timestamp::UNIX_EPOCH);
        assert_eq!(record.grant_again("b", &b.wanted).held.bytes, 1_000);
        assert!(record.claim_recount("b", &[]), "a recount is wanted");
    }

    #[test]
    fn a_server_that_has_said_all_goes_without_a_recount() {
        let mut record = record();
        settle(&mut record, "a", &settlement(1, 10, 10));
        assert!(!record.is_quiet());
        let last = Settlement { step: 2, ..Settlement::default() };
        settle(&mut record, "a", &last);
        assert!(record.is_quiet());
        record.release("a", Timestamp::UNIX_EPOCH);
        assert!(record.recount.is_none() && record.holds.is_empty());
    }

    #[test]
    fn a_recount_is_done_by_one_server_and_by_another_if_that_dies() {
        let mut record = UsageRecord::unknown("alice".parse().unwrap(), Timestamp::UNIX_EPOCH);
        let alive = ["a".to_owned(), "b".to_owned()];
        assert!(record.claim_recount("a", &alive));
        assert!(!record.claim_recount("b", &alive));
        assert!(record.claim_recount("b", &["b".to_owned()]));
    }

    #[test]
    fn a_home_made_just_now_needs_no_counting() {
        let mut record = UsageRecord::unknown("alice".parse().unwrap(), Timestamp::UNIX_EPOCH);
        let made = Settlement { step: 1, made: true, ..Settlement::default() };
        assert!(settle(&mut record, "a", &made).counted);
        assert!(record.recount.is_none());
    }
}
