//! A disk that is full, for files and store alike: what was there stays, what does not fit is refused,
//! and all works again when there is room.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;

use serde_json::json;
use wharfinger_tests::mounts::{self, Mount};
use wharfinger_tests::polling::eventually;
use wharfinger_tests::{Mode, Setup, Shape, Store, content};

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
