//! The audit trail: what is noted is recorded once and in order, can be listed and verified, and goes when
//! it is old, without the rest becoming less sure.

use std::time::Duration;

use wharfinger_accounts::{Accounts, Act, AuditQuery, AuditRecord, Event, Trail};

use crate::place::{Place, TestClock};

crate::on_both_stores!(
    a_chain_begins_goes_on_and_ends_and_is_intact,
    what_was_waiting_is_written_at_the_end,
    a_change_can_be_waited_for,
    records_are_filtered_and_paged_the_newest_first,
    chains_see_each_other,
    old_records_go_and_the_rest_is_still_intact,
    a_chain_of_which_nothing_is_left_is_forgotten,
);

pub(crate) const DAY: Duration = Duration::from_hours(24);
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// An event of a user's.
pub(crate) fn event(user: &str) -> Event {
    Event { user: Some(user.to_owned()), actor: None, act: Act::Gap { lost: 0 } }
}

/// Records events of these users, one after the other.
pub(crate) async fn record(trail: &Trail, users: &[&str]) {
    for user in users {
        assert!(trail.place().await.unwrap().fill(event(user)).written(PATIENCE).await);
    }
}

pub(crate) async fn all(accounts: &Accounts) -> Vec<AuditRecord> {
    accounts.audit(AuditQuery { limit: 1_000, ..AuditQuery::default() }).await.unwrap().items
}

fn actions(records: &[AuditRecord]) -> Vec<&str> {
    records.iter().map(|record| record.action.as_str()).collect()
}

