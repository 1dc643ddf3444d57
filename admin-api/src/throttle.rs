//! How often a login may fail: by the client's address, by the name tried, and by both together.
//! Memory is bounded whatever is tried; names and addresses are kept as keyed digests only.
//! It doesn't know whether a password was right: who does, forgives the attempt. From where an admin has
//! logged in before, failures in the admin's name from elsewhere don't count.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use wharfinger_accounts::client_network;

/// Counts attempts; a forgiven one leaves no trace.
pub(crate) struct Throttle {
    keys: RandomState,
    /// For each key the time at which its failures are forgotten.
    until: Mutex<HashMap<u64, Instant>>,
    /// Networks and names together that have logged in, and until when that is remembered.
    known: Mutex<HashMap<u64, Instant>>,
    most_keys: usize,
}

/// How often a client may ask at all.
pub(crate) struct RequestRate {
    throttle: Throttle,
    /// 0: as often as it likes.
    per_second: AtomicU32,
}

/// An attempt that counts as failed until it is forgiven, also when its client hangs up.
#[must_use = "an attempt that isn't forgiven counts as failed"]
pub(crate) struct LoginAttempt<'a> {
    throttle: &'a Throttle,
    /// Of the network and the name together.
    both: u64,
    charges: Vec<(u64, Rule)>,
}

/// So many failures at once; then one more each `every`.
#[derive(Clone, Copy)]
struct Rule {
    burst: u32,
    every: Duration,
}

const ADDRESS_AND_NAME: Rule = Rule { burst: 5, every: Duration::from_secs(30) };
const ADDRESS: Rule = Rule { burst: 20, every: Duration::from_secs(10) };
/// Wide, since whoever knows a name can fail in that name.
const NAME: Rule = Rule { burst: 50, every: Duration::from_secs(5) };

/// How long a network is known as an admin's after a login from there.
const KNOWN_FOR: Duration = Duration::from_hours(30 * 24);

impl Throttle {
    pub(crate) fn new() -> Self {
        Self { keys: RandomState::new(), until: Mutex::default(), known: Mutex::default(), most_keys: 30_000 }
    }

    /// Counts an attempt, or says how long to wait. It is counted before the password is looked
    /// at, so that a thousand attempts at once are no way around.
    pub(crate) fn admit(&self, from: IpAddr, name: &str, now: Instant) -> Result<LoginAttempt<'_>, Duration> {
        let from = client_network(from);
        let both = self.keys.hash_one(("both", from, name));
        let mut charges = vec![(both, ADDRESS_AND_NAME), (self.keys.hash_one(("address", from)), ADDRESS)];
        if lock(&self.known).get(&both).is_none_or(|until| *until <= now) {
            charges.push((self.keys.hash_one(("name", name)), NAME));
        }
        self.charge(&charges, now)?;
        Ok(LoginAttempt { throttle: self, both, charges })
    }

    fn charge(&self, charges: &[(u64, Rule)], now: Instant) -> Result<(), Duration> {
        let mut until = lock(&self.until);
        let wait = charges.iter().map(|(key, rule)| rule.wait(until.get(key), now)).max();
        match wait {
            Some(wait) if !wait.is_zero() => return Err(wait),
            _ => {}
        }
        for (key, rule) in charges {
            self.make_room(&mut until, *key, now);
            let start = until.get(key).copied().map_or(now, |end| end.max(now));
            until.insert(*key, start + rule.every);
        }
        Ok(())
    }

    /// Forgets what has run out; if that is not enough, what would run out first.
    fn make_room(&self, until: &mut HashMap<u64, Instant>, key: u64, now: Instant) {
        if until.len() < self.most_keys || until.contains_key(&key) {
            return;
        }
        until.retain(|_, end| *end > now);
        if until.len() >= self.most_keys
            && let Some(first) = until.iter().min_by_key(|(_, end)| **end).map(|(key, _)| *key)
        {
            until.remove(&first);
        }
    }
}

/// Each change is one insertion or removal: nothing can be half done.
fn lock(times: &Mutex<HashMap<u64, Instant>>) -> MutexGuard<'_, HashMap<u64, Instant>> {
    times.lock().unwrap_or_else(PoisonError::into_inner)
}

impl RequestRate {
    /// So many requests a second, and twice as many at once; 0: any number.
    pub(crate) fn new(per_second: u32) -> Self {
        Self { throttle: Throttle::new(), per_second: AtomicU32::new(per_second) }
    }

    /// The same, from now on.
    pub(crate) fn set_rate(&self, per_second: u32) {
        self.per_second.store(per_second, Ordering::Relaxed);
    }

    /// Counts a request, or says how long to wait.
    pub(crate) fn admit(&self, from: IpAddr, now: Instant) -> Result<(), Duration> {
        let per_second = self.per_second.load(Ordering::Relaxed);
        let Some(every) = Duration::from_secs(1).checked_div(per_second) else { return Ok(()) };
        let rule = Rule { burst: per_second.saturating_mul(2), every };
        let key = self.throttle.keys.hash_one(client_network(from));
        self.throttle.charge(&[(key, rule)], now)
    }
}

