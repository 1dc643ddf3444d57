//! Checks of files: HASH (draft-bryan-ftpext-hash), and the arguments of the older XCRC, XMD5, XSHA1,
//! XSHA256 and XSHA512, which no document defines.

use crate::{
    digest::Algorithm,
    ftp::{ParseError, Verb, command::Path},
    number::decimal,
};

/// FEAT's line, `HASH SHA-256*;SHA-512;…`: the algorithm in use has a star.
pub fn hash_feature(in_use: Algorithm) -> String {
    let mark = |algorithm: Algorithm| if algorithm == in_use { "*" } else { "" };
    let names = Algorithm::ALL.map(|algorithm| format!("{}{}", algorithm.name(), mark(algorithm)));
    format!("HASH {}", names.join(";"))
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
