//! What a login costs, counted in verifications, and what happens when there are too many at once.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::{
    Accounts, Attempt, ClientCertificate, LoginError, NewUser, Password, Proof, Protocol, Refusal, Rotation,
    Status, User, Username,
};

const RIGHT: &str = "the right password";

struct Place {
    accounts: Accounts,
    _directory: tempfile::TempDir,
}

impl Place {
    /// With alice, whose password is [`RIGHT`].
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", directory.path().join("wharfinger.db").display());
        let accounts = Accounts::open(&wharfinger_config::Store::default(), &url).await.unwrap();
        accounts.migrate().await.unwrap();
        accounts.create_user(NewUser::named(alice()), Some(Password::new(RIGHT))).await.unwrap();
        Self { accounts, _directory: directory }
    }

    async fn log_in(&self, username: &str, password: &str) -> Result<User, LoginError> {
        self.log_in_over(Protocol::Ftps, username, password).await
    }

    async fn log_in_certified(&self, username: &str) -> Result<Arc<User>, LoginError> {
        let (address, protocol) = ([192, 0, 2, 1].into(), Protocol::Ftps);
        self.accounts.log_in(Attempt { username, proof: Proof::Certificate, address, protocol }).await
    }

    /// Another user with the same password, and with this policy on certificates.
    async fn add(&self, name: &str, client_certificate: ClientCertificate) {
        let new = NewUser { client_certificate, ..NewUser::named(name.parse().unwrap()) };
        self.accounts.create_user(new, Some(Password::new(RIGHT))).await.unwrap();
    }

    async fn log_in_over(
        &self,
        protocol: Protocol,
        username: &str,
        password: &str,
    ) -> Result<User, LoginError> {
        let password = Password::new(password);
        let address = [192, 0, 2, 1].into();
        let attempt = Attempt { username, proof: Proof::Password(&password), address, protocol };
        self.accounts.log_in(attempt).await.map(|user| User::clone(&user))
    }

    async fn cost<T>(&self, login: impl Future<Output = T>) -> (T, usize) {
        let spent = &self.accounts.inner.hasher.spent;
        let before = spent.load(Ordering::SeqCst);
        let outcome = login.await;
        (outcome, spent.load(Ordering::SeqCst) - before)
    }
}

fn alice() -> Username {
    "alice".parse().unwrap()
}

#[tokio::test]
async fn every_refusal_costs_two_verifications() {
    let place = Place::new().await;
    place.log_in("alice", RIGHT).await.unwrap();
    let huge = "a".repeat(1 << 20);
    let cases = [
        ("alice", "wrong", Protocol::Ftps, Refusal::WrongPassword),
        ("nobody", RIGHT, Protocol::Ftps, Refusal::UnknownName),
        ("not a name", RIGHT, Protocol::Ftps, Refusal::UnknownName),
        (huge.as_str(), RIGHT, Protocol::Ftps, Refusal::UnknownName),
        // Also when the password is right and was proven a moment ago.
        ("alice", RIGHT, Protocol::Mftp, Refusal::Protocol),
        ("alice", "wrong", Protocol::Mftp, Refusal::WrongPassword),
    ];
    for (name, password, protocol, reason) in cases {
        let (outcome, cost) = place.cost(place.log_in_over(protocol, name, password)).await;
        assert!(matches!(outcome, Err(LoginError::Refused(found)) if found == reason), "{outcome:?}");
        assert_eq!(cost, 2, "{reason:?}");
    }
    place.accounts.set_status(&alice(), Status::Disabled, None).await.unwrap();
    for password in [RIGHT, "wrong"] {
        assert_eq!(place.cost(place.log_in("alice", password)).await.1, 2);
    }
}

