//! RFC 3659's `time-val`: YYYYMMDDHHMMSS with an optional fraction, in UTC.
//!
//! MDTM, MFMT and the `modify` fact use it. Printing makes the digits by hand:
//! a listing does it once an entry.

use jiff::{Timestamp, civil::DateTime, tz::Offset};

/// Reads a time (RFC 3659 §2.3). Digits beyond nanoseconds are cut off; the
/// leap second 60 is read as 59, which the clock of no system here shows apart.
pub fn parse(text: &[u8]) -> Option<Timestamp> {
    let (whole, fraction) = match text.iter().position(|&byte| byte == b'.') {
        Some(point) => (text.get(..point)?, Some(text.get(point + 1..)?)),
        None => (text, None),
    };
    let &[y1, y2, y3, y4, mo1, mo2, d1, d2, h1, h2, mi1, mi2, s1, s2] = whole else { return None };
    let year = i16::from(pair(y1, y2)?) * 100 + i16::from(pair(y3, y4)?);
    let second = match pair(s1, s2)? {
        60 => 59,
        second => second,
    };
    let nanoseconds = fraction.map_or(Some(0), nanoseconds)?;
    DateTime::new(year, pair(mo1, mo2)?, pair(d1, d2)?, pair(h1, h2)?, pair(mi1, mi2)?, second, nanoseconds)
        .ok()
        .and_then(|civil| Offset::UTC.to_timestamp(civil).ok())
}

/// Writes a time, with a fraction only if it has one.
pub fn write(out: &mut Vec<u8>, time: Timestamp) {
    // The civil time's fraction, not the timestamp's: before 1970 that one counts backwards.
    let civil = Offset::UTC.to_datetime(time);
    write_civil(out, civil);
    let nanoseconds = civil.subsec_nanosecond();
    if nanoseconds != 0 {
        let digits = format!(".{nanoseconds:09}");
        out.extend_from_slice(digits.trim_end_matches('0').as_bytes());
    }
}

/// Writes whole seconds since 1970 as 14 digits. What lies outside the years
/// 0 to 9999 is written as the nearest time within.
pub fn write_seconds(out: &mut Vec<u8>, seconds: i64) {
    write_civil(out, civil(seconds));
}

/// The civil time in UTC, at the nearest end of jiff's range if it lies outside.
pub(crate) fn civil(seconds: i64) -> DateTime {
    let nearest = if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Offset::UTC.to_datetime(Timestamp::from_second(seconds).unwrap_or(nearest))
}

fn write_civil(out: &mut Vec<u8>, civil: DateTime) {
    let year = civil.year().max(0).unsigned_abs();
    let two = |number: i8| number.unsigned_abs();
    let [century, in_century] = [year / 100, year % 100].map(|part| u8::try_from(part).unwrap_or(99));
    let parts = [
        century,
        in_century,
        two(civil.month()),
        two(civil.day()),
        two(civil.hour()),
        two(civil.minute()),
        two(civil.second()),
    ];
    let mut digits = [b'0'; 14];
    for (place, part) in digits.chunks_exact_mut(2).zip(parts) {
        place.copy_from_slice(&two_digits(part));
    }
    out.extend_from_slice(&digits);
}

/// A number below 100 as two digits.
pub(crate) const fn two_digits(number: u8) -> [u8; 2] {
    [b'0' + number / 10 % 10, b'0' + number % 10]
}

fn pair(tens: u8, ones: u8) -> Option<i8> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| byte.wrapping_sub(b'0'));
    i8::try_from(digit(tens)? * 10 + digit(ones)?).ok()
}

fn nanoseconds(fraction: &[u8]) -> Option<i32> {
    if fraction.is_empty() || !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digits = fraction.iter().copied().chain(std::iter::repeat(b'0')).take(9);
    Some(digits.fold(0, |number, digit| number * 10 + i32::from(digit - b'0')))
}
