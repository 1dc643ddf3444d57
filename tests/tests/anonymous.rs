//! Logins without an account: off unless wanted, in a directory of their own, and bound by all that
//! binds others.

use std::fs;
use std::io::{Read, Write};
use std::time::Duration;

use wharfinger_tests::{Deployment, Ftp, Mode, Setup, Shape, Store, Version};

const SOON: Duration = Duration::from_secs(10);

#[test]
fn nobody_is_let_in_without_an_account_by_default() {
    let deployment = Deployment::start();
    for name in ["anonymous", "ftp"] {
        let mut ftp = deployment.connect();
        ftp.secure();
        ftp.expect(&format!("USER {name}"), 331);
        ftp.expect("PASS guest@example.com", 530);
    }
}

#[test]
fn a_user_of_the_store_may_have_the_name_while_it_is_not_given_away() {
    let deployment = Deployment::start();
    let user = deployment.admin.create("anonymous");
    assert_eq!(deployment.log_in("anonymous", "anything").code, 530);
    deployment.session(&user).expect("MKD made", 257);
    assert!(deployment.home(&user).join("made").is_dir());
}

#[test]
fn any_password_will_do_where_one_is_asked_for() {
    let deployment = enabled(&[]);
    for (name, password) in
        [("anonymous", "guest@example.com"), ("ftp", ""), ("Anonymous", "x"), ("FTP", "x")]
    {
        let mut ftp = deployment.connect();
        ftp.secure();
        ftp.expect(&format!("USER {name}"), 331);
        ftp.expect(format!("PASS {password}").trim_end(), 230);
        assert!(ftp.expect("PWD", 257).contains("\"/\""));
    }
    assert_eq!(deployment.log_in("anonymous2", "guest@example.com").code, 530);
}

#[test]
fn the_name_alone_logs_in_where_no_password_is_asked_for() {
    let deployment = enabled(&[("ASK_PASSWORD", "false")]);
    let mut ftp = deployment.connect();
    ftp.secure();
    ftp.expect("USER ftp", 230);
    ftp.expect("USER ftp", 530);
    ftp.expect("REIN", 220);
    ftp.expect("CWD /", 530);
    ftp.expect("PASS late", 503);
    ftp.expect("USER anonymous", 230);
    ftp.expect("REIN", 220);
    let alice = deployment.admin.create("alice");
    assert_eq!(ftp.log_in(&alice.name, &alice.password).code, 230, "REIN changes to a user with an account");
    ftp.expect("MKD hers", 257);
}

#[test]
fn the_directory_is_read_and_nothing_in_it_is_changed() {
    let deployment = enabled(&[]);
    put(&deployment, "file", "content");
    fs::create_dir(root(&deployment).join("folder")).unwrap();
    let mut ftp = log_in(&deployment);
    assert_eq!(ftp.receive(Mode::Epsv, "RETR file"), b"content");
    assert_eq!(ftp.receive(Mode::Epsv, "NLST f*").len(), "file\r\nfolder\r\n".len());
    ftp.expect("HASH file", 213);
    for command in [
        "DELE file",
        "MKD made",
        "RMD folder",
        "RNFR file",
        "MFMT 20200102030405 file",
        "MFF UNIX.mode=0777; file",
    ] {
        ftp.expect(command, 550);
    }
    for command in ["SITE CHMOD 777 file", "SITE CPTO copy", "SITE UTIME 20200102030405 file"] {
        ftp.expect(command, 501);
    }
    ftp.passive(Mode::Epsv);
    for (command, code) in [("STOR new", 553), ("STOR file", 553), ("STOU", 553), ("APPE file", 550)] {
        ftp.expect(command, code);
    }
    ftp.expect("REST 3", 350);
    ftp.expect("STOR file", 553);
    assert_eq!(ftp.receive(Mode::Epsv, "RETR file"), b"content");
}

#[test]
fn it_is_a_directory_of_its_own_whatever_users_of_the_store_are_called() {
    let deployment = enabled(&[]);
    // The store's user is shadowed, and its home stays its own.
    let user = deployment.admin.create("anonymous");
    put(&deployment, "public", "for all");
    let secret = deployment.home(&user);
    fs::create_dir_all(&secret).unwrap();
    fs::write(secret.join("secret"), "for one").unwrap();
    let mut ftp = log_in(&deployment);
    assert_eq!(ftp.receive(Mode::Epsv, "NLST"), b"public\r\n");
    ftp.expect("CWD ../files", 550);
    // Whatever happens to that user is not this session's business.
    assert_eq!(deployment.admin.post("/api/v1/users/anonymous/disable", serde_json::json!({})).status, 200);
    assert_eq!(deployment.admin.delete("/api/v1/users/anonymous").status, 204);
    let other = deployment.admin.create("other");
    let mut its = deployment.session(&other);
    let disabled = deployment.admin.post("/api/v1/users/other/disable", serde_json::json!({}));
    assert_eq!(disabled.status, 200);
    // The round in which this one is ended has judged all the others too.
    assert_eq!(its.replies_until_closed(SOON).last().map(|reply| reply.code), Some(421));
    ftp.expect("NOOP", 200);
    assert_eq!(ftp.receive(Mode::Epsv, "RETR public"), b"for all");
}

