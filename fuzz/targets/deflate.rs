//! Uploads in MODE Z: the same however the bytes are cut, and never more at once than a buffer.
#![no_main]
#![allow(dead_code)]

#[path = "../../server/src/transfer/buffer.rs"]
mod buffer;
#[path = "../../server/src/transfer/unpacker.rs"]
mod unpacker;

use libfuzzer_sys::fuzz_target;
use wharfinger_fuzz::in_pieces;

use unpacker::{DeflateError, Unpacker};

/// Of what a small stream can grow to, so much is looked at.
const ENOUGH: usize = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    let (whole, pieces) = in_pieces(bytes);
    let (cut, at_once) = (unpacked(pieces), unpacked([whole].into_iter()));
    // What came before a fault may differ with the cut; whether there is one may not.
    assert_eq!(cut.is_ok(), at_once.is_ok());
    if let (Ok(cut), Ok(at_once)) = (cut, at_once) {
        assert!(cut == at_once);
    }
});

fn unpacked<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Result<Vec<u8>, DeflateError> {
    let (mut unpacker, mut plain) = (Unpacker::new(), Vec::new());
    for mut input in pieces {
        loop {
            let piece = unpacker.pull(&mut input)?;
            assert!(piece.len() <= buffer::SIZE, "memory is bounded");
            if piece.is_empty() {
                break;
            }
            plain.extend_from_slice(piece);
            plain.truncate(ENOUGH);
        }
    }
    unpacker.finish()?;
    Ok(plain)
}
