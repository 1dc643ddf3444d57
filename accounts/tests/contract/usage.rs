//! What homes hold: servers that take of one quota at the same time never exceed it together and use all
//! of it, what a dead one held is free again, and a recount says what was found.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use wharfinger_accounts::{Amount, Change, Home, Presence, Quota, Settlement, Wanted};

use crate::place::{Place, create_alice};
use crate::presence::node;

crate::on_both_stores!(
    servers_that_race_use_all_of_a_quota_and_no_more,
    what_a_server_says_is_shown,
    what_a_dead_server_held_is_free_and_the_files_are_counted,
    a_server_that_stops_leaves_nothing_held,
    a_recount_is_asked_for_claimed_and_written_down,
    a_recount_that_was_disturbed_is_done_again,
    what_goes_from_a_home_nobody_knows_is_not_noted,
);

fn home() -> Home {
    "alice".parse().unwrap()
}

fn bytes(bytes: i64) -> Change {
    Change { bytes, files: 0 }
}

/// Says what was stored, and wants so many bytes of so many.
fn settlement(step: u64, stored: i64, need: u64, most: u64) -> Settlement {
    let of = Quota { max_bytes: Some(most), max_files: None };
    let wanted = Wanted { need: Amount { bytes: need, files: 0 }, ahead: false, of };
    Settlement { step, change: bytes(stored), wanted, open: true, made: false }
}

async fn servers_that_race_use_all_of_a_quota_and_no_more(place: &Place) {
    const MOST: u64 = 1_000;
    let accounts = place.open().await;
    let nodes = ["north", "south", "east"].map(|name| Arc::new(node(&accounts, name)));
    let servers = nodes.into_iter().map(|presence| {
        tokio::spawn(async move {
            let (mut step, mut stored, mut spent) = (0, 0, 0_i64);
            loop {
                step += 1;
                let settlement = settlement(step, spent, 37, MOST);
                let balance = presence.settle(&home(), &settlement).await.unwrap();
                spent = i64::try_from(balance.held.bytes).unwrap();
                if spent == 0 && balance.others.is_zero() {
                    return stored;
                }
                stored += spent;
            }
        })
    });
    let stored: Vec<i64> = join_all(servers).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(stored.iter().sum::<i64>(), i64::try_from(MOST).unwrap(), "{stored:?}");
    assert_eq!(accounts.usage(&home()).await.unwrap().stored.bytes, MOST);
}

async fn what_a_server_says_is_shown(place: &Place) {
    let accounts = place.open().await;
    let alice = create_alice(&accounts).await;
    let usage = async || accounts.user(&alice.username).await.unwrap().usage;
    assert_eq!((usage().await.stored, usage().await.recounted_at), (Amount::default(), None));
    let north = node(&accounts, "north");
    let change = Change { bytes: 1_000, files: 2 };
    let said = Settlement { step: 1, change, open: true, made: true, ..Settlement::default() };
    for _ in 0..2 {
        assert!(north.settle(&home(), &said).await.unwrap().counted, "it began empty");
        assert_eq!(usage().await.stored, Amount { bytes: 1_000, files: 2 }, "once, however often it is said");
    }
    let gone = Settlement { step: 2, change: bytes(-1), ..Settlement::default() };
    north.settle(&home(), &gone).await.unwrap();
    assert_eq!(usage().await.stored.bytes, 999);
    let page = accounts.users(wharfinger_accounts::UserQuery::default()).await.unwrap();
    assert_eq!(page.items[0].usage.stored.bytes, 999);
    assert!(page.items[0].usage.recounted_at.is_some());
}

async fn what_a_dead_server_held_is_free_and_the_files_are_counted(place: &Place) {
    let accounts = place.open().await;
    let dead = node(&accounts, "north").alive_for(Duration::ZERO);
    assert_eq!(dead.settle(&home(), &settlement(1, 0, 900, 1_000)).await.unwrap().held.bytes, 900);
    let south = node(&accounts, "south");
    let balance = south.settle(&home(), &settlement(1, 10, 990, 1_000)).await.unwrap();
    assert_eq!((balance.held.bytes, balance.stored.bytes), (990, 10));
    assert_eq!(south.claim_recount().await.unwrap(), Some(home()));
}

