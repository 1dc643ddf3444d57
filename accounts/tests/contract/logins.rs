//! Logging in: who is let in, who is refused and why, and what is noted.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use wharfinger_accounts::{Accounts, LoginError, NewUser, Protocol, Refusal, Status};

use crate::place::{
    ALICES, ANYWHERE, Place, TestClock, create_alice, log_in, log_in_from, name, password, refusal,
};

crate::on_both_stores!(
    the_right_password_lets_in_and_is_noted,
    every_other_login_is_refused,
    names_no_user_can_have_are_refused,
    policy_is_refused_even_with_the_right_password,
    times_in_a_policy_pass,
    networks_are_matched_also_for_mapped_addresses,
    a_proven_login_is_void_after_any_change,
    a_login_by_policy_refused_does_not_prove_the_password,
);

async fn the_right_password_lets_in_and_is_noted(place: &Place) {
    let (accounts, clock) = TestClock::of(&place.open().await);
    let alice = create_alice(&accounts).await;
    assert_eq!(accounts.user(&alice.username).await.unwrap().activity.last_login_at, None);
    for _first_then_proven in 0..2 {
        assert_eq!(*log_in(&accounts, "alice", ALICES).await.unwrap(), alice);
    }
    let detail = accounts.user(&alice.username).await.unwrap();
    assert_eq!(detail.user, alice, "a login changes nothing of the user");
    assert_eq!(detail.activity.last_login_at, Some(clock.now()));
    assert_eq!(detail.activity.previous_password_last_used_at, None);
}

async fn every_other_login_is_refused(place: &Place) {
    let accounts = place.open().await;
    create_alice(&accounts).await;
    assert_eq!(refusal(log_in(&accounts, "alice", "something else").await), Refusal::WrongPassword);
    assert_eq!(refusal(log_in(&accounts, "alice", "").await), Refusal::WrongPassword);
    assert_eq!(refusal(log_in(&accounts, "alice", &ALICES.to_uppercase()).await), Refusal::WrongPassword);
    assert_eq!(refusal(log_in(&accounts, "Alice", ALICES).await), Refusal::UnknownName);
    assert_eq!(refusal(log_in(&accounts, "bob", ALICES).await), Refusal::UnknownName);
    let detail = accounts.user(&name("alice")).await.unwrap();
    assert_eq!(detail.activity.last_login_at, None, "a refused login is none");
}

async fn names_no_user_can_have_are_refused(place: &Place) {
    let accounts = place.open().await;
    let huge = "a".repeat(1 << 20);
    for unusable in ["", ".", "a b", "' OR 1=1 --", "{\"$ne\": null}", "alice\0", &huge] {
        assert_eq!(refusal(log_in(&accounts, unusable, ALICES).await), Refusal::UnknownName);
    }
}

async fn policy_is_refused_even_with_the_right_password(place: &Place) {
    let accounts = place.open().await;
    let create = async |new: NewUser| {
        accounts.create_user(new, Some(password(ALICES))).await.unwrap();
    };
    create(NewUser { status: Status::Disabled, ..NewUser::named(name("disabled")) }).await;
    create(NewUser {
        allowed_networks: vec!["198.51.100.0/24".parse().unwrap()],
        ..NewUser::named(name("elsewhere"))
    })
    .await;
    create(NewUser { protocols: [Protocol::Mftp].into(), ..NewUser::named(name("mftp")) }).await;
    create(NewUser { protocols: [].into(), ..NewUser::named(name("mute")) }).await;
    let cases = [
        ("disabled", Refusal::Disabled),
        ("elsewhere", Refusal::Network),
        ("mftp", Refusal::Protocol),
        ("mute", Refusal::Protocol),
    ];
    for (user, reason) in cases {
        assert_eq!(refusal(log_in(&accounts, user, ALICES).await), reason, "{user}");
        assert_eq!(refusal(log_in(&accounts, user, "wrong").await), Refusal::WrongPassword, "{user}");
    }
}

