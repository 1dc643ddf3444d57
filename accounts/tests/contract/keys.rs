//! API keys: made once, checked by their digest, good only while their maker is.

use std::time::Duration;

use jiff::Timestamp;
use wharfinger_accounts::{
    Accounts, AdminChange, ApiKey, ChangeError, KeyName, Password, Role, Status, StoreError,
};

use crate::place::{ALICES, Place, TestClock, name, password};

crate::on_both_stores!(
    a_key_is_good_until_it_is_removed,
    a_key_is_good_until_it_expires,
    a_key_that_was_changed_is_no_key,
    a_key_dies_with_its_maker,
    a_key_never_has_more_than_its_maker,
    keys_are_listed_with_their_last_use,
);

async fn owner(accounts: &Accounts) {
    accounts.create_admin(name("owner"), Role::Owner, Some(password(ALICES))).await.unwrap();
    accounts.create_admin(name("maker"), Role::Owner, Some(password(ALICES))).await.unwrap();
}

async fn make(accounts: &Accounts, role: Role, expires_at: Option<Timestamp>) -> (ApiKey, Password) {
    let purpose: KeyName = "of a test".parse().unwrap();
    let new = accounts.new_key(&name("maker"), purpose, role, expires_at).await.unwrap();
    accounts.create_key(new).await.unwrap()
}

async fn is_good(accounts: &Accounts, key: &Password) -> bool {
    accounts.check_key(key).await.unwrap().is_some()
}

async fn a_key_is_good_until_it_is_removed(place: &Place) {
    let accounts = place.open().await;
    owner(&accounts).await;
    let (key, text) = make(&accounts, Role::UserManager, None).await;
    assert_eq!(accounts.check_key(&text).await.unwrap(), Some(key.clone()));
    assert_eq!(accounts.remove_key(&key.id).await.unwrap(), key);
    assert!(!is_good(&accounts, &text).await);
    assert_eq!(accounts.remove_key(&key.id).await, Err(StoreError::NotFound));
}

async fn a_key_is_good_until_it_expires(place: &Place) {
    let (accounts, clock) = TestClock::of(&place.open().await);
    owner(&accounts).await;
    let end = clock.now() + jiff::SignedDuration::from_mins(1);
    let (_, text) = make(&accounts, Role::Auditor, Some(end)).await;
    assert!(is_good(&accounts, &text).await);
    clock.advance(Duration::from_mins(1));
    assert!(!is_good(&accounts, &text).await);
    let purpose: KeyName = "of a test".parse().unwrap();
    let late = accounts.new_key(&name("maker"), purpose, Role::Auditor, Some(end)).await;
    assert!(matches!(late, Err(ChangeError::Invalid(_))), "{late:?}");
}

async fn a_key_that_was_changed_is_no_key(place: &Place) {
    let accounts = place.open().await;
    owner(&accounts).await;
    let (_, text) = make(&accounts, Role::Auditor, None).await;
    let text = String::from_utf8(text.expose().to_vec()).unwrap();
    let flip = |at: usize| {
        let mut bytes = text.clone().into_bytes();
        bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
        Password::new(bytes)
    };
    for at in [4, 35, 37, text.len() - 1] {
        assert!(!is_good(&accounts, &flip(at)).await, "{at}");
    }
    assert!(!is_good(&accounts, &password(&text.to_uppercase())).await);
    assert!(is_good(&accounts, &password(&text)).await);
}

async fn a_key_dies_with_its_maker(place: &Place) {
    let accounts = place.open().await;
    owner(&accounts).await;
    let (_, text) = make(&accounts, Role::Auditor, None).await;
    let to = |status| AdminChange { role: None, status: Some(status) };
    accounts.change_admin(&name("maker"), to(Status::Disabled), None).await.unwrap();
    assert!(!is_good(&accounts, &text).await);
    accounts.change_admin(&name("maker"), to(Status::Active), None).await.unwrap();
    assert!(is_good(&accounts, &text).await);
    accounts.remove_admin(&name("maker"), None).await.unwrap();
    assert!(!is_good(&accounts, &text).await);
    accounts.create_admin(name("maker"), Role::Owner, Some(password(ALICES))).await.unwrap();
    assert!(!is_good(&accounts, &text).await, "another admin of that name did not make it");
}

async fn a_key_never_has_more_than_its_maker(place: &Place) {
    let accounts = place.open().await;
    owner(&accounts).await;
    let (_, much) = make(&accounts, Role::Owner, None).await;
    let (_, little) = make(&accounts, Role::Auditor, None).await;
    let demoted = AdminChange { role: Some(Role::UserManager), status: None };
    accounts.change_admin(&name("maker"), demoted, None).await.unwrap();
    assert!(!is_good(&accounts, &much).await);
    assert!(is_good(&accounts, &little).await);
}

async fn keys_are_listed_with_their_last_use(place: &Place) {
    let (accounts, clock) = TestClock::of(&place.open().await);
    owner(&accounts).await;
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(make(&accounts, Role::Auditor, None).await);
    }
    let first_use = clock.now();
    assert!(is_good(&accounts, &made[0].1).await);
    clock.advance(Duration::from_secs(59));
    assert!(is_good(&accounts, &made[0].1).await);
    let used = |page: &wharfinger_accounts::KeyPage, id: &str| {
        page.items.iter().find(|(key, _)| key.id == id).unwrap().1
    };
    let all = accounts.keys(None, 10).await.unwrap();
    assert_eq!(used(&all, &made[0].0.id), Some(first_use), "to the minute");
    assert_eq!(used(&all, &made[1].0.id), None);
    clock.advance(Duration::from_secs(1));
    assert!(is_good(&accounts, &made[0].1).await);
    assert_eq!(used(&accounts.keys(None, 10).await.unwrap(), &made[0].0.id), Some(clock.now()));
    let page = accounts.keys(None, 2).await.unwrap();
    let rest = accounts.keys(page.next.as_deref(), 2).await.unwrap();
    let ids: Vec<_> = page.items.iter().chain(&rest.items).map(|(key, _)| key.id.clone()).collect();
    let mut sorted: Vec<_> = made.iter().map(|(key, _)| key.id.clone()).collect();
    sorted.sort();
    assert_eq!((ids, rest.next), (sorted, None));
}