#[tokio::test]
async fn a_grace_time_changes_nothing_in_what_a_refusal_costs() {
    let place = Place::new().await;
    let grace = Some(std::time::Duration::from_mins(1));
    place.accounts.rotate_password(&alice(), Rotation { grace, ..Rotation::default() }, None).await.unwrap();
    assert_eq!(place.cost(place.log_in("alice", "wrong")).await.1, 2);
    let (previous, cost) = place.cost(place.log_in("alice", RIGHT)).await;
    assert!(previous.is_ok());
    assert_eq!(cost, 2);
}

#[tokio::test]
async fn a_proven_login_costs_nothing_until_the_user_changes() {
    let place = Place::new().await;
    assert_eq!(place.cost(place.log_in("alice", RIGHT)).await.1, 1);
    assert_eq!(place.cost(place.log_in("alice", RIGHT)).await.1, 0);
    for status in [Status::Disabled, Status::Active] {
        place.accounts.set_status(&alice(), status, None).await.unwrap();
    }
    let (again, cost) = place.cost(place.log_in("alice", RIGHT)).await;
    assert!(again.is_ok());
    assert_eq!(cost, 1);
}

#[tokio::test]
async fn a_full_queue_is_busy_for_all_but_proven_logins() {
    let place = Place::new().await;
    place.log_in("alice", RIGHT).await.unwrap();
    let full = place.accounts.inner.hasher.fill();
    for (name, password) in [("alice", "wrong"), ("nobody", RIGHT)] {
        let refused = place.log_in(name, password).await;
        assert!(matches!(refused, Err(LoginError::Busy)), "{refused:?}");
    }
    let refused = place.accounts.admin_log_in("owner", &Password::new(RIGHT)).await;
    assert!(matches!(refused, Err(LoginError::Busy)), "{refused:?}");
    let created = place.accounts.create_user(NewUser::named("bob".parse().unwrap()), None).await;
    assert!(matches!(created, Err(crate::ChangeError::Busy)), "{created:?}");
    place.log_in("alice", RIGHT).await.unwrap();
    drop(full);
    let refused = place.log_in("alice", "wrong").await;
    assert!(matches!(refused, Err(LoginError::Refused(Refusal::WrongPassword))), "{refused:?}");
}

#[tokio::test]
async fn an_admins_refusals_cost_the_same_too() {
    let place = Place::new().await;
    let owner: Username = "owner".parse().unwrap();
    let right = || Password::new(RIGHT);
    place.accounts.create_admin(owner, crate::Role::Owner, Some(right())).await.unwrap();
    for (name, password) in [("owner", Password::new("wrong")), ("nobody", right()), ("a b", right())] {
        let (outcome, cost) = place.cost(place.accounts.admin_log_in(name, &password)).await;
        assert!(outcome.is_err());
        assert_eq!(cost, 2, "{name}");
    }
    assert!(place.accounts.admin_log_in("owner", &right()).await.is_ok());
}

#[tokio::test]
async fn without_the_certificate_that_is_needed_the_right_password_costs_what_a_wrong_one_does() {
    let place = Place::new().await;
    place.add("bob", ClientCertificate::Required).await;
    let (refused, cost) = place.cost(place.log_in("bob", RIGHT)).await;
    assert!(matches!(refused, Err(LoginError::Refused(Refusal::CertificateNeeded))), "{refused:?}");
    assert_eq!(cost, 2);
}

#[tokio::test]
async fn a_certificate_lets_in_whom_the_policy_lets_in() {
    let place = Place::new().await;
    place.add("bob", ClientCertificate::Required).await;
    place.add("carol", ClientCertificate::Optional).await;
    for name in ["bob", "carol"] {
        assert_eq!(place.log_in_certified(name).await.unwrap().username.as_str(), name);
    }
    place.accounts.set_status(&"carol".parse().unwrap(), Status::Disabled, None).await.unwrap();
    for (name, reason) in [
        ("carol", Refusal::Disabled),
        ("alice", Refusal::CertificateNotAccepted),
        ("nobody", Refusal::UnknownName),
    ] {
        let refused = place.log_in_certified(name).await;
        assert!(matches!(refused, Err(LoginError::Refused(found)) if found == reason), "{refused:?}");
    }
}
