//! Every command of the first slice, said on the wire word by word.

use std::fs;
use std::io::Read;
use std::time::Duration;

use wharfinger_tests::{Deployment, Ftp, Mode, Version, content};

/// Within which a session answers whatever else it does.
const AT_ONCE: Duration = Duration::from_secs(1);

#[test]
fn every_file_command_works_in_every_way() {
    let deployment = Deployment::start();
    let user = deployment.admin.create("alice");
    let (v4, v6) = (deployment.ftp(), deployment.ftp6());
    let ways = [
        (v4, Mode::Pasv),
        (v4, Mode::Epsv),
        (v4, Mode::Port),
        (v4, Mode::Eprt),
        (v6, Mode::Epsv),
        (v6, Mode::Eprt),
    ];
    for version in Version::ALL {
        for (address, mode) in ways {
            every_file_command(&mut deployment.session_at(address, version, &user), mode);
        }
    }
}

fn every_file_command(ftp: &mut Ftp, mode: Mode) {
    let body = content::bytes(100_000, 1);
    assert!(ftp.expect("MKD made", 257).contains("\"/made\""));
    ftp.expect("CWD made", 250);
    assert!(ftp.expect("PWD", 257).contains("\"/made\""));
    ftp.send_file(mode, "STOR one", &body);
    assert_eq!(ftp.expect("SIZE one", 213), "213 100000");
    let modified = ftp.expect("MDTM one", 213);
    assert!(modified.len() >= 18 && modified[4..18].bytes().all(|byte| byte.is_ascii_digit()), "{modified}");
    assert!(ftp.receive(mode, "RETR one") == body, "the whole file");
    ftp.expect("REST 60000", 350);
    assert!(ftp.receive(mode, "RETR one") == body[60_000..], "the file's rest");

    let listed = ftp.receive_text(mode, "LIST");
    assert!(
        listed.starts_with("-rw") && listed.ends_with(" one\r\n") && listed.contains(" 100000 "),
        "{listed}"
    );
    assert_eq!(ftp.receive_text(mode, "NLST"), "one\r\n");
    let facts = ftp.receive_text(mode, "MLSD");
    let line = facts.lines().find(|line| line.ends_with("; one")).unwrap_or_else(|| panic!("{facts}"));
    assert!(
        line.contains("type=file;") && line.contains("size=100000;") && line.contains("modify=20"),
        "{line}"
    );

    ftp.expect("RNFR one", 350);
    ftp.expect("RNTO two", 250);
    ftp.expect("DELE one", 550);
    ftp.expect("DELE two", 250);
    assert!([200, 250].contains(&ftp.command("CDUP").code));
    ftp.expect("RMD made", 250);
    ftp.expect("CWD made", 550);
    ftp.expect("QUIT", 221);
    assert!(ftp.replies_until_closed(AT_ONCE).is_empty());
}

#[test]
fn what_filezilla_says_is_answered_as_it_expects() {
    let deployment = Deployment::start();
    let user = deployment.admin.create("alice");
    for version in Version::ALL {
        let mut ftp = Ftp::connect(deployment.ftp(), deployment.tls(version));
        ftp.secure();
        ftp.expect("USER alice", 331);
        ftp.expect(&format!("PASS {}", user.password), 230);
        ftp.expect("SYST", 215);
        let features = ftp.expect("FEAT", 211);
        for feature in ["AUTH TLS", "EPSV", "MDTM", "MLST ", "PBSZ", "PROT", "REST STREAM", "SIZE", "UTF8"] {
            assert!(features.contains(&format!("\n {feature}")), "{feature} is missing: {features}");
        }
        ftp.expect("OPTS UTF8 ON", 200);
        ftp.expect("PBSZ 0", 200);
        ftp.expect("PROT P", 200);
        ftp.expect("OPTS MLST type;size;modify;perm;", 200);
        assert!(ftp.expect("PWD", 257).contains("\"/\""));
        ftp.expect("TYPE I", 200);
        fs::write(deployment.home(&user).join("file"), "content").unwrap();
        // Tickets last: session after session of one control connection is resumed.
        for _ in 0..5 {
            let mut data = ftp.begin(Mode::Pasv, "MLSD");
            assert!(
                data.resumed(),
                "{version:?}: the data connection resumes the control connection's session"
            );
            let mut listing = String::new();
            data.read_to_string(&mut listing).unwrap();
            assert!(listing.contains("; file\r\n"), "{listing}");
            // It closes without close_notify.
            drop(data);
            ftp.expect_reply(226);
        }
        fs::remove_file(deployment.home(&user).join("file")).unwrap();
    }
}

