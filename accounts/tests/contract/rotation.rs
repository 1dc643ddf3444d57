//! Giving a user another password: with a grace time for the old one, and without.

use std::time::Duration;

use jiff::SignedDuration;
use wharfinger_accounts::{ChangeError, NewUser, PasswordRule, Refusal, Rotation, StoreError};

use crate::place::{ALICES, Place, TestClock, create_alice, log_in, name, password, refusal};

crate::on_both_stores!(
    both_passwords_work_until_the_grace_is_over,
    without_grace_the_old_password_is_done_at_once,
    a_second_rotation_ends_the_first_ones_grace,
    the_use_of_the_previous_password_is_shown,
    a_rotation_ends_sessions_only_if_asked_to,
    a_generated_password_is_shown_and_works,
    a_rotation_clears_the_old_passwords_dates,
    a_rotation_that_is_refused_changes_nothing,
    rotations_at_the_same_time_leave_one_password,
);

const HOUR: Duration = Duration::from_hours(1);
const NEW: &str = "alices new password";

fn to(text: &str, grace: Option<Duration>) -> Rotation {
    Rotation { password: Some(password(text)), grace, end_sessions: false }
}

async fn both_passwords_work_until_the_grace_is_over(place: &Place) {
    let (accounts, clock) = TestClock::of(&place.open().await);
    let alice = create_alice(&accounts).await;
    log_in(&accounts, "alice", ALICES).await.unwrap();
    let rotated = accounts.rotate_password(&alice.username, to(NEW, Some(HOUR)), None).await.unwrap();
    let end = clock.now() + SignedDuration::from_hours(1);
    assert_eq!(rotated.user.previous_valid_until, Some(end));
    assert!(rotated.generated.is_none());
    assert_eq!(rotated.user.version, 2);
    clock.advance(Duration::from_millis(3_599_999));
    // Twice: once by hashing, once from what was proven.
    for _ in 0..2 {
        log_in(&accounts, "alice", NEW).await.unwrap();
        log_in(&accounts, "alice", ALICES).await.unwrap();
    }
    clock.advance(Duration::from_millis(1));
    assert_eq!(refusal(log_in(&accounts, "alice", ALICES).await), Refusal::WrongPassword);
    log_in(&accounts, "alice", NEW).await.unwrap();
}

async fn without_grace_the_old_password_is_done_at_once(place: &Place) {
    let accounts = place.open().await;
    let alice = create_alice(&accounts).await;
    for (grace, old, new) in [(None, ALICES, NEW), (Some(Duration::ZERO), NEW, "yet another password")] {
        let rotated = accounts.rotate_password(&alice.username, to(new, grace), None).await.unwrap();
        assert_eq!(rotated.user.previous_valid_until, None);
        assert_eq!(refusal(log_in(&accounts, "alice", old).await), Refusal::WrongPassword);
        log_in(&accounts, "alice", new).await.unwrap();
    }
}

async fn a_second_rotation_ends_the_first_ones_grace(place: &Place) {
    let accounts = place.open().await;
    let alice = create_alice(&accounts).await;
    accounts.rotate_password(&alice.username, to(NEW, Some(HOUR)), None).await.unwrap();
    accounts.rotate_password(&alice.username, to("a third password", Some(HOUR)), None).await.unwrap();
    assert_eq!(refusal(log_in(&accounts, "alice", ALICES).await), Refusal::WrongPassword);
    log_in(&accounts, "alice", NEW).await.unwrap();
    log_in(&accounts, "alice", "a third password").await.unwrap();
}

async fn the_use_of_the_previous_password_is_shown(place: &Place) {
    let (accounts, clock) = TestClock::of(&place.open().await);
    let alice = create_alice(&accounts).await;
    let used = async || accounts.user(&alice.username).await.unwrap().activity.previous_password_last_used_at;
    accounts.rotate_password(&alice.username, to(NEW, Some(HOUR)), None).await.unwrap();
    log_in(&accounts, "alice", NEW).await.unwrap();
    assert_eq!(used().await, None);
    clock.advance(Duration::from_mins(1));
    log_in(&accounts, "alice", ALICES).await.unwrap();
    let then = clock.now();
    clock.advance(Duration::from_mins(1));
    log_in(&accounts, "alice", NEW).await.unwrap();
    assert_eq!(used().await, Some(then), "a login with the new password hides nothing");
    accounts.rotate_password(&alice.username, to("a third password", Some(HOUR)), None).await.unwrap();
    assert_eq!(used().await, None, "what is now the previous password has not been used yet");
}

