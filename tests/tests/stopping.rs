//! Stopping: nobody new is let in, what is under way may finish within the grace, a second signal
//! waits for nothing, and each of these ends is a good one for whoever reads the exit code.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::json;
use wharfinger_tests::deployment::OWNER_PASSWORD;
use wharfinger_tests::polling::eventually;
use wharfinger_tests::program::PATIENCE;
use wharfinger_tests::wire::{READ_LIMIT, Wire};
use wharfinger_tests::{Deployment, Ftp, Mftp, Mode, Setup, Shape, Store, User, Version};

const SHAPES: [Shape; 2] = [Shape::AllInOne, Shape::TwoPrograms];
/// Far more than a test waits.
const LONG: &str = "3600";

/// Programs with this grace, and a session whose upload is under way.
struct Place {
    deployment: Deployment,
    alice: User,
    session: Ftp,
    upload: Wire,
}

impl Place {
    fn new(shape: Shape, grace_seconds: &str) -> Place {
        let deployment = Setup::new(shape, Store::Sqlite)
            .file(&grace(grace_seconds))
            .set("WHARFINGER_MFTP__LISTEN", "127.0.0.1:0")
            .start();
        let alice = deployment.admin.create("alice");
        let mut session = deployment.session(&alice);
        let mut upload = session.begin(Mode::Epsv, "STOR report");
        upload.write_all(b"one half, ").unwrap();
        Place { deployment, alice, session, upload }
    }
}

/// A configuration with this grace.
fn grace(seconds: &str) -> String {
    format!("[shutdown]\ngrace_seconds = {seconds}\n")
}

fn codes_until_closed(session: &mut Ftp) -> Vec<u16> {
    session.replies_until_closed(PATIENCE).iter().map(|reply| reply.code).collect()
}

#[test]
fn a_transfer_under_way_may_finish_and_nobody_new_is_let_in() {
    for shape in SHAPES {
        let Place { mut deployment, alice, mut session, mut upload } = Place::new(shape, LONG);
        let mftp = deployment.addresses("mftp", 1)[0];
        let mut idle = deployment.session(&alice);
        deployment.terminate();
        assert_eq!(codes_until_closed(&mut idle), [421]);
        Ftp::dial(deployment.ftp(), deployment.tls(Version::Tls13)).expect_reply(421);
        Mftp::dial(mftp, None).expect_answer("ERR 423");
        upload.write_all(b"the other half").unwrap();
        upload.finish().unwrap();
        session.expect_reply(226);
        assert_eq!(codes_until_closed(&mut session), [421]);
        let ended = deployment.server().wait();
        assert_eq!(ended.code, Some(0), "{shape:?}: {}", ended.err);
        let stored = fs::read(deployment.home(&alice).join("report")).unwrap();
        assert_eq!(stored, b"one half, the other half");
    }
}

#[test]
fn a_transfer_that_outlasts_the_grace_is_cut_off_and_leaves_nothing_under_its_name() {
    for shape in SHAPES {
        let Place { mut deployment, alice, mut session, upload } = Place::new(shape, "1");
        deployment.terminate();
        assert_eq!(codes_until_closed(&mut session), [426, 421]);
        drop(upload);
        let ended = deployment.server().wait();
        assert_eq!(ended.code, Some(0), "{shape:?}: {}", ended.err);
        assert!(ended.err.contains("the grace is over"), "{}", ended.err);
        assert!(!deployment.home(&alice).join("report").exists());
    }
}

#[test]
fn the_grace_is_the_one_of_the_configuration_as_last_read() {
    let Place { mut deployment, mut session, upload, .. } = Place::new(Shape::AllInOne, LONG);
    deployment.reload(&grace("1"));
    deployment.server().logs(&["new sessions use new settings"]);
    deployment.terminate();
    assert_eq!(codes_until_closed(&mut session), [426, 421]);
    drop(upload);
    assert_eq!(deployment.server().wait().code, Some(0));
}

#[test]
fn a_second_signal_waits_for_nothing() {
    for shape in SHAPES {
        let Place { mut deployment, mut session, upload, .. } = Place::new(shape, LONG);
        deployment.terminate();
        // Two that come before the first is taken in count as one.
        deployment.server().logs(&["sigterm: stopping"]);
        deployment.terminate();
        let ended = deployment.server().wait();
        assert_eq!(ended.code, Some(0), "{shape:?}: {}", ended.err);
        assert!(ended.err.contains("asked again: stopping at once"), "{}", ended.err);
        session.replies_until_closed(PATIENCE);
        drop(upload);
    }
}

#[test]
fn a_request_under_way_is_answered_and_no_new_one_is_taken() {
    for shape in SHAPES {
        let mut deployment = Setup::new(shape, Store::Sqlite).file(&grace(LONG)).start();
        let address = deployment.admin_address;
        let body = json!({"username": "owner", "password": OWNER_PASSWORD}).to_string();
        let mut under_way = TcpStream::connect(address).unwrap();
        under_way.set_read_timeout(Some(READ_LIMIT)).unwrap();
        let head = format!(
            "POST /api/v1/auth/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
            body.len()
        );
        under_way.write_all(head.as_bytes()).unwrap();
        // Said when somebody wants to read the body.
        let mut asked = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
        under_way.read_exact(&mut asked).unwrap();
        assert_eq!(asked.as_slice(), b"HTTP/1.1 100 Continue\r\n\r\n");

        let program = deployment.admin_program();
        program.terminate();
        eventually("nobody listens", PATIENCE, || TcpStream::connect(address).is_err().then_some(()));
        under_way.write_all(body.as_bytes()).unwrap();
        let mut answer = String::new();
        under_way.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains("access_token"), "{answer}");
        let ended = program.wait();
        assert_eq!(ended.code, Some(0), "{shape:?}: {}", ended.err);
    }
}
