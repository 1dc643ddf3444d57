//! One function for each kind of argument.
//!
//! Numbers are decimal digits only; letters may be in either case; what a
//! standard does not define is `Unsupported`, what it forbids is `Invalid`.

use std::{
    net::{Ipv6Addr, SocketAddr, SocketAddrV4},
    ops::RangeInclusive,
    str::FromStr,
};

use jiff::Timestamp;

use super::ParseError;
use crate::digest::Algorithm;
use crate::ftp::{
    Verb,
    address::{self, ExtendedError},
    attributes::Attributes,
    facts::FactSet,
    parameter::{
        Allocation, ExtendedPassive, Family, Form, Mechanism, Mode, Options, Protection, Structure, Type,
    },
};
use crate::number::decimal;
use crate::time;

pub(super) fn number<N: FromStr>(verb: Verb, text: &[u8]) -> Result<N, ParseError> {
    decimal(text).ok_or(ParseError::Invalid(verb))
}

pub(super) fn mechanism(word: &[u8]) -> Result<Mechanism, ParseError> {
    Ok(match word.to_ascii_uppercase().as_slice() {
        b"TLS" => Mechanism::Tls,
        b"TLS-C" => Mechanism::TlsC,
        b"SSL" => Mechanism::Ssl,
        b"TLS-P" => Mechanism::TlsP,
        _ => return Err(ParseError::Unsupported(Verb::Auth)),
    })
}

pub(super) fn protection(word: &[u8]) -> Result<Protection, ParseError> {
    Ok(match word {
        b"C" | b"c" => Protection::Clear,
        b"S" | b"s" => Protection::Safe,
        b"E" | b"e" => Protection::Confidential,
        b"P" | b"p" => Protection::Private,
        _ => return Err(ParseError::Unsupported(Verb::Prot)),
    })
}

pub(super) fn structure(word: &[u8]) -> Result<Structure, ParseError> {
    Ok(match word {
        b"F" | b"f" => Structure::File,
        b"R" | b"r" => Structure::Record,
        b"P" | b"p" => Structure::Page,
        _ => return Err(ParseError::Unsupported(Verb::Stru)),
    })
}

pub(super) fn mode(word: &[u8]) -> Result<Mode, ParseError> {
    Ok(match word {
        b"S" | b"s" => Mode::Stream,
        b"B" | b"b" => Mode::Block,
        b"C" | b"c" => Mode::Compressed,
        b"Z" | b"z" => Mode::Deflate,
        _ => return Err(ParseError::Unsupported(Verb::Mode)),
    })
}

/// `A [N|T|C]`, `E [N|T|C]`, `I`, `L <size>`; some clients leave out the space of `L 8`.
pub(super) fn file_type(text: &[u8]) -> Result<Type, ParseError> {
    let unsupported = ParseError::Unsupported(Verb::Type);
    let (letter, rest) = text.split_first().ok_or(ParseError::Missing(Verb::Type))?;
    let word = rest.trim_ascii_start();
    Ok(match letter.to_ascii_uppercase() {
        b'L' => Type::Local(decimal(word).filter(|&bits| bits > 0).ok_or(ParseError::Invalid(Verb::Type))?),
        _ if !rest.is_empty() && !rest.starts_with(b" ") => return Err(unsupported),
        b'A' => Type::Ascii(form(word)?),
        b'E' => Type::Ebcdic(form(word)?),
        b'I' if word.is_empty() => Type::Image,
        b'I' => return Err(ParseError::Invalid(Verb::Type)),
        _ => return Err(unsupported),
    })
}

fn form(word: &[u8]) -> Result<Form, ParseError> {
    Ok(match word {
        b"" | b"N" | b"n" => Form::NonPrint,
        b"T" | b"t" => Form::Telnet,
        b"C" | b"c" => Form::CarriageControl,
        _ => return Err(ParseError::Unsupported(Verb::Type)),
    })
}

/// `<bytes> [R <record bytes>]`.
pub(super) fn allocation(text: &[u8]) -> Result<Allocation, ParseError> {
    let mut words = text.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
    let invalid = ParseError::Invalid(Verb::Allo);
    let bytes = words.next().and_then(decimal).ok_or(invalid)?;
    let record = match (words.next(), words.next(), words.next()) {
        (None, ..) => None,
        (Some(b"R" | b"r"), Some(size), None) => Some(decimal(size).ok_or(invalid)?),
        _ => return Err(invalid),
    };
    Ok(Allocation { bytes, record })
}

/// `<first byte> <last byte>`; `1 0` takes the range before back (draft-bryan-ftp-range §3).
pub(super) fn range(text: &[u8]) -> Result<Option<RangeInclusive<u64>>, ParseError> {
    let mut words = text.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
    let invalid = ParseError::Invalid(Verb::Rang);
    let mut next = || words.next().and_then(decimal::<u64>).ok_or(invalid);
    match (next()?, next()?, words.next()) {
        (1, 0, None) => Ok(None),
        (first, last, None) if first <= last => Ok(Some(first..=last)),
        _ => Err(invalid),
    }
}

pub(super) fn port(text: &[u8]) -> Result<SocketAddrV4, ParseError> {
    address::parse_port(text).ok_or(ParseError::Invalid(Verb::Port))
}

