//! Failed logins by network (see [`client_network`]) and by name: how much slower the next answer comes, and when an address is refused.
//! Names that do not exist count as much as names that do, and a success clears nothing: whoever
//! has one account could else guess at all others. What a success does leave is that its network is
//! known as the user's: there, guesses at the name from elsewhere slow nobody down. Memory is bounded:
//! when a list is full, the entry that ends first makes room. It knows no protocol and no store.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use wharfinger_accounts::client_network;
use wharfinger_config::Limits;

/// Addresses and names remembered at most.
const REMEMBERED: usize = 10_000;
/// Bytes of a name that are remembered; longer ones belong to nobody.
const LONGEST_NAME: usize = 64;
/// Names remembered of one address, so that it is let go when one of them is unlocked.
const NAMES_OF_ADDRESS: usize = 16;
/// How long a network is known as a user's after a login from there.
const KNOWN_FOR: Duration = Duration::from_hours(30 * 24);
/// What the first failure costs; each further one twice as much.
const FIRST_DELAY: Duration = Duration::from_millis(200);
/// What a failure costs at the most.
const LONGEST_DELAY: Duration = Duration::from_secs(5);

/// Failed logins by address and by name.
#[derive(Default)]
pub(crate) struct LoginLimits {
    failures: Mutex<Failures>,
}

#[derive(Default)]
struct Failures {
    addresses: HashMap<IpAddr, Count>,
    names: HashMap<Vec<u8>, Count>,
    /// Networks from which somebody has logged in under a name, and until when that is remembered.
    known: HashMap<(IpAddr, Vec<u8>), Instant>,
}

struct Count {
    failures: u32,
    until: Instant,
    /// Of an address: the names that were tried.
    names: Vec<Vec<u8>>,
}

impl LoginLimits {
    /// Whether this address has failed too often of late.
    pub(crate) fn is_banned(&self, address: IpAddr, limits: &Limits, now: Instant) -> bool {
        let failures = self.lock();
        let count = failures.addresses.get(&client_network(address)).filter(|count| count.until > now);
        count.is_some_and(|count| count.failures >= limits.login_failures)
    }

    /// Counts a failure; the answer shall wait so long.
    pub(crate) fn failed(&self, address: IpAddr, name: &[u8], limits: &Limits, now: Instant) -> Duration {
        let address = client_network(address);
        let mut failures = self.lock();
        let until = now + Duration::from_secs(limits.ban_seconds);
        let by_address = count(&mut failures.addresses, address, now, until);
        let name = name.get(..LONGEST_NAME).unwrap_or(name).to_vec();
        if let Some(count) = failures.addresses.get_mut(&address) {
            if by_address >= limits.login_failures {
                // From the failure that was one too many, the whole time.
                count.until = until;
            }
            if count.names.len() < NAMES_OF_ADDRESS && !count.names.contains(&name) {
                count.names.push(name.clone());
            }
        }
        let known = failures.known.get(&(address, name.clone())).is_some_and(|until| *until > now);
        let by_name = count(&mut failures.names, name, now, until);
        let by_name = if known { 0 } else { by_name };
        let doublings = by_address.max(by_name).saturating_sub(1).min(8);
        (FIRST_DELAY * (1 << doublings)).min(LONGEST_DELAY)
    }

    /// Remembers the network of somebody who has logged in under this name.
    pub(crate) fn succeeded(&self, address: IpAddr, name: &[u8], now: Instant) {
        let key = (client_network(address), name.to_vec());
        let known = &mut self.lock().known;
        make_room(known, &key, |until| *until, now);
        known.insert(key, now + KNOWN_FOR);
    }

    /// Forgets the failures in this name, and those of every address that tried it.
    pub(crate) fn unlock(&self, name: &[u8]) {
        let mut failures = self.lock();
        failures.names.remove(name);
        failures.addresses.retain(|_, count| !count.names.iter().any(|tried| tried == name));
    }

