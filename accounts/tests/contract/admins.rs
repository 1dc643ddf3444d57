//! Admins: created once, told apart from users, logged in.

use wharfinger_accounts::{ChangeError, PasswordRule, Refusal, Role, Status, StoreError};

use crate::place::{ALICES, Place, create_alice, name, password, refusal};

crate::on_both_stores!(
    an_admin_is_created_and_logs_in,
    exactly_one_of_many_first_owners_wins,
    users_are_no_admins_and_admins_no_users,
    an_admins_password_obeys_the_rules,
);

async fn an_admin_is_created_and_logs_in(place: &Place) {
    let accounts = place.open().await;
    assert!(!accounts.has_admin().await.unwrap());
    let (owner, generated) = accounts.create_admin(name("owner"), Role::Owner, None).await.unwrap();
    assert!(accounts.has_admin().await.unwrap());
    assert_eq!((owner.role, owner.status, owner.version), (Role::Owner, Status::Active, 1));
    assert_eq!(accounts.admin(&name("owner")).await.unwrap(), owner);
    assert_eq!(accounts.admin(&name("other")).await, Err(StoreError::NotFound));
    let generated = generated.unwrap();
    assert_eq!(accounts.admin_log_in("owner", &generated).await.unwrap(), owner);
    let refused = accounts.admin_log_in("owner", &password("something else")).await;
    assert_eq!(refusal(refused), Refusal::WrongPassword);
    for unknown in ["Owner", "other", "", "a b"] {
        assert_eq!(refusal(accounts.admin_log_in(unknown, &generated).await), Refusal::UnknownName);
    }
}

async fn exactly_one_of_many_first_owners_wins(place: &Place) {
    let (one, two) = (place.open().await, place.open().await);
    let creations = (0..8).map(|n| {
        let accounts = if n % 2 == 0 { &one } else { &two };
        accounts.create_admin(name("owner"), Role::Owner, None)
    });
    let outcomes = futures_util::future::join_all(creations).await;
    let taken = |outcome: &&Result<_, _>| matches!(outcome, Err(ChangeError::Store(StoreError::Taken)));
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert_eq!(outcomes.iter().filter(taken).count(), 7);
}

async fn users_are_no_admins_and_admins_no_users(place: &Place) {
    let accounts = place.open().await;
    create_alice(&accounts).await;
    assert_eq!(refusal(accounts.admin_log_in("alice", &password(ALICES)).await), Refusal::UnknownName);
    accounts.create_admin(name("bob"), Role::Auditor, Some(password(ALICES))).await.unwrap();
    assert_eq!(refusal(crate::place::log_in(&accounts, "bob", ALICES).await), Refusal::UnknownName);
}

async fn an_admins_password_obeys_the_rules(place: &Place) {
    let accounts = place.open().await;
    let refused = accounts.create_admin(name("owner"), Role::Owner, Some(password("password1234"))).await;
    assert!(matches!(refused, Err(ChangeError::Password(PasswordRule::AmongWorst))), "{refused:?}");
    assert!(!accounts.has_admin().await.unwrap());
}
