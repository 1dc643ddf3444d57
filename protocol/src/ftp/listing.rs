//! The lines of a directory listing: LIST as `ls -l` prints them, NLST's names,
//! and the facts of MLSD and MLST (RFC 3659 §7).
//!
//! A listing may have 100,000 entries, so each line is put together by hand
//! into the caller's buffer, with no allocation of its own. What may be listed,
//! and where the entries come from, is not known here.

use crate::ftp::facts::{Fact, FactSet};
use crate::time::{civil, two_digits, write_seconds};
use crate::words::push_name;

/// What a listing says of one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts<'a> {
    /// The name as it is on disk; for MLST the path. Control bytes in it are
    /// printed as `?`, since a line end would forge an entry.
    pub name: &'a [u8],
    /// What it is.
    pub kind: Kind,
    /// In bytes.
    pub size: u64,
    /// When it was modified, in seconds since 1970, UTC.
    pub modified: i64,
    /// Permission bits; those above 0o777 are not shown.
    pub mode: u32,
    /// How many names the file has.
    pub links: u64,
    /// Device and inode: what two names of one file have in common.
    pub unique: (u64, u64),
    /// What the user may do with it, in the letters of RFC 3659 §7.5.5.
    pub perm: &'a str,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// Anything else: it is shown, but can't be transferred.
    Other,
}

/// Files modified longer ago than this are listed with the year, not the time.
const RECENT_SECONDS: i64 = 180 * 24 * 60 * 60;
/// A file written while the listing runs is not yet one of the future.
const CLOCK_SLACK_SECONDS: i64 = 60;

/// Appends one line of LIST, in UTC, with CR LF. `now` is in seconds since 1970.
/// Owner and group are always `ftp`: the system's accounts concern nobody outside.
pub fn list_line(out: &mut Vec<u8>, facts: &Facts<'_>, now: i64) {
    out.reserve(80 + facts.name.len());
    out.extend_from_slice(&mode_letters(facts.kind, facts.mode));
    out.push(b' ');
    number(out, facts.links, 3);
    out.extend_from_slice(b" ftp      ftp     ");
    number(out, facts.size, 12);
    out.push(b' ');
    date(out, facts.modified, now);
    out.push(b' ');
    push_name(out, facts.name);
    out.extend_from_slice(b"\r\n");
}

/// Appends one line of NLST: the name and CR LF.
pub fn name_line(out: &mut Vec<u8>, bytes: &[u8]) {
    push_name(out, bytes);
    out.extend_from_slice(b"\r\n");
}

/// Appends one line of MLSD: the facts, a space, the name and CR LF.
pub fn mlsd_line(out: &mut Vec<u8>, facts: &Facts<'_>, wanted: FactSet) {
    out.reserve(120 + facts.name.len());
    write_facts(out, facts, wanted);
    out.push(b' ');
    push_name(out, facts.name);
    out.extend_from_slice(b"\r\n");
}

/// The line that stands between the first and the last of MLST's reply, with
/// the space RFC 3659 §7.2 has in front of it and without a line end.
pub fn mlst_text(facts: &Facts<'_>, wanted: FactSet) -> Vec<u8> {
    let mut text = b" ".to_vec();
    write_facts(&mut text, facts, wanted);
    text.push(b' ');
    push_name(&mut text, facts.name);
    text
}

fn write_facts(out: &mut Vec<u8>, facts: &Facts<'_>, wanted: FactSet) {
    for fact in Fact::ALL.into_iter().filter(|&fact| wanted.contains(fact)) {
        // A directory's size says nothing of what is in it.
        if fact == Fact::Size && facts.kind == Kind::Directory {
            continue;
        }
        out.extend_from_slice(fact.name().as_bytes());
        out.push(b'=');
        match fact {
            Fact::Type => out.extend_from_slice(facts.kind.fact()),
            Fact::Size => number(out, facts.size, 0),
            Fact::Modify => write_seconds(out, facts.modified),
            Fact::Perm => out.extend_from_slice(facts.perm.as_bytes()),
            Fact::Unique => unique(out, facts.unique),
            Fact::UnixMode => octal(out, facts.mode),
        }
        out.push(b';');
    }
}

