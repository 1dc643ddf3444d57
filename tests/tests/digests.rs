//! HASH and its older kin, said on the wire word by word.

use std::fs;
use std::time::Duration;

use wharfinger_tests::{Deployment, Mode, content};

const AT_ONCE: Duration = Duration::from_secs(1);
/// Of "content".
const SHA256: &str = "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73";

#[test]
fn a_digest_is_that_of_the_file() {
    let deployment = Deployment::start();
    let user = deployment.admin.create("alice");
    let mut ftp = deployment.session(&user);
    let file = deployment.home(&user).join("a file");
    fs::write(&file, "content").unwrap();
    assert_eq!(content::digest(&file), SHA256);
    let features = ftp.expect("FEAT", 211);
    assert!(features.contains("\n HASH SHA-256*;SHA-512;SHA-1;MD5;CRC32\n"), "{features}");
    assert_eq!(ftp.expect("OPTS HASH", 200), "200 SHA-256");
    assert_eq!(ftp.expect("HASH a file", 213), format!("213 SHA-256 0-6 {SHA256} a file"));
    assert_eq!(ftp.expect("OPTS HASH crc32", 200), "200 CRC32");
    ftp.expect("OPTS HASH TIGER", 501);
    assert_eq!(ftp.expect("HASH /a file", 213), "213 CRC32 0-6 fec530a9 /a file");
    assert!(ftp.expect("FEAT", 211).contains(";CRC32*\n"));

    assert_eq!(ftp.expect("XSHA256 a file", 250), format!("250 {}", SHA256.to_uppercase()));
    assert_eq!(ftp.expect("XSHA256 \"a file\" 0 7", 250), format!("250 {}", SHA256.to_uppercase()));
    assert_eq!(ftp.expect("XMD5 a file", 250), "250 9A0364B9E99BB480DD25E1F0284C8555");
    assert_eq!(ftp.expect("XSHA1 \"a file\"", 250), "250 040F06FD774092478D450774F5BA30C5DA78ACC8");
    assert_eq!(ftp.expect("XCRC a file 1 1", 250), "250 00000000");
    ftp.expect("XCRC a file 1 8", 501);
    ftp.expect("XCRC a file 8", 501);
    assert_eq!(ftp.expect("XSHA512 a file", 250).len(), "250 ".len() + 128);
    for command in ["HASH", "XCRC", "XMD5", "XSHA1", "XSHA256", "XSHA512"] {
        ftp.expect(&format!("{command} missing"), 550);
        ftp.expect(&format!("{command} /"), 550);
    }
}

#[test]
fn a_digest_of_a_large_file_can_be_asked_after_and_aborted() {
    let deployment = Deployment::start();
    let user = deployment.admin.create("alice");
    let mut ftp = deployment.session(&user);
    fs::File::create(deployment.home(&user).join("big")).unwrap().set_len(1 << 40).unwrap();
    for command in ["HASH big", "XSHA512 big"] {
        ftp.send(command);
        ftp.send("NOOP");
        assert_eq!(ftp.reply_within(AT_ONCE).code, 200);
        ftp.send("STAT");
        assert_eq!(ftp.reply_within(AT_ONCE).code, 211);
        ftp.send("ABOR");
        assert_eq!(ftp.reply_within(AT_ONCE).code, 426);
        assert_eq!(ftp.reply_within(AT_ONCE).code, 226);
    }
    assert_eq!(ftp.receive_text(Mode::Epsv, "NLST"), "big\r\n");
}

/// Many at once would keep every session waiting if each had a thread of its own to compute on.
#[test]
fn digests_of_others_hold_up_nobody() {
    let deployment = Deployment::start();
    let user = deployment.admin.create("alice");
    let mut busy: Vec<_> = (0..8).map(|_| deployment.session(&user)).collect();
    fs::File::create(deployment.home(&user).join("big")).unwrap().set_len(1 << 40).unwrap();
    for ftp in &mut busy {
        ftp.send("HASH big");
    }
    let mut ftp = deployment.session(&user);
    fs::write(deployment.home(&user).join("small"), "content").unwrap();
    assert!(ftp.expect("HASH small", 213).contains(SHA256));
    for ftp in &mut busy {
        // The client goes without a word: that ends its work too.
        ftp.cut();
    }
    ftp.expect("NOOP", 200);
}
