//! A large directory, listed in every way: each entry once, nothing else.

use std::collections::BTreeSet;
use std::fs;

use crate::place::{BOTH, Place};

const ENTRIES: usize = 10_000;

#[test]
fn ten_thousand_entries_are_listed_completely() {
    for protection in BOTH {
        let place = Place::new(protection);
        let mut ftp = place.session();
        let folder = place.home().join("folder");
        fs::create_dir(&folder).unwrap();
        let names: BTreeSet<String> = (0..ENTRIES).map(|number| format!("entry {number:05}")).collect();
        for name in &names {
            fs::write(folder.join(name), "").unwrap();
        }
        for command in ["NLST folder", "LIST folder", "LIST -la folder", "MLSD folder"] {
            let text = String::from_utf8(place.receive(&mut ftp, command.as_bytes())).unwrap();
            assert!(text.ends_with("\r\n"), "{command}");
            let lines: Vec<&str> = text.split_terminator("\r\n").collect();
            assert_eq!(lines.len(), ENTRIES, "{command}");
            let listed: BTreeSet<String> =
                lines.iter().map(|line| line[line.len() - "entry 00000".len()..].to_owned()).collect();
            assert!(listed == names, "{command}: each name once");
        }
        let status = ftp.expect("STAT folder", 212);
        assert!(status.lines().count() > 1000 && status.contains("LIST"), "a part, and it says so");
        ftp.expect("NOOP", 200);
        fs::remove_dir_all(folder).unwrap();
    }
}