impl Kind {
    const fn fact(self) -> &'static [u8] {
        match self {
            Kind::File => b"file",
            Kind::Directory => b"dir",
            Kind::Other => b"OS.unix=special",
        }
    }
}

fn mode_letters(kind: Kind, mode: u32) -> [u8; 10] {
    let first = if kind == Kind::Directory { b'd' } else { b'-' };
    let bit = |bit: u32, letter: u8| if mode & bit == 0 { b'-' } else { letter };
    [
        first,
        bit(0o400, b'r'),
        bit(0o200, b'w'),
        bit(0o100, b'x'),
        bit(0o040, b'r'),
        bit(0o020, b'w'),
        bit(0o010, b'x'),
        bit(0o004, b'r'),
        bit(0o002, b'w'),
        bit(0o001, b'x'),
    ]
}

/// `Nov 21 03:02`, or `Nov 21  2024` for what is old or of the future.
fn date(out: &mut Vec<u8>, modified: i64, now: i64) {
    let civil = civil(modified);
    let month = usize::from(civil.month().unsigned_abs()).saturating_sub(1);
    out.extend_from_slice(MONTHS.get(month).copied().unwrap_or(b"Jan "));
    match two_digits(civil.day().unsigned_abs()) {
        [b'0', ones] => out.extend_from_slice(&[b' ', ones, b' ']),
        [tens, ones] => out.extend_from_slice(&[tens, ones, b' ']),
    }
    let age = now.saturating_sub(modified);
    if (-CLOCK_SLACK_SECONDS..=RECENT_SECONDS).contains(&age) {
        let [h1, h2] = two_digits(civil.hour().unsigned_abs());
        let [m1, m2] = two_digits(civil.minute().unsigned_abs());
        out.extend_from_slice(&[h1, h2, b':', m1, m2]);
    } else {
        number(out, u64::from(civil.year().max(0).unsigned_abs()), 5);
    }
}

const MONTHS: [&[u8; 4]; 12] = [
    b"Jan ", b"Feb ", b"Mar ", b"Apr ", b"May ", b"Jun ", b"Jul ", b"Aug ", b"Sep ", b"Oct ", b"Nov ",
    b"Dec ",
];

/// A decimal number, filled up with spaces on its left to `width` bytes (20 at the most).
fn number(out: &mut Vec<u8>, number: u64, width: usize) {
    let mut text = [b' '; 20];
    let mut rest = number;
    let mut length = 0;
    for place in text.iter_mut().rev() {
        *place = b'0' + (rest % 10) as u8;
        rest /= 10;
        length += 1;
        if rest == 0 {
            break;
        }
    }
    let begin = text.len() - width.clamp(length, text.len());
    out.extend_from_slice(text.get(begin..).unwrap_or_default());
}

/// Two hexadecimal numbers with a letter between them that is no such digit.
fn unique(out: &mut Vec<u8>, (device, inode): (u64, u64)) {
    hexadecimal(out, device);
    out.push(b'g');
    hexadecimal(out, inode);
}

fn hexadecimal(out: &mut Vec<u8>, number: u64) {
    let digits = (64 - number.leading_zeros()).div_ceil(4).max(1);
    for digit in (0..digits).rev() {
        let value = (number >> (4 * digit) & 0xF) as u8;
        out.push(if value < 10 { b'0' + value } else { b'a' + value - 10 });
    }
}

/// Permission bits as four octal digits.
fn octal(out: &mut Vec<u8>, mode: u32) {
    let digit = |shift: u32| b'0' + (mode >> shift & 7) as u8;
    out.extend_from_slice(&[b'0', digit(6), digit(3), digit(0)]);
}
