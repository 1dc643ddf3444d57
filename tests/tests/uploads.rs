//! 226 means the file is complete: an upload appears under its name when it is whole, never half,
//! and what is left of a broken one can be resumed by its owner.

use std::fs;
use std::io::Write;

use serde_json::json;
use wharfinger_tests::clients::Site;
use wharfinger_tests::polling::eventually;
use wharfinger_tests::program::PATIENCE;
use wharfinger_tests::{Deployment, Ftp, Mode, Setup, Shape, Store, User, content};

const SIZE: usize = 1 << 20;
const HALF: usize = SIZE / 2;

#[test]
fn an_upload_is_not_seen_before_it_is_whole() {
    let deployment = Deployment::start();
    let alice = deployment.admin.create("alice");
    let (mut writer, mut reader) = (deployment.session(&alice), deployment.session(&alice));
    let body = content::bytes(SIZE, 1);
    let mut data = writer.begin(Mode::Epsv, "STOR report");
    data.write_all(&body[..HALF]).unwrap();
    assert_eq!(reader.receive_text(Mode::Epsv, "NLST"), "");
    assert_eq!(reader.receive_text(Mode::Epsv, "LIST"), "");
    assert!(!deployment.home(&alice).join("report").exists());
    data.write_all(&body[HALF..]).unwrap();
    data.finish().unwrap();
    writer.expect_reply(226);
    assert_eq!(reader.receive_text(Mode::Epsv, "NLST"), "report\r\n");
    assert!(reader.receive(Mode::Epsv, "RETR report") == body);
}

/// In clear, what is long takes another way to the file (splice).
#[test]
fn a_long_upload_in_clear_is_whole_or_ends_where_the_quota_does() {
    let setup = Setup::new(Shape::AllInOne, Store::Sqlite);
    let setup = setup.set("WHARFINGER_TLS__CONTROL", "optional").set("WHARFINGER_TLS__DATA", "optional");
    let deployment = setup.start();
    let quota = 5 * SIZE;
    let alice =
        deployment.admin.create_with("alice", json!({"protocols": ["ftp"], "quota": {"max_bytes": quota}}));
    let mut session = deployment.connect();
    assert_eq!(session.log_in(&alice.name, &alice.password).code, 230);
    session.expect("TYPE I", 200);
    let body = content::bytes(3 * SIZE + 17, 1);
    assert_eq!(send_in_clear(&mut session, "STOR whole", &body), 226);
    assert!(fs::read(deployment.home(&alice).join("whole")).unwrap() == body);
    // From the middle on, as from the beginning.
    session.expect(&format!("REST {HALF}"), 350);
    assert_eq!(send_in_clear(&mut session, "STOR whole", &body[HALF..]), 226);
    assert!(fs::read(deployment.home(&alice).join("whole")).unwrap() == body);
    assert_eq!(send_in_clear(&mut session, "STOR more", &body), 552);
    let left = u64::try_from(quota - body.len()).unwrap();
    assert_eq!(session.expect("SIZE more", 213), format!("213 {left}"));
}

/// The code that ends it.
fn send_in_clear(session: &mut Ftp, command: &str, bytes: &[u8]) -> u16 {
    let offer = session.offer(Mode::Epsv);
    session.expect(command, 150);
    let mut wire = offer.accept();
    // The server closes when it has had enough.
    let _ = wire.write_all(bytes).and_then(|()| wire.finish());
    session.reply().code
}

#[test]
fn an_upload_that_ends_without_close_notify_counts_as_aborted() {
    let deployment = Deployment::start();
    let alice = deployment.admin.create("alice");
    let mut ftp = deployment.session(&alice);
    break_off(&mut ftp, "STOR report");
    assert_nothing_seen(&deployment, &alice, &mut ftp);
}

#[test]
fn a_broken_upload_is_resumed_with_rest() {
    let deployment = Deployment::start();
    let alice = deployment.admin.create("alice");
    break_off(&mut deployment.session(&alice), "STOR report");
    // In another session, as after a broken line.
    let mut ftp = deployment.session(&alice);
    assert_eq!(ftp.expect("SIZE report", 213), format!("213 {HALF}"));
    ftp.expect(&format!("REST {HALF}"), 350);
    ftp.send_file(Mode::Epsv, "STOR report", &content::bytes(SIZE, 1)[HALF..]);
    assert!(fs::read(deployment.home(&alice).join("report")).unwrap() == content::bytes(SIZE, 1));
}

#[test]
fn a_broken_upload_is_resumed_with_appe() {
    let deployment = Deployment::start();
    let alice = deployment.admin.create("alice");
    break_off(&mut deployment.session(&alice), "STOR report");
    let mut ftp = deployment.session(&alice);
    ftp.send_file(Mode::Epsv, "APPE report", &content::bytes(SIZE, 1)[HALF..]);
    assert!(fs::read(deployment.home(&alice).join("report")).unwrap() == content::bytes(SIZE, 1));
}

