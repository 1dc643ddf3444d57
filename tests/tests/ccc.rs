//! CCC: TLS taken off the control connection, where the operator allows it and only there.

use std::fs;

use wharfinger_tests::clients::Site;
use wharfinger_tests::wire::READ_LIMIT;
use wharfinger_tests::{Deployment, Ftp, Mode, Setup, Shape, Store, Version};

#[test]
fn by_default_the_control_connection_stays_protected() {
    let deployment = Deployment::start();
    let mut ftp = deployment.connect();
    ftp.expect("CCC", 533);
    ftp.secure();
    ftp.expect("CCC", 534);
    let mut ftp = deployment.session(&deployment.admin.create("alice"));
    ftp.expect("CCC", 534);
    ftp.expect("PWD", 257);
}

#[test]
fn where_allowed_the_session_goes_on_in_clear_and_its_data_stays_protected() {
    let deployment = allowing();
    let alice = deployment.admin.create("alice");
    for (version, told) in
        [(Version::Tls12, true), (Version::Tls12, false), (Version::Tls13, true), (Version::Tls13, false)]
    {
        let mut ftp = deployment.session_at(deployment.ftp(), version, &alice);
        ftp.expect("CCC", 200);
        ftp.leave_tls(told);
        assert!(ftp.expect("STAT", 211).contains("in clear"));
        ftp.expect("CCC", 533);
        for frozen in ["PBSZ 0", "PROT C", "PROT P"] {
            ftp.expect(frozen, 503);
        }
        ftp.send_file(Mode::Epsv, "STOR file", b"content");
        assert_eq!(ftp.receive(Mode::Pasv, "RETR file"), b"content");
        // Another login needs TLS again.
        ftp.expect("REIN", 220);
        ftp.expect("USER alice", 530);
        ftp.secure();
        assert_eq!(ftp.log_in(&alice.name, &alice.password).code, 230, "{version:?}");
    }
}

#[test]
fn before_the_login_nothing_is_taken_off() {
    let deployment = allowing();
    let mut ftp = deployment.connect();
    ftp.secure();
    ftp.expect("CCC", 534);
    ftp.expect("USER alice", 331);
    ftp.expect("CCC", 534);
}

#[test]
fn commands_under_tls_behind_ccc_never_run() {
    let deployment = allowing();
    let alice = deployment.admin.create("alice");
    let together: fn(&mut Ftp) = |ftp| ftp.send_bytes(b"CCC\r\nDELE file\r\n");
    let afterwards: fn(&mut Ftp) = |ftp| {
        ftp.expect("CCC", 200);
        ftp.send("DELE file");
    };
    for say in [together, afterwards] {
        let mut ftp = deployment.session(&alice);
        fs::write(deployment.home(&alice).join("file"), "content").unwrap();
        say(&mut ftp);
        let replies = ftp.replies_until_closed(READ_LIMIT);
        assert!(replies.iter().all(|reply| reply.code != 250), "{replies:?}");
        assert!(deployment.home(&alice).join("file").exists());
    }
}

#[test]
fn curl_and_lftp_go_on_in_clear_where_that_is_allowed() {
    let deployment = allowing();
    let alice = deployment.admin.create("alice");
    let original = deployment.directory().join("original");
    fs::write(&original, "content").unwrap();
    for version in Version::ALL {
        let site = Site { version: Some(version), ..Site::new(&deployment, &alice) };
        for manner in ["active", "passive"] {
            let name = format!("{manner}-{version:?}");
            let done = site.curl(&name, &["--ftp-ssl-ccc-mode", manner, "--upload-file", "original"]);
            assert!(done.err.contains("CCC"), "{done:?}");
            done.succeeded();
            assert_eq!(fs::read(deployment.home(&alice).join(&name)).unwrap(), b"content");
        }
        let (_, said) = site.lftp("set ftp:ssl-use-ccc true\nclose\nput original -o by-lftp\ncls -1");
        assert!(said.contains("CCC"), "{said}");
        assert_eq!(fs::read(deployment.home(&alice).join("by-lftp")).unwrap(), b"content");
        fs::remove_file(deployment.home(&alice).join("by-lftp")).unwrap();
    }
}

fn allowing() -> Deployment {
    Setup::new(Shape::AllInOne, Store::Sqlite).set("WHARFINGER_TLS__ALLOW_CCC", "true").start()
}
