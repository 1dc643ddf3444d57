//! How the file server hears of changes: what changed, and when to ask.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use wharfinger_accounts::{Changed, Changes, NewUser, Status};

use crate::place::{ALICES, Place, create_alice, log_in, name, password};

crate::on_both_stores!(
    what_changed_is_told_and_what_did_not_is_not,
    a_user_made_again_counts_as_removed,
    programs_see_each_others_changes,
    a_change_made_here_wakes_at_once,
    without_a_signal_it_wakes_after_the_interval,
    a_dropped_wait_does_not_put_off_the_next,
);

/// Long enough that only a signal can wake within a test's patience.
const NEVER: Duration = Duration::from_hours(1);
const PATIENCE: Duration = Duration::from_secs(20);

async fn wakes(changes: &mut Changes) {
    timeout(PATIENCE, changes.next()).await.expect("no wake-up");
}

async fn what_changed_is_told_and_what_did_not_is_not(place: &Place) {
    let accounts = place.open().await;
    let alice = create_alice(&accounts).await;
    let (bob, _) = accounts.create_user(NewUser::named(name("bob")), None).await.unwrap();
    let (carol, _) = accounts.create_user(NewUser::named(name("carol")), None).await.unwrap();
    let known = [alice.stamp(), bob.stamp(), carol.stamp()];
    assert_eq!(accounts.changed_since(&known).await.unwrap(), []);
    assert_eq!(accounts.changed_since(&[]).await.unwrap(), []);
    let disabled = accounts.set_status(&bob.username, Status::Disabled, None).await.unwrap().after.user;
    accounts.remove_user(&carol.username, None).await.unwrap();
    let changed = accounts.changed_since(&known).await.unwrap();
    let expected = [Changed::Updated(Arc::new(disabled)), Changed::Removed(carol.stamp())];
    assert_eq!(changed, expected);
    log_in(&accounts, "alice", ALICES).await.unwrap();
    assert_eq!(accounts.changed_since(&known[..1]).await.unwrap(), [], "a login is no change");
}

async fn a_user_made_again_counts_as_removed(place: &Place) {
    let accounts = place.open().await;
    let first = create_alice(&accounts).await;
    accounts.remove_user(&first.username, None).await.unwrap();
    let second = create_alice(&accounts).await;
    assert_eq!(first.version, second.version);
    let changed = accounts.changed_since(&[first.stamp()]).await.unwrap();
    assert_eq!(changed, [Changed::Removed(first.stamp())]);
}

async fn programs_see_each_others_changes(place: &Place) {
    let (server, admin) = (place.open().await, place.open().await);
    let alice = create_alice(&admin).await;
    assert_eq!(*log_in(&server, "alice", ALICES).await.unwrap(), alice);
    assert!(admin.user(&alice.username).await.unwrap().activity.last_login_at.is_some());
    let disabled = admin.set_status(&alice.username, Status::Disabled, None).await.unwrap().after.user;
    let changed = server.changed_since(&[alice.stamp()]).await.unwrap();
    assert_eq!(changed, [Changed::Updated(Arc::new(disabled))]);
}

async fn a_change_made_here_wakes_at_once(place: &Place) {
    let accounts = place.open().await;
    let mut changes = accounts.changes().at_the_latest_after(NEVER);
    let alice = create_alice(&accounts).await;
    wakes(&mut changes).await;
    accounts.set_status(&alice.username, Status::Disabled, None).await.unwrap();
    wakes(&mut changes).await;
}

async fn without_a_signal_it_wakes_after_the_interval(place: &Place) {
    let accounts = place.open().await;
    let mut changes = accounts.changes().at_the_latest_after(Duration::from_millis(20));
    for _ in 0..3 {
        wakes(&mut changes).await;
    }
}

async fn a_dropped_wait_does_not_put_off_the_next(place: &Place) {
    let accounts = place.open().await;
    let mut changes = accounts.changes().at_the_latest_after(Duration::from_millis(50));
    let woken = async {
        // Much shorter than the interval, so that a wait that began anew each time would never end.
        while timeout(Duration::from_millis(5), changes.next()).await.is_err() {}
    };
    timeout(PATIENCE, woken).await.expect("no wake-up");
}

#[tokio::test]
async fn a_change_stream_tells_of_other_programs_changes() {
    let place = Place::mongodb().await;
    let (server, admin) = (place.open().await, place.open().await);
    let mut changes = server.changes().at_the_latest_after(NEVER);
    // The first signal says that the stream is open.
    wakes(&mut changes).await;
    admin.create_user(NewUser::named(name("alice")), Some(password(ALICES))).await.unwrap();
    wakes(&mut changes).await;
    place.clear().await;
}