impl LoginAttempt<'_> {
    /// The password was right: takes the attempt back, and remembers from where it came.
    pub(crate) fn succeed(self, now: Instant) {
        let mut known = lock(&self.throttle.known);
        self.throttle.make_room(&mut known, self.both, now);
        known.insert(self.both, now + KNOWN_FOR);
        drop(known);
        self.forgive();
    }

    /// Takes the attempt back: the password could not be looked at.
    pub(crate) fn forgive(self) {
        let mut until = lock(&self.throttle.until);
        for (key, rule) in self.charges {
            if let Some(end) = until.get_mut(&key) {
                *end = end.checked_sub(rule.every).unwrap_or(*end);
            }
        }
    }
}

impl Rule {
    fn wait(self, until: Option<&Instant>, now: Instant) -> Duration {
        let pending = until.map_or(Duration::ZERO, |end| end.saturating_duration_since(now));
        pending.saturating_sub(self.every * (self.burst - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn fail(throttle: &Throttle, from: IpAddr, name: &str, now: Instant) -> bool {
        throttle.admit(from, name, now).is_ok()
    }

    #[test]
    fn the_sixth_failure_in_a_row_has_to_wait() {
        let (throttle, now) = (Throttle::new(), Instant::now());
        assert!((0..5).all(|_| fail(&throttle, address(1), "owner", now)));
        let wait = throttle.admit(address(1), "owner", now).err().unwrap();
        assert_eq!(wait, Duration::from_secs(30));
        assert!(fail(&throttle, address(2), "owner", now));
        assert!(fail(&throttle, address(1), "auditor", now));
        assert!(fail(&throttle, address(1), "owner", now + wait));
        assert!(!fail(&throttle, address(1), "owner", now + wait));
    }

    #[test]
    fn an_address_may_ask_so_often_and_no_more() {
        let (rate, now) = (RequestRate::new(5), Instant::now());
        let passed = (0..100).filter(|_| rate.admit(address(1), now).is_ok()).count();
        assert_eq!(passed, 10);
        assert_eq!(rate.admit(address(1), now), Err(Duration::from_millis(200)));
        assert_eq!(rate.admit(address(2), now), Ok(()));
        assert_eq!(rate.admit(address(1), now + Duration::from_millis(200)), Ok(()));
        let free = RequestRate::new(0);
        assert!((0..1000).all(|_| free.admit(address(1), now).is_ok()));
    }

    #[test]
    fn forgiven_attempts_leave_no_trace() {
        let (throttle, now) = (Throttle::new(), Instant::now());
        for _ in 0..200 {
            throttle.admit(address(1), "owner", now).ok().unwrap().forgive();
        }
        assert!(fail(&throttle, address(1), "owner", now));
    }

    #[test]
    fn an_address_is_slowed_down_whatever_names_it_tries() {
        let (throttle, now) = (Throttle::new(), Instant::now());
        let passed = (0..100).filter(|n| fail(&throttle, address(1), &format!("n{n}"), now)).count();
        assert_eq!(passed, 20);
    }

    #[test]
    fn a_name_is_slowed_down_wherever_it_is_tried_from() {
        let (throttle, now) = (Throttle::new(), Instant::now());
        let passed = (0..100).filter(|n| fail(&throttle, address(*n), "owner", now)).count();
        assert_eq!(passed, 50);
    }

    #[test]
    fn failures_from_elsewhere_keep_nobody_out_who_is_where_the_admin_was_before() {
        let (throttle, now) = (Throttle::new(), Instant::now());
        throttle.admit(address(200), "owner", now).ok().unwrap().succeed(now);
        assert!((0..50).all(|n| fail(&throttle, address(n), "owner", now)));
        assert!(!fail(&throttle, address(201), "owner", now));
        assert!((0..5).all(|_| fail(&throttle, address(200), "owner", now)));
        assert!(!fail(&throttle, address(200), "owner", now), "guesses from there still count");
        let full = Throttle { most_keys: 100, ..Throttle::new() };
        for n in 0..1000u32 {
            full.admit(IpAddr::from(n.to_be_bytes()), "owner", now).ok().unwrap().succeed(now);
        }
        assert!(lock(&full.known).len() <= 100);
    }

    #[test]
    fn addresses_of_one_ipv6_network_count_as_one() {
        let (throttle, now) = (Throttle::new(), Instant::now());
        let from = |n: u16| IpAddr::from([0x2001, 0xdb8, 0, 0, n, 0, 0, 1]);
        assert!((0..5).all(|n| fail(&throttle, from(n), "owner", now)));
        assert!(!fail(&throttle, from(9), "owner", now));
    }

    #[test]
    fn memory_is_bounded_and_the_worst_offender_is_not_forgotten() {
        let throttle = Throttle { most_keys: 100, ..Throttle::new() };
        let now = Instant::now();
        assert!((0..5).all(|_| fail(&throttle, address(1), "owner", now)));
        for n in 0..1000u32 {
            fail(&throttle, IpAddr::from(n.to_be_bytes()), &format!("n{n}"), now);
        }
        assert!(lock(&throttle.until).len() <= 100);
        assert!(!fail(&throttle, address(1), "owner", now));
    }
}
