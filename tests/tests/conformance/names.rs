//! Names that try programs: each is made, found, listed, moved and removed byte for byte.

use crate::place::{BOTH, BOUND, Place};

const NAMES: [&[u8]; 14] = [
    b"caf\xe9 in Latin-1",
    "caf\u{e9} in UTF-8".as_bytes(),
    "\u{65e5}\u{672c}\u{8a9e}".as_bytes(),
    b"\"quoted\"",
    b"\"",
    b"a \"\" b",
    b" leading space",
    b"trailing space ",
    b"-dash",
    b"-la",
    b"~home",
    b"$(reboot);|&<>*?[]{}\\'`%n",
    b"226 Transfer complete.",
    &[b'n'; 255],
];

#[test]
fn a_file_of_any_name_is_stored_listed_fetched_renamed_and_deleted() {
    for protection in BOTH {
        let place = Place::new(protection);
        let mut ftp = place.session();
        for name in NAMES {
            let with = |verb: &[u8]| [verb, b" ", name].concat();
            let say = |ftp: &mut wharfinger_tests::Ftp, verb: &[u8], code: u16| {
                ftp.send_bytes(&[&*with(verb), b"\r\n"].concat());
                let reply = ftp.reply_within(BOUND);
                assert_eq!(reply.code, code, "{}: {reply:?}", with(verb).escape_ascii());
                reply.text
            };
            place.send(&mut ftp, &with(b"STOR"), b"content");
            let line = [name, b"\r\n"].concat();
            assert_eq!(place.receive(&mut ftp, b"NLST"), line, "{}", name.escape_ascii());
            assert!(place.receive(&mut ftp, b"LIST").ends_with(&[b" ", &*line].concat()));
            assert!(place.receive(&mut ftp, b"MLSD").ends_with(&[b"; ", &*line].concat()));
            assert_eq!(place.receive(&mut ftp, &with(b"RETR")), b"content");
            assert_eq!(say(&mut ftp, b"SIZE", 213), "213 7");
            say(&mut ftp, b"MDTM", 213);
            say(&mut ftp, b"MFMT 20200102030405", 213);
            say(&mut ftp, b"MLST", 250);
            say(&mut ftp, b"RNFR", 350);
            ftp.expect("RNTO plain", 250);
            ftp.expect("RNFR plain", 350);
            say(&mut ftp, b"RNTO", 250);
            say(&mut ftp, b"DELE", 250);
            assert_eq!(place.receive(&mut ftp, b"NLST"), b"");
        }
    }
}

#[test]
fn a_directory_of_any_name_is_made_entered_shown_and_removed() {
    for protection in BOTH {
        let place = Place::new(protection);
        let mut ftp = place.session();
        for name in NAMES {
            let say = |ftp: &mut wharfinger_tests::Ftp, verb: &[u8], code: u16| {
                ftp.send_bytes(&[verb, b" ", name, b"\r\n"].concat());
                let reply = ftp.reply_within(BOUND);
                assert_eq!(reply.code, code, "{}: {reply:?}", name.escape_ascii());
                reply.text
            };
            // RFC 959, Appendix II: each quote in the name is doubled.
            let shown = String::from_utf8_lossy(name).replace('"', "\"\"");
            let made = say(&mut ftp, b"MKD", 257);
            assert!(made.starts_with(&format!("257 \"/{shown}\" ")), "{made}");
            say(&mut ftp, b"CWD", 250);
            let here = ftp.expect("PWD", 257);
            assert!(here.starts_with(&format!("257 \"/{shown}\" ")), "{here}");
            assert_eq!(place.receive(&mut ftp, b"NLST"), b"");
            ftp.expect("CDUP", 200);
            say(&mut ftp, b"RMD", 250);
        }
    }
}

#[test]
fn a_name_of_256_bytes_is_refused() {
    for protection in BOTH {
        let place = Place::new(protection);
        let mut ftp = place.session();
        let name = "n".repeat(256);
        ftp.expect(&format!("MKD {name}"), 550);
        ftp.expect(&format!("RNFR {name}"), 550);
        std::fs::write(place.home().join("file"), "content").unwrap();
        ftp.expect("RNFR file", 350);
        ftp.expect(&format!("RNTO {name}"), 553);
        ftp.passive(wharfinger_tests::Mode::Epsv);
        ftp.expect(&format!("STOR {name}"), 553);
    }
}

#[test]
fn a_path_may_be_as_deep_as_the_system_allows() {
    for protection in BOTH {
        let place = Place::new(protection);
        let mut ftp = place.session();
        let name = "d".repeat(255);
        let mut path = String::new();
        for _ in 0..15 {
            ftp.expect(&format!("MKD {name}"), 257);
            ftp.expect(&format!("CWD {name}"), 250);
            path = format!("{path}/{name}");
        }
        assert!(ftp.expect("PWD", 257).contains(&format!("\"{path}\"")));
        place.send(&mut ftp, b"STOR file", b"content");
        ftp.expect("CWD /", 250);
        assert_eq!(place.receive(&mut ftp, format!("RETR {path}/file").as_bytes()), b"content");
        assert_eq!(place.receive(&mut ftp, format!("NLST {path}").as_bytes()), b"file\r\n");
        // 15 times 256 bytes are 3840: one level more would be 4096.
        ftp.expect(&format!("CWD {path}"), 250);
        ftp.expect(&format!("MKD {name}"), 550);
        ftp.expect("DELE file", 250);
        for _ in 0..15 {
            ftp.expect("CDUP", 200);
            ftp.expect(&format!("RMD {name}"), 250);
        }
        assert_eq!(place.receive(&mut ftp, b"NLST"), b"");
    }
}

#[test]
fn no_name_leads_out_of_the_tree() {
    for protection in BOTH {
        let place = Place::new(protection);
        let mut ftp = place.session();
        ftp.expect("MKD folder", 257);
        for path in ["..", "/..", "folder/../..", "/../etc/passwd", "folder/../../etc", "//..//.."] {
            ftp.expect(&format!("CWD {path}"), 550);
            ftp.expect(&format!("RNFR {path}"), 550);
            ftp.expect(&format!("DELE {path}"), 550);
            ftp.expect(&format!("STAT {path}"), 450);
            ftp.passive(wharfinger_tests::Mode::Epsv);
            ftp.expect(&format!("RETR {path}"), 550);
            ftp.expect(&format!("STOR {path}"), 553);
        }
        ftp.expect("CDUP", 200);
        assert!(ftp.expect("PWD", 257).contains("\"/\""));
        ftp.expect("CWD folder/./..//folder/", 250);
        assert!(ftp.expect("PWD", 257).contains("\"/folder\""));
    }
}
