//! Who gets in, how long a session lasts, and what is said when it ends from outside.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use wharfinger_tests::polling::eventually;
use wharfinger_tests::{Mftp, User};

use crate::place::{BOTH, BOUND, Place, Protection, connect, setup};

/// The promise.
const DISABLED_WITHIN: Duration = Duration::from_secs(2);

#[test]
fn disabling_ends_sessions_and_transfers_within_two_seconds() {
    for protection in BOTH {
        let place = Place::new();
        place.make_big_file();
        let mut idle = place.session(protection);
        let mut sending = place.session(protection);
        let mut download = sending.open("RETR big");
        let mut receiving = place.session(protection);
        let mut upload = receiving.open("STOR report");
        std::io::Write::write_all(&mut upload, b"half").unwrap();
        let start = Instant::now();
        place.deployment.admin.act(&place.user, "disable", json!({}));
        for (mftp, transfers) in [(&mut idle, false), (&mut sending, true), (&mut receiving, true)] {
            let answers = mftp.answers_until_closed(DISABLED_WITHIN.saturating_sub(start.elapsed()));
            let last = "ERR 430 The account may not be used any more";
            let expected =
                if transfers { vec!["ERR 421 Transfer ended by the server", last] } else { vec![last] };
            assert_eq!(answers, expected, "{protection:?}");
        }
        assert!(download.drain() < crate::place::BIG, "all of the file arrived");
        assert!(!place.home().join("report").exists(), "half a file under its final name");
        refused(connect(&place.deployment, protection), &place.user);
    }
}

#[test]
fn only_users_with_mftp_among_their_protocols_get_in_and_mftp_opens_no_other_door() {
    let place = Place::new();
    for (name, protocols) in [("ftps-only", json!(["ftps", "ftp"])), ("mftp-only", json!(["mftp"]))] {
        let body = json!({"username": name, "password": "a password of its own", "protocols": protocols});
        let answer = place.deployment.admin.post("/api/v1/users", body);
        assert!([201, 409].contains(&answer.status), "{answer:?}");
    }
    let user = |name: &str| User { name: name.to_owned(), password: "a password of its own".to_owned() };
    for protection in BOTH {
        refused(connect(&place.deployment, protection), &user("ftps-only"));
        let mut mftp = connect(&place.deployment, protection);
        assert_eq!(mftp.log_in("mftp-only", "a password of its own"), "AOK 230 Logged in");
    }
    assert_eq!(place.deployment.log_in("mftp-only", "a password of its own").code, 530);
}

#[test]
fn the_third_failure_closes_the_connection() {
    let place = Place::new();
    let mut mftp = place.connect(Protection::Clear);
    for _ in 0..2 {
        assert_eq!(mftp.log_in("nobody-at-all", "guessed"), "ERR 530 Login incorrect");
    }
    mftp.expect("USER nobody-at-all", "AOK 630");
    mftp.send("PASS guessed");
    assert_eq!(mftp.answers_until_closed(BOUND), ["ERR 530 Login incorrect"]);
}

#[test]
fn too_many_failures_end_in_a_ban_whatever_is_spoken() {
    let place = Place::on(Arc::new(setup().set("WHARFINGER_LIMITS__LOGIN_FAILURES", "2").start()));
    let mut mftp = place.connect(Protection::Clear);
    let mut late = place.connect(Protection::Clear);
    mftp.log_in("nobody-at-all", "guessed");
    assert_eq!(place.deployment.log_in("nobody-at-all", "guessed").code, 530);
    late.expect(&format!("USER {}", place.user.name), "AOK 630");
    late.send(&format!("PASS {}", place.user.password));
    let words = "ERR 430 Too many failed logins from your address; try again later";
    assert_eq!(late.answers_until_closed(BOUND), [words]);
    let mut banned = Mftp::dial(place.deployment.addresses("mftp", 1)[0], None);
    assert_eq!(banned.answers_until_closed(BOUND), [words]);
}

