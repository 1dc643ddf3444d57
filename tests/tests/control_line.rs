//! What comes in on the control connection, however it comes: pipelined, in clear before TLS,
//! far too long, or in another protocol.

use std::time::Duration;

use wharfinger_tests::{Deployment, Ftp};

const AT_ONCE: Duration = Duration::from_secs(2);

#[test]
fn a_login_needs_tls() {
    let deployment = Deployment::start();
    let alice = deployment.admin.create("alice");
    let mut ftp = deployment.connect();
    assert!(ftp.expect("USER alice", 530).contains("TLS"), "the refusal says what is needed");
    let reply = ftp.command(&format!("PASS {}", alice.password));
    assert!([503, 530].contains(&reply.code), "{reply:?}");
    ftp.expect("FEAT", 211);
    ftp.secure();
    assert_eq!(ftp.log_in(&alice.name, &alice.password).code, 230);
}

#[test]
fn commands_in_clear_after_auth_never_run() {
    let deployment = Deployment::start();
    let alice = deployment.admin.create("alice");
    let smuggled = [
        "AUTH TLS\r\nNOOP\r\n".to_owned(),
        "AUTH TLS\r\nFEAT\r\n".to_owned(),
        format!("AUTH TLS\r\nUSER alice\r\nPASS {}\r\nPBSZ 0\r\n", alice.password),
        "AUTH TLS\r\nUSE".to_owned(),
    ];
    for lines in smuggled {
        let mut ftp = deployment.connect();
        ftp.send_bytes(lines.as_bytes());
        let replies = ftp.replies_until_closed(AT_ONCE);
        let codes: Vec<u16> = replies.iter().map(|reply| reply.code).collect();
        assert!(matches!(codes.as_slice(), [] | [503 | 421]), "{lines:?}: {replies:?}");
    }
}

#[test]
fn the_state_of_the_clear_session_does_not_survive_the_upgrade() {
    let deployment = Deployment::start();
    let alice = deployment.admin.create("alice");
    let mut ftp = deployment.connect();
    ftp.expect("USER alice", 530);
    ftp.secure();
    let reply = ftp.command(&format!("PASS {}", alice.password));
    assert_eq!(reply.code, 503, "USER was said before TLS: {reply:?}");
    ftp.expect("AUTH TLS", 503);
}

#[test]
fn a_line_of_a_mebibyte_is_refused_and_the_session_goes_on() {
    let deployment = Deployment::start();
    let alice = deployment.admin.create("alice");
    let line = [b"CWD ".to_vec(), vec![b'x'; 1 << 20], b"\r\n".to_vec()].concat();
    let mut before_login = deployment.connect();
    before_login.send_bytes(&line);
    before_login.expect_reply(500);
    before_login.expect("NOOP", 200);
    let mut session = deployment.session(&alice);
    session.send_bytes(&line);
    session.expect_reply(500);
    session.expect("PWD", 257);
}

#[test]
fn commands_sent_together_are_answered_in_order() {
    let deployment = Deployment::start();
    let mut ftp = deployment.session(&deployment.admin.create("alice"));
    ftp.send_bytes(b"PWD\r\nMKD made\r\nCWD made\r\nPWD\r\nNOOP\r\nCWD missing\r\nPWD\n");
    let replies: Vec<_> = (0..7).map(|_| ftp.reply()).collect();
    let codes: Vec<u16> = replies.iter().map(|reply| reply.code).collect();
    assert_eq!(codes, [257, 257, 250, 257, 200, 550, 257]);
    assert!(replies[6].text.contains("\"/made\""), "{replies:?}");
}

#[test]
fn another_protocol_s_first_line_closes_the_connection() {
    let deployment = Deployment::start();
    for line in ["GET / HTTP/1.1\r\nHost: localhost", "POST /upload HTTP/1.1", "EHLO example.org"] {
        let mut ftp = deployment.connect();
        ftp.send(line);
        let replies = ftp.replies_until_closed(AT_ONCE);
        assert!(replies.len() <= 1, "{line}: {replies:?}");
    }
}

#[test]
fn commands_that_need_a_login_are_refused_before_it() {
    let deployment = Deployment::start();
    let mut ftp = deployment.connect();
    ftp.secure();
    let commands = "RETR file,STOR file,APPE file,STOU,LIST,NLST,MLSD,MLST file,SIZE file,MDTM file,DELE file,\
                    RNFR file,RNTO file,MKD made,RMD made,CWD made,CDUP,PASV,EPSV,EPRT |1|127.0.0.1|50000|,\
                    REST 5,TYPE I";
    for command in commands.split(',') {
        ftp.expect(command, 530);
    }
    ftp.expect("PORT 127,0,0,1,200,200", 530);
    // The table of RFC 959 (5.4) has no 530 for these.
    ftp.expect("PWD", 550);
    assert!([225, 226].contains(&ftp.command("ABOR").code));
}

#[test]
fn what_no_command_is_gets_a_code_that_says_so() {
    let deployment = Deployment::start();
    let mut ftp = deployment.session(&deployment.admin.create("alice"));
    let refusals: [(&[u8], &[u16]); 8] = [
        (b"BOGUS\r\n", &[500]),
        (b"\r\n", &[500]),
        (b"CWD\r\n", &[501]),
        (b"CWD a\0b\r\n", &[501]),
        (b"TYPE X\r\n", &[501, 504]),
        (b"MODE B\r\n", &[504]),
        (b"REST -1\r\n", &[501]),
        (b"PORT 1,2,3\r\n", &[501]),
    ];
    for (line, codes) in refusals {
        ftp.send_bytes(line);
        let reply = ftp.reply();
        assert!(codes.contains(&reply.code), "{}: {reply:?}", line.escape_ascii());
    }
    for (first, then) in [("RNTO there", 503), ("PROT P", 200)] {
        ftp.expect(first, then);
    }
}

#[test]
fn a_name_can_not_forge_a_reply_or_a_line_of_a_listing() {
    let deployment = Deployment::start();
    let alice = deployment.admin.create("alice");
    let mut ftp: Ftp = deployment.session(&alice);
    std::fs::create_dir(deployment.home(&alice).join("a\r\n226 forged")).unwrap();
    let listed = ftp.receive_text(wharfinger_tests::Mode::Epsv, "LIST");
    assert_eq!(listed.lines().count(), 1, "{listed:?}");
    let reply = ftp.command("CWD missing\rname");
    assert!([501, 550].contains(&reply.code), "{reply:?}");
    ftp.expect("NOOP", 200);
}