async fn a_chain_begins_goes_on_and_ends_and_is_intact(place: &Place) {
    let accounts = place.open().await;
    let trail = accounts.begin_trail("host server").unwrap();
    record(&trail, &["alice", "bob"]).await;
    assert!(trail.close(PATIENCE).await);
    let mut records = all(&accounts).await;
    records.sort_by_key(|record| record.sequence);
    assert_eq!(actions(&records), ["started", "gap", "gap", "stopped"]);
    assert_eq!(records.iter().map(|it| it.sequence).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(records[1].user.as_deref(), Some("alice"));
    assert!(records.windows(2).all(|pair| pair[1].previous == pair[0].hash));
    let verified = accounts.verify_audit().await.unwrap();
    assert_eq!((verified.records, &verified.first_broken), (4, &None));
    assert_eq!((verified.heads[0].sequence, verified.heads[0].ended), (4, true));
    assert_eq!(verified.heads[0].hash, records[3].hash);
}

async fn what_was_waiting_is_written_at_the_end(place: &Place) {
    let accounts = place.open().await;
    let trail = accounts.begin_trail("host").unwrap();
    for _ in 0..1_234 {
        trail.note(event("alice"));
    }
    assert!(trail.close(PATIENCE).await);
    let verified = accounts.verify_audit().await.unwrap();
    assert_eq!((verified.records, verified.first_broken), (1_236, None));
    assert!(trail.place().await.is_err(), "nothing is changed once the trail is closed");
}

async fn a_change_can_be_waited_for(place: &Place) {
    let accounts = place.open().await;
    let trail = accounts.begin_trail("host").unwrap();
    record(&trail, &["alice"]).await;
    assert!(all(&accounts).await.iter().any(|record| record.user.as_deref() == Some("alice")));
    trail.close(PATIENCE).await;
}

async fn records_are_filtered_and_paged_the_newest_first(place: &Place) {
    let (accounts, clock) = TestClock::of(&place.open().await);
    let trail = accounts.begin_trail("host").unwrap();
    let start = clock.now();
    for user in ["alice", "bob", "alice", "bob", "alice"] {
        clock.advance(Duration::from_secs(1));
        record(&trail, &[user]).await;
    }
    let base = AuditQuery { limit: 2, user: Some("alice".to_owned()), ..AuditQuery::default() };
    let first = accounts.audit(base.clone()).await.unwrap();
    let second = accounts.audit(AuditQuery { after: first.next.clone(), ..base.clone() }).await.unwrap();
    let numbers: Vec<u64> = first.items.iter().chain(&second.items).map(|it| it.sequence).collect();
    assert_eq!((numbers, second.next), (vec![6, 4, 2], None));

    let at = |seconds| Some(start + Duration::from_secs(seconds));
    let between = AuditQuery { since: at(2), until: at(4), limit: 100, ..AuditQuery::default() };
    let found = accounts.audit(between).await.unwrap().items;
    assert_eq!(found.iter().map(|it| it.sequence).collect::<Vec<_>>(), [4, 3]);
    let started = AuditQuery { action: Some("started".to_owned()), limit: 9, ..AuditQuery::default() };
    assert_eq!(accounts.audit(started).await.unwrap().items.len(), 1);
    let nobody = AuditQuery { actor: Some("alice".to_owned()), limit: 9, ..AuditQuery::default() };
    assert!(accounts.audit(nobody).await.unwrap().items.is_empty());
    trail.close(PATIENCE).await;
}

async fn chains_see_each_other(place: &Place) {
    let accounts = place.open().await;
    let first = accounts.begin_trail("first").unwrap();
    record(&first, &["alice"]).await;
    first.close(PATIENCE).await;
    let end = all(&accounts).await.into_iter().max_by_key(|record| record.sequence).unwrap();
    let second = accounts.begin_trail("second").unwrap();
    record(&second, &[]).await;
    second.close(PATIENCE).await;
    let started =
        all(&accounts).await.into_iter().find(|it| it.chain != end.chain && it.sequence == 1).unwrap();
    let detail: serde_json::Value = serde_json::from_str(&started.detail).unwrap();
    assert_eq!(detail["heads"][0]["chain"], end.chain);
    assert_eq!(detail["heads"][0]["sequence"], 3);
    assert_eq!(detail["heads"][0]["hash"], end.hash);
}

async fn old_records_go_and_the_rest_is_still_intact(place: &Place) {
    let (accounts, clock) = TestClock::of(&place.open().await);
    let old = accounts.begin_trail("old").unwrap();
    record(&old, &["alice"; 3]).await;
    old.close(PATIENCE).await;
    let trail = accounts.begin_trail("host").unwrap();
    record(&trail, &["alice"; 3]).await;
    clock.advance(31 * DAY);
    record(&trail, &["bob"; 3]).await;
    assert_eq!(accounts.expire_audit(30 * DAY, &trail).await.unwrap(), 5 + 4);
    let mut records = all(&accounts).await;
    records.sort_by_key(|record| record.sequence);
    assert_eq!(actions(&records), ["gap", "gap", "gap", "expired"]);
    let verified = accounts.verify_audit().await.unwrap();
    assert_eq!((verified.records, verified.first_broken), (4, None));
    // Again, when the record of the first removal is old itself.
    clock.advance(31 * DAY);
    record(&trail, &["carol"]).await;
    assert_eq!(accounts.expire_audit(30 * DAY, &trail).await.unwrap(), 4);
    assert_eq!(accounts.expire_audit(30 * DAY, &trail).await.unwrap(), 0);
    assert_eq!(accounts.verify_audit().await.unwrap().first_broken, None);
    trail.close(PATIENCE).await;
}

async fn a_chain_of_which_nothing_is_left_is_forgotten(place: &Place) {
    let (accounts, clock) = TestClock::of(&place.open().await);
    let old = accounts.begin_trail("old").unwrap();
    record(&old, &["alice"]).await;
    old.close(PATIENCE).await;
    clock.advance(38 * DAY);
    let trail = accounts.begin_trail("host").unwrap();
    record(&trail, &["bob"]).await;
    accounts.expire_audit(30 * DAY, &trail).await.unwrap();
    let verified = accounts.verify_audit().await.unwrap();
    assert_eq!((verified.first_broken, verified.heads.len()), (None, 1));
    trail.close(PATIENCE).await;
}