async fn a_rotation_ends_sessions_only_if_asked_to(place: &Place) {
    let accounts = place.open().await;
    let alice = create_alice(&accounts).await;
    let rotated = accounts.rotate_password(&alice.username, Rotation::default(), None).await.unwrap();
    assert_eq!(rotated.user.session_epoch, alice.session_epoch);
    let ending = Rotation { end_sessions: true, ..Rotation::default() };
    let rotated = accounts.rotate_password(&alice.username, ending, None).await.unwrap();
    assert_eq!(rotated.user.session_epoch, alice.session_epoch + 1);
}

async fn a_generated_password_is_shown_and_works(place: &Place) {
    let accounts = place.open().await;
    create_alice(&accounts).await;
    let rotated = accounts.rotate_password(&name("alice"), Rotation::default(), None).await.unwrap();
    let generated = rotated.generated.unwrap();
    let text = std::str::from_utf8(generated.expose()).unwrap();
    log_in(&accounts, "alice", text).await.unwrap();
}

async fn a_rotation_clears_the_old_passwords_dates(place: &Place) {
    let (accounts, clock) = TestClock::of(&place.open().await);
    let soon = Some(clock.now() + jiff::SignedDuration::from_secs(1));
    let new = NewUser { password_expires_at: soon, must_change_by: soon, ..NewUser::named(name("alice")) };
    accounts.create_user(new, Some(password(ALICES))).await.unwrap();
    clock.advance(Duration::from_secs(1));
    assert_eq!(refusal(log_in(&accounts, "alice", ALICES).await), Refusal::PasswordExpired);
    clock.advance(HOUR);
    let rotated = accounts.rotate_password(&name("alice"), to(NEW, None), None).await.unwrap();
    assert_eq!((rotated.user.password_expires_at, rotated.user.must_change_by), (None, None));
    assert_eq!(rotated.user.password_changed_at, clock.now());
    log_in(&accounts, "alice", NEW).await.unwrap();
}

async fn a_rotation_that_is_refused_changes_nothing(place: &Place) {
    let accounts = place.open().await;
    let alice = create_alice(&accounts).await;
    let refused = accounts.rotate_password(&alice.username, to("short", None), None).await;
    assert!(matches!(refused, Err(ChangeError::Password(PasswordRule::TooShort))), "{refused:?}");
    let refused = accounts.rotate_password(&alice.username, to(NEW, Some(Duration::MAX)), None).await;
    assert!(matches!(refused, Err(ChangeError::Invalid(_))), "{refused:?}");
    let refused = accounts.rotate_password(&name("nobody"), to(NEW, None), None).await;
    assert!(matches!(refused, Err(ChangeError::Store(StoreError::NotFound))), "{refused:?}");
    assert_eq!(accounts.user(&alice.username).await.unwrap().user, alice);
    log_in(&accounts, "alice", ALICES).await.unwrap();
}

async fn rotations_at_the_same_time_leave_one_password(place: &Place) {
    let (one, two) = (place.open().await, place.open().await);
    let alice = create_alice(&one).await;
    let texts: Vec<String> = (0..4).map(|n| format!("password number {n}")).collect();
    let rotations = texts.iter().enumerate().map(|(n, text)| {
        let accounts = if n % 2 == 0 { &one } else { &two };
        accounts.rotate_password(&alice.username, to(text, None), None)
    });
    for rotated in futures_util::future::join_all(rotations).await {
        rotated.unwrap();
    }
    assert_eq!(one.user(&alice.username).await.unwrap().user.version, 5, "each of them was applied");
    let mut working = 0;
    for text in &texts {
        working += u32::from(log_in(&one, "alice", text).await.is_ok());
    }
    assert_eq!(working, 1);
}