#[test]
fn an_upload_resumes_the_control_connection_s_session_too() {
    let deployment = Deployment::start();
    let user = deployment.admin.create("alice");
    for version in Version::ALL {
        let mut ftp = deployment.session_at(deployment.ftp(), version, &user);
        let mut data = ftp.begin(Mode::Epsv, "STOR file");
        assert!(data.resumed(), "{version:?}");
        std::io::Write::write_all(&mut data, b"content").unwrap();
        data.finish().unwrap();
        ftp.expect_reply(226);
    }
}

#[test]
fn abor_ends_a_download_at_once_and_the_session_goes_on() {
    let deployment = Deployment::start();
    let user = deployment.admin.create("alice");
    let mut ftp = deployment.session(&user);
    content::file(&deployment.home(&user).join("big"), 64 << 20, 1);
    // As FTP says it, and as Telnet's habits make clients say it (RFC 959, 4.1.3).
    for abort in [b"ABOR\r\n" as &[u8], b"\xff\xf4\xff\xf2ABOR\r\n"] {
        let mut data = ftp.begin(Mode::Epsv, "RETR big");
        ftp.send_bytes(abort);
        assert_eq!(ftp.reply_within(AT_ONCE).code, 426);
        assert_eq!(ftp.reply_within(AT_ONCE).code, 226);
        assert!(data.drain() < 64 << 20, "the transfer went on");
    }
    assert!([225, 226].contains(&ftp.command("ABOR").code), "with no transfer");
    assert_eq!(ftp.receive_text(Mode::Epsv, "NLST"), "big\r\n");
}

#[test]
fn abor_ends_the_wait_for_a_data_connection() {
    let deployment = Deployment::start();
    let mut ftp = deployment.session(&deployment.admin.create("alice"));
    ftp.passive(Mode::Epsv);
    ftp.send("LIST");
    ftp.send("ABOR");
    let mut codes = Vec::new();
    while !matches!(codes.last(), Some(225 | 226)) {
        codes.push(ftp.reply_within(AT_ONCE).code);
    }
    assert!(matches!(codes.as_slice(), [150, 426, 226] | [425 | 426, 226]), "{codes:?}");
    ftp.expect("NOOP", 200);
}

#[test]
fn status_and_noop_are_answered_during_a_transfer() {
    let deployment = Deployment::start();
    let user = deployment.admin.create("alice");
    let mut ftp = deployment.session(&user);
    content::file(&deployment.home(&user).join("big"), 64 << 20, 1);
    let mut data = ftp.begin(Mode::Epsv, "RETR big");
    ftp.send("NOOP");
    assert_eq!(ftp.reply_within(AT_ONCE).code, 200);
    ftp.send("STAT");
    assert!([211, 213].contains(&ftp.reply_within(AT_ONCE).code));
    assert_eq!(data.drain(), 64 << 20, "and don't disturb it");
    ftp.expect_reply(226);
}

#[test]
fn quit_lets_a_transfer_finish() {
    let deployment = Deployment::start();
    let user = deployment.admin.create("alice");
    let mut ftp = deployment.session(&user);
    content::file(&deployment.home(&user).join("big"), 16 << 20, 1);
    let mut data = ftp.begin(Mode::Epsv, "RETR big");
    ftp.send("QUIT");
    assert_eq!(data.drain(), 16 << 20);
    let codes: Vec<u16> = ftp.replies_until_closed(AT_ONCE).iter().map(|reply| reply.code).collect();
    assert_eq!(codes, [226, 221]);
}

#[test]
fn text_has_the_line_ends_of_whoever_reads_it() {
    let deployment = Deployment::start();
    let user = deployment.admin.create("alice");
    let mut ftp = deployment.session(&user);
    ftp.expect("TYPE A", 200);
    ftp.send_file(Mode::Epsv, "STOR text", b"first\r\nsecond\r\n");
    assert_eq!(fs::read(deployment.home(&user).join("text")).unwrap(), b"first\nsecond\n");
    assert_eq!(ftp.receive(Mode::Epsv, "RETR text"), b"first\r\nsecond\r\n");
}

#[test]
fn a_name_that_is_not_utf_8_is_a_name_all_the_same() {
    let deployment = Deployment::start();
    let mut ftp = deployment.session(&deployment.admin.create("alice"));
    let offer = ftp.offer(Mode::Epsv);
    ftp.send_bytes(b"STOR caf\xe9\r\n");
    ftp.expect_reply(150);
    let mut data = offer.accept().secured(ftp.tls());
    std::io::Write::write_all(&mut data, b"content").unwrap();
    data.finish().unwrap();
    ftp.expect_reply(226);
    assert_eq!(ftp.receive(Mode::Epsv, "NLST"), b"caf\xe9\r\n");
    ftp.send_bytes(b"DELE caf\xe9\r\n");
    ftp.expect_reply(250);
}
