//! Users as the admin API sees them: created once, changed by version, listed by name.

use jiff::SignedDuration;
use wharfinger_accounts::{
    Action, ChangeError, ClientCertificate, Grant, Limits, NewUser, PasswordRule, Permissions, Protocol,
    Quota, Status, StoreError, Timestamp, UserPage, UserQuery,
};

use crate::place::{ALICES, ANYWHERE, Place, TestClock, create_alice, log_in, name, password};

crate::on_both_stores!(
    a_new_user_has_the_documented_defaults,
    everything_chosen_comes_back_as_it_was,
    exactly_one_of_many_creations_of_a_name_wins,
    a_password_that_breaks_a_rule_creates_nobody,
    disabling_raises_the_epoch_and_enabling_keeps_it,
    a_change_to_another_version_than_expected_is_a_conflict,
    of_two_changes_to_one_version_one_wins,
    a_removed_user_is_gone_and_may_be_made_again,
    unknown_users_are_not_found,
    lists_are_paged_by_name,
    lists_are_filtered_and_counted,
    a_search_text_is_taken_literally,
);

async fn a_new_user_has_the_documented_defaults(place: &Place) {
    let (accounts, clock) = TestClock::of(&place.open().await);
    let (user, generated) = accounts.create_user(NewUser::named(name("alice")), None).await.unwrap();
    assert_eq!(user.id.len(), 32);
    assert_eq!((user.status, user.description.as_str(), user.home.as_str()), (Status::Active, "", "alice"));
    assert_eq!(user.permissions, Permissions::default());
    assert_eq!((user.quota, user.limits), (Quota::default(), Limits::default()));
    assert_eq!(user.protocols, [Protocol::Ftps].into());
    assert_eq!(user.client_certificate, ClientCertificate::None);
    assert!(user.allowed_networks.is_empty());
    let now = clock.now();
    assert_eq!((user.created_at, user.updated_at, user.password_changed_at), (now, now, now));
    assert_eq!((user.version, user.session_epoch), (1, 0));
    assert_eq!(accounts.user(&user.username).await.unwrap().user, user);
    let generated = generated.unwrap();
    log_in(&accounts, "alice", std::str::from_utf8(generated.expose()).unwrap()).await.unwrap();
}

async fn everything_chosen_comes_back_as_it_was(place: &Place) {
    let accounts = place.open().await;
    let at: Timestamp = "2031-02-03T04:05:06.789Z".parse().unwrap();
    let grants = vec![
        Grant { path: "/".into(), allow: [Action::List, Action::Download].into() },
        Grant { path: "/in/ü".into(), allow: Action::ALL.into() },
    ];
    let new = NewUser {
        username: name("a.b_c-d@e"),
        status: Status::Disabled,
        description: "Kamera 7 – \"Süd\" $where {x} \u{0}".into(),
        home: "partners/acme ü".parse().unwrap(),
        permissions: grants.try_into().unwrap(),
        quota: Quota { max_bytes: Some(i64::MAX.unsigned_abs()), max_files: Some(0) },
        limits: Limits {
            max_sessions: Some(u32::MAX),
            download_bytes_per_second: Some(1 << 40),
            upload_bytes_per_second: None,
        },
        allowed_networks: vec!["192.0.2.0/24".parse().unwrap(), "2001:db8::/32".parse().unwrap()],
        protocols: [Protocol::Ftps, Protocol::Ftp, Protocol::Mftp].into(),
        client_certificate: ClientCertificate::Required,
        expires_at: Some(at),
        password_expires_at: Some(at + SignedDuration::from_secs(1)),
        must_change_by: Some(at + SignedDuration::from_secs(2)),
    };
    let (user, _) = accounts.create_user(new.clone(), Some(password(ALICES))).await.unwrap();
    let found = accounts.user(&new.username).await.unwrap().user;
    assert_eq!(found, user);
    assert_eq!((found.description, found.home, found.quota), (new.description, new.home, new.quota));
    assert_eq!((found.permissions, found.limits), (new.permissions, new.limits));
    assert_eq!(found.allowed_networks, new.allowed_networks);
}

