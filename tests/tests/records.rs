//! STRU R: lines as records, with RFC 959's control codes, both ways.

use std::fs;
use std::io::Write;

use wharfinger_tests::{Deployment, Mode};

#[test]
fn a_file_s_lines_are_records_in_stru_r() {
    let deployment = Deployment::start();
    let user = deployment.admin.create("alice");
    let mut ftp = deployment.session(&user);
    let wire = b"first\xFF\x01\xFF\xFFsecond\xFF\x01last\xFF\x02";
    ftp.expect("STRU R", 200);
    for kind in ["TYPE A", "TYPE I"] {
        ftp.expect(kind, 200);
        ftp.send_file(Mode::Epsv, "STOR file", wire);
        assert_eq!(fs::read(deployment.home(&user).join("file")).unwrap(), b"first\n\xFFsecond\nlast");
        assert_eq!(ftp.receive(Mode::Epsv, "RETR file"), wire, "{kind}");
        ftp.expect("DELE file", 250);
    }
    assert!(ftp.expect("STAT", 211).contains("STRU record"));
    ftp.expect("STRU P", 504);
    ftp.expect("STRU F", 200);
    ftp.send_file(Mode::Epsv, "STOR file", wire);
    assert_eq!(fs::read(deployment.home(&user).join("file")).unwrap(), wire, "STRU F changes nothing");
}

#[test]
fn a_long_file_comes_back_the_same_in_records() {
    let deployment = Deployment::start();
    let user = deployment.admin.create("alice");
    let mut ftp = deployment.session(&user);
    let body = wharfinger_tests::content::bytes(3_000_000, 1);
    fs::write(deployment.home(&user).join("file"), &body).unwrap();
    ftp.expect("STRU R", 200);
    let wire = ftp.receive(Mode::Epsv, "RETR file");
    ftp.send_file(Mode::Epsv, "STOR again", &wire);
    assert!(fs::read(deployment.home(&user).join("again")).unwrap() == body);
}

#[test]
fn records_without_an_end_are_no_file() {
    let deployment = Deployment::start();
    let user = deployment.admin.create("alice");
    let mut ftp = deployment.session(&user);
    ftp.expect("STRU R", 200);
    for (wire, code) in [(&b"cut\xFF\x01off"[..], 426), (b"odd\xFF\x07", 451)] {
        let mut data = ftp.begin(Mode::Epsv, "STOR file");
        data.write_all(wire).unwrap();
        data.finish().unwrap();
        ftp.expect_reply(code);
        assert!(!deployment.home(&user).join("file").exists());
    }
    ftp.expect("SIZE file", 550);
    ftp.expect("REST 3", 350);
    ftp.passive(Mode::Epsv);
    ftp.expect("RETR file", 501);
}