pub(super) fn extended(text: &[u8]) -> Result<SocketAddr, ParseError> {
    address::parse_extended(text).map_err(|error| match error {
        ExtendedError::Malformed => ParseError::Invalid(Verb::Eprt),
        ExtendedError::Family => ParseError::Family(Verb::Eprt),
    })
}

pub(super) fn extended_passive(word: &[u8]) -> Result<ExtendedPassive, ParseError> {
    match word {
        b"" => Ok(ExtendedPassive::Any),
        b"1" => Ok(ExtendedPassive::Family(Family::V4)),
        b"2" => Ok(ExtendedPassive::Family(Family::V6)),
        _ if word.eq_ignore_ascii_case(b"ALL") => Ok(ExtendedPassive::All),
        _ if word.iter().all(u8::is_ascii_digit) => Err(ParseError::Family(Verb::Epsv)),
        _ => Err(ParseError::Invalid(Verb::Epsv)),
    }
}

/// A domain name, an IPv4 address, or an IPv6 address in brackets; never with a port (RFC 7151 §3.1).
pub(super) fn host(word: &[u8]) -> Result<String, ParseError> {
    let name = str::from_utf8(word).map_err(|_| ParseError::Invalid(Verb::Host))?;
    let literal = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    let valid = literal.map_or_else(|| is_domain(name), |address| address.parse::<Ipv6Addr>().is_ok());
    if valid { Ok(name.to_owned()) } else { Err(ParseError::Invalid(Verb::Host)) }
}

fn is_domain(name: &str) -> bool {
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let label = |label: &str| {
        matches!(label.len(), 1..=63)
            && label.bytes().all(letters)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(label)
}

/// RFC 2389 §4 knows one answer to options that are not understood: 501.
pub(super) fn options(text: &[u8]) -> Result<Options, ParseError> {
    let end = memchr::memchr(b' ', text).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let rest = rest.trim_ascii();
    let invalid = Err(ParseError::Invalid(Verb::Opts));
    if name.eq_ignore_ascii_case(b"MLST") {
        return Ok(Options::Mlst(FactSet::parse(rest)));
    }
    if name.eq_ignore_ascii_case(b"HASH") {
        let algorithm = Algorithm::from_name(rest);
        let known = rest.is_empty() || algorithm.is_some();
        return if known { Ok(Options::Hash(algorithm)) } else { invalid };
    }
    if name.eq_ignore_ascii_case(b"MODE") {
        return deflate_level(rest).map(Options::DeflateLevel).ok_or(ParseError::Invalid(Verb::Opts));
    }
    if !name.eq_ignore_ascii_case(b"UTF8") && !name.eq_ignore_ascii_case(b"UTF-8") {
        return invalid;
    }
    match rest.to_ascii_uppercase().as_slice() {
        // "UTF8 NLST" is the form of a draft that some clients still follow.
        b"" | b"ON" | b"NLST" => Ok(Options::Utf8(true)),
        b"OFF" => Ok(Options::Utf8(false)),
        _ => invalid,
    }
}

/// `Z LEVEL <level>` (draft-preston-ftpext-deflate §3.4); of zlib's settings it is the one that
/// clients set.
fn deflate_level(text: &[u8]) -> Option<u8> {
    let mut words = text.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
    let named = words.next()?.eq_ignore_ascii_case(b"Z") && words.next()?.eq_ignore_ascii_case(b"LEVEL");
    let level = decimal(words.next()?).filter(|&level| level <= 9)?;
    (named && words.next().is_none()).then_some(level)
}

/// `<time> <path>`, the path with all its spaces.
pub(super) fn time_and_path(text: &[u8]) -> Result<(Timestamp, Vec<u8>), ParseError> {
    let (time, path) = word_and_path(Verb::Mfmt, text)?;
    Ok((time::parse(time).ok_or(ParseError::Invalid(Verb::Mfmt))?, path.to_vec()))
}

/// `<facts> <path>`, likewise.
pub(super) fn attributes_and_path(text: &[u8]) -> Result<(Attributes, Vec<u8>), ParseError> {
    let (facts, path) = word_and_path(Verb::Mff, text)?;
    Ok((Attributes::parse(facts)?, path.to_vec()))
}

fn word_and_path(verb: Verb, text: &[u8]) -> Result<(&[u8], &[u8]), ParseError> {
    let (word, rest) = text.split_at(memchr::memchr(b' ', text).ok_or(ParseError::Missing(verb))?);
    let path = rest.get(1..).filter(|path| !path.is_empty()).ok_or(ParseError::Missing(verb))?;
    Ok((word, path))
}

/// What follows the options of `ls` that clients send with LIST and NLST. An
/// option is a hyphen and letters or digits up to a space; a file with such a
/// name is asked for as `./-name`.
pub(super) fn without_options(text: &[u8]) -> &[u8] {
    let mut rest = text;
    loop {
        let word = rest.trim_ascii_start();
        let end = memchr::memchr(b' ', word).unwrap_or(word.len());
        match word.split_at(end) {
            ([b'-', letters @ ..], after)
                if !letters.is_empty() && letters.iter().all(u8::is_ascii_alphanumeric) =>
            {
                rest = after.get(1..).unwrap_or_default();
            }
            // Behind options spaces are padding; without any they may begin a name.
            _ if word.is_empty() || rest.len() < text.len() => return word,
            _ => return rest,
        }
    }
}