#[test]
fn one_address_has_so_many_sessions_whatever_is_spoken() {
    let place = Place::on(Arc::new(setup().set("WHARFINGER_LIMITS__MAX_SESSIONS_PER_ADDRESS", "2").start()));
    let address = place.deployment.addresses("mftp", 1)[0];
    let taken = (place.session(Protection::Clear), place.ftp());
    let mut third = Mftp::dial(address, None);
    let words = "ERR 423 Too many sessions from your address; close one";
    assert_eq!(third.answers_until_closed(BOUND), [words]);
    drop(taken);
    eventually("a place is free again", BOUND, || {
        let mut next = Mftp::dial(address, None);
        (next.answer() == "AOK 220 Ready").then_some(())
    });
}

#[test]
fn who_is_silent_for_too_long_is_told_423() {
    let setup = setup().set("WHARFINGER_LIMITS__IDLE_SECONDS", "1");
    let place = Place::on(Arc::new(setup.set("WHARFINGER_LIMITS__LOGIN_SECONDS", "2").start()));
    for protection in BOTH {
        let mut idle = place.session(protection);
        assert_eq!(idle.answers_until_closed(BOUND), ["ERR 423 Nothing heard for too long, closing"]);
        let mut stranger = place.connect(protection);
        assert_eq!(stranger.answers_until_closed(BOUND), ["ERR 423 No login in time, closing"]);
    }
}

#[test]
fn a_server_that_stops_lets_the_transfer_end_and_says_423() {
    let deployment = setup().start();
    let place = Place::on(Arc::new(deployment));
    let (mut idle, mut busy) = (place.session(Protection::Clear), place.session(Protection::Tls));
    let mut upload = busy.open("STOR report");
    place.deployment.terminate();
    assert_eq!(idle.answers_until_closed(BOUND), ["ERR 423 The server is stopping"]);
    std::io::Write::write_all(&mut upload, b"whole").unwrap();
    upload.finish().unwrap();
    busy.expect_answer("AOK 320");
    assert_eq!(busy.answers_until_closed(BOUND), ["ERR 423 The server is stopping"]);
    assert_eq!(std::fs::read(place.home().join("report")).unwrap(), b"whole");
}

#[test]
fn a_line_that_is_too_long_is_502_and_the_session_goes_on() {
    for protection in BOTH {
        let mut mftp = Place::new().session(protection);
        mftp.send(&format!("MKDR {}", "x".repeat(100_000)));
        assert_eq!(mftp.answer(), "ERR 502 The line is too long");
        assert_eq!(mftp.command("NOOP"), "AOK 220 Ready");
    }
}

#[test]
fn commands_that_are_switched_off_are_503_and_not_among_the_features() {
    let place = Place::on(Arc::new(setup().set("WHARFINGER_MFTP__DISABLED_COMMANDS", "dele,STOR").start()));
    let mut mftp = place.session(Protection::Clear);
    assert_eq!(mftp.command("DELE a"), "ERR 503 DELE is not offered here");
    assert_eq!(mftp.command("STOR"), "ERR 503 STOR is not offered here");
    let features = mftp.expect("FEAT", "AOK 200");
    assert_eq!(features, "LIST,RETR,RMDR,MKDR,CHWD,SIZE,USER,PASS,QUIT,RNME,NOOP,ABOR,MDTM,FEAT,PWRD,WAMI");
}

#[test]
fn a_browser_is_hung_up_on() {
    let mut mftp = Place::new().connect(Protection::Clear);
    mftp.send("POST /upload HTTP/1.1\r\nHost: localhost\r\n\r\nUSER a");
    assert_eq!(mftp.answers_until_closed(BOUND), ["ERR 500 This is an MFTP server"]);
}

fn refused(mut mftp: Mftp, user: &User) {
    assert_eq!(mftp.log_in(&user.name, &user.password), "ERR 530 Login incorrect");
}
