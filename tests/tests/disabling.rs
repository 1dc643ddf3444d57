//! Disable means now: a user's transfers and sessions end within two seconds, whichever program
//! was told, wherever users are kept, and nobody else notices.

use std::io::Write;
use std::time::{Duration, Instant};

use serde_json::json;
use wharfinger_tests::{Deployment, Mode, Reply, Setup, Shape, SlowReader, Store, User, content};

/// The promise.
const LIMIT: Duration = Duration::from_secs(2);
/// More than all buffers between the server's disk and the client.
const SIZE: u64 = 64 << 20;

#[test]
fn disabling_ends_a_download_in_one_program_on_sqlite() {
    ends_a_download(Shape::AllInOne, Store::Sqlite, disable);
}

#[test]
fn disabling_ends_a_download_in_one_program_on_mongodb() {
    ends_a_download(Shape::AllInOne, Store::MongoDb, disable);
}

#[test]
fn disabling_ends_a_download_across_two_programs_on_sqlite() {
    ends_a_download(Shape::TwoPrograms, Store::Sqlite, disable);
}

#[test]
fn disabling_ends_a_download_across_two_programs_on_mongodb() {
    ends_a_download(Shape::TwoPrograms, Store::MongoDb, disable);
}

#[test]
fn removing_ends_a_download_in_one_program_on_sqlite() {
    ends_a_download(Shape::AllInOne, Store::Sqlite, remove);
}

#[test]
fn removing_ends_a_download_in_one_program_on_mongodb() {
    ends_a_download(Shape::AllInOne, Store::MongoDb, remove);
}

#[test]
fn removing_ends_a_download_across_two_programs_on_sqlite() {
    ends_a_download(Shape::TwoPrograms, Store::Sqlite, remove);
}

#[test]
fn removing_ends_a_download_across_two_programs_on_mongodb() {
    ends_a_download(Shape::TwoPrograms, Store::MongoDb, remove);
}

#[test]
fn disabling_ends_an_upload_and_leaves_nothing_under_its_name() {
    let deployment = Setup::new(Shape::TwoPrograms, Store::Sqlite).start();
    let alice = deployment.admin.create("alice");
    let mut session = deployment.session(&alice);
    let mut upload = session.begin(Mode::Epsv, "STOR report");
    upload.write_all(&content::bytes(100_000, 1)).unwrap();
    let start = Instant::now();
    disable(&deployment, &alice);
    let replies = session.replies_until_closed(LIMIT.saturating_sub(start.elapsed()));
    assert_ended(&replies, true);
    assert!(!deployment.home(&alice).join("report").exists(), "half a file under its final name");
}

#[test]
fn a_user_enabled_again_logs_in_again() {
    let deployment = Setup::new(Shape::TwoPrograms, Store::Sqlite).start();
    let alice = deployment.admin.create("alice");
    deployment.session(&alice);
    disable(&deployment, &alice);
    assert_eq!(deployment.log_in(&alice.name, &alice.password).code, 530);
    deployment.admin.act(&alice, "enable", json!({}));
    let mut session = deployment.session(&alice);
    session.expect("NOOP", 200);
}

#[test]
fn a_user_made_again_under_the_same_name_does_not_get_the_old_one_s_sessions() {
    let deployment = Setup::new(Shape::TwoPrograms, Store::Sqlite).start();
    let old = deployment.admin.create("alice");
    let mut session = deployment.session(&old);
    let start = Instant::now();
    deployment.admin.remove(&old);
    deployment.admin.create("alice");
    let replies = session.replies_until_closed(LIMIT.saturating_sub(start.elapsed()));
    assert_ended(&replies, false);
}

fn disable(deployment: &Deployment, user: &User) {
    deployment.admin.act(user, "disable", json!({}));
}

fn remove(deployment: &Deployment, user: &User) {
    deployment.admin.remove(user);
}

fn ends_a_download(shape: Shape, store: Store, act: fn(&Deployment, &User)) {
    let deployment = Setup::new(shape, store).start();
    let (alice, bob) = (deployment.admin.create("alice"), deployment.admin.create("bob"));
    let mut busy = deployment.session(&alice);
    let mut idle = deployment.session(&alice);
    let mut bystander = deployment.session(&bob);
    content::file(&deployment.home(&alice).join("big"), SIZE, 1);
    let reader = SlowReader::start(busy.begin(Mode::Epsv, "RETR big"));

    let start = Instant::now();
    act(&deployment, &alice);
    let left = || LIMIT.saturating_sub(start.elapsed());
    assert_ended(&busy.replies_until_closed(left()), true);
    assert_ended(&idle.replies_until_closed(left()), false);

    let (early, all) = reader.stop();
    assert!(early > 0, "the download was under way");
    assert!(all < SIZE, "all of the file arrived");
    assert_eq!(deployment.log_in(&alice.name, &alice.password).code, 530);
    bystander.expect("NOOP", 200);
}

/// 426 for the transfer, if there was one, and 421 at most once before the end.
fn assert_ended(replies: &[Reply], transfer: bool) {
    let codes: Vec<u16> = replies.iter().map(|reply| reply.code).collect();
    let good = if transfer { matches!(codes.as_slice(), [426] | [426, 421]) } else { codes == [421] };
    assert!(good, "{replies:?}");
}
