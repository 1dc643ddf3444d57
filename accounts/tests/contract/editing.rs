//! Users changed, asked about, and unlocked.

use jiff::Timestamp;
use wharfinger_accounts::{ChangeError, Permissions, Protocol, Question, Quota, Status, StoreError};

use crate::place::{Place, TestClock, create_alice, name};

crate::on_both_stores!(
    a_change_keeps_what_it_does_not_touch,
    a_change_that_breaks_a_rule_changes_nothing,
    disabling_by_a_change_ends_sessions,
    of_two_changes_to_one_version_one_wins,
    an_explanation_follows_the_user,
    an_unlock_is_seen_by_every_program,
);

async fn a_change_keeps_what_it_does_not_touch(place: &Place) {
    let accounts = place.open().await;
    let before = create_alice(&accounts).await;
    let quota = Quota { max_bytes: Some(5), max_files: None };
    let after =
        accounts.change_user(&name("alice"), Some(1), |user| user.quota = quota).await.unwrap().after.user;
    assert_eq!((after.quota, after.version), (quota, 2));
    let undone = wharfinger_accounts::User {
        quota: before.quota,
        version: 1,
        updated_at: before.updated_at,
        ..after.clone()
    };
    assert_eq!(undone, before);
    assert_eq!(accounts.user(&name("alice")).await.unwrap().user, after);
    let same = accounts.change_user(&name("alice"), None, |_| {}).await.unwrap().after.user;
    assert_eq!(same, after, "nothing to change makes no new version");
}

async fn a_change_that_breaks_a_rule_changes_nothing(place: &Place) {
    let (accounts, clock) = TestClock::of(&place.open().await);
    let before = create_alice(&accounts).await;
    let past = Some(clock.now());
    let refused = accounts.change_user(&name("alice"), None, |user| user.expires_at = past).await;
    assert!(matches!(&refused, Err(ChangeError::Invalid(why)) if why.field() == "expires_at"), "{refused:?}");
    let long = "x".repeat(2000);
    let refused = accounts.change_user(&name("alice"), None, |user| user.description.clone_from(&long)).await;
    assert!(matches!(refused, Err(ChangeError::Invalid(_))), "{refused:?}");
    let renamed = accounts.change_user(&name("alice"), None, |user| user.username = name("bob")).await;
    assert_eq!(renamed.unwrap().after.user, before, "a name stays");
    let missing = accounts.change_user(&name("bob"), None, |_| {}).await;
    assert!(matches!(missing, Err(ChangeError::Store(StoreError::NotFound))), "{missing:?}");
}

async fn disabling_by_a_change_ends_sessions(place: &Place) {
    let accounts = place.open().await;
    create_alice(&accounts).await;
    let to = async |status| {
        accounts.change_user(&name("alice"), None, |user| user.status = status).await.unwrap().after.user
    };
    assert_eq!(to(Status::Disabled).await.session_epoch, 1);
    assert_eq!(to(Status::Active).await.session_epoch, 1);
}

async fn of_two_changes_to_one_version_one_wins(place: &Place) {
    let (one, two) = (place.open().await, place.open().await);
    create_alice(&one).await;
    let alice = name("alice");
    let changes = (0..8).map(|n| {
        let accounts = if n % 2 == 0 { &one } else { &two };
        accounts.change_user(&alice, Some(1), move |user| user.description = format!("{n}"))
    });
    let outcomes = futures_util::future::join_all(changes).await;
    let lost = |outcome: &&Result<_, _>| matches!(outcome, Err(ChangeError::Store(StoreError::Conflict)));
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert_eq!(outcomes.iter().filter(lost).count(), 7);
}

async fn an_explanation_follows_the_user(place: &Place) {
    let accounts = place.open().await;
    create_alice(&accounts).await;
    let question = |address: &str| Question {
        address: Some(address.parse().unwrap()),
        protocol: Protocol::Ftps,
        deed: Some((wharfinger_accounts::Action::Upload, b"/in/a")),
    };
    assert!(accounts.explain(&name("alice"), &question("192.0.2.7")).await.unwrap().allowed);
    let networks = vec!["192.0.2.0/24".parse().unwrap()];
    let none = Permissions::try_from(Vec::new()).unwrap();
    let alice = name("alice");
    let change = accounts.change_user(&alice, None, |user| {
        user.allowed_networks.clone_from(&networks);
        user.permissions = none.clone();
    });
    change.await.unwrap();
    let last = async |address| {
        let told = accounts.explain(&name("alice"), &question(address)).await.unwrap();
        (told.allowed, told.trace.last().unwrap().rule)
    };
    assert_eq!(last("198.51.100.1").await, (false, "allowed_networks"));
    assert_eq!(last("::ffff:192.0.2.7").await, (false, "permissions"));
    let nobody = accounts.explain(&name("nobody"), &question("192.0.2.7")).await;
    assert_eq!(nobody, Err(StoreError::NotFound));
}

async fn an_unlock_is_seen_by_every_program(place: &Place) {
    let (one, two) = (place.open().await, place.open().await);
    let (one, clock) = TestClock::of(&one);
    create_alice(&one).await;
    assert_eq!(two.unlocks().await.unwrap(), []);
    one.unlock(&name("alice")).await.unwrap();
    let seen = two.unlocks().await.unwrap();
    assert_eq!((seen.len(), seen[0].username.as_str(), seen[0].at), (1, "alice", clock.now()));
    clock.advance(std::time::Duration::from_secs(2));
    one.unlock(&name("alice")).await.unwrap();
    let again: Vec<Timestamp> = two.unlocks().await.unwrap().into_iter().map(|unlock| unlock.at).collect();
    assert_eq!(again, [clock.now()]);
    assert_eq!(one.unlock(&name("nobody")).await, Err(StoreError::NotFound));
}
