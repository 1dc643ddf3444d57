//! Lines of LIST, NLST, MLSD and MLST.

use proptest::prelude::*;
use wharfinger_protocol::ftp::{
    facts::{Fact, FactSet},
    listing::{Facts, Kind, list_line, mlsd_line, mlst_text, name_line},
};

/// 2026-11-21 03:02:05 UTC.
const NOW: i64 = 1_795_230_125;
const DAY: i64 = 24 * 60 * 60;

const FILE: Facts<'static> = Facts {
    name: b"cap60.pl198.tar.gz",
    kind: Kind::File,
    size: 25730,
    modified: NOW,
    mode: 0o100_644,
    links: 1,
    unique: (0xFD00, 0x1A2B),
    perm: "adfr",
};

fn listed(facts: &Facts<'_>) -> String {
    let mut out = Vec::new();
    list_line(&mut out, facts, NOW);
    String::from_utf8_lossy(&out).into_owned()
}

fn machine(facts: &Facts<'_>, wanted: FactSet) -> String {
    let mut out = Vec::new();
    mlsd_line(&mut out, facts, wanted);
    String::from_utf8_lossy(&out).into_owned()
}

#[test]
fn list_looks_like_ls_l() {
    assert_eq!(
        listed(&FILE),
        "-rw-r--r--   1 ftp      ftp            25730 Nov 21 03:02 cap60.pl198.tar.gz\r\n"
    );
    let directory =
        Facts { name: b"d", kind: Kind::Directory, mode: 0o40_750, links: 12, size: 4096, ..FILE };
    assert_eq!(listed(&directory), "drwxr-x---  12 ftp      ftp             4096 Nov 21 03:02 d\r\n");
    let special =
        Facts { name: b"p", kind: Kind::Other, mode: 0o10_777, size: u64::MAX, links: 10_000, ..FILE };
    assert_eq!(listed(&special), "-rwxrwxrwx 10000 ftp      ftp     18446744073709551615 Nov 21 03:02 p\r\n");
}

#[test]
fn list_gives_the_year_of_old_files_and_of_the_future() {
    for (age, date) in [
        (0, "Nov 21 03:02"),
        (20 * DAY, "Nov  1 03:02"),
        (180 * DAY, "May 25 03:02"),
        (180 * DAY + 1, "May 25  2026"),
        (-60, "Nov 21 03:03"),
        (-61, "Nov 21  2026"),
        (NOW, "Jan  1  1970"),
        (NOW + 1, "Dec 31  1969"),
    ] {
        let line = listed(&Facts { modified: NOW - age, name: b"x", ..FILE });
        assert!(line.ends_with(&format!(" {date} x\r\n")), "{line:?} has not {date:?}");
    }
}

#[test]
fn mlsd_gives_the_facts_of_rfc_3659() {
    assert_eq!(
        machine(&FILE, FactSet::default()),
        "type=file;size=25730;modify=20261121030205;perm=adfr;unique=fd00g1a2b;UNIX.mode=0644; cap60.pl198.tar.gz\r\n"
    );
}

#[test]
fn mlsd_gives_the_facts_that_were_asked_for() {
    let wanted = FactSet::NONE.with(Fact::Size).with(Fact::Type);
    assert_eq!(machine(&Facts { size: 0, ..FILE }, wanted), "type=file;size=0; cap60.pl198.tar.gz\r\n");
    assert_eq!(machine(&Facts { kind: Kind::Directory, ..FILE }, wanted), "type=dir; cap60.pl198.tar.gz\r\n");
    assert_eq!(
        machine(&Facts { kind: Kind::Other, size: 0, ..FILE }, wanted),
        "type=OS.unix=special;size=0; cap60.pl198.tar.gz\r\n"
    );
    // RFC 3659 §7.9: no facts leave the space before the name.
    assert_eq!(machine(&FILE, FactSet::NONE), " cap60.pl198.tar.gz\r\n");
}

#[test]
fn mlst_has_a_space_in_front_and_no_line_end() {
    let wanted = FactSet::NONE.with(Fact::Type).with(Fact::Perm);
    assert_eq!(mlst_text(&Facts { name: b"/a b", ..FILE }, wanted), b" type=file;perm=adfr; /a b");
}

#[test]
fn a_name_that_is_not_utf_8_is_listed_byte_for_byte() {
    let mut out = Vec::new();
    name_line(&mut out, b"caf\xE9 \xFF");
    assert_eq!(out, b"caf\xE9 \xFF\r\n");
}

proptest! {
    #[test]
    fn an_entry_is_one_line_whatever_its_name(name in prop::collection::vec(any::<u8>(), 0..80), modified in any::<i64>(), size in any::<u64>(), mode in any::<u32>(), unique in any::<(u64, u64)>()) {
        let facts = Facts { name: &name, modified, size, mode, unique, ..FILE };
        let mut outs = [Vec::new(), Vec::new(), Vec::new(), mlst_text(&facts, FactSet::default())];
        list_line(&mut outs[0], &facts, NOW);
        name_line(&mut outs[1], &name);
        mlsd_line(&mut outs[2], &facts, FactSet::default());
        outs[3].extend_from_slice(b"\r\n");
        for out in outs {
            let line = out.strip_suffix(b"\r\n").unwrap();
            prop_assert!(!line.iter().any(u8::is_ascii_control));
            prop_assert!(line.len() >= name.len());
        }
    }

    #[test]
    fn numbers_are_printed_as_by_the_standard_library(size in any::<u64>(), device in any::<u64>(), inode in any::<u64>()) {
        let wanted = FactSet::NONE.with(Fact::Size).with(Fact::Unique);
        let line = machine(&Facts { size, unique: (device, inode), name: b"n", ..FILE }, wanted);
        prop_assert_eq!(line, format!("size={size};unique={device:x}g{inode:x}; n\r\n"));
    }
}
