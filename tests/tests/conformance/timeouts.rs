//! What the server will not wait for, or not have more of: each limit has a reply of its own, and
//! touches nobody but who has reached it.

use std::fs::File;
use std::time::Duration;

use wharfinger_tests::polling::eventually;
use wharfinger_tests::{Deployment, Ftp, Mode, Setup, Shape, Store};

/// Longer than the limits below together.
const SOON: Duration = Duration::from_secs(10);

#[test]
fn who_does_not_log_in_in_time_gets_421_however_much_is_said() {
    let deployment = impatient();
    for talks in [false, true] {
        let mut ftp = deployment.connect();
        let said = if talks { 3 } else { 0 };
        for _ in 0..said {
            ftp.expect("NOOP", 200);
        }
        assert_ends_with_421(&mut ftp);
    }
}

#[test]
fn a_session_that_says_nothing_gets_421() {
    let deployment = impatient();
    let mut ftp = deployment.session(&deployment.admin.create("alice"));
    assert_ends_with_421(&mut ftp);
}

#[test]
fn a_transfer_that_does_not_move_gets_426_and_the_session_goes_on() {
    let deployment = impatient();
    let alice = deployment.admin.create("alice");
    deployment.session(&alice);
    File::create(deployment.home(&alice).join("big")).unwrap().set_len(64 << 20).unwrap();
    // Both take longer than a session may be silent: while bytes are waited for it is not idle.
    for command in ["RETR big", "STOR upload"] {
        let mut ftp = deployment.session(&alice);
        let _data = ftp.begin(Mode::Epsv, command);
        assert_eq!(ftp.reply_within(SOON).code, 426, "{command}");
        ftp.expect("NOOP", 200);
    }
}

#[test]
fn a_data_connection_that_does_not_come_gets_425_and_the_session_goes_on() {
    let deployment = impatient();
    let mut ftp = deployment.session(&deployment.admin.create("alice"));
    for command in ["NLST", "STOR upload"] {
        ftp.passive(Mode::Epsv);
        ftp.expect(command, 150);
        assert_eq!(ftp.reply_within(SOON).code, 425, "{command}");
        ftp.expect("NOOP", 200);
    }
}

#[test]
fn too_many_failed_logins_end_the_session_with_421() {
    let deployment = set(&[("LOGIN_FAILURES_PER_SESSION", "2")]);
    let alice = deployment.admin.create("alice");
    let mut ftp = deployment.connect();
    ftp.secure();
    assert_eq!(ftp.log_in(&alice.name, "wrong").code, 530);
    ftp.expect(&format!("USER {}", alice.name), 331);
    ftp.send("PASS wrong again");
    assert_ends_with_421(&mut ftp);
    deployment.session(&alice);
}

#[test]
fn rein_gives_no_more_attempts_and_no_more_time_to_who_is_not_logged_in() {
    let deployment = set(&[("LOGIN_FAILURES_PER_SESSION", "2"), ("LOGIN_SECONDS", "3")]);
    let alice = deployment.admin.create("alice");
    let mut ftp = deployment.connect();
    ftp.secure();
    assert_eq!(ftp.log_in(&alice.name, "wrong").code, 530);
    ftp.expect("REIN", 220);
    ftp.expect(&format!("USER {}", alice.name), 331);
    ftp.send("PASS wrong again");
    assert_ends_with_421(&mut ftp);
    let mut silent = deployment.connect();
    silent.secure();
    let begun = std::time::Instant::now();
    while silent.command("REIN").code == 220 {
        assert!(begun.elapsed() < SOON, "REIN keeps a session alive that nobody logs in to");
    }
}

#[test]
fn a_session_too_many_is_greeted_with_421() {
    let deployment = set(&[("MAX_SESSIONS_PER_ADDRESS", "2")]);
    let alice = deployment.admin.create("alice");
    let mut first = deployment.session(&alice);
    let mut second = deployment.session(&alice);
    let dial = || Ftp::dial(deployment.ftp(), deployment.tls(wharfinger_tests::Version::Tls13));
    assert_ends_with_421(&mut dial());
    first.expect("NOOP", 200);
    second.expect("QUIT", 221);
    drop(second);
    eventually("the place of the session that has ended", SOON, || {
        (dial().reply_within(SOON).code == 220).then_some(())
    });
    first.expect("NOOP", 200);
}

/// 421 is the last word, and alone.
fn assert_ends_with_421(ftp: &mut Ftp) {
    let replies = ftp.replies_until_closed(SOON);
    let codes: Vec<u16> = replies.iter().map(|reply| reply.code).collect();
    assert_eq!(codes, [421], "{replies:?}");
}

fn impatient() -> Deployment {
    let limits = ["LOGIN_SECONDS", "IDLE_SECONDS", "STALLED_SECONDS", "DATA_SECONDS"];
    set(&limits.map(|limit| (limit, "2")))
}

fn set(limits: &[(&str, &str)]) -> Deployment {
    let setup = Setup::new(Shape::AllInOne, Store::Sqlite);
    let setup = limits
        .iter()
        .fold(setup, |setup, (limit, value)| setup.set(&format!("WHARFINGER_LIMITS__{limit}"), value));
    setup.start()
}
