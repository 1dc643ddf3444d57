//! The pace of transfers, in paused time: how much moves in how long, and whose it is.

use std::sync::Arc;

use tokio::task::JoinSet;
use wharfinger_accounts::Limits;

use super::*;

fn user(download: Option<u64>, version: u64) -> User {
    let limits = Limits { download_bytes_per_second: download, ..Limits::default() };
    User { limits, version, ..(*crate::files::tests::user(&[])).clone() }
}

fn rates(download: Option<u64>) -> Arc<UserRates> {
    Arc::new(Rates::default()).of(&user(download, 1))
}

/// Moves bytes for as long as told, in pieces of up to so many.
async fn moved(rates: Arc<UserRates>, piece: usize, time: Duration) -> usize {
    let (mut turns, mut moved) = (rates.turns(Flow::Download), 0);
    let run = async {
        loop {
            let bytes = turns.next(piece).await;
            turns.used(bytes);
            moved += bytes;
        }
    };
    assert!(tokio::time::timeout(time, run).await.is_err());
    moved
}

fn assert_near(moved: usize, expected: usize) {
    assert!(moved.abs_diff(expected) <= expected / 10, "{moved}, and not about {expected}");
}

#[tokio::test(start_paused = true)]
async fn the_rate_is_kept_whatever_the_size_of_the_pieces() {
    for (rate, piece) in [(1_000, 1 << 20), (1_000_000, 1 << 20), (1_000_000, 16_384), (1 << 30, 1 << 20)] {
        let bytes = moved(rates(Some(rate)), piece, Duration::from_secs(10)).await;
        assert_near(bytes, usize::try_from(rate).unwrap() * 10);
    }
}

#[tokio::test(start_paused = true)]
async fn no_moment_sees_more_than_a_fraction_of_a_second_s_bytes() {
    let rates = rates(Some(1_000_000));
    // Nothing asked for a while, which saves up no more than the credit.
    tokio::time::sleep(Duration::from_mins(1)).await;
    let at_once = moved(Arc::clone(&rates), 1 << 20, Duration::from_millis(1)).await;
    assert!(at_once <= 200_000, "{at_once}");
    for _ in 0..20 {
        let bytes = moved(Arc::clone(&rates), 1 << 20, Duration::from_millis(200)).await;
        assert!((50_000..=250_000).contains(&bytes), "{bytes}");
    }
}

#[tokio::test(start_paused = true)]
async fn all_sessions_of_a_user_share_it_and_each_has_its_part() {
    let rates = rates(Some(1_000_000));
    let mut sessions = JoinSet::new();
    // TLS moves little at a time and sendfile much.
    for piece in [1 << 20, 16_384, 1 << 20, 16_384] {
        sessions.spawn(moved(Arc::clone(&rates), piece, Duration::from_secs(10)));
    }
    let shares = sessions.join_all().await;
    assert_near(shares.iter().sum(), 10_000_000);
    for share in shares {
        assert_near(share, 2_500_000);
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_limit_acts_on_who_waits_already() {
    let rates = rates(Some(1));
    let mut turns = rates.turns(Flow::Download);
    let begun = Instant::now();
    for bytes in [1, 1, 1] {
        assert_eq!(turns.next(1 << 20).await, bytes);
        turns.used(bytes);
    }
    assert!(begun.elapsed() >= Duration::from_secs(1), "it is slow");
    let waiting = tokio::spawn(async move { turns.next(1 << 20).await });
    tokio::task::yield_now().await;
    let changed = Instant::now();
    rates.follow(&user(None, 2));
    assert_eq!(waiting.await.unwrap(), 1 << 20);
    assert!(changed.elapsed() < Duration::from_millis(10));
    rates.follow(&user(Some(1), 1));
    assert!(rates.download.is_unlimited(), "an older version of the user changes nothing");
}

#[tokio::test(start_paused = true)]
async fn without_a_limit_everything_goes_at_once() {
    let rates = rates(None);
    let begun = Instant::now();
    let mut turns = rates.turns(Flow::Download);
    for _ in 0..1_000 {
        assert_eq!(turns.next(1 << 20).await, 1 << 20);
        turns.used(1 << 20);
    }
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn rates_are_kept_while_somebody_is_logged_in_and_no_longer() {
    let all = Arc::new(Rates::default());
    let (first, second) = (all.of(&user(None, 1)), all.of(&user(None, 1)));
    assert!(Arc::ptr_eq(&first, &second));
    drop(first);
    assert_eq!(lock(&all.0).len(), 1);
    drop(second);
    assert_eq!(lock(&all.0).len(), 0);
}