async fn exactly_one_of_many_creations_of_a_name_wins(place: &Place) {
    let (one, two) = (place.open().await, place.open().await);
    let creations = (0..16).map(|n| {
        let accounts = if n % 2 == 0 { one.clone() } else { two.clone() };
        let new = NewUser { description: n.to_string(), ..NewUser::named(name("alice")) };
        tokio::spawn(async move { accounts.create_user(new, Some(password(ALICES))).await })
    });
    let mut winners = Vec::new();
    for outcome in futures_util::future::join_all(creations).await {
        match outcome.unwrap() {
            Ok((user, _)) => winners.push(user),
            Err(ChangeError::Store(StoreError::Taken)) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(one.user(&name("alice")).await.unwrap().user, winners[0]);
    let all = one.users(UserQuery { limit: 10, count: true, ..UserQuery::default() }).await.unwrap();
    assert_eq!(all.total, Some(1));
}

async fn a_password_that_breaks_a_rule_creates_nobody(place: &Place) {
    let accounts = place.open().await;
    let refused =
        accounts.create_user(NewUser::named(name("administrators")), Some(password("ADMINISTRATORS"))).await;
    assert!(matches!(refused, Err(ChangeError::Password(PasswordRule::IsUsername))), "{refused:?}");
    let too_much = Quota { max_bytes: Some(u64::MAX), max_files: None };
    let new = NewUser { quota: too_much, ..NewUser::named(name("administrators")) };
    let refused = accounts.create_user(new, None).await;
    assert!(matches!(refused, Err(ChangeError::Invalid(_))), "{refused:?}");
    assert_eq!(accounts.user(&name("administrators")).await, Err(StoreError::NotFound));
}

async fn disabling_raises_the_epoch_and_enabling_keeps_it(place: &Place) {
    let (accounts, clock) = TestClock::of(&place.open().await);
    let alice = create_alice(&accounts).await;
    clock.advance(std::time::Duration::from_secs(1));
    let set = async |status| accounts.set_status(&alice.username, status, None).await.unwrap().after.user;
    let disabled = set(Status::Disabled).await;
    assert_eq!((disabled.status, disabled.version, disabled.session_epoch), (Status::Disabled, 2, 1));
    assert_eq!((disabled.created_at, disabled.updated_at), (alice.created_at, clock.now()));
    assert!(disabled.refusal(&ANYWHERE, clock.now()).is_some());
    assert_eq!(set(Status::Disabled).await, disabled, "nothing changes the second time");
    let enabled = set(Status::Active).await;
    assert_eq!((enabled.status, enabled.version, enabled.session_epoch), (Status::Active, 3, 1));
    assert!(enabled.refusal(&ANYWHERE, clock.now()).is_none());
}

async fn a_change_to_another_version_than_expected_is_a_conflict(place: &Place) {
    let accounts = place.open().await;
    let alice = create_alice(&accounts).await;
    let disable = async |version| accounts.set_status(&alice.username, Status::Disabled, Some(version)).await;
    assert_eq!(disable(2).await, Err(StoreError::Conflict));
    assert_eq!(accounts.remove_user(&alice.username, Some(2)).await, Err(StoreError::Conflict));
    assert_eq!(accounts.user(&alice.username).await.unwrap().user, alice);
    assert_eq!(disable(1).await.unwrap().after.user.version, 2);
    let removed = accounts.remove_user(&alice.username, Some(2)).await.unwrap().unwrap();
    assert_eq!((removed.id, removed.version), (alice.id, 2));
}

async fn of_two_changes_to_one_version_one_wins(place: &Place) {
    let (one, two) = (place.open().await, place.open().await);
    let alice = create_alice(&one).await;
    let changes = (0..8).map(|n| {
        let accounts = if n % 2 == 0 { &one } else { &two };
        accounts.set_status(&alice.username, Status::Disabled, Some(1))
    });
    let outcomes = futures_util::future::join_all(changes).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Err(StoreError::Conflict)).count(), 7);
    assert_eq!(two.user(&alice.username).await.unwrap().user.version, 2);
}

async fn a_removed_user_is_gone_and_may_be_made_again(place: &Place) {
    let accounts = place.open().await;
    let first = create_alice(&accounts).await;
    log_in(&accounts, "alice", ALICES).await.unwrap();
    accounts.remove_user(&first.username, None).await.unwrap();
    assert_eq!(accounts.user(&first.username).await, Err(StoreError::NotFound));
    assert_eq!(accounts.remove_user(&first.username, None).await, Err(StoreError::NotFound));
    let second = create_alice(&accounts).await;
    assert_ne!(first.id, second.id);
    let detail = accounts.user(&second.username).await.unwrap();
    assert_eq!(detail.activity.last_login_at, None, "that was another user's login");
}