async fn a_server_that_stops_leaves_nothing_held(place: &Place) {
    let accounts = place.open().await;
    let (north, south) = (node(&accounts, "north"), node(&accounts, "south"));
    let begun = Settlement { made: true, ..settlement(1, 0, 1_000, 1_000) };
    north.settle(&home(), &begun).await.unwrap();
    assert_eq!(south.settle(&home(), &settlement(1, 0, 1, 1_000)).await.unwrap().held.bytes, 0);
    north
        .settle(&home(), &Settlement { step: 2, change: bytes(400), ..Settlement::default() })
        .await
        .unwrap();
    north.withdraw().await.unwrap();
    assert_eq!(south.settle(&home(), &settlement(2, 0, 1_000, 1_000)).await.unwrap().held.bytes, 600);
    assert_eq!(south.claim_recount().await.unwrap(), None, "all was said");
    south.settle(&home(), &settlement(3, 0, 1, 1_000)).await.unwrap();
    south.withdraw().await.unwrap();
    assert_eq!(node(&accounts, "east").claim_recount().await.unwrap(), Some(home()), "not all was said");
}

async fn a_recount_is_asked_for_claimed_and_written_down(place: &Place) {
    let accounts = place.open().await;
    let alice = create_alice(&accounts).await;
    let (north, south) = (node(&accounts, "north"), node(&accounts, "south"));
    north.beat(0).await.unwrap();
    south.beat(0).await.unwrap();
    assert_eq!(north.claim_recount().await.unwrap(), None);
    assert_eq!(accounts.ask_recount(&alice.username).await.unwrap().usage.recounted_at, None);
    assert_eq!(north.claim_recount().await.unwrap(), Some(home()));
    assert_eq!(south.claim_recount().await.unwrap(), None, "it is being done");
    let count = north.begin_count(&home()).await.unwrap();
    let found = Amount { bytes: 7, files: 1 };
    assert!(north.end_count(&home(), count, found, false).await.unwrap());
    let usage = accounts.user(&alice.username).await.unwrap().usage;
    assert_eq!(usage.stored, found);
    assert!(usage.recounted_at.is_some());
    assert_eq!(north.claim_recount().await.unwrap(), None, "it is done");
}

async fn a_recount_that_was_disturbed_is_done_again(place: &Place) {
    let accounts = place.open().await;
    let north: Arc<Presence> = Arc::new(node(&accounts, "north"));
    north.settle(&home(), &settlement(1, 10, 0, 1_000)).await.unwrap();
    let found = Amount { bytes: 100, files: 1 };
    let count = north.begin_count(&home()).await.unwrap();
    assert!(!north.end_count(&home(), count, found, false).await.unwrap(), "somebody writes");
    north.settle(&home(), &Settlement { step: 2, ..Settlement::default() }).await.unwrap();
    assert!(!north.end_count(&home(), count, found, false).await.unwrap(), "somebody wrote meanwhile");
    let count = north.begin_count(&home()).await.unwrap();
    assert!(north.end_count(&home(), count, found, false).await.unwrap());
    assert_eq!(accounts.usage(&home()).await.unwrap().stored, found);

    let count = north.begin_count(&home()).await.unwrap();
    north.settle(&home(), &settlement(3, 5, 0, 1_000)).await.unwrap();
    assert!(north.end_count(&home(), count, found, true).await.unwrap(), "somebody always writes");
    assert_eq!(accounts.usage(&home()).await.unwrap().stored.bytes, 105);
}

async fn what_goes_from_a_home_nobody_knows_is_not_noted(place: &Place) {
    let accounts = place.open().await;
    let north = node(&accounts, "north");
    let gone = Amount { bytes: 3, files: 1 };
    north.note_removed(&home(), gone).await.unwrap();
    assert_eq!(north.claim_recount().await.unwrap(), None);
    north.settle(&home(), &Settlement { made: true, ..settlement(1, 10, 0, 1_000) }).await.unwrap();
    north.note_removed(&home(), gone).await.unwrap();
    assert_eq!(accounts.usage(&home()).await.unwrap().stored.bytes, 7);
}
