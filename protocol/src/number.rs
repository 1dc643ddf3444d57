//! Numbers and addresses as words of a line: digits and what belongs to them, and nothing besides.

/// A number of decimal digits only: no sign, no space.
pub(crate) fn decimal<N: std::str::FromStr>(text: &[u8]) -> Option<N> {
    text.iter().all(u8::is_ascii_digit).then(|| literal(text))?
}

/// What the standard library reads, such as an address.
pub(crate) fn literal<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    str::from_utf8(text).ok()?.parse().ok()
}
