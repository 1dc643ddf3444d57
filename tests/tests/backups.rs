//! Backups as docs/operations.md describes them, made while the programs write, and restored: what was
//! there at the time of the copy is there again, and serves.

use std::path::Path;
use std::thread;

use serde_json::{Value, json};
use wharfinger_tests::mongo::Server;
use wharfinger_tests::program::PATIENCE;
use wharfinger_tests::{Admin, Creation, Deployment, Mode, Setup, Shape, Store, User, tools};

/// Runs this in the shell, as the page has it, in this directory.
fn shell(directory: &Path, commands: &str) -> String {
    tools::run_in(directory, "sh", &["-e", "-c", commands]).succeeded()
}

/// Does this while users are created all the time; whom there was before.
fn while_users_are_created(admin: &Admin, act: impl FnOnce()) -> Vec<String> {
    let creation = Creation::default();
    thread::scope(|threads| {
        threads.spawn(|| creation.run(admin));
        let _load = creation.until_dropped();
        creation.wait_for_more();
        let before = names(admin);
        act();
        creation.wait_for_more();
        before
    })
}

fn names(admin: &Admin) -> Vec<String> {
    let listed = admin.get("/api/v1/users?limit=1000");
    assert_eq!(listed.status, 200, "{listed:?}");
    let items = listed.body["items"].as_array().unwrap().iter();
    items.map(|user| user["username"].as_str().unwrap().to_owned()).collect()
}

/// A deployment on a restored store: those of the backup are there, the trail is intact, and it goes on.
fn assert_serves(deployment: &Deployment, alice: &User, before: &[String]) {
    let there = names(&deployment.admin);
    assert!(before.iter().all(|name| there.contains(name)), "{before:?} were there, and now {there:?}");
    let mut session = deployment.session(alice);
    assert_eq!(session.receive(Mode::Epsv, "RETR report"), b"content");
    let bob = deployment.admin.create("bob");
    assert_eq!(deployment.log_in(&bob.name, &bob.password).code, 230);
    deployment.admin.act(alice, "disable", json!({}));
    let told: Vec<u16> = session.replies_until_closed(PATIENCE).iter().map(|reply| reply.code).collect();
    assert_eq!(told, [421]);
    let verified = deployment.admin.get("/api/v1/audit/verify").body;
    assert_eq!((&verified["intact"], &verified["first_broken"]), (&json!(true), &Value::Null), "{verified}");
}

#[test]
fn copies_of_sqlite_made_while_it_is_written_serve_in_its_place_and_elsewhere() {
    let deployment = Deployment::start();
    let alice = deployment.admin.create("alice");
    deployment.session(&alice).send_file(Mode::Epsv, "STOR report", b"content");
    let directory = deployment.directory().to_owned();
    let before = while_users_are_created(&deployment.admin, || {
        shell(
            &directory,
            r#"umask 077; mkdir backup; sqlite3 data/wharfinger.db ".backup 'backup/wharfinger.db'""#,
        );
        shell(
            &directory,
            r#"umask 077; sqlite3 data/wharfinger.db "VACUUM INTO 'backup/wharfinger-small.db'""#,
        );
        shell(&directory, "cp -a data/files backup/");
    });
    for copy in ["wharfinger.db", "wharfinger-small.db"] {
        let told = shell(&directory, &format!("sqlite3 backup/{copy} 'PRAGMA integrity_check'"));
        assert_eq!(told.trim(), "ok");
    }

    let elsewhere = Setup::new(Shape::AllInOne, Store::Sqlite);
    let restore = format!(
        "mkdir -m 700 data; install -m 600 '{backup}/wharfinger-small.db' data/wharfinger.db; \
         cp -a '{backup}/files' data/",
        backup = directory.join("backup").display()
    );
    shell(elsewhere.directory(), &restore);
    assert_serves(&elsewhere.start(), &alice, &before);

    let stopped = deployment.stop();
    shell(&directory, "rm -f data/wharfinger.db-wal data/wharfinger.db-shm");
    shell(&directory, "install -m 600 backup/wharfinger.db data/wharfinger.db");
    assert_serves(&stopped.start(), &alice, &before);
}

#[test]
fn a_copy_of_mongodb_s_files_made_while_it_is_locked_serves_in_their_place() {
    let scratch = tempfile::tempdir().unwrap();
    let mongo = Server::new(scratch.path());
    mongo.start();
    let deployment =
        Setup::new(Shape::TwoPrograms, Store::Sqlite).set("WHARFINGER_STORE__URL", &mongo.url()).start();
    let alice = deployment.admin.create("alice");
    deployment.session(&alice).send_file(Mode::Epsv, "STOR report", b"content");
    let before = while_users_are_created(&deployment.admin, || {
        mongo.command(r#"{"fsync": 1, "lock": true}"#);
        shell(scratch.path(), "umask 077; cp -a mongodb/db backup");
        mongo.command(r#"{"fsyncUnlock": 1}"#);
    });
    deployment.admin.create("later");

    let stopped = deployment.stop();
    mongo.stop();
    shell(scratch.path(), "rm -r mongodb/db; cp -a backup mongodb/db");
    mongo.start();
    let deployment = stopped.start();
    assert!(!names(&deployment.admin).contains(&"later".to_owned()), "this is not the backup");
    assert_serves(&deployment, &alice, &before);
}