#[test]
fn what_is_left_in_incoming_is_nobody_s_to_see() {
    let deployment = enabled(&[("INCOMING", "drop/here")]);
    let mut ftp = log_in(&deployment);
    ftp.expect("CWD drop/here", 250);
    ftp.send_file(Mode::Epsv, "STOR letter", b"content");
    assert_eq!(fs::read(root(&deployment).join("drop/here/letter")).unwrap(), b"content");
    ftp.expect("SIZE letter", 550);
    ftp.expect("DELE letter", 550);
    ftp.expect("MKD made", 550);
    ftp.expect("RNFR letter", 550);
    ftp.passive(Mode::Epsv);
    for (command, code) in [
        ("RETR letter", 550),
        ("STOR letter", 553),
        ("APPE letter", 550),
        ("LIST", 450),
        ("NLST *", 450),
        ("MLSD", 550),
    ] {
        ftp.expect(command, code);
    }
    // What is broken off is gone: the next one under that name may be anybody.
    let mut data = ftp.begin(Mode::Epsv, "STOR begun");
    data.write_all(b"the first half").unwrap();
    ftp.send("ABOR");
    ftp.expect_reply(426);
    ftp.expect_reply(226);
    drop(data);
    ftp.expect("REST 14", 350);
    ftp.passive(Mode::Epsv);
    ftp.expect("STOR begun", 553);
    ftp.send_file(Mode::Epsv, "STOU", b"content");
    assert_eq!(fs::read_dir(root(&deployment).join("drop/here")).unwrap().count(), 2);
}

#[test]
fn it_needs_tls_where_a_login_does_and_none_where_none_does() {
    let deployment = enabled(&[("ASK_PASSWORD", "false")]);
    let mut ftp = deployment.connect();
    ftp.expect("USER anonymous", 530);
    ftp.secure();
    ftp.expect("USER anonymous", 230);

    let setup = setup(&[("ASK_PASSWORD", "false")]).set("WHARFINGER_TLS__CONTROL", "optional");
    let deployment = setup.set("WHARFINGER_TLS__DATA", "optional").start();
    put(&deployment, "file", "content");
    let mut ftp = deployment.connect();
    ftp.expect("USER anonymous", 230);
    let offer = ftp.offer(Mode::Epsv);
    ftp.expect("RETR file", 150);
    let mut received = Vec::new();
    offer.accept().read_to_end(&mut received).unwrap();
    ftp.expect_reply(226);
    assert_eq!(received, b"content");
}

#[test]
fn a_banned_address_gets_no_anonymous_login_either() {
    let setup = setup(&[("ASK_PASSWORD", "false")]);
    let deployment = setup.set("WHARFINGER_LIMITS__LOGIN_FAILURES", "2").start();
    let mut waiting = deployment.connect();
    waiting.secure();
    let mut guessing = deployment.connect();
    guessing.secure();
    for _ in 0..2 {
        guessing.log_in("alice", "a guess");
    }
    waiting.expect("USER anonymous", 421);
    let mut late = Ftp::dial(deployment.ftp(), deployment.tls(Version::Tls13));
    assert_eq!(late.reply_within(SOON).code, 421);
}

#[test]
fn it_is_logged_as_others_are_and_without_the_password() {
    let mut deployment = enabled(&[]);
    put(&deployment, "file", "content");
    let mut ftp = deployment.connect();
    ftp.secure();
    ftp.expect("USER anonymous", 331);
    ftp.expect("PASS somebody@example.com", 230);
    ftp.expect("PBSZ 0", 200);
    ftp.expect("PROT P", 200);
    ftp.receive(Mode::Epsv, "RETR file");
    deployment.server().logs(&["logged in", "\"anonymous\""]);
    deployment.server().logs(&["download", "\"anonymous\"", "/file", "complete"]);
    assert!(!deployment.server().log.text().contains("somebody@example.com"));
}

#[test]
fn a_root_that_holds_the_users_files_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    for root in [directory.path().to_owned(), directory.path().join("data/files")] {
        let mut environment = wharfinger_tests::deployment::environment(directory.path());
        environment.insert("WHARFINGER_ANONYMOUS__ENABLED".to_owned(), "true".to_owned());
        let root = root.to_str().unwrap().to_owned();
        environment.insert("WHARFINGER_ANONYMOUS__ROOT".to_owned(), root);
        let ended = wharfinger_tests::Program::start("wharfinger", &[], directory.path(), &environment).end();
        assert_eq!(ended.code, Some(2), "{}", ended.err);
        assert!(ended.err.contains("anonymous.root"), "{}", ended.err);
    }
}

fn setup(settings: &[(&str, &str)]) -> Setup {
    let setup = Setup::new(Shape::AllInOne, Store::Sqlite).set("WHARFINGER_ANONYMOUS__ENABLED", "true");
    let name = |key: &str| format!("WHARFINGER_ANONYMOUS__{key}");
    settings.iter().fold(setup, |setup, (key, value)| setup.set(&name(key), value))
}

fn enabled(settings: &[(&str, &str)]) -> Deployment {
    setup(settings).start()
}

fn root(deployment: &Deployment) -> std::path::PathBuf {
    deployment.directory().join("data/anonymous")
}

fn put(deployment: &Deployment, name: &str, content: &str) {
    fs::write(root(deployment).join(name), content).unwrap();
}

/// A session ready for binary transfers.
fn log_in(deployment: &Deployment) -> Ftp {
    let mut ftp = deployment.connect();
    ftp.secure();
    assert_eq!(ftp.log_in("anonymous", "guest@example.com").code, 230);
    for command in ["PBSZ 0", "PROT P", "TYPE I"] {
        ftp.expect(command, 200);
    }
    ftp
}
