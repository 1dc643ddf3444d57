//! A clock that jumps, as one does that was wrong until somebody set it: libfaketime tells the programs
//! another time of day, and leaves alone the clock that only measures.

use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use wharfinger_tests::deployment::OWNER_PASSWORD;
use wharfinger_tests::neighbours::connect_from;
use wharfinger_tests::{Admin, Deployment, Ftp, Mode, Setup, Shape, Store, Version};

use crate::aftermath;

const IDLE: Duration = Duration::from_secs(10);

#[test]
fn when_the_clock_jumps_sessions_bans_and_logins_stay_as_they_are() {
    let setup = Setup::new(Shape::AllInOne, Store::Sqlite)
        .set("WHARFINGER_LIMITS__IDLE_SECONDS", &IDLE.as_secs().to_string())
        .set("WHARFINGER_LIMITS__LOGIN_FAILURES", "1");
    let clock = setup.directory().join("clock");
    fs::write(&clock, "+0").unwrap();
    let mut deployment = setup
        // libfaketime reads a file of its own all the time.
        .set("WHARFINGER_SANDBOX__LANDLOCK", "off")
        .set("LD_PRELOAD", library().to_str().unwrap())
        .set("FAKETIME_TIMESTAMP_FILE", clock.to_str().unwrap())
        .set("FAKETIME_NO_CACHE", "1")
        .set("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .start();
    let alice = deployment.admin.create("alice");
    let mut guesser = stranger(&deployment);
    guesser.expect_reply(220);
    guesser.secure();
    assert_eq!(guesser.log_in("alice", "a wrong password").code, 530);
    let (mut session, mut idle) = (deployment.session(&alice), deployment.session(&alice));
    for jump in ["+2d", "-3d"] {
        fs::write(&clock, jump).unwrap();
        for session in [&mut session, &mut idle] {
            session.expect("NOOP", 200);
        }
        session.send_file(Mode::Epsv, &format!("STOR file{jump}"), b"content");
        assert_eq!(session.receive(Mode::Epsv, &format!("RETR file{jump}")), b"content");
        stranger(&deployment).expect_reply(421);
        deployment.session(&alice).expect("NOOP", 200);
        // A token of another time may be too old by now, but another one is to be had.
        deployment.admin = Admin::log_in(deployment.admin_address, "owner", OWNER_PASSWORD);
        deployment.admin.create(&format!("user.{}", &jump[1..]));
        aftermath::audit_is_intact(&deployment);
        let latest =
            deployment.admin.get("/api/v1/audit?action=change&limit=1").body["items"][0]["at"].clone();
        let ahead = latest.as_str().unwrap().parse::<Timestamp>().unwrap().duration_since(Timestamp::now());
        assert!(ahead.as_hours().abs() > 40, "the clock did not jump by {jump}: {latest}");
    }
    let replies = idle.replies_until_closed(IDLE + aftermath::SOON);
    assert_eq!(replies.iter().map(|reply| reply.code).collect::<Vec<_>>(), [421], "{replies:?}");
    assert!(deployment.server().runs());
}

/// From where nobody else comes.
fn stranger(deployment: &Deployment) -> Ftp {
    let socket = connect_from(Ipv4Addr::new(127, 0, 0, 9), deployment.ftp());
    Ftp::over(socket, deployment.tls(Version::Tls13))
}

fn library() -> PathBuf {
    let found = ["x86_64", "aarch64"]
        .map(|machine| PathBuf::from(format!("/usr/lib/{machine}-linux-gnu/faketime/libfaketimeMT.so.1")));
    found.into_iter().find(|path| path.exists()).expect("libfaketime is missing: ./tests/run installs it")
}
