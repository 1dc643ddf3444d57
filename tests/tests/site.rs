//! MFMT, MFF and SITE's commands, said on the wire word by word.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use wharfinger_tests::{Deployment, Ftp, Mode, content};

const AT_ONCE: Duration = Duration::from_secs(1);

#[test]
fn times_and_modes_are_set() {
    let deployment = Deployment::start();
    let user = deployment.admin.create("alice");
    let mut ftp = deployment.session(&user);
    let file = deployment.home(&user).join("a file");
    fs::write(&file, "content").unwrap();
    let mode = || fs::metadata(&file).unwrap().permissions().mode() & 0o777;

    assert_eq!(ftp.expect("MFMT 20020717210715 a file", 213), "213 Modify=20020717210715; a file");
    assert_eq!(ftp.expect("MDTM a file", 213), "213 20020717210715");
    let changed = ftp.expect("MFF modify=20030717210716;unix.mode=0600; a file", 213);
    assert_eq!(changed, "213 Modify=20030717210716;UNIX.mode=0600; a file");
    assert_eq!(ftp.expect("MDTM a file", 213), "213 20030717210716");
    assert_eq!(mode(), 0o600);
    ftp.expect("MFF size=1; a file", 504);
    ftp.expect("MFF modify=20030717210716; missing", 550);

    ftp.expect("SITE CHMOD 640 a file", 200);
    assert_eq!(mode(), 0o640);
    ftp.expect("SITE CHMOD 4755 a file", 501);
    ftp.expect("SITE CHMOD 644 missing", 501);
    ftp.expect("SITE UTIME 200407172107 a file", 200);
    assert_eq!(ftp.expect("MDTM a file", 213), "213 20040717210700");
    ftp.expect("SITE UTIME a file 20010101000000 20050717210717 20010101000000 UTC", 200);
    assert_eq!(ftp.expect("MDTM a file", 213), "213 20050717210717");
    let available = ftp.expect("AVBL", 213);
    assert!(available["213 ".len()..].parse::<u64>().unwrap() > 0, "{available}");
    ftp.expect("AVBL a file", 550);
    assert!(ftp.expect("SITE HELP", 200).contains("\n SITE CHMOD "));
    assert!(ftp.expect("SITE HELP utime", 200).contains("SITE UTIME "));
    ftp.expect("SITE EXEC ls", 500);
    let features = ftp.expect("FEAT", 211);
    assert!(features.contains("\n MFF modify;UNIX.mode;") && features.contains("\n SITE COPY"), "{features}");
}

#[test]
fn a_file_is_copied_on_the_server() {
    let deployment = Deployment::start();
    let user = deployment.admin.create("alice");
    let mut ftp = deployment.session(&user);
    let home = deployment.home(&user);
    content::file(&home.join("big"), 20 << 20, 1);
    copy(&mut ftp, "big", "copy", 200);
    assert!(fs::read(home.join("big")).unwrap() == fs::read(home.join("copy")).unwrap());

    fs::write(home.join("small"), "content").unwrap();
    copy(&mut ftp, "small", "copy", 200);
    assert_eq!(fs::read_to_string(home.join("copy")).unwrap(), "content", "it replaces the file");
    fs::write(home.join("empty"), "").unwrap();
    copy(&mut ftp, "empty", "other empty", 200);
    assert_eq!(fs::read(home.join("other empty")).unwrap(), b"");
    copy(&mut ftp, "small", "./small", 501);
    ftp.expect("SITE CPFR missing", 501);
    ftp.expect("SITE CPTO elsewhere", 501);
    ftp.expect("SITE CPFR small", 350);
    ftp.expect("NOOP", 200);
    ftp.expect("SITE CPTO elsewhere", 501);
    assert!(!home.join("elsewhere").exists(), "CPFR names it for the next command only");
}

fn copy(ftp: &mut Ftp, from: &str, to: &str, code: u16) {
    ftp.expect(&format!("SITE CPFR {from}"), 350);
    ftp.expect(&format!("SITE CPTO {to}"), code);
}

#[test]
fn a_copy_can_be_aborted() {
    let deployment = Deployment::start();
    let user = deployment.admin.create("alice");
    let mut ftp = deployment.session(&user);
    let home = deployment.home(&user);
    // Holes are copied as zeros, and quickly; there are enough for more than a moment.
    fs::File::create(home.join("big")).unwrap().set_len(64 << 30).unwrap();
    ftp.expect("SITE CPFR big", 350);
    ftp.send("SITE CPTO copy");
    ftp.send("NOOP");
    assert_eq!(ftp.reply_within(AT_ONCE).code, 200);
    ftp.send("STAT");
    assert_eq!(ftp.reply_within(AT_ONCE).code, 211);
    ftp.send("ABOR");
    assert_eq!(ftp.reply_within(AT_ONCE).code, 426);
    assert_eq!(ftp.reply_within(AT_ONCE).code, 226);
    assert_eq!(ftp.receive_text(Mode::Epsv, "NLST"), "big\r\n");
    let names: Vec<_> = fs::read_dir(&home).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["big"], "and nothing is left of it");
}
