//! Rows about sessions: logging in again and again, being idle by the thousand, and answering beside
//! those who are.

use std::time::{Duration, Instant};

use super::{Load, Work};
use crate::client::{Protection, Session};
use crate::usage::Spent;

const LOGINS: u32 = 200;
/// Idle sessions for the memory rows.
const IDLE: u32 = 500;
/// Idle sessions beside which NOOPs are timed.
const CROWD: u32 = 5000;
const NOOPS: u32 = 2000;

/// Connect, log in, QUIT; the password was proven before.
pub(super) fn logins(load: &Load<'_>, protection: Protection) -> anyhow::Result<Work> {
    Session::open(load.target, protection, load.trust)?.quit()?;
    let ((), spent) = load
        .group
        .spent(|| (0..LOGINS).try_for_each(|_| Session::open(load.target, protection, load.trust)?.quit()))?;
    Ok(Work { spent, amount: f64::from(LOGINS) / 1000.0, figure: None })
}

/// What each further idle session takes, after the first ones have shown what sessions share.
pub(super) fn idle(load: &Load<'_>, protection: Protection) -> anyhow::Result<Work> {
    let start = Instant::now();
    let open = |count: u32| -> anyhow::Result<Vec<Session>> {
        (0..count).map(|_| Session::open(load.target, protection, load.trust)).collect()
    };
    let first = open(20)?;
    settle();
    let before = load.group.memory()?;
    let more = open(IDLE)?;
    settle();
    let after = load.group.memory()?;
    let done = Work {
        spent: Spent { wall: start.elapsed(), ..Spent::default() },
        amount: f64::from(IDLE),
        #[expect(clippy::cast_precision_loss, reason = "KiB by the thousand")]
        figure: Some(after.saturating_sub(before) as f64 / f64::from(IDLE)),
    };
    for session in first.into_iter().chain(more) {
        session.quit()?;
    }
    Ok(done)
}

/// The 99th percentile of a NOOP's round trip.
pub(super) fn noop_latency(load: &Load<'_>) -> anyhow::Result<Work> {
    let start = Instant::now();
    let mut crowd = Vec::new();
    for _ in 0..CROWD {
        crowd.push(Session::open(load.target, Protection::Plain, load.trust)?);
    }
    settle();
    let mut session = Session::open(load.target, Protection::Plain, load.trust)?;
    let mut times = Vec::new();
    for _ in 0..NOOPS {
        let begin = Instant::now();
        session.expect("NOOP", 200)?;
        times.push(begin.elapsed());
    }
    times.sort_unstable();
    let p99 = times.get(times.len() * 99 / 100).copied().unwrap_or_default();
    let spent = Spent { wall: start.elapsed(), ..Spent::default() };
    let done = Work { spent, amount: f64::from(NOOPS), figure: Some(p99.as_secs_f64() * 1e6) };
    for idle in crowd {
        idle.quit()?;
    }
    session.quit()?;
    Ok(done)
}

/// What a server still does after a reply is done by then.
fn settle() {
    std::thread::sleep(Duration::from_millis(300));
}
