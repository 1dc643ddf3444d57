//! Line ends of text, both ways: the same however the bytes are cut, and back again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wharfinger_fuzz::in_pieces;
use wharfinger_protocol::text::{FromWire, ToWire};

fuzz_target!(|bytes: &[u8]| {
    let (whole, pieces) = in_pieces(bytes);
    let pieces: Vec<&[u8]> = pieces.collect();
    let wire = to_wire(&pieces);
    assert_eq!(wire, to_wire(&[whole]));
    assert_eq!(from_wire(&pieces), from_wire(&[whole]));
    // A CR in a file may be part of a line end there; without any, the file comes back.
    assert!(whole.contains(&b'\r') || from_wire(&[&wire]) == whole);
});

fn to_wire(pieces: &[&[u8]]) -> Vec<u8> {
    let (mut codec, mut out) = (ToWire::default(), Vec::new());
    pieces.iter().for_each(|piece| codec.push(piece, &mut out));
    out
}

fn from_wire(pieces: &[&[u8]]) -> Vec<u8> {
    let (mut codec, mut out) = (FromWire::default(), Vec::new());
    pieces.iter().for_each(|piece| codec.push(piece, &mut out));
    codec.finish(&mut out);
    out
}
