//! What a change says of itself, and homes that are given and removed, while others change the same.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::sleep;
use wharfinger_accounts::{
    Accounts, AdminChange, ChangeError, Edited, Home, NewUser, Role, Status, StoreError, Username, Versions,
};

use crate::place::{ALICES, Place, create_alice, name, password};
use crate::presence::node;

crate::on_both_stores!(
    a_change_tells_exactly_what_it_found_whoever_else_changes_the_user,
    an_admins_change_tells_exactly_what_it_found_too,
    any_of_several_versions_may_be_changed_and_no_other,
    nobody_keeps_a_home_that_began_to_go_at_that_moment,
    nobody_moves_to_a_home_that_began_to_go_at_that_moment,
    of_many_who_remove_a_user_with_the_files_one_does_and_the_files_go,
);

/// Changes made at once, put in the order in which they were made, lead from one to the next.
#[track_caller]
fn lead_on<T: PartialEq + std::fmt::Debug>(mut edits: Vec<Edited<T>>, version: impl Fn(&T) -> u64) {
    edits.retain(|edited| edited.before != edited.after);
    edits.sort_by_key(|edited| version(&edited.before));
    for pair in edits.windows(2) {
        assert_eq!(pair[0].after, pair[1].before);
    }
}

async fn a_change_tells_exactly_what_it_found_whoever_else_changes_the_user(place: &Place) {
    let (one, two) = (place.open().await, place.open().await);
    let alice = create_alice(&one).await;
    let alice = &alice.username;
    let changes = (0..12).map(|n| {
        let accounts = if n % 2 == 0 { &one } else { &two };
        let describe = move |user: &mut NewUser| user.description = format!("{n}");
        async move {
            let edited = accounts.change_user(alice, None, describe).await.unwrap();
            Edited { before: edited.before.user, after: edited.after.user }
        }
    });
    let edits = join_all(changes).await;
    assert_eq!(edits.len(), 12);
    lead_on(edits, |user| user.version);
    let last = one.user(alice).await.unwrap().user;
    assert_eq!(last.version, 13);
    let rotated = two.rotate_password(alice, wharfinger_accounts::Rotation::default(), None).await.unwrap();
    assert_eq!(rotated.before, last);
    assert_eq!(one.remove_user(alice, None).await.unwrap(), Some(rotated.user));
}

async fn an_admins_change_tells_exactly_what_it_found_too(place: &Place) {
    let (one, two) = (place.open().await, place.open().await);
    for admin in ["owner", "bob"] {
        one.create_admin(name(admin), Role::Owner, Some(password(ALICES))).await.unwrap();
    }
    let bob = &name("bob");
    let roles = [Role::Auditor, Role::UserManager, Role::Owner, Role::Auditor, Role::UserManager];
    let changes = roles.into_iter().enumerate().map(|(n, role)| {
        let accounts = if n % 2 == 0 { &one } else { &two };
        accounts.change_admin(bob, AdminChange { role: Some(role), status: None }, None)
    });
    let edits: Vec<_> = join_all(changes).await.into_iter().map(Result::unwrap).collect();
    lead_on(edits, |admin| admin.version);
    let last = one.admin(bob).await.unwrap();
    assert_eq!(two.remove_admin(bob, None).await.unwrap(), last);
}

async fn any_of_several_versions_may_be_changed_and_no_other(place: &Place) {
    let accounts = place.open().await;
    let alice = create_alice(&accounts).await.username;
    let to =
        |status, versions: &[u64]| accounts.set_status(&alice, status, Versions::OneOf(versions.to_vec()));
    assert_eq!(to(Status::Disabled, &[2, 3]).await, Err(StoreError::Conflict));
    assert_eq!(to(Status::Disabled, &[]).await, Err(StoreError::Conflict));
    assert_eq!(to(Status::Disabled, &[3, 1]).await.unwrap().after.user.version, 2);
    assert_eq!(to(Status::Active, &[1, 2]).await.unwrap().after.user.version, 3);
    let remove = |versions: &[u64]| accounts.remove_user(&alice, Versions::OneOf(versions.to_vec()));
    assert_eq!(remove(&[1, 2]).await, Err(StoreError::Conflict));
    assert!(remove(&[2, 3]).await.unwrap().is_some());
}

fn in_home(username: Username, home: &str) -> NewUser {
    NewUser { home: home.parse().unwrap(), ..NewUser::named(username) }
}

