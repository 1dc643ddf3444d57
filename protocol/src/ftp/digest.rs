//! Checks of files: the algorithms of HASH (draft-bryan-ftpext-hash) and the arguments of the older
//! XCRC, XMD5, XSHA1, XSHA256 and XSHA512, which no document defines.
//!
//! Computing them is not known here.

use crate::ftp::{ParseError, Verb, address::decimal, command::Path};

/// A digest or checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Algorithm {
    /// FIPS 180; HASH's default.
    #[default]
    Sha256,
    /// FIPS 180.
    Sha512,
    /// FIPS 180; against mishaps only.
    Sha1,
    /// RFC 1321; against mishaps only.
    Md5,
    /// That of IEEE 802.3 and ZIP; against mishaps only.
    Crc32,
}

impl Algorithm {
    /// All of them, in the order in which FEAT shows them.
    pub const ALL: [Algorithm; 5] =
        [Algorithm::Sha256, Algorithm::Sha512, Algorithm::Sha1, Algorithm::Md5, Algorithm::Crc32];

    /// The name on the wire, as IANA has it where it has one; its case does not matter there.
    pub const fn name(self) -> &'static str {
        match self {
            Algorithm::Sha256 => "SHA-256",
            Algorithm::Sha512 => "SHA-512",
            Algorithm::Sha1 => "SHA-1",
            Algorithm::Md5 => "MD5",
            Algorithm::Crc32 => "CRC32",
        }
    }

    /// The algorithm with this name.
    pub fn from_name(name: &[u8]) -> Option<Algorithm> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name().as_bytes().eq_ignore_ascii_case(name))
    }

    /// FEAT's line, `HASH SHA-256*;SHA-512;…`: the one in use has a star.
    pub fn feature(self) -> String {
        let mark = |algorithm: Algorithm| if algorithm == self { "*" } else { "" };
        let names = Self::ALL.map(|algorithm| format!("{}{}", algorithm.name(), mark(algorithm)));
        format!("HASH {}", names.join(";"))
    }
}

/// A file, or a part of it, to be checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Portion {
    /// The file.
    pub path: Path,
    /// Offset of the first byte.
    pub start: u64,
    /// Offset behind the last byte; without it, the file's end.
    pub end: Option<u64>,
}

impl Portion {
    /// Reads `<path> [<start> [<end>]]`. A path in double quotes may end in words that are numbers;
    /// the last quote is its end.
    pub(crate) fn parse(verb: Verb, text: &[u8]) -> Result<Portion, ParseError> {
        if text.is_empty() {
            return Err(ParseError::Missing(verb));
        }
        let (path, start, end) = match quoted(text) {
            Some((path, numbers)) => two_numbers(path, numbers).ok_or(ParseError::Invalid(verb))?,
            None => with_numbers(text),
        };
        if path.is_empty() || end.is_some_and(|end| end < start) {
            return Err(ParseError::Invalid(verb));
        }
        Ok(Portion { path: path.to_vec(), start, end })
    }

    pub(crate) fn write_to(&self, out: &mut Vec<u8>) {
        out.push(b'"');
        out.extend_from_slice(&self.path);
        out.push(b'"');
        let numbers = match (self.start, self.end) {
            (0, None) => return,
            (start, None) => format!(" {start}"),
            (start, Some(end)) => format!(" {start} {end}"),
        };
        out.extend_from_slice(numbers.as_bytes());
    }
}

/// What is in the quotes, and what follows them.
fn quoted(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.strip_prefix(b"\"")?;
    let (path, rest) = text.split_at(memchr::memrchr(b'"', text)?);
    Some((path, rest.get(1..)?))
}

fn two_numbers<'a>(path: &'a [u8], numbers: &[u8]) -> Option<(&'a [u8], u64, Option<u64>)> {
    let mut words = numbers.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
    let start = words.next().map_or(Some(0), decimal)?;
    let end = words.next().map(|word| decimal(word).ok_or(())).transpose().ok()?;
    words.next().is_none().then_some((path, start, end))
}

/// Up to two numbers are taken off the end; what is left is the path.
fn with_numbers(text: &[u8]) -> (&[u8], u64, Option<u64>) {
    match last_number(text) {
        None => (text, 0, None),
        Some((rest, last)) => match last_number(rest) {
            None => (rest, last, None),
            Some((path, start)) => (path, start, Some(last)),
        },
    }
}

fn last_number(text: &[u8]) -> Option<(&[u8], u64)> {
    let (rest, word) = text.split_at(memchr::memrchr(b' ', text).filter(|&space| space > 0)?);
    Some((rest, decimal(word.get(1..)?)?))
}
