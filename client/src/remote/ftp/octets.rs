//! Names as bytes, through a library that takes text: each byte is one character.

use std::io;

use suppaftp::Encoding;

use crate::{
    names,
    remote::listing::{from_octets, to_octets},
};

/// Bytes as characters and back, all 256 of them.
#[derive(Debug)]
pub(super) struct Octets;

impl Encoding for Octets {
    fn decode(&self, bytes: &[u8]) -> String {
        from_octets(bytes)
    }

    fn encode(&self, text: &str) -> io::Result<Vec<u8>> {
        to_octets(text).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "not made of bytes"))
    }
}

/// Such a text for the terminal.
pub(super) fn shown(text: &str) -> String {
    to_octets(text).map_or_else(String::new, |bytes| names::shown(&bytes))
}
