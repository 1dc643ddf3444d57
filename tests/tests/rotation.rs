//! A password changed without downtime: for the grace time both work, then only the new one.

use std::time::Duration;

use serde_json::json;
use wharfinger_tests::polling::eventually;
use wharfinger_tests::{Deployment, Setup, Shape, Store};

const NEW: &str = "the password from now on";

#[test]
fn within_the_grace_time_both_passwords_work_on_sqlite() {
    both_work_then_only_the_new(&Setup::new(Shape::AllInOne, Store::Sqlite).start());
}

#[test]
fn within_the_grace_time_both_passwords_work_on_mongodb() {
    both_work_then_only_the_new(&Setup::new(Shape::TwoPrograms, Store::MongoDb).start());
}

#[test]
fn without_a_grace_time_the_old_password_is_refused_at_once() {
    let deployment = Deployment::start();
    let alice = deployment.admin.create("alice");
    // Proven once, so that a cache of logins is tried too.
    assert_eq!(deployment.log_in(&alice.name, &alice.password).code, 230);
    let rotated = deployment.admin.act(&alice, "rotate-password", json!({"password": NEW}));
    assert!(rotated["password"].is_null(), "a given password isn't shown: {rotated}");
    assert_eq!(deployment.log_in(&alice.name, &alice.password).code, 530);
    assert_eq!(deployment.log_in(&alice.name, NEW).code, 230);
}

#[test]
fn a_rotation_ends_sessions_only_when_asked_to() {
    let deployment = Deployment::start();
    let alice = deployment.admin.create("alice");
    let mut session = deployment.session(&alice);
    deployment.admin.act(&alice, "rotate-password", json!({"password": NEW}));
    // The change has reached the server when the old password is refused.
    assert_eq!(deployment.log_in(&alice.name, &alice.password).code, 530);
    session.expect("NOOP", 200);
    deployment.admin.act(&alice, "rotate-password", json!({"end_sessions": true}));
    let replies = session.replies_until_closed(Duration::from_secs(2));
    assert_eq!(replies.iter().map(|reply| reply.code).collect::<Vec<_>>(), [421], "{replies:?}");
}

fn both_work_then_only_the_new(deployment: &Deployment) {
    let alice = deployment.admin.create("alice");
    let body = json!({"password": NEW, "grace_seconds": 3});
    let rotated = deployment.admin.act(&alice, "rotate-password", body);
    assert!(rotated["previous_valid_until"].is_string(), "{rotated}");
    assert_eq!(deployment.log_in(&alice.name, &alice.password).code, 230, "the old one in its grace time");
    assert_eq!(deployment.log_in(&alice.name, NEW).code, 230, "the new one in the old one's grace time");

    let used = || deployment.admin.get("/api/v1/users/alice").body["previous_password"].clone();
    eventually("the old password's use is shown", Duration::from_secs(2), || {
        used()["last_used_at"].is_string().then_some(())
    });
    let refused = || deployment.log_in(&alice.name, &alice.password).code == 530;
    eventually("the old one's end", Duration::from_secs(6), || refused().then_some(()));
    assert_eq!(deployment.log_in(&alice.name, NEW).code, 230, "the new one afterwards");
}