/// All homes that a file server would remove now.
async fn going(accounts: &Accounts) -> HashSet<Home> {
    let presence = node(accounts, "north");
    presence.beat(0).await.unwrap();
    let mut going = HashSet::new();
    while let Some((home, _)) = presence.claim_removal().await.unwrap() {
        presence.end_removal(&home).await.unwrap();
        going.insert(home);
    }
    going
}

async fn nobody_keeps_a_home_that_began_to_go_at_that_moment(place: &Place) {
    let (one, two) = (place.open().await, place.open().await);
    let (one, two) = (&one, &two);
    let rounds = (0..12_u64).map(|n| async move {
        let (old, new, home) = (name(&format!("old-{n}")), name(&format!("new-{n}")), format!("home-{n}"));
        one.create_user(in_home(old.clone(), &home), Some(password(ALICES))).await.unwrap();
        let removal = async {
            // Spread over the time that it takes to make a user.
            sleep(Duration::from_millis(n * 5)).await;
            one.remove_user_and_files(&old, None).await
        };
        let creation = two.create_user(in_home(new.clone(), &home), Some(password(ALICES)));
        let (removed, made) = tokio::join!(removal, creation);
        let goes = match removed {
            Ok(_) => true,
            Err(ChangeError::Store(StoreError::SharedHome)) => false,
            Err(error) => panic!("{error:?}"),
        };
        match made {
            Ok(_) => assert!(!goes, "{home} was given to somebody, and goes"),
            Err(ChangeError::Store(StoreError::HomeIsGoing)) => {
                assert_eq!(one.user(&new).await, Err(StoreError::NotFound));
            }
            Err(error) => panic!("{error:?}"),
        }
        goes.then(|| home.parse::<Home>().unwrap())
    });
    let expected: HashSet<Home> = join_all(rounds).await.into_iter().flatten().collect();
    assert_eq!(going(one).await, expected);
}

async fn nobody_moves_to_a_home_that_began_to_go_at_that_moment(place: &Place) {
    let (one, two) = (place.open().await, place.open().await);
    let (one, two) = (&one, &two);
    let rounds = (0..12_u64).map(|n| async move {
        let (old, other) = (name(&format!("old-{n}")), name(&format!("other-{n}")));
        let (home, elsewhere) = (format!("home-{n}"), format!("elsewhere-{n}"));
        for (user, home) in [(&old, &home), (&other, &elsewhere)] {
            one.create_user(in_home(user.clone(), home), Some(password(ALICES))).await.unwrap();
        }
        let removal = async {
            sleep(Duration::from_millis(n)).await;
            one.remove_user_and_files(&old, None).await
        };
        let moving = two.change_user(&other, None, |user| user.home = home.parse().unwrap());
        let (removed, moved) = tokio::join!(removal, moving);
        let now = one.user(&other).await.unwrap().user;
        match (removed, moved) {
            (Ok(_), Err(ChangeError::Store(StoreError::HomeIsGoing))) => {
                assert_eq!(now.home.as_str(), elsewhere);
            }
            (Err(ChangeError::Store(StoreError::SharedHome)), Ok(edited)) => {
                assert_eq!(now, edited.after.user);
                assert_eq!(now.home.as_str(), home);
            }
            // Each has seen the other.
            (
                Err(ChangeError::Store(StoreError::SharedHome)),
                Err(ChangeError::Store(StoreError::HomeIsGoing)),
            ) => assert_eq!(now.home.as_str(), elsewhere),
            unexpected => panic!("{unexpected:?}"),
        }
    });
    join_all(rounds).await;
}

async fn of_many_who_remove_a_user_with_the_files_one_does_and_the_files_go(place: &Place) {
    let (one, two) = (place.open().await, place.open().await);
    let alice = create_alice(&one).await;
    let removals = (0..6).map(|n| {
        let accounts = if n % 2 == 0 { &one } else { &two };
        accounts.remove_user_and_files(&alice.username, None)
    });
    let outcomes = join_all(removals).await;
    let done: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok()).collect();
    assert_eq!(done, [&Some(alice.clone())]);
    let absent = |outcome: &&Result<_, _>| matches!(outcome, Err(ChangeError::Store(StoreError::NotFound)));
    assert_eq!(outcomes.iter().filter(absent).count(), 5, "{outcomes:?}");
    assert_eq!(going(&two).await, HashSet::from([alice.home]));
}
