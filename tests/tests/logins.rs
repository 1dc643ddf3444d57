//! Who is let in, and how little the others learn.

use std::net::Ipv4Addr;
use std::thread;
use std::time::Duration;

use serde_json::json;
use wharfinger_tests::neighbours::{connect_from, session_from};
use wharfinger_tests::{Deployment, Ftp, Reply, Setup, Shape, Store, Version};

#[test]
fn unknown_disabled_and_wrong_password_look_alike() {
    let deployment = Deployment::start();
    let alice = deployment.admin.create("alice");
    let disabled = deployment.admin.create("disabled");
    deployment.admin.act(&disabled, "disable", json!({}));
    let wrong = deployment.log_in(&alice.name, "not the password");
    let unknown = deployment.log_in("nobody", "not the password");
    let closed = deployment.log_in(&disabled.name, &disabled.password);
    assert_eq!(wrong.code, 530, "{wrong:?}");
    assert_eq!(unknown, wrong);
    assert_eq!(closed, wrong);
    assert_eq!(deployment.log_in(&alice.name, &alice.password).code, 230);
}

#[test]
fn user_never_tells_whether_a_name_exists() {
    let deployment = Deployment::start();
    deployment.admin.create("alice");
    let answers: Vec<Reply> = ["alice", "nobody", "not a name!", "../alice", ""]
        .iter()
        .map(|name| {
            let mut ftp = deployment.connect();
            ftp.secure();
            ftp.command(&format!("USER {name}"))
        })
        .collect();
    for answer in &answers[..4] {
        assert_eq!(answer.code, 331, "{answer:?}");
    }
    assert!([331, 501].contains(&answers[4].code), "{:?}", answers[4]);
}

#[test]
fn a_session_is_closed_after_three_failures() {
    let deployment = Deployment::start();
    deployment.admin.create("alice");
    let mut ftp = deployment.connect();
    ftp.secure();
    for _ in 0..2 {
        assert_eq!(ftp.log_in("alice", "not the password").code, 530);
    }
    ftp.expect("USER alice", 331);
    ftp.send("PASS not the password");
    let codes: Vec<u16> =
        ftp.replies_until_closed(Duration::from_secs(10)).iter().map(|reply| reply.code).collect();
    assert!(matches!(codes.as_slice(), [421] | [530, 421]), "{codes:?}");
}

#[test]
fn guesses_at_a_name_from_many_addresses_keep_its_owner_out_of_nothing() {
    let deployment = Deployment::start();
    let alice = deployment.admin.create("alice");
    let at_home = Ipv4Addr::new(127, 0, 7, 1);
    session_from(&deployment, at_home, &alice).expect("QUIT", 221);
    let guess = |number: u8| {
        let socket = connect_from(Ipv4Addr::new(127, 0, 8, number), deployment.ftp());
        let mut ftp = Ftp::over(socket, deployment.tls(Version::Tls13));
        ftp.expect_reply(220);
        ftp.secure();
        ftp.log_in(&alice.name, "not the password").code
    };
    thread::scope(|scope| {
        let guesses: Vec<_> = (1..=24).map(|number| scope.spawn(move || guess(number))).collect();
        // In the midst of them, and behind them.
        session_from(&deployment, at_home, &alice).expect("QUIT", 221);
        for guess in guesses {
            let code = guess.join().unwrap();
            assert!([530, 421].contains(&code), "{code}");
        }
    });
    // Also after a slip of the pen, which is answered as the first one is.
    let socket = connect_from(at_home, deployment.ftp());
    let mut ftp = Ftp::over(socket, deployment.tls(Version::Tls13));
    ftp.expect_reply(220);
    ftp.secure();
    assert_eq!(ftp.log_in(&alice.name, "not the password").code, 530);
    assert_eq!(ftp.log_in(&alice.name, &alice.password).code, 230);
}

#[test]
fn an_address_is_refused_after_its_failures_and_others_are_not() {
    let setup = Setup::new(Shape::AllInOne, Store::Sqlite);
    let deployment = setup.set("WHARFINGER_LIMITS__LOGIN_FAILURES", "3").start();
    let alice = deployment.admin.create("alice");
    for _ in 0..3 {
        // Names that don't exist count as well.
        assert_eq!(deployment.log_in("nobody", "not the password").code, 530);
    }
    let mut ftp =
        wharfinger_tests::Ftp::dial(deployment.ftp(), deployment.tls(wharfinger_tests::Version::Tls13));
    let replies = ftp.replies_until_closed(Duration::from_secs(5));
    assert_eq!(replies.iter().map(|reply| reply.code).collect::<Vec<_>>(), [421], "{replies:?}");
    deployment.session_at(deployment.ftp6(), wharfinger_tests::Version::Tls13, &alice);
}

#[test]
fn a_user_of_another_network_is_refused() {
    let deployment = Deployment::start();
    let user =
        json!({"username": "far", "password": "from far away only", "allowed_networks": ["192.0.2.0/24"]});
    assert_eq!(deployment.admin.post("/api/v1/users", user).status, 201);
    assert_eq!(deployment.log_in("far", "from far away only").code, 530);
}

#[test]
fn no_log_carries_a_password() {
    let mut deployment =
        Setup::new(Shape::AllInOne, Store::Sqlite).set("WHARFINGER_LOG__LEVEL", "trace").start();
    let alice = deployment.admin.create("alice");
    let mut ftp = deployment.session(&alice);
    ftp.expect("QUIT", 221);
    assert_eq!(deployment.log_in("alice", "a wrong password, a secret too").code, 530);
    let log = deployment.server().log.text();
    assert!(log.contains("alice"), "the login is logged");
    for secret in [alice.password.as_str(), "a secret too", wharfinger_tests::deployment::OWNER_PASSWORD] {
        let line = log.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "{secret:?} is in the log: {}", line.unwrap_or_default());
    }
}
