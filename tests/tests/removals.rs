//! Removing users with their files: all of the home goes, nothing else does, and nobody is given a home
//! that is on its way out.

use std::time::{Duration, Instant};

use serde_json::json;
use wharfinger_tests::polling::eventually;
use wharfinger_tests::{Deployment, Setup, Shape, Store};

const SOON: Duration = Duration::from_secs(30);
/// A dead server is noticed after ten seconds.
const DEAD: Duration = Duration::from_mins(1);

#[test]
fn the_files_go_with_the_user_on_sqlite() {
    the_files_go_with_the_user(Store::Sqlite);
}

#[test]
fn the_files_go_with_the_user_on_mongodb() {
    the_files_go_with_the_user(Store::MongoDb);
}

fn removed(deployment: &Deployment) -> bool {
    let answer = deployment.admin.get("/api/v1/audit?action=remove-home");
    answer.body["items"].as_array().is_some_and(|items| !items.is_empty())
}

fn the_files_go_with_the_user(store: Store) {
    let deployment = Setup::new(Shape::TwoPrograms, store).start();
    let alice = deployment.admin.create_with("alice", json!({"home": "customers/alice"}));
    let bob = deployment.admin.create_with("bob", json!({"home": "customers/bob"}));
    let files = deployment.directory().join("data/files");
    let mut session = deployment.session(&alice);
    deployment.session(&bob).expect("NOOP", 200);
    let home = files.join("customers/alice");
    for depth in 0..100 {
        std::fs::create_dir_all(home.join("d/".repeat(depth))).unwrap();
    }
    for file in 0..2_500 {
        std::fs::write(home.join(format!("d/d/{file}")), "content").unwrap();
    }
    std::os::unix::fs::symlink(files.join("customers/bob"), home.join("link")).unwrap();
    std::fs::write(files.join("customers/bob/file"), "kept").unwrap();

    assert_eq!(deployment.admin.delete("/api/v1/users/alice?files=delete").status, 204);
    assert_eq!(session.replies_until_closed(SOON).last().unwrap().code, 421);
    let again = json!({"username": "alice", "home": "customers/alice", "password": "password of alice"});
    eventually("the home can be given again", SOON, || {
        let answer = deployment.admin.post("/api/v1/users", again.clone());
        match answer.status {
            409 => assert_eq!(answer.body["type"], "urn:wharfinger:problem:home-is-going"),
            status => assert_eq!(status, 201, "{answer:?}"),
        }
        (answer.status == 201).then_some(())
    });
    assert!(!home.exists());
    eventually("a record of it", SOON, || removed(&deployment).then_some(()));
    let left: Vec<_> = std::fs::read_dir(&files).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["customers"], "nothing is left of it");
    assert_eq!(std::fs::read_to_string(files.join("customers/bob/file")).unwrap(), "kept");
    deployment.session(&alice).expect("NOOP", 200);
}

#[test]
fn what_a_killed_server_began_to_remove_the_next_one_removes_on_sqlite() {
    what_a_killed_server_began_to_remove_the_next_one_removes(Store::Sqlite);
}

#[test]
fn what_a_killed_server_began_to_remove_the_next_one_removes_on_mongodb() {
    what_a_killed_server_began_to_remove_the_next_one_removes(Store::MongoDb);
}

fn what_a_killed_server_began_to_remove_the_next_one_removes(store: Store) {
    let setup = Setup::new(Shape::TwoPrograms, store);
    let files = setup.directory().join("data/files");
    let mut deployment = setup.set("WHARFINGER_STORAGE__ROOT", files.to_str().unwrap()).start();
    let alice = deployment.admin.create("alice");
    let home = deployment.home(&alice);
    std::fs::create_dir_all(&home).unwrap();
    // Enough that it takes longer than to see it begin.
    for file in 0..40_000 {
        std::fs::write(home.join(file.to_string()), "").unwrap();
    }
    assert_eq!(deployment.admin.delete("/api/v1/users/alice?files=delete").status, 204);
    // It is taken out of its place at once, and emptied by and by.
    let begun = Instant::now();
    while home.exists() {
        assert!(begun.elapsed() < SOON, "nobody removes it");
        std::thread::sleep(Duration::from_millis(1));
    }
    deployment.server().kill();
    let left = || std::fs::read_dir(&files).unwrap().map(|entry| entry.unwrap().path()).next();
    let part = left().expect("the server was killed before it was done");
    assert!(std::fs::read_dir(part).unwrap().next().is_some(), "the server was killed before it was done");
    let _south = deployment.start_node("south");
    eventually("a record of it", DEAD, || removed(&deployment).then_some(()));
    assert_eq!(left(), None, "nothing is left of it");
    deployment.admin.create("alice");
}

#[test]
fn a_home_that_others_use_is_not_removed() {
    let deployment = Deployment::start();
    let with_home = |name: &str, home: &str| deployment.admin.create_with(name, json!({ "home": home }));
    for (name, home) in [("alice", "a"), ("within", "a/b"), ("same", "a/b"), ("other", "ab")] {
        with_home(name, home);
    }
    for name in ["alice", "within", "same"] {
        let answer = deployment.admin.delete(&format!("/api/v1/users/{name}?files=delete"));
        assert_eq!(
            (answer.status, answer.body["type"].as_str()),
            (409, Some("urn:wharfinger:problem:shared-home"))
        );
        assert_eq!(deployment.admin.get(&format!("/api/v1/users/{name}")).status, 200, "{name} stays");
    }
    assert_eq!(deployment.admin.delete("/api/v1/users/other?files=delete").status, 204);
    with_home("later", "a/b/c");
}
