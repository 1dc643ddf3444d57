//! SITE's own commands (RFC 959 §4.1.3): their words, read and printed.
//!
//! No RFC defines them; they are those that clients send: CHMOD and UTIME as other servers have
//! them, CPFR and CPTO as ProFTPD's `mod_copy`. What they do is not known here.

use jiff::Timestamp;

use crate::ftp::{ParseError, Verb, attributes::permission_bits, command::Path};
use crate::time;

/// A command of SITE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Site {
    /// `HELP`, with the word help is wanted on.
    Help(Option<Vec<u8>>),
    /// `CHMOD <octal mode> <path>`: permission bits, 0o777 at the most.
    Chmod(u32, Path),
    /// `UTIME <time> <path>`, or `UTIME <path> <accessed> <modified> <created> UTC`: when the file
    /// was modified. The other two times are read and left out.
    Utime(Timestamp, Path),
    /// `CPFR <path>`: what is to be copied.
    CopyFrom(Path),
    /// `CPTO <path>`: the copy's name.
    CopyTo(Path),
}

impl Site {
    /// Each command's syntax, as SITE HELP shows it.
    pub const SYNTAX: [&str; 5] = [
        "SITE HELP [<SP> <command>]",
        "SITE CHMOD <SP> <octal mode> <SP> <path>",
        "SITE UTIME <SP> YYYYMMDDhhmm[ss] <SP> <path>",
        "SITE CPFR <SP> <file>",
        "SITE CPTO <SP> <file>",
    ];

    pub(crate) fn parse(text: &[u8]) -> Result<Site, ParseError> {
        let (name, rest) = split(text);
        let path = || if rest.is_empty() { Err(MISSING) } else { Ok(rest.to_vec()) };
        Ok(match name.to_ascii_uppercase().as_slice() {
            b"HELP" => Site::Help((!rest.trim_ascii().is_empty()).then(|| rest.trim_ascii().to_vec())),
            b"CHMOD" => {
                let (mode, path) = two(rest)?;
                Site::Chmod(permission_bits(mode).ok_or(INVALID)?, path.to_vec())
            }
            b"UTIME" => utime(rest)?,
            b"CPFR" => Site::CopyFrom(path()?),
            b"CPTO" => Site::CopyTo(path()?),
            _ => return Err(ParseError::Unsupported(Verb::Site)),
        })
    }

    pub(crate) fn write_to(&self, out: &mut Vec<u8>) {
        let (name, path) = match self {
            Site::Help(None) => return out.extend_from_slice(b"HELP"),
            Site::Help(Some(word)) => ("HELP ".to_owned(), word),
            Site::Chmod(mode, path) => (format!("CHMOD {mode:03o} "), path),
            Site::Utime(modified, path) => {
                out.extend_from_slice(b"UTIME ");
                time::write(out, *modified);
                (" ".to_owned(), path)
            }
            Site::CopyFrom(path) => ("CPFR ".to_owned(), path),
            Site::CopyTo(path) => ("CPTO ".to_owned(), path),
        };
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(path);
    }
}

const MISSING: ParseError = ParseError::Missing(Verb::Site);
const INVALID: ParseError = ParseError::Invalid(Verb::Site);

fn utime(text: &[u8]) -> Result<Site, ParseError> {
    if let Some((path, modified)) = with_three_times(text) {
        return Ok(Site::Utime(modified, path.to_vec()));
    }
    let (modified, path) = two(text)?;
    Ok(Site::Utime(short_time(modified).ok_or(INVALID)?, path.to_vec()))
}

/// `<path> <accessed> <modified> <created> UTC`; a path may hold spaces, so it is read from its end.
fn with_three_times(text: &[u8]) -> Option<(&[u8], Timestamp)> {
    let (rest, zone) = last_word(text)?;
    let (rest, created) = last_word(rest)?;
    let (rest, modified) = last_word(rest)?;
    let (path, accessed) = last_word(rest)?;
    let utc = zone.eq_ignore_ascii_case(b"UTC") && !path.is_empty();
    (utc && short_time(accessed).is_some() && short_time(created).is_some()).then_some(())?;
    Some((path, short_time(modified)?))
}

/// `YYYYMMDDhhmm`, or with seconds as MFMT has it.
fn short_time(text: &[u8]) -> Option<Timestamp> {
    if text.len() != 12 {
        return time::parse(text);
    }
    time::parse(&[text, b"00"].concat())
}

fn two(text: &[u8]) -> Result<(&[u8], &[u8]), ParseError> {
    match split(text) {
        (first, rest) if !first.is_empty() && !rest.is_empty() => Ok((first, rest)),
        _ => Err(MISSING),
    }
}

/// The first word, and what stands behind its space.
fn split(text: &[u8]) -> (&[u8], &[u8]) {
    let (word, rest) = text.split_at(memchr::memchr(b' ', text).unwrap_or(text.len()));
    (word, rest.get(1..).unwrap_or_default())
}

fn last_word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (rest, word) = text.split_at(memchr::memrchr(b' ', text)?);
    Some((rest, word.get(1..)?))
}
