//! A disk that is full, for files and store alike; that is read-only; on which files go while they are in
//! use. What was there stays, what can't be done is refused, and all works again when it can.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::symlink;

use serde_json::json;
use wharfinger_tests::mounts::{self, Mount};
use wharfinger_tests::polling::eventually;
use wharfinger_tests::{Mode, Setup, Shape, Store, content, tools};

use crate::aftermath;

#[test]
fn on_a_full_disk_what_was_there_stays_and_all_works_again_when_there_is_room() {
    if !mounts::can("a full disk", &[]) {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let disk = Mount::new(&["-t", "tmpfs", "-o", "size=24m", "tmpfs"], scratch.path());
    let setup = Setup::new(Shape::AllInOne, Store::Sqlite);
    fs::create_dir(disk.path().join("data")).unwrap();
    symlink(disk.path().join("data"), setup.directory().join("data")).unwrap();
    let mut deployment = setup.start();
    let alice = deployment.admin.create_with("alice", json!({"quota": {"max_bytes": 1_000_000_000}}));
    let mut session = deployment.session(&alice);
    let old = content::bytes(200_000, 1);
    session.send_file(Mode::Epsv, "STOR old", &old);

    let filler = disk.path().join("filler");
    let mut file = File::create(&filler).unwrap();
    file.write_all(&vec![1; 16 << 20]).unwrap();
    let code = session.attempt_upload("STOR big", &content::bytes(12 << 20, 2));
    assert!(matches!(code, Some(452 | 552)), "an upload that does not fit: {code:?}");
    while file.write_all(&[1; 4096]).is_ok() {}
    let code = session.attempt_upload("STOR old", &content::bytes(300_000, 3));
    assert!(matches!(code, Some(452 | 552)), "an upload in the place of another: {code:?}");
    let code = session.attempt_upload("APPE old", b"more");
    assert!(matches!(code, Some(400..)), "an upload at the end of another: {code:?}");
    session.expect("NOOP", 200);
    assert!(session.receive(Mode::Epsv, "RETR old") == old, "the old version as served");
    // Whatever is answered, it is answered; what can't be stored is not said to be.
    let login = deployment.log_in(&alice.name, &alice.password).code;
    assert!([230, 421].contains(&login), "{login}");
    let body = json!({"username": "bob", "password": "password of bob"});
    let created = deployment.admin.try_post("/api/v1/users", &body).expect("an answer").status;
    assert!(deployment.server().runs());

    drop(file);
    fs::remove_file(filler).unwrap();
    aftermath::is_back(&deployment, &alice);
    eventually("uploads", aftermath::SOON, || {
        let mut session = deployment.session(&alice);
        (session.attempt_upload("STOR new", &old) == Some(226)).then_some(())
    });
    session.expect("NOOP", 200);
    let bob = deployment.admin.get("/api/v1/users/bob").status;
    assert!(created != 201 || bob == 200, "a user who was created is gone");
    let home = deployment.home(&alice);
    assert!(["old", "new"].iter().all(|name| fs::read(home.join(name)).unwrap() == old));
    assert!(!home.join("big").exists(), "half an upload has its name");
    aftermath::quota_is_right(&deployment, &alice);
    aftermath::audit_is_intact(&deployment);
}

#[test]
fn a_disk_that_becomes_read_only_is_served_and_changed_by_nobody() {
    if !mounts::can("a read-only disk", &[]) {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let disk = Mount::new(&["-t", "tmpfs", "-o", "size=24m", "tmpfs"], scratch.path());
    let root = disk.path().join("files");
    let setup = Setup::new(Shape::AllInOne, Store::Sqlite);
    let deployment = setup.set("WHARFINGER_STORAGE__ROOT", root.to_str().unwrap()).start();
    let alice = deployment.admin.create("alice");
    let mut session = deployment.session(&alice);
    session.send_file(Mode::Epsv, "STOR file", b"content");
    let remount = |how: &str| {
        let remount = ["-o", &format!("remount,{how}"), disk.path().to_str().unwrap()];
        // An upload that has just ended may be open for a moment.
        eventually("the disk is mounted anew", aftermath::SOON, || {
            (tools::run("mount", &remount).code == Some(0)).then_some(())
        });
    };
    remount("ro");
    for command in ["STOR other", "STOR file", "APPE file"] {
        let code = session.attempt_upload(command, b"more");
        assert!(matches!(code, Some(450..=553)), "{command}: {code:?}");
    }
    for command in ["DELE file", "MKD folder"] {
        assert_eq!(session.command(command).code, 550, "{command}");
    }
    assert_eq!(session.receive(Mode::Epsv, "RETR file"), b"content");
    remount("rw");
    session.send_file(Mode::Epsv, "APPE file", b" and more");
    assert_eq!(fs::read(root.join("alice/file")).unwrap(), b"content and more");
}

#[test]
fn files_that_go_or_shrink_and_directories_that_go_in_mid_transfer_corrupt_nothing() {
    const SIZE: u64 = 32 << 20;
    let deployment = Setup::new(Shape::AllInOne, Store::Sqlite).start();
    let alice = deployment.admin.create("alice");
    let mut session = deployment.session(&alice);
    let home = deployment.home(&alice);
    for name in ["goes", "shrinks"] {
        content::file(&home.join(name), SIZE, 1);
    }
    let mut data = session.begin(Mode::Epsv, "RETR goes");
    data.read_exact(&mut [0; 100]).unwrap();
    fs::remove_file(home.join("goes")).unwrap();
    assert_eq!(data.drain(), SIZE - 100, "who has it open reads it to its end");
    session.expect_reply(226);

    let mut data = session.begin(Mode::Epsv, "RETR shrinks");
    data.read_exact(&mut [0; 100]).unwrap();
    File::options().write(true).open(home.join("shrinks")).unwrap().set_len(1 << 20).unwrap();
    assert!(data.drain() < SIZE - 100);
    let code = session.reply().code;
    assert!([426, 451].contains(&code), "what is shorter than was said is not said to be whole: {code}");

    session.expect("MKD folder", 257);
    let mut data = session.begin(Mode::Epsv, "STOR folder/file");
    data.write_all(&[1; 100]).unwrap();
    fs::remove_dir_all(home.join("folder")).unwrap();
    data.finish().unwrap();
    let code = session.reply().code;
    assert!((400..600).contains(&code), "an upload into nowhere: {code}");
    session.expect("NOOP", 200);
}