async fn unknown_users_are_not_found(place: &Place) {
    let accounts = place.open().await;
    let nobody = name("nobody");
    assert_eq!(accounts.user(&nobody).await, Err(StoreError::NotFound));
    assert_eq!(accounts.set_status(&nobody, Status::Active, None).await, Err(StoreError::NotFound));
    assert_eq!(accounts.set_status(&nobody, Status::Active, Some(1)).await, Err(StoreError::NotFound));
    assert_eq!(accounts.remove_user(&nobody, Some(1)).await, Err(StoreError::NotFound));
}

fn names(page: &UserPage) -> Vec<&str> {
    page.items.iter().map(|detail| detail.user.username.as_str()).collect()
}

async fn lists_are_paged_by_name(place: &Place) {
    let accounts = place.open().await;
    for user in ["b", "A", "a", "B", "-", "a@b"] {
        accounts.create_user(NewUser::named(name(user)), Some(password(ALICES))).await.unwrap();
    }
    log_in(&accounts, "a", ALICES).await.unwrap();
    let page = async |after, limit| {
        accounts.users(UserQuery { after, limit, count: true, ..UserQuery::default() }).await.unwrap()
    };
    let first = page(None, 4).await;
    assert_eq!(names(&first), ["-", "A", "B", "a"], "byte for byte");
    assert!(first.items[3].activity.last_login_at.is_some());
    assert_eq!((first.next.clone(), first.total), (Some(name("a")), Some(6)));
    let last = page(first.next, 4).await;
    assert_eq!(names(&last), ["a@b", "b"]);
    assert_eq!((last.next, last.total), (None, Some(6)));
    let exactly = page(None, 6).await;
    assert_eq!((exactly.items.len(), exactly.next), (6, None));
    assert_eq!(page(None, 0).await.items.len(), 1, "a page has at least one");
    assert_eq!(page(Some(name("zzz")), 10).await.items.len(), 0);
}

async fn lists_are_filtered_and_counted(place: &Place) {
    let accounts = place.open().await;
    let users = [("cam-1", "Front door"), ("cam-2", "BACK Door"), ("scan", "Büro MÜLLER"), ("other", "")];
    for (user, description) in users {
        let new = NewUser { description: description.into(), ..NewUser::named(name(user)) };
        accounts.create_user(new, Some(password(ALICES))).await.unwrap();
    }
    accounts.set_status(&name("cam-2"), Status::Disabled, None).await.unwrap();
    let find = async |search: Option<&str>, status| {
        let search = search.map(str::to_owned);
        let query = UserQuery { limit: 10, status, search, count: true, ..UserQuery::default() };
        let page = accounts.users(query).await.unwrap();
        assert_eq!(page.total, Some(page.items.len() as u64));
        names(&page).join(" ")
    };
    assert_eq!(find(None, None).await, "cam-1 cam-2 other scan");
    assert_eq!(find(None, Some(Status::Disabled)).await, "cam-2");
    assert_eq!(find(Some("CAM"), None).await, "cam-1 cam-2");
    assert_eq!(find(Some("door"), Some(Status::Active)).await, "cam-1");
    assert_eq!(find(Some("müller"), None).await, "scan");
    assert_eq!(find(Some("nothing like it"), None).await, "");
    assert_eq!(find(Some(""), None).await, "cam-1 cam-2 other scan");
}

async fn a_search_text_is_taken_literally(place: &Place) {
    let accounts = place.open().await;
    let new = NewUser { description: "100% of $user_1".into(), ..NewUser::named(name("one")) };
    accounts.create_user(new, Some(password(ALICES))).await.unwrap();
    accounts.create_user(NewUser::named(name("two")), Some(password(ALICES))).await.unwrap();
    let count = async |search: &str| {
        let query = UserQuery { limit: 10, search: Some(search.to_owned()), ..UserQuery::default() };
        accounts.users(query).await.unwrap().items.len()
    };
    for literal in ["100%", "$user_1", "% of $"] {
        assert_eq!(count(literal).await, 1, "{literal}");
    }
    for pattern in ["%", "_", "$", ".*", "$searchable", "o?e", "'", "\"", "\\", "\u{0}", "{\"$ne\":1}"] {
        let expected = usize::from("100% of $user_1".contains(pattern));
        assert_eq!(count(pattern).await, expected, "{pattern:?}");
    }
}
