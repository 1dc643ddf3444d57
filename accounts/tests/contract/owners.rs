//! Admins changed and removed, and the owner who stays whoever asks at the same time.

use wharfinger_accounts::{Accounts, AdminChange, ChangeError, Refusal, Role, Status, StoreError};

use crate::place::{ALICES, Place, name, password, refusal};

crate::on_both_stores!(
    an_admins_role_and_status_change,
    an_admins_password_is_rotated,
    admins_are_listed_by_name,
    the_last_enabled_owner_stays,
    of_two_owners_who_remove_each_other_one_stays,
    of_many_owners_demoted_at_once_one_stays,
    a_change_to_another_version_than_expected_is_a_conflict,
    an_auditor_may_always_go,
);

async fn owner(accounts: &Accounts, owner: &str) {
    accounts.create_admin(name(owner), Role::Owner, Some(password(ALICES))).await.unwrap();
}

fn to_role(role: Role) -> AdminChange {
    AdminChange { role: Some(role), status: None }
}

fn to_status(status: Status) -> AdminChange {
    AdminChange { role: None, status: Some(status) }
}

async fn enabled_owners(accounts: &Accounts) -> usize {
    let page = accounts.admins(None, 1000).await.unwrap();
    let enabled = |admin: &&wharfinger_accounts::Admin| admin.status == Status::Active;
    page.items.iter().filter(enabled).filter(|admin| admin.role == Role::Owner).count()
}

async fn an_admins_role_and_status_change(place: &Place) {
    let accounts = place.open().await;
    owner(&accounts, "owner").await;
    accounts.create_admin(name("bob"), Role::Auditor, Some(password(ALICES))).await.unwrap();
    let changed = accounts.change_admin(&name("bob"), to_role(Role::UserManager), None).await.unwrap().after;
    assert_eq!((changed.role, changed.version), (Role::UserManager, 2));
    let changed =
        accounts.change_admin(&name("bob"), to_status(Status::Disabled), Some(2)).await.unwrap().after;
    assert_eq!((changed.status, changed.version), (Status::Disabled, 3));
    let again = accounts.change_admin(&name("bob"), to_status(Status::Disabled), None).await.unwrap().after;
    assert_eq!(again, changed, "nothing changes the second time");
    assert_eq!(refusal(accounts.admin_log_in("bob", &password(ALICES)).await), Refusal::Disabled);
    let nobody = accounts.change_admin(&name("nobody"), to_role(Role::Owner), None).await;
    assert_eq!(nobody, Err(StoreError::NotFound));
}

async fn an_admins_password_is_rotated(place: &Place) {
    let accounts = place.open().await;
    owner(&accounts, "owner").await;
    let new = Some(password("another good password"));
    let (admin, generated) =
        accounts.rotate_admin_password(&name("owner"), new.clone(), Some(1)).await.unwrap();
    assert_eq!((admin.after.version, generated.is_none()), (2, true));
    assert_eq!(refusal(accounts.admin_log_in("owner", &password(ALICES)).await), Refusal::WrongPassword);
    assert!(accounts.admin_log_in("owner", &new.clone().unwrap()).await.is_ok());
    let stale = accounts.rotate_admin_password(&name("owner"), new, Some(1)).await;
    assert!(matches!(stale, Err(ChangeError::Store(StoreError::Conflict))), "{stale:?}");
    let (_, generated) = accounts.rotate_admin_password(&name("owner"), None, None).await.unwrap();
    assert!(accounts.admin_log_in("owner", &generated.unwrap()).await.is_ok());
}

async fn admins_are_listed_by_name(place: &Place) {
    let accounts = place.open().await;
    for admin in ["b", "A", "a"] {
        owner(&accounts, admin).await;
    }
    let first = accounts.admins(None, 2).await.unwrap();
    let names: Vec<&str> = first.items.iter().map(|admin| admin.username.as_str()).collect();
    assert_eq!(names, ["A", "a"], "byte for byte");
    let rest = accounts.admins(first.next.as_ref(), 2).await.unwrap();
    assert_eq!((rest.items.len(), rest.items[0].username.as_str(), rest.next), (1, "b", None));
}

async fn the_last_enabled_owner_stays(place: &Place) {
    let accounts = place.open().await;
    owner(&accounts, "one").await;
    owner(&accounts, "two").await;
    accounts.change_admin(&name("two"), to_status(Status::Disabled), None).await.unwrap();
    let last = name("one");
    for change in [to_status(Status::Disabled), to_role(Role::UserManager), to_role(Role::Auditor)] {
        assert_eq!(accounts.change_admin(&last, change, None).await, Err(StoreError::LastOwner));
    }
    assert_eq!(accounts.remove_admin(&last, None).await, Err(StoreError::LastOwner));
    assert_eq!(accounts.admin(&last).await.unwrap().version, 1, "nothing of it was done");
    accounts.change_admin(&name("two"), to_status(Status::Active), None).await.unwrap();
    accounts.remove_admin(&last, None).await.unwrap();
    assert_eq!(accounts.admin(&last).await, Err(StoreError::NotFound));
}

async fn of_two_owners_who_remove_each_other_one_stays(place: &Place) {
    let (one, two) = (place.open().await, place.open().await);
    owner(&one, "one").await;
    owner(&one, "two").await;
    let (name_one, name_two) = (name("one"), name("two"));
    let (first, second) = tokio::join!(one.remove_admin(&name_two, None), two.remove_admin(&name_one, None));
    let outcomes = [first, second];
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    assert!(outcomes.contains(&Err(StoreError::LastOwner)), "{outcomes:?}");
    assert_eq!(enabled_owners(&one).await, 1);
}

async fn of_many_owners_demoted_at_once_one_stays(place: &Place) {
    let (one, two) = (place.open().await, place.open().await);
    let names: Vec<_> = (0..6).map(|n| name(&format!("owner-{n}"))).collect();
    for admin in &names {
        owner(&one, admin.as_str()).await;
    }
    let changes = names.iter().enumerate().map(|(n, admin)| {
        let accounts = if n % 2 == 0 { &one } else { &two };
        let change = if n % 3 == 0 { to_status(Status::Disabled) } else { to_role(Role::Auditor) };
        accounts.change_admin(admin, change, None)
    });
    let outcomes = futures_util::future::join_all(changes).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 5, "{outcomes:?}");
    assert_eq!(enabled_owners(&two).await, 1);
}

async fn a_change_to_another_version_than_expected_is_a_conflict(place: &Place) {
    let accounts = place.open().await;
    owner(&accounts, "one").await;
    owner(&accounts, "two").await;
    let stale = accounts.change_admin(&name("one"), to_role(Role::Auditor), Some(7)).await;
    assert_eq!(stale, Err(StoreError::Conflict));
    assert_eq!(accounts.remove_admin(&name("one"), Some(7)).await, Err(StoreError::Conflict));
    assert_eq!(accounts.remove_admin(&name("one"), Some(1)).await.unwrap().version, 1);
    assert_eq!(accounts.remove_admin(&name("one"), Some(1)).await, Err(StoreError::NotFound));
}

async fn an_auditor_may_always_go(place: &Place) {
    let accounts = place.open().await;
    accounts.create_admin(name("auditor"), Role::Auditor, Some(password(ALICES))).await.unwrap();
    accounts.remove_admin(&name("auditor"), None).await.unwrap();
    assert!(!accounts.has_admin().await.unwrap());
}