#[test]
fn curl_and_lftp_resume_a_broken_upload() {
    let deployment = Deployment::start();
    let alice = deployment.admin.create("alice");
    let file = deployment.directory().join("file");
    fs::write(&file, content::bytes(SIZE, 1)).unwrap();
    let site = Site::new(&deployment, &alice);
    for name in ["with-curl", "with-lftp"] {
        break_off(&mut deployment.session(&alice), &format!("STOR {name}"));
        if name == "with-curl" {
            let options = ["--continue-at", "-", "--upload-file", file.to_str().unwrap()];
            let finished = site.curl(name, &options);
            assert!(finished.err.contains("> APPE"), "it resumes: {finished:?}");
            finished.succeeded();
        } else {
            let (_, said) = site.lftp("put -c file -o with-lftp");
            assert!(said.contains(&format!("---> REST {HALF}")), "it resumes: {said}");
        }
        assert!(fs::read(deployment.home(&alice).join(name)).unwrap() == content::bytes(SIZE, 1), "{name}");
    }
}

#[test]
fn an_aborted_upload_leaves_nothing_under_its_name() {
    let deployment = Deployment::start();
    let alice = deployment.admin.create("alice");
    let mut ftp = deployment.session(&alice);
    let mut data = ftp.begin(Mode::Epsv, "STOR report");
    data.write_all(&content::bytes(HALF, 1)).unwrap();
    ftp.expect("ABOR", 426);
    ftp.expect_reply(226);
    assert_nothing_seen(&deployment, &alice, &mut ftp);
}

#[test]
fn an_upload_whose_session_is_cut_leaves_nothing_under_its_name() {
    let deployment = Deployment::start();
    let alice = deployment.admin.create("alice");
    let mut ftp = deployment.session(&alice);
    let mut data = ftp.begin(Mode::Epsv, "STOR report");
    // More than all buffers on the way, so that some of it is on the server's disk.
    data.write_all(&content::bytes(32 << 20, 1)).unwrap();
    ftp.cut();
    drop(data);
    let mut another = deployment.session(&alice);
    // The part is free to be resumed once the server has seen the end of its session.
    eventually("the broken upload's end", PATIENCE, || {
        let reply = another.command("SIZE report");
        (reply.code == 213 && reply.text != "213 0").then_some(())
    });
    assert_nothing_seen(&deployment, &alice, &mut another);
}

#[test]
fn an_upload_is_finished_for_a_client_that_says_quit_and_goes() {
    let deployment = Deployment::start();
    let alice = deployment.admin.create("alice");
    let mut ftp = deployment.session(&alice);
    let mut data = ftp.begin(Mode::Epsv, "STOR report");
    ftp.send("QUIT");
    ftp.cut();
    data.write_all(&content::bytes(HALF, 1)).unwrap();
    data.finish().unwrap();
    let path = deployment.home(&alice).join("report");
    eventually("the whole upload", PATIENCE, || path.exists().then_some(()));
    assert_eq!(std::fs::read(path).unwrap(), content::bytes(HALF, 1));
}

#[test]
fn the_old_version_survives_a_broken_overwrite() {
    let deployment = Deployment::start();
    let alice = deployment.admin.create("alice");
    let mut ftp = deployment.session(&alice);
    ftp.send_file(Mode::Epsv, "STOR report", b"the old version");
    break_off(&mut ftp, "STOR report");
    assert_eq!(ftp.receive(Mode::Epsv, "RETR report"), b"the old version");
    ftp.send_file(Mode::Epsv, "STOR report", b"the new version");
    assert_eq!(ftp.receive(Mode::Epsv, "RETR report"), b"the new version");
}

#[test]
fn a_server_killed_during_a_hundred_uploads_leaves_no_half_file_under_a_final_name() {
    let mut deployment = Deployment::start();
    let alice = deployment.admin.create("alice");
    let mut sessions: Vec<Ftp> = (0..100).map(|_| deployment.session(&alice)).collect();
    let body = content::bytes(HALF, 1);
    let mut uploads = Vec::new();
    for (number, ftp) in sessions.iter_mut().enumerate() {
        let mut data = ftp.begin(Mode::Epsv, &format!("STOR report-{number}"));
        data.write_all(&body).unwrap();
        uploads.push(data);
    }
    deployment.crash_server();
    let names = fs::read_dir(deployment.home(&alice)).unwrap().map(|entry| entry.unwrap().file_name());
    let visible: Vec<_> = names.filter(|name| !name.to_string_lossy().starts_with(".wharfinger-")).collect();
    assert!(visible.is_empty(), "{visible:?}");
    let mut ftp = deployment.session(&alice);
    assert_eq!(ftp.receive_text(Mode::Epsv, "NLST"), "");
    ftp.send_file(Mode::Epsv, "STOR report-0", &body);
}

/// Sends the first half of the content, then TCP's end without TLS's.
fn break_off(ftp: &mut Ftp, command: &str) {
    let mut data = ftp.begin(Mode::Epsv, command);
    data.write_all(&content::bytes(SIZE, 1)[..HALF]).unwrap();
    data.truncate();
    ftp.expect_reply(426);
}

fn assert_nothing_seen(deployment: &Deployment, user: &User, ftp: &mut Ftp) {
    assert!(!deployment.home(user).join("report").exists(), "it stands on the disk");
    assert_eq!(ftp.receive_text(Mode::Epsv, "NLST"), "", "it is listed");
    ftp.expect("RNFR report", 550);
    ftp.passive(Mode::Epsv);
    ftp.expect("RETR report", 550);
}