    /// A panic elsewhere leaves the counts whole, so a poisoned lock is still good.
    fn lock(&self) -> MutexGuard<'_, Failures> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Room for one more: what has ended goes, or what would end first.
fn make_room<K: Hash + Eq + Clone, V>(
    all: &mut HashMap<K, V>,
    key: &K,
    until: impl Fn(&V) -> Instant,
    now: Instant,
) {
    if all.len() < REMEMBERED || all.contains_key(key) {
        return;
    }
    all.retain(|_, value| until(value) > now);
    if all.len() >= REMEMBERED
        && let Some(first) = all.iter().min_by_key(|(_, value)| until(value)).map(|(key, _)| key.clone())
    {
        all.remove(&first);
    }
}

fn count<K: Hash + Eq + Clone>(counts: &mut HashMap<K, Count>, key: K, now: Instant, until: Instant) -> u32 {
    make_room(counts, &key, |count| count.until, now);
    let entry = counts.entry(key).or_insert(Count { failures: 0, until, names: Vec::new() });
    if entry.until <= now {
        *entry = Count { failures: 0, until, names: Vec::new() };
    }
    entry.failures = entry.failures.saturating_add(1);
    entry.failures
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn strict() -> Limits {
        Limits { login_failures: 3, ban_seconds: 60, ..Limits::default() }
    }

    #[test]
    fn failures_cost_more_each_time_and_end_in_a_ban_that_passes() {
        let (brakes, limits) = (LoginLimits::default(), strict());
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let now = Instant::now();
        let delays: Vec<_> = (0..3).map(|_| brakes.failed(address, b"nobody", &limits, now)).collect();
        assert_eq!(delays, [FIRST_DELAY, FIRST_DELAY * 2, FIRST_DELAY * 4]);
        assert!(brakes.is_banned(address, &limits, now));
        assert!(!brakes.is_banned(address, &limits, now + Duration::from_secs(61)));
    }

    #[test]
    fn guesses_at_one_name_from_many_addresses_are_slowed_and_memory_is_bounded() {
        let (brakes, limits) = (LoginLimits::default(), strict());
        let now = Instant::now();
        for number in 0..REMEMBERED + 10 {
            let address = IpAddr::V4(Ipv4Addr::from(u32::try_from(number).unwrap()));
            brakes.failed(address, b"alice", &limits, now);
        }
        assert_eq!(brakes.failed(IpAddr::V4(Ipv4Addr::LOCALHOST), b"alice", &limits, now), LONGEST_DELAY);
        assert!(brakes.lock().addresses.len() <= REMEMBERED);
    }

    #[test]
    fn guesses_from_elsewhere_slow_nobody_down_who_is_where_the_user_was_before() {
        let (brakes, limits) = (LoginLimits::default(), strict());
        let now = Instant::now();
        let address = |last| IpAddr::V4(Ipv4Addr::new(192, 0, 2, last));
        brakes.succeeded(address(1), b"alice", now);
        for last in 10..60 {
            brakes.failed(address(last), b"alice", &limits, now);
        }
        assert_eq!(brakes.failed(address(1), b"alice", &limits, now), FIRST_DELAY);
        assert_eq!(brakes.failed(address(2), b"alice", &limits, now), LONGEST_DELAY);
        // Where alice is known, others are not.
        for last in 10..60 {
            brakes.failed(address(last), b"bob", &limits, now);
        }
        assert_eq!(brakes.failed(address(1), b"bob", &limits, now), LONGEST_DELAY);
        let later = now + KNOWN_FOR;
        for last in 10..60 {
            brakes.failed(address(last), b"alice", &limits, later);
        }
        assert_eq!(brakes.failed(address(1), b"alice", &limits, later), LONGEST_DELAY);
        for number in 0..REMEMBERED + 10 {
            brakes.succeeded(IpAddr::V4(Ipv4Addr::from(u32::try_from(number).unwrap())), b"alice", now);
        }
        assert!(brakes.lock().known.len() <= REMEMBERED);
    }

    #[test]
    fn an_unlocked_name_lets_its_addresses_go_and_no_others() {
        let (brakes, limits) = (LoginLimits::default(), Limits { login_failures: 2, ..strict() });
        let now = Instant::now();
        let address = |last| IpAddr::V4(Ipv4Addr::new(192, 0, 2, last));
        for _ in 0..2 {
            brakes.failed(address(1), b"alice", &limits, now);
            brakes.failed(address(2), b"bob", &limits, now);
        }
        brakes.unlock(b"alice");
        assert!(!brakes.is_banned(address(1), &limits, now));
        assert!(brakes.is_banned(address(2), &limits, now));
        assert_eq!(brakes.failed(address(1), b"alice", &limits, now), FIRST_DELAY);
    }
}
