//! Records, both ways: the same however the bytes are cut, and any image comes back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wharfinger_fuzz::in_pieces;
use wharfinger_protocol::record::{FromRecords, RecordError, ToRecords};

fuzz_target!(|bytes: &[u8]| {
    let (whole, pieces) = in_pieces(bytes);
    let pieces: Vec<&[u8]> = pieces.collect();
    for text in [false, true] {
        let wire = to_records(text, &pieces);
        assert_eq!(wire, to_records(text, &[whole]));
        assert_eq!(from_records(text, &pieces), from_records(text, &[whole]));
        let file = from_records(text, &[&wire]).expect("what was written can be read");
        // In text a CR may be part of a line end.
        assert!(text && whole.contains(&b'\r') || file == whole);
    }
});

fn to_records(text: bool, pieces: &[&[u8]]) -> Vec<u8> {
    let (mut codec, mut out) = (ToRecords::new(text), Vec::new());
    pieces.iter().for_each(|piece| codec.push(piece, &mut out));
    codec.finish(&mut out);
    out
}

fn from_records(text: bool, pieces: &[&[u8]]) -> Result<Vec<u8>, RecordError> {
    let (mut codec, mut out) = (FromRecords::new(text), Vec::new());
    for piece in pieces {
        codec.push(piece, &mut out)?;
    }
    codec.finish(&mut out)?;
    Ok(out)
}