async fn times_in_a_policy_pass(place: &Place) {
    let (accounts, clock) = TestClock::of(&place.open().await);
    let soon: Timestamp = clock.now() + SignedDuration::from_mins(1);
    let expires = NewUser { expires_at: Some(soon), ..NewUser::named(name("expires")) };
    let ages = NewUser { password_expires_at: Some(soon), ..NewUser::named(name("ages")) };
    let must = NewUser { must_change_by: Some(soon), ..NewUser::named(name("must")) };
    for new in [expires, ages, must] {
        let user = new.username.clone();
        accounts.create_user(new, Some(password(ALICES))).await.unwrap();
        assert!(
            log_in(&accounts, user.as_str(), ALICES).await.unwrap().refusal(&ANYWHERE, clock.now()).is_none()
        );
    }
    clock.advance(Duration::from_mins(1));
    assert_eq!(refusal(log_in(&accounts, "expires", ALICES).await), Refusal::Expired);
    assert_eq!(refusal(log_in(&accounts, "ages", ALICES).await), Refusal::PasswordExpired);
    assert_eq!(refusal(log_in(&accounts, "must", ALICES).await), Refusal::PasswordExpired);
    assert!(accounts.user(&name("expires")).await.unwrap().user.refusal(&ANYWHERE, clock.now()).is_some());
}

async fn networks_are_matched_also_for_mapped_addresses(place: &Place) {
    let accounts = place.open().await;
    let networks = ["192.0.2.0/24", "2001:db8::/32"].map(|network| network.parse().unwrap());
    let new = NewUser { allowed_networks: networks.into(), ..NewUser::named(name("alice")) };
    accounts.create_user(new, Some(password(ALICES))).await.unwrap();
    let from = async |address| log_in_from(&accounts, "alice", ALICES, address, Protocol::Ftps).await;
    for address in ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1"] {
        assert!(from(address).await.is_ok(), "{address}");
    }
    for address in ["192.0.3.1", "::ffff:192.0.3.1", "2001:db9::1", "::1", "127.0.0.1"] {
        assert_eq!(refusal(from(address).await), Refusal::Network, "{address}");
    }
}

async fn a_proven_login_is_void_after_any_change(place: &Place) {
    let (server, admin) = (place.open().await, place.open().await);
    let alice = create_alice(&admin).await;
    log_in(&server, "alice", ALICES).await.unwrap();
    admin.set_status(&alice.username, Status::Disabled, None).await.unwrap();
    assert_eq!(refusal(log_in(&server, "alice", ALICES).await), Refusal::Disabled);
    admin.set_status(&alice.username, Status::Active, None).await.unwrap();
    log_in(&server, "alice", ALICES).await.unwrap();
    rotate(&admin, "another password").await;
    assert_eq!(refusal(log_in(&server, "alice", ALICES).await), Refusal::WrongPassword);
    log_in(&server, "alice", "another password").await.unwrap();
    admin.remove_user(&alice.username, None).await.unwrap();
    assert_eq!(refusal(log_in(&server, "alice", "another password").await), Refusal::UnknownName);
    admin.create_user(NewUser::named(alice.username), None).await.unwrap();
    assert_eq!(refusal(log_in(&server, "alice", "another password").await), Refusal::WrongPassword);
}

async fn rotate(accounts: &Accounts, to: &str) {
    let rotation = wharfinger_accounts::Rotation { password: Some(password(to)), ..Default::default() };
    accounts.rotate_password(&name("alice"), rotation, None).await.unwrap();
}

async fn a_login_by_policy_refused_does_not_prove_the_password(place: &Place) {
    let accounts = place.open().await;
    create_alice(&accounts).await;
    let plain = log_in_from(&accounts, "alice", ALICES, "192.0.2.7", Protocol::Ftp).await;
    assert_eq!(refusal(plain), Refusal::Protocol);
    let wrong = log_in_from(&accounts, "alice", "wrong", "192.0.2.7", Protocol::Ftp).await;
    assert_eq!(refusal(wrong), Refusal::WrongPassword);
    let detail = accounts.user(&name("alice")).await.unwrap();
    assert_eq!(detail.activity.last_login_at, None);
}

#[tokio::test]
async fn a_store_that_fails_is_no_refusal() {
    let place = Place::sqlite();
    let accounts = place.open_as_it_is().await;
    let failed = log_in(&accounts, "alice", ALICES).await;
    assert!(matches!(failed, Err(LoginError::Unavailable(_))), "{failed:?}");
}
