//! What the targets have in common: the ways to cut bytes.

/// The first byte says how long the pieces of the rest are: what is received comes in any.
pub fn in_pieces(bytes: &[u8]) -> (&[u8], impl Iterator<Item = &[u8]>) {
    let (&length, rest) = bytes.split_first().unwrap_or((&1, &[]));
    (rest, rest.chunks(usize::from(length).max(1)))
}

/// Two texts of any lengths from one: the first byte says where the second begins.
pub fn in_two(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (&at, rest) = bytes.split_first().unwrap_or((&0, &[]));
    rest.split_at(usize::from(at).min(rest.len()))
}
